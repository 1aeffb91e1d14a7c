/* sources: pg/ state/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * Requests of our own ahead of a client's: the client sees nothing of them,
 * unless they fail, and then their error in the place of its answer.
 */


#include "pg_wire_relay.h"
#include "check.h"


#define SHARED  0
#define ALONE   NGX_HYPERDRIVE_PROTO_OWN_SYNC


static ngx_hyperdrive_state_registry_t  *registry;

static relay_t                           r;
static bytes_t                           b;


/* says <b>, in pieces of <cut> bytes at both ends */

static void
say(char *own, ngx_uint_t flags, size_t cut)
{
    size_t      i;
    ngx_uint_t  moved;

    relay_connect(&r);

    r.own = own;
    r.own_flags = flags;

    for (i = 0; i < b.len; i += cut) {
        relay_client(&r, b.data + i, ngx_min(b.len - i, cut));

        (void) relay_send(&r, cut);
        (void) relay_receive(&r, cut);
    }

    do {
        moved = relay_send(&r, cut);
        moved |= relay_receive(&r, cut);
    } while (moved);
}


/* the same unit behind requests that do well, and that fail; cut anywhere */

static void
behind(const char *name, const char *direct, const char *failed)
{
    char        text[128];
    size_t      cut;
    ngx_uint_t  good;

    static size_t  cuts[] = { 100000, 50, 7, 3, 1 };
    ngx_uint_t     i;

    for (i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
        cut = cuts[i];

        say("SELECT2 own", SHARED, cut);
        good = relay_types(&r, direct) && r.nown == 6 && r.attached == r.pinned
               && r.lost == NULL;
        good &= (relay_leave(&r) != NGX_ABORT);

        snprintf(text, sizeof(text), "%s: unseen, cut at %d", name, (int) cut);
        ok(good, text);

        say("FAIL", SHARED, cut);
        good = relay_types(&r, failed) && r.nown == 3 && r.attached == r.pinned
               && r.lost == NULL;
        good &= (relay_leave(&r) != NGX_ABORT);

        snprintf(text, sizeof(text), "%s: its error, cut at %d", name,
                 (int) cut);
        ok(good, text);

        say("FAIL", ALONE, cut);
        good = relay_types(&r, direct) && r.nown == 4 && r.attached == r.pinned
               && r.lost == NULL;
        good &= (relay_leave(&r) != NGX_ABORT);

        snprintf(text, sizeof(text), "%s: alone, its error is ours, "
                 "cut at %d", name, (int) cut);
        ok(good, text);
    }

    b.len = 0;
}


static void
test_units(void)
{
    static char  text[NGX_HYPERDRIVE_MAX_TEXT + 65536];

    msg_query(&b, "SELECT2 a");
    behind("a Query", "TDDCZ", "EZ");

    msg_query(&b, "SELECT a;FAIL");
    behind("a Query that fails", "TDCEZ", "EZ");

    msg_query(&b, "SELECT2 a");
    msg_query(&b, "SELECT b");
    behind("two of them", "TDDCZTDCZ", "EZTDCZ");

    msg_query(&b, "");
    behind("an empty one", "IZ", "EZ");

    msg_query(&b, "BEGIN");
    msg_query(&b, "COMMIT");
    behind("a block", "CZCZ", "EZCZ");

    msg_query(&b, "COPYOUT t");
    behind("COPY TO", "HddcCZ", "EZ");

    msg_function(&b);
    behind("a FunctionCall", "VZ", "EZ");

    msg_parse(&b, "", "SELECT a");
    msg_bind(&b, "", "", NULL);
    msg_describe(&b, 'P', "");
    msg_execute(&b, "", 0);
    msg_sync(&b);
    behind("the extended protocol", "12TDCZ", "EZ");

    msg_parse(&b, "s", "SELECT a");
    msg_bind(&b, "", "s", NULL);
    msg_execute(&b, "", 0);
    msg_query(&b, "SELECT b");
    msg_sync(&b);
    behind("...and a Query in its group", "12DCTDCZZ", "EZ");

    msg_parse(&b, "t", "SELECT a");
    msg_describe(&b, 'S', "t");
    msg_flush(&b);
    msg_bind(&b, "", "t", NULL);
    msg_execute(&b, "", 0);
    msg_sync(&b);
    behind("Flush", "1tT2DCZ", "EZ");

    msg_execute(&b, "", 0);
    msg_sync(&b);
    behind("a portal that is not there", "EZ", "EZ");

    msg_bind(&b, "", "", NULL);
    msg_sync(&b);
    behind("a statement that is not there", "EZ", "EZ");

    ngx_memset(text, 'x', sizeof(text) - 1);
    ngx_memcpy(text, "SELECT ", 7);
    msg_query(&b, text);
    say("SELECT2 own", SHARED, 65536);
    ok(relay_types(&r, "TDCZ") && r.pinned && r.nown == 6,
       "a Query that streams");
    (void) relay_leave(&r);
    say("FAIL", SHARED, 65536);
    ok(relay_types(&r, "EZ") && r.nown == 3, "...and its error");
    (void) relay_leave(&r);
    b.len = 0;
}


static void
test_copy(void)
{
    msg_query(&b, "COPYIN t");
    say("SELECT2 own", SHARED, 100000);
    ok(relay_types(&r, "G"), "COPY FROM behind our own");
    b.len = 0;
    msg_data(&b, "line\n");
    msg_bare(&b, 'c');
    relay_all(&r, &b);
    ok(relay_types(&r, "GCZ") && !r.attached && relay_leave(&r) == NGX_OK,
       "...and its data");
    b.len = 0;
}


/* the client leaves after each byte */

static void
test_leave(void)
{
    size_t      i, k;
    bytes_t     all;
    ngx_uint_t  good;

    ngx_memzero(&all, sizeof(bytes_t));

    msg_query(&all, "DEFER d");
    msg_parse(&all, "", "DEFER d");
    msg_bind(&all, "", "", NULL);
    msg_execute(&all, "", 0);
    msg_sync(&all);

    good = 1;

    for (i = 1; i <= all.len; i++) {

        for (k = 0; k < 3; k++) {
            b.len = 0;
            bytes_add(&b, all.data, i);

            relay_connect(&r);
            r.own = (k & 1) ? "FAIL" : "SELECT2 own";
            r.own_flags = SHARED;

            relay_client(&r, b.data, b.len);

            if (k == 2) {
                (void) relay_send(&r, (size_t) -1);
            }

            good &= (relay_leave(&r) != NGX_ABORT);
        }
    }

    ok(good, "left at every byte");

    bytes_free(&all);
    b.len = 0;
}


int
main(void)
{
    registry = ngx_hyperdrive_state_registry_create(1024 * 1024,
                                                    relay_classify);
    relay_init(&r, registry, 10);

    test_units();
    test_copy();
    test_leave();

    relay_free(&r);
    bytes_free(&b);

    return done();
}
