
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "origin/ngx_hyperdrive_origin_ask.h"


#define NGX_HYPERDRIVE_ORIGIN_ASK_TIME     10000

/* a message that has to be read whole */
#define NGX_HYPERDRIVE_ORIGIN_ASK_MESSAGE  (8 * 1024 * 1024)


static void ngx_hyperdrive_origin_ask_ready(ngx_hyperdrive_origin_waiter_t *w,
    ngx_hyperdrive_origin_t *o);
static void ngx_hyperdrive_origin_ask_refused(
    ngx_hyperdrive_origin_waiter_t *w, ngx_hyperdrive_proto_error_t *err);
static void ngx_hyperdrive_origin_ask_attach(ngx_hyperdrive_origin_ask_t *ask,
    ngx_hyperdrive_origin_t *o);
static ngx_int_t ngx_hyperdrive_origin_ask_forward(
    ngx_hyperdrive_origin_ask_t *ask);
static void ngx_hyperdrive_origin_ask_run(void *data,
    ngx_hyperdrive_proto_run_t *run);
static ngx_int_t ngx_hyperdrive_origin_ask_flush(
    ngx_hyperdrive_origin_ask_t *ask);
static void ngx_hyperdrive_origin_ask_read(ngx_hyperdrive_origin_t *o);
static ngx_int_t ngx_hyperdrive_origin_ask_answers(
    ngx_hyperdrive_origin_ask_t *ask);
static void ngx_hyperdrive_origin_ask_write(ngx_hyperdrive_origin_t *o);
static void ngx_hyperdrive_origin_ask_timeout(ngx_event_t *ev);
static void ngx_hyperdrive_origin_ask_lost(ngx_hyperdrive_origin_ask_t *ask,
    char *reason);
static void ngx_hyperdrive_origin_ask_end(ngx_hyperdrive_origin_ask_t *ask,
    ngx_int_t rc);
static void ngx_hyperdrive_origin_ask_free(ngx_hyperdrive_origin_ask_t *ask);


ngx_int_t  (*ngx_hyperdrive_origin_align)(ngx_hyperdrive_origin_t *o,
    ngx_hyperdrive_state_bucket_t *bucket);


void
ngx_hyperdrive_origin_ask(ngx_hyperdrive_origin_ask_t *ask, u_char *request,
    size_t len)
{
    u_char                        *p;
    ngx_int_t                      rc;
    ngx_hyperdrive_origin_t       *o;

    ask->active = 1;
    ask->failed = 0;
    ask->late = 0;
    ask->blocked = 0;
    ask->err.sqlstate = NULL;
    ask->aligned = 0;
    ask->origin = NULL;

    ask->pool->refs++;

    ask->wire = ask->pool->conf->proto->client_create(&ask->pool->conf->ctx,
                                                      ask->mode, NULL);

    /* in one piece: it is read as a client's is */

    p = ngx_hyperdrive_base_chain_reserve(&ask->request, len);

    if (ask->wire == NULL || p == NULL) {
        ngx_hyperdrive_origin_ask_end(ask, NGX_ERROR);
        return;
    }

    ngx_memcpy(p, request, len);

    if (ask->attributes) {
        ask->pool->conf->proto->client_attributes(ask->wire);
    }

    ask->waiter.data = ask;
    ask->waiter.ready = ngx_hyperdrive_origin_ask_ready;
    ask->waiter.failed = ngx_hyperdrive_origin_ask_refused;

    /* a worker that leaves does not wait for us */
    ask->waiter.timer.cancelable = !ask->waited;

    ask->waiter.client = ask->client;
    ask->waiter.bucket = ask->bucket;
    ask->waiter.now = ask->now;

    rc = ngx_hyperdrive_origin_acquire(ask->pool, &ask->waiter, &o, &ask->err);

    if (rc == NGX_OK) {
        ngx_hyperdrive_origin_ask_attach(ask, o);

    } else if (rc == NGX_ERROR) {
        ngx_hyperdrive_origin_ask_end(ask, NGX_ERROR);
    }
}


void
ngx_hyperdrive_origin_ask_cancel(ngx_hyperdrive_origin_ask_t *ask)
{
    if (!ask->active) {
        return;
    }

    if (ask->origin
        && !ask->pool->conf->proto->origin_idle(ask->origin->wire))
    {
        /* it would run on, for nobody */
        ngx_hyperdrive_origin_cancel(ask->origin);
    }

    ngx_hyperdrive_origin_ask_free(ask);
}


static void
ngx_hyperdrive_origin_ask_ready(ngx_hyperdrive_origin_waiter_t *w,
    ngx_hyperdrive_origin_t *o)
{
    ngx_hyperdrive_origin_ask_attach(w->data, o);
}


static void
ngx_hyperdrive_origin_ask_refused(ngx_hyperdrive_origin_waiter_t *w,
    ngx_hyperdrive_proto_error_t *err)
{
    ngx_hyperdrive_origin_ask_t  *ask;

    ask = w->data;
    ask->err = *err;

    ngx_hyperdrive_origin_ask_end(ask, NGX_ERROR);
}


static void
ngx_hyperdrive_origin_ask_attach(ngx_hyperdrive_origin_ask_t *ask,
    ngx_hyperdrive_origin_t *o)
{
    ask->origin = o;

    o->data = ask;
    o->read = ngx_hyperdrive_origin_ask_read;
    o->write = ngx_hyperdrive_origin_ask_write;

    if (ask->take && ask->take(ask, o) != NGX_OK) {
        ngx_hyperdrive_origin_ask_end(ask, NGX_BUSY);
        return;
    }

    ask->timer.handler = ngx_hyperdrive_origin_ask_timeout;
    ask->timer.data = ask;
    ask->timer.log = ngx_cycle->log;
    ask->timer.cancelable = !ask->waited;

    ngx_add_timer(&ask->timer, ask->timeout ? ask->timeout
                                            : NGX_HYPERDRIVE_ORIGIN_ASK_TIME);

    if (!o->named && ngx_hyperdrive_origin_name(o) == NGX_ERROR) {
        ngx_hyperdrive_origin_ask_lost(ask, "no memory");
        return;
    }

    if (o->bucket != ask->bucket || o->unknown) {

        /* it shares the fate of the request */

        if (ngx_hyperdrive_origin_align(o, ask->bucket) == NGX_ERROR) {
            ngx_hyperdrive_origin_ask_lost(ask, "it cannot be set up");
            return;
        }

        o->unknown = 1;
        ask->aligned = 1;
    }

    if (ask->send) {
        ask->send(ask);
    }

    if (ngx_hyperdrive_origin_ask_forward(ask) != NGX_OK) {
        ngx_hyperdrive_origin_ask_lost(ask, "a request of ours is malformed");
        return;
    }

    if (ngx_hyperdrive_origin_ask_flush(ask) != NGX_OK) {

        /* what it has said before may still be there to be read */

        ngx_hyperdrive_base_chain_clear(&o->net.out);
        ngx_hyperdrive_net_post_read(&o->net);
    }
}


/* as much of the request as the origin can take now */

static ngx_int_t
ngx_hyperdrive_origin_ask_forward(ngx_hyperdrive_origin_ask_t *ask)
{
    u_char                        *pos;
    ngx_int_t                      rc;
    ngx_hyperdrive_block_t        *block;
    ngx_hyperdrive_proto_error_t   err;

    block = ask->request.head;

    if (block == NULL) {
        return NGX_OK;
    }

    pos = block->pos;

    rc = ask->pool->conf->proto->forward(ask->wire, ask->origin->wire, &pos,
                                         block->last, &ask->origin->net.out,
                                         &ask->reply,
                                         ngx_hyperdrive_origin_ask_run, ask,
                                         &err);

    ngx_hyperdrive_base_chain_consume(&ask->request, pos - block->pos);

    /* NGX_AGAIN: the unit has no end */

    return (rc == NGX_OK || rc == NGX_BUSY) ? NGX_OK : NGX_ERROR;
}


/* what a request of ours does is its owner's affair */

static void
ngx_hyperdrive_origin_ask_run(void *data, ngx_hyperdrive_proto_run_t *run)
{
    /* void */
}


static ngx_int_t
ngx_hyperdrive_origin_ask_flush(ngx_hyperdrive_origin_ask_t *ask)
{
    ngx_hyperdrive_net_t  *net;

    net = &ask->origin->net;

    if (ngx_hyperdrive_net_flush(net) == NGX_ERROR
        || ngx_handle_write_event(net->connection->write, 0) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static void
ngx_hyperdrive_origin_ask_read(ngx_hyperdrive_origin_t *o)
{
    ngx_int_t                     rc;
    ngx_hyperdrive_origin_ask_t  *ask;

    ask = o->data;

    for ( ;; ) {

        rc = ngx_hyperdrive_origin_ask_answers(ask);

        if (rc == NGX_DONE) {
            /* <ask> is its owner's again */
            return;
        }

        if (rc == NGX_BUSY) {
            break;
        }

        rc = ngx_hyperdrive_net_recv(&o->net,
                                     NGX_HYPERDRIVE_ORIGIN_ASK_MESSAGE);

        if (rc == NGX_AGAIN) {
            break;
        }

        if (rc != NGX_OK) {
            ngx_hyperdrive_origin_ask_lost(ask, rc == NGX_BUSY
                                 ? "a message of the database is too long"
                                 : "closed by the database");
            return;
        }
    }

    if (ngx_hyperdrive_net_keep(&o->net) != NGX_OK
        || ngx_handle_read_event(o->net.connection->read, 0) != NGX_OK)
    {
        ngx_hyperdrive_origin_ask_lost(ask, "event failure");
    }
}


/* NGX_AGAIN: more input is needed; NGX_BUSY: none can be taken now; NGX_DONE:
   it is over */

static ngx_int_t
ngx_hyperdrive_origin_ask_answers(ngx_hyperdrive_origin_ask_t *ask)
{
    ngx_int_t                     rc;
    ngx_hyperdrive_proto_t       *proto;
    ngx_hyperdrive_origin_t      *o;
    ngx_hyperdrive_proto_piece_t  piece;

    o = ask->origin;
    proto = ask->pool->conf->proto;

    for ( ;; ) {

        if (ask->blocked) {
            return NGX_BUSY;
        }

        rc = ngx_hyperdrive_origin_answer(o, ask->wire, 1, &ask->reply,
                                          &piece);

        if (rc == NGX_AGAIN) {
            break;
        }

        if (rc == NGX_ERROR) {
            ngx_hyperdrive_origin_ask_lost(ask, (char *) piece.data);
            return NGX_DONE;
        }

        if (piece.own
            && (piece.tag || piece.type == NGX_HYPERDRIVE_PROTO_READY))
        {
            /* of what was sent ahead */
            continue;
        }

        if (piece.type == NGX_HYPERDRIVE_PROTO_ERROR) {
            ask->failed = 1;
        }

        if (ask->piece) {
            ask->piece(ask, &piece);

            if (ask->origin == NULL) {
                /* given up by its owner */
                return NGX_DONE;
            }
        }

        if (piece.type == NGX_HYPERDRIVE_PROTO_ERROR && piece.fatal) {
            ngx_hyperdrive_origin_ask_lost(ask, "the database ended it");
            return NGX_DONE;
        }
    }

    if (ask->request.size && !proto->origin_owes(o->wire)) {

        /* the rest of the request, which had to wait for an empty ledger */

        if (ngx_hyperdrive_origin_ask_forward(ask) != NGX_OK
            || ngx_hyperdrive_origin_ask_flush(ask) != NGX_OK)
        {
            ngx_hyperdrive_origin_ask_lost(ask, "sending failed");
            return NGX_DONE;
        }

        return NGX_AGAIN;
    }

    if (!proto->origin_settled(o->wire) || o->net.pos != o->net.last) {
        return NGX_AGAIN;
    }

    if (ngx_hyperdrive_net_keep(&o->net) != NGX_OK
        || ngx_handle_read_event(o->net.connection->read, 0) != NGX_OK)
    {
        o->net.connection->error = 1;
    }

    if (ask->aligned && !ask->failed) {
        ngx_hyperdrive_state_bucket_unref(o->bucket);
        o->bucket = ngx_hyperdrive_state_bucket_ref(ask->bucket);
        o->unknown = 0;
    }

    ngx_hyperdrive_origin_ask_end(ask, ask->failed ? NGX_DECLINED : NGX_OK);

    return NGX_DONE;
}


void
ngx_hyperdrive_origin_ask_go_on(ngx_hyperdrive_origin_ask_t *ask)
{
    ask->blocked = 0;

    if (ask->origin) {
        ngx_hyperdrive_net_post_read(&ask->origin->net);
    }
}


static void
ngx_hyperdrive_origin_ask_write(ngx_hyperdrive_origin_t *o)
{
    if (ngx_hyperdrive_origin_ask_flush(o->data) != NGX_OK) {

        /* its last words may be there to be read */

        ngx_hyperdrive_base_chain_clear(&o->net.out);
        ngx_hyperdrive_net_post_read(&o->net);
    }
}


static void
ngx_hyperdrive_origin_ask_timeout(ngx_event_t *ev)
{
    ngx_hyperdrive_origin_ask_t  *ask;

    ask = ev->data;

    ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                  "hyperdrive origin %uD of \"%V\": a request of ours took "
                  "too long, given up", ask->origin->pid,
                  &ask->pool->conf->name);

    /* it would run on, for nobody */
    ngx_hyperdrive_origin_cancel(ask->origin);

    ask->late = 1;

    ngx_hyperdrive_origin_ask_end(ask, NGX_ERROR);
}


static void
ngx_hyperdrive_origin_ask_lost(ngx_hyperdrive_origin_ask_t *ask, char *reason)
{
    ngx_log_error(NGX_LOG_INFO, ngx_cycle->log, 0,
                  "hyperdrive origin %uD of \"%V\": %s, while it answered a "
                  "request of ours", ask->origin->pid, &ask->pool->conf->name,
                  reason);

    ask->origin->net.pos = ask->origin->net.last;
    ask->origin->net.connection->error = 1;

    ngx_hyperdrive_origin_ask_end(ask, NGX_ERROR);
}


/* the owner's turn, who may free <ask>, or ask again */

static void
ngx_hyperdrive_origin_ask_end(ngx_hyperdrive_origin_ask_t *ask, ngx_int_t rc)
{
    ngx_hyperdrive_origin_ask_free(ask);

    ask->done(ask, rc);
}


static void
ngx_hyperdrive_origin_ask_free(ngx_hyperdrive_origin_ask_t *ask)
{
    ngx_hyperdrive_origin_t        *o;
    ngx_hyperdrive_shm_counters_t  *counters;

    ngx_hyperdrive_origin_leave(&ask->waiter);

    if (ask->timer.timer_set) {
        ngx_del_timer(&ask->timer);
    }

    o = ask->origin;

    if (o) {
        ask->origin = NULL;

        counters = ask->pool->conf->counters;
        counters->bytes_from_origins += o->net.received;
        counters->bytes_to_origins += o->net.sent;

        o->net.received = 0;
        o->net.sent = 0;

        if (ask->once && ask->pool->conf->proto->origin_idle(o->wire)) {
            (void) ask->pool->conf->proto->origin_abandon(ask->wire, o->wire,
                                                          &o->net.out);
            o->data = NULL;
            ngx_hyperdrive_origin_close(o, NULL);

        } else {
            ngx_hyperdrive_origin_release(o, ask->wire);
        }
    }

    if (ask->wire) {
        ask->pool->conf->proto->client_destroy(ask->wire);
        ask->wire = NULL;
    }

    ngx_hyperdrive_base_chain_clear(&ask->request);
    ngx_hyperdrive_base_chain_clear(&ask->reply);

    ask->pool->refs--;
    ask->active = 0;
}
