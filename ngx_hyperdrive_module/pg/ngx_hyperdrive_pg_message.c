
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "ngx_hyperdrive_pg_message.h"
#include "base/ngx_hyperdrive_base_cursor.h"


static u_char *ngx_hyperdrive_pg_message_begin(ngx_hyperdrive_chain_t *chain,
    u_char type, size_t len);


void
ngx_hyperdrive_pg_message(ngx_hyperdrive_chain_t *chain, u_char type,
    const void *body, size_t len)
{
    u_char  *p;

    p = ngx_hyperdrive_pg_message_begin(chain, type, len);

    if (p && len) {
        ngx_memcpy(p, body, len);
    }
}


void
ngx_hyperdrive_pg_error(ngx_hyperdrive_chain_t *chain, const char *severity,
    const char *sqlstate, const char *message, const char *detail,
    const char *hint)
{
    size_t       len;
    u_char      *p;
    ngx_uint_t   i;

    struct {
        u_char       type;
        const char  *text;
    } field[] = {
        { 'S', severity },
        { 'V', severity },
        { 'C', sqlstate },
        { 'M', message },
        { 'D', detail },
        { 'H', hint }
    };

    len = 1;

    for (i = 0; i < sizeof(field) / sizeof(field[0]); i++) {
        if (field[i].text) {
            len += 1 + ngx_strlen(field[i].text) + 1;
        }
    }

    p = ngx_hyperdrive_pg_message_begin(chain, 'E', len);
    if (p == NULL) {
        return;
    }

    for (i = 0; i < sizeof(field) / sizeof(field[0]); i++) {
        if (field[i].text) {
            *p++ = field[i].type;
            p = ngx_cpymem(p, field[i].text, ngx_strlen(field[i].text) + 1);
        }
    }

    *p = '\0';
}


void
ngx_hyperdrive_pg_auth(ngx_hyperdrive_chain_t *chain, uint32_t type,
    const void *data, size_t len)
{
    u_char  *p;

    p = ngx_hyperdrive_pg_message_begin(chain, 'R', 4 + len);
    if (p == NULL) {
        return;
    }

    p = ngx_hyperdrive_base_put_u32(p, type);

    if (len) {
        ngx_memcpy(p, data, len);
    }
}


void
ngx_hyperdrive_pg_parameter_status(ngx_hyperdrive_chain_t *chain,
    ngx_str_t *name, ngx_str_t *value)
{
    u_char  *p;

    p = ngx_hyperdrive_pg_message_begin(chain, 'S',
                                        name->len + 1 + value->len + 1);
    if (p == NULL) {
        return;
    }

    p = ngx_cpymem(p, name->data, name->len);
    *p++ = '\0';

    if (value->len) {
        p = ngx_cpymem(p, value->data, value->len);
    }

    *p = '\0';
}


void
ngx_hyperdrive_pg_backend_key(ngx_hyperdrive_chain_t *chain, uint32_t pid,
    u_char *key, size_t len)
{
    u_char  *p;

    p = ngx_hyperdrive_pg_message_begin(chain, 'K', 4 + len);
    if (p == NULL) {
        return;
    }

    p = ngx_hyperdrive_base_put_u32(p, pid);
    ngx_memcpy(p, key, len);
}


void
ngx_hyperdrive_pg_ready(ngx_hyperdrive_chain_t *chain, u_char status)
{
    ngx_hyperdrive_pg_message(chain, 'Z', &status, 1);
}


ngx_int_t
ngx_hyperdrive_pg_error_field(u_char *body, size_t len, u_char field,
    ngx_str_t *value)
{
    u_char      *p, *last;
    ngx_uint_t   type;
    ngx_str_t    text;

    p = body;
    last = body + len;

    for ( ;; ) {
        p = ngx_hyperdrive_base_read_u8(p, last, &type);

        if (p == NULL || type == '\0') {
            return NGX_DECLINED;
        }

        p = ngx_hyperdrive_base_read_cstr(p, last, &text);

        if (p && type == field) {
            *value = text;
            return NGX_OK;
        }
    }
}


/* writes type and length, returns where the <len> bytes of the body go */

static u_char *
ngx_hyperdrive_pg_message_begin(ngx_hyperdrive_chain_t *chain, u_char type,
    size_t len)
{
    u_char  *p;

    p = ngx_hyperdrive_base_chain_reserve(chain, (type ? 5 : 4) + len);
    if (p == NULL) {
        return NULL;
    }

    if (type) {
        *p++ = type;
    }

    return ngx_hyperdrive_base_put_u32(p, (uint32_t) (4 + len));
}
