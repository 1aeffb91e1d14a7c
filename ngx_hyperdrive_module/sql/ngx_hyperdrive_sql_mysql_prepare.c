
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "sql/ngx_hyperdrive_sql_mysql.h"


/* MySQL: the text that SQL prepares or executes, if it stands there */


#define T(id)  NGX_HYPERDRIVE_SQL_T_##id


ngx_int_t
ngx_hyperdrive_sql_mysql_prepare(ngx_str_t *text,
    ngx_hyperdrive_sql_mode_t *mode, ngx_str_t *body)
{
    ngx_uint_t                  prepare;
    ngx_hyperdrive_sql_lexer_t  lexer;
    ngx_hyperdrive_sql_token_t  tok;

    ngx_str_null(body);

    ngx_hyperdrive_sql_lexer_init(&lexer, text, mode);
    ngx_hyperdrive_sql_lexer_next(&lexer, &tok);

    prepare = ngx_hyperdrive_sql_mysql_is(&tok, "prepare");

    if (!prepare && !ngx_hyperdrive_sql_mysql_is(&tok, "execute")) {
        return NGX_DECLINED;
    }

    ngx_hyperdrive_sql_lexer_next(&lexer, &tok);

    if (prepare) {

        if (tok.type != T(WORD) && tok.type != T(NAME)) {
            return NGX_DECLINED;
        }

        ngx_hyperdrive_sql_lexer_next(&lexer, &tok);

        if (!ngx_hyperdrive_sql_mysql_is(&tok, "from")) {
            return NGX_DECLINED;
        }

    } else if (!ngx_hyperdrive_sql_mysql_is(&tok, "immediate")) {
        return (tok.type == T(WORD) || tok.type == T(NAME)) ? NGX_OK
                                                            : NGX_DECLINED;
    }

    ngx_hyperdrive_sql_lexer_next(&lexer, &tok);

    if (tok.type != T(STRING) || tok.high || tok.text.len < 2
        || (*tok.text.data != '\'' && *tok.text.data != '"'))
    {
        return NGX_DECLINED;
    }

    body->data = tok.text.data + 1;
    body->len = tok.text.len - 2;

    if (memchr(body->data, '\\', body->len)
        || memchr(body->data, *tok.text.data, body->len))
    {
        /* it stands for another one */
        return NGX_DECLINED;
    }

    ngx_hyperdrive_sql_lexer_next(&lexer, &tok);

    return (tok.type == T(END) || tok.type == T(SEMICOLON)
            || (!prepare && ngx_hyperdrive_sql_mysql_is(&tok, "using")))
           ? NGX_OK : NGX_DECLINED;
}
