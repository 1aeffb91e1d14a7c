
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "admin/ngx_hyperdrive_admin_json.h"


#define NGX_HYPERDRIVE_ADMIN_JSON_BLOCK  16384

/* the longest piece that is written at once, strings excepted */
#define NGX_HYPERDRIVE_ADMIN_JSON_PIECE  512

/* the longest form of one byte of a string */
#define NGX_HYPERDRIVE_ADMIN_JSON_CHAR   (sizeof("\\u0000") - 1)


static u_char *ngx_hyperdrive_admin_json_char(u_char *dst, u_char **pos,
    u_char *last);
static ngx_int_t ngx_hyperdrive_admin_json_room(
    ngx_hyperdrive_admin_json_t *w, size_t size);


void
ngx_hyperdrive_admin_json_init(ngx_hyperdrive_admin_json_t *w,
    ngx_pool_t *pool)
{
    ngx_memzero(w, sizeof(ngx_hyperdrive_admin_json_t));

    w->pool = pool;
    w->last = &w->out;
}


off_t
ngx_hyperdrive_admin_json_size(ngx_hyperdrive_admin_json_t *w)
{
    off_t         size;
    ngx_chain_t  *cl;

    size = 0;

    for (cl = w->out; cl; cl = cl->next) {
        size += ngx_buf_size(cl->buf);
    }

    return size;
}


void
ngx_hyperdrive_admin_json_write(ngx_hyperdrive_admin_json_t *w,
    const char *fmt, ...)
{
    va_list  args;

    if (ngx_hyperdrive_admin_json_room(w, NGX_HYPERDRIVE_ADMIN_JSON_PIECE)
        != NGX_OK)
    {
        return;
    }

    va_start(args, fmt);
    w->buf->last = ngx_vslprintf(w->buf->last, w->buf->end, fmt, args);
    va_end(args);
}


void
ngx_hyperdrive_admin_json_string(ngx_hyperdrive_admin_json_t *w,
    ngx_str_t *s)
{
    u_char  *p, *last;

    if (ngx_hyperdrive_admin_json_room(w,
                               s->len * NGX_HYPERDRIVE_ADMIN_JSON_CHAR + 2)
        != NGX_OK)
    {
        return;
    }

    p = s->data;
    last = p + s->len;

    *w->buf->last++ = '"';

    while (p < last) {
        w->buf->last = ngx_hyperdrive_admin_json_char(w->buf->last, &p, last);
    }

    *w->buf->last++ = '"';
}


/* JSON is UTF-8: what is none, as names in another encoding, is replaced */

static u_char *
ngx_hyperdrive_admin_json_char(u_char *dst, u_char **pos, u_char *last)
{
    u_char    *p;
    uint32_t   ch;

    p = *pos;

    if (*p < 0x80) {
        (*pos)++;
        return (u_char *) ngx_escape_json(dst, p, 1);
    }

    ch = ngx_utf8_decode(pos, last - p);

    if (ch > 0x10ffff || (ch >= 0xd800 && ch <= 0xdfff)) {
        *pos = p + 1;
        return ngx_cpymem(dst, "\\ufffd", 6);
    }

    return ngx_cpymem(dst, p, *pos - p);
}


static ngx_int_t
ngx_hyperdrive_admin_json_room(ngx_hyperdrive_admin_json_t *w,
    size_t size)
{
    ngx_chain_t  *cl;

    if (w->failed) {
        return NGX_ERROR;
    }

    if (w->buf && (size_t) (w->buf->end - w->buf->last) >= size) {
        return NGX_OK;
    }

    w->buf = ngx_create_temp_buf(w->pool,
                         ngx_max(size, NGX_HYPERDRIVE_ADMIN_JSON_BLOCK));
    cl = ngx_alloc_chain_link(w->pool);

    if (w->buf == NULL || cl == NULL) {
        w->failed = 1;
        return NGX_ERROR;
    }

    cl->buf = w->buf;
    cl->next = NULL;

    *w->last = cl;
    w->last = &cl->next;

    return NGX_OK;
}
