
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "shm/ngx_hyperdrive_shm_layout.h"


/*
 * A process takes a slot when it begins, and a limit for each upstream.  One
 * that finds none ends, and nginx does not start it again: so it is looked
 * for before a configuration is in force, while the old one can go on.
 */


static ngx_uint_t ngx_hyperdrive_shm_room_limits(ngx_array_t *names);
static ngx_uint_t ngx_hyperdrive_shm_room_named(ngx_array_t *names,
    ngx_hyperdrive_shm_limit_t *limit);


ngx_int_t
ngx_hyperdrive_shm_room(ngx_array_t *names, ngx_uint_t processes,
    ngx_log_t *log)
{
    ngx_uint_t  i, n, leaving;

    n = processes;
    leaving = 0;

    for (i = 0; i < NGX_HYPERDRIVE_SLOTS; i++) {

        if (!ngx_hyperdrive_shm_slot_alive(i)) {
            continue;
        }

        n++;

        if (ngx_hyperdrive_shm_slot_generation(i)
            < ngx_hyperdrive_shm_generation())
        {
            leaving++;
        }
    }

    /* those that are to be replaced now have to be borne with */

    if (leaving && n > NGX_HYPERDRIVE_SLOTS) {
        ngx_log_error(NGX_LOG_EMERG, log, 0,
                      "hyperdrive: %ui worker processes of configurations "
                      "before this one have not left yet, and no more than %d "
                      "can be there at a time: reload later, or write a "
                      "shorter \"deadline\" of \"hyperdrive_drain\"", leaving,
                      NGX_HYPERDRIVE_SLOTS);
        return NGX_ERROR;
    }

    if (ngx_hyperdrive_shm_room_limits(names) > NGX_HYPERDRIVE_SHM_LIMITS) {
        ngx_log_error(NGX_LOG_EMERG, log, 0,
                      "hyperdrive: with the upstreams that the running "
                      "processes have there are more than %d: reload with "
                      "fewer new names, and again when those processes have "
                      "left", NGX_HYPERDRIVE_SHM_LIMITS);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* those that will be in use, by these names or by others */

static ngx_uint_t
ngx_hyperdrive_shm_room_limits(ngx_array_t *names)
{
    ngx_uint_t                   i, n;
    ngx_hyperdrive_shm_limit_t  *limit;

    n = names->nelts;

    ngx_hyperdrive_shm_lock();

    for (i = 0; i < ngx_hyperdrive_shm->nlimits; i++) {
        limit = &ngx_hyperdrive_shm->limits[i];

        if (!ngx_hyperdrive_shm_limit_unused_locked(limit)
            && !ngx_hyperdrive_shm_room_named(names, limit))
        {
            n++;
        }
    }

    ngx_hyperdrive_shm_unlock();

    return n;
}


static ngx_uint_t
ngx_hyperdrive_shm_room_named(ngx_array_t *names,
    ngx_hyperdrive_shm_limit_t *limit)
{
    ngx_str_t   *name;
    ngx_uint_t   i;

    name = names->elts;

    for (i = 0; i < names->nelts; i++) {

        if (name[i].len == limit->len
            && ngx_memcmp(name[i].data, limit->name, limit->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}
