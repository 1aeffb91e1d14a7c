/* sources: sql/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/* Any text through the reader of what asks about the statement before. */


#include "sql/ngx_hyperdrive_sql_asks.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t                         n;
    ngx_str_t                      text, *name;
    ngx_uint_t                     i;
    ngx_hyperdrive_sql_mode_t      mode;
    ngx_hyperdrive_sql_asks_t      asks;
    ngx_hyperdrive_sql_asks_get_t  get;

    ngx_memzero(&mode, sizeof(ngx_hyperdrive_sql_mode_t));

    mode.mysql = 1;
    mode.mariadb = size & 1;
    mode.ansi_quotes = (size >> 1) & 1;

    /* a block of its own size: nothing may be touched behind it */

    text.data = malloc(size ? size : 1);
    text.len = size;
    ngx_memcpy(text.data, data, size);

    n = 0;

    if (ngx_hyperdrive_sql_asks(&text, &mode, &asks) == NGX_OK) {

        if (asks.n > NGX_HYPERDRIVE_SQL_ASKS_MAX) {
            abort();
        }

        for (i = 0; i < asks.n; i++) {
            name = &asks.items[i].name;

            if (name->len == 0) {
                abort();
            }

            n += name->data[0] + name->data[name->len - 1];
        }
    }

    if (ngx_hyperdrive_sql_asks_get(&text, &mode, &get) == NGX_OK) {

        if (get.n == 0 || get.n > NGX_HYPERDRIVE_SQL_ASKS_MAX) {
            abort();
        }

        for (i = 0; i < get.n; i++) {
            name = &get.items[i].name;
            n += name->data[0] + name->data[name->len - 1];
        }
    }

    free(text.data);

    return n == (size_t) -1;
}
