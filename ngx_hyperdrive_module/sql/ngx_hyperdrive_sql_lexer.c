
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "sql/ngx_hyperdrive_sql_lexer.h"
#include "base/ngx_hyperdrive_base_mode.h"


/* the longest keyword has 17 letters */
#define NGX_HYPERDRIVE_SQL_MAX_WORD  24

#define ngx_hyperdrive_sql_lexer_hash(hash, c)  ((hash) * 37 + (c))
#define ngx_hyperdrive_sql_lexer_slot(hash)                                   \
    ((hash) & (NGX_HYPERDRIVE_SQL_KEYWORD_SLOTS - 1))


static void ngx_hyperdrive_sql_lexer_index(
    const ngx_hyperdrive_sql_dialect_t *d);
static u_char *ngx_hyperdrive_sql_lexer_blanks(
    ngx_hyperdrive_sql_lexer_t *lexer);
static void ngx_hyperdrive_sql_lexer_word(ngx_hyperdrive_sql_lexer_t *lexer,
    ngx_hyperdrive_sql_token_t *token);
static ngx_uint_t ngx_hyperdrive_sql_lexer_prefixed(
    ngx_hyperdrive_sql_lexer_t *lexer, ngx_hyperdrive_sql_token_t *token);
static void ngx_hyperdrive_sql_lexer_number(ngx_hyperdrive_sql_lexer_t *lexer,
    ngx_hyperdrive_sql_token_t *token);
static void ngx_hyperdrive_sql_lexer_dollar(ngx_hyperdrive_sql_lexer_t *lexer,
    ngx_hyperdrive_sql_token_t *token);
static void ngx_hyperdrive_sql_lexer_string(ngx_hyperdrive_sql_lexer_t *lexer,
    ngx_hyperdrive_sql_token_t *token, ngx_hyperdrive_sql_string_e string);
static u_char *ngx_hyperdrive_sql_lexer_continuation(
    ngx_hyperdrive_sql_lexer_t *lexer, u_char *p);
static void ngx_hyperdrive_sql_lexer_name(ngx_hyperdrive_sql_lexer_t *lexer,
    ngx_hyperdrive_sql_token_t *token, ngx_uint_t escapes);
static void ngx_hyperdrive_sql_lexer_operator(
    ngx_hyperdrive_sql_lexer_t *lexer, ngx_hyperdrive_sql_token_t *token);


void
ngx_hyperdrive_sql_mode(ngx_uint_t bits, ngx_hyperdrive_sql_mode_t *mode)
{
    ngx_memzero(mode, sizeof(ngx_hyperdrive_sql_mode_t));

    if (!(bits & NGX_HYPERDRIVE_BASE_MODE_MYSQL)) {
        mode->standard_conforming_strings =
                                   (bits & NGX_HYPERDRIVE_BASE_MODE_STANDARD)
                                   ? 1 : 0;
        mode->unsafe_encoding = (bits & NGX_HYPERDRIVE_BASE_MODE_UNSAFE)
                                ? 1 : 0;
        mode->charset = NGX_HYPERDRIVE_BASE_MODE_CHARSET(bits);
        return;
    }

    mode->mysql = 1;
    mode->mariadb = (bits & NGX_HYPERDRIVE_BASE_MODE_MARIADB) ? 1 : 0;
    mode->ansi_quotes = (bits & NGX_HYPERDRIVE_BASE_MODE_ANSI_QUOTES) ? 1 : 0;
    mode->no_backslash = (bits & NGX_HYPERDRIVE_BASE_MODE_NO_BACKSLASH)
                         ? 1 : 0;
    mode->ignore_space = (bits & NGX_HYPERDRIVE_BASE_MODE_IGNORE_SPACE)
                         ? 1 : 0;
    mode->unread = (bits & NGX_HYPERDRIVE_BASE_MODE_UNREAD) ? 1 : 0;
    mode->charset = NGX_HYPERDRIVE_BASE_MODE_CHARSET(bits);
    mode->version = NGX_HYPERDRIVE_BASE_MODE_VERSION(bits);
}


void
ngx_hyperdrive_sql_lexer_init(ngx_hyperdrive_sql_lexer_t *lexer,
    ngx_str_t *text, ngx_hyperdrive_sql_mode_t *mode)
{
    ngx_memzero(lexer, sizeof(ngx_hyperdrive_sql_lexer_t));

    lexer->pos = text->data;
    lexer->last = text->data + text->len;
    lexer->mode = *mode;

    if (mode->mysql) {
        lexer->dialect = &ngx_hyperdrive_sql_mysql;
        lexer->backslash = !mode->no_backslash;

    } else {
        lexer->dialect = &ngx_hyperdrive_sql_pg;
        lexer->backslash = !mode->standard_conforming_strings;
    }
}


void
ngx_hyperdrive_sql_lexer_next(ngx_hyperdrive_sql_lexer_t *lexer,
    ngx_hyperdrive_sql_token_t *token)
{
    ngx_memzero(token, sizeof(ngx_hyperdrive_sql_token_t));

    token->category = NGX_HYPERDRIVE_SQL_NOT_KEYWORD;
    token->text.data = lexer->pos;

    lexer->dialect->next(lexer, token);
}


void
ngx_hyperdrive_sql_lexer_pg(ngx_hyperdrive_sql_lexer_t *lexer,
    ngx_hyperdrive_sql_token_t *token)
{
    u_char  *p;

    p = ngx_hyperdrive_sql_lexer_blanks(lexer);

    if (p == NULL) {
        token->type = NGX_HYPERDRIVE_SQL_T_ERROR;
        return;
    }

    lexer->pos = p;
    token->text.data = p;

    if (p == lexer->last) {
        token->type = NGX_HYPERDRIVE_SQL_T_END;
        return;
    }

    switch (lexer->dialect->classes[*p]) {

    case NGX_HYPERDRIVE_SQL_C_WORD:
        ngx_hyperdrive_sql_lexer_word(lexer, token);
        return;

    case NGX_HYPERDRIVE_SQL_C_DIGIT:
        ngx_hyperdrive_sql_lexer_number(lexer, token);
        return;

    case NGX_HYPERDRIVE_SQL_C_DOLLAR:
        ngx_hyperdrive_sql_lexer_dollar(lexer, token);
        return;

    case NGX_HYPERDRIVE_SQL_C_STRING:
        ngx_hyperdrive_sql_lexer_string(lexer, token,
                                        lexer->backslash
                                            ? NGX_HYPERDRIVE_SQL_S_ESCAPE
                                            : NGX_HYPERDRIVE_SQL_S_PLAIN);
        return;

    case NGX_HYPERDRIVE_SQL_C_NAME:
        ngx_hyperdrive_sql_lexer_name(lexer, token, 0);
        return;

    case NGX_HYPERDRIVE_SQL_C_OPERATOR:
        ngx_hyperdrive_sql_lexer_operator(lexer, token);
        return;

    case NGX_HYPERDRIVE_SQL_C_DOT:

        if (p + 1 < lexer->last
            && lexer->dialect->classes[p[1]] == NGX_HYPERDRIVE_SQL_C_DIGIT)
        {
            ngx_hyperdrive_sql_lexer_number(lexer, token);
            return;
        }

        token->type = NGX_HYPERDRIVE_SQL_T_DOT;

        if (p + 1 < lexer->last && p[1] == '.') {

            /* ".." is a token of its own, of no use in SQL */

            token->type = NGX_HYPERDRIVE_SQL_T_ERROR;
            return;
        }

        break;

    case NGX_HYPERDRIVE_SQL_C_COLON:
        token->type = NGX_HYPERDRIVE_SQL_T_COLON;

        if (p + 1 < lexer->last && (p[1] == ':' || p[1] == '=')) {
            token->type = (p[1] == ':') ? NGX_HYPERDRIVE_SQL_T_CAST
                                        : NGX_HYPERDRIVE_SQL_T_ASSIGN;
            lexer->pos++;
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

        case '[':
            token->type = NGX_HYPERDRIVE_SQL_T_OPEN_BRACKET;
            break;

        case ']':
            token->type = NGX_HYPERDRIVE_SQL_T_CLOSE_BRACKET;
            break;

        case ',':
            token->type = NGX_HYPERDRIVE_SQL_T_COMMA;
            break;

        default: /* ';' */
            token->type = NGX_HYPERDRIVE_SQL_T_SEMICOLON;
            break;
        }

        break;

    default:
        token->type = NGX_HYPERDRIVE_SQL_T_ERROR;
        return;
    }

    lexer->pos++;
    token->text.len = lexer->pos - p;
}


/* behind white space and comments; NULL if a comment does not end */

static u_char *
ngx_hyperdrive_sql_lexer_blanks(ngx_hyperdrive_sql_lexer_t *lexer)
{
    u_char      *p, *last, *start;
    ngx_uint_t   depth;

    last = lexer->last;

    for (p = lexer->pos; p < last; p++) {

        if (lexer->dialect->classes[*p] == NGX_HYPERDRIVE_SQL_C_SPACE) {
            continue;
        }

        if (last - p < 2) {
            return p;
        }

        if (p[0] == '-' && p[1] == '-') {

            while (p < last && *p != LF && *p != CR) {
                p++;
            }

            if (p == last) {
                return p;
            }

            continue;
        }

        if (p[0] != '/' || p[1] != '*') {
            return p;
        }

        start = p + 2;
        depth = 1;

        for (p = start; depth; /* void */ ) {

            if (last - p < 2) {
                return NULL;
            }

            if (p[0] == '*' && p[1] == '/') {
                depth--;
                p += 2;

            } else if (p[0] == '/' && p[1] == '*'
                       && lexer->dialect->nested_comments)
            {
                depth++;
                p += 2;

            } else {
                p++;
            }
        }

        if (lexer->comment) {
            lexer->comment(lexer->data, start, p - 2);
        }

        p--;
    }

    return p;
}


static void
ngx_hyperdrive_sql_lexer_word(ngx_hyperdrive_sql_lexer_t *lexer,
    ngx_hyperdrive_sql_token_t *token)
{
    u_char        *p;
    const u_char  *classes;

    if (lexer->dialect->string_prefixes
        && ngx_hyperdrive_sql_lexer_prefixed(lexer, token))
    {
        return;
    }

    classes = lexer->dialect->classes;

    for (p = lexer->pos; p < lexer->last; p++) {

        if (*p & 0x80) {
            token->high = 1;
        }

        if (classes[*p] != NGX_HYPERDRIVE_SQL_C_WORD
            && classes[*p] != NGX_HYPERDRIVE_SQL_C_DIGIT
            && classes[*p] != NGX_HYPERDRIVE_SQL_C_DOLLAR)
        {
            break;
        }
    }

    token->type = NGX_HYPERDRIVE_SQL_T_WORD;
    token->text.len = p - lexer->pos;

    lexer->pos = p;

    ngx_hyperdrive_sql_lexer_keyword(lexer->dialect, token);
}


/* E'...', B'...', X'...', N'...', U&'...' and U&"..." */

static ngx_uint_t
ngx_hyperdrive_sql_lexer_prefixed(ngx_hyperdrive_sql_lexer_t *lexer,
    ngx_hyperdrive_sql_token_t *token)
{
    u_char                       ch, *p;
    ngx_hyperdrive_sql_string_e  string;

    p = lexer->pos;
    ch = ngx_tolower(p[0]);

    if (ch == 'u' && lexer->last - p > 2 && p[1] == '&') {

        if (p[2] == '\'') {
            lexer->pos += 2;
            ngx_hyperdrive_sql_lexer_string(lexer, token,
                                            NGX_HYPERDRIVE_SQL_S_UNICODE);
            return 1;
        }

        if (p[2] == '"') {
            lexer->pos += 2;
            ngx_hyperdrive_sql_lexer_name(lexer, token, 1);
            return 1;
        }

        return 0;
    }

    if (lexer->last - p < 2 || p[1] != '\'') {
        return 0;
    }

    switch (ch) {

    case 'e':
        string = NGX_HYPERDRIVE_SQL_S_ESCAPE;
        break;

    case 'n':
        string = lexer->backslash ? NGX_HYPERDRIVE_SQL_S_ESCAPE
                                  : NGX_HYPERDRIVE_SQL_S_PLAIN;
        break;

    case 'b':
    case 'x':
        string = NGX_HYPERDRIVE_SQL_S_PLAIN;
        break;

    default:
        return 0;
    }

    lexer->pos++;

    ngx_hyperdrive_sql_lexer_string(lexer, token, string);

    if ((ch == 'b' || ch == 'x')
        && token->type == NGX_HYPERDRIVE_SQL_T_STRING)
    {
        token->type = NGX_HYPERDRIVE_SQL_T_BITS;
    }

    return 1;
}


void
ngx_hyperdrive_sql_lexer_keyword(const ngx_hyperdrive_sql_dialect_t *d,
    ngx_hyperdrive_sql_token_t *token)
{
    u_char                               ch;
    uint32_t                             hash;
    ngx_uint_t                           i;
    const ngx_hyperdrive_sql_keyword_t  *keyword;
    u_char                               word[NGX_HYPERDRIVE_SQL_MAX_WORD];

    if (token->high || token->text.len > sizeof(word)) {
        return;
    }

    if (!d->index->filled) {
        ngx_hyperdrive_sql_lexer_index(d);
    }

    hash = 0;

    for (i = 0; i < token->text.len; i++) {
        ch = token->text.data[i];
        word[i] = ngx_tolower(ch);
        hash = ngx_hyperdrive_sql_lexer_hash(hash, word[i]);
    }

    for (i = ngx_hyperdrive_sql_lexer_slot(hash);
         d->index->slots[i];
         i = ngx_hyperdrive_sql_lexer_slot(i + 1))
    {
        keyword = &d->keywords[d->index->slots[i] - 1];

        if (keyword->text.len == token->text.len
            && ngx_memcmp(keyword->text.data, word, token->text.len) == 0)
        {
            token->keyword = keyword->id;
            token->category = keyword->category;
            return;
        }
    }
}


static void
ngx_hyperdrive_sql_lexer_index(const ngx_hyperdrive_sql_dialect_t *d)
{
    size_t            i;
    uint32_t          hash;
    ngx_uint_t        n, slot;
    const ngx_str_t  *text;

    for (n = 0; n < d->nkeywords; n++) {

        text = &d->keywords[n].text;
        hash = 0;

        for (i = 0; i < text->len; i++) {
            hash = ngx_hyperdrive_sql_lexer_hash(hash, text->data[i]);
        }

        slot = ngx_hyperdrive_sql_lexer_slot(hash);

        while (d->index->slots[slot]) {
            slot = ngx_hyperdrive_sql_lexer_slot(slot + 1);
        }

        d->index->slots[slot] = n + 1;
    }

    d->index->filled = 1;
}


/*
 * 1, 1., .5, 1e10; 0x1F, 0o17, 0b1 and 1_000 since PostgreSQL 16.  Letters
 * right behind a number begin a word in old versions and are an error in new
 * ones, so they are an error here.
 */

static void
ngx_hyperdrive_sql_lexer_number(ngx_hyperdrive_sql_lexer_t *lexer,
    ngx_hyperdrive_sql_token_t *token)
{
    u_char  ch, *p, *last;

    p = lexer->pos;
    last = lexer->last;

    ch = (last - p > 2) ? ngx_tolower(p[1]) : '\0';

    if (p[0] == '0' && (ch == 'x' || ch == 'o' || ch == 'b')) {

        for (p += 2; p < last; p++) {
            ch = ngx_tolower(*p);

            if (!(ch >= '0' && ch <= '9') && !(ch >= 'a' && ch <= 'f')
                && ch != '_')
            {
                break;
            }
        }

        goto done;
    }

    while (p < last && ((*p >= '0' && *p <= '9') || *p == '_')) {
        p++;
    }

    if (p < last && *p == '.' && !(last - p > 1 && p[1] == '.')) {
        p++;

        while (p < last && ((*p >= '0' && *p <= '9') || *p == '_')) {
            p++;
        }
    }

    if (last - p > 1 && (*p == 'e' || *p == 'E')) {

        if (p[1] >= '0' && p[1] <= '9') {
            p++;

        } else if (last - p > 2 && (p[1] == '+' || p[1] == '-')
                   && p[2] >= '0' && p[2] <= '9')
        {
            p += 2;
        }

        while (p < last && ((*p >= '0' && *p <= '9') || *p == '_')) {
            p++;
        }
    }

done:

    token->type = NGX_HYPERDRIVE_SQL_T_NUMBER;
    token->text.len = p - lexer->pos;

    lexer->pos = p;

    if (p < last
        && lexer->dialect->classes[*p] == NGX_HYPERDRIVE_SQL_C_WORD)
    {
        lexer->pos = token->text.data;
        token->type = NGX_HYPERDRIVE_SQL_T_ERROR;
    }
}


/* $1, $$...$$ or $tag$...$tag$ */

static void
ngx_hyperdrive_sql_lexer_dollar(ngx_hyperdrive_sql_lexer_t *lexer,
    ngx_hyperdrive_sql_token_t *token)
{
    size_t         len;
    u_char        *p, *tag, *last;
    const u_char  *classes;

    classes = lexer->dialect->classes;
    last = lexer->last;
    tag = lexer->pos;

    p = tag + 1;

    token->type = NGX_HYPERDRIVE_SQL_T_ERROR;

    if (!lexer->dialect->dollar_strings || p == last) {
        return;
    }

    if (classes[*p] == NGX_HYPERDRIVE_SQL_C_DIGIT) {

        while (p < last && classes[*p] == NGX_HYPERDRIVE_SQL_C_DIGIT) {
            p++;
        }

        if (p < last && classes[*p] == NGX_HYPERDRIVE_SQL_C_WORD) {
            return;
        }

        token->type = NGX_HYPERDRIVE_SQL_T_PARAM;
        token->text.len = p - tag;
        lexer->pos = p;

        return;
    }

    while (p < last && (classes[*p] == NGX_HYPERDRIVE_SQL_C_WORD
                        || classes[*p] == NGX_HYPERDRIVE_SQL_C_DIGIT))
    {
        p++;
    }

    if (p == last || *p != '$') {
        return;
    }

    len = ++p - tag;

    token->string = NGX_HYPERDRIVE_SQL_S_RAW;
    token->text.data = p;

    for ( ;; ) {
        p = memchr(p, '$', last - p);

        if (p == NULL || (size_t) (last - p) < len) {
            return;
        }

        if (ngx_memcmp(p, tag, len) == 0) {
            break;
        }

        p++;
    }

    token->type = NGX_HYPERDRIVE_SQL_T_STRING;
    token->text.len = p - token->text.data;

    lexer->pos = p + len;
}


/* lexer->pos is at the quote; <text> is all, with the quotes */

static void
ngx_hyperdrive_sql_lexer_string(ngx_hyperdrive_sql_lexer_t *lexer,
    ngx_hyperdrive_sql_token_t *token, ngx_hyperdrive_sql_string_e string)
{
    u_char  *p, *next, *last;

    last = lexer->last;

    token->type = NGX_HYPERDRIVE_SQL_T_ERROR;
    token->string = string;
    token->text.data = lexer->pos;

    for (p = lexer->pos + 1; p < last; p++) {

        if (*p == '\\' && string == NGX_HYPERDRIVE_SQL_S_ESCAPE) {
            p++;
            continue;
        }

        if (*p != '\'') {
            continue;
        }

        if (p + 1 < last && p[1] == '\'') {
            p++;
            continue;
        }

        next = ngx_hyperdrive_sql_lexer_continuation(lexer, p + 1);

        if (next == NULL) {
            token->type = NGX_HYPERDRIVE_SQL_T_STRING;
            token->text.len = p + 1 - token->text.data;
            lexer->pos = p + 1;
            return;
        }

        p = next;
    }
}


/*
 * A constant goes on behind white space with a line's end in it.  Returns
 * the quote that opens the next part, or NULL.
 */

static u_char *
ngx_hyperdrive_sql_lexer_continuation(ngx_hyperdrive_sql_lexer_t *lexer,
    u_char *p)
{
    u_char      *last;
    ngx_uint_t   line;

    if (!lexer->dialect->string_continuation) {
        return NULL;
    }

    line = 0;
    last = lexer->last;

    for ( /* void */ ; p < last; p++) {

        if (*p == LF || *p == CR) {
            line = 1;
            continue;
        }

        if (lexer->dialect->classes[*p] == NGX_HYPERDRIVE_SQL_C_SPACE) {
            continue;
        }

        if (last - p > 1 && p[0] == '-' && p[1] == '-') {

            while (p < last && *p != LF && *p != CR) {
                p++;
            }

            line = 1;
            continue;
        }

        break;
    }

    return (line && p < last && *p == '\'') ? p : NULL;
}


/* lexer->pos is at the quote; <text> is what is inside */

static void
ngx_hyperdrive_sql_lexer_name(ngx_hyperdrive_sql_lexer_t *lexer,
    ngx_hyperdrive_sql_token_t *token, ngx_uint_t escapes)
{
    u_char  *p, *last;

    last = lexer->last;

    token->type = NGX_HYPERDRIVE_SQL_T_ERROR;
    token->text.data = lexer->pos + 1;

    for (p = lexer->pos + 1; p < last; p++) {

        if (*p & 0x80) {
            token->high = 1;
        }

        if (*p == '\\' && escapes) {
            return;
        }

        if (*p != '"') {
            continue;
        }

        if (p + 1 < last && p[1] == '"') {
            token->doubled = 1;
            p++;
            continue;
        }

        token->text.len = p - token->text.data;
        token->quote = '"';

        if (token->text.len) {
            token->type = NGX_HYPERDRIVE_SQL_T_NAME;
            lexer->pos = p + 1;
        }

        return;
    }
}


/*
 * As long as it goes, but not over the start of a comment, and a sign at its
 * end belongs to it only if there is a character of ~!@#^&|`?% in it.
 */

static void
ngx_hyperdrive_sql_lexer_operator(ngx_hyperdrive_sql_lexer_t *lexer,
    ngx_hyperdrive_sql_token_t *token)
{
    u_char      *p, *start;
    ngx_uint_t   special;

    special = 0;
    start = lexer->pos;

    for (p = start; p < lexer->last; p++) {

        if (lexer->dialect->classes[*p] != NGX_HYPERDRIVE_SQL_C_OPERATOR) {
            break;
        }

        if (lexer->last - p > 1
            && ((p[0] == '-' && p[1] == '-')
                || (p[0] == '/' && p[1] == '*')))
        {
            break;
        }

        if (ngx_strchr("~!@#^&|`?%", *p)) {
            special = 1;
        }
    }

    if (!special) {
        while (p - start > 1 && (p[-1] == '+' || p[-1] == '-')) {
            p--;
        }
    }

    token->type = NGX_HYPERDRIVE_SQL_T_OPERATOR;
    token->text.len = p - start;

    lexer->pos = p;
}


size_t
ngx_hyperdrive_sql_lexer_fold(const ngx_hyperdrive_sql_dialect_t *d,
    ngx_hyperdrive_sql_token_t *token, u_char *dst)
{
    size_t   len;
    u_char  *p, *last;

    p = token->text.data;
    last = p + token->text.len;

    if (token->type == NGX_HYPERDRIVE_SQL_T_WORD) {
        len = token->text.len;

        if (d->keep_case) {
            ngx_memcpy(dst, p, len);

        } else {
            ngx_strlow(dst, p, len);
        }

    } else {

        for (len = 0; p < last; p++) {
            dst[len++] = *p;

            if (*p == token->quote) {
                p++;
            }
        }
    }

    if (len > d->max_name) {
        len = d->max_name;

        /* not in the middle of a character, if this is UTF-8 */

        while (len && (dst[len] & 0xc0) == 0x80) {
            len--;
        }
    }

    return len;
}


ngx_uint_t
ngx_hyperdrive_sql_lexer_lookup(const ngx_hyperdrive_sql_name_t *names,
    ngx_uint_t n, u_char *text, size_t len)
{
    ngx_int_t   rc;
    ngx_uint_t  i, first;

    if (len == 0) {
        return 0;
    }

    first = 0;

    while (n) {
        i = first + n / 2;

        rc = ngx_memn2cmp(text, names[i].text.data, len, names[i].text.len);

        if (rc == 0) {
            return names[i].flags;
        }

        if (rc > 0) {
            n -= n / 2 + 1;
            first = i + 1;

        } else {
            n /= 2;
        }
    }

    return 0;
}
