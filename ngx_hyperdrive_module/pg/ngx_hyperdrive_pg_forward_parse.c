
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "pg/ngx_hyperdrive_pg_forward.h"


static ngx_int_t ngx_hyperdrive_pg_forward_target(
    ngx_hyperdrive_pg_forward_t *f, ngx_hyperdrive_state_stmt_t *stmt,
    ngx_hyperdrive_state_name_t **target);
static ngx_int_t ngx_hyperdrive_pg_forward_drop_text(
    ngx_hyperdrive_pg_forward_t *f, u_char type, uint64_t id);
static ngx_int_t ngx_hyperdrive_pg_forward_deallocate_bind(
    ngx_hyperdrive_pg_forward_t *f, ngx_hyperdrive_state_stmt_t *stmt);
static ngx_uint_t ngx_hyperdrive_pg_forward_parse_types(u_char *p,
    u_char *end);
static ngx_uint_t ngx_hyperdrive_pg_forward_parse_moved(ngx_str_t *text);
static ngx_int_t ngx_hyperdrive_pg_forward_parse_long(
    ngx_hyperdrive_pg_forward_t *f);
static ngx_int_t ngx_hyperdrive_pg_forward_parse_taken(
    ngx_hyperdrive_pg_forward_t *f, ngx_hyperdrive_state_name_t *entry,
    size_t taken);
static ngx_int_t ngx_hyperdrive_pg_forward_portal(
    ngx_hyperdrive_pg_forward_t *f, ngx_str_t *portal);


/*
 * A DEALLOCATE that has to go to the origin: we are in a block, or answers
 * are outstanding.  NGX_OK: rewritten to the origin's own name;
 * NGX_DECLINED: it goes as it is.
 */

ngx_int_t
ngx_hyperdrive_pg_forward_deallocate(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_stmt_t *stmt)
{
    uint64_t                      id;
    ngx_int_t                     rc;
    ngx_hyperdrive_state_name_t  *target;

    f->drops = 0;

    rc = ngx_hyperdrive_pg_forward_target(f, stmt, &target);

    if (rc != NGX_OK) {
        return rc;
    }

    id = ngx_hyperdrive_pg_forward_id(f->origin, target->stmt);

    f->drops = id;

    if (ngx_hyperdrive_pg_forward_stand_in(f, target->stmt, id) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_hyperdrive_pg_forward_drop_text(f, 'Q', id);
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


/*
 * The same for a Bind, before which the unnamed statement is parsed once more
 * with the origin's name in it.  Nothing is outstanding.
 */

static ngx_int_t
ngx_hyperdrive_pg_forward_deallocate_bind(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_stmt_t *stmt)
{
    uint64_t                      id;
    ngx_int_t                     rc;
    ngx_hyperdrive_pg_origin_t   *o;
    ngx_hyperdrive_state_name_t  *target;

    o = f->origin;

    rc = ngx_hyperdrive_pg_forward_target(f, stmt, &target);

    if (rc != NGX_OK) {
        return rc;
    }

    id = ngx_hyperdrive_pg_forward_id(o, target->stmt);
    f->drops = id;

    if (ngx_hyperdrive_pg_forward_stand_in(f, target->stmt, id) != NGX_OK
        || ngx_hyperdrive_pg_forward_expect(f, NGX_HYPERDRIVE_PG_REPLY_PARSE,
                                            NGX_HYPERDRIVE_PG_DROP, NULL)
           == NULL
        || ngx_hyperdrive_pg_forward_drop_text(f, 'P', id) != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_hyperdrive_pg_origin_unnamed(o, NULL);

    o->unnamed_dirty = 1;
    o->unnamed_group = o->group;

    return NGX_OK;
}


void
ngx_hyperdrive_pg_forward_forget(ngx_hyperdrive_pg_origin_t *o)
{
    ngx_hyperdrive_state_set_clear(&o->set);

    if (++o->epoch == NGX_HYPERDRIVE_PG_EPOCHS) {
        /* statements that nobody can name any more may have piled up */
        o->poisoned = 1;
    }
}


ngx_int_t
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
    ngx_hyperdrive_state_name_t  *entry, *old;
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

    if (p == NULL || !ngx_hyperdrive_pg_forward_parse_types(p, end)) {
        return ngx_hyperdrive_pg_forward_bad(f,
                                             NGX_HYPERDRIVE_PG_REPLY_PARSE);
    }

    if (name.len > NGX_HYPERDRIVE_MAX_NAME) {
        return ngx_hyperdrive_pg_forward_error(f, "08P01",
                                               "statement name is too long");
    }

    if (c->moved && ngx_hyperdrive_pg_forward_parse_moved(&text)) {

        /* nobody can tell how the database will read it */

        return ngx_hyperdrive_pg_forward_parse_long(f);
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
        if (reply == NULL) {
            return NGX_ERROR;
        }

        reply->label = entry;

        return NGX_OK;
    }

    if (name.len && ngx_hyperdrive_state_names_full(&c->names)) {
        ngx_hyperdrive_state_stmt_unref(c->ctx->registry, stmt);
        return ngx_hyperdrive_pg_forward_error(f, "54000",
                          "prepared statements of this client take too much "
                          "memory");
    }

    if (name.len) {
        rc = ngx_hyperdrive_pg_forward_sql_parse(f, &name, stmt);

        if (rc != NGX_DECLINED) {
            ngx_hyperdrive_state_stmt_unref(c->ctx->registry, stmt);
            return rc;
        }
    }

    id = 0;
    item = NULL;

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
    entry->epoch = ngx_hyperdrive_pg_prepared_epoch(c);

    if (name.len == 0) {
        c->unnamed_group = o->group;

        ngx_hyperdrive_pg_origin_unnamed(o, stmt);
        o->unnamed_dirty = 1;
        o->unnamed_group = o->group;

        reply = ngx_hyperdrive_pg_forward_expect(f,
                                              NGX_HYPERDRIVE_PG_REPLY_PARSE,
                                              NGX_HYPERDRIVE_PG_PASS, stmt);
        if (reply == NULL) {

            if (old) {
                ngx_hyperdrive_pg_client_free_name(c->ctx, old);
            }

            return NGX_ERROR;
        }

        reply->name = entry;
        reply->old = old;
        reply->epoch = entry->epoch;
        reply->unnamed = 1;

        return ngx_hyperdrive_pg_forward_raw(f);
    }

    /* NGX_HYPERDRIVE_STATE_CHANGING is greater than any */

    if (item && item->epoch >= c->epoch
        && (o->group == o->first_group ? o->status != 'E'
                                       : o->status == 'I' && !o->block))
    {
        /*
         * Other clients use the same text: nothing is left to do, as it is
         * certain that the block has not failed, and that nothing has changed
         * since it was prepared.
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
                                             NGX_HYPERDRIVE_PG_PASS, stmt);
    if (reply == NULL) {
        return NGX_ERROR;
    }

    reply->name = entry;
    reply->id = id;
    reply->epoch = entry->epoch;

    item = ngx_hyperdrive_state_set_add(&o->set, id);

    if (item) {
        item->group = o->group;
        item->epoch = entry->epoch;
    }

    return ngx_hyperdrive_pg_forward_prepare(f, stmt, id);
}


/* are there as many as it says? */

static ngx_uint_t
ngx_hyperdrive_pg_forward_parse_types(u_char *p, u_char *end)
{
    ngx_uint_t  n;

    p = ngx_hyperdrive_base_read_u16(p, end, &n);

    return p && (size_t) (end - p) == 4 * n;
}


/* does it mean something else without standard_conforming_strings, or in
   another encoding? */

static ngx_uint_t
ngx_hyperdrive_pg_forward_parse_moved(ngx_str_t *text)
{
    size_t  i;

    for (i = 0; i < text->len; i++) {

        if (text->data[i] == '\\' || text->data[i] > 0x7f) {
            return 1;
        }
    }

    return 0;
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
            /* it fails, and the origin has to say so */
            return ngx_hyperdrive_pg_forward_parse_taken(f, entry, name.len);
        }
    }

    o->open = 1;

    ngx_hyperdrive_pg_forward_run(f, NULL, NULL, NULL);

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

        ngx_hyperdrive_pg_origin_unnamed(o, NULL);

        o->unnamed_dirty = 1;
        o->unnamed_group = o->group;
    }

    return ngx_hyperdrive_pg_forward_raw(f);
}


/* a long text under a name that is taken: with the name that is taken there */

static ngx_int_t
ngx_hyperdrive_pg_forward_parse_taken(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_name_t *entry, size_t taken)
{
    u_char                     *p;
    size_t                      avail;
    ngx_int_t                   rc;
    ngx_hyperdrive_pg_reply_t  *reply;

    rc = ngx_hyperdrive_pg_forward_ensure(f, entry, 0);

    if (rc != NGX_OK) {
        return rc;
    }

    f->origin->open = 1;

    reply = ngx_hyperdrive_pg_forward_expect(f, NGX_HYPERDRIVE_PG_REPLY_PARSE,
                                             NGX_HYPERDRIVE_PG_PASS, NULL);
    if (reply == NULL) {
        return NGX_ERROR;
    }

    reply->label = entry;

    p = ngx_hyperdrive_base_chain_reserve(f->out,
                                          NGX_HYPERDRIVE_PG_HEADER
                                          + NGX_HYPERDRIVE_PG_STATEMENT_LEN
                                          + 1);
    if (p == NULL) {
        return ngx_hyperdrive_pg_forward_error(f, "53200", "out of memory");
    }

    *p++ = 'P';
    p = ngx_hyperdrive_base_put_u32(p, f->total - 1 - taken
                                       + NGX_HYPERDRIVE_PG_STATEMENT_LEN);
    (void) ngx_hyperdrive_pg_forward_name(p,
                          ngx_hyperdrive_pg_forward_id(f->origin,
                                                       entry->stmt));

    taken += NGX_HYPERDRIVE_PG_HEADER + 1;
    avail = ngx_min((size_t) (f->last - f->pos), f->total);

    if (ngx_hyperdrive_base_chain_append(f->out, f->pos + taken,
                                         avail - taken)
        != NGX_OK)
    {
        return ngx_hyperdrive_pg_forward_error(f, "53200", "out of memory");
    }

    f->client->left = f->total - avail;
    f->origin->partial = (f->client->left != 0);

    return NGX_OK;
}


ngx_int_t
ngx_hyperdrive_pg_forward_bind(ngx_hyperdrive_pg_forward_t *f)
{
    size_t                        avail, taken, len;
    u_char                       *p, *end, *rest;
    uint64_t                      id;
    ngx_int_t                     rc;
    ngx_str_t                     portal, name;
    ngx_uint_t                    mangled;
    ngx_hyperdrive_pg_reply_t    *reply;
    ngx_hyperdrive_pg_client_t   *c;
    ngx_hyperdrive_pg_origin_t   *o;
    ngx_hyperdrive_state_name_t  *entry, *target;
    ngx_hyperdrive_state_stmt_t  *stmt;

    c = f->client;
    o = f->origin;

    avail = ngx_min((size_t) (f->last - f->pos), f->total);
    end = f->pos + avail;

    rest = ngx_hyperdrive_base_read_cstr(f->pos + NGX_HYPERDRIVE_PG_HEADER,
                                         end, &portal);
    rest = ngx_hyperdrive_base_read_cstr(rest, end, &name);

    if (rest == NULL) {

        if (avail == f->total) {
            return ngx_hyperdrive_pg_forward_bad(f,
                                               NGX_HYPERDRIVE_PG_REPLY_BIND);
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

    mangled = 0;
    target = NULL;
    f->label = NULL;
    f->drops = 0;

    if (entry == NULL) {
        ngx_hyperdrive_pg_forward_run_named(f);

        rc = ngx_hyperdrive_pg_forward_no_statement(f, &name, &mangled);

    } else if (!ngx_hyperdrive_pg_forward_certain(o)
               && (entry->stmt->plan.deallocate || entry->stmt->plan.forgets))
    {
        /* what is prepared has to be certain before it changes */
        rc = ngx_hyperdrive_pg_forward_hold(f);

    } else {
        rc = NGX_DECLINED;

        if (entry->stmt->plan.name_len) {
            rc = ngx_hyperdrive_pg_forward_sql_bind(f, entry->stmt, &target);
        }

        if (target == NULL && rc == NGX_DECLINED) {
            ngx_hyperdrive_pg_forward_run_bind(f, entry->stmt, rest, end);
        }

        if (entry->stmt->plan.deallocate) {
            rc = ngx_hyperdrive_pg_forward_deallocate_bind(f, entry->stmt);
        }

        if (rc == NGX_DECLINED) {

            if (entry->stmt->plan.body) {
                ngx_hyperdrive_pg_forward_sql_names(f, entry->stmt);
            }

            if (name.len) {
                ngx_hyperdrive_pg_repeat_begin(f);
            }

            rc = ngx_hyperdrive_pg_forward_ensure(f, entry, entry->shape);
        }
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

    reply = ngx_hyperdrive_pg_forward_expect(f, NGX_HYPERDRIVE_PG_REPLY_BIND,
                                             NGX_HYPERDRIVE_PG_PASS,
                                             entry ? entry->stmt : NULL);
    if (reply == NULL) {
        return NGX_ERROR;
    }

    o->fresh = 0;

    reply->label = entry;
    reply->mangled = mangled;

    if (target || (entry && entry->stmt->plan.executed)) {

        /* it runs at the Execute */

        f->label = target;

        stmt = (target && entry->stmt->plan.body == 0) ? target->stmt
                                                       : entry->stmt;

        if (ngx_hyperdrive_pg_portal_bind(f, &portal, stmt,
                                          target ? end : rest, end)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

    } else if (c->portals) {
        ngx_hyperdrive_pg_portal_close(c, &portal);
    }

    id = 0;

    if (entry && name.len && target == NULL && f->drops == 0) {
        id = ngx_hyperdrive_pg_forward_id(o, entry->stmt);
        reply->id = id;
    }

    if (entry == NULL || name.len == 0) {
        rc = ngx_hyperdrive_pg_forward_raw(f);

        if (rc == NGX_OK && c->describe) {
            rc = ngx_hyperdrive_pg_forward_portal(f, &portal);
        }

        return rc;
    }

    /*
     * The same with the origin's name of the statement, or with the unnamed
     * one, which has been parsed instead.
     */

    taken = rest - f->pos;
    len = portal.len + 1 + (id ? NGX_HYPERDRIVE_PG_STATEMENT_LEN : 0) + 1;

    p = ngx_hyperdrive_base_chain_reserve(f->out,
                                          NGX_HYPERDRIVE_PG_HEADER + len);
    if (p == NULL) {
        return ngx_hyperdrive_pg_forward_error(f, "53200", "out of memory");
    }

    *p++ = 'B';
    p = ngx_hyperdrive_base_put_u32(p, 4 + len + f->total - taken);
    p = ngx_cpymem(p, portal.data, portal.len + 1);

    if (id) {
        (void) ngx_hyperdrive_pg_forward_name(p, id);

    } else {
        *p = '\0';
    }

    if (ngx_hyperdrive_base_chain_append(f->out, rest, end - rest) != NGX_OK) {
        return ngx_hyperdrive_pg_forward_error(f, "53200", "out of memory");
    }

    c->left = f->total - avail;
    o->partial = (c->left != 0);

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
