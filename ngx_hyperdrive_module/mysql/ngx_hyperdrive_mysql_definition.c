
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "mysql/ngx_hyperdrive_mysql_packet.h"


/*
 * Definitions of columns: six strings (the last ones are names), with MariaDB's
 * extended types one more, then what has a fixed length.  COM_FIELD_LIST has a
 * default value behind that.
 */


/* the length, in front, of what follows it */
#define NGX_HYPERDRIVE_MYSQL_DEFINITION_FIXED   (1 + 12)


static u_char *ngx_hyperdrive_mysql_definition_names(ngx_str_t *payload);


ngx_int_t
ngx_hyperdrive_mysql_type_info(ngx_str_t *payload, ngx_uint_t typed,
    ngx_str_t *info)
{
    u_char     *p, *last;
    ngx_str_t   text;

    last = payload->data + payload->len;

    p = ngx_hyperdrive_mysql_definition_names(payload);
    if (p == NULL) {
        return NGX_ERROR;
    }

    info->data = p;

    if (typed) {
        p = ngx_hyperdrive_mysql_read_lstr(p, last, &text);
    }

    if (p == NULL || last - p < NGX_HYPERDRIVE_MYSQL_DEFINITION_FIXED) {
        return NGX_ERROR;
    }

    info->len = p - info->data;

    return NGX_OK;
}


ngx_uint_t
ngx_hyperdrive_mysql_typed(ngx_str_t *payload)
{
    u_char  *p;

    p = ngx_hyperdrive_mysql_definition_names(payload);

    return p && payload->data + payload->len - p
                > NGX_HYPERDRIVE_MYSQL_DEFINITION_FIXED;
}


static u_char *
ngx_hyperdrive_mysql_definition_names(ngx_str_t *payload)
{
    u_char      *p, *last;
    ngx_str_t    name;
    ngx_uint_t   i;

    p = payload->data;
    last = p + payload->len;

    for (i = 0; i < 6 && p; i++) {
        p = ngx_hyperdrive_mysql_read_lstr(p, last, &name);
    }

    return p;
}


void
ngx_hyperdrive_mysql_retype(ngx_hyperdrive_chain_t *chain, ngx_str_t *payload,
    ngx_uint_t typed, ngx_str_t *info, u_char *seq)
{
    u_char  *p, *rest;

    rest = info->data + info->len;

    p = ngx_hyperdrive_mysql_packet_begin(chain,
                                          payload->len - info->len + !typed,
                                          seq);
    if (p == NULL) {
        return;
    }

    p = ngx_cpymem(p, payload->data, info->data - payload->data);

    if (!typed) {
        *p++ = 0;
    }

    ngx_memcpy(p, rest, payload->data + payload->len - rest);
}
