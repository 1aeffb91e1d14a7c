
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_SQL_TAGS_H_INCLUDED_
#define _NGX_HYPERDRIVE_SQL_TAGS_H_INCLUDED_


#include "sql/ngx_hyperdrive_sql.h"


/* what policies ask of a text, besides its facts */


/* in one text; more are left out */
#define NGX_HYPERDRIVE_SQL_MAX_TAGS      32
#define NGX_HYPERDRIVE_SQL_MAX_CALLS     64


typedef struct {
    ngx_str_t                    name;
    ngx_str_t                    value;
} ngx_hyperdrive_sql_tag_t;


/*
 * Tags as sqlcommenter writes them: comments, wherever they stand, that are
 * nothing but key='value' with commas between, percent-encoded.  Fills at
 * most MAX_TAGS <tags>, decoded into <buf>, which has room for text->len
 * bytes; returns how many.
 */
ngx_uint_t ngx_hyperdrive_sql_tags(ngx_str_t *text,
    ngx_hyperdrive_sql_mode_t *mode, u_char *buf,
    ngx_hyperdrive_sql_tag_t *tags);

/*
 * Functions that are called by a name, built in or not: names before an
 * opening parenthesis, folded, without their schema; each once.  A few of them
 * may be none, as the type in CAST(x AS numeric(5)).  Fills at most MAX_CALLS
 * <names> in <buf>, which has room for text->len bytes; returns how many.
 */
ngx_uint_t ngx_hyperdrive_sql_calls(ngx_str_t *text,
    ngx_hyperdrive_sql_mode_t *mode, u_char *buf, ngx_str_t *names);


#endif /* _NGX_HYPERDRIVE_SQL_TAGS_H_INCLUDED_ */
