
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_SQL_SET_H_INCLUDED_
#define _NGX_HYPERDRIVE_SQL_SET_H_INCLUDED_


#include "sql/ngx_hyperdrive_sql_lexer.h"


/*
 * Statements that change settings, read so exactly that another connection
 * can be told the same: SET, RESET, set_config(), DISCARD ALL; and those that
 * keep such changes or take them back.
 */

typedef enum {
    NGX_HYPERDRIVE_SQL_SET_VALUE = 0,
    NGX_HYPERDRIVE_SQL_SET_VALUE_LOCAL,
    NGX_HYPERDRIVE_SQL_SET_RESET,        /* or to DEFAULT */
    NGX_HYPERDRIVE_SQL_SET_RESET_LOCAL,
    NGX_HYPERDRIVE_SQL_SET_RESET_ALL,
    NGX_HYPERDRIVE_SQL_SET_DISCARD_ALL,
    NGX_HYPERDRIVE_SQL_SET_BEGIN,
    NGX_HYPERDRIVE_SQL_SET_COMMIT,
    NGX_HYPERDRIVE_SQL_SET_ROLLBACK,
    NGX_HYPERDRIVE_SQL_SET_SAVEPOINT,
    NGX_HYPERDRIVE_SQL_SET_RELEASE,
    NGX_HYPERDRIVE_SQL_SET_ROLLBACK_TO,
    NGX_HYPERDRIVE_SQL_SET_OTHER         /* its text is in <value> */
} ngx_hyperdrive_sql_set_e;


#define NGX_HYPERDRIVE_SQL_SET_ARGS      64

/* changes of one assignment */
#define NGX_HYPERDRIVE_SQL_SET_PENDING   4

typedef struct {
    ngx_hyperdrive_sql_set_e      change;
    ngx_str_t                     name;      /* lower case, or as a savepoint
                                                is called */
    ngx_str_t                     value;
    ngx_uint_t                    statement; /* 0: the first */
} ngx_hyperdrive_sql_set_t;


typedef struct {
    /* set by the caller */

    u_char                       *buf;       /* names and values; each
                                                statement uses it anew */
    size_t                        size;
    ngx_str_t                    *args;      /* parameters, as text; data NULL:
                                                NULL; <args> NULL: not known,
                                                any will do */
    ngx_uint_t                    nargs;
    uint64_t                      binary;    /* bits of those whose format is
                                                binary */

    /* the reader's own */

    ngx_hyperdrive_sql_lexer_t    lexer;
    ngx_hyperdrive_sql_token_t    tok;
    u_char                       *pos;       /* of buf */
    u_char                       *begin;     /* of the statement */
    u_char                       *behind;    /* the token before tok */
    ngx_uint_t                    statement;
    unsigned                      unsafe:1;  /* bytes over 0x7f are not what
                                                they stand for */
    unsigned                      unread:1;  /* ...and may hide others */
    unsigned                      bytes:1;   /* the last argument was binary */
    unsigned                      item:1;    /* within a list of set_config */
    unsigned                      in:1;      /* a statement has been read */
    ngx_uint_t                    npending;
    ngx_hyperdrive_sql_set_t      pending[NGX_HYPERDRIVE_SQL_SET_PENDING];
} ngx_hyperdrive_sql_set_reader_t;


/*
 * If <text> is in an unsafe encoding, it becomes one of the same length in
 * <buf>, with the characters that are not ASCII made such that they hide
 * nothing, and <mode> says so.  It stays as it is if that is not certain.
 */
#define NGX_HYPERDRIVE_SQL_SET_MASK      (64 * 1024)

void ngx_hyperdrive_sql_set_mask(ngx_str_t *text,
    ngx_hyperdrive_sql_mode_t *mode, u_char *buf, size_t size);

void ngx_hyperdrive_sql_set_begin(ngx_hyperdrive_sql_set_reader_t *r,
    ngx_str_t *text, ngx_hyperdrive_sql_mode_t *mode);

/*
 * MySQL: one assignment is one change or several; names are in lower case, a
 * user variable's begins with "@", a value is SQL.  SET NAMES is two variables
 * and one of character_set_connection and collation_connection, the other is
 * reset; with COLLATE, character_set_results has that in its value, which only
 * SET NAMES can say; the schema, of USE, is a setting with the name "use" and
 * its name as value.  Values that are no constants are NGX_DECLINED.
 */
ngx_int_t ngx_hyperdrive_sql_set_next(ngx_hyperdrive_sql_set_reader_t *r,
    ngx_hyperdrive_sql_set_t *set);


/*
 * A statement that sets <name> to <value>, or resets it if that is NULL; with
 * <local> to the end of the transaction, where there is a value.  It takes no
 * snapshot, unless there is no other way: then *snapshot is set.  Returns its
 * length; 0: it does not fit into <size>, or cannot be said.
 */
size_t ngx_hyperdrive_sql_set_text(ngx_str_t *name, ngx_str_t *value,
    ngx_uint_t local, u_char *dst, size_t size, ngx_uint_t *snapshot);

/* is it one that takes a superuser, or a right that was granted? */
ngx_uint_t ngx_hyperdrive_sql_set_privileged(ngx_str_t *name);

/* may a connection that is not its own be set to it? */
ngx_uint_t ngx_hyperdrive_sql_set_known(ngx_str_t *name);


#endif /* _NGX_HYPERDRIVE_SQL_SET_H_INCLUDED_ */
