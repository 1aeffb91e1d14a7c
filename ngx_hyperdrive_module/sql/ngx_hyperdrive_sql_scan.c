
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "sql/ngx_hyperdrive_sql_scan.h"


/* the walk: tokens, parentheses, and what a word may be where it stands */


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
    facts->leaves |= NGX_HYPERDRIVE_SQL_LEAVES_FUNCTION;
    facts->may_write = 1;
    facts->incomplete = 1;
    facts->unknown_function = 1;
    facts->anything = 1;
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

        if (ngx_hyperdrive_sql_clock(&s->tok)) {
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

        /* in a list of columns: the modifiers of a type */

        ngx_hyperdrive_sql_scan_push(s,
                            f->open == NGX_HYPERDRIVE_SQL_SCAN_OPEN_NAMES
                                ? NGX_HYPERDRIVE_SQL_SCAN_PAREN
                                : NGX_HYPERDRIVE_SQL_SCAN_SKIP);
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
        s->open = NGX_HYPERDRIVE_SQL_SCAN_OPEN_NAMES;
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
            s->facts->stable = 1;
        }

        break;

    case NGX_HYPERDRIVE_SQL_SCAN_OPEN_SET_CONFIG:

        /* the third token is this parenthesis */

        if (f->commas != 2 || f->tokens != 2 || s->prev.keyword != K(TRUE)) {
            ngx_hyperdrive_sql_scan_leaves(s,
                                        NGX_HYPERDRIVE_SQL_LEAVES_SETTING);
        }

        break;

    default:
        break;
    }

    s->nctes = f->nctes;
    s->depth--;

    if (f->body && !f[-1].recursive) {
        ngx_hyperdrive_sql_query_cte(s, &f[-1].cte);
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
        ngx_hyperdrive_sql_query_start(s);
        return;

    case NGX_HYPERDRIVE_SQL_SCAN_PAREN:

        f->state = NGX_HYPERDRIVE_SQL_SCAN_EXPR;

        if (s->tok.keyword == K(SELECT) || s->tok.keyword == K(WITH)
            || s->tok.keyword == K(TABLE)
            || (s->tok.keyword == K(VALUES)
                && s->next.type == NGX_HYPERDRIVE_SQL_T_OPEN))
        {
            ngx_hyperdrive_sql_query_start(s);
            return;
        }

        ngx_hyperdrive_sql_expr(s);
        return;

    case NGX_HYPERDRIVE_SQL_SCAN_EXPR:
    case NGX_HYPERDRIVE_SQL_SCAN_SELECT:
    case NGX_HYPERDRIVE_SQL_SCAN_FROM_ON:
        ngx_hyperdrive_sql_expr(s);
        return;

    case NGX_HYPERDRIVE_SQL_SCAN_FROM:
        ngx_hyperdrive_sql_query_from(s);
        return;

    case NGX_HYPERDRIVE_SQL_SCAN_FROM_AFTER:
        ngx_hyperdrive_sql_query_from_after(s);
        return;

    case NGX_HYPERDRIVE_SQL_SCAN_FROM_ALIAS:

        f->state = NGX_HYPERDRIVE_SQL_SCAN_FROM_AFTER;

        s->tok.keyword = K(OTHER);

        if (s->next.type == NGX_HYPERDRIVE_SQL_T_OPEN) {
            s->open = NGX_HYPERDRIVE_SQL_SCAN_OPEN_NAMES;
        }

        return;

    case NGX_HYPERDRIVE_SQL_SCAN_INSERT:
        ngx_hyperdrive_sql_query_insert(s);
        return;

    case NGX_HYPERDRIVE_SQL_SCAN_DDL:
        ngx_hyperdrive_sql_ddl_word(s);
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
        ngx_hyperdrive_sql_query_with(s);
        return;
    }
}


void
ngx_hyperdrive_sql_scan_skip(ngx_hyperdrive_sql_scan_t *s)
{
    if (s->next.type == NGX_HYPERDRIVE_SQL_T_DOT
        && ngx_hyperdrive_sql_names_temp(s, &s->tok))
    {
        ngx_hyperdrive_sql_scan_leaves(s, NGX_HYPERDRIVE_SQL_LEAVES_TEMPORARY);
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
            ngx_hyperdrive_sql_scan_leaves(s,
                                      NGX_HYPERDRIVE_SQL_LEAVES_TEMPORARY);
            s->facts->temporary = 1;
        }

        return;

    case K(ATOMIC):

        if (s->routine && s->prev.keyword == K(BEGIN)) {

            /*
             * A body of SQL statements, each with a semicolon.  Where it
             * ends is not looked for: the rest of the text belongs to it.
             */

            ngx_hyperdrive_sql_scan_leaves(s,
                                       NGX_HYPERDRIVE_SQL_LEAVES_FUNCTION);
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
