
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "ngx_hyperdrive_conf.h"
#include "session/ngx_hyperdrive_session_log.h"


/* what is logged where no format is given */

#define NGX_HYPERDRIVE_CONF_LOG_FORMAT                                        \
    "$time_iso8601 $remote_addr $hyperdrive_user@$hyperdrive_database "       \
    "$hyperdrive_query_status $hyperdrive_query_kind "                        \
    "time=$hyperdrive_query_time wait=$hyperdrive_query_wait "                \
    "rows=$hyperdrive_query_rows bytes=$hyperdrive_query_bytes "              \
    "error=$hyperdrive_query_error $hyperdrive_query_digest "                 \
    "\"$hyperdrive_query_text\""


typedef struct {
    ngx_str_t                            format;
    ngx_hyperdrive_session_log_escape_e  escape;
    ssize_t                              size;
    ngx_msec_t                           flush;
    ngx_stream_complex_value_t          *filter;
} ngx_hyperdrive_conf_log_args_t;


static ngx_int_t ngx_hyperdrive_conf_log_arg(ngx_conf_t *cf, ngx_str_t *arg,
    ngx_hyperdrive_conf_log_args_t *args);
static ngx_uint_t ngx_hyperdrive_conf_log_name(ngx_str_t *arg);
static ngx_int_t ngx_hyperdrive_conf_log_append(ngx_conf_t *cf,
    ngx_str_t *format, ngx_str_t *arg);
static ngx_int_t ngx_hyperdrive_conf_log_filter(ngx_conf_t *cf,
    ngx_str_t *value, ngx_hyperdrive_conf_log_args_t *args);
static ngx_int_t ngx_hyperdrive_conf_log_parts(ngx_conf_t *cf,
    ngx_str_t *format, ngx_array_t *parts);
static ngx_int_t ngx_hyperdrive_conf_log_variable(ngx_conf_t *cf, u_char **pos,
    u_char *last, ngx_str_t *name);
static ngx_int_t ngx_hyperdrive_conf_log_buffer(ngx_conf_t *cf,
    ngx_open_file_t *file, ngx_hyperdrive_conf_log_args_t *args);
static void ngx_hyperdrive_conf_log_cleanup(void *data);


/*
 * hyperdrive_query_log FILE [FORMAT...] [escape=default|json|none]
 *                      [buffer=SIZE] [flush=TIME] [if=CONDITION];
 * hyperdrive_query_log off;
 */

char *
ngx_hyperdrive_conf_query_log(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_hyperdrive_srv_conf_t *hscf = conf;

    ngx_str_t                          *value;
    ngx_uint_t                          i;
    ngx_hyperdrive_conf_log_args_t      args;
    ngx_hyperdrive_session_log_conf_t  *log;

    value = cf->args->elts;

    if (hscf->logs == NULL) {
        return "is duplicate: it is \"off\" above";
    }

    if (ngx_strcmp(value[1].data, "off") == 0) {

        if (cf->args->nelts > 2) {
            return "takes no parameters when it is \"off\"";
        }

        if (hscf->logs != NGX_CONF_UNSET_PTR) {
            return "is duplicate: \"off\" stands alone";
        }

        hscf->logs = NULL;
        return NGX_CONF_OK;
    }

    if (value[1].len == 0 || ngx_strchr(value[1].data, '$')
        || ngx_strncmp(value[1].data, "syslog:", 7) == 0)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid file \"%V\" of \"hyperdrive_query_log\": "
                           "write the name of a file, without variables",
                           &value[1]);
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&args, sizeof(ngx_hyperdrive_conf_log_args_t));

    for (i = 2; i < cf->args->nelts; i++) {

        if (ngx_hyperdrive_conf_log_arg(cf, &value[i], &args) != NGX_OK) {
            return NGX_CONF_ERROR;
        }
    }

    if (args.flush && args.size == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"flush\" of \"hyperdrive_query_log\" without a "
                           "buffer: write buffer=SIZE too");
        return NGX_CONF_ERROR;
    }

    if (args.format.data && ngx_strlchr(args.format.data,
                                        args.format.data + args.format.len,
                                        '$')
                            == NULL)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no variable in the format \"%V\" of "
                           "\"hyperdrive_query_log\": write for instance "
                           "'$hyperdrive_query_time $hyperdrive_query_text'",
                           &args.format);
        return NGX_CONF_ERROR;
    }

    if (args.format.data == NULL) {
        ngx_str_set(&args.format, NGX_HYPERDRIVE_CONF_LOG_FORMAT);
    }

    if (hscf->logs == NGX_CONF_UNSET_PTR) {

        hscf->logs = ngx_array_create(cf->pool, 1,
                                    sizeof(ngx_hyperdrive_session_log_conf_t));
        if (hscf->logs == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    log = ngx_array_push(hscf->logs);
    if (log == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(log, sizeof(ngx_hyperdrive_session_log_conf_t));

    log->escape = args.escape;
    log->filter = args.filter;

    log->parts = ngx_array_create(cf->pool, 32,
                                  sizeof(ngx_hyperdrive_session_log_part_t));
    if (log->parts == NULL
        || ngx_hyperdrive_conf_log_parts(cf, &args.format, log->parts)
           != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    log->file = ngx_conf_open_file(cf->cycle, &value[1]);

    if (log->file == NULL
        || ngx_hyperdrive_conf_log_buffer(cf, log->file, &args) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_hyperdrive_conf_log_arg(ngx_conf_t *cf, ngx_str_t *arg,
    ngx_hyperdrive_conf_log_args_t *args)
{
    ngx_int_t  n;
    ngx_str_t  s;

    if (ngx_hyperdrive_conf_param(arg, "escape", &s) == NGX_OK) {

        if (ngx_strcmp(s.data, "default") == 0) {
            args->escape = NGX_HYPERDRIVE_SESSION_LOG_DEFAULT;
            return NGX_OK;
        }

        if (ngx_strcmp(s.data, "json") == 0) {
            args->escape = NGX_HYPERDRIVE_SESSION_LOG_JSON;
            return NGX_OK;
        }

        if (ngx_strcmp(s.data, "none") == 0) {
            args->escape = NGX_HYPERDRIVE_SESSION_LOG_PLAIN;
            return NGX_OK;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid \"%V\" of \"hyperdrive_query_log\": "
                           "write escape=default, json or none", arg);
        return NGX_ERROR;
    }

    if (ngx_hyperdrive_conf_param(arg, "buffer", &s) == NGX_OK) {
        args->size = ngx_parse_size(&s);

        if (args->size == NGX_ERROR || args->size < 512) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid size in \"%V\" of "
                               "\"hyperdrive_query_log\": write for instance "
                               "64k, at least 512", arg);
            return NGX_ERROR;
        }

        return NGX_OK;
    }

    if (ngx_hyperdrive_conf_param(arg, "flush", &s) == NGX_OK) {
        n = ngx_parse_time(&s, 0);

        if (n == NGX_ERROR || n == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid time in \"%V\" of "
                               "\"hyperdrive_query_log\": write for instance "
                               "500ms or 5s", arg);
            return NGX_ERROR;
        }

        args->flush = n;
        return NGX_OK;
    }

    if (ngx_hyperdrive_conf_param(arg, "if", &s) == NGX_OK) {
        return ngx_hyperdrive_conf_log_filter(cf, &s, args);
    }

    if (ngx_hyperdrive_conf_log_name(arg)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid parameter \"%V\" of "
                           "\"hyperdrive_query_log\": known are a format, "
                           "escape=, buffer=SIZE, flush=TIME and "
                           "if=CONDITION", arg);
        return NGX_ERROR;
    }

    return ngx_hyperdrive_conf_log_append(cf, &args->format, arg);
}


/* name=something, without a variable: not part of a format */

static ngx_uint_t
ngx_hyperdrive_conf_log_name(ngx_str_t *arg)
{
    size_t  i;

    for (i = 0; i < arg->len; i++) {

        if (arg->data[i] == '=') {
            return i && ngx_strchr(arg->data, '$') == NULL;
        }

        if ((arg->data[i] < 'a' || arg->data[i] > 'z')
            && arg->data[i] != '_')
        {
            break;
        }
    }

    return 0;
}


/* a format may be given in parts, as that of log_format */

static ngx_int_t
ngx_hyperdrive_conf_log_append(ngx_conf_t *cf, ngx_str_t *format,
    ngx_str_t *arg)
{
    u_char  *p;

    p = ngx_pnalloc(cf->pool, format->len + arg->len + 1);
    if (p == NULL) {
        return NGX_ERROR;
    }

    if (format->len) {
        ngx_memcpy(p, format->data, format->len);
    }

    if (arg->len) {
        ngx_memcpy(p + format->len, arg->data, arg->len);
    }

    format->data = p;
    format->len += arg->len;

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_conf_log_filter(ngx_conf_t *cf, ngx_str_t *value,
    ngx_hyperdrive_conf_log_args_t *args)
{
    ngx_stream_compile_complex_value_t  ccv;

    if (value->len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "empty \"if\" of \"hyperdrive_query_log\": write "
                           "for instance if=$hyperdrive_query_error");
        return NGX_ERROR;
    }

    args->filter = ngx_palloc(cf->pool, sizeof(ngx_stream_complex_value_t));
    if (args->filter == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(&ccv, sizeof(ngx_stream_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = value;
    ccv.complex_value = args->filter;

    return ngx_stream_compile_complex_value(&ccv);
}


/* cuts a format into texts and variables: $name, ${name} */

static ngx_int_t
ngx_hyperdrive_conf_log_parts(ngx_conf_t *cf, ngx_str_t *format,
    ngx_array_t *parts)
{
    u_char                             *p, *last;
    ngx_str_t                           name;
    ngx_hyperdrive_session_log_part_t  *part;

    p = format->data;
    last = p + format->len;

    while (p < last) {

        part = ngx_array_push(parts);
        if (part == NULL) {
            return NGX_ERROR;
        }

        part->index = NGX_DECLINED;
        part->text.data = p;

        if (*p != '$') {

            while (p < last && *p != '$') {
                p++;
            }

            part->text.len = p - part->text.data;
            continue;
        }

        if (ngx_hyperdrive_conf_log_variable(cf, &p, last, &name) != NGX_OK) {
            return NGX_ERROR;
        }

        part->index = ngx_stream_get_variable_index(cf, &name);

        if (part->index == NGX_ERROR) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_conf_log_variable(ngx_conf_t *cf, u_char **pos, u_char *last,
    ngx_str_t *name)
{
    u_char      *p, ch;
    ngx_uint_t   bracket;

    p = *pos + 1;
    bracket = (p < last && *p == '{');
    p += bracket;

    name->data = p;

    for ( /* void */ ; p < last; p++) {
        ch = *p;

        if ((ch < 'A' || ch > 'Z') && (ch < 'a' || ch > 'z')
            && (ch < '0' || ch > '9') && ch != '_')
        {
            break;
        }
    }

    name->len = p - name->data;

    if (name->len == 0 || (bracket && (p == last || *p != '}'))) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid variable in the format of "
                           "\"hyperdrive_query_log\" at \"%*s\": write $NAME "
                           "or ${NAME}", (size_t) (last - *pos), *pos);
        return NGX_ERROR;
    }

    *pos = p + bracket;

    return NGX_OK;
}


/* logs that go into one file share its buffer */

static ngx_int_t
ngx_hyperdrive_conf_log_buffer(ngx_conf_t *cf, ngx_open_file_t *file,
    ngx_hyperdrive_conf_log_args_t *args)
{
    ngx_uint_t                          i, shared;
    ngx_open_file_t                   **files;
    ngx_pool_cleanup_t                 *cln;
    ngx_hyperdrive_main_conf_t         *hmcf;
    ngx_hyperdrive_session_log_buf_t   *buf;

    hmcf = ngx_stream_conf_get_module_main_conf(cf,
                                                ngx_stream_hyperdrive_module);

    shared = 0;
    files = hmcf->log_files.elts;

    for (i = 0; i < hmcf->log_files.nelts; i++) {
        shared |= (files[i] == file);
    }

    buf = file->data;

    if (shared || file->flush) {

        if (file->flush && file->flush != ngx_hyperdrive_session_log_flush) {
            buf = NULL;
        }

        if (shared
            && (buf ? buf->end - buf->start : 0) == args->size
            && (buf ? buf->flush : 0) == args->flush)
        {
            return NGX_OK;
        }

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "another log with another buffer goes into \"%V\": "
                           "write the same buffer= and flush= for both, or "
                           "another file", &file->name);
        return NGX_ERROR;
    }

    files = ngx_array_push(&hmcf->log_files);
    if (files == NULL) {
        return NGX_ERROR;
    }

    *files = file;

    if (args->size == 0) {
        return NGX_OK;
    }

    buf = ngx_pcalloc(cf->pool, sizeof(ngx_hyperdrive_session_log_buf_t));
    cln = ngx_pool_cleanup_add(cf->pool, 0);

    if (buf == NULL || cln == NULL) {
        return NGX_ERROR;
    }

    buf->start = ngx_pnalloc(cf->pool, args->size);
    if (buf->start == NULL) {
        return NGX_ERROR;
    }

    buf->pos = buf->start;
    buf->end = buf->start + args->size;
    buf->flush = args->flush;

    cln->handler = ngx_hyperdrive_conf_log_cleanup;
    cln->data = buf;

    file->data = buf;
    file->flush = ngx_hyperdrive_session_log_flush;

    return NGX_OK;
}


/* a process without a master goes on after a reload */

static void
ngx_hyperdrive_conf_log_cleanup(void *data)
{
    ngx_hyperdrive_session_log_buf_t *buf = data;

    if (buf->event.timer_set) {
        ngx_del_timer(&buf->event);
    }
}
