/* sources: mysql/ngx_hyperdrive_mysql_ed25519.c base/ngx_hyperdrive_base_digest.c */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * Tests of MariaDB's client_ed25519: what we sign is valid under the public key
 * that MariaDB has of a password (SELECT ed25519_password('...')).
 */


#include "mysql/ngx_hyperdrive_mysql_auth.h"
#include "check.h"
#include <openssl/bn.h>
#include <openssl/evp.h>
#include <stdio.h>


static struct {
    char  *password;
    char  *key;               /* without its "=" */
} known[] = {
    { "secret",
      "ZIgUREUg5PVgQ6LskhXmO+eZLS0nC8be6HPjYWR4YJY" },
    { "a",
      "GvRmi9ungFjJD9sKjaq/T3CL1LmO2CLpz5I42gnB7Eg" },
    { "pppppppppppppppppppppppppppppppp",
      "GSBMjDuoW6BZzRiskBe9AqGNpdEMaPt3mjS+Q+8Gd5E" },
    { "longer than thirty-two bytes, which a seed of Ed25519 would be",
      "58pn2v6oq3dZg5oEBPNKjHRUqKQzF0iHvrt5trrvE3c" },
    { "foo",
      "vubFBzIrapbfHct1/J72dnUryz5VS7lA6XHH8sIx4TI" },
    { "x1",
      "9GW8JjMKxFmmq2gSgHzr/gOYmUidCZxBK01YIgQ7flQ" }
};


static ngx_uint_t
valid(char *base64, u_char *scramble, u_char *signature)
{
    char         text[64];
    u_char       key[64];
    EVP_PKEY    *pkey;
    EVP_MD_CTX  *ctx;
    ngx_uint_t   good;

    snprintf(text, sizeof(text), "%s=", base64);
    EVP_DecodeBlock(key, (u_char *) text, 44);

    pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, 32);
    ctx = EVP_MD_CTX_new();

    good = EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, pkey) == 1
           && EVP_DigestVerify(ctx, signature, 64, scramble, 32) == 1;

    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(pkey);

    return good;
}


/*
 * The nonce, r = S - SHA-512(R || A || M) a, divided by 8, is a number below
 * the order; returns whether it is in the half of which X25519's scalars are.
 */

static ngx_uint_t
half(char *base64, ngx_str_t *password, u_char *scramble, u_char *signature)
{
    char         text[64];
    u_char       key[64], all[96], hash[64];
    BIGNUM      *a, *h, *r, *order, *eight;
    BN_CTX      *ctx;
    ngx_uint_t   upper;

    snprintf(text, sizeof(text), "%s=", base64);
    EVP_DecodeBlock(key, (u_char *) text, 44);

    ctx = BN_CTX_new();
    order = NULL;
    eight = NULL;

    BN_hex2bn(&order, "100000000000000000000000000000001"
                      "4def9dea2f79cd65812631a5cf5d3ed");
    BN_hex2bn(&eight, "8");

    EVP_Digest(password->data, password->len, hash, NULL, EVP_sha512(), NULL);
    hash[0] &= 248;
    hash[31] &= 63;
    hash[31] |= 64;
    a = BN_lebin2bn(hash, 32, NULL);

    memcpy(all, signature, 32);
    memcpy(all + 32, key, 32);
    memcpy(all + 64, scramble, 32);
    EVP_Digest(all, sizeof(all), hash, NULL, EVP_sha512(), NULL);
    h = BN_lebin2bn(hash, 64, NULL);

    r = BN_lebin2bn(signature + 32, 32, NULL);

    BN_mod_mul(h, h, a, order, ctx);
    BN_mod_sub(r, r, h, order, ctx);
    BN_mod_inverse(eight, eight, order, ctx);
    BN_mod_mul(r, r, eight, order, ctx);

    upper = (BN_num_bits(r) == 252);

    BN_free(a);
    BN_free(h);
    BN_free(r);
    BN_free(order);
    BN_free(eight);
    BN_CTX_free(ctx);

    return upper;
}


int
main(void)
{
    char        name[100];
    u_char      scramble[32], signature[64];
    ngx_str_t   password;
    ngx_uint_t  i, n, good, upper;

    for (i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
        password.data = (u_char *) known[i].password;
        password.len = strlen(known[i].password);

        good = 0;
        upper = 0;

        /* each time another nonce, and so another sign */

        for (n = 0; n < 50; n++) {
            memset(scramble, n * 5, sizeof(scramble));

            good += ngx_hyperdrive_mysql_ed25519_sign(&password, scramble,
                                                      signature)
                    == NGX_OK
                    && valid(known[i].key, scramble, signature);

            upper += half(known[i].key, &password, scramble, signature);

            scramble[n % 32] ^= 1;
            good -= valid(known[i].key, scramble, signature);
        }

        snprintf(name, sizeof(name), "a password of %d bytes",
                 (int) password.len);
        ok(good == 50, name);

        /* by chance once in 10^15 */
        ok(upper && upper < 50, "nonces of both halves");
    }

    return done();
}
