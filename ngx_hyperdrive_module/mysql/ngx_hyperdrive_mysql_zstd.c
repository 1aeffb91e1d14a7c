
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "mysql/ngx_hyperdrive_mysql_zstd.h"


#if (NGX_HYPERDRIVE_ZSTD)

#include <zstd.h>


/* the fastest, whatever level the other end likes: it need not know */
#define NGX_HYPERDRIVE_MYSQL_ZSTD_LEVEL   1

/* of a stream that is read: a packet has no more than 16 MB */
#define NGX_HYPERDRIVE_MYSQL_ZSTD_WINDOW  24


static void *ngx_hyperdrive_mysql_zstd_open(void);
static ngx_int_t ngx_hyperdrive_mysql_zstd_unpack(void *stream, u_char **pos,
    u_char *last, u_char **out, u_char *end);
static void ngx_hyperdrive_mysql_zstd_close(void *stream);
static size_t ngx_hyperdrive_mysql_zstd_pack(ngx_hyperdrive_chain_t *in,
    size_t len, u_char *buf, size_t size);


ngx_hyperdrive_mysql_algorithm_t  ngx_hyperdrive_mysql_zstd = {
    ngx_hyperdrive_mysql_zstd_open,
    ngx_hyperdrive_mysql_zstd_unpack,
    ngx_hyperdrive_mysql_zstd_close,
    ngx_hyperdrive_mysql_zstd_pack
};


static void *
ngx_hyperdrive_mysql_zstd_open(void)
{
    ZSTD_DCtx  *s;

    s = ZSTD_createDCtx();

    if (s && ZSTD_isError(ZSTD_DCtx_setParameter(s, ZSTD_d_windowLogMax,
                                          NGX_HYPERDRIVE_MYSQL_ZSTD_WINDOW)))
    {
        ZSTD_freeDCtx(s);
        return NULL;
    }

    return s;
}


static ngx_int_t
ngx_hyperdrive_mysql_zstd_unpack(void *stream, u_char **pos, u_char *last,
    u_char **out, u_char *end)
{
    size_t          rc;
    ZSTD_inBuffer   from;
    ZSTD_outBuffer  to;

    from.src = *pos;
    from.size = last - *pos;
    from.pos = 0;

    to.dst = *out;
    to.size = end - *out;
    to.pos = 0;

    rc = ZSTD_decompressStream(stream, &to, &from);

    *pos += from.pos;
    *out += to.pos;

    if (ZSTD_isError(rc)) {
        return NGX_ERROR;
    }

    return rc ? NGX_OK : NGX_DONE;
}


static void
ngx_hyperdrive_mysql_zstd_close(void *stream)
{
    (void) ZSTD_freeDCtx(stream);
}


static size_t
ngx_hyperdrive_mysql_zstd_pack(ngx_hyperdrive_chain_t *in, size_t len,
    u_char *buf, size_t size)
{
    size_t                   n, rc;
    ZSTD_inBuffer            from;
    ZSTD_outBuffer           to;
    ngx_hyperdrive_block_t  *block;

    /* kept from call to call: it is large, and nothing is left in it */
    static ZSTD_CCtx        *s;

    if (s == NULL) {
        s = ZSTD_createCCtx();

        if (s == NULL) {
            return 0;
        }

        (void) ZSTD_CCtx_setParameter(s, ZSTD_c_compressionLevel,
                                      NGX_HYPERDRIVE_MYSQL_ZSTD_LEVEL);
    }

    (void) ZSTD_CCtx_reset(s, ZSTD_reset_session_only);
    (void) ZSTD_CCtx_setPledgedSrcSize(s, len);

    to.dst = buf;
    to.size = size - 1;
    to.pos = 0;

    for (block = in->head; len; block = block->next) {

        n = ngx_min((size_t) (block->last - block->pos), len);
        len -= n;

        from.src = block->pos;
        from.size = n;
        from.pos = 0;

        rc = ZSTD_compressStream2(s, &to, &from,
                                  len ? ZSTD_e_continue : ZSTD_e_end);

        if (ZSTD_isError(rc) || from.pos != from.size || (len == 0 && rc)) {
            return 0;
        }
    }

    return to.pos;
}

#endif
