
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "sql/ngx_hyperdrive_sql_lexer.h"


/*
 * Date input takes 128 bytes and some (MAXDATELEN, MAXDATEFIELDS), spaces
 * not counted; a longer constant is a moment only inside an array, a range,
 * a row or a document.
 */
#define NGX_HYPERDRIVE_SQL_MAX_DATE  160


typedef struct {
    size_t      bytes;       /* but for spaces */
    size_t      len;
    u_char      first;
    u_char      word[10];
    unsigned    found:1;
} ngx_hyperdrive_sql_clock_t;


static u_char *ngx_hyperdrive_sql_clock_escape(u_char *p, u_char *last,
    ngx_hyperdrive_sql_string_e string, ngx_uint_t *ch);
static u_char *ngx_hyperdrive_sql_clock_code(u_char *p, u_char *last,
    ngx_uint_t base, ngx_uint_t max, ngx_uint_t *ch);
static void ngx_hyperdrive_sql_clock_feed(
    ngx_hyperdrive_sql_clock_t *clock, ngx_uint_t ch);


ngx_uint_t
ngx_hyperdrive_sql_clock(ngx_hyperdrive_sql_token_t *token)
{
    u_char                      *p, *last;
    ngx_uint_t                   ch, inside;
    ngx_hyperdrive_sql_clock_t   clock;

    ngx_memzero(&clock, sizeof(ngx_hyperdrive_sql_clock_t));

    p = token->text.data;
    last = p + token->text.len;

    inside = (token->string == NGX_HYPERDRIVE_SQL_S_RAW);

    while (p < last) {
        ch = *p++;

        if (token->string == NGX_HYPERDRIVE_SQL_S_RAW) {
            ngx_hyperdrive_sql_clock_feed(&clock, ch);
            continue;
        }

        if (ch == '\'') {

            /* '' inside is a quote, else a part ends or begins */

            if (inside && p < last && *p == '\'') {
                p++;
                ngx_hyperdrive_sql_clock_feed(&clock, ch);
                continue;
            }

            inside = !inside;
            continue;
        }

        if (!inside) {

            /* between parts: white space and comments */

            if (ch == '-') {
                while (p < last && *p != LF && *p != CR) {
                    p++;
                }
            }

            continue;
        }

        if (ch == '\\' && token->string != NGX_HYPERDRIVE_SQL_S_PLAIN) {
            p = ngx_hyperdrive_sql_clock_escape(p, last, token->string, &ch);
        }

        ngx_hyperdrive_sql_clock_feed(&clock, ch);
    }

    ngx_hyperdrive_sql_clock_feed(&clock, ' ');

    if (!clock.found) {
        return 0;
    }

    return clock.bytes <= NGX_HYPERDRIVE_SQL_MAX_DATE
           || clock.first == '{' || clock.first == '['
           || clock.first == '(';
}


ngx_uint_t
ngx_hyperdrive_sql_clock_text(u_char *data, size_t len)
{
    u_char                      *p, *last;
    ngx_hyperdrive_sql_token_t   token;

    /* most values have no word in them */

    last = data + len;

    for (p = data; p < last; p++) {

        if ((*p | 0x20) >= 'a' && (*p | 0x20) <= 'z') {
            break;
        }
    }

    if (p == last) {
        return 0;
    }

    ngx_memzero(&token, sizeof(ngx_hyperdrive_sql_token_t));

    token.type = NGX_HYPERDRIVE_SQL_T_STRING;
    token.string = NGX_HYPERDRIVE_SQL_S_RAW;
    token.text.data = data;
    token.text.len = len;

    return ngx_hyperdrive_sql_clock(&token);
}


/* <p> is behind the backslash */

static u_char *
ngx_hyperdrive_sql_clock_escape(u_char *p, u_char *last,
    ngx_hyperdrive_sql_string_e string, ngx_uint_t *ch)
{
    if (p == last) {
        return p;
    }

    if (string == NGX_HYPERDRIVE_SQL_S_UNICODE) {

        if (*p == '\\') {
            *ch = '\\';
            return p + 1;
        }

        if (*p == '+') {
            return ngx_hyperdrive_sql_clock_code(p + 1, last, 16, 6, ch);
        }

        return ngx_hyperdrive_sql_clock_code(p, last, 16, 4, ch);
    }

    switch (*p) {

    case 'b':
    case 'f':
    case 'n':
    case 'r':
    case 't':
        *ch = ' ';
        return p + 1;

    case 'x':
        return ngx_hyperdrive_sql_clock_code(p + 1, last, 16, 2, ch);

    case 'u':
        return ngx_hyperdrive_sql_clock_code(p + 1, last, 16, 4, ch);

    case 'U':
        return ngx_hyperdrive_sql_clock_code(p + 1, last, 16, 8, ch);

    default:

        if (*p >= '0' && *p <= '7') {
            return ngx_hyperdrive_sql_clock_code(p, last, 8, 3, ch);
        }

        *ch = *p;
        return p + 1;
    }
}


static u_char *
ngx_hyperdrive_sql_clock_code(u_char *p, u_char *last, ngx_uint_t base,
    ngx_uint_t max, ngx_uint_t *ch)
{
    u_char      c;
    ngx_uint_t  n;

    *ch = 0;

    for ( /* void */ ; max && p < last; max--, p++) {

        c = ngx_tolower(*p);

        if (c >= '0' && c <= '9') {
            n = c - '0';

        } else if (c >= 'a' && c <= 'f') {
            n = c - 'a' + 10;

        } else {
            break;
        }

        if (n >= base) {
            break;
        }

        *ch = *ch * base + n;
    }

    if (base == 8) {
        *ch &= 0xff;
    }

    return p;
}


/* one character of the constant's value; words are runs of letters */

static void
ngx_hyperdrive_sql_clock_feed(ngx_hyperdrive_sql_clock_t *clock,
    ngx_uint_t ch)
{
    u_char  *w;

    if (ch > ' ') {
        clock->bytes++;

        if (clock->first == '\0') {
            clock->first = (u_char) (ch > 0x7f ? 0x7f : ch);
        }
    }

    if ((ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z')) {

        if (clock->len < sizeof(clock->word)) {
            clock->word[clock->len] = (u_char) (ch | 0x20);
        }

        clock->len++;

        return;
    }

    w = clock->word;

    switch (clock->len) {

    case 3:
        clock->found |= (ngx_strncmp(w, "now", 3) == 0);
        break;

    case 5:
        clock->found |= (ngx_strncmp(w, "today", 5) == 0);
        break;

    case 8:
        clock->found |= (ngx_strncmp(w, "tomorrow", 8) == 0);
        break;

    case 9:
        clock->found |= (ngx_strncmp(w, "yesterday", 9) == 0);
        break;
    }

    clock->len = 0;
}
