
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "cache/ngx_hyperdrive_cache_flight.h"
#include "shm/ngx_hyperdrive_shm.h"


/* a constant, or a reload would make a second zone beside the one in use */
#define NGX_HYPERDRIVE_CACHE_FLIGHT_ZONE     (512 * 1024)


static ngx_int_t ngx_hyperdrive_cache_flight_zone_init(ngx_shm_zone_t *zone,
    void *data);


static ngx_str_t  ngx_hyperdrive_cache_flight_zone_name =
    ngx_string("hyperdrive:flights");


ngx_shm_zone_t *
ngx_hyperdrive_cache_flight_zone(ngx_conf_t *cf, void *tag)
{
    ngx_shm_zone_t  *zone;

    zone = ngx_shared_memory_add(cf, &ngx_hyperdrive_cache_flight_zone_name,
                                 NGX_HYPERDRIVE_CACHE_FLIGHT_ZONE, tag);
    if (zone) {
        zone->init = ngx_hyperdrive_cache_flight_zone_init;
    }

    return zone;
}


static ngx_int_t
ngx_hyperdrive_cache_flight_zone_init(ngx_shm_zone_t *zone, void *data)
{
    void             *mem;
    ngx_slab_pool_t  *shpool;

    if (ngx_hyperdrive_shm_zone_kept(zone, data) == NGX_OK) {
        return NGX_OK;
    }

    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    /* whole pages: they are page aligned, and still zeroes */

    mem = ngx_slab_alloc(shpool, ngx_hyperdrive_cache_flight_size());

    if (mem) {
#if (NGX_DEBUG_MALLOC)
        ngx_memzero(mem, ngx_hyperdrive_cache_flight_size());
#endif

        if (ngx_hyperdrive_cache_flight_attach(mem,
                                     ngx_hyperdrive_cache_flight_size(), 1)
            == NGX_OK)
        {
            shpool->data = mem;
            zone->data = mem;

            return NGX_OK;
        }
    }

    ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                  "zone \"%V\" could not be laid out", &zone->shm.name);

    return NGX_ERROR;
}


ngx_int_t
ngx_hyperdrive_cache_flight_use(ngx_shm_zone_t *zone)
{
    return ngx_hyperdrive_cache_flight_attach(zone->data,
                                     ngx_hyperdrive_cache_flight_size(), 0);
}
