
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "sql/ngx_hyperdrive_sql_left.h"
#include "sql/ngx_hyperdrive_sql_lexer.h"


/*
 * The classifier has said of what kinds something is left.  What is not
 * understood here has no name, and is taken to stay for ever.
 */


#define T(id)      NGX_HYPERDRIVE_SQL_T_##id
#define LEAVES(id) NGX_HYPERDRIVE_SQL_LEAVES_##id


typedef struct {
    ngx_hyperdrive_sql_lexer_t        lexer;
    ngx_hyperdrive_sql_token_t        tok;
    ngx_hyperdrive_sql_left_t        *left;
    ngx_uint_t                        lost;      /* causes not understood */
} ngx_hyperdrive_sql_mysql_left_read_t;


static void ngx_hyperdrive_sql_mysql_left_first(
    ngx_hyperdrive_sql_mysql_left_read_t *r);
static void ngx_hyperdrive_sql_mysql_left_create(
    ngx_hyperdrive_sql_mysql_left_read_t *r);
static void ngx_hyperdrive_sql_mysql_left_drop(
    ngx_hyperdrive_sql_mysql_left_read_t *r);
static void ngx_hyperdrive_sql_mysql_left_handler(
    ngx_hyperdrive_sql_mysql_left_read_t *r);
static void ngx_hyperdrive_sql_mysql_left_set(
    ngx_hyperdrive_sql_mysql_left_read_t *r);
static void ngx_hyperdrive_sql_mysql_left_locked(
    ngx_hyperdrive_sql_mysql_left_read_t *r, ngx_uint_t ends);
static void ngx_hyperdrive_sql_mysql_left_assign(
    ngx_hyperdrive_sql_mysql_left_read_t *r);
static void ngx_hyperdrive_sql_mysql_left_charset(
    ngx_hyperdrive_sql_mysql_left_read_t *r);
static void ngx_hyperdrive_sql_mysql_left_rest(
    ngx_hyperdrive_sql_mysql_left_read_t *r, ngx_uint_t comma);
static void ngx_hyperdrive_sql_mysql_left_lock(
    ngx_hyperdrive_sql_mysql_left_read_t *r);
static ngx_uint_t ngx_hyperdrive_sql_mysql_left_table(
    ngx_hyperdrive_sql_mysql_left_read_t *r, ngx_str_t *name,
    ngx_uint_t *bare);
static ngx_uint_t ngx_hyperdrive_sql_mysql_left_name(
    ngx_hyperdrive_sql_mysql_left_read_t *r, ngx_str_t *name);
static void ngx_hyperdrive_sql_mysql_left_add(
    ngx_hyperdrive_sql_mysql_left_read_t *r, ngx_uint_t cause,
    ngx_str_t *name, ngx_uint_t ends);
static ngx_uint_t ngx_hyperdrive_sql_mysql_left_put(
    ngx_hyperdrive_sql_mysql_left_read_t *r, u_char *data, size_t len);
static ngx_uint_t ngx_hyperdrive_sql_mysql_left_word(
    ngx_hyperdrive_sql_mysql_left_read_t *r, const char *word);
static ngx_uint_t ngx_hyperdrive_sql_mysql_left_is(
    ngx_hyperdrive_sql_mysql_left_read_t *r, const char *word);
static void ngx_hyperdrive_sql_mysql_left_next(
    ngx_hyperdrive_sql_mysql_left_read_t *r);


void
ngx_hyperdrive_sql_left(ngx_str_t *text, ngx_hyperdrive_sql_mode_t *mode,
    ngx_hyperdrive_sql_left_t *left)
{
    ngx_hyperdrive_sql_mysql_left_read_t  r;

    left->n = 0;
    left->len = 0;
    left->understood = 0;
    left->compound = 0;

    r.left = left;
    r.lost = 0;

    ngx_hyperdrive_sql_lexer_init(&r.lexer, text, mode);
    ngx_hyperdrive_sql_mysql_left_next(&r);

    ngx_hyperdrive_sql_mysql_left_first(&r);
    ngx_hyperdrive_sql_mysql_left_rest(&r, 0);

    while (r.tok.type == T(SEMICOLON)) {
        ngx_hyperdrive_sql_mysql_left_next(&r);
    }

    if (r.tok.type != T(END)) {

        /* an error, or more than one statement */

        left->n = 0;
        left->compound = 1;
        return;
    }

    left->understood = (LEAVES(LOCK) | LEAVES(TEMPORARY) | LEAVES(CURSOR)
                        | LEAVES(PREPARED) | LEAVES(SETTING) | LEAVES(TABLES)
                        | LEAVES(XA))
                       & ~r.lost;
}


static void
ngx_hyperdrive_sql_mysql_left_first(ngx_hyperdrive_sql_mysql_left_read_t *r)
{
    ngx_str_t    name, none;
    const char **word;

    static const char  *words[] = {
        "begin", "call", "case", "execute", "for", "if", "loop", "repeat",
        "while", NULL
    };

    static ngx_str_t  tables = ngx_string("tables");

    ngx_str_null(&none);

    for (word = words; *word; word++) {
        r->left->compound |= ngx_hyperdrive_sql_mysql_left_is(r, *word);
    }

    if (ngx_hyperdrive_sql_mysql_left_word(r, "create")) {
        ngx_hyperdrive_sql_mysql_left_create(r);

    } else if (ngx_hyperdrive_sql_mysql_left_word(r, "drop")) {
        ngx_hyperdrive_sql_mysql_left_drop(r);

    } else if (ngx_hyperdrive_sql_mysql_left_word(r, "deallocate")) {
        ngx_hyperdrive_sql_mysql_left_drop(r);

    } else if (ngx_hyperdrive_sql_mysql_left_word(r, "handler")) {
        ngx_hyperdrive_sql_mysql_left_handler(r);

    } else if (ngx_hyperdrive_sql_mysql_left_word(r, "prepare")) {

        if (ngx_hyperdrive_sql_mysql_left_name(r, &name)) {
            ngx_hyperdrive_sql_mysql_left_add(r, LEAVES(PREPARED), &name, 0);

        } else {
            r->lost |= LEAVES(PREPARED);
        }

    } else if (ngx_hyperdrive_sql_mysql_left_word(r, "unlock")) {
        ngx_hyperdrive_sql_mysql_left_locked(r, 1);

    } else if (ngx_hyperdrive_sql_mysql_left_word(r, "lock")) {
        ngx_hyperdrive_sql_mysql_left_locked(r, 0);

    } else if (ngx_hyperdrive_sql_mysql_left_word(r, "flush")) {

        for ( /* void */ ;
             r->tok.type != T(END) && r->tok.type != T(SEMICOLON)
             && r->tok.type != T(ERROR);
             ngx_hyperdrive_sql_mysql_left_next(r))
        {
            if (ngx_hyperdrive_sql_mysql_left_is(r, "with")
                || ngx_hyperdrive_sql_mysql_left_is(r, "for"))
            {
                ngx_hyperdrive_sql_mysql_left_add(r, LEAVES(TABLES), &tables,
                                                  0);
                break;
            }
        }

    } else if (ngx_hyperdrive_sql_mysql_left_word(r, "xa")) {
        ngx_hyperdrive_sql_mysql_left_add(r, LEAVES(XA), &none,
                           ngx_hyperdrive_sql_mysql_left_is(r, "commit")
                           || ngx_hyperdrive_sql_mysql_left_is(r, "rollback"));

    } else if (ngx_hyperdrive_sql_mysql_left_word(r, "set")) {

        if (ngx_hyperdrive_sql_mysql_left_is(r, "statement")) {
            /* any other one may be behind it */
            r->lost = (ngx_uint_t) -1;
            return;
        }

        ngx_hyperdrive_sql_mysql_left_set(r);

    } else {

        /* what else sets something is not understood */

        r->lost |= LEAVES(SETTING) | LEAVES(TEMPORARY) | LEAVES(CURSOR)
                   | LEAVES(PREPARED);
    }
}


/* CREATE [OR REPLACE] TEMPORARY TABLE [IF NOT EXISTS] name */

static void
ngx_hyperdrive_sql_mysql_left_create(ngx_hyperdrive_sql_mysql_left_read_t *r)
{
    ngx_str_t   name;
    ngx_uint_t  bare;

    if (ngx_hyperdrive_sql_mysql_left_word(r, "or")) {
        (void) ngx_hyperdrive_sql_mysql_left_word(r, "replace");
    }

    if (!ngx_hyperdrive_sql_mysql_left_word(r, "temporary")
        || !ngx_hyperdrive_sql_mysql_left_word(r, "table"))
    {
        r->lost |= LEAVES(TEMPORARY);
        return;
    }

    if (ngx_hyperdrive_sql_mysql_left_word(r, "if")) {
        (void) ngx_hyperdrive_sql_mysql_left_word(r, "not");
        (void) ngx_hyperdrive_sql_mysql_left_word(r, "exists");
    }

    if (!ngx_hyperdrive_sql_mysql_left_table(r, &name, &bare)) {
        r->lost |= LEAVES(TEMPORARY);
        return;
    }

    ngx_hyperdrive_sql_mysql_left_add(r, LEAVES(TEMPORARY), &name, 0);

    if (r->left->n) {
        r->left->items[r->left->n - 1].bare = bare;
    }
}


/* tables that were dropped the database is asked for */

static void
ngx_hyperdrive_sql_mysql_left_drop(ngx_hyperdrive_sql_mysql_left_read_t *r)
{
    ngx_str_t  name;

    if (ngx_hyperdrive_sql_mysql_left_word(r, "prepare")
        && ngx_hyperdrive_sql_mysql_left_name(r, &name))
    {
        ngx_hyperdrive_sql_mysql_left_add(r, LEAVES(PREPARED), &name, 1);
    }
}


/* HANDLER [schema.]t OPEN [[AS] alias], HANDLER alias CLOSE */

static void
ngx_hyperdrive_sql_mysql_left_handler(ngx_hyperdrive_sql_mysql_left_read_t *r)
{
    ngx_str_t   name, alias;
    ngx_uint_t  good;

    good = ngx_hyperdrive_sql_mysql_left_name(r, &name);

    if (good && r->tok.type == T(DOT)) {
        ngx_hyperdrive_sql_mysql_left_next(r);
        good = ngx_hyperdrive_sql_mysql_left_name(r, &name);
    }

    if (!good) {
        r->lost |= LEAVES(CURSOR);
        return;
    }

    if (ngx_hyperdrive_sql_mysql_left_word(r, "close")) {
        ngx_hyperdrive_sql_mysql_left_add(r, LEAVES(CURSOR), &name, 1);
        return;
    }

    if (!ngx_hyperdrive_sql_mysql_left_word(r, "open")) {
        /* READ */
        return;
    }

    (void) ngx_hyperdrive_sql_mysql_left_word(r, "as");

    if (ngx_hyperdrive_sql_mysql_left_name(r, &alias)) {
        name = alias;

    } else if (r->tok.type != T(END) && r->tok.type != T(SEMICOLON)) {
        r->lost |= LEAVES(CURSOR);
        return;
    }

    ngx_hyperdrive_sql_mysql_left_add(r, LEAVES(CURSOR), &name, 0);
}


static void
ngx_hyperdrive_sql_mysql_left_set(ngx_hyperdrive_sql_mysql_left_read_t *r)
{
    for ( ;; ) {
        ngx_hyperdrive_sql_mysql_left_assign(r);
        ngx_hyperdrive_sql_mysql_left_rest(r, 1);

        if (r->tok.type != T(COMMA)) {
            return;
        }

        ngx_hyperdrive_sql_mysql_left_next(r);
    }
}


/*
 * [UN]LOCK TABLES, INSTANCE...: each by its word, as none of them lets another
 * go.  FLUSH TABLES WITH READ LOCK is let go by UNLOCK TABLES.
 */

static void
ngx_hyperdrive_sql_mysql_left_locked(ngx_hyperdrive_sql_mysql_left_read_t *r,
    ngx_uint_t ends)
{
    ngx_str_t  name;

    if (ngx_hyperdrive_sql_mysql_left_word(r, "table")) {
        ngx_str_set(&name, "tables");

    } else if (!ngx_hyperdrive_sql_mysql_left_name(r, &name)) {

        if (!ends) {
            r->lost |= LEAVES(TABLES);
        }

        return;
    }

    ngx_hyperdrive_sql_mysql_left_add(r, LEAVES(TABLES), &name, ends);
}


/* one assignment, as far as its name */

static void
ngx_hyperdrive_sql_mysql_left_assign(ngx_hyperdrive_sql_mysql_left_read_t *r)
{
    ngx_str_t   name;
    ngx_uint_t  global;

    if (r->tok.type == T(VARIABLE)) {
        return;
    }

    global = 0;

    if (r->tok.type == T(SYSTEM)) {
        ngx_hyperdrive_sql_mysql_left_next(r);

    } else if (ngx_hyperdrive_sql_mysql_left_word(r, "names")) {

        if (ngx_hyperdrive_sql_mysql_left_is(r, "default")) {
            ngx_hyperdrive_sql_mysql_left_charset(r);
        }

        return;

    } else if (ngx_hyperdrive_sql_mysql_left_word(r, "character")
               || ngx_hyperdrive_sql_mysql_left_word(r, "charset"))
    {
        ngx_hyperdrive_sql_mysql_left_charset(r);
        return;
    }

    if (ngx_hyperdrive_sql_mysql_left_word(r, "global")
        || ngx_hyperdrive_sql_mysql_left_word(r, "persist")
        || ngx_hyperdrive_sql_mysql_left_word(r, "persist_only"))
    {
        global = 1;

    } else if (!ngx_hyperdrive_sql_mysql_left_word(r, "session")) {
        (void) ngx_hyperdrive_sql_mysql_left_word(r, "local");
    }

    if (r->tok.type == T(DOT)) {
        ngx_hyperdrive_sql_mysql_left_next(r);
    }

    if (global) {
        return;
    }

    if (!ngx_hyperdrive_sql_mysql_left_name(r, &name)
        || (r->tok.type != T(ASSIGN)
            && !(r->tok.type == T(OPERATOR) && r->tok.text.len == 1
                 && *r->tok.text.data == '='))
        || ngx_hyperdrive_sql_left_own(&name))
    {
        /* TRANSACTION, ROLE and whatever else */
        r->lost |= LEAVES(SETTING);
        return;
    }

    ngx_hyperdrive_sql_mysql_left_add(r, LEAVES(SETTING), &name, 0);
}


/* all that the two statements change */

static void
ngx_hyperdrive_sql_mysql_left_charset(ngx_hyperdrive_sql_mysql_left_read_t *r)
{
    ngx_uint_t  i;

    static ngx_str_t  names[] = {
        ngx_string("character_set_client"),
        ngx_string("character_set_results"),
        ngx_string("collation_connection")
    };

    for (i = 0; i < 3; i++) {
        ngx_hyperdrive_sql_mysql_left_add(r, LEAVES(SETTING), &names[i], 0);
    }
}


/* to the end of the statement, or to the next comma of a list */

static void
ngx_hyperdrive_sql_mysql_left_rest(ngx_hyperdrive_sql_mysql_left_read_t *r,
    ngx_uint_t comma)
{
    ngx_uint_t  depth;

    depth = 0;

    for ( ;; ) {

        switch (r->tok.type) {

        case T(END):
        case T(ERROR):
        case T(SEMICOLON):
            return;

        case T(COMMA):

            if (comma && depth == 0) {
                return;
            }

            break;

        case T(OPEN):
            depth++;
            break;

        case T(CLOSE):
            depth -= (depth != 0);
            break;

        case T(WORD):

            if (ngx_hyperdrive_sql_mysql_left_is(r, "get_lock")
                || ngx_hyperdrive_sql_mysql_left_is(r, "release_all_locks"))
            {
                ngx_hyperdrive_sql_mysql_left_lock(r);
            }

            break;

        default:
            break;
        }

        ngx_hyperdrive_sql_mysql_left_next(r);
    }
}


/*
 * GET_LOCK('name', ...), if the name is a plain string; RELEASE_ALL_LOCKS().
 * It is only looked at.
 */

static void
ngx_hyperdrive_sql_mysql_left_lock(ngx_hyperdrive_sql_mysql_left_read_t *r)
{
    u_char                                quote;
    ngx_str_t                             name;
    ngx_hyperdrive_sql_mysql_left_read_t  p;

    p = *r;
    ngx_hyperdrive_sql_mysql_left_next(&p);

    if (p.tok.type != T(OPEN)) {
        /* a name of something else */
        return;
    }

    ngx_str_null(&name);

    if (ngx_hyperdrive_sql_mysql_left_is(r, "release_all_locks")) {
        ngx_hyperdrive_sql_mysql_left_add(r, LEAVES(LOCK), &name, 1);
        return;
    }

    ngx_hyperdrive_sql_mysql_left_next(&p);

    if (p.tok.type == T(STRING) && p.tok.text.len > 2 && !p.tok.high) {
        quote = *p.tok.text.data;
        name.data = p.tok.text.data + 1;
        name.len = p.tok.text.len - 2;

        if ((quote != '\'' && quote != '"')
            || memchr(name.data, '\'', name.len)
            || memchr(name.data, '"', name.len)
            || memchr(name.data, '\\', name.len))
        {
            name.len = 0;
        }

        ngx_hyperdrive_sql_mysql_left_next(&p);
    }

    if (name.len == 0 || p.tok.type != T(COMMA)) {
        /* an expression, a parameter */
        r->lost |= LEAVES(LOCK);
        return;
    }

    ngx_hyperdrive_sql_mysql_left_add(r, LEAVES(LOCK), &name, 0);
}


/* a table's name, in backticks */

static ngx_uint_t
ngx_hyperdrive_sql_mysql_left_table(ngx_hyperdrive_sql_mysql_left_read_t *r,
    ngx_str_t *name, ngx_uint_t *bare)
{
    u_char      *start;
    ngx_uint_t   i;

    start = r->left->buf + r->left->len;
    *bare = 1;

    for (i = 0; i < 2; i++) {

        if ((r->tok.type != T(WORD) && r->tok.type != T(NAME))
            || r->tok.doubled || r->tok.high
            || !ngx_hyperdrive_sql_mysql_left_put(r, (u_char *) "`", 1)
            || !ngx_hyperdrive_sql_mysql_left_put(r, r->tok.text.data,
                                                  r->tok.text.len)
            || !ngx_hyperdrive_sql_mysql_left_put(r, (u_char *) "`", 1))
        {
            return 0;
        }

        ngx_hyperdrive_sql_mysql_left_next(r);

        if (i || r->tok.type != T(DOT)) {
            break;
        }

        ngx_hyperdrive_sql_mysql_left_next(r);

        *bare = 0;

        if (!ngx_hyperdrive_sql_mysql_left_put(r, (u_char *) ".", 1)) {
            return 0;
        }
    }

    name->data = start;
    name->len = r->left->buf + r->left->len - start;

    return 1;
}


/* of anything else, in lower case: plain characters only */

static ngx_uint_t
ngx_hyperdrive_sql_mysql_left_name(ngx_hyperdrive_sql_mysql_left_read_t *r,
    ngx_str_t *name)
{
    size_t  i;

    if ((r->tok.type != T(WORD) && r->tok.type != T(NAME))
        || r->tok.doubled || r->tok.high)
    {
        return 0;
    }

    name->data = r->left->buf + r->left->len;
    name->len = r->tok.text.len;

    if (!ngx_hyperdrive_sql_mysql_left_put(r, r->tok.text.data, name->len)) {
        return 0;
    }

    for (i = 0; i < name->len; i++) {
        name->data[i] = ngx_tolower(name->data[i]);

        if (!(name->data[i] >= 'a' && name->data[i] <= 'z')
            && !(name->data[i] >= '0' && name->data[i] <= '9')
            && name->data[i] != '_')
        {
            return 0;
        }
    }

    ngx_hyperdrive_sql_mysql_left_next(r);

    return 1;
}


static void
ngx_hyperdrive_sql_mysql_left_add(ngx_hyperdrive_sql_mysql_left_read_t *r,
    ngx_uint_t cause, ngx_str_t *name, ngx_uint_t ends)
{
    ngx_hyperdrive_sql_left_item_t  *item;

    if (r->left->n == NGX_HYPERDRIVE_SQL_LEFT_MAX) {
        r->lost |= cause;
        return;
    }

    item = &r->left->items[r->left->n++];

    item->cause = cause;
    item->name = *name;
    item->bare = 0;
    item->ends = (ends != 0);
}


static ngx_uint_t
ngx_hyperdrive_sql_mysql_left_put(ngx_hyperdrive_sql_mysql_left_read_t *r,
    u_char *data, size_t len)
{
    if (sizeof(r->left->buf) - r->left->len < len) {
        return 0;
    }

    ngx_memcpy(r->left->buf + r->left->len, data, len);
    r->left->len += len;

    return 1;
}


static ngx_uint_t
ngx_hyperdrive_sql_mysql_left_word(ngx_hyperdrive_sql_mysql_left_read_t *r,
    const char *word)
{
    if (!ngx_hyperdrive_sql_mysql_left_is(r, word)) {
        return 0;
    }

    ngx_hyperdrive_sql_mysql_left_next(r);

    return 1;
}


static ngx_uint_t
ngx_hyperdrive_sql_mysql_left_is(ngx_hyperdrive_sql_mysql_left_read_t *r,
    const char *word)
{
    return r->tok.type == T(WORD) && r->tok.text.len == ngx_strlen(word)
           && ngx_strncasecmp(r->tok.text.data, (u_char *) word,
                              r->tok.text.len)
              == 0;
}


static void
ngx_hyperdrive_sql_mysql_left_next(ngx_hyperdrive_sql_mysql_left_read_t *r)
{
    ngx_hyperdrive_sql_lexer_next(&r->lexer, &r->tok);
}
