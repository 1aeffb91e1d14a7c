
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session.h"


/*
 * The limits of hyperdrive_timeout for those who are logged in.  What a
 * session does, and since when, is noted as it happens, and costs two stores.
 * Its one timer is never later than the end of that, but may be earlier: then
 * it is set anew when it fires.  So a timer is set once in the shortest of
 * the times, and not for each request.
 */


/* a cancelled request has to end in this time, milliseconds */
#define NGX_HYPERDRIVE_SESSION_GRACE     5000


struct ngx_hyperdrive_session_time_s {
    ngx_event_t                      event;
    ngx_hyperdrive_session_doing_e   doing;
    ngx_msec_t                       since;
    ngx_msec_t                       moved;     /* the last byte either way */
    ngx_msec_t                       query;     /* what policy says of what is
                                                   owed; _POLICY_UNSET */
    unsigned                         cancelled:1;   /* it took too long */
    unsigned                         streamed:1;    /* the last part sent was
                                                       not the unit's end */
};


static void ngx_hyperdrive_session_time_handler(ngx_event_t *ev);
static ngx_msec_t ngx_hyperdrive_session_time_query(
    ngx_hyperdrive_session_t *s);
static ngx_uint_t ngx_hyperdrive_session_time_thinks(
    ngx_hyperdrive_session_t *s);
static ngx_msec_t ngx_hyperdrive_session_time_limit(
    ngx_hyperdrive_session_t *s, ngx_msec_t *since);
static ngx_msec_t ngx_hyperdrive_session_time_shorter(ngx_msec_t one,
    ngx_msec_t two);
static void ngx_hyperdrive_session_time_over(ngx_hyperdrive_session_t *s);


ngx_int_t
ngx_hyperdrive_session_time_start(ngx_hyperdrive_session_t *s)
{
    ngx_hyperdrive_session_time_t     *t;
    ngx_hyperdrive_session_timeout_t  *conf;

    conf = &s->conf->timeout;

    if (conf->query == 0 && conf->idle == 0 && conf->client_idle == 0
        && conf->idle_in_transaction == 0 && s->conf->policy == NULL)
    {
        return NGX_OK;
    }

    t = calloc(1, sizeof(ngx_hyperdrive_session_time_t));
    if (t == NULL) {
        return NGX_ERROR;
    }

    t->query = NGX_HYPERDRIVE_POLICY_UNSET;

    t->event.handler = ngx_hyperdrive_session_time_handler;
    t->event.data = s->net.connection;
    t->event.log = s->net.connection->log;

    /* a worker that leaves tells those who are idle by itself */
    t->event.cancelable = 1;

    s->time = t;

    ngx_hyperdrive_session_time_doing(s, NGX_HYPERDRIVE_SESSION_IDLE);

    return NGX_OK;
}


void
ngx_hyperdrive_session_time_stop(ngx_hyperdrive_session_t *s)
{
    if (s->time == NULL) {
        return;
    }

    if (s->time->event.timer_set) {
        ngx_del_timer(&s->time->event);
    }

    free(s->time);
    s->time = NULL;
}


void
ngx_hyperdrive_session_time_doing(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_doing_e doing)
{
    ngx_msec_t                         limit, since, end;
    ngx_hyperdrive_session_time_t     *t;
    ngx_hyperdrive_session_timeout_t  *conf;

    t = s->time;

    if (t == NULL) {
        return;
    }

    conf = &s->conf->timeout;

    t->doing = doing;
    t->since = ngx_current_msec;
    t->moved = ngx_current_msec;
    t->cancelled = 0;

    if (doing == NGX_HYPERDRIVE_SESSION_QUERY && !s->pin.endless) {

        /* it may turn out to be a client that thinks */

        since = t->since;
        limit = ngx_hyperdrive_session_time_shorter(
                                         ngx_hyperdrive_session_time_query(s),
                                         conf->idle_in_transaction);

    } else {
        limit = ngx_hyperdrive_session_time_limit(s, &since);
    }

    if (limit == 0) {
        return;
    }

    end = since + limit;

    if (t->event.timer_set) {

        if ((ngx_msec_int_t) (t->event.timer.key - end) <= 0) {
            return;
        }

        /* a timer that is set is not moved by less than 300 ms */

        ngx_del_timer(&t->event);
    }

    ngx_add_timer(&t->event, end - ngx_current_msec);
}


ngx_msec_t
ngx_hyperdrive_session_time_since(ngx_hyperdrive_session_t *s)
{
    return s->time ? s->time->since : ngx_current_msec;
}


void
ngx_hyperdrive_session_time_resume(ngx_hyperdrive_session_t *s,
    ngx_msec_t since)
{
    ngx_hyperdrive_session_time_t  *t;

    t = s->time;

    if (t == NULL) {
        return;
    }

    if (s->deferred || s->failed) {
        ngx_hyperdrive_session_time_doing(s, NGX_HYPERDRIVE_SESSION_BLOCK);
    }

    t->since = since;

    if (t->event.timer_set) {

        /* it is set anew when it fires */

        ngx_del_timer(&t->event);
        ngx_add_timer(&t->event, 1);
    }
}


void
ngx_hyperdrive_session_time_sent(ngx_hyperdrive_session_t *s)
{
    ngx_uint_t                      first;
    ngx_hyperdrive_session_time_t  *t;

    t = s->time;

    if (t == NULL) {
        return;
    }

    t->moved = ngx_current_msec;

    /* nothing was owed before it: its time begins now */

    first = (s->outstanding <= 1 && !s->streaming && !t->streamed);

    t->streamed = s->streaming;

    if (first || t->doing != NGX_HYPERDRIVE_SESSION_QUERY) {
        ngx_hyperdrive_session_time_doing(s, NGX_HYPERDRIVE_SESSION_QUERY);
    }
}


void
ngx_hyperdrive_session_time_piece(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_piece_t *piece)
{
    ngx_hyperdrive_proto_error_t    err;
    ngx_hyperdrive_session_time_t  *t;

    t = s->time;

    if (t == NULL) {
        return;
    }

    t->moved = ngx_current_msec;

    if (piece->type == NGX_HYPERDRIVE_PROTO_ERROR) {

        if (t->cancelled && piece->cancelled && !piece->own
            && !piece->fatal)
        {

            /* the database thinks that it was the user's wish */

            err.severity = "ERROR";
            err.sqlstate = "57014";
            err.message = "canceling statement due to statement timeout";
            err.hint = NULL;

            s->conf->origin->proto->error(s->wire, NULL, &err,
                                           &s->net.out);

            piece->own = 1;
        }

        return;
    }

    if (piece->type == NGX_HYPERDRIVE_PROTO_READY
        && t->doing == NGX_HYPERDRIVE_SESSION_QUERY)
    {
        if (t->cancelled && s->origin->cancel) {

            /* what is sent now could be hit: _session_cancelled() goes on */

            s->choked = 1;
        }

        /* the next one's turn, or nothing's, which _settled() tells */

        ngx_hyperdrive_session_time_doing(s, NGX_HYPERDRIVE_SESSION_QUERY);
    }
}


void
ngx_hyperdrive_session_time_heard(ngx_hyperdrive_session_t *s)
{
    s->time->moved = ngx_current_msec;

    if (s->time->doing == NGX_HYPERDRIVE_SESSION_IDLE) {
        s->time->since = ngx_current_msec;
    }
}


void
ngx_hyperdrive_session_time_policy(ngx_hyperdrive_session_t *s,
    ngx_msec_t limit)
{
    ngx_hyperdrive_session_time_t  *t;

    t = s->time;

    if (t == NULL || limit == NGX_HYPERDRIVE_POLICY_UNSET) {
        return;
    }

    t->query = (t->query == NGX_HYPERDRIVE_POLICY_UNSET)
               ? limit : ngx_hyperdrive_session_time_shorter(t->query, limit);
}


ngx_uint_t
ngx_hyperdrive_session_time_differs(ngx_hyperdrive_session_t *s,
    ngx_msec_t limit)
{
    return s->time && s->time->query != limit;
}


void
ngx_hyperdrive_session_time_settled(ngx_hyperdrive_session_t *s)
{
    s->time->query = NGX_HYPERDRIVE_POLICY_UNSET;

    ngx_hyperdrive_session_time_doing(s,
                         s->conf->origin->proto->origin_idle(s->origin->wire)
                         ? NGX_HYPERDRIVE_SESSION_IDLE
                         : NGX_HYPERDRIVE_SESSION_BLOCK);
}


/* how long what is owed may take; 0: as long as it likes */

static ngx_msec_t
ngx_hyperdrive_session_time_query(ngx_hyperdrive_session_t *s)
{
    return (s->time->query == NGX_HYPERDRIVE_POLICY_UNSET)
           ? s->conf->timeout.query : s->time->query;
}


/*
 * All that was asked up to a Flush has been answered: the database is in a
 * transaction, whatever it calls it, and waits.
 */

static ngx_uint_t
ngx_hyperdrive_session_time_thinks(ngx_hyperdrive_session_t *s)
{
    return s->origin && s->outstanding == 0 && !s->streaming
           && !s->conf->origin->proto->origin_owes(s->origin->wire);
}


/*
 * What the session may go on doing for how long, and since when; 0: as long as
 * it likes.
 */

static ngx_msec_t
ngx_hyperdrive_session_time_limit(ngx_hyperdrive_session_t *s,
    ngx_msec_t *since)
{
    ngx_hyperdrive_session_time_t     *t;
    ngx_hyperdrive_session_timeout_t  *conf;

    t = s->time;
    conf = &s->conf->timeout;

    *since = t->since;

    switch (t->doing) {

    case NGX_HYPERDRIVE_SESSION_QUERY:

        if (s->pin.endless) {
            return 0;
        }

        if (ngx_hyperdrive_session_time_thinks(s)) {
            *since = t->moved;
            return conf->idle_in_transaction;
        }

        return t->cancelled ? NGX_HYPERDRIVE_SESSION_GRACE
                            : ngx_hyperdrive_session_time_query(s);

    case NGX_HYPERDRIVE_SESSION_BLOCK:
        return conf->idle_in_transaction;

    default: /* NGX_HYPERDRIVE_SESSION_IDLE */
        return ngx_hyperdrive_session_time_shorter(s->origin ? conf->idle : 0,
                                                   conf->client_idle);
    }
}


/* of two limits, of which 0 is none */

static ngx_msec_t
ngx_hyperdrive_session_time_shorter(ngx_msec_t one, ngx_msec_t two)
{
    if (one && two) {
        return ngx_min(one, two);
    }

    return one ? one : two;
}


static void
ngx_hyperdrive_session_time_handler(ngx_event_t *ev)
{
    ngx_msec_t                 limit, since;
    ngx_msec_int_t             left;
    ngx_hyperdrive_session_t  *s;

    s = ngx_hyperdrive_session_of(ev->data);

    if (s->state != NGX_HYPERDRIVE_SESSION_READY
        && s->state != NGX_HYPERDRIVE_SESSION_ACTIVE)
    {
        /* who waits for a connection is bounded by the queue */
        return;
    }

    if (s->held.next) {
        /* that it waits is not its own doing */
        ngx_add_timer(ev, NGX_HYPERDRIVE_SESSION_GRACE);
        return;
    }

    limit = ngx_hyperdrive_session_time_limit(s, &since);

    if (limit == 0) {

        if (s->time->doing == NGX_HYPERDRIVE_SESSION_QUERY
            && !s->pin.endless && s->conf->timeout.idle_in_transaction)
        {
            /* the client may begin to think */
            ngx_add_timer(ev, s->conf->timeout.idle_in_transaction);
        }

        return;
    }

    left = (ngx_msec_int_t) (since + limit - ngx_current_msec);

    if (left > 0) {
        ngx_add_timer(ev, left);
        return;
    }

    ngx_hyperdrive_session_time_over(s);
}


/* what it did took too long; <s> may be gone afterwards */

static void
ngx_hyperdrive_session_time_over(ngx_hyperdrive_session_t *s)
{
    ngx_hyperdrive_session_time_t  *t;

    t = s->time;

    if (t->doing == NGX_HYPERDRIVE_SESSION_IDLE) {
        s->conf->origin->counters->timeouts++;

        ngx_hyperdrive_session_fatal(s, "57P05",
                                     "terminating connection due to "
                                     "idle-session timeout");
        return;
    }

    if (t->doing == NGX_HYPERDRIVE_SESSION_BLOCK
        || ngx_hyperdrive_session_time_thinks(s))
    {
        s->conf->origin->counters->timeouts++;

        ngx_hyperdrive_session_fatal(s, "25P03",
                                     "terminating connection due to "
                                     "idle-in-transaction timeout");
        return;
    }

    if (t->cancelled || s->origin == NULL) {
        ngx_hyperdrive_session_fatal(s, "57014",
                                     "canceling statement due to statement "
                                     "timeout, and the database does not end "
                                     "it");
        return;
    }

    /* the database fails it, and the client is told by its own words */

    ngx_log_error(NGX_LOG_INFO, s->net.connection->log, 0,
                  "hyperdrive: a request takes longer than %s, it is "
                  "cancelled",
                  (t->query == NGX_HYPERDRIVE_POLICY_UNSET)
                  ? "\"query\" of hyperdrive_timeout"
                  : "\"timeout\" of its policy");

    s->conf->origin->counters->timeouts++;

    ngx_hyperdrive_origin_cancel(s->origin);

    t->cancelled = 1;
    t->since = ngx_current_msec;

    ngx_add_timer(&t->event, NGX_HYPERDRIVE_SESSION_GRACE);
}
