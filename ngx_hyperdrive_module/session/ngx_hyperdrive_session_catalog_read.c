
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session_catalog_read.h"


/* it may take so long, milliseconds */
#define NGX_HYPERDRIVE_SESSION_CATALOG_READ_TIME     60000

#define NGX_HYPERDRIVE_SESSION_CATALOG_READ_COLUMNS  16


static void ngx_hyperdrive_session_catalog_read_send(
    ngx_hyperdrive_origin_ask_t *ask);
static void ngx_hyperdrive_session_catalog_read_piece(
    ngx_hyperdrive_origin_ask_t *ask, ngx_hyperdrive_proto_piece_t *piece);
static u_char *ngx_hyperdrive_session_catalog_read_rows(
    ngx_hyperdrive_session_catalog_read_t *r, u_char *pos, u_char *last);
static ngx_int_t ngx_hyperdrive_session_catalog_read_row(
    ngx_hyperdrive_session_catalog_read_t *r, ngx_str_t *cols, ngx_uint_t n);
static ngx_int_t ngx_hyperdrive_session_catalog_read_keep(
    ngx_hyperdrive_session_catalog_read_t *r, u_char *data, size_t len);
static void ngx_hyperdrive_session_catalog_read_done(
    ngx_hyperdrive_origin_ask_t *ask, ngx_int_t rc);


void
ngx_hyperdrive_session_catalog_read(ngx_hyperdrive_session_catalog_read_t *r,
    ngx_hyperdrive_pool_t *pool, ngx_uint_t who)
{
    ngx_str_t                      text;
    ngx_hyperdrive_chain_t         out;
    ngx_hyperdrive_origin_conf_t  *conf;

    conf = pool->conf;

    r->who = who;
    r->told = 0;
    r->bad = 0;

    if (who) {
        text.data = (u_char *) ngx_hyperdrive_sql_catalog_question_identity(
                                                         conf->proto->dialect);
    } else {
        text.data = (u_char *) ngx_hyperdrive_sql_catalog_question(
                                                         conf->proto->dialect);

        r->sql = ngx_hyperdrive_sql_catalog_create(conf->proto->dialect,
                              conf->functions ? conf->functions->elts : NULL,
                              conf->functions ? conf->functions->nelts : 0);
        r->bad = (r->sql == NULL);
    }

    text.len = ngx_strlen(text.data);

    r->ask.pool = pool;
    r->ask.timeout = NGX_HYPERDRIVE_SESSION_CATALOG_READ_TIME;
    r->ask.once = 1;
    r->ask.data = r;
    r->ask.send = ngx_hyperdrive_session_catalog_read_send;
    r->ask.piece = ngx_hyperdrive_session_catalog_read_piece;
    r->ask.done = ngx_hyperdrive_session_catalog_read_done;

    ngx_memzero(&out, sizeof(ngx_hyperdrive_chain_t));

    conf->proto->query(&text, NULL, &out);

    if (out.failed || r->bad) {
        ngx_hyperdrive_base_chain_clear(&out);
        ngx_hyperdrive_session_catalog_read_done(&r->ask, NGX_ERROR);
        return;
    }

    conf->counters->catalog_reads += !who;

    /* one message, in one block */

    ngx_hyperdrive_origin_ask(&r->ask, out.head->pos, out.size);

    ngx_hyperdrive_base_chain_clear(&out);
}


static void
ngx_hyperdrive_session_catalog_read_send(ngx_hyperdrive_origin_ask_t *ask)
{
    ngx_hyperdrive_session_catalog_read_t  *r;

    r = ask->data;

    r->send(r);
}


static void
ngx_hyperdrive_session_catalog_read_piece(ngx_hyperdrive_origin_ask_t *ask,
    ngx_hyperdrive_proto_piece_t *piece)
{
    u_char                                 *pos;
    ngx_hyperdrive_session_catalog_read_t  *r;

    r = ask->data;

    if (piece->type != NGX_HYPERDRIVE_PROTO_ROWS || r->bad) {
        return;
    }

    if (r->len == 0) {

        pos = ngx_hyperdrive_session_catalog_read_rows(r, piece->data,
                                                    piece->data + piece->len);

        if (ngx_hyperdrive_session_catalog_read_keep(r, pos,
                                              piece->data + piece->len - pos)
            != NGX_OK)
        {
            r->bad = 1;
        }

        return;
    }

    if (ngx_hyperdrive_session_catalog_read_keep(r, piece->data, piece->len)
        != NGX_OK)
    {
        r->bad = 1;
        return;
    }

    pos = ngx_hyperdrive_session_catalog_read_rows(r, r->buf, r->buf + r->len);

    r->len -= pos - r->buf;
    ngx_memmove(r->buf, pos, r->len);
}


/* takes whole rows; returns what is left */

static u_char *
ngx_hyperdrive_session_catalog_read_rows(
    ngx_hyperdrive_session_catalog_read_t *r, u_char *pos, u_char *last)
{
    ngx_int_t                rc;
    ngx_str_t                cols[NGX_HYPERDRIVE_SESSION_CATALOG_READ_COLUMNS];
    ngx_uint_t               n;
    ngx_hyperdrive_proto_t  *proto;

    proto = r->ask.pool->conf->proto;

    for ( ;; ) {
        n = NGX_HYPERDRIVE_SESSION_CATALOG_READ_COLUMNS;

        rc = proto->row(&pos, last, cols, &n);

        if (rc == NGX_AGAIN) {
            return pos;
        }

        if (rc != NGX_OK
            || (n && ngx_hyperdrive_session_catalog_read_row(r, cols, n)
                     != NGX_OK))
        {
            r->bad = 1;
            return last;
        }
    }
}


static ngx_int_t
ngx_hyperdrive_session_catalog_read_row(
    ngx_hyperdrive_session_catalog_read_t *r, ngx_str_t *cols, ngx_uint_t n)
{
    if (!r->who) {
        return ngx_hyperdrive_sql_catalog_row(r->sql, cols, n);
    }

    if (n != 3 || cols[1].len == 0 || cols[2].len == 0) {
        return NGX_ERROR;
    }

    r->identity = ngx_hyperdrive_sql_catalog_identity(&cols[1], &cols[2]);
    r->told = 1;

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_session_catalog_read_keep(
    ngx_hyperdrive_session_catalog_read_t *r, u_char *data, size_t len)
{
    size_t   size;
    u_char  *buf;

    if (r->len + len > r->size) {
        size = ngx_max(2 * (r->len + len), 4096);

        if (size > 4 * NGX_HYPERDRIVE_MAX_TEXT) {
            return NGX_ERROR;
        }

        buf = realloc(r->buf, size);
        if (buf == NULL) {
            return NGX_ERROR;
        }

        r->buf = buf;
        r->size = size;
    }

    ngx_memcpy(r->buf + r->len, data, len);
    r->len += len;

    return NGX_OK;
}


static void
ngx_hyperdrive_session_catalog_read_done(ngx_hyperdrive_origin_ask_t *ask,
    ngx_int_t rc)
{
    ngx_hyperdrive_session_catalog_read_t  *r;

    r = ask->data;

    free(r->buf);
    r->buf = NULL;
    r->size = 0;
    r->len = 0;

    if (r->who) {
        r->done(r, r->told ? NGX_OK
                           : rc == NGX_DECLINED ? NGX_DECLINED : NGX_ERROR);
        return;
    }

    if (rc == NGX_OK && !r->bad
        && ngx_hyperdrive_sql_catalog_done(r->sql) == NGX_OK)
    {
        r->done(r, NGX_OK);
        return;
    }

    if (r->sql) {
        ngx_hyperdrive_sql_catalog_destroy(r->sql);
        r->sql = NULL;
    }

    r->done(r, NGX_ERROR);
}
