
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "sql/ngx_hyperdrive_sql_mysql.h"


/* MySQL: the walk through a statement */


#define K(id)      NGX_HYPERDRIVE_SQL_K_##id
#define T(id)      NGX_HYPERDRIVE_SQL_T_##id
#define STATE(id)  NGX_HYPERDRIVE_SQL_SCAN_##id


static void ngx_hyperdrive_sql_mysql_scan_open(ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_mysql_scan_close(ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_mysql_scan_comma(ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_mysql_scan_word(ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_mysql_scan_other(ngx_hyperdrive_sql_scan_t *s);
static ngx_uint_t ngx_hyperdrive_sql_mysql_scan_complete(
    ngx_hyperdrive_sql_scan_frame_t *f);


void
ngx_hyperdrive_sql_mysql_scan(ngx_hyperdrive_sql_scan_t *s)
{
    while (!s->failed) {

        if (s->tok.type == T(END)
            || (s->tok.type == T(SEMICOLON) && s->depth == 0))
        {
            if (s->depth
                || !ngx_hyperdrive_sql_mysql_scan_complete(&s->frames[0]))
            {
                ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
            }

            return;
        }

        ngx_hyperdrive_sql_mysql_scan_token(s);

        if (s->failed) {
            return;
        }

        ngx_hyperdrive_sql_scan_next(s);
    }
}


ngx_uint_t
ngx_hyperdrive_sql_mysql_is(ngx_hyperdrive_sql_token_t *token,
    const char *word)
{
    return token->type == T(WORD) && token->text.len == ngx_strlen(word)
           && ngx_strncasecmp(token->text.data, (u_char *) word,
                              token->text.len) == 0;
}


void
ngx_hyperdrive_sql_mysql_scan_token(ngx_hyperdrive_sql_scan_t *s)
{
    switch (s->tok.type) {

    case T(WORD):
    case T(NAME):
        ngx_hyperdrive_sql_mysql_scan_word(s);
        return;

    case T(OPEN):
        ngx_hyperdrive_sql_mysql_scan_open(s);
        return;

    case T(CLOSE):
        ngx_hyperdrive_sql_mysql_scan_close(s);
        return;

    case T(COMMA):
        ngx_hyperdrive_sql_mysql_scan_comma(s);
        return;

    default:
        ngx_hyperdrive_sql_mysql_scan_other(s);
        return;
    }
}


static void
ngx_hyperdrive_sql_mysql_scan_open(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_scan_state_e   state;
    ngx_hyperdrive_sql_scan_frame_t  *f, *inner;

    f = ngx_hyperdrive_sql_scan_top(s);

    switch (f->state) {

    case STATE(SKIP):
        state = STATE(SKIP);
        break;

    case STATE(FROM):
        /* tables, or a query */
        state = STATE(FROM);
        break;

    case STATE(WITH_AFTER):
        /* WITH a AS (...) (SELECT ...) UNION ... */
        f->state = STATE(START);
        /* fall through */

    case STATE(START):
    case STATE(WITH_BODY):
        state = STATE(START);
        break;

    case STATE(FROM_AFTER):

        /* index hints, partitions, columns of an alias */

        state = STATE(SKIP);

        if (s->open == NGX_HYPERDRIVE_SQL_SCAN_OPEN_ROWS) {
            /* JSON_TABLE */
            state = STATE(PAREN);
        }

        break;

    case STATE(WITH_AS):
        state = STATE(SKIP);
        break;

    case STATE(INSERT):

        state = STATE(SKIP);

        if (s->next.keyword == K(SELECT) || s->next.keyword == K(WITH)
            || s->next.keyword == K(TABLE) || s->next.type == T(OPEN))
        {
            f->state = STATE(START);
            state = STATE(START);
        }

        break;

    case STATE(PAREN):
    case STATE(EXPR):
    case STATE(SELECT):
    case STATE(FROM_ON):

        if (f->state == STATE(PAREN)) {
            /* ((SELECT 1) UNION (SELECT 2)) and ((a) + 1): either is good */
            f->state = STATE(EXPR);
        }

        state = (s->open == NGX_HYPERDRIVE_SQL_SCAN_OPEN_NAMES)
                ? STATE(SKIP) : STATE(PAREN);
        break;

    default:
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        return;
    }

    s->open = NGX_HYPERDRIVE_SQL_SCAN_OPEN_EXPR;

    if (s->depth + 1 == NGX_HYPERDRIVE_SQL_SCAN_DEPTH) {
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_TOO_COMPLEX);
        return;
    }

    inner = &s->frames[++s->depth];

    ngx_memzero(inner, sizeof(ngx_hyperdrive_sql_scan_frame_t));

    inner->state = state;
    inner->nctes = s->nctes;

    if (state == STATE(FROM)) {
        inner->target = f->target;
    }
}


static void
ngx_hyperdrive_sql_mysql_scan_close(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_scan_frame_t  *f;

    f = ngx_hyperdrive_sql_scan_top(s);

    if (s->depth == 0 || !ngx_hyperdrive_sql_mysql_scan_complete(f)) {
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        return;
    }

    s->nctes = f->nctes;
    s->depth--;

    f--;

    switch (f->state) {

    case STATE(FROM):
        f->state = STATE(FROM_AFTER);
        break;

    case STATE(WITH_BODY):

        if (!f->recursive) {
            ngx_hyperdrive_sql_query_cte(s, &f->cte);
        }

        f->state = STATE(WITH_AFTER);
        break;

    case STATE(START):
        /* UNION, ORDER BY, LIMIT, INTO */
        f->query = 1;
        f->state = STATE(EXPR);
        break;

    default:
        break;
    }
}


static ngx_uint_t
ngx_hyperdrive_sql_mysql_scan_complete(ngx_hyperdrive_sql_scan_frame_t *f)
{
    switch (f->state) {

    case STATE(START):
    case STATE(FROM):
    case STATE(FROM_ALIAS):
    case STATE(WITH):
    case STATE(WITH_AS):
    case STATE(WITH_BODY):
    case STATE(WITH_AFTER):
    case STATE(SET):
        return 0;

    default:
        return 1;
    }
}


static void
ngx_hyperdrive_sql_mysql_scan_comma(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_scan_frame_t  *f;

    f = ngx_hyperdrive_sql_scan_top(s);

    switch (f->state) {

    case STATE(FROM_AFTER):
    case STATE(FROM_ON):
        f->state = STATE(FROM);
        return;

    case STATE(WITH_AFTER):
        f->state = STATE(WITH);
        return;

    case STATE(EXPR):

        if (f->verb == K(SET)) {
            f->state = STATE(SET);
        }

        return;

    case STATE(SKIP):
    case STATE(SELECT):
        return;

    default:
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
    }
}


static void
ngx_hyperdrive_sql_mysql_scan_word(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_scan_frame_t  *f;

    f = ngx_hyperdrive_sql_scan_top(s);

    switch (f->state) {

    case STATE(SKIP):
        return;

    case STATE(START):
        ngx_hyperdrive_sql_mysql_query(s);
        return;

    case STATE(PAREN):

        switch (s->tok.keyword) {

        case K(SELECT):
        case K(WITH):
        case K(TABLE):
            ngx_hyperdrive_sql_mysql_query(s);
            return;

        default:
            break;
        }

        f->state = STATE(EXPR);
        ngx_hyperdrive_sql_mysql_expr(s);
        return;

    case STATE(EXPR):
    case STATE(SELECT):
    case STATE(FROM_ON):

        if (!ngx_hyperdrive_sql_mysql_query_clause(s)) {
            ngx_hyperdrive_sql_mysql_expr(s);
        }

        return;

    case STATE(FROM):
        ngx_hyperdrive_sql_mysql_query_from(s);
        return;

    case STATE(FROM_ALIAS):
        f->state = STATE(FROM_AFTER);
        return;

    case STATE(FROM_AFTER):
        ngx_hyperdrive_sql_mysql_query_from_after(s);
        return;

    case STATE(INSERT):
        ngx_hyperdrive_sql_mysql_query_insert(s);
        return;

    case STATE(WITH):
    case STATE(WITH_AS):
    case STATE(WITH_BODY):
    case STATE(WITH_AFTER):
        ngx_hyperdrive_sql_mysql_query_with(s);
        return;

    case STATE(SET):
        ngx_hyperdrive_sql_mysql_assign_item(s);
        return;

    default:
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        return;
    }
}


/* constants, signs, variables */

static void
ngx_hyperdrive_sql_mysql_scan_other(ngx_hyperdrive_sql_scan_t *s)
{
    u_char                            ch;
    ngx_hyperdrive_sql_scan_frame_t  *f;

    f = ngx_hyperdrive_sql_scan_top(s);

    ch = (s->tok.type == T(OPERATOR)) ? *s->tok.text.data : '\0';

    switch (f->state) {

    case STATE(SKIP):
        return;

    case STATE(SET):
        ngx_hyperdrive_sql_mysql_assign_item(s);
        return;

    case STATE(PAREN):
        f->state = STATE(EXPR);
        break;

    case STATE(EXPR):
    case STATE(SELECT):
    case STATE(FROM_ON):
        break;

    case STATE(FROM):

        /* { OJ a LEFT JOIN b ON ... }, and ".t" is "t" */

        if (ch == '{' && ngx_hyperdrive_sql_mysql_is(&s->next, "oj")) {
            ngx_hyperdrive_sql_scan_next(s);
            return;
        }

        if (s->tok.type == T(DOT)) {
            return;
        }

        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        return;

    case STATE(FROM_AFTER):

        /* DELETE t.* FROM ... */

        if (ch == '}' || ch == '*' || s->tok.type == T(DOT)) {
            return;
        }

        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        return;

    default:
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        return;
    }

    if (s->tok.type == T(SEMICOLON)) {
        /* within parentheses */
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        return;
    }

    if (s->tok.type == T(VARIABLE) || s->tok.type == T(SYSTEM)) {
        ngx_hyperdrive_sql_mysql_expr_variable(s);
    }
}
