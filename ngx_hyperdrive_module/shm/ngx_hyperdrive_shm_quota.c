
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "shm/ngx_hyperdrive_shm_layout.h"


/*
 * Quotas: how many connections one user, or one database, of an upstream has
 * over all processes.  Taken when a connection is about to be opened or
 * waited for, given back with its end: one lock for all.  What counts are the
 * numbers of each slot; the lists are built anew if their lock's holder died.
 */


static void ngx_hyperdrive_shm_quota_link(ngx_hyperdrive_shm_t *sh);
static ngx_hyperdrive_shm_quota_t *ngx_hyperdrive_shm_quota_find_locked(
    u_char *id);
static ngx_hyperdrive_shm_quota_t *ngx_hyperdrive_shm_quota_get_locked(
    u_char *id);
static void ngx_hyperdrive_shm_quota_put_locked(
    ngx_hyperdrive_shm_quota_t *quota);
static ngx_uint_t ngx_hyperdrive_shm_quota_used(
    ngx_hyperdrive_shm_quota_t *quota);
static uint64_t ngx_hyperdrive_shm_quota_oldest(
    ngx_hyperdrive_shm_quota_t *quota, ngx_uint_t *slot);


ngx_int_t
ngx_hyperdrive_shm_quota_init(ngx_hyperdrive_shm_t *sh)
{
    sh->nquotas = 0;

    ngx_hyperdrive_shm_quota_link(sh);

    return ngx_hyperdrive_shm_mutex_init(&sh->quotas_mutex);
}


uint64_t
ngx_hyperdrive_shm_quota_arrival(void)
{
    return ngx_atomic_fetch_add(&ngx_hyperdrive_shm->arrivals, 1) + 1;
}


u_char *
ngx_hyperdrive_shm_quota_take(u_char *one, ngx_uint_t max_one, u_char *two,
    ngx_uint_t max_two, uint64_t arrival)
{
    u_char                      *full;
    ngx_uint_t                   slot;
    ngx_hyperdrive_shm_quota_t  *first, *second;

    if (ngx_hyperdrive_shm_slot == NGX_HYPERDRIVE_SLOTS) {
        return max_one ? one : two;
    }

    full = NULL;
    first = NULL;
    second = NULL;

    ngx_hyperdrive_shm_quota_lock();

    if (max_one) {
        first = ngx_hyperdrive_shm_quota_get_locked(one);

        if (first == NULL
            || ngx_hyperdrive_shm_quota_used(first) >= max_one
            || ngx_hyperdrive_shm_quota_oldest(first, &slot) < arrival)
        {
            full = one;
            goto done;
        }
    }

    if (max_two) {
        second = ngx_hyperdrive_shm_quota_get_locked(two);

        if (second == NULL
            || ngx_hyperdrive_shm_quota_used(second) >= max_two
            || ngx_hyperdrive_shm_quota_oldest(second, &slot) < arrival)
        {
            full = two;
            goto done;
        }
    }

    if (first) {
        first->places[ngx_hyperdrive_shm_slot]++;
    }

    if (second) {
        second->places[ngx_hyperdrive_shm_slot]++;
    }

done:

    if (full && first) {
        /* it may be new, and of no use */
        ngx_hyperdrive_shm_quota_put_locked(first);
    }

    ngx_hyperdrive_shm_quota_unlock();

    return full;
}


void
ngx_hyperdrive_shm_quota_give(u_char *id, ngx_hyperdrive_shm_wake_pt wake)
{
    ngx_uint_t                   slot;
    ngx_hyperdrive_shm_quota_t  *quota;

    if (ngx_hyperdrive_shm_slot == NGX_HYPERDRIVE_SLOTS) {
        return;
    }

    slot = NGX_HYPERDRIVE_SLOTS;

    ngx_hyperdrive_shm_quota_lock();

    quota = ngx_hyperdrive_shm_quota_find_locked(id);

    if (quota && quota->places[ngx_hyperdrive_shm_slot]) {

        quota->places[ngx_hyperdrive_shm_slot]--;

        (void) ngx_hyperdrive_shm_quota_oldest(quota, &slot);

        ngx_hyperdrive_shm_quota_put_locked(quota);
    }

    ngx_hyperdrive_shm_quota_unlock();

    if (slot < NGX_HYPERDRIVE_SLOTS) {
        wake(slot);
    }
}


void
ngx_hyperdrive_shm_quota_pass(u_char *id, ngx_uint_t from, ngx_uint_t to)
{
    ngx_hyperdrive_shm_quota_t  *quota;

    ngx_hyperdrive_shm_quota_lock();

    quota = ngx_hyperdrive_shm_quota_find_locked(id);

    if (quota && quota->places[from]) {
        quota->places[from]--;
        quota->places[to]++;
    }

    ngx_hyperdrive_shm_quota_unlock();
}


void
ngx_hyperdrive_shm_quota_add(u_char *id)
{
    ngx_hyperdrive_shm_quota_t  *quota;

    if (ngx_hyperdrive_shm_slot == NGX_HYPERDRIVE_SLOTS) {
        return;
    }

    ngx_hyperdrive_shm_quota_lock();

    quota = ngx_hyperdrive_shm_quota_get_locked(id);

    if (quota) {
        quota->places[ngx_hyperdrive_shm_slot]++;
    }

    ngx_hyperdrive_shm_quota_unlock();
}


ngx_uint_t
ngx_hyperdrive_shm_quota_count(u_char *id)
{
    ngx_uint_t                   used;
    ngx_hyperdrive_shm_quota_t  *quota;

    ngx_hyperdrive_shm_quota_lock();

    quota = ngx_hyperdrive_shm_quota_find_locked(id);
    used = quota ? ngx_hyperdrive_shm_quota_used(quota) : 0;

    ngx_hyperdrive_shm_quota_unlock();

    return used;
}


void
ngx_hyperdrive_shm_quota_line(u_char *id, uint64_t arrival)
{
    ngx_hyperdrive_shm_quota_t  *quota;

    if (ngx_hyperdrive_shm_slot == NGX_HYPERDRIVE_SLOTS) {
        return;
    }

    ngx_hyperdrive_shm_quota_lock();

    quota = arrival ? ngx_hyperdrive_shm_quota_get_locked(id)
                    : ngx_hyperdrive_shm_quota_find_locked(id);

    if (quota) {
        quota->line[ngx_hyperdrive_shm_slot] = arrival;
        ngx_hyperdrive_shm_quota_put_locked(quota);
    }

    ngx_hyperdrive_shm_quota_unlock();
}


ngx_int_t
ngx_hyperdrive_shm_quota_next(u_char *id, ngx_uint_t *slot, uint64_t *arrival)
{
    ngx_hyperdrive_shm_quota_t  *quota;

    *slot = NGX_HYPERDRIVE_SLOTS;

    ngx_hyperdrive_shm_quota_lock();

    quota = ngx_hyperdrive_shm_quota_find_locked(id);

    if (quota) {
        *arrival = ngx_hyperdrive_shm_quota_oldest(quota, slot);
    }

    ngx_hyperdrive_shm_quota_unlock();

    return (*slot < NGX_HYPERDRIVE_SLOTS) ? NGX_OK : NGX_DECLINED;
}


void
ngx_hyperdrive_shm_quota_holders(u_char *id, u_char *slots)
{
    ngx_uint_t                   i;
    ngx_hyperdrive_shm_quota_t  *quota;

    ngx_memzero(slots, NGX_HYPERDRIVE_SLOTS);

    ngx_hyperdrive_shm_quota_lock();

    quota = ngx_hyperdrive_shm_quota_find_locked(id);

    for (i = 0; quota && i < NGX_HYPERDRIVE_SLOTS; i++) {
        slots[i] = (quota->places[i] != 0);
    }

    ngx_hyperdrive_shm_quota_unlock();
}


/* a process has ended: its connections may run on for a while */

void
ngx_hyperdrive_shm_quota_reclaim(ngx_uint_t slot)
{
    uint32_t                     n;
    ngx_hyperdrive_shm_quota_t  *quota;

    ngx_hyperdrive_shm_quota_lock();

    for (n = 0; n < ngx_hyperdrive_shm->nquotas; n++) {

        quota = &ngx_hyperdrive_shm->quotas[n];

        if (!quota->live) {
            continue;
        }

        if (quota->line[slot]) {

            /* somebody else's turn may have come */

            quota->line[slot] = 0;
            quota->freed = 1;
        }

        if (quota->places[slot]) {

            /* rather held twice for a moment than lost: we may die here */

            quota->died = ngx_hyperdrive_shm_now();
            quota->dead += quota->places[slot];

            ngx_memory_barrier();

            quota->places[slot] = 0;
        }

        ngx_hyperdrive_shm_quota_put_locked(quota);
    }

    ngx_hyperdrive_shm_quota_unlock();
}


void
ngx_hyperdrive_shm_quota_forget_locked(u_char *id)
{
    ngx_hyperdrive_shm_quota_t  *quota;

    quota = ngx_hyperdrive_shm_quota_find_locked(id);

    if (quota && quota->dead) {
        quota->dead--;
        quota->freed = 1;
    }
}


void
ngx_hyperdrive_shm_quota_adopt_locked(u_char *id)
{
    ngx_hyperdrive_shm_quota_t  *quota;

    quota = ngx_hyperdrive_shm_quota_get_locked(id);

    if (quota) {
        quota->dead -= (quota->dead != 0);
        quota->places[ngx_hyperdrive_shm_slot]++;
    }
}


/*
 * Parts that no connection stands for; and one is lent to who waits, as a place
 * is: somebody has to ask what became of those of the dead.
 */

void
ngx_hyperdrive_shm_quota_reclaim_places(ngx_msec_t delay, u_char *woken)
{
    uint32_t                     n;
    uint64_t                     now, age;
    ngx_uint_t                   slot, left, unasked;
    ngx_hyperdrive_shm_quota_t  *quota;

    now = ngx_hyperdrive_shm_now();

    ngx_hyperdrive_shm_quota_lock();

    for (n = 0; n < ngx_hyperdrive_shm->nquotas; n++) {

        quota = &ngx_hyperdrive_shm->quotas[n];

        if (!quota->live || (quota->dead == 0 && !quota->freed)) {
            continue;
        }

        age = now - quota->died;

        if (quota->dead && age >= delay) {

            left = ngx_hyperdrive_shm_backend_counted(quota->id, &unasked);

            if (left >= quota->dead && unasked && age >= NGX_HYPERDRIVE_SHM_LEND
                && now - quota->lent >= NGX_HYPERDRIVE_SHM_LEND_AGAIN
                && ngx_hyperdrive_shm_quota_oldest(quota, &slot)
                   != NGX_HYPERDRIVE_SHM_QUOTA_NEW)
            {
                left = quota->dead - 1;
                quota->lent = now;
            }

            if (left < quota->dead) {
                quota->dead = left;
                quota->freed = 1;
            }
        }

        if (!quota->freed) {
            continue;
        }

        quota->freed = 0;

        if (ngx_hyperdrive_shm_quota_oldest(quota, &slot)
            != NGX_HYPERDRIVE_SHM_QUOTA_NEW)
        {
            woken[slot] = 1;
        }

        ngx_hyperdrive_shm_quota_put_locked(quota);
    }

    ngx_hyperdrive_shm_quota_unlock();
}


void
ngx_hyperdrive_shm_quota_lock(void)
{
    ngx_hyperdrive_shm_t  *sh;

    sh = ngx_hyperdrive_shm;

    if (ngx_hyperdrive_shm_mutex_lock(&sh->quotas_mutex) == NGX_DECLINED) {
        ngx_hyperdrive_shm_quota_link(sh);
        ngx_hyperdrive_shm_mutex_consistent(&sh->quotas_mutex);
    }
}


void
ngx_hyperdrive_shm_quota_unlock(void)
{
    ngx_hyperdrive_shm_mutex_unlock(&ngx_hyperdrive_shm->quotas_mutex);
}


/* the lists, from what is live */

static void
ngx_hyperdrive_shm_quota_link(ngx_hyperdrive_shm_t *sh)
{
    uint32_t                     n, *bucket;
    ngx_hyperdrive_shm_quota_t  *quota;

    for (n = 0; n < NGX_HYPERDRIVE_SHM_QUOTAS; n++) {
        sh->quotas_buckets[n] = NGX_HYPERDRIVE_SHM_NONE;
    }

    sh->quotas_free = NGX_HYPERDRIVE_SHM_NONE;

    for (n = 0; n < sh->nquotas; n++) {

        quota = &sh->quotas[n];

        bucket = quota->live ? &sh->quotas_buckets[quota->hash
                                                % NGX_HYPERDRIVE_SHM_QUOTAS]
                             : &sh->quotas_free;
        quota->next = *bucket;
        *bucket = n;
    }
}


static ngx_hyperdrive_shm_quota_t *
ngx_hyperdrive_shm_quota_find_locked(u_char *id)
{
    uint32_t                     n, hash;
    ngx_hyperdrive_shm_quota_t  *quota;

    ngx_memcpy(&hash, id, sizeof(hash));

    n = ngx_hyperdrive_shm->quotas_buckets[hash % NGX_HYPERDRIVE_SHM_QUOTAS];

    while (n != NGX_HYPERDRIVE_SHM_NONE) {
        quota = &ngx_hyperdrive_shm->quotas[n];

        if (ngx_memcmp(quota->id, id, NGX_HYPERDRIVE_SHM_QUOTA_ID) == 0) {
            return quota;
        }

        n = quota->next;
    }

    return NULL;
}


/* ...made if it is not there; NULL: the table is full */

static ngx_hyperdrive_shm_quota_t *
ngx_hyperdrive_shm_quota_get_locked(u_char *id)
{
    uint32_t                     n, *bucket;
    ngx_hyperdrive_shm_t        *sh;
    ngx_hyperdrive_shm_quota_t  *quota;

    quota = ngx_hyperdrive_shm_quota_find_locked(id);

    if (quota) {
        return quota;
    }

    sh = ngx_hyperdrive_shm;
    n = sh->quotas_free;

    if (n != NGX_HYPERDRIVE_SHM_NONE) {
        sh->quotas_free = sh->quotas[n].next;

    } else if (sh->nquotas < NGX_HYPERDRIVE_SHM_QUOTAS) {
        n = sh->nquotas++;

    } else {
        return NULL;
    }

    quota = &sh->quotas[n];

    ngx_memzero(quota, sizeof(ngx_hyperdrive_shm_quota_t));

    ngx_memcpy(quota->id, id, NGX_HYPERDRIVE_SHM_QUOTA_ID);
    ngx_memcpy(&quota->hash, id, sizeof(quota->hash));

    ngx_memory_barrier();

    quota->live = 1;

    bucket = &sh->quotas_buckets[quota->hash % NGX_HYPERDRIVE_SHM_QUOTAS];

    quota->next = *bucket;
    *bucket = n;

    return quota;
}


/* freed if nobody has anything of it */

static void
ngx_hyperdrive_shm_quota_put_locked(ngx_hyperdrive_shm_quota_t *quota)
{
    uint32_t               n, *link;
    ngx_uint_t             slot;
    ngx_hyperdrive_shm_t  *sh;

    if (ngx_hyperdrive_shm_quota_used(quota)
        || ngx_hyperdrive_shm_quota_oldest(quota, &slot)
           != NGX_HYPERDRIVE_SHM_QUOTA_NEW)
    {
        return;
    }

    sh = ngx_hyperdrive_shm;
    n = quota - sh->quotas;

    link = &sh->quotas_buckets[quota->hash % NGX_HYPERDRIVE_SHM_QUOTAS];

    while (*link != n) {
        link = &sh->quotas[*link].next;
    }

    *link = quota->next;

    quota->live = 0;

    quota->next = sh->quotas_free;
    sh->quotas_free = n;
}


static ngx_uint_t
ngx_hyperdrive_shm_quota_used(ngx_hyperdrive_shm_quota_t *quota)
{
    ngx_uint_t  i, used;

    used = quota->dead;

    for (i = 0; i < NGX_HYPERDRIVE_SLOTS; i++) {
        used += quota->places[i];
    }

    return used;
}


/* who has waited for longest, and where; _NEW: nobody waits */

static uint64_t
ngx_hyperdrive_shm_quota_oldest(ngx_hyperdrive_shm_quota_t *quota,
    ngx_uint_t *slot)
{
    uint64_t    oldest;
    ngx_uint_t  i;

    oldest = NGX_HYPERDRIVE_SHM_QUOTA_NEW;

    for (i = 0; i < NGX_HYPERDRIVE_SLOTS; i++) {

        if (quota->line[i] && quota->line[i] < oldest) {
            oldest = quota->line[i];
            *slot = i;
        }
    }

    return oldest;
}
