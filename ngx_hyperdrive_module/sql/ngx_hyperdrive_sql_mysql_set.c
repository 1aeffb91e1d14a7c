
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "sql/ngx_hyperdrive_sql_mysql.h"
#include "sql/ngx_hyperdrive_sql_left.h"
#include "sql/ngx_hyperdrive_sql_set_value.h"


/*
 * MySQL: SET and USE, read so exactly that another connection can be told the
 * same.  A value is kept as it is to be said again: a number, a word, or a
 * string of plain characters, which reads the same in any sql_mode and any
 * character set.
 */


#define T(id)  NGX_HYPERDRIVE_SQL_T_##id


typedef ngx_hyperdrive_sql_set_reader_t  ngx_hyperdrive_sql_set_r_t;


static ngx_int_t ngx_hyperdrive_sql_mysql_set_item(
    ngx_hyperdrive_sql_set_r_t *r, ngx_hyperdrive_sql_set_t *set);
static ngx_int_t ngx_hyperdrive_sql_mysql_set_names(
    ngx_hyperdrive_sql_set_r_t *r, ngx_hyperdrive_sql_set_t *set);
static ngx_int_t ngx_hyperdrive_sql_mysql_set_characteristics(
    ngx_hyperdrive_sql_set_r_t *r, ngx_hyperdrive_sql_set_t *set);
static ngx_int_t ngx_hyperdrive_sql_mysql_set_variable(
    ngx_hyperdrive_sql_set_r_t *r, ngx_hyperdrive_sql_set_t *set);
static ngx_int_t ngx_hyperdrive_sql_mysql_set_unsigned(
    ngx_hyperdrive_sql_set_r_t *r, ngx_str_t *value);
static ngx_int_t ngx_hyperdrive_sql_mysql_set_check(
    ngx_hyperdrive_sql_set_r_t *r, ngx_hyperdrive_sql_set_t *set);
static ngx_int_t ngx_hyperdrive_sql_mysql_set_value(
    ngx_hyperdrive_sql_set_r_t *r, ngx_str_t *value, ngx_uint_t variable);
static ngx_int_t ngx_hyperdrive_sql_mysql_set_string(
    ngx_hyperdrive_sql_set_r_t *r, ngx_str_t *value);
static ngx_int_t ngx_hyperdrive_sql_mysql_set_lower(
    ngx_hyperdrive_sql_set_r_t *r, ngx_str_t *name, ngx_uint_t at);
static ngx_int_t ngx_hyperdrive_sql_mysql_set_use(
    ngx_hyperdrive_sql_set_r_t *r, ngx_hyperdrive_sql_set_t *set);
static ngx_int_t ngx_hyperdrive_sql_mysql_set_other(
    ngx_hyperdrive_sql_set_r_t *r, ngx_hyperdrive_sql_set_t *set);
static void ngx_hyperdrive_sql_mysql_set_later(ngx_hyperdrive_sql_set_r_t *r,
    ngx_hyperdrive_sql_set_e change, const char *name, ngx_str_t *value);
static ngx_uint_t ngx_hyperdrive_sql_mysql_set_equals(
    ngx_hyperdrive_sql_set_r_t *r);
static ngx_uint_t ngx_hyperdrive_sql_mysql_set_named(ngx_str_t *name,
    const char *what);


/*
 * Those that change by themselves, that hold for one statement, or that our
 * own use of the connection hangs on.
 */

static const char  *ngx_hyperdrive_sql_mysql_set_own[] = {
    "default_master_connection", "gtid_domain_id", "gtid_next", "gtid_seq_no",
    "identity", "insert_id", "last_gtid", "last_insert_id", "password",
    "pseudo_slave_mode", "pseudo_thread_id", "rand_seed1", "rand_seed2",
    "server_id", "session_track_gtids", "session_track_schema",
    "session_track_system_variables", "session_track_transaction_info",
    "skip_replication", "sql_log_bin", NULL
};


ngx_int_t
ngx_hyperdrive_sql_mysql_set_next(ngx_hyperdrive_sql_set_r_t *r,
    ngx_hyperdrive_sql_set_t *set)
{
    ngx_int_t   rc;
    ngx_uint_t  i;

    if (r->npending == 0 && r->item) {

        /* the next of a list */

        r->item = 0;
        rc = ngx_hyperdrive_sql_mysql_set_item(r, set);

    } else if (r->npending == 0) {

        while (r->tok.type == T(SEMICOLON)) {
            ngx_hyperdrive_sql_set_token(r);
        }

        if (r->tok.type == T(END)) {
            return NGX_DONE;
        }

        if (r->in) {
            r->statement++;
        }

        r->in = 1;
        r->pos = r->buf;
        r->begin = r->tok.text.data;

        if (ngx_hyperdrive_sql_set_word(r, "set")) {
            rc = ngx_hyperdrive_sql_mysql_set_item(r, set);

        } else if (ngx_hyperdrive_sql_set_word(r, "use")) {
            rc = ngx_hyperdrive_sql_mysql_set_use(r, set);

        } else {
            rc = ngx_hyperdrive_sql_mysql_set_other(r, set);
        }

    } else {
        rc = NGX_OK;
    }

    if (rc != NGX_OK) {
        return rc;
    }

    if (r->npending) {
        *set = r->pending[0];

        for (i = 1; i < r->npending; i++) {
            r->pending[i - 1] = r->pending[i];
        }

        r->npending--;
    }

    set->statement = r->statement;

    if (r->npending) {
        return NGX_OK;
    }

    if (ngx_hyperdrive_sql_set_type(r, T(COMMA))) {
        r->item = 1;
        return NGX_OK;
    }

    return (r->tok.type == T(SEMICOLON) || r->tok.type == T(END))
           ? NGX_OK : NGX_DECLINED;
}


/* one assignment */

static ngx_int_t
ngx_hyperdrive_sql_mysql_set_item(ngx_hyperdrive_sql_set_r_t *r,
    ngx_hyperdrive_sql_set_t *set)
{
    ngx_hyperdrive_sql_set_reader_t  was;

    set->change = NGX_HYPERDRIVE_SQL_SET_VALUE;

    if (r->tok.type == T(VARIABLE)) {
        return ngx_hyperdrive_sql_mysql_set_variable(r, set);
    }

    if (ngx_hyperdrive_sql_set_type(r, T(SYSTEM))) {

        was = *r;

        if (!(ngx_hyperdrive_sql_set_word(r, "session")
              || ngx_hyperdrive_sql_set_word(r, "local"))
            || !ngx_hyperdrive_sql_set_type(r, T(DOT)))
        {
            *r = was;
        }

    } else {
        was = *r;

        if (ngx_hyperdrive_sql_set_word(r, "names")
            && !ngx_hyperdrive_sql_mysql_set_equals(r))
        {
            return ngx_hyperdrive_sql_mysql_set_names(r, set);
        }

        *r = was;

        if (ngx_hyperdrive_sql_set_word(r, "session")
            || ngx_hyperdrive_sql_set_word(r, "local"))
        {
            if (ngx_hyperdrive_sql_set_word(r, "transaction")) {
                return ngx_hyperdrive_sql_mysql_set_characteristics(r, set);
            }

            (void) ngx_hyperdrive_sql_set_type(r, T(DOT));
        }
    }

    if (ngx_hyperdrive_sql_mysql_set_lower(r, &set->name, 0) != NGX_OK
        || !ngx_hyperdrive_sql_mysql_set_equals(r))
    {
        return NGX_DECLINED;
    }

    ngx_hyperdrive_sql_set_token(r);

    return ngx_hyperdrive_sql_mysql_set_check(r, set);
}


/* SET NAMES x [COLLATE y] */

static ngx_int_t
ngx_hyperdrive_sql_mysql_set_names(ngx_hyperdrive_sql_set_r_t *r,
    ngx_hyperdrive_sql_set_t *set)
{
    ngx_str_t  charset, collation, results;

    if (ngx_hyperdrive_sql_set_is(r, "default")
        || ngx_hyperdrive_sql_mysql_set_value(r, &charset, 0) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    ngx_str_null(&collation);

    if (ngx_hyperdrive_sql_set_word(r, "collate")
        && (ngx_hyperdrive_sql_set_is(r, "default")
            || ngx_hyperdrive_sql_mysql_set_value(r, &collation, 0) != NGX_OK))
    {
        return NGX_DECLINED;
    }

    results = charset;

    if (collation.len) {

        /* what results are told to be in has the collation, too */

        results.data = r->pos;
        results.len = charset.len + sizeof(" COLLATE ") - 1 + collation.len;

        if ((size_t) (r->buf + r->size - r->pos) < results.len) {
            return NGX_DECLINED;
        }

        r->pos = ngx_sprintf(r->pos, "%V COLLATE %V", &charset, &collation);
    }

    ngx_hyperdrive_sql_mysql_set_later(r, NGX_HYPERDRIVE_SQL_SET_VALUE,
                                       "character_set_client", &charset);
    ngx_hyperdrive_sql_mysql_set_later(r, NGX_HYPERDRIVE_SQL_SET_VALUE,
                                       "character_set_results", &results);

    if (collation.len) {
        ngx_hyperdrive_sql_mysql_set_later(r, NGX_HYPERDRIVE_SQL_SET_RESET,
                                           "character_set_connection", NULL);
        ngx_hyperdrive_sql_mysql_set_later(r, NGX_HYPERDRIVE_SQL_SET_VALUE,
                                           "collation_connection",
                                           &collation);
        return NGX_OK;
    }

    /* the collation becomes the default of the character set */

    ngx_hyperdrive_sql_mysql_set_later(r, NGX_HYPERDRIVE_SQL_SET_RESET,
                                       "collation_connection", NULL);
    ngx_hyperdrive_sql_mysql_set_later(r, NGX_HYPERDRIVE_SQL_SET_VALUE,
                                       "character_set_connection", &charset);

    return NGX_OK;
}


/* SET SESSION TRANSACTION ISOLATION LEVEL ... | READ ONLY | READ WRITE, ... */

static ngx_int_t
ngx_hyperdrive_sql_mysql_set_characteristics(ngx_hyperdrive_sql_set_r_t *r,
    ngx_hyperdrive_sql_set_t *set)
{
    ngx_str_t    value;
    const char  *isolation, *only;

    isolation = r->lexer.mode.mariadb ? "tx_isolation"
                                      : "transaction_isolation";
    only = r->lexer.mode.mariadb ? "tx_read_only" : "transaction_read_only";

    for ( ;; ) {

        if (ngx_hyperdrive_sql_set_word(r, "isolation")) {

            if (!ngx_hyperdrive_sql_set_word(r, "level")) {
                return NGX_DECLINED;
            }

            if (ngx_hyperdrive_sql_set_word(r, "serializable")) {
                ngx_str_set(&value, "'SERIALIZABLE'");

            } else if (ngx_hyperdrive_sql_set_word(r, "repeatable")) {

                if (!ngx_hyperdrive_sql_set_word(r, "read")) {
                    return NGX_DECLINED;
                }

                ngx_str_set(&value, "'REPEATABLE-READ'");

            } else if (!ngx_hyperdrive_sql_set_word(r, "read")) {
                return NGX_DECLINED;

            } else if (ngx_hyperdrive_sql_set_word(r, "committed")) {
                ngx_str_set(&value, "'READ-COMMITTED'");

            } else if (ngx_hyperdrive_sql_set_word(r, "uncommitted")) {
                ngx_str_set(&value, "'READ-UNCOMMITTED'");

            } else {
                return NGX_DECLINED;
            }

            ngx_hyperdrive_sql_mysql_set_later(r, NGX_HYPERDRIVE_SQL_SET_VALUE,
                                               isolation, &value);

        } else if (ngx_hyperdrive_sql_set_word(r, "read")) {

            if (ngx_hyperdrive_sql_set_word(r, "only")) {
                ngx_str_set(&value, "1");

            } else if (ngx_hyperdrive_sql_set_word(r, "write")) {
                ngx_str_set(&value, "0");

            } else {
                return NGX_DECLINED;
            }

            ngx_hyperdrive_sql_mysql_set_later(r, NGX_HYPERDRIVE_SQL_SET_VALUE,
                                               only, &value);

        } else {
            return NGX_DECLINED;
        }

        if (!ngx_hyperdrive_sql_set_type(r, T(COMMA))) {
            return NGX_OK;
        }

        if (r->npending == NGX_HYPERDRIVE_SQL_SET_PENDING) {
            return NGX_DECLINED;
        }
    }
}


/* @name = constant */

static ngx_int_t
ngx_hyperdrive_sql_mysql_set_variable(ngx_hyperdrive_sql_set_r_t *r,
    ngx_hyperdrive_sql_set_t *set)
{
    if (ngx_hyperdrive_sql_mysql_set_lower(r, &set->name, 1) != NGX_OK
        || !ngx_hyperdrive_sql_mysql_set_equals(r))
    {
        return NGX_DECLINED;
    }

    ngx_hyperdrive_sql_set_token(r);

    if (ngx_hyperdrive_sql_set_word(r, "null")) {
        /* as if it had never been set */
        set->change = NGX_HYPERDRIVE_SQL_SET_RESET;
        return NGX_OK;
    }

    if (ngx_hyperdrive_sql_set_is(r, "cast")) {
        return ngx_hyperdrive_sql_mysql_set_unsigned(r, &set->value);
    }

    return ngx_hyperdrive_sql_mysql_set_value(r, &set->value, 1);
}


/* CAST(7 AS UNSIGNED): a number that no other constant says */

static ngx_int_t
ngx_hyperdrive_sql_mysql_set_unsigned(ngx_hyperdrive_sql_set_r_t *r,
    ngx_str_t *value)
{
    size_t     i;
    ngx_str_t  number;

    ngx_hyperdrive_sql_set_token(r);

    if (!ngx_hyperdrive_sql_set_type(r, T(OPEN))) {
        return NGX_DECLINED;
    }

    number = r->tok.text;

    if (r->tok.type != T(NUMBER)
        || (size_t) (r->buf + r->size - r->pos)
           < number.len + sizeof("CAST( AS UNSIGNED)"))
    {
        return NGX_DECLINED;
    }

    for (i = 0; i < number.len; i++) {

        if (number.data[i] < '0' || number.data[i] > '9') {
            return NGX_DECLINED;
        }
    }

    ngx_hyperdrive_sql_set_token(r);

    if (!ngx_hyperdrive_sql_set_word(r, "as")
        || !ngx_hyperdrive_sql_set_word(r, "unsigned")
        || !ngx_hyperdrive_sql_set_type(r, T(CLOSE)))
    {
        return NGX_DECLINED;
    }

    value->data = r->pos;
    r->pos = ngx_sprintf(r->pos, "CAST(%V AS UNSIGNED)", &number);
    value->len = r->pos - value->data;

    /* alone, and not the first of an expression */

    return (r->tok.type == T(COMMA) || r->tok.type == T(SEMICOLON)
            || r->tok.type == T(END))
           ? NGX_OK : NGX_DECLINED;
}


/* the value of a system variable, and what else comes with it */

static ngx_int_t
ngx_hyperdrive_sql_mysql_set_check(ngx_hyperdrive_sql_set_r_t *r,
    ngx_hyperdrive_sql_set_t *set)
{
    if (ngx_hyperdrive_sql_left_own(&set->name)) {
        return NGX_DECLINED;
    }

    if (ngx_hyperdrive_sql_mysql_set_named(&set->name,
                                           "character_set_connection")
        || ngx_hyperdrive_sql_mysql_set_named(&set->name,
                                              "collation_connection"))
    {
        if (ngx_hyperdrive_sql_set_is(r, "default")
            || ngx_hyperdrive_sql_mysql_set_value(r, &set->value, 0)
               != NGX_OK)
        {
            return NGX_DECLINED;
        }

        /* one changes the other */

        ngx_hyperdrive_sql_mysql_set_later(r, NGX_HYPERDRIVE_SQL_SET_RESET,
                  set->name.data[1] == 'h' ? "collation_connection"
                                           : "character_set_connection", NULL);
        ngx_hyperdrive_sql_mysql_set_later(r, NGX_HYPERDRIVE_SQL_SET_VALUE,
                  set->name.data[1] == 'h' ? "character_set_connection"
                                           : "collation_connection",
                  &set->value);
        return NGX_OK;
    }

    if (r->lexer.mode.mariadb) {

        /* later versions have both names */

        if (ngx_hyperdrive_sql_mysql_set_named(&set->name,
                                               "transaction_isolation"))
        {
            ngx_str_set(&set->name, "tx_isolation");

        } else if (ngx_hyperdrive_sql_mysql_set_named(&set->name,
                                                      "transaction_read_only"))
        {
            ngx_str_set(&set->name, "tx_read_only");
        }
    }

    if (ngx_hyperdrive_sql_set_word(r, "default")) {

        if (set->name.len > 13
            && ngx_memcmp(set->name.data, "character_set", 13) == 0)
        {
            /* of the server, not of the log-in */
            return NGX_DECLINED;
        }

        set->change = NGX_HYPERDRIVE_SQL_SET_RESET;
        return NGX_OK;
    }

    if (ngx_hyperdrive_sql_mysql_set_value(r, &set->value, 0) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (ngx_hyperdrive_sql_mysql_set_named(&set->name, "autocommit")) {

        /* the one that is looked at */

        if (ngx_hyperdrive_sql_mysql_set_named(&set->value, "on")
            || ngx_hyperdrive_sql_mysql_set_named(&set->value, "true"))
        {
            ngx_str_set(&set->value, "1");

        } else if (ngx_hyperdrive_sql_mysql_set_named(&set->value, "off")
                   || ngx_hyperdrive_sql_mysql_set_named(&set->value, "false"))
        {
            ngx_str_set(&set->value, "0");
        }
    }

    return NGX_OK;
}


ngx_uint_t
ngx_hyperdrive_sql_left_own(ngx_str_t *name)
{
    const char  **own;

    for (own = ngx_hyperdrive_sql_mysql_set_own; *own; own++) {

        if (ngx_hyperdrive_sql_mysql_set_named(name, *own)) {
            return 1;
        }
    }

    return 0;
}


/* a constant, alone; for a system variable a plain word is one too */

static ngx_int_t
ngx_hyperdrive_sql_mysql_set_value(ngx_hyperdrive_sql_set_r_t *r,
    ngx_str_t *value, ngx_uint_t variable)
{
    u_char      sign, *p;
    size_t      len;

    sign = '\0';

    if (r->tok.type == T(OPERATOR) && r->tok.text.len == 1
        && (*r->tok.text.data == '-' || *r->tok.text.data == '+'))
    {
        sign = *r->tok.text.data;
        ngx_hyperdrive_sql_set_token(r);

        if (r->tok.type != T(NUMBER)) {
            return NGX_DECLINED;
        }
    }

    switch (r->tok.type) {

    case T(STRING):

        if (ngx_hyperdrive_sql_mysql_set_string(r, value) != NGX_OK) {
            return NGX_DECLINED;
        }

        break;

    case T(WORD):

        if (variable && !ngx_hyperdrive_sql_set_is(r, "true")
            && !ngx_hyperdrive_sql_set_is(r, "false"))
        {
            return NGX_DECLINED;
        }

        /* fall through */

    case T(NUMBER):

        len = r->tok.text.len + (sign == '-');

        if (r->tok.high || (size_t) (r->buf + r->size - r->pos) < len) {
            return NGX_DECLINED;
        }

        value->data = r->pos;
        value->len = len;

        p = r->pos;

        if (sign == '-') {
            *p++ = '-';
        }

        /* ON and on are one */

        if (r->tok.type == T(WORD)) {
            ngx_strlow(p, r->tok.text.data, r->tok.text.len);

        } else {
            ngx_memcpy(p, r->tok.text.data, r->tok.text.len);
        }

        r->pos += len;

        break;

    default:
        return NGX_DECLINED;
    }

    ngx_hyperdrive_sql_set_token(r);

    /* alone, and not the first of an expression */

    return (r->tok.type == T(COMMA) || r->tok.type == T(SEMICOLON)
            || r->tok.type == T(END)
            || ngx_hyperdrive_sql_set_is(r, "collate"))
           ? NGX_OK : NGX_DECLINED;
}


/* a string of which every character is plain ASCII */

static ngx_int_t
ngx_hyperdrive_sql_mysql_set_string(ngx_hyperdrive_sql_set_r_t *r,
    ngx_str_t *value)
{
    u_char  quote, *p, *last, *dst;

    p = r->tok.text.data;
    last = p + r->tok.text.len - 1;

    quote = *p++;

    if (quote != '\'' && quote != '"') {
        /* N'...' */
        return NGX_DECLINED;
    }

    if ((size_t) (r->buf + r->size - r->pos) < 2 * r->tok.text.len) {
        return NGX_DECLINED;
    }

    dst = r->pos;
    *dst++ = '\'';

    for ( /* void */ ; p < last; p++) {

        if (*p < ' ' || *p > '~' || *p == '\\') {
            return NGX_DECLINED;
        }

        *dst++ = *p;

        if (*p == quote) {
            /* the second of two */
            p++;
        }

        if (dst[-1] == '\'') {
            *dst++ = '\'';
        }
    }

    *dst++ = '\'';

    value->data = r->pos;
    value->len = dst - r->pos;

    r->pos = dst;

    return NGX_OK;
}


/* the name of a variable, plain characters only */

static ngx_int_t
ngx_hyperdrive_sql_mysql_set_lower(ngx_hyperdrive_sql_set_r_t *r,
    ngx_str_t *name, ngx_uint_t at)
{
    size_t   i, len;
    u_char   ch, *text;

    if (!at && r->tok.type != T(WORD) && r->tok.type != T(NAME)) {
        return NGX_DECLINED;
    }

    text = r->tok.text.data;
    len = r->tok.text.len;

    if (len == 0 || (size_t) (r->buf + r->size - r->pos) < len + 1) {
        return NGX_DECLINED;
    }

    name->data = r->pos;

    if (at) {
        *r->pos++ = '@';
    }

    for (i = 0; i < len; i++) {
        ch = ngx_tolower(text[i]);

        if (!(ch >= 'a' && ch <= 'z') && !(ch >= '0' && ch <= '9')
            && ch != '_' && !(at && (ch == '.' || ch == '$')))
        {
            return NGX_DECLINED;
        }

        *r->pos++ = ch;
    }

    name->len = r->pos - name->data;

    ngx_hyperdrive_sql_set_token(r);

    return NGX_OK;
}


/* USE schema: as a setting with the name "use" */

static ngx_int_t
ngx_hyperdrive_sql_mysql_set_use(ngx_hyperdrive_sql_set_r_t *r,
    ngx_hyperdrive_sql_set_t *set)
{
    if ((r->tok.type != T(WORD) && r->tok.type != T(NAME))
        || r->tok.doubled
        || (size_t) (r->buf + r->size - r->pos) < r->tok.text.len
        || memchr(r->tok.text.data, '`', r->tok.text.len))
    {
        return NGX_DECLINED;
    }

    set->change = NGX_HYPERDRIVE_SQL_SET_VALUE;
    ngx_str_set(&set->name, "use");

    set->value.data = r->pos;
    set->value.len = r->tok.text.len;

    r->pos = ngx_cpymem(r->pos, r->tok.text.data, r->tok.text.len);

    ngx_hyperdrive_sql_set_token(r);

    return NGX_OK;
}


/* another statement, to its end */

static ngx_int_t
ngx_hyperdrive_sql_mysql_set_other(ngx_hyperdrive_sql_set_r_t *r,
    ngx_hyperdrive_sql_set_t *set)
{
    u_char  *end;

    set->change = NGX_HYPERDRIVE_SQL_SET_OTHER;
    set->value.data = r->begin;

    end = r->begin;

    while (r->tok.type != T(SEMICOLON) && r->tok.type != T(END)) {

        if (r->tok.type == T(ERROR)) {
            return NGX_DECLINED;
        }

        end = r->lexer.pos;
        ngx_hyperdrive_sql_set_token(r);
    }

    set->value.len = end - r->begin;

    return NGX_OK;
}


/* one of the changes of one assignment; <name> is a constant */

static void
ngx_hyperdrive_sql_mysql_set_later(ngx_hyperdrive_sql_set_r_t *r,
    ngx_hyperdrive_sql_set_e change, const char *name, ngx_str_t *value)
{
    ngx_hyperdrive_sql_set_t  *set;

    set = &r->pending[r->npending++];

    set->change = change;
    set->name.data = (u_char *) name;
    set->name.len = ngx_strlen(name);
    ngx_str_null(&set->value);

    if (value) {
        set->value = *value;
    }
}


static ngx_uint_t
ngx_hyperdrive_sql_mysql_set_equals(ngx_hyperdrive_sql_set_r_t *r)
{
    return r->tok.type == T(ASSIGN)
           || (r->tok.type == T(OPERATOR) && r->tok.text.len == 1
               && *r->tok.text.data == '=');
}


static ngx_uint_t
ngx_hyperdrive_sql_mysql_set_named(ngx_str_t *name, const char *what)
{
    return name->len == ngx_strlen(what)
           && ngx_memcmp(name->data, what, name->len) == 0;
}
