
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "ngx_hyperdrive_conf.h"
#include "base/ngx_hyperdrive_base_plain.h"
#include <poll.h>


/*
 * hyperdrive_validate: whether each origin lets us in, found out while the
 * configuration is read.  There are no events then: one connection after the
 * other, by the same functions of the protocol, each in its connect_timeout.
 */


/* what a database may say before it is ready, bytes */
#define NGX_HYPERDRIVE_CONF_VALIDATE_BUF  131072

#define NGX_HYPERDRIVE_CONF_VALIDATE_TAG  1


/* Hyperdrive's numbers, and one of our own */

typedef enum {
    NGX_HYPERDRIVE_VALIDATE_NAME = 2008,
    NGX_HYPERDRIVE_VALIDATE_CONNECT = 2010,
    NGX_HYPERDRIVE_VALIDATE_REFUSED = 2011,
    NGX_HYPERDRIVE_VALIDATE_TLS = 2012,
    NGX_HYPERDRIVE_VALIDATE_LOGIN = 2013,
    NGX_HYPERDRIVE_VALIDATE_DATABASE = 2014,
    NGX_HYPERDRIVE_VALIDATE_OTHER = 2015,
    NGX_HYPERDRIVE_VALIDATE_QUERY = 2016,
    NGX_HYPERDRIVE_VALIDATE_CERTIFICATE = 2017
} ngx_hyperdrive_conf_validate_e;


typedef struct {
    ngx_hyperdrive_origin_conf_t     *origin;
    ngx_hyperdrive_origin_server_t   *server;
    ngx_addr_t                       *addr;
    ngx_log_t                        *log;

    ngx_socket_t                      fd;
    ngx_connection_t                  connection;  /* for nginx's functions */
    ngx_ssl_connection_t              ssl;
    uint64_t                          deadline;
    ngx_hyperdrive_proto_login_t      login;
    ngx_hyperdrive_chain_t            out;
    u_char                           *buf;
    u_char                           *pos;
    u_char                           *last;

    ngx_hyperdrive_conf_validate_e    code;
    char                             *reason;
    ngx_err_t                         err;
    u_char                            message[256];
} ngx_hyperdrive_conf_validate_t;


static ngx_int_t ngx_hyperdrive_conf_validate_upstream(ngx_conf_t *cf,
    ngx_hyperdrive_origin_conf_t *origin);
static ngx_uint_t ngx_hyperdrive_conf_validate_server(ngx_conf_t *cf,
    ngx_hyperdrive_origin_conf_t *origin,
    ngx_hyperdrive_origin_server_t *server);
static void ngx_hyperdrive_conf_validate_print(
    ngx_hyperdrive_conf_validate_t *v);
static ngx_int_t ngx_hyperdrive_conf_validate_try(
    ngx_hyperdrive_conf_validate_t *v, ngx_uint_t tls);
static ngx_int_t ngx_hyperdrive_conf_validate_connect(
    ngx_hyperdrive_conf_validate_t *v);
static ngx_int_t ngx_hyperdrive_conf_validate_login(
    ngx_hyperdrive_conf_validate_t *v, ngx_uint_t tls);
static ngx_int_t ngx_hyperdrive_conf_validate_refused(
    ngx_hyperdrive_conf_validate_t *v);
static ngx_int_t ngx_hyperdrive_conf_validate_handshake(
    ngx_hyperdrive_conf_validate_t *v);
static ngx_int_t ngx_hyperdrive_conf_validate_query(
    ngx_hyperdrive_conf_validate_t *v);
static ngx_int_t ngx_hyperdrive_conf_validate_said(
    ngx_hyperdrive_conf_validate_t *v, void *wire);
static ngx_int_t ngx_hyperdrive_conf_validate_send(
    ngx_hyperdrive_conf_validate_t *v);
static ngx_int_t ngx_hyperdrive_conf_validate_recv(
    ngx_hyperdrive_conf_validate_t *v);
static ngx_int_t ngx_hyperdrive_conf_validate_again(
    ngx_hyperdrive_conf_validate_t *v, ngx_int_t n);
static ngx_int_t ngx_hyperdrive_conf_validate_wait(
    ngx_hyperdrive_conf_validate_t *v, short events);
static void ngx_hyperdrive_conf_validate_end(
    ngx_hyperdrive_conf_validate_t *v);
static ngx_int_t ngx_hyperdrive_conf_validate_fail(
    ngx_hyperdrive_conf_validate_t *v, ngx_hyperdrive_conf_validate_e code,
    ngx_err_t err, char *reason);
static uint64_t ngx_hyperdrive_conf_validate_now(void);


ngx_int_t
ngx_hyperdrive_conf_validate(ngx_conf_t *cf, ngx_hyperdrive_main_conf_t *hmcf)
{
    ngx_int_t                       rc;
    ngx_uint_t                      i;
    ngx_flag_t                      validate;
    ngx_hyperdrive_srv_conf_t      *hscf, *stream;
    ngx_hyperdrive_origin_conf_t  **origins;

    rc = NGX_OK;

    if (ngx_process == NGX_PROCESS_SIGNALLER) {
        /* "nginx -s stop" reads the configuration, too */
        return rc;
    }

    stream = hmcf->srv_conf[ngx_stream_hyperdrive_module.ctx_index];
    origins = hmcf->origins.elts;

    /* all that is wrong is said, not the first only */

    for (i = 0; i < hmcf->origins.nelts; i++) {

        hscf = ngx_stream_conf_upstream_srv_conf(origins[i]->upstream,
                                                 ngx_stream_hyperdrive_module);

        validate = (hscf->validate == NGX_CONF_UNSET) ? stream->validate
                                                      : hscf->validate;
        if (validate == 1
            && ngx_hyperdrive_conf_validate_upstream(cf, origins[i]) != NGX_OK)
        {
            rc = NGX_ERROR;
        }
    }

    return rc;
}


static ngx_int_t
ngx_hyperdrive_conf_validate_upstream(ngx_conf_t *cf,
    ngx_hyperdrive_origin_conf_t *origin)
{
    ngx_uint_t                       i, failed;
    struct sigaction                 ignore, before;
    ngx_hyperdrive_origin_server_t  *server;

    failed = 0;

    /* nginx ignores it from later on only */

    ngx_memzero(&ignore, sizeof(struct sigaction));
    ignore.sa_handler = SIG_IGN;

    if (sigaction(SIGPIPE, &ignore, &before) == -1) {
        return NGX_ERROR;
    }

    server = origin->servers.elts;

    for (i = 0; i < origin->servers.nelts; i++) {

        if (!server[i].down) {
            failed += ngx_hyperdrive_conf_validate_server(cf, origin,
                                                          &server[i]);
        }
    }

    (void) sigaction(SIGPIPE, &before, NULL);

    return failed ? NGX_ERROR : NGX_OK;
}


/* how many of its addresses do not let us in */

static ngx_uint_t
ngx_hyperdrive_conf_validate_server(ngx_conf_t *cf,
    ngx_hyperdrive_origin_conf_t *origin,
    ngx_hyperdrive_origin_server_t *server)
{
    ngx_int_t                        rc;
    ngx_url_t                        u;
    ngx_uint_t                       i, failed;
    ngx_hyperdrive_conf_validate_t  *v, *first;

    v = ngx_pcalloc(cf->temp_pool, sizeof(ngx_hyperdrive_conf_validate_t));
    first = ngx_pcalloc(cf->temp_pool, sizeof(ngx_hyperdrive_conf_validate_t));

    if (v == NULL || first == NULL) {
        return 1;
    }

    v->buf = ngx_pnalloc(cf->temp_pool, NGX_HYPERDRIVE_CONF_VALIDATE_BUF);
    if (v->buf == NULL) {
        return 1;
    }

    v->origin = origin;
    v->server = server;
    v->log = cf->log;

    failed = 0;

    ngx_memzero(&u, sizeof(ngx_url_t));

    u.addrs = server->addrs;
    u.naddrs = server->naddrs;

    if (server->resolve) {

        /* by what the system knows, nginx's resolver needs events */

        u.url = server->name;

        if (ngx_parse_url(cf->temp_pool, &u) != NGX_OK) {

            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "origin \"%V\" of \"hyperdrive_origin\" in %s:%ui "
                          "is not valid: %ui: %s", &server->name,
                          server->file, server->line,
                          NGX_HYPERDRIVE_VALIDATE_NAME,
                          u.err ? u.err : "its name is not resolved");
            return 1;
        }
    }

    for (i = 0; i < u.naddrs; i++) {

        v->addr = &u.addrs[i];

        /* as sslmode has it; the first failure tells more than the second */

        if (server->ssl == NULL || v->addr->sockaddr->sa_family == AF_UNIX) {
            rc = ngx_hyperdrive_conf_validate_try(v, 0);

        } else if (server->sslmode == NGX_HYPERDRIVE_SSLMODE_ALLOW
                   || server->sslmode == NGX_HYPERDRIVE_SSLMODE_PREFER)
        {
            rc = ngx_hyperdrive_conf_validate_try(v,
                         server->sslmode == NGX_HYPERDRIVE_SSLMODE_PREFER);

            if (rc != NGX_OK && v->code != NGX_HYPERDRIVE_VALIDATE_CONNECT
                && v->code != NGX_HYPERDRIVE_VALIDATE_REFUSED)
            {
                *first = *v;
                rc = ngx_hyperdrive_conf_validate_try(v,
                         server->sslmode == NGX_HYPERDRIVE_SSLMODE_ALLOW);
                v->code = first->code;
                v->reason = first->reason;
                v->err = first->err;
                ngx_memcpy(v->message, first->message, sizeof(v->message));
            }

        } else {
            rc = ngx_hyperdrive_conf_validate_try(v, 1);
        }

        if (rc != NGX_OK) {
            failed++;
            ngx_hyperdrive_conf_validate_print(v);
        }
    }

    return failed;
}


static void
ngx_hyperdrive_conf_validate_print(ngx_hyperdrive_conf_validate_t *v)
{
    ngx_log_error(NGX_LOG_EMERG, v->log, v->err,
                  "origin \"%V\" (%V) of \"hyperdrive_origin\" in %s:%ui is "
                  "not valid: %ui: %s%s%s", &v->server->name, &v->addr->name,
                  v->server->file, v->server->line, v->code, v->reason,
                  v->message[0] ? ": " : "", v->message);
}


/* one connection, from its beginning to its end */

static ngx_int_t
ngx_hyperdrive_conf_validate_try(ngx_hyperdrive_conf_validate_t *v,
    ngx_uint_t tls)
{
    void       *keys;
    ngx_int_t   rc;

    v->deadline = ngx_hyperdrive_conf_validate_now()
                  + v->server->connect_timeout;
    v->fd = (ngx_socket_t) -1;
    v->pos = v->buf;
    v->last = v->buf;
    v->message[0] = '\0';

    ngx_memzero(&v->connection, sizeof(ngx_connection_t));
    ngx_memzero(&v->ssl, sizeof(ngx_ssl_connection_t));
    ngx_memzero(&v->login, sizeof(ngx_hyperdrive_proto_login_t));
    ngx_memzero(&v->out, sizeof(ngx_hyperdrive_chain_t));

    keys = NULL;
    v->login.keys = &keys;

    rc = ngx_hyperdrive_conf_validate_connect(v);

    if (rc == NGX_OK) {
        rc = ngx_hyperdrive_conf_validate_login(v, tls);
    }

    if (rc == NGX_OK) {
        rc = ngx_hyperdrive_conf_validate_query(v);
    }

    if (rc == NGX_DECLINED) {
        /* as far as it can be known without a client */
        rc = NGX_OK;
    }

    v->origin->proto->origin_login_free(&v->login);
    v->origin->proto->keys_free(&keys);

    ngx_hyperdrive_conf_validate_end(v);

    return rc;
}


static ngx_int_t
ngx_hyperdrive_conf_validate_connect(ngx_hyperdrive_conf_validate_t *v)
{
    int        err;
    socklen_t  len;

    v->fd = ngx_socket(v->addr->sockaddr->sa_family, SOCK_STREAM, 0);

    if (v->fd == (ngx_socket_t) -1 || ngx_nonblocking(v->fd) == -1) {
        return ngx_hyperdrive_conf_validate_fail(v,
                                            NGX_HYPERDRIVE_VALIDATE_CONNECT,
                                            ngx_socket_errno,
                                            "it could not be connected");
    }

    err = 0;

    if (connect(v->fd, v->addr->sockaddr, v->addr->socklen) == -1) {

        err = ngx_socket_errno;

        if (err == NGX_EINPROGRESS) {

            if (ngx_hyperdrive_conf_validate_wait(v, POLLOUT) != NGX_OK) {
                return ngx_hyperdrive_conf_validate_fail(v,
                                            NGX_HYPERDRIVE_VALIDATE_CONNECT,
                                            0, "it could not be connected in "
                                            "connect_timeout");
            }

            len = sizeof(int);

            if (getsockopt(v->fd, SOL_SOCKET, SO_ERROR, (void *) &err, &len)
                == -1)
            {
                err = ngx_socket_errno;
            }
        }
    }

    if (err == NGX_ECONNREFUSED || err == NGX_ENOENT) {
        return ngx_hyperdrive_conf_validate_fail(v,
                                            NGX_HYPERDRIVE_VALIDATE_REFUSED,
                                            err, "the connection is refused: "
                                            "nothing listens there");
    }

    if (err) {
        return ngx_hyperdrive_conf_validate_fail(v,
                                            NGX_HYPERDRIVE_VALIDATE_CONNECT,
                                            err, "it could not be connected");
    }

    return NGX_OK;
}


/*
 * NGX_DECLINED: it is up to the clients who logs in, or to which database; all
 * up to that is right.
 */

static ngx_int_t
ngx_hyperdrive_conf_validate_login(ngx_hyperdrive_conf_validate_t *v,
    ngx_uint_t tls)
{
    u_char                           hash[64];
    ngx_int_t                        rc;
    ngx_hyperdrive_origin_auth_t    *auth;
    ngx_hyperdrive_proto_login_t    *login;
    ngx_hyperdrive_origin_server_t  *server;

    login = &v->login;
    server = v->server;
    auth = v->origin->auth;

    login->user = server->user;
    login->password = server->password;
    login->database = v->origin->database;

    if (server->user.len == 0 && auth) {
        login->user = auth->user;
        login->password = auth->password;
        login->database = auth->database;
    }

    login->allow_clear = server->allow_clear;
    login->local = (v->addr->sockaddr->sa_family == AF_UNIX);
    login->request_tls = tls;
    login->require_tls = (tls && server->sslmode
                                 >= NGX_HYPERDRIVE_SSLMODE_REQUIRE);

    ngx_hyperdrive_origin_login_params(login, server);

    for ( ;; ) {

        rc = v->origin->proto->origin_login(login, &v->pos, v->last, &v->out);

        if (rc == NGX_ERROR) {

            rc = ngx_hyperdrive_conf_validate_refused(v);

            if ((v->code == NGX_HYPERDRIVE_VALIDATE_LOGIN
                 && login->user.len == 0)
                || (v->code == NGX_HYPERDRIVE_VALIDATE_DATABASE
                    && login->database.len == 0))
            {
                return NGX_DECLINED;
            }

            return rc;
        }

        if (rc == NGX_OK) {
            return NGX_OK;
        }

        if (ngx_hyperdrive_conf_validate_send(v) != NGX_OK) {
            return NGX_ERROR;
        }

        if (rc == NGX_DONE) {

            if (ngx_hyperdrive_conf_validate_handshake(v) != NGX_OK) {
                return NGX_ERROR;
            }

            login->tls = 1;
            login->cert_hash.data = hash;
            login->cert_hash.len = ngx_hyperdrive_origin_tls_cert_hash(
                                                     &v->connection, 0, hash);
            continue;
        }

        /* rc == NGX_AGAIN */

        if (ngx_hyperdrive_conf_validate_recv(v) != NGX_OK) {
            return NGX_ERROR;
        }
    }
}


static ngx_int_t
ngx_hyperdrive_conf_validate_refused(ngx_hyperdrive_conf_validate_t *v)
{
    u_char                          *state;
    ngx_hyperdrive_proto_login_t    *login;
    ngx_hyperdrive_conf_validate_e   code;

    login = &v->login;
    state = login->sqlstate;

    if (login->require_tls && !login->tls
        && ngx_strncmp(state, "08001", 5) == 0)
    {
        code = NGX_HYPERDRIVE_VALIDATE_TLS;

    } else if (ngx_strncmp(state, "28", 2) == 0
               || ngx_strncmp(state, "42501", 5) == 0)
    {
        code = NGX_HYPERDRIVE_VALIDATE_LOGIN;

    } else if (ngx_strncmp(state, "3D", 2) == 0
               || ngx_strncmp(state, "42000", 5) == 0)
    {
        code = NGX_HYPERDRIVE_VALIDATE_DATABASE;

    } else {
        code = NGX_HYPERDRIVE_VALIDATE_OTHER;
    }

    (void) ngx_cpystrn(v->message, login->message, sizeof(v->message));

    ngx_hyperdrive_base_plain(v->message, ngx_strlen(v->message));

    return ngx_hyperdrive_conf_validate_fail(v, code, 0, login->reason);
}


static ngx_int_t
ngx_hyperdrive_conf_validate_handshake(ngx_hyperdrive_conf_validate_t *v)
{
    int              n;
    char            *reason;
    ngx_int_t        rc;
    ngx_ssl_conn_t  *conn;

    conn = SSL_new(v->server->ssl->ctx);

    if (conn == NULL) {
        return ngx_hyperdrive_conf_validate_fail(v,
                                        NGX_HYPERDRIVE_VALIDATE_CERTIFICATE,
                                        0, "TLS could not be set up");
    }

    v->ssl.connection = conn;
    v->connection.ssl = &v->ssl;
    v->connection.log = v->log;

    if (SSL_set_fd(conn, v->fd) == 0
        || SSL_set_ex_data(conn, ngx_ssl_connection_index, &v->connection) == 0
        || ngx_hyperdrive_origin_tls_name(v->server, conn) != NGX_OK)
    {
        return ngx_hyperdrive_conf_validate_fail(v,
                                        NGX_HYPERDRIVE_VALIDATE_CERTIFICATE,
                                        0, "TLS could not be set up");
    }

    for ( ;; ) {
        ERR_clear_error();

        n = SSL_connect(conn);

        if (n == 1) {
            break;
        }

        rc = ngx_hyperdrive_conf_validate_again(v, n);

        if (rc != NGX_OK) {

            if (rc == NGX_ERROR) {
                ERR_error_string_n(ERR_peek_error(), (char *) v->message,
                                   sizeof(v->message));
            }

            return ngx_hyperdrive_conf_validate_fail(v,
                                        NGX_HYPERDRIVE_VALIDATE_CERTIFICATE,
                                        0, "the TLS handshake failed");
        }
    }

    reason = ngx_hyperdrive_origin_tls_verify(v->server, &v->connection,
                                              v->message, sizeof(v->message));

    if (reason) {
        return ngx_hyperdrive_conf_validate_fail(v,
                                        NGX_HYPERDRIVE_VALIDATE_CERTIFICATE,
                                        0, reason);
    }

    return NGX_OK;
}


/* it asks for nothing, and is answered */

static ngx_int_t
ngx_hyperdrive_conf_validate_query(ngx_hyperdrive_conf_validate_t *v)
{
    void                          *wire;
    u_char                         sqlstate[6];
    ngx_int_t                      rc;
    ngx_hyperdrive_proto_t        *proto;
    ngx_hyperdrive_proto_ctx_t     ctx;
    ngx_hyperdrive_proto_piece_t   piece;

    proto = v->origin->proto;

    ngx_memzero(&ctx, sizeof(ngx_hyperdrive_proto_ctx_t));
    ctx.statements = 1;

    wire = proto->origin_create(&ctx);

    if (wire == NULL
        || ngx_hyperdrive_conf_validate_said(v, wire) != NGX_OK
        || proto->origin_ping(wire, NGX_HYPERDRIVE_CONF_VALIDATE_TAG, &v->out)
           != NGX_OK)
    {
        rc = ngx_hyperdrive_conf_validate_fail(v, NGX_HYPERDRIVE_VALIDATE_QUERY,
                                               0, "no memory");
        goto done;
    }

    rc = ngx_hyperdrive_conf_validate_send(v);

    while (rc == NGX_OK && !proto->origin_idle(wire)) {

        rc = proto->answer(NULL, wire, &v->pos, v->last, 1, NULL, &piece);

        if (rc == NGX_AGAIN) {
            rc = ngx_hyperdrive_conf_validate_recv(v);
            continue;
        }

        if (rc == NGX_ERROR) {
            rc = ngx_hyperdrive_conf_validate_fail(v,
                                                NGX_HYPERDRIVE_VALIDATE_QUERY,
                                                0, (char *) piece.data);

        } else if (piece.type == NGX_HYPERDRIVE_PROTO_ERROR) {
            proto->error_text(&piece, sqlstate, v->message,
                              sizeof(v->message));

            ngx_hyperdrive_base_plain(v->message, ngx_strlen(v->message));

            rc = ngx_hyperdrive_conf_validate_fail(v,
                                                NGX_HYPERDRIVE_VALIDATE_QUERY,
                                                0, "an empty query failed");
        }
    }

    if (rc == NGX_OK) {
        proto->origin_terminate(&v->out);
        (void) ngx_hyperdrive_conf_validate_send(v);
    }

done:

    if (wire) {
        proto->origin_destroy(wire);
    }

    return rc;
}


/* what it has said of itself tells how to talk to it */

static ngx_int_t
ngx_hyperdrive_conf_validate_said(ngx_hyperdrive_conf_validate_t *v,
    void *wire)
{
    u_char                  *p;
    ngx_str_t                greeting;
    ngx_hyperdrive_block_t  *block;

    greeting.len = v->login.greeting.size;
    greeting.data = malloc(greeting.len + 1);

    if (greeting.data == NULL) {
        return NGX_ERROR;
    }

    p = greeting.data;

    for (block = v->login.greeting.head; block; block = block->next) {
        p = ngx_cpymem(p, block->pos, block->last - block->pos);
    }

    v->origin->proto->origin_said(wire, &greeting);

    free(greeting.data);

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_conf_validate_send(ngx_hyperdrive_conf_validate_t *v)
{
    ssize_t                  n;
    ngx_int_t                rc;
    ngx_hyperdrive_block_t  *block;

    while (v->out.size) {

        block = v->out.head;

        if (v->ssl.connection) {
            ERR_clear_error();
            n = SSL_write(v->ssl.connection, block->pos,
                          block->last - block->pos);

        } else {
            n = send(v->fd, block->pos, block->last - block->pos, 0);
        }

        if (n > 0) {
            ngx_hyperdrive_base_chain_consume(&v->out, n);
            continue;
        }

        rc = ngx_hyperdrive_conf_validate_again(v, n);

        if (rc != NGX_OK) {
            return ngx_hyperdrive_conf_validate_fail(v,
                          NGX_HYPERDRIVE_VALIDATE_OTHER, 0,
                          rc == NGX_AGAIN ? "no answer in connect_timeout"
                                          : "the connection was closed during "
                                            "the log-in");
        }
    }

    return NGX_OK;
}


/* more input, behind what has not been read */

static ngx_int_t
ngx_hyperdrive_conf_validate_recv(ngx_hyperdrive_conf_validate_t *v)
{
    size_t     len;
    ssize_t    n;
    ngx_int_t  rc;

    len = v->last - v->pos;

    ngx_memmove(v->buf, v->pos, len);

    v->pos = v->buf;
    v->last = v->buf + len;

    len = NGX_HYPERDRIVE_CONF_VALIDATE_BUF - len;

    if (len == 0) {
        return ngx_hyperdrive_conf_validate_fail(v,
                                                 NGX_HYPERDRIVE_VALIDATE_OTHER,
                                                 0, "a message is too long");
    }

    for ( ;; ) {

        if (v->ssl.connection) {
            ERR_clear_error();
            n = SSL_read(v->ssl.connection, v->last, len);

        } else {
            n = recv(v->fd, v->last, len, 0);
        }

        if (n > 0) {
            v->last += n;
            return NGX_OK;
        }

        rc = ngx_hyperdrive_conf_validate_again(v, n);

        if (rc != NGX_OK) {
            return ngx_hyperdrive_conf_validate_fail(v,
                          NGX_HYPERDRIVE_VALIDATE_OTHER, 0,
                          rc == NGX_AGAIN ? "no answer in connect_timeout"
                                          : "the connection was closed during "
                                            "the log-in");
        }
    }
}


/*
 * A call has returned <n>: waits until it is worth calling again.  NGX_OK;
 * NGX_AGAIN: the time is over; NGX_ERROR: the connection is.
 */

static ngx_int_t
ngx_hyperdrive_conf_validate_again(ngx_hyperdrive_conf_validate_t *v,
    ngx_int_t n)
{
    int        err;
    ngx_err_t  e;

    e = ngx_socket_errno;

    if (v->ssl.connection) {

        err = SSL_get_error(v->ssl.connection, n);

        if (err == SSL_ERROR_WANT_READ) {
            return ngx_hyperdrive_conf_validate_wait(v, POLLIN);
        }

        if (err == SSL_ERROR_WANT_WRITE) {
            return ngx_hyperdrive_conf_validate_wait(v, POLLOUT);
        }

        return NGX_ERROR;
    }

    if (n == -1 && e == NGX_EINTR) {
        return NGX_OK;
    }

    if (n == -1 && e == NGX_EAGAIN) {
        return ngx_hyperdrive_conf_validate_wait(v, v->out.size ? POLLOUT
                                                                : POLLIN);
    }

    return NGX_ERROR;
}


static ngx_int_t
ngx_hyperdrive_conf_validate_wait(ngx_hyperdrive_conf_validate_t *v,
    short events)
{
    int            n;
    uint64_t       now;
    struct pollfd  pfd;

    for ( ;; ) {
        now = ngx_hyperdrive_conf_validate_now();

        if (now >= v->deadline) {
            return NGX_AGAIN;
        }

        pfd.fd = v->fd;
        pfd.events = events;

        n = poll(&pfd, 1, (int) (v->deadline - now));

        if (n > 0) {
            return NGX_OK;
        }

        if (n == -1 && ngx_errno != NGX_EINTR) {
            return NGX_ERROR;
        }
    }
}


static void
ngx_hyperdrive_conf_validate_end(ngx_hyperdrive_conf_validate_t *v)
{
    ngx_hyperdrive_base_chain_clear(&v->out);

    if (v->ssl.connection) {
        SSL_free(v->ssl.connection);
        v->ssl.connection = NULL;
    }

    ERR_clear_error();

    if (v->fd != (ngx_socket_t) -1) {
        (void) ngx_close_socket(v->fd);
        v->fd = (ngx_socket_t) -1;
    }
}


static ngx_int_t
ngx_hyperdrive_conf_validate_fail(ngx_hyperdrive_conf_validate_t *v,
    ngx_hyperdrive_conf_validate_e code, ngx_err_t err, char *reason)
{
    v->code = code;
    v->err = err;
    v->reason = reason;

    return NGX_ERROR;
}


/* nginx's own time stands still meanwhile */

static uint64_t
ngx_hyperdrive_conf_validate_now(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_MONOTONIC, &ts);

    return (uint64_t) ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}
