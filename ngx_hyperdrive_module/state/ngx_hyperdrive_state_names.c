
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "state/ngx_hyperdrive_state_stmt.h"


#define NGX_HYPERDRIVE_STATE_NAMES_BUCKETS  8
#define NGX_HYPERDRIVE_STATE_SET_BUCKETS    64


#define ngx_hyperdrive_state_names_size(entry)                                \
    (sizeof(ngx_hyperdrive_state_name_t) + (entry)->len                       \
     + ngx_hyperdrive_state_stmt_size((entry)->stmt))


static void ngx_hyperdrive_state_names_grow(
    ngx_hyperdrive_state_names_t *names);


uint64_t  ngx_hyperdrive_state_names_last;


ngx_hyperdrive_state_name_t *
ngx_hyperdrive_state_names_find(ngx_hyperdrive_state_names_t *names,
    ngx_str_t *name)
{
    uint32_t                      hash;
    ngx_hyperdrive_state_name_t  *entry;

    if (names->n == 0) {
        return NULL;
    }

    hash = (uint32_t) ngx_hash_key(name->data, name->len);

    entry = names->buckets[hash & (names->nbuckets - 1)];

    for ( /* void */ ; entry; entry = entry->next) {

        if (entry->hash == hash
            && entry->len == name->len
            && ngx_memcmp(entry->name, name->data, name->len) == 0)
        {
            return entry;
        }
    }

    return NULL;
}


ngx_hyperdrive_state_name_t *
ngx_hyperdrive_state_names_add(ngx_hyperdrive_state_names_t *names,
    ngx_str_t *name, ngx_hyperdrive_state_stmt_t *stmt)
{
    ngx_hyperdrive_state_name_t  *entry;

    if (names->buckets == NULL) {
        names->buckets = calloc(NGX_HYPERDRIVE_STATE_NAMES_BUCKETS,
                                sizeof(ngx_hyperdrive_state_name_t *));
        if (names->buckets == NULL) {
            return NULL;
        }

        names->nbuckets = NGX_HYPERDRIVE_STATE_NAMES_BUCKETS;
    }

    entry = malloc(sizeof(ngx_hyperdrive_state_name_t) + name->len);
    if (entry == NULL) {
        return NULL;
    }

    entry->stmt = stmt;
    entry->shape = 0;
    entry->group = 0;
    entry->epoch = 0;
    entry->number = ++ngx_hyperdrive_state_names_last;
    entry->hash = (uint32_t) ngx_hash_key(name->data, name->len);
    entry->len = (uint32_t) name->len;
    ngx_memcpy(entry->name, name->data, name->len);

    ngx_hyperdrive_state_names_link(names, entry);

    return entry;
}


void
ngx_hyperdrive_state_names_link(ngx_hyperdrive_state_names_t *names,
    ngx_hyperdrive_state_name_t *entry)
{
    ngx_hyperdrive_state_name_t  **bucket;

    if (names->n >= names->nbuckets) {
        ngx_hyperdrive_state_names_grow(names);
    }

    bucket = &names->buckets[entry->hash & (names->nbuckets - 1)];

    entry->next = *bucket;
    *bucket = entry;

    names->n++;
    names->bytes += ngx_hyperdrive_state_names_size(entry);
}


static void
ngx_hyperdrive_state_names_grow(ngx_hyperdrive_state_names_t *names)
{
    ngx_uint_t                     i, n;
    ngx_hyperdrive_state_name_t   *entry, *next, **buckets, **bucket;

    n = names->nbuckets * 2;

    buckets = calloc(n, sizeof(ngx_hyperdrive_state_name_t *));
    if (buckets == NULL) {
        return;
    }

    for (i = 0; i < names->nbuckets; i++) {

        for (entry = names->buckets[i]; entry; entry = next) {
            next = entry->next;

            bucket = &buckets[entry->hash & (n - 1)];
            entry->next = *bucket;
            *bucket = entry;
        }
    }

    free(names->buckets);

    names->buckets = buckets;
    names->nbuckets = n;
}


void
ngx_hyperdrive_state_names_unlink(ngx_hyperdrive_state_names_t *names,
    ngx_hyperdrive_state_name_t *entry)
{
    ngx_hyperdrive_state_name_t  **link;

    link = &names->buckets[entry->hash & (names->nbuckets - 1)];

    while (*link != entry) {
        link = &(*link)->next;
    }

    *link = entry->next;
    entry->next = NULL;

    names->n--;
    names->bytes -= ngx_hyperdrive_state_names_size(entry);
}


void
ngx_hyperdrive_state_names_clear(ngx_hyperdrive_state_names_t *names,
    ngx_hyperdrive_state_registry_t *registry)
{
    ngx_uint_t                    i;
    ngx_hyperdrive_state_name_t  *entry, *next;

    for (i = 0; i < names->nbuckets; i++) {

        for (entry = names->buckets[i]; entry; entry = next) {
            next = entry->next;

            ngx_hyperdrive_state_stmt_unref(registry, entry->stmt);
            free(entry);
        }
    }

    free(names->buckets);

    ngx_memzero(names, sizeof(ngx_hyperdrive_state_names_t));
}


ngx_hyperdrive_state_item_t *
ngx_hyperdrive_state_set_find(ngx_hyperdrive_state_set_t *set, uint64_t id)
{
    ngx_hyperdrive_state_item_t  *item;

    if (set->n == 0) {
        return NULL;
    }

    item = set->buckets[id & (set->nbuckets - 1)];

    while (item && item->id != id) {
        item = item->next;
    }

    return item;
}


ngx_hyperdrive_state_item_t *
ngx_hyperdrive_state_set_add(ngx_hyperdrive_state_set_t *set, uint64_t id)
{
    ngx_hyperdrive_state_item_t  *item, **bucket;

    if (set->buckets == NULL) {
        set->buckets = calloc(NGX_HYPERDRIVE_STATE_SET_BUCKETS,
                              sizeof(ngx_hyperdrive_state_item_t *));
        if (set->buckets == NULL) {
            return NULL;
        }

        set->nbuckets = NGX_HYPERDRIVE_STATE_SET_BUCKETS;
        ngx_queue_init(&set->lru);
    }

    item = malloc(sizeof(ngx_hyperdrive_state_item_t));
    if (item == NULL) {
        return NULL;
    }

    item->id = id;
    item->group = 0;
    item->shape = 0;
    item->epoch = 0;
    item->handle = 0;
    item->holder = 0;
    item->cursor = 0;

    bucket = &set->buckets[id & (set->nbuckets - 1)];
    item->next = *bucket;
    *bucket = item;

    ngx_queue_insert_head(&set->lru, &item->lru);

    set->n++;

    return item;
}


void
ngx_hyperdrive_state_set_touch(ngx_hyperdrive_state_set_t *set,
    ngx_hyperdrive_state_item_t *item)
{
    if (ngx_queue_head(&set->lru) != &item->lru) {
        ngx_queue_remove(&item->lru);
        ngx_queue_insert_head(&set->lru, &item->lru);
    }
}


ngx_hyperdrive_state_item_t *
ngx_hyperdrive_state_set_oldest(ngx_hyperdrive_state_set_t *set)
{
    if (set->n == 0) {
        return NULL;
    }

    return ngx_queue_data(ngx_queue_last(&set->lru),
                          ngx_hyperdrive_state_item_t, lru);
}


void
ngx_hyperdrive_state_set_remove(ngx_hyperdrive_state_set_t *set, uint64_t id)
{
    ngx_hyperdrive_state_item_t  *item, **link;

    if (set->n == 0) {
        return;
    }

    link = &set->buckets[id & (set->nbuckets - 1)];

    while (*link && (*link)->id != id) {
        link = &(*link)->next;
    }

    item = *link;

    if (item == NULL) {
        return;
    }

    *link = item->next;
    ngx_queue_remove(&item->lru);
    free(item);

    set->n--;
}


void
ngx_hyperdrive_state_set_clear(ngx_hyperdrive_state_set_t *set)
{
    ngx_uint_t                    i;
    ngx_hyperdrive_state_item_t  *item, *next;

    for (i = 0; i < set->nbuckets; i++) {

        for (item = set->buckets[i]; item; item = next) {
            next = item->next;
            free(item);
        }
    }

    free(set->buckets);

    ngx_memzero(set, sizeof(ngx_hyperdrive_state_set_t));
}
