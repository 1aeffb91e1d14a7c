/* sources: sql/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/* PREPARE and EXECUTE: the name, what is prepared, what else is run */


#include "sql/ngx_hyperdrive_sql.h"
#include "check.h"

#include <string.h>


typedef struct {
    char  *text;
    char  *expect;        /* name|body, name|plain, name|calls, or no */
} prepare_t;


static prepare_t  prepares[] = {
    { "PREPARE p AS SELECT 1", "p|SELECT 1" },
    { "prepare P As select 1;", "P|select 1;" },
    { "PREPARE p (int, numeric(8, 2)) AS SELECT $1", "p|SELECT $1" },
    { "/* a */ PREPARE/**/p--x\nAS (VALUES (1))", "p|(VALUES (1))" },
    { "PREPARE \"a \"\"b\" AS TABLE t", "\"a \"\"b\"|TABLE t" },
    { "PREPARE\"p\"AS SELECT 1", "\"p\"|SELECT 1" },
    { "PREPARE as AS SELECT 1", "as|SELECT 1" },
    { "PREPARE TRANSACTION 'x'", "no" },
    { "PREPARE U&\"d0061t\" AS SELECT 1", "no" },
    { "PREPARE p SELECT 1", "no" },
    { "PREPARE p (int AS SELECT 1", "no" },
    { "PREPARE p AS", "no" },
    { "PREPARE p AS 'x'", "no" },
    { "PREPARE", "no" },
    { "EXECUTE p", "p|plain" },
    { "execute \"P\" ;", "\"P\"|plain" },
    { "EXECUTE p(1, 'two', $3, NULL, true, B'1', E'\\'')", "p|plain" },
    { "EXECUTE p(f(1))", "p|calls" },
    { "EXECUTE p(1 + 1)", "p|calls" },
    { "EXECUTE p('1'::int)", "p|calls" },
    { "EXECUTE p(x)", "p|calls" },
    { "EXECUTE p('", "p|calls" },
    { "EXPLAIN EXECUTE p(1)", "p|plain" },
    { "EXPLAIN ANALYZE VERBOSE EXECUTE p", "p|plain" },
    { "EXPLAIN (ANALYZE, COSTS off) EXECUTE p(f())", "p|calls" },
    { "EXPLAIN SELECT 1", "no" },
    { "CREATE TABLE t AS EXECUTE p", "p|calls" },
    { "CREATE UNLOGGED TABLE IF NOT EXISTS a.t (b) WITH (fillfactor = 70)"
      " ON COMMIT DROP AS execute \"P\"(1) WITH NO DATA", "\"P\"|calls" },
    { "CREATE TABLE t AS SELECT 1", "no" },
    { "CREATE TABLE t AS", "no" },
    { "CREATE TABLE t (c text DEFAULT 'AS EXECUTE p')", "no" },
    { "CREATE", "no" },
    { "EXECUTE 'p'", "no" },
    { "EXECUTE", "no" },
    { "DEALLOCATE p", "no" },
    { "", "no" }
};


/* in memory of just its size, so that ASan sees what is read behind it */

static char *
read_prepare(char *text, size_t len)
{
    static char                   said[128];
    ngx_int_t                     rc;
    ngx_str_t                     str;
    ngx_hyperdrive_sql_mode_t     mode;
    ngx_hyperdrive_sql_prepare_t  p;

    ngx_memzero(&mode, sizeof(ngx_hyperdrive_sql_mode_t));
    mode.standard_conforming_strings = 1;

    str.len = len;
    str.data = malloc(len + !len);
    ngx_memcpy(str.data, text, len);

    rc = ngx_hyperdrive_sql_prepare(&str, &mode, &p);

    if (rc == NGX_OK) {
        snprintf(said, sizeof(said), "%.*s|%.*s%s", (int) p.name.len,
                 (char *) p.name.data, (int) p.body.len,
                 (char *) p.body.data,
                 p.body.len ? "" : p.plain ? "plain" : "calls");
    }

    free(str.data);

    return rc == NGX_OK ? said : "no";
}


int
main(void)
{
    char        *said;
    size_t       n;
    ngx_uint_t   i, good;

    for (i = 0; i < sizeof(prepares) / sizeof(prepares[0]); i++) {

        n = strlen(prepares[i].text);
        said = read_prepare(prepares[i].text, n);
        good = (strcmp(said, prepares[i].expect) == 0);

        if (!good) {
            printf("# got %s instead of %s\n", said, prepares[i].expect);
        }

        ok(good, prepares[i].expect);

        while (n--) {
            (void) read_prepare(prepares[i].text, n);
        }
    }

    return done();
}
