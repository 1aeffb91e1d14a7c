
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "libpq.h"


/* no two answers are alike, so that a shift by one is seen */

void
libpq_pipeline_different(PGconn *c)
{
    int    i, rc;
    char   sql[128], expected[64];

    PQsetnonblocking(c, 1);
    rc = PQenterPipelineMode(c);

    for (i = 0; i < 40; i++) {

        switch (i % 4) {

        case 0:
            sprintf(sql, "SELECT %d", i);
            break;

        case 1:
            sprintf(sql, "SELECT 'text %d', %d", i, i);
            break;

        case 2:
            sprintf(sql, "SELECT g FROM generate_series(%d, %d) g", i, i * 50);
            break;

        case 3:
            sprintf(sql, "INSERT INTO drv_items VALUES ('libpq-d', %d, 'x')"
                         " RETURNING id + 1000", i);
            break;
        }

        rc = rc && PQsendQueryParams(c, sql, 0, NULL, NULL, NULL, NULL, 0);
    }

    rc = rc && PQpipelineSync(c);
    libpq_flush(c);

    for (i = 0; i < 40; i++) {

        if (i % 4 == 1) {
            sprintf(expected, "text %d", i);

        } else {
            sprintf(expected, "%d", i % 4 == 3 ? i + 1000 : i);
        }

        rc = libpq_value(libpq_next(c), PGRES_TUPLES_OK, expected) && rc;
    }

    rc = libpq_end(c) && rc;
    PQsetnonblocking(c, 0);

    libpq_ok(rc, "40 different statements in one pipeline");
}


void
libpq_pipeline_error(PGconn *c)
{
    int          i, rc;
    char         expected[32];
    const char  *insert;

    insert = "INSERT INTO drv_items VALUES ('libpq-m', 1, 'x')";

    rc = PQenterPipelineMode(c)
         && PQsendQueryParams(c, insert, 0, NULL, NULL, NULL, NULL, 0)
         && PQsendQueryParams(c, "SELECT 1/0", 0, NULL, NULL, NULL, NULL, 0)
         && PQsendQueryParams(c, "SELECT 'lost'", 0, NULL, NULL, NULL, NULL, 0)
         && PQpipelineSync(c)
         && PQsendQueryParams(c, "SELECT 'kept'", 0, NULL, NULL, NULL, NULL, 0)
         && PQpipelineSync(c)
         && PQsendQueryParams(c, "SELEC 1", 0, NULL, NULL, NULL, NULL, 0)
         && PQpipelineSync(c)
         && PQsendQueryParams(c, "SELECT count(*) FROM drv_items"
                                 " WHERE who = 'libpq-m'",
                              0, NULL, NULL, NULL, NULL, 0)
         && PQpipelineSync(c);

    rc = rc && libpq_value(libpq_next(c), PGRES_COMMAND_OK, NULL)
         && libpq_fails(libpq_next(c), "22012")
         && libpq_value(libpq_next(c), PGRES_PIPELINE_ABORTED, NULL)
         && libpq_value(libpq_next(c), PGRES_PIPELINE_SYNC, NULL)
         && libpq_value(libpq_next(c), PGRES_TUPLES_OK, "kept")
         && libpq_value(libpq_next(c), PGRES_PIPELINE_SYNC, NULL)
         && libpq_fails(libpq_next(c), "42601")
         && libpq_value(libpq_next(c), PGRES_PIPELINE_SYNC, NULL)
         && libpq_value(libpq_next(c), PGRES_TUPLES_OK, "0");

    rc = libpq_end(c) && rc;

    libpq_ok(rc, "errors in a pipeline, the insert before one is undone");

    /* the same inside a transaction: it fails, and all behind it */

    rc = PQenterPipelineMode(c)
         && PQsendQueryParams(c, "BEGIN", 0, NULL, NULL, NULL, NULL, 0)
         && PQsendQueryParams(c, insert, 0, NULL, NULL, NULL, NULL, 0)
         && PQpipelineSync(c)
         && PQsendQueryParams(c, "SELECT 1/0", 0, NULL, NULL, NULL, NULL, 0)
         && PQpipelineSync(c)
         && PQsendQueryParams(c, "SELECT 1", 0, NULL, NULL, NULL, NULL, 0)
         && PQpipelineSync(c)
         && PQsendQueryParams(c, "ROLLBACK", 0, NULL, NULL, NULL, NULL, 0)
         && PQsendQueryParams(c, "SELECT 'after'", 0, NULL, NULL, NULL, NULL,
                              0)
         && PQpipelineSync(c);

    rc = rc && libpq_value(libpq_next(c), PGRES_COMMAND_OK, NULL)
         && libpq_value(libpq_next(c), PGRES_COMMAND_OK, NULL)
         && libpq_value(libpq_next(c), PGRES_PIPELINE_SYNC, NULL)
         && libpq_fails(libpq_next(c), "22012")
         && libpq_value(libpq_next(c), PGRES_PIPELINE_SYNC, NULL)
         && libpq_fails(libpq_next(c), "25P02")
         && libpq_value(libpq_next(c), PGRES_PIPELINE_SYNC, NULL)
         && libpq_value(libpq_next(c), PGRES_COMMAND_OK, NULL)
         && libpq_value(libpq_next(c), PGRES_TUPLES_OK, "after");

    rc = libpq_end(c) && rc;

    libpq_ok(rc, "an error in a pipeline in a transaction");

    /* every third of 60 fails */

    rc = PQenterPipelineMode(c);

    for (i = 0; i < 60; i++) {
        sprintf(expected, "SELECT %d / %d", i * 10, i % 3);
        rc = rc && PQsendQueryParams(c, expected, 0, NULL, NULL, NULL, NULL,
                                     0)
             && PQpipelineSync(c);
    }

    for (i = 0; rc && i < 60; i++) {

        sprintf(expected, "%d", i % 3 ? i * 10 / (i % 3) : 0);

        rc = (i % 3 ? libpq_value(libpq_next(c), PGRES_TUPLES_OK, expected)
                    : libpq_fails(libpq_next(c), "22012"));

        if (i < 59) {
            rc = rc && libpq_value(libpq_next(c), PGRES_PIPELINE_SYNC, NULL);
        }
    }

    rc = libpq_end(c) && rc;

    libpq_ok(rc, "60 groups, every third fails");
}


void
libpq_pipeline_syncs(PGconn *c)
{
    int          i, rc;
    char         n[16];
    const char  *values[1];

    PQsetnonblocking(c, 1);
    rc = PQenterPipelineMode(c);

    values[0] = n;

    for (i = 0; rc && i < 2000; i++) {
        sprintf(n, "%d", i * 3);
        rc = PQsendQueryParams(c, "SELECT $1::int4 + 1", 1, NULL, values, NULL,
                               NULL, 0)
             && PQpipelineSync(c);
    }

    libpq_flush(c);

    for (i = 0; rc && i < 2000; i++) {
        sprintf(n, "%d", i * 3 + 1);
        rc = libpq_value(libpq_next(c), PGRES_TUPLES_OK, n);

        if (i < 1999) {
            rc = rc && libpq_value(libpq_next(c), PGRES_PIPELINE_SYNC, NULL);
        }
    }

    rc = libpq_end(c) && rc;
    PQsetnonblocking(c, 0);

    libpq_ok(rc, "2000 syncs in flight");

    /* each sees what the one before it did */

    rc = PQenterPipelineMode(c);

    for (i = 0; rc && i < 50; i++) {
        sprintf(n, "%d", i);
        rc = PQsendQueryParams(c, "INSERT INTO drv_items"
                                  " VALUES ('libpq-s', $1, 'x')",
                               1, NULL, values, NULL, NULL, 0)
             && PQpipelineSync(c)
             && PQsendQueryParams(c, "SELECT count(*) FROM drv_items"
                                     " WHERE who = 'libpq-s'",
                                  0, NULL, NULL, NULL, NULL, 0)
             && PQpipelineSync(c);
    }

    for (i = 0; rc && i < 50; i++) {
        sprintf(n, "%d", i + 1);
        rc = libpq_value(libpq_next(c), PGRES_COMMAND_OK, NULL)
             && libpq_value(libpq_next(c), PGRES_PIPELINE_SYNC, NULL)
             && libpq_value(libpq_next(c), PGRES_TUPLES_OK, n);

        if (i < 49) {
            rc = rc && libpq_value(libpq_next(c), PGRES_PIPELINE_SYNC, NULL);
        }
    }

    rc = libpq_end(c) && rc;

    libpq_ok(rc, "50 inserts and counts in one pipeline");
}


void
libpq_pipeline_prepared(PGconn *c)
{
    int          i, rc;
    char         name[32], sql[64], n[16];
    PGresult    *res;
    const char  *values[1];

    values[0] = n;

    PQsetnonblocking(c, 1);
    rc = PQenterPipelineMode(c);

    for (i = 0; rc && i < 100; i++) {
        sprintf(name, "pipe%d", i);
        sprintf(sql, "SELECT $1::int4 * %d", i);
        sprintf(n, "%d", i + 1);

        rc = PQsendPrepare(c, name, sql, 0, NULL)
             && PQsendDescribePrepared(c, name)
             && PQsendQueryPrepared(c, name, 1, values, NULL, NULL, 0);

        if (i % 7 == 6) {
            rc = rc && PQpipelineSync(c);
        }
    }

    rc = rc && PQpipelineSync(c);
    libpq_flush(c);

    for (i = 0; rc && i < 100; i++) {
        sprintf(n, "%d", (i + 1) * i);

        rc = libpq_value(libpq_next(c), PGRES_COMMAND_OK, NULL);

        res = libpq_next(c);
        rc = rc && PQnparams(res) == 1 && PQparamtype(res, 0) == 23;
        rc = libpq_value(res, PGRES_COMMAND_OK, NULL) && rc;

        rc = rc && libpq_value(libpq_next(c), PGRES_TUPLES_OK, n);

        if (i % 7 == 6) {
            rc = rc && libpq_value(libpq_next(c), PGRES_PIPELINE_SYNC, NULL);
        }
    }

    rc = libpq_end(c) && rc;
    PQsetnonblocking(c, 0);

    libpq_ok(rc, "100 statements prepared in a pipeline");

    rc = 1;

    for (i = 99; rc && i >= 0; i--) {
        sprintf(name, "pipe%d", i);
        strcpy(n, "1000");
        sprintf(sql, "%d", i * 1000);

        rc = libpq_value(PQexecPrepared(c, name, 1, values, NULL, NULL, 0),
                         PGRES_TUPLES_OK, sql);
    }

    libpq_ok(rc, "and executed afterwards");

    /* a Parse that fails prepares nothing */

    rc = PQenterPipelineMode(c)
         && PQsendPrepare(c, "broken", "SELEC 1", 0, NULL)
         && PQsendQueryPrepared(c, "broken", 0, NULL, NULL, NULL, 0)
         && PQpipelineSync(c)
         && PQsendQueryPrepared(c, "broken", 0, NULL, NULL, NULL, 0)
         && PQpipelineSync(c)
         && PQsendPrepare(c, "broken", "SELECT 'mended'", 0, NULL)
         && PQsendQueryPrepared(c, "broken", 0, NULL, NULL, NULL, 0)
         && PQpipelineSync(c);

    rc = rc && libpq_fails(libpq_next(c), "42601")
         && libpq_value(libpq_next(c), PGRES_PIPELINE_ABORTED, NULL)
         && libpq_value(libpq_next(c), PGRES_PIPELINE_SYNC, NULL)
         && libpq_fails(libpq_next(c), "26000")
         && libpq_value(libpq_next(c), PGRES_PIPELINE_SYNC, NULL)
         && libpq_value(libpq_next(c), PGRES_COMMAND_OK, NULL)
         && libpq_value(libpq_next(c), PGRES_TUPLES_OK, "mended");

    rc = libpq_end(c) && rc;

    libpq_ok(rc, "a statement that failed to parse");

    /* the Parse behind an error never happened */

    rc = PQenterPipelineMode(c)
         && PQsendQueryParams(c, "SELECT 1/0", 0, NULL, NULL, NULL, NULL, 0)
         && PQsendPrepare(c, "skipped", "SELECT 1", 0, NULL)
         && PQpipelineSync(c)
         && PQsendQueryPrepared(c, "skipped", 0, NULL, NULL, NULL, 0)
         && PQpipelineSync(c);

    rc = rc && libpq_fails(libpq_next(c), "22012")
         && libpq_value(libpq_next(c), PGRES_PIPELINE_ABORTED, NULL)
         && libpq_value(libpq_next(c), PGRES_PIPELINE_SYNC, NULL)
         && libpq_fails(libpq_next(c), "26000");

    rc = libpq_end(c) && rc;

    libpq_ok(rc, "a statement behind an error");
}


/* answers are read before the Sync is sent */

void
libpq_pipeline_flush(PGconn *c)
{
    int  rc;

    rc = PQenterPipelineMode(c)
         && PQsendQueryParams(c, "INSERT INTO drv_items"
                                 " VALUES ('libpq-f', 1, 'x')"
                                 " RETURNING 'first'",
                              0, NULL, NULL, NULL, NULL, 0)
         && PQsendFlushRequest(c)
         && PQflush(c) == 0
         && libpq_value(libpq_next(c), PGRES_TUPLES_OK, "first")
         && PQsendQueryParams(c, "SELECT count(*) FROM drv_items"
                                 " WHERE who = 'libpq-f'",
                              0, NULL, NULL, NULL, NULL, 0)
         && PQsendFlushRequest(c)
         && PQflush(c) == 0
         && libpq_value(libpq_next(c), PGRES_TUPLES_OK, "1")
         && PQsendQueryParams(c, "SELECT 1/0", 0, NULL, NULL, NULL, NULL, 0)
         && PQsendFlushRequest(c)
         && PQflush(c) == 0
         && libpq_fails(libpq_next(c), "22012")
         && PQsendQueryParams(c, "SELECT 1", 0, NULL, NULL, NULL, NULL, 0)
         && PQpipelineSync(c)
         && libpq_value(libpq_next(c), PGRES_PIPELINE_ABORTED, NULL);

    rc = libpq_end(c) && rc;

    rc = rc && libpq_exec(c, "SELECT count(*) FROM drv_items"
                             " WHERE who = 'libpq-f'", "0");

    libpq_ok(rc, "flush, and an error that undoes what was read before");
}


void
libpq_pipeline_cursor(PGconn *c)
{
    int        i, rc;
    char       n[16];
    PGresult  *res;

    rc = PQenterPipelineMode(c)
         && PQsendQueryParams(c, "BEGIN", 0, NULL, NULL, NULL, NULL, 0)
         && PQsendQueryParams(c, "DECLARE pipe CURSOR FOR SELECT id"
                                 " FROM drv_rows ORDER BY id",
                              0, NULL, NULL, NULL, NULL, 0);

    for (i = 0; rc && i < 20; i++) {
        rc = PQsendQueryParams(c, "FETCH 50 FROM pipe", 0, NULL, NULL, NULL,
                               NULL, 0);
    }

    rc = rc && PQsendQueryParams(c, "COMMIT", 0, NULL, NULL, NULL, NULL, 0)
         && PQpipelineSync(c)
         && libpq_value(libpq_next(c), PGRES_COMMAND_OK, NULL)
         && libpq_value(libpq_next(c), PGRES_COMMAND_OK, NULL);

    for (i = 0; rc && i < 20; i++) {
        sprintf(n, "%d", i * 50 + 1);
        res = libpq_next(c);
        rc = PQntuples(res) == 50;
        rc = libpq_value(res, PGRES_TUPLES_OK, n) && rc;
    }

    rc = rc && libpq_value(libpq_next(c), PGRES_COMMAND_OK, NULL);
    rc = libpq_end(c) && rc;

    libpq_ok(rc, "a cursor in a pipeline");
}


/* more than any buffer on the way holds, in both directions */

void
libpq_pipeline_large(PGconn *c)
{
    int          i, rc;
    char        *text;
    PGresult    *res;
    const char  *values[1];

    text = malloc(LIBPQ_MEGABYTE + 1);
    if (text == NULL) {
        exit(1);
    }

    text[LIBPQ_MEGABYTE] = '\0';
    values[0] = text;

    PQsetnonblocking(c, 1);
    rc = PQenterPipelineMode(c);

    for (i = 0; rc && i < 16; i++) {
        memset(text, 'a' + i, LIBPQ_MEGABYTE);
        rc = PQsendQueryParams(c, "SELECT $1::text", 1, NULL, values, NULL,
                               NULL, 0)
             && PQpipelineSync(c);
        libpq_flush(c);
    }

    for (i = 0; rc && i < 16; i++) {
        memset(text, 'a' + i, LIBPQ_MEGABYTE);

        res = libpq_next(c);
        rc = PQntuples(res) == 1
             && strcmp(PQgetvalue(res, 0, 0), text) == 0;
        PQclear(res);

        if (i < 15) {
            rc = rc && libpq_value(libpq_next(c), PGRES_PIPELINE_SYNC, NULL);
        }
    }

    rc = libpq_end(c) && rc;
    PQsetnonblocking(c, 0);

    free(text);

    libpq_ok(rc, "16 statements of 1 MB each, and as much in return");
}
