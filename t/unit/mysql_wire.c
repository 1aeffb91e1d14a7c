/* sources: mysql/ state/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * Tests of the MySQL wire behind the protocol table: every command and every
 * answer, said to a model server directly and through the protocol, cut at
 * every byte, for each pair of capabilities.
 */


#include "mysql_wire_relay.h"
#include "check.h"


#define STEPS  128


static ngx_hyperdrive_state_registry_t  *registry;

static bytes_t                           script;
static size_t                            steps[STEPS];
static ngx_uint_t                        nsteps;
static ngx_uint_t                        nknown;    /* of them are prepared
                                                       from memory */


/* one packet: a command, or with another number than 0 a part of a file */

static void
step(u_char seq, const void *data, size_t len)
{
    ngx_hyperdrive_chain_t  out;

    ngx_memzero(&out, sizeof(ngx_hyperdrive_chain_t));

    ngx_hyperdrive_mysql_packet_append(&out, data, len, &seq);
    bytes_chain(&script, &out);

    steps[nsteps++] = script.len;
}


#define COMMAND(text)  step(0, text, sizeof(text) - 1)


static void
commands(ngx_uint_t files)
{
    COMMAND("\3SELECT2 a");
    COMMAND("\3SELECT0 none");
    COMMAND("\3INSERT x");
    COMMAND("\3FAIL");
    COMMAND("\3WARN");
    COMMAND("\3BEGIN");
    COMMAND("\3SELECT b");
    COMMAND("\3FAIL");
    COMMAND("\3ROLLBACK");
    COMMAND("\3BEGIN");
    COMMAND("\3COMMIT");
    COMMAND("\3SELECT z;INSERT q;SELECT2 y");
    COMMAND("\3SELECT z;FAIL;SELECT2 y");

    /* SET_OPTION: several in one text, or one */
    COMMAND("\33\1\0");
    COMMAND("\3SELECT z;INSERT q");
    COMMAND("\33\0\0");
    COMMAND("\3SELECT z;INSERT q");
    COMMAND("\33\7");

    /* PREPARE: 1, 2 and 3, and one that cannot be */
    COMMAND("\26SELECT2 ? ?");
    COMMAND("\26INSERT ?");
    COMMAND("\26SELECT3 c");
    COMMAND("\26BAD");

    /* EXECUTE: without types, with them, again without */
    COMMAND("\27\1\0\0\0\0\1\0\0\0\0\0value");
    COMMAND("\27\1\0\0\0\0\1\0\0\0\0\1\3\0\10\200value");
    COMMAND("\27\1\0\0\0\0\1\0\0\0\0\0other");
    COMMAND("\27\2\0\0\0\0\1\0\0\0\0\1\3\0v");
    COMMAND("\27\3\0\0\0\0\1\0\0\0");
    COMMAND("\27\11\0\0\0\0\1\0\0\0");
    COMMAND("\27\1\0");

    /* LONG_DATA, used by the next execution, or taken back by RESET */
    COMMAND("\30\1\0\0\0\0\0long");
    COMMAND("\27\1\0\0\0\0\1\0\0\0\0\0v");
    COMMAND("\30\1\0\0\0\0\0gone");
    COMMAND("\32\1\0\0\0");
    COMMAND("\27\1\0\0\0\0\1\0\0\0\0\0v");
    COMMAND("\32\11\0\0\0");

    /* a cursor, FETCH, and its end */
    COMMAND("\27\3\0\0\0\1\1\0\0\0");
    COMMAND("\34\3\0\0\0\2\0\0\0");
    COMMAND("\34\3\0\0\0\2\0\0\0");
    COMMAND("\34\3\0\0\0\2\0\0\0");
    COMMAND("\34\11\0\0\0\1\0\0\0");

    /* BULK_EXECUTE */
    COMMAND("\372\2\0\0\0\200\0\3\0bulk");
    COMMAND("\372\2\0\0\0\0\0bulk");

    /* CLOSE */
    COMMAND("\31\2\0\0\0");
    COMMAND("\27\2\0\0\0\0\1\0\0\0\0\0v");
    COMMAND("\31\11\0\0\0");

    /* PREPARE of what is known: 4, 5 and 6; EXECUTE, one by the last number */
    COMMAND("\26SELECT3 c");
    COMMAND("\27\4\0\0\0\0\1\0\0\0");
    COMMAND("\26SELECT2 ? ?");
    COMMAND("\30\5\0\0\0\0\0long");
    COMMAND("\27\377\377\377\377\0\1\0\0\0\0\1\3\0\10\200value");
    COMMAND("\26INSERT ?");
    COMMAND("\31\6\0\0\0");
    COMMAND("\27\6\0\0\0\0\1\0\0\0\0\1\3\0v");
    COMMAND("\27\5\0\0\0\0\1\0\0\0\0\0other");
    nknown = 3;

    /* FIELD_LIST, STATISTICS, PING, INIT_DB, and one that is unknown */
    COMMAND("\4t\0");
    COMMAND("\11");
    COMMAND("\16");
    COMMAND("\2db");
    COMMAND("\125");

    if (files) {
        COMMAND("\3INFILE f");
        step(2, "line one\n", 9);
        step(3, "line two\n", 9);
        step(4, "", 0);
        COMMAND("\3INFILE f");
        step(2, "", 0);
    }

    /* RESET_CONNECTION */
    COMMAND("\37");
    COMMAND("\27\1\0\0\0\0\1\0\0\0\0\0v");
    COMMAND("\26SELECT2 ? ?");
    nknown++;

    /* REGISTER_SLAVE, BINLOG_DUMP: from here on the connection is its own */
    COMMAND("\25slave");
    COMMAND("\22dump");
    COMMAND("\3SELECT2 a");
}


/* of a client that knows query attributes */

static void
attributes(void)
{
    COMMAND("\3\0\1SELECT2 a");
    COMMAND("\3\2\1\2\1\375\0\5trace\10\0\1n\6abcdefSELECT b");
    COMMAND("\3\1\1\0\1\13\0\0\0SELECT c");

    /* without types, cut short, a length that is none */
    COMMAND("\3\1\1\0\0\375\0\1a\1xSELECT d");
    COMMAND("\3\1\1\0\1\375\0\1a\77SELECT e");
    COMMAND("\3\377\1SELECT f");
    COMMAND("\3");
    COMMAND("\3\0\1SELECT z;INSERT q");

    COMMAND("\26SELECT2 ? ?");
    COMMAND("\26SELECT g");

    /* parameters alone, and two more; both again, without types */
    COMMAND("\27\1\0\0\0\0\1\0\0\0\2\0\1\3\0\0\10\200\0intelonglong");
    COMMAND("\27\1\0\0\0\10\1\0\0\0\4\2\1\3\0\0\10\200\1n\375\0\5trace\1\0"
            "\1f" "inte\3abcx");
    COMMAND("\27\1\0\0\0\10\1\0\0\0\4\0\0intelonglong\2dey");
    COMMAND("\27\1\0\0\0\0\1\0\0\0\2\0\0intelonglong");

    /* a bulk execution's types hold instead, and it has no attributes */
    COMMAND("\372\1\0\0\0\200\0\10\0\3\0bulk");
    COMMAND("\27\1\0\0\0\0\1\0\0\0\2\0\0longlonginte");
    COMMAND("\27\1\0\0\0\10\1\0\0\0\4\0\0longlonginte\2dey");
    COMMAND("\27\1\0\0\0\0\1\0\0\0\2\0\1\3\0\0\10\200\0intelonglong");

    /* too few, a number that is not known, cut short */
    COMMAND("\27\1\0\0\0\0\1\0\0\0\1\0\1\3\0\0inte");
    COMMAND("\27\1\0\0\0\0\1\0\0\0\3\0\0intelonglong");
    COMMAND("\27\1\0\0\0\0\1\0\0\0\2\0\1\3\0\77");

    /* none but attributes, none at all, and a cursor */
    COMMAND("\27\2\0\0\0\10\1\0\0\0\1\0\1\375\0\1a\2bc");
    COMMAND("\27\2\0\0\0\10\1\0\0\0\0");
    COMMAND("\27\2\0\0\0\0\1\0\0\0");
    COMMAND("\27\2\0\0\0\11\1\0\0\0\1\0\1\375\0\1a\2bc");
    COMMAND("\34\2\0\0\0\2\0\0\0");

    COMMAND("\3\0\1FAIL");
    COMMAND("\16");
}


/*
 * Command by command; the client's bytes are cut at <in> of all, the server's
 * at <out> of all.  Returns how many of these there were, or 0: it was told
 * something else than it would have been directly.
 */

static size_t
run(uint64_t caps, uint64_t origin, size_t in, size_t out)
{
    size_t      pos, end, n, got;
    relay_t     r;
    server_t    direct;
    ngx_uint_t  i, good;

    relay_init(&r, registry, 10, origin, 1);
    relay_connect(&r, caps);

    server_init(&direct, caps, 1);
    direct.says = r.server.says;
    direct.shows = r.server.shows;

    pos = 0;
    got = 0;

    for (i = 0; i < nsteps; i++) {
        end = steps[i];

        if (pos < in && in < end) {
            relay_client(&r, script.data + pos, in - pos);
            pos = in;
            relay_run(&r);
        }

        relay_client(&r, script.data + pos, end - pos);
        pos = end;

        do {
            (void) relay_send(&r, (size_t) -1);

            n = r.server.out.len;

            if (got < out && out - got < n) {
                n = out - got;
            }

            got += n;

        } while (relay_receive(&r, n) && !r.failed);
    }

    server_feed(&direct, script.data, script.len);

    good = !r.failed && !r.lost && bytes_equal(&r.got, &direct.out);

    if (good && !in && !out && r.nprepared != nknown) {
        printf("# %d were prepared from memory\n", (int) r.nprepared);
        good = 0;
    }

    if (!good) {
        printf("# cut at %d and %d: %d bytes, not %d; %s\n", (int) in,
               (int) out, (int) r.got.len, (int) direct.out.len,
               r.lost ? r.lost : r.failed ? r.err.message : "");
    }

    (void) relay_leave(&r);
    relay_free(&r);
    server_free(&direct);

    return good ? got : 0;
}


static void
test_pair(uint64_t caps, uint64_t origin, const char *name)
{
    char    text[200];
    size_t  i, n, total, good;

    total = run(caps, origin, 0, 0);

    snprintf(text, sizeof(text), "%s: all commands", name);
    ok(total != 0, text);

    good = 0;

    for (i = 1; i < script.len && total; i++) {
        n = run(caps, origin, i, 0);
        good += (n == total);
    }

    snprintf(text, sizeof(text), "%s: commands cut at every byte", name);
    ok(good == script.len - 1, text);

    good = 0;

    for (i = 1; i < total; i++) {
        n = run(caps, origin, 0, i);
        good += (n == total);
    }

    snprintf(text, sizeof(text), "%s: answers cut at every byte", name);
    ok(total && good == total - 1, text);
}


int
main(void)
{
    uint64_t    base, files, a, b;
    char        name[100];
    ngx_uint_t  i;

    static uint64_t  forms[] = {
        0,
        NGX_HYPERDRIVE_MYSQL_DEPRECATE_EOF,
        NGX_HYPERDRIVE_MYSQL_DEPRECATE_EOF
        |NGX_HYPERDRIVE_MYSQL_SESSION_TRACK
        |NGX_HYPERDRIVE_MYSQL_MARIADB_TYPE_INFO
    };

    static char  *words[] = { "old", "new", "extended" };

    registry = ngx_hyperdrive_state_registry_create(1024 * 1024,
                                                    relay_classify);

    base = NGX_HYPERDRIVE_MYSQL_PROTOCOL_41
           |NGX_HYPERDRIVE_MYSQL_MULTI_STATEMENTS;

    for (i = 0; i < 9; i++) {

        /* (a client is told of changes only if the origin tells them) */

        a = forms[i % 3];
        b = forms[i / 3];

        if (i % 3 == 2) {
            /* which is between the client and us */
            a |= NGX_HYPERDRIVE_MYSQL_MARIADB_CACHE_METADATA;
        }

        if (!(b & NGX_HYPERDRIVE_MYSQL_SESSION_TRACK)) {
            a &= ~(uint64_t) NGX_HYPERDRIVE_MYSQL_SESSION_TRACK;
        }

        files = (i & 1) ? NGX_HYPERDRIVE_MYSQL_LOCAL_FILES : 0;

        script.len = 0;
        nsteps = 0;
        commands(files != 0);

        snprintf(name, sizeof(name), "client %s, database %s", words[i % 3],
                 words[i / 3]);
        test_pair(base | files | a, base | files | b, name);
    }

    /* query attributes: at both ends, at one, and at the other */

    base |= NGX_HYPERDRIVE_MYSQL_DEPRECATE_EOF;
    a = NGX_HYPERDRIVE_MYSQL_QUERY_ATTRIBUTES;

    script.len = 0;
    nsteps = 0;
    nknown = 0;
    attributes();

    test_pair(base | a, base | a, "both with attributes");
    test_pair(base | a, base, "client with attributes, database without");

    script.len = 0;
    nsteps = 0;
    commands(0);

    test_pair(base, base | a, "client without attributes, database with");

    bytes_free(&script);

    return done();
}
