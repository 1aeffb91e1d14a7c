
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "sql/ngx_hyperdrive_sql_scan.h"


/* queries: WITH, FROM, the target of a write, the clauses */


#define K(id)  NGX_HYPERDRIVE_SQL_K_##id


static void ngx_hyperdrive_sql_query_with_after(ngx_hyperdrive_sql_scan_t *s);
static ngx_uint_t ngx_hyperdrive_sql_query_from_word(
    ngx_hyperdrive_sql_scan_t *s);
static ngx_uint_t ngx_hyperdrive_sql_query_into_word(
    ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_query_from_item(ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_query_clause_from(ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_query_clause_on(ngx_hyperdrive_sql_scan_t *s);


void
ngx_hyperdrive_sql_query_start(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_scan_frame_t  *f;

    f = ngx_hyperdrive_sql_scan_top(s);

    f->query = 1;
    f->group = 0;
    f->ddl = 0;

    switch (s->tok.keyword) {

    case K(SELECT):
        f->state = NGX_HYPERDRIVE_SQL_SCAN_SELECT;
        return;

    case K(VALUES):
        f->state = NGX_HYPERDRIVE_SQL_SCAN_EXPR;
        return;

    case K(TABLE):
        f->state = NGX_HYPERDRIVE_SQL_SCAN_FROM;
        return;

    case K(WITH):
        f->state = NGX_HYPERDRIVE_SQL_SCAN_WITH;
        f->recursive = 0;
        return;

    case K(ALL):
    case K(DISTINCT):

        if (s->prev.keyword == K(UNION) || s->prev.keyword == K(INTERSECT)
            || s->prev.keyword == K(EXCEPT))
        {
            return;
        }

        break;

    case K(INSERT):
    case K(UPDATE):
    case K(DELETE):
    case K(MERGE):

        if (s->depth && !f->body && s->kind != NGX_HYPERDRIVE_SQL_COPY) {
            break;
        }

        s->write = 1;

        f->verb = s->tok.keyword;
        f->target = 1;
        f->state = NGX_HYPERDRIVE_SQL_SCAN_FROM;

        return;

    default:
        break;
    }

    ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
}


/* WITH [RECURSIVE] a [(x, y)] AS [[NOT] MATERIALIZED] (...) [SEARCH ...], */

void
ngx_hyperdrive_sql_query_with(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_scan_frame_t  *f;

    f = ngx_hyperdrive_sql_scan_top(s);

    switch (f->state) {

    case NGX_HYPERDRIVE_SQL_SCAN_WITH:

        if (s->tok.keyword == K(RECURSIVE) && s->prev.keyword == K(WITH)
            && s->next.keyword != K(AS)
            && s->next.type != NGX_HYPERDRIVE_SQL_T_OPEN)
        {
            f->recursive = 1;
            return;
        }

        f->cte = s->tok;
        f->state = NGX_HYPERDRIVE_SQL_SCAN_WITH_AS;

        if (f->recursive) {
            ngx_hyperdrive_sql_query_cte(s, &s->tok);
        }

        return;

    case NGX_HYPERDRIVE_SQL_SCAN_WITH_AS:

        if (s->tok.keyword == K(AS)) {
            f->state = NGX_HYPERDRIVE_SQL_SCAN_WITH_BODY;
            return;
        }

        break;

    case NGX_HYPERDRIVE_SQL_SCAN_WITH_BODY:

        if (s->tok.keyword == K(NOT) || s->tok.keyword == K(MATERIALIZED)) {
            return;
        }

        break;

    case NGX_HYPERDRIVE_SQL_SCAN_WITH_AFTER:
        ngx_hyperdrive_sql_query_with_after(s);
        return;

    case NGX_HYPERDRIVE_SQL_SCAN_WITH_SEARCH:

        if (s->tok.keyword == K(SET)
            && s->prev.type != NGX_HYPERDRIVE_SQL_T_COMMA
            && s->prev.keyword != K(BY))
        {
            f->state = NGX_HYPERDRIVE_SQL_SCAN_WITH_SET;
        }

        return;

    case NGX_HYPERDRIVE_SQL_SCAN_WITH_SET:
        f->state = NGX_HYPERDRIVE_SQL_SCAN_WITH_AFTER;
        s->tok.keyword = K(OTHER);
        return;

    case NGX_HYPERDRIVE_SQL_SCAN_WITH_CYCLE:

        if (s->tok.keyword == K(USING)) {
            f->state = NGX_HYPERDRIVE_SQL_SCAN_WITH_SET;
        }

        return;

    default:
        break;
    }

    ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
}


static void
ngx_hyperdrive_sql_query_with_after(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_scan_frame_t  *f;

    f = ngx_hyperdrive_sql_scan_top(s);

    switch (s->tok.keyword) {

    case K(SEARCH):
    case K(CYCLE):
        f->state = NGX_HYPERDRIVE_SQL_SCAN_WITH_SEARCH;
        return;

    case K(TO):
        f->state = NGX_HYPERDRIVE_SQL_SCAN_WITH_CYCLE;
        return;

    case K(USING):
        f->state = NGX_HYPERDRIVE_SQL_SCAN_WITH_SET;
        return;

    case K(WITH):
        break;

    case K(INSERT):
    case K(UPDATE):
    case K(DELETE):
    case K(MERGE):
        f->verb = s->tok.keyword;
        f->target = 1;
        f->query = 1;
        f->state = NGX_HYPERDRIVE_SQL_SCAN_FROM;

        s->write = 1;

        return;

    default:
        ngx_hyperdrive_sql_query_start(s);
        return;
    }

    ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
}


/* one too many is not lost: it counts as a table wherever it is used */

void
ngx_hyperdrive_sql_query_cte(ngx_hyperdrive_sql_scan_t *s,
    ngx_hyperdrive_sql_token_t *token)
{
    if (s->nctes < NGX_HYPERDRIVE_SQL_SCAN_CTES) {
        s->ctes[s->nctes++] = *token;
    }
}


/* a table, a function, or the words that may stand before them */

void
ngx_hyperdrive_sql_query_from(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_names_t        name;
    ngx_hyperdrive_sql_scan_frame_t  *f;

    f = ngx_hyperdrive_sql_scan_top(s);

    if (ngx_hyperdrive_sql_query_from_word(s)) {
        return;
    }

    f->into = 0;
    f->state = NGX_HYPERDRIVE_SQL_SCAN_FROM_AFTER;

    if (!f->target) {
        ngx_hyperdrive_sql_query_from_item(s);
        return;
    }

    if (s->tok.category == NGX_HYPERDRIVE_SQL_RESERVED) {
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        return;
    }

    ngx_hyperdrive_sql_names_read(s, &name);

    (void) ngx_hyperdrive_sql_names_table(s, &name, 1);

    f->target = 0;

    if (f->verb == K(INSERT)) {
        f->state = NGX_HYPERDRIVE_SQL_SCAN_INSERT;
    }
}


/* returns 1 if the word is not the table itself */

static ngx_uint_t
ngx_hyperdrive_sql_query_from_word(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_scan_frame_t  *f;

    f = ngx_hyperdrive_sql_scan_top(s);

    switch (s->tok.keyword) {

    case K(ONLY):
    case K(LATERAL):
        return 1;

    case K(INTO):
    case K(FROM):

        /* INSERT INTO, MERGE INTO, DELETE FROM */

        return f->target && f->verb != K(OTHER)
               && s->prev.keyword == f->verb;

    case K(ROWS):

        if (s->next.keyword == K(FROM)) {
            ngx_hyperdrive_sql_scan_next(s);

            s->open = NGX_HYPERDRIVE_SQL_SCAN_OPEN_ROWS;
            f->state = NGX_HYPERDRIVE_SQL_SCAN_FROM_AFTER;

            return 1;
        }

        return 0;

    case K(SELECT):
    case K(WITH):
    case K(TABLE):
    case K(VALUES):

        /* a query in parentheses */

        if (s->depth && s->prev.type == NGX_HYPERDRIVE_SQL_T_OPEN
            && (s->tok.keyword != K(VALUES)
                || s->next.type == NGX_HYPERDRIVE_SQL_T_OPEN))
        {
            ngx_hyperdrive_sql_query_start(s);
            return 1;
        }

        return (f->into && s->tok.keyword == K(TABLE));

    default:
        return f->into && ngx_hyperdrive_sql_query_into_word(s);
    }
}


/* INTO [LOCAL | GLOBAL] [TEMPORARY | TEMP | UNLOGGED] [TABLE] t */

static ngx_uint_t
ngx_hyperdrive_sql_query_into_word(ngx_hyperdrive_sql_scan_t *s)
{
    switch (s->tok.keyword) {

    case K(TEMP):
    case K(TEMPORARY):

        /* even if it is the name of the table */

        ngx_hyperdrive_sql_scan_leaves(s, NGX_HYPERDRIVE_SQL_LEAVES_TEMPORARY);
        s->facts->temporary = 1;

        break;

    case K(LOCAL):
    case K(GLOBAL):
    case K(UNLOGGED):
        break;

    default:
        return 0;
    }

    return s->next.type == NGX_HYPERDRIVE_SQL_T_NAME
           || s->next.keyword == K(TABLE)
           || (s->next.type == NGX_HYPERDRIVE_SQL_T_WORD
               && s->next.category != NGX_HYPERDRIVE_SQL_RESERVED);
}


static void
ngx_hyperdrive_sql_query_from_item(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_uint_t                        call;
    ngx_hyperdrive_sql_names_t        name;
    ngx_hyperdrive_sql_scan_frame_t  *f;

    f = ngx_hyperdrive_sql_scan_top(s);

    if (ngx_hyperdrive_sql_expr_special(s)) {
        return;
    }

    call = (s->next.type == NGX_HYPERDRIVE_SQL_T_OPEN);

    switch (s->tok.category) {

    case NGX_HYPERDRIVE_SQL_RESERVED:

        if (!call || s->tok.keyword != K(CAST)) {
            ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        }

        break;

    case NGX_HYPERDRIVE_SQL_FUNCTION_OR_TYPE:

        if (!call) {
            ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        }

        /* fall through */

    default:

        if (call && s->tok.category == NGX_HYPERDRIVE_SQL_COLUMN) {

            /* COALESCE (...) and the like */

            ngx_hyperdrive_sql_expr_column(s);
            break;
        }

        ngx_hyperdrive_sql_names_read(s, &name);

        if (f->sample) {
            f->sample = 0;
            ngx_hyperdrive_sql_names_sample(s, &name);
            break;
        }

        if (s->next.type != NGX_HYPERDRIVE_SQL_T_OPEN) {
            (void) ngx_hyperdrive_sql_names_table(s, &name, 0);
            return;
        }

        ngx_hyperdrive_sql_names_function(s, &name);
        break;
    }

    if (s->open == NGX_HYPERDRIVE_SQL_SCAN_OPEN_EXPR) {

        /* no "(" of an expression is expected behind a table */

        s->open = NGX_HYPERDRIVE_SQL_SCAN_OPEN_FROM;
    }
}


void
ngx_hyperdrive_sql_query_from_after(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_scan_frame_t  *f;

    f = ngx_hyperdrive_sql_scan_top(s);

    switch (s->tok.keyword) {

    case K(JOIN):
        f->state = NGX_HYPERDRIVE_SQL_SCAN_FROM;
        return;

    case K(INNER):
    case K(LEFT):
    case K(RIGHT):
    case K(FULL):
    case K(CROSS):
    case K(NATURAL):
    case K(OUTER):
        return;

    case K(AS):
        f->state = NGX_HYPERDRIVE_SQL_SCAN_FROM_ALIAS;
        return;

    case K(TABLESAMPLE):
        ngx_hyperdrive_sql_names_reason(s, NGX_HYPERDRIVE_SQL_VOLATILE);

        f->sample = 1;
        f->state = NGX_HYPERDRIVE_SQL_SCAN_FROM;
        return;

    case K(REPEATABLE):

        if (s->next.type == NGX_HYPERDRIVE_SQL_T_OPEN
            && s->prev.type == NGX_HYPERDRIVE_SQL_T_CLOSE)
        {
            s->open = NGX_HYPERDRIVE_SQL_SCAN_OPEN_FROM;
            return;
        }

        break;

    case K(WITH):

        if (s->next.keyword == K(ORDINALITY)) {
            ngx_hyperdrive_sql_scan_next(s);
            s->tok.keyword = K(OTHER);
            return;
        }

        /* CREATE TABLE ... AS SELECT ... WITH NO DATA */

        f->state = NGX_HYPERDRIVE_SQL_SCAN_EXPR;
        return;

    case K(SET):

        if (f->verb == K(UPDATE)) {
            f->state = NGX_HYPERDRIVE_SQL_SCAN_EXPR;
            return;
        }

        break;

    case K(IN):

        /* LOCK TABLE t IN SHARE MODE */

        if (s->kind == NGX_HYPERDRIVE_SQL_LOCK) {
            f->state = NGX_HYPERDRIVE_SQL_SCAN_EXPR;
            return;
        }

        break;

    default:
        break;
    }

    if (ngx_hyperdrive_sql_query_clause(s)) {
        return;
    }

    if (s->tok.category == NGX_HYPERDRIVE_SQL_RESERVED
        || s->tok.category == NGX_HYPERDRIVE_SQL_FUNCTION_OR_TYPE)
    {
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        return;
    }

    /* an alias, perhaps with a list of names */

    s->tok.keyword = K(OTHER);

    if (s->next.type == NGX_HYPERDRIVE_SQL_T_OPEN) {
        s->open = NGX_HYPERDRIVE_SQL_SCAN_OPEN_NAMES;
    }
}


/* [AS a] [(x, y)] [OVERRIDING ...] VALUES | DEFAULT VALUES | a query */

void
ngx_hyperdrive_sql_query_insert(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_scan_frame_t  *f;

    f = ngx_hyperdrive_sql_scan_top(s);

    if (s->prev.keyword == K(AS)) {
        s->tok.keyword = K(OTHER);
        return;
    }

    switch (s->tok.keyword) {

    case K(AS):
        return;

    case K(SELECT):
    case K(WITH):
    case K(TABLE):
    case K(VALUES):
        ngx_hyperdrive_sql_query_start(s);
        return;

    case K(OVERRIDING):

        /* USER VALUE or SYSTEM VALUE */

        ngx_hyperdrive_sql_scan_next(s);
        s->tok.keyword = K(OTHER);

        ngx_hyperdrive_sql_scan_next(s);
        return;

    case K(DEFAULT):
        f->state = NGX_HYPERDRIVE_SQL_SCAN_EXPR;
        return;

    default:
        break;
    }

    if (!ngx_hyperdrive_sql_query_clause(s)) {
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
    }
}


/*
 * The words that begin a clause of a query, wherever in it they stand.
 * Returns 0 if the word is none of them, or not here.
 */

ngx_uint_t
ngx_hyperdrive_sql_query_clause(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_scan_frame_t  *f;

    f = ngx_hyperdrive_sql_scan_top(s);

    switch (s->tok.keyword) {

    case K(FROM):
        ngx_hyperdrive_sql_query_clause_from(s);
        return 1;

    case K(UNION):
    case K(INTERSECT):
    case K(EXCEPT):
        f->query = 1;
        f->state = NGX_HYPERDRIVE_SQL_SCAN_START;
        return 1;

    case K(JOIN):

        if (f->state == NGX_HYPERDRIVE_SQL_SCAN_FROM_ON) {
            f->state = NGX_HYPERDRIVE_SQL_SCAN_FROM;
            return 1;
        }

        if (f->query && f->state == NGX_HYPERDRIVE_SQL_SCAN_EXPR) {
            ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
            return 1;
        }

        return 0;

    default:
        break;
    }

    if (!f->query) {
        return 0;
    }

    switch (s->tok.keyword) {

    case K(WHERE):
    case K(HAVING):
    case K(LIMIT):
    case K(OFFSET):
    case K(FETCH):
    case K(WINDOW):
    case K(RETURNING):
    case K(ORDER):
        f->group = 0;
        f->state = NGX_HYPERDRIVE_SQL_SCAN_EXPR;
        return 1;

    case K(GROUP):

        /* not WITHIN GROUP (...) */

        if (s->next.keyword == K(BY)) {
            f->group = 1;
            f->state = NGX_HYPERDRIVE_SQL_SCAN_EXPR;
        }

        return 1;

    case K(FOR):

        if (s->next.keyword != K(READ)) {
            ngx_hyperdrive_sql_names_reason(s, NGX_HYPERDRIVE_SQL_LOCKING);
        }

        f->group = 0;
        f->state = NGX_HYPERDRIVE_SQL_SCAN_EXPR;
        return 1;

    case K(INTO):

        if (f->verb != K(OTHER)) {
            ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
            return 1;
        }

        s->into = 1;

        f->into = 1;
        f->target = 1;
        f->state = NGX_HYPERDRIVE_SQL_SCAN_FROM;
        return 1;

    case K(ON):
    case K(USING):
        ngx_hyperdrive_sql_query_clause_on(s);
        return 1;

    case K(WHEN):

        /* of a MERGE: no table follows any more */

        if (f->verb == K(MERGE)
            && f->state == NGX_HYPERDRIVE_SQL_SCAN_FROM_AFTER)
        {
            f->state = NGX_HYPERDRIVE_SQL_SCAN_EXPR;
            return 1;
        }

        return 0;

    default:
        return 0;
    }
}


static void
ngx_hyperdrive_sql_query_clause_from(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_scan_frame_t  *f;

    f = ngx_hyperdrive_sql_scan_top(s);

    if (s->distinct && s->prev.keyword == K(DISTINCT)) {

        /* IS [NOT] DISTINCT FROM */

        s->distinct = 0;
        return;
    }

    if (f->ddl && !f->query) {
        return;
    }

    if (f->query) {
        f->state = NGX_HYPERDRIVE_SQL_SCAN_FROM;
        return;
    }

    if (f->open != NGX_HYPERDRIVE_SQL_SCAN_OPEN_FROM) {
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
    }
}


static void
ngx_hyperdrive_sql_query_clause_on(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_scan_frame_t  *f;

    f = ngx_hyperdrive_sql_scan_top(s);

    if (s->tok.keyword == K(USING)) {

        if ((f->verb == K(DELETE) || f->verb == K(MERGE)) && !f->using) {
            f->using = 1;
            f->state = NGX_HYPERDRIVE_SQL_SCAN_FROM;

        } else if (s->next.type == NGX_HYPERDRIVE_SQL_T_OPEN) {
            s->open = NGX_HYPERDRIVE_SQL_SCAN_OPEN_NAMES;
        }

        return;
    }

    if (s->next.keyword == K(CONFLICT) && f->verb == K(INSERT)) {
        f->state = NGX_HYPERDRIVE_SQL_SCAN_EXPR;
        return;
    }

    if (f->state == NGX_HYPERDRIVE_SQL_SCAN_FROM_AFTER) {
        f->state = NGX_HYPERDRIVE_SQL_SCAN_FROM_ON;
    }
}
