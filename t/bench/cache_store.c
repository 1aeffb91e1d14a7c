/* sources: cache/ngx_hyperdrive_cache_store.c cache/ngx_hyperdrive_cache_shard.c cache/ngx_hyperdrive_cache_row.c cache/ngx_hyperdrive_cache_evict.c base/ngx_hyperdrive_base_hash.c base/ngx_hyperdrive_base_chain.c shm/ngx_hyperdrive_shm_mutex.c */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * What a hit costs: nanoseconds with 10 and with 1,000,000 entries, and beside
 * them what the memory of the machine costs for the same bytes.  Asserts
 * nothing; to be compiled with -O2 and without sanitizers.
 */


#include "cache/ngx_hyperdrive_cache_store.h"
#include "cache/ngx_hyperdrive_cache_shard.h"

#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>


#define KEY    150
#define VALUE  200


static ngx_hyperdrive_cache_store_t  store;
static u_char                       *mem;
static u_char                        key_buf[KEY];
static u_char                        buf[NGX_HYPERDRIVE_BLOCK];


static double
seconds(void)
{
    struct timespec  ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);

    return ts.tv_sec + ts.tv_nsec / 1e9;
}


static uint32_t
mix(uint32_t n)
{
    n ^= n >> 16;
    n *= 0x7feb352dU;
    n ^= n >> 15;
    n *= 0x846ca68bU;

    return n ^ n >> 16;
}


static ngx_hyperdrive_cache_key_t
make_key(uint32_t id)
{
    ngx_hyperdrive_cache_key_t  key;

    memcpy(key_buf + 100, &id, sizeof(id));

    key.data = key_buf;
    key.len = sizeof(key_buf);

    ngx_hyperdrive_cache_key_hash(&store, &key);

    return key;
}


static double
fill(uint32_t entries, size_t size)
{
    double                       start;
    uint32_t                     i;
    ngx_hyperdrive_chain_t       chain;
    ngx_hyperdrive_cache_key_t   key;
    ngx_hyperdrive_cache_meta_t  meta;

    memset(&chain, 0, sizeof(chain));
    memset(&meta, 0, sizeof(meta));

    meta.fresh_until = ngx_hyperdrive_cache_store_now() + 3600000;
    meta.body_len = size;

    memset(buf, 'v', sizeof(buf));

    while (chain.size < size) {
        ngx_hyperdrive_base_chain_append(&chain, buf,
                                 ngx_min(sizeof(buf), size - chain.size));
    }

    start = seconds();

    for (i = 0; i < entries; i++) {
        key = make_key(i);
        (void) ngx_hyperdrive_cache_store_put(&store, &key, &meta, &chain);
    }

    start = (seconds() - start) / entries * 1e9;

    ngx_hyperdrive_base_chain_clear(&chain);

    return start;
}


/* nanoseconds for a hit; the keys come in no order */

static double
hits(uint32_t entries, uint32_t times, size_t size, ngx_uint_t *found)
{
    double                      start;
    size_t                      len;
    u_char                     *data;
    uint32_t                    i;
    ngx_hyperdrive_cache_key_t  key;
    ngx_hyperdrive_cache_ref_t  ref;

    *found = 0;
    start = seconds();

    for (i = 0; i < times; i++) {
        key = make_key(mix(i) % entries);

        if (ngx_hyperdrive_cache_store_get(&store, &key, buf, size, &ref)
            == NGX_OK)
        {
            (*found)++;

            if (ref.store) {
                while (ngx_hyperdrive_cache_store_read(&ref, &data, &len)
                       == NGX_OK)
                {
                    /* void */
                }

                ngx_hyperdrive_cache_store_release(&ref);
            }
        }
    }

    return (seconds() - start) / times * 1e9;
}


static double
hashes(uint32_t entries, uint32_t times)
{
    double    start;
    uint32_t  i;
    uint64_t  sum;

    sum = 0;
    start = seconds();

    for (i = 0; i < times; i++) {
        sum += make_key(mix(i) % entries).hash;
    }

    start = (seconds() - start) / times * 1e9;

    return sum ? start : 0;
}


/* what the bytes of a hit cost at a place known before: two loads, a copy */

static double
memory(size_t size, uint32_t times)
{
    double     start;
    size_t     n;
    u_char    *p;
    uint32_t   i, x;

    n = size / 512;
    x = 0;
    start = seconds();

    for (i = 0; i < times; i++) {
        p = mem + (size_t) ((mix(i) + x) % n) * 512;
        x = p[0] & 1;
        p = mem + (size_t) ((mix(i ^ 0x5555) + x) % n) * 512;
        memcpy(buf, p, VALUE + KEY);
        x = buf[0] & 1;
    }

    return (seconds() - start) / times * 1e9;
}


static void
run(uint32_t entries, size_t size)
{
    double                        t;
    uint32_t                      times;
    ngx_uint_t                    found;
    ngx_hyperdrive_cache_stats_t  st;

    ngx_hyperdrive_cache_store_init(mem, size);
    ngx_hyperdrive_cache_store_attach(&store, mem);
    ngx_hyperdrive_cache_store_set_slot(&store, 0);

    times = 3000000;

    t = fill(entries, VALUE);
    ngx_hyperdrive_cache_store_stats(&store, &st);

    printf("%u entries, %d bytes of key, %d of value: %d shards, "
           "%d bytes of blocks an entry\n", entries, KEY, VALUE,
           (int) st.shards, (int) (st.blocks_used * st.block / st.entries));

    printf("  put               %7.1f ns\n", t);

    (void) hits(entries, times / 10, sizeof(buf), &found);

    t = hits(entries, times, sizeof(buf), &found);
    printf("  key hash and hit  %7.1f ns  (%.1f %% found)\n", t,
           100.0 * found / times);
    printf("  key hash alone    %7.1f ns\n", hashes(entries, times));

    t = hits(entries, times, 0, &found);
    printf("  held and released %7.1f ns, with the key hash\n", t);
    printf("  two misses and a copy in memory of %d MB %7.1f ns\n",
           (int) ((st.blocks_used * st.block) >> 20),
           memory(ngx_max(st.blocks_used * st.block, 4096), times));
}


static void
large(void)
{
    ngx_uint_t  found;

    ngx_hyperdrive_cache_store_init(mem, 64 * 1024 * 1024);
    ngx_hyperdrive_cache_store_attach(&store, mem);
    ngx_hyperdrive_cache_store_set_slot(&store, 0);

    printf("20 entries of 500000 bytes\n");
    printf("  put               %7.1f us\n", fill(20, 500000) / 1000);
    printf("  held and released %7.1f us\n",
           hits(20, 100000, sizeof(buf), &found) / 1000);
}


/* processes that hit ten entries at the same time */

static void
crowd(ngx_uint_t n)
{
    double      t;
    ngx_uint_t  i, found;

    ngx_hyperdrive_cache_store_init(mem, 64 * 1024 * 1024);
    ngx_hyperdrive_cache_store_attach(&store, mem);
    ngx_hyperdrive_cache_store_set_slot(&store, 0);
    (void) fill(10, VALUE);

    printf("10 entries, %d processes\n", (int) n);
    fflush(stdout);

    for (i = 0; i < n; i++) {
        if (fork() == 0) {
            t = hits(10, 3000000, sizeof(buf), &found);
            printf("  key hash and hit  %7.1f ns\n", t);
            fflush(stdout);
            _exit(0);
        }
    }

    while (wait(NULL) > 0) {
        /* void */
    }
}


int
main(void)
{
    size_t  size;

    size = 768 * 1024 * 1024;

    mem = mmap(NULL, size, PROT_READ|PROT_WRITE,
               MAP_SHARED|MAP_ANONYMOUS|MAP_NORESERVE, -1, 0);

    if (mem == MAP_FAILED) {
        perror("mmap");
        return 2;
    }

    memset(key_buf, 'k', sizeof(key_buf));

    run(10, 64 * 1024 * 1024);
    run(1000000, size);
    large();
    crowd(2);

    return 0;
}
