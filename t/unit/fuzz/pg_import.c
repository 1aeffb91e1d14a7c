/* sources: pg/ngx_hyperdrive_pg.c pg/ngx_hyperdrive_pg_block.c pg/ngx_hyperdrive_pg_client.c pg/ngx_hyperdrive_pg_deallocate.c pg/ngx_hyperdrive_pg_forward.c pg/ngx_hyperdrive_pg_forward_parse.c pg/ngx_hyperdrive_pg_forward_sql.c pg/ngx_hyperdrive_pg_forward_stmt.c pg/ngx_hyperdrive_pg_answer.c pg/ngx_hyperdrive_pg_own.c pg/ngx_hyperdrive_pg_probe.c pg/ngx_hyperdrive_pg_status.c pg/ngx_hyperdrive_pg_shape.c pg/ngx_hyperdrive_pg_ledger.c pg/ngx_hyperdrive_pg_message.c pg/ngx_hyperdrive_pg_question.c pg/ngx_hyperdrive_pg_login.c pg/ngx_hyperdrive_pg_lookup.c pg/ngx_hyperdrive_pg_client_login.c pg/ngx_hyperdrive_pg_startup.c pg/ngx_hyperdrive_pg_origin_login.c pg/ngx_hyperdrive_pg_origin_auth.c pg/ngx_hyperdrive_pg_position.c pg/ngx_hyperdrive_pg_row.c pg/ngx_hyperdrive_pg_scram.c pg/ngx_hyperdrive_pg_scram_verifier.c pg/ngx_hyperdrive_pg_saslprep.c state/ngx_hyperdrive_state_stmt.c state/ngx_hyperdrive_state_names.c base/ngx_hyperdrive_base_chain.c base/ngx_hyperdrive_base_hash.c base/ngx_hyperdrive_base_digest.c pg/ngx_hyperdrive_pg_answer_error.c pg/ngx_hyperdrive_pg_repeat.c pg/ngx_hyperdrive_pg_prepared.c pg/ngx_hyperdrive_pg_export.c pg/ngx_hyperdrive_pg_params.c */

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
