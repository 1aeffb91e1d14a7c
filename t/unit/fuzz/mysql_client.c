/* sources: mysql/ state/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * Any bytes that a client may send behind its log-in, whole and cut: what is
 * read of them must not depend on the cuts, and nothing may be read behind
 * them.
 */


#include "mysql_wire_relay.h"


static ngx_hyperdrive_state_registry_t  *registry;


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t      i, n;
    relay_t     whole, cut;
    uint64_t    caps;
    ngx_uint_t  k;

    if (size < 2 || size > 4096) {
        return 0;
    }

    if (registry == NULL) {
        registry = ngx_hyperdrive_state_registry_create(1024 * 1024,
                                                        relay_classify);
    }

    caps = NGX_HYPERDRIVE_MYSQL_PROTOCOL_41
           | NGX_HYPERDRIVE_MYSQL_MULTI_STATEMENTS
           | ((data[0] & 1) ? NGX_HYPERDRIVE_MYSQL_DEPRECATE_EOF : 0)
           | ((data[0] & 4) ? NGX_HYPERDRIVE_MYSQL_QUERY_ATTRIBUTES : 0);

    relay_init(&whole, registry, 4, caps, (data[0] & 2) ? 1 : 0);
    relay_connect(&whole, caps);
    relay_client(&whole, data + 1, size - 1);
    relay_run(&whole);

    relay_init(&cut, registry, 4, caps, (data[0] & 2) ? 1 : 0);
    relay_connect(&cut, caps);

    k = 1 + (data[0] >> 5);

    for (i = 1; i < size && !cut.failed && !cut.left; i += n) {
        n = ngx_min(k, size - i);
        relay_client(&cut, data + i, n);
    }

    relay_run(&cut);

    if (whole.failed != cut.failed || whole.left != cut.left
        || (!whole.failed && !whole.left && !bytes_equal(&whole.got, &cut.got)))
    {
        fprintf(stderr, "cuts make a difference\n");
        abort();
    }

    (void) relay_leave(&whole);
    (void) relay_leave(&cut);

    relay_free(&whole);
    relay_free(&cut);

    return 0;
}
