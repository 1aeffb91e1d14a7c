
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_CACHE_ROW_H_INCLUDED_
#define _NGX_HYPERDRIVE_CACHE_ROW_H_INCLUDED_


#include "cache/ngx_hyperdrive_cache_shard.h"


/* a free block; the caller knows that nfree is not 0 */
uint32_t ngx_hyperdrive_cache_row_alloc_locked(
    ngx_hyperdrive_cache_shard_t *shard);

/* frees a whole row, in its order: neighbours stay neighbours */
void ngx_hyperdrive_cache_row_free_locked(ngx_hyperdrive_cache_shard_t *shard,
    uint32_t first, uint32_t last, uint32_t blocks);

/* writes at <offset> of <block>, and moves both */
void ngx_hyperdrive_cache_row_write(ngx_hyperdrive_cache_shard_t *shard,
    uint32_t *block, uint32_t *offset, u_char *data, size_t len);

/*
 * The piece of a row at byte <offset> of <block>, as long as it is contiguous
 * and <left> at most; <block> becomes the block behind it.
 */
size_t ngx_hyperdrive_cache_row_piece(ngx_hyperdrive_cache_shard_t *shard,
    uint32_t *block, uint32_t offset, size_t left, u_char **data);

/* the block and the offset in it of the first byte of the value */
uint32_t ngx_hyperdrive_cache_row_value(ngx_hyperdrive_cache_shard_t *shard,
    uint32_t n, uint32_t *offset);

/* true if the key of the entry is <key>, which is as long */
ngx_uint_t ngx_hyperdrive_cache_row_equal(ngx_hyperdrive_cache_shard_t *shard,
    uint32_t n, ngx_hyperdrive_cache_key_t *key);


#endif /* _NGX_HYPERDRIVE_CACHE_ROW_H_INCLUDED_ */
