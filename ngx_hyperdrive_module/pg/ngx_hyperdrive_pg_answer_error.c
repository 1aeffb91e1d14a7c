
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "pg/ngx_hyperdrive_pg.h"
#include "pg/ngx_hyperdrive_pg_message.h"
#include "base/ngx_hyperdrive_base_cursor.h"


/*
 * An error of the database: what is struck out by it, and what the client is
 * told.
 */


static ngx_uint_t ngx_hyperdrive_pg_answer_error_id(uint64_t id,
    uint64_t stmt_id);
static void ngx_hyperdrive_pg_answer_error_say(
    ngx_hyperdrive_pg_origin_t *o, u_char *p, size_t total,
    ngx_hyperdrive_pg_reply_t *reply);
static void ngx_hyperdrive_pg_answer_error_place(
    ngx_hyperdrive_pg_origin_t *o, u_char *p, size_t total,
    ngx_hyperdrive_pg_behind_t *behind);
static ngx_uint_t ngx_hyperdrive_pg_answer_error_commit(u_char *sqlstate);
static u_char *ngx_hyperdrive_pg_answer_error_find(ngx_str_t *text,
    const char *what);
static ngx_uint_t ngx_hyperdrive_pg_answer_error_strike(
    ngx_hyperdrive_pg_client_t *c, ngx_hyperdrive_pg_origin_t *o,
    ngx_uint_t *struck);
static void ngx_hyperdrive_pg_answer_error_undo(ngx_hyperdrive_pg_origin_t *o,
    ngx_hyperdrive_pg_reply_t *reply);


void
ngx_hyperdrive_pg_answer_error(ngx_hyperdrive_pg_client_t *c,
    ngx_hyperdrive_pg_origin_t *o, u_char *p, size_t total,
    ngx_hyperdrive_proto_piece_t *piece)
{
    size_t                      len;
    u_char                     *body;
    ngx_str_t                   field;
    ngx_hyperdrive_pg_reply_t  *first;

    body = p + NGX_HYPERDRIVE_PG_HEADER;
    len = total - NGX_HYPERDRIVE_PG_HEADER;

    if (ngx_hyperdrive_pg_error_field(body, len, 'V', &field) == NGX_OK
        && (field.data[0] == 'F' || field.data[0] == 'P'))
    {
        /* FATAL, PANIC */
        piece->fatal = 1;
        o->poisoned = 1;
    }

    if (ngx_hyperdrive_pg_error_field(body, len, 'C', &field) == NGX_OK
        && field.len == 5)
    {
        piece->sqlstate = field.data;
        piece->cancelled = (ngx_memcmp(field.data, "57014", 5) == 0);

        if (ngx_memcmp(field.data, "25006", 5) == 0) {
            piece->read_only = NGX_HYPERDRIVE_PROTO_READ_ONLY_MAYBE;
        }
    }

    if (o->ledger.n == 0) {
        return;
    }

    o->copy_in = 0;
    o->undone = 1;

    first = ngx_hyperdrive_pg_ledger_at(&o->ledger, 0);

    if (first->tag == NGX_HYPERDRIVE_PG_RESET_TAG) {
        o->poisoned = 1;
    }

    if (first->begin || ngx_hyperdrive_pg_own_begins(o)) {

        /* the client was told that it is in a block, which it is not */

        piece->fatal = 1;
        o->poisoned = 1;
    }

    if (first->stmt
        && ngx_hyperdrive_pg_answer_error_id(first->id, first->stmt->id)
        && piece->sqlstate && ngx_memcmp(piece->sqlstate, "0A000", 5) == 0)
    {
        /*
         * "cached plan must not change result type": the next one who
         * prepares this text gets a fresh statement.
         */
        first->stmt->id = 0;
        piece->changed = 1;
    }

    if (first->type == NGX_HYPERDRIVE_PG_REPLY_PARSE
        && first->action == NGX_HYPERDRIVE_PG_DROP)
    {
        /* a text of which we have said that it is right */
        piece->changed = 1;
    }

    if (ngx_hyperdrive_pg_repeat_possible(c, o, body, len)) {
        piece->again = 1;

    } else if (c && (first->label || first->mangled)) {
        ngx_hyperdrive_pg_answer_error_say(o, p, total, first);

    } else if (first->behind) {
        ngx_hyperdrive_pg_answer_error_place(o, p, total, first->behind);
    }

    if (first->type == NGX_HYPERDRIVE_PG_REPLY_QUERY
        || first->type == NGX_HYPERDRIVE_PG_REPLY_FUNCTION
        || first->type == NGX_HYPERDRIVE_PG_REPLY_SYNC)
    {
        /*
         * Its ReadyForQuery follows.  (At a Sync: a deferred constraint, or
         * a serialization failure of the implicit commit.)
         */

        if (first->drops
            && !ngx_hyperdrive_pg_answer_error_commit(piece->sqlstate))
        {
            ngx_hyperdrive_pg_portal_kept(c, o, first);
            first->drops = 0;
        }

        if (first->unread && piece->sqlstate
            && (ngx_memcmp(piece->sqlstate, "22021", 5) == 0
                || ngx_memcmp(piece->sqlstate, "08P01", 5) == 0))
        {
            /* the client's unnamed statement is where it was */

            first->unread = 0;
            ngx_hyperdrive_pg_answer_error_names(c, o, 0, 1, 0);
        }

        return;
    }

    if (!piece->again) {
        ngx_hyperdrive_pg_repeat_end(o);
    }

    if (ngx_hyperdrive_pg_answer_error_strike(c, o, &piece->struck) == 0) {
        o->ignore = 1;
    }
}


/*
 * Whether an error at a DEALLOCATE, or a DISCARD ALL, can only be that of the
 * commit, with what was executed ahead of it and no Sync.  The statements are
 * gone then.
 */

static ngx_uint_t
ngx_hyperdrive_pg_answer_error_commit(u_char *sqlstate)
{
    return sqlstate
           && ngx_memcmp(sqlstate, "26000", 5) != 0
           && ngx_memcmp(sqlstate, "25", 2) != 0
           && ngx_memcmp(sqlstate, "57", 2) != 0;
}


/* <id> is the statement's at this origin, not one that it had before */

static ngx_uint_t
ngx_hyperdrive_pg_answer_error_id(uint64_t id, uint64_t stmt_id)
{
    return (id & ((1ULL << 48) - 1)) == stmt_id;
}


/*
 * The message of an error names a statement as we have named it: the client
 * gets the name that it knows.
 */

static void
ngx_hyperdrive_pg_answer_error_say(ngx_hyperdrive_pg_origin_t *o, u_char *p,
    size_t total, ngx_hyperdrive_pg_reply_t *reply)
{
    size_t      len, head, name;
    u_char     *at, *out;
    ngx_str_t   text;

    if (ngx_hyperdrive_pg_error_field(p + NGX_HYPERDRIVE_PG_HEADER,
                                      total - NGX_HYPERDRIVE_PG_HEADER, 'M',
                                      &text)
        != NGX_OK)
    {
        return;
    }

    if (reply->mangled) {
        at = ngx_hyperdrive_pg_answer_error_find(&text, "\"-hyperdrive_");

        if (at) {
            at[1] = '_';
        }

        return;
    }

    at = ngx_hyperdrive_pg_answer_error_find(&text,
                                             "\"" NGX_HYPERDRIVE_PG_PREFIX);
    name = NGX_HYPERDRIVE_PG_STATEMENT_LEN;

    if (at == NULL) {
        /* what is not bound under its own name, see _forward_sql_bind() */
        at = ngx_hyperdrive_pg_answer_error_find(&text, "\"\"");
        name = 0;
    }

    if (at == NULL || (size_t) (text.data + text.len - at) < 1 + name) {
        return;
    }

    at++;
    len = total - name + reply->label->len;

    out = realloc(o->said, len);
    if (out == NULL) {
        return;
    }

    o->said = out;
    o->said_len = len;

    head = at - p;

    out = ngx_cpymem(out, p, head);
    out = ngx_cpymem(out, reply->label->name, reply->label->len);
    ngx_memcpy(out, at + name, total - head - name);

    (void) ngx_hyperdrive_base_put_u32(o->said + 1, (uint32_t) (len - 1));
}


/* ...and where it is, in the text as the client knows it */

static void
ngx_hyperdrive_pg_answer_error_place(ngx_hyperdrive_pg_origin_t *o, u_char *p,
    size_t total, ngx_hyperdrive_pg_behind_t *behind)
{
    u_char     *out, number[NGX_INT_T_LEN];
    size_t      len, head;
    ngx_int_t   n;
    ngx_str_t   field;

    if (ngx_hyperdrive_pg_error_field(p + NGX_HYPERDRIVE_PG_HEADER,
                                      total - NGX_HYPERDRIVE_PG_HEADER, 'P',
                                      &field)
        != NGX_OK)
    {
        return;
    }

    n = ngx_atoi(field.data, field.len);

    if (n < 1) {
        return;
    }

    len = ngx_sprintf(number, "%ui",
                      ngx_hyperdrive_pg_behind_position(behind, n))
          - number;

    out = realloc(o->said, total - field.len + len);
    if (out == NULL) {
        return;
    }

    o->said = out;
    o->said_len = total - field.len + len;

    head = field.data - p;

    out = ngx_cpymem(out, p, head);
    out = ngx_cpymem(out, number, len);
    ngx_memcpy(out, p + head + field.len, total - head - field.len);

    (void) ngx_hyperdrive_base_put_u32(o->said + 1,
                                       (uint32_t) (o->said_len - 1));
}


static u_char *
ngx_hyperdrive_pg_answer_error_find(ngx_str_t *text, const char *what)
{
    size_t   i, len;

    len = ngx_strlen(what);

    for (i = 0; i + len <= text->len; i++) {

        if (ngx_memcmp(text->data + i, what, len) == 0) {
            return text->data + i;
        }
    }

    return NULL;
}


/*
 * An error in the extended protocol: the origin reads and drops all up to the
 * Sync, so those replies never come.  Returns whether a Sync is on the way;
 * <struck>: units without an end of their own.
 */

static ngx_uint_t
ngx_hyperdrive_pg_answer_error_strike(ngx_hyperdrive_pg_client_t *c,
    ngx_hyperdrive_pg_origin_t *o, ngx_uint_t *struck)
{
    ngx_uint_t                  n, i;
    ngx_hyperdrive_pg_reply_t  *reply;

    for (n = 0; n < o->ledger.n; n++) {
        reply = ngx_hyperdrive_pg_ledger_at(&o->ledger, n);

        if (reply->type == NGX_HYPERDRIVE_PG_REPLY_SYNC) {
            break;
        }

        if ((reply->type == NGX_HYPERDRIVE_PG_REPLY_QUERY
             || reply->type == NGX_HYPERDRIVE_PG_REPLY_FUNCTION)
            && reply->action != NGX_HYPERDRIVE_PG_DROP && !reply->goes_on)
        {
            (*struck)++;
        }
    }

    /* the last is taken back first */

    for (i = n; i > 0; i--) {
        ngx_hyperdrive_pg_answer_error_names(c, o, i - 1, n, i == 1);
        ngx_hyperdrive_pg_answer_error_undo(o,
                               ngx_hyperdrive_pg_ledger_at(&o->ledger, i - 1));
    }

    for (i = 0; i < n; i++) {
        ngx_hyperdrive_pg_ledger_shift(&o->ledger);
    }

    if (o->ledger.n == 0) {
        return 0;
    }

    reply = ngx_hyperdrive_pg_ledger_at(&o->ledger, 0);

    if (reply->trail) {
        /* the Query in front of it will not be answered any more */
        reply->action = NGX_HYPERDRIVE_PG_PASS;
        reply->trail = 0;
        (*struck)--;
    }

    return 1;
}


/* what the origin would have been given or lost by it */

static void
ngx_hyperdrive_pg_answer_error_undo(ngx_hyperdrive_pg_origin_t *o,
    ngx_hyperdrive_pg_reply_t *reply)
{
    ngx_hyperdrive_state_item_t  *item;

    switch (reply->type) {

    case NGX_HYPERDRIVE_PG_REPLY_PARSE:

        if (reply->id) {
            ngx_hyperdrive_state_set_remove(&o->set, reply->id);

        } else if (reply->action != NGX_HYPERDRIVE_PG_OWN) {
            ngx_hyperdrive_pg_origin_unnamed(o, NULL);
        }

        break;

    case NGX_HYPERDRIVE_PG_REPLY_CLOSE:

        if (reply->id) {
            (void) ngx_hyperdrive_state_set_add(&o->set, reply->id);
        }

        break;

    case NGX_HYPERDRIVE_PG_REPLY_DESCRIBE:
        item = reply->id ? ngx_hyperdrive_state_set_find(&o->set, reply->id)
                         : NULL;
        if (item) {
            item->shape = 0;
        }

        break;

    default:
        break;
    }

    if (reply->stmt) {
        ngx_hyperdrive_state_stmt_unref(o->ctx->registry, reply->stmt);
    }
}


void
ngx_hyperdrive_pg_answer_error_names(ngx_hyperdrive_pg_client_t *c,
    ngx_hyperdrive_pg_origin_t *o, ngx_uint_t i, ngx_uint_t n,
    ngx_uint_t failed)
{
    ngx_hyperdrive_pg_reply_t     *reply, *next;
    ngx_hyperdrive_state_name_t   *name, *old, **unnamed;

    reply = ngx_hyperdrive_pg_ledger_at(&o->ledger, i);

    if (reply->drops && reply->type != NGX_HYPERDRIVE_PG_REPLY_CLOSE) {
        ngx_hyperdrive_pg_portal_kept(c, o, reply);
    }

    name = reply->name;
    old = reply->old;

    reply->name = NULL;
    reply->old = NULL;

    if (c == NULL) {
        /* its names have been taken out */
        return;
    }

    /* the unnamed one, unless another group has taken it over already */

    unnamed = &c->unnamed;

    for ( /* void */ ; reply->unnamed && n < o->ledger.n; n++) {
        next = ngx_hyperdrive_pg_ledger_at(&o->ledger, n);

        if (next->unnamed) {
            unnamed = &next->old;
            break;
        }
    }

    switch (reply->type) {

    case NGX_HYPERDRIVE_PG_REPLY_PARSE:

        if (reply->unnamed) {

            if (failed && old) {
                ngx_hyperdrive_pg_client_free_name(o->ctx, old);
                old = NULL;
            }

            *unnamed = old;

        } else if (name) {
            ngx_hyperdrive_state_names_unlink(&c->names, name);
        }

        if (name) {
            ngx_hyperdrive_pg_client_free_name(o->ctx, name);
        }

        break;

    case NGX_HYPERDRIVE_PG_REPLY_QUERY:
        *unnamed = old;
        break;

    case NGX_HYPERDRIVE_PG_REPLY_CLOSE:

        if (reply->unnamed) {
            *unnamed = name;

        } else if (name) {
            ngx_hyperdrive_state_names_link(&c->names, name);
        }

        break;

    default:
        break;
    }
}
