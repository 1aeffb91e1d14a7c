
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session_cache.h"
#include "session/ngx_hyperdrive_session_log.h"
#include "session/ngx_hyperdrive_session_policy.h"
#include "session/ngx_hyperdrive_session_position.h"
#include "origin/ngx_hyperdrive_origin_ask.h"


/*
 * A read that is proven to be one is asked elsewhere, as a question of our own,
 * and its answer given to the client as one from memory is, but row by row.
 * The unit stays in the client's input meanwhile: until the first row nothing
 * of it has happened that the client could see, and it can go to the primary
 * after all.
 */


/* a limit that is none, milliseconds */
#define NGX_HYPERDRIVE_SESSION_ROUTE_TIME  (24 * 3600 * 1000)


struct ngx_hyperdrive_session_route_s {
    ngx_hyperdrive_session_t             *session;
    ngx_hyperdrive_origin_ask_t           ask;
    ngx_hyperdrive_origin_choice_t        choice;
    ngx_hyperdrive_cache_version_set_t    reads;
    ngx_hyperdrive_chain_t                head;
    uint64_t                              rows;
    ngx_int_t                             rc;         /* how it has ended */
    u_char                                sqlstate[6];
    unsigned                              stale:1;    /* it may be, by
                                                         max_staleness */
    unsigned                              begun:1;    /* a row was passed on */
    unsigned                              complete:1;
    unsigned                              failed:1;   /* what comes is not for
                                                         the client */
    unsigned                              error:1;    /* ...and nor is anything
                                                         behind this */
    unsigned                              cancelled:1;
    unsigned                              asking:1;   /* within _route() */
    unsigned                              over:1;     /* ...it has ended */
};


static ngx_uint_t ngx_hyperdrive_session_route_wanted(
    ngx_hyperdrive_session_t *s);
static ngx_int_t ngx_hyperdrive_session_route_choose(
    ngx_hyperdrive_session_t *s, ngx_hyperdrive_session_route_t *r);
static ngx_uint_t ngx_hyperdrive_session_route_suits(void *data,
    ngx_uint_t replica);
static ngx_uint_t ngx_hyperdrive_session_route_fresh(
    ngx_hyperdrive_session_route_t *r, ngx_uint_t replica, uint64_t site,
    uint64_t home, uint64_t born);
static void ngx_hyperdrive_session_route_ask(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_route_t *r);
static ngx_int_t ngx_hyperdrive_session_route_take(
    ngx_hyperdrive_origin_ask_t *ask, ngx_hyperdrive_origin_t *o);
static ngx_uint_t ngx_hyperdrive_session_route_still(
    ngx_hyperdrive_session_route_t *r, ngx_hyperdrive_origin_t *o);
static void ngx_hyperdrive_session_route_send(
    ngx_hyperdrive_origin_ask_t *ask);
static void ngx_hyperdrive_session_route_piece(
    ngx_hyperdrive_origin_ask_t *ask, ngx_hyperdrive_proto_piece_t *piece);
static ngx_int_t ngx_hyperdrive_session_route_begin(
    ngx_hyperdrive_session_route_t *r);
static void ngx_hyperdrive_session_route_done(
    ngx_hyperdrive_origin_ask_t *ask, ngx_int_t rc);
static void ngx_hyperdrive_session_route_end(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_route_t *r);
static ngx_uint_t ngx_hyperdrive_session_route_full(
    ngx_hyperdrive_session_route_t *r);
static void ngx_hyperdrive_session_route_free(ngx_hyperdrive_session_t *s);


ngx_int_t
ngx_hyperdrive_session_route(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_error_t *err)
{
    ngx_hyperdrive_session_plan_t   *plan;
    ngx_hyperdrive_session_route_t  *r;

    if (!ngx_hyperdrive_session_route_wanted(s)) {
        return NGX_DECLINED;
    }

    plan = ngx_hyperdrive_session_plan(s, s->unit.stmt);

    if (!plan->proven) {
        return NGX_DECLINED;
    }

    r = calloc(1, sizeof(ngx_hyperdrive_session_route_t));
    if (r == NULL) {
        return NGX_DECLINED;
    }

    r->session = s;
    r->reads = plan->reads;

    if (ngx_hyperdrive_session_route_choose(s, r) != NGX_OK) {
        s->conf->origin->counters->replica_behind++;
        free(r);
        return NGX_DECLINED;
    }

    s->route = r;

    ngx_hyperdrive_session_set_state(s, NGX_HYPERDRIVE_SESSION_ROUTE);

    if (s->log) {
        ngx_hyperdrive_session_log_origin(s, &r->choice.replica->name);
    }

    r->asking = 1;

    ngx_hyperdrive_session_route_ask(s, r);

    r->asking = 0;

    if (!r->over) {
        return NGX_AGAIN;
    }

    /* it has ended at once, in vain: nothing can have been answered */

    if (ngx_hyperdrive_session_route_full(r)) {
        *err = r->ask.err;
        ngx_hyperdrive_session_route_free(s);
        ngx_hyperdrive_session_set_state(s, NGX_HYPERDRIVE_SESSION_READY);
        return NGX_OK;
    }

    ngx_hyperdrive_session_route_free(s);
    ngx_hyperdrive_session_set_state(s, NGX_HYPERDRIVE_SESSION_READY);

    s->conf->origin->counters->replica_fallback++;
    s->tried = 1;

    return NGX_DECLINED;
}


/* a whole unit, outside of any block, that may be asked as a question */

static ngx_uint_t
ngx_hyperdrive_session_route_wanted(ngx_hyperdrive_session_t *s)
{
    ngx_hyperdrive_origin_conf_t      *conf;
    ngx_hyperdrive_policy_decision_t  *d;

    conf = s->pool->conf;

    if (conf->positions == NULL || s->unit.stmt == NULL) {
        return 0;
    }

    d = ngx_hyperdrive_session_policy(s, s->unit.stmt);

    return (d->role == NGX_HYPERDRIVE_POLICY_ROLE_REPLICA
            || (s->conf->split
                && d->role == NGX_HYPERDRIVE_POLICY_ROLE_DEFAULT))
           && !d->pin && s->unit.question && !s->streaming && !s->tried
           && !s->deferred && !s->failed && !s->replication
           && !ngx_hyperdrive_session_settings_implicit(s) && !ngx_exiting;
}


static ngx_int_t
ngx_hyperdrive_session_route_choose(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_route_t *r)
{
    ngx_int_t  rc;

    rc = ngx_hyperdrive_origin_choose(s->pool->conf, s->net.connection,
                                      ngx_hyperdrive_session_route_suits, r,
                                      &r->choice);

    if (rc != NGX_OK && s->conf->max_staleness) {
        r->stale = 1;

        rc = ngx_hyperdrive_origin_choose(s->pool->conf, s->net.connection,
                                          ngx_hyperdrive_session_route_suits,
                                          r, &r->choice);
    }

    if (rc != NGX_OK) {

        /* the next one may find that it has come */

        ngx_hyperdrive_cache_position_want(
                               ngx_hyperdrive_session_position(s->pool->conf));
    }

    return rc;
}


static ngx_uint_t
ngx_hyperdrive_session_route_suits(void *data, ngx_uint_t replica)
{
    ngx_hyperdrive_session_route_t   *r;
    ngx_hyperdrive_origin_replica_t  *replicas;

    r = data;
    replicas = r->session->pool->conf->replicas.elts;

    return ngx_hyperdrive_session_route_fresh(r, replica,
                                              replicas[replica].site, 0, 0);
}


/*
 * Whether a replica has all that was written to what is read, and that anybody
 * here has been shown; on a connection to <site>, and there to the server that
 * is <home>, that was there at <born>, if that is not 0.
 * (A replica that was restarted may have gone back: what was checked before
 * does not hold for connections that are made after.)
 */

static ngx_uint_t
ngx_hyperdrive_session_route_fresh(ngx_hyperdrive_session_route_t *r,
    ngx_uint_t replica, uint64_t site, uint64_t home, uint64_t born)
{
    uint64_t                                 moved;
    ngx_msec_int_t                           age;
    ngx_hyperdrive_session_conf_t           *conf;
    ngx_hyperdrive_cache_position_t         *shared;
    ngx_hyperdrive_cache_position_replica_t  value;

    conf = r->session->conf;
    shared = ngx_hyperdrive_session_position(r->session->pool->conf);

    /* the versions first: what is reached later is reached */

    if (!r->stale
        && ngx_hyperdrive_cache_version_moved(&r->reads, &moved) != NGX_OK)
    {
        return 0;
    }

    ngx_hyperdrive_cache_position_get(shared, replica, &value);

    if (value.reached == 0 || value.site != site
        || (born && (value.home != home || value.checked < born)))
    {
        return 0;
    }

    age = (ngx_msec_int_t) (ngx_current_msec - (ngx_msec_t) value.since);

    if (r->stale) {
        return age <= (ngx_msec_int_t) conf->max_staleness;
    }

    return value.reached > moved && age <= (ngx_msec_int_t) conf->max_lag;
}


static void
ngx_hyperdrive_session_route_ask(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_route_t *r)
{
    ngx_msec_t                         limit;
    ngx_hyperdrive_chain_t             request;
    ngx_hyperdrive_proto_unit_t       *unit;
    ngx_hyperdrive_origin_ask_t       *ask;
    ngx_hyperdrive_policy_decision_t  *d;

    unit = &s->unit;
    ask = &r->ask;

    d = ngx_hyperdrive_session_policy(s, unit->stmt);

    limit = (d->timeout != NGX_HYPERDRIVE_POLICY_UNSET)
            ? d->timeout : s->conf->timeout.query;

    if (r->stale) {

        /* others may have been promised more */

        ngx_hyperdrive_session_fill_drop(s);
    }

    ask->pool = ngx_hyperdrive_origin_pool_at(s->pool->conf,
                                      r->choice.replica, &s->pool->user,
                                      &s->pool->database, s->pool->nparams,
                                      s->pool->params);
    ask->timeout = limit ? limit : NGX_HYPERDRIVE_SESSION_ROUTE_TIME;
    ask->mode = unit->stmt->mode;
    ask->bucket = ngx_hyperdrive_state_bucket_ref(
                                   ngx_hyperdrive_session_settings_bucket(s));
    ask->client = s->net.connection;
    ask->waited = 1;
    ask->attributes = (unit->attributes.len != 0);
    ask->data = r;
    ask->take = ngx_hyperdrive_session_route_take;
    ask->send = ngx_hyperdrive_session_route_send;
    ask->piece = ngx_hyperdrive_session_route_piece;
    ask->done = ngx_hyperdrive_session_route_done;

    ngx_memzero(&request, sizeof(ngx_hyperdrive_chain_t));

    s->conf->origin->proto->question(s->wire, unit, &request);

    if (ask->pool == NULL || request.failed) {
        r->rc = NGX_DECLINED;
        r->over = 1;

    } else {
        ngx_hyperdrive_origin_ask(ask, request.head->pos, request.size);
    }

    ngx_hyperdrive_base_chain_clear(&request);
}


/* it may have stood in the queue, or be a new one */

static ngx_int_t
ngx_hyperdrive_session_route_take(ngx_hyperdrive_origin_ask_t *ask,
    ngx_hyperdrive_origin_t *o)
{
    ngx_hyperdrive_session_route_t *r = ask->data;

    if (ngx_hyperdrive_session_route_still(r, o)) {
        return NGX_OK;
    }

    ngx_hyperdrive_cache_position_want(
                             ngx_hyperdrive_session_position(ask->pool->conf));

    return NGX_DECLINED;
}


/* whether the one that was chosen has all of it now */

static ngx_uint_t
ngx_hyperdrive_session_route_still(ngx_hyperdrive_session_route_t *r,
    ngx_hyperdrive_origin_t *o)
{
    ngx_hyperdrive_origin_replica_t  *replicas;

    replicas = r->session->pool->conf->replicas.elts;

    return ngx_hyperdrive_session_route_fresh(r, r->choice.replica - replicas,
                                              o->site, o->home, o->born);
}


static void
ngx_hyperdrive_session_route_send(ngx_hyperdrive_origin_ask_t *ask)
{
    ngx_hyperdrive_session_route_t *r = ask->data;

    ngx_hyperdrive_session_t  *s;

    s = r->session;

    if (s->fill == NULL) {
        return;
    }

    ngx_hyperdrive_session_fill_send(s->fill);

    /*
     * What was written since _take() is in this sample, and perhaps not in the
     * replica: good enough for who asked before, not for those who come.
     */

    if (!ngx_hyperdrive_session_route_still(r, ask->origin)) {
        ngx_hyperdrive_session_fill_drop(s);
    }
}


static void
ngx_hyperdrive_session_route_piece(ngx_hyperdrive_origin_ask_t *ask,
    ngx_hyperdrive_proto_piece_t *piece)
{
    ngx_hyperdrive_session_route_t *r = ask->data;

    ngx_hyperdrive_session_t  *s;

    s = r->session;

    if (r->failed) {
        return;
    }

    if (s->fill) {
        ngx_hyperdrive_session_fill_piece(s->fill, piece);
    }

    switch (piece->type) {

    case NGX_HYPERDRIVE_PROTO_HEAD:
        ngx_hyperdrive_base_chain_append(&r->head, piece->data, piece->len);
        return;

    case NGX_HYPERDRIVE_PROTO_ROWS:

        if (!r->begun && ngx_hyperdrive_session_route_begin(r) != NGX_OK) {
            r->failed = 1;
            return;
        }

        s->cut = piece->cut;
        r->rows += piece->rows;
        r->complete |= piece->end;

        s->conf->origin->proto->serve_rows(s->wire, piece->data, piece->len,
                                           &s->net.out);
        goto said;

    case NGX_HYPERDRIVE_PROTO_ERROR:

        r->failed = 1;

        if (!r->begun || piece->fatal) {
            return;
        }

        /* in the middle of the rows: the client's own */

        r->error = 1;

        if (piece->sqlstate) {
            ngx_memcpy(r->sqlstate, piece->sqlstate, 5);
        }

        s->conf->origin->counters->errors++;
        s->total.errors++;
        break;

    case NGX_HYPERDRIVE_PROTO_NOTICE:

        if (!r->begun) {
            /* it has its place among the answers: the primary says it too */
            r->failed = 1;
            return;
        }

        break;

    default:
        return;
    }

    ngx_hyperdrive_base_chain_append(&s->net.out, piece->data, piece->len);

said:

    if (s->net.out.size > NGX_HYPERDRIVE_HIGH_WATER) {
        s->blocked = 1;
        ask->blocked = 1;

        if (s->fill) {
            /* nobody shall wait for a slow client */
            ngx_hyperdrive_session_fill_alone(s->fill);
        }
    }

    (void) ngx_hyperdrive_net_post_write(&s->net);
}


/*
 * The first row, or the end: the snapshot was taken before it.  Who is inside
 * of what was read now may have committed before that, and the primary may not
 * show it yet.  NGX_DECLINED: it is the primary's after all.
 */

static ngx_int_t
ngx_hyperdrive_session_route_begin(ngx_hyperdrive_session_route_t *r)
{
    uint64_t                       moved;
    ngx_hyperdrive_proto_t        *proto;
    ngx_hyperdrive_session_t      *s;
    ngx_hyperdrive_proto_error_t   err;

    s = r->session;
    proto = s->conf->origin->proto;

    if ((!r->stale
         && ngx_hyperdrive_cache_version_moved(&r->reads, &moved) != NGX_OK)
        || r->head.size == 0 || r->head.failed
        || r->head.head != r->head.tail)
    {
        return NGX_DECLINED;
    }

    /* the input may have moved while it waited */

    if (proto->client_request(s->wire, s->net.pos, s->net.last, &s->unit,
                              &err)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    if (s->unit.told
        && s->unit.told != proto->shape(r->head.head->pos, r->head.size))
    {
        /* the rows are not what the client was told: the primary decides */
        return NGX_DECLINED;
    }

    r->begun = 1;

    proto->serve_begin(s->wire, &s->unit, r->head.head->pos, r->head.size,
                       &s->net.out);

    return NGX_OK;
}


static void
ngx_hyperdrive_session_route_done(ngx_hyperdrive_origin_ask_t *ask,
    ngx_int_t rc)
{
    ngx_hyperdrive_session_route_t  *r;

    r = ask->data;

    r->rc = rc;

    if (r->asking) {
        r->over = 1;
        return;
    }

    ngx_hyperdrive_session_route_end(r->session, r);
}


/* <s> may be gone afterwards */

static void
ngx_hyperdrive_session_route_end(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_route_t *r)
{
    ngx_hyperdrive_proto_error_t    err;
    ngx_hyperdrive_shm_counters_t  *counters;

    counters = s->conf->origin->counters;

    if (r->begun && (r->error || (r->rc == NGX_OK && r->complete)))
    {

        /* the unit's end */

        if (s->log) {
            ngx_hyperdrive_session_log_rows(s, r->rows);
        }

        counters->replica_reads++;

        ngx_hyperdrive_session_serve_end(s, r->sqlstate[0]
                                            ? (char *) r->sqlstate : NULL);

        if (s->fill) {
            (void) ngx_hyperdrive_session_fill_end(s->fill);
            s->fill = NULL;
        }

        ngx_hyperdrive_session_route_free(s);

        ngx_hyperdrive_session_resume(s);
        return;
    }

    if (r->begun) {
        ngx_hyperdrive_session_route_free(s);
        ngx_hyperdrive_session_fatal(s, "08006",
                                     "the replica closed the connection");
        return;
    }

    err = r->ask.err;

    if (r->cancelled) {
        err.severity = "ERROR";
        err.sqlstate = "57014";
        err.message = "canceling statement due to user request";
        err.hint = NULL;

    } else if (r->ask.late) {
        counters->timeouts++;

        err.severity = "ERROR";
        err.sqlstate = "57014";
        err.message = "canceling statement due to statement timeout";
        err.hint = NULL;

    } else if (!ngx_hyperdrive_session_route_full(r)) {

        counters->replica_fallback++;

        ngx_hyperdrive_session_fill_drop(s);
        ngx_hyperdrive_session_route_free(s);

        s->tried = 1;

        ngx_hyperdrive_session_resume(s);
        return;
    }

    /* to ask the primary would be to ask twice */

    ngx_hyperdrive_session_route_free(s);
    ngx_hyperdrive_session_set_state(s, NGX_HYPERDRIVE_SESSION_READY);
    ngx_hyperdrive_session_failed(s, &err);
}


/* all connections are in use: the primary's, too */

static ngx_uint_t
ngx_hyperdrive_session_route_full(ngx_hyperdrive_session_route_t *r)
{
    return r->rc == NGX_ERROR && r->ask.err.sqlstate
           && ngx_strcmp(r->ask.err.sqlstate, "53300") == 0;
}


void
ngx_hyperdrive_session_route_go_on(ngx_hyperdrive_session_t *s)
{
    ngx_hyperdrive_origin_ask_go_on(&s->route->ask);
}


ngx_int_t
ngx_hyperdrive_session_route_cancel(ngx_hyperdrive_session_t *s)
{
    ngx_hyperdrive_session_route_t  *r;

    r = s->route;

    if (s->fill) {
        s->fill->cancelled = 1;
    }

    if (r->ask.origin) {
        r->cancelled = 1;
        ngx_hyperdrive_origin_cancel(r->ask.origin);
        return NGX_DECLINED;
    }

    ngx_hyperdrive_session_route_forget(s);

    return NGX_OK;
}


void
ngx_hyperdrive_session_route_forget(ngx_hyperdrive_session_t *s)
{
    if (s->route) {
        ngx_hyperdrive_origin_ask_cancel(&s->route->ask);
        ngx_hyperdrive_session_route_free(s);
    }
}


static void
ngx_hyperdrive_session_route_free(ngx_hyperdrive_session_t *s)
{
    ngx_hyperdrive_session_route_t  *r;

    r = s->route;

    s->route = NULL;
    s->blocked = 0;

    ngx_hyperdrive_origin_chosen(&r->choice,
                                 r->rc == NGX_ERROR && !r->ask.late
                                 && !ngx_hyperdrive_session_route_full(r));
    ngx_hyperdrive_base_chain_clear(&r->head);
    ngx_hyperdrive_state_bucket_unref(r->ask.bucket);

    free(r);
}
