/* sources: mysql/ state/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * Clients, one after the other, over one pooled connection to a model of the
 * database.  Each must receive what the model would have sent it directly,
 * wherever the bytes are cut and in whatever order they move; who leaves
 * early must leave a clean connection.
 *
 * The input: how many statements are prepared at most, what the connection and
 * the database are capable of, a seed for the cuts; then for each client what
 * it is capable of, and its commands, two bytes each.
 */


#include "mysql_wire_relay.h"


#define SCRIPT_WAITS  64


typedef struct {
    bytes_t       b;
    uint64_t      caps;
    ngx_uint_t    nwaits;
    size_t        waits[SCRIPT_WAITS];  /* here all answers are waited for */
    unsigned      leave:1;              /* it goes before it is done */
} script_t;


static size_t script_make(script_t *s, const uint8_t *data, size_t size,
    uint64_t common, uint64_t track);
static u_char *attributes(u_char *p, ngx_uint_t which);
static void script_packet(script_t *s, u_char seq, const void *data,
    size_t len);
static void script_wait(script_t *s);
static void run(relay_t *r, script_t *s, ngx_uint_t cuts);
static void check(relay_t *r, script_t *s, ngx_uint_t done);
static void fail(relay_t *r, bytes_t *direct, char *why);
static uint32_t random_number(void);


static char  *texts[] = {
    "SELECT2 a", "SELECT b", "SELECT3 ?", "INSERT x", "INSERT ?", "BEGIN",
    "COMMIT", "ROLLBACK", "FAIL", "BAD", "SELECT0 none", "WARN",
    "SELECT z;INSERT q", "BEGIN;FAIL", "SELECT9 many", "SELECT ? ?",
    "INSERT a;SELECT2 b;COMMIT"
};

#define TEXTS  (sizeof(texts) / sizeof(texts[0]))


static uint64_t                          seed;
static ngx_hyperdrive_state_registry_t  *registry;


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t                        n;
    relay_t                       r;
    script_t                      s;
    uint64_t                      caps, common;
    ngx_str_t                     text, types;
    ngx_uint_t                    i, cuts;
    ngx_hyperdrive_state_stmt_t  *stmt;

    if (size < 5 || size > 4096) {
        return 0;
    }

    if (registry == NULL) {
        registry = ngx_hyperdrive_state_registry_create(1024 * 1024,
                                                        relay_classify);
    }

    relay_last_id = 0;
    cuts = (data[0] >> 4) & 3;
    seed = data[1] * 256 + data[2] + 1;

    /*
     * Files are a matter of the pool's key: all have them or nobody; and what
     * is not tracked cannot be told.
     */

    common = NGX_HYPERDRIVE_MYSQL_PROTOCOL_41
             | ((data[3] & 8) ? NGX_HYPERDRIVE_MYSQL_LOCAL_FILES : 0);

    caps = common | NGX_HYPERDRIVE_MYSQL_MULTI_STATEMENTS
           | ((data[3] & 1) ? NGX_HYPERDRIVE_MYSQL_DEPRECATE_EOF : 0)
           | ((data[3] & 2) ? NGX_HYPERDRIVE_MYSQL_SESSION_TRACK : 0)
           | ((data[3] & 16) ? NGX_HYPERDRIVE_MYSQL_MARIADB_TYPE_INFO : 0)
           | ((data[3] & 32) ? NGX_HYPERDRIVE_MYSQL_QUERY_ATTRIBUTES : 0);

    relay_init(&r, registry, 1 + ((data[0] >> 1) & 7), caps,
               (data[3] & 4) ? 1 : 0);

    r.own = data[0] >> 7;

    data += 4;
    size -= 4;

    while (size) {
        n = script_make(&s, data, size, common,
                        caps & NGX_HYPERDRIVE_MYSQL_SESSION_TRACK);

        run(&r, &s, cuts);
        bytes_free(&s.b);

        data += n;
        size -= n;

        if (size < 3) {
            break;
        }
    }

    relay_free(&r);

    /* no statement is referred to any more */

    ngx_str_null(&types);

    for (i = 0; i < TEXTS; i++) {
        text.data = (u_char *) texts[i];
        text.len = strlen(texts[i]);

        stmt = ngx_hyperdrive_state_stmt_get(registry, &text, &types, 0);

        if (stmt->refs != 1) {
            fprintf(stderr, "%d references to \"%s\" are left\n",
                    (int) stmt->refs - 1, stmt->text);
            abort();
        }

        stmt->id = 0;
        ngx_hyperdrive_state_stmt_unref(registry, stmt);
    }

    return 0;
}


/* one client's; returns how many bytes of <data> it took */

static size_t
script_make(script_t *s, const uint8_t *data, size_t size, uint64_t common,
    uint64_t track)
{
    char        *text;
    size_t       i, len, n;
    u_char       buf[256], *p, *big;
    uint32_t     number;
    ngx_uint_t   op, arg, prepares, named, attrs;

    prepares = 0;

    ngx_memzero(s, sizeof(script_t));

    s->caps = common
              | ((data[0] & 1) ? NGX_HYPERDRIVE_MYSQL_DEPRECATE_EOF : 0)
              | ((data[0] & 2) ? track : 0)
              | ((data[0] & 4) ? NGX_HYPERDRIVE_MYSQL_MULTI_STATEMENTS : 0)
              | ((data[0] & 8) ? NGX_HYPERDRIVE_MYSQL_MARIADB_TYPE_INFO : 0)
              | ((data[0] & 16) ? NGX_HYPERDRIVE_MYSQL_MARIADB_CACHE_METADATA
                                : 0)
              | ((data[0] & 32) ? NGX_HYPERDRIVE_MYSQL_QUERY_ATTRIBUTES : 0);

    named = ((s->caps & NGX_HYPERDRIVE_MYSQL_QUERY_ATTRIBUTES) != 0);

    for (i = 1; i + 1 < size; /* void */ ) {

        op = data[i++] % 20;
        arg = data[i++];

        text = texts[arg % TEXTS];
        len = strlen(text);
        number = 1 + (arg & 7);
        p = buf;

        switch (op) {

        case 0:
        case 1:
        case 2:
            *p++ = NGX_HYPERDRIVE_MYSQL_COM_QUERY;

            if (named) {
                p = attributes(p, op == 2 ? arg >> 5 : 0);
            }

            p = ngx_cpymem(p, text, len);
            break;

        case 3:
        case 4:

            if (++prepares > SERVER_STATEMENTS) {
                continue;
            }

            *p++ = NGX_HYPERDRIVE_MYSQL_COM_STMT_PREPARE;
            p = ngx_cpymem(p, text, len);
            break;

        case 5:
        case 6:
        case 7:
        case 8:
            /* parameters as if there were arg >> 6 of them */

            n = (arg >> 6) % 3;
            attrs = (named && op == 7) ? 1 + (arg & 1) : 0;

            *p++ = NGX_HYPERDRIVE_MYSQL_COM_STMT_EXECUTE;
            p = ngx_hyperdrive_mysql_put_u32(p, (op == 5 && (arg & 8))
                                               ? NGX_HYPERDRIVE_MYSQL_LAST
                                               : number);
            *p++ = ((op == 8) ? 1 : 0) | ((named && op > 6) ? 8 : 0);
            p = ngx_hyperdrive_mysql_put_u32(p, 1);

            if (named && (n || op > 6)) {
                *p++ = (u_char) (n + attrs);
            }

            if (n + attrs) {
                *p++ = (arg & 32) ? 2 : 0;
                *p++ = (arg & 16) ? 1 : 0;

                if (arg & 16) {

                    if (n) {
                        *p++ = 3 + (arg & 1);
                        *p++ = 0;
                        p = ngx_cpymem(p, "\1x", named ? arg & 2 : 0);

                        if (named && !(arg & 2)) {
                            *p++ = 0;
                        }
                    }

                    if (n == 2) {
                        *p++ = 8;
                        *p++ = 128;
                        p = ngx_cpymem(p, "\2yz", named ? 3 : 0);
                    }

                    p = ngx_cpymem(p, "\375\0\5trace\1\0\1z",
                                   (attrs == 2) ? 12 : attrs ? 8 : 0);
                }

                p = ngx_cpymem(p, "values", n ? 4 : 0);
                p = ngx_cpymem(p, "longlong", (n == 2) ? 8 : 0);
                p = ngx_cpymem(p, "\2ab7", (attrs == 2) ? 4 : attrs ? 3 : 0);
            }

            break;

        case 9:
            *p++ = NGX_HYPERDRIVE_MYSQL_COM_STMT_BULK_EXECUTE;
            p = ngx_hyperdrive_mysql_put_u32(p, number);
            *p++ = (arg & 16) ? 0x80 : 0;
            *p++ = 0;

            if (arg & 16) {
                p = ngx_cpymem(p, "\4\0\5\0", (arg & 32) ? 2 : 4);
            }

            p = ngx_cpymem(p, "bulk", 4);
            break;

        case 10:
            *p++ = NGX_HYPERDRIVE_MYSQL_COM_STMT_LONG_DATA;
            p = ngx_hyperdrive_mysql_put_u32(p, number);
            *p++ = 0;
            *p++ = 0;
            p = ngx_cpymem(p, "long", 4);
            break;

        case 11:
            *p++ = NGX_HYPERDRIVE_MYSQL_COM_STMT_CLOSE;
            p = ngx_hyperdrive_mysql_put_u32(p, number);
            break;

        case 12:
            *p++ = NGX_HYPERDRIVE_MYSQL_COM_STMT_RESET;
            p = ngx_hyperdrive_mysql_put_u32(p, number);
            break;

        case 13:
            *p++ = NGX_HYPERDRIVE_MYSQL_COM_STMT_FETCH;
            p = ngx_hyperdrive_mysql_put_u32(p, number);
            p = ngx_hyperdrive_mysql_put_u32(p, arg >> 5);
            break;

        case 14:
            *p++ = NGX_HYPERDRIVE_MYSQL_COM_SET_OPTION;
            *p++ = arg & 1;
            *p++ = 0;
            break;

        case 15:

            switch (arg % 7) {

            case 0:
                *p++ = NGX_HYPERDRIVE_MYSQL_COM_PING;
                break;

            case 1:
                *p++ = NGX_HYPERDRIVE_MYSQL_COM_STATISTICS;
                break;

            case 2:
                p = ngx_cpymem(p, "\4t\0", 3);
                break;

            case 3:
                p = ngx_cpymem(p, "\2db", 3);
                break;

            case 4:
                *p++ = NGX_HYPERDRIVE_MYSQL_COM_RESET_CONNECTION;
                break;

            case 5:
                *p++ = 0x55;
                break;

            default:
                *p++ = NGX_HYPERDRIVE_MYSQL_COM_STMT_EXECUTE;
                *p++ = 1;
            }

            break;

        case 16:
            s->leave = arg & 1;
            return i;

        case 17:

            if (common & NGX_HYPERDRIVE_MYSQL_LOCAL_FILES) {
                script_wait(s);
                script_packet(s, 0, named ? "\3\0\1INFILE f" : "\3INFILE f",
                              named ? 11 : 9);
                script_wait(s);

                if (arg & 1) {
                    script_packet(s, 2, "line\n", 5);
                }

                script_packet(s, 2 + (arg & 1), "", 0);
            }

            continue;

        case 18:
            /* one that streams */
            n = 70000;
            big = malloc(n);
            ngx_memset(big, 'x', n);

            big[0] = NGX_HYPERDRIVE_MYSQL_COM_STMT_EXECUTE;
            (void) ngx_hyperdrive_mysql_put_u32(big + 1, number);
            big[5] = 0;
            ngx_memcpy(big + 6, "\1\0\0\0\0", 5);
            big[11] = (arg & 16) ? 1 : 0;

            if (named) {
                ngx_memcpy(big + 10, "\1\0\1\375\0\1q", 7);
                big[12] = (arg & 16) ? 1 : 0;
            }

            script_packet(s, 0, big, n);
            free(big);
            continue;

        default:
            script_wait(s);
            continue;
        }

        script_packet(s, 0, buf, p - buf);

        if (arg & 32) {
            script_wait(s);
        }

        if (s->b.len > 512 * 1024) {
            break;
        }
    }

    return size;
}


/* ahead of a text: none, one or two, or what is cut short */

static u_char *
attributes(u_char *p, ngx_uint_t which)
{
    switch (which) {

    case 1:
        return ngx_cpymem(p, "\1\1\0\1\3\0\2id\1\2\3\4", 13);

    case 2:
        return ngx_cpymem(p, "\2\1\2\1\375\0\0\10\0\1b\3abc", 15);

    case 3:
        return ngx_cpymem(p, "\1\1\0\0\3\0\2id\1\2\3\4", 13);

    case 4:
        return ngx_cpymem(p, "\1\1\0\1\375\0\1a\374\0\1", 11);

    default:
        return ngx_cpymem(p, "\0\1", 2);
    }
}


static void
script_packet(script_t *s, u_char seq, const void *data, size_t len)
{
    ngx_hyperdrive_chain_t  out;

    ngx_memzero(&out, sizeof(ngx_hyperdrive_chain_t));
    ngx_hyperdrive_mysql_packet_append(&out, data, len, &seq);
    bytes_chain(&s->b, &out);
}


static void
script_wait(script_t *s)
{
    if (s->nwaits < SCRIPT_WAITS) {
        s->waits[s->nwaits++] = s->b.len;
    }
}


static void
run(relay_t *r, script_t *s, ngx_uint_t cuts)
{
    size_t      pos, end, n, max, leave;
    ngx_uint_t  i;

    relay_connect(r, s->caps);

    pos = 0;
    max = (cuts == 0) ? (size_t) -1 : (cuts == 1) ? 8 : (cuts == 2) ? 100 : 1;
    leave = (size_t) -1;

    if (s->leave && s->b.len) {
        leave = random_number() % s->b.len;
    }

    for (i = 0; i <= s->nwaits; i++) {

        end = (i < s->nwaits) ? s->waits[i] : s->b.len;

        while (pos < end) {

            if (r->failed || pos == leave) {
                goto done;
            }

            switch (random_number() & 3) {

            case 0:
            case 1:
                n = end - pos;

                if (max != (size_t) -1 && n > max) {

                    /* a large command in a reasonable time */
                    n = (n > 10000 || r->in.len > 2000)
                        ? ngx_min(n, 5000) : 1 + random_number() % max;
                }

                if (pos < leave && leave - pos < n) {
                    n = leave - pos;
                }

                relay_client(r, s->b.data + pos, n);
                pos += n;
                break;

            case 2:
                (void) relay_send(r, (r->out.len > 10000) ? 10000
                                              : random_number() % 64);
                break;

            default:
                (void) relay_receive(r, (max == 1) ? 1 : random_number() % 64);
            }
        }

        if (i < s->nwaits || leave == (size_t) -1) {

            if (max != (size_t) -1) {
                do {
                    (void) relay_send(r, (size_t) -1);
                } while (relay_receive(r, 1 + random_number() % max));
            }

            relay_run(r);
        }
    }

done:

    check(r, s, leave == (size_t) -1);

    if (relay_leave(r) == NGX_ABORT) {
        fail(r, &s->b, "it does not settle");
    }
}


static void
check(relay_t *r, script_t *s, ngx_uint_t done)
{
    server_t  direct;

    server_init(&direct, s->caps, r->mariadb);
    direct.says = r->server.says;
    direct.shows = r->server.shows;
    server_feed(&direct, s->b.data, s->b.len);

    if (r->server.wild) {
        fail(r, &direct.out, "nonsense is sent to the database");
    }

    if (r->got.len > direct.out.len
        || (r->got.len && ngx_memcmp(r->got.data, direct.out.data,
                                     r->got.len) != 0))
    {
        fail(r, &direct.out, "another answer");
    }

    if (r->lost) {

        /* who sends commands behind a question for a file is cut off */

        if (strcmp(r->lost, "commands were sent behind LOCAL INFILE") != 0) {
            fail(r, &direct.out, r->lost);
        }

    } else if (r->failed) {

        if (!direct.wild) {
            fail(r, &direct.out, r->err.message);
        }

    } else if (done) {

        if (r->got.len < direct.out.len) {
            fail(r, &direct.out, "less of an answer");
        }

        if (direct.status == NGX_HYPERDRIVE_MYSQL_AUTOCOMMIT && r->attached
            && ((ngx_hyperdrive_mysql_origin_t *) r->origin)->held == 0)
        {
            fail(r, &direct.out, "it should be idle");
        }
    }

    server_free(&direct);
}


static void
fail(relay_t *r, bytes_t *direct, char *why)
{
    size_t    i, n;
    u_char    c;
    bytes_t  *b;

    fprintf(stderr, "%s\n", why);

    for (n = 0; n < 2; n++) {
        b = n ? &r->got : direct;

        fprintf(stderr, "%s:", n ? "got" : "direct");

        for (i = 0; i < b->len && i < 2000; i++) {
            c = b->data[i];
            fprintf(stderr, (c > 32 && c < 127) ? "%c" : "\\%o", c);
        }

        fprintf(stderr, "\n");
    }

    abort();
}


static uint32_t
random_number(void)
{
    seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;

    return (uint32_t) (seed >> 33);
}
