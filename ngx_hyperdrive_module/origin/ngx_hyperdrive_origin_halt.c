
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "origin/ngx_hyperdrive_origin.h"
#include <ngx_event_connect.h>


/*
 * A query is stopped by a statement, where the protocol has no request for
 * it: over a connection of its own to the same server, beside those of the
 * pool, which is closed behind it.  Behind the address there may be another
 * one, where the number is a stranger's: so it is asked first which it is.
 */


#define NGX_HYPERDRIVE_ORIGIN_HALT_TAG   1

/* how long the answer may take, milliseconds */
#define NGX_HYPERDRIVE_ORIGIN_HALT_TIME  5000

#define NGX_HYPERDRIVE_ORIGIN_HALT_TEXT  64


static ngx_int_t ngx_hyperdrive_origin_halt_get(ngx_peer_connection_t *pc,
    void *data);
static ngx_int_t ngx_hyperdrive_origin_halt_kill(ngx_hyperdrive_origin_t *k);
static void ngx_hyperdrive_origin_halt_read(ngx_hyperdrive_origin_t *o);
static void ngx_hyperdrive_origin_halt_write(ngx_hyperdrive_origin_t *o);


void
ngx_hyperdrive_origin_halt(ngx_hyperdrive_origin_t *o)
{
    ngx_int_t                 rc;
    ngx_connection_t         *c;
    ngx_peer_connection_t    *pc;
    ngx_hyperdrive_origin_t  *k;

    if (o->server == NULL || o->net.connection == NULL) {
        return;
    }

    k = calloc(1, sizeof(ngx_hyperdrive_origin_t));
    if (k == NULL) {
        return;
    }

    k->memory = ngx_create_pool(1024, ngx_cycle->log);
    pc = k->memory ? ngx_pcalloc(k->memory, sizeof(ngx_peer_connection_t))
                   : NULL;

    if (pc == NULL) {

        if (k->memory) {
            ngx_destroy_pool(k->memory);
        }

        free(k);
        return;
    }

    k->pool = o->pool;
    k->server = o->server;
    k->site = o->site;
    k->sockaddr = o->sockaddr;
    k->socklen = o->socklen;
    k->extra = 1;

    /* as the one that is to be stopped */

    k->tls_tried = (o->net.connection->ssl == NULL);
    k->plain_tried = !k->tls_tried;

    k->state = NGX_HYPERDRIVE_ORIGIN_STATES;
    ngx_hyperdrive_origin_set_state(k, NGX_HYPERDRIVE_ORIGIN_CONNECT);

    pc->sockaddr = &k->sockaddr.sockaddr;
    pc->socklen = k->socklen;
    pc->name = &k->server->name;
    pc->get = ngx_hyperdrive_origin_halt_get;
    pc->log = ngx_cycle->log;
    pc->log_error = NGX_ERROR_ERR;

    rc = ngx_event_connect_peer(pc);

    c = pc->connection;
    k->net.connection = c;

    if (rc != NGX_OK && rc != NGX_AGAIN) {
        ngx_hyperdrive_origin_free(k);
        return;
    }

    k->target = o;
    o->cancel = k;

    ngx_hyperdrive_origin_own(k);

    ngx_add_timer(c->read, k->server->connect_timeout);

    if (rc == NGX_OK) {
        ngx_hyperdrive_origin_login_start(k);
    }
}


static ngx_int_t
ngx_hyperdrive_origin_halt_get(ngx_peer_connection_t *pc, void *data)
{
    return NGX_OK;
}


void
ngx_hyperdrive_origin_halt_ready(ngx_hyperdrive_origin_t *k)
{
    ngx_int_t  rc;

    ngx_hyperdrive_origin_set_state(k, NGX_HYPERDRIVE_ORIGIN_BUSY);

    k->read = ngx_hyperdrive_origin_halt_read;
    k->write = ngx_hyperdrive_origin_halt_write;

    rc = ngx_hyperdrive_origin_name(k);

    if (rc == NGX_DECLINED) {
        rc = ngx_hyperdrive_origin_halt_kill(k);
    }

    if (rc != NGX_OK
        || ngx_hyperdrive_net_flush(&k->net) == NGX_ERROR
        || ngx_handle_write_event(k->net.connection->write, 0) != NGX_OK)
    {
        ngx_hyperdrive_origin_close(k, NULL);
        return;
    }

    ngx_add_timer(k->net.connection->read, NGX_HYPERDRIVE_ORIGIN_HALT_TIME);
}


/* NGX_DECLINED: there is nothing to be stopped here */

static ngx_int_t
ngx_hyperdrive_origin_halt_kill(ngx_hyperdrive_origin_t *k)
{
    u_char                    buf[NGX_HYPERDRIVE_ORIGIN_HALT_TEXT];
    ngx_str_t                 text;
    ngx_hyperdrive_origin_t  *o;

    o = k->target;

    if (o == NULL) {
        return NGX_DECLINED;
    }

    if ((!o->named || o->known)
        && (!k->known || k->home != ngx_hyperdrive_origin_home(o)))
    {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "hyperdrive origin %uD of \"%V\": its query is not "
                      "stopped, another server, or nobody knows which, has "
                      "answered at \"%V\"", o->pid,
                      &k->pool->conf->name, &k->server->name);
        return NGX_DECLINED;
    }

    k->halting = 1;

    text.data = buf;
    text.len = ngx_snprintf(buf, sizeof(buf),
                            k->pool->conf->proto->origin_kill, o->pid)
               - buf;

    return k->pool->conf->proto->origin_own(k->wire, &text,
                                         NGX_HYPERDRIVE_ORIGIN_HALT_TAG,
                                         NGX_HYPERDRIVE_PROTO_OWN_SYNC,
                                         &k->net.out);
}


static void
ngx_hyperdrive_origin_halt_read(ngx_hyperdrive_origin_t *k)
{
    ngx_int_t                      rc;
    ngx_hyperdrive_proto_piece_t   piece;

    if (k->net.connection->read->timedout) {
        ngx_hyperdrive_origin_close(k, "a query could not be stopped");
        return;
    }

    for ( ;; ) {

        rc = ngx_hyperdrive_origin_answer(k, NULL, 1, NULL, &piece);

        if (rc == NGX_OK && piece.type != NGX_HYPERDRIVE_PROTO_READY) {
            continue;
        }

        if (rc != NGX_AGAIN) {
            /* it has ended, or who was to be stopped had gone */
            break;
        }

        if (!k->naming && !k->halting
            && (ngx_hyperdrive_origin_halt_kill(k) != NGX_OK
                || ngx_hyperdrive_net_flush(&k->net) == NGX_ERROR
                || ngx_handle_write_event(k->net.connection->write, 0)
                   != NGX_OK))
        {
            break;
        }

        rc = ngx_hyperdrive_net_recv(&k->net, NGX_HYPERDRIVE_BLOCK);

        if (rc == NGX_AGAIN) {

            if (ngx_hyperdrive_net_keep(&k->net) == NGX_OK
                && ngx_handle_read_event(k->net.connection->read, 0) == NGX_OK)
            {
                return;
            }

            break;
        }

        if (rc != NGX_OK) {
            k->net.connection->error = 1;
            break;
        }
    }

    ngx_hyperdrive_origin_close(k, NULL);
}


static void
ngx_hyperdrive_origin_halt_write(ngx_hyperdrive_origin_t *k)
{
    if (ngx_hyperdrive_net_flush(&k->net) == NGX_ERROR
        || ngx_handle_write_event(k->net.connection->write, 0) != NGX_OK)
    {
        ngx_hyperdrive_origin_close(k, NULL);
    }
}


void
ngx_hyperdrive_origin_halt_end(ngx_hyperdrive_origin_t *k)
{
    ngx_hyperdrive_origin_t  *o;

    o = k->target;

    ngx_hyperdrive_origin_free(k);

    if (o) {
        ngx_hyperdrive_origin_cancel_done(o);
    }
}
