
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session_cache.h"
#include "session/ngx_hyperdrive_session_catalog.h"
#include "origin/ngx_hyperdrive_origin_ask.h"


/* in the background at one time, of one worker: more is left undone */
#define NGX_HYPERDRIVE_SESSION_REFRESH_MAX   64


/* a question that is asked again, with no client behind it */

typedef struct {
    ngx_hyperdrive_origin_ask_t           ask;
    ngx_hyperdrive_session_fill_t        *fill;
    u_char                               *kept;     /* to be compared: stamp,
                                                       head, body; or NULL */
    ngx_hyperdrive_cache_meta_t           meta;     /* of what was kept */
    uint64_t                              digest;   /* of the statement */
    unsigned                              moved:1;  /* something was written
                                                       meanwhile */
} ngx_hyperdrive_session_refresh_t;


static void ngx_hyperdrive_session_refresh_start(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_refresh_t *r);
static void ngx_hyperdrive_session_refresh_send(
    ngx_hyperdrive_origin_ask_t *ask);
static void ngx_hyperdrive_session_refresh_piece(
    ngx_hyperdrive_origin_ask_t *ask, ngx_hyperdrive_proto_piece_t *piece);
static void ngx_hyperdrive_session_refresh_done(
    ngx_hyperdrive_origin_ask_t *ask, ngx_int_t rc);
static ngx_int_t ngx_hyperdrive_session_verify_kept(
    ngx_hyperdrive_session_t *s, ngx_hyperdrive_session_question_t *q,
    ngx_hyperdrive_session_refresh_t *r);
static void ngx_hyperdrive_session_verify_moved(
    ngx_hyperdrive_session_refresh_t *r);
static void ngx_hyperdrive_session_verify_end(
    ngx_hyperdrive_session_refresh_t *r);
static ngx_int_t ngx_hyperdrive_session_verify_equal(
    ngx_hyperdrive_session_refresh_t *r);
static void ngx_hyperdrive_session_verify_off(
    ngx_hyperdrive_session_refresh_t *r);


static ngx_uint_t  ngx_hyperdrive_session_refreshes;


void
ngx_hyperdrive_session_refresh(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_question_t *q)
{
    ngx_hyperdrive_cache_flight_t      flight;
    ngx_hyperdrive_session_refresh_t  *r;

    if (ngx_hyperdrive_session_refreshes
        == NGX_HYPERDRIVE_SESSION_REFRESH_MAX)
    {
        return;
    }

    /* one over all workers: whoever begins the flight */

    if (ngx_hyperdrive_cache_flight_begin(q->key.hash,
                    ngx_hyperdrive_session_stamp_digest(q->stamp,
                                                        q->stamp_len),
                    ngx_hyperdrive_cache_store_now(), (uint64_t) -1, &flight)
        != NGX_OK)
    {
        return;
    }

    r = calloc(1, sizeof(ngx_hyperdrive_session_refresh_t));

    if (r) {
        r->fill = ngx_hyperdrive_session_fill_create(s->conf, q);
    }

    if (r == NULL || r->fill == NULL) {
        ngx_hyperdrive_session_flight_end(&flight, 1);
        free(r);
        return;
    }

    r->fill->flight = flight;

    ngx_hyperdrive_session_refresh_start(s, r);
}


static void
ngx_hyperdrive_session_refresh_start(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_refresh_t *r)
{
    ngx_hyperdrive_chain_t        request;
    ngx_hyperdrive_proto_unit_t  *unit;

    unit = &s->unit;

    ngx_hyperdrive_session_refreshes++;

    r->ask.pool = s->pool;
    r->ask.mode = unit->stmt->mode;
    r->ask.attributes = (unit->attributes.len != 0);
    r->ask.bucket = ngx_hyperdrive_state_bucket_ref(
                                   ngx_hyperdrive_session_settings_bucket(s));
    r->ask.data = r;
    r->ask.send = ngx_hyperdrive_session_refresh_send;
    r->ask.piece = ngx_hyperdrive_session_refresh_piece;
    r->ask.done = ngx_hyperdrive_session_refresh_done;

    ngx_memzero(&request, sizeof(ngx_hyperdrive_chain_t));

    s->conf->origin->proto->question(s->wire, unit, &request);

    if (request.failed) {
        ngx_hyperdrive_session_refresh_done(&r->ask, NGX_ERROR);

    } else {
        ngx_hyperdrive_origin_ask(&r->ask, request.head->pos, request.size);
    }

    ngx_hyperdrive_base_chain_clear(&request);
}


static void
ngx_hyperdrive_session_refresh_send(ngx_hyperdrive_origin_ask_t *ask)
{
    ngx_hyperdrive_session_refresh_t *r = ask->data;

    ngx_hyperdrive_session_fill_send(r->fill);

    if (r->kept) {
        ngx_hyperdrive_session_verify_moved(r);
    }
}


static void
ngx_hyperdrive_session_refresh_piece(ngx_hyperdrive_origin_ask_t *ask,
    ngx_hyperdrive_proto_piece_t *piece)
{
    ngx_hyperdrive_session_refresh_t *r = ask->data;

    ngx_hyperdrive_session_fill_piece(r->fill, piece);
}


static void
ngx_hyperdrive_session_refresh_done(ngx_hyperdrive_origin_ask_t *ask,
    ngx_int_t rc)
{
    ngx_hyperdrive_session_refresh_t *r = ask->data;

    ngx_hyperdrive_session_refreshes--;

    if (r->kept) {

        if (rc == NGX_OK) {
            ngx_hyperdrive_session_verify_end(r);
        }

        ngx_hyperdrive_session_fill_free(r->fill);
        free(r->kept);

    } else if (rc == NGX_OK) {

        if (ngx_hyperdrive_session_fill_end(r->fill) == NGX_OK) {
            ask->pool->conf->counters->refreshed++;
        }

    } else {

        /* not again with the next request: the database may be away */

        ngx_hyperdrive_session_flight_end(&r->fill->flight, 1);
        ngx_hyperdrive_session_fill_free(r->fill);
    }

    ngx_hyperdrive_state_bucket_unref(ask->bucket);
    free(r);
}


void
ngx_hyperdrive_session_verify(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_question_t *q)
{
    ngx_str_t                          text;
    ngx_hyperdrive_session_refresh_t  *r;

    if (ngx_hyperdrive_session_refreshes
        == NGX_HYPERDRIVE_SESSION_REFRESH_MAX)
    {
        return;
    }

    r = calloc(1, sizeof(ngx_hyperdrive_session_refresh_t));
    if (r == NULL) {
        return;
    }

    text.data = s->unit.stmt->text;
    text.len = s->unit.stmt->len;

    r->digest = ngx_hyperdrive_session_digest(&text, s->unit.stmt->mode);

    if (ngx_hyperdrive_session_verify_kept(s, q, r) == NGX_OK) {
        r->fill = ngx_hyperdrive_session_fill_create(s->conf, q);
    }

    if (r->fill == NULL) {
        free(r->kept);
        free(r);
        return;
    }

    ngx_hyperdrive_session_refresh_start(s, r);
}


/* a copy of the entry, if it is still the one that <q> has found */

static ngx_int_t
ngx_hyperdrive_session_verify_kept(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_question_t *q, ngx_hyperdrive_session_refresh_t *r)
{
    size_t                       size, len;
    u_char                      *p, *data;
    ngx_hyperdrive_cache_ref_t   ref;

    if (ngx_hyperdrive_cache_store_get(
                            ngx_hyperdrive_cache_store(s->conf->cache_zone),
                            &q->key, NULL, 0, &ref)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    size = ref.left;

    r->meta = ref.meta;
    r->kept = malloc(size + 1);

    p = r->kept;

    while (p && ngx_hyperdrive_cache_store_read(&ref, &data, &len) == NGX_OK) {
        p = ngx_cpymem(p, data, len);
    }

    ngx_hyperdrive_cache_store_release(&ref);

    return (p && ref.meta.stamp_len == q->stamp_len
            && ngx_memcmp(r->kept, q->stamp, q->stamp_len) == 0)
           ? NGX_OK : NGX_DECLINED;
}


static void
ngx_hyperdrive_session_verify_moved(ngx_hyperdrive_session_refresh_t *r)
{
    size_t  len;
    u_char  stamp[NGX_HYPERDRIVE_SESSION_STAMP];

    len = ngx_hyperdrive_session_stamp(r->fill->reads, stamp);

    if (len != r->meta.stamp_len || ngx_memcmp(stamp, r->kept, len) != 0) {
        r->moved = 1;
    }
}


static void
ngx_hyperdrive_session_verify_end(ngx_hyperdrive_session_refresh_t *r)
{
    ngx_hyperdrive_shm_counters_t  *counters;

    counters = r->ask.pool->conf->counters;

    ngx_hyperdrive_session_verify_moved(r);

    if (r->moved || !ngx_hyperdrive_session_fill_good(r->fill)) {
        return;
    }

    counters->verified++;

    if (ngx_hyperdrive_session_verify_equal(r) == NGX_OK) {
        return;
    }

    counters->verify_failed++;

    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "hyperdrive: the kept answer of statement %016xL of \"%V\" "
                  "is not the database's, and nothing was written through "
                  "nginx meanwhile: answers from the tables that it reads are "
                  "not kept until nginx is reloaded", r->digest,
                  &r->ask.pool->conf->name);

    ngx_hyperdrive_session_verify_off(r);
}


/* but for the order of rows, which the database may choose */

static ngx_int_t
ngx_hyperdrive_session_verify_equal(ngx_hyperdrive_session_refresh_t *r)
{
    u_char                         *answer;
    uint64_t                        digest;
    ngx_str_t                       head, rows;
    ngx_hyperdrive_proto_t         *proto;
    ngx_hyperdrive_session_fill_t  *fill;

    fill = r->fill;
    proto = r->ask.pool->conf->proto;

    answer = malloc(fill->head.size + fill->body.size + 1);
    if (answer == NULL) {
        return NGX_OK;
    }

    head.data = answer;
    head.len = fill->head.size;
    rows.data = answer + head.len;
    rows.len = fill->body.size;

    ngx_hyperdrive_base_chain_copy(&fill->head, head.data);
    ngx_hyperdrive_base_chain_copy(&fill->body, rows.data);

    digest = proto->digest(&head, &rows);

    free(answer);

    head.data = r->kept + r->meta.stamp_len;
    head.len = r->meta.head_len;
    rows.data = head.data + head.len;
    rows.len = r->meta.body_len;

    return (proto->digest(&head, &rows) == digest) ? NGX_OK : NGX_DECLINED;
}


static void
ngx_hyperdrive_session_verify_off(ngx_hyperdrive_session_refresh_t *r)
{
    uint64_t                             identity;
    ngx_uint_t                           i, n;
    ngx_hyperdrive_cache_version_t       whole;
    ngx_hyperdrive_cache_version_set_t  *reads;

    reads = r->fill->reads;

    /* the number that stands for the whole database only if there is no
       other */

    whole = NGX_HYPERDRIVE_CACHE_VERSION_EVERYTHING;

    if (r->ask.pool->catalog
        && ngx_hyperdrive_session_catalog_identity(r->ask.pool->catalog,
                                                   &identity)
           == NGX_OK)
    {
        whole = ngx_hyperdrive_cache_version(identity, 0);
    }

    n = 0;

    for (i = 0; i < reads->n; i++) {
        if (reads->numbers[i] != whole) {
            ngx_hyperdrive_cache_flight_off(reads->numbers[i]);
            n++;
        }
    }

    if (n == 0) {
        ngx_hyperdrive_cache_flight_off(whole);
    }

    (void) ngx_hyperdrive_cache_store_delete(
                          ngx_hyperdrive_cache_store(r->fill->conf->cache_zone),
                          &r->fill->key);
}
