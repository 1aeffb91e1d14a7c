
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "pg/ngx_hyperdrive_pg.h"
#include "base/ngx_hyperdrive_base_cursor.h"


/*
 * A client goes to another worker: what it believes, in a form that does not
 * depend on this process.  Statements go as their texts: the other worker has
 * numbers of its own for them.
 */


#define NGX_HYPERDRIVE_PG_EXPORT_VERSION  1

#define NGX_HYPERDRIVE_PG_EXPORT_SKIP     0x01
#define NGX_HYPERDRIVE_PG_EXPORT_UNTOLD   0x02
#define NGX_HYPERDRIVE_PG_EXPORT_MOVED    0x04
#define NGX_HYPERDRIVE_PG_EXPORT_FAILED   0x08
#define NGX_HYPERDRIVE_PG_EXPORT_BEGIN    0x10     /* what follows is there */
#define NGX_HYPERDRIVE_PG_EXPORT_UNNAMED  0x20
#define NGX_HYPERDRIVE_PG_EXPORT_TOLD     0x40
#define NGX_HYPERDRIVE_PG_EXPORT_BEFORE   0x80
#define NGX_HYPERDRIVE_PG_EXPORT_BOUND    0x100
#define NGX_HYPERDRIVE_PG_EXPORT_ALL      0x1ff


static void ngx_hyperdrive_pg_export_status(
    ngx_hyperdrive_pg_status_t *status, ngx_hyperdrive_chain_t *out);
static void ngx_hyperdrive_pg_export_stmt(ngx_hyperdrive_state_stmt_t *stmt,
    ngx_hyperdrive_chain_t *out);
static void ngx_hyperdrive_pg_export_name(ngx_hyperdrive_state_name_t *name,
    ngx_hyperdrive_chain_t *out);
static u_char *ngx_hyperdrive_pg_export_read(
    ngx_hyperdrive_pg_client_t *client, u_char *p, u_char *last);
static u_char *ngx_hyperdrive_pg_export_read_status(
    ngx_hyperdrive_pg_status_t **status, u_char *p, u_char *last);
static u_char *ngx_hyperdrive_pg_export_read_stmt(
    ngx_hyperdrive_pg_client_t *client, u_char *p, u_char *last,
    ngx_hyperdrive_state_stmt_t **stmt);
static u_char *ngx_hyperdrive_pg_export_read_name(
    ngx_hyperdrive_pg_client_t *client, u_char *p, u_char *last,
    ngx_uint_t unnamed);


ngx_int_t
ngx_hyperdrive_pg_export(void *data, ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_pg_client_t *client = data;

    uint32_t                      flags;
    ngx_uint_t                    i;
    ngx_hyperdrive_state_name_t  *name;

    if (client->open || (client->left && !client->drop)) {

        /* an origin has the beginning of it */

        return NGX_DECLINED;
    }

    flags = (client->skip ? NGX_HYPERDRIVE_PG_EXPORT_SKIP : 0)
            | (client->untold ? NGX_HYPERDRIVE_PG_EXPORT_UNTOLD : 0)
            | (client->moved ? NGX_HYPERDRIVE_PG_EXPORT_MOVED : 0)
            | (client->failed ? NGX_HYPERDRIVE_PG_EXPORT_FAILED : 0)
            | (client->begin ? NGX_HYPERDRIVE_PG_EXPORT_BEGIN : 0)
            | (client->bound ? NGX_HYPERDRIVE_PG_EXPORT_BOUND : 0)
            | (client->unnamed ? NGX_HYPERDRIVE_PG_EXPORT_UNNAMED : 0)
            | (client->told ? NGX_HYPERDRIVE_PG_EXPORT_TOLD : 0)
            | (client->before ? NGX_HYPERDRIVE_PG_EXPORT_BEFORE : 0);

    ngx_hyperdrive_base_chain_put_u32(out, NGX_HYPERDRIVE_PG_EXPORT_VERSION);
    ngx_hyperdrive_base_chain_put_u32(out, flags);
    ngx_hyperdrive_base_chain_put_u32(out, (uint32_t) client->mode);
    ngx_hyperdrive_base_chain_put_u32(out, client->left);

    if (client->told) {
        ngx_hyperdrive_pg_export_status(client->told, out);
    }

    if (client->before) {
        ngx_hyperdrive_pg_export_status(client->before, out);
    }

    if (client->begin) {
        ngx_hyperdrive_pg_export_stmt(client->begin, out);
    }

    if (client->unnamed) {
        ngx_hyperdrive_pg_export_name(client->unnamed, out);
    }

    ngx_hyperdrive_base_chain_put_u32(out, (uint32_t) client->names.n);

    for (i = 0; i < client->names.nbuckets; i++) {

        for (name = client->names.buckets[i]; name; name = name->next) {
            ngx_hyperdrive_pg_export_name(name, out);
        }
    }

    return NGX_OK;
}


static void
ngx_hyperdrive_pg_export_status(ngx_hyperdrive_pg_status_t *status,
    ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_base_chain_put_str(out, status->data, status->len);
}


static void
ngx_hyperdrive_pg_export_stmt(ngx_hyperdrive_state_stmt_t *stmt,
    ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_base_chain_put_u32(out, (uint32_t) stmt->mode);
    ngx_hyperdrive_base_chain_put_str(out, stmt->text, stmt->len);
    ngx_hyperdrive_base_chain_put_str(out, stmt->types, stmt->types_len);
}


static void
ngx_hyperdrive_pg_export_name(ngx_hyperdrive_state_name_t *name,
    ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_base_chain_put_str(out, name->name, name->len);
    ngx_hyperdrive_base_chain_put_u64(out, name->shape);
    ngx_hyperdrive_base_chain_put_u64(out, name->epoch);
    ngx_hyperdrive_pg_export_stmt(name->stmt, out);
}


void *
ngx_hyperdrive_pg_import(ngx_hyperdrive_proto_ctx_t *ctx, u_char *data,
    size_t len)
{
    u_char                      *p, *last;
    ngx_hyperdrive_pg_client_t  *client;

    client = ngx_hyperdrive_pg_client_create(ctx, 0, NULL);
    if (client == NULL) {
        return NULL;
    }

    last = data + len;

    p = ngx_hyperdrive_pg_export_read(client, data, last);

    if (p != last) {
        ngx_hyperdrive_pg_client_destroy(client);
        return NULL;
    }

    return client;
}


/* the position behind what was read, NULL if it is malformed */

static u_char *
ngx_hyperdrive_pg_export_read(ngx_hyperdrive_pg_client_t *client, u_char *p,
    u_char *last)
{
    uint32_t  version, flags, mode, left, n;

    p = ngx_hyperdrive_base_read_u32(p, last, &version);
    p = ngx_hyperdrive_base_read_u32(p, last, &flags);
    p = ngx_hyperdrive_base_read_u32(p, last, &mode);
    p = ngx_hyperdrive_base_read_u32(p, last, &left);

    if (p == NULL || version != NGX_HYPERDRIVE_PG_EXPORT_VERSION
        || (flags & ~(uint32_t) NGX_HYPERDRIVE_PG_EXPORT_ALL)
        || left > NGX_HYPERDRIVE_MAX_MESSAGE)
    {
        return NULL;
    }

    client->mode = mode;
    client->left = left;
    client->drop = (left != 0);
    client->skip = ((flags & NGX_HYPERDRIVE_PG_EXPORT_SKIP) != 0);
    client->untold = ((flags & NGX_HYPERDRIVE_PG_EXPORT_UNTOLD) != 0);
    client->moved = ((flags & NGX_HYPERDRIVE_PG_EXPORT_MOVED) != 0);
    client->failed = ((flags & NGX_HYPERDRIVE_PG_EXPORT_FAILED) != 0);
    client->bound = ((flags & NGX_HYPERDRIVE_PG_EXPORT_BOUND) != 0);

    if (flags & NGX_HYPERDRIVE_PG_EXPORT_TOLD) {
        p = ngx_hyperdrive_pg_export_read_status(&client->told, p, last);
    }

    if (flags & NGX_HYPERDRIVE_PG_EXPORT_BEFORE) {
        p = ngx_hyperdrive_pg_export_read_status(&client->before, p, last);
    }

    if (flags & NGX_HYPERDRIVE_PG_EXPORT_BEGIN) {
        p = ngx_hyperdrive_pg_export_read_stmt(client, p, last,
                                               &client->begin);
    }

    if (flags & NGX_HYPERDRIVE_PG_EXPORT_UNNAMED) {
        p = ngx_hyperdrive_pg_export_read_name(client, p, last, 1);
    }

    p = ngx_hyperdrive_base_read_u32(p, last, &n);

    while (p && n--) {
        p = ngx_hyperdrive_pg_export_read_name(client, p, last, 0);
    }

    return p;
}


static u_char *
ngx_hyperdrive_pg_export_read_status(ngx_hyperdrive_pg_status_t **status,
    u_char *p, u_char *last)
{
    ngx_str_t  value;

    p = ngx_hyperdrive_base_read_str(p, last, &value);

    if (p) {
        ngx_hyperdrive_pg_status_read(status, value.data, value.len);
    }

    return p;
}


/* with a reference */

static u_char *
ngx_hyperdrive_pg_export_read_stmt(ngx_hyperdrive_pg_client_t *client,
    u_char *p, u_char *last, ngx_hyperdrive_state_stmt_t **stmt)
{
    uint32_t   mode;
    ngx_str_t  text, types;

    p = ngx_hyperdrive_base_read_u32(p, last, &mode);
    p = ngx_hyperdrive_base_read_str(p, last, &text);
    p = ngx_hyperdrive_base_read_str(p, last, &types);

    if (p == NULL) {
        return NULL;
    }

    *stmt = ngx_hyperdrive_state_stmt_get(client->ctx->registry, &text, &types,
                                          mode);

    return *stmt ? p : NULL;
}


static u_char *
ngx_hyperdrive_pg_export_read_name(ngx_hyperdrive_pg_client_t *client,
    u_char *p, u_char *last, ngx_uint_t unnamed)
{
    uint64_t                      shape, epoch;
    ngx_str_t                     name;
    ngx_hyperdrive_state_stmt_t  *stmt;
    ngx_hyperdrive_state_name_t  *entry, *old;

    p = ngx_hyperdrive_base_read_str(p, last, &name);
    p = ngx_hyperdrive_base_read_u64(p, last, &shape);
    p = ngx_hyperdrive_base_read_u64(p, last, &epoch);

    if (p == NULL || name.len > NGX_HYPERDRIVE_MAX_NAME
        || (name.len == 0) != unnamed
        || ngx_hyperdrive_pg_client_find(client, &name))
    {
        return NULL;
    }

    p = ngx_hyperdrive_pg_export_read_stmt(client, p, last, &stmt);

    if (p == NULL) {
        return NULL;
    }

    entry = ngx_hyperdrive_pg_client_add(client, &name, stmt, &old);

    if (entry == NULL) {
        ngx_hyperdrive_state_stmt_unref(client->ctx->registry, stmt);
        return NULL;
    }

    entry->shape = shape;
    entry->epoch = epoch;

    return p;
}
