
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "mysql/ngx_hyperdrive_mysql_wire.h"
#include "base/ngx_hyperdrive_base_hash.h"
#include "base/ngx_hyperdrive_base_mode.h"


/*
 * Statements that are prepared without an origin.  What a PREPARE was answered
 * is kept with the statement, as the origin has sent it, but for its number
 * and the EOFs, and each client is told what it understands of it.
 *
 * The database does not mind an old plan: it makes a new one, and what the rows
 * are like is said with them.  So the first execution shows whether what was
 * told from memory holds.
 */


/* of an answer that is kept */
#define NGX_HYPERDRIVE_MYSQL_PREPARED_MAX      65536

/* its first packet: where the number stands, the counts, the warnings */
#define NGX_HYPERDRIVE_MYSQL_PREPARED_NUMBER   1
#define NGX_HYPERDRIVE_MYSQL_PREPARED_COLUMNS  5
#define NGX_HYPERDRIVE_MYSQL_PREPARED_PARAMS   7
#define NGX_HYPERDRIVE_MYSQL_PREPARED_WARNED   10

/* of a definition, from its end on: the type */
#define NGX_HYPERDRIVE_MYSQL_PREPARED_TYPE     6


static ngx_int_t ngx_hyperdrive_mysql_prepared_tell(
    ngx_hyperdrive_mysql_client_t *c, ngx_hyperdrive_state_stmt_t *stmt,
    ngx_hyperdrive_state_desc_t *desc, ngx_hyperdrive_chain_t *out);
static u_char *ngx_hyperdrive_mysql_prepared_head(
    ngx_hyperdrive_state_desc_t *desc, ngx_str_t *payload, ngx_uint_t *columns,
    ngx_uint_t *params);
static uint64_t ngx_hyperdrive_mysql_prepared_shape(uint64_t shape,
    ngx_str_t *payload, ngx_uint_t type);


ngx_int_t
ngx_hyperdrive_mysql_prepared(void *client, ngx_hyperdrive_proto_unit_t *unit,
    u_char *pos, uint64_t epoch, ngx_hyperdrive_chain_t *out)
{
    ngx_int_t                       rc;
    ngx_str_t                       text;
    ngx_hyperdrive_state_desc_t    *desc;
    ngx_hyperdrive_state_stmt_t    *stmt;
    ngx_hyperdrive_mysql_client_t  *c;

    c = client;

    text.data = pos + NGX_HYPERDRIVE_MYSQL_HEADER + 1;
    text.len = unit->len - NGX_HYPERDRIVE_MYSQL_HEADER - 1;

    if ((c->mode & NGX_HYPERDRIVE_BASE_MODE_UNREAD)
        || ngx_strlchr(text.data, text.data + text.len, '@'))
    {
        /* of variables, columns have the types of their values */

        return NGX_DECLINED;
    }

    c->epoch = epoch;

    if (out == NULL) {
        return NGX_DECLINED;
    }

    stmt = ngx_hyperdrive_state_stmt_get(c->ctx->registry, &text, &c->scope,
                                         c->mode);
    if (stmt == NULL) {
        return NGX_DECLINED;
    }

    desc = ngx_hyperdrive_state_stmt_described(stmt, epoch);

    rc = desc ? ngx_hyperdrive_mysql_prepared_tell(c, stmt, desc, out)
              : NGX_DECLINED;

    unit->clears = ngx_hyperdrive_mysql_prepared_clears(stmt);

    ngx_hyperdrive_state_stmt_unref(c->ctx->registry, stmt);

    return rc;
}


static ngx_int_t
ngx_hyperdrive_mysql_prepared_tell(ngx_hyperdrive_mysql_client_t *c,
    ngx_hyperdrive_state_stmt_t *stmt, ngx_hyperdrive_state_desc_t *desc,
    ngx_hyperdrive_chain_t *out)
{
    u_char                       *p, *q, seq, other;
    ngx_str_t                     payload;
    ngx_uint_t                    n, columns, params;
    ngx_hyperdrive_mysql_name_t  *name;

    p = ngx_hyperdrive_mysql_prepared_head(desc, &payload, &columns, &params);

    name = ngx_hyperdrive_mysql_names_add(&c->names, 0, stmt, params);
    if (name == NULL) {
        return NGX_DECLINED;
    }

    name->epoch = desc->epoch;
    c->last = name->number;

    ngx_hyperdrive_mysql_client_looked(c);

    seq = 1;

    q = ngx_hyperdrive_mysql_packet_begin(out, payload.len, &seq);

    if (q) {
        ngx_memcpy(q, payload.data, payload.len);
        (void) ngx_hyperdrive_mysql_put_u32(
                         q + NGX_HYPERDRIVE_MYSQL_PREPARED_NUMBER,
                         name->number);
    }

    for (n = 1;
         ngx_hyperdrive_mysql_packet(&p, desc->data + desc->len,
                                     NGX_HYPERDRIVE_MYSQL_MAX_PACKET - 1,
                                     &payload, &other)
         == NGX_OK;
         n++)
    {
        ngx_hyperdrive_mysql_serve_definition(c, &payload, &seq, out);

        if ((n == params || n == params + columns)
            && !(c->caps & NGX_HYPERDRIVE_MYSQL_DEPRECATE_EOF))
        {
            ngx_hyperdrive_mysql_eof(out, c->status, 0, &seq);
        }
    }

    return NGX_OK;
}


/* the position behind it */

static u_char *
ngx_hyperdrive_mysql_prepared_head(ngx_hyperdrive_state_desc_t *desc,
    ngx_str_t *payload, ngx_uint_t *columns, ngx_uint_t *params)
{
    u_char  *p, *end, seq;

    p = desc->data;

    (void) ngx_hyperdrive_mysql_packet(&p, p + desc->len,
                                       NGX_HYPERDRIVE_MYSQL_MAX_PACKET - 1,
                                       payload, &seq);
    end = payload->data + payload->len;

    (void) ngx_hyperdrive_mysql_read_u16(
                   payload->data + NGX_HYPERDRIVE_MYSQL_PREPARED_COLUMNS, end,
                   columns);
    (void) ngx_hyperdrive_mysql_read_u16(
                   payload->data + NGX_HYPERDRIVE_MYSQL_PREPARED_PARAMS, end,
                   params);
    return p;
}


/* one packet of an origin's answer to a PREPARE, as it has come */

void
ngx_hyperdrive_mysql_prepared_packet(ngx_hyperdrive_mysql_origin_t *o,
    u_char *p, size_t len)
{
    u_char                        *q, *end;
    ngx_uint_t                     head, warnings;
    ngx_hyperdrive_mysql_reply_t  *first;

    first = ngx_hyperdrive_mysql_ledger_at(&o->ledger, 0);

    if (first->epoch == NGX_HYPERDRIVE_STATE_NO_EPOCH) {
        return;
    }

    end = p + NGX_HYPERDRIVE_MYSQL_HEADER + len;
    head = (o->described.size == 0);
    warnings = 0;

    if (head) {
        q = ngx_hyperdrive_mysql_read_u16(
                   p + NGX_HYPERDRIVE_MYSQL_HEADER
                   + ngx_min(len, NGX_HYPERDRIVE_MYSQL_PREPARED_WARNED), end,
                   &warnings);
        if (q == NULL) {
            warnings = 1;
        }
    }

    len += NGX_HYPERDRIVE_MYSQL_HEADER;

    q = (warnings == 0
         && o->described.size + len <= NGX_HYPERDRIVE_MYSQL_PREPARED_MAX)
        ? ngx_hyperdrive_base_chain_reserve(&o->described, len) : NULL;

    if (q == NULL) {
        first->epoch = NGX_HYPERDRIVE_STATE_NO_EPOCH;
        ngx_hyperdrive_base_chain_clear(&o->described);
        return;
    }

    ngx_memcpy(q, p, len);

    /* the same bytes from each connection */

    q[3] = 0;

    if (head) {
        (void) ngx_hyperdrive_mysql_put_u32(
                         q + NGX_HYPERDRIVE_MYSQL_HEADER
                         + NGX_HYPERDRIVE_MYSQL_PREPARED_NUMBER, 0);
    }
}


/* all of it has come */

void
ngx_hyperdrive_mysql_prepared_end(ngx_hyperdrive_mysql_origin_t *o)
{
    u_char                        *data;
    size_t                         len;
    uint64_t                       seed[2];
    ngx_hyperdrive_mysql_reply_t  *first;

    len = o->described.size;

    if (len == 0) {
        return;
    }

    first = ngx_hyperdrive_mysql_ledger_at(&o->ledger, 0);

    data = malloc(len);

    if (data) {
        ngx_hyperdrive_base_chain_copy(&o->described, data);

        ngx_memzero(seed, sizeof(seed));

        ngx_hyperdrive_state_stmt_describe(o->ctx->registry, first->stmt,
                                           first->epoch, data, len,
                                           ngx_hyperdrive_base_hash(seed, data,
                                                                    len));
        free(data);
    }

    ngx_hyperdrive_base_chain_clear(&o->described);
}


/*
 * A statement is answered by <n> columns.  If it is the first time since it was
 * prepared from memory, they are compared, as far as all executions have the
 * same: in number, by their names and, without parameters, their types.  True
 * if they differ already.
 */

ngx_uint_t
ngx_hyperdrive_mysql_prepared_columns(ngx_hyperdrive_mysql_client_t *c,
    uint32_t number, uint64_t n)
{
    u_char                       *p, *last, seq;
    ngx_str_t                     payload;
    ngx_uint_t                    columns, params;
    ngx_hyperdrive_state_desc_t  *desc;
    ngx_hyperdrive_mysql_name_t  *name;

    c->expected = 0;

    name = number ? ngx_hyperdrive_mysql_names_find(&c->names, number) : NULL;

    if (name == NULL || name->epoch == NGX_HYPERDRIVE_STATE_NO_EPOCH) {
        return 0;
    }

    desc = ngx_hyperdrive_state_stmt_described(name->stmt, name->epoch);

    name->epoch = NGX_HYPERDRIVE_STATE_NO_EPOCH;

    if (desc == NULL) {
        return 0;
    }

    last = desc->data + desc->len;

    p = ngx_hyperdrive_mysql_prepared_head(desc, &payload, &columns, &params);

    if (columns == 0) {
        /* CALL and the like have some only when they run */
        return 0;
    }

    if (columns != n) {
        return 1;
    }

    c->typed = (params == 0);
    c->found = 0;

    for (n = 0;
         ngx_hyperdrive_mysql_packet(&p, last,
                                     NGX_HYPERDRIVE_MYSQL_MAX_PACKET - 1,
                                     &payload, &seq)
         == NGX_OK;
         n++)
    {
        if (n >= params) {
            c->expected = ngx_hyperdrive_mysql_prepared_shape(c->expected,
                                                              &payload,
                                                              c->typed);
        }
    }

    return 0;
}


/* one of them; true if it is the last one and they are not the same */

ngx_uint_t
ngx_hyperdrive_mysql_prepared_column(ngx_hyperdrive_mysql_client_t *c,
    u_char *p, size_t len, ngx_uint_t last)
{
    uint64_t   expected;
    ngx_str_t  payload;

    if (c->expected == 0) {
        return 0;
    }

    payload.data = p;
    payload.len = len;

    c->found = ngx_hyperdrive_mysql_prepared_shape(c->found, &payload,
                                                   c->typed);
    if (!last) {
        return 0;
    }

    expected = c->expected;
    c->expected = 0;

    return c->found != expected;
}


/* never 0 */

static uint64_t
ngx_hyperdrive_mysql_prepared_shape(uint64_t shape, ngx_str_t *payload,
    ngx_uint_t type)
{
    u_char      *p, *last;
    ngx_str_t    name;
    ngx_uint_t   i;

    p = payload->data;
    last = p + payload->len;

    ngx_str_set(&name, "");

    /* what the client sees of the six */

    for (i = 0; i < 5 && p; i++) {
        p = ngx_hyperdrive_mysql_read_lstr(p, last, &name);
    }

    shape = ngx_hyperdrive_mysql_serve_shaped(shape, name.data, name.len);

    if (type && payload->len > NGX_HYPERDRIVE_MYSQL_PREPARED_TYPE) {
        shape = ngx_hyperdrive_mysql_serve_shaped(shape,
                                  last - NGX_HYPERDRIVE_MYSQL_PREPARED_TYPE, 1);
    }

    return shape;
}


ngx_uint_t
ngx_hyperdrive_mysql_prepared_failed(ngx_hyperdrive_mysql_client_t *c,
    ngx_hyperdrive_mysql_reply_t *reply, ngx_uint_t code)
{
    ngx_hyperdrive_mysql_name_t  *name;

    if (!ngx_hyperdrive_mysql_prepared_changed(code)) {
        return 0;
    }

    if (reply->type == NGX_HYPERDRIVE_MYSQL_REPLY_PREPARE) {

        /* of what its client has prepared, maybe from memory */

        return reply->action == NGX_HYPERDRIVE_MYSQL_DROP;
    }

    name = reply->by ? ngx_hyperdrive_mysql_names_find(&c->names, reply->by)
                     : NULL;

    if (name == NULL || name->epoch == NGX_HYPERDRIVE_STATE_NO_EPOCH) {
        return 0;
    }

    /* who goes on to execute it says nothing new */

    name->epoch = NGX_HYPERDRIVE_STATE_NO_EPOCH;

    return 1;
}


/*
 * The errors by which a statement that could be prepared says that it cannot be
 * any more.
 */

ngx_uint_t
ngx_hyperdrive_mysql_prepared_changed(ngx_uint_t code)
{
    switch (code) {

    case 1044:    /* ER_DBACCESS_DENIED_ERROR */
    case 1049:    /* ER_BAD_DB_ERROR */
    case 1054:    /* ER_BAD_FIELD_ERROR */
    case 1142:    /* ER_TABLEACCESS_DENIED_ERROR */
    case 1143:    /* ER_COLUMNACCESS_DENIED_ERROR */
    case 1146:    /* ER_NO_SUCH_TABLE */
    case 1305:    /* ER_SP_DOES_NOT_EXIST */
    case 1356:    /* ER_VIEW_INVALID */
    case 1370:    /* ER_PROCACCESS_DENIED_ERROR */
        return 1;

    default:
        return 0;
    }
}
