
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "ngx_hyperdrive_conf.h"
#include "cache/ngx_hyperdrive_cache_store.h"


static ngx_int_t ngx_hyperdrive_conf_cache_time(ngx_conf_t *cf,
    ngx_str_t *arg, const char *name, ngx_uint_t off, ngx_msec_t *msec);
static ngx_int_t ngx_hyperdrive_conf_cache_size(ngx_conf_t *cf,
    ngx_str_t *arg, size_t *size);
static ngx_int_t ngx_hyperdrive_conf_cache_share(ngx_conf_t *cf,
    ngx_str_t *arg, ngx_uint_t *share);
static ngx_int_t ngx_hyperdrive_conf_cache_block(ngx_conf_t *cf,
    ngx_str_t *arg, ngx_flag_t *block);


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
 * hyperdrive_cache ZONE [max_age=TIME] [stale_while_revalidate=TIME]
 *                  [stale_if_error=TIME] [coalesce=TIME|off]
 *                  [max_size=SIZE] [verify=SHARE%|off]
 *                  [in_transaction=read_committed|off] [allow_stable];
 * hyperdrive_cache off;
 */

char *
ngx_hyperdrive_conf_cache(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_hyperdrive_srv_conf_t *hscf = conf;

    ngx_str_t   *value;
    ngx_int_t    rc;
    ngx_uint_t   i, k;

    struct {
        const char   *name;
        ngx_uint_t    off;      /* may be off, or 0 */
        ngx_msec_t   *msec;
    } times[] = {
        { "max_age", 0, &hscf->max_age },
        { "stale_while_revalidate", 1, &hscf->stale },
        { "stale_if_error", 1, &hscf->stale_error },
        { "coalesce", 1, &hscf->coalesce }
    };

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

        if (ngx_hyperdrive_conf_once(cf, i) != NGX_OK) {
            return NGX_CONF_ERROR;
        }

        rc = NGX_DECLINED;

        for (k = 0; k < 4 && rc == NGX_DECLINED; k++) {
            rc = ngx_hyperdrive_conf_cache_time(cf, &value[i], times[k].name,
                                                times[k].off, times[k].msec);
        }

        if (rc == NGX_DECLINED) {
            rc = ngx_hyperdrive_conf_cache_size(cf, &value[i],
                                                &hscf->max_size);
        }

        if (rc == NGX_DECLINED
            && ngx_strcmp(value[i].data, "allow_stable") == 0)
        {
            hscf->allow_stable = 1;
            rc = NGX_OK;
        }

        if (rc == NGX_DECLINED) {
            rc = ngx_hyperdrive_conf_cache_share(cf, &value[i],
                                                 &hscf->verify);
        }

        if (rc == NGX_DECLINED) {
            rc = ngx_hyperdrive_conf_cache_block(cf, &value[i],
                                                 &hscf->in_transaction);
        }

        if (rc == NGX_OK) {
            continue;
        }

        if (rc == NGX_DECLINED) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\" of "
                               "\"hyperdrive_cache\": known are "
                               "max_age=TIME, stale_while_revalidate=TIME, "
                               "stale_if_error=TIME, coalesce=TIME, "
                               "max_size=SIZE, verify=SHARE%%, "
                               "in_transaction=read_committed and "
                               "allow_stable", &value[i]);
        }

        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* NGX_DECLINED: it is another parameter */

static ngx_int_t
ngx_hyperdrive_conf_cache_time(ngx_conf_t *cf, ngx_str_t *arg,
    const char *name, ngx_uint_t off, ngx_msec_t *msec)
{
    ngx_int_t  n;
    ngx_str_t  s;

    if (ngx_hyperdrive_conf_param(arg, name, &s) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (off && s.len == 3 && ngx_strncmp(s.data, "off", 3) == 0) {
        *msec = 0;
        return NGX_OK;
    }

    n = ngx_parse_time(&s, 0);

    /* NGX_MAX_INT32_VALUE: what a timer can hold everywhere */

    if (n == NGX_ERROR || n > NGX_MAX_INT32_VALUE || (n == 0 && !off)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid time in \"%V\" of \"hyperdrive_cache\": "
                           "write for instance 500ms, 60s or 1h%s", arg,
                           off ? ", or off" : "");
        return NGX_ERROR;
    }

    *msec = n;

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_conf_cache_size(ngx_conf_t *cf, ngx_str_t *arg, size_t *size)
{
    ssize_t    n;
    ngx_str_t  s;

    if (ngx_hyperdrive_conf_param(arg, "max_size", &s) != NGX_OK) {
        return NGX_DECLINED;
    }

    n = ngx_parse_size(&s);

    if (n == NGX_ERROR || n < 64) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid size in \"%V\" of \"hyperdrive_cache\": "
                           "write for instance 64k or 1m", arg);
        return NGX_ERROR;
    }

    *size = n;

    return NGX_OK;
}


/* a share in percent, kept as one of 10,000 */

static ngx_int_t
ngx_hyperdrive_conf_cache_share(ngx_conf_t *cf, ngx_str_t *arg,
    ngx_uint_t *share)
{
    ngx_int_t  n;
    ngx_str_t  s;

    if (ngx_hyperdrive_conf_param(arg, "verify", &s) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (s.len == 3 && ngx_strncmp(s.data, "off", 3) == 0) {
        *share = 0;
        return NGX_OK;
    }

    n = NGX_ERROR;

    if (s.len > 1 && s.data[s.len - 1] == '%') {
        n = ngx_atofp(s.data, s.len - 1, 2);
    }

    if (n == NGX_ERROR || n > 10000) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid share in \"%V\" of "
                           "\"hyperdrive_cache\": write for instance 1%%, "
                           "0.05%% or off", arg);
        return NGX_ERROR;
    }

    *share = n;

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_conf_cache_block(ngx_conf_t *cf, ngx_str_t *arg,
    ngx_flag_t *block)
{
    ngx_str_t  s;

    if (ngx_hyperdrive_conf_param(arg, "in_transaction", &s) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (s.len == 3 && ngx_strncmp(s.data, "off", 3) == 0) {
        *block = 0;
        return NGX_OK;
    }

    if (s.len == sizeof("read_committed") - 1
        && ngx_strncmp(s.data, "read_committed", s.len) == 0)
    {
        *block = 1;
        return NGX_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid value in \"%V\" of \"hyperdrive_cache\": "
                       "write in_transaction=read_committed or off", arg);

    return NGX_ERROR;
}
