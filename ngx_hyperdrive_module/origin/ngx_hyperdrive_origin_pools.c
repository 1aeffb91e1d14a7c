
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "origin/ngx_hyperdrive_origin.h"


static ngx_hyperdrive_pool_t *ngx_hyperdrive_origin_pool_create(
    ngx_hyperdrive_origin_conf_t *conf,
    ngx_hyperdrive_origin_replica_t *replica, ngx_str_t *key, ngx_str_t *user,
    ngx_str_t *database, ngx_uint_t nparams,
    ngx_hyperdrive_proto_param_t *params);


ngx_hyperdrive_pool_t *
ngx_hyperdrive_origin_pool(ngx_hyperdrive_origin_conf_t *conf,
    ngx_str_t *user, ngx_str_t *database, ngx_uint_t nparams,
    ngx_hyperdrive_proto_param_t *params)
{
    return ngx_hyperdrive_origin_pool_at(conf, NULL, user, database, nparams,
                                         params);
}


ngx_hyperdrive_pool_t *
ngx_hyperdrive_origin_pool_at(ngx_hyperdrive_origin_conf_t *conf,
    ngx_hyperdrive_origin_replica_t *replica, ngx_str_t *user,
    ngx_str_t *database, ngx_uint_t nparams,
    ngx_hyperdrive_proto_param_t *params)
{
    u_char                 *p;
    size_t                  len;
    ngx_str_t               key, where;
    ngx_uint_t              i;
    ngx_queue_t            *q;
    ngx_hyperdrive_pool_t  *pool;
    u_char                  buf[NGX_HYPERDRIVE_SHM_NOTE_KEY
                                - sizeof(conf->ident)];

    /* strings of a start-up packet hold no NUL: it separates them here */

    ngx_str_set(&where, "");

    if (replica) {
        where = replica->name;
    }

    len = conf->name.len + 1 + where.len + 1 + user->len + 1
          + database->len + 1;

    for (i = 0; i < nparams; i++) {
        len += params[i].name.len + 1 + params[i].value.len + 1;
    }

    if (len > sizeof(buf)) {
        return NULL;
    }

    p = ngx_cpymem(buf, conf->name.data, conf->name.len);
    *p++ = '\0';
    p = ngx_cpymem(p, where.data, where.len);
    *p++ = '\0';

    /* either may be empty, and nowhere then */

    if (user->len) {
        p = ngx_cpymem(p, user->data, user->len);
    }

    *p++ = '\0';

    if (database->len) {
        p = ngx_cpymem(p, database->data, database->len);
    }

    *p++ = '\0';

    for (i = 0; i < nparams; i++) {
        p = ngx_cpymem(p, params[i].name.data, params[i].name.len);
        *p++ = '\0';
        p = ngx_cpymem(p, params[i].value.data, params[i].value.len);
        *p++ = '\0';
    }

    key.data = buf;
    key.len = p - buf;

    for (q = ngx_queue_head(&conf->pools);
         q != ngx_queue_sentinel(&conf->pools);
         q = ngx_queue_next(q))
    {
        pool = ngx_queue_data(q, ngx_hyperdrive_pool_t, queue);

        if (pool->key.len == key.len
            && ngx_memcmp(pool->key.data, key.data, key.len) == 0)
        {
            return pool;
        }
    }

    return ngx_hyperdrive_origin_pool_create(conf, replica, &key, user,
                                             database, nparams, params);
}


static ngx_hyperdrive_pool_t *
ngx_hyperdrive_origin_pool_create(ngx_hyperdrive_origin_conf_t *conf,
    ngx_hyperdrive_origin_replica_t *replica, ngx_str_t *key, ngx_str_t *user,
    ngx_str_t *database, ngx_uint_t nparams,
    ngx_hyperdrive_proto_param_t *params)
{
    u_char                 *p;
    ngx_uint_t              i;
    ngx_hyperdrive_pool_t  *pool;

    /* all its strings are in the key, which is the end of the note */

    pool = calloc(1, sizeof(ngx_hyperdrive_pool_t)
                     + nparams * sizeof(ngx_hyperdrive_proto_param_t)
                     + sizeof(conf->ident) + key->len);
    if (pool == NULL) {
        return NULL;
    }

    pool->conf = conf;
    pool->replica = replica;
    pool->params = (ngx_hyperdrive_proto_param_t *) (pool + 1);
    pool->nparams = nparams;

    pool->note.len = sizeof(conf->ident) + key->len;
    pool->note.data = (u_char *) (pool->params + nparams);
    ngx_memcpy(pool->note.data, conf->ident, sizeof(conf->ident));

    pool->key.len = key->len;
    pool->key.data = pool->note.data + sizeof(conf->ident);
    ngx_memcpy(pool->key.data, key->data, key->len);

    p = pool->key.data + conf->name.len + 1;
    p += ngx_strlen(p) + 1;

    pool->user.data = p;
    pool->user.len = user->len;
    p += user->len + 1;

    pool->database.data = p;
    pool->database.len = database->len;
    p += database->len + 1;

    for (i = 0; i < nparams; i++) {
        pool->params[i].name.data = p;
        pool->params[i].name.len = params[i].name.len;
        p += params[i].name.len + 1;

        pool->params[i].value.data = p;
        pool->params[i].value.len = params[i].value.len;
        p += params[i].value.len + 1;
    }

    for (i = 0; i < NGX_HYPERDRIVE_ORIGIN_STATES; i++) {
        ngx_queue_init(&pool->origins[i]);
    }

    ngx_queue_init(&pool->pending);
    ngx_queue_init(&pool->waiting);
    ngx_queue_init(&pool->stopped);

    if (ngx_hyperdrive_origin_quota_init(pool) != NGX_OK) {
        free(pool);
        return NULL;
    }

    pool->paused = ngx_hyperdrive_shm_order_paused(conf->limit,
                                                   &pool->database);
    pool->reconnect = ngx_hyperdrive_shm_order_reconnected(conf->limit,
                                                           &pool->database);

    ngx_queue_insert_tail(&conf->pools, &pool->queue);

    return pool;
}
