/* sources: mysql/ state/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/* A users file, with secrets as PostgreSQL and MySQL have them. */


#include "base/ngx_hyperdrive_base_users.h"
#include "mysql/ngx_hyperdrive_mysql_auth.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char        *err;
    u_char      *text, *pos, *before;
    ngx_int_t    rc;
    ngx_str_t    user, secret;
    ngx_uint_t   line, lines, i, kind;

    text = malloc(size ? size : 1);

    lines = 1;

    for (i = 0; i < size; i++) {
        text[i] = data[i];
        lines += (data[i] == LF);
    }

    pos = text;
    line = 1;
    err = NULL;

    for ( ;; ) {
        before = pos;

        rc = ngx_hyperdrive_base_users_next(&pos, text + size, &line, &user,
                                            &secret, &err);

        if (line > lines || pos < before || pos > text + size) {
            abort();
        }

        if (rc != NGX_OK) {
            break;
        }

        /* both are in the text, and the text moves on */

        if (pos == before
            || user.len == 0 || user.data < before
            || user.data + user.len > pos
            || secret.data < user.data + user.len
            || secret.data + secret.len > pos)
        {
            abort();
        }

        kind = ngx_hyperdrive_mysql_verifier_kind(&secret);

        if (kind > NGX_HYPERDRIVE_MYSQL_KIND_SHA2
            || (kind == NGX_HYPERDRIVE_MYSQL_KIND_NATIVE && secret.len != 41))
        {
            abort();
        }
    }

    if (rc == NGX_ERROR ? err == NULL : (rc != NGX_DONE || pos != text + size))
    {
        abort();
    }

    free(text);

    return 0;
}
