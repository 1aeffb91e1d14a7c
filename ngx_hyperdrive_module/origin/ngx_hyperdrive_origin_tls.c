
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "origin/ngx_hyperdrive_origin.h"


/* a host's name in the greeting, with a NUL */
#define NGX_HYPERDRIVE_ORIGIN_TLS_NAME   256


static ngx_int_t ngx_hyperdrive_origin_tls_address(ngx_connection_t *c,
    ngx_str_t *host);


ngx_int_t
ngx_hyperdrive_origin_tls_start(ngx_hyperdrive_origin_server_t *server,
    ngx_connection_t *c, ngx_connection_handler_pt handler)
{
    ngx_int_t  rc;

    if (ngx_ssl_create_connection(server->ssl, c,
                                  NGX_SSL_BUFFER|NGX_SSL_CLIENT)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_hyperdrive_origin_tls_name(server, c->ssl->connection)
        != NGX_OK)
    {
        ngx_ssl_error(NGX_LOG_ERR, c->log, 0,
                      "SSL_set_tlsext_host_name() failed");
        return NGX_ERROR;
    }

    rc = ngx_ssl_handshake(c);

    if (rc == NGX_AGAIN) {
        c->ssl->handler = handler;
    }

    return rc;
}


/* RFC 6066: a name, not an address */

ngx_int_t
ngx_hyperdrive_origin_tls_name(ngx_hyperdrive_origin_server_t *server,
    ngx_ssl_conn_t *conn)
{
    u_char      name[NGX_HYPERDRIVE_ORIGIN_TLS_NAME];
    ngx_str_t  *host;

    host = &server->host;

    if (host->len == 0
        || ngx_inet_addr(host->data, host->len) != INADDR_NONE
        || ngx_strlchr(host->data, host->data + host->len, ':')
        || host->data[0] == '/')
    {
        return NGX_OK;
    }

    if (host->len >= sizeof(name)) {
        return NGX_ERROR;
    }

    (void) ngx_cpystrn(name, host->data, host->len + 1);

    return SSL_set_tlsext_host_name(conn, (char *) name) ? NGX_OK : NGX_ERROR;
}


char *
ngx_hyperdrive_origin_tls_verify(ngx_hyperdrive_origin_server_t *server,
    ngx_connection_t *c, u_char *message, size_t size)
{
    long  rc;

    message[0] = '\0';

    if (server->sslmode < NGX_HYPERDRIVE_SSLMODE_VERIFY_CA) {
        return NULL;
    }

    rc = SSL_get_verify_result(c->ssl->connection);

    if (rc != X509_V_OK) {
        (void) ngx_cpystrn(message,
                           (u_char *) X509_verify_cert_error_string(rc), size);

        return "the database's certificate could not be verified";
    }

    if (server->sslmode == NGX_HYPERDRIVE_SSLMODE_VERIFY_FULL
        && ngx_hyperdrive_origin_tls_address(c, &server->host) != NGX_OK
        && ngx_ssl_check_host(c, &server->host) != NGX_OK)
    {
        return "the database's certificate is for another host name";
    }

    return NULL;
}


/* RFC 5280, 4.2.1.6: an address that stands in the URL, in the certificate */

static ngx_int_t
ngx_hyperdrive_origin_tls_address(ngx_connection_t *c, ngx_str_t *host)
{
    int      rc;
    X509    *cert;
    u_char   text[NGX_INET6_ADDRSTRLEN + 1];

    if (host->len >= sizeof(text)) {
        return NGX_DECLINED;
    }

    cert = SSL_get_peer_certificate(c->ssl->connection);

    if (cert == NULL) {
        return NGX_DECLINED;
    }

    (void) ngx_cpystrn(text, host->data, host->len + 1);

    /* it says -2 of what is no address */

    rc = X509_check_ip_asc(cert, (char *) text, 0);

    X509_free(cert);

    return rc == 1 ? NGX_OK : NGX_DECLINED;
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
