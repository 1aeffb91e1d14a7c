
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "sql/ngx_hyperdrive_sql_mysql.h"


/* MySQL: queries, and INSERT, UPDATE, DELETE: where tables stand */


#define K(id)      NGX_HYPERDRIVE_SQL_K_##id
#define T(id)      NGX_HYPERDRIVE_SQL_T_##id
#define STATE(id)  NGX_HYPERDRIVE_SQL_SCAN_##id


static void ngx_hyperdrive_sql_mysql_query_modifiers(
    ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_mysql_query_into_table(
    ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_mysql_query_delete(
    ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_mysql_query_limit(ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_mysql_query_into(ngx_hyperdrive_sql_scan_t *s);


void
ngx_hyperdrive_sql_mysql_query(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_scan_frame_t  *f;

    f = ngx_hyperdrive_sql_scan_top(s);

    f->query = 1;
    f->verb = s->tok.keyword;
    f->target = 0;
    f->using = 0;

    switch (s->tok.keyword) {

    case K(SELECT):
    case K(VALUES):
        f->state = STATE(EXPR);
        return;

    case K(TABLE):
        f->state = STATE(FROM);
        return;

    case K(WITH):

        if (s->next.keyword == K(RECURSIVE)) {
            ngx_hyperdrive_sql_scan_next(s);
            f->recursive = 1;
        }

        f->state = STATE(WITH);
        return;

    default:
        break;
    }

    /* the rest are statements, not parts of one */

    if (s->depth) {
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        return;
    }

    s->write = 1;

    switch (s->tok.keyword) {

    case K(INSERT):
    case K(REPLACE):
        ngx_hyperdrive_sql_mysql_query_modifiers(s);
        ngx_hyperdrive_sql_mysql_query_into_table(s);
        return;

    case K(UPDATE):
        ngx_hyperdrive_sql_mysql_query_modifiers(s);
        f->target = 1;
        f->state = STATE(FROM);
        return;

    case K(DELETE):
        ngx_hyperdrive_sql_mysql_query_modifiers(s);
        ngx_hyperdrive_sql_mysql_query_delete(s);
        return;

    default:
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        return;
    }
}


static void
ngx_hyperdrive_sql_mysql_query_modifiers(ngx_hyperdrive_sql_scan_t *s)
{
    for ( ;; ) {

        switch (s->next.keyword) {

        case K(LOW_PRIORITY):
        case K(DELAYED):
        case K(HIGH_PRIORITY):
        case K(IGNORE):
        case K(QUICK):
        case K(HISTORY):
        case K(INTO):
            ngx_hyperdrive_sql_scan_next(s);
            continue;

        default:
            return;
        }
    }
}


/* the target of INSERT */

static void
ngx_hyperdrive_sql_mysql_query_into_table(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_names_t        name;
    ngx_hyperdrive_sql_scan_frame_t  *f;

    ngx_hyperdrive_sql_scan_next(s);

    if (s->tok.type != T(WORD) && s->tok.type != T(NAME)) {
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        return;
    }

    ngx_hyperdrive_sql_names_read(s, &name);
    (void) ngx_hyperdrive_sql_names_table(s, &name, 1);

    f = ngx_hyperdrive_sql_scan_top(s);
    f->state = STATE(INSERT);
}


/*
 * DELETE FROM t ..., DELETE FROM a, b USING ..., DELETE a, b FROM ...: in the
 * last form the names may be aliases; all tables behind FROM are taken for
 * written.
 */

static void
ngx_hyperdrive_sql_mysql_query_delete(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_scan_frame_t  *f;

    while (s->next.keyword != K(FROM)) {

        if (s->next.type == T(END) || s->next.type == T(SEMICOLON)
            || s->next.type == T(OPEN) || s->failed)
        {
            ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
            return;
        }

        ngx_hyperdrive_sql_scan_next(s);
    }

    ngx_hyperdrive_sql_scan_next(s);

    f = ngx_hyperdrive_sql_scan_top(s);

    f->target = 1;
    f->using = 1;
    f->state = STATE(FROM);
}


ngx_uint_t
ngx_hyperdrive_sql_mysql_query_clause(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_scan_frame_t  *f;

    f = ngx_hyperdrive_sql_scan_top(s);

    switch (s->tok.keyword) {

    case K(ON):

        if (ngx_hyperdrive_sql_mysql_is(&s->next, "duplicate")) {
            /* INSERT ... SELECT ... ON DUPLICATE KEY UPDATE */
            f->state = STATE(EXPR);
            f->query = 0;
            return 1;
        }

        return 0;

    case K(SQL_CALC_FOUND_ROWS):
        s->facts->calc = 1;
        ngx_hyperdrive_sql_names_reason(s, NGX_HYPERDRIVE_SQL_VOLATILE);
        return 1;

    case K(SQL_NO_CACHE):
        s->facts->no_cache = 1;
        return 1;

    case K(FOR):

        if (s->next.keyword == K(UPDATE) || s->next.keyword == K(SHARE)) {
            ngx_hyperdrive_sql_names_reason(s, NGX_HYPERDRIVE_SQL_LOCKING);
            f->state = STATE(EXPR);
        }

        return 1;

    case K(LOCK):

        if (s->next.keyword == K(IN)) {
            ngx_hyperdrive_sql_names_reason(s, NGX_HYPERDRIVE_SQL_LOCKING);
            f->state = STATE(EXPR);
        }

        return 1;

    default:
        break;
    }

    if (!f->query) {

        /* the arguments of a function: TRIM(a FROM b) */

        switch (s->tok.keyword) {

        case K(UNION):
        case K(EXCEPT):
        case K(INTERSECT):
            /* ((SELECT 1) UNION SELECT 2) */
            f->query = 1;
            break;

        case K(SELECT):
            ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
            return 1;

        default:
            return 0;
        }
    }

    switch (s->tok.keyword) {

    case K(FROM):
        f->state = STATE(FROM);
        return 1;

    case K(UNION):
    case K(EXCEPT):
    case K(INTERSECT):
    case K(MINUS):

        if (s->tok.keyword == K(MINUS) && s->next.keyword != K(SELECT)) {
            /* a name, but in Oracle's mode */
            return 0;
        }

        if (s->next.keyword == K(ALL) || s->next.keyword == K(DISTINCT)) {
            ngx_hyperdrive_sql_scan_next(s);
        }

        f->state = STATE(START);
        return 1;

    case K(WHERE):
    case K(GROUP):
    case K(HAVING):
    case K(ORDER):
    case K(LIMIT):
    case K(FETCH):
    case K(OFFSET):
    case K(WINDOW):
    case K(SET):

        if (s->tok.keyword == K(OFFSET) && s->next.type != T(NUMBER)
            && s->next.type != T(PARAM))
        {
            /* a name in MySQL and in old versions */
            return 0;
        }

        if (s->tok.keyword == K(WINDOW)
            && s->next.type != T(WORD) && s->next.type != T(NAME))
        {
            return 0;
        }

        if (s->tok.keyword == K(OFFSET) || s->tok.keyword == K(LIMIT)
            || s->tok.keyword == K(FETCH))
        {
            ngx_hyperdrive_sql_mysql_query_limit(s);
        }

        f->state = STATE(EXPR);
        return 1;

    case K(INTO):
        ngx_hyperdrive_sql_mysql_query_into(s);
        return 1;

    case K(PROCEDURE):
        /* PROCEDURE ANALYSE() */
        ngx_hyperdrive_sql_names_reason(s, NGX_HYPERDRIVE_SQL_VOLATILE);
        s->open = NGX_HYPERDRIVE_SQL_SCAN_OPEN_NAMES;
        ngx_hyperdrive_sql_scan_next(s);
        f->state = STATE(EXPR);
        return 1;

    case K(JOIN):
    case K(STRAIGHT_JOIN):

        if (f->state == STATE(FROM_ON)) {
            f->state = STATE(FROM);
        }

        return 1;

    case K(LEFT):
    case K(RIGHT):
        return s->next.type != T(OPEN);

    case K(SELECT):

        /* INSERT ... SELECT is read elsewhere */

        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        return 1;

    default:
        return 0;
    }
}


/* LIMIT n leaves nothing out in front */

static void
ngx_hyperdrive_sql_mysql_query_limit(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_lexer_t  l;
    ngx_hyperdrive_sql_token_t  token;

    l = s->lexer;
    ngx_hyperdrive_sql_lexer_next(&l, &token);

    if (s->tok.keyword != K(LIMIT) || token.type == T(COMMA)
        || token.keyword == K(OFFSET))
    {
        s->facts->paged = 1;
    }
}


/* SELECT ... INTO OUTFILE '...', INTO DUMPFILE '...', INTO @a, b */

static void
ngx_hyperdrive_sql_mysql_query_into(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_scan_frame_t  *f;

    f = ngx_hyperdrive_sql_scan_top(s);

    if (!s->body || (s->next.type != T(WORD) && s->next.type != T(NAME))) {
        ngx_hyperdrive_sql_names_reason(s, NGX_HYPERDRIVE_SQL_VOLATILE);
    }

    if (s->next.keyword == K(OUTFILE) || s->next.keyword == K(DUMPFILE)) {
        ngx_hyperdrive_sql_names_reason(s, NGX_HYPERDRIVE_SQL_VOLATILE);
        /* no table is written, and yet it is not to be done twice */
        s->kind = NGX_HYPERDRIVE_SQL_CURSOR;
        f->state = STATE(EXPR);
        return;
    }

    f->state = STATE(EXPR);

    for ( ;; ) {
        ngx_hyperdrive_sql_scan_next(s);

        if (s->tok.type == T(VARIABLE)) {
            ngx_hyperdrive_sql_names_reason(s, NGX_HYPERDRIVE_SQL_VOLATILE);
            ngx_hyperdrive_sql_scan_leaves(s,
                                        NGX_HYPERDRIVE_SQL_LEAVES_VARIABLE);

        } else if (s->tok.type != T(WORD) && s->tok.type != T(NAME)) {
            ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
            return;
        }

        if (s->next.type != T(COMMA) || s->failed) {
            return;
        }

        ngx_hyperdrive_sql_scan_next(s);
    }
}


void
ngx_hyperdrive_sql_mysql_query_from(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_names_t        name;
    ngx_hyperdrive_sql_scan_frame_t  *f;

    f = ngx_hyperdrive_sql_scan_top(s);

    switch (s->tok.keyword) {

    case K(SELECT):
    case K(WITH):
    case K(VALUES):
    case K(TABLE):

        /* behind "(" */

        if (s->depth && s->prev.type == T(OPEN)) {
            ngx_hyperdrive_sql_mysql_query(s);
            return;
        }

        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        return;

    case K(LATERAL):
        return;

    case K(DUAL):

        if (s->next.type != T(DOT)) {
            f->state = STATE(FROM_AFTER);
            return;
        }

        break;

    case K(IGNORE):
    case K(LOW_PRIORITY):
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        return;

    default:
        break;
    }

    if (s->tok.category == NGX_HYPERDRIVE_SQL_RESERVED
        && s->next.type != T(DOT))
    {
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        return;
    }

    f->state = STATE(FROM_AFTER);

    if (s->next.type == T(OPEN)) {

        if (ngx_hyperdrive_sql_mysql_is(&s->tok, "json_table")) {
            s->open = NGX_HYPERDRIVE_SQL_SCAN_OPEN_ROWS;
            return;
        }

        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        return;
    }

    ngx_hyperdrive_sql_names_read(s, &name);

    (void) ngx_hyperdrive_sql_names_table(s, &name, f->target);
}


void
ngx_hyperdrive_sql_mysql_query_from_after(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_scan_frame_t  *f;

    f = ngx_hyperdrive_sql_scan_top(s);

    if (s->tok.type == T(NAME)) {
        /* an alias */
        return;
    }

    switch (s->tok.keyword) {

    case K(AS):
        f->state = STATE(FROM_ALIAS);
        return;

    case K(JOIN):
    case K(STRAIGHT_JOIN):
        f->state = STATE(FROM);
        return;

    case K(INNER):
    case K(CROSS):
    case K(LEFT):
    case K(RIGHT):
    case K(OUTER):
    case K(NATURAL):
        return;

    case K(ON):

        if (!ngx_hyperdrive_sql_mysql_query_clause(s)) {
            f->state = STATE(FROM_ON);
        }

        return;

    case K(USING):

        if (s->next.type == T(OPEN)) {
            /* columns: skipped */
            return;
        }

        if (f->using) {
            f->state = STATE(FROM);
            return;
        }

        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        return;

    case K(PARTITION):
        return;

    case K(USE):
    case K(IGNORE):
    case K(FORCE):

        /* INDEX [FOR JOIN | ORDER BY | GROUP BY] (a, b) */

        while (s->next.type == T(WORD)) {
            ngx_hyperdrive_sql_scan_next(s);
        }

        if (s->next.type != T(OPEN)) {
            ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        }

        return;

    case K(FOR):

        if (s->next.keyword == K(SYSTEM_TIME)) {
            /* of a table with versions: AS OF ..., ALL, BETWEEN ... */
            ngx_hyperdrive_sql_scan_next(s);
            f->state = STATE(FROM_ON);
            return;
        }

        break;

    case K(VALUE):
        /* an alias */
        return;

    default:
        break;
    }

    if (ngx_hyperdrive_sql_mysql_is(&s->tok, "returning")) {
        f->state = STATE(EXPR);
        return;
    }

    if (!f->query && (s->tok.keyword == K(UNION)
                      || s->tok.keyword == K(EXCEPT)
                      || s->tok.keyword == K(INTERSECT)
                      || s->tok.keyword == K(ORDER)
                      || s->tok.keyword == K(LIMIT)))
    {
        /* FROM ((SELECT 1) UNION SELECT 2 ...) */
        f->query = 1;
    }

    if (ngx_hyperdrive_sql_mysql_query_clause(s)) {
        return;
    }

    if (s->tok.category == NGX_HYPERDRIVE_SQL_RESERVED) {
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
    }

    /* an alias */
}


/* behind the target of INSERT or REPLACE */

void
ngx_hyperdrive_sql_mysql_query_insert(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_scan_frame_t  *f;

    f = ngx_hyperdrive_sql_scan_top(s);

    switch (s->tok.keyword) {

    case K(VALUES):
    case K(VALUE):
    case K(SET):
    case K(ON):
        f->query = 0;
        f->state = STATE(EXPR);
        return;

    case K(SELECT):
    case K(WITH):
    case K(TABLE):
        ngx_hyperdrive_sql_mysql_query(s);
        return;

    case K(PARTITION):
    case K(AS):
        return;

    default:

        if (ngx_hyperdrive_sql_mysql_is(&s->tok, "returning")) {
            f->query = 0;
            f->state = STATE(EXPR);
            return;
        }

        if (s->prev.keyword == K(AS)) {
            /* the new row's name */
            return;
        }

        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        return;
    }
}


/* name [(columns)] AS (query) [, ...], then the statement */

void
ngx_hyperdrive_sql_mysql_query_with(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_scan_frame_t  *f;

    f = ngx_hyperdrive_sql_scan_top(s);

    switch (f->state) {

    case STATE(WITH):
        f->cte = s->tok;
        f->state = STATE(WITH_AS);

        if (f->recursive) {
            ngx_hyperdrive_sql_query_cte(s, &f->cte);
        }

        return;

    case STATE(WITH_AS):

        if (s->tok.keyword != K(AS)) {
            break;
        }

        f->state = STATE(WITH_BODY);
        return;

    case STATE(WITH_AFTER):

        switch (s->tok.keyword) {

        case K(SELECT):
        case K(VALUES):
        case K(TABLE):
        case K(UPDATE):
        case K(DELETE):
        case K(INSERT):
        case K(REPLACE):
            ngx_hyperdrive_sql_mysql_query(s);
            return;

        default:
            break;
        }

        break;

    default:
        break;
    }

    ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
}
