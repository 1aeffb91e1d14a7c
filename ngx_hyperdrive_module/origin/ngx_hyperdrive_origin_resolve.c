
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "origin/ngx_hyperdrive_origin.h"


/*
 * Names that are resolved again, by nginx's resolver.
 *
 * nginx's balancers know a fixed list of peers.  So a server with "resolve"
 * has as many seats there, each with an address that stands for the seat:
 * 0.0.SERVER.SEAT, which no packet is ever sent to.  The addresses of now sit
 * on the first of them, in one order, those without are marked as down; what
 * the balancer keeps of a peer (weight, failures, connections) is the seat's.
 * When it has named a seat, the address that sits there is connected.
 */


/* a resolver that fails is asked again after, milliseconds */
#define NGX_HYPERDRIVE_ORIGIN_RESOLVE_AGAIN  2000

/* what was resolved before a reload is used so long until it is again, s */
#define NGX_HYPERDRIVE_ORIGIN_RESOLVE_NOTE   86400


/* a stream upstream, and what is behind it */

typedef struct {
    ngx_stream_upstream_t             upstream;
    ngx_event_get_peer_pt             get;
    ngx_hyperdrive_origin_t          *origin;
} ngx_hyperdrive_origin_resolve_upstream_t;


static void ngx_hyperdrive_origin_resolve_remember(
    ngx_hyperdrive_origin_server_t *server);
static void ngx_hyperdrive_origin_resolve_handler(ngx_event_t *ev);
static void ngx_hyperdrive_origin_resolved(ngx_resolver_ctx_t *ctx);
static ngx_uint_t ngx_hyperdrive_origin_resolve_take(
    ngx_hyperdrive_origin_server_t *server, ngx_resolver_ctx_t *ctx,
    ngx_sockaddr_t *addrs, socklen_t *lens);
static void ngx_hyperdrive_origin_resolve_set(
    ngx_hyperdrive_origin_server_t *server, ngx_sockaddr_t *addrs,
    socklen_t *lens, ngx_uint_t n);
static void ngx_hyperdrive_origin_resolve_seats(
    ngx_hyperdrive_origin_conf_t *conf);
static void ngx_hyperdrive_origin_resolve_peers(
    ngx_hyperdrive_origin_conf_t *conf, ngx_stream_upstream_srv_conf_t *uscf,
    ngx_uint_t role);
static void ngx_hyperdrive_origin_resolve_sites(
    ngx_hyperdrive_origin_conf_t *conf);
static void ngx_hyperdrive_origin_resolve_over(
    ngx_hyperdrive_origin_conf_t *conf);
static ngx_int_t ngx_hyperdrive_origin_resolve_get(ngx_peer_connection_t *pc,
    void *data);


ngx_int_t
ngx_hyperdrive_origin_resolve_start(ngx_hyperdrive_origin_conf_t *conf)
{
    ngx_uint_t                       i, n;
    ngx_hyperdrive_origin_server_t  *server;

    n = 0;
    server = conf->servers.elts;

    for (i = 0; i < conf->servers.nelts; i++) {

        if (server[i].resolve == NULL) {

            if (server[i].roles & NGX_HYPERDRIVE_ORIGIN_PRIMARY) {
                n += server[i].naddrs;
            }

            continue;
        }

        server[i].resolve->conf = conf;

        server[i].addrs = calloc(NGX_HYPERDRIVE_ORIGIN_SEATS,
                                 sizeof(ngx_addr_t));
        server[i].resolve->sockaddrs = calloc(NGX_HYPERDRIVE_ORIGIN_SEATS,
                                              sizeof(ngx_sockaddr_t));

        if (server[i].addrs == NULL || server[i].resolve->sockaddrs == NULL) {
            return NGX_ERROR;
        }

        ngx_hyperdrive_origin_resolve_remember(&server[i]);

        if (server[i].roles & NGX_HYPERDRIVE_ORIGIN_PRIMARY) {
            n += server[i].naddrs;
        }

        server[i].resolve->event.handler
                                      = ngx_hyperdrive_origin_resolve_handler;
        server[i].resolve->event.data = &server[i];
        server[i].resolve->event.log = ngx_cycle->log;
        server[i].resolve->event.cancelable = 1;

        ngx_add_timer(&server[i].resolve->event, 1);

        conf->resolves = 1;
    }

    if (conf->resolves) {
        conf->unresolved = (n == 0);
        ngx_hyperdrive_origin_resolve_seats(conf);
    }

    ngx_hyperdrive_origin_resolve_sites(conf);

    return NGX_OK;
}


/* what another process has found out, perhaps one of an older configuration */

static void
ngx_hyperdrive_origin_resolve_remember(ngx_hyperdrive_origin_server_t *server)
{
    u_char           buf[NGX_HYPERDRIVE_SHM_NOTE], *p;
    size_t           len;
    socklen_t        lens[NGX_HYPERDRIVE_ORIGIN_SEATS];
    ngx_uint_t       n;
    ngx_sockaddr_t   addrs[NGX_HYPERDRIVE_ORIGIN_SEATS];

    if (ngx_hyperdrive_shm_note_get(&server->resolve->key,
                                    NGX_HYPERDRIVE_ORIGIN_RESOLVE_NOTE,
                                    buf, sizeof(buf), &len)
        != NGX_OK)
    {
        return;
    }

    p = buf;

    for (n = 0;
         n < NGX_HYPERDRIVE_ORIGIN_SEATS
         && (size_t) (buf + len - p) >= sizeof(struct sockaddr_in6);
         n++)
    {
        ngx_memzero(&addrs[n], sizeof(ngx_sockaddr_t));
        ngx_memcpy(&addrs[n], p, sizeof(struct sockaddr_in6));
        p += sizeof(struct sockaddr_in6);

        lens[n] = addrs[n].sockaddr.sa_family == AF_INET
                  ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
    }

    ngx_hyperdrive_origin_resolve_set(server, addrs, lens, n);
}


static void
ngx_hyperdrive_origin_resolve_handler(ngx_event_t *ev)
{
    ngx_resolver_ctx_t               *ctx;
    ngx_hyperdrive_origin_server_t   *server;
    ngx_hyperdrive_origin_resolve_t  *resolve;

    server = ev->data;
    resolve = server->resolve;

    if (ngx_exiting) {
        return;
    }

    ctx = ngx_resolve_start(resolve->resolver, NULL);

    if (ctx == NULL || ctx == NGX_NO_RESOLVER) {
        goto failed;
    }

    ctx->name = server->host;
    ctx->handler = ngx_hyperdrive_origin_resolved;
    ctx->data = server;
    ctx->timeout = resolve->timeout;
    ctx->cancelable = 1;

    if (ngx_resolve_name(ctx) == NGX_OK) {
        return;
    }

failed:

    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "hyperdrive upstream \"%V\": the name of origin \"%V\" "
                  "cannot be resolved", &resolve->conf->name, &server->name);

    ngx_hyperdrive_origin_resolve_over(resolve->conf);

    ngx_add_timer(ev, NGX_HYPERDRIVE_ORIGIN_RESOLVE_AGAIN);
}


/* a name that is not resolved any more leads to where it did */

static void
ngx_hyperdrive_origin_resolved(ngx_resolver_ctx_t *ctx)
{
    socklen_t                         lens[NGX_HYPERDRIVE_ORIGIN_SEATS];
    ngx_uint_t                        n, level;
    ngx_msec_t                        again;
    ngx_sockaddr_t                    addrs[NGX_HYPERDRIVE_ORIGIN_SEATS];
    ngx_hyperdrive_origin_server_t   *server;
    ngx_hyperdrive_origin_resolve_t  *resolve;

    server = ctx->data;
    resolve = server->resolve;
    again = NGX_HYPERDRIVE_ORIGIN_RESOLVE_AGAIN;
    n = 0;

    if (ctx->state) {
        level = resolve->failed ? NGX_LOG_INFO : NGX_LOG_ERR;

        ngx_log_error(level, ngx_cycle->log, 0,
                      "hyperdrive upstream \"%V\": the name of origin \"%V\" "
                      "could not be resolved (%i: %s), %ui addresses are "
                      "known of before", &resolve->conf->name, &server->name,
                      ctx->state, ngx_resolver_strerror(ctx->state),
                      server->naddrs);

        resolve->failed = 1;

    } else {
        resolve->failed = 0;
        n = ngx_hyperdrive_origin_resolve_take(server, ctx, addrs, lens);

        if (ctx->valid > ngx_time()) {
            again = (ngx_msec_t) (ctx->valid - ngx_time()) * 1000;

        } else {
            again = 1000;
        }
    }

    ngx_resolve_name_done(ctx);

    if (n) {
        ngx_hyperdrive_origin_resolve_set(server, addrs, lens, n);
        ngx_hyperdrive_origin_resolve_seats(resolve->conf);
        ngx_hyperdrive_origin_resolve_sites(resolve->conf);
    }

    ngx_hyperdrive_origin_resolve_over(resolve->conf);

    if (!ngx_exiting) {
        ngx_add_timer(&resolve->event, again);
    }
}


/* in one order, whatever the resolver says: workers agree about the seats */

static ngx_uint_t
ngx_hyperdrive_origin_resolve_take(ngx_hyperdrive_origin_server_t *server,
    ngx_resolver_ctx_t *ctx, ngx_sockaddr_t *addrs, socklen_t *lens)
{
    ngx_uint_t       i, k, n;
    ngx_sockaddr_t   addr;

    n = 0;

    for (i = 0; i < ctx->naddrs; i++) {

        ngx_memzero(&addr, sizeof(ngx_sockaddr_t));

        if (ctx->addrs[i].socklen > sizeof(struct sockaddr_in6)) {
            continue;
        }

        ngx_memcpy(&addr, ctx->addrs[i].sockaddr, ctx->addrs[i].socklen);
        ngx_inet_set_port(&addr.sockaddr, server->port);

        for (k = n; k > 0; k--) {

            if (ngx_memcmp(&addrs[k - 1], &addr, sizeof(struct sockaddr_in6))
                <= 0)
            {
                break;
            }

            if (k < NGX_HYPERDRIVE_ORIGIN_SEATS) {
                addrs[k] = addrs[k - 1];
                lens[k] = lens[k - 1];
            }
        }

        if (k < NGX_HYPERDRIVE_ORIGIN_SEATS) {
            addrs[k] = addr;
            lens[k] = ctx->addrs[i].socklen;
        }

        if (n < NGX_HYPERDRIVE_ORIGIN_SEATS) {
            n++;
        }
    }

    return n;
}


static void
ngx_hyperdrive_origin_resolve_set(ngx_hyperdrive_origin_server_t *server,
    ngx_sockaddr_t *addrs, socklen_t *lens, ngx_uint_t n)
{
    u_char                            text[NGX_SOCKADDR_STRLEN];
    u_char                            note[NGX_HYPERDRIVE_ORIGIN_SEATS
                                           * sizeof(struct sockaddr_in6)];
    u_char                           *p;
    ngx_str_t                         value;
    ngx_uint_t                        i, same;
    ngx_hyperdrive_origin_resolve_t  *resolve;

    resolve = server->resolve;
    same = (n == server->naddrs);
    p = note;

    for (i = 0; i < n; i++) {

        if (same && ngx_memcmp(&resolve->sockaddrs[i], &addrs[i],
                               sizeof(ngx_sockaddr_t))
                    != 0)
        {
            same = 0;
        }

        p = ngx_cpymem(p, &addrs[i], sizeof(struct sockaddr_in6));
    }

    /* kept for processes that begin while the name is not resolved */

    value.data = note;
    value.len = p - note;

    (void) ngx_hyperdrive_shm_note_put(&resolve->key, &value);

    if (same) {
        return;
    }

    for (i = 0; i < n; i++) {
        resolve->sockaddrs[i] = addrs[i];

        server->addrs[i].sockaddr = &resolve->sockaddrs[i].sockaddr;
        server->addrs[i].socklen = lens[i];
        server->addrs[i].name = server->name;

        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "hyperdrive upstream \"%V\": origin \"%V\" is at %*s, "
                      "%ui of %ui", &resolve->conf->name, &server->name,
                      ngx_sock_ntop(&addrs[i].sockaddr, lens[i], text,
                                    NGX_SOCKADDR_STRLEN, 1),
                      text, i + 1, n);
    }

    server->naddrs = n;

    /* connections to others are not used any more */

    resolve->conf->moved++;
    resolve->conf->ordered = 1;

    ngx_post_event(&resolve->conf->event, &ngx_posted_events);
}


/* where replicas are by now */

static void
ngx_hyperdrive_origin_resolve_sites(ngx_hyperdrive_origin_conf_t *conf)
{
    ngx_uint_t                        i;
    ngx_addr_t                       *addr;
    ngx_hyperdrive_origin_replica_t  *replica;

    replica = conf->replicas.elts;

    for (i = 0; i < conf->replicas.nelts; i++) {

        replica[i].site = 0;

        if (ngx_hyperdrive_origin_replica_there(&replica[i])) {
            addr = &replica[i].server->addrs[replica[i].seat];
            replica[i].site = ngx_hyperdrive_origin_site(addr->sockaddr,
                                                          addr->socklen);
        }
    }
}


static void
ngx_hyperdrive_origin_resolve_seats(ngx_hyperdrive_origin_conf_t *conf)
{
    ngx_hyperdrive_origin_resolve_peers(conf, conf->upstream,
                                        NGX_HYPERDRIVE_ORIGIN_PRIMARY);

    if (conf->balancer) {
        ngx_hyperdrive_origin_resolve_peers(conf, conf->balancer,
                                            NGX_HYPERDRIVE_ORIGIN_REPLICA);
    }
}


/*
 * Seats without an address are down, so is none of the others.  A single
 * address is tried whatever happened, as nginx does it with a single peer.
 * Where peers are shared, all processes write the same.
 */

static void
ngx_hyperdrive_origin_resolve_peers(ngx_hyperdrive_origin_conf_t *conf,
    ngx_stream_upstream_srv_conf_t *uscf, ngx_uint_t role)
{
    ngx_uint_t                       i, n, seat;
    ngx_hyperdrive_origin_server_t  *server, *s;
    ngx_stream_upstream_rr_peer_t   *peer;
    ngx_stream_upstream_rr_peers_t  *peers;

    n = 0;
    server = conf->servers.elts;

    for (i = 0; i < conf->servers.nelts; i++) {

        if (!server[i].down && (server[i].roles & role)) {
            n += server[i].naddrs;
        }
    }

    for (peers = uscf->peer.data; peers; peers = peers->next) {

        for (peer = peers->peer; peer; peer = peer->next) {

            s = ngx_hyperdrive_origin_resolve_seat(conf, peer->sockaddr,
                                                   &seat);

            if (s == NULL || s->down) {
                continue;
            }

            peer->down = (seat >= s->naddrs);
            peer->max_fails = (n == 1) ? 0 : s->resolve->max_fails;
        }
    }
}


ngx_hyperdrive_origin_server_t *
ngx_hyperdrive_origin_resolve_seat(ngx_hyperdrive_origin_conf_t *conf,
    struct sockaddr *sockaddr, ngx_uint_t *seat)
{
    u_char                          *p;
    struct sockaddr_in              *sin;
    ngx_hyperdrive_origin_server_t  *server;

    if (sockaddr->sa_family != AF_INET) {
        return NULL;
    }

    sin = (struct sockaddr_in *) sockaddr;
    p = (u_char *) &sin->sin_addr.s_addr;

    if (p[0] != 0 || p[1] != 0 || p[2] >= conf->servers.nelts) {
        return NULL;
    }

    server = conf->servers.elts;

    if (server[p[2]].resolve == NULL) {
        return NULL;
    }

    *seat = p[3];

    return &server[p[2]];
}


/* those who wait for the first answer go on, to whatever there is */

static void
ngx_hyperdrive_origin_resolve_over(ngx_hyperdrive_origin_conf_t *conf)
{
    if (conf->unresolved) {
        conf->unresolved = 0;
        conf->ordered = 1;

        ngx_post_event(&conf->event, &ngx_posted_events);
    }
}


ngx_uint_t
ngx_hyperdrive_origin_resolve_moved(ngx_hyperdrive_origin_t *o)
{
    if (o->moved == o->pool->conf->moved) {
        return 0;
    }

    if (o->pool->replica ? o->site != o->pool->replica->site
                         : ngx_hyperdrive_origin_server(o->pool->conf,
                                                    &o->sockaddr.sockaddr,
                                                    o->socklen)
                           != o->server)
    {
        return 1;
    }

    o->moved = o->pool->conf->moved;

    return 0;
}


ngx_stream_upstream_t *
ngx_hyperdrive_origin_resolve_upstream(ngx_pool_t *memory)
{
    ngx_hyperdrive_origin_resolve_upstream_t  *u;

    u = ngx_pcalloc(memory, sizeof(ngx_hyperdrive_origin_resolve_upstream_t));

    return u ? &u->upstream : NULL;
}


void
ngx_hyperdrive_origin_resolve_wrap(ngx_stream_upstream_t *upstream,
    ngx_hyperdrive_origin_t *o)
{
    ngx_hyperdrive_origin_resolve_upstream_t  *u;

    if (o->pool->conf->resolves) {
        u = (ngx_hyperdrive_origin_resolve_upstream_t *) upstream;

        u->origin = o;
        u->get = upstream->peer.get;
        upstream->peer.get = ngx_hyperdrive_origin_resolve_get;
    }
}


/* asks the balancer, and puts the address in that sits on the seat */

static ngx_int_t
ngx_hyperdrive_origin_resolve_get(ngx_peer_connection_t *pc, void *data)
{
    ngx_int_t                                  rc;
    ngx_uint_t                                 seat;
    ngx_hyperdrive_origin_t                   *o;
    ngx_hyperdrive_origin_server_t            *server;
    ngx_hyperdrive_origin_resolve_upstream_t  *u;

    u = (ngx_hyperdrive_origin_resolve_upstream_t *)
            ((u_char *) pc - offsetof(ngx_stream_upstream_t, peer));
    o = u->origin;

    for ( ;; ) {
        rc = u->get(pc, data);

        if (rc != NGX_OK) {
            return rc;
        }

        server = ngx_hyperdrive_origin_resolve_seat(o->pool->conf,
                                                    pc->sockaddr, &seat);
        if (server == NULL) {
            return NGX_OK;
        }

        if (seat < server->naddrs) {
            o->socklen = server->addrs[seat].socklen;
            ngx_memcpy(&o->sockaddr, server->addrs[seat].sockaddr, o->socklen);

            pc->sockaddr = &o->sockaddr.sockaddr;
            pc->socklen = o->socklen;

            return NGX_OK;
        }

        /* another process knows more addresses than we do */

        pc->free(pc, data, 0);
        pc->sockaddr = NULL;

        if (pc->tries == 0) {
            return NGX_BUSY;
        }
    }
}
