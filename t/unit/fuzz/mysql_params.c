/* sources: mysql/ state/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * Any bytes as the values of a statement: what is found lies within them, or
 * is a text of our own.
 */


#include "mysql/ngx_hyperdrive_mysql_wire.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t                     i, len;
    ngx_str_t                  bind, values[300];
    ngx_uint_t                 n;
    static volatile uint64_t   sum;

    if (size < 2) {
        return 0;
    }

    bind.data = (u_char *) data + 2;
    bind.len = size - 2;

    n = ngx_hyperdrive_mysql_params(&bind, data[0] | (data[1] & 1) << 8,
                                    values, 300);
    if (n > 256) {
        abort();
    }

    for (i = 0; i < n; i++) {

        for (len = 0; values[i].data && len < values[i].len; len++) {
            sum += values[i].data[len];
        }
    }

    return 0;
}
