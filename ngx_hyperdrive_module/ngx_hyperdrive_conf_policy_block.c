
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "ngx_hyperdrive_conf_policy.h"


/* what a byte of Lua is in the midst of */

typedef enum {
    sw_code = 0,
    sw_dash,                 /* - */
    sw_comment,              /* --, to the end of the line */
    sw_comment_open,         /* --[ or --[= */
    sw_string,
    sw_string_escape,
    sw_open,                 /* [ or [= */
    sw_long,                 /* [[ or --[[ */
    sw_long_close            /* ] or ]= in it */
} ngx_hyperdrive_conf_policy_state_e;


typedef struct {
    ngx_hyperdrive_conf_policy_state_e  state;
    u_char                              quote;
    ngx_uint_t                          level;    /* the = of a long bracket */
    ngx_uint_t                          found;    /* ...and of what may end
                                                     it */
    ngx_uint_t                          braces;
} ngx_hyperdrive_conf_policy_reader_t;


static ngx_int_t ngx_hyperdrive_conf_policy_more(ngx_conf_t *cf);
static ngx_uint_t ngx_hyperdrive_conf_policy_byte(
    ngx_hyperdrive_conf_policy_reader_t *r, u_char ch);
static void ngx_hyperdrive_conf_policy_plain(
    ngx_hyperdrive_conf_policy_reader_t *r, u_char ch);


ngx_int_t
ngx_hyperdrive_conf_policy_block(ngx_conf_t *cf, ngx_str_t *code)
{
    u_char                               *p, ch;
    ngx_int_t                             rc;
    ngx_buf_t                            *b;
    ngx_uint_t                            line;
    ngx_array_t                           text;
    ngx_hyperdrive_conf_policy_reader_t   r;

    if (ngx_array_init(&text, cf->temp_pool, 4096, 1) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_memzero(&r, sizeof(ngx_hyperdrive_conf_policy_reader_t));

    line = cf->conf_file->line;
    b = cf->conf_file->buffer;

    for ( ;; ) {

        if (b->pos == b->last) {

            rc = ngx_hyperdrive_conf_policy_more(cf);

            if (rc == NGX_DONE) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "unexpected end of file, the block in Lua "
                                   "that begins in line %ui has no \"}\"",
                                   line);
            }

            if (rc != NGX_OK) {
                return NGX_ERROR;
            }
        }

        ch = *b->pos++;

        if (ch == LF) {
            cf->conf_file->line++;
        }

        if (ngx_hyperdrive_conf_policy_byte(&r, ch)) {
            break;
        }

        if (text.nelts == NGX_HYPERDRIVE_CONF_POLICY_CODE) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "the block in Lua that begins in line %ui is "
                               "longer than %d bytes", line,
                               NGX_HYPERDRIVE_CONF_POLICY_CODE);
            return NGX_ERROR;
        }

        p = ngx_array_push(&text);
        if (p == NULL) {
            return NGX_ERROR;
        }

        *p = ch;
    }

    code->data = text.elts;
    code->len = text.nelts;

    return NGX_OK;
}


/* the next part of the file, as nginx reads it; NGX_DONE: there is none */

static ngx_int_t
ngx_hyperdrive_conf_policy_more(ngx_conf_t *cf)
{
    off_t       left;
    size_t      size;
    ssize_t     n;
    ngx_buf_t  *b, *dump;

    if (cf->conf_file->file.fd == NGX_INVALID_FILE) {
        /* what was given by -g */
        return NGX_DONE;
    }

    b = cf->conf_file->buffer;

    left = ngx_file_size(&cf->conf_file->file.info)
           - cf->conf_file->file.offset;

    if (left <= 0) {
        return NGX_DONE;
    }

    size = b->end - b->start;
    size = (size_t) ngx_min((off_t) size, left);

    n = ngx_read_file(&cf->conf_file->file, b->start, size,
                      cf->conf_file->file.offset);

    if (n == NGX_ERROR) {
        return NGX_ERROR;
    }

    if ((size_t) n != size) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           ngx_read_file_n " returned only %z bytes instead "
                           "of %uz", n, size);
        return NGX_ERROR;
    }

    b->pos = b->start;
    b->last = b->start + n;

    /* nginx -T shows it */

    dump = cf->conf_file->dump;

    if (dump) {
        dump->last = ngx_cpymem(dump->last, b->pos, size);
    }

    return NGX_OK;
}


/* 1: it is the brace that ends the block */

static ngx_uint_t
ngx_hyperdrive_conf_policy_byte(ngx_hyperdrive_conf_policy_reader_t *r,
    u_char ch)
{
    switch (r->state) {

    case sw_code:
        break;

    case sw_dash:
        if (ch == '-') {
            r->state = sw_comment_open;
            r->level = (ngx_uint_t) -1;
            return 0;
        }

        r->state = sw_code;
        break;

    case sw_comment_open:

        /* --[==[ is a long one, all else ends with the line */

        if (r->level == (ngx_uint_t) -1 && ch == '[') {
            r->level = 0;
            return 0;
        }

        if (r->level != (ngx_uint_t) -1 && ch == '=') {
            r->level++;
            return 0;
        }

        if (r->level != (ngx_uint_t) -1 && ch == '[') {
            r->state = sw_long;
            return 0;
        }

        r->state = sw_comment;

        /* fall through */

    case sw_comment:
        if (ch == LF) {
            r->state = sw_code;
        }

        return 0;

    case sw_string:
        if (ch == '\\') {
            r->state = sw_string_escape;

        } else if (ch == r->quote || ch == LF) {
            /* a line ends it too: Lua says what is wrong */
            r->state = sw_code;
        }

        return 0;

    case sw_string_escape:
        r->state = sw_string;
        return 0;

    case sw_open:
        if (ch == '=') {
            r->level++;
            return 0;
        }

        if (ch == '[') {
            r->state = sw_long;
            return 0;
        }

        r->state = sw_code;
        break;

    case sw_long:
        if (ch == ']') {
            r->state = sw_long_close;
            r->found = 0;
        }

        return 0;

    case sw_long_close:
        if (ch == '=') {
            r->found++;

        } else if (ch != ']') {
            r->state = sw_long;

        } else if (r->found == r->level) {
            r->state = sw_code;

        } else {
            r->found = 0;
        }

        return 0;
    }

    if (ch == '}' && r->braces == 0) {
        return 1;
    }

    ngx_hyperdrive_conf_policy_plain(r, ch);

    return 0;
}


static void
ngx_hyperdrive_conf_policy_plain(ngx_hyperdrive_conf_policy_reader_t *r,
    u_char ch)
{
    switch (ch) {

    case '{':
        r->braces++;
        break;

    case '}':
        r->braces--;
        break;

    case '\'':
    case '"':
        r->state = sw_string;
        r->quote = ch;
        break;

    case '-':
        r->state = sw_dash;
        break;

    case '[':
        r->state = sw_open;
        r->level = 0;
        break;
    }
}
