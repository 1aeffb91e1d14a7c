
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_BASE_CURSOR_H_INCLUDED_
#define _NGX_HYPERDRIVE_BASE_CURSOR_H_INCLUDED_


#include "ngx_hyperdrive.h"


/*
 * Reads from bytes that somebody else sent.  Each function takes the position
 * <p> and the <end> of what may be read, and returns the new position, or
 * NULL if there is less than asked for; NULL may be handed on, so a parser is
 * a list of reads with one test at its end.  Integers are big endian, as in
 * the PostgreSQL protocol (manual, 55.6 "Message Data Types").
 */


static ngx_inline u_char *
ngx_hyperdrive_base_read_u8(u_char *p, u_char *end, ngx_uint_t *value)
{
    if (p == NULL || end - p < 1) {
        return NULL;
    }

    *value = p[0];

    return p + 1;
}


static ngx_inline u_char *
ngx_hyperdrive_base_read_u16(u_char *p, u_char *end, ngx_uint_t *value)
{
    if (p == NULL || end - p < 2) {
        return NULL;
    }

    *value = (ngx_uint_t) p[0] << 8 | p[1];

    return p + 2;
}


static ngx_inline u_char *
ngx_hyperdrive_base_read_u32(u_char *p, u_char *end, uint32_t *value)
{
    if (p == NULL || end - p < 4) {
        return NULL;
    }

    *value = (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16
             | (uint32_t) p[2] << 8 | p[3];

    return p + 4;
}


static ngx_inline u_char *
ngx_hyperdrive_base_read_u64(u_char *p, u_char *end, uint64_t *value)
{
    uint32_t  high, low;

    p = ngx_hyperdrive_base_read_u32(p, end, &high);
    p = ngx_hyperdrive_base_read_u32(p, end, &low);

    if (p) {
        *value = (uint64_t) high << 32 | low;
    }

    return p;
}


/* for where the caller has seen that four bytes are there */

static ngx_inline uint32_t
ngx_hyperdrive_base_get_u32(u_char *p)
{
    return (uint32_t) p[0] << 24 | (uint32_t) p[1] << 16
           | (uint32_t) p[2] << 8 | p[3];
}


/* a string up to its NUL; the NUL is consumed and not part of <value> */

static ngx_inline u_char *
ngx_hyperdrive_base_read_cstr(u_char *p, u_char *end, ngx_str_t *value)
{
    u_char  *nul;

    if (p == NULL || p >= end) {
        return NULL;
    }

    nul = memchr(p, '\0', end - p);
    if (nul == NULL) {
        return NULL;
    }

    value->data = p;
    value->len = nul - p;

    return nul + 1;
}


/* <len> bytes; they stay where they are */

static ngx_inline u_char *
ngx_hyperdrive_base_read_bytes(u_char *p, u_char *end, size_t len,
    ngx_str_t *value)
{
    if (p == NULL || (size_t) (end - p) < len) {
        return NULL;
    }

    value->data = p;
    value->len = len;

    return p + len;
}


/* a string behind its length, four bytes; it stays where it is */

static ngx_inline u_char *
ngx_hyperdrive_base_read_str(u_char *p, u_char *end, ngx_str_t *value)
{
    uint32_t  len;

    p = ngx_hyperdrive_base_read_u32(p, end, &len);

    if (p == NULL) {
        return NULL;
    }

    return ngx_hyperdrive_base_read_bytes(p, end, len, value);
}


/* a character of UTF-8, strictly: no overlong forms, no surrogates */

static ngx_inline u_char *
ngx_hyperdrive_base_read_utf8(u_char *p, u_char *end, uint32_t *value)
{
    uint32_t    c, min;
    ngx_uint_t  n;

    if (p == NULL || p == end) {
        return NULL;
    }

    c = *p++;

    if (c < 0x80) {
        n = 0;
        min = 0;

    } else if (c >= 0xc2 && c <= 0xdf) {
        c &= 0x1f;
        n = 1;
        min = 0x80;

    } else if (c >= 0xe0 && c <= 0xef) {
        c &= 0x0f;
        n = 2;
        min = 0x800;

    } else if (c >= 0xf0 && c <= 0xf4) {
        c &= 0x07;
        n = 3;
        min = 0x10000;

    } else {
        return NULL;
    }

    for ( /* void */ ; n; n--) {

        if (p == end || (*p & 0xc0) != 0x80) {
            return NULL;
        }

        c = c << 6 | (*p++ & 0x3f);
    }

    if (c < min || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff)) {
        return NULL;
    }

    *value = c;

    return p;
}


static ngx_inline u_char *
ngx_hyperdrive_base_put_u16(u_char *p, ngx_uint_t value)
{
    *p++ = (u_char) (value >> 8);
    *p++ = (u_char) value;

    return p;
}


static ngx_inline u_char *
ngx_hyperdrive_base_put_u32(u_char *p, uint32_t value)
{
    *p++ = (u_char) (value >> 24);
    *p++ = (u_char) (value >> 16);
    *p++ = (u_char) (value >> 8);
    *p++ = (u_char) value;

    return p;
}


/* the same bytes; empty strings are the same wherever they point */

static ngx_inline ngx_uint_t
ngx_hyperdrive_base_same(ngx_str_t *one, ngx_str_t *two)
{
    return one->len == two->len
           && (one->len == 0
               || ngx_memcmp(one->data, two->data, one->len) == 0);
}


#endif /* _NGX_HYPERDRIVE_BASE_CURSOR_H_INCLUDED_ */
