
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "cache/ngx_hyperdrive_cache_position.h"
#include "shm/ngx_hyperdrive_shm_mutex.h"


/* the primary's home is in the lower bits of <term> */
#define NGX_HYPERDRIVE_CACHE_POSITION_BITS  44
#define NGX_HYPERDRIVE_CACHE_POSITION_MASK                                   \
    (((uint64_t) 1 << NGX_HYPERDRIVE_CACHE_POSITION_BITS) - 1)


struct ngx_hyperdrive_cache_position_s {
    ngx_hyperdrive_shm_mutex_t               mutex;    /* the leader's */
    uint64_t                                 id;       /* 0: free */
    uint64_t                                 term;
    uint64_t                                 wanted;
    ngx_hyperdrive_cache_position_replica_t  replicas[
                                     NGX_HYPERDRIVE_CACHE_POSITION_REPLICAS];
};


#define ngx_hyperdrive_cache_position_load(p)                                \
    __atomic_load_n(p, __ATOMIC_SEQ_CST)

#define ngx_hyperdrive_cache_position_store(p, value)                        \
    __atomic_store_n(p, value, __ATOMIC_SEQ_CST)


static ngx_hyperdrive_cache_position_t  *ngx_hyperdrive_cache_positions;


size_t
ngx_hyperdrive_cache_position_size(void)
{
    return NGX_HYPERDRIVE_CACHE_POSITIONS
           * sizeof(ngx_hyperdrive_cache_position_t);
}


ngx_int_t
ngx_hyperdrive_cache_position_create(void *mem)
{
    ngx_uint_t                        i;
    ngx_hyperdrive_cache_position_t  *p;

    p = mem;

    for (i = 0; i < NGX_HYPERDRIVE_CACHE_POSITIONS; i++) {

        if (ngx_hyperdrive_shm_mutex_init(&p[i].mutex) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


void
ngx_hyperdrive_cache_position_attach(void *mem)
{
    ngx_hyperdrive_cache_positions = mem;
}


ngx_hyperdrive_cache_position_t *
ngx_hyperdrive_cache_position(uint64_t id)
{
    uint64_t                          old;
    ngx_uint_t                        i;
    ngx_hyperdrive_cache_position_t  *p;

    p = ngx_hyperdrive_cache_positions;

    if (p == NULL) {
        return NULL;
    }

    for (i = 0; i < NGX_HYPERDRIVE_CACHE_POSITIONS; i++, p++) {

        old = 0;

        if (__atomic_compare_exchange_n(&p->id, &old, id, 0, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST)
            || old == id)
        {
            return p;
        }
    }

    return NULL;
}


ngx_int_t
ngx_hyperdrive_cache_position_lead(ngx_hyperdrive_cache_position_t *p)
{
    ngx_int_t  rc;

    rc = ngx_hyperdrive_shm_mutex_try(&p->mutex);

    if (rc == NGX_BUSY) {
        return NGX_BUSY;
    }

    if (rc == NGX_DECLINED) {

        /* what it has published was true, and is as old as it says */

        ngx_hyperdrive_shm_mutex_consistent(&p->mutex);
    }

    return NGX_OK;
}


void
ngx_hyperdrive_cache_position_resign(ngx_hyperdrive_cache_position_t *p)
{
    ngx_hyperdrive_shm_mutex_unlock(&p->mutex);
}


/*
 * Each of the three is true by itself, of one server, whichever of them are
 * seen together.
 */

void
ngx_hyperdrive_cache_position_set(ngx_hyperdrive_cache_position_t *p,
    ngx_uint_t replica, ngx_hyperdrive_cache_position_replica_t *value)
{
    ngx_hyperdrive_cache_position_replica_t  *r;

    r = &p->replicas[replica];

    if (r->site != value->site || r->home != value->home) {
        ngx_hyperdrive_cache_position_store(&r->reached, 0);
        ngx_hyperdrive_cache_position_store(&r->site, value->site);
        ngx_hyperdrive_cache_position_store(&r->home, value->home);
    }

    ngx_hyperdrive_cache_position_store(&r->reached, value->reached);
    ngx_hyperdrive_cache_position_store(&r->since, value->since);
    ngx_hyperdrive_cache_position_store(&r->checked, value->checked);
}


void
ngx_hyperdrive_cache_position_get(ngx_hyperdrive_cache_position_t *p,
    ngx_uint_t replica, ngx_hyperdrive_cache_position_replica_t *value)
{
    ngx_hyperdrive_cache_position_replica_t  *r;

    r = &p->replicas[replica];

    value->site = ngx_hyperdrive_cache_position_load(&r->site);
    value->home = ngx_hyperdrive_cache_position_load(&r->home);

    /* what was checked at <checked> was stored before it */

    value->checked = ngx_hyperdrive_cache_position_load(&r->checked);
    value->since = ngx_hyperdrive_cache_position_load(&r->since);
    value->reached = ngx_hyperdrive_cache_position_load(&r->reached);

    if (ngx_hyperdrive_cache_position_load(&r->site) != value->site
        || ngx_hyperdrive_cache_position_load(&r->home) != value->home)
    {
        /* another one sits there since */
        value->reached = 0;
    }
}


void
ngx_hyperdrive_cache_position_want(ngx_hyperdrive_cache_position_t *p)
{
    ngx_hyperdrive_cache_position_store(&p->wanted, 1);
}


ngx_uint_t
ngx_hyperdrive_cache_position_wanted(ngx_hyperdrive_cache_position_t *p)
{
    return __atomic_exchange_n(&p->wanted, 0, __ATOMIC_SEQ_CST) != 0;
}


uint64_t
ngx_hyperdrive_cache_position_term(ngx_hyperdrive_cache_position_t *p,
    uint64_t *primary)
{
    uint64_t  term;

    term = ngx_hyperdrive_cache_position_load(&p->term);

    *primary = term & NGX_HYPERDRIVE_CACHE_POSITION_MASK;

    return term >> NGX_HYPERDRIVE_CACHE_POSITION_BITS;
}


ngx_int_t
ngx_hyperdrive_cache_position_primary(ngx_hyperdrive_cache_position_t *p,
    uint64_t primary)
{
    uint64_t  old, term;

    old = ngx_hyperdrive_cache_position_load(&p->term);

    do {
        if ((old & NGX_HYPERDRIVE_CACHE_POSITION_MASK) == primary) {
            return NGX_DECLINED;
        }

        term = ((old >> NGX_HYPERDRIVE_CACHE_POSITION_BITS) + 1)
               << NGX_HYPERDRIVE_CACHE_POSITION_BITS | primary;

    } while (!__atomic_compare_exchange_n(&p->term, &old, term, 0,
                                          __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));

    return (old & NGX_HYPERDRIVE_CACHE_POSITION_MASK) ? NGX_OK : NGX_DECLINED;
}


void
ngx_hyperdrive_cache_position_changed(ngx_hyperdrive_cache_position_t *p)
{
    ngx_uint_t                               i;
    ngx_hyperdrive_cache_position_replica_t  none;

    ngx_memzero(&none, sizeof(ngx_hyperdrive_cache_position_replica_t));

    for (i = 0; i < NGX_HYPERDRIVE_CACHE_POSITION_REPLICAS; i++) {
        ngx_hyperdrive_cache_position_set(p, i, &none);
    }

    ngx_hyperdrive_cache_position_want(p);
}
