
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "ngx_hyperdrive_conf.h"


/*
 * hyperdrive_session_state pin [max=NUMBER] [unread=pin | reset];
 * hyperdrive_session_state reject [unread=pin | reset];
 */

char *
ngx_hyperdrive_conf_state(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_hyperdrive_srv_conf_t *hscf = conf;

    ngx_str_t   *value, s;
    ngx_int_t    n;
    ngx_uint_t   i;

    if (hscf->state_reject != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (ngx_strcmp(value[1].data, "pin") == 0) {
        hscf->state_reject = 0;

    } else if (ngx_strcmp(value[1].data, "reject") == 0) {
        hscf->state_reject = 1;

    } else {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown \"%V\" in \"hyperdrive_session_state\": "
                           "write \"pin\" or \"reject\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    hscf->pins = 0;
    hscf->unread_pin = 1;

    for (i = 2; i < cf->args->nelts; i++) {

        if (ngx_hyperdrive_conf_once(cf, i) != NGX_OK) {
            return NGX_CONF_ERROR;
        }

        if (ngx_hyperdrive_conf_param(&value[i], "max", &s) == NGX_OK
            && !hscf->state_reject)
        {
            n = ngx_atoi(s.data, s.len);

            if (n < 1 || n > 65535) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "invalid \"%V\" in "
                                   "\"hyperdrive_session_state\": max= takes "
                                   "a number from 1 to 65535, as in max=10",
                                   &value[i]);
                return NGX_CONF_ERROR;
            }

            hscf->pins = n;

        } else if (ngx_hyperdrive_conf_param(&value[i], "unread", &s)
                   == NGX_OK)
        {
            if (s.len == 3 && ngx_strncmp(s.data, "pin", 3) == 0) {
                hscf->unread_pin = 1;

            } else if (s.len == 5 && ngx_strncmp(s.data, "reset", 5) == 0) {
                hscf->unread_pin = 0;

            } else {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "invalid \"%V\" in "
                                   "\"hyperdrive_session_state\": write "
                                   "unread=pin or unread=reset", &value[i]);
                return NGX_CONF_ERROR;
            }

        } else {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "unknown parameter \"%V\" in "
                               "\"hyperdrive_session_state\": known are "
                               "max=NUMBER with \"pin\", and "
                               "unread=pin or unread=reset", &value[i]);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


/* hyperdrive_session_settings track | transaction; */

char *
ngx_hyperdrive_conf_settings(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_hyperdrive_srv_conf_t *hscf = conf;

    ngx_str_t  *value;

    if (hscf->settings_transaction != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    value = cf->args->elts;

    if (cf->args->nelts == 2 && ngx_strcmp(value[1].data, "track") == 0) {
        hscf->settings_transaction = 0;
        return NGX_CONF_OK;
    }

    if (cf->args->nelts == 2
        && ngx_strcmp(value[1].data, "transaction") == 0)
    {
        hscf->settings_transaction = 1;
        return NGX_CONF_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid \"%V\" in \"hyperdrive_session_settings\": "
                       "write \"track\" or \"transaction\"",
                       &value[cf->args->nelts == 2 ? 1 : 2]);

    return NGX_CONF_ERROR;
}
