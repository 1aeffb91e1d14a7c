
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session.h"
#include "base/ngx_hyperdrive_base_mode.h"
#include "sql/ngx_hyperdrive_sql_set.h"


/*
 * The statements that take a connection from one bucket to another: SET and
 * RESET, one for each setting that differs.  They take no snapshot, so that
 * what follows in the same transaction may still choose its isolation level.
 */


/* in which order: what others depend on goes first */

typedef enum {
    NGX_HYPERDRIVE_SESSION_ALIGN_ENCODING = 0,
    NGX_HYPERDRIVE_SESSION_ALIGN_OTHER,
    NGX_HYPERDRIVE_SESSION_ALIGN_TIMEOUT,
    NGX_HYPERDRIVE_SESSION_ALIGN_NONE    /* roles; and what would end a shared
                                            connection while it is idle */
} ngx_hyperdrive_session_align_part_e;


#define NGX_HYPERDRIVE_SESSION_ALIGN_MAX                                     \
    (2 * NGX_HYPERDRIVE_STATE_SETTINGS_MAX + 9)

/* resets and values: each value may be doubled by quoting, and named twice */
#define NGX_HYPERDRIVE_SESSION_ALIGN_SIZE                                    \
    (8 * NGX_HYPERDRIVE_STATE_SETTINGS_SIZE                                  \
     + NGX_HYPERDRIVE_SESSION_ALIGN_MAX * 64)


typedef struct {
    ngx_hyperdrive_state_bucket_t     *from;
    ngx_hyperdrive_state_bucket_t     *to;
    ngx_uint_t                         n;
    ngx_str_t                          texts[NGX_HYPERDRIVE_SESSION_ALIGN_MAX];
    u_char                            *pos;
    ngx_uint_t                         snapshot;
    unsigned                           alone:1;
    unsigned                           loose:1;
    unsigned                           sure:1;
    unsigned                           stuck:1;
    unsigned                           failed:1;
    unsigned                           roles:1;    /* they are set, or have been
                                                      reset */
    unsigned                           reset:1;    /* it is known that what is
                                                      set has been reset... */
    unsigned                           local:1;    /* ...in this transaction */
    u_char                             buf[NGX_HYPERDRIVE_SESSION_ALIGN_SIZE];
} ngx_hyperdrive_session_align_list_t;


static ngx_hyperdrive_session_align_list_t *
    ngx_hyperdrive_session_align_collect(ngx_hyperdrive_origin_t *o,
    ngx_hyperdrive_state_bucket_t *bucket);
static ngx_hyperdrive_session_align_list_t *
    ngx_hyperdrive_session_align_begin(ngx_hyperdrive_state_bucket_t *from,
    ngx_hyperdrive_state_bucket_t *to);
static void ngx_hyperdrive_session_align_settings(
    ngx_hyperdrive_session_align_list_t *list);
static void ngx_hyperdrive_session_align_walk(
    ngx_hyperdrive_session_align_list_t *list, ngx_uint_t part);
static ngx_uint_t ngx_hyperdrive_session_align_part(ngx_str_t *name);
static ngx_uint_t ngx_hyperdrive_session_align_is(ngx_str_t *name,
    const char *what);
static ngx_uint_t ngx_hyperdrive_session_align_differs(
    ngx_hyperdrive_session_align_list_t *list, ngx_str_t *name);
static void ngx_hyperdrive_session_align_one(
    ngx_hyperdrive_session_align_list_t *list, ngx_str_t *name);
static void ngx_hyperdrive_session_align_fixed(
    ngx_hyperdrive_session_align_list_t *list, char *text);
static ngx_uint_t ngx_hyperdrive_session_align_tight(ngx_str_t *value);


static ngx_str_t  ngx_hyperdrive_session_align_role = ngx_string("role");
static ngx_str_t  ngx_hyperdrive_session_align_user =
    ngx_string("session_authorization");

/* used within one call only */
static ngx_hyperdrive_session_align_list_t  ngx_hyperdrive_session_align_list;


void
ngx_hyperdrive_session_align_look(ngx_hyperdrive_origin_t *o,
    ngx_hyperdrive_state_bucket_t *bucket,
    ngx_hyperdrive_session_align_t *align)
{
    ngx_hyperdrive_session_align_list_t  *list;

    list = ngx_hyperdrive_session_align_collect(o, bucket);

    align->alone = list->alone;
    align->loose = list->loose;
    align->sure = list->sure;
    align->stuck = list->stuck;
    align->any = (list->n != 0);
    align->snapshot = (list->snapshot != 0);
}


ngx_int_t
ngx_hyperdrive_session_align_send(ngx_hyperdrive_origin_t *o,
    ngx_hyperdrive_state_bucket_t *bucket, ngx_uint_t alone)
{
    ngx_uint_t                            i, flags;
    ngx_hyperdrive_session_align_list_t  *list;

    list = ngx_hyperdrive_session_align_collect(o, bucket);

    if (list->failed) {
        return NGX_ERROR;
    }

    if (list->n == 0) {
        return NGX_DECLINED;
    }

    for (i = 0; i < list->n; i++) {

        flags = 0;

        if (alone) {
            flags = (i == list->n - 1) ? NGX_HYPERDRIVE_PROTO_OWN_SYNC
                                       : NGX_HYPERDRIVE_PROTO_OWN_ALONE;
        }

        if (o->pool->conf->proto->origin_own(o->wire, &list->texts[i],
                                         NGX_HYPERDRIVE_SESSION_TAG_SETTINGS,
                                         flags, &o->net.out)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_hyperdrive_session_align_list_t *
ngx_hyperdrive_session_align_collect(ngx_hyperdrive_origin_t *o,
    ngx_hyperdrive_state_bucket_t *bucket)
{
    ngx_int_t                             rc;
    ngx_uint_t                            n, alone, sure;
    ngx_hyperdrive_state_setting_t        setting;
    ngx_hyperdrive_session_align_list_t  *list;

    list = ngx_hyperdrive_session_align_begin(o->unknown ? NULL : o->bucket,
                                              bucket);
    list->alone = o->unknown;

    if (o->pool->conf->proto->dialect & NGX_HYPERDRIVE_BASE_MODE_MYSQL) {

        rc = ngx_hyperdrive_session_align_mysql(o, bucket, list->buf,
                                                sizeof(list->buf), list->texts,
                                                &alone, &sure);
        if (rc == NGX_ERROR || rc == NGX_BUSY) {
            list->failed = 1;
            list->stuck = (rc == NGX_BUSY);

        } else {
            list->n = rc;
        }

        list->alone |= alone;
        list->loose = 1;
        list->sure = (sure && list->n == 1);

        return list;
    }

    if (o->unknown) {
        ngx_hyperdrive_session_align_fixed(list,
                                           "RESET SESSION AUTHORIZATION");
        ngx_hyperdrive_session_align_fixed(list, "RESET ROLE");
        ngx_hyperdrive_session_align_fixed(list, "RESET ALL");
    }

    list->roles = ngx_hyperdrive_session_align_differs(list,
                                           &ngx_hyperdrive_session_align_user)
            || ngx_hyperdrive_session_align_differs(list,
                                          &ngx_hyperdrive_session_align_role);

    /* settings are set by whom the log-in was for */

    n = list->n;

    if (ngx_hyperdrive_state_bucket_find(list->from,
                                         &ngx_hyperdrive_session_align_user,
                                         &setting)
        == NGX_OK)
    {
        ngx_hyperdrive_session_align_fixed(list,
                                           "RESET SESSION AUTHORIZATION");
    }

    if (ngx_hyperdrive_state_bucket_find(list->from,
                                         &ngx_hyperdrive_session_align_role,
                                         &setting)
        == NGX_OK)
    {
        ngx_hyperdrive_session_align_fixed(list, "RESET ROLE");
    }

    if (list->n != n) {
        list->roles = 1;
    }

    ngx_hyperdrive_session_align_settings(list);

    return list;
}


/* of no statements yet */

static ngx_hyperdrive_session_align_list_t *
ngx_hyperdrive_session_align_begin(ngx_hyperdrive_state_bucket_t *from,
    ngx_hyperdrive_state_bucket_t *to)
{
    ngx_hyperdrive_session_align_list_t  *list;

    list = &ngx_hyperdrive_session_align_list;

    list->from = from;
    list->to = to;
    list->n = 0;
    list->pos = list->buf;
    list->snapshot = 0;
    list->alone = 0;
    list->loose = 0;
    list->sure = 0;
    list->stuck = 0;
    list->failed = 0;
    list->roles = 0;
    list->reset = 0;
    list->local = 0;

    return list;
}


ngx_int_t
ngx_hyperdrive_session_align_again(ngx_hyperdrive_origin_t *o,
    ngx_hyperdrive_state_bucket_t *bucket, ngx_str_t **texts)
{
    ngx_hyperdrive_session_align_list_t  *list;

    list = ngx_hyperdrive_session_align_collect(o, bucket);

    *texts = list->texts;

    return list->failed ? NGX_ERROR : (ngx_int_t) list->n;
}


ngx_int_t
ngx_hyperdrive_session_align_back(ngx_hyperdrive_state_bucket_t *back,
    ngx_uint_t local, ngx_str_t **texts)
{
    ngx_hyperdrive_session_align_list_t  *list;

    list = ngx_hyperdrive_session_align_begin(NULL, back);

    list->roles = 1;
    list->reset = 1;
    list->local = local;

    ngx_hyperdrive_session_align_settings(list);

    *texts = list->texts;

    return list->failed ? NGX_ERROR : (ngx_int_t) list->n;
}


static void
ngx_hyperdrive_session_align_settings(
    ngx_hyperdrive_session_align_list_t *list)
{
    ngx_hyperdrive_session_align_walk(list,
                                      NGX_HYPERDRIVE_SESSION_ALIGN_ENCODING);
    ngx_hyperdrive_session_align_walk(list,
                                      NGX_HYPERDRIVE_SESSION_ALIGN_OTHER);

    if (list->roles) {
        ngx_hyperdrive_session_align_one(list,
                                         &ngx_hyperdrive_session_align_user);
        ngx_hyperdrive_session_align_one(list,
                                         &ngx_hyperdrive_session_align_role);
    }

    ngx_hyperdrive_session_align_walk(list,
                                      NGX_HYPERDRIVE_SESSION_ALIGN_TIMEOUT);
}


/* through both buckets at once, which are sorted */

static void
ngx_hyperdrive_session_align_walk(ngx_hyperdrive_session_align_list_t *list,
    ngx_uint_t part)
{
    u_char                          *p, *q;
    ngx_int_t                        rc, a, b;
    ngx_str_t                       *name;
    ngx_hyperdrive_state_setting_t   now, want;

    p = NULL;
    q = NULL;

    a = ngx_hyperdrive_state_bucket_next(list->from, &p, &now);
    b = ngx_hyperdrive_state_bucket_next(list->to, &q, &want);

    while (a == NGX_OK || b == NGX_OK) {

        rc = (a != NGX_OK) ? 1 : (b != NGX_OK) ? -1
             : ngx_memn2cmp(now.name.data, want.name.data, now.name.len,
                            want.name.len);

        name = (rc <= 0) ? &now.name : &want.name;

        if (ngx_hyperdrive_session_align_part(name) == part
            && ngx_hyperdrive_session_align_differs(list, name))
        {
            if (rc <= 0 && !now.unsure
                && part == NGX_HYPERDRIVE_SESSION_ALIGN_TIMEOUT
                && ngx_hyperdrive_session_align_tight(&now.value))
            {
                /* it may end our own statements */
                list->alone = 1;
            }

            if (name->len > sizeof("default_transaction_") - 1
                && ngx_memcmp(name->data, "default_transaction_",
                              sizeof("default_transaction_") - 1)
                   == 0)
            {
                /* for the next transaction, not for this one */
                list->alone = 1;
            }

            ngx_hyperdrive_session_align_one(list, name);
        }

        if (rc <= 0) {
            a = ngx_hyperdrive_state_bucket_next(list->from, &p, &now);
        }

        if (rc >= 0) {
            b = ngx_hyperdrive_state_bucket_next(list->to, &q, &want);
        }
    }
}


static ngx_uint_t
ngx_hyperdrive_session_align_part(ngx_str_t *name)
{
    if (ngx_hyperdrive_session_align_is(name, "client_encoding")) {
        return NGX_HYPERDRIVE_SESSION_ALIGN_ENCODING;
    }

    if (ngx_hyperdrive_session_align_is(name, "role")
        || ngx_hyperdrive_session_align_is(name, "session_authorization")
        || ngx_hyperdrive_session_align_is(name, "idle_session_timeout"))
    {
        return NGX_HYPERDRIVE_SESSION_ALIGN_NONE;
    }

    if (ngx_hyperdrive_session_align_is(name, "statement_timeout")
        || ngx_hyperdrive_session_align_is(name, "transaction_timeout")
        || ngx_hyperdrive_session_align_is(name, "lock_timeout"))
    {
        return NGX_HYPERDRIVE_SESSION_ALIGN_TIMEOUT;
    }

    return NGX_HYPERDRIVE_SESSION_ALIGN_OTHER;
}


static ngx_uint_t
ngx_hyperdrive_session_align_is(ngx_str_t *name, const char *what)
{
    return name->len == ngx_strlen(what)
           && ngx_memcmp(name->data, what, name->len) == 0;
}


static ngx_uint_t
ngx_hyperdrive_session_align_differs(ngx_hyperdrive_session_align_list_t *list,
    ngx_str_t *name)
{
    ngx_int_t                       a, b;
    ngx_hyperdrive_state_setting_t  now, want;

    a = ngx_hyperdrive_state_bucket_find(list->from, name, &now);
    b = ngx_hyperdrive_state_bucket_find(list->to, name, &want);

    if (a != b || a != NGX_OK) {
        return a != b;
    }

    return now.unsure || want.unsure || now.value.len != want.value.len
           || ngx_memcmp(now.value.data, want.value.data, now.value.len) != 0;
}


/* what <to> says of it */

static void
ngx_hyperdrive_session_align_one(ngx_hyperdrive_session_align_list_t *list,
    ngx_str_t *name)
{
    ngx_str_t                       *text, *value;
    ngx_uint_t                       role;
    ngx_hyperdrive_state_setting_t   want;

    if (list->failed || list->n + 1 >= NGX_HYPERDRIVE_SESSION_ALIGN_MAX) {
        list->failed = 1;
        return;
    }

    value = NULL;

    role = (ngx_hyperdrive_session_align_part(name)
            == NGX_HYPERDRIVE_SESSION_ALIGN_NONE);

    if (ngx_hyperdrive_state_bucket_find(list->to, name, &want) != NGX_OK) {

        if (role) {
            /* it has been reset */
            return;
        }

    } else if (want.unsure) {
        list->failed = 1;
        return;

    } else {
        value = &want.value;
    }

    if (value && !list->reset
        && ngx_hyperdrive_session_align_is(name, "datestyle")
        && ngx_strlchr(value->data, value->data + value->len, ',') == NULL)
    {
        /* half of it, the other half is the default */

        ngx_hyperdrive_session_align_fixed(list, "RESET DateStyle");
    }

    text = &list->texts[list->n];

    text->data = list->pos;
    text->len = ngx_hyperdrive_sql_set_text(name, value, list->local, list->pos,
                                            list->buf + sizeof(list->buf)
                                            - list->pos,
                                            &list->snapshot);
    if (text->len == 0) {
        list->failed = 1;
        return;
    }

    list->pos += text->len;
    list->n++;
}


static void
ngx_hyperdrive_session_align_fixed(ngx_hyperdrive_session_align_list_t *list,
    char *text)
{
    list->texts[list->n].data = (u_char *) text;
    list->texts[list->n].len = ngx_strlen(text);
    list->n++;
}


/* less than a second, or who knows */

static ngx_uint_t
ngx_hyperdrive_session_align_tight(ngx_str_t *value)
{
    size_t      i;
    ngx_uint_t  n;

    n = 0;

    for (i = 0; i < value->len && n < 1000; i++) {

        if (value->data[i] < '0' || value->data[i] > '9') {
            break;
        }

        n = n * 10 + value->data[i] - '0';
    }

    if (i && (n == 0 || n >= 1000)) {
        return 0;
    }

    while (i < value->len && value->data[i] == ' ') {
        i++;
    }

    if (i == 0 || i == value->len) {
        return 1;
    }

    return value->data[i] != 's' && value->data[i] != 'h'
           && value->data[i] != 'd'
           && !(value->data[i] == 'm' && i + 1 < value->len
                && value->data[i + 1] == 'i');
}


ngx_int_t
ngx_hyperdrive_session_align_ask(ngx_hyperdrive_origin_t *o,
    ngx_hyperdrive_state_bucket_t *bucket)
{
    return ngx_hyperdrive_session_align_send(o, bucket, 0);
}
