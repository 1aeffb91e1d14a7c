/* sources: sql/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * Any text through the reader of SET.  What it says is set has to come back
 * from the statement that sets another connection to it.
 */


#include "sql/ngx_hyperdrive_sql_set.h"


#define READ  512       /* as small as to be filled */
#define SAID  4096


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static ngx_int_t
read_one(ngx_hyperdrive_sql_set_reader_t *r, ngx_str_t *text, u_char *buf,
    size_t size, ngx_hyperdrive_sql_mode_t *mode, ngx_hyperdrive_sql_set_t *set)
{
    ngx_memzero(r, sizeof(ngx_hyperdrive_sql_set_reader_t));
    r->buf = buf;
    r->size = size;

    ngx_hyperdrive_sql_set_begin(r, text, mode);

    return ngx_hyperdrive_sql_set_next(r, set);
}


static void
again(ngx_hyperdrive_sql_set_t *set)
{
    u_char                           *said, *buf;
    ngx_str_t                         text;
    ngx_uint_t                        snapshot;
    ngx_hyperdrive_sql_set_t          same;
    ngx_hyperdrive_sql_mode_t         mode = {
        .standard_conforming_strings = 1
    };
    ngx_hyperdrive_sql_set_reader_t   r;

    if (memchr(set->name.data, '\0', set->name.len)
        || memchr(set->value.data, '\0', set->value.len))
    {
        return;
    }

    said = malloc(SAID);
    buf = malloc(SAID);

    snapshot = 0;
    text.data = said;
    text.len = ngx_hyperdrive_sql_set_text(&set->name, &set->value, 0, said,
                                           SAID, &snapshot);

    if (text.len == 0 || text.len > SAID
        || read_one(&r, &text, buf, SAID, &mode, &same) != NGX_OK
        || same.name.len != set->name.len
        || ngx_memcmp(same.name.data, set->name.data, same.name.len) != 0
        || same.value.len != set->value.len
        || ngx_memcmp(same.value.data, set->value.data, same.value.len) != 0)
    {
        abort();
    }

    free(said);
    free(buf);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char                           *buf;
    ngx_str_t                         text, args[3];
    ngx_hyperdrive_sql_set_t          set;
    ngx_hyperdrive_sql_mode_t         mode;
    ngx_hyperdrive_sql_set_reader_t   r;

    if (size == 0) {
        return 0;
    }

    ngx_memzero(&mode, sizeof(ngx_hyperdrive_sql_mode_t));

    mode.standard_conforming_strings = data[0] & 1;
    mode.unsafe_encoding = (data[0] >> 1) & 1;

    /* blocks of their own size: nothing may be touched behind them */

    text.len = size - 1;
    text.data = malloc(size);
    ngx_memcpy(text.data, data + 1, text.len);

    buf = malloc(READ);

    ngx_memzero(&r, sizeof(ngx_hyperdrive_sql_set_reader_t));
    r.buf = buf;
    r.size = READ;

    if (data[0] & 4) {
        args[0].data = (u_char *) data;
        args[0].len = size;
        ngx_str_set(&args[1], "t");
        ngx_str_null(&args[2]);

        r.args = args;
        r.nargs = 3;
    }

    ngx_hyperdrive_sql_set_begin(&r, &text, &mode);

    while (ngx_hyperdrive_sql_set_next(&r, &set) == NGX_OK) {

        if (set.change <= NGX_HYPERDRIVE_SQL_SET_VALUE_LOCAL && set.name.len) {
            again(&set);
        }
    }

    free(text.data);
    free(buf);

    return 0;
}
