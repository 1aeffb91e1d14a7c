
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "sql/ngx_hyperdrive_sql_scan.h"


/* expressions: which words call a function, and which are grammar */


#define K(id)  NGX_HYPERDRIVE_SQL_K_##id


static void ngx_hyperdrive_sql_expr_label(ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_expr_reserved(ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_expr_function(ngx_hyperdrive_sql_scan_t *s);
static ngx_uint_t ngx_hyperdrive_sql_expr_syntax(ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_expr_name(ngx_hyperdrive_sql_scan_t *s);
static ngx_uint_t ngx_hyperdrive_sql_expr_operand(
    ngx_hyperdrive_sql_token_t *token);


/* a word where expressions are */

void
ngx_hyperdrive_sql_expr(ngx_hyperdrive_sql_scan_t *s)
{
    if (s->prev.type == NGX_HYPERDRIVE_SQL_T_DOT) {
        ngx_hyperdrive_sql_names_field(s);
        return;
    }

    if (s->prev.type == NGX_HYPERDRIVE_SQL_T_CAST
        || s->prev.keyword == K(AS))
    {
        ngx_hyperdrive_sql_expr_label(s);
        return;
    }

    if (s->tok.category != NGX_HYPERDRIVE_SQL_RESERVED
        && s->next.type == NGX_HYPERDRIVE_SQL_T_DOT)
    {
        ngx_hyperdrive_sql_expr_name(s);
        return;
    }

    if (ngx_hyperdrive_sql_query_clause(s)
        || ngx_hyperdrive_sql_expr_special(s))
    {
        return;
    }

    switch (s->tok.category) {

    case NGX_HYPERDRIVE_SQL_RESERVED:
        ngx_hyperdrive_sql_expr_reserved(s);
        return;

    case NGX_HYPERDRIVE_SQL_COLUMN:
        ngx_hyperdrive_sql_expr_column(s);
        return;

    case NGX_HYPERDRIVE_SQL_FUNCTION_OR_TYPE:
        ngx_hyperdrive_sql_expr_function(s);
        return;

    default:

        if (s->next.type == NGX_HYPERDRIVE_SQL_T_OPEN
            && ngx_hyperdrive_sql_expr_syntax(s))
        {
            return;
        }

        if ((s->tok.keyword == K(DELETE) && s->next.keyword == K(FROM))
            || ((s->tok.keyword == K(INSERT) || s->tok.keyword == K(MERGE))
                && s->next.keyword == K(INTO)))
        {
            /* not where we look for one; to be sure */

            s->write = 1;
        }

        ngx_hyperdrive_sql_expr_name(s);
        return;
    }
}


/* behind "::" a type, perhaps with modifiers; behind AS a type or a label */

static void
ngx_hyperdrive_sql_expr_label(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_names_t  name;

    ngx_hyperdrive_sql_names_read(s, &name);
    ngx_hyperdrive_sql_names_other(s, &name);

    switch (s->tok.keyword) {

    case K(BIT):
    case K(CHAR):
    case K(CHARACTER):
    case K(INTERVAL):
    case K(NCHAR):
    case K(TIME):

        /* more words may follow */

        return;

    default:

        /* whatever it looks like, it is no keyword here */

        s->tok.keyword = K(OTHER);
        return;
    }
}


static void
ngx_hyperdrive_sql_expr_reserved(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_names_t        name;
    ngx_hyperdrive_sql_scan_frame_t  *f;

    f = ngx_hyperdrive_sql_scan_top(s);

    if (s->tok.keyword == K(DISTINCT)) {
        s->distinct = (s->prev.keyword == K(IS)
                       || (s->prev.keyword == K(NOT)
                           && s->before.keyword == K(IS)));
        return;
    }

    if (f->ddl && s->tok.keyword == K(REFERENCES)) {
        ngx_hyperdrive_sql_scan_next(s);
        ngx_hyperdrive_sql_names_read(s, &name);

        if (s->next.type == NGX_HYPERDRIVE_SQL_T_OPEN) {
            s->open = NGX_HYPERDRIVE_SQL_SCAN_OPEN_NAMES;
        }
    }
}


/* a column, or a function or a type that is part of the grammar */

void
ngx_hyperdrive_sql_expr_column(ngx_hyperdrive_sql_scan_t *s)
{
    if (s->next.type != NGX_HYPERDRIVE_SQL_T_OPEN) {
        ngx_hyperdrive_sql_expr_name(s);
        return;
    }

    switch (s->tok.keyword) {

    case K(EXTRACT):
    case K(SUBSTRING):
    case K(TRIM):
    case K(OVERLAY):
        s->open = NGX_HYPERDRIVE_SQL_SCAN_OPEN_FROM;
        return;

    case K(TREAT):

        /* calls the function that has the name of the type */

        ngx_hyperdrive_sql_scan_leaves(s, NGX_HYPERDRIVE_SQL_LEAVES_FUNCTION);
        s->facts->may_write = 1;
        s->facts->unknown_function = 1;
        s->facts->anything = 1;

        ngx_hyperdrive_sql_names_reason(s, NGX_HYPERDRIVE_SQL_FUNCTION);
        return;

    default:

        /* COALESCE, ROW, EXISTS, XML..., or a type with modifiers */

        return;
    }
}


/* an operator in letters, a word of joins, or a function of this name */

static void
ngx_hyperdrive_sql_expr_function(ngx_hyperdrive_sql_scan_t *s)
{
    if (s->tok.keyword == K(COLLATION) && s->next.keyword == K(FOR)) {

        /* COLLATION FOR (...) */

        ngx_hyperdrive_sql_names_reason(s, NGX_HYPERDRIVE_SQL_VOLATILE);
        ngx_hyperdrive_sql_scan_next(s);
        return;
    }

    if (s->next.type != NGX_HYPERDRIVE_SQL_T_OPEN) {
        return;
    }

    if (s->tok.keyword == K(ILIKE)
        && (ngx_hyperdrive_sql_expr_operand(&s->prev)
            || (s->prev.keyword == K(NOT)
                && ngx_hyperdrive_sql_expr_operand(&s->before))))
    {
        /* x [NOT] ILIKE (y); functions like() and overlaps() exist */

        return;
    }

    ngx_hyperdrive_sql_expr_name(s);
}


/* values that look at the clock, or at who asks */

ngx_uint_t
ngx_hyperdrive_sql_expr_special(ngx_hyperdrive_sql_scan_t *s)
{
    switch (s->tok.keyword) {

    case K(CURRENT_CATALOG):
    case K(CURRENT_DATE):
    case K(CURRENT_ROLE):
    case K(CURRENT_SCHEMA):
    case K(CURRENT_TIME):
    case K(CURRENT_TIMESTAMP):
    case K(CURRENT_USER):
    case K(LOCALTIME):
    case K(LOCALTIMESTAMP):
    case K(SESSION_USER):
    case K(USER):
        s->facts->stable = 1;

        if (s->next.type == NGX_HYPERDRIVE_SQL_T_OPEN) {
            s->open = NGX_HYPERDRIVE_SQL_SCAN_OPEN_FROM;
        }

        return 1;

    default:
        return 0;
    }
}


/*
 * An unreserved word with "(" behind it: is it syntax?  Whatever is not seen
 * to be is a function.
 */

static ngx_uint_t
ngx_hyperdrive_sql_expr_syntax(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_token_t       *prev;
    ngx_hyperdrive_sql_scan_frame_t  *f;

    prev = &s->prev;
    f = ngx_hyperdrive_sql_scan_top(s);

    switch (s->tok.keyword) {

    case K(OPERATOR):
        ngx_hyperdrive_sql_names_operator(s);
        return 1;

    case K(FILTER):
    case K(OVER):
        return prev->type == NGX_HYPERDRIVE_SQL_T_CLOSE;

    case K(BY):
        return prev->keyword == K(GROUP) || prev->keyword == K(ORDER)
               || prev->keyword == K(PARTITION);

    case K(SETS):

        if (f->group && prev->keyword == K(GROUPING)) {
            s->open = NGX_HYPERDRIVE_SQL_SCAN_OPEN_SETS;
            return 1;
        }

        return 0;

    case K(CUBE):
    case K(ROLLUP):

        if (f->group
            && (prev->keyword == K(BY) || prev->keyword == K(ALL)
                || prev->keyword == K(DISTINCT)
                || prev->type == NGX_HYPERDRIVE_SQL_T_COMMA
                || prev->type == NGX_HYPERDRIVE_SQL_T_OPEN))
        {
            /* a row in it, or the list of a CUBE, is made of expressions */

            return 1;
        }

        return 0;

    case K(ZONE):
        return prev->keyword == K(TIME);

    case K(ESCAPE):
        return ngx_hyperdrive_sql_expr_operand(prev);

    case K(VARYING):

        if (prev->keyword == K(CHAR) || prev->keyword == K(CHARACTER)
            || prev->keyword == K(NCHAR) || prev->keyword == K(BIT))
        {
            s->open = NGX_HYPERDRIVE_SQL_SCAN_OPEN_NAMES;
            return 1;
        }

        return 0;

    case K(SECOND):

        if (prev->keyword == K(TO) || prev->keyword == K(INTERVAL)
            || prev->type == NGX_HYPERDRIVE_SQL_T_STRING)
        {
            s->open = NGX_HYPERDRIVE_SQL_SCAN_OPEN_NAMES;
            return 1;
        }

        return 0;

    case K(FIRST):
    case K(NEXT):
        return prev->keyword == K(FETCH);

    case K(CONFLICT):
        return f->verb == K(INSERT) && prev->keyword == K(ON);

    case K(SET):

        /* SET (a, b) = (...) */

        return (f->verb != K(OTHER) && prev->keyword == K(UPDATE))
               || (f->ddl && s->depth == 0);

    case K(INSERT):
        return f->verb == K(MERGE);

    case K(KEY):
        return prev->keyword == K(PRIMARY) || prev->keyword == K(FOREIGN);

    case K(EXCLUDE):
    case K(INCLUDE):
    case K(INHERITS):
    case K(OPTIONS):
    case K(RESET):
        return f->ddl && s->depth == 0;

    default:
        return 0;
    }
}


/* a name where expressions are: a function, a column, a type */

static void
ngx_hyperdrive_sql_expr_name(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_uint_t                        type;
    ngx_hyperdrive_sql_names_t        name;
    ngx_hyperdrive_sql_scan_frame_t  *f;

    f = ngx_hyperdrive_sql_scan_top(s);

    /*
     * In DDL "c numeric (3)" is a type with its modifiers, "(x) gin_ops (3)"
     * an operator class.  No function follows an operand in an expression.
     */

    type = (f->ddl && !f->query
            && (ngx_hyperdrive_sql_expr_operand(&s->prev)
                || s->prev.keyword == K(TYPE)));

    ngx_hyperdrive_sql_names_read(s, &name);

    if (s->next.type == NGX_HYPERDRIVE_SQL_T_OPEN && !type) {
        ngx_hyperdrive_sql_names_function(s, &name);
        return;
    }

    ngx_hyperdrive_sql_names_other(s, &name);
}


/* does an expression end with this token, for sure? */

static ngx_uint_t
ngx_hyperdrive_sql_expr_operand(ngx_hyperdrive_sql_token_t *token)
{
    switch (token->type) {

    case NGX_HYPERDRIVE_SQL_T_NAME:
    case NGX_HYPERDRIVE_SQL_T_STRING:
    case NGX_HYPERDRIVE_SQL_T_BITS:
    case NGX_HYPERDRIVE_SQL_T_NUMBER:
    case NGX_HYPERDRIVE_SQL_T_PARAM:
    case NGX_HYPERDRIVE_SQL_T_CLOSE:
    case NGX_HYPERDRIVE_SQL_T_CLOSE_BRACKET:
        return 1;

    case NGX_HYPERDRIVE_SQL_T_WORD:
        return token->category == NGX_HYPERDRIVE_SQL_NOT_KEYWORD
               || token->keyword == K(END) || token->keyword == K(NULL)
               || token->keyword == K(TRUE);

    default:
        return 0;
    }
}
