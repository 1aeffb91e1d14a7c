
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _SQL_MYSQL_DESCRIBE_H_INCLUDED_
#define _SQL_MYSQL_DESCRIBE_H_INCLUDED_


#include "sql/ngx_hyperdrive_sql.h"


/*
 * Facts as text: kind, reason, flags, asks, leaves, tables, functions.  The
 * flags: W may_write, I incomplete, A anything, T transaction_control, C
 * commits_first, b begin_plain, r read_only, s snapshot, h chain, l release, t
 * temporary, c copy_in, a alone, v variables, n no_cache, "-" none of them.  A
 * table that is written has a "*".
 */

static char *
describe(ngx_hyperdrive_sql_facts_t *facts)
{
    u_char                         *p;
    ngx_uint_t                      i;
    ngx_hyperdrive_sql_table_t     *t;
    ngx_hyperdrive_sql_function_t  *f;

    static u_char                   buf[131072];

    static const char  *asks[] = {
        "insert_id", "found_rows", "row_count", "warnings"
    };

    static const char  *leaves[] = {
        "listen", "lock", "temporary", "cursor", "prepared", "setting",
        "library", "seed", "sequence", "function", "call", "?", "variable",
        "tables", "xa", "?", "nothing"
    };

    p = ngx_sprintf(buf, "%V %V ", ngx_hyperdrive_sql_kind_name(facts->kind),
                    ngx_hyperdrive_sql_reason_name(facts->reason));

#define flag(name, ch)                                                        \
    if (facts->name) {                                                        \
        *p++ = ch;                                                            \
    }

    flag(may_write, 'W');
    flag(incomplete, 'I');
    flag(anything, 'A');
    flag(transaction_control, 'T');
    flag(commits_first, 'C');
    flag(begin_plain, 'b');
    flag(read_only, 'r');
    flag(snapshot, 's');
    flag(chain, 'h');
    flag(release, 'l');
    flag(temporary, 't');
    flag(copy_in, 'c');
    flag(alone, 'a');
    flag(variables, 'v');
    flag(no_cache, 'n');

#undef flag

    if (p[-1] == ' ') {
        *p++ = '-';
    }

    for (i = 0; i < sizeof(asks) / sizeof(asks[0]); i++) {
        if (facts->asks & (1 << i)) {
            p = ngx_sprintf(p, " ?%s", asks[i]);
        }
    }

    for (i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++) {
        if (facts->leaves & ((ngx_uint_t) 1 << i)) {
            p = ngx_sprintf(p, " !%s", leaves[i]);
        }
    }

    for (i = 0; i < facts->ntables; i++) {
        t = &facts->tables[i];

        p = ngx_sprintf(p, " %V%s%V%s", &t->schema, t->schema.len ? "." : "",
                        &t->name, t->written ? "*" : "");
    }

    for (i = 0; i < facts->nfunctions; i++) {
        f = &facts->functions[i];

        p = ngx_sprintf(p, " %V%s%V()", &f->schema, f->schema.len ? "." : "",
                        &f->name);
    }

    *p = '\0';

    return (char *) buf;
}


#endif /* _SQL_MYSQL_DESCRIBE_H_INCLUDED_ */
