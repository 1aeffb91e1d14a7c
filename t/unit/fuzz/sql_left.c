/* sources: sql/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/* Any text through the reader of what a statement leaves. */


#include "sql/ngx_hyperdrive_sql_left.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t                     n;
    ngx_str_t                  text, *name;
    ngx_uint_t                 i;
    ngx_hyperdrive_sql_mode_t  mode;
    ngx_hyperdrive_sql_left_t  left;

    ngx_memzero(&mode, sizeof(ngx_hyperdrive_sql_mode_t));

    mode.mysql = 1;
    mode.mariadb = size & 1;
    mode.ansi_quotes = (size >> 1) & 1;

    /* a block of its own size: nothing may be touched behind it */

    text.data = malloc(size ? size : 1);
    text.len = size;
    ngx_memcpy(text.data, data, size);

    ngx_hyperdrive_sql_left(&text, &mode, &left);

    if (left.n > NGX_HYPERDRIVE_SQL_LEFT_MAX
        || left.len > NGX_HYPERDRIVE_SQL_LEFT_SIZE)
    {
        abort();
    }

    n = 0;

    for (i = 0; i < left.n; i++) {
        name = &left.items[i].name;

        if (name->len) {
            n += name->data[0] + name->data[name->len - 1];
        }
    }

    free(text.data);

    return n == (size_t) -1;
}
