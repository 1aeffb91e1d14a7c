
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_H_INCLUDED_
#define _NGX_HYPERDRIVE_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>


#define NGX_HYPERDRIVE_VERSION          "0.1.0"


/*
 * Return codes, the same in every room:
 *
 *   NGX_OK        done
 *   NGX_AGAIN     all input is consumed, wait for more
 *   NGX_BUSY      cannot take more now: a limit, or back pressure
 *   NGX_DECLINED  not mine, or not there; never an error
 *   NGX_DONE      the object is no longer yours, return at once
 *   NGX_ERROR     failed, and already logged by the one who knew most
 */


/* processes that may hold a place in shared memory at the same time */
#define NGX_HYPERDRIVE_SLOTS            128

/* one block of an input or output buffer, bytes */
#define NGX_HYPERDRIVE_BLOCK            16384

/* a statement text or a simple query that is longer is streamed, not read */
#define NGX_HYPERDRIVE_MAX_TEXT         (1024 * 1024)

/* a unit that is longer is streamed, not gathered */
#define NGX_HYPERDRIVE_MAX_UNIT         65536

/* a protocol message, as PostgreSQL's own bound (PQ_LARGE_MESSAGE_LIMIT) */
#define NGX_HYPERDRIVE_MAX_MESSAGE      0x3fffffff

/* names: user, database, statement, portal */
#define NGX_HYPERDRIVE_MAX_NAME         1024

/* what one client has prepared: texts, names and what is kept beside them */
#define NGX_HYPERDRIVE_MAX_PREPARED     (64 * 1024 * 1024)

/* output that waits for a slow reader before its source is stopped, bytes */
#define NGX_HYPERDRIVE_HIGH_WATER       (4 * NGX_HYPERDRIVE_BLOCK)


typedef struct ngx_hyperdrive_chain_s   ngx_hyperdrive_chain_t;
typedef struct ngx_hyperdrive_session_s ngx_hyperdrive_session_t;
typedef struct ngx_hyperdrive_origin_s  ngx_hyperdrive_origin_t;
typedef struct ngx_hyperdrive_pool_s    ngx_hyperdrive_pool_t;


#endif /* _NGX_HYPERDRIVE_H_INCLUDED_ */
