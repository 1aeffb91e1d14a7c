
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/* Byte strings that grow, and the messages of a PostgreSQL client. */


#ifndef _PG_WIRE_BYTES_H_INCLUDED_
#define _PG_WIRE_BYTES_H_INCLUDED_


#include "ngx_hyperdrive.h"
#include "base/ngx_hyperdrive_base_chain.h"


typedef struct {
    u_char      *data;
    size_t       len;
    size_t       size;
} bytes_t;


static ngx_inline void
bytes_add(bytes_t *b, const void *data, size_t len)
{
    if (b->size - b->len < len) {
        b->size = ngx_max(b->size * 2, b->len + len + 64);
        b->data = realloc(b->data, b->size);
    }

    if (len) {
        ngx_memcpy(b->data + b->len, data, len);
        b->len += len;
    }
}


static ngx_inline void
bytes_drop(bytes_t *b, size_t len)
{
    if (len) {
        b->len -= len;
        memmove(b->data, b->data + len, b->len);
    }
}


static ngx_inline void
bytes_free(bytes_t *b)
{
    free(b->data);
    ngx_memzero(b, sizeof(bytes_t));
}


/* the whole chain moves to the end of <b> */

static ngx_inline void
bytes_chain(bytes_t *b, ngx_hyperdrive_chain_t *chain)
{
    ngx_hyperdrive_block_t  *block;

    for (block = chain->head; block; block = block->next) {
        bytes_add(b, block->pos, block->last - block->pos);
    }

    ngx_hyperdrive_base_chain_clear(chain);
}


static ngx_inline ngx_uint_t
bytes_equal(bytes_t *a, bytes_t *b)
{
    return a->len == b->len
           && (a->len == 0 || ngx_memcmp(a->data, b->data, a->len) == 0);
}


static ngx_inline void
bytes_u8(bytes_t *b, ngx_uint_t n)
{
    u_char  c = (u_char) n;

    bytes_add(b, &c, 1);
}


static ngx_inline void
bytes_u16(bytes_t *b, ngx_uint_t n)
{
    bytes_u8(b, n >> 8);
    bytes_u8(b, n);
}


static ngx_inline void
bytes_u32(bytes_t *b, uint32_t n)
{
    bytes_u16(b, n >> 16);
    bytes_u16(b, n);
}


static ngx_inline void
bytes_str(bytes_t *b, const char *s)
{
    bytes_add(b, s, strlen(s) + 1);
}


/* a message: its length is written by msg_end(), which is given its start */

static ngx_inline size_t
msg_begin(bytes_t *b, u_char type)
{
    bytes_u8(b, type);
    bytes_u32(b, 0);

    return b->len - 4;
}


static ngx_inline void
msg_end(bytes_t *b, size_t start)
{
    uint32_t  n;

    n = htonl((uint32_t) (b->len - start));
    ngx_memcpy(b->data + start, &n, 4);
}


static ngx_inline void
msg_bare(bytes_t *b, u_char type)
{
    msg_end(b, msg_begin(b, type));
}


static ngx_inline void
msg_sync(bytes_t *b)
{
    msg_bare(b, 'S');
}


static ngx_inline void
msg_flush(bytes_t *b)
{
    msg_bare(b, 'H');
}


static ngx_inline void
msg_text(bytes_t *b, u_char type, const char *text)
{
    size_t  start;

    start = msg_begin(b, type);
    bytes_str(b, text);
    msg_end(b, start);
}


static ngx_inline void
msg_query(bytes_t *b, const char *text)
{
    msg_text(b, 'Q', text);
}


static ngx_inline void
msg_parse(bytes_t *b, const char *name, const char *text)
{
    size_t  start;

    start = msg_begin(b, 'P');
    bytes_str(b, name);
    bytes_str(b, text);
    bytes_u16(b, 0);
    msg_end(b, start);
}


/* <param> NULL: none; else it is one parameter of <len> bytes */

static ngx_inline void
msg_bind_n(bytes_t *b, const char *portal, const char *stmt,
    const void *param, size_t len)
{
    size_t  start;

    start = msg_begin(b, 'B');
    bytes_str(b, portal);
    bytes_str(b, stmt);
    bytes_u16(b, 0);

    if (param) {
        bytes_u16(b, 1);
        bytes_u32(b, len);
        bytes_add(b, param, len);

    } else {
        bytes_u16(b, 0);
    }

    bytes_u16(b, 0);
    msg_end(b, start);
}


static ngx_inline void
msg_bind(bytes_t *b, const char *portal, const char *stmt, const char *param)
{
    msg_bind_n(b, portal, stmt, param, param ? strlen(param) : 0);
}


/* Describe and Close; <kind> is S or P */

static ngx_inline void
msg_named(bytes_t *b, u_char type, u_char kind, const char *name)
{
    size_t  start;

    start = msg_begin(b, type);
    bytes_u8(b, kind);
    bytes_str(b, name);
    msg_end(b, start);
}


static ngx_inline void
msg_describe(bytes_t *b, u_char kind, const char *name)
{
    msg_named(b, 'D', kind, name);
}


static ngx_inline void
msg_close(bytes_t *b, u_char kind, const char *name)
{
    msg_named(b, 'C', kind, name);
}


static ngx_inline void
msg_execute(bytes_t *b, const char *portal, uint32_t rows)
{
    size_t  start;

    start = msg_begin(b, 'E');
    bytes_str(b, portal);
    bytes_u32(b, rows);
    msg_end(b, start);
}


static ngx_inline void
msg_data(bytes_t *b, const char *text)
{
    size_t  start;

    start = msg_begin(b, 'd');
    bytes_add(b, text, strlen(text));
    msg_end(b, start);
}


/* a function's number, no formats, no arguments, a text result */

static ngx_inline void
msg_function(bytes_t *b)
{
    size_t  start;

    start = msg_begin(b, 'F');
    bytes_u32(b, 1);
    bytes_u16(b, 0);
    bytes_u16(b, 0);
    bytes_u16(b, 0);
    msg_end(b, start);
}


#endif /* _PG_WIRE_BYTES_H_INCLUDED_ */
