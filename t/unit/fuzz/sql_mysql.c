/* sources: sql/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * Any text through the classifier for MySQL and MariaDB, as a statement, as
 * the body of a routine, and as an expression.  The
 * first two bytes set the mode and how much
 * memory there is for names.
 */


#include "sql/ngx_hyperdrive_sql_mysql.h"
#include "base/ngx_hyperdrive_base_mode.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


static void
check(ngx_hyperdrive_sql_facts_t *facts, u_char *names, size_t n)
{
    ngx_uint_t                   i;
    ngx_hyperdrive_sql_table_t  *t;

    if (facts->kind > NGX_HYPERDRIVE_SQL_UNKNOWN
        || facts->reason > NGX_HYPERDRIVE_SQL_TOO_COMPLEX
        || facts->ntables > NGX_HYPERDRIVE_SQL_MAX_TABLES
        || facts->nfunctions > NGX_HYPERDRIVE_SQL_MAX_FUNCTIONS
        || memchr(facts->verb, '\0', sizeof(facts->verb)) == NULL)
    {
        abort();
    }

    if (facts->reason == NGX_HYPERDRIVE_SQL_CACHEABLE
        && (facts->kind != NGX_HYPERDRIVE_SQL_READ || facts->ntables == 0
            || facts->nstatements != 1 || facts->stateful || facts->may_write
            || facts->incomplete || facts->transaction_control || facts->asks
            || facts->variables || facts->commits_first))
    {
        abort();
    }

    if (facts->kind == NGX_HYPERDRIVE_SQL_UNKNOWN
        && !(facts->stateful && facts->may_write && facts->anything))
    {
        abort();
    }

    for (i = 0; i < facts->ntables; i++) {
        t = &facts->tables[i];

        if (t->name.data < names || t->name.data + t->name.len > names + n
            || t->name.len == 0
            || (t->schema.len
                && (t->schema.data < names
                    || t->schema.data + t->schema.len > names + n)))
        {
            abort();
        }
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char                     *text, *names;
    size_t                      n;
    ngx_str_t                   str;
    ngx_uint_t                  bits;
    ngx_hyperdrive_sql_mode_t   mode;

    static ngx_uint_t  versions[] = { 0, 80403, 101119, 110402 };

    static ngx_hyperdrive_sql_facts_t  facts, again;

    if (size < 2) {
        return 0;
    }

    bits = NGX_HYPERDRIVE_BASE_MODE_MYSQL
           | versions[data[0] & 3] << 32
           | ((data[0] & 4) ? NGX_HYPERDRIVE_BASE_MODE_MARIADB : 0)
           | ((data[0] & 8) ? NGX_HYPERDRIVE_BASE_MODE_ANSI_QUOTES : 0)
           | ((data[0] & 16) ? NGX_HYPERDRIVE_BASE_MODE_NO_BACKSLASH : 0)
           | ((data[0] & 32) ? NGX_HYPERDRIVE_BASE_MODE_IGNORE_SPACE : 0)
           | (ngx_uint_t) (data[1] % 5) << 12;

    ngx_hyperdrive_sql_mode(bits, &mode);

    size -= 2;

    n = (data[1] & 128) ? data[1] & 127 : size;

    /* blocks of their own size: nothing may be touched behind them */

    text = malloc(size ? size : 1);
    names = malloc(n ? n : 1);

    ngx_memcpy(text, data + 2, size);

    str.data = text;
    str.len = size;

    ngx_hyperdrive_sql_classify(&str, &mode, names, n, &facts);
    check(&facts, names, n);

    /* nothing is kept from one text to the next */

    ngx_hyperdrive_sql_classify(&str, &mode, names, n, &again);

    if (again.kind != facts.kind || again.reason != facts.reason
        || again.ntables != facts.ntables || again.asks != facts.asks
        || again.leaves != facts.leaves
        || again.may_write != facts.may_write)
    {
        abort();
    }

    ngx_hyperdrive_sql_mysql_body(&str, &mode, NULL, 0, names, n, &facts);

    if (facts.ntables > NGX_HYPERDRIVE_SQL_MAX_TABLES
        || facts.nfunctions > NGX_HYPERDRIVE_SQL_MAX_FUNCTIONS)
    {
        abort();
    }

    ngx_hyperdrive_sql_mysql_expression(&str, &mode, names, n, &facts);

    free(names);
    free(text);

    return 0;
}
