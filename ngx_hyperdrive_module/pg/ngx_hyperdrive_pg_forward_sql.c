
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "pg/ngx_hyperdrive_pg_forward.h"


/*
 * To a client, names that PREPARE gives and those of Parse are the same.  At
 * the origin the former are what the client has said, on a connection that is
 * its own while they are there, and the latter are ours.  So where SQL names
 * a statement of the protocol, it gets the name that this has at the origin;
 * and where a Parse gives a name that SQL may have given, it goes to the
 * origin with that name, which knows whether it is taken.
 */


/* names of SQL that are remembered; of more, a Parse may give one again */
#define NGX_HYPERDRIVE_PG_FORWARD_SQL_NAMES  1024


static ngx_int_t ngx_hyperdrive_pg_forward_sql_target(
    ngx_hyperdrive_pg_forward_t *f, ngx_hyperdrive_state_stmt_t *stmt,
    ngx_hyperdrive_state_name_t **target);
static ngx_int_t ngx_hyperdrive_pg_forward_sql_unnamed(
    ngx_hyperdrive_pg_forward_t *f, ngx_hyperdrive_state_stmt_t *stmt,
    ngx_hyperdrive_state_name_t *target);
static ngx_uint_t ngx_hyperdrive_pg_forward_sql_grouped(
    ngx_hyperdrive_pg_forward_t *f, ngx_hyperdrive_state_name_t *entry);
static ngx_int_t ngx_hyperdrive_pg_forward_sql_text(
    ngx_hyperdrive_pg_forward_t *f, u_char type,
    ngx_hyperdrive_state_stmt_t *stmt, uint64_t id);
static void ngx_hyperdrive_pg_forward_sql_run(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_stmt_t *stmt, ngx_hyperdrive_state_name_t *target);


ngx_int_t
ngx_hyperdrive_pg_forward_sql(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_stmt_t *stmt, ngx_hyperdrive_state_name_t **target)
{
    ngx_int_t  rc;

    rc = ngx_hyperdrive_pg_forward_sql_target(f, stmt, target);

    if (rc != NGX_OK) {
        return rc;
    }

    ngx_hyperdrive_pg_forward_sql_run(f, stmt, *target);

    return ngx_hyperdrive_pg_forward_sql_text(f, 'Q', stmt,
                 ngx_hyperdrive_pg_forward_id(f->origin, (*target)->stmt));
}


ngx_int_t
ngx_hyperdrive_pg_forward_sql_bind(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_stmt_t *stmt, ngx_hyperdrive_state_name_t **target)
{
    ngx_int_t  rc;

    rc = ngx_hyperdrive_pg_forward_sql_target(f, stmt, target);

    if (rc != NGX_OK) {
        return rc;
    }

    ngx_hyperdrive_pg_forward_sql_run(f, stmt, *target);

    return ngx_hyperdrive_pg_forward_sql_unnamed(f, stmt, *target);
}


ngx_int_t
ngx_hyperdrive_pg_forward_sql_describe(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_name_t *entry)
{
    ngx_int_t                     rc;
    ngx_hyperdrive_state_name_t  *target;
    ngx_hyperdrive_state_stmt_t  *stmt;

    stmt = entry->stmt;

    rc = ngx_hyperdrive_pg_forward_sql_target(f, stmt, &target);

    if (rc != NGX_OK) {
        return rc;
    }

    if (target->number > entry->number) {
        /* it was not there yet, and the description is as of then */
        return NGX_DECLINED;
    }

    /* not kept with the text, which others name other statements by */

    if (ngx_hyperdrive_pg_forward_sql_unnamed(f, stmt, target) != NGX_OK
        || ngx_hyperdrive_pg_forward_expect(f,
                                            NGX_HYPERDRIVE_PG_REPLY_DESCRIBE,
                                            NGX_HYPERDRIVE_PG_PASS, NULL)
           == NULL)
    {
        return NGX_ERROR;
    }

    return (ngx_hyperdrive_base_chain_append(f->out, "D\0\0\0\6S", 7)
            == NGX_OK)
           ? NGX_OK
           : ngx_hyperdrive_pg_forward_error(f, "53200", "out of memory");
}


/* the origin's unnamed statement is <stmt>, with the name of <target> in it */

static ngx_int_t
ngx_hyperdrive_pg_forward_sql_unnamed(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_stmt_t *stmt, ngx_hyperdrive_state_name_t *target)
{
    ngx_hyperdrive_pg_origin_t  *o;

    o = f->origin;

    if (ngx_hyperdrive_pg_forward_expect(f, NGX_HYPERDRIVE_PG_REPLY_PARSE,
                                         NGX_HYPERDRIVE_PG_DROP, NULL)
        == NULL
        || ngx_hyperdrive_pg_forward_sql_text(f, 'P', stmt,
                             ngx_hyperdrive_pg_forward_id(o, target->stmt))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_hyperdrive_pg_origin_unnamed(o, NULL);

    o->unnamed_dirty = 1;
    o->unnamed_group = o->group;

    return NGX_OK;
}


/*
 * The client's statement that a PREPARE or EXECUTE names, which the origin
 * knows then; NGX_DECLINED: none.
 */

static ngx_int_t
ngx_hyperdrive_pg_forward_sql_target(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_stmt_t *stmt, ngx_hyperdrive_state_name_t **target)
{
    u_char                        buf[NGX_HYPERDRIVE_MAX_NAME];
    ngx_int_t                     rc;
    ngx_str_t                     name;
    ngx_hyperdrive_state_name_t  *entry;

    if (f->origin->status == 'E'
        || ngx_hyperdrive_pg_deallocate_name(stmt->text + stmt->plan.name,
                                             stmt->plan.name_len, buf, &name)
           != NGX_OK
        || name.len == 0)
    {
        return NGX_DECLINED;
    }

    rc = ngx_hyperdrive_pg_forward_find(f, &name, &entry);

    if (rc != NGX_OK) {
        return rc;
    }

    if (entry == NULL || ngx_hyperdrive_pg_forward_sql_grouped(f, entry)) {
        return NGX_DECLINED;
    }

    rc = ngx_hyperdrive_pg_forward_ensure(f, entry, 0);

    if (rc == NGX_OK) {
        *target = entry;
    }

    return rc;
}


/*
 * A Query in a group of the extended protocol, for which <entry> would have to
 * be prepared: an error of that would be the group's, and not the Query's.
 */

static ngx_uint_t
ngx_hyperdrive_pg_forward_sql_grouped(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_name_t *entry)
{
    ngx_hyperdrive_pg_origin_t   *o;
    ngx_hyperdrive_state_item_t  *item;

    o = f->origin;

    if (f->pos[0] != 'Q' || !o->open || o->prelude || o->begun) {
        return 0;
    }

    item = ngx_hyperdrive_state_set_find(&o->set,
                             ngx_hyperdrive_pg_forward_id(o, entry->stmt));

    return item == NULL || item->epoch < entry->epoch;
}


/* the statement with another name in it, as a Query, or a Parse of "" */

static ngx_int_t
ngx_hyperdrive_pg_forward_sql_text(ngx_hyperdrive_pg_forward_t *f, u_char type,
    ngx_hyperdrive_state_stmt_t *stmt, uint64_t id)
{
    size_t      len, rest;
    u_char     *p, *behind;
    ngx_str_t   types;

    behind = stmt->text + stmt->plan.name + stmt->plan.name_len;
    rest = stmt->text + stmt->len + 1 - behind;

    len = stmt->plan.name + NGX_HYPERDRIVE_PG_STATEMENT_LEN + rest;

    ngx_str_set(&types, "");

    if (type == 'P') {

        if (stmt->types_len) {
            types.data = stmt->types;
            types.len = stmt->types_len;

        } else {
            types.data = (u_char *) "\0\0";
            types.len = 2;
        }

        len += 1 + types.len;
    }

    p = ngx_hyperdrive_base_chain_reserve(f->out, NGX_HYPERDRIVE_PG_HEADER
                                                  + (type == 'P'));
    if (p == NULL) {
        goto failed;
    }

    *p++ = type;
    p = ngx_hyperdrive_base_put_u32(p, 4 + len);

    if (type == 'P') {
        *p = '\0';
    }

    if (ngx_hyperdrive_base_chain_append(f->out, stmt->text, stmt->plan.name)
        != NGX_OK)
    {
        goto failed;
    }

    p = ngx_hyperdrive_base_chain_reserve(f->out,
                                          NGX_HYPERDRIVE_PG_STATEMENT_LEN);
    if (p == NULL) {
        goto failed;
    }

    (void) ngx_hyperdrive_pg_forward_bare(p, id);

    if (ngx_hyperdrive_base_chain_append(f->out, behind, rest) != NGX_OK
        || ngx_hyperdrive_base_chain_append(f->out, types.data, types.len)
           != NGX_OK)
    {
        goto failed;
    }

    return NGX_OK;

failed:

    return ngx_hyperdrive_pg_forward_error(f, "53200", "out of memory");
}


/* a PREPARE of a name that is taken does nothing at all */

static void
ngx_hyperdrive_pg_forward_sql_run(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_stmt_t *stmt, ngx_hyperdrive_state_name_t *target)
{
    if (stmt->plan.body) {
        return;
    }

    ngx_hyperdrive_pg_forward_run(f, target->stmt, NULL, NULL);

    if (!stmt->plan.executes) {
        /* its arguments may do more */
        ngx_hyperdrive_pg_forward_run(f, stmt, NULL, NULL);
    }
}


void
ngx_hyperdrive_pg_forward_sql_names(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_stmt_t *stmt)
{
    u_char                       buf[NGX_HYPERDRIVE_MAX_NAME];
    ngx_str_t                    name;
    ngx_hyperdrive_pg_client_t  *c;

    c = f->client;

    if (f->origin->status == 'E') {
        return;
    }

    if (c->sql.n >= NGX_HYPERDRIVE_PG_FORWARD_SQL_NAMES
        || ngx_hyperdrive_pg_deallocate_name(stmt->text + stmt->plan.name,
                                             stmt->plan.name_len, buf, &name)
           != NGX_OK
        || ngx_hyperdrive_state_names_find(&c->sql, &name))
    {
        return;
    }

    (void) ngx_hyperdrive_state_stmt_ref(stmt);

    if (ngx_hyperdrive_state_names_add(&c->sql, &name, stmt) == NULL) {
        ngx_hyperdrive_state_stmt_unref(c->ctx->registry, stmt);
    }
}


ngx_int_t
ngx_hyperdrive_pg_forward_sql_parse(ngx_hyperdrive_pg_forward_t *f,
    ngx_str_t *name, ngx_hyperdrive_state_stmt_t *stmt)
{
    if (ngx_hyperdrive_state_names_find(&f->client->sql, name) == NULL
        || ngx_hyperdrive_pg_forward_ours(name))
    {
        return NGX_DECLINED;
    }

    /* if it is not taken any more, it stays the client's own name there */

    ngx_hyperdrive_pg_forward_run_prepares(f, stmt);

    if (ngx_hyperdrive_pg_forward_expect(f, NGX_HYPERDRIVE_PG_REPLY_PARSE,
                                         NGX_HYPERDRIVE_PG_PASS, NULL)
        == NULL)
    {
        return NGX_ERROR;
    }

    return ngx_hyperdrive_pg_forward_raw(f);
}


void
ngx_hyperdrive_pg_forward_sql_close(ngx_hyperdrive_pg_forward_t *f,
    ngx_str_t *name)
{
    ngx_hyperdrive_pg_client_t   *c;
    ngx_hyperdrive_state_name_t  *entry;

    c = f->client;

    entry = ngx_hyperdrive_state_names_find(&c->sql, name);

    if (entry) {
        ngx_hyperdrive_state_names_unlink(&c->sql, entry);
        ngx_hyperdrive_pg_client_free_name(c->ctx, entry);
    }
}
