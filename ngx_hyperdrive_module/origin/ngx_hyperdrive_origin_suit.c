
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "origin/ngx_hyperdrive_origin.h"


/* which of a pool's idle connections a waiter is given */


/* so many are looked at for one that is set as it should be */
#define NGX_HYPERDRIVE_ORIGIN_SUIT_LOOK  64


static ngx_hyperdrive_origin_t *ngx_hyperdrive_origin_suit_like(
    ngx_hyperdrive_pool_t *pool, ngx_hyperdrive_origin_t *like);
static ngx_hyperdrive_origin_t *ngx_hyperdrive_origin_suit_server(
    ngx_hyperdrive_origin_t *o, uint32_t where);
static ngx_hyperdrive_origin_t *ngx_hyperdrive_origin_suit_bucket(
    ngx_hyperdrive_origin_t *o, ngx_hyperdrive_state_bucket_t *bucket);


/* the one that was used last, or suits best */

ngx_hyperdrive_origin_t *
ngx_hyperdrive_origin_suit(ngx_hyperdrive_pool_t *pool,
    ngx_hyperdrive_origin_waiter_t *w)
{
    ngx_queue_t              *q;
    ngx_hyperdrive_origin_t  *o, *like;

    like = w->like ? ngx_hyperdrive_origin_suit_like(pool, w->like) : NULL;

    for ( ;; ) {
        q = ngx_queue_head(&pool->origins[NGX_HYPERDRIVE_ORIGIN_IDLE]);

        if (q == ngx_queue_sentinel(
                                 &pool->origins[NGX_HYPERDRIVE_ORIGIN_IDLE]))
        {
            return NULL;
        }

        o = ngx_queue_data(q, ngx_hyperdrive_origin_t, queue);

        if (like) {
            o = like;
            like = NULL;

        } else if (w->where) {
            o = ngx_hyperdrive_origin_suit_server(o, w->where);

        } else if (o->bucket != w->bucket || o->unknown) {
            o = ngx_hyperdrive_origin_suit_bucket(o, w->bucket);
        }

        if (o->net.connection->read->ready
            || o->net.connection->read->posted)
        {
            /*
             * Something has come that its handler has not seen yet; often the
             * end.  It will tell the pool.
             */

            if (o->net.connection->read->pending_eof) {
                ngx_hyperdrive_origin_close(o, "closed by the database");
                continue;
            }
        }

        return o;
    }
}


/* <like>, if it is idle, else NULL */

static ngx_hyperdrive_origin_t *
ngx_hyperdrive_origin_suit_like(ngx_hyperdrive_pool_t *pool,
    ngx_hyperdrive_origin_t *like)
{
    ngx_queue_t  *q, *idle;

    idle = &pool->origins[NGX_HYPERDRIVE_ORIGIN_IDLE];

    for (q = ngx_queue_head(idle);
         q != ngx_queue_sentinel(idle);
         q = ngx_queue_next(q))
    {
        if (ngx_queue_data(q, ngx_hyperdrive_origin_t, queue) == like) {
            return like;
        }
    }

    return NULL;
}


/* the first idle one that leads to this server, else <o>, the first */

static ngx_hyperdrive_origin_t *
ngx_hyperdrive_origin_suit_server(ngx_hyperdrive_origin_t *o, uint32_t where)
{
    ngx_queue_t              *q, *idle;
    ngx_hyperdrive_origin_t  *other;

    idle = &o->pool->origins[NGX_HYPERDRIVE_ORIGIN_IDLE];

    for (q = ngx_queue_head(idle);
         q != ngx_queue_sentinel(idle);
         q = ngx_queue_next(q))
    {
        other = ngx_queue_data(q, ngx_hyperdrive_origin_t, queue);

        if (ngx_hyperdrive_origin_where(other) == where
            && !other->net.connection->read->ready)
        {
            return other;
        }
    }

    return o;
}


/*
 * The idle one that is set as it should be, else one that is set to nothing,
 * else <o>, the first.
 */

static ngx_hyperdrive_origin_t *
ngx_hyperdrive_origin_suit_bucket(ngx_hyperdrive_origin_t *o,
    ngx_hyperdrive_state_bucket_t *bucket)
{
    ngx_uint_t                n;
    ngx_queue_t              *q, *idle;
    ngx_hyperdrive_origin_t  *other, *best;

    idle = &o->pool->origins[NGX_HYPERDRIVE_ORIGIN_IDLE];
    best = (o->bucket || o->unknown) ? NULL : o;
    n = 0;

    for (q = ngx_queue_next(&o->queue);
         q != ngx_queue_sentinel(idle) && n < NGX_HYPERDRIVE_ORIGIN_SUIT_LOOK;
         q = ngx_queue_next(q))
    {
        other = ngx_queue_data(q, ngx_hyperdrive_origin_t, queue);
        n++;

        if (other->unknown || other->net.connection->read->ready) {
            continue;
        }

        if (other->bucket == bucket) {
            return other;
        }

        if (best == NULL && other->bucket == NULL) {
            best = other;
        }
    }

    return best ? best : o;
}
