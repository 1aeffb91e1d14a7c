
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_BASE_URL_H_INCLUDED_
#define _NGX_HYPERDRIVE_BASE_URL_H_INCLUDED_


#include "ngx_hyperdrive.h"


typedef enum {
    NGX_HYPERDRIVE_URL_POSTGRES = 0,     /* postgres://, postgresql:// */
    NGX_HYPERDRIVE_URL_MYSQL             /* mysql://, mariadb:// */
} ngx_hyperdrive_base_url_scheme_e;


/* one name=value behind the question mark, percent-decoded */

typedef struct {
    ngx_str_t                          name;
    ngx_str_t                          value;
} ngx_hyperdrive_base_url_arg_t;

#define NGX_HYPERDRIVE_URL_MAX_ARGS    32


typedef struct {
    ngx_hyperdrive_base_url_scheme_e   scheme;
    ngx_str_t                          user;
    ngx_str_t                          password;
    unsigned                           has_password:1;
    ngx_str_t                          host;     /* IPv6 without brackets; a
                                                    path if it is a socket's
                                                    folder */
    unsigned                           unix_socket:1;
    in_port_t                          port;     /* 0: not given */
    ngx_str_t                          database; /* empty: not given */
    ngx_uint_t                         nargs;
    ngx_hyperdrive_base_url_arg_t      args[NGX_HYPERDRIVE_URL_MAX_ARGS];
} ngx_hyperdrive_base_url_t;


/*
 * Parses a connection URL as drivers take it (libpq, 34.1.1.2 "Connection
 * URIs"): percent-encoding in every part, IPv6 in brackets, unix sockets as
 * an encoded host (%2Frun%2Fpostgresql) or ?host=/run/postgresql, user,
 * password, port and database also as arguments.  Decoded strings are written
 * to <buf>, which needs text->len + 1 bytes, each with a NUL behind it.  The
 * last one of two parameters with a name counts.  NGX_ERROR: *err says what is
 * wrong, without a secret, and what to write instead.
 */
ngx_int_t ngx_hyperdrive_base_url_parse(ngx_str_t *text, u_char *buf,
    ngx_hyperdrive_base_url_t *url, char **err);


#endif /* _NGX_HYPERDRIVE_BASE_URL_H_INCLUDED_ */
