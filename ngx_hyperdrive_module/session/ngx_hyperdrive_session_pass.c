
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session_pass.h"
#include "session/ngx_hyperdrive_session_diag.h"
#include "session/ngx_hyperdrive_session_log.h"
#include "peer/ngx_hyperdrive_peer.h"


/*
 * A client that wants nothing at the moment goes to another process, with its
 * socket and all that is known of it.  What it has sent and we have read goes
 * along; what we have to say to it must have been sent.
 */


static ngx_uint_t ngx_hyperdrive_session_pass_may(
    ngx_hyperdrive_session_t *s);
static void ngx_hyperdrive_session_pass_write(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_chain_t *out);
static void ngx_hyperdrive_session_pass_connection(
    ngx_hyperdrive_session_t *s, ngx_hyperdrive_chain_t *out);
static void ngx_hyperdrive_session_pass_bucket(
    ngx_hyperdrive_state_bucket_t *bucket, ngx_hyperdrive_chain_t *out);
static ngx_int_t ngx_hyperdrive_session_pass_send(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_chain_t *message, ngx_uint_t slot);


ngx_int_t
ngx_hyperdrive_session_pass(ngx_hyperdrive_session_t *s, ngx_uint_t slot)
{
    ngx_int_t                rc;
    ngx_hyperdrive_proto_t  *proto;
    ngx_hyperdrive_chain_t   out, wire;

    if (!ngx_hyperdrive_session_pass_may(s)) {
        return NGX_DECLINED;
    }

    proto = s->conf->origin->proto;

    ngx_memzero(&out, sizeof(ngx_hyperdrive_chain_t));
    ngx_memzero(&wire, sizeof(ngx_hyperdrive_chain_t));

    rc = proto->client_export(s->wire, &wire);

    if (rc == NGX_OK) {
        ngx_hyperdrive_session_pass_write(s, &out);
        ngx_hyperdrive_base_chain_put_u32(&out, (uint32_t) wire.size);

        out.failed |= wire.failed;

        ngx_hyperdrive_base_chain_move(&out, &wire);

        s->heavy = (out.size > NGX_HYPERDRIVE_PEER_LARGE);

        rc = (out.failed || s->heavy)
             ? NGX_DECLINED : ngx_hyperdrive_session_pass_send(s, &out, slot);
    }

    ngx_hyperdrive_base_chain_clear(&wire);
    ngx_hyperdrive_base_chain_clear(&out);

    if (rc == NGX_OK) {
        ngx_hyperdrive_session_moved(s);
    }

    return rc == NGX_ERROR ? NGX_DECLINED : rc;
}


static ngx_uint_t
ngx_hyperdrive_session_pass_may(ngx_hyperdrive_session_t *s)
{
    ngx_connection_t                   *c;
    ngx_hyperdrive_session_settings_t  *settings;

    c = s->net.connection;
    settings = s->settings;

    if (s->state != NGX_HYPERDRIVE_SESSION_READY || s->origin || s->login
        || s->fill || s->wait || s->streaming || s->replication
        || s->net.out.size || !ngx_hyperdrive_net_bare(&s->net) || c->error
        || ngx_del_conn == NULL)
    {
        return 0;
    }

    if (s->log && (s->log->current || s->log->first)) {
        return 0;
    }

    return settings == NULL
           || (settings->nchanges == 0 && settings->said == NULL
               && !settings->failed && !settings->asked
               && !ngx_hyperdrive_state_settings_dirty(&settings->state));
}


static void
ngx_hyperdrive_session_pass_write(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_chain_t *out)
{
    uint32_t                             flags;
    ngx_hyperdrive_pool_t               *pool;
    ngx_hyperdrive_chain_t               farewell, diag;
    ngx_hyperdrive_proto_error_t         err;
    ngx_hyperdrive_session_settings_t   *settings;

    pool = ngx_hyperdrive_session_own_pool(s);
    settings = s->settings;

    ngx_hyperdrive_base_chain_put_u32(out,
                                      NGX_HYPERDRIVE_SESSION_PASS_VERSION);

    ngx_memzero(&farewell, sizeof(ngx_hyperdrive_chain_t));
    ngx_hyperdrive_session_farewell(&err);

    s->conf->origin->proto->error(s->wire, NULL, &err, &farewell);

    out->failed |= farewell.failed;

    ngx_hyperdrive_base_chain_put_u32(out, (uint32_t) farewell.size);
    ngx_hyperdrive_base_chain_move(out, &farewell);

    flags = s->deferred
            | (s->failed ? NGX_HYPERDRIVE_SESSION_PASS_FAILED : 0)
            | (s->wild ? NGX_HYPERDRIVE_SESSION_PASS_WILD : 0)
            | (settings ? NGX_HYPERDRIVE_SESSION_PASS_SETTINGS : 0)
            | (s->diag ? NGX_HYPERDRIVE_SESSION_PASS_DIAG : 0)
            | (s->net.connection->proxy_protocol
               ? NGX_HYPERDRIVE_SESSION_PASS_PROXY : 0);

    ngx_hyperdrive_base_chain_put_u32(out, flags);

    ngx_hyperdrive_base_chain_put_str(out, s->conf->origin->name.data,
                                      s->conf->origin->name.len);
    ngx_hyperdrive_base_chain_put_str(out, pool->key.data, pool->key.len);
    ngx_hyperdrive_base_chain_put_str(out, s->user.data, s->user.len);
    ngx_hyperdrive_base_chain_put_u32(out, s->by);
    ngx_hyperdrive_base_chain_put_u64(out, s->proof);
    ngx_hyperdrive_base_chain_put_str(out, pool->password.data,
                                      pool->password.len);
    ngx_hyperdrive_base_chain_put_str(out, pool->token.data, pool->token.len);
    ngx_hyperdrive_base_chain_put_str(out, s->key, s->key_len);
    ngx_hyperdrive_base_chain_put_u32(out, s->number);

    ngx_hyperdrive_base_chain_put_u32(out, s->cached);
    ngx_hyperdrive_base_chain_put_u64(out, s->total.queries);
    ngx_hyperdrive_base_chain_put_u64(out, s->total.hits);
    ngx_hyperdrive_base_chain_put_u64(out, s->total.misses);
    ngx_hyperdrive_base_chain_put_u64(out, s->total.errors);
    ngx_hyperdrive_base_chain_put_u64(out, s->total.waited);

    ngx_hyperdrive_session_pass_connection(s, out);

    if (settings) {
        ngx_hyperdrive_session_pass_bucket(settings->state.base, out);
        ngx_hyperdrive_session_pass_bucket(settings->state.committed, out);
    }

    if (s->diag) {
        ngx_memzero(&diag, sizeof(ngx_hyperdrive_chain_t));
        ngx_hyperdrive_session_diag_pass(s, &diag);

        out->failed |= diag.failed;

        ngx_hyperdrive_base_chain_put_u32(out, (uint32_t) diag.size);
        ngx_hyperdrive_base_chain_move(out, &diag);
    }

    ngx_hyperdrive_base_chain_put_str(out, s->net.pos,
                                      s->net.last - s->net.pos);
}


static void
ngx_hyperdrive_session_pass_connection(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_chain_t *out)
{
    ngx_connection_t      *c;
    ngx_proxy_protocol_t  *pp;

    c = s->net.connection;
    pp = c->proxy_protocol;

    ngx_hyperdrive_base_chain_put_u64(out, c->number);
    ngx_hyperdrive_base_chain_put_u64(out, s->stream->start_sec);
    ngx_hyperdrive_base_chain_put_u64(out, s->stream->start_msec);
    ngx_hyperdrive_base_chain_put_u64(out, c->sent);
    ngx_hyperdrive_base_chain_put_u64(out,
                                      ngx_hyperdrive_session_time_since(s));

    if (pp) {
        ngx_hyperdrive_base_chain_put_str(out, pp->src_addr.data,
                                          pp->src_addr.len);
        ngx_hyperdrive_base_chain_put_str(out, pp->dst_addr.data,
                                          pp->dst_addr.len);
        ngx_hyperdrive_base_chain_put_u32(out, pp->src_port);
        ngx_hyperdrive_base_chain_put_u32(out, pp->dst_port);
    }
}


/* a bucket is its own serialized form */

static void
ngx_hyperdrive_session_pass_bucket(ngx_hyperdrive_state_bucket_t *bucket,
    ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_base_chain_put_str(out, bucket ? bucket->data : NULL,
                                      bucket ? bucket->len : 0);
}


static ngx_int_t
ngx_hyperdrive_session_pass_send(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_chain_t *message, ngx_uint_t slot)
{
    u_char            *data;
    ngx_int_t          rc;
    ngx_connection_t  *c;

    c = s->net.connection;

    data = malloc(message->size);
    if (data == NULL) {
        return NGX_ERROR;
    }

    ngx_hyperdrive_base_chain_copy(message, data);

    /* as soon as the other one has it, who cancels has to look there */

    ngx_hyperdrive_shm_client_pass(s->number, slot);

    /*
     * epoll does not forget a socket that somebody else has open: the events
     * go before the message.
     */

    rc = ngx_del_conn(c, 0);

    if (rc == NGX_OK) {
        rc = ngx_hyperdrive_peer_send(slot, NGX_HYPERDRIVE_PEER_CLIENT, data,
                                      message->size, c->fd);
    }

    /* there may be a password in it */

    ngx_explicit_memzero(data, message->size);
    free(data);

    if (rc == NGX_OK) {
        return NGX_OK;
    }

    (void) ngx_hyperdrive_shm_client_take(s->number,
                                          c - ngx_cycle->connections);

    /* what has come meanwhile is told when the event is armed */

    c->read->ready = 0;

    if (ngx_handle_read_event(c->read, 0) != NGX_OK) {
        c->error = 1;
    }

    return rc;
}
