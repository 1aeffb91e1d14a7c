
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_SESSION_POSITION_H_INCLUDED_
#define _NGX_HYPERDRIVE_SESSION_POSITION_H_INCLUDED_


#include "session/ngx_hyperdrive_session.h"
#include "cache/ngx_hyperdrive_cache_version.h"
#include "cache/ngx_hyperdrive_cache_position.h"


/*
 * Where the origins of an upstream stand: one worker measures for all.  Of
 * upstreams with replicas, or with a primary that moves.
 */

/* init_process, exit_process */
ngx_int_t ngx_hyperdrive_session_position_init(ngx_array_t *confs);
void ngx_hyperdrive_session_position_exit(ngx_array_t *confs);

/* what all workers know; NULL: nothing is measured */
ngx_hyperdrive_cache_position_t *ngx_hyperdrive_session_position(
    ngx_hyperdrive_origin_conf_t *conf);


#endif /* _NGX_HYPERDRIVE_SESSION_POSITION_H_INCLUDED_ */
