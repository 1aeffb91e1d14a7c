
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session_catalog.h"


/* of a number of a database */
#define NGX_HYPERDRIVE_SESSION_CATALOG_NOTE_KEY                              \
    (sizeof("digest") + sizeof(uint64_t))

/* it does not grow old, seconds */
#define NGX_HYPERDRIVE_SESSION_CATALOG_NOTE_AGE  (10 * 365 * 24 * 3600)


static size_t ngx_hyperdrive_session_catalog_note_key(char *what,
    ngx_str_t *name, ngx_str_t *database, u_char *buf);
static size_t ngx_hyperdrive_session_catalog_note_of(char *what,
    uint64_t identity, u_char *buf);
static ngx_int_t ngx_hyperdrive_session_catalog_note_get(ngx_str_t *key,
    uint64_t *number);
static void ngx_hyperdrive_session_catalog_note_put(ngx_str_t *key,
    uint64_t number);


ngx_int_t
ngx_hyperdrive_session_catalog_recall(ngx_hyperdrive_origin_conf_t *conf,
    ngx_str_t *database, uint64_t *identity)
{
    u_char                           buf[NGX_HYPERDRIVE_SHM_NOTE_KEY];
    ngx_str_t                        key;
    ngx_uint_t                       i;
    ngx_hyperdrive_origin_server_t  *server;

    key.data = buf;
    key.len = ngx_hyperdrive_session_catalog_note_key("catalog", &conf->name,
                                                      database, buf);

    if (ngx_hyperdrive_session_catalog_note_get(&key, identity) == NGX_OK) {
        return NGX_OK;
    }

    /*
     * A server of MySQL says who it is, not which others have the same data:
     * one that is somewhere known together with others goes by their number.
     */

    server = conf->servers.elts;

    for (i = 0; conf->proto->schemas && i < conf->servers.nelts; i++) {
        key.len = ngx_hyperdrive_session_catalog_note_key("server",
                                                          &server[i].name,
                                                          database, buf);

        if (ngx_hyperdrive_session_catalog_note_get(&key, identity) == NGX_OK)
        {
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


void
ngx_hyperdrive_session_catalog_remember(ngx_hyperdrive_origin_conf_t *conf,
    ngx_str_t *database, uint64_t identity)
{
    u_char                           buf[NGX_HYPERDRIVE_SHM_NOTE_KEY];
    ngx_str_t                        key;
    ngx_uint_t                       i;
    ngx_hyperdrive_origin_server_t  *server;

    key.data = buf;
    key.len = ngx_hyperdrive_session_catalog_note_key("catalog", &conf->name,
                                                      database, buf);

    ngx_hyperdrive_session_catalog_note_put(&key, identity);

    server = conf->servers.elts;

    for (i = 0; conf->proto->schemas && i < conf->servers.nelts; i++) {
        key.len = ngx_hyperdrive_session_catalog_note_key("server",
                                                          &server[i].name,
                                                          database, buf);

        ngx_hyperdrive_session_catalog_note_put(&key, identity);
    }
}


static size_t
ngx_hyperdrive_session_catalog_note_key(char *what, ngx_str_t *name,
    ngx_str_t *database, u_char *buf)
{
    u_char  *p;

    p = ngx_snprintf(buf, NGX_HYPERDRIVE_SHM_NOTE_KEY, "%s%Z%V%Z%V%Z", what,
                     name, database);

    return p - buf;
}


ngx_uint_t
ngx_hyperdrive_session_catalog_note(uint64_t identity, uint64_t digest)
{
    u_char      buf[NGX_HYPERDRIVE_SESSION_CATALOG_NOTE_KEY];
    uint64_t    last;
    ngx_str_t   key;
    ngx_uint_t  differs;

    key.data = buf;
    key.len = ngx_hyperdrive_session_catalog_note_of("digest", identity, buf);

    differs = (ngx_hyperdrive_session_catalog_note_get(&key, &last) == NGX_OK
               && last != digest);

    ngx_hyperdrive_session_catalog_note_put(&key, digest);

    return differs;
}


uint64_t
ngx_hyperdrive_session_catalog_purged(uint64_t identity)
{
    u_char     buf[NGX_HYPERDRIVE_SESSION_CATALOG_NOTE_KEY];
    uint64_t   number;
    ngx_str_t  key;

    key.data = buf;
    key.len = ngx_hyperdrive_session_catalog_note_of("purged", identity, buf);

    if (ngx_hyperdrive_session_catalog_note_get(&key, &number) != NGX_OK) {
        return 0;
    }

    return number;
}


void
ngx_hyperdrive_session_catalog_set_purged(uint64_t identity, uint64_t number)
{
    u_char     buf[NGX_HYPERDRIVE_SESSION_CATALOG_NOTE_KEY];
    ngx_str_t  key;

    key.data = buf;
    key.len = ngx_hyperdrive_session_catalog_note_of("purged", identity, buf);

    ngx_hyperdrive_session_catalog_note_put(&key, number);
}


/* both words have one length */

static size_t
ngx_hyperdrive_session_catalog_note_of(char *what, uint64_t identity,
    u_char *buf)
{
    return ngx_cpymem(ngx_cpymem(buf, what, sizeof("digest")), &identity,
                      sizeof(uint64_t)) - buf;
}


static ngx_int_t
ngx_hyperdrive_session_catalog_note_get(ngx_str_t *key, uint64_t *number)
{
    size_t  len;
    u_char  value[NGX_HYPERDRIVE_SHM_NOTE];

    if (ngx_hyperdrive_shm_note_get(key,
                                    NGX_HYPERDRIVE_SESSION_CATALOG_NOTE_AGE,
                                    value, sizeof(value), &len)
        != NGX_OK
        || len != sizeof(uint64_t))
    {
        return NGX_DECLINED;
    }

    ngx_memcpy(number, value, sizeof(uint64_t));

    return NGX_OK;
}


static void
ngx_hyperdrive_session_catalog_note_put(ngx_str_t *key, uint64_t number)
{
    ngx_str_t  value;

    value.data = (u_char *) &number;
    value.len = sizeof(uint64_t);

    (void) ngx_hyperdrive_shm_note_put(key, &value);
}
