
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "sql/ngx_hyperdrive_sql_catalog_data.h"


/* names in a search_path, and names in a text */


static ngx_uint_t ngx_hyperdrive_sql_catalog_find_letter(u_char ch);


/* names in a list, quoted or not; "$user" is the role */

void
ngx_hyperdrive_sql_catalog_find_path(ngx_hyperdrive_sql_catalog_path_t *w,
    ngx_str_t *path, ngx_str_t *role)
{
    u_char     *p, *last, *out, *end, ch;
    ngx_str_t  *name;

    w->n = 0;

    if (path == NULL) {
        return;
    }

    p = path->data;
    last = p + path->len;
    out = w->buf;
    end = out + sizeof(w->buf);

    while (p < last) {

        if (*p == ' ' || *p == ',' || *p == '\t' || *p == '\n') {
            p++;
            continue;
        }

        if (w->n == NGX_HYPERDRIVE_SQL_CATALOG_PATH
            || end - out < last - p)
        {
            /* too long: any schema */
            w->n = 0;
            return;
        }

        name = &w->names[w->n++];
        name->data = out;

        if (*p == '"') {
            p++;

            while (p < last) {

                if (*p == '"') {
                    p++;

                    if (p == last || *p != '"') {
                        break;
                    }
                }

                *out++ = *p++;
            }

        } else {

            while (p < last && *p != ',' && *p != ' ' && *p != '\t'
                   && *p != '\n')
            {
                ch = *p++;
                *out++ = ngx_tolower(ch);
            }
        }

        name->len = out - name->data;

        if (ngx_hyperdrive_sql_catalog_is(name, "$user")) {

            if (role == NULL) {
                w->n = 0;
                return;
            }

            *name = *role;
        }
    }

    if (w->n == 0) {

        /* an empty path: only what has a schema is found */

        ngx_str_set(&w->names[0], "pg_catalog");
        w->n = 1;
    }
}


/*
 * In whatever case it is written; <word>: 1: not inside a longer name; 2: and
 * it may be a call, with nothing but blanks or a comment before its "("
 */

ngx_uint_t
ngx_hyperdrive_sql_catalog_find(ngx_str_t *text, ngx_str_t *name,
    ngx_uint_t word)
{
    u_char  *p, *q, *last, *end, ch;
    size_t   i;

    if (name->len == 0) {
        return 1;
    }

    if (memchr(name->data, '"', name->len)) {
        /* it is doubled in the text */
        return 1;
    }

    if (text->len < name->len) {
        return 0;
    }

    ch = ngx_tolower(name->data[0]);
    end = text->data + text->len;
    last = end - name->len;

    for (p = text->data; p <= last; p++) {

        if (ngx_tolower(*p) != ch) {
            continue;
        }

        for (i = 1; i < name->len; i++) {
            if (ngx_tolower(p[i]) != ngx_tolower(name->data[i])) {
                break;
            }
        }

        if (i < name->len) {
            continue;
        }

        q = p + name->len;

        if (word
            && ((p > text->data
                 && ngx_hyperdrive_sql_catalog_find_letter(p[-1]))
                || (q < end && ngx_hyperdrive_sql_catalog_find_letter(*q))))
        {
            continue;
        }

        if (word < 2) {
            return 1;
        }

        while (q < end && (*q == '"' || *q <= ' ')) {
            q++;
        }

        if (q < end && (*q == '(' || *q == '/' || *q == '-')) {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_hyperdrive_sql_catalog_find_letter(u_char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z')
           || (ch >= '0' && ch <= '9') || ch == '_' || ch == '$'
           || (ch & 0x80);
}
