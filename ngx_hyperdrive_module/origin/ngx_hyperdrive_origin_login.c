
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "origin/ngx_hyperdrive_origin.h"
#include "base/ngx_hyperdrive_base_digest.h"
#include "base/ngx_hyperdrive_base_plain.h"


/* input that a log-in may leave unread, bytes */
#define NGX_HYPERDRIVE_ORIGIN_LOGIN_MAX  131072


static uint64_t ngx_hyperdrive_origin_credentials_stamp(ngx_str_t *password,
    ngx_str_t *token);
static void ngx_hyperdrive_origin_login(ngx_hyperdrive_origin_t *o);
static void ngx_hyperdrive_origin_handshaken(ngx_connection_t *c);
static void ngx_hyperdrive_origin_logged_in(ngx_hyperdrive_origin_t *o);
static ngx_int_t ngx_hyperdrive_origin_code(ngx_hyperdrive_origin_t *o);
static char *ngx_hyperdrive_origin_fits(ngx_hyperdrive_origin_t *o,
    ngx_str_t *greeting);


ngx_int_t
ngx_hyperdrive_origin_credentials(ngx_hyperdrive_pool_t *pool,
    ngx_str_t *password, ngx_str_t *token)
{
    ngx_str_t  p, t;

    if (password->len == 0 && token->len == 0) {

        /* shown by a certificate: what it has shown elsewhere stays */

        return NGX_OK;
    }

    if (pool->password.len == password->len
        && pool->token.len == token->len
        && (password->len == 0
            || ngx_memcmp(pool->password.data, password->data, password->len)
               == 0)
        && (token->len == 0
            || ngx_memcmp(pool->token.data, token->data, token->len) == 0))
    {
        return NGX_OK;
    }

    p.data = malloc(password->len + 1);
    t.data = malloc(token->len + 1);

    if (p.data == NULL || t.data == NULL) {
        free(p.data);
        free(t.data);
        return NGX_ERROR;
    }

    p.len = password->len;
    t.len = token->len;

    if (password->len) {
        ngx_memcpy(p.data, password->data, password->len);
    }

    if (token->len) {
        ngx_memcpy(t.data, token->data, token->len);
    }

    ngx_hyperdrive_origin_credentials_free(pool);

    pool->password = p;
    pool->token = t;
    pool->stamp = ngx_hyperdrive_origin_credentials_stamp(&p, &t);

    /* what failed, failed with others */
    pool->failures = 0;

    return NGX_OK;
}


static uint64_t
ngx_hyperdrive_origin_credentials_stamp(ngx_str_t *password, ngx_str_t *token)
{
    u_char    digest[2][NGX_HYPERDRIVE_BASE_DIGEST_SHA256];
    uint64_t  stamp;

    if (ngx_hyperdrive_base_digest_sha256(password->data, password->len,
                                          digest[0])
        != NGX_OK
        || ngx_hyperdrive_base_digest_sha256(token->data, token->len,
                                             digest[1])
           != NGX_OK
        || ngx_hyperdrive_base_digest_sha256(digest[0], sizeof(digest),
                                             digest[0])
           != NGX_OK)
    {
        /* none is like another: connections are made anew */
        return (uint64_t) ngx_random();
    }

    ngx_memcpy(&stamp, digest[0], sizeof(stamp));

    return stamp;
}


uint64_t
ngx_hyperdrive_origin_stamp(ngx_hyperdrive_origin_t *o)
{
    ngx_hyperdrive_pool_t  *pool;

    pool = o->pool;

    if (pool->user.len && pool->stamp == 0) {

        /* its user has shown nothing here yet, or a certificate only */

        return o->stamp;
    }

    return o->server->stamp ^ pool->stamp;
}


void
ngx_hyperdrive_origin_credentials_free(ngx_hyperdrive_pool_t *pool)
{
    if (pool->password.data) {
        ngx_explicit_memzero(pool->password.data, pool->password.len);
        free(pool->password.data);
    }

    if (pool->token.data) {
        ngx_explicit_memzero(pool->token.data, pool->token.len);
        free(pool->token.data);
    }

    ngx_str_null(&pool->password);
    ngx_str_null(&pool->token);
}


void
ngx_hyperdrive_origin_login_end(ngx_hyperdrive_origin_t *o)
{
    ngx_hyperdrive_proto_login_t  *login;

    login = o->login;

    if (login == NULL) {
        return;
    }

    o->pool->conf->proto->origin_login_free(login);

    if (o->pool->user.len) {

        if (login->password.data) {
            ngx_explicit_memzero(login->password.data, login->password.len);
        }

        if (login->token.data) {
            ngx_explicit_memzero(login->token.data, login->token.len);
        }

        free(login->password.data);
        free(login->token.data);
    }

    free(login);
    o->login = NULL;
}


/* connected: the log-in begins */

void
ngx_hyperdrive_origin_login_start(ngx_hyperdrive_origin_t *o)
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

    ngx_hyperdrive_origin_keepalive(o);

    login = calloc(1, sizeof(ngx_hyperdrive_proto_login_t));
    if (login == NULL) {
        ngx_hyperdrive_origin_refused(o, 0, "no memory");
        return;
    }

    o->login = login;
    o->stamp = server->stamp ^ pool->stamp;

    login->user = pool->user.len ? pool->user : server->user;
    login->database = pool->database;
    login->allow_clear = server->allow_clear;
    login->compress = server->compress;
    login->local = (o->sockaddr.sockaddr.sa_family == AF_UNIX);
    login->ask_role = (pool->conf->balancer || pool->conf->moves);

    if (pool->user.len) {

        /* others may be given to the pool while this one is under way */

        login->password.len = pool->password.len;
        login->password.data = malloc(pool->password.len + 1);

        login->token.len = pool->token.len;
        login->token.data = malloc(pool->token.len + 1);

        if (login->password.data == NULL || login->token.data == NULL) {
            ngx_hyperdrive_origin_refused(o, 0, "no memory");
            return;
        }

        if (pool->password.len) {
            ngx_memcpy(login->password.data, pool->password.data,
                       pool->password.len);
        }

        if (pool->token.len) {
            ngx_memcpy(login->token.data, pool->token.data, pool->token.len);
        }

        login->keys = &pool->keys;

    } else {
        login->password = server->password;
        login->keys = &server->keys;
    }

    login->nparams = pool->nparams;
    ngx_memcpy(login->params, pool->params,
               pool->nparams * sizeof(ngx_hyperdrive_proto_param_t));

    ngx_hyperdrive_origin_login_params(login, server);

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


void
ngx_hyperdrive_origin_login_params(ngx_hyperdrive_proto_login_t *login,
    ngx_hyperdrive_origin_server_t *server)
{
    ngx_uint_t  i;

    login->ask_key = server->ask_key;
    login->local_files = server->local_files;
    login->public_key = server->public_key;

    for (i = 0; i < login->nparams; i++) {

        if (login->params[i].name.len == sizeof("collation") - 1
            && ngx_strncmp(login->params[i].name.data, "collation",
                           login->params[i].name.len)
               == 0)
        {
            break;
        }
    }

    if (server->collation.len && i == login->nparams
        && login->nparams < NGX_HYPERDRIVE_PROTO_MAX_PARAMS)
    {
        ngx_str_set(&login->params[login->nparams].name, "collation");
        login->params[login->nparams++].value = server->collation;
    }

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

        rc = ngx_hyperdrive_origin_tls_start(o->server, c,
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
        return;
    }

    if (c->read->ready) {

        /* a greeting that was there as soon as the connection */

        ngx_hyperdrive_net_post_read(&o->net);
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

    reason = ngx_hyperdrive_origin_tls_verify(o->server, c, o->login->message,
                                              sizeof(o->login->message));

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
    char                           *reason;
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
    o->born = ngx_hyperdrive_origin_clock();

    reason = ngx_hyperdrive_origin_fits(o, &greeting);

    if (reason) {
        free(greeting.data);
        o->unfit = 1;
        ngx_hyperdrive_origin_refused(o, 0, reason);
        return;
    }

    pool->conf->proto->origin_said(o->wire, &greeting);

    if (ngx_hyperdrive_origin_code(o) != NGX_OK) {
        free(greeting.data);
        ngx_hyperdrive_origin_refused(o, 0, "no memory");
        return;
    }

    /* clients are told the same */

    free(pool->greeting.data);
    pool->greeting = greeting;

    (void) ngx_hyperdrive_shm_note_put(&pool->note, &greeting);

    if (pool->replica == NULL) {
        ngx_hyperdrive_origin_introduce(pool->conf, &greeting);
    }

    ngx_hyperdrive_origin_login_end(o);

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


static ngx_int_t
ngx_hyperdrive_origin_code(ngx_hyperdrive_origin_t *o)
{
    ngx_int_t                     rc;
    ngx_hyperdrive_proto_t       *proto;
    ngx_hyperdrive_base_codec_t  *codec;

    proto = o->pool->conf->proto;

    if (proto->codec == NULL) {
        return NGX_OK;
    }

    rc = proto->codec(NULL, o->wire, &codec);

    if (rc == NGX_OK) {
        rc = ngx_hyperdrive_net_code(&o->net, codec);
    }

    return (rc == NGX_ERROR) ? NGX_ERROR : NGX_OK;
}


/* whether it is what it should be: NULL, or what it is instead */

static char *
ngx_hyperdrive_origin_fits(ngx_hyperdrive_origin_t *o, ngx_str_t *greeting)
{
    char                           *name;
    u_char                          note[NGX_HYPERDRIVE_SHM_NOTE];
    ngx_str_t                       said;
    ngx_hyperdrive_pool_t          *pool, *primary;
    ngx_hyperdrive_proto_role_e     role;
    static u_char                   text[128];

    pool = o->pool;

    if (pool->replica == NULL && o->server->attrs == NGX_HYPERDRIVE_ORIGIN_ANY)
    {
        return NULL;
    }

    role = pool->conf->proto->role(greeting);

    switch (role) {

    case NGX_HYPERDRIVE_PROTO_ROLE_UNKNOWN:
        return "the database does not say whether it is a primary or a "
               "replica, as PostgreSQL 14 and later do";

    case NGX_HYPERDRIVE_PROTO_ROLE_REPLICA:

        if (pool->replica == NULL) {
            return "it is a replica, not the primary";
        }

        break;

    default:

        if (pool->replica) {
            return "it is not a replica";
        }

        if (role == NGX_HYPERDRIVE_PROTO_ROLE_READ_ONLY
            && o->server->attrs == NGX_HYPERDRIVE_ORIGIN_READ_WRITE)
        {
            return "it is read-only";
        }

        return NULL;
    }

    /* answers are to be the same, whoever gives them */

    primary = ngx_hyperdrive_origin_pool(pool->conf, &pool->user,
                                         &pool->database, pool->nparams,
                                         pool->params);

    if (primary == NULL
        || ngx_hyperdrive_origin_greeting(primary, NULL, note, &said)
           != NGX_OK)
    {
        return NULL;
    }

    name = pool->conf->proto->unlike(&said, greeting);

    if (name == NULL) {
        return NULL;
    }

    ngx_snprintf(text, sizeof(text), "it is set up otherwise than the primary: "
                 "%s is another one%Z", name);

    return (char *) text;
}


/*
 * This attempt came to nothing: the next server of the upstream, or the
 * waiters are told.
 */

void
ngx_hyperdrive_origin_refused(ngx_hyperdrive_origin_t *o, ngx_err_t err,
    char *reason)
{
    u_char                        *p, *last;
    ngx_uint_t                     permanent, again, level;
    ngx_hyperdrive_pool_t         *pool;
    ngx_hyperdrive_proto_login_t  *login;

    pool = o->pool;
    login = o->login;
    permanent = 0;
    again = 0;

    if (o->extra) {
        ngx_hyperdrive_origin_halt_end(o);
        return;
    }

    pool->conf->counters->origins_failed++;

    p = pool->reason;
    last = p + sizeof(pool->reason) - 1;

    if (o->server) {
        p = ngx_slprintf(p, last, "origin \"%V\": ", &o->server->name);
    }

    p = ngx_slprintf(p, last, "%s", reason);

    if (login && login->message[0]) {
        p = ngx_slprintf(p, last, ": %s", login->message);
    }

    if (err) {
        p = ngx_slprintf(p, last, " (%d: ", err);
        p = ngx_strerror(err, p, last - p);
        p = ngx_slprintf(p, last, ")");
    }

    *p = '\0';

    /* the database may repeat a name that its client has made up */
    ngx_hyperdrive_base_plain(pool->reason, p - pool->reason);

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

        again = again && !login->tls_alike;

        o->tls_tried |= login->request_tls;
        o->plain_tried |= !login->request_tls;

        ngx_hyperdrive_origin_login_end(o);
    }

    level = o->unfit ? NGX_LOG_INFO : NGX_LOG_ERR;

    ngx_log_error(level, ngx_cycle->log, 0,
                  "hyperdrive upstream \"%V\": %s, in state %V",
                  &pool->conf->name, pool->reason,
                  ngx_hyperdrive_origin_state(o));

    if (permanent) {
        /* who comes next is not let in by what was true before */
        ngx_hyperdrive_shm_note_delete(&pool->note);
    }

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

    /* nothing is wrong with one that is something else, and may change */

    ngx_hyperdrive_origin_unbalance(o, !o->unfit);

    o->unfit = 0;

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


void
ngx_hyperdrive_origin_login_read(ngx_hyperdrive_origin_t *o)
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
