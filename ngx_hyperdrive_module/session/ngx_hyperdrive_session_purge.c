
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session_cache.h"
#include "session/ngx_hyperdrive_session_catalog.h"
#include "base/ngx_hyperdrive_base_cursor.h"


/* a question about a table, whose name is one of a request to http */
#define NGX_HYPERDRIVE_SESSION_PURGE_TEXT  1024


static ngx_uint_t ngx_hyperdrive_session_purge_match(void *data,
    ngx_str_t *key);
static ngx_uint_t ngx_hyperdrive_session_purge_tagged(void *data,
    ngx_str_t *key);
static ngx_int_t ngx_hyperdrive_session_purge_each(ngx_str_t *table,
    ngx_str_t *database, uint64_t number, ngx_uint_t *n);
static void ngx_hyperdrive_session_purge_names(
    ngx_hyperdrive_shm_kill_t *order, ngx_str_t *table, ngx_str_t *database);
static ngx_uint_t ngx_hyperdrive_session_purge_is_in(
    ngx_hyperdrive_origin_conf_t *conf, ngx_str_t *name, ngx_str_t *database);
static void ngx_hyperdrive_session_purge_one(uint64_t identity,
    ngx_hyperdrive_origin_conf_t *conf, ngx_hyperdrive_sql_catalog_t *sql,
    ngx_str_t *table, ngx_str_t *database, ngx_uint_t *n);
static void ngx_hyperdrive_session_purge_find(
    ngx_hyperdrive_sql_catalog_t *sql, ngx_hyperdrive_origin_conf_t *conf,
    ngx_str_t *table, ngx_str_t *database,
    ngx_hyperdrive_sql_catalog_plan_t *plan);


void
ngx_hyperdrive_session_purge_all(ngx_hyperdrive_cache_store_t *store)
{
    ngx_hyperdrive_cache_store_purge(store);
    ngx_hyperdrive_cache_flight_on_all();
}


ngx_uint_t
ngx_hyperdrive_session_purge_statement(ngx_hyperdrive_cache_store_t *store,
    uint64_t digest)
{
    return ngx_hyperdrive_cache_store_purge_if(store,
                                       ngx_hyperdrive_session_purge_match,
                                       &digest);
}


static ngx_uint_t
ngx_hyperdrive_session_purge_match(void *data, ngx_str_t *key)
{
    uint64_t  *digest = data;

    ngx_str_t   text;
    ngx_uint_t  mode;

    return ngx_hyperdrive_session_key_text(key, &text, &mode) == NGX_OK
           && ngx_hyperdrive_session_digest(&text, mode) == *digest;
}


ngx_uint_t
ngx_hyperdrive_session_purge_tag(ngx_hyperdrive_cache_store_t *store,
    ngx_str_t *tag)
{
    return ngx_hyperdrive_cache_store_purge_if(store,
                                       ngx_hyperdrive_session_purge_tagged,
                                       tag);
}


static ngx_uint_t
ngx_hyperdrive_session_purge_tagged(void *data, ngx_str_t *key)
{
    return ngx_hyperdrive_session_key_tag(key, data) == NGX_OK;
}


ngx_int_t
ngx_hyperdrive_session_purge_table(ngx_str_t *table, ngx_str_t *database,
    ngx_uint_t *n)
{
    *n = 0;

    return ngx_hyperdrive_session_purge_each(table, database, 0, n);
}


void
ngx_hyperdrive_session_purge_order(ngx_hyperdrive_shm_kill_t *order,
    uint64_t number)
{
    ngx_str_t   table, database;
    ngx_uint_t  n;

    n = 0;

    ngx_hyperdrive_session_purge_names(order, &table, &database);

    (void) ngx_hyperdrive_session_purge_each(&table, &database, number, &n);
}


/*
 * Each catalog is asked what the name means there.  Where none has been read
 * yet, or it is not known of which database, _late() does it.  <number>: of the
 * order, 0: it has none.  NGX_AGAIN: not all of it is done.
 */

static ngx_int_t
ngx_hyperdrive_session_purge_each(ngx_str_t *table, ngx_str_t *database,
    uint64_t number, ngx_uint_t *n)
{
    uint64_t                           generation, identity;
    ngx_int_t                          rc;
    ngx_str_t                          name;
    ngx_hyperdrive_origin_conf_t      *conf;
    ngx_hyperdrive_sql_catalog_t      *sql;
    ngx_hyperdrive_session_catalog_t  *cat;

    rc = NGX_OK;
    cat = NULL;

    for ( ;; ) {
        cat = ngx_hyperdrive_session_catalog_next(cat, &conf, &name);

        if (cat == NULL) {
            return rc;
        }

        sql = ngx_hyperdrive_session_catalog_get(cat, &generation);

        if (generation == 0
            || ngx_hyperdrive_session_catalog_identity(cat, &identity)
               != NGX_OK)
        {
            if (ngx_hyperdrive_session_purge_is_in(conf, &name, database)) {
                rc = NGX_AGAIN;
            }

            continue;
        }

        if (ngx_hyperdrive_session_purge_is_in(conf, &name, database)) {
            ngx_hyperdrive_session_purge_one(identity, conf, sql, table,
                                             database, n);
        }

        if (number) {
            ngx_hyperdrive_session_catalog_set_purged(identity, number);
        }
    }
}


/*
 * Nobody may have known the database when they were given, though answers of
 * it were kept before a reload.
 */

void
ngx_hyperdrive_session_purge_late(ngx_hyperdrive_session_catalog_t *cat,
    ngx_hyperdrive_origin_conf_t *conf, ngx_str_t *name,
    ngx_hyperdrive_sql_catalog_t *sql)
{
    uint64_t                   identity, seen, last;
    ngx_str_t                  table, database;
    ngx_uint_t                 n;
    ngx_hyperdrive_shm_kill_t  order;

    (void) ngx_hyperdrive_session_catalog_identity(cat, &identity);

    n = 0;
    seen = ngx_hyperdrive_session_catalog_purged(identity);
    last = ngx_hyperdrive_shm_kill_count();

    if (seen == last) {
        return;
    }

    if (last - seen > NGX_HYPERDRIVE_SHM_KILLS) {

        /* what the first of them said is not there any more */

        ngx_hyperdrive_session_purge_one(identity, conf, NULL, NULL, NULL, &n);
        seen = last;
    }

    while (seen < last
           && ngx_hyperdrive_shm_kill_next(&seen, &order) == NGX_OK)
    {
        ngx_hyperdrive_session_purge_names(&order, &table, &database);

        if (table.len
            && ngx_hyperdrive_session_purge_is_in(conf, name, &database))
        {
            ngx_hyperdrive_session_purge_one(identity, conf, sql, &table,
                                             &database, &n);
        }
    }

    ngx_hyperdrive_session_catalog_set_purged(identity, last);
}


static void
ngx_hyperdrive_session_purge_names(ngx_hyperdrive_shm_kill_t *order,
    ngx_str_t *table, ngx_str_t *database)
{
    table->data = order->table;
    table->len = ngx_strlen(order->table);
    database->data = order->database;
    database->len = ngx_strlen(order->database);
}


static ngx_uint_t
ngx_hyperdrive_session_purge_is_in(ngx_hyperdrive_origin_conf_t *conf,
    ngx_str_t *name, ngx_str_t *database)
{
    return database->len == 0 || conf->proto->dialect
           || ngx_hyperdrive_base_same(database, name);
}


/*
 * As a write to all that a SELECT of it reads: what is on its way is not kept
 * either.  <sql> NULL: what that is cannot be said, the database as a whole is
 * given up.  Adds to *n.
 */

static void
ngx_hyperdrive_session_purge_one(uint64_t identity,
    ngx_hyperdrive_origin_conf_t *conf, ngx_hyperdrive_sql_catalog_t *sql,
    ngx_str_t *table, ngx_str_t *database, ngx_uint_t *n)
{
    ngx_uint_t                          i;
    ngx_hyperdrive_cache_version_set_t  set;
    ngx_hyperdrive_sql_catalog_plan_t   plan;

    plan.nreads = 0;

    if (sql) {
        ngx_hyperdrive_session_purge_find(sql, conf, table, database, &plan);
        *n += plan.nreads;
    }

    ngx_memzero(&set, sizeof(ngx_hyperdrive_cache_version_set_t));

    if (sql == NULL || plan.nreads == NGX_HYPERDRIVE_SQL_CATALOG_TABLES) {

        /* there may be more than a plan has room for */

        plan.nreads = 1;
        plan.reads[0] = 0;
    }

    for (i = 0; i < plan.nreads; i++) {
        (void) ngx_hyperdrive_cache_version_add(&set,
                       ngx_hyperdrive_cache_version(identity, plan.reads[i]));
    }

    ngx_hyperdrive_cache_version_enter(&set);
    ngx_hyperdrive_cache_version_leave(&set, 1);
}


static void
ngx_hyperdrive_session_purge_find(ngx_hyperdrive_sql_catalog_t *sql,
    ngx_hyperdrive_origin_conf_t *conf, ngx_str_t *table, ngx_str_t *database,
    ngx_hyperdrive_sql_catalog_plan_t *plan)
{
    u_char                             buf[NGX_HYPERDRIVE_SESSION_PURGE_TEXT];
    ngx_str_t                          text;
    ngx_hyperdrive_sql_mode_t          mode;
    static ngx_hyperdrive_sql_facts_t  facts;
    static u_char                      names[sizeof(buf)];

    text.data = buf;
    text.len = ngx_snprintf(buf, sizeof(buf), "SELECT 1 FROM %V", table) - buf;

    ngx_hyperdrive_sql_mode(conf->proto->dialect, &mode);
    ngx_hyperdrive_sql_classify(&text, &mode, names, sizeof(names), &facts);

    if (facts.kind != NGX_HYPERDRIVE_SQL_READ || facts.ntables != 1) {
        /* it is not one name */
        return;
    }

    ngx_hyperdrive_sql_catalog_plan(sql, &text, &facts,
                                    conf->proto->dialect && database->len
                                    ? database : NULL,
                                    NULL, 1, plan);
}
