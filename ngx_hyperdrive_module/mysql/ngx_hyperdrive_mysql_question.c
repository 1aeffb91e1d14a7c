
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "mysql/ngx_hyperdrive_mysql_wire.h"


static void ngx_hyperdrive_mysql_question_execute(
    ngx_hyperdrive_mysql_client_t *client, ngx_hyperdrive_proto_unit_t *unit,
    ngx_hyperdrive_chain_t *out);


/*
 * What a client asks, as a unit of its own: a query, or what prepares it and
 * what executes it.  With query attributes it is one of a client that knows
 * them (_attributes()).
 */

void
ngx_hyperdrive_mysql_question(void *client, ngx_hyperdrive_proto_unit_t *unit,
    ngx_hyperdrive_chain_t *out)
{
    ngx_str_t  text;

    if (unit->formats.data[0] == 'b') {
        ngx_hyperdrive_mysql_question_execute(client, unit, out);
        return;
    }

    text.data = unit->stmt->text;
    text.len = unit->stmt->len;

    ngx_hyperdrive_mysql_question_query(&text, unit, out);
}


void
ngx_hyperdrive_mysql_question_query(ngx_str_t *text,
    ngx_hyperdrive_proto_unit_t *unit, ngx_hyperdrive_chain_t *out)
{
    ngx_str_t  none;

    ngx_str_set(&none, "");

    ngx_hyperdrive_mysql_query_with(text, unit ? &unit->attributes : &none,
                                    out);
}


static void
ngx_hyperdrive_mysql_question_execute(ngx_hyperdrive_mysql_client_t *client,
    ngx_hyperdrive_proto_unit_t *unit, ngx_hyperdrive_chain_t *out)
{
    u_char                       *p, *start, *execute, *payload;
    size_t                        len, size;
    ngx_str_t                     values;
    ngx_hyperdrive_mysql_bind_t   bind;
    ngx_hyperdrive_mysql_name_t  *name;
    ngx_hyperdrive_state_stmt_t  *stmt;

    stmt = unit->stmt;
    name = NULL;
    payload = NULL;
    values = unit->args;
    size = NGX_HYPERDRIVE_MYSQL_EXECUTE;

    if (unit->attributes.len) {

        /* as its client has sent it, but for types that were sent before */

        name = ngx_hyperdrive_mysql_names_find(&client->names, client->number);

        payload = unit->attributes.data - NGX_HYPERDRIVE_MYSQL_EXECUTE;
        len = unit->attributes.len + NGX_HYPERDRIVE_MYSQL_EXECUTE;

        if (ngx_hyperdrive_mysql_bind_read(&bind, client->caps, name, payload,
                                           len, len)
            != NGX_OK)
        {
            out->failed = 1;
            return;
        }

        values.data = payload + bind.head;
        values.len = len - bind.head;
        size = ngx_hyperdrive_mysql_bind_size(&bind, name);
    }

    size += 2 * NGX_HYPERDRIVE_MYSQL_HEADER + 1 + stmt->len + values.len;

    start = ngx_hyperdrive_base_chain_reserve(out, size);
    if (start == NULL) {
        return;
    }

    p = ngx_hyperdrive_mysql_put_u24(start, (uint32_t) stmt->len + 1);
    *p++ = 0;
    *p++ = NGX_HYPERDRIVE_MYSQL_COM_STMT_PREPARE;
    p = ngx_cpymem(p, stmt->text, stmt->len);

    execute = p + NGX_HYPERDRIVE_MYSQL_HEADER;

    if (name) {
        p = ngx_hyperdrive_mysql_bind_put(&bind, name, client->caps, payload,
                                          execute);
        /* without a cursor */
        execute[NGX_HYPERDRIVE_MYSQL_FLAGS]
                                       &= NGX_HYPERDRIVE_MYSQL_COUNT_AVAILABLE;
    } else {
        execute[0] = NGX_HYPERDRIVE_MYSQL_COM_STMT_EXECUTE;
        execute[NGX_HYPERDRIVE_MYSQL_FLAGS] = 0;
        p = ngx_hyperdrive_mysql_put_u32(execute + NGX_HYPERDRIVE_MYSQL_FLAGS
                                         + 1, 1);
    }

    (void) ngx_hyperdrive_mysql_put_u32(execute + 1, NGX_HYPERDRIVE_MYSQL_LAST);

    p = ngx_cpymem(p, values.data, values.len);

    *ngx_hyperdrive_mysql_put_u24(execute - NGX_HYPERDRIVE_MYSQL_HEADER,
                                  (uint32_t) (p - execute))
        = 0;

    ngx_hyperdrive_base_chain_unreserve(out, start + size - p);
}


void
ngx_hyperdrive_mysql_question_attributes(void *data)
{
    ngx_hyperdrive_mysql_client_t *client = data;

    client->caps |= NGX_HYPERDRIVE_MYSQL_QUERY_ATTRIBUTES;
}
