
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "sql/ngx_hyperdrive_sql_mysql.h"


/* MySQL: SET in all its forms */


#define K(id)      NGX_HYPERDRIVE_SQL_K_##id
#define T(id)      NGX_HYPERDRIVE_SQL_T_##id
#define STATE(id)  NGX_HYPERDRIVE_SQL_SCAN_##id


static ngx_uint_t ngx_hyperdrive_sql_mysql_assign_special(
    ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_mysql_assign_statement(
    ngx_hyperdrive_sql_scan_t *s);
static ngx_uint_t ngx_hyperdrive_sql_mysql_assign_equals(
    ngx_hyperdrive_sql_token_t *token);


void
ngx_hyperdrive_sql_mysql_assign(ngx_hyperdrive_sql_scan_t *s)
{
    if (ngx_hyperdrive_sql_mysql_is(&s->next, "statement")) {
        ngx_hyperdrive_sql_mysql_assign_statement(s);
        return;
    }

    s->kind = NGX_HYPERDRIVE_SQL_SET;
    s->frames[0].verb = K(SET);
    s->frames[0].state = STATE(SET);

    ngx_hyperdrive_sql_scan_next(s);
}


void
ngx_hyperdrive_sql_mysql_assign_item(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_uint_t                        global, scope;
    ngx_hyperdrive_sql_names_t        name;
    ngx_hyperdrive_sql_scan_frame_t  *f;

    f = ngx_hyperdrive_sql_scan_top(s);
    f->state = STATE(EXPR);

    if (s->tok.type == T(VARIABLE)) {
        ngx_hyperdrive_sql_scan_leaves(s, NGX_HYPERDRIVE_SQL_LEAVES_VARIABLE);
        goto value;
    }

    global = 0;
    scope = 0;

    if (s->tok.type == T(SYSTEM)) {
        scope = 1;
        ngx_hyperdrive_sql_scan_next(s);

    } else if (s->tok.type != T(WORD) && s->tok.type != T(NAME)) {
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        return;
    }

    if (s->tok.keyword == K(PASSWORD)
        || !ngx_hyperdrive_sql_mysql_assign_equals(&s->next))
    {
        switch (s->tok.keyword) {

        case K(GLOBAL):
        case K(PERSIST):
        case K(PERSIST_ONLY):
            global = 1;
            /* fall through */

        case K(SESSION):
        case K(LOCAL):

            scope = 1;

            if (s->next.type == T(DOT)) {
                break;
            }

            ngx_hyperdrive_sql_scan_next(s);

            if (s->tok.keyword != K(TRANSACTION)) {
                break;
            }

            if (global) {
                s->facts->may_write = 1;
                s->facts->incomplete = 1;

            } else {
                ngx_hyperdrive_sql_scan_leaves(s,
                                         NGX_HYPERDRIVE_SQL_LEAVES_SETTING);
            }

            f->state = STATE(SKIP);
            return;

        default:

            if (ngx_hyperdrive_sql_mysql_assign_special(s)) {
                return;
            }

            break;
        }
    }

    if (s->tok.type != T(WORD) && s->tok.type != T(NAME)) {
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        return;
    }

    ngx_hyperdrive_sql_names_read(s, &name);

    if (name.n > 1
        && (ngx_hyperdrive_sql_mysql_is(&name.schema, "global")
            || ngx_hyperdrive_sql_mysql_is(&name.schema, "persist")
            || ngx_hyperdrive_sql_mysql_is(&name.schema, "persist_only")))
    {
        global = 1;
    }

    if (global) {
        /* what other sessions do from now on */
        s->facts->may_write = 1;
        s->facts->incomplete = 1;

    } else if (!s->body
               && (ngx_hyperdrive_sql_mysql_is(&name.last, "last_insert_id")
                   || ngx_hyperdrive_sql_mysql_is(&name.last, "identity")))
    {
        /* what LAST_INSERT_ID() says, which is followed as that is */
        s->facts->asks |= NGX_HYPERDRIVE_SQL_ASKS_INSERT_ID;

    } else if (!s->body || scope
               || (name.n == 1
                   && !ngx_hyperdrive_sql_mysql_declared(s, &name.last)))
    {
        ngx_hyperdrive_sql_scan_leaves(s, NGX_HYPERDRIVE_SQL_LEAVES_SETTING);

        if (ngx_hyperdrive_sql_mysql_is(&name.last, "autocommit")) {
            s->facts->transaction_control = 1;
            s->facts->commits_first = 1;
            s->facts->autocommit = 1;
        }
    }

value:

    if (!ngx_hyperdrive_sql_mysql_assign_equals(&s->next)) {
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        return;
    }

    ngx_hyperdrive_sql_scan_next(s);

    if (s->next.type == T(END) || s->next.type == T(SEMICOLON)) {
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
    }
}


/* those that are no variables; 1: all is said of it */

static ngx_uint_t
ngx_hyperdrive_sql_mysql_assign_special(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_scan_frame_t  *f;

    f = ngx_hyperdrive_sql_scan_top(s);

    switch (s->tok.keyword) {

    case K(NAMES):
    case K(CHARSET):
    case K(CHARACTER):
        ngx_hyperdrive_sql_scan_leaves(s, NGX_HYPERDRIVE_SQL_LEAVES_SETTING);
        return 1;

    case K(TRANSACTION):
        /* of the next transaction only */
        ngx_hyperdrive_sql_scan_leaves(s, NGX_HYPERDRIVE_SQL_LEAVES_SETTING);
        s->kind = NGX_HYPERDRIVE_SQL_SET_LOCAL;
        f->state = STATE(SKIP);
        return 1;

    case K(PASSWORD):
    case K(DEFAULT):
        s->facts->commits_first = 1;
        s->facts->transaction_control = 1;
        s->facts->may_write = 1;
        s->facts->incomplete = 1;
        s->kind = NGX_HYPERDRIVE_SQL_DDL;
        f->state = STATE(SKIP);
        return 1;

    default:
        break;
    }

    if (ngx_hyperdrive_sql_mysql_is(&s->tok, "role")
        || ngx_hyperdrive_sql_mysql_is(&s->tok, "resource"))
    {
        ngx_hyperdrive_sql_scan_leaves(s, NGX_HYPERDRIVE_SQL_LEAVES_SETTING);
        f->state = STATE(SKIP);
        return 1;
    }

    return 0;
}


/* SET STATEMENT a = 1, b = 2 FOR SELECT ... */

static void
ngx_hyperdrive_sql_mysql_assign_statement(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_names_reason(s, NGX_HYPERDRIVE_SQL_VOLATILE);

    /* (the text is read as the session's sql_mode has it) */

    s->facts->brief = 1;

    while (s->tok.keyword != K(FOR)) {

        if (s->next.type == T(END) || s->next.type == T(SEMICOLON)
            || s->next.type == T(OPEN) || s->failed)
        {
            ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
            return;
        }

        ngx_hyperdrive_sql_scan_next(s);
    }

    ngx_hyperdrive_sql_scan_next(s);

    if (s->tok.keyword == K(SET) || s->failed) {
        /* a SET in it would be undone, or not: nobody has to know */
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        return;
    }

    ngx_hyperdrive_sql_mysql_dispatch(s);
}


static ngx_uint_t
ngx_hyperdrive_sql_mysql_assign_equals(ngx_hyperdrive_sql_token_t *token)
{
    return token->type == T(ASSIGN)
           || (token->type == T(OPERATOR) && token->text.len == 1
               && *token->text.data == '=');
}
