
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session.h"


/*
 * LAST_INSERT_ID() speaks of an earlier statement on the same connection.  It
 * is set to what the client has to see, ahead of a statement that asks, or may
 * change it.  What that is an answer to an INSERT does not tell quite: it says
 * the same of a number that was given in the text, which does not count.  So
 * once anybody here has asked, the database is asked behind such answers,
 * before others get the connection.
 */


ngx_int_t
ngx_hyperdrive_session_insert_align(ngx_hyperdrive_session_t *s)
{
    u_char                        buf[sizeof("SET last_insert_id=")
                                      + NGX_INT64_LEN];
    ngx_str_t                     text;
    ngx_hyperdrive_origin_t      *o;
    ngx_hyperdrive_state_stmt_t  *stmt;

    stmt = s->unit.stmt;

    if (stmt == NULL) {
        return NGX_OK;
    }

    if (stmt->plan.asks & NGX_HYPERDRIVE_STATE_ASKS_INSERT_ID) {
        s->pool->inserts = 1;

    } else if (!s->pool->inserts || !stmt->plan.may_write) {
        return NGX_OK;
    }

    o = s->origin;

    if (s->insert.seen || s->insert.set) {
        return NGX_OK;
    }

    s->insert.set = 1;

    text.data = buf;
    text.len = ngx_sprintf(buf, "SET last_insert_id=%uL", s->insert.id) - buf;

    return s->conf->origin->proto->origin_own(o->wire, &text,
                                          NGX_HYPERDRIVE_SESSION_TAG_INSERT,
                                          0, &o->net.out);
}


ngx_int_t
ngx_hyperdrive_session_insert_piece(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_piece_t *piece)
{
    u_char      *pos;
    ngx_int_t    id;
    ngx_str_t    col;
    ngx_uint_t   n;

    if (!piece->own || piece->tag != NGX_HYPERDRIVE_SESSION_TAG_INSERT) {

        if (piece->insert_id && !piece->own) {
            s->insert.id = piece->insert_id;
            s->insert.seen = 1;
        }

        return NGX_DECLINED;
    }

    if (!s->insert.asked) {
        return NGX_OK;
    }

    if (piece->type == NGX_HYPERDRIVE_PROTO_READY) {
        s->insert.asked = 0;
        s->insert.seen = 0;
        s->insert.set = 1;

    } else if (piece->type == NGX_HYPERDRIVE_PROTO_ROWS) {
        pos = piece->data;
        n = 1;

        if (s->conf->origin->proto->row(&pos, piece->data + piece->len, &col,
                                        &n)
            == NGX_OK && n)
        {
            id = ngx_atoi(col.data, col.len);

            if (id != NGX_ERROR) {
                s->insert.id = id;
            }
        }
    }

    return NGX_OK;
}


ngx_int_t
ngx_hyperdrive_session_insert_settled(ngx_hyperdrive_session_t *s)
{
    ngx_str_t                 text;
    ngx_hyperdrive_origin_t  *o;

    if (s->insert.asked) {
        return NGX_AGAIN;
    }

    if (!s->insert.seen || !s->pool->inserts) {
        return NGX_OK;
    }

    o = s->origin;

    ngx_str_set(&text, "SELECT LAST_INSERT_ID()");

    if (s->conf->origin->proto->origin_own(o->wire, &text,
                                           NGX_HYPERDRIVE_SESSION_TAG_INSERT,
                                           NGX_HYPERDRIVE_PROTO_OWN_SYNC,
                                           &o->net.out)
        != NGX_OK)
    {
        /* what the answer said will have to do */
        return NGX_OK;
    }

    s->insert.asked = 1;

    (void) ngx_hyperdrive_session_send(s);

    return NGX_AGAIN;
}
