
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session_value.h"
#include "base/ngx_hyperdrive_base_cursor.h"


/* the longest introducer, name of a collation, and what stands around them */
#define NGX_HYPERDRIVE_SESSION_VALUE_EXTRA   256


static ngx_uint_t ngx_hyperdrive_session_value_number(ngx_str_t *text);
static ngx_uint_t ngx_hyperdrive_session_value_word(ngx_str_t *text);
static ngx_int_t ngx_hyperdrive_session_value_quote(ngx_str_t *text,
    u_char **pos, u_char *last);
static ngx_int_t ngx_hyperdrive_session_values_add(
    ngx_hyperdrive_session_values_item_t *item, ngx_str_t *cols);
static ngx_int_t ngx_hyperdrive_session_value_copy(ngx_str_t *dst,
    u_char *data, size_t len);
static ngx_uint_t ngx_hyperdrive_session_value_is(ngx_str_t *text,
    const char *what);


ngx_int_t
ngx_hyperdrive_session_value(ngx_str_t *text, u_char *buf, size_t size,
    ngx_str_t *value)
{
    u_char  *p;

    if (ngx_hyperdrive_session_value_number(text)) {
        *value = *text;
        return NGX_OK;
    }

    p = buf;

    if (ngx_hyperdrive_session_value_quote(text, &p, buf + size) != NGX_OK) {
        return NGX_DECLINED;
    }

    value->data = buf;
    value->len = p - buf;

    return NGX_OK;
}


/* [-]digits[.digits] */

static ngx_uint_t
ngx_hyperdrive_session_value_number(ngx_str_t *text)
{
    size_t  i, digits, dots;

    digits = 0;
    dots = 0;

    for (i = 0; i < text->len; i++) {

        if (text->data[i] >= '0' && text->data[i] <= '9') {
            digits++;

        } else if (text->data[i] == '.' && digits) {
            dots++;

        } else if (i || text->data[i] != '-') {
            return 0;
        }
    }

    return digits && dots < 2;
}


static ngx_uint_t
ngx_hyperdrive_session_value_word(ngx_str_t *text)
{
    size_t  i;
    u_char  ch;

    for (i = 0; i < text->len; i++) {
        ch = text->data[i];

        if (!(ch >= 'a' && ch <= 'z') && !(ch >= '0' && ch <= '9')
            && ch != '_')
        {
            return 0;
        }
    }

    return text->len != 0;
}


/* plain characters read the same in any mode and any character set */

static ngx_int_t
ngx_hyperdrive_session_value_quote(ngx_str_t *text, u_char **pos, u_char *last)
{
    size_t   i;
    u_char  *p;

    p = *pos;

    if ((size_t) (last - p) < 2 * text->len + 2) {
        return NGX_DECLINED;
    }

    *p++ = '\'';

    for (i = 0; i < text->len; i++) {

        if (text->data[i] < ' ' || text->data[i] > '~'
            || text->data[i] == '\\')
        {
            return NGX_DECLINED;
        }

        if (text->data[i] == '\'') {
            *p++ = '\'';
        }

        *p++ = text->data[i];
    }

    *p++ = '\'';

    *pos = p;

    return NGX_OK;
}


void
ngx_hyperdrive_session_values_row(ngx_hyperdrive_session_values_t *values,
    ngx_str_t *cols, ngx_uint_t n)
{
    size_t      i;
    u_char      ch;
    ngx_uint_t  good;

    if (n != 5 || values->n == NGX_HYPERDRIVE_SESSION_VALUES_MAX) {
        values->lost = 1;
        return;
    }

    good = (cols[0].len > 1 && cols[0].data[0] == '@');

    for (i = 1; i < cols[0].len; i++) {
        ch = cols[0].data[i];

        good &= (ch >= 'a' && ch <= 'z') || (ch >= '0' && ch <= '9')
                || ch == '_' || ch == '.' || ch == '$';
    }

    ngx_memzero(&values->items[values->n],
                sizeof(ngx_hyperdrive_session_values_item_t));

    if (!good
        || ngx_hyperdrive_session_values_add(&values->items[values->n++], cols)
           != NGX_OK)
    {
        values->lost = 1;
    }
}


static ngx_int_t
ngx_hyperdrive_session_values_add(ngx_hyperdrive_session_values_item_t *item,
    ngx_str_t *cols)
{
    u_char      buf[NGX_HYPERDRIVE_STATE_SETTINGS_SIZE], *p, *last;
    ngx_str_t  *type, *value;

    type = &cols[2];
    value = &cols[4];

    if (ngx_hyperdrive_session_value_copy(&item->name, cols[0].data,
                                          cols[0].len)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (cols[1].len != 1 || cols[1].data[0] != '0') {
        /* NULL */
        return NGX_OK;
    }

    if (value->len > sizeof(buf) / 2 - NGX_HYPERDRIVE_SESSION_VALUE_EXTRA) {
        return NGX_DECLINED;
    }

    p = buf;
    last = buf + sizeof(buf);

    if (ngx_hyperdrive_session_value_is(type, "VARCHAR")) {

        if (!ngx_hyperdrive_session_value_word(&cols[3])
            || ngx_strncmp(cols[3].data, "utf16", 5) == 0
            || ngx_strncmp(cols[3].data, "utf32", 5) == 0
            || ngx_strncmp(cols[3].data, "ucs2", 4) == 0
            || ngx_hyperdrive_session_value_quote(value, &p, last) != NGX_OK
            || ngx_hyperdrive_session_value_copy(&item->charset, cols[3].data,
                                                 cols[3].len)
               != NGX_OK)
        {
            return NGX_DECLINED;
        }

    } else if (ngx_hyperdrive_session_value_is(type, "DOUBLE")) {
        p = ngx_cpymem(p, value->data, value->len);

        if (ngx_strlchr(value->data, value->data + value->len, 'e') == NULL) {
            p = ngx_cpymem(p, "e0", 2);
        }

    } else if (!ngx_hyperdrive_session_value_number(value)) {
        return NGX_DECLINED;

    } else if (ngx_hyperdrive_session_value_is(type, "INT")) {
        p = ngx_cpymem(p, value->data, value->len);

    } else if (ngx_hyperdrive_session_value_is(type, "INT UNSIGNED")) {
        p = ngx_sprintf(p, "CAST(%V AS UNSIGNED)", value);

    } else if (ngx_hyperdrive_session_value_is(type, "DECIMAL")) {
        p = ngx_cpymem(p, value->data, value->len);

        if (ngx_strlchr(value->data, value->data + value->len, '.') == NULL) {
            *p++ = '.';
        }

    } else {
        return NGX_DECLINED;
    }

    return ngx_hyperdrive_session_value_copy(&item->value, buf, p - buf);
}


size_t
ngx_hyperdrive_session_values_collations(
    ngx_hyperdrive_session_values_t *values, u_char *text, size_t size)
{
    u_char      *p, *last;
    ngx_uint_t   i, n;

    p = ngx_cpymem(text, "SELECT ", sizeof("SELECT ") - 1);
    last = text + size;
    n = 0;

    for (i = 0; i < values->n; i++) {

        if (values->items[i].charset.len) {
            p = ngx_slprintf(p, last, "%sCOLLATION(%V)", n++ ? "," : "",
                             &values->items[i].name);
        }
    }

    return (n && p != last && !values->lost) ? (size_t) (p - text) : 0;
}


void
ngx_hyperdrive_session_values_collated(
    ngx_hyperdrive_session_values_t *values, ngx_str_t *cols, ngx_uint_t n)
{
    u_char                                *p, *last;
    ngx_uint_t                             i, k;
    ngx_hyperdrive_session_values_item_t  *item;

    for (i = 0, k = 0; i < values->n && k < n; i++) {
        item = &values->items[i];

        if (item->charset.len == 0) {
            continue;
        }

        if (!ngx_hyperdrive_session_value_word(&cols[k])
            || cols[k].len > NGX_HYPERDRIVE_MAX_NAME)
        {
            return;
        }

        p = malloc(item->value.len + item->charset.len + cols[k].len
                   + NGX_HYPERDRIVE_SESSION_VALUE_EXTRA);
        if (p == NULL) {
            return;
        }

        last = ngx_sprintf(p, "_%V%V COLLATE '%V'", &item->charset,
                           &item->value, &cols[k]);

        free(item->value.data);

        item->value.data = p;
        item->value.len = last - p;

        item->charset.len = 0;

        k++;
    }
}


ngx_int_t
ngx_hyperdrive_session_values_learn(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_values_t *values)
{
    u_char                                *p;
    ngx_uint_t                             i;
    ngx_hyperdrive_state_bucket_t         *bucket;
    ngx_hyperdrive_state_setting_t         setting;
    ngx_hyperdrive_session_values_item_t  *item;

    if (values->lost) {
        return NGX_ERROR;
    }

    for (i = 0; i < values->n; i++) {

        if (values->items[i].charset.len) {
            return NGX_ERROR;
        }
    }

    /* those that are not there any more */

    bucket = ngx_hyperdrive_state_bucket_ref(
                                    ngx_hyperdrive_session_settings_bucket(s));
    p = NULL;

    while (ngx_hyperdrive_state_bucket_next(bucket, &p, &setting) == NGX_OK) {

        for (i = 0; i < values->n; i++) {

            if (ngx_hyperdrive_base_same(&values->items[i].name,
                                         &setting.name))
            {
                break;
            }
        }

        if (setting.name.data[0] == '@' && i == values->n
            && ngx_hyperdrive_session_settings_learn(s, &setting.name, NULL)
               != NGX_OK)
        {
            ngx_hyperdrive_state_bucket_unref(bucket);
            return NGX_ERROR;
        }
    }

    ngx_hyperdrive_state_bucket_unref(bucket);

    for (i = 0; i < values->n; i++) {
        item = &values->items[i];

        if (ngx_hyperdrive_session_settings_learn(s, &item->name,
                                                  item->value.len
                                                  ? &item->value : NULL)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


void
ngx_hyperdrive_session_values_free(ngx_hyperdrive_session_values_t *values)
{
    ngx_uint_t  i;

    for (i = 0; i < values->n; i++) {
        free(values->items[i].name.data);
        free(values->items[i].value.data);
        free(values->items[i].charset.data);
    }

    values->n = 0;
    values->lost = 0;
}


static ngx_int_t
ngx_hyperdrive_session_value_copy(ngx_str_t *dst, u_char *data, size_t len)
{
    dst->data = malloc(len + 1);

    if (dst->data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(dst->data, data, len);
    dst->len = len;

    return NGX_OK;
}


static ngx_uint_t
ngx_hyperdrive_session_value_is(ngx_str_t *text, const char *what)
{
    return text->len == ngx_strlen(what)
           && ngx_strncmp(text->data, what, text->len) == 0;
}
