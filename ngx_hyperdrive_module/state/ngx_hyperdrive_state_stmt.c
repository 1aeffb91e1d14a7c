
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "state/ngx_hyperdrive_state_stmt.h"


#define NGX_HYPERDRIVE_STATE_STMT_BUCKETS  4096     /* to begin with */

/* of one statement: databases and users who have the same text */
#define NGX_HYPERDRIVE_STATE_STMT_DESCS    8


struct ngx_hyperdrive_state_registry_s {
    ngx_hyperdrive_state_stmt_t      **buckets;
    ngx_uint_t                         nbuckets;     /* a power of two */
    ngx_uint_t                         n;
    size_t                             bytes;
    size_t                             max;
    uint64_t                           serial;       /* of the last one */
    ngx_queue_t                        queue;        /* to be freed */
    ngx_hyperdrive_state_stmt_t       *last;         /* that was asked for */
    ngx_hyperdrive_state_classify_pt   classify;
};


static uint64_t ngx_hyperdrive_state_stmt_hash(u_char *data, size_t len,
    uint64_t hash);
static void ngx_hyperdrive_state_stmt_grow(
    ngx_hyperdrive_state_registry_t *registry);
static void ngx_hyperdrive_state_stmt_shrink(
    ngx_hyperdrive_state_registry_t *registry);
static void ngx_hyperdrive_state_stmt_drop(
    ngx_hyperdrive_state_registry_t *registry,
    ngx_hyperdrive_state_desc_t **link);
static void ngx_hyperdrive_state_stmt_free(
    ngx_hyperdrive_state_registry_t *registry,
    ngx_hyperdrive_state_stmt_t *stmt);


ngx_hyperdrive_state_registry_t *
ngx_hyperdrive_state_registry_create(size_t bytes,
    ngx_hyperdrive_state_classify_pt classify)
{
    ngx_hyperdrive_state_registry_t  *registry;

    registry = calloc(1, sizeof(ngx_hyperdrive_state_registry_t));
    if (registry == NULL) {
        return NULL;
    }

    registry->nbuckets = NGX_HYPERDRIVE_STATE_STMT_BUCKETS;

    registry->buckets = calloc(registry->nbuckets,
                               sizeof(ngx_hyperdrive_state_stmt_t *));
    if (registry->buckets == NULL) {
        free(registry);
        return NULL;
    }

    registry->max = bytes;
    registry->classify = classify;

    ngx_queue_init(&registry->queue);

    return registry;
}


/*
 * Eight bytes at a time; good enough to spread texts over buckets.  Whoever
 * builds collisions slows down only the worker's own look-ups, linearly; equal
 * hashes are told apart by comparing everything.
 */

static uint64_t
ngx_hyperdrive_state_stmt_hash(u_char *data, size_t len, uint64_t hash)
{
    uint64_t  word;

    hash ^= len * 0x9e3779b97f4a7c15ULL;

    while (len >= 8) {
        ngx_memcpy(&word, data, 8);

        hash = (hash ^ word) * 0xff51afd7ed558ccdULL;
        hash ^= hash >> 32;

        data += 8;
        len -= 8;
    }

    word = 0;
    ngx_memcpy(&word, data, len);

    hash = (hash ^ word) * 0xc4ceb9fe1a85ec53ULL;

    return hash ^ hash >> 29;
}


ngx_hyperdrive_state_stmt_t *
ngx_hyperdrive_state_stmt_get(ngx_hyperdrive_state_registry_t *registry,
    ngx_str_t *text, ngx_str_t *types, ngx_uint_t mode)
{
    uint64_t                      hash;
    ngx_hyperdrive_state_stmt_t  *stmt, **bucket;

    /* a text is often asked for twice, to be looked up and to be sent */

    stmt = registry->last;

    if (stmt
        && stmt->mode == mode
        && stmt->len == text->len
        && stmt->types_len == types->len
        && ngx_memcmp(stmt->text, text->data, text->len) == 0
        && (types->len == 0
            || ngx_memcmp(stmt->types, types->data, types->len) == 0))
    {
        return ngx_hyperdrive_state_stmt_ref(stmt);
    }

    hash = ngx_hyperdrive_state_stmt_hash(text->data, text->len, mode + 1);

    if (types->len) {
        hash = ngx_hyperdrive_state_stmt_hash(types->data, types->len, hash);
    }

    bucket = &registry->buckets[hash & (registry->nbuckets - 1)];

    for (stmt = *bucket; stmt; stmt = stmt->next) {

        if (stmt->hash == hash
            && stmt->mode == mode
            && stmt->len == text->len
            && stmt->types_len == types->len
            && ngx_memcmp(stmt->text, text->data, text->len) == 0
            && (types->len == 0
                || ngx_memcmp(stmt->types, types->data, types->len) == 0))
        {
            registry->last = stmt;

            return ngx_hyperdrive_state_stmt_ref(stmt);
        }
    }

    stmt = calloc(1, sizeof(ngx_hyperdrive_state_stmt_t) + text->len + 1
                     + types->len);
    if (stmt == NULL) {
        return NULL;
    }

    stmt->hash = hash;
    stmt->serial = ++registry->serial;
    stmt->mode = mode;
    stmt->len = text->len;
    stmt->types_len = types->len;
    stmt->types = stmt->text + text->len + 1;
    stmt->refs = 1;

    ngx_memcpy(stmt->text, text->data, text->len);

    if (types->len) {
        ngx_memcpy(stmt->types, types->data, types->len);
    }

    registry->classify(text, mode, &stmt->plan);

    stmt->plan.executed = (stmt->plan.settings || stmt->plan.transaction
                           || stmt->plan.deallocate || stmt->plan.forgets);

    if (registry->n >= registry->nbuckets) {
        ngx_hyperdrive_state_stmt_grow(registry);
        bucket = &registry->buckets[hash & (registry->nbuckets - 1)];
    }

    stmt->next = *bucket;
    *bucket = stmt;

    registry->last = stmt;

    registry->n++;
    registry->bytes += ngx_hyperdrive_state_stmt_size(stmt);

    return stmt;
}


static void
ngx_hyperdrive_state_stmt_grow(ngx_hyperdrive_state_registry_t *registry)
{
    ngx_uint_t                     i, n;
    ngx_hyperdrive_state_stmt_t   *stmt, *next, **buckets, **bucket;

    n = registry->nbuckets * 2;

    buckets = calloc(n, sizeof(ngx_hyperdrive_state_stmt_t *));
    if (buckets == NULL) {
        /* longer chains, nothing worse */
        return;
    }

    for (i = 0; i < registry->nbuckets; i++) {

        for (stmt = registry->buckets[i]; stmt; stmt = next) {
            next = stmt->next;

            bucket = &buckets[stmt->hash & (n - 1)];
            stmt->next = *bucket;
            *bucket = stmt;
        }
    }

    free(registry->buckets);

    registry->buckets = buckets;
    registry->nbuckets = n;
}


ngx_hyperdrive_state_stmt_t *
ngx_hyperdrive_state_stmt_ref(ngx_hyperdrive_state_stmt_t *stmt)
{
    stmt->refs++;
    stmt->used = 1;

    return stmt;
}


void
ngx_hyperdrive_state_stmt_unref(ngx_hyperdrive_state_registry_t *registry,
    ngx_hyperdrive_state_stmt_t *stmt)
{
    if (--stmt->refs) {
        return;
    }

    if (stmt->queue.next == NULL) {
        ngx_queue_insert_head(&registry->queue, &stmt->queue);
    }

    if (registry->bytes > registry->max) {
        ngx_hyperdrive_state_stmt_shrink(registry);
    }
}


/*
 * Each of the last ones goes, or is in use, or has a second chance, which it
 * has got by being used.  Four times as many bytes are passed as there are too
 * many: short texts make room for a long one, and not all are passed at once.
 */

static void
ngx_hyperdrive_state_stmt_shrink(ngx_hyperdrive_state_registry_t *registry)
{
    size_t                        size, left;
    ngx_queue_t                  *q;
    ngx_hyperdrive_state_stmt_t  *stmt;

    left = 4 * (registry->bytes - registry->max);

    while (left && registry->bytes > registry->max) {

        q = ngx_queue_last(&registry->queue);

        if (q == ngx_queue_sentinel(&registry->queue)) {
            break;
        }

        stmt = ngx_queue_data(q, ngx_hyperdrive_state_stmt_t, queue);

        size = ngx_hyperdrive_state_stmt_size(stmt);
        left -= ngx_min(left, size);

        if (stmt->refs == 0 && !stmt->used) {
            ngx_hyperdrive_state_stmt_free(registry, stmt);
            continue;
        }

        ngx_queue_remove(q);
        q->next = NULL;

        if (stmt->refs == 0) {
            stmt->used = 0;
            ngx_queue_insert_head(&registry->queue, q);
        }
    }
}


static void
ngx_hyperdrive_state_stmt_free(ngx_hyperdrive_state_registry_t *registry,
    ngx_hyperdrive_state_stmt_t *stmt)
{
    ngx_hyperdrive_state_stmt_t  **link;

    ngx_queue_remove(&stmt->queue);

    if (registry->last == stmt) {
        registry->last = NULL;
    }

    link = &registry->buckets[stmt->hash & (registry->nbuckets - 1)];

    while (*link != stmt) {
        link = &(*link)->next;
    }

    *link = stmt->next;

    registry->n--;
    registry->bytes -= ngx_hyperdrive_state_stmt_size(stmt);

    while (stmt->descs) {
        ngx_hyperdrive_state_stmt_drop(registry, &stmt->descs);
    }

    free(stmt);
}


void
ngx_hyperdrive_state_stmt_describe(
    ngx_hyperdrive_state_registry_t *registry,
    ngx_hyperdrive_state_stmt_t *stmt, uint64_t epoch, u_char *data,
    size_t len, uint64_t shape)
{
    ngx_uint_t                    n;
    ngx_hyperdrive_state_desc_t  *desc, **link;

    if (epoch == NGX_HYPERDRIVE_STATE_NO_EPOCH
        || epoch == NGX_HYPERDRIVE_STATE_CHANGING)
    {
        return;
    }

    desc = ngx_hyperdrive_state_stmt_described(stmt, epoch);

    if (desc && (len == 0 || (desc->len && desc->shape == shape))) {
        return;
    }

    /* the one that it replaces goes, or the one that was used least lately */

    link = &stmt->descs;

    for (n = 1; *link; n++) {

        if (*link == desc
            || (desc == NULL && n >= NGX_HYPERDRIVE_STATE_STMT_DESCS
                && (*link)->next == NULL))
        {
            ngx_hyperdrive_state_stmt_drop(registry, link);
            break;
        }

        link = &(*link)->next;
    }

    desc = malloc(sizeof(ngx_hyperdrive_state_desc_t) + len);
    if (desc == NULL) {
        return;
    }

    desc->epoch = epoch;
    desc->shape = shape;
    desc->len = len;

    if (len) {
        ngx_memcpy(desc->data, data, len);
    }

    desc->next = stmt->descs;
    stmt->descs = desc;

    registry->bytes += sizeof(ngx_hyperdrive_state_desc_t) + len;
}


ngx_hyperdrive_state_desc_t *
ngx_hyperdrive_state_stmt_described(ngx_hyperdrive_state_stmt_t *stmt,
    uint64_t epoch)
{
    ngx_hyperdrive_state_desc_t  *desc, **link;

    for (link = &stmt->descs; *link; link = &(*link)->next) {
        desc = *link;

        if (desc->epoch == epoch) {
            *link = desc->next;
            desc->next = stmt->descs;
            stmt->descs = desc;

            return desc;
        }
    }

    return NULL;
}


static void
ngx_hyperdrive_state_stmt_drop(ngx_hyperdrive_state_registry_t *registry,
    ngx_hyperdrive_state_desc_t **link)
{
    ngx_hyperdrive_state_desc_t  *desc;

    desc = *link;
    *link = desc->next;

    registry->bytes -= sizeof(ngx_hyperdrive_state_desc_t) + desc->len;

    free(desc);
}
