
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "pg/ngx_hyperdrive_pg.h"
#include "base/ngx_hyperdrive_base_cursor.h"


#define NGX_HYPERDRIVE_PG_HEADER         5

/* replies that are looked through for a name; with more, the client waits */
#define NGX_HYPERDRIVE_PG_FORWARD_LOOK   1024

/* a message that holds nothing but names: Describe, Close, Execute */
#define NGX_HYPERDRIVE_PG_SMALL          (2 * NGX_HYPERDRIVE_MAX_NAME + 16)


/* what one call of _forward() works on */

typedef struct {
    ngx_hyperdrive_pg_client_t      *client;
    ngx_hyperdrive_pg_origin_t      *origin;
    ngx_hyperdrive_chain_t          *out;
    ngx_uint_t                      *stateful;
    ngx_hyperdrive_proto_error_t    *err;

    u_char                          *pos;       /* the message's first byte */
    u_char                          *last;      /* end of what is there */
    size_t                           total;     /* bytes of the message */
} ngx_hyperdrive_pg_forward_t;


static ngx_int_t ngx_hyperdrive_pg_forward_message(
    ngx_hyperdrive_pg_forward_t *f);
static ngx_int_t ngx_hyperdrive_pg_forward_query(
    ngx_hyperdrive_pg_forward_t *f);
static ngx_int_t ngx_hyperdrive_pg_forward_deallocate(
    ngx_hyperdrive_pg_forward_t *f, ngx_hyperdrive_state_stmt_t *stmt);
static ngx_int_t ngx_hyperdrive_pg_forward_target(
    ngx_hyperdrive_pg_forward_t *f, ngx_hyperdrive_state_stmt_t *stmt,
    ngx_hyperdrive_state_name_t **target);
static ngx_int_t ngx_hyperdrive_pg_forward_drop_text(
    ngx_hyperdrive_pg_forward_t *f, u_char type, uint64_t id);
static void ngx_hyperdrive_pg_forward_dropped(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_name_t *target);
static void ngx_hyperdrive_pg_forward_forget(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_stmt_t *stmt);
static uint64_t ngx_hyperdrive_pg_forward_id(ngx_hyperdrive_pg_origin_t *o,
    ngx_hyperdrive_state_stmt_t *stmt);
static ngx_int_t ngx_hyperdrive_pg_forward_parse(
    ngx_hyperdrive_pg_forward_t *f);
static ngx_int_t ngx_hyperdrive_pg_forward_parse_long(
    ngx_hyperdrive_pg_forward_t *f);
static ngx_int_t ngx_hyperdrive_pg_forward_bind(
    ngx_hyperdrive_pg_forward_t *f);
static ngx_int_t ngx_hyperdrive_pg_forward_portal(
    ngx_hyperdrive_pg_forward_t *f, ngx_str_t *portal);
static ngx_int_t ngx_hyperdrive_pg_forward_describe(
    ngx_hyperdrive_pg_forward_t *f);
static ngx_int_t ngx_hyperdrive_pg_forward_close(
    ngx_hyperdrive_pg_forward_t *f);
static ngx_uint_t ngx_hyperdrive_pg_forward_unsure(
    ngx_hyperdrive_pg_origin_t *o, uint64_t group);
static ngx_int_t ngx_hyperdrive_pg_forward_find(
    ngx_hyperdrive_pg_forward_t *f, ngx_str_t *name,
    ngx_hyperdrive_state_name_t **entry);
static ngx_int_t ngx_hyperdrive_pg_forward_item(
    ngx_hyperdrive_pg_forward_t *f, uint64_t id,
    ngx_hyperdrive_state_item_t **item);
static ngx_uint_t ngx_hyperdrive_pg_forward_closed(
    ngx_hyperdrive_pg_origin_t *o, ngx_str_t *name, uint64_t id);
static ngx_int_t ngx_hyperdrive_pg_forward_hold(
    ngx_hyperdrive_pg_forward_t *f);
static ngx_int_t ngx_hyperdrive_pg_forward_ensure(
    ngx_hyperdrive_pg_forward_t *f, ngx_hyperdrive_state_name_t *entry,
    uint64_t told);
static ngx_int_t ngx_hyperdrive_pg_forward_compare(
    ngx_hyperdrive_pg_forward_t *f, ngx_hyperdrive_state_stmt_t *stmt,
    uint64_t id, uint64_t told);
static ngx_int_t ngx_hyperdrive_pg_forward_evict(
    ngx_hyperdrive_pg_forward_t *f);
static ngx_int_t ngx_hyperdrive_pg_forward_drop(
    ngx_hyperdrive_pg_forward_t *f, uint64_t id);
static ngx_int_t ngx_hyperdrive_pg_forward_prepare(
    ngx_hyperdrive_pg_forward_t *f, ngx_hyperdrive_state_stmt_t *stmt,
    uint64_t id);
static ngx_int_t ngx_hyperdrive_pg_forward_no_statement(
    ngx_hyperdrive_pg_forward_t *f, ngx_str_t *name);
static u_char *ngx_hyperdrive_pg_forward_name(u_char *p, uint64_t id);
static ngx_int_t ngx_hyperdrive_pg_forward_raw(
    ngx_hyperdrive_pg_forward_t *f);
static ngx_hyperdrive_pg_reply_t *ngx_hyperdrive_pg_forward_expect(
    ngx_hyperdrive_pg_forward_t *f, ngx_hyperdrive_pg_reply_e type,
    ngx_hyperdrive_pg_action_e action, ngx_hyperdrive_state_stmt_t *stmt);
static ngx_int_t ngx_hyperdrive_pg_forward_error(
    ngx_hyperdrive_pg_forward_t *f, char *sqlstate, char *text);


static uint64_t  ngx_hyperdrive_pg_forward_group;


ngx_int_t
ngx_hyperdrive_pg_forward(void *client, void *origin, u_char **pos,
    u_char *last, ngx_hyperdrive_chain_t *out, ngx_hyperdrive_chain_t *reply,
    ngx_uint_t *stateful, ngx_hyperdrive_proto_error_t *err)
{
    size_t                        n;
    u_char                        type;
    uint32_t                      len;
    ngx_int_t                     rc;
    ngx_hyperdrive_pg_client_t   *c;
    ngx_hyperdrive_pg_origin_t   *o;
    ngx_hyperdrive_pg_forward_t   f;

    c = client;
    o = origin;

    f.client = c;
    f.origin = o;
    f.out = out;
    f.stateful = stateful;
    f.err = err;
    f.last = last;

    /* the unit is ours now, whatever _request() has seen of it */

    c->scanned = 0;

    if (o->hold) {

        if (o->ledger.n && !o->copy_in) {
            return NGX_BUSY;
        }

        o->hold = 0;
    }

    if (o->ledger.n == 0) {
        o->group = ++ngx_hyperdrive_pg_forward_group;
        o->first_group = o->group;
    }

    for ( ;; ) {

        f.pos = *pos;

        if (c->left) {

            /* the rest of a message that streams through */

            n = ngx_min((size_t) (last - f.pos), c->left);

            if (!c->drop
                && ngx_hyperdrive_base_chain_append(out, f.pos, n) != NGX_OK)
            {
                return ngx_hyperdrive_pg_forward_error(&f, "53200",
                                                       "out of memory");
            }

            *pos += n;
            c->left -= n;

            if (c->left) {
                return NGX_AGAIN;
            }

            c->drop = 0;
            o->partial = 0;

            if (c->ends) {
                c->ends = 0;
                return NGX_OK;
            }

            continue;
        }

        if (last - f.pos < NGX_HYPERDRIVE_PG_HEADER) {
            return NGX_AGAIN;
        }

        if (o->ledger.n >= NGX_HYPERDRIVE_PG_LEDGER_MAX) {
            o->hold = 1;
            return NGX_BUSY;
        }

        type = f.pos[0];
        len = ngx_hyperdrive_base_get_u32(f.pos + 1);

        if (len < 4 || len > NGX_HYPERDRIVE_MAX_MESSAGE) {
            return ngx_hyperdrive_pg_forward_error(&f, "08P01",
                                                   "invalid message length");
        }

        f.total = 1 + (size_t) len;

        rc = ngx_hyperdrive_pg_forward_message(&f);

        if (rc != NGX_OK) {
            return rc;
        }

        c->open = o->open;

        /* what streams has set c->left to the part that is not there yet */

        *pos += f.total - c->left;

        ngx_hyperdrive_pg_answer_own(o, reply);

        if (type == 'Q' || type == 'S' || type == 'H' || type == 'F') {

            if (c->left == 0) {
                return NGX_OK;
            }

            c->ends = 1;
        }
    }
}


/*
 * NGX_OK: f->total - client->left bytes are taken.  Else as _forward().
 */

static ngx_int_t
ngx_hyperdrive_pg_forward_message(ngx_hyperdrive_pg_forward_t *f)
{
    u_char                       type;
    ngx_hyperdrive_pg_client_t  *c;
    ngx_hyperdrive_pg_origin_t  *o;

    c = f->client;
    o = f->origin;
    type = f->pos[0];

    if (o->ignore && type != 'S' && type != 'X') {

        /* the origin has failed and skips to the Sync: so do we */

        c->left = f->total;
        c->drop = 1;

        return NGX_OK;
    }

    if (o->copy_in) {

        switch (type) {

        case 'd':
            return ngx_hyperdrive_pg_forward_raw(f);

        case 'c':
        case 'f':
            o->copy_in = 0;
            return ngx_hyperdrive_pg_forward_raw(f);

        case 'H':
        case 'S':
            /* read and ignored by the database in copy-in mode */
            c->left = f->total;
            c->drop = 1;
            return NGX_OK;

        case 'Q':
        case 'P':
        case 'B':
        case 'D':
        case 'E':
        case 'C':
        case 'F':
            /* the COPY reads it and fails, nothing else answers to it */
            o->copy_in = 0;
            return ngx_hyperdrive_pg_forward_raw(f);

        default:
            break;
        }
    }

    switch (type) {

    case 'Q':
        return ngx_hyperdrive_pg_forward_query(f);

    case 'P':
        return ngx_hyperdrive_pg_forward_parse(f);

    case 'B':
        return ngx_hyperdrive_pg_forward_bind(f);

    case 'D':
    case 'C':
    case 'E':

        if ((size_t) (f->last - f->pos) < f->total) {

            if (f->total > NGX_HYPERDRIVE_PG_SMALL) {
                return ngx_hyperdrive_pg_forward_error(f, "08P01",
                                                       "name is too long");
            }

            return NGX_AGAIN;
        }

        o->open = 1;

        if (type == 'D') {
            return ngx_hyperdrive_pg_forward_describe(f);
        }

        if (type == 'C') {
            return ngx_hyperdrive_pg_forward_close(f);
        }

        if (ngx_hyperdrive_pg_forward_expect(f,
                                             NGX_HYPERDRIVE_PG_REPLY_EXECUTE,
                                             NGX_HYPERDRIVE_PG_PASS, NULL)
            == NULL)
        {
            return NGX_ERROR;
        }

        return ngx_hyperdrive_pg_forward_raw(f);

    case 'F':
        *f->stateful = 1;

        if (ngx_hyperdrive_pg_forward_expect(f,
                                             NGX_HYPERDRIVE_PG_REPLY_FUNCTION,
                                             NGX_HYPERDRIVE_PG_PASS, NULL)
            == NULL)
        {
            return NGX_ERROR;
        }

        o->group = ++ngx_hyperdrive_pg_forward_group;

        return ngx_hyperdrive_pg_forward_raw(f);

    case 'H':
        return ngx_hyperdrive_pg_forward_raw(f);

    case 'S':
        o->ignore = 0;
        o->open = 0;

        if (ngx_hyperdrive_pg_forward_expect(f, NGX_HYPERDRIVE_PG_REPLY_SYNC,
                                             NGX_HYPERDRIVE_PG_PASS, NULL)
            == NULL)
        {
            return NGX_ERROR;
        }

        o->group = ++ngx_hyperdrive_pg_forward_group;

        return ngx_hyperdrive_pg_forward_raw(f);

    case 'd':
    case 'c':
    case 'f':

        if (o->ledger.n) {
            /* for a COPY that has not been answered yet, or has failed? */
            return ngx_hyperdrive_pg_forward_hold(f);
        }

        c->left = f->total;
        c->drop = 1;

        return NGX_OK;

    default:
        return ngx_hyperdrive_pg_forward_error(f, "08P01",
                                              "invalid frontend message type");
    }
}


static ngx_int_t
ngx_hyperdrive_pg_forward_query(ngx_hyperdrive_pg_forward_t *f)
{
    u_char                       *end;
    ngx_int_t                     rc;
    ngx_str_t                     text, types;
    ngx_hyperdrive_pg_reply_t    *reply;
    ngx_hyperdrive_pg_client_t   *c;
    ngx_hyperdrive_pg_origin_t   *o;
    ngx_hyperdrive_state_stmt_t  *stmt;

    c = f->client;
    o = f->origin;
    stmt = NULL;

    if ((size_t) (f->last - f->pos) < f->total) {

        if (f->total <= NGX_HYPERDRIVE_MAX_TEXT) {
            return NGX_AGAIN;
        }

        /* too long to be read */

    } else {
        end = f->pos + f->total;

        ngx_str_set(&types, "");

        if (ngx_hyperdrive_base_read_cstr(f->pos + NGX_HYPERDRIVE_PG_HEADER,
                                          end, &text)
            == end)
        {
            stmt = ngx_hyperdrive_state_stmt_get(c->ctx->registry, &text,
                                                 &types, c->mode);
        }
    }

    if (o->ledger.n
        && (stmt == NULL || stmt->plan.deallocate || stmt->plan.forgets))
    {
        /* it changes what is prepared, which has to be certain before */

        if (stmt) {
            ngx_hyperdrive_state_stmt_unref(c->ctx->registry, stmt);
        }

        return ngx_hyperdrive_pg_forward_hold(f);
    }

    rc = NGX_DECLINED;

    if (stmt && stmt->plan.deallocate) {
        rc = ngx_hyperdrive_pg_forward_deallocate(f, stmt);
    }

    if (stmt == NULL || (stmt->plan.stateful && !stmt->plan.deallocate)) {
        *f->stateful = 1;
    }

    if (rc == NGX_DECLINED && (stmt == NULL || stmt->plan.forgets)) {
        ngx_hyperdrive_pg_forward_forget(f, stmt);
    }

    if (stmt == NULL || stmt->plan.transaction) {
        o->block = 1;
    }

    if (stmt) {
        ngx_hyperdrive_state_stmt_unref(c->ctx->registry, stmt);
    }

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    reply = ngx_hyperdrive_pg_forward_expect(f, NGX_HYPERDRIVE_PG_REPLY_QUERY,
                                             NGX_HYPERDRIVE_PG_PASS, NULL);
    if (reply == NULL) {
        return NGX_ERROR;
    }

    /* a Query ends the unnamed statement, at both ends */

    reply->old = c->unnamed;
    reply->unnamed = 1;

    c->unnamed = NULL;
    c->unnamed_group = o->group;

    if (o->unnamed) {
        ngx_hyperdrive_state_stmt_unref(c->ctx->registry, o->unnamed);
        o->unnamed = NULL;
    }

    o->unnamed_dirty = 0;
    o->unnamed_group = o->group;

    o->group = ++ngx_hyperdrive_pg_forward_group;

    if (rc == NGX_OK) {
        /* its rewritten form is in the output */
        return NGX_OK;
    }

    return ngx_hyperdrive_pg_forward_raw(f);
}


/*
 * A DEALLOCATE that has to go to the origin: we are in a block, or answers
 * are outstanding.  NGX_OK: rewritten to the origin's own name;
 * NGX_DECLINED: it goes as it is.
 */

static ngx_int_t
ngx_hyperdrive_pg_forward_deallocate(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_stmt_t *stmt)
{
    ngx_int_t                     rc;
    ngx_hyperdrive_state_name_t  *target;

    rc = ngx_hyperdrive_pg_forward_target(f, stmt, &target);

    if (rc != NGX_OK) {
        return rc;
    }

    if (ngx_hyperdrive_pg_forward_ensure(f, target, 0) != NGX_OK
        || ngx_hyperdrive_pg_forward_drop_text(f, 'Q',
                            ngx_hyperdrive_pg_forward_id(f->origin,
                                                         target->stmt))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_hyperdrive_pg_forward_dropped(f, target);

    return NGX_OK;
}


/* the client's statement that a DEALLOCATE names; NGX_DECLINED: none */

static ngx_int_t
ngx_hyperdrive_pg_forward_target(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_stmt_t *stmt, ngx_hyperdrive_state_name_t **target)
{
    u_char     buf[NGX_HYPERDRIVE_MAX_NAME];
    ngx_str_t  name;

    if (f->origin->status == 'E'
        || ngx_hyperdrive_pg_deallocate(stmt->text, stmt->len, buf, &name)
           != NGX_OK
        || name.len == 0)
    {
        return NGX_DECLINED;
    }

    *target = ngx_hyperdrive_state_names_find(&f->client->names, &name);

    return *target ? NGX_OK : NGX_DECLINED;
}


/* the same DEALLOCATE with the origin's name, as a Query or as a Parse */

static ngx_int_t
ngx_hyperdrive_pg_forward_drop_text(ngx_hyperdrive_pg_forward_t *f,
    u_char type, uint64_t id)
{
    size_t   len;
    u_char  *p;

    len = sizeof("DEALLOCATE ") - 1 + NGX_HYPERDRIVE_PG_STATEMENT_LEN + 1;

    if (type == 'P') {
        /* the unnamed statement, without parameters */
        len += 1 + 2;
    }

    p = ngx_hyperdrive_base_chain_reserve(f->out,
                                          NGX_HYPERDRIVE_PG_HEADER + len);
    if (p == NULL) {
        return ngx_hyperdrive_pg_forward_error(f, "53200", "out of memory");
    }

    *p++ = type;
    p = ngx_hyperdrive_base_put_u32(p, 4 + len);

    if (type == 'P') {
        *p++ = '\0';
    }

    p = ngx_cpymem(p, "DEALLOCATE ", sizeof("DEALLOCATE ") - 1);
    p = ngx_hyperdrive_pg_forward_name(p, id);

    if (type == 'P') {
        (void) ngx_hyperdrive_base_put_u16(p, 0);
    }

    return NGX_OK;
}


/* the statement is gone, for the client and at the origin */

static void
ngx_hyperdrive_pg_forward_dropped(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_name_t *target)
{
    ngx_hyperdrive_state_set_remove(&f->origin->set,
                                    ngx_hyperdrive_pg_forward_id(f->origin,
                                                            target->stmt));

    ngx_hyperdrive_state_names_unlink(&f->client->names, target);
    ngx_hyperdrive_pg_client_free_name(f->client->ctx, target);
}


/* nobody knows what is prepared at the origin behind this (<stmt> or NULL) */

static void
ngx_hyperdrive_pg_forward_forget(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_stmt_t *stmt)
{
    ngx_hyperdrive_pg_origin_t  *o;

    o = f->origin;

    ngx_hyperdrive_state_set_clear(&o->set);
    o->epoch++;

    /* in a block DISCARD ALL fails */

    if (stmt && o->status != 'E'
        && (stmt->plan.deallocate || o->status != 'T')
        && ngx_hyperdrive_pg_deallocate_is_all(stmt->text, stmt->len))
    {
        ngx_hyperdrive_pg_deallocate_all(f->client);
    }
}


/* the name that a statement has, or will have, at this origin */

static uint64_t
ngx_hyperdrive_pg_forward_id(ngx_hyperdrive_pg_origin_t *o,
    ngx_hyperdrive_state_stmt_t *stmt)
{
    if (stmt->id == 0) {
        stmt->id = o->ctx->next_id();
    }

    return (o->epoch << 48) | stmt->id;
}


static ngx_int_t
ngx_hyperdrive_pg_forward_parse(ngx_hyperdrive_pg_forward_t *f)
{
    u_char                       *p, *end;
    uint64_t                      id;
    ngx_int_t                     rc;
    ngx_str_t                     name, text, types;
    ngx_hyperdrive_pg_reply_t    *reply;
    ngx_hyperdrive_pg_client_t   *c;
    ngx_hyperdrive_pg_origin_t   *o;
    ngx_hyperdrive_state_item_t  *item;
    ngx_hyperdrive_state_name_t  *entry, *old, *target;
    ngx_hyperdrive_state_stmt_t  *stmt;

    c = f->client;
    o = f->origin;

    if ((size_t) (f->last - f->pos) < f->total) {

        if (f->total <= NGX_HYPERDRIVE_MAX_TEXT) {
            return NGX_AGAIN;
        }

        return ngx_hyperdrive_pg_forward_parse_long(f);
    }

    end = f->pos + f->total;

    p = ngx_hyperdrive_base_read_cstr(f->pos + NGX_HYPERDRIVE_PG_HEADER, end,
                                      &name);
    p = ngx_hyperdrive_base_read_cstr(p, end, &text);

    if (p == NULL) {
        return ngx_hyperdrive_pg_forward_error(f, "08P01",
                                               "malformed Parse message");
    }

    if (name.len > NGX_HYPERDRIVE_MAX_NAME) {
        return ngx_hyperdrive_pg_forward_error(f, "08P01",
                                               "statement name is too long");
    }

    o->open = 1;

    types.data = p;
    types.len = end - p;

    if (types.len == 2 && p[0] == 0 && p[1] == 0) {
        types.len = 0;
    }

    entry = NULL;

    if (name.len) {
        rc = ngx_hyperdrive_pg_forward_find(f, &name, &entry);

        if (rc == NGX_OK && entry) {
            rc = ngx_hyperdrive_pg_forward_ensure(f, entry, 0);
        }

        if (rc != NGX_OK) {
            return rc;
        }
    }

    stmt = ngx_hyperdrive_state_stmt_get(c->ctx->registry, &text, &types,
                                         c->mode);
    if (stmt == NULL) {
        return ngx_hyperdrive_pg_forward_error(f, "53200", "out of memory");
    }

    if (entry) {

        /*
         * 42P05, and the origin has to say so: it is asked to prepare under a
         * name that is taken there as well.
         */

        rc = ngx_hyperdrive_pg_forward_prepare(f, stmt,
                                ngx_hyperdrive_pg_forward_id(o, entry->stmt));

        ngx_hyperdrive_state_stmt_unref(c->ctx->registry, stmt);

        if (rc != NGX_OK) {
            return NGX_ERROR;
        }

        reply = ngx_hyperdrive_pg_forward_expect(f,
                                              NGX_HYPERDRIVE_PG_REPLY_PARSE,
                                              NGX_HYPERDRIVE_PG_PASS, NULL);
        return reply ? NGX_OK : NGX_ERROR;
    }

    id = 0;
    item = NULL;

    if (name.len == 0 && stmt->plan.deallocate) {

        rc = ngx_hyperdrive_pg_forward_target(f, stmt, &target);

        if (rc == NGX_OK) {
            rc = ngx_hyperdrive_pg_forward_ensure(f, target, 0);
            id = ngx_hyperdrive_pg_forward_id(o, target->stmt);
        }

        if (rc != NGX_OK && rc != NGX_DECLINED) {
            ngx_hyperdrive_state_stmt_unref(c->ctx->registry, stmt);
            return rc;
        }
    }

    if (name.len) {
        id = ngx_hyperdrive_pg_forward_id(o, stmt);

        rc = ngx_hyperdrive_pg_forward_item(f, id, &item);

        if (rc == NGX_OK && item == NULL) {
            rc = ngx_hyperdrive_pg_forward_evict(f);
        }

        if (rc != NGX_OK) {
            ngx_hyperdrive_state_stmt_unref(c->ctx->registry, stmt);
            return rc;
        }
    }

    entry = ngx_hyperdrive_pg_client_add(c, &name, stmt, &old);

    if (entry == NULL) {
        ngx_hyperdrive_state_stmt_unref(c->ctx->registry, stmt);
        return ngx_hyperdrive_pg_forward_error(f, "53200", "out of memory");
    }

    entry->group = o->group;

    if (name.len == 0) {
        c->unnamed_group = o->group;

        if (o->unnamed) {
            ngx_hyperdrive_state_stmt_unref(c->ctx->registry, o->unnamed);
        }

        o->unnamed = ngx_hyperdrive_state_stmt_ref(stmt);
        o->unnamed_dirty = 1;
        o->unnamed_group = o->group;

        reply = ngx_hyperdrive_pg_forward_expect(f,
                                              NGX_HYPERDRIVE_PG_REPLY_PARSE,
                                              NGX_HYPERDRIVE_PG_PASS, NULL);
        if (reply == NULL) {

            if (old) {
                ngx_hyperdrive_pg_client_free_name(c->ctx, old);
            }

            return NGX_ERROR;
        }

        reply->name = entry;
        reply->old = old;
        reply->unnamed = 1;

        if (id) {
            return ngx_hyperdrive_pg_forward_drop_text(f, 'P', id);
        }

        return ngx_hyperdrive_pg_forward_raw(f);
    }

    if (item
        && (o->group == o->first_group ? o->status != 'E'
                                       : o->status == 'I' && !o->block))
    {
        /*
         * Other clients use the same text: nothing is left to do, as it is
         * certain that the block has not failed.
         */

        reply = ngx_hyperdrive_pg_forward_expect(f,
                                              NGX_HYPERDRIVE_PG_REPLY_PARSE,
                                              NGX_HYPERDRIVE_PG_OWN, NULL);
        if (reply == NULL) {
            return NGX_ERROR;
        }

        reply->name = entry;

        return NGX_OK;
    }

    if (item && ngx_hyperdrive_pg_forward_drop(f, id) != NGX_OK) {
        return NGX_ERROR;
    }

    reply = ngx_hyperdrive_pg_forward_expect(f, NGX_HYPERDRIVE_PG_REPLY_PARSE,
                                             NGX_HYPERDRIVE_PG_PASS, NULL);
    if (reply == NULL) {
        return NGX_ERROR;
    }

    reply->name = entry;
    reply->id = id;

    item = ngx_hyperdrive_state_set_add(&o->set, id);

    if (item) {
        item->group = o->group;
    }

    return ngx_hyperdrive_pg_forward_prepare(f, stmt, id);
}


/*
 * Too long to be kept: it is prepared under the client's own name, on a
 * connection that is the client's own from now on.
 */

static ngx_int_t
ngx_hyperdrive_pg_forward_parse_long(ngx_hyperdrive_pg_forward_t *f)
{
    ngx_int_t                     rc;
    ngx_str_t                     name;
    ngx_hyperdrive_pg_reply_t    *reply;
    ngx_hyperdrive_pg_client_t   *c;
    ngx_hyperdrive_pg_origin_t   *o;
    ngx_hyperdrive_state_name_t  *entry;

    c = f->client;
    o = f->origin;

    if (ngx_hyperdrive_base_read_cstr(f->pos + NGX_HYPERDRIVE_PG_HEADER,
                                      f->last, &name)
        == NULL)
    {
        if (f->last - f->pos > NGX_HYPERDRIVE_PG_SMALL) {
            return ngx_hyperdrive_pg_forward_error(f, "08P01",
                                                "statement name is too long");
        }

        return NGX_AGAIN;
    }

    if (name.len) {
        rc = ngx_hyperdrive_pg_forward_find(f, &name, &entry);

        if (rc != NGX_OK) {
            return rc;
        }

        if (entry) {
            /* 42P05, if its text is right */
            return ngx_hyperdrive_pg_forward_error(f, "42P05",
                                        "prepared statement already exists");
        }
    }

    *f->stateful = 1;

    o->open = 1;
    o->poisoned = 1;

    reply = ngx_hyperdrive_pg_forward_expect(f, NGX_HYPERDRIVE_PG_REPLY_PARSE,
                                             NGX_HYPERDRIVE_PG_PASS, NULL);
    if (reply == NULL) {
        return NGX_ERROR;
    }

    if (name.len == 0) {
        reply->old = c->unnamed;
        reply->unnamed = 1;

        c->unnamed = NULL;
        c->unnamed_group = o->group;

        if (o->unnamed) {
            ngx_hyperdrive_state_stmt_unref(c->ctx->registry, o->unnamed);
            o->unnamed = NULL;
        }

        o->unnamed_dirty = 1;
        o->unnamed_group = o->group;
    }

    return ngx_hyperdrive_pg_forward_raw(f);
}


static ngx_int_t
ngx_hyperdrive_pg_forward_bind(ngx_hyperdrive_pg_forward_t *f)
{
    size_t                        avail, taken, len;
    u_char                       *p, *end, *rest;
    ngx_int_t                     rc;
    ngx_str_t                     portal, name;
    ngx_hyperdrive_pg_client_t   *c;
    ngx_hyperdrive_pg_origin_t   *o;
    ngx_hyperdrive_state_name_t  *entry, *target;

    c = f->client;
    o = f->origin;

    avail = ngx_min((size_t) (f->last - f->pos), f->total);
    end = f->pos + avail;

    rest = ngx_hyperdrive_base_read_cstr(f->pos + NGX_HYPERDRIVE_PG_HEADER,
                                         end, &portal);
    rest = ngx_hyperdrive_base_read_cstr(rest, end, &name);

    if (rest == NULL) {

        if (avail == f->total) {
            return ngx_hyperdrive_pg_forward_error(f, "08P01",
                                                   "malformed Bind message");
        }

        if (avail > NGX_HYPERDRIVE_PG_SMALL) {
            return ngx_hyperdrive_pg_forward_error(f, "08P01",
                                                   "name is too long");
        }

        return NGX_AGAIN;
    }

    o->open = 1;

    rc = ngx_hyperdrive_pg_forward_find(f, &name, &entry);

    if (rc != NGX_OK) {
        return rc;
    }

    if (entry == NULL) {
        rc = ngx_hyperdrive_pg_forward_no_statement(f, &name);

    } else {
        if (entry->stmt->plan.stateful && !entry->stmt->plan.deallocate) {
            *f->stateful = 1;
        }

        rc = ngx_hyperdrive_pg_forward_ensure(f, entry, entry->shape);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    if (entry == NULL || !entry->stmt->plan.read) {
        o->wrote = 1;
    }

    if (entry == NULL || entry->stmt->plan.transaction) {
        o->block = 1;
    }

    if (ngx_hyperdrive_pg_forward_expect(f, NGX_HYPERDRIVE_PG_REPLY_BIND,
                                         NGX_HYPERDRIVE_PG_PASS,
                                         entry ? entry->stmt : NULL)
        == NULL)
    {
        return NGX_ERROR;
    }

    if (entry == NULL || name.len == 0) {
        rc = ngx_hyperdrive_pg_forward_raw(f);

        if (rc == NGX_OK && c->describe) {
            rc = ngx_hyperdrive_pg_forward_portal(f, &portal);
        }

        if (entry && entry->stmt->plan.deallocate
            && ngx_hyperdrive_pg_forward_target(f, entry->stmt, &target)
               == NGX_OK)
        {
            ngx_hyperdrive_pg_forward_dropped(f, target);

        } else if (entry && entry->stmt->plan.forgets) {
            ngx_hyperdrive_pg_forward_forget(f, entry->stmt);
        }

        return rc;
    }

    /* the same with the origin's name of the statement */

    taken = rest - f->pos;
    len = f->total - taken;

    p = ngx_hyperdrive_base_chain_reserve(f->out,
                                  NGX_HYPERDRIVE_PG_HEADER + portal.len + 1
                                  + NGX_HYPERDRIVE_PG_STATEMENT_LEN + 1);
    if (p == NULL) {
        return ngx_hyperdrive_pg_forward_error(f, "53200", "out of memory");
    }

    *p++ = 'B';
    p = ngx_hyperdrive_base_put_u32(p, 4 + portal.len + 1
                                      + NGX_HYPERDRIVE_PG_STATEMENT_LEN + 1
                                      + len);
    p = ngx_cpymem(p, portal.data, portal.len + 1);
    (void) ngx_hyperdrive_pg_forward_name(p,
                                 ngx_hyperdrive_pg_forward_id(o, entry->stmt));

    if (ngx_hyperdrive_base_chain_append(f->out, rest, end - rest) != NGX_OK) {
        return ngx_hyperdrive_pg_forward_error(f, "53200", "out of memory");
    }

    c->left = f->total - avail;
    o->partial = (c->left != 0);

    if (entry->stmt->plan.forgets) {
        o->epoch++;
        ngx_hyperdrive_state_set_clear(&o->set);
    }

    if (c->describe) {
        return ngx_hyperdrive_pg_forward_portal(f, &portal);
    }

    return NGX_OK;
}


/* our own Describe of the portal that has just been made */

static ngx_int_t
ngx_hyperdrive_pg_forward_portal(ngx_hyperdrive_pg_forward_t *f,
    ngx_str_t *portal)
{
    u_char  *p;

    f->client->describe = 0;

    if (f->client->left) {
        /* its Bind is not complete; such units are not kept anyway */
        return NGX_OK;
    }

    if (ngx_hyperdrive_pg_forward_expect(f, NGX_HYPERDRIVE_PG_REPLY_PORTAL,
                                         NGX_HYPERDRIVE_PG_DROP, NULL)
        == NULL)
    {
        return NGX_ERROR;
    }

    p = ngx_hyperdrive_base_chain_reserve(f->out, NGX_HYPERDRIVE_PG_HEADER + 1
                                                  + portal->len + 1);
    if (p == NULL) {
        return ngx_hyperdrive_pg_forward_error(f, "53200", "out of memory");
    }

    *p++ = 'D';
    p = ngx_hyperdrive_base_put_u32(p, 4 + 1 + portal->len + 1);
    *p++ = 'P';
    ngx_memcpy(p, portal->data, portal->len + 1);

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_pg_forward_describe(ngx_hyperdrive_pg_forward_t *f)
{
    u_char                       *p, *end;
    ngx_int_t                     rc;
    ngx_str_t                     name, kind;
    ngx_hyperdrive_pg_reply_t    *reply;
    ngx_hyperdrive_pg_origin_t   *o;
    ngx_hyperdrive_state_name_t  *entry;

    o = f->origin;
    end = f->pos + f->total;

    p = ngx_hyperdrive_base_read_bytes(f->pos + NGX_HYPERDRIVE_PG_HEADER, end,
                                       1, &kind);
    p = ngx_hyperdrive_base_read_cstr(p, end, &name);

    if (p == NULL) {
        return ngx_hyperdrive_pg_forward_error(f, "08P01",
                                               "malformed Describe message");
    }

    if (kind.data[0] != 'S') {

        if (ngx_hyperdrive_pg_forward_expect(f, NGX_HYPERDRIVE_PG_REPLY_PORTAL,
                                             NGX_HYPERDRIVE_PG_PASS, NULL)
            == NULL)
        {
            return NGX_ERROR;
        }

        return ngx_hyperdrive_pg_forward_raw(f);
    }

    rc = ngx_hyperdrive_pg_forward_find(f, &name, &entry);

    if (rc != NGX_OK) {
        return rc;
    }

    if (entry == NULL) {
        rc = ngx_hyperdrive_pg_forward_no_statement(f, &name);

    } else {
        rc = ngx_hyperdrive_pg_forward_ensure(f, entry, entry->shape);
    }

    if (rc != NGX_OK) {
        return rc;
    }

    reply = ngx_hyperdrive_pg_forward_expect(f,
                                             NGX_HYPERDRIVE_PG_REPLY_DESCRIBE,
                                             NGX_HYPERDRIVE_PG_PASS,
                                             entry ? entry->stmt : NULL);
    if (reply == NULL) {
        return NGX_ERROR;
    }

    reply->name = entry;

    if (entry == NULL || name.len == 0) {
        return ngx_hyperdrive_pg_forward_raw(f);
    }

    reply->id = ngx_hyperdrive_pg_forward_id(f->origin, entry->stmt);

    p = ngx_hyperdrive_base_chain_reserve(f->out,
                                        NGX_HYPERDRIVE_PG_HEADER + 1
                                        + NGX_HYPERDRIVE_PG_STATEMENT_LEN + 1);
    if (p == NULL) {
        return ngx_hyperdrive_pg_forward_error(f, "53200", "out of memory");
    }

    *p++ = 'D';
    p = ngx_hyperdrive_base_put_u32(p, 4 + 1
                                       + NGX_HYPERDRIVE_PG_STATEMENT_LEN + 1);
    *p++ = 'S';
    (void) ngx_hyperdrive_pg_forward_name(p,
                                 ngx_hyperdrive_pg_forward_id(o, entry->stmt));

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_pg_forward_close(ngx_hyperdrive_pg_forward_t *f)
{
    u_char                       *p, *end;
    ngx_int_t                     rc;
    ngx_str_t                     name, kind;
    ngx_uint_t                    unnamed;
    ngx_hyperdrive_pg_reply_t    *reply;
    ngx_hyperdrive_pg_client_t   *c;
    ngx_hyperdrive_pg_origin_t   *o;
    ngx_hyperdrive_pg_action_e    action;
    ngx_hyperdrive_state_name_t  *entry;

    c = f->client;
    o = f->origin;
    end = f->pos + f->total;

    p = ngx_hyperdrive_base_read_bytes(f->pos + NGX_HYPERDRIVE_PG_HEADER, end,
                                       1, &kind);
    p = ngx_hyperdrive_base_read_cstr(p, end, &name);

    if (p == NULL) {
        return ngx_hyperdrive_pg_forward_error(f, "08P01",
                                               "malformed Close message");
    }

    entry = NULL;
    unnamed = 0;
    action = NGX_HYPERDRIVE_PG_PASS;

    if (kind.data[0] == 'S') {

        rc = ngx_hyperdrive_pg_forward_find(f, &name, &entry);

        if (rc != NGX_OK) {
            return rc;
        }

        if (name.len == 0) {
            unnamed = 1;

            c->unnamed = NULL;
            c->unnamed_group = o->group;
            o->unnamed_group = o->group;

            if (o->unnamed) {
                ngx_hyperdrive_state_stmt_unref(c->ctx->registry, o->unnamed);
                o->unnamed = NULL;
            }

        } else {

            if (entry) {

                /* others may use it: it stays prepared at the origin */

                ngx_hyperdrive_state_names_unlink(&c->names, entry);
                c->closed_group = o->group;
                action = NGX_HYPERDRIVE_PG_OWN;

            } else if (!o->poisoned) {

                /* to close what does not exist is no error */
                action = NGX_HYPERDRIVE_PG_OWN;
            }
        }
    }

    reply = ngx_hyperdrive_pg_forward_expect(f, NGX_HYPERDRIVE_PG_REPLY_CLOSE,
                                             action, NULL);
    if (reply == NULL) {

        if (entry) {
            ngx_hyperdrive_pg_client_free_name(c->ctx, entry);
        }

        return NGX_ERROR;
    }

    reply->name = entry;
    reply->unnamed = unnamed;

    if (action == NGX_HYPERDRIVE_PG_OWN) {
        return NGX_OK;
    }

    return ngx_hyperdrive_pg_forward_raw(f);
}


/* was it done by an earlier group, which may not have been answered yet? */

static ngx_uint_t
ngx_hyperdrive_pg_forward_unsure(ngx_hyperdrive_pg_origin_t *o, uint64_t group)
{
    return o->ledger.n && group >= o->first_group && group < o->group;
}


/*
 * The client's statement of this name, or NULL.  NGX_BUSY: that depends on
 * answers which have not come yet.
 */

static ngx_int_t
ngx_hyperdrive_pg_forward_find(ngx_hyperdrive_pg_forward_t *f,
    ngx_str_t *name, ngx_hyperdrive_state_name_t **entry)
{
    ngx_uint_t                   unsure;
    ngx_hyperdrive_pg_client_t  *c;
    ngx_hyperdrive_pg_origin_t  *o;

    c = f->client;
    o = f->origin;

    *entry = ngx_hyperdrive_pg_client_find(c, name);

    if (name->len == 0) {
        unsure = ngx_hyperdrive_pg_forward_unsure(o, c->unnamed_group);

    } else if (*entry) {
        unsure = ngx_hyperdrive_pg_forward_unsure(o, (*entry)->group);

    } else {
        unsure = ngx_hyperdrive_pg_forward_unsure(o, c->closed_group)
                 && ngx_hyperdrive_pg_forward_closed(o, name, 0);
    }

    return unsure ? ngx_hyperdrive_pg_forward_hold(f) : NGX_OK;
}


/* the same of what the origin has prepared; it is marked as used */

static ngx_int_t
ngx_hyperdrive_pg_forward_item(ngx_hyperdrive_pg_forward_t *f, uint64_t id,
    ngx_hyperdrive_state_item_t **item)
{
    ngx_uint_t                   unsure;
    ngx_hyperdrive_pg_origin_t  *o;

    o = f->origin;

    *item = ngx_hyperdrive_state_set_find(&o->set, id);

    if (*item) {
        ngx_hyperdrive_state_set_touch(&o->set, *item);
        unsure = ngx_hyperdrive_pg_forward_unsure(o, (*item)->group);

    } else {
        unsure = ngx_hyperdrive_pg_forward_unsure(o, o->closed_group)
                 && ngx_hyperdrive_pg_forward_closed(o, NULL, id);
    }

    return unsure ? ngx_hyperdrive_pg_forward_hold(f) : NGX_OK;
}


/* is a Close of this name, or of this statement of the origin, outstanding? */

static ngx_uint_t
ngx_hyperdrive_pg_forward_closed(ngx_hyperdrive_pg_origin_t *o,
    ngx_str_t *name, uint64_t id)
{
    ngx_uint_t                  i;
    ngx_hyperdrive_pg_reply_t  *reply;

    if (o->ledger.n > NGX_HYPERDRIVE_PG_FORWARD_LOOK) {
        return 1;
    }

    for (i = 0; i < o->ledger.n; i++) {
        reply = ngx_hyperdrive_pg_ledger_at(&o->ledger, i);

        if (reply->type != NGX_HYPERDRIVE_PG_REPLY_CLOSE) {
            continue;
        }

        if (name == NULL) {

            if (reply->id == id) {
                return 1;
            }

        } else if (reply->name && reply->name->len == name->len
                   && ngx_memcmp(reply->name->name, name->data, name->len)
                      == 0)
        {
            return 1;
        }
    }

    return 0;
}


/* the message has to wait until all before it has been answered */

static ngx_int_t
ngx_hyperdrive_pg_forward_hold(ngx_hyperdrive_pg_forward_t *f)
{
    ngx_hyperdrive_pg_origin_t  *o;

    o = f->origin;

    if (o->open
        && ngx_hyperdrive_base_chain_append(f->out, "H\0\0\0\4", 5) != NGX_OK)
    {
        return ngx_hyperdrive_pg_forward_error(f, "53200", "out of memory");
    }

    o->hold = 1;

    return NGX_BUSY;
}


/*
 * Makes sure that the origin knows the statement by the name that will be
 * sent, and that its rows have the shape that the client was <told> (0: it was
 * told nothing).  NGX_OK; NGX_BUSY: answers have to come first; NGX_ERROR:
 * f->err.
 */

static ngx_int_t
ngx_hyperdrive_pg_forward_ensure(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_name_t *entry, uint64_t told)
{
    uint64_t                      id;
    ngx_int_t                     rc;
    ngx_hyperdrive_pg_reply_t    *reply;
    ngx_hyperdrive_pg_client_t   *c;
    ngx_hyperdrive_pg_origin_t   *o;
    ngx_hyperdrive_state_item_t  *item;
    ngx_hyperdrive_state_stmt_t  *stmt;

    c = f->client;
    o = f->origin;
    stmt = entry->stmt;

    if (entry == c->unnamed) {

        /* to prepare it once more does no harm */

        if (o->unnamed == stmt
            && !ngx_hyperdrive_pg_forward_unsure(o, o->unnamed_group))
        {
            return NGX_OK;
        }

        if (o->unnamed) {
            ngx_hyperdrive_state_stmt_unref(c->ctx->registry, o->unnamed);
        }

        o->unnamed = ngx_hyperdrive_state_stmt_ref(stmt);
        o->unnamed_dirty = 1;
        o->unnamed_group = o->group;

        id = 0;

    } else {
        id = ngx_hyperdrive_pg_forward_id(o, stmt);

        rc = ngx_hyperdrive_pg_forward_item(f, id, &item);

        if (rc != NGX_OK) {
            return rc;
        }

        if (item) {

            if (told == 0 || item->shape == told) {
                return NGX_OK;
            }

            /* somebody else has prepared it, perhaps after a change */

            return ngx_hyperdrive_pg_forward_compare(f, stmt, id, told);
        }

        rc = ngx_hyperdrive_pg_forward_evict(f);

        if (rc != NGX_OK) {
            return rc;
        }
    }

    reply = ngx_hyperdrive_pg_forward_expect(f, NGX_HYPERDRIVE_PG_REPLY_PARSE,
                                             NGX_HYPERDRIVE_PG_DROP, stmt);
    if (reply == NULL) {
        return NGX_ERROR;
    }

    if (id) {
        reply->id = id;

        item = ngx_hyperdrive_state_set_add(&o->set, id);

        if (item) {
            item->group = o->group;
        }
    }

    if (ngx_hyperdrive_pg_forward_prepare(f, stmt, id) != NGX_OK) {
        return NGX_ERROR;
    }

    if (told == 0) {
        /* the client was told nothing that could be wrong now */
        return NGX_OK;
    }

    return ngx_hyperdrive_pg_forward_compare(f, stmt, id, told);
}


/* our own Describe of a statement; NGX_BUSY: its answer has to come first */

static ngx_int_t
ngx_hyperdrive_pg_forward_compare(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_stmt_t *stmt, uint64_t id, uint64_t told)
{
    u_char                       *p;
    size_t                        len;
    ngx_hyperdrive_pg_reply_t    *reply;
    ngx_hyperdrive_pg_origin_t   *o;
    ngx_hyperdrive_state_item_t  *item;

    o = f->origin;

    reply = ngx_hyperdrive_pg_forward_expect(f,
                                             NGX_HYPERDRIVE_PG_REPLY_DESCRIBE,
                                             NGX_HYPERDRIVE_PG_DROP, stmt);
    if (reply == NULL) {
        return NGX_ERROR;
    }

    reply->told = told;
    reply->id = id;

    item = id ? ngx_hyperdrive_state_set_find(&o->set, id) : NULL;

    if (item) {
        /* or there will be an error */
        item->shape = told;
    }

    len = id ? NGX_HYPERDRIVE_PG_STATEMENT_LEN : 0;

    p = ngx_hyperdrive_base_chain_reserve(f->out, NGX_HYPERDRIVE_PG_HEADER + 1
                                                  + len + 1);
    if (p == NULL) {
        return ngx_hyperdrive_pg_forward_error(f, "53200", "out of memory");
    }

    *p++ = 'D';
    p = ngx_hyperdrive_base_put_u32(p, 4 + 1 + len + 1);
    *p++ = 'S';

    if (id) {
        (void) ngx_hyperdrive_pg_forward_name(p, id);

    } else {
        *p = '\0';
    }

    if (stmt->plan.read && o->status == 'I' && !o->block) {
        return NGX_OK;
    }

    /*
     * What writes may not run before its rows are known to have the shape
     * that the client expects, and inside a block nothing may be made up.
     */

    return ngx_hyperdrive_pg_forward_hold(f);
}


/* makes room for one more statement at the origin; NGX_BUSY: later */

static ngx_int_t
ngx_hyperdrive_pg_forward_evict(ngx_hyperdrive_pg_forward_t *f)
{
    ngx_hyperdrive_pg_origin_t   *o;
    ngx_hyperdrive_state_item_t  *item;

    o = f->origin;

    if (o->set.n < o->ctx->statements) {
        return NGX_OK;
    }

    item = ngx_hyperdrive_state_set_oldest(&o->set);

    if (item == NULL) {
        return NGX_OK;
    }

    if (ngx_hyperdrive_pg_forward_unsure(o, item->group)) {
        return ngx_hyperdrive_pg_forward_hold(f);
    }

    return ngx_hyperdrive_pg_forward_drop(f, item->id);
}


/* closes a statement at the origin */

static ngx_int_t
ngx_hyperdrive_pg_forward_drop(ngx_hyperdrive_pg_forward_t *f, uint64_t id)
{
    u_char                      *p;
    ngx_hyperdrive_pg_reply_t   *reply;
    ngx_hyperdrive_pg_origin_t  *o;

    o = f->origin;

    reply = ngx_hyperdrive_pg_forward_expect(f, NGX_HYPERDRIVE_PG_REPLY_CLOSE,
                                             NGX_HYPERDRIVE_PG_DROP, NULL);
    if (reply == NULL) {
        return NGX_ERROR;
    }

    reply->id = id;

    o->closed_group = o->group;

    ngx_hyperdrive_state_set_remove(&o->set, id);

    p = ngx_hyperdrive_base_chain_reserve(f->out,
                                        NGX_HYPERDRIVE_PG_HEADER + 1
                                        + NGX_HYPERDRIVE_PG_STATEMENT_LEN + 1);
    if (p == NULL) {
        return ngx_hyperdrive_pg_forward_error(f, "53200", "out of memory");
    }

    *p++ = 'C';
    p = ngx_hyperdrive_base_put_u32(p, 4 + 1
                                       + NGX_HYPERDRIVE_PG_STATEMENT_LEN + 1);
    *p++ = 'S';
    (void) ngx_hyperdrive_pg_forward_name(p, id);

    return NGX_OK;
}


/* a Parse message; id 0 is the unnamed statement */

static ngx_int_t
ngx_hyperdrive_pg_forward_prepare(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_stmt_t *stmt, uint64_t id)
{
    size_t   name, types;
    u_char  *p;

    name = id ? NGX_HYPERDRIVE_PG_STATEMENT_LEN : 0;
    types = stmt->types_len ? stmt->types_len : 2;

    p = ngx_hyperdrive_base_chain_reserve(f->out,
                                          NGX_HYPERDRIVE_PG_HEADER + name + 1);
    if (p == NULL) {
        return ngx_hyperdrive_pg_forward_error(f, "53200", "out of memory");
    }

    *p++ = 'P';
    p = ngx_hyperdrive_base_put_u32(p, 4 + name + 1 + stmt->len + 1 + types);

    if (id) {
        (void) ngx_hyperdrive_pg_forward_name(p, id);

    } else {
        *p = '\0';
    }

    /* the text's NUL is in front of the types */

    if (ngx_hyperdrive_base_chain_append(f->out, stmt->text, stmt->len + 1)
        != NGX_OK
        || ngx_hyperdrive_base_chain_append(f->out,
                       stmt->types_len ? stmt->types : (u_char *) "\0\0", types)
           != NGX_OK)
    {
        return ngx_hyperdrive_pg_forward_error(f, "53200", "out of memory");
    }

    return NGX_OK;
}


/*
 * The client names a statement that it does not have.  The origin has to say
 * so (26000): nobody else's may be there under this name.
 */

static ngx_int_t
ngx_hyperdrive_pg_forward_no_statement(ngx_hyperdrive_pg_forward_t *f,
    ngx_str_t *name)
{
    ngx_hyperdrive_pg_origin_t  *o;

    o = f->origin;

    if (name->len) {

        if (name->len >= sizeof(NGX_HYPERDRIVE_PG_PREFIX) - 1
            && ngx_memcmp(name->data, NGX_HYPERDRIVE_PG_PREFIX,
                          sizeof(NGX_HYPERDRIVE_PG_PREFIX) - 1)
               == 0)
        {
            /* same length, and not a name of ours */
            name->data[0] = '-';
        }

        return NGX_OK;
    }

    if (!o->unnamed_dirty || o->poisoned) {
        return NGX_OK;
    }

    /* another client's unnamed statement goes first */

    if (o->unnamed) {
        ngx_hyperdrive_state_stmt_unref(o->ctx->registry, o->unnamed);
        o->unnamed = NULL;
    }

    if (ngx_hyperdrive_pg_forward_expect(f, NGX_HYPERDRIVE_PG_REPLY_CLOSE,
                                         NGX_HYPERDRIVE_PG_DROP, NULL)
        == NULL)
    {
        return NGX_ERROR;
    }

    if (ngx_hyperdrive_base_chain_append(f->out, "C\0\0\0\6S\0", 7)
        != NGX_OK)
    {
        return ngx_hyperdrive_pg_forward_error(f, "53200", "out of memory");
    }

    return NGX_OK;
}


/* prefix, 16 hex digits and a NUL */

static u_char *
ngx_hyperdrive_pg_forward_name(u_char *p, uint64_t id)
{
    ngx_uint_t     i;
    static u_char  hex[] = "0123456789abcdef";

    p = ngx_cpymem(p, NGX_HYPERDRIVE_PG_PREFIX,
                   sizeof(NGX_HYPERDRIVE_PG_PREFIX) - 1);

    for (i = 0; i < 16; i++) {
        *p++ = hex[(id >> (60 - 4 * i)) & 0xf];
    }

    *p++ = '\0';

    return p;
}


/* the message as it is; what is not there yet streams behind it */

static ngx_int_t
ngx_hyperdrive_pg_forward_raw(ngx_hyperdrive_pg_forward_t *f)
{
    size_t  avail;

    avail = ngx_min((size_t) (f->last - f->pos), f->total);

    if (ngx_hyperdrive_base_chain_append(f->out, f->pos, avail) != NGX_OK) {
        return ngx_hyperdrive_pg_forward_error(f, "53200", "out of memory");
    }

    f->client->left = f->total - avail;
    f->origin->partial = (f->client->left != 0);

    return NGX_OK;
}


static ngx_hyperdrive_pg_reply_t *
ngx_hyperdrive_pg_forward_expect(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_pg_reply_e type, ngx_hyperdrive_pg_action_e action,
    ngx_hyperdrive_state_stmt_t *stmt)
{
    ngx_hyperdrive_pg_reply_t  *reply;

    reply = ngx_hyperdrive_pg_ledger_push(&f->origin->ledger);

    if (reply == NULL) {
        (void) ngx_hyperdrive_pg_forward_error(f, "53200", "out of memory");
        return NULL;
    }

    reply->type = type;
    reply->action = action;

    if (stmt) {
        reply->stmt = ngx_hyperdrive_state_stmt_ref(stmt);
    }

    return reply;
}


static ngx_int_t
ngx_hyperdrive_pg_forward_error(ngx_hyperdrive_pg_forward_t *f, char *sqlstate,
    char *text)
{
    if (ngx_strcmp(sqlstate, "53200") == 0) {
        /* something may be missing in what was to be sent */
        f->origin->poisoned = 1;
    }

    f->err->severity = "FATAL";
    f->err->sqlstate = sqlstate;
    f->err->message = text;
    f->err->hint = NULL;

    return NGX_ERROR;
}
