
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session_catalog.h"
#include "session/ngx_hyperdrive_session_hold.h"
#include "session/ngx_hyperdrive_session_cache.h"
#include "session/ngx_hyperdrive_session_diag.h"
#include "session/ngx_hyperdrive_session_log.h"
#include "session/ngx_hyperdrive_session_policy.h"
#include "base/ngx_hyperdrive_base_plain.h"
#include <openssl/rand.h>


/* the last words to a client that does not read, milliseconds */
#define NGX_HYPERDRIVE_SESSION_LINGER    5000

#define NGX_HYPERDRIVE_SESSION_LOGIN_MAX 65536


static void ngx_hyperdrive_session_cleanup(void *data);
static void ngx_hyperdrive_session_login(ngx_hyperdrive_session_t *s);
static void ngx_hyperdrive_session_upgrade(ngx_hyperdrive_session_t *s);
static ngx_int_t ngx_hyperdrive_session_peek_tls(ngx_hyperdrive_session_t *s);
static ngx_int_t ngx_hyperdrive_session_check_alpn(
    ngx_hyperdrive_session_t *s);
static void ngx_hyperdrive_session_login_free(ngx_hyperdrive_session_t *s);
static void ngx_hyperdrive_session_greet(ngx_hyperdrive_session_t *s);
static ngx_int_t ngx_hyperdrive_session_code(ngx_hyperdrive_session_t *s);


ngx_module_t                   *ngx_hyperdrive_session_module;
ngx_hyperdrive_session_conf_t  *(*ngx_hyperdrive_session_conf)(
    ngx_stream_session_t *stream);


#if (NGX_DEBUG)

static ngx_str_t  ngx_hyperdrive_session_states[] = {
    ngx_string("login"),
    ngx_string("tls"),
    ngx_string("lookup"),
    ngx_string("greet"),
    ngx_string("ready"),
    ngx_string("wait"),
    ngx_string("batch"),
    ngx_string("flight"),
    ngx_string("held"),
    ngx_string("route"),
    ngx_string("active"),
    ngx_string("closing")
};

#endif


void
ngx_hyperdrive_session_init(ngx_stream_session_t *stream,
    ngx_hyperdrive_session_conf_t *conf)
{
    u_char                     hash[64];
    ngx_uint_t                 fresh;
    ngx_connection_t          *c;
    ngx_hyperdrive_session_t  *s;

    c = stream->connection;

    c->log->action = "logging a client in";

    s = ngx_stream_get_module_ctx(stream, (*ngx_hyperdrive_session_module));
    fresh = (s == NULL && conf->origin->proto->client_greet);

    if (s == NULL) {

        s = ngx_hyperdrive_session_create(stream, conf);
        if (s == NULL) {
            ngx_stream_finalize_session(stream,
                                        NGX_STREAM_INTERNAL_SERVER_ERROR);
            return;
        }

        if (ngx_hyperdrive_session_login_new(s) != NGX_OK) {
            ngx_stream_finalize_session(stream,
                                        NGX_STREAM_INTERNAL_SERVER_ERROR);
            return;
        }

        s->login->tls_offered = conf->tls;
        s->direct = (c->ssl != NULL);

        ngx_add_timer(c->read, conf->timeout.login);

    } else {
        ngx_hyperdrive_session_set_state(s, NGX_HYPERDRIVE_SESSION_LOGIN);

        if (!c->read->timer_set) {
            ngx_add_timer(c->read, conf->timeout.login);
        }
    }

    if (c->ssl && !s->login->tls) {
        s->login->tls = 1;

        if (s->direct && !fresh
            && ngx_hyperdrive_session_check_alpn(s) != NGX_OK)
        {
            return;
        }

        if (conf->tls_bound) {
            s->login->cert_hash.len = ngx_hyperdrive_origin_tls_cert_hash(c, 1,
                                                                       hash);
            s->login->cert_hash.data = ngx_pnalloc(c->pool, sizeof(hash));

            if (s->login->cert_hash.data == NULL) {
                ngx_hyperdrive_session_close(s);
                return;
            }

            ngx_memcpy(s->login->cert_hash.data, hash, sizeof(hash));
            s->login->tls_bound = (s->login->cert_hash.len != 0);
        }
    }

    c->read->handler = ngx_hyperdrive_session_login_handler;
    c->write->handler = ngx_hyperdrive_session_write_handler;

    if (fresh) {

        if (ngx_hyperdrive_session_greet_first(s) != NGX_DONE) {
            (void) ngx_hyperdrive_session_rearm(s);
        }

        return;
    }

    if (c->read->ready) {
        ngx_post_event(c->read, &ngx_posted_events);

    } else if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        ngx_hyperdrive_session_close(s);
    }
}


ngx_hyperdrive_session_t *
ngx_hyperdrive_session_create(ngx_stream_session_t *stream,
    ngx_hyperdrive_session_conf_t *conf)
{
    ngx_connection_t          *c;
    ngx_pool_cleanup_t        *cln;
    ngx_hyperdrive_session_t  *s;

    c = stream->connection;

    cln = ngx_pool_cleanup_add(c->pool, 0);
    s = ngx_pcalloc(c->pool, sizeof(ngx_hyperdrive_session_t));

    if (s == NULL || cln == NULL) {
        return NULL;
    }

    cln->handler = ngx_hyperdrive_session_cleanup;
    cln->data = s;

    s->stream = stream;
    s->conf = conf;
    s->net.connection = c;

    s->waiter.data = s;
    s->waiter.client = c;
    s->waiter.ready = ngx_hyperdrive_session_waiter_ready;
    s->waiter.failed = ngx_hyperdrive_session_waiter_failed;

    ngx_stream_set_ctx(stream, s, (*ngx_hyperdrive_session_module));

    ngx_hyperdrive_session_drain_add(s);

    return s;
}


/* a log-in that begins, with what is known before its first byte */

ngx_int_t
ngx_hyperdrive_session_login_new(ngx_hyperdrive_session_t *s)
{
    ngx_connection_t  *c;

    c = s->net.connection;

    s->login = calloc(1, sizeof(ngx_hyperdrive_proto_login_t));
    if (s->login == NULL) {
        return NGX_ERROR;
    }

    s->login->mock = ngx_hyperdrive_shm_secret();
    s->login->kinds = s->conf->kinds;
    s->login->nonce = s->key;
    s->login->local = (c->sockaddr->sa_family == AF_UNIX);

    if (s->login->local) {
        ngx_str_set(&s->login->host, "localhost");

    } else {
        s->login->host = c->addr_text;
    }

    return NGX_OK;
}


ngx_hyperdrive_session_t *
ngx_hyperdrive_session_of(ngx_connection_t *c)
{
    ngx_stream_session_t  *stream;

    stream = c->data;

    return ngx_stream_get_module_ctx(stream, (*ngx_hyperdrive_session_module));
}


/* the connection's pool goes: whatever happened, nothing is left behind */

static void
ngx_hyperdrive_session_cleanup(void *data)
{
    ngx_hyperdrive_session_t *s = data;

    ngx_hyperdrive_proto_t         *proto;
    ngx_hyperdrive_shm_counters_t  *counters;

    proto = s->conf->origin->proto;

    ngx_hyperdrive_origin_leave(&s->waiter);

    if (s->origin) {
        ngx_hyperdrive_session_detach(s);
    }

    ngx_hyperdrive_session_route_forget(s);
    ngx_hyperdrive_session_fill_drop(s);
    ngx_hyperdrive_session_batch_forget(s);
    ngx_hyperdrive_session_flight_forget(s);
    ngx_hyperdrive_session_hold_forget(s);
    ngx_hyperdrive_session_time_stop(s);

    ngx_hyperdrive_session_auth_leave(s);
    ngx_hyperdrive_session_login_free(s);

    if (s->log) {
        ngx_hyperdrive_session_log_free(s);
    }

    ngx_hyperdrive_session_settings_free(s);
    ngx_hyperdrive_session_diag_free(s);
    ngx_hyperdrive_session_policy_free(s);

    if (s->wire) {
        proto->client_destroy(s->wire);
        s->wire = NULL;
    }

    if (s->counted) {
        s->conf->origin->counters->clients--;
        s->counted = 0;
    }

    if (s->pooled) {
        /* the access log may still ask whose it was */
        ngx_hyperdrive_session_place_home(s);
        s->pool->refs--;
        s->pooled = 0;
    }

    ngx_hyperdrive_shm_client_remove(s->number);
    s->number = 0;

    ngx_hyperdrive_session_drain_remove(s);

    counters = s->conf->origin->counters;

    counters->bytes_from_clients += s->net.received;
    counters->bytes_to_clients += s->net.sent;

    s->net.received = 0;
    s->net.sent = 0;

    ngx_hyperdrive_net_free(&s->net);
}


/* what is needed for the log-in only, secrets among it */

static void
ngx_hyperdrive_session_login_free(ngx_hyperdrive_session_t *s)
{
    if (s->login) {
        s->conf->origin->proto->client_login_free(s->login);
        free(s->login);
        s->login = NULL;
    }

    if (s->secret.data) {
        ngx_explicit_memzero(s->secret.data, s->secret.len);
        free(s->secret.data);
        ngx_str_null(&s->secret);
    }
}


void
ngx_hyperdrive_session_set_state(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_state_e state)
{
    ngx_log_debug2(NGX_LOG_DEBUG_STREAM, s->net.connection->log, 0,
                   "hyperdrive session: %V -> %V",
                   &ngx_hyperdrive_session_states[s->state],
                   &ngx_hyperdrive_session_states[state]);

    if (s->state == NGX_HYPERDRIVE_SESSION_HELD && state != s->state) {
        ngx_hyperdrive_session_hold_forget(s);
    }

    s->state = state;

    ngx_hyperdrive_session_drain_state(s);
}


void
ngx_hyperdrive_session_login_handler(ngx_event_t *rev)
{
    ngx_int_t                  rc;
    ngx_hyperdrive_session_t  *s;

    s = ngx_hyperdrive_session_of(rev->data);

    if (rev->timedout) {
        s->conf->origin->counters->timeouts++;
        s->conf->origin->counters->login_failed++;

        ngx_hyperdrive_session_fatal(s, "57014",
                                     "canceling authentication due to "
                                     "timeout");
        return;
    }

    if (s->looked_up) {
        s->looked_up = 0;

        if (s->lookup_failed) {
            s->conf->origin->counters->login_failed++;
            ngx_hyperdrive_session_fatal(s, "08006",
                                         "the user could not be looked up");
            return;
        }

        ngx_hyperdrive_session_set_state(s, NGX_HYPERDRIVE_SESSION_LOGIN);
        ngx_hyperdrive_session_login(s);
        return;
    }

    if (ngx_hyperdrive_session_peek_tls(s) == NGX_DONE) {
        return;
    }

    s->net.ahead = s->login->ahead;

    rc = ngx_hyperdrive_net_recv(&s->net, NGX_HYPERDRIVE_SESSION_LOGIN_MAX);

    s->net.ahead = 0;

    switch (rc) {

    case NGX_OK:
        break;

    case NGX_AGAIN:
        (void) ngx_hyperdrive_session_rearm(s);
        return;

    case NGX_BUSY:
        ngx_hyperdrive_session_fatal(s, "08P01",
                                     "a start-up message is too long");
        return;

    default: /* NGX_DONE, NGX_ERROR */
        ngx_hyperdrive_session_close(s);
        return;
    }

    if (s->state == NGX_HYPERDRIVE_SESSION_GREET
        || s->state == NGX_HYPERDRIVE_SESSION_LOOKUP)
    {
        /* a pipelined request: it is kept until we are ready */
        (void) ngx_hyperdrive_session_rearm(s);
        return;
    }

    ngx_hyperdrive_session_login(s);
}


static void
ngx_hyperdrive_session_login(ngx_hyperdrive_session_t *s)
{
    ngx_int_t                      rc;
    ngx_connection_t              *c;
    ngx_hyperdrive_proto_t        *proto;
    ngx_hyperdrive_shm_counters_t *counters;

    c = s->net.connection;
    proto = s->conf->origin->proto;
    counters = s->conf->origin->counters;

    for ( ;; ) {

        rc = proto->client_login(s->login, &s->net.pos, s->net.last,
                                 &s->net.out);

        if (rc != NGX_BUSY) {
            break;
        }

        rc = ngx_hyperdrive_session_user(s);

        if (rc == NGX_DONE) {
            return;
        }

        if (rc == NGX_AGAIN) {
            (void) ngx_hyperdrive_session_rearm(s);
            return;
        }
    }

    switch (rc) {

    case NGX_OK:
        break;

    case NGX_DONE:
        ngx_hyperdrive_session_upgrade(s);
        return;

    case NGX_DECLINED:
        /* a cancel request: it has no answer */
        ngx_hyperdrive_session_cancel(&s->login->cancel_pid,
                                      &s->login->cancel_key);
        ngx_hyperdrive_session_close(s);
        return;

    case NGX_ERROR:
        counters->login_failed++;

        ngx_log_error(NGX_LOG_INFO, c->log, 0,
                      "hyperdrive: client refused: %s",
                      s->login->reason ? s->login->reason : "log-in failed");

        if (s->login->user.len) {
            ngx_hyperdrive_session_auth_wrong(s, &s->login->user);
        }

        ngx_hyperdrive_session_set_state(s, NGX_HYPERDRIVE_SESSION_CLOSING);
        (void) ngx_hyperdrive_session_rearm(s);
        return;

    default: /* NGX_AGAIN */
        (void) ngx_hyperdrive_session_rearm(s);
        return;
    }

    if (ngx_hyperdrive_session_identify(s) != NGX_OK) {
        return;
    }

    ngx_hyperdrive_session_greet(s);
}


/*
 * PostgreSQL 17: a client may begin with TLS right away, on the same port
 * (55.2.9 "SSL Session Encryption").  NGX_DONE: it does.
 */

static ngx_int_t
ngx_hyperdrive_session_peek_tls(ngx_hyperdrive_session_t *s)
{
    u_char             ch;
    ngx_connection_t  *c;

    c = s->net.connection;

    if (c->ssl || !s->conf->tls || s->login->state
        || s->conf->origin->proto->client_greet
        || s->state != NGX_HYPERDRIVE_SESSION_LOGIN
        || recv(c->fd, (char *) &ch, 1, MSG_PEEK) != 1
        || ch != 0x16)
    {
        return NGX_OK;
    }

    s->direct = 1;

    ngx_hyperdrive_session_upgrade(s);

    return NGX_DONE;
}


/* without ALPN another protocol's client could be led here */

static ngx_int_t
ngx_hyperdrive_session_check_alpn(ngx_hyperdrive_session_t *s)
{
    unsigned int          len;
    const unsigned char  *proto;

    SSL_get0_alpn_selected(s->net.connection->ssl->connection, &proto, &len);

    if (len) {
        return NGX_OK;
    }

    ngx_log_error(NGX_LOG_INFO, s->net.connection->log, 0,
                  "hyperdrive: client refused: direct TLS without ALPN");

    ngx_hyperdrive_session_close(s);

    return NGX_DONE;
}


/* nginx does the handshake and calls us again */

static void
ngx_hyperdrive_session_upgrade(ngx_hyperdrive_session_t *s)
{
    ngx_uint_t                    i, n;
    ngx_connection_t             *c;
    ngx_stream_core_main_conf_t  *cmcf;

    c = s->net.connection;

    if (ngx_hyperdrive_net_flush(&s->net) != NGX_OK
        || ngx_hyperdrive_net_keep(&s->net) != NGX_OK)
    {
        /* one byte could not be sent: not worth waiting for */
        ngx_hyperdrive_session_close(s);
        return;
    }

    ngx_hyperdrive_session_set_state(s, NGX_HYPERDRIVE_SESSION_TLS);

    cmcf = ngx_stream_get_module_main_conf(s->stream, ngx_stream_core_module);

    n = 0;

    for (i = 0; i < NGX_STREAM_SSL_PHASE; i++) {
        n += cmcf->phases[i].handlers.nelts;
    }

    if (c->read->timer_set) {
        ngx_del_timer(c->read);
    }

    s->stream->ssl = 1;
    s->stream->phase_handler = n;

    c->read->handler = ngx_stream_session_handler;

    ngx_stream_core_run_phases(s->stream);
}


static void
ngx_hyperdrive_session_greet(ngx_hyperdrive_session_t *s)
{
    u_char                         note[NGX_HYPERDRIVE_SHM_NOTE];
    ngx_int_t                      rc;
    ngx_str_t                      greeting;
    ngx_hyperdrive_origin_t       *o;
    ngx_hyperdrive_proto_error_t   err;

    if (!s->replication
        && ngx_hyperdrive_origin_greeting(s->pool,
                                     ngx_hyperdrive_session_settings_bucket(s),
                                     note, &greeting)
           == NGX_OK)
    {
        /* an origin has accepted just this lately: no need to ask it again */

        if (ngx_hyperdrive_session_welcome(s, &greeting) != NGX_OK) {
            return;
        }

        if (ngx_hyperdrive_session_process(s) == NGX_DONE) {
            return;
        }

        (void) ngx_hyperdrive_session_rearm(s);
        return;
    }

    ngx_hyperdrive_session_set_state(s, NGX_HYPERDRIVE_SESSION_GREET);

    s->waiter.bucket = ngx_hyperdrive_session_settings_bucket(s);

    rc = ngx_hyperdrive_origin_acquire(s->pool, &s->waiter, &o, &err);

    if (rc == NGX_OK) {

        if (s->replication) {
            /* one that was used is of no use */
            ngx_hyperdrive_origin_close(o, "did not say enough of itself");
            ngx_hyperdrive_session_fatal(s, "08006",
                                      "the database told too much of itself");
            return;
        }

        ngx_hyperdrive_session_greet_ready(s, o);
        return;
    }

    if (rc == NGX_ERROR) {
        ngx_hyperdrive_session_fatal(s, err.sqlstate, err.message);
        return;
    }

    (void) ngx_hyperdrive_session_rearm(s);
}


/* logged in: NGX_OK, or NGX_DONE: it is gone */

ngx_int_t
ngx_hyperdrive_session_welcome(ngx_hyperdrive_session_t *s,
    ngx_str_t *greeting)
{
    ngx_connection_t              *c;
    ngx_hyperdrive_proto_t        *proto;
    ngx_hyperdrive_origin_conf_t  *origin;

    c = s->net.connection;
    origin = s->conf->origin;
    proto = origin->proto;

    s->wire = proto->client_create(&origin->ctx, proto->mode(greeting),
                                   s->login);

    /* a protocol in which we speak first has used the key for that */

    if (s->wire == NULL
        || (proto->client_greet == NULL
            && RAND_bytes(s->key, sizeof(s->key)) != 1))
    {
        ngx_hyperdrive_session_close(s);
        return NGX_DONE;
    }

    proto->client_told(s->wire, greeting);

    s->key_len = s->login->key_len;

    proto->client_welcome(s->login, greeting,
                          ngx_hyperdrive_session_cancel_pid(s), s->key,
                          s->key_len, &s->net.out);

    ngx_hyperdrive_session_login_free(s);

    if (ngx_hyperdrive_session_code(s) != NGX_OK) {
        ngx_hyperdrive_session_close(s);
        return NGX_DONE;
    }

    if (c->read->timer_set) {
        ngx_del_timer(c->read);
    }

    origin->counters->clients_total++;

    if (ngx_hyperdrive_session_begin(s) != NGX_OK) {
        ngx_hyperdrive_session_close(s);
        return NGX_DONE;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_session_code(ngx_hyperdrive_session_t *s)
{
    ngx_int_t                     rc;
    ngx_hyperdrive_proto_t       *proto;
    ngx_hyperdrive_base_codec_t  *codec;

    proto = s->conf->origin->proto;

    if (proto->codec == NULL || s->net.coded) {
        return NGX_OK;
    }

    rc = proto->codec(s->wire, NULL, &codec);

    if (rc == NGX_OK) {
        rc = ngx_hyperdrive_net_code(&s->net, codec);
    }

    return (rc == NGX_ERROR) ? NGX_ERROR : NGX_OK;
}


ngx_int_t
ngx_hyperdrive_session_begin(ngx_hyperdrive_session_t *s)
{
    ngx_connection_t  *c;

    c = s->net.connection;

    s->conf->origin->counters->clients++;
    s->counted = 1;

    /* the first client of a database has its catalog read */

    (void) ngx_hyperdrive_session_catalog(s);

    c->log->action = "serving a client";
    c->read->handler = ngx_hyperdrive_session_read_handler;
    c->write->handler = ngx_hyperdrive_session_write_handler;

    ngx_hyperdrive_session_set_state(s, NGX_HYPERDRIVE_SESSION_READY);

    return s->replication ? NGX_OK : ngx_hyperdrive_session_time_start(s);
}


ngx_int_t
ngx_hyperdrive_session_greeted(ngx_hyperdrive_session_t *s)
{
    u_char     note[NGX_HYPERDRIVE_SHM_NOTE];
    ngx_str_t  greeting;

    if (ngx_hyperdrive_origin_greeting(s->pool, NULL, note, &greeting)
        != NGX_OK)
    {
        ngx_hyperdrive_session_fatal(s, "08006",
                                     "the database told too much of itself");
        return NGX_DONE;
    }

    return ngx_hyperdrive_session_welcome(s, &greeting);
}


void
ngx_hyperdrive_session_fatal(ngx_hyperdrive_session_t *s, char *sqlstate,
    char *message)
{
    ngx_str_t                     text;
    ngx_hyperdrive_proto_error_t  err;

    text.data = (u_char *) message;
    text.len = ngx_strlen(message);

    ngx_log_error(NGX_LOG_INFO, s->net.connection->log, 0,
                  "hyperdrive: client is closed: %V (%s)",
                  ngx_hyperdrive_base_plain_copy(&text), sqlstate);

    err.severity = "FATAL";
    err.sqlstate = sqlstate;
    err.message = message;
    err.hint = NULL;

    s->conf->origin->counters->errors_own++;
    s->total.errors++;

    if (!s->cut) {
        /* (in the middle of a row there is no room for it) */
        s->conf->origin->proto->error(s->wire, s->login, &err, &s->net.out);
    }

    if (s->log) {
        ngx_hyperdrive_session_log_fatal(s, sqlstate);
    }

    if (s->net.connection->ssl) {

        /* what it still sends is no answer to the end of TLS */

        s->net.connection->ssl->no_wait_shutdown = 1;
    }

    ngx_hyperdrive_session_set_state(s, NGX_HYPERDRIVE_SESSION_CLOSING);
    (void) ngx_hyperdrive_session_rearm(s);
}


void
ngx_hyperdrive_session_close(ngx_hyperdrive_session_t *s)
{
    ngx_stream_session_t  *stream;

    stream = s->stream;

    if (s->log) {
        ngx_hyperdrive_session_log_close(s);
    }

    ngx_hyperdrive_session_cleanup(s);

    ngx_stream_finalize_session(stream, NGX_STREAM_OK);
}


/* it is not the end of the connection: no log is written */

void
ngx_hyperdrive_session_moved(ngx_hyperdrive_session_t *s)
{
    ngx_pool_t        *pool;
    ngx_connection_t  *c;

    c = s->net.connection;
    pool = c->pool;

    /* the number leads to the other process now */

    s->number = 0;

    ngx_hyperdrive_session_cleanup(s);

#if (NGX_STAT_STUB)
    (void) ngx_atomic_fetch_add(ngx_stat_active, -1);
#endif

    ngx_close_connection(c);
    ngx_destroy_pool(pool);
}


ngx_int_t
ngx_hyperdrive_session_rearm(ngx_hyperdrive_session_t *s)
{
    ngx_connection_t  *c;

    c = s->net.connection;

    if (s->state == NGX_HYPERDRIVE_SESSION_CLOSING) {

        ngx_hyperdrive_origin_leave(&s->waiter);
        ngx_hyperdrive_session_route_forget(s);
        ngx_hyperdrive_session_batch_forget(s);
        ngx_hyperdrive_session_flight_forget(s);
        ngx_hyperdrive_session_hold_forget(s);
        ngx_hyperdrive_session_auth_leave(s);

        if (s->origin) {
            ngx_hyperdrive_session_detach(s);
        }

        switch (ngx_hyperdrive_net_flush(&s->net)) {

        case NGX_AGAIN:
            break;

        default: /* NGX_OK, NGX_ERROR */
            ngx_hyperdrive_session_close(s);
            return NGX_DONE;
        }

        s->net.pos = s->net.last;

        if (ngx_handle_write_event(c->write, 0) != NGX_OK) {
            ngx_hyperdrive_session_close(s);
            return NGX_DONE;
        }

        if (c->read->timer_set) {
            ngx_del_timer(c->read);
        }

        ngx_add_timer(c->read, NGX_HYPERDRIVE_SESSION_LINGER);
        c->read->handler = ngx_hyperdrive_session_read_handler;

    } else if (!ngx_hyperdrive_net_sent(&s->net)
               && ngx_hyperdrive_net_post_write(&s->net) != NGX_OK)
    {
        ngx_hyperdrive_session_close(s);
        return NGX_DONE;
    }

    if (ngx_hyperdrive_net_keep(&s->net) != NGX_OK
        || ngx_handle_read_event(c->read, 0) != NGX_OK)
    {
        ngx_hyperdrive_session_close(s);
        return NGX_DONE;
    }

    if (c->read->ready && !s->choked
        && !ngx_hyperdrive_session_waits(s)
        && s->net.last - s->net.pos < NGX_HYPERDRIVE_MAX_UNIT)
    {
        /* its event has come and gone, but not all has been read */

        ngx_hyperdrive_net_post_read(&s->net);
    }

    return NGX_OK;
}
