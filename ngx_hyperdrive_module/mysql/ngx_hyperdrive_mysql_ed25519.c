
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "mysql/ngx_hyperdrive_mysql_auth.h"

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <openssl/rand.h>


/*
 * MariaDB's client_ed25519: a signature of the scramble (RFC 8032), whose
 * secret scalar is SHA-512 of the password itself, not of a seed of 32 bytes:
 * OpenSSL cannot be given that.  What it can be given is the same scalar for
 * X25519 (RFC 7748), which knows the same points by another coordinate, and
 * without the sign; and it can check signatures.  So both points are computed
 * that way, and of the signatures that their two signs leave possible, that
 * one is taken which is valid.
 */


#define NGX_HYPERDRIVE_MYSQL_ED25519_KEY     32
#define NGX_HYPERDRIVE_MYSQL_ED25519_SHA512  64

/* the field, and the order of the base point */
#define NGX_HYPERDRIVE_MYSQL_ED25519_P                                        \
    "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffed"
#define NGX_HYPERDRIVE_MYSQL_ED25519_L                                        \
    "1000000000000000000000000000000014def9dea2f79cd65812631a5cf5d3ed"


typedef struct {
    BN_CTX  *ctx;
    BIGNUM  *p;
    BIGNUM  *order;
    BIGNUM  *secret;                 /* the password's scalar */
    BIGNUM  *nonce;
    BIGNUM  *x;
    BIGNUM  *y;
} ngx_hyperdrive_mysql_ed25519_t;


static ngx_int_t ngx_hyperdrive_mysql_ed25519_init(
    ngx_hyperdrive_mysql_ed25519_t *e);
static void ngx_hyperdrive_mysql_ed25519_free(
    ngx_hyperdrive_mysql_ed25519_t *e);
static ngx_int_t ngx_hyperdrive_mysql_ed25519_point(
    ngx_hyperdrive_mysql_ed25519_t *e, u_char *scalar, BIGNUM *number,
    u_char *point);
static ngx_int_t ngx_hyperdrive_mysql_ed25519_try(
    ngx_hyperdrive_mysql_ed25519_t *e, u_char *key, u_char *scramble,
    u_char *out);
static ngx_int_t ngx_hyperdrive_mysql_ed25519_valid(u_char *key,
    u_char *scramble, u_char *signature);


ngx_int_t
ngx_hyperdrive_mysql_ed25519_sign(ngx_str_t *password, u_char *scramble,
    u_char *out)
{
    u_char                          key[NGX_HYPERDRIVE_MYSQL_ED25519_KEY];
    u_char                          once[NGX_HYPERDRIVE_MYSQL_ED25519_KEY];
    u_char                          hash[NGX_HYPERDRIVE_MYSQL_ED25519_SHA512];
    u_char                          minus;
    ngx_int_t                       rc;
    ngx_uint_t                      i;
    ngx_hyperdrive_mysql_ed25519_t  e;

    if (ngx_hyperdrive_mysql_ed25519_init(&e) != NGX_OK
        || EVP_Digest(password->data, password->len, hash, NULL, EVP_sha512(),
                      NULL)
           != 1
        || RAND_bytes(once, sizeof(once)) != 1
        || RAND_bytes(&minus, 1) != 1
        || ngx_hyperdrive_mysql_ed25519_point(&e, hash, e.secret, key)
           != NGX_OK
        || ngx_hyperdrive_mysql_ed25519_point(&e, once, e.nonce, out)
           != NGX_OK)
    {
        rc = NGX_ERROR;
        goto done;
    }

    /*
     * Scalars of that form are half of all there are, and the nonce must not be
     * known to be one: the other half are their negatives, whose points differ
     * in the sign.
     */

    BN_set_negative(e.nonce, minus & 1);

    rc = NGX_DECLINED;

    for (i = 0; i < 4 && rc == NGX_DECLINED; i++) {

        /* signs of both: the uppermost bits */

        key[31] = (key[31] & 0x7f) | ((i & 1) ? 0x80 : 0);
        out[31] = (out[31] & 0x7f) | ((i & 2) ? 0x80 : 0);

        rc = ngx_hyperdrive_mysql_ed25519_try(&e, key, scramble, out);
    }

done:

    ngx_hyperdrive_mysql_ed25519_free(&e);

    ngx_hyperdrive_base_digest_wipe(hash, sizeof(hash));
    ngx_hyperdrive_base_digest_wipe(once, sizeof(once));

    return (rc == NGX_OK) ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_hyperdrive_mysql_ed25519_init(ngx_hyperdrive_mysql_ed25519_t *e)
{
    ngx_memzero(e, sizeof(ngx_hyperdrive_mysql_ed25519_t));

    e->ctx = BN_CTX_new();
    e->secret = BN_new();
    e->nonce = BN_new();
    e->x = BN_new();
    e->y = BN_new();

    if (e->ctx == NULL || e->secret == NULL || e->nonce == NULL || e->x == NULL
        || e->y == NULL
        || BN_hex2bn(&e->p, NGX_HYPERDRIVE_MYSQL_ED25519_P) == 0
        || BN_hex2bn(&e->order, NGX_HYPERDRIVE_MYSQL_ED25519_L) == 0)
    {
        return NGX_ERROR;
    }

    BN_set_flags(e->secret, BN_FLG_CONSTTIME);
    BN_set_flags(e->nonce, BN_FLG_CONSTTIME);

    return NGX_OK;
}


static void
ngx_hyperdrive_mysql_ed25519_free(ngx_hyperdrive_mysql_ed25519_t *e)
{
    BN_clear_free(e->secret);
    BN_clear_free(e->nonce);
    BN_clear_free(e->x);
    BN_clear_free(e->y);
    BN_free(e->p);
    BN_free(e->order);
    BN_CTX_free(e->ctx);
}


/*
 * The base point times a scalar, which is made one of those that both curves
 * have, and its number; without the sign.
 */

static ngx_int_t
ngx_hyperdrive_mysql_ed25519_point(ngx_hyperdrive_mysql_ed25519_t *e,
    u_char *scalar, BIGNUM *number, u_char *point)
{
    size_t      len;
    ngx_int_t   rc;
    EVP_PKEY   *key;

    scalar[0] &= 248;
    scalar[31] &= 63;
    scalar[31] |= 64;

    len = NGX_HYPERDRIVE_MYSQL_ED25519_KEY;
    rc = NGX_ERROR;

    key = EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, scalar, len);

    /* y = (u - 1) / (u + 1), RFC 7748, 4.1 */

    if (key && EVP_PKEY_get_raw_public_key(key, point, &len) == 1
        && BN_lebin2bn(scalar, NGX_HYPERDRIVE_MYSQL_ED25519_KEY, number)
        && BN_lebin2bn(point, NGX_HYPERDRIVE_MYSQL_ED25519_KEY, e->x)
        && BN_copy(e->y, e->x)
        && BN_add_word(e->y, 1)
        && BN_mod_inverse(e->y, e->y, e->p, e->ctx)
        && BN_sub_word(e->x, 1)
        && BN_mod_mul(e->x, e->x, e->y, e->p, e->ctx)
        && BN_bn2lebinpad(e->x, point, NGX_HYPERDRIVE_MYSQL_ED25519_KEY)
           == NGX_HYPERDRIVE_MYSQL_ED25519_KEY)
    {
        rc = NGX_OK;
    }

    EVP_PKEY_free(key);

    return rc;
}


/* completes a signature that begins in <out>; NGX_DECLINED: it is not valid */

static ngx_int_t
ngx_hyperdrive_mysql_ed25519_try(ngx_hyperdrive_mysql_ed25519_t *e,
    u_char *key, u_char *scramble, u_char *out)
{
    u_char   text[3 * NGX_HYPERDRIVE_MYSQL_ED25519_KEY], *p;
    u_char   hash[NGX_HYPERDRIVE_MYSQL_ED25519_SHA512];

    /* S = r + SHA-512(R || A || M) a */

    p = ngx_cpymem(text, out, NGX_HYPERDRIVE_MYSQL_ED25519_KEY);
    p = ngx_cpymem(p, key, NGX_HYPERDRIVE_MYSQL_ED25519_KEY);
    ngx_memcpy(p, scramble, NGX_HYPERDRIVE_MYSQL_ED25519_KEY);

    if (EVP_Digest(text, sizeof(text), hash, NULL, EVP_sha512(), NULL) != 1
        || BN_lebin2bn(hash, sizeof(hash), e->x) == NULL
        || BN_mod_mul(e->y, e->x, e->secret, e->order, e->ctx) != 1
        || BN_mod_add(e->x, e->y, e->nonce, e->order, e->ctx) != 1
        || BN_bn2lebinpad(e->x, out + NGX_HYPERDRIVE_MYSQL_ED25519_KEY,
                          NGX_HYPERDRIVE_MYSQL_ED25519_KEY)
           != NGX_HYPERDRIVE_MYSQL_ED25519_KEY)
    {
        return NGX_ERROR;
    }

    return ngx_hyperdrive_mysql_ed25519_valid(key, scramble, out);
}


static ngx_int_t
ngx_hyperdrive_mysql_ed25519_valid(u_char *key, u_char *scramble,
    u_char *signature)
{
    ngx_int_t    rc;
    EVP_PKEY    *pkey;
    EVP_MD_CTX  *ctx;

    rc = NGX_ERROR;

    pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key,
                                       NGX_HYPERDRIVE_MYSQL_ED25519_KEY);
    ctx = EVP_MD_CTX_new();

    if (pkey && ctx
        && EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1)
    {
        rc = (EVP_DigestVerify(ctx, signature,
                               NGX_HYPERDRIVE_MYSQL_SIGNATURE, scramble,
                               NGX_HYPERDRIVE_MYSQL_ED25519_KEY)
              == 1)
             ? NGX_OK : NGX_DECLINED;
    }

    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);

    return rc;
}
