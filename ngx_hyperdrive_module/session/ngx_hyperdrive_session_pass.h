
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_SESSION_PASS_H_INCLUDED_
#define _NGX_HYPERDRIVE_SESSION_PASS_H_INCLUDED_


#include "session/ngx_hyperdrive_session.h"


/*
 * A session on its way to another process, as _pass.c writes and _take.c
 * reads it: strings behind their lengths and integers, in this order.
 *
 *     version
 *     farewell      what the client is told if it cannot be taken
 *     flags
 *     upstream      the name of what it was passed to
 *     pool          the pool's key
 *     user          that has logged in
 *     by, proof     ...as it was let in
 *     password      ...and, where the pool logs in as the client, by what:
 *     token         else both are empty
 *     key           that cancels
 *     number
 *     cached, queries, hits, misses, errors, waited
 *     connection    its number, when it came (seconds, milliseconds; in this
 *                   machine's time), bytes that it has got
 *     since         it has been doing what it does
 *     source        of the PROXY protocol, empty if there is none: address,
 *                   destination, port, port
 *     base          settings of its start-up
 *     committed     ...and what it has set
 *     diag          MySQL: what its last statement has left
 *     input         that has not been looked at
 *     wire          the protocol's own
 */

#define NGX_HYPERDRIVE_SESSION_PASS_VERSION   3

#define NGX_HYPERDRIVE_SESSION_PASS_DEFERRED  0x003    /* two bits */
#define NGX_HYPERDRIVE_SESSION_PASS_FAILED    0x004
#define NGX_HYPERDRIVE_SESSION_PASS_WILD      0x008
#define NGX_HYPERDRIVE_SESSION_PASS_SETTINGS  0x010
#define NGX_HYPERDRIVE_SESSION_PASS_PROXY     0x020
#define NGX_HYPERDRIVE_SESSION_PASS_DIAG      0x040


#endif /* _NGX_HYPERDRIVE_SESSION_PASS_H_INCLUDED_ */
