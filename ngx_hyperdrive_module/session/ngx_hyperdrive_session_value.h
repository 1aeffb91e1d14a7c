
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_SESSION_VALUE_H_INCLUDED_
#define _NGX_HYPERDRIVE_SESSION_VALUE_H_INCLUDED_


#include "session/ngx_hyperdrive_session.h"


/*
 * MySQL: values that the database has told, as they are to be said again; user
 * variables with their types, character sets and collations.
 */

#define NGX_HYPERDRIVE_SESSION_VALUES_MAX    32

/* MariaDB's */
#define NGX_HYPERDRIVE_SESSION_VALUES_TEXT                                    \
    "SELECT CONCAT('@',LOWER(VARIABLE_NAME)),VARIABLE_VALUE IS NULL,"         \
    "VARIABLE_TYPE,CHARACTER_SET_NAME,VARIABLE_VALUE "                        \
    "FROM information_schema.USER_VARIABLES"

typedef struct {
    ngx_str_t                         name;      /* malloc, as are others */
    ngx_str_t                         value;     /* SQL; empty: NULL */
    ngx_str_t                         charset;   /* of a string, of which the
                                                    collation is not known */
} ngx_hyperdrive_session_values_item_t;

typedef struct {
    ngx_uint_t                            n;
    ngx_hyperdrive_session_values_item_t  items[
                                            NGX_HYPERDRIVE_SESSION_VALUES_MAX];
    unsigned                              lost:1;    /* there is one that
                                                        cannot be said */
} ngx_hyperdrive_session_values_t;


/* a variable's; NGX_DECLINED: it cannot be said */
ngx_int_t ngx_hyperdrive_session_value(ngx_str_t *text, u_char *buf,
    size_t size, ngx_str_t *value);

/* one of the rows */
void ngx_hyperdrive_session_values_row(
    ngx_hyperdrive_session_values_t *values, ngx_str_t *cols, ngx_uint_t n);
/* asks for what is missing; 0: nothing is */
size_t ngx_hyperdrive_session_values_collations(
    ngx_hyperdrive_session_values_t *values, u_char *text, size_t size);
void ngx_hyperdrive_session_values_collated(
    ngx_hyperdrive_session_values_t *values, ngx_str_t *cols, ngx_uint_t n);
/* they become the client's settings, and those of its connection; NGX_ERROR:
   not all of them can be */
ngx_int_t ngx_hyperdrive_session_values_learn(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_values_t *values);
void ngx_hyperdrive_session_values_free(
    ngx_hyperdrive_session_values_t *values);


#endif /* _NGX_HYPERDRIVE_SESSION_VALUE_H_INCLUDED_ */
