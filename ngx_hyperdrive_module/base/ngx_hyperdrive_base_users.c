
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "ngx_hyperdrive_base_users.h"


/* as PgBouncer's; a SCRAM verifier with a long salt has room in it */
#define NGX_HYPERDRIVE_BASE_USERS_MAX_SECRET  2048


static u_char *ngx_hyperdrive_base_users_quoted(u_char *p, u_char *last,
    ngx_str_t *value, char **err);


ngx_int_t
ngx_hyperdrive_base_users_next(u_char **pos, u_char *last, ngx_uint_t *line,
    ngx_str_t *user, ngx_str_t *secret, char **err)
{
    u_char  *p;

    p = *pos;

    /* some editors begin a file with a byte order mark */

    if (*line == 1 && last - p >= 3
        && p[0] == 0xef && p[1] == 0xbb && p[2] == 0xbf)
    {
        p += 3;
    }

    /* to the first line with an entry */

    for ( /* void */ ; p < last; p++) {

        switch (*p) {

        case LF:
            (*line)++;
            continue;

        case CR:
        case ' ':
        case '\t':
            continue;

        case ';':
        case '#':
            p = memchr(p, LF, last - p);

            if (p == NULL) {
                *pos = last;
                return NGX_DONE;
            }

            (*line)++;
            continue;
        }

        break;
    }

    *pos = p;

    if (p == last) {
        return NGX_DONE;
    }

    if (*p != '"') {
        *err = "a user's name in double quotes is expected, "
               "write \"name\" \"secret\"";
        return NGX_ERROR;
    }

    p = ngx_hyperdrive_base_users_quoted(p, last, user, err);

    if (p == NULL) {
        return NGX_ERROR;
    }

    if (user->len == 0) {
        *err = "the user's name is empty";
        return NGX_ERROR;
    }

    if (user->len > NGX_HYPERDRIVE_MAX_NAME) {
        *err = "the user's name is longer than 1024 bytes";
        return NGX_ERROR;
    }

    while (p < last && (*p == ' ' || *p == '\t')) {
        p++;
    }

    if (p == last || *p != '"') {
        *err = "a secret in double quotes is expected behind the user's name, "
               "write \"name\" \"secret\"";
        return NGX_ERROR;
    }

    p = ngx_hyperdrive_base_users_quoted(p, last, secret, err);

    if (p == NULL) {
        return NGX_ERROR;
    }

    if (secret->len > NGX_HYPERDRIVE_BASE_USERS_MAX_SECRET) {
        *err = "the secret is longer than 2048 bytes";
        return NGX_ERROR;
    }

    /* further fields are not for us; the line feed is left to the next call */

    p = memchr(p, LF, last - p);

    *pos = p ? p : last;

    return NGX_OK;
}


/* from the opening quote to behind the closing one */

static u_char *
ngx_hyperdrive_base_users_quoted(u_char *p, u_char *last, ngx_str_t *value,
    char **err)
{
    u_char  *q;

    value->data = ++p;

    for (q = p; p < last; p++) {

        switch (*p) {

        case '"':
            p++;

            if (p == last || *p != '"') {
                value->len = q - value->data;
                return p;
            }

            break;

        case LF:
        case CR:
            *err = "a quote is not closed on its line; "
                   "a quote inside a name or a secret is written twice";
            return NULL;

        case '\0':
            *err = "a zero byte in a name or a secret";
            return NULL;
        }

        *q++ = *p;
    }

    *err = "a quote is not closed on its line; "
           "a quote inside a name or a secret is written twice";

    return NULL;
}
