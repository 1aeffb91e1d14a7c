
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "origin/ngx_hyperdrive_origin.h"


/*
 * The connections of a worker that leaves: after a reload those who stay go on
 * with them, instead of logging in anew.  As long as there are clients here
 * that cannot move, they keep what they can use.
 */


typedef ngx_uint_t (*ngx_hyperdrive_origin_drain_pt)(
    ngx_hyperdrive_pool_t *pool, ngx_uint_t all);


static ngx_uint_t ngx_hyperdrive_origin_drain_pools(ngx_array_t *confs,
    ngx_hyperdrive_origin_drain_pt drain, ngx_uint_t all);
static ngx_uint_t ngx_hyperdrive_origin_drain_pool(
    ngx_hyperdrive_pool_t *pool, ngx_uint_t all);
static ngx_uint_t ngx_hyperdrive_origin_drain_leave_pool(
    ngx_hyperdrive_pool_t *pool, ngx_uint_t all);
static void ngx_hyperdrive_origin_drain_leave_halts(
    ngx_hyperdrive_pool_t *pool);
static ngx_uint_t ngx_hyperdrive_origin_drain_exit_pool(
    ngx_hyperdrive_pool_t *pool, ngx_uint_t all);
static void ngx_hyperdrive_origin_drain_free(ngx_hyperdrive_pool_t *pool,
    ngx_uint_t state);


/* no client is left here, and none will come: as _drain() was told last */
static ngx_uint_t  ngx_hyperdrive_origin_drain_deserted;


ngx_uint_t
ngx_hyperdrive_origin_drain(ngx_array_t *confs, ngx_uint_t all)
{
    ngx_hyperdrive_origin_drain_deserted = all;

    return ngx_hyperdrive_origin_drain_pools(confs,
                                             ngx_hyperdrive_origin_drain_pool,
                                             all);
}


ngx_uint_t
ngx_hyperdrive_origin_drain_leave(ngx_array_t *confs)
{
    return ngx_hyperdrive_origin_drain_pools(confs,
                                         ngx_hyperdrive_origin_drain_leave_pool,
                                         1);
}


void
ngx_hyperdrive_origin_drain_exit(ngx_array_t *confs)
{
    (void) ngx_hyperdrive_origin_drain_pools(confs,
                                         ngx_hyperdrive_origin_drain_exit_pool,
                                         1);
}


/* how many are left, as <drain> says of each pool */

static ngx_uint_t
ngx_hyperdrive_origin_drain_pools(ngx_array_t *confs,
    ngx_hyperdrive_origin_drain_pt drain, ngx_uint_t all)
{
    ngx_uint_t                      i, left;
    ngx_queue_t                    *q;
    ngx_hyperdrive_pool_t          *pool;
    ngx_hyperdrive_origin_conf_t  **conf;

    left = 0;
    conf = confs->elts;

    for (i = 0; i < confs->nelts; i++) {

        for (q = ngx_queue_head(&conf[i]->pools);
             q != ngx_queue_sentinel(&conf[i]->pools);
             q = ngx_queue_next(q))
        {
            pool = ngx_queue_data(q, ngx_hyperdrive_pool_t, queue);
            left += drain(pool, all);
        }
    }

    return left;
}


static ngx_uint_t
ngx_hyperdrive_origin_drain_pool(ngx_hyperdrive_pool_t *pool, ngx_uint_t all)
{
    ngx_uint_t                i, n, before;
    ngx_queue_t              *idle;
    ngx_hyperdrive_origin_t  *o;

    idle = &pool->origins[NGX_HYPERDRIVE_ORIGIN_IDLE];

    for (n = pool->norigins[NGX_HYPERDRIVE_ORIGIN_IDLE]; n; n--) {

        before = pool->norigins[NGX_HYPERDRIVE_ORIGIN_IDLE];

        /* those that were not used for longest first */

        o = ngx_queue_data(ngx_queue_last(idle), ngx_hyperdrive_origin_t,
                           queue);

        ngx_hyperdrive_origin_drain_idle(o, all);

        if (pool->norigins[NGX_HYPERDRIVE_ORIGIN_IDLE] >= before) {
            break;
        }
    }

    n = 0;

    for (i = 0; i < NGX_HYPERDRIVE_ORIGIN_STATES; i++) {
        n += pool->norigins[i];
    }

    return n;
}


void
ngx_hyperdrive_origin_drain_idle(ngx_hyperdrive_origin_t *o, ngx_uint_t all)
{
    ngx_int_t               rc;
    ngx_uint_t              heir;
    ngx_hyperdrive_pool_t  *pool;

    pool = o->pool;

    if (!all && !ngx_hyperdrive_origin_drain_deserted
        && pool->norigins[NGX_HYPERDRIVE_ORIGIN_IDLE]
           + pool->norigins[NGX_HYPERDRIVE_ORIGIN_BUSY]
           + pool->norigins[NGX_HYPERDRIVE_ORIGIN_DRAIN]
           <= pool->refs)
    {
        return;
    }

    rc = ngx_hyperdrive_shm_heir(&heir);

    if (rc == NGX_OK) {
        rc = ngx_hyperdrive_origin_pass(o, heir);
    }

    /* NGX_AGAIN: it is tried again, by the timer of those who leave */

    if (rc == NGX_DECLINED) {
        ngx_hyperdrive_origin_close(o, NULL);
    }
}


static ngx_uint_t
ngx_hyperdrive_origin_drain_leave_pool(ngx_hyperdrive_pool_t *pool,
    ngx_uint_t all)
{
    ngx_uint_t  i;

    ngx_hyperdrive_origin_drain_leave_halts(pool);

    for (i = 0; i < NGX_HYPERDRIVE_ORIGIN_STATES; i++) {

        if (i != NGX_HYPERDRIVE_ORIGIN_BUSY) {
            ngx_hyperdrive_origin_drain_free(pool, i);
        }
    }

    return pool->norigins[NGX_HYPERDRIVE_ORIGIN_BUSY];
}


static ngx_uint_t
ngx_hyperdrive_origin_drain_exit_pool(ngx_hyperdrive_pool_t *pool,
    ngx_uint_t all)
{
    (void) ngx_hyperdrive_origin_drain_leave_pool(pool, all);

    ngx_hyperdrive_origin_drain_free(pool, NGX_HYPERDRIVE_ORIGIN_BUSY);

    return 0;
}


static void
ngx_hyperdrive_origin_drain_free(ngx_hyperdrive_pool_t *pool,
    ngx_uint_t state)
{
    ngx_queue_t              *q, *next;
    ngx_hyperdrive_origin_t  *o;

    for (q = ngx_queue_head(&pool->origins[state]);
         q != ngx_queue_sentinel(&pool->origins[state]);
         q = next)
    {
        next = ngx_queue_next(q);
        o = ngx_queue_data(q, ngx_hyperdrive_origin_t, queue);

        /* its place and its entry are this process's, to its end */

        o->backend = 0;
        ngx_hyperdrive_origin_free(o);
    }
}


/*
 * Those that stop a query, and nobody is waiting for any more.  The one that
 * runs it hears nothing of it: it would be idle, and used.
 */

static void
ngx_hyperdrive_origin_drain_leave_halts(ngx_hyperdrive_pool_t *pool)
{
    ngx_uint_t                i;
    ngx_queue_t              *q, *next;
    ngx_hyperdrive_origin_t  *k;

    for (i = 0; i < NGX_HYPERDRIVE_ORIGIN_STATES; i++) {

        for (q = ngx_queue_head(&pool->origins[i]);
             q != ngx_queue_sentinel(&pool->origins[i]);
             q = next)
        {
            next = ngx_queue_next(q);
            k = ngx_queue_data(q, ngx_hyperdrive_origin_t, queue);

            if (!k->extra) {
                continue;
            }

            if (k->target) {
                k->target->cancel = NULL;
                k->target = NULL;
            }

            ngx_hyperdrive_origin_free(k);
        }
    }
}
