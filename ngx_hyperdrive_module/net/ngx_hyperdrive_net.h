
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_NET_H_INCLUDED_
#define _NGX_HYPERDRIVE_NET_H_INCLUDED_


#include "ngx_hyperdrive.h"
#include <ngx_event.h>
#include "base/ngx_hyperdrive_base_chain.h"
#include "base/ngx_hyperdrive_base_codec.h"


/*
 * The two directions of one connection.  Input is read into a buffer that the
 * whole worker shares; what a handler leaves there is copied out at its end
 * (_keep), so that a connection without unread input holds no memory.  A
 * handler must not start another handler between _recv() and _keep().
 */

typedef struct ngx_hyperdrive_net_coded_s  ngx_hyperdrive_net_coded_t;

typedef struct {
    ngx_connection_t         *connection;
    u_char                   *pos;      /* input that has not been consumed */
    u_char                   *last;
    ngx_hyperdrive_block_t   *in;       /* where it is, if it is our own */
    ngx_hyperdrive_chain_t    out;
    size_t                    ahead;    /* no more than so many bytes are taken
                                           from the socket before they are
                                           consumed; 0: no limit */
    uint64_t                  received; /* bytes of the protocol */
    uint64_t                  sent;
    ngx_hyperdrive_net_coded_t
                             *coded;    /* what they go through, or NULL */
} ngx_hyperdrive_net_t;


/*
 * Reads once.  NGX_OK: there is more input; NGX_AGAIN; NGX_BUSY: <max> bytes
 * are waiting to be consumed; NGX_DONE: the peer has closed; NGX_ERROR.
 */
ngx_int_t ngx_hyperdrive_net_recv(ngx_hyperdrive_net_t *net, size_t max);

/* at the end of a handler: takes what is not consumed out of the shared
   buffer; NGX_ERROR: no memory */
ngx_int_t ngx_hyperdrive_net_keep(ngx_hyperdrive_net_t *net);

/* puts <data>, which is copied, in front of the input; NGX_ERROR: no memory */
ngx_int_t ngx_hyperdrive_net_unread(ngx_hyperdrive_net_t *net, u_char *data,
    size_t len);

/*
 * Sends what it can.  NGX_OK: nothing is left; NGX_AGAIN: the write event
 * will tell; NGX_ERROR.
 */
ngx_int_t ngx_hyperdrive_net_flush(ngx_hyperdrive_net_t *net);

/* its socket is all that there is of it: another process could have it */
ngx_uint_t ngx_hyperdrive_net_bare(ngx_hyperdrive_net_t *net);

/* something has been received that is not input yet, TLS aside */
ngx_uint_t ngx_hyperdrive_net_held(ngx_hyperdrive_net_t *net);

/* all that was to be sent is */
ngx_uint_t ngx_hyperdrive_net_sent(ngx_hyperdrive_net_t *net);

/*
 * All that is sent and received from now on goes through it, which is ours
 * then.  NGX_ERROR: no memory, or it is NULL.
 */
ngx_int_t ngx_hyperdrive_net_code(ngx_hyperdrive_net_t *net,
    ngx_hyperdrive_base_codec_t *codec);

/*
 * Has the write handler called in this turn of the event loop, behind all
 * handlers of events that have come: what many handlers write is sent in one
 * go, so that a reader which sleeps is woken once and not for each piece.  If
 * the socket takes no more now, it is called when it does.  NGX_OK, NGX_ERROR.
 */
ngx_int_t ngx_hyperdrive_net_post_write(ngx_hyperdrive_net_t *net);

/* frees the buffers, not the connection */
void ngx_hyperdrive_net_free(ngx_hyperdrive_net_t *net);

/* one more look at the socket, in this turn of the event loop */
void ngx_hyperdrive_net_post_read(ngx_hyperdrive_net_t *net);


#endif /* _NGX_HYPERDRIVE_NET_H_INCLUDED_ */
