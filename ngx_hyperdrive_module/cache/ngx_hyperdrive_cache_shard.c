
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "cache/ngx_hyperdrive_cache_shard.h"
#include "cache/ngx_hyperdrive_cache_row.h"
#include "cache/ngx_hyperdrive_cache_evict.h"


/* newcomers have one block of so many */
#define NGX_HYPERDRIVE_CACHE_SHARD_TENTH    10

/* the largest row is one block of so many */
#define NGX_HYPERDRIVE_CACHE_SHARD_QUARTER  4

/* pins of one entry by one slot */
#define NGX_HYPERDRIVE_CACHE_SHARD_PINS     65535

#if (NGX_HYPERDRIVE_SLOTS * 2 > NGX_HYPERDRIVE_CACHE_SHARD_BLOCK)
#error the pins of all slots must fit in one block
#endif


static void ngx_hyperdrive_cache_shard_unbucket_locked(
    ngx_hyperdrive_cache_shard_t *shard, uint32_t n);
static void ngx_hyperdrive_cache_shard_drop_locked(
    ngx_hyperdrive_cache_shard_t *shard, uint32_t n);
static uint32_t ngx_hyperdrive_cache_shard_keep_locked(
    ngx_hyperdrive_cache_shard_t *shard, uint32_t n);


#if (NGX_HYPERDRIVE_FAULTS)

ngx_uint_t  ngx_hyperdrive_cache_shard_fault;
ngx_uint_t  ngx_hyperdrive_cache_shard_fault_count;


void
ngx_hyperdrive_cache_shard_die(ngx_uint_t n)
{
    if (ngx_hyperdrive_cache_shard_fault == n
        && ngx_hyperdrive_cache_shard_fault_count-- == 1)
    {
        (void) kill(getpid(), SIGKILL);
    }
}

#endif


ngx_int_t
ngx_hyperdrive_cache_shard_map(ngx_hyperdrive_cache_shard_t *shard,
    u_char *mem, size_t size)
{
    size_t  header, ghost, n, fixed;

    /* each block has its bytes, a link, a bucket, a bit, half a ghost */

    ghost = sizeof(ngx_hyperdrive_cache_shard_ghost_t)
            * NGX_HYPERDRIVE_CACHE_SHARD_WAYS;

    header = ngx_align(sizeof(ngx_hyperdrive_cache_shard_header_t),
                       NGX_HYPERDRIVE_CACHE_SHARD_LINE);

    /* what rounding up may take: four arrays, a set of ghosts, a word */
    fixed = header + 4 * NGX_HYPERDRIVE_CACHE_SHARD_LINE + ghost + 8;

    if (size <= fixed) {
        return NGX_ERROR;
    }

    n = (size - fixed) * 8
        / (8 * (NGX_HYPERDRIVE_CACHE_SHARD_BLOCK + 2 * sizeof(uint32_t)
                + sizeof(ngx_hyperdrive_cache_shard_ghost_t) / 2) + 1);

    if (n < NGX_HYPERDRIVE_CACHE_SHARD_MIN) {
        return NGX_ERROR;
    }

    n = ngx_min(n, 0xfffffff0);

    shard->nblocks = (uint32_t) n;
    shard->nsets = (uint32_t) (n / 2 / NGX_HYPERDRIVE_CACHE_SHARD_WAYS + 1);
    shard->small = (uint32_t) (n / NGX_HYPERDRIVE_CACHE_SHARD_TENTH);
    shard->max = (uint32_t) ((n - 1) / NGX_HYPERDRIVE_CACHE_SHARD_QUARTER);

    shard->header = (ngx_hyperdrive_cache_shard_header_t *) mem;
    mem += header;

    shard->ghosts = (ngx_hyperdrive_cache_shard_ghost_t *) mem;
    mem += shard->nsets * ghost;

    shard->buckets = (uint32_t *) mem;
    mem += ngx_align(n * sizeof(uint32_t), NGX_HYPERDRIVE_CACHE_SHARD_LINE);

    shard->link = (uint32_t *) mem;
    mem += ngx_align(n * sizeof(uint32_t), NGX_HYPERDRIVE_CACHE_SHARD_LINE);

    shard->kept = (uint64_t *) mem;
    mem += ngx_align((n + 63) / 64 * sizeof(uint64_t),
                     NGX_HYPERDRIVE_CACHE_SHARD_LINE);

    shard->blocks = mem;

    return NGX_OK;
}


ngx_int_t
ngx_hyperdrive_cache_shard_init(ngx_hyperdrive_cache_shard_t *shard)
{
    ngx_memzero(shard->header, sizeof(ngx_hyperdrive_cache_shard_header_t));

    ngx_memzero(shard->ghosts,
                (size_t) shard->nsets * NGX_HYPERDRIVE_CACHE_SHARD_WAYS
                * sizeof(ngx_hyperdrive_cache_shard_ghost_t));

    /* the blocks are not touched: memory is used when values come */

    ngx_hyperdrive_cache_shard_reset_locked(shard);

    return ngx_hyperdrive_shm_mutex_init(&shard->header->u.mutex);
}


void
ngx_hyperdrive_cache_shard_lock(ngx_hyperdrive_cache_shard_t *shard)
{
    ngx_hyperdrive_shm_mutex_t  *mutex;

    mutex = &shard->header->u.mutex;

    if (ngx_hyperdrive_shm_mutex_lock(mutex) == NGX_OK) {
        return;
    }

    /* if this process dies in here too, the next one begins again */

    ngx_hyperdrive_cache_shard_reset_locked(shard);
    shard->header->recovered++;

    ngx_hyperdrive_shm_mutex_consistent(mutex);
}


void
ngx_hyperdrive_cache_shard_unlock(ngx_hyperdrive_cache_shard_t *shard)
{
    ngx_hyperdrive_shm_mutex_unlock(&shard->header->u.mutex);
}


uint32_t
ngx_hyperdrive_cache_shard_find_locked(ngx_hyperdrive_cache_shard_t *shard,
    ngx_hyperdrive_cache_key_t *key)
{
    uint32_t                             n;
    ngx_hyperdrive_cache_shard_entry_t  *e;

    n = shard->buckets[ngx_hyperdrive_cache_shard_bucket(shard, key->hash)];

    while (n) {
        e = ngx_hyperdrive_cache_shard_entry(shard, n);

        if (e->hash == key->hash
            && e->key_len == key->len
            && ngx_hyperdrive_cache_row_equal(shard, n, key))
        {
            return n;
        }

        n = e->chain;
    }

    return 0;
}


void
ngx_hyperdrive_cache_shard_remove_locked(ngx_hyperdrive_cache_shard_t *shard,
    uint32_t n)
{
    ngx_hyperdrive_cache_shard_entry_t  *e;

    ngx_hyperdrive_cache_shard_unbucket_locked(shard, n);
    NGX_HYPERDRIVE_FAULT(1);

    e = ngx_hyperdrive_cache_shard_entry(shard, n);

    if (e->list == NGX_HYPERDRIVE_CACHE_SHARD_HELD) {

        /* the last one who reads it frees it */
        e->doomed = 1;
        return;
    }

    ngx_hyperdrive_cache_shard_drop_locked(shard, n);
}


void
ngx_hyperdrive_cache_shard_expire_locked(ngx_hyperdrive_cache_shard_t *shard,
    uint32_t n)
{
    ngx_hyperdrive_cache_shard_entry_t  *e;

    e = ngx_hyperdrive_cache_shard_entry(shard, n);

    if (e->visited || e->list != NGX_HYPERDRIVE_CACHE_SHARD_SMALL) {

        /* in demand: it need not prove itself again when it is filled anew */
        ngx_hyperdrive_cache_evict_note_locked(shard, e->hash);
    }

    ngx_hyperdrive_cache_shard_remove_locked(shard, n);
}


/*
 * The pins of an entry are counted for each slot in a block, which the entry
 * has as long as it is pinned.  The counts are the truth: the sum in <refs>
 * and the list are made again from them after a death.
 */

ngx_int_t
ngx_hyperdrive_cache_shard_pin_locked(ngx_hyperdrive_cache_shard_t *shard,
    uint32_t n, ngx_uint_t slot, uint64_t now)
{
    uint16_t                             *pins;
    uint32_t                              block;
    ngx_hyperdrive_cache_shard_list_e     list;
    ngx_hyperdrive_cache_shard_entry_t   *e;

    e = ngx_hyperdrive_cache_shard_entry(shard, n);

    if (e->list == NGX_HYPERDRIVE_CACHE_SHARD_HELD) {

        pins = (uint16_t *) ngx_hyperdrive_cache_shard_block(shard, e->pins);

        if (pins[slot] == NGX_HYPERDRIVE_CACHE_SHARD_PINS) {
            return NGX_DECLINED;
        }

        pins[slot]++;
        NGX_HYPERDRIVE_FAULT(2);
        e->refs++;

        return NGX_OK;
    }

    /* off the queue at first, so that it is not itself evicted for the block */

    list = e->list;
    ngx_hyperdrive_cache_shard_unlink_locked(shard, n);
    NGX_HYPERDRIVE_FAULT(3);

    if (shard->header->nfree == 0
        && ngx_hyperdrive_cache_evict_locked(shard, 0, now) != NGX_OK)
    {
        ngx_hyperdrive_cache_shard_push_locked(shard, n, list);
        return NGX_DECLINED;
    }

    block = ngx_hyperdrive_cache_row_alloc_locked(shard);

    pins = (uint16_t *) ngx_hyperdrive_cache_shard_block(shard, block);
    ngx_memzero(pins, NGX_HYPERDRIVE_CACHE_SHARD_BLOCK);

    pins[slot] = 1;

    e->pins = block;
    e->refs = 1;

    NGX_HYPERDRIVE_FAULT(4);

    ngx_hyperdrive_cache_shard_push_locked(shard, n,
                                           NGX_HYPERDRIVE_CACHE_SHARD_HELD);
    NGX_HYPERDRIVE_FAULT(5);

    return NGX_OK;
}


void
ngx_hyperdrive_cache_shard_unpin_locked(ngx_hyperdrive_cache_shard_t *shard,
    uint32_t n, ngx_uint_t slot, ngx_uint_t count)
{
    uint16_t                            *pins;
    uint32_t                             block;
    ngx_hyperdrive_cache_shard_entry_t  *e;

    e = ngx_hyperdrive_cache_shard_entry(shard, n);
    block = e->pins;

    pins = (uint16_t *) ngx_hyperdrive_cache_shard_block(shard, block);

    pins[slot] -= count;
    NGX_HYPERDRIVE_FAULT(6);
    e->refs -= count;

    if (e->refs) {
        return;
    }

    NGX_HYPERDRIVE_FAULT(7);
    ngx_hyperdrive_cache_shard_unlink_locked(shard, n);
    NGX_HYPERDRIVE_FAULT(8);

    e->pins = 0;
    ngx_hyperdrive_cache_row_free_locked(shard, block, block, 1);

    if (e->doomed) {
        ngx_hyperdrive_cache_row_free_locked(shard, n, e->last, e->blocks);
        return;
    }

    /* it has been hit, so its time on the small queue is over */

    NGX_HYPERDRIVE_FAULT(9);
    ngx_hyperdrive_cache_shard_push_locked(shard, n,
                                           NGX_HYPERDRIVE_CACHE_SHARD_MAIN);
}


ngx_int_t
ngx_hyperdrive_cache_shard_reserve_locked(ngx_hyperdrive_cache_shard_t *shard,
    ngx_hyperdrive_cache_key_t *key, ngx_hyperdrive_cache_meta_t *meta,
    ngx_uint_t slot, uint64_t now, uint32_t *np)
{
    size_t                                size;
    uint32_t                              i, n, block, last, need, spare;
    ngx_uint_t                            known, flat;
    ngx_hyperdrive_cache_shard_entry_t   *e;
    ngx_hyperdrive_cache_shard_header_t  *header;

    header = shard->header;

    size = offsetof(ngx_hyperdrive_cache_shard_entry_t, data) + key->len
           + ngx_hyperdrive_cache_shard_len(meta)
           + NGX_HYPERDRIVE_CACHE_SHARD_BLOCK - 1;

    if (size / NGX_HYPERDRIVE_CACHE_SHARD_BLOCK > shard->max) {
        goto refused;
    }

    need = size / NGX_HYPERDRIVE_CACHE_SHARD_BLOCK;

    known = ngx_hyperdrive_cache_shard_find_locked(shard, key) != 0
            || ngx_hyperdrive_cache_evict_known_locked(shard, key->hash);

    if (need > header->nfree) {

        if (!known && need > shard->small) {

            /*
             * would take its room from the main queue, for a key that may
             * never come again; the second time it is known
             */

            ngx_hyperdrive_cache_evict_note_locked(shard, key->hash);
            goto refused;
        }

        /* nothing is evicted in vain */

        spare = header->lists[NGX_HYPERDRIVE_CACHE_SHARD_SMALL].blocks
                + header->lists[NGX_HYPERDRIVE_CACHE_SHARD_MAIN].blocks;

        if (need > header->nfree + spare) {
            goto refused;
        }
    }

    while (header->nfree < need) {

        if (ngx_hyperdrive_cache_evict_locked(shard, known ? 0 : need,
                                                    now)
            != NGX_OK)
        {
            goto refused;
        }
    }

    n = ngx_hyperdrive_cache_row_alloc_locked(shard);
    last = n;
    flat = 1;

    NGX_HYPERDRIVE_FAULT(10);

    for (i = 1; i < need; i++) {
        block = ngx_hyperdrive_cache_row_alloc_locked(shard);

        flat &= (block == last + 1);

        shard->link[last] = block;
        last = block;
    }

    shard->link[last] = 0;

    e = ngx_hyperdrive_cache_shard_entry(shard, n);

    ngx_memzero(e, sizeof(ngx_hyperdrive_cache_shard_entry_t));

    e->key_len = key->len;
    e->hash = key->hash;
    e->row = shard->link[n];
    e->last = last;
    e->blocks = need;
    e->owner = slot;
    e->filling = 1;
    e->known = known;
    e->flat = flat;
    e->meta = *meta;

    NGX_HYPERDRIVE_FAULT(11);

    ngx_hyperdrive_cache_shard_push_locked(shard, n,
                                           NGX_HYPERDRIVE_CACHE_SHARD_HELD);
    NGX_HYPERDRIVE_FAULT(12);

    *np = n;

    return NGX_OK;

refused:

    header->refused++;

    return NGX_BUSY;
}


ngx_int_t
ngx_hyperdrive_cache_shard_publish_locked(ngx_hyperdrive_cache_shard_t *shard,
    ngx_hyperdrive_cache_key_t *key, uint32_t n)
{
    uint32_t                             old, *bucket;
    ngx_hyperdrive_cache_shard_list_e    list;
    ngx_hyperdrive_cache_shard_entry_t  *e, *o;

    e = ngx_hyperdrive_cache_shard_entry(shard, n);

    if (e->doomed) {

        /* the shard was emptied meanwhile */

        ngx_hyperdrive_cache_shard_drop_locked(shard, n);
        shard->header->refused++;

        return NGX_BUSY;
    }

    list = e->known ? NGX_HYPERDRIVE_CACHE_SHARD_MAIN
                    : NGX_HYPERDRIVE_CACHE_SHARD_SMALL;

    old = ngx_hyperdrive_cache_shard_find_locked(shard, key);

    if (old) {
        o = ngx_hyperdrive_cache_shard_entry(shard, old);

        e->visited = o->visited;

        /* a place is neither won nor lost by being written again */

        list = (o->list == NGX_HYPERDRIVE_CACHE_SHARD_SMALL)
               ? NGX_HYPERDRIVE_CACHE_SHARD_SMALL
               : NGX_HYPERDRIVE_CACHE_SHARD_MAIN;

        NGX_HYPERDRIVE_FAULT(13);
        ngx_hyperdrive_cache_shard_remove_locked(shard, old);
    }

    NGX_HYPERDRIVE_FAULT(14);
    ngx_hyperdrive_cache_shard_unlink_locked(shard, n);
    NGX_HYPERDRIVE_FAULT(15);

    e->filling = 0;
    e->known = 0;

    ngx_hyperdrive_cache_shard_push_locked(shard, n, list);
    NGX_HYPERDRIVE_FAULT(16);

    bucket = &shard->buckets[ngx_hyperdrive_cache_shard_bucket(shard,
                                                               e->hash)];
    e->chain = *bucket;
    *bucket = n;

    NGX_HYPERDRIVE_FAULT(17);

    shard->header->entries++;
    shard->header->inserted++;

    return NGX_OK;
}


void
ngx_hyperdrive_cache_shard_reclaim_locked(ngx_hyperdrive_cache_shard_t *shard,
    ngx_uint_t slot)
{
    uint16_t                            *pins;
    uint32_t                             n, next;
    ngx_hyperdrive_cache_shard_entry_t  *e;

    n = shard->header->lists[NGX_HYPERDRIVE_CACHE_SHARD_HELD].head;

    for ( /* void */ ; n; n = next) {

        e = ngx_hyperdrive_cache_shard_entry(shard, n);
        next = e->next;

        if (e->filling) {

            if (e->owner == slot) {
                NGX_HYPERDRIVE_FAULT(18);
                ngx_hyperdrive_cache_shard_drop_locked(shard, n);
                NGX_HYPERDRIVE_FAULT(19);
            }

            continue;
        }

        pins = (uint16_t *) ngx_hyperdrive_cache_shard_block(shard, e->pins);

        if (pins[slot]) {
            ngx_hyperdrive_cache_shard_unpin_locked(shard, n, slot,
                                                    pins[slot]);
            NGX_HYPERDRIVE_FAULT(20);
        }
    }
}


/*
 * Nothing is believed but the list of held entries, followed from its head:
 * whoever died, in whatever instruction, left that much in order (see
 * _push_locked() and _unlink_locked()).  The rows on it, and their blocks of
 * pins, are marked as kept; all other blocks are free, from <fresh> on.  It
 * changes nothing that it reads, so that it can be begun again.
 */

void
ngx_hyperdrive_cache_shard_reset_locked(ngx_hyperdrive_cache_shard_t *shard)
{
    uint16_t                             *pins;
    uint32_t                              n, next, prev, refs;
    ngx_uint_t                            i;
    ngx_hyperdrive_cache_shard_list_t    *held;
    ngx_hyperdrive_cache_shard_entry_t   *e;
    ngx_hyperdrive_cache_shard_header_t  *header;

    header = shard->header;
    held = &header->lists[NGX_HYPERDRIVE_CACHE_SHARD_HELD];

    ngx_memzero(shard->buckets, shard->nblocks * sizeof(uint32_t));
    ngx_memzero(shard->kept,
                ((size_t) shard->nblocks + 63) / 64 * sizeof(uint64_t));

    NGX_HYPERDRIVE_FAULT(21);

    ngx_memzero(&header->lists[NGX_HYPERDRIVE_CACHE_SHARD_SMALL],
                sizeof(ngx_hyperdrive_cache_shard_list_t));
    ngx_memzero(&header->lists[NGX_HYPERDRIVE_CACHE_SHARD_MAIN],
                sizeof(ngx_hyperdrive_cache_shard_list_t));

    header->free = 0;
    header->fresh = 1;
    header->entries = 0;

    held->entries = 0;
    held->blocks = 0;

    prev = 0;

    for (n = held->head; n; n = next) {

        e = ngx_hyperdrive_cache_shard_entry(shard, n);
        next = e->next;
        e->doomed = 1;

        if (!e->filling) {

            pins = (uint16_t *) ngx_hyperdrive_cache_shard_block(shard,
                                                                 e->pins);
            refs = 0;

            for (i = 0; i < NGX_HYPERDRIVE_SLOTS; i++) {
                refs += pins[i];
            }

            if (refs == 0) {

                /* died while it released the last one */

                if (prev) {
                    ngx_hyperdrive_cache_shard_entry(shard, prev)->next = next;

                } else {
                    held->head = next;
                }

                continue;
            }

            e->refs = refs;
            NGX_HYPERDRIVE_FAULT(22);
        }

        held->blocks += ngx_hyperdrive_cache_shard_keep_locked(shard, n);
        held->entries++;

        e->prev = prev;
        prev = n;
    }

    NGX_HYPERDRIVE_FAULT(23);

    held->tail = prev;
    header->nfree = shard->nblocks - 1 - held->blocks;
}


/* marks the blocks of a held entry; returns how many they are */

static uint32_t
ngx_hyperdrive_cache_shard_keep_locked(ngx_hyperdrive_cache_shard_t *shard,
    uint32_t n)
{
    uint32_t                             blocks, pins;
    ngx_hyperdrive_cache_shard_entry_t  *e;

    e = ngx_hyperdrive_cache_shard_entry(shard, n);

    blocks = e->blocks;
    pins = e->filling ? 0 : e->pins;

    for ( /* void */ ; n; n = shard->link[n]) {
        shard->kept[n / 64] |= (uint64_t) 1 << (n % 64);
    }

    if (pins) {
        shard->kept[pins / 64] |= (uint64_t) 1 << (pins % 64);
        blocks++;
    }

    return blocks;
}


/*
 * An entry is put on the list of held ones by one write to its head, after
 * all that _reset_locked() reads of it; and taken off by one write as well.
 */

void
ngx_hyperdrive_cache_shard_push_locked(ngx_hyperdrive_cache_shard_t *shard,
    uint32_t n, ngx_hyperdrive_cache_shard_list_e which)
{
    uint32_t                             head;
    ngx_hyperdrive_cache_shard_list_t   *list;
    ngx_hyperdrive_cache_shard_entry_t  *e;

    list = &shard->header->lists[which];
    e = ngx_hyperdrive_cache_shard_entry(shard, n);
    head = list->head;

    e->list = which;
    e->prev = 0;
    e->next = head;

    ngx_hyperdrive_cache_shard_fence();

    list->head = n;

    ngx_hyperdrive_cache_shard_fence();
    NGX_HYPERDRIVE_FAULT(25);

    if (head) {
        ngx_hyperdrive_cache_shard_entry(shard, head)->prev = n;

    } else {
        list->tail = n;
    }

    list->entries++;
    list->blocks += e->blocks;

    if (which == NGX_HYPERDRIVE_CACHE_SHARD_HELD && !e->filling) {
        list->blocks++;
    }
}


void
ngx_hyperdrive_cache_shard_unlink_locked(ngx_hyperdrive_cache_shard_t *shard,
    uint32_t n)
{
    ngx_hyperdrive_cache_shard_list_t   *list;
    ngx_hyperdrive_cache_shard_entry_t  *e;

    e = ngx_hyperdrive_cache_shard_entry(shard, n);
    list = &shard->header->lists[e->list];

    ngx_hyperdrive_cache_shard_fence();

    if (e->prev) {
        ngx_hyperdrive_cache_shard_entry(shard, e->prev)->next = e->next;

    } else {
        list->head = e->next;
    }

    ngx_hyperdrive_cache_shard_fence();
    NGX_HYPERDRIVE_FAULT(26);

    if (e->next) {
        ngx_hyperdrive_cache_shard_entry(shard, e->next)->prev = e->prev;

    } else {
        list->tail = e->prev;
    }

    list->entries--;
    list->blocks -= e->blocks;

    if (e->list == NGX_HYPERDRIVE_CACHE_SHARD_HELD && !e->filling) {
        list->blocks--;
    }
}


static void
ngx_hyperdrive_cache_shard_unbucket_locked(ngx_hyperdrive_cache_shard_t *shard,
    uint32_t n)
{
    uint32_t                            *p;
    ngx_hyperdrive_cache_shard_entry_t  *e;

    e = ngx_hyperdrive_cache_shard_entry(shard, n);

    p = &shard->buckets[ngx_hyperdrive_cache_shard_bucket(shard, e->hash)];

    while (*p != n) {
        p = &ngx_hyperdrive_cache_shard_entry(shard, *p)->chain;
    }

    *p = e->chain;
    shard->header->entries--;
}


/* an entry that is in no bucket and not pinned: off its list, and free */

static void
ngx_hyperdrive_cache_shard_drop_locked(ngx_hyperdrive_cache_shard_t *shard,
    uint32_t n)
{
    ngx_hyperdrive_cache_shard_entry_t  *e;

    e = ngx_hyperdrive_cache_shard_entry(shard, n);

    ngx_hyperdrive_cache_shard_unlink_locked(shard, n);
    ngx_hyperdrive_cache_row_free_locked(shard, n, e->last, e->blocks);
}


