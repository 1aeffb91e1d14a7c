
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "origin/ngx_hyperdrive_origin.h"


/*
 * What an operator asks for while nginx runs: pause, resume, reconnect.  The
 * orders stand in shared memory; here they are carried out by each worker.
 *
 * While a pool is paused, those who want a connection stand on its list of
 * the stopped, without a ticket or a place, and no time limit runs for them;
 * connections are closed as they become free.
 */


static ngx_int_t ngx_hyperdrive_origin_order_tell(ngx_int_t rc);
static void ngx_hyperdrive_origin_order_pool(ngx_hyperdrive_pool_t *pool);
static void ngx_hyperdrive_origin_order_stop(ngx_hyperdrive_pool_t *pool,
    ngx_queue_t *queue);
static void ngx_hyperdrive_origin_order_resume(ngx_hyperdrive_pool_t *pool);
static void ngx_hyperdrive_origin_order_close(ngx_hyperdrive_pool_t *pool);
static void ngx_hyperdrive_origin_order_report(
    ngx_hyperdrive_origin_conf_t *conf, uint64_t seen);
static ngx_uint_t ngx_hyperdrive_origin_order_older(
    ngx_hyperdrive_pool_t *pool, ngx_hyperdrive_origin_state_e state,
    uint64_t number);


void  (*ngx_hyperdrive_origin_wake)(ngx_uint_t slot);


ngx_int_t
ngx_hyperdrive_origin_pause(ngx_hyperdrive_shm_limit_t *limit,
    ngx_str_t *database, ngx_msec_t time)
{
    return ngx_hyperdrive_origin_order_tell(
                  ngx_hyperdrive_shm_order_pause(limit, database, 1, time));
}


ngx_int_t
ngx_hyperdrive_origin_resume(ngx_hyperdrive_shm_limit_t *limit,
    ngx_str_t *database)
{
    return ngx_hyperdrive_origin_order_tell(
                  ngx_hyperdrive_shm_order_pause(limit, database, 0, 0));
}


ngx_int_t
ngx_hyperdrive_origin_reconnect(ngx_hyperdrive_shm_limit_t *limit,
    ngx_str_t *database)
{
    return ngx_hyperdrive_origin_order_tell(
                  ngx_hyperdrive_shm_order_reconnect(limit, database));
}


ngx_int_t
ngx_hyperdrive_origin_kill(ngx_str_t *upstream, ngx_str_t *database,
    ngx_str_t *user)
{
    ngx_str_t  none;

    ngx_str_set(&none, "");

    return ngx_hyperdrive_origin_order_tell(
                  ngx_hyperdrive_shm_kill(upstream, database, user, &none));
}


ngx_int_t
ngx_hyperdrive_origin_purge(ngx_str_t *table, ngx_str_t *database)
{
    ngx_str_t  none;

    ngx_str_set(&none, "");

    return ngx_hyperdrive_origin_order_tell(
                  ngx_hyperdrive_shm_kill(&none, database, &none, table));
}


static ngx_int_t
ngx_hyperdrive_origin_order_tell(ngx_int_t rc)
{
    ngx_pid_t   pid;
    ngx_uint_t  i;

    for (i = 0; rc == NGX_OK && i < NGX_HYPERDRIVE_SLOTS; i++) {

        if (ngx_hyperdrive_shm_slot_pid(i, &pid) == NGX_OK) {
            ngx_hyperdrive_origin_wake(i);
        }
    }

    return rc;
}


void
ngx_hyperdrive_origin_orders(ngx_hyperdrive_origin_conf_t *conf)
{
    uint64_t                number;
    ngx_queue_t            *q;
    ngx_hyperdrive_pool_t  *pool;

    number = ngx_hyperdrive_shm_orders();

    if (number == conf->orders && !conf->ordered) {
        return;
    }

    conf->orders = number;
    conf->ordered = 0;

    for (q = ngx_queue_head(&conf->pools);
         q != ngx_queue_sentinel(&conf->pools);
         q = ngx_queue_next(q))
    {
        pool = ngx_queue_data(q, ngx_hyperdrive_pool_t, queue);

        ngx_hyperdrive_origin_order_pool(pool);

        if (pool->paused) {
            /* it may end by itself */
            conf->ordered = 1;
        }
    }

    ngx_hyperdrive_origin_order_report(conf, number);
}


static void
ngx_hyperdrive_origin_order_pool(ngx_hyperdrive_pool_t *pool)
{
    pool->reconnect = ngx_hyperdrive_shm_order_reconnected(pool->conf->limit,
                                                           &pool->database);

    if (pool->conf->unresolved
        || ngx_hyperdrive_shm_order_paused(pool->conf->limit, &pool->database))
    {

        pool->paused = 1;

        ngx_hyperdrive_origin_order_stop(pool, &pool->waiting);
        ngx_hyperdrive_origin_order_stop(pool, &pool->held);
        ngx_hyperdrive_origin_order_stop(pool, &pool->pending);

    } else if (pool->paused) {
        pool->paused = 0;

        ngx_hyperdrive_origin_order_resume(pool);
    }

    ngx_hyperdrive_origin_order_close(pool);
}


/* those who wait stand before those who came since */

static void
ngx_hyperdrive_origin_order_stop(ngx_hyperdrive_pool_t *pool,
    ngx_queue_t *queue)
{
    ngx_queue_t                     *q;
    ngx_hyperdrive_origin_waiter_t  *w;

    while (!ngx_queue_empty(queue)) {

        q = ngx_queue_last(queue);
        w = ngx_queue_data(q, ngx_hyperdrive_origin_waiter_t, queue);

        ngx_hyperdrive_origin_leave(w);
        ngx_hyperdrive_origin_stop(pool, w);

        ngx_queue_remove(&w->queue);
        ngx_queue_insert_head(&pool->stopped, &w->queue);
    }
}


static void
ngx_hyperdrive_origin_order_resume(ngx_hyperdrive_pool_t *pool)
{
    ngx_int_t                        rc;
    ngx_queue_t                      queue, *q;
    ngx_hyperdrive_origin_t         *o;
    ngx_hyperdrive_proto_error_t     err;
    ngx_hyperdrive_origin_waiter_t  *w;

    ngx_queue_init(&queue);

    if (!ngx_queue_empty(&pool->stopped)) {
        ngx_queue_add(&queue, &pool->stopped);
        ngx_queue_init(&pool->stopped);
    }

    /* whoever is served may end others, which leave this list by themselves */

    while (!ngx_queue_empty(&queue)) {

        q = ngx_queue_head(&queue);
        w = ngx_queue_data(q, ngx_hyperdrive_origin_waiter_t, queue);

        ngx_hyperdrive_origin_leave(w);

        rc = ngx_hyperdrive_origin_acquire(pool, w, &o, &err);

        if (rc == NGX_OK) {
            w->ready(w, o);

        } else if (rc == NGX_ERROR) {
            w->failed(w, &err);
        }
    }
}


/* idle connections that are not to be used any more */

static void
ngx_hyperdrive_origin_order_close(ngx_hyperdrive_pool_t *pool)
{
    char                     *reason;
    ngx_queue_t              *q, *next, *idle;
    ngx_hyperdrive_origin_t  *o;

    idle = &pool->origins[NGX_HYPERDRIVE_ORIGIN_IDLE];

    for (q = ngx_queue_head(idle); q != ngx_queue_sentinel(idle); q = next) {

        next = ngx_queue_next(q);
        o = ngx_queue_data(q, ngx_hyperdrive_origin_t, queue);

        reason = ngx_hyperdrive_origin_retire(o);

        if (reason) {
            ngx_hyperdrive_origin_close(o, reason);
        }
    }
}


char *
ngx_hyperdrive_origin_retire(ngx_hyperdrive_origin_t *o)
{
    ngx_hyperdrive_pool_t  *pool;

    pool = o->pool;

    if ((ngx_msec_int_t) (ngx_current_msec - o->expires) >= 0) {
        return "its lifetime is over";
    }

    if (pool->paused) {
        return "its upstream or database is paused";
    }

    if (ngx_hyperdrive_origin_resolve_moved(o)) {
        return "leads to an address that its name has no more";
    }

    if (o->opened < pool->reconnect) {
        return "is to be replaced";
    }

    if (o->stamp != ngx_hyperdrive_origin_stamp(o)) {
        return "was logged in by what has changed since";
    }

    if (ngx_hyperdrive_shm_limit_over(pool->conf->limit)) {
        return "is one above the limit";
    }

    return NULL;
}


/* what is left to be done, for whoever gave the orders */

static void
ngx_hyperdrive_origin_order_report(ngx_hyperdrive_origin_conf_t *conf,
    uint64_t seen)
{
    ngx_uint_t                         i, k, open, old;
    ngx_queue_t                       *q;
    ngx_hyperdrive_pool_t             *pool;
    ngx_hyperdrive_shm_order_state_t   state;

    i = 0;

    while (ngx_hyperdrive_shm_order_next(conf->limit, &i, &state) == NGX_OK) {

        open = 0;
        old = 0;

        for (q = ngx_queue_head(&conf->pools);
             q != ngx_queue_sentinel(&conf->pools);
             q = ngx_queue_next(q))
        {
            pool = ngx_queue_data(q, ngx_hyperdrive_pool_t, queue);

            if (state.database.len
                && (state.database.len != pool->database.len
                    || ngx_memcmp(state.database.data, pool->database.data,
                                  pool->database.len)
                       != 0))
            {
                continue;
            }

            for (k = 0; k < NGX_HYPERDRIVE_ORIGIN_STATES; k++) {
                open += pool->norigins[k];
                old += ngx_hyperdrive_origin_order_older(pool, k,
                                                         state.reconnect);
            }
        }

        if (old || (open && state.paused)) {
            /* it is told when they have gone */
            conf->ordered = 1;
        }

        ngx_hyperdrive_shm_order_report(i, seen, open, old);
    }
}


static ngx_uint_t
ngx_hyperdrive_origin_order_older(ngx_hyperdrive_pool_t *pool,
    ngx_hyperdrive_origin_state_e state, uint64_t number)
{
    ngx_uint_t                n;
    ngx_queue_t              *q;
    ngx_hyperdrive_origin_t  *o;

    n = 0;

    for (q = ngx_queue_head(&pool->origins[state]);
         q != ngx_queue_sentinel(&pool->origins[state]);
         q = ngx_queue_next(q))
    {
        o = ngx_queue_data(q, ngx_hyperdrive_origin_t, queue);

        if (o->opened < number) {
            n++;
        }
    }

    return n;
}
