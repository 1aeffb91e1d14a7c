/* sources: pg/ state/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * Statements of our own behind a client's: the client sees nothing of them,
 * wherever the bytes are cut.
 */


#include "pg_wire_relay.h"
#include "pg/ngx_hyperdrive_pg_forward.h"
#include "check.h"


static ngx_hyperdrive_state_registry_t  *registry;

static relay_t                           r;
static bytes_t                           b;


/* what is in <b>, cut at every byte on both ends, is answered as directly */

static void
unseen(const char *name, ngx_uint_t apart, ngx_uint_t n)
{
    size_t      cut;
    server_t    direct;
    ngx_uint_t  good, moved;

    server_init(&direct);
    server_feed(&direct, b.data, b.len);

    good = 1;

    for (cut = 1; cut <= ngx_max(b.len, direct.out.len); cut++) {

        relay_init(&r, registry, 10);
        relay_connect(&r);

        r.behind = "SELECT2 behind";
        r.apart = apart;

        relay_client(&r, b.data, ngx_min(cut, b.len));

        if (cut < b.len) {
            relay_client(&r, b.data + cut, b.len - cut);
        }

        (void) relay_send(&r, cut);
        (void) relay_receive(&r, cut);

        do {
            moved = relay_send(&r, (size_t) -1);
            moved |= relay_receive(&r, (cut == 1) ? 1 : (size_t) -1);
        } while (moved);

        good &= (r.got.len == direct.visible
                 && ngx_memcmp(r.got.data, direct.out.data, r.got.len) == 0
                 && r.nbehind == n && r.nready == 1 && r.lost == NULL
                 && !r.attached);

        if (!good) {
            printf("# cut at %d: %d of %d bytes, %d behind\n", (int) cut,
                   (int) r.got.len, (int) direct.visible, (int) r.nbehind);
            cut = b.len + direct.out.len;
        }

        good &= (relay_leave(&r) != NGX_ABORT);

        relay_free(&r);
    }

    ok(good, name);

    server_free(&direct);

    b.len = 0;
}


static void
group(const char *name, const char *portal, const char *text)
{
    if (text) {
        msg_parse(&b, name, text);
    }

    msg_bind(&b, portal, name, NULL);
    msg_describe(&b, 'P', portal);
    msg_execute(&b, portal, 0);
}


static void
test_unseen(void)
{
    ngx_uint_t  i;

    for (i = 0; i < 2; i++) {
        msg_query(&b, "INSERT a");
        unseen(i ? "a Query, apart" : "a Query", i, 1);

        msg_query(&b, "NOTICE a");
        unseen(i ? "...with a notice" : "a Query with a notice", i, 1);

        msg_query(&b, "DEFER d;INSERT a");
        unseen("a Query that fails at its end", i, 1);
    }

    msg_query(&b, "SELECT2 a;INSERT b;SELECT c;NOTICE d;INSERT e;SELECT f");
    unseen("a text of many", 1, 3);

    msg_query(&b, "INSERT a;FAIL;INSERT b");
    unseen("a text that fails", 0, 2);

    msg_query(&b, "SELECT a");
    unseen("a Query that nothing goes behind", 1, 0);

    group("", "", "INSERT a");
    msg_sync(&b);
    unseen("a group", 1, 1);

    group("", "p", "INSERT a");
    group("", "q", NULL);
    group("s", "p", "SELECT2 a");
    group("s", "", NULL);
    msg_close(&b, 'S', "s");
    msg_sync(&b);
    unseen("a portal, and the unnamed statement once more", 0, 2);

    group("", "", "INSERT a");
    group("", "", "FAIL");
    group("", "", "INSERT a");
    msg_sync(&b);
    unseen("a group that fails", 0, 2);

    group("", "", "INSERT a");
    msg_query(&b, "INSERT b");
    unseen("a Query in a group", 1, 2);

    msg_parse(&b, "s", "NOTICE a");
    msg_flush(&b);
    msg_bind(&b, "", "s", NULL);
    msg_flush(&b);
    msg_execute(&b, "", 0);
    msg_flush(&b);
    group("", "", "SELECT a");
    msg_sync(&b);
    unseen("a group with Flushes", 0, 1);
}


/* what does not run has nothing behind it */

static void
test_unused(void)
{
    relay_init(&r, registry, 10);
    relay_connect(&r);

    r.behind = "SELECT behind";

    msg_parse(&b, "", "INSERT a");
    msg_bind(&b, "", "", NULL);
    msg_sync(&b);

    relay_client(&r, b.data, b.len);
    relay_run(&r);

    ok(!((ngx_hyperdrive_pg_origin_t *) r.origin)->poisoned && r.nbehind == 0
       && r.nready == 1, "no Execute");

    (void) relay_leave(&r);
    relay_free(&r);

    b.len = 0;
}


static void
test_errors(void)
{
    relay_init(&r, registry, 10);
    relay_connect(&r);

    r.behind = "FAIL";
    r.apart = 1;

    msg_query(&b, "INSERT a");
    relay_client(&r, b.data, b.len);
    relay_run(&r);

    ok(relay_types(&r, "CZ") && r.nready == 1 && r.nown == 3,
       "an error apart is ours");

    b.len = 0;

    (void) relay_leave(&r);
    relay_free(&r);

    relay_init(&r, registry, 10);
    relay_connect(&r);

    r.behind = "FAIL";

    group("", "", "INSERT a");
    msg_sync(&b);
    relay_client(&r, b.data, b.len);
    relay_run(&r);

    ok(relay_types(&r, "12nCEZ") && r.nready == 1,
       "...and one in a group the client's");

    b.len = 0;

    (void) relay_leave(&r);
    relay_free(&r);
}


/* "12345" with "xxx" behind its second and its fourth character */

static void
test_position(void)
{
    ngx_uint_t                    i, good;
    ngx_hyperdrive_pg_reply_t    *reply;
    ngx_hyperdrive_pg_client_t   *c;
    ngx_hyperdrive_pg_forward_t   f;
    ngx_hyperdrive_state_stmt_t  *stmt;

    static ngx_str_t   text = ngx_string("1\xc3\xa4" "345"), none;
    static ngx_uint_t  expect[] = { 0, 1, 2, 3, 3, 3, 3, 3, 4, 5, 5, 5, 5,
                                    5 };

    static ngx_hyperdrive_proto_behind_t  list[] = {
        { 0, 3, ngx_string("xxx") },
        { 1, 5, ngx_string("x\xc3\xa4x") }
    };

    relay_init(&r, registry, 10);
    relay_connect(&r);

    c = r.client;

    stmt = ngx_hyperdrive_state_stmt_get(registry, &text, &none, 0);

    ngx_memzero(&f, sizeof(ngx_hyperdrive_pg_forward_t));

    f.client = c;
    f.origin = r.origin;
    f.out = calloc(1, sizeof(ngx_hyperdrive_chain_t));
    f.total = 1 + 4 + text.len + 1;
    f.behind = list;
    f.nbehind = 2;

    reply = ngx_hyperdrive_pg_ledger_push(&f.origin->ledger);

    good = (ngx_hyperdrive_pg_behind_query(&f, stmt, reply) == NGX_OK);

    bytes_chain(&r.got, f.out);
    free(f.out);

    ok(good && r.got.len == 5 + 15 + 1
       && ngx_memcmp(r.got.data,
                     "Q\0\0\0\24" "1\xc3\xa4;xxx34;x\xc3\xa4x5", 21) == 0,
       "what is put in");

    for (i = 1; good && i < sizeof(expect) / sizeof(expect[0]); i++) {
        good = (ngx_hyperdrive_pg_behind_position(reply->behind, i)
                == expect[i]);
    }

    if (!good) {
        printf("# position %d\n", (int) i - 1);
    }

    ok(good, "where an error is, in characters");

    ngx_hyperdrive_state_stmt_unref(registry, stmt);

    relay_free(&r);
}


int
main(void)
{
    registry = ngx_hyperdrive_state_registry_create(1024 * 1024,
                                                    relay_classify);

    test_unseen();
    test_unused();
    test_errors();
    test_position();

    bytes_free(&b);

    return done();
}
