
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_BASE_CHAIN_H_INCLUDED_
#define _NGX_HYPERDRIVE_BASE_CHAIN_H_INCLUDED_


#include "ngx_hyperdrive.h"


/*
 * A queue of bytes in blocks.  Blocks come from a free list of the process
 * and go back to it, so that an empty chain holds no memory.  A chain is
 * owned by the one who declared it; an all-zero chain is a valid empty one.
 */

typedef struct ngx_hyperdrive_block_s   ngx_hyperdrive_block_t;

struct ngx_hyperdrive_block_s {
    ngx_hyperdrive_block_t   *next;
    u_char                   *pos;      /* first byte that is not consumed */
    u_char                   *last;     /* end of the bytes */
    u_char                   *end;      /* end of the room */
    u_char                    start[];
};

struct ngx_hyperdrive_chain_s {
    ngx_hyperdrive_block_t   *head;
    ngx_hyperdrive_block_t   *tail;
    size_t                    size;     /* bytes that are not consumed */
    ngx_uint_t                failed;   /* memory ran out: bytes are missing */
};


/*
 * A block with room for at least <size> bytes, or NULL without memory.  Those
 * of NGX_HYPERDRIVE_BLOCK bytes and less come from the free list.
 */
ngx_hyperdrive_block_t *ngx_hyperdrive_base_block_alloc(size_t size);
void ngx_hyperdrive_base_block_free(ngx_hyperdrive_block_t *block);

/*
 * Room for <len> contiguous bytes at the end of the chain, counted as
 * written; NULL without memory (then chain->failed is set).
 */
u_char *ngx_hyperdrive_base_chain_reserve(ngx_hyperdrive_chain_t *chain,
    size_t len);

/* takes the last <len> bytes, reserved and not used, back */
void ngx_hyperdrive_base_chain_unreserve(ngx_hyperdrive_chain_t *chain,
    size_t len);

/* a copy of the bytes, cut into blocks as needed; NGX_OK or NGX_ERROR */
ngx_int_t ngx_hyperdrive_base_chain_append(ngx_hyperdrive_chain_t *chain,
    const void *data, size_t len);

/*
 * Values that ngx_hyperdrive_base_cursor.h reads back: integers, and strings
 * behind their lengths.  Without memory chain->failed is set.
 */
void ngx_hyperdrive_base_chain_put_u32(ngx_hyperdrive_chain_t *chain,
    uint32_t value);
void ngx_hyperdrive_base_chain_put_u64(ngx_hyperdrive_chain_t *chain,
    uint64_t value);
void ngx_hyperdrive_base_chain_put_str(ngx_hyperdrive_chain_t *chain,
    const void *data, size_t len);

/* copies all of it to <buf>, which has room for chain->size bytes */
void ngx_hyperdrive_base_chain_copy(ngx_hyperdrive_chain_t *chain,
    u_char *buf);

/* drops the first <len> bytes */
void ngx_hyperdrive_base_chain_consume(ngx_hyperdrive_chain_t *chain,
    size_t len);

/* moves all of <from> to the end of <to> */
void ngx_hyperdrive_base_chain_move(ngx_hyperdrive_chain_t *to,
    ngx_hyperdrive_chain_t *from);

/* frees all blocks */
void ngx_hyperdrive_base_chain_clear(ngx_hyperdrive_chain_t *chain);


#endif /* _NGX_HYPERDRIVE_BASE_CHAIN_H_INCLUDED_ */
