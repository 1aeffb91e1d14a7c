
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session.h"
#include "session/ngx_hyperdrive_session_catalog.h"


/*
 * Statements that are prepared, described and closed without the origin: what
 * could be prepared can be prepared again until the catalog changes.
 */


static uint64_t ngx_hyperdrive_session_prepare_epoch(
    ngx_hyperdrive_session_t *s);


ngx_int_t
ngx_hyperdrive_session_prepare(ngx_hyperdrive_session_t *s)
{
    ngx_int_t  rc;

    /* with an origin, it may be in a block, or an answer may be owed */

    rc = s->conf->origin->proto->prepared(s->wire, &s->unit, s->net.pos,
                                      ngx_hyperdrive_session_prepare_epoch(s),
                                      s->origin || s->failed ? NULL
                                                             : &s->net.out);
    if (rc == NGX_OK && !s->unit.flush) {
        s->conf->origin->counters->queries++;
        s->total.queries++;
    }

    return rc;
}


/*
 * The catalog is as it was for as long as nobody has entered its number, or
 * written to everything.
 */

static uint64_t
ngx_hyperdrive_session_prepare_epoch(ngx_hyperdrive_session_t *s)
{
    ngx_str_t                               value;
    ngx_hyperdrive_pool_t                  *pool;
    ngx_hyperdrive_cache_version_set_t      set;
    ngx_hyperdrive_cache_version_sample_t   sample;

    if (!ngx_hyperdrive_cache_version_on()) {
        return NGX_HYPERDRIVE_STATE_NO_EPOCH;
    }

    if (s->origin) {
        /* a block, or a session of its own, may see another catalog */
        return NGX_HYPERDRIVE_STATE_CHANGING;
    }

    if (s->settings
        && (ngx_hyperdrive_session_settings_moving(s)
            || ngx_hyperdrive_session_search_path(s, &value) == NGX_OK
            || ngx_hyperdrive_session_role(s, &value) == NGX_OK))
    {
        /* it may find other tables by the same names than others do */
        return NGX_HYPERDRIVE_STATE_CHANGING;
    }

    set.n = 0;
    sample.versions[1] = 0;
    sample.versions[2] = 0;

    ngx_hyperdrive_session_catalog_number(s, &set);

    if (ngx_hyperdrive_cache_version_sample(&set, &sample) != NGX_OK) {
        return NGX_HYPERDRIVE_STATE_CHANGING;
    }

    pool = s->pool;

    if (pool->epoch == NGX_HYPERDRIVE_STATE_NO_EPOCH
        || ngx_memcmp(pool->versions, sample.versions, sizeof(pool->versions))
           != 0)
    {
        pool->epoch = ngx_hyperdrive_shm_next_id();
        ngx_memcpy(pool->versions, sample.versions, sizeof(pool->versions));
    }

    return pool->epoch;
}
