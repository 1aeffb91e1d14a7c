
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session_held.h"
#include "session/ngx_hyperdrive_session_value.h"
#include "base/ngx_hyperdrive_base_cursor.h"
#include "sql/ngx_hyperdrive_sql_left.h"


#define NGX_HYPERDRIVE_SESSION_HELD_MAX      32

/* the text of a question */
#define NGX_HYPERDRIVE_SESSION_HELD_TEXT     8192

/* those that have names */
#define NGX_HYPERDRIVE_SESSION_HELD_NAMED                                     \
    (NGX_HYPERDRIVE_STATE_PIN_LOCK | NGX_HYPERDRIVE_STATE_PIN_TEMPORARY       \
     | NGX_HYPERDRIVE_STATE_PIN_CURSOR | NGX_HYPERDRIVE_STATE_PIN_PREPARED    \
     | NGX_HYPERDRIVE_STATE_PIN_SETTING | NGX_HYPERDRIVE_STATE_PIN_TABLES     \
     | NGX_HYPERDRIVE_STATE_PIN_XA)

/* the tags of our requests; of tables one for each */
#define NGX_HYPERDRIVE_SESSION_HELD_LOCKS      0x201
#define NGX_HYPERDRIVE_SESSION_HELD_SETTINGS   0x202
#define NGX_HYPERDRIVE_SESSION_HELD_VARIABLES  0x203
#define NGX_HYPERDRIVE_SESSION_HELD_COLLATIONS 0x204
#define NGX_HYPERDRIVE_SESSION_HELD_TABLE      0x210


typedef struct {
    ngx_uint_t                         cause;
    ngx_str_t                          name;       /* malloc */
    unsigned                           gone:1;     /* as the database says */
} ngx_hyperdrive_session_held_item_t;


struct ngx_hyperdrive_session_held_s {
    ngx_uint_t                           n;
    ngx_hyperdrive_session_held_item_t   items[
                                             NGX_HYPERDRIVE_SESSION_HELD_MAX];
    ngx_uint_t                           unnamed;  /* causes of which something
                                                      may be there that has no
                                                      name */

    /* the statement under way */
    ngx_hyperdrive_state_stmt_t         *stmt;     /* one reference */
    ngx_uint_t                           leaves;
    ngx_uint_t                           fresh;    /* causes that it has
                                                      begun */
    unsigned                             error:1;
    unsigned                             syntax:1;   /* ...of the parser */
    unsigned                             early:1;    /* ...before it began */

    ngx_uint_t                           asking;   /* answers to come */
    ngx_hyperdrive_session_values_t      values;   /* of user variables */
    unsigned                             answered:1;
    unsigned                             later:1;  /* they were told, and their
                                                      collations are still to
                                                      be asked for */
};


static void ngx_hyperdrive_session_held_done(ngx_hyperdrive_session_t *s);
static void ngx_hyperdrive_session_held_apply(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_sql_left_t *left);
static ngx_int_t ngx_hyperdrive_session_held_add(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_sql_left_item_t *item);
static void ngx_hyperdrive_session_held_remove(
    ngx_hyperdrive_session_held_t *h, ngx_uint_t cause, ngx_str_t *name);
static void ngx_hyperdrive_session_held_send(ngx_hyperdrive_session_t *s,
    ngx_uint_t tag, u_char *text, size_t len);
static void ngx_hyperdrive_session_held_list(ngx_hyperdrive_session_t *s,
    ngx_uint_t cause);
static void ngx_hyperdrive_session_held_collations(
    ngx_hyperdrive_session_t *s);
static void ngx_hyperdrive_session_held_row(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_piece_t *piece);
static void ngx_hyperdrive_session_held_end(ngx_hyperdrive_session_t *s);


void
ngx_hyperdrive_session_held_run(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_run_t *run, ngx_uint_t leaves, ngx_uint_t was)
{
    ngx_hyperdrive_session_held_t  *h;

    h = s->leavings;

    if (h == NULL) {
        h = calloc(1, sizeof(ngx_hyperdrive_session_held_t));

        if (h == NULL) {
            return;
        }

        s->leavings = h;
    }

    if (run->stmt == NULL || s->outstanding || h->stmt) {

        /* of several at a time, which answer is whose is not followed */

        h->unnamed |= leaves;
        return;
    }

    h->stmt = ngx_hyperdrive_state_stmt_ref(run->stmt);
    h->leaves = leaves;
    h->fresh = leaves & ~was;
    h->error = 0;
    h->syntax = 0;
    h->early = 0;
}


void
ngx_hyperdrive_session_held_piece(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_piece_t *piece)
{
    ngx_hyperdrive_session_held_t  *h;

    h = s->leavings;

    if (h == NULL || h->stmt == NULL || piece->own) {
        return;
    }

    if (piece->type == NGX_HYPERDRIVE_PROTO_ERROR) {
        h->error = 1;
        h->syntax = piece->syntax;
        h->early = piece->early;

    } else if (piece->type == NGX_HYPERDRIVE_PROTO_READY) {
        ngx_hyperdrive_session_held_done(s);
    }
}


/* the statement has come to its end */

static void
ngx_hyperdrive_session_held_done(ngx_hyperdrive_session_t *s)
{
    ngx_str_t                         text;
    ngx_hyperdrive_sql_mode_t         mode;
    ngx_hyperdrive_session_held_t    *h;
    static ngx_hyperdrive_sql_left_t  left;

    h = s->leavings;

    text.data = h->stmt->text;
    text.len = h->stmt->len;

    ngx_hyperdrive_sql_mode(h->stmt->mode, &mode);
    ngx_hyperdrive_sql_left(&text, &mode, &left);

    if (h->syntax && !left.compound && !h->stmt->plan.single
        && (h->leaves & ~NGX_HYPERDRIVE_STATE_PIN_FUNCTION) == 0)
    {
        /*
         * Nobody has understood it, nor has the database: nothing has run.
         * Of one that has been understood a routine may say the same, behind
         * all that it has done.
         */

        s->pin.nothing |= h->fresh;

    } else {
        s->pin.nothing &= ~h->leaves;

        ngx_hyperdrive_session_held_apply(s, &left);
    }

    ngx_hyperdrive_state_stmt_unref(s->conf->origin->ctx.registry, h->stmt);
    h->stmt = NULL;
}


static void
ngx_hyperdrive_session_held_apply(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_sql_left_t *left)
{
    ngx_uint_t                       i;
    ngx_hyperdrive_session_held_t   *h;
    ngx_hyperdrive_sql_left_item_t  *item;

    h = s->leavings;

    h->unnamed |= h->leaves & NGX_HYPERDRIVE_SESSION_HELD_NAMED
                  & ~left->understood;

    for (i = 0; i < left->n; i++) {
        item = &left->items[i];

        if (item->ends) {

            if (!h->error) {
                ngx_hyperdrive_session_held_remove(h, item->cause,
                                                   &item->name);
            }

        } else if (h->error
                   && (item->cause & (NGX_HYPERDRIVE_STATE_PIN_CURSOR
                                      | NGX_HYPERDRIVE_STATE_PIN_PREPARED)))
        {
            /* it is not there, and nobody could be asked for it */

        } else if (h->error && item->cause == NGX_HYPERDRIVE_STATE_PIN_SETTING)
        {
            /*
             * All of it is looked at before any of it is set.  If that is not
             * what has failed the value may be one that nobody can set: then
             * it is not to be said to others.
             */

            if (!h->early || !h->stmt->plan.single
                || (h->leaves & NGX_HYPERDRIVE_STATE_PIN_FUNCTION))
            {
                h->unnamed |= NGX_HYPERDRIVE_STATE_PIN_SETTING;
            }

        } else if (ngx_hyperdrive_session_held_add(s, item) != NGX_OK) {
            h->unnamed |= item->cause;
        }
    }
}


static ngx_int_t
ngx_hyperdrive_session_held_add(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_sql_left_item_t *item)
{
    u_char                              *p;
    ngx_str_t                            schema;
    ngx_hyperdrive_session_held_t       *h;
    ngx_hyperdrive_session_held_item_t  *held;

    h = s->leavings;

    ngx_str_null(&schema);

    if (item->bare) {
        schema = s->pool->database;
        (void) ngx_hyperdrive_session_schema(s, &schema);

        if (schema.len == 0 || memchr(schema.data, '`', schema.len)) {
            return NGX_ERROR;
        }
    }

    /* once, whatever happens to it */

    if (!item->bare) {
        ngx_hyperdrive_session_held_remove(h, item->cause, &item->name);
    }

    if (h->n == NGX_HYPERDRIVE_SESSION_HELD_MAX) {
        return NGX_ERROR;
    }

    p = malloc(schema.len + item->name.len + sizeof("``."));
    if (p == NULL) {
        return NGX_ERROR;
    }

    held = &h->items[h->n++];

    held->cause = item->cause;
    held->gone = 0;
    held->name.data = p;

    if (item->bare) {
        p = ngx_sprintf(p, "`%V`.", &schema);
    }

    if (item->name.len) {
        p = ngx_cpymem(p, item->name.data, item->name.len);
    }

    held->name.len = p - held->name.data;

    return NGX_OK;
}


/* without a name: all of the kind, those that had none included */

static void
ngx_hyperdrive_session_held_remove(ngx_hyperdrive_session_held_t *h,
    ngx_uint_t cause, ngx_str_t *name)
{
    ngx_uint_t                           i;
    ngx_hyperdrive_session_held_item_t  *item;

    if (name->len == 0) {
        h->unnamed &= ~cause;
    }

    for (i = 0; i < h->n; /* void */ ) {
        item = &h->items[i];

        if (item->cause != cause
            || (name->len && !ngx_hyperdrive_base_same(&item->name, name)))
        {
            i++;
            continue;
        }

        free(item->name.data);
        h->items[i] = h->items[--h->n];
    }
}


ngx_int_t
ngx_hyperdrive_session_held_ask(ngx_hyperdrive_session_t *s)
{
    u_char                           text[NGX_HYPERDRIVE_SESSION_HELD_TEXT],
                                    *p;
    ngx_uint_t                       i;
    ngx_hyperdrive_session_held_t   *h;

    h = s->leavings;

    if (h == NULL) {
        s->pin.found = s->pin.causes & ~s->pin.nothing;
        return NGX_DECLINED;
    }

    h->asking = 0;
    h->answered = 0;
    h->later = 0;

    ngx_hyperdrive_session_held_list(s, NGX_HYPERDRIVE_STATE_PIN_LOCK);
    ngx_hyperdrive_session_held_list(s, NGX_HYPERDRIVE_STATE_PIN_SETTING);

    for (i = 0; i < h->n; i++) {
        h->items[i].gone = 0;

        if (h->items[i].cause == NGX_HYPERDRIVE_STATE_PIN_TEMPORARY) {
            p = ngx_snprintf(text, sizeof(text), "SHOW CREATE TABLE %V",
                             &h->items[i].name);

            ngx_hyperdrive_session_held_send(s,
                                     NGX_HYPERDRIVE_SESSION_HELD_TABLE + i,
                                     text, p - text);
        }
    }

    if (s->pin.causes & NGX_HYPERDRIVE_STATE_PIN_VARIABLE) {
        ngx_hyperdrive_session_values_free(&h->values);

        p = ngx_cpymem(text, NGX_HYPERDRIVE_SESSION_VALUES_TEXT,
                       sizeof(NGX_HYPERDRIVE_SESSION_VALUES_TEXT) - 1);

        ngx_hyperdrive_session_held_send(s,
                                     NGX_HYPERDRIVE_SESSION_HELD_VARIABLES,
                                     text, p - text);
    }

    if (h->asking == 0) {
        ngx_hyperdrive_session_held_end(s);
        return NGX_DECLINED;
    }

    (void) ngx_hyperdrive_session_send(s);

    return NGX_OK;
}


/*
 * One question about all of a kind: a column for each.  What is NULL is told as
 * a backslash, which no value can be said with.
 */

static void
ngx_hyperdrive_session_held_list(ngx_hyperdrive_session_t *s, ngx_uint_t cause)
{
    u_char                               text[
                                           NGX_HYPERDRIVE_SESSION_HELD_TEXT],
                                        *p, *last;
    ngx_uint_t                           i, lock, n;
    ngx_hyperdrive_session_held_t       *h;

    h = s->leavings;
    lock = (cause == NGX_HYPERDRIVE_STATE_PIN_LOCK);
    n = 0;

    p = ngx_cpymem(text, "SELECT ", sizeof("SELECT ") - 1);
    last = text + sizeof(text);

    for (i = 0; i < h->n; i++) {

        if (h->items[i].cause == cause) {
            p = ngx_slprintf(p, last, lock ? "%sIS_USED_LOCK('%V')"
                                             "<=>CONNECTION_ID()"
                                           : "%sIFNULL(@@session.%V,0x5C)",
                             n++ ? "," : "", &h->items[i].name);
        }
    }

    if (n && p != last) {
        ngx_hyperdrive_session_held_send(s,
                                lock ? NGX_HYPERDRIVE_SESSION_HELD_LOCKS
                                     : NGX_HYPERDRIVE_SESSION_HELD_SETTINGS,
                                text, p - text);
    }
}


static void
ngx_hyperdrive_session_held_send(ngx_hyperdrive_session_t *s, ngx_uint_t tag,
    u_char *text, size_t len)
{
    ngx_str_t                 str;
    ngx_hyperdrive_origin_t  *o;

    o = s->origin;

    str.data = text;
    str.len = len;

    if (s->conf->origin->proto->origin_own(o->wire, &str, tag,
                                           NGX_HYPERDRIVE_PROTO_OWN_SYNC,
                                           &o->net.out)
        == NGX_OK)
    {
        s->leavings->asking++;
    }
}


ngx_int_t
ngx_hyperdrive_session_held_answer(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_piece_t *piece)
{
    ngx_hyperdrive_session_held_t   *h;

    h = s->leavings;

    if (h == NULL || !piece->own || h->asking == 0
        || piece->tag < NGX_HYPERDRIVE_SESSION_HELD_LOCKS)
    {
        return NGX_DECLINED;
    }

    switch (piece->type) {

    case NGX_HYPERDRIVE_PROTO_ROWS:

        if (!piece->end) {
            ngx_hyperdrive_session_held_row(s, piece);

        } else if (piece->tag == NGX_HYPERDRIVE_SESSION_HELD_VARIABLES) {
            h->answered = 1;
        }

        return NGX_AGAIN;

    case NGX_HYPERDRIVE_PROTO_ERROR:

        if (piece->tag >= NGX_HYPERDRIVE_SESSION_HELD_TABLE
            && piece->sqlstate
            && ngx_memcmp(piece->sqlstate, "42S02", 5) == 0)
        {
            /* no such table */
            h->items[piece->tag - NGX_HYPERDRIVE_SESSION_HELD_TABLE].gone = 1;
        }

        return NGX_AGAIN;

    case NGX_HYPERDRIVE_PROTO_READY:
        break;

    default:
        return NGX_AGAIN;
    }

    if (piece->tag == NGX_HYPERDRIVE_SESSION_HELD_VARIABLES && h->answered) {

        if (s->outstanding) {

            /* what is under way may leave conditions, which come first */

            h->later = 1;
            return NGX_AGAIN;
        }

        ngx_hyperdrive_session_held_collations(s);
    }

    if (--h->asking) {
        return NGX_AGAIN;
    }

    ngx_hyperdrive_session_held_end(s);

    return NGX_OK;
}


static void
ngx_hyperdrive_session_held_collations(ngx_hyperdrive_session_t *s)
{
    u_char  text[NGX_HYPERDRIVE_SESSION_HELD_TEXT];
    size_t  len;

    len = ngx_hyperdrive_session_values_collations(&s->leavings->values, text,
                                                   sizeof(text));

    if (len) {
        ngx_hyperdrive_session_held_send(s,
                                     NGX_HYPERDRIVE_SESSION_HELD_COLLATIONS,
                                     text, len);
        (void) ngx_hyperdrive_session_send(s);
    }
}


ngx_uint_t
ngx_hyperdrive_session_held_later(ngx_hyperdrive_session_t *s)
{
    return s->leavings && s->leavings->later;
}


ngx_int_t
ngx_hyperdrive_session_held_more(ngx_hyperdrive_session_t *s)
{
    ngx_hyperdrive_session_held_t  *h;

    h = s->leavings;

    h->later = 0;

    ngx_hyperdrive_session_held_collations(s);

    if (--h->asking) {
        return NGX_OK;
    }

    ngx_hyperdrive_session_held_end(s);

    return NGX_DECLINED;
}


static void
ngx_hyperdrive_session_held_row(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_piece_t *piece)
{
    u_char                              *p;
    ngx_str_t                            cols[NGX_HYPERDRIVE_SESSION_HELD_MAX],
                                         value;
    ngx_uint_t                           i, k, n, cause;
    ngx_hyperdrive_session_held_t       *h;
    ngx_hyperdrive_session_held_item_t  *item;
    u_char                               buf[
                                         NGX_HYPERDRIVE_STATE_SETTINGS_SIZE];

    h = s->leavings;

    p = piece->data;
    n = NGX_HYPERDRIVE_SESSION_HELD_MAX;

    if (s->conf->origin->proto->row(&p, piece->data + piece->len, cols, &n)
        != NGX_OK)
    {
        return;
    }

    switch (piece->tag) {

    case NGX_HYPERDRIVE_SESSION_HELD_VARIABLES:
        ngx_hyperdrive_session_values_row(&h->values, cols, n);
        return;

    case NGX_HYPERDRIVE_SESSION_HELD_COLLATIONS:
        ngx_hyperdrive_session_values_collated(&h->values, cols, n);
        return;

    case NGX_HYPERDRIVE_SESSION_HELD_LOCKS:
        cause = NGX_HYPERDRIVE_STATE_PIN_LOCK;
        break;

    case NGX_HYPERDRIVE_SESSION_HELD_SETTINGS:
        cause = NGX_HYPERDRIVE_STATE_PIN_SETTING;
        break;

    default:
        item = &h->items[piece->tag - NGX_HYPERDRIVE_SESSION_HELD_TABLE];

        /* a permanent one of that name */

        item->gone = (n == 2
                      && (cols[1].len < sizeof("CREATE TEMPORARY") - 1
                          || ngx_memcmp(cols[1].data, "CREATE TEMPORARY",
                                        sizeof("CREATE TEMPORARY") - 1)
                             != 0));
        return;
    }

    for (i = 0, k = 0; i < h->n && k < n; i++) {
        item = &h->items[i];

        if (item->cause != cause) {
            continue;
        }

        if (cause == NGX_HYPERDRIVE_STATE_PIN_LOCK) {
            item->gone = (cols[k].len == 1 && cols[k].data[0] == '0');

        } else if (ngx_hyperdrive_session_value(&cols[k], buf, sizeof(buf),
                                                &value)
                   == NGX_OK)
        {
            item->gone = (ngx_hyperdrive_session_settings_learn(s, &item->name,
                                                                &value)
                          == NGX_OK);
        }

        k++;
    }
}


/* what is left, as far as all have told */

static void
ngx_hyperdrive_session_held_end(ngx_hyperdrive_session_t *s)
{
    ngx_uint_t                           i, found;
    ngx_hyperdrive_session_held_t       *h;
    ngx_hyperdrive_session_held_item_t  *item;

    h = s->leavings;

    found = (s->pin.causes & ~s->pin.nothing
             & ~NGX_HYPERDRIVE_SESSION_HELD_NAMED)
            | h->unnamed;

    for (i = 0; i < h->n; /* void */ ) {
        item = &h->items[i];

        if (item->gone) {
            free(item->name.data);
            h->items[i] = h->items[--h->n];
            continue;
        }

        found |= item->cause;
        i++;
    }

    if ((found & NGX_HYPERDRIVE_STATE_PIN_VARIABLE)
        && h->answered
        && ngx_hyperdrive_session_values_learn(s, &h->values) == NGX_OK)
    {
        found &= ~NGX_HYPERDRIVE_STATE_PIN_VARIABLE;
    }

    ngx_hyperdrive_session_values_free(&h->values);

    if (!(found & NGX_HYPERDRIVE_STATE_PIN_SETTING)) {
        s->pin.set = 0;
    }

    s->pin.found = found;
    s->pin.nothing = 0;
}


void
ngx_hyperdrive_session_held_free(ngx_hyperdrive_session_t *s)
{
    ngx_uint_t                      i;
    ngx_hyperdrive_session_held_t  *h;

    h = s->leavings;

    if (h == NULL) {
        return;
    }

    for (i = 0; i < h->n; i++) {
        free(h->items[i].name.data);
    }

    if (h->stmt) {
        ngx_hyperdrive_state_stmt_unref(s->conf->origin->ctx.registry,
                                        h->stmt);
    }

    ngx_hyperdrive_session_values_free(&h->values);

    free(h);
    s->leavings = NULL;
}
