/* sources: mysql/ngx_hyperdrive_mysql_compress.c mysql/ngx_hyperdrive_mysql_zstd.c mysql/ngx_hyperdrive_mysql_packet.c base/ngx_hyperdrive_base_chain.c libs: z zstd */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * Tests of MySQL's compressed protocol: cut at every byte, and against zlib
 * and zstd.
 */


#include "mysql/ngx_hyperdrive_mysql_compress.h"
#include "mysql/ngx_hyperdrive_mysql_packet.h"
#include "check.h"
#include <stdio.h>
#include <zlib.h>
#if (NGX_HYPERDRIVE_ZSTD)
#include <zstd.h>
#endif


#define LARGE  (3 * 1024 * 1024)


static uint64_t  caps;              /* by which it is done */


/* a packet of the compressed protocol; <plain>: it is */

static size_t
wrap(u_char *out, u_char seq, u_char *data, size_t len, ngx_uint_t plain)
{
    u_char  *p;
    uLongf   n;

    n = compressBound(len) + 100;
    p = out + NGX_HYPERDRIVE_MYSQL_COMPRESS_HEADER;

    if (plain) {
        n = len;
        memcpy(p, data, len);

    } else if (caps & NGX_HYPERDRIVE_MYSQL_COMPRESS) {
        compress(p, &n, data, len);

    } else {
#if (NGX_HYPERDRIVE_ZSTD)
        n = ZSTD_compress(p, n, data, len, 3);
#endif
    }

    p = ngx_hyperdrive_mysql_put_u24(out, (uint32_t) n);
    *p++ = seq;
    (void) ngx_hyperdrive_mysql_put_u24(p, plain ? 0 : (uint32_t) len);

    return NGX_HYPERDRIVE_MYSQL_COMPRESS_HEADER + n;
}


/* unpacks [in, in + len) in two pieces, into buffers of <room> bytes */

static ssize_t
unpack(u_char *in, size_t len, size_t cut, size_t room, u_char *out)
{
    u_char                       *pos, *last, *o;
    ssize_t                       n;
    ngx_uint_t                    i;
    ngx_hyperdrive_base_codec_t  *codec;

    codec = ngx_hyperdrive_mysql_compress(caps, 0);
    o = out;
    n = 0;

    for (i = 0; i < 2 && n != NGX_ERROR; i++) {
        pos = i ? in + cut : in;
        last = i ? in + len : in + cut;

        do {
            n = codec->unpack(codec, &pos, last, o, room);

            if (n == NGX_ERROR) {
                break;
            }

            o += n;

        } while (n == (ssize_t) room || pos != last);
    }

    codec->destroy(codec);

    return (n == NGX_ERROR) ? NGX_ERROR : o - out;
}


static void
test_unpack(void)
{
    u_char  text[1000], in[4000], out[4000];
    size_t  i, len, room, good, total;

    for (i = 0; i < sizeof(text); i++) {
        text[i] = (u_char) (i % 17 + i / 100);
    }

    len = wrap(in, 0, text, 300, 0);
    len += wrap(in + len, 1, text + 300, 40, 1);
    len += wrap(in + len, 2, text + 340, 1, 0);
    len += wrap(in + len, 3, text + 341, 659, 0);

    good = 0;
    total = 0;

    for (room = 1; room < 4000; room = room * 3 + 1) {

        for (i = 0; i <= len; i++) {
            memset(out, 0, sizeof(out));

            total++;
            good += (unpack(in, len, i, room, out) == 1000
                     && memcmp(out, text, 1000) == 0);
        }
    }

    ok(good == total, "packets cut at every byte, into little room");

    good = 0;

    for (i = 0; i < len; i++) {
        /* a part is no error, and no more than a part comes out of it */
        good += (unpack(in, i, i / 2, 100, out) >= 0);
    }

    ok(good == len, "packets that end too early are waited for");
}


static void
test_malformed(void)
{
    u_char  text[100], in[400], out[400];
    size_t  len;

    memset(text, 'x', sizeof(text));

    ok(unpack((u_char *) "\0\0\0\0\0\0\0", 7, 3, 10, out) == NGX_ERROR,
       "an empty packet");

    len = wrap(in, 0, text, 100, 0);
    in[4] = 99;
    ok(unpack(in, len, 5, 400, out) == NGX_ERROR, "more than was said");
    in[4] = 101;
    ok(unpack(in, len, 5, 400, out) == NGX_ERROR, "less than was said");
    in[4] = 100;
    in[0]++;
    in[len++] = 'x';
    ok(unpack(in, len, 5, 400, out) == NGX_ERROR, "bytes behind the end");
    in[0] -= 2;
    ok(unpack(in, len, 5, 400, out) == NGX_ERROR, "cut short");
    in[0]++;
    in[8] ^= 0xff;
    ok(unpack(in, len, 5, 400, out) == NGX_ERROR,
       "no such stream");
}


/* what is packed says what it was, however it lies in its chain */

static ngx_uint_t
same(ngx_hyperdrive_chain_t *packed, u_char *text, size_t len, u_char *seqs,
    ngx_uint_t *nseqs)
{
    u_char      *in, *out, *p;
    size_t       n;
    ngx_uint_t   i, good;

    in = malloc(packed->size + 1);
    out = malloc(len + 1);

    n = packed->size;
    ngx_hyperdrive_base_chain_copy(packed, in);
    ngx_hyperdrive_base_chain_clear(packed);

    i = 0;

    for (p = in; p < in + n; /* void */ ) {
        seqs[i++] = p[3];
        p += NGX_HYPERDRIVE_MYSQL_COMPRESS_HEADER
             + ngx_hyperdrive_mysql_get_u24(p);
    }

    *nseqs = i;

    good = (p == in + n && unpack(in, n, n / 3, len + 1, out) == (ssize_t) len
            && memcmp(out, text, len) == 0);

    free(in);
    free(out);

    return good;
}


static void
test_answers(void)
{
    u_char                       *text, *pos, seqs[1000];
    size_t                        i;
    uint32_t                      x;
    ngx_uint_t                    n;
    ngx_hyperdrive_chain_t        in, out;
    ngx_hyperdrive_base_codec_t  *codec;

    ngx_memzero(&in, sizeof(ngx_hyperdrive_chain_t));
    ngx_memzero(&out, sizeof(ngx_hyperdrive_chain_t));

    text = malloc(LARGE);

    for (i = 0, x = 1; i < LARGE; i++) {
        x = x * 1664525 + 1013904223;
        text[i] = (i < LARGE / 2) ? (u_char) (i / 1000) : (u_char) (x >> 24);
    }

    codec = ngx_hyperdrive_mysql_compress(caps, 0);

    /* its request has come in packets 0 and 1 */

    pos = (u_char *) "\1\0\0\0\0\0\0x\1\0\0\1\0\0\0x";
    (void) codec->unpack(codec, &pos, pos + 16, seqs, sizeof(seqs));

    (void) ngx_hyperdrive_base_chain_append(&in, text, LARGE);

    i = 0;

    while (in.size) {
        codec->pack(codec, &in, &out);
        i = ngx_max(i, out.size);
    }

    ok(out.size < LARGE * 5 / 8 && out.size > LARGE / 2,
       "what can be compressed is, and what cannot is not longer");
    ok(same(&out, text, LARGE, seqs, &n) && n == LARGE / 65536
       && seqs[0] == 2 && seqs[n - 1] == (u_char) (n + 1),
       "an answer is numbered from its request on");

    (void) ngx_hyperdrive_base_chain_append(&in, text, 49);
    codec->pack(codec, &in, &out);

    ok(out.size == 49 + NGX_HYPERDRIVE_MYSQL_COMPRESS_HEADER,
       "a short one is not compressed");

    ngx_hyperdrive_base_chain_clear(&out);
    codec->destroy(codec);
    free(text);
}


static void
test_commands(void)
{
    u_char                       *all, body[70000], seq, seqs[1000];
    size_t                        len, i;
    ngx_uint_t                    n;
    ngx_hyperdrive_chain_t        in, out;
    ngx_hyperdrive_base_codec_t  *codec;

    ngx_memzero(&in, sizeof(ngx_hyperdrive_chain_t));
    ngx_memzero(&out, sizeof(ngx_hyperdrive_chain_t));
    memset(body, 'q', sizeof(body));

    seq = 0;
    ngx_hyperdrive_mysql_packet_append(&in, "\3SELECT 1", 9, &seq);
    seq = 0;
    ngx_hyperdrive_mysql_packet_append(&in, body, sizeof(body), &seq);
    seq = 0;
    ngx_hyperdrive_mysql_packet_append(&in, "\16", 1, &seq);

    len = in.size;
    all = malloc(len);
    ngx_hyperdrive_base_chain_copy(&in, all);

    codec = ngx_hyperdrive_mysql_compress(caps, 1);

    while (in.size) {
        codec->pack(codec, &in, &out);
    }

    ok(same(&out, all, len, seqs, &n) && n == 4
       && memcmp(seqs, "\0\0\1\0", 4) == 0,
       "each command begins a packet, with number 0");

    /* the same, handed on byte by byte */

    for (i = 0; i < len; i++) {
        (void) ngx_hyperdrive_base_chain_append(&in, all + i, 1);

        if (i % 7 == 0 || i + 1 == len) {
            while (in.size) {
                codec->pack(codec, &in, &out);
            }
        }
    }

    i = out.size;
    n = (unsigned) (i > len);
    ngx_hyperdrive_base_chain_clear(&out);

    ok(n, "commands cut anywhere");

    /* a file that was asked for goes on with the numbers: 3, 4... 255, 0... */

    seq = 3;

    for (i = 3; i < 600; i++) {
        ngx_hyperdrive_mysql_packet_append(&in, "line", 4, &seq);
    }

    ngx_hyperdrive_mysql_packet_append(&in, "", 0, &seq);
    seq = 0;
    ngx_hyperdrive_mysql_packet_append(&in, "\16", 1, &seq);

    all = realloc(all, in.size);
    len = in.size;
    ngx_hyperdrive_base_chain_copy(&in, all);

    while (in.size) {
        codec->pack(codec, &in, &out);
    }

    ok(same(&out, all, len, seqs, &n) && n == 599, "a file, and a command");

    for (i = 1; i < 598 && seqs[i] == (u_char) (seqs[i - 1] + 1); i++) {
        /* void */
    }

    ok(i == 598 && seqs[598] == 0, "its packets are numbered on and on");

    codec->destroy(codec);
    free(all);
}


static void
all(void)
{
    printf("# by %s\n", (caps & NGX_HYPERDRIVE_MYSQL_COMPRESS) ? "zlib"
                                                               : "zstd");
    test_unpack();
    test_malformed();
    test_answers();
    test_commands();
}


int
main(void)
{
    caps = NGX_HYPERDRIVE_MYSQL_COMPRESS;
    all();

#if (NGX_HYPERDRIVE_ZSTD)
    caps = NGX_HYPERDRIVE_MYSQL_ZSTD;
    all();
#endif

    return done();
}
