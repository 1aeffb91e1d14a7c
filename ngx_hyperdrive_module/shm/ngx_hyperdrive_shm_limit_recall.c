
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "shm/ngx_hyperdrive_shm_layout.h"


/* an application that asks for lastval() has done so before that */
#define NGX_HYPERDRIVE_SHM_LIMIT_RECALL_UNASKED  10000


void
ngx_hyperdrive_shm_limit_recall(ngx_hyperdrive_shm_limit_t *limit)
{
    if (!limit->recalls) {
        limit->recalls = 1;
    }
}


ngx_uint_t
ngx_hyperdrive_shm_limit_recalled(ngx_hyperdrive_shm_limit_t *limit)
{
    if (limit->recalls) {
        return 1;
    }

    if (limit->unasked >= NGX_HYPERDRIVE_SHM_LIMIT_RECALL_UNASKED) {
        return 0;
    }

    (void) ngx_atomic_fetch_add(&limit->unasked, 1);

    return 1;
}
