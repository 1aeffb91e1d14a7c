
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session_cache.h"
#include "session/ngx_hyperdrive_session_diag.h"
#include "session/ngx_hyperdrive_session_policy.h"


/*
 * A client that is logged in asks to be another one, or the same one anew
 * (MySQL's COM_CHANGE_USER): nothing of what it was is left but its
 * connection.
 */


static void ngx_hyperdrive_session_change_forget(ngx_hyperdrive_session_t *s);


ngx_int_t
ngx_hyperdrive_session_change(ngx_hyperdrive_session_t *s)
{
    ngx_int_t                rc;
    ngx_connection_t        *c;
    ngx_hyperdrive_proto_t  *proto;

    c = s->net.connection;
    proto = s->conf->origin->proto;

    if (ngx_hyperdrive_session_login_new(s) != NGX_OK) {
        ngx_hyperdrive_session_close(s);
        return NGX_DONE;
    }

    s->login->tls = (c->ssl != NULL);

    rc = proto->client_change(s->login, s->wire, &s->net.pos, s->net.last,
                              &s->net.out);

    ngx_hyperdrive_session_change_forget(s);

    c->log->action = "logging a client in";
    c->read->handler = ngx_hyperdrive_session_login_handler;

    ngx_hyperdrive_session_set_state(s, NGX_HYPERDRIVE_SESSION_LOGIN);

    ngx_add_timer(c->read, s->conf->timeout.login);

    if (rc == NGX_BUSY) {
        rc = ngx_hyperdrive_session_user(s);
    }

    if (rc == NGX_DONE) {
        return NGX_DONE;
    }

    if (rc != NGX_AGAIN) {

        /* by an event of its own: who asks for it often goes no deeper */

        s->looked_up = 1;
        s->lookup_failed = 0;

        ngx_hyperdrive_net_post_read(&s->net);
    }

    (void) ngx_hyperdrive_session_rearm(s);

    return NGX_DONE;
}


static void
ngx_hyperdrive_session_change_forget(ngx_hyperdrive_session_t *s)
{
    if (s->origin) {
        ngx_hyperdrive_session_detach(s);
    }

    ngx_hyperdrive_session_route_forget(s);
    ngx_hyperdrive_session_fill_drop(s);
    ngx_hyperdrive_session_flight_forget(s);
    ngx_hyperdrive_session_time_stop(s);
    ngx_hyperdrive_session_settings_free(s);
    ngx_hyperdrive_session_diag_free(s);
    ngx_hyperdrive_session_policy_free(s);

    s->conf->origin->proto->client_destroy(s->wire);
    s->wire = NULL;

    s->conf->origin->counters->clients--;
    s->counted = 0;

    ngx_hyperdrive_session_place_home(s);
    s->pool->refs--;
    s->pooled = 0;

    ngx_memzero(&s->unit, sizeof(ngx_hyperdrive_proto_unit_t));
    ngx_memzero(&s->pin, sizeof(ngx_hyperdrive_session_pin_t));

    s->plans_generation = 0;
    s->deferred = 0;
    s->failed = 0;
    s->tried = 0;
    s->wild = 0;
    s->path_local = 0;
    s->aligned = 0;
    s->pinned = 0;
}
