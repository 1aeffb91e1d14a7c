
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
static ngx_int_t ngx_hyperdrive_session_purge_find(
    ngx_hyperdrive_session_catalog_t *cat, ngx_hyperdrive_origin_conf_t *conf,
    ngx_str_t *table, ngx_str_t *database,
    ngx_hyperdrive_cache_version_set_t *set);


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


/*
 * As a write to all that a SELECT of it reads: what is on its way is not kept
 * either.  Each catalog is asked what the name means there.
 */

ngx_int_t
ngx_hyperdrive_session_purge_table(ngx_str_t *table, ngx_str_t *database,
    ngx_uint_t *n)
{
    ngx_int_t                            rc;
    ngx_str_t                            name;
    ngx_hyperdrive_origin_conf_t        *conf;
    ngx_hyperdrive_session_catalog_t    *cat;
    ngx_hyperdrive_cache_version_set_t   set;

    *n = 0;
    rc = NGX_OK;
    cat = NULL;

    for ( ;; ) {
        cat = ngx_hyperdrive_session_catalog_next(cat, &conf, &name);

        if (cat == NULL) {
            return rc;
        }

        if (database->len && !conf->proto->dialect
            && !ngx_hyperdrive_base_same(database, &name))
        {
            continue;
        }

        ngx_memzero(&set, sizeof(ngx_hyperdrive_cache_version_set_t));

        if (ngx_hyperdrive_session_purge_find(cat, conf, table, database, &set)
            != NGX_OK)
        {
            rc = NGX_AGAIN;
            continue;
        }

        *n += set.n;

        ngx_hyperdrive_cache_version_enter(&set);
        ngx_hyperdrive_cache_version_leave(&set, 1);
    }
}


/* NGX_AGAIN: the catalog is on its way */

static ngx_int_t
ngx_hyperdrive_session_purge_find(ngx_hyperdrive_session_catalog_t *cat,
    ngx_hyperdrive_origin_conf_t *conf, ngx_str_t *table, ngx_str_t *database,
    ngx_hyperdrive_cache_version_set_t *set)
{
    u_char                              buf[NGX_HYPERDRIVE_SESSION_PURGE_TEXT];
    uint64_t                            generation, identity;
    ngx_str_t                           text;
    ngx_uint_t                          i;
    ngx_hyperdrive_sql_mode_t           mode;
    ngx_hyperdrive_sql_catalog_t       *sql;
    ngx_hyperdrive_sql_catalog_plan_t   plan;
    static ngx_hyperdrive_sql_facts_t   facts;
    static u_char                       names[sizeof(buf)];

    sql = ngx_hyperdrive_session_catalog_get(cat, &generation);

    if (sql == NULL
        || ngx_hyperdrive_session_catalog_identity(cat, &identity) != NGX_OK)
    {
        return NGX_AGAIN;
    }

    text.data = buf;
    text.len = ngx_snprintf(buf, sizeof(buf), "SELECT 1 FROM %V", table) - buf;

    ngx_hyperdrive_sql_mode(conf->proto->dialect, &mode);
    ngx_hyperdrive_sql_classify(&text, &mode, names, sizeof(names), &facts);

    if (facts.kind != NGX_HYPERDRIVE_SQL_READ || facts.ntables != 1) {
        /* it is not one name */
        return NGX_OK;
    }

    ngx_hyperdrive_sql_catalog_plan(sql, &text, &facts,
                                    conf->proto->dialect && database->len
                                    ? database : NULL,
                                    NULL, 1, &plan);

    for (i = 0; i < plan.nreads; i++) {
        (void) ngx_hyperdrive_cache_version_add(set,
                       ngx_hyperdrive_cache_version(identity, plan.reads[i]));
    }

    return NGX_OK;
}
