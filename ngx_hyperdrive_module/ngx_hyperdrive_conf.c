
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "ngx_hyperdrive_conf.h"


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
