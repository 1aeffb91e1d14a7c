
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_CACHE_EVICT_H_INCLUDED_
#define _NGX_HYPERDRIVE_CACHE_EVICT_H_INCLUDED_


#include "cache/ngx_hyperdrive_cache_shard.h"


/*
 * Frees one entry.  <incoming> blocks are to come to the small queue, whose
 * share they must fit in; 0 if they go elsewhere.  NGX_BUSY: all are held.
 */
ngx_int_t ngx_hyperdrive_cache_evict_locked(
    ngx_hyperdrive_cache_shard_t *shard, uint32_t incoming, uint64_t now);

/* remembers the hash of a key whose entry is gone */
void ngx_hyperdrive_cache_evict_note_locked(
    ngx_hyperdrive_cache_shard_t *shard, uint64_t hash);

/* true if the hash is remembered; then it is forgotten */
ngx_uint_t ngx_hyperdrive_cache_evict_known_locked(
    ngx_hyperdrive_cache_shard_t *shard, uint64_t hash);


#endif /* _NGX_HYPERDRIVE_CACHE_EVICT_H_INCLUDED_ */
