
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "sql/ngx_hyperdrive_sql_lexer.h"


/*
 * BEGIN and its end, read so strictly that they may be answered before the
 * database has seen them: what is not exactly as in its grammar is declined.
 */


typedef struct {
    ngx_hyperdrive_sql_lexer_t        lexer;
    ngx_hyperdrive_sql_token_t        tok;
} ngx_hyperdrive_sql_transaction_read_t;


static ngx_int_t ngx_hyperdrive_sql_transaction_modes(
    ngx_hyperdrive_sql_transaction_read_t *r,
    ngx_hyperdrive_sql_transaction_t *tr);
static ngx_int_t ngx_hyperdrive_sql_transaction_isolation(
    ngx_hyperdrive_sql_transaction_read_t *r,
    ngx_hyperdrive_sql_transaction_t *tr);
static ngx_int_t ngx_hyperdrive_sql_transaction_chain(
    ngx_hyperdrive_sql_transaction_read_t *r);
static ngx_uint_t ngx_hyperdrive_sql_transaction_word(
    ngx_hyperdrive_sql_transaction_read_t *r, char *word);


ngx_int_t
ngx_hyperdrive_sql_transaction(ngx_str_t *text,
    ngx_hyperdrive_sql_transaction_t *tr)
{
    ngx_hyperdrive_sql_transaction_read_t  r;

    ngx_memzero(tr, sizeof(ngx_hyperdrive_sql_transaction_t));
    ngx_memzero(&r, sizeof(ngx_hyperdrive_sql_transaction_read_t));

    r.lexer.pos = text->data;
    r.lexer.last = text->data + text->len;
    r.lexer.dialect = &ngx_hyperdrive_sql_pg;

    ngx_hyperdrive_sql_lexer_next(&r.lexer, &r.tok);

    if (ngx_hyperdrive_sql_transaction_word(&r, "start")) {

        if (!ngx_hyperdrive_sql_transaction_word(&r, "transaction")) {
            return NGX_DECLINED;
        }

        tr->kind = NGX_HYPERDRIVE_SQL_BEGIN;
        tr->start = 1;

    } else if (ngx_hyperdrive_sql_transaction_word(&r, "begin")) {
        tr->kind = NGX_HYPERDRIVE_SQL_BEGIN;

    } else if (ngx_hyperdrive_sql_transaction_word(&r, "commit")
               || ngx_hyperdrive_sql_transaction_word(&r, "end"))
    {
        tr->kind = NGX_HYPERDRIVE_SQL_COMMIT;

    } else if (ngx_hyperdrive_sql_transaction_word(&r, "rollback")
               || ngx_hyperdrive_sql_transaction_word(&r, "abort"))
    {
        tr->kind = NGX_HYPERDRIVE_SQL_ROLLBACK;

    } else {
        return NGX_DECLINED;
    }

    if (!tr->start && !ngx_hyperdrive_sql_transaction_word(&r, "work")) {
        (void) ngx_hyperdrive_sql_transaction_word(&r, "transaction");
    }

    if (tr->kind == NGX_HYPERDRIVE_SQL_BEGIN) {

        if (ngx_hyperdrive_sql_transaction_modes(&r, tr) != NGX_OK) {
            return NGX_DECLINED;
        }

    } else if (ngx_hyperdrive_sql_transaction_chain(&r) != NGX_OK) {
        return NGX_DECLINED;
    }

    while (r.tok.type == NGX_HYPERDRIVE_SQL_T_SEMICOLON) {
        ngx_hyperdrive_sql_lexer_next(&r.lexer, &r.tok);
    }

    return (r.tok.type == NGX_HYPERDRIVE_SQL_T_END) ? NGX_OK : NGX_DECLINED;
}


/* the modes, with or without commas between them, each of them once */

static ngx_int_t
ngx_hyperdrive_sql_transaction_modes(ngx_hyperdrive_sql_transaction_read_t *r,
    ngx_hyperdrive_sql_transaction_t *tr)
{
    ngx_uint_t  n, access, deferrable;

    access = 0;
    deferrable = 0;

    for (n = 0; /* void */ ; n++) {

        if (r->tok.type == NGX_HYPERDRIVE_SQL_T_SEMICOLON
            || r->tok.type == NGX_HYPERDRIVE_SQL_T_END)
        {
            return NGX_OK;
        }

        if (r->tok.type == NGX_HYPERDRIVE_SQL_T_COMMA) {

            if (n == 0) {
                return NGX_DECLINED;
            }

            ngx_hyperdrive_sql_lexer_next(&r->lexer, &r->tok);
        }

        if (ngx_hyperdrive_sql_transaction_word(r, "isolation")) {

            if (ngx_hyperdrive_sql_transaction_isolation(r, tr) != NGX_OK) {
                return NGX_DECLINED;
            }

        } else if (ngx_hyperdrive_sql_transaction_word(r, "read")) {

            if (access++) {
                return NGX_DECLINED;
            }

            if (ngx_hyperdrive_sql_transaction_word(r, "only")) {
                tr->read_only = 1;

            } else if (!ngx_hyperdrive_sql_transaction_word(r, "write")) {
                return NGX_DECLINED;
            }

        } else {
            (void) ngx_hyperdrive_sql_transaction_word(r, "not");

            if (!ngx_hyperdrive_sql_transaction_word(r, "deferrable")
                || deferrable++)
            {
                return NGX_DECLINED;
            }
        }
    }
}


static ngx_int_t
ngx_hyperdrive_sql_transaction_isolation(
    ngx_hyperdrive_sql_transaction_read_t *r,
    ngx_hyperdrive_sql_transaction_t *tr)
{
    if (tr->isolation
        || !ngx_hyperdrive_sql_transaction_word(r, "level"))
    {
        return NGX_DECLINED;
    }

    tr->isolation = NGX_HYPERDRIVE_SQL_ISOLATION_SNAPSHOT;

    if (ngx_hyperdrive_sql_transaction_word(r, "serializable")) {
        return NGX_OK;
    }

    if (ngx_hyperdrive_sql_transaction_word(r, "repeatable")) {
        return ngx_hyperdrive_sql_transaction_word(r, "read") ? NGX_OK
                                                              : NGX_DECLINED;
    }

    if (!ngx_hyperdrive_sql_transaction_word(r, "read")) {
        return NGX_DECLINED;
    }

    tr->isolation = NGX_HYPERDRIVE_SQL_ISOLATION_READ_COMMITTED;

    return (ngx_hyperdrive_sql_transaction_word(r, "committed")
            || ngx_hyperdrive_sql_transaction_word(r, "uncommitted"))
           ? NGX_OK : NGX_DECLINED;
}


/* [AND NO CHAIN]; AND CHAIN begins the next one, and is declined */

static ngx_int_t
ngx_hyperdrive_sql_transaction_chain(ngx_hyperdrive_sql_transaction_read_t *r)
{
    if (!ngx_hyperdrive_sql_transaction_word(r, "and")) {
        return NGX_OK;
    }

    return (ngx_hyperdrive_sql_transaction_word(r, "no")
            && ngx_hyperdrive_sql_transaction_word(r, "chain"))
           ? NGX_OK : NGX_DECLINED;
}


/* if the next token is <word>, it is taken */

static ngx_uint_t
ngx_hyperdrive_sql_transaction_word(ngx_hyperdrive_sql_transaction_read_t *r,
    char *word)
{
    if (r->tok.type != NGX_HYPERDRIVE_SQL_T_WORD
        || r->tok.text.len != ngx_strlen(word)
        || ngx_strncasecmp(r->tok.text.data, (u_char *) word,
                           r->tok.text.len)
           != 0)
    {
        return 0;
    }

    ngx_hyperdrive_sql_lexer_next(&r->lexer, &r->tok);

    return 1;
}
