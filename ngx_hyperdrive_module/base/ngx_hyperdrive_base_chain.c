
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "ngx_hyperdrive_base_chain.h"
#include "ngx_hyperdrive_base_cursor.h"


/* free blocks kept for the next user; the rest goes back to the system */
#define NGX_HYPERDRIVE_BASE_CHAIN_SPARE  64


static ngx_hyperdrive_block_t  *ngx_hyperdrive_base_chain_free;
static ngx_uint_t               ngx_hyperdrive_base_chain_nfree;


ngx_hyperdrive_block_t *
ngx_hyperdrive_base_block_alloc(size_t size)
{
    ngx_hyperdrive_block_t  *block;

    if (size <= NGX_HYPERDRIVE_BLOCK) {

        size = NGX_HYPERDRIVE_BLOCK;
        block = ngx_hyperdrive_base_chain_free;

        if (block) {
            ngx_hyperdrive_base_chain_free = block->next;
            ngx_hyperdrive_base_chain_nfree--;
            goto done;
        }
    }

    block = malloc(sizeof(ngx_hyperdrive_block_t) + size);
    if (block == NULL) {
        return NULL;
    }

    block->end = block->start + size;

done:

    block->next = NULL;
    block->pos = block->start;
    block->last = block->start;

    return block;
}


void
ngx_hyperdrive_base_block_free(ngx_hyperdrive_block_t *block)
{
    if (block->end - block->start != NGX_HYPERDRIVE_BLOCK
        || ngx_hyperdrive_base_chain_nfree >= NGX_HYPERDRIVE_BASE_CHAIN_SPARE)
    {
        free(block);
        return;
    }

    block->next = ngx_hyperdrive_base_chain_free;
    ngx_hyperdrive_base_chain_free = block;
    ngx_hyperdrive_base_chain_nfree++;
}


u_char *
ngx_hyperdrive_base_chain_reserve(ngx_hyperdrive_chain_t *chain, size_t len)
{
    u_char                  *p;
    ngx_hyperdrive_block_t  *block;

    block = chain->tail;

    if (block == NULL || (size_t) (block->end - block->last) < len) {

        block = ngx_hyperdrive_base_block_alloc(len);
        if (block == NULL) {
            chain->failed = 1;
            return NULL;
        }

        if (chain->tail) {
            chain->tail->next = block;

        } else {
            chain->head = block;
        }

        chain->tail = block;
    }

    p = block->last;
    block->last += len;
    chain->size += len;

    return p;
}


void
ngx_hyperdrive_base_chain_unreserve(ngx_hyperdrive_chain_t *chain, size_t len)
{
    chain->tail->last -= len;
    chain->size -= len;
}


ngx_int_t
ngx_hyperdrive_base_chain_append(ngx_hyperdrive_chain_t *chain,
    const void *data, size_t len)
{
    size_t                   n;
    u_char                  *p;
    const u_char            *src = data;
    ngx_hyperdrive_block_t  *tail;

    tail = chain->tail;

    if (tail && (size_t) (tail->end - tail->last) >= len) {
        tail->last = ngx_cpymem(tail->last, src, len);
        chain->size += len;

        return NGX_OK;
    }

    while (len) {

        n = chain->tail ? (size_t) (chain->tail->end - chain->tail->last) : 0;

        if (n == 0) {
            n = NGX_HYPERDRIVE_BLOCK;
        }

        n = ngx_min(n, len);

        p = ngx_hyperdrive_base_chain_reserve(chain, n);
        if (p == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(p, src, n);

        src += n;
        len -= n;
    }

    return NGX_OK;
}


void
ngx_hyperdrive_base_chain_put_u32(ngx_hyperdrive_chain_t *chain,
    uint32_t value)
{
    u_char  buf[4];

    (void) ngx_hyperdrive_base_put_u32(buf, value);
    (void) ngx_hyperdrive_base_chain_append(chain, buf, sizeof(buf));
}


void
ngx_hyperdrive_base_chain_put_u64(ngx_hyperdrive_chain_t *chain,
    uint64_t value)
{
    ngx_hyperdrive_base_chain_put_u32(chain, (uint32_t) (value >> 32));
    ngx_hyperdrive_base_chain_put_u32(chain, (uint32_t) value);
}


void
ngx_hyperdrive_base_chain_put_str(ngx_hyperdrive_chain_t *chain,
    const void *data, size_t len)
{
    ngx_hyperdrive_base_chain_put_u32(chain, (uint32_t) len);

    if (len) {
        (void) ngx_hyperdrive_base_chain_append(chain, data, len);
    }
}


void
ngx_hyperdrive_base_chain_copy(ngx_hyperdrive_chain_t *chain, u_char *buf)
{
    ngx_hyperdrive_block_t  *block;

    for (block = chain->head; block; block = block->next) {
        buf = ngx_cpymem(buf, block->pos, block->last - block->pos);
    }
}


void
ngx_hyperdrive_base_chain_consume(ngx_hyperdrive_chain_t *chain, size_t len)
{
    size_t                   n;
    ngx_hyperdrive_block_t  *block;

    while (len) {
        block = chain->head;

        n = ngx_min((size_t) (block->last - block->pos), len);

        block->pos += n;
        chain->size -= n;
        len -= n;

        if (block->pos == block->last) {
            chain->head = block->next;

            if (chain->head == NULL) {
                chain->tail = NULL;
            }

            ngx_hyperdrive_base_block_free(block);
        }
    }
}


void
ngx_hyperdrive_base_chain_move(ngx_hyperdrive_chain_t *to,
    ngx_hyperdrive_chain_t *from)
{
    if (from->failed) {
        to->failed = 1;
    }

    if (from->head) {

        if (to->tail) {
            to->tail->next = from->head;

        } else {
            to->head = from->head;
        }

        to->tail = from->tail;
        to->size += from->size;
    }

    ngx_memzero(from, sizeof(ngx_hyperdrive_chain_t));
}


void
ngx_hyperdrive_base_chain_clear(ngx_hyperdrive_chain_t *chain)
{
    ngx_hyperdrive_block_t  *block, *next;

    for (block = chain->head; block; block = next) {
        next = block->next;
        ngx_hyperdrive_base_block_free(block);
    }

    ngx_memzero(chain, sizeof(ngx_hyperdrive_chain_t));
}
