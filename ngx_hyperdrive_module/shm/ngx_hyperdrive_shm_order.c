
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "shm/ngx_hyperdrive_shm_layout.h"


/* a process has looked at what was asked for so long ago, milliseconds */
#define NGX_HYPERDRIVE_SHM_ORDER_READ    2500


static ngx_hyperdrive_shm_order_t *ngx_hyperdrive_shm_order_locked(
    ngx_hyperdrive_shm_limit_t *limit, ngx_str_t *database);
static ngx_hyperdrive_shm_order_t *ngx_hyperdrive_shm_order_find(
    ngx_hyperdrive_shm_limit_t *limit, ngx_str_t *database);
static ngx_uint_t ngx_hyperdrive_shm_order_holds(
    ngx_hyperdrive_shm_order_t *order);
static void ngx_hyperdrive_shm_order_given_locked(
    ngx_hyperdrive_shm_limit_t *limit, ngx_hyperdrive_shm_order_t *order);


ngx_int_t
ngx_hyperdrive_shm_order_pause(ngx_hyperdrive_shm_limit_t *limit,
    ngx_str_t *database, ngx_uint_t on, ngx_msec_t time)
{
    ngx_int_t                    rc;
    ngx_hyperdrive_shm_order_t  *order;

    rc = NGX_DECLINED;

    ngx_hyperdrive_shm_lock();

    order = ngx_hyperdrive_shm_order_locked(limit, database);

    if (order) {
        order->until = (on && time) ? ngx_hyperdrive_shm_now() + time : 0;
        order->paused = on;

        ngx_hyperdrive_shm_order_given_locked(limit, order);

        rc = NGX_OK;
    }

    ngx_hyperdrive_shm_unlock();

    return rc;
}


ngx_int_t
ngx_hyperdrive_shm_order_reconnect(ngx_hyperdrive_shm_limit_t *limit,
    ngx_str_t *database)
{
    ngx_int_t                    rc;
    ngx_hyperdrive_shm_order_t  *order;

    rc = NGX_DECLINED;

    ngx_hyperdrive_shm_lock();

    order = ngx_hyperdrive_shm_order_locked(limit, database);

    if (order) {

        /* what is opened from now on has this number, or a higher one */

        order->reconnect = ngx_hyperdrive_shm->orders + 1;

        ngx_hyperdrive_shm_order_given_locked(limit, order);

        rc = NGX_OK;
    }

    ngx_hyperdrive_shm_unlock();

    return rc;
}


/* the one for this database, or a new one; NULL: there is no room */

static ngx_hyperdrive_shm_order_t *
ngx_hyperdrive_shm_order_locked(ngx_hyperdrive_shm_limit_t *limit,
    ngx_str_t *database)
{
    ngx_uint_t                   i;
    ngx_hyperdrive_shm_order_t  *order, *best;

    if (database->len > NGX_HYPERDRIVE_SHM_NAME) {
        return NULL;
    }

    order = ngx_hyperdrive_shm_order_find(limit, database);

    if (order) {
        return order;
    }

    best = NULL;

    for (i = 0; i < NGX_HYPERDRIVE_SHM_ORDERS; i++) {
        order = &ngx_hyperdrive_shm->order[i];

        /* unused, or the one that was carried out longest ago */

        if (!ngx_hyperdrive_shm_order_holds(order)
            && (best == NULL || order->changed < best->changed))
        {
            best = order;
        }
    }

    if (best == NULL) {
        return NULL;
    }

    ngx_memzero(best, sizeof(ngx_hyperdrive_shm_order_t));

    best->limit = limit->index;
    best->len = database->len;
    ngx_memcpy(best->database, database->data, database->len);

    return best;
}


static ngx_hyperdrive_shm_order_t *
ngx_hyperdrive_shm_order_find(ngx_hyperdrive_shm_limit_t *limit,
    ngx_str_t *database)
{
    ngx_uint_t                   i;
    ngx_hyperdrive_shm_order_t  *order;

    for (i = 0; i < NGX_HYPERDRIVE_SHM_ORDERS; i++) {
        order = &ngx_hyperdrive_shm->order[i];

        if (order->changed
            && order->limit == limit->index
            && order->len == database->len
            && ngx_memcmp(order->database, database->data, database->len)
               == 0)
        {
            return order;
        }
    }

    return NULL;
}


static ngx_uint_t
ngx_hyperdrive_shm_order_holds(ngx_hyperdrive_shm_order_t *order)
{
    return order->paused
           && (order->until == 0 || ngx_hyperdrive_shm_now() < order->until);
}


/* who dies on the way has told nobody that it is done: it is asked again */

static void
ngx_hyperdrive_shm_order_given_locked(ngx_hyperdrive_shm_limit_t *limit,
    ngx_hyperdrive_shm_order_t *order)
{
    ngx_uint_t  i, n;

    order->changed = ngx_hyperdrive_shm->orders + 1;

    n = 0;

    for (i = 0; i < NGX_HYPERDRIVE_SHM_ORDERS; i++) {

        if (ngx_hyperdrive_shm->order[i].changed
            && ngx_hyperdrive_shm->order[i].limit == limit->index
            && ngx_hyperdrive_shm->order[i].paused)
        {
            n++;
        }
    }

    limit->paused = n;

    ngx_memory_barrier();

    ngx_hyperdrive_shm->orders++;
}


void
ngx_hyperdrive_shm_order_clear_locked(ngx_uint_t limit)
{
    ngx_uint_t  i;

    for (i = 0; i < NGX_HYPERDRIVE_SHM_ORDERS; i++) {

        if (ngx_hyperdrive_shm->order[i].limit == limit) {
            ngx_memzero(&ngx_hyperdrive_shm->order[i],
                        sizeof(ngx_hyperdrive_shm_order_t));
        }
    }

    ngx_hyperdrive_shm->limits[limit].paused = 0;
}


uint64_t
ngx_hyperdrive_shm_orders(void)
{
    return ngx_hyperdrive_shm->orders;
}


ngx_uint_t
ngx_hyperdrive_shm_order_paused(ngx_hyperdrive_shm_limit_t *limit,
    ngx_str_t *database)
{
    ngx_str_t                    all;
    ngx_hyperdrive_shm_order_t  *order;

    if (limit->paused == 0) {
        return 0;
    }

    ngx_str_set(&all, "");

    order = ngx_hyperdrive_shm_order_find(limit, &all);

    if (order && ngx_hyperdrive_shm_order_holds(order)) {
        return 1;
    }

    order = ngx_hyperdrive_shm_order_find(limit, database);

    return order && ngx_hyperdrive_shm_order_holds(order);
}


uint64_t
ngx_hyperdrive_shm_order_reconnected(ngx_hyperdrive_shm_limit_t *limit,
    ngx_str_t *database)
{
    uint64_t                     number;
    ngx_str_t                    all;
    ngx_hyperdrive_shm_order_t  *order;

    if (ngx_hyperdrive_shm->orders == 0) {
        return 0;
    }

    ngx_str_set(&all, "");

    order = ngx_hyperdrive_shm_order_find(limit, &all);
    number = order ? order->reconnect : 0;

    order = ngx_hyperdrive_shm_order_find(limit, database);

    return (order && order->reconnect > number) ? order->reconnect : number;
}


ngx_int_t
ngx_hyperdrive_shm_order_next(ngx_hyperdrive_shm_limit_t *limit, ngx_uint_t *i,
    ngx_hyperdrive_shm_order_state_t *state)
{
    ngx_uint_t                   n;
    ngx_hyperdrive_shm_order_t  *order;

    do {
        if (*i == NGX_HYPERDRIVE_SHM_ORDERS) {
            return NGX_DECLINED;
        }

        order = &ngx_hyperdrive_shm->order[(*i)++];

    } while (order->changed == 0 || order->limit != limit->index);

    state->database.data = order->database;
    state->database.len = order->len;
    state->paused = ngx_hyperdrive_shm_order_holds(order);
    state->reconnect = order->reconnect;
    state->seen = 1;
    state->open = 0;
    state->old = 0;

    for (n = 0; n < NGX_HYPERDRIVE_SLOTS; n++) {

        if (!limit->slots[n].u.attached) {
            continue;
        }

        if (order->seen[n] < order->changed) {
            state->seen = 0;
        }

        state->open += order->open[n];
        state->old += order->old[n];
    }

    return NGX_OK;
}


void
ngx_hyperdrive_shm_order_report(ngx_uint_t i, uint64_t seen, ngx_uint_t open,
    ngx_uint_t old)
{
    ngx_hyperdrive_shm_order_t  *order;

    if (ngx_hyperdrive_shm_slot == NGX_HYPERDRIVE_SLOTS) {
        return;
    }

    order = &ngx_hyperdrive_shm->order[i - 1];

    order->open[ngx_hyperdrive_shm_slot] = open;
    order->old[ngx_hyperdrive_shm_slot] = old;

    ngx_memory_barrier();

    order->seen[ngx_hyperdrive_shm_slot] = seen;
}


ngx_int_t
ngx_hyperdrive_shm_kill(ngx_str_t *upstream, ngx_str_t *database,
    ngx_str_t *user, ngx_str_t *table)
{
    uint64_t                     now, n;
    ngx_int_t                    rc;
    ngx_hyperdrive_shm_kills_t  *kills;

    if (upstream->len > NGX_HYPERDRIVE_SHM_NAME
        || database->len > NGX_HYPERDRIVE_SHM_NAME
        || user->len > NGX_HYPERDRIVE_SHM_NAME
        || table->len > NGX_HYPERDRIVE_SHM_TABLE)
    {
        return NGX_DECLINED;
    }

    now = ngx_hyperdrive_shm_now();
    rc = NGX_BUSY;

    ngx_hyperdrive_shm_lock();

    n = ngx_hyperdrive_shm->nkills + 1;
    kills = &ngx_hyperdrive_shm->kills[n % NGX_HYPERDRIVE_SHM_KILLS];

    if (kills->number == 0
        || now - kills->time > NGX_HYPERDRIVE_SHM_ORDER_READ)
    {
        ngx_memzero(&kills->kill, sizeof(ngx_hyperdrive_shm_kill_t));

        ngx_memcpy(kills->kill.upstream, upstream->data, upstream->len);
        ngx_memcpy(kills->kill.database, database->data, database->len);
        ngx_memcpy(kills->kill.user, user->data, user->len);
        ngx_memcpy(kills->kill.table, table->data, table->len);

        kills->time = now;
        kills->number = n;

        ngx_memory_barrier();

        ngx_hyperdrive_shm->nkills = n;

        rc = NGX_OK;
    }

    ngx_hyperdrive_shm_unlock();

    return rc;
}


ngx_int_t
ngx_hyperdrive_shm_kill_next(uint64_t *seen, ngx_hyperdrive_shm_kill_t *kill)
{
    uint64_t                     n;
    ngx_int_t                    rc;
    ngx_hyperdrive_shm_kills_t  *kills;

    if (*seen == ngx_hyperdrive_shm->nkills) {
        return NGX_DECLINED;
    }

    rc = NGX_DECLINED;

    ngx_hyperdrive_shm_lock();

    n = ngx_hyperdrive_shm->nkills;

    if (n - *seen > NGX_HYPERDRIVE_SHM_KILLS) {
        *seen = n - NGX_HYPERDRIVE_SHM_KILLS;
    }

    if (*seen < n) {
        kills = &ngx_hyperdrive_shm->kills[++*seen % NGX_HYPERDRIVE_SHM_KILLS];

        *kill = kills->kill;
        rc = NGX_OK;
    }

    ngx_hyperdrive_shm_unlock();

    return rc;
}


uint64_t
ngx_hyperdrive_shm_kill_count(void)
{
    return ngx_hyperdrive_shm->nkills;
}
