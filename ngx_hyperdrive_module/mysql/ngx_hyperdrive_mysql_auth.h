
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_MYSQL_AUTH_H_INCLUDED_
#define _NGX_HYPERDRIVE_MYSQL_AUTH_H_INCLUDED_


#include "ngx_hyperdrive.h"
#include "base/ngx_hyperdrive_base_digest.h"


/*
 * What the plugins compute.  NGX_ERROR: the library cannot, unless said
 * otherwise.
 */


typedef enum {
    NGX_HYPERDRIVE_MYSQL_PLUGIN_NATIVE = 0,  /* mysql_native_password */
    NGX_HYPERDRIVE_MYSQL_PLUGIN_SHA2,        /* caching_sha2_password */
    NGX_HYPERDRIVE_MYSQL_PLUGIN_CLEAR,       /* mysql_clear_password */
    NGX_HYPERDRIVE_MYSQL_PLUGIN_ED25519,     /* client_ed25519; the origin's end
                                                only */
    NGX_HYPERDRIVE_MYSQL_PLUGIN_OTHER
} ngx_hyperdrive_mysql_plugin_e;


/* kinds of verifiers, as bits */

#define NGX_HYPERDRIVE_MYSQL_KIND_BOTH   1   /* made of a password, for both */
#define NGX_HYPERDRIVE_MYSQL_KIND_NATIVE 2   /* *HEX */
#define NGX_HYPERDRIVE_MYSQL_KIND_SHA2   4   /* $A$005$... */


#define NGX_HYPERDRIVE_MYSQL_SCRAMBLE    20

/* client_ed25519's, and what it is answered with */
#define NGX_HYPERDRIVE_MYSQL_SCRAMBLE_MAX  32
#define NGX_HYPERDRIVE_MYSQL_SIGNATURE     64

#define NGX_HYPERDRIVE_MYSQL_SHA1        NGX_HYPERDRIVE_BASE_DIGEST_SHA1
#define NGX_HYPERDRIVE_MYSQL_SHA256      NGX_HYPERDRIVE_BASE_DIGEST_SHA256

/* a password that is longer is none */
#define NGX_HYPERDRIVE_MYSQL_PASSWORD    256


typedef struct {
    ngx_uint_t   kind;
    u_char       native[NGX_HYPERDRIVE_MYSQL_SHA1];    /* SHA1(SHA1(p)) */
    u_char       sha2[NGX_HYPERDRIVE_MYSQL_SHA256];    /* the same, SHA256 */
    ngx_uint_t   rounds;
    u_char       salt[NGX_HYPERDRIVE_MYSQL_SCRAMBLE];
    u_char       crypt[NGX_HYPERDRIVE_BASE_DIGEST_CRYPT];
} ngx_hyperdrive_mysql_verifier_t;


ngx_hyperdrive_mysql_plugin_e ngx_hyperdrive_mysql_plugin(ngx_str_t *name);
/* with its NUL */
ngx_str_t *ngx_hyperdrive_mysql_plugin_name(
    ngx_hyperdrive_mysql_plugin_e plugin);

/* the kind that a text has; 0: it is a password */
ngx_uint_t ngx_hyperdrive_mysql_verifier_kind(ngx_str_t *text);
/* NGX_DECLINED: it is none */
ngx_int_t ngx_hyperdrive_mysql_verifier_read(ngx_str_t *text,
    ngx_hyperdrive_mysql_verifier_t *verifier);
/* of _KIND_BOTH; <out> has 256 bytes and becomes a string */
ngx_int_t ngx_hyperdrive_mysql_verifier_make(ngx_str_t *password, u_char *out);
/* one that no password fits, of one of the <kinds> */
ngx_int_t ngx_hyperdrive_mysql_verifier_mock(ngx_str_t *user, u_char *mock,
    ngx_uint_t kinds, ngx_hyperdrive_mysql_verifier_t *verifier);

/* bytes that are no zero */
ngx_int_t ngx_hyperdrive_mysql_scramble(u_char *out);

/*
 * What proves that one knows a password whose digest is <once>; and whether it
 * does so: NGX_OK, and <once> is found, or NGX_DECLINED.
 */
ngx_int_t ngx_hyperdrive_mysql_native_prove(u_char *once, u_char *scramble,
    u_char *out);
ngx_int_t ngx_hyperdrive_mysql_native_check(u_char *twice, u_char *scramble,
    ngx_str_t *proof, u_char *once);
ngx_int_t ngx_hyperdrive_mysql_sha2_prove(u_char *once, u_char *scramble,
    u_char *out);
ngx_int_t ngx_hyperdrive_mysql_sha2_check(u_char *twice, u_char *scramble,
    ngx_str_t *proof, u_char *once);

/* of a scramble of _SCRAMBLE_MAX bytes */
ngx_int_t ngx_hyperdrive_mysql_ed25519_sign(ngx_str_t *password,
    u_char *scramble, u_char *out);

/* whether it is the password: NGX_OK or NGX_DECLINED; <twice>: SHA-256 */
ngx_int_t ngx_hyperdrive_mysql_password_check(ngx_str_t *password,
    ngx_hyperdrive_mysql_verifier_t *verifier, u_char *twice);

/*
 * Under RSA.  Our own key is made when it is first asked for, once in a
 * process, which takes a tenth of a second.  <pem> stays ours.
 */
ngx_int_t ngx_hyperdrive_mysql_rsa_key(ngx_str_t *pem);
/* a password with its NUL that was sent to us: NGX_OK, and *password is in
   <out>, of _RSA_MAX bytes; NGX_DECLINED: not with our key */
#define NGX_HYPERDRIVE_MYSQL_RSA_MAX     1024
ngx_int_t ngx_hyperdrive_mysql_rsa_open(ngx_str_t *text, u_char *scramble,
    u_char *out, ngx_str_t *password);
/* NGX_DECLINED: it is no key, or one that is too short for the password;
   <out> has _RSA_MAX bytes */
ngx_int_t ngx_hyperdrive_mysql_rsa_seal(ngx_str_t *password, ngx_str_t *pem,
    u_char *scramble, u_char *out, size_t *len);


#endif /* _NGX_HYPERDRIVE_MYSQL_AUTH_H_INCLUDED_ */
