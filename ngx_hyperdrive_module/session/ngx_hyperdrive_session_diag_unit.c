
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session_diag.h"


/*
 * Units that are sent before those ahead of them have been answered, and the
 * statements of each: what was said of a statement when it was read is taken
 * together with its answer.
 */


static ngx_hyperdrive_session_diag_unit_t *
    ngx_hyperdrive_session_diag_unit_first(ngx_hyperdrive_session_diag_t *d);
static void ngx_hyperdrive_session_diag_unit_rows(
    ngx_hyperdrive_session_diag_t *d, ngx_uint_t does);


void
ngx_hyperdrive_session_diag_unit_push(ngx_hyperdrive_session_diag_t *d,
    ngx_hyperdrive_session_diag_unit_t *unit)
{
    ngx_hyperdrive_session_diag_unit_t  *last;

    if (d->over) {
        d->over = unit->after + 1;
        return;
    }

    last = d->nunits ? &d->units[d->nunits - 1] : NULL;

    if (last && last->after + last->n > unit->after) {

        /* what runs last in it, behind a BEGIN that was answered before */

        if (--last->n == 0) {
            d->nunits--;
            last = d->nunits ? last - 1 : NULL;
        }
    }

    if (last && last->after + last->n == unit->after
        && last->each == unit->each && last->writes == unit->writes)
    {
        last->n++;
        return;
    }

    if (d->nunits == NGX_HYPERDRIVE_SESSION_DIAG_UNITS) {
        d->over = unit->after + 1;
        return;
    }

    d->units[d->nunits++] = *unit;
}


void
ngx_hyperdrive_session_diag_unit_pop(ngx_hyperdrive_session_diag_t *d)
{
    ngx_uint_t                           i, n;
    ngx_hyperdrive_session_diag_unit_t  *u;

    n = 0;

    for (i = 0; i < d->nunits; i++) {
        u = &d->units[i];

        if (u->after) {
            u->after--;

        } else if (--u->n == 0) {
            continue;
        }

        d->units[n++] = *u;
    }

    d->nunits = n;
    d->over -= (d->over != 0);
    d->statement = 0;
}


/* which is being answered; or what is no statement, as a PING */

static ngx_hyperdrive_session_diag_unit_t *
ngx_hyperdrive_session_diag_unit_first(ngx_hyperdrive_session_diag_t *d)
{
    static ngx_hyperdrive_session_diag_unit_t  none;

    if (d->nunits && d->units[0].after == 0) {
        return &d->units[0];
    }

    none.each = d->over ? 0
                : (NGX_HYPERDRIVE_STATE_FOUND_SAME
                   | NGX_HYPERDRIVE_STATE_DOES_KEEP)
                  * NGX_HYPERDRIVE_STATE_EACH_ALIKE;
    none.writes = (d->over != 0);

    return &none;
}


void
ngx_hyperdrive_session_diag_unit_answered(ngx_hyperdrive_session_diag_t *d,
    ngx_hyperdrive_proto_piece_t *piece)
{
    ngx_uint_t                           does;
    ngx_hyperdrive_session_diag_unit_t  *u;

    u = ngx_hyperdrive_session_diag_unit_first(d);
    does = ngx_hyperdrive_state_does(u->each, d->statement);

    d->statement++;

    if (!(does & NGX_HYPERDRIVE_STATE_DOES_LOOK) || d->result) {
        d->count = piece->affected;
    }

    if (piece->cursor) {
        d->known = 0;

    } else {
        ngx_hyperdrive_session_diag_unit_rows(d, does);
    }

    if (piece->insert_id) {
        d->id = piece->insert_id;
        d->seen = 1;

    } else if (piece->affected < 0 && u->writes) {

        /* behind rows, as of RETURNING, it is not told */
        d->seen = 1;
    }

    if (does & NGX_HYPERDRIVE_STATE_DOES_LOOK) {

        if (piece->warnings && !d->result) {

            /* it has looked for what there is not, and that is one more */

            d->count = -1;
            d->more = (!d->unsaved && d->len);
            d->unsaved = 1;
            d->warnings += piece->warnings;
        }

    } else if (piece->warnings) {
        d->warnings = piece->warnings;
        d->unsaved = 1;
        d->more = 0;

        ngx_memzero(d->sqlstate, sizeof(d->sqlstate));

    } else if (!(does & NGX_HYPERDRIVE_STATE_DOES_KEEP)) {
        ngx_hyperdrive_session_diag_clear(d);
    }

    d->rows = 0;
    d->result = 0;
    d->here = 1;
}


/* ...by which FOUND_ROWS() has changed, or not */

static void
ngx_hyperdrive_session_diag_unit_rows(ngx_hyperdrive_session_diag_t *d,
    ngx_uint_t does)
{
    switch (does & NGX_HYPERDRIVE_STATE_DOES_FOUND) {

    case NGX_HYPERDRIVE_STATE_FOUND_SAME:
        break;

    case NGX_HYPERDRIVE_STATE_FOUND_ROWS:

        /* an OK without rows is that of an empty statement behind it */

        if (d->result) {
            d->found = d->rows;
            d->known = 1;
            d->there = 1;
        }

        break;

    case NGX_HYPERDRIVE_STATE_FOUND_WANTED:
        d->known = 0;
        d->wanted = 1;
        d->there = 1;
        break;

    default: /* NGX_HYPERDRIVE_STATE_FOUND_UNKNOWN */
        d->known = 0;
        d->wanted = 0;
        d->there = 1;
        break;
    }
}


void
ngx_hyperdrive_session_diag_unit_failed(ngx_hyperdrive_session_diag_t *d,
    ngx_hyperdrive_proto_piece_t *piece)
{
    ngx_hyperdrive_session_diag_unit_t  *u;

    u = ngx_hyperdrive_session_diag_unit_first(d);

    if (d->result || !piece->early) {
        /* no row was found */
        d->rows = 0;
        d->result = 1;
        ngx_hyperdrive_session_diag_unit_rows(d,
                          ngx_hyperdrive_state_does(u->each, d->statement));
    }

    if (u->writes && !piece->early) {
        /* the rows ahead of the one that failed may have had numbers */
        d->seen = 1;
    }

    d->rows = 0;
    d->result = 0;
    d->count = -1;
    d->warnings = 1;
    d->unsaved = 1;
    d->more = 0;
    d->here = 1;

    ngx_memzero(d->sqlstate, sizeof(d->sqlstate));

    if (piece->sqlstate) {
        ngx_memcpy(d->sqlstate, piece->sqlstate, sizeof(d->sqlstate));
    }
}
