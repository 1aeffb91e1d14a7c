/* sources: mysql/ state/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * The question for a user, whatever its name, and any answer: what is found
 * lies within it.
 */


#include "mysql/ngx_hyperdrive_mysql_login.h"
#include "mysql/ngx_hyperdrive_mysql_wire.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t                  len, i;
    u_char                 *bytes, *p, *name;
    ngx_int_t               rc;
    ngx_str_t               text, user, secret, app = ngx_string("app");
    ngx_hyperdrive_chain_t  chain;

    /* of just the size, so that ASan sees */

    bytes = malloc(size ? size : 1);
    ngx_memcpy(bytes, data, size);

    if (ngx_hyperdrive_mysql_lookup_row(bytes, size, &app, &secret) == NGX_OK
        && (secret.len == 0 || secret.data < bytes
            || secret.data + secret.len > bytes + size))
    {
        abort();
    }

    /* a text and a name, parted in the middle */

    text.data = bytes;
    text.len = size / 2;
    user.len = size - text.len;

    name = malloc(user.len ? user.len : 1);
    ngx_memcpy(name, bytes + text.len, user.len);
    user.data = name;

    ngx_memzero(&chain, sizeof(chain));
    rc = ngx_hyperdrive_mysql_lookup_request(&text, &user, &chain);

    if (rc != NGX_OK) {

        /* not UTF-8: nothing is asked */

        if (rc != NGX_DECLINED || chain.head != NULL) {
            abort();
        }

        free(bytes);
        free(name);

        return 0;
    }

    p = chain.head->pos;
    len = p[0] | p[1] << 8 | p[2] << 16;

    if (chain.head->next || chain.size != len + 4
        || p[4] != NGX_HYPERDRIVE_MYSQL_COM_QUERY || len < 1)
    {
        abort();
    }

    /* nothing of the name but its digits is there */

    for (i = 5; i + 1 < chain.size; i++) {

        if (p[i] == '$' && p[i + 1] == '1'
            && (i + 2 == chain.size || p[i + 2] < '0' || p[i + 2] > '9'))
        {
            abort();
        }
    }

    ngx_hyperdrive_base_chain_clear(&chain);

    free(bytes);
    free(name);

    return 0;
}
