
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session_position.h"
#include "base/ngx_hyperdrive_base_hash.h"
#include "origin/ngx_hyperdrive_origin_ask.h"


/* how often it is looked for something to do; and soon after that, msec */
#define NGX_HYPERDRIVE_SESSION_POSITION_WORK   100
#define NGX_HYPERDRIVE_SESSION_POSITION_SOON   20

/* a measurement that nobody has asked for */
#define NGX_HYPERDRIVE_SESSION_POSITION_IDLE   500

/* who has not answered is left alone so long, milliseconds */
#define NGX_HYPERDRIVE_SESSION_POSITION_PAUSE  1000

/* an answer to it */
#define NGX_HYPERDRIVE_SESSION_POSITION_TIME   5000

/* measurements that are remembered: those that are older lie further apart */
#define NGX_HYPERDRIVE_SESSION_POSITION_MAX    128

/* its only row, with what ends the answer */
#define NGX_HYPERDRIVE_SESSION_POSITION_ROW    1024


typedef struct ngx_hyperdrive_session_position_s
    ngx_hyperdrive_session_position_t;


/* the question to one origin */

typedef struct {
    ngx_hyperdrive_session_position_t    *m;
    ngx_uint_t                            n;        /* of the replica */
    ngx_hyperdrive_origin_ask_t           ask;
    uint64_t                              asked;    /* when */
    uint64_t                              site;    /* where it was, 0: never */
    uint64_t                              home;    /* ...which server */
    size_t                                len;
    u_char                                buf[
                                         NGX_HYPERDRIVE_SESSION_POSITION_ROW];
    unsigned                              asking:1;
    unsigned                              failed:1;
    unsigned                              known:1;  /* where it stands: so it
                                                       was logged */
    unsigned                              told:1;
} ngx_hyperdrive_session_position_ask_t;


typedef struct {
    uint64_t                              tick;
    uint64_t                              since;
    ngx_hyperdrive_proto_position_t       position;
} ngx_hyperdrive_session_position_mark_t;


struct ngx_hyperdrive_session_position_s {
    ngx_hyperdrive_origin_conf_t           *conf;
    ngx_hyperdrive_cache_position_t        *shared;
    ngx_event_t                             event;
    ngx_connection_t                        dummy;    /* debug logging reads
                                                         an event's one */
    uint64_t                                term;     /* that was acted upon */
    unsigned                                leads:1;

    /* the leader's; the last mark is the last measurement */

    ngx_hyperdrive_session_position_ask_t   primary;
    ngx_hyperdrive_session_position_ask_t  *replicas;
    uint64_t                                tick;     /* is under way... */
    uint64_t                                in_term;  /* ...since this one */
    ngx_msec_t                              wanted;   /* the last time */
    ngx_uint_t                              nmarks;
    ngx_hyperdrive_session_position_mark_t  marks[
                                         NGX_HYPERDRIVE_SESSION_POSITION_MAX];
};


static ngx_int_t ngx_hyperdrive_session_position_create(
    ngx_hyperdrive_origin_conf_t *conf);
static uint64_t ngx_hyperdrive_session_position_id(
    ngx_hyperdrive_origin_conf_t *conf);
static void ngx_hyperdrive_session_position_ready(
    ngx_hyperdrive_session_position_t *m,
    ngx_hyperdrive_session_position_ask_t *a, ngx_uint_t n);
static void ngx_hyperdrive_session_position_timer(ngx_event_t *ev);
static void ngx_hyperdrive_session_position_follow(
    ngx_hyperdrive_session_position_t *m);
static void ngx_hyperdrive_session_position_found(ngx_hyperdrive_origin_t *o);
static void ngx_hyperdrive_session_position_changed(
    ngx_hyperdrive_session_position_t *m, char *what);
static void ngx_hyperdrive_session_position_measure(
    ngx_hyperdrive_session_position_t *m);
static void ngx_hyperdrive_session_position_ask(
    ngx_hyperdrive_session_position_ask_t *a,
    ngx_hyperdrive_origin_replica_t *replica);
static ngx_int_t ngx_hyperdrive_session_position_take(
    ngx_hyperdrive_origin_ask_t *ask, ngx_hyperdrive_origin_t *o);
static void ngx_hyperdrive_session_position_piece(
    ngx_hyperdrive_origin_ask_t *ask, ngx_hyperdrive_proto_piece_t *piece);
static void ngx_hyperdrive_session_position_done(
    ngx_hyperdrive_origin_ask_t *ask, ngx_int_t rc);
static ngx_int_t ngx_hyperdrive_session_position_read(
    ngx_hyperdrive_session_position_ask_t *a,
    ngx_hyperdrive_proto_position_t *position);
static void ngx_hyperdrive_session_position_mark(
    ngx_hyperdrive_session_position_t *m,
    ngx_hyperdrive_proto_position_t *position);
static void ngx_hyperdrive_session_position_reached(
    ngx_hyperdrive_session_position_ask_t *a,
    ngx_hyperdrive_proto_position_t *position);
static void ngx_hyperdrive_session_position_gone(
    ngx_hyperdrive_session_position_ask_t *a);


ngx_int_t
ngx_hyperdrive_session_position_init(ngx_array_t *confs)
{
    ngx_uint_t                      i;
    ngx_hyperdrive_origin_conf_t  **conf;

    if (!ngx_hyperdrive_cache_version_on()) {
        return NGX_OK;
    }

    ngx_hyperdrive_origin_found = ngx_hyperdrive_session_position_found;

    conf = confs->elts;

    for (i = 0; i < confs->nelts; i++) {

        if ((conf[i]->balancer || conf[i]->moves)
            && ngx_hyperdrive_session_position_create(conf[i]) != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


void
ngx_hyperdrive_session_position_exit(ngx_array_t *confs)
{
    ngx_uint_t                          i;
    ngx_hyperdrive_origin_conf_t      **conf;
    ngx_hyperdrive_session_position_t  *m;

    conf = confs->elts;

    for (i = 0; i < confs->nelts; i++) {
        m = conf[i]->positions;

        if (m && m->leads) {
            m->leads = 0;
            ngx_hyperdrive_cache_position_resign(m->shared);
        }
    }
}


ngx_hyperdrive_cache_position_t *
ngx_hyperdrive_session_position(ngx_hyperdrive_origin_conf_t *conf)
{
    ngx_hyperdrive_session_position_t  *m;

    m = conf->positions;

    return m ? m->shared : NULL;
}


static ngx_int_t
ngx_hyperdrive_session_position_create(ngx_hyperdrive_origin_conf_t *conf)
{
    ngx_uint_t                          i, n;
    ngx_hyperdrive_session_position_t  *m;

    n = conf->replicas.nelts;

    m = calloc(1, sizeof(ngx_hyperdrive_session_position_t)
                  + n * sizeof(ngx_hyperdrive_session_position_ask_t));
    if (m == NULL) {
        return NGX_ERROR;
    }

    m->conf = conf;
    m->replicas = (ngx_hyperdrive_session_position_ask_t *) (m + 1);
    m->shared = ngx_hyperdrive_cache_position(
                                     ngx_hyperdrive_session_position_id(conf));

    if (m->shared == NULL) {
        ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                      "hyperdrive upstream \"%V\": too many upstreams with "
                      "replicas have been configured since nginx was started, "
                      "replicas of this one are not read from", &conf->name);
        free(m);
        return NGX_OK;
    }

    ngx_hyperdrive_session_position_ready(m, &m->primary, 0);

    for (i = 0; i < n; i++) {
        ngx_hyperdrive_session_position_ready(m, &m->replicas[i], i);
    }

    m->dummy.fd = (ngx_socket_t) -1;
    m->dummy.data = m;
    m->event.handler = ngx_hyperdrive_session_position_timer;
    m->event.data = &m->dummy;
    m->event.log = ngx_cycle->log;
    m->event.cancelable = 1;

    conf->positions = m;

    ngx_add_timer(&m->event, 1);

    return NGX_OK;
}


/* workers of two configurations share it only if they count alike */

static uint64_t
ngx_hyperdrive_session_position_id(ngx_hyperdrive_origin_conf_t *conf)
{
    uint64_t                         id;
    ngx_uint_t                       i, k;
    ngx_hyperdrive_origin_server_t  *server;
    static uint64_t                  seed[2];

    id = ngx_hyperdrive_base_hash(seed, conf->name.data, conf->name.len);
    server = conf->servers.elts;

    for (i = 0; i < conf->servers.nelts; i++) {

        if (server[i].resolve) {

            /* a primary, wherever it is by now */

            id = id * 31 + server[i].roles
                 + ngx_hyperdrive_base_hash(seed, server[i].name.data,
                                            server[i].name.len);
            continue;
        }

        for (k = 0; k < server[i].naddrs; k++) {

            id = id * 31 + server[i].roles
                 + ngx_hyperdrive_base_hash(seed,
                                            server[i].addrs[k].name.data,
                                            server[i].addrs[k].name.len);
        }
    }

    return id ? id : 1;
}


static void
ngx_hyperdrive_session_position_ready(ngx_hyperdrive_session_position_t *m,
    ngx_hyperdrive_session_position_ask_t *a, ngx_uint_t n)
{
    a->m = m;
    a->n = n;

    a->ask.data = a;
    a->ask.timeout = NGX_HYPERDRIVE_SESSION_POSITION_TIME;
    a->ask.take = ngx_hyperdrive_session_position_take;
    a->ask.piece = ngx_hyperdrive_session_position_piece;
    a->ask.done = ngx_hyperdrive_session_position_done;
}


static void
ngx_hyperdrive_session_position_timer(ngx_event_t *ev)
{
    ngx_msec_t                          again;
    ngx_connection_t                   *c;
    ngx_hyperdrive_session_position_t  *m;

    c = ev->data;
    m = c->data;

    again = NGX_HYPERDRIVE_SESSION_POSITION_WORK;

    ngx_hyperdrive_session_position_follow(m);

    if (!m->leads && !ngx_exiting
        && ngx_hyperdrive_cache_position_lead(m->shared) == NGX_OK)
    {
        m->leads = 1;
        m->nmarks = 0;
    }

    if (m->leads && ngx_exiting) {

        /* others are there, or nobody needs it */

        m->leads = 0;
        ngx_hyperdrive_cache_position_resign(m->shared);
    }

    if (ngx_exiting) {
        return;
    }

    if (m->leads) {

        if (ngx_hyperdrive_cache_position_wanted(m->shared)) {
            m->wanted = ngx_current_msec;
            ngx_hyperdrive_session_position_measure(m);

        } else if (ngx_current_msec - m->primary.asked
                   >= NGX_HYPERDRIVE_SESSION_POSITION_IDLE)
        {
            ngx_hyperdrive_session_position_measure(m);
        }

        if (ngx_current_msec - m->wanted < NGX_HYPERDRIVE_SESSION_POSITION_TIME)
        {
            again = NGX_HYPERDRIVE_SESSION_POSITION_SOON;
        }
    }

    ngx_add_timer(ev, again);
}


/* somebody has found another primary: this worker leaves the old one */

static void
ngx_hyperdrive_session_position_follow(ngx_hyperdrive_session_position_t *m)
{
    uint64_t  term, primary;

    if (!m->conf->moves) {
        return;
    }

    term = ngx_hyperdrive_cache_position_term(m->shared, &primary);

    if (term == m->term) {
        return;
    }

    m->term = term;
    m->conf->primary = primary;

    ngx_hyperdrive_origin_moved(m->conf);
}


/*
 * It is known which server <o> leads to; where primaries move, before anything
 * is written there, or read.
 */

static void
ngx_hyperdrive_session_position_found(ngx_hyperdrive_origin_t *o)
{
    ngx_hyperdrive_session_position_t  *m;

    ngx_hyperdrive_session_outcome_found(o);

    m = o->pool->conf->positions;

    if (m == NULL || !m->conf->moves || o->pool->replica) {
        return;
    }

    if (ngx_hyperdrive_cache_position_primary(m->shared, o->home) == NGX_OK) {
        ngx_hyperdrive_session_position_changed(m, (char *)
                                                   o->server->name.data);
    }

    ngx_hyperdrive_session_position_follow(m);
}


/*
 * Nothing that is kept holds for another primary, and no measurement so far:
 * both follow from the versions.
 */

static void
ngx_hyperdrive_session_position_changed(ngx_hyperdrive_session_position_t *m,
    char *what)
{
    static ngx_hyperdrive_cache_version_set_t  everything = {
        1, { NGX_HYPERDRIVE_CACHE_VERSION_EVERYTHING }
    };

    ngx_hyperdrive_cache_version_enter(&everything);
    ngx_hyperdrive_cache_version_leave(&everything, 1);

    ngx_hyperdrive_cache_position_changed(m->shared);

    m->nmarks = 0;

    m->conf->counters->primary_changed++;

    ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                  "hyperdrive upstream \"%V\": another primary is in force, "
                  "%s: what was kept is not served any more",
                  &m->conf->name, what);
}


static void
ngx_hyperdrive_session_position_measure(ngx_hyperdrive_session_position_t *m)
{
    uint64_t  primary;

    if (m->primary.asking) {

        /* what is wanted may be later than this one */

        ngx_hyperdrive_cache_position_want(m->shared);
        return;
    }

    m->in_term = ngx_hyperdrive_cache_position_term(m->shared, &primary);
    m->tick = ngx_hyperdrive_cache_version_tick();

    ngx_hyperdrive_session_position_ask(&m->primary, NULL);
}


static void
ngx_hyperdrive_session_position_ask(ngx_hyperdrive_session_position_ask_t *a,
    ngx_hyperdrive_origin_replica_t *replica)
{
    ngx_str_t                      user, database, text;
    ngx_hyperdrive_chain_t         out;
    ngx_hyperdrive_proto_param_t   param;
    ngx_hyperdrive_origin_conf_t  *conf;

    conf = a->m->conf;

    if (a->asking
        || (a->failed && ngx_current_msec - a->asked
                         < NGX_HYPERDRIVE_SESSION_POSITION_PAUSE))
    {
        return;
    }

    ngx_str_set(&user, "");
    ngx_str_set(&param.name, "application_name");
    ngx_str_set(&param.value, "hyperdrive monitor");

    database = conf->database;

    if (database.len == 0 && !conf->proto->schemas) {
        /* any will do */
        ngx_str_set(&database, "postgres");
    }

    a->asking = 1;
    a->asked = ngx_current_msec;
    a->len = 0;

    a->ask.pool = ngx_hyperdrive_origin_pool_at(conf, replica, &user,
                                                &database, 1, &param);

    text.data = (u_char *) conf->proto->position_text(replica != NULL);
    text.len = ngx_strlen(text.data);

    ngx_memzero(&out, sizeof(ngx_hyperdrive_chain_t));
    conf->proto->query(&text, NULL, &out);

    if (a->ask.pool == NULL || out.failed) {
        ngx_hyperdrive_base_chain_clear(&out);
        ngx_hyperdrive_session_position_done(&a->ask, NGX_ERROR);
        return;
    }

    a->ask.pool->keep = 1;

    ngx_hyperdrive_origin_ask(&a->ask, out.head->pos, out.size);

    ngx_hyperdrive_base_chain_clear(&out);
}


/*
 * A primary that is none any more may be asked no more than written to: what it
 * has is compared with replicas that may not have heard of the new one either.
 */

static ngx_int_t
ngx_hyperdrive_session_position_take(ngx_hyperdrive_origin_ask_t *ask,
    ngx_hyperdrive_origin_t *o)
{
    uint64_t                                primary;
    ngx_hyperdrive_session_position_ask_t  *a;

    a = ask->data;
    a->site = o->site;
    a->home = o->home;

    /* the connection may have been opened, and the primary found, just now */

    if (a == &a->m->primary && a->m->conf->moves) {

        a->m->in_term = ngx_hyperdrive_cache_position_term(a->m->shared,
                                                           &primary);

        if (primary != o->home) {
            return NGX_DECLINED;
        }

        a->m->tick = ngx_hyperdrive_cache_version_tick();
    }

    /* it was said after this moment */

    a->asked = ngx_current_msec;

    return NGX_OK;
}


static void
ngx_hyperdrive_session_position_piece(ngx_hyperdrive_origin_ask_t *ask,
    ngx_hyperdrive_proto_piece_t *piece)
{
    ngx_hyperdrive_proto_position_t         position;
    ngx_hyperdrive_session_position_ask_t  *a;

    a = ask->data;

    if (piece->type == NGX_HYPERDRIVE_PROTO_ROWS
        && piece->len <= sizeof(a->buf) - a->len)
    {
        ngx_memcpy(a->buf + a->len, piece->data, piece->len);
        a->len += piece->len;
    }

    if (a == &a->m->primary && a->m->conf->moves
        && (piece->type == NGX_HYPERDRIVE_PROTO_ERROR
            || (piece->end && ngx_hyperdrive_session_position_read(a, &position)
                              == NGX_DECLINED)))
    {
        /* it is none any more: the next connection finds who is */

        ask->origin->wrong = 1;
    }
}


static void
ngx_hyperdrive_session_position_done(ngx_hyperdrive_origin_ask_t *ask,
    ngx_int_t rc)
{
    uint64_t                                primary;
    ngx_uint_t                              i;
    ngx_hyperdrive_session_position_t      *m;
    ngx_hyperdrive_proto_position_t         position;
    ngx_hyperdrive_origin_replica_t        *replica;
    ngx_hyperdrive_session_position_ask_t  *a;

    a = ask->data;
    m = a->m;

    a->asking = 0;
    a->failed = (rc != NGX_OK);

    if (rc == NGX_OK) {
        rc = ngx_hyperdrive_session_position_read(a, &position);
    }

    if (a != &m->primary) {
        ngx_hyperdrive_session_position_reached(a, rc == NGX_OK ? &position
                                                                : NULL);
        return;
    }

    if (!m->leads || rc != NGX_OK
        || ngx_hyperdrive_cache_position_term(m->shared, &primary)
           != m->in_term)
    {
        return;
    }

    ngx_hyperdrive_session_position_mark(m, &position);

    replica = m->conf->replicas.elts;

    for (i = 0; i < m->conf->replicas.nelts; i++) {

        if (ngx_hyperdrive_origin_replica_there(&replica[i])) {
            ngx_hyperdrive_session_position_ask(&m->replicas[i], &replica[i]);

        } else if (m->replicas[i].site && !m->replicas[i].asking) {
            ngx_hyperdrive_session_position_gone(&m->replicas[i]);
        }
    }
}


static ngx_int_t
ngx_hyperdrive_session_position_read(ngx_hyperdrive_session_position_ask_t *a,
    ngx_hyperdrive_proto_position_t *position)
{
    u_char                  *pos, *last;
    ngx_int_t                rc;
    ngx_str_t                cols[4];
    ngx_uint_t               n;
    ngx_hyperdrive_proto_t  *proto;

    proto = a->m->conf->proto;

    pos = a->buf;
    last = a->buf + a->len;

    do {
        n = sizeof(cols) / sizeof(cols[0]);
        rc = proto->row(&pos, last, cols, &n);

        if (rc == NGX_OK && n) {
            return proto->position_row(cols, n, position);
        }

    } while (rc == NGX_OK);

    return NGX_ERROR;
}


/* the primary stands there, or further */

static void
ngx_hyperdrive_session_position_mark(ngx_hyperdrive_session_position_t *m,
    ngx_hyperdrive_proto_position_t *position)
{
    ngx_uint_t                               i, n;
    ngx_hyperdrive_session_position_mark_t  *mark;

    n = m->nmarks;

    if (n && m->conf->proto->position_other(&m->marks[n - 1].position,
                                            position))
    {
        /* behind the same address */

        ngx_hyperdrive_session_position_changed(m, "by what it says of itself");
        return;
    }

    if (n == NGX_HYPERDRIVE_SESSION_POSITION_MAX) {

        /* every second one of the older half goes */

        for (i = 1; i < n / 4; i++) {
            m->marks[i] = m->marks[2 * i];
        }

        ngx_memmove(&m->marks[n / 4], &m->marks[n / 2],
                    (n - n / 2)
                    * sizeof(ngx_hyperdrive_session_position_mark_t));
        n -= n / 2 - n / 4;
    }

    mark = &m->marks[n];

    mark->tick = m->tick;
    mark->since = m->primary.asked;
    mark->position = *position;

    m->nmarks = n + 1;
}


/* a replica stands there; NULL: it is not known */

static void
ngx_hyperdrive_session_position_reached(
    ngx_hyperdrive_session_position_ask_t *a,
    ngx_hyperdrive_proto_position_t *position)
{
    ngx_uint_t                               i, level;
    ngx_hyperdrive_session_position_t       *m;
    ngx_hyperdrive_origin_replica_t         *replica;
    ngx_hyperdrive_cache_position_replica_t  value;

    m = a->m;

    ngx_memzero(&value, sizeof(ngx_hyperdrive_cache_position_replica_t));

    value.checked = a->asked;
    value.site = a->site;
    value.home = a->home;

    for (i = position ? m->nmarks : 0; i; i--) {

        if (m->conf->proto->position_has(position, &m->marks[i - 1].position))
        {
            value.reached = m->marks[i - 1].tick;
            value.since = m->marks[i - 1].since;
            break;
        }
    }

    if (m->leads) {
        ngx_hyperdrive_cache_position_set(m->shared, a->n, &value);
    }

    if ((a->told && a->known == (value.reached != 0)) || m->nmarks == 0) {
        return;
    }

    a->told = 1;
    a->known = (value.reached != 0);

    replica = m->conf->replicas.elts;

    level = a->known ? NGX_LOG_NOTICE : NGX_LOG_WARN;

    ngx_log_error(level, ngx_cycle->log, 0,
                  "hyperdrive upstream \"%V\": replica \"%V\" %s",
                  &m->conf->name, &replica[a->n].name,
                  a->known ? "is read from"
                  : position ? "has less than is remembered of the primary, or "
                               "follows another one: it is not read from"
                             : "does not say where it stands: it is not read "
                               "from");
}


/* the name of its server has no more as many addresses */

static void
ngx_hyperdrive_session_position_gone(ngx_hyperdrive_session_position_ask_t *a)
{
    ngx_hyperdrive_cache_position_replica_t  value;

    ngx_memzero(&value, sizeof(ngx_hyperdrive_cache_position_replica_t));

    if (a->m->leads) {
        ngx_hyperdrive_cache_position_set(a->m->shared, a->n, &value);
    }

    a->site = 0;
    a->told = 0;
}
