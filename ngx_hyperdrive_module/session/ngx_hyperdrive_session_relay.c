
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session_cache.h"
#include "session/ngx_hyperdrive_session_diag.h"
#include "session/ngx_hyperdrive_session_log.h"
#include "base/ngx_hyperdrive_base_cursor.h"


/* a message that has to be read whole before it is passed on */
#define NGX_HYPERDRIVE_SESSION_MESSAGE   (8 * 1024 * 1024)


static ngx_int_t ngx_hyperdrive_session_answers(ngx_hyperdrive_session_t *s);
static ngx_int_t ngx_hyperdrive_session_settle(ngx_hyperdrive_session_t *s);
static void ngx_hyperdrive_session_released(ngx_hyperdrive_session_t *s);
static void ngx_hyperdrive_session_lost(ngx_hyperdrive_session_t *s,
    char *reason);


void
ngx_hyperdrive_session_attach(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_origin_t *o)
{
    s->origin = o;
    s->outstanding = 0;
    s->blocked = 0;
    s->choked = 0;
    s->trailed = 0;
    s->cut = 0;

    o->data = s;
    o->read = ngx_hyperdrive_session_relay;
    o->write = ngx_hyperdrive_session_relay_write;

    ngx_hyperdrive_session_set_state(s, NGX_HYPERDRIVE_SESSION_ACTIVE);
}


void
ngx_hyperdrive_session_detach(ngx_hyperdrive_session_t *s)
{
    ngx_int_t                       rc;
    ngx_hyperdrive_origin_t        *o;
    ngx_hyperdrive_shm_counters_t  *counters;

    o = s->origin;
    counters = s->conf->origin->counters;

    ngx_hyperdrive_session_track_end(s);

    rc = ngx_hyperdrive_session_pin_end(s);

    if (s->diag) {
        ngx_hyperdrive_session_diag_end(s);
    }

    s->origin = NULL;
    s->streaming = 0;
    s->blocked = 0;
    s->choked = 0;

    if (s->fill) {
        ngx_hyperdrive_session_fill_drop(s);
    }

    counters->bytes_from_origins += o->net.received;
    counters->bytes_to_origins += o->net.sent;

    o->net.received = 0;
    o->net.sent = 0;

    if (s->replication) {
        ngx_hyperdrive_session_replication_end(s, o);
        return;
    }

    if (rc != NGX_OK) {

        /* what the client has left there is nobody else's business */

        (void) s->conf->origin->proto->origin_abandon(s->wire, o->wire,
                                                      &o->net.out);

        if (rc == NGX_ABORT) {
            ngx_hyperdrive_base_chain_clear(&o->net.out);
        }

        o->data = NULL;
        ngx_hyperdrive_origin_close(o, "was its client's own");
        return;
    }

    ngx_hyperdrive_origin_release(o, s->wire);
}


/* the read event of an origin that a session has */

void
ngx_hyperdrive_session_relay(ngx_hyperdrive_origin_t *o)
{
    ngx_int_t                  rc;
    ngx_connection_t          *c;
    ngx_hyperdrive_session_t  *s;

    s = o->data;
    c = o->net.connection;

    for ( ;; ) {

        rc = ngx_hyperdrive_session_answers(s);

        if (rc == NGX_DONE) {
            return;
        }

        if (rc == NGX_DECLINED) {

            /* settled: <o> is not ours any more */

            goto next;
        }

        if (s->net.out.size > NGX_HYPERDRIVE_HIGH_WATER) {

            rc = ngx_hyperdrive_net_flush(&s->net);

            if (rc == NGX_ERROR) {
                ngx_hyperdrive_session_close(s);
                return;
            }

            if (s->net.out.size > NGX_HYPERDRIVE_HIGH_WATER) {
                s->blocked = 1;

                if (s->fill) {
                    /* nobody shall wait for a slow client */
                    ngx_hyperdrive_session_fill_alone(s->fill);
                }

                break;
            }
        }

        rc = ngx_hyperdrive_net_recv(&o->net, NGX_HYPERDRIVE_SESSION_MESSAGE);

        if (rc == NGX_AGAIN) {
            break;
        }

        if (rc != NGX_OK) {
            ngx_hyperdrive_session_lost(s, rc == NGX_BUSY
                                 ? "a message of the database is too long"
                                 : "the database closed the connection");
            return;
        }
    }

    if (ngx_hyperdrive_net_keep(&o->net) != NGX_OK
        || ngx_handle_read_event(c->read, 0) != NGX_OK)
    {
        ngx_hyperdrive_session_lost(s, "event failure");
        return;
    }

next:

    /* the end of a transaction is where a client leaves a worker that leaves */

    rc = ngx_hyperdrive_session_drain_turn(s);

    if (rc == NGX_DONE
        || (rc == NGX_OK && s->net.pos != s->net.last
            && ngx_hyperdrive_session_process(s) == NGX_DONE))
    {
        return;
    }

    (void) ngx_hyperdrive_session_rearm(s);
}


/*
 * Passes on what has been read.  NGX_OK: all of it; NGX_DECLINED: the origin
 * has been given back; NGX_DONE: <s> is gone.
 */

static ngx_int_t
ngx_hyperdrive_session_answers(ngx_hyperdrive_session_t *s)
{
    ngx_int_t                      rc;
    ngx_hyperdrive_proto_t        *proto;
    ngx_hyperdrive_origin_t       *o;
    ngx_hyperdrive_proto_piece_t   piece;
    ngx_hyperdrive_shm_counters_t *counters;

    o = s->origin;
    proto = s->conf->origin->proto;
    counters = s->conf->origin->counters;

    for ( ;; ) {

        rc = ngx_hyperdrive_origin_answer(o, s->wire, s->fill || s->diag,
                                          &s->net.out, &piece);

        if (rc == NGX_AGAIN) {
            break;
        }

        if (rc == NGX_ERROR) {
            ngx_log_error(NGX_LOG_ERR, s->net.connection->log, 0,
                          "hyperdrive origin %uD: %s", o->pid, piece.data);
            ngx_hyperdrive_session_lost(s, (char *) piece.data);
            return NGX_DONE;
        }

        s->cut = piece.cut;

        if (s->fill && piece.tag == 0) {
            ngx_hyperdrive_session_fill_piece(s->fill, &piece);
        }

        s->outstanding -= ngx_min(s->outstanding, piece.struck);

        ngx_hyperdrive_session_track_piece(s, &piece);

        if (piece.pid && ngx_hyperdrive_base_get_u32(piece.pid) == o->pid) {

            /* who notifies himself knows by the number that he was told */

            (void) ngx_hyperdrive_base_put_u32(piece.pid,
                                         ngx_hyperdrive_session_cancel_pid(s));
        }

        if (piece.len && !piece.own) {
            ngx_hyperdrive_base_chain_append(&s->net.out, piece.data,
                                             piece.len);
        }

        if (piece.changed) {
            ngx_hyperdrive_origin_epoch_end(s->pool);
        }

        if (piece.again && ngx_hyperdrive_session_repeat(s) != NGX_OK) {
            ngx_hyperdrive_session_lost(s, "out of memory");
            return NGX_DONE;
        }

        if (piece.own) {
            continue;
        }

        if (piece.type == NGX_HYPERDRIVE_PROTO_READY) {

            if (s->outstanding) {
                s->outstanding--;
            }

            s->releases -= (s->releases > 1);
            s->trailed = (piece.trailed && !piece.block);

        } else if (piece.type == NGX_HYPERDRIVE_PROTO_ERROR) {
            counters->errors++;
            s->total.errors++;

            if (s->releases == 1) {
                s->releases = 0;
            }

            if (piece.read_only && o->pool->conf->moves
                && (piece.read_only == NGX_HYPERDRIVE_PROTO_READ_ONLY_SERVER
                    || (!s->settings && !s->write.block)))
            {
                /* not by its client's wish: it is the primary no more */
                o->wrong = 1;
            }

            if (piece.fatal) {

                /* its own words are passed on, then it is over */

                o->net.pos = o->net.last;
                ngx_hyperdrive_session_set_state(s,
                                               NGX_HYPERDRIVE_SESSION_CLOSING);
                (void) ngx_hyperdrive_session_rearm(s);

                return NGX_DONE;
            }
        }
    }

    if (proto->origin_settled(o->wire) && o->net.pos == o->net.last) {
        return ngx_hyperdrive_session_settle(s);
    }

    return NGX_OK;
}


/* nothing is owed: a kept answer is published, an idle origin goes back */

static ngx_int_t
ngx_hyperdrive_session_settle(ngx_hyperdrive_session_t *s)
{
    ngx_int_t                 rc;
    ngx_hyperdrive_origin_t  *o;

    o = s->origin;

    s->outstanding = 0;
    s->trailed = 0;

    /* all that was sent has been answered, maybe inside a block */

    ngx_hyperdrive_session_track_settled(s);

    if (s->releases) {

        ngx_hyperdrive_session_released(s);
        return NGX_DONE;
    }

    if (s->settings) {
        rc = ngx_hyperdrive_session_settings_settled(s);

        if (rc != NGX_OK) {
            return (rc == NGX_AGAIN) ? NGX_OK : rc;
        }
    }

    if (s->streaming) {
        return NGX_OK;
    }

    rc = s->conf->origin->proto->origin_check(o->wire, &o->net.out);

    if (rc == NGX_OK) {
        (void) ngx_hyperdrive_session_send(s);
        return NGX_OK;
    }

    if (!s->conf->origin->proto->origin_idle(o->wire)) {
        return NGX_OK;
    }

    if (s->fill) {
        (void) ngx_hyperdrive_session_fill_end(s->fill);
        s->fill = NULL;
    }

    if (s->pinned || s->replication) {
        return NGX_OK;
    }

    if (s->diag && ngx_hyperdrive_session_diag_save(s) == NGX_AGAIN) {
        return NGX_OK;
    }

    if (ngx_hyperdrive_net_keep(&o->net) != NGX_OK
        || ngx_handle_read_event(o->net.connection->read, 0) != NGX_OK)
    {
        o->net.connection->error = 1;
    }

    ngx_hyperdrive_session_set_state(s, NGX_HYPERDRIVE_SESSION_READY);
    ngx_hyperdrive_session_detach(s);

    return NGX_DECLINED;
}


void
ngx_hyperdrive_session_relay_write(ngx_hyperdrive_origin_t *o)
{
    ngx_hyperdrive_session_t  *s;

    s = o->data;

    if (ngx_hyperdrive_net_flush(&o->net) == NGX_ERROR) {

        /* its last words may be there to be read */

        ngx_hyperdrive_base_chain_clear(&o->net.out);
        ngx_hyperdrive_net_post_read(&o->net);
        return;
    }

    if (ngx_handle_write_event(o->net.connection->write, 0) != NGX_OK) {
        ngx_hyperdrive_session_lost(s, "event failure");
        return;
    }

    if (s->again && o->cancel == NULL) {
        ngx_hyperdrive_session_cancel_again(s);
    }

    if (s->choked && o->net.out.size < NGX_HYPERDRIVE_HIGH_WATER / 2
        && o->cancel == NULL)
    {

        s->choked = 0;

        if (ngx_hyperdrive_session_process(s) == NGX_DONE) {
            return;
        }

        if (ngx_hyperdrive_session_rearm(s) == NGX_DONE) {
            return;
        }

        ngx_hyperdrive_net_post_read(&s->net);
    }
}


/* it has asked for that: the database closes its end, too */

static void
ngx_hyperdrive_session_released(ngx_hyperdrive_session_t *s)
{
    s->origin->net.connection->error = 1;

    ngx_hyperdrive_session_set_state(s, NGX_HYPERDRIVE_SESSION_CLOSING);
    (void) ngx_hyperdrive_session_rearm(s);
}


/* the connection is gone in the middle of a unit: so is the client's */

static void
ngx_hyperdrive_session_lost(ngx_hyperdrive_session_t *s, char *reason)
{
    s->origin->net.pos = s->origin->net.last;
    s->origin->net.connection->error = 1;

    if (s->releases == 1) {

        /* what was sent behind that has no answer */

        if (s->log) {
            ngx_hyperdrive_session_log_fatal(s, "08006");
        }

        ngx_hyperdrive_session_released(s);
        return;
    }

    ngx_hyperdrive_session_fatal(s, "08006", reason);
}
