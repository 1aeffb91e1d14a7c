
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "shm/ngx_hyperdrive_shm_layout.h"


/*
 * The table is a row of words, each changed by one store, so that it needs no
 * lock and a process may die anywhere: the slot that has the client, plus one,
 * in the upper half; the client's number there, plus one, in the lower, which
 * is 0 while it is on its way.
 */

#define NGX_HYPERDRIVE_SHM_CLIENT_AT(slot, n)                                \
    ((ngx_atomic_uint_t) ((slot) + 1) << 32 | (n))


uint32_t
ngx_hyperdrive_shm_client_add(ngx_uint_t n)
{
    ngx_uint_t          i;
    ngx_atomic_uint_t   number, at;

    if (ngx_hyperdrive_shm_slot == NGX_HYPERDRIVE_SLOTS) {
        return 0;
    }

    at = NGX_HYPERDRIVE_SHM_CLIENT_AT(ngx_hyperdrive_shm_slot, n + 1);

    /* one after the other: a number that was told is not used again soon */

    for (i = 0; i < NGX_HYPERDRIVE_SHM_CLIENTS; i++) {
        number = ngx_atomic_fetch_add(&ngx_hyperdrive_shm->nclients, 1)
                 % NGX_HYPERDRIVE_SHM_CLIENTS;

        if (ngx_hyperdrive_shm->clients[number] == 0
            && ngx_atomic_cmp_set(&ngx_hyperdrive_shm->clients[number], 0, at))
        {
            return (uint32_t) number + 1;
        }
    }

    return 0;
}


void
ngx_hyperdrive_shm_client_remove(uint32_t number)
{
    ngx_atomic_t       *client;
    ngx_atomic_uint_t   at;

    if (number == 0) {
        return;
    }

    client = &ngx_hyperdrive_shm->clients[number - 1];
    at = *client;

    if (at >> 32 == ngx_hyperdrive_shm_slot + 1) {
        (void) ngx_atomic_cmp_set(client, at, 0);
    }
}


void
ngx_hyperdrive_shm_client_pass(uint32_t number, ngx_uint_t slot)
{
    if (number) {
        ngx_hyperdrive_shm->clients[number - 1]
                                      = NGX_HYPERDRIVE_SHM_CLIENT_AT(slot, 0);
    }
}


ngx_int_t
ngx_hyperdrive_shm_client_take(uint32_t number, ngx_uint_t n)
{
    ngx_atomic_t       *client;
    ngx_atomic_uint_t   at, here;

    if (number == 0 || number > NGX_HYPERDRIVE_SHM_CLIENTS
        || ngx_hyperdrive_shm_slot == NGX_HYPERDRIVE_SLOTS)
    {
        return NGX_DECLINED;
    }

    client = &ngx_hyperdrive_shm->clients[number - 1];
    at = *client;
    here = NGX_HYPERDRIVE_SHM_CLIENT_AT(ngx_hyperdrive_shm_slot, n + 1);

    /* the process that it was sent to may have died, and left it to us */

    if ((uint32_t) at != 0 || !ngx_atomic_cmp_set(client, at, here)) {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


ngx_int_t
ngx_hyperdrive_shm_client_find(uint32_t number, ngx_uint_t *slot,
    ngx_uint_t *n)
{
    ngx_atomic_uint_t  at;

    if (number == 0 || number > NGX_HYPERDRIVE_SHM_CLIENTS) {
        return NGX_DECLINED;
    }

    at = ngx_hyperdrive_shm->clients[number - 1];

    if ((uint32_t) at == 0) {
        return NGX_DECLINED;
    }

    *slot = (ngx_uint_t) (at >> 32) - 1;
    *n = (ngx_uint_t) (uint32_t) at - 1;

    return NGX_OK;
}


/* may be done twice */

void
ngx_hyperdrive_shm_client_reclaim(ngx_uint_t slot)
{
    ngx_uint_t          i, n;
    ngx_atomic_uint_t   at;

    n = ngx_min(ngx_hyperdrive_shm->nclients, NGX_HYPERDRIVE_SHM_CLIENTS);

    for (i = 0; i < n; i++) {
        at = ngx_hyperdrive_shm->clients[i];

        if (at >> 32 == slot + 1) {
            (void) ngx_atomic_cmp_set(&ngx_hyperdrive_shm->clients[i], at, 0);
        }
    }
}
