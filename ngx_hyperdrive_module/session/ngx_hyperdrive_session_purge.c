
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session_cache.h"


static ngx_uint_t ngx_hyperdrive_session_purge_match(void *data,
    ngx_str_t *key);
static ngx_uint_t ngx_hyperdrive_session_purge_tagged(void *data,
    ngx_str_t *key);


void
ngx_hyperdrive_session_purge_all(ngx_hyperdrive_cache_store_t *store)
{
    ngx_hyperdrive_cache_store_purge(store);
    ngx_hyperdrive_cache_flight_on_all();
}


ngx_uint_t
ngx_hyperdrive_session_purge_statement(ngx_hyperdrive_cache_store_t *store,
    uint64_t digest)
{
    return ngx_hyperdrive_cache_store_purge_if(store,
                                       ngx_hyperdrive_session_purge_match,
                                       &digest);
}


static ngx_uint_t
ngx_hyperdrive_session_purge_match(void *data, ngx_str_t *key)
{
    uint64_t  *digest = data;

    ngx_str_t   text;
    ngx_uint_t  mode;

    return ngx_hyperdrive_session_key_text(key, &text, &mode) == NGX_OK
           && ngx_hyperdrive_session_digest(&text, mode) == *digest;
}


ngx_uint_t
ngx_hyperdrive_session_purge_tag(ngx_hyperdrive_cache_store_t *store,
    ngx_str_t *tag)
{
    return ngx_hyperdrive_cache_store_purge_if(store,
                                       ngx_hyperdrive_session_purge_tagged,
                                       tag);
}


static ngx_uint_t
ngx_hyperdrive_session_purge_tagged(void *data, ngx_str_t *key)
{
    return ngx_hyperdrive_session_key_tag(key, data) == NGX_OK;
}


/* as a write does it: what is on its way is not kept either */

void
ngx_hyperdrive_session_purge_table(uint32_t number)
{
    ngx_hyperdrive_cache_version_set_t  set;

    if (!ngx_hyperdrive_cache_version_on()) {
        return;
    }

    set.n = 1;
    set.numbers[0] = number;

    ngx_hyperdrive_cache_version_enter(&set);
    ngx_hyperdrive_cache_version_leave(&set, 1);
}
