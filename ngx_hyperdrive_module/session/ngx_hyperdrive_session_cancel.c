
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session_cache.h"
#include "session/ngx_hyperdrive_session_hold.h"
#include "base/ngx_hyperdrive_base_cursor.h"
#include "base/ngx_hyperdrive_base_digest.h"
#include "peer/ngx_hyperdrive_peer.h"
#include <openssl/crypto.h>


/* pid and key, as they stand in a CancelRequest */
#define NGX_HYPERDRIVE_SESSION_CANCEL_LEN   (4 + NGX_HYPERDRIVE_PROTO_MAX_KEY)


static ngx_int_t ngx_hyperdrive_session_cancel_kin(
    ngx_hyperdrive_session_t *s, u_char *kin);


uint32_t
ngx_hyperdrive_session_cancel_pid(ngx_hyperdrive_session_t *s)
{
    if (s->number == 0) {
        s->number = ngx_hyperdrive_shm_client_add(s->net.connection
                                                  - ngx_cycle->connections);
    }

    return s->number;
}


void
ngx_hyperdrive_session_cancel(ngx_str_t *pid, ngx_str_t *key)
{
    u_char      body[NGX_HYPERDRIVE_SESSION_CANCEL_LEN];
    ngx_uint_t  slot, n;

    if (pid->len != 4 || key->len > NGX_HYPERDRIVE_PROTO_MAX_KEY) {
        return;
    }

    ngx_memcpy(body, pid->data, 4);
    ngx_memcpy(body + 4, key->data, key->len);

    if (ngx_hyperdrive_shm_client_find(ngx_hyperdrive_base_get_u32(body),
                                       &slot, &n)
        != NGX_OK)
    {
        return;
    }

    if (slot == ngx_hyperdrive_shm_slot) {
        ngx_hyperdrive_session_cancel_message(body, 4 + key->len);

    } else {
        (void) ngx_hyperdrive_peer_send(slot, NGX_HYPERDRIVE_PEER_CANCEL, body,
                                        4 + key->len, -1);
    }
}


void
ngx_hyperdrive_session_cancel_message(u_char *data, size_t len)
{
    u_char                         kin[NGX_HYPERDRIVE_BASE_DIGEST_SHA256];
    ngx_str_t                      key;
    ngx_uint_t                     slot, n, held;
    ngx_connection_t              *c;
    ngx_hyperdrive_session_t      *s;
    ngx_hyperdrive_proto_error_t   err;

    if (len <= 4 || len > NGX_HYPERDRIVE_SESSION_CANCEL_LEN) {
        return;
    }

    /* it may have moved on meanwhile: then there is nothing to be cancelled */

    if (ngx_hyperdrive_shm_client_find(ngx_hyperdrive_base_get_u32(data),
                                       &slot, &n)
        != NGX_OK
        || slot != ngx_hyperdrive_shm_slot || n >= ngx_cycle->connection_n)
    {
        return;
    }

    c = &ngx_cycle->connections[n];

    if (c->fd == (ngx_socket_t) -1
        || c->read->handler != ngx_hyperdrive_session_read_handler)
    {
        return;
    }

    s = ngx_hyperdrive_session_of(c);

    key.data = s->key;
    key.len = s->key_len;

    if (s->conf->origin->proto->origin_kill) {

        /* there is no key: it is for who has logged in as the same user */

        if (ngx_hyperdrive_session_cancel_kin(s, kin) != NGX_OK) {
            return;
        }

        key.data = kin;
        key.len = sizeof(kin);
    }

    if (key.len != len - 4
        || CRYPTO_memcmp(key.data, data + 4, key.len) != 0)
    {
        ngx_log_error(NGX_LOG_INFO, c->log, 0,
                      "hyperdrive: a cancel request with a wrong key");
        return;
    }

    if (s->state == NGX_HYPERDRIVE_SESSION_WAIT
        || s->state == NGX_HYPERDRIVE_SESSION_FLIGHT
        || s->state == NGX_HYPERDRIVE_SESSION_HELD
        || (s->state == NGX_HYPERDRIVE_SESSION_ROUTE
            && ngx_hyperdrive_session_route_cancel(s) == NGX_OK))
    {
        /* its query has not even begun */

        err.severity = "ERROR";
        err.sqlstate = "57014";
        err.message = "canceling statement due to user request";
        err.hint = NULL;

        if (s->state == NGX_HYPERDRIVE_SESSION_WAIT) {
            s->total.waited += ngx_current_msec - s->waiter.since;
            ngx_hyperdrive_origin_leave(&s->waiter);
        }

        if (s->streaming) {
            ngx_hyperdrive_session_fatal(s, err.sqlstate, err.message);
            return;
        }

        ngx_hyperdrive_session_failed(s, &err);

        return;
    }

    /* in a block only the database may say so: it has to hear of it first */

    held = (s->origin && s->outstanding == 0 && s->held.next);

    if (held && ngx_hyperdrive_session_hold_hurry(s) == NGX_DONE) {
        return;
    }

    if (s->origin && s->outstanding) {

        if (s->fill) {
            s->fill->cancelled = 1;
        }

        if (s->origin->cancel) {
            /* one is on its way, perhaps for what was before this */
            s->again = s->total.queries + 1;

        } else {
            ngx_hyperdrive_origin_cancel(s->origin);
        }
    }

    if (held) {
        (void) ngx_hyperdrive_session_rearm(s);
    }
}


void
ngx_hyperdrive_session_cancel_again(ngx_hyperdrive_session_t *s)
{
    if (s->outstanding && s->again == s->total.queries + 1) {
        ngx_hyperdrive_origin_cancel(s->origin);
    }

    s->again = 0;
}


ngx_int_t
ngx_hyperdrive_session_cancel_other(ngx_hyperdrive_session_t *s)
{
    u_char      buf[4], kin[NGX_HYPERDRIVE_BASE_DIGEST_SHA256];
    ngx_str_t   pid, key;
    ngx_uint_t  slot, n;

    if (ngx_hyperdrive_shm_client_find(s->unit.kill, &slot, &n) != NGX_OK) {
        return NGX_DECLINED;
    }

    if (s->origin
        && (s->outstanding
            || s->conf->origin->proto->origin_owes(s->origin->wire)))
    {
        /* what it has asked for before is answered first */
        return NGX_AGAIN;
    }

    (void) ngx_hyperdrive_base_put_u32(buf, s->unit.kill);

    pid.data = buf;
    pid.len = sizeof(buf);

    if (ngx_hyperdrive_session_cancel_kin(s, kin) == NGX_OK) {
        key.data = kin;
        key.len = sizeof(kin);

        ngx_hyperdrive_session_cancel(&pid, &key);
    }

    return NGX_OK;
}


/*
 * What those have in common who have logged in to one upstream as one user:
 * with our own secret in it, so that a request to cancel, which anybody may
 * send, cannot have it.
 */

static ngx_int_t
ngx_hyperdrive_session_cancel_kin(ngx_hyperdrive_session_t *s, u_char *kin)
{
    u_char      key[NGX_HYPERDRIVE_BASE_DIGEST_SHA256];
    ngx_str_t  *name;

    name = &s->conf->origin->name;

    if (ngx_hyperdrive_base_digest_hmac(ngx_hyperdrive_shm_secret(), 32,
                                        name->data, name->len, key)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_hyperdrive_base_digest_hmac(key, sizeof(key), s->user.data,
                                           s->user.len, kin);
}
