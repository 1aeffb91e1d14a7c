
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "mysql/ngx_hyperdrive_mysql_login.h"


static u_char *ngx_hyperdrive_mysql_response_rest(u_char *p, u_char *last,
    ngx_str_t *value);
static u_char *ngx_hyperdrive_mysql_response_tail(u_char *p, u_char *last,
    ngx_hyperdrive_mysql_response_t *response);


ngx_int_t
ngx_hyperdrive_mysql_response_read(ngx_str_t *payload, uint64_t offered,
    ngx_hyperdrive_mysql_response_t *response)
{
    u_char      *p, *last;
    uint64_t     caps;
    uint32_t     low, high, max;
    ngx_str_t    filler;
    ngx_uint_t   len, level;

    ngx_memzero(response, sizeof(ngx_hyperdrive_mysql_response_t));

    p = payload->data;
    last = p + payload->len;

    p = ngx_hyperdrive_mysql_read_u32(p, last, &low);
    p = ngx_hyperdrive_mysql_read_u32(p, last, &max);
    p = ngx_hyperdrive_base_read_u8(p, last, &response->collation);
    p = ngx_hyperdrive_base_read_bytes(p, last, 19, &filler);
    p = ngx_hyperdrive_mysql_read_u32(p, last, &high);

    if (p == NULL) {
        return NGX_ERROR;
    }

    caps = low;

    if (!(low & NGX_HYPERDRIVE_MYSQL_LONG_PASSWORD)) {

        /* MariaDB's own: who has them says so by that bit */
        caps |= (uint64_t) high << 32;
    }

    caps &= offered;
    response->capabilities = caps;

    if (p == last) {
        /* a request for TLS ends here */
        return NGX_OK;
    }

    p = ngx_hyperdrive_base_read_cstr(p, last, &response->user);

    if (caps & NGX_HYPERDRIVE_MYSQL_PLUGIN_LENENC) {
        p = ngx_hyperdrive_mysql_read_lstr(p, last, &response->auth);

    } else if (caps & NGX_HYPERDRIVE_MYSQL_SECURE_CONNECTION) {
        p = ngx_hyperdrive_base_read_u8(p, last, &len);

        if (p) {
            p = ngx_hyperdrive_base_read_bytes(p, last, len, &response->auth);
        }

    } else {
        p = ngx_hyperdrive_base_read_cstr(p, last, &response->auth);
    }

    if (p && (caps & NGX_HYPERDRIVE_MYSQL_CONNECT_WITH_DB)) {
        p = ngx_hyperdrive_mysql_response_rest(p, last, &response->database);
    }

    if (p == NULL) {
        return NGX_ERROR;
    }

    p = ngx_hyperdrive_mysql_response_tail(p, last, response);

    if (p && (caps & NGX_HYPERDRIVE_MYSQL_ZSTD)) {

        /* what it would like: we have one of our own */

        p = ngx_hyperdrive_base_read_u8(p, last, &level);

        if (p && (level == 0 || level > NGX_HYPERDRIVE_MYSQL_LEVEL_MAX)) {
            return NGX_ERROR;
        }
    }

    return p ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_hyperdrive_mysql_response_change(ngx_str_t *payload,
    ngx_hyperdrive_mysql_response_t *response)
{
    u_char      *p, *last;
    uint64_t     caps;
    ngx_uint_t   len, collation;

    caps = response->capabilities;

    p = payload->data;
    last = p + payload->len;

    p = ngx_hyperdrive_base_read_cstr(p, last, &response->user);
    p = ngx_hyperdrive_base_read_u8(p, last, &len);

    if (p) {
        p = ngx_hyperdrive_base_read_bytes(p, last, len, &response->auth);
    }

    p = ngx_hyperdrive_base_read_cstr(p, last, &response->database);

    if (p == NULL) {
        return NGX_ERROR;
    }

    if (p == last) {
        return NGX_OK;
    }

    p = ngx_hyperdrive_mysql_read_u16(p, last, &collation);
    if (p == NULL) {
        return NGX_ERROR;
    }

    response->collation = collation;
    response->capabilities = caps;

    return ngx_hyperdrive_mysql_response_tail(p, last, response) ? NGX_OK
                                                                 : NGX_ERROR;
}


/* plugin and attributes; the position behind them */

static u_char *
ngx_hyperdrive_mysql_response_tail(u_char *p, u_char *last,
    ngx_hyperdrive_mysql_response_t *response)
{
    u_char     *q, *end;
    uint64_t    caps;
    ngx_str_t   name, value;

    caps = response->capabilities;

    if (caps & NGX_HYPERDRIVE_MYSQL_PLUGIN_AUTH) {
        p = ngx_hyperdrive_mysql_response_rest(p, last, &response->plugin);
    }

    if (p < last && (caps & NGX_HYPERDRIVE_MYSQL_CONNECT_ATTRS)) {
        p = ngx_hyperdrive_mysql_read_lstr(p, last, &response->attributes);

        if (p == NULL) {
            return NULL;
        }

        q = response->attributes.data;
        end = q + response->attributes.len;

        while (q && q < end) {
            q = ngx_hyperdrive_mysql_read_lstr(q, end, &name);
            q = ngx_hyperdrive_mysql_read_lstr(q, end, &value);
        }

        if (q == NULL) {
            return NULL;
        }
    }

    return p;
}


/* a string up to a zero byte, or to the end: some clients leave it away */

static u_char *
ngx_hyperdrive_mysql_response_rest(u_char *p, u_char *last, ngx_str_t *value)
{
    u_char  *end;

    end = (p < last) ? memchr(p, '\0', last - p) : NULL;

    value->data = p;
    value->len = (end ? end : last) - p;

    return end ? end + 1 : last;
}
