
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "mysql/ngx_hyperdrive_mysql_wire.h"
#include "base/ngx_hyperdrive_base_hash.h"


/*
 * Answers that are kept: the packets of the columns, then the rows with their
 * end, as some client was told.  They are numbered anew for each client, and
 * the ends are what it understands.
 */


static ngx_uint_t ngx_hyperdrive_mysql_serve_known(
    ngx_hyperdrive_mysql_client_t *client, ngx_hyperdrive_proto_unit_t *unit,
    u_char *p, size_t len);
static void ngx_hyperdrive_mysql_serve_head(
    ngx_hyperdrive_mysql_client_t *client, u_char *p, size_t len,
    ngx_uint_t known, ngx_hyperdrive_chain_t *out);
static void ngx_hyperdrive_mysql_serve_last(
    ngx_hyperdrive_mysql_client_t *client, ngx_hyperdrive_chain_t *out);
static uint64_t ngx_hyperdrive_mysql_serve_columns(ngx_str_t *head);


void
ngx_hyperdrive_mysql_serve_begin(void *data,
    ngx_hyperdrive_proto_unit_t *unit, u_char *head, size_t len,
    ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_mysql_client_t *client = data;

    ngx_uint_t  known;

    client->seq = 1;

    ngx_memzero(&client->rows, sizeof(ngx_hyperdrive_mysql_framer_t));

    known = ngx_hyperdrive_mysql_serve_keeps(client)
            && ngx_hyperdrive_mysql_serve_known(client, unit, head, len);

    ngx_hyperdrive_mysql_serve_head(client, head, len, known, out);

    if (!(client->caps & NGX_HYPERDRIVE_MYSQL_DEPRECATE_EOF)) {
        ngx_hyperdrive_mysql_eof(out, client->status, 0, &client->seq);
    }

    /* that was the columns */
    client->served = 0;
}


/* whether its statement has just these columns for the client already */

static ngx_uint_t
ngx_hyperdrive_mysql_serve_known(ngx_hyperdrive_mysql_client_t *client,
    ngx_hyperdrive_proto_unit_t *unit, u_char *p, size_t len)
{
    u_char                       *last, seq;
    uint64_t                      shape;
    ngx_str_t                     payload;
    ngx_uint_t                    first, known;
    ngx_hyperdrive_mysql_name_t  *name;

    name = unit->simple ? NULL
                        : ngx_hyperdrive_mysql_names_find(&client->names,
                                                          client->number);
    if (name == NULL) {
        return 0;
    }

    last = p + len;
    first = 1;
    shape = 0;

    while (ngx_hyperdrive_mysql_packet(&p, last,
                                       NGX_HYPERDRIVE_MYSQL_MAX_PACKET - 1,
                                       &payload, &seq)
           == NGX_OK)
    {
        if (!first) {
            shape = ngx_hyperdrive_mysql_serve_shaped(shape, payload.data,
                                                      payload.len);
        }

        first = 0;
    }

    known = (name->shape == shape);
    name->shape = shape;

    return known;
}


uint64_t
ngx_hyperdrive_mysql_serve_shaped(uint64_t shape, u_char *payload, size_t len)
{
    uint64_t  seed[2];

    seed[0] = shape;
    seed[1] = 0;

    shape = ngx_hyperdrive_base_hash(seed, payload, len);

    return shape ? shape : 1;
}


void
ngx_hyperdrive_mysql_serve_count(ngx_hyperdrive_chain_t *out, u_char *payload,
    size_t len, ngx_uint_t follow, u_char *seq)
{
    u_char  *p;

    p = ngx_hyperdrive_mysql_packet_begin(out, len + 1, seq);

    if (p) {
        p = ngx_cpymem(p, payload, len);
        *p = follow ? 1 : 0;
    }
}


/* definitions are as the one client was told who was told most */

static void
ngx_hyperdrive_mysql_serve_head(ngx_hyperdrive_mysql_client_t *client,
    u_char *p, size_t len, ngx_uint_t known, ngx_hyperdrive_chain_t *out)
{
    u_char      *q, *last, seq;
    ngx_str_t    payload;
    ngx_uint_t   first;

    last = p + len;
    first = 1;

    while (ngx_hyperdrive_mysql_packet(&p, last,
                                       NGX_HYPERDRIVE_MYSQL_MAX_PACKET - 1,
                                       &payload, &seq)
           == NGX_OK)
    {
        if (first && ngx_hyperdrive_mysql_serve_keeps(client)) {
            ngx_hyperdrive_mysql_serve_count(out, payload.data, payload.len,
                                             !known, &client->seq);
            if (known) {
                return;
            }

            first = 0;
            continue;
        }

        if (!first) {
            ngx_hyperdrive_mysql_serve_definition(client, &payload,
                                                  &client->seq, out);
            continue;
        }

        first = 0;

        q = ngx_hyperdrive_mysql_packet_begin(out, payload.len, &client->seq);

        if (q) {
            ngx_memcpy(q, payload.data, payload.len);
        }
    }
}


void
ngx_hyperdrive_mysql_serve_definition(ngx_hyperdrive_mysql_client_t *client,
    ngx_str_t *payload, u_char *seq, ngx_hyperdrive_chain_t *out)
{
    u_char      *p;
    ngx_str_t    info;
    ngx_uint_t   typed, wanted;

    typed = ngx_hyperdrive_mysql_typed(payload);
    wanted = ((client->caps & NGX_HYPERDRIVE_MYSQL_MARIADB_TYPE_INFO) != 0);

    if (typed != wanted
        && ngx_hyperdrive_mysql_type_info(payload, typed, &info) == NGX_OK)
    {
        ngx_hyperdrive_mysql_retype(out, payload, typed, &info, seq);
        return;
    }

    p = ngx_hyperdrive_mysql_packet_begin(out, payload->len, seq);

    if (p) {
        ngx_memcpy(p, payload->data, payload->len);
    }
}


void
ngx_hyperdrive_mysql_serve_rows(void *data, u_char *p, size_t len,
    ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_mysql_client_t *client = data;

    u_char                       *last, *q;
    ngx_hyperdrive_mysql_part_t   part;

    last = p + len;

    while (ngx_hyperdrive_mysql_part(&client->rows, &p, last, &part)
           == NGX_OK)
    {
        if (part.packet) {
            client->begun = part.begin;
            client->row = part.len + client->rows.left;
            client->headed = 0;
        }

        if (!client->headed) {

            if (part.len == 0 && client->row) {
                continue;
            }

            client->headed = 1;

            if (client->begun && client->row
                && client->row < NGX_HYPERDRIVE_MYSQL_MAX_PACKET
                && part.data[0] == NGX_HYPERDRIVE_MYSQL_EOF)
            {
                client->ending = 1;

            } else {
                q = ngx_hyperdrive_base_chain_reserve(out,
                                                  NGX_HYPERDRIVE_MYSQL_HEADER);
                if (q == NULL) {
                    return;
                }

                q = ngx_hyperdrive_mysql_put_u24(q, (uint32_t) client->row);
                *q = client->seq++;

                client->served += client->begun;
            }
        }

        ngx_hyperdrive_base_chain_append(client->ending ? &client->end : out,
                                         part.data, part.len);

        if (part.end && client->ending) {
            ngx_hyperdrive_mysql_serve_last(client, out);
        }
    }
}


static void
ngx_hyperdrive_mysql_serve_last(ngx_hyperdrive_mysql_client_t *client,
    ngx_hyperdrive_chain_t *out)
{
    ngx_int_t                   rc;
    ngx_str_t                   payload;
    ngx_hyperdrive_mysql_ok_t   ok;

    client->ending = 0;

    ngx_memzero(&ok, sizeof(ngx_hyperdrive_mysql_ok_t));

    payload.data = client->end.head->pos;
    payload.len = client->end.size;

    if (payload.len == NGX_HYPERDRIVE_MYSQL_EOF_LEN) {
        rc = ngx_hyperdrive_mysql_eof_read(&payload, &ok.status, &ok.warnings);

    } else {
        rc = ngx_hyperdrive_mysql_ok_read(&payload, client->caps, &ok);
    }

    if (rc == NGX_OK) {
        ngx_hyperdrive_mysql_end(out, client->caps, &ok, &client->seq);
    }

    ngx_hyperdrive_base_chain_clear(&client->end);
}


ngx_uint_t
ngx_hyperdrive_mysql_serve_end(void *data, ngx_hyperdrive_proto_unit_t *unit,
    ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_mysql_client_t *client = data;

    ngx_uint_t  rows;

    rows = client->served;

    client->seq = 1;
    client->served = 0;

    ngx_hyperdrive_mysql_client_looked(client);

    return rows;
}


uint64_t
ngx_hyperdrive_mysql_serve_shape(u_char *head, size_t len)
{
    uint64_t  shape;

    static uint64_t  seed[2];

    shape = ngx_hyperdrive_base_hash(seed, head, len);

    return shape ? shape : 1;
}


/* a sum over the rows, without numbers and ends: their order does not count */

uint64_t
ngx_hyperdrive_mysql_serve_digest(ngx_str_t *head, ngx_str_t *rows)
{
    u_char    *p, *last;
    size_t     n;
    uint32_t   size;
    uint64_t   sum;

    static uint64_t  seed[2];

    p = rows->data;
    last = p + rows->len;
    sum = ngx_hyperdrive_mysql_serve_columns(head);

    for ( ;; ) {
        p = ngx_hyperdrive_mysql_read_u24(p, last, &size);

        if (p == NULL || p == last) {
            break;
        }

        p++;
        n = ngx_min((size_t) size, (size_t) (last - p));

        if (n && (p[0] != NGX_HYPERDRIVE_MYSQL_EOF
                  || size == NGX_HYPERDRIVE_MYSQL_MAX_PACKET))
        {
            sum += ngx_hyperdrive_base_hash(seed, p, n);
        }

        p += n;
    }

    return sum;
}


/* a digest of the definitions, but for what not all clients are told */

static uint64_t
ngx_hyperdrive_mysql_serve_columns(ngx_str_t *head)
{
    u_char     *p, *last, *rest, seq;
    uint64_t    shape;
    ngx_str_t   payload, info;

    p = head->data;
    last = p + head->len;
    shape = 0;

    while (ngx_hyperdrive_mysql_packet(&p, last,
                                       NGX_HYPERDRIVE_MYSQL_MAX_PACKET - 1,
                                       &payload, &seq)
           == NGX_OK)
    {
        if (ngx_hyperdrive_mysql_type_info(&payload,
                                           ngx_hyperdrive_mysql_typed(&payload),
                                           &info)
            != NGX_OK)
        {
            /* how many there are */
            continue;
        }

        rest = info.data + info.len;

        shape = ngx_hyperdrive_mysql_serve_shaped(shape, payload.data,
                                                  info.data - payload.data);
        shape = ngx_hyperdrive_mysql_serve_shaped(shape, rest,
                                          payload.data + payload.len - rest);
    }

    return shape;
}


/* one of the text protocol */

ngx_int_t
ngx_hyperdrive_mysql_serve_row(u_char **pos, u_char *last, ngx_str_t *cols,
    ngx_uint_t *n)
{
    u_char      *p, *end, seq;
    ngx_int_t    rc;
    ngx_str_t    payload;
    ngx_uint_t   i, max;

    max = *n;
    *n = 0;

    rc = ngx_hyperdrive_mysql_packet(pos, last,
                                     NGX_HYPERDRIVE_MYSQL_MAX_PACKET - 1,
                                     &payload, &seq);
    if (rc != NGX_OK) {
        return rc;
    }

    if (payload.len == 0 || payload.data[0] == NGX_HYPERDRIVE_MYSQL_EOF) {
        return NGX_OK;
    }

    p = payload.data;
    end = p + payload.len;

    for (i = 0; p && p < end; i++) {

        if (i == max) {
            return NGX_ERROR;
        }

        if (*p == NGX_HYPERDRIVE_MYSQL_NULL) {
            ngx_str_set(&cols[i], "");
            p++;
            continue;
        }

        p = ngx_hyperdrive_mysql_read_lstr(p, end, &cols[i]);
    }

    if (p == NULL) {
        return NGX_ERROR;
    }

    *n = i;

    return NGX_OK;
}
