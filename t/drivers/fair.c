
/*
 * Copyright (C) Hyperdrive for nginx authors
 */

/*
 * fair CLIENTS ROUNDS: clients in a closed loop, each in a thread of its own,
 * that are told the number of a transaction each time they are served; the
 * database gives them one after the other.  Between two of its turns everybody
 * else has had one, if the queue is fair: so many numbers lie between them.
 * Tells the median of these gaps, their 99th percentile and the largest,
 * behind two rounds of warm-up; and the same of the time that a client has
 * waited, which is told and judged by nobody.
 */


#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <libpq-fe.h>


#define FAIR_WARM_UP  2


typedef struct {
    pthread_t   thread;
    long       *numbers;
    double     *waits;
    char        failed[256];
} fair_client_t;


static void *fair_run(void *data);
static double fair_now(void);
static int fair_compare_long(const void *a, const void *b);
static int fair_compare_double(const void *a, const void *b);


static int                fair_rounds;
static pthread_barrier_t  fair_barrier;


int
main(int argc, char **argv)
{
    int             i, k, n, clients, failed;
    long           *gaps;
    double         *waits;
    fair_client_t  *all;
    pthread_attr_t  attr;

    clients = argc > 1 ? atoi(argv[1]) : 100;
    fair_rounds = (argc > 2 ? atoi(argv[2]) : 5) + FAIR_WARM_UP;

    all = calloc(clients, sizeof(fair_client_t));
    gaps = calloc((size_t) clients * fair_rounds, sizeof(long));
    waits = calloc((size_t) clients * fair_rounds, sizeof(double));

    if (all == NULL || gaps == NULL || waits == NULL
        || pthread_barrier_init(&fair_barrier, NULL, clients) != 0
        || pthread_attr_init(&attr) != 0
        || pthread_attr_setstacksize(&attr, 128 * 1024) != 0)
    {
        return 2;
    }

    for (i = 0; i < clients; i++) {
        all[i].numbers = calloc(fair_rounds, sizeof(long));
        all[i].waits = calloc(fair_rounds, sizeof(double));

        if (pthread_create(&all[i].thread, &attr, fair_run, &all[i]) != 0) {
            return 2;
        }
    }

    failed = 0;
    n = 0;

    for (i = 0; i < clients; i++) {
        pthread_join(all[i].thread, NULL);

        if (all[i].failed[0]) {
            printf("client %d: %s\n", i, all[i].failed);
            failed++;
            continue;
        }

        for (k = FAIR_WARM_UP; k < fair_rounds; k++) {
            gaps[n] = all[i].numbers[k] - all[i].numbers[k - 1];
            waits[n++] = all[i].waits[k];
        }
    }

    if (failed || n == 0) {
        return 1;
    }

    qsort(gaps, n, sizeof(long), fair_compare_long);
    qsort(waits, n, sizeof(double), fair_compare_double);

    printf("turns %d median %ld p99 %ld max %ld\n", n, gaps[n / 2],
           gaps[n * 99 / 100], gaps[n - 1]);
    printf("waits median %.1f ms, p99 %.1f ms, %.2f of it, max %.1f ms\n",
           waits[n / 2] * 1000, waits[n * 99 / 100] * 1000,
           waits[n * 99 / 100] / waits[n / 2], waits[n - 1] * 1000);

    return 0;
}


static void *
fair_run(void *data)
{
    fair_client_t *c = data;

    int        k;
    double     start;
    PGconn    *conn;
    PGresult  *res;

    conn = PQconnectdb("");

    if (PQstatus(conn) != CONNECTION_OK) {
        snprintf(c->failed, sizeof(c->failed), "%s", PQerrorMessage(conn));
    }

    pthread_barrier_wait(&fair_barrier);

    for (k = 0; k < fair_rounds && !c->failed[0]; k++) {
        start = fair_now();

        res = PQexec(conn, "SELECT txid_current(), pg_sleep(0.001)");

        if (PQresultStatus(res) == PGRES_TUPLES_OK) {
            c->numbers[k] = atol(PQgetvalue(res, 0, 0));
            c->waits[k] = fair_now() - start;

        } else {
            snprintf(c->failed, sizeof(c->failed), "%s",
                     PQresultErrorMessage(res));
        }

        PQclear(res);
    }

    /* who leaves would make the queue shorter for the others */

    pthread_barrier_wait(&fair_barrier);

    PQfinish(conn);

    return NULL;
}


static double
fair_now(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return ts.tv_sec + ts.tv_nsec / 1e9;
}


static int
fair_compare_long(const void *a, const void *b)
{
    long  one, two;

    one = *(const long *) a;
    two = *(const long *) b;

    return (one > two) - (one < two);
}


static int
fair_compare_double(const void *a, const void *b)
{
    double  one, two;

    one = *(const double *) a;
    two = *(const double *) b;

    return (one > two) - (one < two);
}
