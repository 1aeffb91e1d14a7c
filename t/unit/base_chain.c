/* sources: base/ngx_hyperdrive_base_chain.c */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/* Tests of the chain of blocks, against a flat copy of its bytes. */


#include "pg_wire_bytes.h"
#include "check.h"


/* the chain holds just these bytes, and its count is right */

static ngx_uint_t
holds(ngx_hyperdrive_chain_t *chain, bytes_t *b)
{
    size_t                   len;
    ngx_hyperdrive_block_t  *block, *last;

    len = 0;
    last = NULL;

    for (block = chain->head; block; block = block->next) {

        if (block->pos >= block->last || block->last > block->end
            || len + (block->last - block->pos) > b->len
            || ngx_memcmp(block->pos, b->data + len, block->last - block->pos)
               != 0)
        {
            return 0;
        }

        len += block->last - block->pos;
        last = block;
    }

    return chain->size == len && b->len == len && chain->tail == last
           && !chain->failed;
}


int
main(void)
{
    u_char                  *p, *q;
    size_t                   n;
    bytes_t                  b, text;
    ngx_uint_t               good, i;
    ngx_hyperdrive_block_t  *block, *other;
    ngx_hyperdrive_chain_t   chain, to;

    ngx_memzero(&b, sizeof(bytes_t));
    ngx_memzero(&text, sizeof(bytes_t));
    ngx_memzero(&chain, sizeof(ngx_hyperdrive_chain_t));
    ngx_memzero(&to, sizeof(ngx_hyperdrive_chain_t));

    for (i = 0; i < 100000; i++) {
        bytes_u8(&text, i * 7 + i / 251);
    }

    ok(holds(&chain, &b), "all zero is an empty chain");

    ngx_hyperdrive_base_chain_clear(&chain);
    ngx_hyperdrive_base_chain_consume(&chain, 0);
    ngx_hyperdrive_base_chain_move(&chain, &to);
    ok(holds(&chain, &b), "an empty one is cleared, consumed, moved");

    ok(ngx_hyperdrive_base_chain_append(&chain, text.data, 0) == NGX_OK
       && chain.head == NULL, "nothing appended takes no memory");

    /* appended over the bounds of blocks */

    good = 1;

    for (n = 0; n < 50000; n += 1 + n / 3) {
        good &= ngx_hyperdrive_base_chain_append(&chain, text.data, n)
                == NGX_OK;
        bytes_add(&b, text.data, n);
        good &= holds(&chain, &b);
    }

    ok(good, "appended in many sizes");

    for (n = 1; b.len; n = n * 2 + 1) {
        n = ngx_min(n, b.len);

        ngx_hyperdrive_base_chain_consume(&chain, n);
        bytes_drop(&b, n);
        good &= holds(&chain, &b);
    }

    ok(good && chain.head == NULL && chain.tail == NULL,
       "consumed in many sizes, to the end");

    /* contiguous room */

    good = 1;

    for (n = 1; n < 40000; n = n * 3) {
        p = ngx_hyperdrive_base_chain_reserve(&chain, n);
        ngx_memcpy(p, text.data, n);
        bytes_add(&b, text.data, n);

        good &= holds(&chain, &b);
    }

    ok(good, "reserved in many sizes, some over a block's");

    p = ngx_hyperdrive_base_chain_reserve(&chain, 1000);
    ngx_memcpy(p, text.data, 10);
    ngx_hyperdrive_base_chain_unreserve(&chain, 990);
    bytes_add(&b, text.data, 10);
    ok(holds(&chain, &b), "what was not used is taken back");

    q = ngx_hyperdrive_base_chain_reserve(&chain, 1);
    ok(q == p + 10, "what follows stands behind what was used");
    *q = 'x';
    bytes_add(&b, "x", 1);

    /* moved */

    ngx_hyperdrive_base_chain_move(&to, &chain);
    ok(holds(&to, &b) && chain.head == NULL && chain.size == 0,
       "moved to an empty one");

    ngx_hyperdrive_base_chain_append(&chain, "behind", 6);
    bytes_add(&b, "behind", 6);
    ngx_hyperdrive_base_chain_move(&to, &chain);
    ok(holds(&to, &b), "moved behind another");

    ngx_hyperdrive_base_chain_append(&to, "more", 4);
    bytes_add(&b, "more", 4);
    ok(holds(&to, &b), "appended behind what was moved");

    ngx_hyperdrive_base_chain_consume(&to, b.len - 3);
    bytes_drop(&b, b.len - 3);
    ok(holds(&to, &b), "consumed over the place where it was joined");

    chain.failed = 1;
    ngx_hyperdrive_base_chain_move(&to, &chain);
    ok(to.failed && !chain.failed && to.size == 3,
       "that bytes are missing is moved, too");

    ngx_hyperdrive_base_chain_clear(&to);
    b.len = 0;
    ok(holds(&to, &b), "cleared");

    /* blocks */

    block = ngx_hyperdrive_base_block_alloc(1);
    ok(block->end - block->start == NGX_HYPERDRIVE_BLOCK
       && block->pos == block->start && block->last == block->start,
       "a small block has the usual room");

    block->last += 5;
    ngx_hyperdrive_base_block_free(block);
    other = ngx_hyperdrive_base_block_alloc(NGX_HYPERDRIVE_BLOCK);
    ok(other == block && other->last == other->start && other->next == NULL,
       "it is used again, empty");
    ngx_hyperdrive_base_block_free(other);

    block = ngx_hyperdrive_base_block_alloc(NGX_HYPERDRIVE_BLOCK + 1);
    ok(block->end - block->start == NGX_HYPERDRIVE_BLOCK + 1,
       "a large one has what was asked for");
    ngx_hyperdrive_base_block_free(block);

    /* more than are kept: ASan tells what is not given back */

    for (i = 0; i < 200; i++) {
        (void) ngx_hyperdrive_base_chain_append(&chain, text.data,
                                                NGX_HYPERDRIVE_BLOCK);
    }

    ngx_hyperdrive_base_chain_clear(&chain);
    ok(chain.head == NULL && chain.size == 0, "many blocks are given back");

    bytes_free(&b);
    bytes_free(&text);

    return done();
}
