
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "origin/ngx_hyperdrive_origin.h"


ngx_int_t
ngx_hyperdrive_origin_tls_start(ngx_hyperdrive_origin_t *o,
    ngx_connection_handler_pt handler)
{
    u_char            *name;
    ngx_int_t          rc;
    ngx_connection_t  *c;

    c = o->net.connection;

    if (ngx_ssl_create_connection(o->server->ssl, c,
                                  NGX_SSL_BUFFER|NGX_SSL_CLIENT)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (o->server->host.len
        && ngx_inet_addr(o->server->host.data, o->server->host.len)
           == INADDR_NONE
        && ngx_strlchr(o->server->host.data,
                       o->server->host.data + o->server->host.len, ':')
           == NULL
        && o->server->host.data[0] != '/')
    {
        /* RFC 6066: a name, not an address */

        name = ngx_pnalloc(o->memory, o->server->host.len + 1);
        if (name == NULL) {
            return NGX_ERROR;
        }

        (void) ngx_cpystrn(name, o->server->host.data,
                           o->server->host.len + 1);

        if (SSL_set_tlsext_host_name(c->ssl->connection, (char *) name) == 0) {
            ngx_ssl_error(NGX_LOG_ERR, c->log, 0,
                          "SSL_set_tlsext_host_name() failed");
            return NGX_ERROR;
        }
    }

    rc = ngx_ssl_handshake(c);

    if (rc == NGX_AGAIN) {
        c->ssl->handler = handler;
    }

    return rc;
}


char *
ngx_hyperdrive_origin_tls_verify(ngx_hyperdrive_origin_t *o)
{
    long               rc;
    ngx_connection_t  *c;

    c = o->net.connection;

    if (o->server->sslmode < NGX_HYPERDRIVE_SSLMODE_VERIFY_CA) {
        return NULL;
    }

    rc = SSL_get_verify_result(c->ssl->connection);

    if (rc != X509_V_OK) {
        ngx_log_error(NGX_LOG_ERR, c->log, 0,
                      "hyperdrive origin \"%V\": certificate: (%l:%s)",
                      &o->server->name, rc, X509_verify_cert_error_string(rc));

        return "the database's certificate could not be verified";
    }

    if (o->server->sslmode == NGX_HYPERDRIVE_SSLMODE_VERIFY_FULL
        && ngx_ssl_check_host(c, &o->server->host) != NGX_OK)
    {
        return "the database's certificate is for another host name";
    }

    return NULL;
}


/*
 * RFC 5929, 4.1: the digest of the certificate by the hash function of its
 * signature; MD5 and SHA-1 are replaced by SHA-256.
 */

size_t
ngx_hyperdrive_origin_tls_cert_hash(ngx_connection_t *c, ngx_uint_t own,
    u_char *out)
{
    int            nid;
    X509          *cert;
    unsigned       len;
    const EVP_MD  *md;

    if (own) {
        cert = SSL_get_certificate(c->ssl->connection);

    } else {
        cert = SSL_get_peer_certificate(c->ssl->connection);
    }

    if (cert == NULL) {
        return 0;
    }

    len = 0;

    if (OBJ_find_sigid_algs(X509_get_signature_nid(cert), &nid, NULL)) {

        if (nid == NID_md5 || nid == NID_sha1) {
            nid = NID_sha256;
        }

        /* Ed25519 has no digest of its own: no channel binding then */

        md = EVP_get_digestbynid(nid);

        if (md == NULL || X509_digest(cert, md, out, &len) == 0) {
            len = 0;
        }
    }

    if (!own) {
        X509_free(cert);
    }

    return len;
}
