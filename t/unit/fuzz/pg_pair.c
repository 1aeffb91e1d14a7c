/* sources: pg/ state/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * Clients, one after the other, over one pooled connection to a model of the
 * database.  Each must receive what the model would have sent it directly,
 * wherever the bytes are cut and in whatever order they move; who leaves
 * early must leave a clean connection.
 *
 * The input: how many statements are prepared at most, and whether those that
 * nobody uses are kept, and whether we ask something ourselves ahead of each
 * client, or behind its statements; a seed for the cuts; then the clients'
 * messages.
 */


#include "pg_wire_relay.h"
#include "pg_wire_script.h"


static void run(relay_t *r, script_t *s, ngx_uint_t cuts);
static void check(relay_t *r, script_t *s, ngx_uint_t done);
static void normalize(bytes_t *to, u_char *p, size_t len);
static void fail(relay_t *r, bytes_t *direct, char *why);
static uint32_t random_number(void);


static uint64_t                          seed;
static ngx_hyperdrive_state_registry_t  *registries[2];


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t                            n;
    relay_t                           r;
    script_t                          s;
    ngx_str_t                         text, types;
    ngx_uint_t                        i, cuts;
    ngx_hyperdrive_state_stmt_t      *stmt;
    ngx_hyperdrive_state_registry_t  *registry;

    if (size < 4 || size > 4096) {
        return 0;
    }

    if (registries[0] == NULL) {
        registries[0] = ngx_hyperdrive_state_registry_create(0,
                                                             relay_classify);
        registries[1] = ngx_hyperdrive_state_registry_create(1024 * 1024,
                                                             relay_classify);
    }

    registry = registries[data[0] & 1];
    relay_last_id = 0;
    cuts = (data[0] >> 4) & 3;
    seed = data[1] * 256 + data[2] + 1;

    relay_init(&r, registry, 1 + ((data[0] >> 1) & 7));

    if (data[0] & 64) {
        r.own = "SELECT2 own";
        r.own_flags = (data[0] & 128) ? NGX_HYPERDRIVE_PROTO_OWN_SYNC : 0;

    } else if (data[0] & 128) {
        r.behind = "SELECT2 behind";
        r.apart = data[1] & 1;
    }

    data += 3;
    size -= 3;

    while (size) {
        n = script_make(&s, data, size);

        run(&r, &s, cuts);
        bytes_free(&s.b);

        data += n;
        size -= n;

        if (size < 2) {
            break;
        }
    }

    relay_free(&r);

    /* no statement is referred to any more */

    ngx_str_null(&types);

    for (i = 0; i < SCRIPT_TEXTS; i++) {
        text.data = (u_char *) script_texts[i];
        text.len = strlen(script_texts[i]);

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


static void
run(relay_t *r, script_t *s, ngx_uint_t cuts)
{
    size_t      pos, end, n, max, leave;
    ngx_uint_t  i;

    relay_connect(r);

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

                    /* a large message in a reasonable time */
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

        if (leave == (size_t) -1) {
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

    if (relay_leave(r) == NGX_ABORT && !r->copying) {
        fail(r, &s->b, "it does not settle");
    }
}


static void
check(relay_t *r, script_t *s, ngx_uint_t done)
{
    bytes_t   a, b, visible;
    server_t  direct;

    ngx_memzero(&a, sizeof(bytes_t));
    ngx_memzero(&b, sizeof(bytes_t));
    ngx_memzero(&visible, sizeof(bytes_t));

    server_init(&direct);
    server_feed(&direct, s->b.data, s->b.len);

    normalize(&a, r->got.data, r->got.len);
    normalize(&b, direct.out.data, direct.out.len);
    normalize(&visible, direct.out.data, direct.visible);

    /* a Flush of ours may show more than what the client has asked to see */

    if (a.len > b.len || (a.len && ngx_memcmp(a.data, b.data, a.len) != 0)) {
        fail(r, &direct.out, "another answer");
    }

    if (r->lost) {
        fail(r, &direct.out, r->lost);

    } else if (r->failed && !r->fatal) {
        fail(r, &direct.out, r->err.message);

    } else if (done || r->fatal) {

        /* what is not ended by a Sync or a Flush is not sent yet */

        if (a.len < visible.len && (s->whole || r->fatal)) {
            fail(r, &direct.out, "less of an answer");
        }

        if (done && s->whole && !r->fatal && !r->pinned
            && direct.status == 'I' && !direct.extended && !direct.ignore
            && !direct.copy && r->attached
            && !ngx_hyperdrive_pg_proto.origin_idle(r->origin))
        {
            fail(r, &direct.out, "it should be idle");
        }
    }

    server_free(&direct);

    bytes_free(&a);
    bytes_free(&b);
    bytes_free(&visible);
}


/*
 * In a failed block the error may be another one: a statement that is not
 * prepared on this connection cannot be prepared there (25P02).  And a COPY may
 * read, instead of a Parse, what we say ahead of it.
 */

static void
normalize(bytes_t *to, u_char *p, size_t len)
{
    size_t       total;
    u_char      *type, status;
    static char  copy[] = "unexpected message type 0x";

    status = 'I';

    while (len >= 5) {
        total = 1 + (size_t) ngx_hyperdrive_base_get_u32(p + 1);

        if (p[0] == 'E' && status == 'E') {

            if (len < total) {
                return;
            }

            bytes_add(to, "E", 1);

        } else {

            if (len < total) {
                break;
            }

            bytes_add(to, p, total);

            if (p[0] == 'Z') {
                status = p[5];

            } else if (p[0] == 'E') {
                type = memmem(to->data + to->len - total, total, copy,
                              sizeof(copy) - 1);

                if (type) {
                    ngx_memset(type + sizeof(copy) - 1, '?', 2);
                }
            }
        }

        p += total;
        len -= total;
    }

    bytes_add(to, p, len);
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

        for (i = 0; i < b->len && i < 1000; i++) {
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
