
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session.h"


/*
 * A worker that leaves.  After a reload there are others, with the newest
 * configuration: whoever is between transactions moves to one of them, and
 * those whose TLS cannot move are told before the deadline.  If there are
 * none, nginx stops: whoever is between transactions is told.  Either way no
 * more than so many a second, since what they do next is work for others.
 */


/* how often it is looked for who can go, milliseconds */
#define NGX_HYPERDRIVE_SESSION_DRAIN_TICK    10

/* the others have to begin in this time, or there will be none */
#define NGX_HYPERDRIVE_SESSION_DRAIN_HEIRS   10000

/* who says nothing for so long is told that it has to connect again */
#define NGX_HYPERDRIVE_SESSION_DRAIN_SILENCE 500

/*
 * Those who cannot move are told so long before the deadline, or a tenth of
 * it, as they ask for something: who is in a transaction has this time for its
 * end, less the last tenth, in which all others are told.
 */
#define NGX_HYPERDRIVE_SESSION_DRAIN_GRACE   1000

/* what is being asked of a database, by us, may take so long behind all */
#define NGX_HYPERDRIVE_SESSION_DRAIN_LINGER  5000

/* what one client costs, of so many times hyperdrive_drain's rate a second */
#define NGX_HYPERDRIVE_SESSION_DRAIN_COST    1000


static ngx_uint_t ngx_hyperdrive_session_drain_may(void);
static ngx_uint_t ngx_hyperdrive_session_drain_told(
    ngx_hyperdrive_session_t *s);
static void ngx_hyperdrive_session_drain_idle(ngx_hyperdrive_session_t *s);
static ngx_uint_t ngx_hyperdrive_session_drain_silent(
    ngx_hyperdrive_session_t *s);
static void ngx_hyperdrive_session_drain_handler(ngx_event_t *ev);
static ngx_msec_t ngx_hyperdrive_session_drain_grace(
    ngx_hyperdrive_session_drain_t *conf);
static ngx_msec_t ngx_hyperdrive_session_drain_near(
    ngx_hyperdrive_session_drain_t *conf);
static void ngx_hyperdrive_session_drain_walk(ngx_uint_t list);
static void ngx_hyperdrive_session_drain_stopped(void);
static void ngx_hyperdrive_session_drain_all(ngx_uint_t end);


/* one list for whoever goes as soon as it can, one for TLS */

#define NGX_HYPERDRIVE_SESSION_DRAIN_LISTS   2

static ngx_queue_t  ngx_hyperdrive_session_drain_rest[
                                        NGX_HYPERDRIVE_SESSION_DRAIN_LISTS];
static ngx_uint_t   ngx_hyperdrive_session_drain_nrest[
                                        NGX_HYPERDRIVE_SESSION_DRAIN_LISTS];
static ngx_queue_t  ngx_hyperdrive_session_drain_sessions;
static ngx_uint_t   ngx_hyperdrive_session_drain_nsessions;

static struct {
    ngx_event_t                       event;
    ngx_hyperdrive_session_drain_t   *conf;
    ngx_array_t                      *origins;
    ngx_msec_t                        began;
    ngx_msec_t                        last;
    ngx_uint_t                        credit;
    unsigned                          on:1;
    unsigned                          late:1;    /* the deadline is near */
    unsigned                          full:1;    /* the others take no more in
                                                    this turn */
} ngx_hyperdrive_session_drain;

/* debug logging reads an event's connection */
static ngx_connection_t  ngx_hyperdrive_session_drain_dummy;


ngx_int_t
ngx_hyperdrive_session_drain_init(ngx_cycle_t *cycle,
    ngx_hyperdrive_session_drain_t *conf, ngx_array_t *origins)
{
    ngx_uint_t    i;
    ngx_event_t  *ev;

    ngx_queue_init(&ngx_hyperdrive_session_drain_sessions);

    for (i = 0; i < NGX_HYPERDRIVE_SESSION_DRAIN_LISTS; i++) {
        ngx_queue_init(&ngx_hyperdrive_session_drain_rest[i]);
    }

    ngx_hyperdrive_session_drain.conf = conf;
    ngx_hyperdrive_session_drain.origins = origins;

    ngx_hyperdrive_session_drain_dummy.fd = (ngx_socket_t) -1;

    ev = &ngx_hyperdrive_session_drain.event;
    ev->handler = ngx_hyperdrive_session_drain_handler;
    ev->data = &ngx_hyperdrive_session_drain_dummy;
    ev->log = cycle->log;

    return NGX_OK;
}


void
ngx_hyperdrive_session_drain_add(ngx_hyperdrive_session_t *s)
{
    ngx_queue_insert_tail(&ngx_hyperdrive_session_drain_sessions, &s->all);
    ngx_hyperdrive_session_drain_nsessions++;
}


/* may be called again */

void
ngx_hyperdrive_session_drain_remove(ngx_hyperdrive_session_t *s)
{
    if (s->resting) {
        ngx_queue_remove(&s->rest);
        ngx_hyperdrive_session_drain_nrest[
                                       !ngx_hyperdrive_net_bare(&s->net)]--;
        s->resting = 0;
    }

    if (s->all.next) {
        ngx_queue_remove(&s->all);
        s->all.next = NULL;
        ngx_hyperdrive_session_drain_nsessions--;
    }
}


/*
 * Called for each change of state, which may be two a request: lists are kept
 * only in a worker that leaves.
 */

void
ngx_hyperdrive_session_drain_state(ngx_hyperdrive_session_t *s)
{
    ngx_uint_t  rests, list;

    if (!ngx_hyperdrive_session_drain.on) {
        s->rested = ngx_current_msec;
        return;
    }

    rests = (s->wire
             && (s->state == NGX_HYPERDRIVE_SESSION_READY
                 || (s->state == NGX_HYPERDRIVE_SESSION_ACTIVE
                     && s->replication)));

    if (rests == s->resting) {
        return;
    }

    list = !ngx_hyperdrive_net_bare(&s->net);

    s->resting = rests;

    if (rests) {
        s->rested = ngx_current_msec;

        ngx_queue_insert_tail(&ngx_hyperdrive_session_drain_rest[list],
                              &s->rest);
        ngx_hyperdrive_session_drain_nrest[list]++;

    } else {
        ngx_queue_remove(&s->rest);
        ngx_hyperdrive_session_drain_nrest[list]--;
    }
}


void
ngx_hyperdrive_session_drain_start(void)
{
    ngx_msec_t                 rested;
    ngx_queue_t               *q, *sessions;
    ngx_hyperdrive_session_t  *s;

    ngx_log_error(NGX_LOG_INFO, ngx_cycle->log, 0,
                  "hyperdrive: this worker leaves, with %ui clients",
                  ngx_hyperdrive_session_drain_nsessions);

    ngx_hyperdrive_shm_leave();

    ngx_hyperdrive_session_drain.on = 1;

    sessions = &ngx_hyperdrive_session_drain_sessions;

    for (q = ngx_queue_head(sessions);
         q != ngx_queue_sentinel(sessions);
         q = ngx_queue_next(q))
    {
        s = ngx_queue_data(q, ngx_hyperdrive_session_t, all);

        rested = s->rested;
        ngx_hyperdrive_session_drain_state(s);
        s->rested = rested;
    }

    /* nginx waits a moment between a reload and its word to us */

    ngx_hyperdrive_session_drain.began = ngx_current_msec
                                         - ngx_hyperdrive_shm_renewed();
    ngx_hyperdrive_session_drain.last = ngx_current_msec;

    /* it keeps the worker: a timer that may not be cancelled */

    ngx_add_timer(&ngx_hyperdrive_session_drain.event, 1);
}


ngx_int_t
ngx_hyperdrive_session_drain_turn(ngx_hyperdrive_session_t *s)
{
    ngx_int_t   rc;
    ngx_uint_t  heir;

    if (!ngx_hyperdrive_session_drain.on || !s->resting || s->origin
        || s->replication || s->heavy || !ngx_hyperdrive_net_bare(&s->net)
        || ngx_hyperdrive_session_drain.full
        || !ngx_hyperdrive_session_drain_may()
        || ngx_hyperdrive_shm_heir(&heir) != NGX_OK)
    {
        return NGX_OK;
    }

    if (s->net.out.size) {
        return NGX_AGAIN;
    }

    rc = ngx_hyperdrive_session_pass(s, heir);

    if (rc != NGX_OK) {
        ngx_hyperdrive_session_drain.full = (rc == NGX_AGAIN);
        return NGX_OK;
    }

    ngx_hyperdrive_session_drain.credit -= NGX_HYPERDRIVE_SESSION_DRAIN_COST;

    return NGX_DONE;
}


ngx_int_t
ngx_hyperdrive_session_drain_request(ngx_hyperdrive_session_t *s)
{
    if (!ngx_hyperdrive_session_drain.on || s->origin || s->deferred
        || s->failed || s->state != NGX_HYPERDRIVE_SESSION_READY
        || !ngx_hyperdrive_session_drain_told(s))
    {
        return NGX_OK;
    }

    ngx_hyperdrive_session_drain.credit -= NGX_HYPERDRIVE_SESSION_DRAIN_COST;
    ngx_hyperdrive_session_shutdown(s);

    return NGX_DONE;
}


/* there is room for one more */

static ngx_uint_t
ngx_hyperdrive_session_drain_may(void)
{
    return ngx_hyperdrive_session_drain.credit
           >= NGX_HYPERDRIVE_SESSION_DRAIN_COST;
}


/* it cannot move, and its time has come */

static ngx_uint_t
ngx_hyperdrive_session_drain_told(ngx_hyperdrive_session_t *s)
{
    ngx_int_t   rc;
    ngx_uint_t  heir;

    if (!ngx_hyperdrive_session_drain_may()) {
        return 0;
    }

    if (s->replication || ngx_hyperdrive_session_drain.late) {
        /* (replication may last for ever) */
        return 1;
    }

    rc = ngx_hyperdrive_shm_heir(&heir);

    return rc == NGX_DECLINED
           || (rc == NGX_AGAIN
               && ngx_current_msec - ngx_hyperdrive_session_drain.began
                  >= NGX_HYPERDRIVE_SESSION_DRAIN_HEIRS);
}


/*
 * A client that has just got an answer is about to ask for more: it is told
 * then, as an answer that nothing can be mistaken for.  Who is silent for a
 * while is told by itself.
 */

static void
ngx_hyperdrive_session_drain_idle(ngx_hyperdrive_session_t *s)
{
    if (!ngx_hyperdrive_net_sent(&s->net)
        || (!s->replication
            && (s->origin || s->deferred || s->failed
                || s->net.pos != s->net.last
                || ngx_current_msec - s->rested
                   < NGX_HYPERDRIVE_SESSION_DRAIN_SILENCE
                || !ngx_hyperdrive_session_drain_silent(s)))
        || !ngx_hyperdrive_session_drain_told(s))
    {
        return;
    }

    ngx_hyperdrive_session_drain.credit -= NGX_HYPERDRIVE_SESSION_DRAIN_COST;
    ngx_hyperdrive_session_shutdown(s);
}


/* it has not asked for anything that we have not read */

static ngx_uint_t
ngx_hyperdrive_session_drain_silent(ngx_hyperdrive_session_t *s)
{
    u_char             ch;
    ngx_connection_t  *c;

    c = s->net.connection;

    if ((c->ssl && SSL_pending(c->ssl->connection))
        || ngx_hyperdrive_net_held(&s->net))
    {
        return 0;
    }

    return recv(c->fd, (char *) &ch, 1, MSG_PEEK|MSG_DONTWAIT) <= 0;
}


static void
ngx_hyperdrive_session_drain_handler(ngx_event_t *ev)
{
    ngx_uint_t                       left;
    ngx_msec_t                       passed, time, grace;
    ngx_hyperdrive_session_drain_t  *conf;

    conf = ngx_hyperdrive_session_drain.conf;

    passed = ngx_current_msec - ngx_hyperdrive_session_drain.last;

    ngx_hyperdrive_session_drain.last = ngx_current_msec;
    ngx_hyperdrive_session_drain.full = 0;

    /* what was not used in a tenth of a second is lost, but for one client */

    ngx_hyperdrive_session_drain.credit += conf->rate * passed;
    ngx_hyperdrive_session_drain.credit =
        ngx_min(ngx_hyperdrive_session_drain.credit,
                ngx_max(conf->rate * 100, NGX_HYPERDRIVE_SESSION_DRAIN_COST));

    time = ngx_current_msec - ngx_hyperdrive_session_drain.began;
    grace = ngx_hyperdrive_session_drain_grace(conf);

    ngx_hyperdrive_session_drain.late
                          = (time >= ngx_hyperdrive_session_drain_near(conf));

    if (time >= conf->deadline - grace / 10) {
        ngx_hyperdrive_session_drain_all(time >= conf->deadline);

    } else {
        ngx_hyperdrive_session_drain_walk(0);
        ngx_hyperdrive_session_drain_walk(1);
        ngx_hyperdrive_session_drain_stopped();
    }

    left = ngx_hyperdrive_origin_drain(ngx_hyperdrive_session_drain.origins,
                               ngx_hyperdrive_session_drain_nsessions == 0);

    if (left && time >= conf->deadline) {
        left = ngx_hyperdrive_origin_drain_leave(
                                         ngx_hyperdrive_session_drain.origins);
    }

    if (ngx_hyperdrive_session_drain_nsessions
        || (left && time < conf->deadline
                           + NGX_HYPERDRIVE_SESSION_DRAIN_LINGER))
    {
        ngx_add_timer(ev, NGX_HYPERDRIVE_SESSION_DRAIN_TICK);
    }
}


static ngx_msec_t
ngx_hyperdrive_session_drain_grace(ngx_hyperdrive_session_drain_t *conf)
{
    return ngx_min(conf->deadline / 10, NGX_HYPERDRIVE_SESSION_DRAIN_GRACE);
}


/* when those who cannot move are told, so that it is over at the deadline */

static ngx_msec_t
ngx_hyperdrive_session_drain_near(ngx_hyperdrive_session_drain_t *conf)
{
    ngx_msec_t  time;

    time = (ngx_msec_t) ngx_hyperdrive_session_drain_nrest[1] * 1000
           / conf->rate;

    return conf->deadline - ngx_hyperdrive_session_drain_grace(conf)
           - ngx_min(conf->deadline / 2, time);
}


/* those who want nothing; each is looked at once */

static void
ngx_hyperdrive_session_drain_walk(ngx_uint_t list)
{
    ngx_uint_t                 n, heir;
    ngx_queue_t               *q, *rest;
    ngx_hyperdrive_session_t  *s;

    if (list == 1 && !ngx_hyperdrive_session_drain.late
        && ngx_hyperdrive_shm_heir(&heir) == NGX_OK)
    {
        /* TLS stays */
        return;
    }

    rest = &ngx_hyperdrive_session_drain_rest[list];

    for (n = ngx_hyperdrive_session_drain_nrest[list];
         n && !ngx_queue_empty(rest)
         && !ngx_hyperdrive_session_drain.full
         && ngx_hyperdrive_session_drain_may();
         n--)
    {
        q = ngx_queue_head(rest);

        ngx_queue_remove(q);
        ngx_queue_insert_tail(rest, q);

        s = ngx_queue_data(q, ngx_hyperdrive_session_t, rest);

        if (ngx_hyperdrive_session_drain_turn(s) != NGX_DONE) {
            ngx_hyperdrive_session_drain_idle(s);
        }
    }
}


/*
 * Those who wait because their pool is paused, which may last: nothing of what
 * they want has been done, so they move and ask for it there.
 */

static void
ngx_hyperdrive_session_drain_stopped(void)
{
    ngx_uint_t                      i, n, heir;
    ngx_queue_t                    *q, *sessions;
    ngx_hyperdrive_session_t       *s;
    ngx_hyperdrive_origin_conf_t  **conf;

    conf = ngx_hyperdrive_session_drain.origins->elts;
    n = 0;

    for (i = 0; i < ngx_hyperdrive_session_drain.origins->nelts; i++) {
        n += conf[i]->nstopped;
    }

    if (n == 0 || ngx_hyperdrive_shm_heir(&heir) != NGX_OK) {
        return;
    }

    sessions = &ngx_hyperdrive_session_drain_sessions;

    for (n = ngx_hyperdrive_session_drain_nsessions;
         n && !ngx_queue_empty(sessions)
         && !ngx_hyperdrive_session_drain.full
         && ngx_hyperdrive_session_drain_may();
         n--)
    {
        q = ngx_queue_head(sessions);

        ngx_queue_remove(q);
        ngx_queue_insert_tail(sessions, q);

        s = ngx_queue_data(q, ngx_hyperdrive_session_t, all);

        if (s->state == NGX_HYPERDRIVE_SESSION_WAIT && s->waiter.stopped
            && !s->streaming && ngx_hyperdrive_net_bare(&s->net)
            && s->net.out.size == 0)
        {
            ngx_hyperdrive_session_unwait(s);

            if (ngx_hyperdrive_session_drain_turn(s) != NGX_DONE) {
                ngx_hyperdrive_session_resume(s);
            }
        }
    }
}


/* the time is over: whoever is left is told, whatever it does; <end>: who has
   not read that by now does not */

static void
ngx_hyperdrive_session_drain_all(ngx_uint_t end)
{
    ngx_uint_t                 n;
    ngx_queue_t               *q, *sessions;
    ngx_hyperdrive_session_t  *s;

    sessions = &ngx_hyperdrive_session_drain_sessions;

    for (n = ngx_hyperdrive_session_drain_nsessions;
         n && !ngx_queue_empty(sessions);
         n--)
    {
        q = ngx_queue_head(sessions);

        ngx_queue_remove(q);
        ngx_queue_insert_tail(sessions, q);

        s = ngx_queue_data(q, ngx_hyperdrive_session_t, all);

        switch (s->state) {

        case NGX_HYPERDRIVE_SESSION_CLOSING:

            if (end) {
                ngx_hyperdrive_session_close(s);
            }

            break;

        case NGX_HYPERDRIVE_SESSION_TLS:
            ngx_hyperdrive_session_close(s);
            break;

        default:
            ngx_hyperdrive_session_shutdown(s);
            break;
        }
    }
}


void
ngx_hyperdrive_session_farewell(ngx_hyperdrive_proto_error_t *err)
{
    err->severity = "FATAL";
    err->sqlstate = "57P01";
    err->message = "terminating connection due to administrator command";
    err->hint = NULL;
}


void
ngx_hyperdrive_session_shutdown(ngx_hyperdrive_session_t *s)
{
    ngx_hyperdrive_proto_error_t  err;

    if (s->outstanding) {

        /* the database may do it all the same: not to be done again */

        ngx_hyperdrive_session_fatal(s, "08006", "terminating connection due "
                                     "to administrator command, it is not "
                                     "known what became of the last request");
        return;
    }

    ngx_hyperdrive_session_farewell(&err);
    ngx_hyperdrive_session_fatal(s, err.sqlstate, err.message);
}
