/* sources: pg/ state/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * Tests of the log-in, both ends: against each other, and against messages
 * written by hand, cut at every byte.
 */


#include "pg/ngx_hyperdrive_pg_login.h"
#include "pg/ngx_hyperdrive_pg_message.h"
#include "pg/ngx_hyperdrive_pg_saslprep.h"
#include "base/ngx_hyperdrive_base_cursor.h"
#include "check.h"


#define AGAIN   NGX_HYPERDRIVE_PG_LOGIN_AGAIN
#define TLS     NGX_HYPERDRIVE_PG_LOGIN_TLS
#define CANCEL  NGX_HYPERDRIVE_PG_LOGIN_CANCEL
#define LOOKUP  NGX_HYPERDRIVE_PG_LOGIN_LOOKUP
#define OK      NGX_HYPERDRIVE_PG_LOGIN_OK
#define FAILED  NGX_HYPERDRIVE_PG_LOGIN_FAILED


/* bytes on the way */

typedef struct {
    u_char       data[200000];
    size_t       len;
} bytes_t;


static ngx_hyperdrive_pg_client_login_t  client;
static ngx_hyperdrive_pg_origin_login_t  origin;
static bytes_t                           packet, answer, first_answer;
static char                             *md5_secret, *scram_secret;


static ngx_str_t
str(const char *s)
{
    ngx_str_t  v;

    v.data = (u_char *) s;
    v.len = strlen(s);

    return v;
}


static ngx_uint_t
is(ngx_str_t *s, const char *text)
{
    return s->len == strlen(text)
           && (s->len == 0 || memcmp(s->data, text, s->len) == 0);
}


/* moves what is in a chain behind the bytes */

static void
drain(ngx_hyperdrive_chain_t *chain, bytes_t *b)
{
    ngx_hyperdrive_block_t  *block;

    for (block = chain->head; block; block = block->next) {
        ngx_memcpy(b->data + b->len, block->pos, block->last - block->pos);
        b->len += block->last - block->pos;
    }

    ngx_hyperdrive_base_chain_clear(chain);
}


static void
put(bytes_t *b, const void *data, size_t len)
{
    ngx_memcpy(b->data + b->len, data, len);
    b->len += len;
}


static void
put_u32(bytes_t *b, uint32_t v)
{
    ngx_hyperdrive_base_put_u32(b->data + b->len, v);
    b->len += 4;
}


/* a whole message; type 0: none */

static void
put_message(bytes_t *b, u_char type, const void *data, size_t len)
{
    if (type) {
        put(b, &type, 1);
    }

    put_u32(b, 4 + len);
    put(b, data, len);
}


#define put_literal(b, type, text)                                           \
    put_message(b, type, text, sizeof(text) - 1)


static void
put_auth(bytes_t *b, uint32_t type, const char *data, size_t len)
{
    put(b, "R", 1);
    put_u32(b, 8 + len);
    put_u32(b, type);
    put(b, data, len);
}


/* a start-up packet; <params> with NULs in it and one at its end */

#define put_startup(b, version, params)                                      \
    put_u32(b, 8 + sizeof(params) - 1);                                      \
    put_u32(b, version);                                                     \
    put(b, params, sizeof(params) - 1)


/* the message of an ErrorResponse in <b>, or "" */

static const char *
error_field(bytes_t *b, u_char field)
{
    size_t           i, len;
    ngx_str_t        value;
    static u_char    text[8192];

    for (i = 0; i + 5 <= b->len; i += 1 + len) {

        if (i == 0 && (b->data[0] == 'S' || b->data[0] == 'N')
            && b->data[1] != 0)
        {
            len = 0;
            continue;
        }

        len = (size_t) b->data[i + 1] << 24 | b->data[i + 2] << 16
              | b->data[i + 3] << 8 | b->data[i + 4];

        if (b->data[i] == 'E' && i + 1 + len <= b->len
            && ngx_hyperdrive_pg_error_field(b->data + i + 5, len - 4, field,
                                             &value)
               == NGX_OK)
        {
            ngx_cpystrn(text, value.data, sizeof(text));
            return (char *) text;
        }
    }

    return "";
}


static ngx_uint_t
error_is(bytes_t *b, const char *code, const char *message)
{
    return strcmp(error_field(b, 'C'), code) == 0
           && strcmp(error_field(b, 'S'), "FATAL") == 0
           && strcmp(error_field(b, 'V'), "FATAL") == 0
           && strstr(error_field(b, 'M'), message) != NULL;
}


/* the client's end */

static void
client_begin(void)
{
    ngx_hyperdrive_pg_client_login_destroy(&client);
    ngx_memzero(&client, sizeof(client));
    ngx_memset(client.mock_secret, 7, sizeof(client.mock_secret));

    answer.len = 0;
}


/*
 * Gives <len> bytes of the packet after another, those that are not consumed
 * once more; the bytes are in memory of just their size.
 */

static ngx_hyperdrive_pg_login_rc_e
client_feed(size_t *from, size_t len)
{
    u_char                        *copy, *p;
    ngx_hyperdrive_chain_t         out;
    ngx_hyperdrive_pg_login_rc_e   rc;

    ngx_memzero(&out, sizeof(out));

    copy = malloc(len - *from + 1);
    ngx_memcpy(copy, packet.data + *from, len - *from);
    p = copy;

    rc = ngx_hyperdrive_pg_client_login(&client, &p, copy + (len - *from),
                                        &out);
    *from += p - copy;

    free(copy);
    drain(&out, &answer);

    return rc;
}


typedef void (*setup_pt)(void);

/*
 * The packet whole, cut at each byte, and byte by byte; LOOKUP and TLS are
 * gone through with what <setup> set.
 */

static ngx_hyperdrive_pg_login_rc_e
client_run_cut(setup_pt setup, size_t cut)
{
    size_t                         from, len;
    ngx_hyperdrive_pg_login_rc_e   rc;

    client_begin();

    if (setup) {
        setup();
    }

    from = 0;
    len = cut ? ngx_min(cut, packet.len) : 1;

    for ( ;; ) {
        rc = client_feed(&from, len);

        if (rc == TLS) {
            client.tls = 1;
            continue;
        }

        if (rc == LOOKUP) {
            continue;
        }

        if (rc != AGAIN || len == packet.len) {
            return rc;
        }

        len = cut ? packet.len : len + 1;
    }
}


static ngx_hyperdrive_pg_login_rc_e
client_run(setup_pt setup)
{
    size_t                         cut;
    ngx_hyperdrive_pg_login_rc_e   rc, whole;

    whole = client_run_cut(setup, packet.len);
    first_answer = answer;

    for (cut = 0; cut < packet.len && cut < 2000; cut++) {

        rc = client_run_cut(setup, cut);

        /* salts differ, lengths do not */

        if (rc != whole || answer.len != first_answer.len) {
            printf("# cut at %d: result %d, not %d\n", (int) cut, rc, whole);
            return (ngx_hyperdrive_pg_login_rc_e) 100;
        }
    }

    return client_run_cut(setup, packet.len);
}


static ngx_uint_t
client_fails(setup_pt setup, const char *code, const char *message)
{
    return client_run(setup) == FAILED
           && error_is(&answer, code, message)
           && strcmp(client.sqlstate, code) == 0
           && client.reason != NULL;
}


static void
setup_tls_offered(void)
{
    client.tls_offered = 1;
}


static void
setup_tls(void)
{
    client.tls_offered = 1;
    client.tls = 1;
}


static void
setup_md5(void)
{
    client.auth = NGX_HYPERDRIVE_PG_AUTH_MD5;
    client.secret = str(md5_secret);
    client.found = 1;
}


static void
setup_scram(void)
{
    client.auth = NGX_HYPERDRIVE_PG_AUTH_SCRAM;
    client.secret = str(scram_secret);
    client.found = 1;
}


static void
setup_plus(void)
{
    setup_scram();
    client.tls = 1;
    client.channel_binding = 1;
    client.cert_hash = str("0123456789abcdef0123456789abcdef");
}


static void
test_startup(void)
{
    size_t       i, len;
    ngx_uint_t   good;

    static const char  v2[] = "EFATAL:  unsupported frontend protocol 2.0: "
                              "server supports 3.0 to 3.2\n";

    packet.len = 0;
    put_startup(&packet, 0x30000,
                "user\0app\0database\0shop\0application_name\0x\0"
                "options\0-c a=b\0\0");
    ok(client_run(NULL) == OK && client.protocol == 0x30000
       && is(&client.user, "app") && is(&client.database, "shop")
       && client.nparams == 2
       && is(&client.params[0].name, "application_name")
       && is(&client.params[0].value, "x")
       && is(&client.params[1].name, "options")
       && is(&client.params[1].value, "-c a=b")
       && client.replication.len == 0,
       "startup, parameters");
    ok(answer.len == 9 && memcmp(answer.data, "R\0\0\0\10\0\0\0\0", 9) == 0,
       "trust: AuthenticationOk alone");

    packet.len = 0;
    put_startup(&packet, 0x30000, "user\0app\0\0");
    ok(client_run(NULL) == OK && is(&client.database, "app"),
       "the database is the user's name");

    packet.len = 0;
    put_startup(&packet, 0x30000,
                "user\0a\0user\0b\0TimeZone\0x\0timezone\0y\0z\0\0\0");
    ok(client_run(NULL) == OK && is(&client.user, "b") && client.nparams == 2
       && is(&client.params[0].value, "y") && client.params[1].value.len == 0,
       "the last one of two counts, settings without case");

    packet.len = 0;
    put_startup(&packet, 0x30000,
                "user\0a\0replication\0database\0\0");
    ok(client_run(NULL) == OK && is(&client.replication, "database")
       && client.nparams == 0,
       "replication");

    packet.len = 0;
    put_startup(&packet, 0x30000, "user\0a\0replication\0OF\0\0");
    ok(client_run(NULL) == OK && client.replication.len == 0,
       "replication off");

    packet.len = 0;
    put_startup(&packet, 0x30000, "user\0a\0replication\0tr\0\0");
    ok(client_run(NULL) == OK && is(&client.replication, "tr"),
       "replication on");

    packet.len = 0;
    put_startup(&packet, 0x30000, "user\0a\0replication\0o\0\0");
    ok(client_fails(NULL, "22023", "replication"), "replication unclear");

    packet.len = 0;
    put_startup(&packet, 0x30000, "database\0a\0\0");
    ok(client_fails(NULL, "28000", "no PostgreSQL user name specified in "
                                   "startup packet"),
       "no user");

    packet.len = 0;
    put_startup(&packet, 0x30000, "\0");
    ok(client_fails(NULL, "28000", "no PostgreSQL user"), "no parameters");

    packet.len = 0;
    put_startup(&packet, 0x30000, "");
    ok(client_fails(NULL, "08P01", "terminator"), "no terminator at all");

    packet.len = 0;
    put_startup(&packet, 0x30000, "user\0a\0");
    ok(client_fails(NULL, "08P01", "invalid startup packet layout: expected "
                                   "terminator as last byte"),
       "no terminator");

    packet.len = 0;
    put_startup(&packet, 0x30000, "user\0a\0\0x");
    ok(client_fails(NULL, "08P01", "terminator"), "bytes behind it");

    packet.len = 0;
    put_startup(&packet, 0x30000, "user\0a\0b\0");
    ok(client_fails(NULL, "08P01", "terminator"), "name without a value");

    packet.len = 0;
    put_startup(&packet, 0x30000, "user\0a\0bcd");
    ok(client_fails(NULL, "08P01", "terminator"), "name without an end");

    packet.len = 8;
    ngx_hyperdrive_base_put_u32(packet.data + 4, 0x30000);
    put(&packet, "user\0a\0", 7);

    for (i = 0; i < NGX_HYPERDRIVE_PG_MAX_PARAMS; i++) {
        packet.len += sprintf((char *) packet.data + packet.len, "p%d", (int) i)
                      + 1;
        packet.data[packet.len++] = '1';
        packet.data[packet.len++] = '\0';
    }

    len = packet.len;
    packet.data[packet.len++] = '\0';
    ngx_hyperdrive_base_put_u32(packet.data, packet.len);

    ok(client_run(NULL) == OK
       && client.nparams == NGX_HYPERDRIVE_PG_MAX_PARAMS,
       "as many parameters as fit");

    packet.len = len;
    put(&packet, "q\0\0\0", 4);
    ngx_hyperdrive_base_put_u32(packet.data, packet.len);

    ok(client_fails(NULL, "54000", "too many parameters"),
       "one parameter more");

    packet.len = 0;
    put_u32(&packet, 7);
    ok(client_fails(NULL, "08P01", "invalid length"), "length 7");

    packet.len = 0;
    put_u32(&packet, NGX_HYPERDRIVE_PG_MAX_STARTUP + 5);
    ok(client_fails(NULL, "08P01", "invalid length"), "length too large");

    packet.len = 0;
    put_u32(&packet, 0xffffffff);
    ok(client_fails(NULL, "08P01", "invalid length"), "length negative");

    packet.len = 0;
    put(&packet, "\x16\x03\x01\x02", 4);
    ok(client_fails(NULL, "08P01", "TLS handshake"), "TLS from the start");

    packet.len = 0;
    put_u32(&packet, NGX_HYPERDRIVE_PG_MAX_STARTUP + 4);
    put_u32(&packet, 0x30000);
    put(&packet, "user\0a\0b\0", 9);
    ngx_memset(packet.data + packet.len, 'x', 20000);
    packet.len = NGX_HYPERDRIVE_PG_MAX_STARTUP + 4;
    packet.data[packet.len - 2] = '\0';
    packet.data[packet.len - 1] = '\0';
    ok(client_run(NULL) == OK && client.nparams == 1, "the longest packet");

    packet.len = 0;
    put_u32(&packet, 8 + 5 + 1500 + 2);
    put_u32(&packet, 0x30000);
    put(&packet, "user", 5);
    ngx_memset(packet.data + packet.len, 'u', 1500);
    packet.len += 1500;
    put(&packet, "\0", 2);
    ok(client_fails(NULL, "42622", "too long"), "a name that is too long");

    /* versions */

    packet.len = 0;
    put_startup(&packet, 0x30002, "user\0a\0\0");
    ok(client_run(NULL) == OK && client.protocol == 0x30002
       && answer.len == 9,
       "3.2 without negotiation");

    packet.len = 0;
    put_startup(&packet, 0x30001, "user\0a\0\0");
    ok(client_run(NULL) == OK && client.protocol == 0x30000
       && answer.len == 9 + 13
       && memcmp(answer.data, "v\0\0\0\14\0\3\0\0\0\0\0\0", 13) == 0,
       "3.1 becomes 3.0");

    packet.len = 0;
    put_startup(&packet, 0x3270f, "user\0a\0_pq_.x\0y\0_pq_.\0\0\0");
    ok(client_run(NULL) == OK && client.protocol == 0x30002
       && answer.len == 9 + 13 + 7 + 6
       && memcmp(answer.data, "v\0\0\0\31\0\3\0\2\0\0\0\2_pq_.x\0_pq_.\0", 26)
          == 0
       && client.nparams == 0,
       "3.9999 becomes 3.2, options are named");

    packet.len = 0;
    put_startup(&packet, 0x30000, "_pq_.a\0user\0user\0_pq_.b\0\0");
    ok(client_run(NULL) == OK && is(&client.user, "_pq_.b")
       && answer.len == 9 + 13 + 7
       && memcmp(answer.data + 9, "\0\0\0\1_pq_.a\0", 11) == 0,
       "an option with 3.0, values are not options");

    packet.len = 0;
    put_startup(&packet, 0x20000, "user\0a\0\0");
    ok(client_run(NULL) == FAILED
       && answer.len == sizeof(v2)
       && memcmp(answer.data, v2, sizeof(v2)) == 0,
       "2.0 is refused in its own form");

    packet.len = 0;
    put_startup(&packet, 0x40001, "user\0a\0\0");
    ok(client_fails(NULL, "0A000", "unsupported frontend protocol 4.1: server "
                                   "supports 3.0 to 3.2"),
       "4.1 is refused");

    /* encryption */

    packet.len = 0;
    put_literal(&packet, 0, "\4\322\26\57");
    len = packet.len;
    put_startup(&packet, 0x30000, "user\0a\0\0");
    ok(client_run(NULL) == OK && answer.len == 10 && answer.data[0] == 'N',
       "SSLRequest, no TLS here");

    ok(client_run_cut(setup_tls_offered, packet.len) == FAILED
       && error_is(&answer, "08P01",
                   "received unencrypted data after SSL request")
       && answer.data[0] == 'E',
       "bytes in clear behind an SSLRequest, no S before the error");

    /* cut behind the request, all is well: they come through TLS */

    ok(client_run_cut(setup_tls_offered, len) == OK && answer.len == 10
       && answer.data[0] == 'S',
       "SSLRequest, TLS");

    packet.len = len;
    good = 1;

    for (i = 0; i < len; i++) {
        client_begin();
        client.tls_offered = 1;
        len = 0;

        if ((i && client_feed(&len, i) != AGAIN) || answer.len
            || client_feed(&len, packet.len) != TLS
            || answer.len != 1 || answer.data[0] != 'S' || len != packet.len)
        {
            good = 0;
        }

        len = packet.len;
    }

    ok(good, "SSLRequest cut at every byte");
    ok(client_feed(&len, len) == FAILED && answer.len == 1,
       "no handshake done");

    put_literal(&packet, 0, "\4\322\26\57");
    ok(client_run_cut(setup_tls_offered, 8) == FAILED
       && error_is(&answer, "0A000", "unsupported frontend protocol 1234.5679"),
       "SSLRequest inside of TLS");
    ok(client_run(setup_tls) == FAILED && client_fails(NULL, "0A000", "1234"),
       "SSLRequest twice");

    packet.len = 0;
    put_literal(&packet, 0, "\4\322\26\60");
    put_literal(&packet, 0, "\4\322\26\57");
    put_startup(&packet, 0x30000, "user\0a\0\0");
    ok(client_run(NULL) == OK && answer.len == 11
       && memcmp(answer.data, "NNR", 3) == 0,
       "GSSENCRequest, SSLRequest, startup");
    ok(client_run_cut(setup_tls_offered, 16) == OK && answer.len == 11
       && memcmp(answer.data, "NSR", 3) == 0,
       "GSSENCRequest declined, then TLS");

    packet.len = 0;
    put_literal(&packet, 0, "\4\322\26\57");
    put_literal(&packet, 0, "\4\322\26\60");
    put_startup(&packet, 0x30000, "user\0a\0\0");
    ok(client_run(NULL) == OK && memcmp(answer.data, "NNR", 3) == 0,
       "SSLRequest declined, then GSSENCRequest");
    ok(client_run_cut(setup_tls_offered, 8) == FAILED
       && error_is(&answer, "0A000", "1234.5680"),
       "GSSENCRequest inside of TLS");

    packet.len = 0;
    put_literal(&packet, 0, "\4\322\26\60");
    put_literal(&packet, 0, "\4\322\26\60");
    ok(client_fails(NULL, "0A000", "1234.5680"), "GSSENCRequest twice");

    /* cancel */

    packet.len = 0;
    put_literal(&packet, 0, "\4\322\26\56\0\0\1\2abcd");
    ok(client_run(NULL) == CANCEL && answer.len == 0
       && client.cancel_pid.len == 4 && client.cancel_pid.data[3] == 2
       && is(&client.cancel_key, "abcd"),
       "CancelRequest");

    packet.len = 0;
    put_u32(&packet, 12 + 256);
    put(&packet, "\4\322\26\56\0\0\1\2", 8);
    ngx_memset(packet.data + 12, 'k', 256);
    packet.len += 256;
    ok(client_run(NULL) == CANCEL && client.cancel_key.len == 256,
       "CancelRequest with a long key");

    packet.data[packet.len++] = 'k';
    ngx_hyperdrive_base_put_u32(packet.data, packet.len);
    ok(client_fails(NULL, "08P01", "cancel"), "key too long");

    packet.len = 0;
    put_literal(&packet, 0, "\4\322\26\56\0\0\1\2abc");
    ok(client_fails(NULL, "08P01", "cancel"), "key too short");

    packet.len = 0;
    put_literal(&packet, 0, "\4\322\26\57");
    put_literal(&packet, 0, "\4\322\26\56\0\0\1\2abcd");
    ok(client_run_cut(setup_tls_offered, 8) == CANCEL, "CancelRequest in TLS");

    /* what is behind the log-in stays */

    packet.len = 0;
    put_startup(&packet, 0x30000, "user\0a\0\0");
    len = packet.len;
    put(&packet, "Q\0\0\0\5", 5);
    client_begin();
    i = 0;
    good = client_feed(&i, packet.len) == LOOKUP && i == len;
    good = good && client_feed(&i, packet.len) == OK && i == len;
    ok(good, "the first query stays in the input");
    ok(client_feed(&i, packet.len) == FAILED && answer.len == 9,
       "a call too many");
}


/* client-first-message and so on, by hand */

static void
put_initial(bytes_t *b, const char *mechanism, const char *text)
{
    size_t  n;

    n = strlen(mechanism) + 1;

    put(b, "p", 1);
    put_u32(b, 4 + n + 4 + strlen(text));
    put(b, mechanism, n);
    put_u32(b, strlen(text));
    put(b, text, strlen(text));
}


static ngx_uint_t
initial_fails(setup_pt setup, const char *mechanism, const char *text,
    const char *code, const char *message)
{
    packet.len = 0;
    put_startup(&packet, 0x30000, "user\0a\0\0");
    put_initial(&packet, mechanism, text);

    if (client_fails(setup, code, message)) {
        return 1;
    }

    printf("# %s: %s\n", error_field(&answer, 'C'), error_field(&answer, 'M'));

    return 0;
}


static ngx_uint_t
final_fails(setup_pt setup, const char *gs2, const char *text,
    const char *code, const char *message)
{
    packet.len = 0;
    put_startup(&packet, 0x30000, "user\0a\0\0");
    put_initial(&packet, gs2[0] == 'p' ? "SCRAM-SHA-256-PLUS"
                                       : "SCRAM-SHA-256", gs2);
    put_message(&packet, 'p', text, strlen(text));

    if (client_fails(setup, code, message)) {
        return 1;
    }

    printf("# %s: %s\n", error_field(&answer, 'C'), error_field(&answer, 'M'));

    return 0;
}


static void
test_auth(void)
{
    char        *proof;
    u_char       salt[100];
    size_t       len;
    ngx_uint_t   good;

    packet.len = 0;
    put_startup(&packet, 0x30000, "user\0a\0\0");
    len = packet.len;

    ok(client_run(setup_scram) == AGAIN && answer.len == 9 + 14 + 1
       && memcmp(answer.data + 5, "\0\0\0\12SCRAM-SHA-256\0", 19) == 0,
       "one mechanism without TLS");
    ok(client_run(setup_plus) == AGAIN && answer.len == 9 + 14 + 19 + 1
       && memcmp(answer.data + 5, "\0\0\0\12SCRAM-SHA-256-PLUS\0SCRAM-SHA-256",
                 36)
          == 0,
       "two mechanisms with TLS");

    /* wrong messages in each state */

    put_literal(&packet, 'Q', "x\0");
    ok(client_fails(setup_md5, "08P01", "expected password response, got "
                                        "message type 81"),
       "a query in place of a password");
    ok(client_fails(setup_scram, "08P01", "expected SASL response"),
       "a query in place of a SASL message");

    packet.len = len;
    put(&packet, "p\0\0\0\3", 5);
    ok(client_fails(setup_md5, "08P01", "length"), "length 3");

    packet.len = len;
    put(&packet, "p\0\1\0\0", 5);
    ok(client_fails(setup_md5, "08P01", "length"), "length too large");

    packet.len = len;
    put(&packet, "p\377\377\377\377", 5);
    ok(client_fails(setup_scram, "08P01", "length"), "length negative");

    packet.len = len;
    put_literal(&packet, 'p', "md5x");
    ok(client_fails(setup_md5, "08P01", "invalid password packet size"),
       "password without an end");

    packet.len = len;
    put_literal(&packet, 'p', "md5\0x\0");
    ok(client_fails(setup_md5, "08P01", "invalid password packet size"),
       "password with a zero byte");

    packet.len = len;
    put_literal(&packet, 'p', "\0");
    ok(client_fails(setup_md5, "28P01",
                    "password authentication failed for user \"a\""),
       "empty password");

    packet.len = len;
    put_literal(&packet, 'p', "md50123456789abcdef0123456789abcdef\0");
    ok(client_fails(setup_md5, "28P01",
                    "password authentication failed for user \"a\"")
       && strcmp(client.reason, "wrong password") == 0,
       "wrong password");

    /* SASLInitialResponse */

    ok(initial_fails(setup_scram, "SCRAM-SHA-1", "n,,n=,r=abc", "08P01",
                     "invalid SASL authentication mechanism"),
       "unknown mechanism");
    ok(initial_fails(setup_scram, "SCRAM-SHA-256-PLUS", "n,,n=,r=abc", "08P01",
                     "invalid SASL authentication mechanism"),
       "-PLUS without TLS");
    ok(initial_fails(setup_scram, "", "n,,n=,r=abc", "08P01",
                     "invalid SASL authentication mechanism"),
       "empty mechanism");

    packet.len = len;
    put_literal(&packet, 'p', "SCRAM-SHA-256");
    ok(client_fails(setup_scram, "08P01", "malformed SASL initial"),
       "mechanism without an end");

    packet.len = len;
    put_literal(&packet, 'p', "SCRAM-SHA-256\0\0\0\0\5n,,n");
    ok(client_fails(setup_scram, "08P01", "malformed SASL initial"),
       "a length that is too large");

    packet.len = len;
    put_literal(&packet, 'p', "SCRAM-SHA-256\0\0\0\0\3n,,n");
    ok(client_fails(setup_scram, "08P01", "malformed SASL initial"),
       "a length that is too small");

    packet.len = len;
    put_literal(&packet, 'p', "SCRAM-SHA-256\0\377\377\377\377n,,n");
    ok(client_fails(setup_scram, "08P01", "malformed SASL initial"),
       "bytes where there are none");

    packet.len = len;
    put_literal(&packet, 'p', "SCRAM-SHA-256\0\377\377\377\377");
    put_literal(&packet, 'p', "n,,n=,r=abc");
    ok(client_run(setup_scram) == AGAIN
       && memcmp(answer.data + 24, "R\0\0\0\10\0\0\0\13", 9) == 0
       && memcmp(answer.data + 42, "r=abc", 5) == 0,
       "the first message comes after an empty challenge");

    /* client-first-message */

    ok(initial_fails(setup_scram, "SCRAM-SHA-256", "", "08P01", "malformed"),
       "empty");
    ok(initial_fails(setup_scram, "SCRAM-SHA-256", "x,,n=,r=a", "08P01",
                     "malformed"),
       "unknown flag");
    ok(initial_fails(setup_scram, "SCRAM-SHA-256", "n", "08P01", "malformed"),
       "a flag alone");
    ok(initial_fails(setup_scram, "SCRAM-SHA-256", "n,", "08P01", "malformed"),
       "a flag and a comma");
    ok(initial_fails(setup_scram, "SCRAM-SHA-256", "n,,", "08P01",
                     "malformed"),
       "a gs2 header alone");
    ok(initial_fails(setup_scram, "SCRAM-SHA-256", "n,a=x,n=,r=a", "0A000",
                     "authorization identity"),
       "authorization identity");
    ok(initial_fails(setup_scram, "SCRAM-SHA-256", "n,,m=x,n=,r=a", "0A000",
                     "unsupported SCRAM extension"),
       "mandatory extension");
    ok(initial_fails(setup_scram, "SCRAM-SHA-256", "n,,r=a,n=", "08P01",
                     "malformed"),
       "attributes in another order");
    ok(initial_fails(setup_scram, "SCRAM-SHA-256", "n,,n=", "08P01",
                     "malformed"),
       "no nonce");
    ok(initial_fails(setup_scram, "SCRAM-SHA-256", "n,,n=,r=", "08P01",
                     "nonce"),
       "empty nonce");
    ok(initial_fails(setup_scram, "SCRAM-SHA-256", "n,,n=,r=a\nb", "08P01",
                     "nonce"),
       "nonce with a line feed");
    ok(initial_fails(setup_scram, "SCRAM-SHA-256", "n,,n=,r=a,x", "08P01",
                     "malformed"),
       "garbage behind the nonce");
    ok(initial_fails(setup_plus, "SCRAM-SHA-256-PLUS", "n,,n=,r=a", "08P01",
                     "malformed"),
       "-PLUS without binding");
    ok(initial_fails(setup_plus, "SCRAM-SHA-256",
                     "p=tls-server-end-point,,n=,r=a", "08P01", "malformed"),
       "binding without -PLUS");
    ok(initial_fails(setup_plus, "SCRAM-SHA-256-PLUS",
                     "p=tls-unique,,n=,r=a", "08P01", "channel-binding type"),
       "another type of binding");
    ok(initial_fails(setup_plus, "SCRAM-SHA-256-PLUS", "p,,n=,r=a", "08P01",
                     "malformed"),
       "no type of binding");
    ok(initial_fails(setup_plus, "SCRAM-SHA-256", "y,,n=,r=a", "28000",
                     "channel binding negotiation error"),
       "y where -PLUS was offered: a downgrade");

    packet.len = len;
    put_initial(&packet, "SCRAM-SHA-256", "y,,n=,r=abc,x=y");
    ok(client_run(setup_scram) == AGAIN, "y where it was not, an extension");

    packet.len = len;
    put_literal(&packet, 'p', "SCRAM-SHA-256\0\0\0\0\15n,,n=,r=ab\0c");
    ok(client_fails(setup_scram, "08P01", "malformed"), "a zero byte");

    packet.len = len;
    put(&packet, "p\0\0\0\0SCRAM-SHA-256\0\0\0\0\0n,,n=,r=", 31);
    ngx_memset(packet.data + packet.len, 'x', 5000);
    packet.len += 4097 - 8;
    ngx_hyperdrive_base_put_u32(packet.data + len + 1, packet.len - len - 1);
    ngx_hyperdrive_base_put_u32(packet.data + len + 19, 4097);
    ok(client_fails(setup_scram, "08P01", "malformed"), "nonce too long");

    /* client-final-message; the nonce of the server is not known */

    proof = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=";

    ok(final_fails(setup_scram, "n,,n=,r=a", "", "08P01", "malformed"),
       "empty final message");
    ok(final_fails(setup_scram, "n,,n=,r=a", "c=biws", "08P01", "malformed"),
       "no nonce in the final message");
    ok(final_fails(setup_scram, "n,,n=,r=a", "r=a,c=biws", "08P01",
                   "malformed"),
       "another order");
    ok(final_fails(setup_scram, "n,,n=,r=a", "c=biws,r=a", "08P01",
                   "malformed"),
       "no proof");
    ok(final_fails(setup_scram, "n,,n=,r=a", "c=eSws,r=a,p=", "08P01",
                   "unexpected SCRAM channel-binding"),
       "y in the final message, n in the first");
    ok(final_fails(setup_scram, "y,,n=,r=a", "c=biws,r=a,p=", "08P01",
                   "unexpected SCRAM channel-binding"),
       "n in the final message, y in the first");
    ok(final_fails(setup_scram, "n,,n=,r=a", "c=biws,r=a,p=AAAA", "08P01",
                   "malformed"),
       "proof too short");
    ok(final_fails(setup_scram, "n,,n=,r=a", "c=biws,r=a,p="
                   "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA =", "08P01",
                   "malformed"),
       "proof with a blank");
    ok(final_fails(setup_scram, "n,,n=,r=a", "c=biws,r=a,p="
                   "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=,x=y", "08P01",
                   "malformed"),
       "an attribute behind the proof");
    ok(final_fails(setup_scram, "n,,n=,r=a", "c=biws,r=a,p="
                   "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", "08P01",
                   "invalid SCRAM response"),
       "nonce without the server's part");
    ok(final_fails(setup_scram, "n,,n=,r=a", "c=biws,r=abcdefghijklmnopqrstuvw"
                   "x,x=y,p=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
                   "08P01", "invalid SCRAM response"),
       "nonce of another exchange");
    ok(final_fails(setup_plus, "p=tls-server-end-point,,n=,r=a",
                   "c=biws,r=a,p=", "28000",
                   "SCRAM channel binding check failed"),
       "another certificate");

    /* a user that does not exist has a salt, always the same */

    packet.len = len;
    put_initial(&packet, "SCRAM-SHA-256", "n,,n=,r=abc");

    client_begin();
    client.auth = NGX_HYPERDRIVE_PG_AUTH_SCRAM;
    client_run_cut(setup_scram, packet.len);
    len = answer.len;

    client_begin();
    packet.data[packet.len - 1] = 'd';
    good = client_run_cut(NULL, packet.len) != AGAIN;

    client_begin();
    client.auth = NGX_HYPERDRIVE_PG_AUTH_SCRAM;

    {
        size_t  from = 0;

        while (client_feed(&from, packet.len) == LOOKUP) { /* void */ }
    }

    ok(good && answer.len == len && strstr((char *) answer.data + 42, ",s="),
       "unknown user: an answer of the same length");

    ngx_memcpy(salt, strstr((char *) answer.data + 42, ",s="), 27 + 7);

    client_begin();
    client.auth = NGX_HYPERDRIVE_PG_AUTH_SCRAM;

    {
        size_t  from = 0;

        while (client_feed(&from, packet.len) == LOOKUP) { /* void */ }
    }

    ok(memcmp(salt, strstr((char *) answer.data + 42, ",s="), 27 + 7) == 0
       && memcmp(salt + 27, ",i=4096", 7) == 0,
       "the same salt again, 4096 rounds");

    /* all of the exchange; it ends as a wrong password does */

    {
        size_t  from = packet.len;
        char    final[200];

        sprintf(final, "c=biws,%.*s,p=%s",
                (int) (strstr((char *) answer.data + 33, ",s=")
                       - (char *) answer.data - 33),
                (char *) answer.data + 33, proof);
        put_message(&packet, 'p', final, strlen(final));

        answer.len = 0;

        ok(client_feed(&from, packet.len) == FAILED
           && error_is(&answer, "28P01",
                       "password authentication failed for user \"a\"")
           && strcmp(client.reason, "no such user") == 0,
           "unknown user: the error of a wrong password");
    }
}


/* the origin's end */

static void
origin_begin(void)
{
    ngx_hyperdrive_pg_origin_login_destroy(&origin);
    ngx_memzero(&origin, sizeof(origin));

    origin.user = str("app");
    origin.password = str("secret");

    answer.len = 0;
}


static ngx_hyperdrive_pg_login_rc_e
origin_feed(size_t *from, size_t len)
{
    u_char                        *copy, *p;
    ngx_hyperdrive_chain_t         out;
    ngx_hyperdrive_pg_login_rc_e   rc;

    ngx_memzero(&out, sizeof(out));

    copy = malloc(len - *from + 1);
    ngx_memcpy(copy, packet.data + *from, len - *from);
    p = copy;

    rc = ngx_hyperdrive_pg_origin_login(&origin, &p, copy + (len - *from),
                                        &out);
    *from += p - copy;

    free(copy);
    drain(&out, &answer);

    return rc;
}


static ngx_hyperdrive_pg_login_rc_e
origin_run_cut(setup_pt setup, size_t cut)
{
    size_t                         from, len;
    ngx_hyperdrive_pg_login_rc_e   rc;

    origin_begin();

    if (setup) {
        setup();
    }

    from = 0;
    len = 0;

    for ( ;; ) {
        rc = origin_feed(&from, len);

        if (rc == TLS) {
            origin.tls = 1;

        } else if (rc != AGAIN || len == packet.len) {
            return rc;
        }

        if (len < cut) {
            len = cut;

        } else {
            len = cut ? packet.len : len + 1;
        }
    }
}


static ngx_hyperdrive_pg_login_rc_e
origin_run(setup_pt setup)
{
    size_t                         cut;
    ngx_hyperdrive_pg_login_rc_e   rc, whole;

    whole = origin_run_cut(setup, packet.len);
    first_answer = answer;

    for (cut = 0; cut < packet.len && cut < 2000; cut++) {

        rc = origin_run_cut(setup, cut);

        if (rc != whole || answer.len != first_answer.len) {
            printf("# cut at %d: result %d, not %d\n", (int) cut, rc, whole);
            return (ngx_hyperdrive_pg_login_rc_e) 100;
        }
    }

    return origin_run_cut(setup, packet.len);
}


static ngx_uint_t
origin_fails(setup_pt setup, const char *code, const char *reason,
    ngx_uint_t lasting)
{
    static bytes_t  b;

    if (origin_run(setup) == FAILED) {

        b.len = 0;
        drain(&origin.error, &b);

        if (strcmp(origin.sqlstate, code) == 0
            && strcmp(error_field(&b, 'C'), code) == 0
            && strstr(origin.reason, reason)
            && strstr(error_field(&b, 'M'), "secret") == NULL
            && strstr(origin.reason, "secret") == NULL
            && origin.fatal_config == lasting)
        {
            return 1;
        }
    }

    printf("# %s: %s\n", origin.sqlstate, origin.reason);

    return 0;
}


static void
setup_request_tls(void)
{
    origin.request_tls = 1;
}


static void
setup_require_tls(void)
{
    origin.request_tls = 1;
    origin.require_tls = 1;
}


static void
setup_cleartext(void)
{
    origin.allow_cleartext = 1;
}


static void
setup_origin_tls(void)
{
    origin.tls = 1;
    origin.cert_hash = str("0123456789abcdef0123456789abcdef");
}


static void
setup_no_password(void)
{
    origin.allow_cleartext = 1;
    origin.password.len = 0;
}


static void
setup_zero_byte(void)
{
    origin.allow_cleartext = 1;
    origin.password.data = (u_char *) "sec\0ret";
    origin.password.len = 7;
}


static void
setup_params(void)
{
    origin.database = str("shop");
    origin.params[0].name = str("application_name");
    origin.params[0].value = str("x");
    origin.params[1].name = str("options");
    ngx_str_null(&origin.params[1].value);
    origin.nparams = 2;
}


static void
setup_bad_user(void)
{
    origin.user.data = (u_char *) "a\0b";
    origin.user.len = 3;
}


static void
setup_no_user(void)
{
    origin.user.len = 0;
}


static void
setup_many_params(void)
{
    static char  text[9990];

    ngx_memset(text, 'x', sizeof(text) - 1);
    origin.params[0].name = str("application_name");
    origin.params[0].value = str(text);
    origin.nparams = 1;
}


static void
test_origin(void)
{
    size_t       i, n, len;
    ngx_uint_t   good;

    static bytes_t  b;

    static const char  params[] =
        "S\0\0\0\26server_version\00015\0"
        "S\0\0\0\22is_superuser\0\0";

    packet.len = 0;
    put_auth(&packet, 0, "", 0);
    put(&packet, params, sizeof(params) - 1);
    put_literal(&packet, 'N', "Mhello\0\0");
    put_literal(&packet, 'K', "\0\0\1\2abcd");
    len = packet.len;
    put_literal(&packet, 'Z', "I");
    put(&packet, "A", 1);

    ok(origin_run_cut(setup_params, 0) == OK && origin.backend_pid == 258
       && is(&origin.backend_key, "abcd") && origin.notices == 1
       && answer.len == 60
       && memcmp(answer.data, "\0\0\0\74\0\3\0\0user\0app\0database\0shop\0"
                 "application_name\0x\0options\0\0", 60)
          == 0,
       "trust: StartupMessage, key, notice");

    b.len = 0;
    drain(&origin.parameters, &b);
    ok(b.len == sizeof(params) - 1 && memcmp(b.data, params, b.len) == 0,
       "parameters, as they came");

    origin_begin();
    i = 0;
    ok(origin_feed(&i, packet.len) == OK && i == packet.len - 1
       && answer.len == 18,
       "all in one piece, what is behind it stays");
    ok(origin_feed(&i, packet.len) == FAILED, "a call too many");

    packet.len--;
    ok(origin_run(NULL) == OK, "cut at every byte");
    ok(origin_fails(setup_no_user, "28000", "user", 1), "no user name");
    ok(origin_fails(setup_bad_user, "22023", "zero byte", 1),
       "zero byte in the user name");
    ok(origin_fails(setup_many_params, "54000", "too many", 1),
       "too long parameters");

    packet.len = len;
    put_literal(&packet, 'Z', "T");
    ok(origin_fails(NULL, "08P01", "not idle", 0), "in a transaction");

    packet.len = len;
    put_literal(&packet, 'Z', "");
    ok(origin_fails(NULL, "08P01", "not idle", 0), "ReadyForQuery, empty");

    packet.len = len;
    put_auth(&packet, 0, "", 0);
    ok(origin_fails(NULL, "08P01", "out of order", 0), "Ok twice");

    packet.len = 0;
    put_literal(&packet, 'Z', "I");
    ok(origin_fails(NULL, "08P01", "out of order", 0), "ready before Ok");

    packet.len = 0;
    put(&packet, params, sizeof(params) - 1);
    ok(origin_fails(NULL, "08P01", "out of order", 0), "parameter before Ok");

    packet.len = 0;
    put_literal(&packet, 'K', "\0\0\1\2abcd");
    ok(origin_fails(NULL, "08P01", "out of order", 0), "key before Ok");

    packet.len = 0;
    put_auth(&packet, 0, "", 0);
    len = packet.len;
    put_literal(&packet, 'K', "\0\0\1\2abc");
    ok(origin_fails(NULL, "08P01", "cancel key", 0), "short key");

    packet.len = len;
    put_literal(&packet, 'S', "a\0b");
    ok(origin_fails(NULL, "08P01", "parameter status", 0),
       "parameter without an end");

    packet.len = len;
    put_literal(&packet, 'S', "a\0b\0c\0");
    ok(origin_fails(NULL, "08P01", "parameter status", 0),
       "parameter with a third part");

    packet.len = len;
    put_literal(&packet, 'T', "");
    ok(origin_fails(NULL, "08P01", "unexpected message", 0),
       "a row description");

    packet.len = 0;
    put(&packet, "HTTP/1.1 400 Bad Request\r\n", 26);
    ok(origin_fails(NULL, "08P01", "unexpected message", 0), "a web server");

    packet.len = 0;
    put_auth(&packet, 0, "", 0);
    put(&packet, "S\0\0\0\3", 5);
    ok(origin_fails(NULL, "08P01", "invalid length", 0), "length 3");

    packet.len = len;
    put(&packet, "S\0\1\0\1", 5);
    ok(origin_fails(NULL, "08P01", "invalid length", 0), "length too large");

    packet.len = len;

    for (n = 0; n < 1000; n++) {
        put_literal(&packet, 'N', "\0");
    }

    ok(origin_run_cut(NULL, packet.len) == FAILED
       && strstr(origin.reason, "too many messages"),
       "notices without end");

    packet.len = len;

    for (n = 0; n < 2; n++) {
        put(&packet, "N\0\1\0\0", 5);
        ngx_memset(packet.data + packet.len, 0, 65532);
        packet.len += 65532;
    }

    ok(origin_run_cut(NULL, packet.len) == AGAIN && origin.notices == 2,
       "long notices");

    /* TLS */

    packet.len = 0;
    put(&packet, "S", 1);
    len = packet.len;
    put_auth(&packet, 0, "", 0);
    put_literal(&packet, 'Z', "I");

    ok(origin_run_cut(setup_require_tls, 1) == OK && answer.len == 8 + 18
       && memcmp(answer.data, "\0\0\0\10\4\322\26\57\0\0\0\22", 12) == 0,
       "SSLRequest, then all through TLS");
    ok(origin_run_cut(setup_require_tls, packet.len) == FAILED
       && strcmp(origin.sqlstate, "08P01") == 0
       && strstr(origin.reason, "unencrypted data after SSL response")
       && answer.len == 8,
       "bytes in clear behind S");

    origin_begin();
    setup_request_tls();
    i = 0;
    good = origin_feed(&i, 0) == AGAIN && origin_feed(&i, 0) == AGAIN;
    good = good && origin_feed(&i, 1) == TLS && origin_feed(&i, 1) == FAILED;
    ok(good && strstr(origin.reason, "handshake"), "no handshake done");

    packet.data[0] = 'N';
    ok(origin_run_cut(setup_request_tls, 1) == OK && answer.len == 8 + 18,
       "no TLS there, none is needed");
    ok(origin_run_cut(setup_request_tls, packet.len) == FAILED
       && strcmp(origin.sqlstate, "08P01") == 0,
       "an answer before the question");
    packet.len = 1;
    ok(origin_fails(setup_require_tls, "08001", "does not support TLS", 1),
       "no TLS there, but it is required");

    packet.len = 0;
    put_literal(&packet, 'E', "SFATAL\0C28000\0Mx\0\0");
    ok(origin_run_cut(setup_request_tls, 1) == FAILED
       && strcmp(origin.sqlstate, "08001") == 0 && origin.own_error,
       "an error in place of S or N is not believed");

    packet.len = 0;
    put(&packet, "x", 1);
    ok(origin_fails(setup_request_tls, "08P01", "unexpected answer", 0),
       "another answer");

    /* errors */

    packet.len = 0;
    put_literal(&packet, 'E',
                "SFATAL\0C3D000\0Mdatabase \"x\" does not exist\0\0");
    ok(origin_run(NULL) == FAILED && strcmp(origin.sqlstate, "3D000") == 0
       && origin.fatal_config && !origin.own_error
       && origin.error.size == packet.len,
       "an error that lasts");

    packet.len = 0;
    put_literal(&packet, 'E', "SFATAL\0C57P03\0Mstarting up\0\0");
    ok(origin_fails(NULL, "57P03", "refused", 0), "an error that passes");

    put_auth(&packet, 0, "", 0);
    ok(origin_run_cut(NULL, packet.len) == FAILED, "nothing behind it counts");

    packet.len = 0;
    put_literal(&packet, 'E', "SFATAL\0Mx\0\0");
    ok(origin_fails(NULL, "08P01", "malformed error", 0), "no SQLSTATE");

    packet.len = 0;
    put_literal(&packet, 'E', "C28");
    ok(origin_fails(NULL, "08P01", "malformed error", 0), "error cut short");

    /* negotiation */

    packet.len = 0;
    put_literal(&packet, 'v', "\0\3\0\0\0\0\0\1_pq_.x\0");
    put_auth(&packet, 0, "", 0);
    ok(origin_run(NULL) == AGAIN, "NegotiateProtocolVersion");

    packet.len = 0;
    put_literal(&packet, 'v', "\0\3\0\0\0\0\0\2_pq_.x\0");
    ok(origin_fails(NULL, "08P01", "malformed protocol", 0),
       "an option is missing");

    packet.len = 0;
    put_literal(&packet, 'v', "\0\3\0\2\0\0\0\0");
    ok(origin_fails(NULL, "0A000", "3.0", 1), "a version we did not ask for");

    /* passwords */

    packet.len = 0;
    put_auth(&packet, 3, "", 0);
    ok(origin_fails(NULL, "28000", "not sent without TLS", 1),
       "clear text without TLS");
    ok(origin_run(setup_cleartext) == AGAIN && answer.len == 18 + 12
       && memcmp(answer.data + 18, "p\0\0\0\13secret\0", 12) == 0,
       "clear text, allowed");
    ok(origin_run(setup_origin_tls) == AGAIN && answer.len == 18 + 12,
       "clear text through TLS");
    ok(origin_fails(setup_no_password, "28000", "none is configured", 1),
       "no password");
    ok(origin_fails(setup_zero_byte, "28000", "zero byte", 1),
       "zero byte in the password");

    put_auth(&packet, 0, "", 0);
    put_literal(&packet, 'Z', "I");
    ok(origin_run(setup_cleartext) == OK, "clear text, accepted");

    packet.len = 0;
    put_auth(&packet, 3, "", 0);
    put_auth(&packet, 3, "", 0);
    ok(origin_fails(setup_cleartext, "08P01", "out of order", 0),
       "asked for a password twice");

    packet.len = 0;
    put_auth(&packet, 3, "x", 1);
    ok(origin_fails(setup_cleartext, "08P01", "malformed", 0),
       "a request with garbage");

    packet.len = 0;
    put_literal(&packet, 'R', "\0\0\0");
    ok(origin_fails(setup_cleartext, "08P01", "malformed", 0),
       "a request that is too short");

    /* md5("md5(secretapp)" "salt"), computed apart */

    packet.len = 0;
    put_auth(&packet, 5, "salt", 4);
    ok(origin_run(NULL) == AGAIN && answer.len == 18 + 41
       && memcmp(answer.data + 18,
                 "p\0\0\0\50md57f097e06031b34893c20e25a0e68242c\0", 41) == 0,
       "md5");
    ok(origin_fails(setup_no_password, "28000", "none is configured", 1),
       "md5 without a password");

    packet.len = 0;
    put_auth(&packet, 5, "sal", 3);
    ok(origin_fails(NULL, "08P01", "malformed", 0), "md5 with a short salt");

    packet.len = 0;
    put_auth(&packet, 7, "", 0);
    ok(origin_fails(NULL, "28000", "GSSAPI", 1), "GSSAPI");

    packet.len = 0;
    put_auth(&packet, 4, "", 0);
    ok(origin_fails(NULL, "28000", "not supported", 1), "crypt");

    /* SASL */

    packet.len = 0;
    put_auth(&packet, 10, "SCRAM-SHA-1\0OTHER\0", 19);
    ok(origin_fails(NULL, "28000", "no SASL mechanism", 1),
       "unknown mechanisms");

    packet.len = 0;
    put_auth(&packet, 10, "SCRAM-SHA-256\0", 14);
    ok(origin_fails(NULL, "08P01", "malformed", 0), "a list without an end");

    packet.len = 0;
    put_auth(&packet, 10, "SCRAM-SHA-256-PLUS\0SCRAM-SHA-256\0", 34);
    ok(origin_fails(NULL, "08P01", "without TLS", 0), "-PLUS without TLS");
    ok(origin_run(setup_origin_tls) == AGAIN
       && memcmp(answer.data + 18 + 5, "SCRAM-SHA-256-PLUS\0\0\0\0\65"
                 "p=tls-server-end-point,,n=,r=", 52)
          == 0,
       "-PLUS is chosen");

    packet.len = 0;
    put_auth(&packet, 10, "SCRAM-SHA-256\0", 15);
    len = packet.len;
    ok(origin_run(setup_origin_tls) == AGAIN
       && memcmp(answer.data + 18 + 5, "SCRAM-SHA-256\0\0\0\0\40y,,n=,r=", 26)
          == 0,
       "y where it could be and was not offered");
    ok(origin_run(NULL) == AGAIN && answer.len == 18 + 5 + 14 + 4 + 32
       && memcmp(answer.data + 18 + 5, "SCRAM-SHA-256\0\0\0\0\40n,,n=,r=", 26)
          == 0,
       "n without TLS");
    ok(origin_fails(setup_no_password, "28000", "none is configured", 1),
       "SCRAM without a password");

    put_auth(&packet, 0, "", 0);
    ok(origin_fails(NULL, "28000", "without proving", 0),
       "Ok in place of a challenge");

    packet.len = len;
    put_auth(&packet, 12, "v=", 2);
    ok(origin_fails(NULL, "08P01", "out of order", 0),
       "the end before the challenge");

    packet.len = len;
    put_auth(&packet, 11, "r=abc,s=AAAA,i=4096", 19);
    ok(origin_fails(NULL, "08P01", "does not extend ours", 0),
       "a nonce that is not ours");

    packet.len = len;
    put_auth(&packet, 11, "m=abc,s=AAAA,i=4096", 19);
    ok(origin_fails(NULL, "08P01", "extension", 0), "mandatory extension");

    packet.len = len;
    put_auth(&packet, 11, "", 0);
    ok(origin_fails(NULL, "08P01", "empty", 0), "empty challenge");
}


/* what a log-in shows opens what has the same verifier, and nothing else */

static void
test_scram_pass(void)
{
    ngx_uint_t                         i;
    ngx_str_t                          in, out, s, password;
    u_char                             text[NGX_HYPERDRIVE_PG_VERIFIER_LEN];
    ngx_int_t                          rc;
    ngx_hyperdrive_pg_scram_pass_t     pass, none;
    ngx_hyperdrive_pg_scram_client_t   c;
    ngx_hyperdrive_pg_scram_server_t   server;

    static u_char  salt[2][NGX_HYPERDRIVE_PG_SCRAM_SALT] = {
        "0123456789abcde", "another salt..."
    };

    ngx_memzero(&pass, sizeof(pass));
    ngx_memzero(&none, sizeof(none));

    /*
     * 0: a wrong password, 1: the right one, 2: what it has shown, 3: to
     * another salt, 4: to another count of rounds, 5: to another password
     */

    for (i = 0; i < 6; i++) {

        password = str(i == 5 ? "eraser" : "pencil");
        ngx_hyperdrive_pg_scram_verifier_salted(&password, salt[i == 3],
                                                i == 4 ? 64 : 128, text,
                                                sizeof(text));
        s = str((char *) text);

        ngx_memzero(&c, sizeof(c));
        c.flag = 'n';

        if (i < 2) {
            c.password = str(i ? "pencil" : "eraser");

        } else {
            c.pass = &pass;
        }

        ngx_memzero(&server, sizeof(server));
        server.pass = (i < 2) ? &pass : NULL;
        ngx_hyperdrive_pg_scram_parse(&s, &server.secret);

        ngx_hyperdrive_pg_scram_client_first(&c, &in);
        ngx_hyperdrive_pg_scram_server_first(&server, &in, &out);

        rc = ngx_hyperdrive_pg_scram_client_final(&c, &out, &in);

        if (i == 3 || i == 4) {
            ok(rc == NGX_DECLINED && strcmp(c.error.sqlstate, "28P01") == 0,
               i == 3 ? "keys, and another salt" : "keys, and other rounds");

        } else {
            rc = ngx_hyperdrive_pg_scram_server_final(&server, &in, &out);

            ok(rc == (i == 0 || i == 5 ? NGX_DECLINED : NGX_OK)
               && (rc != NGX_OK
                   || ngx_hyperdrive_pg_scram_client_verify(&c, &out)
                      == NGX_OK),
               i == 0 ? "a wrong password" : i == 1 ? "a password"
               : i == 2 ? "the keys that it has shown"
               : "keys, and another password of the same salt");
        }

        if (i < 2) {
            ok(i ? pass.iterations == 128 && pass.salt_len == sizeof(salt[0])
                 : memcmp(&pass, &none, sizeof(pass)) == 0,
               i ? "keys are shown by it" : "no keys are shown by it");
        }

        ngx_hyperdrive_pg_scram_client_destroy(&c);
        ngx_hyperdrive_pg_scram_server_destroy(&server);
    }
}


/* both ends of SCRAM with nonces that are given */

static void
test_scram(void)
{
    ngx_uint_t                          i;
    ngx_str_t                           in, out, s;
    u_char                              text[NGX_HYPERDRIVE_PG_VERIFIER_LEN];
    u_char                              raw[64];
    size_t                              n;
    ngx_hyperdrive_pg_scram_keys_t      keys;
    ngx_hyperdrive_pg_scram_secret_t    secret;
    ngx_hyperdrive_pg_scram_client_t    c;
    ngx_hyperdrive_pg_scram_server_t    server;

    static char  *bad[] = {
        "",
        "SCRAM-SHA-256",
        "SCRAM-SHA-256$",
        "SCRAM-SHA-1$4096:AAAA$",
        "SCRAM-SHA-256$0:AAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:"
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "SCRAM-SHA-256$x:AAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:"
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "SCRAM-SHA-256$99999999999:AAAA$"
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:"
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "SCRAM-SHA-256$4096:$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:"
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "SCRAM-SHA-256$4096:AAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:"
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "SCRAM-SHA-256$4096:AAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "SCRAM-SHA-256$4096:AAAA$AAAA:"
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
        "SCRAM-SHA-256$4096:AAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:"
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=x",
        NULL
    };

    /* the example of RFC 7677 */

    s = str("pencil");

    ngx_hyperdrive_base_digest_base64_decode(raw, &n,
                                             "W22ZaJ0SNY7soEsUEjb6gQ==", 24);

    ok(n == 16
       && ngx_hyperdrive_pg_scram_verifier_salted(&s, raw, 4096, text,
                                                  sizeof(text))
          == NGX_OK
       && strcmp((char *) text,
                 "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
                 "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
                 "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=")
          == 0,
       "a verifier");

    ngx_memzero(&server, sizeof(server));
    server.nonce = str("%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0");

    s = str((char *) text);
    ok(ngx_hyperdrive_pg_scram_parse(&s, &server.secret) == NGX_OK
       && server.secret.iterations == 4096
       && is(&server.secret.salt, "W22ZaJ0SNY7soEsUEjb6gQ=="),
       "a verifier is read");

    in = str("n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
    ok(ngx_hyperdrive_pg_scram_server_first(&server, &in, &out) == NGX_OK
       && is(&out, "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                   "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"),
       "RFC 7677, server-first-message");

    in = str("c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
             "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");
    ok(ngx_hyperdrive_pg_scram_server_final(&server, &in, &out) == NGX_OK
       && is(&out, "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="),
       "RFC 7677, server-final-message");
    ngx_hyperdrive_pg_scram_server_destroy(&server);

    /* the same by a user that is doomed, and with another proof */

    for (i = 0; i < 2; i++) {
        ngx_memzero(&server, sizeof(server));
        server.nonce = str("%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0");
        server.doomed = (i == 0);
        ngx_hyperdrive_pg_scram_parse(&s, &server.secret);

        in = str("n,,n=user,r=rOprNGfwEbeRWgbNEkqO");
        ngx_hyperdrive_pg_scram_server_first(&server, &in, &out);

        in = i ? str("c=biws,"
                     "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                     "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVA=")
               : str("c=biws,"
                     "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
                     "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=");

        ok(ngx_hyperdrive_pg_scram_server_final(&server, &in, &out)
           == NGX_DECLINED
           && strcmp(server.error.sqlstate, "28P01") == 0,
           i ? "one bit of the proof is wrong" : "the right proof, doomed");

        ngx_hyperdrive_pg_scram_server_destroy(&server);
    }

    for (i = 0; bad[i]; i++) {
        s = str(bad[i]);

        if (ngx_hyperdrive_pg_scram_parse(&s, &secret) != NGX_DECLINED) {
            printf("# %s\n", bad[i]);
            break;
        }
    }

    ok(bad[i] == NULL, "verifiers that are none");

    /* our client's end, message by message; the keys are kept */

    ngx_memzero(&keys, sizeof(keys));

    for (i = 0; i < 4; i++) {

        ngx_memzero(&c, sizeof(c));
        c.password = str(i == 3 ? "eraser" : "pencil");
        c.flag = (i == 1) ? 'p' : 'n';
        c.cbind = str("0123456789abcdef0123456789abcdef");
        c.nonce = str("fyko+d2lbbFgONRv9qkxdawL");
        c.keys = &keys;

        ngx_memzero(&server, sizeof(server));
        server.plus = (i == 1);
        server.plus_offered = (i == 1);
        server.cbind = c.cbind;
        server.nonce = str("3rfcNHYJY1ZVvWVs7j");
        s = str((char *) text);
        ngx_hyperdrive_pg_scram_parse(&s, &server.secret);

        ok(ngx_hyperdrive_pg_scram_client_first(&c, &in) == NGX_OK
           && is(&in, i == 1 ? "p=tls-server-end-point,,n=,"
                               "r=fyko+d2lbbFgONRv9qkxdawL"
                             : "n,,n=,r=fyko+d2lbbFgONRv9qkxdawL")
           && ngx_hyperdrive_pg_scram_server_first(&server, &in, &out)
              == NGX_OK
           && is(&out, "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,"
                       "s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096")
           && ngx_hyperdrive_pg_scram_client_final(&c, &out, &in) == NGX_OK
           && ngx_hyperdrive_pg_scram_server_final(&server, &in, &out)
              == (i == 3 ? NGX_DECLINED : NGX_OK)
           && (i == 3
               || ngx_hyperdrive_pg_scram_client_verify(&c, &out) == NGX_OK),
           i == 0 ? "both ends" : i == 1 ? "both ends, bound"
           : i == 2 ? "keys of the last time" : "keys of another password");

        if (i == 2) {
            out.data[10] ^= 1;
            ok(ngx_hyperdrive_pg_scram_client_verify(&c, &out) == NGX_DECLINED
               && strcmp(c.error.sqlstate, "28000") == 0,
               "a wrong signature of the server");

            out = str("e=invalid-proof");
            ok(ngx_hyperdrive_pg_scram_client_verify(&c, &out) == NGX_ERROR,
               "an error in place of a signature");

            out = str("v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=,x=y");
            ok(ngx_hyperdrive_pg_scram_client_verify(&c, &out) == NGX_ERROR,
               "garbage behind the signature");
        }

        ngx_hyperdrive_pg_scram_client_destroy(&c);
        ngx_hyperdrive_pg_scram_server_destroy(&server);
    }

    {
        static char  *first[] = {
            "r=abc,s=AAAA,i=4096",                /* our nonce, not extended */
            "r=abd1,s=AAAA,i=4096",
            "r=abc\t1,s=AAAA,i=4096",
            "r=abc1",
            "r=abc1,s=,i=4096",
            "r=abc1,s=AAA,i=4096",
            "r=abc1,s=A AA,i=4096",
            "r=abc1,i=4096,s=AAAA",
            "r=abc1,s=AAAA",
            "r=abc1,s=AAAA,i=",
            "r=abc1,s=AAAA,i=0",
            "r=abc1,s=AAAA,i=-1",
            "r=abc1,s=AAAA,i=4096x",
            "r=abc1,s=AAAA,i=1000001",
            "r=abc1,s=AAAA,i=18446744073709551617",
            "r=abc1,s=AAAA,i=4096,x",
            "r=abc1,s=AAAA,i=4096,1=x",
            NULL
        };

        for (i = 0; first[i]; i++) {

            ngx_memzero(&c, sizeof(c));
            c.password = str("pencil");
            c.flag = 'n';
            c.nonce = str("abc");

            ngx_hyperdrive_pg_scram_client_first(&c, &out);
            in = str(first[i]);
            n = (ngx_hyperdrive_pg_scram_client_final(&c, &in, &out)
                 == NGX_ERROR);
            n = n && strcmp(c.error.sqlstate, "08P01") == 0;
            ngx_hyperdrive_pg_scram_client_destroy(&c);

            if (!n) {
                printf("# %s\n", first[i]);
                break;
            }
        }

        ok(first[i] == NULL, "server-first-messages that are malformed");

        ngx_memzero(&c, sizeof(c));
        c.password = str("pencil");
        c.flag = 'n';
        c.nonce = str("abc");

        ngx_hyperdrive_pg_scram_client_first(&c, &out);
        in = str("r=abc1,s=AAAA,i=1,x=y");
        ok(ngx_hyperdrive_pg_scram_client_final(&c, &in, &out) == NGX_OK,
           "an extension of the server is ignored");
        ngx_hyperdrive_pg_scram_client_destroy(&c);
    }

    s = str("x");
    ok(ngx_hyperdrive_pg_scram_verifier(&s, text, sizeof(text)) == NGX_OK
       && (s = str((char *) text),
           ngx_hyperdrive_pg_scram_parse(&s, &secret) == NGX_OK)
       && ngx_hyperdrive_pg_scram_verifier(&s, text, 100) == NGX_ERROR,
       "a verifier with a salt of its own");
}


static void
test_small(void)
{
    size_t       i, n;
    u_char       buf[100], *p;
    ngx_str_t    s, v;

    static const struct {
        char    *in;
        char    *out;
    } prep[] = {
        { "secret", "secret" },
        { "a\xc2\xa0" "b", "a b" },                      /* no-break space */
        { "a\xe3\x80\x80" "b", "a b" },                  /* ideographic */
        { "I\xc2\xadX", "IX" },                          /* soft hyphen */
        { "p\xc3\xa4\xe2\x80\x8d" "x", "p\xc3\xa4x" },   /* joiner */
        { "\xe2\x9d\xa4\xef\xb8\x8f", "\xe2\x9d\xa4" },  /* heart, variation */
        { "\xc2\xad", "\xc2\xad" },                      /* nothing is left */
        { "a\xc2\xa0\x07", "a\xc2\xa0\x07" },            /* prohibited */
        { "\xf0\x9f\x98\x80\xe2\x80\x8d",
          "\xf0\x9f\x98\x80\xe2\x80\x8d" },              /* unassigned in 3.2 */
        { "a\xcc\x88\xc2\xa0", "a\xcc\x88\xc2\xa0" },    /* not normalised */
        { "\xc3\xa4\xc3\xb6", "\xc3\xa4\xc3\xb6" },
        { "a\xc2", "a\xc2" },                            /* not UTF-8 */
        { "\xc2\xa0\xff", "\xc2\xa0\xff" },
        { "\xc2\xa0\xed\xa0\x80", "\xc2\xa0\xed\xa0\x80" },
        { "\xc2\xa0\xe0\x80\x80", "\xc2\xa0\xe0\x80\x80" },
        { "\xc2\xa0\xf4\x90\x80\x80", "\xc2\xa0\xf4\x90\x80\x80" },
        { NULL, NULL }
    };

    static char  *base64[] = {
        "", "", "f", "Zg==", "fo", "Zm8=", "foo", "Zm9v", "foob", "Zm9vYg==",
        "fooba", "Zm9vYmE=", "foobar", "Zm9vYmFy", "\xff\xfe\xfb", "//77", NULL
    };

    static char  *not_base64[] = {
        "Z", "Zg", "Zg=", "Zg= ", "Zg==\n", "====", "Zh==", "Zm9=", "Z===",
        "Zg==Zg==", "Zm9v=", "Zm-v", "Z=9v", "Zm=v", " Zm9", NULL
    };

    for (i = 0; base64[i]; i += 2) {
        p = ngx_hyperdrive_base_digest_base64_encode(buf, base64[i],
                                                     strlen(base64[i]));
        *p = '\0';

        if (strcmp((char *) buf, base64[i + 1]) != 0
            || ngx_hyperdrive_base_digest_base64_decode(buf, &n, base64[i + 1],
                                                        strlen(base64[i + 1]))
               != NGX_OK
            || n != strlen(base64[i]) || memcmp(buf, base64[i], n) != 0)
        {
            break;
        }
    }

    ok(base64[i] == NULL, "base64");

    for (i = 0; not_base64[i]; i++) {

        if (ngx_hyperdrive_base_digest_base64_decode(buf, &n, not_base64[i],
                                                     strlen(not_base64[i]))
            == NGX_OK)
        {
            printf("# %s\n", not_base64[i]);
            break;
        }
    }

    ok(not_base64[i] == NULL, "what is not base64");

    for (i = 0; prep[i].in; i++) {
        s = str(prep[i].in);
        v = ngx_hyperdrive_pg_saslprep(&s, buf);

        if (!is(&v, prep[i].out)) {
            printf("# password %d\n", (int) i);
            break;
        }
    }

    ok(prep[i].in == NULL, "SASLprep");

    ok(ngx_hyperdrive_pg_error_field((u_char *) "SERROR\0Mtext\0\0", 14, 'M',
                                     &v)
       == NGX_OK && is(&v, "text")
       && ngx_hyperdrive_pg_error_field((u_char *) "SERROR\0\0Mtext\0", 14, 'M',
                                        &v)
          == NGX_DECLINED
       && ngx_hyperdrive_pg_error_field((u_char *) "SERROR\0Mtext", 12, 'M',
                                        &v)
          == NGX_DECLINED
       && ngx_hyperdrive_pg_error_field((u_char *) "", 0, 'M', &v)
          == NGX_DECLINED,
       "a field of an error");

    {
        ngx_hyperdrive_chain_t  chain;

        ngx_memzero(&chain, sizeof(chain));
        answer.len = 0;

        s = str("TimeZone");
        ngx_str_null(&v);
        ngx_hyperdrive_pg_parameter_status(&chain, &s, &v);
        ngx_hyperdrive_pg_backend_key(&chain, 258, (u_char *) "abcd", 4);
        ngx_hyperdrive_pg_ready(&chain, 'T');
        ngx_hyperdrive_pg_error(&chain, "ERROR", "42601", "m", "d", "h");

        drain(&chain, &answer);

        ok(answer.len == 15 + 13 + 6 + 36
           && memcmp(answer.data, "S\0\0\0\16TimeZone\0\0"
                     "K\0\0\0\14\0\0\1\2abcd" "Z\0\0\0\5T"
                     "E\0\0\0\43SERROR\0VERROR\0C42601\0Mm\0Dd\0Hh\0\0", 70)
              == 0,
           "messages, byte by byte");
    }
}


/*
 * Both ends against each other: <mode> is how the client's end asks, <step>
 * is how many bytes go at once.
 */

typedef struct {
    char                        *name;
    ngx_hyperdrive_pg_auth_e     auth;
    unsigned                     found:1;
    unsigned                     tls:1;
    unsigned                     client_binds:1;   /* the end that asks */
    unsigned                     origin_binds:1;   /* the end that answers */
    unsigned                     other_cert:1;
    char                        *password;
    ngx_hyperdrive_pg_login_rc_e rc;
    char                        *sqlstate;
} both_t;


static ngx_uint_t
both_run(both_t *t, size_t step)
{
    size_t                         n, from_client, from_origin;
    u_char                        *p, *copy;
    ngx_str_t                      name, value;
    ngx_hyperdrive_chain_t         out;
    ngx_hyperdrive_pg_login_rc_e   crc, orc;

    static bytes_t  to_origin, to_client;

    ngx_hyperdrive_pg_client_login_destroy(&client);
    ngx_memzero(&client, sizeof(client));
    ngx_memset(client.mock_secret, 1, sizeof(client.mock_secret));
    client.tls_offered = 1;
    client.channel_binding = t->client_binds;
    client.cert_hash = str("0123456789abcdef0123456789abcdef");

    origin_begin();
    origin.password = str(t->password);
    origin.database = str("shop");
    origin.request_tls = t->tls;
    origin.require_tls = t->tls;

    ngx_memzero(&out, sizeof(out));

    /* the "origin" login speaks to the "client" login */

    to_origin.len = 0;           /* what the client's end will read */
    to_client.len = 0;           /* what the origin's end will read */
    from_client = 0;
    from_origin = 0;

    crc = AGAIN;
    orc = AGAIN;

    for (n = 0; n < 100000; n++) {

        if (orc == AGAIN) {
            size_t  last = ngx_min(from_client + step, to_client.len);
            size_t  i;

            /* more and more of what is there, until some is consumed */

            for (i = last; ; i++) {
                copy = malloc(i - from_client + 1);
                ngx_memcpy(copy, to_client.data + from_client,
                           i - from_client);
                p = copy;
                orc = ngx_hyperdrive_pg_origin_login(&origin, &p,
                                                     copy + (i - from_client),
                                                     &out);
                from_client += p - copy;
                free(copy);

                if (orc != AGAIN || i == to_client.len) {
                    break;
                }
            }

            drain(&out, &to_origin);
        }

        if (crc == AGAIN || crc == LOOKUP) {
            size_t  last = ngx_min(from_origin + step, to_origin.len);
            size_t  i;

            for (i = last; ; i++) {
                copy = malloc(i - from_origin + 1);
                ngx_memcpy(copy, to_origin.data + from_origin,
                           i - from_origin);
                p = copy;
                crc = ngx_hyperdrive_pg_client_login(&client, &p,
                                                     copy + (i - from_origin),
                                                     &out);
                from_origin += p - copy;
                free(copy);

                if (crc == LOOKUP) {
                    client.auth = t->auth;
                    client.found = t->found;
                    client.secret = str(t->auth == NGX_HYPERDRIVE_PG_AUTH_MD5
                                        ? md5_secret : scram_secret);
                    i--;
                    continue;
                }

                if (crc != AGAIN || i == to_origin.len) {
                    break;
                }
            }

            if (crc == OK) {
                name = str("server_version");
                value = str("15.0");
                ngx_hyperdrive_pg_parameter_status(&out, &name, &value);
                ngx_hyperdrive_pg_backend_key(&out, 77, (u_char *) "wxyz", 4);
                ngx_hyperdrive_pg_ready(&out, 'I');
            }

            drain(&out, &to_client);
        }

        if (crc == TLS && orc == TLS) {
            client.tls = 1;
            origin.tls = 1;

            if (t->origin_binds) {
                origin.cert_hash = t->other_cert
                                   ? str("0123456789abcdef0123456789abcdeF")
                                   : client.cert_hash;
            }

            crc = AGAIN;
            orc = AGAIN;
        }

        if (orc == OK || orc == FAILED) {
            break;
        }
    }

    if (t->rc == OK) {
        return crc == OK && orc == OK
               && is(&client.user, "app") && is(&client.database, "shop")
               && origin.backend_pid == 77 && is(&origin.backend_key, "wxyz")
               && origin.parameters.size == 5 + 15 + 5
               && from_client == to_client.len
               && from_origin == to_origin.len;
    }

    if (orc == FAILED && strcmp(origin.sqlstate, t->sqlstate) == 0
        && strcmp(client.sqlstate, t->sqlstate) == 0)
    {
        return 1;
    }

    printf("# %d %d %s %s\n", crc, orc, client.sqlstate, origin.sqlstate);

    return 0;
}


static void
test_both(void)
{
    size_t       step;
    ngx_uint_t   i;

    static both_t  tests[] = {
        { "trust", NGX_HYPERDRIVE_PG_AUTH_TRUST, 0, 0, 0, 0, 0, "", OK, NULL },
        { "md5", NGX_HYPERDRIVE_PG_AUTH_MD5, 1, 0, 0, 0, 0, "secret", OK,
          NULL },
        { "md5, wrong password", NGX_HYPERDRIVE_PG_AUTH_MD5, 1, 0, 0, 0, 0,
          "secreT", FAILED, "28P01" },
        { "md5, unknown user", NGX_HYPERDRIVE_PG_AUTH_MD5, 0, 0, 0, 0, 0,
          "secret", FAILED, "28P01" },
        { "SCRAM", NGX_HYPERDRIVE_PG_AUTH_SCRAM, 1, 0, 0, 0, 0, "secret", OK,
          NULL },
        { "SCRAM, wrong password", NGX_HYPERDRIVE_PG_AUTH_SCRAM, 1, 0, 0, 0, 0,
          "secreT", FAILED, "28P01" },
        { "SCRAM, unknown user", NGX_HYPERDRIVE_PG_AUTH_SCRAM, 0, 0, 0, 0, 0,
          "secret", FAILED, "28P01" },
        { "TLS, trust", NGX_HYPERDRIVE_PG_AUTH_TRUST, 0, 1, 0, 0, 0, "", OK,
          NULL },
        { "TLS, SCRAM, nobody binds", NGX_HYPERDRIVE_PG_AUTH_SCRAM, 1, 1, 0, 0,
          0, "secret", OK, NULL },
        { "TLS, SCRAM-PLUS offered, not taken", NGX_HYPERDRIVE_PG_AUTH_SCRAM,
          1, 1, 1, 0, 0, "secret", OK, NULL },
        { "TLS, SCRAM-PLUS not offered", NGX_HYPERDRIVE_PG_AUTH_SCRAM, 1, 1, 0,
          1, 0, "secret", OK, NULL },
        { "TLS, SCRAM-PLUS", NGX_HYPERDRIVE_PG_AUTH_SCRAM, 1, 1, 1, 1, 0,
          "secret", OK, NULL },
        { "TLS, SCRAM-PLUS, wrong password", NGX_HYPERDRIVE_PG_AUTH_SCRAM, 1,
          1, 1, 1, 0, "Secret", FAILED, "28P01" },
        { "TLS, SCRAM-PLUS, unknown user", NGX_HYPERDRIVE_PG_AUTH_SCRAM, 0, 1,
          1, 1, 0, "secret", FAILED, "28P01" },
        { "TLS, SCRAM-PLUS, another certificate", NGX_HYPERDRIVE_PG_AUTH_SCRAM,
          1, 1, 1, 1, 1, "secret", FAILED, "28000" },
        { NULL, 0, 0, 0, 0, 0, 0, NULL, 0, NULL }
    };

    for (i = 0; tests[i].name; i++) {

        for (step = 1; step < 140; step += (step < 16) ? 1 : 41) {

            if (!both_run(&tests[i], step)) {
                printf("# %d bytes at once\n", (int) step);
                step = 1000;
            }
        }

        ok(step < 1000, tests[i].name);
    }
}


int
main(void)
{
    u_char      md5[64], digest[16];
    u_char      verifier[NGX_HYPERDRIVE_PG_VERIFIER_LEN];
    ngx_str_t   s;

    ngx_hyperdrive_base_digest_md5("secretapp", 9, digest);
    *ngx_hex_dump(ngx_cpymem(md5, "md5", 3), digest, 16) = '\0';
    md5_secret = (char *) md5;

    s = str("secret");
    ngx_hyperdrive_pg_scram_verifier(&s, verifier, sizeof(verifier));
    scram_secret = (char *) verifier;

    test_small();
    test_scram();
    test_scram_pass();
    test_startup();
    test_auth();
    test_origin();
    test_both();

    ngx_hyperdrive_pg_client_login_destroy(&client);
    ngx_hyperdrive_pg_origin_login_destroy(&origin);

    return done();
}
