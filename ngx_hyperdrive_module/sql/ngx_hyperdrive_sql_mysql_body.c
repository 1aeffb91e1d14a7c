
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "sql/ngx_hyperdrive_sql_mysql.h"


/*
 * MySQL: the bodies of routines and triggers.  The words that steer are taken
 * away, the expressions between them are read as expressions, and the rest as
 * statements.
 */


#define K(id)      NGX_HYPERDRIVE_SQL_K_##id
#define T(id)      NGX_HYPERDRIVE_SQL_T_##id
#define STATE(id)  NGX_HYPERDRIVE_SQL_SCAN_##id


static void ngx_hyperdrive_sql_mysql_body_statement(
    ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_mysql_body_declare(
    ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_mysql_body_handler(
    ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_mysql_body_for(ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_mysql_body_skip(ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_mysql_body_expr(ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_mysql_body_name(ngx_hyperdrive_sql_scan_t *s,
    ngx_str_t *name);
static void ngx_hyperdrive_sql_mysql_body_done(ngx_hyperdrive_sql_scan_t *s);


void
ngx_hyperdrive_sql_mysql_body(ngx_str_t *text, ngx_hyperdrive_sql_mode_t *mode,
    ngx_str_t *params, ngx_uint_t nparams, u_char *names, size_t size,
    ngx_hyperdrive_sql_facts_t *facts)
{
    ngx_uint_t                 i;
    ngx_hyperdrive_sql_scan_t  scan, *s;

    s = &scan;

    ngx_hyperdrive_sql_classify_init(s, text, mode, names, size, facts);

    s->body = 1;

    for (i = 0; i < nparams; i++) {
        ngx_hyperdrive_sql_mysql_body_name(s, &params[i]);
    }

    if (mode->unread) {
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
    }

    ngx_hyperdrive_sql_lexer_next(&s->lexer, &s->next);
    ngx_hyperdrive_sql_scan_next(s);

    while (!s->failed && s->tok.type != T(END)) {

        if (s->tok.type == T(SEMICOLON)) {
            ngx_hyperdrive_sql_scan_next(s);
            continue;
        }

        ngx_hyperdrive_sql_mysql_body_statement(s);
    }

    ngx_hyperdrive_sql_mysql_body_done(s);
}


void
ngx_hyperdrive_sql_mysql_expression(ngx_str_t *text,
    ngx_hyperdrive_sql_mode_t *mode, u_char *names, size_t size,
    ngx_hyperdrive_sql_facts_t *facts)
{
    ngx_hyperdrive_sql_scan_t  scan, *s;

    s = &scan;

    ngx_hyperdrive_sql_classify_init(s, text, mode, names, size, facts);

    ngx_hyperdrive_sql_lexer_next(&s->lexer, &s->next);
    ngx_hyperdrive_sql_scan_next(s);

    ngx_hyperdrive_sql_mysql_body_expr(s);

    if (!s->failed && s->tok.type != T(END)) {
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
    }

    ngx_hyperdrive_sql_mysql_body_done(s);
}


/* what the calls do is for the catalog to say */

static void
ngx_hyperdrive_sql_mysql_body_done(ngx_hyperdrive_sql_scan_t *s)
{
    s->facts->known_reason = s->facts->reason;
    s->facts->known_stateful = s->facts->stateful;
    s->facts->known_may_write = s->facts->may_write;

    if (s->facts->stable) {
        ngx_hyperdrive_sql_names_reason(s, NGX_HYPERDRIVE_SQL_VOLATILE);
    }
}


static void
ngx_hyperdrive_sql_mysql_body_statement(ngx_hyperdrive_sql_scan_t *s)
{
    if (s->next.type == T(COLON)
        && (s->tok.type == T(WORD) || s->tok.type == T(NAME)))
    {
        /* a label */
        ngx_hyperdrive_sql_scan_next(s);
        ngx_hyperdrive_sql_scan_next(s);
        return;
    }

    switch (s->tok.keyword) {

    case K(BEGIN):
        ngx_hyperdrive_sql_scan_next(s);

        if (s->tok.keyword == K(NOT)) {
            /* ATOMIC */
            ngx_hyperdrive_sql_scan_next(s);
            ngx_hyperdrive_sql_scan_next(s);
        }

        return;

    case K(ELSE):
    case K(THEN):
    case K(DO):
    case K(LOOP):
    case K(REPEAT):
        ngx_hyperdrive_sql_scan_next(s);
        return;

    case K(END):
    case K(OPEN):
    case K(CLOSE):
    case K(FETCH):
    case K(LEAVE):
    case K(ITERATE):
    case K(SIGNAL):
    case K(RESIGNAL):
        ngx_hyperdrive_sql_mysql_body_skip(s);
        return;

    case K(IF):
    case K(ELSEIF):
    case K(WHILE):
    case K(CASE):
    case K(WHEN):
    case K(UNTIL):
    case K(RETURN):
        ngx_hyperdrive_sql_scan_next(s);

        if (s->tok.keyword != K(WHEN)) {
            ngx_hyperdrive_sql_mysql_body_expr(s);
        }

        return;

    case K(FOR):
        ngx_hyperdrive_sql_mysql_body_for(s);
        return;

    case K(DECLARE):
        ngx_hyperdrive_sql_mysql_body_declare(s);
        return;

    default:
        ngx_hyperdrive_sql_classify_statement(s);
        return;
    }
}


/* DECLARE a, b type [DEFAULT x], c CURSOR FOR ..., EXIT HANDLER FOR ... */

static void
ngx_hyperdrive_sql_mysql_body_declare(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_scan_next(s);

    if (ngx_hyperdrive_sql_mysql_is(&s->next, "handler")) {
        ngx_hyperdrive_sql_mysql_body_handler(s);
        return;
    }

    if (ngx_hyperdrive_sql_mysql_is(&s->next, "condition")) {
        ngx_hyperdrive_sql_mysql_body_skip(s);
        return;
    }

    if (s->next.keyword == K(CURSOR)) {

        /* with parameters, in MariaDB */

        while (s->tok.keyword != K(FOR) && s->tok.type != T(SEMICOLON)
               && s->tok.type != T(END) && !s->failed)
        {
            ngx_hyperdrive_sql_scan_next(s);
        }

        ngx_hyperdrive_sql_scan_next(s);
        return;
    }

    for ( ;; ) {

        if (s->tok.type != T(WORD) && s->tok.type != T(NAME)) {
            ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
            return;
        }

        ngx_hyperdrive_sql_mysql_body_name(s, &s->tok.text);
        ngx_hyperdrive_sql_scan_next(s);

        if (s->tok.type != T(COMMA) || s->failed) {
            break;
        }

        ngx_hyperdrive_sql_scan_next(s);
    }

    /* the type, and what it begins with */

    while (s->tok.type != T(SEMICOLON) && s->tok.type != T(END)
           && s->tok.keyword != K(DEFAULT) && !s->failed)
    {
        ngx_hyperdrive_sql_scan_next(s);
    }

    if (s->tok.keyword == K(DEFAULT)) {
        ngx_hyperdrive_sql_scan_next(s);
        ngx_hyperdrive_sql_mysql_body_expr(s);
    }
}


/* EXIT HANDLER FOR SQLEXCEPTION, NOT FOUND, SQLSTATE '01000' statement */

static void
ngx_hyperdrive_sql_mysql_body_handler(ngx_hyperdrive_sql_scan_t *s)
{
    while (s->tok.keyword != K(FOR) && s->tok.type != T(SEMICOLON)
           && s->tok.type != T(END) && !s->failed)
    {
        ngx_hyperdrive_sql_scan_next(s);
    }

    for ( ;; ) {
        ngx_hyperdrive_sql_scan_next(s);

        if (s->tok.keyword == K(NOT)
            || ngx_hyperdrive_sql_mysql_is(&s->tok, "sqlstate"))
        {
            ngx_hyperdrive_sql_scan_next(s);

            if (s->tok.keyword == K(VALUE)) {
                ngx_hyperdrive_sql_scan_next(s);
            }
        }

        ngx_hyperdrive_sql_scan_next(s);

        if (s->tok.type != T(COMMA) || s->failed) {
            return;
        }
    }
}


/* FOR i IN 1 .. 10 DO, FOR r IN (SELECT ...) DO */

static void
ngx_hyperdrive_sql_mysql_body_for(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_scan_next(s);
    ngx_hyperdrive_sql_mysql_body_name(s, &s->tok.text);

    while (s->tok.keyword != K(IN) && s->tok.type != T(SEMICOLON)
           && s->tok.type != T(END) && !s->failed)
    {
        ngx_hyperdrive_sql_scan_next(s);
    }

    ngx_hyperdrive_sql_scan_next(s);
    ngx_hyperdrive_sql_mysql_body_expr(s);
}


/* to the next semicolon */

static void
ngx_hyperdrive_sql_mysql_body_skip(ngx_hyperdrive_sql_scan_t *s)
{
    while (s->tok.type != T(SEMICOLON) && s->tok.type != T(END)
           && !s->failed)
    {
        ngx_hyperdrive_sql_scan_next(s);
    }
}


/*
 * From s->tok on to what ends an expression that is no part of a statement: a
 * semicolon, or THEN, DO, WHEN and the like, but for those of a CASE in it.
 */

static void
ngx_hyperdrive_sql_mysql_body_expr(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_uint_t  cases;

    cases = 0;

    s->depth = 0;
    s->nctes = 0;
    s->open = NGX_HYPERDRIVE_SQL_SCAN_OPEN_EXPR;

    ngx_memzero(&s->prev, sizeof(ngx_hyperdrive_sql_token_t));
    ngx_memzero(&s->frames[0], sizeof(ngx_hyperdrive_sql_scan_frame_t));

    s->frames[0].state = STATE(EXPR);

    while (!s->failed) {

        if (s->tok.type == T(END)
            || (s->tok.type == T(SEMICOLON) && s->depth == 0))
        {
            if (s->depth) {
                ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
            }

            return;
        }

        if (s->depth == 0) {

            switch (s->tok.keyword) {

            case K(CASE):
                cases++;
                break;

            case K(END):

                if (cases == 0) {
                    return;
                }

                cases--;
                ngx_hyperdrive_sql_scan_next(s);
                continue;

            case K(WHEN):
            case K(THEN):
            case K(ELSE):
            case K(DO):

                if (cases == 0) {
                    return;
                }

                break;

            default:
                break;
            }
        }

        ngx_hyperdrive_sql_mysql_scan_token(s);

        if (!s->failed) {
            ngx_hyperdrive_sql_scan_next(s);
        }
    }
}


static void
ngx_hyperdrive_sql_mysql_body_name(ngx_hyperdrive_sql_scan_t *s,
    ngx_str_t *name)
{
    if (s->ndeclared < NGX_HYPERDRIVE_SQL_SCAN_DECLARED) {
        s->declared[s->ndeclared++] = *name;
    }
}


ngx_uint_t
ngx_hyperdrive_sql_mysql_declared(ngx_hyperdrive_sql_scan_t *s,
    ngx_hyperdrive_sql_token_t *token)
{
    ngx_uint_t  i;

    for (i = 0; i < s->ndeclared; i++) {

        if (s->declared[i].len == token->text.len
            && ngx_strncasecmp(s->declared[i].data, token->text.data,
                               token->text.len)
               == 0)
        {
            return 1;
        }
    }

    return 0;
}
