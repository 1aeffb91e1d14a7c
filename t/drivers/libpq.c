
/*
 * Copyright (C) Hyperdrive for nginx authors
 */

/*
 * What a program on libpq does in a day: parameters in text and binary,
 * errors, transactions, cursors, large values, prepared statements and
 * pipelines.  Every answer is checked.  The database is named by PGHOST and
 * its kin; with the argument "read" only what a cache may answer is run.
 *
 * Lines with "#" carry what was seen, so that a run against the database
 * and one through a proxy can be compared.
 */


#include "libpq.h"


static void libpq_read(PGconn *c);
static void libpq_read_prepared(PGconn *c);


static int  libpq_tests;
static int  libpq_failed;


int
main(int argc, char **argv)
{
    PGconn  *c;

    setvbuf(stdout, NULL, _IOLBF, 0);

    c = libpq_connect();

    libpq_ok(PQserverVersion(c) >= 100000
             && libpq_is(PQparameterStatus(c, "client_encoding"), "UTF8"),
             "connect");

    libpq_read(c);
    libpq_read_prepared(c);

    if (argc < 2 || strcmp(argv[1], "read") != 0) {
        libpq_query_types(c);
        libpq_query_simple(c);
        libpq_query_errors(c);
        libpq_query_transactions(c);
        libpq_query_cursors(c);
        libpq_query_large(c);
        libpq_query_single_row(c);
        libpq_session_names();
        libpq_session_prepared();
        libpq_pipeline_different(c);
        libpq_pipeline_error(c);
        libpq_pipeline_syncs(c);
        libpq_pipeline_prepared(c);
        libpq_pipeline_flush(c);
        libpq_pipeline_cursor(c);
        libpq_pipeline_large(c);
        libpq_session_leave();
        libpq_session_reconnect();

        /* pins the session, so it comes last */
        libpq_query_copy(c);
    }

    PQfinish(c);

    printf("1..%d\n", libpq_tests);

    return libpq_failed ? 1 : 0;
}


PGconn *
libpq_connect(void)
{
    PGconn  *c;

    c = PQconnectdb("application_name=libpq");

    if (PQstatus(c) != CONNECTION_OK) {
        printf("Bail out! connect: %s\n", PQerrorMessage(c));
        exit(1);
    }

    return c;
}


void
libpq_ok(int rc, const char *fmt, ...)
{
    va_list  args;

    printf("%s %d - ", rc ? "ok" : "not ok", ++libpq_tests);

    va_start(args, fmt);
    vprintf(fmt, args);
    va_end(args);

    printf("\n");

    if (!rc) {
        libpq_failed++;
    }
}


int
libpq_is(const char *got, const char *expected)
{
    if (got && strcmp(got, expected) == 0) {
        return 1;
    }

    printf("# got '%.200s', expected '%.200s'\n", got ? got : "(null)",
           expected);

    return 0;
}


/* Takes <res>.  Its first value must be <expected>, unless that is NULL. */

int
libpq_value(PGresult *res, ExecStatusType status, const char *expected)
{
    int  rc;

    rc = 1;

    if (PQresultStatus(res) != status) {
        printf("# status %s, expected %s: %s\n",
               PQresStatus(PQresultStatus(res)), PQresStatus(status),
               PQresultErrorMessage(res));
        rc = 0;

    } else if (expected) {
        rc = PQntuples(res) && libpq_is(PQgetvalue(res, 0, 0), expected);
    }

    PQclear(res);

    return rc;
}


int
libpq_exec(PGconn *c, const char *sql, const char *expected)
{
    return libpq_value(PQexec(c, sql),
                       expected ? PGRES_TUPLES_OK : PGRES_COMMAND_OK,
                       expected);
}


int
libpq_fails(PGresult *res, const char *sqlstate)
{
    int  rc;

    rc = libpq_is(PQresultErrorField(res, PG_DIAG_SQLSTATE), sqlstate);

    PQclear(res);

    return rc;
}


/* everything of a small result, for the comparison of two runs */

void
libpq_show(const char *name, PGresult *res)
{
    int  i, j, n;

    static const char  fields[] = {
        PG_DIAG_SEVERITY, PG_DIAG_SQLSTATE, PG_DIAG_MESSAGE_PRIMARY,
        PG_DIAG_MESSAGE_DETAIL, PG_DIAG_MESSAGE_HINT,
        PG_DIAG_STATEMENT_POSITION, PG_DIAG_CONTEXT, PG_DIAG_TABLE_NAME,
        PG_DIAG_CONSTRAINT_NAME, PG_DIAG_SOURCE_FUNCTION
    };

    printf("# %s: %s %s", name, PQresStatus(PQresultStatus(res)),
           PQcmdStatus(res));

    for (i = 0; i < (int) sizeof(fields); i++) {
        if (PQresultErrorField(res, fields[i])) {
            printf(" %c=%s", fields[i], PQresultErrorField(res, fields[i]));
        }
    }

    for (j = 0; j < PQnfields(res); j++) {
        printf(" %s/%u/%d/%d/%d", PQfname(res, j), PQftype(res, j),
               PQfmod(res, j), PQfsize(res, j), PQfformat(res, j));
    }

    for (i = 0; i < PQntuples(res); i++) {
        for (j = 0; j < PQnfields(res); j++) {

            if (PQgetisnull(res, i, j)) {
                printf(" null");
                continue;
            }

            printf(" %d:", PQgetlength(res, i, j));

            for (n = 0; n < PQgetlength(res, i, j) && n < 200; n++) {
                printf("%02x", (unsigned char) PQgetvalue(res, i, j)[n]);
            }
        }
    }

    printf("\n");
}


/* in a pipeline: the result of the next statement and the NULL behind it */

PGresult *
libpq_next(PGconn *c)
{
    PGresult  *res, *end;

    res = PQgetResult(c);

    if (res && PQresultStatus(res) != PGRES_PIPELINE_SYNC) {
        end = PQgetResult(c);

        if (end) {
            printf("# a result too much: %s\n",
                   PQresStatus(PQresultStatus(end)));
            PQclear(end);
            PQclear(res);
            return NULL;
        }
    }

    return res;
}


/* the answer to a Sync, and with it the end of the pipeline */

int
libpq_end(PGconn *c)
{
    int  rc;

    rc = libpq_value(libpq_next(c), PGRES_PIPELINE_SYNC, NULL);

    return PQexitPipelineMode(c) && rc;
}


/* sends what is queued; reads when the other end does not */

void
libpq_flush(PGconn *c)
{
    int            rc;
    struct pollfd  pfd;

    for ( ;; ) {

        rc = PQflush(c);

        if (rc == 0) {
            return;
        }

        if (rc < 0) {
            printf("Bail out! flush: %s\n", PQerrorMessage(c));
            exit(1);
        }

        pfd.fd = PQsocket(c);
        pfd.events = POLLIN|POLLOUT;

        if (poll(&pfd, 1, 30000) <= 0) {
            printf("Bail out! flush: nothing moved for 30 seconds\n");
            exit(1);
        }

        if ((pfd.revents & POLLIN) && !PQconsumeInput(c)) {
            printf("Bail out! flush: %s\n", PQerrorMessage(c));
            exit(1);
        }
    }
}


static void
libpq_read(PGconn *c)
{
    int          i, j, rc;
    char         id[16], sql[64];
    PGresult    *res;
    const char  *values[1];

    values[0] = id;

    for (i = 1; i <= 4; i++) {

        sprintf(sql, "SELECT * FROM drv_types WHERE id = %d", i);
        sprintf(id, "%d", i);

        /* asked for twice, so that one may come from a cache */

        for (j = 0; j < 2; j++) {

            res = PQexec(c, sql);
            rc = PQntuples(res) == 1 && libpq_is(PQgetvalue(res, 0, 0), id);
            libpq_show("simple", res);
            PQclear(res);

            libpq_ok(rc, "row %d, simple", i);

            res = PQexecParams(c, "SELECT * FROM drv_types WHERE id = $1", 1,
                               NULL, values, NULL, NULL, 0);
            rc = PQntuples(res) == 1 && libpq_is(PQgetvalue(res, 0, 0), id);
            libpq_show("text", res);
            PQclear(res);

            libpq_ok(rc, "row %d, text", i);

            res = PQexecParams(c, "SELECT * FROM drv_types WHERE id = $1", 1,
                               NULL, values, NULL, NULL, 1);
            rc = PQntuples(res) == 1 && PQgetlength(res, 0, 0) == 4
                 && PQgetvalue(res, 0, 0)[3] == i;
            libpq_show("binary", res);
            PQclear(res);

            libpq_ok(rc, "row %d, binary", i);
        }
    }

    for (j = 0; j < 2; j++) {

        res = PQexec(c, "SELECT id, v FROM drv_rows ORDER BY id");
        rc = PQntuples(res) == LIBPQ_ROWS;

        for (i = 0; rc && i < LIBPQ_ROWS; i++) {
            sprintf(id, "%d", i + 1);
            rc = libpq_is(PQgetvalue(res, i, 0), id)
                 && PQgetlength(res, i, 1) == 32;
        }

        PQclear(res);

        libpq_ok(rc, "%d rows", LIBPQ_ROWS);
    }

    libpq_ok(libpq_exec(c, "SELECT id FROM drv_rows WHERE id = 77", "77")
             && libpq_value(PQexec(c, "SELECT v FROM drv_rows WHERE id = 0"),
                            PGRES_TUPLES_OK, NULL),
             "no row");

    libpq_ok(libpq_fails(PQexec(c, "SELECT nothing FROM drv_rows"), "42703")
             && libpq_fails(PQexec(c, "SELECT nothing FROM drv_rows"),
                            "42703"),
             "an error twice");
}


static void
libpq_read_prepared(PGconn *c)
{
    int          i, rc;
    char         id[16];
    PGresult    *res;
    const char  *values[1];

    res = PQprepare(c, "read", "SELECT v, id FROM drv_rows WHERE id = $1", 0,
                    NULL);
    libpq_ok(libpq_value(res, PGRES_COMMAND_OK, NULL), "prepare");

    res = PQdescribePrepared(c, "read");
    rc = PQnparams(res) == 1 && PQparamtype(res, 0) == 23
         && PQnfields(res) == 2 && libpq_is(PQfname(res, 0), "v");
    libpq_show("describe", res);
    PQclear(res);

    libpq_ok(rc, "describe");

    values[0] = id;
    rc = 1;

    for (i = 0; i < 400; i++) {
        sprintf(id, "%d", i % 40 + 1);

        res = PQexecPrepared(c, "read", 1, values, NULL, NULL, 0);
        rc = rc && PQntuples(res) == 1
             && libpq_is(PQgetvalue(res, 0, 1), id);
        PQclear(res);
    }

    libpq_ok(rc, "a prepared statement 400 times");
}
