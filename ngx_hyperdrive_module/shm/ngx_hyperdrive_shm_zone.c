
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "shm/ngx_hyperdrive_shm_layout.h"


/*
 * A constant, or a reload would make a second zone and split the limits.
 * Memory is used only where it is touched, a few hundred kilobytes mostly.
 */
#define NGX_HYPERDRIVE_SHM_ZONE_SIZE    (20 * 1024 * 1024)


static ngx_int_t ngx_hyperdrive_shm_zone_init(ngx_shm_zone_t *zone,
    void *data);


static ngx_str_t  ngx_hyperdrive_shm_zone_name =
    ngx_string("hyperdrive:runtime");


/* of the configuration that is being read: the zone has no room for them */

static ngx_core_conf_t  *ngx_hyperdrive_shm_zone_core;
static ngx_array_t      *ngx_hyperdrive_shm_zone_names;


ngx_shm_zone_t *
ngx_hyperdrive_shm_zone(ngx_conf_t *cf, ngx_array_t *names, void *tag)
{
    ngx_shm_zone_t  *zone, *old;

    ngx_hyperdrive_shm_zone_core = (ngx_core_conf_t *)
                        ngx_get_conf(cf->cycle->conf_ctx, ngx_core_module);
    ngx_hyperdrive_shm_zone_names = names;

    zone = ngx_shared_memory_add(cf, &ngx_hyperdrive_shm_zone_name,
                                 NGX_HYPERDRIVE_SHM_ZONE_SIZE, tag);
    if (zone == NULL) {
        return NULL;
    }

    if (zone->init) {
        return zone;
    }

    zone->init = ngx_hyperdrive_shm_zone_init;

    /* what the running processes use cannot be reshaped */

    old = ngx_hyperdrive_shm_zone_old(cf, zone);

    if (old && ngx_hyperdrive_shm_check(old->data) != NGX_OK) {

        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "the zone \"%V\" in use was made by another build "
                           "of the module: a new one is used, and the limits "
                           "do not count the connections of processes that "
                           "are shutting down", &zone->shm.name);

        zone->noreuse = 1;
    }

    return zone;
}


ngx_shm_zone_t *
ngx_hyperdrive_shm_zone_old(ngx_conf_t *cf, ngx_shm_zone_t *zone)
{
    ngx_uint_t        i;
    ngx_shm_zone_t   *old;
    ngx_list_part_t  *part;

    if (cf->cycle->old_cycle == NULL
        || ngx_is_init_cycle(cf->cycle->old_cycle))
    {
        return NULL;
    }

    for (part = &cf->cycle->old_cycle->shared_memory.part;
         part;
         part = part->next)
    {
        old = part->elts;

        for (i = 0; i < part->nelts; i++) {

            if (old[i].data
                && old[i].tag == zone->tag
                && old[i].shm.name.len == zone->shm.name.len
                && ngx_strncmp(old[i].shm.name.data, zone->shm.name.data,
                               zone->shm.name.len)
                   == 0)
            {
                return &old[i];
            }
        }
    }

    return NULL;
}


ngx_int_t
ngx_hyperdrive_shm_zone_kept(ngx_shm_zone_t *zone, void *data)
{
    if (data) {

        /* reload: old workers keep using this memory */

        zone->data = data;
        return NGX_OK;
    }

    if (zone->shm.exists) {
        zone->data = ((ngx_slab_pool_t *) zone->shm.addr)->data;
        return NGX_OK;
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_hyperdrive_shm_zone_init(ngx_shm_zone_t *zone, void *data)
{
    ngx_slab_pool_t       *shpool;
    ngx_hyperdrive_shm_t  *sh, *used;

    if (ngx_hyperdrive_shm_zone_core->worker_processes > NGX_HYPERDRIVE_SLOTS)
    {
        ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                      "hyperdrive: %i worker processes are too many: write "
                      "\"worker_processes\" with a number up to %d",
                      ngx_hyperdrive_shm_zone_core->worker_processes,
                      NGX_HYPERDRIVE_SLOTS);
        return NGX_ERROR;
    }

    if (ngx_hyperdrive_shm_zone_kept(zone, data) == NGX_OK) {

        if (data == NULL || data != ngx_hyperdrive_shm) {
            return NGX_OK;
        }

        return ngx_hyperdrive_shm_room(ngx_hyperdrive_shm_zone_names,
                             ngx_hyperdrive_shm_zone_core->worker_processes,
                             zone->shm.log);
    }

    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    /* whole pages: they are page aligned, and still zeroes */

    sh = ngx_slab_alloc(shpool, ngx_hyperdrive_shm_size());

    if (sh == NULL) {
        ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                      "zone \"%V\" is too small for this build of the module",
                      &zone->shm.name);
        return NGX_ERROR;
    }

#if (NGX_DEBUG_MALLOC)
    ngx_memzero(sh, ngx_hyperdrive_shm_size());
#endif

    used = ngx_hyperdrive_shm;

    if (ngx_hyperdrive_shm_attach(sh, ngx_hyperdrive_shm_size(), 1) != NGX_OK)
    {
        ngx_log_error(NGX_LOG_EMERG, zone->shm.log, ngx_errno,
                      "zone \"%V\" could not be laid out", &zone->shm.name);
        return NGX_ERROR;
    }

    /* not before init_module: this configuration may yet be refused */

    ngx_hyperdrive_shm = used;

    shpool->data = sh;
    zone->data = sh;

    return NGX_OK;
}
