
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "origin/ngx_hyperdrive_origin.h"
#include <ngx_event_connect.h>


/* how long a CancelRequest may take, milliseconds */
#define NGX_HYPERDRIVE_ORIGIN_CANCEL     5000


/* a CancelRequest under way, with a connection of its own */

typedef struct {
    ngx_peer_connection_t    peer;
    ngx_hyperdrive_net_t     net;
    ngx_pool_t              *memory;
    ngx_hyperdrive_origin_t *origin;    /* NULL: gone */
    ngx_sockaddr_t           sockaddr;
} ngx_hyperdrive_origin_cancel_t;


static ngx_int_t ngx_hyperdrive_origin_cancel_get(ngx_peer_connection_t *pc,
    void *data);
static void ngx_hyperdrive_origin_cancel_handler(ngx_event_t *ev);


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

    ngx_add_timer(c->write, NGX_HYPERDRIVE_ORIGIN_CANCEL);

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

    } else if (o->state == NGX_HYPERDRIVE_ORIGIN_BUSY) {

        /* whoever has it may have held its next request back */
        (void) ngx_hyperdrive_net_post_write(&o->net);
    }
}


void
ngx_hyperdrive_origin_cancel_forget(ngx_hyperdrive_origin_t *o)
{
    ngx_hyperdrive_origin_cancel_t  *cancel;

    cancel = o->cancel;

    if (cancel) {
        cancel->origin = NULL;
    }
}
