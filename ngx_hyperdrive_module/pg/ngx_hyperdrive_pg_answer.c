
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "pg/ngx_hyperdrive_pg.h"
#include "pg/ngx_hyperdrive_pg_message.h"
#include "base/ngx_hyperdrive_base_cursor.h"


/* a message that has to be read whole */
#define NGX_HYPERDRIVE_PG_MAX_WHOLE      (4 * 1024 * 1024)


static ngx_int_t ngx_hyperdrive_pg_answer_message(
    ngx_hyperdrive_pg_client_t *c, ngx_hyperdrive_pg_origin_t *o,
    u_char *p, size_t total, ngx_hyperdrive_chain_t *reply,
    ngx_hyperdrive_proto_piece_t *piece);
static ngx_hyperdrive_proto_piece_e ngx_hyperdrive_pg_answer_class(
    u_char type);
static ngx_uint_t ngx_hyperdrive_pg_answer_tag(ngx_hyperdrive_pg_origin_t *o,
    u_char type);
static ngx_uint_t ngx_hyperdrive_pg_answer_whole(u_char type);
static ngx_int_t ngx_hyperdrive_pg_answer_row_end(
    ngx_hyperdrive_pg_origin_t *o, ngx_hyperdrive_pg_reply_t *first,
    ngx_uint_t pop);
static ngx_int_t ngx_hyperdrive_pg_answer_described(
    ngx_hyperdrive_pg_client_t *c, ngx_hyperdrive_pg_origin_t *o, u_char *p,
    size_t total, ngx_hyperdrive_chain_t *reply,
    ngx_hyperdrive_proto_piece_t *piece);
static void ngx_hyperdrive_pg_answer_copy_in(
    ngx_hyperdrive_pg_origin_t *o, ngx_uint_t *struck);
static ngx_int_t ngx_hyperdrive_pg_answer_break(
    ngx_hyperdrive_pg_origin_t *o, ngx_hyperdrive_chain_t *reply,
    ngx_hyperdrive_proto_piece_t *piece);
static void ngx_hyperdrive_pg_answer_pop(ngx_hyperdrive_pg_origin_t *o);
static ngx_int_t ngx_hyperdrive_pg_answer_bad(
    ngx_hyperdrive_proto_piece_t *piece, char *text);


/* as the database says it */
static char  ngx_hyperdrive_pg_answer_changed[] =
    "SERROR\0" "VERROR\0" "C0A000\0"
    "Mcached plan must not change result type\0"
    "RRevalidateCachedQuery\0";


ngx_int_t
ngx_hyperdrive_pg_answer(void *client, void *origin, u_char **pos,
    u_char *last, ngx_uint_t apart, ngx_hyperdrive_chain_t *reply,
    ngx_hyperdrive_proto_piece_t *piece)
{
    u_char                        *p;
    size_t                         n, total;
    uint32_t                       len;
    ngx_int_t                      rc;
    ngx_uint_t                     tag, rows;
    ngx_hyperdrive_pg_origin_t    *o;
    ngx_hyperdrive_proto_piece_e   type;

    o = origin;
    p = *pos;

    ngx_memzero(piece, sizeof(ngx_hyperdrive_proto_piece_t));
    piece->data = p;

    for ( ;; ) {

        if (o->left) {

            n = ngx_min((size_t) (last - p), o->left);

            if (!o->pass) {

                /* piece->len is 0: what was before has been handed out */

                p += n;
                o->left -= n;
                piece->data = p;

                if (o->left) {
                    goto again;
                }

                continue;
            }

            p += n;
            o->left -= n;
            piece->len += n;
            piece->type = ngx_hyperdrive_pg_answer_class(o->type);

            if (o->left) {
                goto again;
            }

            continue;
        }

        if (o->ledger.n
            && ngx_hyperdrive_pg_ledger_at(&o->ledger, 0)->action
               != NGX_HYPERDRIVE_PG_PASS)
        {
            /* what we add or leave out comes behind what is passed on */

            if (piece->len) {
                goto done;
            }

            if (ngx_hyperdrive_pg_ledger_at(&o->ledger, 0)->action
                == NGX_HYPERDRIVE_PG_BREAK)
            {
                *pos = p;
                return ngx_hyperdrive_pg_answer_break(o, reply, piece);
            }

            ngx_hyperdrive_pg_answer_own(o, reply);
        }

        if (last - p < NGX_HYPERDRIVE_PG_HEADER) {
            goto again;
        }

        len = ngx_hyperdrive_base_get_u32(p + 1);

        if (len < 4 || len > NGX_HYPERDRIVE_MAX_MESSAGE) {
            return ngx_hyperdrive_pg_answer_bad(piece,
                                                "invalid message length");
        }

        total = 1 + (size_t) len;
        type = ngx_hyperdrive_pg_answer_class(p[0]);

        if (piece->len
            && ((type != piece->type
                 && (apart || type > NGX_HYPERDRIVE_PROTO_ROWS
                     || piece->type > NGX_HYPERDRIVE_PROTO_ROWS))
                || type == NGX_HYPERDRIVE_PROTO_READY
                || type == NGX_HYPERDRIVE_PROTO_ERROR))
        {
            goto done;
        }

        tag = ngx_hyperdrive_pg_answer_tag(o, p[0]);

        if ((size_t) (last - p) < total
            && (tag || ngx_hyperdrive_pg_answer_whole(p[0])))
        {
            if (total > NGX_HYPERDRIVE_PG_MAX_WHOLE) {
                return ngx_hyperdrive_pg_answer_bad(piece,
                                                    "message is too long");
            }

            goto again;
        }

        rows = piece->rows;

        rc = ngx_hyperdrive_pg_answer_message(client, o, p, total, reply,
                                              piece);
        if (rc == NGX_ERROR) {
            return NGX_ERROR;
        }

        piece->tag = tag;

        if ((piece->own || (tag && rc == NGX_DECLINED)) && !o->suppress) {

            /* what we have asked for, whole */

            piece->own = 1;

            piece->data = p;
            piece->len = total;
            piece->type = type;

            p += total;

            goto done;
        }

        piece->own = 0;

        if (o->said_len && !o->suppress) {

            /* an error, alone in its piece, with another length */

            piece->data = o->said;
            piece->len = o->said_len;
            piece->type = type;

            o->said_len = 0;
            p += total;

            goto done;
        }

        if (rc == NGX_DECLINED || o->suppress) {

            /* not for the client */

            piece->rows = rows;
            piece->end = 0;
            piece->counts = 0;
            piece->rollback = 0;

            if (piece->len) {
                /* hands out what is before it; it is skipped then */
                o->left = total;
                o->pass = 0;
                goto done;
            }

            if (piece->type == NGX_HYPERDRIVE_PROTO_READY) {
                piece->own = 1;
                *pos = p + total;
                return NGX_OK;
            }

            n = ngx_min((size_t) (last - p), total);

            p += n;
            o->left = total - n;
            o->pass = 0;

            piece->data = p;
            piece->type = NGX_HYPERDRIVE_PROTO_OTHER;

            if (o->left) {
                goto again;
            }

            if (piece->again) {
                *pos = p;
                return NGX_OK;
            }

            continue;
        }

        piece->type = type;
        o->type = p[0];

        n = ngx_min((size_t) (last - p), total);

        p += n;
        o->left = total - n;
        o->pass = 1;
        piece->len += n;

        if (o->left) {
            goto again;
        }

        if (piece->end || piece->counts || piece->pid
            || type == NGX_HYPERDRIVE_PROTO_READY
            || type == NGX_HYPERDRIVE_PROTO_ERROR)
        {
            goto done;
        }
    }

again:

    if (piece->len == 0 && !piece->changed) {
        *pos = p;
        return NGX_AGAIN;
    }

done:

    *pos = p;
    piece->cut = (o->left && o->pass);

    return NGX_OK;
}


/*
 * Takes one message, of which at least the header is there, against the
 * ledger.  NGX_OK: it goes to the client.  NGX_DECLINED: it does not.
 */

static ngx_int_t
ngx_hyperdrive_pg_answer_message(ngx_hyperdrive_pg_client_t *c,
    ngx_hyperdrive_pg_origin_t *o, u_char *p, size_t total,
    ngx_hyperdrive_chain_t *reply, ngx_hyperdrive_proto_piece_t *piece)
{
    ngx_int_t                   rc;
    ngx_str_t                   said;
    ngx_uint_t                  sync, query, goes_on;
    ngx_hyperdrive_pg_reply_t  *first;

    switch (p[0]) {

    case 'N':
        if (ngx_hyperdrive_pg_answer_tag(o, 'N')
            || (o->ledger.n
                && ngx_hyperdrive_pg_behind_ours(
                       ngx_hyperdrive_pg_ledger_at(&o->ledger, 0)->behind)))
        {
            return NGX_DECLINED;
        }

        return o->ledger.n || c ? NGX_OK : NGX_DECLINED;

    case 'S':
        if (ngx_hyperdrive_pg_status_take(c, o, p, total, reply) == NGX_OK) {
            return NGX_DECLINED;
        }

        /* at any time (55.2.7 "Asynchronous Operations") */
        return o->ledger.n || c ? NGX_OK : NGX_DECLINED;

    case 'A':
        if (total >= NGX_HYPERDRIVE_PG_HEADER + 4) {
            piece->pid = p + NGX_HYPERDRIVE_PG_HEADER;
        }

        return o->ledger.n || c ? NGX_OK : NGX_DECLINED;

    case 'E':
        rc = (o->ledger.n && ngx_hyperdrive_pg_ledger_at(&o->ledger, 0)->alone)
             ? NGX_DECLINED : NGX_OK;

        ngx_hyperdrive_pg_answer_error(c, o, p, total, piece);

        return piece->again ? NGX_DECLINED : piece->fatal ? NGX_OK : rc;

    default:
        break;
    }

    if (o->ledger.n == 0) {
        return ngx_hyperdrive_pg_answer_bad(piece, "answer to no request");
    }

    first = ngx_hyperdrive_pg_ledger_at(&o->ledger, 0);

    query = (first->type == NGX_HYPERDRIVE_PG_REPLY_QUERY);
    rc = (first->action == NGX_HYPERDRIVE_PG_PASS) ? NGX_OK : NGX_DECLINED;

    if (first->behind) {
        said.data = p;
        said.len = total;

        if (ngx_hyperdrive_pg_behind_take(o, first->behind, &said) != NGX_OK) {
            return NGX_DECLINED;
        }

        p = said.data;
        total = said.len;
    }

    switch (p[0]) {

    case 'D':
        if (!query && first->type != NGX_HYPERDRIVE_PG_REPLY_EXECUTE) {
            break;
        }

        piece->rows++;

        return rc;

    case 'C':
        piece->end = 1;
        piece->counts = first->counts;
        piece->rollback = (total == sizeof("C1234ROLLBACK")
                           && ngx_memcmp(p + NGX_HYPERDRIVE_PG_HEADER,
                                         "ROLLBACK", sizeof("ROLLBACK"))
                              == 0);
        o->undone |= piece->rollback;
        piece->discard = ngx_hyperdrive_pg_probe_discard(p, total);

        if (first->begin) {
            o->status = 'T';
            o->begins = 0;
            o->fence = 0;
        }

        return ngx_hyperdrive_pg_answer_row_end(o, first, !query) == NGX_OK
               ? rc : ngx_hyperdrive_pg_answer_bad(piece, "unexpected end");

    case 'I':
    case 's':
        piece->counts = (first->counts && !query);

        return ngx_hyperdrive_pg_answer_row_end(o, first, !query) == NGX_OK
               ? rc : ngx_hyperdrive_pg_answer_bad(piece, "unexpected end");

    case 'T':
    case 'n':

        if (query) {

            if (p[0] == 'n') {
                break;
            }

            return rc;
        }

        if (first->type == NGX_HYPERDRIVE_PG_REPLY_PORTAL) {
            piece->own = (rc == NGX_DECLINED);
            ngx_hyperdrive_pg_answer_pop(o);
            return rc;
        }

        if (first->type != NGX_HYPERDRIVE_PG_REPLY_DESCRIBE) {
            break;
        }

        if (ngx_hyperdrive_pg_answer_described(c, o, p, total, reply, piece)
            != NGX_OK)
        {
            return ngx_hyperdrive_pg_answer_bad(piece,
                               "a prepared statement has another result now");
        }

        ngx_hyperdrive_pg_answer_pop(o);

        return rc;

    case 't':
        if (first->type != NGX_HYPERDRIVE_PG_REPLY_DESCRIBE) {
            break;
        }

        free(o->params);

        o->params = malloc(total);
        o->params_len = 0;

        if (o->params) {
            ngx_memcpy(o->params, p, total);
            o->params_len = total;
        }

        return rc;

    case '1':
        if (first->type != NGX_HYPERDRIVE_PG_REPLY_PARSE) {
            break;
        }

        if (first->epoch) {
            ngx_hyperdrive_state_stmt_describe(o->ctx->registry, first->stmt,
                                               first->epoch, NULL, 0, 0);
        }

        ngx_hyperdrive_pg_answer_pop(o);
        return rc;

    case '2':
        if (first->type != NGX_HYPERDRIVE_PG_REPLY_BIND) {
            break;
        }

        ngx_hyperdrive_pg_answer_pop(o);
        return rc;

    case '3':
        if (first->type != NGX_HYPERDRIVE_PG_REPLY_CLOSE) {
            break;
        }

        ngx_hyperdrive_pg_answer_pop(o);
        return rc;

    case 'V':
        if (first->type != NGX_HYPERDRIVE_PG_REPLY_FUNCTION) {
            break;
        }

        return rc;

    case 'G':
    case 'W':
        if (!query && first->type != NGX_HYPERDRIVE_PG_REPLY_EXECUTE) {
            break;
        }

        ngx_hyperdrive_pg_answer_copy_in(o, &piece->struck);

        return rc;

    case 'H':
    case 'd':
    case 'c':
        if (!query && first->type != NGX_HYPERDRIVE_PG_REPLY_EXECUTE) {
            break;
        }

        return rc;

    case 'Z':
        sync = (first->type == NGX_HYPERDRIVE_PG_REPLY_SYNC);

        if ((!sync && !query
             && first->type != NGX_HYPERDRIVE_PG_REPLY_FUNCTION)
            || total != 6)
        {
            break;
        }

        o->status = p[5];
        o->copy_in = 0;
        o->suppress = 0;

        goes_on = first->goes_on;

        if (goes_on) {
            rc = NGX_DECLINED;
        }

        if (rc == NGX_OK) {
            o->repeats = 0;
        }

        ngx_hyperdrive_pg_answer_pop(o);

        if (o->ledger.n == 0) {
            o->wrote = 0;
            o->block = 0;
            o->open = 0;
        }

        piece->type = NGX_HYPERDRIVE_PROTO_READY;
        piece->block = (o->status != 'I');
        piece->dead = (o->status == 'E');
        piece->trailed = (o->ledger.n == 1 && !o->partial && !o->hold
                          && ngx_hyperdrive_pg_ledger_at(&o->ledger, 0)->trail);

        if (rc == NGX_OK) {

            if (c) {
                c->moved = 0;
            }

            if (c && (c->told != o->reported || c->before)) {
                ngx_hyperdrive_pg_status_tell(c, o, reply);
            }
        }

        if (!goes_on) {
            o->undone = 0;
        }

        return rc;

    default:
        break;
    }

    return ngx_hyperdrive_pg_answer_bad(piece, "unexpected message");
}


static ngx_hyperdrive_proto_piece_e
ngx_hyperdrive_pg_answer_class(u_char type)
{
    switch (type) {

    case 'T':
        return NGX_HYPERDRIVE_PROTO_HEAD;

    case 'D':
    case 'C':
        return NGX_HYPERDRIVE_PROTO_ROWS;

    case 'E':
        return NGX_HYPERDRIVE_PROTO_ERROR;

    case 'Z':
        return NGX_HYPERDRIVE_PROTO_READY;

    case '1':
    case '2':
    case '3':
    case 't':
    case 'n':
        return NGX_HYPERDRIVE_PROTO_OTHER;

    default:
        return NGX_HYPERDRIVE_PROTO_NOTICE;
    }
}


/* the request of our own that this message answers, or 0 */

static ngx_uint_t
ngx_hyperdrive_pg_answer_tag(ngx_hyperdrive_pg_origin_t *o, u_char type)
{
    if (o->ledger.n == 0 || type == 'S' || type == 'A') {
        return 0;
    }

    return ngx_hyperdrive_pg_ledger_at(&o->ledger, 0)->tag;
}


/* rows and copy data stream through, all else is read whole */

static ngx_uint_t
ngx_hyperdrive_pg_answer_whole(u_char type)
{
    return type != 'D' && type != 'd' && type != 'V';
}


/* the end of one execution */

static ngx_int_t
ngx_hyperdrive_pg_answer_row_end(ngx_hyperdrive_pg_origin_t *o,
    ngx_hyperdrive_pg_reply_t *first, ngx_uint_t pop)
{
    if (!pop) {
        return NGX_OK;
    }

    if (first->type != NGX_HYPERDRIVE_PG_REPLY_EXECUTE) {
        return NGX_ERROR;
    }

    ngx_hyperdrive_pg_answer_pop(o);

    return NGX_OK;
}


/*
 * The second part of the answer to a Describe of a statement.  NGX_ERROR: its
 * rows differ from what the client was told, and no error may be made up.
 */

static ngx_int_t
ngx_hyperdrive_pg_answer_described(ngx_hyperdrive_pg_client_t *c,
    ngx_hyperdrive_pg_origin_t *o, u_char *p, size_t total,
    ngx_hyperdrive_chain_t *reply, ngx_hyperdrive_proto_piece_t *piece)
{
    size_t                        len;
    u_char                       *data;
    uint64_t                      shape;
    ngx_uint_t                    i, n;
    ngx_hyperdrive_pg_reply_t    *first, *next;
    ngx_hyperdrive_state_item_t  *item;

    first = ngx_hyperdrive_pg_ledger_at(&o->ledger, 0);
    shape = ngx_hyperdrive_pg_shape(p, total);

    if (first->stmt && first->epoch && o->params_len) {

        len = o->params_len + total;
        data = realloc(o->params, len);

        if (data) {
            ngx_memcpy(data + o->params_len, p, total);

            ngx_hyperdrive_state_stmt_describe(o->ctx->registry, first->stmt,
                                               first->epoch, data, len,
                                               shape);
            o->params = data;
        }
    }

    free(o->params);
    o->params = NULL;
    o->params_len = 0;

    item = first->id ? ngx_hyperdrive_state_set_find(&o->set, first->id)
                     : NULL;
    if (item) {
        item->shape = shape;
    }

    if (first->action == NGX_HYPERDRIVE_PG_PASS) {

        if (c && first->name) {
            first->name->shape = shape;
        }

        return NGX_OK;
    }

    if (first->told == shape || c == NULL) {
        return NGX_OK;
    }

    piece->changed = 1;

    if (first->stmt) {
        /* whoever prepares it anew gets a name of its own */
        first->stmt->id = 0;
    }

    if (o->wrote || o->block || o->status == 'T' || o->status == 'E') {
        return NGX_ERROR;
    }

    for (n = 1; n < o->ledger.n; n++) {
        next = ngx_hyperdrive_pg_ledger_at(&o->ledger, n);

        if (next->type == NGX_HYPERDRIVE_PG_REPLY_SYNC) {
            break;
        }

        if (next->type == NGX_HYPERDRIVE_PG_REPLY_QUERY
            || next->type == NGX_HYPERDRIVE_PG_REPLY_FUNCTION)
        {
            /* it would have been skipped, and cannot be called back */
            return NGX_ERROR;
        }
    }

    /* drivers look at the routine's name, and prepare it once more */

    ngx_hyperdrive_pg_message(reply, 'E',
                              ngx_hyperdrive_pg_answer_changed,
                              sizeof(ngx_hyperdrive_pg_answer_changed));

    o->suppress = 1;

    ngx_hyperdrive_pg_repeat_end(o);

    if (n == o->ledger.n) {
        o->ignore = 1;
    }

    /* for the client, what was sent behind it does not happen */

    for (i = n; i > 1; i--) {
        ngx_hyperdrive_pg_answer_error_names(c, o, i - 1, n, 0);
    }

    return NGX_OK;
}


/*
 * The origin waits for COPY data: a Sync that is on the way already will be
 * read and ignored.  Of any other request the COPY fails, and the connection
 * ends, as the origin is going to say; or we, if it has not been asked.
 */

static void
ngx_hyperdrive_pg_answer_copy_in(ngx_hyperdrive_pg_origin_t *o,
    ngx_uint_t *struck)
{
    ngx_uint_t                  i, asked, own;
    ngx_hyperdrive_pg_reply_t  *reply, *first;

    o->copy_in = 1;

    asked = 0;
    own = 0;
    first = ngx_hyperdrive_pg_ledger_at(&o->ledger, 0);

    for (i = 1; i < o->ledger.n; i++) {
        reply = ngx_hyperdrive_pg_ledger_at(&o->ledger, i);

        if (reply->type == NGX_HYPERDRIVE_PG_REPLY_SYNC) {
            *struck += (reply->action != NGX_HYPERDRIVE_PG_DROP);

        } else if (reply->action == NGX_HYPERDRIVE_PG_OWN) {
            own = 1;

        } else {
            asked = 1;
        }
    }

    if (own || asked) {
        o->poisoned = 1;

        if (!asked) {
            first->action = NGX_HYPERDRIVE_PG_BREAK;
        }

        return;
    }

    if (o->ledger.n > 1) {
        o->ledger.n = 1;
        o->open = (first->type == NGX_HYPERDRIVE_PG_REPLY_EXECUTE);
    }
}


/* as the database says it, of the first request that it was not asked */

static ngx_int_t
ngx_hyperdrive_pg_answer_break(ngx_hyperdrive_pg_origin_t *o,
    ngx_hyperdrive_chain_t *reply, ngx_hyperdrive_proto_piece_t *piece)
{
    char                       *text;
    ngx_uint_t                  i;
    ngx_hyperdrive_pg_reply_t  *next;

    i = 1;

    do {
        next = ngx_hyperdrive_pg_ledger_at(&o->ledger, i++);
    } while (next->action != NGX_HYPERDRIVE_PG_OWN);

    text = (next->type == NGX_HYPERDRIVE_PG_REPLY_PARSE)
           ? "unexpected message type 0x50 during COPY from stdin"
           : "unexpected message type 0x43 during COPY from stdin";

    if (reply) {
        ngx_hyperdrive_pg_error(reply, "ERROR", "08P01", text, NULL, NULL);
        ngx_hyperdrive_pg_error(reply, "FATAL", "08P01",
                                "terminating connection because protocol "
                                "synchronization was lost", NULL, NULL);
    }

    piece->type = NGX_HYPERDRIVE_PROTO_ERROR;
    piece->fatal = 1;

    return NGX_OK;
}


/* the first reply has come: what depended on it is final */

static void
ngx_hyperdrive_pg_answer_pop(ngx_hyperdrive_pg_origin_t *o)
{
    ngx_hyperdrive_pg_reply_t  *reply;

    reply = ngx_hyperdrive_pg_ledger_at(&o->ledger, 0);

    if (reply->kept && reply->action == NGX_HYPERDRIVE_PG_PASS) {
        ngx_hyperdrive_pg_repeat_end(o);
    }

    if (reply->drops) {
        ngx_hyperdrive_pg_portal_dropped(o->ctx, reply);
    }

    if (reply->old) {
        ngx_hyperdrive_pg_client_free_name(o->ctx, reply->old);
    }

    if (reply->stmt) {
        ngx_hyperdrive_state_stmt_unref(o->ctx->registry, reply->stmt);
    }

    ngx_hyperdrive_pg_ledger_shift(&o->ledger);
}


void
ngx_hyperdrive_pg_answer_own(ngx_hyperdrive_pg_origin_t *o,
    ngx_hyperdrive_chain_t *reply)
{
    ngx_hyperdrive_pg_reply_t  *first;

    while (o->ledger.n && o->left == 0) {

        first = ngx_hyperdrive_pg_ledger_at(&o->ledger, 0);

        if (first->action != NGX_HYPERDRIVE_PG_OWN) {
            break;
        }

        if (reply && !o->suppress) {
            ngx_hyperdrive_base_chain_append(reply,
                           first->type == NGX_HYPERDRIVE_PG_REPLY_PARSE
                           ? "1\0\0\0\4" : "3\0\0\0\4", 5);
        }

        ngx_hyperdrive_pg_answer_pop(o);
    }
}


static ngx_int_t
ngx_hyperdrive_pg_answer_bad(ngx_hyperdrive_proto_piece_t *piece, char *text)
{
    piece->data = (u_char *) text;
    piece->len = ngx_strlen(text);

    return NGX_ERROR;
}
