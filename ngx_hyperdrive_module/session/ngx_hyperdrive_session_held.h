
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_SESSION_HELD_H_INCLUDED_
#define _NGX_HYPERDRIVE_SESSION_HELD_H_INCLUDED_


#include "session/ngx_hyperdrive_session.h"


/*
 * MySQL: what a pinned client has left on its connection, by name, since the
 * database can be asked for names only.  What it has set in a way that no text
 * tells is asked for as well, and can be said again then.
 */

/* a statement will run that may leave these, _state_pin_ bits, or take away;
   <was>: those that there were before */
void ngx_hyperdrive_session_held_run(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_run_t *run, ngx_uint_t leaves, ngx_uint_t was);
void ngx_hyperdrive_session_held_piece(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_piece_t *piece);
/* the origin is idle: asks; NGX_OK: answers will come; NGX_DECLINED: there is
   nothing to ask, and s->pin.found is what there is */
ngx_int_t ngx_hyperdrive_session_held_ask(ngx_hyperdrive_session_t *s);
/* of a request of ours: NGX_OK: all are answered, and s->pin.found is what
   there is; NGX_AGAIN: not yet; NGX_DECLINED: it is none of these */
ngx_int_t ngx_hyperdrive_session_held_answer(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_piece_t *piece);
/* whether one of our requests waits for the origin to be idle; _held_more()
   sends it then, and returns as _held_ask() */
ngx_uint_t ngx_hyperdrive_session_held_later(ngx_hyperdrive_session_t *s);
ngx_int_t ngx_hyperdrive_session_held_more(ngx_hyperdrive_session_t *s);
void ngx_hyperdrive_session_held_free(ngx_hyperdrive_session_t *s);


#endif /* _NGX_HYPERDRIVE_SESSION_HELD_H_INCLUDED_ */
