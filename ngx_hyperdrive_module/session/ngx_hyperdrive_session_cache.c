
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session.h"
#include "base/ngx_hyperdrive_base_cursor.h"


/* a value that is not larger is copied out under the lock */
#define NGX_HYPERDRIVE_SESSION_COPY      NGX_HYPERDRIVE_BLOCK


static ngx_int_t ngx_hyperdrive_session_key(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_cache_key_t *key);
static ngx_int_t ngx_hyperdrive_session_serve(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_cache_ref_t *ref);
static void ngx_hyperdrive_session_fill_begin(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_cache_key_t *key);


/* used within one call only */
static u_char  ngx_hyperdrive_session_key_buf[NGX_HYPERDRIVE_MAX_UNIT * 2
                                              + NGX_HYPERDRIVE_SHM_NOTE_KEY];
static u_char  ngx_hyperdrive_session_value[NGX_HYPERDRIVE_SESSION_COPY];


/*
 * Everything that can change a byte of the answer: the upstream, user,
 * database and start-up parameters (the pool's key), text, types, parameters,
 * result formats.  Lengths keep the parts apart.
 */

static ngx_int_t
ngx_hyperdrive_session_key(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_cache_key_t *key)
{
    u_char                       *p;
    size_t                        len;
    ngx_hyperdrive_proto_unit_t  *unit;
    ngx_hyperdrive_state_stmt_t  *stmt;

    unit = &s->unit;
    stmt = unit->stmt;

    len = s->pool->key.len + stmt->len + stmt->types_len + unit->args.len
          + unit->formats.len + 4 * 5;

    if (len > sizeof(ngx_hyperdrive_session_key_buf)) {
        return NGX_DECLINED;
    }

    p = ngx_hyperdrive_session_key_buf;

    p = ngx_hyperdrive_base_put_u32(p, s->pool->key.len);
    p = ngx_cpymem(p, s->pool->key.data, s->pool->key.len);
    p = ngx_hyperdrive_base_put_u32(p, stmt->len);
    p = ngx_cpymem(p, stmt->text, stmt->len);
    p = ngx_hyperdrive_base_put_u32(p, stmt->types_len);
    p = ngx_cpymem(p, stmt->types, stmt->types_len);
    p = ngx_hyperdrive_base_put_u32(p, unit->args.len);
    p = ngx_cpymem(p, unit->args.data, unit->args.len);
    p = ngx_hyperdrive_base_put_u32(p, unit->formats.len);
    p = ngx_cpymem(p, unit->formats.data, unit->formats.len);

    key->data = ngx_hyperdrive_session_key_buf;
    key->len = p - ngx_hyperdrive_session_key_buf;

    ngx_hyperdrive_cache_key_hash(
                           ngx_hyperdrive_cache_store(s->conf->cache_zone),
                           key);

    return NGX_OK;
}


ngx_int_t
ngx_hyperdrive_session_lookup(ngx_hyperdrive_session_t *s)
{
    ngx_int_t                       rc;
    ngx_hyperdrive_cache_key_t      key;
    ngx_hyperdrive_cache_ref_t      ref;
    ngx_hyperdrive_shm_counters_t  *counters;

    counters = s->conf->origin->counters;

    if (!s->unit.question) {

        if (s->unit.reason && s->unit.reason < 15) {
            counters->uncacheable[s->unit.reason]++;
        }

        return NGX_DECLINED;
    }

    if (ngx_hyperdrive_session_key(s, &key) != NGX_OK) {
        return NGX_DECLINED;
    }

    rc = ngx_hyperdrive_cache_store_get(
                            ngx_hyperdrive_cache_store(s->conf->cache_zone),
                            &key, ngx_hyperdrive_session_value,
                            sizeof(ngx_hyperdrive_session_value), &ref);

    if (rc == NGX_OK) {
        rc = ngx_hyperdrive_session_serve(s, &ref);

        ngx_hyperdrive_cache_store_release(&ref);

        if (rc == NGX_OK) {
            counters->hits++;
            s->total.hits++;
            return NGX_OK;
        }
    }

    counters->misses++;
    s->total.misses++;

    ngx_hyperdrive_session_fill_begin(s, &key);

    return NGX_DECLINED;
}


ngx_uint_t
ngx_hyperdrive_session_peek(ngx_hyperdrive_session_t *s)
{
    ngx_hyperdrive_cache_key_t  key;
    ngx_hyperdrive_cache_ref_t  ref;

    if (ngx_hyperdrive_session_key(s, &key) != NGX_OK
        || ngx_hyperdrive_cache_store_get(
                            ngx_hyperdrive_cache_store(s->conf->cache_zone),
                            &key, ngx_hyperdrive_session_value,
                            sizeof(ngx_hyperdrive_session_value), &ref)
           != NGX_OK)
    {
        return 0;
    }

    ngx_hyperdrive_cache_store_release(&ref);

    return 1;
}


/* builds the envelope around a kept answer */

static ngx_int_t
ngx_hyperdrive_session_serve(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_cache_ref_t *ref)
{
    size_t                        n, len, skip, left;
    u_char                       *p, *data, *head;
    ngx_hyperdrive_proto_t       *proto;
    ngx_hyperdrive_cache_meta_t  *meta;

    meta = &ref->meta;
    proto = s->conf->origin->proto;

    if (ngx_hyperdrive_cache_store_now() >= meta->fresh_until) {
        return NGX_DECLINED;
    }

    if (s->unit.told && s->unit.told != meta->shape) {

        /* the rows are not what the client was told: the origin decides */

        return NGX_DECLINED;
    }

    if (ref->data) {

        head = ref->data + meta->stamp_len;

        proto->serve_begin(s->wire, &s->unit, head, meta->head_len,
                           &s->net.out);

        ngx_hyperdrive_base_chain_append(&s->net.out, head + meta->head_len,
                                         meta->body_len);

        proto->serve_end(s->wire, &s->unit, &s->net.out);

        return NGX_OK;
    }

    /* a large one, in pieces: the head may be cut anywhere */

    head = malloc(meta->head_len + 1);
    if (head == NULL) {
        return NGX_DECLINED;
    }

    skip = meta->stamp_len;
    len = 0;
    data = NULL;

    p = head;
    left = meta->head_len;

    while (left) {

        if (len == 0
            && ngx_hyperdrive_cache_store_read(ref, &data, &len) != NGX_OK)
        {
            free(head);
            return NGX_DECLINED;
        }

        n = ngx_min(skip, len);
        data += n;
        len -= n;
        skip -= n;

        n = ngx_min(left, len);
        p = ngx_cpymem(p, data, n);
        data += n;
        len -= n;
        left -= n;
    }

    proto->serve_begin(s->wire, &s->unit, head, meta->head_len, &s->net.out);

    free(head);

    do {
        ngx_hyperdrive_base_chain_append(&s->net.out, data, len);
    } while (ngx_hyperdrive_cache_store_read(ref, &data, &len) == NGX_OK);

    proto->serve_end(s->wire, &s->unit, &s->net.out);

    return NGX_OK;
}


static void
ngx_hyperdrive_session_fill_begin(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_cache_key_t *key)
{
    ngx_hyperdrive_session_fill_t  *fill;

    ngx_hyperdrive_session_fill_drop(s);

    fill = calloc(1, sizeof(ngx_hyperdrive_session_fill_t) + key->len);
    if (fill == NULL) {
        return;
    }

    fill->key = *key;
    fill->key.data = (u_char *) (fill + 1);
    ngx_memcpy(fill->key.data, key->data, key->len);

    s->fill = fill;

    if (!s->unit.head) {
        s->conf->origin->proto->describe(s->wire);
    }
}


void
ngx_hyperdrive_session_fill_piece(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_piece_t *piece)
{
    ngx_hyperdrive_chain_t         *chain;
    ngx_hyperdrive_session_fill_t  *fill;

    fill = s->fill;

    switch (piece->type) {

    case NGX_HYPERDRIVE_PROTO_OTHER:
    case NGX_HYPERDRIVE_PROTO_READY:
        return;

    case NGX_HYPERDRIVE_PROTO_HEAD:

        if (fill->body.size) {
            fill->failed = 1;
        }

        chain = &fill->head;
        break;

    case NGX_HYPERDRIVE_PROTO_ROWS:
        chain = &fill->body;
        fill->rows += piece->rows;

        if (fill->complete) {
            fill->failed = 1;
        }

        fill->complete |= piece->end;
        break;

    default:
        fill->failed = 1;
        return;
    }

    if (fill->failed) {
        return;
    }

    if (fill->head.size + fill->body.size + piece->len > s->conf->max_size) {
        s->conf->origin->counters->oversized++;
        fill->failed = 1;

        /* the rest of it is not worth any memory */

        ngx_hyperdrive_base_chain_clear(&fill->head);
        ngx_hyperdrive_base_chain_clear(&fill->body);
        return;
    }

    if (ngx_hyperdrive_base_chain_append(chain, piece->data, piece->len)
        != NGX_OK)
    {
        fill->failed = 1;
    }
}


void
ngx_hyperdrive_session_fill_end(ngx_hyperdrive_session_t *s)
{
    ngx_hyperdrive_cache_meta_t     meta;
    ngx_hyperdrive_cache_store_t   *store;
    ngx_hyperdrive_session_fill_t  *fill;

    fill = s->fill;

    if (fill->failed || !fill->complete || fill->head.size == 0
        || fill->head.head != fill->head.tail
        || fill->head.failed || fill->body.failed)
    {
        ngx_hyperdrive_session_fill_drop(s);
        return;
    }

    store = ngx_hyperdrive_cache_store(s->conf->cache_zone);

    ngx_memzero(&meta, sizeof(ngx_hyperdrive_cache_meta_t));

    meta.created = ngx_hyperdrive_cache_store_now();
    meta.fresh_until = meta.created + s->conf->max_age;
    meta.stale_until = meta.fresh_until;
    meta.error_until = meta.fresh_until;
    meta.head_len = fill->head.size;
    meta.body_len = fill->body.size;
    meta.rows = fill->rows;
    meta.shape = s->conf->origin->proto->shape(fill->head.head->pos,
                                               fill->head.size);

    ngx_hyperdrive_base_chain_move(&fill->head, &fill->body);

    if (ngx_hyperdrive_cache_store_put(store, &fill->key, &meta, &fill->head)
        == NGX_OK)
    {
        s->conf->origin->counters->stored++;
    }

    ngx_hyperdrive_session_fill_drop(s);
}


void
ngx_hyperdrive_session_fill_drop(ngx_hyperdrive_session_t *s)
{
    if (s->fill == NULL) {
        return;
    }

    ngx_hyperdrive_base_chain_clear(&s->fill->head);
    ngx_hyperdrive_base_chain_clear(&s->fill->body);

    free(s->fill);
    s->fill = NULL;
}
