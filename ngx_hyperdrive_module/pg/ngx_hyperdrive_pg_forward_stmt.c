
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "pg/ngx_hyperdrive_pg_forward.h"


/* replies that are looked through for a name; with more, the client waits */
#define NGX_HYPERDRIVE_PG_FORWARD_LOOK   1024


static ngx_uint_t ngx_hyperdrive_pg_forward_unsure(
    ngx_hyperdrive_pg_origin_t *o, uint64_t group);
static ngx_uint_t ngx_hyperdrive_pg_forward_closed(
    ngx_hyperdrive_pg_origin_t *o, ngx_str_t *name, uint64_t id);
static ngx_int_t ngx_hyperdrive_pg_forward_compare(
    ngx_hyperdrive_pg_forward_t *f, ngx_hyperdrive_state_stmt_t *stmt,
    uint64_t id, uint64_t told);
static u_char *ngx_hyperdrive_pg_forward_hex(u_char *p, uint32_t n);


/* the name that a statement has, or will have, at this origin */

uint64_t
ngx_hyperdrive_pg_forward_id(ngx_hyperdrive_pg_origin_t *o,
    ngx_hyperdrive_state_stmt_t *stmt)
{
    if (stmt->id == 0) {
        stmt->id = o->ctx->next_id();
    }

    return (o->epoch << 48) | stmt->id;
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

ngx_int_t
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

ngx_int_t
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

        if (reply->type != NGX_HYPERDRIVE_PG_REPLY_CLOSE && !reply->drops) {
            continue;
        }

        if (name == NULL) {

            if (reply->id == id) {
                return 1;
            }

        } else if (reply->all) {
            return 1;

        } else if (reply->name && reply->name->len == name->len
                   && ngx_memcmp(reply->name->name, name->data, name->len)
                      == 0)
        {
            return 1;
        }
    }

    return 0;
}


/*
 * Makes sure that the origin knows the statement by the name that will be
 * sent, and that its rows have the shape that the client was <told> (0: it was
 * told nothing).  NGX_OK; NGX_BUSY: answers have to come first; NGX_ERROR:
 * f->err.
 */

ngx_int_t
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

        /* of the same text, it may be another client's, made later */

        if (o->unnamed == stmt
            && (told == 0 || entry->group == o->unnamed_group)
            && !ngx_hyperdrive_pg_forward_unsure(o, o->unnamed_group))
        {
            return NGX_OK;
        }

        ngx_hyperdrive_pg_origin_unnamed(o, stmt);
        o->unnamed_dirty = 1;
        o->unnamed_group = o->group;
        entry->group = o->group;

        id = 0;

    } else {
        id = ngx_hyperdrive_pg_forward_id(o, stmt);

        rc = ngx_hyperdrive_pg_forward_item(f, id, &item);

        if (rc != NGX_OK) {
            return rc;
        }

        if (item && item->epoch < entry->epoch) {

            /* the client has prepared it later, and something has changed */

            if (ngx_hyperdrive_pg_forward_drop(f, id) != NGX_OK) {
                return NGX_ERROR;
            }

            item = NULL;
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
            item->epoch = entry->epoch;
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


/*
 * So that the origin answers to its DEALLOCATE.  The text does not matter, and
 * that of the client may be wrong by now.
 */

ngx_int_t
ngx_hyperdrive_pg_forward_stand_in(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_stmt_t *stmt, uint64_t id)
{
    u_char                      *p;
    ngx_hyperdrive_pg_origin_t  *o;

    o = f->origin;

    if (ngx_hyperdrive_state_set_find(&o->set, id)) {
        return NGX_OK;
    }

    /*
     * It is not certain that it will be executed: whoever prepares the text
     * next does so under another name.
     */

    stmt->id = 0;

    if (ngx_hyperdrive_pg_forward_expect(f, NGX_HYPERDRIVE_PG_REPLY_PARSE,
                                         NGX_HYPERDRIVE_PG_DROP, NULL)
        == NULL)
    {
        return NGX_ERROR;
    }

    p = ngx_hyperdrive_base_chain_reserve(f->out,
                                          NGX_HYPERDRIVE_PG_HEADER
                                          + NGX_HYPERDRIVE_PG_STATEMENT_LEN + 1
                                          + 1 + 2);
    if (p == NULL) {
        return ngx_hyperdrive_pg_forward_error(f, "53200", "out of memory");
    }

    *p++ = 'P';
    p = ngx_hyperdrive_base_put_u32(p, 4 + NGX_HYPERDRIVE_PG_STATEMENT_LEN + 1
                                       + 1 + 2);
    p = ngx_hyperdrive_pg_forward_name(p, id);
    *p++ = '\0';
    (void) ngx_hyperdrive_base_put_u16(p, 0);

    return NGX_OK;
}


/* makes room for one more statement at the origin; NGX_BUSY: later */

ngx_int_t
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


ngx_int_t
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

    if (p != end) {
        return ngx_hyperdrive_pg_forward_bad(f, NGX_HYPERDRIVE_PG_REPLY_CLOSE);
    }

    entry = NULL;
    unnamed = 0;
    action = NGX_HYPERDRIVE_PG_PASS;

    if (kind.data[0] == 'P') {
        ngx_hyperdrive_pg_portal_close(c, &name);

    } else if (kind.data[0] == 'S') {

        rc = ngx_hyperdrive_pg_forward_find(f, &name, &entry);

        if (rc != NGX_OK) {
            return rc;
        }

        if (name.len == 0) {
            unnamed = 1;

            c->unnamed = NULL;
            c->unnamed_group = o->group;
            o->unnamed_group = o->group;

            ngx_hyperdrive_pg_origin_unnamed(o, NULL);

        } else {

            if (entry) {

                /* others may use it: it stays prepared at the origin */

                ngx_hyperdrive_state_names_unlink(&c->names, entry);
                ngx_hyperdrive_pg_portal_unlabel(c);
                c->closed_group = o->group;
                action = NGX_HYPERDRIVE_PG_OWN;

            } else if (ngx_hyperdrive_pg_forward_ours(&name)) {

                /* to close what does not exist is no error */
                action = NGX_HYPERDRIVE_PG_OWN;
            }

            /* else it may be one of PREPARE, or of nobody */

            if (entry == NULL) {
                ngx_hyperdrive_pg_forward_sql_close(f, &name);
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
    reply->drops = (entry != NULL);
    reply->unnamed = unnamed;

    if (action == NGX_HYPERDRIVE_PG_OWN) {
        return NGX_OK;
    }

    return ngx_hyperdrive_pg_forward_raw(f);
}


/* closes a statement at the origin */

ngx_int_t
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

ngx_int_t
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

ngx_int_t
ngx_hyperdrive_pg_forward_no_statement(ngx_hyperdrive_pg_forward_t *f,
    ngx_str_t *name, ngx_uint_t *mangled)
{
    ngx_hyperdrive_pg_origin_t  *o;

    o = f->origin;

    if (name->len) {

        if (ngx_hyperdrive_pg_forward_ours(name)) {
            /* same length, and not a name of ours */
            name->data[0] = '-';
            *mangled = 1;
        }

        return NGX_OK;
    }

    if (!o->unnamed_dirty || o->poisoned) {
        return NGX_OK;
    }

    /* another client's unnamed statement goes first */

    ngx_hyperdrive_pg_origin_unnamed(o, NULL);

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


/* whether a client's name looks like those that we make */

ngx_uint_t
ngx_hyperdrive_pg_forward_ours(ngx_str_t *name)
{
    return name->len >= sizeof(NGX_HYPERDRIVE_PG_PREFIX) - 1
           && ngx_memcmp(name->data, NGX_HYPERDRIVE_PG_PREFIX,
                         sizeof(NGX_HYPERDRIVE_PG_PREFIX) - 1)
              == 0;
}


/* prefix, 16 hex digits and a NUL */

u_char *
ngx_hyperdrive_pg_forward_name(u_char *p, uint64_t id)
{
    p = ngx_hyperdrive_pg_forward_bare(p, id);

    *p++ = '\0';

    return p;
}


u_char *
ngx_hyperdrive_pg_forward_bare(u_char *p, uint64_t id)
{
    p = ngx_cpymem(p, NGX_HYPERDRIVE_PG_PREFIX,
                   sizeof(NGX_HYPERDRIVE_PG_PREFIX) - 1);

    p = ngx_hyperdrive_pg_forward_hex(p, (uint32_t) (id >> 32));

    return ngx_hyperdrive_pg_forward_hex(p, (uint32_t) id);
}


/* eight digits at once: each half byte gets a byte, and each byte its letter */

static u_char *
ngx_hyperdrive_pg_forward_hex(u_char *p, uint32_t n)
{
    uint64_t  x, letters;

    x = n;

    x = (x & 0xffff0000) << 16 | (x & 0xffff);
    x = (x & 0x0000ff000000ff00) << 8 | (x & 0x000000ff000000ff);
    x = (x & 0x00f000f000f000f0) << 4 | (x & 0x000f000f000f000f);

    /* those from 10 on */
    letters = (x + 0x0606060606060606) >> 4 & 0x0101010101010101;

    x += 0x3030303030303030 + letters * ('a' - '9' - 1);

    p = ngx_hyperdrive_base_put_u32(p, (uint32_t) (x >> 32));

    return ngx_hyperdrive_base_put_u32(p, (uint32_t) x);
}
