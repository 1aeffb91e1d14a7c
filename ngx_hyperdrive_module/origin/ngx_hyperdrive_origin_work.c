
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "origin/ngx_hyperdrive_origin.h"
#include "peer/ngx_hyperdrive_peer.h"


/* how often idle connections are looked at, milliseconds */
#define NGX_HYPERDRIVE_ORIGIN_SWEEP      1000


static void ngx_hyperdrive_origin_sweep(ngx_event_t *ev);
static ngx_uint_t ngx_hyperdrive_origin_sweep_unused(
    ngx_hyperdrive_pool_t *pool);
static void ngx_hyperdrive_origin_sweep_pool(ngx_hyperdrive_pool_t *pool);
static void ngx_hyperdrive_origin_yield(ngx_array_t *confs, ngx_uint_t from,
    u_char *data, size_t len);


void
ngx_hyperdrive_origin_work_start(ngx_hyperdrive_origin_conf_t *conf)
{
    conf->sweep.handler = ngx_hyperdrive_origin_sweep;
    conf->sweep.data = conf;
    conf->sweep.log = ngx_cycle->log;
    conf->sweep.cancelable = 1;

    ngx_add_timer(&conf->sweep, conf->min ? 1 : NGX_HYPERDRIVE_ORIGIN_SWEEP);
}


static void
ngx_hyperdrive_origin_sweep(ngx_event_t *ev)
{
    ngx_str_t                         database, user;
    ngx_queue_t                      *q, *next;
    ngx_uint_t                        n;
    ngx_hyperdrive_pool_t            *pool;
    ngx_hyperdrive_origin_conf_t     *conf;
    ngx_hyperdrive_shm_limit_stats_t  stats;

    conf = ev->data;

    ngx_hyperdrive_origin_orders(conf);

    for (q = ngx_queue_head(&conf->pools);
         q != ngx_queue_sentinel(&conf->pools);
         q = next)
    {
        next = ngx_queue_next(q);
        pool = ngx_queue_data(q, ngx_hyperdrive_pool_t, queue);

        if (!ngx_hyperdrive_origin_sweep_unused(pool)) {
            ngx_hyperdrive_origin_sweep_pool(pool);
        }
    }

    /* a grant whose wake-up was lost is found here at the latest */

    ngx_hyperdrive_origin_collect(conf);

    if (conf->min && conf->database.len && !ngx_exiting) {

        ngx_str_set(&user, "");
        database = conf->database;

        pool = ngx_hyperdrive_origin_pool(conf, &user, &database, 0, NULL);

        ngx_hyperdrive_shm_limit_stats(conf->limit, &stats);

        n = stats.used;

        if (pool && (pool->paused || conf->unresolved)) {
            n = conf->min;
        }

        while (pool && n < conf->min && pool->failures == 0
               && ngx_hyperdrive_origin_quota_place(pool) == NGX_OK)
        {
            ngx_hyperdrive_origin_open(pool, NULL);
            n++;
        }

        if (pool && n < conf->min && pool->failures
            && ngx_hyperdrive_origin_quota_place(pool) == NGX_OK)
        {
            /* one at a time while the database is away */
            ngx_hyperdrive_origin_open(pool, NULL);
        }
    }

    ngx_add_timer(ev, NGX_HYPERDRIVE_ORIGIN_SWEEP);
}


/* true if it was of no use any more */

static ngx_uint_t
ngx_hyperdrive_origin_sweep_unused(ngx_hyperdrive_pool_t *pool)
{
    ngx_uint_t  i;

    if (pool->refs || !ngx_queue_empty(&pool->pending)
        || !ngx_queue_empty(&pool->waiting)
        || !ngx_queue_empty(&pool->stopped)
        || !ngx_queue_empty(&pool->held))
    {
        return 0;
    }

    for (i = 0; i < NGX_HYPERDRIVE_ORIGIN_STATES; i++) {

        if (pool->norigins[i]) {
            return 0;
        }
    }

    ngx_queue_remove(&pool->queue);

    ngx_hyperdrive_origin_credentials_free(pool);
    ngx_hyperdrive_origin_epoch_end(pool);
    pool->conf->proto->keys_free(&pool->keys);

    free(pool->greeting.data);
    free(pool);

    return 1;
}


static void
ngx_hyperdrive_origin_sweep_pool(ngx_hyperdrive_pool_t *pool)
{
    char                             *reason;
    ngx_queue_t                      *q, *prev, *idle;
    ngx_hyperdrive_origin_t          *o;
    ngx_hyperdrive_origin_conf_t     *conf;
    ngx_hyperdrive_shm_limit_stats_t  stats;

    conf = pool->conf;
    idle = &pool->origins[NGX_HYPERDRIVE_ORIGIN_IDLE];

    if (!ngx_queue_empty(idle)) {

        ngx_hyperdrive_shm_limit_stats(conf->limit, &stats);

        for (q = ngx_queue_last(idle);
             q != ngx_queue_sentinel(idle);
             q = prev)
        {
            prev = ngx_queue_prev(q);
            o = ngx_queue_data(q, ngx_hyperdrive_origin_t, queue);

            reason = ngx_hyperdrive_origin_retire(o);

            if (reason) {
                ngx_hyperdrive_origin_close(o, reason);
                stats.used--;

            } else if (pool->keep) {
                continue;

            } else if (ngx_current_msec - o->used >= conf->idle
                       && stats.used > conf->min)
            {
                ngx_hyperdrive_origin_close(o, "idle for too long");
                stats.used--;
            }
        }
    }

    /* waiters whose connection has failed, beside others that work */

    ngx_hyperdrive_origin_supply(pool, 1);
}


void
ngx_hyperdrive_origin_message(ngx_array_t *confs, ngx_uint_t from,
    ngx_uint_t type, u_char *data, size_t len, ngx_socket_t fd)
{
    ngx_uint_t                      i;
    ngx_hyperdrive_origin_conf_t  **conf;

    switch (type) {

    case NGX_HYPERDRIVE_PEER_ORIGIN:
        ngx_hyperdrive_origin_take(confs, data, len, fd);
        return;

    case NGX_HYPERDRIVE_PEER_YIELD:
        ngx_hyperdrive_origin_yield(confs, from, data, len);
        return;

    default: /* NGX_HYPERDRIVE_PEER_WAKE */
        break;
    }

    conf = confs->elts;

    for (i = 0; i < confs->nelts; i++) {
        ngx_hyperdrive_origin_orders(conf[i]);
        ngx_hyperdrive_origin_collect(conf[i]);
    }
}


ngx_hyperdrive_origin_conf_t *
ngx_hyperdrive_origin_conf(ngx_array_t *confs, u_char *name, size_t len)
{
    ngx_uint_t                      i;
    ngx_hyperdrive_origin_conf_t  **conf;

    conf = confs->elts;

    for (i = 0; i < confs->nelts; i++) {

        if (conf[i]->name.len == len
            && ngx_memcmp(conf[i]->name.data, name, len) == 0)
        {
            return conf[i];
        }
    }

    return NULL;
}


/* somebody waits in another worker, and we have an idle connection */

static void
ngx_hyperdrive_origin_yield(ngx_array_t *confs, ngx_uint_t from,
    u_char *data, size_t len)
{
    size_t                         n;
    ngx_uint_t                     waiting;
    ngx_queue_t                   *q, *idle;
    ngx_hyperdrive_pool_t         *pool;
    ngx_hyperdrive_origin_t       *o;
    ngx_hyperdrive_origin_conf_t  *conf;

    n = strnlen((char *) data, len);
    conf = ngx_hyperdrive_origin_conf(confs, data, n);

    if (conf == NULL) {
        return;
    }

    waiting = ngx_hyperdrive_shm_limit_waiting(conf->limit);

    if (!waiting && conf->max_user == 0 && conf->max_db == 0) {
        return;
    }

    for (q = ngx_queue_head(&conf->pools);
         q != ngx_queue_sentinel(&conf->pools);
         q = ngx_queue_next(q))
    {
        pool = ngx_queue_data(q, ngx_hyperdrive_pool_t, queue);
        idle = &pool->origins[NGX_HYPERDRIVE_ORIGIN_IDLE];

        if (pool->key.len != len
            || ngx_memcmp(pool->key.data, data, len) != 0
            || ngx_queue_empty(idle))
        {
            continue;
        }

        o = ngx_queue_data(ngx_queue_head(idle), ngx_hyperdrive_origin_t,
                           queue);

        if (ngx_hyperdrive_origin_pass(o, from) == NGX_OK) {
            return;
        }
    }

    if (waiting) {
        (void) ngx_hyperdrive_origin_close_idle(conf, NULL,
                                                "gives way to a waiter");
        return;
    }

    /* one of another kind, but of the same user or database, gives way */

    pool = ngx_hyperdrive_origin_pass_pool(confs, data, len);

    if (pool) {
        ngx_hyperdrive_origin_quota_asked(pool);
    }
}


void
ngx_hyperdrive_origin_moved(ngx_hyperdrive_origin_conf_t *conf)
{
    ngx_queue_t              *q, *p, *next, *idle;
    ngx_hyperdrive_pool_t    *pool;
    ngx_hyperdrive_origin_t  *o;

    for (q = ngx_queue_head(&conf->pools);
         q != ngx_queue_sentinel(&conf->pools);
         q = ngx_queue_next(q))
    {
        pool = ngx_queue_data(q, ngx_hyperdrive_pool_t, queue);
        idle = &pool->origins[NGX_HYPERDRIVE_ORIGIN_IDLE];

        if (pool->replica) {
            continue;
        }

        for (p = ngx_queue_head(idle); p != ngx_queue_sentinel(idle); p = next)
        {
            next = ngx_queue_next(p);
            o = ngx_queue_data(p, ngx_hyperdrive_origin_t, queue);

            if (o->home != conf->primary) {
                ngx_hyperdrive_origin_close(o,
                                            "is not at the primary any more");
            }
        }
    }
}


/* an idle connection that is of no use here gives way */

void
ngx_hyperdrive_origin_make_room(ngx_hyperdrive_pool_t *pool)
{
    u_char                        *p;
    u_char                         body[NGX_HYPERDRIVE_SHM_NAME
                                        + NGX_HYPERDRIVE_SHM_NOTE_KEY];
    ngx_uint_t                     slot;
    ngx_hyperdrive_origin_conf_t  *conf;

    conf = pool->conf;

    if (ngx_hyperdrive_origin_close_idle(conf, pool, "gives way to a waiter"))
    {
        return;
    }

    if (ngx_hyperdrive_shm_limit_find_idle(conf->limit, &slot) != NGX_OK
        || slot == ngx_hyperdrive_shm_slot)
    {
        return;
    }

    /* the other worker prefers one that we can use: the key begins with the
       upstream's name */

    p = ngx_cpymem(body, pool->key.data, pool->key.len);

    (void) ngx_hyperdrive_peer_send(slot, NGX_HYPERDRIVE_PEER_YIELD, body,
                                    p - body, -1);
}


/* closes the idle connection of the upstream that was not used for longest */

ngx_uint_t
ngx_hyperdrive_origin_close_idle(ngx_hyperdrive_origin_conf_t *conf,
    ngx_hyperdrive_pool_t *except, char *reason)
{
    ngx_queue_t              *q, *idle;
    ngx_hyperdrive_pool_t    *pool;
    ngx_hyperdrive_origin_t  *o, *oldest;

    oldest = NULL;

    for (q = ngx_queue_head(&conf->pools);
         q != ngx_queue_sentinel(&conf->pools);
         q = ngx_queue_next(q))
    {
        pool = ngx_queue_data(q, ngx_hyperdrive_pool_t, queue);
        idle = &pool->origins[NGX_HYPERDRIVE_ORIGIN_IDLE];

        if (pool == except || pool->keep || ngx_queue_empty(idle)) {
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

    ngx_hyperdrive_origin_close(oldest, reason);

    return 1;
}
