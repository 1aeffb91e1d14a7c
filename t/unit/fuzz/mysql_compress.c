/* sources: mysql/ngx_hyperdrive_mysql_compress.c mysql/ngx_hyperdrive_mysql_zstd.c mysql/ngx_hyperdrive_mysql_packet.c base/ngx_hyperdrive_base_chain.c libs: z zstd */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * The first byte says what is done with the rest: it is unpacked, in pieces
 * and into little room; or packed, and has to come out again.
 */


#include "mysql/ngx_hyperdrive_mysql_compress.h"


static uint64_t  caps;


static void unpack(const u_char *data, size_t size, size_t piece, size_t room);
static void pack(const u_char *data, size_t size, size_t piece,
    ngx_uint_t commands);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 3) {
        return 0;
    }

    caps = (data[0] & 4) ? NGX_HYPERDRIVE_MYSQL_ZSTD
                         : NGX_HYPERDRIVE_MYSQL_COMPRESS;

    if (data[0] & 1) {
        unpack(data + 3, size - 3, data[1] + 1, data[2] * 16 + 1);

    } else {
        pack(data + 3, size - 3, data[1] + 1, data[0] & 2);
    }

    return 0;
}


static void
unpack(const u_char *data, size_t size, size_t piece, size_t room)
{
    u_char                       *in, *out, *pos, *last;
    size_t                        total;
    ssize_t                       n;
    ngx_hyperdrive_base_codec_t  *codec;

    codec = ngx_hyperdrive_mysql_compress(caps, 0);
    total = 0;
    n = 0;

    while (size && n != NGX_ERROR && total < 4 * 1024 * 1024) {

        /* of just their size: what reads or writes beyond is found */

        piece = ngx_min(piece, size);
        in = malloc(piece);
        memcpy(in, data, piece);

        pos = in;
        last = in + piece;

        do {
            out = malloc(room);
            n = codec->unpack(codec, &pos, last, out, room);
            free(out);

            if (n > (ssize_t) room || (n < 0 && n != NGX_ERROR)
                || pos < in || pos > last
                || (n >= 0 && n < (ssize_t) room && pos != last))
            {
                abort();
            }

            total += (n > 0) ? n : 0;

        } while (n == (ssize_t) room && total < 4 * 1024 * 1024);

        data += piece;
        size -= piece;

        free(in);
    }

    codec->destroy(codec);
}


static void
pack(const u_char *data, size_t size, size_t piece, ngx_uint_t commands)
{
    u_char                       *in, *out, *pos;
    size_t                        i, n;
    ngx_hyperdrive_chain_t        plain, packed;
    ngx_hyperdrive_base_codec_t  *codec, *other;

    codec = ngx_hyperdrive_mysql_compress(caps, commands);
    other = ngx_hyperdrive_mysql_compress(caps, !commands);

    ngx_memzero(&plain, sizeof(ngx_hyperdrive_chain_t));
    ngx_memzero(&packed, sizeof(ngx_hyperdrive_chain_t));

    for (i = 0; i < size; i += n) {
        n = ngx_min(piece, size - i);
        (void) ngx_hyperdrive_base_chain_append(&plain, data + i, n);

        while (plain.size) {
            codec->pack(codec, &plain, &packed);
        }
    }

    in = malloc(packed.size + 1);
    out = malloc(size + 1);

    ngx_hyperdrive_base_chain_copy(&packed, in);

    pos = in;

    if (other->unpack(other, &pos, in + packed.size, out, size + 1)
        != (ssize_t) size
        || pos != in + packed.size || (size && memcmp(out, data, size) != 0))
    {
        abort();
    }

    ngx_hyperdrive_base_chain_clear(&packed);

    codec->destroy(codec);
    other->destroy(other);

    free(in);
    free(out);
}
