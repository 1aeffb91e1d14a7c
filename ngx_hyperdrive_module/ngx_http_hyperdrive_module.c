
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "admin/ngx_hyperdrive_admin_status.h"
#include "admin/ngx_hyperdrive_admin_control.h"


static ngx_int_t ngx_http_hyperdrive_status_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_hyperdrive_control_handler(ngx_http_request_t *r);
static ngx_int_t ngx_http_hyperdrive_control_args(ngx_http_request_t *r,
    ngx_hyperdrive_admin_command_t *command);
static ngx_int_t ngx_http_hyperdrive_control_digest(ngx_str_t *text,
    uint64_t *digest);
static ngx_uint_t ngx_http_hyperdrive_control_foreign(ngx_http_request_t *r);
static ngx_int_t ngx_http_hyperdrive_answer(ngx_http_request_t *r,
    ngx_chain_t *out, off_t size);
static ngx_int_t ngx_http_hyperdrive_no_store(ngx_http_request_t *r);
static char *ngx_http_hyperdrive_status(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
static char *ngx_http_hyperdrive_control(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


static ngx_str_t  ngx_http_hyperdrive_actions[] = {
    ngx_string("show"),
    ngx_string("pause"),
    ngx_string("resume"),
    ngx_string("reconnect"),
    ngx_string("kill"),
    ngx_string("purge")
};


static ngx_command_t  ngx_http_hyperdrive_commands[] = {

    { ngx_string("hyperdrive_status"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_hyperdrive_status,
      0,
      0,
      NULL },

    { ngx_string("hyperdrive_control"),
      NGX_HTTP_LOC_CONF|NGX_CONF_NOARGS,
      ngx_http_hyperdrive_control,
      0,
      0,
      NULL },

      ngx_null_command
};


static ngx_http_module_t  ngx_http_hyperdrive_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL,                                  /* merge server configuration */

    NULL,                                  /* create location configuration */
    NULL                                   /* merge location configuration */
};


ngx_module_t  ngx_http_hyperdrive_module = {
    NGX_MODULE_V1,
    &ngx_http_hyperdrive_module_ctx,       /* module context */
    ngx_http_hyperdrive_commands,          /* module directives */
    NGX_HTTP_MODULE,                       /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static ngx_int_t
ngx_http_hyperdrive_status_handler(ngx_http_request_t *r)
{
    off_t         size;
    ngx_int_t     rc;
    ngx_chain_t  *out;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    out = ngx_hyperdrive_admin_status(r->pool, &size);

    if (out == NULL) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    return ngx_http_hyperdrive_answer(r, out, size);
}


/* a page is asked for, a command is posted */

static ngx_int_t
ngx_http_hyperdrive_control_handler(ngx_http_request_t *r)
{
    off_t                            size;
    ngx_int_t                        rc;
    ngx_chain_t                     *out;
    ngx_hyperdrive_admin_command_t   command;

    if (!(r->method & (NGX_HTTP_GET|NGX_HTTP_HEAD|NGX_HTTP_POST))) {
        return NGX_HTTP_NOT_ALLOWED;
    }

    rc = ngx_http_discard_request_body(r);

    if (rc != NGX_OK) {
        return rc;
    }

    ngx_memzero(&command, sizeof(ngx_hyperdrive_admin_command_t));

    ngx_str_set(&command.database, "");
    ngx_str_set(&command.user, "");
    ngx_str_set(&command.table, "");
    ngx_str_set(&command.tag, "");

    if (r->method == NGX_HTTP_POST) {

        if (ngx_http_hyperdrive_control_foreign(r)) {
            return NGX_HTTP_FORBIDDEN;
        }

        if (ngx_http_hyperdrive_control_args(r, &command) != NGX_OK) {
            return NGX_HTTP_BAD_REQUEST;
        }

        ngx_log_error(NGX_LOG_NOTICE, r->connection->log, 0,
                      "hyperdrive: %V \"%V\", database \"%V\", user \"%V\", "
                      "table \"%V\", tag \"%V\", statement %016xL, for %M ms",
                      &ngx_http_hyperdrive_actions[command.action],
                      &command.name, &command.database, &command.user,
                      &command.table, &command.tag, command.digest,
                      command.time);
    }

    switch (ngx_hyperdrive_admin_control(r->pool, &command, &out, &size)) {

    case NGX_OK:
        return ngx_http_hyperdrive_answer(r, out, size);

    case NGX_DECLINED:
        return NGX_HTTP_NOT_FOUND;

    case NGX_BUSY:
        return NGX_HTTP_SERVICE_UNAVAILABLE;

    default: /* NGX_ERROR */
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
}


/* one action with a name, and what it is about; nothing else */

static ngx_int_t
ngx_http_hyperdrive_control_args(ngx_http_request_t *r,
    ngx_hyperdrive_admin_command_t *command)
{
    u_char     *p, *last, *end, *eq, *dst, *src;
    ngx_int_t   time;
    ngx_str_t   name, value;
    ngx_uint_t  i;

    p = r->args.data;
    last = p + r->args.len;

    for ( /* void */ ; p < last; p = end + 1) {

        end = ngx_strlchr(p, last, '&');

        if (end == NULL) {
            end = last;
        }

        eq = ngx_strlchr(p, end, '=');

        if (eq == NULL) {
            return NGX_ERROR;
        }

        name.data = p;
        name.len = eq - p;

        value.data = ngx_pnalloc(r->pool, end - eq);
        if (value.data == NULL) {
            return NGX_ERROR;
        }

        src = eq + 1;
        dst = value.data;

        ngx_unescape_uri(&dst, &src, end - src, 0);

        value.len = dst - value.data;

        if (value.len == 0) {
            return NGX_ERROR;
        }

        for (i = 0; i < value.len; i++) {

            if (value.data[i] < ' ') {
                /* no name has them, and they would stand in the log */
                return NGX_ERROR;
            }
        }

#define ngx_http_hyperdrive_is(s)                                             \
    (name.len == sizeof(s) - 1 && ngx_strncmp(name.data, s, name.len) == 0)

        /* what is written twice means one of two things: nothing is done */

        if (ngx_http_hyperdrive_is("database") && !command->database.len) {
            command->database = value;

        } else if (ngx_http_hyperdrive_is("user") && !command->user.len) {
            command->user = value;

        } else if (ngx_http_hyperdrive_is("for") && !command->time) {
            time = ngx_parse_time(&value, 0);

            if (time == NGX_ERROR || time == 0) {
                return NGX_ERROR;
            }

            command->time = time;

        } else if (ngx_http_hyperdrive_is("tag") && !command->tag.len) {
            command->tag = value;

        } else if (ngx_http_hyperdrive_is("table") && !command->table.len) {
            command->table = value;

        } else if (ngx_http_hyperdrive_is("statement") && !command->digest) {

            if (ngx_http_hyperdrive_control_digest(&value, &command->digest)
                != NGX_OK)
            {
                return NGX_ERROR;
            }

        } else {

            for (i = NGX_HYPERDRIVE_ADMIN_PAUSE;
                 i <= NGX_HYPERDRIVE_ADMIN_PURGE;
                 i++)
            {
                if (name.len == ngx_http_hyperdrive_actions[i].len
                    && ngx_strncmp(name.data,
                                   ngx_http_hyperdrive_actions[i].data,
                                   name.len)
                       == 0)
                {
                    break;
                }
            }

            if (i > NGX_HYPERDRIVE_ADMIN_PURGE || command->action) {
                return NGX_ERROR;
            }

            command->action = i;
            command->name = value;
        }
    }

    /* what an action does not know would be taken for something narrower */

    if (command->action == NGX_HYPERDRIVE_ADMIN_SHOW
        || (command->user.len && command->action != NGX_HYPERDRIVE_ADMIN_KILL)
        || (command->time && command->action != NGX_HYPERDRIVE_ADMIN_PAUSE)
        || ((command->digest || command->tag.len || command->table.len)
            && command->action != NGX_HYPERDRIVE_ADMIN_PURGE)
        || (command->digest != 0) + (command->tag.len != 0)
           + (command->table.len != 0) > 1
        || (command->database.len && command->table.len == 0
            && command->action == NGX_HYPERDRIVE_ADMIN_PURGE)
        || command->table.len > NGX_HYPERDRIVE_SHM_TABLE
        || command->database.len > NGX_HYPERDRIVE_SHM_NAME
        || command->user.len > NGX_HYPERDRIVE_SHM_NAME)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* as query logs show it: hexadecimal */

static ngx_int_t
ngx_http_hyperdrive_control_digest(ngx_str_t *text, uint64_t *digest)
{
    ngx_int_t   n;
    ngx_uint_t  i;

    *digest = 0;

    if (text->len != 16) {
        return NGX_ERROR;
    }

    for (i = 0; i < text->len; i++) {

        n = ngx_hextoi(text->data + i, 1);

        if (n == NGX_ERROR) {
            return NGX_ERROR;
        }

        *digest = *digest << 4 | n;
    }

    return *digest ? NGX_OK : NGX_ERROR;
}


/* a browser was led here by somebody's page: it says so */

static ngx_uint_t
ngx_http_hyperdrive_control_foreign(ngx_http_request_t *r)
{
    ngx_uint_t        i;
    ngx_list_part_t  *part;
    ngx_table_elt_t  *header;

    part = &r->headers_in.headers.part;
    header = part->elts;

    for (i = 0; /* void */ ; i++) {

        if (i >= part->nelts) {

            if (part->next == NULL) {
                return 0;
            }

            part = part->next;
            header = part->elts;
            i = 0;
        }

        if (header[i].key.len == sizeof("Origin") - 1
            && ngx_strncasecmp(header[i].key.data, (u_char *) "Origin",
                               header[i].key.len)
               == 0)
        {
            return 1;
        }
    }
}


static ngx_int_t
ngx_http_hyperdrive_answer(ngx_http_request_t *r, ngx_chain_t *out, off_t size)
{
    ngx_int_t     rc;
    ngx_chain_t  *cl;

    r->headers_out.status = NGX_HTTP_OK;
    r->headers_out.content_length_n = size;

    ngx_str_set(&r->headers_out.content_type, "application/json");
    r->headers_out.content_type_len = r->headers_out.content_type.len;
    r->headers_out.content_type_lowcase = NULL;

    if (ngx_http_hyperdrive_no_store(r) != NGX_OK) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }

    rc = ngx_http_send_header(r);

    if (rc == NGX_ERROR || rc > NGX_OK || r->header_only) {
        return rc;
    }

    for (cl = out; cl->next; cl = cl->next) { /* void */ }

    cl->buf->last_buf = (r == r->main) ? 1 : 0;
    cl->buf->last_in_chain = 1;

    return ngx_http_output_filter(r, out);
}


static ngx_int_t
ngx_http_hyperdrive_no_store(ngx_http_request_t *r)
{
    ngx_table_elt_t  *h;

    h = ngx_list_push(&r->headers_out.headers);
    if (h == NULL) {
        return NGX_ERROR;
    }

    h->hash = 1;
#if (nginx_version >= 1023000)
    h->next = NULL;
#endif
    ngx_str_set(&h->key, "Cache-Control");
    ngx_str_set(&h->value, "no-store");

    return NGX_OK;
}


static char *
ngx_http_hyperdrive_status(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_hyperdrive_status_handler;

    return NGX_CONF_OK;
}


static char *
ngx_http_hyperdrive_control(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_core_loc_conf_t  *clcf;

    clcf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
    clcf->handler = ngx_http_hyperdrive_control_handler;

    return NGX_CONF_OK;
}
