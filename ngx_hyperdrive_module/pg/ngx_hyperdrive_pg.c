
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "pg/ngx_hyperdrive_pg.h"
#include "pg/ngx_hyperdrive_pg_message.h"
#include "base/ngx_hyperdrive_base_cursor.h"


static void ngx_hyperdrive_pg_error_own(void *client,
    ngx_hyperdrive_proto_login_t *login, ngx_hyperdrive_proto_error_t *err,
    ngx_hyperdrive_chain_t *out);
static void *ngx_hyperdrive_pg_origin_create(ngx_hyperdrive_proto_ctx_t *ctx);
static void ngx_hyperdrive_pg_origin_destroy(void *origin);
static ngx_uint_t ngx_hyperdrive_pg_origin_settled(void *origin);
static ngx_uint_t ngx_hyperdrive_pg_origin_idle(void *origin);
static ngx_uint_t ngx_hyperdrive_pg_origin_owes(void *origin);
static ngx_int_t ngx_hyperdrive_pg_origin_check(void *origin,
    ngx_hyperdrive_chain_t *out);
static ngx_uint_t ngx_hyperdrive_pg_origin_copying(void *origin);
static ngx_int_t ngx_hyperdrive_pg_origin_abandon(void *client, void *origin,
    ngx_hyperdrive_chain_t *out);
static ngx_int_t ngx_hyperdrive_pg_origin_roll_back(
    ngx_hyperdrive_pg_origin_t *o, ngx_hyperdrive_chain_t *out);
static void ngx_hyperdrive_pg_origin_disown(ngx_hyperdrive_pg_origin_t *o);
static ngx_int_t ngx_hyperdrive_pg_origin_ask(ngx_hyperdrive_pg_origin_t *o,
    ngx_hyperdrive_pg_reply_e type, ngx_hyperdrive_chain_t *out,
    const char *message, size_t len);
static size_t ngx_hyperdrive_pg_origin_export(void *origin, u_char *buf,
    size_t size);
static ngx_int_t ngx_hyperdrive_pg_origin_import(void *origin, u_char *buf,
    size_t len);
static void ngx_hyperdrive_pg_query(ngx_str_t *text,
    ngx_hyperdrive_proto_unit_t *unit, ngx_hyperdrive_chain_t *out);
static void ngx_hyperdrive_pg_origin_terminate(ngx_hyperdrive_chain_t *out);
static void ngx_hyperdrive_pg_origin_cancel(uint32_t pid, ngx_str_t *key,
    ngx_hyperdrive_chain_t *out);


ngx_hyperdrive_proto_t  ngx_hyperdrive_pg_proto = {
    ngx_string("postgres"),
    5432,
    0,
    1,
    0,

    NULL,
    ngx_hyperdrive_pg_login_client,
    ngx_hyperdrive_pg_login_client_free,
    NULL,
    ngx_hyperdrive_pg_login_welcome,
    ngx_hyperdrive_pg_login_origin,
    ngx_hyperdrive_pg_login_origin_free,
    ngx_hyperdrive_pg_login_keys_free,
    ngx_hyperdrive_pg_login_is_verifier,
    ngx_hyperdrive_pg_login_secret_wrong,
    ngx_hyperdrive_pg_login_verifier,
    ngx_hyperdrive_pg_lookup_request,
    ngx_hyperdrive_pg_lookup_row,
    ngx_hyperdrive_pg_login_mode,
    NULL,

    ngx_hyperdrive_pg_client_create,
    ngx_hyperdrive_pg_client_destroy,
    ngx_hyperdrive_pg_export,
    ngx_hyperdrive_pg_import,
    NULL,
    ngx_hyperdrive_pg_status_told,
    ngx_hyperdrive_pg_status_hold,
    ngx_hyperdrive_pg_client_request,
    ngx_hyperdrive_pg_client_data,
    ngx_hyperdrive_pg_client_serve_begin,
    ngx_hyperdrive_pg_client_serve_rows,
    ngx_hyperdrive_pg_client_serve_end,
    NULL,
    NULL,
    NULL,
    ngx_hyperdrive_pg_block_begin,
    ngx_hyperdrive_pg_block_end,
    NULL,
    ngx_hyperdrive_pg_prepared,
    ngx_hyperdrive_pg_client_refuse,
    ngx_hyperdrive_pg_client_describe,
    ngx_hyperdrive_pg_params,
    ngx_hyperdrive_pg_shape,
    ngx_hyperdrive_pg_question,
    NULL,
    ngx_hyperdrive_pg_digest,
    ngx_hyperdrive_pg_error_own,

    ngx_hyperdrive_pg_origin_create,
    ngx_hyperdrive_pg_origin_destroy,
    ngx_hyperdrive_pg_status_said,
    ngx_hyperdrive_pg_status_greeting,
    ngx_hyperdrive_pg_forward,
    ngx_hyperdrive_pg_answer,
    ngx_hyperdrive_pg_own,
    ngx_hyperdrive_pg_repeat,
    ngx_hyperdrive_pg_probe,
    ngx_hyperdrive_pg_probe_row,
    ngx_hyperdrive_pg_ping,
    ngx_hyperdrive_pg_reset,
    ngx_hyperdrive_pg_own_error,
    ngx_hyperdrive_pg_origin_settled,
    ngx_hyperdrive_pg_origin_idle,
    ngx_hyperdrive_pg_origin_owes,
    ngx_hyperdrive_pg_origin_check,
    ngx_hyperdrive_pg_origin_copying,
    ngx_hyperdrive_pg_origin_abandon,
    ngx_hyperdrive_pg_origin_export,
    ngx_hyperdrive_pg_origin_import,
    ngx_hyperdrive_pg_query,
    ngx_hyperdrive_pg_origin_terminate,
    ngx_hyperdrive_pg_origin_cancel,
    NULL,

    ngx_hyperdrive_pg_left_name,
    ngx_hyperdrive_pg_left_text,
    ngx_hyperdrive_pg_left_end,
    1,

    ngx_hyperdrive_pg_row,

    ngx_hyperdrive_pg_position_role,
    ngx_hyperdrive_pg_position_unlike,
    ngx_hyperdrive_pg_position_text,
    ngx_hyperdrive_pg_position_row,
    ngx_hyperdrive_pg_position_has,
    ngx_hyperdrive_pg_position_other
};


static void
ngx_hyperdrive_pg_error_own(void *client, ngx_hyperdrive_proto_login_t *login,
    ngx_hyperdrive_proto_error_t *err, ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_pg_error(out, err->severity, err->sqlstate, err->message,
                            NULL, err->hint);
}


static void *
ngx_hyperdrive_pg_origin_create(ngx_hyperdrive_proto_ctx_t *ctx)
{
    ngx_hyperdrive_pg_origin_t  *o;

    o = calloc(1, sizeof(ngx_hyperdrive_pg_origin_t));
    if (o == NULL) {
        return NULL;
    }

    o->ctx = ctx;
    o->status = 'I';

    return o;
}


static void
ngx_hyperdrive_pg_origin_destroy(void *origin)
{
    ngx_uint_t                   i;
    ngx_hyperdrive_pg_reply_t   *reply;
    ngx_hyperdrive_pg_origin_t  *o = origin;

    ngx_hyperdrive_pg_origin_disown(o);

    for (i = 0; i < o->ledger.n; i++) {
        reply = ngx_hyperdrive_pg_ledger_at(&o->ledger, i);

        if (reply->stmt) {
            ngx_hyperdrive_state_stmt_unref(o->ctx->registry, reply->stmt);
        }

        free(reply->behind);
    }

    ngx_hyperdrive_pg_origin_unnamed(o, NULL);

    ngx_hyperdrive_pg_status_copy(&o->reported, NULL);
    ngx_hyperdrive_pg_ledger_free(&o->ledger);
    ngx_hyperdrive_state_set_clear(&o->set);

    free(o->params);
    free(o->kept);
    free(o->said);
    free(o);
}


static ngx_uint_t
ngx_hyperdrive_pg_origin_settled(void *origin)
{
    ngx_hyperdrive_pg_origin_t  *o = origin;

    return o->ledger.n == 0 && o->left == 0 && !o->partial && !o->open
           && !o->ignore && !o->hold && !o->trail;
}


static ngx_uint_t
ngx_hyperdrive_pg_origin_idle(void *origin)
{
    ngx_hyperdrive_pg_origin_t  *o = origin;

    return ngx_hyperdrive_pg_origin_settled(o) && o->status == 'I';
}


static ngx_uint_t
ngx_hyperdrive_pg_origin_owes(void *origin)
{
    ngx_hyperdrive_pg_origin_t  *o = origin;

    return o->ledger.n || o->left;
}


/* a ReadyForQuery says it all */

static ngx_int_t
ngx_hyperdrive_pg_origin_check(void *origin, ngx_hyperdrive_chain_t *out)
{
    return NGX_DECLINED;
}


static ngx_uint_t
ngx_hyperdrive_pg_origin_copying(void *origin)
{
    ngx_hyperdrive_pg_origin_t  *o = origin;

    /* the rest of a message goes where its beginning went */

    return o->copy_in || o->partial;
}


static ngx_int_t
ngx_hyperdrive_pg_origin_abandon(void *client, void *origin,
    ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_pg_client_t *c = client;
    ngx_hyperdrive_pg_origin_t *o = origin;

    ngx_hyperdrive_pg_origin_disown(o);

    if (o->poisoned || o->partial || (c && c->left && !c->drop)) {
        return NGX_ERROR;
    }

    o->hold = 0;
    o->prelude = 0;

    if (o->copy_in) {
        o->copy_in = 0;
        ngx_hyperdrive_pg_message(out, 'f', "client is gone",
                                  sizeof("client is gone"));
    }

    if (o->open || o->ignore) {

        /*
         * A Sync alone would commit what the client has not.  After an error
         * nothing is left to be committed, and the Query would be skipped.
         */

        if (o->open && !o->ignore
            && ngx_hyperdrive_pg_origin_roll_back(o, out) != NGX_OK)
        {
            return NGX_ERROR;
        }

        o->open = 0;
        o->ignore = 0;

        return ngx_hyperdrive_pg_origin_ask(o, NGX_HYPERDRIVE_PG_REPLY_SYNC,
                                            out, "S\0\0\0\4", 5);
    }

    if (o->ledger.n || o->status == 'I') {
        return NGX_OK;
    }

    return ngx_hyperdrive_pg_origin_roll_back(o, out);
}


static ngx_int_t
ngx_hyperdrive_pg_origin_roll_back(ngx_hyperdrive_pg_origin_t *o,
    ngx_hyperdrive_chain_t *out)
{
    /* a Query ends the unnamed statement */

    ngx_hyperdrive_pg_origin_unnamed(o, NULL);

    return ngx_hyperdrive_pg_origin_ask(o, NGX_HYPERDRIVE_PG_REPLY_QUERY, out,
                                        "Q\0\0\0\15ROLLBACK\0", 14);
}


void
ngx_hyperdrive_pg_origin_unnamed(ngx_hyperdrive_pg_origin_t *o,
    ngx_hyperdrive_state_stmt_t *stmt)
{
    ngx_hyperdrive_state_stmt_t  *old;

    /* the same one may come again: its reference is taken first */

    old = o->unnamed;
    o->unnamed = stmt ? ngx_hyperdrive_state_stmt_ref(stmt) : NULL;

    if (old) {
        ngx_hyperdrive_state_stmt_unref(o->ctx->registry, old);
    }
}


/* what is expected is nobody's any more */

static void
ngx_hyperdrive_pg_origin_disown(ngx_hyperdrive_pg_origin_t *o)
{
    ngx_uint_t                  i;
    ngx_hyperdrive_pg_reply_t  *reply;

    for (i = 0; i < o->ledger.n; i++) {
        reply = ngx_hyperdrive_pg_ledger_at(&o->ledger, i);

        if (reply->action == NGX_HYPERDRIVE_PG_PASS) {
            reply->action = NGX_HYPERDRIVE_PG_DROP;
        }

        if (reply->tag != NGX_HYPERDRIVE_PROTO_TAG_NAME) {
            reply->tag = 0;
        }

        reply->trail = 0;

        if (reply->drops) {
            ngx_hyperdrive_pg_portal_dropped(o->ctx, reply);
        }

        if (reply->old) {
            ngx_hyperdrive_pg_client_free_name(o->ctx, reply->old);
        }

        reply->name = NULL;
        reply->old = NULL;
        reply->label = NULL;
    }

    ngx_hyperdrive_pg_repeat_end(o);
}


/* a request of our own, whose answer is dropped */

static ngx_int_t
ngx_hyperdrive_pg_origin_ask(ngx_hyperdrive_pg_origin_t *o,
    ngx_hyperdrive_pg_reply_e type, ngx_hyperdrive_chain_t *out,
    const char *message, size_t len)
{
    ngx_hyperdrive_pg_reply_t  *reply;

    reply = ngx_hyperdrive_pg_ledger_push(&o->ledger);
    if (reply == NULL) {
        return NGX_ERROR;
    }

    reply->type = type;
    reply->action = NGX_HYPERDRIVE_PG_DROP;

    return ngx_hyperdrive_base_chain_append(out, message, len);
}


/*
 * The epoch, how many names are prepared, the names, last used first, and what
 * has been reported.
 */

static size_t
ngx_hyperdrive_pg_origin_export(void *origin, u_char *buf, size_t size)
{
    u_char                       *p;
    size_t                        len;
    uint64_t                      n;
    ngx_queue_t                  *q;
    ngx_hyperdrive_pg_origin_t   *o = origin;
    ngx_hyperdrive_state_item_t  *item;

    n = o->set.n;
    len = (2 + n) * sizeof(uint64_t) + (o->reported ? o->reported->len : 0);

    if (len > size) {
        return 0;
    }

    p = ngx_cpymem(buf, &o->epoch, sizeof(uint64_t));
    p = ngx_cpymem(p, &n, sizeof(uint64_t));

    if (n) {

        for (q = ngx_queue_head(&o->set.lru);
             q != ngx_queue_sentinel(&o->set.lru);
             q = ngx_queue_next(q))
        {
            item = ngx_queue_data(q, ngx_hyperdrive_state_item_t, lru);
            p = ngx_cpymem(p, &item->id, sizeof(uint64_t));
        }
    }

    if (o->reported) {
        ngx_memcpy(p, o->reported->data, o->reported->len);
    }

    return len;
}


static ngx_int_t
ngx_hyperdrive_pg_origin_import(void *origin, u_char *buf, size_t len)
{
    u_char                      *p;
    uint64_t                     id, n;
    ngx_hyperdrive_pg_origin_t  *o = origin;

    if (len < 2 * sizeof(uint64_t)) {
        return NGX_ERROR;
    }

    ngx_memcpy(&o->epoch, buf, sizeof(uint64_t));
    ngx_memcpy(&n, buf + sizeof(uint64_t), sizeof(uint64_t));

    p = buf + 2 * sizeof(uint64_t);
    len -= 2 * sizeof(uint64_t);

    if (n > len / sizeof(uint64_t)) {
        return NGX_ERROR;
    }

    if (len > n * sizeof(uint64_t)) {
        ngx_hyperdrive_pg_status_read(&o->reported, p + n * sizeof(uint64_t),
                                      len - n * sizeof(uint64_t));
    }

    /* there may be an unnamed statement, we do not know whose */
    o->unnamed_dirty = 1;

    while (n--) {
        ngx_memcpy(&id, p + n * sizeof(uint64_t), sizeof(uint64_t));

        if (ngx_hyperdrive_state_set_add(&o->set, id) == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static void
ngx_hyperdrive_pg_query(ngx_str_t *text, ngx_hyperdrive_proto_unit_t *unit,
    ngx_hyperdrive_chain_t *out)
{
    u_char  *p;

    p = ngx_hyperdrive_base_chain_reserve(out, NGX_HYPERDRIVE_PG_HEADER
                                               + text->len + 1);
    if (p) {
        *p++ = 'Q';
        p = ngx_hyperdrive_base_put_u32(p, 4 + text->len + 1);
        p = ngx_cpymem(p, text->data, text->len);
        *p = '\0';
    }
}


static void
ngx_hyperdrive_pg_origin_terminate(ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_base_chain_append(out, "X\0\0\0\4", 5);
}


/* 55.2.8 "Canceling Requests in Progress" */

static void
ngx_hyperdrive_pg_origin_cancel(uint32_t pid, ngx_str_t *key,
    ngx_hyperdrive_chain_t *out)
{
    u_char  *p;

    p = ngx_hyperdrive_base_chain_reserve(out, 12 + key->len);

    if (p) {
        p = ngx_hyperdrive_base_put_u32(p, 12 + key->len);
        p = ngx_hyperdrive_base_put_u32(p, NGX_HYPERDRIVE_PG_CANCEL_REQUEST);
        p = ngx_hyperdrive_base_put_u32(p, pid);
        ngx_memcpy(p, key->data, key->len);
    }
}
