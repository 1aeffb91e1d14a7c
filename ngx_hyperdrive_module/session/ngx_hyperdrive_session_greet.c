
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session.h"


static void ngx_hyperdrive_session_greet_first_ready(
    ngx_hyperdrive_session_t *s, ngx_hyperdrive_origin_t *o);


ngx_int_t
ngx_hyperdrive_session_greet_first(ngx_hyperdrive_session_t *s)
{
    u_char                         note[NGX_HYPERDRIVE_SHM_NOTE];
    ngx_int_t                      rc;
    ngx_str_t                      greeting, none;
    ngx_hyperdrive_pool_t         *pool;
    ngx_hyperdrive_proto_t        *proto;
    ngx_hyperdrive_origin_t       *o;
    ngx_hyperdrive_origin_conf_t  *origin;
    ngx_hyperdrive_proto_error_t   err;

    origin = s->conf->origin;
    proto = origin->proto;

    rc = ngx_hyperdrive_origin_introduced(origin, note, &greeting);

    if (rc == NGX_OK || origin->per_user) {

        /* without a user of our own there is nobody to ask as */

        proto->client_greet(s->login, rc == NGX_OK ? &greeting : NULL,
                            ngx_hyperdrive_session_cancel_pid(s),
                            &s->net.out);
        return NGX_OK;
    }

    ngx_hyperdrive_session_set_state(s, NGX_HYPERDRIVE_SESSION_GREET);

    ngx_str_null(&none);

    pool = ngx_hyperdrive_origin_pool(origin, &none, &origin->database, 0,
                                      NULL);
    if (pool == NULL) {
        ngx_hyperdrive_session_close(s);
        return NGX_DONE;
    }

    rc = ngx_hyperdrive_origin_acquire(pool, &s->waiter, &o, &err);

    if (rc == NGX_OK) {
        ngx_hyperdrive_session_greet_first_ready(s, o);
        return NGX_DONE;
    }

    if (rc == NGX_ERROR) {
        ngx_hyperdrive_session_fatal(s, err.sqlstate, err.message);
        return NGX_DONE;
    }

    return NGX_AGAIN;
}


static void
ngx_hyperdrive_session_greet_first_ready(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_origin_t *o)
{
    ngx_str_t  *greeting;

    greeting = &o->pool->greeting;

    /* one that came from another worker has said nothing here */

    s->conf->origin->proto->client_greet(s->login,
                                         greeting->len ? greeting : NULL,
                                         ngx_hyperdrive_session_cancel_pid(s),
                                         &s->net.out);

    ngx_hyperdrive_origin_release(o, NULL);

    ngx_hyperdrive_session_set_state(s, NGX_HYPERDRIVE_SESSION_LOGIN);

    (void) ngx_hyperdrive_session_rearm(s);
}


/* the start-up parameters are tried out on it, all else is known */

void
ngx_hyperdrive_session_greet_ready(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_origin_t *o)
{
    ngx_int_t  rc;

    if (s->pool == NULL) {
        ngx_hyperdrive_session_greet_first_ready(s, o);
        return;
    }

    ngx_hyperdrive_session_attach(s, o);
    ngx_hyperdrive_session_set_state(s, NGX_HYPERDRIVE_SESSION_GREET);

    rc = ngx_hyperdrive_session_settings_align(s);

    if (rc == NGX_ERROR) {
        ngx_hyperdrive_session_fatal(s, "53200", "out of memory");
        return;
    }

    if (rc == NGX_OK || rc == NGX_DECLINED) {

        /* (another one will be found for what it asks) */

        if (ngx_hyperdrive_session_greet_done(s) == NGX_DONE) {
            return;
        }

        if (ngx_hyperdrive_session_process(s) == NGX_DONE) {
            return;
        }
    }

    (void) ngx_hyperdrive_session_rearm(s);
}


ngx_int_t
ngx_hyperdrive_session_greet_done(ngx_hyperdrive_session_t *s)
{
    u_char     note[NGX_HYPERDRIVE_SHM_NOTE];
    ngx_str_t  greeting;

    s->conf->origin->proto->origin_greeting(s->origin->wire, &greeting);

    if (greeting.len > sizeof(note)) {
        ngx_hyperdrive_session_fatal(s, "08006",
                                     "the database told too much of itself");
        return NGX_DONE;
    }

    /* the next one may use the connection, which may change it at once */

    ngx_memcpy(note, greeting.data, greeting.len);
    greeting.data = note;

    ngx_hyperdrive_origin_greets(s->pool,
                                 ngx_hyperdrive_session_settings_bucket(s),
                                 &greeting);

    ngx_hyperdrive_session_detach(s);

    return ngx_hyperdrive_session_welcome(s, &greeting) == NGX_OK
           ? NGX_DECLINED : NGX_DONE;
}
