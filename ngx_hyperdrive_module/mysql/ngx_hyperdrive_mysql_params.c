
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "mysql/ngx_hyperdrive_mysql_wire.h"


/*
 * The values of COM_STMT_EXECUTE, as texts: which of them are NULL, a byte
 * that says that their types follow, the types, the values.
 */


/* a number, a date or a time as a text */
#define NGX_HYPERDRIVE_MYSQL_PARAMS_TEXT  40

/* of those that are asked for at a time */
#define NGX_HYPERDRIVE_MYSQL_PARAMS_MAX   256

#define NGX_HYPERDRIVE_MYSQL_UNSIGNED     0x80


/* all others are strings, with their lengths */

typedef enum {
    NGX_HYPERDRIVE_MYSQL_TYPE_TINY = 1,
    NGX_HYPERDRIVE_MYSQL_TYPE_SHORT,
    NGX_HYPERDRIVE_MYSQL_TYPE_LONG,
    NGX_HYPERDRIVE_MYSQL_TYPE_FLOAT,
    NGX_HYPERDRIVE_MYSQL_TYPE_DOUBLE,
    NGX_HYPERDRIVE_MYSQL_TYPE_NULL,
    NGX_HYPERDRIVE_MYSQL_TYPE_TIMESTAMP,
    NGX_HYPERDRIVE_MYSQL_TYPE_LONGLONG,
    NGX_HYPERDRIVE_MYSQL_TYPE_INT24,
    NGX_HYPERDRIVE_MYSQL_TYPE_DATE,
    NGX_HYPERDRIVE_MYSQL_TYPE_TIME,
    NGX_HYPERDRIVE_MYSQL_TYPE_DATETIME,
    NGX_HYPERDRIVE_MYSQL_TYPE_YEAR
} ngx_hyperdrive_mysql_type_e;


static u_char *ngx_hyperdrive_mysql_params_value(ngx_uint_t type, u_char *p,
    u_char *end, u_char *buf, ngx_str_t *value);
static u_char *ngx_hyperdrive_mysql_params_integer(ngx_uint_t type, size_t len,
    u_char *p, u_char *end, u_char *buf, ngx_str_t *value);
static u_char *ngx_hyperdrive_mysql_params_real(size_t len, u_char *p,
    u_char *end, u_char *buf, ngx_str_t *value);
static u_char *ngx_hyperdrive_mysql_params_date(ngx_uint_t type, u_char *p,
    u_char *end, u_char *buf, ngx_str_t *value);
static u_char *ngx_hyperdrive_mysql_params_time(u_char *p, u_char *end,
    u_char *buf, ngx_str_t *value);


ngx_uint_t
ngx_hyperdrive_mysql_params(ngx_str_t *bind, ngx_uint_t n, ngx_str_t *values,
    ngx_uint_t max)
{
    u_char      *p, *nulls, *types, *end;
    size_t       head;
    ngx_uint_t   i, type;

    static u_char  texts[NGX_HYPERDRIVE_MYSQL_PARAMS_MAX]
                        [NGX_HYPERDRIVE_MYSQL_PARAMS_TEXT];

    head = (n + 7) / 8 + 1;
    max = ngx_min(max, NGX_HYPERDRIVE_MYSQL_PARAMS_MAX);

    if (bind->len < head + 2 * n || bind->data[head - 1] == 0) {
        return 0;
    }

    nulls = bind->data;
    types = bind->data + head;
    p = types + 2 * n;
    end = bind->data + bind->len;

    for (i = 0; i < n && i < max; i++) {

        type = types[2 * i]
               | (types[2 * i + 1] & NGX_HYPERDRIVE_MYSQL_UNSIGNED) << 8;

        if ((nulls[i / 8] & (1 << i % 8))
            || type == NGX_HYPERDRIVE_MYSQL_TYPE_NULL)
        {
            ngx_str_null(&values[i]);
            continue;
        }

        p = ngx_hyperdrive_mysql_params_value(type, p, end, texts[i],
                                              &values[i]);
        if (p == NULL) {

            /* the database says what is wrong with it */

            return 0;
        }
    }

    return i;
}


u_char *
ngx_hyperdrive_mysql_params_skip(u_char *type, u_char *p, u_char *end)
{
    u_char      buf[NGX_HYPERDRIVE_MYSQL_PARAMS_TEXT];
    ngx_str_t   value;

    if (type[0] == NGX_HYPERDRIVE_MYSQL_TYPE_NULL) {
        return p;
    }

    return ngx_hyperdrive_mysql_params_value(type[0], p, end, buf, &value);
}


/* <type> has the flag in its upper byte; NULL: malformed */

static u_char *
ngx_hyperdrive_mysql_params_value(ngx_uint_t type, u_char *p, u_char *end,
    u_char *buf, ngx_str_t *value)
{
    switch (type & 0xff) {

    case NGX_HYPERDRIVE_MYSQL_TYPE_TINY:
        return ngx_hyperdrive_mysql_params_integer(type, 1, p, end, buf,
                                                   value);

    case NGX_HYPERDRIVE_MYSQL_TYPE_SHORT:
    case NGX_HYPERDRIVE_MYSQL_TYPE_YEAR:
        return ngx_hyperdrive_mysql_params_integer(type, 2, p, end, buf,
                                                   value);

    case NGX_HYPERDRIVE_MYSQL_TYPE_LONG:
    case NGX_HYPERDRIVE_MYSQL_TYPE_INT24:
        return ngx_hyperdrive_mysql_params_integer(type, 4, p, end, buf,
                                                   value);

    case NGX_HYPERDRIVE_MYSQL_TYPE_LONGLONG:
        return ngx_hyperdrive_mysql_params_integer(type, 8, p, end, buf,
                                                   value);

    case NGX_HYPERDRIVE_MYSQL_TYPE_FLOAT:
        return ngx_hyperdrive_mysql_params_real(4, p, end, buf, value);

    case NGX_HYPERDRIVE_MYSQL_TYPE_DOUBLE:
        return ngx_hyperdrive_mysql_params_real(8, p, end, buf, value);

    case NGX_HYPERDRIVE_MYSQL_TYPE_DATE:
    case NGX_HYPERDRIVE_MYSQL_TYPE_DATETIME:
    case NGX_HYPERDRIVE_MYSQL_TYPE_TIMESTAMP:
        return ngx_hyperdrive_mysql_params_date(type, p, end, buf, value);

    case NGX_HYPERDRIVE_MYSQL_TYPE_TIME:
        return ngx_hyperdrive_mysql_params_time(p, end, buf, value);

    default:
        return ngx_hyperdrive_mysql_read_lstr(p, end, value);
    }
}


static u_char *
ngx_hyperdrive_mysql_params_integer(ngx_uint_t type, size_t len, u_char *p,
    u_char *end, u_char *buf, ngx_str_t *value)
{
    size_t    i;
    int64_t   number;
    uint64_t  bits;

    if ((size_t) (end - p) < len) {
        return NULL;
    }

    bits = 0;

    for (i = 0; i < len; i++) {
        bits |= (uint64_t) p[i] << (8 * i);
    }

    value->data = buf;

    if (type & (NGX_HYPERDRIVE_MYSQL_UNSIGNED << 8)) {
        value->len = ngx_sprintf(buf, "%uL", bits) - buf;

    } else {

        /* the sign is in the highest of its bits */

        bits <<= 64 - 8 * len;
        ngx_memcpy(&number, &bits, sizeof(int64_t));
        number >>= 64 - 8 * len;

        value->len = ngx_sprintf(buf, "%L", number) - buf;
    }

    return p + len;
}


/* in as few digits as say all of it */

static u_char *
ngx_hyperdrive_mysql_params_real(size_t len, u_char *p, u_char *end,
    u_char *buf, ngx_str_t *value)
{
    int      n, digits;
    float    single;
    double   number;

    if ((size_t) (end - p) < len) {
        return NULL;
    }

    if (len == sizeof(float)) {
        ngx_memcpy(&single, p, sizeof(float));
        number = single;
        digits = 6;

    } else {
        ngx_memcpy(&number, p, sizeof(double));
        digits = 15;
    }

    for ( ;; ) {
        n = snprintf((char *) buf, NGX_HYPERDRIVE_MYSQL_PARAMS_TEXT, "%.*g",
                     digits, number);

        if (len == sizeof(float)
            ? (digits == 9 || strtof((char *) buf, NULL) == (float) number)
            : (digits == 17 || strtod((char *) buf, NULL) == number))
        {
            break;
        }

        digits++;
    }

    value->data = buf;
    value->len = n;

    return p + len;
}


/* a length, then as much of it as is not zero */

static u_char *
ngx_hyperdrive_mysql_params_date(ngx_uint_t type, u_char *p, u_char *end,
    u_char *buf, ngx_str_t *value)
{
    u_char      *q, *last;
    size_t       len;
    uint32_t     micro;
    ngx_uint_t   v[6];

    if (p == end || (size_t) (end - p) < (size_t) p[0] + 1) {
        return NULL;
    }

    len = *p++;
    last = p + len;

    if (len != 0 && len != 4 && len != 7 && len != 11) {
        return NULL;
    }

    ngx_memzero(v, sizeof(v));
    micro = 0;

    if (len) {
        v[0] = p[0] | p[1] << 8;
        v[1] = p[2];
        v[2] = p[3];
    }

    if (len > 4) {
        v[3] = p[4];
        v[4] = p[5];
        v[5] = p[6];
    }

    if (len > 7) {
        (void) ngx_hyperdrive_mysql_read_u32(p + 7, last, &micro);
    }

    q = ngx_sprintf(buf, "%04ui-%02ui-%02ui", v[0], v[1], v[2]);

    if ((type & 0xff) != NGX_HYPERDRIVE_MYSQL_TYPE_DATE || len > 4) {
        q = ngx_sprintf(q, " %02ui:%02ui:%02ui", v[3], v[4], v[5]);
    }

    if (micro) {
        q = ngx_sprintf(q, ".%06uD", micro);
    }

    value->data = buf;
    value->len = q - buf;

    return last;
}


static u_char *
ngx_hyperdrive_mysql_params_time(u_char *p, u_char *end, u_char *buf,
    ngx_str_t *value)
{
    u_char    *q, *last, sign;
    size_t     len;
    uint32_t   days, micro;
    uint64_t   hours;
    ngx_uint_t  minutes, seconds;

    if (p == end || (size_t) (end - p) < (size_t) p[0] + 1) {
        return NULL;
    }

    len = *p++;
    last = p + len;

    if (len != 0 && len != 8 && len != 12) {
        return NULL;
    }

    sign = 0;
    days = 0;
    hours = 0;
    minutes = 0;
    seconds = 0;
    micro = 0;

    if (len) {
        sign = p[0];
        (void) ngx_hyperdrive_mysql_read_u32(p + 1, last, &days);
        hours = (uint64_t) days * 24 + p[5];
        minutes = p[6];
        seconds = p[7];
    }

    if (len > 8) {
        (void) ngx_hyperdrive_mysql_read_u32(p + 8, last, &micro);
    }

    q = buf;

    if (sign) {
        *q++ = '-';
    }

    q = ngx_sprintf(q, "%02uL:%02ui:%02ui", hours, minutes, seconds);

    if (micro) {
        q = ngx_sprintf(q, ".%06uD", micro);
    }

    value->data = buf;
    value->len = q - buf;

    return last;
}
