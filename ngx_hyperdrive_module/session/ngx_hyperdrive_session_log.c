
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session_log.h"
#include "session/ngx_hyperdrive_session_cache.h"


static ngx_str_t *ngx_hyperdrive_session_log_status(
    ngx_hyperdrive_session_t *s);
static uint64_t ngx_hyperdrive_session_log_clock(void);
static uint64_t ngx_hyperdrive_session_log_said(ngx_hyperdrive_session_t *s);
static void ngx_hyperdrive_session_log_end(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_query_t *q, size_t more);
static void ngx_hyperdrive_session_log_forget(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_query_t *q);


void
ngx_hyperdrive_session_log_begin(ngx_hyperdrive_session_t *s)
{
    ngx_hyperdrive_session_log_t    *log;
    ngx_hyperdrive_session_query_t  *q;

    if (s->log == NULL) {

        s->log = calloc(1, sizeof(ngx_hyperdrive_session_log_t));
        if (s->log == NULL) {
            return;
        }
    }

    log = s->log;

    if (log->current) {
        /* it has waited, or more of it has come */
        return;
    }

    q = calloc(1, sizeof(ngx_hyperdrive_session_query_t));
    if (q == NULL) {
        return;
    }

    s->cached = NGX_HYPERDRIVE_SESSION_CACHE_NONE;

    q->begun = ngx_hyperdrive_session_log_clock();
    q->waited = s->total.waited;

    if (log->first == NULL) {

        /* what has been said since the last end was no answer */

        log->said = ngx_hyperdrive_session_log_said(s);
    }

    if (s->unit.stmt) {
        q->stmt = ngx_hyperdrive_state_stmt_ref(s->unit.stmt);
    }

    log->current = q;
}


void
ngx_hyperdrive_session_log_run(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_state_stmt_t *stmt)
{
    ngx_hyperdrive_session_query_t  *q;

    q = s->log->current;

    if (q && q->stmt == NULL && stmt) {
        q->stmt = ngx_hyperdrive_state_stmt_ref(stmt);
    }
}


void
ngx_hyperdrive_session_log_origin(ngx_hyperdrive_session_t *s, ngx_str_t *name)
{
    if (s->log->current) {
        s->log->current->origin = name;
    }
}


void
ngx_hyperdrive_session_log_sent(ngx_hyperdrive_session_t *s)
{
    ngx_hyperdrive_session_log_t    *log;
    ngx_hyperdrive_session_query_t  *q;

    log = s->log;
    q = log->current;

    if (q == NULL) {
        return;
    }

    q->status = ngx_hyperdrive_session_log_status(s);

    if (log->first) {
        log->last->next = q;

    } else {
        log->first = q;
    }

    log->last = q;
    log->current = NULL;
}


void
ngx_hyperdrive_session_log_rows(ngx_hyperdrive_session_t *s, ngx_uint_t rows)
{
    if (s->log->current) {
        s->log->current->rows = rows;
    }
}


void
ngx_hyperdrive_session_log_answered(ngx_hyperdrive_session_t *s,
    char *sqlstate)
{
    ngx_hyperdrive_session_query_t  *q;

    q = s->log->current;

    if (q == NULL) {
        return;
    }

    s->log->current = NULL;

    q->status = ngx_hyperdrive_session_log_status(s);

    if (sqlstate) {
        ngx_memcpy(q->error, sqlstate, 5);
    }

    ngx_hyperdrive_session_log_end(s, q, 0);
}


void
ngx_hyperdrive_session_log_piece(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_piece_t *piece)
{
    ngx_uint_t                       n;
    ngx_hyperdrive_session_log_t    *log;
    ngx_hyperdrive_session_query_t  *q;

    log = s->log;

    /* before a Flush there are answers to what is not all sent */

    q = log->first ? log->first : log->current;

    if (q == NULL) {
        return;
    }

    switch (piece->type) {

    case NGX_HYPERDRIVE_PROTO_ROWS:
        q->rows += piece->rows;
        break;

    case NGX_HYPERDRIVE_PROTO_ERROR:

        if (q->error[0] == '\0' && piece->sqlstate) {
            ngx_memcpy(q->error, piece->sqlstate, 5);
        }

        /* those that end with it; the piece is not in the output yet */

        for (n = piece->struck; n && log->first; n--) {
            q = log->first;
            log->first = q->next;

            if (q->error[0] == '\0' && piece->sqlstate) {
                ngx_memcpy(q->error, piece->sqlstate, 5);
            }

            ngx_hyperdrive_session_log_end(s, q, piece->own ? 0 : piece->len);
        }

        break;

    case NGX_HYPERDRIVE_PROTO_READY:

        if (q == log->current) {
            break;
        }

        log->first = q->next;

        if (s->fill && s->fill->oversized) {
            q->status = ngx_hyperdrive_session_cache_name(
                                       NGX_HYPERDRIVE_SESSION_CACHE_OVERSIZED);
        }

        /* the piece itself is not in the output yet */

        ngx_hyperdrive_session_log_end(s, q, piece->own ? 0 : piece->len);
        break;

    default:
        break;
    }
}


void
ngx_hyperdrive_session_log_fatal(ngx_hyperdrive_session_t *s, char *sqlstate)
{
    ngx_memcpy(s->log->error, sqlstate, 5);
}


void
ngx_hyperdrive_session_log_close(ngx_hyperdrive_session_t *s)
{
    ngx_hyperdrive_session_log_t    *log;
    ngx_hyperdrive_session_query_t  *q;

    log = s->log;

    if (log->current) {
        ngx_hyperdrive_session_log_sent(s);
    }

    if (log->error[0] == '\0') {
        /* connection_failure, as the database calls it when a client leaves */
        ngx_hyperdrive_session_log_fatal(s, "08006");
    }

    while (log->first) {
        q = log->first;
        log->first = q->next;

        if (q->error[0] == '\0') {
            ngx_memcpy(q->error, log->error, 5);
        }

        ngx_hyperdrive_session_log_end(s, q, 0);
    }
}


void
ngx_hyperdrive_session_log_free(ngx_hyperdrive_session_t *s)
{
    ngx_hyperdrive_session_log_t    *log;
    ngx_hyperdrive_session_query_t  *q;

    log = s->log;

    if (log->current) {
        ngx_hyperdrive_session_log_forget(s, log->current);
    }

    while (log->first) {
        q = log->first;
        log->first = q->next;
        ngx_hyperdrive_session_log_forget(s, q);
    }

    free(log);
    s->log = NULL;
}


static void
ngx_hyperdrive_session_log_end(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_query_t *q, size_t more)
{
    uint64_t                       said;
    ngx_hyperdrive_session_log_t  *log;

    log = s->log;

    /* answers come in order: all that was said since the last one is its */

    said = ngx_hyperdrive_session_log_said(s) + more;

    q->bytes = said - log->said;
    log->said = said;

    q->time = ngx_hyperdrive_session_log_clock() - q->begun;
    q->waited = s->total.waited - q->waited;

    log->now = q;

    ngx_hyperdrive_session_log_write(s);

    log->now = NULL;

    ngx_hyperdrive_session_log_forget(s, q);
}


static void
ngx_hyperdrive_session_log_forget(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_query_t *q)
{
    if (q->stmt) {
        ngx_hyperdrive_state_stmt_unref(s->conf->origin->ctx.registry,
                                        q->stmt);
    }

    free(q);
}


/* of the unit that is looked at: what the cache had to do with it */

static ngx_str_t *
ngx_hyperdrive_session_log_status(ngx_hyperdrive_session_t *s)
{
    ngx_hyperdrive_session_cache_e  cached;

    cached = s->cached;

    if (s->conf->cache_zone == NULL) {
        cached = NGX_HYPERDRIVE_SESSION_CACHE_DISABLED;

    } else if (cached == NGX_HYPERDRIVE_SESSION_CACHE_NONE) {

        /* it was not even asked */

        cached = NGX_HYPERDRIVE_SESSION_CACHE_UNCACHEABLE;
    }

    return ngx_hyperdrive_session_cache_name(cached);
}


static uint64_t
ngx_hyperdrive_session_log_said(ngx_hyperdrive_session_t *s)
{
    return s->net.sent + s->net.out.size;
}


static uint64_t
ngx_hyperdrive_session_log_clock(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}
