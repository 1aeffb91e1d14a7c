
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "ngx_hyperdrive_conf.h"


static ngx_uint_t ngx_hyperdrive_conf_pass_udp(
    ngx_stream_core_main_conf_t *cmcf, ngx_hyperdrive_srv_conf_t *conf);


ngx_int_t
ngx_hyperdrive_conf_param(ngx_str_t *arg, const char *name, ngx_str_t *value)
{
    size_t  len;

    len = ngx_strlen(name);

    if (arg->len <= len
        || ngx_strncmp(arg->data, name, len) != 0
        || arg->data[len] != '=')
    {
        return NGX_DECLINED;
    }

    value->data = arg->data + len + 1;
    value->len = arg->len - len - 1;

    return NGX_OK;
}


ngx_int_t
ngx_hyperdrive_conf_once(ngx_conf_t *cf, ngx_uint_t i)
{
    size_t       len;
    u_char      *p;
    ngx_str_t   *value;
    ngx_uint_t   k;

    value = cf->args->elts;

    p = ngx_strlchr(value[i].data, value[i].data + value[i].len, '=');
    len = p ? (size_t) (p + 1 - value[i].data) : value[i].len;

    for (k = 1; k < i; k++) {

        if ((p ? value[k].len >= len : value[k].len == len)
            && ngx_memcmp(value[k].data, value[i].data, len) == 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" of \"%V\" stands twice: write each "
                               "parameter once", &value[i], &value[0]);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* hyperdrive_pass UPSTREAM; */

char *
ngx_hyperdrive_conf_pass(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_hyperdrive_srv_conf_t *hscf = conf;

    ngx_str_t                   *value;
    ngx_stream_core_srv_conf_t  *cscf;

    if (hscf->pass.data) {
        return "is duplicate";
    }

    value = cf->args->elts;

    /* it may follow below: found when all has been read */

    hscf->pass = value[1];

    hscf->file = cf->conf_file->file.name.data;
    hscf->line = cf->conf_file->line;

    cscf = ngx_stream_conf_get_module_srv_conf(cf, ngx_stream_core_module);
    cscf->handler = ngx_stream_hyperdrive_handler;

    return NGX_CONF_OK;
}


/* all has been read: whoever comes to the server speaks to us, by TCP */

char *
ngx_hyperdrive_conf_check_pass(ngx_conf_t *cf,
    ngx_stream_core_srv_conf_t *cscf, ngx_hyperdrive_srv_conf_t *conf)
{
    ngx_stream_core_main_conf_t  *cmcf;

    if (cscf->handler != ngx_stream_hyperdrive_handler) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "another directive answers the clients of the server "
                      "with \"hyperdrive_pass\" in %s:%ui: remove proxy_pass, "
                      "return or the like", conf->file, conf->line);
        return NGX_CONF_ERROR;
    }

    cmcf = ngx_stream_conf_get_module_main_conf(cf, ngx_stream_core_module);

    if (ngx_hyperdrive_conf_pass_udp(cmcf, conf)) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"udp\" of \"listen\" in the server with "
                      "\"hyperdrive_pass\" in %s:%ui: databases are spoken to "
                      "by TCP, remove it", conf->file, conf->line);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


#if (nginx_version >= 1025005)

static ngx_uint_t
ngx_hyperdrive_conf_pass_udp(ngx_stream_core_main_conf_t *cmcf,
    ngx_hyperdrive_srv_conf_t *conf)
{
    ngx_uint_t                    i, j, k;
    ngx_stream_conf_port_t       *port;
    ngx_stream_conf_addr_t       *addr;
    ngx_stream_core_srv_conf_t  **server;

    port = cmcf->ports ? cmcf->ports->elts : NULL;

    for (i = 0; cmcf->ports && i < cmcf->ports->nelts; i++) {

        if (port[i].type != SOCK_DGRAM) {
            continue;
        }

        addr = port[i].addrs.elts;

        for (j = 0; j < port[i].addrs.nelts; j++) {
            server = addr[j].servers.elts;

            for (k = 0; k < addr[j].servers.nelts; k++) {

                if (server[k]->ctx->srv_conf[
                                        ngx_stream_hyperdrive_module.ctx_index]
                    == conf)
                {
                    return 1;
                }
            }
        }
    }

    return 0;
}

#else

static ngx_uint_t
ngx_hyperdrive_conf_pass_udp(ngx_stream_core_main_conf_t *cmcf,
    ngx_hyperdrive_srv_conf_t *conf)
{
    ngx_uint_t            i;
    ngx_stream_listen_t  *listen;

    listen = cmcf->listen.elts;

    for (i = 0; i < cmcf->listen.nelts; i++) {

        if (listen[i].type == SOCK_DGRAM
            && listen[i].ctx->srv_conf[ngx_stream_hyperdrive_module.ctx_index]
               == conf)
        {
            return 1;
        }
    }

    return 0;
}

#endif
