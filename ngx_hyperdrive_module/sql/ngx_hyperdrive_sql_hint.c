
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "sql/ngx_hyperdrive_sql_hint.h"


static u_char *ngx_hyperdrive_sql_hint_comment(u_char *p, u_char *last,
    ngx_uint_t nested);
static void ngx_hyperdrive_sql_hint_items(u_char *p, u_char *last,
    ngx_hyperdrive_sql_hint_t *hint);
static ngx_int_t ngx_hyperdrive_sql_hint_time(u_char *p, u_char *last,
    uint64_t *msec);


#define ngx_hyperdrive_sql_hint_blank(c)                                      \
    ((c) == ' ' || ((c) >= '\t' && (c) <= '\r'))

#define ngx_hyperdrive_sql_hint_is(p, last, word)                             \
    ((size_t) ((last) - (p)) >= sizeof(word) - 1                              \
     && ngx_strncasecmp(p, (u_char *) word, sizeof(word) - 1) == 0)


void
ngx_hyperdrive_sql_hint(ngx_str_t *text, ngx_hyperdrive_sql_mode_t *mode,
    ngx_hyperdrive_sql_hint_t *hint)
{
    u_char  *p, *last, *end;

    ngx_memzero(hint, sizeof(ngx_hyperdrive_sql_hint_t));

    p = text->data;
    last = p + text->len;

    for ( ;; ) {

        while (p < last && ngx_hyperdrive_sql_hint_blank(*p)) {
            p++;
        }

        if (last - p < 2) {
            return;
        }

        if ((p[0] == '-' && p[1] == '-') || (mode->mysql && p[0] == '#')) {

            while (p < last && *p != '\n' && (*p != '\r' || mode->mysql)) {
                p++;
            }

            continue;
        }

        if (p[0] != '/' || p[1] != '*') {
            return;
        }

        end = ngx_hyperdrive_sql_hint_comment(p, last, !mode->mysql);

        if (end == NULL) {
            /* it has no end: the database says so */
            return;
        }

        ngx_hyperdrive_sql_hint_items(p + 2, end - 2, hint);

        p = end;
    }
}


/* behind the comment */

static u_char *
ngx_hyperdrive_sql_hint_comment(u_char *p, u_char *last, ngx_uint_t nested)
{
    ngx_uint_t  depth;

    depth = 0;

    while (last - p >= 2) {

        if (p[0] == '/' && p[1] == '*' && (nested || depth == 0)) {
            depth++;
            p += 2;

        } else if (p[0] == '*' && p[1] == '/') {
            p += 2;

            if (--depth == 0) {
                return p;
            }

        } else {
            p++;
        }
    }

    return NULL;
}


static void
ngx_hyperdrive_sql_hint_items(u_char *p, u_char *last,
    ngx_hyperdrive_sql_hint_t *hint)
{
    u_char    *end;
    uint64_t   msec;

    while (p < last && ngx_hyperdrive_sql_hint_blank(*p)) {
        p++;
    }

    if (!ngx_hyperdrive_sql_hint_is(p, last, "hyperdrive:")) {
        return;
    }

    p += sizeof("hyperdrive:") - 1;

    while (p < last) {

        if (ngx_hyperdrive_sql_hint_blank(*p) || *p == ',') {
            p++;
            continue;
        }

        for (end = p;
             end < last && !ngx_hyperdrive_sql_hint_blank(*end)
             && *end != ',';
             end++)
        {
            /* void */
        }

        if (end - p == sizeof("no-cache") - 1
            && ngx_hyperdrive_sql_hint_is(p, end, "no-cache"))
        {
            hint->no_cache = 1;

        } else if (ngx_hyperdrive_sql_hint_is(p, end, "max_age=")
                   && ngx_hyperdrive_sql_hint_time(p + sizeof("max_age=") - 1,
                                                   end, &msec)
                      == NGX_OK)
        {
            if (msec == 0) {
                hint->no_cache = 1;

            } else {
                hint->aged = 1;
                hint->max_age = msec;
            }
        }

        p = end;
    }
}


static ngx_int_t
ngx_hyperdrive_sql_hint_time(u_char *p, u_char *last, uint64_t *msec)
{
    uint64_t  n, unit;

    if (p == last || *p < '0' || *p > '9') {
        return NGX_DECLINED;
    }

    for (n = 0; p < last && *p >= '0' && *p <= '9'; p++) {
        n = ngx_min(n * 10 + (*p - '0'), NGX_HYPERDRIVE_SQL_HINT_MAX);
    }

    unit = 1000;

    if (last - p == 2 && ngx_hyperdrive_sql_hint_is(p, last, "ms")) {
        unit = 1;

    } else if (last - p == 1) {

        switch (*p) {

        case 's':
            break;

        case 'm':
            unit = 60 * 1000;
            break;

        case 'h':
            unit = 3600 * 1000;
            break;

        case 'd':
            unit = 24 * 3600 * 1000;
            break;

        default:
            return NGX_DECLINED;
        }

    } else if (p != last) {
        return NGX_DECLINED;
    }

    *msec = ngx_min(n * unit, NGX_HYPERDRIVE_SQL_HINT_MAX);

    return NGX_OK;
}
