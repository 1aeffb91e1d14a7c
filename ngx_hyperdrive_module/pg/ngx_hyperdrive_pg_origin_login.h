
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_PG_ORIGIN_LOGIN_H_INCLUDED_
#define _NGX_HYPERDRIVE_PG_ORIGIN_LOGIN_H_INCLUDED_


#include "ngx_hyperdrive.h"
#include "pg/ngx_hyperdrive_pg_login.h"


/* a log-in to an origin from the inside: its messages, its authentication */


typedef enum {
    NGX_HYPERDRIVE_PG_ORIGIN_STEP_START = 0,    /* nothing has been sent */
    NGX_HYPERDRIVE_PG_ORIGIN_STEP_SSL,          /* SSLRequest has been sent */
    NGX_HYPERDRIVE_PG_ORIGIN_STEP_TLS,          /* the handshake is the
                                                   caller's */
    NGX_HYPERDRIVE_PG_ORIGIN_STEP_AUTH,         /* StartupMessage has been
                                                   sent */
    NGX_HYPERDRIVE_PG_ORIGIN_STEP_ANSWERED,     /* a password has been sent:
                                                   Ok or an error */
    NGX_HYPERDRIVE_PG_ORIGIN_STEP_FIRST,        /* client-first-message has
                                                   been sent */
    NGX_HYPERDRIVE_PG_ORIGIN_STEP_FINAL,        /* client-final-message has
                                                   been sent */
    NGX_HYPERDRIVE_PG_ORIGIN_STEP_PROVEN,       /* the origin knows the
                                                   password: Ok */
    NGX_HYPERDRIVE_PG_ORIGIN_STEP_READY,        /* logged in: parameters, a
                                                   key, ReadyForQuery */
    NGX_HYPERDRIVE_PG_ORIGIN_STEP_DONE          /* told the result, no more
                                                   calls */
} ngx_hyperdrive_pg_origin_login_step_e;


typedef struct {
    ngx_hyperdrive_pg_origin_login_step_e   step;
    unsigned                                negotiated:1;

    ngx_uint_t                              messages;
    size_t                                  bytes;

    ngx_hyperdrive_pg_scram_client_t        scram;
    u_char                                  key[256];
} ngx_hyperdrive_pg_origin_login_state_t;


/* answers the request in the body of an Authentication message */
ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_origin_auth(
    ngx_hyperdrive_pg_origin_login_t *login, u_char *p, u_char *last,
    ngx_hyperdrive_chain_t *out);


/* the ends of a log-in that fails, all return FAILED */

/* the origin breaks the protocol */
ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_origin_login_violation(
    ngx_hyperdrive_pg_origin_login_t *login, char *reason);
/* another try will not help */
ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_origin_login_config(
    ngx_hyperdrive_pg_origin_login_t *login, char *sqlstate, char *reason);
ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_origin_login_fail(
    ngx_hyperdrive_pg_origin_login_t *login, char *sqlstate, char *reason);


#endif /* _NGX_HYPERDRIVE_PG_ORIGIN_LOGIN_H_INCLUDED_ */
