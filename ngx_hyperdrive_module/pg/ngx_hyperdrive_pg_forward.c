
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "pg/ngx_hyperdrive_pg_forward.h"


static ngx_int_t ngx_hyperdrive_pg_forward_trail(
    ngx_hyperdrive_pg_forward_t *f);
static ngx_int_t ngx_hyperdrive_pg_forward_message(
    ngx_hyperdrive_pg_forward_t *f);
static ngx_int_t ngx_hyperdrive_pg_forward_query(
    ngx_hyperdrive_pg_forward_t *f);
static ngx_uint_t ngx_hyperdrive_pg_forward_readable(
    ngx_hyperdrive_pg_forward_t *f);
static ngx_int_t ngx_hyperdrive_pg_forward_describe(
    ngx_hyperdrive_pg_forward_t *f);
static void ngx_hyperdrive_pg_forward_run_init(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_proto_run_t *run, ngx_hyperdrive_state_stmt_t *stmt,
    u_char *args, u_char *end);
static void ngx_hyperdrive_pg_forward_run_added(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_proto_run_t *run);


uint64_t  ngx_hyperdrive_pg_forward_group;


ngx_int_t
ngx_hyperdrive_pg_forward(void *client, void *origin, u_char **pos,
    u_char *last, ngx_hyperdrive_chain_t *out, ngx_hyperdrive_chain_t *reply,
    ngx_hyperdrive_proto_run_pt run, void *data,
    ngx_hyperdrive_proto_error_t *err)
{
    size_t                        n;
    u_char                        type;
    uint32_t                      len;
    ngx_int_t                     rc;
    ngx_uint_t                    copies;
    ngx_hyperdrive_pg_client_t   *c;
    ngx_hyperdrive_pg_origin_t   *o;
    ngx_hyperdrive_pg_forward_t   f;

    c = client;
    o = origin;
    copies = 0;

    f.client = c;
    f.origin = o;
    f.out = out;
    f.run = run;
    f.data = data;
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

        if (!o->open) {
            o->fresh = 1;
        }

    } else if (!o->open) {

        /* a group behind another one that may fail */

        o->fresh = 0;
        o->keep = 0;
    }

    if (c->begin && ngx_hyperdrive_pg_block_send(&f) != NGX_OK) {
        return NGX_ERROR;
    }

    for ( ;; ) {

        f.pos = *pos;
        f.nbehind = 0;

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
                return ngx_hyperdrive_pg_forward_trail(&f);
            }

            if (c->skipped) {
                c->skipped = 0;
                return NGX_DECLINED;
            }

            /* or of a group, which is open then */
            copies = 1;

            continue;
        }

        if (last - f.pos < NGX_HYPERDRIVE_PG_HEADER) {
            return NGX_AGAIN;
        }

        if (o->fence && o->begins) {

            /* what is in a group of its own would run without its block */

            return ngx_hyperdrive_pg_forward_hold(&f);
        }

        if (o->ledger.n >= NGX_HYPERDRIVE_PG_LEDGER_MAX) {
            o->hold = 1;
            return NGX_BUSY;
        }

        type = f.pos[0];

        if (copies && !o->open && !o->copy_in && !ngx_hyperdrive_pg_data(type))
        {
            /* what is behind the data of a Query's COPY is another unit */
            return NGX_DECLINED;
        }

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

        if (o->keep) {

            if (c->left) {
                ngx_hyperdrive_pg_repeat_end(o);

            } else {
                ngx_hyperdrive_pg_repeat_keep(o, f.pos, f.total);
            }
        }

        /* what streams has set c->left to the part that is not there yet */

        *pos += f.total - c->left;

        if (o->ledger.n
            && ngx_hyperdrive_pg_ledger_at(&o->ledger, 0)->action
               == NGX_HYPERDRIVE_PG_OWN)
        {
            ngx_hyperdrive_pg_answer_own(o, reply);
        }

        o->fence |= (o->begins
                     && (type == 'Q' || type == 'S' || type == 'F'));

        if (type == 'Q' || type == 'S' || type == 'H' || type == 'F') {

            if (c->left == 0) {
                return (type == 'H') ? NGX_DECLINED
                                     : ngx_hyperdrive_pg_forward_trail(&f);
            }

            /* a Sync in copy-in mode; all but that in a group that failed */

            c->skipped = (c->drop && (o->copy_in || o->ignore));
            c->ends = !c->skipped;

        } else if (ngx_hyperdrive_pg_data(type)) {
            copies = 1;
        }
    }
}


/* a Query behind requests of our own is followed by a Sync */

static ngx_int_t
ngx_hyperdrive_pg_forward_trail(ngx_hyperdrive_pg_forward_t *f)
{
    if (!f->origin->trail) {
        return NGX_OK;
    }

    if (ngx_hyperdrive_pg_own_trail(f->origin, f->out) != NGX_OK) {
        return ngx_hyperdrive_pg_forward_error(f, "53200", "out of memory");
    }

    f->client->open = f->origin->open;

    return NGX_OK;
}


/*
 * NGX_OK: f->total - client->left bytes are taken.  Else as _forward().
 */

static ngx_int_t
ngx_hyperdrive_pg_forward_message(ngx_hyperdrive_pg_forward_t *f)
{
    u_char                       type;
    ngx_int_t                    rc;
    ngx_hyperdrive_pg_client_t  *c;
    ngx_hyperdrive_pg_origin_t  *o;

    c = f->client;
    o = f->origin;
    type = f->pos[0];

    if (o->ignore && type != 'S' && type != 'X') {

        /* the origin has failed and skips to the Sync: so do we */

        c->left = f->total;
        c->drop = 1;

        o->trail = (o->prelude && (type == 'Q' || type == 'F'));

        if (o->trail) {
            return ngx_hyperdrive_pg_forward_trail(f);
        }

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

    if (c->portals && type == 'S' && o->status == 'I' && !o->block) {
        /* they end with the transaction */
        ngx_hyperdrive_pg_portal_clear(c);
    }

    switch (type) {

    case 'P':
    case 'B':
    case 'D':
    case 'C':
    case 'E':
    case 'S':
        o->prelude = 0;
        break;

    default:
        break;
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

        if (c->portals) {
            rc = ngx_hyperdrive_pg_portal_execute(f);

            if (rc != NGX_DECLINED) {
                return rc;
            }
        }

        o->fresh = 0;

        if (ngx_hyperdrive_pg_forward_expect(f,
                                             NGX_HYPERDRIVE_PG_REPLY_EXECUTE,
                                             NGX_HYPERDRIVE_PG_PASS, NULL)
            == NULL)
        {
            return NGX_ERROR;
        }

        return ngx_hyperdrive_pg_forward_raw(f);

    case 'F':
        o->fresh = 0;

        ngx_hyperdrive_pg_forward_run(f, NULL, NULL, NULL);

        if (ngx_hyperdrive_pg_forward_expect(f,
                                             NGX_HYPERDRIVE_PG_REPLY_FUNCTION,
                                             NGX_HYPERDRIVE_PG_PASS, NULL)
            == NULL)
        {
            return NGX_ERROR;
        }

        o->trail = o->prelude;
        o->group = ++ngx_hyperdrive_pg_forward_group;

        return ngx_hyperdrive_pg_forward_raw(f);

    case 'H':
        return (f->total == NGX_HYPERDRIVE_PG_HEADER)
               ? ngx_hyperdrive_pg_forward_raw(f)
               : ngx_hyperdrive_pg_forward_bad(f,
                                              NGX_HYPERDRIVE_PG_REPLY_PORTAL);

    case 'S':
        o->ignore = 0;
        o->open = 0;
        o->begun = 0;

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
                                     ngx_hyperdrive_pg_client_unknown(type));
    }
}


static ngx_int_t
ngx_hyperdrive_pg_forward_query(ngx_hyperdrive_pg_forward_t *f)
{
    u_char                       *end;
    ngx_int_t                     rc;
    ngx_str_t                     text, types;
    ngx_uint_t                    n, ahead, grouped;
    ngx_hyperdrive_pg_reply_t    *reply;
    ngx_hyperdrive_pg_client_t   *c;
    ngx_hyperdrive_pg_origin_t   *o;
    ngx_hyperdrive_state_name_t  *target;
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

    if (!ngx_hyperdrive_pg_forward_certain(o)
        && (stmt == NULL || stmt->plan.deallocate || stmt->plan.forgets))
    {
        /* it changes what is prepared, which has to be certain before */

        if (stmt) {
            ngx_hyperdrive_state_stmt_unref(c->ctx->registry, stmt);
        }

        return ngx_hyperdrive_pg_forward_hold(f);
    }

    rc = NGX_DECLINED;
    n = o->ledger.n;
    target = NULL;

    /* then the client's own Sync is behind it */
    grouped = (o->open && !o->prelude && !o->begun);

    if (stmt && stmt->plan.deallocate) {
        rc = ngx_hyperdrive_pg_forward_deallocate(f, stmt);

    } else if (stmt && stmt->plan.name_len) {
        rc = ngx_hyperdrive_pg_forward_sql(f, stmt, &target);

        if (rc == NGX_BUSY) {
            ngx_hyperdrive_state_stmt_unref(c->ctx->registry, stmt);
            return NGX_BUSY;
        }
    }

    if (target == NULL) {
        ngx_hyperdrive_pg_forward_run_query(f, stmt);
    }

    if (stmt && stmt->plan.body && rc == NGX_DECLINED) {
        ngx_hyperdrive_pg_forward_sql_names(f, stmt);
    }

    /* own requests are ahead of it, which may fail */
    ahead = (o->ledger.n != n && !grouped);

    o->fresh = 0;

    if (rc == NGX_DECLINED && (stmt == NULL || stmt->plan.forgets)) {
        ngx_hyperdrive_pg_forward_forget(o);
    }

    if (stmt == NULL || stmt->plan.transaction) {
        o->block = 1;
    }

    reply = (rc == NGX_ERROR) ? NULL
            : ngx_hyperdrive_pg_forward_expect(f,
                                               NGX_HYPERDRIVE_PG_REPLY_QUERY,
                                               NGX_HYPERDRIVE_PG_PASS, NULL);

    if (reply && stmt && stmt->plan.forgets
        && ngx_hyperdrive_pg_portal_drops(f, stmt, reply) != NGX_OK)
    {
        reply = NULL;
    }

    if (reply == NULL) {

        if (stmt) {
            ngx_hyperdrive_state_stmt_unref(c->ctx->registry, stmt);
        }

        return NGX_ERROR;
    }

    reply->label = target;
    reply->counts = 1;

    o->trail = (o->prelude || ahead);

    /* a Query ends the unnamed statement, at both ends */

    reply->old = c->unnamed;
    reply->unnamed = 1;
    reply->unread = (c->unnamed
                     && (size_t) (f->last - f->pos) >= f->total
                     && !ngx_hyperdrive_pg_forward_readable(f));

    c->unnamed = NULL;
    c->unnamed_group = o->group;

    /* (not if it cannot even be read: then another client's may be there) */

    ngx_hyperdrive_pg_origin_unnamed(o, NULL);

    o->unnamed_group = o->group;

    if (o->begun) {
        /* nothing but our BEGIN has been before it */
        o->open = 0;
        o->begun = 0;
    }

    o->group = ++ngx_hyperdrive_pg_forward_group;

    if (rc == NGX_DECLINED) {
        rc = f->nbehind ? ngx_hyperdrive_pg_behind_query(f, stmt, reply)
                        : ngx_hyperdrive_pg_forward_raw(f);
    }

    /* else its rewritten form is in the output */

    if (stmt) {
        ngx_hyperdrive_state_stmt_unref(c->ctx->registry, stmt);
    }

    return rc;
}


/* false: the message of a Query has no end, or no characters of its encoding */

static ngx_uint_t
ngx_hyperdrive_pg_forward_readable(ngx_hyperdrive_pg_forward_t *f)
{
    u_char    *p, *end;
    uint32_t   value;

    p = f->pos + NGX_HYPERDRIVE_PG_HEADER;
    end = f->pos + f->total - 1;

    if (end < p || *end != '\0') {
        return 0;
    }

    if (!ngx_hyperdrive_pg_status_utf8(f->origin->reported)) {
        return ngx_strlchr(p, end, '\0') == NULL;
    }

    while (p && p < end && *p != '\0') {
        p = ngx_hyperdrive_base_read_utf8(p, end, &value);
    }

    return p == end;
}


static ngx_int_t
ngx_hyperdrive_pg_forward_describe(ngx_hyperdrive_pg_forward_t *f)
{
    u_char                       *p, *end;
    ngx_int_t                     rc;
    ngx_str_t                     name, kind;
    ngx_uint_t                    mangled;
    ngx_hyperdrive_pg_reply_t    *reply;
    ngx_hyperdrive_pg_origin_t   *o;
    ngx_hyperdrive_state_item_t  *item;
    ngx_hyperdrive_state_name_t  *entry;

    o = f->origin;
    end = f->pos + f->total;

    p = ngx_hyperdrive_base_read_bytes(f->pos + NGX_HYPERDRIVE_PG_HEADER, end,
                                       1, &kind);
    p = ngx_hyperdrive_base_read_cstr(p, end, &name);

    if (p != end) {
        return ngx_hyperdrive_pg_forward_bad(f,
                                            NGX_HYPERDRIVE_PG_REPLY_PORTAL);
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

    mangled = 0;

    if (entry && ngx_hyperdrive_state_stmt_runs_name(entry->stmt)) {
        rc = ngx_hyperdrive_pg_forward_sql_describe(f, entry);

        if (rc != NGX_DECLINED) {
            return rc;
        }
    }

    if (entry == NULL) {
        rc = ngx_hyperdrive_pg_forward_no_statement(f, &name, &mangled);

    } else {

        if (name.len) {
            ngx_hyperdrive_pg_repeat_begin(f);
        }

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
    reply->label = entry;
    reply->mangled = mangled;

    if (entry == NULL || name.len == 0) {

        if (entry && entry->epoch == f->client->epoch) {
            reply->epoch = entry->epoch;
        }

        return ngx_hyperdrive_pg_forward_raw(f);
    }

    reply->id = ngx_hyperdrive_pg_forward_id(f->origin, entry->stmt);

    item = ngx_hyperdrive_state_set_find(&o->set, reply->id);

    if (item && item->epoch >= f->client->epoch) {
        reply->epoch = f->client->epoch;
    }

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


void
ngx_hyperdrive_pg_forward_run(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_stmt_t *stmt, u_char *args, u_char *end)
{
    ngx_hyperdrive_proto_run_t  run;

    ngx_hyperdrive_pg_forward_run_init(f, &run, stmt, args, end);

    f->run(f->data, &run);
}


void
ngx_hyperdrive_pg_forward_run_query(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_stmt_t *stmt)
{
    ngx_hyperdrive_pg_origin_t  *o;
    ngx_hyperdrive_proto_run_t   run;

    o = f->origin;

    ngx_hyperdrive_pg_forward_run_init(f, &run, stmt, NULL, NULL);

    /* what runs apart from it has a group of its own */

    run.adds = (stmt && !(o->open && stmt->plan.forgets));
    run.outside = (o->status == 'I' && !(o->ledger.n && o->block));
    run.unsure = (o->ledger.n && o->block && !o->open);

    f->run(f->data, &run);

    ngx_hyperdrive_pg_forward_run_added(f, &run);
}


void
ngx_hyperdrive_pg_forward_run_bind(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_stmt_t *stmt, u_char *args, u_char *end)
{
    ngx_hyperdrive_proto_run_t  run;

    ngx_hyperdrive_pg_forward_run_init(f, &run, stmt, args, end);

    run.bound = 1;

    f->run(f->data, &run);
}


void
ngx_hyperdrive_pg_forward_run_execute(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_stmt_t *stmt, u_char *args, u_char *end)
{
    ngx_hyperdrive_proto_run_t  run;

    ngx_hyperdrive_pg_forward_run_init(f, &run, stmt, args, end);

    run.executed = 1;
    run.adds = 1;

    f->run(f->data, &run);

    ngx_hyperdrive_pg_forward_run_added(f, &run);
}


static void
ngx_hyperdrive_pg_forward_run_init(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_proto_run_t *run, ngx_hyperdrive_state_stmt_t *stmt,
    u_char *args, u_char *end)
{
    ngx_memzero(run, sizeof(ngx_hyperdrive_proto_run_t));

    if (f->client->portals && stmt && stmt->plan.fetches) {
        ngx_hyperdrive_pg_portal_fetch(f);
    }

    run->stmt = stmt;
    run->dead = (f->origin->status == 'E');
    run->args.data = args;
    run->args.len = end - args;
    run->cut = ((size_t) (f->last - f->pos) < f->total);
}


static void
ngx_hyperdrive_pg_forward_run_added(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_proto_run_t *run)
{
    f->behind = run->behind;
    f->nbehind = run->nbehind;
    f->tag = run->tag;
    f->apart = run->apart;
    f->counts = run->counts;
}


/* what a portal is for may be fetched, all of it, some, or nothing */

void
ngx_hyperdrive_pg_forward_run_fetched(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_stmt_t *stmt)
{
    ngx_hyperdrive_proto_run_t  run;

    ngx_memzero(&run, sizeof(ngx_hyperdrive_proto_run_t));

    run.stmt = stmt;
    run.executed = 1;
    run.fetched = 1;

    f->run(f->data, &run);
}


/* a statement will run that may be there under a name of the client's own */

void
ngx_hyperdrive_pg_forward_run_named(ngx_hyperdrive_pg_forward_t *f)
{
    ngx_hyperdrive_proto_run_t  run;

    ngx_memzero(&run, sizeof(ngx_hyperdrive_proto_run_t));

    run.named = 1;

    f->run(f->data, &run);
}


void
ngx_hyperdrive_pg_forward_run_prepares(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_stmt_t *stmt)
{
    ngx_hyperdrive_proto_run_t  run;

    ngx_memzero(&run, sizeof(ngx_hyperdrive_proto_run_t));

    run.stmt = stmt;
    run.prepares = 1;

    f->run(f->data, &run);
}


/* whether what is prepared is known: nothing is owed but a server's name, which
   is asked first of all */

ngx_uint_t
ngx_hyperdrive_pg_forward_certain(ngx_hyperdrive_pg_origin_t *o)
{
    return o->ledger.n == 0
           || ngx_hyperdrive_pg_ledger_at(&o->ledger, o->ledger.n - 1)->tag
              == NGX_HYPERDRIVE_PROTO_TAG_NAME;
}


/* the message has to wait until all before it has been answered */

ngx_int_t
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


/* the message as it is; what is not there yet streams behind it */

ngx_int_t
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


ngx_int_t
ngx_hyperdrive_pg_forward_bad(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_pg_reply_e type)
{
    f->origin->open = 1;

    if (ngx_hyperdrive_pg_forward_expect(f, type, NGX_HYPERDRIVE_PG_PASS, NULL)
        == NULL)
    {
        return NGX_ERROR;
    }

    return ngx_hyperdrive_pg_forward_raw(f);
}


ngx_hyperdrive_pg_reply_t *
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
    reply->kept = (f->origin->keep && f->origin->kept_len == 0);

    if (stmt) {
        reply->stmt = ngx_hyperdrive_state_stmt_ref(stmt);
    }

    return reply;
}


ngx_int_t
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
