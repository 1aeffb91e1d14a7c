/* sources: sql/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/* Tests of the reader of what asks about the statement before. */


#include "sql_cut_check.h"
#include "sql/ngx_hyperdrive_sql_asks.h"


/* what is asked for, as a text */

static void
describe(ngx_str_t *text, char *out, size_t size)
{
    int                        n;
    ngx_uint_t                 i;
    ngx_hyperdrive_sql_asks_t  asks;

    static const char  *what[] = { "id", "idv", "found", "count", "warn",
                                   "err" };

    if (ngx_hyperdrive_sql_asks(text, &mode, &asks) != NGX_OK) {
        snprintf(out, size, "no");
        return;
    }

    n = 0;

    if (asks.n == 0) {
        snprintf(out, size, "list%s %ld %ld", asks.errors ? " errors" : "",
                 (long) asks.offset,
                 asks.limit == NGX_MAX_INT_T_VALUE ? -1 : (long) asks.limit);
    }

    for (i = 0; i < asks.n; i++) {
        n += snprintf(out + n, size - n, "%s%s %.*s", i ? ", " : "",
                      what[asks.items[i].what], (int) asks.items[i].name.len,
                      asks.items[i].name.data);
    }
}


/* the same for GET DIAGNOSTICS */

static void
describe_get(ngx_str_t *text, char *out, size_t size)
{
    int                            n;
    ngx_uint_t                     i;
    ngx_hyperdrive_sql_asks_get_t  g;

    static const char  *what[] = { "n", "rows", "state", "errno", "text" };

    if (ngx_hyperdrive_sql_asks_get(text, &mode, &g) != NGX_OK) {
        snprintf(out, size, "no");
        return;
    }

    n = snprintf(out, size, "%d", (int) g.condition);

    for (i = 0; i < g.n; i++) {
        n += snprintf(out + n, size - n, " %.*s=%s", (int) g.items[i].name.len,
                      g.items[i].name.data, what[g.items[i].what]);
    }
}


static void
is(const char *s, const char *expected)
{
    check(s, expected, describe);
}


static void
get(const char *s, const char *expected)
{
    check(s, expected, describe_get);
}


int
main(void)
{
    mode.mysql = 1;
    mode.mariadb = 1;

    is("SELECT ROW_COUNT()", "count ROW_COUNT()");
    is("select row_count ( ) ;", "count row_count ( )");
    is("SELECT FOUND_ROWS() AS n", "found n");
    is("SELECT FOUND_ROWS() `a b`;;", "found a b");
    is("SELECT LAST_INSERT_ID() 'x', @@identity", "id x, idv @@identity");
    is("SELECT @@session.warning_count, @@LOCAL.error_count AS \"e\"",
       "warn @@session.warning_count, err e");
    is("/* a */ SELECT /* b */ ROW_COUNT()", "count ROW_COUNT()");
    is("SHOW WARNINGS", "list 0 -1");
    is("show errors limit 3", "list errors 0 3");
    is("SHOW WARNINGS LIMIT 2, 5", "list 2 5");
    is("SHOW WARNINGS LIMIT 5 OFFSET 2", "list 2 5");
    is("SHOW COUNT(*) WARNINGS", "warn @@session.warning_count");
    is("SHOW COUNT(*) ERRORS;", "err @@session.error_count");

    is("", "no");
    is("SELECT", "no");
    is("SELECT ROW_COUNT() + 1", "no");
    is("SELECT ROW_COUNT(), 1", "no");
    is("SELECT ROW_COUNT(1)", "no");
    is("SELECT ROW_COUNT", "no");
    is("SELECT LAST_INSERT_ID(5)", "no");
    is("SELECT ROW_COUNT() FROM t", "no");
    is("SELECT ROW_COUNT() AS", "no");
    is("SELECT ROW_COUNT() AS 'it''s'", "no");
    is("SELECT ROW_COUNT() AS 'a\\b'", "no");
    is("SELECT ROW_COUNT() AS `a``b`", "no");
    is("SELECT ROW_COUNT() AS n\xc3\xbc", "no");
    is("SELECT ROW_COUNT() WHERE 0", "no");
    is("SELECT ROW_COUNT() LIMIT 0", "no");
    is("SELECT ROW_COUNT(); SELECT 1", "no");
    is("SELECT @@global.warning_count", "no");
    is("SELECT @@warning_count.x", "no");
    is("SELECT `ROW_COUNT`()", "no");
    is("SELECT @row_count", "no");
    is("SHOW WARNINGS LIMIT x", "no");
    is("SHOW WARNINGS LIMIT 99999999999999999999", "no");
    is("SHOW COUNT(1) WARNINGS", "no");
    is("SHOW TABLES", "no");
    is("SELECT ROW_COUNT(), ROW_COUNT(), ROW_COUNT(), ROW_COUNT(),"
       " ROW_COUNT(), ROW_COUNT(), ROW_COUNT(), ROW_COUNT(), ROW_COUNT()",
       "no");
    is("(SELECT ROW_COUNT())", "no");
    is("SELECT ROW_COUNT() /* open", "no");

    get("GET DIAGNOSTICS @a = NUMBER, @B=row_count;", "0 a=n B=rows");
    get("get current diagnostics condition 2 @s = RETURNED_SQLSTATE,"
        " @e = MYSQL_ERRNO, @m = MESSAGE_TEXT",
        "2 s=state e=errno m=text");
    get("GET DIAGNOSTICS", "no");
    get("GET DIAGNOSTICS @a = MYSQL_ERRNO", "no");
    get("GET DIAGNOSTICS CONDITION 1 @a = NUMBER", "no");
    get("GET DIAGNOSTICS CONDITION 0 @a = MYSQL_ERRNO", "no");
    get("GET DIAGNOSTICS CONDITION @n @a = MYSQL_ERRNO", "no");
    get("GET DIAGNOSTICS CONDITION 1 @a = SUBCLASS_ORIGIN", "no");
    get("GET DIAGNOSTICS CONDITION 1 a = MYSQL_ERRNO", "no");
    get("GET DIAGNOSTICS @`a b` = NUMBER", "no");
    get("GET STACKED DIAGNOSTICS @a = NUMBER", "no");
    get("GET DIAGNOSTICS @a = NUMBER; SELECT 1", "no");
    get("SHOW WARNINGS", "no");

    return done();
}
