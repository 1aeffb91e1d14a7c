
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "pg/ngx_hyperdrive_pg.h"
#include "pg/ngx_hyperdrive_pg_message.h"
#include "base/ngx_hyperdrive_base_cursor.h"


static ngx_int_t ngx_hyperdrive_pg_client_bad(
    ngx_hyperdrive_proto_error_t *err, char *text);
static void ngx_hyperdrive_pg_client_simple(
    ngx_hyperdrive_pg_client_t *client, u_char *pos, size_t len,
    ngx_hyperdrive_proto_unit_t *unit);
static ngx_int_t ngx_hyperdrive_pg_client_forget(
    ngx_hyperdrive_pg_client_t *client, ngx_hyperdrive_state_stmt_t *stmt,
    ngx_uint_t really);
static void ngx_hyperdrive_pg_client_extended(
    ngx_hyperdrive_pg_client_t *client, u_char *pos, size_t len,
    ngx_hyperdrive_proto_unit_t *unit);
static void ngx_hyperdrive_pg_client_deallocated(
    ngx_hyperdrive_pg_client_t *client, ngx_hyperdrive_proto_unit_t *unit,
    ngx_hyperdrive_chain_t *out);
static u_char *ngx_hyperdrive_pg_client_args(
    ngx_hyperdrive_pg_client_t *client, u_char *p, u_char *end,
    ngx_hyperdrive_proto_unit_t *unit);
static void ngx_hyperdrive_pg_client_question(
    ngx_hyperdrive_pg_client_t *client, ngx_hyperdrive_state_stmt_t *stmt);


/* no parameter formats, no parameters */
static u_char  ngx_hyperdrive_pg_client_no_args[] = { 0, 0, 0, 0 };


void *
ngx_hyperdrive_pg_client_create(ngx_hyperdrive_proto_ctx_t *ctx,
    ngx_uint_t mode, ngx_hyperdrive_proto_login_t *login)
{
    ngx_hyperdrive_pg_client_t  *client;

    client = calloc(1, sizeof(ngx_hyperdrive_pg_client_t));
    if (client == NULL) {
        return NULL;
    }

    client->ctx = ctx;
    client->mode = mode;

    return client;
}


void
ngx_hyperdrive_pg_client_destroy(void *data)
{
    ngx_hyperdrive_pg_client_t *client = data;

    ngx_hyperdrive_pg_client_question(client, NULL);
    ngx_hyperdrive_pg_block_forget(client);
    ngx_hyperdrive_pg_status_copy(&client->told, NULL);
    ngx_hyperdrive_pg_status_copy(&client->before, NULL);

    if (client->unnamed) {
        ngx_hyperdrive_pg_client_free_name(client->ctx, client->unnamed);
    }

    ngx_hyperdrive_state_names_clear(&client->names, client->ctx->registry);
    ngx_hyperdrive_state_names_clear(&client->sql, client->ctx->registry);

    ngx_hyperdrive_pg_portal_clear(client);
    free(client);
}


ngx_int_t
ngx_hyperdrive_pg_client_request(void *data, u_char *pos, u_char *last,
    ngx_hyperdrive_proto_unit_t *unit, ngx_hyperdrive_proto_error_t *err)
{
    ngx_hyperdrive_pg_client_t *client = data;

    u_char     type, *p;
    size_t     avail, total;
    uint32_t   len;

    ngx_memzero(unit, sizeof(ngx_hyperdrive_proto_unit_t));
    ngx_str_set(&unit->formats, "");

    if (client->left) {

        /* the rest of a message that goes nowhere */

        unit->len = ngx_min((size_t) (last - pos), client->left);
        client->left -= unit->len;

        if (client->left == 0) {
            client->drop = 0;
            client->ends = 0;
            client->skipped = 0;
        }

        return unit->len ? NGX_OK : NGX_AGAIN;
    }

    for ( ;; ) {

        p = pos + client->scanned;
        avail = last - p;

        if (avail < NGX_HYPERDRIVE_PG_HEADER) {
            break;
        }

        type = p[0];

        len = ngx_hyperdrive_base_get_u32(p + 1);

        if (len < 4 || len > NGX_HYPERDRIVE_MAX_MESSAGE) {
            return ngx_hyperdrive_pg_client_bad(err, "invalid message length");
        }

        total = 1 + (size_t) len;

        switch (type) {

        case 'Q':
        case 'P':
        case 'B':
        case 'D':
        case 'E':
        case 'C':
        case 'H':
        case 'S':
        case 'F':

            if (client->skip && type != 'S') {
                goto drop;
            }

            break;

        case 'd':
        case 'c':
        case 'f':

            /*
             * Not in copy-in mode: what a client still sends after its COPY
             * has failed; dropped, as the database does (55.2.6 "COPY
             * Operations").
             */

            if (client->scanned == 0) {
                goto drop;
            }

            break;

        case 'X':
            return NGX_DONE;

        default:
            return ngx_hyperdrive_pg_client_bad(err,
                                      ngx_hyperdrive_pg_client_unknown(type));
        }

        if (avail < total) {

            if (client->scanned + avail < NGX_HYPERDRIVE_MAX_UNIT) {
                return NGX_AGAIN;
            }

            if ((type == 'Q' || type == 'P')
                && total <= NGX_HYPERDRIVE_MAX_TEXT
                && client->scanned == 0)
            {
                return NGX_AGAIN;
            }

            return NGX_BUSY;
        }

        client->runs = (type == 'E' || type == 'F' || type == 'Q'
                        || (client->runs && client->scanned));
        client->scanned += total;

        if (type == 'Q' || type == 'S' || type == 'H' || type == 'F') {

            unit->len = client->scanned;
            unit->requests = 1;
            unit->flush = (type == 'H');
            unit->simple = (type == 'Q');

            client->scanned = 0;
            client->epoch = NGX_HYPERDRIVE_STATE_NO_EPOCH;
            ngx_hyperdrive_pg_client_question(client, NULL);

            if (client->open) {

                /* the rest of a group: the origin has begun it */

            } else if (type == 'H'
                       && unit->len == NGX_HYPERDRIVE_PG_HEADER)
            {

                /* nothing is held back: it goes nowhere */

                unit->requests = 0;

            } else if (type == 'S'
                       && (unit->len == NGX_HYPERDRIVE_PG_HEADER
                           || client->skip))
            {
                unit->local = 1;

            } else if (type == 'Q' && unit->len == total) {
                ngx_hyperdrive_pg_client_simple(client, pos, total, unit);

            } else if (type == 'S') {
                ngx_hyperdrive_pg_client_extended(client, pos, unit->len,
                                                  unit);
            }

            if (!client->open) {
                ngx_hyperdrive_pg_block_request(client, pos, unit);

                unit->prepare = ngx_hyperdrive_pg_prepared_may(pos, unit->len);
            }

            unit->mixed = (client->runs && unit->stmt == NULL);

            return NGX_OK;
        }

        if (client->scanned >= NGX_HYPERDRIVE_MAX_UNIT) {
            return NGX_BUSY;
        }
    }

    return NGX_AGAIN;

drop:

    unit->len = ngx_min(avail, total);
    client->left = total - unit->len;
    client->drop = (client->left != 0);

    return NGX_OK;
}


ngx_uint_t
ngx_hyperdrive_pg_client_data(void *data, u_char *pos)
{
    ngx_hyperdrive_pg_client_t *client = data;

    if (client->left) {
        return !client->drop;
    }

    return client->scanned == 0 && ngx_hyperdrive_pg_data(pos[0]);
}


static ngx_int_t
ngx_hyperdrive_pg_client_bad(ngx_hyperdrive_proto_error_t *err, char *text)
{
    err->severity = "FATAL";
    err->sqlstate = "08P01";
    err->message = text;
    err->hint = NULL;

    return NGX_ERROR;
}


char *
ngx_hyperdrive_pg_client_unknown(u_char type)
{
    static u_char  text[sizeof("invalid frontend message type 255")];

    ngx_sprintf(text, "invalid frontend message type %ud%Z", (unsigned) type);

    return (char *) text;
}


static void
ngx_hyperdrive_pg_client_question(ngx_hyperdrive_pg_client_t *client,
    ngx_hyperdrive_state_stmt_t *stmt)
{
    if (client->question) {
        ngx_hyperdrive_state_stmt_unref(client->ctx->registry,
                                        client->question);
    }

    client->question = stmt;
}


void
ngx_hyperdrive_pg_client_looked(ngx_hyperdrive_pg_client_t *client)
{
    ngx_hyperdrive_pg_client_question(client, NULL);
}


/* a Query message alone */

static void
ngx_hyperdrive_pg_client_simple(ngx_hyperdrive_pg_client_t *client,
    u_char *pos, size_t len, ngx_hyperdrive_proto_unit_t *unit)
{
    ngx_str_t                     text, types;
    ngx_hyperdrive_state_stmt_t  *stmt;

    if (ngx_hyperdrive_base_read_cstr(pos + NGX_HYPERDRIVE_PG_HEADER,
                                      pos + len, &text)
        != pos + len)
    {
        /* the database says what is wrong with it */
        return;
    }

    ngx_str_set(&types, "");

    stmt = ngx_hyperdrive_state_stmt_get(client->ctx->registry, &text, &types,
                                         client->mode);
    if (stmt == NULL) {
        return;
    }

    ngx_hyperdrive_pg_client_question(client, stmt);

    if (stmt->plan.deallocate
        && ngx_hyperdrive_pg_client_forget(client, stmt, 0) == NGX_OK)
    {
        /* about names that only we know */
        unit->local = 1;
    }

    unit->stmt = stmt;
    unit->bare = 1;
    unit->reason = stmt->plan.reason;
    unit->head = 1;
    unit->question = (stmt->plan.reason == 0);

    unit->args.data = ngx_hyperdrive_pg_client_no_args;
    unit->args.len = sizeof(ngx_hyperdrive_pg_client_no_args);
}


/*
 * DEALLOCATE of a statement that was prepared by protocol, or of all: takes
 * the names off if <really>.  NGX_DECLINED: it concerns others as well.
 */

static ngx_int_t
ngx_hyperdrive_pg_client_forget(ngx_hyperdrive_pg_client_t *client,
    ngx_hyperdrive_state_stmt_t *stmt, ngx_uint_t really)
{
    u_char                        buf[NGX_HYPERDRIVE_MAX_NAME];
    ngx_str_t                     name;
    ngx_hyperdrive_state_name_t  *entry;

    if (ngx_hyperdrive_pg_deallocate(stmt->text, stmt->len, buf, &name)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    if (name.len == 0) {

        if (really) {
            ngx_hyperdrive_pg_deallocate_all(client);
        }

        return NGX_OK;
    }

    entry = ngx_hyperdrive_state_names_find(&client->names, &name);

    if (entry == NULL) {
        return NGX_DECLINED;
    }

    if (really) {
        ngx_hyperdrive_pg_portal_unlabel(client);
        ngx_hyperdrive_state_names_unlink(&client->names, entry);
        ngx_hyperdrive_pg_client_free_name(client->ctx, entry);
    }

    return NGX_OK;
}


/*
 * [Parse] Bind [Describe portal] Execute Sync with one statement and one
 * portal is a question; any other arrangement is left to the database.
 */

static void
ngx_hyperdrive_pg_client_extended(ngx_hyperdrive_pg_client_t *client,
    u_char *pos, size_t len, ngx_hyperdrive_proto_unit_t *unit)
{
    u_char                       *p, *end, *next, type, *body;
    uint32_t                      size, rows;
    ngx_str_t                     name, text, types, portal, what, kind;
    ngx_uint_t                    bare;
    ngx_hyperdrive_state_name_t  *entry;
    ngx_hyperdrive_state_stmt_t  *stmt;

    enum {
        sw_parse = 0,
        sw_bind,
        sw_describe,
        sw_execute,
        sw_sync
    } state;

    p = pos;
    end = pos + len;
    stmt = NULL;
    entry = NULL;
    bare = 0;
    state = sw_parse;

    ngx_str_null(&name);
    ngx_str_null(&portal);

    while (p < end) {

        type = p[0];
        size = ngx_hyperdrive_base_get_u32(p + 1);

        body = p + NGX_HYPERDRIVE_PG_HEADER;
        next = p + 1 + size;

        switch (type) {

        case 'P':
            if (state != sw_parse) {
                return;
            }

            body = ngx_hyperdrive_base_read_cstr(body, next, &name);
            body = ngx_hyperdrive_base_read_cstr(body, next, &text);

            if (body == NULL || name.len > NGX_HYPERDRIVE_MAX_NAME) {
                return;
            }

            if (name.len
                && (ngx_hyperdrive_state_names_find(&client->names, &name)
                    || ngx_hyperdrive_state_names_full(&client->names)))
            {
                /* an error */
                return;
            }

            types.data = body;
            types.len = next - body;

            /* no types given and none at all are the same */

            if (types.len == 2 && body[0] == 0 && body[1] == 0) {
                types.len = 0;
            }

            stmt = ngx_hyperdrive_state_stmt_get(client->ctx->registry, &text,
                                                 &types, client->mode);
            if (stmt == NULL) {
                return;
            }

            ngx_hyperdrive_pg_client_question(client, stmt);

            unit->parse = 1;
            state = sw_bind;

            break;

        case 'B':
            if (state > sw_bind) {
                return;
            }

            body = ngx_hyperdrive_base_read_cstr(body, next, &portal);
            body = ngx_hyperdrive_base_read_cstr(body, next, &what);

            if (body == NULL) {
                return;
            }

            if (state == sw_bind) {

                if (what.len != name.len
                    || ngx_memcmp(what.data, name.data, name.len) != 0)
                {
                    return;
                }

            } else {
                entry = ngx_hyperdrive_pg_client_find(client, &what);

                if (entry == NULL) {
                    return;
                }

                stmt = entry->stmt;
                name = what;

                ngx_hyperdrive_pg_client_question(client,
                                          ngx_hyperdrive_state_stmt_ref(stmt));
            }

            unit->bind.data = body;
            unit->bind.len = next - body;

            if (ngx_hyperdrive_pg_client_args(client, body, next, unit)
                == NULL)
            {
                if (stmt->plan.reason == 0) {
                    return;
                }

                ngx_str_null(&unit->args);
            }

            bare = (portal.len == 0 && stmt->types_len == 0
                    && next - body >= 6
                    && ngx_memcmp(body, "\0\0\0\0", 4) == 0
                    && next - body
                       == 6 + 2 * (body[4] * 256 + body[5]));

            state = sw_describe;

            break;

        case 'D':
            if (state != sw_describe) {
                return;
            }

            body = ngx_hyperdrive_base_read_bytes(body, next, 1, &kind);
            body = ngx_hyperdrive_base_read_cstr(body, next, &what);

            if (body != next || kind.data[0] != 'P'
                || what.len != portal.len
                || ngx_memcmp(what.data, portal.data, portal.len) != 0)
            {
                return;
            }

            unit->head = 1;
            state = sw_execute;

            break;

        case 'E':
            if (state != sw_describe && state != sw_execute) {
                return;
            }

            body = ngx_hyperdrive_base_read_cstr(body, next, &what);
            body = ngx_hyperdrive_base_read_u32(body, next, &rows);

            if (body != next || rows != 0
                || what.len != portal.len
                || ngx_memcmp(what.data, portal.data, portal.len) != 0)
            {
                return;
            }

            state = sw_sync;

            break;

        case 'S':
            if (state != sw_sync || size != 4) {
                return;
            }

            unit->stmt = stmt;
            unit->bare = bare;
            unit->reason = stmt->plan.reason ? stmt->plan.reason
                                             : unit->reason;
            unit->question = (unit->reason == 0);
            unit->told = entry ? entry->shape : 0;
            unit->name = name;

            /* one format of results, or none, fits any number of columns */

            if (stmt->plan.deallocate && unit->parse && name.len == 0
                && bare && unit->bind.len <= 8
                && ngx_hyperdrive_pg_client_forget(client, stmt, 0) == NGX_OK)
            {
                /* about names that only we know */
                unit->local = 1;
            }

            return;

        default:
            return;
        }

        p = next;
    }
}


/*
 * The part of a Bind behind the names: parameter formats, parameters, result
 * formats (55.7 "Message Formats").  NULL if it is malformed.
 */

static u_char *
ngx_hyperdrive_pg_client_args(ngx_hyperdrive_pg_client_t *client, u_char *p,
    u_char *end, ngx_hyperdrive_proto_unit_t *unit)
{
    u_char      *args, *formats;
    uint32_t     len;
    ngx_str_t    value, codes;
    ngx_uint_t   n, i, format, binary, ncodes;

    args = p;

    ngx_str_null(&codes);
    ngx_str_null(&value);
    ncodes = 0;

    p = ngx_hyperdrive_base_read_u16(p, end, &ncodes);
    if (p) {
        p = ngx_hyperdrive_base_read_bytes(p, end, 2 * ncodes, &codes);
    }

    p = ngx_hyperdrive_base_read_u16(p, end, &n);

    for (i = 0; p && i < n; i++) {
        p = ngx_hyperdrive_base_read_u32(p, end, &len);

        if (p == NULL || len == (uint32_t) -1) {
            continue;
        }

        p = ngx_hyperdrive_base_read_bytes(p, end, len, &value);

        /* no codes: all are text; one: it is for all */

        format = (ncodes == 0) ? 0
                 : (ncodes == 1) ? codes.data[1]
                 : (i < ncodes) ? codes.data[2 * i + 1] : 0;

        if (p && format == 0
            && client->ctx->clock_text(value.data, value.len))
        {
            unit->reason = client->ctx->clock_reason;
        }
    }

    if (p == NULL) {
        return NULL;
    }

    unit->args.data = args;
    unit->args.len = p - args;

    formats = p;
    binary = 0;

    p = ngx_hyperdrive_base_read_u16(p, end, &n);

    for (i = 0; p && i < n; i++) {
        p = ngx_hyperdrive_base_read_u16(p, end, &format);

        if (p && format != 0) {
            binary = 1;
        }
    }

    if (p != end) {
        return NULL;
    }

    unit->formats.data = formats;
    unit->formats.len = binary ? p - formats : 0;

    return p;
}


void
ngx_hyperdrive_pg_client_serve_begin(void *data,
    ngx_hyperdrive_proto_unit_t *unit, u_char *head, size_t len,
    ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_pg_client_t *client = data;

    ngx_hyperdrive_state_name_t  *old, *entry;

    client->describe = 0;

    if (unit->simple) {

        /* a Query ends the unnamed statement */

        if (client->unnamed) {
            ngx_hyperdrive_pg_client_free_name(client->ctx, client->unnamed);
            client->unnamed = NULL;
        }

    } else {

        if (unit->parse) {
            old = NULL;

            entry = ngx_hyperdrive_pg_client_add(client, &unit->name,
                                     ngx_hyperdrive_state_stmt_ref(unit->stmt),
                                     &old);
            if (entry == NULL) {
                ngx_hyperdrive_state_stmt_unref(client->ctx->registry,
                                                unit->stmt);
                out->failed = 1;
                return;
            }

            entry->epoch = ngx_hyperdrive_pg_prepared_epoch(client);

            if (old) {
                ngx_hyperdrive_pg_client_free_name(client->ctx, old);
            }

            ngx_hyperdrive_base_chain_append(out, "1\0\0\0\4", 5);
        }

        ngx_hyperdrive_base_chain_append(out, "2\0\0\0\4", 5);
    }

    if (unit->head) {
        ngx_hyperdrive_base_chain_append(out, head, len);
    }
}


/* as the origin has sent them */

void
ngx_hyperdrive_pg_client_serve_rows(void *client, u_char *data, size_t len,
    ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_base_chain_append(out, data, len);
}


ngx_uint_t
ngx_hyperdrive_pg_client_serve_end(void *data,
    ngx_hyperdrive_proto_unit_t *unit, ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_pg_client_t *client = data;

    ngx_hyperdrive_pg_client_question(client, NULL);
    ngx_hyperdrive_pg_ready(out, ngx_hyperdrive_pg_block_status(client));

    return 0;
}


/* a DEALLOCATE that the origin need not know of */

static void
ngx_hyperdrive_pg_client_deallocated(ngx_hyperdrive_pg_client_t *client,
    ngx_hyperdrive_proto_unit_t *unit, ngx_hyperdrive_chain_t *out)
{
    u_char                        buf[NGX_HYPERDRIVE_MAX_NAME];
    ngx_str_t                     name, none;
    ngx_hyperdrive_state_name_t  *old;

    if (ngx_hyperdrive_pg_deallocate(client->question->text,
                                     client->question->len, buf, &name)
        != NGX_OK)
    {
        return;
    }

    (void) ngx_hyperdrive_pg_client_forget(client, client->question, 1);

    old = client->unnamed;
    client->unnamed = NULL;

    if (!unit->simple) {

        /* it is the unnamed statement itself */

        ngx_str_set(&none, "");

        client->unnamed = old;

        if (ngx_hyperdrive_pg_client_add(client, &none,
                             ngx_hyperdrive_state_stmt_ref(client->question),
                             &old)
            == NULL)
        {
            ngx_hyperdrive_state_stmt_unref(client->ctx->registry,
                                            client->question);
            out->failed = 1;
            return;
        }
    }

    if (old) {
        ngx_hyperdrive_pg_client_free_name(client->ctx, old);
    }

    if (!unit->simple) {

        /* Parse and Bind, and Describe if it was there */

        ngx_hyperdrive_base_chain_append(out, "1\0\0\0\4" "2\0\0\0\4", 10);

        if (unit->head) {
            ngx_hyperdrive_base_chain_append(out, "n\0\0\0\4", 5);
        }
    }

    if (name.len) {
        ngx_hyperdrive_pg_message(out, 'C', "DEALLOCATE",
                                  sizeof("DEALLOCATE"));

    } else {
        ngx_hyperdrive_pg_message(out, 'C', "DEALLOCATE ALL",
                                  sizeof("DEALLOCATE ALL"));
    }
}


void
ngx_hyperdrive_pg_client_refuse(void *data, ngx_hyperdrive_proto_unit_t *unit,
    ngx_hyperdrive_proto_error_t *err, ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_pg_client_t *client = data;

    if (err == NULL && unit->local && client->question) {
        ngx_hyperdrive_pg_client_deallocated(client, unit, out);
    }

    ngx_hyperdrive_pg_client_question(client, NULL);

    client->scanned = 0;
    client->describe = 0;

    if (err) {
        ngx_hyperdrive_pg_error(out, err->severity, err->sqlstate,
                                err->message, NULL, err->hint);

        if (client->begin) {
            ngx_hyperdrive_pg_block_forget(client);
            client->failed = 1;
        }
    }

    if (unit->flush || unit->len == 0) {
        client->skip = 1;
        return;
    }

    client->skip = 0;

    ngx_hyperdrive_pg_ready(out, ngx_hyperdrive_pg_block_status(client));
}


ngx_hyperdrive_state_name_t *
ngx_hyperdrive_pg_client_find(ngx_hyperdrive_pg_client_t *client,
    ngx_str_t *name)
{
    if (name->len == 0) {
        return client->unnamed;
    }

    return ngx_hyperdrive_state_names_find(&client->names, name);
}


ngx_hyperdrive_state_name_t *
ngx_hyperdrive_pg_client_add(ngx_hyperdrive_pg_client_t *client,
    ngx_str_t *name, ngx_hyperdrive_state_stmt_t *stmt,
    ngx_hyperdrive_state_name_t **old)
{
    ngx_hyperdrive_state_name_t  *entry;

    *old = NULL;

    if (name->len) {
        return ngx_hyperdrive_state_names_add(&client->names, name, stmt);
    }

    entry = calloc(1, sizeof(ngx_hyperdrive_state_name_t));
    if (entry == NULL) {
        return NULL;
    }

    entry->stmt = stmt;
    entry->number = ++ngx_hyperdrive_state_names_last;

    *old = client->unnamed;
    client->unnamed = entry;

    return entry;
}


void
ngx_hyperdrive_pg_client_free_name(ngx_hyperdrive_proto_ctx_t *ctx,
    ngx_hyperdrive_state_name_t *name)
{
    ngx_hyperdrive_state_stmt_unref(ctx->registry, name->stmt);
    free(name);
}


void
ngx_hyperdrive_pg_client_describe(void *data)
{
    ngx_hyperdrive_pg_client_t *client = data;

    client->describe = 1;
}
