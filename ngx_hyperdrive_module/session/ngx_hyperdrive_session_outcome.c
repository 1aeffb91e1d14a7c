
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session.h"
#include "origin/ngx_hyperdrive_origin_left.h"


/*
 * Writes whose outcome is not known: their connection was lost, by whomever,
 * or the worker died that had it.  The database may commit them yet.  Others
 * stay off from the tables until the database, asked over another connection,
 * has that one no more, or until a time is over.
 */


/* how often the database is asked, milliseconds */
#define NGX_HYPERDRIVE_SESSION_OUTCOME_POLL   250

/*
 * How long it is waited for what cannot be asked, or does nothing; and, while
 * the database says that the connection is at work, all in all.
 */
#define NGX_HYPERDRIVE_SESSION_OUTCOME_TIME   30000
#define NGX_HYPERDRIVE_SESSION_OUTCOME_MAX    600000

/* the answer to one question, milliseconds */
#define NGX_HYPERDRIVE_SESSION_OUTCOME_ASK    5000


typedef struct {
    ngx_queue_t                             queue;
    ngx_hyperdrive_pool_t                  *pool;     /* NULL: nobody can be
                                                         asked yet */
    ngx_hyperdrive_cache_version_end_t      end;      /* pid 0: not known */
    ngx_msec_t                              lost;     /* when */
    ngx_msec_t                              seen;     /* when it was at work for
                                                         the last time */
    ngx_uint_t                              seat;     /* a dead worker's; or
                                                         SEATS, then what
                                                         follows is ours */
    ngx_uint_t                              mark;
    ngx_uint_t                              everything;
    ngx_hyperdrive_session_write_tables_t  *tables;
} ngx_hyperdrive_session_outcome_t;


static void ngx_hyperdrive_session_outcome_told(ngx_hyperdrive_origin_t *o,
    void *data, ngx_int_t rc);
static ngx_uint_t ngx_hyperdrive_session_outcome_seat(ngx_uint_t seat);
static void ngx_hyperdrive_session_outcome_describe(
    ngx_hyperdrive_origin_t *o, ngx_hyperdrive_cache_version_end_t *end);
static uint32_t ngx_hyperdrive_session_outcome_digest(ngx_str_t *name);
static ngx_hyperdrive_pool_t *ngx_hyperdrive_session_outcome_pool(
    ngx_hyperdrive_cache_version_end_t *end);
static void ngx_hyperdrive_session_outcome_add(
    ngx_hyperdrive_session_outcome_t *oc);
static void ngx_hyperdrive_session_outcome_handler(ngx_event_t *ev);
static void ngx_hyperdrive_session_outcome_next(void);
static void ngx_hyperdrive_session_outcome_ask(
    ngx_hyperdrive_session_outcome_t *oc);
static void ngx_hyperdrive_session_outcome_send(
    ngx_hyperdrive_origin_ask_t *ask);
static void ngx_hyperdrive_session_outcome_piece(
    ngx_hyperdrive_origin_ask_t *ask, ngx_hyperdrive_proto_piece_t *piece);
static void ngx_hyperdrive_session_outcome_done(
    ngx_hyperdrive_origin_ask_t *ask, ngx_int_t rc);
static void ngx_hyperdrive_session_outcome_check(
    ngx_hyperdrive_session_outcome_t *oc, ngx_int_t rc);
static void ngx_hyperdrive_session_outcome_end(
    ngx_hyperdrive_session_outcome_t *oc);


static ngx_array_t                       *ngx_hyperdrive_session_outcome_confs;
static ngx_queue_t                        ngx_hyperdrive_session_outcomes;
static ngx_event_t                        ngx_hyperdrive_session_outcome_event;

/* debug logging reads an event's connection */
static ngx_connection_t                   ngx_hyperdrive_session_outcome_dummy;

/* one question at a time, and what is about it */
static struct {
    ngx_hyperdrive_origin_ask_t           ask;
    ngx_hyperdrive_session_outcome_t     *about;
    ngx_hyperdrive_origin_left_t          left;
} ngx_hyperdrive_session_outcome_now;

/* how many are left of this round */
static ngx_uint_t                         ngx_hyperdrive_session_outcome_round;

/* outcomes of a dead worker's seat that are not known yet */
static ngx_uint_t  ngx_hyperdrive_session_outcome_left[
                                        NGX_HYPERDRIVE_CACHE_VERSION_SEATS];


void
ngx_hyperdrive_session_outcome_init(ngx_array_t *confs)
{
    ngx_hyperdrive_session_outcome_confs = confs;

    ngx_queue_init(&ngx_hyperdrive_session_outcomes);

    ngx_hyperdrive_session_outcome_event.handler
                                      = ngx_hyperdrive_session_outcome_handler;
    ngx_hyperdrive_session_outcome_event.data
                                       = &ngx_hyperdrive_session_outcome_dummy;
    ngx_hyperdrive_session_outcome_event.log = ngx_cycle->log;
    ngx_hyperdrive_session_outcome_event.cancelable = 1;
}


ngx_uint_t
ngx_hyperdrive_session_outcome_mark(ngx_hyperdrive_origin_t *o)
{
    ngx_hyperdrive_cache_version_end_t  end;

    ngx_hyperdrive_session_outcome_describe(o, &end);

    return ngx_hyperdrive_cache_version_mark(&end);
}


static void
ngx_hyperdrive_session_outcome_describe(ngx_hyperdrive_origin_t *o,
    ngx_hyperdrive_cache_version_end_t *end)
{
    end->upstream = ngx_hyperdrive_session_outcome_digest(&o->pool->conf->name);
    end->pid = o->pid;
    end->user = ngx_hyperdrive_session_outcome_digest(&o->pool->user);
    end->where = ngx_hyperdrive_origin_where(o);
    end->line = ngx_hyperdrive_origin_line(o);
}


void
ngx_hyperdrive_session_outcome_found(ngx_hyperdrive_origin_t *o)
{
    ngx_uint_t                           mark;
    ngx_hyperdrive_session_t            *s;
    ngx_hyperdrive_session_outcome_t    *oc;
    ngx_hyperdrive_cache_version_end_t   end;

    if (o->outcome == ngx_hyperdrive_session_outcome_told) {
        oc = o->outcome_data;
        mark = oc->mark;

    } else if (o->state == NGX_HYPERDRIVE_ORIGIN_BUSY
               && o->read == ngx_hyperdrive_session_relay)
    {
        s = o->data;

        if (!s->write.marked) {
            return;
        }

        mark = s->write.mark;

    } else {
        return;
    }

    ngx_hyperdrive_session_outcome_describe(o, &end);

    ngx_hyperdrive_cache_version_remark(mark, &end);
}


static uint32_t
ngx_hyperdrive_session_outcome_digest(ngx_str_t *name)
{
    return ngx_crc32_short(name->data, name->len);
}


void
ngx_hyperdrive_session_outcome_watch(ngx_hyperdrive_origin_t *o,
    ngx_hyperdrive_session_write_t *w)
{
    ngx_hyperdrive_session_outcome_t  *oc;

    oc = calloc(1, sizeof(ngx_hyperdrive_session_outcome_t));

    if (oc == NULL) {

        /* others stay off until this worker ends: they will ask then */

        ngx_log_error(NGX_LOG_ALERT, ngx_cycle->log, 0,
                      "hyperdrive: no memory to follow what a client left");
        return;
    }

    oc->seat = NGX_HYPERDRIVE_CACHE_VERSION_SEATS;
    oc->mark = w->mark;
    oc->everything = w->entered;
    oc->tables = w->tables;

    w->tables = NULL;

    o->outcome = ngx_hyperdrive_session_outcome_told;
    o->outcome_data = oc;
}


/* the connection is idle again, or it is gone */

static void
ngx_hyperdrive_session_outcome_told(ngx_hyperdrive_origin_t *o, void *data,
    ngx_int_t rc)
{
    ngx_hyperdrive_session_outcome_t *oc = data;

    if (rc == NGX_OK) {
        ngx_hyperdrive_session_outcome_end(oc);
        return;
    }

    oc->pool = o->pool;
    oc->pool->refs++;
    ngx_hyperdrive_session_outcome_describe(o, &oc->end);

    oc->lost = ngx_current_msec;
    oc->seen = ngx_current_msec;

    ngx_log_error(NGX_LOG_INFO, ngx_cycle->log, 0,
                  "hyperdrive origin %uD of \"%V\": it is not known what "
                  "became of a write", o->pid, &o->pool->conf->name);

    ngx_hyperdrive_session_outcome_add(oc);
}


void
ngx_hyperdrive_session_outcome_dead(void)
{
    ngx_uint_t  seat;

    while (ngx_hyperdrive_cache_version_dead(&seat) == NGX_OK) {

        if (ngx_hyperdrive_session_outcome_seat(seat) == 0) {
            ngx_hyperdrive_cache_version_reclaim(seat);
        }
    }
}


/* how many of its writes have an outcome that is not known */

static ngx_uint_t
ngx_hyperdrive_session_outcome_seat(ngx_uint_t seat)
{
    ngx_int_t                           rc;
    ngx_uint_t                          n, pos;
    ngx_hyperdrive_session_outcome_t   *oc;
    ngx_hyperdrive_cache_version_end_t  end;

    n = 0;
    pos = 0;

    for ( ;; ) {

        rc = ngx_hyperdrive_cache_version_next(seat, &pos, &end);

        if (rc == NGX_DONE) {
            break;
        }

        oc = calloc(1, sizeof(ngx_hyperdrive_session_outcome_t));
        if (oc == NULL) {
            /* it stays in our care, until our own end */
            n++;
            break;
        }

        oc->seat = seat;
        oc->lost = ngx_current_msec - ngx_hyperdrive_cache_version_died(seat);
        oc->seen = oc->lost;

        if (rc == NGX_OK) {
            oc->end = end;
        }

        ngx_hyperdrive_session_outcome_add(oc);
        n++;

        if (rc == NGX_BUSY) {
            break;
        }
    }

    ngx_hyperdrive_session_outcome_left[seat] = n;

    if (n) {
        ngx_log_error(NGX_LOG_NOTICE, ngx_cycle->log, 0,
                      "hyperdrive: a worker is gone, of %ui of its writes it "
                      "is not known what became of them", n);
    }

    return n;
}


/*
 * A pool that leads where the dead worker's connection led, and of its user if
 * the database does not tell of others; NULL: there is none now.
 */

static ngx_hyperdrive_pool_t *
ngx_hyperdrive_session_outcome_pool(ngx_hyperdrive_cache_version_end_t *end)
{
    ngx_str_t                         user, database;
    ngx_uint_t                        i;
    ngx_queue_t                      *q;
    ngx_hyperdrive_pool_t            *pool;
    ngx_hyperdrive_origin_conf_t     *conf, **confs;

    confs = ngx_hyperdrive_session_outcome_confs->elts;
    conf = NULL;

    for (i = 0; i < ngx_hyperdrive_session_outcome_confs->nelts; i++) {

        if (ngx_hyperdrive_session_outcome_digest(&confs[i]->name)
            == end->upstream)
        {
            conf = confs[i];
            break;
        }
    }

    if (conf == NULL) {
        return NULL;
    }

    for (q = ngx_queue_head(&conf->pools);
         q != ngx_queue_sentinel(&conf->pools);
         q = ngx_queue_next(q))
    {
        pool = ngx_queue_data(q, ngx_hyperdrive_pool_t, queue);

        if (pool->replica == NULL
            && (pool->user.len == 0 || pool->stamp)
            && (conf->proto->left_any
                || ngx_hyperdrive_session_outcome_digest(&pool->user)
                   == end->user))
        {
            return pool;
        }
    }

    if (conf->database.len == 0 || conf->per_user) {
        return NULL;
    }

    ngx_str_set(&user, "");
    database = conf->database;

    return ngx_hyperdrive_origin_pool(conf, &user, &database, 0, NULL);
}


static void
ngx_hyperdrive_session_outcome_add(ngx_hyperdrive_session_outcome_t *oc)
{
    ngx_queue_insert_tail(&ngx_hyperdrive_session_outcomes, &oc->queue);

    if (!ngx_hyperdrive_session_outcome_event.timer_set
        && ngx_hyperdrive_session_outcome_now.about == NULL)
    {
        ngx_add_timer(&ngx_hyperdrive_session_outcome_event,
                      NGX_HYPERDRIVE_SESSION_OUTCOME_POLL);
    }
}


/* all are asked for, one after the other */

static void
ngx_hyperdrive_session_outcome_handler(ngx_event_t *ev)
{
    ngx_queue_t  *q;

    if (!ev->timedout) {
        ngx_hyperdrive_session_outcome_next();
        return;
    }

    ev->timedout = 0;

    ngx_hyperdrive_session_outcome_round = 0;

    for (q = ngx_queue_head(&ngx_hyperdrive_session_outcomes);
         q != ngx_queue_sentinel(&ngx_hyperdrive_session_outcomes);
         q = ngx_queue_next(q))
    {
        ngx_hyperdrive_session_outcome_round++;
    }

    ngx_hyperdrive_session_outcome_next();
}


static void
ngx_hyperdrive_session_outcome_next(void)
{
    ngx_queue_t                       *q;
    ngx_hyperdrive_session_outcome_t  *oc;

    while (ngx_hyperdrive_session_outcome_round
           && !ngx_queue_empty(&ngx_hyperdrive_session_outcomes))
    {
        ngx_hyperdrive_session_outcome_round--;

        /* it goes to the end of the list: its turn comes in the next round */

        q = ngx_queue_head(&ngx_hyperdrive_session_outcomes);
        ngx_queue_remove(q);
        ngx_queue_insert_tail(&ngx_hyperdrive_session_outcomes, q);

        oc = ngx_queue_data(q, ngx_hyperdrive_session_outcome_t, queue);

        if (oc->pool == NULL && oc->end.pid) {
            oc->pool = ngx_hyperdrive_session_outcome_pool(&oc->end);

            if (oc->pool) {
                oc->pool->refs++;
            }
        }

        if (oc->pool) {
            ngx_hyperdrive_session_outcome_ask(oc);
            return;
        }

        ngx_hyperdrive_session_outcome_check(oc, NGX_ERROR);
    }

    if (!ngx_queue_empty(&ngx_hyperdrive_session_outcomes)) {
        ngx_add_timer(&ngx_hyperdrive_session_outcome_event,
                      NGX_HYPERDRIVE_SESSION_OUTCOME_POLL);
    }
}


static void
ngx_hyperdrive_session_outcome_ask(ngx_hyperdrive_session_outcome_t *oc)
{
    ngx_hyperdrive_origin_ask_t  *ask;

    ask = &ngx_hyperdrive_session_outcome_now.ask;

    ngx_hyperdrive_session_outcome_now.about = oc;
    ngx_hyperdrive_session_outcome_now.left.n = 1;
    ngx_hyperdrive_session_outcome_now.left.pids[0] = oc->end.pid;
    ngx_hyperdrive_session_outcome_now.left.died = oc->lost;
    ngx_hyperdrive_session_outcome_now.left.where = oc->end.where;
    ngx_hyperdrive_session_outcome_now.left.line = oc->end.line;

    ngx_memzero(ask, sizeof(ngx_hyperdrive_origin_ask_t));

    ask->pool = oc->pool;
    ask->timeout = NGX_HYPERDRIVE_SESSION_OUTCOME_ASK;
    ask->send = ngx_hyperdrive_session_outcome_send;
    ask->piece = ngx_hyperdrive_session_outcome_piece;
    ask->done = ngx_hyperdrive_session_outcome_done;
    ask->waiter.where = oc->end.where;

    /* the text follows in _send(): it depends on who is asked */

    ngx_hyperdrive_origin_ask(ask, (u_char *) "", 1);
}


static void
ngx_hyperdrive_session_outcome_send(ngx_hyperdrive_origin_ask_t *ask)
{
    ngx_hyperdrive_origin_left_send(ask,
                                    &ngx_hyperdrive_session_outcome_now.left);
}


static void
ngx_hyperdrive_session_outcome_piece(ngx_hyperdrive_origin_ask_t *ask,
    ngx_hyperdrive_proto_piece_t *piece)
{
    ngx_hyperdrive_origin_left_piece(ask,
                                     &ngx_hyperdrive_session_outcome_now.left,
                                     piece);
}


static void
ngx_hyperdrive_session_outcome_done(ngx_hyperdrive_origin_ask_t *ask,
    ngx_int_t rc)
{
    ngx_hyperdrive_origin_left_t      *left;
    ngx_hyperdrive_session_outcome_t  *oc;

    oc = ngx_hyperdrive_session_outcome_now.about;
    ngx_hyperdrive_session_outcome_now.about = NULL;

    left = &ngx_hyperdrive_session_outcome_now.left;

    if (rc != NGX_OK
        || ngx_hyperdrive_origin_left_answer(ask->pool->conf->proto, left)
           != NGX_OK)
    {
        rc = NGX_ERROR;

    } else if (left->there[0]) {
        rc = (left->there[0] == 'a') ? NGX_AGAIN : NGX_ERROR;
    }

    ngx_hyperdrive_session_outcome_check(oc, rc);

    /* not from here: we may be in the middle of _ask() */

    ngx_post_event(&ngx_hyperdrive_session_outcome_event, &ngx_posted_events);
}


/*
 * NGX_OK: it is gone; NGX_AGAIN: it is at work; NGX_ERROR: it waits for what
 * may never come, or nobody could tell.
 */

static void
ngx_hyperdrive_session_outcome_check(ngx_hyperdrive_session_outcome_t *oc,
    ngx_int_t rc)
{
    ngx_msec_t  now;

    now = ngx_current_msec;

    if (rc == NGX_OK) {
        ngx_hyperdrive_session_outcome_end(oc);
        return;
    }

    if (rc == NGX_AGAIN) {
        oc->seen = now;
    }

    if (now - oc->seen < NGX_HYPERDRIVE_SESSION_OUTCOME_TIME
        && now - oc->lost < NGX_HYPERDRIVE_SESSION_OUTCOME_MAX)
    {
        return;
    }

    ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                  "hyperdrive origin %uD: what became of a write is not known "
                  "after %M seconds, it counts as committed",
                  oc->end.pid, (now - oc->lost) / 1000);

    ngx_hyperdrive_session_outcome_end(oc);
}


static void
ngx_hyperdrive_session_outcome_end(ngx_hyperdrive_session_outcome_t *oc)
{
    if (oc->pool) {
        oc->pool->refs--;
    }

    if (oc->queue.next) {
        ngx_queue_remove(&oc->queue);
    }

    if (oc->seat == NGX_HYPERDRIVE_CACHE_VERSION_SEATS) {
        ngx_hyperdrive_session_write_over(oc->tables, oc->everything, 1);
        ngx_hyperdrive_cache_version_unmark(oc->mark);

        free(oc->tables);

    } else if (--ngx_hyperdrive_session_outcome_left[oc->seat] == 0) {
        ngx_hyperdrive_cache_version_reclaim(oc->seat);
    }

    free(oc);
}
