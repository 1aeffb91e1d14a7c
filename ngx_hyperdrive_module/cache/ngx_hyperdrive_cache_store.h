
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_CACHE_STORE_H_INCLUDED_
#define _NGX_HYPERDRIVE_CACHE_STORE_H_INCLUDED_


#include "ngx_hyperdrive.h"
#include "base/ngx_hyperdrive_base_chain.h"


typedef struct ngx_hyperdrive_cache_store_s  ngx_hyperdrive_cache_store_t;


typedef struct {
    u_char      *data;          /* compared whole */
    size_t       len;
    uint64_t     hash;          /* set by ngx_hyperdrive_cache_key_hash() */
} ngx_hyperdrive_cache_key_t;


/*
 * What is kept beside the bytes of an answer.  A value is three sections, one
 * behind the other: stamp, head, body.
 */

typedef struct {
    uint64_t     created;       /* ngx_current_msec scale, see _store_now() */
    uint64_t     fresh_until;   /* max_age ends.  These three: as it was when
                                   the entry was made, for eviction only */
    uint64_t     stale_until;   /* stale_while_revalidate ends */
    uint64_t     error_until;   /* stale_if_error ends */
    uint64_t     shape;         /* digest of the row description */
    uint32_t     stamp_len;     /* table versions sampled before the fill */
    uint32_t     head_len;      /* RowDescription, may be absent */
    uint32_t     body_len;      /* DataRows and CommandComplete */
    uint32_t     rows;
} ngx_hyperdrive_cache_meta_t;


/*
 * An entry that was found: copied out, or held until it is released.  The
 * structure may be moved; of its copies only one is released.
 */

typedef struct {
    ngx_hyperdrive_cache_store_t  *store;   /* NULL: nothing is held */
    ngx_hyperdrive_cache_meta_t    meta;
    u_char                        *data;    /* if copied: the whole value */
    uint32_t                       shard;   /* if held: where */
    uint32_t                       entry;
    uint32_t                       block;   /* next to be read: block and */
    uint32_t                       offset;  /* offset in it */
    size_t                         left;    /* bytes from there to the end */
} ngx_hyperdrive_cache_ref_t;


/*
 * Declares the zone NAME of <size> bytes ("hyperdrive:NAME" inside); called
 * at configuration time, by hyperdrive_cache_zone and by references to it
 * (size 0).  <tag> is the module's.  NULL: logged to <cf>.  A reload keeps the
 * memory; if its size or layout has changed, this is logged and the zone
 * starts empty.
 */
ngx_shm_zone_t *ngx_hyperdrive_cache_store_zone(ngx_conf_t *cf,
    ngx_str_t *name, size_t size, void *tag);

/* the store in a zone, once the zones of the cycle exist */
ngx_hyperdrive_cache_store_t *ngx_hyperdrive_cache_store(ngx_shm_zone_t *zone);

/* the smallest zone */
#define NGX_HYPERDRIVE_CACHE_STORE_MIN  (64 * 1024)

/*
 * Makes an empty store of the memory, which may hold anything.  NGX_ERROR:
 * too small, or no random numbers.  For a zone this is done by _store_zone().
 */
ngx_int_t ngx_hyperdrive_cache_store_init(void *mem, size_t size);

/*
 * Sets up <store>, this process's view of a store that was made at <mem>; no
 * slot is set.  NGX_DECLINED: there is none, or one of another layout.
 */
ngx_int_t ngx_hyperdrive_cache_store_attach(
    ngx_hyperdrive_cache_store_t *store, void *mem);

/*
 * The slot of this process in shared memory, below NGX_HYPERDRIVE_SLOTS, for
 * what it holds to be found after its death.  Called once in init_process,
 * after _reclaim() of the same slot.  Without a slot nothing can be held:
 * _get() of a value that is too large for its buffer is NGX_DECLINED, and
 * _put() is NGX_BUSY.
 */
void ngx_hyperdrive_cache_store_set_slot(ngx_hyperdrive_cache_store_t *store,
    ngx_uint_t slot);

/*
 * Releases everything that a slot holds.  For one whose process is dead, by
 * any process and any number of times, before the slot is given out again;
 * for the own one in exit_process: the slot is no longer set then, and
 * releases that come later do nothing.
 */
void ngx_hyperdrive_cache_store_reclaim(ngx_hyperdrive_cache_store_t *store,
    ngx_uint_t slot);

/* bytes of key and value together that may be stored; more is NGX_BUSY */
size_t ngx_hyperdrive_cache_store_max(ngx_hyperdrive_cache_store_t *store);

/* milliseconds of a clock that all workers share and that never goes back */
uint64_t ngx_hyperdrive_cache_store_now(void);

/* sets key->hash, and has the processor fetch what _store_fetch() reads */
void ngx_hyperdrive_cache_key_hash(ngx_hyperdrive_cache_store_t *store,
    ngx_hyperdrive_cache_key_t *key);

/*
 * Whether its entries take more than a core's own cache (L2) has: a look-up
 * waits for memory then.  A guess, from the shard that <key> is in.
 */
ngx_uint_t ngx_hyperdrive_cache_store_large(
    ngx_hyperdrive_cache_store_t *store, ngx_hyperdrive_cache_key_t *key);

/* has the processor fetch the memory that _store_get() of this key will read */
void ngx_hyperdrive_cache_store_fetch(ngx_hyperdrive_cache_store_t *store,
    ngx_hyperdrive_cache_key_t *key);

/*
 * Looks <key> up.  NGX_OK: <ref> is filled; a value of at most <size> bytes is
 * copied to <buf> (ref->data = buf), a larger one is held (ref->data = NULL)
 * and read by _store_read() until _store_release().  Entries whose last time
 * (the greatest of the three) is over count as not there.
 * NGX_DECLINED: not there.
 */
ngx_int_t ngx_hyperdrive_cache_store_get(ngx_hyperdrive_cache_store_t *store,
    ngx_hyperdrive_cache_key_t *key, u_char *buf, size_t size,
    ngx_hyperdrive_cache_ref_t *ref);

/*
 * The next piece of a held value, in shared memory; it stays valid until the
 * release.  One that was copied is a single piece.  NGX_DONE at the end.
 */
ngx_int_t ngx_hyperdrive_cache_store_read(ngx_hyperdrive_cache_ref_t *ref,
    u_char **data, size_t *len);

/* may be called twice, and for an entry that was copied */
void ngx_hyperdrive_cache_store_release(ngx_hyperdrive_cache_ref_t *ref);

/*
 * Publishes a value, replacing an entry of the same key.  <value> holds
 * stamp, head and body of the lengths in <meta>; it is read, not consumed.
 * NGX_OK; NGX_BUSY: no room that could be freed, or admission said no, or the
 * store was emptied meanwhile.  An older entry of the key stays if it is BUSY.
 * NGX_ERROR: <value> is shorter than <meta> says.
 */
ngx_int_t ngx_hyperdrive_cache_store_put(ngx_hyperdrive_cache_store_t *store,
    ngx_hyperdrive_cache_key_t *key, ngx_hyperdrive_cache_meta_t *meta,
    ngx_hyperdrive_chain_t *value);

/* NGX_OK, NGX_DECLINED: was not there */
ngx_int_t ngx_hyperdrive_cache_store_delete(
    ngx_hyperdrive_cache_store_t *store, ngx_hyperdrive_cache_key_t *key);

/* empties it; entries that are held go with their last release */
void ngx_hyperdrive_cache_store_purge(ngx_hyperdrive_cache_store_t *store);

/*
 * Takes out the entries whose keys <match> says yes to, and returns how many;
 * <key> is valid during the call, which is made under a lock: it looks at the
 * bytes, no more.  Keys that are longer than NGX_HYPERDRIVE_MAX_TEXT are taken
 * out unasked.
 */
typedef ngx_uint_t (*ngx_hyperdrive_cache_match_pt)(void *data, ngx_str_t *key);

ngx_uint_t ngx_hyperdrive_cache_store_purge_if(
    ngx_hyperdrive_cache_store_t *store, ngx_hyperdrive_cache_match_pt match,
    void *data);


typedef struct {
    ngx_str_t    name;
    size_t       size;
    ngx_uint_t   shards;
    ngx_uint_t   entries;
    ngx_uint_t   blocks;        /* all */
    ngx_uint_t   blocks_used;
    ngx_uint_t   blocks_free;   /* used + free == all, unless it is broken */
    uint64_t     inserted;
    uint64_t     evicted;
    uint64_t     refused;       /* too large, or not admitted */
    uint64_t     recovered;     /* shards emptied after a worker's death */
    ngx_uint_t   held;          /* entries that are pinned or being filled */
    ngx_uint_t   block;         /* bytes of one */
} ngx_hyperdrive_cache_stats_t;

/* a snapshot for the status page; takes each shard's lock for a moment */
void ngx_hyperdrive_cache_store_stats(ngx_hyperdrive_cache_store_t *store,
    ngx_hyperdrive_cache_stats_t *stats);


#endif /* _NGX_HYPERDRIVE_CACHE_STORE_H_INCLUDED_ */
