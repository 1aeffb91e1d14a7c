
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "mysql/ngx_hyperdrive_mysql_wire.h"


/* an answer's packets that are no rows */


/* in which the packets at an end look alike */
#define NGX_HYPERDRIVE_MYSQL_SAME                                             \
    (NGX_HYPERDRIVE_MYSQL_DEPRECATE_EOF | NGX_HYPERDRIVE_MYSQL_SESSION_TRACK)


static ngx_int_t ngx_hyperdrive_mysql_answer_packet_first(
    ngx_hyperdrive_mysql_client_t *c, ngx_hyperdrive_mysql_origin_t *o,
    u_char *p, size_t len, ngx_hyperdrive_proto_piece_t *piece);
static ngx_int_t ngx_hyperdrive_mysql_answer_packet_infile(
    ngx_hyperdrive_mysql_client_t *c, ngx_hyperdrive_mysql_origin_t *o,
    u_char *p, ngx_hyperdrive_proto_piece_t *piece);
static ngx_int_t ngx_hyperdrive_mysql_answer_packet_prepared(
    ngx_hyperdrive_mysql_client_t *c, ngx_hyperdrive_mysql_origin_t *o,
    u_char *p, size_t len, ngx_hyperdrive_proto_piece_t *piece);
static ngx_int_t ngx_hyperdrive_mysql_answer_packet_definition(
    ngx_hyperdrive_mysql_client_t *c, ngx_hyperdrive_mysql_origin_t *o,
    u_char *p, size_t len, ngx_hyperdrive_proto_piece_t *piece);
static ngx_int_t ngx_hyperdrive_mysql_answer_packet_definitions(
    ngx_hyperdrive_mysql_client_t *c, ngx_hyperdrive_mysql_origin_t *o,
    u_char *p, size_t len, ngx_hyperdrive_proto_piece_t *piece);
static ngx_int_t ngx_hyperdrive_mysql_answer_packet_field(
    ngx_hyperdrive_mysql_client_t *c, ngx_hyperdrive_mysql_origin_t *o,
    u_char *p, size_t len, ngx_hyperdrive_proto_piece_t *piece);
static ngx_int_t ngx_hyperdrive_mysql_answer_packet_typed(
    ngx_hyperdrive_mysql_client_t *c, ngx_hyperdrive_mysql_origin_t *o,
    u_char *p, size_t len, ngx_hyperdrive_proto_piece_t *piece);
static void ngx_hyperdrive_mysql_answer_packet_defined(
    ngx_hyperdrive_mysql_origin_t *o);
static ngx_int_t ngx_hyperdrive_mysql_answer_packet_end(
    ngx_hyperdrive_mysql_client_t *c, ngx_hyperdrive_mysql_origin_t *o,
    u_char *p, size_t len, ngx_uint_t rows,
    ngx_hyperdrive_proto_piece_t *piece);
static ngx_uint_t ngx_hyperdrive_mysql_answer_packet_option(
    ngx_str_t *message);
static ngx_int_t ngx_hyperdrive_mysql_answer_packet_error(
    ngx_hyperdrive_mysql_client_t *c, ngx_hyperdrive_mysql_origin_t *o,
    u_char *p, size_t len, ngx_hyperdrive_proto_piece_t *piece);
static void ngx_hyperdrive_mysql_answer_packet_reset(
    ngx_hyperdrive_mysql_client_t *c, ngx_hyperdrive_mysql_origin_t *o);
static void ngx_hyperdrive_mysql_answer_packet_cursor(
    ngx_hyperdrive_mysql_origin_t *o, ngx_uint_t status);


/*
 * One packet that is no row.  NGX_OK: the piece is the client's;
 * NGX_DECLINED: it is not; NGX_AGAIN: it is, and the packet is looked at once
 * more behind it.
 */

ngx_int_t
ngx_hyperdrive_mysql_answer_packet(ngx_hyperdrive_mysql_client_t *c,
    ngx_hyperdrive_mysql_origin_t *o, u_char *p, size_t len,
    ngx_hyperdrive_proto_piece_t *piece)
{
    if (len == 0) {
        return ngx_hyperdrive_mysql_answer_packet_bad(piece, "empty packet");
    }

    if (p[NGX_HYPERDRIVE_MYSQL_HEADER] == NGX_HYPERDRIVE_MYSQL_ERR) {
        return ngx_hyperdrive_mysql_answer_packet_error(c, o, p, len, piece);
    }

    if (o->copy_in) {
        return ngx_hyperdrive_mysql_answer_packet_bad(piece,
                                                      "answer amid a file");
    }

    switch (o->phase) {

    case NGX_HYPERDRIVE_MYSQL_FIRST:
        return ngx_hyperdrive_mysql_answer_packet_first(c, o, p, len, piece);

    case NGX_HYPERDRIVE_MYSQL_PARAMS:
    case NGX_HYPERDRIVE_MYSQL_COLUMNS:
        return ngx_hyperdrive_mysql_answer_packet_definition(c, o, p, len,
                                                             piece);

    case NGX_HYPERDRIVE_MYSQL_PARAMS_END:
    case NGX_HYPERDRIVE_MYSQL_COLUMNS_END:
        return ngx_hyperdrive_mysql_answer_packet_definitions(c, o, p, len,
                                                              piece);

    default: /* NGX_HYPERDRIVE_MYSQL_ROWS */

        if (ngx_hyperdrive_mysql_ledger_at(&o->ledger, 0)->type
            == NGX_HYPERDRIVE_MYSQL_REPLY_FIELDS
            && !ngx_hyperdrive_mysql_answer_is_end(o, p, len))
        {
            return ngx_hyperdrive_mysql_answer_packet_field(c, o, p, len,
                                                            piece);
        }

        return ngx_hyperdrive_mysql_answer_packet_end(c, o, p, len, 1, piece);
    }
}


static ngx_int_t
ngx_hyperdrive_mysql_answer_packet_first(ngx_hyperdrive_mysql_client_t *c,
    ngx_hyperdrive_mysql_origin_t *o, u_char *p, size_t len,
    ngx_hyperdrive_proto_piece_t *piece)
{
    u_char                        *payload;
    ngx_hyperdrive_mysql_reply_t  *first;

    first = ngx_hyperdrive_mysql_ledger_at(&o->ledger, 0);
    payload = p + NGX_HYPERDRIVE_MYSQL_HEADER;

    switch (first->type) {

    case NGX_HYPERDRIVE_MYSQL_REPLY_PREPARE:
        return ngx_hyperdrive_mysql_answer_packet_prepared(c, o, p, len, piece);

    case NGX_HYPERDRIVE_MYSQL_REPLY_TEXT:

        p[3] = first->seq++;
        piece->type = NGX_HYPERDRIVE_PROTO_ROWS;
        piece->end = 1;

        ngx_hyperdrive_mysql_answer_packet_done(o);

        return c ? NGX_OK : NGX_DECLINED;

    case NGX_HYPERDRIVE_MYSQL_REPLY_DONE:
        return ngx_hyperdrive_mysql_answer_packet_end(c, o, p, len,
                                      payload[0] != NGX_HYPERDRIVE_MYSQL_OK,
                                      piece);

    default:
        break;
    }

    switch (payload[0]) {

    case NGX_HYPERDRIVE_MYSQL_OK:
        return ngx_hyperdrive_mysql_answer_packet_end(c, o, p, len, 0, piece);

    case NGX_HYPERDRIVE_MYSQL_INFILE:
        return ngx_hyperdrive_mysql_answer_packet_infile(c, o, p, piece);

    default:
        break;
    }

    if (ngx_hyperdrive_mysql_read_lenc(payload, payload + len, &o->defs)
        == NULL
        || o->defs == 0)
    {
        return ngx_hyperdrive_mysql_answer_packet_bad(piece,
                                                      "unexpected packet");
    }

    o->phase = NGX_HYPERDRIVE_MYSQL_COLUMNS;
    piece->type = NGX_HYPERDRIVE_PROTO_HEAD;

    if (!ngx_hyperdrive_mysql_answer_packet_passes(c, o)) {
        return NGX_DECLINED;
    }

    piece->changed = ngx_hyperdrive_mysql_prepared_columns(c, first->by,
                                                           o->defs);

    if (ngx_hyperdrive_mysql_serve_keeps(c)) {

        /* they follow */

        ngx_hyperdrive_mysql_serve_count(&o->scratch,
                                         p + NGX_HYPERDRIVE_MYSQL_HEADER, len,
                                         1, &first->seq);
        if (o->scratch.failed) {
            return ngx_hyperdrive_mysql_answer_packet_bad(piece,
                                                          "out of memory");
        }

        piece->keep.data = piece->data;
        piece->keep.len = piece->len;
        piece->data = o->scratch.head->pos;
        piece->len = o->scratch.size;

        c->shape = 0;

        return NGX_OK;
    }

    p[3] = first->seq++;

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_mysql_answer_packet_infile(ngx_hyperdrive_mysql_client_t *c,
    ngx_hyperdrive_mysql_origin_t *o, u_char *p,
    ngx_hyperdrive_proto_piece_t *piece)
{
    ngx_hyperdrive_mysql_reply_t  *first;

    if (o->ledger.n > 1) {
        return ngx_hyperdrive_mysql_answer_packet_bad(piece,
                                 "commands were sent behind LOCAL INFILE");
    }

    first = ngx_hyperdrive_mysql_ledger_at(&o->ledger, 0);

    /* who has left gives none, and we never do */

    if (!first->file || !ngx_hyperdrive_mysql_answer_packet_passes(c, o)) {
        return ngx_hyperdrive_mysql_answer_packet_bad(piece,
                                 "the database wants a file that it was not "
                                 "to be given");
    }

    o->copy_in = 1;
    piece->type = NGX_HYPERDRIVE_PROTO_NOTICE;

    p[3] = first->seq++;

    return NGX_OK;
}


/* the origin's number and two counts; definitions follow */

static ngx_int_t
ngx_hyperdrive_mysql_answer_packet_prepared(ngx_hyperdrive_mysql_client_t *c,
    ngx_hyperdrive_mysql_origin_t *o, u_char *p, size_t len,
    ngx_hyperdrive_proto_piece_t *piece)
{
    u_char                        *q, *end;
    uint32_t                       handle;
    ngx_uint_t                     ok, columns, params;
    ngx_hyperdrive_mysql_bind_t    bind;
    ngx_hyperdrive_mysql_name_t   *name;
    ngx_hyperdrive_state_item_t   *item;
    ngx_hyperdrive_mysql_reply_t  *first;

    first = ngx_hyperdrive_mysql_ledger_at(&o->ledger, 0);

    q = p + NGX_HYPERDRIVE_MYSQL_HEADER;
    end = q + len;

    q = ngx_hyperdrive_base_read_u8(q, end, &ok);
    q = ngx_hyperdrive_mysql_read_u32(q, end, &handle);
    q = ngx_hyperdrive_mysql_read_u16(q, end, &columns);
    q = ngx_hyperdrive_mysql_read_u16(q, end, &params);

    if (q == NULL || ok != NGX_HYPERDRIVE_MYSQL_OK) {
        return ngx_hyperdrive_mysql_answer_packet_bad(piece,
                                                      "malformed statement");
    }

    item = ngx_hyperdrive_state_set_add(&o->set, first->id);
    if (item == NULL) {
        return ngx_hyperdrive_mysql_answer_packet_bad(piece, "out of memory");
    }

    ngx_hyperdrive_mysql_prepared_packet(o, p, len);

    item->handle = handle;

    o->preparing--;
    o->defs = params ? params : columns;
    o->columns = params ? columns : 0;

    if (c && first->action == NGX_HYPERDRIVE_MYSQL_PASS) {

        name = ngx_hyperdrive_mysql_names_add(&c->names, 0, first->stmt,
                                              params);
        if (name == NULL) {
            return ngx_hyperdrive_mysql_answer_packet_bad(piece,
                                                          "out of memory");
        }

        c->last = name->number;

        if (first->args) {
            (void) ngx_hyperdrive_mysql_bind_read(&bind, c->caps, name,
                                                  first->args, first->args_len,
                                                  first->args_len);
        }

        if (first->private) {
            name->id = first->id;
        }

        piece->clears = ngx_hyperdrive_mysql_prepared_clears(first->stmt);

        (void) ngx_hyperdrive_mysql_put_u32(p + NGX_HYPERDRIVE_MYSQL_HEADER
                                            + 1, name->number);
    }

    if (o->defs == 0) {
        p[3] = first->seq;
        columns = ngx_hyperdrive_mysql_answer_packet_passes(c, o);

        ngx_hyperdrive_mysql_answer_packet_done(o);

        return columns ? NGX_OK : NGX_DECLINED;
    }

    o->phase = params ? NGX_HYPERDRIVE_MYSQL_PARAMS
                      : NGX_HYPERDRIVE_MYSQL_COLUMNS;

    p[3] = first->seq++;

    return ngx_hyperdrive_mysql_answer_packet_passes(c, o)
           ? NGX_OK : NGX_DECLINED;
}


/* of a parameter or a column */

static ngx_int_t
ngx_hyperdrive_mysql_answer_packet_definition(ngx_hyperdrive_mysql_client_t *c,
    ngx_hyperdrive_mysql_origin_t *o, u_char *p, size_t len,
    ngx_hyperdrive_proto_piece_t *piece)
{
    ngx_uint_t                     prepare, pass;
    ngx_hyperdrive_mysql_name_t   *name;
    ngx_hyperdrive_mysql_reply_t  *first;

    first = ngx_hyperdrive_mysql_ledger_at(&o->ledger, 0);

    prepare = (first->type == NGX_HYPERDRIVE_MYSQL_REPLY_PREPARE);
    pass = ngx_hyperdrive_mysql_answer_packet_passes(c, o);

    piece->type = prepare ? NGX_HYPERDRIVE_PROTO_OTHER
                          : NGX_HYPERDRIVE_PROTO_HEAD;

    if (prepare) {
        ngx_hyperdrive_mysql_prepared_packet(o, p, len);

    } else if (pass) {
        piece->changed = ngx_hyperdrive_mysql_prepared_column(c,
                                       p + NGX_HYPERDRIVE_MYSQL_HEADER, len,
                                       o->defs == 1);
    }

    p[3] = first->seq++;

    if (pass && !prepare && ngx_hyperdrive_mysql_serve_keeps(c)) {
        c->shape = ngx_hyperdrive_mysql_serve_shaped(c->shape,
                                      p + NGX_HYPERDRIVE_MYSQL_HEADER, len);

        name = (o->defs == 1)
               ? ngx_hyperdrive_mysql_names_find(&c->names, first->by) : NULL;

        if (name) {
            name->shape = c->shape;
        }
    }

    if (pass
        && ngx_hyperdrive_mysql_answer_packet_typed(c, o, p, len, piece)
           != NGX_OK)
    {
        return ngx_hyperdrive_mysql_answer_packet_bad(piece,
                                                      "malformed definition");
    }

    if (--o->defs) {
        return pass ? NGX_OK : NGX_DECLINED;
    }

    /* the last one: an EOF follows, or not, at either end */

    if (pass && prepare && !(c->caps & NGX_HYPERDRIVE_MYSQL_DEPRECATE_EOF)) {

        if (o->scratch.size == 0) {
            (void) ngx_hyperdrive_base_chain_append(&o->scratch, p,
                                          NGX_HYPERDRIVE_MYSQL_HEADER + len);
        }

        ngx_hyperdrive_mysql_eof(&o->scratch, c->status, 0, &first->seq);

        if (o->scratch.failed || o->scratch.head != o->scratch.tail) {
            return ngx_hyperdrive_mysql_answer_packet_bad(piece,
                                                   "definition is too long");
        }

        piece->data = o->scratch.head->pos;
        piece->len = o->scratch.size;
    }

    o->eof = !prepare;

    if (o->caps & NGX_HYPERDRIVE_MYSQL_DEPRECATE_EOF) {
        ngx_hyperdrive_mysql_answer_packet_defined(o);

    } else {
        o->phase++;
    }

    return pass ? NGX_OK : NGX_DECLINED;
}


/* of COM_FIELD_LIST */

static ngx_int_t
ngx_hyperdrive_mysql_answer_packet_field(ngx_hyperdrive_mysql_client_t *c,
    ngx_hyperdrive_mysql_origin_t *o, u_char *p, size_t len,
    ngx_hyperdrive_proto_piece_t *piece)
{
    piece->type = NGX_HYPERDRIVE_PROTO_ROWS;
    piece->rows = 1;

    if (!ngx_hyperdrive_mysql_answer_packet_passes(c, o)) {
        return NGX_DECLINED;
    }

    p[3] = ngx_hyperdrive_mysql_ledger_at(&o->ledger, 0)->seq++;

    if (ngx_hyperdrive_mysql_answer_packet_typed(c, o, p, len, piece)
        != NGX_OK)
    {
        return ngx_hyperdrive_mysql_answer_packet_bad(piece,
                                                      "malformed definition");
    }

    return NGX_OK;
}


/* a definition as this client understands it, and as others might */

static ngx_int_t
ngx_hyperdrive_mysql_answer_packet_typed(ngx_hyperdrive_mysql_client_t *c,
    ngx_hyperdrive_mysql_origin_t *o, u_char *p, size_t len,
    ngx_hyperdrive_proto_piece_t *piece)
{
    u_char      seq;
    ngx_str_t   payload, info;
    ngx_uint_t  typed;

    if (((c->caps ^ o->caps) & NGX_HYPERDRIVE_MYSQL_MARIADB_TYPE_INFO) == 0) {
        return NGX_OK;
    }

    payload.data = p + NGX_HYPERDRIVE_MYSQL_HEADER;
    payload.len = len;

    typed = ((o->caps & NGX_HYPERDRIVE_MYSQL_MARIADB_TYPE_INFO) != 0);

    if (ngx_hyperdrive_mysql_type_info(&payload, typed, &info) != NGX_OK) {
        return NGX_ERROR;
    }

    if (info.len > 1) {
        /* it says something */
        piece->keep.data = piece->data;
        piece->keep.len = piece->len;
    }

    seq = p[3];

    ngx_hyperdrive_mysql_retype(&o->scratch, &payload, typed, &info, &seq);

    if (o->scratch.failed) {
        return NGX_ERROR;
    }

    piece->data = o->scratch.head->pos;
    piece->len = o->scratch.size;

    return NGX_OK;
}


/* the EOF that says so; it has been told already, or is yet */

static ngx_int_t
ngx_hyperdrive_mysql_answer_packet_definitions(ngx_hyperdrive_mysql_client_t *c,
    ngx_hyperdrive_mysql_origin_t *o, u_char *p, size_t len,
    ngx_hyperdrive_proto_piece_t *piece)
{
    ngx_str_t   s;
    ngx_uint_t  status, warnings;

    s.data = p + NGX_HYPERDRIVE_MYSQL_HEADER;
    s.len = len;

    if (s.data[0] != NGX_HYPERDRIVE_MYSQL_EOF
        || ngx_hyperdrive_mysql_eof_read(&s, &status, &warnings) != NGX_OK)
    {
        return ngx_hyperdrive_mysql_answer_packet_bad(piece,
                                                      "unexpected packet");
    }

    if (o->eof && (status & NGX_HYPERDRIVE_MYSQL_CURSOR)) {

        /* rows are fetched */

        return ngx_hyperdrive_mysql_answer_packet_end(c, o, p, len, 1, piece);
    }

    if (o->eof) {
        o->status = status;
    }

    ngx_hyperdrive_mysql_answer_packet_defined(o);

    return NGX_DECLINED;
}


static void
ngx_hyperdrive_mysql_answer_packet_defined(ngx_hyperdrive_mysql_origin_t *o)
{
    if (o->eof) {
        o->phase = NGX_HYPERDRIVE_MYSQL_ROWS;

    } else if (o->columns) {
        o->phase = NGX_HYPERDRIVE_MYSQL_COLUMNS;
        o->defs = o->columns;
        o->columns = 0;

    } else {
        ngx_hyperdrive_mysql_answer_packet_done(o);
    }
}


/* between columns and rows, for a client that waits for it */

ngx_uint_t
ngx_hyperdrive_mysql_answer_packet_eof(ngx_hyperdrive_mysql_client_t *c,
    ngx_hyperdrive_mysql_origin_t *o, ngx_hyperdrive_proto_piece_t *piece)
{
    o->eof = 0;

    if (!ngx_hyperdrive_mysql_answer_packet_passes(c, o)
        || (c->caps & NGX_HYPERDRIVE_MYSQL_DEPRECATE_EOF))
    {
        return 0;
    }

    ngx_hyperdrive_mysql_eof(&o->scratch,
                      (o->caps & NGX_HYPERDRIVE_MYSQL_DEPRECATE_EOF)
                      ? c->status : o->status, 0,
                      &ngx_hyperdrive_mysql_ledger_at(&o->ledger, 0)->seq);

    if (o->scratch.head == NULL) {
        return 0;
    }

    piece->type = NGX_HYPERDRIVE_PROTO_OTHER;
    piece->data = o->scratch.head->pos;
    piece->len = o->scratch.size;

    return 1;
}


/* an OK or, behind rows, what stands for it */

static ngx_int_t
ngx_hyperdrive_mysql_answer_packet_end(ngx_hyperdrive_mysql_client_t *c,
    ngx_hyperdrive_mysql_origin_t *o, u_char *p, size_t len, ngx_uint_t rows,
    ngx_hyperdrive_proto_piece_t *piece)
{
    ngx_int_t                      rc;
    ngx_str_t                      s;
    ngx_uint_t                     pass, old, told, lasting;
    ngx_hyperdrive_mysql_ok_t      ok;
    ngx_hyperdrive_mysql_reply_t  *first;

    first = ngx_hyperdrive_mysql_ledger_at(&o->ledger, 0);
    pass = ngx_hyperdrive_mysql_answer_packet_passes(c, o);

    s.data = p + NGX_HYPERDRIVE_MYSQL_HEADER;
    s.len = len;

    /* behind its log a database sends the old form, whatever was agreed upon */

    old = (o->dump || o->asked) && len == NGX_HYPERDRIVE_MYSQL_EOF_LEN;

    if (old || (rows && !(o->caps & NGX_HYPERDRIVE_MYSQL_DEPRECATE_EOF))) {
        ngx_memzero(&ok, sizeof(ngx_hyperdrive_mysql_ok_t));
        rc = ngx_hyperdrive_mysql_eof_read(&s, &ok.status, &ok.warnings);

    } else {
        rc = ngx_hyperdrive_mysql_ok_read(&s, o->caps, &ok);
    }

    if (rc != NGX_OK || s.data[0] != (rows ? NGX_HYPERDRIVE_MYSQL_EOF
                                           : NGX_HYPERDRIVE_MYSQL_OK))
    {
        return ngx_hyperdrive_mysql_answer_packet_bad(piece, "malformed end");
    }

    if (ok.status & NGX_HYPERDRIVE_MYSQL_CURSOR) {
        /* it stands for the end of the columns, too */
        o->eof = 0;
    }

    if (o->eof && ngx_hyperdrive_mysql_answer_packet_eof(c, o, piece)) {
        return NGX_AGAIN;
    }

    piece->off = (pass && (o->status & NGX_HYPERDRIVE_MYSQL_AUTOCOMMIT)
                  && !(ok.status & (NGX_HYPERDRIVE_MYSQL_AUTOCOMMIT
                                    |NGX_HYPERDRIVE_MYSQL_IN_TRANSACTION)));

    o->status = ok.status;

    piece->type = NGX_HYPERDRIVE_PROTO_ROWS;
    piece->end = 1;
    piece->unkept = (ok.warnings || ok.changes.len);
    piece->insert_id = ok.insert_id;
    piece->affected = rows ? -1 : (int64_t) ok.affected;
    piece->warnings = ok.warnings;
    piece->astray = (ngx_hyperdrive_mysql_ok_schema(&ok, &piece->schema)
                     && piece->schema.len == 0);
    piece->tracked = (pass && ngx_hyperdrive_mysql_ok_changed(&ok));
    piece->cursor = ((ok.status & NGX_HYPERDRIVE_MYSQL_CURSOR) != 0);

    if (first->number) {
        ngx_hyperdrive_mysql_answer_packet_cursor(o, ok.status);
    }

    if (first->reset) {
        ngx_hyperdrive_mysql_answer_packet_reset(pass ? c : NULL, o);
        piece->discard = pass ? NGX_HYPERDRIVE_PROTO_DISCARD_SESSION : 0;
    }

    if (first->tells && c) {
        c->status = (c->status & ~NGX_HYPERDRIVE_MYSQL_OF_BLOCK)
                    | (ok.status & NGX_HYPERDRIVE_MYSQL_OF_BLOCK);
    }

    if (pass) {
        lasting = NGX_HYPERDRIVE_MYSQL_LASTING
                  & ~(first->brief ? NGX_HYPERDRIVE_MYSQL_OF_MODE : 0);

        c->status = (c->status & ~lasting) | (ok.status & lasting);

        told = (!c->hears && ngx_hyperdrive_mysql_ok_untold(&ok));

        if (old
            || (((c->caps ^ o->caps) & NGX_HYPERDRIVE_MYSQL_SAME) == 0
                && !told))
        {
            p[3] = first->seq++;

        } else {

            if (rows) {
                ngx_hyperdrive_mysql_end(&o->scratch, c->caps, &ok,
                                         &first->seq);
            } else {
                ngx_hyperdrive_mysql_ok(&o->scratch, c->caps, &ok,
                                        &first->seq);
            }

            if (o->scratch.head == NULL) {
                return ngx_hyperdrive_mysql_answer_packet_bad(piece,
                                                              "out of memory");
            }

            piece->data = o->scratch.head->pos;
            piece->len = o->scratch.size;
        }
    }

    if (ok.status & NGX_HYPERDRIVE_MYSQL_MORE_RESULTS) {
        o->phase = NGX_HYPERDRIVE_MYSQL_FIRST;

        if (first->skip) {
            first->skip--;
        }

    } else {
        ngx_hyperdrive_mysql_answer_packet_done(o);
    }

    return pass ? NGX_OK : NGX_DECLINED;
}


/*
 * The option that prevents a statement is one by which a server is read-only,
 * not secure_file_priv or another: its name is the same in all languages.
 */

static ngx_uint_t
ngx_hyperdrive_mysql_answer_packet_option(ngx_str_t *message)
{
    u_char  *last;

    last = message->data + message->len;

    return ngx_strlcasestrn(message->data, last, (u_char *) "read-only", 8)
           || ngx_strlcasestrn(message->data, last, (u_char *) "read_only", 8);
}


/* an error ends the answer, wherever it stands */

static ngx_int_t
ngx_hyperdrive_mysql_answer_packet_error(ngx_hyperdrive_mysql_client_t *c,
    ngx_hyperdrive_mysql_origin_t *o, u_char *p, size_t len,
    ngx_hyperdrive_proto_piece_t *piece)
{
    ngx_int_t                      rc;
    ngx_str_t                      s;
    ngx_hyperdrive_mysql_err_t     err;
    ngx_hyperdrive_mysql_reply_t  *first, *next;

    first = ngx_hyperdrive_mysql_ledger_at(&o->ledger, 0);

    s.data = p + NGX_HYPERDRIVE_MYSQL_HEADER;
    s.len = len;

    if (o->eof && ngx_hyperdrive_mysql_answer_packet_eof(c, o, piece)) {
        return NGX_AGAIN;
    }

    if (ngx_hyperdrive_mysql_err_read(&s, &err) != NGX_OK) {
        return ngx_hyperdrive_mysql_answer_packet_bad(piece, "malformed error");
    }

    piece->type = NGX_HYPERDRIVE_PROTO_ERROR;
    piece->sqlstate = (len >= 9 && s.data[3] == '#') ? s.data + 4 : NULL;
    piece->early = ngx_hyperdrive_mysql_error_early(err.code, piece->sqlstate);

    switch (err.code) {

    case 1064:    /* ER_PARSE_ERROR */
        piece->syntax = 1;
        break;

    case 1317:    /* ER_QUERY_INTERRUPTED */
        piece->cancelled = 1;
        break;

    case 1290:    /* ER_OPTION_PREVENTS_STATEMENT */

        if (!ngx_hyperdrive_mysql_answer_packet_option(&err.message)) {
            break;
        }

        /* fall through */

    case 1836:    /* ER_READ_ONLY_MODE */
        piece->read_only = NGX_HYPERDRIVE_PROTO_READ_ONLY_SERVER;
        break;

    case 1792:    /* ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION */
        piece->read_only = NGX_HYPERDRIVE_PROTO_READ_ONLY_MAYBE;
        break;

    case 1053:    /* ER_SERVER_SHUTDOWN */
    case 1927:    /* ER_CONNECTION_KILLED */
    case 4031:    /* ER_CLIENT_INTERACTION_TIMEOUT */
        piece->fatal = 1;
        break;

    default:
        break;
    }

    if (o->copy_in) {

        /* whether it reads the rest of the file as such, nobody knows */

        o->poisoned = 1;
        piece->fatal = 1;
    }

    if (c) {
        piece->changed = ngx_hyperdrive_mysql_prepared_failed(c, first,
                                                              err.code);
    }

    rc = (c && first->action == NGX_HYPERDRIVE_MYSQL_PASS) ? NGX_OK
                                                           : NGX_DECLINED;
    if (first->must) {
        o->poisoned = 1;
        return ngx_hyperdrive_mysql_answer_packet_bad(piece,
                                    "the connection could not be prepared");
    }

    if (first->replica
        && (first->type == NGX_HYPERDRIVE_MYSQL_REPLY_DONE
            || (o->asked
                && err.code == 1227)))   /* ER_SPECIFIC_ACCESS_DENIED_ERROR */
    {
        /* it has not registered anything; else it ends by itself */

        o->replica = 0;
        piece->refused = 1;
    }

    if (first->number) {
        ngx_hyperdrive_mysql_answer_packet_cursor(o, 0);
    }

    if (first->unsure || !(o->status & NGX_HYPERDRIVE_MYSQL_AUTOCOMMIT)) {

        /* it does not say whether a transaction is open */
        o->unsure = 1;
    }

    if (first->type == NGX_HYPERDRIVE_MYSQL_REPLY_PREPARE
        && o->phase == NGX_HYPERDRIVE_MYSQL_FIRST)
    {
        o->preparing--;

        if (c && first->action == NGX_HYPERDRIVE_MYSQL_PASS) {
            c->last = 0;
        }

        if (first->guard && o->ledger.n > 1) {

            /* what was sent behind it fails in another way: not to be told */

            next = ngx_hyperdrive_mysql_ledger_at(&o->ledger, 1);

            if (next->action == NGX_HYPERDRIVE_MYSQL_PASS) {
                next->action = NGX_HYPERDRIVE_MYSQL_DROP;
                next->ready = 1;
                rc = c ? NGX_OK : NGX_DECLINED;
            }

        } else if (first->action == NGX_HYPERDRIVE_MYSQL_DROP && c) {

            o->failed = 1;

            ngx_hyperdrive_base_chain_clear(&o->kept);
            (void) ngx_hyperdrive_base_chain_append(&o->kept, p,
                                            NGX_HYPERDRIVE_MYSQL_HEADER + len);
        }
    }

    p[3] = first->seq;

    o->eof = 0;

    ngx_hyperdrive_base_chain_clear(&o->described);
    ngx_hyperdrive_mysql_answer_packet_done(o);

    return rc;
}


/* the session is as it was after the log-in */

static void
ngx_hyperdrive_mysql_answer_packet_reset(ngx_hyperdrive_mysql_client_t *c,
    ngx_hyperdrive_mysql_origin_t *o)
{
    ngx_hyperdrive_state_set_clear(&o->set);
    o->held = 0;
    o->tells = 0;

    if (c) {
        ngx_hyperdrive_mysql_client_reset(c);
    }
}


/* of a statement that may have one now, or not any more */

static void
ngx_hyperdrive_mysql_answer_packet_cursor(ngx_hyperdrive_mysql_origin_t *o,
    ngx_uint_t status)
{
    ngx_uint_t                     open;
    ngx_hyperdrive_state_item_t   *item;
    ngx_hyperdrive_mysql_reply_t  *first;

    first = ngx_hyperdrive_mysql_ledger_at(&o->ledger, 0);

    item = ngx_hyperdrive_state_set_find(&o->set, first->id);
    if (item == NULL) {
        return;
    }

    open = (status & NGX_HYPERDRIVE_MYSQL_CURSOR)
           && !(status & NGX_HYPERDRIVE_MYSQL_LAST_ROW);

    if (open && item->holder == 0) {
        item->holder = first->number;
        o->held++;
    }

    if (open) {
        item->cursor = 1;

    } else if (!open && item->holder == first->number) {
        ngx_hyperdrive_mysql_origin_let_go(o, item);
    }
}


/* the first answer has come to its end */

void
ngx_hyperdrive_mysql_answer_packet_done(ngx_hyperdrive_mysql_origin_t *o)
{
    ngx_hyperdrive_mysql_reply_t  *first;

    first = ngx_hyperdrive_mysql_ledger_at(&o->ledger, 0);

    if (first->action != NGX_HYPERDRIVE_MYSQL_DROP) {
        o->ready = NGX_HYPERDRIVE_MYSQL_READY_CLIENT;

    } else if (first->ready) {
        o->ready = first->tag ? NGX_HYPERDRIVE_MYSQL_READY_OWN
                              : NGX_HYPERDRIVE_MYSQL_READY_CLIENT;
        o->tag = first->tag;
    }

    ngx_hyperdrive_mysql_prepared_end(o);

    if (first->stmt) {
        ngx_hyperdrive_state_stmt_unref(o->ctx->registry, first->stmt);
    }

    free(first->args);

    ngx_hyperdrive_mysql_ledger_shift(&o->ledger);

    o->phase = NGX_HYPERDRIVE_MYSQL_FIRST;
    o->pass = 0;
    o->asked = 0;
    o->dump = 0;
}


ngx_int_t
ngx_hyperdrive_mysql_answer_packet_bad(ngx_hyperdrive_proto_piece_t *piece,
    char *text)
{
    piece->data = (u_char *) text;
    piece->len = ngx_strlen(text);

    return NGX_ERROR;
}


/* what the origin says now is for the client */

ngx_uint_t
ngx_hyperdrive_mysql_answer_packet_passes(ngx_hyperdrive_mysql_client_t *c,
    ngx_hyperdrive_mysql_origin_t *o)
{
    ngx_hyperdrive_mysql_reply_t  *first;

    first = ngx_hyperdrive_mysql_ledger_at(&o->ledger, 0);

    return c && first->action == NGX_HYPERDRIVE_MYSQL_PASS
           && first->skip == 0;
}
