
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_CACHE_SHARD_H_INCLUDED_
#define _NGX_HYPERDRIVE_CACHE_SHARD_H_INCLUDED_


#include "ngx_hyperdrive.h"
#include "cache/ngx_hyperdrive_cache_store.h"
#include "shm/ngx_hyperdrive_shm_mutex.h"


/*
 * One shard of a store, and the layout of a zone; private to the room.
 *
 *   root | shard | shard | ...
 *
 *   shard:  header   mutex, lists, counters
 *           buckets  of the hash table: first entry
 *           link     of each block: the next one of its row, or of the free
 *           kept     a bit a block, see _reset_locked()
 *           ghosts   keys that were lately evicted
 *           blocks
 *
 * A block is named by its number; 0 is no block, so that zeroed memory is an
 * empty shard.  A row is the blocks of one value.  Its first block begins with
 * the entry itself, whose number is that of the block; the key follows, then
 * the value.  There is no table of entries apart, and so no guess how many
 * blocks an entry takes.  The links stand outside the blocks, so neighbours in
 * a row that are neighbours in memory are read as one piece; if all are, the
 * entry says so, and a hit looks at no link.
 *
 * No step may leave a held row behind when a process is killed between any
 * two instructions: see _push_locked() and _reset_locked().
 */


/* raised when any of the structures below changes */
#define NGX_HYPERDRIVE_CACHE_SHARD_LAYOUT   2

/*
 * A one-row answer with its key takes 300 to 700 bytes with the entry: two or
 * three blocks of this size, with half a block lost.  Blocks of 512 would lose
 * twice as much.
 */
#define NGX_HYPERDRIVE_CACHE_SHARD_BLOCK    256

/* shards: one for every 4 MB, a power of two; a value has a quarter of one */
#define NGX_HYPERDRIVE_CACHE_SHARD_SHARDS   64
#define NGX_HYPERDRIVE_CACHE_SHARD_SIZE     (4 * 1024 * 1024)

/* the smallest shard, in blocks */
#define NGX_HYPERDRIVE_CACHE_SHARD_MIN      32

/* ghosts in a set; a set is one cache line */
#define NGX_HYPERDRIVE_CACHE_SHARD_WAYS     8

#define NGX_HYPERDRIVE_CACHE_SHARD_LINE     64


/*
 * The list that an entry is on.  HELD: not on any queue, eviction does not
 * meet it; the entry is pinned, or it is being filled.
 */

typedef enum {
    NGX_HYPERDRIVE_CACHE_SHARD_SMALL = 0,
    NGX_HYPERDRIVE_CACHE_SHARD_MAIN,
    NGX_HYPERDRIVE_CACHE_SHARD_HELD,
    NGX_HYPERDRIVE_CACHE_SHARD_LISTS
} ngx_hyperdrive_cache_shard_list_e;


typedef struct {
    uint32_t                     chain;     /* next entry of the bucket */
    uint32_t                     next;      /* of its list */
    uint32_t                     prev;
    uint32_t                     key_len;
    uint64_t                     hash;
    uint32_t                     row;       /* second block */
    uint32_t                     last;      /* last block, maybe the first */
    uint32_t                     blocks;
    uint32_t                     refs;      /* pins of all slots */
    uint32_t                     pins;      /* block: pins of each slot */
    uint16_t                     owner;     /* if filling: slot */
    uint16_t                     list:2;
    uint16_t                     filling:1; /* not in a bucket yet */
    uint16_t                     known:1;   /* if filling: goes to MAIN */
    uint16_t                     visited:1; /* hit since it was last passed */
    uint16_t                     doomed:1;  /* freed when nobody holds it */
    uint16_t                     flat:1;    /* its blocks are neighbours */
    ngx_hyperdrive_cache_meta_t  meta;
    u_char                       data[];    /* key, value */
} ngx_hyperdrive_cache_shard_entry_t;


typedef struct {
    uint32_t                     head;      /* the newest */
    uint32_t                     tail;
    uint32_t                     entries;
    uint32_t                     blocks;
} ngx_hyperdrive_cache_shard_list_t;


typedef struct {
    uint32_t                     print;     /* part of the hash */
    uint32_t                     time;      /* in ghosts, see header */
} ngx_hyperdrive_cache_shard_ghost_t;


/* the first lines of a shard in shared memory; a hit writes the first only */

typedef struct {
    union {
        ngx_hyperdrive_shm_mutex_t         mutex;
        u_char          line[NGX_HYPERDRIVE_CACHE_SHARD_LINE];
    } u;

    uint32_t                               free;    /* list of free blocks */
    uint32_t                               fresh;   /* from here on all are
                                                       free, but the kept */
    uint32_t                               nfree;
    uint32_t                               entries; /* in buckets */
    ngx_hyperdrive_cache_shard_list_t
                                    lists[NGX_HYPERDRIVE_CACHE_SHARD_LISTS];
    uint32_t                               ghosts;  /* ever added */
    uint32_t                               unused;

    uint64_t                               inserted;
    uint64_t                               evicted;
    uint64_t                               refused;
    uint64_t                               recovered;
} ngx_hyperdrive_cache_shard_header_t;


/* where the parts of a shard are in this process */

typedef struct {
    ngx_hyperdrive_cache_shard_header_t   *header;
    uint32_t                              *buckets;
    uint32_t                              *link;
    uint64_t                              *kept;
    ngx_hyperdrive_cache_shard_ghost_t    *ghosts;
    u_char                                *blocks;

    uint32_t                               nblocks; /* block 0 among them */
    uint32_t                               nsets;   /* of ghosts */
    uint32_t                               small;   /* blocks for newcomers */
    uint32_t                               max;     /* blocks of one row */
} ngx_hyperdrive_cache_shard_t;


/* the first bytes of the zone; never change after _store_init() */

typedef struct {
    uint64_t                               magic;
    uint32_t                               layout;
    uint32_t                               shards;
    uint64_t                               size;        /* from root to end */
    uint64_t                               shard_size;
    uint64_t                               seed[2];
} ngx_hyperdrive_cache_shard_root_t;


/* what a process knows of a zone */

struct ngx_hyperdrive_cache_store_s {
    ngx_hyperdrive_cache_shard_root_t     *root;
    ngx_uint_t                             slot;
    uint32_t                               nshards;
    ngx_uint_t                             declared;
    ngx_str_t                              name;
    size_t                                 size;
    ngx_hyperdrive_cache_shard_t
                                   shards[NGX_HYPERDRIVE_CACHE_SHARD_SHARDS];
};


#define ngx_hyperdrive_cache_shard_block(shard, n)                            \
    ((shard)->blocks + (size_t) (n) * NGX_HYPERDRIVE_CACHE_SHARD_BLOCK)

#define ngx_hyperdrive_cache_shard_entry(shard, n)                            \
    ((ngx_hyperdrive_cache_shard_entry_t *)                                   \
         ngx_hyperdrive_cache_shard_block(shard, n))

/* length of a value */
#define ngx_hyperdrive_cache_shard_len(meta)                                  \
    ((size_t) (meta)->stamp_len + (meta)->head_len + (meta)->body_len)

/* the last of the three times is over */
#define ngx_hyperdrive_cache_shard_over(meta, now)                            \
    ((meta)->fresh_until <= (now) && (meta)->stale_until <= (now)             \
     && (meta)->error_until <= (now))

/* a part of a hash, as a number below <n> */
#define ngx_hyperdrive_cache_shard_below(part, n)                             \
    ((uint32_t) (((uint64_t) (uint32_t) (part) * (n)) >> 32))

/* the bucket of a key, the shard of a key: of independent bits */
#define ngx_hyperdrive_cache_shard_bucket(shard, hash)                        \
    ngx_hyperdrive_cache_shard_below(hash, (shard)->nblocks)

#define ngx_hyperdrive_cache_shard_index(hash, n)                             \
    ngx_hyperdrive_cache_shard_below((hash) >> 32, n)

/*
 * Orders the writes of this process for those who come after its death.  They
 * see what it wrote in program order: the compiler alone must not reorder.
 */
#define ngx_hyperdrive_cache_shard_fence()                                    \
    __atomic_signal_fence(__ATOMIC_SEQ_CST)


/*
 * For tests: the process dies in critical sections, at the step with the armed
 * number when it comes there for the armed time.
 */

#if (NGX_HYPERDRIVE_FAULTS)

#define NGX_HYPERDRIVE_CACHE_SHARD_STEPS  29

extern ngx_uint_t  ngx_hyperdrive_cache_shard_fault;
extern ngx_uint_t  ngx_hyperdrive_cache_shard_fault_count;

void ngx_hyperdrive_cache_shard_die(ngx_uint_t n);

#define NGX_HYPERDRIVE_FAULT(n)  ngx_hyperdrive_cache_shard_die(n)

#else

#define NGX_HYPERDRIVE_FAULT(n)

#endif


/*
 * Finds where the parts of a shard of <size> bytes at <mem> are; <mem> is
 * aligned to a cache line.  NGX_ERROR: too small.
 */
ngx_int_t ngx_hyperdrive_cache_shard_map(ngx_hyperdrive_cache_shard_t *shard,
    u_char *mem, size_t size);

/* an empty shard; the memory may hold anything */
ngx_int_t ngx_hyperdrive_cache_shard_init(ngx_hyperdrive_cache_shard_t *shard);

/* if the process that held the lock has died, the shard is empty afterwards */
void ngx_hyperdrive_cache_shard_lock(ngx_hyperdrive_cache_shard_t *shard);
void ngx_hyperdrive_cache_shard_unlock(ngx_hyperdrive_cache_shard_t *shard);

/* number of the entry; 0: not there */
uint32_t ngx_hyperdrive_cache_shard_find_locked(
    ngx_hyperdrive_cache_shard_t *shard, ngx_hyperdrive_cache_key_t *key);

/* takes an entry out; if it is held, its memory stays until it is not */
void ngx_hyperdrive_cache_shard_remove_locked(
    ngx_hyperdrive_cache_shard_t *shard, uint32_t n);

/* the same for one whose time is over: its key is known if it comes again */
void ngx_hyperdrive_cache_shard_expire_locked(
    ngx_hyperdrive_cache_shard_t *shard, uint32_t n);

/* NGX_DECLINED: cannot be recorded */
ngx_int_t ngx_hyperdrive_cache_shard_pin_locked(
    ngx_hyperdrive_cache_shard_t *shard, uint32_t n, ngx_uint_t slot,
    uint64_t now);
void ngx_hyperdrive_cache_shard_unpin_locked(
    ngx_hyperdrive_cache_shard_t *shard, uint32_t n, ngx_uint_t slot,
    ngx_uint_t count);

/*
 * A new entry in three steps: _reserve_locked() makes room and records <slot>
 * as the one that fills it; _row_write() without the lock; _publish_locked().
 * NGX_BUSY: refused, and nothing is held any more.
 */
ngx_int_t ngx_hyperdrive_cache_shard_reserve_locked(
    ngx_hyperdrive_cache_shard_t *shard, ngx_hyperdrive_cache_key_t *key,
    ngx_hyperdrive_cache_meta_t *meta, ngx_uint_t slot, uint64_t now,
    uint32_t *np);
ngx_int_t ngx_hyperdrive_cache_shard_publish_locked(
    ngx_hyperdrive_cache_shard_t *shard, ngx_hyperdrive_cache_key_t *key,
    uint32_t n);

/* releases all that <slot> holds */
void ngx_hyperdrive_cache_shard_reclaim_locked(
    ngx_hyperdrive_cache_shard_t *shard, ngx_uint_t slot);

/* puts an entry at the head of a list; takes it off the list that it is on */
void ngx_hyperdrive_cache_shard_push_locked(
    ngx_hyperdrive_cache_shard_t *shard, uint32_t n,
    ngx_hyperdrive_cache_shard_list_e which);
void ngx_hyperdrive_cache_shard_unlink_locked(
    ngx_hyperdrive_cache_shard_t *shard, uint32_t n);

/* empties the shard, whatever state it is in; what is held stays in memory */
void ngx_hyperdrive_cache_shard_reset_locked(
    ngx_hyperdrive_cache_shard_t *shard);


#endif /* _NGX_HYPERDRIVE_CACHE_SHARD_H_INCLUDED_ */
