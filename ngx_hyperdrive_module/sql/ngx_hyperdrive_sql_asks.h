
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_SQL_ASKS_H_INCLUDED_
#define _NGX_HYPERDRIVE_SQL_ASKS_H_INCLUDED_


#include "sql/ngx_hyperdrive_sql.h"


/*
 * MySQL: statements that ask for nothing but what the statement before them
 * has left: SELECT ROW_COUNT(), FOUND_ROWS() AS n; SHOW WARNINGS.
 */

typedef enum {
    NGX_HYPERDRIVE_SQL_ASKS_ID = 0,        /* LAST_INSERT_ID() */
    NGX_HYPERDRIVE_SQL_ASKS_ID_VARIABLE,   /* @@last_insert_id, @@identity */
    NGX_HYPERDRIVE_SQL_ASKS_FOUND,         /* FOUND_ROWS() */
    NGX_HYPERDRIVE_SQL_ASKS_COUNT,         /* ROW_COUNT() */
    NGX_HYPERDRIVE_SQL_ASKS_NWARNINGS,     /* @@warning_count */
    NGX_HYPERDRIVE_SQL_ASKS_NERRORS        /* @@error_count */
} ngx_hyperdrive_sql_asks_what_e;


#define NGX_HYPERDRIVE_SQL_ASKS_MAX      8

typedef struct {
    ngx_uint_t                        n;         /* 0: a list of conditions */
    struct {
        ngx_hyperdrive_sql_asks_what_e
                                      what;
        ngx_str_t                     name;      /* the column's; in the text,
                                                    or a constant */
    } items[NGX_HYPERDRIVE_SQL_ASKS_MAX];

    unsigned                          errors:1;  /* SHOW ERRORS */
    ngx_uint_t                        offset;
    ngx_uint_t                        limit;
} ngx_hyperdrive_sql_asks_t;


/* NGX_DECLINED: it is none of these, or more than one of them */
ngx_int_t ngx_hyperdrive_sql_asks(ngx_str_t *text,
    ngx_hyperdrive_sql_mode_t *mode, ngx_hyperdrive_sql_asks_t *asks);


/* GET DIAGNOSTICS, into user variables */

typedef enum {
    NGX_HYPERDRIVE_SQL_ASKS_GET_NUMBER = 0,
    NGX_HYPERDRIVE_SQL_ASKS_GET_ROW_COUNT,
    NGX_HYPERDRIVE_SQL_ASKS_GET_SQLSTATE,
    NGX_HYPERDRIVE_SQL_ASKS_GET_ERRNO,
    NGX_HYPERDRIVE_SQL_ASKS_GET_MESSAGE
} ngx_hyperdrive_sql_asks_get_e;

typedef struct {
    ngx_uint_t                        condition; /* from 1; 0: of all */
    ngx_uint_t                        n;
    struct {
        ngx_hyperdrive_sql_asks_get_e what;
        ngx_str_t                     name;      /* in the text, without "@":
                                                    plain characters */
    } items[NGX_HYPERDRIVE_SQL_ASKS_MAX];
} ngx_hyperdrive_sql_asks_get_t;


/* NGX_DECLINED: it is none, or asks for something else */
ngx_int_t ngx_hyperdrive_sql_asks_get(ngx_str_t *text,
    ngx_hyperdrive_sql_mode_t *mode, ngx_hyperdrive_sql_asks_get_t *get);


#endif /* _NGX_HYPERDRIVE_SQL_ASKS_H_INCLUDED_ */
