
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_MYSQL_COMPRESS_H_INCLUDED_
#define _NGX_HYPERDRIVE_MYSQL_COMPRESS_H_INCLUDED_


#include "ngx_hyperdrive.h"
#include "base/ngx_hyperdrive_base_codec.h"
#include "mysql/ngx_hyperdrive_mysql_packet.h"


/*
 * The compressed protocol: behind a log-in that has agreed upon it, all bytes
 * go in packets of another kind: a length, a number of its own count, the
 * length before it was compressed (0: it is not), then the bytes.
 */

#define NGX_HYPERDRIVE_MYSQL_COMPRESS_HEADER  7


/* capabilities that we have: zlib's, and zstd's where it was found */

#if (NGX_HYPERDRIVE_ZSTD)
#define NGX_HYPERDRIVE_MYSQL_COMPRESSED                                       \
    (NGX_HYPERDRIVE_MYSQL_COMPRESS|NGX_HYPERDRIVE_MYSQL_ZSTD)
#else
#define NGX_HYPERDRIVE_MYSQL_COMPRESSED  NGX_HYPERDRIVE_MYSQL_COMPRESS
#endif


/*
 * By what <caps> have agreed upon, which is one of those: zlib, if it is both.
 * <commands>: what we send are commands, each of which begins such a packet
 * with number 0; else answers, numbered from what was received last.  NULL: no
 * memory.
 */
ngx_hyperdrive_base_codec_t *ngx_hyperdrive_mysql_compress(uint64_t caps,
    ngx_uint_t commands);


#endif /* _NGX_HYPERDRIVE_MYSQL_COMPRESS_H_INCLUDED_ */
