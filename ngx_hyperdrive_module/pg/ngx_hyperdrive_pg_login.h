
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_PG_LOGIN_H_INCLUDED_
#define _NGX_HYPERDRIVE_PG_LOGIN_H_INCLUDED_


#include "ngx_hyperdrive.h"
#include "base/ngx_hyperdrive_base_chain.h"
#include "pg/ngx_hyperdrive_pg_scram.h"


/*
 * Both ends of a PostgreSQL start-up (manual, 55.2.1 "Start-up", 55.3 "SASL
 * Authentication", 55.2.10 "SSL Session Encryption").  Pure: bytes in, bytes
 * out; the caller moves them, does the TLS handshake and keeps the time.
 * The state is allocated by the caller (all zero) and freed by _destroy(),
 * which also wipes secrets.
 */


/* a start-up parameter; both strings point into the login's own memory */

typedef struct {
    ngx_str_t                name;
    ngx_str_t                value;
} ngx_hyperdrive_pg_param_t;

#define NGX_HYPERDRIVE_PG_MAX_PARAMS     64
#define NGX_HYPERDRIVE_PG_MAX_STARTUP    10000   /* bytes, as the server's */


typedef enum {
    NGX_HYPERDRIVE_PG_LOGIN_AGAIN = 0,   /* all input consumed, wait */
    NGX_HYPERDRIVE_PG_LOGIN_TLS,         /* send <out> (a single 'S'), then do
                                            the TLS handshake, then go on */
    NGX_HYPERDRIVE_PG_LOGIN_CANCEL,      /* a CancelRequest: cancel_key/len;
                                            close without an answer */
    NGX_HYPERDRIVE_PG_LOGIN_LOOKUP,      /* user and database are known: the
                                            caller checks the database, looks
                                            the user up, sets auth and secret
                                            (or found = 0), calls again */
    NGX_HYPERDRIVE_PG_LOGIN_OK,          /* authenticated; AuthenticationOk is
                                            in <out>; what follows (Parameter
                                            Status, BackendKeyData, Ready) is
                                            the caller's */
    NGX_HYPERDRIVE_PG_LOGIN_FAILED       /* the client's end: an ErrorResponse
                                            is in <out> (nothing if memory ran
                                            out): send it and close; <reason>
                                            for the log */
} ngx_hyperdrive_pg_login_rc_e;


typedef enum {
    NGX_HYPERDRIVE_PG_AUTH_TRUST = 0,    /* hyperdrive_users off */
    NGX_HYPERDRIVE_PG_AUTH_MD5,          /* the stored secret is md5... */
    NGX_HYPERDRIVE_PG_AUTH_SCRAM         /* a SCRAM verifier, or unknown user */
} ngx_hyperdrive_pg_auth_e;


typedef struct ngx_hyperdrive_pg_client_login_s
    ngx_hyperdrive_pg_client_login_t;

struct ngx_hyperdrive_pg_client_login_s {

    /* set by the caller before the first call */

    unsigned                 tls_offered:1;  /* SSLRequest is answered 'S' */
    unsigned                 tls:1;          /* the connection is encrypted now
                                                (set again after the
                                                handshake) */
    unsigned                 channel_binding:1;   /* offer SCRAM-PLUS; needs
                                                     cert_hash */
    ngx_str_t                cert_hash;      /* tls-server-end-point, RFC 5929:
                                                digest of our certificate, 64
                                                bytes at most; valid to the
                                                end */
    u_char                   mock_secret[32];  /* salts of unknown users */
    ngx_uint_t               mock_iterations;  /* ...and their iteration count;
                                                  0: 4096 */
    unsigned                 keep:1;         /* fill <pass> */

    /* set by the caller after LOOKUP */

    unsigned                 found:1;        /* the user exists */
    ngx_hyperdrive_pg_auth_e auth;
    ngx_str_t                secret;         /* "md5..." or
                                                "SCRAM-SHA-256$..."; stays
                                                valid to the end */

    /* results */

    uint32_t                 protocol;       /* as negotiated: 0x30000 or
                                                0x30002 */
    ngx_str_t                user;
    ngx_str_t                database;       /* the user's name if absent */
    ngx_str_t                replication;    /* value, or empty */
    ngx_uint_t               nparams;        /* all others, options included */
    ngx_hyperdrive_pg_param_t params[NGX_HYPERDRIVE_PG_MAX_PARAMS];
    ngx_str_t                cancel_pid;     /* 4 bytes, as in the message */
    ngx_str_t                cancel_key;     /* 4 to 256 bytes */
    ngx_hyperdrive_pg_scram_pass_t   pass;   /* OK, by SCRAM, and <keep>: logs
                                                in to an origin with the same
                                                verifier, if it has
                                                iterations; wiped by
                                                _destroy() */
    char                    *reason;         /* for the log, when FAILED; a
                                                constant, never a secret */
    char                     sqlstate[6];

    void                    *state;          /* the login's own */
};


/*
 * Consumes from *pos to <last> (cut anywhere; what is not consumed, at most
 * one message of NGX_HYPERDRIVE_PG_MAX_STARTUP + 4 bytes, the caller gives
 * again with more behind it) and appends the answers to <out>.  A message
 * that is too long is refused as soon as its length is seen.  What stands
 * behind the last message stays in the input.
 */
ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_client_login(
    ngx_hyperdrive_pg_client_login_t *login, u_char **pos, u_char *last,
    ngx_hyperdrive_chain_t *out);
void ngx_hyperdrive_pg_client_login_destroy(
    ngx_hyperdrive_pg_client_login_t *login);


typedef enum {
    NGX_HYPERDRIVE_PG_SSL_DISABLE = 0,
    NGX_HYPERDRIVE_PG_SSL_ALLOW,
    NGX_HYPERDRIVE_PG_SSL_PREFER,
    NGX_HYPERDRIVE_PG_SSL_REQUIRE,
    NGX_HYPERDRIVE_PG_SSL_VERIFY_CA,
    NGX_HYPERDRIVE_PG_SSL_VERIFY_FULL
} ngx_hyperdrive_pg_sslmode_e;


typedef struct ngx_hyperdrive_pg_origin_login_s
    ngx_hyperdrive_pg_origin_login_t;

struct ngx_hyperdrive_pg_origin_login_s {

    /* set by the caller before the first call */

    ngx_str_t                user;
    ngx_str_t                database;       /* may be empty: the user's */
    ngx_str_t                password;       /* plain, may be empty; then... */
    ngx_str_t                md5;            /* ...this does for md5: "md5..."
                                                as in pg_authid, or empty */
    ngx_hyperdrive_pg_scram_pass_t  *pass;   /* ...and this for SCRAM, or
                                                NULL */
    ngx_uint_t               nparams;        /* application_name, options... */
    ngx_hyperdrive_pg_param_t params[NGX_HYPERDRIVE_PG_MAX_PARAMS];
    unsigned                 request_tls:1;  /* start with SSLRequest */
    unsigned                 require_tls:1;  /* 'N' is an error */
    unsigned                 tls:1;          /* set by the caller after the
                                                handshake */
    unsigned                 allow_cleartext:1;   /* password in clear without
                                                     TLS */
    ngx_str_t                cert_hash;      /* of the peer's certificate, set
                                                after the handshake; empty: no
                                                channel binding */
    ngx_hyperdrive_pg_scram_keys_t  *keys;   /* kept from log-in to log-in of
                                                the same user, saves PBKDF2;
                                                or NULL */

    /* results */

    uint32_t                 backend_pid;
    ngx_str_t                backend_key;    /* 4 bytes (protocol 3.0), up to
                                                256 from those that are not
                                                PostgreSQL; empty: none */
    ngx_uint_t               notices;        /* that came and were dropped */
    ngx_hyperdrive_chain_t   parameters;     /* the ParameterStatus messages,
                                                whole, as they came */
    ngx_hyperdrive_chain_t   error;          /* FAILED: the origin's
                                                ErrorResponse, whole, or one
                                                made up */
    char                    *reason;         /* for the log, when FAILED */
    char                     sqlstate[6];    /* of the error */
    unsigned                 fatal_config:1; /* wrong password, no such
                                                database...: another try will
                                                not help */
    unsigned                 own_error:1;    /* <error> is made up by us */

    void                    *state;          /* the login's own */
};


/* the longest message of an origin during log-in, its type not counted */
#define NGX_HYPERDRIVE_PG_MAX_ORIGIN_MESSAGE  65536

/*
 * As above (one message is NGX_HYPERDRIVE_PG_MAX_ORIGIN_MESSAGE + 1 bytes at
 * most); the first call (with no input) starts.  Results: AGAIN, TLS (do the
 * handshake as a client, set tls and cert_hash, call again), OK (idle, the
 * ReadyForQuery has been read; what stands behind it, an asynchronous message,
 * stays in the input), FAILED.  <user>, <database>, <password>, <params>,
 * <cert_hash> and <keys> stay valid to the end.  _destroy() also empties
 * <parameters> and <error>: take them before, with _base_chain_move().
 */
ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_origin_login(
    ngx_hyperdrive_pg_origin_login_t *login, u_char **pos, u_char *last,
    ngx_hyperdrive_chain_t *out);
void ngx_hyperdrive_pg_origin_login_destroy(
    ngx_hyperdrive_pg_origin_login_t *login);


/*
 * The verifier of a password, as the server would store it (RFC 5803 form,
 * "SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey"), with SASLprep where
 * it applies; <out> is NUL-terminated.  Takes a millisecond or two.
 */
#define NGX_HYPERDRIVE_PG_VERIFIER_LEN   192
ngx_int_t ngx_hyperdrive_pg_scram_verifier(ngx_str_t *password,
    u_char *out, size_t size);


#endif /* _NGX_HYPERDRIVE_PG_LOGIN_H_INCLUDED_ */
