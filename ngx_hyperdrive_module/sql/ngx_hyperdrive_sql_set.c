
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "sql/ngx_hyperdrive_sql_set.h"
#include "base/ngx_hyperdrive_base_mode.h"
#include "sql/ngx_hyperdrive_sql_set_value.h"


typedef ngx_hyperdrive_sql_set_reader_t  ngx_hyperdrive_sql_set_r_t;


static ngx_int_t ngx_hyperdrive_sql_set_statement(
    ngx_hyperdrive_sql_set_r_t *r, ngx_hyperdrive_sql_set_t *set);
static ngx_int_t ngx_hyperdrive_sql_set_set(ngx_hyperdrive_sql_set_r_t *r,
    ngx_hyperdrive_sql_set_t *set);
static ngx_int_t ngx_hyperdrive_sql_set_special(
    ngx_hyperdrive_sql_set_r_t *r, ngx_hyperdrive_sql_set_t *set);
static ngx_int_t ngx_hyperdrive_sql_set_characteristics(
    ngx_hyperdrive_sql_set_r_t *r, ngx_hyperdrive_sql_set_t *set);
static ngx_int_t ngx_hyperdrive_sql_set_reset(ngx_hyperdrive_sql_set_r_t *r,
    ngx_hyperdrive_sql_set_t *set);
static ngx_int_t ngx_hyperdrive_sql_set_config(ngx_hyperdrive_sql_set_r_t *r,
    ngx_hyperdrive_sql_set_t *set);
static ngx_int_t ngx_hyperdrive_sql_set_other(ngx_hyperdrive_sql_set_r_t *r,
    ngx_hyperdrive_sql_set_t *set);
static ngx_int_t ngx_hyperdrive_sql_set_transaction(
    ngx_hyperdrive_sql_set_r_t *r, ngx_hyperdrive_sql_set_t *set,
    ngx_uint_t *found);
static ngx_int_t ngx_hyperdrive_sql_set_ended(ngx_hyperdrive_sql_set_r_t *r);


void
ngx_hyperdrive_sql_set_begin(ngx_hyperdrive_sql_set_r_t *r, ngx_str_t *text,
    ngx_hyperdrive_sql_mode_t *mode)
{
    ngx_hyperdrive_sql_lexer_init(&r->lexer, text, mode);

    r->unsafe = mode->unsafe_encoding || mode->masked;
    r->unread = (mode->unsafe_encoding && ngx_hyperdrive_sql_set_high(text));
    r->statement = 0;
    r->item = 0;
    r->in = 0;
    r->npending = 0;

    ngx_hyperdrive_sql_set_token(r);
}


void
ngx_hyperdrive_sql_set_mask(ngx_str_t *text, ngx_hyperdrive_sql_mode_t *mode,
    u_char *buf, size_t size)
{
    size_t   n;
    u_char  *p, *last, *dst;

    if (!mode->unsafe_encoding || mode->charset == NGX_HYPERDRIVE_BASE_MODE_SAFE
        || text->len > size || !ngx_hyperdrive_sql_set_high(text)
        || memchr(text->data, '$', text->len))
    {
        return;
    }

    dst = buf;
    p = text->data;
    last = p + text->len;

    while (p < last) {

        if (*p < 0x80) {
            *dst++ = *p++;
            continue;
        }

        n = 2;

        if (mode->charset == NGX_HYPERDRIVE_BASE_MODE_SJIS) {
            n = (*p >= 0xa1 && *p <= 0xdf) ? 1 : 2;

        } else if (mode->charset == NGX_HYPERDRIVE_BASE_MODE_GB18030
                   && last - p > 1 && p[1] >= '0' && p[1] <= '9')
        {
            n = 4;
        }

        if ((size_t) (last - p) < n) {
            return;
        }

        ngx_memset(dst, 0xff, n);

        p += n;
        dst += n;
    }

    text->data = buf;

    mode->unsafe_encoding = 0;
    mode->masked = 1;
}


ngx_int_t
ngx_hyperdrive_sql_set_next(ngx_hyperdrive_sql_set_r_t *r,
    ngx_hyperdrive_sql_set_t *set)
{
    ngx_int_t  rc;

    ngx_memzero(set, sizeof(ngx_hyperdrive_sql_set_t));

    if (r->unread) {
        return NGX_DECLINED;
    }

    if (r->lexer.mode.mysql) {
        return ngx_hyperdrive_sql_mysql_set_next(r, set);
    }

    if (r->item) {

        /* the next column of a SELECT */

        rc = ngx_hyperdrive_sql_set_config(r, set);

    } else {
        while (r->tok.type == NGX_HYPERDRIVE_SQL_T_SEMICOLON) {
            ngx_hyperdrive_sql_set_token(r);
        }

        if (r->tok.type == NGX_HYPERDRIVE_SQL_T_END) {
            return NGX_DONE;
        }

        if (r->in) {
            r->statement++;
        }

        r->in = 1;
        r->pos = r->buf;
        r->begin = r->tok.text.data;

        rc = ngx_hyperdrive_sql_set_statement(r, set);
    }

    set->statement = r->statement;

    if (rc == NGX_OK && !r->item) {
        rc = ngx_hyperdrive_sql_set_ended(r);
    }

    return rc;
}


static ngx_int_t
ngx_hyperdrive_sql_set_ended(ngx_hyperdrive_sql_set_r_t *r)
{
    return (r->tok.type == NGX_HYPERDRIVE_SQL_T_SEMICOLON
            || r->tok.type == NGX_HYPERDRIVE_SQL_T_END)
           ? NGX_OK : NGX_DECLINED;
}


static ngx_int_t
ngx_hyperdrive_sql_set_statement(ngx_hyperdrive_sql_set_r_t *r,
    ngx_hyperdrive_sql_set_t *set)
{
    ngx_int_t   rc;
    ngx_uint_t  found;

    if (ngx_hyperdrive_sql_set_word(r, "set")) {
        return ngx_hyperdrive_sql_set_set(r, set);
    }

    if (ngx_hyperdrive_sql_set_word(r, "reset")) {
        return ngx_hyperdrive_sql_set_reset(r, set);
    }

    if (ngx_hyperdrive_sql_set_word(r, "discard")) {
        set->change = NGX_HYPERDRIVE_SQL_SET_DISCARD_ALL;
        return ngx_hyperdrive_sql_set_word(r, "all") ? NGX_OK : NGX_DECLINED;
    }

    if (ngx_hyperdrive_sql_set_word(r, "select")) {

        if (r->tok.type == NGX_HYPERDRIVE_SQL_T_WORD
            && (ngx_hyperdrive_sql_set_is(r, "set_config")
                || ngx_hyperdrive_sql_set_is(r, "pg_catalog")))
        {
            r->item = 1;
            return ngx_hyperdrive_sql_set_config(r, set);
        }

        return ngx_hyperdrive_sql_set_other(r, set);
    }

    rc = ngx_hyperdrive_sql_set_transaction(r, set, &found);

    return found ? rc : ngx_hyperdrive_sql_set_other(r, set);
}


static ngx_int_t
ngx_hyperdrive_sql_set_set(ngx_hyperdrive_sql_set_r_t *r,
    ngx_hyperdrive_sql_set_t *set)
{
    ngx_int_t                        rc;
    ngx_hyperdrive_sql_set_reader_t  was;

    set->change = NGX_HYPERDRIVE_SQL_SET_VALUE;

    if (ngx_hyperdrive_sql_set_is(r, "transaction")
        || ngx_hyperdrive_sql_set_is(r, "constraints"))
    {
        return ngx_hyperdrive_sql_set_other(r, set);
    }

    if (ngx_hyperdrive_sql_set_word(r, "local")) {
        set->change = NGX_HYPERDRIVE_SQL_SET_VALUE_LOCAL;

        if (ngx_hyperdrive_sql_set_is(r, "transaction")) {
            return ngx_hyperdrive_sql_set_other(r, set);
        }

    } else {
        was = *r;

        if (ngx_hyperdrive_sql_set_word(r, "session")) {

            if (ngx_hyperdrive_sql_set_word(r, "characteristics")) {
                return ngx_hyperdrive_sql_set_characteristics(r, set);
            }

            if (ngx_hyperdrive_sql_set_is(r, "authorization")) {
                /* SET SESSION AUTHORIZATION, or SET SESSION SESSION ... */
                *r = was;
            }
        }
    }

    rc = ngx_hyperdrive_sql_set_special(r, set);

    if (rc != NGX_DECLINED) {
        return rc == NGX_DONE ? NGX_DECLINED : rc;
    }

    if (ngx_hyperdrive_sql_set_name(r, &set->name) != NGX_OK
        || !(ngx_hyperdrive_sql_set_word(r, "to")
             || ngx_hyperdrive_sql_set_operator(r, '=')))
    {
        return NGX_DECLINED;
    }

    return ngx_hyperdrive_sql_set_values(r, set);
}


/* NGX_DECLINED: none of them; NGX_DONE: it is, and it is not understood */

static ngx_int_t
ngx_hyperdrive_sql_set_special(ngx_hyperdrive_sql_set_r_t *r,
    ngx_hyperdrive_sql_set_t *set)
{
    ngx_int_t                        rc;
    ngx_hyperdrive_sql_set_reader_t  was;

    was = *r;

    if (ngx_hyperdrive_sql_set_word(r, "time")
        && ngx_hyperdrive_sql_set_word(r, "zone"))
    {
        ngx_str_set(&set->name, "timezone");

        if (ngx_hyperdrive_sql_set_word(r, "local")) {
            set->change += NGX_HYPERDRIVE_SQL_SET_RESET;
            return NGX_OK;
        }

        if (ngx_hyperdrive_sql_set_is(r, "interval")) {
            return NGX_DONE;
        }

        rc = ngx_hyperdrive_sql_set_values(r, set);
        return rc == NGX_OK ? NGX_OK : NGX_DONE;
    }

    *r = was;

    if (ngx_hyperdrive_sql_set_word(r, "names")) {
        ngx_str_set(&set->name, "client_encoding");

        if (ngx_hyperdrive_sql_set_ended(r) == NGX_OK) {
            set->change += NGX_HYPERDRIVE_SQL_SET_RESET;
            return NGX_OK;
        }

        rc = ngx_hyperdrive_sql_set_values(r, set);
        return rc == NGX_OK ? NGX_OK : NGX_DONE;
    }

    if (ngx_hyperdrive_sql_set_word(r, "schema")
        && r->tok.type == NGX_HYPERDRIVE_SQL_T_STRING)
    {
        ngx_str_set(&set->name, "search_path");

        rc = ngx_hyperdrive_sql_set_values(r, set);
        return rc == NGX_OK ? NGX_OK : NGX_DONE;
    }

    *r = was;

    if (ngx_hyperdrive_sql_set_word(r, "role")
        && !ngx_hyperdrive_sql_set_is(r, "to")
        && r->tok.type != NGX_HYPERDRIVE_SQL_T_OPERATOR)
    {
        ngx_str_set(&set->name, "role");

        rc = ngx_hyperdrive_sql_set_values(r, set);
        return rc == NGX_OK ? NGX_OK : NGX_DONE;
    }

    *r = was;

    if (ngx_hyperdrive_sql_set_word(r, "session")
        && ngx_hyperdrive_sql_set_word(r, "authorization"))
    {
        ngx_str_set(&set->name, "session_authorization");

        rc = ngx_hyperdrive_sql_set_values(r, set);
        return rc == NGX_OK ? NGX_OK : NGX_DONE;
    }

    *r = was;

    if (ngx_hyperdrive_sql_set_word(r, "xml")
        && ngx_hyperdrive_sql_set_word(r, "option"))
    {
        ngx_str_set(&set->name, "xmloption");

        rc = ngx_hyperdrive_sql_set_values(r, set);
        return rc == NGX_OK ? NGX_OK : NGX_DONE;
    }

    *r = was;

    return NGX_DECLINED;
}


/* AS TRANSACTION and one mode: several would be several settings */

static ngx_int_t
ngx_hyperdrive_sql_set_characteristics(ngx_hyperdrive_sql_set_r_t *r,
    ngx_hyperdrive_sql_set_t *set)
{
    if (!ngx_hyperdrive_sql_set_word(r, "as")
        || !ngx_hyperdrive_sql_set_word(r, "transaction"))
    {
        return NGX_DECLINED;
    }

    if (ngx_hyperdrive_sql_set_word(r, "isolation")) {

        ngx_str_set(&set->name, "default_transaction_isolation");

        if (!ngx_hyperdrive_sql_set_word(r, "level")) {
            return NGX_DECLINED;
        }

        if (ngx_hyperdrive_sql_set_word(r, "serializable")) {
            ngx_str_set(&set->value, "serializable");
            return NGX_OK;
        }

        if (ngx_hyperdrive_sql_set_word(r, "repeatable")) {
            ngx_str_set(&set->value, "repeatable read");
            return ngx_hyperdrive_sql_set_word(r, "read") ? NGX_OK
                                                          : NGX_DECLINED;
        }

        if (!ngx_hyperdrive_sql_set_word(r, "read")) {
            return NGX_DECLINED;
        }

        if (ngx_hyperdrive_sql_set_word(r, "committed")) {
            ngx_str_set(&set->value, "read committed");
            return NGX_OK;
        }

        ngx_str_set(&set->value, "read uncommitted");

        return ngx_hyperdrive_sql_set_word(r, "uncommitted") ? NGX_OK
                                                             : NGX_DECLINED;
    }

    if (ngx_hyperdrive_sql_set_word(r, "read")) {
        ngx_str_set(&set->name, "default_transaction_read_only");
        ngx_str_set(&set->value, "on");

        if (ngx_hyperdrive_sql_set_word(r, "only")) {
            return NGX_OK;
        }

        ngx_str_set(&set->value, "off");

        return ngx_hyperdrive_sql_set_word(r, "write") ? NGX_OK
                                                       : NGX_DECLINED;
    }

    ngx_str_set(&set->name, "default_transaction_deferrable");
    ngx_str_set(&set->value, "on");

    if (ngx_hyperdrive_sql_set_word(r, "not")) {
        ngx_str_set(&set->value, "off");
    }

    return ngx_hyperdrive_sql_set_word(r, "deferrable") ? NGX_OK
                                                        : NGX_DECLINED;
}


static ngx_int_t
ngx_hyperdrive_sql_set_reset(ngx_hyperdrive_sql_set_r_t *r,
    ngx_hyperdrive_sql_set_t *set)
{
    ngx_hyperdrive_sql_set_reader_t  was;

    set->change = NGX_HYPERDRIVE_SQL_SET_RESET;

    if (ngx_hyperdrive_sql_set_word(r, "all")) {
        set->change = NGX_HYPERDRIVE_SQL_SET_RESET_ALL;
        return NGX_OK;
    }

    was = *r;

    if (ngx_hyperdrive_sql_set_word(r, "time")
        && ngx_hyperdrive_sql_set_word(r, "zone"))
    {
        ngx_str_set(&set->name, "timezone");
        return NGX_OK;
    }

    *r = was;

    if (ngx_hyperdrive_sql_set_word(r, "session")
        && ngx_hyperdrive_sql_set_word(r, "authorization"))
    {
        ngx_str_set(&set->name, "session_authorization");
        return NGX_OK;
    }

    *r = was;

    if (ngx_hyperdrive_sql_set_word(r, "transaction")) {
        return ngx_hyperdrive_sql_set_other(r, set);
    }

    if (ngx_hyperdrive_sql_set_name(r, &set->name) != NGX_OK) {
        return NGX_DECLINED;
    }

    return ngx_hyperdrive_sql_set_check(r, set);
}


/* pg_catalog.set_config(name, value, is_local) [AS name] [, ...] */

static ngx_int_t
ngx_hyperdrive_sql_set_config(ngx_hyperdrive_sql_set_r_t *r,
    ngx_hyperdrive_sql_set_t *set)
{
    ngx_str_t   local;
    ngx_uint_t  i, yes;

    if (ngx_hyperdrive_sql_set_word(r, "pg_catalog")
        && !ngx_hyperdrive_sql_set_type(r, NGX_HYPERDRIVE_SQL_T_DOT))
    {
        return NGX_DECLINED;
    }

    if (!ngx_hyperdrive_sql_set_word(r, "set_config")
        || !ngx_hyperdrive_sql_set_type(r, NGX_HYPERDRIVE_SQL_T_OPEN)
        || ngx_hyperdrive_sql_set_argument(r, &set->name) != NGX_OK
        || !ngx_hyperdrive_sql_set_type(r, NGX_HYPERDRIVE_SQL_T_COMMA)
        || ngx_hyperdrive_sql_set_argument(r, &set->value) != NGX_OK
        || !ngx_hyperdrive_sql_set_type(r, NGX_HYPERDRIVE_SQL_T_COMMA)
        || ngx_hyperdrive_sql_set_argument(r, &local) != NGX_OK
        || !ngx_hyperdrive_sql_set_type(r, NGX_HYPERDRIVE_SQL_T_CLOSE))
    {
        return NGX_DECLINED;
    }

    if (r->args && (set->name.data == NULL || local.data == NULL)) {
        /* an error of the database */
        return NGX_DECLINED;
    }

    for (i = 0; i < set->name.len; i++) {
        set->name.data[i] = ngx_tolower(set->name.data[i]);
    }

    set->change = (set->value.data == NULL) ? NGX_HYPERDRIVE_SQL_SET_RESET
                                            : NGX_HYPERDRIVE_SQL_SET_VALUE;

    yes = ngx_hyperdrive_sql_set_bool(&local);

    if (r->bytes) {
        /* binary text is the same, a binary boolean is one byte */
        yes = (local.len == 1) ? (local.data[0] != 0) : 2;
    }

    switch (yes) {

    case 0:
        break;

    case 1:
        set->change++;
        break;

    default:
        if (r->args) {
            return NGX_DECLINED;
        }
    }

    if (ngx_hyperdrive_sql_set_word(r, "as")
        || r->tok.type == NGX_HYPERDRIVE_SQL_T_NAME
        || (r->tok.type == NGX_HYPERDRIVE_SQL_T_WORD
            && r->tok.category == NGX_HYPERDRIVE_SQL_NOT_KEYWORD))
    {
        if (r->tok.type != NGX_HYPERDRIVE_SQL_T_NAME
            && r->tok.type != NGX_HYPERDRIVE_SQL_T_WORD)
        {
            return NGX_DECLINED;
        }

        ngx_hyperdrive_sql_set_token(r);
    }

    r->item = ngx_hyperdrive_sql_set_type(r, NGX_HYPERDRIVE_SQL_T_COMMA);

    return ngx_hyperdrive_sql_set_check(r, set);
}


/* whatever it is: to its end */

static ngx_int_t
ngx_hyperdrive_sql_set_other(ngx_hyperdrive_sql_set_r_t *r,
    ngx_hyperdrive_sql_set_t *set)
{
    ngx_uint_t  depth;

    set->change = NGX_HYPERDRIVE_SQL_SET_OTHER;
    depth = 0;

    for ( ;; ) {

        switch (r->tok.type) {

        case NGX_HYPERDRIVE_SQL_T_ERROR:
            return NGX_DECLINED;

        case NGX_HYPERDRIVE_SQL_T_OPEN:
            depth++;
            break;

        case NGX_HYPERDRIVE_SQL_T_CLOSE:
            depth--;
            break;

        case NGX_HYPERDRIVE_SQL_T_WORD:

            if (r->tok.keyword == NGX_HYPERDRIVE_SQL_K_ATOMIC) {
                /* BEGIN ATOMIC: semicolons do not end it */
                return NGX_DECLINED;
            }

            break;

        case NGX_HYPERDRIVE_SQL_T_SEMICOLON:

            if (depth) {
                /* CREATE RULE ... DO (...; ...) */
                return NGX_DECLINED;
            }

            /* fall through */

        case NGX_HYPERDRIVE_SQL_T_END:
            set->value.data = r->begin;
            set->value.len = r->behind - r->begin;
            return NGX_OK;

        default:
            break;
        }

        ngx_hyperdrive_sql_set_token(r);
    }
}


static ngx_int_t
ngx_hyperdrive_sql_set_transaction(ngx_hyperdrive_sql_set_r_t *r,
    ngx_hyperdrive_sql_set_t *set, ngx_uint_t *found)
{
    *found = 1;

    if (ngx_hyperdrive_sql_set_is(r, "begin")
        || ngx_hyperdrive_sql_set_is(r, "start"))
    {
        (void) ngx_hyperdrive_sql_set_other(r, set);
        set->change = NGX_HYPERDRIVE_SQL_SET_BEGIN;
        return NGX_OK;
    }

    if (ngx_hyperdrive_sql_set_word(r, "savepoint")) {
        set->change = NGX_HYPERDRIVE_SQL_SET_SAVEPOINT;
        return ngx_hyperdrive_sql_set_identifier(r, &set->name);
    }

    if (ngx_hyperdrive_sql_set_word(r, "release")) {
        set->change = NGX_HYPERDRIVE_SQL_SET_RELEASE;
        (void) ngx_hyperdrive_sql_set_word(r, "savepoint");
        return ngx_hyperdrive_sql_set_identifier(r, &set->name);
    }

    if (ngx_hyperdrive_sql_set_word(r, "commit")
        || ngx_hyperdrive_sql_set_word(r, "end"))
    {
        set->change = NGX_HYPERDRIVE_SQL_SET_COMMIT;

    } else if (ngx_hyperdrive_sql_set_word(r, "rollback")
               || ngx_hyperdrive_sql_set_word(r, "abort"))
    {
        set->change = NGX_HYPERDRIVE_SQL_SET_ROLLBACK;

    } else if (ngx_hyperdrive_sql_set_word(r, "prepare")) {

        if (!ngx_hyperdrive_sql_set_is(r, "transaction")) {
            return ngx_hyperdrive_sql_set_other(r, set);
        }

        /* the session goes on without it; its settings stay */

        (void) ngx_hyperdrive_sql_set_other(r, set);
        set->change = NGX_HYPERDRIVE_SQL_SET_COMMIT;
        return NGX_OK;

    } else {
        *found = 0;
        return NGX_OK;
    }

    if (ngx_hyperdrive_sql_set_is(r, "prepared")) {
        return ngx_hyperdrive_sql_set_other(r, set);
    }

    if (!ngx_hyperdrive_sql_set_word(r, "work")) {
        (void) ngx_hyperdrive_sql_set_word(r, "transaction");
    }

    if (set->change == NGX_HYPERDRIVE_SQL_SET_ROLLBACK
        && ngx_hyperdrive_sql_set_word(r, "to"))
    {
        set->change = NGX_HYPERDRIVE_SQL_SET_ROLLBACK_TO;
        (void) ngx_hyperdrive_sql_set_word(r, "savepoint");
        return ngx_hyperdrive_sql_set_identifier(r, &set->name);
    }

    if (ngx_hyperdrive_sql_set_word(r, "and")) {
        (void) ngx_hyperdrive_sql_set_word(r, "no");

        if (!ngx_hyperdrive_sql_set_word(r, "chain")) {
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}
