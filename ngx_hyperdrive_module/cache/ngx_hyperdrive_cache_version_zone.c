
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "cache/ngx_hyperdrive_cache_version.h"
#include "cache/ngx_hyperdrive_cache_position.h"
#include "shm/ngx_hyperdrive_shm.h"


/*
 * A constant, or a reload would make a second zone beside the one that old
 * workers write to.  Memory is used only where it is touched.
 */
#define NGX_HYPERDRIVE_CACHE_VERSION_ZONE_SIZE  (8 * 1024 * 1024)


static ngx_int_t ngx_hyperdrive_cache_version_zone_init(ngx_shm_zone_t *zone,
    void *data);


static ngx_str_t  ngx_hyperdrive_cache_version_zone_name =
    ngx_string("hyperdrive:versions");


ngx_shm_zone_t *
ngx_hyperdrive_cache_version_zone(ngx_conf_t *cf, void *tag)
{
    ngx_shm_zone_t  *zone, *old;

    zone = ngx_shared_memory_add(cf, &ngx_hyperdrive_cache_version_zone_name,
                                 NGX_HYPERDRIVE_CACHE_VERSION_ZONE_SIZE, tag);
    if (zone == NULL) {
        return NULL;
    }

    if (zone->init) {
        return zone;
    }

    zone->init = ngx_hyperdrive_cache_version_zone_init;

    /* what the running processes use cannot be reshaped */

    old = ngx_hyperdrive_shm_zone_old(cf, zone);

    if (old && ngx_hyperdrive_cache_version_check(old->data) != NGX_OK) {

        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "the zone \"%V\" in use was made by another build "
                           "of the module: a new one is used, what is cached "
                           "is not served any more, and nothing is cached "
                           "until the old processes have gone",
                           &zone->shm.name);

        zone->noreuse = 1;
    }

    return zone;
}


static ngx_int_t
ngx_hyperdrive_cache_version_zone_init(ngx_shm_zone_t *zone, void *data)
{
    void             *mem;
    size_t            size;
    ngx_slab_pool_t  *shpool;

    if (ngx_hyperdrive_shm_zone_kept(zone, data) == NGX_OK) {
        return NGX_OK;
    }

    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    /* whole pages: they are page aligned, and still zeroes */

    size = ngx_hyperdrive_cache_version_size();

    mem = ngx_slab_alloc(shpool, size + ngx_hyperdrive_cache_position_size());

    if (mem == NULL) {
        ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                      "zone \"%V\" is too small for this build of the module",
                      &zone->shm.name);
        return NGX_ERROR;
    }

#if (NGX_DEBUG_MALLOC)
    ngx_memzero(mem, size + ngx_hyperdrive_cache_position_size());
#endif

    if (ngx_hyperdrive_cache_version_create(mem) != NGX_OK
        || ngx_hyperdrive_cache_position_create((u_char *) mem + size)
           != NGX_OK)
    {
        ngx_log_error(NGX_LOG_EMERG, zone->shm.log, ngx_errno,
                      "zone \"%V\" could not be laid out", &zone->shm.name);
        return NGX_ERROR;
    }

    shpool->data = mem;
    zone->data = mem;

    return NGX_OK;
}
