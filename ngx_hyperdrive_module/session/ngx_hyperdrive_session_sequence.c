
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session.h"


/*
 * PostgreSQL: lastval() and currval() tell what a connection has drawn from
 * sequences, and it is drawn unseen: by a column, a trigger, code.  So each
 * connection bears whose values it may have, and they are thrown away in front
 * of another client's statement that may ask for them.  As long as that is
 * worth while (see _shm_limit_recalled()), in front of what another client
 * writes as well: what it draws is there alone then, and is found if it asks on
 * this connection before anybody else has written there.
 */


/* what may ask for them */
#define NGX_HYPERDRIVE_SESSION_SEQUENCE_ASKS                                 \
    (NGX_HYPERDRIVE_STATE_PIN_SEQUENCE|NGX_HYPERDRIVE_STATE_PIN_CODE)


static ngx_uint_t ngx_hyperdrive_session_sequence_clears(
    ngx_hyperdrive_session_t *s, ngx_hyperdrive_proto_run_t *run,
    ngx_uint_t asks);
static void ngx_hyperdrive_session_sequence_send(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_run_t *run);


void
ngx_hyperdrive_session_sequence_run(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_run_t *run, ngx_uint_t leaves)
{
    uint64_t                  mine;
    ngx_uint_t                asks;
    ngx_hyperdrive_origin_t  *o;

    o = s->origin;

    if (s->conf->origin->proto->numbers || run->prepares) {
        /* MySQL's sequences keep nothing; nothing runs */
        return;
    }

    asks = leaves & NGX_HYPERDRIVE_SESSION_SEQUENCE_ASKS;

    if (!asks && run->stmt && !run->stmt->plan.may_write) {
        return;
    }

    if (run->stmt && run->stmt->plan.recalls) {
        ngx_hyperdrive_shm_limit_recall(s->conf->origin->limit);
    }

    mine = s->net.connection->number;

    if (o->drawn && (o->drawn != mine || s->drawn != o)) {

        if (ngx_hyperdrive_session_sequence_clears(s, run, asks)) {
            ngx_hyperdrive_session_sequence_send(s, run);
        }

        o->drawn = NGX_HYPERDRIVE_ORIGIN_ANYBODYS;

    } else {
        o->drawn = mine;
    }

    s->drawn = o;
    s->sequence.drawn = 1;
}


static ngx_uint_t
ngx_hyperdrive_session_sequence_clears(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_run_t *run, ngx_uint_t asks)
{
    if (s->sequence.sent || run->dead) {
        /* it goes ahead of this one, too; or this one fails */
        return 0;
    }

    if (s->sequence.drawn
        && !s->conf->origin->proto->origin_idle(s->origin->wire))
    {
        /* what the client has drawn in this block is among it */

        s->sequence.mixed |= (asks != 0);
        return 0;
    }

    if (asks) {
        return !s->sequence.mixed;
    }

    return !s->sequence.mixed && run->stmt && !run->stmt->plan.alone
           && (s->pinned
               || ngx_hyperdrive_shm_limit_recalled(s->conf->origin->limit));
}


/* it shares the fate of what may ask, unless that bears nothing beside it */

static void
ngx_hyperdrive_session_sequence_send(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_run_t *run)
{
    ngx_uint_t                flags;
    ngx_hyperdrive_origin_t  *o;

    static ngx_str_t  text = ngx_string("DISCARD SEQUENCES");

    o = s->origin;

    flags = (run->outside && (run->stmt == NULL || run->stmt->plan.alone))
            ? NGX_HYPERDRIVE_PROTO_OWN_SYNC : 0;

    s->sequence.sent = 1;

    if (s->conf->origin->proto->origin_own(o->wire, &text,
                                           NGX_HYPERDRIVE_SESSION_TAG_SEQUENCE,
                                           flags, &o->net.out)
        != NGX_OK)
    {
        /* nothing of it is sent */
        s->pin.refused = NGX_HYPERDRIVE_SESSION_PIN_TOO_MANY;
    }
}


/* NGX_OK: the piece is part of an answer of ours */

ngx_int_t
ngx_hyperdrive_session_sequence_piece(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_piece_t *piece)
{
    ngx_hyperdrive_origin_t  *o;

    o = s->origin;

    if (piece->discard
        && piece->discard != NGX_HYPERDRIVE_PROTO_DISCARD_SESSION
        && o->drawn)
    {
        /* by us or by the client: what is there from here on is its own */

        o->drawn = s->net.connection->number;
        s->drawn = o;
        s->sequence.sent = 0;
    }

    if (piece->tag != NGX_HYPERDRIVE_SESSION_TAG_SEQUENCE || !piece->own) {
        return NGX_DECLINED;
    }

    if (piece->type == NGX_HYPERDRIVE_PROTO_ERROR) {

        /* what stands behind it runs: its answer is not the client's to see */

        piece->own = 0;
        piece->fatal = 1;

        return NGX_DECLINED;
    }

    return NGX_OK;
}


/* nothing is owed any more: what has not been answered has not run */

void
ngx_hyperdrive_session_sequence_settled(ngx_hyperdrive_session_t *s)
{
    s->sequence.sent = 0;

    if (s->conf->origin->proto->origin_idle(s->origin->wire)) {
        s->sequence.drawn = 0;
    }
}


void
ngx_hyperdrive_session_sequence_end(ngx_hyperdrive_session_t *s)
{
    s->sequence.sent = 0;
    s->sequence.drawn = 0;
    s->sequence.mixed = 0;
}
