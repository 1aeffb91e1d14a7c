
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session.h"


/* the start-up parameters are tried out on it, all else is known */

void
ngx_hyperdrive_session_greet_ready(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_origin_t *o)
{
    ngx_int_t  rc;

    ngx_hyperdrive_session_attach(s, o);
    ngx_hyperdrive_session_set_state(s, NGX_HYPERDRIVE_SESSION_GREET);

    rc = ngx_hyperdrive_session_settings_align(s);

    if (rc == NGX_ERROR) {
        ngx_hyperdrive_session_fatal(s, "53200", "out of memory");
        return;
    }

    if (rc == NGX_OK) {

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
