/* sources: sql/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * Any text becomes the form that is shown in logs.  The first byte sets the
 * mode and the room for it.  There is no string constant left.
 */


#include "sql/ngx_hyperdrive_sql_digest.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t                     n, room, len;
    u_char                    *text, *dst, *again;
    uint64_t                   digest, other;
    ngx_str_t                  str;
    ngx_uint_t                 quoted;
    ngx_hyperdrive_sql_mode_t  mode;

    if (size == 0) {
        return 0;
    }

    ngx_memzero(&mode, sizeof(ngx_hyperdrive_sql_mode_t));

    mode.standard_conforming_strings = !(data[0] & 1);
    mode.unsafe_encoding = (data[0] & 2) ? 1 : 0;

    size--;

    /* blocks of their own size: nothing may be touched behind them */

    room = data[0] >> 2;

    text = malloc(size ? size : 1);
    dst = malloc(room ? room : 1);
    again = malloc(size * 3 + 1);

    ngx_memcpy(text, data + 1, size);

    str.data = text;
    str.len = size;

    n = ngx_hyperdrive_sql_digest(&str, &mode, dst, room, &digest);
    len = ngx_hyperdrive_sql_digest(&str, &mode, again, size * 3 + 1, &other);

    if (n > room || n > len || digest != other
        || ngx_memcmp(dst, again, n) != 0)
    {
        abort();
    }

    quoted = 0;

    for (n = 0; n < len; n++) {

        if (again[n] == '"') {
            quoted = !quoted;
        }

        if (!quoted && again[n] == '\'') {
            abort();
        }
    }

    free(again);
    free(dst);
    free(text);

    return 0;
}
