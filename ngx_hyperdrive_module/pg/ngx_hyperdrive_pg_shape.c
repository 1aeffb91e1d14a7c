
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "pg/ngx_hyperdrive_pg.h"
#include "base/ngx_hyperdrive_base_cursor.h"


/*
 * Names, types and type modifiers of the columns (55.7, RowDescription): what
 * a client decodes rows by.  Tables and column numbers may change unseen.
 * 1: no rows.
 */

uint64_t
ngx_hyperdrive_pg_shape(u_char *p, size_t total)
{
    u_char      *end, *next;
    uint64_t     shape;
    ngx_str_t    name, table, type;
    ngx_uint_t   n, format;

    if (p[0] == 'n') {
        return 1;
    }

    end = p + total;
    shape = 0xcbf29ce484222325ULL;

    next = ngx_hyperdrive_base_read_u16(p + NGX_HYPERDRIVE_PG_HEADER, end, &n);

    while (next && next < end) {
        next = ngx_hyperdrive_base_read_cstr(next, end, &name);
        next = ngx_hyperdrive_base_read_bytes(next, end, 6, &table);
        next = ngx_hyperdrive_base_read_bytes(next, end, 10, &type);
        next = ngx_hyperdrive_base_read_u16(next, end, &format);

        if (next == NULL) {
            break;
        }

        /* FNV-1a; the NUL separates the name from the type */

        for (n = 0; n < name.len + 1; n++) {
            shape = (shape ^ name.data[n]) * 0x100000001b3ULL;
        }

        for (n = 0; n < type.len; n++) {
            shape = (shape ^ type.data[n]) * 0x100000001b3ULL;
        }
    }

    return shape > 1 ? shape : 2;
}
