
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "origin/ngx_hyperdrive_origin.h"


/* what an origin said of itself is believed so long, seconds */
#define NGX_HYPERDRIVE_ORIGIN_NOTE_AGE   600

/* ...and so long when clients are greeted by it: each new one renews it */
#define NGX_HYPERDRIVE_ORIGIN_NAME_AGE   86400


static ngx_uint_t ngx_hyperdrive_origin_name_key(
    ngx_hyperdrive_origin_conf_t *conf, u_char *buf, ngx_str_t *key);
static size_t ngx_hyperdrive_origin_note_key(ngx_hyperdrive_pool_t *pool,
    ngx_hyperdrive_state_bucket_t *bucket, u_char *buf, ngx_str_t *key);


ngx_int_t
ngx_hyperdrive_origin_greeting(ngx_hyperdrive_pool_t *pool,
    ngx_hyperdrive_state_bucket_t *bucket, u_char *buf, ngx_str_t *greeting)
{
    ngx_str_t  key;
    u_char     note[NGX_HYPERDRIVE_SHM_NOTE_KEY];

    if (ngx_hyperdrive_origin_note_key(pool, bucket, note, &key) == 0) {
        return NGX_DECLINED;
    }

    greeting->data = buf;

    if (ngx_hyperdrive_shm_note_get(&key, NGX_HYPERDRIVE_ORIGIN_NOTE_AGE,
                                    buf, NGX_HYPERDRIVE_SHM_NOTE,
                                    &greeting->len)
        == NGX_OK)
    {
        return NGX_OK;
    }

    if (bucket || pool->greeting.data == NULL
        || pool->norigins[NGX_HYPERDRIVE_ORIGIN_IDLE]
           + pool->norigins[NGX_HYPERDRIVE_ORIGIN_BUSY]
           + pool->norigins[NGX_HYPERDRIVE_ORIGIN_DRAIN] == 0)
    {
        return NGX_DECLINED;
    }

    /* connections that were let in are still there */

    *greeting = pool->greeting;

    (void) ngx_hyperdrive_shm_note_put(&pool->note, greeting);

    return NGX_OK;
}


void
ngx_hyperdrive_origin_greets(ngx_hyperdrive_pool_t *pool,
    ngx_hyperdrive_state_bucket_t *bucket, ngx_str_t *greeting)
{
    ngx_str_t  key;
    u_char     note[NGX_HYPERDRIVE_SHM_NOTE_KEY];

    if (ngx_hyperdrive_origin_note_key(pool, bucket, note, &key)) {
        (void) ngx_hyperdrive_shm_note_put(&key, greeting);
    }
}


void
ngx_hyperdrive_origin_introduce(ngx_hyperdrive_origin_conf_t *conf,
    ngx_str_t *greeting)
{
    ngx_str_t  key;
    u_char     note[NGX_HYPERDRIVE_SHM_NOTE_KEY];

    if (conf->proto->client_greet
        && ngx_hyperdrive_origin_name_key(conf, note, &key))
    {
        (void) ngx_hyperdrive_shm_note_put(&key, greeting);
    }
}


ngx_int_t
ngx_hyperdrive_origin_introduced(ngx_hyperdrive_origin_conf_t *conf,
    u_char *buf, ngx_str_t *greeting)
{
    ngx_str_t  key;
    u_char     note[NGX_HYPERDRIVE_SHM_NOTE_KEY];

    if (!ngx_hyperdrive_origin_name_key(conf, note, &key)) {
        return NGX_DECLINED;
    }

    greeting->data = buf;

    return ngx_hyperdrive_shm_note_get(&key, NGX_HYPERDRIVE_ORIGIN_NAME_AGE,
                                       buf, NGX_HYPERDRIVE_SHM_NOTE,
                                       &greeting->len);
}


/* no pool's key begins with a line feed */

static ngx_uint_t
ngx_hyperdrive_origin_name_key(ngx_hyperdrive_origin_conf_t *conf,
    u_char *buf, ngx_str_t *key)
{
    key->data = buf;
    key->len = 1 + conf->name.len;

    if (key->len > NGX_HYPERDRIVE_SHM_NOTE_KEY) {
        return 0;
    }

    buf[0] = '\n';
    ngx_memcpy(buf + 1, conf->name.data, conf->name.len);

    return 1;
}


/* the pool and what the log-in has set; 0: too long to be remembered */

static size_t
ngx_hyperdrive_origin_note_key(ngx_hyperdrive_pool_t *pool,
    ngx_hyperdrive_state_bucket_t *bucket, u_char *buf, ngx_str_t *key)
{
    u_char  *p;

    if (bucket == NULL) {
        *key = pool->note;
        return key->len;
    }

    key->data = buf;
    key->len = pool->note.len + 1 + bucket->len;

    if (key->len > NGX_HYPERDRIVE_SHM_NOTE_KEY) {
        return 0;
    }

    p = ngx_cpymem(buf, pool->note.data, pool->note.len);
    *p++ = '\n';
    ngx_memcpy(p, bucket->data, bucket->len);

    return key->len;
}
