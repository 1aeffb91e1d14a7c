
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "ngx_hyperdrive_base_plain.h"


#define NGX_HYPERDRIVE_BASE_PLAIN_COPY   1024


void
ngx_hyperdrive_base_plain(u_char *p, size_t len)
{
    u_char  *last;

    for (last = p + len; p < last; p++) {

        if (*p < ' ' || *p == 0x7f) {
            *p = ' ';
        }
    }
}


ngx_str_t *
ngx_hyperdrive_base_plain_copy(ngx_str_t *text)
{
    static u_char     buf[NGX_HYPERDRIVE_BASE_PLAIN_COPY];
    static ngx_str_t  copy;

    copy.data = buf;
    copy.len = ngx_min(text->len, sizeof(buf));

    if (copy.len) {
        ngx_memcpy(buf, text->data, copy.len);
    }

    ngx_hyperdrive_base_plain(buf, copy.len);

    return &copy;
}
