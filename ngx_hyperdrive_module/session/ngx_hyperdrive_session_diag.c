
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session_diag.h"
#include "base/ngx_hyperdrive_base_cursor.h"
#include "base/ngx_hyperdrive_base_mode.h"
#include "sql/ngx_hyperdrive_sql_asks.h"


/*
 * An answer to an INSERT does not tell LAST_INSERT_ID() quite: it says the same
 * of a number that was given in the text, which does not count.  FOUND_ROWS()
 * is the number of rows, but not behind SQL_CALC_FOUND_ROWS, an OFFSET, or
 * what is no SELECT.  Behind those the database is asked, once anybody here
 * has; it always is for conditions, of which an answer says only that there
 * are some.
 */


/* the tags of our requests */
#define NGX_HYPERDRIVE_SESSION_DIAG_SET       0x101
#define NGX_HYPERDRIVE_SESSION_DIAG_LIST      0x102
#define NGX_HYPERDRIVE_SESSION_DIAG_NUMBERS   0x103

/* what FOUND_ROWS() is set to: as many rows are made, and found */
#define NGX_HYPERDRIVE_SESSION_DIAG_FOUND     1000


static ngx_hyperdrive_session_diag_t *ngx_hyperdrive_session_diag_get(
    ngx_hyperdrive_session_t *s);
static ngx_uint_t ngx_hyperdrive_session_diag_value(
    ngx_hyperdrive_session_diag_t *d, ngx_hyperdrive_sql_asks_what_e what,
    ngx_hyperdrive_proto_number_t *number);
static ngx_uint_t ngx_hyperdrive_session_diag_errors(
    ngx_hyperdrive_session_t *s);
static ngx_int_t ngx_hyperdrive_session_diag_own(ngx_hyperdrive_session_t *s,
    char *text, ngx_uint_t tag, ngx_uint_t flags);
static void ngx_hyperdrive_session_diag_listed(
    ngx_hyperdrive_session_diag_t *d, ngx_hyperdrive_proto_piece_t *piece);
static void ngx_hyperdrive_session_diag_numbered(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_piece_t *piece);
static ngx_int_t ngx_hyperdrive_session_diag_number(ngx_str_t *text,
    uint64_t *number);


static ngx_hyperdrive_session_diag_t *
ngx_hyperdrive_session_diag_get(ngx_hyperdrive_session_t *s)
{
    if (s->diag == NULL) {
        s->diag = calloc(1, sizeof(ngx_hyperdrive_session_diag_t));

        if (s->diag) {
            s->diag->known = 1;
        }
    }

    return s->diag;
}


ngx_int_t
ngx_hyperdrive_session_diag_answer(ngx_hyperdrive_session_t *s)
{
    ngx_str_t                           text;
    ngx_uint_t                          i, get;
    ngx_hyperdrive_proto_t             *proto;
    ngx_hyperdrive_sql_mode_t           mode;
    ngx_hyperdrive_sql_asks_t           asks;
    ngx_hyperdrive_state_stmt_t        *stmt;
    ngx_hyperdrive_session_diag_t      *d;
    ngx_hyperdrive_proto_number_t       numbers[NGX_HYPERDRIVE_SQL_ASKS_MAX];
    ngx_hyperdrive_proto_conditions_t   list;

    stmt = s->unit.stmt;

    s->conf->origin->asks |= stmt->plan.asks;

    d = ngx_hyperdrive_session_diag_get(s);
    if (d == NULL) {
        return NGX_DECLINED;
    }

    text.data = stmt->text;
    text.len = stmt->len;

    ngx_hyperdrive_sql_mode(stmt->mode, &mode);

    get = 0;

    if (ngx_hyperdrive_sql_asks(&text, &mode, &asks) != NGX_OK) {

        if (!(stmt->plan.each & NGX_HYPERDRIVE_STATE_DOES_LOOK)) {

            /* FOUND_ROWS() may have to be set for it, to what is not known
               before */

            return (s->outstanding
                    && (stmt->plan.asks & NGX_HYPERDRIVE_STATE_ASKS_FOUND_ROWS))
                   ? NGX_AGAIN : NGX_DECLINED;
        }

        get = 1;
    }

    proto = s->conf->origin->proto;

    if (s->outstanding || d->asking
        || (s->origin && proto->origin_owes(s->origin->wire)))
    {
        /* what it asks about is under way, or from before that; what is owed
           to us only is to be told by it, as the origin cannot any more */

        return NGX_AGAIN;
    }

    if (get) {
        return ngx_hyperdrive_session_diag_get_set(s);
    }

    for (i = 0; i < asks.n; i++) {

        if (!ngx_hyperdrive_session_diag_value(d, asks.items[i].what,
                                               &numbers[i]))
        {
            /*
             * It is asked for apart: what would be set for this statement
             * might change what else is asked for by it.
             */

            return (s->origin
                    && ngx_hyperdrive_session_diag_save(s) == NGX_AGAIN)
                   ? NGX_AGAIN : NGX_DECLINED;
        }

        if (asks.items[i].what == NGX_HYPERDRIVE_SQL_ASKS_NERRORS) {
            numbers[i].value = ngx_hyperdrive_session_diag_errors(s);
        }

        numbers[i].name = asks.items[i].name;
    }

    if (asks.n) {
        proto->numbers(s->wire, &s->unit, numbers, asks.n, &s->net.out);

        d->found = 1;
        d->known = 1;

    } else if (d->unsaved || d->len == 0) {
        return NGX_DECLINED;

    } else {
        list.head.data = d->list;
        list.head.len = d->head;
        list.rows.data = d->list + d->head;
        list.rows.len = d->len - d->head;
        list.offset = asks.offset;
        list.limit = asks.limit;
        list.errors = asks.errors;

        proto->conditions(s->wire, &s->unit, &list, &s->net.out);
    }

    (void) proto->serve_end(s->wire, &s->unit, &s->net.out);

    d->count = -1;
    d->here = 0;
    d->there = 0;

    ngx_hyperdrive_session_served(s, NULL);

    return NGX_OK;
}


/* 0: only the origin can tell */

static ngx_uint_t
ngx_hyperdrive_session_diag_value(ngx_hyperdrive_session_diag_t *d,
    ngx_hyperdrive_sql_asks_what_e what, ngx_hyperdrive_proto_number_t *number)
{
    number->sign = 0;
    number->variable = 0;

    switch (what) {

    case NGX_HYPERDRIVE_SQL_ASKS_ID_VARIABLE:
        number->variable = 1;
        /* fall through */

    case NGX_HYPERDRIVE_SQL_ASKS_ID:
        number->value = d->id;
        return !d->seen;

    case NGX_HYPERDRIVE_SQL_ASKS_FOUND:
        number->sign = 1;
        number->value = d->found;
        return d->known;

    case NGX_HYPERDRIVE_SQL_ASKS_COUNT:
        number->sign = 1;
        number->value = (uint64_t) d->count;
        return 1;

    default: /* NGX_HYPERDRIVE_SQL_ASKS_NWARNINGS, _NERRORS */
        number->variable = 1;
        number->value = d->warnings;
        return !d->unsaved;
    }
}


static ngx_uint_t
ngx_hyperdrive_session_diag_errors(ngx_hyperdrive_session_t *s)
{
    u_char                         *p;
    ngx_str_t                       cols[3];
    ngx_uint_t                      n, errors;
    ngx_hyperdrive_session_diag_t  *d;

    d = s->diag;
    p = d->list + d->head;
    errors = 0;

    for ( ;; ) {
        n = 3;

        if (p == NULL || p == d->list + d->len
            || s->conf->origin->proto->row(&p, d->list + d->len, cols, &n)
               != NGX_OK)
        {
            return errors;
        }

        errors += (n && cols[0].len == 5
                   && ngx_memcmp(cols[0].data, "Error", 5) == 0);
    }
}


ngx_int_t
ngx_hyperdrive_session_diag_align(ngx_hyperdrive_session_t *s)
{
    u_char                          buf[256];
    ngx_hyperdrive_state_stmt_t    *stmt;
    ngx_hyperdrive_session_diag_t  *d;

    stmt = s->unit.stmt;

    d = ngx_hyperdrive_session_diag_get(s);
    if (d == NULL) {
        return NGX_ERROR;
    }

    if ((stmt->plan.asks & NGX_HYPERDRIVE_STATE_ASKS_FOUND_ROWS)
        && !d->there && d->known
        && d->found <= NGX_HYPERDRIVE_SESSION_DIAG_FOUND)
    {
        *ngx_sprintf(buf, "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL "
                     "SELECT n+1 FROM r WHERE n<%uL) SELECT "
                     "SQL_CALC_FOUND_ROWS 1 FROM r WHERE n<=%uL LIMIT 0",
                     d->found, d->found)
            = '\0';

        d->there = 1;

        if (ngx_hyperdrive_session_diag_own(s, (char *) buf,
                                            NGX_HYPERDRIVE_SESSION_DIAG_SET, 0)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if ((stmt->plan.asks & NGX_HYPERDRIVE_STATE_ASKS_WARNINGS)
        && !d->here && !d->unsaved
        && (d->len == 0
            || (stmt->plan.each & NGX_HYPERDRIVE_STATE_DOES_LOOK))
        && ngx_hyperdrive_session_diag_own(s,
                            "SELECT 1 FROM information_schema.ENGINES LIMIT 0",
                            NGX_HYPERDRIVE_SESSION_DIAG_SET, 0)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (!(stmt->plan.asks & NGX_HYPERDRIVE_STATE_ASKS_INSERT_ID)
        && !((s->conf->origin->asks & NGX_HYPERDRIVE_STATE_ASKS_INSERT_ID)
             && stmt->plan.may_write))
    {
        return NGX_OK;
    }

    if (d->seen || d->set) {
        return NGX_OK;
    }

    d->set = 1;

    *ngx_sprintf(buf, "SET last_insert_id=%uL", d->id) = '\0';

    return ngx_hyperdrive_session_diag_own(s, (char *) buf,
                                           NGX_HYPERDRIVE_SESSION_DIAG_SET, 0);
}


static ngx_int_t
ngx_hyperdrive_session_diag_own(ngx_hyperdrive_session_t *s, char *text,
    ngx_uint_t tag, ngx_uint_t flags)
{
    ngx_str_t                 str;
    ngx_hyperdrive_origin_t  *o;

    o = s->origin;

    str.data = (u_char *) text;
    str.len = ngx_strlen(text);

    return s->conf->origin->proto->origin_own(o->wire, &str, tag, flags,
                                              &o->net.out);
}


void
ngx_hyperdrive_session_diag_run(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_run_t *run)
{
    ngx_hyperdrive_state_stmt_t         *stmt;
    ngx_hyperdrive_session_diag_t       *d;
    ngx_hyperdrive_session_diag_unit_t   unit;

    d = ngx_hyperdrive_session_diag_get(s);
    if (d == NULL) {
        return;
    }

    stmt = run->stmt;

    unit.after = (uint32_t) s->outstanding;
    unit.n = 1;
    unit.each = stmt ? stmt->plan.each : 0;
    unit.writes = (stmt && stmt->plan.may_write);

    if (d->instead) {
        d->instead = 0;
        unit.each = (NGX_HYPERDRIVE_STATE_FOUND_SAME
                     | NGX_HYPERDRIVE_STATE_DOES_LOOK)
                    * NGX_HYPERDRIVE_STATE_EACH_ALIKE;
    }

    ngx_hyperdrive_session_diag_unit_push(d, &unit);

    if (stmt == NULL
        || (stmt->plan.asks & NGX_HYPERDRIVE_STATE_ASKS_INSERT_ID)
        || stmt->plan.alone)
    {
        /* LAST_INSERT_ID(n), or who knows */
        d->seen = 1;
        d->again = 1;
    }
}


ngx_int_t
ngx_hyperdrive_session_diag_piece(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_piece_t *piece)
{
    ngx_hyperdrive_session_diag_t  *d;

    d = s->diag;

    if (piece->own) {

        switch (piece->tag) {

        case NGX_HYPERDRIVE_SESSION_DIAG_LIST:
            ngx_hyperdrive_session_diag_listed(d, piece);
            return NGX_OK;

        case NGX_HYPERDRIVE_SESSION_DIAG_NUMBERS:
            ngx_hyperdrive_session_diag_numbered(s, piece);
            return NGX_OK;

        case NGX_HYPERDRIVE_SESSION_DIAG_SET:
            return NGX_OK;

        default:

            /* what somebody here has asked for comes between */
            d->here = 0;
            d->there = 0;

            return NGX_DECLINED;
        }
    }

    switch (piece->type) {

    case NGX_HYPERDRIVE_PROTO_HEAD:
        d->rows = 0;
        d->result = 1;
        break;

    case NGX_HYPERDRIVE_PROTO_ROWS:
        d->rows += piece->rows;

        if (piece->end) {
            ngx_hyperdrive_session_diag_unit_answered(d, piece);
        }

        break;

    case NGX_HYPERDRIVE_PROTO_ERROR:
        ngx_hyperdrive_session_diag_unit_failed(d, piece);
        break;

    case NGX_HYPERDRIVE_PROTO_READY:
        ngx_hyperdrive_session_diag_unit_pop(d);
        break;

    default:

        if (piece->clears) {
            ngx_hyperdrive_session_diag_clear(d);
        }

        break;
    }

    return NGX_DECLINED;
}


ngx_int_t
ngx_hyperdrive_session_diag_save(ngx_hyperdrive_session_t *s)
{
    ngx_uint_t                      n, asks;
    ngx_hyperdrive_session_diag_t  *d;

    d = s->diag;

    if (d->asking) {
        return NGX_AGAIN;
    }

    if (!d->here) {
        return NGX_OK;
    }

    n = 0;
    asks = s->conf->origin->asks;

    if (d->unsaved) {

        /* it changes nothing that is asked for behind it */

        if (!d->more) {
            free(d->list);

            d->list = NULL;
            d->head = 0;
            d->len = 0;
        }

        if (ngx_hyperdrive_session_diag_own(s, "SHOW WARNINGS",
                                            NGX_HYPERDRIVE_SESSION_DIAG_LIST,
                                            NGX_HYPERDRIVE_PROTO_OWN_SYNC)
            != NGX_OK)
        {
            return NGX_OK;
        }

        n++;
    }

    if ((d->seen && (asks & NGX_HYPERDRIVE_STATE_ASKS_INSERT_ID))
        || (!d->known
            && (d->wanted || (asks & NGX_HYPERDRIVE_STATE_ASKS_FOUND_ROWS))))
    {
        if (ngx_hyperdrive_session_diag_own(s,
                                       "SELECT LAST_INSERT_ID(), FOUND_ROWS()",
                                       NGX_HYPERDRIVE_SESSION_DIAG_NUMBERS,
                                       NGX_HYPERDRIVE_PROTO_OWN_SYNC)
            == NGX_OK)
        {
            n++;
        }
    }

    if (n == 0) {
        return NGX_OK;
    }

    d->asking = n;
    d->again = 0;
    d->here = 0;
    d->there = 0;

    (void) ngx_hyperdrive_session_send(s);

    return NGX_AGAIN;
}


/* to SHOW WARNINGS */

static void
ngx_hyperdrive_session_diag_listed(ngx_hyperdrive_session_diag_t *d,
    ngx_hyperdrive_proto_piece_t *piece)
{
    u_char  *list;

    switch (piece->type) {

    case NGX_HYPERDRIVE_PROTO_READY:
        d->asking--;
        d->unsaved = 0;
        d->more = 0;
        d->warnings = ngx_max(d->warnings, (ngx_uint_t) d->rows);
        d->rows = 0;
        return;

    case NGX_HYPERDRIVE_PROTO_HEAD:

        if (d->more) {
            /* of what it goes on behind */
            return;
        }

        break;

    case NGX_HYPERDRIVE_PROTO_ROWS:

        if (piece->end) {
            return;
        }

        d->rows++;
        break;

    default:
        return;
    }

    if (d->len + piece->len > NGX_HYPERDRIVE_SESSION_DIAG_SIZE) {
        return;
    }

    list = realloc(d->list, d->len + piece->len);
    if (list == NULL) {
        return;
    }

    ngx_memcpy(list + d->len, piece->data, piece->len);

    d->list = list;
    d->len += piece->len;

    if (piece->type == NGX_HYPERDRIVE_PROTO_HEAD) {
        d->head = d->len;
    }
}


static void
ngx_hyperdrive_session_diag_numbered(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_piece_t *piece)
{
    u_char                         *pos;
    uint64_t                        id, found;
    ngx_str_t                       cols[2];
    ngx_uint_t                      n;
    ngx_hyperdrive_session_diag_t  *d;

    d = s->diag;

    if (piece->type == NGX_HYPERDRIVE_PROTO_READY) {
        d->asking--;

        if (d->seen || d->set) {
            d->seen = d->again;
            d->set = !d->again;
        }

        d->known = 1;
        d->wanted = 0;
        return;
    }

    if (piece->type != NGX_HYPERDRIVE_PROTO_ROWS || piece->end) {
        return;
    }

    pos = piece->data;
    n = 2;

    if (s->conf->origin->proto->row(&pos, piece->data + piece->len, cols, &n)
        != NGX_OK
        || n != 2
        || ngx_hyperdrive_session_diag_number(&cols[0], &id) != NGX_OK
        || ngx_hyperdrive_session_diag_number(&cols[1], &found) != NGX_OK)
    {
        return;
    }

    if (d->seen || d->set) {
        /* else it is another client's */
        d->id = id;
    }

    if (!d->known) {
        d->found = found;
    }
}


/* without a sign, which ngx_atoi() would have a bit for */

static ngx_int_t
ngx_hyperdrive_session_diag_number(ngx_str_t *text, uint64_t *number)
{
    size_t  i;

    *number = 0;

    for (i = 0; i < text->len; i++) {

        if (text->data[i] < '0' || text->data[i] > '9') {
            return NGX_ERROR;
        }

        *number = *number * 10 + (text->data[i] - '0');
    }

    return NGX_OK;
}


void
ngx_hyperdrive_session_diag_served(ngx_hyperdrive_session_t *s, int64_t rows)
{
    ngx_hyperdrive_session_diag_t  *d;

    d = ngx_hyperdrive_session_diag_get(s);
    if (d == NULL) {
        return;
    }

    d->here = 0;
    d->there = 0;
    d->count = (rows < 0) ? 0 : -1;

    if (rows >= 0) {
        d->found = rows;
        d->known = 1;

        ngx_hyperdrive_session_diag_clear(d);
    }
}


void
ngx_hyperdrive_session_diag_clear(ngx_hyperdrive_session_diag_t *d)
{
    free(d->list);

    d->list = NULL;
    d->head = 0;
    d->len = 0;
    d->warnings = 0;
    d->unsaved = 0;
    d->more = 0;

    ngx_memzero(d->sqlstate, sizeof(d->sqlstate));
}


void
ngx_hyperdrive_session_diag_end(ngx_hyperdrive_session_t *s)
{
    ngx_hyperdrive_session_diag_t  *d;

    d = s->diag;

    d->asking = 0;
    d->rows = 0;
    d->nunits = 0;
    d->statement = 0;
    d->over = 0;
    d->instead = 0;
    d->more = 0;
    d->result = 0;
    d->seen = 0;
    d->set = 0;
    d->unsaved = 0;
    d->here = 0;
    d->there = 0;
}


void
ngx_hyperdrive_session_diag_free(ngx_hyperdrive_session_t *s)
{
    if (s->diag) {
        free(s->diag->list);
        free(s->diag);
        s->diag = NULL;
    }
}


void
ngx_hyperdrive_session_diag_pass(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_session_diag_t  *d;

    d = s->diag;

    ngx_hyperdrive_base_chain_put_u32(out,
                                      (uint32_t) s->conf->origin->asks);
    ngx_hyperdrive_base_chain_put_u64(out, d->id);
    ngx_hyperdrive_base_chain_put_u64(out, (uint64_t) d->count);
    ngx_hyperdrive_base_chain_put_u64(out, d->found);
    ngx_hyperdrive_base_chain_put_u32(out, (uint32_t) d->warnings);
    ngx_hyperdrive_base_chain_put_u32(out, d->known);
    ngx_hyperdrive_base_chain_put_u32(out, (uint32_t) d->head);
    ngx_hyperdrive_base_chain_put_str(out, d->sqlstate, sizeof(d->sqlstate));
    ngx_hyperdrive_base_chain_put_str(out, d->list, d->len);
}


u_char *
ngx_hyperdrive_session_diag_take(ngx_hyperdrive_session_t *s, u_char *p,
    u_char *last)
{
    uint32_t                        asks, warnings, known, head;
    uint64_t                        count;
    ngx_str_t                       list, sqlstate;
    ngx_hyperdrive_session_diag_t  *d;

    d = ngx_hyperdrive_session_diag_get(s);
    if (d == NULL) {
        return NULL;
    }

    p = ngx_hyperdrive_base_read_u32(p, last, &asks);
    p = ngx_hyperdrive_base_read_u64(p, last, &d->id);
    p = ngx_hyperdrive_base_read_u64(p, last, &count);
    p = ngx_hyperdrive_base_read_u64(p, last, &d->found);
    p = ngx_hyperdrive_base_read_u32(p, last, &warnings);
    p = ngx_hyperdrive_base_read_u32(p, last, &known);
    p = ngx_hyperdrive_base_read_u32(p, last, &head);
    p = ngx_hyperdrive_base_read_str(p, last, &sqlstate);
    p = ngx_hyperdrive_base_read_str(p, last, &list);

    if (p == NULL || head > list.len
        || sqlstate.len != sizeof(d->sqlstate))
    {
        return NULL;
    }

    s->conf->origin->asks |= asks;

    d->count = (int64_t) count;
    d->warnings = warnings;
    d->known = (known != 0);

    ngx_memcpy(d->sqlstate, sqlstate.data, sizeof(d->sqlstate));

    if (list.len) {
        d->list = malloc(list.len);

        if (d->list == NULL) {
            return NULL;
        }

        ngx_memcpy(d->list, list.data, list.len);

        d->head = head;
        d->len = list.len;
    }

    return p;
}
