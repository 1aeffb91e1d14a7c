
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session_catalog.h"
#include "base/ngx_hyperdrive_base_cursor.h"
#include "base/ngx_hyperdrive_base_plain.h"
#include "session/ngx_hyperdrive_session_catalog_read.h"
#include "session/ngx_hyperdrive_session_hold.h"
#include "session/ngx_hyperdrive_session_plan.h"


/* it is changed all the time: read again after..., milliseconds */
#define NGX_HYPERDRIVE_SESSION_CATALOG_MIN     50
#define NGX_HYPERDRIVE_SESSION_CATALOG_BUSY    500

/* ...and when it could not be read */
#define NGX_HYPERDRIVE_SESSION_CATALOG_FAILED  100
#define NGX_HYPERDRIVE_SESSION_CATALOG_MAX     5000

/* clients come first so long, and it is looked so often, milliseconds */
#define NGX_HYPERDRIVE_SESSION_CATALOG_YIELD   3000
#define NGX_HYPERDRIVE_SESSION_CATALOG_LOOK    20


typedef enum {
    NGX_HYPERDRIVE_SESSION_CATALOG_IDLE = 0,  /* the timer goes on */
    NGX_HYPERDRIVE_SESSION_CATALOG_IDENTITY,  /* asks which database it is */
    NGX_HYPERDRIVE_SESSION_CATALOG_READ       /* reads */
} ngx_hyperdrive_session_catalog_state_e;


struct ngx_hyperdrive_session_catalog_s {
    ngx_hyperdrive_session_catalog_t        *next;
    ngx_hyperdrive_session_catalog_state_e   state;
    ngx_hyperdrive_origin_conf_t            *conf;
    ngx_str_t                                database;
    ngx_str_t                                asker;     /* reads it; empty: the
                                                           URL's user... */
    ngx_str_t                                password;
    ngx_str_t                                token;     /* ...as in a pool */
    ngx_str_t                                user;      /* has read <current>,
                                                           empty as above */

    ngx_hyperdrive_session_hold_t            hold;
    ngx_hyperdrive_session_catalog_read_t    read;
    ngx_event_t                              event;
    ngx_connection_t                         dummy;     /* debug logging reads
                                                           an event's one */
    ngx_msec_t                               delay;
    ngx_msec_t                               done;      /* the last one was */

    uint64_t                                 identity;
    ngx_hyperdrive_cache_version_set_t       set;       /* the DDL number... */
    ngx_hyperdrive_cache_version_set_t       sure;      /* ...the other one */

    ngx_hyperdrive_sql_catalog_t            *current;
    uint64_t                                 generation;
    ngx_hyperdrive_cache_version_sample_t    sample;    /* it holds while this
                                                           is so */
    ngx_hyperdrive_cache_version_sample_t    seen;      /* as it was when a
                                                           change was noticed */

    ngx_hyperdrive_cache_version_sample_t    before;    /* what is being read
                                                           was asked for */

    ngx_msec_t                               yields;    /* since then... */
    unsigned                                 yield:1;   /* ...to clients */
    unsigned                                 known:1;   /* its identity */
    unsigned                                 sampled:1; /* <sample> is one */
    unsigned                                 ready:1;   /* <before> is one */
    unsigned                                 counted:1;
    unsigned                                 failing:1; /* and it was told */
};


static ngx_hyperdrive_session_catalog_t *ngx_hyperdrive_session_catalog_find(
    ngx_hyperdrive_origin_conf_t *conf, ngx_str_t *database);
static ngx_int_t ngx_hyperdrive_session_catalog_adopt(
    ngx_hyperdrive_session_catalog_t *cat, ngx_hyperdrive_pool_t *pool);
static void ngx_hyperdrive_session_catalog_timer(ngx_event_t *ev);
static void ngx_hyperdrive_session_catalog_schedule(
    ngx_hyperdrive_session_catalog_t *cat, ngx_msec_t msec);
static void ngx_hyperdrive_session_catalog_again(
    ngx_hyperdrive_session_catalog_t *cat);
static ngx_uint_t ngx_hyperdrive_session_catalog_yield(
    ngx_hyperdrive_session_catalog_t *cat);
static ngx_uint_t ngx_hyperdrive_session_catalog_full(
    ngx_hyperdrive_session_catalog_t *cat);
static void ngx_hyperdrive_session_catalog_ask(
    ngx_hyperdrive_session_catalog_t *cat);
static void ngx_hyperdrive_session_catalog_send(
    ngx_hyperdrive_session_catalog_read_t *r);
static void ngx_hyperdrive_session_catalog_done(
    ngx_hyperdrive_session_catalog_read_t *r, ngx_int_t rc);
static void ngx_hyperdrive_session_catalog_know(
    ngx_hyperdrive_session_catalog_t *cat, uint64_t identity);
static void ngx_hyperdrive_session_catalog_fail(
    ngx_hyperdrive_session_catalog_t *cat);
static void ngx_hyperdrive_session_catalog_take(
    ngx_hyperdrive_session_catalog_t *cat);
static void ngx_hyperdrive_session_catalog_reader(
    ngx_hyperdrive_session_catalog_t *cat);
static void ngx_hyperdrive_session_catalog_changed(
    ngx_hyperdrive_session_catalog_t *cat);
static void ngx_hyperdrive_session_catalog_count(
    ngx_hyperdrive_session_catalog_t *cat, ngx_uint_t counted);


static ngx_hyperdrive_session_catalog_t  *ngx_hyperdrive_session_catalogs;
static uint64_t  ngx_hyperdrive_session_catalog_generation;


ngx_int_t
ngx_hyperdrive_session_catalog_init(ngx_cycle_t *cycle, ngx_array_t *origins)
{
    ngx_uint_t                         i;
    ngx_hyperdrive_origin_conf_t     **conf;
    ngx_hyperdrive_session_catalog_t  *cat;

    if (!ngx_hyperdrive_cache_version_on()) {
        return NGX_OK;
    }

    conf = origins->elts;

    for (i = 0; i < origins->nelts; i++) {

        /* without a user in the URL it is read as the first client's */

        if (conf[i]->catalog_refresh == 0 || conf[i]->per_user
            || (conf[i]->database.len == 0 && !conf[i]->proto->dialect))
        {
            continue;
        }

        cat = ngx_hyperdrive_session_catalog_find(conf[i], &conf[i]->database);
        if (cat == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


ngx_hyperdrive_session_catalog_t *
ngx_hyperdrive_session_catalog(ngx_hyperdrive_session_t *s)
{
    ngx_hyperdrive_session_catalog_t  *cat;

    if (s->pool->catalog == NULL && s->pool->conf->catalog_refresh
        && ngx_hyperdrive_cache_version_on())
    {
        s->pool->catalog = ngx_hyperdrive_session_catalog_find(s->pool->conf,
                                                          &s->pool->database);
    }

    cat = s->pool->catalog;

    if (cat && s->pool->user.len && (cat->failing || cat->asker.len == 0)
        && cat->state == NGX_HYPERDRIVE_SESSION_CATALOG_IDLE)
    {
        (void) ngx_hyperdrive_session_catalog_adopt(cat, s->pool);
    }

    return cat;
}


/*
 * Whose log-in it is read with, where the URL names no user: the first
 * client's.  He may be dropped, or lose the right to connect: then the next
 * one's that comes.  NGX_ERROR: no memory, the one before stays.
 */

static ngx_int_t
ngx_hyperdrive_session_catalog_adopt(ngx_hyperdrive_session_catalog_t *cat,
    ngx_hyperdrive_pool_t *pool)
{
    u_char  *p;
    size_t   len;

    if (ngx_hyperdrive_base_same(&cat->asker, &pool->user)
        && ngx_hyperdrive_base_same(&cat->password,
                                               &pool->password)
        && ngx_hyperdrive_base_same(&cat->token, &pool->token))
    {
        return NGX_OK;
    }

    len = pool->user.len + pool->password.len + pool->token.len;

    p = malloc(len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    if (cat->asker.data) {
        ngx_explicit_memzero(cat->asker.data, cat->asker.len
                             + cat->password.len + cat->token.len);
        free(cat->asker.data);
    }

    /* one behind the other */

    cat->asker.data = p;
    cat->asker.len = pool->user.len;
    p = ngx_cpymem(p, pool->user.data, pool->user.len);

    cat->password.data = p;
    cat->password.len = pool->password.len;
    p = ngx_cpymem(p, pool->password.data, pool->password.len);

    cat->token.data = p;
    cat->token.len = pool->token.len;
    ngx_memcpy(p, pool->token.data, pool->token.len);

    return NGX_OK;
}


/* one for a database; who is the first to use it reads it */

static ngx_hyperdrive_session_catalog_t *
ngx_hyperdrive_session_catalog_find(ngx_hyperdrive_origin_conf_t *conf,
    ngx_str_t *database)
{
    ngx_hyperdrive_session_catalog_t  *cat;

    static ngx_str_t  none = ngx_string("");

    if (conf->proto->dialect) {
        /* MySQL: one for all databases of the server */
        database = &none;
    }

    for (cat = ngx_hyperdrive_session_catalogs; cat; cat = cat->next) {

        if (cat->conf == conf && cat->database.len == database->len
            && ngx_memcmp(cat->database.data, database->data, database->len)
               == 0)
        {
            return cat;
        }
    }

    cat = calloc(1, sizeof(ngx_hyperdrive_session_catalog_t) + database->len);
    if (cat == NULL) {
        return NULL;
    }

    cat->database.len = database->len;
    cat->database.data = (u_char *) (cat + 1);
    ngx_memcpy(cat->database.data, database->data, database->len);

    cat->conf = conf;
    cat->delay = NGX_HYPERDRIVE_SESSION_CATALOG_MIN;

    cat->dummy.fd = (ngx_socket_t) -1;
    cat->event.handler = ngx_hyperdrive_session_catalog_timer;
    cat->event.data = &cat->dummy;
    cat->event.log = ngx_cycle->log;
    cat->event.cancelable = 1;
    cat->dummy.data = cat;

    ngx_hyperdrive_session_hold_init(&cat->hold);

    cat->read.data = cat;
    cat->read.send = ngx_hyperdrive_session_catalog_send;
    cat->read.done = ngx_hyperdrive_session_catalog_done;

    cat->next = ngx_hyperdrive_session_catalogs;
    ngx_hyperdrive_session_catalogs = cat;

    ngx_hyperdrive_session_catalog_schedule(cat, 1);

    return cat;
}


ngx_hyperdrive_session_catalog_t *
ngx_hyperdrive_session_catalog_next(ngx_hyperdrive_session_catalog_t *cat,
    ngx_hyperdrive_origin_conf_t **conf, ngx_str_t *database)
{
    cat = cat ? cat->next : ngx_hyperdrive_session_catalogs;

    if (cat) {
        *conf = cat->conf;
        *database = cat->database;
    }

    return cat;
}


ngx_int_t
ngx_hyperdrive_session_catalog_identity(ngx_hyperdrive_session_catalog_t *cat,
    uint64_t *identity)
{
    *identity = cat->identity;

    return cat->known ? NGX_OK : NGX_DECLINED;
}


void
ngx_hyperdrive_session_catalog_number(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_cache_version_set_t *set)
{
    ngx_hyperdrive_session_catalog_t  *cat;

    cat = ngx_hyperdrive_session_catalog(s);

    if (cat && cat->known) {
        (void) ngx_hyperdrive_cache_version_join(set, &cat->set);
    }
}


ngx_uint_t
ngx_hyperdrive_session_catalog_is_user(ngx_hyperdrive_session_catalog_t *cat,
    ngx_str_t *user)
{
    return ngx_hyperdrive_base_same(&cat->user, user);
}


ngx_hyperdrive_sql_catalog_t *
ngx_hyperdrive_session_catalog_get(ngx_hyperdrive_session_catalog_t *cat,
    uint64_t *generation)
{
    *generation = cat->generation;

    if (cat->current && cat->sampled
        && ngx_hyperdrive_cache_version_holds(&cat->set, &cat->sample))
    {
        return cat->current;
    }

    if (cat->state == NGX_HYPERDRIVE_SESSION_CATALOG_IDLE && cat->counted) {

        /* something was changed since: the first one to see it */

        ngx_hyperdrive_session_catalog_count(cat, 0);

        if (!cat->failing) {
            ngx_hyperdrive_session_catalog_again(cat);
        }
    }

    return NULL;
}


/*
 * What a request does is not known, and the catalog on its way that would say
 * it: without one it counts as DDL, and keeps that of all processes from being
 * in force.
 */

ngx_int_t
ngx_hyperdrive_session_catalog_wait(ngx_hyperdrive_session_t *s)
{
    uint64_t                           generation;
    ngx_hyperdrive_session_catalog_t  *cat;

    if (s->streaming || s->hurried || !ngx_hyperdrive_cache_version_on()
        || !(s->unit.mixed || (s->unit.stmt && s->unit.stmt->plan.perhaps)))
    {
        ngx_hyperdrive_session_hold_forget(s);
        return NGX_OK;
    }

    cat = ngx_hyperdrive_session_catalog(s);

    if (cat == NULL || cat->failing
        || ngx_hyperdrive_session_catalog_get(cat, &generation)
        || (cat->known && ngx_hyperdrive_cache_version_busy(&cat->sure))
        || (s->origin && cat->read.ask.origin == NULL
            && ngx_hyperdrive_session_catalog_full(cat))
        || !ngx_hyperdrive_session_hold_may(&cat->hold))
    {
        ngx_hyperdrive_session_hold_forget(s);
        return NGX_OK;
    }

    if (!cat->hold.on && cat->state == NGX_HYPERDRIVE_SESSION_CATALOG_IDLE) {
        /* not long */
        ngx_hyperdrive_session_catalog_schedule(cat,
                                         NGX_HYPERDRIVE_SESSION_CATALOG_LOOK);
    }

    ngx_hyperdrive_session_hold(&cat->hold, s);

    return NGX_AGAIN;
}


static void
ngx_hyperdrive_session_catalog_count(ngx_hyperdrive_session_catalog_t *cat,
    ngx_uint_t counted)
{
    if (cat->counted != counted) {
        cat->counted = counted;
        cat->conf->counters->catalogs += counted ? 1 : -1;
    }
}


static void
ngx_hyperdrive_session_catalog_schedule(ngx_hyperdrive_session_catalog_t *cat,
    ngx_msec_t msec)
{
    if (cat->event.timer_set) {
        ngx_del_timer(&cat->event);
    }

    ngx_add_timer(&cat->event, msec);
}


/* soon, but not all the time */

static void
ngx_hyperdrive_session_catalog_again(ngx_hyperdrive_session_catalog_t *cat)
{
    if (cat->hold.on) {
        ngx_hyperdrive_session_catalog_schedule(cat,
                                         NGX_HYPERDRIVE_SESSION_CATALOG_LOOK);
        return;
    }

    if (ngx_current_msec - cat->done > NGX_HYPERDRIVE_SESSION_CATALOG_MAX) {
        cat->delay = NGX_HYPERDRIVE_SESSION_CATALOG_MIN;
    }

    ngx_hyperdrive_session_catalog_schedule(cat, cat->delay);

    cat->delay = ngx_min(cat->delay * 2, NGX_HYPERDRIVE_SESSION_CATALOG_BUSY);
}


static void
ngx_hyperdrive_session_catalog_timer(ngx_event_t *ev)
{
    uint64_t                               identity;
    ngx_connection_t                      *c;
    ngx_hyperdrive_session_catalog_t      *cat;
    ngx_hyperdrive_cache_version_sample_t  sample;

    c = ev->data;
    cat = c->data;

    if (cat->state != NGX_HYPERDRIVE_SESSION_CATALOG_IDLE) {
        return;
    }

    if (ngx_hyperdrive_session_catalog_yield(cat)) {
        ngx_hyperdrive_session_catalog_schedule(cat,
                                         NGX_HYPERDRIVE_SESSION_CATALOG_LOOK);
        return;
    }

    if (!cat->known
        && ngx_hyperdrive_session_catalog_recall(cat->conf,
                                                 &cat->database, &identity)
           == NGX_OK)
    {
        ngx_hyperdrive_session_catalog_know(cat, identity);
    }

    if (cat->known
        && (ngx_hyperdrive_cache_version_sample(&cat->set, &sample) != NGX_OK
            || (cat->sampled && cat->delay < NGX_HYPERDRIVE_SESSION_CATALOG_BUSY
                && !ngx_hyperdrive_cache_version_holds(&cat->set, &cat->seen))))
    {
        /* somebody is changing it now, or has, and may not be done */

        (void) ngx_hyperdrive_cache_version_sample(&cat->set, &cat->seen);

        if (ngx_hyperdrive_cache_version_busy(&cat->sure)) {
            /* by DDL, which may take long */
            ngx_hyperdrive_session_hold_over(&cat->hold, 1);
        }

        ngx_hyperdrive_session_catalog_again(cat);
        return;
    }

    ngx_hyperdrive_session_catalog_ask(cat);
}


/*
 * All connections are in use: clients need them first, and the places in the
 * queue; but not for ever, as it is the cache that would help, and not while
 * they wait for it.
 */

static ngx_uint_t
ngx_hyperdrive_session_catalog_yield(ngx_hyperdrive_session_catalog_t *cat)
{
    if (cat->hold.on || !ngx_hyperdrive_session_catalog_full(cat)) {
        cat->yield = 0;
        return 0;
    }

    if (!cat->yield) {
        cat->yield = 1;
        cat->yields = ngx_current_msec;
    }

    if (ngx_current_msec - cat->yields < NGX_HYPERDRIVE_SESSION_CATALOG_YIELD)
    {
        return 1;
    }

    cat->yield = 0;

    return 0;
}


static ngx_uint_t
ngx_hyperdrive_session_catalog_full(ngx_hyperdrive_session_catalog_t *cat)
{
    ngx_hyperdrive_shm_limit_stats_t  stats;

    ngx_hyperdrive_shm_limit_stats(cat->conf->limit, &stats);

    return stats.used - stats.idle >= stats.max;
}


static void
ngx_hyperdrive_session_catalog_ask(ngx_hyperdrive_session_catalog_t *cat)
{
    ngx_hyperdrive_pool_t         *pool;
    ngx_hyperdrive_proto_param_t   param;

    cat->state = cat->known ? NGX_HYPERDRIVE_SESSION_CATALOG_READ
                            : NGX_HYPERDRIVE_SESSION_CATALOG_IDENTITY;
    cat->ready = 0;

    /* a pool of its own: no client's settings are on its connections */

    ngx_str_set(&param.name, "application_name");
    ngx_str_set(&param.value, "hyperdrive catalog");

    pool = ngx_hyperdrive_origin_pool(cat->conf, &cat->asker, &cat->database,
                                      1, &param);

    if (pool == NULL
        || (cat->asker.len
            && ngx_hyperdrive_origin_credentials(pool, &cat->password,
                                                 &cat->token)
               != NGX_OK))
    {
        ngx_hyperdrive_session_catalog_done(&cat->read, NGX_ERROR);
        return;
    }

    ngx_hyperdrive_session_catalog_read(&cat->read, pool, !cat->known);
}


static void
ngx_hyperdrive_session_catalog_send(ngx_hyperdrive_session_catalog_read_t *r)
{
    ngx_hyperdrive_session_catalog_t  *cat;

    cat = r->data;

    /* what is changed from here on makes it void */

    cat->ready = (cat->known
                  && ngx_hyperdrive_cache_version_sample(&cat->set,
                                                         &cat->before)
                     == NGX_OK);

    if (cat->ready) {
        ngx_hyperdrive_session_hold_longer(&cat->hold);
    }
}


static void
ngx_hyperdrive_session_catalog_done(ngx_hyperdrive_session_catalog_read_t *r,
    ngx_int_t rc)
{
    uint64_t                                 identity;
    ngx_str_t                                system;
    ngx_hyperdrive_session_catalog_t        *cat;
    ngx_hyperdrive_session_catalog_state_e   state;

    cat = r->data;
    state = cat->state;

    cat->state = NGX_HYPERDRIVE_SESSION_CATALOG_IDLE;

    if (rc == NGX_ERROR) {
        ngx_hyperdrive_session_catalog_fail(cat);
        return;
    }

    if (state == NGX_HYPERDRIVE_SESSION_CATALOG_READ) {
        ngx_hyperdrive_session_catalog_take(cat);
        return;
    }

    identity = r->identity;

    if (rc == NGX_DECLINED) {

        /* it may not be asked: all of one name may be the same one */

        ngx_str_set(&system, "");

        identity = ngx_hyperdrive_sql_catalog_identity(&system,
                               cat->conf->proto->dialect ? &system
                                                         : &cat->database);
    }

    ngx_hyperdrive_session_catalog_know(cat, identity);
    ngx_hyperdrive_session_catalog_schedule(cat, 1);
}


/* told once; then it is tried less and less often */

static void
ngx_hyperdrive_session_catalog_fail(ngx_hyperdrive_session_catalog_t *cat)
{
    cat->conf->counters->catalog_failed++;

    if (!cat->failing) {
        cat->failing = 1;
        cat->delay = NGX_HYPERDRIVE_SESSION_CATALOG_FAILED;

        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "hyperdrive upstream \"%V\": the catalog of database "
                      "\"%V\" could not be read, %s", &cat->conf->name,
                      ngx_hyperdrive_base_plain_copy(&cat->database),
                      cat->sampled ? "what was read before is in use until "
                                     "something is changed in it"
                                   : "nothing of it is answered from the "
                                     "cache until it is");
    }

    ngx_hyperdrive_session_hold_over(&cat->hold, 0);
    ngx_hyperdrive_session_catalog_schedule(cat, cat->delay);

    cat->delay = ngx_min(cat->delay * 2, NGX_HYPERDRIVE_SESSION_CATALOG_MAX);
}


static void
ngx_hyperdrive_session_catalog_know(ngx_hyperdrive_session_catalog_t *cat,
    uint64_t identity)
{
    cat->identity = identity;
    cat->known = 1;

    cat->set.n = 1;
    cat->set.numbers[0] = ngx_hyperdrive_cache_version(identity,
                                          NGX_HYPERDRIVE_SESSION_CATALOG_DDL);
    cat->sure.n = 1;
    cat->sure.numbers[0] = ngx_hyperdrive_cache_version(identity,
                                         NGX_HYPERDRIVE_SESSION_CATALOG_SURE);

    ngx_hyperdrive_session_catalog_remember(cat->conf, &cat->database,
                                            identity);
}


/* all of it has come */

static void
ngx_hyperdrive_session_catalog_take(ngx_hyperdrive_session_catalog_t *cat)
{
    uint64_t                       digest;
    ngx_uint_t                     differs, elsewhere, noted;
    ngx_hyperdrive_sql_catalog_t  *old, *now;

    if (cat->failing) {
        cat->failing = 0;
        cat->delay = NGX_HYPERDRIVE_SESSION_CATALOG_MIN;

        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "hyperdrive upstream \"%V\": the catalog of database "
                      "\"%V\" is read again", &cat->conf->name,
                      ngx_hyperdrive_base_plain_copy(&cat->database));
    }

    old = cat->current;
    now = cat->read.sql;
    cat->read.sql = NULL;

    digest = ngx_hyperdrive_sql_catalog_digest(now);
    differs = (old == NULL
               || digest != ngx_hyperdrive_sql_catalog_digest(old));

    /*
     * Changed, and nobody here has done it: who relies on what was known, or
     * on what was kept, has to be told.
     */

    noted = ngx_hyperdrive_session_catalog_note(cat->identity, digest);

    if (old == NULL) {
        ngx_hyperdrive_session_purge_late(cat, cat->conf, &cat->database, now);
    }

    elsewhere = old ? (differs && cat->sampled && cat->ready
                       && cat->before.n == cat->sample.n
                       && ngx_memcmp(cat->before.versions,
                                     cat->sample.versions,
                                     cat->sample.n * sizeof(uint64_t))
                          == 0)
                    : noted;

    if (differs
        || !ngx_hyperdrive_sql_catalog_same_user(old, now)
        || !ngx_hyperdrive_base_same(&cat->user, &cat->asker))
    {
        ngx_hyperdrive_session_catalog_reader(cat);

        cat->current = now;
        cat->generation = ++ngx_hyperdrive_session_catalog_generation;

        ngx_hyperdrive_session_plan_forget(cat);

        if (old) {
            ngx_hyperdrive_sql_catalog_destroy(old);
        }

    } else {
        /* plans that were made go on to hold */
        ngx_hyperdrive_sql_catalog_destroy(now);
    }

    cat->sample = cat->before;
    cat->sampled = cat->ready;

    if (elsewhere) {
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "hyperdrive upstream \"%V\": the catalog of database "
                      "\"%V\" was changed elsewhere", &cat->conf->name,
                      ngx_hyperdrive_base_plain_copy(&cat->database));

        ngx_hyperdrive_session_catalog_changed(cat);
    }

    if (cat->sampled
        && ngx_hyperdrive_cache_version_holds(&cat->set, &cat->sample))
    {
        cat->done = ngx_current_msec;

        ngx_hyperdrive_session_hold_over(&cat->hold, 1);
        ngx_hyperdrive_session_catalog_count(cat, 1);
        ngx_hyperdrive_session_catalog_schedule(cat,
                                                cat->conf->catalog_refresh);
        return;
    }

    ngx_hyperdrive_session_catalog_count(cat, 0);
    ngx_hyperdrive_session_catalog_again(cat);
}


/* without memory the search_path of nobody is known */

static void
ngx_hyperdrive_session_catalog_reader(ngx_hyperdrive_session_catalog_t *cat)
{
    free(cat->user.data);
    ngx_str_null(&cat->user);

    if (cat->asker.len == 0) {
        return;
    }

    cat->user.data = malloc(cat->asker.len);

    if (cat->user.data) {
        cat->user.len = cat->asker.len;
        ngx_memcpy(cat->user.data, cat->asker.data, cat->asker.len);
    }
}


/* as if it had been DDL through this process */

static void
ngx_hyperdrive_session_catalog_changed(ngx_hyperdrive_session_catalog_t *cat)
{
    ngx_hyperdrive_cache_version_set_t  set;

    set = cat->set;

    (void) ngx_hyperdrive_cache_version_add(&set,
                              ngx_hyperdrive_cache_version(cat->identity, 0));

    ngx_hyperdrive_cache_version_enter(&set);
    ngx_hyperdrive_cache_version_leave(&set, 1);
}
