
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "sql/ngx_hyperdrive_sql_scan.h"


#define K(id)  NGX_HYPERDRIVE_SQL_K_##id


static void ngx_hyperdrive_sql_scan_token(ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_scan_push(ngx_hyperdrive_sql_scan_t *s,
    ngx_hyperdrive_sql_scan_state_e state);
static void ngx_hyperdrive_sql_scan_open(ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_scan_open_expr(ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_scan_close(ngx_hyperdrive_sql_scan_t *s,
    ngx_uint_t bracket);
static ngx_uint_t ngx_hyperdrive_sql_scan_complete(
    ngx_hyperdrive_sql_scan_frame_t *f);
static void ngx_hyperdrive_sql_scan_comma(ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_scan_word(ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_scan_start(ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_scan_with(ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_scan_with_after(ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_scan_cte(ngx_hyperdrive_sql_scan_t *s,
    ngx_hyperdrive_sql_token_t *token);
static void ngx_hyperdrive_sql_scan_from(ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_scan_from_after(ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_scan_insert(ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_scan_ddl(ngx_hyperdrive_sql_scan_t *s);
static ngx_uint_t ngx_hyperdrive_sql_scan_clause(ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_scan_clause_from(ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_scan_clause_on(ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_scan_expr(ngx_hyperdrive_sql_scan_t *s);
static ngx_uint_t ngx_hyperdrive_sql_scan_special(
    ngx_hyperdrive_sql_scan_t *s);
static ngx_uint_t ngx_hyperdrive_sql_scan_syntax(ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_scan_name(ngx_hyperdrive_sql_scan_t *s);
static ngx_uint_t ngx_hyperdrive_sql_scan_operand(
    ngx_hyperdrive_sql_token_t *token);


void
ngx_hyperdrive_sql_scan_next(ngx_hyperdrive_sql_scan_t *s)
{
    s->before = s->prev;
    s->prev = s->tok;
    s->tok = s->next;

    if (s->tok.type == NGX_HYPERDRIVE_SQL_T_ERROR) {
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        return;
    }

    ngx_hyperdrive_sql_lexer_next(&s->lexer, &s->next);
}


void
ngx_hyperdrive_sql_scan_fail(ngx_hyperdrive_sql_scan_t *s,
    ngx_hyperdrive_sql_reason_e reason)
{
    ngx_hyperdrive_sql_facts_t  *facts;

    facts = s->facts;

    if (s->failed) {
        return;
    }

    s->failed = 1;

    facts->kind = NGX_HYPERDRIVE_SQL_UNKNOWN;
    facts->reason = reason;
    facts->stateful = 1;
    facts->may_write = 1;
    facts->incomplete = 1;
    facts->unknown_function = 1;
    facts->transaction_control = 1;
    facts->begin_plain = 0;
    facts->alone = 1;
}


void
ngx_hyperdrive_sql_scan(ngx_hyperdrive_sql_scan_t *s)
{
    while (!s->failed) {

        if (s->tok.type == NGX_HYPERDRIVE_SQL_T_END
            || (s->tok.type == NGX_HYPERDRIVE_SQL_T_SEMICOLON
                && s->depth == 0))
        {
            if (s->depth
                || !ngx_hyperdrive_sql_scan_complete(&s->frames[0]))
            {
                ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
            }

            return;
        }

        ngx_hyperdrive_sql_scan_token(s);

        if (s->failed) {
            return;
        }

        ngx_hyperdrive_sql_scan_next(s);
    }
}


static void
ngx_hyperdrive_sql_scan_token(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_scan_frame_t  *f;

    f = ngx_hyperdrive_sql_scan_top(s);

    f->tokens++;

    switch (s->tok.type) {

    case NGX_HYPERDRIVE_SQL_T_WORD:
    case NGX_HYPERDRIVE_SQL_T_NAME:
        ngx_hyperdrive_sql_scan_word(s);
        return;

    case NGX_HYPERDRIVE_SQL_T_OPEN:
        ngx_hyperdrive_sql_scan_open(s);
        return;

    case NGX_HYPERDRIVE_SQL_T_CLOSE:
        ngx_hyperdrive_sql_scan_close(s, 0);
        return;

    case NGX_HYPERDRIVE_SQL_T_COMMA:
        ngx_hyperdrive_sql_scan_comma(s);
        return;

    case NGX_HYPERDRIVE_SQL_T_CLOSE_BRACKET:
        ngx_hyperdrive_sql_scan_close(s, 1);
        return;

    case NGX_HYPERDRIVE_SQL_T_SEMICOLON:

        /* CREATE RULE ... DO (INSERT ...; DELETE ...) */

        if (f->state != NGX_HYPERDRIVE_SQL_SCAN_SKIP) {
            ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        }

        return;

    default:
        break;
    }

    switch (f->state) {

    case NGX_HYPERDRIVE_SQL_SCAN_PAREN:
        f->state = NGX_HYPERDRIVE_SQL_SCAN_EXPR;
        break;

    case NGX_HYPERDRIVE_SQL_SCAN_START:
    case NGX_HYPERDRIVE_SQL_SCAN_FROM:
    case NGX_HYPERDRIVE_SQL_SCAN_FROM_ALIAS:
    case NGX_HYPERDRIVE_SQL_SCAN_WITH:
    case NGX_HYPERDRIVE_SQL_SCAN_WITH_AS:
    case NGX_HYPERDRIVE_SQL_SCAN_WITH_BODY:
    case NGX_HYPERDRIVE_SQL_SCAN_WITH_AFTER:
    case NGX_HYPERDRIVE_SQL_SCAN_WITH_SEARCH:
    case NGX_HYPERDRIVE_SQL_SCAN_WITH_SET:
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        return;

    case NGX_HYPERDRIVE_SQL_SCAN_FROM_AFTER:

        /* "t *" is an old form of "t" */

        if (s->tok.type != NGX_HYPERDRIVE_SQL_T_OPERATOR
            || *s->tok.text.data != '*')
        {
            ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        }

        return;

    default:
        break;
    }

    switch (s->tok.type) {

    case NGX_HYPERDRIVE_SQL_T_STRING:

        if (ngx_hyperdrive_sql_lexer_clock(&s->tok)) {
            ngx_hyperdrive_sql_names_reason(s, NGX_HYPERDRIVE_SQL_VOLATILE);
        }

        return;

    case NGX_HYPERDRIVE_SQL_T_OPERATOR:
        ngx_hyperdrive_sql_names_symbol(s, &s->tok);
        return;

    case NGX_HYPERDRIVE_SQL_T_OPEN_BRACKET:
        ngx_hyperdrive_sql_scan_push(s, f->state
                                            == NGX_HYPERDRIVE_SQL_SCAN_SKIP
                                        ? NGX_HYPERDRIVE_SQL_SCAN_SKIP
                                        : NGX_HYPERDRIVE_SQL_SCAN_EXPR);

        ngx_hyperdrive_sql_scan_top(s)->bracket = 1;

        return;

    default:
        return;
    }
}


static void
ngx_hyperdrive_sql_scan_push(ngx_hyperdrive_sql_scan_t *s,
    ngx_hyperdrive_sql_scan_state_e state)
{
    ngx_hyperdrive_sql_scan_frame_t  *f;

    if (s->depth + 1 == NGX_HYPERDRIVE_SQL_SCAN_DEPTH) {
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_TOO_COMPLEX);
        return;
    }

    f = &s->frames[++s->depth];

    ngx_memzero(f, sizeof(ngx_hyperdrive_sql_scan_frame_t));

    f->state = state;
    f->nctes = s->nctes;
    f->ddl = f[-1].ddl;
    f->open = s->open;

    s->open = NGX_HYPERDRIVE_SQL_SCAN_OPEN_EXPR;
}


/* "(": what it opens depends on what is before it */

static void
ngx_hyperdrive_sql_scan_open(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_scan_frame_t  *f;

    f = ngx_hyperdrive_sql_scan_top(s);

    if (s->open != NGX_HYPERDRIVE_SQL_SCAN_OPEN_EXPR) {
        ngx_hyperdrive_sql_scan_open_expr(s);
        return;
    }

    switch (f->state) {

    case NGX_HYPERDRIVE_SQL_SCAN_SKIP:
        ngx_hyperdrive_sql_scan_push(s, NGX_HYPERDRIVE_SQL_SCAN_SKIP);
        return;

    case NGX_HYPERDRIVE_SQL_SCAN_START:
    case NGX_HYPERDRIVE_SQL_SCAN_WITH_AFTER:
        f->query = 1;
        f->state = NGX_HYPERDRIVE_SQL_SCAN_EXPR;
        ngx_hyperdrive_sql_scan_push(s, NGX_HYPERDRIVE_SQL_SCAN_START);
        return;

    case NGX_HYPERDRIVE_SQL_SCAN_PAREN:
        f->state = NGX_HYPERDRIVE_SQL_SCAN_EXPR;
        ngx_hyperdrive_sql_scan_push(s, NGX_HYPERDRIVE_SQL_SCAN_PAREN);
        return;

    case NGX_HYPERDRIVE_SQL_SCAN_FROM:

        /* a query, or a join, or either of them in more parentheses */

        if (f->target && s->prev.keyword != K(ONLY)) {
            break;
        }

        f->state = NGX_HYPERDRIVE_SQL_SCAN_FROM_AFTER;
        ngx_hyperdrive_sql_scan_push(s, NGX_HYPERDRIVE_SQL_SCAN_FROM);

        if (!s->failed) {
            f[1].query = 1;
            f[1].target = f->target;
            f->target = 0;
        }

        return;

    case NGX_HYPERDRIVE_SQL_SCAN_FROM_ALIAS:

        /* f() AS (a int, b text) */

        f->state = NGX_HYPERDRIVE_SQL_SCAN_FROM_AFTER;
        ngx_hyperdrive_sql_scan_push(s, NGX_HYPERDRIVE_SQL_SCAN_SKIP);
        return;

    case NGX_HYPERDRIVE_SQL_SCAN_COPY:

        if (s->copy_query) {
            s->copy_query = 0;
            ngx_hyperdrive_sql_scan_push(s, NGX_HYPERDRIVE_SQL_SCAN_START);
            return;
        }

        /* fall through */

    case NGX_HYPERDRIVE_SQL_SCAN_WITH_AS:
        ngx_hyperdrive_sql_scan_push(s, NGX_HYPERDRIVE_SQL_SCAN_SKIP);
        return;

    case NGX_HYPERDRIVE_SQL_SCAN_WITH_BODY:
        f->state = NGX_HYPERDRIVE_SQL_SCAN_WITH_AFTER;
        ngx_hyperdrive_sql_scan_push(s, NGX_HYPERDRIVE_SQL_SCAN_START);

        if (!s->failed) {
            f[1].body = 1;
        }

        return;

    case NGX_HYPERDRIVE_SQL_SCAN_DDL:

        /*
         * Nothing in the definition of a new table is run, but for the
         * bounds of a partition.
         */

        if (f->names && s->prev.keyword != K(IN)
            && s->prev.keyword != K(FROM) && s->prev.keyword != K(TO))
        {
            ngx_hyperdrive_sql_scan_push(s, NGX_HYPERDRIVE_SQL_SCAN_SKIP);
            return;
        }

        ngx_hyperdrive_sql_scan_open_expr(s);
        return;

    case NGX_HYPERDRIVE_SQL_SCAN_INSERT:
    case NGX_HYPERDRIVE_SQL_SCAN_EXPR:
    case NGX_HYPERDRIVE_SQL_SCAN_SELECT:
    case NGX_HYPERDRIVE_SQL_SCAN_FROM_ON:
        ngx_hyperdrive_sql_scan_open_expr(s);
        return;

    default:
        break;
    }

    ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
}


static void
ngx_hyperdrive_sql_scan_open_expr(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_uint_t                        sets;
    ngx_hyperdrive_sql_scan_frame_t  *f;

    f = ngx_hyperdrive_sql_scan_top(s);

    if (s->open == NGX_HYPERDRIVE_SQL_SCAN_OPEN_NAMES
        || (f->open == NGX_HYPERDRIVE_SQL_SCAN_OPEN_ROWS
            && s->prev.keyword == K(AS)))
    {
        s->open = NGX_HYPERDRIVE_SQL_SCAN_OPEN_NAMES;
        ngx_hyperdrive_sql_scan_push(s, NGX_HYPERDRIVE_SQL_SCAN_SKIP);
        return;
    }

    sets = (s->open == NGX_HYPERDRIVE_SQL_SCAN_OPEN_SETS);

    ngx_hyperdrive_sql_scan_push(s, NGX_HYPERDRIVE_SQL_SCAN_PAREN);

    if (sets && !s->failed) {
        f[1].group = 1;
    }
}


static void
ngx_hyperdrive_sql_scan_close(ngx_hyperdrive_sql_scan_t *s,
    ngx_uint_t bracket)
{
    ngx_hyperdrive_sql_scan_frame_t  *f;

    f = ngx_hyperdrive_sql_scan_top(s);

    if (s->depth == 0 || f->bracket != bracket
        || !ngx_hyperdrive_sql_scan_complete(f))
    {
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        return;
    }

    switch (f->open) {

    case NGX_HYPERDRIVE_SQL_SCAN_OPEN_AGE:

        if (f->commas == 0) {
            ngx_hyperdrive_sql_names_reason(s, NGX_HYPERDRIVE_SQL_VOLATILE);
        }

        break;

    case NGX_HYPERDRIVE_SQL_SCAN_OPEN_SET_CONFIG:

        /* the third token is this parenthesis */

        if (f->commas != 2 || f->tokens != 2 || s->prev.keyword != K(TRUE)) {
            s->facts->stateful = 1;
        }

        break;

    default:
        break;
    }

    s->nctes = f->nctes;
    s->depth--;

    if (f->body && !f[-1].recursive) {
        ngx_hyperdrive_sql_scan_cte(s, &f[-1].cte);
    }
}


/* may a statement or a parenthesis end here? */

static ngx_uint_t
ngx_hyperdrive_sql_scan_complete(ngx_hyperdrive_sql_scan_frame_t *f)
{
    switch (f->state) {

    case NGX_HYPERDRIVE_SQL_SCAN_SKIP:
    case NGX_HYPERDRIVE_SQL_SCAN_PAREN:
    case NGX_HYPERDRIVE_SQL_SCAN_EXPR:
    case NGX_HYPERDRIVE_SQL_SCAN_SELECT:
    case NGX_HYPERDRIVE_SQL_SCAN_FROM_AFTER:
    case NGX_HYPERDRIVE_SQL_SCAN_FROM_ON:
    case NGX_HYPERDRIVE_SQL_SCAN_INSERT:
    case NGX_HYPERDRIVE_SQL_SCAN_DDL:
    case NGX_HYPERDRIVE_SQL_SCAN_COPY:
        return 1;

    default:
        return 0;
    }
}


static void
ngx_hyperdrive_sql_scan_comma(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_scan_frame_t  *f;

    f = ngx_hyperdrive_sql_scan_top(s);

    f->commas++;
    f->tokens = 0;

    switch (f->state) {

    case NGX_HYPERDRIVE_SQL_SCAN_SKIP:
    case NGX_HYPERDRIVE_SQL_SCAN_EXPR:
    case NGX_HYPERDRIVE_SQL_SCAN_SELECT:
    case NGX_HYPERDRIVE_SQL_SCAN_WITH_SEARCH:
    case NGX_HYPERDRIVE_SQL_SCAN_DDL:
    case NGX_HYPERDRIVE_SQL_SCAN_COPY:
        return;

    case NGX_HYPERDRIVE_SQL_SCAN_FROM_AFTER:
        f->target = f->targets;
        f->state = NGX_HYPERDRIVE_SQL_SCAN_FROM;
        return;

    case NGX_HYPERDRIVE_SQL_SCAN_FROM_ON:

        /* the source of a MERGE is one table: this is its SET a = 1, b = 2 */

        if (f->verb != K(MERGE)) {
            f->state = NGX_HYPERDRIVE_SQL_SCAN_FROM;
        }

        return;

    case NGX_HYPERDRIVE_SQL_SCAN_WITH_AFTER:
        f->state = NGX_HYPERDRIVE_SQL_SCAN_WITH;
        return;

    default:
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        return;
    }
}


static void
ngx_hyperdrive_sql_scan_word(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_scan_frame_t  *f;

    f = ngx_hyperdrive_sql_scan_top(s);

    if (s->tok.keyword == K(UESCAPE)) {
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        return;
    }

    switch (f->state) {

    case NGX_HYPERDRIVE_SQL_SCAN_SKIP:
        ngx_hyperdrive_sql_scan_skip(s);
        return;

    case NGX_HYPERDRIVE_SQL_SCAN_START:
        ngx_hyperdrive_sql_scan_start(s);
        return;

    case NGX_HYPERDRIVE_SQL_SCAN_PAREN:

        f->state = NGX_HYPERDRIVE_SQL_SCAN_EXPR;

        if (s->tok.keyword == K(SELECT) || s->tok.keyword == K(WITH)
            || s->tok.keyword == K(TABLE)
            || (s->tok.keyword == K(VALUES)
                && s->next.type == NGX_HYPERDRIVE_SQL_T_OPEN))
        {
            ngx_hyperdrive_sql_scan_start(s);
            return;
        }

        ngx_hyperdrive_sql_scan_expr(s);
        return;

    case NGX_HYPERDRIVE_SQL_SCAN_EXPR:
    case NGX_HYPERDRIVE_SQL_SCAN_SELECT:
    case NGX_HYPERDRIVE_SQL_SCAN_FROM_ON:
        ngx_hyperdrive_sql_scan_expr(s);
        return;

    case NGX_HYPERDRIVE_SQL_SCAN_FROM:
        ngx_hyperdrive_sql_scan_from(s);
        return;

    case NGX_HYPERDRIVE_SQL_SCAN_FROM_AFTER:
        ngx_hyperdrive_sql_scan_from_after(s);
        return;

    case NGX_HYPERDRIVE_SQL_SCAN_FROM_ALIAS:

        f->state = NGX_HYPERDRIVE_SQL_SCAN_FROM_AFTER;

        s->tok.keyword = K(OTHER);

        if (s->next.type == NGX_HYPERDRIVE_SQL_T_OPEN) {
            s->open = NGX_HYPERDRIVE_SQL_SCAN_OPEN_NAMES;
        }

        return;

    case NGX_HYPERDRIVE_SQL_SCAN_INSERT:
        ngx_hyperdrive_sql_scan_insert(s);
        return;

    case NGX_HYPERDRIVE_SQL_SCAN_DDL:
        ngx_hyperdrive_sql_scan_ddl(s);
        return;

    case NGX_HYPERDRIVE_SQL_SCAN_COPY:

        if (s->tok.keyword == K(WHERE)) {
            f->state = NGX_HYPERDRIVE_SQL_SCAN_EXPR;

        } else if (s->tok.keyword == K(FROM)) {
            s->facts->copy_in = 1;

            if (s->copy) {
                s->copy->written = 1;
            }
        }

        return;

    default:
        ngx_hyperdrive_sql_scan_with(s);
        return;
    }
}


void
ngx_hyperdrive_sql_scan_skip(ngx_hyperdrive_sql_scan_t *s)
{
    if (s->next.type == NGX_HYPERDRIVE_SQL_T_DOT
        && ngx_hyperdrive_sql_names_temp(s, &s->tok))
    {
        s->facts->stateful = 1;
        s->facts->temporary = 1;
        return;
    }

    switch (s->tok.keyword) {

    case K(TEMP):
    case K(TEMPORARY):

        if (s->create
            && (s->prev.keyword == K(CREATE) || s->prev.keyword == K(REPLACE)
                || s->prev.keyword == K(LOCAL)
                || s->prev.keyword == K(GLOBAL)))
        {
            s->facts->stateful = 1;
            s->facts->temporary = 1;
        }

        return;

    case K(ATOMIC):

        if (s->routine && s->prev.keyword == K(BEGIN)) {

            /*
             * A body of SQL statements, each with a semicolon.  Where it
             * ends is not looked for: the rest of the text belongs to it.
             */

            s->facts->stateful = 1;
            s->facts->may_write = 1;
            s->facts->incomplete = 1;
            s->facts->transaction_control = 1;
            s->facts->alone = 1;

            while (s->next.type != NGX_HYPERDRIVE_SQL_T_END && !s->failed) {
                ngx_hyperdrive_sql_scan_next(s);
            }

            s->depth = 0;
        }

        return;

    case K(CONCURRENTLY):
        s->facts->alone = 1;
        return;

    case K(SERIALIZABLE):
        s->facts->serializable = 1;
        return;

    default:
        return;
    }
}


static void
ngx_hyperdrive_sql_scan_start(ngx_hyperdrive_sql_scan_t *s)
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

static void
ngx_hyperdrive_sql_scan_with(ngx_hyperdrive_sql_scan_t *s)
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
            ngx_hyperdrive_sql_scan_cte(s, &s->tok);
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
        ngx_hyperdrive_sql_scan_with_after(s);
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
ngx_hyperdrive_sql_scan_with_after(ngx_hyperdrive_sql_scan_t *s)
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
        ngx_hyperdrive_sql_scan_start(s);
        return;
    }

    ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
}


/* one too many is not lost: it counts as a table wherever it is used */

static void
ngx_hyperdrive_sql_scan_cte(ngx_hyperdrive_sql_scan_t *s,
    ngx_hyperdrive_sql_token_t *token)
{
    if (s->nctes < NGX_HYPERDRIVE_SQL_SCAN_CTES) {
        s->ctes[s->nctes++] = *token;
    }
}


/* a table, a function, or the words that may stand before them */

static void
ngx_hyperdrive_sql_scan_from(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_names_t        name;
    ngx_hyperdrive_sql_scan_frame_t  *f;

    f = ngx_hyperdrive_sql_scan_top(s);

    switch (s->tok.keyword) {

    case K(ONLY):
    case K(LATERAL):
        return;

    case K(INTO):
    case K(FROM):

        /* INSERT INTO, MERGE INTO, DELETE FROM */

        if (f->target && s->prev.keyword == f->verb && f->verb != K(OTHER)) {
            return;
        }

        break;

    case K(TEMP):
    case K(TEMPORARY):

        if (f->into && s->next.type != NGX_HYPERDRIVE_SQL_T_DOT) {
            s->facts->stateful = 1;
            s->facts->temporary = 1;

            if (s->next.type == NGX_HYPERDRIVE_SQL_T_WORD
                || s->next.type == NGX_HYPERDRIVE_SQL_T_NAME)
            {
                f->into = (s->next.keyword == K(TABLE));
                return;
            }
        }

        break;

    case K(TABLE):

        if (f->into) {
            f->into = 0;
            return;
        }

        break;

    case K(LOCAL):
    case K(GLOBAL):
    case K(UNLOGGED):

        if (f->into && s->next.type == NGX_HYPERDRIVE_SQL_T_WORD
            && s->next.category != NGX_HYPERDRIVE_SQL_RESERVED)
        {
            return;
        }

        if (f->into && s->next.keyword == K(TABLE)) {
            return;
        }

        break;

    case K(ROWS):

        if (s->next.keyword == K(FROM)) {
            ngx_hyperdrive_sql_scan_next(s);

            s->open = NGX_HYPERDRIVE_SQL_SCAN_OPEN_ROWS;
            f->state = NGX_HYPERDRIVE_SQL_SCAN_FROM_AFTER;
            return;
        }

        break;

    case K(SELECT):
    case K(WITH):

        if (s->depth && s->prev.type == NGX_HYPERDRIVE_SQL_T_OPEN) {
            ngx_hyperdrive_sql_scan_start(s);
            return;
        }

        break;

    case K(VALUES):

        if (s->depth && s->prev.type == NGX_HYPERDRIVE_SQL_T_OPEN
            && s->next.type == NGX_HYPERDRIVE_SQL_T_OPEN)
        {
            ngx_hyperdrive_sql_scan_start(s);
            return;
        }

        break;

    default:
        break;
    }

    f->into = 0;

    if (s->tok.keyword == K(TABLE) && s->depth
        && s->prev.type == NGX_HYPERDRIVE_SQL_T_OPEN)
    {
        ngx_hyperdrive_sql_scan_start(s);
        return;
    }

    f->state = NGX_HYPERDRIVE_SQL_SCAN_FROM_AFTER;

    if (f->target) {

        if (s->tok.category == NGX_HYPERDRIVE_SQL_RESERVED) {
            ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
            return;
        }

        ngx_hyperdrive_sql_names_read(s, &name);
        ngx_hyperdrive_sql_names_table(s, &name, 1);

        f->target = 0;

        if (f->verb == K(INSERT)) {
            f->state = NGX_HYPERDRIVE_SQL_SCAN_INSERT;
        }

        return;
    }

    if (ngx_hyperdrive_sql_scan_special(s)) {
        return;
    }

    if (s->tok.category == NGX_HYPERDRIVE_SQL_RESERVED) {

        if (s->tok.keyword != K(CAST)
            || s->next.type != NGX_HYPERDRIVE_SQL_T_OPEN)
        {
            ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
            return;
        }

        goto call;
    }

    if (s->tok.category == NGX_HYPERDRIVE_SQL_COLUMN
        && s->next.type == NGX_HYPERDRIVE_SQL_T_OPEN)
    {
        if (s->tok.keyword == K(TREAT)) {
            ngx_hyperdrive_sql_names_reason(s, NGX_HYPERDRIVE_SQL_FUNCTION);
        }

        goto call;
    }

    if (s->tok.category == NGX_HYPERDRIVE_SQL_FUNCTION_OR_TYPE
        && s->next.type != NGX_HYPERDRIVE_SQL_T_OPEN)
    {
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        return;
    }

    ngx_hyperdrive_sql_names_read(s, &name);

    if (f->sample) {
        ngx_hyperdrive_sql_names_sample(s, &name);
        goto call;
    }

    if (s->next.type != NGX_HYPERDRIVE_SQL_T_OPEN) {
        ngx_hyperdrive_sql_names_table(s, &name, 0);
        return;
    }

    ngx_hyperdrive_sql_names_function(s, &name);

call:

    if (s->open == NGX_HYPERDRIVE_SQL_SCAN_OPEN_EXPR) {

        /* behind a table "(" would be a list of names */

        s->open = NGX_HYPERDRIVE_SQL_SCAN_OPEN_FROM;
    }

    f->sample = 0;
}


static void
ngx_hyperdrive_sql_scan_from_after(ngx_hyperdrive_sql_scan_t *s)
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

    if (ngx_hyperdrive_sql_scan_clause(s)) {
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

static void
ngx_hyperdrive_sql_scan_insert(ngx_hyperdrive_sql_scan_t *s)
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
        ngx_hyperdrive_sql_scan_start(s);
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

    if (!ngx_hyperdrive_sql_scan_clause(s)) {
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
    }
}


/* CREATE TABLE, CREATE INDEX, CREATE MATERIALIZED VIEW behind the name */

static void
ngx_hyperdrive_sql_scan_ddl(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_names_t        name;
    ngx_hyperdrive_sql_scan_frame_t  *f;

    f = ngx_hyperdrive_sql_scan_top(s);

    if (s->tok.keyword == K(AS)) {

        switch (s->next.keyword) {

        case K(EXECUTE):
            s->facts->stateful = 1;
            f->state = NGX_HYPERDRIVE_SQL_SCAN_SKIP;
            return;

        case K(SELECT):
        case K(WITH):
        case K(VALUES):
        case K(TABLE):
            f->state = NGX_HYPERDRIVE_SQL_SCAN_START;
            return;

        default:

            if (s->next.type == NGX_HYPERDRIVE_SQL_T_OPEN) {
                f->state = NGX_HYPERDRIVE_SQL_SCAN_START;
            }

            return;
        }
    }

    if (s->tok.keyword == K(WHERE)) {
        f->state = NGX_HYPERDRIVE_SQL_SCAN_EXPR;
        return;
    }

    /* no expression begins here: PARTITION BY LIST (f(x)), USING gist (x) */

    ngx_hyperdrive_sql_names_read(s, &name);
}


/*
 * The words that begin a clause of a query, wherever in it they stand.
 * Returns 0 if the word is none of them, or not here.
 */

static ngx_uint_t
ngx_hyperdrive_sql_scan_clause(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_scan_frame_t  *f;

    f = ngx_hyperdrive_sql_scan_top(s);

    switch (s->tok.keyword) {

    case K(FROM):
        ngx_hyperdrive_sql_scan_clause_from(s);
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
        ngx_hyperdrive_sql_scan_clause_on(s);
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
ngx_hyperdrive_sql_scan_clause_from(ngx_hyperdrive_sql_scan_t *s)
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
ngx_hyperdrive_sql_scan_clause_on(ngx_hyperdrive_sql_scan_t *s)
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


/* a word where expressions are */

static void
ngx_hyperdrive_sql_scan_expr(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_uint_t                        call;
    ngx_hyperdrive_sql_names_t        name;
    ngx_hyperdrive_sql_scan_frame_t  *f;

    f = ngx_hyperdrive_sql_scan_top(s);

    call = (s->next.type == NGX_HYPERDRIVE_SQL_T_OPEN);

    if (s->prev.type == NGX_HYPERDRIVE_SQL_T_DOT) {
        ngx_hyperdrive_sql_names_field(s);
        return;
    }

    if (s->prev.type == NGX_HYPERDRIVE_SQL_T_CAST
        || s->prev.keyword == K(AS))
    {
        /* a type, perhaps with modifiers, or a label */

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
            s->tok.keyword = K(OTHER);
            return;
        }
    }

    if (s->tok.category != NGX_HYPERDRIVE_SQL_RESERVED
        && s->next.type == NGX_HYPERDRIVE_SQL_T_DOT)
    {
        ngx_hyperdrive_sql_scan_name(s);
        return;
    }

    if (ngx_hyperdrive_sql_scan_clause(s)
        || ngx_hyperdrive_sql_scan_special(s))
    {
        return;
    }

    switch (s->tok.category) {

    case NGX_HYPERDRIVE_SQL_RESERVED:

        if (s->tok.keyword == K(DISTINCT)) {
            s->distinct = (s->prev.keyword == K(IS)
                           || (s->prev.keyword == K(NOT)
                               && s->before.keyword == K(IS)));
        }

        if (f->ddl && s->tok.keyword == K(REFERENCES)) {

            ngx_hyperdrive_sql_scan_next(s);
            ngx_hyperdrive_sql_names_read(s, &name);

            if (s->next.type == NGX_HYPERDRIVE_SQL_T_OPEN) {
                s->open = NGX_HYPERDRIVE_SQL_SCAN_OPEN_NAMES;
            }
        }

        return;

    case NGX_HYPERDRIVE_SQL_COLUMN:

        if (!call) {
            ngx_hyperdrive_sql_scan_name(s);
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

            ngx_hyperdrive_sql_names_reason(s, NGX_HYPERDRIVE_SQL_FUNCTION);
            s->facts->stateful = 1;
            s->facts->may_write = 1;
            s->facts->unknown_function = 1;
            return;

        default:

            /* COALESCE, ROW, EXISTS, XML..., or a type with modifiers */

            return;
        }

    case NGX_HYPERDRIVE_SQL_FUNCTION_OR_TYPE:

        if (s->tok.keyword == K(COLLATION)) {

            /* COLLATION FOR (...) */

            if (s->next.keyword == K(FOR)) {
                ngx_hyperdrive_sql_names_reason(s,
                                                NGX_HYPERDRIVE_SQL_VOLATILE);
                ngx_hyperdrive_sql_scan_next(s);
                return;
            }
        }

        if (!call) {
            return;
        }

        if (s->tok.keyword == K(ILIKE)
            && (ngx_hyperdrive_sql_scan_operand(&s->prev)
                || (s->prev.keyword == K(NOT)
                    && ngx_hyperdrive_sql_scan_operand(&s->before))))
        {
            /* x [NOT] ILIKE (y); functions like() and overlaps() exist */

            return;
        }

        ngx_hyperdrive_sql_scan_name(s);
        return;

    default:

        if (call && ngx_hyperdrive_sql_scan_syntax(s)) {
            return;
        }

        if ((s->tok.keyword == K(DELETE) && s->next.keyword == K(FROM))
            || ((s->tok.keyword == K(INSERT) || s->tok.keyword == K(MERGE))
                && s->next.keyword == K(INTO)))
        {
            /* not where we look for one; to be sure */

            s->write = 1;
        }

        ngx_hyperdrive_sql_scan_name(s);
        return;
    }
}


/* values that look at the clock, or at who asks */

static ngx_uint_t
ngx_hyperdrive_sql_scan_special(ngx_hyperdrive_sql_scan_t *s)
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
        ngx_hyperdrive_sql_names_reason(s, NGX_HYPERDRIVE_SQL_VOLATILE);

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
ngx_hyperdrive_sql_scan_syntax(ngx_hyperdrive_sql_scan_t *s)
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
        return ngx_hyperdrive_sql_scan_operand(prev);

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
ngx_hyperdrive_sql_scan_name(ngx_hyperdrive_sql_scan_t *s)
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
            && (ngx_hyperdrive_sql_scan_operand(&s->prev)
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
ngx_hyperdrive_sql_scan_operand(ngx_hyperdrive_sql_token_t *token)
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
