
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "sql/ngx_hyperdrive_sql_digest.h"
#include "sql/ngx_hyperdrive_sql_lexer.h"


#define K(id)  NGX_HYPERDRIVE_SQL_K_##id
#define T(id)  NGX_HYPERDRIVE_SQL_T_##id


/* FNV-1a, 64 bits: the digest is shown, no table is looked up by it */
#define NGX_HYPERDRIVE_SQL_DIGEST_BASIS  0xcbf29ce484222325ULL
#define NGX_HYPERDRIVE_SQL_DIGEST_PRIME  0x100000001b3ULL


/* what a token is, as far as lists of constants are concerned */

typedef enum {
    sw_other = 0,
    sw_value,                /* a constant or a parameter */
    sw_comma,
    sw_open,
    sw_close
} ngx_hyperdrive_sql_digest_item_e;


/* what the form ends with */

typedef enum {
    sw_end_other = 0,
    sw_end_open,             /* ( */
    sw_end_value,            /* ? */
    sw_end_open_value,       /* (? */
    sw_end_group             /* (?) */
} ngx_hyperdrive_sql_digest_end_e;


/* what has been read and may turn out to be one more of the same */

typedef enum {
    sw_held_nothing = 0,
    sw_held_comma,           /* ,      behind ? */
    sw_held_row,             /* ,      behind (?) */
    sw_held_row_open,        /* , (    */
    sw_held_row_value,       /* , (?   */
    sw_held_row_comma        /* , (?,  */
} ngx_hyperdrive_sql_digest_held_e;


typedef struct {
    u_char                            *dst;
    u_char                            *last;
    uint64_t                           hash;

    ngx_hyperdrive_sql_digest_end_e    end;
    ngx_hyperdrive_sql_digest_held_e   held;

    unsigned                           begun:1;  /* there is something */
    unsigned                           tight:1;  /* no blank comes next */
    unsigned                           name:1;   /* it ends with a name, which
                                                    a bracket may follow */
} ngx_hyperdrive_sql_digest_t;


static void ngx_hyperdrive_sql_digest_token(ngx_hyperdrive_sql_digest_t *d,
    ngx_hyperdrive_sql_token_t *token);
static ngx_int_t ngx_hyperdrive_sql_digest_fold(
    ngx_hyperdrive_sql_digest_t *d, ngx_hyperdrive_sql_digest_item_e item);
static void ngx_hyperdrive_sql_digest_release(ngx_hyperdrive_sql_digest_t *d);
static void ngx_hyperdrive_sql_digest_put(ngx_hyperdrive_sql_digest_t *d,
    ngx_hyperdrive_sql_digest_item_e item, u_char *text, size_t len);
static void ngx_hyperdrive_sql_digest_byte(ngx_hyperdrive_sql_digest_t *d,
    u_char ch);
static ngx_uint_t ngx_hyperdrive_sql_digest_unsafe(ngx_str_t *text,
    ngx_hyperdrive_sql_mode_t *mode);


size_t
ngx_hyperdrive_sql_digest(ngx_str_t *text, ngx_hyperdrive_sql_mode_t *mode,
    u_char *dst, size_t size, uint64_t *digest)
{
    ngx_uint_t                    first, alter, set;
    ngx_hyperdrive_sql_lexer_t    lexer;
    ngx_hyperdrive_sql_token_t    token;
    ngx_hyperdrive_sql_digest_t   d;

    ngx_memzero(&d, sizeof(ngx_hyperdrive_sql_digest_t));

    d.dst = dst;
    d.last = dst + size;
    d.hash = NGX_HYPERDRIVE_SQL_DIGEST_BASIS;

    ngx_hyperdrive_sql_lexer_init(&lexer, text, mode);

    if (ngx_hyperdrive_sql_digest_unsafe(text, mode)) {
        lexer.pos = lexer.last;
        ngx_hyperdrive_sql_digest_put(&d, sw_value, (u_char *) "?", 1);
    }

    first = 1;
    alter = 0;
    set = 0;

    for ( ;; ) {

        ngx_hyperdrive_sql_lexer_next(&lexer, &token);

        if (token.type == T(END)) {
            break;
        }

        if (token.type == T(SEMICOLON)) {
            first = 1;
            alter = 0;
            set = 0;

        } else if (set == 2 && token.type != T(ERROR)) {

            /* the value of a setting may be a plain word, and a secret */

            continue;
        }

        ngx_hyperdrive_sql_digest_token(&d, &token);

        if (token.type == T(ERROR)) {
            break;
        }

        if (token.type == T(WORD)) {

            if (token.keyword == K(SET)) {
                set = (first || alter);

            } else if (first && token.keyword == K(ALTER)) {
                alter = 1;
            }
        }

        if (set
            && ((token.type == T(WORD) && token.keyword == K(TO))
                || (token.type == T(OPERATOR) && token.text.len == 1
                    && token.text.data[0] == '=')))
        {
            set = 2;
            ngx_hyperdrive_sql_digest_put(&d, sw_value, (u_char *) "?", 1);
        }

        if (token.type != T(SEMICOLON)) {
            first = 0;
        }
    }

    ngx_hyperdrive_sql_digest_release(&d);

    *digest = d.hash;

    return d.dst - dst;
}


static void
ngx_hyperdrive_sql_digest_token(ngx_hyperdrive_sql_digest_t *d,
    ngx_hyperdrive_sql_token_t *token)
{
    size_t                            i;
    ngx_uint_t                        name;
    ngx_hyperdrive_sql_digest_item_e  item;

    name = 0;

    switch (token->type) {

    case T(STRING):
    case T(BITS):
    case T(NUMBER):
    case T(PARAM):
    case T(ERROR):
        item = sw_value;
        break;

    case T(COMMA):
        item = sw_comma;
        break;

    case T(OPEN):
        item = sw_open;
        break;

    case T(CLOSE):
        item = sw_close;
        break;

    case T(WORD):
        name = (token->category == NGX_HYPERDRIVE_SQL_NOT_KEYWORD);
        item = sw_other;
        break;

    case T(NAME):
        name = 1;
        item = sw_other;
        break;

    default:
        item = sw_other;
        break;
    }

    if (ngx_hyperdrive_sql_digest_fold(d, item) == NGX_OK) {
        return;
    }

    if (item == sw_value) {
        ngx_hyperdrive_sql_digest_put(d, item, (u_char *) "?", 1);
        return;
    }

    if (token->type == T(NAME)) {

        /* <text> is what is inside of the quotes */

        ngx_hyperdrive_sql_digest_put(d, item, (u_char *) "\"", 1);

        for (i = 0; i < token->text.len; i++) {
            ngx_hyperdrive_sql_digest_byte(d, token->text.data[i]);
        }

        ngx_hyperdrive_sql_digest_byte(d, '"');

    } else {
        ngx_hyperdrive_sql_digest_put(d, item, token->text.data,
                                      token->text.len);
    }

    d->name = name;
}


/*
 * (?, ?, ?) becomes (?), and (?), (?), (?) too: lists of any length have one
 * form.  NGX_OK: the item is held, or left out; NGX_DECLINED: it is to be
 * written, and what was held has been.
 */

static ngx_int_t
ngx_hyperdrive_sql_digest_fold(ngx_hyperdrive_sql_digest_t *d,
    ngx_hyperdrive_sql_digest_item_e item)
{
    switch (d->held) {

    case sw_held_comma:
        if (item == sw_value) {
            d->held = sw_held_nothing;
            return NGX_OK;
        }

        break;

    case sw_held_row:
        if (item == sw_open) {
            d->held = sw_held_row_open;
            return NGX_OK;
        }

        break;

    case sw_held_row_open:
    case sw_held_row_comma:
        if (item == sw_value) {
            d->held = sw_held_row_value;
            return NGX_OK;
        }

        break;

    case sw_held_row_value:
        if (item == sw_comma) {
            d->held = sw_held_row_comma;
            return NGX_OK;
        }

        if (item == sw_close) {
            d->held = sw_held_nothing;
            return NGX_OK;
        }

        break;

    default: /* sw_held_nothing */
        if (item != sw_comma) {
            return NGX_DECLINED;
        }

        if (d->end == sw_end_value || d->end == sw_end_open_value) {
            d->held = sw_held_comma;
            return NGX_OK;
        }

        if (d->end == sw_end_group) {
            d->held = sw_held_row;
            return NGX_OK;
        }

        return NGX_DECLINED;
    }

    ngx_hyperdrive_sql_digest_release(d);

    return ngx_hyperdrive_sql_digest_fold(d, item);
}


/* writes what was held */

static void
ngx_hyperdrive_sql_digest_release(ngx_hyperdrive_sql_digest_t *d)
{
    ngx_hyperdrive_sql_digest_held_e  held;

    held = d->held;
    d->held = sw_held_nothing;

    if (held == sw_held_nothing) {
        return;
    }

    ngx_hyperdrive_sql_digest_put(d, sw_comma, (u_char *) ",", 1);

    if (held >= sw_held_row_open) {
        ngx_hyperdrive_sql_digest_put(d, sw_open, (u_char *) "(", 1);
    }

    if (held >= sw_held_row_value) {
        ngx_hyperdrive_sql_digest_put(d, sw_value, (u_char *) "?", 1);
    }

    if (held == sw_held_row_comma) {
        ngx_hyperdrive_sql_digest_put(d, sw_comma, (u_char *) ",", 1);
    }
}


static void
ngx_hyperdrive_sql_digest_put(ngx_hyperdrive_sql_digest_t *d,
    ngx_hyperdrive_sql_digest_item_e item, u_char *text, size_t len)
{
    size_t      i;
    ngx_uint_t  tight;

    switch (item) {

    case sw_value:
        d->end = (d->end == sw_end_open) ? sw_end_open_value : sw_end_value;
        break;

    case sw_open:
        d->end = sw_end_open;
        break;

    case sw_close:
        d->end = (d->end == sw_end_open_value) ? sw_end_group : sw_end_other;
        break;

    default:
        d->end = sw_end_other;
        break;
    }

    if (len == 0) {
        return;
    }

    /* blanks as one would write them */

    tight = (text[0] == ',' || text[0] == ')' || text[0] == ';'
             || text[0] == '.' || text[0] == '[' || text[0] == ']'
             || text[0] == ':' || (text[0] == '(' && d->name));

    if (d->begun && !d->tight && !tight) {
        ngx_hyperdrive_sql_digest_byte(d, ' ');
    }

    for (i = 0; i < len; i++) {
        ngx_hyperdrive_sql_digest_byte(d, ngx_tolower(text[i]));
    }

    d->begun = 1;
    d->name = 0;
    d->tight = (text[0] == '(' || text[0] == '.' || text[0] == '['
                || text[0] == ':');
}


static void
ngx_hyperdrive_sql_digest_byte(ngx_hyperdrive_sql_digest_t *d, u_char ch)
{
    d->hash ^= ch;
    d->hash *= NGX_HYPERDRIVE_SQL_DIGEST_PRIME;

    if (d->dst < d->last) {
        *d->dst++ = ch;
    }
}


/* where a later byte of a character may look like a quote, nothing is read */

static ngx_uint_t
ngx_hyperdrive_sql_digest_unsafe(ngx_str_t *text,
    ngx_hyperdrive_sql_mode_t *mode)
{
    size_t  i;

    if (!mode->unsafe_encoding) {
        return 0;
    }

    for (i = 0; i < text->len; i++) {

        if (text->data[i] & 0x80) {
            return 1;
        }
    }

    return 0;
}
