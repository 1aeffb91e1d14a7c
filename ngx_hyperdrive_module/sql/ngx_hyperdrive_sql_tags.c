
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "sql/ngx_hyperdrive_sql_tags.h"
#include "sql/ngx_hyperdrive_sql_lexer.h"
#include "base/ngx_hyperdrive_base_cursor.h"


#define K(id)  NGX_HYPERDRIVE_SQL_K_##id
#define T(id)  NGX_HYPERDRIVE_SQL_T_##id


typedef struct {
    u_char                      *buf;       /* where the next one goes */
    ngx_hyperdrive_sql_tag_t    *tags;
    ngx_uint_t                   n;
} ngx_hyperdrive_sql_tags_t;


static ngx_int_t ngx_hyperdrive_sql_tags_start(
    ngx_hyperdrive_sql_lexer_t *lexer, ngx_str_t *text,
    ngx_hyperdrive_sql_mode_t *mode);
static void ngx_hyperdrive_sql_tags_comment(void *data, u_char *p,
    u_char *last);
static u_char *ngx_hyperdrive_sql_tags_decode(u_char *p, u_char *last,
    u_char end, u_char *dst, ngx_str_t *decoded);
static u_char *ngx_hyperdrive_sql_tags_blanks(u_char *p, u_char *last);
static ngx_uint_t ngx_hyperdrive_sql_calls_may(
    ngx_hyperdrive_sql_token_t *token, ngx_hyperdrive_sql_keyword_e before);


ngx_uint_t
ngx_hyperdrive_sql_tags(ngx_str_t *text, ngx_hyperdrive_sql_mode_t *mode,
    u_char *buf, ngx_hyperdrive_sql_tag_t *tags)
{
    ngx_hyperdrive_sql_tags_t    t;
    ngx_hyperdrive_sql_lexer_t   lexer;
    ngx_hyperdrive_sql_token_t   token;

    if (ngx_hyperdrive_sql_tags_start(&lexer, text, mode) != NGX_OK) {
        return 0;
    }

    t.buf = buf;
    t.tags = tags;
    t.n = 0;

    lexer.comment = ngx_hyperdrive_sql_tags_comment;
    lexer.data = &t;

    do {
        ngx_hyperdrive_sql_lexer_next(&lexer, &token);

    } while (token.type != T(END) && token.type != T(ERROR));

    return t.n;
}


/* NGX_DECLINED: nobody can tell where its tokens end */

static ngx_int_t
ngx_hyperdrive_sql_tags_start(ngx_hyperdrive_sql_lexer_t *lexer,
    ngx_str_t *text, ngx_hyperdrive_sql_mode_t *mode)
{
    size_t  i;

    if (mode->unsafe_encoding) {

        for (i = 0; i < text->len; i++) {
            if (text->data[i] > 0x7f) {
                return NGX_DECLINED;
            }
        }
    }

    ngx_hyperdrive_sql_lexer_init(lexer, text, mode);

    return NGX_OK;
}


/* all of it, or nothing */

static void
ngx_hyperdrive_sql_tags_comment(void *data, u_char *p, u_char *last)
{
    ngx_hyperdrive_sql_tags_t  *t = data;

    u_char                    *dst;
    ngx_uint_t                 n;
    ngx_hyperdrive_sql_tag_t   tag;

    dst = t->buf;
    n = t->n;

    for ( ;; ) {
        p = ngx_hyperdrive_sql_tags_blanks(p, last);
        p = ngx_hyperdrive_sql_tags_decode(p, last, '=', dst, &tag.name);

        if (p == NULL || tag.name.len == 0 || p == last || *p++ != '\'') {
            return;
        }

        dst += tag.name.len;

        p = ngx_hyperdrive_sql_tags_decode(p, last, '\'', dst, &tag.value);

        if (p == NULL) {
            return;
        }

        dst += tag.value.len;

        if (n < NGX_HYPERDRIVE_SQL_MAX_TAGS) {
            t->tags[n++] = tag;
        }

        p = ngx_hyperdrive_sql_tags_blanks(p, last);

        if (p == last) {
            break;
        }

        if (*p++ != ',') {
            return;
        }
    }

    t->buf = dst;
    t->n = n;
}


/* behind <end>; NULL: it is not there, or what is before it is malformed */

static u_char *
ngx_hyperdrive_sql_tags_decode(u_char *p, u_char *last, u_char end,
    u_char *dst, ngx_str_t *decoded)
{
    ngx_int_t  n;

    decoded->data = dst;

    while (p < last && *p != end) {

        if (*p == '%') {

            if (last - p < 3) {
                return NULL;
            }

            n = ngx_hextoi(p + 1, 2);

            if (n == NGX_ERROR) {
                return NULL;
            }

            *dst++ = (u_char) n;
            p += 3;
            continue;
        }

        if (end == '=' && ngx_strchr("',* \t\r\n", *p)) {
            /* no key */
            return NULL;
        }

        if (*p == '\\' && last - p > 1) {
            p++;
        }

        *dst++ = *p++;
    }

    if (p == last) {
        return NULL;
    }

    decoded->len = dst - decoded->data;

    return p + 1;
}


static u_char *
ngx_hyperdrive_sql_tags_blanks(u_char *p, u_char *last)
{
    while (p < last && (*p == ' ' || (*p >= '\t' && *p <= '\r'))) {
        p++;
    }

    return p;
}


ngx_uint_t
ngx_hyperdrive_sql_calls(ngx_str_t *text, ngx_hyperdrive_sql_mode_t *mode,
    u_char *buf, ngx_str_t *names)
{
    size_t                         len;
    ngx_uint_t                     i, n;
    ngx_str_t                      name;
    ngx_hyperdrive_sql_keyword_e   before;
    ngx_hyperdrive_sql_lexer_t     lexer;
    ngx_hyperdrive_sql_token_t     token, last;

    if (ngx_hyperdrive_sql_tags_start(&lexer, text, mode) != NGX_OK) {
        return 0;
    }

    ngx_memzero(&last, sizeof(ngx_hyperdrive_sql_token_t));

    before = K(OTHER);
    n = 0;

    for ( ;; ) {
        ngx_hyperdrive_sql_lexer_next(&lexer, &token);

        if (token.type == T(END) || token.type == T(ERROR)
            || n == NGX_HYPERDRIVE_SQL_MAX_CALLS)
        {
            return n;
        }

        if (token.type == T(OPEN)
            && ngx_hyperdrive_sql_calls_may(&last, before))
        {
            len = ngx_hyperdrive_sql_lexer_fold(lexer.dialect, &last, buf);

            if (last.type == T(WORD)) {
                ngx_strlow(buf, buf, len);
            }

            name.data = buf;
            name.len = len;

            for (i = 0; i < n; i++) {
                if (ngx_hyperdrive_base_same(&names[i], &name)) {
                    break;
                }
            }

            if (i == n) {
                names[n++] = name;
                buf += len;
            }
        }

        /* the keyword before the name, over a schema in front of it */

        if ((token.type == T(WORD) || token.type == T(NAME))
            && last.type != T(DOT))
        {
            before = (last.type == T(WORD)) ? last.keyword : K(OTHER);
        }

        last = token;
    }
}


/* not what INTO, TABLE and the like say to be something else */

static ngx_uint_t
ngx_hyperdrive_sql_calls_may(ngx_hyperdrive_sql_token_t *token,
    ngx_hyperdrive_sql_keyword_e before)
{
    if (token->type != T(NAME)
        && (token->type != T(WORD)
            || token->category == NGX_HYPERDRIVE_SQL_RESERVED
            || token->category == NGX_HYPERDRIVE_SQL_COLUMN))
    {
        return 0;
    }

    return before != K(INTO) && before != K(TABLE) && before != K(AS)
           && before != K(REFERENCES) && before != K(WITH);
}
