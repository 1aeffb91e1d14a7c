
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_ORIGIN_LEFT_H_INCLUDED_
#define _NGX_HYPERDRIVE_ORIGIN_LEFT_H_INCLUDED_


#include "origin/ngx_hyperdrive_origin_ask.h"


/*
 * Connections that nobody has any more, since their worker died, or the
 * network: a database is asked, over another connection, which of them are
 * there yet.
 */

/* in one question */
#define NGX_HYPERDRIVE_ORIGIN_LEFT_MAX   64

typedef struct {
    /* set by the caller */

    ngx_uint_t     n;
    uint32_t       pids[NGX_HYPERDRIVE_ORIGIN_LEFT_MAX];
    ngx_msec_t     died;      /* when they were there yet, all of them: as
                                 ngx_current_msec */
    uint32_t       where;     /* their server, as _origin_where() has it... */
    uint32_t       line;      /* ...and _origin_line() */

    /* what the database has said */

    ngx_int_t      server;    /* NGX_OK: it is theirs; NGX_DONE: theirs has been
                                 started anew; NGX_DECLINED: another one, or
                                 that is not known */
    u_char         there[NGX_HYPERDRIVE_ORIGIN_LEFT_MAX];  /* 0: gone; else as
                                                              left_text() */
    size_t         len;
    u_char         rows[NGX_HYPERDRIVE_ORIGIN_LEFT_MAX * 64];
} ngx_hyperdrive_origin_left_t;


/*
 * For ask->send and ask->piece.  _answer(), in ask->done: NGX_OK, <there>
 * tells; NGX_DECLINED: it is another server that has answered, or its numbers
 * mean nothing (there is another pooler between), or it does not make sense.
 */
void ngx_hyperdrive_origin_left_send(ngx_hyperdrive_origin_ask_t *ask,
    ngx_hyperdrive_origin_left_t *left);
void ngx_hyperdrive_origin_left_piece(ngx_hyperdrive_origin_ask_t *ask,
    ngx_hyperdrive_origin_left_t *left, ngx_hyperdrive_proto_piece_t *piece);
ngx_int_t ngx_hyperdrive_origin_left_answer(ngx_hyperdrive_proto_t *proto,
    ngx_hyperdrive_origin_left_t *left);


/*
 * Connections of dead workers, whose places count until the database has let
 * them go: has it asked, if there are any, and ends what still runs there.
 * Called when a worker has died, and now and then.
 */
void ngx_hyperdrive_origin_left(ngx_hyperdrive_origin_conf_t *conf);


#endif /* _NGX_HYPERDRIVE_ORIGIN_LEFT_H_INCLUDED_ */
