
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * What the cache is measured against: a handler in the same nginx that speaks
 * just enough of the protocol to be asked by pgbench, and answers every query
 * with the same row.  It knows no statements, no users and no errors: one
 * recv(), a walk over the messages, one send().
 */


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_stream.h>


#define NGX_STREAM_BENCH_CANNED_INPUT   16384
#define NGX_STREAM_BENCH_CANNED_OUTPUT  65536

#define ngx_stream_bench_canned_put(p, s)                                     \
    ngx_cpymem(p, s, sizeof(s) - 1)


typedef struct {
    u_char     *pos;
    u_char     *last;
    u_char      in[NGX_STREAM_BENCH_CANNED_INPUT];
    unsigned    started:1;
} ngx_stream_bench_canned_ctx_t;


static void ngx_stream_bench_canned_handler(ngx_stream_session_t *s);
static void ngx_stream_bench_canned_read(ngx_event_t *rev);
static void ngx_stream_bench_canned_write(ngx_event_t *wev);
static u_char *ngx_stream_bench_canned_answer(
    ngx_stream_bench_canned_ctx_t *ctx, u_char *p, u_char *end);
static char *ngx_stream_bench_canned(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


/* the answer of SELECT abalance FROM pgbench_accounts WHERE aid = ... */

#define NGX_STREAM_BENCH_CANNED_HEAD                                          \
    "T\0\0\0\041\0\001abalance\0\0\0\100\001\0\003\0\0\0\027\0\004"           \
    "\377\377\377\377\0\0"
#define NGX_STREAM_BENCH_CANNED_ROW                                           \
    "D\0\0\0\013\0\001\0\0\0\0010" "C\0\0\0\015SELECT 1\0"
#define NGX_STREAM_BENCH_CANNED_READY   "Z\0\0\0\005I"
#define NGX_STREAM_BENCH_CANNED_WELCOME                                       \
    "R\0\0\0\010\0\0\0\0"                                                     \
    "S\0\0\0\031client_encoding\0UTF8\0"                                      \
    "S\0\0\0\030server_version\00015.0\0"                                     \
    "S\0\0\0\043standard_conforming_strings\0on\0"                            \
    "K\0\0\0\014\0\0\0\001\0\0\0\001"                                         \
    NGX_STREAM_BENCH_CANNED_READY


/* answers leave before the handler returns */
static u_char  ngx_stream_bench_canned_out[NGX_STREAM_BENCH_CANNED_OUTPUT];


static ngx_command_t  ngx_stream_bench_canned_commands[] = {

    { ngx_string("bench_canned"),
      NGX_STREAM_SRV_CONF|NGX_CONF_NOARGS,
      ngx_stream_bench_canned,
      0,
      0,
      NULL },

      ngx_null_command
};


static ngx_stream_module_t  ngx_stream_bench_canned_module_ctx = {
    NULL,                                  /* preconfiguration */
    NULL,                                  /* postconfiguration */

    NULL,                                  /* create main configuration */
    NULL,                                  /* init main configuration */

    NULL,                                  /* create server configuration */
    NULL                                   /* merge server configuration */
};


ngx_module_t  ngx_stream_bench_canned_module = {
    NGX_MODULE_V1,
    &ngx_stream_bench_canned_module_ctx,   /* module context */
    ngx_stream_bench_canned_commands,      /* module directives */
    NGX_STREAM_MODULE,                     /* module type */
    NULL,                                  /* init master */
    NULL,                                  /* init module */
    NULL,                                  /* init process */
    NULL,                                  /* init thread */
    NULL,                                  /* exit thread */
    NULL,                                  /* exit process */
    NULL,                                  /* exit master */
    NGX_MODULE_V1_PADDING
};


static char *
ngx_stream_bench_canned(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_stream_core_srv_conf_t  *cscf;

    cscf = ngx_stream_conf_get_module_srv_conf(cf, ngx_stream_core_module);
    cscf->handler = ngx_stream_bench_canned_handler;

    return NGX_CONF_OK;
}


static void
ngx_stream_bench_canned_handler(ngx_stream_session_t *s)
{
    ngx_connection_t               *c;
    ngx_stream_bench_canned_ctx_t  *ctx;

    c = s->connection;

    ctx = ngx_palloc(c->pool, sizeof(ngx_stream_bench_canned_ctx_t));
    if (ctx == NULL) {
        ngx_stream_finalize_session(s, NGX_STREAM_INTERNAL_SERVER_ERROR);
        return;
    }

    ctx->pos = ctx->in;
    ctx->last = ctx->in;
    ctx->started = 0;

    ngx_stream_set_ctx(s, ctx, ngx_stream_bench_canned_module);

    c->read->handler = ngx_stream_bench_canned_read;
    c->write->handler = ngx_stream_bench_canned_write;

    ngx_stream_bench_canned_read(c->read);
}


static void
ngx_stream_bench_canned_read(ngx_event_t *rev)
{
    u_char                         *p;
    ssize_t                         n;
    ngx_connection_t               *c;
    ngx_stream_session_t           *s;
    ngx_stream_bench_canned_ctx_t  *ctx;

    c = rev->data;
    s = c->data;
    ctx = ngx_stream_get_module_ctx(s, ngx_stream_bench_canned_module);

    do {
        n = c->recv(c, ctx->last, ctx->in + sizeof(ctx->in) - ctx->last);

        if (n == NGX_AGAIN) {
            break;
        }

        if (n == 0 || n == NGX_ERROR) {
            ngx_stream_finalize_session(s, NGX_STREAM_OK);
            return;
        }

        ctx->last += n;

        p = ngx_stream_bench_canned_answer(ctx, ngx_stream_bench_canned_out,
                                           ngx_stream_bench_canned_out
                                         + NGX_STREAM_BENCH_CANNED_OUTPUT);

        if (p == NULL
            || (p != ngx_stream_bench_canned_out
                && c->send(c, ngx_stream_bench_canned_out,
                           p - ngx_stream_bench_canned_out)
                   != p - ngx_stream_bench_canned_out))
        {
            ngx_stream_finalize_session(s, NGX_STREAM_OK);
            return;
        }

        ngx_memmove(ctx->in, ctx->pos, ctx->last - ctx->pos);
        ctx->last = ctx->in + (ctx->last - ctx->pos);
        ctx->pos = ctx->in;

    } while (rev->ready);

    if (ngx_handle_read_event(rev, 0) != NGX_OK) {
        ngx_stream_finalize_session(s, NGX_STREAM_INTERNAL_SERVER_ERROR);
    }
}


static void
ngx_stream_bench_canned_write(ngx_event_t *wev)
{
    /* what is not sent at once is not sent */
}


/* NULL: the end, or something else than pgbench */

static u_char *
ngx_stream_bench_canned_answer(ngx_stream_bench_canned_ctx_t *ctx, u_char *p,
    u_char *end)
{
    u_char  *m;
    size_t   len, head;

    for ( ;; ) {

        head = ctx->started ? 5 : 4;

        if ((size_t) (ctx->last - ctx->pos) < head) {
            return p;
        }

        m = ctx->pos + head - 4;
        len = ((size_t) m[0] << 24 | m[1] << 16 | m[2] << 8 | m[3]) + head - 4;

        if (len < head || len > sizeof(ctx->in) || end - p < 256) {
            return NULL;
        }

        if ((size_t) (ctx->last - ctx->pos) < len) {
            return p;
        }

        m = ctx->pos;
        ctx->pos += len;

        if (!ctx->started) {

            if (len == 8) {
                /* SSLRequest, GSSENCRequest */
                *p++ = 'N';
                continue;
            }

            ctx->started = 1;
            p = ngx_stream_bench_canned_put(p,
                                            NGX_STREAM_BENCH_CANNED_WELCOME);
            continue;
        }

        switch (m[0]) {

        case 'Q':
            p = ngx_stream_bench_canned_put(p, NGX_STREAM_BENCH_CANNED_HEAD
                                               NGX_STREAM_BENCH_CANNED_ROW
                                               NGX_STREAM_BENCH_CANNED_READY);
            break;

        case 'P':
            p = ngx_stream_bench_canned_put(p, "1\0\0\0\004");
            break;

        case 'B':
            p = ngx_stream_bench_canned_put(p, "2\0\0\0\004");
            break;

        case 'D':
            p = ngx_stream_bench_canned_put(p, NGX_STREAM_BENCH_CANNED_HEAD);
            break;

        case 'E':
            p = ngx_stream_bench_canned_put(p, NGX_STREAM_BENCH_CANNED_ROW);
            break;

        case 'S':
            p = ngx_stream_bench_canned_put(p, NGX_STREAM_BENCH_CANNED_READY);
            break;

        default:
            return NULL;
        }
    }
}
