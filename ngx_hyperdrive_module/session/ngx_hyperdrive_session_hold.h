
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_SESSION_HOLD_H_INCLUDED_
#define _NGX_HYPERDRIVE_SESSION_HOLD_H_INCLUDED_


#include "session/ngx_hyperdrive_session.h"


/*
 * Clients whose requests would count as DDL, for want of a catalog that says
 * what they do, wait a moment for it: else, while there is always one of them
 * at work, it would never be in force.  How long is bounded, and so is which
 * part of the time; what then goes on without a catalog is as right as ever.
 */

typedef struct {
    ngx_queue_t        sessions;
    ngx_queue_t        ready;      /* they go on, by the event */
    ngx_event_t        event;      /* ...or when its time is over */
    ngx_connection_t   dummy;      /* debug logging reads an event's one */
    ngx_msec_t         since;
    ngx_msec_t         next;       /* none before that */
    ngx_uint_t         failures;   /* in a row */
    unsigned           on:1;
    unsigned           longer:1;
} ngx_hyperdrive_session_hold_t;


void ngx_hyperdrive_session_hold_init(ngx_hyperdrive_session_hold_t *hold);
/* whether one is on, or may begin now */
ngx_uint_t ngx_hyperdrive_session_hold_may(
    ngx_hyperdrive_session_hold_t *hold);
/* the session's unit is left until it is woken */
void ngx_hyperdrive_session_hold(ngx_hyperdrive_session_hold_t *hold,
    ngx_hyperdrive_session_t *s);
/* what is waited for has begun, and nobody stands in its way */
void ngx_hyperdrive_session_hold_longer(ngx_hyperdrive_session_hold_t *hold);
/* all go on; <good>: what was waited for is there */
void ngx_hyperdrive_session_hold_over(ngx_hyperdrive_session_hold_t *hold,
    ngx_uint_t good);
/*
 * It has an origin, and goes on now, whatever it waits for; NGX_DONE: it is
 * gone.  The caller rearms it.
 */
ngx_int_t ngx_hyperdrive_session_hold_hurry(ngx_hyperdrive_session_t *s);
/* the session waits no more, if it did */
void ngx_hyperdrive_session_hold_forget(ngx_hyperdrive_session_t *s);


#endif /* _NGX_HYPERDRIVE_SESSION_HOLD_H_INCLUDED_ */
