
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "cache/ngx_hyperdrive_cache_row.h"


uint32_t
ngx_hyperdrive_cache_row_alloc_locked(ngx_hyperdrive_cache_shard_t *shard)
{
    uint32_t                              n;
    ngx_hyperdrive_cache_shard_header_t  *header;

    header = shard->header;
    header->nfree--;

    n = header->free;

    if (n) {
        header->free = shard->link[n];
        return n;
    }

    do {
        n = header->fresh++;
    } while (shard->kept[n / 64] & (uint64_t) 1 << (n % 64));

    return n;
}


void
ngx_hyperdrive_cache_row_free_locked(ngx_hyperdrive_cache_shard_t *shard,
    uint32_t first, uint32_t last, uint32_t blocks)
{
    ngx_hyperdrive_cache_shard_header_t  *header;

    header = shard->header;

    shard->link[last] = header->free;
    NGX_HYPERDRIVE_FAULT(24);
    header->free = first;
    header->nfree += blocks;
}


void
ngx_hyperdrive_cache_row_write(ngx_hyperdrive_cache_shard_t *shard,
    uint32_t *block, uint32_t *offset, u_char *data, size_t len)
{
    size_t  n;

    while (len) {

        if (*offset == NGX_HYPERDRIVE_CACHE_SHARD_BLOCK) {
            *block = shard->link[*block];
            *offset = 0;
        }

        n = ngx_min(len, NGX_HYPERDRIVE_CACHE_SHARD_BLOCK - *offset);

        ngx_memcpy(ngx_hyperdrive_cache_shard_block(shard, *block) + *offset,
                   data, n);

        *offset += n;
        data += n;
        len -= n;
    }
}


size_t
ngx_hyperdrive_cache_row_piece(ngx_hyperdrive_cache_shard_t *shard,
    uint32_t *block, uint32_t offset, size_t left, u_char **data)
{
    size_t    len;
    uint32_t  n, next;

    n = *block;

    *data = ngx_hyperdrive_cache_shard_block(shard, n) + offset;
    len = NGX_HYPERDRIVE_CACHE_SHARD_BLOCK - offset;

    for ( ;; ) {

        if (len >= left) {
            return left;
        }

        next = shard->link[n];

        if (next != n + 1) {
            *block = next;
            return len;
        }

        n = next;
        len += NGX_HYPERDRIVE_CACHE_SHARD_BLOCK;
    }
}


uint32_t
ngx_hyperdrive_cache_row_value(ngx_hyperdrive_cache_shard_t *shard,
    uint32_t n, uint32_t *offset)
{
    size_t                               pos;
    ngx_hyperdrive_cache_shard_entry_t  *e;

    e = ngx_hyperdrive_cache_shard_entry(shard, n);

    pos = offsetof(ngx_hyperdrive_cache_shard_entry_t, data) + e->key_len;

    if (pos >= NGX_HYPERDRIVE_CACHE_SHARD_BLOCK) {
        n = e->row;
        pos -= NGX_HYPERDRIVE_CACHE_SHARD_BLOCK;
    }

    while (pos >= NGX_HYPERDRIVE_CACHE_SHARD_BLOCK) {
        n = shard->link[n];
        pos -= NGX_HYPERDRIVE_CACHE_SHARD_BLOCK;
    }

    *offset = (uint32_t) pos;

    return n;
}


ngx_uint_t
ngx_hyperdrive_cache_row_equal(ngx_hyperdrive_cache_shard_t *shard,
    uint32_t n, ngx_hyperdrive_cache_key_t *key)
{
    size_t                               len, left;
    u_char                              *p, *data;
    uint32_t                             offset;
    ngx_hyperdrive_cache_shard_entry_t  *e;

    e = ngx_hyperdrive_cache_shard_entry(shard, n);

    if (e->flat) {
        return ngx_memcmp(e->data, key->data, key->len) == 0;
    }

    p = key->data;
    left = key->len;
    offset = offsetof(ngx_hyperdrive_cache_shard_entry_t, data);

    while (left) {

        len = ngx_hyperdrive_cache_row_piece(shard, &n, offset, left, &data);

        if (ngx_memcmp(p, data, len) != 0) {
            return 0;
        }

        p += len;
        left -= len;
        offset = 0;
    }

    return 1;
}
