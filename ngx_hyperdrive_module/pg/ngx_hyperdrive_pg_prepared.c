
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "pg/ngx_hyperdrive_pg.h"
#include "pg/ngx_hyperdrive_pg_message.h"
#include "base/ngx_hyperdrive_base_cursor.h"


/*
 * Units that prepare a statement, describe or close some, and do nothing else:
 * [Close...] [Parse] [Describe] Sync or Flush.  A text that could be prepared
 * since the catalog has changed last can be prepared again, and has the same
 * description: the origin hears of it with the first Bind.
 */


typedef struct {
    ngx_hyperdrive_state_stmt_t  *stmt;       /* of Parse; one reference */
    ngx_hyperdrive_state_name_t  *entry;      /* of Describe, without Parse */
    ngx_hyperdrive_state_desc_t  *desc;
    ngx_str_t                     name;
    unsigned                      parse:1;
    unsigned                      describe:1;
    unsigned                      closes:1;
} ngx_hyperdrive_pg_prepared_t;


static ngx_int_t ngx_hyperdrive_pg_prepared_read(
    ngx_hyperdrive_pg_client_t *c, u_char *p, u_char *end, uint64_t epoch,
    ngx_hyperdrive_pg_prepared_t *what);
static ngx_int_t ngx_hyperdrive_pg_prepared_parse(
    ngx_hyperdrive_pg_client_t *c, u_char *body, u_char *next, uint64_t epoch,
    ngx_hyperdrive_pg_prepared_t *what);
static ngx_int_t ngx_hyperdrive_pg_prepared_describe(
    ngx_hyperdrive_pg_client_t *c, u_char *body, u_char *next, uint64_t epoch,
    ngx_hyperdrive_pg_prepared_t *what);
static void ngx_hyperdrive_pg_prepared_close(ngx_hyperdrive_pg_client_t *c,
    u_char *p, u_char *end, ngx_hyperdrive_chain_t *out);


/*
 * Whether it is worth a look at the epoch: it begins with a Describe or a Close
 * or a Parse under a name, or with Parse and Describe.
 */

ngx_uint_t
ngx_hyperdrive_pg_prepared_may(u_char *pos, size_t len)
{
    u_char  *next;

    if (pos[0] != 'P') {
        return (pos[0] == 'D' || pos[0] == 'C')
               && len > NGX_HYPERDRIVE_PG_HEADER
               && pos[NGX_HYPERDRIVE_PG_HEADER] == 'S';
    }

    if (len > NGX_HYPERDRIVE_PG_HEADER && pos[NGX_HYPERDRIVE_PG_HEADER]) {
        return 1;
    }

    next = pos + 1 + ngx_hyperdrive_base_get_u32(pos + 1);

    return next + NGX_HYPERDRIVE_PG_HEADER < pos + len
           && next[0] == 'D' && next[NGX_HYPERDRIVE_PG_HEADER] == 'S';
}


ngx_int_t
ngx_hyperdrive_pg_prepared(void *client, ngx_hyperdrive_proto_unit_t *unit,
    u_char *pos, uint64_t epoch, ngx_hyperdrive_chain_t *out)
{
    ngx_int_t                      rc;
    ngx_hyperdrive_pg_client_t    *c = client;
    ngx_hyperdrive_state_name_t   *old;
    ngx_hyperdrive_pg_prepared_t   what;

    c->epoch = epoch;

    if (out == NULL) {
        return NGX_DECLINED;
    }

    ngx_memzero(&what, sizeof(ngx_hyperdrive_pg_prepared_t));

    rc = ngx_hyperdrive_pg_prepared_read(c, pos, pos + unit->len, epoch, &what);

    if (rc != NGX_OK) {

        if (what.stmt) {
            ngx_hyperdrive_state_stmt_unref(c->ctx->registry, what.stmt);
        }

        return NGX_DECLINED;
    }

    ngx_hyperdrive_pg_client_looked(c);

    if (what.closes) {
        ngx_hyperdrive_pg_prepared_close(c, pos, pos + unit->len, out);
    }

    if (what.parse) {

        what.entry = ngx_hyperdrive_pg_client_add(c, &what.name, what.stmt,
                                                  &old);
        if (what.entry == NULL) {
            ngx_hyperdrive_state_stmt_unref(c->ctx->registry, what.stmt);
            out->failed = 1;
            return NGX_OK;
        }

        what.entry->epoch = epoch;

        if (old) {
            ngx_hyperdrive_pg_client_free_name(c->ctx, old);
        }

        ngx_hyperdrive_base_chain_append(out, "1\0\0\0\4", 5);
    }

    if (what.describe) {
        ngx_hyperdrive_base_chain_append(out, what.desc->data, what.desc->len);
        what.entry->shape = what.desc->shape;
    }

    if (!unit->flush) {
        ngx_hyperdrive_pg_ready(out, ngx_hyperdrive_pg_block_status(c));
    }

    return NGX_OK;
}


/* NGX_OK: it can be answered; nothing has been changed yet */

static ngx_int_t
ngx_hyperdrive_pg_prepared_read(ngx_hyperdrive_pg_client_t *c, u_char *p,
    u_char *end, uint64_t epoch, ngx_hyperdrive_pg_prepared_t *what)
{
    u_char     *body, *next;
    ngx_str_t   name, kind;

    for ( /* void */ ; p < end; p = next) {

        body = p + NGX_HYPERDRIVE_PG_HEADER;
        next = p + 1 + ngx_hyperdrive_base_get_u32(p + 1);

        switch (p[0]) {

        case 'C':
            body = ngx_hyperdrive_base_read_bytes(body, next, 1, &kind);
            body = ngx_hyperdrive_base_read_cstr(body, next, &name);

            if (body != next || kind.data[0] != 'S' || name.len == 0
                || what->parse || what->describe)
            {
                return NGX_DECLINED;
            }

            what->closes = 1;
            break;

        case 'P':
            if (what->parse || what->describe
                || ngx_hyperdrive_pg_prepared_parse(c, body, next, epoch, what)
                   != NGX_OK)
            {
                return NGX_DECLINED;
            }

            what->parse = 1;
            break;

        case 'D':
            if (what->describe
                || (what->closes && !what->parse)
                || ngx_hyperdrive_pg_prepared_describe(c, body, next, epoch,
                                                       what)
                   != NGX_OK)
            {
                return NGX_DECLINED;
            }

            what->describe = 1;
            break;

        case 'S':
        case 'H':
            return next == end && next - p == NGX_HYPERDRIVE_PG_HEADER
                   ? NGX_OK : NGX_DECLINED;

        default:
            return NGX_DECLINED;
        }
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_hyperdrive_pg_prepared_parse(ngx_hyperdrive_pg_client_t *c, u_char *body,
    u_char *next, uint64_t epoch, ngx_hyperdrive_pg_prepared_t *what)
{
    ngx_str_t  text, types;

    body = ngx_hyperdrive_base_read_cstr(body, next, &what->name);
    body = ngx_hyperdrive_base_read_cstr(body, next, &text);

    if (body == NULL || what->name.len > NGX_HYPERDRIVE_MAX_NAME
        || (what->name.len
            && (ngx_hyperdrive_state_names_find(&c->names, &what->name)
                || ngx_hyperdrive_state_names_full(&c->names))))
    {
        return NGX_DECLINED;
    }

    types.data = body;
    types.len = next - body;

    if (types.len == 2 && body[0] == 0 && body[1] == 0) {
        types.len = 0;
    }

    what->stmt = ngx_hyperdrive_state_stmt_get(c->ctx->registry, &text, &types,
                                               c->mode);
    if (what->stmt == NULL) {
        return NGX_DECLINED;
    }

    what->desc = ngx_hyperdrive_state_stmt_described(what->stmt, epoch);

    return what->desc ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_hyperdrive_pg_prepared_describe(ngx_hyperdrive_pg_client_t *c,
    u_char *body, u_char *next, uint64_t epoch,
    ngx_hyperdrive_pg_prepared_t *what)
{
    ngx_str_t                     name, kind;
    ngx_hyperdrive_state_stmt_t  *stmt;

    body = ngx_hyperdrive_base_read_bytes(body, next, 1, &kind);
    body = ngx_hyperdrive_base_read_cstr(body, next, &name);

    if (body != next || kind.data[0] != 'S') {
        return NGX_DECLINED;
    }

    if (what->stmt) {

        if (name.len != what->name.len
            || ngx_memcmp(name.data, what->name.data, name.len) != 0)
        {
            return NGX_DECLINED;
        }

    } else {
        what->entry = ngx_hyperdrive_pg_client_find(c, &name);

        if (what->entry == NULL) {
            return NGX_DECLINED;
        }

        /* what was prepared earlier may be stale, which the origin knows */

        if (what->entry->epoch != epoch) {
            return NGX_DECLINED;
        }

        what->desc = ngx_hyperdrive_state_stmt_described(what->entry->stmt,
                                                         epoch);
    }

    stmt = what->stmt ? what->stmt : what->entry->stmt;

    if (ngx_hyperdrive_state_stmt_runs_name(stmt)) {
        /* it has the shape of what the client has given that name */
        return NGX_DECLINED;
    }

    return (what->desc && what->desc->len) ? NGX_OK : NGX_DECLINED;
}


/* others may use them: they stay prepared at the origins */

static void
ngx_hyperdrive_pg_prepared_close(ngx_hyperdrive_pg_client_t *c, u_char *p,
    u_char *end, ngx_hyperdrive_chain_t *out)
{
    ngx_str_t                     name;
    ngx_hyperdrive_state_name_t  *entry;

    ngx_hyperdrive_pg_portal_unlabel(c);

    for ( /* void */ ;
         p < end && p[0] == 'C';
         p += 1 + ngx_hyperdrive_base_get_u32(p + 1))
    {
        name.data = p + NGX_HYPERDRIVE_PG_HEADER + 1;
        name.len = ngx_strlen(name.data);

        entry = ngx_hyperdrive_state_names_find(&c->names, &name);

        if (entry) {
            ngx_hyperdrive_state_names_unlink(&c->names, entry);
            ngx_hyperdrive_pg_client_free_name(c->ctx, entry);
        }

        ngx_hyperdrive_base_chain_append(out, "3\0\0\0\4", 5);
    }
}
