
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "origin/ngx_hyperdrive_origin.h"


#define NGX_HYPERDRIVE_ORIGIN_CHECK_TAG  1


static void ngx_hyperdrive_origin_keepalive_set(ngx_hyperdrive_origin_t *o,
    int level, int option, ngx_uint_t value, char *name);


void
ngx_hyperdrive_origin_keepalive(ngx_hyperdrive_origin_t *o)
{
    ngx_hyperdrive_origin_server_t  *server;

    server = o->server;

    if (o->sockaddr.sockaddr.sa_family == AF_UNIX) {
        return;
    }

    if (server->keepalives) {
        ngx_hyperdrive_origin_keepalive_set(o, SOL_SOCKET, SO_KEEPALIVE, 1,
                                            "SO_KEEPALIVE");
#if (NGX_HAVE_KEEPALIVE_TUNABLE)
        ngx_hyperdrive_origin_keepalive_set(o, IPPROTO_TCP, TCP_KEEPIDLE,
                                            server->keepalives_idle,
                                            "TCP_KEEPIDLE");
        ngx_hyperdrive_origin_keepalive_set(o, IPPROTO_TCP, TCP_KEEPINTVL,
                                            server->keepalives_interval,
                                            "TCP_KEEPINTVL");
        ngx_hyperdrive_origin_keepalive_set(o, IPPROTO_TCP, TCP_KEEPCNT,
                                            server->keepalives_count,
                                            "TCP_KEEPCNT");
#endif
    }

#ifdef TCP_USER_TIMEOUT
    ngx_hyperdrive_origin_keepalive_set(o, IPPROTO_TCP, TCP_USER_TIMEOUT,
                                        server->user_timeout,
                                        "TCP_USER_TIMEOUT");
#endif
}


static void
ngx_hyperdrive_origin_keepalive_set(ngx_hyperdrive_origin_t *o, int level,
    int option, ngx_uint_t value, char *name)
{
    int  n;

    if (value == 0) {
        return;
    }

    n = (int) value;

    if (setsockopt(o->net.connection->fd, level, option, (const void *) &n,
                   sizeof(int))
        == -1)
    {
        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, ngx_socket_errno,
                      "setsockopt(%s) failed", name);
    }
}


/*
 * It is asked as one whose client has left: what comes is nobody's, and when
 * nothing is owed any more it goes to whoever pends.
 */

ngx_int_t
ngx_hyperdrive_origin_check(ngx_hyperdrive_origin_t *o)
{
    ngx_connection_t  *c;

    if (o->pool->conf->check == 0
        || ngx_current_msec - o->used < o->pool->conf->check)
    {
        return NGX_OK;
    }

    c = o->net.connection;

    c->idle = 0;
    o->checking = 1;
    o->drained = 0;

    ngx_hyperdrive_origin_set_state(o, NGX_HYPERDRIVE_ORIGIN_DRAIN);

    if (o->pool->conf->proto->origin_ping(o->wire,
                                          NGX_HYPERDRIVE_ORIGIN_CHECK_TAG,
                                          &o->net.out)
        != NGX_OK
        || ngx_hyperdrive_net_flush(&o->net) == NGX_ERROR
        || ngx_handle_write_event(c->write, 0) != NGX_OK)
    {
        ngx_hyperdrive_origin_close(o, "could not be asked whether it is "
                                    "there");
        return NGX_AGAIN;
    }

    ngx_add_timer(c->read, o->server->connect_timeout);

    return NGX_AGAIN;
}


/*
 * Nothing ran there, so its place is free at once.  What is true of it is true
 * of all that were not used since.
 */

void
ngx_hyperdrive_origin_check_failed(ngx_hyperdrive_origin_t *o)
{
    ngx_uint_t                       n;
    ngx_queue_t                     *q, *next, *idle;
    ngx_hyperdrive_pool_t           *pool;
    ngx_hyperdrive_origin_t         *other;
    ngx_hyperdrive_origin_server_t  *server;

    pool = o->pool;
    server = o->server;
    idle = &pool->origins[NGX_HYPERDRIVE_ORIGIN_IDLE];
    n = 1;

    ngx_hyperdrive_origin_unbalance(o, 1);
    ngx_hyperdrive_origin_finalize(o);

    for (q = ngx_queue_head(idle); q != ngx_queue_sentinel(idle); q = next) {

        next = ngx_queue_next(q);
        other = ngx_queue_data(q, ngx_hyperdrive_origin_t, queue);

        if (other->server == server
            && ngx_current_msec - other->used >= pool->conf->check)
        {
            ngx_hyperdrive_origin_finalize(other);
            n++;
        }
    }

    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "hyperdrive upstream \"%V\": origin \"%V\" does not answer "
                  "on a connection that was idle, %ui of them are closed",
                  &pool->conf->name, &server->name, n);
}


void
ngx_hyperdrive_origin_supply(ngx_hyperdrive_pool_t *pool, ngx_uint_t max)
{
    ngx_uint_t                       n;
    ngx_queue_t                     *q;
    ngx_hyperdrive_origin_t         *o;
    ngx_hyperdrive_origin_waiter_t  *w;

    n = pool->norigins[NGX_HYPERDRIVE_ORIGIN_CONNECT]
        + pool->norigins[NGX_HYPERDRIVE_ORIGIN_HANDSHAKE]
        + pool->norigins[NGX_HYPERDRIVE_ORIGIN_LOGIN];

    for (q = ngx_queue_head(&pool->origins[NGX_HYPERDRIVE_ORIGIN_DRAIN]);
         q != ngx_queue_sentinel(&pool->origins[NGX_HYPERDRIVE_ORIGIN_DRAIN]);
         q = ngx_queue_next(q))
    {
        o = ngx_queue_data(q, ngx_hyperdrive_origin_t, queue);
        n += o->checking;
    }

    while (max-- && pool->npending > n
           && ngx_hyperdrive_origin_quota_place(pool) == NGX_OK)
    {
        w = ngx_queue_data(ngx_queue_last(&pool->pending),
                           ngx_hyperdrive_origin_waiter_t, queue);

        n++;
        ngx_hyperdrive_origin_open(pool, w->client);
    }
}
