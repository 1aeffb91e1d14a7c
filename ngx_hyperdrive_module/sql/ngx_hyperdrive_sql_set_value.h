
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_SQL_SET_VALUE_H_INCLUDED_
#define _NGX_HYPERDRIVE_SQL_SET_VALUE_H_INCLUDED_


#include "sql/ngx_hyperdrive_sql_set.h"


/* Private to the two files that read SET: tokens, names and values. */


/* ngx_hyperdrive_sql_mysql_set.c: as _sql_set_next() */
ngx_int_t ngx_hyperdrive_sql_mysql_set_next(
    ngx_hyperdrive_sql_set_reader_t *r, ngx_hyperdrive_sql_set_t *set);

/* the next token, remembering where the last one ended */
void ngx_hyperdrive_sql_set_token(ngx_hyperdrive_sql_set_reader_t *r);
/* are there bytes over 0x7f? */
ngx_uint_t ngx_hyperdrive_sql_set_high(ngx_str_t *text);
/* is it this word? */
ngx_uint_t ngx_hyperdrive_sql_set_is(ngx_hyperdrive_sql_set_reader_t *r,
    char *word);
/* these take what they find; true if they do */
ngx_uint_t ngx_hyperdrive_sql_set_word(ngx_hyperdrive_sql_set_reader_t *r,
    char *word);
ngx_uint_t ngx_hyperdrive_sql_set_type(ngx_hyperdrive_sql_set_reader_t *r,
    ngx_hyperdrive_sql_token_e type);
ngx_uint_t ngx_hyperdrive_sql_set_operator(ngx_hyperdrive_sql_set_reader_t *r,
    u_char ch);

/* a.b, in lower case */
ngx_int_t ngx_hyperdrive_sql_set_name(ngx_hyperdrive_sql_set_reader_t *r,
    ngx_str_t *name);
ngx_int_t ngx_hyperdrive_sql_set_identifier(
    ngx_hyperdrive_sql_set_reader_t *r, ngx_str_t *name);
/* what follows TO or =: a list of values, or DEFAULT */
ngx_int_t ngx_hyperdrive_sql_set_values(ngx_hyperdrive_sql_set_reader_t *r,
    ngx_hyperdrive_sql_set_t *set);
/* of set_config: a constant or a parameter, with a cast perhaps */
ngx_int_t ngx_hyperdrive_sql_set_argument(ngx_hyperdrive_sql_set_reader_t *r,
    ngx_str_t *value);
/* 0, 1; 2: neither */
ngx_uint_t ngx_hyperdrive_sql_set_bool(ngx_str_t *value);
/* the name is one that can be carried to another connection */
ngx_int_t ngx_hyperdrive_sql_set_check(ngx_hyperdrive_sql_set_reader_t *r,
    ngx_hyperdrive_sql_set_t *set);


#endif /* _NGX_HYPERDRIVE_SQL_SET_VALUE_H_INCLUDED_ */
