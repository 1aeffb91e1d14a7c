
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "pg/ngx_hyperdrive_pg_forward.h"


/*
 * Statements of our own that run directly behind a client's, before anything
 * that it has sent behind that: in the text of a Query, behind an Execute in
 * the same group, or behind a Query that bears nothing in its text.  Nothing
 * of their answers is shown, and an error is where it would be without them.
 */


/* of one statement, in the text of a Query */

typedef struct {
    ngx_uint_t                        statement;   /* behind which */
    size_t                            at;          /* in the client's text, in
                                                      characters */
    size_t                            len;         /* ...so many were put in */
} ngx_hyperdrive_pg_behind_item_t;


struct ngx_hyperdrive_pg_behind_s {
    ngx_uint_t                        n;
    ngx_uint_t                        completed;   /* of these... */
    ngx_uint_t                        statements;  /* ...and of the client's */
    size_t                            held;        /* in said: the end of the
                                                      last of these */
    ngx_hyperdrive_pg_behind_item_t   items[];
};


static ngx_int_t ngx_hyperdrive_pg_behind_text(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_stmt_t *stmt, ngx_hyperdrive_pg_reply_t *reply);
static size_t ngx_hyperdrive_pg_behind_chars(ngx_uint_t utf8, u_char *p,
    size_t len);
static ngx_int_t ngx_hyperdrive_pg_behind_apart(
    ngx_hyperdrive_pg_forward_t *f, ngx_hyperdrive_pg_reply_t *reply);


ngx_int_t
ngx_hyperdrive_pg_behind_query(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_stmt_t *stmt, ngx_hyperdrive_pg_reply_t *reply)
{
    return f->apart ? ngx_hyperdrive_pg_behind_apart(f, reply)
                    : ngx_hyperdrive_pg_behind_text(f, stmt, reply);
}


static ngx_int_t
ngx_hyperdrive_pg_behind_text(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_stmt_t *stmt, ngx_hyperdrive_pg_reply_t *reply)
{
    size_t                            len, done;
    u_char                           *p;
    ngx_uint_t                        i, utf8;
    ngx_hyperdrive_proto_behind_t    *behind;
    ngx_hyperdrive_pg_behind_item_t  *item;

    reply->behind = malloc(sizeof(ngx_hyperdrive_pg_behind_t)
                           + f->nbehind
                             * sizeof(ngx_hyperdrive_pg_behind_item_t));
    if (reply->behind == NULL) {
        goto failed;
    }

    reply->behind->n = f->nbehind;
    reply->behind->completed = 0;
    reply->behind->statements = 0;
    reply->behind->held = 0;

    utf8 = ngx_hyperdrive_pg_status_utf8(f->origin->reported);
    len = f->total - 1;

    for (i = 0; i < f->nbehind; i++) {
        behind = &f->behind[i];
        item = &reply->behind->items[i];

        item->statement = behind->statement;
        item->at = ngx_hyperdrive_pg_behind_chars(utf8, stmt->text,
                                                  behind->at);
        item->len = 1 + ngx_hyperdrive_pg_behind_chars(utf8,
                                                       behind->text.data,
                                                       behind->text.len);
        len += 1 + behind->text.len;
    }

    p = ngx_hyperdrive_base_chain_reserve(f->out, NGX_HYPERDRIVE_PG_HEADER);
    if (p == NULL) {
        goto failed;
    }

    *p++ = 'Q';
    (void) ngx_hyperdrive_base_put_u32(p, len);

    done = 0;

    for (i = 0; i < f->nbehind; i++) {
        behind = &f->behind[i];

        if (ngx_hyperdrive_base_chain_append(f->out, stmt->text + done,
                                             behind->at - done)
            != NGX_OK
            || ngx_hyperdrive_base_chain_append(f->out, ";", 1) != NGX_OK
            || ngx_hyperdrive_base_chain_append(f->out, behind->text.data,
                                                behind->text.len)
               != NGX_OK)
        {
            goto failed;
        }

        done = behind->at;
    }

    /* with the NUL */

    if (ngx_hyperdrive_base_chain_append(f->out, stmt->text + done,
                                         stmt->len + 1 - done)
        == NGX_OK)
    {
        return NGX_OK;
    }

failed:

    return ngx_hyperdrive_pg_forward_error(f, "53200", "out of memory");
}


/* positions are told in characters, of which others are bytes, or nearly so */

static size_t
ngx_hyperdrive_pg_behind_chars(ngx_uint_t utf8, u_char *p, size_t len)
{
    size_t  i, n;

    n = 0;

    for (i = 0; i < len; i++) {
        n += !(utf8 && (p[i] & 0xc0) == 0x80);
    }

    return n;
}


/*
 * A Query that may not share its text, nor its transaction, with anything.
 * Its end is not shown: the Sync's behind it is.
 */

static ngx_int_t
ngx_hyperdrive_pg_behind_apart(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_pg_reply_t *reply)
{
    ngx_uint_t                   i;
    ngx_hyperdrive_pg_origin_t  *o;

    o = f->origin;

    reply->goes_on = 1;

    if (ngx_hyperdrive_pg_forward_raw(f) != NGX_OK) {
        return NGX_ERROR;
    }

    for (i = 0; i < f->nbehind; i++) {

        if (ngx_hyperdrive_pg_own(o, &f->behind[i].text, f->tag,
                                  NGX_HYPERDRIVE_PROTO_OWN_ALONE, f->out)
            != NGX_OK)
        {
            goto failed;
        }
    }

    o->prelude = 0;
    o->open = 0;

    if (ngx_hyperdrive_pg_forward_expect(f, NGX_HYPERDRIVE_PG_REPLY_SYNC,
                                         NGX_HYPERDRIVE_PG_PASS, NULL)
        == NULL
        || ngx_hyperdrive_base_chain_append(f->out, "S\0\0\0\4", 5) != NGX_OK)
    {
        goto failed;
    }

    o->group = ++ngx_hyperdrive_pg_forward_group;

    return NGX_OK;

failed:

    return ngx_hyperdrive_pg_forward_error(f, "53200", "out of memory");
}


ngx_uint_t
ngx_hyperdrive_pg_behind_ours(ngx_hyperdrive_pg_behind_t *behind)
{
    return behind && behind->completed < behind->n
           && behind->items[behind->completed].statement < behind->statements;
}


/*
 * The last statement of a text is complete when its transaction has committed,
 * which is behind ours: until then the client is not told so.
 */

ngx_int_t
ngx_hyperdrive_pg_behind_take(ngx_hyperdrive_pg_origin_t *o,
    ngx_hyperdrive_pg_behind_t *behind, ngx_str_t *message)
{
    u_char      *said;
    ngx_uint_t   ours;

    ours = ngx_hyperdrive_pg_behind_ours(behind);

    switch (message->data[0]) {

    case 'C':
        break;

    case 'T':
    case 'D':
        return ours ? NGX_DECLINED : NGX_OK;

    default:
        return NGX_OK;
    }

    if (ours) {
        behind->completed++;

        if (ngx_hyperdrive_pg_behind_ours(behind) || behind->held == 0) {
            return NGX_DECLINED;
        }

        o->said_len = behind->held;
        behind->held = 0;

        message->data = o->said;
        message->len = o->said_len;

        return NGX_OK;
    }

    behind->statements++;

    if (!ngx_hyperdrive_pg_behind_ours(behind)) {
        return NGX_OK;
    }

    said = realloc(o->said, message->len);
    if (said == NULL) {
        return NGX_OK;
    }

    ngx_memcpy(said, message->data, message->len);

    o->said = said;
    behind->held = message->len;

    return NGX_DECLINED;
}


ngx_uint_t
ngx_hyperdrive_pg_behind_position(ngx_hyperdrive_pg_behind_t *behind,
    ngx_uint_t position)
{
    ngx_uint_t                        i, before;
    ngx_hyperdrive_pg_behind_item_t  *item;

    before = 0;

    for (i = 0; i < behind->n; i++) {
        item = &behind->items[i];

        if (position - 1 < item->at + before + item->len) {

            if (position - 1 >= item->at + before) {
                /* within ours */
                return item->at + 1;
            }

            break;
        }

        before += item->len;
    }

    return position - before;
}
