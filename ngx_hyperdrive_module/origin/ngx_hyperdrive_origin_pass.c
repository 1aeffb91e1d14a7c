
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "origin/ngx_hyperdrive_origin.h"
#include "base/ngx_hyperdrive_base_cursor.h"
#include "peer/ngx_hyperdrive_peer.h"


/*
 * An idle connection moves to the worker that needs it, instead of being
 * closed here and opened there.  The message carries the socket and what is
 * to be known of the connection; its place in the limit moves first, so that
 * it is counted once at every moment.
 */

typedef struct {
    uint32_t                 key_len;       /* pool's key */
    uint32_t                 cancel_len;    /* cancel key */
    uint32_t                 bucket_len;    /* what it is set to */
    uint32_t                 state_len;     /* the protocol's own */
    uint32_t                 pid;
    uint32_t                 backend;
    uint64_t                 expires;
    uint64_t                 stamp;
    uint64_t                 opened;
    uint64_t                 home;
    uint64_t                 line;
    ngx_msec_t               since;
    uint32_t                 named;         /* 0; 1: by its address; 2 */
    socklen_t                socklen;
    ngx_sockaddr_t           sockaddr;

    ngx_hyperdrive_origin_quota_t  parts;
} ngx_hyperdrive_origin_pass_t;


static u_char *ngx_hyperdrive_origin_pass_read(u_char *data, size_t len,
    ngx_hyperdrive_origin_pass_t *pass);
static ngx_hyperdrive_origin_t *ngx_hyperdrive_origin_pass_create(
    ngx_hyperdrive_pool_t *pool, ngx_hyperdrive_origin_pass_t *pass,
    u_char *data, ngx_socket_t fd);


ngx_int_t
ngx_hyperdrive_origin_pass(ngx_hyperdrive_origin_t *o, ngx_uint_t slot)
{
    size_t                          len;
    u_char                         *p;
    ngx_int_t                       rc;
    ngx_uint_t                      idle;
    ngx_connection_t               *c;
    ngx_hyperdrive_pool_t          *pool;
    ngx_hyperdrive_origin_conf_t   *conf;
    ngx_hyperdrive_origin_pass_t    pass;
    static u_char                   body[NGX_HYPERDRIVE_PEER_MESSAGE];

    c = o->net.connection;
    pool = o->pool;
    conf = pool->conf;

    if (o->unknown || !ngx_hyperdrive_net_bare(&o->net) || c->read->eof
        || c->read->pending_eof || c->error || o->net.pos != o->net.last
        || o->net.out.size)
    {
        return NGX_DECLINED;
    }

    ngx_memzero(&pass, sizeof(ngx_hyperdrive_origin_pass_t));

    pass.key_len = pool->key.len;
    pass.cancel_len = o->key.len;
    pass.bucket_len = o->bucket ? o->bucket->len : 0;
    pass.pid = o->pid;
    pass.backend = o->backend;
    ngx_hyperdrive_origin_quota_parts(pool, &pass.parts);
    pass.expires = o->expires;
    pass.stamp = o->stamp;
    pass.opened = o->opened;
    pass.home = o->home;
    pass.line = o->line;
    pass.since = o->since;
    pass.named = o->named + o->known;
    pass.socklen = o->socklen;
    pass.sockaddr = o->sockaddr;

    len = sizeof(ngx_hyperdrive_origin_pass_t) + pool->key.len + o->key.len
          + pass.bucket_len;

    if (len >= sizeof(body)) {
        return NGX_DECLINED;
    }

    pass.state_len = conf->proto->origin_export(o->wire, body + len,
                                                sizeof(body) - len);
    if (pass.state_len == 0) {
        return NGX_DECLINED;
    }

    p = ngx_cpymem(body, &pass, sizeof(ngx_hyperdrive_origin_pass_t));
    p = ngx_cpymem(p, pool->key.data, pool->key.len);
    p = ngx_cpymem(p, o->key.data, o->key.len);

    if (o->bucket) {
        ngx_memcpy(p, o->bucket->data, o->bucket->len);
    }

    if (ngx_hyperdrive_shm_limit_pass(conf->limit, ngx_hyperdrive_shm_slot,
                                      slot)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    ngx_hyperdrive_shm_backend_pass(o->backend, slot);
    ngx_hyperdrive_origin_quota_pass(pool, ngx_hyperdrive_shm_slot, slot);

    /* who has got it may be asked for it before we go on */

    idle = (o->state == NGX_HYPERDRIVE_ORIGIN_IDLE);

    if (idle) {
        ngx_hyperdrive_origin_set_state(o, NGX_HYPERDRIVE_ORIGIN_DRAIN);
    }

    /*
     * epoll does not forget a socket that somebody else has open: the events
     * go before the message.
     */

    rc = NGX_DECLINED;

    if (ngx_del_conn && ngx_del_conn(c, 0) != NGX_OK) {
        goto failed;
    }

    rc = ngx_hyperdrive_peer_send(slot, NGX_HYPERDRIVE_PEER_ORIGIN, body,
                                  len + pass.state_len, c->fd);

    if (rc != NGX_OK) {

        if (ngx_add_conn && ngx_add_conn(c) != NGX_OK) {
            c->error = 1;
        }

        goto failed;
    }

    o->backend = 0;

    ngx_hyperdrive_origin_free(o);

    return NGX_OK;

failed:

    /* if it has died meanwhile, its places are free already, and so is this */

    if (ngx_hyperdrive_shm_limit_pass(conf->limit, slot,
                                      ngx_hyperdrive_shm_slot)
        != NGX_OK)
    {
        ngx_hyperdrive_origin_free(o);
        return NGX_OK;
    }

    ngx_hyperdrive_shm_backend_pass(o->backend, ngx_hyperdrive_shm_slot);
    ngx_hyperdrive_origin_quota_pass(pool, slot, ngx_hyperdrive_shm_slot);

    if (idle) {
        ngx_hyperdrive_origin_set_state(o, NGX_HYPERDRIVE_ORIGIN_IDLE);
    }

    return rc == NGX_AGAIN ? NGX_AGAIN : NGX_DECLINED;
}


void
ngx_hyperdrive_origin_take(ngx_array_t *confs, u_char *data, size_t len,
    ngx_socket_t fd)
{
    u_char                        *key;
    ngx_int_t                      rc;
    ngx_hyperdrive_pool_t         *pool;
    ngx_hyperdrive_origin_t       *o;
    ngx_hyperdrive_origin_conf_t  *conf;
    ngx_hyperdrive_origin_pass_t   pass;

    if (fd == (ngx_socket_t) -1) {
        return;
    }

    conf = NULL;

    key = ngx_hyperdrive_origin_pass_read(data, len, &pass);
    if (key == NULL) {
        goto failed;
    }

    conf = ngx_hyperdrive_origin_conf(confs, key,
                                      strnlen((char *) key, pass.key_len));
    pool = ngx_hyperdrive_origin_pass_pool(confs, key, pass.key_len);

    rc = ngx_hyperdrive_origin_quota_taken(pool, pass.backend, &pass.parts);

    if (pool == NULL) {
        goto failed;
    }

    o = ngx_hyperdrive_origin_pass_create(pool, &pass, key + pass.key_len, fd);
    if (o == NULL) {
        ngx_hyperdrive_origin_quota_give(pool);
        goto failed;
    }

    if (o->server == NULL) {
        ngx_hyperdrive_origin_close(o, "leads to a server that is not there "
                                    "any more");
        return;
    }

    if (rc != NGX_OK) {
        ngx_hyperdrive_origin_close(o, "is one above max_user or max_db");
        return;
    }

    if (pool->user.len && pool->stamp == 0 && pool->refs == 0) {

        /* by what they would log in now, its user's clients have yet to say */

        ngx_hyperdrive_origin_close(o, "nobody of its user is here");
        return;
    }

    /* (if its stamp is another one than ours, it is closed there) */

    ngx_hyperdrive_origin_idle(o);

    return;

failed:

    ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                  "hyperdrive: a connection of another worker is of no use "
                  "here");

    (void) ngx_close_socket(fd);

    if (key) {
        ngx_hyperdrive_shm_backend_remove(pass.backend);
    }

    if (conf) {
        ngx_hyperdrive_origin_place(conf);
    }
}


void
ngx_hyperdrive_origin_adopt(ngx_array_t *confs, ngx_uint_t slot, u_char *data,
    size_t len, ngx_socket_t fd)
{
    u_char                        *key;
    ngx_hyperdrive_pool_t         *pool;
    ngx_hyperdrive_origin_pass_t   pass;

    pool = NULL;
    key = ngx_hyperdrive_origin_pass_read(data, len, &pass);

    if (key) {
        pool = ngx_hyperdrive_origin_pass_pool(confs, key, pass.key_len);
    }

    if (pool
        && ngx_hyperdrive_shm_backend_adopt(pool->conf->limit, pass.backend,
                                            slot)
           == NGX_OK)
    {
        ngx_hyperdrive_origin_take(confs, data, len, fd);
        return;
    }

    (void) ngx_close_socket(fd);
}


/* the position of the pool's key, NULL: it is malformed */

static u_char *
ngx_hyperdrive_origin_pass_read(u_char *data, size_t len,
    ngx_hyperdrive_origin_pass_t *pass)
{
    if (len < sizeof(ngx_hyperdrive_origin_pass_t)) {
        return NULL;
    }

    ngx_memcpy(pass, data, sizeof(ngx_hyperdrive_origin_pass_t));

    if (len != sizeof(ngx_hyperdrive_origin_pass_t) + (size_t) pass->key_len
               + pass->cancel_len + pass->bucket_len + pass->state_len)
    {
        return NULL;
    }

    return data + sizeof(ngx_hyperdrive_origin_pass_t);
}


/*
 * The key is the upstream, the replica or nothing, user, database and pairs of
 * a name and a value.
 */

ngx_hyperdrive_pool_t *
ngx_hyperdrive_origin_pass_pool(ngx_array_t *confs, u_char *key, size_t len)
{
    u_char                           *p, *last;
    ngx_str_t                         s[4
                                        + NGX_HYPERDRIVE_PROTO_MAX_PARAMS * 2];
    ngx_uint_t                        i, n;
    ngx_hyperdrive_proto_param_t      params[NGX_HYPERDRIVE_PROTO_MAX_PARAMS];
    ngx_hyperdrive_origin_conf_t     *conf;
    ngx_hyperdrive_origin_replica_t  *replica;

    p = key;
    last = key + len;

    for (n = 0; p < last && n < sizeof(s) / sizeof(s[0]); n++) {
        s[n].data = p;
        s[n].len = strnlen((char *) p, last - p);
        p += s[n].len + 1;
    }

    if (p != last || n < 4 || (n - 4) % 2) {
        return NULL;
    }

    conf = ngx_hyperdrive_origin_conf(confs, s[0].data, s[0].len);
    if (conf == NULL) {
        return NULL;
    }

    replica = NULL;

    if (s[1].len) {
        replica = conf->replicas.elts;

        for (i = 0; i < conf->replicas.nelts; i++) {

            if (ngx_hyperdrive_base_same(&replica[i].name, &s[1])) {
                break;
            }
        }

        if (i == conf->replicas.nelts) {
            return NULL;
        }

        replica += i;
    }

    for (i = 0; 4 + 2 * i < n; i++) {
        params[i].name = s[4 + 2 * i];
        params[i].value = s[5 + 2 * i];
    }

    return ngx_hyperdrive_origin_pool_at(conf, replica, &s[2], &s[3], i,
                                         params);
}


static ngx_hyperdrive_origin_t *
ngx_hyperdrive_origin_pass_create(ngx_hyperdrive_pool_t *pool,
    ngx_hyperdrive_origin_pass_t *pass, u_char *data, ngx_socket_t fd)
{
    ngx_connection_t         *c;
    ngx_hyperdrive_proto_t   *proto;
    ngx_hyperdrive_origin_t  *o;

    proto = pool->conf->proto;

    o = calloc(1, sizeof(ngx_hyperdrive_origin_t));
    if (o == NULL) {
        return NULL;
    }

    o->pool = pool;
    o->pid = pass->pid;
    o->backend = pass->backend;
    o->expires = pass->expires;
    o->stamp = pass->stamp;
    o->opened = pass->opened;
    o->home = pass->home;
    o->line = pass->line;
    o->since = pass->since;
    o->named = (pass->named != 0);
    o->known = (pass->named == 2);
    o->born = ngx_hyperdrive_origin_clock();
    o->drawn = NGX_HYPERDRIVE_ORIGIN_ANYBODYS;
    o->socklen = pass->socklen;
    o->sockaddr = pass->sockaddr;
    o->server = ngx_hyperdrive_origin_server(pool->conf,
                                             &o->sockaddr.sockaddr,
                                             o->socklen);
    o->site = ngx_hyperdrive_origin_site(&o->sockaddr.sockaddr, o->socklen);

    o->memory = ngx_create_pool(1024, ngx_cycle->log);
    o->wire = proto->origin_create(&pool->conf->ctx);

    if (o->memory == NULL || o->wire == NULL) {
        goto failed;
    }

    o->key.len = pass->cancel_len;
    o->key.data = ngx_pnalloc(o->memory, pass->cancel_len + 1);

    if (o->key.data == NULL
        || ngx_hyperdrive_state_bucket_import(&o->bucket,
                                              data + pass->cancel_len,
                                              pass->bucket_len)
           != NGX_OK
        || proto->origin_import(o->wire, data + pass->cancel_len
                                         + pass->bucket_len,
                                pass->state_len)
           != NGX_OK)
    {
        goto failed;
    }

    ngx_memcpy(o->key.data, data, pass->cancel_len);

    c = ngx_get_connection(fd, ngx_cycle->log);
    if (c == NULL) {
        goto failed;
    }

    c->type = SOCK_STREAM;
    c->recv = ngx_recv;
    c->send = ngx_send;
    c->recv_chain = ngx_recv_chain;
    c->send_chain = ngx_send_chain;
    c->number = ngx_atomic_fetch_add(ngx_connection_counter, 1);

    o->net.connection = c;
    o->state = NGX_HYPERDRIVE_ORIGIN_STATES;

    ngx_hyperdrive_origin_own(o);

    c->write->ready = 1;

    if (ngx_add_conn == NULL || ngx_add_conn(c) != NGX_OK) {
        ngx_free_connection(c);
        goto failed;
    }

    /* counted as busy until it is known whose it is */

    ngx_hyperdrive_origin_set_state(o, NGX_HYPERDRIVE_ORIGIN_DRAIN);

    return o;

failed:

    ngx_hyperdrive_state_bucket_unref(o->bucket);

    if (o->wire) {
        proto->origin_destroy(o->wire);
    }

    if (o->memory) {
        ngx_destroy_pool(o->memory);
    }

    free(o);

    return NULL;
}
