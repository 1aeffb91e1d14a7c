
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "base/ngx_hyperdrive_base_hash.h"


#define ngx_hyperdrive_base_hash_rotl(x, n)                                   \
    (((x) << (n)) | ((x) >> (64 - (n))))

#define ngx_hyperdrive_base_hash_round(v0, v1, v2, v3)                        \
    v0 += v1;  v1 = ngx_hyperdrive_base_hash_rotl(v1, 13);  v1 ^= v0;         \
    v0 = ngx_hyperdrive_base_hash_rotl(v0, 32);                               \
    v2 += v3;  v3 = ngx_hyperdrive_base_hash_rotl(v3, 16);  v3 ^= v2;         \
    v0 += v3;  v3 = ngx_hyperdrive_base_hash_rotl(v3, 21);  v3 ^= v0;         \
    v2 += v1;  v1 = ngx_hyperdrive_base_hash_rotl(v1, 17);  v1 ^= v2;         \
    v2 = ngx_hyperdrive_base_hash_rotl(v2, 32)


uint64_t
ngx_hyperdrive_base_hash(const uint64_t seed[2], const void *data, size_t len)
{
    size_t         i;
    uint64_t       m, v0, v1, v2, v3;
    const u_char  *p, *last;

    v0 = seed[0] ^ 0x736f6d6570736575ULL;
    v1 = seed[1] ^ 0x646f72616e646f6dULL;
    v2 = seed[0] ^ 0x6c7967656e657261ULL;
    v3 = seed[1] ^ 0x7465646279746573ULL;

    p = data;

    for (last = p + (len & ~(size_t) 7); p < last; p += 8) {

        /* one unaligned load where the machine has it */
        ngx_memcpy(&m, p, 8);

        v3 ^= m;
        ngx_hyperdrive_base_hash_round(v0, v1, v2, v3);
        v0 ^= m;
    }

    m = (uint64_t) len << 56;

    for (i = 0; i < (len & 7); i++) {
        m |= (uint64_t) p[i] << (8 * i);
    }

    v3 ^= m;
    ngx_hyperdrive_base_hash_round(v0, v1, v2, v3);
    v0 ^= m;

    v2 ^= 0xff;
    ngx_hyperdrive_base_hash_round(v0, v1, v2, v3);
    ngx_hyperdrive_base_hash_round(v0, v1, v2, v3);
    ngx_hyperdrive_base_hash_round(v0, v1, v2, v3);

    return v0 ^ v1 ^ v2 ^ v3;
}
