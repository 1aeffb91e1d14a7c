/* sources: pg/ state/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * What a client sends once it is logged in, to an origin that answers nothing
 * or anything.  The first byte of the input: 1: the client's bytes are cut
 * wherever the second byte says; 2: there are answers: then a byte in front
 * of each piece says whose it is (128: the origin's) and how long.
 */


#include "pg_wire_relay.h"


static void begin(relay_t *r, ngx_uint_t statements);
static void end(relay_t *r);
static void compare(relay_t *a, relay_t *b);


static ngx_hyperdrive_state_registry_t  *registry;


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t      n, cut;
    relay_t     r, whole;
    ngx_uint_t  flags;

    if (size < 2) {
        return 0;
    }

    if (registry == NULL) {
        registry = ngx_hyperdrive_state_registry_create(4096, relay_classify);
    }

    flags = data[0];
    cut = 1 + data[1];

    data += 2;
    size -= 2;

    begin(&r, 1 + (flags >> 4));

    if (flags & 2) {

        while (size) {
            n = 1 + (data[0] & 127);
            n = ngx_min(n, size - 1);

            if (data[0] & 128) {
                bytes_add(&r.wire, data + 1, n);
                relay_answers(&r);

            } else {
                relay_client(&r, data + 1, n);
            }

            data += 1 + n;
            size -= 1 + n;
        }

        end(&r);

        return 0;
    }

    /* the same requests are forwarded, and the same is said, however cut */

    begin(&whole, 1 + (flags >> 4));

    relay_client(&whole, data, size);

    for (n = 0; n < size; n += cut) {
        relay_client(&r, data + n, ngx_min(cut, size - n));
    }

    compare(&whole, &r);

    end(&r);
    end(&whole);

    return 0;
}


static void
begin(relay_t *r, ngx_uint_t statements)
{
    relay_init(r, registry, statements);
    relay_connect(r);
}


static void
end(relay_t *r)
{
    ngx_hyperdrive_chain_t  out;

    ngx_memzero(&out, sizeof(ngx_hyperdrive_chain_t));

    if (r->attached) {
        (void) ngx_hyperdrive_pg_proto.origin_abandon(r->client, r->origin,
                                                      &out);
        ngx_hyperdrive_base_chain_clear(&out);
    }

    ngx_hyperdrive_pg_proto.client_destroy(r->client);
    r->client = NULL;

    relay_free(r);
}


static void
compare(relay_t *a, relay_t *b)
{
    size_t  len;

    /* who breaks the protocol may have had more of it forwarded before */

    len = ngx_min(a->out.len, b->out.len);

    if (len && ngx_memcmp(a->out.data, b->out.data, len) != 0) {
        abort();
    }

    len = ngx_min(a->got.len, b->got.len);

    if (len && ngx_memcmp(a->got.data, b->got.data, len) != 0) {
        abort();
    }

    if (a->failed != b->failed || a->left != b->left) {
        abort();
    }

    if (!a->failed && !a->left
        && (a->out.len != b->out.len || a->got.len != b->got.len))
    {
        abort();
    }
}
