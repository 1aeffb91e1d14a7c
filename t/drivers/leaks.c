
/*
 * Copyright (C) Hyperdrive for nginx authors
 */

/*
 * leaks [clients [transactions [holders [seed]]]]: clients each of which has
 * settings, a role and prepared statements of its own all the time (the same
 * names for different texts), and of which <holders> at once take turns with
 * temporary tables, advisory locks, listens, cursors and SQL's PREPARE.  After
 * whatever it did, and whatever the others did meanwhile, each must find
 * exactly what it has left, and nothing else.  One thread and one event loop
 * on libpq; expects leaks.sql.
 */


#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <libpq-fe.h>


#define LEAKS_SECONDS    1200
#define LEAKS_SETTINGS   7
#define LEAKS_NAMES      3
#define LEAKS_OPS        8
#define LEAKS_TEXT       512

#define LEAKS_STATE                                                           \
    "SELECT current_setting('work_mem'), current_setting('search_path'), "    \
    "current_setting('TimeZone'), current_setting('DateStyle'), "             \
    "current_setting('statement_timeout'), "                                  \
    "current_setting('application_name'), "                                   \
    "coalesce(current_setting('app.tenant', true), ''), "                     \
    "current_user, session_user"

#define LEAKS_REST                                                            \
    "SELECT (SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' "      \
    "AND pid = pg_backend_pid()), "                                           \
    "(SELECT count(*) FROM pg_listening_channels()), "                        \
    "(SELECT count(*) FROM pg_class WHERE relpersistence = 't' "              \
    "AND relnamespace = pg_my_temp_schema()), "                               \
    "(SELECT count(*) FROM pg_cursors WHERE is_holdable)"


typedef enum {
    op_simple = 0,
    op_params,              /* the unnamed statement */
    op_prepare,             /* <name> becomes <sql> */
    op_named                /* <name> with <sql> as its parameter */
} leaks_op_e;


typedef struct {
    leaks_op_e   type;
    char         name[8];
    char         sql[LEAKS_TEXT];
    char         expected[LEAKS_TEXT];    /* first row, or an SQLSTATE */
    int          checked;
} leaks_op_t;


typedef enum {
    hold_nothing = 0,
    hold_table,
    hold_lock,
    hold_listen,
    hold_cursor,
    hold_prepare,
    hold_kinds
} leaks_hold_e;


/* what a client has set; an empty value: as it was at log-in */

typedef struct {
    char         set[LEAKS_SETTINGS][64];
    char         role[16];
} leaks_state_t;


typedef struct {
    PGconn                     *conn;
    PostgresPollingStatusType   polling;
    int                         id;
    int                         ready;
    int                         failed;
    int                         greeted;      /* its defaults are known */

    leaks_op_t                  ops[LEAKS_OPS];
    int                         nops;
    int                         op;
    int                         refused;      /* 53300: the rest is left out */

    leaks_state_t               now;
    leaks_state_t               next;         /* when the step has ended */
    leaks_state_t               start;
    int                         names[LEAKS_NAMES];   /* what they stand for */
    int                         next_names[LEAKS_NAMES];

    leaks_hold_e                hold;
    leaks_hold_e                next_hold;
    int                         uses;         /* left until it is dropped */
    int                         fetched;
    int                         notified;     /* notifications due */
    int                         number;
} leaks_client_t;


static const char *const  leaks_settings[LEAKS_SETTINGS] = {
    "work_mem", "search_path", "TimeZone", "DateStyle", "statement_timeout",
    "application_name", "app.tenant"
};

static int       leaks_max_holders, leaks_holders;
static long      leaks_done, leaks_wanted, leaks_refused, leaks_checks;
static long      leaks_held[hold_kinds];
static unsigned  leaks_seed;


static int
leaks_random(int n)
{
    leaks_seed = leaks_seed * 1103515245 + 12345;
    return (leaks_seed >> 16) % n;
}


static int
leaks_wrong(leaks_client_t *c, const char *format, ...)
{
    va_list  args;

    printf("not ok - client %d: ", c->id);

    va_start(args, format);
    vprintf(format, args);
    va_end(args);

    printf("\n");

    c->failed = 1;

    return 0;
}


/* a further part of the step; <expected> NULL: whatever it says */

static void
leaks_add(leaks_client_t *c, leaks_op_e type, const char *name,
    const char *expected, const char *format, ...)
{
    va_list      args;
    leaks_op_t  *op;

    op = &c->ops[c->nops++];

    op->type = type;
    op->checked = (expected != NULL);

    snprintf(op->name, sizeof(op->name), "%s", name);
    snprintf(op->expected, sizeof(op->expected), "%s",
             expected ? expected : "");

    va_start(args, format);
    vsnprintf(op->sql, sizeof(op->sql), format, args);
    va_end(args);
}


static void
leaks_value(leaks_client_t *c, int i, char *value, size_t size)
{
    static const char *const  zones[] = {
        "UTC", "Asia/Tokyo", "Europe/Berlin", "America/New_York"
    };
    static const char *const  styles[] = {
        "ISO, MDY", "ISO, DMY", "German, DMY", "SQL, MDY"
    };

    switch (i) {

    case 0:
        snprintf(value, size, "%dkB", 100 + c->id * 7 + leaks_random(7));
        break;

    case 1:
        snprintf(value, size, "s%d", leaks_random(5));
        break;

    case 2:
        snprintf(value, size, "%s", zones[leaks_random(4)]);
        break;

    case 3:
        snprintf(value, size, "%s", styles[leaks_random(4)]);
        break;

    case 4:
        snprintf(value, size, "%dms", 600001 + c->id * 10 + leaks_random(9));
        break;

    case 5:
        snprintf(value, size, "leaks %d.%d", c->id, leaks_random(10));
        break;

    default:
        snprintf(value, size, "tenant %d.%d", c->id, leaks_random(1000));
        break;
    }
}


/* the schema that an unqualified name is found in */

static void
leaks_schema(leaks_state_t *state, char *schema, size_t size)
{
    snprintf(schema, size, "%s", state->set[1][0] == 's' ? state->set[1]
                                                         : "public");
}


static void
leaks_check_state(leaks_client_t *c, leaks_state_t *state)
{
    char  expected[LEAKS_TEXT];

    snprintf(expected, sizeof(expected), "%s|%s|%s|%s|%s|%s|%s|%s|app",
             state->set[0], state->set[1], state->set[2], state->set[3],
             state->set[4], state->set[5], state->set[6],
             state->role[0] ? state->role : "app");

    leaks_add(c, leaks_random(2) ? op_simple : op_params, "", expected,
              LEAKS_STATE);
}


static void
leaks_check_rest(leaks_client_t *c)
{
    char  expected[64];

    snprintf(expected, sizeof(expected), "%d|%d|%d|%d",
             c->hold == hold_lock, c->hold == hold_listen,
             c->hold == hold_table, c->hold == hold_cursor);

    leaks_add(c, op_simple, "", expected, LEAKS_REST);
}


static void
leaks_check_table(leaks_client_t *c, leaks_state_t *state)
{
    char  schema[64];

    leaks_schema(state, schema, sizeof(schema));

    leaks_add(c, leaks_random(2) ? op_simple : op_params, "", schema,
              "SELECT name FROM whoami");
}


static void
leaks_step_set(leaks_client_t *c)
{
    int   i, way;
    char  value[64];

    i = leaks_random(LEAKS_SETTINGS);
    way = leaks_random(8);

    leaks_value(c, i, value, sizeof(value));

    switch (way) {

    case 0:
    case 1:
        leaks_add(c, way ? op_simple : op_params, "", NULL, "SET %s = '%s'",
                  leaks_settings[i], value);
        snprintf(c->next.set[i], sizeof(value), "%s", value);
        break;

    case 2:
        leaks_add(c, leaks_random(2) ? op_simple : op_params, "", value,
                  "SELECT set_config('%s', '%s', false)", leaks_settings[i],
                  value);
        snprintf(c->next.set[i], sizeof(value), "%s", value);
        break;

    case 3:
        leaks_add(c, op_simple, "", NULL, "RESET %s", leaks_settings[i]);
        snprintf(c->next.set[i], sizeof(value), "%s", c->start.set[i]);
        break;

    case 4:
        /* rolled back with its transaction */
        leaks_add(c, op_simple, "", NULL, "BEGIN");
        leaks_add(c, op_simple, "", NULL, "SET %s = '%s'", leaks_settings[i],
                  value);
        snprintf(c->next.set[i], sizeof(value), "%s", value);
        leaks_check_state(c, &c->next);
        leaks_add(c, op_simple, "", NULL, "ROLLBACK");
        c->next = c->now;
        break;

    case 5:
        /* for the transaction only */
        leaks_add(c, op_simple, "", NULL, "BEGIN");
        leaks_add(c, op_simple, "", NULL, "SET LOCAL %s = '%s'",
                  leaks_settings[i], value);
        snprintf(c->next.set[i], sizeof(value), "%s", value);
        leaks_check_state(c, &c->next);
        leaks_check_table(c, &c->next);
        leaks_add(c, op_simple, "", NULL, "COMMIT");
        c->next = c->now;
        break;

    case 6:
        leaks_add(c, op_simple, "", NULL, "BEGIN");
        leaks_add(c, op_params, "", NULL, "SET %s = '%s'", leaks_settings[i],
                  value);
        leaks_add(c, op_simple, "", NULL, "COMMIT");
        snprintf(c->next.set[i], sizeof(value), "%s", value);
        break;

    default:
        /* in a transaction that fails */
        leaks_add(c, op_simple, "", NULL, "BEGIN");
        leaks_add(c, op_simple, "", NULL, "SET %s = '%s'", leaks_settings[i],
                  value);
        leaks_add(c, op_simple, "", "22012", "SELECT 1 / 0");
        leaks_add(c, op_simple, "", NULL, "COMMIT");
        break;
    }

    leaks_check_state(c, &c->next);
}


static void
leaks_step_role(leaks_client_t *c)
{
    if (leaks_random(4) == 0) {
        leaks_add(c, op_simple, "", NULL, "RESET ROLE");
        c->next.role[0] = '\0';

    } else {
        snprintf(c->next.role, sizeof(c->next.role), "role%d",
                 leaks_random(5));
        leaks_add(c, op_simple, "", NULL, "SET ROLE %s", c->next.role);
    }

    leaks_check_state(c, &c->next);
}


static void
leaks_step_name(leaks_client_t *c)
{
    int   i, n;
    char  name[8], expected[64];

    i = leaks_random(LEAKS_NAMES);
    snprintf(name, sizeof(name), "p%d", i);

    if (c->names[i] == 0 || leaks_random(10) == 0) {

        /* the same names for different texts */

        if (c->names[i]) {
            leaks_add(c, op_simple, "", NULL, "DEALLOCATE %s", name);
        }

        c->next_names[i] = c->id * 1000 + leaks_random(1000) + 1;

        leaks_add(c, op_prepare, name, NULL, "SELECT %d + $1::int, '%d', "
                  "name FROM whoami", c->next_names[i], c->id);
    }

    n = leaks_random(1000);

    leaks_schema(&c->next, expected + 32, 32);
    snprintf(expected, 32, "%d|%d|", c->next_names[i] + n, c->id);
    memmove(expected + strlen(expected), expected + 32,
            strlen(expected + 32) + 1);

    leaks_add(c, op_named, name, expected, "%d", n);
}


static void
leaks_step_all(leaks_client_t *c)
{
    if (c->hold == hold_nothing && leaks_random(2)) {
        leaks_add(c, op_simple, "", NULL, "DISCARD ALL");
        memset(c->next_names, 0, sizeof(c->next_names));
        c->next.role[0] = '\0';

    } else {
        leaks_add(c, op_simple, "", NULL, "RESET ALL");
    }

    memcpy(c->next.set, c->start.set, sizeof(c->next.set));

    leaks_check_state(c, &c->next);
}


/* takes what ties it to one connection */

static void
leaks_step_take(leaks_client_t *c)
{
    c->next_hold = 1 + leaks_random(hold_kinds - 1);
    c->uses = 1 + leaks_random(3);
    c->fetched = 0;
    c->number++;

    leaks_holders++;

    switch (c->next_hold) {

    case hold_table:
        leaks_add(c, op_simple, "", NULL,
                  "CREATE TEMPORARY TABLE mine AS SELECT %d AS v",
                  c->id * 1000 + c->number);
        break;

    case hold_lock:
        leaks_add(c, leaks_random(2) ? op_simple : op_params, "", NULL,
                  "SELECT pg_advisory_lock(%d)", c->id);
        break;

    case hold_listen:
        leaks_add(c, op_simple, "", NULL, "LISTEN channel%d", c->id);
        break;

    case hold_cursor:
        leaks_add(c, op_simple, "", NULL, "DECLARE mine CURSOR WITH HOLD FOR "
                  "SELECT %d + g FROM generate_series(1, 100) g",
                  c->id * 1000);
        break;

    default: /* hold_prepare */
        leaks_add(c, op_simple, "", NULL, "PREPARE mine AS SELECT %d",
                  c->id * 1000 + c->number);
        break;
    }
}


static void
leaks_step_use(leaks_client_t *c)
{
    char  expected[64];

    snprintf(expected, sizeof(expected), "%d", c->id * 1000 + c->number);

    switch (c->hold) {

    case hold_table:
        leaks_add(c, op_simple, "", expected, "SELECT v FROM mine");
        break;

    case hold_listen:
        leaks_add(c, op_simple, "", NULL, "NOTIFY channel%d, '%d'", c->id,
                  c->number);
        c->notified++;
        break;

    case hold_cursor:
        snprintf(expected, sizeof(expected), "%d",
                 c->id * 1000 + ++c->fetched);
        leaks_add(c, op_simple, "", expected, "FETCH mine");
        break;

    case hold_prepare:
        leaks_add(c, op_simple, "", expected, "EXECUTE mine");
        break;

    default: /* hold_lock */
        break;
    }

    leaks_check_rest(c);
    c->uses--;
}


static void
leaks_step_drop(leaks_client_t *c)
{
    switch (c->hold) {

    case hold_table:
        leaks_add(c, op_simple, "", NULL, "DROP TABLE mine");
        break;

    case hold_lock:
        leaks_add(c, op_simple, "", "t", "SELECT pg_advisory_unlock(%d)",
                  c->id);
        break;

    case hold_listen:
        leaks_add(c, op_simple, "", NULL, "UNLISTEN channel%d", c->id);
        break;

    case hold_cursor:
        leaks_add(c, op_simple, "", NULL, "CLOSE mine");
        break;

    default: /* hold_prepare */
        leaks_add(c, op_simple, "", NULL, "DEALLOCATE mine");
        break;
    }

    leaks_held[c->hold]++;
    c->next_hold = hold_nothing;
}


static int
leaks_send(leaks_client_t *c)
{
    int          rc;
    leaks_op_t  *op;
    const char  *values[1];

    op = &c->ops[c->op];

    switch (op->type) {

    case op_simple:
        rc = PQsendQuery(c->conn, op->sql);
        break;

    case op_params:
        rc = PQsendQueryParams(c->conn, op->sql, 0, NULL, NULL, NULL, NULL,
                               0);
        break;

    case op_prepare:
        rc = PQsendPrepare(c->conn, op->name, op->sql, 0, NULL);
        break;

    default: /* op_named */
        values[0] = op->sql;
        rc = PQsendQueryPrepared(c->conn, op->name, 1, values, NULL, NULL, 0);
        break;
    }

    return rc ? 1 : leaks_wrong(c, "%s", PQerrorMessage(c->conn));
}


static int
leaks_step(leaks_client_t *c)
{
    c->nops = 0;
    c->op = 0;
    c->refused = 0;
    c->next = c->now;
    c->next_hold = c->hold;
    memcpy(c->next_names, c->names, sizeof(c->names));

    if (!c->greeted) {
        leaks_add(c, op_simple, "", NULL, LEAKS_STATE);

    } else if (c->hold != hold_nothing && c->uses == 0) {
        leaks_step_drop(c);

    } else if (c->hold != hold_nothing && leaks_random(3)) {
        leaks_step_use(c);

    } else {

        switch (leaks_random(12)) {

        case 0:
        case 1:
            leaks_step_set(c);
            break;

        case 2:
            if (c->hold != hold_table) {
                /* a temporary table is its owner's */
                leaks_step_role(c);
                break;
            }

            /* fall through */

        case 3:
        case 4:
        case 5:
            leaks_step_name(c);
            break;

        case 6:
            leaks_check_rest(c);
            break;

        case 7:
            if (leaks_random(4) == 0) {
                leaks_step_all(c);
                break;
            }

            /* fall through */

        case 8:
            if (c->hold == hold_nothing && leaks_holders < leaks_max_holders) {
                leaks_step_take(c);
                break;
            }

            /* fall through */

        case 9:
            leaks_check_table(c, &c->now);
            break;

        case 10:
            leaks_add(c, op_simple, "", "22012", "SELECT 1 / 0");
            break;

        default:
            leaks_check_state(c, &c->now);
            break;
        }
    }

    return leaks_send(c);
}


/* the first row, or the SQLSTATE */

static void
leaks_row(PGresult *res, char *row, size_t size)
{
    int     i;
    size_t  len;

    row[0] = '\0';

    if (PQresultStatus(res) == PGRES_FATAL_ERROR) {
        snprintf(row, size, "%s", PQresultErrorField(res, PG_DIAG_SQLSTATE)
                               ? PQresultErrorField(res, PG_DIAG_SQLSTATE)
                               : "no SQLSTATE");
        return;
    }

    if (PQntuples(res) == 0) {
        return;
    }

    for (i = 0; i < PQnfields(res); i++) {
        len = strlen(row);
        snprintf(row + len, size - len, "%s%s", i ? "|" : "",
                 PQgetvalue(res, 0, i));
    }
}


static int
leaks_check(leaks_client_t *c, PGresult *res)
{
    int          i;
    char         row[LEAKS_TEXT];
    leaks_op_t  *op;

    op = &c->ops[c->op];

    leaks_row(res, row, sizeof(row));

    if (strcmp(row, "53300") == 0 && c->op == 0) {

        /* it did not get its turn: nothing has happened */

        leaks_refused++;
        c->refused = 1;

        return 1;
    }

    if (!c->greeted) {

        for (i = 0; i < LEAKS_SETTINGS; i++) {
            snprintf(c->start.set[i], sizeof(c->start.set[i]), "%s",
                     PQgetvalue(res, 0, i));
        }

        c->next = c->start;
        return 1;
    }

    if (!op->checked) {

        if (PQresultStatus(res) == PGRES_FATAL_ERROR) {
            return leaks_wrong(c, "%s says %s", op->sql,
                               PQresultErrorMessage(res));
        }

        return 1;
    }

    leaks_checks++;

    /* RESET ALL cannot make a dotted name unknown again */

    if (strcmp(row, op->expected) != 0) {
        return leaks_wrong(c, "%s %s gives \"%s\", not \"%s\"%s%s", op->name,
                           op->sql, row, op->expected,
                           PQresultStatus(res) == PGRES_FATAL_ERROR ? ": "
                                                                    : "",
                           PQresultErrorMessage(res));
    }

    return 1;
}


static int
leaks_notifies(leaks_client_t *c)
{
    char       name[32];
    PGnotify  *n;

    snprintf(name, sizeof(name), "channel%d", c->id);

    while ((n = PQnotifies(c->conn)) != NULL) {

        if (c->notified == 0 || strcmp(n->relname, name) != 0
            || atoi(n->extra) != c->number)
        {
            leaks_wrong(c, "a notification of %s: %s", n->relname, n->extra);
            PQfreemem(n);
            return 0;
        }

        c->notified--;
        PQfreemem(n);
    }

    return 1;
}


static int
leaks_end(leaks_client_t *c)
{
    if (c->refused) {

        if (c->hold == hold_nothing && c->next_hold != hold_nothing) {
            leaks_holders--;
        }

        if (c->hold == hold_listen) {
            return leaks_wrong(c, "its own connection was refused");
        }

        return 1;
    }

    if (c->notified) {
        return leaks_wrong(c, "a notification did not come");
    }

    if (c->hold != hold_nothing && c->next_hold == hold_nothing) {
        leaks_holders--;
    }

    c->greeted = 1;
    c->now = c->next;
    c->hold = c->next_hold;
    memcpy(c->names, c->next_names, sizeof(c->names));

    leaks_done++;

    return 1;
}


static int
leaks_answers(leaks_client_t *c)
{
    PGresult  *res;

    if (!PQconsumeInput(c->conn)) {
        return leaks_wrong(c, "behind %s: %s",
                           c->nops ? c->ops[c->op].sql : "nothing",
                           PQerrorMessage(c->conn));
    }

    while (!PQisBusy(c->conn)) {

        res = PQgetResult(c->conn);

        if (res) {
            if (!leaks_check(c, res)) {
                PQclear(res);
                return 0;
            }

            PQclear(res);
            continue;
        }

        if (!leaks_notifies(c)) {
            return 0;
        }

        c->op++;

        if (c->refused || c->op == c->nops) {

            if (!leaks_end(c)) {
                return 0;
            }

            if (leaks_done >= leaks_wanted) {
                return 1;
            }

            return leaks_step(c);
        }

        return leaks_send(c);
    }

    return 1;
}


static int
leaks_connect(leaks_client_t *c)
{
    char  info[64];

    snprintf(info, sizeof(info), "application_name='start %d'", c->id % 7);

    c->conn = PQconnectStart(info);
    c->polling = PGRES_POLLING_WRITING;

    if (c->conn == NULL || PQstatus(c->conn) == CONNECTION_BAD) {
        return leaks_wrong(c, "cannot connect");
    }

    return 1;
}


static int
leaks_event(leaks_client_t *c)
{
    if (c->ready) {
        return leaks_answers(c);
    }

    c->polling = PQconnectPoll(c->conn);

    if (c->polling == PGRES_POLLING_FAILED) {
        return leaks_wrong(c, "%s", PQerrorMessage(c->conn));
    }

    if (c->polling != PGRES_POLLING_OK) {
        return 1;
    }

    c->ready = 1;

    if (PQsetnonblocking(c->conn, 0) != 0) {
        return leaks_wrong(c, "%s", PQerrorMessage(c->conn));
    }

    return leaks_step(c);
}


int
main(int argc, char **argv)
{
    int              i, clients, failed;
    time_t           end;
    leaks_client_t  *all;
    struct pollfd   *pfds;

    clients = argc > 1 ? atoi(argv[1]) : 50;
    leaks_wanted = argc > 2 ? atol(argv[2]) : 100000;
    leaks_max_holders = argc > 3 ? atoi(argv[3]) : 4;
    leaks_seed = argc > 4 ? atoi(argv[4]) : 1;

    all = calloc(clients, sizeof(leaks_client_t));
    pfds = calloc(clients, sizeof(struct pollfd));

    if (all == NULL || pfds == NULL) {
        return 1;
    }

    setvbuf(stdout, NULL, _IOLBF, 0);

    failed = 0;
    end = time(NULL) + LEAKS_SECONDS;

    for (i = 0; i < clients; i++) {
        all[i].id = i;
        failed += !leaks_connect(&all[i]);
    }

    while (failed == 0 && leaks_done < leaks_wanted) {

        if (time(NULL) > end) {
            printf("not ok - it takes too long\n");
            failed++;
            break;
        }

        for (i = 0; i < clients; i++) {
            pfds[i].fd = PQsocket(all[i].conn);
            pfds[i].events = (!all[i].ready
                              && all[i].polling == PGRES_POLLING_WRITING)
                             ? POLLOUT : POLLIN;
            pfds[i].revents = 0;
        }

        if (poll(pfds, clients, 30000) == 0) {
            printf("not ok - nobody is answered\n");
            failed++;

            for (i = 0; i < clients; i++) {
                printf("# client %d: %s, holds %d\n", i,
                       all[i].ready ? all[i].ops[all[i].op].sql
                                    : "logs in", all[i].hold);
            }

            break;
        }

        for (i = 0; i < clients; i++) {
            if (pfds[i].revents) {
                failed += !leaks_event(&all[i]);
            }
        }
    }

    for (i = 0; i < clients; i++) {
        PQfinish(all[i].conn);
    }

    printf("# %ld transactions, %ld checks, %ld refused; %ld temporary tables,"
           " %ld locks, %ld listens, %ld cursors, %ld PREPAREs\n", leaks_done,
           leaks_checks, leaks_refused, leaks_held[hold_table],
           leaks_held[hold_lock], leaks_held[hold_listen],
           leaks_held[hold_cursor], leaks_held[hold_prepare]);

    return failed ? 1 : 0;
}
