
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "sql/ngx_hyperdrive_sql_mysql.h"


/* MySQL: words in an expression, and what functions and variables mean */


#define K(id)      NGX_HYPERDRIVE_SQL_K_##id
#define T(id)      NGX_HYPERDRIVE_SQL_T_##id

/* the longest function of the list has 43 letters */
#define NGX_HYPERDRIVE_SQL_MYSQL_EXPR_NAME  64


typedef struct {
    const char                  *name;
    ngx_uint_t                   bits;
} ngx_hyperdrive_sql_mysql_expr_name_t;


static void ngx_hyperdrive_sql_mysql_expr_call(ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_mysql_expr_session(
    ngx_hyperdrive_sql_scan_t *s);
static ngx_uint_t ngx_hyperdrive_sql_mysql_expr_find(
    ngx_hyperdrive_sql_mysql_expr_name_t *names,
    ngx_hyperdrive_sql_token_t *token);


static ngx_hyperdrive_sql_mysql_expr_name_t
    ngx_hyperdrive_sql_mysql_expr_asks[] =
{
    { "last_insert_id", NGX_HYPERDRIVE_SQL_ASKS_INSERT_ID },
    { "identity", NGX_HYPERDRIVE_SQL_ASKS_INSERT_ID },
    { "found_rows", NGX_HYPERDRIVE_SQL_ASKS_FOUND_ROWS },
    { "row_count", NGX_HYPERDRIVE_SQL_ASKS_ROW_COUNT },
    { "warning_count", NGX_HYPERDRIVE_SQL_ASKS_WARNINGS },
    { "error_count", NGX_HYPERDRIVE_SQL_ASKS_WARNINGS },
    { NULL, 0 }
};


static ngx_hyperdrive_sql_mysql_expr_name_t
    ngx_hyperdrive_sql_mysql_expr_leaves[] =
{
    { "get_lock", NGX_HYPERDRIVE_SQL_LEAVES_LOCK },
    { "release_lock", NGX_HYPERDRIVE_SQL_LEAVES_LOCK },
    { "release_all_locks", NGX_HYPERDRIVE_SQL_LEAVES_LOCK },
    { "lastval", NGX_HYPERDRIVE_SQL_LEAVES_SEQUENCE },
    { "nextval", NGX_HYPERDRIVE_SQL_LEAVES_SEQUENCE },
    { "setval", NGX_HYPERDRIVE_SQL_LEAVES_SEQUENCE },
    { NULL, 0 }
};


void
ngx_hyperdrive_sql_mysql_expr(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_uint_t                  quoted;
    ngx_hyperdrive_sql_names_t  name;

    if (s->next.type == T(DOT)) {
        ngx_hyperdrive_sql_names_read(s, &name);

        if (s->next.type != T(OPEN)) {
            return;
        }

        if (name.n == 1) {
            /* "t.(" */
            ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
            return;
        }

        /* a stored function */

        ngx_hyperdrive_sql_names_unknown(s, &name.schema, &name.last,
                                         NGX_HYPERDRIVE_SQL_NAMES_FUNCTION);
        return;
    }

    quoted = (s->tok.type == T(NAME));

    if (quoted || s->prev.type == T(DOT)) {

        if (s->next.type == T(OPEN) && s->prev.keyword != K(AS)) {
            ngx_hyperdrive_sql_names_unknown(s, NULL, &s->tok,
                                         NGX_HYPERDRIVE_SQL_NAMES_FUNCTION);
        }

        return;
    }

    switch (s->tok.keyword) {

    case K(CURRENT_DATE):
    case K(CURRENT_TIME):
    case K(CURRENT_TIMESTAMP):
    case K(CURRENT_USER):
    case K(CURRENT_ROLE):
    case K(LOCALTIME):
    case K(LOCALTIMESTAMP):
    case K(UTC_DATE):
    case K(UTC_TIME):
    case K(UTC_TIMESTAMP):
        s->facts->stable = 1;
        return;

    case K(NEXT):
    case K(PREVIOUS):

        /* NEXT VALUE FOR sequence */

        if (s->next.keyword == K(VALUE)) {
            ngx_hyperdrive_sql_scan_next(s);

            if (s->next.keyword == K(FOR)) {
                ngx_hyperdrive_sql_scan_leaves(s,
                                        NGX_HYPERDRIVE_SQL_LEAVES_SEQUENCE);
                ngx_hyperdrive_sql_names_reason(s,
                                                NGX_HYPERDRIVE_SQL_VOLATILE);
                s->facts->may_write = 1;
            }
        }

        return;

    case K(AS):

        /* a type, or the columns of an alias: AS DECIMAL(10, 2) */

        if (s->next.type == T(WORD) || s->next.type == T(NAME)) {
            ngx_hyperdrive_sql_scan_next(s);

            if (s->next.type == T(OPEN)) {
                s->open = NGX_HYPERDRIVE_SQL_SCAN_OPEN_NAMES;
            }
        }

        return;

    case K(VALUES):
        return;

    default:
        break;
    }

    if (s->next.type == T(OPEN)) {
        ngx_hyperdrive_sql_mysql_expr_call(s);
    }
}


/* s->tok is a word and "(" follows */

static void
ngx_hyperdrive_sql_mysql_expr_call(ngx_hyperdrive_sql_scan_t *s)
{
    size_t                      len;
    u_char                      buf[NGX_HYPERDRIVE_SQL_MYSQL_EXPR_NAME];
    ngx_uint_t                  flags;
    ngx_hyperdrive_sql_lexer_t  l;
    ngx_hyperdrive_sql_token_t  token;

    len = s->tok.text.len;
    flags = NGX_HYPERDRIVE_SQL_F_UNKNOWN;

    if (len <= sizeof(buf)) {
        ngx_strlow(buf, s->tok.text.data, len);
        flags = ngx_hyperdrive_sql_lexer_lookup(s->dialect->functions,
                                                *s->dialect->nfunctions,
                                                buf, len);
    }

    if ((flags & NGX_HYPERDRIVE_SQL_F_TOUCH)
        && s->next.blank && !s->lexer.mode.ignore_space)
    {
        flags = NGX_HYPERDRIVE_SQL_F_UNKNOWN;
    }

    switch (flags & NGX_HYPERDRIVE_SQL_F_CLASS) {

    case NGX_HYPERDRIVE_SQL_F_IMMUTABLE:
    case NGX_HYPERDRIVE_SQL_F_WORD:
        return;

    case NGX_HYPERDRIVE_SQL_F_WRITES:
        /* sequences only, which are never read from the cache */
        s->facts->may_write = 1;
        /* fall through */

    case NGX_HYPERDRIVE_SQL_F_SESSION:
        ngx_hyperdrive_sql_mysql_expr_session(s);
        break;

    case NGX_HYPERDRIVE_SQL_F_HARMLESS:

        if (ngx_hyperdrive_sql_mysql_is(&s->tok, "unix_timestamp")) {

            /* of a time it is always the same, of nothing it is now */

            l = s->lexer;
            ngx_hyperdrive_sql_lexer_next(&l, &token);

            if (token.type != T(CLOSE)) {
                return;
            }
        }

        if (flags & NGX_HYPERDRIVE_SQL_F_ANYWHERE) {
            s->facts->stable = 1;
            return;
        }

        break;

    default:
        ngx_hyperdrive_sql_names_unknown(s, NULL, &s->tok,
                                         NGX_HYPERDRIVE_SQL_NAMES_FUNCTION);
        return;
    }

    ngx_hyperdrive_sql_names_reason(s, NGX_HYPERDRIVE_SQL_VOLATILE);
}


static void
ngx_hyperdrive_sql_mysql_expr_session(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_uint_t  leaves;

    s->facts->asks |= ngx_hyperdrive_sql_mysql_expr_find(
                                  ngx_hyperdrive_sql_mysql_expr_asks, &s->tok);

    leaves = ngx_hyperdrive_sql_mysql_expr_find(
                                ngx_hyperdrive_sql_mysql_expr_leaves, &s->tok);

    if (leaves) {
        ngx_hyperdrive_sql_scan_leaves(s, leaves);
    }
}


void
ngx_hyperdrive_sql_mysql_expr_variable(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_names_reason(s, NGX_HYPERDRIVE_SQL_VOLATILE);

    if (s->tok.type == T(VARIABLE)) {

        /* an argument of a procedure may be set by it */

        if (s->next.type == T(ASSIGN)
            || s->kind == NGX_HYPERDRIVE_SQL_CALL)
        {
            ngx_hyperdrive_sql_scan_leaves(s,
                                        NGX_HYPERDRIVE_SQL_LEAVES_VARIABLE);
        }

        s->facts->variables = 1;

        return;
    }

    /* @@name, @@session.name */

    while (s->next.type == T(WORD) || s->next.type == T(NAME)) {
        ngx_hyperdrive_sql_scan_next(s);

        s->facts->asks |= ngx_hyperdrive_sql_mysql_expr_find(
                                  ngx_hyperdrive_sql_mysql_expr_asks, &s->tok);

        if (s->next.type != T(DOT)) {
            return;
        }

        ngx_hyperdrive_sql_scan_next(s);
    }

    ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
}


static ngx_uint_t
ngx_hyperdrive_sql_mysql_expr_find(ngx_hyperdrive_sql_mysql_expr_name_t *names,
    ngx_hyperdrive_sql_token_t *token)
{
    for ( /* void */ ; names->name; names++) {

        if (ngx_strlen(names->name) == token->text.len
            && ngx_strncasecmp((u_char *) names->name, token->text.data,
                               token->text.len) == 0)
        {
            return names->bits;
        }
    }

    return 0;
}
