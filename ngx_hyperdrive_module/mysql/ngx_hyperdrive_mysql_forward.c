
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "mysql/ngx_hyperdrive_mysql_wire.h"


/* of a payload: what our own answers depend on */
#define NGX_HYPERDRIVE_MYSQL_SMALL       16


static ngx_int_t ngx_hyperdrive_mysql_forward_begin(
    ngx_hyperdrive_mysql_forward_t *f);
static ngx_int_t ngx_hyperdrive_mysql_forward_command(
    ngx_hyperdrive_mysql_forward_t *f);
static ngx_int_t ngx_hyperdrive_mysql_forward_query(
    ngx_hyperdrive_mysql_forward_t *f);
static ngx_int_t ngx_hyperdrive_mysql_forward_command_text(
    ngx_hyperdrive_mysql_forward_t *f, size_t head);
static ngx_int_t ngx_hyperdrive_mysql_forward_schema(
    ngx_hyperdrive_mysql_forward_t *f);
static ngx_int_t ngx_hyperdrive_mysql_forward_pass(
    ngx_hyperdrive_mysql_forward_t *f, ngx_hyperdrive_mysql_reply_e type);
static ngx_int_t ngx_hyperdrive_mysql_forward_grown(
    ngx_hyperdrive_mysql_forward_t *f);
static void ngx_hyperdrive_mysql_forward_grown_packet(
    ngx_hyperdrive_mysql_forward_t *f, size_t len, u_char seq);
static void ngx_hyperdrive_mysql_forward_grown_send(
    ngx_hyperdrive_mysql_forward_t *f);
static ngx_int_t ngx_hyperdrive_mysql_forward_infile(
    ngx_hyperdrive_mysql_forward_t *f);
static ngx_int_t ngx_hyperdrive_mysql_forward_option(
    ngx_hyperdrive_mysql_forward_t *f);
static ngx_int_t ngx_hyperdrive_mysql_forward_replica(
    ngx_hyperdrive_mysql_forward_t *f);
static ngx_hyperdrive_state_stmt_t *ngx_hyperdrive_mysql_forward_text(
    ngx_hyperdrive_mysql_forward_t *f, u_char *text, size_t len);


ngx_int_t
ngx_hyperdrive_mysql_forward(void *client, void *origin, u_char **pos,
    u_char *last, ngx_hyperdrive_chain_t *out, ngx_hyperdrive_chain_t *reply,
    ngx_hyperdrive_proto_run_pt run, void *data,
    ngx_hyperdrive_proto_error_t *err)
{
    u_char                          *p;
    uint32_t                         size;
    ngx_int_t                        rc;
    ngx_hyperdrive_mysql_client_t   *c;
    ngx_hyperdrive_mysql_origin_t   *o;
    ngx_hyperdrive_mysql_forward_t   f;

    c = client;
    o = origin;

    ngx_hyperdrive_mysql_client_looked(c);

    f.client = c;
    f.origin = o;
    f.pos = *pos;
    f.last = last;
    f.out = out;
    f.run = run;
    f.data = data;
    f.err = err;

    if (c->begin && ngx_hyperdrive_mysql_forward_begin(&f) != NGX_OK) {
        return NGX_ERROR;
    }

    if (o->copy_in) {
        rc = ngx_hyperdrive_mysql_forward_infile(&f);

    } else if (!ngx_hyperdrive_mysql_framer_clear(&c->framer)) {
        rc = ngx_hyperdrive_mysql_forward_rest(&f, 0);

    } else if (o->dump) {

        /* acknowledgements of a replica's: they have no answers */

        (void) ngx_hyperdrive_base_chain_append(out, f.pos, last - f.pos);

        f.pos = last;
        rc = NGX_AGAIN;

    } else if ((o->hold || o->asked) && (o->ledger.n || o->ready)) {
        return NGX_BUSY;

    } else {
        o->hold = 0;

        p = ngx_hyperdrive_mysql_read_u24(f.pos, last, &size);

        if (p == NULL || last - f.pos < NGX_HYPERDRIVE_MYSQL_HEADER + 1) {
            return NGX_AGAIN;
        }

        if (*p != 0 || size == 0) {
            return ngx_hyperdrive_mysql_forward_error(&f, "08P01",
                                                  "Got packets out of order");
        }

        f.payload = f.pos + NGX_HYPERDRIVE_MYSQL_HEADER;
        f.len = size;
        f.avail = ngx_min((size_t) (last - f.payload), f.len);

        rc = ngx_hyperdrive_mysql_forward_command(&f);
    }

    *pos = f.pos;

    if (out->failed) {
        return ngx_hyperdrive_mysql_forward_error(&f, "53200",
                                                  "out of memory");
    }

    return rc;
}


/* what was answered goes ahead of it; nothing of the client's is outstanding */

static ngx_int_t
ngx_hyperdrive_mysql_forward_begin(ngx_hyperdrive_mysql_forward_t *f)
{
    ngx_str_t                      text;
    ngx_hyperdrive_state_stmt_t   *stmt;
    ngx_hyperdrive_mysql_reply_t  *reply;

    stmt = f->client->begin;
    f->client->begin = NULL;

    ngx_hyperdrive_mysql_forward_run(f, stmt, NULL, 0, 0);

    text.data = stmt->text;
    text.len = stmt->len;

    ngx_hyperdrive_mysql_origin_text(f->origin, &text, f->out);

    ngx_hyperdrive_state_stmt_unref(f->client->ctx->registry, stmt);

    reply = ngx_hyperdrive_mysql_forward_expect(f,
                                           NGX_HYPERDRIVE_MYSQL_REPLY_RESULTS,
                                           NGX_HYPERDRIVE_MYSQL_DROP);
    if (reply == NULL) {
        return NGX_ERROR;
    }

    reply->must = 1;

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_mysql_forward_command(ngx_hyperdrive_mysql_forward_t *f)
{
    uint32_t                        number;
    ngx_hyperdrive_mysql_local_e    local;
    ngx_hyperdrive_mysql_ledger_t  *ledger;

    ledger = &f->origin->ledger;

    if (ledger->n
        && ngx_hyperdrive_mysql_ledger_at(ledger, ledger->n - 1)->reset)
    {
        /* what the client has prepared will be gone */
        return ngx_hyperdrive_mysql_forward_hold(f);
    }

    f->client->answers = 0;
    f->client->drop = 0;

    switch (f->payload[0]) {

    case NGX_HYPERDRIVE_MYSQL_COM_QUERY:
        return ngx_hyperdrive_mysql_forward_query(f);

    case NGX_HYPERDRIVE_MYSQL_COM_STMT_PREPARE:

        if (ngx_hyperdrive_mysql_tracker(f, NULL) != NGX_OK) {
            return NGX_ERROR;
        }

        return ngx_hyperdrive_mysql_forward_prepare(f);

    case NGX_HYPERDRIVE_MYSQL_COM_STMT_EXECUTE:
    case NGX_HYPERDRIVE_MYSQL_COM_STMT_BULK_EXECUTE:
        return ngx_hyperdrive_mysql_forward_execute(f);

    case NGX_HYPERDRIVE_MYSQL_COM_STMT_LONG_DATA:
        return ngx_hyperdrive_mysql_forward_long_data(f);

    case NGX_HYPERDRIVE_MYSQL_COM_STMT_FETCH:
        return ngx_hyperdrive_mysql_forward_fetch(f);

    case NGX_HYPERDRIVE_MYSQL_COM_STMT_RESET:
        return ngx_hyperdrive_mysql_forward_reset(f);

    case NGX_HYPERDRIVE_MYSQL_COM_STMT_CLOSE:
        return ngx_hyperdrive_mysql_forward_close(f);

    case NGX_HYPERDRIVE_MYSQL_COM_INIT_DB:
        return ngx_hyperdrive_mysql_forward_schema(f);

    case NGX_HYPERDRIVE_MYSQL_COM_FIELD_LIST:
        return ngx_hyperdrive_mysql_forward_pass(f,
                                            NGX_HYPERDRIVE_MYSQL_REPLY_FIELDS);

    case NGX_HYPERDRIVE_MYSQL_COM_STATISTICS:
        return ngx_hyperdrive_mysql_forward_pass(f,
                                              NGX_HYPERDRIVE_MYSQL_REPLY_TEXT);

    case NGX_HYPERDRIVE_MYSQL_COM_PROCESS_INFO:
        return ngx_hyperdrive_mysql_forward_pass(f,
                                           NGX_HYPERDRIVE_MYSQL_REPLY_RESULTS);

    case NGX_HYPERDRIVE_MYSQL_COM_REGISTER_SLAVE:
    case NGX_HYPERDRIVE_MYSQL_COM_BINLOG_DUMP:
    case NGX_HYPERDRIVE_MYSQL_COM_BINLOG_DUMP_GTID:
        return ngx_hyperdrive_mysql_forward_replica(f);

    case NGX_HYPERDRIVE_MYSQL_COM_PING:
    case NGX_HYPERDRIVE_MYSQL_COM_DEBUG:
    case NGX_HYPERDRIVE_MYSQL_COM_PROCESS_KILL:
        return ngx_hyperdrive_mysql_forward_pass(f,
                                              NGX_HYPERDRIVE_MYSQL_REPLY_DONE);

    case NGX_HYPERDRIVE_MYSQL_COM_RESET_CONNECTION:

        if (f->origin->ledger.n) {
            return ngx_hyperdrive_mysql_forward_hold(f);
        }

        return ngx_hyperdrive_mysql_forward_pass(f,
                                              NGX_HYPERDRIVE_MYSQL_REPLY_DONE);

    default:
        break;
    }

    if (f->avail < ngx_min(f->len, NGX_HYPERDRIVE_MYSQL_SMALL)) {
        return NGX_AGAIN;
    }

    local = ngx_hyperdrive_mysql_client_local(f->client, f->payload, f->avail,
                                              &number);

    return ngx_hyperdrive_mysql_forward_local(f, local, number);
}


static ngx_int_t
ngx_hyperdrive_mysql_forward_query(ngx_hyperdrive_mysql_forward_t *f)
{
    size_t                         head;
    ngx_int_t                      rc;
    ngx_uint_t                     unsure, file, brief;
    ngx_hyperdrive_state_stmt_t   *stmt;
    ngx_hyperdrive_mysql_reply_t  *reply;

    rc = ngx_hyperdrive_mysql_bind_text(f->client->caps, f->payload, f->avail,
                                        f->len, &head);
    if (rc == NGX_AGAIN) {
        return NGX_AGAIN;
    }

    if (rc != NGX_OK) {
        return ngx_hyperdrive_mysql_forward_local(f,
                                     NGX_HYPERDRIVE_MYSQL_LOCAL_MALFORMED, 0);
    }

    stmt = NULL;

    if (f->avail == f->len && f->len <= NGX_HYPERDRIVE_MAX_TEXT) {
        stmt = ngx_hyperdrive_mysql_forward_text(f, f->payload + head,
                                                 f->len - head);

    } else if (f->len <= NGX_HYPERDRIVE_MAX_TEXT) {
        return NGX_AGAIN;
    }

    /* else it is too long to be read */

    if (ngx_hyperdrive_mysql_forward_option(f) != NGX_OK
        || ngx_hyperdrive_mysql_tracker(f, stmt) != NGX_OK)
    {

        if (stmt) {
            ngx_hyperdrive_state_stmt_unref(f->client->ctx->registry, stmt);
        }

        return NGX_ERROR;
    }

    ngx_hyperdrive_mysql_forward_run(f, stmt, NULL, 0, 0);

    unsure = (stmt == NULL || !stmt->plan.plain);
    file = ngx_hyperdrive_mysql_forward_asks(f, stmt);
    brief = (stmt && stmt->plan.brief);

    if (stmt) {
        ngx_hyperdrive_state_stmt_unref(f->client->ctx->registry, stmt);
    }

    reply = ngx_hyperdrive_mysql_forward_expect(f,
                                            NGX_HYPERDRIVE_MYSQL_REPLY_RESULTS,
                                            NGX_HYPERDRIVE_MYSQL_PASS);
    if (reply == NULL) {
        return NGX_ERROR;
    }

    reply->unsure = unsure;
    reply->file = file;
    reply->brief = brief;

    return ngx_hyperdrive_mysql_forward_command_text(f, head);
}


/* with attributes if the origin knows them, as if there were none if not */

static ngx_int_t
ngx_hyperdrive_mysql_forward_command_text(ngx_hyperdrive_mysql_forward_t *f,
    size_t head)
{
    u_char   *p, none[3];
    uint64_t  differ;

    differ = (f->client->caps ^ f->origin->caps)
             & NGX_HYPERDRIVE_MYSQL_QUERY_ATTRIBUTES;

    if (!differ) {
        return ngx_hyperdrive_mysql_forward_rest(f, 0);
    }

    none[0] = NGX_HYPERDRIVE_MYSQL_COM_QUERY;
    none[1] = 0;
    none[2] = 1;

    if (head == 1) {
        return ngx_hyperdrive_mysql_forward_as(f, none, 3, 1);
    }

    if (f->len < NGX_HYPERDRIVE_MYSQL_MAX_PACKET) {
        return ngx_hyperdrive_mysql_forward_as(f, none, 1, head);
    }

    /* a full packet has to stay one; blanks do not count */

    p = ngx_hyperdrive_base_chain_reserve(f->out, NGX_HYPERDRIVE_MYSQL_HEADER
                                                  + head);
    if (p == NULL) {
        return NGX_ERROR;
    }

    p = ngx_cpymem(p, f->pos, NGX_HYPERDRIVE_MYSQL_HEADER + 1);
    ngx_memset(p, ' ', head - 1);

    return ngx_hyperdrive_mysql_forward_rest(f, NGX_HYPERDRIVE_MYSQL_HEADER
                                                + head);
}


/*
 * Who gives files gives any that he is asked for, and the database is not to
 * ask for one unless the client has said so: LOCAL INFILE, wherever it stands,
 * or what runs a text that is not read here.
 */

ngx_uint_t
ngx_hyperdrive_mysql_forward_asks(ngx_hyperdrive_mysql_forward_t *f,
    ngx_hyperdrive_state_stmt_t *stmt)
{
    u_char      *p, *word, *last;
    ngx_str_t   *one;
    static ngx_str_t  words[] = {
        ngx_string("infile"),
        ngx_string("execute"),
        ngx_string("call"),
        ngx_null_string
    };

    if (!(f->client->caps & f->origin->caps
          & NGX_HYPERDRIVE_MYSQL_LOCAL_FILES))
    {
        return 0;
    }

    if (stmt == NULL) {
        return 1;
    }

    last = stmt->text + stmt->len;

    for (p = stmt->text; p < last; p++) {
        word = p;

        while (p < last && ((*p | 0x20) >= 'a') && ((*p | 0x20) <= 'z')) {
            p++;
        }

        for (one = words; one->len; one++) {

            if ((size_t) (p - word) == one->len
                && ngx_strncasecmp(word, one->data, one->len) == 0)
            {
                return 1;
            }
        }
    }

    return 0;
}


/* whether the origin takes several statements in one text, as this client */

static ngx_int_t
ngx_hyperdrive_mysql_forward_option(ngx_hyperdrive_mysql_forward_t *f)
{
    u_char                         *p, seq;
    ngx_hyperdrive_mysql_reply_t   *reply;
    ngx_hyperdrive_mysql_origin_t  *o;

    o = f->origin;

    if (o->multi == f->client->multi) {
        return NGX_OK;
    }

    seq = 0;

    reply = ngx_hyperdrive_mysql_forward_expect(f,
                                               NGX_HYPERDRIVE_MYSQL_REPLY_DONE,
                                               NGX_HYPERDRIVE_MYSQL_DROP);
    p = ngx_hyperdrive_mysql_packet_begin(f->out, 3, &seq);

    if (reply == NULL || p == NULL) {
        return NGX_ERROR;
    }

    o->multi = f->client->multi;
    reply->must = 1;

    *p++ = NGX_HYPERDRIVE_MYSQL_COM_SET_OPTION;
    (void) ngx_hyperdrive_mysql_put_u16(p, !o->multi);

    return NGX_OK;
}


/* INIT_DB says the same as USE */

static ngx_int_t
ngx_hyperdrive_mysql_forward_schema(ngx_hyperdrive_mysql_forward_t *f)
{
    u_char                       *p, text[NGX_HYPERDRIVE_MAX_NAME * 2 + 8];
    size_t                        i;
    ngx_hyperdrive_state_stmt_t  *stmt;

    if (f->len > NGX_HYPERDRIVE_MAX_NAME) {
        return ngx_hyperdrive_mysql_forward_local(f,
                                       NGX_HYPERDRIVE_MYSQL_LOCAL_MALFORMED,
                                       0);
    }

    if (f->avail < f->len) {
        return NGX_AGAIN;
    }

    p = ngx_cpymem(text, "USE `", 5);

    for (i = 1; i < f->len; i++) {

        if (f->payload[i] == '`') {
            *p++ = '`';
        }

        *p++ = f->payload[i];
    }

    *p++ = '`';

    stmt = ngx_hyperdrive_mysql_forward_text(f, text, p - text);

    ngx_hyperdrive_mysql_forward_run(f, stmt, NULL, 0, 0);

    if (stmt) {
        ngx_hyperdrive_state_stmt_unref(f->client->ctx->registry, stmt);
    }

    return ngx_hyperdrive_mysql_forward_pass(f,
                                             NGX_HYPERDRIVE_MYSQL_REPLY_DONE);
}


/* a replica's, which no other client shall be taken for */

static ngx_int_t
ngx_hyperdrive_mysql_forward_replica(ngx_hyperdrive_mysql_forward_t *f)
{
    ngx_int_t                       rc;
    ngx_uint_t                      was;
    ngx_hyperdrive_proto_run_t      run;
    ngx_hyperdrive_mysql_origin_t  *o;

    o = f->origin;

    if (o->ledger.n) {
        return ngx_hyperdrive_mysql_forward_hold(f);
    }

    was = o->replica;
    o->replica = 1;

    /*
     * Events, as rows without a head, up to an end that may never come.  Until
     * the first of them what follows waits: if it is refused, that is commands.
     */

    o->asked = (f->payload[0] != NGX_HYPERDRIVE_MYSQL_COM_REGISTER_SLAVE);

    ngx_memzero(&run, sizeof(ngx_hyperdrive_proto_run_t));

    run.replication = 1;
    run.endless = o->asked;

    f->run(f->data, &run);

    rc = ngx_hyperdrive_mysql_forward_pass(f,
                                    o->asked ? NGX_HYPERDRIVE_MYSQL_REPLY_FETCH
                                             : NGX_HYPERDRIVE_MYSQL_REPLY_DONE);
    if (rc != NGX_ERROR) {
        ngx_hyperdrive_mysql_ledger_at(&o->ledger, 0)->replica = !was;
    }

    return rc;
}


static ngx_hyperdrive_state_stmt_t *
ngx_hyperdrive_mysql_forward_text(ngx_hyperdrive_mysql_forward_t *f,
    u_char *text, size_t len)
{
    ngx_str_t  s, types;

    s.data = text;
    s.len = len;

    ngx_str_set(&types, "");

    return ngx_hyperdrive_state_stmt_get(f->client->ctx->registry, &s, &types,
                                         f->client->mode);
}


static ngx_int_t
ngx_hyperdrive_mysql_forward_pass(ngx_hyperdrive_mysql_forward_t *f,
    ngx_hyperdrive_mysql_reply_e type)
{
    ngx_hyperdrive_mysql_reply_t  *reply;

    reply = ngx_hyperdrive_mysql_forward_expect(f, type,
                                                NGX_HYPERDRIVE_MYSQL_PASS);
    if (reply == NULL) {
        return NGX_ERROR;
    }

    reply->reset = (f->payload[0] == NGX_HYPERDRIVE_MYSQL_COM_RESET_CONNECTION);

    return ngx_hyperdrive_mysql_forward_rest(f, 0);
}


ngx_int_t
ngx_hyperdrive_mysql_forward_local(ngx_hyperdrive_mysql_forward_t *f,
    ngx_hyperdrive_mysql_local_e local, uint32_t number)
{
    ngx_hyperdrive_mysql_reply_t  *reply;

    ngx_hyperdrive_mysql_client_done(f->client, f->payload, f->avail);

    if (local != NGX_HYPERDRIVE_MYSQL_LOCAL_NOTHING) {
        reply = ngx_hyperdrive_mysql_forward_expect(f,
                                               NGX_HYPERDRIVE_MYSQL_REPLY_DONE,
                                               NGX_HYPERDRIVE_MYSQL_OWN);
        if (reply == NULL) {
            return NGX_ERROR;
        }

        reply->own = local;
        reply->number = number;
    }

    f->client->drop = 1;

    return ngx_hyperdrive_mysql_forward_rest(f, 0);
}


ngx_int_t
ngx_hyperdrive_mysql_forward_rest(ngx_hyperdrive_mysql_forward_t *f,
    size_t skip)
{
    u_char                         *p;
    ngx_int_t                       rc;
    ngx_hyperdrive_mysql_part_t     part;
    ngx_hyperdrive_mysql_client_t  *c;
    ngx_hyperdrive_mysql_origin_t  *o;

    c = f->client;
    o = f->origin;
    p = f->pos;

    if (c->grows) {
        return ngx_hyperdrive_mysql_forward_grown(f);
    }

    do {
        rc = ngx_hyperdrive_mysql_part(&c->framer, &p, f->last, &part);
    } while (rc == NGX_OK && !part.end);

    if (!c->drop) {
        (void) ngx_hyperdrive_base_chain_append(f->out, f->pos + skip,
                                                p - f->pos - skip);
        o->partial = (rc != NGX_OK);
    }

    f->pos = p;

    if (rc == NGX_OK && c->answers && o->ledger.n) {
        ngx_hyperdrive_mysql_ledger_at(&o->ledger, o->ledger.n - 1)->seq
                                                             = part.seq + 1;
    }

    return rc;
}


ngx_int_t
ngx_hyperdrive_mysql_forward_as(ngx_hyperdrive_mysql_forward_t *f,
    u_char *head, size_t len, size_t skip)
{
    u_char                         *p;
    ngx_hyperdrive_mysql_part_t     part;
    ngx_hyperdrive_mysql_client_t  *c;

    c = f->client;

    if (len == skip
        || (f->len < NGX_HYPERDRIVE_MYSQL_MAX_PACKET
            && f->len + len < NGX_HYPERDRIVE_MYSQL_MAX_PACKET + skip))
    {
        p = ngx_hyperdrive_base_chain_reserve(f->out,
                                              NGX_HYPERDRIVE_MYSQL_HEADER
                                              + len);
        if (p == NULL) {
            return NGX_ERROR;
        }

        p = ngx_hyperdrive_mysql_put_u24(p, (uint32_t) (f->len + len - skip));
        *p++ = 0;
        ngx_memcpy(p, head, len);

        return ngx_hyperdrive_mysql_forward_rest(f, NGX_HYPERDRIVE_MYSQL_HEADER
                                                    + skip);
    }

    if (len < skip) {
        return ngx_hyperdrive_mysql_forward_error(f, "54000",
                                   "the values are too long for a database "
                                   "that has no query attributes");
    }

    p = f->pos;
    f->pos += NGX_HYPERDRIVE_MYSQL_HEADER + skip;

    (void) ngx_hyperdrive_mysql_part(&c->framer, &p, f->pos, &part);
    (void) ngx_hyperdrive_base_chain_append(&c->grown, head, len);

    c->grows = 1;

    ngx_hyperdrive_mysql_forward_grown_packet(f, c->framer.left, part.seq);

    return ngx_hyperdrive_mysql_forward_grown(f);
}


/*
 * Packets that were full before something was put in front: what has no room
 * in one any more goes in the next.
 */

static ngx_int_t
ngx_hyperdrive_mysql_forward_grown(ngx_hyperdrive_mysql_forward_t *f)
{
    ngx_int_t                       rc;
    ngx_hyperdrive_mysql_part_t     part;
    ngx_hyperdrive_mysql_client_t  *c;
    ngx_hyperdrive_mysql_origin_t  *o;

    c = f->client;
    o = f->origin;

    do {
        rc = ngx_hyperdrive_mysql_part(&c->framer, &f->pos, f->last, &part);

        if (rc != NGX_OK) {
            break;
        }

        if (part.packet) {
            ngx_hyperdrive_mysql_forward_grown_packet(f,
                                                part.len + c->framer.left,
                                                part.seq);
        }

        (void) ngx_hyperdrive_base_chain_append(&c->grown, part.data,
                                                part.len);
        ngx_hyperdrive_mysql_forward_grown_send(f);

    } while (!part.end);

    if (rc == NGX_OK) {

        if (c->full) {
            ngx_hyperdrive_mysql_forward_grown_packet(f, 0, part.seq + 1);
            ngx_hyperdrive_mysql_forward_grown_send(f);
        }

        c->grows = 0;

        if (c->answers && o->ledger.n) {
            ngx_hyperdrive_mysql_ledger_at(&o->ledger, o->ledger.n - 1)->seq
                                                             = part.seq + 1;
        }
    }

    o->partial = (rc != NGX_OK);

    if (c->grown.failed) {
        return ngx_hyperdrive_mysql_forward_error(f, "53200", "out of memory");
    }

    return rc;
}


/* the header of one, with <len> bytes that the client's brings */

static void
ngx_hyperdrive_mysql_forward_grown_packet(ngx_hyperdrive_mysql_forward_t *f,
    size_t len, u_char seq)
{
    u_char                         *p;
    ngx_hyperdrive_mysql_client_t  *c;

    c = f->client;

    c->room = ngx_min(c->grown.size + len, NGX_HYPERDRIVE_MYSQL_MAX_PACKET);
    c->full = (c->room == NGX_HYPERDRIVE_MYSQL_MAX_PACKET);

    p = ngx_hyperdrive_base_chain_reserve(f->out, NGX_HYPERDRIVE_MYSQL_HEADER);

    if (p) {
        p = ngx_hyperdrive_mysql_put_u24(p, (uint32_t) c->room);
        *p = seq;
    }
}


static void
ngx_hyperdrive_mysql_forward_grown_send(ngx_hyperdrive_mysql_forward_t *f)
{
    size_t                          n;
    ngx_hyperdrive_block_t         *block;
    ngx_hyperdrive_mysql_client_t  *c;

    c = f->client;

    while (c->room && c->grown.size) {
        block = c->grown.head;
        n = ngx_min((size_t) (block->last - block->pos), c->room);

        (void) ngx_hyperdrive_base_chain_append(f->out, block->pos, n);

        ngx_hyperdrive_base_chain_consume(&c->grown, n);
        c->room -= n;
    }
}


/*
 * What follows an origin's question for a file: packets up to an empty one,
 * whose numbers go on from the question's.
 */

static ngx_int_t
ngx_hyperdrive_mysql_forward_infile(ngx_hyperdrive_mysql_forward_t *f)
{
    u_char                         *p, seq;
    ngx_uint_t                      n;
    ngx_hyperdrive_mysql_part_t     part;
    ngx_hyperdrive_mysql_origin_t  *o;

    o = f->origin;

    while (ngx_hyperdrive_mysql_part(&o->infile, &f->pos, f->last, &part)
           == NGX_OK)
    {
        if (part.packet) {

            n = part.len + o->infile.left;
            seq = ++o->seq;

            /* what is answered is numbered behind it */

            ngx_hyperdrive_mysql_ledger_at(&o->ledger, 0)->seq = part.seq + 1;

            p = ngx_hyperdrive_base_chain_reserve(f->out,
                                                  NGX_HYPERDRIVE_MYSQL_HEADER);
            if (p == NULL) {
                return NGX_ERROR;
            }

            p = ngx_hyperdrive_mysql_put_u24(p, (uint32_t) n);
            *p = seq;

            if (n == 0 && part.begin) {

                o->copy_in = 0;
                o->partial = 0;

                ngx_memzero(&o->infile, sizeof(ngx_hyperdrive_mysql_framer_t));

                return NGX_AGAIN;
            }
        }

        (void) ngx_hyperdrive_base_chain_append(f->out, part.data, part.len);

        o->partial = (o->infile.left != 0);
    }

    return NGX_AGAIN;
}


void
ngx_hyperdrive_mysql_forward_run(ngx_hyperdrive_mysql_forward_t *f,
    ngx_hyperdrive_state_stmt_t *stmt, u_char *args, size_t len,
    ngx_uint_t cut)
{
    ngx_hyperdrive_proto_run_t  run;

    ngx_memzero(&run, sizeof(ngx_hyperdrive_proto_run_t));

    run.stmt = stmt;
    run.args.data = args;
    run.args.len = len;
    run.cut = cut;

    f->run(f->data, &run);
}


/* the command has to wait until all before it has been answered */

ngx_int_t
ngx_hyperdrive_mysql_forward_hold(ngx_hyperdrive_mysql_forward_t *f)
{
    f->origin->hold = 1;

    return NGX_BUSY;
}


ngx_hyperdrive_mysql_reply_t *
ngx_hyperdrive_mysql_forward_expect(ngx_hyperdrive_mysql_forward_t *f,
    ngx_hyperdrive_mysql_reply_e type, ngx_hyperdrive_mysql_action_e action)
{
    ngx_hyperdrive_mysql_reply_t  *reply;

    reply = ngx_hyperdrive_mysql_ledger_push(&f->origin->ledger);

    if (reply == NULL) {
        (void) ngx_hyperdrive_mysql_forward_error(f, "53200", "out of memory");
        return NULL;
    }

    reply->type = type;
    reply->action = action;
    reply->seq = 1;

    f->client->answers = (action != NGX_HYPERDRIVE_MYSQL_DROP);

    return reply;
}


ngx_int_t
ngx_hyperdrive_mysql_forward_error(ngx_hyperdrive_mysql_forward_t *f,
    char *sqlstate, char *text)
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
