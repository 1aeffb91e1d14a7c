/* sources: pg/ state/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * A client as another worker has sent it: whatever is taken for one says the
 * same of itself again, and can go on.
 */


#include "pg_wire_relay.h"


static ngx_hyperdrive_state_registry_t  *registry;


static size_t
export(void *client, u_char **data)
{
    size_t                  len;
    ngx_hyperdrive_chain_t  out;

    ngx_memzero(&out, sizeof(ngx_hyperdrive_chain_t));

    if (ngx_hyperdrive_pg_proto.client_export(client, &out) != NGX_OK) {
        abort();
    }

    len = out.size;
    *data = malloc(len);

    ngx_hyperdrive_base_chain_copy(&out, *data);
    ngx_hyperdrive_base_chain_clear(&out);

    return len;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    void     *client, *again;
    size_t    len;
    u_char   *copy, *out;
    relay_t   r;
    bytes_t   b;

    if (registry == NULL) {
        registry = ngx_hyperdrive_state_registry_create(4096, relay_classify);
    }

    relay_init(&r, registry, 2);

    copy = malloc(size ? size : 1);
    ngx_memcpy(copy, data, size);

    client = ngx_hyperdrive_pg_proto.client_import(&r.ctx, copy, size);

    free(copy);

    if (client == NULL) {
        relay_free(&r);
        return 0;
    }

    len = export(client, &out);

    again = ngx_hyperdrive_pg_proto.client_import(&r.ctx, out, len);

    if (again == NULL || (size_t) export(again, &copy) != len) {
        abort();
    }

    free(copy);
    free(out);

    ngx_hyperdrive_pg_proto.client_destroy(client);

    relay_connect(&r);
    ngx_hyperdrive_pg_proto.client_destroy(r.client);
    r.client = again;

    ngx_memzero(&b, sizeof(bytes_t));

    msg_sync(&b);
    msg_query(&b, "SELECT a");
    msg_bind(&b, "", "s", NULL);
    msg_execute(&b, "", 0);
    msg_sync(&b);

    relay_client(&r, b.data, b.len);
    relay_run(&r);

    bytes_free(&b);
    relay_free(&r);

    return 0;
}
