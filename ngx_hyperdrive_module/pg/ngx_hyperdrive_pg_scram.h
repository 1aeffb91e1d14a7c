
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_PG_SCRAM_H_INCLUDED_
#define _NGX_HYPERDRIVE_PG_SCRAM_H_INCLUDED_


#include "ngx_hyperdrive.h"
#include "base/ngx_hyperdrive_base_digest.h"


/*
 * SCRAM-SHA-256 and SCRAM-SHA-256-PLUS (RFC 5802, RFC 7677; channel binding
 * tls-server-end-point, RFC 5929), both ends, as PostgreSQL speaks it: the
 * user's name is that of the start-up packet, the one inside is ignored.
 */

#define NGX_HYPERDRIVE_PG_SCRAM_NAME        "SCRAM-SHA-256"
#define NGX_HYPERDRIVE_PG_SCRAM_PLUS_NAME   "SCRAM-SHA-256-PLUS"

#define NGX_HYPERDRIVE_PG_SCRAM_KEY         NGX_HYPERDRIVE_BASE_DIGEST_SHA256
#define NGX_HYPERDRIVE_PG_SCRAM_SALT        16
#define NGX_HYPERDRIVE_PG_SCRAM_ITERATIONS  4096

/*
 * PBKDF2 runs on the event loop: 4096 rounds stop it for 1.5 ms, this many
 * for a third of a second.
 */
#define NGX_HYPERDRIVE_PG_SCRAM_MAX_ITERATIONS  1000000

/* one message of the exchange; a certificate's digest; a salt in base64 */
#define NGX_HYPERDRIVE_PG_SCRAM_MAX_MESSAGE     4096
#define NGX_HYPERDRIVE_PG_SCRAM_MAX_CBIND       64
#define NGX_HYPERDRIVE_PG_SCRAM_MAX_SALT        1024

/* 18 random bytes in base64, as PostgreSQL does; and the longest one */
#define NGX_HYPERDRIVE_PG_SCRAM_NONCE           24
#define NGX_HYPERDRIVE_PG_SCRAM_MAX_NONCE       128


/* what a verifier says */

typedef struct {
    ngx_uint_t                    iterations;
    ngx_str_t                     salt;      /* base64, within the text */
    u_char                        stored_key[NGX_HYPERDRIVE_PG_SCRAM_KEY];
    u_char                        server_key[NGX_HYPERDRIVE_PG_SCRAM_KEY];
} ngx_hyperdrive_pg_scram_secret_t;


/*
 * What PBKDF2 gave the last time for a password, so that the next log-in to
 * the same origin costs nothing.  One for each user and password of an
 * origin; all zero is empty.  Worth as much as the password: wipe it.
 */

typedef struct {
    ngx_uint_t                    iterations;
    u_char                        tag[NGX_HYPERDRIVE_PG_SCRAM_KEY];
    u_char                        client_key[NGX_HYPERDRIVE_PG_SCRAM_KEY];
    u_char                        server_key[NGX_HYPERDRIVE_PG_SCRAM_KEY];
} ngx_hyperdrive_pg_scram_keys_t;


/*
 * What an exchange with a client shows of its password to one who knows the
 * verifier: enough to log in, as this client, to an origin that has the very
 * same verifier.  Worth as much as the password: wipe it.
 */

#define NGX_HYPERDRIVE_PG_SCRAM_PASS_SALT   64

typedef struct {
    ngx_uint_t                    iterations;
    size_t                        salt_len;
    u_char                        salt[NGX_HYPERDRIVE_PG_SCRAM_PASS_SALT];
    u_char                        client_key[NGX_HYPERDRIVE_PG_SCRAM_KEY];
    u_char                        server_key[NGX_HYPERDRIVE_PG_SCRAM_KEY];
} ngx_hyperdrive_pg_scram_pass_t;


/* why an exchange failed; texts are constant */

typedef struct {
    char                         *sqlstate;
    char                         *message;
    char                         *detail;    /* or NULL */
} ngx_hyperdrive_pg_scram_error_t;


/* the end that knows the verifier */

typedef struct {

    /* set before the first message */

    ngx_hyperdrive_pg_scram_secret_t  secret;
    unsigned                      doomed:1;  /* no such user: all goes on as
                                                ever, and fails at the end */
    unsigned                      plus:1;    /* the client chose -PLUS */
    unsigned                      plus_offered:1;
    ngx_str_t                     cbind;     /* our certificate's digest */
    ngx_str_t                     nonce;     /* our part; a random one if
                                                empty */
    ngx_hyperdrive_pg_scram_pass_t   *pass;  /* to be filled, or NULL; stays
                                                empty (iterations 0) if the
                                                salt is too long */

    /* results */

    ngx_hyperdrive_pg_scram_error_t   error;

    /* its own */

    u_char                        flag;      /* n, y or p */
    u_char                       *auth;      /* the messages, as signed */
    size_t                        auth_len;
    ngx_str_t                     full_nonce;    /* within <auth> */
    u_char                        text[NGX_HYPERDRIVE_PG_SCRAM_KEY * 2];
} ngx_hyperdrive_pg_scram_server_t;


/* the end that knows the password */

typedef struct {

    /* set before the first message */

    ngx_str_t                     password;
    u_char                        flag;      /* n: we cannot bind; y: we could,
                                                it was not offered; p */
    ngx_str_t                     cbind;     /* the origin's certificate's
                                                digest, if p */
    ngx_str_t                     nonce;     /* a random one if empty */
    ngx_hyperdrive_pg_scram_keys_t   *keys;  /* or NULL */
    ngx_hyperdrive_pg_scram_pass_t   *pass;  /* instead of the password, or
                                                NULL */

    /* results */

    ngx_hyperdrive_pg_scram_error_t   error;

    /* its own */

    u_char                       *auth;      /* the messages, as signed */
    size_t                        auth_len;
    u_char                       *out;
    u_char                        text[NGX_HYPERDRIVE_PG_SCRAM_MAX_NONCE];
    u_char                        server_key[NGX_HYPERDRIVE_PG_SCRAM_KEY];
} ngx_hyperdrive_pg_scram_client_t;


/*
 * Reads "SCRAM-SHA-256$iterations:salt$StoredKey:ServerKey"; NGX_DECLINED if
 * it is something else.  The salt stays in the text.
 */
ngx_int_t ngx_hyperdrive_pg_scram_parse(ngx_str_t *text,
    ngx_hyperdrive_pg_scram_secret_t *secret);

/*
 * The salt of a user that has none: the same whenever it is asked for.  Use
 * it too for verifiers made of plain passwords: then a salt that changes, or
 * does not, tells nobody which users exist.
 */
ngx_int_t ngx_hyperdrive_pg_scram_mock_salt(u_char *mock_secret, size_t len,
    ngx_str_t *user, u_char *salt);

/* ngx_hyperdrive_pg_scram_verifier() with a salt of 16 bytes that is given */
ngx_int_t ngx_hyperdrive_pg_scram_verifier_salted(ngx_str_t *password,
    u_char *salt, ngx_uint_t iterations, u_char *out, size_t size);


/*
 * Each takes the message of the other end and gives the answer in <out>,
 * which is valid until the next call.  NGX_OK; NGX_ERROR: the message is
 * malformed, or memory ran out; NGX_DECLINED: the other end does not know
 * the password, or another one than <pass> was made of.  <error> is filled in
 * both cases.
 */
ngx_int_t ngx_hyperdrive_pg_scram_server_first(
    ngx_hyperdrive_pg_scram_server_t *s, ngx_str_t *in, ngx_str_t *out);
ngx_int_t ngx_hyperdrive_pg_scram_server_final(
    ngx_hyperdrive_pg_scram_server_t *s, ngx_str_t *in, ngx_str_t *out);
void ngx_hyperdrive_pg_scram_server_destroy(
    ngx_hyperdrive_pg_scram_server_t *s);

ngx_int_t ngx_hyperdrive_pg_scram_client_first(
    ngx_hyperdrive_pg_scram_client_t *c, ngx_str_t *out);
ngx_int_t ngx_hyperdrive_pg_scram_client_final(
    ngx_hyperdrive_pg_scram_client_t *c, ngx_str_t *in, ngx_str_t *out);
ngx_int_t ngx_hyperdrive_pg_scram_client_verify(
    ngx_hyperdrive_pg_scram_client_t *c, ngx_str_t *in);
void ngx_hyperdrive_pg_scram_client_destroy(
    ngx_hyperdrive_pg_scram_client_t *c);


#endif /* _NGX_HYPERDRIVE_PG_SCRAM_H_INCLUDED_ */
