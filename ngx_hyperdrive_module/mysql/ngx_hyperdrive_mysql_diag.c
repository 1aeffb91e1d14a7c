
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "mysql/ngx_hyperdrive_mysql_wire.h"


/*
 * Answers to what is asked about the statement before: numbers, in one row,
 * and the list of conditions, which has been asked for as SHOW WARNINGS and is
 * told once more, whole or in part.
 */


#define NGX_HYPERDRIVE_MYSQL_TYPE_LONGLONG   8
#define NGX_HYPERDRIVE_MYSQL_FLAG_NOT_NULL   0x0001
#define NGX_HYPERDRIVE_MYSQL_FLAG_UNSIGNED   0x0020
#define NGX_HYPERDRIVE_MYSQL_FLAG_BINARY     0x0080
#define NGX_HYPERDRIVE_MYSQL_BINARY          63      /* the character set */

/* level, code and text */
#define NGX_HYPERDRIVE_MYSQL_DIAG_COLUMNS    3


static void ngx_hyperdrive_mysql_diag_column(
    ngx_hyperdrive_mysql_client_t *client,
    ngx_hyperdrive_proto_number_t *number, ngx_hyperdrive_chain_t *out);
static void ngx_hyperdrive_mysql_diag_row(
    ngx_hyperdrive_mysql_client_t *client, ngx_uint_t binary,
    ngx_hyperdrive_proto_number_t *numbers, ngx_uint_t n,
    ngx_hyperdrive_chain_t *out);
static ngx_uint_t ngx_hyperdrive_mysql_diag_is_error(ngx_str_t *cols,
    ngx_uint_t n);
static void ngx_hyperdrive_mysql_diag_condition(
    ngx_hyperdrive_mysql_client_t *client, ngx_uint_t binary,
    ngx_str_t *cols, ngx_hyperdrive_chain_t *out);
static void ngx_hyperdrive_mysql_diag_end(
    ngx_hyperdrive_mysql_client_t *client, ngx_hyperdrive_chain_t *out);


void
ngx_hyperdrive_mysql_diag_numbers(void *data,
    ngx_hyperdrive_proto_unit_t *unit, ngx_hyperdrive_proto_number_t *numbers,
    ngx_uint_t n, ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_mysql_client_t *client = data;

    u_char      count;
    ngx_uint_t  i;

    client->seq = 1;

    count = (u_char) n;

    if (ngx_hyperdrive_mysql_serve_keeps(client)) {
        ngx_hyperdrive_mysql_serve_count(out, &count, 1, 1, &client->seq);

    } else {
        ngx_hyperdrive_mysql_packet_append(out, &count, 1, &client->seq);
    }

    for (i = 0; i < n; i++) {
        ngx_hyperdrive_mysql_diag_column(client, &numbers[i], out);
    }

    if (!(client->caps & NGX_HYPERDRIVE_MYSQL_DEPRECATE_EOF)) {
        ngx_hyperdrive_mysql_eof(out, client->status, 0, &client->seq);
    }

    ngx_hyperdrive_mysql_diag_row(client, unit->formats.data[0] == 'b',
                                  numbers, n, out);
    ngx_hyperdrive_mysql_diag_end(client, out);
}


static void
ngx_hyperdrive_mysql_diag_column(ngx_hyperdrive_mysql_client_t *client,
    ngx_hyperdrive_proto_number_t *number, ngx_hyperdrive_chain_t *out)
{
    u_char      *p;
    size_t       len;
    ngx_uint_t   flags, typed;

    typed = ((client->caps & NGX_HYPERDRIVE_MYSQL_MARIADB_TYPE_INFO) != 0);

    len = ngx_hyperdrive_mysql_lstr_size(3) + 4
          + ngx_hyperdrive_mysql_lstr_size(number->name.len) + typed + 13;

    p = ngx_hyperdrive_mysql_packet_begin(out, len, &client->seq);
    if (p == NULL) {
        return;
    }

    flags = NGX_HYPERDRIVE_MYSQL_FLAG_BINARY
            | (number->variable ? 0 : NGX_HYPERDRIVE_MYSQL_FLAG_NOT_NULL)
            | (number->sign ? 0 : NGX_HYPERDRIVE_MYSQL_FLAG_UNSIGNED);

    p = ngx_hyperdrive_mysql_put_lstr(p, "def", 3);

    /* of no schema, table, and column of one */

    *p++ = 0;
    *p++ = 0;
    *p++ = 0;

    p = ngx_hyperdrive_mysql_put_lstr(p, number->name.data, number->name.len);

    *p++ = 0;

    if (typed) {
        *p++ = 0;
    }

    *p++ = 12;

    p = ngx_hyperdrive_mysql_put_u16(p, NGX_HYPERDRIVE_MYSQL_BINARY);
    p = ngx_hyperdrive_mysql_put_u32(p, 21);

    *p++ = NGX_HYPERDRIVE_MYSQL_TYPE_LONGLONG;

    p = ngx_hyperdrive_mysql_put_u16(p, flags);

    *p++ = 0;

    (void) ngx_hyperdrive_mysql_put_u16(p, 0);
}


static void
ngx_hyperdrive_mysql_diag_row(ngx_hyperdrive_mysql_client_t *client,
    ngx_uint_t binary, ngx_hyperdrive_proto_number_t *numbers, ngx_uint_t n,
    ngx_hyperdrive_chain_t *out)
{
    u_char      *p, row[NGX_HYPERDRIVE_PROTO_NUMBERS
                        * (NGX_INT64_LEN + 1) + 3];
    u_char       text[NGX_INT64_LEN];
    size_t       len;
    ngx_uint_t   i;

    p = row;

    if (binary) {

        /* no NULL among them */

        *p++ = 0;
        ngx_memzero(p, (n + 9) / 8);
        p += (n + 9) / 8;
    }

    for (i = 0; i < n; i++) {

        if (binary) {
            p = ngx_hyperdrive_mysql_put_u32(p, (uint32_t) numbers[i].value);
            p = ngx_hyperdrive_mysql_put_u32(p,
                                         (uint32_t) (numbers[i].value >> 32));
            continue;
        }

        len = (numbers[i].sign
               ? ngx_sprintf(text, "%L", (int64_t) numbers[i].value)
               : ngx_sprintf(text, "%uL", numbers[i].value))
              - text;

        p = ngx_hyperdrive_mysql_put_lstr(p, text, len);
    }

    ngx_hyperdrive_mysql_packet_append(out, row, p - row, &client->seq);
}


void
ngx_hyperdrive_mysql_diag_conditions(void *data,
    ngx_hyperdrive_proto_unit_t *unit,
    ngx_hyperdrive_proto_conditions_t *list, ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_mysql_client_t *client = data;

    u_char      *p, *last;
    ngx_str_t    cols[NGX_HYPERDRIVE_MYSQL_DIAG_COLUMNS];
    ngx_uint_t   n, offset, limit;

    ngx_hyperdrive_mysql_serve_begin(client, unit, list->head.data,
                                     list->head.len, out);

    p = list->rows.data;
    last = p + list->rows.len;
    offset = list->offset;
    limit = list->limit;

    while (p < last && limit) {
        n = NGX_HYPERDRIVE_MYSQL_DIAG_COLUMNS;

        if (ngx_hyperdrive_mysql_serve_row(&p, last, cols, &n) != NGX_OK) {
            break;
        }

        if (list->errors && !ngx_hyperdrive_mysql_diag_is_error(cols, n)) {
            continue;
        }

        if (offset) {
            offset--;
            continue;
        }

        limit--;

        if (n == NGX_HYPERDRIVE_MYSQL_DIAG_COLUMNS) {
            ngx_hyperdrive_mysql_diag_condition(client,
                                           unit->formats.data[0] == 'b',
                                           cols, out);
        }
    }

    ngx_hyperdrive_mysql_diag_end(client, out);
}


static void
ngx_hyperdrive_mysql_diag_condition(ngx_hyperdrive_mysql_client_t *client,
    ngx_uint_t binary, ngx_str_t *cols, ngx_hyperdrive_chain_t *out)
{
    u_char     *p;
    size_t      len;
    ngx_int_t   code;

    len = ngx_hyperdrive_mysql_lstr_size(cols[0].len)
          + (binary ? 6 : ngx_hyperdrive_mysql_lstr_size(cols[1].len))
          + ngx_hyperdrive_mysql_lstr_size(cols[2].len);

    p = ngx_hyperdrive_mysql_packet_begin(out, len, &client->seq);
    if (p == NULL) {
        return;
    }

    if (binary) {
        *p++ = 0;
        *p++ = 0;
    }

    p = ngx_hyperdrive_mysql_put_lstr(p, cols[0].data, cols[0].len);

    if (binary) {
        code = ngx_atoi(cols[1].data, cols[1].len);
        p = ngx_hyperdrive_mysql_put_u32(p, (uint32_t) code);

    } else {
        p = ngx_hyperdrive_mysql_put_lstr(p, cols[1].data, cols[1].len);
    }

    (void) ngx_hyperdrive_mysql_put_lstr(p, cols[2].data, cols[2].len);
}


static void
ngx_hyperdrive_mysql_diag_end(ngx_hyperdrive_mysql_client_t *client,
    ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_mysql_ok_t  ok;

    ngx_memzero(&ok, sizeof(ngx_hyperdrive_mysql_ok_t));

    ok.status = client->status;

    ngx_hyperdrive_mysql_end(out, client->caps, &ok, &client->seq);
}


static ngx_uint_t
ngx_hyperdrive_mysql_diag_is_error(ngx_str_t *cols, ngx_uint_t n)
{
    return n && cols[0].len == sizeof("Error") - 1
           && ngx_memcmp(cols[0].data, "Error", sizeof("Error") - 1) == 0;
}


void
ngx_hyperdrive_mysql_diag_query(void *data, ngx_str_t *text,
    ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_mysql_client_t *client = data;

    ngx_hyperdrive_mysql_query(text, client->caps, out);
}
