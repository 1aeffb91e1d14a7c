
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_MYSQL_POSITION_H_INCLUDED_
#define _NGX_HYPERDRIVE_MYSQL_POSITION_H_INCLUDED_


#include "ngx_hyperdrive.h"
#include "ngx_hyperdrive_proto.h"


/* as ngx_hyperdrive_proto.h has them */

char *ngx_hyperdrive_mysql_position_text(ngx_uint_t replica);
ngx_int_t ngx_hyperdrive_mysql_position_row(ngx_str_t *cols, ngx_uint_t n,
    ngx_hyperdrive_proto_position_t *position);
ngx_uint_t ngx_hyperdrive_mysql_position_has(
    ngx_hyperdrive_proto_position_t *replica,
    ngx_hyperdrive_proto_position_t *primary);
ngx_uint_t ngx_hyperdrive_mysql_position_other(
    ngx_hyperdrive_proto_position_t *one,
    ngx_hyperdrive_proto_position_t *two);


#endif /* _NGX_HYPERDRIVE_MYSQL_POSITION_H_INCLUDED_ */
