
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "ngx_hyperdrive_conf.h"


static int ngx_hyperdrive_conf_tls_alpn(ngx_ssl_conn_t *ssl_conn,
    const unsigned char **out, unsigned char *outlen,
    const unsigned char *in, unsigned int inlen, void *arg);


/*
 * nginx before 1.25.5 makes the context of its ssl_* directives only for
 * "listen ... ssl".  Here it is needed for the upgrade inside the protocol as
 * well.
 */

char *
ngx_hyperdrive_conf_tls(ngx_conf_t *cf,
    ngx_hyperdrive_srv_conf_t *conf)
{
    ngx_stream_ssl_conf_t       *sslcf;
#if (nginx_version < 1025005)
    char                        *rv;
    ngx_stream_module_t         *module;
    ngx_hyperdrive_main_conf_t  *hmcf;
#endif

    sslcf = ngx_stream_conf_get_module_srv_conf(cf, ngx_stream_ssl_module);

    if (conf->users.cert
        && (sslcf->certificates == NULL
            || (sslcf->verify != 1 && sslcf->verify != 2)))
    {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "no certificates are verified for \"cert\" of "
                      "\"hyperdrive_users\" of the server in %s:%ui: write "
                      "ssl_certificate, ssl_certificate_key, "
                      "ssl_client_certificate, and ssl_verify_client on or "
                      "optional", conf->file, conf->line);
        return NGX_CONF_ERROR;
    }

    if (sslcf->certificates == NULL) {
        return NGX_CONF_OK;
    }

#if (nginx_version < 1025005)

    if (sslcf->ssl.ctx == NULL) {

        if (sslcf->protocols & NGX_CONF_BITMASK_SET) {
            /* nginx's default, which has no TLS 1.3, and 1.0 */
            sslcf->protocols = NGX_CONF_BITMASK_SET|NGX_SSL_TLSv1_2
                               |NGX_SSL_TLSv1_3;
        }

        sslcf->listen = 1;
        sslcf->file = conf->file;
        sslcf->line = conf->line;

        hmcf = ngx_stream_conf_get_module_main_conf(cf,
                                                ngx_stream_hyperdrive_module);
        module = ngx_stream_ssl_module.ctx;

        rv = module->merge_srv_conf(cf,
                              hmcf->srv_conf[ngx_stream_ssl_module.ctx_index],
                              sslcf);
        if (rv != NGX_CONF_OK) {
            return rv;
        }

    } else

#endif

    if (sslcf->protocols & NGX_CONF_BITMASK_SET) {
        SSL_CTX_clear_options(sslcf->ssl.ctx, SSL_OP_NO_TLSv1_3);
        SSL_CTX_set_min_proto_version(sslcf->ssl.ctx, TLS1_2_VERSION);
        SSL_CTX_set_max_proto_version(sslcf->ssl.ctx, TLS1_3_VERSION);
    }

    if (sslcf->alpn.len == 0) {
        SSL_CTX_set_alpn_select_cb(sslcf->ssl.ctx, ngx_hyperdrive_conf_tls_alpn,
                                   NULL);
    }

    conf->session.tls = 1;
    conf->session.tls_verify = (sslcf->verify == 1);

    return NGX_CONF_OK;
}


/* "postgresql", as registered with IANA */

static int
ngx_hyperdrive_conf_tls_alpn(ngx_ssl_conn_t *ssl_conn,
    const unsigned char **out, unsigned char *outlen,
    const unsigned char *in, unsigned int inlen, void *arg)
{
    static u_char  protocol[] = "\12postgresql";

    if (SSL_select_next_proto((unsigned char **) out, outlen, protocol,
                              sizeof(protocol) - 1, in, inlen)
        != OPENSSL_NPN_NEGOTIATED)
    {
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    }

    return SSL_TLSEXT_ERR_OK;
}
