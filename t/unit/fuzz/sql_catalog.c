/* sources: sql/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * Any rows of a catalog, with any bodies of functions, and a statement over
 * them: all up to the first NUL are rows, what is behind it is the statement.
 */


#include "../sql_catalog_rows.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char                             *copy, *names, *p;
    ngx_str_t                           text, path, role;
    ngx_uint_t                          i;
    ngx_hyperdrive_sql_mode_t           mode;
    ngx_hyperdrive_sql_catalog_t       *cat;
    ngx_hyperdrive_sql_catalog_plan_t   plan;

    static ngx_hyperdrive_sql_facts_t   facts;

    copy = malloc(size ? size : 1);
    names = malloc(size ? size : 1);

    ngx_memcpy(copy, data, size);

    p = size ? memchr(copy, '\0', size) : NULL;

    if (p) {
        text.data = p + 1;
        text.len = copy + size - text.data;

        cat = rows_catalog(0, copy, p, NULL, 0);

        if (cat) {
            ngx_memzero(&mode, sizeof(ngx_hyperdrive_sql_mode_t));
            mode.standard_conforming_strings = 1;
            mode.unsafe_encoding = 0;

            ngx_hyperdrive_sql_classify(&text, &mode, names, text.len, &facts);

            ngx_str_set(&path, "\"$user\", public");
            ngx_str_set(&role, "app");

            for (i = 0; i < 4; i++) {
                ngx_hyperdrive_sql_catalog_plan(cat, &text, &facts,
                                                (i & 1) ? &path : NULL,
                                                (i & 1) ? &role : NULL, i >> 1,
                                                &plan);

                if (plan.nreads > NGX_HYPERDRIVE_SQL_CATALOG_TABLES
                    || plan.nwrites > NGX_HYPERDRIVE_SQL_CATALOG_TABLES)
                {
                    abort();
                }
            }

            ngx_hyperdrive_sql_catalog_destroy(cat);
        }
    }

    free(copy);
    free(names);

    return 0;
}
