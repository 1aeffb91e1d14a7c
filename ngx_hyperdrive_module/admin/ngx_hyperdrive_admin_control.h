
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_ADMIN_CONTROL_H_INCLUDED_
#define _NGX_HYPERDRIVE_ADMIN_CONTROL_H_INCLUDED_


#include "ngx_hyperdrive.h"


typedef enum {
    NGX_HYPERDRIVE_ADMIN_SHOW = 0,
    NGX_HYPERDRIVE_ADMIN_PAUSE,
    NGX_HYPERDRIVE_ADMIN_RESUME,
    NGX_HYPERDRIVE_ADMIN_RECONNECT,
    NGX_HYPERDRIVE_ADMIN_KILL,
    NGX_HYPERDRIVE_ADMIN_PURGE
} ngx_hyperdrive_admin_action_e;


typedef struct {
    ngx_hyperdrive_admin_action_e    action;
    ngx_str_t                        name;      /* of the upstream or cache */
    ngx_str_t                        database;  /* empty: all */
    ngx_str_t                        user;
    ngx_msec_t                       time;      /* 0: no end */
    uint64_t                         digest;    /* of a statement; 0: all */
    ngx_str_t                        tag;       /* of answers; empty: all */
    ngx_str_t                        table;     /* as SQL has it */
} ngx_hyperdrive_admin_command_t;


/*
 * Carries out what an operator asks for, for all workers, and tells how far
 * that is done, as JSON in buffers of <pool>; each may be asked for again,
 * without harm.  NGX_OK; NGX_DECLINED: there is no such upstream or cache;
 * NGX_BUSY: not now; NGX_ERROR: no memory.
 */
ngx_int_t ngx_hyperdrive_admin_control(ngx_pool_t *pool,
    ngx_hyperdrive_admin_command_t *command, ngx_chain_t **out, off_t *size);


#endif /* _NGX_HYPERDRIVE_ADMIN_CONTROL_H_INCLUDED_ */
