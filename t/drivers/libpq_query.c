
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "libpq.h"


typedef struct {
    const char  *type;
    const char  *in;        /* what the client writes, and */
    const char  *out;       /* what the database answers, if not the same */
} libpq_query_type_t;


/*
 * Each literal goes in as text and comes out binary; that goes in and
 * comes out as text again.
 */

void
libpq_query_types(PGconn *c)
{
    int          len, fmt, rc;
    char         sql[256], name[128];
    size_t       i;
    PGresult    *res, *back;
    const char  *values[1];

    static const libpq_query_type_t  types[] = {
        { "int2", "-32768", NULL },
        { "int4", "2147483647", NULL },
        { "int8", "-9223372036854775808", NULL },
        { "float4", "1.5", NULL },
        { "float4", "NaN", NULL },
        { "float8", "-Infinity", NULL },
        { "float8", "Infinity", NULL },
        { "float8", "NaN", NULL },
        { "float8", "0.1", NULL },
        { "numeric", "12345678901234567890.123456789", NULL },
        { "numeric", "NaN", NULL },
        { "text", "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80 'q' \"d\" \\ $1",
          NULL },
        { "text", "", NULL },
        { "bytea", "\\x0001027fff", NULL },
        { "bool", "true", "t" },
        { "date", "2024-02-29", NULL },
        { "date", "infinity", NULL },
        { "time", "13:14:15.123456", NULL },
        { "timetz", "13:14:15.5+02", NULL },
        { "timestamp", "2024-02-29 13:14:15.123456", NULL },
        { "interval", "1 year 2 mons 3 days 04:05:06.789", NULL },
        { "uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", NULL },
        { "json", "{\"a\": [1, 2, null]}", NULL },
        { "jsonb", "{\"a\": [1, 2, null]}", NULL },
        { "inet", "192.168.1.7/24", NULL },
        { "inet", "2001:db8::1", NULL },
        { "int4[]", "{1,2,NULL,4}", NULL },
        { "int4[]", "{{1,2},{3,4}}", NULL },
        { "text[]", "{a,\"b c\",NULL,\"x\\\"y\"}", NULL },
        { "drv_mood", "happy", NULL },
        { "drv_mood[]", "{sad,ok}", NULL },
        { "int4range", "[1,10)", NULL },
        { "int4range", "empty", NULL }
    };

    for (i = 0; i < libpq_count(types); i++) {

        sprintf(sql, "SELECT $1::%s", types[i].type);
        snprintf(name, sizeof(name), "%s %s", types[i].type, types[i].in);

        values[0] = types[i].in;

        res = PQexecParams(c, sql, 1, NULL, values, NULL, NULL, 1);
        libpq_show(name, res);

        rc = PQresultStatus(res) == PGRES_TUPLES_OK && PQfformat(res, 0) == 1;

        if (rc) {
            len = PQgetlength(res, 0, 0);
            fmt = 1;
            values[0] = PQgetvalue(res, 0, 0);

            back = PQexecParams(c, sql, 1, NULL, values, &len, &fmt, 0);
            rc = libpq_value(back, PGRES_TUPLES_OK,
                             types[i].out ? types[i].out : types[i].in);
        }

        PQclear(res);

        libpq_ok(rc, "%s", name);
    }

    values[0] = NULL;

    res = PQexecParams(c, "SELECT $1::int4, $1::int4 IS NULL", 1, NULL,
                       values, NULL, NULL, 0);
    rc = PQgetisnull(res, 0, 0) && libpq_is(PQgetvalue(res, 0, 1), "t");
    PQclear(res);

    libpq_ok(rc, "NULL");

    /* a composite has no binary form that takes its own output's types */

    values[0] = "(42,\"x y\")";

    res = PQexecParams(c, "SELECT $1::drv_pair, ($1::drv_pair).b", 1, NULL,
                       values, NULL, NULL, 0);
    rc = libpq_is(PQgetvalue(res, 0, 0), "(42,\"x y\")")
         && libpq_is(PQgetvalue(res, 0, 1), "x y");
    PQclear(res);

    libpq_ok(rc, "composite");
}


void
libpq_query_simple(PGconn *c)
{
    int        rc;
    PGresult  *res;

    libpq_ok(libpq_value(PQexec(c, ""), PGRES_EMPTY_QUERY, NULL)
             && libpq_value(PQexec(c, " ; ; "), PGRES_EMPTY_QUERY, NULL)
             && libpq_value(PQexec(c, "-- nothing"), PGRES_EMPTY_QUERY, NULL),
             "empty queries");

    libpq_ok(libpq_value(PQexecParams(c, "", 0, NULL, NULL, NULL, NULL, 0),
                         PGRES_EMPTY_QUERY, NULL),
             "an empty query, extended");

    rc = PQsendQuery(c, "SELECT 1; SELECT 'two', 2; SELECT 3 WHERE false;");

    res = PQgetResult(c);
    rc = rc && libpq_value(res, PGRES_TUPLES_OK, "1");
    res = PQgetResult(c);
    rc = rc && libpq_value(res, PGRES_TUPLES_OK, "two");
    res = PQgetResult(c);
    rc = rc && PQntuples(res) == 0;
    PQclear(res);
    rc = rc && PQgetResult(c) == NULL;

    libpq_ok(rc, "three statements in one query");

    rc = PQsendQuery(c, "SELECT 1; SELECT 1/0; SELECT 3");

    rc = rc && libpq_value(PQgetResult(c), PGRES_TUPLES_OK, "1");
    rc = rc && libpq_fails(PQgetResult(c), "22012");
    rc = rc && PQgetResult(c) == NULL;

    libpq_ok(rc, "the second of three fails");

    res = PQexec(c, "SELECT FROM generate_series(1, 3)");
    rc = PQntuples(res) == 3 && PQnfields(res) == 0;
    PQclear(res);

    libpq_ok(rc, "rows without columns");
}


void
libpq_query_errors(PGconn *c)
{
    int        rc;
    size_t     i;
    PGresult  *res;

    static const char *const  errors[][2] = {
        { "SELEC 1", "42601" },
        { "SELECT 1/0", "22012" },
        { "SELECT * FROM drv_missing", "42P01" },
        { "SELECT drv_missing(1)", "42883" },
        { "SELECT 'x'::int", "22P02" },
        { "INSERT INTO drv_items VALUES ('libpq-e', 1, 'again')", "23505" },
        { "INSERT INTO drv_items VALUES (NULL, 1, 'none')", "23502" },
        { "SELECT $1", "42P02" },
        { "ROLLBACK TO SAVEPOINT nothing", "25P01" }
    };

    libpq_exec(c, "DELETE FROM drv_items WHERE who LIKE 'libpq%'", NULL);
    libpq_ok(libpq_exec(c, "INSERT INTO drv_items VALUES ('libpq-e', 1, 'x')",
                        NULL),
             "insert");

    for (i = 0; i < libpq_count(errors); i++) {

        res = PQexec(c, errors[i][0]);
        libpq_show("simple", res);
        rc = libpq_fails(res, errors[i][1]);

        rc = rc && libpq_exec(c, "SELECT 'on'", "on");

        libpq_ok(rc, "error %s, simple", errors[i][1]);

        if (strcmp(errors[i][0], "SELECT $1") == 0) {
            continue;
        }

        res = PQexecParams(c, errors[i][0], 0, NULL, NULL, NULL, NULL, 0);
        libpq_show("extended", res);
        rc = libpq_fails(res, errors[i][1]);

        rc = rc && libpq_exec(c, "SELECT 'on'", "on");

        libpq_ok(rc, "error %s, extended", errors[i][1]);
    }

    res = PQexecPrepared(c, "no such statement", 0, NULL, NULL, NULL, 0);
    libpq_show("missing", res);
    libpq_ok(libpq_fails(res, "26000"), "no such statement");

    res = PQdescribePrepared(c, "no such statement");
    libpq_show("missing", res);
    libpq_ok(libpq_fails(res, "26000"), "no such statement to describe");

    res = PQdescribePortal(c, "no such portal");
    libpq_show("missing", res);
    libpq_ok(libpq_fails(res, "34000"), "no such portal to describe");

    libpq_ok(libpq_exec(c, "SELECT 'on'", "on"), "going on");
}


void
libpq_query_transactions(PGconn *c)
{
    int          rc;
    const char  *count;

    count = "SELECT count(*) FROM drv_items WHERE who = 'libpq-t'";

    libpq_ok(PQtransactionStatus(c) == PQTRANS_IDLE, "idle");

    rc = libpq_exec(c, "BEGIN", NULL)
         && PQtransactionStatus(c) == PQTRANS_INTRANS
         && libpq_exec(c, "INSERT INTO drv_items VALUES ('libpq-t', 1, 'a')",
                       NULL)
         && libpq_exec(c, count, "1")
         && libpq_exec(c, "COMMIT", NULL)
         && PQtransactionStatus(c) == PQTRANS_IDLE
         && libpq_exec(c, count, "1");

    libpq_ok(rc, "commit");

    rc = libpq_exec(c, "BEGIN", NULL)
         && libpq_exec(c, "INSERT INTO drv_items VALUES ('libpq-t', 2, 'b')",
                       NULL)
         && libpq_exec(c, count, "2")
         && libpq_exec(c, "ROLLBACK", NULL)
         && libpq_exec(c, count, "1");

    libpq_ok(rc, "rollback");

    rc = libpq_exec(c, "START TRANSACTION ISOLATION LEVEL REPEATABLE READ",
                    NULL)
         && libpq_exec(c, "INSERT INTO drv_items VALUES ('libpq-t', 2, 'b')",
                       NULL)
         && libpq_exec(c, "SAVEPOINT s1", NULL)
         && libpq_fails(PQexec(c, "INSERT INTO drv_items VALUES"
                                  " ('libpq-t', 2, 'b')"),
                        "23505")
         && PQtransactionStatus(c) == PQTRANS_INERROR
         && libpq_fails(PQexec(c, "SELECT 1"), "25P02")
         && libpq_exec(c, "ROLLBACK TO SAVEPOINT s1", NULL)
         && PQtransactionStatus(c) == PQTRANS_INTRANS
         && libpq_exec(c, "INSERT INTO drv_items VALUES ('libpq-t', 3, 'c')",
                       NULL)
         && libpq_exec(c, "RELEASE SAVEPOINT s1", NULL)
         && libpq_exec(c, "END", NULL)
         && libpq_exec(c, count, "3");

    libpq_ok(rc, "savepoint");

    rc = libpq_exec(c, "BEGIN", NULL)
         && libpq_exec(c, "DELETE FROM drv_items WHERE who = 'libpq-t'", NULL)
         && libpq_fails(PQexecParams(c, "SELECT 1/0", 0, NULL, NULL, NULL,
                                     NULL, 0),
                        "22012")
         && libpq_fails(PQexecParams(c, "SELECT 1", 0, NULL, NULL, NULL, NULL,
                                     0),
                        "25P02")
         && libpq_fails(PQprepare(c, "failed", "SELECT 1", 0, NULL), "25P02")
         && libpq_value(PQexec(c, "COMMIT"), PGRES_COMMAND_OK, NULL)
         && PQtransactionStatus(c) == PQTRANS_IDLE
         && libpq_exec(c, count, "3");

    libpq_ok(rc, "a failed block");

    /* a statement outlives the transaction that it was prepared in */

    rc = libpq_exec(c, "BEGIN", NULL)
         && libpq_value(PQprepare(c, "inside", "SELECT 'inside'", 0, NULL),
                        PGRES_COMMAND_OK, NULL)
         && libpq_exec(c, "ROLLBACK", NULL)
         && libpq_value(PQexecPrepared(c, "inside", 0, NULL, NULL, NULL, 0),
                        PGRES_TUPLES_OK, "inside")
         && libpq_fails(PQprepare(c, "inside", "SELECT 2", 0, NULL), "42P05")
         && libpq_value(PQexecPrepared(c, "inside", 0, NULL, NULL, NULL, 0),
                        PGRES_TUPLES_OK, "inside");

    libpq_ok(rc, "prepared inside a transaction");
}


void
libpq_query_cursors(PGconn *c)
{
    int        i, rc;
    char       id[16];
    PGresult  *res;

    rc = libpq_exec(c, "BEGIN", NULL)
         && libpq_exec(c, "DECLARE cur SCROLL CURSOR FOR"
                          " SELECT id FROM drv_rows ORDER BY id",
                       NULL);

    for (i = 0; rc && i < 10; i++) {
        res = PQexec(c, "FETCH 100 FROM cur");
        sprintf(id, "%d", i * 100 + 1);
        rc = PQntuples(res) == 100 && libpq_is(PQgetvalue(res, 0, 0), id);
        PQclear(res);
    }

    rc = rc && libpq_exec(c, "FETCH PRIOR FROM cur", "999")
         && libpq_exec(c, "MOVE 10 FROM cur", NULL)
         && libpq_exec(c, "FETCH cur", "1010");

    /* the portal of the cursor can be described */

    if (rc) {
        res = PQdescribePortal(c, "cur");
        libpq_show("portal", res);
        rc = PQnfields(res) == 1 && libpq_is(PQfname(res, 0), "id");
        PQclear(res);
    }

    rc = rc && libpq_exec(c, "CLOSE cur", NULL)
         && libpq_exec(c, "COMMIT", NULL)
         && libpq_fails(PQexec(c, "FETCH cur"), "34000");

    libpq_ok(rc, "cursor");
}


void
libpq_query_large(PGconn *c)
{
    int          i, len, fmt, rc, total;
    char        *blob;
    PGresult    *res;
    const char  *values[1];

    res = PQexec(c, "SELECT g, repeat(chr(97 + g % 26), 1048576)"
                    " FROM generate_series(1, 50) g");
    rc = PQntuples(res) == 50;
    total = 0;

    for (i = 0; rc && i < 50; i++) {
        total += PQgetlength(res, i, 1);
        rc = atoi(PQgetvalue(res, i, 0)) == i + 1
             && PQgetlength(res, i, 1) == LIBPQ_MEGABYTE
             && PQgetvalue(res, i, 1)[0] == 97 + (i + 1) % 26
             && PQgetvalue(res, i, 1)[LIBPQ_MEGABYTE - 1]
                == 97 + (i + 1) % 26;
    }

    PQclear(res);

    libpq_ok(rc && total == 50 * LIBPQ_MEGABYTE, "a result of 50 MB");

    len = 20 * LIBPQ_MEGABYTE;
    fmt = 1;

    blob = malloc(len);
    if (blob == NULL) {
        exit(1);
    }

    for (i = 0; i < len; i++) {
        blob[i] = (i * 7 + (i >> 12)) & 0xff;
    }

    values[0] = blob;

    res = PQexecParams(c, "INSERT INTO drv_blob VALUES ('libpq', $1)"
                          " ON CONFLICT (who) DO UPDATE SET v = $1"
                          " RETURNING length(v), md5(v)",
                       1, NULL, values, &len, &fmt, 0);
    rc = PQntuples(res) == 1 && atoi(PQgetvalue(res, 0, 0)) == len;
    libpq_show("blob", res);
    PQclear(res);

    libpq_ok(rc, "a parameter of 20 MB");

    res = PQexecParams(c, "SELECT v FROM drv_blob WHERE who = 'libpq'", 0,
                       NULL, NULL, NULL, NULL, 1);
    rc = PQntuples(res) == 1 && PQgetlength(res, 0, 0) == len
         && memcmp(PQgetvalue(res, 0, 0), blob, len) == 0;
    PQclear(res);

    libpq_ok(rc, "a value of 20 MB");

    memset(blob, 'x', len);
    memcpy(blob, "SELECT length('", 15);
    memcpy(blob + len - 3, "')", 3);

    libpq_ok(libpq_exec(c, blob, "20971502"), "a query text of 20 MB");

    free(blob);
}


void
libpq_query_single_row(PGconn *c)
{
    int        rc, rows;
    PGresult  *res;

    rc = PQsendQueryParams(c, "SELECT g FROM generate_series(1, 10000) g", 0,
                           NULL, NULL, NULL, NULL, 0)
         && PQsetSingleRowMode(c);

    rows = 0;

    for ( ;; ) {
        res = PQgetResult(c);

        if (res == NULL) {
            break;
        }

        if (PQresultStatus(res) == PGRES_SINGLE_TUPLE) {
            rc = rc && atoi(PQgetvalue(res, 0, 0)) == ++rows;

        } else {
            rc = rc && PQresultStatus(res) == PGRES_TUPLES_OK
                 && PQntuples(res) == 0;
        }

        PQclear(res);
    }

    libpq_ok(rc && rows == LIBPQ_ROWS, "single row mode");

    /* rows, and then an error in place of their end */

    rc = PQsendQuery(c, "SELECT 100 / (50 - g) FROM generate_series(1, 99) g")
         && PQsetSingleRowMode(c);

    rows = 0;

    for ( ;; ) {
        res = PQgetResult(c);

        if (res == NULL) {
            break;
        }

        if (PQresultStatus(res) == PGRES_SINGLE_TUPLE) {
            rows++;
            PQclear(res);
            continue;
        }

        rc = rc && libpq_fails(res, "22012");
    }

    libpq_ok(rc && rows == 49, "an error behind 49 rows");

    /* a query of the usual kind ends the mode, a pipeline does not */

    libpq_ok(libpq_exec(c, "SELECT 'on'", "on"), "going on");
}


void
libpq_query_copy(PGconn *c)
{
    int    i, len, rc;
    char  *row, line[64];

    rc = libpq_value(PQexec(c, "COPY drv_items FROM STDIN"), PGRES_COPY_IN,
                     NULL);

    for (i = 0; rc && i < 1000; i++) {
        len = sprintf(line, "libpq-c\t%d\tvalue %d\n", i, i);
        rc = PQputCopyData(c, line, len) == 1;
    }

    rc = rc && PQputCopyEnd(c, NULL) == 1
         && libpq_value(PQgetResult(c), PGRES_COMMAND_OK, NULL)
         && PQgetResult(c) == NULL
         && libpq_exec(c, "SELECT count(*) FROM drv_items"
                          " WHERE who = 'libpq-c'", "1000");

    libpq_ok(rc, "COPY in");

    rc = libpq_value(PQexec(c, "COPY (SELECT id FROM drv_rows ORDER BY id)"
                               " TO STDOUT"),
                     PGRES_COPY_OUT, NULL);

    for (i = 0; rc && PQgetCopyData(c, &row, 0) > 0; /* void */ ) {
        rc = atoi(row) == ++i;
        PQfreemem(row);
    }

    rc = rc && i == LIBPQ_ROWS
         && libpq_value(PQgetResult(c), PGRES_COMMAND_OK, NULL)
         && PQgetResult(c) == NULL;

    libpq_ok(rc, "COPY out");

    rc = libpq_value(PQexec(c, "COPY drv_items FROM STDIN"), PGRES_COPY_IN,
                     NULL)
         && PQputCopyData(c, "libpq-c\t5000\tx\n", 15) == 1
         && PQputCopyEnd(c, "on second thoughts") == 1
         && libpq_fails(PQgetResult(c), "57014")
         && PQgetResult(c) == NULL
         && libpq_exec(c, "SELECT count(*) FROM drv_items"
                          " WHERE who = 'libpq-c'", "1000");

    libpq_ok(rc, "COPY in, given up");

    rc = libpq_value(PQexec(c, "COPY drv_items FROM STDIN"), PGRES_COPY_IN,
                     NULL)
         && PQputCopyData(c, "libpq-c\tnot a number\tx\n", 23) == 1;

    for (i = 0; rc && i < 1000; i++) {
        len = sprintf(line, "libpq-c\t%d\tmore\n", 10000 + i);
        rc = PQputCopyData(c, line, len) == 1;
    }

    rc = rc && PQputCopyEnd(c, NULL) == 1
         && libpq_fails(PQgetResult(c), "22P02")
         && PQgetResult(c) == NULL
         && libpq_exec(c, "SELECT 'on'", "on");

    libpq_ok(rc, "COPY in, refused in its first line");
}
