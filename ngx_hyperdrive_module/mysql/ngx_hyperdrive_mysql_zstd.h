
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_MYSQL_ZSTD_H_INCLUDED_
#define _NGX_HYPERDRIVE_MYSQL_ZSTD_H_INCLUDED_


#include "ngx_hyperdrive.h"
#include "base/ngx_hyperdrive_base_chain.h"


/* what is inside of a packet of the compressed protocol: one stream */

typedef struct {
    /* of one that is read; NULL: no memory */
    void       *(*open)(void);
    /* as much as there is of it, and room for: NGX_OK, NGX_DONE at its end, or
       NGX_ERROR */
    ngx_int_t   (*unpack)(void *stream, u_char **pos, u_char *last,
                    u_char **out, u_char *end);
    void        (*close)(void *stream);
    /* the first <len> bytes, at least one; how long they have become, 0: not
       shorter */
    size_t      (*pack)(ngx_hyperdrive_chain_t *in, size_t len, u_char *buf,
                    size_t size);
} ngx_hyperdrive_mysql_algorithm_t;


#if (NGX_HYPERDRIVE_ZSTD)
extern ngx_hyperdrive_mysql_algorithm_t  ngx_hyperdrive_mysql_zstd;
#endif


#endif /* _NGX_HYPERDRIVE_MYSQL_ZSTD_H_INCLUDED_ */
