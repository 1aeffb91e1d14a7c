
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session_cache.h"


ngx_hyperdrive_session_fill_t *
ngx_hyperdrive_session_fill_create(ngx_hyperdrive_session_conf_t *conf,
    ngx_hyperdrive_session_question_t *q)
{
    size_t                               len, set;
    ngx_hyperdrive_session_fill_t       *fill;
    ngx_hyperdrive_cache_version_set_t  *reads;

    reads = q->reads;

    /* of the set, as much as is used */

    set = offsetof(ngx_hyperdrive_cache_version_set_t, numbers)
          + reads->n * sizeof(ngx_hyperdrive_cache_version_t);
    set = ngx_align(set, sizeof(uint64_t));

    len = sizeof(ngx_hyperdrive_session_fill_t) + set + q->stamp_len
          + q->key.len;

    fill = malloc(len);
    if (fill == NULL) {
        return NULL;
    }

    ngx_memzero(fill, sizeof(ngx_hyperdrive_session_fill_t));

    fill->conf = conf;
    fill->max_age = q->max_age;
    fill->stale = q->stale;
    fill->stale_error = q->stale_error;

    fill->reads = (ngx_hyperdrive_cache_version_set_t *) (fill + 1);
    ngx_memcpy(fill->reads, reads,
               offsetof(ngx_hyperdrive_cache_version_set_t, numbers)
               + reads->n * sizeof(ngx_hyperdrive_cache_version_t));

    fill->stamp = (u_char *) fill->reads + set;
    fill->stamp_len = q->stamp_len;
    ngx_memcpy(fill->stamp, q->stamp, q->stamp_len);

    fill->key = q->key;
    fill->key.data = fill->stamp + q->stamp_len;
    ngx_memcpy(fill->key.data, q->key.data, q->key.len);

    return fill;
}


void
ngx_hyperdrive_session_fill_send(ngx_hyperdrive_session_fill_t *fill)
{
    size_t  len;
    u_char  stamp[NGX_HYPERDRIVE_SESSION_STAMP];

    if (fill->sampled || fill->failed) {
        return;
    }

    fill->sampled = 1;

    len = ngx_hyperdrive_session_stamp(fill->reads, stamp);

    if (len != fill->stamp_len) {

        /* somebody writes: it is passed on, and not kept */

        fill->failed = 1;
        ngx_hyperdrive_session_fill_alone(fill);

        return;
    }

    if (ngx_memcmp(fill->stamp, stamp, len) == 0) {
        return;
    }

    /* somebody has written while it stood in the queue */

    ngx_memcpy(fill->stamp, stamp, len);

    ngx_hyperdrive_cache_flight_stamp(&fill->flight,
                             ngx_hyperdrive_session_stamp_digest(stamp, len));
}


void
ngx_hyperdrive_session_fill_piece(ngx_hyperdrive_session_fill_t *fill,
    ngx_hyperdrive_proto_piece_t *piece)
{
    ngx_str_t                data;
    ngx_hyperdrive_chain_t  *chain;

    if (fill->failed) {
        return;
    }

    if (piece->unkept) {
        goto failed;
    }

    switch (piece->type) {

    case NGX_HYPERDRIVE_PROTO_OTHER:
    case NGX_HYPERDRIVE_PROTO_READY:
        return;

    case NGX_HYPERDRIVE_PROTO_HEAD:

        if (fill->body.size) {
            goto failed;
        }

        chain = &fill->head;
        break;

    case NGX_HYPERDRIVE_PROTO_ROWS:

        if (fill->complete) {
            /* the first of what was sent behind it */
            goto failed;
        }

        chain = &fill->body;
        fill->rows += piece->rows;
        fill->complete = piece->end;

        break;

    case NGX_HYPERDRIVE_PROTO_ERROR:

        if (piece->fatal) {
            /* the connection's fault, or the database's */
            fill->cancelled = 1;
        }

        /* fall through */

    default:
        goto failed;
    }

    data = piece->keep;

    if (data.len == 0) {
        data.data = piece->data;
        data.len = piece->len;
    }

    if (fill->head.size + fill->body.size + data.len > fill->conf->max_size)
    {
        fill->conf->origin->counters->oversized++;
        fill->oversized = 1;
        goto failed;
    }

    if (ngx_hyperdrive_base_chain_append(chain, data.data, data.len) == NGX_OK)
    {
        return;
    }

failed:

    fill->failed = 1;

    /* the rest of it is not worth any memory */

    ngx_hyperdrive_base_chain_clear(&fill->head);
    ngx_hyperdrive_base_chain_clear(&fill->body);

    /*
     * Who asks the same will not be better off: nobody waits for the next one
     * to find that out.
     */

    ngx_hyperdrive_session_flight_end(&fill->flight, !fill->cancelled);
}


void
ngx_hyperdrive_session_fill_alone(ngx_hyperdrive_session_fill_t *fill)
{
    ngx_hyperdrive_session_flight_end(&fill->flight, 0);
}


ngx_uint_t
ngx_hyperdrive_session_fill_good(ngx_hyperdrive_session_fill_t *fill)
{
    return fill->sampled && !fill->failed && fill->complete
           && fill->head.size && fill->head.head == fill->head.tail
           && !fill->head.failed && !fill->body.failed;
}


ngx_int_t
ngx_hyperdrive_session_fill_end(ngx_hyperdrive_session_fill_t *fill)
{
    size_t                          len;
    u_char                          stamp[NGX_HYPERDRIVE_SESSION_STAMP];
    ngx_int_t                       rc;
    ngx_uint_t                      mark;
    ngx_hyperdrive_chain_t          value;
    ngx_hyperdrive_cache_meta_t     meta;
    ngx_hyperdrive_session_conf_t  *conf;

    rc = NGX_DECLINED;
    mark = 0;
    conf = fill->conf;

    /* it would be served to nobody, and might take the place of a newer one */

    len = ngx_hyperdrive_session_stamp(fill->reads, stamp);

    if (ngx_hyperdrive_session_fill_good(fill) && len == fill->stamp_len
        && ngx_memcmp(fill->stamp, stamp, len) == 0)
    {
        ngx_memzero(&meta, sizeof(ngx_hyperdrive_cache_meta_t));

        meta.created = ngx_hyperdrive_cache_store_now();
        meta.fresh_until = meta.created + fill->max_age;
        meta.stale_until = meta.fresh_until + fill->stale;
        meta.error_until = meta.fresh_until + fill->stale_error;
        meta.stamp_len = fill->stamp_len;
        meta.head_len = fill->head.size;
        meta.body_len = fill->body.size;
        meta.rows = fill->rows;
        meta.shape = conf->origin->proto->shape(fill->head.head->pos,
                                                fill->head.size);

        ngx_memzero(&value, sizeof(ngx_hyperdrive_chain_t));

        ngx_hyperdrive_base_chain_append(&value, fill->stamp,
                                         fill->stamp_len);
        ngx_hyperdrive_base_chain_append(&value, fill->head.head->pos,
                                         fill->head.size);
        ngx_hyperdrive_base_chain_move(&value, &fill->body);

        rc = ngx_hyperdrive_cache_store_put(
                                  ngx_hyperdrive_cache_store(conf->cache_zone),
                                  &fill->key, &meta, &value);
        if (rc == NGX_OK) {
            conf->origin->counters->stored++;
        }

        ngx_hyperdrive_base_chain_clear(&value);

        mark = (rc != NGX_OK);
    }

    ngx_hyperdrive_session_flight_end(&fill->flight, mark);
    ngx_hyperdrive_session_fill_free(fill);

    return rc;
}


void
ngx_hyperdrive_session_fill_free(ngx_hyperdrive_session_fill_t *fill)
{
    ngx_hyperdrive_session_flight_end(&fill->flight, 0);

    ngx_hyperdrive_base_chain_clear(&fill->head);
    ngx_hyperdrive_base_chain_clear(&fill->body);

    free(fill);
}


void
ngx_hyperdrive_session_fill_drop(ngx_hyperdrive_session_t *s)
{
    if (s->fill) {
        ngx_hyperdrive_session_fill_free(s->fill);
        s->fill = NULL;
    }
}
