
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "ngx_hyperdrive_conf.h"


#define NGX_HYPERDRIVE_CONF_MAX_POOL     10000
#define NGX_HYPERDRIVE_CONF_MAX_QUEUE    30000


static char *ngx_hyperdrive_conf_pool_number(ngx_conf_t *cf, ngx_str_t *arg,
    ngx_str_t *value, ngx_int_t min, ngx_int_t max, ngx_uint_t *number);
static char *ngx_hyperdrive_conf_pool_time(ngx_conf_t *cf, ngx_str_t *arg,
    ngx_str_t *value, ngx_msec_t *time);


/* hyperdrive_pool max=N min=N idle=TIME lifetime=TIME wait=TIME...; */

char *
ngx_hyperdrive_conf_pool(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_hyperdrive_srv_conf_t *hscf = conf;

    char                          *rv;
    ngx_str_t                     *value, s;
    ngx_uint_t                     i;
    ngx_hyperdrive_origin_conf_t  *origin;

    origin = ngx_hyperdrive_conf_origin_get(cf, hscf);
    if (origin == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_hyperdrive_conf_once(cf, i) != NGX_OK) {
            return NGX_CONF_ERROR;
        }

        if (ngx_hyperdrive_conf_param(&value[i], "max", &s) == NGX_OK) {
            rv = ngx_hyperdrive_conf_pool_number(cf, &value[i], &s, 1,
                                                 NGX_HYPERDRIVE_CONF_MAX_POOL,
                                                 &origin->max);

        } else if (ngx_hyperdrive_conf_param(&value[i], "max_user", &s)
                   == NGX_OK)
        {
            rv = ngx_hyperdrive_conf_pool_number(cf, &value[i], &s, 1,
                                                 NGX_HYPERDRIVE_CONF_MAX_POOL,
                                                 &origin->max_user);

        } else if (ngx_hyperdrive_conf_param(&value[i], "max_db", &s)
                   == NGX_OK)
        {
            rv = ngx_hyperdrive_conf_pool_number(cf, &value[i], &s, 1,
                                                 NGX_HYPERDRIVE_CONF_MAX_POOL,
                                                 &origin->max_db);

        } else if (ngx_hyperdrive_conf_param(&value[i], "min", &s) == NGX_OK) {
            rv = ngx_hyperdrive_conf_pool_number(cf, &value[i], &s, 0,
                                                 NGX_HYPERDRIVE_CONF_MAX_POOL,
                                                 &origin->min);

        } else if (ngx_hyperdrive_conf_param(&value[i], "queue", &s)
                   == NGX_OK)
        {
            rv = ngx_hyperdrive_conf_pool_number(cf, &value[i], &s, 0,
                                                 NGX_HYPERDRIVE_CONF_MAX_QUEUE,
                                                 &origin->queue);

        } else if (ngx_hyperdrive_conf_param(&value[i], "statements", &s)
                   == NGX_OK)
        {
            rv = ngx_hyperdrive_conf_pool_number(cf, &value[i], &s, 1, 10000,
                                                 &origin->statements);

        } else if (ngx_hyperdrive_conf_param(&value[i], "idle", &s)
                   == NGX_OK)
        {
            rv = ngx_hyperdrive_conf_pool_time(cf, &value[i], &s,
                                               &origin->idle);

        } else if (ngx_hyperdrive_conf_param(&value[i], "lifetime", &s)
                   == NGX_OK)
        {
            rv = ngx_hyperdrive_conf_pool_time(cf, &value[i], &s,
                                               &origin->lifetime);

        } else if (ngx_hyperdrive_conf_param(&value[i], "check", &s)
                   == NGX_OK)
        {
            if (s.len == 3 && ngx_strncmp(s.data, "off", 3) == 0) {
                origin->check = 0;
                continue;
            }

            rv = ngx_hyperdrive_conf_pool_time(cf, &value[i], &s,
                                               &origin->check);

        } else if (ngx_hyperdrive_conf_param(&value[i], "wait", &s)
                   == NGX_OK)
        {
            rv = ngx_hyperdrive_conf_pool_time(cf, &value[i], &s,
                                               &origin->wait);

        } else {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\" of "
                               "\"hyperdrive_pool\": known are max=N, "
                               "max_user=N, max_db=N, min=N, "
                               "queue=N, statements=N, idle=TIME, "
                               "lifetime=TIME, wait=TIME and "
                               "check=TIME|off", &value[i]);
            return NGX_CONF_ERROR;
        }

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    if (origin->min > origin->max) {
        return "has a \"min\" that is larger than \"max\"";
    }

    return NGX_CONF_OK;
}


static char *
ngx_hyperdrive_conf_pool_number(ngx_conf_t *cf, ngx_str_t *arg,
    ngx_str_t *value, ngx_int_t min, ngx_int_t max, ngx_uint_t *number)
{
    ngx_int_t  n;

    n = ngx_atoi(value->data, value->len);

    if (n == NGX_ERROR || n < min || n > max) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid value in \"%V\" of \"hyperdrive_pool\": "
                           "write a number from %i to %i", arg, min, max);
        return NGX_CONF_ERROR;
    }

    *number = n;

    return NGX_CONF_OK;
}


static char *
ngx_hyperdrive_conf_pool_time(ngx_conf_t *cf, ngx_str_t *arg,
    ngx_str_t *value, ngx_msec_t *time)
{
    ngx_int_t  n;

    n = ngx_parse_time(value, 0);

    if (n == NGX_ERROR || n == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid time in \"%V\" of \"hyperdrive_pool\": "
                           "write for instance 500ms, 10s or 1h", arg);
        return NGX_CONF_ERROR;
    }

    *time = n;

    return NGX_CONF_OK;
}
