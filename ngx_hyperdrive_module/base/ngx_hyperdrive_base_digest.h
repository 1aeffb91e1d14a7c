
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_BASE_DIGEST_H_INCLUDED_
#define _NGX_HYPERDRIVE_BASE_DIGEST_H_INCLUDED_


#include "ngx_hyperdrive.h"


/*
 * What log-ins need of OpenSSL.  The functions that return ngx_int_t give
 * NGX_OK or NGX_ERROR: no memory, or a digest that the library's policy does
 * not allow (MD5 in FIPS mode).
 */

#define NGX_HYPERDRIVE_BASE_DIGEST_SHA256  32
#define NGX_HYPERDRIVE_BASE_DIGEST_MD5     16
#define NGX_HYPERDRIVE_BASE_DIGEST_SHA1    20

/* characters of <n> bytes in base64, with padding, without a NUL */
#define ngx_hyperdrive_base_digest_base64_len(n)  (((n) + 2) / 3 * 4)


ngx_int_t ngx_hyperdrive_base_digest_sha256(const void *data, size_t len,
    u_char *out);

/* HMAC-SHA-256 */
ngx_int_t ngx_hyperdrive_base_digest_hmac(const void *key, size_t klen,
    const void *data, size_t len, u_char *out);

/* PBKDF2 with HMAC-SHA-256; about 0.35 microseconds a round */
ngx_int_t ngx_hyperdrive_base_digest_pbkdf2(ngx_str_t *password,
    ngx_str_t *salt, ngx_uint_t rounds, u_char *out);

ngx_int_t ngx_hyperdrive_base_digest_md5(const void *data, size_t len,
    u_char *out);

ngx_int_t ngx_hyperdrive_base_digest_sha1(const void *data, size_t len,
    u_char *out);

/*
 * SHA-256 as crypt(3) has it ("$5$"), for salts of any length: the 32 bytes,
 * in their own order.  About 0.5 microseconds a round.
 */
ngx_int_t ngx_hyperdrive_base_digest_crypt(ngx_str_t *password,
    ngx_str_t *salt, ngx_uint_t rounds, u_char *out);
/* ...written as 43 characters */
#define NGX_HYPERDRIVE_BASE_DIGEST_CRYPT   43
u_char *ngx_hyperdrive_base_digest_crypt_text(u_char *out, u_char *digest);

/* bytes that nobody can guess */
ngx_int_t ngx_hyperdrive_base_digest_random(u_char *out, size_t len);

/* 1 if the <len> bytes are equal, in a time that depends on <len> alone */
ngx_uint_t ngx_hyperdrive_base_digest_equal(const void *a, const void *b,
    size_t len);

/* overwrites a secret, even if nobody reads it afterwards */
void ngx_hyperdrive_base_digest_wipe(void *data, size_t len);

/* returns the end of what was written; no NUL */
u_char *ngx_hyperdrive_base_digest_base64_encode(u_char *out,
    const void *data, size_t len);

/*
 * Strict: no white space, padding as it must be, no bits left over.  <out>
 * needs len / 4 * 3 bytes, *n is how many were written.
 */
ngx_int_t ngx_hyperdrive_base_digest_base64_decode(u_char *out, size_t *n,
    const void *data, size_t len);


#endif /* _NGX_HYPERDRIVE_BASE_DIGEST_H_INCLUDED_ */
