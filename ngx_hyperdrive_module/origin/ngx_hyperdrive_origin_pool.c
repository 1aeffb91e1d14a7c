
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "origin/ngx_hyperdrive_origin.h"
#include "peer/ngx_hyperdrive_peer.h"


/* a database that has refused is left alone so long, milliseconds */
#define NGX_HYPERDRIVE_ORIGIN_PAUSE      100

/* ...twice as long after each further refusal, up to */
#define NGX_HYPERDRIVE_ORIGIN_PAUSE_MAX  800

/* what is owed to a client that has left may take so long, milliseconds */
#define NGX_HYPERDRIVE_ORIGIN_DRAIN_TIME 5000

static void ngx_hyperdrive_origin_lend(ngx_hyperdrive_origin_t *o);
static ngx_uint_t ngx_hyperdrive_origin_elsewhere(ngx_hyperdrive_origin_t *o);
static ngx_uint_t ngx_hyperdrive_origin_alive(ngx_hyperdrive_pool_t *pool);
static ngx_int_t ngx_hyperdrive_origin_down(ngx_hyperdrive_pool_t *pool,
    ngx_hyperdrive_proto_error_t *err);
static ngx_int_t ngx_hyperdrive_origin_queue(ngx_hyperdrive_pool_t *pool,
    ngx_hyperdrive_origin_waiter_t *w, ngx_hyperdrive_proto_error_t *err);
static ngx_int_t ngx_hyperdrive_origin_none(
    ngx_hyperdrive_origin_waiter_t *w, ngx_hyperdrive_proto_error_t *err);
static void ngx_hyperdrive_origin_wait(ngx_hyperdrive_origin_waiter_t *w,
    ngx_hyperdrive_pool_t *pool);
static void ngx_hyperdrive_origin_full(ngx_hyperdrive_pool_t *pool,
    ngx_hyperdrive_proto_error_t *err);
static void ngx_hyperdrive_origin_detach(ngx_hyperdrive_origin_waiter_t *w);
static void ngx_hyperdrive_origin_timeout(ngx_event_t *ev);
static void ngx_hyperdrive_origin_serve(ngx_hyperdrive_origin_waiter_t *w,
    ngx_hyperdrive_origin_t *o);
static ngx_hyperdrive_origin_waiter_t *ngx_hyperdrive_origin_find(
    uint64_t id);
static void ngx_hyperdrive_origin_event(ngx_event_t *ev);
static void ngx_hyperdrive_origin_tell(ngx_hyperdrive_pool_t *pool);
static void ngx_hyperdrive_origin_fail(ngx_hyperdrive_origin_waiter_t *w,
    char *sqlstate, char *message, char *hint);


/* waiters with a ticket, by its id */
static ngx_rbtree_t       ngx_hyperdrive_origin_waiters;
static ngx_rbtree_node_t  ngx_hyperdrive_origin_sentinel;
static uint64_t           ngx_hyperdrive_origin_last_id;


ngx_int_t
ngx_hyperdrive_origin_init_process(ngx_cycle_t *cycle,
    ngx_hyperdrive_origin_conf_t *conf, ngx_hyperdrive_proto_ctx_t *ctx)
{
    if (ngx_hyperdrive_origin_waiters.root == NULL) {
        ngx_rbtree_init(&ngx_hyperdrive_origin_waiters,
                        &ngx_hyperdrive_origin_sentinel,
                        ngx_rbtree_insert_value);
    }

    ngx_queue_init(&conf->pools);

    conf->nheld = 0;
    conf->nstopped = 0;
    conf->ordered = 1;
    conf->ctx = *ctx;
    conf->ctx.statements = conf->statements;

    conf->limit = ngx_hyperdrive_shm_limit(&conf->name, conf->max, conf->queue,
                                           cycle->log);
    if (conf->limit == NULL) {
        return NGX_ERROR;
    }

    conf->counters = ngx_hyperdrive_shm_counters(conf->limit);

    conf->event.handler = ngx_hyperdrive_origin_event;
    conf->event.data = conf;
    conf->event.log = cycle->log;

    ngx_hyperdrive_origin_work_start(conf);
    ngx_hyperdrive_origin_orders(conf);

    return ngx_hyperdrive_origin_resolve_start(conf);
}


ngx_int_t
ngx_hyperdrive_origin_acquire(ngx_hyperdrive_pool_t *pool,
    ngx_hyperdrive_origin_waiter_t *w, ngx_hyperdrive_origin_t **o,
    ngx_hyperdrive_proto_error_t *err)
{
    u_char                          *id;
    ngx_hyperdrive_origin_conf_t    *conf;
    ngx_hyperdrive_origin_waiter_t  *first;

    conf = pool->conf;

    if (pool->paused || conf->unresolved
        || ngx_hyperdrive_shm_order_paused(conf->limit, &pool->database))
    {
        if (w->now) {
            return ngx_hyperdrive_origin_none(w, err);
        }

        if (conf->nstopped >= conf->queue) {
            ngx_hyperdrive_origin_full(pool, err);
            return NGX_ERROR;
        }

        ngx_hyperdrive_origin_stop(pool, w);

        return NGX_AGAIN;
    }

    if (pool->keep
        || (!ngx_hyperdrive_shm_limit_waiting(conf->limit)
            && ngx_queue_empty(&pool->held)))
    {
        *o = ngx_hyperdrive_origin_suit(pool, w);

        if (*o && ngx_hyperdrive_origin_check(*o) == NGX_OK) {
            ngx_hyperdrive_origin_lend(*o);
            return NGX_OK;
        }

        if (*o) {
            w->since = ngx_current_msec;
            conf->counters->wait_total++;

            ngx_hyperdrive_origin_pend(pool, w);
            return NGX_AGAIN;
        }
    }

    if (ngx_hyperdrive_origin_down(pool, err) != NGX_OK) {
        return NGX_ERROR;
    }

    w->pool = pool;
    w->since = ngx_current_msec;

    conf->counters->wait_total++;

    if (pool->failures && pool->npending
        && !ngx_hyperdrive_shm_limit_waiting(conf->limit))
    {
        /* one attempt at a time until the database is back */

        ngx_hyperdrive_origin_pend(pool, w);
        return NGX_AGAIN;
    }

    if (conf->max_user || conf->max_db) {

        if (ngx_queue_empty(&pool->held)) {
            id = ngx_hyperdrive_origin_quota_take(pool,
                                                 NGX_HYPERDRIVE_SHM_QUOTA_NEW);

        } else {
            first = ngx_queue_data(ngx_queue_head(&pool->held),
                                   ngx_hyperdrive_origin_waiter_t, queue);
            id = first->held;
        }

        if (id && w->now) {
            return ngx_hyperdrive_origin_none(w, err);
        }

        if (id && conf->nheld >= conf->queue) {
            w->pool = NULL;
            ngx_hyperdrive_origin_full(pool, err);
            return NGX_ERROR;
        }

        if (id) {
            ngx_hyperdrive_origin_wait(w, pool);
            ngx_hyperdrive_origin_quota_hold(pool, w, id);
            return NGX_AGAIN;
        }
    }

    return ngx_hyperdrive_origin_enter(pool, w, err);
}


ngx_int_t
ngx_hyperdrive_origin_enter(ngx_hyperdrive_pool_t *pool,
    ngx_hyperdrive_origin_waiter_t *w, ngx_hyperdrive_proto_error_t *err)
{
    if ((pool->failures == 0 || pool->npending == 0)
        && ngx_hyperdrive_shm_limit_take(pool->conf->limit) == NGX_OK)
    {
        ngx_hyperdrive_origin_pend(pool, w);
        ngx_hyperdrive_origin_open(pool, w->client);
        return NGX_AGAIN;
    }

    if (w->now) {
        ngx_hyperdrive_origin_quota_give(pool);
        return ngx_hyperdrive_origin_none(w, err);
    }

    return ngx_hyperdrive_origin_queue(pool, w, err);
}


/* nobody waits for it */

static ngx_int_t
ngx_hyperdrive_origin_none(ngx_hyperdrive_origin_waiter_t *w,
    ngx_hyperdrive_proto_error_t *err)
{
    w->pool = NULL;

    err->severity = "ERROR";
    err->sqlstate = "53300";
    err->message = "no connection is free";
    err->hint = NULL;

    return NGX_ERROR;
}


static void
ngx_hyperdrive_origin_wait(ngx_hyperdrive_origin_waiter_t *w,
    ngx_hyperdrive_pool_t *pool)
{
    if (!w->counted) {
        w->counted = 1;
        pool->conf->counters->waiting++;
    }

    if (w->timer.timer_set) {
        return;
    }

    w->timer.handler = ngx_hyperdrive_origin_timeout;
    w->timer.data = w;
    w->timer.log = ngx_cycle->log;

    ngx_add_timer(&w->timer, pool->conf->wait);
}


void
ngx_hyperdrive_origin_stop(ngx_hyperdrive_pool_t *pool,
    ngx_hyperdrive_origin_waiter_t *w)
{
    pool->paused = 1;
    pool->conf->ordered = 1;
    pool->conf->nstopped++;
    pool->conf->counters->waiting++;

    w->pool = pool;
    w->since = ngx_current_msec;
    w->counted = 1;
    w->stopped = 1;

    ngx_queue_insert_tail(&pool->stopped, &w->queue);
}


static void
ngx_hyperdrive_origin_lend(ngx_hyperdrive_origin_t *o)
{
    ngx_hyperdrive_origin_set_state(o, NGX_HYPERDRIVE_ORIGIN_BUSY);
}


/* connections that work, or are about to */

static ngx_uint_t
ngx_hyperdrive_origin_alive(ngx_hyperdrive_pool_t *pool)
{
    return pool->norigins[NGX_HYPERDRIVE_ORIGIN_IDLE]
           + pool->norigins[NGX_HYPERDRIVE_ORIGIN_BUSY]
           + pool->norigins[NGX_HYPERDRIVE_ORIGIN_DRAIN];
}


/* the database has just refused: no use to ask again */

static ngx_int_t
ngx_hyperdrive_origin_down(ngx_hyperdrive_pool_t *pool,
    ngx_hyperdrive_proto_error_t *err)
{
    ngx_msec_t  pause;

    if (pool->failures == 0 || ngx_hyperdrive_origin_alive(pool)) {
        return NGX_OK;
    }

    pause = NGX_HYPERDRIVE_ORIGIN_PAUSE << ngx_min(pool->failures - 1, 3);

    if (ngx_current_msec - pool->failed
        >= ngx_min(pause, NGX_HYPERDRIVE_ORIGIN_PAUSE_MAX))
    {
        return NGX_OK;
    }

    err->severity = "ERROR";
    err->sqlstate = (char *) pool->sqlstate;
    err->message = (char *) pool->reason;
    err->hint = NULL;

    return NGX_ERROR;
}


void
ngx_hyperdrive_origin_pend(ngx_hyperdrive_pool_t *pool,
    ngx_hyperdrive_origin_waiter_t *w)
{
    w->pool = pool;
    w->ticketed = 0;

    ngx_queue_insert_tail(&pool->pending, &w->queue);
    pool->npending++;

    ngx_hyperdrive_origin_wait(w, pool);
}


/* all places are taken, or others have come before */

static ngx_int_t
ngx_hyperdrive_origin_queue(ngx_hyperdrive_pool_t *pool,
    ngx_hyperdrive_origin_waiter_t *w, ngx_hyperdrive_proto_error_t *err)
{
    ngx_hyperdrive_origin_conf_t  *conf;

    conf = pool->conf;

    w->node.key = ++ngx_hyperdrive_origin_last_id;

    if (ngx_hyperdrive_shm_limit_wait(conf->limit, w->node.key, w->priority,
                                      &w->ticket)
        != NGX_OK)
    {
        ngx_hyperdrive_origin_quota_give(pool);

        w->pool = NULL;

        ngx_hyperdrive_origin_full(pool, err);

        return NGX_ERROR;
    }

    w->ticketed = 1;

    ngx_queue_insert_tail(&pool->waiting, &w->queue);
    ngx_rbtree_insert(&ngx_hyperdrive_origin_waiters, &w->node);

    ngx_hyperdrive_origin_wait(w, pool);

    ngx_hyperdrive_origin_make_room(pool);

    /* a place may have been free all the same */

    ngx_post_event(&conf->event, &ngx_posted_events);

    return NGX_AGAIN;
}


static void
ngx_hyperdrive_origin_full(ngx_hyperdrive_pool_t *pool,
    ngx_hyperdrive_proto_error_t *err)
{
    pool->conf->counters->queue_full++;

    err->severity = "ERROR";
    err->sqlstate = "53300";
    err->message = "too many clients wait for a connection to the database";
    err->hint = "The queue of this upstream is full: see \"queue\" and "
                "\"max\" of the hyperdrive_pool directive.";
}


void
ngx_hyperdrive_origin_leave(ngx_hyperdrive_origin_waiter_t *w)
{
    ngx_hyperdrive_origin_conf_t  *conf;

    if (w->pool == NULL) {
        return;
    }

    conf = w->pool->conf;

    if (w->ticketed
        && ngx_hyperdrive_shm_limit_leave(conf->limit, w->ticket) == NGX_DONE)
    {
        /* a place was granted meanwhile: it is for the next one */
        ngx_hyperdrive_origin_place(conf);
    }

    ngx_hyperdrive_origin_detach(w);
}


/* off the list, whichever it is on */

static void
ngx_hyperdrive_origin_detach(ngx_hyperdrive_origin_waiter_t *w)
{
    ngx_hyperdrive_pool_t  *pool;

    pool = w->pool;

    ngx_queue_remove(&w->queue);

    if (w->ticketed) {
        ngx_rbtree_delete(&ngx_hyperdrive_origin_waiters, &w->node);
        w->ticketed = 0;

        ngx_hyperdrive_origin_quota_give(pool);

    } else if (w->held) {
        ngx_hyperdrive_origin_quota_unhold(w);

    } else if (w->stopped) {
        pool->conf->nstopped--;
        w->stopped = 0;

    } else {
        pool->npending--;
    }

    if (w->timer.timer_set) {
        ngx_del_timer(&w->timer);
    }

    w->counted = 0;
    pool->conf->counters->waiting--;
    pool->conf->counters->wait_msec += ngx_current_msec - w->since;

    w->pool = NULL;
}


static void
ngx_hyperdrive_origin_timeout(ngx_event_t *ev)
{
    ngx_hyperdrive_origin_waiter_t  *w;

    w = ev->data;

    w->pool->conf->counters->wait_timeout++;

    if (w->pool->failures && ngx_hyperdrive_origin_alive(w->pool) == 0) {
        ngx_hyperdrive_origin_fail(w, (char *) w->pool->sqlstate,
                                   (char *) w->pool->reason, NULL);
        return;
    }

    if (w->held) {
        ngx_hyperdrive_origin_fail(w, "53300",
                               "no connection of this user or database "
                               "became free in time",
                               "All that they may have are in use: see "
                               "\"max_user\", \"max_db\" and \"wait\" of the "
                               "hyperdrive_pool directive.");
        return;
    }

    ngx_hyperdrive_origin_fail(w, "53300",
                               "no connection to the database became free in "
                               "time",
                               "All connections of this upstream are in use: "
                               "see \"max\" and \"wait\" of the "
                               "hyperdrive_pool directive.");
}


static void
ngx_hyperdrive_origin_fail(ngx_hyperdrive_origin_waiter_t *w, char *sqlstate,
    char *message, char *hint)
{
    ngx_hyperdrive_proto_error_t  err;

    err.severity = "ERROR";
    err.sqlstate = sqlstate;
    err.message = message;
    err.hint = hint;

    ngx_hyperdrive_origin_leave(w);

    w->failed(w, &err);
}


static void
ngx_hyperdrive_origin_serve(ngx_hyperdrive_origin_waiter_t *w,
    ngx_hyperdrive_origin_t *o)
{
    ngx_hyperdrive_origin_detach(w);
    ngx_hyperdrive_origin_lend(o);

    w->ready(w, o);
}


static ngx_hyperdrive_origin_waiter_t *
ngx_hyperdrive_origin_find(uint64_t id)
{
    ngx_rbtree_node_t  *node, *sentinel;

    node = ngx_hyperdrive_origin_waiters.root;
    sentinel = ngx_hyperdrive_origin_waiters.sentinel;

    while (node != sentinel) {

        if (node->key == id) {
            return ngx_rbtree_data(node, ngx_hyperdrive_origin_waiter_t, node);
        }

        node = (id < node->key) ? node->left : node->right;
    }

    return NULL;
}


void
ngx_hyperdrive_origin_release(ngx_hyperdrive_origin_t *o, void *client)
{
    ngx_connection_t        *c;
    ngx_hyperdrive_proto_t  *proto;

    c = o->net.connection;
    proto = o->pool->conf->proto;

    o->data = NULL;

    if (c->read->timer_set) {
        ngx_del_timer(c->read);
    }

    if (c->read->eof || c->read->error || c->error) {
        ngx_hyperdrive_origin_close(o, "closed by the database");
        return;
    }

    if (o->unclean && proto->origin_idle(o->wire)) {

        if (ngx_exiting
            || proto->origin_reset(o->wire, o->unclean
                                       == NGX_HYPERDRIVE_ORIGIN_RESET_ALL,
                                   (int32_t) ((uint32_t) ngx_random() << 1),
                                   &o->net.out)
               != NGX_OK)
        {
            ngx_hyperdrive_origin_close(o, "was its client's own");
            return;
        }

        o->unclean = 0;
        o->drawn = 0;
        o->unknown = ngx_hyperdrive_origin_elsewhere(o);

        ngx_hyperdrive_state_bucket_unref(o->bucket);
        o->bucket = NULL;
    }

    if (proto->origin_idle(o->wire) && o->net.out.size == 0
        && o->net.pos == o->net.last)
    {
        if (client) {
            /* pure bookkeeping: nothing is owed */
            (void) proto->origin_abandon(client, o->wire, &o->net.out);
        }

        /* (or it was asked something by us) */
        o->pool->conf->counters->transactions += !o->checking;

        ngx_hyperdrive_origin_idle(o);
        return;
    }

    if (proto->origin_abandon(client, o->wire, &o->net.out) != NGX_OK
        || ngx_hyperdrive_net_flush(&o->net) == NGX_ERROR)
    {
        ngx_hyperdrive_origin_close(o, "left in the middle of a request");
        return;
    }

    if (o->state != NGX_HYPERDRIVE_ORIGIN_DRAIN) {
        o->drained = 0;
        ngx_hyperdrive_origin_set_state(o, NGX_HYPERDRIVE_ORIGIN_DRAIN);
    }

    ngx_add_timer(c->read, NGX_HYPERDRIVE_ORIGIN_DRAIN_TIME);

    if (ngx_handle_write_event(c->write, 0) != NGX_OK) {
        ngx_hyperdrive_origin_close(o, "event failure");
        return;
    }

    /* what has come already is read in this turn of the loop */

    ngx_hyperdrive_net_post_read(&o->net);
}


/* MySQL: a reset leaves the schema as it is */

static ngx_uint_t
ngx_hyperdrive_origin_elsewhere(ngx_hyperdrive_origin_t *o)
{
    ngx_hyperdrive_state_setting_t  setting;

    static ngx_str_t  use = ngx_string("use");

    return o->pool->conf->proto->dialect
           && (o->unknown
               || ngx_hyperdrive_state_bucket_find(o->bucket, &use, &setting)
                  == NGX_OK);
}


/* idle, and whose turn is it? */

void
ngx_hyperdrive_origin_idle(ngx_hyperdrive_origin_t *o)
{
    char                            *reason;
    uint64_t                         id;
    ngx_uint_t                       slot;
    ngx_hyperdrive_pool_t           *pool;
    ngx_hyperdrive_origin_conf_t    *conf;
    ngx_hyperdrive_origin_waiter_t  *w;

    pool = o->pool;
    conf = pool->conf;

    ngx_hyperdrive_origin_outcome(o, NGX_OK);

    if (o->cancel) {

        /* it could hit the next one's query: _cancel_handler() goes on */

        if (o->state != NGX_HYPERDRIVE_ORIGIN_DRAIN) {
            ngx_hyperdrive_origin_set_state(o, NGX_HYPERDRIVE_ORIGIN_DRAIN);
        }

        return;
    }

    reason = ngx_hyperdrive_origin_retire(o);

    if (reason) {
        ngx_hyperdrive_origin_close(o, reason);
        return;
    }

    if (conf->proto->origin_abandon(NULL, o->wire, &o->net.out) != NGX_OK) {
        ngx_hyperdrive_origin_close(o, "may not be used again");
        return;
    }

    if ((conf->moves || conf->balancer)
        && ngx_hyperdrive_origin_name(o) == NGX_OK)
    {
        /* what it is used for depends on who it is */

        ngx_hyperdrive_origin_name_wait(o);
        return;
    }

    if (o->wrong
        || (conf->primary && pool->replica == NULL
            && o->home != conf->primary))
    {
        ngx_hyperdrive_origin_close(o, "is not at the primary any more");
        return;
    }

    o->used = ngx_current_msec;

    if (pool->single && ngx_queue_empty(&pool->pending)) {
        ngx_hyperdrive_origin_close(o, "is of no use to anybody else");
        return;
    }

    /* those who came while there were places are before those with tickets */

    if (!ngx_queue_empty(&pool->pending)) {

        w = ngx_queue_data(ngx_queue_head(&pool->pending),
                           ngx_hyperdrive_origin_waiter_t, queue);

        ngx_hyperdrive_origin_serve(w, o);
        return;
    }

    /*
     * Idle first, waiters then: another worker takes a ticket first and looks
     * for somebody idle then, so that one of us sees the other.
     */

    if (o->state != NGX_HYPERDRIVE_ORIGIN_IDLE) {
        ngx_hyperdrive_origin_set_state(o, NGX_HYPERDRIVE_ORIGIN_IDLE);
    }

    if (pool->keep && !ngx_exiting) {
        return;
    }

    if (ngx_hyperdrive_shm_limit_waiting(conf->limit)
        && ngx_hyperdrive_shm_limit_head(conf->limit, &slot, &id) == NGX_OK)
    {
        w = NULL;

        if (slot == ngx_hyperdrive_shm_slot) {
            w = ngx_hyperdrive_origin_find(id);
        }

        if (w && w->pool == pool
            && ngx_hyperdrive_shm_limit_serve(conf->limit, w->ticket)
               == NGX_OK)
        {
            ngx_hyperdrive_origin_serve(w, o);
            return;
        }

        if (slot == ngx_hyperdrive_shm_slot
            || ngx_hyperdrive_origin_pass(o, slot) != NGX_OK)
        {
            ngx_hyperdrive_origin_close(o, "gives way to a waiter");
        }

        return;
    }

    if (conf->max_user || conf->max_db) {

        switch (ngx_hyperdrive_origin_quota_idle(o, &w)) {

        case NGX_OK:
            ngx_hyperdrive_origin_serve(w, o);
            return;

        case NGX_DONE:
            return;
        }
    }

    if (ngx_exiting) {
        ngx_hyperdrive_origin_drain_idle(o, 0);
    }
}


void
ngx_hyperdrive_origin_ready(ngx_hyperdrive_origin_t *o)
{
    ngx_hyperdrive_pool_t  *pool;

    if (o->extra) {
        ngx_hyperdrive_origin_halt_ready(o);
        return;
    }

    pool = o->pool;

    ngx_hyperdrive_origin_idle(o);

    /* the database is back: all who were held back may try now */

    ngx_hyperdrive_origin_supply(pool, pool->npending);
}


/* told later: this may be the middle of another handler */

void
ngx_hyperdrive_origin_failed(ngx_hyperdrive_pool_t *pool, ngx_uint_t permanent)
{
    pool->failures++;
    pool->failed = ngx_current_msec;
    pool->tell = 1;

    ngx_post_event(&pool->conf->event, &ngx_posted_events);
}


/* a place of this worker has become free */

void
ngx_hyperdrive_origin_place(ngx_hyperdrive_origin_conf_t *conf)
{
    ngx_uint_t  slot;

    if (ngx_hyperdrive_shm_limit_give(conf->limit, &slot) != NGX_OK) {
        return;
    }

    if (slot == ngx_hyperdrive_shm_slot) {
        ngx_post_event(&conf->event, &ngx_posted_events);
        return;
    }

    (void) ngx_hyperdrive_peer_send(slot, NGX_HYPERDRIVE_PEER_WAKE, NULL, 0,
                                    -1);
}


static void
ngx_hyperdrive_origin_event(ngx_event_t *ev)
{
    ngx_queue_t                   *q;
    ngx_hyperdrive_pool_t         *pool;
    ngx_hyperdrive_origin_conf_t  *conf;

    conf = ev->data;

    ngx_hyperdrive_origin_orders(conf);

    for (q = ngx_queue_head(&conf->pools);
         q != ngx_queue_sentinel(&conf->pools);
         q = ngx_queue_next(q))
    {
        pool = ngx_queue_data(q, ngx_hyperdrive_pool_t, queue);

        if (pool->supply) {
            pool->supply = 0;
            ngx_hyperdrive_origin_supply(pool, pool->npending);
        }

        if (pool->tell) {
            pool->tell = 0;
            ngx_hyperdrive_origin_tell(pool);
        }
    }

    ngx_hyperdrive_origin_collect(conf);
}


/* places that were granted to waiters of this worker */

void
ngx_hyperdrive_origin_collect(ngx_hyperdrive_origin_conf_t *conf)
{
    uint64_t                         id;
    ngx_hyperdrive_pool_t           *pool;
    ngx_hyperdrive_origin_waiter_t  *w;

    while (ngx_hyperdrive_shm_limit_granted(conf->limit, &id) == NGX_OK) {

        w = ngx_hyperdrive_origin_find(id);

        if (w == NULL) {
            ngx_hyperdrive_origin_place(conf);
            continue;
        }

        pool = w->pool;

        ngx_queue_remove(&w->queue);
        ngx_rbtree_delete(&ngx_hyperdrive_origin_waiters, &w->node);

        ngx_hyperdrive_origin_pend(pool, w);
        ngx_hyperdrive_origin_open(pool, w->client);
    }

    if (conf->nheld) {
        ngx_hyperdrive_origin_quota_retry(conf);
    }
}


/* a log-in has failed: who has nothing else to hope for is told why */

static void
ngx_hyperdrive_origin_tell(ngx_hyperdrive_pool_t *pool)
{
    u_char                           sqlstate[6], reason[512];
    ngx_queue_t                     *q;
    ngx_hyperdrive_origin_waiter_t  *w;

    if (pool->failures == 0 || ngx_hyperdrive_origin_alive(pool)) {

        /*
         * There are connections that work: those who wait get one of them, or
         * a new one as soon as one is made (the sweep tries again).
         */

        return;
    }

    /* waiters may come back at once and change what the pool says */

    ngx_memcpy(sqlstate, pool->sqlstate, sizeof(sqlstate));
    ngx_memcpy(reason, pool->reason, sizeof(reason));

    while (!ngx_queue_empty(&pool->pending)) {
        q = ngx_queue_head(&pool->pending);
        w = ngx_queue_data(q, ngx_hyperdrive_origin_waiter_t, queue);

        ngx_hyperdrive_origin_fail(w, (char *) sqlstate, (char *) reason,
                                   NULL);
    }

    while (!ngx_queue_empty(&pool->waiting)) {
        q = ngx_queue_head(&pool->waiting);
        w = ngx_queue_data(q, ngx_hyperdrive_origin_waiter_t, queue);

        ngx_hyperdrive_origin_fail(w, (char *) sqlstate, (char *) reason,
                                   NULL);
    }
}
