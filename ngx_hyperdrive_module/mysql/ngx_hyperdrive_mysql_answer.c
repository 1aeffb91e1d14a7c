
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "mysql/ngx_hyperdrive_mysql_wire.h"


/*
 * Packets of an origin are taken against the first entry of its ledger, and
 * numbered as this client has to see them.  Rows pass through as they come;
 * all else is read whole, and the packets that end something are written anew
 * where the client understands another form of them.
 */


static ngx_int_t ngx_hyperdrive_mysql_answer_next(
    ngx_hyperdrive_mysql_client_t *c, ngx_hyperdrive_mysql_origin_t *o,
    u_char **pos, u_char *last, ngx_hyperdrive_proto_piece_t *piece);
static void ngx_hyperdrive_mysql_answer_ready(
    ngx_hyperdrive_mysql_origin_t *o, ngx_hyperdrive_proto_piece_t *piece);
static void ngx_hyperdrive_mysql_answer_local(
    ngx_hyperdrive_mysql_client_t *c, ngx_hyperdrive_mysql_origin_t *o,
    ngx_hyperdrive_proto_piece_t *piece);
static ngx_int_t ngx_hyperdrive_mysql_answer_unasked(
    ngx_hyperdrive_mysql_origin_t *o, u_char *p, size_t len,
    ngx_hyperdrive_proto_piece_t *piece);
static ngx_uint_t ngx_hyperdrive_mysql_answer_row(
    ngx_hyperdrive_mysql_client_t *c, ngx_hyperdrive_mysql_origin_t *o,
    u_char *p, size_t len);


ngx_int_t
ngx_hyperdrive_mysql_answer(void *client, void *origin, u_char **pos,
    u_char *last, ngx_uint_t apart, ngx_hyperdrive_chain_t *reply,
    ngx_hyperdrive_proto_piece_t *piece)
{
    ngx_int_t                       rc;
    ngx_hyperdrive_mysql_reply_t   *first;
    ngx_hyperdrive_mysql_client_t  *c;
    ngx_hyperdrive_mysql_origin_t  *o;

    c = client;
    o = origin;

    rc = ngx_hyperdrive_mysql_answer_next(c, o, pos, last, piece);

    piece->cut = (o->left && o->pass);

    if (c) {

        /* in case that an error of ours comes next */

        first = o->ledger.n ? ngx_hyperdrive_mysql_ledger_at(&o->ledger, 0)
                            : NULL;

        c->seq = (first && first->action != NGX_HYPERDRIVE_MYSQL_DROP)
                 ? first->seq : 1;

        if (rc == NGX_OK && piece->type == NGX_HYPERDRIVE_PROTO_ERROR) {
            /* ...or instead of this one */
            c->seq = piece->data[3];
        }
    }

    return rc;
}


static ngx_int_t
ngx_hyperdrive_mysql_answer_next(ngx_hyperdrive_mysql_client_t *c,
    ngx_hyperdrive_mysql_origin_t *o, u_char **pos, u_char *last,
    ngx_hyperdrive_proto_piece_t *piece)
{
    u_char                        *p;
    size_t                         n, total;
    uint32_t                       len;
    ngx_int_t                      rc;
    ngx_uint_t                     row;
    ngx_hyperdrive_mysql_reply_t  *first;

    p = *pos;
    len = 0;

    ngx_memzero(piece, sizeof(ngx_hyperdrive_proto_piece_t));
    ngx_hyperdrive_base_chain_clear(&o->scratch);

    piece->data = p;

    for ( ;; ) {

        if (o->left) {

            n = ngx_min((size_t) (last - p), o->left);

            p += n;
            o->left -= n;

            if (o->pass) {
                piece->type = NGX_HYPERDRIVE_PROTO_ROWS;
                piece->len += n;

            } else {
                /* nothing is in the piece: that has been handed out */
                piece->data = p;
            }

            if (o->left) {
                break;
            }
        }

        if (o->ready) {

            if (piece->len) {
                break;
            }

            ngx_hyperdrive_mysql_answer_ready(o, piece);
            *pos = p;

            return NGX_OK;
        }

        first = o->ledger.n ? ngx_hyperdrive_mysql_ledger_at(&o->ledger, 0)
                            : NULL;

        if (first && first->action == NGX_HYPERDRIVE_MYSQL_OWN) {

            if (piece->len) {
                break;
            }

            ngx_hyperdrive_mysql_answer_local(c, o, piece);
            *pos = p;

            return NGX_OK;
        }

        if (last - p < NGX_HYPERDRIVE_MYSQL_HEADER) {
            break;
        }

        (void) ngx_hyperdrive_mysql_read_u24(p, last, &len);

        total = NGX_HYPERDRIVE_MYSQL_HEADER + (size_t) len;

        if (len && !o->more && last - p < NGX_HYPERDRIVE_MYSQL_HEADER + 1) {
            break;
        }

        row = first && ngx_hyperdrive_mysql_answer_row(c, o, p, len);

        if (row) {

            if (piece->len && (!o->pass || o->eof)) {
                break;
            }

            if (o->eof && ngx_hyperdrive_mysql_answer_packet_eof(c, o, piece)) {
                *pos = p;
                return NGX_OK;
            }

            o->pass = ngx_hyperdrive_mysql_answer_packet_passes(c, o);
        }

        if ((!row || first->tag) && (size_t) (last - p) < total) {

            if (total > NGX_HYPERDRIVE_MYSQL_MAX_WHOLE) {
                return ngx_hyperdrive_mysql_answer_packet_bad(piece,
                                                       "packet is too long");
            }

            break;
        }

        if (piece->len && (!row || first->tag)) {
            break;
        }

        if (first == NULL) {
            *pos = p + total;
            return ngx_hyperdrive_mysql_answer_unasked(o, p, len, piece);
        }

        o->seq = p[3];

        if (row && !first->tag) {

            if (o->pass) {
                p[3] = first->seq++;
                piece->rows += !o->more;
                piece->type = NGX_HYPERDRIVE_PROTO_ROWS;
                piece->len += NGX_HYPERDRIVE_MYSQL_HEADER;
            }

            o->more = (len == NGX_HYPERDRIVE_MYSQL_MAX_PACKET);
            o->left = len;

            p += NGX_HYPERDRIVE_MYSQL_HEADER;

            if (!o->pass) {
                piece->data = p;
            }

            continue;
        }

        piece->data = p;
        piece->len = total;
        piece->tag = first->tag;

        if (row) {

            /* what we have asked for, whole */

            piece->rows = 1;
            piece->type = NGX_HYPERDRIVE_PROTO_ROWS;
            rc = NGX_DECLINED;

        } else {
            rc = ngx_hyperdrive_mysql_answer_packet(c, o, p, len, piece);
        }

        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        if (rc == NGX_AGAIN) {

            /* something is told before it */

            *pos = p;
            return NGX_OK;
        }

        p += total;

        if (rc == NGX_OK || piece->tag) {

            if (rc != NGX_OK) {
                piece->own = 1;

            } else if (piece->tag && !piece->fatal) {
                piece->tag = 0;
            }

            *pos = p;
            return NGX_OK;
        }

        /* NGX_DECLINED: it is dropped */

        ngx_memzero(piece, sizeof(ngx_hyperdrive_proto_piece_t));
        piece->data = p;
    }

    *pos = p;

    return piece->len ? NGX_OK : NGX_AGAIN;
}


/* whether it is one, or goes on with one: not an error or an end */

static ngx_uint_t
ngx_hyperdrive_mysql_answer_row(ngx_hyperdrive_mysql_client_t *c,
    ngx_hyperdrive_mysql_origin_t *o, u_char *p, size_t len)
{
    ngx_uint_t                     row;
    ngx_hyperdrive_mysql_reply_t  *first;

    first = ngx_hyperdrive_mysql_ledger_at(&o->ledger, 0);

    if (o->phase == NGX_HYPERDRIVE_MYSQL_FIRST
        && (first->type == NGX_HYPERDRIVE_MYSQL_REPLY_FETCH
            || first->type == NGX_HYPERDRIVE_MYSQL_REPLY_FIELDS))
    {
        o->phase = NGX_HYPERDRIVE_MYSQL_ROWS;
    }

    row = o->more
          || (o->phase == NGX_HYPERDRIVE_MYSQL_ROWS
              && first->type != NGX_HYPERDRIVE_MYSQL_REPLY_FIELDS
              && !ngx_hyperdrive_mysql_answer_is_end(o, p, len));

    if (row && o->asked) {
        o->asked = 0;
        o->dump = 1;
    }

    return row;
}


ngx_uint_t
ngx_hyperdrive_mysql_answer_is_end(ngx_hyperdrive_mysql_origin_t *o, u_char *p,
    size_t len)
{
    u_char  ch;

    if (len == 0) {
        /* a row has something in it */
        return 1;
    }

    ch = p[NGX_HYPERDRIVE_MYSQL_HEADER];

    if (ch == NGX_HYPERDRIVE_MYSQL_ERR) {
        return 1;
    }

    /* a row may begin with it, too, if it is longer than that */

    return ch == NGX_HYPERDRIVE_MYSQL_EOF
           && ((o->caps & NGX_HYPERDRIVE_MYSQL_DEPRECATE_EOF)
               ? len < NGX_HYPERDRIVE_MYSQL_MAX_PACKET : len < 9);
}


/* a unit has been answered to its end */

static void
ngx_hyperdrive_mysql_answer_ready(ngx_hyperdrive_mysql_origin_t *o,
    ngx_hyperdrive_proto_piece_t *piece)
{
    piece->type = NGX_HYPERDRIVE_PROTO_READY;
    piece->own = (o->ready == NGX_HYPERDRIVE_MYSQL_READY_OWN);
    piece->tag = piece->own ? o->tag : 0;
    piece->block = ((o->status & NGX_HYPERDRIVE_MYSQL_IN_TRANSACTION) != 0);

    o->ready = 0;
}


static void
ngx_hyperdrive_mysql_answer_local(ngx_hyperdrive_mysql_client_t *c,
    ngx_hyperdrive_mysql_origin_t *o, ngx_hyperdrive_proto_piece_t *piece)
{
    u_char                        *p;
    ngx_uint_t                     code;
    ngx_hyperdrive_mysql_reply_t  *first;

    code = 0;

    first = ngx_hyperdrive_mysql_ledger_at(&o->ledger, 0);

    if (first->own == NGX_HYPERDRIVE_MYSQL_LOCAL_ERROR) {

        ngx_hyperdrive_base_chain_move(&o->scratch, &o->kept);

    } else if (c) {
        ngx_hyperdrive_mysql_client_answer(c, first->own, first->number,
                                           &first->seq, &o->scratch);
    }

    if (c && o->scratch.head) {
        p = o->scratch.head->pos;

        piece->data = p;
        piece->len = o->scratch.size;

        if (first->own == NGX_HYPERDRIVE_MYSQL_LOCAL_ERROR) {
            p[3] = first->seq;

            /* what the client had prepared could not be prepared again */

            (void) ngx_hyperdrive_mysql_read_u16(
                                       p + NGX_HYPERDRIVE_MYSQL_HEADER + 1,
                                       p + piece->len, &code);

            piece->changed = ngx_hyperdrive_mysql_prepared_changed(code);
        }

        if (p[NGX_HYPERDRIVE_MYSQL_HEADER] == NGX_HYPERDRIVE_MYSQL_ERR) {
            piece->type = NGX_HYPERDRIVE_PROTO_ERROR;
            piece->early = 1;
            piece->sqlstate = p + NGX_HYPERDRIVE_MYSQL_HEADER + 4;

        } else {
            piece->type = NGX_HYPERDRIVE_PROTO_ROWS;
            piece->end = 1;
        }
    }

    ngx_hyperdrive_mysql_answer_packet_done(o);
}


/* it says why it ends, or nonsense */

static ngx_int_t
ngx_hyperdrive_mysql_answer_unasked(ngx_hyperdrive_mysql_origin_t *o,
    u_char *p, size_t len, ngx_hyperdrive_proto_piece_t *piece)
{
    if (len < 3 || p[NGX_HYPERDRIVE_MYSQL_HEADER] != NGX_HYPERDRIVE_MYSQL_ERR)
    {
        return ngx_hyperdrive_mysql_answer_packet_bad(piece,
                                                      "answer to no request");
    }

    o->poisoned = 1;

    piece->type = NGX_HYPERDRIVE_PROTO_ERROR;
    piece->data = p;
    piece->len = NGX_HYPERDRIVE_MYSQL_HEADER + len;
    piece->fatal = 1;

    /* as the answer to what the client says next */
    p[3] = 1;

    return NGX_OK;
}
