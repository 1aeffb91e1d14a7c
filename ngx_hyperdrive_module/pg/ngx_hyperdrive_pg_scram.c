
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "ngx_hyperdrive_pg_scram_verifier.h"


#define NGX_HYPERDRIVE_PG_SCRAM_CBIND_TYPE  "tls-server-end-point"

/* the longest gs2 header, and what "c=" holds */
#define NGX_HYPERDRIVE_PG_SCRAM_GS2                                          \
    (sizeof("p=" NGX_HYPERDRIVE_PG_SCRAM_CBIND_TYPE ",,") - 1)
#define NGX_HYPERDRIVE_PG_SCRAM_BOUND                                        \
    (NGX_HYPERDRIVE_PG_SCRAM_GS2 + NGX_HYPERDRIVE_PG_SCRAM_MAX_CBIND)


static ngx_int_t ngx_hyperdrive_pg_scram_server_gs2(
    ngx_hyperdrive_pg_scram_server_t *s, u_char **pos, u_char *last);
static ngx_int_t ngx_hyperdrive_pg_scram_server_bound(
    ngx_hyperdrive_pg_scram_server_t *s, ngx_str_t *value);
static ngx_int_t ngx_hyperdrive_pg_scram_server_prove(
    ngx_hyperdrive_pg_scram_server_t *s, u_char *proof, u_char *signature);
static void ngx_hyperdrive_pg_scram_server_pass(
    ngx_hyperdrive_pg_scram_server_t *s, u_char *client_key);
static ngx_int_t ngx_hyperdrive_pg_scram_client_keys(
    ngx_hyperdrive_pg_scram_client_t *c, ngx_str_t *salt,
    ngx_uint_t iterations, u_char *client_key);
static ngx_int_t ngx_hyperdrive_pg_scram_nonce(ngx_str_t *nonce, u_char *text);
static u_char *ngx_hyperdrive_pg_scram_gs2(u_char *p, u_char flag);
static u_char *ngx_hyperdrive_pg_scram_bound(u_char *p, u_char flag,
    ngx_str_t *cbind);
static ngx_uint_t ngx_hyperdrive_pg_scram_printable(ngx_str_t *nonce);
static u_char *ngx_hyperdrive_pg_scram_attr(u_char *p, u_char *last,
    u_char name, ngx_str_t *value);
static ngx_int_t ngx_hyperdrive_pg_scram_fail(
    ngx_hyperdrive_pg_scram_error_t *error, char *detail);
static ngx_int_t ngx_hyperdrive_pg_scram_internal(
    ngx_hyperdrive_pg_scram_error_t *error);


/*
 * client-first-message: gs2 header, "n=", "r=", extensions.  The answer is
 * server-first-message: "r=", "s=", "i=".
 */

ngx_int_t
ngx_hyperdrive_pg_scram_server_first(ngx_hyperdrive_pg_scram_server_t *s,
    ngx_str_t *in, ngx_str_t *out)
{
    size_t      len;
    u_char     *p, *last, *bare;
    ngx_str_t   user, nonce, any;

    p = in->data;
    last = p + in->len;

    if (in->len == 0) {
        return ngx_hyperdrive_pg_scram_fail(&s->error,
                                            "The message is empty.");
    }

    if (in->len > NGX_HYPERDRIVE_PG_SCRAM_MAX_MESSAGE
        || memchr(p, '\0', in->len))
    {
        return ngx_hyperdrive_pg_scram_fail(&s->error,
                             "Message length does not match input length.");
    }

    if (ngx_hyperdrive_pg_scram_server_gs2(s, &p, last) != NGX_OK) {
        return NGX_ERROR;
    }

    bare = p;

    if (p < last && *p == 'm') {
        s->error.sqlstate = "0A000";
        s->error.message = "client requires an unsupported SCRAM extension";
        return NGX_ERROR;
    }

    /* the name was in the start-up packet, this one is not looked at */

    p = ngx_hyperdrive_pg_scram_attr(p, last, 'n', &user);
    p = ngx_hyperdrive_pg_scram_attr(p, last, 'r', &nonce);

    if (p == NULL) {
        return ngx_hyperdrive_pg_scram_fail(&s->error,
                      "Attributes \"n\" and \"r\" expected in this order.");
    }

    while (p && p < last) {
        p = ngx_hyperdrive_pg_scram_attr(p, last, 0, &any);
    }

    if (p == NULL) {
        return ngx_hyperdrive_pg_scram_fail(&s->error,
                                            "Attribute expected.");
    }

    if (!ngx_hyperdrive_pg_scram_printable(&nonce)) {
        s->error.sqlstate = "08P01";
        s->error.message = "non-printable characters in SCRAM nonce";
        return NGX_ERROR;
    }

    if (s->nonce.len == 0
        && ngx_hyperdrive_pg_scram_nonce(&s->nonce, s->text) != NGX_OK)
    {
        return ngx_hyperdrive_pg_scram_internal(&s->error);
    }

    len = last - bare + sizeof(",r=,s=,i=") - 1
          + nonce.len + s->nonce.len + s->secret.salt.len + NGX_INT_T_LEN;

    s->auth = malloc(len);
    if (s->auth == NULL) {
        return ngx_hyperdrive_pg_scram_internal(&s->error);
    }

    p = ngx_cpymem(s->auth, bare, last - bare);
    *p++ = ',';

    out->data = p;

    *p++ = 'r';
    *p++ = '=';

    s->full_nonce.data = p;

    p = ngx_cpymem(p, nonce.data, nonce.len);
    p = ngx_cpymem(p, s->nonce.data, s->nonce.len);

    s->full_nonce.len = p - s->full_nonce.data;

    p = ngx_snprintf(p, s->auth + len - p, ",s=%V,i=%ui", &s->secret.salt,
                     s->secret.iterations);

    out->len = p - out->data;
    s->auth_len = p - s->auth;

    return NGX_OK;
}


/*
 * client-final-message: "c=", "r=", extensions, "p=" and nothing behind it.
 * The answer is server-final-message: "v=".
 */

ngx_int_t
ngx_hyperdrive_pg_scram_server_final(ngx_hyperdrive_pg_scram_server_t *s,
    ngx_str_t *in, ngx_str_t *out)
{
    u_char     *p, *last, *attr, *auth;
    u_char      proof[NGX_HYPERDRIVE_PG_SCRAM_KEY];
    u_char      signature[NGX_HYPERDRIVE_PG_SCRAM_KEY];
    ngx_int_t   rc;
    ngx_str_t   bound, nonce, value;

    p = in->data;
    last = p + in->len;

    if (in->len == 0) {
        return ngx_hyperdrive_pg_scram_fail(&s->error,
                                            "The message is empty.");
    }

    if (in->len > NGX_HYPERDRIVE_PG_SCRAM_MAX_MESSAGE
        || memchr(p, '\0', in->len))
    {
        return ngx_hyperdrive_pg_scram_fail(&s->error,
                             "Message length does not match input length.");
    }

    p = ngx_hyperdrive_pg_scram_attr(p, last, 'c', &bound);
    p = ngx_hyperdrive_pg_scram_attr(p, last, 'r', &nonce);

    if (p == NULL) {
        return ngx_hyperdrive_pg_scram_fail(&s->error,
                      "Attributes \"c\" and \"r\" expected in this order.");
    }

    if (ngx_hyperdrive_pg_scram_server_bound(s, &bound) != NGX_OK) {
        return NGX_ERROR;
    }

    do {
        attr = p;
        p = ngx_hyperdrive_pg_scram_attr(p, last, 0, &value);

        if (p == NULL) {
            return ngx_hyperdrive_pg_scram_fail(&s->error,
                                                "Attribute \"p\" expected.");
        }

    } while (*attr != 'p');

    if (ngx_hyperdrive_pg_scram_verifier_key(&value, proof) != NGX_OK) {
        return ngx_hyperdrive_pg_scram_fail(&s->error,
                             "Malformed proof in client-final-message.");
    }

    if (p != last) {
        return ngx_hyperdrive_pg_scram_fail(&s->error,
                   "Garbage found at the end of client-final-message.");
    }

    if (nonce.len != s->full_nonce.len
        || !ngx_hyperdrive_base_digest_equal(nonce.data, s->full_nonce.data,
                                             nonce.len))
    {
        s->error.sqlstate = "08P01";
        s->error.message = "invalid SCRAM response";
        s->error.detail = "Nonce does not match.";
        return NGX_ERROR;
    }

    /* what is signed ends before the comma of "p=" */

    auth = realloc(s->auth, s->auth_len + 1 + (attr - 1 - in->data));
    if (auth == NULL) {
        return ngx_hyperdrive_pg_scram_internal(&s->error);
    }

    s->auth = auth;

    p = auth + s->auth_len;
    *p++ = ',';
    p = ngx_cpymem(p, in->data, attr - 1 - in->data);

    s->auth_len = p - auth;

    rc = ngx_hyperdrive_pg_scram_server_prove(s, proof, signature);

    if (rc == NGX_OK) {
        p = s->text;
        *p++ = 'v';
        *p++ = '=';

        p = ngx_hyperdrive_base_digest_base64_encode(p, signature,
                                                     sizeof(signature));
        out->data = s->text;
        out->len = p - s->text;
    }

    return rc;
}


void
ngx_hyperdrive_pg_scram_server_destroy(ngx_hyperdrive_pg_scram_server_t *s)
{
    free(s->auth);

    ngx_hyperdrive_base_digest_wipe(s,
                                    sizeof(ngx_hyperdrive_pg_scram_server_t));
}


static ngx_int_t
ngx_hyperdrive_pg_scram_server_gs2(ngx_hyperdrive_pg_scram_server_t *s,
    u_char **pos, u_char *last)
{
    u_char     *p;
    ngx_str_t   type;

    p = *pos;
    s->flag = *p;

    switch (s->flag) {

    case 'n':
    case 'y':

        if (s->plus) {
            return ngx_hyperdrive_pg_scram_fail(&s->error,
                            "The client selected SCRAM-SHA-256-PLUS, but the "
                            "SCRAM message does not include channel binding "
                            "data.");
        }

        if (s->flag == 'y' && s->plus_offered) {

            /* somebody between us took the offer out of the list */

            s->error.sqlstate = "28000";
            s->error.message = "SCRAM channel binding negotiation error";
            s->error.detail = "The client supports SCRAM channel binding but "
                              "thinks the server does not.  However, this "
                              "server does support channel binding.";
            return NGX_ERROR;
        }

        p++;

        if (p == last || *p++ != ',') {
            return ngx_hyperdrive_pg_scram_fail(&s->error,
                                                "Comma expected.");
        }

        break;

    case 'p':

        if (!s->plus) {
            return ngx_hyperdrive_pg_scram_fail(&s->error,
                            "The client selected SCRAM-SHA-256 without "
                            "channel binding, but the SCRAM message includes "
                            "channel binding data.");
        }

        p = ngx_hyperdrive_pg_scram_attr(p, last, 'p', &type);

        if (p == NULL) {
            return ngx_hyperdrive_pg_scram_fail(&s->error,
                                                "Attribute \"p\" expected.");
        }

        if (type.len != sizeof(NGX_HYPERDRIVE_PG_SCRAM_CBIND_TYPE) - 1
            || ngx_memcmp(type.data, NGX_HYPERDRIVE_PG_SCRAM_CBIND_TYPE,
                          type.len)
               != 0)
        {
            s->error.sqlstate = "08P01";
            s->error.message = "unsupported SCRAM channel-binding type";
            return NGX_ERROR;
        }

        break;

    default:
        return ngx_hyperdrive_pg_scram_fail(&s->error,
                                            "Unexpected channel-binding flag.");
    }

    if (p < last && *p == 'a') {
        s->error.sqlstate = "0A000";
        s->error.message = "client uses authorization identity, "
                           "but it is not supported";
        return NGX_ERROR;
    }

    if (p == last || *p++ != ',') {
        return ngx_hyperdrive_pg_scram_fail(&s->error,
                         "Unexpected attribute in client-first-message.");
    }

    *pos = p;

    return NGX_OK;
}


/* "c=" repeats the gs2 header and, with -PLUS, names our certificate */

static ngx_int_t
ngx_hyperdrive_pg_scram_server_bound(ngx_hyperdrive_pg_scram_server_t *s,
    ngx_str_t *value)
{
    u_char  *p;
    u_char   bound[ngx_hyperdrive_base_digest_base64_len(
                                             NGX_HYPERDRIVE_PG_SCRAM_BOUND)];

    p = ngx_hyperdrive_pg_scram_bound(bound, s->flag, &s->cbind);

    if (value->len == (size_t) (p - bound)
        && ngx_hyperdrive_base_digest_equal(value->data, bound, value->len))
    {
        return NGX_OK;
    }

    if (s->plus) {
        s->error.sqlstate = "28000";
        s->error.message = "SCRAM channel binding check failed";

    } else {
        s->error.sqlstate = "08P01";
        s->error.message = "unexpected SCRAM channel-binding attribute in "
                           "client-final-message";
    }

    return NGX_ERROR;
}


/*
 * A user that does not exist takes the same way: its stored key is random,
 * and <doomed> is looked at after all has been computed.
 */

static ngx_int_t
ngx_hyperdrive_pg_scram_server_prove(ngx_hyperdrive_pg_scram_server_t *s,
    u_char *proof, u_char *signature)
{
    u_char       key[NGX_HYPERDRIVE_PG_SCRAM_KEY];
    u_char       stored[NGX_HYPERDRIVE_PG_SCRAM_KEY];
    ngx_uint_t   i, equal;

    if (ngx_hyperdrive_base_digest_hmac(s->secret.stored_key,
                                        NGX_HYPERDRIVE_PG_SCRAM_KEY,
                                        s->auth, s->auth_len, key)
        != NGX_OK)
    {
        return ngx_hyperdrive_pg_scram_internal(&s->error);
    }

    for (i = 0; i < NGX_HYPERDRIVE_PG_SCRAM_KEY; i++) {
        key[i] ^= proof[i];
    }

    if (ngx_hyperdrive_base_digest_sha256(key, sizeof(key), stored) != NGX_OK
        || ngx_hyperdrive_base_digest_hmac(s->secret.server_key,
                                           NGX_HYPERDRIVE_PG_SCRAM_KEY,
                                           s->auth, s->auth_len, signature)
           != NGX_OK)
    {
        return ngx_hyperdrive_pg_scram_internal(&s->error);
    }

    equal = ngx_hyperdrive_base_digest_equal(stored, s->secret.stored_key,
                                             sizeof(stored));

    if (equal && !s->doomed && s->pass) {
        ngx_hyperdrive_pg_scram_server_pass(s, key);
    }

    /* the client's key would do in place of the password */

    ngx_hyperdrive_base_digest_wipe(key, sizeof(key));

    if (!equal || s->doomed) {
        s->error.sqlstate = "28P01";
        s->error.message = "password authentication failed";
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static void
ngx_hyperdrive_pg_scram_server_pass(ngx_hyperdrive_pg_scram_server_t *s,
    u_char *client_key)
{
    size_t                           len;
    u_char                           salt[NGX_HYPERDRIVE_PG_SCRAM_MAX_SALT];
    ngx_hyperdrive_pg_scram_pass_t  *pass;

    pass = s->pass;

    if (s->secret.salt.len > sizeof(salt)
        || ngx_hyperdrive_base_digest_base64_decode(salt, &len,
                                                    s->secret.salt.data,
                                                    s->secret.salt.len)
           != NGX_OK
        || len > sizeof(pass->salt))
    {
        return;
    }

    pass->salt_len = len;
    ngx_memcpy(pass->salt, salt, len);
    ngx_memcpy(pass->client_key, client_key, sizeof(pass->client_key));
    ngx_memcpy(pass->server_key, s->secret.server_key,
               sizeof(pass->server_key));

    pass->iterations = s->secret.iterations;
}


ngx_int_t
ngx_hyperdrive_pg_scram_client_first(ngx_hyperdrive_pg_scram_client_t *c,
    ngx_str_t *out)
{
    u_char  *p, *bare;

    if (c->nonce.len == 0
        && ngx_hyperdrive_pg_scram_nonce(&c->nonce, c->text) != NGX_OK)
    {
        return ngx_hyperdrive_pg_scram_internal(&c->error);
    }

    c->out = malloc(NGX_HYPERDRIVE_PG_SCRAM_GS2 + sizeof("n=,r=") - 1
                    + c->nonce.len);
    if (c->out == NULL) {
        return ngx_hyperdrive_pg_scram_internal(&c->error);
    }

    bare = ngx_hyperdrive_pg_scram_gs2(c->out, c->flag);

    p = ngx_cpymem(bare, "n=,r=", sizeof("n=,r=") - 1);
    p = ngx_cpymem(p, c->nonce.data, c->nonce.len);

    out->data = c->out;
    out->len = p - c->out;

    /* what is signed begins behind the gs2 header */

    c->auth_len = p - bare;

    return NGX_OK;
}


/*
 * server-first-message: "r=", "s=", "i=", extensions.  The answer is
 * client-final-message: "c=", "r=", "p=".
 */

ngx_int_t
ngx_hyperdrive_pg_scram_client_final(ngx_hyperdrive_pg_scram_client_t *c,
    ngx_str_t *in, ngx_str_t *out)
{
    size_t       len;
    u_char      *p, *last, *q;
    u_char       salt[NGX_HYPERDRIVE_PG_SCRAM_MAX_SALT];
    u_char       key[NGX_HYPERDRIVE_PG_SCRAM_KEY];
    u_char       stored[NGX_HYPERDRIVE_PG_SCRAM_KEY];
    u_char       signature[NGX_HYPERDRIVE_PG_SCRAM_KEY];
    ngx_int_t    rc;
    ngx_str_t    nonce, value, s;
    ngx_uint_t   i, iterations;

    p = in->data;
    last = p + in->len;

    if (in->len == 0 || in->len > NGX_HYPERDRIVE_PG_SCRAM_MAX_MESSAGE) {
        return ngx_hyperdrive_pg_scram_fail(&c->error,
                            "the server-first-message of the origin is "
                            "empty or too long");
    }

    if (*p == 'm') {
        return ngx_hyperdrive_pg_scram_fail(&c->error,
                            "the origin requires an unknown SCRAM "
                            "extension");
    }

    p = ngx_hyperdrive_pg_scram_attr(p, last, 'r', &nonce);

    /* the nonce must begin with ours, and must not end with it */

    if (p == NULL
        || nonce.len <= c->nonce.len
        || ngx_memcmp(nonce.data, c->nonce.data, c->nonce.len) != 0
        || !ngx_hyperdrive_pg_scram_printable(&nonce))
    {
        return ngx_hyperdrive_pg_scram_fail(&c->error,
                            "the SCRAM nonce of the origin is missing, or "
                            "does not extend ours");
    }

    p = ngx_hyperdrive_pg_scram_attr(p, last, 's', &value);

    if (p == NULL
        || value.len == 0
        || value.len > NGX_HYPERDRIVE_PG_SCRAM_MAX_SALT
        || ngx_hyperdrive_base_digest_base64_decode(salt, &s.len, value.data,
                                                    value.len)
           != NGX_OK)
    {
        return ngx_hyperdrive_pg_scram_fail(&c->error,
                            "the SCRAM salt of the origin is invalid");
    }

    s.data = salt;

    p = ngx_hyperdrive_pg_scram_attr(p, last, 'i', &value);

    if (p == NULL) {
        return ngx_hyperdrive_pg_scram_fail(&c->error,
                            "the SCRAM iteration count of the origin is "
                            "missing");
    }

    q = ngx_hyperdrive_pg_scram_verifier_number(value.data,
                                       value.data + value.len,
                                       NGX_HYPERDRIVE_PG_SCRAM_MAX_ITERATIONS,
                                       &iterations);

    if (q == NULL || q != value.data + value.len) {
        return ngx_hyperdrive_pg_scram_fail(&c->error,
                            "the SCRAM iteration count of the origin is "
                            "invalid, 1 to 1000000 are accepted");
    }

    while (p && p < last) {
        p = ngx_hyperdrive_pg_scram_attr(p, last, 0, &value);
    }

    if (p == NULL) {
        return ngx_hyperdrive_pg_scram_fail(&c->error,
                            "garbage at the end of the server-first-message "
                            "of the origin");
    }

    /* the three messages, and behind them the proof, which is not signed */

    len = c->auth_len + 1 + in->len + 1
          + sizeof("c=,r=") - 1 + ngx_hyperdrive_base_digest_base64_len(
                                             NGX_HYPERDRIVE_PG_SCRAM_BOUND)
          + nonce.len
          + sizeof(",p=") - 1
          + ngx_hyperdrive_base_digest_base64_len(NGX_HYPERDRIVE_PG_SCRAM_KEY);

    c->auth = malloc(len);
    if (c->auth == NULL) {
        return ngx_hyperdrive_pg_scram_internal(&c->error);
    }

    p = ngx_cpymem(c->auth, "n=,r=", sizeof("n=,r=") - 1);
    p = ngx_cpymem(p, c->nonce.data, c->nonce.len);
    *p++ = ',';
    p = ngx_cpymem(p, in->data, in->len);
    *p++ = ',';

    out->data = p;

    *p++ = 'c';
    *p++ = '=';
    p = ngx_hyperdrive_pg_scram_bound(p, c->flag, &c->cbind);
    *p++ = ',';
    *p++ = 'r';
    *p++ = '=';
    p = ngx_cpymem(p, nonce.data, nonce.len);

    c->auth_len = p - c->auth;

    rc = ngx_hyperdrive_pg_scram_client_keys(c, &s, iterations, key);

    if (rc == NGX_DECLINED) {
        return NGX_DECLINED;
    }

    if (rc == NGX_OK) {
        rc = ngx_hyperdrive_base_digest_sha256(key, sizeof(key), stored);
    }

    if (rc == NGX_OK) {
        rc = ngx_hyperdrive_base_digest_hmac(stored, sizeof(stored), c->auth,
                                             c->auth_len, signature);
    }

    for (i = 0; rc == NGX_OK && i < sizeof(key); i++) {
        signature[i] ^= key[i];
    }

    ngx_hyperdrive_base_digest_wipe(key, sizeof(key));
    ngx_hyperdrive_base_digest_wipe(stored, sizeof(stored));

    if (rc != NGX_OK) {
        return ngx_hyperdrive_pg_scram_internal(&c->error);
    }

    *p++ = ',';
    *p++ = 'p';
    *p++ = '=';
    p = ngx_hyperdrive_base_digest_base64_encode(p, signature,
                                                 sizeof(signature));
    out->len = p - out->data;

    return NGX_OK;
}


ngx_int_t
ngx_hyperdrive_pg_scram_client_verify(ngx_hyperdrive_pg_scram_client_t *c,
    ngx_str_t *in)
{
    u_char     *p;
    u_char      got[NGX_HYPERDRIVE_PG_SCRAM_KEY];
    u_char      signature[NGX_HYPERDRIVE_PG_SCRAM_KEY];
    ngx_str_t   value;

    p = ngx_hyperdrive_pg_scram_attr(in->data, in->data + in->len, 'v',
                                     &value);

    if (p != in->data + in->len || in->len == 0
        || ngx_hyperdrive_pg_scram_verifier_key(&value, got) != NGX_OK)
    {
        return ngx_hyperdrive_pg_scram_fail(&c->error,
                            "malformed server-final-message of the origin");
    }

    if (ngx_hyperdrive_base_digest_hmac(c->server_key, sizeof(c->server_key),
                                        c->auth, c->auth_len, signature)
        != NGX_OK)
    {
        return ngx_hyperdrive_pg_scram_internal(&c->error);
    }

    if (!ngx_hyperdrive_base_digest_equal(got, signature, sizeof(signature))) {
        c->error.sqlstate = "28000";
        c->error.message = "the origin does not know the password: "
                           "its SCRAM signature is wrong";
        return NGX_DECLINED;
    }

    return NGX_OK;
}


void
ngx_hyperdrive_pg_scram_client_destroy(ngx_hyperdrive_pg_scram_client_t *c)
{
    free(c->auth);
    free(c->out);

    ngx_hyperdrive_base_digest_wipe(c,
                                    sizeof(ngx_hyperdrive_pg_scram_client_t));
}


/* both keys, from what the last log-in left if nothing has changed */

static ngx_int_t
ngx_hyperdrive_pg_scram_client_keys(ngx_hyperdrive_pg_scram_client_t *c,
    ngx_str_t *salt, ngx_uint_t iterations, u_char *client_key)
{
    u_char                           tag[NGX_HYPERDRIVE_PG_SCRAM_KEY];
    ngx_hyperdrive_pg_scram_keys_t  *keys;

    keys = c->keys;

    if (c->pass) {

        /* keys that belong to this salt only */

        if (c->pass->iterations != iterations
            || c->pass->salt_len != salt->len
            || ngx_memcmp(c->pass->salt, salt->data, salt->len) != 0)
        {
            c->error.sqlstate = "28P01";
            c->error.message = "the SCRAM secret of this user is not the one "
                               "that the origin has";
            c->error.detail = NULL;

            return NGX_DECLINED;
        }

        ngx_memcpy(client_key, c->pass->client_key,
                   sizeof(c->pass->client_key));
        ngx_memcpy(c->server_key, c->pass->server_key,
                   sizeof(c->server_key));

        return NGX_OK;
    }

    if (keys == NULL) {
        return ngx_hyperdrive_pg_scram_verifier_keys(&c->password, salt,
                                                     iterations, client_key,
                                                     c->server_key);
    }

    if (ngx_hyperdrive_base_digest_hmac(c->password.data, c->password.len,
                                        salt->data, salt->len, tag)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (keys->iterations != iterations
        || !ngx_hyperdrive_base_digest_equal(keys->tag, tag, sizeof(tag)))
    {
        keys->iterations = 0;

        if (ngx_hyperdrive_pg_scram_verifier_keys(&c->password, salt,
                                                  iterations, keys->client_key,
                                                  keys->server_key)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        ngx_memcpy(keys->tag, tag, sizeof(tag));
        keys->iterations = iterations;
    }

    ngx_memcpy(client_key, keys->client_key, sizeof(keys->client_key));
    ngx_memcpy(c->server_key, keys->server_key, sizeof(keys->server_key));

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_pg_scram_nonce(ngx_str_t *nonce, u_char *text)
{
    u_char  raw[NGX_HYPERDRIVE_PG_SCRAM_NONCE / 4 * 3];

    if (ngx_hyperdrive_base_digest_random(raw, sizeof(raw)) != NGX_OK) {
        return NGX_ERROR;
    }

    nonce->data = text;
    nonce->len = ngx_hyperdrive_base_digest_base64_encode(text, raw,
                                                          sizeof(raw))
                 - text;

    return NGX_OK;
}


static u_char *
ngx_hyperdrive_pg_scram_gs2(u_char *p, u_char flag)
{
    *p++ = flag;

    if (flag == 'p') {
        p = ngx_cpymem(p, "=" NGX_HYPERDRIVE_PG_SCRAM_CBIND_TYPE,
                       sizeof(NGX_HYPERDRIVE_PG_SCRAM_CBIND_TYPE));
    }

    *p++ = ',';
    *p++ = ',';

    return p;
}


/* the value of "c=" */

static u_char *
ngx_hyperdrive_pg_scram_bound(u_char *p, u_char flag, ngx_str_t *cbind)
{
    size_t   len;
    u_char  *q;
    u_char   bound[NGX_HYPERDRIVE_PG_SCRAM_BOUND];

    q = ngx_hyperdrive_pg_scram_gs2(bound, flag);

    if (flag == 'p') {
        len = ngx_min(cbind->len, NGX_HYPERDRIVE_PG_SCRAM_MAX_CBIND);
        q = ngx_cpymem(q, cbind->data, len);
    }

    return ngx_hyperdrive_base_digest_base64_encode(p, bound, q - bound);
}


static ngx_uint_t
ngx_hyperdrive_pg_scram_printable(ngx_str_t *nonce)
{
    ngx_uint_t  i;

    for (i = 0; i < nonce->len; i++) {
        if (nonce->data[i] < 0x21 || nonce->data[i] > 0x7e) {
            return 0;
        }
    }

    return nonce->len != 0;
}


/*
 * Reads "name=value" and the comma behind it, if there is one; <name> 0: any
 * letter.  Returns the new position, or NULL if there is something else.
 */

static u_char *
ngx_hyperdrive_pg_scram_attr(u_char *p, u_char *last, u_char name,
    ngx_str_t *value)
{
    u_char  c, *comma;

    if (p == NULL || last - p < 2 || p[1] != '=') {
        return NULL;
    }

    c = p[0] | 0x20;

    if (name ? p[0] != name : (c < 'a' || c > 'z')) {
        return NULL;
    }

    p += 2;
    comma = p < last ? memchr(p, ',', last - p) : NULL;

    value->data = p;
    value->len = (comma ? comma : last) - p;

    return comma ? comma + 1 : last;
}


static ngx_int_t
ngx_hyperdrive_pg_scram_fail(ngx_hyperdrive_pg_scram_error_t *error,
    char *detail)
{
    error->sqlstate = "08P01";
    error->message = "malformed SCRAM message";
    error->detail = detail;

    return NGX_ERROR;
}


static ngx_int_t
ngx_hyperdrive_pg_scram_internal(ngx_hyperdrive_pg_scram_error_t *error)
{
    error->sqlstate = "XX000";
    error->message = "cannot compute SCRAM keys";
    error->detail = NULL;

    return NGX_ERROR;
}
