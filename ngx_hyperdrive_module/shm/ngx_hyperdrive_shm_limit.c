
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "shm/ngx_hyperdrive_shm_layout.h"


/* a lock-free reader that was disturbed so often takes the lock */
#define NGX_HYPERDRIVE_SHM_LIMIT_TRIES   100

#define NGX_HYPERDRIVE_SHM_LIMIT_DEAD    32

#define ngx_hyperdrive_shm_limit_live(share)                                  \
    ((uint32_t) (share)->u.places)

#define ngx_hyperdrive_shm_limit_dead(share)                                  \
    ((uint32_t) ((share)->u.places >> NGX_HYPERDRIVE_SHM_LIMIT_DEAD))


static ngx_hyperdrive_shm_limit_t *ngx_hyperdrive_shm_limit_find_locked(
    ngx_str_t *name);
static ngx_hyperdrive_shm_limit_t *ngx_hyperdrive_shm_limit_again_locked(void);
static void ngx_hyperdrive_shm_limit_lock(ngx_hyperdrive_shm_limit_t *limit);
static void ngx_hyperdrive_shm_limit_unlock(ngx_hyperdrive_shm_limit_t *limit);
static void ngx_hyperdrive_shm_limit_repair_locked(
    ngx_hyperdrive_shm_limit_t *limit);
static ngx_uint_t ngx_hyperdrive_shm_limit_grant_locked(
    ngx_hyperdrive_shm_limit_t *limit);
static void ngx_hyperdrive_shm_limit_unused_places_locked(
    ngx_hyperdrive_shm_limit_t *limit, ngx_uint_t slot, uint64_t now,
    ngx_msec_t delay);


ngx_hyperdrive_shm_limit_t *
ngx_hyperdrive_shm_limit(ngx_str_t *name, ngx_uint_t max, ngx_uint_t queue,
    ngx_log_t *log)
{
    ngx_hyperdrive_shm_limit_t  *limit;
    ngx_hyperdrive_shm_share_t  *share;

    if (name->len == 0 || name->len > NGX_HYPERDRIVE_SHM_NAME) {
        ngx_log_error(NGX_LOG_EMERG, log, 0,
                      "hyperdrive: the name of upstream \"%V\" is not of 1 "
                      "to %d bytes", name, NGX_HYPERDRIVE_SHM_NAME);
        return NULL;
    }

    ngx_hyperdrive_shm_lock();

    limit = ngx_hyperdrive_shm_limit_find_locked(name);

    if (limit && ngx_hyperdrive_shm_slot < NGX_HYPERDRIVE_SLOTS) {
        share = &limit->slots[ngx_hyperdrive_shm_slot];

        if (!share->u.attached) {

            /* what the last process counted while it was leaving */

            ngx_hyperdrive_shm_counters_fold_locked(limit->index,
                                                    ngx_hyperdrive_shm_slot);
        }

        ngx_hyperdrive_shm_limit_lock(limit);

        limit->max = max;
        limit->queue = queue;
        share->u.attached = 1;

        ngx_hyperdrive_shm_limit_unlock(limit);
    }

    ngx_hyperdrive_shm_unlock();

    if (limit == NULL) {
        ngx_log_error(NGX_LOG_EMERG, log, 0,
                      "hyperdrive: upstream \"%V\" is one too many, at most "
                      "%d can be used", name, NGX_HYPERDRIVE_SHM_LIMITS);
    }

    return limit;
}


static ngx_hyperdrive_shm_limit_t *
ngx_hyperdrive_shm_limit_find_locked(ngx_str_t *name)
{
    ngx_uint_t                   i, n;
    ngx_hyperdrive_shm_t        *sh;
    ngx_hyperdrive_shm_limit_t  *limit;

    sh = ngx_hyperdrive_shm;
    n = sh->nlimits;

    for (i = 0; i < n; i++) {
        limit = &sh->limits[i];

        if (limit->len == name->len
            && ngx_memcmp(limit->name, name->data, name->len) == 0)
        {
            return limit;
        }
    }

    if (n < NGX_HYPERDRIVE_SHM_LIMITS) {
        limit = &sh->limits[n];

        if (ngx_hyperdrive_shm_mutex_init(&limit->mutex) != NGX_OK) {
            return NULL;
        }

        limit->index = n;

    } else {
        limit = ngx_hyperdrive_shm_limit_again_locked();

        if (limit == NULL) {
            return NULL;
        }

        limit->len = 0;
        limit->recalls = 0;
        limit->unasked = 0;

        ngx_hyperdrive_shm_counters_clear_locked(limit->index);
        ngx_hyperdrive_shm_order_clear_locked(limit->index);
    }

    for (i = 0; i < NGX_HYPERDRIVE_SLOTS; i++) {
        limit->slots[i].u.head = NGX_HYPERDRIVE_SHM_NONE;
        limit->slots[i].u.tail = NGX_HYPERDRIVE_SHM_NONE;
    }

    limit->head = NGX_HYPERDRIVE_SHM_NONE;
    limit->tail = NGX_HYPERDRIVE_SHM_NONE;

    ngx_memcpy(limit->name, name->data, name->len);

    ngx_memory_barrier();

    limit->len = name->len;

    ngx_memory_barrier();

    if (limit->index == n) {
        sh->nlimits = n + 1;
    }

    return limit;
}


static ngx_hyperdrive_shm_limit_t *
ngx_hyperdrive_shm_limit_again_locked(void)
{
    ngx_uint_t                   n;
    ngx_hyperdrive_shm_limit_t  *limit;

    for (n = 0; n < NGX_HYPERDRIVE_SHM_LIMITS; n++) {
        limit = &ngx_hyperdrive_shm->limits[n];

        if (ngx_hyperdrive_shm_limit_unused_locked(limit)) {
            return limit;
        }
    }

    return NULL;
}


/* of an upstream that was taken from the configuration, and has drained */

ngx_uint_t
ngx_hyperdrive_shm_limit_unused_locked(ngx_hyperdrive_shm_limit_t *limit)
{
    ngx_uint_t  i;

    if (limit->used || limit->waiting) {
        return 0;
    }

    for (i = 0; i < NGX_HYPERDRIVE_SLOTS; i++) {

        if (limit->slots[i].u.attached) {
            return 0;
        }
    }

    return 1;
}


static void
ngx_hyperdrive_shm_limit_lock(ngx_hyperdrive_shm_limit_t *limit)
{
    ngx_int_t  rc;

    rc = ngx_hyperdrive_shm_mutex_lock(&limit->mutex);

    /* odd: being changed; it is odd already if the last holder died */

    limit->sequence = (limit->sequence + 1) | 1;

    ngx_memory_barrier();

    if (rc == NGX_DECLINED) {
        ngx_hyperdrive_shm_limit_repair_locked(limit);
        ngx_hyperdrive_shm_mutex_consistent(&limit->mutex);
    }
}


static void
ngx_hyperdrive_shm_limit_unlock(ngx_hyperdrive_shm_limit_t *limit)
{
    ngx_memory_barrier();

    limit->sequence++;

    ngx_hyperdrive_shm_mutex_unlock(&limit->mutex);
}


/*
 * The holder of the lock died.  The tickets tell who waits and who was
 * granted a place; lists, sums and order follow from them.
 */

static void
ngx_hyperdrive_shm_limit_repair_locked(ngx_hyperdrive_shm_limit_t *limit)
{
    uint32_t                      n, next;
    ngx_uint_t                    i;
    ngx_hyperdrive_shm_share_t   *share;
    ngx_hyperdrive_shm_ticket_t  *ticket;

    limit->head = NGX_HYPERDRIVE_SHM_NONE;
    limit->tail = NGX_HYPERDRIVE_SHM_NONE;
    limit->waiting = 0;
    limit->used = 0;
    limit->dead = 0;

    for (i = 0; i < NGX_HYPERDRIVE_SLOTS; i++) {
        share = &limit->slots[i];

        share->u.head = NGX_HYPERDRIVE_SHM_NONE;
        share->u.tail = NGX_HYPERDRIVE_SHM_NONE;
        share->u.granted = 0;

        limit->used += ngx_hyperdrive_shm_limit_live(share)
                       + ngx_hyperdrive_shm_limit_dead(share);

        limit->dead += ngx_hyperdrive_shm_limit_dead(share);
    }

    n = ngx_hyperdrive_shm_ticket_list(limit);

    for ( /* void */ ; n != NGX_HYPERDRIVE_SHM_NONE; n = next) {
        ticket = &ngx_hyperdrive_shm->tickets[n];
        next = ticket->next;

        if (ticket->arrival >= limit->arrivals) {
            limit->arrivals = ticket->arrival + 1;
        }

        if (ticket->state == NGX_HYPERDRIVE_SHM_TICKET_WAITING) {
            ngx_hyperdrive_shm_ticket_enqueue(&limit->head, &limit->tail, n);
            limit->waiting++;
            continue;
        }

        share = &limit->slots[ticket->slot];

        ngx_hyperdrive_shm_ticket_enqueue(&share->u.head, &share->u.tail, n);
        share->u.granted++;
        limit->used++;
    }
}


ngx_uint_t
ngx_hyperdrive_shm_limit_waiting(ngx_hyperdrive_shm_limit_t *limit)
{
    return limit->waiting;
}


ngx_int_t
ngx_hyperdrive_shm_limit_take(ngx_hyperdrive_shm_limit_t *limit)
{
    ngx_int_t                    rc;
    ngx_hyperdrive_shm_share_t  *share;

    /*
     * A glance without the lock.  If it is too late to be true, the caller
     * goes on to wait, where a free place is granted at once.
     */

    if (limit->waiting
        || limit->used >= limit->max
        || ngx_hyperdrive_shm_slot == NGX_HYPERDRIVE_SLOTS)
    {
        return NGX_DECLINED;
    }

    rc = NGX_DECLINED;
    share = &limit->slots[ngx_hyperdrive_shm_slot];

    ngx_hyperdrive_shm_limit_lock(limit);

    if (limit->waiting == 0 && limit->used < limit->max) {
        limit->used++;
        share->u.places++;

        rc = NGX_OK;
    }

    ngx_hyperdrive_shm_limit_unlock(limit);

    return rc;
}


ngx_int_t
ngx_hyperdrive_shm_limit_wait(ngx_hyperdrive_shm_limit_t *limit, uint64_t id,
    ngx_int_t priority, uint32_t *handle)
{
    uint32_t                      n;
    ngx_int_t                     rc;
    ngx_uint_t                    granted;
    ngx_hyperdrive_shm_ticket_t  *ticket;

    if (ngx_hyperdrive_shm_slot == NGX_HYPERDRIVE_SLOTS) {
        return NGX_BUSY;
    }

    rc = NGX_BUSY;

    ngx_hyperdrive_shm_limit_lock(limit);

    granted = (limit->waiting == 0 && limit->used < limit->max);

    if (!granted && limit->waiting >= limit->queue) {
        goto done;
    }

    n = ngx_hyperdrive_shm_ticket_alloc(limit);

    if (n == NGX_HYPERDRIVE_SHM_NONE) {
        goto done;
    }

    ticket = &ngx_hyperdrive_shm->tickets[n];

    ticket->id = id;
    ticket->arrival = limit->arrivals++
                      + (NGX_HYPERDRIVE_SHM_PRIORITY - priority)
                        * NGX_HYPERDRIVE_SHM_PRIORITY_STEP;

    ngx_memory_barrier();

    ticket->state = NGX_HYPERDRIVE_SHM_TICKET_WAITING;

    ngx_hyperdrive_shm_ticket_insert(&limit->head, &limit->tail, n);
    limit->waiting++;

    *handle = ticket->handle;

    if (granted) {
        (void) ngx_hyperdrive_shm_limit_grant_locked(limit);
    }

    rc = NGX_OK;

done:

    ngx_hyperdrive_shm_limit_unlock(limit);

    return rc;
}


/* returns the slot that has to be woken */

static ngx_uint_t
ngx_hyperdrive_shm_limit_grant_locked(ngx_hyperdrive_shm_limit_t *limit)
{
    uint32_t                      n;
    ngx_hyperdrive_shm_share_t   *share;
    ngx_hyperdrive_shm_ticket_t  *ticket;

    n = limit->head;
    ticket = &ngx_hyperdrive_shm->tickets[n];
    share = &limit->slots[ticket->slot];

    /* this store is the grant, the rest could be told from it */

    ticket->state = NGX_HYPERDRIVE_SHM_TICKET_GRANTED;

    ngx_memory_barrier();

    limit->used++;

    ngx_hyperdrive_shm_ticket_dequeue(&limit->head, &limit->tail, n);
    limit->waiting--;

    ngx_hyperdrive_shm_ticket_enqueue(&share->u.head, &share->u.tail, n);
    share->u.granted++;

    return ticket->slot;
}


ngx_int_t
ngx_hyperdrive_shm_limit_leave(ngx_hyperdrive_shm_limit_t *limit,
    uint32_t handle)
{
    uint32_t                      n;
    ngx_int_t                     rc;
    ngx_hyperdrive_shm_share_t   *share;
    ngx_hyperdrive_shm_ticket_t  *ticket;

    rc = NGX_DECLINED;

    ngx_hyperdrive_shm_limit_lock(limit);

    ticket = ngx_hyperdrive_shm_ticket_own(limit, handle);

    if (ticket) {
        n = handle & NGX_HYPERDRIVE_SHM_TICKET_NUMBER;

        if (ticket->state == NGX_HYPERDRIVE_SHM_TICKET_WAITING) {
            ngx_hyperdrive_shm_ticket_dequeue(&limit->head, &limit->tail, n);
            limit->waiting--;

            rc = NGX_OK;

        } else {
            share = &limit->slots[ticket->slot];

            /* rather held twice for a moment than lost: we may die here */

            share->u.places++;

            ngx_memory_barrier();

            ngx_hyperdrive_shm_ticket_dequeue(&share->u.head, &share->u.tail,
                                              n);
            share->u.granted--;

            rc = NGX_DONE;
        }

        ngx_hyperdrive_shm_ticket_free(n);
    }

    ngx_hyperdrive_shm_limit_unlock(limit);

    return rc;
}


ngx_int_t
ngx_hyperdrive_shm_limit_give(ngx_hyperdrive_shm_limit_t *limit,
    ngx_uint_t *slot)
{
    ngx_int_t                    rc;
    ngx_hyperdrive_shm_share_t  *share;

    if (ngx_hyperdrive_shm_slot == NGX_HYPERDRIVE_SLOTS) {
        return NGX_DECLINED;
    }

    rc = NGX_DECLINED;
    share = &limit->slots[ngx_hyperdrive_shm_slot];

    ngx_hyperdrive_shm_limit_lock(limit);

    if (ngx_hyperdrive_shm_limit_live(share)) {

        share->u.places--;
        limit->used--;

        if (limit->waiting && limit->used < limit->max) {
            *slot = ngx_hyperdrive_shm_limit_grant_locked(limit);
            rc = NGX_OK;
        }
    }

    ngx_hyperdrive_shm_limit_unlock(limit);

    return rc;
}


ngx_int_t
ngx_hyperdrive_shm_limit_head(ngx_hyperdrive_shm_limit_t *limit,
    ngx_uint_t *slot, uint64_t *id)
{
    ngx_int_t                     rc;
    ngx_hyperdrive_shm_ticket_t  *ticket;

    if (limit->waiting == 0) {
        return NGX_DECLINED;
    }

    rc = NGX_DECLINED;

    ngx_hyperdrive_shm_limit_lock(limit);

    if (limit->head != NGX_HYPERDRIVE_SHM_NONE) {
        ticket = &ngx_hyperdrive_shm->tickets[limit->head];

        *slot = ticket->slot;
        *id = ticket->id;

        rc = NGX_OK;
    }

    ngx_hyperdrive_shm_limit_unlock(limit);

    return rc;
}


ngx_int_t
ngx_hyperdrive_shm_limit_serve(ngx_hyperdrive_shm_limit_t *limit,
    uint32_t handle)
{
    uint32_t                      n;
    ngx_int_t                     rc;
    ngx_hyperdrive_shm_ticket_t  *ticket;

    rc = NGX_DECLINED;
    n = handle & NGX_HYPERDRIVE_SHM_TICKET_NUMBER;

    ngx_hyperdrive_shm_limit_lock(limit);

    ticket = ngx_hyperdrive_shm_ticket_own(limit, handle);

    if (ticket && limit->head == n) {
        ngx_hyperdrive_shm_ticket_dequeue(&limit->head, &limit->tail, n);
        limit->waiting--;

        ngx_hyperdrive_shm_ticket_free(n);

        rc = NGX_OK;
    }

    ngx_hyperdrive_shm_limit_unlock(limit);

    return rc;
}


ngx_int_t
ngx_hyperdrive_shm_limit_granted(ngx_hyperdrive_shm_limit_t *limit,
    uint64_t *id)
{
    uint32_t                     n;
    ngx_int_t                    rc;
    ngx_hyperdrive_shm_share_t  *share;

    if (ngx_hyperdrive_shm_slot == NGX_HYPERDRIVE_SLOTS) {
        return NGX_DECLINED;
    }

    share = &limit->slots[ngx_hyperdrive_shm_slot];

    if (share->u.granted == 0) {
        return NGX_DECLINED;
    }

    rc = NGX_DECLINED;

    ngx_hyperdrive_shm_limit_lock(limit);

    n = share->u.head;

    if (n != NGX_HYPERDRIVE_SHM_NONE) {
        *id = ngx_hyperdrive_shm->tickets[n].id;

        /* as in _leave() */

        share->u.places++;

        ngx_memory_barrier();

        ngx_hyperdrive_shm_ticket_dequeue(&share->u.head, &share->u.tail, n);
        share->u.granted--;

        ngx_hyperdrive_shm_ticket_free(n);

        rc = NGX_OK;
    }

    ngx_hyperdrive_shm_limit_unlock(limit);

    return rc;
}


ngx_int_t
ngx_hyperdrive_shm_limit_pass(ngx_hyperdrive_shm_limit_t *limit,
    ngx_uint_t from, ngx_uint_t to)
{
    ngx_int_t  rc;

    rc = NGX_DECLINED;

    ngx_hyperdrive_shm_limit_lock(limit);

    if (ngx_hyperdrive_shm_limit_live(&limit->slots[from])
        && limit->slots[to].u.attached == 1)
    {
        /*
         * Whoever dies between the two takes the connection along, so that
         * the place is free.
         */

        limit->slots[from].u.places--;

        ngx_memory_barrier();

        limit->slots[to].u.places++;

        rc = NGX_OK;
    }

    ngx_hyperdrive_shm_limit_unlock(limit);

    return rc;
}


ngx_uint_t
ngx_hyperdrive_shm_limit_over(ngx_hyperdrive_shm_limit_t *limit)
{
    ngx_uint_t  n;

    if (limit->used <= limit->max) {
        return 0;
    }

    n = ngx_hyperdrive_shm_counters_sum(limit,
                    offsetof(ngx_hyperdrive_shm_counters_t, origins_closing));
    n += limit->max + limit->dead;

    return (limit->used > n) ? limit->used - n : 0;
}


ngx_uint_t
ngx_hyperdrive_shm_limit_adopt(ngx_hyperdrive_shm_limit_t *limit,
    ngx_uint_t slot, ngx_atomic_t *entry, ngx_atomic_uint_t at,
    ngx_atomic_uint_t to)
{
    ngx_uint_t                   done;
    ngx_hyperdrive_shm_share_t  *from, *own;

    done = 0;

    from = &limit->slots[slot];
    own = &limit->slots[ngx_hyperdrive_shm_slot];

    ngx_hyperdrive_shm_limit_lock(limit);

    if (ngx_hyperdrive_shm_limit_dead(from) && own->u.attached
        && ngx_atomic_cmp_set(entry, at, to))
    {
        from->u.places -= (uint64_t) 1 << NGX_HYPERDRIVE_SHM_LIMIT_DEAD;
        limit->dead--;

        ngx_memory_barrier();

        own->u.places++;

        done = 1;
    }

    ngx_hyperdrive_shm_limit_unlock(limit);

    return done;
}


void
ngx_hyperdrive_shm_limit_idle(ngx_hyperdrive_shm_limit_t *limit,
    ngx_int_t delta)
{
    if (ngx_hyperdrive_shm_slot == NGX_HYPERDRIVE_SLOTS) {
        return;
    }

    (void) ngx_atomic_fetch_add(&limit->slots[ngx_hyperdrive_shm_slot].u.idle,
                                delta);
}


ngx_int_t
ngx_hyperdrive_shm_limit_find_idle(ngx_hyperdrive_shm_limit_t *limit,
    ngx_uint_t *slot)
{
    ngx_uint_t         i, n;
    static ngx_uint_t  last;

    /* not always the same one: its connections may just be in use again */

    for (i = 1; i <= NGX_HYPERDRIVE_SLOTS; i++) {
        n = (last + i) % NGX_HYPERDRIVE_SLOTS;

        if (n != ngx_hyperdrive_shm_slot && limit->slots[n].u.idle) {
            last = n;
            *slot = n;
            return NGX_OK;
        }
    }

    n = ngx_hyperdrive_shm_slot;

    if (n < NGX_HYPERDRIVE_SLOTS && limit->slots[n].u.idle) {
        *slot = n;
        return NGX_OK;
    }

    return NGX_DECLINED;
}


void
ngx_hyperdrive_shm_limit_stats(ngx_hyperdrive_shm_limit_t *limit,
    ngx_hyperdrive_shm_limit_stats_t *stats)
{
    ngx_uint_t                   i, n;
    ngx_atomic_uint_t            sequence;
    ngx_hyperdrive_shm_share_t  *share;

    for (n = 0; /* void */ ; n++) {

        if (n < NGX_HYPERDRIVE_SHM_LIMIT_TRIES) {
            sequence = limit->sequence;

            if (sequence & 1) {
                ngx_cpu_pause();
                continue;
            }

        } else {
            ngx_hyperdrive_shm_limit_lock(limit);
            sequence = limit->sequence;
        }

        ngx_memory_barrier();

        stats->name.data = limit->name;
        stats->name.len = limit->len;
        stats->max = limit->max;
        stats->used = limit->used;
        stats->waiting = limit->waiting;
        stats->dead = limit->dead;
        stats->idle = 0;

        for (i = 0; i < NGX_HYPERDRIVE_SLOTS; i++) {
            share = &limit->slots[i];

            stats->slots[i] = ngx_hyperdrive_shm_limit_live(share)
                              + share->u.granted;
            stats->idle += share->u.idle;
        }

        ngx_memory_barrier();

        if (n >= NGX_HYPERDRIVE_SHM_LIMIT_TRIES) {
            ngx_hyperdrive_shm_limit_unlock(limit);
            return;
        }

        if (sequence == limit->sequence) {
            return;
        }
    }
}


/* may be done twice, from whatever step on */

void
ngx_hyperdrive_shm_limit_reclaim_locked(ngx_uint_t slot)
{
    uint32_t                      n, next;
    uint64_t                      places;
    ngx_uint_t                    i, nlimits;
    ngx_hyperdrive_shm_limit_t   *limit;
    ngx_hyperdrive_shm_share_t   *share;
    ngx_hyperdrive_shm_ticket_t  *tickets;

    tickets = ngx_hyperdrive_shm->tickets;
    nlimits = ngx_hyperdrive_shm->nlimits;

    for (i = 0; i < nlimits; i++) {

        limit = &ngx_hyperdrive_shm->limits[i];
        share = &limit->slots[slot];

        if (!share->u.attached) {
            continue;
        }

        ngx_hyperdrive_shm_limit_lock(limit);

        for (n = limit->head; n != NGX_HYPERDRIVE_SHM_NONE; n = next) {
            next = tickets[n].next;

            if (tickets[n].slot == slot) {
                ngx_hyperdrive_shm_ticket_dequeue(&limit->head, &limit->tail,
                                                  n);
                limit->waiting--;

                ngx_hyperdrive_shm_ticket_free(n);
            }
        }

        /* what was not collected was not used: free at once */

        while (share->u.head != NGX_HYPERDRIVE_SHM_NONE) {
            n = share->u.head;

            ngx_hyperdrive_shm_ticket_dequeue(&share->u.head, &share->u.tail,
                                              n);
            share->u.granted--;
            limit->used--;

            ngx_hyperdrive_shm_ticket_free(n);
        }

        places = ngx_hyperdrive_shm_limit_live(share);

        if (places) {
            share->u.died = ngx_hyperdrive_shm_now();

            ngx_memory_barrier();

            /* one store: from the living to the dead */

            share->u.places = share->u.places - places
                              + (places << NGX_HYPERDRIVE_SHM_LIMIT_DEAD);

            limit->dead += places;
        }

        share->u.idle = 0;

        /* nor is it given a place from here on */

        share->u.attached = 2;

        ngx_hyperdrive_shm_limit_unlock(limit);

        ngx_hyperdrive_shm_counters_fold_locked(i, slot);

        ngx_memory_barrier();

        share->u.attached = 0;
    }
}


ngx_uint_t
ngx_hyperdrive_shm_limit_forget(ngx_hyperdrive_shm_limit_t *limit,
    ngx_uint_t slot, ngx_atomic_t *entry, ngx_atomic_uint_t at,
    ngx_atomic_uint_t to)
{
    ngx_uint_t                   done;
    ngx_hyperdrive_shm_share_t  *share;

    share = &limit->slots[slot];

    ngx_hyperdrive_shm_limit_lock(limit);

    done = ngx_atomic_cmp_set(entry, at, to);

    if (done && ngx_hyperdrive_shm_limit_dead(share)) {
        share->u.places -= (uint64_t) 1 << NGX_HYPERDRIVE_SHM_LIMIT_DEAD;

        limit->dead--;
        limit->used--;
    }

    ngx_hyperdrive_shm_limit_unlock(limit);

    return done;
}


ngx_uint_t
ngx_hyperdrive_shm_reclaim_places(ngx_msec_t delay,
    ngx_hyperdrive_shm_wake_pt wake)
{
    u_char                       woken[NGX_HYPERDRIVE_SLOTS];
    uint64_t                     now, dead;
    ngx_uint_t                   i, n, freed, nlimits;
    ngx_hyperdrive_shm_limit_t  *limit;

    ngx_memzero(woken, NGX_HYPERDRIVE_SLOTS);

    freed = 0;
    now = ngx_hyperdrive_shm_now();
    nlimits = ngx_hyperdrive_shm->nlimits;

    for (n = 0; n < nlimits; n++) {
        freed += ngx_hyperdrive_shm->limits[n].dead;
    }

    ngx_hyperdrive_shm_backend_expire();

    for (n = 0; n < nlimits; n++) {

        limit = &ngx_hyperdrive_shm->limits[n];

        freed -= ngx_min(freed, limit->dead);

        if (limit->dead == 0
            && (limit->waiting == 0 || limit->used >= limit->max))
        {
            continue;
        }

        dead = limit->dead;

        ngx_hyperdrive_shm_limit_lock(limit);

        for (i = 0; limit->dead && i < NGX_HYPERDRIVE_SLOTS; i++) {
            ngx_hyperdrive_shm_limit_unused_places_locked(limit, i, now, delay);
        }

        freed += dead - ngx_min(dead, limit->dead);

        while (limit->waiting && limit->used < limit->max) {
            i = ngx_hyperdrive_shm_limit_grant_locked(limit);
            woken[i] = 1;
        }

        ngx_hyperdrive_shm_limit_unlock(limit);
    }

    ngx_hyperdrive_shm_quota_reclaim_places(delay, woken);

    for (i = 0; i < NGX_HYPERDRIVE_SLOTS; i++) {
        if (woken[i]) {
            wake(i);
        }
    }

    return freed;
}


/* places of the dead that no connection was opened for */

static void
ngx_hyperdrive_shm_limit_unused_places_locked(
    ngx_hyperdrive_shm_limit_t *limit, ngx_uint_t slot, uint64_t now,
    ngx_msec_t delay)
{
    uint64_t                     places;
    ngx_hyperdrive_shm_share_t  *share;

    share = &limit->slots[slot];
    places = ngx_hyperdrive_shm_limit_dead(share);

    if (places == 0 || now - share->u.died < delay) {
        return;
    }

    places -= ngx_min(places, ngx_hyperdrive_shm_backend_left(limit, slot));

    share->u.places -= places << NGX_HYPERDRIVE_SHM_LIMIT_DEAD;

    limit->dead -= places;
    limit->used -= places;
}
