
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * A catalog from text: a line for each row, its columns parted by "|".
 */


#include "sql/ngx_hyperdrive_sql_catalog.h"


#define ROWS_COLUMNS  16


/* NULL: it was refused, as the answer of a database would be */

static ngx_hyperdrive_sql_catalog_t *
rows_catalog(ngx_uint_t dialect, u_char *p, u_char *last,
    ngx_hyperdrive_sql_catalog_rule_t *rules, ngx_uint_t nrules)
{
    u_char                        *end, *col;
    ngx_str_t                      cols[ROWS_COLUMNS];
    ngx_uint_t                     n;
    ngx_hyperdrive_sql_catalog_t  *cat;

    cat = ngx_hyperdrive_sql_catalog_create(dialect, rules, nrules);

    while (cat && p < last) {

        for (end = p; end < last && *end != '\n'; end++) { /* void */ }

        for (n = 0, col = p; n < ROWS_COLUMNS && col <= end; n++) {
            cols[n].data = col;

            while (col < end && *col != '|') {
                col++;
            }

            cols[n].len = col++ - cols[n].data;
        }

        if (ngx_hyperdrive_sql_catalog_row(cat, cols, n) != NGX_OK) {
            ngx_hyperdrive_sql_catalog_destroy(cat);
            return NULL;
        }

        p = end + 1;
    }

    if (cat && ngx_hyperdrive_sql_catalog_done(cat) != NGX_OK) {
        ngx_hyperdrive_sql_catalog_destroy(cat);
        return NULL;
    }

    return cat;
}
