
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "mysql/ngx_hyperdrive_mysql_compress.h"
#include "mysql/ngx_hyperdrive_mysql_zstd.h"
#include <zlib.h>


/* less is not worth it, as MySQL has it too */
#define NGX_HYPERDRIVE_MYSQL_COMPRESS_MIN    50

/* what goes into one packet, bytes */
#define NGX_HYPERDRIVE_MYSQL_COMPRESS_SLICE  (4 * NGX_HYPERDRIVE_BLOCK)

/* the fastest: a database and its clients are seldom far from each other */
#define NGX_HYPERDRIVE_MYSQL_COMPRESS_LEVEL  1


typedef struct {
    ngx_hyperdrive_base_codec_t      codec;
    ngx_hyperdrive_mysql_algorithm_t *algorithm;

    /* in */
    u_char                           header[
                                        NGX_HYPERDRIVE_MYSQL_COMPRESS_HEADER];
    ngx_uint_t                       have;      /* bytes of it */
    size_t                           left;      /* of the packet that is read */
    size_t                           plain;     /* ...and comes out of it */
    void                            *stream;    /* ...while it is read; NULL: it
                                                   is not compressed */

    /* out */
    ngx_hyperdrive_mysql_framer_t    framer;    /* of what is sent */
    u_char                           last;      /* the number of its last
                                                   packet... */
    unsigned                         empty:1;   /* ...which was empty */
    unsigned                         commands:1;
    u_char                           seq;       /* of the next one to be sent */
} ngx_hyperdrive_mysql_compress_t;


static ssize_t ngx_hyperdrive_mysql_compress_unpack(
    ngx_hyperdrive_base_codec_t *codec, u_char **pos, u_char *last,
    u_char *buf, size_t size);
static u_char *ngx_hyperdrive_mysql_compress_begin(
    ngx_hyperdrive_mysql_compress_t *z, u_char *p, u_char *last);
static ngx_int_t ngx_hyperdrive_mysql_compress_inflate(
    ngx_hyperdrive_mysql_compress_t *z, u_char **pos, u_char *last,
    u_char **out, u_char *end);
static void ngx_hyperdrive_mysql_compress_end(
    ngx_hyperdrive_mysql_compress_t *z);
static void ngx_hyperdrive_mysql_compress_pack(
    ngx_hyperdrive_base_codec_t *codec, ngx_hyperdrive_chain_t *in,
    ngx_hyperdrive_chain_t *out);
static size_t ngx_hyperdrive_mysql_compress_command(
    ngx_hyperdrive_mysql_compress_t *z, ngx_hyperdrive_chain_t *in);
static void ngx_hyperdrive_mysql_compress_store(ngx_hyperdrive_chain_t *in,
    size_t len, ngx_hyperdrive_chain_t *out);
static void ngx_hyperdrive_mysql_compress_destroy(
    ngx_hyperdrive_base_codec_t *codec);
static void *ngx_hyperdrive_mysql_compress_zlib_open(void);
static ngx_int_t ngx_hyperdrive_mysql_compress_zlib_unpack(void *stream,
    u_char **pos, u_char *last, u_char **out, u_char *end);
static void ngx_hyperdrive_mysql_compress_zlib_close(void *stream);
static size_t ngx_hyperdrive_mysql_compress_zlib_pack(
    ngx_hyperdrive_chain_t *in, size_t len, u_char *buf, size_t size);


static ngx_hyperdrive_mysql_algorithm_t  ngx_hyperdrive_mysql_compress_zlib = {
    ngx_hyperdrive_mysql_compress_zlib_open,
    ngx_hyperdrive_mysql_compress_zlib_unpack,
    ngx_hyperdrive_mysql_compress_zlib_close,
    ngx_hyperdrive_mysql_compress_zlib_pack
};


ngx_hyperdrive_base_codec_t *
ngx_hyperdrive_mysql_compress(uint64_t caps, ngx_uint_t commands)
{
    ngx_hyperdrive_mysql_compress_t  *z;

    z = calloc(1, sizeof(ngx_hyperdrive_mysql_compress_t));
    if (z == NULL) {
        return NULL;
    }

    z->codec.unpack = ngx_hyperdrive_mysql_compress_unpack;
    z->codec.pack = ngx_hyperdrive_mysql_compress_pack;
    z->codec.destroy = ngx_hyperdrive_mysql_compress_destroy;

    z->algorithm = &ngx_hyperdrive_mysql_compress_zlib;
    z->commands = commands ? 1 : 0;

#if (NGX_HYPERDRIVE_ZSTD)

    if (!(caps & NGX_HYPERDRIVE_MYSQL_COMPRESS)) {
        z->algorithm = &ngx_hyperdrive_mysql_zstd;
    }

#endif

    return &z->codec;
}


/*
 * Packets come out as they go in: however large one says that it will be, it
 * takes no memory but the window.
 */

static ssize_t
ngx_hyperdrive_mysql_compress_unpack(ngx_hyperdrive_base_codec_t *codec,
    u_char **pos, u_char *last, u_char *buf, size_t size)
{
    u_char                           *p, *out, *end;
    size_t                            n;
    ngx_int_t                         rc;
    ngx_hyperdrive_mysql_compress_t  *z;

    z = (ngx_hyperdrive_mysql_compress_t *) codec;

    p = *pos;
    out = buf;
    end = buf + size;

    while (out < end) {

        if (z->left == 0 && z->stream == NULL) {

            if (p == last) {
                break;
            }

            p = ngx_hyperdrive_mysql_compress_begin(z, p, last);
            if (p == NULL) {
                return NGX_ERROR;
            }

            continue;
        }

        if (z->stream) {
            rc = ngx_hyperdrive_mysql_compress_inflate(z, &p, last, &out, end);

            if (rc == NGX_ERROR) {
                return NGX_ERROR;
            }

            if (rc == NGX_AGAIN) {
                break;
            }

            continue;
        }

        if (p == last) {
            break;
        }

        n = ngx_min((size_t) (last - p), z->left);
        n = ngx_min(n, (size_t) (end - out));

        out = ngx_cpymem(out, p, n);
        p += n;
        z->left -= n;
    }

    *pos = p;

    return out - buf;
}


/* a header, as far as it is there; NULL: malformed */

static u_char *
ngx_hyperdrive_mysql_compress_begin(ngx_hyperdrive_mysql_compress_t *z,
    u_char *p, u_char *last)
{
    size_t  n;

    n = ngx_min((size_t) (last - p), sizeof(z->header) - z->have);

    ngx_memcpy(z->header + z->have, p, n);
    z->have += n;
    p += n;

    if (z->have < sizeof(z->header)) {
        return p;
    }

    z->have = 0;
    z->left = ngx_hyperdrive_mysql_get_u24(z->header);
    z->plain = ngx_hyperdrive_mysql_get_u24(z->header + 4);
    z->seq = z->header[3] + 1;

    if (z->left == 0) {
        return NULL;
    }

    if (z->plain == 0) {
        return p;
    }

    z->stream = z->algorithm->open();

    return z->stream ? p : NULL;
}


/* NGX_OK: some of it; NGX_AGAIN: more input is needed */

static ngx_int_t
ngx_hyperdrive_mysql_compress_inflate(ngx_hyperdrive_mysql_compress_t *z,
    u_char **pos, u_char *last, u_char **out, u_char *end)
{
    size_t      in, room;
    u_char     *p, *to, beyond;
    ngx_int_t   rc;

    in = ngx_min((size_t) (last - *pos), z->left);
    room = ngx_min((size_t) (end - *out), z->plain);

    p = *pos;
    last = p + in;

    /* if all has come, what is left may only be its end */

    to = room ? *out : &beyond;
    end = to + (room ? room : 1);

    rc = z->algorithm->unpack(z->stream, pos, last, &to, end);

    z->left -= *pos - p;

    if (rc == NGX_ERROR || (room == 0 && to == end)) {
        return NGX_ERROR;
    }

    if (room) {
        z->plain -= to - *out;
        *out = to;
    }

    if (rc == NGX_DONE) {

        if (z->left || z->plain) {
            return NGX_ERROR;
        }

        ngx_hyperdrive_mysql_compress_end(z);

        return NGX_OK;
    }

    if (*pos != last || (room && to == end)) {
        return NGX_OK;
    }

    return z->left ? NGX_AGAIN : NGX_ERROR;
}


static void
ngx_hyperdrive_mysql_compress_end(ngx_hyperdrive_mysql_compress_t *z)
{
    if (z->stream) {
        z->algorithm->close(z->stream);
        z->stream = NULL;
    }
}


static void
ngx_hyperdrive_mysql_compress_pack(ngx_hyperdrive_base_codec_t *codec,
    ngx_hyperdrive_chain_t *in, ngx_hyperdrive_chain_t *out)
{
    u_char                           *p;
    size_t                            len, n;
    ngx_hyperdrive_mysql_compress_t  *z;

    /* used within one call only */
    static u_char                     buf[NGX_HYPERDRIVE_MYSQL_COMPRESS_SLICE];

    z = (ngx_hyperdrive_mysql_compress_t *) codec;

    len = z->commands ? ngx_hyperdrive_mysql_compress_command(z, in)
                      : ngx_min(in->size, sizeof(buf));

    n = (len < NGX_HYPERDRIVE_MYSQL_COMPRESS_MIN)
        ? 0 : z->algorithm->pack(in, len, buf, len);

    p = ngx_hyperdrive_base_chain_reserve(out,
                                         NGX_HYPERDRIVE_MYSQL_COMPRESS_HEADER);
    if (p == NULL) {
        return;
    }

    p = ngx_hyperdrive_mysql_put_u24(p, (uint32_t) (n ? n : len));
    *p++ = z->seq++;
    (void) ngx_hyperdrive_mysql_put_u24(p, (uint32_t) (n ? len : 0));

    if (n) {
        (void) ngx_hyperdrive_base_chain_append(out, buf, n);

    } else {
        ngx_hyperdrive_mysql_compress_store(in, len, out);
    }

    ngx_hyperdrive_base_chain_consume(in, len);
}


/*
 * How much of it is of one command.  The database numbers anew with each, and
 * takes each from a packet of its own; what it has asked for amid a command
 * goes on with its numbers.
 */

static size_t
ngx_hyperdrive_mysql_compress_command(ngx_hyperdrive_mysql_compress_t *z,
    ngx_hyperdrive_chain_t *in)
{
    u_char                       *p, *last;
    size_t                        len, n;
    ngx_hyperdrive_block_t       *block;
    ngx_hyperdrive_mysql_part_t   part;

    len = 0;

    for (block = in->head; block; block = block->next) {

        for (p = block->pos; p < block->last; /* void */ ) {

            n = ngx_min((size_t) (block->last - p),
                        NGX_HYPERDRIVE_MYSQL_COMPRESS_SLICE - len);
            last = p + n;

            if (ngx_hyperdrive_mysql_part(&z->framer, &p, last, &part)
                == NGX_OK && part.packet)
            {
                /* (its numbers come back to 0 amid what was asked for) */

                if (part.begin && part.seq == 0
                    && (z->last != 255 || z->empty))
                {
                    z->seq = 0;
                }

                z->last = part.seq;
                z->empty = (part.len + z->framer.left == 0);
            }

            len += n - (last - p);

            if (len == NGX_HYPERDRIVE_MYSQL_COMPRESS_SLICE
                || ngx_hyperdrive_mysql_framer_clear(&z->framer))
            {
                return len;
            }
        }
    }

    return len;
}


static void
ngx_hyperdrive_mysql_compress_store(ngx_hyperdrive_chain_t *in, size_t len,
    ngx_hyperdrive_chain_t *out)
{
    size_t                   n;
    ngx_hyperdrive_block_t  *block;

    for (block = in->head; len; block = block->next) {

        n = ngx_min((size_t) (block->last - block->pos), len);
        len -= n;

        (void) ngx_hyperdrive_base_chain_append(out, block->pos, n);
    }
}


static void
ngx_hyperdrive_mysql_compress_destroy(ngx_hyperdrive_base_codec_t *codec)
{
    ngx_hyperdrive_mysql_compress_end(
                                  (ngx_hyperdrive_mysql_compress_t *) codec);
    free(codec);
}


static void *
ngx_hyperdrive_mysql_compress_zlib_open(void)
{
    z_stream  *s;

    s = calloc(1, sizeof(z_stream));

    if (s && inflateInit(s) != Z_OK) {
        free(s);
        return NULL;
    }

    return s;
}


static ngx_int_t
ngx_hyperdrive_mysql_compress_zlib_unpack(void *stream, u_char **pos,
    u_char *last, u_char **out, u_char *end)
{
    int        rc;
    z_stream  *s = stream;

    s->next_in = *pos;
    s->avail_in = (uInt) (last - *pos);
    s->next_out = *out;
    s->avail_out = (uInt) (end - *out);

    rc = inflate(s, Z_NO_FLUSH);

    *pos = s->next_in;
    *out = s->next_out;

    switch (rc) {

    case Z_OK:
    case Z_BUF_ERROR:
        return NGX_OK;

    case Z_STREAM_END:
        return NGX_DONE;

    default:
        return NGX_ERROR;
    }
}


static void
ngx_hyperdrive_mysql_compress_zlib_close(void *stream)
{
    (void) inflateEnd(stream);
    free(stream);
}


static size_t
ngx_hyperdrive_mysql_compress_zlib_pack(ngx_hyperdrive_chain_t *in, size_t len,
    u_char *buf, size_t size)
{
    int                      rc;
    size_t                   n;
    ngx_hyperdrive_block_t  *block;

    /* kept from call to call: it is large, and nothing is left in it */
    static z_stream          s;
    static ngx_uint_t        ready;

    rc = ready ? deflateReset(&s)
               : deflateInit(&s, NGX_HYPERDRIVE_MYSQL_COMPRESS_LEVEL);

    if (rc != Z_OK) {
        return 0;
    }

    ready = 1;

    s.next_out = buf;
    s.avail_out = (uInt) size - 1;

    for (block = in->head; len; block = block->next) {

        n = ngx_min((size_t) (block->last - block->pos), len);
        len -= n;

        s.next_in = block->pos;
        s.avail_in = (uInt) n;

        rc = deflate(&s, len ? Z_NO_FLUSH : Z_FINISH);

        if (s.avail_in || (rc != Z_OK && rc != Z_STREAM_END)) {
            return 0;
        }
    }

    return (rc == Z_STREAM_END) ? s.total_out : 0;
}
