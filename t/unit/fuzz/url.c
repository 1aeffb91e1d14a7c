/* sources: base/ngx_hyperdrive_base_url.c */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/* A connection URL. */


#include "base/ngx_hyperdrive_base_url.h"


static void
check(ngx_str_t *s, u_char *buf, size_t size)
{
    if (s->len == 0) {
        return;
    }

    /* within <buf> with a NUL behind it, or a constant of ours */

    if (s->data < buf || s->data >= buf + size) {
        if (strcmp((char *) s->data, "sslmode") != 0
            && strcmp((char *) s->data, "require") != 0)
        {
            abort();
        }

        return;
    }

    if (s->data + s->len >= buf + size || s->data[s->len] != '\0'
        || memchr(s->data, '\0', s->len))
    {
        abort();
    }
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char                       *err;
    u_char                     *text, *buf;
    ngx_int_t                   rc;
    ngx_str_t                   s;
    ngx_uint_t                  i;
    ngx_hyperdrive_base_url_t   url;

    /* of just the size, so that ASan sees a byte too many */

    text = malloc(size ? size : 1);
    buf = malloc(size + 1);

    memcpy(text, data, size);

    s.data = text;
    s.len = size;

    rc = ngx_hyperdrive_base_url_parse(&s, buf, &url, &err);

    if (rc == NGX_OK) {

        if (url.host.len == 0 || url.nargs > NGX_HYPERDRIVE_URL_MAX_ARGS
            || err != NULL
            || url.unix_socket != (url.host.data[0] == '/'))
        {
            abort();
        }

        check(&url.user, buf, size + 1);
        check(&url.password, buf, size + 1);
        check(&url.host, buf, size + 1);
        check(&url.database, buf, size + 1);

        for (i = 0; i < url.nargs; i++) {

            if (url.args[i].name.len == 0) {
                abort();
            }

            check(&url.args[i].name, buf, size + 1);
            check(&url.args[i].value, buf, size + 1);
        }

    } else if (rc != NGX_ERROR || err == NULL) {
        abort();
    }

    free(text);
    free(buf);

    return 0;
}
