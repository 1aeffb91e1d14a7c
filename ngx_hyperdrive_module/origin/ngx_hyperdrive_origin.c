
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "origin/ngx_hyperdrive_origin.h"
#include <ngx_event_connect.h>


/* input that a log-in may leave unread, bytes */
#define NGX_HYPERDRIVE_ORIGIN_LOGIN_MAX  131072

/* how long a database may take to let a connection go, milliseconds */
#define NGX_HYPERDRIVE_ORIGIN_LINGER     30000

/* what is read of an answer that nobody wants any more */
#define NGX_HYPERDRIVE_ORIGIN_DRAIN_TIME 5000
#define NGX_HYPERDRIVE_ORIGIN_DRAIN_SIZE (1024 * 1024)

#define NGX_HYPERDRIVE_ORIGIN_MESSAGE    (8 * 1024 * 1024)


/* a CancelRequest under way, with a connection of its own */

typedef struct {
    ngx_peer_connection_t    peer;
    ngx_hyperdrive_net_t     net;
    ngx_pool_t              *memory;
    ngx_hyperdrive_origin_t *origin;    /* NULL: gone */
    ngx_sockaddr_t           sockaddr;
} ngx_hyperdrive_origin_cancel_t;


static void ngx_hyperdrive_origin_connect(ngx_hyperdrive_origin_t *o);
static void ngx_hyperdrive_origin_start(ngx_hyperdrive_origin_t *o);
static void ngx_hyperdrive_origin_login(ngx_hyperdrive_origin_t *o);
static void ngx_hyperdrive_origin_handshaken(ngx_connection_t *c);
static void ngx_hyperdrive_origin_logged_in(ngx_hyperdrive_origin_t *o);
static void ngx_hyperdrive_origin_refused(ngx_hyperdrive_origin_t *o,
    ngx_err_t err, char *reason);
static void ngx_hyperdrive_origin_disconnect(ngx_hyperdrive_origin_t *o);
static void ngx_hyperdrive_origin_finalize(ngx_hyperdrive_origin_t *o);
static void ngx_hyperdrive_origin_read_handler(ngx_event_t *rev);
static void ngx_hyperdrive_origin_write_handler(ngx_event_t *wev);
static void ngx_hyperdrive_origin_read_login(ngx_hyperdrive_origin_t *o);
static void ngx_hyperdrive_origin_read_idle(ngx_hyperdrive_origin_t *o);
static void ngx_hyperdrive_origin_read_closing(ngx_hyperdrive_origin_t *o);
static void ngx_hyperdrive_origin_cancel_handler(ngx_event_t *ev);
static ngx_int_t ngx_hyperdrive_origin_cancel_get(ngx_peer_connection_t *pc,
    void *data);


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

    o->memory = ngx_create_pool(1024, ngx_cycle->log);
    if (o->memory == NULL) {
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

    ngx_hyperdrive_origin_place(pool->conf);
    ngx_hyperdrive_origin_failed(pool, 0);
}


void
ngx_hyperdrive_origin_set_state(ngx_hyperdrive_origin_t *o,
    ngx_hyperdrive_origin_state_e state)
{
    ngx_hyperdrive_pool_t          *pool;
    ngx_hyperdrive_shm_counters_t  *counters;

    pool = o->pool;
    counters = pool->conf->counters;

    if (o->state != NGX_HYPERDRIVE_ORIGIN_STATES) {
        ngx_queue_remove(&o->queue);
        pool->norigins[o->state]--;

        if (o->state == NGX_HYPERDRIVE_ORIGIN_IDLE) {
            ngx_hyperdrive_shm_limit_idle(pool->conf->limit, -1);
            counters->origins_idle--;

        } else if (o->state < NGX_HYPERDRIVE_ORIGIN_IDLE) {
            counters->origins_login--;

        } else if (o->state < NGX_HYPERDRIVE_ORIGIN_CLOSING) {
            counters->origins_busy--;

        } else {
            counters->origins_closing--;
        }
    }

    if (state != NGX_HYPERDRIVE_ORIGIN_STATES) {
        ngx_queue_insert_head(&pool->origins[state], &o->queue);
        pool->norigins[state]++;

        if (state == NGX_HYPERDRIVE_ORIGIN_IDLE) {
            ngx_hyperdrive_shm_limit_idle(pool->conf->limit, 1);
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
}


static void
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
    o->socklen = pc->socklen;
    ngx_memcpy(&o->sockaddr, pc->sockaddr, pc->socklen);

    ngx_hyperdrive_origin_own(o);

    if (o->server == NULL) {
        ngx_hyperdrive_origin_refused(o, 0, "the balancer named an address "
                                      "that no hyperdrive_origin has");
        return;
    }

    ngx_add_timer(c->read, o->server->connect_timeout);

    if (rc == NGX_OK) {
        ngx_hyperdrive_origin_start(o);
    }
}


void
ngx_hyperdrive_origin_own(ngx_hyperdrive_origin_t *o)
{
    ngx_connection_t  *c;

    c = o->net.connection;

    c->data = o;
    c->pool = o->memory;
    c->log = ngx_cycle->log;
    c->read->log = c->log;
    c->write->log = c->log;
    c->read->handler = ngx_hyperdrive_origin_read_handler;
    c->write->handler = ngx_hyperdrive_origin_write_handler;
}


/* connected: the log-in begins */

static void
ngx_hyperdrive_origin_start(ngx_hyperdrive_origin_t *o)
{
    int                              tcp_nodelay;
    ngx_hyperdrive_pool_t           *pool;
    ngx_hyperdrive_proto_login_t    *login;
    ngx_hyperdrive_origin_server_t  *server;

    pool = o->pool;
    server = o->server;

    if (o->sockaddr.sockaddr.sa_family != AF_UNIX) {
        tcp_nodelay = 1;

        if (setsockopt(o->net.connection->fd, IPPROTO_TCP, TCP_NODELAY,
                       (const void *) &tcp_nodelay, sizeof(int))
            == -1)
        {
            ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, ngx_socket_errno,
                          "setsockopt(TCP_NODELAY) failed");
        }
    }

    login = calloc(1, sizeof(ngx_hyperdrive_proto_login_t));
    if (login == NULL) {
        ngx_hyperdrive_origin_refused(o, 0, "no memory");
        return;
    }

    o->login = login;

    login->user = pool->user.len ? pool->user : server->user;
    login->database = pool->database;
    login->password = server->password;
    login->allow_clear = server->allow_clear;
    login->keys = &server->keys;
    login->nparams = pool->nparams;
    ngx_memcpy(login->params, pool->params,
               pool->nparams * sizeof(ngx_hyperdrive_proto_param_t));

    if (server->application_name.len
        && login->nparams < NGX_HYPERDRIVE_PROTO_MAX_PARAMS)
    {
        ngx_str_set(&login->params[login->nparams].name, "application_name");
        login->params[login->nparams++].value = server->application_name;
    }

    if (server->options.len
        && login->nparams < NGX_HYPERDRIVE_PROTO_MAX_PARAMS)
    {
        ngx_str_set(&login->params[login->nparams].name, "options");
        login->params[login->nparams++].value = server->options;
    }

    /* a unix socket needs no encryption, as libpq has it too */

    if (server->ssl && o->sockaddr.sockaddr.sa_family != AF_UNIX) {

        switch (server->sslmode) {

        case NGX_HYPERDRIVE_SSLMODE_DISABLE:
            break;

        case NGX_HYPERDRIVE_SSLMODE_ALLOW:
            login->request_tls = o->plain_tried;
            break;

        case NGX_HYPERDRIVE_SSLMODE_PREFER:
            login->request_tls = !o->tls_tried;
            break;

        default:
            login->request_tls = 1;
            login->require_tls = 1;
            break;
        }
    }

    ngx_hyperdrive_origin_set_state(o, NGX_HYPERDRIVE_ORIGIN_LOGIN);
    ngx_hyperdrive_origin_login(o);
}


static void
ngx_hyperdrive_origin_login(ngx_hyperdrive_origin_t *o)
{
    ngx_int_t          rc;
    ngx_connection_t  *c;

    c = o->net.connection;

    rc = o->pool->conf->proto->origin_login(o->login, &o->net.pos, o->net.last,
                                            &o->net.out);

    if (rc == NGX_ERROR) {
        ngx_hyperdrive_origin_refused(o, 0, o->login->reason);
        return;
    }

    if (rc == NGX_OK) {
        ngx_hyperdrive_origin_logged_in(o);
        return;
    }

    if (ngx_hyperdrive_net_flush(&o->net) == NGX_ERROR) {
        ngx_hyperdrive_origin_refused(o, 0,
                                      "connection to the database failed");
        return;
    }

    if (rc == NGX_DONE) {

        ngx_hyperdrive_origin_set_state(o, NGX_HYPERDRIVE_ORIGIN_HANDSHAKE);

        rc = ngx_hyperdrive_origin_tls_start(o,
                                             ngx_hyperdrive_origin_handshaken);

        if (rc == NGX_ERROR && c->ssl == NULL) {
            ngx_hyperdrive_origin_refused(o, 0, "TLS could not be set up");
            return;
        }

        if (rc != NGX_AGAIN) {
            ngx_hyperdrive_origin_handshaken(c);
        }

        return;
    }

    /* rc == NGX_AGAIN */

    if (ngx_hyperdrive_net_keep(&o->net) != NGX_OK
        || ngx_handle_read_event(c->read, 0) != NGX_OK
        || ngx_handle_write_event(c->write, 0) != NGX_OK)
    {
        ngx_hyperdrive_origin_refused(o, 0, "event failure");
    }
}


static void
ngx_hyperdrive_origin_handshaken(ngx_connection_t *c)
{
    u_char                    hash[64];
    char                     *reason;
    ngx_str_t                 cert_hash;
    ngx_hyperdrive_origin_t  *o;

    o = c->data;

    if (!c->ssl->handshaked) {
        ngx_hyperdrive_origin_refused(o, 0,
                                      "the TLS handshake with the database "
                                      "failed");
        return;
    }

    reason = ngx_hyperdrive_origin_tls_verify(o);

    if (reason) {
        ngx_hyperdrive_origin_refused(o, 0, reason);
        return;
    }

    cert_hash.len = ngx_hyperdrive_origin_tls_cert_hash(c, 0, hash);

    cert_hash.data = ngx_pnalloc(o->memory, cert_hash.len + 1);
    if (cert_hash.data == NULL) {
        ngx_hyperdrive_origin_refused(o, 0, "no memory");
        return;
    }

    ngx_memcpy(cert_hash.data, hash, cert_hash.len);

    ngx_hyperdrive_origin_own(o);

    o->login->tls = 1;
    o->login->cert_hash = cert_hash;

    ngx_hyperdrive_origin_set_state(o, NGX_HYPERDRIVE_ORIGIN_LOGIN);
    ngx_hyperdrive_origin_login(o);
}


static void
ngx_hyperdrive_origin_logged_in(ngx_hyperdrive_origin_t *o)
{
    u_char                         *p;
    ngx_str_t                       greeting;
    ngx_connection_t               *c;
    ngx_hyperdrive_pool_t          *pool;
    ngx_hyperdrive_block_t         *block;
    ngx_hyperdrive_proto_login_t   *login;

    c = o->net.connection;
    pool = o->pool;
    login = o->login;

    if (o->net.pos != o->net.last) {
        ngx_hyperdrive_origin_refused(o, 0,
                                      "unexpected data behind the log-in");
        return;
    }

    o->wire = pool->conf->proto->origin_create(&pool->conf->ctx);

    o->key.len = login->key.len;
    o->key.data = ngx_pstrdup(o->memory, &login->key);

    greeting.len = login->greeting.size;
    greeting.data = malloc(greeting.len + 1);

    if (o->wire == NULL || o->key.data == NULL || greeting.data == NULL) {
        free(greeting.data);
        ngx_hyperdrive_origin_refused(o, 0, "no memory");
        return;
    }

    p = greeting.data;

    for (block = login->greeting.head; block; block = block->next) {
        p = ngx_cpymem(p, block->pos, block->last - block->pos);
    }

    o->pid = login->pid;

    /* clients are told the same */

    free(pool->greeting.data);
    pool->greeting = greeting;

    (void) ngx_hyperdrive_shm_note_put(&pool->key, &greeting);

    pool->conf->proto->origin_login_free(login);
    free(login);
    o->login = NULL;

    if (c->read->timer_set) {
        ngx_del_timer(c->read);
    }

    o->expires = ngx_current_msec + pool->conf->lifetime
                 - (ngx_msec_t) (ngx_random() % (pool->conf->lifetime / 8 + 1));

    if (ngx_hyperdrive_net_keep(&o->net) != NGX_OK
        || ngx_handle_read_event(c->read, 0) != NGX_OK)
    {
        ngx_hyperdrive_origin_close(o, "event failure");
        return;
    }

    pool->failures = 0;

    ngx_hyperdrive_origin_ready(o);
}


/*
 * This attempt came to nothing: the next server of the upstream, or the
 * waiters are told.
 */

static void
ngx_hyperdrive_origin_refused(ngx_hyperdrive_origin_t *o, ngx_err_t err,
    char *reason)
{
    u_char                        *p, *last;
    ngx_uint_t                     permanent, again;
    ngx_hyperdrive_pool_t         *pool;
    ngx_hyperdrive_block_t        *block;
    ngx_hyperdrive_proto_login_t  *login;

    pool = o->pool;
    login = o->login;
    permanent = 0;
    again = 0;

    pool->conf->counters->origins_failed++;

    p = pool->reason;
    last = p + sizeof(pool->reason) - 1;

    if (o->server) {
        p = ngx_slprintf(p, last, "origin \"%V\": ", &o->server->name);
    }

    p = ngx_slprintf(p, last, "%s", reason);

    if (err) {
        p = ngx_slprintf(p, last, " (%d: ", err);
        p = ngx_strerror(err, p, last - p);
        p = ngx_slprintf(p, last, ")");
    }

    *p = '\0';

    ngx_memcpy(pool->sqlstate, "08006", 6);

    if (login) {
        permanent = login->permanent;

        if (login->sqlstate[0]) {
            ngx_memcpy(pool->sqlstate, login->sqlstate, 6);
        }

        again = (o->server->sslmode == NGX_HYPERDRIVE_SSLMODE_ALLOW
                 && o->server->ssl && !o->plain_tried && !login->tls)
                || (o->server->sslmode == NGX_HYPERDRIVE_SSLMODE_PREFER
                    && !o->tls_tried
                    && (login->tls
                        || o->state == NGX_HYPERDRIVE_ORIGIN_HANDSHAKE));

        o->tls_tried |= login->request_tls;
        o->plain_tried |= !login->request_tls;

        /* what the database says itself is said to clients by _failed() */

        block = login->error.head;

        if (block) {
            ngx_log_debug1(NGX_LOG_DEBUG_STREAM, ngx_cycle->log, 0,
                           "hyperdrive origin: %uz bytes of error",
                           login->error.size);
        }

        pool->conf->proto->origin_login_free(login);
        free(login);
        o->login = NULL;
    }

    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "hyperdrive upstream \"%V\": %s, in state %V",
                  &pool->conf->name, pool->reason,
                  &ngx_hyperdrive_origin_states[o->state]);

    if (again) {

        /* the other way of sslmode allow and prefer, same server */

        ngx_hyperdrive_origin_disconnect(o);

        ngx_hyperdrive_origin_unbalance(o, 0);
        o->balance->upstream->peer.tries++;

        ngx_hyperdrive_origin_set_state(o, NGX_HYPERDRIVE_ORIGIN_CONNECT);
        ngx_hyperdrive_origin_connect(o);

        return;
    }

    o->tls_tried = 0;
    o->plain_tried = 0;

    ngx_hyperdrive_origin_unbalance(o, 1);

    if (!permanent && o->balance && o->balance->upstream->peer.tries
        && o->net.connection)
    {
        ngx_hyperdrive_origin_disconnect(o);
        ngx_hyperdrive_origin_set_state(o, NGX_HYPERDRIVE_ORIGIN_CONNECT);
        ngx_hyperdrive_origin_connect(o);

        return;
    }

    if (o->state == NGX_HYPERDRIVE_ORIGIN_LOGIN && o->answered) {

        /* a backend was there and has to go first */

        ngx_hyperdrive_origin_close(o, NULL);

    } else {
        ngx_hyperdrive_origin_finalize(o);
    }

    ngx_hyperdrive_origin_failed(pool, permanent);
}


static void
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
                      "hyperdrive origin %uD of \"%V\": %s in state %V, closing",
                      o->pid, &o->pool->conf->name, reason,
                      &ngx_hyperdrive_origin_states[o->state]);
    }

    if (o->state == NGX_HYPERDRIVE_ORIGIN_CLOSING) {
        return;
    }

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

    c->idle = 0;

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

    /* not from here: this may be the middle of another handler */

    ngx_hyperdrive_net_post_read(&o->net);
}


/* the database has let go of the connection: its place is free */

static void
ngx_hyperdrive_origin_finalize(ngx_hyperdrive_origin_t *o)
{
    ngx_hyperdrive_origin_conf_t  *conf;

    conf = o->pool->conf;

    ngx_hyperdrive_origin_free(o);
    ngx_hyperdrive_origin_place(conf);
}


void
ngx_hyperdrive_origin_free(ngx_hyperdrive_origin_t *o)
{
    ngx_hyperdrive_pool_t           *pool;
    ngx_hyperdrive_origin_cancel_t  *cancel;

    pool = o->pool;
    cancel = o->cancel;

    if (cancel) {
        cancel->origin = NULL;
    }

    if (o->login) {
        pool->conf->proto->origin_login_free(o->login);
        free(o->login);
    }

    if (o->wire) {
        pool->conf->proto->origin_destroy(o->wire);
    }

    ngx_hyperdrive_origin_unbalance(o, 0);
    ngx_hyperdrive_origin_disconnect(o);
    ngx_hyperdrive_origin_set_state(o, NGX_HYPERDRIVE_ORIGIN_STATES);

    ngx_destroy_pool(o->memory);
    free(o);
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
        ngx_hyperdrive_origin_read_login(o);
        return;

    case NGX_HYPERDRIVE_ORIGIN_BUSY:
        o->read(o);
        return;

    case NGX_HYPERDRIVE_ORIGIN_IDLE:

        if (c->close) {
            /* the worker leaves */
            ngx_hyperdrive_origin_close(o, NULL);
            return;
        }

        /* fall through */

    case NGX_HYPERDRIVE_ORIGIN_DRAIN:

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

        ngx_hyperdrive_origin_start(o);
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


static void
ngx_hyperdrive_origin_read_login(ngx_hyperdrive_origin_t *o)
{
    ngx_int_t          rc;
    ngx_connection_t  *c;

    c = o->net.connection;

    if (c->read->timedout) {
        ngx_hyperdrive_origin_refused(o, NGX_ETIMEDOUT,
                                      "the database did not let us log in in "
                                      "connect_timeout");
        return;
    }

    rc = ngx_hyperdrive_net_recv(&o->net, NGX_HYPERDRIVE_ORIGIN_LOGIN_MAX);

    switch (rc) {

    case NGX_OK:
        o->answered = 1;
        o->pool->conf->counters->bytes_from_origins += o->net.last
                                                       - o->net.pos;
        ngx_hyperdrive_origin_login(o);
        return;

    case NGX_AGAIN:

        if (ngx_hyperdrive_net_keep(&o->net) != NGX_OK
            || ngx_handle_read_event(c->read, 0) != NGX_OK)
        {
            ngx_hyperdrive_origin_refused(o, 0, "event failure");
        }

        return;

    case NGX_DONE:
        o->answered = 0;
        ngx_hyperdrive_origin_refused(o, 0, "the database closed the "
                                      "connection during the log-in");
        return;

    case NGX_BUSY:
        ngx_hyperdrive_origin_refused(o, 0, "a message is too long");
        return;

    default: /* NGX_ERROR */
        o->answered = 0;
        ngx_hyperdrive_origin_refused(o, ngx_socket_errno,
                                      "connection to the database failed");
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
            rc = proto->answer(NULL, o->wire, &o->net.pos, o->net.last, NULL,
                               &piece);
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
            && proto->origin_settled(o->wire))
        {
            if (ngx_hyperdrive_net_keep(&o->net) != NGX_OK) {
                ngx_hyperdrive_origin_close(o, "no memory");
                return;
            }

            /* to the pool, or a ROLLBACK first */

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


void
ngx_hyperdrive_origin_cancel(ngx_hyperdrive_origin_t *o)
{
    ngx_int_t                        rc;
    ngx_pool_t                      *memory;
    ngx_connection_t                *c;
    ngx_hyperdrive_origin_cancel_t  *cancel;

    if (o->cancel || o->key.len == 0) {
        return;
    }

    memory = ngx_create_pool(1024, ngx_cycle->log);
    if (memory == NULL) {
        return;
    }

    cancel = ngx_pcalloc(memory, sizeof(ngx_hyperdrive_origin_cancel_t));
    if (cancel == NULL) {
        ngx_destroy_pool(memory);
        return;
    }

    cancel->memory = memory;
    cancel->sockaddr = o->sockaddr;
    cancel->peer.sockaddr = &cancel->sockaddr.sockaddr;
    cancel->peer.socklen = o->socklen;
    cancel->peer.name = &o->pool->conf->name;
    cancel->peer.get = ngx_hyperdrive_origin_cancel_get;
    cancel->peer.log = ngx_cycle->log;
    cancel->peer.log_error = NGX_ERROR_ERR;

    rc = ngx_event_connect_peer(&cancel->peer);

    c = cancel->peer.connection;

    if (rc != NGX_OK && rc != NGX_AGAIN) {

        if (c) {
            ngx_close_connection(c);
        }

        ngx_destroy_pool(memory);
        return;
    }

    c->data = cancel;
    c->pool = memory;
    c->read->handler = ngx_hyperdrive_origin_cancel_handler;
    c->write->handler = ngx_hyperdrive_origin_cancel_handler;

    cancel->net.connection = c;
    cancel->origin = o;
    o->cancel = cancel;

    o->pool->conf->proto->origin_cancel(o->pid, &o->key, &cancel->net.out);

    ngx_add_timer(c->write, NGX_HYPERDRIVE_ORIGIN_DRAIN_TIME);

    if (rc == NGX_OK) {
        ngx_post_event(c->write, &ngx_posted_events);
    }
}


static ngx_int_t
ngx_hyperdrive_origin_cancel_get(ngx_peer_connection_t *pc, void *data)
{
    return NGX_OK;
}


/* sends it and waits for the end of the connection */

static void
ngx_hyperdrive_origin_cancel_handler(ngx_event_t *ev)
{
    ngx_int_t                        rc;
    ngx_connection_t                *c;
    ngx_hyperdrive_origin_t         *o;
    ngx_hyperdrive_origin_cancel_t  *cancel;

    c = ev->data;
    cancel = c->data;

    if (ev->timedout) {
        goto done;
    }

    if (ev->write) {

        if (ngx_hyperdrive_net_flush(&cancel->net) == NGX_ERROR
            || ngx_handle_write_event(ev, 0) != NGX_OK)
        {
            goto done;
        }

        return;
    }

    rc = ngx_hyperdrive_net_recv(&cancel->net, NGX_HYPERDRIVE_BLOCK);

    cancel->net.pos = cancel->net.last;
    (void) ngx_hyperdrive_net_keep(&cancel->net);

    if (rc == NGX_AGAIN && ngx_handle_read_event(ev, 0) == NGX_OK) {
        return;
    }

done:

    o = cancel->origin;

    ngx_hyperdrive_net_free(&cancel->net);
    ngx_close_connection(c);
    ngx_destroy_pool(cancel->memory);

    if (o == NULL) {
        return;
    }

    o->cancel = NULL;

    if (o->state == NGX_HYPERDRIVE_ORIGIN_DRAIN
        && o->pool->conf->proto->origin_idle(o->wire))
    {
        /* only this was waited for */
        ngx_hyperdrive_origin_idle(o);
    }
}
