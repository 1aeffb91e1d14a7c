
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_BASE_HASH_H_INCLUDED_
#define _NGX_HYPERDRIVE_BASE_HASH_H_INCLUDED_


#include "ngx_hyperdrive.h"


/*
 * SipHash-1-3 of <len> bytes.  For tables whose keys are chosen by strangers:
 * who does not know the seed cannot make keys collide.  The value depends on
 * the byte order of the machine: it is for memory, not for the wire or a disk.
 */
uint64_t ngx_hyperdrive_base_hash(const uint64_t seed[2], const void *data,
    size_t len);


#endif /* _NGX_HYPERDRIVE_BASE_HASH_H_INCLUDED_ */
