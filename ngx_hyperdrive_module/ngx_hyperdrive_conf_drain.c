
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "ngx_hyperdrive_conf.h"


#define NGX_HYPERDRIVE_CONF_DRAIN_RATE   1000000
#define NGX_HYPERDRIVE_CONF_DRAIN_TIME   ((ngx_int_t) 24 * 24 * 3600 * 1000)


/* hyperdrive_drain [rate=NUMBER] [deadline=TIME]; */

char *
ngx_hyperdrive_conf_drain(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_hyperdrive_main_conf_t *hmcf = conf;

    ngx_int_t   n;
    ngx_str_t  *value, s;
    ngx_uint_t  i;

    value = cf->args->elts;

    if (hmcf->drain.rate != NGX_CONF_UNSET_UINT
        || hmcf->drain.deadline != NGX_CONF_UNSET_MSEC)
    {
        return "is duplicate";
    }

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_hyperdrive_conf_param(&value[i], "rate", &s) == NGX_OK
            && hmcf->drain.rate == NGX_CONF_UNSET_UINT)
        {
            n = ngx_atoi(s.data, s.len);

            if (n >= 1 && n <= NGX_HYPERDRIVE_CONF_DRAIN_RATE) {
                hmcf->drain.rate = n;
                continue;
            }
        }

        if (ngx_hyperdrive_conf_param(&value[i], "deadline", &s) == NGX_OK
            && hmcf->drain.deadline == NGX_CONF_UNSET_MSEC)
        {
            n = ngx_parse_time(&s, 0);

            if (n >= 1 && n <= NGX_HYPERDRIVE_CONF_DRAIN_TIME) {
                hmcf->drain.deadline = n;
                continue;
            }
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\" of \"hyperdrive_drain\": "
                           "write rate=NUMBER, clients a second from 1 to %d, "
                           "and deadline=TIME, for instance 30s or 1h, at most "
                           "24d, each once", &value[i],
                           NGX_HYPERDRIVE_CONF_DRAIN_RATE);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


char *
ngx_hyperdrive_conf_drain_init(ngx_conf_t *cf, void *conf)
{
    ngx_hyperdrive_main_conf_t *hmcf = conf;

    ngx_conf_init_uint_value(hmcf->drain.rate, 1000);
    ngx_conf_init_msec_value(hmcf->drain.deadline, 300000);

    return NGX_CONF_OK;
}
