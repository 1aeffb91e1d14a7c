
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_ADMIN_JSON_H_INCLUDED_
#define _NGX_HYPERDRIVE_ADMIN_JSON_H_INCLUDED_


#include "ngx_hyperdrive.h"


/* JSON, into buffers of a pool */

typedef struct {
    ngx_pool_t                          *pool;
    ngx_buf_t                           *buf;
    ngx_chain_t                         *out;
    ngx_chain_t                        **last;
    unsigned                             failed:1;  /* no memory */
} ngx_hyperdrive_admin_json_t;


void ngx_hyperdrive_admin_json_init(ngx_hyperdrive_admin_json_t *w,
    ngx_pool_t *pool);
/* a format of nginx's own; 512 bytes at most */
void ngx_hyperdrive_admin_json_write(ngx_hyperdrive_admin_json_t *w,
    const char *fmt, ...);
/* in quotes, escaped, and valid UTF-8 */
void ngx_hyperdrive_admin_json_string(ngx_hyperdrive_admin_json_t *w,
    ngx_str_t *s);
off_t ngx_hyperdrive_admin_json_size(ngx_hyperdrive_admin_json_t *w);


#endif /* _NGX_HYPERDRIVE_ADMIN_JSON_H_INCLUDED_ */
