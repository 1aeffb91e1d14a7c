
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_SQL_MYSQL_H_INCLUDED_
#define _NGX_HYPERDRIVE_SQL_MYSQL_H_INCLUDED_


#include "sql/ngx_hyperdrive_sql_scan.h"


/*
 * The classifier for MySQL and MariaDB: the same frames and facts as for
 * PostgreSQL, another grammar.  The same rule holds: a text that the server
 * would accept may not be taken for less than it is.
 */


/* of the dialect's table */
void ngx_hyperdrive_sql_mysql_dispatch(ngx_hyperdrive_sql_scan_t *s);
void ngx_hyperdrive_sql_mysql_scan(ngx_hyperdrive_sql_scan_t *s);


/*
 * The body of a routine or a trigger: its statements one after another, as if
 * they were sent, and what its expressions call.  <params> are names that are
 * variables in it, like those that it declares itself.  The reason is the
 * first that was found, or CACHEABLE, whatever it writes.
 */
void ngx_hyperdrive_sql_mysql_body(ngx_str_t *text,
    ngx_hyperdrive_sql_mode_t *mode, ngx_str_t *params, ngx_uint_t nparams,
    u_char *names, size_t size, ngx_hyperdrive_sql_facts_t *facts);
/* the same for one expression */
void ngx_hyperdrive_sql_mysql_expression(ngx_str_t *text,
    ngx_hyperdrive_sql_mode_t *mode, u_char *names, size_t size,
    ngx_hyperdrive_sql_facts_t *facts);
/* is it a variable of the body's own? */
ngx_uint_t ngx_hyperdrive_sql_mysql_declared(ngx_hyperdrive_sql_scan_t *s,
    ngx_hyperdrive_sql_token_t *token);


/* one token, as the state of the innermost frame has it */
void ngx_hyperdrive_sql_mysql_scan_token(ngx_hyperdrive_sql_scan_t *s);

/* is it this word, in letters of any case, not quoted? */
ngx_uint_t ngx_hyperdrive_sql_mysql_is(ngx_hyperdrive_sql_token_t *token,
    const char *word);

/* statements: _mysql_ddl.c */

void ngx_hyperdrive_sql_mysql_ddl_create(ngx_hyperdrive_sql_scan_t *s);
void ngx_hyperdrive_sql_mysql_ddl_drop(ngx_hyperdrive_sql_scan_t *s);
void ngx_hyperdrive_sql_mysql_ddl_truncate(ngx_hyperdrive_sql_scan_t *s);
void ngx_hyperdrive_sql_mysql_ddl(ngx_hyperdrive_sql_scan_t *s);

/* SET: _mysql_assign.c */

void ngx_hyperdrive_sql_mysql_assign(ngx_hyperdrive_sql_scan_t *s);
/* what is set must come; s->tok is its first word */
void ngx_hyperdrive_sql_mysql_assign_item(ngx_hyperdrive_sql_scan_t *s);

/* queries: _mysql_query.c */

/* s->tok is SELECT, INSERT... or the first word of a query */
void ngx_hyperdrive_sql_mysql_query(ngx_hyperdrive_sql_scan_t *s);
/* a word in state FROM_AFTER, FROM_ON or EXPR that begins a clause: 1 */
ngx_uint_t ngx_hyperdrive_sql_mysql_query_clause(
    ngx_hyperdrive_sql_scan_t *s);
void ngx_hyperdrive_sql_mysql_query_from(ngx_hyperdrive_sql_scan_t *s);
void ngx_hyperdrive_sql_mysql_query_from_after(ngx_hyperdrive_sql_scan_t *s);
void ngx_hyperdrive_sql_mysql_query_insert(ngx_hyperdrive_sql_scan_t *s);
void ngx_hyperdrive_sql_mysql_query_with(ngx_hyperdrive_sql_scan_t *s);

/* a word in an expression: _mysql_expr.c */

void ngx_hyperdrive_sql_mysql_expr(ngx_hyperdrive_sql_scan_t *s);
/* s->tok is @name or @@ */
void ngx_hyperdrive_sql_mysql_expr_variable(ngx_hyperdrive_sql_scan_t *s);


#endif /* _NGX_HYPERDRIVE_SQL_MYSQL_H_INCLUDED_ */
