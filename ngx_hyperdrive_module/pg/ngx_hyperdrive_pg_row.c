
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "pg/ngx_hyperdrive_pg.h"
#include "base/ngx_hyperdrive_base_cursor.h"


/* 55.7 "Message Formats", DataRow */

ngx_int_t
ngx_hyperdrive_pg_row(u_char **pos, u_char *last, ngx_str_t *cols,
    ngx_uint_t *n)
{
    u_char      *p, *end;
    uint32_t     len;
    ngx_uint_t   i, max, count;

    p = *pos;
    max = *n;
    *n = 0;

    if (last - p < NGX_HYPERDRIVE_PG_HEADER) {
        return NGX_AGAIN;
    }

    len = ngx_hyperdrive_base_get_u32(p + 1);

    if (len < 4 || len > NGX_HYPERDRIVE_MAX_MESSAGE) {
        return NGX_ERROR;
    }

    if ((size_t) (last - p) < 1 + (size_t) len) {
        return NGX_AGAIN;
    }

    end = p + 1 + len;
    *pos = end;

    if (p[0] != 'D') {
        return NGX_OK;
    }

    p = ngx_hyperdrive_base_read_u16(p + NGX_HYPERDRIVE_PG_HEADER, end,
                                     &count);

    for (i = 0; p && i < count; i++) {

        if (i == max) {
            return NGX_ERROR;
        }

        p = ngx_hyperdrive_base_read_u32(p, end, &len);

        if (len == (uint32_t) -1) {
            ngx_str_set(&cols[i], "");
            continue;
        }

        p = ngx_hyperdrive_base_read_bytes(p, end, len, &cols[i]);
    }

    if (p != end) {
        return NGX_ERROR;
    }

    *n = count;

    return NGX_OK;
}
