
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_BASE_CODEC_H_INCLUDED_
#define _NGX_HYPERDRIVE_BASE_CODEC_H_INCLUDED_


#include "ngx_hyperdrive.h"
#include "base/ngx_hyperdrive_base_chain.h"


/*
 * What stands between a socket and the protocol that is spoken over it: a
 * compression.  Made by a protocol room, owned and driven by a socket; pure,
 * as all of these rooms are.
 */

typedef struct ngx_hyperdrive_base_codec_s  ngx_hyperdrive_base_codec_t;

struct ngx_hyperdrive_base_codec_s {
    /*
     * Bytes of the protocol, out of what was received: [*pos, last), which may
     * be cut anywhere.  How many of them are in <buf>, of <size>: if there is
     * room left, all input is consumed and nothing is held back.  NGX_ERROR:
     * it is malformed.
     */
    ssize_t    (*unpack)(ngx_hyperdrive_base_codec_t *codec, u_char **pos,
                         u_char *last, u_char *buf, size_t size);
    /*
     * Takes some of what is to be sent out of <in>, which is not empty, and
     * appends to <out> what stands for it.  out->failed: no memory.
     */
    void       (*pack)(ngx_hyperdrive_base_codec_t *codec,
                       ngx_hyperdrive_chain_t *in,
                       ngx_hyperdrive_chain_t *out);
    void       (*destroy)(ngx_hyperdrive_base_codec_t *codec);
};


#endif /* _NGX_HYPERDRIVE_BASE_CODEC_H_INCLUDED_ */
