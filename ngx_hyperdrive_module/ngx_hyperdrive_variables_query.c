
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "ngx_hyperdrive_variables.h"
#include "ngx_hyperdrive_conf.h"
#include "session/ngx_hyperdrive_session_log.h"
#include "sql/ngx_hyperdrive_sql.h"
#include "sql/ngx_hyperdrive_sql_digest.h"


/* of a statement's form, bytes */
#define NGX_HYPERDRIVE_VARIABLES_TEXT    4096


/* what there is to tell of a request: while its line is written */

static ngx_int_t ngx_hyperdrive_variables_query_string(
    ngx_stream_session_t *stream, ngx_stream_variable_value_t *v,
    uintptr_t data);
static ngx_int_t ngx_hyperdrive_variables_query_number(
    ngx_stream_session_t *stream, ngx_stream_variable_value_t *v,
    uintptr_t data);
static ngx_int_t ngx_hyperdrive_variables_query_digest(
    ngx_stream_session_t *stream, ngx_stream_variable_value_t *v,
    uintptr_t data);
static ngx_int_t ngx_hyperdrive_variables_query_tables(
    ngx_stream_session_t *stream, ngx_stream_variable_value_t *v,
    uintptr_t data);
static ngx_hyperdrive_session_query_t *ngx_hyperdrive_variables_query_now(
    ngx_stream_session_t *stream, ngx_stream_variable_value_t *v);


enum {
    sv_status = 0,
    sv_kind,
    sv_origin,
    sv_error
};

enum {
    sv_time = 0,
    sv_wait,
    sv_rows,
    sv_bytes
};


ngx_stream_variable_t  ngx_hyperdrive_variables_query[] = {

    { ngx_string("hyperdrive_query_status"), NULL,
      ngx_hyperdrive_variables_query_string, sv_status,
      NGX_STREAM_VAR_NOCACHEABLE, 0 },

    { ngx_string("hyperdrive_query_kind"), NULL,
      ngx_hyperdrive_variables_query_string, sv_kind,
      NGX_STREAM_VAR_NOCACHEABLE, 0 },

    { ngx_string("hyperdrive_query_origin"), NULL,
      ngx_hyperdrive_variables_query_string, sv_origin,
      NGX_STREAM_VAR_NOCACHEABLE, 0 },

    { ngx_string("hyperdrive_query_error"), NULL,
      ngx_hyperdrive_variables_query_string, sv_error,
      NGX_STREAM_VAR_NOCACHEABLE, 0 },

    { ngx_string("hyperdrive_query_time"), NULL,
      ngx_hyperdrive_variables_query_number, sv_time,
      NGX_STREAM_VAR_NOCACHEABLE, 0 },

    { ngx_string("hyperdrive_query_wait"), NULL,
      ngx_hyperdrive_variables_query_number, sv_wait,
      NGX_STREAM_VAR_NOCACHEABLE, 0 },

    { ngx_string("hyperdrive_query_rows"), NULL,
      ngx_hyperdrive_variables_query_number, sv_rows,
      NGX_STREAM_VAR_NOCACHEABLE, 0 },

    { ngx_string("hyperdrive_query_bytes"), NULL,
      ngx_hyperdrive_variables_query_number, sv_bytes,
      NGX_STREAM_VAR_NOCACHEABLE, 0 },

    { ngx_string("hyperdrive_query_digest"), NULL,
      ngx_hyperdrive_variables_query_digest, 0,
      NGX_STREAM_VAR_NOCACHEABLE, 0 },

    { ngx_string("hyperdrive_query_text"), NULL,
      ngx_hyperdrive_variables_query_digest, 1,
      NGX_STREAM_VAR_NOCACHEABLE, 0 },

    { ngx_string("hyperdrive_query_tables"), NULL,
      ngx_hyperdrive_variables_query_tables, 0,
      NGX_STREAM_VAR_NOCACHEABLE, 0 },

      ngx_stream_null_variable
};


static ngx_hyperdrive_session_query_t *
ngx_hyperdrive_variables_query_now(ngx_stream_session_t *stream,
    ngx_stream_variable_value_t *v)
{
    ngx_hyperdrive_session_t  *s;

    s = ngx_stream_get_module_ctx(stream, ngx_stream_hyperdrive_module);

    if (s == NULL || s->log == NULL || s->log->now == NULL) {
        v->not_found = 1;
        return NULL;
    }

    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return s->log->now;
}


static ngx_int_t
ngx_hyperdrive_variables_query_string(ngx_stream_session_t *stream,
    ngx_stream_variable_value_t *v, uintptr_t data)
{
    ngx_str_t                       *value, error;
    ngx_hyperdrive_session_query_t  *q;

    q = ngx_hyperdrive_variables_query_now(stream, v);

    if (q == NULL) {
        return NGX_OK;
    }

    switch (data) {

    case sv_status:
        value = q->status;
        break;

    case sv_kind:
        value = ngx_hyperdrive_sql_kind_name(q->stmt ? q->stmt->plan.kind
                                                : NGX_HYPERDRIVE_SQL_UNKNOWN);
        break;

    case sv_origin:

        if (q->origin == NULL) {
            v->not_found = 1;
            return NGX_OK;
        }

        value = q->origin;
        break;

    default: /* sv_error */

        if (q->error[0] == '\0') {
            v->not_found = 1;
            return NGX_OK;
        }

        error.len = 5;
        error.data = q->error;
        value = &error;
        break;
    }

    v->len = value->len;
    v->data = value->data;

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_variables_query_number(ngx_stream_session_t *stream,
    ngx_stream_variable_value_t *v, uintptr_t data)
{
    u_char                          *p;
    ngx_hyperdrive_session_query_t  *q;

    q = ngx_hyperdrive_variables_query_now(stream, v);

    if (q == NULL) {
        return NGX_OK;
    }

    p = ngx_pnalloc(stream->connection->pool, NGX_INT64_LEN + 8);
    if (p == NULL) {
        return NGX_ERROR;
    }

    v->data = p;

    switch (data) {

    case sv_time:
        p = ngx_sprintf(p, "%uL.%06uL", q->time / 1000000,
                        q->time % 1000000);
        break;

    case sv_wait:
        p = ngx_sprintf(p, "%uL.%03uL", q->waited / 1000, q->waited % 1000);
        break;

    case sv_rows:
        p = ngx_sprintf(p, "%uL", q->rows);
        break;

    default: /* sv_bytes */
        p = ngx_sprintf(p, "%uL", q->bytes);
        break;
    }

    v->len = p - v->data;

    return NGX_OK;
}


/* the digest, or the text that it is of */

static ngx_int_t
ngx_hyperdrive_variables_query_digest(ngx_stream_session_t *stream,
    ngx_stream_variable_value_t *v, uintptr_t data)
{
    size_t                           size;
    u_char                          *p;
    uint64_t                         digest;
    ngx_str_t                        text;
    ngx_hyperdrive_sql_mode_t        mode;
    ngx_hyperdrive_session_query_t  *q;

    q = ngx_hyperdrive_variables_query_now(stream, v);

    if (q == NULL) {
        return NGX_OK;
    }

    if (q->stmt == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    /* at most a blank and quotes more for each byte */

    size = data ? ngx_min(q->stmt->len * 3, NGX_HYPERDRIVE_VARIABLES_TEXT)
                : sizeof(uint64_t) * 2;

    p = ngx_pnalloc(stream->connection->pool, size + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_hyperdrive_sql_mode(q->stmt->mode, &mode);

    text.len = q->stmt->len;
    text.data = q->stmt->text;

    if (data || q->stmt->digest == 0) {
        size = ngx_hyperdrive_sql_digest(&text, &mode, p, data ? size : 0,
                                         &digest);
        q->stmt->digest = digest;
    }

    if (!data) {
        size = ngx_sprintf(p, "%016xL", q->stmt->digest) - p;
    }

    v->len = size;
    v->data = p;

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_variables_query_tables(ngx_stream_session_t *stream,
    ngx_stream_variable_value_t *v, uintptr_t data)
{
    u_char                             *p;
    size_t                              len;
    ngx_str_t                           text;
    ngx_uint_t                          i;
    ngx_hyperdrive_sql_mode_t           mode;
    ngx_hyperdrive_sql_table_t         *table;
    ngx_hyperdrive_session_query_t     *q;

    static u_char                       names[NGX_HYPERDRIVE_VARIABLES_TEXT];
    static ngx_hyperdrive_sql_facts_t   facts;

    q = ngx_hyperdrive_variables_query_now(stream, v);

    if (q == NULL) {
        return NGX_OK;
    }

    if (q->stmt == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    ngx_hyperdrive_sql_mode(q->stmt->mode, &mode);

    text.len = q->stmt->len;
    text.data = q->stmt->text;

    ngx_hyperdrive_sql_classify(&text, &mode, names, sizeof(names), &facts);

    if (facts.ntables == 0) {
        v->not_found = 1;
        return NGX_OK;
    }

    len = 0;
    table = facts.tables;

    for (i = 0; i < facts.ntables; i++) {
        len += table[i].schema.len + 1 + table[i].name.len + 1;
    }

    p = ngx_pnalloc(stream->connection->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    v->data = p;

    for (i = 0; i < facts.ntables; i++) {

        if (i) {
            *p++ = ',';
        }

        if (table[i].schema.len) {
            p = ngx_cpymem(p, table[i].schema.data, table[i].schema.len);
            *p++ = '.';
        }

        p = ngx_cpymem(p, table[i].name.data, table[i].name.len);
    }

    v->len = p - v->data;

    return NGX_OK;
}

