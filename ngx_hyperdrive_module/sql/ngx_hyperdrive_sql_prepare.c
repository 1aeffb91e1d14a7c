
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "sql/ngx_hyperdrive_sql_lexer.h"


/*
 * PREPARE and EXECUTE, by themselves or within another statement: which name
 * they speak of, what is prepared, and whether more is run than that.
 */


typedef struct {
    ngx_hyperdrive_sql_lexer_t        lexer;
    ngx_hyperdrive_sql_token_t        tok;
    u_char                           *last;      /* of the text */
} ngx_hyperdrive_sql_prepare_read_t;


static ngx_int_t ngx_hyperdrive_sql_prepare_explain(
    ngx_hyperdrive_sql_prepare_read_t *r);
static ngx_int_t ngx_hyperdrive_sql_prepare_create(
    ngx_hyperdrive_sql_prepare_read_t *r);
static ngx_int_t ngx_hyperdrive_sql_prepare_name(
    ngx_hyperdrive_sql_prepare_read_t *r, ngx_str_t *name);
static ngx_int_t ngx_hyperdrive_sql_prepare_body(
    ngx_hyperdrive_sql_prepare_read_t *r, ngx_str_t *body);
static ngx_int_t ngx_hyperdrive_sql_prepare_parentheses(
    ngx_hyperdrive_sql_prepare_read_t *r);
static ngx_uint_t ngx_hyperdrive_sql_prepare_plain(
    ngx_hyperdrive_sql_prepare_read_t *r);
static ngx_uint_t ngx_hyperdrive_sql_prepare_word(
    ngx_hyperdrive_sql_prepare_read_t *r, char *word);


ngx_int_t
ngx_hyperdrive_sql_prepare(ngx_str_t *text, ngx_hyperdrive_sql_mode_t *mode,
    ngx_hyperdrive_sql_prepare_t *p)
{
    ngx_uint_t                         creates;
    ngx_hyperdrive_sql_prepare_read_t  r;

    ngx_memzero(p, sizeof(ngx_hyperdrive_sql_prepare_t));
    ngx_memzero(&r, sizeof(ngx_hyperdrive_sql_prepare_read_t));

    r.last = text->data + text->len;

    r.lexer.pos = text->data;
    r.lexer.last = r.last;
    r.lexer.dialect = &ngx_hyperdrive_sql_pg;
    r.lexer.backslash = !mode->standard_conforming_strings;

    ngx_hyperdrive_sql_lexer_next(&r.lexer, &r.tok);

    if (ngx_hyperdrive_sql_prepare_word(&r, "prepare")) {

        if (ngx_hyperdrive_sql_prepare_name(&r, &p->name) != NGX_OK) {
            return NGX_DECLINED;
        }

        return ngx_hyperdrive_sql_prepare_body(&r, &p->body);
    }

    if (ngx_hyperdrive_sql_prepare_explain(&r) != NGX_OK) {
        return NGX_DECLINED;
    }

    creates = ngx_hyperdrive_sql_prepare_word(&r, "create");

    if ((creates && ngx_hyperdrive_sql_prepare_create(&r) != NGX_OK)
        || !ngx_hyperdrive_sql_prepare_word(&r, "execute")
        || ngx_hyperdrive_sql_prepare_name(&r, &p->name) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    p->plain = !creates && ngx_hyperdrive_sql_prepare_plain(&r);

    return NGX_OK;
}


/* [EXPLAIN [ANALYZE] [VERBOSE] | EXPLAIN (...)] */

static ngx_int_t
ngx_hyperdrive_sql_prepare_explain(ngx_hyperdrive_sql_prepare_read_t *r)
{
    if (!ngx_hyperdrive_sql_prepare_word(r, "explain")) {
        return NGX_OK;
    }

    if (r->tok.type == NGX_HYPERDRIVE_SQL_T_OPEN) {
        return ngx_hyperdrive_sql_prepare_parentheses(r);
    }

    if (!ngx_hyperdrive_sql_prepare_word(r, "analyze")) {
        (void) ngx_hyperdrive_sql_prepare_word(r, "analyse");
    }

    (void) ngx_hyperdrive_sql_prepare_word(r, "verbose");

    return NGX_OK;
}


/* CREATE [TEMPORARY | UNLOGGED] TABLE [IF NOT EXISTS] name ... AS */

static ngx_int_t
ngx_hyperdrive_sql_prepare_create(ngx_hyperdrive_sql_prepare_read_t *r)
{
    while (!ngx_hyperdrive_sql_prepare_word(r, "as")) {

        if (r->tok.type == NGX_HYPERDRIVE_SQL_T_END
            || r->tok.type == NGX_HYPERDRIVE_SQL_T_ERROR
            || r->tok.type == NGX_HYPERDRIVE_SQL_T_STRING)
        {
            return NGX_DECLINED;
        }

        ngx_hyperdrive_sql_lexer_next(&r->lexer, &r->tok);
    }

    return NGX_OK;
}


/* an identifier, as it is written, with its quotes */

static ngx_int_t
ngx_hyperdrive_sql_prepare_name(ngx_hyperdrive_sql_prepare_read_t *r,
    ngx_str_t *name)
{
    if (r->tok.type == NGX_HYPERDRIVE_SQL_T_WORD) {
        *name = r->tok.text;

    } else if (r->tok.type == NGX_HYPERDRIVE_SQL_T_NAME
               && r->tok.text.data[-2] != '&')
    {
        name->data = r->tok.text.data - 1;
        name->len = r->tok.text.len + 2;

    } else {
        return NGX_DECLINED;
    }

    ngx_hyperdrive_sql_lexer_next(&r->lexer, &r->tok);

    return NGX_OK;
}


/* [(types)] AS statement */

static ngx_int_t
ngx_hyperdrive_sql_prepare_body(ngx_hyperdrive_sql_prepare_read_t *r,
    ngx_str_t *body)
{
    if (r->tok.type == NGX_HYPERDRIVE_SQL_T_OPEN
        && ngx_hyperdrive_sql_prepare_parentheses(r) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    if (!ngx_hyperdrive_sql_prepare_word(r, "as")
        || (r->tok.type != NGX_HYPERDRIVE_SQL_T_WORD
            && r->tok.type != NGX_HYPERDRIVE_SQL_T_OPEN))
    {
        return NGX_DECLINED;
    }

    body->data = r->tok.text.data;
    body->len = r->last - body->data;

    return NGX_OK;
}


/* up to the one that closes this one */

static ngx_int_t
ngx_hyperdrive_sql_prepare_parentheses(ngx_hyperdrive_sql_prepare_read_t *r)
{
    ngx_uint_t  depth;

    depth = 0;

    do {
        if (r->tok.type == NGX_HYPERDRIVE_SQL_T_END
            || r->tok.type == NGX_HYPERDRIVE_SQL_T_ERROR)
        {
            return NGX_DECLINED;
        }

        if (r->tok.type == NGX_HYPERDRIVE_SQL_T_OPEN) {
            depth++;

        } else if (r->tok.type == NGX_HYPERDRIVE_SQL_T_CLOSE) {
            depth--;
        }

        ngx_hyperdrive_sql_lexer_next(&r->lexer, &r->tok);

    } while (depth);

    return NGX_OK;
}


/* [(constants and parameters)], of which nothing can be a call */

static ngx_uint_t
ngx_hyperdrive_sql_prepare_plain(ngx_hyperdrive_sql_prepare_read_t *r)
{
    for ( ;; ) {

        switch (r->tok.type) {

        case NGX_HYPERDRIVE_SQL_T_END:
            return 1;

        case NGX_HYPERDRIVE_SQL_T_OPEN:
        case NGX_HYPERDRIVE_SQL_T_CLOSE:
        case NGX_HYPERDRIVE_SQL_T_COMMA:
        case NGX_HYPERDRIVE_SQL_T_SEMICOLON:
        case NGX_HYPERDRIVE_SQL_T_STRING:
        case NGX_HYPERDRIVE_SQL_T_BITS:
        case NGX_HYPERDRIVE_SQL_T_NUMBER:
        case NGX_HYPERDRIVE_SQL_T_PARAM:
            break;

        case NGX_HYPERDRIVE_SQL_T_WORD:

            if (ngx_hyperdrive_sql_prepare_word(r, "null")
                || ngx_hyperdrive_sql_prepare_word(r, "true")
                || ngx_hyperdrive_sql_prepare_word(r, "false"))
            {
                continue;
            }

            return 0;

        default:
            return 0;
        }

        ngx_hyperdrive_sql_lexer_next(&r->lexer, &r->tok);
    }
}


/* if the next token is <word>, it is taken */

static ngx_uint_t
ngx_hyperdrive_sql_prepare_word(ngx_hyperdrive_sql_prepare_read_t *r,
    char *word)
{
    if (r->tok.type != NGX_HYPERDRIVE_SQL_T_WORD
        || r->tok.text.len != ngx_strlen(word)
        || ngx_strncasecmp(r->tok.text.data, (u_char *) word, r->tok.text.len)
           != 0)
    {
        return 0;
    }

    ngx_hyperdrive_sql_lexer_next(&r->lexer, &r->tok);

    return 1;
}
