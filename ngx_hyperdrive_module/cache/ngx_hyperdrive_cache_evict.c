
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "cache/ngx_hyperdrive_cache_evict.h"


/*
 * Eviction is S3-FIFO.  New keys go to the small queue, a tenth of the shard;
 * what is not hit there until it comes to its end is dropped and leaves its
 * hash behind, a ghost; what is hit, or comes again while its ghost is known,
 * goes to the main queue, which drops the oldest entry that was not hit since
 * it was last passed.  So a scan of new keys runs through the small queue and
 * leaves the main one alone, which SIEVE alone does not promise; and a hit
 * writes one bit, and only if it is not set, which an LRU does not promise.
 */

/* entries that one eviction may spare: a bound of the time under the lock */
#define NGX_HYPERDRIVE_CACHE_EVICT_SPARE  64


static ngx_hyperdrive_cache_shard_ghost_t *ngx_hyperdrive_cache_evict_ghosts(
    ngx_hyperdrive_cache_shard_t *shard, uint64_t hash, uint32_t *print);


ngx_int_t
ngx_hyperdrive_cache_evict_locked(ngx_hyperdrive_cache_shard_t *shard,
    uint32_t incoming, uint64_t now)
{
    uint32_t                             n;
    ngx_uint_t                           spared;
    ngx_hyperdrive_cache_shard_list_t   *small, *mainq;
    ngx_hyperdrive_cache_shard_entry_t  *e;

    small = &shard->header->lists[NGX_HYPERDRIVE_CACHE_SHARD_SMALL];
    mainq = &shard->header->lists[NGX_HYPERDRIVE_CACHE_SHARD_MAIN];

    for (spared = 0; /* void */ ; spared++) {

        if (small->tail
            && (mainq->tail == 0
                || (uint64_t) small->blocks + incoming > shard->small))
        {
            n = small->tail;

        } else {
            n = mainq->tail;
        }

        if (n == 0) {
            return NGX_BUSY;
        }

        e = ngx_hyperdrive_cache_shard_entry(shard, n);

        if (!e->visited
            || spared == NGX_HYPERDRIVE_CACHE_EVICT_SPARE
            || ngx_hyperdrive_cache_shard_over(&e->meta, now))
        {
            break;
        }

        /* from the small queue to the main one, or once more round that */

        e->visited = 0;

        ngx_hyperdrive_cache_shard_unlink_locked(shard, n);
        ngx_hyperdrive_cache_shard_push_locked(shard, n,
                                             NGX_HYPERDRIVE_CACHE_SHARD_MAIN);
    }

    if (e->list == NGX_HYPERDRIVE_CACHE_SHARD_SMALL) {
        ngx_hyperdrive_cache_evict_note_locked(shard, e->hash);
    }

    shard->header->evicted++;

    ngx_hyperdrive_cache_shard_remove_locked(shard, n);

    return NGX_OK;
}


/*
 * Ghosts are kept in sets of one cache line.  One is as old as the number of
 * ghosts that came after it, and it is forgotten when as many came as there
 * are entries, as if it had been at the end of a queue of that length.
 */

static ngx_hyperdrive_cache_shard_ghost_t *
ngx_hyperdrive_cache_evict_ghosts(ngx_hyperdrive_cache_shard_t *shard,
    uint64_t hash, uint32_t *print)
{
    /* never 0, which is an empty place */
    *print = (uint32_t) hash | 1;

    return shard->ghosts
           + (size_t) ngx_hyperdrive_cache_shard_below(hash >> 20,
                                                       shard->nsets)
             * NGX_HYPERDRIVE_CACHE_SHARD_WAYS;
}


void
ngx_hyperdrive_cache_evict_note_locked(
    ngx_hyperdrive_cache_shard_t *shard, uint64_t hash)
{
    uint32_t                             now, print;
    ngx_uint_t                           i;
    ngx_hyperdrive_cache_shard_ghost_t  *g, *old;

    g = ngx_hyperdrive_cache_evict_ghosts(shard, hash, &print);
    now = ++shard->header->ghosts;
    old = g;

    for (i = 0; i < NGX_HYPERDRIVE_CACHE_SHARD_WAYS; i++) {

        if (g[i].print == print) {
            old = &g[i];
            break;
        }

        if (old->print
            && (g[i].print == 0 || now - g[i].time > now - old->time))
        {
            old = &g[i];
        }
    }

    old->print = print;
    old->time = now;
}


ngx_uint_t
ngx_hyperdrive_cache_evict_known_locked(
    ngx_hyperdrive_cache_shard_t *shard, uint64_t hash)
{
    uint32_t                              age, print;
    ngx_uint_t                            i;
    ngx_hyperdrive_cache_shard_ghost_t   *g;
    ngx_hyperdrive_cache_shard_header_t  *header;

    header = shard->header;
    g = ngx_hyperdrive_cache_evict_ghosts(shard, hash, &print);

    for (i = 0; i < NGX_HYPERDRIVE_CACHE_SHARD_WAYS; i++) {

        if (g[i].print == print) {
            age = header->ghosts - g[i].time;
            g[i].print = 0;

            return age <= ngx_max(header->entries,
                                  NGX_HYPERDRIVE_CACHE_SHARD_MIN);
        }
    }

    return 0;
}
