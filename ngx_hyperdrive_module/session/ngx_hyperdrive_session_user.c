
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session.h"
#include "base/ngx_hyperdrive_base_digest.h"
#include <openssl/x509.h>


/*
 * Who may log in, and by what: a certificate, a users file, the database
 * itself (hyperdrive_auth_query).
 */


static ngx_int_t ngx_hyperdrive_session_user_cert(ngx_hyperdrive_session_t *s);
static ngx_uint_t ngx_hyperdrive_session_user_is_cn(X509 *cert,
    ngx_str_t *user);
static uint64_t ngx_hyperdrive_session_user_proof(
    ngx_hyperdrive_session_user_t *user);
static ngx_hyperdrive_session_user_t *ngx_hyperdrive_session_user_find(
    ngx_array_t *list, ngx_str_t *name);
static ngx_int_t ngx_hyperdrive_session_user_refuse(
    ngx_hyperdrive_session_t *s, char *sqlstate, char *message);


ngx_int_t
ngx_hyperdrive_session_user(ngx_hyperdrive_session_t *s)
{
    ngx_int_t                       rc;
    ngx_hyperdrive_proto_login_t   *login;
    ngx_hyperdrive_session_conf_t  *conf;
    ngx_hyperdrive_session_user_t  *user;

    conf = s->conf;
    login = s->login;

    /* what the log-in shows is needed for the user's own connections */

    login->keep = conf->origin->per_user;

    if (conf->tls_verify && s->net.connection->ssl == NULL) {
        return ngx_hyperdrive_session_user_refuse(s, "28000",
                                         "a client certificate is required: "
                                         "connect with TLS");
    }

    if (conf->cert) {
        rc = ngx_hyperdrive_session_user_cert(s);

        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    if (conf->trust) {
        login->trust = 1;
        login->found = 1;

        return NGX_OK;
    }

    user = ngx_hyperdrive_session_user_find(conf->users, &login->user);

    if (user && user->secret.len) {
        login->found = 1;
        login->secret = user->secret;
        login->password = user->password;
        login->keys = &user->keys;

        s->by = NGX_HYPERDRIVE_SESSION_BY_FILE;
        s->proof = ngx_hyperdrive_session_user_proof(user);

        return NGX_OK;
    }

    if (user == NULL && conf->query) {
        s->by = NGX_HYPERDRIVE_SESSION_BY_QUERY;
        return ngx_hyperdrive_session_auth(s);
    }

    /* not found: goes on as if, and fails at the end */

    return NGX_OK;
}


ngx_int_t
ngx_hyperdrive_session_user_still(ngx_hyperdrive_session_conf_t *conf,
    ngx_str_t *name, ngx_hyperdrive_session_by_e by, uint64_t proof)
{
    ngx_hyperdrive_session_user_t  *user;

    if (conf->tls_verify && by != NGX_HYPERDRIVE_SESSION_BY_CERT) {
        return NGX_DECLINED;
    }

    if (conf->trust) {
        return NGX_OK;
    }

    user = ngx_hyperdrive_session_user_find(conf->users, name);

    switch (by) {

    case NGX_HYPERDRIVE_SESSION_BY_FILE:
        return (user && user->secret.len
                && ngx_hyperdrive_session_user_proof(user) == proof)
               ? NGX_OK : NGX_DECLINED;

    case NGX_HYPERDRIVE_SESSION_BY_QUERY:
        /* what the database knows by now is asked at the next log-in */
        return (user == NULL && conf->query) ? NGX_OK : NGX_DECLINED;

    case NGX_HYPERDRIVE_SESSION_BY_CERT:
        return (conf->cert && (conf->users == NULL
                               || (user && user->secret.len)))
               ? NGX_OK : NGX_DECLINED;

    default: /* NGX_HYPERDRIVE_SESSION_BY_NOTHING */
        return NGX_DECLINED;
    }
}


/* with our own secret in it: it says nothing to anybody else */

static uint64_t
ngx_hyperdrive_session_user_proof(ngx_hyperdrive_session_user_t *user)
{
    u_char    digest[NGX_HYPERDRIVE_BASE_DIGEST_SHA256];
    uint64_t  proof;

    if (ngx_hyperdrive_base_digest_hmac(ngx_hyperdrive_shm_secret(), 32,
                                        user->secret.data, user->secret.len,
                                        digest)
        != NGX_OK)
    {
        /* it is like no other: a log-in is asked for */
        return (uint64_t) ngx_random();
    }

    ngx_memcpy(&proof, digest, sizeof(proof));

    return proof;
}


/*
 * The client is whom its certificate names.  NGX_OK: it is, no password is
 * asked; NGX_DECLINED: there is none, a password will do; NGX_DONE: refused.
 */

static ngx_int_t
ngx_hyperdrive_session_user_cert(ngx_hyperdrive_session_t *s)
{
    X509                           *cert;
    ngx_uint_t                      same;
    ngx_connection_t               *c;
    ngx_hyperdrive_proto_login_t   *login;
    ngx_hyperdrive_session_conf_t  *conf;
    ngx_hyperdrive_session_user_t  *user;

    c = s->net.connection;
    conf = s->conf;
    login = s->login;

    cert = c->ssl ? SSL_get_peer_certificate(c->ssl->connection) : NULL;

    if (cert == NULL) {

        if (conf->users || conf->query) {
            return NGX_DECLINED;
        }

        return ngx_hyperdrive_session_user_refuse(s, "28000",
                              "connection requires a valid client certificate");
    }

    same = SSL_get_verify_result(c->ssl->connection) == X509_V_OK
           && ngx_hyperdrive_session_user_is_cn(cert, &login->user);

    X509_free(cert);

    user = ngx_hyperdrive_session_user_find(conf->users, &login->user);

    if (!same || (conf->users && (user == NULL || user->secret.len == 0))) {
        return ngx_hyperdrive_session_user_refuse(s, "28000",
                               "certificate authentication failed: the "
                               "certificate is not for this user");
    }

    s->by = NGX_HYPERDRIVE_SESSION_BY_CERT;

    login->trust = 1;
    login->found = 1;

    return NGX_OK;
}


/* the common name, of which there is just one, is the user's */

static ngx_uint_t
ngx_hyperdrive_session_user_is_cn(X509 *cert, ngx_str_t *user)
{
    int               i, len;
    u_char           *text;
    X509_NAME        *name;
    ngx_uint_t        same;
    X509_NAME_ENTRY  *entry;

    name = X509_get_subject_name(cert);

    if (name == NULL) {
        return 0;
    }

    i = X509_NAME_get_index_by_NID(name, NID_commonName, -1);

    if (i < 0 || X509_NAME_get_index_by_NID(name, NID_commonName, i) >= 0) {
        return 0;
    }

    entry = X509_NAME_get_entry(name, i);

    len = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry));

    if (len < 0) {
        return 0;
    }

    /* a zero byte inside is compared like any other */

    same = ((size_t) len == user->len
            && ngx_memcmp(text, user->data, user->len) == 0);

    OPENSSL_free(text);

    return same;
}


/* <list> is sorted, or NULL */

static ngx_hyperdrive_session_user_t *
ngx_hyperdrive_session_user_find(ngx_array_t *list, ngx_str_t *name)
{
    ngx_int_t                       rc;
    ngx_uint_t                      low, high, i;
    ngx_hyperdrive_session_user_t  *users;

    if (list == NULL) {
        return NULL;
    }

    users = list->elts;
    low = 0;
    high = list->nelts;

    while (low < high) {
        i = (low + high) / 2;

        rc = ngx_memn2cmp(users[i].name.data, name->data, users[i].name.len,
                          name->len);

        if (rc == 0) {
            return &users[i];
        }

        if (rc < 0) {
            low = i + 1;

        } else {
            high = i;
        }
    }

    return NULL;
}


static ngx_int_t
ngx_hyperdrive_session_user_refuse(ngx_hyperdrive_session_t *s,
    char *sqlstate, char *message)
{
    s->conf->origin->counters->login_failed++;

    ngx_hyperdrive_session_fatal(s, sqlstate, message);

    return NGX_DONE;
}
