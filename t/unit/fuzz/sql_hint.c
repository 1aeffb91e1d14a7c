/* sources: sql/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/* Any text through the reader of hints. */


#include "sql/ngx_hyperdrive_sql_hint.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ngx_str_t                  text;
    ngx_hyperdrive_sql_mode_t  mode;
    ngx_hyperdrive_sql_hint_t  hint;

    ngx_memzero(&mode, sizeof(ngx_hyperdrive_sql_mode_t));

    mode.mysql = size & 1;

    /* a block of its own size: nothing may be touched behind it */

    text.data = malloc(size ? size : 1);
    text.len = size;
    ngx_memcpy(text.data, data, size);

    ngx_hyperdrive_sql_hint(&text, &mode, &hint);

    if (hint.max_age > NGX_HYPERDRIVE_SQL_HINT_MAX
        || (hint.aged && hint.max_age == 0))
    {
        abort();
    }

    free(text.data);

    return 0;
}
