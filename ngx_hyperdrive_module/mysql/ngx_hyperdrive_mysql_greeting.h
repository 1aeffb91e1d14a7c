
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_MYSQL_GREETING_H_INCLUDED_
#define _NGX_HYPERDRIVE_MYSQL_GREETING_H_INCLUDED_


#include "ngx_hyperdrive.h"
#include "mysql/ngx_hyperdrive_mysql_packet.h"


/*
 * What an origin has said of itself by the end of a log-in, as it is kept and
 * told to clients: not a packet, a form of our own.
 */

typedef struct {
    ngx_str_t    version;            /* "5.5.5-10.11.6-MariaDB", "8.4.3" */
    uint64_t     offered;            /* capabilities */
    uint64_t     capabilities;       /* that were agreed upon */
    ngx_uint_t   collation;          /* its default */
    ngx_uint_t   status;             /* after the log-in */
    ngx_str_t    changes;            /* of trackers, by the log-in */
    ngx_uint_t   role;               /* a _proto_role_e, where it was asked */
    ngx_str_t    settings;           /* ...with lines "name=value" of those by
                                        which answers differ */
} ngx_hyperdrive_mysql_greeting_t;


#define NGX_HYPERDRIVE_MYSQL_GREETING_VERSION  127
#define NGX_HYPERDRIVE_MYSQL_GREETING_CHANGES  768
#define NGX_HYPERDRIVE_MYSQL_GREETING_SETTINGS 768


/* changes and settings that are too long are left out */
void ngx_hyperdrive_mysql_greeting_write(
    ngx_hyperdrive_mysql_greeting_t *greeting, ngx_hyperdrive_chain_t *out);
/* NGX_OK, or NGX_ERROR: it is none, and all is zero */
ngx_int_t ngx_hyperdrive_mysql_greeting_read(ngx_str_t *text,
    ngx_hyperdrive_mysql_greeting_t *greeting);

/* what of it is asked for often */
uint64_t ngx_hyperdrive_mysql_greeting_capabilities(ngx_str_t *text);
ngx_uint_t ngx_hyperdrive_mysql_greeting_status(ngx_str_t *text);
ngx_uint_t ngx_hyperdrive_mysql_greeting_mariadb(ngx_str_t *text);


#endif /* _NGX_HYPERDRIVE_MYSQL_GREETING_H_INCLUDED_ */
