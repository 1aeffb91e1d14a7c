
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_PG_CLIENT_LOGIN_H_INCLUDED_
#define _NGX_HYPERDRIVE_PG_CLIENT_LOGIN_H_INCLUDED_


#include "ngx_hyperdrive.h"
#include "pg/ngx_hyperdrive_pg_login.h"


/* a client's log-in from the inside: its start-up and its authentication */


typedef enum {
    NGX_HYPERDRIVE_PG_CLIENT_STEP_START = 0,    /* a start-up packet, or a
                                                   request before it */
    NGX_HYPERDRIVE_PG_CLIENT_STEP_TLS,          /* 'S' was sent, the handshake
                                                   is the caller's */
    NGX_HYPERDRIVE_PG_CLIENT_STEP_LOOKUP,       /* the caller has looked the
                                                   user up */
    NGX_HYPERDRIVE_PG_CLIENT_STEP_MD5,          /* the answer to a salt */
    NGX_HYPERDRIVE_PG_CLIENT_STEP_SASL,         /* SASLInitialResponse */
    NGX_HYPERDRIVE_PG_CLIENT_STEP_FIRST,        /* client-first-message, which
                                                   was not in it */
    NGX_HYPERDRIVE_PG_CLIENT_STEP_FINAL,        /* client-final-message */
    NGX_HYPERDRIVE_PG_CLIENT_STEP_DONE          /* told the result, no more
                                                   calls */
} ngx_hyperdrive_pg_client_login_step_e;


typedef struct {
    ngx_hyperdrive_pg_client_login_step_e   step;
    unsigned                                ssl_done:1;
    unsigned                                gss_done:1;
    unsigned                                plus:1;    /* was offered */

    u_char                                 *packet;    /* parameters or key */
    size_t                                  len;

    ngx_hyperdrive_pg_scram_server_t        scram;
    u_char                                  md5_salt[4];
    u_char                                  mock_salt[
                                  ngx_hyperdrive_base_digest_base64_len(
                                                NGX_HYPERDRIVE_PG_SCRAM_SALT)];
} ngx_hyperdrive_pg_client_login_state_t;


/*
 * Takes one packet without a type: a request for encryption, to cancel, to
 * start.  AGAIN without progress: it is not whole yet.
 */
ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_startup(
    ngx_hyperdrive_pg_client_login_t *login, u_char **pos, u_char *last,
    ngx_hyperdrive_chain_t *out);


/* the ends of a log-in that fails, all return FAILED */

/* <reason> is what the client is told, too */
ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_client_login_fail(
    ngx_hyperdrive_pg_client_login_t *login, ngx_hyperdrive_chain_t *out,
    char *sqlstate, char *reason, char *detail);
/* what the client is told is in <out> already */
ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_client_login_failed(
    ngx_hyperdrive_pg_client_login_t *login, char *sqlstate, char *reason);
ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_client_login_no_memory(
    ngx_hyperdrive_pg_client_login_t *login);


#endif /* _NGX_HYPERDRIVE_PG_CLIENT_LOGIN_H_INCLUDED_ */
