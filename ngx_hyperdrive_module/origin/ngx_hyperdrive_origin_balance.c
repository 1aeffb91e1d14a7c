
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "origin/ngx_hyperdrive_origin.h"
#include "base/ngx_hyperdrive_base_hash.h"


/*
 * nginx's balancers work for a stream session and allocate from its
 * connection's pool.  An origin connection outlives the client for which it
 * was opened, so each has a shell of a session, in its own memory: just as
 * much as balancers read.
 */


static ngx_stream_session_t *ngx_hyperdrive_origin_balance_shell(
    ngx_pool_t *memory, ngx_connection_t *client);
static ngx_int_t ngx_hyperdrive_origin_balance_get(ngx_peer_connection_t *pc,
    void *data);
static void ngx_hyperdrive_origin_balance_free(ngx_peer_connection_t *pc,
    void *data, ngx_uint_t state);
static ngx_int_t ngx_hyperdrive_origin_balance_find(
    ngx_hyperdrive_origin_conf_t *conf, ngx_peer_connection_t *pc,
    ngx_uint_t *n);


ngx_int_t
ngx_hyperdrive_origin_balance(ngx_hyperdrive_origin_t *o,
    ngx_connection_t *client)
{
    ngx_stream_session_t            *s;
    ngx_stream_upstream_srv_conf_t  *uscf;

    s = ngx_hyperdrive_origin_balance_shell(o->memory, client);
    if (s == NULL) {
        return NGX_ERROR;
    }

    if (o->pool->replica) {

        /* whoever wants it has asked the balancer: _choose() */

        s->upstream->peer.get = ngx_hyperdrive_origin_balance_get;
        s->upstream->peer.free = ngx_hyperdrive_origin_balance_free;
        s->upstream->peer.data = o->pool->replica;
        s->upstream->peer.tries = 1;

    } else {
        uscf = o->pool->conf->upstream;

        if (uscf->peer.init(s, uscf) != NGX_OK) {
            return NGX_ERROR;
        }

        ngx_hyperdrive_origin_resolve_wrap(s->upstream, o);
    }

    s->upstream->peer.log = ngx_cycle->log;
    s->upstream->peer.log_error = NGX_ERROR_ERR;
    s->upstream->peer.start_time = ngx_current_msec;

    o->balance = s;

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_origin_balance_get(ngx_peer_connection_t *pc, void *data)
{
    ngx_hyperdrive_origin_replica_t *replica = data;

    ngx_addr_t  *addr;

    if (!ngx_hyperdrive_origin_replica_there(replica)) {
        return NGX_BUSY;
    }

    addr = &replica->server->addrs[replica->seat];

    pc->sockaddr = addr->sockaddr;
    pc->socklen = addr->socklen;
    pc->name = &replica->name;

    return NGX_OK;
}


static void
ngx_hyperdrive_origin_balance_free(ngx_peer_connection_t *pc, void *data,
    ngx_uint_t state)
{
    pc->tries = 0;
}


ngx_int_t
ngx_hyperdrive_origin_choose(ngx_hyperdrive_origin_conf_t *conf,
    ngx_connection_t *client,
    ngx_uint_t (*suits)(void *data, ngx_uint_t replica), void *data,
    ngx_hyperdrive_origin_choice_t *choice)
{
    ngx_uint_t              i, n;
    ngx_stream_session_t   *s;
    ngx_peer_connection_t  *pc;

    choice->memory = ngx_create_pool(1024, ngx_cycle->log);
    if (choice->memory == NULL) {
        return NGX_ERROR;
    }

    s = ngx_hyperdrive_origin_balance_shell(choice->memory, client);

    if (s == NULL || conf->balancer->peer.init(s, conf->balancer) != NGX_OK) {
        ngx_destroy_pool(choice->memory);
        choice->memory = NULL;
        return NGX_ERROR;
    }

    choice->balance = s;

    pc = &s->upstream->peer;
    pc->log = ngx_cycle->log;
    pc->start_time = ngx_current_msec;

    /* those that do not suit are given back: the balancer names others */

    for (i = 0; i < conf->replicas.nelts; i++) {

        if (pc->get(pc, pc->data) != NGX_OK) {
            break;
        }

        if (ngx_hyperdrive_origin_balance_find(conf, pc, &n) == NGX_OK
            && suits(data, n))
        {
            choice->replica = conf->replicas.elts;
            choice->replica += n;
            return NGX_OK;
        }

        pc->free(pc, pc->data, 0);

        if (pc->tries == 0) {
            break;
        }
    }

    ngx_destroy_pool(choice->memory);
    choice->memory = NULL;

    return NGX_DECLINED;
}


static ngx_int_t
ngx_hyperdrive_origin_balance_find(ngx_hyperdrive_origin_conf_t *conf,
    ngx_peer_connection_t *pc, ngx_uint_t *n)
{
    ngx_addr_t                       *addr;
    ngx_uint_t                        seat;
    ngx_hyperdrive_origin_server_t   *server;
    ngx_hyperdrive_origin_replica_t  *replica;

    server = ngx_hyperdrive_origin_resolve_seat(conf, pc->sockaddr, &seat);
    replica = conf->replicas.elts;

    for (*n = 0; *n < conf->replicas.nelts; (*n)++, replica++) {

        if (server) {

            if (replica->server == server && replica->seat == seat) {
                return ngx_hyperdrive_origin_replica_there(replica)
                       ? NGX_OK : NGX_DECLINED;
            }

            continue;
        }

        addr = &replica->server->addrs[replica->seat];

        if (replica->server->resolve == NULL
            && ngx_cmp_sockaddr(addr->sockaddr, addr->socklen, pc->sockaddr,
                                pc->socklen, 1)
               == NGX_OK)
        {
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


void
ngx_hyperdrive_origin_chosen(ngx_hyperdrive_origin_choice_t *choice,
    ngx_uint_t failed)
{
    ngx_peer_connection_t  *pc;

    if (choice->memory == NULL) {
        return;
    }

    pc = &choice->balance->upstream->peer;

    pc->free(pc, pc->data, failed ? NGX_PEER_FAILED : 0);

    ngx_destroy_pool(choice->memory);
    choice->memory = NULL;
}


static ngx_stream_session_t *
ngx_hyperdrive_origin_balance_shell(ngx_pool_t *memory,
    ngx_connection_t *client)
{
    ngx_connection_t             *c;
    ngx_stream_session_t         *s, *cs;
    ngx_stream_conf_ctx_t        *ctx;
    ngx_stream_core_main_conf_t  *cmcf;

    s = ngx_pcalloc(memory, sizeof(ngx_stream_session_t));
    c = ngx_pcalloc(memory, sizeof(ngx_connection_t));

    if (s == NULL || c == NULL) {
        return NULL;
    }

    ctx = (ngx_stream_conf_ctx_t *) ngx_get_conf(ngx_cycle->conf_ctx,
                                                 ngx_stream_module);

    s->signature = NGX_STREAM_MODULE;
    s->main_conf = ctx->main_conf;
    s->srv_conf = ctx->srv_conf;
    s->connection = c;
    s->start_sec = ngx_time();

    c->fd = (ngx_socket_t) -1;
    c->type = SOCK_STREAM;
    c->pool = memory;
    c->log = ngx_cycle->log;
    c->data = s;

    if (client) {

        cs = client->data;
        s->srv_conf = cs->srv_conf;

        c->sockaddr = ngx_palloc(memory, client->socklen);
        if (c->sockaddr == NULL) {
            return NULL;
        }

        ngx_memcpy(c->sockaddr, client->sockaddr, client->socklen);
        c->socklen = client->socklen;

        c->addr_text.len = client->addr_text.len;
        c->addr_text.data = ngx_pstrdup(memory, &client->addr_text);
        if (c->addr_text.data == NULL) {
            return NULL;
        }

    } else {
        c->sockaddr = ngx_pcalloc(memory, sizeof(struct sockaddr_in));
        if (c->sockaddr == NULL) {
            return NULL;
        }

        c->sockaddr->sa_family = AF_INET;
        c->socklen = sizeof(struct sockaddr_in);
        ngx_str_set(&c->addr_text, "0.0.0.0");
    }

    s->ctx = ngx_pcalloc(memory, sizeof(void *) * ngx_stream_max_module);
    if (s->ctx == NULL) {
        return NULL;
    }

    cmcf = ngx_stream_get_module_main_conf(s, ngx_stream_core_module);

    s->variables = ngx_pcalloc(memory,
                               cmcf->variables.nelts
                               * sizeof(ngx_stream_variable_value_t));
    s->upstream = ngx_hyperdrive_origin_resolve_upstream(memory);

    if (s->variables == NULL || s->upstream == NULL) {
        return NULL;
    }

    return s;
}


/* by its text: a structure may have bytes that do not count */

uint64_t
ngx_hyperdrive_origin_site(struct sockaddr *sockaddr, socklen_t socklen)
{
    size_t           len;
    u_char           text[NGX_SOCKADDR_STRLEN];
    uint64_t         site;

    static uint64_t  seed[2];

    len = ngx_sock_ntop(sockaddr, socklen, text, NGX_SOCKADDR_STRLEN, 1);

    site = ngx_hyperdrive_base_hash(seed, text, len)
           & NGX_HYPERDRIVE_ORIGIN_SITE_MASK;

    return site ? site : 1;
}


ngx_hyperdrive_origin_server_t *
ngx_hyperdrive_origin_server(ngx_hyperdrive_origin_conf_t *conf,
    struct sockaddr *sockaddr, socklen_t socklen)
{
    ngx_uint_t                       i, k;
    ngx_hyperdrive_origin_server_t  *server;

    server = conf->servers.elts;

    for (i = 0; i < conf->servers.nelts; i++) {

        for (k = 0; k < server[i].naddrs; k++) {

            if (ngx_cmp_sockaddr(server[i].addrs[k].sockaddr,
                                 server[i].addrs[k].socklen,
                                 sockaddr, socklen, 1)
                == NGX_OK)
            {
                return &server[i];
            }
        }
    }

    return NULL;
}


void
ngx_hyperdrive_origin_unbalance(ngx_hyperdrive_origin_t *o, ngx_uint_t failed)
{
    ngx_peer_connection_t  *pc;

    if (o->balance == NULL) {
        return;
    }

    pc = &o->balance->upstream->peer;

    if (pc->sockaddr) {
        pc->free(pc, pc->data, failed ? NGX_PEER_FAILED : 0);
        pc->sockaddr = NULL;
    }
}
