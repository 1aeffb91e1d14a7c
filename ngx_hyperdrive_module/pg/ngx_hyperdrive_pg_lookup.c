
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "pg/ngx_hyperdrive_pg.h"
#include "pg/ngx_hyperdrive_pg_message.h"
#include "base/ngx_hyperdrive_base_cursor.h"


/* a question with the user's name as $1, and what it is answered by */


ngx_int_t
ngx_hyperdrive_pg_lookup_request(ngx_str_t *text, ngx_str_t *user,
    ngx_hyperdrive_chain_t *out)
{
    u_char  *p;
    size_t   parse, bind;

    /* Parse: no name, the text, no types; Bind: no names, one parameter */

    parse = 4 + 1 + text->len + 1 + 2;
    bind = 4 + 1 + 1 + 2 + 2 + 4 + user->len + 2;

    p = ngx_hyperdrive_base_chain_reserve(out, 1 + parse + 1 + bind
                                          + 1 + 4 + 1 + 4 + 1 + 4);
    if (p == NULL) {
        return NGX_ERROR;
    }

    *p++ = 'P';
    p = ngx_hyperdrive_base_put_u32(p, parse);
    *p++ = '\0';
    p = ngx_cpymem(p, text->data, text->len);
    *p++ = '\0';
    *p++ = 0;
    *p++ = 0;

    *p++ = 'B';
    p = ngx_hyperdrive_base_put_u32(p, bind);
    *p++ = '\0';
    *p++ = '\0';
    *p++ = 0;
    *p++ = 0;
    *p++ = 0;
    *p++ = 1;
    p = ngx_hyperdrive_base_put_u32(p, user->len);
    p = ngx_cpymem(p, user->data, user->len);
    *p++ = 0;
    *p++ = 0;

    *p++ = 'E';
    p = ngx_hyperdrive_base_put_u32(p, 4 + 1 + 4);
    *p++ = '\0';
    p = ngx_hyperdrive_base_put_u32(p, 0);

    *p++ = 'S';
    (void) ngx_hyperdrive_base_put_u32(p, 4);

    return NGX_OK;
}


ngx_int_t
ngx_hyperdrive_pg_lookup_row(u_char *data, size_t len, ngx_str_t *user,
    ngx_str_t *secret)
{
    u_char      *p, *last, *end;
    uint32_t     size;
    ngx_str_t    value;
    ngx_uint_t   i, n, rows, other;

    p = data;
    last = data + len;
    rows = 0;
    other = 0;

    while (p && p < last) {

        if (last - p < NGX_HYPERDRIVE_PG_HEADER) {
            return NGX_ERROR;
        }

        size = ngx_hyperdrive_base_get_u32(p + 1);

        if (size < 4 || size > (size_t) (last - p - 1)) {
            return NGX_ERROR;
        }

        end = p + 1 + size;

        if (p[0] != 'D') {
            p = end;
            continue;
        }

        if (rows++) {
            return NGX_ERROR;
        }

        p = ngx_hyperdrive_base_read_u16(p + NGX_HYPERDRIVE_PG_HEADER, end,
                                         &n);

        if (p == NULL || n < 1 || n > 2) {
            return NGX_ERROR;
        }

        for (i = 0; i < n; i++) {
            p = ngx_hyperdrive_base_read_u32(p, end, &size);

            ngx_str_null(&value);

            if (p && size != (uint32_t) -1) {
                p = ngx_hyperdrive_base_read_bytes(p, end, size, &value);
            }

            if (p && i + 1 < n) {

                /* one that citext holds for equal is not the same user */
                other = !ngx_hyperdrive_base_same(&value, user);
            }
        }

        if (p != end) {
            return NGX_ERROR;
        }

        /* the last column */

        *secret = value;
    }

    if (rows == 0 || other || secret->len == 0) {
        return NGX_DECLINED;
    }

    return NGX_OK;
}
