/* sources: sql/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/* Tests of the reader of what a statement leaves, by name. */


#include "sql_cut_check.h"
#include "sql/ngx_hyperdrive_sql_left.h"


/* what is left, as a text; "?" and bits: of these it may not be all */

static void
describe(ngx_str_t *text, char *out, size_t size)
{
    int                        n;
    ngx_uint_t                 i, lost;
    ngx_hyperdrive_sql_left_t  left;

    ngx_hyperdrive_sql_left(text, &mode, &left);

    n = 0;
    out[0] = '\0';

    for (i = 0; i < left.n; i++) {
        n += snprintf(out + n, size - n, "%s%s%lx%s%.*s", i ? " " : "",
                      left.items[i].ends ? "-" : "+",
                      (unsigned long) left.items[i].cause,
                      left.items[i].bare ? "." : ":",
                      (int) left.items[i].name.len, left.items[i].name.data);
    }

    lost = (NGX_HYPERDRIVE_SQL_LEAVES_LOCK
            | NGX_HYPERDRIVE_SQL_LEAVES_TEMPORARY
            | NGX_HYPERDRIVE_SQL_LEAVES_SETTING) & ~left.understood;

    if (lost) {
        n += snprintf(out + n, size - n, "%s?%lx", n ? " " : "",
                      (unsigned long) lost);
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

    is("CREATE TEMPORARY TABLE t (a INT)", "+4.`t`");
    is("create or replace temporary table if not exists `a b`.c select 1",
       "+4:`a b`.`c`");
    is("CREATE TEMPORARY SEQUENCE s", "?4");
    is("CREATE TEMPORARY TABLE `a``b` (a INT)", "?4");
    is("CREATE TEMPORARY TABLE t SELECT GET_LOCK('a', 1)", "+4.`t` +2:a");
    is("DROP TEMPORARY TABLE a, b", "");
    is("SELECT GET_LOCK('a b', 1)", "+2:a b ?24");
    is("SELECT get_lock(\"a\", 1), GET_LOCK('b', 2)", "+2:a +2:b ?24");
    is("SELECT GET_LOCK(CONCAT('a', 'b'), 1)", "?26");
    is("SELECT GET_LOCK('a' 'b', 1)", "?26");
    is("SELECT GET_LOCK(?, 1)", "?26");
    is("SELECT GET_LOCK('a''b', 1)", "?26");
    is("SELECT GET_LOCK('a\\'b', 1)", "?26");
    is("SELECT GET_LOCK", "?24");
    is("SELECT RELEASE_ALL_LOCKS()", "-2: ?24");
    is("DO GET_LOCK('a', 1); SELECT 1", "?26");
    is("HANDLER t OPEN", "+8:t");
    is("HANDLER a.T OPEN AS H", "+8:h");
    is("HANDLER a.t OPEN h", "+8:h");
    is("HANDLER h READ FIRST", "");
    is("HANDLER h CLOSE;", "-8:h");
    is("PREPARE P FROM 'SELECT 1'", "+10:p");
    is("DEALLOCATE PREPARE p", "-10:p");
    is("DROP PREPARE `p`", "-10:p");
    is("LOCK TABLES a READ, b WRITE", "+2000:tables");
    is("LOCK TABLE a READ", "+2000:tables");
    is("UNLOCK TABLES", "-2000:tables");
    is("UNLOCK TABLE", "-2000:tables");
    is("LOCK INSTANCE FOR BACKUP", "+2000:instance");
    is("UNLOCK INSTANCE", "-2000:instance");
    is("UNLOCK", "");
    is("FLUSH TABLES a, b", "");
    is("FLUSH TABLES WITH READ LOCK", "+2000:tables");
    is("FLUSH TABLES a FOR EXPORT", "+2000:tables");
    is("XA START 'x'", "+4000:");
    is("XA COMMIT 'x' ONE PHASE", "-4000:");
    is("SET sql_mode = CONCAT(@@sql_mode, ',a'), time_zone = 'x'",
       "+20:sql_mode +20:time_zone");
    is("SET @@session.A_B := (SELECT 1, 2), @x = 1", "+20:a_b");
    is("SET SESSION a = 1, GLOBAL b = 2, @@global.c = 3, LOCAL d = 4",
       "+20:a +20:d");
    is("SET NAMES DEFAULT", "+20:character_set_client"
       " +20:character_set_results +20:collation_connection");
    is("SET CHARACTER SET latin1", "+20:character_set_client"
       " +20:character_set_results +20:collation_connection");
    is("SET ROLE x", "?20");
    is("SET TRANSACTION READ ONLY", "?20");
    is("SET insert_id = 1 + 1", "?20");
    is("SET @r = GET_LOCK('a', 1)", "+2:a");
    is("", "?24");

    return done();
}
