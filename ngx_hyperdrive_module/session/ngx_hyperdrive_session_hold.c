
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session_hold.h"


/* milliseconds until all before them are done, and then for what they want */
#define NGX_HYPERDRIVE_SESSION_HOLD_TIME    1000
#define NGX_HYPERDRIVE_SESSION_HOLD_LONGER  5000

/* nobody is held for so many times as long as it has taken, doubled for each
   time in vain... */
#define NGX_HYPERDRIVE_SESSION_HOLD_REST    10
#define NGX_HYPERDRIVE_SESSION_HOLD_DOUBLE  3

/* ...but for the first second of so many milliseconds, doubled as well */
#define NGX_HYPERDRIVE_SESSION_HOLD_EVERY   5000


static ngx_msec_t ngx_hyperdrive_session_hold_left(
    ngx_hyperdrive_session_hold_t *hold);
static void ngx_hyperdrive_session_hold_handler(ngx_event_t *ev);
static void ngx_hyperdrive_session_hold_go_on(ngx_hyperdrive_session_t *s);


void
ngx_hyperdrive_session_hold_init(ngx_hyperdrive_session_hold_t *hold)
{
    ngx_memzero(hold, sizeof(ngx_hyperdrive_session_hold_t));

    ngx_queue_init(&hold->sessions);
    ngx_queue_init(&hold->ready);

    hold->dummy.fd = (ngx_socket_t) -1;
    hold->dummy.data = hold;

    hold->event.handler = ngx_hyperdrive_session_hold_handler;
    hold->event.data = &hold->dummy;
    hold->event.log = ngx_cycle->log;
    hold->event.cancelable = 1;

    hold->next = ngx_current_msec;
}


ngx_uint_t
ngx_hyperdrive_session_hold_may(ngx_hyperdrive_session_hold_t *hold)
{
    return hold->on || ngx_hyperdrive_session_hold_left(hold);
}


/* how long one that begins now may last; 0: none may */

static ngx_msec_t
ngx_hyperdrive_session_hold_left(ngx_hyperdrive_session_hold_t *hold)
{
    ngx_msec_t  passed;

    if ((ngx_msec_int_t) (ngx_current_msec - hold->next) >= 0) {
        return NGX_HYPERDRIVE_SESSION_HOLD_TIME;
    }

    /*
     * If each process held its clients at a time of its own, the others' would
     * be in the way again.  The clock is the same for all of them.
     */

    passed = ngx_current_msec
             % (NGX_HYPERDRIVE_SESSION_HOLD_EVERY
                << ngx_min(hold->failures, NGX_HYPERDRIVE_SESSION_HOLD_DOUBLE));

    return NGX_HYPERDRIVE_SESSION_HOLD_TIME
           - ngx_min(passed, NGX_HYPERDRIVE_SESSION_HOLD_TIME);
}


void
ngx_hyperdrive_session_hold(ngx_hyperdrive_session_hold_t *hold,
    ngx_hyperdrive_session_t *s)
{
    if (!hold->on) {
        hold->on = 1;
        hold->longer = 0;
        hold->since = ngx_current_msec;

        ngx_add_timer(&hold->event, ngx_hyperdrive_session_hold_left(hold));
    }

    if (s->held.next == NULL) {
        ngx_queue_insert_tail(&hold->sessions, &s->held);
        s->conf->origin->counters->catalog_waits++;
    }

    if (s->origin == NULL) {
        ngx_hyperdrive_session_set_state(s, NGX_HYPERDRIVE_SESSION_HELD);
    }
}


void
ngx_hyperdrive_session_hold_longer(ngx_hyperdrive_session_hold_t *hold)
{
    if (!hold->on || hold->longer) {
        return;
    }

    hold->longer = 1;

    ngx_del_timer(&hold->event);
    ngx_add_timer(&hold->event, NGX_HYPERDRIVE_SESSION_HOLD_LONGER);
}


void
ngx_hyperdrive_session_hold_over(ngx_hyperdrive_session_hold_t *hold,
    ngx_uint_t good)
{
    ngx_uint_t  n;

    hold->failures = good ? 0 : hold->failures + hold->on;

    if (!hold->on) {
        return;
    }

    hold->on = 0;

    n = ngx_min(hold->failures, NGX_HYPERDRIVE_SESSION_HOLD_DOUBLE);

    hold->next = ngx_current_msec
                 + ((ngx_current_msec - hold->since)
                    * NGX_HYPERDRIVE_SESSION_HOLD_REST << n);

    if (hold->event.timer_set) {
        ngx_del_timer(&hold->event);
    }

    /* one that begins before they are woken is the others' */

    ngx_queue_add(&hold->ready, &hold->sessions);
    ngx_queue_init(&hold->sessions);

    ngx_post_event(&hold->event, &ngx_posted_events);
}


void
ngx_hyperdrive_session_hold_forget(ngx_hyperdrive_session_t *s)
{
    if (s->held.next) {
        ngx_queue_remove(&s->held);
        s->held.next = NULL;
    }
}


ngx_int_t
ngx_hyperdrive_session_hold_hurry(ngx_hyperdrive_session_t *s)
{
    ngx_int_t  rc;

    ngx_hyperdrive_session_hold_forget(s);

    if (s->time) {
        ngx_hyperdrive_session_time_resume(s, ngx_current_msec);
    }

    s->hurried = 1;

    rc = ngx_hyperdrive_session_process(s);

    if (rc != NGX_DONE) {
        s->hurried = 0;
    }

    return rc;
}


static void
ngx_hyperdrive_session_hold_handler(ngx_event_t *ev)
{
    ngx_queue_t                    *q;
    ngx_connection_t               *c;
    ngx_hyperdrive_session_t       *s;
    ngx_hyperdrive_session_hold_t  *hold;

    c = ev->data;
    hold = c->data;

    if (ev->timedout) {
        ev->timedout = 0;
        ngx_hyperdrive_session_hold_over(hold, 0);
    }

    /* one may close another, which takes that off the list */

    while (!ngx_queue_empty(&hold->ready)) {

        q = ngx_queue_head(&hold->ready);
        s = ngx_queue_data(q, ngx_hyperdrive_session_t, held);

        ngx_hyperdrive_session_hold_forget(s);
        ngx_hyperdrive_session_hold_go_on(s);
    }
}


static void
ngx_hyperdrive_session_hold_go_on(ngx_hyperdrive_session_t *s)
{
    if (s->state == NGX_HYPERDRIVE_SESSION_HELD) {
        ngx_hyperdrive_session_resume(s);
        return;
    }

    /* in a block of its own, with an origin */

    if (s->time) {
        ngx_hyperdrive_session_time_resume(s, ngx_current_msec);
    }

    if (ngx_hyperdrive_session_process(s) != NGX_DONE) {
        (void) ngx_hyperdrive_session_rearm(s);
    }
}
