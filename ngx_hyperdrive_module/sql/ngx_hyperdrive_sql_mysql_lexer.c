
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "sql/ngx_hyperdrive_sql_lexer.h"
#include "base/ngx_hyperdrive_base_mode.h"


/*
 * The lexer of MySQL and MariaDB.  Where the two, or their versions, would
 * read a text in different ways and it is not known which one it is for, the
 * token is an error.
 */


static ngx_int_t ngx_hyperdrive_sql_mysql_lexer_blanks(
    ngx_hyperdrive_sql_lexer_t *l);
static ngx_int_t ngx_hyperdrive_sql_mysql_lexer_comment(
    ngx_hyperdrive_sql_lexer_t *l);
static u_char *ngx_hyperdrive_sql_mysql_lexer_skip(
    ngx_hyperdrive_sql_lexer_t *l, u_char *p, ngx_uint_t nested);
static void ngx_hyperdrive_sql_mysql_lexer_quoted(
    ngx_hyperdrive_sql_lexer_t *l, ngx_hyperdrive_sql_token_t *token);
static ngx_uint_t ngx_hyperdrive_sql_mysql_lexer_char(
    ngx_hyperdrive_sql_lexer_t *l, u_char *p);
static void ngx_hyperdrive_sql_mysql_lexer_word(ngx_hyperdrive_sql_lexer_t *l,
    ngx_hyperdrive_sql_token_t *token, ngx_uint_t name);
static void ngx_hyperdrive_sql_mysql_lexer_digit(
    ngx_hyperdrive_sql_lexer_t *l, ngx_hyperdrive_sql_token_t *token);
static u_char *ngx_hyperdrive_sql_mysql_lexer_digits(u_char *p, u_char *last);
static void ngx_hyperdrive_sql_mysql_lexer_at(ngx_hyperdrive_sql_lexer_t *l,
    ngx_hyperdrive_sql_token_t *token);
static void ngx_hyperdrive_sql_mysql_lexer_operator(
    ngx_hyperdrive_sql_lexer_t *l, ngx_hyperdrive_sql_token_t *token);


#define ngx_hyperdrive_sql_mysql_lexer_is_word(l, ch)                         \
    ((l)->dialect->classes[ch] == NGX_HYPERDRIVE_SQL_C_WORD                   \
     || (l)->dialect->classes[ch] == NGX_HYPERDRIVE_SQL_C_DIGIT               \
     || (l)->dialect->classes[ch] == NGX_HYPERDRIVE_SQL_C_DOLLAR)


void
ngx_hyperdrive_sql_mysql_lexer(ngx_hyperdrive_sql_lexer_t *l,
    ngx_hyperdrive_sql_token_t *token)
{
    u_char      *p, *start;
    ngx_int_t    rc;
    ngx_uint_t   dot;

    dot = l->dot;
    l->dot = 0;

    start = l->pos;

    rc = ngx_hyperdrive_sql_mysql_lexer_blanks(l);

    p = l->pos;

    token->text.data = p;
    token->blank = (p != start);
    token->type = NGX_HYPERDRIVE_SQL_T_ERROR;

    if (rc != NGX_OK) {
        return;
    }

    if (p == l->last) {
        token->type = l->code ? NGX_HYPERDRIVE_SQL_T_ERROR
                              : NGX_HYPERDRIVE_SQL_T_END;
        return;
    }

    if (dot && !token->blank && ngx_hyperdrive_sql_mysql_lexer_is_word(l, *p))
    {
        /* "t.1e5" is a column, "t.select" too */

        ngx_hyperdrive_sql_mysql_lexer_word(l, token, 1);
        return;
    }

    switch (l->dialect->classes[*p]) {

    case NGX_HYPERDRIVE_SQL_C_WORD:
    case NGX_HYPERDRIVE_SQL_C_DOLLAR:

        /* x'1f', b'01', n'text' */

        if (l->last - p > 1 && p[1] == '\''
            && ngx_strchr("xXbBnN", *p))
        {
            l->pos++;
            ngx_hyperdrive_sql_mysql_lexer_quoted(l, token);
            token->text.data = p;
            token->text.len = l->pos - p;

            if (token->type == NGX_HYPERDRIVE_SQL_T_STRING
                && ngx_strchr("xXbB", *p))
            {
                token->type = NGX_HYPERDRIVE_SQL_T_BITS;
            }

            return;
        }

        ngx_hyperdrive_sql_mysql_lexer_word(l, token, 0);
        return;

    case NGX_HYPERDRIVE_SQL_C_DIGIT:
        ngx_hyperdrive_sql_mysql_lexer_digit(l, token);
        return;

    case NGX_HYPERDRIVE_SQL_C_STRING:
    case NGX_HYPERDRIVE_SQL_C_NAME:
    case NGX_HYPERDRIVE_SQL_C_BACKTICK:
        ngx_hyperdrive_sql_mysql_lexer_quoted(l, token);
        return;

    case NGX_HYPERDRIVE_SQL_C_AT:
        ngx_hyperdrive_sql_mysql_lexer_at(l, token);
        return;

    case NGX_HYPERDRIVE_SQL_C_DOT:

        if (l->last - p > 1
            && l->dialect->classes[p[1]] == NGX_HYPERDRIVE_SQL_C_DIGIT
            && !(dot && !token->blank))
        {
            /* ".5", but not that of "t.5" */

            l->pos = ngx_hyperdrive_sql_mysql_lexer_digits(p + 1, l->last);

            token->type = NGX_HYPERDRIVE_SQL_T_NUMBER;
            token->text.len = l->pos - p;

            return;
        }

        token->type = NGX_HYPERDRIVE_SQL_T_DOT;
        l->dot = 1;
        break;

    case NGX_HYPERDRIVE_SQL_C_COLON:
        token->type = NGX_HYPERDRIVE_SQL_T_COLON;

        if (l->last - p > 1 && p[1] == '=') {
            token->type = NGX_HYPERDRIVE_SQL_T_ASSIGN;
            l->pos++;
        }

        break;

    case NGX_HYPERDRIVE_SQL_C_SELF:

        switch (*p) {

        case '(':
            token->type = NGX_HYPERDRIVE_SQL_T_OPEN;
            break;

        case ')':
            token->type = NGX_HYPERDRIVE_SQL_T_CLOSE;
            break;

        case ',':
            token->type = NGX_HYPERDRIVE_SQL_T_COMMA;
            break;

        case '?':
            token->type = NGX_HYPERDRIVE_SQL_T_PARAM;
            break;

        default: /* ';' */
            token->type = NGX_HYPERDRIVE_SQL_T_SEMICOLON;
            break;
        }

        break;

    case NGX_HYPERDRIVE_SQL_C_OPERATOR:
        ngx_hyperdrive_sql_mysql_lexer_operator(l, token);
        return;

    default:
        return;
    }

    l->pos++;
    token->text.len = l->pos - p;
}


/* to the next token; NGX_ERROR: a comment that cannot be understood */

static ngx_int_t
ngx_hyperdrive_sql_mysql_lexer_blanks(ngx_hyperdrive_sql_lexer_t *l)
{
    size_t   n;
    u_char  *p;

    for ( ;; ) {
        p = l->pos;
        n = l->last - p;

        if (n == 0) {
            return NGX_OK;
        }

        if (l->dialect->classes[*p] == NGX_HYPERDRIVE_SQL_C_SPACE) {
            l->pos++;
            continue;
        }

        if (*p == '#'
            || (n > 1 && p[0] == '-' && p[1] == '-'
                && (n == 2 || p[2] <= ' ' || p[2] == 0x7f)))
        {
            p = memchr(p, LF, n);
            l->pos = p ? p + 1 : l->last;
            continue;
        }

        if (n > 1 && p[0] == '/' && p[1] == '*') {

            if (ngx_hyperdrive_sql_mysql_lexer_comment(l) != NGX_OK) {
                return NGX_ERROR;
            }

            continue;
        }

        if (l->code && n > 1 && p[0] == '*' && p[1] == '/') {
            l->code = 0;
            l->pos += 2;
            continue;
        }

        return NGX_OK;
    }
}


/*
 * A comment, or the beginning of one that is code: for both servers, for
 * MariaDB, or from a version on.
 */

static ngx_int_t
ngx_hyperdrive_sql_mysql_lexer_comment(ngx_hyperdrive_sql_lexer_t *l)
{
    u_char      *p, *last;
    ngx_uint_t   i, maria, run, version;

    p = l->pos + 2;
    last = l->last;

    maria = (last - p > 1 && p[0] == 'M' && p[1] == '!');

    if (p == last || (*p != '!' && !maria)) {
        p = ngx_hyperdrive_sql_mysql_lexer_skip(l, p, 0);

        if (p && l->comment) {
            l->comment(l->data, l->pos + 2, p - 2);
        }

        goto done;
    }

    if (maria && l->mode.version == 0) {
        return NGX_ERROR;
    }

    if (maria && !l->mode.mariadb) {
        p = ngx_hyperdrive_sql_mysql_lexer_skip(l, p, 0);
        goto done;
    }

    p += maria ? 2 : 1;

    version = 0;

    for (i = 0; i < 6 && p + i < last && p[i] >= '0' && p[i] <= '9'; i++) {
        version = version * 10 + p[i] - '0';
    }

    if (i < 5) {
        /* fewer digits are code */
        run = 1;

    } else if (l->mode.version == 0) {
        return NGX_ERROR;

    } else {
        p += i;

        run = (version <= l->mode.version);

        if (l->mode.mariadb && !maria
            && version >= 50700 && version <= 99999)
        {
            /* what MySQL has, and MariaDB has not */
            run = 0;
        }

        if (i == 6 && !l->mode.mariadb && version > 99999
            && version <= l->mode.version)
        {
            /* old versions read five digits, and the sixth as code */
            return NGX_ERROR;
        }
    }

    if (run) {
        l->code = 1;
        l->pos = p;
        return NGX_OK;
    }

    p = ngx_hyperdrive_sql_mysql_lexer_skip(l, p, 1);

done:

    if (p == NULL) {
        return NGX_ERROR;
    }

    l->pos = p;

    return NGX_OK;
}


/* behind the end of a comment; NULL: it has none */

static u_char *
ngx_hyperdrive_sql_mysql_lexer_skip(ngx_hyperdrive_sql_lexer_t *l, u_char *p,
    ngx_uint_t nested)
{
    while (l->last - p > 1) {

        if (p[0] == '*' && p[1] == '/') {
            return p + 2;
        }

        if (nested && p[0] == '/' && p[1] == '*') {
            p = ngx_hyperdrive_sql_mysql_lexer_skip(l, p + 2, 0);

            if (p == NULL) {
                return NULL;
            }

            continue;
        }

        p++;
    }

    return NULL;
}


/* 'text', "text" or "name", `name`; of a name <text> is what is inside */

static void
ngx_hyperdrive_sql_mysql_lexer_quoted(ngx_hyperdrive_sql_lexer_t *l,
    ngx_hyperdrive_sql_token_t *token)
{
    u_char       quote, *p, *start;
    ngx_uint_t   n, name;

    start = l->pos;
    quote = *start;
    name = (quote == '`' || (quote == '"' && l->mode.ansi_quotes));

    token->type = NGX_HYPERDRIVE_SQL_T_ERROR;
    token->quote = quote;
    token->string = (l->backslash && !name) ? NGX_HYPERDRIVE_SQL_S_ESCAPE
                                            : NGX_HYPERDRIVE_SQL_S_PLAIN;

    for (p = start + 1; p < l->last; p++) {

        if (*p & 0x80) {
            token->high = 1;

            n = ngx_hyperdrive_sql_mysql_lexer_char(l, p);

            if (n > 1) {

                if (name) {
                    /* what is inside is looked at byte by byte */
                    return;
                }

                p += n - 1;
                continue;
            }
        }

        if (*p == '\\' && token->string == NGX_HYPERDRIVE_SQL_S_ESCAPE) {

            if (++p < l->last && (*p & 0x80)) {
                /* the whole character is escaped */
                p += ngx_hyperdrive_sql_mysql_lexer_char(l, p) - 1;
            }

            continue;
        }

        if (*p != quote) {
            continue;
        }

        if (p + 1 < l->last && p[1] == quote) {
            token->doubled = 1;
            p++;
            continue;
        }

        l->pos = p + 1;

        if (!name) {
            token->type = NGX_HYPERDRIVE_SQL_T_STRING;
            token->text.data = start;
            token->text.len = l->pos - start;
            return;
        }

        token->text.data = start + 1;
        token->text.len = p - token->text.data;

        if (token->text.len && memchr(token->text.data, '\0',
                                      token->text.len) == NULL)
        {
            token->type = NGX_HYPERDRIVE_SQL_T_NAME;
        }

        return;
    }

    l->pos = start;
}


/* length of the character at <p>, whose first byte is over 0x7f */

static ngx_uint_t
ngx_hyperdrive_sql_mysql_lexer_char(ngx_hyperdrive_sql_lexer_t *l, u_char *p)
{
    u_char      ch;
    ngx_uint_t  left;

    left = l->last - p;

    if (l->mode.charset == NGX_HYPERDRIVE_BASE_MODE_SAFE || left < 2) {
        return 1;
    }

    ch = p[1];

    switch (l->mode.charset) {

    case NGX_HYPERDRIVE_BASE_MODE_SJIS:
        return ((p[0] >= 0x81 && p[0] <= 0x9f)
                || (p[0] >= 0xe0 && p[0] <= 0xfc))
               && ((ch >= 0x40 && ch <= 0x7e) || (ch >= 0x80 && ch <= 0xfc))
               ? 2 : 1;

    case NGX_HYPERDRIVE_BASE_MODE_GBK:
        return p[0] >= 0x81 && p[0] <= 0xfe
               && ((ch >= 0x40 && ch <= 0x7e) || (ch >= 0x80 && ch <= 0xfe))
               ? 2 : 1;

    case NGX_HYPERDRIVE_BASE_MODE_BIG5:
        return p[0] >= 0xa1 && p[0] <= 0xf9
               && ((ch >= 0x40 && ch <= 0x7e) || (ch >= 0xa1 && ch <= 0xfe))
               ? 2 : 1;

    default: /* NGX_HYPERDRIVE_BASE_MODE_GB18030 */

        if (p[0] < 0x81 || p[0] > 0xfe) {
            return 1;
        }

        if ((ch >= 0x40 && ch <= 0x7e) || (ch >= 0x80 && ch <= 0xfe)) {
            return 2;
        }

        return left > 3 && ch >= 0x30 && ch <= 0x39
               && p[2] >= 0x81 && p[2] <= 0xfe
               && p[3] >= 0x30 && p[3] <= 0x39
               ? 4 : 1;
    }
}


static void
ngx_hyperdrive_sql_mysql_lexer_word(ngx_hyperdrive_sql_lexer_t *l,
    ngx_hyperdrive_sql_token_t *token, ngx_uint_t name)
{
    u_char  *p;

    for (p = l->pos; p < l->last; p++) {

        if (!ngx_hyperdrive_sql_mysql_lexer_is_word(l, *p)) {
            break;
        }

        if (*p & 0x80) {
            token->high = 1;

            if (l->mode.charset != NGX_HYPERDRIVE_BASE_MODE_SAFE) {
                /* where the name ends is for the server to say */
                token->type = NGX_HYPERDRIVE_SQL_T_ERROR;
                return;
            }
        }
    }

    token->type = NGX_HYPERDRIVE_SQL_T_WORD;
    token->text.len = p - l->pos;

    l->pos = p;

    if (p < l->last && *p == '.') {
        /* what follows is a name too, even if it begins with a digit */
        l->dot = 1;
    }

    if (!name) {
        ngx_hyperdrive_sql_lexer_keyword(l->dialect, token);
    }
}


/* 1, 1.5, 1e10, 0x1f, 0b01; 1st and 1e are names */

static void
ngx_hyperdrive_sql_mysql_lexer_digit(ngx_hyperdrive_sql_lexer_t *l,
    ngx_hyperdrive_sql_token_t *token)
{
    u_char  *p, *q, *last;

    p = l->pos;
    last = l->last;

    token->type = NGX_HYPERDRIVE_SQL_T_NUMBER;

    if (*p == '0' && last - p > 2 && (p[1] == 'x' || p[1] == 'b')) {

        for (q = p + 2; q < last; q++) {

            if (p[1] == 'b' ? (*q != '0' && *q != '1')
                            : !((*q >= '0' && *q <= '9')
                                || ((*q | 0x20) >= 'a'
                                    && (*q | 0x20) <= 'f')))
            {
                break;
            }
        }

        if (q > p + 2
            && (q == last || !ngx_hyperdrive_sql_mysql_lexer_is_word(l, *q)))
        {
            token->text.len = q - p;
            l->pos = q;
            return;
        }
    }

    for (q = p; q < last && *q >= '0' && *q <= '9'; q++) { /* void */ }

    if (q < last && *q == '.') {
        q = ngx_hyperdrive_sql_mysql_lexer_digits(q + 1, last);

    } else if (q < last && ngx_hyperdrive_sql_mysql_lexer_is_word(l, *q)) {

        if ((*q == 'e' || *q == 'E') && last - q > 1
            && ((q[1] >= '0' && q[1] <= '9')
                || ((q[1] == '+' || q[1] == '-') && last - q > 2
                    && q[2] >= '0' && q[2] <= '9')))
        {
            q = ngx_hyperdrive_sql_mysql_lexer_digits(q, last);

        } else {
            ngx_hyperdrive_sql_mysql_lexer_word(l, token, 1);
            return;
        }
    }

    token->text.len = q - p;
    l->pos = q;
}


/* digits and an exponent */

static u_char *
ngx_hyperdrive_sql_mysql_lexer_digits(u_char *p, u_char *last)
{
    u_char  *q;

    while (p < last && *p >= '0' && *p <= '9') {
        p++;
    }

    if (p < last && (*p == 'e' || *p == 'E')) {
        q = p + 1;

        if (q < last && (*q == '+' || *q == '-')) {
            q++;
        }

        if (q < last && *q >= '0' && *q <= '9') {

            while (q < last && *q >= '0' && *q <= '9') {
                q++;
            }

            return q;
        }
    }

    return p;
}


/* @name, @'name', @@ */

static void
ngx_hyperdrive_sql_mysql_lexer_at(ngx_hyperdrive_sql_lexer_t *l,
    ngx_hyperdrive_sql_token_t *token)
{
    u_char  *p, *start;

    start = l->pos;
    p = start + 1;

    if (p < l->last && *p == '@') {
        token->type = NGX_HYPERDRIVE_SQL_T_SYSTEM;
        token->text.len = 2;
        l->pos = p + 1;
        l->dot = 1;
        return;
    }

    if (p < l->last && (*p == '\'' || *p == '"' || *p == '`')) {
        l->pos = p;
        ngx_hyperdrive_sql_mysql_lexer_quoted(l, token);

        if (token->type == NGX_HYPERDRIVE_SQL_T_STRING) {
            token->text.data++;
            token->text.len -= 2;

        } else if (token->type != NGX_HYPERDRIVE_SQL_T_NAME) {
            l->pos = start;
            return;
        }

        token->type = NGX_HYPERDRIVE_SQL_T_VARIABLE;

        return;
    }

    while (p < l->last
           && (*p == '.' || ngx_hyperdrive_sql_mysql_lexer_is_word(l, *p)))
    {
        if ((*p & 0x80) && l->mode.charset != NGX_HYPERDRIVE_BASE_MODE_SAFE) {
            return;
        }

        p++;
    }

    token->type = NGX_HYPERDRIVE_SQL_T_VARIABLE;
    token->text.data = start + 1;
    token->text.len = p - token->text.data;

    l->pos = p;
}


/* one sign, but for those that would be another thing without their next */

static void
ngx_hyperdrive_sql_mysql_lexer_operator(ngx_hyperdrive_sql_lexer_t *l,
    ngx_hyperdrive_sql_token_t *token)
{
    u_char  *p;

    p = l->pos;

    token->type = NGX_HYPERDRIVE_SQL_T_OPERATOR;
    token->text.len = 1;

    if (*p == '\\') {

        /* \N is NULL */

        if (l->last - p < 2 || p[1] != 'N') {
            token->type = NGX_HYPERDRIVE_SQL_T_ERROR;
            return;
        }

        token->text.len = 2;

    } else if (l->last - p > 1
               && ((p[0] == '|' && p[1] == '|') || (p[0] == '&' && p[1] == '&')
                   || (p[0] == '-' && p[1] == '>')
                   || (ngx_strchr("<>!", p[0]) && p[1] == '=')
                   || (p[0] == '<' && p[1] == '>')))
    {
        token->text.len = 2;

        if (p[0] == '<' && p[1] == '=' && l->last - p > 2 && p[2] == '>') {
            token->text.len = 3;
        }
    }

    l->pos += token->text.len;
}
