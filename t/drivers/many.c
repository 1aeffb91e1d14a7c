
/*
 * Copyright (C) Hyperdrive for nginx authors
 */

/*
 * many [clients [rounds [seed]]]: clients that ask at the same time, each
 * something else, by simple queries, the unnamed statement, named ones and
 * in transactions, and check every answer: none may be wrong, late by one,
 * somebody else's or lost.  One thread and one event loop on libpq.
 */


#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <libpq-fe.h>


#define MANY_STATEMENTS  4      /* named ones a client has */
#define MANY_SECONDS    150     /* for the whole run */


typedef enum {
    many_connecting = 0,
    many_idle,
    many_asking,            /* queries are out, answers are due */
    many_done
} many_state_e;


typedef enum {
    many_simple = 0,
    many_unnamed,
    many_prepare,
    many_named,
    many_sum,
    many_rows,
    many_table,
    many_error,
    many_begin,
    many_commit,
    many_kinds
} many_kind_e;


typedef struct {
    PGconn                     *conn;
    PostgresPollingStatusType   polling;
    many_state_e                state;
    many_kind_e                 kind;
    int                         id;
    int                         rounds;
    int                         block;      /* rounds left in transaction */
    int                         results;    /* of the query that is out */
    int                         statement;
    int                         prepared[MANY_STATEMENTS];
    char                        expected[64];
} many_client_t;


static int many_random(int n);
static int many_connect(many_client_t *c);
static int many_ask(many_client_t *c);
static int many_answers(many_client_t *c);
static int many_check(many_client_t *c, PGresult *res);
static int many_step(many_client_t *c);
static int many_lost(many_client_t *c, const char *what);


static unsigned  many_seed;
static long      many_asked;
static long      many_right;

static const char *const  many_names[many_kinds] = {
    "simple", "unnamed", "prepare", "named", "sum", "rows", "table", "error",
    "begin", "commit"
};


int
main(int argc, char **argv)
{
    int             i, k, n, clients, rounds, open, wrong, timeout;
    time_t          end;
    many_client_t  *c, *all;
    struct pollfd  *pfds;

    clients = argc > 1 ? atoi(argv[1]) : 200;
    rounds = argc > 2 ? atoi(argv[2]) : 50;
    many_seed = argc > 3 ? atoi(argv[3]) : 1;

    all = calloc(clients, sizeof(many_client_t));
    pfds = calloc(clients, sizeof(struct pollfd));

    if (all == NULL || pfds == NULL) {
        return 1;
    }

    setvbuf(stdout, NULL, _IOLBF, 0);

    wrong = 0;
    end = time(NULL) + MANY_SECONDS;

    for (i = 0; i < clients; i++) {
        all[i].id = i;
        all[i].rounds = rounds;

        if (!many_connect(&all[i])) {
            wrong++;
            all[i].state = many_done;
        }
    }

    for ( ;; ) {
        open = 0;

        for (i = 0; i < clients; i++) {
            c = &all[i];

            if (c->state == many_done) {
                pfds[i].fd = -1;
                continue;
            }

            open++;
            pfds[i].fd = PQsocket(c->conn);
            pfds[i].events = POLLIN;

            if ((c->state == many_connecting
                 && c->polling == PGRES_POLLING_WRITING)
                || (c->state == many_asking && PQflush(c->conn) == 1))
            {
                pfds[i].events |= POLLOUT;
            }
        }

        if (open == 0) {
            break;
        }

        timeout = end - time(NULL);

        n = timeout > 0 ? poll(pfds, clients, timeout * 1000) : 0;

        if (n < 0 && errno == EINTR) {
            continue;
        }

        if (n <= 0) {

            for (i = 0; i < clients; i++) {
                if (all[i].state != many_done) {
                    many_lost(&all[i], "no answer in time");
                    wrong++;
                }
            }

            break;
        }

        for (i = 0; i < clients; i++) {
            c = &all[i];

            if (pfds[i].fd < 0 || pfds[i].revents == 0) {
                continue;
            }

            if (!many_step(c)) {
                wrong++;
                c->state = many_done;
            }

            if (c->state == many_done && c->conn) {

                /* half of them leave without a word */

                k = c->id % 2 ? PQsocket(c->conn) : -1;

                if (k >= 0) {
                    shutdown(k, SHUT_RDWR);
                }

                PQfinish(c->conn);
                c->conn = NULL;
            }
        }
    }

    printf("# %ld asked, %ld right, %d clients failed\n", many_asked,
           many_right, wrong);
    printf("%s 1 - %d clients, %d rounds each\n",
           wrong == 0 ? "ok" : "not ok", clients, rounds);
    printf("%s 2 - no answer lost\n",
           many_asked == many_right ? "ok" : "not ok");
    printf("1..2\n");

    return wrong || many_asked != many_right;
}


static int
many_random(int n)
{
    many_seed = many_seed * 1103515245 + 12345;

    return (many_seed >> 8) % n;
}


static int
many_connect(many_client_t *c)
{
    c->state = many_connecting;
    c->polling = PGRES_POLLING_WRITING;
    c->conn = PQconnectStart("application_name=many");

    if (c->conn == NULL || PQstatus(c->conn) == CONNECTION_BAD) {
        return many_lost(c, "no connection");
    }

    return 1;
}


static int
many_lost(many_client_t *c, const char *what)
{
    printf("# client %d, %d rounds left, %s, last expected '%s': %s %s\n",
           c->id, c->rounds, many_names[c->kind], c->expected, what,
           c->conn ? PQerrorMessage(c->conn) : "");

    return 0;
}


/* the next thing that this client asks, and what must be the answer */

static int
many_ask(many_client_t *c)
{
    int          n, m, rc;
    char         sql[256], name[32], one[32], two[32];
    const char  *values[2];

    n = many_random(1000000);
    m = many_random(90) + 2;

    values[0] = one;
    values[1] = two;
    sprintf(one, "%d", n);
    sprintf(two, "%d", m);

    if (c->block == 1) {
        c->kind = many_commit;

    } else {
        do {
            c->kind = many_random(many_kinds);

        } while (c->kind == many_commit
                 || (c->block && (c->kind == many_begin
                                  || c->kind == many_error)));
    }

    c->results = 1;
    c->statement = many_random(MANY_STATEMENTS);
    sprintf(name, "s%d", c->statement);

    if ((c->kind == many_named || c->kind == many_prepare)) {
        c->kind = c->prepared[c->statement] ? many_named : many_prepare;
    }

    switch (c->kind) {

    case many_simple:
        sprintf(sql, "SELECT 'client %d: %d'", c->id, n);
        sprintf(c->expected, "client %d: %d", c->id, n);
        rc = PQsendQuery(c->conn, sql);
        break;

    case many_unnamed:
        sprintf(sql, "SELECT $1::int4 * 10 + $2::int4 + %d", c->id % 7);
        sprintf(c->expected, "%d", n * 10 + m + c->id % 7);
        rc = PQsendQueryParams(c->conn, sql, 2, NULL, values, NULL, NULL, 0);
        break;

    case many_prepare:

        /* the same names in all clients, the texts of three of four differ */

        if (c->statement == 0) {
            strcpy(sql, "SELECT $1::int4 - $2::int4");

        } else {
            sprintf(sql, "SELECT %d + $1::int4 * %d - $2::int4", c->id,
                    c->statement);
        }

        c->expected[0] = '\0';
        rc = PQsendPrepare(c->conn, name, sql, 0, NULL);
        break;

    case many_named:
        sprintf(c->expected, "%d", c->statement == 0 ? n - m
                                   : c->id + n * c->statement - m);
        rc = PQsendQueryPrepared(c->conn, name, 2, values, NULL, NULL, 0);
        break;

    case many_sum:
        sprintf(sql, "SELECT sum(g) FROM generate_series(%d, %d) g", c->id,
                c->id + m);
        sprintf(c->expected, "%d", (m + 1) * c->id + m * (m + 1) / 2);
        rc = PQsendQuery(c->conn, sql);
        break;

    case many_rows:
        sprintf(sql, "SELECT %d + g FROM generate_series(1, $1::int4) g"
                     " ORDER BY 1 DESC", c->id);
        sprintf(c->expected, "%d", c->id + m);
        values[0] = two;
        rc = PQsendQueryParams(c->conn, sql, 1, NULL, values, NULL, NULL, 0);
        break;

    case many_table:
        sprintf(c->expected, "%d", n % 10000 + 1);
        values[0] = c->expected;
        rc = PQsendQueryParams(c->conn,
                               "SELECT id, v FROM drv_rows WHERE id = $1", 1,
                               NULL, values, NULL, NULL, 0);
        break;

    case many_error:
        sprintf(sql, "SELECT 'client %d: %d'::int4", c->id, n);
        sprintf(c->expected, "client %d: %d", c->id, n);
        rc = PQsendQuery(c->conn, sql);
        break;

    case many_begin:
        c->block = many_random(4) + 2;
        strcpy(c->expected, "BEGIN");
        rc = PQsendQuery(c->conn, "BEGIN");
        break;

    default: /* many_commit */
        strcpy(c->expected, "COMMIT");
        rc = PQsendQuery(c->conn, "COMMIT");
        break;
    }

    if (!rc) {
        return many_lost(c, "not sent");
    }

    many_asked++;
    c->state = many_asking;

    return 1;
}


static int
many_check(many_client_t *c, PGresult *res)
{
    int          rc;
    const char  *got;

    switch (c->kind) {

    case many_prepare:
        c->prepared[c->statement] = 1;
        return PQresultStatus(res) == PGRES_COMMAND_OK;

    case many_begin:
    case many_commit:
        return PQresultStatus(res) == PGRES_COMMAND_OK
               && strcmp(PQcmdStatus(res), c->expected) == 0;

    case many_error:
        got = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
        return got && strstr(got, c->expected)
               && strcmp(PQresultErrorField(res, PG_DIAG_SQLSTATE), "22P02")
                  == 0;

    default:
        rc = PQresultStatus(res) == PGRES_TUPLES_OK && PQntuples(res) > 0
             && strcmp(PQgetvalue(res, 0, 0), c->expected) == 0;

        if (c->kind == many_rows) {
            return rc && PQntuples(res) == atoi(c->expected) - c->id;
        }

        return rc && PQntuples(res) == 1;
    }
}


/* all that can be read now */

static int
many_answers(many_client_t *c)
{
    PGresult  *res;

    while (!PQisBusy(c->conn)) {

        res = PQgetResult(c->conn);

        if (res == NULL) {

            if (c->results) {
                return many_lost(c, "no result");
            }

            if (PQtransactionStatus(c->conn)
                != (c->block > 1 || (c->block && c->kind != many_commit)
                    ? PQTRANS_INTRANS : PQTRANS_IDLE))
            {
                return many_lost(c, "wrong transaction status");
            }

            if (c->block) {
                c->block--;
            }

            many_right++;
            c->rounds--;
            c->state = many_idle;

            return 1;
        }

        if (c->results-- == 0 || !many_check(c, res)) {
            printf("# client %d got '%s' '%s' %s\n", c->id,
                   PQntuples(res) && PQnfields(res) ? PQgetvalue(res, 0, 0)
                                                    : "",
                   PQcmdStatus(res), PQresultErrorMessage(res));
            PQclear(res);
            return many_lost(c, "wrong answer");
        }

        PQclear(res);
    }

    return 1;
}


static int
many_step(many_client_t *c)
{
    if (c->state == many_connecting) {
        c->polling = PQconnectPoll(c->conn);

        if (c->polling == PGRES_POLLING_FAILED) {
            return many_lost(c, "no connection");
        }

        if (c->polling != PGRES_POLLING_OK) {
            return 1;
        }

        PQsetnonblocking(c->conn, 1);
        c->state = many_idle;

    } else {

        if (!PQconsumeInput(c->conn)) {
            return many_lost(c, "connection lost");
        }

        if (!many_answers(c)) {
            return 0;
        }
    }

    if (c->state == many_idle) {

        /* a transaction that is open is ended first */

        if (c->rounds <= 0 && c->block == 0) {
            c->state = many_done;
            return 1;
        }

        return many_ask(c);
    }

    return 1;
}
