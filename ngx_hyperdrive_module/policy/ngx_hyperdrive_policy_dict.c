
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "policy/ngx_hyperdrive_policy_dict.h"
#include "base/ngx_hyperdrive_base_hash.h"
#include "shm/ngx_hyperdrive_shm_mutex.h"


/* places that a key may be in */
#define NGX_HYPERDRIVE_POLICY_DICT_WAYS  8


typedef struct {
    uint64_t                         expires;  /* milliseconds; 0: never */
    uint64_t                         written;  /* the set's clock; 0: free */
    double                           n;
    uint16_t                         key_len;
    uint16_t                         len;
    uint16_t                         number;
    u_char                           data[NGX_HYPERDRIVE_POLICY_DICT_DATA];
} ngx_hyperdrive_policy_dict_entry_t;


/* a lock for itself: whatever its holder was doing, only these are lost */

typedef struct {
    ngx_hyperdrive_shm_mutex_t           mutex;
    uint64_t                             clock;
    ngx_hyperdrive_policy_dict_entry_t   entries[
                                         NGX_HYPERDRIVE_POLICY_DICT_WAYS];
} ngx_hyperdrive_policy_dict_set_t;


typedef struct {
    ngx_uint_t                           n;
    ngx_hyperdrive_policy_dict_set_t     sets[];
} ngx_hyperdrive_policy_dict_t;


static ngx_hyperdrive_policy_dict_set_t *ngx_hyperdrive_policy_dict_lock(
    ngx_hyperdrive_policy_dict_t *dict, ngx_str_t *key);
static ngx_hyperdrive_policy_dict_entry_t *ngx_hyperdrive_policy_dict_find(
    ngx_hyperdrive_policy_dict_set_t *set, ngx_str_t *key);
static ngx_hyperdrive_policy_dict_entry_t *ngx_hyperdrive_policy_dict_place(
    ngx_hyperdrive_policy_dict_set_t *set, ngx_str_t *key, ngx_msec_t ttl);
static uint64_t ngx_hyperdrive_policy_dict_now(void);


ngx_int_t
ngx_hyperdrive_policy_dict_init(void *mem, size_t size)
{
    ngx_uint_t                     i;
    ngx_hyperdrive_policy_dict_t  *dict;

    if (size < sizeof(ngx_hyperdrive_policy_dict_t)
               + sizeof(ngx_hyperdrive_policy_dict_set_t))
    {
        return NGX_ERROR;
    }

    ngx_memzero(mem, size);

    dict = mem;
    dict->n = (size - sizeof(ngx_hyperdrive_policy_dict_t))
              / sizeof(ngx_hyperdrive_policy_dict_set_t);

    for (i = 0; i < dict->n; i++) {

        if (ngx_hyperdrive_shm_mutex_init(&dict->sets[i].mutex) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_hyperdrive_policy_dict_get(void *data, ngx_str_t *key, u_char *buf,
    ngx_hyperdrive_policy_dict_value_t *value)
{
    ngx_hyperdrive_policy_dict_set_t    *set;
    ngx_hyperdrive_policy_dict_entry_t  *entry;

    set = ngx_hyperdrive_policy_dict_lock(data, key);
    entry = ngx_hyperdrive_policy_dict_find(set, key);

    if (entry) {
        value->number = entry->number;
        value->n = entry->n;
        value->text.data = buf;
        value->text.len = entry->len;

        ngx_memcpy(buf, entry->data + entry->key_len, entry->len);
    }

    ngx_hyperdrive_shm_mutex_unlock(&set->mutex);

    return entry ? NGX_OK : NGX_DECLINED;
}


ngx_int_t
ngx_hyperdrive_policy_dict_set(void *data, ngx_str_t *key,
    ngx_hyperdrive_policy_dict_value_t *value, ngx_msec_t ttl)
{
    size_t                               len;
    ngx_hyperdrive_policy_dict_set_t    *set;
    ngx_hyperdrive_policy_dict_entry_t  *entry;

    len = (value && !value->number) ? value->text.len : 0;

    if (key->len > NGX_HYPERDRIVE_POLICY_DICT_DATA
        || len > NGX_HYPERDRIVE_POLICY_DICT_DATA - key->len)
    {
        return NGX_DECLINED;
    }

    set = ngx_hyperdrive_policy_dict_lock(data, key);

    if (value == NULL) {
        entry = ngx_hyperdrive_policy_dict_find(set, key);

        if (entry) {
            entry->written = 0;
        }

    } else {
        entry = ngx_hyperdrive_policy_dict_place(set, key, ttl);

        entry->number = value->number;
        entry->n = value->n;
        entry->len = (uint16_t) len;

        if (len) {
            ngx_memcpy(entry->data + key->len, value->text.data, len);
        }
    }

    ngx_hyperdrive_shm_mutex_unlock(&set->mutex);

    return NGX_OK;
}


ngx_int_t
ngx_hyperdrive_policy_dict_incr(void *data, ngx_str_t *key, double by,
    ngx_msec_t ttl, double *n)
{
    ngx_hyperdrive_policy_dict_set_t    *set;
    ngx_hyperdrive_policy_dict_entry_t  *entry;

    if (key->len > NGX_HYPERDRIVE_POLICY_DICT_DATA) {
        return NGX_DECLINED;
    }

    set = ngx_hyperdrive_policy_dict_lock(data, key);
    entry = ngx_hyperdrive_policy_dict_find(set, key);

    if (entry == NULL || !entry->number) {
        entry = ngx_hyperdrive_policy_dict_place(set, key, ttl);
        entry->number = 1;
        entry->n = 0;
        entry->len = 0;
    }

    entry->n += by;
    *n = entry->n;

    ngx_hyperdrive_shm_mutex_unlock(&set->mutex);

    return NGX_OK;
}


static ngx_hyperdrive_policy_dict_set_t *
ngx_hyperdrive_policy_dict_lock(ngx_hyperdrive_policy_dict_t *dict,
    ngx_str_t *key)
{
    uint64_t                           hash;
    ngx_uint_t                         i;
    ngx_hyperdrive_policy_dict_set_t  *set;

    static uint64_t                    seed[2];

    hash = ngx_hyperdrive_base_hash(seed, key->data, key->len);
    set = &dict->sets[hash % dict->n];

    if (ngx_hyperdrive_shm_mutex_lock(&set->mutex) != NGX_OK) {

        /* somebody has died amid writing */

        for (i = 0; i < NGX_HYPERDRIVE_POLICY_DICT_WAYS; i++) {
            set->entries[i].written = 0;
        }

        ngx_hyperdrive_shm_mutex_consistent(&set->mutex);
    }

    return set;
}


static ngx_hyperdrive_policy_dict_entry_t *
ngx_hyperdrive_policy_dict_find(ngx_hyperdrive_policy_dict_set_t *set,
    ngx_str_t *key)
{
    ngx_uint_t                           i;
    ngx_hyperdrive_policy_dict_entry_t  *entry;

    for (i = 0; i < NGX_HYPERDRIVE_POLICY_DICT_WAYS; i++) {
        entry = &set->entries[i];

        if (entry->written
            && entry->key_len == key->len
            && ngx_memcmp(entry->data, key->data, key->len) == 0)
        {
            if (entry->expires == 0
                || entry->expires > ngx_hyperdrive_policy_dict_now())
            {
                return entry;
            }

            entry->written = 0;
        }
    }

    return NULL;
}


/* the key's own, a free one, or that of the one written least lately */

static ngx_hyperdrive_policy_dict_entry_t *
ngx_hyperdrive_policy_dict_place(ngx_hyperdrive_policy_dict_set_t *set,
    ngx_str_t *key, ngx_msec_t ttl)
{
    uint64_t                             now;
    ngx_uint_t                           i;
    ngx_hyperdrive_policy_dict_entry_t  *entry, *place;

    now = ngx_hyperdrive_policy_dict_now();
    place = ngx_hyperdrive_policy_dict_find(set, key);

    for (i = 0; place == NULL && i < NGX_HYPERDRIVE_POLICY_DICT_WAYS; i++) {
        entry = &set->entries[i];

        if (entry->written == 0 || (entry->expires && entry->expires <= now)) {
            place = entry;
        }
    }

    if (place == NULL) {
        place = &set->entries[0];

        for (i = 1; i < NGX_HYPERDRIVE_POLICY_DICT_WAYS; i++) {
            entry = &set->entries[i];

            if (entry->written < place->written) {
                place = entry;
            }
        }
    }

    place->written = ++set->clock;
    place->expires = ttl ? now + ttl : 0;
    place->key_len = (uint16_t) key->len;
    ngx_memcpy(place->data, key->data, key->len);

    return place;
}


/* the same in all processes, and it never goes back */

static uint64_t
ngx_hyperdrive_policy_dict_now(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}
