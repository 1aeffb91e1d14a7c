
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_ORIGIN_ASK_H_INCLUDED_
#define _NGX_HYPERDRIVE_ORIGIN_ASK_H_INCLUDED_


#include "origin/ngx_hyperdrive_origin.h"


/*
 * Requests of our own, with no client behind them: what the catalog says, a
 * refresh of a kept answer, a look-up of a password.  They take a connection
 * of a pool like everybody, stand in its queue, and count in its limit.
 */

typedef struct ngx_hyperdrive_origin_ask_s  ngx_hyperdrive_origin_ask_t;

struct ngx_hyperdrive_origin_ask_s {
    /* set by the caller, zero before */

    ngx_hyperdrive_pool_t            *pool;
    ngx_msec_t                        timeout;     /* from connection to end;
                                                      0: 10 seconds */
    ngx_uint_t                        mode;        /* of the lexer */
    ngx_uint_t                        once;        /* the connection is closed
                                                      when it has answered */
    ngx_hyperdrive_state_bucket_t    *bucket;      /* the settings it is asked
                                                      with; NULL: the log-in's.
                                                      The caller keeps it */
    ngx_connection_t                 *client;      /* for the balancer, or
                                                      NULL */
    unsigned                          waited:1;    /* a client waits for it: so
                                                      does a worker that
                                                      leaves */
    unsigned                          now:1;       /* it does not stand in a
                                                      queue */
    unsigned                          attributes:1; /* the request has query
                                                      attributes */
    void                             *data;
    /* a connection is there: NGX_DECLINED: not this one; may be NULL */
    ngx_int_t                       (*take)(ngx_hyperdrive_origin_ask_t *ask,
                                        ngx_hyperdrive_origin_t *o);
    /* the request has a connection and is about to be sent; may be NULL */
    void                            (*send)(ngx_hyperdrive_origin_ask_t *ask);
    /* a piece of the answer; may be NULL */
    void                            (*piece)(ngx_hyperdrive_origin_ask_t *ask,
                                        ngx_hyperdrive_proto_piece_t *piece);
    /*
     * The end, told once; <ask> is the caller's again.  NGX_OK: answered, with
     * no error; NGX_DECLINED: the database said an error, which went by in
     * pieces; NGX_BUSY: the connection was not taken; NGX_ERROR: no
     * connection, no memory, too late.
     */
    void                            (*done)(ngx_hyperdrive_origin_ask_t *ask,
                                        ngx_int_t rc);

    /* the room's own */

    ngx_hyperdrive_origin_t          *origin;
    ngx_hyperdrive_origin_waiter_t    waiter;
    ngx_hyperdrive_chain_t            request;
    ngx_hyperdrive_chain_t            reply;
    ngx_hyperdrive_proto_error_t      err;         /* NGX_ERROR, no connection:
                                                      why; else sqlstate is
                                                      NULL */
    ngx_event_t                       timer;
    void                             *wire;
    unsigned                          blocked:1;   /* set by piece(): no more
                                                      is read, until
                                                      _ask_go_on() */
    unsigned                          late:1;      /* NGX_ERROR: it took too
                                                      long */
    unsigned                          failed:1;
    unsigned                          aligned:1;
    unsigned                          active:1;
};


/*
 * Asks <request>, one whole unit as a client sends it, which is copied.
 * done() may be called before it returns.
 */
void ngx_hyperdrive_origin_ask(ngx_hyperdrive_origin_ask_t *ask,
    u_char *request, size_t len);
/*
 * Gives it up, if it is under way: done() is not called.  From within piece(),
 * <ask> stays where it is until that returns.
 */
void ngx_hyperdrive_origin_ask_cancel(ngx_hyperdrive_origin_ask_t *ask);
/* pieces can be taken again */
void ngx_hyperdrive_origin_ask_go_on(ngx_hyperdrive_origin_ask_t *ask);


#endif /* _NGX_HYPERDRIVE_ORIGIN_ASK_H_INCLUDED_ */
