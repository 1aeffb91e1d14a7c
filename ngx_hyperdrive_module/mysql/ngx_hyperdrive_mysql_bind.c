
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "mysql/ngx_hyperdrive_mysql_wire.h"


/*
 * What stands ahead of a text, or of a statement's values: which of them are
 * NULL, a byte that says that their types follow, the types.  With MySQL's
 * query attributes there are more values than parameters, their number comes
 * first, and each type has a name behind it.  Either end may have them.
 */


static ngx_int_t ngx_hyperdrive_mysql_bind_short(size_t avail, size_t len);
static u_char *ngx_hyperdrive_mysql_bind_values(u_char *nulls, u_char *types,
    ngx_uint_t named, ngx_uint_t n, u_char *p, u_char *last);
static ngx_int_t ngx_hyperdrive_mysql_bind_keep(
    ngx_hyperdrive_mysql_bind_t *bind, ngx_hyperdrive_mysql_name_t *name,
    u_char *types, size_t len);
static u_char *ngx_hyperdrive_mysql_bind_nulls(
    ngx_hyperdrive_mysql_bind_t *bind, ngx_hyperdrive_mysql_name_t *name,
    u_char *p);


/* values as they are compared; used within one turn only */
static u_char  ngx_hyperdrive_mysql_bind_buf[NGX_HYPERDRIVE_MAX_UNIT * 4];


/* there is less than it says: there has to be more of it, or it is malformed */

static ngx_int_t
ngx_hyperdrive_mysql_bind_short(size_t avail, size_t len)
{
    return (avail < len && avail < NGX_HYPERDRIVE_MAX_TEXT) ? NGX_AGAIN
                                                            : NGX_DECLINED;
}


ngx_int_t
ngx_hyperdrive_mysql_bind_text(uint64_t caps, u_char *payload, size_t avail,
    size_t len, size_t *head)
{
    u_char      *p, *last, *nulls, *types;
    uint64_t     n, sets;
    ngx_str_t    name;
    ngx_uint_t   i, bound;

    *head = 1;

    if (!(caps & NGX_HYPERDRIVE_MYSQL_QUERY_ATTRIBUTES)) {
        return NGX_OK;
    }

    last = payload + avail;

    p = ngx_hyperdrive_mysql_read_lenc(payload + 1, last, &n);
    p = ngx_hyperdrive_mysql_read_lenc(p, last, &sets);

    if (p && n) {

        if (n > NGX_HYPERDRIVE_MYSQL_BIND_MAX) {
            return NGX_DECLINED;
        }

        nulls = p;
        p = ((size_t) (last - p) < (n + 7) / 8) ? NULL : p + (n + 7) / 8;
        p = ngx_hyperdrive_base_read_u8(p, last, &bound);

        if (p && !bound) {
            return NGX_DECLINED;
        }

        types = p;

        for (i = 0; p && i < n; i++) {
            p = (last - p < 2) ? NULL : p + 2;
            p = ngx_hyperdrive_mysql_read_lstr(p, last, &name);
        }

        if (p) {
            p = ngx_hyperdrive_mysql_bind_values(nulls, types, 1, n, p, last);
        }
    }

    if (p == NULL) {
        return ngx_hyperdrive_mysql_bind_short(avail, len);
    }

    *head = p - payload;

    return NGX_OK;
}


/* the position behind <n> of them, or NULL; the types are known to be there */

static u_char *
ngx_hyperdrive_mysql_bind_values(u_char *nulls, u_char *types,
    ngx_uint_t named, ngx_uint_t n, u_char *p, u_char *last)
{
    u_char      *type;
    ngx_str_t    name;
    ngx_uint_t   i;

    for (i = 0; p && i < n; i++) {
        type = types;
        types += 2;

        if (named) {
            /* (they end where the values begin, or before) */
            types = ngx_hyperdrive_mysql_read_lstr(types, last, &name);
        }

        if (!(nulls[i / 8] & (1 << i % 8))) {
            p = ngx_hyperdrive_mysql_params_skip(type, p, last);
        }
    }

    return p;
}


ngx_int_t
ngx_hyperdrive_mysql_bind_read(ngx_hyperdrive_mysql_bind_t *bind,
    uint64_t caps, ngx_hyperdrive_mysql_name_t *name, u_char *payload,
    size_t avail, size_t len)
{
    u_char      *p, *last, *types;
    uint64_t     n;
    ngx_str_t    s;
    ngx_uint_t   i;

    ngx_memzero(bind, sizeof(ngx_hyperdrive_mysql_bind_t));

    bind->bulk = (payload[0] == NGX_HYPERDRIVE_MYSQL_COM_STMT_BULK_EXECUTE);
    bind->named = (!bind->bulk
                   && (caps & NGX_HYPERDRIVE_MYSQL_QUERY_ATTRIBUTES));
    bind->at = bind->bulk ? NGX_HYPERDRIVE_MYSQL_BULK
                          : NGX_HYPERDRIVE_MYSQL_EXECUTE;
    bind->head = bind->at;
    bind->n = name->nparams;

    if (avail < bind->at) {
        return ngx_hyperdrive_mysql_bind_short(avail, len);
    }

    if (name->nparams == 0
        && !(bind->named && (payload[NGX_HYPERDRIVE_MYSQL_FLAGS]
                             & NGX_HYPERDRIVE_MYSQL_COUNT_AVAILABLE)))
    {
        bind->bound = 1;
        return NGX_OK;
    }

    p = payload + bind->at;
    last = payload + avail;

    if (bind->named) {
        p = ngx_hyperdrive_mysql_read_lenc(p, last, &n);

        if (p == NULL) {
            return ngx_hyperdrive_mysql_bind_short(avail, len);
        }

        if (n < name->nparams || n > NGX_HYPERDRIVE_MYSQL_BIND_MAX) {
            return NGX_DECLINED;
        }

        bind->n = (ngx_uint_t) n;
        bind->head = p - payload;

        if (n == 0) {
            bind->bound = 1;
            return NGX_OK;
        }
    }

    if (bind->bulk) {
        bind->bound = ((payload[NGX_HYPERDRIVE_MYSQL_FLAGS]
                        & NGX_HYPERDRIVE_MYSQL_BULK_TYPES)
                       != 0);

    } else {
        if ((size_t) (last - p) < (bind->n + 7) / 8 + 1) {
            return ngx_hyperdrive_mysql_bind_short(avail, len);
        }

        bind->nulls = p;
        p += (bind->n + 7) / 8;
        bind->bound = (*p++ != 0);
    }

    bind->head = p - payload;

    if (!bind->bound) {
        return ((name->nparams == 0 || name->types)
                && (bind->n == name->nparams || bind->n == name->nnamed))
               ? NGX_OK : NGX_DECLINED;
    }

    types = p;

    for (i = 0; i < bind->n; i++) {
        p = (last - p < 2) ? NULL : p + 2;

        if (p && bind->named) {
            p = ngx_hyperdrive_mysql_read_lstr(p, last, &s);
        }

        if (p == NULL) {
            return ngx_hyperdrive_mysql_bind_short(avail, len);
        }
    }

    bind->head = p - payload;

    return ngx_hyperdrive_mysql_bind_keep(bind, name, types, p - types);
}


/* they are not sent again, but may have to be, to another connection */

static ngx_int_t
ngx_hyperdrive_mysql_bind_keep(ngx_hyperdrive_mysql_bind_t *bind,
    ngx_hyperdrive_mysql_name_t *name, u_char *types, size_t len)
{
    u_char      *p, *last;
    ngx_str_t    s;
    ngx_uint_t   i;

    last = types + len;
    p = NULL;

    if (bind->named) {
        p = malloc(len);
        if (p == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(p, types, len);
    }

    /* all that was bound before is replaced, by a bulk execution too */

    free(name->named.data);

    name->named.data = p;
    name->named.len = p ? len : 0;
    name->nnamed = p ? bind->n : 0;

    if (name->nparams == 0) {
        return NGX_OK;
    }

    if (name->types == NULL) {
        name->types = malloc(2 * name->nparams);

        if (name->types == NULL) {
            return NGX_ERROR;
        }
    }

    if (!bind->named) {
        ngx_memcpy(name->types, types, 2 * name->nparams);
        return NGX_OK;
    }

    for (i = 0; i < name->nparams; i++) {
        ngx_memcpy(name->types + 2 * i, types, 2);
        types = ngx_hyperdrive_mysql_read_lstr(types + 2, last, &s);
    }

    return NGX_OK;
}


/* of the parameters alone */

static u_char *
ngx_hyperdrive_mysql_bind_nulls(ngx_hyperdrive_mysql_bind_t *bind,
    ngx_hyperdrive_mysql_name_t *name, u_char *p)
{
    p = ngx_cpymem(p, bind->nulls, (name->nparams + 7) / 8);

    if (name->nparams % 8) {
        p[-1] &= (1 << name->nparams % 8) - 1;
    }

    return p;
}


ngx_int_t
ngx_hyperdrive_mysql_bind_args(ngx_hyperdrive_mysql_bind_t *bind,
    ngx_hyperdrive_mysql_name_t *name, u_char *payload, size_t len,
    ngx_str_t *args)
{
    u_char  *p, *values, *end;
    size_t   size;

    ngx_str_set(args, "");

    if (name->nparams == 0) {
        return NGX_OK;
    }

    if (bind->bound && !bind->named) {
        args->data = payload + bind->at;
        args->len = len - bind->at;
        return NGX_OK;
    }

    values = payload + bind->head;
    end = payload + len;

    if (bind->n > name->nparams) {
        end = ngx_hyperdrive_mysql_bind_values(bind->nulls, name->types, 0,
                                               name->nparams, values, end);
        if (end == NULL) {
            return NGX_DECLINED;
        }
    }

    size = (name->nparams + 7) / 8 + 1 + 2 * name->nparams + (end - values);

    if (size > sizeof(ngx_hyperdrive_mysql_bind_buf)) {
        return NGX_DECLINED;
    }

    p = ngx_hyperdrive_mysql_bind_nulls(bind, name,
                                        ngx_hyperdrive_mysql_bind_buf);
    *p++ = 1;
    p = ngx_cpymem(p, name->types, 2 * name->nparams);
    ngx_memcpy(p, values, end - values);

    args->data = ngx_hyperdrive_mysql_bind_buf;
    args->len = size;

    return NGX_OK;
}


size_t
ngx_hyperdrive_mysql_bind_size(ngx_hyperdrive_mysql_bind_t *bind,
    ngx_hyperdrive_mysql_name_t *name)
{
    return bind->head + 9 + 3 * name->nparams + name->named.len;
}


u_char *
ngx_hyperdrive_mysql_bind_put(ngx_hyperdrive_mysql_bind_t *bind,
    ngx_hyperdrive_mysql_name_t *name, uint64_t caps, u_char *payload,
    u_char *p)
{
    u_char      *start;
    ngx_uint_t   i, named;

    start = p;

    named = !bind->bulk && (caps & NGX_HYPERDRIVE_MYSQL_QUERY_ATTRIBUTES);

    if (named == bind->named) {

        p = ngx_cpymem(p, payload, bind->head);

        if (bind->bound) {
            return p;
        }

        if (bind->bulk) {
            start[NGX_HYPERDRIVE_MYSQL_FLAGS]
                                            |= NGX_HYPERDRIVE_MYSQL_BULK_TYPES;
        } else {
            p[-1] = 1;
        }

        if (!named) {
            return ngx_cpymem(p, name->types, 2 * name->nparams);
        }

        if (bind->n == name->nnamed) {
            return ngx_cpymem(p, name->named.data, name->named.len);
        }

    } else {

        /* the values of attributes stay behind those that are wanted */

        p = ngx_cpymem(p, payload, bind->at);
        start[NGX_HYPERDRIVE_MYSQL_FLAGS]
                                       &= ~NGX_HYPERDRIVE_MYSQL_COUNT_AVAILABLE;

        if (name->nparams == 0) {
            return p;
        }

        if (named) {
            p = ngx_hyperdrive_mysql_put_lenc(p, name->nparams);
        }

        p = ngx_hyperdrive_mysql_bind_nulls(bind, name, p);
        *p++ = 1;

        if (!named) {
            return ngx_cpymem(p, name->types, 2 * name->nparams);
        }
    }

    /* without names */

    for (i = 0; i < name->nparams; i++) {
        p = ngx_cpymem(p, name->types + 2 * i, 2);
        *p++ = 0;
    }

    return p;
}
