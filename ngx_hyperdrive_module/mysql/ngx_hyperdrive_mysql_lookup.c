
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "mysql/ngx_hyperdrive_mysql_login.h"
#include "mysql/ngx_hyperdrive_mysql_wire.h"
#include "base/ngx_hyperdrive_base_cursor.h"


/*
 * A question with the user's name as $1, and what it is answered by.  The name
 * is put into the text, in a form that no quotes and no character set can end.
 */


static u_char *ngx_hyperdrive_mysql_lookup_next(u_char *p, u_char *last);


ngx_int_t
ngx_hyperdrive_mysql_lookup_request(ngx_str_t *text, ngx_str_t *user,
    ngx_hyperdrive_chain_t *out)
{
    size_t      len, size;
    u_char     *p, *from, *next, *last, seq;
    uint32_t    code;
    ngx_str_t   begin;

    last = user->data + user->len;

    for (p = user->data; p != last; /* void */ ) {
        p = ngx_hyperdrive_base_read_utf8(p, last, &code);

        if (p == NULL) {
            /* an error of any query */
            return NGX_DECLINED;
        }
    }

    if (user->len) {
        ngx_str_set(&begin, "_utf8mb4 0x");

    } else {
        ngx_str_set(&begin, "_utf8mb4''");
    }

    last = text->data + text->len;
    size = begin.len + 2 * user->len;
    len = 1 + text->len;

    for (from = text->data;
         (next = ngx_hyperdrive_mysql_lookup_next(from, last)) != NULL;
         from = next + 2)
    {
        len += size - 2;
    }

    seq = 0;

    p = ngx_hyperdrive_mysql_packet_begin(out, len, &seq);
    if (p == NULL) {
        return NGX_ERROR;
    }

    *p++ = NGX_HYPERDRIVE_MYSQL_COM_QUERY;

    for (from = text->data;
         (next = ngx_hyperdrive_mysql_lookup_next(from, last)) != NULL;
         from = next + 2)
    {
        p = ngx_cpymem(p, from, next - from);
        p = ngx_cpymem(p, begin.data, begin.len);
        p = ngx_hex_dump(p, user->data, user->len);
    }

    ngx_memcpy(p, from, last - from);

    return NGX_OK;
}


/* $1, and no $10 */

static u_char *
ngx_hyperdrive_mysql_lookup_next(u_char *p, u_char *last)
{
    for ( /* void */ ; last - p >= 2; p++) {

        if (p[0] == '$' && p[1] == '1'
            && (last - p == 2 || p[2] < '0' || p[2] > '9'))
        {
            return p;
        }
    }

    return NULL;
}


ngx_int_t
ngx_hyperdrive_mysql_lookup_row(u_char *data, size_t len, ngx_str_t *user,
    ngx_str_t *secret)
{
    u_char      *p, *last;
    ngx_int_t    rc;
    ngx_str_t    cols[2];
    ngx_uint_t   n, rows, other;

    p = data;
    last = data + len;
    rows = 0;
    other = 0;

    while (p < last) {
        n = 2;
        rc = ngx_hyperdrive_mysql_serve_row(&p, last, cols, &n);

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }

        if (n == 0) {
            continue;
        }

        if (rows++) {
            return NGX_ERROR;
        }

        /* names that are only equal to a collation are not the same user */

        other = (n == 2 && !ngx_hyperdrive_base_same(&cols[0], user));

        *secret = cols[n - 1];
    }

    return (rows == 0 || other || secret->len == 0) ? NGX_DECLINED : NGX_OK;
}
