
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "mysql/ngx_hyperdrive_mysql_auth.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>


/*
 * caching_sha2_password without TLS: the password, with the scramble laid over
 * it, under the database's public key (RSA, OAEP with SHA-1).
 */

#define NGX_HYPERDRIVE_MYSQL_RSA_BITS    2048

#define NGX_HYPERDRIVE_MYSQL_RSA_PEM     4096


static EVP_PKEY *ngx_hyperdrive_mysql_rsa_make(void);
static void ngx_hyperdrive_mysql_rsa_cover(u_char *p, size_t len,
    u_char *scramble);


/* made once; a worker that is forked later has it, too */

static EVP_PKEY  *ngx_hyperdrive_mysql_rsa_own;
static u_char     ngx_hyperdrive_mysql_rsa_pem[NGX_HYPERDRIVE_MYSQL_RSA_PEM];
static size_t     ngx_hyperdrive_mysql_rsa_pem_len;


ngx_int_t
ngx_hyperdrive_mysql_rsa_key(ngx_str_t *pem)
{
    BIO       *bio;
    int        n;
    EVP_PKEY  *key;

    if (ngx_hyperdrive_mysql_rsa_own == NULL) {

        key = ngx_hyperdrive_mysql_rsa_make();
        bio = BIO_new(BIO_s_mem());
        n = 0;

        if (key && bio && PEM_write_bio_PUBKEY(bio, key) == 1) {
            n = BIO_read(bio, ngx_hyperdrive_mysql_rsa_pem,
                         sizeof(ngx_hyperdrive_mysql_rsa_pem));
        }

        BIO_free(bio);

        if (n <= 0) {
            EVP_PKEY_free(key);
            return NGX_ERROR;
        }

        ngx_hyperdrive_mysql_rsa_own = key;
        ngx_hyperdrive_mysql_rsa_pem_len = n;
    }

    pem->data = ngx_hyperdrive_mysql_rsa_pem;
    pem->len = ngx_hyperdrive_mysql_rsa_pem_len;

    return NGX_OK;
}


static EVP_PKEY *
ngx_hyperdrive_mysql_rsa_make(void)
{
    EVP_PKEY      *key;
    EVP_PKEY_CTX  *ctx;

    key = NULL;

    ctx = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, NULL);
    if (ctx == NULL) {
        return NULL;
    }

    if (EVP_PKEY_keygen_init(ctx) != 1
        || EVP_PKEY_CTX_set_rsa_keygen_bits(ctx,
                                            NGX_HYPERDRIVE_MYSQL_RSA_BITS)
           != 1
        || EVP_PKEY_keygen(ctx, &key) != 1)
    {
        key = NULL;
    }

    EVP_PKEY_CTX_free(ctx);

    return key;
}


ngx_int_t
ngx_hyperdrive_mysql_rsa_open(ngx_str_t *text, u_char *scramble, u_char *out,
    ngx_str_t *password)
{
    size_t         len;
    ngx_int_t      rc;
    EVP_PKEY_CTX  *ctx;

    if (ngx_hyperdrive_mysql_rsa_own == NULL) {
        return NGX_DECLINED;
    }

    ctx = EVP_PKEY_CTX_new(ngx_hyperdrive_mysql_rsa_own, NULL);
    if (ctx == NULL) {
        return NGX_ERROR;
    }

    rc = NGX_DECLINED;
    len = NGX_HYPERDRIVE_MYSQL_RSA_MAX;

    if (EVP_PKEY_decrypt_init(ctx) == 1
        && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1
        && EVP_PKEY_decrypt(ctx, out, &len, text->data, text->len) == 1
        && len != 0)
    {
        ngx_hyperdrive_mysql_rsa_cover(out, len, scramble);

        if (out[len - 1] == '\0') {
            password->data = out;
            password->len = len - 1;
            rc = NGX_OK;
        }
    }

    EVP_PKEY_CTX_free(ctx);

    /* what went wrong here is not for the next TLS connection to find */
    ERR_clear_error();

    return rc;
}


ngx_int_t
ngx_hyperdrive_mysql_rsa_seal(ngx_str_t *password, ngx_str_t *pem,
    u_char *scramble, u_char *out, size_t *len)
{
    BIO           *bio;
    u_char         text[NGX_HYPERDRIVE_MYSQL_PASSWORD];
    EVP_PKEY      *key;
    ngx_int_t      rc;
    EVP_PKEY_CTX  *ctx;

    if (password->len >= sizeof(text)
        || pem->len > NGX_HYPERDRIVE_MYSQL_RSA_PEM)
    {
        return NGX_DECLINED;
    }

    bio = BIO_new_mem_buf(pem->data, (int) pem->len);
    if (bio == NULL) {
        return NGX_ERROR;
    }

    key = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);

    BIO_free(bio);

    ctx = key ? EVP_PKEY_CTX_new(key, NULL) : NULL;

    if (password->len) {
        ngx_memcpy(text, password->data, password->len);
    }

    text[password->len] = '\0';

    ngx_hyperdrive_mysql_rsa_cover(text, password->len + 1, scramble);

    rc = NGX_DECLINED;
    *len = NGX_HYPERDRIVE_MYSQL_RSA_MAX;

    if (ctx
        && EVP_PKEY_base_id(key) == EVP_PKEY_RSA
        && EVP_PKEY_size(key) <= NGX_HYPERDRIVE_MYSQL_RSA_MAX
        && EVP_PKEY_encrypt_init(ctx) == 1
        && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1
        && EVP_PKEY_encrypt(ctx, out, len, text, password->len + 1) == 1)
    {
        rc = NGX_OK;
    }

    ngx_hyperdrive_base_digest_wipe(text, sizeof(text));

    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(key);
    ERR_clear_error();

    return rc;
}


static void
ngx_hyperdrive_mysql_rsa_cover(u_char *p, size_t len, u_char *scramble)
{
    size_t  i;

    for (i = 0; i < len; i++) {
        p[i] ^= scramble[i % NGX_HYPERDRIVE_MYSQL_SCRAMBLE];
    }
}
