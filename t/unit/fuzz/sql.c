/* sources: sql/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * Any text through the SQL classifier.  The first byte sets the mode and how
 * much memory there is for names.
 */


#include "sql/ngx_hyperdrive_sql.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char                      *text, *names;
    size_t                       n;
    ngx_str_t                    str, body;
    ngx_uint_t                   i;
    ngx_hyperdrive_sql_mode_t    mode;
    ngx_hyperdrive_sql_table_t  *t;
    ngx_hyperdrive_sql_prepare_t  prepare;

    static ngx_hyperdrive_sql_facts_t  facts, again;

    if (size == 0) {
        return 0;
    }

    ngx_memzero(&mode, sizeof(ngx_hyperdrive_sql_mode_t));

    mode.standard_conforming_strings = !(data[0] & 1);
    mode.unsafe_encoding = (data[0] & 2) ? 1 : 0;

    size--;

    n = (data[0] & 4) ? data[0] >> 3 : size;

    /* blocks of their own size: nothing may be touched behind them */

    text = malloc(size ? size : 1);
    names = malloc(n ? n : 1);

    ngx_memcpy(text, data + 1, size);

    str.data = text;
    str.len = size;

    ngx_hyperdrive_sql_classify(&str, &mode, names, n, &facts);

    if (facts.kind > NGX_HYPERDRIVE_SQL_UNKNOWN
        || facts.reason > NGX_HYPERDRIVE_SQL_TOO_COMPLEX
        || facts.ntables > NGX_HYPERDRIVE_SQL_MAX_TABLES
        || memchr(facts.verb, '\0', sizeof(facts.verb)) == NULL)
    {
        abort();
    }

    if (facts.reason == NGX_HYPERDRIVE_SQL_CACHEABLE
        && (facts.kind != NGX_HYPERDRIVE_SQL_READ || facts.ntables == 0
            || facts.nstatements != 1 || facts.stateful || facts.may_write
            || facts.incomplete || facts.transaction_control))
    {
        abort();
    }

    if (facts.kind == NGX_HYPERDRIVE_SQL_UNKNOWN && !facts.stateful) {
        abort();
    }

    for (i = 0; i < facts.ntables; i++) {
        t = &facts.tables[i];

        if (t->name.data < names || t->name.data + t->name.len > names + n
            || t->name.len == 0 || t->name.len > 63
            || (t->schema.len
                && (t->schema.data < names || t->schema.len > 63
                    || t->schema.data + t->schema.len > names + n)))
        {
            abort();
        }
    }

    /* what names need is never more than the text is long */

    if (n == size && facts.kind == NGX_HYPERDRIVE_SQL_READ
        && facts.reason == NGX_HYPERDRIVE_SQL_TOO_COMPLEX
        && facts.ntables < NGX_HYPERDRIVE_SQL_MAX_TABLES)
    {
        for (i = 0; i < size && !(text[i] & 0x80); i++) { /* void */ }

        if (i == size) {
            abort();
        }
    }

    /* nothing is kept from one text to the next */

    ngx_hyperdrive_sql_classify(&str, &mode, names, n, &again);

    if (again.kind != facts.kind || again.reason != facts.reason
        || again.ntables != facts.ntables
        || again.stateful != facts.stateful
        || again.may_write != facts.may_write)
    {
        abort();
    }

    (void) ngx_hyperdrive_sql_clock_text(text, size);

    if (ngx_hyperdrive_sql_prepare(&str, &mode, &prepare) == NGX_OK
        && (prepare.name.data < text
            || prepare.name.data + prepare.name.len > text + size
            || (prepare.body.len
                && prepare.body.data + prepare.body.len != text + size)))
    {
        abort();
    }

    if (ngx_hyperdrive_sql_mysql_prepare(&str, &mode, &body) == NGX_OK
        && body.len
        && (body.data < text || body.data + body.len > text + size))
    {
        abort();
    }

    free(names);
    free(text);

    return 0;
}
