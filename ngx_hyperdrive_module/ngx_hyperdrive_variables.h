
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_VARIABLES_H_INCLUDED_
#define _NGX_HYPERDRIVE_VARIABLES_H_INCLUDED_


#include "ngx_hyperdrive.h"
#include <ngx_stream.h>


/* $hyperdrive_*: what one client connection has done, see docs/variables.md */
ngx_int_t ngx_hyperdrive_variables_add(ngx_conf_t *cf);

/* $hyperdrive_query_*: of one request, in a query log */
extern ngx_stream_variable_t  ngx_hyperdrive_variables_query[];


#endif /* _NGX_HYPERDRIVE_VARIABLES_H_INCLUDED_ */
