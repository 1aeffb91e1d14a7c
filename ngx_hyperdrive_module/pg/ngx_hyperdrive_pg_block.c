
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "pg/ngx_hyperdrive_pg_forward.h"
#include "pg/ngx_hyperdrive_pg_message.h"
#include "base/ngx_hyperdrive_base_cursor.h"


/*
 * Transaction blocks that the database has not heard of yet.  A BEGIN that
 * comes alone is answered at once, and kept; it is sent ahead of the first
 * request that needs the origin, in the extended protocol without a Sync of
 * their own: if it fails, the request does not happen either.  An end of the
 * block directly behind it is answered, too.
 *
 * If no origin can be had for such a request, the block has failed, as it
 * would have at the database: then all requests fail until its end.
 */


#define NGX_HYPERDRIVE_PG_BLOCK_PORTAL   "_hyperdrive_begin"


static ngx_int_t ngx_hyperdrive_pg_block_first(
    ngx_hyperdrive_pg_client_t *client, u_char *pos,
    ngx_hyperdrive_state_stmt_t **stmt);
static void ngx_hyperdrive_pg_block_complete(
    ngx_hyperdrive_pg_client_t *client, ngx_hyperdrive_proto_unit_t *unit,
    ngx_str_t *tag, ngx_hyperdrive_chain_t *out);


static ngx_str_t  ngx_hyperdrive_pg_block_tag_begin = ngx_string("BEGIN");
static ngx_str_t  ngx_hyperdrive_pg_block_tag_start =
    ngx_string("START TRANSACTION");
static ngx_str_t  ngx_hyperdrive_pg_block_tag_commit = ngx_string("COMMIT");
static ngx_str_t  ngx_hyperdrive_pg_block_tag_rollback =
    ngx_string("ROLLBACK");


u_char
ngx_hyperdrive_pg_block_status(ngx_hyperdrive_pg_client_t *client)
{
    return client->begin ? 'T' : client->failed ? 'E' : 'I';
}


/*
 * A whole unit has been read, no origin has begun its group: what is it to a
 * block that nobody has begun?
 */

void
ngx_hyperdrive_pg_block_request(ngx_hyperdrive_pg_client_t *client,
    u_char *pos, ngx_hyperdrive_proto_unit_t *unit)
{
    ngx_hyperdrive_state_plan_t  *plan;
    ngx_hyperdrive_state_stmt_t  *stmt;

    /* what is not bare may fail for more than one reason */

    plan = unit->bare ? &unit->stmt->plan : NULL;

    if (client->begin == NULL && !client->failed) {
        unit->begin = plan ? plan->defer : 0;
        return;
    }

    if (plan && (plan->commits || plan->rolls_back)) {
        unit->end = 1;
        return;
    }

    if (!client->failed || (unit->local && unit->stmt == NULL)) {
        /* what needs the origin, or a Sync that asks for nothing */
        return;
    }

    unit->local = 0;

    /*
     * In a failed block every statement fails but those that end it; whatever
     * we are not sure of is not answered at all.
     */

    unit->fails = 1;

    if (ngx_hyperdrive_pg_block_first(client, pos, &stmt) != NGX_OK) {
        unit->fatal = 1;
        return;
    }

    if (!stmt->plan.single || stmt->plan.commits || stmt->plan.rolls_back
        || (stmt->plan.transaction && !stmt->plan.defer))
    {
        unit->fatal = 1;
    }

    ngx_hyperdrive_state_stmt_unref(client->ctx->registry, stmt);
}


/*
 * The statement that the first message of a unit runs or prepares, with a
 * reference; NGX_DECLINED: something else.
 */

static ngx_int_t
ngx_hyperdrive_pg_block_first(ngx_hyperdrive_pg_client_t *client, u_char *pos,
    ngx_hyperdrive_state_stmt_t **stmt)
{
    u_char                       *p, *end;
    ngx_str_t                     name, text, types;
    ngx_hyperdrive_state_name_t  *entry;

    p = pos + NGX_HYPERDRIVE_PG_HEADER;
    end = pos + 1 + ngx_hyperdrive_base_get_u32(pos + 1);

    ngx_str_set(&types, "");

    switch (pos[0]) {

    case 'B':
        p = ngx_hyperdrive_base_read_cstr(p, end, &name);
        p = ngx_hyperdrive_base_read_cstr(p, end, &name);

        entry = p ? ngx_hyperdrive_pg_client_find(client, &name) : NULL;
        if (entry == NULL) {
            return NGX_DECLINED;
        }

        *stmt = ngx_hyperdrive_state_stmt_ref(entry->stmt);

        return NGX_OK;

    case 'P':
        p = ngx_hyperdrive_base_read_cstr(p, end, &name);
        break;

    case 'Q':
        break;

    default:
        return NGX_DECLINED;
    }

    p = ngx_hyperdrive_base_read_cstr(p, end, &text);
    if (p == NULL) {
        return NGX_DECLINED;
    }

    *stmt = ngx_hyperdrive_state_stmt_get(client->ctx->registry, &text, &types,
                                          client->mode);

    return *stmt ? NGX_OK : NGX_DECLINED;
}


void
ngx_hyperdrive_pg_block_begin(void *data, ngx_hyperdrive_proto_unit_t *unit,
    ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_pg_client_t *client = data;

    client->begin = ngx_hyperdrive_state_stmt_ref(unit->stmt);
    client->bound = !unit->simple;

    ngx_hyperdrive_pg_block_complete(client, unit,
                                     unit->stmt->plan.start
                                     ? &ngx_hyperdrive_pg_block_tag_start
                                     : &ngx_hyperdrive_pg_block_tag_begin, out);
}


void
ngx_hyperdrive_pg_block_end(void *data, ngx_hyperdrive_proto_unit_t *unit,
    ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_pg_client_t *client = data;

    ngx_str_t  *tag;

    tag = &ngx_hyperdrive_pg_block_tag_rollback;

    if (client->begin && unit->stmt->plan.commits) {
        tag = &ngx_hyperdrive_pg_block_tag_commit;
    }

    ngx_hyperdrive_pg_block_forget(client);
    client->failed = 0;

    ngx_hyperdrive_pg_block_complete(client, unit, tag, out);
}


void
ngx_hyperdrive_pg_block_forget(ngx_hyperdrive_pg_client_t *client)
{
    if (client->begin) {
        ngx_hyperdrive_state_stmt_unref(client->ctx->registry, client->begin);
        client->begin = NULL;
    }
}


/* answers a unit of one statement without rows */

static void
ngx_hyperdrive_pg_block_complete(ngx_hyperdrive_pg_client_t *client,
    ngx_hyperdrive_proto_unit_t *unit, ngx_str_t *tag,
    ngx_hyperdrive_chain_t *out)
{
    ngx_str_t  none;

    ngx_str_set(&none, "n\0\0\0\4");

    ngx_hyperdrive_pg_client_serve_begin(client, unit, none.data,
                                         unit->simple ? 0 : none.len,
                                         out);

    ngx_hyperdrive_pg_message(out, 'C', tag->data, tag->len + 1);

    (void) ngx_hyperdrive_pg_client_serve_end(client, unit, out);
}


/*
 * The BEGIN that was answered goes ahead of what is forwarded next.  Nothing
 * is outstanding.
 */

ngx_int_t
ngx_hyperdrive_pg_block_send(ngx_hyperdrive_pg_forward_t *f)
{
    ngx_str_t                     messages;
    ngx_uint_t                    i, n;
    ngx_hyperdrive_pg_reply_t    *reply;
    ngx_hyperdrive_pg_origin_t   *o;
    ngx_hyperdrive_pg_client_t   *c;
    ngx_hyperdrive_proto_run_t    run;
    ngx_hyperdrive_state_stmt_t  *stmt;

    static ngx_hyperdrive_pg_reply_e  types[] = {
        NGX_HYPERDRIVE_PG_REPLY_PARSE,
        NGX_HYPERDRIVE_PG_REPLY_BIND,
        NGX_HYPERDRIVE_PG_REPLY_EXECUTE,
        NGX_HYPERDRIVE_PG_REPLY_CLOSE
    };

    /*
     * A portal of its own, if the client has none: its Execute may not find
     * the unnamed one then.  If it has, that is there until its block ends.
     */

    static u_char  begin[] =
        "B\0\0\0\35" NGX_HYPERDRIVE_PG_BLOCK_PORTAL "\0" "\0" "\0\0\0\0\0\0"
        "E\0\0\0\32" NGX_HYPERDRIVE_PG_BLOCK_PORTAL "\0" "\0\0\0\0"
        "C\0\0\0\27P" NGX_HYPERDRIVE_PG_BLOCK_PORTAL "\0";

    static u_char  bound[] =
        "B\0\0\0\14" "\0" "\0" "\0\0\0\0\0\0"
        "E\0\0\0\11" "\0" "\0\0\0\0";

    c = f->client;
    o = f->origin;

    /* ours from now on: whatever happens, it is not sent twice */

    stmt = c->begin;
    c->begin = NULL;

    ngx_memzero(&run, sizeof(ngx_hyperdrive_proto_run_t));
    run.stmt = stmt;

    f->run(f->data, &run);

    o->open = 1;
    o->block = 1;
    o->begun = 1;
    o->begins = 1;
    o->fence = 0;

    ngx_hyperdrive_pg_origin_unnamed(o, NULL);

    o->unnamed_dirty = 1;
    o->unnamed_group = o->group;

    n = sizeof(types) / sizeof(types[0]);

    messages.data = begin;
    messages.len = sizeof(begin) - 1;

    if (c->bound) {
        /* no Close */
        n--;

        messages.data = bound;
        messages.len = sizeof(bound) - 1;
    }

    for (i = 0; i < n; i++) {

        reply = ngx_hyperdrive_pg_forward_expect(f, types[i],
                                                 NGX_HYPERDRIVE_PG_DROP, NULL);
        if (reply == NULL) {
            goto failed;
        }

        reply->begin = 1;
    }

    if (ngx_hyperdrive_pg_forward_prepare(f, stmt, 0) != NGX_OK) {
        goto failed;
    }

    if (ngx_hyperdrive_base_chain_append(f->out, messages.data, messages.len)
        != NGX_OK)
    {
        (void) ngx_hyperdrive_pg_forward_error(f, "53200", "out of memory");
        goto failed;
    }

    ngx_hyperdrive_state_stmt_unref(c->ctx->registry, stmt);

    return NGX_OK;

failed:

    ngx_hyperdrive_state_stmt_unref(c->ctx->registry, stmt);

    return NGX_ERROR;
}
