
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "mysql/ngx_hyperdrive_mysql_wire.h"


#define NGX_HYPERDRIVE_MYSQL_NAMES_BUCKETS  8       /* to begin with */


#define ngx_hyperdrive_mysql_names_size(name)                                 \
    (sizeof(ngx_hyperdrive_mysql_name_t)                                      \
     + ngx_hyperdrive_state_stmt_size((name)->stmt))


static void ngx_hyperdrive_mysql_names_grow(
    ngx_hyperdrive_mysql_names_t *names);
static void ngx_hyperdrive_mysql_names_free(
    ngx_hyperdrive_state_registry_t *registry,
    ngx_hyperdrive_mysql_name_t *name);


ngx_hyperdrive_mysql_name_t *
ngx_hyperdrive_mysql_names_find(ngx_hyperdrive_mysql_names_t *names,
    uint32_t number)
{
    ngx_hyperdrive_mysql_name_t  *name;

    if (names->n == 0) {
        return NULL;
    }

    name = names->buckets[number & (names->nbuckets - 1)];

    while (name && name->number != number) {
        name = name->next;
    }

    return name;
}


ngx_hyperdrive_mysql_name_t *
ngx_hyperdrive_mysql_names_add(ngx_hyperdrive_mysql_names_t *names,
    uint32_t number, ngx_hyperdrive_state_stmt_t *stmt, ngx_uint_t nparams)
{
    ngx_hyperdrive_mysql_name_t  *name, **bucket;

    if (names->n >= names->nbuckets) {
        ngx_hyperdrive_mysql_names_grow(names);
    }

    name = calloc(1, sizeof(ngx_hyperdrive_mysql_name_t));

    if (name == NULL || names->buckets == NULL) {
        free(name);
        return NULL;
    }

    /* 0 and the last one are none; nobody prepares four billion at a time */

    if (number == 0) {

        do {
            number = ++names->last;
        } while (number == 0 || number == NGX_HYPERDRIVE_MYSQL_LAST
                 || ngx_hyperdrive_mysql_names_find(names, number));
    }

    name->stmt = ngx_hyperdrive_state_stmt_ref(stmt);
    name->number = number;
    name->nparams = nparams;

    bucket = &names->buckets[name->number & (names->nbuckets - 1)];
    name->next = *bucket;
    *bucket = name;

    names->n++;
    names->bytes += ngx_hyperdrive_mysql_names_size(name);

    return name;
}


static void
ngx_hyperdrive_mysql_names_grow(ngx_hyperdrive_mysql_names_t *names)
{
    ngx_uint_t                     i, n;
    ngx_hyperdrive_mysql_name_t   *name, *next, **buckets, **bucket;

    n = names->nbuckets ? names->nbuckets * 2
                        : NGX_HYPERDRIVE_MYSQL_NAMES_BUCKETS;

    buckets = calloc(n, sizeof(ngx_hyperdrive_mysql_name_t *));
    if (buckets == NULL) {
        /* longer chains will do */
        return;
    }

    for (i = 0; i < names->nbuckets; i++) {

        for (name = names->buckets[i]; name; name = next) {
            next = name->next;

            bucket = &buckets[name->number & (n - 1)];
            name->next = *bucket;
            *bucket = name;
        }
    }

    free(names->buckets);

    names->buckets = buckets;
    names->nbuckets = n;
}


void
ngx_hyperdrive_mysql_names_remove(ngx_hyperdrive_mysql_names_t *names,
    ngx_hyperdrive_state_registry_t *registry, uint32_t number)
{
    ngx_hyperdrive_mysql_name_t  *name, **link;

    if (names->n == 0) {
        return;
    }

    link = &names->buckets[number & (names->nbuckets - 1)];

    while (*link && (*link)->number != number) {
        link = &(*link)->next;
    }

    name = *link;

    if (name) {
        *link = name->next;
        names->n--;
        names->bytes -= ngx_hyperdrive_mysql_names_size(name);

        ngx_hyperdrive_mysql_names_free(registry, name);
    }
}


void
ngx_hyperdrive_mysql_names_clear(ngx_hyperdrive_mysql_names_t *names,
    ngx_hyperdrive_state_registry_t *registry)
{
    ngx_uint_t                    i;
    ngx_hyperdrive_mysql_name_t  *name, *next;

    for (i = 0; i < names->nbuckets; i++) {

        for (name = names->buckets[i]; name; name = next) {
            next = name->next;
            ngx_hyperdrive_mysql_names_free(registry, name);
        }
    }

    free(names->buckets);

    /* numbers are not used again */

    names->buckets = NULL;
    names->nbuckets = 0;
    names->n = 0;
    names->bytes = 0;
}


static void
ngx_hyperdrive_mysql_names_free(ngx_hyperdrive_state_registry_t *registry,
    ngx_hyperdrive_mysql_name_t *name)
{
    ngx_hyperdrive_state_stmt_unref(registry, name->stmt);

    free(name->types);
    free(name->named.data);
    free(name);
}
