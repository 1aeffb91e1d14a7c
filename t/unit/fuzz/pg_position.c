/* sources: pg/ state/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/* What two databases say of themselves at a log-in, parted in the middle. */


#include "pg/ngx_hyperdrive_pg.h"


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char       *name;
    ngx_str_t   one, two;

    one.data = malloc(size / 2 + 1);
    two.data = malloc(size - size / 2 + 1);

    one.len = size / 2;
    two.len = size - size / 2;

    ngx_memcpy(one.data, data, one.len);
    ngx_memcpy(two.data, data + one.len, two.len);

    (void) ngx_hyperdrive_pg_position_role(&one);

    name = ngx_hyperdrive_pg_position_unlike(&one, &two);

    if (name && strlen(name) > 63) {
        abort();
    }

    if (ngx_hyperdrive_pg_position_unlike(&one, &one) && one.len == 0) {
        abort();
    }

    free(one.data);
    free(two.data);

    return 0;
}
