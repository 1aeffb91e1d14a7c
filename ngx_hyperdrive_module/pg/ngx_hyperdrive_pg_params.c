
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "pg/ngx_hyperdrive_pg.h"
#include "base/ngx_hyperdrive_base_cursor.h"


/* 55.7 "Message Formats", Bind: format codes, then the number of values, and
   the values */

ngx_uint_t
ngx_hyperdrive_pg_params(ngx_str_t *bind, ngx_uint_t nparams,
    ngx_str_t *values, ngx_uint_t max)
{
    u_char      *p, *end;
    uint32_t     len;
    ngx_str_t    codes;
    ngx_uint_t   i, n;

    p = bind->data;
    end = p + bind->len;

    p = ngx_hyperdrive_base_read_u16(p, end, &n);
    p = p ? ngx_hyperdrive_base_read_bytes(p, end, 2 * n, &codes) : NULL;
    p = ngx_hyperdrive_base_read_u16(p, end, &n);

    for (i = 0; p && i < n && i < max; i++) {
        p = ngx_hyperdrive_base_read_u32(p, end, &len);

        if (p && len == (uint32_t) -1) {
            ngx_str_null(&values[i]);
            continue;
        }

        p = p ? ngx_hyperdrive_base_read_bytes(p, end, len, &values[i])
              : NULL;
    }

    /* what is malformed has none: the database says what is wrong with it */

    return p ? i : 0;
}
