/* sources: pg/ state/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * Tests of the PostgreSQL wire behind the protocol table.  Most of them say
 * the same to a model server directly and through the protocol, and compare.
 */


#include "pg_wire_relay.h"
#include "check.h"


#define READY_I  "Z\0\0\0\5I"


static ngx_hyperdrive_state_registry_t  *registry;

static relay_t                           r;
static server_t                          direct;
static bytes_t                           b;


static void
start(ngx_uint_t statements)
{
    if (r.origin) {
        relay_free(&r);
    }

    relay_init(&r, registry, statements);
}


static void
client(void)
{
    relay_connect(&r);

    server_free(&direct);
    server_init(&direct);
    direct.epoch = r.server.epoch;
}


/* all that the client has received is what it would have directly */

static ngx_uint_t
as_direct(void)
{
    return r.got.len == direct.visible
           && (r.got.len == 0
               || ngx_memcmp(r.got.data, direct.out.data, r.got.len) == 0);
}


/* says what is in <b> */

static ngx_uint_t
talk(void)
{
    relay_all(&r, &b);
    server_feed(&direct, b.data, b.len);

    b.len = 0;

    return as_direct();
}


/* the same in pieces, so that what is long is not gathered */

static ngx_uint_t
stream(void)
{
    size_t  i;

    for (i = 0; i < b.len; i += 8192) {
        relay_client(&r, b.data + i, ngx_min(b.len - i, 8192));
        relay_run(&r);
    }

    server_feed(&direct, b.data, b.len);

    b.len = 0;

    return as_direct();
}


/* the connection has been given back, and all that is believed of it holds */

static ngx_uint_t
clean(void)
{
    return relay_leave(&r) == NGX_OK;
}


static ngx_uint_t
got_error(const char *sqlstate)
{
    size_t  i;

    for (i = 0; i + 6 < r.got.len; i++) {
        if (r.got.data[i] == 'C'
            && ngx_memcmp(&r.got.data[i + 1], sqlstate, 6) == 0)
        {
            return 1;
        }
    }

    return 0;
}


/* [Parse] Bind Execute Sync */

static void
msgs_run(const char *name, const char *text, const char *param)
{
    if (text) {
        msg_parse(&b, name, text);
    }

    msg_bind(&b, "", name, param);
    msg_execute(&b, "", 0);
    msg_sync(&b);
}


static void
msgs_prepare(const char *name, const char *text)
{
    msg_parse(&b, name, text);
    msg_describe(&b, 'S', name);
    msg_sync(&b);
}


/* one of everything */

static void
msgs_everything(void)
{
    msg_query(&b, "SELECT2 a");
    msg_query(&b, "");
    msgs_prepare("s1", "SELECT3 $");
    msgs_run("s1", NULL, "one");
    msgs_run("", "SELECT $ $", "two");
    msgs_run("", "SELECT $", "three");
    msg_parse(&b, "s2", "INSERT $");
    msg_flush(&b);
    msg_bind(&b, "p", "s2", "four");
    msg_describe(&b, 'P', "p");
    msg_execute(&b, "p", 0);
    msg_close(&b, 'P', "p");
    msg_sync(&b);
    msg_query(&b, "BEGIN");
    msgs_run("s1", NULL, "five");
    msg_bind(&b, "q", "s1", "six");
    msg_execute(&b, "q", 2);
    msg_flush(&b);
    msg_execute(&b, "q", 2);
    msg_sync(&b);
    msgs_run("nobody", NULL, NULL);
    msgs_run("s1", NULL, "seven");
    msg_query(&b, "ROLLBACK");
    msg_close(&b, 'S', "s1");
    msg_sync(&b);
    msgs_run("s1", NULL, "eight");
    msg_query(&b, "COPYOUT t");
    msg_function(&b);
    msgs_run("", "NOTICE n", NULL);
    msgs_run("", "BAD", NULL);
    msgs_run("", "SELECT0 x", NULL);
    msg_query(&b, "SELECT2 a;FAIL;SELECT b");
    msg_sync(&b);
    msgs_run("", "DEFER d", NULL);
}


static void
test_cuts(void)
{
    size_t      i, len;
    bytes_t     all;
    ngx_uint_t  good, clean_all;

    start(10);
    client();
    msgs_everything();
    all = b;
    ngx_memzero(&b, sizeof(bytes_t));

    server_feed(&direct, all.data, all.len);

    good = 1;
    clean_all = 1;

    relay_free(&r);

    for (i = 1; i < all.len; i++) {
        relay_init(&r, registry, 10);
        relay_connect(&r);

        relay_client(&r, all.data, i);
        relay_run(&r);
        relay_client(&r, all.data + i, all.len - i);
        relay_run(&r);

        good &= as_direct();
        relay_free(&r);
    }

    ok(good, "requests cut in two at every byte");

    relay_init(&r, registry, 10);
    relay_connect(&r);

    for (i = 0; i < all.len; i++) {
        relay_client(&r, all.data + i, 1);
    }

    relay_run(&r);
    ok(as_direct(), "requests byte by byte, answered at the end");
    relay_free(&r);

    relay_init(&r, registry, 10);
    relay_connect(&r);

    for (i = 0; i < all.len; i++) {
        relay_client(&r, all.data + i, 1);

        while (relay_send(&r, 1) | relay_receive(&r, 1)) { /* void */ }
    }

    ok(as_direct(), "all byte by byte");
    relay_free(&r);

    /* answers */

    good = 1;
    len = direct.out.len;

    for (i = 1; i < len; i++) {
        relay_init(&r, registry, 10);
        relay_connect(&r);

        relay_client(&r, all.data, all.len);
        (void) relay_send(&r, (size_t) -1);
        (void) relay_receive(&r, i);
        relay_run(&r);

        good &= as_direct();

        if (r.pinned) {
            /* the function call */
            r.pinned = 0;
        }

        relay_settle(&r);
        clean_all &= (relay_leave(&r) == NGX_OK);
        relay_free(&r);
    }

    ok(good, "answers cut in two at every byte");
    ok(clean_all, "...and a clean connection each time");

    relay_init(&r, registry, 10);
    bytes_free(&all);
}


static void
test_matrix(void)
{
    ngx_uint_t  n;

    start(10);
    client();

    msgs_run("a", "SELECT $", "1");
    ok(talk() && r.server.nparse == 1, "Parse, not known at the origin");

    msgs_run("a", NULL, "2");
    ok(talk() && r.server.nparse == 1, "reuse, known at the origin");

    ok(!r.attached, "the connection has been given back");
    ok(clean(), "and is clean");

    client();
    msgs_run("b", "SELECT $", "3");
    ok(talk() && r.server.nparse == 1,
       "Parse by another client: known at the origin");

    relay_fresh(&r);
    msgs_run("b", NULL, "4");
    ok(talk() && r.server.nparse == 1, "reuse, not known at the origin");

    n = r.server.nparse;
    msgs_run("", "SELECT $", "5");
    msg_bind(&b, "", "", "6");
    msg_execute(&b, "", 0);
    msg_sync(&b);
    ok(talk() && r.server.nparse == n + 1, "the unnamed statement, used again");

    relay_fresh(&r);
    msg_bind(&b, "", "", "7");
    msg_execute(&b, "", 0);
    msg_sync(&b);
    ok(talk() && r.server.nparse == 1, "...on another connection");

    /* types are part of a statement */

    msg_parse(&b, "t1", "SELECT $");
    b.data[b.len - 1] = 1;
    bytes_u32(&b, 23);
    b.data[4] += 4;
    msgs_run("t1", NULL, "8");
    ok(talk() && r.server.nparse == 2, "other types: another statement");

    ok(clean(), "clean");
}


static void
test_shared(void)
{
    void  *first, *second;

    start(10);
    client();

    msgs_run("x", "SELECT first", NULL);
    ok(talk(), "one client's statement");

    first = r.client;

    client();
    second = r.client;
    msgs_run("x", "SELECT second", NULL);
    msgs_run("x", NULL, NULL);
    ok(talk(), "another client's of the same name with another text");

    r.client = first;
    r.got.len = 0;
    server_free(&direct);
    server_init(&direct);
    msg_parse(&b, "x", "SELECT first");
    server_feed(&direct, b.data, b.len);
    direct.out.len = 0;
    direct.visible = 0;
    b.len = 0;
    msgs_run("x", NULL, NULL);
    ok(talk(), "the first one still has its own");

    msg_close(&b, 'S', "x");
    msg_sync(&b);
    ok(talk() && r.server.nclose == 0, "Close is answered without the origin");

    msgs_run("x", NULL, NULL);
    ok(talk() && got_error("26000"), "what was closed is gone for it");
    ok(clean(), "clean");

    client();
    ngx_hyperdrive_pg_proto.client_destroy(r.client);
    r.client = second;
    server_feed(&direct, (u_char *) "P\0\0\0\30x\0SELECT second\0\0\0", 23);
    msg_parse(&b, "x", "SELECT second");
    server_free(&direct);
    server_init(&direct);
    server_feed(&direct, b.data, b.len);
    direct.out.len = 0;
    direct.visible = 0;
    b.len = 0;
    msgs_run("x", NULL, NULL);
    ok(talk(), "and not for the other");
    ok(clean(), "clean");
}


static void
test_eviction(void)
{
    ngx_uint_t  i, good;
    char        name[8], text[32];

    start(2);
    client();

    for (i = 0; i < 5; i++) {
        snprintf(name, sizeof(name), "s%d", (int) i);
        snprintf(text, sizeof(text), "SELECT s%d", (int) i);
        msgs_prepare(name, text);
    }

    ok(talk(), "five statements where two are kept");
    ok(r.server.nclose == 3, "three were closed at the origin");

    good = 1;

    for (i = 0; i < 20; i++) {
        snprintf(name, sizeof(name), "s%d", (int) (i * 3) % 5);
        msgs_run(name, NULL, NULL);
        good &= talk();
    }

    ok(good, "all of them can be used");

    /* more in one group than are kept */

    for (i = 0; i < 5; i++) {
        snprintf(name, sizeof(name), "s%d", (int) i);
        msg_bind(&b, "", name, NULL);
        msg_execute(&b, "", 0);
    }

    msg_sync(&b);
    ok(talk(), "all of them in one group");

    /* an error before what evicts */

    msg_bind(&b, "", "nobody", NULL);
    msg_bind(&b, "", "s0", NULL);
    msg_bind(&b, "", "s1", NULL);
    msg_sync(&b);

    for (i = 0; i < 5; i++) {
        snprintf(name, sizeof(name), "s%d", (int) i);
        msgs_run(name, NULL, NULL);
    }

    ok(talk(), "evictions that an error struck out, and a pipeline behind");
    ok(clean(), "clean");

    start(1);
    client();
    msgs_run("a", "SELECT a", NULL);
    msgs_run("b", "SELECT b", NULL);
    msg_bind(&b, "", "a", NULL);
    msg_execute(&b, "", 0);
    msg_bind(&b, "", "b", NULL);
    msg_execute(&b, "", 0);
    msg_sync(&b);
    ok(talk() && clean(), "one is kept");
}


static void
test_errors(void)
{
    start(10);
    client();

    msgs_prepare("a", "SELECT a");
    ok(talk(), "a statement");

    msgs_prepare("a", "SELECT another");
    ok(talk() && got_error("42P05"), "42P05 for a name that is taken");

    msgs_prepare("a", "BAD");
    ok(talk() && got_error("42601"), "a text that is wrong is told before");

    relay_fresh(&r);
    msgs_prepare("a", "SELECT another");
    ok(talk() && r.server.nparse == 2,
       "42P05 where the statement is not known, from the origin");

    msg_query(&b, "BEGIN");
    msgs_prepare("a", "SELECT a");
    msgs_run("a", NULL, NULL);
    msg_query(&b, "ROLLBACK");
    ok(talk(), "42P05 in a block makes it fail");

    msgs_run("a", NULL, NULL);
    ok(talk(), "the first statement is still there");

    /* undone names */

    msg_parse(&b, "good", "SELECT good");
    msg_bind(&b, "", "nobody", NULL);
    msg_parse(&b, "late", "SELECT late");
    msg_close(&b, 'S', "a");
    msg_parse(&b, "", "SELECT unnamed");
    msg_sync(&b);
    ok(talk(), "an error in the middle of a group");

    msgs_run("good", NULL, NULL);
    ok(talk(), "what was prepared before it is there");

    msgs_run("late", NULL, NULL);
    ok(talk() && got_error("26000"),
       "what was to be prepared behind it is not");

    msgs_run("a", NULL, NULL);
    ok(talk(), "what was to be closed behind it is there");

    msgs_run("", NULL, NULL);
    ok(talk(), "the unnamed statement, too");

    msgs_prepare("late", "SELECT later");
    msgs_run("late", NULL, NULL);
    ok(talk(), "the name can be given");

    /* the unnamed statement is gone when its successor fails */

    msgs_run("", "SELECT u", NULL);
    msgs_run("", "BAD", NULL);
    msgs_run("", NULL, NULL);
    ok(talk(), "an unnamed statement that fails takes the former with it");

    msg_parse(&b, "", "SELECT u2");
    msg_sync(&b);
    msg_bind(&b, "", "nobody", NULL);
    msg_parse(&b, "", "SELECT u3");
    msg_query(&b, "SELECT never");
    msg_sync(&b);
    msgs_run("", NULL, NULL);
    ok(talk(), "a Query that is skipped does not take it");

    msg_query(&b, "SELECT now");
    msgs_run("", NULL, NULL);
    ok(talk() && got_error("26000"), "one that is not does");

    /* a Sync that fails */

    msgs_run("", "DEFER d", NULL);
    msgs_run("a", NULL, NULL);
    ok(talk(), "an error at the Sync strikes nothing out");

    ok(clean(), "clean");
}


static void
test_pipelines(void)
{
    ngx_uint_t  i;

    start(10);
    client();

    for (i = 0; i < 50; i++) {
        msgs_run("", i % 3 ? "SELECT odd" : "SELECT2 even", NULL);
        msg_query(&b, i % 2 ? "SELECT x" : "INSERT y");
    }

    ok(talk(), "different statements in a pipeline");

    /* the first fails, the others do not depend on it, or do */

    msgs_run("", "BAD", NULL);
    msgs_run("", "SELECT a", NULL);
    msg_query(&b, "SELECT b");
    msgs_run("", "SELECT c", NULL);
    ok(talk(), "unnamed statements behind one that fails");

    msg_parse(&b, "n", "BAD");
    msg_sync(&b);
    msg_close(&b, 'S', "n");
    msg_parse(&b, "n", "SELECT n");
    msg_sync(&b);
    msgs_run("n", NULL, NULL);
    ok(talk(), "a name behind a Parse of it that fails");

    msg_parse(&b, "m", "BAD");
    msg_sync(&b);
    msg_parse(&b, "m", "SELECT m");
    msg_sync(&b);
    msgs_run("m", NULL, NULL);
    ok(talk(), "the name again behind a Parse of it that fails");

    msg_bind(&b, "", "nobody", NULL);
    msg_close(&b, 'S', "m");
    msg_sync(&b);
    msgs_run("m", NULL, NULL);
    msg_bind(&b, "", "nobody", NULL);
    msg_close(&b, 'S', "m");
    msg_sync(&b);
    msgs_prepare("m", "SELECT other");
    ok(talk() && got_error("42P05"), "a name behind a Close that is skipped");

    msgs_prepare("", "SELECT u");
    ok(talk(), "an unnamed statement");

    msg_bind(&b, "", "nobody", NULL);
    msg_parse(&b, "", "SELECT skipped");
    msg_sync(&b);
    msgs_run("", NULL, NULL);
    ok(talk(), "...is there behind a Parse that is skipped");

    msg_describe(&b, 'S', "");
    msg_sync(&b);
    msg_query(&b, "SELECT q");
    ok(talk(), "its description, and a Query that ends it");

    msg_parse(&b, "", "BAD");
    msg_query(&b, "SELECT skipped");
    msg_sync(&b);
    msg_query(&b, "SELECT q");
    ok(talk(), "a Query behind a Parse that fails");

    /* on a cold connection: what we add belongs to a group that fails */

    msgs_prepare("w", "SELECT w");
    ok(talk(), "a name");
    relay_fresh(&r);

    msg_bind(&b, "", "nobody", NULL);
    msg_bind(&b, "", "w", NULL);
    msg_execute(&b, "", 0);
    msg_sync(&b);
    msgs_run("w", NULL, NULL);
    msgs_run("w", NULL, NULL);
    ok(talk(), "a statement that is prepared anew behind an error");

    ok(clean(), "clean");

    /* a block may fail while a Parse is on its way */

    client();
    msgs_prepare("k", "SELECT k");
    ok(talk(), "a statement that is known");

    msg_query(&b, "BEGIN;FAIL");
    msgs_prepare("k2", "SELECT k");
    msgs_run("k2", NULL, NULL);
    msg_query(&b, "ROLLBACK");
    msgs_run("k2", NULL, NULL);
    ok(talk(), "the same text behind a block that fails");

    msgs_prepare("rb", "ROLLBACK");
    msg_query(&b, "BEGIN;FAIL");
    ok(talk(), "a failed block");
    msgs_run("rb2", "ROLLBACK", NULL);
    ok(talk(), "...is left by a statement that the origin knows already");

    ok(clean(), "clean");
}


static void
test_unknown(void)
{
    start(10);
    client();

    msg_parse(&b, "", "SELECT secret");
    msg_sync(&b);
    msgs_prepare("s", "SELECT another");
    ok(talk() && clean(), "a client's statements, and it goes");

    client();
    msgs_run("", NULL, NULL);
    ok(talk() && got_error("26000"), "its unnamed one is nobody else's");

    msg_describe(&b, 'S', "");
    msg_sync(&b);
    ok(talk(), "nor is its description");

    msgs_run("s", NULL, NULL);
    ok(talk(), "nor the named one");

    msgs_run("_hyperdrive_0000000000000001", NULL, NULL);
    msg_describe(&b, 'S', "_hyperdrive_0000000000000001");
    msg_sync(&b);
    ok(talk(), "nor by the name that it has at the origin");

    msg_close(&b, 'S', "_hyperdrive_0000000000000001");
    msg_close(&b, 'S', "");
    msg_close(&b, 'S', "never");
    msg_sync(&b);
    ok(talk() && clean(), "to close what does not exist is no error");

    client();
    msgs_prepare("_hyperdrive_0000000000000001", "SELECT mine");
    msgs_run("_hyperdrive_0000000000000001", NULL, NULL);
    ok(talk() && clean(), "a client's own statement of such a name");
}


/* by SQL, of what was prepared by protocol */

static void
test_deallocate(void)
{
    start(10);
    client();

    msgs_prepare("a", "SELECT a");
    msgs_prepare("b", "SELECT b");
    ok(talk(), "two statements");

    msg_query(&b, "DEALLOCATE a");
    ok(talk() && r.server.nrun == 0, "DEALLOCATE without the origin");
    msgs_run("a", NULL, NULL);
    msgs_run("b", NULL, NULL);
    ok(talk(), "one is gone, one is there");

    msg_query(&b, "DEALLOCATE a");
    ok(talk() && got_error("26000"), "of one that is not there");

    msgs_prepare("a", "SELECT a");
    msg_query(&b, "BEGIN");
    msg_query(&b, "DEALLOCATE a");
    msgs_run("b", NULL, NULL);
    msg_query(&b, "COMMIT");
    msgs_prepare("a", "SELECT a");
    msgs_run("a", NULL, NULL);
    ok(talk(), "in a block, and prepared again");

    msgs_prepare("c", "SELECT c");
    msg_describe(&b, 'S', "c");
    msg_sync(&b);
    msg_query(&b, "DEALLOCATE c");
    msgs_prepare("d", "BAD");
    msg_query(&b, "DEALLOCATE d");
    ok(talk(), "behind answers that are outstanding");

    msg_query(&b, "BEGIN");
    msg_parse(&b, "e", "SELECT e");
    msg_describe(&b, 'S', "e");
    msgs_run("", "DEALLOCATE e", NULL);
    msgs_run("", NULL, NULL);
    msg_query(&b, "ROLLBACK");
    msgs_prepare("e", "SELECT e");
    msgs_run("e", NULL, NULL);
    ok(talk(), "extended, in a block, twice");

    msg_query(&b, "BEGIN");
    msgs_run("", "DEALLOCATE ALL", NULL);
    msg_query(&b, "ROLLBACK");
    msgs_run("e", NULL, NULL);
    ok(talk(), "of all, extended, in a block");

    msgs_prepare("e", "SELECT e");
    msg_query(&b, "DEALLOCATE ALL");
    msgs_run("e", NULL, NULL);
    ok(talk(), "of all");

    ok(clean(), "clean");
}


static void
test_flush(void)
{
    start(10);
    client();

    msg_parse(&b, "a", "SELECT3 a");
    msg_describe(&b, 'S', "a");
    msg_flush(&b);
    ok(talk(), "Parse, Describe, Flush");
    ok(r.attached && !ngx_hyperdrive_pg_proto.origin_idle(r.origin),
       "the connection is kept");

    msg_bind(&b, "p", "a", NULL);
    msg_execute(&b, "p", 1);
    msg_flush(&b);
    ok(talk(), "Bind, Execute of one row, Flush");

    msg_execute(&b, "p", 0);
    msg_flush(&b);
    ok(talk(), "the other rows");

    msg_sync(&b);
    ok(talk() && !r.attached, "Sync: it is given back");

    msg_parse(&b, "bad", "BAD");
    msg_flush(&b);
    ok(talk(), "an error before the Sync");

    msg_bind(&b, "", "a", NULL);
    msg_execute(&b, "", 0);
    msg_query(&b, "SELECT x");
    msg_function(&b);
    ok(talk(), "what is behind it is skipped");

    msg_sync(&b);
    ok(talk() && !r.attached, "up to the Sync");

    msgs_run("a", NULL, NULL);
    ok(talk() && clean(), "and it goes on");
}


static void
test_copy(void)
{
    size_t   len;
    bytes_t  half;

    start(10);
    client();

    msg_query(&b, "COPYIN t");
    ok(talk() && ngx_hyperdrive_pg_proto.origin_copying(r.origin),
       "COPY FROM STDIN");

    msg_data(&b, "one\n");
    msg_flush(&b);
    msg_data(&b, "two\n");
    msg_sync(&b);
    msg_bare(&b, 'c');
    ok(talk() && r.server.data == direct.data && !r.attached,
       "its data, with a Flush and a Sync that nobody answers");

    msg_query(&b, "COPYIN t;SELECT a");
    (void) talk();
    msg_data(&b, "three\n");
    msg_text(&b, 'f', "no");
    msg_query(&b, "SELECT b");
    ok(talk(), "CopyFail");

    /* extended; the Sync that is sent with the Execute is not answered */

    msg_parse(&b, "c", "COPYIN t");
    msg_bind(&b, "", "c", NULL);
    msg_execute(&b, "", 0);
    msg_sync(&b);
    ok(talk(), "extended, with a Sync");

    msg_data(&b, "four\n");
    msg_bare(&b, 'c');
    ok(talk() && r.attached, "no answer before the next Sync");
    msg_sync(&b);
    ok(talk() && !r.attached, "...and one behind it");

    msgs_run("c", NULL, NULL);
    (void) talk();
    msg_data(&b, "five\n");
    msg_text(&b, 'f', "no");
    msg_sync(&b);
    msgs_run("", "SELECT x", NULL);
    ok(talk(), "extended, CopyFail");

    /* all at once: the data waits for the COPY */

    msg_parse(&b, "", "COPYIN t");
    msg_bind(&b, "", "", NULL);
    msg_execute(&b, "", 0);
    msg_data(&b, "six\n");
    msg_bare(&b, 'c');
    msg_sync(&b);
    msgs_run("", "SELECT x", NULL);
    ok(talk() && r.server.data == direct.data, "data in the same group");

    msg_query(&b, "COPYIN t");
    msg_data(&b, "seven\n");
    msg_bare(&b, 'c');
    msg_query(&b, "SELECT x");
    ok(talk() && r.server.data == direct.data, "data behind a Query at once");

    msg_query(&b, "SELECT y");
    msg_data(&b, "nobody wants it\n");
    msg_bare(&b, 'c');
    msg_query(&b, "SELECT x");
    ok(talk() && r.server.data == direct.data, "...that is no COPY");

    ok(clean(), "clean");

    /* a request in the middle of the data is read by COPY, and the end */

    client();
    msg_query(&b, "COPYIN t");
    (void) talk();
    msg_data(&b, "seven\n");
    msg_query(&b, "SELECT swallowed");
    msg_data(&b, "eight\n");
    msg_bare(&b, 'c');
    msg_query(&b, "SELECT x");
    ok(talk() && r.fatal, "a Query among the data");
    (void) relay_leave(&r);

    client();
    msgs_run("", "COPYIN t", NULL);
    (void) talk();
    msg_parse(&b, "swallowed", "SELECT x");
    msg_bind(&b, "", "swallowed", NULL);
    msg_data(&b, "nine\n");
    msg_sync(&b);
    msgs_run("swallowed", NULL, NULL);
    ok(talk() && r.fatal, "a Parse among the data");
    (void) relay_leave(&r);

    client();

    /* what is sent behind a COPY that has failed goes nowhere */

    msg_query(&b, "BEGIN;FAIL");
    msg_query(&b, "COPYIN t");
    (void) talk();
    msg_data(&b, "ten\n");
    msg_bare(&b, 'c');
    msg_query(&b, "ROLLBACK");
    ok(talk() && r.server.data == direct.data, "data for a COPY that failed");

    ok(clean(), "clean");

    /* the COPY fails while half a message of data is on its way */

    client();
    msg_query(&b, "COPYIN t");
    (void) talk();

    ngx_memzero(&half, sizeof(bytes_t));
    msg_data(&half, "a line of some length\n");
    msg_query(&half, "SELECT behind");
    len = 12;

    relay_client(&r, half.data, len);
    (void) relay_send(&r, (size_t) -1);
    ((ngx_hyperdrive_pg_origin_t *) r.origin)->copy_in = 0;
    relay_client(&r, half.data + len, half.len - len);
    (void) relay_send(&r, (size_t) -1);
    ok(r.server.in.len == 0, "its rest goes where its beginning went");

    bytes_free(&half);
    (void) relay_leave(&r);

    /* requests that were sent behind a COPY */

    client();
    msg_query(&b, "COPYIN t");
    msg_query(&b, "SELECT x");
    ok(talk() && r.fatal, "who sends requests behind a COPY is cut off");
    ok(relay_leave(&r) == NGX_DECLINED, "...and so is the connection");

    client();
    msg_query(&b, "COPYOUT t");
    msgs_run("", "COPYOUT u", NULL);
    ok(talk() && clean(), "COPY TO STDOUT");
}


static void
test_large(void)
{
    char    *big;
    size_t   size, i, most;

    size = 2 * NGX_HYPERDRIVE_MAX_TEXT;
    big = malloc(size + 1);
    ngx_memset(big, 'x', size);
    big[size] = '\0';

    start(10);
    client();

    msgs_prepare("s", "SELECT $");
    ok(talk(), "a statement");

    msg_bind_n(&b, "", "s", big, size);
    msg_execute(&b, "", 0);
    msg_sync(&b);
    msg_query(&b, "SELECT behind");

    /* it does not gather */

    most = 0;

    for (i = 0; i < b.len; i += 8192) {
        relay_client(&r, b.data + i, ngx_min(b.len - i, 8192));
        relay_run(&r);
        most = ngx_max(most, r.in.len);
    }

    server_feed(&direct, b.data, b.len);
    b.len = 0;
    ok(as_direct() && most <= NGX_HYPERDRIVE_MAX_UNIT, "a large Bind streams");

    relay_fresh(&r);
    msg_bind_n(&b, "", "s", big, size);
    msg_execute(&b, "", 0);
    msg_sync(&b);
    ok(talk() && !r.attached && !r.pinned,
       "...with a statement that has to be prepared before");

    msg_bind_n(&b, "", "nobody", big, 100000);
    msg_execute(&b, "", 0);
    msg_sync(&b);
    ok(talk() && !r.attached, "a large Bind of an unknown statement");

    ngx_memcpy(big, "SELECT ", 7);
    big[600000] = '\0';
    msg_query(&b, big);
    ok(talk() && !r.pinned, "a Query that is read whole");
    big[600000] = 'x';

    msg_query(&b, big);
    msg_query(&b, "SELECT behind");
    ok(stream() && r.pinned, "a Query that is not, and pins");
    ok(relay_leave(&r) == NGX_DECLINED, "its connection is closed");

    client();
    msg_parse(&b, "", "SELECT small");
    msg_sync(&b);
    ok(talk(), "an unnamed statement");
    relay_fresh(&r);
    msgs_run("", big, NULL);
    msgs_run("", NULL, NULL);
    ok(stream() && r.pinned, "a Parse that is not read takes its place");

    msgs_run("long", big, NULL);
    msgs_run("long", NULL, NULL);
    ok(stream(), "one with a name");
    ok(relay_leave(&r) == NGX_DECLINED, "its connection is closed");

    /* a group of more than may be outstanding */

    client();
    b.len = 0;

    for (i = 0; i < NGX_HYPERDRIVE_PG_LEDGER_MAX + 100; i++) {
        msg_close(&b, 'P', "");
    }

    msg_sync(&b);
    msg_query(&b, "SELECT behind");

    relay_client(&r, b.data, b.len);
    ok(((ngx_hyperdrive_pg_origin_t *) r.origin)->ledger.n
       == NGX_HYPERDRIVE_PG_LEDGER_MAX, "many replies: the client waits");

    /* the model answers when it is asked to */

    (void) relay_send(&r, (size_t) -1);
    server_flush(&r.server);
    relay_run(&r);
    server_flush(&r.server);
    relay_run(&r);
    server_feed(&direct, b.data, b.len);
    b.len = 0;
    ok(as_direct() && clean(), "...and gets all of them");

    free(big);
}


/* the client is closed with this */

static ngx_uint_t
refused(const char *sqlstate)
{
    (void) talk();

    return r.failed && strcmp(r.err.severity, "FATAL") == 0
           && strcmp(r.err.sqlstate, sqlstate) == 0;
}


static void
test_bounds(void)
{
    char    name[NGX_HYPERDRIVE_MAX_NAME + 2], *longer;
    size_t  size;

    size = 4 * NGX_HYPERDRIVE_MAX_NAME;
    longer = malloc(size + 1);
    ngx_memset(longer, 'n', size);
    longer[size] = '\0';

    ngx_memset(name, 'n', sizeof(name));
    name[NGX_HYPERDRIVE_MAX_NAME] = '\0';

    start(10);
    client();
    msgs_prepare(name, "SELECT a");
    msgs_run(name, NULL, NULL);
    ok(talk() && clean(), "the longest name");

    name[NGX_HYPERDRIVE_MAX_NAME] = 'n';
    name[NGX_HYPERDRIVE_MAX_NAME + 1] = '\0';

    client();
    msgs_prepare(name, "SELECT a");
    ok(refused("08P01"), "a name that is too long");
    (void) relay_leave(&r);

    client();
    msg_bind(&b, longer, longer, NULL);
    b.len -= 10;
    relay_client(&r, b.data, b.len);
    b.len = 0;
    ok(!r.failed, "a Bind with long names waits while it is gathered");
    (void) relay_leave(&r);

    client();
    msg_parse(&b, "", "SELECT a");
    bytes_u8(&b, 'B');
    bytes_u32(&b, 200000);
    bytes_add(&b, longer, size);

    while (b.len < NGX_HYPERDRIVE_MAX_UNIT) {
        bytes_add(&b, longer, size);
    }

    ok(refused("08P01"), "and is refused when it streams");
    (void) relay_leave(&r);

    client();
    bytes_add(&b, "Q\0\0\0\3", 5);
    ok(refused("08P01"), "a length of 3");
    (void) relay_leave(&r);

    client();
    bytes_add(&b, "Q\377\377\377\377", 5);
    ok(refused("08P01"), "a negative length");
    (void) relay_leave(&r);

    client();
    bytes_add(&b, "?\0\0\0\4", 5);
    ok(refused("08P01"), "a type that does not exist");
    (void) relay_leave(&r);

    client();
    bytes_add(&b, "P\0\0\0\6ab", 7);
    msg_sync(&b);
    ok(talk() && clean(), "a Parse without an end");

    client();
    bytes_add(&b, "B\0\0\0\6ab", 7);
    msg_sync(&b);
    ok(talk() && clean(), "a Bind without an end");

    client();
    bytes_add(&b, "D\0\0\0\4", 5);
    msg_sync(&b);
    ok(talk() && clean(), "an empty Describe");

    client();
    bytes_add(&b, "C\0\0\0\5S", 6);
    msg_sync(&b);
    ok(talk() && clean(), "a Close without a name");

    client();
    bytes_add(&b, "Q\0\0\0\4", 5);
    ok(talk() && r.pinned, "a Query without a text is for the database");
    (void) relay_leave(&r);

    client();
    msg_bare(&b, 'X');
    ok(talk() && r.left && !r.attached, "Terminate");
    (void) relay_leave(&r);

    client();
    msg_data(&b, "nobody asked for it");
    msg_bare(&b, 'c');
    msg_sync(&b);
    ok(talk() && r.server.nrun == 0 && !r.attached,
       "data that nobody wants, and a Sync alone");
    (void) relay_leave(&r);

    free(longer);
}


/* who leaves in the middle of it */

static ngx_int_t
leaves(size_t sent, size_t served, size_t received)
{
    ngx_int_t  rc;

    client();
    relay_client(&r, b.data, sent);
    (void) relay_send(&r, served);
    (void) relay_receive(&r, received);

    rc = relay_leave(&r);

    if (rc == NGX_ABORT && r.copying) {
        rc = NGX_DECLINED;
    }

    return rc;
}


static void
test_abandon(void)
{
    size_t      i, all;
    ngx_int_t   rc;
    ngx_uint_t  good, kept, nrun;

    all = (size_t) -1;

    start(10);
    b.len = 0;
    msgs_everything();

    good = 1;
    kept = 0;

    for (i = 0; i <= b.len; i++) {
        rc = leaves(i, 0, 0);
        good &= (rc != NGX_ABORT);
        kept += (rc == NGX_OK);
    }

    ok(good, "left after every byte of many requests, none answered");
    ok(kept > 100, "...and mostly with a connection that is kept");

    good = 1;

    for (i = 0; i <= b.len; i++) {
        good &= (leaves(i, all, 0) != NGX_ABORT);
        good &= (leaves(i, all, all) != NGX_ABORT);
    }

    ok(good, "...all answered");

    for (i = 0; i <= b.len; i += 3) {
        good &= (leaves(b.len, i, all) != NGX_ABORT);
        good &= (leaves(b.len, all, i) != NGX_ABORT);
    }

    ok(good, "...answers half received");

    /* before the Sync: nothing of it is committed */

    b.len = 0;
    start(10);
    client();
    msg_parse(&b, "", "DEFER d");
    msg_bind(&b, "", "", NULL);
    msg_execute(&b, "", 0);
    msg_flush(&b);
    (void) talk();
    ok(r.server.deferred, "a change that is not committed");
    ok(relay_leave(&r) == NGX_OK && !r.server.deferred,
       "its client goes: it is rolled back, the connection is kept");

    client();
    msg_query(&b, "BEGIN");
    msg_query(&b, "INSERT a");
    (void) talk();
    nrun = r.server.nrun;
    ok(relay_leave(&r) == NGX_OK && r.server.nrun == nrun + 1,
       "in a block: a ROLLBACK");

    client();
    msg_query(&b, "BEGIN;FAIL");
    (void) talk();
    ok(clean(), "in a failed block");

    client();
    msg_query(&b, "BEGIN");
    msg_parse(&b, "x", "BAD");
    msg_flush(&b);
    (void) talk();
    ok(clean(), "in a failed block, before the Sync");

    client();
    msg_query(&b, "COPYIN t");
    (void) talk();
    msg_data(&b, "x\n");
    (void) talk();
    ok(clean(), "in a COPY");

    client();
    msgs_run("", "COPYIN t", NULL);
    (void) talk();
    ok(clean(), "in a COPY, extended");

    client();
    msgs_prepare("s", "SELECT $");
    (void) talk();
    msg_bind_n(&b, "", "s", "", 0);
    b.data[3] = 2;
    b.len = 5;

    while (b.len < NGX_HYPERDRIVE_MAX_UNIT + 100) {
        bytes_add(&b, "\0s\0\0\0\0\1\0\1\377\0", 11);
    }

    relay_client(&r, b.data, b.len);
    b.len = 0;
    ok(relay_leave(&r) == NGX_DECLINED, "half a request was sent: closed");

    client();
    msg_query(&b, "FATAL");
    ok(talk() && r.fatal, "a FATAL error is passed on");
    ok(relay_leave(&r) == NGX_DECLINED, "...and ends the connection");
}


static void
test_shape(void)
{
    ngx_hyperdrive_pg_origin_t  *o;

    start(10);
    client();

    msgs_prepare("s", "SELECT *");
    msgs_prepare("w", "RETURNING *");
    ok(talk(), "two statements and their descriptions");

    relay_fresh(&r);
    msgs_run("s", NULL, NULL);
    ok(talk() && r.server.nparse == 1, "the same description elsewhere");

    msgs_run("w", NULL, NULL);
    ok(talk() && r.server.nrun == 2, "...of one that writes");

    relay_fresh(&r);
    r.server.epoch = 1;
    direct.epoch = 1;
    msg_bind(&b, "", "s", NULL);
    msg_execute(&b, "", 0);
    msg_parse(&b, "late", "SELECT late");
    msg_parse(&b, "", "SELECT late");
    msg_sync(&b);
    ok(talk() && got_error("0A000") && !r.attached,
       "another one elsewhere: 0A000, as directly");

    r.got.len = 0;
    direct.out.len = 0;
    direct.visible = 0;
    msgs_run("late", NULL, NULL);
    ok(talk() && got_error("26000"), "what was behind it has not happened");
    msgs_run("", NULL, NULL);
    ok(talk(), "nor for the unnamed statement");

    msg_bind(&b, "", "s", NULL);
    msg_flush(&b);
    (void) talk();
    msg_query(&b, "SELECT skipped");
    (void) talk();
    msg_sync(&b);
    ok(talk(), "before a Flush: it skips to the Sync");

    relay_fresh(&r);
    r.server.epoch = 1;
    msgs_run("w", NULL, NULL);
    ok(talk() && r.server.nrun == 0, "one that writes does not run before");

    /* prepared there by somebody who was told the other one */

    ok(clean(), "clean");

    start(10);
    client();
    msgs_prepare("s", "SELECT *");
    ok(talk(), "one who was told a shape");

    {
        void  *first;

        first = r.client;

        relay_fresh(&r);
        r.server.epoch = 1;
        client();
        msgs_run("s", "SELECT *", NULL);
        ok(talk(), "one who runs the statement elsewhere, with another shape");
        ngx_hyperdrive_pg_proto.client_destroy(r.client);

        r.client = first;
    }

    r.got.len = 0;
    msgs_run("s", NULL, NULL);
    relay_all(&r, &b);
    b.len = 0;
    ok(got_error("0A000") && !r.attached, "the first one there: 0A000");

    /* the origin's own word for it */

    o = r.origin;
    ok(o->ledger.n == 0 && o->status == 'I', "nothing is outstanding");
    ok(clean(), "clean");

    /* in a block nothing is made up */

    start(10);
    client();
    msgs_prepare("s", "SELECT *");
    (void) talk();
    relay_fresh(&r);
    r.server.epoch = 1;
    msg_query(&b, "BEGIN");
    (void) talk();
    msgs_run("s", NULL, NULL);
    (void) talk();
    ok(r.failed && r.lost && !got_error("0A000"),
       "in a block the connection ends instead");
    (void) relay_leave(&r);

    /* the origin says it itself */

    start(10);
    client();
    msgs_prepare("s", "SELECT *");
    (void) talk();
    r.server.epoch = 1;
    direct.epoch = 1;
    msgs_run("s", NULL, NULL);
    ok(talk() && got_error("0A000"), "0A000 of the origin");
    ok(clean(), "clean");

    client();
    msgs_prepare("s", "SELECT *");
    msgs_run("s", NULL, NULL);
    ok(talk(), "who prepares it now gets a fresh one");
    ok(clean(), "clean");
}


/*
 * A table has changed.  Who was told nothing of the old rows does not notice.
 */

static void
test_repeat(void)
{
    size_t      i, n;
    bytes_t     whole;
    ngx_uint_t  runs;

    static const char  *text[] = { "SELECT *", "RETURNING *" };

    for (i = 0; i < 2; i++) {
        start(10);
        client();
        msgs_run("s", text[i], NULL);
        (void) talk();
        (void) relay_leave(&r);

        /* new ones, after the change */

        r.server.epoch = 1;
        runs = r.server.nrun;

        client();
        msgs_run("s", text[i], NULL);
        ok(talk() && r.nrepeat == 1, "Parse and Bind of what is stale");
        ok(r.server.nrun == runs + 1, "it runs once");
        msgs_run("s", NULL, NULL);
        ok(talk() && r.nrepeat == 1 && !r.attached, "and once more");
        ok(clean(), "clean");

        r.server.epoch = 2;

        client();
        msgs_prepare("s", text[i]);
        ok(talk() && r.nrepeat == 2, "Parse and Describe of it");
        msgs_run("s", NULL, NULL);
        ok(talk() && r.nrepeat == 2, "and then its Bind");
        ok(clean(), "clean");

        r.server.epoch = 3;

        client();
        msg_parse(&b, "s", text[i]);
        msg_describe(&b, 'S', "s");
        msg_flush(&b);
        ok(talk() && r.nrepeat == 3, "Parse and Describe, ended by Flush");
        msgs_run("s", NULL, NULL);
        ok(talk() && r.nrepeat == 3 && !r.attached, "then Bind and Sync");
        ok(clean(), "clean");

        r.server.epoch = 4;

        client();
        msg_parse(&b, "s", text[i]);
        msg_flush(&b);
        msg_bind(&b, "", "s", NULL);
        msg_execute(&b, "", 0);
        msg_parse(&b, "t", "SELECT t");
        msg_bind(&b, "", "t", NULL);
        msg_execute(&b, "", 0);
        msg_flush(&b);
        runs = r.server.nrun;
        ok(talk() && r.nrepeat == 4, "what is behind the Bind comes again");
        ok(r.server.nrun == runs + 2, "each of it runs once");
        msgs_run("t", NULL, NULL);
        ok(talk() && !r.attached, "and the group's end");
        ok(clean(), "clean");
    }

    /* cut at every byte */

    ngx_memzero(&whole, sizeof(bytes_t));
    msg_parse(&whole, "s", "SELECT *");
    msg_bind(&whole, "", "s", NULL);
    msg_describe(&whole, 'P', "");
    msg_execute(&whole, "", 0);
    msg_sync(&whole);

    client();
    msgs_run("s", "SELECT *", NULL);
    (void) talk();
    (void) relay_leave(&r);
    n = 0;

    for (i = 1; i < whole.len; i++) {
        r.server.epoch++;
        r.nrepeat = 0;

        client();
        relay_client(&r, whole.data, i);
        relay_run(&r);
        relay_client(&r, whole.data + i, whole.len - i);
        relay_run(&r);
        server_feed(&direct, whole.data, whole.len);

        n += (as_direct() && r.nrepeat == 1 && !r.attached);
        n += clean();
    }

    ok(n == 2 * (whole.len - 1), "cut anywhere");
    bytes_free(&whole);

    /* who was told the old rows gets the error, as directly */

    start(10);
    client();
    msgs_prepare("s", "SELECT *");
    (void) talk();
    r.server.epoch = 1;
    direct.epoch = 1;
    msgs_run("s", NULL, NULL);
    ok(talk() && got_error("0A000") && !r.attached, "told other rows: 0A000");
    msg_close(&b, 'S', "s");
    msgs_prepare("s", "SELECT *");
    msgs_run("s", NULL, NULL);
    (void) talk();
    ok(!r.attached && r.nrepeat == 1, "and is well again");
    ok(clean(), "clean");

    /* what has been sent behind it has been answered by then */

    r.server.epoch = 2;
    client();
    msgs_run("s", "SELECT *", NULL);
    msgs_run("t", "SELECT t", NULL);
    r.nrepeat = 0;
    (void) talk();
    ok(r.nrepeat == 0 && got_error("0A000"), "with more behind it: 0A000");
    ok(clean(), "clean");

    /* nor behind something that has run, or in a block */

    client();
    msgs_run("s", "SELECT *", NULL);
    (void) talk();
    (void) relay_leave(&r);
    r.server.epoch = 3;
    client();
    msgs_run("s", "SELECT *", NULL);
    b.len -= 5;
    msg_parse(&b, "t", "INSERT");
    msg_bind(&b, "", "t", NULL);
    msg_execute(&b, "", 0);
    msg_sync(&b);
    (void) talk();
    ok(r.nrepeat == 1, "the first of several");
    r.server.epoch = 4;
    msg_bind(&b, "", "t", NULL);
    msg_execute(&b, "", 0);
    msg_parse(&b, "u", "SELECT *");
    msg_bind(&b, "", "u", NULL);
    msg_execute(&b, "", 0);
    msg_sync(&b);
    r.got.len = 0;
    (void) talk();
    ok(r.nrepeat == 1 && got_error("0A000"), "not the second one");
    ok(clean(), "clean");

    client();
    msgs_run("s", "SELECT *", NULL);
    (void) talk();
    (void) relay_leave(&r);
    r.server.epoch = 5;
    client();
    msg_query(&b, "BEGIN");
    (void) talk();
    msgs_run("s", "SELECT *", NULL);
    r.nrepeat = 0;
    (void) talk();
    ok(r.nrepeat == 0 && got_error("0A000"), "nor in a block");
    (void) relay_leave(&r);

    /* the client goes in the middle of it */

    client();
    msgs_run("s", "SELECT *", NULL);
    (void) talk();
    (void) relay_leave(&r);
    r.server.epoch = 6;
    client();
    msgs_run("s", "SELECT *", NULL);
    relay_client(&r, b.data, b.len);
    b.len = 0;
    (void) relay_send(&r, (size_t) -1);
    (void) relay_receive(&r, r.server.visible - 1);
    ok(r.nrepeat == 1 && r.attached, "it is under way");
    ok(clean(), "and the client goes");
}


/* a request that is not forwarded */

static ngx_int_t
request(void)
{
    return ngx_hyperdrive_pg_proto.client_request(r.client, b.data,
                                                  b.data + b.len, &r.unit,
                                                  &r.err);
}


static ngx_uint_t
said(ngx_hyperdrive_chain_t *out, const char *text, size_t len)
{
    bytes_t     a;
    ngx_uint_t  same;

    ngx_memzero(&a, sizeof(bytes_t));
    bytes_chain(&a, out);

    same = (a.len == len && ngx_memcmp(a.data, text, len) == 0);

    bytes_free(&a);

    return same;
}


static void
test_serve(void)
{
    size_t                         i;
    ngx_uint_t                     good;
    ngx_hyperdrive_chain_t         out;
    ngx_hyperdrive_proto_t        *proto;
    ngx_hyperdrive_proto_error_t   err;

    proto = &ngx_hyperdrive_pg_proto;

    ngx_memzero(&out, sizeof(ngx_hyperdrive_chain_t));

    start(10);
    client();

    /* what is a question */

    b.len = 0;
    msg_query(&b, "SELECT a");
    good = 1;

    for (i = 0; i < b.len; i++) {
        good &= (proto->client_request(r.client, b.data, b.data + i, &r.unit,
                                       &r.err) == NGX_AGAIN);
    }

    ok(good && request() == NGX_OK && r.unit.len == b.len && r.unit.simple
       && r.unit.question && r.unit.head && r.unit.requests == 1,
       "a simple question");

    proto->serve_begin(r.client, &r.unit, (u_char *) "HEAD", 4, &out);
    ngx_hyperdrive_base_chain_append(&out, "rows", 4);
    proto->serve_end(r.client, &r.unit, &out);
    ok(said(&out, "HEADrows" READY_I, 14), "served");

    b.len = 0;
    msg_query(&b, "INSERT a");
    ok(request() == NGX_OK && !r.unit.question && r.unit.reason == 1,
       "a write is none");

    b.len = 0;
    msgs_run("n", "SELECT $", "1");
    good = 1;

    for (i = 0; i < b.len; i++) {
        good &= (proto->client_request(r.client, b.data, b.data + i, &r.unit,
                                       &r.err) == NGX_AGAIN);
    }

    ok(good && request() == NGX_OK && r.unit.question && r.unit.parse
       && !r.unit.head && r.unit.told == 0
       && r.unit.args.len == 9
       && ngx_memcmp(r.unit.args.data, "\0\0\0\1\0\0\0\1" "1", 9) == 0
       && r.unit.formats.len == 0, "an extended question");

    proto->serve_begin(r.client, &r.unit, (u_char *) "HEAD", 4, &out);
    proto->serve_end(r.client, &r.unit, &out);
    ok(said(&out, "1\0\0\0\4" "2\0\0\0\4" READY_I, 16), "served");

    b.len = 0;
    msg_bind(&b, "p", "n", "2");
    msg_describe(&b, 'P', "p");
    msg_execute(&b, "p", 0);
    msg_sync(&b);
    ok(request() == NGX_OK && r.unit.question && !r.unit.parse && r.unit.head,
       "a reuse of what was prepared by it");

    proto->serve_begin(r.client, &r.unit, (u_char *) "HEAD", 4, &out);
    proto->serve_end(r.client, &r.unit, &out);
    ok(said(&out, "2\0\0\0\4HEAD" READY_I, 15), "served");

    /* through the origin, which has never seen it */

    msg_parse(&b, "n", "SELECT $");
    server_feed(&direct, b.data + b.len - 18, 18);
    direct.out.len = 0;
    direct.visible = 0;
    b.len = 0;
    msgs_run("n", NULL, "3");
    ok(talk() && r.server.nparse == 1, "the origin is told when it is asked");

    /* arrangements that are left to the database */

    b.len = 0;
    msg_bind(&b, "", "n", "2");
    msg_execute(&b, "", 1);
    msg_sync(&b);
    ok(request() == NGX_OK && !r.unit.question, "a partial fetch");

    b.len = 0;
    msg_bind(&b, "p", "n", "2");
    msg_execute(&b, "", 0);
    msg_sync(&b);
    ok(request() == NGX_OK && !r.unit.question, "another portal");

    b.len = 0;
    msg_bind(&b, "", "n", "2");
    msg_execute(&b, "", 0);
    msg_execute(&b, "", 0);
    msg_sync(&b);
    ok(request() == NGX_OK && !r.unit.question, "two executions");

    b.len = 0;
    msg_bind(&b, "", "nobody", "2");
    msg_execute(&b, "", 0);
    msg_sync(&b);
    ok(request() == NGX_OK && !r.unit.question, "an unknown statement");

    b.len = 0;
    msgs_run("n", "SELECT again", NULL);
    ok(request() == NGX_OK && !r.unit.question, "a name that is taken");

    b.len = 0;
    msg_parse(&b, "x", "SELECT $");
    msg_bind(&b, "", "n", "2");
    msg_execute(&b, "", 0);
    msg_sync(&b);
    ok(request() == NGX_OK && !r.unit.question, "another statement");

    b.len = 0;
    msg_bind(&b, "", "n", "2");
    b.data[b.len - 1] = 9;
    msg_execute(&b, "", 0);
    msg_sync(&b);
    (void) request();
    ok(!r.unit.question, "a Bind that is malformed");

    /* result formats */

    b.len = 0;
    msg_bind(&b, "", "n", "2");
    b.len -= 2;
    bytes_u16(&b, 2);
    bytes_u16(&b, 0);
    bytes_u16(&b, 1);
    b.data[4] += 4;
    msg_execute(&b, "", 0);
    msg_sync(&b);
    ok(request() == NGX_OK && r.unit.question && r.unit.formats.len == 6
       && ngx_memcmp(r.unit.formats.data, "\0\2\0\0\0\1", 6) == 0,
       "binary results");

    /* refused */

    err.severity = "ERROR";
    err.sqlstate = "53300";
    err.message = "no";
    err.hint = NULL;

    b.len = 0;
    msgs_run("", "SELECT $", "3");
    (void) request();
    proto->refuse(r.client, &r.unit, &err, &out);
    ok(said(&out, "E\0\0\0\36SERROR\0VERROR\0C53300\0Mno\0\0"
                  READY_I, 37), "refused with an error");

    b.len = 0;
    msg_parse(&b, "f", "SELECT f");
    msg_flush(&b);
    (void) request();
    proto->refuse(r.client, &r.unit, &err, &out);
    ok(r.unit.flush
       && said(&out, "E\0\0\0\36SERROR\0VERROR\0C53300\0Mno\0\0", 31),
       "before a Flush: no Ready");

    b.len = 0;
    msg_bind(&b, "", "f", NULL);
    ok(request() == NGX_OK && r.unit.requests == 0 && r.unit.len == b.len,
       "it skips");
    b.len = 0;
    msg_query(&b, "SELECT skipped");
    ok(request() == NGX_OK && r.unit.requests == 0, "a Query, too");
    b.len = 0;
    msg_query(&b, "SELECT skipped");
    good = proto->client_request(r.client, b.data, b.data + 7, &r.unit,
                                 &r.err) == NGX_OK
           && r.unit.requests == 0 && r.unit.len == 7;
    good &= proto->client_request(r.client, b.data + 7, b.data + b.len,
                                  &r.unit, &r.err) == NGX_OK
            && r.unit.requests == 0 && r.unit.len == b.len - 7;
    ok(good, "and what comes in halves");

    b.len = 0;
    msg_sync(&b);
    ok(request() == NGX_OK && r.unit.local && r.unit.len == 5, "the Sync");
    proto->refuse(r.client, &r.unit, NULL, &out);
    ok(said(&out, READY_I, 6), "...ends it");

    b.len = 0;
    r.got.len = 0;
    server_free(&direct);
    server_init(&direct);
    msg_query(&b, "SELECT a");
    ok(talk(), "and it goes on");

    /* kept: the rows' description is asked for */

    r.got.len = 0;
    direct.out.len = 0;
    direct.visible = 0;
    msgs_run("", "SELECT2 a", NULL);
    proto->describe(r.client);
    ok(talk(), "a Describe of our own is not passed on");

    msg_query(&b, "SELECT a");
    ok(talk() && clean(), "clean");

    proto->error(NULL, NULL, &err, &out);
    ok(said(&out, "E\0\0\0\36SERROR\0VERROR\0C53300\0Mno\0\0", 31),
       "an error of ours");
}


static void
test_pieces(void)
{
    u_char                        *pos, *last;
    ngx_hyperdrive_chain_t         out, reply;
    ngx_hyperdrive_proto_t        *proto;
    ngx_hyperdrive_proto_piece_t   piece;

    proto = &ngx_hyperdrive_pg_proto;

    ngx_memzero(&out, sizeof(ngx_hyperdrive_chain_t));
    ngx_memzero(&reply, sizeof(ngx_hyperdrive_chain_t));

    start(10);
    client();
    b.len = 0;
    r.runs = 0;
    msgs_run("", "SELECT2 a", NULL);
    proto->describe(r.client);

    pos = b.data;
    ok(proto->forward(r.client, r.origin, &pos, b.data + b.len, &out, &reply,
                      relay_ran, &r, &r.err) == NGX_OK
       && pos == b.data + b.len && r.runs == 1 && reply.size == 0,
       "a unit is forwarded");
    ok(!proto->origin_settled(r.origin), "an answer is owed");

    bytes_chain(&r.out, &out);
    (void) relay_send(&r, (size_t) -1);

    pos = r.server.out.data;
    last = pos + r.server.out.len;

    ok(proto->answer(r.client, r.origin, &pos, last, 1, &reply, &piece)
       == NGX_OK && piece.type == NGX_HYPERDRIVE_PROTO_OTHER && piece.len == 10
       && !piece.own, "ParseComplete, BindComplete");
    ok(proto->answer(r.client, r.origin, &pos, last, 1, &reply, &piece)
       == NGX_OK && piece.type == NGX_HYPERDRIVE_PROTO_HEAD && piece.own
       && piece.data[0] == 'T' && proto->shape(piece.data, piece.len) > 1,
       "the description that we have asked for");
    ok(proto->answer(r.client, r.origin, &pos, last, 1, &reply, &piece)
       == NGX_OK && piece.type == NGX_HYPERDRIVE_PROTO_ROWS && piece.rows == 2
       && piece.end && !piece.own, "rows and their end");
    ok(proto->answer(r.client, r.origin, &pos, last, 1, &reply, &piece)
       == NGX_OK && piece.type == NGX_HYPERDRIVE_PROTO_READY && piece.len == 6,
       "the end of the unit");
    ok(proto->answer(r.client, r.origin, &pos, last, 1, &reply, &piece)
       == NGX_AGAIN && pos == last, "no more");
    ok(proto->origin_settled(r.origin) && proto->origin_idle(r.origin),
       "settled and idle");

    r.server.out.len = 0;
    r.server.visible = 0;

    /* the same for whom it need not be apart: it is prepared by now */

    b.len = 0;
    msgs_run("", "SELECT2 a", NULL);

    pos = b.data;
    ok(proto->forward(r.client, r.origin, &pos, b.data + b.len, &out, &reply,
                      relay_ran, &r, &r.err) == NGX_OK
       && pos == b.data + b.len, "the unit once more");

    bytes_chain(&r.out, &out);
    (void) relay_send(&r, (size_t) -1);

    pos = r.server.out.data;
    last = pos + r.server.out.len;

    ok(proto->answer(r.client, r.origin, &pos, last, 0, &reply, &piece)
       == NGX_OK && piece.type == NGX_HYPERDRIVE_PROTO_ROWS && piece.rows == 2
       && piece.end && piece.len > 10, "all up to the end in one piece");
    ok(proto->answer(r.client, r.origin, &pos, last, 0, &reply, &piece)
       == NGX_OK && piece.type == NGX_HYPERDRIVE_PROTO_READY
       && piece.len == 6 && pos == last, "but for the end of the unit");

    ngx_hyperdrive_base_chain_clear(&reply);

    r.server.out.len = 0;
    r.server.visible = 0;

    /* what is not owed */

    pos = (u_char *) "Z\0\0\0\5I";
    ok(proto->answer(r.client, r.origin, &pos, pos + 6, 1, &reply, &piece)
       == NGX_ERROR && piece.data, "an answer to no request");

    pos = (u_char *) "D\377\377\377\377";
    ok(proto->answer(r.client, r.origin, &pos, pos + 5, 1, &reply, &piece)
       == NGX_ERROR, "a length that is negative");

    pos = (u_char *) "A\0\0\0\17\0\0\0\1ch\0pay\0";
    ok(proto->answer(r.client, r.origin, &pos, pos + 16, 1, &reply, &piece)
       == NGX_OK && piece.type == NGX_HYPERDRIVE_PROTO_NOTICE
       && piece.len == 16, "a notification comes at any time");

    ok(proto->shape((u_char *) "n\0\0\0\4", 5) == 1, "the shape of no rows");

    proto->origin_terminate(&out);
    ok(said(&out, "X\0\0\0\4", 5), "Terminate");

    {
        ngx_str_t  key = ngx_string("1234");

        proto->origin_cancel(258, &key, &out);
        ok(said(&out, "\0\0\0\20\4\322\26\56\0\0\1\2" "1234", 16),
           "CancelRequest");
    }
}


int
main(void)
{
    registry = ngx_hyperdrive_state_registry_create(1024 * 1024,
                                                    relay_classify);
    server_init(&direct);

    test_cuts();
    test_matrix();
    test_shared();
    test_eviction();
    test_errors();
    test_pipelines();
    test_unknown();
    test_deallocate();
    test_flush();
    test_copy();
    test_large();
    test_bounds();
    test_abandon();
    test_shape();
    test_repeat();
    test_serve();
    test_pieces();

    relay_free(&r);
    server_free(&direct);
    bytes_free(&b);

    return done();
}
