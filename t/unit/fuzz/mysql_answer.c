/* sources: mysql/ state/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * Any bytes that a database may answer with, whole and cut, to any commands:
 * the pieces must be the same, and nothing may be read behind the bytes.
 *
 * The input: capabilities of both ends, how many commands were sent and which,
 * then the bytes.
 */


#include "mysql_wire_relay.h"


#define COMMANDS  8


static void start(relay_t *r, const uint8_t *data, ngx_uint_t n);


static ngx_hyperdrive_state_registry_t  *registry;


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t      i, n, k;
    relay_t     whole, cut;
    ngx_uint_t  commands;

    if (size < 2 + COMMANDS || size > 4096) {
        return 0;
    }

    if (registry == NULL) {
        registry = ngx_hyperdrive_state_registry_create(1024 * 1024,
                                                        relay_classify);
    }

    commands = 1 + data[1] % COMMANDS;

    start(&whole, data, commands);
    start(&cut, data, commands);

    bytes_add(&whole.wire, data + 2 + COMMANDS, size - 2 - COMMANDS);
    relay_answers(&whole);

    k = 1 + (data[0] >> 5);

    for (i = 2 + COMMANDS; i < size && !cut.failed; i += n) {
        n = ngx_min(k, size - i);
        bytes_add(&cut.wire, data + i, n);
        relay_answers(&cut);
    }

    /* (what stands before nonsense is passed on, or not) */

    if (whole.failed != cut.failed
        || (!whole.failed
            && (whole.nready != cut.nready || whole.nown != cut.nown
                || !bytes_equal(&whole.got, &cut.got))))
    {
        fprintf(stderr, "cuts make a difference\n");
        abort();
    }

    ngx_hyperdrive_mysql_client_destroy(whole.client);
    whole.client = NULL;
    ngx_hyperdrive_mysql_client_destroy(cut.client);
    cut.client = NULL;

    relay_free(&whole);
    relay_free(&cut);

    return 0;
}


static void
start(relay_t *r, const uint8_t *data, ngx_uint_t n)
{
    u_char                   buf[64], *p, seq;
    uint64_t                 common;
    ngx_uint_t               i;
    ngx_hyperdrive_chain_t   out;

    common = NGX_HYPERDRIVE_MYSQL_PROTOCOL_41
             | NGX_HYPERDRIVE_MYSQL_SESSION_TRACK
             | NGX_HYPERDRIVE_MYSQL_MULTI_STATEMENTS;

    relay_init(r, registry, 4, common
               | ((data[0] & 1) ? NGX_HYPERDRIVE_MYSQL_DEPRECATE_EOF : 0),
               (data[0] & 2) ? 1 : 0);
    relay_connect(r, common
                  | ((data[0] & 4) ? NGX_HYPERDRIVE_MYSQL_DEPRECATE_EOF : 0));

    r->own = (data[0] & 8) ? 1 : 0;

    for (i = 0; i < n; i++) {
        p = buf;
        seq = 0;

        switch (data[2 + i] % 5) {

        case 0:
            p = ngx_cpymem(p, "\3SELECT a", 9);
            break;

        case 1:
            p = ngx_cpymem(p, "\26SELECT ?", 9);
            break;

        case 2:
            p = ngx_cpymem(p, "\4t\0", 3);
            break;

        case 3:
            p = ngx_cpymem(p, "\11", 1);
            break;

        default:
            p = ngx_cpymem(p, "\2db", 3);
        }

        ngx_memzero(&out, sizeof(ngx_hyperdrive_chain_t));
        ngx_hyperdrive_mysql_packet_append(&out, buf, p - buf, &seq);
        bytes_chain(&r->in, &out);
    }

    relay_process(r);
    r->in.len = 0;
}
