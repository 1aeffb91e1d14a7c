
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "sql/ngx_hyperdrive_sql_asks.h"
#include "sql/ngx_hyperdrive_sql_lexer.h"


/*
 * What is not exactly one of these statements is declined: their answer is
 * made up, with the columns' names as the server would give them.
 */


#define T(id)  NGX_HYPERDRIVE_SQL_T_##id


typedef struct {
    ngx_hyperdrive_sql_lexer_t        lexer;
    ngx_hyperdrive_sql_token_t        tok;
    u_char                           *end;       /* of the token before */
} ngx_hyperdrive_sql_mysql_asks_read_t;


static ngx_int_t ngx_hyperdrive_sql_mysql_asks_show(
    ngx_hyperdrive_sql_mysql_asks_read_t *r, ngx_hyperdrive_sql_asks_t *asks);
static ngx_int_t ngx_hyperdrive_sql_mysql_asks_target(
    ngx_hyperdrive_sql_mysql_asks_read_t *r,
    ngx_hyperdrive_sql_asks_get_t *get);
static ngx_int_t ngx_hyperdrive_sql_mysql_asks_limit(
    ngx_hyperdrive_sql_mysql_asks_read_t *r, ngx_hyperdrive_sql_asks_t *asks);
static ngx_int_t ngx_hyperdrive_sql_mysql_asks_number(
    ngx_hyperdrive_sql_mysql_asks_read_t *r, ngx_uint_t *n);
static ngx_int_t ngx_hyperdrive_sql_mysql_asks_item(
    ngx_hyperdrive_sql_mysql_asks_read_t *r, ngx_hyperdrive_sql_asks_t *asks);
static ngx_int_t ngx_hyperdrive_sql_mysql_asks_alias(
    ngx_hyperdrive_sql_mysql_asks_read_t *r, ngx_str_t *name);
static void ngx_hyperdrive_sql_mysql_asks_next(
    ngx_hyperdrive_sql_mysql_asks_read_t *r);
static ngx_uint_t ngx_hyperdrive_sql_mysql_asks_word(
    ngx_hyperdrive_sql_mysql_asks_read_t *r, const char *word);
static ngx_uint_t ngx_hyperdrive_sql_mysql_asks_type(
    ngx_hyperdrive_sql_mysql_asks_read_t *r,
    ngx_hyperdrive_sql_token_e type);


ngx_int_t
ngx_hyperdrive_sql_asks(ngx_str_t *text, ngx_hyperdrive_sql_mode_t *mode,
    ngx_hyperdrive_sql_asks_t *asks)
{
    ngx_hyperdrive_sql_mysql_asks_read_t  r;

    ngx_memzero(asks, sizeof(ngx_hyperdrive_sql_asks_t));

    ngx_hyperdrive_sql_lexer_init(&r.lexer, text, mode);

    r.end = text->data;
    ngx_hyperdrive_sql_lexer_next(&r.lexer, &r.tok);

    if (ngx_hyperdrive_sql_mysql_asks_word(&r, "show")) {

        if (ngx_hyperdrive_sql_mysql_asks_show(&r, asks) != NGX_OK) {
            return NGX_DECLINED;
        }

    } else if (ngx_hyperdrive_sql_mysql_asks_word(&r, "select")) {

        do {
            if (ngx_hyperdrive_sql_mysql_asks_item(&r, asks) != NGX_OK) {
                return NGX_DECLINED;
            }
        } while (ngx_hyperdrive_sql_mysql_asks_type(&r, T(COMMA)));

    } else {
        return NGX_DECLINED;
    }

    while (ngx_hyperdrive_sql_mysql_asks_type(&r, T(SEMICOLON))) {
        /* void */
    }

    return (r.tok.type == T(END)) ? NGX_OK : NGX_DECLINED;
}


/* GET [CURRENT] DIAGNOSTICS [CONDITION n] @a = NUMBER, ... */

ngx_int_t
ngx_hyperdrive_sql_asks_get(ngx_str_t *text, ngx_hyperdrive_sql_mode_t *mode,
    ngx_hyperdrive_sql_asks_get_t *get)
{
    ngx_hyperdrive_sql_mysql_asks_read_t  r;

    ngx_memzero(get, sizeof(ngx_hyperdrive_sql_asks_get_t));

    ngx_hyperdrive_sql_lexer_init(&r.lexer, text, mode);

    r.end = text->data;
    ngx_hyperdrive_sql_lexer_next(&r.lexer, &r.tok);

    if (!ngx_hyperdrive_sql_mysql_asks_word(&r, "get")) {
        return NGX_DECLINED;
    }

    (void) ngx_hyperdrive_sql_mysql_asks_word(&r, "current");

    if (!ngx_hyperdrive_sql_mysql_asks_word(&r, "diagnostics")
        || (ngx_hyperdrive_sql_mysql_asks_word(&r, "condition")
            && (ngx_hyperdrive_sql_mysql_asks_number(&r, &get->condition)
                != NGX_OK
                || get->condition == 0)))
    {
        return NGX_DECLINED;
    }

    do {
        if (ngx_hyperdrive_sql_mysql_asks_target(&r, get) != NGX_OK) {
            return NGX_DECLINED;
        }
    } while (ngx_hyperdrive_sql_mysql_asks_type(&r, T(COMMA)));

    while (ngx_hyperdrive_sql_mysql_asks_type(&r, T(SEMICOLON))) {
        /* void */
    }

    return (r.tok.type == T(END)) ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_hyperdrive_sql_mysql_asks_target(ngx_hyperdrive_sql_mysql_asks_read_t *r,
    ngx_hyperdrive_sql_asks_get_t *get)
{
    size_t       i;
    u_char       ch;
    ngx_str_t   *name;
    ngx_uint_t   k;

    static const char  *words[] = {
        "number", "row_count", "returned_sqlstate", "mysql_errno",
        "message_text"
    };

    if (get->n == NGX_HYPERDRIVE_SQL_ASKS_MAX || r->tok.type != T(VARIABLE)
        || r->tok.text.len == 0 || r->tok.text.len > 64)
    {
        return NGX_DECLINED;
    }

    name = &get->items[get->n].name;
    *name = r->tok.text;

    for (i = 0; i < name->len; i++) {
        ch = ngx_tolower(name->data[i]);

        if (!(ch >= 'a' && ch <= 'z') && !(ch >= '0' && ch <= '9')
            && ch != '_')
        {
            return NGX_DECLINED;
        }
    }

    ngx_hyperdrive_sql_mysql_asks_next(r);

    if (r->tok.type != T(OPERATOR) || r->tok.text.len != 1
        || *r->tok.text.data != '=')
    {
        return NGX_DECLINED;
    }

    ngx_hyperdrive_sql_mysql_asks_next(r);

    /* the first two are of the statement, the others of a condition */

    for (k = get->condition ? NGX_HYPERDRIVE_SQL_ASKS_GET_SQLSTATE : 0;
         k <= (get->condition ? NGX_HYPERDRIVE_SQL_ASKS_GET_MESSAGE
                              : NGX_HYPERDRIVE_SQL_ASKS_GET_ROW_COUNT);
         k++)
    {
        if (ngx_hyperdrive_sql_mysql_asks_word(r, words[k])) {
            get->items[get->n++].what = k;
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


/* WARNINGS, ERRORS, COUNT(*) of them */

static ngx_int_t
ngx_hyperdrive_sql_mysql_asks_show(ngx_hyperdrive_sql_mysql_asks_read_t *r,
    ngx_hyperdrive_sql_asks_t *asks)
{
    ngx_uint_t  count;

    count = ngx_hyperdrive_sql_mysql_asks_word(r, "count");

    if (count
        && (!ngx_hyperdrive_sql_mysql_asks_type(r, T(OPEN))
            || r->tok.text.len != 1 || *r->tok.text.data != '*'))
    {
        return NGX_DECLINED;
    }

    if (count) {
        ngx_hyperdrive_sql_mysql_asks_next(r);

        if (!ngx_hyperdrive_sql_mysql_asks_type(r, T(CLOSE))) {
            return NGX_DECLINED;
        }
    }

    if (ngx_hyperdrive_sql_mysql_asks_word(r, "errors")) {
        asks->errors = 1;

    } else if (!ngx_hyperdrive_sql_mysql_asks_word(r, "warnings")) {
        return NGX_DECLINED;
    }

    if (!count) {
        return ngx_hyperdrive_sql_mysql_asks_limit(r, asks);
    }

    asks->n = 1;

    if (asks->errors) {
        asks->items[0].what = NGX_HYPERDRIVE_SQL_ASKS_NERRORS;
        ngx_str_set(&asks->items[0].name, "@@session.error_count");

    } else {
        asks->items[0].what = NGX_HYPERDRIVE_SQL_ASKS_NWARNINGS;
        ngx_str_set(&asks->items[0].name, "@@session.warning_count");
    }

    return NGX_OK;
}


/* [LIMIT [offset,] n] */

static ngx_int_t
ngx_hyperdrive_sql_mysql_asks_limit(ngx_hyperdrive_sql_mysql_asks_read_t *r,
    ngx_hyperdrive_sql_asks_t *asks)
{
    asks->limit = NGX_MAX_INT_T_VALUE;

    if (!ngx_hyperdrive_sql_mysql_asks_word(r, "limit")) {
        return NGX_OK;
    }

    if (ngx_hyperdrive_sql_mysql_asks_number(r, &asks->limit) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (ngx_hyperdrive_sql_mysql_asks_word(r, "offset")) {
        return ngx_hyperdrive_sql_mysql_asks_number(r, &asks->offset);
    }

    if (ngx_hyperdrive_sql_mysql_asks_type(r, T(COMMA))) {
        asks->offset = asks->limit;
        return ngx_hyperdrive_sql_mysql_asks_number(r, &asks->limit);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_sql_mysql_asks_number(ngx_hyperdrive_sql_mysql_asks_read_t *r,
    ngx_uint_t *n)
{
    ngx_int_t  value;

    if (r->tok.type != T(NUMBER)) {
        return NGX_DECLINED;
    }

    value = ngx_atoi(r->tok.text.data, r->tok.text.len);

    if (value == NGX_ERROR) {
        return NGX_DECLINED;
    }

    *n = value;

    ngx_hyperdrive_sql_mysql_asks_next(r);

    return NGX_OK;
}


/* one column of a SELECT, with its name */

static ngx_int_t
ngx_hyperdrive_sql_mysql_asks_item(ngx_hyperdrive_sql_mysql_asks_read_t *r,
    ngx_hyperdrive_sql_asks_t *asks)
{
    u_char                          *start;
    ngx_str_t                       *name;
    ngx_uint_t                       i, variable;
    ngx_hyperdrive_sql_asks_what_e  *what;

    static struct {
        const char                      *name;
        ngx_uint_t                       variable;
        ngx_hyperdrive_sql_asks_what_e   what;
    } words[] = {
        { "last_insert_id", 0, NGX_HYPERDRIVE_SQL_ASKS_ID },
        { "found_rows", 0, NGX_HYPERDRIVE_SQL_ASKS_FOUND },
        { "row_count", 0, NGX_HYPERDRIVE_SQL_ASKS_COUNT },
        { "last_insert_id", 1, NGX_HYPERDRIVE_SQL_ASKS_ID_VARIABLE },
        { "identity", 1, NGX_HYPERDRIVE_SQL_ASKS_ID_VARIABLE },
        { "warning_count", 1, NGX_HYPERDRIVE_SQL_ASKS_NWARNINGS },
        { "error_count", 1, NGX_HYPERDRIVE_SQL_ASKS_NERRORS },
        { NULL, 0, NGX_HYPERDRIVE_SQL_ASKS_ID }
    };

    if (asks->n == NGX_HYPERDRIVE_SQL_ASKS_MAX) {
        return NGX_DECLINED;
    }

    what = &asks->items[asks->n].what;
    name = &asks->items[asks->n].name;
    asks->n++;

    start = r->tok.text.data;

    variable = ngx_hyperdrive_sql_mysql_asks_type(r, T(SYSTEM));

    if (variable
        && (ngx_hyperdrive_sql_mysql_asks_word(r, "session")
            || ngx_hyperdrive_sql_mysql_asks_word(r, "local"))
        && !ngx_hyperdrive_sql_mysql_asks_type(r, T(DOT)))
    {
        return NGX_DECLINED;
    }

    for (i = 0; words[i].name; i++) {

        if (words[i].variable == variable
            && ngx_hyperdrive_sql_mysql_asks_word(r, words[i].name))
        {
            break;
        }
    }

    if (words[i].name == NULL
        || (!variable
            && !(ngx_hyperdrive_sql_mysql_asks_type(r, T(OPEN))
                 && ngx_hyperdrive_sql_mysql_asks_type(r, T(CLOSE)))))
    {
        return NGX_DECLINED;
    }

    *what = words[i].what;

    name->data = start;
    name->len = r->end - start;

    return ngx_hyperdrive_sql_mysql_asks_alias(r, name);
}


static ngx_int_t
ngx_hyperdrive_sql_mysql_asks_alias(ngx_hyperdrive_sql_mysql_asks_read_t *r,
    ngx_str_t *name)
{
    ngx_uint_t  as;

    as = ngx_hyperdrive_sql_mysql_asks_word(r, "as");

    switch (r->tok.type) {

    case T(COMMA):
    case T(SEMICOLON):
    case T(END):
        return as ? NGX_DECLINED : NGX_OK;

    case T(WORD):

        if (r->tok.category == NGX_HYPERDRIVE_SQL_RESERVED) {
            return NGX_DECLINED;
        }

        /* fall through */

    case T(NAME):

        if (r->tok.doubled) {
            return NGX_DECLINED;
        }

        *name = r->tok.text;
        break;

    case T(STRING):

        if (r->tok.text.len < 2
            || (*r->tok.text.data != '\'' && *r->tok.text.data != '"'))
        {
            return NGX_DECLINED;
        }

        name->data = r->tok.text.data + 1;
        name->len = r->tok.text.len - 2;

        if (memchr(name->data, *r->tok.text.data, name->len)
            || memchr(name->data, '\\', name->len))
        {
            return NGX_DECLINED;
        }

        break;

    default:
        return NGX_DECLINED;
    }

    if (r->tok.high || name->len == 0 || name->len > 64) {
        return NGX_DECLINED;
    }

    ngx_hyperdrive_sql_mysql_asks_next(r);

    return NGX_OK;
}


static void
ngx_hyperdrive_sql_mysql_asks_next(ngx_hyperdrive_sql_mysql_asks_read_t *r)
{
    r->end = r->lexer.pos;

    ngx_hyperdrive_sql_lexer_next(&r->lexer, &r->tok);
}


static ngx_uint_t
ngx_hyperdrive_sql_mysql_asks_word(ngx_hyperdrive_sql_mysql_asks_read_t *r,
    const char *word)
{
    if (r->tok.type != T(WORD) || r->tok.text.len != ngx_strlen(word)
        || ngx_strncasecmp(r->tok.text.data, (u_char *) word,
                           r->tok.text.len)
           != 0)
    {
        return 0;
    }

    ngx_hyperdrive_sql_mysql_asks_next(r);

    return 1;
}


static ngx_uint_t
ngx_hyperdrive_sql_mysql_asks_type(ngx_hyperdrive_sql_mysql_asks_read_t *r,
    ngx_hyperdrive_sql_token_e type)
{
    if (r->tok.type != type) {
        return 0;
    }

    ngx_hyperdrive_sql_mysql_asks_next(r);

    return 1;
}
