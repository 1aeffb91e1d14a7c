/* sources: pg/ state/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * Transaction blocks that the server has not heard of yet: the client gets the
 * same bytes as if it had been told of each BEGIN, wherever they are cut.
 */


#include "pg_wire_relay.h"
#include "check.h"


static relay_t     plain, lazy;
static bytes_t     b;


/* as the module's, which sees these words only if they stand alone */

static void
classify(ngx_str_t *text, ngx_uint_t mode, ngx_hyperdrive_state_plan_t *plan)
{
    char  *s;

    relay_classify(text, mode, plan);

    s = (char *) text->data;

    plan->single = (memchr(s, ';', text->len) == NULL && text->len != 0);

    plan->defer = (strcmp(s, "BEGIN") == 0 || strcmp(s, "FAIL begin") == 0);
    plan->commits = (strcmp(s, "COMMIT") == 0);
    plan->rolls_back = (strcmp(s, "ROLLBACK") == 0);
}


static void
say(relay_t *r, size_t cut)
{
    size_t      i;
    ngx_uint_t  moved;

    relay_connect(r);

    for (i = 0; i < b.len; i += cut) {
        relay_client(r, b.data + i, ngx_min(b.len - i, cut));

        (void) relay_send(r, cut);
        (void) relay_receive(r, cut);
    }

    do {
        moved = relay_send(r, cut);
        moved |= relay_receive(r, cut);
    } while (moved);
}


static void
same(const char *name)
{
    char        text[128];
    size_t      cut;
    ngx_uint_t  i, good;

    static size_t  cuts[] = { 100000, 50, 7, 3, 1 };

    say(&plain, 100000);

    for (i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
        cut = cuts[i];

        say(&lazy, cut);

        good = (lazy.got.len == plain.got.len
                && ngx_memcmp(lazy.got.data, plain.got.data, plain.got.len)
                   == 0
                && lazy.lost == NULL && !lazy.failed);

        good &= (relay_leave(&lazy) != NGX_ABORT);

        snprintf(text, sizeof(text), "%s, cut at %d", name, (int) cut);
        ok(good, text);
    }

    (void) relay_leave(&plain);

    b.len = 0;
}


/* one execution, by either protocol */

static void
run(char *text, ngx_uint_t extended)
{
    if (!extended) {
        msg_query(&b, text);
        return;
    }

    msg_parse(&b, "", text);
    msg_bind(&b, "", "", NULL);
    msg_describe(&b, 'P', "");
    msg_execute(&b, "", 0);
    msg_sync(&b);
}


static void
test_same(void)
{
    ngx_uint_t  i, k;

    static char  *texts[] = {
        "SELECT2 a", "FAIL", "BEGIN", "COMMIT", "ROLLBACK", "", "SELECT a;FAIL",
        "COPYOUT t", "NOTICE n", "SAVEPOINT s"
    };

    for (k = 0; k < 4; k++) {

        for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {

            run("BEGIN", k & 1);
            run(texts[i], (k & 2) && i != 6);
            run("SELECT b", k & 1);
            run("COMMIT", k & 1);
            run("SELECT c", k & 2);
            same(texts[i]);
        }

        run("BEGIN", k & 1);
        run("COMMIT", k & 2);
        run("BEGIN", k & 2);
        run("ROLLBACK", k & 1);
        same("empty ones");
    }

    msg_query(&b, "BEGIN");
    msg_parse(&b, "s", "SELECT a");
    msg_describe(&b, 'S', "s");
    msg_flush(&b);
    msg_bind(&b, "", "s", NULL);
    msg_execute(&b, "", 0);
    msg_sync(&b);
    msg_query(&b, "COMMIT");
    same("Flush");

    msg_query(&b, "BEGIN");
    msg_sync(&b);
    msg_query(&b, "ROLLBACK");
    same("a Sync alone");

    msg_parse(&b, "", "SELECT a");
    msg_sync(&b);
    msg_parse(&b, "b", "BEGIN");
    msg_sync(&b);
    msg_bind(&b, "", "b", NULL);
    msg_execute(&b, "", 0);
    msg_sync(&b);
    msg_bind(&b, "", "", NULL);
    msg_execute(&b, "", 0);
    msg_sync(&b);
    msg_query(&b, "COMMIT");
    msg_bind(&b, "", "", NULL);
    msg_sync(&b);
    same("the unnamed statement");

    msg_bind(&b, "p", "", NULL);
    msg_parse(&b, "", "BEGIN");
    msg_bind(&b, "p", "", NULL);
    msg_execute(&b, "p", 0);
    msg_sync(&b);
    msg_query(&b, "COMMIT");
    same("a portal with a name");

    msg_query(&b, "BEGIN");
    msg_execute(&b, "", 0);
    msg_sync(&b);
    msg_query(&b, "ROLLBACK");
    same("a portal that nobody has bound");

    msg_query(&b, "BEGIN");
    msg_function(&b);
    msg_query(&b, "COMMIT");
    same("a FunctionCall");
}


/* what the client is told if there is no connection */

static void
test_failed(void)
{
    u_char  status;

    lazy.none = 1;

    msg_query(&b, "BEGIN");
    msg_query(&b, "SELECT a");
    run("SELECT b", 1);
    msg_sync(&b);
    run("SELECT c", 0);
    say(&lazy, 1);
    status = lazy.got.data[lazy.got.len - 1];
    ok(status == 'E' && !lazy.failed && lazy.server.nrun == 0,
       "no connection: the block has failed");
    (void) relay_leave(&lazy);

    run("COMMIT", 1);
    say(&lazy, 1);
    status = lazy.got.data[lazy.got.len - 1];
    ok(status == 'I' && memmem(lazy.got.data, lazy.got.len, "ROLLBACK", 9),
       "and ends in a ROLLBACK");
    (void) relay_leave(&lazy);
    b.len = 0;

    msg_query(&b, "BEGIN");
    msg_parse(&b, "", "SELECT a");
    msg_flush(&b);
    msg_bind(&b, "", "", NULL);
    msg_sync(&b);
    say(&lazy, 1);
    status = lazy.got.data[lazy.got.len - 1];
    ok(status == 'E' && !lazy.failed, "no connection at a Flush");
    (void) relay_leave(&lazy);
    b.len = 0;

    msg_query(&b, "BEGIN");
    msg_query(&b, "SELECT a");
    msg_describe(&b, 'S', "");
    msg_sync(&b);
    say(&lazy, 1);
    ok(lazy.failed, "what is not certain ends it");
    (void) relay_leave(&lazy);
    b.len = 0;

    lazy.none = 0;
}


/* a BEGIN that fails when it is sent: nothing behind it may happen */

static void
test_refused(void)
{
    size_t      cut;
    ngx_uint_t  i, good;

    static size_t  cuts[] = { 100000, 7, 1 };

    for (i = 0; i < 6; i++) {
        cut = cuts[i / 2];

        run("FAIL begin", 0);
        run("SELECT a", i & 1);
        run("SELECT b", 0);

        say(&lazy, cut);

        good = (lazy.fatal && lazy.server.nrun == 1
                && memmem(lazy.got.data, lazy.got.len, "22012", 5)
                && memmem(lazy.got.data, lazy.got.len, "SELECT", 6) == NULL);
        good &= (relay_leave(&lazy) != NGX_ABORT);

        ok(good, "a BEGIN that is refused ends it");
        b.len = 0;
    }
}


/* the client leaves after each byte */

static void
test_leave(void)
{
    size_t      i, n;
    ngx_uint_t  good;

    good = 1;

    run("BEGIN", 0);
    run("SELECT a", 1);
    run("COMMIT", 0);
    run("BEGIN", 1);
    run("SELECT a", 0);

    n = b.len;

    for (i = 1; i <= n; i++) {
        relay_connect(&lazy);
        relay_client(&lazy, b.data, i);

        if (i & 1) {
            (void) relay_send(&lazy, (size_t) -1);
        }

        good &= (relay_leave(&lazy) != NGX_ABORT);
    }

    ok(good, "left at every byte");
    b.len = 0;
}


/* the number that a probe tells, and bytes that are none */

static void
test_probe(void)
{
    size_t       i;
    ngx_uint_t   good;

    static u_char  row[] = "D\0\0\0\14\0\1\0\0\0\2" "17";

    ok(ngx_hyperdrive_pg_probe_row(row, sizeof(row) - 1) == 17,
       "what a probe tells");

    good = 1;

    for (i = 0; i < sizeof(row) - 1; i++) {
        good &= (ngx_hyperdrive_pg_probe_row(row, i)
                 == NGX_HYPERDRIVE_PROTO_NO_ROW);
    }

    ok(good, "cut at every byte it tells nothing");
}


int
main(void)
{
    ngx_hyperdrive_state_registry_t  *one, *two;

    one = ngx_hyperdrive_state_registry_create(1024 * 1024, relay_classify);
    two = ngx_hyperdrive_state_registry_create(1024 * 1024, classify);

    relay_init(&plain, one, 10);
    relay_init(&lazy, two, 10);

    test_same();
    test_failed();
    test_refused();
    test_leave();
    test_probe();

    relay_free(&plain);
    relay_free(&lazy);
    bytes_free(&b);

    return done();
}
