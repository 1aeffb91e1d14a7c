
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "libpq.h"


/* one name, two clients, two texts */

void
libpq_session_names(void)
{
    int          i, rc;
    char         a[16], b[16];
    PGconn      *one, *two;
    const char  *values[2];

    one = libpq_connect();
    two = libpq_connect();

    rc = libpq_value(PQprepare(one, "same",
                               "SELECT $1::text || ' of ' || $2::text", 0,
                               NULL),
                     PGRES_COMMAND_OK, NULL)
         && libpq_value(PQprepare(two, "same", "SELECT $1::int8 + 1", 0,
                                  NULL),
                        PGRES_COMMAND_OK, NULL);

    for (i = 0; rc && i < 50; i++) {
        sprintf(a, "%d", i);
        values[0] = a;
        values[1] = "one";

        sprintf(b, "%d of one", i);

        rc = libpq_value(PQexecPrepared(one, "same", 2, values, NULL, NULL,
                                        0),
                         PGRES_TUPLES_OK, b);

        sprintf(b, "%d", i + 1);

        rc = rc && libpq_value(PQexecPrepared(two, "same", 1, values, NULL,
                                              NULL, 0),
                               PGRES_TUPLES_OK, b);
    }

    libpq_ok(rc, "one name for two statements");

    rc = libpq_exec(two, "DEALLOCATE same", NULL)
         && libpq_fails(PQexecPrepared(two, "same", 1, values, NULL, NULL, 0),
                        "26000")
         && libpq_value(PQprepare(two, "same", "SELECT 'third'", 0, NULL),
                        PGRES_COMMAND_OK, NULL)
         && libpq_value(PQexecPrepared(two, "same", 0, NULL, NULL, NULL, 0),
                        PGRES_TUPLES_OK, "third")
         && libpq_value(PQexecPrepared(one, "same", 2, values, NULL, NULL, 0),
                        PGRES_TUPLES_OK, "49 of one");

    libpq_ok(rc, "DEALLOCATE in one client leaves the other's");

    PQfinish(one);
    PQfinish(two);
}


/*
 * Three clients with their transactions open in turns: each finds another
 * connection to the database whenever it begins.
 */

void
libpq_session_prepared(void)
{
    int          i, k, rc;
    char         v[3][16], id[16];
    PGconn      *c[3];
    PGresult    *res;
    const char  *values[2];

    rc = 1;

    for (k = 0; k < 3; k++) {
        c[k] = libpq_connect();

        rc = rc
             && libpq_value(PQprepare(c[k], "put",
                                      "INSERT INTO drv_items"
                                      " VALUES ('libpq-p', $1, $2)",
                                      0, NULL),
                            PGRES_COMMAND_OK, NULL)
             && libpq_value(PQprepare(c[k], "get",
                                      "SELECT v FROM drv_items"
                                      " WHERE who = 'libpq-p' AND id = $1",
                                      0, NULL),
                            PGRES_COMMAND_OK, NULL);
    }

    for (i = 0; rc && i < 60; i++) {

        /* one begins, and the one before it ends */

        k = i % 3;

        sprintf(id, "%d", i);
        sprintf(v[k], "v%d", i);

        values[0] = id;
        values[1] = v[k];

        rc = libpq_exec(c[k], "BEGIN", NULL)
             && libpq_value(PQexecPrepared(c[k], "put", 2, values, NULL, NULL,
                                           0),
                            PGRES_COMMAND_OK, NULL)
             && libpq_value(PQexecPrepared(c[k], "get", 1, values, NULL, NULL,
                                           0),
                            PGRES_TUPLES_OK, v[k]);

        if (i == 0) {
            continue;
        }

        k = (i - 1) % 3;

        rc = rc && libpq_exec(c[k], "COMMIT", NULL);

        k = (i + 1) % 3;

        sprintf(id, "%d", i - 1);

        res = PQexecPrepared(c[k], "get", 1, values, NULL, NULL, 0);
        rc = rc && libpq_value(res, PGRES_TUPLES_OK, v[(i - 1) % 3]);
    }

    rc = rc && libpq_exec(c[(i - 1) % 3], "COMMIT", NULL)
         && libpq_exec(c[0], "SELECT count(*) FROM drv_items"
                             " WHERE who = 'libpq-p'", "60");

    libpq_ok(rc, "prepared statements over 60 transactions of 3 clients");

    for (k = 0; k < 3; k++) {
        PQfinish(c[k]);
    }
}


/* clients that leave in the middle; nobody else may notice */

void
libpq_session_leave(void)
{
    int      i, rc;
    char     sql[64];
    PGconn  *c;

    rc = 1;

    for (i = 0; i < 30; i++) {
        c = libpq_connect();

        switch (i % 6) {

        case 0:  /* a transaction is open */
            PQclear(PQexec(c, "BEGIN"));
            PQclear(PQexec(c, "INSERT INTO drv_items"
                              " VALUES ('libpq-l', 1, 'x')"));
            break;

        case 1:  /* an answer is on its way */
            PQsendQuery(c, "SELECT g FROM generate_series(1, 100000) g");
            break;

        case 2:  /* a transaction has failed */
            PQclear(PQexec(c, "BEGIN"));
            PQclear(PQexec(c, "SELECT 1/0"));
            break;

        case 3:  /* no Sync was sent */
            PQenterPipelineMode(c);
            PQsendQueryParams(c, "INSERT INTO drv_items"
                                 " VALUES ('libpq-l', 2, 'x')",
                              0, NULL, NULL, NULL, NULL, 0);
            PQsendFlushRequest(c);
            PQflush(c);
            PQclear(PQgetResult(c));
            break;

        case 4:  /* syncs are unanswered */
            PQenterPipelineMode(c);
            PQsendQueryParams(c, "SELECT 'not yours'", 0, NULL, NULL, NULL,
                              NULL, 0);
            PQpipelineSync(c);
            PQsendQueryParams(c, "SELECT 'nor this'", 0, NULL, NULL, NULL,
                              NULL, 0);
            PQpipelineSync(c);
            PQflush(c);
            break;

        case 5:  /* COPY is under way */
            PQclear(PQexec(c, "COPY drv_items FROM STDIN"));
            PQputCopyData(c, "libpq-l\t3\tx\n", 12);
            PQflush(c);
            break;
        }

        PQfinish(c);

        c = libpq_connect();
        sprintf(sql, "%d", 7000 + i);

        rc = rc && PQsendQueryParams(c, "SELECT $1::text", 1, NULL,
                                     (const char *const []) { sql }, NULL,
                                     NULL, 0)
             && libpq_value(PQgetResult(c), PGRES_TUPLES_OK, sql)
             && PQgetResult(c) == NULL
             && PQtransactionStatus(c) == PQTRANS_IDLE;

        PQfinish(c);
    }

    c = libpq_connect();

    rc = rc && libpq_exec(c, "SELECT count(*) FROM drv_items"
                             " WHERE who = 'libpq-l'", "0");
    PQfinish(c);

    libpq_ok(rc, "clients that leave in the middle");
}


void
libpq_session_reconnect(void)
{
    int      i, rc;
    char     sql[32], n[16];
    PGconn  *c;

    rc = 1;

    for (i = 0; rc && i < 50; i++) {
        c = libpq_connect();

        sprintf(n, "%d", i);
        sprintf(sql, "SELECT %d", i);
        rc = libpq_exec(c, sql, n);

        PQfinish(c);
    }

    c = libpq_connect();

    for (i = 0; rc && i < 10; i++) {
        PQreset(c);
        rc = PQstatus(c) == CONNECTION_OK && libpq_exec(c, "SELECT 1", "1");
    }

    PQfinish(c);

    libpq_ok(rc, "60 connections one after the other");
}
