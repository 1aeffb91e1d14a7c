
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "ngx_hyperdrive_base_digest.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>


static ngx_int_t ngx_hyperdrive_base_digest_base64_value(u_char c);


ngx_int_t
ngx_hyperdrive_base_digest_sha256(const void *data, size_t len, u_char *out)
{
    return EVP_Digest(data, len, out, NULL, EVP_sha256(), NULL) == 1
           ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_hyperdrive_base_digest_hmac(const void *key, size_t klen,
    const void *data, size_t len, u_char *out)
{
    /* a NULL key means "the one before" to OpenSSL */

    return HMAC(EVP_sha256(), klen ? key : "", (int) klen, data, len, out,
                NULL)
           ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_hyperdrive_base_digest_pbkdf2(ngx_str_t *password, ngx_str_t *salt,
    ngx_uint_t rounds, u_char *out)
{
    return PKCS5_PBKDF2_HMAC(password->len ? (char *) password->data : "",
                             (int) password->len, salt->data, (int) salt->len,
                             (int) rounds, EVP_sha256(),
                             NGX_HYPERDRIVE_BASE_DIGEST_SHA256, out)
           == 1 ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_hyperdrive_base_digest_md5(const void *data, size_t len, u_char *out)
{
    return EVP_Digest(data, len, out, NULL, EVP_md5(), NULL) == 1
           ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_hyperdrive_base_digest_sha1(const void *data, size_t len, u_char *out)
{
    return EVP_Digest(data, len, out, NULL, EVP_sha1(), NULL) == 1
           ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_hyperdrive_base_digest_random(u_char *out, size_t len)
{
    return RAND_bytes(out, (int) len) == 1 ? NGX_OK : NGX_ERROR;
}


ngx_uint_t
ngx_hyperdrive_base_digest_equal(const void *a, const void *b, size_t len)
{
    return CRYPTO_memcmp(a, b, len) == 0;
}


void
ngx_hyperdrive_base_digest_wipe(void *data, size_t len)
{
    OPENSSL_cleanse(data, len);
}


u_char *
ngx_hyperdrive_base_digest_base64_encode(u_char *out, const void *data,
    size_t len)
{
    uint32_t       v;
    const u_char  *p, *last;

    static const u_char  table[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

    p = data;

    for (last = p + len / 3 * 3; p != last; p += 3) {
        v = (uint32_t) p[0] << 16 | (uint32_t) p[1] << 8 | p[2];

        *out++ = table[v >> 18];
        *out++ = table[v >> 12 & 0x3f];
        *out++ = table[v >> 6 & 0x3f];
        *out++ = table[v & 0x3f];
    }

    switch (len % 3) {

    case 1:
        *out++ = table[p[0] >> 2];
        *out++ = table[(p[0] & 0x03) << 4];
        *out++ = '=';
        *out++ = '=';
        break;

    case 2:
        *out++ = table[p[0] >> 2];
        *out++ = table[(p[0] & 0x03) << 4 | p[1] >> 4];
        *out++ = table[(p[1] & 0x0f) << 2];
        *out++ = '=';
        break;
    }

    return out;
}


ngx_int_t
ngx_hyperdrive_base_digest_base64_decode(u_char *out, size_t *n,
    const void *data, size_t len)
{
    u_char        *start;
    uint32_t       bits;
    ngx_int_t      v;
    ngx_uint_t     i, pad;
    const u_char  *p, *last;

    if (len % 4) {
        return NGX_ERROR;
    }

    p = data;
    start = out;
    pad = 0;

    for (last = p + len; p != last; p += 4) {

        bits = 0;

        for (i = 0; i < 4; i++) {

            if (p[i] == '=' && i >= 2 && p + 4 == last) {
                pad++;
                bits <<= 6;
                continue;
            }

            v = ngx_hyperdrive_base_digest_base64_value(p[i]);

            if (v < 0 || pad) {
                return NGX_ERROR;
            }

            bits = bits << 6 | (uint32_t) v;
        }

        /* two texts for the same bytes are not accepted */

        if ((pad == 1 && (bits & 0xff)) || (pad == 2 && (bits & 0xffff))) {
            return NGX_ERROR;
        }

        *out++ = (u_char) (bits >> 16);

        if (pad < 2) {
            *out++ = (u_char) (bits >> 8);
        }

        if (pad < 1) {
            *out++ = (u_char) bits;
        }
    }

    *n = out - start;

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_base_digest_base64_value(u_char c)
{
    if (c >= 'A' && c <= 'Z') {
        return c - 'A';
    }

    if (c >= 'a' && c <= 'z') {
        return c - 'a' + 26;
    }

    if (c >= '0' && c <= '9') {
        return c - '0' + 52;
    }

    if (c == '+') {
        return 62;
    }

    if (c == '/') {
        return 63;
    }

    return -1;
}
