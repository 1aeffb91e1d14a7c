
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session_cache.h"
#include "session/ngx_hyperdrive_session_catalog.h"
#include "session/ngx_hyperdrive_session_diag.h"
#include "session/ngx_hyperdrive_session_log.h"
#include "session/ngx_hyperdrive_session_policy.h"


/* input that may wait while a client is in the queue, or not its turn */
#define NGX_HYPERDRIVE_SESSION_INPUT     (NGX_HYPERDRIVE_MAX_TEXT * 2)


static ngx_int_t ngx_hyperdrive_session_unit(ngx_hyperdrive_session_t *s);
static ngx_int_t ngx_hyperdrive_session_acquire(ngx_hyperdrive_session_t *s);
static ngx_int_t ngx_hyperdrive_session_forward(ngx_hyperdrive_session_t *s);


void
ngx_hyperdrive_session_read_handler(ngx_event_t *rev)
{
    ngx_int_t                  rc;
    ngx_connection_t          *c;
    ngx_hyperdrive_session_t  *s;

    c = rev->data;
    s = ngx_hyperdrive_session_of(c);

    if (c->close) {
        c->close = 0;
        ngx_hyperdrive_session_shutdown(s);
        return;
    }

    if (rev->timedout) {
        /* NGX_HYPERDRIVE_SESSION_CLOSING: it does not read */
        ngx_hyperdrive_session_close(s);
        return;
    }

    for ( ;; ) {

        if (s->choked) {
            /* the origin's write event goes on */
            break;
        }

        rc = ngx_hyperdrive_net_recv(&s->net, NGX_HYPERDRIVE_SESSION_INPUT);

        if (rc == NGX_AGAIN) {
            break;
        }

        if (rc == NGX_BUSY) {

            if (s->state == NGX_HYPERDRIVE_SESSION_READY) {
                ngx_hyperdrive_session_fatal(s, "08P01",
                                             "message is too long");
                return;
            }

            break;
        }

        if (rc != NGX_OK) {
            /* NGX_DONE, NGX_ERROR: the client is gone */
            ngx_hyperdrive_session_close(s);
            return;
        }

        if (s->state == NGX_HYPERDRIVE_SESSION_CLOSING) {
            s->net.pos = s->net.last;
            continue;
        }

        if (s->time) {
            ngx_hyperdrive_session_time_heard(s);
        }

        if (ngx_hyperdrive_session_process(s) == NGX_DONE) {
            return;
        }

        if (!rev->ready) {
            break;
        }
    }

    if (rev->pending_eof && s->choked) {
        /* nothing will tell us later */
        ngx_hyperdrive_session_close(s);
        return;
    }

    (void) ngx_hyperdrive_session_rearm(s);
}


void
ngx_hyperdrive_session_write_handler(ngx_event_t *wev)
{
    ngx_int_t                  rc;
    ngx_hyperdrive_session_t  *s;

    s = ngx_hyperdrive_session_of(wev->data);

    rc = ngx_hyperdrive_net_flush(&s->net);

    if (rc == NGX_ERROR
        || (rc == NGX_OK && s->state == NGX_HYPERDRIVE_SESSION_CLOSING)
        || (rc == NGX_AGAIN && ngx_handle_write_event(wev, 0) != NGX_OK))
    {
        ngx_hyperdrive_session_close(s);
        return;
    }

    if (s->blocked && s->net.out.size < NGX_HYPERDRIVE_HIGH_WATER / 2) {
        s->blocked = 0;

        if (s->route) {
            ngx_hyperdrive_session_route_go_on(s);

        } else {
            ngx_hyperdrive_net_post_read(&s->origin->net);
        }
    }

    if (rc == NGX_OK) {
        rc = ngx_hyperdrive_session_drain_turn(s);

        if (rc == NGX_DONE) {
            return;
        }
    }

    if (rc == NGX_OK && s->net.pos != s->net.last
        && (s->state == NGX_HYPERDRIVE_SESSION_READY
            || s->state == NGX_HYPERDRIVE_SESSION_ACTIVE))
    {
        /* requests that were left until their answers could be sent */

        if (ngx_hyperdrive_session_process(s) != NGX_DONE) {
            (void) ngx_hyperdrive_session_rearm(s);
        }
    }
}


ngx_int_t
ngx_hyperdrive_session_process(ngx_hyperdrive_session_t *s)
{
    ngx_int_t                     rc;
    ngx_hyperdrive_proto_t       *proto;
    ngx_hyperdrive_proto_error_t  err;

    proto = s->conf->origin->proto;

    while (s->net.pos != s->net.last) {

        if (s->state != NGX_HYPERDRIVE_SESSION_READY
            && s->state != NGX_HYPERDRIVE_SESSION_ACTIVE)
        {
            break;
        }

        if (s->choked || s->net.out.size > NGX_HYPERDRIVE_HIGH_WATER) {

            /* whoever is slow is waited for */

            rc = ngx_hyperdrive_net_flush(&s->net);

            if (rc == NGX_ERROR) {
                ngx_hyperdrive_session_close(s);
                return NGX_DONE;
            }

            if (s->choked || rc == NGX_AGAIN) {
                break;
            }
        }

        if (s->origin
            && (s->streaming || proto->origin_copying(s->origin->wire)
                || proto->client_data(s->wire, s->net.pos)))
        {
            s->unit.len = s->net.last - s->net.pos;

            rc = ngx_hyperdrive_session_forward(s);

            if (rc != NGX_OK) {
                return rc == NGX_DONE ? NGX_DONE : NGX_OK;
            }

            continue;
        }

        rc = proto->client_request(s->wire, s->net.pos, s->net.last, &s->unit,
                                   &err);

        if (rc == NGX_AGAIN) {
            break;
        }

        if ((rc == NGX_DONE || rc == NGX_ERROR || rc == NGX_DECLINED)
            && s->outstanding)
        {
            /* what it has asked for before is answered first */
            break;
        }

        if (rc == NGX_DONE) {
            ngx_hyperdrive_session_set_state(s, NGX_HYPERDRIVE_SESSION_CLOSING);
            (void) ngx_hyperdrive_session_rearm(s);
            return NGX_DONE;
        }

        if (rc == NGX_ERROR) {
            ngx_hyperdrive_session_fatal(s, err.sqlstate, err.message);
            return NGX_DONE;
        }

        if (rc == NGX_DECLINED) {
            return ngx_hyperdrive_session_change(s);
        }

        if (rc == NGX_BUSY) {
            s->streaming = 1;
            s->unit.len = s->net.last - s->net.pos;
        }

        rc = ngx_hyperdrive_session_unit(s);

        if (rc == NGX_DONE) {
            return NGX_DONE;
        }

        if (rc == NGX_AGAIN) {
            break;
        }
    }

    return NGX_OK;
}


/* NGX_OK: go on; NGX_AGAIN: later; NGX_DONE: <s> is gone */

static ngx_int_t
ngx_hyperdrive_session_unit(ngx_hyperdrive_session_t *s)
{
    ngx_int_t                      rc;
    ngx_hyperdrive_proto_error_t   err;
    ngx_hyperdrive_shm_counters_t *counters;

    counters = s->conf->origin->counters;

    if (ngx_hyperdrive_session_drain_request(s) == NGX_DONE) {
        return NGX_DONE;
    }

    if (s->unit.requests == 0 && !s->streaming) {
        s->net.pos += s->unit.len;
        return NGX_OK;
    }

    if (s->conf->policy && s->origin == NULL
        && ngx_hyperdrive_session_place(s, &err) != NGX_OK)
    {
        ngx_hyperdrive_session_refuse(s, &err);
        return NGX_OK;
    }

    if (s->unit.prepare && !s->streaming
        && ngx_hyperdrive_session_prepare(s) == NGX_OK)
    {
        return NGX_OK;
    }

    if (s->conf->logs && (s->origin || !s->unit.local)) {
        ngx_hyperdrive_session_log_begin(s);
    }

    if (ngx_hyperdrive_session_catalog_matters(s)
        && ngx_hyperdrive_session_catalog_wait(s) == NGX_AGAIN)
    {
        return NGX_AGAIN;
    }

    if (s->origin == NULL && s->settings
        && ngx_hyperdrive_session_settings_refused(s, &err) == NGX_OK)
    {
        ngx_hyperdrive_session_refuse(s, &err);
        return NGX_OK;
    }

    if (s->unit.kill) {

        rc = ngx_hyperdrive_session_cancel_other(s);

        if (rc == NGX_OK) {

            if (s->diag) {
                ngx_hyperdrive_session_diag_served(s, -1);
            }

            ngx_hyperdrive_session_refuse(s, NULL);
        }

        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    if (s->origin == NULL) {

        if (s->unit.local) {

            if (s->unit.discard) {
                ngx_hyperdrive_session_block_forget(s);
                ngx_hyperdrive_session_settings_discard(s);
            }

            if (s->diag && !s->unit.flush) {
                ngx_hyperdrive_session_diag_served(s, -1);
            }

            ngx_hyperdrive_session_refuse(s, NULL);
            return NGX_OK;
        }

        if (s->conf->policy && !s->failed && !s->unit.end
            && ngx_hyperdrive_session_policy_refuses(s, &err))
        {
            counters->policy_rejected++;
            ngx_hyperdrive_session_refuse(s, &err);
            return NGX_OK;
        }

        if (ngx_hyperdrive_session_diag_asked(s)) {
            rc = ngx_hyperdrive_session_diag_answer(s);

            if (rc != NGX_DECLINED) {
                return rc;
            }
        }

        if (s->conf->policy) {
            ngx_hyperdrive_session_mirror(s);
        }

        if (s->unit.begin || s->unit.end || s->unit.empty
            || s->unit.autocommit || s->failed)
        {

            rc = ngx_hyperdrive_session_block(s);

            if (rc != NGX_DECLINED) {
                return rc;
            }
        }

        if (s->conf->cache_zone && !s->streaming && !s->tried) {

            rc = ngx_hyperdrive_session_lookup(s);

            if (rc != NGX_DECLINED) {
                return rc;
            }
        }

        if (!s->streaming && ngx_hyperdrive_session_pin_may(s)
            && ngx_hyperdrive_session_pin_refuses(s, &err))
        {
            ngx_hyperdrive_session_refuse(s, &err);
            return NGX_OK;
        }

        if (s->pool->conf->balancer) {
            rc = ngx_hyperdrive_session_route(s, &err);

            if (rc != NGX_DECLINED) {

                if (rc == NGX_OK) {
                    ngx_hyperdrive_session_refuse(s, &err);
                }

                return rc;
            }
        }

        rc = ngx_hyperdrive_session_acquire(s);

        if (rc != NGX_OK) {
            return rc == NGX_DECLINED ? NGX_OK : rc;
        }

    } else if (s->conf->policy
               && ngx_hyperdrive_session_policy_refuses(s, &err))
    {

        if (s->outstanding
            || s->conf->origin->proto->origin_owes(s->origin->wire))
        {
            /* with all before it settled, it can be told so */

            return NGX_AGAIN;
        }

        if (s->conf->origin->proto->origin_idle(s->origin->wire)) {

            /* its connection is its own, and nothing has begun there */

            counters->policy_rejected++;
            ngx_hyperdrive_session_refuse(s, &err);
            return NGX_OK;
        }

        /* _policy_run() says no, and the connection ends */

    } else if (ngx_hyperdrive_session_diag_asked(s)
               && (rc = ngx_hyperdrive_session_diag_answer(s)) != NGX_DECLINED)
    {
        return rc;

    } else if (s->outstanding
               && (s->sequence.sent
                   || ngx_hyperdrive_session_policy_waits(s)
                   || ngx_hyperdrive_session_place_differs(s)))
    {

        return NGX_AGAIN;

    } else if (s->outstanding && !s->pinned && !s->streaming
               && ngx_hyperdrive_session_pin_may(s)
               && ngx_hyperdrive_session_pin_refuses(s, &err))
    {
        /* with all before it settled, it can be told so */

        return NGX_AGAIN;

    } else if (s->conf->cache_zone && s->unit.question && !s->pinned
               && s->trailed && s->outstanding == 0)
    {
        /* its turn comes when that is there, and the answer before is kept */

        return NGX_AGAIN;

    } else if (s->conf->cache_zone && s->unit.question && !s->pinned
               && (s->outstanding || s->fill == NULL))
    {
        /* (with a fill, and nothing sent: it has been looked for) */

        if (s->outstanding && ngx_hyperdrive_session_peek(s)) {

            /* its turn comes when all before it is settled */

            return NGX_AGAIN;
        }

        counters->uncacheable[15]++;
        s->cached = NGX_HYPERDRIVE_SESSION_CACHE_TRANSACTION;
    }

    rc = ngx_hyperdrive_session_forward(s);

    return rc == NGX_BUSY ? NGX_AGAIN : rc;
}


void
ngx_hyperdrive_session_served(ngx_hyperdrive_session_t *s, char *sqlstate)
{
    s->conf->origin->counters->queries++;
    s->total.queries++;
    s->net.pos += s->unit.len;

    if (s->log) {
        ngx_hyperdrive_session_log_answered(s, sqlstate);
    }
}


void
ngx_hyperdrive_session_serve_end(ngx_hyperdrive_session_t *s, char *sqlstate)
{
    int64_t                  rows;
    ngx_hyperdrive_proto_t  *proto;

    proto = s->conf->origin->proto;

    rows = proto->serve_end(s->wire, &s->unit, &s->net.out);

    if (proto->numbers) {
        ngx_hyperdrive_session_diag_served(s, rows);
    }

    ngx_hyperdrive_session_served(s, sqlstate);
}


/*
 * NGX_OK: the session has an origin; NGX_AGAIN: it waits; NGX_DECLINED: the
 * unit has been refused; NGX_DONE: <s> is gone.
 */

static ngx_int_t
ngx_hyperdrive_session_acquire(ngx_hyperdrive_session_t *s)
{
    ngx_int_t                     rc;
    ngx_hyperdrive_origin_t      *o;
    ngx_hyperdrive_proto_error_t  err;

    s->waiter.bucket = ngx_hyperdrive_session_settings_bucket(s);
    s->waiter.priority = ngx_hyperdrive_session_policy(s,
                             s->streaming ? NULL : s->unit.stmt)->priority;
    s->waiter.like = ngx_hyperdrive_session_sequence_origin(s);

    rc = ngx_hyperdrive_origin_acquire(s->pool, &s->waiter, &o, &err);

    if (rc == NGX_OK) {
        ngx_hyperdrive_session_attach(s, o);
        return NGX_OK;
    }

    if (rc == NGX_AGAIN) {
        ngx_hyperdrive_session_set_state(s, NGX_HYPERDRIVE_SESSION_WAIT);
        return NGX_AGAIN;
    }

    ngx_hyperdrive_session_fill_drop(s);

    if (s->streaming) {
        ngx_hyperdrive_session_fatal(s, err.sqlstate, err.message);
        return NGX_DONE;
    }

    if (ngx_hyperdrive_session_lookup_stale(s) != NGX_OK) {
        ngx_hyperdrive_session_refuse(s, &err);
    }

    return NGX_DECLINED;
}


/*
 * Sends the unit, or what there is of it, to the origin.  NGX_OK: go on
 * behind it; NGX_BUSY: the rest later; NGX_DONE: <s> is gone.
 */

static ngx_int_t
ngx_hyperdrive_session_forward(ngx_hyperdrive_session_t *s)
{
    u_char                        *pos, *end;
    ngx_int_t                      rc;
    ngx_hyperdrive_proto_t        *proto;
    ngx_hyperdrive_origin_t       *o;
    ngx_hyperdrive_proto_error_t   err;
    ngx_hyperdrive_shm_counters_t *counters;

    o = s->origin;
    proto = s->conf->origin->proto;
    counters = s->conf->origin->counters;

    s->trailed = 0;

    if (!s->pinned && !s->streaming && s->outstanding == 0
        && (s->unit.stmt || s->unit.replication))
    {

        if (!ngx_hyperdrive_session_pin_may(s)
            || !ngx_hyperdrive_session_pin_refuses(s, &err))
        {
            s->pin.allowed = 1;

        } else if (!s->pin.sent || proto->origin_idle(o->wire)) {

            /* nothing of its block or group has been sent */

            ngx_hyperdrive_session_flight_forget(s);
            ngx_hyperdrive_session_set_state(s, NGX_HYPERDRIVE_SESSION_READY);
            ngx_hyperdrive_session_detach(s);
            ngx_hyperdrive_session_refuse(s, &err);

            return NGX_OK;

        } else if (proto->origin_owes(o->wire)) {

            /* to us, behind what the client has been told */

            return NGX_BUSY;
        }
    }

    if (!o->named && ngx_hyperdrive_origin_name(o) == NGX_ERROR) {
        ngx_hyperdrive_session_fatal(s, "53200", "out of memory");
        return NGX_DONE;
    }

    if (s->settings || o->bucket || o->unknown) {

        /* set as the client believes, before it gets anything */

        rc = ngx_hyperdrive_session_settings_align(s);

        if (rc == NGX_ERROR) {
            ngx_hyperdrive_session_fatal(s, "53200", "out of memory");
            return NGX_DONE;
        }

        if (rc == NGX_BUSY) {
            return NGX_BUSY;
        }

        if (rc == NGX_DECLINED) {

            /* nothing was sent: the unit is looked at once more */

            o->net.connection->error = 1;

            ngx_hyperdrive_session_flight_forget(s);
            ngx_hyperdrive_session_set_state(s, NGX_HYPERDRIVE_SESSION_READY);
            ngx_hyperdrive_session_detach(s);

            return NGX_OK;
        }
    }

    if (ngx_hyperdrive_session_diag_matters(s)
        && ngx_hyperdrive_session_diag_align(s) != NGX_OK)
    {
        ngx_hyperdrive_session_fatal(s, "53200", "out of memory");
        return NGX_DONE;
    }

    /* a BEGIN that was answered goes ahead of it */

    s->deferred = 0;
    s->tried = 0;

    s->pin.sent = 1;

    pos = s->net.pos;
    end = pos + s->unit.len;

    rc = proto->forward(s->wire, o->wire, &s->net.pos, end, &o->net.out,
                        &s->net.out, ngx_hyperdrive_session_track_run, s, &err);

    if (rc == NGX_ERROR) {
        ngx_hyperdrive_session_fatal(s, err.sqlstate, err.message);
        return NGX_DONE;
    }

    if (s->pin.refused) {
        ngx_hyperdrive_session_pin_end_refused(s);
        return NGX_DONE;
    }

    if (rc == NGX_OK || rc == NGX_DECLINED) {

        s->pin.allowed = 0;

        if (rc == NGX_OK) {
            s->outstanding++;
            s->total.queries++;
            counters->queries++;

            if (s->log) {
                ngx_hyperdrive_session_log_origin(s, &o->server->name);
                ngx_hyperdrive_session_log_sent(s);
            }
        }

        s->streaming = 0;

    } else {
        /* NGX_BUSY: it goes on when answers have come; NGX_AGAIN: with more */

        s->streaming = (rc == NGX_BUSY || s->net.pos != end);
    }

    ngx_hyperdrive_session_track_send(s);

    if (o->net.out.size && ngx_hyperdrive_session_send(s) != NGX_OK) {
        return NGX_BUSY;
    }

    if (!proto->origin_owes(o->wire)
        && (rc == NGX_BUSY || s->net.pos != pos))
    {
        /* nothing will come that leads to what we answer ourselves, or to the
           end */

        ngx_hyperdrive_net_post_read(&o->net);
    }

    if (rc == NGX_BUSY || (rc == NGX_AGAIN && s->streaming)) {
        return NGX_BUSY;
    }

    return NGX_OK;
}


/*
 * Requests are sent at once, so that the database begins while we read what
 * others want (answers wait for the end of the turn: see _post_write()); if
 * they do not go, no more is read.  NGX_ERROR: the origin is gone, its read
 * event will tell.
 */

ngx_int_t
ngx_hyperdrive_session_send(ngx_hyperdrive_session_t *s)
{
    ngx_int_t                 rc;
    ngx_hyperdrive_origin_t  *o;

    o = s->origin;

    rc = ngx_hyperdrive_net_flush(&o->net);

    if (rc == NGX_AGAIN && o->net.out.size > NGX_HYPERDRIVE_HIGH_WATER) {
        s->choked = 1;
    }

    if (rc == NGX_ERROR
        || ngx_handle_write_event(o->net.connection->write, 0) != NGX_OK)
    {
        /* what it has said before may still be there to be read */

        ngx_hyperdrive_base_chain_clear(&o->net.out);
        ngx_hyperdrive_net_post_read(&o->net);

        return NGX_ERROR;
    }

    return NGX_OK;
}


ngx_int_t
ngx_hyperdrive_session_repeat(ngx_hyperdrive_session_t *s)
{
    ngx_str_t                 data;
    ngx_hyperdrive_origin_t  *o;

    o = s->origin;

    if (s->conf->origin->proto->repeat(s->wire, o->wire, &o->net.out, &data)
        != NGX_OK
        || ngx_hyperdrive_net_unread(&s->net, data.data, data.len) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (o->net.out.size) {
        /* an origin that is gone will tell */
        (void) ngx_hyperdrive_session_send(s);
    }

    return NGX_OK;
}


void
ngx_hyperdrive_session_refuse(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_error_t *err)
{
    if (err) {
        s->conf->origin->counters->errors_own++;
        s->total.errors++;

        ngx_hyperdrive_session_block_failed(s);
    }

    ngx_hyperdrive_session_policy_forget(s);

    s->conf->origin->proto->refuse(s->wire, &s->unit, err, &s->net.out);

    s->tried = 0;
    s->mirrored = 0;
    s->net.pos += s->unit.len;

    if (s->log && err) {
        ngx_hyperdrive_session_log_answered(s, err->sqlstate);
    }
}


void
ngx_hyperdrive_session_waiter_ready(ngx_hyperdrive_origin_waiter_t *w,
    ngx_hyperdrive_origin_t *o)
{
    ngx_int_t                      rc;
    ngx_hyperdrive_session_t      *s;
    ngx_hyperdrive_proto_error_t   err;

    s = w->data;

    s->total.waited += ngx_current_msec - w->since;

    if (s->replication) {
        ngx_hyperdrive_session_replication_ready(s, o);
        return;
    }

    if (s->state == NGX_HYPERDRIVE_SESSION_GREET) {

        ngx_hyperdrive_session_greet_ready(s, o);
        return;
    }

    if (s->conf->policy && !s->streaming) {

        /* the input may have moved while it waited: a policy may ask for
           values in it */

        (void) s->conf->origin->proto->client_request(s->wire, s->net.pos,
                                                      s->net.last, &s->unit,
                                                      &err);
    }

    ngx_hyperdrive_session_attach(s, o);

    rc = ngx_hyperdrive_session_forward(s);

    if (rc == NGX_DONE) {
        return;
    }

    if (rc == NGX_OK && ngx_hyperdrive_session_process(s) == NGX_DONE) {
        return;
    }

    (void) ngx_hyperdrive_session_rearm(s);
}


void
ngx_hyperdrive_session_waiter_failed(ngx_hyperdrive_origin_waiter_t *w,
    ngx_hyperdrive_proto_error_t *err)
{
    ngx_hyperdrive_session_t  *s;

    s = w->data;

    s->total.waited += ngx_current_msec - w->since;

    ngx_hyperdrive_session_fill_drop(s);

    if (ngx_strcmp(err->sqlstate, "28P01") == 0) {
        ngx_hyperdrive_session_auth_wrong(s, &s->user);
    }

    if (s->state == NGX_HYPERDRIVE_SESSION_GREET || s->streaming) {
        ngx_hyperdrive_session_fatal(s, err->sqlstate, err->message);
        return;
    }

    ngx_hyperdrive_session_set_state(s, NGX_HYPERDRIVE_SESSION_READY);

    if (ngx_hyperdrive_session_lookup_stale(s) == NGX_OK) {
        ngx_hyperdrive_session_resume(s);
        return;
    }

    ngx_hyperdrive_session_failed(s, err);
}


void
ngx_hyperdrive_session_unwait(ngx_hyperdrive_session_t *s)
{
    s->total.waited += ngx_current_msec - s->waiter.since;

    ngx_hyperdrive_origin_leave(&s->waiter);

    ngx_hyperdrive_session_fill_drop(s);
    ngx_hyperdrive_session_flight_forget(s);

    if (s->log) {
        ngx_hyperdrive_session_log_free(s);
    }

    ngx_hyperdrive_session_set_state(s, NGX_HYPERDRIVE_SESSION_READY);
}


void
ngx_hyperdrive_session_failed(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_error_t *err)
{
    ngx_hyperdrive_session_fill_drop(s);
    ngx_hyperdrive_session_flight_forget(s);

    ngx_hyperdrive_session_refuse(s, err);

    ngx_hyperdrive_session_resume(s);
}


void
ngx_hyperdrive_session_resume(ngx_hyperdrive_session_t *s)
{
    ngx_hyperdrive_session_set_state(s, NGX_HYPERDRIVE_SESSION_READY);

    if (s->time && !s->deferred && !s->failed) {
        /* no limit was looked at while it waited */
        ngx_hyperdrive_session_time_doing(s, NGX_HYPERDRIVE_SESSION_IDLE);
    }

    if (ngx_hyperdrive_session_process(s) != NGX_DONE) {
        (void) ngx_hyperdrive_session_rearm(s);
    }
}
