
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "ngx_hyperdrive_conf.h"
#include "cache/ngx_hyperdrive_cache_store.h"


/* hyperdrive_cache_zone NAME SIZE; */

char *
ngx_hyperdrive_conf_cache_zone(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_hyperdrive_main_conf_t *hmcf = conf;

    ssize_t                      size;
    ngx_str_t                   *value;
    ngx_hyperdrive_conf_zone_t  *zone;

    value = cf->args->elts;

    size = ngx_parse_size(&value[2]);

    if (size == NGX_ERROR || size < NGX_HYPERDRIVE_CACHE_STORE_MIN) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid size \"%V\" of \"hyperdrive_cache_zone\": "
                           "write for instance 64m, at least 64k", &value[2]);
        return NGX_CONF_ERROR;
    }

    zone = ngx_array_push(&hmcf->zones);
    if (zone == NULL) {
        return NGX_CONF_ERROR;
    }

    zone->name = value[1];
    zone->zone = ngx_hyperdrive_cache_store_zone(cf, &value[1], size,
                                                &ngx_stream_hyperdrive_module);

    return zone->zone ? NGX_CONF_OK : NGX_CONF_ERROR;
}


/*
 * hyperdrive_cache ZONE [max_age=TIME] [max_size=SIZE];
 * hyperdrive_cache off;
 */

char *
ngx_hyperdrive_conf_cache(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_hyperdrive_srv_conf_t *hscf = conf;

    ssize_t      size;
    ngx_int_t    n;
    ngx_str_t   *value, s;
    ngx_uint_t   i;

    if (hscf->cache.data) {
        return "is duplicate";
    }

    value = cf->args->elts;

    hscf->cache = value[1];

    if (ngx_strcmp(value[1].data, "off") == 0) {

        if (cf->args->nelts > 2) {
            return "takes no parameters when it is \"off\"";
        }

        hscf->cache.len = 0;
        return NGX_CONF_OK;
    }

    for (i = 2; i < cf->args->nelts; i++) {

        if (ngx_hyperdrive_conf_param(&value[i], "max_age", &s) == NGX_OK) {
            n = ngx_parse_time(&s, 0);

            if (n == NGX_ERROR || n == 0) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "invalid time in \"%V\" of "
                                   "\"hyperdrive_cache\": write for instance "
                                   "500ms, 60s or 1h", &value[i]);
                return NGX_CONF_ERROR;
            }

            hscf->max_age = n;

        } else if (ngx_hyperdrive_conf_param(&value[i], "max_size", &s)
                   == NGX_OK)
        {
            size = ngx_parse_size(&s);

            if (size == NGX_ERROR || size < 64) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "invalid size in \"%V\" of "
                                   "\"hyperdrive_cache\": write for instance "
                                   "64k or 1m", &value[i]);
                return NGX_CONF_ERROR;
            }

            hscf->max_size = size;

        } else {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\" of "
                               "\"hyperdrive_cache\": known are max_age=TIME "
                               "and max_size=SIZE", &value[i]);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
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
