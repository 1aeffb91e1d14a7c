/* sources: cache/ngx_hyperdrive_cache_store.c cache/ngx_hyperdrive_cache_shard.c cache/ngx_hyperdrive_cache_row.c cache/ngx_hyperdrive_cache_evict.c base/ngx_hyperdrive_base_hash.c base/ngx_hyperdrive_base_chain.c shm/ngx_hyperdrive_shm_mutex.c */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "cache_store_check.h"


/* one shard */
#define SIZE  (2 * 1024 * 1024)


static ngx_hyperdrive_cache_store_t  store, other;
static u_char                       *mem;
static u_char                        buf[1024 * 1024];


/* an empty store, seen by two processes: slots 3 and 4 */

static void
fresh(size_t size)
{
    if (ngx_hyperdrive_cache_store_init(mem, size) != NGX_OK
        || ngx_hyperdrive_cache_store_attach(&store, mem) != NGX_OK
        || ngx_hyperdrive_cache_store_attach(&other, mem) != NGX_OK)
    {
        printf("Bail out! no store of %d bytes\n", (int) size);
        exit(2);
    }

    ngx_hyperdrive_cache_store_set_slot(&store, 3);
    ngx_hyperdrive_cache_store_set_slot(&other, 4);
}


/* looks up and compares; 1: right, 0: not there, 2: wrong */

static ngx_uint_t
have(uint32_t id, uint32_t version, size_t len)
{
    ngx_hyperdrive_cache_key_t  key;
    ngx_hyperdrive_cache_ref_t  ref;

    key = make_key(&store, id);

    if (ngx_hyperdrive_cache_store_get(&store, &key, buf, sizeof(buf), &ref)
        != NGX_OK)
    {
        return 0;
    }

    return (ref.left == len && ref.data == buf && ref.store == NULL
            && same_value(buf, id, version, len)) ? 1 : 2;
}


static ngx_int_t
hold(ngx_hyperdrive_cache_store_t *st, uint32_t id,
    ngx_hyperdrive_cache_ref_t *ref)
{
    ngx_hyperdrive_cache_key_t  key;

    key = make_key(st, id);

    return ngx_hyperdrive_cache_store_get(st, &key, NULL, 0, ref);
}


static void
test_hash(void)
{
    u_char    data[200];
    uint64_t  key[2], h;
    size_t    i, len;
    ngx_uint_t  good;

    static struct {
        size_t    len;
        uint64_t  hash;
    } vectors[] = {
        { 1,   0x68a914128e01e473ULL },
        { 7,   0x2f098ab0c751325aULL },
        { 8,   0xead411e67ebe2eeaULL },
        { 15,  0xf30eb725bb91c9eaULL },
        { 63,  0x385d3e39e5f37359ULL },
        { 200, 0x7176378efd9e8a23ULL }
    };

    for (i = 0; i < sizeof(data); i++) {
        data[i] = (u_char) i;
    }

    key[0] = 0;
    key[1] = 0;

    for (i = 0; i < sizeof(vectors) / sizeof(vectors[0]); i++) {
        h = ngx_hyperdrive_base_hash(key, data, vectors[i].len);

        okf(h == vectors[i].hash, "SipHash-1-3 of %d bytes",
            (int) vectors[i].len);
    }

    good = 1;

    for (len = 0; len < 40; len++) {
        key[1] = 0;
        h = ngx_hyperdrive_base_hash(key, data, len);
        key[1] = 1;

        if (h == ngx_hyperdrive_base_hash(key, data, len)
            || ngx_hyperdrive_base_hash(key, data + 1, len) == h + (len == 0))
        {
            good = 0;
        }
    }

    ok(good, "the hash depends on the seed and on the bytes");
}


static void
test_init(void)
{
    size_t                        n, bytes;
    uint64_t                      s;
    ngx_uint_t                    i, good;
    ngx_hyperdrive_cache_stats_t  st;

    static struct {
        size_t      size;
        ngx_uint_t  shards;
    } sizes[] = {
        { 64 * 1024, 1 },
        { 4 * 1024 * 1024, 1 },
        { 8 * 1024 * 1024 - 8192, 2 },
        { 64 * 1024 * 1024 - 500000, 16 },
        { 256 * 1024 * 1024 - 2000000, 64 },
        { 320 * 1024 * 1024, 64 }
    };

    ok(ngx_hyperdrive_cache_store_init(mem, 100) == NGX_ERROR
       && ngx_hyperdrive_cache_store_init(mem, 4096) == NGX_ERROR,
       "too small a memory is refused");

    memset(mem, 0, 4096);
    ok(ngx_hyperdrive_cache_store_attach(&store, mem) == NGX_DECLINED,
       "memory without a store is declined");

    memset(mem, 0xa5, 4096);
    ok(ngx_hyperdrive_cache_store_attach(&store, mem) == NGX_DECLINED,
       "memory with anything is declined");

    for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        fresh(sizes[i].size);

        okf(store.nshards == sizes[i].shards, "%d kB: %d shards",
            (int) (sizes[i].size / 1024), (int) store.nshards);

        st = stats(&store);
        bytes = st.blocks * st.block;

        okf(bytes > sizes[i].size / 100 * 90 && bytes < sizes[i].size,
            "%d of 1000 bytes are blocks",
            (int) (bytes / (sizes[i].size / 1000)));

        ok(check(&store) == NULL && st.blocks_free == st.blocks
           && st.blocks_used == 0 && st.entries == 0, "it is empty");
    }

    good = 1;

    for (n = 12 * 1024; n < 80 * 1024; n += 61) {

        if (ngx_hyperdrive_cache_store_init(mem + n % 64, n) != NGX_OK
            || ngx_hyperdrive_cache_store_attach(&store, mem + n % 64)
               != NGX_OK
            || ngx_hyperdrive_cache_shard_block(&store.shards[0],
                                                store.shards[0].nblocks)
               > mem + n % 64 + n)
        {
            good = 0;
        }
    }

    ok(good, "any size and alignment: blocks stay inside");

    fresh(SIZE);
    s = store.root->seed[0];
    fresh(SIZE);
    ok(store.root->seed[0] != s, "each store has a seed of its own");

    store.root->layout++;
    ok(ngx_hyperdrive_cache_store_attach(&other, mem) == NGX_DECLINED,
       "a store of another layout is declined");

    memset(mem, 0xa5, SIZE);
    fresh(SIZE);
    ok(put(&store, 1, 1, 5000) == NGX_OK && have(1, 1, 5000) == 1
       && check(&store) == NULL, "the memory may hold anything before");
}


static void
test_values(void)
{
    size_t                        klen, vlen, i, len;
    u_char                       *p;
    ngx_uint_t                    good, held;
    ngx_hyperdrive_chain_t        chain;
    ngx_hyperdrive_block_t       *b;
    ngx_hyperdrive_cache_key_t    key;
    ngx_hyperdrive_cache_ref_t    ref;
    ngx_hyperdrive_cache_meta_t   meta;

    fresh(SIZE);

    ok(have(1, 1, 10) == 0, "what was not put is not there");

    good = 1;
    held = 1;

    for (klen = 1; klen < 700; klen += 1 + klen / 7) {

        for (vlen = 0; vlen < 1300; vlen += (vlen < 520) ? 1 : 13) {

            key = make_key_len(&store, 5, klen);

            if (put_key(&store, &key, 5, klen, vlen) != NGX_OK
                || ngx_hyperdrive_cache_store_get(&store, &key, buf,
                                                  vlen, &ref)
                   != NGX_OK
                || ref.data != buf
                || ref.store != NULL
                || ref.left != vlen
                || !same_value(buf, 5, klen, vlen))
            {
                good = 0;
                continue;
            }

            if (vlen == 0) {
                continue;
            }

            if (ngx_hyperdrive_cache_store_get(&store, &key, buf,
                                               vlen - 1, &ref)
                != NGX_OK
                || ref.data != NULL
                || ref.store != &store
                || ref.left != vlen
                || !same_held(&ref, 5, klen, vlen))
            {
                held = 0;
            }

            ngx_hyperdrive_cache_store_release(&ref);
            ngx_hyperdrive_cache_store_release(&ref);
        }
    }

    ok(good, "keys and values of all lengths are copied out whole");
    ok(held, "keys and values of all lengths are held and read whole");
    ok(check(&store) == NULL && stats(&store).held == 0, "nothing is left");

    /* a copied one is read as one piece */

    fresh(SIZE);

    key = make_key(&store, 1);
    put_key(&store, &key, 1, 1, 3000);
    ngx_hyperdrive_cache_store_get(&store, &key, buf, sizeof(buf), &ref);

    ok(ngx_hyperdrive_cache_store_read(&ref, &p, &len) == NGX_OK && p == buf
       && len == 3000
       && ngx_hyperdrive_cache_store_read(&ref, &p, &len) == NGX_DONE,
       "a copied value is one piece");

    /* in a fresh store neighbours are read together */

    put(&store, 2, 1, 100000);
    hold(&store, 2, &ref);

    ok(ngx_hyperdrive_cache_store_read(&ref, &p, &len) == NGX_OK
       && len == 100000 && same_value(p, 2, 1, len)
       && ngx_hyperdrive_cache_store_read(&ref, &p, &len) == NGX_DONE,
       "a large value in neighbouring blocks is one piece");

    ngx_hyperdrive_cache_store_release(&ref);

    /* a chain of pieces of any size, some consumed, some over the end */

    memset(&chain, 0, sizeof(chain));
    make_value(buf, 7, 7, 2000);

    for (i = 0; i < 2000; i += len) {
        len = ngx_min(2000 - i, 1 + i % 97);

        b = ngx_hyperdrive_base_block_alloc(NGX_HYPERDRIVE_BLOCK);
        b->pos += 5;
        b->last = ngx_cpymem(b->pos, buf + i, len);

        if (chain.tail) {
            chain.tail->next = b;

        } else {
            chain.head = b;
        }

        chain.tail = b;
        chain.size += len;
    }

    ngx_hyperdrive_base_chain_append(&chain, "what is more", 12);

    key = make_key(&store, 7);
    meta = make_meta(2000, HOUR);
    meta.stale_until = 11;
    meta.error_until = 22;

    ok(ngx_hyperdrive_cache_store_put(&store, &key, &meta, &chain) == NGX_OK
       && chain.size == 2012, "a chain of many pieces is put, not consumed");
    ok(have(7, 7, 2000) == 1, "and is whole");

    ngx_hyperdrive_cache_store_get(&store, &key, buf, sizeof(buf), &ref);
    ok(memcmp(&ref.meta, &meta, sizeof(meta)) == 0, "so is what is beside it");

    meta.body_len += 13;
    ok(ngx_hyperdrive_cache_store_put(&store, &key, &meta, &chain)
       == NGX_ERROR, "a value shorter than it says is an error");

    chain.failed = 1;
    meta.body_len = 10;
    ok(ngx_hyperdrive_cache_store_put(&store, &key, &meta, &chain)
       == NGX_ERROR, "a chain with bytes missing is an error");

    ngx_hyperdrive_base_chain_clear(&chain);

    ok(have(7, 7, 2000) == 1 && check(&store) == NULL,
       "the older entry has stayed");
}


static void
test_keys(void)
{
    ngx_uint_t                  i, good;
    ngx_hyperdrive_cache_key_t  a, b;
    ngx_hyperdrive_cache_ref_t  ref;

    fresh(SIZE);

    /* keys with one hash; their difference is in the last byte */

    static u_char  one[1000], two[1000];

    memset(one, 'x', sizeof(one));
    memset(two, 'x', sizeof(two));

    good = 1;

    for (i = 1; i <= 1000; i++) {
        one[i - 1] = 'a';
        two[i - 1] = 'b';

        a.data = one;
        a.len = i;
        ngx_hyperdrive_cache_key_hash(&store, &a);

        b.data = two;
        b.len = i;
        b.hash = a.hash;

        put_key(&store, &a, 1, 1, 50);

        if (ngx_hyperdrive_cache_store_get(&store, &b, buf, 50, &ref)
            != NGX_DECLINED)
        {
            good = 0;
        }

        put_key(&store, &b, 2, 2, 60);

        if (ngx_hyperdrive_cache_store_get(&store, &a, buf, 99, &ref) != NGX_OK
            || !same_value(buf, 1, 1, 50)
            || ngx_hyperdrive_cache_store_get(&store, &b, buf, 99, &ref)
               != NGX_OK
            || !same_value(buf, 2, 2, 60)
            || ngx_hyperdrive_cache_store_delete(&store, &b) != NGX_OK
            || ngx_hyperdrive_cache_store_get(&store, &b, buf, 99, &ref)
               != NGX_DECLINED
            || ngx_hyperdrive_cache_store_get(&store, &a, buf, 99, &ref)
               != NGX_OK)
        {
            good = 0;
        }

        one[i - 1] = 'x';
        two[i - 1] = 'x';
    }

    ok(good, "keys of one hash are told apart by their last byte");

    a.len = 999;
    b.data = one;
    b.len = 1000;
    a.hash = 1;
    b.hash = 1;
    a.data = one;

    put_key(&store, &a, 1, 1, 50);
    ok(ngx_hyperdrive_cache_store_get(&store, &b, buf, 99, &ref)
       == NGX_DECLINED, "and by their length");
}


static void
test_replace(void)
{
    ngx_uint_t                    used;
    ngx_hyperdrive_cache_key_t    key;
    ngx_hyperdrive_cache_ref_t    r1, r2, r3;
    ngx_hyperdrive_cache_stats_t  st;

    fresh(SIZE);

    put(&store, 1, 1, 1000);
    used = stats(&store).blocks_used;

    put(&store, 1, 2, 1000);
    st = stats(&store);

    ok(have(1, 2, 1000) == 1 && st.entries == 1 && st.blocks_used == used,
       "a new value replaces the older one, its blocks are free");

    ok(hold(&store, 1, &r1) == NGX_OK && hold(&other, 1, &r2) == NGX_OK
       && stats(&store).held == 1, "two hold an entry");

    put(&store, 1, 3, 2000);

    ok(have(1, 3, 2000) == 1 && same_held(&r1, 1, 2, 1000)
       && same_held(&r2, 1, 2, 1000) && stats(&store).entries == 1,
       "replaced meanwhile: they go on reading the older one");

    ok(hold(&other, 1, &r3) == NGX_OK && same_held(&r3, 1, 3, 2000),
       "who comes now gets the new one");

    ngx_hyperdrive_cache_store_release(&r1);

    ok(same_held(&r2, 1, 2, 1000) && stats(&store).held == 2
       && check(&store) == NULL, "one has released the older one");

    ngx_hyperdrive_cache_store_release(&r2);
    ngx_hyperdrive_cache_store_release(&r2);

    ok(stats(&store).held == 1 && check(&store) == NULL,
       "both have: it is gone");

    key = make_key(&store, 1);

    ok(ngx_hyperdrive_cache_store_delete(&store, &key) == NGX_OK
       && ngx_hyperdrive_cache_store_delete(&store, &key) == NGX_DECLINED
       && have(1, 3, 2000) == 0 && same_held(&r3, 1, 3, 2000),
       "deleted while it is held: not there, and still read");

    ngx_hyperdrive_cache_store_release(&r3);

    st = stats(&store);
    ok(st.blocks_free == st.blocks && st.held == 0 && check(&store) == NULL,
       "released: all is free");

    put(&store, 1, 1, 100);
    key = make_key(&store, 1);

    ok(ngx_hyperdrive_cache_store_delete(&store, &key) == NGX_OK
       && have(1, 1, 100) == 0 && stats(&store).blocks_used == 0,
       "an entry that nobody holds is deleted at once");
}


static void
test_time(void)
{
    ngx_uint_t                   i, good;
    ngx_hyperdrive_chain_t       chain;
    ngx_hyperdrive_cache_key_t   key;
    ngx_hyperdrive_cache_ref_t   ref, held;
    ngx_hyperdrive_cache_meta_t  meta;

    fresh(SIZE);

    memset(&chain, 0, sizeof(chain));
    memset(&meta, 0, sizeof(meta));

    good = 1;

    for (i = 0; i < 8; i++) {

        /* each time may be over, or not */

        key = make_key(&store, i);

        meta.created = ngx_hyperdrive_cache_store_now();
        meta.fresh_until = (i & 1) ? meta.created + HOUR : meta.created;
        meta.stale_until = (i & 2) ? meta.created + HOUR : meta.created - 1;
        meta.error_until = (i & 4) ? meta.created + HOUR : 0;

        ngx_hyperdrive_cache_store_put(&store, &key, &meta, &chain);

        if ((ngx_hyperdrive_cache_store_get(&store, &key, NULL, 0, &ref)
             == NGX_OK) != (i != 0))
        {
            good = 0;
        }
    }

    ok(good, "an entry is there until the last of its times is over");
    ok(stats(&store).entries == 7, "and is removed when it is met after it");

    /* over while it is held */

    put(&store, 9, 1, 1000);
    hold(&store, 9, &held);

    ngx_hyperdrive_cache_shard_entry(&store.shards[0],
                                     held.entry)->meta.fresh_until = 1;

    ok(have(9, 1, 1000) == 0 && same_held(&held, 9, 1, 1000)
       && check(&store) == NULL, "one that is held is not there, and is read");

    ngx_hyperdrive_cache_store_release(&held);
    ok(check(&store) == NULL && stats(&store).held == 0, "then it goes");

    meta.created = ngx_hyperdrive_cache_store_now();
    usleep(20000);
    ok(ngx_hyperdrive_cache_store_now() > meta.created, "the clock goes");
}


static void
test_bounds(void)
{
    size_t                        max;
    uint16_t                     *pins;
    ngx_uint_t                    i;
    ngx_hyperdrive_cache_key_t    key;
    ngx_hyperdrive_cache_ref_t    ref;
    ngx_hyperdrive_cache_stats_t  st;

    fresh(SIZE);

    max = ngx_hyperdrive_cache_store_max(&store);
    st = stats(&store);

    ok(max > SIZE / 4 / 10 * 9 && max < SIZE / 4,
       "the largest entry is a quarter of a shard");

    key = make_key_len(&store, 1, 100);

    ok(put_key(&store, &key, 1, 1, max - 100) == NGX_OK
       && ngx_hyperdrive_cache_store_get(&store, &key, buf, sizeof(buf), &ref)
          == NGX_OK
       && same_value(buf, 1, 1, max - 100), "it is stored");

    ok(put_key(&store, &key, 1, 2, max - 99) == NGX_BUSY
       && stats(&store).refused == st.refused + 1,
       "one byte more is refused, and counted");

    ok(ngx_hyperdrive_cache_store_get(&store, &key, buf, sizeof(buf), &ref)
       == NGX_OK && same_value(buf, 1, 1, max - 100),
       "the older entry has stayed");

    /* without a slot */

    ngx_hyperdrive_cache_store_attach(&other, mem);

    ok(ngx_hyperdrive_cache_store_get(&other, &key, buf, 100, &ref)
       == NGX_DECLINED && ref.store == NULL,
       "without a slot nothing is held");
    ok(put(&other, 2, 1, 10) == NGX_BUSY, "nor stored");

    key = make_key_len(&store, 1, 100);
    ok(ngx_hyperdrive_cache_store_get(&other, &key, buf, sizeof(buf), &ref)
       == NGX_OK, "but copied out");

    ngx_hyperdrive_cache_store_set_slot(&other, 100000);
    ok(put(&other, 2, 1, 10) == NGX_BUSY, "a slot too large is none");

    /* the count of pins of one slot */

    fresh(SIZE);
    put(&store, 1, 1, 100);

    for (i = 0; i < 65535; i++) {
        if (hold(&store, 1, &ref) != NGX_OK) {
            break;
        }
    }

    ok(i == 65535 && check(&store) == NULL, "65535 pins of one slot");
    ok(hold(&store, 1, &ref) == NGX_DECLINED, "one more is declined");
    ok(hold(&other, 1, &ref) == NGX_OK, "but not to another slot");

    pins = (uint16_t *) ngx_hyperdrive_cache_shard_block(
                            &store.shards[0],
                            ngx_hyperdrive_cache_shard_entry(
                                &store.shards[0], ref.entry)->pins);
    ok(pins[3] == 65535 && pins[4] == 1, "each has its own count");

    ngx_hyperdrive_cache_store_reclaim(&store, 3);
    ok(check(&store) == NULL && stats(&store).held == 1, "one is reclaimed");

    ngx_hyperdrive_cache_store_release(&ref);
    ok(check(&store) == NULL && stats(&store).held == 0, "one is released");
}


static ngx_uint_t
count(uint32_t from, uint32_t to)
{
    ngx_uint_t                  n;
    ngx_hyperdrive_cache_key_t  key;
    ngx_hyperdrive_cache_ref_t  ref;

    n = 0;

    for ( /* void */ ; from < to; from++) {
        key = make_key(&store, from);

        if (ngx_hyperdrive_cache_store_get(&store, &key, buf, sizeof(buf),
                                           &ref)
            == NGX_OK)
        {
            n++;
        }
    }

    return n;
}


static void
test_eviction(void)
{
    uint32_t                      i, n;
    ngx_uint_t                    hot, good, entries;
    ngx_hyperdrive_cache_key_t    key;
    ngx_hyperdrive_cache_ref_t    ref[64], one;
    ngx_hyperdrive_cache_stats_t  st;

    fresh(SIZE);

    /* ten times as much as there is room */

    for (i = 0; i < 30000; i++) {
        if (put(&store, i, 1, 300) != NGX_OK) {
            break;
        }
    }

    st = stats(&store);

    ok(i == 30000 && st.blocks_used + st.blocks_free == st.blocks
       && st.blocks_free < 8 && st.evicted == 30000 - st.entries,
       "a full zone evicts");
    ok(check(&store) == NULL, "and is in order");

    /* a scan of new keys leaves what is in use alone */

    fresh(SIZE);

    hot = st.entries / 2;

    for (i = 0; i < hot; i++) {
        put(&store, i, 1, 300);
    }

    ok(count(0, hot) == hot, "half a zone of entries in use");

    for (i = 1000000; i < 1000000 + 20 * (uint32_t) st.entries; i++) {
        put(&store, i, 1, 300);
    }

    n = count(0, hot);
    okf(n >= hot / 100 * 97, "%d of %d are left after a scan of %d new keys",
        (int) n, (int) hot, (int) (20 * st.entries));

    /* also if it comes again and again, beside ordinary use */

    for (i = 2000000; i < 2000000 + 20 * (uint32_t) st.entries; i++) {
        put(&store, i, 1, 300);

        n = rnd(hot);
        key = make_key(&store, n);

        if (ngx_hyperdrive_cache_store_get(&store, &key, buf, sizeof(buf),
                                           &one)
            != NGX_OK)
        {
            put(&store, n, 1, 300);
        }
    }

    n = count(0, hot);
    okf(n >= hot / 100 * 97, "%d of %d are left beside ordinary use", (int) n,
        (int) hot);

    ok(check(&store) == NULL, "all in order");

    /* what was evicted unused and comes again has a place */

    i = 3000000;
    put(&store, i, 1, 300);

    for (n = i + 1; have(i, 1, 300) == 1 && n < i + 10000; n++) {

        /* have() is a hit: taken back, for the entry to be unused */
        key = make_key(&store, i);
        ngx_hyperdrive_cache_shard_entry(&store.shards[0],
            ngx_hyperdrive_cache_shard_find_locked(&store.shards[0], &key))
            ->visited = 0;

        put(&store, n, 1, 300);
    }

    okf(n > i + 10 && n < i + 10000, "an unused entry is evicted after %d more",
        (int) (n - i));

    put(&store, i, 2, 300);
    key = make_key(&store, i);
    n = ngx_hyperdrive_cache_shard_find_locked(&store.shards[0], &key);

    ok(n && ngx_hyperdrive_cache_shard_entry(&store.shards[0], n)->list
            == NGX_HYPERDRIVE_CACHE_SHARD_MAIN,
       "when it comes again it goes to the main queue");

    /* a value that is larger than the small queue */

    entries = stats(&store).entries;

    ok(put(&store, 5000000, 1, SIZE / 5) == NGX_BUSY
       && stats(&store).entries == entries,
       "a large new value is not stored in a full zone");
    ok(put(&store, 5000000, 1, SIZE / 5) == NGX_OK
       && have(5000000, 1, SIZE / 5) == 1, "it is when it comes again");

    ok(check(&store) == NULL, "all in order");

    /* entries that are held are not evicted */

    fresh(SIZE);
    good = 1;

    for (i = 0; i < 64; i++) {
        put(&store, i, 1, 3000);
        hold(i % 2 ? &store : &other, i, &ref[i]);
    }

    for (i = 100; i < 10000; i++) {
        put(&store, i, 1, 500);
    }

    for (i = 0; i < 64; i++) {
        if (!same_held(&ref[i], i, 1, 3000) || have(i, 1, 3000) != 1) {
            good = 0;
        }
    }

    ok(good, "held entries are not evicted");
    ok(check(&store) == NULL && stats(&store).held == 64, "all in order");

    for (i = 0; i < 64; i++) {
        ngx_hyperdrive_cache_store_release(&ref[i]);
    }

    ok(check(&store) == NULL && stats(&store).held == 0, "all are released");

    /* all of the zone is held */

    fresh(64 * 1024);

    for (i = 0; i < 64; i++) {
        put(&store, i, 1, 10000);

        if (hold(&store, i, &ref[i]) != NGX_OK) {
            break;
        }
    }

    n = i;
    okf(n >= 3 && n < 64, "a small zone, %d large values are held", (int) n);

    ok(put(&store, 1000, 1, 10000) == NGX_BUSY, "nothing can be freed: busy");

    for (i = 2000; put(&store, i, 1, 10) == NGX_OK; i++) {

        key = make_key(&store, i);

        if (ngx_hyperdrive_cache_store_get(&store, &key, NULL, 0, &one)
            != NGX_OK)
        {
            break;
        }

        if (i == 2999) {
            break;
        }
    }

    ok(i < 2999 && check(&store) == NULL && have(0, 1, 10000) == 1,
       "until the last block");

    ngx_hyperdrive_cache_store_reclaim(&store, 3);
    st = stats(&store);
    ok(check(&store) == NULL && st.held == 0, "all is released at once");
}


/* every third one, by its number in front of the key */

static ngx_uint_t
every_third(void *data, ngx_str_t *key)
{
    uint32_t  id, *seen = data;

    memcpy(&id, key->data, sizeof(id));

    *seen += (key->len == 4 + id * 37 % 300
              && key->data[key->len - 1] == (key->len > 4 ? 'k' : id >> 24));

    return id % 3 == 0;
}


static void
test_purge_if(void)
{
    uint32_t                    id, seen, before, after;
    ngx_uint_t                  wrong, purged;
    ngx_hyperdrive_cache_key_t  key;
    ngx_hyperdrive_cache_ref_t  ref;

    static u_char  buf[4096];

    ngx_hyperdrive_cache_store_purge(&store);

    before = 0;
    after = 0;
    seen = 0;
    wrong = 0;

    for (id = 0; id < 90; id++) {
        before += (put(&store, id, 1, 500) == NGX_OK);
    }

    purged = ngx_hyperdrive_cache_store_purge_if(&store, every_third, &seen);

    for (id = 0; id < 90; id++) {
        key = make_key(&store, id);

        if (ngx_hyperdrive_cache_store_get(&store, &key, buf, sizeof(buf),
                                           &ref)
            == NGX_OK)
        {
            after++;
            wrong += (id % 3 == 0);
        }
    }

    ok(before == 90 && seen == 90, "a purge by key is asked for each, whole");
    ok(purged == 30 && after == 60 && wrong == 0,
       "and takes out what it is told to");
}


static void
test_purge(void)
{
    uint32_t                      i, n;
    ngx_hyperdrive_cache_key_t    key;
    ngx_hyperdrive_cache_ref_t    r1, r2, r3;
    ngx_hyperdrive_cache_meta_t   meta;
    ngx_hyperdrive_cache_shard_t *shard;
    ngx_hyperdrive_cache_stats_t  st;

    fresh(SIZE);
    shard = &store.shards[0];

    for (i = 0; i < 500; i++) {
        put(&store, i, 1, 1000);
    }

    hold(&store, 100, &r1);
    hold(&other, 100, &r2);
    hold(&other, 200, &r3);

    /* a fill that has begun */

    key = make_key(&store, 300);
    meta = make_meta(500, HOUR);

    ok(ngx_hyperdrive_cache_shard_reserve_locked(shard, &key, &meta, 3,
                                            ngx_hyperdrive_cache_store_now(),
                                            &n)
       == NGX_OK && check(&store) == NULL, "a fill begins");

    ngx_hyperdrive_cache_store_purge(&store);

    ok(check(&store) == NULL && stats(&store).entries == 0
       && stats(&store).held == 3 && count(0, 500) == 0,
       "purge leaves nothing to be found");
    ok(same_held(&r1, 100, 1, 1000) && same_held(&r3, 200, 1, 1000),
       "what is held is read on");

    ok(ngx_hyperdrive_cache_shard_publish_locked(shard, &key, n) == NGX_BUSY
       && check(&store) == NULL && stats(&store).held == 2,
       "a fill that began before is not published");

    /* the blocks that are held are not given out */

    for (i = 0; i < 10000; i++) {
        put(&store, i, 2, 1000);
    }

    ok(same_held(&r1, 100, 1, 1000) && same_held(&r2, 100, 1, 1000)
       && same_held(&r3, 200, 1, 1000) && check(&store) == NULL,
       "nor overwritten");

    ngx_hyperdrive_cache_store_purge(&store);
    ngx_hyperdrive_cache_store_release(&r1);
    ngx_hyperdrive_cache_store_purge(&store);
    ngx_hyperdrive_cache_store_release(&r3);

    ok(check(&store) == NULL && same_held(&r2, 100, 1, 1000),
       "purged again between releases");

    ngx_hyperdrive_cache_store_release(&r2);

    st = stats(&store);
    ok(st.blocks_free == st.blocks && check(&store) == NULL && st.held == 0,
       "all is free in the end");

    for (i = 0; i < 10000; i++) {
        put(&store, i, 3, 1000);
    }

    ok(check(&store) == NULL, "and is used again");
}


static void
test_reclaim(void)
{
    uint32_t                      i, n;
    ngx_hyperdrive_cache_key_t    key;
    ngx_hyperdrive_cache_ref_t    r1, r2, r3;
    ngx_hyperdrive_cache_meta_t   meta;
    ngx_hyperdrive_cache_shard_t *shard;
    ngx_hyperdrive_cache_stats_t  st;

    fresh(SIZE);
    shard = &store.shards[0];

    put(&store, 1, 1, 5000);
    put(&store, 2, 1, 5000);

    hold(&store, 1, &r1);
    hold(&other, 1, &r2);

    for (i = 0; i < 10; i++) {
        hold(&other, 1, &r3);
        hold(&other, 2, &r3);
    }

    key = make_key(&store, 3);
    meta = make_meta(50000, HOUR);

    ngx_hyperdrive_cache_shard_reserve_locked(shard, &key, &meta, 4,
                                         ngx_hyperdrive_cache_store_now(), &n);

    ok(check(&store) == NULL && stats(&store).held == 3,
       "a slot holds two entries and fills one");

    ngx_hyperdrive_cache_store_reclaim(&store, 4);

    ok(check(&store) == NULL && stats(&store).held == 1,
       "it is reclaimed by another");
    ok(same_held(&r1, 1, 1, 5000), "whose own hold stays");

    ngx_hyperdrive_cache_store_reclaim(&store, 4);
    ngx_hyperdrive_cache_store_reclaim(&store, 77);
    ngx_hyperdrive_cache_store_reclaim(&store, 100000);

    ok(check(&store) == NULL && stats(&store).held == 1
       && same_held(&r1, 1, 1, 5000), "a second time does nothing");

    ok(have(1, 1, 5000) == 1 && have(2, 1, 5000) == 1,
       "the entries are still there");

    /* one's own, at exit */

    ngx_hyperdrive_cache_store_reclaim(&store, 3);
    ngx_hyperdrive_cache_store_release(&r1);

    ok(check(&store) == NULL && stats(&store).held == 0,
       "one's own slot: a late release does nothing");
    ok(put(&store, 1, 2, 10) == NGX_BUSY, "and nothing is stored after it");

    ngx_hyperdrive_cache_store_purge(&store);
    st = stats(&store);
    ok(st.blocks_free == st.blocks, "all is free");
}


static void
test_death(void)
{
    int                           status;
    pid_t                         pid;
    uint32_t                      i;
    ngx_hyperdrive_cache_ref_t    ref;
    ngx_hyperdrive_cache_stats_t  st;

    fresh(SIZE);

    for (i = 0; i < 300; i++) {
        put(&store, i, 1, 1000);
    }

    hold(&store, 10, &ref);

    pid = fork();

    if (pid == 0) {
        ngx_hyperdrive_cache_shard_lock(&store.shards[0]);
        memset(store.shards[0].buckets, 0xff, 4000);
        memset(&store.shards[0].header->free, 0xff, 3 * sizeof(uint32_t));
        memset(&store.shards[0].header->lists[0], 0xff,
               2 * sizeof(ngx_hyperdrive_cache_shard_list_t));
        kill(getpid(), SIGKILL);
    }

    waitpid(pid, &status, 0);

    ok(have(1, 1, 1000) == 0, "a process died in the midst: the shard is "
                              "empty");

    st = stats(&store);
    ok(st.recovered == 1 && st.entries == 0 && st.held == 1
       && check(&store) == NULL, "it is in order, and counted");
    ok(same_held(&ref, 10, 1, 1000), "what is held is read on");

    for (i = 0; i < 10000; i++) {
        put(&store, i, 2, 1000);
    }

    ok(same_held(&ref, 10, 1, 1000) && check(&store) == NULL,
       "and not overwritten");

    ngx_hyperdrive_cache_store_release(&ref);
    ok(check(&store) == NULL && stats(&store).held == 0, "and released");
}


/*
 * Any operations in any order, compared with what is known: an entry may be
 * missing, but never be an older one or another's.
 */

#define KEYS   3000
#define HOLDS  40

static void
test_random(size_t size)
{
    size_t                        len;
    uint32_t                      i, id, n;
    ngx_uint_t                    hits, misses, wrong;
    ngx_hyperdrive_cache_key_t    key;
    ngx_hyperdrive_cache_ref_t    ref;
    ngx_hyperdrive_cache_stats_t  st;
    ngx_hyperdrive_cache_store_t *s;

    static uint32_t  version[KEYS];
    static size_t    length[KEYS];

    static struct {
        ngx_hyperdrive_cache_ref_t   ref;
        uint32_t                     id;
        uint32_t                     version;
        size_t                       len;
    } held[HOLDS];

    memset(version, 0, sizeof(version));
    memset(held, 0, sizeof(held));

    fresh(size);

    hits = 0;
    misses = 0;
    wrong = 0;

    for (i = 1; i < 60000; i++) {

        s = rnd(2) ? &store : &other;
        id = rnd(4) ? rnd(KEYS / 10) : rnd(KEYS);
        key = make_key(s, id);
        n = rnd(10000) ? rnd(1000) + 1 : 0;

        if (n == 0) {
            ngx_hyperdrive_cache_store_purge(s);
            memset(version, 0, sizeof(version));

        } else if (n < 300) {
            len = rnd(20) ? rnd(900)
                          : rnd(ngx_hyperdrive_cache_store_max(s) + 1000);

            if (put(s, id, i, len) == NGX_OK) {
                version[id] = i;
                length[id] = len;
            }

        } else if (n < 330) {
            (void) ngx_hyperdrive_cache_store_delete(s, &key);
            version[id] = 0;

        } else if (n < 500) {
            n = rnd(HOLDS);

            if (held[n].ref.store) {

                if (!same_held(&held[n].ref, held[n].id, held[n].version,
                               held[n].len))
                {
                    wrong++;
                }

                ngx_hyperdrive_cache_store_release(&held[n].ref);
            }

            if (ngx_hyperdrive_cache_store_get(s, &key, NULL, 0, &held[n].ref)
                == NGX_OK)
            {
                held[n].id = id;
                held[n].version = version[id];
                held[n].len = length[id];
            }

        } else {

            if (ngx_hyperdrive_cache_store_get(s, &key, buf, sizeof(buf), &ref)
                == NGX_OK)
            {
                hits++;

                if (version[id] == 0 || ref.left != length[id]
                    || !same_value(buf, id, version[id], length[id]))
                {
                    wrong++;
                }

            } else {
                misses++;
            }
        }

        if (i % 1000 == 0 && check(&store) != NULL) {
            wrong++;
            break;
        }
    }

    okf(wrong == 0, "60000 random operations in %d kB: %d hits, %d misses, "
        "none wrong", (int) (size / 1024), (int) hits, (int) misses);

    for (i = 0; i < HOLDS; i++) {
        ngx_hyperdrive_cache_store_release(&held[i].ref);
    }

    ngx_hyperdrive_cache_store_purge(&store);

    st = stats(&store);
    ok(check(&store) == NULL && st.held == 0 && st.blocks_free == st.blocks,
       "nothing is left of them");
}


int
main(void)
{
    mem = area(330 * 1024 * 1024);

    test_hash();
    test_init();
    test_values();
    test_keys();
    test_replace();
    test_time();
    test_bounds();
    test_eviction();
    test_purge();
    test_purge_if();
    test_reclaim();
    test_death();
    test_random(64 * 1024);
    test_random(SIZE);
    test_random(8 * 1024 * 1024);

    return done();
}
