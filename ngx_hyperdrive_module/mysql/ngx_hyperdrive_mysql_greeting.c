
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "mysql/ngx_hyperdrive_mysql_greeting.h"


void
ngx_hyperdrive_mysql_greeting_write(ngx_hyperdrive_mysql_greeting_t *greeting,
    ngx_hyperdrive_chain_t *out)
{
    size_t      len;
    u_char     *p;
    ngx_str_t   changes, settings;

    changes = greeting->changes;
    settings = greeting->settings;

    if (changes.len > NGX_HYPERDRIVE_MYSQL_GREETING_CHANGES) {
        ngx_str_null(&changes);
    }

    if (settings.len > NGX_HYPERDRIVE_MYSQL_GREETING_SETTINGS) {
        ngx_str_null(&settings);
    }

    len = ngx_hyperdrive_mysql_lstr_size(greeting->version.len)
          + 4 * 4 + 2 + 2
          + ngx_hyperdrive_mysql_lstr_size(changes.len)
          + 2 + ngx_hyperdrive_mysql_lstr_size(settings.len);

    p = ngx_hyperdrive_base_chain_reserve(out, len);
    if (p == NULL) {
        return;
    }

    p = ngx_hyperdrive_mysql_put_lstr(p, greeting->version.data,
                                      greeting->version.len);
    p = ngx_hyperdrive_mysql_put_u32(p, (uint32_t) greeting->offered);
    p = ngx_hyperdrive_mysql_put_u32(p, (uint32_t) (greeting->offered >> 32));
    p = ngx_hyperdrive_mysql_put_u32(p, (uint32_t) greeting->capabilities);
    p = ngx_hyperdrive_mysql_put_u32(p,
                                  (uint32_t) (greeting->capabilities >> 32));
    p = ngx_hyperdrive_mysql_put_u16(p, greeting->collation);
    p = ngx_hyperdrive_mysql_put_u16(p, greeting->status);

    p = ngx_hyperdrive_mysql_put_lstr(p, changes.data, changes.len);
    p = ngx_hyperdrive_mysql_put_u16(p, greeting->role);

    (void) ngx_hyperdrive_mysql_put_lstr(p, settings.data, settings.len);
}


ngx_int_t
ngx_hyperdrive_mysql_greeting_read(ngx_str_t *text,
    ngx_hyperdrive_mysql_greeting_t *greeting)
{
    u_char    *p, *last;
    uint32_t   offered[2], agreed[2];

    ngx_memzero(greeting, sizeof(ngx_hyperdrive_mysql_greeting_t));
    ngx_memzero(offered, sizeof(offered));
    ngx_memzero(agreed, sizeof(agreed));

    p = text->data;
    last = p + text->len;

    p = ngx_hyperdrive_mysql_read_lstr(p, last, &greeting->version);
    p = ngx_hyperdrive_mysql_read_u32(p, last, &offered[0]);
    p = ngx_hyperdrive_mysql_read_u32(p, last, &offered[1]);
    p = ngx_hyperdrive_mysql_read_u32(p, last, &agreed[0]);
    p = ngx_hyperdrive_mysql_read_u32(p, last, &agreed[1]);
    p = ngx_hyperdrive_mysql_read_u16(p, last, &greeting->collation);
    p = ngx_hyperdrive_mysql_read_u16(p, last, &greeting->status);
    p = ngx_hyperdrive_mysql_read_lstr(p, last, &greeting->changes);
    p = ngx_hyperdrive_mysql_read_u16(p, last, &greeting->role);
    p = ngx_hyperdrive_mysql_read_lstr(p, last, &greeting->settings);

    if (p == NULL) {
        ngx_memzero(greeting, sizeof(ngx_hyperdrive_mysql_greeting_t));
        return NGX_ERROR;
    }

    greeting->offered = offered[0] | (uint64_t) offered[1] << 32;
    greeting->capabilities = agreed[0] | (uint64_t) agreed[1] << 32;

    return NGX_OK;
}


uint64_t
ngx_hyperdrive_mysql_greeting_capabilities(ngx_str_t *text)
{
    ngx_hyperdrive_mysql_greeting_t  greeting;

    (void) ngx_hyperdrive_mysql_greeting_read(text, &greeting);

    return greeting.capabilities;
}


ngx_uint_t
ngx_hyperdrive_mysql_greeting_status(ngx_str_t *text)
{
    ngx_hyperdrive_mysql_greeting_t  greeting;

    (void) ngx_hyperdrive_mysql_greeting_read(text, &greeting);

    return greeting.status;
}


ngx_uint_t
ngx_hyperdrive_mysql_greeting_mariadb(ngx_str_t *text)
{
    ngx_hyperdrive_mysql_greeting_t  greeting;

    (void) ngx_hyperdrive_mysql_greeting_read(text, &greeting);

    /* its own way to say so, since 10.2 */

    return greeting.version.len
           && !(greeting.offered & NGX_HYPERDRIVE_MYSQL_LONG_PASSWORD);
}
