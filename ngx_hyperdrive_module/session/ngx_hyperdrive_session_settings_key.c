
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session.h"


static ngx_int_t ngx_hyperdrive_session_settings_find(
    ngx_hyperdrive_session_t *s, char *name, ngx_str_t *value);


ngx_uint_t
ngx_hyperdrive_session_settings_moving(ngx_hyperdrive_session_t *s)
{
    return s->settings->nchanges
           || ngx_hyperdrive_state_settings_dirty(&s->settings->state);
}


ngx_str_t *
ngx_hyperdrive_session_settings_key(ngx_hyperdrive_session_t *s,
    ngx_uint_t variables)
{
    u_char                          *p, *q;
    ngx_uint_t                       i;
    ngx_hyperdrive_state_bucket_t   *bucket;
    ngx_hyperdrive_state_setting_t   setting;

    static ngx_str_t  key;
    static u_char     buf[NGX_HYPERDRIVE_STATE_SETTINGS_SIZE];

    /* these say when a statement is given up, not what it answers */

    static ngx_str_t  harmless[] = {
        ngx_string("statement_timeout"),
        ngx_string("lock_timeout"),
        ngx_string("idle_in_transaction_session_timeout"),
        ngx_string("idle_session_timeout"),
        ngx_string("transaction_timeout"),

        /* MySQL */
        ngx_string("innodb_lock_wait_timeout"),
        ngx_string("interactive_timeout"),
        ngx_string("lock_wait_timeout"),
        ngx_string("max_execution_time"),
        ngx_string("max_statement_time"),
        ngx_string("net_read_timeout"),
        ngx_string("net_write_timeout"),
        ngx_string("wait_timeout")
    };

    bucket = ngx_hyperdrive_session_settings_bucket(s);

    key.data = buf;
    key.len = 0;

    p = NULL;
    q = buf;

    while (ngx_hyperdrive_state_bucket_next(bucket, &p, &setting) == NGX_OK) {

        for (i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++) {

            if (setting.name.len == harmless[i].len
                && ngx_memcmp(setting.name.data, harmless[i].data,
                              harmless[i].len)
                   == 0)
            {
                break;
            }
        }

        if (i < sizeof(harmless) / sizeof(harmless[0])
            || (setting.name.data[0] == '@' && !variables))
        {
            continue;
        }

        q = ngx_cpymem(q, setting.name.data, setting.name.len + 1);
        q = ngx_cpymem(q, setting.value.data, setting.value.len + 1);
    }

    key.len = q - buf;

    return &key;
}


ngx_int_t
ngx_hyperdrive_session_search_path(ngx_hyperdrive_session_t *s,
    ngx_str_t *value)
{
    return ngx_hyperdrive_session_settings_find(s, "search_path", value);
}


ngx_uint_t
ngx_hyperdrive_session_settings_implicit(ngx_hyperdrive_session_t *s)
{
    ngx_str_t  value;

    return ngx_hyperdrive_session_settings_find(s, "autocommit", &value)
           == NGX_OK
           && !(value.len == 1 && value.data[0] == '1');
}


ngx_int_t
ngx_hyperdrive_session_schema(ngx_hyperdrive_session_t *s, ngx_str_t *value)
{
    return ngx_hyperdrive_session_settings_find(s, "use", value);
}


ngx_int_t
ngx_hyperdrive_session_role(ngx_hyperdrive_session_t *s, ngx_str_t *value)
{
    ngx_str_t  role;

    if (ngx_hyperdrive_session_settings_find(s, "role", &role) == NGX_OK
        && (role.len != 4 || ngx_memcmp(role.data, "none", 4) != 0))
    {
        *value = role;
        return NGX_OK;
    }

    return ngx_hyperdrive_session_settings_find(s, "session_authorization",
                                                value);
}


static ngx_int_t
ngx_hyperdrive_session_settings_find(ngx_hyperdrive_session_t *s, char *name,
    ngx_str_t *value)
{
    ngx_str_t  str;

    if (s->settings == NULL) {
        return NGX_DECLINED;
    }

    str.data = (u_char *) name;
    str.len = ngx_strlen(name);

    return ngx_hyperdrive_state_settings_find(&s->settings->state, &str,
                                              value);
}
