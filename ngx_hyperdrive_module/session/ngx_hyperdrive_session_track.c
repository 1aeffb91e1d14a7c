
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session_cache.h"
#include "session/ngx_hyperdrive_session_log.h"


static void ngx_hyperdrive_session_pin(ngx_hyperdrive_session_t *s);


void
ngx_hyperdrive_session_track_run(void *data, ngx_hyperdrive_proto_run_t *run)
{
    ngx_hyperdrive_session_t *s = data;

    if (s->replication) {

        /* its connection is its own, and reset by its end */

        if (!ngx_hyperdrive_session_replication_command(s, run)) {
            ngx_hyperdrive_session_write_run(s, run);
        }

        return;
    }

    if ((run->stmt == NULL
         || (run->stmt->plan.stateful && !run->stmt->plan.deallocate))
        && !s->pinned)
    {
        ngx_hyperdrive_session_pin(s);
    }

    ngx_hyperdrive_session_write_run(s, run);

    if (s->log) {
        ngx_hyperdrive_session_log_run(s, run->stmt);
    }
}


void
ngx_hyperdrive_session_track_send(ngx_hyperdrive_session_t *s)
{
    ngx_hyperdrive_session_write_send(s);

    if (s->fill) {
        ngx_hyperdrive_session_fill_send(s->fill);
    }

    if (s->time) {
        ngx_hyperdrive_session_time_sent(s);
    }
}


void
ngx_hyperdrive_session_track_piece(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_piece_t *piece)
{
    ngx_hyperdrive_session_write_piece(s, piece);

    if (s->time) {
        ngx_hyperdrive_session_time_piece(s, piece);
    }

    if (s->log) {
        ngx_hyperdrive_session_log_piece(s, piece);
    }
}


void
ngx_hyperdrive_session_track_settled(ngx_hyperdrive_session_t *s)
{
    if (s->time) {
        ngx_hyperdrive_session_time_doing(s,
                         s->conf->origin->proto->origin_idle(s->origin->wire)
                         ? NGX_HYPERDRIVE_SESSION_IDLE
                         : NGX_HYPERDRIVE_SESSION_BLOCK);
    }
}


void
ngx_hyperdrive_session_track_end(ngx_hyperdrive_session_t *s)
{
    ngx_hyperdrive_session_write_end(s);

    if (s->time) {
        ngx_hyperdrive_session_time_doing(s, NGX_HYPERDRIVE_SESSION_IDLE);
    }
}


/* from now on the connection is this client's own, until it leaves */

static void
ngx_hyperdrive_session_pin(ngx_hyperdrive_session_t *s)
{
    s->pinned = 1;

    s->conf->origin->counters->pinned++;
    s->conf->origin->counters->pinned_total++;
}
