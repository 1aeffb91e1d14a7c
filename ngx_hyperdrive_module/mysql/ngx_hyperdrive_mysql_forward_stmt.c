
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "mysql/ngx_hyperdrive_mysql_wire.h"


/*
 * Prepared statements.  A client's number stands for a text; the origin's
 * number for the same text differs from connection to connection, and is not
 * known before the text has been prepared there.  With MariaDB a command may
 * follow at once, for the statement that was prepared last.
 */


/* the command and its statement's number */
#define NGX_HYPERDRIVE_MYSQL_NUMBER      5


static ngx_int_t ngx_hyperdrive_mysql_forward_last(
    ngx_hyperdrive_mysql_forward_t *f);
static uint64_t ngx_hyperdrive_mysql_forward_id(
    ngx_hyperdrive_mysql_forward_t *f, ngx_hyperdrive_mysql_name_t *name);
static ngx_int_t ngx_hyperdrive_mysql_forward_ensure(
    ngx_hyperdrive_mysql_forward_t *f, ngx_hyperdrive_mysql_name_t *name,
    ngx_uint_t direct, ngx_hyperdrive_state_item_t **item);
static ngx_int_t ngx_hyperdrive_mysql_forward_ask(
    ngx_hyperdrive_mysql_forward_t *f, ngx_hyperdrive_state_stmt_t *stmt,
    uint64_t id, ngx_hyperdrive_mysql_action_e action, ngx_uint_t guard);
static ngx_uint_t ngx_hyperdrive_mysql_forward_foreign(
    ngx_hyperdrive_mysql_forward_t *f, ngx_hyperdrive_mysql_name_t *name);
static ngx_int_t ngx_hyperdrive_mysql_forward_bound(
    ngx_hyperdrive_mysql_forward_t *f, ngx_hyperdrive_mysql_name_t *name,
    uint32_t handle, ngx_hyperdrive_mysql_bind_t *bind);
static ngx_int_t ngx_hyperdrive_mysql_forward_head(
    ngx_hyperdrive_mysql_forward_t *f, uint32_t handle);


ngx_int_t
ngx_hyperdrive_mysql_forward_prepare(ngx_hyperdrive_mysql_forward_t *f)
{
    ngx_int_t                       rc;
    uint64_t                        id;
    ngx_str_t                       text;
    ngx_uint_t                      private;
    ngx_hyperdrive_mysql_local_e    local;
    ngx_hyperdrive_state_item_t    *item;
    ngx_hyperdrive_state_stmt_t    *stmt;
    ngx_hyperdrive_mysql_reply_t   *reply;
    ngx_hyperdrive_mysql_origin_t  *o;

    o = f->origin;

    local = ngx_hyperdrive_mysql_client_refuses(f->client, f->len);

    if (local != NGX_HYPERDRIVE_MYSQL_LOCAL_NONE) {
        return ngx_hyperdrive_mysql_forward_local(f, local, 0);
    }

    if (f->avail < f->len) {
        return NGX_AGAIN;
    }

    if (o->preparing) {
        /* of two at a time it would not be known which is which */
        return ngx_hyperdrive_mysql_forward_hold(f);
    }

    text.data = f->payload + 1;
    text.len = f->len - 1;

    stmt = ngx_hyperdrive_state_stmt_get(f->client->ctx->registry, &text,
                                         &f->client->scope, f->client->mode);
    if (stmt == NULL) {
        return ngx_hyperdrive_mysql_forward_error(f, "53200", "out of memory");
    }

    if (stmt->id == 0) {
        stmt->id = o->ctx->next_id();
    }

    id = stmt->id;
    item = ngx_hyperdrive_state_set_find(&o->set, id);

    private = (item && item->holder);

    if (private) {

        /* another of the client's is in use */

        id = o->ctx->next_id();

    } else if (item) {

        /* it is described anew, and has another number then */

        (void) ngx_hyperdrive_mysql_forward_number(f->out,
                                         NGX_HYPERDRIVE_MYSQL_COM_STMT_CLOSE,
                                         item->handle);
        ngx_hyperdrive_state_set_remove(&o->set, id);
    }

    rc = ngx_hyperdrive_mysql_forward_ask(f, stmt, id,
                                           NGX_HYPERDRIVE_MYSQL_PASS, 0);

    ngx_hyperdrive_state_stmt_unref(f->client->ctx->registry, stmt);

    if (rc != NGX_OK) {
        return rc;
    }

    reply = ngx_hyperdrive_mysql_ledger_at(&o->ledger, o->ledger.n - 1);
    reply->private = private;

    if (f->client->epoch != NGX_HYPERDRIVE_STATE_CHANGING) {
        reply->epoch = f->client->epoch;
    }

    /* the last one is this, if it succeeds: which number it has is not known */

    f->client->last = 0;
    f->client->drop = 1;

    return ngx_hyperdrive_mysql_forward_rest(f, 0);
}


ngx_int_t
ngx_hyperdrive_mysql_forward_execute(ngx_hyperdrive_mysql_forward_t *f)
{
    size_t                          at;
    uint32_t                        handle;
    ngx_int_t                       rc;
    ngx_str_t                       args;
    ngx_uint_t                      bulk, cursor, flags;
    ngx_hyperdrive_mysql_bind_t     bind;
    ngx_hyperdrive_mysql_name_t    *name;
    ngx_hyperdrive_state_item_t    *item;
    ngx_hyperdrive_state_stmt_t    *stmt;
    ngx_hyperdrive_mysql_reply_t   *reply;
    ngx_hyperdrive_mysql_origin_t  *o;

    o = f->origin;
    bulk = (f->payload[0] == NGX_HYPERDRIVE_MYSQL_COM_STMT_BULK_EXECUTE);
    at = bulk ? NGX_HYPERDRIVE_MYSQL_BULK : NGX_HYPERDRIVE_MYSQL_EXECUTE;

    if (f->len < at) {
        return ngx_hyperdrive_mysql_forward_local(f,
                                  NGX_HYPERDRIVE_MYSQL_LOCAL_MALFORMED, 0);
    }

    if (f->avail < at) {
        return NGX_AGAIN;
    }

    rc = ngx_hyperdrive_mysql_forward_last(f);

    if (rc != NGX_DECLINED) {
        return (rc == NGX_OK) ? ngx_hyperdrive_mysql_forward_rest(f, 0) : rc;
    }

    name = ngx_hyperdrive_mysql_client_name(f->client, f->payload, f->avail,
                                            &f->client->number);

    if (name == NULL || name->lost) {
        return ngx_hyperdrive_mysql_forward_local(f,
                                    name ? NGX_HYPERDRIVE_MYSQL_LOCAL_LOST
                                         : NGX_HYPERDRIVE_MYSQL_LOCAL_STATEMENT,
                                    f->client->number);
    }

    if (ngx_hyperdrive_mysql_forward_foreign(f, name)) {
        return ngx_hyperdrive_mysql_forward_local(f,
                                          NGX_HYPERDRIVE_MYSQL_LOCAL_SCOPE, 0);
    }

    rc = ngx_hyperdrive_mysql_bind_read(&bind, f->client->caps, name,
                                        f->payload, f->avail, f->len);

    if (rc == NGX_AGAIN) {
        return NGX_AGAIN;
    }

    if (rc == NGX_ERROR) {
        return ngx_hyperdrive_mysql_forward_error(f, "53200", "out of memory");
    }

    if (rc == NGX_DECLINED) {
        return ngx_hyperdrive_mysql_forward_local(f,
                                    bind.named
                                    ? NGX_HYPERDRIVE_MYSQL_LOCAL_MALFORMED
                                    : NGX_HYPERDRIVE_MYSQL_LOCAL_TYPES, 0);
    }

    if (o->failed) {

        /* it could not be prepared: the client is told why */

        o->failed = 0;

        return ngx_hyperdrive_mysql_forward_local(f,
                                          NGX_HYPERDRIVE_MYSQL_LOCAL_ERROR, 0);
    }

    if (ngx_hyperdrive_mysql_tracker(f, name->stmt) != NGX_OK) {
        return NGX_ERROR;
    }

    rc = ngx_hyperdrive_mysql_forward_ensure(f, name, 1, &item);

    if (rc != NGX_OK) {
        return rc;
    }

    if (item && item->holder && o->ledger.n) {
        /* whether it has a cursor, which this ends, is known from an answer */
        return ngx_hyperdrive_mysql_forward_hold(f);
    }

    handle = item ? item->handle : NGX_HYPERDRIVE_MYSQL_LAST;
    flags = bulk ? 0 : f->payload[NGX_HYPERDRIVE_MYSQL_FLAGS];

    if (bind.named) {
        flags &= ~NGX_HYPERDRIVE_MYSQL_COUNT_AVAILABLE;
    }

    cursor = (flags != 0);

    /* what it means elsewhere, nobody can say here */

    stmt = ngx_hyperdrive_mysql_client_same_scope(f->client, name->stmt)
           ? name->stmt : NULL;

    if (bulk || name->data || f->avail < f->len
        || ngx_hyperdrive_mysql_bind_args(&bind, name, f->payload, f->len,
                                          &args)
           != NGX_OK)
    {
        ngx_str_set(&args, "");
    }

    ngx_hyperdrive_mysql_forward_run(f, stmt, args.data, args.len,
                                     f->avail < f->len);
    name->data = 0;

    reply = ngx_hyperdrive_mysql_forward_expect(f,
                                            NGX_HYPERDRIVE_MYSQL_REPLY_RESULTS,
                                            NGX_HYPERDRIVE_MYSQL_PASS);
    if (reply == NULL) {
        return NGX_ERROR;
    }

    reply->id = ngx_hyperdrive_mysql_forward_id(f, name);
    reply->by = name->number;
    reply->unsure = !name->stmt->plan.plain;
    reply->brief = name->stmt->plan.brief;
    reply->file = ngx_hyperdrive_mysql_forward_asks(f, name->stmt);

    if (item && item->holder && !cursor) {
        /* its long data is used up */
        ngx_hyperdrive_mysql_origin_let_go(o, item);
    }

    if (cursor) {

        /* until it is known whether there is one */

        reply->number = name->number;

        if (item && item->holder == 0) {
            item->holder = name->number;
            o->held++;
        }
    }

    return ngx_hyperdrive_mysql_forward_bound(f, name, handle, &bind);
}


/*
 * A statement stays bound to the schema and the character sets that it was
 * prepared with.  If the client has others by now, this connection cannot be
 * given a statement that it lacks.
 */

static ngx_uint_t
ngx_hyperdrive_mysql_forward_foreign(ngx_hyperdrive_mysql_forward_t *f,
    ngx_hyperdrive_mysql_name_t *name)
{
    return !ngx_hyperdrive_mysql_client_same_scope(f->client, name->stmt)
           && ngx_hyperdrive_state_set_find(&f->origin->set,
                                    ngx_hyperdrive_mysql_forward_id(f, name))
              == NULL;
}


/* an execution with the origin's number, and with all that it may lack */

static ngx_int_t
ngx_hyperdrive_mysql_forward_bound(ngx_hyperdrive_mysql_forward_t *f,
    ngx_hyperdrive_mysql_name_t *name, uint32_t handle,
    ngx_hyperdrive_mysql_bind_t *bind)
{
    u_char                  *p, *last;
    ngx_int_t                rc;
    ngx_hyperdrive_chain_t   head;

    ngx_memzero(&head, sizeof(ngx_hyperdrive_chain_t));

    p = ngx_hyperdrive_base_chain_reserve(&head,
                                   ngx_hyperdrive_mysql_bind_size(bind, name));
    if (p == NULL) {
        return ngx_hyperdrive_mysql_forward_error(f, "53200", "out of memory");
    }

    last = ngx_hyperdrive_mysql_bind_put(bind, name, f->origin->caps,
                                         f->payload, p);
    (void) ngx_hyperdrive_mysql_put_u32(p + 1, handle);

    rc = ngx_hyperdrive_mysql_forward_as(f, p, last - p, bind->head);

    ngx_hyperdrive_base_chain_clear(&head);

    return rc;
}


/* another command with it */

static ngx_int_t
ngx_hyperdrive_mysql_forward_head(ngx_hyperdrive_mysql_forward_t *f,
    uint32_t handle)
{
    u_char  head[NGX_HYPERDRIVE_MYSQL_NUMBER];

    head[0] = f->payload[0];
    (void) ngx_hyperdrive_mysql_put_u32(head + 1, handle);

    return ngx_hyperdrive_mysql_forward_as(f, head, sizeof(head),
                                           sizeof(head));
}


ngx_int_t
ngx_hyperdrive_mysql_forward_long_data(ngx_hyperdrive_mysql_forward_t *f)
{
    ngx_int_t                       rc;
    ngx_hyperdrive_mysql_name_t    *name;
    ngx_hyperdrive_state_item_t    *item;
    ngx_hyperdrive_mysql_origin_t  *o;

    o = f->origin;

    if (f->avail < ngx_min(f->len, NGX_HYPERDRIVE_MYSQL_BULK)) {
        return NGX_AGAIN;
    }

    rc = ngx_hyperdrive_mysql_forward_last(f);

    if (rc != NGX_DECLINED) {
        return rc;
    }

    name = ngx_hyperdrive_mysql_client_name(f->client, f->payload, f->avail,
                                            &f->client->number);

    if (name == NULL || f->len < NGX_HYPERDRIVE_MYSQL_BULK
        || ngx_hyperdrive_mysql_forward_foreign(f, name))
    {
        return ngx_hyperdrive_mysql_forward_local(f,
                                      NGX_HYPERDRIVE_MYSQL_LOCAL_NOTHING, 0);
    }

    if (o->failed) {

        /* the execution will find out for itself */

        o->failed = 0;
        ngx_hyperdrive_base_chain_clear(&o->kept);

        return ngx_hyperdrive_mysql_forward_local(f,
                                      NGX_HYPERDRIVE_MYSQL_LOCAL_NOTHING, 0);
    }

    rc = ngx_hyperdrive_mysql_forward_ensure(f, name, 0, &item);

    if (rc != NGX_OK) {
        return rc;
    }

    if (item->holder == 0) {
        item->holder = name->number;
        o->held++;
    }

    name->data = 1;

    return ngx_hyperdrive_mysql_forward_head(f, item->handle);
}


ngx_int_t
ngx_hyperdrive_mysql_forward_fetch(ngx_hyperdrive_mysql_forward_t *f)
{
    ngx_hyperdrive_mysql_name_t    *name;
    ngx_hyperdrive_state_item_t    *item;
    ngx_hyperdrive_mysql_reply_t   *reply;
    ngx_hyperdrive_mysql_origin_t  *o;

    o = f->origin;

    if (f->avail < ngx_min(f->len, NGX_HYPERDRIVE_MYSQL_EXECUTE)) {
        return NGX_AGAIN;
    }

    if (o->ledger.n) {
        /* whether there is a cursor is known from an answer */
        return ngx_hyperdrive_mysql_forward_hold(f);
    }

    name = ngx_hyperdrive_mysql_client_name(f->client, f->payload, f->avail,
                                            &f->client->number);

    if (name == NULL || f->len < NGX_HYPERDRIVE_MYSQL_NUMBER) {
        return ngx_hyperdrive_mysql_forward_local(f,
                                    NGX_HYPERDRIVE_MYSQL_LOCAL_FETCH,
                                    f->client->number);
    }

    item = ngx_hyperdrive_state_set_find(&o->set,
                                     ngx_hyperdrive_mysql_forward_id(f, name));

    if (item == NULL || item->holder != name->number || !item->cursor) {
        return ngx_hyperdrive_mysql_forward_local(f,
                                            NGX_HYPERDRIVE_MYSQL_LOCAL_CURSOR,
                                            name->number);
    }

    reply = ngx_hyperdrive_mysql_forward_expect(f,
                                              NGX_HYPERDRIVE_MYSQL_REPLY_FETCH,
                                              NGX_HYPERDRIVE_MYSQL_PASS);
    if (reply == NULL) {
        return NGX_ERROR;
    }

    reply->id = item->id;
    reply->number = name->number;

    return ngx_hyperdrive_mysql_forward_head(f, item->handle);
}


ngx_int_t
ngx_hyperdrive_mysql_forward_reset(ngx_hyperdrive_mysql_forward_t *f)
{
    ngx_hyperdrive_mysql_name_t    *name;
    ngx_hyperdrive_state_item_t    *item;
    ngx_hyperdrive_mysql_origin_t  *o;

    o = f->origin;

    if (f->avail < ngx_min(f->len, NGX_HYPERDRIVE_MYSQL_NUMBER)) {
        return NGX_AGAIN;
    }

    if (o->ledger.n) {
        return ngx_hyperdrive_mysql_forward_hold(f);
    }

    name = ngx_hyperdrive_mysql_client_name(f->client, f->payload, f->avail,
                                            &f->client->number);

    if (name == NULL) {
        return ngx_hyperdrive_mysql_forward_local(f,
                                         NGX_HYPERDRIVE_MYSQL_LOCAL_RESET,
                                         f->client->number);
    }

    item = ngx_hyperdrive_state_set_find(&o->set,
                                     ngx_hyperdrive_mysql_forward_id(f, name));

    if (item == NULL || item->holder != name->number) {
        return ngx_hyperdrive_mysql_forward_local(f,
                                            NGX_HYPERDRIVE_MYSQL_LOCAL_OK, 0);
    }

    ngx_hyperdrive_mysql_client_done(f->client, f->payload, f->avail);

    if (ngx_hyperdrive_mysql_forward_expect(f, NGX_HYPERDRIVE_MYSQL_REPLY_DONE,
                                            NGX_HYPERDRIVE_MYSQL_PASS)
        == NULL)
    {
        return NGX_ERROR;
    }

    ngx_hyperdrive_mysql_origin_let_go(o, item);

    return ngx_hyperdrive_mysql_forward_head(f, item->handle);
}


/* others may use it: it stays prepared at the origin */

ngx_int_t
ngx_hyperdrive_mysql_forward_close(ngx_hyperdrive_mysql_forward_t *f)
{
    ngx_int_t                       rc;
    ngx_hyperdrive_mysql_name_t    *name;
    ngx_hyperdrive_state_item_t    *item;
    ngx_hyperdrive_mysql_reply_t   *reply;
    ngx_hyperdrive_mysql_origin_t  *o;

    o = f->origin;

    if (f->avail < ngx_min(f->len, NGX_HYPERDRIVE_MYSQL_NUMBER)) {
        return NGX_AGAIN;
    }

    rc = ngx_hyperdrive_mysql_forward_last(f);

    if (rc != NGX_DECLINED) {
        return rc;
    }

    name = ngx_hyperdrive_mysql_client_name(f->client, f->payload, f->avail,
                                            &f->client->number);
    item = name ? ngx_hyperdrive_state_set_find(&o->set,
                                     ngx_hyperdrive_mysql_forward_id(f, name))
                : NULL;

    if (item && name->id) {

        /* nobody else has it by this number */

        if (item->holder) {
            ngx_hyperdrive_mysql_origin_let_go(o, item);
        }

        (void) ngx_hyperdrive_mysql_forward_number(f->out,
                                         NGX_HYPERDRIVE_MYSQL_COM_STMT_CLOSE,
                                         item->handle);
        ngx_hyperdrive_state_set_remove(&o->set, item->id);

    } else if (item && item->holder == name->number) {

        /* its data and its cursor go with it */

        reply = ngx_hyperdrive_mysql_forward_expect(f,
                                               NGX_HYPERDRIVE_MYSQL_REPLY_DONE,
                                               NGX_HYPERDRIVE_MYSQL_DROP);
        if (reply == NULL) {
            return NGX_ERROR;
        }

        reply->must = 1;

        ngx_hyperdrive_mysql_origin_let_go(o, item);

        (void) ngx_hyperdrive_mysql_forward_number(f->out,
                                         NGX_HYPERDRIVE_MYSQL_COM_STMT_RESET,
                                         item->handle);
    }

    return ngx_hyperdrive_mysql_forward_local(f,
                                      NGX_HYPERDRIVE_MYSQL_LOCAL_NOTHING, 0);
}


/*
 * A client may not wait for its PREPARE to be answered.  NGX_OK: the command
 * names its statement as the last one, and so it is; NGX_BUSY: by what it
 * guesses the number to be, or what it says takes more than passing it on.
 */

static ngx_int_t
ngx_hyperdrive_mysql_forward_last(ngx_hyperdrive_mysql_forward_t *f)
{
    uint32_t                        number;
    ngx_uint_t                      i, file;
    ngx_hyperdrive_mysql_reply_t   *reply;
    ngx_hyperdrive_mysql_origin_t  *o;

    o = f->origin;

    if (o->preparing == 0) {
        return NGX_DECLINED;
    }

    for (i = o->ledger.n; i > 0; i--) {

        reply = ngx_hyperdrive_mysql_ledger_at(&o->ledger, i - 1);

        if (reply->type == NGX_HYPERDRIVE_MYSQL_REPLY_PREPARE
            && reply->action == NGX_HYPERDRIVE_MYSQL_PASS)
        {
            break;
        }
    }

    if (i == 0) {
        return NGX_DECLINED;
    }

    if ((f->payload[0] != NGX_HYPERDRIVE_MYSQL_COM_STMT_EXECUTE
         && f->payload[0] != NGX_HYPERDRIVE_MYSQL_COM_STMT_BULK_EXECUTE)
        || ngx_hyperdrive_mysql_read_u32(f->payload + 1,
                                         f->payload + f->avail, &number)
           == NULL
        || number != NGX_HYPERDRIVE_MYSQL_LAST || !o->mariadb
        || i != o->ledger.n
        || ((f->client->caps ^ o->caps)
            & NGX_HYPERDRIVE_MYSQL_QUERY_ATTRIBUTES))
    {
        return ngx_hyperdrive_mysql_forward_hold(f);
    }

    /* how many parameters there are will be known */

    reply->args = malloc(f->avail);

    if (reply->args) {
        ngx_memcpy(reply->args, f->payload, f->avail);
        reply->args_len = f->avail;
    }

    file = ngx_hyperdrive_mysql_forward_asks(f, reply->stmt);

    ngx_hyperdrive_mysql_forward_run(f, reply->stmt, NULL, 0, 1);

    reply = ngx_hyperdrive_mysql_forward_expect(f,
                                            NGX_HYPERDRIVE_MYSQL_REPLY_RESULTS,
                                            NGX_HYPERDRIVE_MYSQL_PASS);
    if (reply == NULL) {
        return NGX_ERROR;
    }

    reply->unsure = 1;
    reply->file = file;

    return NGX_OK;
}


/* what the statement is known by at origins */

static uint64_t
ngx_hyperdrive_mysql_forward_id(ngx_hyperdrive_mysql_forward_t *f,
    ngx_hyperdrive_mysql_name_t *name)
{
    if (name->id) {
        return name->id;
    }

    if (name->stmt->id == 0) {
        name->stmt->id = f->origin->ctx->next_id();
    }

    return name->stmt->id;
}


/*
 * Prepared at this origin.  NGX_OK: by *item, or, if that is NULL, as the last
 * one that was prepared; NGX_BUSY: not yet.
 */

static ngx_int_t
ngx_hyperdrive_mysql_forward_ensure(ngx_hyperdrive_mysql_forward_t *f,
    ngx_hyperdrive_mysql_name_t *name, ngx_uint_t direct,
    ngx_hyperdrive_state_item_t **item)
{
    ngx_int_t                       rc;
    ngx_uint_t                      i;
    ngx_hyperdrive_mysql_reply_t   *reply;
    ngx_hyperdrive_mysql_origin_t  *o;

    o = f->origin;

    *item = ngx_hyperdrive_state_set_find(&o->set,
                                     ngx_hyperdrive_mysql_forward_id(f, name));

    if (*item && (*item)->holder && (*item)->holder != name->number) {

        /* the client has prepared the text twice, and uses both at a time */

        name->id = o->ctx->next_id();
        *item = NULL;
    }

    if (*item) {
        ngx_hyperdrive_state_set_touch(&o->set, *item);
        return NGX_OK;
    }

    for (i = 0; i < o->ledger.n; i++) {

        reply = ngx_hyperdrive_mysql_ledger_at(&o->ledger, i);

        if (!reply->must && !reply->optional) {

            /* not only what goes ahead of it */

            return ngx_hyperdrive_mysql_forward_hold(f);
        }
    }

    direct = direct && o->mariadb;

    rc = ngx_hyperdrive_mysql_forward_ask(f, name->stmt,
                                     ngx_hyperdrive_mysql_forward_id(f, name),
                                     NGX_HYPERDRIVE_MYSQL_DROP, direct);
    if (rc != NGX_OK || direct) {
        return rc;
    }

    return ngx_hyperdrive_mysql_forward_hold(f);
}


/*
 * PREPARE, and room for it.  <guard>: what follows is the client's, and fails
 * with it; else, if it is not the client's, its error is kept.
 */

static ngx_int_t
ngx_hyperdrive_mysql_forward_ask(ngx_hyperdrive_mysql_forward_t *f,
    ngx_hyperdrive_state_stmt_t *stmt, uint64_t id,
    ngx_hyperdrive_mysql_action_e action, ngx_uint_t guard)
{
    u_char                         *p, seq;
    ngx_hyperdrive_state_item_t    *item;
    ngx_hyperdrive_mysql_reply_t   *reply;
    ngx_hyperdrive_mysql_origin_t  *o;

    o = f->origin;

    while (o->set.n >= o->ctx->statements) {

        item = ngx_hyperdrive_state_set_oldest(&o->set);

        if (item->holder) {
            break;
        }

        (void) ngx_hyperdrive_mysql_forward_number(f->out,
                                         NGX_HYPERDRIVE_MYSQL_COM_STMT_CLOSE,
                                         item->handle);
        ngx_hyperdrive_state_set_remove(&o->set, item->id);
    }

    reply = ngx_hyperdrive_mysql_forward_expect(f,
                                            NGX_HYPERDRIVE_MYSQL_REPLY_PREPARE,
                                            action);
    if (reply == NULL) {
        return NGX_ERROR;
    }

    reply->stmt = ngx_hyperdrive_state_stmt_ref(stmt);
    reply->id = id;
    reply->guard = guard;

    o->preparing++;

    seq = 0;

    p = ngx_hyperdrive_mysql_packet_begin(f->out, 1 + stmt->len, &seq);
    if (p == NULL) {
        return NGX_ERROR;
    }

    *p++ = NGX_HYPERDRIVE_MYSQL_COM_STMT_PREPARE;
    ngx_memcpy(p, stmt->text, stmt->len);

    return NGX_OK;
}


ngx_int_t
ngx_hyperdrive_mysql_forward_number(ngx_hyperdrive_chain_t *out,
    ngx_hyperdrive_mysql_com_e com, uint32_t number)
{
    u_char  *p, seq;

    seq = 0;

    p = ngx_hyperdrive_mysql_packet_begin(out, NGX_HYPERDRIVE_MYSQL_NUMBER,
                                          &seq);
    if (p == NULL) {
        return NGX_ERROR;
    }

    *p++ = (u_char) com;
    (void) ngx_hyperdrive_mysql_put_u32(p, number);

    return NGX_OK;
}
