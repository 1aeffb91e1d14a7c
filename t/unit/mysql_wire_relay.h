
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * What a session and a pool of one connection do with the protocol, between a
 * client and a model server: as pg_wire_relay.h.
 */


#ifndef _MYSQL_WIRE_RELAY_H_INCLUDED_
#define _MYSQL_WIRE_RELAY_H_INCLUDED_


#include "mysql_wire_server.h"
#include "mysql/ngx_hyperdrive_mysql_wire.h"
#include "mysql/ngx_hyperdrive_mysql_greeting.h"


typedef struct {
    ngx_hyperdrive_proto_ctx_t     ctx;
    ngx_hyperdrive_proto_unit_t    unit;
    ngx_hyperdrive_proto_error_t   err;

    void                          *client;     /* NULL: nobody */
    void                          *origin;
    server_t                       server;

    bytes_t                        in;         /* of the client */
    bytes_t                        out;        /* for the server */
    bytes_t                        wire;       /* of the server */
    bytes_t                        got;        /* by the client */

    char                          *lost;       /* the connection is unusable */
    ngx_uint_t                     nready;     /* pieces of type READY */
    ngx_uint_t                     nfresh;     /* connections made */
    ngx_uint_t                     runs;       /* statements told of */
    ngx_uint_t                     nown;       /* pieces of our own request */

    ngx_uint_t                     own;        /* ask for something ourselves
                                                  ahead of the first unit */
    uint64_t                       epoch;      /* of the catalog: one each */
    ngx_uint_t                     nprepared;  /* statements, without the
                                                  server */
    uint64_t                       caps;       /* of connections */
    ngx_uint_t                     mariadb;

    unsigned                       attached:1;
    unsigned                       pinned:1;   /* ...up to the end */
    unsigned                       streaming:1;
    unsigned                       failed:1;   /* the client is closed: err */
    unsigned                       left:1;     /* it has said good-bye */
} relay_t;


#define RELAY_TAG  7


static uint64_t  relay_last_id;
static uint64_t  relay_last_epoch;


static ngx_inline uint64_t
relay_next_id(void)
{
    return ++relay_last_id;
}


static ngx_inline ngx_uint_t
relay_clock_text(u_char *data, size_t len)
{
    return 0;
}


/* for the registry: the model's words */

static ngx_inline void
relay_classify(ngx_str_t *text, ngx_uint_t mode,
    ngx_hyperdrive_state_plan_t *plan)
{
    ngx_memzero(plan, sizeof(ngx_hyperdrive_state_plan_t));

    plan->read = (text->len >= 6
                  && ngx_memcmp(text->data, "SELECT", 6) == 0
                  && memchr(text->data, ';', text->len) == NULL);
    plan->plain = plan->read;
    plan->reason = plan->read ? 0 : 1;
}


static ngx_inline void
relay_fresh(relay_t *r)
{
    ngx_str_t                        s;
    ngx_hyperdrive_chain_t           text;
    ngx_hyperdrive_mysql_greeting_t  greeting;

    if (r->origin) {
        ngx_hyperdrive_mysql_origin_destroy(r->origin);
        server_free(&r->server);
    }

    server_init(&r->server, r->caps, r->mariadb);
    r->origin = ngx_hyperdrive_mysql_origin_create(&r->ctx);

    ngx_memzero(&text, sizeof(ngx_hyperdrive_chain_t));
    ngx_memzero(&greeting, sizeof(ngx_hyperdrive_mysql_greeting_t));

    ngx_str_set(&greeting.version, "8.4.3");

    greeting.capabilities = r->caps;
    greeting.offered = r->caps
                       | (r->mariadb ? 0 : NGX_HYPERDRIVE_MYSQL_LONG_PASSWORD);

    ngx_hyperdrive_mysql_greeting_write(&greeting, &text);

    s.data = text.head->pos;
    s.len = text.size;

    ngx_hyperdrive_mysql_origin_said(r->origin, &s);
    ngx_hyperdrive_base_chain_clear(&text);

    r->out.len = 0;
    r->wire.len = 0;
    r->attached = 0;
    r->pinned = 0;
    r->nfresh++;
}


static ngx_inline void
relay_init(relay_t *r, ngx_hyperdrive_state_registry_t *registry,
    ngx_uint_t statements, uint64_t caps, ngx_uint_t mariadb)
{
    ngx_memzero(r, sizeof(relay_t));

    r->ctx.registry = registry;
    r->ctx.next_id = relay_next_id;
    r->ctx.clock_text = relay_clock_text;
    r->ctx.statements = statements;
    r->epoch = ++relay_last_epoch;
    r->caps = caps;
    r->mariadb = mariadb;

    relay_fresh(r);
}


static ngx_inline void
relay_connect(relay_t *r, uint64_t caps)
{
    ngx_hyperdrive_proto_login_t  *login;

    login = calloc(1, sizeof(ngx_hyperdrive_proto_login_t));
    login->capabilities = caps;

    r->client = ngx_hyperdrive_mysql_client_create(&r->ctx, 0, login);
    free(login);

    ((ngx_hyperdrive_mysql_client_t *) r->client)->direct = r->mariadb;

    r->in.len = 0;
    r->got.len = 0;
    r->nready = 0;
    r->nown = 0;
    r->lost = NULL;
    r->streaming = 0;
    r->failed = 0;
    r->left = 0;
}


static ngx_inline u_char *
relay_exact(bytes_t *b)
{
    u_char  *p;

    p = malloc(b->len ? b->len : 1);

    if (b->len) {
        ngx_memcpy(p, b->data, b->len);
    }

    return p;
}


static ngx_inline void
relay_ran(void *data, ngx_hyperdrive_proto_run_t *run)
{
    relay_t  *r = data;

    r->runs++;

    if (run->replication) {
        r->pinned = 1;
    }
}


static ngx_inline void
relay_own(relay_t *r)
{
    ngx_str_t               text;
    ngx_hyperdrive_chain_t  out;

    if (!r->own) {
        return;
    }

    ngx_memzero(&out, sizeof(ngx_hyperdrive_chain_t));
    ngx_str_set(&text, "SELECT2 own");

    if (ngx_hyperdrive_mysql_origin_own(r->origin, &text, RELAY_TAG,
                                        NGX_HYPERDRIVE_PROTO_OWN_SYNC, &out)
        != NGX_OK)
    {
        abort();
    }

    bytes_chain(&r->out, &out);
}


/* as a session: NGX_OK: go on; NGX_BUSY: later; NGX_ERROR: closed */

static ngx_inline ngx_int_t
relay_forward(relay_t *r, u_char **pos)
{
    u_char                  *end;
    ngx_int_t                rc;
    ngx_hyperdrive_chain_t   out, reply;

    ngx_memzero(&out, sizeof(ngx_hyperdrive_chain_t));
    ngx_memzero(&reply, sizeof(ngx_hyperdrive_chain_t));

    end = *pos + r->unit.len;

    rc = ngx_hyperdrive_mysql_forward(r->client, r->origin, pos, end, &out,
                                      &reply, relay_ran, r, &r->err);
    if (*pos > end) {
        abort();
    }

    bytes_chain(&r->out, &out);
    bytes_chain(&r->got, &reply);

    if (rc == NGX_ERROR) {
        r->failed = 1;
        return NGX_ERROR;
    }

    if (rc == NGX_OK) {
        r->streaming = 0;

    } else {
        r->streaming = (rc == NGX_BUSY || *pos != end);
    }

    return (rc == NGX_BUSY || (rc == NGX_AGAIN && r->streaming)) ? NGX_BUSY
                                                                 : NGX_OK;
}


/* 1: it is answered */

static ngx_inline ngx_uint_t
relay_prepared(relay_t *r, u_char *pos)
{
    ngx_int_t               rc;
    ngx_hyperdrive_chain_t  reply;

    if (!r->unit.prepare || r->streaming) {
        return 0;
    }

    ngx_memzero(&reply, sizeof(ngx_hyperdrive_chain_t));

    rc = ngx_hyperdrive_mysql_prepared(r->client, &r->unit, pos,
                             r->attached ? NGX_HYPERDRIVE_STATE_CHANGING
                                         : r->epoch,
                             r->attached ? NULL : &reply);

    r->nprepared += (rc == NGX_OK);
    bytes_chain(&r->got, &reply);

    return rc == NGX_OK;
}


/* what a client asks is the same if it is asked on its behalf */

static void
relay_question(relay_t *r)
{
    u_char                         *pos, *last, *args;
    size_t                          len;
    ngx_int_t                       rc;
    ngx_uint_t                      text;
    ngx_hyperdrive_chain_t          out;
    ngx_hyperdrive_proto_unit_t     unit, *asked;
    ngx_hyperdrive_proto_error_t    err;
    ngx_hyperdrive_mysql_client_t  *client;

    asked = &r->unit;

    if (asked->stmt == NULL || asked->local || asked->formats.len == 0
        || asked->args.data == NULL)
    {
        return;
    }

    /* it is where others are put as well */

    len = asked->args.len;
    args = malloc(len + 1);

    client = ngx_hyperdrive_mysql_client_create(&r->ctx, asked->stmt->mode,
                                                NULL);
    if (args == NULL || client == NULL) {
        abort();
    }

    ngx_memcpy(args, asked->args.data, len);

    text = (asked->formats.data[0] == 't');

    if (asked->attributes.len) {
        ngx_hyperdrive_mysql_question_attributes(client);
    }

    ngx_memzero(&out, sizeof(ngx_hyperdrive_chain_t));

    ngx_hyperdrive_mysql_question(r->client, asked, &out);

    if (out.failed || out.head != out.tail) {
        abort();
    }

    pos = out.head->pos;
    last = pos + out.size;

    rc = ngx_hyperdrive_mysql_client_request(client, pos, last, &unit, &err);

    if (rc == NGX_OK && !text) {
        pos += unit.len;

        client->last = 1;

        (void) ngx_hyperdrive_mysql_names_add(&client->names, client->last,
                                              asked->stmt, asked->nparams);

        rc = ngx_hyperdrive_mysql_client_request(client, pos, last, &unit,
                                                 &err);
    }

    if (rc != NGX_OK || pos + unit.len != last || unit.local
        || unit.formats.len == 0 || unit.args.len != len
        || ngx_memcmp(unit.args.data, args, len) != 0
        || (unit.attributes.len == 0) != (asked->attributes.len == 0)
        || (text
            && (unit.attributes.len != asked->attributes.len
                || ngx_memcmp(unit.attributes.data, asked->attributes.data,
                              unit.attributes.len)
                   != 0)))
    {
        fprintf(stderr, "asked on a client's behalf it is another question\n");
        abort();
    }

    ngx_hyperdrive_base_chain_clear(&out);
    ngx_hyperdrive_mysql_client_destroy(client);

    free(args);
}


static void
relay_process(relay_t *r)
{
    u_char                  *copy, *pos;
    size_t                   len;
    ngx_int_t                rc;
    ngx_hyperdrive_chain_t   reply;

    rc = NGX_OK;

    while (rc == NGX_OK && r->in.len && !r->failed && !r->left) {

        copy = relay_exact(&r->in);
        pos = copy;
        len = r->in.len;

        if (r->attached
            && (r->streaming
                || ngx_hyperdrive_mysql_origin_copying(r->origin)
                || ngx_hyperdrive_mysql_client_data(r->client, pos)))
        {
            r->unit.len = len;
            rc = relay_forward(r, &pos);
            goto next;
        }

        rc = ngx_hyperdrive_mysql_client_request(r->client, pos, pos + len,
                                                 &r->unit, &r->err);
        if (rc == NGX_AGAIN) {
            goto next;
        }

        if (rc == NGX_DONE || rc == NGX_DECLINED) {

            /* it leaves, or logs in anew: no longer the wire's */

            r->left = 1;
            goto next;
        }

        if (rc == NGX_ERROR) {
            r->failed = 1;
            goto next;
        }

        if (rc == NGX_BUSY) {
            r->streaming = 1;
            r->unit.len = len;
        }

        if (r->unit.len > len) {
            abort();
        }

        if (rc == NGX_OK) {
            relay_question(r);
        }

        if (r->unit.requests == 0 && !r->streaming) {
            pos += r->unit.len;
            rc = NGX_OK;
            goto next;
        }

        if (relay_prepared(r, pos)) {
            pos += r->unit.len;
            rc = NGX_OK;
            goto next;
        }

        if (!r->attached && r->unit.local) {
            ngx_memzero(&reply, sizeof(ngx_hyperdrive_chain_t));
            ngx_hyperdrive_mysql_client_refuse(r->client, &r->unit, NULL,
                                               &reply);
            bytes_chain(&r->got, &reply);
            pos += r->unit.len;
            rc = NGX_OK;
            goto next;
        }

        if (!r->attached) {
            r->attached = 1;
            relay_own(r);
        }

        rc = relay_forward(r, &pos);

    next:

        bytes_drop(&r->in, pos - copy);
        free(copy);
    }
}


static ngx_inline void
relay_settle(relay_t *r)
{
    ngx_hyperdrive_chain_t  out;

    if (!r->attached || r->pinned || r->wire.len || r->streaming
        || !ngx_hyperdrive_mysql_origin_settled(r->origin))
    {
        return;
    }

    ngx_memzero(&out, sizeof(ngx_hyperdrive_chain_t));

    if (ngx_hyperdrive_mysql_origin_check(r->origin, &out) == NGX_OK) {
        bytes_chain(&r->out, &out);
        return;
    }

    if (!ngx_hyperdrive_mysql_origin_idle(r->origin)) {
        return;
    }

    if (ngx_hyperdrive_mysql_origin_abandon(r->client, r->origin, &out)
        != NGX_OK
        || out.size || r->server.out.len)
    {
        abort();
    }

    r->attached = 0;
    r->pinned = 0;
}


/* answers are taken as far as they have come */

static ngx_inline void
relay_answers(relay_t *r)
{
    u_char                        *copy, *pos;
    ngx_int_t                      rc;
    ngx_hyperdrive_chain_t         reply;
    ngx_hyperdrive_proto_piece_t   piece;

    copy = relay_exact(&r->wire);
    pos = copy;

    do {
        ngx_memzero(&reply, sizeof(ngx_hyperdrive_chain_t));

        rc = ngx_hyperdrive_mysql_answer(r->client, r->origin, &pos,
                                         copy + r->wire.len, 1, &reply,
                                         &piece);
        if (rc == NGX_OK) {

            if (piece.refused) {
                r->pinned = 0;
            }

            if (piece.changed) {
                r->epoch = ++relay_last_epoch;
            }

            if (piece.tag == RELAY_TAG) {
                r->nown++;

                if (!piece.own) {
                    abort();
                }

            } else if (r->client) {
                bytes_add(&r->got, piece.data, piece.len);
                r->nready += (piece.type == NGX_HYPERDRIVE_PROTO_READY);
            }

        } else if (rc == NGX_ERROR) {
            r->lost = (char *) piece.data;
            r->failed = 1;
        }

        bytes_chain(&r->got, &reply);

    } while (rc == NGX_OK);

    bytes_drop(&r->wire, pos - copy);
    free(copy);
}


/* as far as it goes without the server */

static ngx_inline void
relay_go_on(relay_t *r)
{
    size_t  left;

    do {
        left = r->in.len;
        relay_process(r);

        if (r->attached) {
            relay_answers(r);
            relay_settle(r);
        }

    } while (r->in.len != left);
}


/* <n> bytes of the client's */

static ngx_inline void
relay_client(relay_t *r, const void *data, size_t n)
{
    bytes_add(&r->in, data, n);
    relay_go_on(r);
}


/* <n> bytes to the server */

static ngx_inline ngx_uint_t
relay_send(relay_t *r, size_t n)
{
    u_char  *copy;

    n = ngx_min(n, r->out.len);

    if (n == 0) {
        return 0;
    }

    copy = relay_exact(&r->out);
    server_feed(&r->server, copy, n);
    free(copy);

    bytes_drop(&r->out, n);

    return 1;
}


/* <n> bytes of the server's */

static ngx_inline ngx_uint_t
relay_receive(relay_t *r, size_t n)
{
    n = ngx_min(n, r->server.out.len);

    if (n == 0) {
        return 0;
    }

    bytes_add(&r->wire, r->server.out.data, n);
    bytes_drop(&r->server.out, n);

    relay_answers(r);

    if (r->client) {
        relay_settle(r);
        relay_go_on(r);
    }

    return 1;
}


static ngx_inline void
relay_run(relay_t *r)
{
    ngx_uint_t  moved;

    do {
        moved = relay_send(r, (size_t) -1);
        moved |= relay_receive(r, (size_t) -1);

    } while (moved && !r->failed);
}


/*
 * The client leaves.  NGX_OK: the connection is clean; NGX_ERROR: it was
 * closed; NGX_ABORT: it does not come to rest.
 */

static ngx_inline ngx_int_t
relay_leave(relay_t *r)
{
    ngx_int_t               rc;
    ngx_uint_t              i;
    ngx_hyperdrive_chain_t  out;

    rc = NGX_OK;

    for (i = 0; r->attached; i++) {

        ngx_memzero(&out, sizeof(ngx_hyperdrive_chain_t));

        rc = r->lost ? NGX_ERROR
                     : ngx_hyperdrive_mysql_origin_abandon(r->client,
                                                           r->origin, &out);
        bytes_chain(&r->out, &out);

        if (r->client) {
            ngx_hyperdrive_mysql_client_destroy(r->client);
            r->client = NULL;
        }

        if (rc != NGX_OK) {
            break;
        }

        do {
            relay_answers(r);
        } while (relay_send(r, (size_t) -1)
                 | relay_receive(r, (size_t) -1));

        if (r->lost || i == 10) {
            rc = r->lost ? NGX_ERROR : NGX_ABORT;
            break;
        }

        if (ngx_hyperdrive_mysql_origin_idle(r->origin)) {
            break;
        }
    }

    if (r->client) {
        ngx_hyperdrive_mysql_client_destroy(r->client);
        r->client = NULL;
    }

    r->attached = 0;
    r->pinned = 0;

    if (rc != NGX_OK) {
        relay_fresh(r);
    }

    return rc;
}


static ngx_inline void
relay_free(relay_t *r)
{
    ngx_hyperdrive_mysql_origin_destroy(r->origin);

    if (r->client) {
        ngx_hyperdrive_mysql_client_destroy(r->client);
    }

    server_free(&r->server);
    bytes_free(&r->in);
    bytes_free(&r->out);
    bytes_free(&r->wire);
    bytes_free(&r->got);
}


#endif /* _MYSQL_WIRE_RELAY_H_INCLUDED_ */
