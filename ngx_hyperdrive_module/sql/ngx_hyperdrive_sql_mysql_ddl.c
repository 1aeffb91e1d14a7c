
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "sql/ngx_hyperdrive_sql_mysql.h"


/* MySQL: CREATE, DROP and all that changes what there is */


#define K(id)      NGX_HYPERDRIVE_SQL_K_##id
#define T(id)      NGX_HYPERDRIVE_SQL_T_##id
#define STATE(id)  NGX_HYPERDRIVE_SQL_SCAN_##id


static void ngx_hyperdrive_sql_mysql_ddl_temporary(
    ngx_hyperdrive_sql_scan_t *s);
static ngx_uint_t ngx_hyperdrive_sql_mysql_ddl_routine(
    ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_mysql_ddl_code(ngx_hyperdrive_sql_scan_t *s);


void
ngx_hyperdrive_sql_mysql_ddl_create(ngx_hyperdrive_sql_scan_t *s)
{
    if (s->next.keyword == K(OR)) {
        /* REPLACE */
        ngx_hyperdrive_sql_scan_next(s);
        ngx_hyperdrive_sql_scan_next(s);
    }

    if (s->next.keyword == K(TEMPORARY)) {
        ngx_hyperdrive_sql_scan_next(s);
        ngx_hyperdrive_sql_mysql_ddl_temporary(s);
        return;
    }

    if (ngx_hyperdrive_sql_mysql_ddl_routine(s)) {
        ngx_hyperdrive_sql_mysql_ddl_code(s);
    }

    ngx_hyperdrive_sql_mysql_ddl(s);
}


/*
 * CREATE TEMPORARY TABLE [IF NOT EXISTS] t (...) ... [AS] SELECT: commits
 * nothing, and changes what only this session sees.
 */

static void
ngx_hyperdrive_sql_mysql_ddl_temporary(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_names_t  name;

    ngx_hyperdrive_sql_scan_leaves(s, NGX_HYPERDRIVE_SQL_LEAVES_TEMPORARY);

    s->kind = NGX_HYPERDRIVE_SQL_DDL;
    s->facts->temporary = 1;
    s->facts->may_write = 1;

    if (s->next.keyword != K(TABLE)) {
        /* a sequence, of MariaDB's later versions */
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        return;
    }

    s->facts->create_temporary = 1;

    ngx_hyperdrive_sql_scan_next(s);
    ngx_hyperdrive_sql_scan_next(s);

    if (s->tok.keyword == K(IF)) {
        ngx_hyperdrive_sql_scan_next(s);
        ngx_hyperdrive_sql_scan_next(s);
        ngx_hyperdrive_sql_scan_next(s);
    }

    if (s->tok.type != T(WORD) && s->tok.type != T(NAME)) {
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        return;
    }

    ngx_hyperdrive_sql_names_read(s, &name);

    /* columns and options, up to a query */

    while (s->next.type != T(END) && s->next.type != T(SEMICOLON)
           && s->next.keyword != K(SELECT) && s->next.keyword != K(WITH)
           && s->next.keyword != K(VALUES) && !s->failed)
    {
        ngx_hyperdrive_sql_scan_next(s);

        if (s->tok.type == T(OPEN)) {
            s->depth++;

        } else if (s->tok.type == T(CLOSE) && s->depth) {
            s->depth--;
        }
    }

    ngx_hyperdrive_sql_scan_next(s);

    if (s->failed) {
        return;
    }

    if (s->tok.type == T(END) || s->tok.type == T(SEMICOLON)) {
        s->depth = 0;
        s->frames[0].state = STATE(SKIP);
        return;
    }

    if (s->tok.keyword == K(VALUES) && s->depth) {
        /* VALUES LESS THAN (...) of a partition */
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        return;
    }

    if (s->depth >= NGX_HYPERDRIVE_SQL_SCAN_DEPTH - 1) {
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_TOO_COMPLEX);
        return;
    }

    /* a query within so many parentheses */

    ngx_memzero(s->frames,
                (s->depth + 1) * sizeof(ngx_hyperdrive_sql_scan_frame_t));

    ngx_hyperdrive_sql_scan_top(s)->state = STATE(START);
}


void
ngx_hyperdrive_sql_mysql_ddl_drop(ngx_hyperdrive_sql_scan_t *s)
{
    if (s->next.keyword == K(PREPARE)) {
        ngx_hyperdrive_sql_classify_skip(s, NGX_HYPERDRIVE_SQL_PREPARE,
                                     NGX_HYPERDRIVE_SQL_LEAVES_NOTHING);
        return;
    }

    if (s->next.keyword == K(TEMPORARY)) {
        s->facts->temporary = 1;
        ngx_hyperdrive_sql_classify_skip(s, NGX_HYPERDRIVE_SQL_LOCK,
                                     NGX_HYPERDRIVE_SQL_LEAVES_NOTHING);
        return;
    }

    ngx_hyperdrive_sql_mysql_ddl(s);
}


/* TRUNCATE [TABLE] t: commits what is open, and changes no more than rows */

void
ngx_hyperdrive_sql_mysql_ddl_truncate(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_names_t  name;

    s->facts->may_write = 1;
    s->facts->commits_first = 1;
    s->facts->transaction_control = 1;

    if (s->next.keyword == K(TABLE)) {
        ngx_hyperdrive_sql_scan_next(s);
    }

    ngx_hyperdrive_sql_scan_next(s);

    if (s->tok.type != T(WORD) && s->tok.type != T(NAME)) {
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        return;
    }

    ngx_hyperdrive_sql_names_read(s, &name);
    (void) ngx_hyperdrive_sql_names_table(s, &name, 1);

    ngx_hyperdrive_sql_classify_skip(s, NGX_HYPERDRIVE_SQL_DDL, 0);
}


/* all of these commit what is open, and may change anything */

void
ngx_hyperdrive_sql_mysql_ddl(ngx_hyperdrive_sql_scan_t *s)
{
    s->facts->may_write = 1;
    s->facts->incomplete = 1;
    s->facts->commits_first = 1;
    s->facts->transaction_control = 1;

    ngx_hyperdrive_sql_classify_skip(s, NGX_HYPERDRIVE_SQL_DDL, 0);
}


/* whether the text of a routine follows, with semicolons in it */

static ngx_uint_t
ngx_hyperdrive_sql_mysql_ddl_routine(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_lexer_t  lexer;
    ngx_hyperdrive_sql_token_t  token;

    lexer = s->lexer;
    token = s->next;

    for ( ;; ) {

        switch (token.type) {

        case T(WORD):

            if (token.keyword == K(FUNCTION) || token.keyword == K(PROCEDURE)
                || ngx_hyperdrive_sql_mysql_is(&token, "trigger")
                || ngx_hyperdrive_sql_mysql_is(&token, "event")
                || ngx_hyperdrive_sql_mysql_is(&token, "package"))
            {
                return 1;
            }

            if (token.keyword == K(TABLE) || token.keyword == K(VIEW)
                || token.keyword == K(DATABASE) || token.keyword == K(INDEX))
            {
                return 0;
            }

            break;

        case T(END):
        case T(ERROR):
        case T(SEMICOLON):
        case T(OPEN):
            return 0;

        default:
            break;
        }

        ngx_hyperdrive_sql_lexer_next(&lexer, &token);
    }
}


/*
 * To the last token of CREATE PROCEDURE and the like.  A body that is not
 * BEGIN ... END ends at the first semicolon: what is behind it is read as
 * statements, and as worse than it is, if it is none.
 */

static void
ngx_hyperdrive_sql_mysql_ddl_code(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_uint_t  depth;

    depth = 0;

    for ( ;; ) {

        if (s->failed || s->next.type == T(END)
            || (s->next.type == T(SEMICOLON) && depth == 0))
        {
            return;
        }

        ngx_hyperdrive_sql_scan_next(s);

        switch (s->tok.keyword) {

        case K(BEGIN):
        case K(CASE):
            depth++;
            break;

        case K(END):

            if (s->next.keyword == K(IF) || s->next.keyword == K(LOOP)
                || s->next.keyword == K(WHILE)
                || s->next.keyword == K(REPEAT) || depth == 0)
            {
                break;
            }

            depth--;

            if (s->next.keyword == K(CASE)) {
                ngx_hyperdrive_sql_scan_next(s);
            }

            break;

        default:
            break;
        }
    }
}
