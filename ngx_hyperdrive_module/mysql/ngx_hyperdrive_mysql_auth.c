
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "mysql/ngx_hyperdrive_mysql_auth.h"
#include "base/ngx_hyperdrive_base_cursor.h"


/* "$H$", both digests in hexadecimal: a form of our own */
#define NGX_HYPERDRIVE_MYSQL_BOTH        "$H$"
#define NGX_HYPERDRIVE_MYSQL_BOTH_LEN                                         \
    (3 + 2 * NGX_HYPERDRIVE_MYSQL_SHA1 + 2 * NGX_HYPERDRIVE_MYSQL_SHA256)

/* "*", a digest in hexadecimal: authentication_string of
   mysql_native_password */
#define NGX_HYPERDRIVE_MYSQL_NATIVE_LEN  (1 + 2 * NGX_HYPERDRIVE_MYSQL_SHA1)

/* "$A$005$", the salt, the text of crypt(3): caching_sha2_password's */
#define NGX_HYPERDRIVE_MYSQL_SHA2_LEN                                         \
    (7 + NGX_HYPERDRIVE_MYSQL_SCRAMBLE + NGX_HYPERDRIVE_BASE_DIGEST_CRYPT)

/* what MySQL itself makes */
#define NGX_HYPERDRIVE_MYSQL_ROUNDS      5000


static ngx_int_t ngx_hyperdrive_mysql_hex(u_char *p, size_t len, u_char *out);
static ngx_int_t ngx_hyperdrive_mysql_twice(ngx_str_t *password,
    u_char *native, u_char *sha2);


static ngx_str_t  ngx_hyperdrive_mysql_plugins[] = {
    ngx_string("mysql_native_password\0"),
    ngx_string("caching_sha2_password\0"),
    ngx_string("mysql_clear_password\0"),
    ngx_string("client_ed25519\0")
};


ngx_hyperdrive_mysql_plugin_e
ngx_hyperdrive_mysql_plugin(ngx_str_t *name)
{
    ngx_str_t   known;
    ngx_uint_t  i;

    for (i = 0; i < NGX_HYPERDRIVE_MYSQL_PLUGIN_OTHER; i++) {
        known = ngx_hyperdrive_mysql_plugins[i];
        known.len--;

        if (ngx_hyperdrive_base_same(name, &known)) {
            return i;
        }
    }

    return NGX_HYPERDRIVE_MYSQL_PLUGIN_OTHER;
}


ngx_str_t *
ngx_hyperdrive_mysql_plugin_name(ngx_hyperdrive_mysql_plugin_e plugin)
{
    return &ngx_hyperdrive_mysql_plugins[plugin];
}


ngx_uint_t
ngx_hyperdrive_mysql_verifier_kind(ngx_str_t *text)
{
    ngx_hyperdrive_mysql_verifier_t  verifier;

    return ngx_hyperdrive_mysql_verifier_read(text, &verifier) == NGX_OK
           ? verifier.kind : 0;
}


ngx_int_t
ngx_hyperdrive_mysql_verifier_read(ngx_str_t *text,
    ngx_hyperdrive_mysql_verifier_t *verifier)
{
    u_char      *p;
    u_char       raw[NGX_HYPERDRIVE_MYSQL_SHA2_LEN];
    u_char       rounds[2];
    ngx_str_t    plain;

    p = text->data;

    ngx_memzero(verifier, sizeof(ngx_hyperdrive_mysql_verifier_t));

    if (text->len == NGX_HYPERDRIVE_MYSQL_NATIVE_LEN && p[0] == '*') {
        verifier->kind = NGX_HYPERDRIVE_MYSQL_KIND_NATIVE;

        return ngx_hyperdrive_mysql_hex(p + 1, NGX_HYPERDRIVE_MYSQL_SHA1,
                                        verifier->native);
    }

    if (text->len == NGX_HYPERDRIVE_MYSQL_BOTH_LEN
        && ngx_memcmp(p, NGX_HYPERDRIVE_MYSQL_BOTH, 3) == 0)
    {
        verifier->kind = NGX_HYPERDRIVE_MYSQL_KIND_BOTH;

        if (ngx_hyperdrive_mysql_hex(p + 3, NGX_HYPERDRIVE_MYSQL_SHA1,
                                     verifier->native)
            != NGX_OK)
        {
            return NGX_DECLINED;
        }

        return ngx_hyperdrive_mysql_hex(p + 3 + 2 * NGX_HYPERDRIVE_MYSQL_SHA1,
                                        NGX_HYPERDRIVE_MYSQL_SHA256,
                                        verifier->sha2);
    }

    if (text->len == 2 + 2 * NGX_HYPERDRIVE_MYSQL_SHA2_LEN
        && p[0] == '0' && (p[1] | 0x20) == 'x')
    {
        /* as SHOW CREATE USER has it with print_identified_with_as_hex */

        if (ngx_hyperdrive_mysql_hex(p + 2, sizeof(raw), raw) != NGX_OK) {
            return NGX_DECLINED;
        }

        plain.data = raw;
        plain.len = sizeof(raw);

        return ngx_hyperdrive_mysql_verifier_read(&plain, verifier);
    }

    if (text->len != NGX_HYPERDRIVE_MYSQL_SHA2_LEN
        || ngx_memcmp(p, "$A$", 3) != 0 || p[6] != '$')
    {
        return NGX_DECLINED;
    }

    /* three digits, of which the first one is put to a zero */

    raw[0] = '0';
    ngx_memcpy(raw + 1, p + 3, 3);

    if (ngx_hyperdrive_mysql_hex(raw, 2, rounds) != NGX_OK
        || (rounds[0] == 0 && rounds[1] == 0))
    {
        return NGX_DECLINED;
    }

    verifier->kind = NGX_HYPERDRIVE_MYSQL_KIND_SHA2;
    verifier->rounds = ((ngx_uint_t) rounds[0] << 8 | rounds[1]) * 1000;

    p += 7;

    ngx_memcpy(verifier->salt, p, NGX_HYPERDRIVE_MYSQL_SCRAMBLE);
    ngx_memcpy(verifier->crypt, p + NGX_HYPERDRIVE_MYSQL_SCRAMBLE,
               NGX_HYPERDRIVE_BASE_DIGEST_CRYPT);

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_mysql_hex(u_char *p, size_t len, u_char *out)
{
    u_char      c;
    ngx_uint_t  i, n;

    while (len--) {

        n = 0;

        for (i = 0; i < 2; i++) {
            c = *p++;

            if (c >= '0' && c <= '9') {
                n = n << 4 | (ngx_uint_t) (c - '0');
                continue;
            }

            c |= 0x20;

            if (c < 'a' || c > 'f') {
                return NGX_DECLINED;
            }

            n = n << 4 | (ngx_uint_t) (c - 'a' + 10);
        }

        *out++ = (u_char) n;
    }

    return NGX_OK;
}


ngx_int_t
ngx_hyperdrive_mysql_verifier_make(ngx_str_t *password, u_char *out)
{
    u_char     native[NGX_HYPERDRIVE_MYSQL_SHA1];
    u_char     sha2[NGX_HYPERDRIVE_MYSQL_SHA256];
    u_char    *p;

    if (password->len >= NGX_HYPERDRIVE_MYSQL_PASSWORD
        || ngx_hyperdrive_mysql_twice(password, native, sha2) != NGX_OK)
    {
        return NGX_ERROR;
    }

    p = ngx_cpymem(out, NGX_HYPERDRIVE_MYSQL_BOTH, 3);
    p = ngx_hex_dump(p, native, sizeof(native));
    p = ngx_hex_dump(p, sha2, sizeof(sha2));
    *p = '\0';

    return NGX_OK;
}


ngx_int_t
ngx_hyperdrive_mysql_verifier_mock(ngx_str_t *user, u_char *mock,
    ngx_uint_t kinds, ngx_hyperdrive_mysql_verifier_t *verifier)
{
    u_char      digest[NGX_HYPERDRIVE_MYSQL_SHA256];
    ngx_uint_t  kind, n;

    ngx_memzero(verifier, sizeof(ngx_hyperdrive_mysql_verifier_t));

    if (ngx_hyperdrive_base_digest_hmac(mock, 32, user->data, user->len,
                                        digest)
        != NGX_OK
        || ngx_hyperdrive_base_digest_random(verifier->native,
                                             sizeof(verifier->native))
           != NGX_OK
        || ngx_hyperdrive_base_digest_random(verifier->sha2,
                                             sizeof(verifier->sha2))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    kinds &= NGX_HYPERDRIVE_MYSQL_KIND_BOTH|NGX_HYPERDRIVE_MYSQL_KIND_NATIVE
             |NGX_HYPERDRIVE_MYSQL_KIND_SHA2;

    if (kinds == 0) {
        kinds = NGX_HYPERDRIVE_MYSQL_KIND_BOTH;
    }

    /* always the same for one name, and any of those that there are */

    n = digest[0] % 3;

    for (kind = NGX_HYPERDRIVE_MYSQL_KIND_BOTH << n; !(kinds & kind); /**/ ) {
        kind = (kind == NGX_HYPERDRIVE_MYSQL_KIND_SHA2)
               ? NGX_HYPERDRIVE_MYSQL_KIND_BOTH : kind << 1;
    }

    verifier->kind = kind;
    verifier->rounds = NGX_HYPERDRIVE_MYSQL_ROUNDS;

    return NGX_OK;
}


ngx_int_t
ngx_hyperdrive_mysql_scramble(u_char *out)
{
    ngx_uint_t  i;

    if (ngx_hyperdrive_base_digest_random(out, NGX_HYPERDRIVE_MYSQL_SCRAMBLE)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < NGX_HYPERDRIVE_MYSQL_SCRAMBLE; i++) {

        /* as the database has them: of 7 bits, no zero and no "$" */

        out[i] &= 0x7f;

        if (out[i] == '\0' || out[i] == '$') {
            out[i]++;
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_hyperdrive_mysql_native_prove(u_char *once, u_char *scramble, u_char *out)
{
    u_char      text[NGX_HYPERDRIVE_MYSQL_SCRAMBLE + NGX_HYPERDRIVE_MYSQL_SHA1];
    ngx_uint_t  i;

    ngx_memcpy(text, scramble, NGX_HYPERDRIVE_MYSQL_SCRAMBLE);

    if (ngx_hyperdrive_base_digest_sha1(once, NGX_HYPERDRIVE_MYSQL_SHA1,
                                        text + NGX_HYPERDRIVE_MYSQL_SCRAMBLE)
        != NGX_OK
        || ngx_hyperdrive_base_digest_sha1(text, sizeof(text), out) != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < NGX_HYPERDRIVE_MYSQL_SHA1; i++) {
        out[i] ^= once[i];
    }

    return NGX_OK;
}


ngx_int_t
ngx_hyperdrive_mysql_native_check(u_char *twice, u_char *scramble,
    ngx_str_t *proof, u_char *once)
{
    u_char      text[NGX_HYPERDRIVE_MYSQL_SCRAMBLE + NGX_HYPERDRIVE_MYSQL_SHA1];
    u_char      again[NGX_HYPERDRIVE_MYSQL_SHA1];
    ngx_uint_t  i;

    if (proof->len != NGX_HYPERDRIVE_MYSQL_SHA1) {
        return NGX_DECLINED;
    }

    ngx_memcpy(text, scramble, NGX_HYPERDRIVE_MYSQL_SCRAMBLE);
    ngx_memcpy(text + NGX_HYPERDRIVE_MYSQL_SCRAMBLE, twice,
               NGX_HYPERDRIVE_MYSQL_SHA1);

    if (ngx_hyperdrive_base_digest_sha1(text, sizeof(text), once) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < NGX_HYPERDRIVE_MYSQL_SHA1; i++) {
        once[i] ^= proof->data[i];
    }

    if (ngx_hyperdrive_base_digest_sha1(once, NGX_HYPERDRIVE_MYSQL_SHA1, again)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_hyperdrive_base_digest_equal(again, twice, sizeof(again))
           ? NGX_OK : NGX_DECLINED;
}


ngx_int_t
ngx_hyperdrive_mysql_sha2_prove(u_char *once, u_char *scramble, u_char *out)
{
    u_char      text[NGX_HYPERDRIVE_MYSQL_SHA256
                     + NGX_HYPERDRIVE_MYSQL_SCRAMBLE];
    ngx_uint_t  i;

    ngx_memcpy(text + NGX_HYPERDRIVE_MYSQL_SHA256, scramble,
               NGX_HYPERDRIVE_MYSQL_SCRAMBLE);

    if (ngx_hyperdrive_base_digest_sha256(once, NGX_HYPERDRIVE_MYSQL_SHA256,
                                          text)
        != NGX_OK
        || ngx_hyperdrive_base_digest_sha256(text, sizeof(text), out)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < NGX_HYPERDRIVE_MYSQL_SHA256; i++) {
        out[i] ^= once[i];
    }

    return NGX_OK;
}


ngx_int_t
ngx_hyperdrive_mysql_sha2_check(u_char *twice, u_char *scramble,
    ngx_str_t *proof, u_char *once)
{
    u_char      text[NGX_HYPERDRIVE_MYSQL_SHA256
                     + NGX_HYPERDRIVE_MYSQL_SCRAMBLE];
    u_char      again[NGX_HYPERDRIVE_MYSQL_SHA256];
    ngx_uint_t  i;

    if (proof->len != NGX_HYPERDRIVE_MYSQL_SHA256) {
        return NGX_DECLINED;
    }

    ngx_memcpy(text, twice, NGX_HYPERDRIVE_MYSQL_SHA256);
    ngx_memcpy(text + NGX_HYPERDRIVE_MYSQL_SHA256, scramble,
               NGX_HYPERDRIVE_MYSQL_SCRAMBLE);

    if (ngx_hyperdrive_base_digest_sha256(text, sizeof(text), once)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < NGX_HYPERDRIVE_MYSQL_SHA256; i++) {
        once[i] ^= proof->data[i];
    }

    if (ngx_hyperdrive_base_digest_sha256(once, NGX_HYPERDRIVE_MYSQL_SHA256,
                                          again)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_hyperdrive_base_digest_equal(again, twice, sizeof(again))
           ? NGX_OK : NGX_DECLINED;
}


ngx_int_t
ngx_hyperdrive_mysql_password_check(ngx_str_t *password,
    ngx_hyperdrive_mysql_verifier_t *verifier, u_char *twice)
{
    u_char      native[NGX_HYPERDRIVE_MYSQL_SHA1];
    u_char      digest[NGX_HYPERDRIVE_MYSQL_SHA256];
    u_char      text[NGX_HYPERDRIVE_BASE_DIGEST_CRYPT];
    ngx_str_t   salt;
    ngx_uint_t  same;

    if (password->len >= NGX_HYPERDRIVE_MYSQL_PASSWORD) {
        return NGX_DECLINED;
    }

    if (ngx_hyperdrive_mysql_twice(password, native, twice) != NGX_OK) {
        return NGX_ERROR;
    }

    switch (verifier->kind) {

    case NGX_HYPERDRIVE_MYSQL_KIND_NATIVE:
        same = ngx_hyperdrive_base_digest_equal(native, verifier->native,
                                                sizeof(native));
        break;

    case NGX_HYPERDRIVE_MYSQL_KIND_SHA2:
        salt.data = verifier->salt;
        salt.len = sizeof(verifier->salt);

        if (ngx_hyperdrive_base_digest_crypt(password, &salt,
                                             verifier->rounds, digest)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        (void) ngx_hyperdrive_base_digest_crypt_text(text, digest);

        same = ngx_hyperdrive_base_digest_equal(text, verifier->crypt,
                                                sizeof(text));
        break;

    default: /* NGX_HYPERDRIVE_MYSQL_KIND_BOTH */
        same = ngx_hyperdrive_base_digest_equal(twice, verifier->sha2,
                                                NGX_HYPERDRIVE_MYSQL_SHA256);
        break;
    }

    return same ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_hyperdrive_mysql_twice(ngx_str_t *password, u_char *native, u_char *sha2)
{
    u_char     once[NGX_HYPERDRIVE_MYSQL_SHA256];
    ngx_int_t  rc;

    rc = NGX_ERROR;

    if (ngx_hyperdrive_base_digest_sha1(password->data, password->len, once)
        == NGX_OK
        && ngx_hyperdrive_base_digest_sha1(once, NGX_HYPERDRIVE_MYSQL_SHA1,
                                           native)
           == NGX_OK
        && ngx_hyperdrive_base_digest_sha256(password->data, password->len,
                                             once)
           == NGX_OK
        && ngx_hyperdrive_base_digest_sha256(once, sizeof(once), sha2)
           == NGX_OK)
    {
        rc = NGX_OK;
    }

    ngx_hyperdrive_base_digest_wipe(once, sizeof(once));

    return rc;
}
