
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "pg/ngx_hyperdrive_pg.h"


/*
 * Clients whose driver prepares by protocol may deallocate by SQL (PDO and
 * psycopg do).  The names are theirs, the origin has others: so the statement
 * is read here and answered, or rewritten.
 */


static u_char *ngx_hyperdrive_pg_deallocate_blank(u_char *p, u_char *last);
static u_char *ngx_hyperdrive_pg_deallocate_word(u_char *p, u_char *last,
    u_char *buf, ngx_str_t *word, ngx_uint_t *quoted);


ngx_int_t
ngx_hyperdrive_pg_deallocate(u_char *text, size_t len, u_char *buf,
    ngx_str_t *name)
{
    u_char      *p, *last;
    ngx_uint_t   quoted;

    p = text;
    last = text + len;

    p = ngx_hyperdrive_pg_deallocate_word(p, last, buf, name, &quoted);

    if (p == NULL || quoted || name->len != sizeof("deallocate") - 1
        || ngx_memcmp(name->data, "deallocate", name->len) != 0)
    {
        return NGX_DECLINED;
    }

    p = ngx_hyperdrive_pg_deallocate_word(p, last, buf, name, &quoted);

    if (p && !quoted && name->len == sizeof("prepare") - 1
        && ngx_memcmp(name->data, "prepare", name->len) == 0
        && ngx_hyperdrive_pg_deallocate_blank(p, last) != last
        && *ngx_hyperdrive_pg_deallocate_blank(p, last) != ';')
    {
        p = ngx_hyperdrive_pg_deallocate_word(p, last, buf, name, &quoted);
    }

    if (p == NULL || name->len == 0) {
        return NGX_DECLINED;
    }

    if (!quoted && name->len == 3 && ngx_memcmp(name->data, "all", 3) == 0) {
        name->len = 0;
    }

    p = ngx_hyperdrive_pg_deallocate_blank(p, last);

    if (p != last && *p == ';') {
        p = ngx_hyperdrive_pg_deallocate_blank(p + 1, last);
    }

    return (p == last) ? NGX_OK : NGX_DECLINED;
}


ngx_int_t
ngx_hyperdrive_pg_deallocate_name(u_char *text, size_t len, u_char *buf,
    ngx_str_t *name)
{
    ngx_uint_t  quoted;

    return ngx_hyperdrive_pg_deallocate_word(text, text + len, buf, name,
                                             &quoted)
           == text + len ? NGX_OK : NGX_DECLINED;
}


ngx_uint_t
ngx_hyperdrive_pg_deallocate_is_all(u_char *text, size_t len)
{
    u_char      *p, *last;
    u_char       buf[NGX_HYPERDRIVE_MAX_NAME];
    ngx_str_t    word;
    ngx_uint_t   quoted;

    if (ngx_hyperdrive_pg_deallocate(text, len, buf, &word) == NGX_OK) {
        return word.len == 0;
    }

    last = text + len;

    p = ngx_hyperdrive_pg_deallocate_word(text, last, buf, &word, &quoted);

    if (p == NULL || word.len != sizeof("discard") - 1
        || ngx_memcmp(buf, "discard", word.len) != 0)
    {
        return 0;
    }

    p = ngx_hyperdrive_pg_deallocate_word(p, last, buf, &word, &quoted);

    return p && word.len == 3 && ngx_memcmp(buf, "all", 3) == 0;
}


static u_char *
ngx_hyperdrive_pg_deallocate_blank(u_char *p, u_char *last)
{
    while (p < last && (*p == ' ' || (*p >= '\t' && *p <= '\r'))) {
        p++;
    }

    return p;
}


/* an identifier, folded or quoted; NULL: something else, or too long */

static u_char *
ngx_hyperdrive_pg_deallocate_word(u_char *p, u_char *last, u_char *buf,
    ngx_str_t *word, ngx_uint_t *quoted)
{
    u_char  ch;

    p = ngx_hyperdrive_pg_deallocate_blank(p, last);

    word->data = buf;
    word->len = 0;

    *quoted = (p < last && *p == '"');

    if (*quoted) {

        for (p++; p < last; p++) {

            if (*p == '"') {
                p++;

                if (p == last || *p != '"') {
                    return p;
                }
            }

            if (word->len == NGX_HYPERDRIVE_MAX_NAME) {
                return NULL;
            }

            buf[word->len++] = *p;
        }

        return NULL;
    }

    for ( /* void */ ; p < last; p++) {
        ch = *p;

        if (!((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z')
              || ch == '_' || ch >= 0x80
              || (word->len && ((ch >= '0' && ch <= '9') || ch == '$'))))
        {
            break;
        }

        if (word->len == NGX_HYPERDRIVE_MAX_NAME) {
            return NULL;
        }

        buf[word->len++] = ngx_tolower(ch);
    }

    return word->len ? p : NULL;
}


void
ngx_hyperdrive_pg_deallocate_all(ngx_hyperdrive_pg_client_t *client)
{
    ngx_hyperdrive_state_names_clear(&client->names, client->ctx->registry);
    ngx_hyperdrive_state_names_clear(&client->sql, client->ctx->registry);

    ngx_hyperdrive_pg_portal_unlabel(client);
}
