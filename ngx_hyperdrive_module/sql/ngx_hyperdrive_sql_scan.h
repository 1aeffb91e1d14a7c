
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_SQL_SCAN_H_INCLUDED_
#define _NGX_HYPERDRIVE_SQL_SCAN_H_INCLUDED_


#include "sql/ngx_hyperdrive_sql_lexer.h"


/*
 * The part of the classifier that walks through one statement.  It is not a
 * parser: it keeps one frame for each open parenthesis, knows in each where
 * a table, a function, a name or an expression may stand, and takes what it
 * does not expect for the worst.  A text that the server would refuse may be
 * taken for anything; one that it would accept may not be taken for less
 * than it is.
 */


#define NGX_HYPERDRIVE_SQL_SCAN_DEPTH  512
#define NGX_HYPERDRIVE_SQL_SCAN_CTES   64
#define NGX_HYPERDRIVE_SQL_SCAN_DECLARED  64


/* where in a frame we are */

typedef enum {
    NGX_HYPERDRIVE_SQL_SCAN_SKIP = 0,    /* nothing of interest up to its
                                            end */
    NGX_HYPERDRIVE_SQL_SCAN_START,       /* a query must begin */
    NGX_HYPERDRIVE_SQL_SCAN_PAREN,       /* behind "(": a query may begin */
    NGX_HYPERDRIVE_SQL_SCAN_EXPR,        /* expressions, clauses */
    NGX_HYPERDRIVE_SQL_SCAN_SELECT,      /* the list behind SELECT */
    NGX_HYPERDRIVE_SQL_SCAN_FROM,        /* a table must come */
    NGX_HYPERDRIVE_SQL_SCAN_FROM_AFTER,  /* behind a table */
    NGX_HYPERDRIVE_SQL_SCAN_FROM_ALIAS,  /* behind its AS */
    NGX_HYPERDRIVE_SQL_SCAN_FROM_ON,     /* a join's condition */
    NGX_HYPERDRIVE_SQL_SCAN_INSERT,      /* behind the target of INSERT */
    NGX_HYPERDRIVE_SQL_SCAN_WITH,        /* a name must come */
    NGX_HYPERDRIVE_SQL_SCAN_WITH_AS,     /* its column list, AS */
    NGX_HYPERDRIVE_SQL_SCAN_WITH_BODY,   /* MATERIALIZED, "(" */
    NGX_HYPERDRIVE_SQL_SCAN_WITH_AFTER,  /* behind ")" */
    NGX_HYPERDRIVE_SQL_SCAN_WITH_SEARCH, /* SEARCH or CYCLE, up to SET */
    NGX_HYPERDRIVE_SQL_SCAN_WITH_SET,    /* the name behind SET or USING */
    NGX_HYPERDRIVE_SQL_SCAN_WITH_CYCLE,  /* TO ... DEFAULT ... USING */
    NGX_HYPERDRIVE_SQL_SCAN_DDL,         /* CREATE TABLE and the like: a query
                                            may follow an AS */
    NGX_HYPERDRIVE_SQL_SCAN_COPY,        /* behind what COPY copies */
    NGX_HYPERDRIVE_SQL_SCAN_SET          /* MySQL: what is set must come */
} ngx_hyperdrive_sql_scan_state_e;


/* what the next "(" will open, if it is not an expression */

typedef enum {
    NGX_HYPERDRIVE_SQL_SCAN_OPEN_EXPR = 0,
    NGX_HYPERDRIVE_SQL_SCAN_OPEN_NAMES,  /* names and types only */
    NGX_HYPERDRIVE_SQL_SCAN_OPEN_FROM,   /* EXTRACT and the like: FROM is
                                            no clause */
    NGX_HYPERDRIVE_SQL_SCAN_OPEN_ROWS,   /* ROWS FROM */
    NGX_HYPERDRIVE_SQL_SCAN_OPEN_SETS,   /* GROUPING SETS */
    NGX_HYPERDRIVE_SQL_SCAN_OPEN_AGE,
    NGX_HYPERDRIVE_SQL_SCAN_OPEN_SET_CONFIG
} ngx_hyperdrive_sql_scan_open_e;


typedef struct {
    ngx_hyperdrive_sql_token_t       cte;        /* the one being defined */

    ngx_hyperdrive_sql_scan_state_e  state;
    ngx_hyperdrive_sql_scan_open_e   open;
    ngx_hyperdrive_sql_keyword_e     verb;       /* INSERT, UPDATE, ... */

    ngx_uint_t                       nctes;      /* when it was opened */
    ngx_uint_t                       commas;
    ngx_uint_t                       tokens;     /* since the last comma */

    unsigned                         query:1;    /* clauses are clauses */
    unsigned                         bracket:1;
    unsigned                         body:1;     /* of a CTE: may write */
    unsigned                         group:1;    /* in a list of GROUP BY */
    unsigned                         recursive:1;
    unsigned                         target:1;   /* the next table is written */
    unsigned                         targets:1;  /* all of them */
    unsigned                         using:1;    /* USING of DELETE, MERGE */
    unsigned                         sample:1;   /* TABLESAMPLE */
    unsigned                         into:1;     /* behind SELECT ... INTO */
    unsigned                         ddl:1;
    unsigned                         names:1;    /* of DDL: lists are not run */
} ngx_hyperdrive_sql_scan_frame_t;


struct ngx_hyperdrive_sql_scan_s {
    ngx_hyperdrive_sql_lexer_t           lexer;
    const ngx_hyperdrive_sql_dialect_t  *dialect;
    ngx_hyperdrive_sql_facts_t          *facts;

    u_char                              *names;
    u_char                              *names_last;

    /* a window of four tokens; tok is the one in work */
    ngx_hyperdrive_sql_token_t           before;
    ngx_hyperdrive_sql_token_t           prev;
    ngx_hyperdrive_sql_token_t           tok;
    ngx_hyperdrive_sql_token_t           next;

    ngx_hyperdrive_sql_scan_open_e       open;
    ngx_uint_t                           depth;
    ngx_uint_t                           nctes;

    ngx_hyperdrive_sql_table_t          *copy;        /* what COPY names */

    /* found in the statement in work */
    ngx_hyperdrive_sql_kind_e            kind;
    unsigned                             write:1;     /* changes rows */
    unsigned                             into:1;      /* SELECT INTO */
    unsigned                             explain:1;
    unsigned                             analyze:1;   /* EXPLAIN ANALYZE */
    unsigned                             create:1;
    unsigned                             routine:1;   /* CREATE FUNCTION */
    unsigned                             distinct:1;  /* IS DISTINCT */
    unsigned                             copy_query:1;  /* COPY (...) */

    /* MySQL: the body of a routine, with variables of its own */
    unsigned                             body:1;
    ngx_uint_t                           ndeclared;

    /* the text cannot be told, <kind> is UNKNOWN, nothing is read any more */
    unsigned                             failed:1;

    ngx_hyperdrive_sql_token_t           ctes[NGX_HYPERDRIVE_SQL_SCAN_CTES];
    ngx_str_t                            declared
                                             [NGX_HYPERDRIVE_SQL_SCAN_DECLARED];
    ngx_hyperdrive_sql_scan_frame_t      frames[NGX_HYPERDRIVE_SQL_SCAN_DEPTH];
};


#define ngx_hyperdrive_sql_scan_top(s)  (&(s)->frames[(s)->depth])


/* moves the window by one */
void ngx_hyperdrive_sql_scan_next(ngx_hyperdrive_sql_scan_t *s);

/* walks to the semicolon or the end, from the state of frames[0] */
void ngx_hyperdrive_sql_scan(ngx_hyperdrive_sql_scan_t *s);

/* a word that is not read, but for what has consequences anywhere */
void ngx_hyperdrive_sql_scan_skip(ngx_hyperdrive_sql_scan_t *s);

/* gives up: everything that may be wrong is */
/* something may be left in the session */

static ngx_inline void
ngx_hyperdrive_sql_scan_leaves(ngx_hyperdrive_sql_scan_t *s, ngx_uint_t what)
{
    s->facts->stateful = 1;
    s->facts->leaves |= what;
}


void ngx_hyperdrive_sql_scan_fail(ngx_hyperdrive_sql_scan_t *s,
    ngx_hyperdrive_sql_reason_e reason);


/* statements: ngx_hyperdrive_sql_classify.c and _ddl.c */

/* the first words of a statement: they leave frames[0] in the state in which
   the rest is to be read */
void ngx_hyperdrive_sql_classify_dispatch(ngx_hyperdrive_sql_scan_t *s);

/* a scan of <text>, with no token read yet */
void ngx_hyperdrive_sql_classify_init(ngx_hyperdrive_sql_scan_t *s,
    ngx_str_t *text, ngx_hyperdrive_sql_mode_t *mode, u_char *names,
    size_t size, ngx_hyperdrive_sql_facts_t *facts);
/* one statement, to its end */
void ngx_hyperdrive_sql_classify_statement(ngx_hyperdrive_sql_scan_t *s);

/* nothing of this statement is to be read */
void ngx_hyperdrive_sql_classify_skip(ngx_hyperdrive_sql_scan_t *s,
    ngx_hyperdrive_sql_kind_e kind, ngx_uint_t stateful);

/* a list of tables follows */
void ngx_hyperdrive_sql_classify_tables(ngx_hyperdrive_sql_scan_t *s,
    ngx_hyperdrive_sql_kind_e kind);

void ngx_hyperdrive_sql_ddl_create(ngx_hyperdrive_sql_scan_t *s);
void ngx_hyperdrive_sql_ddl_alter(ngx_hyperdrive_sql_scan_t *s);
void ngx_hyperdrive_sql_ddl_declare(ngx_hyperdrive_sql_scan_t *s);
void ngx_hyperdrive_sql_ddl_drop(ngx_hyperdrive_sql_scan_t *s);
void ngx_hyperdrive_sql_ddl_call(ngx_hyperdrive_sql_scan_t *s);

/* the name of a table must follow; then s->tok is what is behind it */
ngx_hyperdrive_sql_table_t *ngx_hyperdrive_sql_ddl_target(
    ngx_hyperdrive_sql_scan_t *s, ngx_uint_t written);

/* a word in state DDL */
void ngx_hyperdrive_sql_ddl_word(ngx_hyperdrive_sql_scan_t *s);


/* words in a query, by state: ngx_hyperdrive_sql_query.c */

void ngx_hyperdrive_sql_query_start(ngx_hyperdrive_sql_scan_t *s);
void ngx_hyperdrive_sql_query_with(ngx_hyperdrive_sql_scan_t *s);
void ngx_hyperdrive_sql_query_from(ngx_hyperdrive_sql_scan_t *s);
void ngx_hyperdrive_sql_query_from_after(ngx_hyperdrive_sql_scan_t *s);
void ngx_hyperdrive_sql_query_insert(ngx_hyperdrive_sql_scan_t *s);

/*
 * The words that begin a clause, wherever in a query they stand.  Returns 0
 * if the word is none of them, or not here.
 */
ngx_uint_t ngx_hyperdrive_sql_query_clause(ngx_hyperdrive_sql_scan_t *s);

/* the name of a WITH query can be seen from here on */
void ngx_hyperdrive_sql_query_cte(ngx_hyperdrive_sql_scan_t *s,
    ngx_hyperdrive_sql_token_t *token);


/* words in an expression: ngx_hyperdrive_sql_expr.c */

void ngx_hyperdrive_sql_expr(ngx_hyperdrive_sql_scan_t *s);
void ngx_hyperdrive_sql_expr_column(ngx_hyperdrive_sql_scan_t *s);

/* returns 1 if it is a value that looks at the clock, or at who asks */
ngx_uint_t ngx_hyperdrive_sql_expr_special(ngx_hyperdrive_sql_scan_t *s);


/* names: ngx_hyperdrive_sql_names.c */

typedef struct {
    ngx_uint_t                           n;         /* parts */
    ngx_hyperdrive_sql_token_t           schema;    /* the last but one */
    ngx_hyperdrive_sql_token_t           last;
} ngx_hyperdrive_sql_names_t;


/*
 * Reads a.b.c from s->tok on; then s->tok is its last part.  Nothing more is
 * read behind a dot that no name follows.
 */
void ngx_hyperdrive_sql_names_read(ngx_hyperdrive_sql_scan_t *s,
    ngx_hyperdrive_sql_names_t *name);

/*
 * Takes the name for a table.  Returns NULL if it is that of a CTE, or if
 * there is no room for it.
 */
ngx_hyperdrive_sql_table_t *ngx_hyperdrive_sql_names_table(
    ngx_hyperdrive_sql_scan_t *s, ngx_hyperdrive_sql_names_t *name,
    ngx_uint_t written);

/* is it one of the server's own? */
ngx_uint_t ngx_hyperdrive_sql_names_system_pg(ngx_str_t *schema,
    ngx_str_t *table);

typedef enum {
    NGX_HYPERDRIVE_SQL_NAMES_FUNCTION = 0,
    NGX_HYPERDRIVE_SQL_NAMES_OPERATOR,
    NGX_HYPERDRIVE_SQL_NAMES_PROCEDURE
} ngx_hyperdrive_sql_names_call_e;

/* puts down what only the catalog knows; <schema> NULL: it was named without
   one */
void ngx_hyperdrive_sql_names_unknown(ngx_hyperdrive_sql_scan_t *s,
    ngx_hyperdrive_sql_token_t *schema, ngx_hyperdrive_sql_token_t *token,
    ngx_hyperdrive_sql_names_call_e call);

/* takes the name for a function that is called */
void ngx_hyperdrive_sql_names_function(ngx_hyperdrive_sql_scan_t *s,
    ngx_hyperdrive_sql_names_t *name);

/* the same for a table sampling method */
void ngx_hyperdrive_sql_names_sample(ngx_hyperdrive_sql_scan_t *s,
    ngx_hyperdrive_sql_names_t *name);

/* takes the name for a column, a type, or whatever else is no call */
void ngx_hyperdrive_sql_names_other(ngx_hyperdrive_sql_scan_t *s,
    ngx_hyperdrive_sql_names_t *name);

/* the word behind ")." or "].": a field, or a function of one argument */
void ngx_hyperdrive_sql_names_field(ngx_hyperdrive_sql_scan_t *s);

/* s->tok is OPERATOR and "(" follows; then s->tok is ")" */
void ngx_hyperdrive_sql_names_operator(ngx_hyperdrive_sql_scan_t *s);

void ngx_hyperdrive_sql_names_symbol(ngx_hyperdrive_sql_scan_t *s,
    ngx_hyperdrive_sql_token_t *token);

/* is it the schema of temporary tables? */
ngx_uint_t ngx_hyperdrive_sql_names_temp(ngx_hyperdrive_sql_scan_t *s,
    ngx_hyperdrive_sql_token_t *token);

/* the first reason counts */
void ngx_hyperdrive_sql_names_reason(ngx_hyperdrive_sql_scan_t *s,
    ngx_hyperdrive_sql_reason_e reason);


#endif /* _NGX_HYPERDRIVE_SQL_SCAN_H_INCLUDED_ */
