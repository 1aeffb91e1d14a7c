
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session_pass.h"
#include "session/ngx_hyperdrive_session_diag.h"
#include "base/ngx_hyperdrive_base_cursor.h"
#include "base/ngx_hyperdrive_base_mode.h"


/*
 * A client of another process comes to us, with its socket.  Its server {} is
 * the one that listens where the socket is bound, in our configuration; nginx
 * makes a stream session of it as if it had just connected, and we put in what
 * has happened since.
 */


/* what was sent; strings point into the message */

typedef struct {
    ngx_str_t                         farewell;
    uint32_t                          flags;
    ngx_str_t                         upstream;
    ngx_str_t                         pool;
    ngx_str_t                         user;
    uint32_t                          by;
    uint64_t                          proof;
    ngx_str_t                         password;
    ngx_str_t                         token;
    ngx_str_t                         key;
    uint32_t                          number;
    uint32_t                          cached;
    ngx_hyperdrive_session_totals_t   total;
    uint64_t                          connection;
    uint64_t                          start_sec;
    uint64_t                          start_msec;
    uint64_t                          sent;
    uint64_t                          since;
    ngx_str_t                         source;
    ngx_str_t                         destination;
    uint32_t                          source_port;
    uint32_t                          destination_port;
    ngx_str_t                         base;
    ngx_str_t                         committed;
    ngx_str_t                         diag;
    ngx_str_t                         input;
    ngx_str_t                         wire;
} ngx_hyperdrive_session_take_t;


static ngx_int_t ngx_hyperdrive_session_take_read(
    ngx_hyperdrive_session_take_t *take, u_char *p, u_char *last);
static ngx_listening_t *ngx_hyperdrive_session_take_listening(
    ngx_socket_t fd);
static ngx_connection_t *ngx_hyperdrive_session_take_connection(
    ngx_hyperdrive_session_take_t *take, ngx_socket_t fd);
static ngx_int_t ngx_hyperdrive_session_take_peer(ngx_connection_t *c);
static ngx_int_t ngx_hyperdrive_session_take_proxy(ngx_connection_t *c,
    ngx_hyperdrive_session_take_t *take);
static ngx_int_t ngx_hyperdrive_session_take_stream(ngx_connection_t *c);
static ngx_int_t ngx_hyperdrive_session_take_phases(
    ngx_stream_session_t *stream);
static ngx_hyperdrive_session_t *ngx_hyperdrive_session_take_session(
    ngx_connection_t *c, ngx_array_t *origins,
    ngx_hyperdrive_session_take_t *take);
static ngx_int_t ngx_hyperdrive_session_take_state(
    ngx_hyperdrive_session_t *s, ngx_array_t *origins,
    ngx_hyperdrive_session_take_t *take);
static ngx_int_t ngx_hyperdrive_session_take_settings(
    ngx_hyperdrive_session_t *s, ngx_hyperdrive_session_take_t *take);
static void ngx_hyperdrive_session_take_close(ngx_connection_t *c,
    ngx_str_t *farewell);


void
ngx_hyperdrive_session_take(ngx_array_t *origins, u_char *data, size_t len,
    ngx_socket_t fd)
{
    ngx_connection_t               *c;
    ngx_hyperdrive_session_t       *s;
    ngx_hyperdrive_session_take_t   take;

    if (fd == (ngx_socket_t) -1) {
        return;
    }

    ngx_memzero(&take, sizeof(ngx_hyperdrive_session_take_t));

    if (ngx_hyperdrive_session_take_read(&take, data, data + len) != NGX_OK) {
        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "hyperdrive: a client of another worker cannot be "
                      "read, it is closed");
        (void) ngx_close_socket(fd);
        return;
    }

    c = ngx_hyperdrive_session_take_connection(&take, fd);

    if (c == NULL) {
        return;
    }

    s = ngx_hyperdrive_session_take_session(c, origins, &take);

    if (s == NULL) {
        ngx_log_error(NGX_LOG_INFO, c->log, 0,
                      "hyperdrive: a client of another worker has no place "
                      "in this configuration, it is closed");

        ngx_hyperdrive_session_take_close(c, &take.farewell);
        return;
    }

    if (take.input.len
        && ngx_hyperdrive_net_unread(&s->net, take.input.data, take.input.len)
           != NGX_OK)
    {
        ngx_hyperdrive_session_close(s);
        return;
    }

    /* all of it has been copied, and there may be a password in it */

    ngx_explicit_memzero(data, len);

    if (ngx_hyperdrive_session_process(s) != NGX_DONE) {
        (void) ngx_hyperdrive_session_rearm(s);
    }
}


static ngx_int_t
ngx_hyperdrive_session_take_read(ngx_hyperdrive_session_take_t *take,
    u_char *p, u_char *last)
{
    uint32_t  version;
    uint64_t  waited;

    waited = 0;

    p = ngx_hyperdrive_base_read_u32(p, last, &version);

    if (p == NULL || version != NGX_HYPERDRIVE_SESSION_PASS_VERSION) {
        return NGX_ERROR;
    }

    p = ngx_hyperdrive_base_read_str(p, last, &take->farewell);
    p = ngx_hyperdrive_base_read_u32(p, last, &take->flags);
    p = ngx_hyperdrive_base_read_str(p, last, &take->upstream);
    p = ngx_hyperdrive_base_read_str(p, last, &take->pool);
    p = ngx_hyperdrive_base_read_str(p, last, &take->user);
    p = ngx_hyperdrive_base_read_u32(p, last, &take->by);
    p = ngx_hyperdrive_base_read_u64(p, last, &take->proof);
    p = ngx_hyperdrive_base_read_str(p, last, &take->password);
    p = ngx_hyperdrive_base_read_str(p, last, &take->token);
    p = ngx_hyperdrive_base_read_str(p, last, &take->key);
    p = ngx_hyperdrive_base_read_u32(p, last, &take->number);
    p = ngx_hyperdrive_base_read_u32(p, last, &take->cached);
    p = ngx_hyperdrive_base_read_u64(p, last, &take->total.queries);
    p = ngx_hyperdrive_base_read_u64(p, last, &take->total.hits);
    p = ngx_hyperdrive_base_read_u64(p, last, &take->total.misses);
    p = ngx_hyperdrive_base_read_u64(p, last, &take->total.errors);
    p = ngx_hyperdrive_base_read_u64(p, last, &waited);
    p = ngx_hyperdrive_base_read_u64(p, last, &take->connection);
    p = ngx_hyperdrive_base_read_u64(p, last, &take->start_sec);
    p = ngx_hyperdrive_base_read_u64(p, last, &take->start_msec);
    p = ngx_hyperdrive_base_read_u64(p, last, &take->sent);
    p = ngx_hyperdrive_base_read_u64(p, last, &take->since);

    take->total.waited = (ngx_msec_t) waited;

    if (take->flags & NGX_HYPERDRIVE_SESSION_PASS_PROXY) {
        p = ngx_hyperdrive_base_read_str(p, last, &take->source);
        p = ngx_hyperdrive_base_read_str(p, last, &take->destination);
        p = ngx_hyperdrive_base_read_u32(p, last, &take->source_port);
        p = ngx_hyperdrive_base_read_u32(p, last, &take->destination_port);
    }

    if (take->flags & NGX_HYPERDRIVE_SESSION_PASS_SETTINGS) {
        p = ngx_hyperdrive_base_read_str(p, last, &take->base);
        p = ngx_hyperdrive_base_read_str(p, last, &take->committed);
    }

    if (take->flags & NGX_HYPERDRIVE_SESSION_PASS_DIAG) {
        p = ngx_hyperdrive_base_read_str(p, last, &take->diag);
    }

    p = ngx_hyperdrive_base_read_str(p, last, &take->input);
    p = ngx_hyperdrive_base_read_str(p, last, &take->wire);

    return (p == last && take->key.len <= NGX_HYPERDRIVE_PROTO_MAX_KEY)
           ? NGX_OK : NGX_ERROR;
}


/* as ngx_event_accept() does it; NULL: it is closed */

static ngx_connection_t *
ngx_hyperdrive_session_take_connection(ngx_hyperdrive_session_take_t *take,
    ngx_socket_t fd)
{
    ngx_log_t         *log;
    ngx_connection_t  *c;
    ngx_listening_t   *ls;

    c = ngx_get_connection(fd, ngx_cycle->log);

    if (c == NULL) {
        /* (logged) */
        (void) send(fd, take->farewell.data, take->farewell.len,
                    MSG_DONTWAIT|MSG_NOSIGNAL);
        (void) ngx_close_socket(fd);
        return NULL;
    }

#if (NGX_STAT_STUB)
    (void) ngx_atomic_fetch_add(ngx_stat_active, 1);
#endif

    c->type = SOCK_STREAM;
    c->recv = ngx_recv;
    c->send = ngx_send;
    c->recv_chain = ngx_recv_chain;
    c->send_chain = ngx_send_chain;
    c->log = ngx_cycle->log;
    c->log_error = NGX_ERROR_INFO;

    /* the number that logs know it by */

    c->number = (ngx_atomic_uint_t) take->connection;
    c->sent = (off_t) take->sent;
    c->start_time = ngx_current_msec;

    c->read->log = c->log;
    c->write->log = c->log;
    c->write->ready = 1;

    ls = ngx_hyperdrive_session_take_listening(fd);

    c->pool = ngx_create_pool(ls ? ls->pool_size : 256, ngx_cycle->log);
    log = c->pool ? ngx_palloc(c->pool, sizeof(ngx_log_t)) : NULL;

    if (ls == NULL || log == NULL) {
        goto failed;
    }

    *log = ls->log;

    c->log = log;
    c->pool->log = log;
    c->read->log = log;
    c->write->log = log;

    c->listening = ls;
    c->local_sockaddr = ls->sockaddr;
    c->local_socklen = ls->socklen;

    if (ngx_hyperdrive_session_take_peer(c) != NGX_OK
        || ngx_hyperdrive_session_take_proxy(c, take) != NGX_OK
        || ngx_hyperdrive_session_take_stream(c) != NGX_OK)
    {
        goto failed;
    }

    return c;

failed:

    ngx_log_error(NGX_LOG_INFO, ngx_cycle->log, 0,
                  "hyperdrive: nobody listens any more where a client of "
                  "another worker has connected, it is closed");

    ngx_hyperdrive_session_take_close(c, &take->farewell);

    return NULL;
}


/* who listens where the socket is bound */

static ngx_listening_t *
ngx_hyperdrive_session_take_listening(ngx_socket_t fd)
{
    socklen_t         len;
    ngx_uint_t        i;
    in_port_t         port;
    ngx_sockaddr_t    sa;
    ngx_listening_t  *ls, *wildcard;

    len = sizeof(ngx_sockaddr_t);

    if (getsockname(fd, &sa.sockaddr, &len) == -1) {
        return NULL;
    }

    port = ngx_inet_get_port(&sa.sockaddr);
    wildcard = NULL;

    ls = ngx_cycle->listening.elts;

    for (i = 0; i < ngx_cycle->listening.nelts; i++) {

        if (ls[i].type != SOCK_STREAM
            || ls[i].sockaddr->sa_family != sa.sockaddr.sa_family)
        {
            continue;
        }

        if (ngx_cmp_sockaddr(ls[i].sockaddr, ls[i].socklen, &sa.sockaddr, len,
                             1)
            == NGX_OK)
        {
            return &ls[i];
        }

        if (sa.sockaddr.sa_family != AF_UNIX
            && ngx_inet_get_port(ls[i].sockaddr) == port
            && ngx_inet_wildcard(ls[i].sockaddr))
        {
            wildcard = &ls[i];
        }
    }

    return wildcard;
}


/* who is at the other end: not what the PROXY protocol says, which follows */

static ngx_int_t
ngx_hyperdrive_session_take_peer(ngx_connection_t *c)
{
    socklen_t        len;
    ngx_sockaddr_t   sa;

    len = sizeof(ngx_sockaddr_t);

    if (getpeername(c->fd, &sa.sockaddr, &len) == -1) {
        return NGX_ERROR;
    }

    c->sockaddr = ngx_palloc(c->pool, len);
    if (c->sockaddr == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(c->sockaddr, &sa, len);
    c->socklen = len;

    if (!c->listening->addr_ntop) {
        return NGX_OK;
    }

    c->addr_text.data = ngx_pnalloc(c->pool,
                                    c->listening->addr_text_max_len);
    if (c->addr_text.data == NULL) {
        return NGX_ERROR;
    }

    c->addr_text.len = ngx_sock_ntop(c->sockaddr, c->socklen,
                                     c->addr_text.data,
                                     c->listening->addr_text_max_len, 0);

    return c->addr_text.len ? NGX_OK : NGX_ERROR;
}


static ngx_int_t
ngx_hyperdrive_session_take_proxy(ngx_connection_t *c,
    ngx_hyperdrive_session_take_t *take)
{
    ngx_proxy_protocol_t  *pp;

    if (!(take->flags & NGX_HYPERDRIVE_SESSION_PASS_PROXY)) {
        return NGX_OK;
    }

    pp = ngx_pcalloc(c->pool, sizeof(ngx_proxy_protocol_t));
    if (pp == NULL) {
        return NGX_ERROR;
    }

    pp->src_addr.len = take->source.len;
    pp->src_addr.data = ngx_pstrdup(c->pool, &take->source);
    pp->dst_addr.len = take->destination.len;
    pp->dst_addr.data = ngx_pstrdup(c->pool, &take->destination);
    pp->src_port = (in_port_t) take->source_port;
    pp->dst_port = (in_port_t) take->destination_port;

    if (pp->src_addr.data == NULL || pp->dst_addr.data == NULL) {
        return NGX_ERROR;
    }

    c->proxy_protocol = pp;

    return NGX_OK;
}


/*
 * Has nginx make a stream session for it, and do nothing else: with the accept
 * mutex it posts the connection's event, instead of calling its handler.
 */

static ngx_int_t
ngx_hyperdrive_session_take_stream(ngx_connection_t *c)
{
    ngx_uint_t  mutex;

    if (c->listening->handler == NULL) {
        return NGX_ERROR;
    }

    mutex = ngx_use_accept_mutex;
    ngx_use_accept_mutex = 1;

    /* nor does it wait for a line of the PROXY protocol */

    c->read->ready = 1;

    c->listening->handler(c);

    ngx_use_accept_mutex = mutex;

    if (c->fd == (ngx_socket_t) -1) {
        return NGX_ERROR;
    }

    if (c->read->posted) {
        ngx_delete_posted_event(c->read);
    }

    /* what has come on the way is told when the event is armed */

    c->read->ready = 0;

    return NGX_OK;
}


/*
 * The address behind a balancer, limits of connections and rules of access, as
 * for a new connection; what counts connections may not refuse one that is
 * there, since it has been counted in the other worker a moment ago.
 */

static ngx_int_t
ngx_hyperdrive_session_take_phases(ngx_stream_session_t *stream)
{
    ngx_int_t                     rc;
    ngx_uint_t                    i, phase;
    ngx_stream_handler_pt        *handler;
    ngx_stream_core_main_conf_t  *cmcf;

    cmcf = ngx_stream_get_module_main_conf(stream, ngx_stream_core_module);

    for (phase = NGX_STREAM_POST_ACCEPT_PHASE;
         phase <= NGX_STREAM_ACCESS_PHASE;
         phase++)
    {
        handler = cmcf->phases[phase].handlers.elts;

        for (i = 0; i < cmcf->phases[phase].handlers.nelts; i++) {
            rc = handler[i](stream);

            if (phase != NGX_STREAM_PREACCESS_PHASE && rc != NGX_OK
                && rc != NGX_DECLINED)
            {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}


/* NULL: it has no place here */

static ngx_hyperdrive_session_t *
ngx_hyperdrive_session_take_session(ngx_connection_t *c, ngx_array_t *origins,
    ngx_hyperdrive_session_take_t *take)
{
    ngx_stream_session_t           *stream;
    ngx_hyperdrive_session_t       *s;
    ngx_hyperdrive_session_conf_t  *conf;

    stream = c->data;

    stream->ssl = 0;
    stream->start_sec = (time_t) take->start_sec;
    stream->start_msec = (ngx_msec_t) take->start_msec;

    conf = ngx_hyperdrive_session_conf(stream);

    if (conf == NULL
        || !ngx_hyperdrive_base_same(&conf->origin->name, &take->upstream)
        || ngx_hyperdrive_session_user_still(conf, &take->user, take->by,
                                             take->proof)
           != NGX_OK
        || ngx_hyperdrive_session_take_phases(stream) != NGX_OK)
    {
        return NULL;
    }

    s = ngx_hyperdrive_session_create(stream, conf);

    if (s == NULL
        || ngx_hyperdrive_session_take_state(s, origins, take) != NGX_OK
        || ngx_hyperdrive_session_begin(s) != NGX_OK)
    {
        /* the connection's pool frees it */
        return NULL;
    }

    ngx_hyperdrive_session_time_resume(s, (ngx_msec_t) take->since);

    return s;
}


static ngx_int_t
ngx_hyperdrive_session_take_state(ngx_hyperdrive_session_t *s,
    ngx_array_t *origins, ngx_hyperdrive_session_take_t *take)
{
    ngx_connection_t              *c;
    ngx_hyperdrive_pool_t         *pool;
    ngx_hyperdrive_origin_conf_t  *origin;

    c = s->net.connection;
    origin = s->conf->origin;

    pool = ngx_hyperdrive_origin_pass_pool(origins, take->pool.data,
                                           take->pool.len);

    if (pool == NULL || pool->conf != origin
        || (origin->per_user != 0) != (pool->user.len != 0)
        || (origin->database.len && !origin->proto->schemas
            && !ngx_hyperdrive_base_same(&origin->database, &pool->database)))
    {
        return NGX_ERROR;
    }

    s->pool = pool;
    pool->refs++;
    s->pooled = 1;

    if (origin->per_user
        && ngx_hyperdrive_origin_credentials(pool, &take->password,
                                             &take->token)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    s->user.len = take->user.len;
    s->user.data = ngx_pstrdup(c->pool, &take->user);

    if (s->user.data == NULL
        || ngx_hyperdrive_session_take_settings(s, take) != NGX_OK
        || (take->diag.len
            && ngx_hyperdrive_session_diag_take(s, take->diag.data,
                                                take->diag.data
                                                + take->diag.len)
               == NULL))
    {
        return NGX_ERROR;
    }

    s->wire = origin->proto->client_import(&origin->ctx, take->wire.data,
                                           take->wire.len);
    if (s->wire == NULL) {
        return NGX_ERROR;
    }

    s->key_len = take->key.len;
    ngx_memcpy(s->key, take->key.data, take->key.len);

    if (ngx_hyperdrive_shm_client_take(take->number,
                                       c - ngx_cycle->connections)
        == NGX_OK)
    {
        s->number = take->number;
    }

    s->by = take->by;
    s->proof = take->proof;
    s->total = take->total;
    s->cached = take->cached;
    s->deferred = take->flags & NGX_HYPERDRIVE_SESSION_PASS_DEFERRED;
    s->failed = ((take->flags & NGX_HYPERDRIVE_SESSION_PASS_FAILED) != 0);
    s->wild = ((take->flags & NGX_HYPERDRIVE_SESSION_PASS_WILD) != 0);

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_session_take_settings(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_take_t *take)
{
    ngx_hyperdrive_state_settings_t    *state;
    ngx_hyperdrive_session_settings_t  *settings;

    if (!(take->flags & NGX_HYPERDRIVE_SESSION_PASS_SETTINGS)) {
        return NGX_OK;
    }

    settings = calloc(1, sizeof(ngx_hyperdrive_session_settings_t));
    if (settings == NULL) {
        return NGX_ERROR;
    }

    s->settings = settings;
    state = &settings->state;

    settings->stays = (s->conf->origin->proto->dialect
                       & NGX_HYPERDRIVE_BASE_MODE_MYSQL) ? 1 : 0;

    if (ngx_hyperdrive_state_bucket_import(&state->base, take->base.data,
                                           take->base.len)
        != NGX_OK
        || ngx_hyperdrive_state_bucket_import(&state->committed,
                                              take->committed.data,
                                              take->committed.len)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    state->now = ngx_hyperdrive_state_bucket_ref(state->committed);

    return NGX_OK;
}


/* with a word to the client, which may be in the middle of sending */

static void
ngx_hyperdrive_session_take_close(ngx_connection_t *c, ngx_str_t *farewell)
{
    ngx_pool_t  *pool;

    if (c->fd == (ngx_socket_t) -1) {
        /* nginx has closed it */
        return;
    }

    (void) send(c->fd, farewell->data, farewell->len,
                MSG_DONTWAIT|MSG_NOSIGNAL);

#if (NGX_STAT_STUB)
    (void) ngx_atomic_fetch_add(ngx_stat_active, -1);
#endif

    pool = c->pool;

    ngx_close_connection(c);

    if (pool) {
        ngx_destroy_pool(pool);
    }
}
