
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_MYSQL_H_INCLUDED_
#define _NGX_HYPERDRIVE_MYSQL_H_INCLUDED_


#include "ngx_hyperdrive_proto.h"


extern ngx_hyperdrive_proto_t  ngx_hyperdrive_mysql_proto;


#endif /* _NGX_HYPERDRIVE_MYSQL_H_INCLUDED_ */
