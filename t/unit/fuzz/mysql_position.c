/* sources: mysql/ state/ base/ libs: z zstd */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * What MySQL says of itself: a greeting of ours, packets of the answer that
 * says which role it has, and where it stands, parted by lengths.
 */


#include "mysql/ngx_hyperdrive_mysql_position.h"
#include "mysql/ngx_hyperdrive_mysql_role.h"


static ngx_str_t
part(const uint8_t **data, const uint8_t *last)
{
    ngx_str_t  s;

    s.len = 0;

    if (*data < last) {
        s.len = *(*data)++;
        s.len = ngx_min(s.len, (size_t) (last - *data));
    }

    s.data = malloc(s.len + 1);
    ngx_memcpy(s.data, *data, s.len);
    *data += s.len;

    return s;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char                             *name;
    ngx_int_t                         rc;
    ngx_str_t                         cols[6];
    ngx_uint_t                        i, n;
    const uint8_t                    *last;
    ngx_hyperdrive_chain_t            chain;
    ngx_hyperdrive_mysql_role_t       role;
    ngx_hyperdrive_mysql_greeting_t   greeting;
    ngx_hyperdrive_proto_position_t   one, two;

    if (size == 0) {
        return 0;
    }

    last = data + size;
    n = *data++;

    for (i = 0; i < 6; i++) {
        cols[i] = part(&data, last);
    }

    switch (n % 3) {

    case 0:

        if (ngx_hyperdrive_mysql_position_row(cols, 3, &one) == NGX_OK
            && ngx_hyperdrive_mysql_position_row(cols + 3, 3, &two) == NGX_OK)
        {
            if (!ngx_hyperdrive_mysql_position_has(&one, &one)
                || ngx_hyperdrive_mysql_position_other(&two, &two))
            {
                abort();
            }

            (void) ngx_hyperdrive_mysql_position_has(&one, &two);
            (void) ngx_hyperdrive_mysql_position_other(&one, &two);
        }

        break;

    case 1:
        ngx_memzero(&role, sizeof(role));
        ngx_memzero(&greeting, sizeof(greeting));
        ngx_memzero(&chain, sizeof(chain));

        greeting.changes = cols[0];
        greeting.capabilities = (n & 4) ? NGX_HYPERDRIVE_MYSQL_DEPRECATE_EOF
                                        : 0;

        ngx_hyperdrive_mysql_role_ask(&role, &greeting, &chain);

        rc = NGX_AGAIN;

        for (i = 1; i < 6 && rc == NGX_AGAIN && cols[i].len; i++) {
            rc = ngx_hyperdrive_mysql_role_packet(&role, &cols[i], &greeting);
        }

        ngx_hyperdrive_base_chain_clear(&chain);
        ngx_hyperdrive_mysql_greeting_write(&greeting, &chain);

        if (chain.size > 2048) {
            /* it would not be remembered */
            abort();
        }

        ngx_hyperdrive_base_chain_clear(&chain);
        break;

    default:
        (void) ngx_hyperdrive_mysql_role(&cols[0]);

        name = ngx_hyperdrive_mysql_role_unlike(&cols[0], &cols[1]);

        if ((name && strlen(name) > 63)
            || ngx_hyperdrive_mysql_role_unlike(&cols[0], &cols[0]))
        {
            abort();
        }
    }

    for (i = 0; i < 6; i++) {
        free(cols[i].data);
    }

    return 0;
}
