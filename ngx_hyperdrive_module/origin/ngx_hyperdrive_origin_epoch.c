
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "origin/ngx_hyperdrive_origin.h"


/*
 * Epochs of a pool's catalog.  They hold while three versions do; sessions that
 * are set otherwise, and see it otherwise by that, have epochs of their own.
 */


/* that are remembered: with more, some begin anew too early */
#define NGX_HYPERDRIVE_ORIGIN_EPOCHS     16


struct ngx_hyperdrive_origin_epoch_s {
    ngx_hyperdrive_origin_epoch_t  *next;
    uint64_t                        number;
    size_t                          len;
    u_char                          key[];
};


uint64_t
ngx_hyperdrive_origin_epoch(ngx_hyperdrive_pool_t *pool, uint64_t *versions,
    ngx_str_t *key)
{
    ngx_uint_t                       n;
    ngx_hyperdrive_origin_epoch_t   *epoch, **link;

    if (ngx_memcmp(pool->versions, versions, sizeof(pool->versions)) != 0) {
        ngx_hyperdrive_origin_epoch_end(pool);
        ngx_memcpy(pool->versions, versions, sizeof(pool->versions));
    }

    link = &pool->epochs;

    for (n = 1; *link; n++) {
        epoch = *link;

        if (epoch->len == key->len
            && ngx_memcmp(epoch->key, key->data, key->len) == 0)
        {
            *link = epoch->next;
            goto found;
        }

        if (n == NGX_HYPERDRIVE_ORIGIN_EPOCHS) {
            *link = NULL;
            free(epoch);
            break;
        }

        link = &epoch->next;
    }

    epoch = malloc(sizeof(ngx_hyperdrive_origin_epoch_t) + key->len);
    if (epoch == NULL) {
        return NGX_HYPERDRIVE_STATE_NO_EPOCH;
    }

    epoch->number = ngx_hyperdrive_shm_next_id();
    epoch->len = key->len;
    ngx_memcpy(epoch->key, key->data, key->len);

found:

    epoch->next = pool->epochs;
    pool->epochs = epoch;

    return epoch->number;
}


void
ngx_hyperdrive_origin_epoch_end(ngx_hyperdrive_pool_t *pool)
{
    ngx_hyperdrive_origin_epoch_t  *epoch;

    while (pool->epochs) {
        epoch = pool->epochs;
        pool->epochs = epoch->next;

        free(epoch);
    }
}
