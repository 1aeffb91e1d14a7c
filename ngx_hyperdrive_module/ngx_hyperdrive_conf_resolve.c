
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "ngx_hyperdrive_conf.h"


/* "resolve" of hyperdrive_origin; see ngx_hyperdrive_origin_resolve.c */


ngx_addr_t *
ngx_hyperdrive_conf_resolve(ngx_conf_t *cf,
    ngx_hyperdrive_origin_server_t *server, ngx_uint_t n)
{
    u_char              *p;
    ngx_uint_t           i;
    ngx_addr_t          *seats;
    struct sockaddr_in  *sin;

    server->resolve = ngx_pcalloc(cf->pool,
                                  sizeof(ngx_hyperdrive_origin_resolve_t));
    seats = ngx_pcalloc(cf->pool,
                        NGX_HYPERDRIVE_ORIGIN_SEATS * sizeof(ngx_addr_t));
    sin = ngx_pcalloc(cf->pool, NGX_HYPERDRIVE_ORIGIN_SEATS
                                * sizeof(struct sockaddr_in));
    p = ngx_pnalloc(cf->pool, sizeof("resolve") + server->name.len);

    if (server->resolve == NULL || seats == NULL || sin == NULL || p == NULL) {
        return NULL;
    }

    server->resolve->key.data = p;
    server->resolve->key.len = ngx_sprintf(p, "resolve%Z%V", &server->name)
                               - p;

    for (i = 0; i < NGX_HYPERDRIVE_ORIGIN_SEATS; i++) {

        sin[i].sin_family = AF_INET;
        sin[i].sin_port = htons(server->port);

        p = (u_char *) &sin[i].sin_addr.s_addr;
        p[2] = (u_char) n;
        p[3] = (u_char) i;

        seats[i].sockaddr = (struct sockaddr *) &sin[i];
        seats[i].socklen = sizeof(struct sockaddr_in);
        seats[i].name = server->name;
    }

    return seats;
}


char *
ngx_hyperdrive_conf_check_resolve(ngx_conf_t *cf,
    ngx_hyperdrive_main_conf_t *hmcf, ngx_hyperdrive_origin_conf_t *origin)
{
    ngx_uint_t                       i;
    ngx_stream_core_srv_conf_t      *cscf;
    ngx_hyperdrive_origin_server_t  *server;

    cscf = hmcf->srv_conf[ngx_stream_core_module.ctx_index];
    server = origin->servers.elts;

    for (i = 0; i < origin->servers.nelts; i++) {

        if (server[i].resolve == NULL) {
            continue;
        }

        if (cscf->resolver == NULL || cscf->resolver->connections.nelts == 0) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "no \"resolver\" for \"resolve\" of "
                          "\"hyperdrive_origin\" in %s:%ui: write resolver "
                          "ADDRESS; in the stream block", server[i].file,
                          server[i].line);
            return NGX_CONF_ERROR;
        }

        server[i].resolve->resolver = cscf->resolver;
        server[i].resolve->timeout = cscf->resolver_timeout;

        ngx_conf_init_msec_value(server[i].resolve->timeout, 30000);
    }

    return NGX_CONF_OK;
}
