
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * For the tests of the cache: values that tell whether they are whole, and
 * a look at every block of a store.
 */


#ifndef _CACHE_STORE_CHECK_H_INCLUDED_
#define _CACHE_STORE_CHECK_H_INCLUDED_


#include "cache/ngx_hyperdrive_cache_store.h"
#include "cache/ngx_hyperdrive_cache_shard.h"
#include "cache/ngx_hyperdrive_cache_row.h"
#include "base/ngx_hyperdrive_base_hash.h"
#include "check.h"

#include <sys/mman.h>
#include <sys/wait.h>


#define HOUR  (3600 * 1000)


/* a small generator, so that runs repeat */

static uint64_t  seed = 88172645463325252ULL;


static uint32_t
rnd(uint32_t n)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;

    return (uint32_t) (seed >> 20) % n;
}


static u_char *
area(size_t size)
{
    u_char  *p;

    p = mmap(NULL, size, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS, -1,
             0);

    if (p == MAP_FAILED) {
        perror("mmap");
        exit(2);
    }

    return p;
}


/* the key of a number: as long as its number says, different in the front */

static u_char  key_buf[65536];


static ngx_hyperdrive_cache_key_t
make_key_len(ngx_hyperdrive_cache_store_t *store, uint32_t id, size_t len)
{
    ngx_hyperdrive_cache_key_t  key;

    memset(key_buf, 'k', len);
    memcpy(key_buf, &id, ngx_min(sizeof(id), len));

    key.data = key_buf;
    key.len = len;

    ngx_hyperdrive_cache_key_hash(store, &key);

    return key;
}


static ngx_hyperdrive_cache_key_t
make_key(ngx_hyperdrive_cache_store_t *store, uint32_t id)
{
    return make_key_len(store, id, 4 + id * 37 % 300);
}


/* a value of a number and a version, which say every byte of it */

static void
make_value(u_char *p, uint32_t id, uint32_t version, size_t len)
{
    size_t    i;
    uint32_t  x;

    x = id * 2654435761U + version * 40503U;

    for (i = 0; i < len; i++) {
        p[i] = (u_char) (x >> 24 ^ i ^ i >> 8);
        x = x * 1664525 + 1013904223;
    }

    if (len >= 8) {
        memcpy(p, &id, 4);
        memcpy(p + 4, &version, 4);
    }
}


static ngx_uint_t
same_value(u_char *p, uint32_t id, uint32_t version, size_t len)
{
    static u_char  expect[1024 * 1024];

    make_value(expect, id, version, len);

    return memcmp(p, expect, len) == 0;
}


static ngx_hyperdrive_cache_meta_t
make_meta(size_t len, uint64_t ttl)
{
    ngx_hyperdrive_cache_meta_t  meta;

    memset(&meta, 0, sizeof(meta));

    meta.created = ngx_hyperdrive_cache_store_now();
    meta.fresh_until = meta.created + ttl;
    meta.stamp_len = len / 5;
    meta.head_len = len / 3;
    meta.body_len = len - meta.stamp_len - meta.head_len;
    meta.rows = (uint32_t) len;
    meta.shape = 0x1122334455667788ULL ^ len;

    return meta;
}


static ngx_int_t
put_key(ngx_hyperdrive_cache_store_t *store, ngx_hyperdrive_cache_key_t *key,
    uint32_t id, uint32_t version, size_t len)
{
    u_char                       *p;
    ngx_int_t                     rc;
    ngx_hyperdrive_chain_t        chain;
    ngx_hyperdrive_cache_meta_t   meta;

    memset(&chain, 0, sizeof(chain));

    meta = make_meta(len, HOUR);

    if (len) {
        p = malloc(len);
        make_value(p, id, version, len);
        ngx_hyperdrive_base_chain_append(&chain, p, len);
        free(p);
    }

    rc = ngx_hyperdrive_cache_store_put(store, key, &meta, &chain);

    if (chain.size != len) {
        return NGX_ERROR;
    }

    ngx_hyperdrive_base_chain_clear(&chain);

    return rc;
}


static ngx_int_t
put(ngx_hyperdrive_cache_store_t *store, uint32_t id, uint32_t version,
    size_t len)
{
    ngx_hyperdrive_cache_key_t  key;

    key = make_key(store, id);

    return put_key(store, &key, id, version, len);
}


/* all of a value that was found */

static size_t
gather(ngx_hyperdrive_cache_ref_t *ref, u_char *p, size_t size)
{
    size_t   len, n;
    u_char  *data;

    len = 0;

    while (ngx_hyperdrive_cache_store_read(ref, &data, &n) == NGX_OK) {

        if (n == 0 || len + n > size) {
            return (size_t) -1;
        }

        memcpy(p + len, data, n);
        len += n;
    }

    return len;
}


/* a held value, read from its beginning, and again */

static ngx_uint_t
same_held(ngx_hyperdrive_cache_ref_t *ref, uint32_t id, uint32_t version,
    size_t len)
{
    static u_char               p[1024 * 1024];
    ngx_hyperdrive_cache_ref_t  copy;

    copy = *ref;

    return gather(&copy, p, sizeof(p)) == len
           && same_value(p, id, version, len);
}


#define bad(...)                                                              \
    do {                                                                      \
        snprintf(check_text, sizeof(check_text), __VA_ARGS__);                \
        goto failed;                                                          \
    } while (0)


static char  check_text[256];


/*
 * Follows every list of every shard: each block is in one row, or pins, or
 * free, and once; each entry is in its bucket; all counters are true.  NULL,
 * or what is wrong.
 */

static char *
check_shard(ngx_hyperdrive_cache_store_t *store,
    ngx_hyperdrive_cache_shard_t *shard)
{
    u_char                               *seen, *p, *key;
    size_t                                len, left;
    uint16_t                             *pins;
    uint32_t                              n, b, prev, last, blocks, entries;
    uint32_t                              refs, linked, free_blocks, used;
    ngx_uint_t                            i, l;
    ngx_hyperdrive_cache_shard_list_t    *list;
    ngx_hyperdrive_cache_shard_entry_t   *e;
    ngx_hyperdrive_cache_shard_header_t  *header;

    header = shard->header;
    seen = calloc(1, shard->nblocks);
    linked = 0;
    used = 0;

    ngx_hyperdrive_cache_shard_lock(shard);

    for (l = 0; l < NGX_HYPERDRIVE_CACHE_SHARD_LISTS; l++) {

        list = &header->lists[l];
        prev = 0;
        blocks = 0;
        entries = 0;

        for (n = list->head; n; n = e->next) {

            if (n >= shard->nblocks || seen[n]) {
                bad("list %d: entry %u out of range or twice", (int) l, n);
            }

            e = ngx_hyperdrive_cache_shard_entry(shard, n);

            if (e->list != l || e->prev != prev) {
                bad("entry %u: list %d prev %u", n, e->list, e->prev);
            }

            if (e->row != shard->link[n] && e->blocks > 1) {
                bad("entry %u: row %u link %u", n, e->row, shard->link[n]);
            }

            last = n;
            entries++;

            for (b = n, i = 0; i < e->blocks; i++, b = shard->link[b]) {

                if (b == 0 || b >= shard->nblocks || seen[b]) {
                    bad("entry %u: block %u out of range or twice", n, b);
                }

                seen[b] = 1;
                last = b;
                blocks++;
            }

            if (e->flat && last != n + e->blocks - 1) {
                bad("entry %u: its blocks are no neighbours", n);
            }

            if (last != e->last || b != 0) {
                bad("entry %u: last block %u, not %u", n, last, e->last);
            }

            if (l == NGX_HYPERDRIVE_CACHE_SHARD_HELD && !e->filling) {
                b = e->pins;

                if (b == 0 || b >= shard->nblocks || seen[b]) {
                    bad("entry %u: pins %u out of range or twice", n, b);
                }

                seen[b] = 1;
                blocks++;
                refs = 0;

                pins = (uint16_t *) ngx_hyperdrive_cache_shard_block(shard, b);

                for (i = 0; i < NGX_HYPERDRIVE_SLOTS; i++) {
                    refs += pins[i];
                }

                if (refs == 0 || refs != e->refs) {
                    bad("entry %u: %u pins, %u refs", n, refs, e->refs);
                }
            }

            if (l != NGX_HYPERDRIVE_CACHE_SHARD_HELD
                && (e->filling || e->doomed || e->pins || e->refs))
            {
                bad("entry %u: held, but not on that list", n);
            }

            if (!e->filling) {

                /* the key is whole */

                key = malloc(e->key_len + 1);
                b = n;
                left = e->key_len;
                i = offsetof(ngx_hyperdrive_cache_shard_entry_t, data);

                while (left) {
                    len = ngx_hyperdrive_cache_row_piece(shard, &b, i, left,
                                                           &p);
                    memcpy(key + e->key_len - left, p, len);
                    left -= len;
                    i = 0;
                }

                if (ngx_hyperdrive_base_hash(store->root->seed, key,
                                             e->key_len)
                    != e->hash)
                {
                    free(key);
                    bad("entry %u: its key is broken", n);
                }

                free(key);
            }

            if (!e->filling && !e->doomed) {
                linked++;
            }

            prev = n;
        }

        if (list->tail != prev || list->entries != entries
            || list->blocks != blocks)
        {
            bad("list %d: tail %u/%u entries %u/%u blocks %u/%u", (int) l,
                list->tail, prev, list->entries, entries, list->blocks,
                blocks);
        }

        used += blocks;
    }

    entries = 0;

    for (i = 0; i < shard->nblocks; i++) {

        for (n = shard->buckets[i]; n; n = e->chain) {

            if (n >= shard->nblocks || seen[n] != 1) {
                bad("bucket %d: entry %u is not on a list", (int) i, n);
            }

            e = ngx_hyperdrive_cache_shard_entry(shard, n);

            if (ngx_hyperdrive_cache_shard_bucket(shard, e->hash) != i
                || e->doomed || e->filling)
            {
                bad("bucket %d: entry %u does not belong here", (int) i, n);
            }

            seen[n] = 2;
            entries++;
        }
    }

    if (entries != header->entries || entries != linked) {
        bad("%u entries in buckets, %u counted, %u on lists", entries,
            header->entries, linked);
    }

    free_blocks = 0;

    for (n = header->free; n; n = shard->link[n]) {

        if (n >= shard->nblocks || seen[n]) {
            bad("free block %u out of range, used or twice", n);
        }

        seen[n] = 3;
        free_blocks++;
    }

    for (n = header->fresh; n < shard->nblocks; n++) {

        if (shard->kept[n / 64] & (uint64_t) 1 << (n % 64)) {

            /* held when the shard was emptied; may be free by now */

            continue;
        }

        if (seen[n]) {
            bad("fresh block %u is used", n);
        }

        seen[n] = 3;
        free_blocks++;
    }

    if (free_blocks != header->nfree) {
        bad("%u blocks are free, %u counted", free_blocks, header->nfree);
    }

    if (used + free_blocks != shard->nblocks - 1) {
        bad("%u used + %u free != %u", used, free_blocks, shard->nblocks - 1);
    }

    ngx_hyperdrive_cache_shard_unlock(shard);
    free(seen);

    return NULL;

failed:

    ngx_hyperdrive_cache_shard_unlock(shard);
    free(seen);

    printf("# %s\n", check_text);

    return check_text;
}


static char *
check(ngx_hyperdrive_cache_store_t *store)
{
    char        *text;
    ngx_uint_t   i;

    for (i = 0; i < store->nshards; i++) {

        text = check_shard(store, &store->shards[i]);

        if (text) {
            return text;
        }
    }

    return NULL;
}


static ngx_hyperdrive_cache_stats_t
stats(ngx_hyperdrive_cache_store_t *store)
{
    ngx_hyperdrive_cache_stats_t  s;

    ngx_hyperdrive_cache_store_stats(store, &s);

    return s;
}


#endif /* _CACHE_STORE_CHECK_H_INCLUDED_ */
