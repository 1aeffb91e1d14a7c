/* sources: pg/ state/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * A client that is taken over by another worker, between any two of its bytes:
 * it gets the same answers as one that stays where it is.
 */


#include "pg_wire_relay.h"
#include "check.h"


static relay_t     plain, moved;
static bytes_t     b;


/* as the module's, which sees these words only if they stand alone */

static void
classify(ngx_str_t *text, ngx_uint_t mode, ngx_hyperdrive_state_plan_t *plan)
{
    char  *s;

    relay_classify(text, mode, plan);

    s = (char *) text->data;

    plan->single = (memchr(s, ';', text->len) == NULL && text->len != 0);

    plan->defer = (strcmp(s, "BEGIN") == 0);
    plan->commits = (strcmp(s, "COMMIT") == 0);
    plan->rolls_back = (strcmp(s, "ROLLBACK") == 0);
}


/* what is sent of a client, in memory of just its size; NULL: it stays */

static u_char *
export(void *client, size_t *len)
{
    u_char                  *data;
    ngx_int_t                rc;
    ngx_hyperdrive_chain_t   out;

    ngx_memzero(&out, sizeof(ngx_hyperdrive_chain_t));

    rc = ngx_hyperdrive_pg_proto.client_export(client, &out);

    data = NULL;
    *len = out.size;

    if (rc == NGX_OK) {
        data = malloc(out.size);
        ngx_hyperdrive_base_chain_copy(&out, data);
    }

    ngx_hyperdrive_base_chain_clear(&out);

    return data;
}


/* to the other worker and its memory; false: it stays */

static ngx_uint_t
move(relay_t *r)
{
    void    *client;
    size_t   len;
    u_char  *data;

    if (r->attached || r->client == NULL || r->streaming) {
        return 0;
    }

    data = export(r->client, &len);

    if (data == NULL) {
        return 0;
    }

    client = ngx_hyperdrive_pg_proto.client_import(&r->ctx, data, len);

    ngx_memset(data, 0xa5, len);
    free(data);

    if (client == NULL) {
        return 0;
    }

    ngx_hyperdrive_pg_proto.client_destroy(r->client);
    r->client = client;

    return 1;
}


/* says <b> in pieces of <cut> bytes, and moves behind each where it can */

static ngx_uint_t
say(relay_t *r, size_t cut, ngx_uint_t moves)
{
    size_t      i;
    ngx_uint_t  more, n;

    relay_connect(r);

    n = 0;

    for (i = 0; i < b.len; i += cut) {
        relay_client(r, b.data + i, ngx_min(b.len - i, cut));

        do {
            n += moves ? move(r) : 0;

            more = relay_send(r, 100000);
            more |= relay_receive(r, 100000);
        } while (more);
    }

    n += moves ? move(r) : 0;

    return n;
}


static void
same(const char *name)
{
    char        text[128];
    size_t      cut;
    ngx_uint_t  i, good;

    static size_t  cuts[] = { 100000, 50, 7, 3, 1 };

    (void) say(&plain, 100000, 0);

    for (i = 0; i < sizeof(cuts) / sizeof(cuts[0]); i++) {
        cut = cuts[i];

        good = (say(&moved, cut, 1) != 0);

        good &= (moved.got.len == plain.got.len
                 && ngx_memcmp(moved.got.data, plain.got.data, plain.got.len)
                    == 0
                 && moved.lost == NULL && !moved.failed);

        good &= (relay_leave(&moved) != NGX_ABORT);

        snprintf(text, sizeof(text), "%s, cut at %d", name, (int) cut);
        ok(good, text);
    }

    (void) relay_leave(&plain);

    b.len = 0;
}


static void
test_same(void)
{
    msg_query(&b, "SELECT2 a");
    msg_query(&b, "SELECT b");
    same("queries");

    msg_parse(&b, "s", "SELECT a");
    msg_describe(&b, 'S', "s");
    msg_sync(&b);
    msg_bind(&b, "", "s", NULL);
    msg_execute(&b, "", 0);
    msg_sync(&b);
    msg_parse(&b, "s", "SELECT b");
    msg_sync(&b);
    msg_close(&b, 'S', "s");
    msg_sync(&b);
    msg_bind(&b, "", "s", NULL);
    msg_execute(&b, "", 0);
    msg_sync(&b);
    same("a name");

    msg_parse(&b, "", "SELECT a");
    msg_sync(&b);
    msg_bind(&b, "", "", NULL);
    msg_execute(&b, "", 0);
    msg_sync(&b);
    msg_query(&b, "SELECT b");
    msg_bind(&b, "", "", NULL);
    msg_execute(&b, "", 0);
    msg_sync(&b);
    same("the unnamed one");

    msg_query(&b, "BEGIN");
    msg_query(&b, "SELECT a");
    msg_query(&b, "COMMIT");
    msg_query(&b, "BEGIN");
    msg_query(&b, "COMMIT");
    same("blocks");

    msg_query(&b, "BEGIN");
    msg_parse(&b, "", "SELECT a");
    msg_bind(&b, "", "", NULL);
    msg_execute(&b, "", 0);
    msg_sync(&b);
    msg_query(&b, "ROLLBACK");
    same("a block, extended");

    msg_data(&b, "what nobody waits for");
    msg_query(&b, "SELECT a");
    same("copy data that is dropped");

    msg_parse(&b, "t", "SELECT a");
    msg_bind(&b, "", "t", NULL);
    msg_flush(&b);
    msg_execute(&b, "", 0);
    msg_sync(&b);
    msg_query(&b, "SELECT b");
    same("Flush");

    msg_sync(&b);
    msg_sync(&b);
    same("Sync alone");

    msg_query(&b, "FAIL");
    msg_parse(&b, "u", "FAIL");
    msg_describe(&b, 'S', "u");
    msg_sync(&b);
    msg_query(&b, "SELECT a");
    same("errors");
}


/* a block that has failed, and what is skipped, without an origin */

static void
test_failed(void)
{
    size_t       cut;
    ngx_uint_t   good;
    relay_t     *r;
    bytes_t      expect;

    ngx_memzero(&expect, sizeof(bytes_t));

    r = &moved;
    r->none = 1;

    msg_query(&b, "BEGIN");
    msg_query(&b, "SELECT a");
    msg_query(&b, "SELECT b");
    msg_query(&b, "ROLLBACK");

    (void) say(r, 100000, 0);
    bytes_add(&expect, r->got.data, r->got.len);
    (void) relay_leave(r);

    for (good = 1, cut = 1; cut < 20; cut++) {
        good &= (say(r, cut, 1) != 0);
        good &= (r->got.len == expect.len
                 && ngx_memcmp(r->got.data, expect.data, expect.len) == 0);
        (void) relay_leave(r);
    }

    ok(good, "a block that has failed");

    r->none = 0;
    b.len = 0;
    bytes_free(&expect);
}


/* what is not whole, or too long, is no client */

static void
test_malformed(void)
{
    void        *client;
    size_t       len, i;
    u_char      *data, *copy;
    ngx_str_t    greeting;
    ngx_uint_t   good;

    relay_connect(&moved);

    greeting.data = (u_char *) "S\0\0\0\10a\0" "1\0";
    greeting.len = 9;

    ngx_hyperdrive_pg_proto.client_told(moved.client, &greeting);
    ngx_hyperdrive_pg_proto.client_hold(moved.client, 1);
    ngx_hyperdrive_pg_proto.client_hold(moved.client,
                                        NGX_HYPERDRIVE_PROTO_BACK);

    msg_parse(&b, "s", "SELECT a");
    msg_describe(&b, 'S', "s");
    msg_parse(&b, "", "SELECT b");
    msg_sync(&b);
    msg_query(&b, "BEGIN");

    relay_client(&moved, b.data, b.len);
    relay_run(&moved);

    b.len = 0;

    data = export(moved.client, &len);

    ok(data != NULL, "a client with all that it may have");

    good = 1;

    for (i = 0; i < len; i++) {
        copy = malloc(i + 1);
        ngx_memcpy(copy, data, i);

        client = ngx_hyperdrive_pg_proto.client_import(&moved.ctx, copy, i);
        good &= (client == NULL);

        free(copy);
    }

    ok(good, "cut at every byte, it is none");

    copy = malloc(len + 1);
    ngx_memcpy(copy, data, len);
    copy[len] = 0;

    ok(ngx_hyperdrive_pg_proto.client_import(&moved.ctx, copy, len + 1)
       == NULL, "nor is it with one more");

    copy[3]++;

    ok(ngx_hyperdrive_pg_proto.client_import(&moved.ctx, copy, len) == NULL,
       "nor of another version");

    copy[3]--;
    client = ngx_hyperdrive_pg_proto.client_import(&moved.ctx, copy, len);

    ok(client != NULL, "as it is, it is one");

    free(copy);

    copy = export(client, &i);

    ok(copy && i == len && ngx_memcmp(copy, data, len) == 0,
       "and says the same of itself");

    ngx_hyperdrive_pg_proto.client_destroy(client);
    free(copy);
    free(data);

    (void) relay_leave(&moved);
}


/* who is amid something stays */

static void
test_stays(void)
{
    size_t   len;
    u_char  *data;

    relay_connect(&moved);

    msg_parse(&b, "", "SELECT a");
    msg_flush(&b);
    relay_client(&moved, b.data, b.len);
    b.len = 0;

    data = export(moved.client, &len);
    ok(data == NULL, "a group that has begun");
    free(data);

    relay_run(&moved);

    data = export(moved.client, &len);
    ok(data == NULL, "...is answered, and not over");
    free(data);

    msg_sync(&b);
    relay_client(&moved, b.data, b.len);
    b.len = 0;

    relay_run(&moved);

    data = export(moved.client, &len);
    ok(data != NULL, "...is over");
    free(data);

    (void) relay_leave(&moved);
}


int
main(void)
{
    ngx_hyperdrive_state_registry_t  *one, *two;

    one = ngx_hyperdrive_state_registry_create(1024 * 1024, classify);
    two = ngx_hyperdrive_state_registry_create(0, classify);

    relay_init(&plain, one, 10);
    relay_init(&moved, two, 10);

    test_same();
    test_failed();
    test_malformed();
    test_stays();

    relay_free(&plain);
    relay_free(&moved);
    bytes_free(&b);

    return done();
}
