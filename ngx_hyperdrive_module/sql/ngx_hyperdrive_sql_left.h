
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_SQL_LEFT_H_INCLUDED_
#define _NGX_HYPERDRIVE_SQL_LEFT_H_INCLUDED_


#include "sql/ngx_hyperdrive_sql.h"


/*
 * MySQL: what a statement leaves in the session, by name, so that the database
 * can be asked for it later; and what it takes away.
 */

#define NGX_HYPERDRIVE_SQL_LEFT_MAX      16
#define NGX_HYPERDRIVE_SQL_LEFT_SIZE     2048

typedef struct {
    ngx_uint_t                        cause;     /* a _SQL_LEAVES_ bit */
    ngx_str_t                         name;      /* as SQL: a table's in
                                                    backticks, a string; else
                                                    in lower case */
    unsigned                          bare:1;    /* a table without schema */
    unsigned                          ends:1;    /* it is gone; without a name:
                                                    all of its kind */
} ngx_hyperdrive_sql_left_item_t;

typedef struct {
    ngx_uint_t                        n;
    ngx_hyperdrive_sql_left_item_t    items[NGX_HYPERDRIVE_SQL_LEFT_MAX];
    ngx_uint_t                        understood;  /* causes of which all is in
                                                      items */
    unsigned                          compound:1;  /* its parts run before all
                                                      of it has been read */
    size_t                            len;
    u_char                            buf[NGX_HYPERDRIVE_SQL_LEFT_SIZE];
} ngx_hyperdrive_sql_left_t;


void ngx_hyperdrive_sql_left(ngx_str_t *text, ngx_hyperdrive_sql_mode_t *mode,
    ngx_hyperdrive_sql_left_t *left);

/* a system variable that nobody else's connection may be given */
ngx_uint_t ngx_hyperdrive_sql_left_own(ngx_str_t *name);


#endif /* _NGX_HYPERDRIVE_SQL_LEFT_H_INCLUDED_ */
