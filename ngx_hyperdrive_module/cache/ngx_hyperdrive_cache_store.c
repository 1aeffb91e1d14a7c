
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "cache/ngx_hyperdrive_cache_store.h"
#include "cache/ngx_hyperdrive_cache_shard.h"
#include "cache/ngx_hyperdrive_cache_row.h"
#include "base/ngx_hyperdrive_base_hash.h"
#include <openssl/rand.h>


#define NGX_HYPERDRIVE_CACHE_STORE_MAGIC    0x65726f7473726468ULL

#define NGX_HYPERDRIVE_CACHE_STORE_NO_SLOT  NGX_HYPERDRIVE_SLOTS

/* bytes of entries that a core's own cache holds, more or less */
#define NGX_HYPERDRIVE_CACHE_STORE_NEAR     (1024 * 1024)

/* buckets that are looked through under one lock */
#define NGX_HYPERDRIVE_CACHE_STORE_STRIDE   64


static void ngx_hyperdrive_cache_store_copy(
    ngx_hyperdrive_cache_shard_t *shard, uint32_t block, uint32_t offset,
    u_char *buf, size_t len);


#define ngx_hyperdrive_cache_store_shard(store, key)                          \
    (&(store)->shards[ngx_hyperdrive_cache_shard_index((key)->hash,           \
                                                       (store)->nshards)])


ngx_int_t
ngx_hyperdrive_cache_store_init(void *mem, size_t size)
{
    size_t                              pad, head;
    u_char                             *p;
    uint32_t                            n;
    ngx_uint_t                          i;
    ngx_hyperdrive_cache_shard_t        shard;
    ngx_hyperdrive_cache_shard_root_t  *root;

    p = ngx_align_ptr(mem, NGX_HYPERDRIVE_CACHE_SHARD_LINE);
    pad = p - (u_char *) mem;

    head = ngx_align(sizeof(ngx_hyperdrive_cache_shard_root_t),
                     NGX_HYPERDRIVE_CACHE_SHARD_LINE);

    if (size <= pad + head) {
        return NGX_ERROR;
    }

    size -= pad;

    for (n = 1; n < NGX_HYPERDRIVE_CACHE_SHARD_SHARDS; n *= 2) {

        /* a little less will do, zones lose some pages to their heads */

        if (size / (2 * n) < NGX_HYPERDRIVE_CACHE_SHARD_SIZE / 10 * 9) {
            break;
        }
    }

    root = (ngx_hyperdrive_cache_shard_root_t *) p;

    ngx_memzero(root, sizeof(ngx_hyperdrive_cache_shard_root_t));

    root->layout = NGX_HYPERDRIVE_CACHE_SHARD_LAYOUT;
    root->shards = n;
    root->size = size;
    root->shard_size = (size - head) / n
                       & ~((uint64_t) NGX_HYPERDRIVE_CACHE_SHARD_LINE - 1);

    if (RAND_bytes((u_char *) root->seed, sizeof(root->seed)) != 1) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {

        if (ngx_hyperdrive_cache_shard_map(&shard,
                                           p + head + i * root->shard_size,
                                           root->shard_size)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        if (ngx_hyperdrive_cache_shard_init(&shard) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    /* it is a store from here on */

    root->magic = NGX_HYPERDRIVE_CACHE_STORE_MAGIC;

    return NGX_OK;
}


ngx_int_t
ngx_hyperdrive_cache_store_attach(ngx_hyperdrive_cache_store_t *store,
    void *mem)
{
    u_char                             *p;
    ngx_uint_t                          i;
    ngx_hyperdrive_cache_shard_root_t  *root;

    p = ngx_align_ptr(mem, NGX_HYPERDRIVE_CACHE_SHARD_LINE);

    root = (ngx_hyperdrive_cache_shard_root_t *) p;

    if (root->magic != NGX_HYPERDRIVE_CACHE_STORE_MAGIC
        || root->layout != NGX_HYPERDRIVE_CACHE_SHARD_LAYOUT
        || root->shards == 0
        || root->shards > NGX_HYPERDRIVE_CACHE_SHARD_SHARDS)
    {
        return NGX_DECLINED;
    }

    p += ngx_align(sizeof(ngx_hyperdrive_cache_shard_root_t),
                   NGX_HYPERDRIVE_CACHE_SHARD_LINE);

    for (i = 0; i < root->shards; i++) {

        if (ngx_hyperdrive_cache_shard_map(&store->shards[i],
                                           p + i * root->shard_size,
                                           root->shard_size)
            != NGX_OK)
        {
            return NGX_DECLINED;
        }
    }

    store->root = root;
    store->nshards = root->shards;
    store->slot = NGX_HYPERDRIVE_CACHE_STORE_NO_SLOT;

    if (store->size == 0) {
        store->size = root->size;
    }

    return NGX_OK;
}


void
ngx_hyperdrive_cache_store_set_slot(ngx_hyperdrive_cache_store_t *store,
    ngx_uint_t slot)
{
    store->slot = ngx_min(slot, NGX_HYPERDRIVE_CACHE_STORE_NO_SLOT);
}


void
ngx_hyperdrive_cache_store_reclaim(ngx_hyperdrive_cache_store_t *store,
    ngx_uint_t slot)
{
    ngx_uint_t                     i;
    ngx_hyperdrive_cache_shard_t  *shard;

    if (slot >= NGX_HYPERDRIVE_SLOTS) {
        return;
    }

    if (slot == store->slot) {
        store->slot = NGX_HYPERDRIVE_CACHE_STORE_NO_SLOT;
    }

    for (i = 0; i < store->nshards; i++) {
        shard = &store->shards[i];

        ngx_hyperdrive_cache_shard_lock(shard);
        ngx_hyperdrive_cache_shard_reclaim_locked(shard, slot);
        ngx_hyperdrive_cache_shard_unlock(shard);
    }
}


size_t
ngx_hyperdrive_cache_store_max(ngx_hyperdrive_cache_store_t *store)
{
    return (size_t) store->shards[0].max * NGX_HYPERDRIVE_CACHE_SHARD_BLOCK
           - offsetof(ngx_hyperdrive_cache_shard_entry_t, data);
}


uint64_t
ngx_hyperdrive_cache_store_now(void)
{
    struct timespec  ts;

    /* the clock of ngx_current_msec; read without a system call */

#if defined(CLOCK_MONOTONIC_COARSE)
    clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
#else
    clock_gettime(CLOCK_MONOTONIC, &ts);
#endif

    return (uint64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}


void
ngx_hyperdrive_cache_key_hash(ngx_hyperdrive_cache_store_t *store,
    ngx_hyperdrive_cache_key_t *key)
{
    ngx_hyperdrive_cache_shard_t  *shard;

    key->hash = ngx_hyperdrive_base_hash(store->root->seed, key->data,
                                         key->len);

    /* it will be looked for: the first of what is then waited for */

    shard = ngx_hyperdrive_cache_store_shard(store, key);

    __builtin_prefetch(&shard->buckets[ngx_hyperdrive_cache_shard_bucket(
                                           shard, key->hash)]);
}


ngx_int_t
ngx_hyperdrive_cache_store_get(ngx_hyperdrive_cache_store_t *store,
    ngx_hyperdrive_cache_key_t *key, u_char *buf, size_t size,
    ngx_hyperdrive_cache_ref_t *ref)
{
    uint64_t                             now;
    uint32_t                             n, block, offset;
    ngx_int_t                            rc;
    ngx_hyperdrive_cache_shard_t        *shard;
    ngx_hyperdrive_cache_shard_entry_t  *e;

    ref->store = NULL;
    ref->data = NULL;
    ref->left = 0;

    shard = ngx_hyperdrive_cache_store_shard(store, key);
    now = ngx_hyperdrive_cache_store_now();

    ngx_hyperdrive_cache_shard_lock(shard);

    n = ngx_hyperdrive_cache_shard_find_locked(shard, key);

    if (n == 0) {
        ngx_hyperdrive_cache_shard_unlock(shard);
        return NGX_DECLINED;
    }

    e = ngx_hyperdrive_cache_shard_entry(shard, n);

    if (ngx_hyperdrive_cache_shard_over(&e->meta, now)) {
        ngx_hyperdrive_cache_shard_expire_locked(shard, n);
        ngx_hyperdrive_cache_shard_unlock(shard);
        return NGX_DECLINED;
    }

    if (!e->visited) {
        e->visited = 1;
    }

    ref->meta = e->meta;
    ref->left = ngx_hyperdrive_cache_shard_len(&e->meta);

    if (ref->left <= size) {

        if (e->flat && ref->left) {
            ngx_memcpy(buf, e->data + e->key_len, ref->left);

        } else {
            block = ngx_hyperdrive_cache_row_value(shard, n, &offset);
            ngx_hyperdrive_cache_store_copy(shard, block, offset, buf,
                                            ref->left);
        }

        ngx_hyperdrive_cache_shard_unlock(shard);

        ref->data = buf;

        return NGX_OK;
    }

    ref->block = ngx_hyperdrive_cache_row_value(shard, n, &ref->offset);

    rc = NGX_DECLINED;

    if (store->slot != NGX_HYPERDRIVE_CACHE_STORE_NO_SLOT) {
        rc = ngx_hyperdrive_cache_shard_pin_locked(shard, n, store->slot, now);
    }

    ngx_hyperdrive_cache_shard_unlock(shard);

    if (rc != NGX_OK) {
        ref->left = 0;
        return NGX_DECLINED;
    }

    NGX_HYPERDRIVE_FAULT(27);

    ref->store = store;
    ref->shard = shard - store->shards;
    ref->entry = n;

    return NGX_OK;
}


ngx_uint_t
ngx_hyperdrive_cache_store_large(ngx_hyperdrive_cache_store_t *store,
    ngx_hyperdrive_cache_key_t *key)
{
    uint32_t                       used;
    ngx_hyperdrive_cache_shard_t  *shard;

    shard = ngx_hyperdrive_cache_store_shard(store, key);

    used = shard->nblocks
           - __atomic_load_n(&shard->header->nfree, __ATOMIC_RELAXED);

    return (size_t) used * store->nshards
           > NGX_HYPERDRIVE_CACHE_STORE_NEAR / NGX_HYPERDRIVE_CACHE_SHARD_BLOCK;
}


/*
 * What is read here without the lock may be wrong: it is a hint.  Asked before
 * the lock is taken, so that the cache misses of the processor are not waited
 * for under it.
 */

void
ngx_hyperdrive_cache_store_fetch(ngx_hyperdrive_cache_store_t *store,
    ngx_hyperdrive_cache_key_t *key)
{
    u_char                        *p;
    uint32_t                       n;
    ngx_hyperdrive_cache_shard_t  *shard;

    shard = ngx_hyperdrive_cache_store_shard(store, key);

    n = __atomic_load_n(&shard->buckets[ngx_hyperdrive_cache_shard_bucket(
                                            shard, key->hash)],
                        __ATOMIC_RELAXED);

    if (n == 0 || n >= shard->nblocks) {
        return;
    }

    p = ngx_hyperdrive_cache_shard_block(shard, n);

    __builtin_prefetch(p);
    __builtin_prefetch(p + 64);
    __builtin_prefetch(p + 128);
    __builtin_prefetch(p + 192);

    /* most rows have two blocks, most of these are neighbours */

    if (n + 1 < shard->nblocks) {
        __builtin_prefetch(p + 256);
        __builtin_prefetch(p + 320);
        __builtin_prefetch(p + 384);
        __builtin_prefetch(p + 448);
    }
}


static void
ngx_hyperdrive_cache_store_copy(ngx_hyperdrive_cache_shard_t *shard,
    uint32_t block, uint32_t offset, u_char *buf, size_t len)
{
    size_t   n;
    u_char  *p;

    while (len) {
        n = ngx_hyperdrive_cache_row_piece(shard, &block, offset, len, &p);

        buf = ngx_cpymem(buf, p, n);
        len -= n;
        offset = 0;
    }
}


ngx_int_t
ngx_hyperdrive_cache_store_read(ngx_hyperdrive_cache_ref_t *ref,
    u_char **data, size_t *len)
{
    if (ref->left == 0) {
        return NGX_DONE;
    }

    if (ref->store == NULL) {
        *data = ref->data;
        *len = ref->left;
        ref->left = 0;

        return NGX_OK;
    }

    *len = ngx_hyperdrive_cache_row_piece(&ref->store->shards[ref->shard],
                                            &ref->block, ref->offset,
                                            ref->left, data);
    ref->offset = 0;
    ref->left -= *len;

    return NGX_OK;
}


void
ngx_hyperdrive_cache_store_release(ngx_hyperdrive_cache_ref_t *ref)
{
    ngx_hyperdrive_cache_store_t  *store;
    ngx_hyperdrive_cache_shard_t  *shard;

    store = ref->store;

    if (store == NULL) {
        return;
    }

    ref->store = NULL;
    ref->left = 0;

    if (store->slot == NGX_HYPERDRIVE_CACHE_STORE_NO_SLOT) {

        /* all that this process held is released already */
        return;
    }

    shard = &store->shards[ref->shard];

    ngx_hyperdrive_cache_shard_lock(shard);
    ngx_hyperdrive_cache_shard_unpin_locked(shard, ref->entry, store->slot, 1);
    ngx_hyperdrive_cache_shard_unlock(shard);
}


ngx_int_t
ngx_hyperdrive_cache_store_put(ngx_hyperdrive_cache_store_t *store,
    ngx_hyperdrive_cache_key_t *key, ngx_hyperdrive_cache_meta_t *meta,
    ngx_hyperdrive_chain_t *value)
{
    size_t                         len, left;
    uint64_t                       now;
    uint32_t                       n, block, offset;
    ngx_int_t                      rc;
    ngx_hyperdrive_block_t        *b;
    ngx_hyperdrive_cache_shard_t  *shard;

    left = ngx_hyperdrive_cache_shard_len(meta);

    if (value->failed || value->size < left) {
        return NGX_ERROR;
    }

    if (store->slot == NGX_HYPERDRIVE_CACHE_STORE_NO_SLOT) {
        return NGX_BUSY;
    }

    shard = ngx_hyperdrive_cache_store_shard(store, key);
    now = ngx_hyperdrive_cache_store_now();

    ngx_hyperdrive_cache_shard_lock(shard);

    rc = ngx_hyperdrive_cache_shard_reserve_locked(shard, key, meta,
                                                   store->slot, now, &n);

    ngx_hyperdrive_cache_shard_unlock(shard);

    if (rc != NGX_OK) {
        return rc;
    }

    NGX_HYPERDRIVE_FAULT(28);

    /* the row is ours, and nobody else's, until it is published */

    block = n;
    offset = offsetof(ngx_hyperdrive_cache_shard_entry_t, data);

    ngx_hyperdrive_cache_row_write(shard, &block, &offset, key->data,
                                     key->len);

    for (b = value->head; left; b = b->next) {
        len = ngx_min((size_t) (b->last - b->pos), left);

        ngx_hyperdrive_cache_row_write(shard, &block, &offset, b->pos, len);

        left -= len;
    }

    NGX_HYPERDRIVE_FAULT(29);

    ngx_hyperdrive_cache_shard_lock(shard);
    rc = ngx_hyperdrive_cache_shard_publish_locked(shard, key, n);
    ngx_hyperdrive_cache_shard_unlock(shard);

    return rc;
}


ngx_int_t
ngx_hyperdrive_cache_store_delete(ngx_hyperdrive_cache_store_t *store,
    ngx_hyperdrive_cache_key_t *key)
{
    uint32_t                       n;
    ngx_hyperdrive_cache_shard_t  *shard;

    shard = ngx_hyperdrive_cache_store_shard(store, key);

    ngx_hyperdrive_cache_shard_lock(shard);

    n = ngx_hyperdrive_cache_shard_find_locked(shard, key);

    if (n) {
        ngx_hyperdrive_cache_shard_remove_locked(shard, n);
    }

    ngx_hyperdrive_cache_shard_unlock(shard);

    return n ? NGX_OK : NGX_DECLINED;
}


void
ngx_hyperdrive_cache_store_purge(ngx_hyperdrive_cache_store_t *store)
{
    ngx_uint_t                     i;
    ngx_hyperdrive_cache_shard_t  *shard;

    for (i = 0; i < store->nshards; i++) {
        shard = &store->shards[i];

        ngx_hyperdrive_cache_shard_lock(shard);
        ngx_hyperdrive_cache_shard_reset_locked(shard);
        ngx_hyperdrive_cache_shard_unlock(shard);
    }
}


ngx_uint_t
ngx_hyperdrive_cache_store_purge_if(ngx_hyperdrive_cache_store_t *store,
    ngx_hyperdrive_cache_match_pt match, void *data)
{
    uint32_t                              n, next, b, end, block, offset;
    ngx_str_t                             key;
    ngx_uint_t                            i, purged;
    ngx_hyperdrive_cache_shard_t         *shard;
    ngx_hyperdrive_cache_shard_entry_t   *e;

    key.data = malloc(NGX_HYPERDRIVE_MAX_TEXT);
    if (key.data == NULL) {
        return 0;
    }

    purged = 0;

    for (i = 0; i < store->nshards; i++) {
        shard = &store->shards[i];

        for (b = 0; b < shard->nblocks; b = end) {

            /* a few at a time: others want the lock, too */

            end = ngx_min(b + NGX_HYPERDRIVE_CACHE_STORE_STRIDE,
                          shard->nblocks);

            ngx_hyperdrive_cache_shard_lock(shard);

            for ( /* void */ ; b < end; b++) {

                for (n = shard->buckets[b]; n; n = next) {
                    e = ngx_hyperdrive_cache_shard_entry(shard, n);
                    next = e->chain;

                    key.len = e->key_len;

                    if (key.len <= NGX_HYPERDRIVE_MAX_TEXT) {
                        block = n;
                        offset = offsetof(ngx_hyperdrive_cache_shard_entry_t,
                                          data);

                        ngx_hyperdrive_cache_store_copy(shard, block, offset,
                                                        key.data, key.len);

                        if (!match(data, &key)) {
                            continue;
                        }
                    }

                    ngx_hyperdrive_cache_shard_remove_locked(shard, n);
                    purged++;
                }
            }

            ngx_hyperdrive_cache_shard_unlock(shard);
        }
    }

    free(key.data);

    return purged;
}


void
ngx_hyperdrive_cache_store_stats(ngx_hyperdrive_cache_store_t *store,
    ngx_hyperdrive_cache_stats_t *stats)
{
    ngx_uint_t                            i, n;
    ngx_hyperdrive_cache_shard_t         *shard;
    ngx_hyperdrive_cache_shard_header_t  *header;

    ngx_memzero(stats, sizeof(ngx_hyperdrive_cache_stats_t));

    stats->name = store->name;
    stats->size = store->size;
    stats->shards = store->nshards;
    stats->block = NGX_HYPERDRIVE_CACHE_SHARD_BLOCK;

    for (i = 0; i < store->nshards; i++) {
        shard = &store->shards[i];
        header = shard->header;

        ngx_hyperdrive_cache_shard_lock(shard);

        for (n = 0; n < NGX_HYPERDRIVE_CACHE_SHARD_LISTS; n++) {
            stats->blocks_used += header->lists[n].blocks;
        }

        stats->blocks += shard->nblocks - 1;
        stats->blocks_free += header->nfree;
        stats->entries += header->entries;
        stats->held += header->lists[NGX_HYPERDRIVE_CACHE_SHARD_HELD].entries;
        stats->inserted += header->inserted;
        stats->evicted += header->evicted;
        stats->refused += header->refused;
        stats->recovered += header->recovered;

        ngx_hyperdrive_cache_shard_unlock(shard);
    }
}
