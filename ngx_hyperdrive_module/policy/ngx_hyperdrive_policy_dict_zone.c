
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "policy/ngx_hyperdrive_policy_dict.h"
#include "shm/ngx_hyperdrive_shm.h"


static ngx_int_t ngx_hyperdrive_policy_dict_zone_init(ngx_shm_zone_t *zone,
    void *data);


ngx_shm_zone_t *
ngx_hyperdrive_policy_dict_zone(ngx_conf_t *cf, size_t size, void *tag)
{
    ngx_shm_zone_t    *zone;

    static ngx_str_t   name = ngx_string("hyperdrive:dict");

    zone = ngx_shared_memory_add(cf, &name, size, tag);

    if (zone) {
        zone->init = ngx_hyperdrive_policy_dict_zone_init;
    }

    return zone;
}


static ngx_int_t
ngx_hyperdrive_policy_dict_zone_init(ngx_shm_zone_t *zone, void *data)
{
    void             *mem;
    size_t            size;
    ngx_slab_pool_t  *shpool;

    if (ngx_hyperdrive_shm_zone_kept(zone, data) == NGX_OK) {
        return NGX_OK;
    }

    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    /* whole pages, as many as there are */

    shpool->log_nomem = 0;

    size = (shpool->end - shpool->start) / ngx_pagesize * ngx_pagesize;

    do {
        mem = ngx_slab_alloc(shpool, size);
        size -= ngx_pagesize;

    } while (mem == NULL && size);

    size += ngx_pagesize;

    if (mem && ngx_hyperdrive_policy_dict_init(mem, size) == NGX_OK) {
        shpool->data = mem;
        zone->data = mem;

        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                  "zone \"%V\" could not be laid out", &zone->shm.name);

    return NGX_ERROR;
}
