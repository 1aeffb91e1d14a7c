
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "cache/ngx_hyperdrive_cache_store.h"
#include "cache/ngx_hyperdrive_cache_shard.h"
#include "shm/ngx_hyperdrive_shm.h"


#define NGX_HYPERDRIVE_CACHE_ZONE_PREFIX  "hyperdrive:"


static void ngx_hyperdrive_cache_zone_huge(ngx_shm_zone_t *zone);
static ngx_int_t ngx_hyperdrive_cache_zone_init(ngx_shm_zone_t *zone,
    void *data);


ngx_shm_zone_t *
ngx_hyperdrive_cache_store_zone(ngx_conf_t *cf, ngx_str_t *name, size_t size,
    void *tag)
{
    ngx_str_t                      full;
    ngx_shm_zone_t                *zone, *old;
    ngx_hyperdrive_cache_store_t  *store, *prev;

    if (name->len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "hyperdrive cache zone must have a name");
        return NULL;
    }

    if (size && size < NGX_HYPERDRIVE_CACHE_STORE_MIN) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "hyperdrive cache zone \"%V\" is too small, "
                           "it must have at least %uz bytes",
                           name, (size_t) NGX_HYPERDRIVE_CACHE_STORE_MIN);
        return NULL;
    }

    full.len = sizeof(NGX_HYPERDRIVE_CACHE_ZONE_PREFIX) - 1 + name->len;
    full.data = ngx_pnalloc(cf->pool, full.len);
    if (full.data == NULL) {
        return NULL;
    }

    ngx_memcpy(ngx_cpymem(full.data, NGX_HYPERDRIVE_CACHE_ZONE_PREFIX,
                          sizeof(NGX_HYPERDRIVE_CACHE_ZONE_PREFIX) - 1),
               name->data, name->len);

    zone = ngx_shared_memory_add(cf, &full, size, tag);
    if (zone == NULL) {
        return NULL;
    }

    store = zone->data;

    if (store == NULL) {

        /* the first that names it: the directive, or a reference before it */

        store = ngx_pcalloc(cf->pool, sizeof(ngx_hyperdrive_cache_store_t));
        if (store == NULL) {
            return NULL;
        }

        store->slot = NGX_HYPERDRIVE_SLOTS;
        store->name.data = full.data + full.len - name->len;
        store->name.len = name->len;

        zone->init = ngx_hyperdrive_cache_zone_init;
        zone->data = store;
    }

    if (size == 0) {
        return zone;
    }

    if (store->declared) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "duplicate hyperdrive cache zone \"%V\"", name);
        return NULL;
    }

    store->declared = 1;
    store->size = size;

    old = ngx_hyperdrive_shm_zone_old(cf, zone);

    if (old == NULL) {
        return zone;
    }

    prev = old->data;

    if (old->shm.size != size) {

        /* nginx makes another memory for it by itself */

        ngx_conf_log_error(NGX_LOG_NOTICE, cf, 0,
                           "hyperdrive cache zone \"%V\" has %uz bytes while "
                           "previously it had %uz, it starts empty",
                           name, size, old->shm.size);

    } else if (prev->root
               && prev->root->layout != NGX_HYPERDRIVE_CACHE_SHARD_LAYOUT)
    {
        ngx_conf_log_error(NGX_LOG_NOTICE, cf, 0,
                           "hyperdrive cache zone \"%V\" has layout %ud while "
                           "previously it had %uD, it starts empty",
                           name, NGX_HYPERDRIVE_CACHE_SHARD_LAYOUT,
                           prev->root->layout);

        zone->noreuse = 1;
    }

    return zone;
}


static ngx_int_t
ngx_hyperdrive_cache_zone_init(ngx_shm_zone_t *zone, void *data)
{
    ngx_hyperdrive_cache_store_t  *prev = data;

    size_t                         len;
    u_char                        *mem;
    ngx_slab_pool_t               *shpool;
    ngx_hyperdrive_cache_store_t  *store;

    store = zone->data;
    shpool = (ngx_slab_pool_t *) zone->shm.addr;

    if (prev || zone->shm.exists) {

        /* reload: old workers keep using this memory, never reshape it */

        if (ngx_hyperdrive_cache_store_attach(store, shpool->data) != NGX_OK) {
            ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                          "hyperdrive cache zone \"%V\" holds memory of "
                          "another layout", &store->name);
            return NGX_ERROR;
        }

        return NGX_OK;
    }

    ngx_hyperdrive_cache_zone_huge(zone);

    len = sizeof(" in hyperdrive cache zone \"\"") + store->name.len;

    shpool->log_ctx = ngx_slab_alloc(shpool, len);
    if (shpool->log_ctx == NULL) {
        return NGX_ERROR;
    }

    ngx_sprintf(shpool->log_ctx, " in hyperdrive cache zone \"%V\"%Z",
                &store->name);

    /* the zone is full from the beginning, that is not worth a log line */
    shpool->log_nomem = 0;

    /* a new pool has its free pages in one piece, and this takes them all */

    len = shpool->pfree * ngx_pagesize;

    mem = ngx_slab_alloc(shpool, len);
    if (mem == NULL) {
        return NGX_ERROR;
    }

    shpool->data = mem;

    if (ngx_hyperdrive_cache_store_init(mem, len) != NGX_OK
        || ngx_hyperdrive_cache_store_attach(store, mem) != NGX_OK)
    {
        ngx_log_error(NGX_LOG_EMERG, zone->shm.log, 0,
                      "hyperdrive cache zone \"%V\" cannot be set up",
                      &store->name);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/*
 * Among many entries a look-up waits for the tables of pages, less so if these
 * are huge.  The system gives them to who asks, if it has been told "advise" in
 * transparent_hugepage/shmem_enabled; if not, nothing changes.
 */

static void
ngx_hyperdrive_cache_zone_huge(ngx_shm_zone_t *zone)
{
#ifdef MADV_HUGEPAGE

    if (madvise(zone->shm.addr, zone->shm.size, MADV_HUGEPAGE) == -1) {
        ngx_log_debug1(NGX_LOG_DEBUG_CORE, zone->shm.log, ngx_errno,
                       "hyperdrive cache zone \"%V\": no huge pages",
                       &zone->shm.name);
    }

#endif
}


ngx_hyperdrive_cache_store_t *
ngx_hyperdrive_cache_store(ngx_shm_zone_t *zone)
{
    return zone->data;
}
