
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session_cache.h"


static void ngx_hyperdrive_session_kill_these(
    ngx_hyperdrive_shm_kill_t *kill);
static ngx_uint_t ngx_hyperdrive_session_kill_match(u_char *wanted,
    ngx_str_t *name);
static void ngx_hyperdrive_session_kill_one(ngx_hyperdrive_session_t *s);


/* that were carried out by this process */
static uint64_t  ngx_hyperdrive_session_kills;


void
ngx_hyperdrive_session_kill_start(void)
{
    ngx_hyperdrive_session_kills = ngx_hyperdrive_shm_kill_count();
}


void
ngx_hyperdrive_session_kill(void)
{
    ngx_hyperdrive_shm_kill_t  kill;

    while (ngx_hyperdrive_shm_kill_next(&ngx_hyperdrive_session_kills, &kill)
           == NGX_OK)
    {
        if (kill.table[0] == '\0') {
            ngx_hyperdrive_session_kill_these(&kill);

        } else {
            ngx_hyperdrive_session_purge_order(&kill,
                                               ngx_hyperdrive_session_kills);
        }
    }
}


static void
ngx_hyperdrive_session_kill_these(ngx_hyperdrive_shm_kill_t *kill)
{
    ngx_uint_t                 i;
    ngx_connection_t          *c;
    ngx_hyperdrive_session_t  *s;

    for (i = 0; i < ngx_cycle->connection_n; i++) {

        c = &ngx_cycle->connections[i];

        if (c->fd == (ngx_socket_t) -1
            || c->read->handler != ngx_hyperdrive_session_read_handler)
        {
            continue;
        }

        s = ngx_hyperdrive_session_of(c);

        if (s->state != NGX_HYPERDRIVE_SESSION_CLOSING
            && ngx_hyperdrive_session_kill_match(kill->upstream,
                                                 &s->conf->origin->name)
            && ngx_hyperdrive_session_kill_match(kill->database,
                             &ngx_hyperdrive_session_own_pool(s)->database)
            && ngx_hyperdrive_session_kill_match(kill->user, &s->user))
        {
            ngx_hyperdrive_session_kill_one(s);
        }
    }
}


static ngx_uint_t
ngx_hyperdrive_session_kill_match(u_char *wanted, ngx_str_t *name)
{
    size_t  len;

    len = ngx_strlen(wanted);

    return len == 0
           || (len == name->len
               && ngx_memcmp(wanted, name->data, name->len) == 0);
}


/* <s> may be gone afterwards */

static void
ngx_hyperdrive_session_kill_one(ngx_hyperdrive_session_t *s)
{
    if (s->origin && !s->replication
        && !s->conf->origin->proto->origin_idle(s->origin->wire))
    {
        /* what it asked for would run on, for nobody */

        if (s->fill) {
            s->fill->cancelled = 1;
        }

        ngx_hyperdrive_origin_cancel(s->origin);
    }

    ngx_hyperdrive_session_shutdown(s);
}
