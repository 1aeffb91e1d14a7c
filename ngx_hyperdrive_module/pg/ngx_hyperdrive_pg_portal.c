
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "pg/ngx_hyperdrive_pg_forward.h"


/*
 * What is bound changes nothing before it is executed, and what is executed
 * changes nothing if it fails.  So portals of statements that change what the
 * client has set or prepared are noted, and the session is told of them at
 * their Execute; names that a statement takes away are borne by its reply
 * until that has come.
 */


/* noted at a time; with more, nobody knows what runs */
#define NGX_HYPERDRIVE_PG_PORTALS        64


struct ngx_hyperdrive_pg_portal_s {
    ngx_hyperdrive_pg_portal_t       *next;
    ngx_hyperdrive_state_stmt_t      *stmt;    /* that runs: one reference */
    ngx_hyperdrive_state_name_t      *label;   /* of an EXECUTE: whose statement
                                                  an error would speak of */
    uint64_t                          id;      /* of a DEALLOCATE: what it takes
                                                  away at the origin, or 0 */
    ngx_str_t                         name;
    ngx_str_t                         args;    /* empty: not known */
};


struct ngx_hyperdrive_pg_dropped_s {
    ngx_hyperdrive_state_names_t      names;
    ngx_hyperdrive_state_names_t      sql;
};


static ngx_hyperdrive_pg_portal_t **ngx_hyperdrive_pg_portal_find(
    ngx_hyperdrive_pg_client_t *c, ngx_str_t *name);
static void ngx_hyperdrive_pg_portal_free(ngx_hyperdrive_pg_client_t *c,
    ngx_hyperdrive_pg_portal_t **link);
static ngx_int_t ngx_hyperdrive_pg_portal_run(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_pg_portal_t **link);


ngx_int_t
ngx_hyperdrive_pg_portal_bind(ngx_hyperdrive_pg_forward_t *f, ngx_str_t *name,
    ngx_hyperdrive_state_stmt_t *stmt, u_char *args, u_char *end)
{
    size_t                       len;
    u_char                      *p;
    ngx_uint_t                   n;
    ngx_hyperdrive_pg_client_t  *c;
    ngx_hyperdrive_pg_portal_t  *portal;

    c = f->client;

    ngx_hyperdrive_pg_portal_close(c, name);

    n = 0;

    for (portal = c->portals; portal; portal = portal->next) {
        n++;
    }

    if (n >= NGX_HYPERDRIVE_PG_PORTALS) {
        ngx_hyperdrive_pg_forward_run(f, NULL, NULL, NULL);
        return NGX_OK;
    }

    /* only what is set may be a parameter; what is not there yet is unknown */

    len = (stmt->plan.settings && (size_t) (f->last - f->pos) >= f->total)
          ? end - args : 0;

    portal = malloc(sizeof(ngx_hyperdrive_pg_portal_t) + name->len + len);

    if (portal == NULL) {
        return ngx_hyperdrive_pg_forward_error(f, "53200", "out of memory");
    }

    p = (u_char *) (portal + 1);

    portal->name.data = p;
    portal->name.len = name->len;
    p = ngx_cpymem(p, name->data, name->len);

    portal->args.data = p;
    portal->args.len = len;

    if (len) {
        ngx_memcpy(p, args, len);
    }

    portal->stmt = ngx_hyperdrive_state_stmt_ref(stmt);
    portal->label = f->label;
    portal->id = f->drops;

    portal->next = c->portals;
    c->portals = portal;

    return NGX_OK;
}


static ngx_hyperdrive_pg_portal_t **
ngx_hyperdrive_pg_portal_find(ngx_hyperdrive_pg_client_t *c, ngx_str_t *name)
{
    ngx_hyperdrive_pg_portal_t  **link;

    for (link = &c->portals; *link; link = &(*link)->next) {

        if ((*link)->name.len == name->len
            && ngx_memcmp((*link)->name.data, name->data, name->len) == 0)
        {
            break;
        }
    }

    return link;
}


static void
ngx_hyperdrive_pg_portal_free(ngx_hyperdrive_pg_client_t *c,
    ngx_hyperdrive_pg_portal_t **link)
{
    ngx_hyperdrive_pg_portal_t  *portal;

    portal = *link;
    *link = portal->next;

    ngx_hyperdrive_state_stmt_unref(c->ctx->registry, portal->stmt);
    free(portal);
}


void
ngx_hyperdrive_pg_portal_close(ngx_hyperdrive_pg_client_t *c, ngx_str_t *name)
{
    ngx_hyperdrive_pg_portal_t  **link;

    link = ngx_hyperdrive_pg_portal_find(c, name);

    if (*link) {
        ngx_hyperdrive_pg_portal_free(c, link);
    }
}


void
ngx_hyperdrive_pg_portal_clear(ngx_hyperdrive_pg_client_t *c)
{
    while (c->portals) {
        ngx_hyperdrive_pg_portal_free(c, &c->portals);
    }
}


void
ngx_hyperdrive_pg_portal_unlabel(ngx_hyperdrive_pg_client_t *c)
{
    ngx_hyperdrive_pg_portal_t  *portal;

    for (portal = c->portals; portal; portal = portal->next) {
        portal->label = NULL;
    }
}


ngx_int_t
ngx_hyperdrive_pg_portal_execute(ngx_hyperdrive_pg_forward_t *f)
{
    ngx_str_t                    name;
    ngx_hyperdrive_pg_portal_t **link;

    if (ngx_hyperdrive_base_read_cstr(f->pos + NGX_HYPERDRIVE_PG_HEADER,
                                      f->pos + f->total, &name)
        == NULL)
    {
        return NGX_DECLINED;
    }

    link = ngx_hyperdrive_pg_portal_find(f->client, &name);

    return *link ? ngx_hyperdrive_pg_portal_run(f, link) : NGX_DECLINED;
}


void
ngx_hyperdrive_pg_portal_fetch(ngx_hyperdrive_pg_forward_t *f)
{
    ngx_hyperdrive_pg_portal_t  *portal;

    for (portal = f->client->portals; portal; portal = portal->next) {

        if (portal->stmt->plan.settings) {
            ngx_hyperdrive_pg_forward_run_fetched(f, portal->stmt);
        }
    }
}


static ngx_int_t
ngx_hyperdrive_pg_portal_run(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_pg_portal_t **link)
{
    ngx_int_t                     rc;
    ngx_uint_t                    i, again;
    ngx_hyperdrive_pg_reply_t    *reply;
    ngx_hyperdrive_pg_client_t   *c;
    ngx_hyperdrive_pg_origin_t   *o;
    ngx_hyperdrive_pg_portal_t   *portal;
    ngx_hyperdrive_state_stmt_t  *stmt;

    c = f->client;
    o = f->origin;
    portal = *link;
    stmt = portal->stmt;

    f->drops = portal->id;
    f->counts = 0;

    if (stmt->plan.executed) {
        ngx_hyperdrive_pg_forward_run_execute(f, stmt, portal->args.data,
                                              portal->args.data
                                              + portal->args.len);
    }

    o->fresh = 0;

    reply = ngx_hyperdrive_pg_forward_expect(f,
                                             NGX_HYPERDRIVE_PG_REPLY_EXECUTE,
                                             NGX_HYPERDRIVE_PG_PASS, NULL);
    if (reply == NULL) {
        return NGX_ERROR;
    }

    reply->label = portal->label;
    reply->counts = f->counts;

    if (stmt->plan.forgets
        && ngx_hyperdrive_pg_portal_drops(f, stmt, reply) != NGX_OK)
    {
        return NGX_ERROR;
    }

    /* code that may be called by the next Execute as well */
    again = (stmt->plan.forgets && !reply->drops);

    if (ngx_hyperdrive_pg_forward_raw(f) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = NGX_OK;

    if (f->nbehind) {

        /* what has been sent of the group cannot be sent once more */

        ngx_hyperdrive_pg_repeat_end(o);

        for (i = 0; i < f->nbehind && rc == NGX_OK; i++) {
            rc = ngx_hyperdrive_pg_own(o, &f->behind[i].text, f->tag, 0,
                                       f->out);
        }
    }

    if (rc != NGX_OK) {
        return ngx_hyperdrive_pg_forward_error(f, "53200", "out of memory");
    }

    if (stmt->plan.forgets && portal->id == 0) {
        ngx_hyperdrive_pg_forward_forget(o);
    }

    if (!again) {
        ngx_hyperdrive_pg_portal_free(c, link);
    }

    return NGX_OK;
}


ngx_int_t
ngx_hyperdrive_pg_portal_drops(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_stmt_t *stmt, ngx_hyperdrive_pg_reply_t *reply)
{
    u_char                         buf[NGX_HYPERDRIVE_MAX_NAME];
    ngx_str_t                      name;
    ngx_hyperdrive_pg_client_t    *c;
    ngx_hyperdrive_pg_origin_t    *o;
    ngx_hyperdrive_state_name_t   *entry;
    ngx_hyperdrive_state_names_t  *names;

    c = f->client;
    o = f->origin;

    if (ngx_hyperdrive_pg_deallocate_is_all(stmt->text, stmt->len)) {

        reply->all = malloc(sizeof(ngx_hyperdrive_pg_dropped_t));

        if (reply->all == NULL) {
            return ngx_hyperdrive_pg_forward_error(f, "53200",
                                                   "out of memory");
        }

        reply->all->names = c->names;
        reply->all->sql = c->sql;

        ngx_memzero(&c->names, sizeof(ngx_hyperdrive_state_names_t));
        ngx_memzero(&c->sql, sizeof(ngx_hyperdrive_state_names_t));

    } else {

        if (ngx_hyperdrive_pg_deallocate(stmt->text, stmt->len, buf, &name)
            != NGX_OK)
        {
            return NGX_OK;
        }

        names = f->drops ? &c->names : &c->sql;
        entry = ngx_hyperdrive_state_names_find(names, &name);

        if (entry == NULL) {
            return NGX_OK;
        }

        ngx_hyperdrive_state_names_unlink(names, entry);

        reply->name = entry;
        reply->sql = (f->drops == 0);

        if (f->drops && ngx_hyperdrive_state_set_find(&o->set, f->drops)) {
            ngx_hyperdrive_state_set_remove(&o->set, f->drops);
            reply->id = f->drops;
        }
    }

    reply->drops = 1;

    c->closed_group = o->group;
    o->closed_group = o->group;

    ngx_hyperdrive_pg_portal_unlabel(c);

    return NGX_OK;
}


void
ngx_hyperdrive_pg_portal_dropped(ngx_hyperdrive_proto_ctx_t *ctx,
    ngx_hyperdrive_pg_reply_t *reply)
{
    if (reply->name) {
        ngx_hyperdrive_pg_client_free_name(ctx, reply->name);
        reply->name = NULL;
    }

    if (reply->all) {
        ngx_hyperdrive_state_names_clear(&reply->all->names, ctx->registry);
        ngx_hyperdrive_state_names_clear(&reply->all->sql, ctx->registry);

        free(reply->all);
        reply->all = NULL;
    }
}


void
ngx_hyperdrive_pg_portal_kept(ngx_hyperdrive_pg_client_t *c,
    ngx_hyperdrive_pg_origin_t *o, ngx_hyperdrive_pg_reply_t *reply)
{
    if (reply->id) {
        (void) ngx_hyperdrive_state_set_add(&o->set, reply->id);
    }

    if (c == NULL) {
        /* its names have been taken out */
        return;
    }

    if (reply->name) {
        ngx_hyperdrive_state_names_link(reply->sql ? &c->sql : &c->names,
                                        reply->name);
        reply->name = NULL;
    }

    if (reply->all) {

        /* what has been prepared behind it was taken back before */

        ngx_hyperdrive_state_names_clear(&c->names, o->ctx->registry);
        ngx_hyperdrive_state_names_clear(&c->sql, o->ctx->registry);

        c->names = reply->all->names;
        c->sql = reply->all->sql;

        free(reply->all);
        reply->all = NULL;
    }
}
