
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "pg/ngx_hyperdrive_pg.h"
#include "base/ngx_hyperdrive_base_cursor.h"


#define NGX_HYPERDRIVE_PG_STATUSES       256       /* chains of the hash */
#define NGX_HYPERDRIVE_PG_STATUS_MAX     8192      /* bytes of a set */


static u_char *ngx_hyperdrive_pg_status_next(u_char *p, u_char *last,
    ngx_str_t *name, ngx_str_t *message);
static size_t ngx_hyperdrive_pg_status_put(u_char *set, size_t len,
    ngx_str_t *name, ngx_str_t *message);
static ngx_int_t ngx_hyperdrive_pg_status_cmp(ngx_str_t *one,
    ngx_str_t *two);
static void ngx_hyperdrive_pg_status_intern(
    ngx_hyperdrive_pg_status_t **status, u_char *data, size_t len);


static ngx_hyperdrive_pg_status_t
    *ngx_hyperdrive_pg_statuses[NGX_HYPERDRIVE_PG_STATUSES];

/* used within one call only */
static u_char  ngx_hyperdrive_pg_status_set[NGX_HYPERDRIVE_PG_STATUS_MAX];


void
ngx_hyperdrive_pg_status_read(ngx_hyperdrive_pg_status_t **status,
    u_char *data, size_t len)
{
    u_char     *p, *last;
    size_t      n;
    ngx_str_t   name, message;

    n = 0;
    p = data;
    last = data + len;

    while (p < last) {
        p = ngx_hyperdrive_pg_status_next(p, last, &name, &message);

        if (p == NULL) {
            break;
        }

        n = ngx_hyperdrive_pg_status_put(ngx_hyperdrive_pg_status_set, n,
                                         &name, &message);
    }

    ngx_hyperdrive_pg_status_intern(status, ngx_hyperdrive_pg_status_set, n);
}


void
ngx_hyperdrive_pg_status_report(ngx_hyperdrive_pg_status_t **status,
    u_char *message, size_t len)
{
    size_t     n;
    ngx_str_t  name, whole;

    n = 0;

    if (*status) {
        n = (*status)->len;
        ngx_memcpy(ngx_hyperdrive_pg_status_set, (*status)->data, n);
    }

    if (ngx_hyperdrive_pg_status_next(message, message + len, &name, &whole)
        == NULL)
    {
        return;
    }

    n = ngx_hyperdrive_pg_status_put(ngx_hyperdrive_pg_status_set, n, &name,
                                     &whole);

    ngx_hyperdrive_pg_status_intern(status, ngx_hyperdrive_pg_status_set, n);
}


/* the message at <p>; other kinds have an empty name */

static u_char *
ngx_hyperdrive_pg_status_next(u_char *p, u_char *last, ngx_str_t *name,
    ngx_str_t *message)
{
    size_t  total;

    if (last - p < NGX_HYPERDRIVE_PG_HEADER) {
        return NULL;
    }

    total = 1 + (size_t) ngx_hyperdrive_base_get_u32(p + 1);

    if (total < NGX_HYPERDRIVE_PG_HEADER || (size_t) (last - p) < total) {
        return NULL;
    }

    message->data = p;
    message->len = total;

    ngx_str_null(name);

    if (p[0] == 'S'
        && ngx_hyperdrive_base_read_cstr(p + NGX_HYPERDRIVE_PG_HEADER,
                                         p + total, name)
           == NULL)
    {
        ngx_str_null(name);
    }

    return p + total;
}


/* into its place in a sorted set of <len> bytes; returns the new length */

static size_t
ngx_hyperdrive_pg_status_put(u_char *set, size_t len, ngx_str_t *name,
    ngx_str_t *message)
{
    u_char     *p, *next, *last;
    size_t      old;
    ngx_int_t   rc;
    ngx_str_t   other, whole;

    if (name->len == 0) {
        return len;
    }

    p = set;
    last = set + len;
    old = 0;

    while (p < last) {
        next = ngx_hyperdrive_pg_status_next(p, last, &other, &whole);

        rc = ngx_hyperdrive_pg_status_cmp(&other, name);

        if (rc >= 0) {
            old = (rc == 0) ? whole.len : 0;
            break;
        }

        p = next;
    }

    if (len - old + message->len > NGX_HYPERDRIVE_PG_STATUS_MAX) {
        return len;
    }

    ngx_memmove(p + message->len, p + old, last - p - old);
    ngx_memcpy(p, message->data, message->len);

    return len - old + message->len;
}


/* the order in which the database reports them, whatever the case */

static ngx_int_t
ngx_hyperdrive_pg_status_cmp(ngx_str_t *one, ngx_str_t *two)
{
    size_t     i, n;
    ngx_int_t  rc;

    n = ngx_min(one->len, two->len);

    for (i = 0; i < n; i++) {
        rc = ngx_tolower(one->data[i]) - ngx_tolower(two->data[i]);

        if (rc != 0) {
            return rc;
        }
    }

    return (ngx_int_t) one->len - (ngx_int_t) two->len;
}


static void
ngx_hyperdrive_pg_status_intern(ngx_hyperdrive_pg_status_t **status,
    u_char *data, size_t len)
{
    size_t                        i;
    uint64_t                      hash;
    ngx_hyperdrive_pg_status_t   *st, **chain;

    hash = 0xcbf29ce484222325ULL;

    for (i = 0; i < len; i++) {
        hash = (hash ^ data[i]) * 0x100000001b3ULL;
    }

    chain = &ngx_hyperdrive_pg_statuses[hash % NGX_HYPERDRIVE_PG_STATUSES];

    for (st = *chain; st; st = st->next) {

        if (st->hash == hash && st->len == len
            && ngx_memcmp(st->data, data, len) == 0)
        {
            ngx_hyperdrive_pg_status_copy(status, st);
            return;
        }
    }

    st = malloc(sizeof(ngx_hyperdrive_pg_status_t) + len);

    if (st) {
        st->next = *chain;
        st->hash = hash;
        st->refs = 0;
        st->len = len;
        ngx_memcpy(st->data, data, len);

        *chain = st;
    }

    ngx_hyperdrive_pg_status_copy(status, st);
}


void
ngx_hyperdrive_pg_status_copy(ngx_hyperdrive_pg_status_t **to,
    ngx_hyperdrive_pg_status_t *from)
{
    ngx_hyperdrive_pg_status_t  *old, **p;

    old = *to;

    if (from) {
        from->refs++;
    }

    *to = from;

    if (old == NULL || --old->refs) {
        return;
    }

    p = &ngx_hyperdrive_pg_statuses[old->hash % NGX_HYPERDRIVE_PG_STATUSES];

    while (*p != old) {
        p = &(*p)->next;
    }

    *p = old->next;

    free(old);
}


ngx_uint_t
ngx_hyperdrive_pg_status_utf8(ngx_hyperdrive_pg_status_t *status)
{
    u_char     *p, *last;
    ngx_str_t   name, message, value;

    if (status == NULL) {
        return 1;
    }

    p = status->data;
    last = p + status->len;

    while (p < last) {
        p = ngx_hyperdrive_pg_status_next(p, last, &name, &message);

        if (name.len == sizeof("client_encoding") - 1
            && ngx_memcmp(name.data, "client_encoding", name.len) == 0)
        {
            return ngx_hyperdrive_base_read_cstr(name.data + name.len + 1, p,
                                                 &value)
                   && value.len == 4 && ngx_memcmp(value.data, "UTF8", 4) == 0;
        }
    }

    return 1;
}


void
ngx_hyperdrive_pg_status_diff(ngx_hyperdrive_pg_status_t *told,
    ngx_hyperdrive_pg_status_t *now, ngx_hyperdrive_chain_t *out)
{
    u_char     *p, *q, *plast, *qlast;
    ngx_int_t   rc;
    ngx_str_t   name, other, message, old;

    p = now->data;
    plast = p + now->len;
    q = told->data;
    qlast = q + told->len;

    while (p < plast) {
        p = ngx_hyperdrive_pg_status_next(p, plast, &name, &message);

        for (rc = -1; q < qlast && rc < 0; /* void */ ) {
            (void) ngx_hyperdrive_pg_status_next(q, qlast, &other, &old);

            rc = ngx_hyperdrive_pg_status_cmp(&other, &name);

            if (rc <= 0) {
                q += old.len;
            }
        }

        if (rc != 0 || old.len != message.len
            || ngx_memcmp(old.data, message.data, old.len) != 0)
        {
            ngx_hyperdrive_base_chain_append(out, message.data, message.len);
        }
    }
}


void
ngx_hyperdrive_pg_status_told(void *data, ngx_str_t *greeting)
{
    ngx_hyperdrive_pg_client_t *client = data;

    ngx_hyperdrive_pg_status_read(&client->told, greeting->data,
                                  greeting->len);
}


void
ngx_hyperdrive_pg_status_hold(void *data, ngx_uint_t hold)
{
    ngx_hyperdrive_pg_client_t *client = data;

    if (hold == NGX_HYPERDRIVE_PROTO_BACK) {
        ngx_hyperdrive_pg_status_copy(&client->before, client->told);
        return;
    }

    if (hold == NGX_HYPERDRIVE_PROTO_MOVED) {
        client->moved = 1;
        return;
    }

    client->untold = hold;
}


void
ngx_hyperdrive_pg_status_said(void *data, ngx_str_t *greeting)
{
    ngx_hyperdrive_pg_origin_t *origin = data;

    ngx_hyperdrive_pg_status_read(&origin->reported, greeting->data,
                                  greeting->len);
}


void
ngx_hyperdrive_pg_status_greeting(void *data, ngx_str_t *greeting)
{
    ngx_hyperdrive_pg_origin_t *origin = data;

    if (origin->reported) {
        greeting->data = origin->reported->data;
        greeting->len = origin->reported->len;

    } else {
        ngx_str_null(greeting);
    }
}


ngx_int_t
ngx_hyperdrive_pg_status_take(ngx_hyperdrive_pg_client_t *c,
    ngx_hyperdrive_pg_origin_t *o, u_char *p, size_t len,
    ngx_hyperdrive_chain_t *out)
{
    if (o->reported == NULL) {
        return NGX_DECLINED;
    }

    ngx_hyperdrive_pg_status_report(&o->reported, p, len);

    if (c == NULL || c->told == NULL) {
        return NGX_DECLINED;
    }

    /* the client is told with the end of the unit, if there is one */

    if (o->ledger.n == 0) {
        ngx_hyperdrive_pg_status_tell(c, o, out);
    }

    return NGX_OK;
}


void
ngx_hyperdrive_pg_status_tell(ngx_hyperdrive_pg_client_t *c,
    ngx_hyperdrive_pg_origin_t *o, ngx_hyperdrive_chain_t *out)
{
    ngx_str_t                    now;
    ngx_hyperdrive_pg_status_t  *status;

    status = o->reported;

    if (c->before && (o->status == 'I' ? o->undone : o->status == 'E')) {
        /* the transaction is over, or will be: nothing of it is left */
        status = c->before;
    }

    if (c->told && status && status != c->told && !c->untold && out) {
        ngx_hyperdrive_pg_status_diff(c->told, status, out);
        ngx_hyperdrive_pg_status_copy(&c->told, status);
    }

    if (o->status == 'I') {
        ngx_hyperdrive_pg_status_copy(&c->before, NULL);
    }

    if (c->told == NULL) {
        return;
    }

    /* how the database reads what comes next */

    now.data = c->told->data;
    now.len = c->told->len;

    c->mode = ngx_hyperdrive_pg_login_mode(&now);
}
