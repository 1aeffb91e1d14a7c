
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_PEER_H_INCLUDED_
#define _NGX_HYPERDRIVE_PEER_H_INCLUDED_


#include "ngx_hyperdrive.h"


/*
 * Messages between workers, over one socket pair (SEQPACKET) for each slot.
 * The pairs are made once, in the first init_module, and are held by every
 * process of every generation.
 */


typedef enum {
    NGX_HYPERDRIVE_PEER_WAKE = 1,    /* look for grants */
    NGX_HYPERDRIVE_PEER_YIELD,       /* give up one idle connection of the
                                        upstream whose limit is named */
    NGX_HYPERDRIVE_PEER_CANCEL,      /* a CancelRequest for one of your
                                        sessions */
    NGX_HYPERDRIVE_PEER_ORIGIN,      /* an origin connection, with its socket */
    NGX_HYPERDRIVE_PEER_CLIENT       /* a client, with its socket */
} ngx_hyperdrive_peer_type_e;


/* bytes of a message's body: what is longer goes in a memory file */
#define NGX_HYPERDRIVE_PEER_MESSAGE      16384
#define NGX_HYPERDRIVE_PEER_LARGE        (64 * 1024 * 1024)


/*
 * <fd> is -1, or a socket that now belongs to the callee.  <data> is the
 * callee's to change, until it returns.
 */
typedef void (*ngx_hyperdrive_peer_handler_pt)(ngx_uint_t from,
    ngx_uint_t type, u_char *data, size_t len, ngx_socket_t fd);


/* costs each process two descriptors a slot, of its RLIMIT_NOFILE */
ngx_int_t ngx_hyperdrive_peer_init_module(ngx_log_t *log);

/*
 * Listens on the pair of <slot>, which this process has taken in the runtime
 * zone.  The end of a process in another slot is told to <dead>, a regular
 * exit too, and possibly after the slot has changed hands; then <handler> is
 * called with a WAKE from that slot, because it may have died between a grant
 * and its wake-up.  <quit> is called once, when nginx asks this process to
 * leave.
 *
 * A message for an earlier process of this slot is dropped; one with a socket
 * is handed to <orphan> instead, with the slot of that process.  So are those
 * that lie in the slot of a dead one.
 */
typedef struct {
    ngx_hyperdrive_peer_handler_pt    handler;
    ngx_hyperdrive_peer_handler_pt    orphan;
    void                            (*dead)(ngx_uint_t slot);
    void                            (*quit)(void);
} ngx_hyperdrive_peer_callbacks_t;

ngx_int_t ngx_hyperdrive_peer_init_process(ngx_cycle_t *cycle,
    ngx_uint_t slot, ngx_hyperdrive_peer_callbacks_t *callbacks);

/*
 * NGX_OK; NGX_AGAIN: the other's queue is full (nothing was sent; a WAKE is
 * then remembered and sent again); NGX_ERROR.  The caller keeps <fd> open
 * until NGX_OK and closes its own copy then.  To oneself, or if nobody has
 * that slot, or a body that is too long: NGX_DECLINED.  A WAKE without a body
 * is not sent again until the other has read the last one.
 */
ngx_int_t ngx_hyperdrive_peer_send(ngx_uint_t slot, ngx_uint_t type,
    u_char *data, size_t len, ngx_socket_t fd);


#endif /* _NGX_HYPERDRIVE_PEER_H_INCLUDED_ */
