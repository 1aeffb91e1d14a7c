
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "pg/ngx_hyperdrive_pg_ledger.h"


#define NGX_HYPERDRIVE_PG_LEDGER_MIN     8
#define NGX_HYPERDRIVE_PG_LEDGER_KEEP    256


ngx_hyperdrive_pg_reply_t *
ngx_hyperdrive_pg_ledger_push(ngx_hyperdrive_pg_ledger_t *ledger)
{
    ngx_uint_t                  i, size;
    ngx_hyperdrive_pg_reply_t  *reply, *replies;

    if (ledger->n == ledger->size) {

        size = ledger->size ? ledger->size * 2 : NGX_HYPERDRIVE_PG_LEDGER_MIN;

        replies = malloc(size * sizeof(ngx_hyperdrive_pg_reply_t));
        if (replies == NULL) {
            return NULL;
        }

        for (i = 0; i < ledger->n; i++) {
            replies[i] = *ngx_hyperdrive_pg_ledger_at(ledger, i);
        }

        free(ledger->replies);

        ledger->replies = replies;
        ledger->size = size;
        ledger->first = 0;
    }

    reply = ngx_hyperdrive_pg_ledger_at(ledger, ledger->n++);

    ngx_memzero(reply, sizeof(ngx_hyperdrive_pg_reply_t));

    return reply;
}


void
ngx_hyperdrive_pg_ledger_shift(ngx_hyperdrive_pg_ledger_t *ledger)
{
    ngx_hyperdrive_pg_reply_t  *reply;

    reply = ngx_hyperdrive_pg_ledger_at(ledger, 0);

    if (reply->behind) {
        free(reply->behind);
    }

    ledger->first = (ledger->first + 1) & (ledger->size - 1);
    ledger->n--;

    if (ledger->n == 0 && ledger->size > NGX_HYPERDRIVE_PG_LEDGER_KEEP) {
        ngx_hyperdrive_pg_ledger_free(ledger);
    }
}


void
ngx_hyperdrive_pg_ledger_free(ngx_hyperdrive_pg_ledger_t *ledger)
{
    free(ledger->replies);

    ngx_memzero(ledger, sizeof(ngx_hyperdrive_pg_ledger_t));
}
