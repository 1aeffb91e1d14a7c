
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_MYSQL_CLIENT_LOGIN_H_INCLUDED_
#define _NGX_HYPERDRIVE_MYSQL_CLIENT_LOGIN_H_INCLUDED_


#include "ngx_hyperdrive.h"
#include "mysql/ngx_hyperdrive_mysql_login.h"


/* a client's log-in from the inside: its beginnings and its authentication */


/* SSLRequest: a header and 32 bytes */
#define NGX_HYPERDRIVE_MYSQL_TLS_LEN     32


typedef enum {
    NGX_HYPERDRIVE_MYSQL_STEP_RESPONSE = 0,  /* the first packet, or a request
                                                for TLS */
    NGX_HYPERDRIVE_MYSQL_STEP_TLS,           /* the handshake is the caller's */
    NGX_HYPERDRIVE_MYSQL_STEP_LOOKUP,        /* the caller has looked the user
                                                up */
    NGX_HYPERDRIVE_MYSQL_STEP_SWITCH,        /* the answer to a switch of
                                                plugins */
    NGX_HYPERDRIVE_MYSQL_STEP_FULL,          /* a password, or a request for
                                                our key */
    NGX_HYPERDRIVE_MYSQL_STEP_KEY,           /* a password under our key */
    NGX_HYPERDRIVE_MYSQL_STEP_DONE           /* no more calls */
} ngx_hyperdrive_mysql_step_e;


typedef struct {
    ngx_hyperdrive_mysql_step_e      step;
    uint64_t                         offered;
    u_char                           scramble[NGX_HYPERDRIVE_MYSQL_SCRAMBLE];
    ngx_hyperdrive_mysql_plugin_e    plugin;    /* that the client uses */
    ngx_hyperdrive_mysql_verifier_t  verifier;
    ngx_str_t                        packet;    /* the response: user and all
                                                   that is */
    ngx_str_t                        auth;      /* in it */
    u_char                           fixed[NGX_INT64_LEN];
    u_char                           collation[NGX_INT64_LEN];
    u_char                           token[1 + NGX_HYPERDRIVE_MYSQL_PASSWORD];
    unsigned                         upgraded:1;
    unsigned                         doomed:1;  /* nobody can know it */
    unsigned                         blank:1;   /* no password was sent */
} ngx_hyperdrive_mysql_client_login_t;


/* who it is: NGX_BUSY; the packet is kept, for strings in it */
ngx_int_t ngx_hyperdrive_mysql_client_login_known(
    ngx_hyperdrive_proto_login_t *login, ngx_str_t *payload,
    ngx_hyperdrive_mysql_response_t *response, ngx_hyperdrive_chain_t *out);
/* <reason> is what the client is told, too; NGX_ERROR */
ngx_int_t ngx_hyperdrive_mysql_client_login_fail(
    ngx_hyperdrive_proto_login_t *login, ngx_uint_t code, char *sqlstate,
    char *reason, ngx_hyperdrive_chain_t *out);


#endif /* _NGX_HYPERDRIVE_MYSQL_CLIENT_LOGIN_H_INCLUDED_ */
