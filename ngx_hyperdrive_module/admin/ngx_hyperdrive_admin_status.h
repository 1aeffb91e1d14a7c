
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_ADMIN_STATUS_H_INCLUDED_
#define _NGX_HYPERDRIVE_ADMIN_STATUS_H_INCLUDED_


#include "ngx_hyperdrive.h"
#include "shm/ngx_hyperdrive_shm.h"
#include "cache/ngx_hyperdrive_cache_position.h"
#include "cache/ngx_hyperdrive_cache_store.h"
#include "cache/ngx_hyperdrive_cache_flight.h"


/* the replicas of an upstream; <position> NULL: nothing is known of them */

typedef struct {
    ngx_uint_t                       n;
    ngx_str_t                      **names;
    void                            *data;
    /* whether it has an address at all */
    ngx_uint_t                     (*there)(void *data, ngx_uint_t replica);
    ngx_hyperdrive_cache_position_t *position;
} ngx_hyperdrive_admin_replicas_t;


/*
 * What there is to be seen in this process.  It is filled in init_process,
 * when limits and stores exist, and is not copied: it lives as long as the
 * process does.  Entries that are NULL are left out.
 */

typedef struct {
    ngx_uint_t                       nlimits;
    ngx_hyperdrive_shm_limit_t     **limits;
    ngx_hyperdrive_admin_replicas_t *replicas;    /* of each */

    ngx_uint_t                       nstores;
    ngx_hyperdrive_cache_store_t   **stores;

    /* what counters->uncacheable[] mean; one without a name is left out if
       it is 0 */
    ngx_uint_t                       nreasons;
    ngx_str_t                       *reasons;

    /* takes answers out: all, those of a statement's text by its digest, or
       those with a tag; how many, if that is known */
    void                           (*purge)(
                                         ngx_hyperdrive_cache_store_t *store);
    ngx_uint_t                     (*purge_statement)(
                                         ngx_hyperdrive_cache_store_t *store,
                                         uint64_t digest);
    ngx_uint_t                     (*purge_tag)(
                                         ngx_hyperdrive_cache_store_t *store,
                                         ngx_str_t *tag);
    /* ...in all zones, those made of a table; NGX_AGAIN: not all of them */
    ngx_int_t                      (*purge_table)(ngx_str_t *table,
                                         ngx_str_t *database, ngx_uint_t *n);
} ngx_hyperdrive_admin_view_t;


/* NULL: nothing is to be seen, which is so from the start */
void ngx_hyperdrive_admin_set_view(ngx_hyperdrive_admin_view_t *view);

/* never NULL */
ngx_hyperdrive_admin_view_t *ngx_hyperdrive_admin_view(void);

/*
 * A snapshot as JSON, in buffers of <pool>; the last one has neither last_buf
 * nor last_in_chain set.  *size is its length.  NULL: no memory.
 */
ngx_chain_t *ngx_hyperdrive_admin_status(ngx_pool_t *pool, off_t *size);


#endif /* _NGX_HYPERDRIVE_ADMIN_STATUS_H_INCLUDED_ */
