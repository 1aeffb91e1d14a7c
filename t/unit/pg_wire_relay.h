
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * What a session and a pool of one connection do with the protocol table,
 * between a client and a model server: bytes wait in four places and are moved
 * by as many as the test says.  Bytes are handed to the protocol in memory of
 * just their size, so that ASan sees what is read behind them.
 */


#ifndef _PG_WIRE_RELAY_H_INCLUDED_
#define _PG_WIRE_RELAY_H_INCLUDED_


#include "pg_wire_server.h"
#include "pg/ngx_hyperdrive_pg.h"


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
    ngx_uint_t                     nrepeat;    /* requests read once more */
    ngx_uint_t                     runs;       /* statements told of */

    char                          *own;        /* said ahead of the first
                                                  unit, by us */
    ngx_uint_t                     own_flags;
    ngx_uint_t                     nown;       /* pieces that answer it */
    char                          *behind;     /* run by us behind INSERT and
                                                  NOTICE... */
    ngx_uint_t                     nbehind;    /* ...so often */
    ngx_uint_t                     apart;      /* ...and not in a text of one,
                                                  outside of a block */

    unsigned                       none:1;     /* no connection can be had */
    unsigned                       attached:1;
    unsigned                       streaming:1;
    unsigned                       pinned:1;
    unsigned                       failed:1;   /* the client is closed: err */
    unsigned                       fatal:1;    /* ...by the server's word */
    unsigned                       left:1;     /* it has said good-bye */
    unsigned                       copying:1;  /* NGX_ABORT: the server waits
                                                  for data */
} relay_t;


#define RELAY_TAG  7


static uint64_t  relay_last_id;


static void relay_process(relay_t *r);


static ngx_inline uint64_t
relay_next_id(void)
{
    return ++relay_last_id;
}


/* no parameter of these tests stands for a moment */

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
    char  *s;

    s = (char *) text->data;

    plan->read = server_is(s, "SELECT");
    plan->stateful = server_is(s, "SET");
    plan->transaction = server_is(s, "BEGIN") || server_exit(s);
    plan->deallocate = server_is(s, "DEALLOCATE ");
    plan->forgets = plan->deallocate;

    /* something may go behind it */
    plan->settings = server_is(s, "INSERT") || server_is(s, "NOTICE");

    if (memchr(s, ';', text->len)) {
        plan->read = 0;
        plan->transaction = 1;
        plan->stateful = strstr(s, "SET") != NULL;
    }

    plan->reason = plan->read ? 0 : 1;
}


static ngx_inline void
relay_fresh(relay_t *r)
{
    if (r->origin) {
        ngx_hyperdrive_pg_proto.origin_destroy(r->origin);
        server_free(&r->server);
    }

    server_init(&r->server);
    r->origin = ngx_hyperdrive_pg_proto.origin_create(&r->ctx);

    r->out.len = 0;
    r->wire.len = 0;
    r->attached = 0;
    r->nfresh++;
}


static ngx_inline void
relay_init(relay_t *r, ngx_hyperdrive_state_registry_t *registry,
    ngx_uint_t statements)
{
    ngx_memzero(r, sizeof(relay_t));

    r->ctx.registry = registry;
    r->ctx.next_id = relay_next_id;
    r->ctx.clock_text = relay_clock_text;
    r->ctx.statements = statements;

    relay_fresh(r);
}


static ngx_inline void
relay_connect(relay_t *r)
{
    r->client = ngx_hyperdrive_pg_proto.client_create(&r->ctx, 0, NULL);
    r->in.len = 0;
    r->got.len = 0;
    r->nready = 0;
    r->nown = 0;
    r->lost = NULL;
    r->streaming = 0;
    r->pinned = 0;
    r->failed = 0;
    r->fatal = 0;
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


/* what runs behind it */

static ngx_inline void
relay_behind(relay_t *r, ngx_hyperdrive_proto_run_t *run)
{
    char        *s, *end, *text;
    ngx_uint_t   n, i;

    static ngx_hyperdrive_proto_behind_t  list[8];

    text = (char *) run->stmt->text;
    n = 0;

    run->behind = list;
    run->tag = RELAY_TAG;
    run->apart = (r->apart && run->outside && strchr(text, ';') == NULL
                  && !((ngx_hyperdrive_pg_origin_t *) r->origin)->open);

    for (s = text, i = 0; s && n < 8; s = *end ? end + 1 : NULL, i++) {
        end = s + strcspn(s, ";");

        if (!server_is(s, "INSERT") && !server_is(s, "NOTICE")) {
            continue;
        }

        list[n].statement = i;
        list[n].at = end - text;
        list[n].text.data = (u_char *) r->behind;
        list[n].text.len = strlen(r->behind);
        n++;
    }

    run->nbehind = n;
    r->nbehind += n;
}


/* a statement will run */

static ngx_inline void
relay_ran(void *data, ngx_hyperdrive_proto_run_t *run)
{
    relay_t  *r = data;

    r->runs += !run->executed;

    if (r->behind && run->adds) {
        relay_behind(r, run);
    }

    if (run->stmt == NULL ? !run->named
                          : run->stmt->plan.stateful || run->prepares)
    {
        r->pinned = 1;
    }
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

    rc = ngx_hyperdrive_pg_proto.forward(r->client, r->origin, pos, end, &out,
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

    if (rc == NGX_OK || rc == NGX_DECLINED) {
        r->streaming = 0;

    } else {
        r->streaming = (rc == NGX_BUSY || *pos != end);
    }

    return (rc == NGX_BUSY || (rc == NGX_AGAIN && r->streaming)) ? NGX_BUSY
                                                                 : NGX_OK;
}


/* a request of our own, ahead of the client's */

static ngx_inline void
relay_own(relay_t *r)
{
    ngx_str_t               text;
    ngx_hyperdrive_chain_t  out;

    if (r->own == NULL) {
        return;
    }

    ngx_memzero(&out, sizeof(ngx_hyperdrive_chain_t));

    text.data = (u_char *) r->own;
    text.len = strlen(r->own);

    if (ngx_hyperdrive_pg_proto.origin_own(r->origin, &text, RELAY_TAG,
                                           r->own_flags, &out)
        != NGX_OK)
    {
        abort();
    }

    bytes_chain(&r->out, &out);
}


/* a block that the server has not heard of: answered without it? */

static ngx_uint_t
relay_block(relay_t *r)
{
    ngx_hyperdrive_proto_t        *proto;
    ngx_hyperdrive_chain_t         reply;
    ngx_hyperdrive_proto_error_t   err;

    proto = &ngx_hyperdrive_pg_proto;

    ngx_memzero(&reply, sizeof(ngx_hyperdrive_chain_t));

    err.severity = "ERROR";
    err.hint = NULL;

    if (r->unit.fatal) {
        r->failed = 1;

    } else if (r->unit.begin) {
        proto->block_begin(r->client, &r->unit, &reply);

    } else if (r->unit.end) {
        proto->block_end(r->client, &r->unit, &reply);

    } else if (r->unit.fails) {
        err.sqlstate = "25P02";
        err.message = "aborted";
        proto->refuse(r->client, &r->unit, &err, &reply);

    } else if (r->none) {
        err.sqlstate = "53300";
        err.message = "no connection";
        proto->refuse(r->client, &r->unit, &err, &reply);

    } else {
        return 0;
    }

    bytes_chain(&r->got, &reply);

    return 1;
}


static void
relay_process(relay_t *r)
{
    u_char                  *copy, *pos;
    size_t                   len;
    ngx_int_t                rc;
    ngx_hyperdrive_proto_t  *proto;
    ngx_hyperdrive_chain_t   reply;

    proto = &ngx_hyperdrive_pg_proto;
    rc = NGX_OK;

    while (rc == NGX_OK && r->in.len && !r->failed && !r->left) {

        copy = relay_exact(&r->in);
        pos = copy;
        len = r->in.len;

        if (r->attached
            && (r->streaming || proto->origin_copying(r->origin)
                || proto->client_data(r->client, pos)))
        {
            r->unit.len = len;
            rc = relay_forward(r, &pos);
            goto next;
        }

        rc = proto->client_request(r->client, pos, pos + len, &r->unit,
                                   &r->err);

        if (rc == NGX_AGAIN) {
            goto next;
        }

        if (rc == NGX_DONE) {
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

        if (r->unit.requests == 0 && !r->streaming) {
            pos += r->unit.len;
            rc = NGX_OK;
            goto next;
        }

        if (!r->attached && r->unit.local) {
            ngx_memzero(&reply, sizeof(ngx_hyperdrive_chain_t));
            proto->refuse(r->client, &r->unit, NULL, &reply);
            bytes_chain(&r->got, &reply);
            pos += r->unit.len;
            rc = NGX_OK;
            goto next;
        }

        if (!r->attached && relay_block(r)) {
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
    ngx_hyperdrive_proto_t  *proto;
    ngx_hyperdrive_chain_t   out;

    proto = &ngx_hyperdrive_pg_proto;

    if (!r->attached || !proto->origin_settled(r->origin) || r->wire.len
        || r->streaming || !proto->origin_idle(r->origin) || r->pinned)
    {
        return;
    }

    ngx_memzero(&out, sizeof(ngx_hyperdrive_chain_t));

    if (proto->origin_abandon(r->client, r->origin, &out) != NGX_OK
        || out.size || r->server.out.len)
    {
        abort();
    }

    r->attached = 0;
}


/* a request has failed unseen: it is read once more */

static ngx_inline void
relay_repeat(relay_t *r)
{
    bytes_t                 in;
    ngx_str_t               data;
    ngx_hyperdrive_chain_t  out;

    ngx_memzero(&out, sizeof(ngx_hyperdrive_chain_t));
    ngx_memzero(&in, sizeof(bytes_t));

    if (ngx_hyperdrive_pg_proto.repeat(r->client, r->origin, &out, &data)
        != NGX_OK)
    {
        abort();
    }

    bytes_chain(&r->out, &out);

    bytes_add(&in, data.data, data.len);
    bytes_add(&in, r->in.data, r->in.len);
    bytes_free(&r->in);

    r->in = in;
    r->nrepeat++;
}


/* passes on what has been received from the server */

static ngx_inline void
relay_answers(relay_t *r)
{
    u_char                        *copy, *pos, *last, *before;
    ngx_int_t                      rc;
    ngx_hyperdrive_chain_t         reply;
    ngx_hyperdrive_proto_piece_t   piece;

    copy = relay_exact(&r->wire);
    pos = copy;
    last = copy + r->wire.len;

    ngx_memzero(&reply, sizeof(ngx_hyperdrive_chain_t));

    for ( ;; ) {
        before = pos;

        /* as it happens, apart or joined */

        rc = ngx_hyperdrive_pg_proto.answer(r->client, r->origin, &pos, last,
                                            (last - pos) & 1,
                                            r->client ? &reply : NULL,
                                            &piece);

        if (pos < before || pos > last) {
            abort();
        }

        /* what was appended stands before the piece */

        bytes_chain(&r->got, &reply);

        if (rc != NGX_OK) {
            break;
        }

        if (piece.len && (piece.data < before || piece.data + piece.len > pos)
            && piece.type != NGX_HYPERDRIVE_PROTO_ERROR
            && !(r->behind && piece.end))
        {
            abort();
        }

        if (piece.len && !piece.own && r->client) {
            bytes_add(&r->got, piece.data, piece.len);
        }

        if (piece.tag) {

            if (piece.tag != RELAY_TAG
                || (r->own == NULL && r->behind == NULL))
            {
                abort();
            }

            r->nown++;
        }

        if (piece.type == NGX_HYPERDRIVE_PROTO_READY && !piece.own) {
            r->nready++;
        }

        if (piece.again) {
            relay_repeat(r);
        }

        if (piece.fatal) {
            r->fatal = 1;
            r->failed = 1;
            pos = last;
            break;
        }
    }

    if (rc == NGX_ERROR) {
        r->lost = (char *) piece.data;
        r->failed = 1;
        pos = last;
    }

    bytes_drop(&r->wire, pos - copy);
    free(copy);

    if (r->client && !r->failed) {
        relay_settle(r);
        relay_process(r);
    }
}


/* the four moves; each says whether there was anything to move */

static ngx_inline void
relay_client(relay_t *r, const void *data, size_t len)
{
    bytes_add(&r->in, data, len);
    relay_process(r);
}


static ngx_inline ngx_uint_t
relay_send(relay_t *r, size_t n)
{
    n = ngx_min(n, r->out.len);

    if (n == 0) {
        return 0;
    }

    server_feed(&r->server, r->out.data, n);
    bytes_drop(&r->out, n);

    return 1;
}


static ngx_inline ngx_uint_t
relay_receive(relay_t *r, size_t n)
{
    n = ngx_min(n, r->server.visible);

    if (n == 0 || r->failed) {
        return 0;
    }

    bytes_add(&r->wire, r->server.out.data, n);
    bytes_drop(&r->server.out, n);
    r->server.visible -= n;

    relay_answers(r);

    return 1;
}


/* until nothing moves */

static ngx_inline void
relay_run(relay_t *r)
{
    ngx_uint_t  moved;

    do {
        moved = relay_send(r, (size_t) -1);
        moved |= relay_receive(r, (size_t) -1);
    } while (moved);
}


static ngx_inline void
relay_all(relay_t *r, bytes_t *b)
{
    relay_client(r, b->data, b->len);
    relay_run(r);
}


/* the types of the messages that the client has received */

static ngx_inline ngx_uint_t
relay_types(relay_t *r, const char *expect)
{
    char    seen[256];
    size_t  i, n;

    n = 0;

    for (i = 0; i + 5 <= r->got.len && n < sizeof(seen) - 1; /* void */ ) {
        seen[n++] = r->got.data[i];
        i += 1 + ngx_hyperdrive_base_get_u32(r->got.data + i + 1);
    }

    seen[n] = '\0';

    if (strcmp(seen, expect) != 0) {
        printf("# got %s instead of %s\n", seen, expect);
        return 0;
    }

    return 1;
}


/*
 * The connection has been given back: every name that it is believed to know,
 * and no other, is known to the server.
 */

static ngx_inline void
relay_check_origin(relay_t *r)
{
    char                         name[64];
    ngx_uint_t                   n;
    ngx_queue_t                 *q;
    server_item_t               *item;
    ngx_hyperdrive_pg_origin_t  *o;
    ngx_hyperdrive_state_item_t *known;

    o = r->origin;
    n = 0;

    if (o->set.n) {

        for (q = ngx_queue_head(&o->set.lru);
             q != ngx_queue_sentinel(&o->set.lru);
             q = ngx_queue_next(q))
        {
            known = ngx_queue_data(q, ngx_hyperdrive_state_item_t, lru);

            snprintf(name, sizeof(name), NGX_HYPERDRIVE_PG_PREFIX "%016llx",
                     (unsigned long long) known->id);

            if (*server_find(&r->server.stmts, name) == NULL) {
                fprintf(stderr, "%s is not at the server\n", name);
                abort();
            }

            n++;
        }
    }

    for (item = r->server.stmts; item; item = item->next) {

        if (item->name[0]) {

            /* those of an earlier epoch cannot be named any more */

            snprintf(name, sizeof(name), NGX_HYPERDRIVE_PG_PREFIX "%04x",
                     (int) o->epoch);

            if (server_is(item->name, name)) {
                n--;
            }

            continue;
        }

        if (!o->unnamed_dirty) {
            fprintf(stderr, "an unnamed statement is not known of\n");
            abort();
        }

        if (o->unnamed && strcmp(item->text, (char *) o->unnamed->text) != 0) {
            fprintf(stderr, "the unnamed statement is another one\n");
            abort();
        }
    }

    if (n != 0) {
        fprintf(stderr, "the server has a statement that is not known of\n");
        abort();
    }

    if (o->unnamed && *server_find(&r->server.stmts, "") == NULL) {
        fprintf(stderr, "there is no unnamed statement\n");
        abort();
    }

    if (o->set.n > r->ctx.statements) {
        fprintf(stderr, "too many statements are prepared\n");
        abort();
    }

    if (r->server.status != 'I' || r->server.ignore || r->server.copy
        || r->server.in.len || r->server.out.len || r->server.portals
        || r->out.len)
    {
        fprintf(stderr, "the server is not idle\n");
        abort();
    }
}


/*
 * The client goes.  NGX_OK: its connection is clean, or it had none;
 * NGX_DECLINED: it was closed, and there is a fresh one; NGX_ABORT: the same,
 * since it did not settle in time.
 */

static ngx_inline ngx_int_t
relay_leave(relay_t *r)
{
    void                    *client;
    ngx_int_t                rc;
    ngx_uint_t               attached;
    ngx_hyperdrive_proto_t  *proto;
    ngx_hyperdrive_chain_t   out;

    proto = &ngx_hyperdrive_pg_proto;

    client = r->client;
    attached = r->attached;
    rc = NGX_OK;

    r->in.len = 0;
    r->client = NULL;
    r->attached = 0;

    ngx_memzero(&out, sizeof(ngx_hyperdrive_chain_t));

    if (attached) {
        rc = proto->origin_abandon(client, r->origin, &out);
        bytes_chain(&r->out, &out);
    }

    proto->client_destroy(client);

    if (r->failed || r->pinned || r->server.closed || rc != NGX_OK) {
        r->failed = 0;
        r->pinned = 0;
        relay_fresh(r);
        return NGX_DECLINED;
    }

    if (!attached) {
        relay_run(r);
        relay_check_origin(r);
        return NGX_OK;
    }

    for ( ;; ) {
        relay_run(r);

        if (r->failed || r->server.closed) {
            r->failed = 0;
            relay_fresh(r);
            return NGX_DECLINED;
        }

        if (!proto->origin_settled(r->origin) || r->wire.len) {
            r->copying = r->server.copy;
            relay_fresh(r);
            return NGX_ABORT;
        }

        if (proto->origin_idle(r->origin)) {
            break;
        }

        if (proto->origin_abandon(NULL, r->origin, &out) != NGX_OK) {
            relay_fresh(r);
            return NGX_DECLINED;
        }

        bytes_chain(&r->out, &out);
    }

    relay_check_origin(r);

    return NGX_OK;
}


static ngx_inline void
relay_free(relay_t *r)
{
    if (r->client) {
        (void) relay_leave(r);
    }

    ngx_hyperdrive_pg_proto.origin_destroy(r->origin);
    server_free(&r->server);

    bytes_free(&r->in);
    bytes_free(&r->out);
    bytes_free(&r->wire);
    bytes_free(&r->got);
}


#endif /* _PG_WIRE_RELAY_H_INCLUDED_ */
