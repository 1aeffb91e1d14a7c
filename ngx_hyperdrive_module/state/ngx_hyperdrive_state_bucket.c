
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "state/ngx_hyperdrive_state_settings.h"


#define NGX_HYPERDRIVE_STATE_BUCKETS     1024      /* chains of the hash */

/* what stands between a name and its value */
#define NGX_HYPERDRIVE_STATE_KNOWN       '='
#define NGX_HYPERDRIVE_STATE_UNSURE      '?'


/* a bucket in the making */

typedef struct {
    ngx_uint_t                        n;
    ngx_uint_t                        unsure;
    size_t                            len;
    ngx_uint_t                        failed;
    u_char                            data[NGX_HYPERDRIVE_STATE_SETTINGS_SIZE];
} ngx_hyperdrive_state_bucket_make_t;


static ngx_int_t ngx_hyperdrive_state_bucket_change(
    ngx_hyperdrive_state_bucket_t **bucket, ngx_str_t *name, ngx_str_t *value,
    ngx_uint_t remove);
static void ngx_hyperdrive_state_bucket_add(
    ngx_hyperdrive_state_bucket_make_t *make, ngx_str_t *name,
    ngx_str_t *value);
static ngx_int_t ngx_hyperdrive_state_bucket_intern(
    ngx_hyperdrive_state_bucket_make_t *make,
    ngx_hyperdrive_state_bucket_t **bucket);


static ngx_hyperdrive_state_bucket_t
    *ngx_hyperdrive_state_buckets[NGX_HYPERDRIVE_STATE_BUCKETS];

/* used within one call only */
static ngx_hyperdrive_state_bucket_make_t  ngx_hyperdrive_state_bucket_make;


ngx_int_t
ngx_hyperdrive_state_bucket_next(ngx_hyperdrive_state_bucket_t *bucket,
    u_char **p, ngx_hyperdrive_state_setting_t *setting)
{
    u_char  *q;

    if (bucket == NULL) {
        return NGX_DONE;
    }

    q = *p ? *p : bucket->data;

    if (q == bucket->data + bucket->len) {
        return NGX_DONE;
    }

    setting->name.data = q;
    setting->name.len = ngx_strlen(q);
    q += setting->name.len + 1;

    setting->unsure = (*q++ == NGX_HYPERDRIVE_STATE_UNSURE);

    setting->value.data = q;
    setting->value.len = ngx_strlen(q);
    q += setting->value.len + 1;

    *p = q;

    return NGX_OK;
}


ngx_int_t
ngx_hyperdrive_state_bucket_find(ngx_hyperdrive_state_bucket_t *bucket,
    ngx_str_t *name, ngx_hyperdrive_state_setting_t *setting)
{
    u_char  *p;

    p = NULL;

    while (ngx_hyperdrive_state_bucket_next(bucket, &p, setting) == NGX_OK) {

        if (setting->name.len == name->len
            && ngx_memcmp(setting->name.data, name->data, name->len) == 0)
        {
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


ngx_hyperdrive_state_bucket_t *
ngx_hyperdrive_state_bucket_ref(ngx_hyperdrive_state_bucket_t *bucket)
{
    if (bucket) {
        bucket->refs++;
    }

    return bucket;
}


void
ngx_hyperdrive_state_bucket_unref(ngx_hyperdrive_state_bucket_t *bucket)
{
    ngx_hyperdrive_state_bucket_t  **p;

    if (bucket == NULL || --bucket->refs) {
        return;
    }

    p = &ngx_hyperdrive_state_buckets[bucket->hash
                                      % NGX_HYPERDRIVE_STATE_BUCKETS];

    while (*p != bucket) {
        p = &(*p)->next;
    }

    *p = bucket->next;

    free(bucket);
}


ngx_int_t
ngx_hyperdrive_state_bucket_set(ngx_hyperdrive_state_bucket_t **bucket,
    ngx_str_t *name, ngx_str_t *value)
{
    return ngx_hyperdrive_state_bucket_change(bucket, name, value, 0);
}


ngx_int_t
ngx_hyperdrive_state_bucket_reset(ngx_hyperdrive_state_bucket_t **bucket,
    ngx_str_t *name)
{
    ngx_hyperdrive_state_setting_t  setting;

    if (ngx_hyperdrive_state_bucket_find(*bucket, name, &setting) != NGX_OK) {
        return NGX_OK;
    }

    return ngx_hyperdrive_state_bucket_change(bucket, name, NULL, 1);
}


static ngx_int_t
ngx_hyperdrive_state_bucket_change(ngx_hyperdrive_state_bucket_t **bucket,
    ngx_str_t *name, ngx_str_t *value, ngx_uint_t remove)
{
    u_char                              *p;
    ngx_int_t                            rc;
    ngx_uint_t                           done;
    ngx_hyperdrive_state_setting_t       setting;
    ngx_hyperdrive_state_bucket_make_t  *make;

    make = &ngx_hyperdrive_state_bucket_make;
    make->n = 0;
    make->unsure = 0;
    make->len = 0;
    make->failed = (name->len == 0
                    || memchr(name->data, '\0', name->len) != NULL
                    || (value && memchr(value->data, '\0', value->len)));

    done = remove;
    p = NULL;

    while (ngx_hyperdrive_state_bucket_next(*bucket, &p, &setting) == NGX_OK) {

        rc = ngx_memn2cmp(setting.name.data, name->data, setting.name.len,
                          name->len);

        if (rc >= 0 && !done) {
            ngx_hyperdrive_state_bucket_add(make, name, value);
            done = 1;
        }

        if (rc != 0) {
            ngx_hyperdrive_state_bucket_add(make, &setting.name,
                                      setting.unsure ? NULL : &setting.value);
        }
    }

    if (!done) {
        ngx_hyperdrive_state_bucket_add(make, name, value);
    }

    return ngx_hyperdrive_state_bucket_intern(make, bucket);
}


ngx_int_t
ngx_hyperdrive_state_bucket_merge(ngx_hyperdrive_state_bucket_t **bucket,
    ngx_hyperdrive_state_bucket_t *other)
{
    u_char                              *p, *q;
    ngx_int_t                            rc, a, b;
    ngx_hyperdrive_state_setting_t       one, two;
    ngx_hyperdrive_state_bucket_make_t  *make;

    if (*bucket == other) {
        return NGX_OK;
    }

    make = &ngx_hyperdrive_state_bucket_make;
    ngx_memzero(make, offsetof(ngx_hyperdrive_state_bucket_make_t, data));

    p = NULL;
    q = NULL;

    a = ngx_hyperdrive_state_bucket_next(*bucket, &p, &one);
    b = ngx_hyperdrive_state_bucket_next(other, &q, &two);

    while (a == NGX_OK || b == NGX_OK) {

        rc = (a != NGX_OK) ? 1 : (b != NGX_OK) ? -1
             : ngx_memn2cmp(one.name.data, two.name.data, one.name.len,
                            two.name.len);

        /* what only one of them has is the default in the other */

        if (rc == 0 && !one.unsure && !two.unsure
            && one.value.len == two.value.len
            && ngx_memcmp(one.value.data, two.value.data, one.value.len) == 0)
        {
            ngx_hyperdrive_state_bucket_add(make, &one.name, &one.value);

        } else {
            ngx_hyperdrive_state_bucket_add(make, rc <= 0 ? &one.name
                                                          : &two.name, NULL);
        }

        if (rc <= 0) {
            a = ngx_hyperdrive_state_bucket_next(*bucket, &p, &one);
        }

        if (rc >= 0) {
            b = ngx_hyperdrive_state_bucket_next(other, &q, &two);
        }
    }

    return ngx_hyperdrive_state_bucket_intern(make, bucket);
}


ngx_int_t
ngx_hyperdrive_state_bucket_import(ngx_hyperdrive_state_bucket_t **bucket,
    u_char *data, size_t len)
{
    u_char                              *p, *last, *nul;
    ngx_str_t                            name, value;
    ngx_uint_t                           kind;
    ngx_hyperdrive_state_bucket_make_t  *make;

    make = &ngx_hyperdrive_state_bucket_make;
    ngx_memzero(make, offsetof(ngx_hyperdrive_state_bucket_make_t, data));

    p = data;
    last = data + len;

    while (p < last) {
        nul = memchr(p, '\0', last - p);

        if (nul == NULL || nul == p || last - nul < 3) {
            return NGX_ERROR;
        }

        name.data = p;
        name.len = nul - p;

        kind = nul[1];
        p = nul + 2;

        nul = memchr(p, '\0', last - p);

        if (nul == NULL
            || (kind != NGX_HYPERDRIVE_STATE_KNOWN
                && kind != NGX_HYPERDRIVE_STATE_UNSURE))
        {
            return NGX_ERROR;
        }

        value.data = p;
        value.len = nul - p;
        p = nul + 1;

        ngx_hyperdrive_state_bucket_add(make, &name,
                           kind == NGX_HYPERDRIVE_STATE_KNOWN ? &value : NULL);
    }

    return ngx_hyperdrive_state_bucket_intern(make, bucket);
}


static void
ngx_hyperdrive_state_bucket_add(ngx_hyperdrive_state_bucket_make_t *make,
    ngx_str_t *name, ngx_str_t *value)
{
    size_t   len;
    u_char  *p;

    len = name->len + 1 + 1 + (value ? value->len : 0) + 1;

    if (make->n == NGX_HYPERDRIVE_STATE_SETTINGS_MAX
        || len > sizeof(make->data) - make->len)
    {
        make->failed = 1;
    }

    if (make->failed) {
        return;
    }

    p = ngx_cpymem(make->data + make->len, name->data, name->len);
    *p++ = '\0';

    if (value) {
        *p++ = NGX_HYPERDRIVE_STATE_KNOWN;
        p = ngx_cpymem(p, value->data, value->len);

    } else {
        *p++ = NGX_HYPERDRIVE_STATE_UNSURE;
        make->unsure++;
    }

    *p = '\0';

    make->len += len;
    make->n++;
}


/* the one bucket that is equal, with a reference */

static ngx_int_t
ngx_hyperdrive_state_bucket_intern(ngx_hyperdrive_state_bucket_make_t *make,
    ngx_hyperdrive_state_bucket_t **bucket)
{
    size_t                           i;
    uint64_t                         hash;
    ngx_str_t                        idle;
    ngx_hyperdrive_state_bucket_t   *b, **chain;
    ngx_hyperdrive_state_setting_t   setting;

    if (make->failed) {
        return NGX_ERROR;
    }

    ngx_str_set(&idle, "idle_session_timeout");

    b = NULL;

    if (make->n) {
        hash = 0xcbf29ce484222325ULL;

        for (i = 0; i < make->len; i++) {
            hash = (hash ^ make->data[i]) * 0x100000001b3ULL;
        }

        chain = &ngx_hyperdrive_state_buckets[hash
                                              % NGX_HYPERDRIVE_STATE_BUCKETS];

        for (b = *chain; b; b = b->next) {

            if (b->hash == hash && b->len == make->len
                && ngx_memcmp(b->data, make->data, make->len) == 0)
            {
                break;
            }
        }

        if (b == NULL) {
            b = malloc(sizeof(ngx_hyperdrive_state_bucket_t) + make->len);
            if (b == NULL) {
                return NGX_ERROR;
            }

            b->next = *chain;
            b->hash = hash;
            b->refs = 0;
            b->n = make->n;
            b->unsure = make->unsure;
            b->len = make->len;
            ngx_memcpy(b->data, make->data, make->len);

            b->expires = (ngx_hyperdrive_state_bucket_find(b, &idle, &setting)
                          == NGX_OK);

            *chain = b;
        }

        b->refs++;
    }

    ngx_hyperdrive_state_bucket_unref(*bucket);
    *bucket = b;

    return NGX_OK;
}
