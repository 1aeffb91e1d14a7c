
/*
 * Copyright (C) Hyperdrive for nginx authors
 */

/*
 * moving CLIENTS SECONDS AGE FIRST: clients that work without a pause while
 * nginx is reloaded, each in a thread of its own, on libpq.  Each counts for
 * itself in the database and knows what must be there: no transaction may
 * fail, be lost or happen twice.  AGE 0: no connection may end.  Else one may
 * end if it is so many milliseconds old; then it is made anew.  It is counted
 * as "told" if it ends by 57P01 outside of transactions, else as "cut".  Table
 * moving_counts (id, n) has a row for each client, from FIRST + 1 on; the sum
 * of what they count on is told as "transactions".  SIGINT ends it before its
 * time, in an orderly way.
 */


#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <libpq-fe.h>


typedef struct {
    pthread_t   thread;
    PGconn     *conn;
    int         id;
    unsigned    seed;
    long        n;          /* acknowledged increments */
    double      since;      /* the connection */
    int         block;      /* a transaction is open */
    long        asked;
    long        told;       /* that it has to connect again */
    long        cut;        /* ...in a transaction, or without a word */
    int         unsure;     /* whether the last increment has happened */
    char        failed[512];
} moving_client_t;


static void moving_interrupt(int sig);
static void *moving_run(void *data);
static int moving_connect(moving_client_t *c);
static int moving_recount(moving_client_t *c);
static int moving_turn(moving_client_t *c);
static int moving_transaction(moving_client_t *c);
static int moving_ask(moving_client_t *c, const char *name, const char *sql,
    long arg, const char *expected);
static int moving_fail(moving_client_t *c, const char *format, ...);
static double moving_now(void);
static int moving_random(moving_client_t *c, int n);


static double      moving_end;
static double      moving_age;
static const char  moving_done[] = "";

static volatile sig_atomic_t  moving_over;


int
main(int argc, char **argv)
{
    int               i, clients, failed;
    long              asked, transactions, told, cut;
    moving_client_t  *all;

    clients = argc > 1 ? atoi(argv[1]) : 100;
    moving_end = moving_now() + (argc > 2 ? atof(argv[2]) : 10);
    moving_age = argc > 3 ? atof(argv[3]) / 1000 : 0;

    signal(SIGINT, moving_interrupt);

    all = calloc(clients, sizeof(moving_client_t));

    if (all == NULL) {
        return 2;
    }

    for (i = 0; i < clients; i++) {
        all[i].id = i + 1 + (argc > 4 ? atoi(argv[4]) : 0);
        all[i].seed = i + 1;

        if (pthread_create(&all[i].thread, NULL, moving_run, &all[i]) != 0) {
            return 2;
        }
    }

    failed = 0;
    asked = 0;
    transactions = 0;
    told = 0;
    cut = 0;

    for (i = 0; i < clients; i++) {
        pthread_join(all[i].thread, NULL);

        asked += all[i].asked;
        transactions += all[i].n;
        told += all[i].told;
        cut += all[i].cut;

        if (all[i].failed[0]) {
            failed++;
            printf("client %d, %ld asked: %s\n", all[i].id, all[i].asked,
                   all[i].failed);
        }
    }

    printf("asked %ld transactions %ld told %ld cut %ld failed %d\n", asked,
           transactions, told, cut, failed);

    free(all);

    return failed != 0;
}


static void
moving_interrupt(int sig)
{
    moving_over = sig;
}


static void *
moving_run(void *data)
{
    moving_client_t *c = data;

    char  expected[32];

    if (!moving_connect(c)) {
        return NULL;
    }

    while (moving_now() < moving_end && !moving_over) {

        if (moving_turn(c)) {
            continue;
        }

        if (c->failed[0]) {
            break;
        }

        PQfinish(c->conn);

        if (!moving_connect(c) || !moving_recount(c)) {
            break;
        }
    }

    if (!c->failed[0]) {
        sprintf(expected, "%ld", c->n);

        (void) moving_ask(c, NULL, "SELECT n FROM moving_counts "
                          "WHERE id = $1 FOR SHARE", c->id, expected);
    }

    PQfinish(c->conn);

    return NULL;
}


static int
moving_connect(moving_client_t *c)
{
    int        i;
    PGresult  *res;

    static const char *const  statements[][2] = {
        { "inc", "UPDATE moving_counts SET n = n + 1 WHERE id = $1 "
                 "RETURNING n" },
        { "get", "SELECT n FROM moving_counts WHERE id = $1" },
        { "thing", "SELECT v FROM moving_things WHERE id = $1" }
    };

    c->since = moving_now();
    c->block = 0;
    c->conn = PQconnectdb("");

    if (PQstatus(c->conn) != CONNECTION_OK) {
        return moving_fail(c, "no connection: %s", PQerrorMessage(c->conn));
    }

    for (i = 0; i < 3; i++) {
        res = PQprepare(c->conn, statements[i][0], statements[i][1], 0, NULL);

        if (PQresultStatus(res) != PGRES_COMMAND_OK) {
            moving_fail(c, "prepare: %s", PQresultErrorMessage(res));
            PQclear(res);
            return 0;
        }

        PQclear(res);
    }

    return 1;
}


/* behind the end of a connection: what was asked for last may have happened */

static int
moving_recount(moving_client_t *c)
{
    long       n;
    char       sql[96];
    PGresult  *res;

    sprintf(sql, "SELECT n FROM moving_counts WHERE id = %d FOR SHARE", c->id);

    res = PQexec(c->conn, sql);
    n = PQntuples(res) == 1 ? atol(PQgetvalue(res, 0, 0)) : -1;
    PQclear(res);

    if (n != c->n && !(c->unsure && n == c->n + 1)) {
        return moving_fail(c, "counts %ld, expected %ld", n, c->n);
    }

    c->n = n;
    c->unsure = 0;

    return 1;
}


/* 1: as it should be; 0: c->failed, or it has to connect again */

static int
moving_turn(moving_client_t *c)
{
    int              n;
    char             expected[32], sql[64];
    struct timespec  ts;

    switch (moving_random(c, 6)) {

    case 0:
        return moving_transaction(c);

    case 1:
        sprintf(expected, "%ld", c->n + 1);

        if (!moving_ask(c, "inc", NULL, c->id, expected)) {
            return 0;
        }

        c->n++;
        return 1;

    case 2:
        sprintf(expected, "%ld", c->n);
        return moving_ask(c, "get", NULL, c->id, expected);

    case 3:
        n = moving_random(c, 10) + 1;
        sprintf(expected, "thing %d", n);
        return moving_ask(c, "thing", NULL, n, expected);

    case 4:
        n = moving_random(c, 1000000);
        sprintf(sql, "SELECT %d + $1::int4", n);
        sprintf(expected, "%d", n + c->id);
        return moving_ask(c, NULL, sql, c->id, expected);

    default:
        ts.tv_sec = 0;
        ts.tv_nsec = moving_random(c, 20) * 1000000;
        nanosleep(&ts, NULL);
        return 1;
    }
}


/* of 1 to 50 milliseconds */

static int
moving_transaction(moving_client_t *c)
{
    char  expected[32], sql[64];

    if (!moving_ask(c, NULL, "BEGIN", -1, moving_done)) {
        return 0;
    }

    c->block = 1;

    sprintf(expected, "%ld", c->n);

    if (!moving_ask(c, "get", NULL, c->id, expected)) {
        return 0;
    }

    sprintf(sql, "SELECT pg_sleep(0.0%02d)", moving_random(c, 50) + 1);

    if (!moving_ask(c, NULL, sql, -1, moving_done)) {
        return 0;
    }

    sprintf(expected, "%ld", c->n + 1);

    if (!moving_ask(c, "inc", NULL, c->id, expected)
        || !moving_ask(c, NULL, "COMMIT", -1, moving_done))
    {
        return 0;
    }

    c->block = 0;
    c->n++;

    return 1;
}


static int
moving_ask(moving_client_t *c, const char *name, const char *sql, long arg,
    const char *expected)
{
    int          good, sent;
    char         value[32];
    PGresult    *res, *more;
    const char  *values[1], *state;

    sprintf(value, "%ld", arg);
    values[0] = value;

    if (name) {
        sent = PQsendQueryPrepared(c->conn, name, 1, values, NULL, NULL, 0);

    } else if (arg != -1) {
        sent = PQsendQueryParams(c->conn, sql, 1, NULL, values, NULL, NULL, 0);

    } else {
        sent = PQsendQuery(c->conn, sql);
    }

    if (!sent && PQstatus(c->conn) != CONNECTION_BAD) {
        return moving_fail(c, "%s is not sent: %s", name ? name : sql,
                           PQerrorMessage(c->conn));
    }

    /* the first result counts: libpq adds one of its own behind a FATAL */

    res = PQgetResult(c->conn);

    while ((more = PQgetResult(c->conn)) != NULL) {
        PQclear(more);
    }

    c->asked++;

    if (expected == moving_done) {
        good = (PQresultStatus(res) == PGRES_COMMAND_OK
                || PQresultStatus(res) == PGRES_TUPLES_OK);

    } else {
        good = (PQresultStatus(res) == PGRES_TUPLES_OK && PQntuples(res) == 1
                && strcmp(PQgetvalue(res, 0, 0), expected) == 0);
    }

    if (good) {
        PQclear(res);
        return 1;
    }

    state = PQresultErrorField(res, PG_DIAG_SQLSTATE);

    if (moving_age && moving_now() - c->since >= moving_age
        && PQstatus(c->conn) == CONNECTION_BAD)
    {
        if (state && strcmp(state, "57P01") == 0 && !c->block) {
            c->told++;

        } else {
            c->cut++;
            c->unsure = 1;

            printf("client %d is cut%s, connected %.3f s ago, %s: %s\n",
                   c->id, c->block ? " in a transaction" : "",
                   moving_now() - c->since, state ? state : "no state",
                   PQresultErrorMessage(res));
        }

    } else {
        moving_fail(c, "%s%s, expected '%s', got '%s', connected %.3f s ago, "
                    "%s: %s", name ? name : sql,
                    c->block ? " in a transaction" : "", expected,
                    PQntuples(res) ? PQgetvalue(res, 0, 0) : "",
                    moving_now() - c->since, state ? state : "no state",
                    PQresultErrorMessage(res));
    }

    PQclear(res);

    return 0;
}


static int
moving_fail(moving_client_t *c, const char *format, ...)
{
    va_list  args;

    va_start(args, format);
    vsnprintf(c->failed, sizeof(c->failed), format, args);
    va_end(args);

    return 0;
}


static double
moving_now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return ts.tv_sec + ts.tv_nsec / 1e9;
}


static int
moving_random(moving_client_t *c, int n)
{
    return rand_r(&c->seed) % n;
}
