
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "origin/ngx_hyperdrive_origin.h"
#include <ngx_event_connect.h>


/* how long a database may take to let a connection go, milliseconds */
#define NGX_HYPERDRIVE_ORIGIN_LINGER     30000

/* what is read of an answer that nobody wants any more */
#define NGX_HYPERDRIVE_ORIGIN_DRAIN_SIZE (1024 * 1024)

#define NGX_HYPERDRIVE_ORIGIN_MESSAGE    (8 * 1024 * 1024)


static u_char *ngx_hyperdrive_origin_log(ngx_log_t *log, u_char *buf,
    size_t len);
static void ngx_hyperdrive_origin_read_handler(ngx_event_t *rev);
static void ngx_hyperdrive_origin_write_handler(ngx_event_t *wev);
static void ngx_hyperdrive_origin_read_idle(ngx_hyperdrive_origin_t *o);
static void ngx_hyperdrive_origin_read_closing(ngx_hyperdrive_origin_t *o);


static ngx_str_t  ngx_hyperdrive_origin_states[] = {
    ngx_string("connect"),
    ngx_string("handshake"),
    ngx_string("login"),
    ngx_string("idle"),
    ngx_string("busy"),
    ngx_string("drain"),
    ngx_string("closing")
};


void
ngx_hyperdrive_origin_open(ngx_hyperdrive_pool_t *pool,
    ngx_connection_t *client)
{
    ngx_hyperdrive_origin_t  *o;

    pool->conf->counters->origins_opened++;

    o = calloc(1, sizeof(ngx_hyperdrive_origin_t));
    if (o == NULL) {
        goto failed;
    }

    o->pool = pool;
    o->opened = ngx_hyperdrive_shm_orders();
    o->backend = ngx_hyperdrive_origin_quota_backend(pool);

    o->memory = ngx_create_pool(1024, ngx_cycle->log);
    if (o->memory == NULL) {
        ngx_hyperdrive_shm_backend_remove(o->backend);
        free(o);
        goto failed;
    }

    o->state = NGX_HYPERDRIVE_ORIGIN_STATES;
    ngx_hyperdrive_origin_set_state(o, NGX_HYPERDRIVE_ORIGIN_CONNECT);

    if (ngx_hyperdrive_origin_balance(o, client) != NGX_OK) {
        ngx_hyperdrive_origin_refused(o, 0, "no memory");
        return;
    }

    ngx_hyperdrive_origin_connect(o);

    return;

failed:

    (void) ngx_cpystrn(pool->reason, (u_char *) "no memory",
                       sizeof(pool->reason));
    ngx_memcpy(pool->sqlstate, "53200", 6);

    ngx_hyperdrive_origin_quota_give(pool);
    ngx_hyperdrive_origin_place(pool->conf);
    ngx_hyperdrive_origin_failed(pool, 0);
}


/* later than now, and than what a coarser clock says: nginx's is one */

uint64_t
ngx_hyperdrive_origin_clock(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000 + 1;
}


ngx_str_t *
ngx_hyperdrive_origin_state(ngx_hyperdrive_origin_t *o)
{
    return &ngx_hyperdrive_origin_states[o->state];
}


void
ngx_hyperdrive_origin_set_state(ngx_hyperdrive_origin_t *o,
    ngx_hyperdrive_origin_state_e state)
{
    ngx_hyperdrive_pool_t          *pool;
    ngx_hyperdrive_shm_counters_t  *counters;

    pool = o->pool;
    counters = pool->conf->counters;

    if (pool->conf->ordered && !ngx_exiting) {
        /* somebody may wait for this */
        ngx_post_event(&pool->conf->event, &ngx_posted_events);
    }

    if (o->state != NGX_HYPERDRIVE_ORIGIN_STATES) {
        ngx_queue_remove(&o->queue);
        pool->norigins[o->state]--;

        if (o->state == NGX_HYPERDRIVE_ORIGIN_IDLE) {

            if (!pool->keep) {
                ngx_hyperdrive_shm_limit_idle(pool->conf->limit, -1);
            }

            counters->origins_idle--;

        } else if (o->state < NGX_HYPERDRIVE_ORIGIN_IDLE) {
            counters->origins_login--;

        } else if (o->state < NGX_HYPERDRIVE_ORIGIN_CLOSING) {
            counters->origins_busy--;

        } else {
            counters->origins_closing--;
        }
    }

    if (o->checking && state != NGX_HYPERDRIVE_ORIGIN_DRAIN) {

        o->checking = 0;

        if (state != NGX_HYPERDRIVE_ORIGIN_IDLE
            && state != NGX_HYPERDRIVE_ORIGIN_BUSY)
        {
            /* who pends for it needs another */

            pool->supply = 1;
            ngx_post_event(&pool->conf->event, &ngx_posted_events);
        }
    }

    if (state != NGX_HYPERDRIVE_ORIGIN_STATES) {
        ngx_queue_insert_head(&pool->origins[state], &o->queue);
        pool->norigins[state]++;

        if (state == NGX_HYPERDRIVE_ORIGIN_IDLE) {

            if (!pool->keep) {
                ngx_hyperdrive_shm_limit_idle(pool->conf->limit, 1);
            }

            counters->origins_idle++;

        } else if (state < NGX_HYPERDRIVE_ORIGIN_IDLE) {
            counters->origins_login++;

        } else if (state < NGX_HYPERDRIVE_ORIGIN_CLOSING) {
            counters->origins_busy++;

        } else {
            counters->origins_closing++;
        }

        ngx_log_debug3(NGX_LOG_DEBUG_STREAM, ngx_cycle->log, 0,
                       "hyperdrive origin %uD: %s -> %V", o->pid,
                       o->state == NGX_HYPERDRIVE_ORIGIN_STATES ? "new"
                       : (char *) ngx_hyperdrive_origin_states[o->state].data,
                       &ngx_hyperdrive_origin_states[state]);
    }

    o->state = state;

    if (state == NGX_HYPERDRIVE_ORIGIN_IDLE
        || state == NGX_HYPERDRIVE_ORIGIN_BUSY
        || state == NGX_HYPERDRIVE_ORIGIN_CLOSING)
    {
        /* that it ends is no error, and what is lost with it is told by us */

        o->net.connection->log_error = NGX_ERROR_INFO;
    }
}


void
ngx_hyperdrive_origin_connect(ngx_hyperdrive_origin_t *o)
{
    ngx_int_t               rc;
    ngx_connection_t       *c;
    ngx_peer_connection_t  *pc;

    pc = &o->balance->upstream->peer;

    for ( ;; ) {

        rc = ngx_event_connect_peer(pc);

        if (rc == NGX_BUSY) {
            ngx_hyperdrive_origin_refused(o, 0,
                                          "no origin of the upstream is up");
            return;
        }

        if (rc == NGX_OK || rc == NGX_AGAIN) {
            break;
        }

        if (rc == NGX_ERROR && pc->sockaddr == NULL) {
            ngx_hyperdrive_origin_refused(o, 0, "could not be connected");
            return;
        }

        /* rc == NGX_DECLINED || rc == NGX_ERROR */

        if (pc->connection) {
            ngx_close_connection(pc->connection);
            pc->connection = NULL;
        }

        o->server = ngx_hyperdrive_origin_server(o->pool->conf, pc->sockaddr,
                                                 pc->socklen);
        ngx_hyperdrive_origin_unbalance(o, 1);

        if (pc->tries == 0) {
            ngx_hyperdrive_origin_refused(o, 0,
                                          "connection to the database failed");
            return;
        }
    }

    c = pc->connection;

    o->net.connection = c;
    o->server = ngx_hyperdrive_origin_server(o->pool->conf, pc->sockaddr,
                                             pc->socklen);
    o->site = ngx_hyperdrive_origin_site(pc->sockaddr, pc->socklen);
    o->socklen = pc->socklen;

    if (pc->sockaddr != &o->sockaddr.sockaddr) {
        ngx_memcpy(&o->sockaddr, pc->sockaddr, pc->socklen);
    }

    ngx_hyperdrive_origin_own(o);

    if (o->server == NULL) {
        ngx_hyperdrive_origin_refused(o, 0, "the balancer named an address "
                                      "that no hyperdrive_origin has");
        return;
    }

    ngx_add_timer(c->read, o->server->connect_timeout);

    if (rc == NGX_OK) {
        ngx_hyperdrive_origin_login_start(o);
    }
}


static u_char *
ngx_hyperdrive_origin_log(ngx_log_t *log, u_char *buf, size_t len)
{
    ngx_hyperdrive_origin_t  *o;

    o = log->data;

    if (o->state == NGX_HYPERDRIVE_ORIGIN_STATES) {
        return buf;
    }

    return ngx_snprintf(buf, len, ", hyperdrive origin %uD of \"%V\" in state "
                        "%V", o->pid, &o->pool->conf->name,
                        &ngx_hyperdrive_origin_states[o->state]);
}


void
ngx_hyperdrive_origin_own(ngx_hyperdrive_origin_t *o)
{
    ngx_connection_t  *c;

    c = o->net.connection;

    /* whatever nginx says of the connection tells which one */

    o->log = *ngx_cycle->log;
    o->log.handler = ngx_hyperdrive_origin_log;
    o->log.data = o;
    o->log.action = NULL;

    c->data = o;
    c->pool = o->memory;
    c->log = &o->log;
    c->read->log = c->log;
    c->write->log = c->log;
    c->read->handler = ngx_hyperdrive_origin_read_handler;
    c->write->handler = ngx_hyperdrive_origin_write_handler;
}


void
ngx_hyperdrive_origin_disconnect(ngx_hyperdrive_origin_t *o)
{
    ngx_connection_t  *c;

    c = o->net.connection;

    ngx_hyperdrive_net_free(&o->net);

    if (c == NULL) {
        return;
    }

    if (c->ssl) {
        c->ssl->no_wait_shutdown = 1;
        c->ssl->no_send_shutdown = 1;
        (void) ngx_ssl_shutdown(c);
    }

    ngx_close_connection(c);

    o->net.connection = NULL;
    o->answered = 0;

    if (o->balance) {
        o->balance->upstream->peer.connection = NULL;
    }
}


void
ngx_hyperdrive_origin_close(ngx_hyperdrive_origin_t *o, char *reason)
{
    ngx_connection_t  *c;

    c = o->net.connection;

    if (reason) {
        ngx_log_error(NGX_LOG_INFO, ngx_cycle->log, 0,
                      "hyperdrive origin %uD of \"%V\": %s in state %V, "
                      "closing",
                      o->pid, &o->pool->conf->name, reason,
                      &ngx_hyperdrive_origin_states[o->state]);
    }

    if (o->state == NGX_HYPERDRIVE_ORIGIN_CLOSING) {
        return;
    }

    ngx_hyperdrive_origin_outcome(o, NGX_ERROR);

    if (o->state < NGX_HYPERDRIVE_ORIGIN_LOGIN || c == NULL
        || c->read->eof || c->error || c->read->pending_eof)
    {
        ngx_hyperdrive_origin_finalize(o);
        return;
    }

    if (o->wire && !o->pool->conf->proto->origin_idle(o->wire)) {
        /* it runs on, and may hold locks, until it is told */
        ngx_hyperdrive_origin_cancel(o);
    }

    ngx_hyperdrive_origin_set_state(o, NGX_HYPERDRIVE_ORIGIN_CLOSING);
    ngx_hyperdrive_origin_own(o);

    if (o->net.out.size == 0) {
        o->pool->conf->proto->origin_terminate(&o->net.out);
    }

    o->net.pos = o->net.last;

    if (ngx_hyperdrive_net_flush(&o->net) == NGX_ERROR) {
        ngx_hyperdrive_origin_finalize(o);
        return;
    }

    /* whatever could not be sent cannot be completed: only the end is sent */

    ngx_hyperdrive_base_chain_clear(&o->net.out);

    if (c->ssl == NULL && ngx_shutdown_socket(c->fd, SHUT_WR) == -1) {
        ngx_hyperdrive_origin_finalize(o);
        return;
    }

    if (c->read->timer_set) {
        ngx_del_timer(c->read);
    }

    ngx_add_timer(c->read, NGX_HYPERDRIVE_ORIGIN_LINGER);

    /* it may be a time-out that has led here */
    c->read->timedout = 0;

    /* not from here: this may be the middle of another handler */

    ngx_hyperdrive_net_post_read(&o->net);
}


/* the database has let go of the connection: its place is free */

void
ngx_hyperdrive_origin_finalize(ngx_hyperdrive_origin_t *o)
{
    ngx_hyperdrive_pool_t  *pool;

    if (o->extra) {
        ngx_hyperdrive_origin_halt_end(o);
        return;
    }

    pool = o->pool;

    ngx_hyperdrive_origin_free(o);
    ngx_hyperdrive_origin_quota_give(pool);
    ngx_hyperdrive_origin_place(pool->conf);
}


void
ngx_hyperdrive_origin_free(ngx_hyperdrive_origin_t *o)
{
    ngx_hyperdrive_pool_t  *pool;

    pool = o->pool;

    ngx_hyperdrive_origin_outcome(o, NGX_ERROR);
    ngx_hyperdrive_origin_cancel_forget(o);

    ngx_hyperdrive_origin_login_end(o);
    ngx_hyperdrive_state_bucket_unref(o->bucket);

    if (o->wire) {
        pool->conf->proto->origin_destroy(o->wire);
    }

    ngx_hyperdrive_origin_unbalance(o, 0);
    ngx_hyperdrive_origin_disconnect(o);
    ngx_hyperdrive_origin_set_state(o, NGX_HYPERDRIVE_ORIGIN_STATES);
    ngx_hyperdrive_shm_backend_remove(o->backend);

    ngx_destroy_pool(o->memory);
    free(o);
}


void
ngx_hyperdrive_origin_outcome(ngx_hyperdrive_origin_t *o, ngx_int_t rc)
{
    void  (*outcome)(ngx_hyperdrive_origin_t *o, void *data, ngx_int_t rc);

    outcome = o->outcome;

    if (outcome) {
        o->outcome = NULL;
        outcome(o, o->outcome_data, rc);
    }
}


static void
ngx_hyperdrive_origin_read_handler(ngx_event_t *rev)
{
    ngx_connection_t         *c;
    ngx_hyperdrive_origin_t  *o;

    c = rev->data;
    o = c->data;

    switch (o->state) {

    case NGX_HYPERDRIVE_ORIGIN_CONNECT:
    case NGX_HYPERDRIVE_ORIGIN_HANDSHAKE:

        if (rev->timedout) {
            ngx_hyperdrive_origin_refused(o, NGX_ETIMEDOUT,
                                          "the database did not answer in "
                                          "connect_timeout");
        }

        return;

    case NGX_HYPERDRIVE_ORIGIN_LOGIN:
        ngx_hyperdrive_origin_login_read(o);
        return;

    case NGX_HYPERDRIVE_ORIGIN_BUSY:
        o->read(o);
        return;

    case NGX_HYPERDRIVE_ORIGIN_IDLE:

        if (c->close) {
            /* worker_shutdown_timeout */
            ngx_hyperdrive_origin_close(o, NULL);
            return;
        }

        /* fall through */

    case NGX_HYPERDRIVE_ORIGIN_DRAIN:

        if (rev->timedout && o->checking && !o->naming) {
            ngx_hyperdrive_origin_check_failed(o);
            return;
        }

        if (rev->timedout) {
            ngx_hyperdrive_origin_close(o, "answers nobody waits for take "
                                        "too long");
            return;
        }

        ngx_hyperdrive_origin_read_idle(o);
        return;

    default: /* NGX_HYPERDRIVE_ORIGIN_CLOSING */
        ngx_hyperdrive_origin_read_closing(o);
        return;
    }
}


static void
ngx_hyperdrive_origin_write_handler(ngx_event_t *wev)
{
    int                       err;
    socklen_t                 len;
    ngx_connection_t         *c;
    ngx_hyperdrive_origin_t  *o;

    c = wev->data;
    o = c->data;

    switch (o->state) {

    case NGX_HYPERDRIVE_ORIGIN_CONNECT:

        err = 0;
        len = sizeof(int);

        if (getsockopt(c->fd, SOL_SOCKET, SO_ERROR, (void *) &err, &len)
            == -1)
        {
            err = ngx_socket_errno;
        }

        if (err) {
            ngx_hyperdrive_origin_refused(o, err,
                                          "connection to the database failed");
            return;
        }

        ngx_hyperdrive_origin_login_start(o);
        return;

    case NGX_HYPERDRIVE_ORIGIN_BUSY:
        o->write(o);
        return;

    case NGX_HYPERDRIVE_ORIGIN_LOGIN:
    case NGX_HYPERDRIVE_ORIGIN_DRAIN:

        if (ngx_hyperdrive_net_flush(&o->net) == NGX_ERROR) {

            if (o->state == NGX_HYPERDRIVE_ORIGIN_LOGIN) {
                ngx_hyperdrive_origin_refused(o, 0,
                                          "connection to the database failed");
                return;
            }

            ngx_hyperdrive_origin_close(o, "sending failed");
            return;
        }

        /* fall through */

    default:
        (void) ngx_handle_write_event(wev, 0);
        return;
    }
}


/* nobody has it: what comes is nobody's */

static void
ngx_hyperdrive_origin_read_idle(ngx_hyperdrive_origin_t *o)
{
    ngx_int_t                      rc;
    ngx_connection_t              *c;
    ngx_hyperdrive_proto_t        *proto;
    ngx_hyperdrive_proto_piece_t   piece;

    c = o->net.connection;
    proto = o->pool->conf->proto;

    for ( ;; ) {

        do {
            rc = ngx_hyperdrive_origin_answer(o, NULL, 1, NULL, &piece);
        } while (rc == NGX_OK && !piece.fatal);

        if (rc == NGX_ERROR) {
            ngx_hyperdrive_origin_close(o, (char *) piece.data);
            return;
        }

        if (piece.fatal) {
            ngx_hyperdrive_origin_close(o, "the database ended it");
            return;
        }

        if (o->state == NGX_HYPERDRIVE_ORIGIN_DRAIN
            && (proto->origin_settled(o->wire)
                || proto->origin_copying(o->wire)))
        {
            if (ngx_hyperdrive_net_keep(&o->net) != NGX_OK) {
                ngx_hyperdrive_origin_close(o, "no memory");
                return;
            }

            /* to the pool, or a ROLLBACK first, or no COPY after all */

            ngx_hyperdrive_origin_release(o, NULL);
            return;
        }

        rc = ngx_hyperdrive_net_recv(&o->net, NGX_HYPERDRIVE_ORIGIN_MESSAGE);

        if (rc == NGX_AGAIN) {
            break;
        }

        if (rc != NGX_OK) {
            /* NGX_DONE, NGX_ERROR: gone; NGX_BUSY: nonsense */
            o->net.pos = o->net.last;
            ngx_hyperdrive_origin_close(o, "closed by the database");
            return;
        }

        o->drained += o->net.last - o->net.pos;

        if (o->state == NGX_HYPERDRIVE_ORIGIN_DRAIN
            && o->drained > NGX_HYPERDRIVE_ORIGIN_DRAIN_SIZE)
        {
            ngx_hyperdrive_origin_close(o, "too much is left of an answer");
            return;
        }
    }

    if (ngx_hyperdrive_net_keep(&o->net) != NGX_OK
        || ngx_handle_read_event(c->read, 0) != NGX_OK)
    {
        ngx_hyperdrive_origin_close(o, "event failure");
    }
}


static void
ngx_hyperdrive_origin_read_closing(ngx_hyperdrive_origin_t *o)
{
    ngx_int_t          rc;
    ngx_connection_t  *c;

    c = o->net.connection;

    if (c->read->timedout) {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "hyperdrive origin %uD of \"%V\" is not let go by the "
                      "database", o->pid, &o->pool->conf->name);
        ngx_hyperdrive_origin_finalize(o);
        return;
    }

    do {
        o->net.pos = o->net.last;
        rc = ngx_hyperdrive_net_recv(&o->net, NGX_HYPERDRIVE_ORIGIN_MESSAGE);
    } while (rc == NGX_OK);

    o->net.pos = o->net.last;

    if (rc != NGX_AGAIN
        || ngx_hyperdrive_net_keep(&o->net) != NGX_OK
        || ngx_handle_read_event(c->read, 0) != NGX_OK)
    {
        ngx_hyperdrive_origin_finalize(o);
    }
}
