
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session.h"
#include "state/ngx_hyperdrive_state_pin.h"


/*
 * Replication connections: a session of this kind has a connection of its own
 * from its log-in to its end, which is then closed (PostgreSQL, 55.4
 * "Streaming Replication Protocol").  Its messages go the way of all others.
 * In MySQL a command begins it, and that is a pin.
 */


/* what a walsender takes for a command of its own; all else is SQL there */
static ngx_str_t  ngx_hyperdrive_session_replication_commands[] = {
    ngx_string("IDENTIFY_SYSTEM"),
    ngx_string("BASE_BACKUP"),
    ngx_string("START_REPLICATION"),
    ngx_string("CREATE_REPLICATION_SLOT"),
    ngx_string("DROP_REPLICATION_SLOT"),
    ngx_string("READ_REPLICATION_SLOT"),
    ngx_string("ALTER_REPLICATION_SLOT"),
    ngx_string("TIMELINE_HISTORY"),
    ngx_string("UPLOAD_MANIFEST"),
    ngx_null_string
};


static void ngx_hyperdrive_session_replication_begin(
    ngx_hyperdrive_session_t *s);


ngx_hyperdrive_pool_t *
ngx_hyperdrive_session_replication(ngx_hyperdrive_session_t *s,
    ngx_str_t *user, ngx_str_t *database, ngx_uint_t n,
    ngx_hyperdrive_proto_param_t *params)
{
    ngx_hyperdrive_pool_t         *pool;
    ngx_hyperdrive_proto_login_t  *login;

    login = s->login;

    if (n == NGX_HYPERDRIVE_PROTO_MAX_PARAMS) {
        return NULL;
    }

    ngx_str_set(&params[n].name, "replication");
    params[n].value = login->replication;

    pool = ngx_hyperdrive_origin_pool(s->conf->origin, user, database, n + 1,
                                      params);
    if (pool == NULL) {
        return NULL;
    }

    pool->single = 1;

    s->replication = 1;
    s->physical = (ngx_strcmp(login->replication.data, "database") != 0);

    return pool;
}


void
ngx_hyperdrive_session_replication_ready(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_origin_t *o)
{
    if (ngx_hyperdrive_session_greeted(s) != NGX_OK) {
        ngx_hyperdrive_origin_close(o, "its client is gone");
        return;
    }

    ngx_hyperdrive_session_attach(s, o);
    ngx_hyperdrive_session_replication_begin(s);

    if (ngx_hyperdrive_session_process(s) != NGX_DONE) {
        (void) ngx_hyperdrive_session_rearm(s);
    }
}


static void
ngx_hyperdrive_session_replication_begin(ngx_hyperdrive_session_t *s)
{
    ngx_hyperdrive_shm_counters_t  *counters;

    counters = s->conf->origin->counters;

    counters->pinned++;
    counters->pinned_total++;
    counters->pins[NGX_HYPERDRIVE_STATE_PIN_REPLICATES]++;
    counters->pins_total[NGX_HYPERDRIVE_STATE_PIN_REPLICATES]++;
}


void
ngx_hyperdrive_session_replication_end(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_origin_t *o)
{
    ngx_hyperdrive_shm_counters_t  *counters;

    counters = s->conf->origin->counters;

    counters->pinned--;
    counters->pins[NGX_HYPERDRIVE_STATE_PIN_REPLICATES]--;

    /* a walsender that streams reads no Terminate: it sees the end */

    (void) s->conf->origin->proto->origin_abandon(s->wire, o->wire,
                                                  &o->net.out);
    o->data = NULL;

    ngx_hyperdrive_origin_close(o, "was a replication client's own");
}


ngx_uint_t
ngx_hyperdrive_session_replication_command(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_run_t *run)
{
    ngx_str_t                    *command;
    ngx_hyperdrive_state_stmt_t  *stmt;

    if (s->physical) {
        return 1;
    }

    stmt = run->stmt;

    if (stmt == NULL) {
        return 0;
    }

    for (command = ngx_hyperdrive_session_replication_commands;
         command->len;
         command++)
    {
        if (stmt->len >= command->len
            && ngx_strncasecmp(stmt->text, command->data, command->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}
