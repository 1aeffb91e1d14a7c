
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session.h"
#include "session/ngx_hyperdrive_session_catalog.h"
#include "session/ngx_hyperdrive_session_diag.h"


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
    if (rc != NGX_OK) {
        return rc;
    }

    if (s->diag && s->unit.clears) {
        ngx_hyperdrive_session_diag_clear(s->diag);
    }

    if (s->unit.flush) {
        s->net.pos += s->unit.len;

    } else {
        ngx_hyperdrive_session_served(s, NULL);
    }

    return NGX_OK;
}


/*
 * The catalog is as it was for as long as nobody has entered its number, or
 * written to everything.
 */

static uint64_t
ngx_hyperdrive_session_prepare_epoch(ngx_hyperdrive_session_t *s)
{
    ngx_str_t                               value;
    ngx_hyperdrive_state_bucket_t          *bucket;
    ngx_hyperdrive_cache_version_set_t      set;
    ngx_hyperdrive_cache_version_sample_t   sample;

    if (!ngx_hyperdrive_cache_version_on()) {
        return NGX_HYPERDRIVE_STATE_NO_EPOCH;
    }

    if (s->origin
        && (s->pinned || s->outstanding
            || !s->conf->origin->proto->origin_idle(s->origin->wire)))
    {
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

    ngx_str_set(&value, "");

    if (s->pool->conf->proto->dialect) {

        /* MySQL: names and types of columns depend on them */

        bucket = ngx_hyperdrive_session_settings_bucket(s);

        if (bucket && bucket->unsure) {
            return NGX_HYPERDRIVE_STATE_CHANGING;
        }

        value = *ngx_hyperdrive_session_settings_key(s, 0);
    }

    return ngx_hyperdrive_origin_epoch(s->pool, sample.versions, &value);
}
