
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "shm/ngx_hyperdrive_shm_layout.h"


/*
 * A row of words, each changed by one store, so that it needs no lock and a
 * process may die anywhere: the limit in the upper half, the slot that has the
 * connection, plus one, in the lower, and there whether its process is dead,
 * whether its place is somebody else's, and whether the rest is yet to come.
 * Places are what counts: one of the dead for which there is no connection
 * here is free.  So a connection is entered behind its place, and goes before.
 */

#define NGX_HYPERDRIVE_SHM_BACKEND_DEAD  0x10000
#define NGX_HYPERDRIVE_SHM_BACKEND_LENT  0x20000
#define NGX_HYPERDRIVE_SHM_BACKEND_NEW   0x40000

/* that a connection was being opened is noticed by a database that answers
   within, milliseconds */
#define NGX_HYPERDRIVE_SHM_BACKEND_OPEN  1000

#define ngx_hyperdrive_shm_backend_at(limit, slot)                           \
    ((ngx_atomic_uint_t) (limit)->index << 32 | ((slot) + 1))

#define ngx_hyperdrive_shm_backend_slot(at)  (((at) & 0xffff) - 1)

#define ngx_hyperdrive_shm_backend_is_left(at, limit)                        \
    (((at) & NGX_HYPERDRIVE_SHM_BACKEND_DEAD)                                \
     && (at) >> 32 == (limit)->index)


/* in the place of a server: there have been several */
#define NGX_HYPERDRIVE_SHM_SITE_SEVERAL  ((ngx_atomic_uint_t) -1)


static ngx_uint_t ngx_hyperdrive_shm_backend_forget(ngx_uint_t i,
    ngx_atomic_uint_t at, ngx_atomic_uint_t to);
static ngx_hyperdrive_shm_site_t *ngx_hyperdrive_shm_site_find(uint64_t site,
    ngx_uint_t add);


uint32_t
ngx_hyperdrive_shm_backend_add(ngx_hyperdrive_shm_limit_t *limit,
    ngx_str_t *key, u_char *user_id, u_char *db_id)
{
    ngx_uint_t                           i;
    ngx_atomic_uint_t                    n, at;
    ngx_hyperdrive_shm_backend_entry_t  *e;

    if (ngx_hyperdrive_shm_slot == NGX_HYPERDRIVE_SLOTS
        || key->len > NGX_HYPERDRIVE_SHM_BACKEND_KEY)
    {
        return 0;
    }

    at = ngx_hyperdrive_shm_backend_at(limit, ngx_hyperdrive_shm_slot);

    for (i = 0; i < NGX_HYPERDRIVE_SHM_BACKENDS; i++) {

        n = ngx_hyperdrive_shm->nbackends;

        if (i >= n) {
            (void) ngx_atomic_cmp_set(&ngx_hyperdrive_shm->nbackends, n, i + 1);
        }

        if (ngx_hyperdrive_shm->backends[i]
            || !ngx_atomic_cmp_set(&ngx_hyperdrive_shm->backends[i], 0,
                                   at | NGX_HYPERDRIVE_SHM_BACKEND_NEW))
        {
            continue;
        }

        e = &ngx_hyperdrive_shm->backend[i];

        e->pid = 0;
        e->where = 0;
        e->line = 0;
        e->opened = ngx_hyperdrive_shm_now();
        e->key_len = key->len;

        ngx_memcpy(e->key, key->data, key->len);

        ngx_hyperdrive_shm_backend_counts((uint32_t) i + 1, user_id, db_id);

        ngx_memory_barrier();

        ngx_hyperdrive_shm->backends[i] = at;

        return (uint32_t) i + 1;
    }

    return 0;
}


void
ngx_hyperdrive_shm_backend_counts(uint32_t backend, u_char *user_id,
    u_char *db_id)
{
    ngx_hyperdrive_shm_backend_entry_t  *e;

    if (backend == 0) {
        return;
    }

    e = &ngx_hyperdrive_shm->backend[backend - 1];

    e->counted = 0;

    ngx_memory_barrier();

    if (user_id) {
        ngx_memcpy(e->user_id, user_id, NGX_HYPERDRIVE_SHM_QUOTA_ID);
    }

    if (db_id) {
        ngx_memcpy(e->db_id, db_id, NGX_HYPERDRIVE_SHM_QUOTA_ID);
    }

    ngx_memory_barrier();

    e->counted = (user_id ? 1 : 0) | (db_id ? 2 : 0);
}


void
ngx_hyperdrive_shm_backend_known(uint32_t backend, uint32_t pid,
    uint32_t where, uint32_t line)
{
    ngx_hyperdrive_shm_backend_entry_t  *e;

    if (backend) {
        e = &ngx_hyperdrive_shm->backend[backend - 1];

        /* again: either of the two without the other is not wrong */

        e->where = where;
        e->line = line;

        if (e->pid == 0) {
            e->known = ngx_hyperdrive_shm_now();

            ngx_memory_barrier();

            e->pid = pid;
        }
    }
}


void
ngx_hyperdrive_shm_backend_remove(uint32_t backend)
{
    if (backend) {
        ngx_hyperdrive_shm->backends[backend - 1] = 0;
    }
}


void
ngx_hyperdrive_shm_backend_pass(uint32_t backend, ngx_uint_t slot)
{
    ngx_atomic_uint_t  at;

    if (backend) {
        at = ngx_hyperdrive_shm->backends[backend - 1];

        ngx_hyperdrive_shm->backends[backend - 1]
                    = (at & ~(ngx_atomic_uint_t) 0xffffffff) | (slot + 1);
    }
}


/* (one whose place is lent has none) */

ngx_int_t
ngx_hyperdrive_shm_backend_adopt(ngx_hyperdrive_shm_limit_t *limit,
    uint32_t backend, ngx_uint_t slot)
{
    ngx_uint_t                           done;
    ngx_hyperdrive_shm_backend_entry_t  *e;

    if (backend == 0 || backend > NGX_HYPERDRIVE_SHM_BACKENDS
        || ngx_hyperdrive_shm_slot == NGX_HYPERDRIVE_SLOTS)
    {
        return NGX_DECLINED;
    }

    e = &ngx_hyperdrive_shm->backend[backend - 1];

    ngx_hyperdrive_shm_quota_lock();

    done = ngx_hyperdrive_shm_limit_adopt(limit, slot,
                       &ngx_hyperdrive_shm->backends[backend - 1],
                       ngx_hyperdrive_shm_backend_at(limit, slot)
                       | NGX_HYPERDRIVE_SHM_BACKEND_DEAD,
                       ngx_hyperdrive_shm_backend_at(limit,
                                                     ngx_hyperdrive_shm_slot));

    if (done && (e->counted & 1)) {
        ngx_hyperdrive_shm_quota_adopt_locked(e->user_id);
    }

    if (done && (e->counted & 2)) {
        ngx_hyperdrive_shm_quota_adopt_locked(e->db_id);
    }

    ngx_hyperdrive_shm_quota_unlock();

    return done ? NGX_OK : NGX_DECLINED;
}


void
ngx_hyperdrive_shm_backend_reclaim(ngx_uint_t slot)
{
    ngx_uint_t                           i;
    ngx_atomic_uint_t                    at;
    ngx_hyperdrive_shm_backend_entry_t  *e;

    for (i = 0; i < ngx_hyperdrive_shm->nbackends; i++) {
        at = ngx_hyperdrive_shm->backends[i];

        if ((at & 0xffffffff) == (NGX_HYPERDRIVE_SHM_BACKEND_NEW | (slot + 1)))
        {
            /* it speaks of another one, and nothing was opened */

            ngx_hyperdrive_shm->backends[i] = 0;
        }

        if ((at & 0xffffffff) != slot + 1) {
            continue;
        }

        e = &ngx_hyperdrive_shm->backend[i];

        e->died = ngx_hyperdrive_shm_now();
        e->seen = e->died;

        ngx_memory_barrier();

        ngx_hyperdrive_shm->backends[i] = at | NGX_HYPERDRIVE_SHM_BACKEND_DEAD;
    }
}


ngx_uint_t
ngx_hyperdrive_shm_backend_left(ngx_hyperdrive_shm_limit_t *limit,
    ngx_uint_t slot)
{
    ngx_uint_t         i, n;
    ngx_atomic_uint_t  at;

    n = 0;
    at = ngx_hyperdrive_shm_backend_at(limit, slot)
         | NGX_HYPERDRIVE_SHM_BACKEND_DEAD;

    for (i = 0; i < ngx_hyperdrive_shm->nbackends; i++) {
        n += (ngx_hyperdrive_shm->backends[i] == at);
    }

    return n;
}


ngx_uint_t
ngx_hyperdrive_shm_backend_counted(u_char *id, ngx_uint_t *unasked)
{
    ngx_uint_t                           i, n;
    ngx_atomic_uint_t                    at;
    ngx_hyperdrive_shm_backend_entry_t  *e;

    n = 0;
    *unasked = 0;

    for (i = 0; i < ngx_hyperdrive_shm->nbackends; i++) {

        at = ngx_hyperdrive_shm->backends[i];

        if ((at & NGX_HYPERDRIVE_SHM_BACKEND_DEAD) == 0
            || (at & NGX_HYPERDRIVE_SHM_BACKEND_LENT))
        {
            continue;
        }

        e = &ngx_hyperdrive_shm->backend[i];

        if (((e->counted & 1)
             && ngx_memcmp(e->user_id, id, NGX_HYPERDRIVE_SHM_QUOTA_ID) == 0)
            || ((e->counted & 2)
                && ngx_memcmp(e->db_id, id, NGX_HYPERDRIVE_SHM_QUOTA_ID) == 0))
        {
            n++;
            *unasked += (e->seen == e->died);
        }
    }

    return n;
}


/* the word is changed by whoever has the number: who asks has got it before */

ngx_int_t
ngx_hyperdrive_shm_backend_care(ngx_hyperdrive_shm_limit_t *limit)
{
    ngx_uint_t         slot;
    ngx_atomic_uint_t  care, own;

    if (ngx_hyperdrive_shm_slot == NGX_HYPERDRIVE_SLOTS) {
        return NGX_DECLINED;
    }

    own = (ngx_atomic_uint_t)
              ngx_hyperdrive_shm_slot_epoch(ngx_hyperdrive_shm_slot) << 32
          | (ngx_hyperdrive_shm_slot + 1);

    care = limit->care;

    if (care == own) {
        return NGX_OK;
    }

    slot = (care & 0xffffffff) - 1;

    if (care && ngx_hyperdrive_shm_slot_epoch(slot) == care >> 32
        && ngx_hyperdrive_shm_slot_alive(slot))
    {
        return NGX_DECLINED;
    }

    return ngx_atomic_cmp_set(&limit->care, care, own) ? NGX_OK : NGX_DECLINED;
}


void
ngx_hyperdrive_shm_backend_uncare(ngx_hyperdrive_shm_limit_t *limit)
{
    limit->care = 0;
}


ngx_int_t
ngx_hyperdrive_shm_backend_next(ngx_hyperdrive_shm_limit_t *limit,
    ngx_uint_t *i, ngx_hyperdrive_shm_backend_t *backend)
{
    uint64_t                             now;
    ngx_uint_t                           n;
    ngx_atomic_uint_t                    at;
    ngx_hyperdrive_shm_backend_entry_t  *e;

    now = ngx_hyperdrive_shm_now();

    for ( /* void */ ; *i < ngx_hyperdrive_shm->nbackends; (*i)++) {
        at = ngx_hyperdrive_shm->backends[*i];

        if (!ngx_hyperdrive_shm_backend_is_left(at, limit)) {
            continue;
        }

        n = (*i)++;
        e = &ngx_hyperdrive_shm->backend[n];

        backend->backend = (uint32_t) n + 1;
        backend->pid = e->pid;
        backend->where = e->where;
        backend->line = e->line;
        backend->age = (ngx_msec_t) (now - e->died);
        backend->opened = (ngx_msec_t) (now - e->opened);
        backend->known = (ngx_msec_t) (now - e->known);
        backend->key.len = e->key_len;
        backend->key.data = e->key;

        return NGX_OK;
    }

    return NGX_DECLINED;
}


void
ngx_hyperdrive_shm_backend_seen(uint32_t backend)
{
    ngx_hyperdrive_shm_backend_entry_t  *e;

    e = &ngx_hyperdrive_shm->backend[backend - 1];

    e->seen = ngx_max(ngx_hyperdrive_shm_now(), e->died + 1);
}


void
ngx_hyperdrive_shm_backend_gone(ngx_hyperdrive_shm_limit_t *limit,
    uint32_t backend, ngx_hyperdrive_shm_wake_pt wake)
{
    ngx_atomic_uint_t  at;

    at = ngx_hyperdrive_shm->backends[backend - 1];

    if (ngx_hyperdrive_shm_backend_is_left(at, limit)
        && ngx_hyperdrive_shm_backend_forget(backend - 1, at, 0))
    {
        (void) ngx_hyperdrive_shm_reclaim_places(NGX_HYPERDRIVE_SHM_LEND, wake);
    }
}


void
ngx_hyperdrive_shm_backend_expire(void)
{
    uint64_t                             now, seen;
    ngx_uint_t                           i;
    ngx_atomic_uint_t                    at;
    ngx_hyperdrive_shm_limit_t          *limit;
    ngx_hyperdrive_shm_backend_entry_t  *e;

    now = ngx_hyperdrive_shm_now();

    for (i = 0; i < ngx_hyperdrive_shm->nbackends; i++) {
        at = ngx_hyperdrive_shm->backends[i];

        if ((at & NGX_HYPERDRIVE_SHM_BACKEND_DEAD) == 0) {
            continue;
        }

        e = &ngx_hyperdrive_shm->backend[i];
        limit = &ngx_hyperdrive_shm->limits[at >> 32];

        seen = e->seen;

        if (seen + NGX_HYPERDRIVE_SHM_LOST <= now
            || (e->pid == 0
                && e->died + NGX_HYPERDRIVE_SHM_BACKEND_OPEN <= now))
        {
            (void) ngx_hyperdrive_shm_backend_forget(i, at, 0);
            continue;
        }

        if (e->pid && seen == e->died
            && e->died + NGX_HYPERDRIVE_SHM_LEND <= now
            && limit->waiting && limit->used >= limit->max
            && limit->lent + NGX_HYPERDRIVE_SHM_LEND_AGAIN <= now
            && (at & NGX_HYPERDRIVE_SHM_BACKEND_LENT) == 0
            && ngx_hyperdrive_shm_backend_forget(i, at,
                                      at | NGX_HYPERDRIVE_SHM_BACKEND_LENT))
        {
            limit->lent = now;
        }
    }
}


/*
 * By whoever does it first.  Others count what is left of places and quotas
 * under the same locks, so that nothing is free twice; if he dies in between,
 * the place is unused.
 */

static ngx_uint_t
ngx_hyperdrive_shm_backend_forget(ngx_uint_t i, ngx_atomic_uint_t at,
    ngx_atomic_uint_t to)
{
    ngx_uint_t                          done;
    ngx_atomic_t                       *entry;
    ngx_hyperdrive_shm_backend_entry_t  e;

    entry = &ngx_hyperdrive_shm->backends[i];

    if (at & NGX_HYPERDRIVE_SHM_BACKEND_LENT) {
        return ngx_atomic_cmp_set(entry, at, to);
    }

    e = ngx_hyperdrive_shm->backend[i];

    ngx_hyperdrive_shm_quota_lock();

    done = ngx_hyperdrive_shm_limit_forget(
                                    &ngx_hyperdrive_shm->limits[at >> 32],
                                    ngx_hyperdrive_shm_backend_slot(at), entry,
                                    at, to);

    if (done && (e.counted & 1)) {
        ngx_hyperdrive_shm_quota_forget_locked(e.user_id);
    }

    if (done && (e.counted & 2)) {
        ngx_hyperdrive_shm_quota_forget_locked(e.db_id);
    }

    ngx_hyperdrive_shm_quota_unlock();

    return done;
}


void
ngx_hyperdrive_shm_site_seen(uint64_t site, uint64_t home, uint64_t line)
{
    ngx_atomic_uint_t           old;
    ngx_hyperdrive_shm_site_t  *e;

    e = ngx_hyperdrive_shm_site_find(site, 1);
    if (e == NULL) {
        return;
    }

    for ( ;; ) {
        old = e->home;

        if (old == home || old == NGX_HYPERDRIVE_SHM_SITE_SEVERAL) {
            return;
        }

        if (old && (line == 0 || e->line != line)) {
            e->home = NGX_HYPERDRIVE_SHM_SITE_SEVERAL;
            return;
        }

        /* who finds it without its line takes the next one for another */

        if (ngx_atomic_cmp_set(&e->home, old, home)) {
            e->line = line;
            return;
        }
    }
}


ngx_int_t
ngx_hyperdrive_shm_site(uint64_t site, uint64_t *home, uint64_t *line)
{
    ngx_hyperdrive_shm_site_t  *e;

    e = ngx_hyperdrive_shm_site_find(site, 0);

    if (e == NULL) {
        return NGX_DECLINED;
    }

    *home = e->home;
    *line = e->line;

    return (*home && *home != NGX_HYPERDRIVE_SHM_SITE_SEVERAL) ? NGX_OK
                                                               : NGX_DECLINED;
}


/* NULL: it is not there, or there is no room */

static ngx_hyperdrive_shm_site_t *
ngx_hyperdrive_shm_site_find(uint64_t site, ngx_uint_t add)
{
    ngx_uint_t                  i;
    ngx_hyperdrive_shm_site_t  *e;

    for (i = 0; i < NGX_HYPERDRIVE_SHM_SITES; i++) {
        e = &ngx_hyperdrive_shm->sites[(site + i) % NGX_HYPERDRIVE_SHM_SITES];

        if (e->site == 0
            && (!add || ngx_atomic_cmp_set(&e->site, 0, site)))
        {
            return add ? e : NULL;
        }

        if (e->site == site) {
            return e;
        }
    }

    return NULL;
}
