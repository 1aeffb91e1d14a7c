
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "ngx_hyperdrive_pg_scram_verifier.h"
#include "ngx_hyperdrive_pg_login.h"
#include "ngx_hyperdrive_pg_saslprep.h"


ngx_int_t
ngx_hyperdrive_pg_scram_parse(ngx_str_t *text,
    ngx_hyperdrive_pg_scram_secret_t *secret)
{
    size_t      n;
    u_char     *p, *last, *sep;
    u_char      salt[NGX_HYPERDRIVE_PG_SCRAM_MAX_SALT];
    ngx_str_t   key;

    static const char  prefix[] = NGX_HYPERDRIVE_PG_SCRAM_NAME "$";

    p = text->data;
    last = p + text->len;

    if (text->len < sizeof(prefix)
        || ngx_memcmp(p, prefix, sizeof(prefix) - 1) != 0)
    {
        return NGX_DECLINED;
    }

    p = ngx_hyperdrive_pg_scram_verifier_number(p + sizeof(prefix) - 1, last,
                                                0x7fffffff,
                                                &secret->iterations);

    if (p == NULL || p == last || *p++ != ':') {
        return NGX_DECLINED;
    }

    sep = memchr(p, '$', last - p);

    if (sep == NULL || sep == p
        || sep - p > NGX_HYPERDRIVE_PG_SCRAM_MAX_SALT)
    {
        return NGX_DECLINED;
    }

    secret->salt.data = p;
    secret->salt.len = sep - p;

    if (ngx_hyperdrive_base_digest_base64_decode(salt, &n, p, sep - p)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    p = sep + 1;
    sep = memchr(p, ':', last - p);

    if (sep == NULL) {
        return NGX_DECLINED;
    }

    key.data = p;
    key.len = sep - p;

    if (ngx_hyperdrive_pg_scram_verifier_key(&key, secret->stored_key)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    key.data = sep + 1;
    key.len = last - key.data;

    if (ngx_hyperdrive_pg_scram_verifier_key(&key, secret->server_key)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


ngx_int_t
ngx_hyperdrive_pg_scram_mock_salt(u_char *mock_secret, size_t len,
    ngx_str_t *user, u_char *salt)
{
    u_char  digest[NGX_HYPERDRIVE_BASE_DIGEST_SHA256];

    if (ngx_hyperdrive_base_digest_hmac(mock_secret, len, user->data,
                                        user->len, digest)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_memcpy(salt, digest, NGX_HYPERDRIVE_PG_SCRAM_SALT);

    return NGX_OK;
}


ngx_int_t
ngx_hyperdrive_pg_scram_verifier(ngx_str_t *password, u_char *out,
    size_t size)
{
    u_char  salt[NGX_HYPERDRIVE_PG_SCRAM_SALT];

    if (ngx_hyperdrive_base_digest_random(salt, sizeof(salt)) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_hyperdrive_pg_scram_verifier_salted(password, salt,
                                           NGX_HYPERDRIVE_PG_SCRAM_ITERATIONS,
                                           out, size);
}


ngx_int_t
ngx_hyperdrive_pg_scram_verifier_salted(ngx_str_t *password, u_char *salt,
    ngx_uint_t iterations, u_char *out, size_t size)
{
    u_char     *p;
    u_char      client_key[NGX_HYPERDRIVE_PG_SCRAM_KEY];
    u_char      stored_key[NGX_HYPERDRIVE_PG_SCRAM_KEY];
    u_char      server_key[NGX_HYPERDRIVE_PG_SCRAM_KEY];
    ngx_int_t   rc;
    ngx_str_t   s;

    /* the parts have a known length, ten digits at most */

    if (size < NGX_HYPERDRIVE_PG_VERIFIER_LEN
        || iterations == 0 || iterations > 0x7fffffff)
    {
        return NGX_ERROR;
    }

    s.data = salt;
    s.len = NGX_HYPERDRIVE_PG_SCRAM_SALT;

    rc = ngx_hyperdrive_pg_scram_verifier_keys(password, &s, iterations,
                                               client_key, server_key);

    if (rc == NGX_OK) {
        rc = ngx_hyperdrive_base_digest_sha256(client_key, sizeof(client_key),
                                               stored_key);
    }

    if (rc == NGX_OK) {
        p = ngx_sprintf(out, NGX_HYPERDRIVE_PG_SCRAM_NAME "$%ui:", iterations);
        p = ngx_hyperdrive_base_digest_base64_encode(p, s.data, s.len);
        *p++ = '$';
        p = ngx_hyperdrive_base_digest_base64_encode(p, stored_key,
                                                     sizeof(stored_key));
        *p++ = ':';
        p = ngx_hyperdrive_base_digest_base64_encode(p, server_key,
                                                     sizeof(server_key));
        *p = '\0';
    }

    ngx_hyperdrive_base_digest_wipe(client_key, sizeof(client_key));
    ngx_hyperdrive_base_digest_wipe(stored_key, sizeof(stored_key));
    ngx_hyperdrive_base_digest_wipe(server_key, sizeof(server_key));

    return rc;
}


ngx_int_t
ngx_hyperdrive_pg_scram_verifier_keys(ngx_str_t *password, ngx_str_t *salt,
    ngx_uint_t iterations, u_char *client_key, u_char *server_key)
{
    u_char     *buf;
    u_char      salted[NGX_HYPERDRIVE_PG_SCRAM_KEY];
    ngx_int_t   rc;
    ngx_str_t   prepared;

    buf = malloc(password->len + 1);
    if (buf == NULL) {
        return NGX_ERROR;
    }

    prepared = ngx_hyperdrive_pg_saslprep(password, buf);

    rc = ngx_hyperdrive_base_digest_pbkdf2(&prepared, salt, iterations,
                                           salted);

    if (rc == NGX_OK) {
        rc = ngx_hyperdrive_base_digest_hmac(salted, sizeof(salted),
                                             "Client Key",
                                             sizeof("Client Key") - 1,
                                             client_key);
    }

    if (rc == NGX_OK) {
        rc = ngx_hyperdrive_base_digest_hmac(salted, sizeof(salted),
                                             "Server Key",
                                             sizeof("Server Key") - 1,
                                             server_key);
    }

    ngx_hyperdrive_base_digest_wipe(salted, sizeof(salted));
    ngx_hyperdrive_base_digest_wipe(buf, password->len + 1);

    free(buf);

    return rc;
}


u_char *
ngx_hyperdrive_pg_scram_verifier_number(u_char *p, u_char *last, ngx_uint_t max,
    ngx_uint_t *value)
{
    ngx_uint_t  n;

    n = 0;

    for ( /* void */ ; p < last && *p >= '0' && *p <= '9'; p++) {

        n = n * 10 + (*p - '0');

        if (n > max) {
            return NULL;
        }
    }

    *value = n;

    return n ? p : NULL;
}


ngx_int_t
ngx_hyperdrive_pg_scram_verifier_key(ngx_str_t *text, u_char *key)
{
    size_t  n;
    u_char  buf[NGX_HYPERDRIVE_PG_SCRAM_KEY + 1];

    if (text->len
        != ngx_hyperdrive_base_digest_base64_len(NGX_HYPERDRIVE_PG_SCRAM_KEY)
        || ngx_hyperdrive_base_digest_base64_decode(buf, &n, text->data,
                                                    text->len)
           != NGX_OK
        || n != NGX_HYPERDRIVE_PG_SCRAM_KEY)
    {
        return NGX_ERROR;
    }

    ngx_memcpy(key, buf, NGX_HYPERDRIVE_PG_SCRAM_KEY);

    return NGX_OK;
}
