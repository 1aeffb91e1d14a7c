
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "origin/ngx_hyperdrive_origin.h"
#include <ngx_event_connect.h>


/* how long a CancelRequest may take, milliseconds */
#define NGX_HYPERDRIVE_ORIGIN_CANCEL     5000


/* a CancelRequest under way, with a connection of its own */

typedef struct {
    ngx_peer_connection_t           peer;
    ngx_hyperdrive_net_t            net;
    ngx_pool_t                     *memory;
    ngx_hyperdrive_origin_t        *origin;    /* NULL: gone */
    ngx_hyperdrive_proto_t         *proto;
    ngx_hyperdrive_origin_server_t *server;
    ngx_sockaddr_t                  sockaddr;
    uint32_t                        pid;
    ngx_str_t                       key;

    /* with TLS, as the connection has it: the log-in up to the handshake; or
       NULL: the request has been sent */
    ngx_hyperdrive_proto_login_t   *login;
} ngx_hyperdrive_origin_cancel_t;


static ngx_int_t ngx_hyperdrive_origin_cancel_get(ngx_peer_connection_t *pc,
    void *data);
static ngx_int_t ngx_hyperdrive_origin_cancel_tls(
    ngx_hyperdrive_origin_cancel_t *cancel);
static void ngx_hyperdrive_origin_cancel_handler(ngx_event_t *ev);
static ngx_int_t ngx_hyperdrive_origin_cancel_login(
    ngx_hyperdrive_origin_cancel_t *cancel);
static void ngx_hyperdrive_origin_cancel_handshaken(ngx_connection_t *c);
static void ngx_hyperdrive_origin_cancel_end(
    ngx_hyperdrive_origin_cancel_t *cancel);
static void ngx_hyperdrive_origin_cancel_free(
    ngx_hyperdrive_origin_cancel_t *cancel);


void
ngx_hyperdrive_origin_cancel(ngx_hyperdrive_origin_t *o)
{
    ngx_int_t                        rc;
    ngx_pool_t                      *memory;
    ngx_connection_t                *c;
    ngx_hyperdrive_origin_cancel_t  *cancel;

    if (o->cancel || o->extra) {
        return;
    }

    if (o->pool->conf->proto->origin_kill) {
        ngx_hyperdrive_origin_halt(o);
        return;
    }

    if (o->key.len == 0) {
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
    cancel->proto = o->pool->conf->proto;
    cancel->server = o->server;
    cancel->pid = o->pid;

    cancel->key.len = o->key.len;
    cancel->key.data = ngx_pstrdup(memory, &o->key);

    if (cancel->key.data == NULL
        || (o->net.connection && o->net.connection->ssl
            && ngx_hyperdrive_origin_cancel_tls(cancel) != NGX_OK))
    {
        ngx_hyperdrive_origin_cancel_free(cancel);
        return;
    }

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

        ngx_hyperdrive_origin_cancel_free(cancel);
        return;
    }

    c->data = cancel;
    c->pool = memory;
    c->read->handler = ngx_hyperdrive_origin_cancel_handler;
    c->write->handler = ngx_hyperdrive_origin_cancel_handler;

    cancel->net.connection = c;
    cancel->origin = o;
    o->cancel = cancel;

    if (cancel->login == NULL) {
        cancel->proto->origin_cancel(cancel->pid, &cancel->key,
                                     &cancel->net.out);
    }

    ngx_add_timer(c->write, NGX_HYPERDRIVE_ORIGIN_CANCEL);

    if (rc == NGX_OK) {
        ngx_post_event(c->write, &ngx_posted_events);
    }
}


static ngx_int_t
ngx_hyperdrive_origin_cancel_tls(ngx_hyperdrive_origin_cancel_t *cancel)
{
    cancel->login = ngx_pcalloc(cancel->memory,
                                sizeof(ngx_hyperdrive_proto_login_t));
    if (cancel->login == NULL) {
        return NGX_ERROR;
    }

    cancel->login->request_tls = 1;
    cancel->login->require_tls = 1;

    return ngx_hyperdrive_origin_cancel_login(cancel) == NGX_AGAIN
           ? NGX_OK : NGX_ERROR;
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

    if (cancel->login && rc == NGX_OK) {

        rc = ngx_hyperdrive_origin_cancel_login(cancel);

        if (rc == NGX_DONE) {

            rc = ngx_hyperdrive_origin_tls_start(cancel->server, c,
                                      ngx_hyperdrive_origin_cancel_handshaken);

            if (rc == NGX_OK) {
                ngx_hyperdrive_origin_cancel_handshaken(c);
                return;
            }

            if (rc == NGX_AGAIN) {
                return;
            }
        }

    } else {
        cancel->net.pos = cancel->net.last;
    }

    (void) ngx_hyperdrive_net_keep(&cancel->net);

    if ((rc == NGX_AGAIN || (rc == NGX_OK && cancel->login == NULL))
        && ngx_handle_read_event(ev, 0) == NGX_OK)
    {
        return;
    }

done:

    ngx_hyperdrive_origin_cancel_end(cancel);
}


/* NGX_DONE: the handshake is next */

static ngx_int_t
ngx_hyperdrive_origin_cancel_login(ngx_hyperdrive_origin_cancel_t *cancel)
{
    return cancel->proto->origin_login(cancel->login, &cancel->net.pos,
                                       cancel->net.last, &cancel->net.out);
}


static void
ngx_hyperdrive_origin_cancel_handshaken(ngx_connection_t *c)
{
    u_char                           message[256];
    char                            *reason;
    ngx_hyperdrive_origin_cancel_t  *cancel;

    cancel = c->data;

    reason = "the TLS handshake failed";

    if (c->ssl->handshaked) {
        reason = ngx_hyperdrive_origin_tls_verify(cancel->server, c, message,
                                                  sizeof(message));
    }

    if (reason) {
        ngx_log_error(NGX_LOG_ERR, c->log, 0,
                      "hyperdrive request to cancel at \"%V\" was not sent: "
                      "%s", cancel->peer.name, reason);

        ngx_hyperdrive_origin_cancel_end(cancel);
        return;
    }

    c->read->handler = ngx_hyperdrive_origin_cancel_handler;
    c->write->handler = ngx_hyperdrive_origin_cancel_handler;

    cancel->proto->origin_login_free(cancel->login);
    cancel->login = NULL;

    cancel->proto->origin_cancel(cancel->pid, &cancel->key, &cancel->net.out);

    ngx_post_event(c->write, &ngx_posted_events);
    ngx_hyperdrive_net_post_read(&cancel->net);
}


/* sent, or given up */

static void
ngx_hyperdrive_origin_cancel_end(ngx_hyperdrive_origin_cancel_t *cancel)
{
    ngx_connection_t         *c;
    ngx_hyperdrive_origin_t  *o;

    o = cancel->origin;
    c = cancel->net.connection;

    if (c->ssl) {
        c->ssl->no_wait_shutdown = 1;
        c->ssl->no_send_shutdown = 1;
        (void) ngx_ssl_shutdown(c);
    }

    ngx_close_connection(c);
    ngx_hyperdrive_origin_cancel_free(cancel);

    if (o) {
        ngx_hyperdrive_origin_cancel_done(o);
    }
}


void
ngx_hyperdrive_origin_cancel_done(ngx_hyperdrive_origin_t *o)
{
    o->cancel = NULL;

    if (o->state == NGX_HYPERDRIVE_ORIGIN_DRAIN
        && o->pool->conf->proto->origin_idle(o->wire))
    {
        /* only this was waited for */
        ngx_hyperdrive_origin_idle(o);

    } else if (o->state == NGX_HYPERDRIVE_ORIGIN_BUSY) {

        /* whoever has it may have held its next request back */
        (void) ngx_hyperdrive_net_post_write(&o->net);
    }
}


static void
ngx_hyperdrive_origin_cancel_free(ngx_hyperdrive_origin_cancel_t *cancel)
{
    if (cancel->login) {
        cancel->proto->origin_login_free(cancel->login);
    }

    ngx_hyperdrive_net_free(&cancel->net);
    ngx_destroy_pool(cancel->memory);
}


void
ngx_hyperdrive_origin_cancel_forget(ngx_hyperdrive_origin_t *o)
{
    ngx_hyperdrive_origin_cancel_t  *cancel;

    cancel = o->cancel;

    if (cancel == NULL) {
        return;
    }

    if (o->pool->conf->proto->origin_kill) {
        ((ngx_hyperdrive_origin_t *) o->cancel)->target = NULL;
        return;
    }

    cancel->origin = NULL;
}
