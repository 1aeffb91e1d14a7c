
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "mysql/ngx_hyperdrive_mysql_wire.h"
#include "mysql/ngx_hyperdrive_mysql_greeting.h"


/* what another worker is told of a connection, ahead of its statements */

typedef struct {
    uint32_t     status;
    uint32_t     multi;
    uint32_t     greeting;           /* bytes, behind the statements */
    uint32_t     n;
} ngx_hyperdrive_mysql_origin_pass_t;

typedef struct {
    uint64_t     id;
    uint64_t     handle;
} ngx_hyperdrive_mysql_origin_item_t;


static void ngx_hyperdrive_mysql_origin_disown(
    ngx_hyperdrive_mysql_origin_t *o);
static ngx_hyperdrive_mysql_reply_t *ngx_hyperdrive_mysql_origin_expect(
    ngx_hyperdrive_mysql_origin_t *o, ngx_hyperdrive_mysql_reply_e type);
static ngx_int_t ngx_hyperdrive_mysql_origin_command(
    ngx_hyperdrive_mysql_origin_t *o, ngx_hyperdrive_mysql_com_e com,
    ngx_hyperdrive_chain_t *out);


void *
ngx_hyperdrive_mysql_origin_create(ngx_hyperdrive_proto_ctx_t *ctx)
{
    ngx_hyperdrive_mysql_origin_t  *o;

    o = calloc(1, sizeof(ngx_hyperdrive_mysql_origin_t));
    if (o == NULL) {
        return NULL;
    }

    o->ctx = ctx;
    o->status = NGX_HYPERDRIVE_MYSQL_AUTOCOMMIT;

    return o;
}


void
ngx_hyperdrive_mysql_origin_destroy(void *origin)
{
    ngx_uint_t                      i;
    ngx_hyperdrive_mysql_reply_t   *reply;
    ngx_hyperdrive_mysql_origin_t  *o = origin;

    for (i = 0; i < o->ledger.n; i++) {
        reply = ngx_hyperdrive_mysql_ledger_at(&o->ledger, i);

        if (reply->stmt) {
            ngx_hyperdrive_state_stmt_unref(o->ctx->registry, reply->stmt);
        }

        free(reply->args);
    }

    ngx_hyperdrive_mysql_ledger_free(&o->ledger);
    ngx_hyperdrive_state_set_clear(&o->set);
    ngx_hyperdrive_base_chain_clear(&o->scratch);
    ngx_hyperdrive_base_chain_clear(&o->kept);
    ngx_hyperdrive_base_chain_clear(&o->described);

    free(o->greeting.data);
    free(o);
}


void
ngx_hyperdrive_mysql_origin_said(void *origin, ngx_str_t *greeting)
{
    u_char                         *p;
    ngx_hyperdrive_mysql_origin_t  *o = origin;

    p = malloc(greeting->len + 1);
    if (p == NULL) {
        /* nobody will be given it */
        o->poisoned = 1;
        return;
    }

    free(o->greeting.data);

    o->greeting.data = p;
    o->greeting.len = greeting->len;
    ngx_memcpy(p, greeting->data, greeting->len);

    o->caps = ngx_hyperdrive_mysql_greeting_capabilities(greeting);
    o->mariadb = ngx_hyperdrive_mysql_greeting_mariadb(greeting);
    o->multi = ((o->caps & NGX_HYPERDRIVE_MYSQL_MULTI_STATEMENTS) != 0);
}


void
ngx_hyperdrive_mysql_origin_greeting(void *origin, ngx_str_t *greeting)
{
    ngx_hyperdrive_mysql_origin_t  *o = origin;

    *greeting = o->greeting;
}


ngx_uint_t
ngx_hyperdrive_mysql_origin_settled(void *origin)
{
    ngx_hyperdrive_mysql_origin_t  *o = origin;

    return o->ledger.n == 0 && o->left == 0 && !o->more && !o->ready
           && !o->partial && !o->hold && !o->copy_in;
}


ngx_uint_t
ngx_hyperdrive_mysql_origin_idle(void *origin)
{
    ngx_hyperdrive_mysql_origin_t  *o = origin;

    return ngx_hyperdrive_mysql_origin_settled(o) && !o->poisoned
           && !(o->status & NGX_HYPERDRIVE_MYSQL_IN_TRANSACTION)
           && !o->unsure && !o->failed && o->held == 0;
}


ngx_uint_t
ngx_hyperdrive_mysql_origin_owes(void *origin)
{
    ngx_uint_t                      i;
    ngx_hyperdrive_mysql_origin_t  *o = origin;

    for (i = 0; i < o->ledger.n; i++) {

        if (ngx_hyperdrive_mysql_ledger_at(&o->ledger, i)->action
            != NGX_HYPERDRIVE_MYSQL_OWN)
        {
            return 1;
        }
    }

    return o->left || o->more;
}


ngx_uint_t
ngx_hyperdrive_mysql_origin_copying(void *origin)
{
    ngx_hyperdrive_mysql_origin_t  *o = origin;

    /* the rest of a command goes where its beginning went */

    return o->copy_in || o->partial || o->dump;
}


ngx_int_t
ngx_hyperdrive_mysql_origin_abandon(void *client, void *origin,
    ngx_hyperdrive_chain_t *out)
{
    u_char                         *p;
    ngx_int_t                       rc;
    ngx_str_t                       text;
    ngx_queue_t                    *q;
    ngx_hyperdrive_state_item_t    *item;
    ngx_hyperdrive_mysql_reply_t   *reply;
    ngx_hyperdrive_mysql_origin_t  *o = origin;

    ngx_hyperdrive_mysql_origin_disown(o);

    if (o->poisoned || o->replica || o->partial) {
        return NGX_ERROR;
    }

    o->hold = 0;
    o->failed = 0;

    ngx_hyperdrive_base_chain_clear(&o->kept);

    if (o->copy_in) {

        /* an empty file */

        o->copy_in = 0;
        o->seq++;

        ngx_memzero(&o->infile, sizeof(ngx_hyperdrive_mysql_framer_t));

        p = ngx_hyperdrive_mysql_packet_begin(out, 0, &o->seq);
        o->seq--;

        if (p == NULL) {
            return NGX_ERROR;
        }
    }

    for (q = o->held ? ngx_queue_head(&o->set.lru) : NULL;
         o->held;
         q = ngx_queue_next(q))
    {
        item = ngx_queue_data(q, ngx_hyperdrive_state_item_t, lru);

        if (item->holder == 0) {
            continue;
        }

        ngx_hyperdrive_mysql_origin_let_go(o, item);

        reply = ngx_hyperdrive_mysql_origin_expect(o,
                                              NGX_HYPERDRIVE_MYSQL_REPLY_DONE);
        if (reply == NULL
            || ngx_hyperdrive_mysql_forward_number(out,
                                          NGX_HYPERDRIVE_MYSQL_COM_STMT_RESET,
                                          item->handle)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    rc = ngx_hyperdrive_mysql_origin_check(o, out);

    if (rc != NGX_DECLINED || o->ledger.n
        || !(o->status & NGX_HYPERDRIVE_MYSQL_IN_TRANSACTION))
    {
        return (rc == NGX_ERROR) ? NGX_ERROR : NGX_OK;
    }

    if (ngx_hyperdrive_mysql_origin_expect(o,
                                           NGX_HYPERDRIVE_MYSQL_REPLY_RESULTS)
        == NULL)
    {
        return NGX_ERROR;
    }

    ngx_str_set(&text, "ROLLBACK");
    ngx_hyperdrive_mysql_origin_text(o, &text, out);

    return out->failed ? NGX_ERROR : NGX_OK;
}


/* what is expected is nobody's any more */

static void
ngx_hyperdrive_mysql_origin_disown(ngx_hyperdrive_mysql_origin_t *o)
{
    ngx_uint_t                     i;
    ngx_hyperdrive_mysql_reply_t  *reply;

    for (i = 0; i < o->ledger.n; i++) {
        reply = ngx_hyperdrive_mysql_ledger_at(&o->ledger, i);

        if (reply->action == NGX_HYPERDRIVE_MYSQL_PASS) {
            reply->action = NGX_HYPERDRIVE_MYSQL_DROP;
        }

        if (reply->action == NGX_HYPERDRIVE_MYSQL_DROP) {
            reply->ready = 0;
        }

        if (reply->tag != NGX_HYPERDRIVE_PROTO_TAG_NAME) {
            reply->tag = 0;
        }

        reply->guard = 0;
        reply->tells = 0;
        reply->number = 0;
    }

    o->ready = 0;
    o->pass = 0;
}


ngx_int_t
ngx_hyperdrive_mysql_origin_ping(void *origin, ngx_uint_t tag,
    ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_mysql_reply_t   *reply;
    ngx_hyperdrive_mysql_origin_t  *o = origin;

    reply = ngx_hyperdrive_mysql_origin_expect(o,
                                              NGX_HYPERDRIVE_MYSQL_REPLY_DONE);
    if (reply == NULL) {
        return NGX_ERROR;
    }

    reply->tag = tag;
    reply->ready = 1;

    return ngx_hyperdrive_mysql_origin_command(o,
                                        NGX_HYPERDRIVE_MYSQL_COM_PING, out);
}


ngx_int_t
ngx_hyperdrive_mysql_origin_check(void *origin, ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_mysql_reply_t   *reply;
    ngx_hyperdrive_mysql_origin_t  *o = origin;

    if (!o->unsure || o->ledger.n) {
        return NGX_DECLINED;
    }

    o->unsure = 0;

    /* its answer says whether there is a transaction */

    reply = ngx_hyperdrive_mysql_origin_expect(o,
                                              NGX_HYPERDRIVE_MYSQL_REPLY_DONE);
    if (reply == NULL) {
        return NGX_ERROR;
    }

    reply->tells = 1;

    return ngx_hyperdrive_mysql_origin_command(o,
                                        NGX_HYPERDRIVE_MYSQL_COM_PING, out);
}


/* a request of our own that must not fail, whose answer is dropped */

static ngx_hyperdrive_mysql_reply_t *
ngx_hyperdrive_mysql_origin_expect(ngx_hyperdrive_mysql_origin_t *o,
    ngx_hyperdrive_mysql_reply_e type)
{
    ngx_hyperdrive_mysql_reply_t  *reply;

    reply = ngx_hyperdrive_mysql_ledger_push(&o->ledger);

    if (reply) {
        reply->type = type;
        reply->action = NGX_HYPERDRIVE_MYSQL_DROP;
        reply->must = 1;
    }

    return reply;
}


static ngx_int_t
ngx_hyperdrive_mysql_origin_command(ngx_hyperdrive_mysql_origin_t *o,
    ngx_hyperdrive_mysql_com_e com, ngx_hyperdrive_chain_t *out)
{
    u_char  *p, seq;

    seq = 0;

    p = ngx_hyperdrive_mysql_packet_begin(out, 1, &seq);
    if (p == NULL) {
        return NGX_ERROR;
    }

    *p = (u_char) com;

    return NGX_OK;
}


void
ngx_hyperdrive_mysql_origin_let_go(ngx_hyperdrive_mysql_origin_t *o,
    ngx_hyperdrive_state_item_t *item)
{
    item->holder = 0;
    item->cursor = 0;
    o->held--;
}


ngx_int_t
ngx_hyperdrive_mysql_origin_own(void *origin, ngx_str_t *text, ngx_uint_t tag,
    ngx_uint_t flags, ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_mysql_reply_t   *reply;
    ngx_hyperdrive_mysql_origin_t  *o = origin;

    reply = ngx_hyperdrive_mysql_origin_expect(o,
                                           NGX_HYPERDRIVE_MYSQL_REPLY_RESULTS);
    if (reply == NULL) {
        return NGX_ERROR;
    }

    /* what goes behind it at once may not find it undone */

    reply->must = ((flags & (NGX_HYPERDRIVE_PROTO_OWN_SYNC
                             | NGX_HYPERDRIVE_PROTO_OWN_ALONE))
                   == 0);
    reply->ready = ((flags & NGX_HYPERDRIVE_PROTO_OWN_SYNC) != 0);
    reply->tag = tag;

    if (text->len == 0) {

        /* to what it was after the log-in */

        reply->type = NGX_HYPERDRIVE_MYSQL_REPLY_DONE;
        reply->reset = 1;

        return ngx_hyperdrive_mysql_origin_command(o,
                             NGX_HYPERDRIVE_MYSQL_COM_RESET_CONNECTION, out);
    }

    ngx_hyperdrive_mysql_origin_text(o, text, out);

    return out->failed ? NGX_ERROR : NGX_OK;
}


/* takes with it what is prepared, temporary, locked, set */

ngx_int_t
ngx_hyperdrive_mysql_origin_reset(void *origin, ngx_uint_t all, int32_t seed,
    ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_mysql_reply_t   *reply;
    ngx_hyperdrive_mysql_origin_t  *o = origin;

    reply = ngx_hyperdrive_mysql_origin_expect(o,
                                              NGX_HYPERDRIVE_MYSQL_REPLY_DONE);
    if (reply == NULL) {
        return NGX_ERROR;
    }

    reply->reset = 1;

    return ngx_hyperdrive_mysql_origin_command(o,
                             NGX_HYPERDRIVE_MYSQL_COM_RESET_CONNECTION, out);
}


size_t
ngx_hyperdrive_mysql_origin_export(void *origin, u_char *buf, size_t size)
{
    u_char                               *p;
    size_t                                len;
    ngx_queue_t                          *q;
    ngx_hyperdrive_state_item_t          *item;
    ngx_hyperdrive_mysql_origin_t        *o = origin;
    ngx_hyperdrive_mysql_origin_pass_t    pass;
    ngx_hyperdrive_mysql_origin_item_t    one;

    pass.status = o->status;
    pass.multi = o->multi;
    pass.greeting = o->greeting.len;
    pass.n = o->set.n;

    len = sizeof(pass) + pass.n * sizeof(one) + pass.greeting;

    if (len > size) {
        return 0;
    }

    p = ngx_cpymem(buf, &pass, sizeof(pass));

    if (pass.n) {

        for (q = ngx_queue_head(&o->set.lru);
             q != ngx_queue_sentinel(&o->set.lru);
             q = ngx_queue_next(q))
        {
            item = ngx_queue_data(q, ngx_hyperdrive_state_item_t, lru);

            one.id = item->id;
            one.handle = item->handle;
            p = ngx_cpymem(p, &one, sizeof(one));
        }
    }

    ngx_memcpy(p, o->greeting.data, o->greeting.len);

    return len;
}


ngx_int_t
ngx_hyperdrive_mysql_origin_import(void *origin, u_char *buf, size_t len)
{
    ngx_str_t                             greeting;
    ngx_uint_t                            i;
    ngx_hyperdrive_state_item_t          *item;
    ngx_hyperdrive_mysql_origin_t        *o = origin;
    ngx_hyperdrive_mysql_origin_pass_t    pass;
    ngx_hyperdrive_mysql_origin_item_t    one;

    if (len < sizeof(pass)) {
        return NGX_ERROR;
    }

    ngx_memcpy(&pass, buf, sizeof(pass));

    buf += sizeof(pass);
    len -= sizeof(pass);

    if (pass.n > len / sizeof(one)
        || pass.greeting != len - pass.n * sizeof(one))
    {
        return NGX_ERROR;
    }

    greeting.data = buf + pass.n * sizeof(one);
    greeting.len = pass.greeting;

    ngx_hyperdrive_mysql_origin_said(o, &greeting);

    o->status = pass.status;
    o->multi = pass.multi;

    for (i = pass.n; i > 0; i--) {
        ngx_memcpy(&one, buf + (i - 1) * sizeof(one), sizeof(one));

        item = ngx_hyperdrive_state_set_add(&o->set, one.id);
        if (item == NULL) {
            return NGX_ERROR;
        }

        item->handle = one.handle;
    }

    return NGX_OK;
}


void
ngx_hyperdrive_mysql_origin_text(ngx_hyperdrive_mysql_origin_t *o,
    ngx_str_t *text, ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_mysql_query(text, o->caps, out);
}


void
ngx_hyperdrive_mysql_origin_terminate(ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_base_chain_append(out, "\1\0\0\0\1", 5);
}
