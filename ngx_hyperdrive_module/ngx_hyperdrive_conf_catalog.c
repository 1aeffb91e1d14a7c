
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "ngx_hyperdrive_conf.h"
#include "sql/ngx_hyperdrive_sql_catalog.h"


/* hyperdrive_catalog refresh=TIME; hyperdrive_catalog off; */

char *
ngx_hyperdrive_conf_catalog(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_hyperdrive_srv_conf_t *hscf = conf;

    ngx_int_t                      n;
    ngx_str_t                     *value, s;
    ngx_hyperdrive_origin_conf_t  *origin;

    origin = ngx_hyperdrive_conf_origin_get(cf, hscf);
    if (origin == NULL) {
        return NGX_CONF_ERROR;
    }

    if (origin->catalog_refresh != NGX_CONF_UNSET_MSEC) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "off") == 0) {
        origin->catalog_refresh = 0;
        return NGX_CONF_OK;
    }

    if (ngx_hyperdrive_conf_param(&value[1], "refresh", &s) == NGX_OK) {

        n = ngx_parse_time(&s, 0);

        if (n != NGX_ERROR && n >= 100) {
            origin->catalog_refresh = n;
            return NGX_CONF_OK;
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\" of \"hyperdrive_catalog\": "
                       "write for instance refresh=60s, not less than 100ms, "
                       "or off", &value[1]);

    return NGX_CONF_ERROR;
}


/* hyperdrive_function NAME reads | writes [TABLE ...]; */

char *
ngx_hyperdrive_conf_function(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_hyperdrive_srv_conf_t *hscf = conf;

    ngx_str_t                          *value;
    ngx_uint_t                          i, writes;
    ngx_hyperdrive_origin_conf_t       *origin;
    ngx_hyperdrive_sql_catalog_rule_t  *rule;

    origin = ngx_hyperdrive_conf_origin_get(cf, hscf);
    if (origin == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    writes = (ngx_strcmp(value[2].data, "writes") == 0);

    if (!writes && ngx_strcmp(value[2].data, "reads") != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\" of "
                           "\"hyperdrive_function\": write reads or writes "
                           "and the names of tables, or of none", &value[2]);
        return NGX_CONF_ERROR;
    }

    if (origin->functions == NULL) {
        origin->functions = ngx_array_create(cf->pool, 4,
                                   sizeof(ngx_hyperdrive_sql_catalog_rule_t));
        if (origin->functions == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    rule = origin->functions->elts;

    for (i = 0; i < origin->functions->nelts; i++) {

        if (rule[i].name.len == value[1].len
            && ngx_strncmp(rule[i].name.data, value[1].data, value[1].len)
               == 0)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "function \"%V\" stands twice in "
                               "\"hyperdrive_function\" of this upstream",
                               &value[1]);
            return NGX_CONF_ERROR;
        }
    }

    rule = ngx_array_push(origin->functions);
    if (rule == NULL) {
        return NGX_CONF_ERROR;
    }

    rule->name = value[1];
    rule->writes = writes;
    rule->ntables = cf->args->nelts - 3;
    rule->tables = NULL;

    if (rule->ntables) {

        /* the array of arguments is the next directive's */

        rule->tables = ngx_palloc(cf->pool,
                                  rule->ntables * sizeof(ngx_str_t));
        if (rule->tables == NULL) {
            return NGX_CONF_ERROR;
        }

        ngx_memcpy(rule->tables, value + 3,
                   rule->ntables * sizeof(ngx_str_t));
    }

    return NGX_CONF_OK;
}
