
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session_policy.h"
#include "session/ngx_hyperdrive_session_plan.h"
#include "origin/ngx_hyperdrive_origin_ask.h"
#include "sql/ngx_hyperdrive_sql.h"


/* copies under way at one time, of one worker: more are dropped */
#define NGX_HYPERDRIVE_SESSION_MIRROR_MAX   256


/* a copy of a statement, sent elsewhere; nobody wants its answer */

typedef struct {
    ngx_hyperdrive_origin_ask_t           ask;
    ngx_hyperdrive_cache_version_set_t    writes;
    ngx_hyperdrive_shm_counters_t        *counters;   /* of the client's
                                                         upstream */
    unsigned                              entered:1;
} ngx_hyperdrive_session_mirror_t;


static ngx_int_t ngx_hyperdrive_session_mirror_copy(
    ngx_hyperdrive_session_t *s, ngx_hyperdrive_chain_t *request);
static void ngx_hyperdrive_session_mirror_writes(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_pool_t *pool, ngx_hyperdrive_cache_version_set_t *writes);
static void ngx_hyperdrive_session_mirror_send(
    ngx_hyperdrive_origin_ask_t *ask);
static void ngx_hyperdrive_session_mirror_done(
    ngx_hyperdrive_origin_ask_t *ask, ngx_int_t rc);


static ngx_uint_t  ngx_hyperdrive_session_mirrors;


void
ngx_hyperdrive_session_mirror(ngx_hyperdrive_session_t *s)
{
    ngx_hyperdrive_pool_t             *pool;
    ngx_hyperdrive_chain_t             request;
    ngx_hyperdrive_state_stmt_t       *stmt;
    ngx_hyperdrive_proto_error_t       err;
    ngx_hyperdrive_shm_counters_t     *counters;
    ngx_hyperdrive_session_mirror_t   *m;
    ngx_hyperdrive_policy_decision_t  *d;

    stmt = s->unit.stmt;

    if (stmt == NULL || s->streaming
        || s->mirrored == s->total.queries + 1 || s->deferred || s->failed
        || s->replication)
    {
        return;
    }

    d = ngx_hyperdrive_session_policy(s, stmt);

    if (d->mirror == NULL) {
        return;
    }

    /* once, however often it is looked at */

    s->mirrored = s->total.queries + 1;

    /* what a statement alone means, and leaves nothing behind */

    if (!stmt->plan.single || stmt->plan.stateful
        || (stmt->plan.kind != NGX_HYPERDRIVE_SQL_READ
            && stmt->plan.kind != NGX_HYPERDRIVE_SQL_WRITE))
    {
        return;
    }

    counters = s->conf->origin->counters;

    pool = ngx_hyperdrive_session_place_pool(s, d->mirror->data, &err);

    ngx_memzero(&request, sizeof(ngx_hyperdrive_chain_t));

    if (pool == NULL
        || ngx_hyperdrive_session_mirrors == NGX_HYPERDRIVE_SESSION_MIRROR_MAX
        || ngx_hyperdrive_session_mirror_copy(s, &request) != NGX_OK)
    {
        counters->mirror_dropped++;
        ngx_hyperdrive_base_chain_clear(&request);
        return;
    }

    m = calloc(1, sizeof(ngx_hyperdrive_session_mirror_t));

    if (m == NULL) {
        counters->mirror_dropped++;
        ngx_hyperdrive_base_chain_clear(&request);
        return;
    }

    ngx_hyperdrive_session_mirror_writes(s, pool, &m->writes);

    m->counters = counters;
    m->ask.pool = pool;
    m->ask.mode = stmt->mode;
    m->ask.now = 1;
    m->ask.attributes = (s->unit.attributes.len != 0);
    m->ask.bucket = ngx_hyperdrive_state_bucket_ref(
                                   ngx_hyperdrive_session_settings_bucket(s));
    m->ask.data = m;
    m->ask.send = ngx_hyperdrive_session_mirror_send;
    m->ask.done = ngx_hyperdrive_session_mirror_done;

    ngx_hyperdrive_session_mirrors++;

    ngx_hyperdrive_origin_ask(&m->ask, request.head->pos, request.size);

    ngx_hyperdrive_base_chain_clear(&request);
}


static ngx_int_t
ngx_hyperdrive_session_mirror_copy(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_chain_t *request)
{
    ngx_str_t                     text;
    ngx_hyperdrive_proto_t       *proto;
    ngx_hyperdrive_proto_unit_t  *unit;

    unit = &s->unit;
    proto = s->conf->origin->proto;

    if (unit->question || (unit->args.data && !unit->simple)) {
        proto->question(s->wire, unit, request);

    } else if (unit->simple) {
        text.data = unit->stmt->text;
        text.len = unit->stmt->len;

        proto->query(&text, unit, request);

    } else {
        return NGX_DECLINED;
    }

    return (request->failed || request->head == NULL) ? NGX_DECLINED : NGX_OK;
}


/* what it writes there may be in the cache of another server */

static void
ngx_hyperdrive_session_mirror_writes(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_pool_t *pool, ngx_hyperdrive_cache_version_set_t *writes)
{
    unsigned                         wild;
    uint64_t                         generation;
    ngx_hyperdrive_pool_t           *own;
    ngx_hyperdrive_session_plans_t  *plans;

    if (!ngx_hyperdrive_cache_version_on()) {
        return;
    }

    /* as if the session were there */

    own = s->pool;
    wild = s->wild;
    plans = s->plans;
    generation = s->plans_generation;

    s->pool = pool;

    *writes = ngx_hyperdrive_session_plan(s, s->unit.stmt)->writes;

    s->pool = own;
    s->wild = wild;
    s->plans = plans;
    s->plans_generation = generation;
}


static void
ngx_hyperdrive_session_mirror_send(ngx_hyperdrive_origin_ask_t *ask)
{
    ngx_hyperdrive_session_mirror_t *m = ask->data;

    if (m->writes.n) {
        m->entered = 1;
        ngx_hyperdrive_cache_version_enter(&m->writes);
    }
}


static void
ngx_hyperdrive_session_mirror_done(ngx_hyperdrive_origin_ask_t *ask,
    ngx_int_t rc)
{
    ngx_hyperdrive_session_mirror_t *m = ask->data;

    ngx_hyperdrive_session_mirrors--;

    if (rc == NGX_ERROR && ask->err.sqlstate) {
        m->counters->mirror_dropped++;

    } else {
        m->counters->mirrored++;
    }

    if (m->entered) {
        ngx_hyperdrive_cache_version_leave(&m->writes, 1);
    }

    ngx_hyperdrive_state_bucket_unref(ask->bucket);
    free(m);
}
