/* sources: sql/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/* Tests for the form that statements have in logs: never a literal. */


#include "sql/ngx_hyperdrive_sql_digest.h"
#include "check.h"


static uint64_t form(const char *sql, const char *expected);
static void test_forms(void);
static void test_secrets(void);
static void test_room(void);
static void test_cuts(void);


static ngx_hyperdrive_sql_mode_t  mode;


/* text, form */

static const char  *forms[][2] = {

    { "SELECT  a.b,\n\tc FROM T -- all\nWHERE id = 17",
      "select a.b, c from t where id = ?" },
    { "select a.b,c from t where id = $1 /* one */",
      "select a.b, c from t where id = ?" },
    { "SELECT 'x', E'\\'', $$y$$, B'1', U&'z', 1.5e3 FROM t",
      "select ? from t" },
    { "SELECT \"Mixed \"\"Name\"\"\" FROM \"S\".t",
      "select \"Mixed \"\"Name\"\"\" from \"S\".t" },
    { "SELECT * FROM t WHERE a IN (1, 2, 3) AND b IN ('x')",
      "select * from t where a in (?) and b in (?)" },
    { "INSERT INTO t VALUES (1, 2), (3, 4),(5,6) RETURNING id",
      "insert into t values (?) returning id" },
    { "INSERT INTO t VALUES (1), (f(2)), (3)",
      "insert into t values (?), (f(?)), (?)" },
    { "INSERT INTO t VALUES (1, 2), (3, x)",
      "insert into t values (?), (?, x)" },
    { "SELECT f(1), g(2)", "select f(?), g(?)" },
    { "SELECT 1, a, 2, b", "select ?, a, ?, b" },
    { "SELECT (1), (", "select (?), (" },
    { "SELECT (1), (2", "select (?), (?" },
    { "SELECT (1), (2,", "select (?), (?," },
    { "SELECT 1,", "select ?," },
    { "SELECT count(*), a::int, a[1], arr[1:2] FROM t",
      "select count(*), a::int, a[?], arr[?:?] from t" },
    { "SELECT a;SELECT b", "select a; select b" },
    { "", "" },
    { " -- nothing", "" },
    { "SET work_mem = '64MB'", "set work_mem = ?" },
    { "SET LOCAL search_path TO a, b", "set local search_path to ?" },
    { "SET a.b = c; SELECT d", "set a.b = ?; select d" },
    { "UPDATE t SET a = b WHERE c = 1",
      "update t set a = b where c = ?" },
    { "ALTER ROLE r SET app.token TO abc",
      "alter role r set app.token to ?" },
    { "ALTER TABLE a RENAME TO b", "alter table a rename to b" },
    { "CREATE ROLE r PASSWORD 'p'", "create role r password ?" },
    { "DO $x$ BEGIN END $x$", "do ?" },
    { "SELECT 'never closed", "select ?" },
    { "SELECT a /* never closed", "select a ?" }
};


int
main(void)
{
    mode.standard_conforming_strings = 1;

    test_forms();
    test_secrets();
    test_room();
    test_cuts();

    return done();
}


/* compares, and returns the digest */

static uint64_t
form(const char *sql, const char *expected)
{
    size_t     n;
    u_char     buf[512];
    uint64_t   digest;
    ngx_str_t  text;

    text.data = (u_char *) sql;
    text.len = ngx_strlen(sql);

    n = ngx_hyperdrive_sql_digest(&text, &mode, buf, sizeof(buf), &digest);

    if (expected) {

        ok(n == ngx_strlen(expected) && ngx_memcmp(buf, expected, n) == 0,
           sql[0] ? expected : "nothing");

        if (n != ngx_strlen(expected) || ngx_memcmp(buf, expected, n)) {
            printf("# got %.*s\n", (int) n, buf);
        }
    }

    return digest;
}


static void
test_forms(void)
{
    ngx_uint_t  i;

    for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        (void) form(forms[i][0], forms[i][1]);
    }

    ok(form("SELECT a FROM t WHERE b = 1", NULL)
       == form("select A from T where B=$1", NULL),
       "statements that differ in constants only have one digest");

    ok(form("SELECT a FROM t", NULL) != form("SELECT b FROM t", NULL),
       "...others have others");

    ok(form("SELECT a", NULL) == 0x2fb485a1a5a4562ULL,
       "it is the same for ever");
}


static void
test_secrets(void)
{
    mode.standard_conforming_strings = 0;

    (void) form("SELECT 'it\\'s', a", "select ?, a");

    mode.standard_conforming_strings = 1;
    mode.unsafe_encoding = 1;

    /* in SJIS the quote may be the second half of a character */

    (void) form("SELECT '\x83' secret '", "?");
    (void) form("SELECT 'plain'", "select ?");

    mode.unsafe_encoding = 0;
}


/* what does not fit is left out, and counts for the digest all the same */

static void
test_room(void)
{
    size_t      n, size, whole;
    u_char      all[64], *part;
    uint64_t    digest, d;
    ngx_str_t   text;
    ngx_uint_t  good;

    ngx_str_set(&text, "SELECT \"A b\", c FROM t WHERE d IN (1, 2)");

    whole = ngx_hyperdrive_sql_digest(&text, &mode, all, sizeof(all), &digest);

    good = 1;

    for (size = 0; size <= whole; size++) {

        part = malloc(size + 1);

        n = ngx_hyperdrive_sql_digest(&text, &mode, part, size, &d);

        good &= (n == size && d == digest && ngx_memcmp(part, all, n) == 0);

        free(part);
    }

    ok(good, "any size of the buffer");
}


/* no read behind the text, wherever it ends */

static void
test_cuts(void)
{
    u_char      *p, buf[512];
    size_t       len, n;
    uint64_t     digest;
    ngx_str_t    text;
    ngx_uint_t   i;

    for (i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {

        len = ngx_strlen(forms[i][0]);

        for (n = 0; n <= len; n++) {
            p = malloc(n ? n : 1);
            ngx_memcpy(p, forms[i][0], n);

            text.data = p;
            text.len = n;

            (void) ngx_hyperdrive_sql_digest(&text, &mode, buf, sizeof(buf),
                                             &digest);
            free(p);
        }
    }

    ok(1, "all texts cut at every byte");
}
