
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "sql/ngx_hyperdrive_sql_scan.h"


/* CREATE, ALTER, DROP: which of them run code, or make something temporary */


#define K(id)  NGX_HYPERDRIVE_SQL_K_##id


static void ngx_hyperdrive_sql_ddl_create_table(ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_ddl_create_index(ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_ddl_if_exists(ngx_hyperdrive_sql_scan_t *s);


void
ngx_hyperdrive_sql_ddl_create(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_uint_t  materialized, temporary;

    s->create = 1;

    ngx_hyperdrive_sql_classify_skip(s, NGX_HYPERDRIVE_SQL_DDL, 0);

    materialized = 0;
    temporary = 0;

    /* a word more than there are between CREATE and what is created */

    for ( ;; ) {
        ngx_hyperdrive_sql_scan_next(s);
        ngx_hyperdrive_sql_scan_skip(s);

        if (s->failed) {
            return;
        }

        switch (s->tok.keyword) {

        case K(OR):
        case K(REPLACE):
        case K(LOCAL):
        case K(GLOBAL):
        case K(UNLOGGED):
        case K(UNIQUE):
        case K(FOREIGN):
        case K(RECURSIVE):
            continue;

        case K(TEMP):
        case K(TEMPORARY):
            temporary = 1;
            continue;

        case K(MATERIALIZED):
            materialized = 1;
            continue;

        case K(TABLE):
            s->facts->create_temporary = temporary;
            ngx_hyperdrive_sql_ddl_create_table(s);
            return;

        case K(VIEW):
            s->facts->create_temporary = temporary;

            if (materialized) {
                ngx_hyperdrive_sql_ddl_create_table(s);
            }

            return;

        case K(INDEX):
            ngx_hyperdrive_sql_ddl_create_index(s);
            return;

        case K(FUNCTION):
        case K(PROCEDURE):
            s->routine = 1;
            return;

        case K(EXTENSION):

            /* runs a script */

            ngx_hyperdrive_sql_scan_leaves(s,
                                       NGX_HYPERDRIVE_SQL_LEAVES_FUNCTION);
            return;

        case K(DATABASE):
        case K(TABLESPACE):
        case K(SUBSCRIPTION):
            s->facts->alone = 1;
            return;

        default:
            return;
        }
    }
}


/* CREATE TABLE | MATERIALIZED VIEW [IF NOT EXISTS] t ... [AS query] */

static void
ngx_hyperdrive_sql_ddl_create_table(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_scan_frame_t  *f;

    f = &s->frames[0];

    ngx_hyperdrive_sql_ddl_if_exists(s);

    (void) ngx_hyperdrive_sql_ddl_target(s, 1);

    f->state = NGX_HYPERDRIVE_SQL_SCAN_DDL;
    f->ddl = 1;
    f->names = 1;
}


/* CREATE INDEX [CONCURRENTLY] [IF NOT EXISTS] [i] ON [ONLY] t ... */

static void
ngx_hyperdrive_sql_ddl_create_index(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_scan_frame_t  *f;

    f = &s->frames[0];

    while (s->next.keyword != K(ON)) {

        if (s->failed || s->next.type == NGX_HYPERDRIVE_SQL_T_END
            || s->next.type == NGX_HYPERDRIVE_SQL_T_SEMICOLON)
        {
            ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
            return;
        }

        ngx_hyperdrive_sql_scan_next(s);
        ngx_hyperdrive_sql_scan_skip(s);
    }

    ngx_hyperdrive_sql_scan_next(s);

    if (s->next.keyword == K(ONLY)) {
        ngx_hyperdrive_sql_scan_next(s);
    }

    (void) ngx_hyperdrive_sql_ddl_target(s, 1);

    f->state = NGX_HYPERDRIVE_SQL_SCAN_DDL;
    f->ddl = 1;
}


void
ngx_hyperdrive_sql_ddl_alter(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_scan_frame_t  *f;

    f = &s->frames[0];

    ngx_hyperdrive_sql_classify_skip(s, NGX_HYPERDRIVE_SQL_DDL, 0);
    ngx_hyperdrive_sql_scan_next(s);

    if (s->tok.keyword == K(FOREIGN) && s->next.keyword == K(TABLE)) {
        ngx_hyperdrive_sql_scan_next(s);
    }

    switch (s->tok.keyword) {

    case K(EXTENSION):
        ngx_hyperdrive_sql_scan_leaves(s, NGX_HYPERDRIVE_SQL_LEAVES_FUNCTION);
        return;

    case K(ROLE):
    case K(USER):
        s->facts->defaults = 1;
        return;

    case K(DATABASE):
        s->facts->defaults = 1;
        s->facts->alone = 1;
        return;

    case K(SYSTEM):
    case K(TABLESPACE):
    case K(SUBSCRIPTION):
    case K(TYPE):
        s->facts->alone = 1;
        return;

    case K(DOMAIN):

        /* a new CHECK is run over what is there */

        f->state = NGX_HYPERDRIVE_SQL_SCAN_EXPR;
        f->ddl = 1;
        return;

    case K(TABLE):

        ngx_hyperdrive_sql_ddl_if_exists(s);

        if (s->next.keyword == K(ALL)) {

            /* ALTER TABLE ALL IN TABLESPACE */

            return;
        }

        if (s->next.keyword == K(ONLY)) {
            ngx_hyperdrive_sql_scan_next(s);
        }

        (void) ngx_hyperdrive_sql_ddl_target(s, 1);

        f->state = NGX_HYPERDRIVE_SQL_SCAN_EXPR;
        f->ddl = 1;

        return;

    default:
        return;
    }
}


void
ngx_hyperdrive_sql_ddl_drop(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_classify_skip(s, NGX_HYPERDRIVE_SQL_DDL, 0);
    ngx_hyperdrive_sql_scan_next(s);

    switch (s->tok.keyword) {

    case K(DATABASE):
    case K(TABLESPACE):
    case K(SUBSCRIPTION):
        s->facts->alone = 1;
        return;

    case K(TABLE):
        ngx_hyperdrive_sql_ddl_if_exists(s);

        s->frames[0].targets = 1;
        ngx_hyperdrive_sql_classify_tables(s, NGX_HYPERDRIVE_SQL_DDL);
        return;

    default:
        return;
    }
}


/* IF [NOT] EXISTS: then s->tok is EXISTS */

static void
ngx_hyperdrive_sql_ddl_if_exists(ngx_hyperdrive_sql_scan_t *s)
{
    if (s->next.keyword != K(IF)) {
        return;
    }

    ngx_hyperdrive_sql_scan_next(s);

    if (s->next.keyword == K(NOT)) {
        ngx_hyperdrive_sql_scan_next(s);
    }

    if (s->next.keyword == K(EXISTS)) {
        ngx_hyperdrive_sql_scan_next(s);
    }
}


/* the name of a table must follow; then s->tok is what is behind it */

ngx_hyperdrive_sql_table_t *
ngx_hyperdrive_sql_ddl_target(ngx_hyperdrive_sql_scan_t *s,
    ngx_uint_t written)
{
    ngx_hyperdrive_sql_names_t   name;
    ngx_hyperdrive_sql_table_t  *t;

    if (s->next.type != NGX_HYPERDRIVE_SQL_T_WORD
        && s->next.type != NGX_HYPERDRIVE_SQL_T_NAME)
    {
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        return NULL;
    }

    ngx_hyperdrive_sql_scan_next(s);

    ngx_hyperdrive_sql_names_read(s, &name);

    t = ngx_hyperdrive_sql_names_table(s, &name, written);

    ngx_hyperdrive_sql_scan_next(s);

    return t;
}


/* CREATE TABLE, CREATE INDEX, CREATE MATERIALIZED VIEW behind the name */

void
ngx_hyperdrive_sql_ddl_word(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_names_t        name;
    ngx_hyperdrive_sql_scan_frame_t  *f;

    f = ngx_hyperdrive_sql_scan_top(s);

    if (s->tok.keyword == K(AS)) {

        switch (s->next.keyword) {

        case K(EXECUTE):
            ngx_hyperdrive_sql_scan_leaves(s,
                                       NGX_HYPERDRIVE_SQL_LEAVES_FUNCTION);
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


/* CALL p(...): the procedure is a function like others */

void
ngx_hyperdrive_sql_ddl_call(ngx_hyperdrive_sql_scan_t *s)
{
    s->kind = NGX_HYPERDRIVE_SQL_CALL;
    s->frames[0].state = NGX_HYPERDRIVE_SQL_SCAN_EXPR;

    ngx_hyperdrive_sql_scan_next(s);
}


/* DECLARE name [options] CURSOR [WITH | WITHOUT HOLD] FOR a query */

void
ngx_hyperdrive_sql_ddl_declare(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_scan_next(s);

    do {
        ngx_hyperdrive_sql_scan_next(s);

        if (s->failed || s->tok.type != NGX_HYPERDRIVE_SQL_T_WORD) {
            ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
            return;
        }

    } while (s->tok.keyword != K(CURSOR));

    ngx_hyperdrive_sql_scan_next(s);

    if (s->tok.keyword == K(WITH) || s->tok.keyword == K(WITHOUT)) {

        if (s->tok.keyword == K(WITH)) {
            ngx_hyperdrive_sql_scan_leaves(s,
                                         NGX_HYPERDRIVE_SQL_LEAVES_CURSOR);
        }

        ngx_hyperdrive_sql_scan_next(s);
        ngx_hyperdrive_sql_scan_next(s);
    }

    if (s->tok.keyword != K(FOR)) {
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        return;
    }

    ngx_hyperdrive_sql_scan_next(s);

    s->kind = NGX_HYPERDRIVE_SQL_CURSOR;
    s->frames[0].state = NGX_HYPERDRIVE_SQL_SCAN_START;
}
