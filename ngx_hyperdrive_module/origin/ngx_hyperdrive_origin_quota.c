
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "origin/ngx_hyperdrive_origin.h"
#include "base/ngx_hyperdrive_base_digest.h"
#include "peer/ngx_hyperdrive_peer.h"


/*
 * max_user and max_db of hyperdrive_pool.  Whoever opens a connection, or
 * stands in the upstream's queue for a place, has a part of both quotas; who
 * gets none is held back here, and so takes no turn of others.
 */


static ngx_int_t ngx_hyperdrive_origin_quota_part(u_char *id, ngx_uint_t max,
    ngx_uint_t had);
static void ngx_hyperdrive_origin_quota_want(
    ngx_hyperdrive_origin_waiter_t *w, u_char *id);
static void ngx_hyperdrive_origin_quota_line(
    ngx_hyperdrive_origin_waiter_t *w);
static void ngx_hyperdrive_origin_quota_front(
    ngx_hyperdrive_origin_conf_t *conf, u_char *id);
static ngx_uint_t ngx_hyperdrive_origin_quota_wanted(u_char *id);
static void ngx_hyperdrive_origin_quota_wake(ngx_uint_t slot);


ngx_int_t
ngx_hyperdrive_origin_quota_init(ngx_hyperdrive_pool_t *pool)
{
    u_char                        *p;
    u_char                         buf[NGX_HYPERDRIVE_SHM_NOTE_KEY + 2];
    ngx_hyperdrive_origin_conf_t  *conf;

    conf = pool->conf;

    ngx_queue_init(&pool->held);

    if (conf->max_user == 0 && conf->max_db == 0) {
        return NGX_OK;
    }

    /* names hold no NUL, and the pool's key is as long as all of this */

    p = ngx_cpymem(buf, conf->name.data, conf->name.len);
    *p++ = '\0';
    *p++ = 'u';
    p = ngx_cpymem(p, pool->user.data, pool->user.len);

    if (ngx_hyperdrive_base_digest_sha256(buf, p - buf, pool->user_id)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    p = ngx_cpymem(buf, conf->name.data, conf->name.len);
    *p++ = '\0';
    *p++ = 'd';
    p = ngx_cpymem(p, pool->database.data, pool->database.len);

    return ngx_hyperdrive_base_digest_sha256(buf, p - buf, pool->db_id);
}


u_char *
ngx_hyperdrive_origin_quota_take(ngx_hyperdrive_pool_t *pool, uint64_t arrival)
{
    ngx_hyperdrive_origin_conf_t  *conf;

    conf = pool->conf;

    if (conf->max_user == 0 && conf->max_db == 0) {
        return NULL;
    }

    return ngx_hyperdrive_shm_quota_take(pool->user_id, conf->max_user,
                                         pool->db_id, conf->max_db, arrival);
}


void
ngx_hyperdrive_origin_quota_give(ngx_hyperdrive_pool_t *pool)
{
    if (pool->conf->max_user) {
        ngx_hyperdrive_shm_quota_give(pool->user_id,
                                      ngx_hyperdrive_origin_quota_wake);
    }

    if (pool->conf->max_db) {
        ngx_hyperdrive_shm_quota_give(pool->db_id,
                                      ngx_hyperdrive_origin_quota_wake);
    }

    if (pool->conf->nheld) {
        ngx_post_event(&pool->conf->event, &ngx_posted_events);
    }
}


uint32_t
ngx_hyperdrive_origin_quota_backend(ngx_hyperdrive_pool_t *pool)
{
    ngx_hyperdrive_origin_conf_t  *conf;

    conf = pool->conf;

    return ngx_hyperdrive_shm_backend_add(conf->limit, &pool->key,
                                          conf->max_user ? pool->user_id : NULL,
                                          conf->max_db ? pool->db_id : NULL);
}


void
ngx_hyperdrive_origin_quota_pass(ngx_hyperdrive_pool_t *pool, ngx_uint_t from,
    ngx_uint_t to)
{
    if (pool->conf->max_user) {
        ngx_hyperdrive_shm_quota_pass(pool->user_id, from, to);
    }

    if (pool->conf->max_db) {
        ngx_hyperdrive_shm_quota_pass(pool->db_id, from, to);
    }
}


void
ngx_hyperdrive_origin_quota_parts(ngx_hyperdrive_pool_t *pool,
    ngx_hyperdrive_origin_quota_t *parts)
{
    parts->user = (pool->conf->max_user != 0);
    parts->db = (pool->conf->max_db != 0);

    ngx_memcpy(parts->user_id, pool->user_id, NGX_HYPERDRIVE_SHM_QUOTA_ID);
    ngx_memcpy(parts->db_id, pool->db_id, NGX_HYPERDRIVE_SHM_QUOTA_ID);
}


ngx_int_t
ngx_hyperdrive_origin_quota_taken(ngx_hyperdrive_pool_t *pool,
    uint32_t backend, ngx_hyperdrive_origin_quota_t *parts)
{
    ngx_int_t                      rc;
    ngx_hyperdrive_origin_conf_t  *conf;

    conf = pool ? pool->conf : NULL;

    rc = ngx_hyperdrive_origin_quota_part(conf && conf->max_user
                                          ? pool->user_id : parts->user_id,
                                          conf ? conf->max_user : 0,
                                          parts->user);

    if (ngx_hyperdrive_origin_quota_part(conf && conf->max_db
                                         ? pool->db_id : parts->db_id,
                                         conf ? conf->max_db : 0, parts->db)
        != NGX_OK)
    {
        rc = NGX_DECLINED;
    }

    if (conf) {
        ngx_hyperdrive_shm_backend_counts(backend,
                                        conf->max_user ? pool->user_id : NULL,
                                        conf->max_db ? pool->db_id : NULL);
    }

    return rc;
}


static ngx_int_t
ngx_hyperdrive_origin_quota_part(u_char *id, ngx_uint_t max, ngx_uint_t had)
{
    if (max == 0) {

        if (had) {
            ngx_hyperdrive_shm_quota_give(id,
                                          ngx_hyperdrive_origin_quota_wake);
        }

        return NGX_OK;
    }

    if (!had) {
        ngx_hyperdrive_shm_quota_add(id);
    }

    return ngx_hyperdrive_shm_quota_count(id) <= max ? NGX_OK : NGX_DECLINED;
}


ngx_int_t
ngx_hyperdrive_origin_quota_place(ngx_hyperdrive_pool_t *pool)
{
    if (ngx_hyperdrive_origin_quota_take(pool, NGX_HYPERDRIVE_SHM_QUOTA_NEW)) {
        return NGX_DECLINED;
    }

    if (ngx_hyperdrive_shm_limit_take(pool->conf->limit) != NGX_OK) {
        ngx_hyperdrive_origin_quota_give(pool);
        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* they look for themselves, in an event of their own; ours is posted */

static void
ngx_hyperdrive_origin_quota_wake(ngx_uint_t slot)
{
    if (slot == ngx_hyperdrive_shm_slot) {
        return;
    }

    (void) ngx_hyperdrive_peer_send(slot, NGX_HYPERDRIVE_PEER_WAKE, NULL, 0,
                                    -1);
}


void
ngx_hyperdrive_origin_quota_hold(ngx_hyperdrive_pool_t *pool,
    ngx_hyperdrive_origin_waiter_t *w, u_char *id)
{
    w->pool = pool;
    w->arrival = ngx_hyperdrive_shm_quota_arrival();

    ngx_queue_insert_tail(&pool->held, &w->queue);
    pool->conf->nheld++;

    ngx_hyperdrive_origin_quota_want(w, id);
}


/* told to all, and an idle connection of the same user or database gives way */

static void
ngx_hyperdrive_origin_quota_want(ngx_hyperdrive_origin_waiter_t *w, u_char *id)
{
    u_char                  slots[NGX_HYPERDRIVE_SLOTS];
    ngx_uint_t              i;
    ngx_hyperdrive_pool_t  *pool;

    pool = w->pool;

    w->held = id;

    ngx_hyperdrive_origin_quota_line(w);

    if (ngx_hyperdrive_origin_quota_yield(pool, id)) {
        return;
    }

    ngx_hyperdrive_shm_quota_holders(id, slots);

    for (i = 0; i < NGX_HYPERDRIVE_SLOTS; i++) {
        if (slots[i] && i != ngx_hyperdrive_shm_slot) {
            (void) ngx_hyperdrive_peer_send(i, NGX_HYPERDRIVE_PEER_YIELD,
                                            pool->key.data, pool->key.len, -1);
        }
    }
}


void
ngx_hyperdrive_origin_quota_unhold(ngx_hyperdrive_origin_waiter_t *w)
{
    w->held = NULL;
    w->pool->conf->nheld--;

    ngx_hyperdrive_origin_quota_line(w);
}


/* <w> is held back, or is not any more: of its pool the first one counts */

static void
ngx_hyperdrive_origin_quota_line(ngx_hyperdrive_origin_waiter_t *w)
{
    ngx_hyperdrive_pool_t           *pool;
    ngx_hyperdrive_origin_waiter_t  *first;

    pool = w->pool;

    if (!ngx_queue_empty(&pool->held)) {
        first = ngx_queue_data(ngx_queue_head(&pool->held),
                               ngx_hyperdrive_origin_waiter_t, queue);

        if (first->arrival < w->arrival) {
            return;
        }
    }

    if (pool->conf->max_user) {
        ngx_hyperdrive_origin_quota_front(pool->conf, pool->user_id);
    }

    if (pool->conf->max_db) {
        ngx_hyperdrive_origin_quota_front(pool->conf, pool->db_id);
    }
}


/* tells the others of ours, and whoever it is that his turn may have come */

static void
ngx_hyperdrive_origin_quota_front(ngx_hyperdrive_origin_conf_t *conf,
    u_char *id)
{
    uint64_t                         front, arrival;
    ngx_uint_t                       slot;
    ngx_queue_t                     *q;
    ngx_hyperdrive_pool_t           *pool;
    ngx_hyperdrive_origin_waiter_t  *w;

    front = 0;

    for (q = ngx_queue_head(&conf->pools);
         q != ngx_queue_sentinel(&conf->pools);
         q = ngx_queue_next(q))
    {
        pool = ngx_queue_data(q, ngx_hyperdrive_pool_t, queue);

        if (ngx_queue_empty(&pool->held)) {
            continue;
        }

        w = ngx_queue_data(ngx_queue_head(&pool->held),
                           ngx_hyperdrive_origin_waiter_t, queue);

        if ((front == 0 || w->arrival < front)
            && ngx_memcmp(w->held, id, NGX_HYPERDRIVE_SHM_QUOTA_ID) == 0)
        {
            front = w->arrival;
        }
    }

    ngx_hyperdrive_shm_quota_line(id, front);

    if (ngx_hyperdrive_shm_quota_next(id, &slot, &arrival) != NGX_OK) {
        return;
    }

    if (slot == ngx_hyperdrive_shm_slot) {
        ngx_post_event(&conf->event, &ngx_posted_events);

    } else {
        ngx_hyperdrive_origin_quota_wake(slot);
    }
}


ngx_uint_t
ngx_hyperdrive_origin_quota_yield(ngx_hyperdrive_pool_t *pool, u_char *id)
{
    ngx_queue_t              *q, *idle;
    ngx_hyperdrive_pool_t    *other;
    ngx_hyperdrive_origin_t  *o, *oldest;

    oldest = NULL;

    for (q = ngx_queue_head(&pool->conf->pools);
         q != ngx_queue_sentinel(&pool->conf->pools);
         q = ngx_queue_next(q))
    {
        other = ngx_queue_data(q, ngx_hyperdrive_pool_t, queue);
        idle = &other->origins[NGX_HYPERDRIVE_ORIGIN_IDLE];

        if (other == pool || ngx_queue_empty(idle)
            || (ngx_memcmp(id, other->user_id, NGX_HYPERDRIVE_SHM_QUOTA_ID)
                != 0
                && ngx_memcmp(id, other->db_id, NGX_HYPERDRIVE_SHM_QUOTA_ID)
                   != 0))
        {
            continue;
        }

        o = ngx_queue_data(ngx_queue_last(idle), ngx_hyperdrive_origin_t,
                           queue);

        if (oldest == NULL
            || (ngx_msec_int_t) (o->used - oldest->used) < 0)
        {
            oldest = o;
        }
    }

    if (oldest == NULL) {
        return 0;
    }

    ngx_hyperdrive_origin_close(oldest, "gives way to a waiter");

    return 1;
}


void
ngx_hyperdrive_origin_quota_asked(ngx_hyperdrive_pool_t *pool)
{
    if (pool->conf->max_user
        && ngx_hyperdrive_origin_quota_wanted(pool->user_id)
        && ngx_hyperdrive_origin_quota_yield(pool, pool->user_id))
    {
        return;
    }

    if (pool->conf->max_db
        && ngx_hyperdrive_origin_quota_wanted(pool->db_id))
    {
        (void) ngx_hyperdrive_origin_quota_yield(pool, pool->db_id);
    }
}


static ngx_uint_t
ngx_hyperdrive_origin_quota_wanted(u_char *id)
{
    uint64_t    arrival;
    ngx_uint_t  slot;

    return ngx_hyperdrive_shm_quota_next(id, &slot, &arrival) == NGX_OK;
}


ngx_int_t
ngx_hyperdrive_origin_quota_idle(ngx_hyperdrive_origin_t *o,
    ngx_hyperdrive_origin_waiter_t **w)
{
    uint64_t                         first, arrival;
    ngx_uint_t                       slot, s;
    ngx_hyperdrive_pool_t           *pool;
    ngx_hyperdrive_origin_waiter_t  *own;

    pool = o->pool;
    own = NULL;
    slot = NGX_HYPERDRIVE_SLOTS;
    first = NGX_HYPERDRIVE_SHM_QUOTA_NEW;

    if (!ngx_queue_empty(&pool->held)) {
        own = ngx_queue_data(ngx_queue_head(&pool->held),
                             ngx_hyperdrive_origin_waiter_t, queue);
        first = own->arrival;
    }

    if (pool->conf->max_user
        && ngx_hyperdrive_shm_quota_next(pool->user_id, &s, &arrival) == NGX_OK
        && arrival < first)
    {
        first = arrival;
        slot = s;
    }

    if (pool->conf->max_db
        && ngx_hyperdrive_shm_quota_next(pool->db_id, &s, &arrival) == NGX_OK
        && arrival < first)
    {
        slot = s;
    }

    if (slot == NGX_HYPERDRIVE_SLOTS) {
        *w = own;
        return own ? NGX_OK : NGX_DECLINED;
    }

    /* somebody who cannot have this one may open one in its place */

    if (slot == ngx_hyperdrive_shm_slot
        || ngx_hyperdrive_origin_pass(o, slot) != NGX_OK)
    {
        ngx_hyperdrive_origin_close(o, "gives way to a waiter");
    }

    return NGX_DONE;
}


void
ngx_hyperdrive_origin_quota_retry(ngx_hyperdrive_origin_conf_t *conf)
{
    u_char                          *id;
    ngx_queue_t                     *q;
    ngx_hyperdrive_pool_t           *pool;
    ngx_hyperdrive_proto_error_t     err;
    ngx_hyperdrive_origin_waiter_t  *w;

    for (q = ngx_queue_head(&conf->pools);
         q != ngx_queue_sentinel(&conf->pools);
         q = ngx_queue_next(q))
    {
        pool = ngx_queue_data(q, ngx_hyperdrive_pool_t, queue);

        while (!ngx_queue_empty(&pool->held)) {

            w = ngx_queue_data(ngx_queue_head(&pool->held),
                               ngx_hyperdrive_origin_waiter_t, queue);

            id = ngx_hyperdrive_origin_quota_take(pool, w->arrival);

            if (id) {

                if (id != w->held) {

                    /* it is the other one that is used up now */

                    ngx_hyperdrive_origin_quota_want(w, id);
                }

                break;
            }

            ngx_queue_remove(&w->queue);
            ngx_hyperdrive_origin_quota_unhold(w);

            if (ngx_hyperdrive_origin_enter(pool, w, &err) == NGX_ERROR) {

                /* the queue is full: it is told in an event of its own */

                ngx_hyperdrive_origin_pend(pool, w);

                ngx_del_timer(&w->timer);
                ngx_add_timer(&w->timer, 1);
            }
        }
    }
}
