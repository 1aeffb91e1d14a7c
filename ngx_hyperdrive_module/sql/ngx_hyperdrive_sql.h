
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_SQL_H_INCLUDED_
#define _NGX_HYPERDRIVE_SQL_H_INCLUDED_


#include "ngx_hyperdrive.h"


/*
 * What a statement text is, as far as it can be told from the text alone.
 * The room is pure: text in, facts out.  Unknown means write.
 */


typedef enum {
    NGX_HYPERDRIVE_SQL_EMPTY = 0,    /* nothing but blanks and comments */
    NGX_HYPERDRIVE_SQL_READ,         /* SELECT, VALUES, TABLE, plain EXPLAIN,
                                        SHOW: no row changes */
    NGX_HYPERDRIVE_SQL_WRITE,        /* INSERT, UPDATE, DELETE, MERGE, a CTE or
                                        EXPLAIN ANALYZE with one of them */
    NGX_HYPERDRIVE_SQL_DDL,          /* CREATE, ALTER, DROP, GRANT, TRUNCATE,
                                        SELECT INTO... */
    NGX_HYPERDRIVE_SQL_COPY,         /* COPY in either direction */
    NGX_HYPERDRIVE_SQL_BEGIN,        /* BEGIN, START TRANSACTION */
    NGX_HYPERDRIVE_SQL_COMMIT,       /* COMMIT, END */
    NGX_HYPERDRIVE_SQL_ROLLBACK,     /* ROLLBACK, ABORT (not TO SAVEPOINT) */
    NGX_HYPERDRIVE_SQL_SAVEPOINT,    /* SAVEPOINT, RELEASE, ROLLBACK TO */
    NGX_HYPERDRIVE_SQL_TWO_PHASE,    /* PREPARE TRANSACTION, COMMIT PREPARED */
    NGX_HYPERDRIVE_SQL_SET,          /* SET, RESET (not LOCAL, TRANSACTION) */
    NGX_HYPERDRIVE_SQL_SET_LOCAL,    /* SET LOCAL, SET TRANSACTION,
                                        SET CONSTRAINTS: end with the block */
    NGX_HYPERDRIVE_SQL_PREPARE,      /* PREPARE, EXECUTE, DEALLOCATE */
    NGX_HYPERDRIVE_SQL_CURSOR,       /* DECLARE, FETCH, MOVE, CLOSE */
    NGX_HYPERDRIVE_SQL_LISTEN,       /* LISTEN, UNLISTEN */
    NGX_HYPERDRIVE_SQL_NOTIFY,
    NGX_HYPERDRIVE_SQL_LOCK,         /* LOCK TABLE */
    NGX_HYPERDRIVE_SQL_DISCARD,
    NGX_HYPERDRIVE_SQL_MAINTENANCE,  /* VACUUM, ANALYZE, REINDEX, CLUSTER,
                                        CHECKPOINT, REFRESH... */
    NGX_HYPERDRIVE_SQL_CALL,         /* CALL, DO, LOAD */
    NGX_HYPERDRIVE_SQL_UNKNOWN
} ngx_hyperdrive_sql_kind_e;


/* why an answer may not come from the cache; the first that was found */

typedef enum {
    NGX_HYPERDRIVE_SQL_CACHEABLE = 0,
    NGX_HYPERDRIVE_SQL_NOT_READ,     /* kind is not READ, or EXPLAIN, SHOW */
    NGX_HYPERDRIVE_SQL_MULTIPLE,     /* more than one statement */
    NGX_HYPERDRIVE_SQL_LOCKING,      /* FOR UPDATE, FOR SHARE... */
    NGX_HYPERDRIVE_SQL_VOLATILE,     /* a function, or a special value such as
                                        current_date or 'now', that is known
                                        not to be immutable */
    NGX_HYPERDRIVE_SQL_FUNCTION,     /* a function that is not known */
    NGX_HYPERDRIVE_SQL_SYSTEM,       /* a system catalog or system column */
    NGX_HYPERDRIVE_SQL_NO_TABLE,     /* reads no table */
    NGX_HYPERDRIVE_SQL_PARSE,        /* the text could not be understood */
    NGX_HYPERDRIVE_SQL_TOO_COMPLEX,  /* more tables or functions than kept */

    /* told by the catalog, never by the text */

    NGX_HYPERDRIVE_SQL_CATALOG,      /* it has not been read */
    NGX_HYPERDRIVE_SQL_TABLE,        /* a table that it does not know */
    NGX_HYPERDRIVE_SQL_FOREIGN       /* a foreign table */
} ngx_hyperdrive_sql_reason_e;


#define NGX_HYPERDRIVE_SQL_MAX_TABLES     64
#define NGX_HYPERDRIVE_SQL_MAX_FUNCTIONS  64


typedef struct {
    ngx_str_t                    schema;    /* folded; empty: search_path */
    ngx_str_t                    name;      /* folded as the server folds */
    unsigned                     written:1; /* named as the target, too */
} ngx_hyperdrive_sql_table_t;


/* a function or an operator that is called and not known from pg_catalog */

typedef struct {
    ngx_str_t                    schema;    /* folded; empty: search_path */
    ngx_str_t                    name;
    unsigned                     operator:1;
    unsigned                     procedure:1;  /* MySQL: of a CALL */
} ngx_hyperdrive_sql_function_t;


/*
 * What may be left in the session, a bit each.  FUNCTION and CALL are code
 * that cannot be read here: anything.
 */

#define NGX_HYPERDRIVE_SQL_LEAVES_LISTEN      0x0001
#define NGX_HYPERDRIVE_SQL_LEAVES_LOCK        0x0002  /* advisory */
#define NGX_HYPERDRIVE_SQL_LEAVES_TEMPORARY   0x0004
#define NGX_HYPERDRIVE_SQL_LEAVES_CURSOR      0x0008  /* WITH HOLD */
#define NGX_HYPERDRIVE_SQL_LEAVES_PREPARED    0x0010
#define NGX_HYPERDRIVE_SQL_LEAVES_SETTING     0x0020
#define NGX_HYPERDRIVE_SQL_LEAVES_LIBRARY     0x0040
#define NGX_HYPERDRIVE_SQL_LEAVES_SEED        0x0080
#define NGX_HYPERDRIVE_SQL_LEAVES_SEQUENCE    0x0100  /* currval, lastval */
#define NGX_HYPERDRIVE_SQL_LEAVES_FUNCTION    0x0200
#define NGX_HYPERDRIVE_SQL_LEAVES_CALL        0x0400  /* DO */
#define NGX_HYPERDRIVE_SQL_LEAVES_VARIABLE    0x1000  /* @name */
#define NGX_HYPERDRIVE_SQL_LEAVES_TABLES      0x2000  /* LOCK TABLES */
#define NGX_HYPERDRIVE_SQL_LEAVES_XA          0x4000
#define NGX_HYPERDRIVE_SQL_LEAVES_NOTHING     0x10000 /* it only looks */


/*
 * MySQL: what a statement asks about the one before it on its connection, or
 * about an earlier one.
 */

#define NGX_HYPERDRIVE_SQL_ASKS_INSERT_ID     0x01    /* LAST_INSERT_ID() */
#define NGX_HYPERDRIVE_SQL_ASKS_FOUND_ROWS    0x02
#define NGX_HYPERDRIVE_SQL_ASKS_ROW_COUNT     0x04
#define NGX_HYPERDRIVE_SQL_ASKS_WARNINGS      0x08    /* SHOW WARNINGS, GET
                                                         DIAGNOSTICS... */


typedef struct {
    ngx_hyperdrive_sql_kind_e    kind;      /* of several statements: the one
                                               with the largest consequence */
    ngx_hyperdrive_sql_reason_e  reason;
    ngx_uint_t                   nstatements;  /* without empty ones */

    /*
     * The session on this connection may be left other than it was found:
     * SET, LISTEN, temporary tables, advisory locks, WITH HOLD cursors,
     * nextval/currval/lastval/setval, set_config, setseed, SQL-level PREPARE,
     * DO, CALL, LOAD, large objects, and every function that is not on the
     * list of those known to be harmless.  Unknown means yes.
     */
    unsigned                     stateful:1;
    ngx_uint_t                   leaves;    /* ...by what: _SQL_LEAVES_... */
    unsigned                     recalls:1; /* ...lastval() or currval() */
    unsigned                     fetches:1; /* FETCH or MOVE: what a cursor is
                                               for runs */

    /*
     * Rows or the catalog may be changed: by what the statement is, or by a
     * function that it calls.  Not set for COMMIT, nor for a FETCH.
     */
    unsigned                     may_write:1;

    /* what a session begins with may be changed: ALTER ROLE, DATABASE */
    unsigned                     defaults:1;

    /* the table list is not all: more than MAX_TABLES, or not understood */
    unsigned                     incomplete:1;

    /* a function that is not in pg_catalog is called: it may do anything */
    unsigned                     unknown_function:1;

    /*
     * What holds if all that is in functions[] is harmless; the fields above
     * take it for the worst.
     */
    ngx_hyperdrive_sql_reason_e  known_reason;
    unsigned                     known_stateful:1;
    unsigned                     known_may_write:1;

    /* something is run that may do anything and is not in functions[] */
    unsigned                     anything:1;

    /*
     * The clock of the transaction, or who asks, is looked at, in MySQL a
     * random number as well: <reason> says so, known_reason does not.
     */
    unsigned                     stable:1;

    /* BEGIN, COMMIT, ROLLBACK, SAVEPOINT or one of the two-phase commands is
       among the statements */
    unsigned                     transaction_control:1;

    unsigned                     begin_plain:1;    /* BEGIN without options */
    unsigned                     serializable:1;   /* ISOLATION LEVEL ... */
    unsigned                     read_only:1;      /* BEGIN ... READ ONLY */
    unsigned                     temporary:1;      /* makes or names something
                                                      temporary */
    unsigned                     create_temporary:1; /* CREATE TEMP TABLE or
                                                        VIEW, the last one */
    unsigned                     copy_in:1;        /* COPY ... FROM */

    /*
     * Cannot run in a transaction block, or not in one unit with others:
     * VACUUM, CREATE DATABASE, ... CONCURRENTLY, ALTER SYSTEM, CALL, DO,
     * COMMIT PREPARED, DISCARD, SET TRANSACTION.  May be set for one that
     * could.
     */
    unsigned                     alone:1;

    /* MySQL: what is open is committed before it runs */
    unsigned                     commits_first:1;
    unsigned                     autocommit:1; /* it is set */
    unsigned                     dynamic:1;  /* PREPARE, EXECUTE */
    unsigned                     chain:1;    /* COMMIT AND CHAIN */
    unsigned                     release:1;  /* ...RELEASE: the connection
                                                ends */
    unsigned                     snapshot:1; /* WITH CONSISTENT SNAPSHOT */
    unsigned                     variables:1;  /* @name is read */
    unsigned                     no_cache:1; /* SQL_NO_CACHE */
    unsigned                     asks:4;     /* _SQL_ASKS_... */
    unsigned                     calc:1;     /* SQL_CALC_FOUND_ROWS */
    unsigned                     brief:1;    /* SET STATEMENT ... FOR */
    unsigned                     paged:1;    /* rows are left out in front:
                                                OFFSET */
    unsigned                     listed:1;   /* SHOW, as a query of
                                                information_schema */

    /* names or functions are read from the text of the whole statement list */
    ngx_uint_t                   ntables;
    ngx_hyperdrive_sql_table_t   tables[NGX_HYPERDRIVE_SQL_MAX_TABLES];

    ngx_uint_t                   nfunctions;
    ngx_hyperdrive_sql_function_t
                              functions[NGX_HYPERDRIVE_SQL_MAX_FUNCTIONS];

    /* first keyword, upper case, for logs and counters; never a literal;
       ends with a NUL; empty if the text begins with no keyword */
    u_char                       verb[16];
} ngx_hyperdrive_sql_facts_t;


/* what a BEGIN asks for */

typedef enum {
    NGX_HYPERDRIVE_SQL_ISOLATION_DEFAULT = 0,      /* nothing: the session's
                                                      default_... decides */
    NGX_HYPERDRIVE_SQL_ISOLATION_READ_COMMITTED,   /* or READ UNCOMMITTED,
                                                      which is the same */
    NGX_HYPERDRIVE_SQL_ISOLATION_SNAPSHOT          /* one for the block */
} ngx_hyperdrive_sql_isolation_e;


typedef struct {
    ngx_hyperdrive_sql_kind_e         kind;        /* BEGIN, COMMIT,
                                                      ROLLBACK */
    ngx_hyperdrive_sql_isolation_e    isolation;
    unsigned                          read_only:1;
    unsigned                          start:1;     /* START TRANSACTION */
} ngx_hyperdrive_sql_transaction_t;


/* how the server will read the text: part of what facts are kept under */

typedef struct {
    unsigned                     standard_conforming_strings:1;

    /*
     * client_encoding is one whose characters may have a backslash, a quote
     * or another ASCII byte as a later byte (SJIS, BIG5, GBK, GB18030, UHC,
     * JOHAB): a text with bytes over 0x7f is then UNKNOWN.
     */
    unsigned                     unsafe_encoding:1;
    unsigned                     masked:1;   /* they stand for themselves no
                                                more, see _sql_set_mask() */

    /* how an unsafe encoding is cut, of MySQL and MariaDB the character set */

    unsigned                     charset:3;

    /* MySQL and MariaDB: base/ngx_hyperdrive_base_mode.h says what they are */

    unsigned                     mysql:1;
    unsigned                     mariadb:1;
    unsigned                     ansi_quotes:1;
    unsigned                     no_backslash:1;
    unsigned                     ignore_space:1;
    unsigned                     unread:1;   /* sql_mode=ORACLE... */
    ngx_uint_t                   version;    /* 101106; 0: not known */
} ngx_hyperdrive_sql_mode_t;


/* from the number that statements are kept under */
void ngx_hyperdrive_sql_mode(ngx_uint_t bits, ngx_hyperdrive_sql_mode_t *mode);


/*
 * Reads <text>, which may hold anything, and fills <facts>.  Memory for
 * folded names comes from <names> (at most <size> bytes of it; when it is too
 * small the reason becomes TOO_COMPLEX and the table list is incomplete;
 * text->len bytes are always enough).
 * Never fails: what is not understood is kind UNKNOWN, reason PARSE,
 * stateful.  Time is linear in the text.
 *
 * What no text tells, and ngx_hyperdrive_sql_catalog.h does: that a table is a
 * view, a sequence or a foreign table, that it has triggers, rules or
 * row-level security; that a name of pg_catalog has an overload of the user's
 * for types of his own; that "t.f" is a call of the user's function f(t); that
 * an operator, a cast or a type is the user's own.  What nobody tells: that a
 * text column or a parameter cast to a date holds 'now'.  For parameters there
 * is ngx_hyperdrive_sql_clock_text().
 */
void ngx_hyperdrive_sql_classify(ngx_str_t *text,
    ngx_hyperdrive_sql_mode_t *mode, u_char *names, size_t size,
    ngx_hyperdrive_sql_facts_t *facts);

/*
 * 1 if date and time types may read this text, a parameter's value, as a
 * moment that depends on the clock ('now', 'today'...): then an answer may
 * not come from the cache either.
 */
ngx_uint_t ngx_hyperdrive_sql_clock_text(u_char *data, size_t len);

/*
 * A BEGIN or START TRANSACTION, COMMIT or END, ROLLBACK or ABORT, alone, of
 * which every word is understood (not AND CHAIN): NGX_OK; else NGX_DECLINED.
 */
ngx_int_t ngx_hyperdrive_sql_transaction(ngx_str_t *text,
    ngx_hyperdrive_sql_transaction_t *tr);


/* PREPARE or EXECUTE */

typedef struct {
    ngx_str_t                    name;      /* in the text, quotes included */
    ngx_str_t                    body;      /* PREPARE: what is prepared, also
                                               in the text; else empty */
    unsigned                     plain:1;   /* EXECUTE: there are no arguments
                                               but constants and parameters */
} ngx_hyperdrive_sql_prepare_t;


/*
 * [EXPLAIN] EXECUTE, or PREPARE (not TRANSACTION), alone, as the classifier
 * has found: NGX_OK; NGX_DECLINED: it is not understood.
 */
ngx_int_t ngx_hyperdrive_sql_prepare(ngx_str_t *text,
    ngx_hyperdrive_sql_mode_t *mode, ngx_hyperdrive_sql_prepare_t *p);

/*
 * MySQL's PREPARE and EXECUTE, alone: NGX_OK and <body>, what is prepared or
 * executed, in the text; empty: EXECUTE of what was prepared.  NGX_DECLINED:
 * what that is the text does not say, or not as it is.
 */
ngx_int_t ngx_hyperdrive_sql_mysql_prepare(ngx_str_t *text,
    ngx_hyperdrive_sql_mode_t *mode, ngx_str_t *body);

ngx_str_t *ngx_hyperdrive_sql_kind_name(ngx_hyperdrive_sql_kind_e kind);
ngx_str_t *ngx_hyperdrive_sql_reason_name(ngx_hyperdrive_sql_reason_e reason);


#endif /* _NGX_HYPERDRIVE_SQL_H_INCLUDED_ */
