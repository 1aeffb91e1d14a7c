
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "mysql/ngx_hyperdrive_mysql_wire.h"


/*
 * A client goes to another worker: what it believes, in a form that does not
 * depend on this process.
 */


#define NGX_HYPERDRIVE_MYSQL_EXPORT_VERSION  5

#define NGX_HYPERDRIVE_MYSQL_EXPORT_DIRECT   0x01
#define NGX_HYPERDRIVE_MYSQL_EXPORT_MULTI    0x02
#define NGX_HYPERDRIVE_MYSQL_EXPORT_TRACKS   0x04
#define NGX_HYPERDRIVE_MYSQL_EXPORT_HEARS    0x08


static void ngx_hyperdrive_mysql_export_name(ngx_hyperdrive_mysql_name_t *name,
    ngx_hyperdrive_chain_t *out);
static u_char *ngx_hyperdrive_mysql_export_head(
    ngx_hyperdrive_mysql_client_t *client, u_char *p, u_char *last,
    uint32_t *n);
static u_char *ngx_hyperdrive_mysql_export_read_name(
    ngx_hyperdrive_mysql_client_t *client, u_char *p, u_char *last);


ngx_int_t
ngx_hyperdrive_mysql_export(void *data, ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_mysql_client_t *client = data;

    ngx_uint_t                    i;
    ngx_hyperdrive_mysql_name_t  *name;

    if (!ngx_hyperdrive_mysql_framer_clear(&client->framer)) {

        /* an origin has the beginning of it */

        return NGX_DECLINED;
    }

    ngx_hyperdrive_base_chain_put_u32(out,
                                      NGX_HYPERDRIVE_MYSQL_EXPORT_VERSION);
    ngx_hyperdrive_base_chain_put_u32(out,
        (client->direct ? NGX_HYPERDRIVE_MYSQL_EXPORT_DIRECT : 0)
        | (client->multi ? NGX_HYPERDRIVE_MYSQL_EXPORT_MULTI : 0)
        | (client->tracks ? NGX_HYPERDRIVE_MYSQL_EXPORT_TRACKS : 0)
        | (client->hears ? NGX_HYPERDRIVE_MYSQL_EXPORT_HEARS : 0));
    ngx_hyperdrive_base_chain_put_u64(out, client->mode);
    ngx_hyperdrive_base_chain_put_u64(out, client->first_mode);
    ngx_hyperdrive_base_chain_put_u64(out, client->caps);
    ngx_hyperdrive_base_chain_put_u32(out, (uint32_t) client->status);
    ngx_hyperdrive_base_chain_put_u32(out, client->last);
    ngx_hyperdrive_base_chain_put_u32(out, client->names.last);
    ngx_hyperdrive_base_chain_put_u32(out, (uint32_t) client->names.n);
    ngx_hyperdrive_base_chain_put_str(out, client->scope.data,
                                      client->scope.len);
    ngx_hyperdrive_base_chain_put_str(out, client->begin ? client->begin->text
                                                         : NULL,
                                      client->begin ? client->begin->len : 0);

    for (i = 0; i < client->names.nbuckets; i++) {

        for (name = client->names.buckets[i]; name; name = name->next) {
            ngx_hyperdrive_mysql_export_name(name, out);
        }
    }

    return NGX_OK;
}


static void
ngx_hyperdrive_mysql_export_name(ngx_hyperdrive_mysql_name_t *name,
    ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_base_chain_put_u32(out, name->number);
    ngx_hyperdrive_base_chain_put_u32(out, (uint32_t) name->nparams);
    ngx_hyperdrive_base_chain_put_u32(out, name->lost);
    ngx_hyperdrive_base_chain_put_u64(out, name->stmt->mode);
    ngx_hyperdrive_base_chain_put_str(out, name->stmt->text, name->stmt->len);
    ngx_hyperdrive_base_chain_put_str(out, name->stmt->types,
                                      name->stmt->types_len);
    ngx_hyperdrive_base_chain_put_str(out, name->types,
                                      name->types ? 2 * name->nparams : 0);
    ngx_hyperdrive_base_chain_put_u32(out, (uint32_t) name->nnamed);
    ngx_hyperdrive_base_chain_put_str(out, name->named.data, name->named.len);
}


void *
ngx_hyperdrive_mysql_import(ngx_hyperdrive_proto_ctx_t *ctx, u_char *data,
    size_t len)
{
    u_char                         *p, *last;
    uint32_t                        n;
    ngx_hyperdrive_mysql_client_t  *client;

    client = ngx_hyperdrive_mysql_client_create(ctx, 0, NULL);
    if (client == NULL) {
        return NULL;
    }

    last = data + len;
    n = 0;

    p = ngx_hyperdrive_mysql_export_head(client, data, last, &n);

    while (p && n--) {
        p = ngx_hyperdrive_mysql_export_read_name(client, p, last);
    }

    if (p != last) {
        ngx_hyperdrive_mysql_client_destroy(client);
        return NULL;
    }

    return client;
}


/* the position behind what was read, NULL if it is malformed */

static u_char *
ngx_hyperdrive_mysql_export_head(ngx_hyperdrive_mysql_client_t *client,
    u_char *p, u_char *last, uint32_t *n)
{
    uint32_t   version, flags, status;
    uint64_t   mode, first_mode;
    ngx_str_t  scope, begin, none;

    p = ngx_hyperdrive_base_read_u32(p, last, &version);
    p = ngx_hyperdrive_base_read_u32(p, last, &flags);
    p = ngx_hyperdrive_base_read_u64(p, last, &mode);
    p = ngx_hyperdrive_base_read_u64(p, last, &first_mode);
    p = ngx_hyperdrive_base_read_u64(p, last, &client->caps);
    p = ngx_hyperdrive_base_read_u32(p, last, &status);
    p = ngx_hyperdrive_base_read_u32(p, last, &client->last);
    p = ngx_hyperdrive_base_read_u32(p, last, &client->names.last);
    p = ngx_hyperdrive_base_read_u32(p, last, n);
    p = ngx_hyperdrive_base_read_str(p, last, &scope);
    p = ngx_hyperdrive_base_read_str(p, last, &begin);

    if (p == NULL || version != NGX_HYPERDRIVE_MYSQL_EXPORT_VERSION
        || ngx_hyperdrive_mysql_client_scope(client, &scope) != NGX_OK)
    {
        return NULL;
    }

    client->mode = mode;
    client->first_mode = first_mode;

    if (begin.len) {
        ngx_str_set(&none, "");

        client->begin = ngx_hyperdrive_state_stmt_get(client->ctx->registry,
                                                      &begin, &none, mode);
        if (client->begin == NULL) {
            return NULL;
        }
    }

    client->status = status;
    client->direct = ((flags & NGX_HYPERDRIVE_MYSQL_EXPORT_DIRECT) != 0);
    client->multi = ((flags & NGX_HYPERDRIVE_MYSQL_EXPORT_MULTI) != 0);
    client->tracks = ((flags & NGX_HYPERDRIVE_MYSQL_EXPORT_TRACKS) != 0);
    client->hears = ((flags & NGX_HYPERDRIVE_MYSQL_EXPORT_HEARS) != 0);

    return p;
}


static u_char *
ngx_hyperdrive_mysql_export_read_name(ngx_hyperdrive_mysql_client_t *client,
    u_char *p, u_char *last)
{
    uint32_t                      number, nparams, lost, nnamed;
    uint64_t                      mode;
    ngx_str_t                     text, scope, types, named;
    ngx_hyperdrive_mysql_name_t  *name;
    ngx_hyperdrive_state_stmt_t  *stmt;

    p = ngx_hyperdrive_base_read_u32(p, last, &number);
    p = ngx_hyperdrive_base_read_u32(p, last, &nparams);
    p = ngx_hyperdrive_base_read_u32(p, last, &lost);
    p = ngx_hyperdrive_base_read_u64(p, last, &mode);
    p = ngx_hyperdrive_base_read_str(p, last, &text);
    p = ngx_hyperdrive_base_read_str(p, last, &scope);
    p = ngx_hyperdrive_base_read_str(p, last, &types);
    p = ngx_hyperdrive_base_read_u32(p, last, &nnamed);
    p = ngx_hyperdrive_base_read_str(p, last, &named);

    if (p == NULL || number == 0 || nparams > 0xffff
        || (types.len && types.len != 2 * nparams)
        || ngx_hyperdrive_mysql_names_find(&client->names, number))
    {
        return NULL;
    }

    stmt = ngx_hyperdrive_state_stmt_get(client->ctx->registry, &text, &scope,
                                         mode);
    if (stmt == NULL) {
        return NULL;
    }

    name = ngx_hyperdrive_mysql_names_add(&client->names, number, stmt,
                                          nparams);

    ngx_hyperdrive_state_stmt_unref(client->ctx->registry, stmt);

    if (name == NULL) {
        return NULL;
    }

    name->lost = (lost != 0);

    if (types.len) {
        name->types = malloc(types.len);

        if (name->types == NULL) {
            return NULL;
        }

        ngx_memcpy(name->types, types.data, types.len);
    }

    if (named.len) {
        name->named.data = malloc(named.len);

        if (name->named.data == NULL) {
            return NULL;
        }

        ngx_memcpy(name->named.data, named.data, named.len);

        name->named.len = named.len;
        name->nnamed = nnamed;
    }

    return p;
}
