
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "pg/ngx_hyperdrive_pg_ledger.h"


#define NGX_HYPERDRIVE_PG_LEDGER_MIN     8


ngx_int_t
ngx_hyperdrive_pg_ledger_grow(ngx_hyperdrive_pg_ledger_t *ledger)
{
    ngx_uint_t                  i, size;
    ngx_hyperdrive_pg_reply_t  *replies;

    size = ledger->size ? ledger->size * 2 : NGX_HYPERDRIVE_PG_LEDGER_MIN;

    replies = malloc(size * sizeof(ngx_hyperdrive_pg_reply_t));
    if (replies == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < ledger->n; i++) {
        replies[i] = *ngx_hyperdrive_pg_ledger_at(ledger, i);
    }

    free(ledger->replies);

    ledger->replies = replies;
    ledger->size = size;
    ledger->first = 0;

    return NGX_OK;
}


void
ngx_hyperdrive_pg_ledger_free(ngx_hyperdrive_pg_ledger_t *ledger)
{
    free(ledger->replies);

    ngx_memzero(ledger, sizeof(ngx_hyperdrive_pg_ledger_t));
}
