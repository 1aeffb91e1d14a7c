/* sources: sql/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/* Tests of the reader of what MySQL's PREPARE and EXECUTE prepare or run. */


#include "sql_cut_check.h"


static void
describe(ngx_str_t *text, char *out, size_t size)
{
    ngx_str_t  body;

    if (ngx_hyperdrive_sql_mysql_prepare(text, &mode, &body) == NGX_OK) {
        snprintf(out, size, "<%.*s>", (int) body.len, (char *) body.data);

    } else {
        snprintf(out, size, "no");
    }
}


static void
is(const char *s, const char *expected)
{
    check(s, expected, describe);
}


int
main(void)
{
    mode.mysql = 1;
    mode.mariadb = 1;

    is("PREPARE s FROM 'SELECT 1'", "<SELECT 1>");
    is("prepare `a b` from \"SELECT '1'\" ;", "<SELECT '1'>");
    is("PREPARE s FROM 'SELECT ''1'''", "no");
    is("PREPARE s FROM \"SELECT \"\"1\"", "no");
    is("PREPARE s FROM 'SE\\LECT 1'", "no");
    is("PREPARE s FROM 'SELECT' ' 1'", "no");
    is("PREPARE s FROM CONCAT('SELECT 1')", "no");
    is("PREPARE s FROM _latin1'SELECT 1'", "no");
    is("PREPARE s FROM 'SELECT \xc3\xa4'", "no");
    is("PREPARE s FROM @a", "no");
    is("PREPARE s FROM", "no");
    is("PREPARE 1 FROM 'SELECT 1'", "no");
    is("EXECUTE IMMEDIATE 'SELECT 1'", "<SELECT 1>");
    is("/* a */ execute immediate 'SELECT ?' USING @a",
       "<SELECT ?>");
    is("EXECUTE IMMEDIATE 'SELECT 1' COLLATE utf8mb4_bin", "no");
    is("EXECUTE IMMEDIATE @a", "no");
    is("EXECUTE s", "<>");
    is("EXECUTE `s` USING @a, @b", "<>");
    is("EXECUTE", "no");
    is("DEALLOCATE PREPARE s", "no");
    is("SELECT 'a'", "no");

    return done();
}
