
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "ngx_hyperdrive_base_digest.h"

#include <openssl/evp.h>


/*
 * Unix crypt using SHA-256 (U. Drepper, 2007).  The salt is not cut at 16
 * bytes: MySQL has 20.
 */


#define SHA256_LEN  NGX_HYPERDRIVE_BASE_DIGEST_SHA256


static ngx_int_t ngx_hyperdrive_base_digest_crypt_first(EVP_MD_CTX *ctx,
    ngx_str_t *password, ngx_str_t *salt, u_char *out);
static ngx_int_t ngx_hyperdrive_base_digest_crypt_round(EVP_MD_CTX *ctx,
    ngx_str_t *password, ngx_str_t *salt, u_char *p, u_char *s, ngx_uint_t n,
    u_char *out);
static ngx_int_t ngx_hyperdrive_base_digest_crypt_times(EVP_MD_CTX *ctx,
    ngx_str_t *text, ngx_uint_t n, u_char *out);
static ngx_int_t ngx_hyperdrive_base_digest_crypt_add(EVP_MD_CTX *ctx,
    u_char *digest, size_t len);


ngx_int_t
ngx_hyperdrive_base_digest_crypt(ngx_str_t *password, ngx_str_t *salt,
    ngx_uint_t rounds, u_char *out)
{
    u_char       p[SHA256_LEN], s[SHA256_LEN];
    ngx_int_t    rc;
    ngx_uint_t   i;
    EVP_MD_CTX  *ctx;

    ctx = EVP_MD_CTX_new();
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    rc = ngx_hyperdrive_base_digest_crypt_first(ctx, password, salt, out);

    if (rc == NGX_OK) {
        rc = ngx_hyperdrive_base_digest_crypt_times(ctx, password,
                                                    password->len, p);
    }

    if (rc == NGX_OK) {
        rc = ngx_hyperdrive_base_digest_crypt_times(ctx, salt, 16 + out[0], s);
    }

    for (i = 0; i < rounds && rc == NGX_OK; i++) {
        rc = ngx_hyperdrive_base_digest_crypt_round(ctx, password, salt, p, s,
                                                    i, out);
    }

    EVP_MD_CTX_free(ctx);

    ngx_hyperdrive_base_digest_wipe(p, sizeof(p));
    ngx_hyperdrive_base_digest_wipe(s, sizeof(s));

    return rc;
}


u_char *
ngx_hyperdrive_base_digest_crypt_text(u_char *out, u_char *digest)
{
    uint32_t    v;
    ngx_uint_t  i, k;

    static const u_char  table[] =
        "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

    /* three bytes that are ten apart, turned round by one each time */

    static const u_char  order[10][3] = {
        { 0, 10, 20 }, { 21, 1, 11 }, { 12, 22, 2 }, { 3, 13, 23 },
        { 24, 4, 14 }, { 15, 25, 5 }, { 6, 16, 26 }, { 27, 7, 17 },
        { 18, 28, 8 }, { 9, 19, 29 }
    };

    for (i = 0; i < 10; i++) {
        v = (uint32_t) digest[order[i][0]] << 16
            | (uint32_t) digest[order[i][1]] << 8
            | digest[order[i][2]];

        for (k = 0; k < 4; k++) {
            *out++ = table[v & 0x3f];
            v >>= 6;
        }
    }

    v = (uint32_t) digest[31] << 8 | digest[30];

    for (k = 0; k < 3; k++) {
        *out++ = table[v & 0x3f];
        v >>= 6;
    }

    return out;
}


/* steps 1 to 12 */

static ngx_int_t
ngx_hyperdrive_base_digest_crypt_first(EVP_MD_CTX *ctx, ngx_str_t *password,
    ngx_str_t *salt, u_char *out)
{
    size_t     n;
    u_char     b[SHA256_LEN];
    ngx_int_t  rc;

    rc = NGX_ERROR;

    if (EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1
        || EVP_DigestUpdate(ctx, password->data, password->len) != 1
        || EVP_DigestUpdate(ctx, salt->data, salt->len) != 1
        || EVP_DigestUpdate(ctx, password->data, password->len) != 1
        || EVP_DigestFinal_ex(ctx, b, NULL) != 1
        || EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1
        || EVP_DigestUpdate(ctx, password->data, password->len) != 1
        || EVP_DigestUpdate(ctx, salt->data, salt->len) != 1
        || ngx_hyperdrive_base_digest_crypt_add(ctx, b, password->len)
           != NGX_OK)
    {
        goto done;
    }

    for (n = password->len; n; n >>= 1) {

        if ((n & 1) ? EVP_DigestUpdate(ctx, b, SHA256_LEN) != 1
                    : EVP_DigestUpdate(ctx, password->data, password->len) != 1)
        {
            goto done;
        }
    }

    if (EVP_DigestFinal_ex(ctx, out, NULL) == 1) {
        rc = NGX_OK;
    }

done:

    ngx_hyperdrive_base_digest_wipe(b, sizeof(b));

    return rc;
}


static ngx_int_t
ngx_hyperdrive_base_digest_crypt_round(EVP_MD_CTX *ctx, ngx_str_t *password,
    ngx_str_t *salt, u_char *p, u_char *s, ngx_uint_t n, u_char *out)
{
    if (EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1) {
        return NGX_ERROR;
    }

    if ((n & 1) ? ngx_hyperdrive_base_digest_crypt_add(ctx, p, password->len)
                  != NGX_OK
                : EVP_DigestUpdate(ctx, out, SHA256_LEN) != 1)
    {
        return NGX_ERROR;
    }

    if (n % 3
        && ngx_hyperdrive_base_digest_crypt_add(ctx, s, salt->len) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (n % 7
        && ngx_hyperdrive_base_digest_crypt_add(ctx, p, password->len)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if ((n & 1) ? EVP_DigestUpdate(ctx, out, SHA256_LEN) != 1
                : ngx_hyperdrive_base_digest_crypt_add(ctx, p, password->len)
                  != NGX_OK)
    {
        return NGX_ERROR;
    }

    return EVP_DigestFinal_ex(ctx, out, NULL) == 1 ? NGX_OK : NGX_ERROR;
}


/* the digest of <n> copies of the text */

static ngx_int_t
ngx_hyperdrive_base_digest_crypt_times(EVP_MD_CTX *ctx, ngx_str_t *text,
    ngx_uint_t n, u_char *out)
{
    if (EVP_DigestInit_ex(ctx, EVP_sha256(), NULL) != 1) {
        return NGX_ERROR;
    }

    while (n--) {

        if (EVP_DigestUpdate(ctx, text->data, text->len) != 1) {
            return NGX_ERROR;
        }
    }

    return EVP_DigestFinal_ex(ctx, out, NULL) == 1 ? NGX_OK : NGX_ERROR;
}


/* <len> bytes of the digest, repeated as needed */

static ngx_int_t
ngx_hyperdrive_base_digest_crypt_add(EVP_MD_CTX *ctx, u_char *digest,
    size_t len)
{
    size_t  n;

    for ( /* void */ ; len; len -= n) {
        n = ngx_min(len, (size_t) SHA256_LEN);

        if (EVP_DigestUpdate(ctx, digest, n) != 1) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}
