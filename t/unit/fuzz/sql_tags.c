/* sources: sql/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/* Any text has its tags and functions listed.  The first byte sets the mode. */


#include "sql/ngx_hyperdrive_sql_tags.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char                     *text, *buf;
    ngx_str_t                   str, names[NGX_HYPERDRIVE_SQL_MAX_CALLS];
    ngx_uint_t                  i, n;
    ngx_hyperdrive_sql_tag_t    tags[NGX_HYPERDRIVE_SQL_MAX_TAGS];
    ngx_hyperdrive_sql_mode_t   mode;

    if (size == 0) {
        return 0;
    }

    ngx_memzero(&mode, sizeof(ngx_hyperdrive_sql_mode_t));

    mode.standard_conforming_strings = !(data[0] & 1);
    mode.unsafe_encoding = (data[0] & 2) ? 1 : 0;
    mode.mysql = (data[0] & 4) ? 1 : 0;
    mode.ansi_quotes = (data[0] & 8) ? 1 : 0;

    size--;

    /* blocks of their own size: nothing may be touched behind them */

    text = malloc(size ? size : 1);
    buf = malloc(size ? size : 1);

    ngx_memcpy(text, data + 1, size);

    str.data = text;
    str.len = size;

    n = ngx_hyperdrive_sql_tags(&str, &mode, buf, tags);

    for (i = 0; i < n; i++) {
        if (tags[i].name.len == 0
            || tags[i].name.data < buf
            || tags[i].value.data + tags[i].value.len > buf + size)
        {
            abort();
        }
    }

    n = ngx_hyperdrive_sql_calls(&str, &mode, buf, names);

    for (i = 0; i < n; i++) {
        if (names[i].data < buf || names[i].data + names[i].len > buf + size) {
            abort();
        }
    }

    free(buf);
    free(text);

    return 0;
}
