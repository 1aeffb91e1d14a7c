
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session_log.h"


#define NGX_HYPERDRIVE_SESSION_LOG_POOL  4096

/* seconds until a full disk is tried again, and until it is told again */
#define NGX_HYPERDRIVE_SESSION_LOG_FULL  1
#define NGX_HYPERDRIVE_SESSION_LOG_TELL  60


static void ngx_hyperdrive_session_log_lines(ngx_hyperdrive_session_t *s,
    ngx_pool_t *pool);
static ngx_int_t ngx_hyperdrive_session_log_wanted(
    ngx_stream_session_t *stream, ngx_hyperdrive_session_log_conf_t *conf);
static void ngx_hyperdrive_session_log_line(ngx_stream_session_t *stream,
    ngx_hyperdrive_session_log_conf_t *conf, ngx_pool_t *pool);
static size_t ngx_hyperdrive_session_log_escaped(
    ngx_hyperdrive_session_log_escape_e escape, u_char *src, size_t len);
static u_char *ngx_hyperdrive_session_log_escape(
    ngx_hyperdrive_session_log_escape_e escape, u_char *dst, u_char *src,
    size_t len);
static ngx_uint_t ngx_hyperdrive_session_log_plain(u_char ch);
static void ngx_hyperdrive_session_log_put(
    ngx_hyperdrive_session_log_conf_t *conf, u_char *line, size_t len);
static void ngx_hyperdrive_session_log_out(
    ngx_hyperdrive_session_log_conf_t *conf, u_char *data, size_t len);
static void ngx_hyperdrive_session_log_flush_handler(ngx_event_t *ev);
static void ngx_hyperdrive_session_log_adopted(void *data);


/* for values of variables, reset after each request */
static ngx_pool_t  *ngx_hyperdrive_session_log_pool;


/*
 * Variables take their memory from the client's pool, which lasts as long as
 * the client, and some are evaluated once only: for the time of one line the
 * session gets another pool, and a copy of its variables.
 */

void
ngx_hyperdrive_session_log_write(ngx_hyperdrive_session_t *s)
{
    size_t                        size;
    void                        **ctx;
    ngx_pool_t                   *pool, *saved;
    ngx_pool_cleanup_t           *cln;
    ngx_stream_session_t         *stream;
    ngx_stream_variable_value_t  *variables;
    ngx_stream_core_main_conf_t  *cmcf;
#if (NGX_PCRE)
    int                          *captures;
    u_char                       *captures_data;
    ngx_uint_t                    ncaptures;
#endif

    stream = s->stream;
    pool = ngx_hyperdrive_session_log_pool;

    if (pool == NULL) {
        pool = ngx_create_pool(NGX_HYPERDRIVE_SESSION_LOG_POOL,
                               ngx_cycle->log);
        if (pool == NULL) {
            return;
        }

        ngx_hyperdrive_session_log_pool = pool;
    }

    cmcf = ngx_stream_get_module_main_conf(stream, ngx_stream_core_module);

    size = cmcf->variables.nelts * sizeof(ngx_stream_variable_value_t);

    variables = stream->variables;
    saved = stream->connection->pool;

    stream->variables = ngx_palloc(pool, size);
    ctx = ngx_palloc(pool, ngx_stream_max_module * sizeof(void *));

    if (stream->variables == NULL || ctx == NULL) {
        stream->variables = variables;
        ngx_reset_pool(pool);
        return;
    }

    ngx_memcpy(stream->variables, variables, size);
    ngx_memcpy(ctx, stream->ctx, ngx_stream_max_module * sizeof(void *));

#if (NGX_PCRE)
    captures = stream->captures;
    captures_data = stream->captures_data;
    ncaptures = stream->ncaptures;

    stream->captures = NULL;
#endif

    stream->connection->pool = pool;

    ngx_hyperdrive_session_log_lines(s, pool);

    stream->connection->pool = saved;
    stream->variables = variables;

#if (NGX_PCRE)
    stream->captures = captures;
    stream->captures_data = captures_data;
    stream->ncaptures = ncaptures;
#endif

    if (pool->cleanup == NULL
        && ngx_memcmp(ctx, stream->ctx, ngx_stream_max_module * sizeof(void *))
           == 0)
    {
        ngx_reset_pool(pool);
        return;
    }

    /* another module has begun its life with this client: it keeps this */

    ngx_hyperdrive_session_log_pool = NULL;

    cln = ngx_pool_cleanup_add(saved, 0);

    if (cln) {
        cln->handler = ngx_hyperdrive_session_log_adopted;
        cln->data = pool;
    }
}


static void
ngx_hyperdrive_session_log_adopted(void *data)
{
    ngx_destroy_pool(data);
}


static void
ngx_hyperdrive_session_log_lines(ngx_hyperdrive_session_t *s, ngx_pool_t *pool)
{
    ngx_uint_t                          i;
    ngx_hyperdrive_session_log_conf_t  *conf;

    conf = s->conf->logs->elts;

    for (i = 0; i < s->conf->logs->nelts; i++) {

        if (ngx_hyperdrive_session_log_wanted(s->stream, &conf[i]) == NGX_OK) {
            ngx_hyperdrive_session_log_line(s->stream, &conf[i], pool);
        }
    }
}


static ngx_int_t
ngx_hyperdrive_session_log_wanted(ngx_stream_session_t *stream,
    ngx_hyperdrive_session_log_conf_t *conf)
{
    ngx_str_t  value;

    if (conf->full
        && ngx_time() - conf->full < NGX_HYPERDRIVE_SESSION_LOG_FULL)
    {
        return NGX_DECLINED;
    }

    if (conf->filter == NULL) {
        return NGX_OK;
    }

    if (ngx_stream_complex_value(stream, conf->filter, &value) != NGX_OK
        || value.len == 0 || (value.len == 1 && value.data[0] == '0'))
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}


static void
ngx_hyperdrive_session_log_line(ngx_stream_session_t *stream,
    ngx_hyperdrive_session_log_conf_t *conf, ngx_pool_t *pool)
{
    u_char                             *line, *p;
    size_t                              len;
    ngx_str_t                          *values;
    ngx_uint_t                          i;
    ngx_stream_variable_value_t        *v;
    ngx_hyperdrive_session_log_part_t  *part;

    part = conf->parts->elts;

    values = ngx_palloc(pool, conf->parts->nelts * sizeof(ngx_str_t));
    if (values == NULL) {
        return;
    }

    len = 1;

    for (i = 0; i < conf->parts->nelts; i++) {

        if (part[i].index == NGX_DECLINED) {
            len += part[i].text.len;
            continue;
        }

        v = ngx_stream_get_flushed_variable(stream, part[i].index);

        if (v == NULL || v->not_found) {

            /* as in nginx's own logs */

            if (conf->escape == NGX_HYPERDRIVE_SESSION_LOG_DEFAULT) {
                ngx_str_set(&values[i], "-");
                len++;

            } else {
                ngx_str_null(&values[i]);
            }

            continue;
        }

        values[i].len = v->len;
        values[i].data = v->data;

        len += ngx_hyperdrive_session_log_escaped(conf->escape, v->data,
                                                  v->len);
    }

    line = ngx_pnalloc(pool, len);
    if (line == NULL) {
        return;
    }

    p = line;

    for (i = 0; i < conf->parts->nelts; i++) {

        if (part[i].index == NGX_DECLINED) {
            p = ngx_cpymem(p, part[i].text.data, part[i].text.len);

        } else {
            p = ngx_hyperdrive_session_log_escape(conf->escape, p,
                                                  values[i].data,
                                                  values[i].len);
        }
    }

    *p++ = LF;

    ngx_hyperdrive_session_log_put(conf, line, p - line);
}


static size_t
ngx_hyperdrive_session_log_escaped(ngx_hyperdrive_session_log_escape_e escape,
    u_char *src, size_t len)
{
    size_t  i, n;

    if (escape == NGX_HYPERDRIVE_SESSION_LOG_PLAIN) {
        return len;
    }

    if (escape == NGX_HYPERDRIVE_SESSION_LOG_JSON) {
        return len + ngx_escape_json(NULL, src, len);
    }

    n = len;

    for (i = 0; i < len; i++) {
        n += ngx_hyperdrive_session_log_plain(src[i]) ? 0 : 3;
    }

    return n;
}


static u_char *
ngx_hyperdrive_session_log_escape(ngx_hyperdrive_session_log_escape_e escape,
    u_char *dst, u_char *src, size_t len)
{
    size_t  i;

    if (escape == NGX_HYPERDRIVE_SESSION_LOG_PLAIN) {
        return ngx_cpymem(dst, src, len);
    }

    if (escape == NGX_HYPERDRIVE_SESSION_LOG_JSON) {
        return (u_char *) ngx_escape_json(dst, src, len);
    }

    for (i = 0; i < len; i++) {

        if (ngx_hyperdrive_session_log_plain(src[i])) {
            *dst++ = src[i];

        } else {
            dst = ngx_sprintf(dst, "\\x%02XD", (uint32_t) src[i]);
        }
    }

    return dst;
}


static ngx_uint_t
ngx_hyperdrive_session_log_plain(u_char ch)
{
    return ch >= ' ' && ch < 0x7f && ch != '"' && ch != '\\';
}


static void
ngx_hyperdrive_session_log_put(ngx_hyperdrive_session_log_conf_t *conf,
    u_char *line, size_t len)
{
    ngx_hyperdrive_session_log_buf_t  *buf;

    buf = conf->file->data;

    if (buf == NULL) {
        ngx_hyperdrive_session_log_out(conf, line, len);
        return;
    }

    if (len > (size_t) (buf->end - buf->pos)) {
        ngx_hyperdrive_session_log_out(conf, buf->start,
                                       buf->pos - buf->start);
        buf->pos = buf->start;
    }

    if (len > (size_t) (buf->end - buf->pos)) {
        ngx_hyperdrive_session_log_out(conf, line, len);
        return;
    }

    if (buf->pos == buf->start && buf->flush && !buf->event.timer_set) {

        /* one for each process: it is made before they are, so set here */

        buf->event.data = conf->file;
        buf->event.handler = ngx_hyperdrive_session_log_flush_handler;
        buf->event.log = ngx_cycle->log;
        buf->event.cancelable = 1;

        ngx_add_timer(&buf->event, buf->flush);
    }

    buf->pos = ngx_cpymem(buf->pos, line, len);
}


static void
ngx_hyperdrive_session_log_out(ngx_hyperdrive_session_log_conf_t *conf,
    u_char *data, size_t len)
{
    time_t     now;
    ssize_t    n;
    ngx_err_t  err;

    if (len == 0) {
        return;
    }

    n = ngx_write_fd(conf->file->fd, data, len);

    if (n == (ssize_t) len) {
        return;
    }

    err = ngx_errno;
    now = ngx_time();

    if (n == -1 && err == NGX_ENOSPC) {
        conf->full = now;
    }

    if (now - conf->complained < NGX_HYPERDRIVE_SESSION_LOG_TELL) {
        return;
    }

    conf->complained = now;

    if (n == -1) {
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, err,
                      ngx_write_fd_n " to \"%s\" failed",
                      conf->file->name.data);
        return;
    }

    ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
                  ngx_write_fd_n " to \"%s\" was incomplete: %z of %uz",
                  conf->file->name.data, n, len);
}


static void
ngx_hyperdrive_session_log_flush_handler(ngx_event_t *ev)
{
    ngx_hyperdrive_session_log_flush(ev->data, ev->log);
}


void
ngx_hyperdrive_session_log_flush(ngx_open_file_t *file, ngx_log_t *log)
{
    size_t                             len;
    ssize_t                            n;
    ngx_hyperdrive_session_log_buf_t  *buf;

    buf = file->data;
    len = buf->pos - buf->start;

    if (len) {
        n = ngx_write_fd(file->fd, buf->start, len);

        if (n == -1) {
            ngx_log_error(NGX_LOG_ALERT, log, ngx_errno,
                          ngx_write_fd_n " to \"%s\" failed",
                          file->name.data);

        } else if ((size_t) n != len) {
            ngx_log_error(NGX_LOG_ALERT, log, 0,
                          ngx_write_fd_n " to \"%s\" was incomplete: %z of "
                          "%uz", file->name.data, n, len);
        }

        buf->pos = buf->start;
    }

    if (buf->event.timer_set) {
        ngx_del_timer(&buf->event);
    }
}
