
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "origin/ngx_hyperdrive_origin_left.h"
#include "base/ngx_hyperdrive_base_cursor.h"


/* when a database is asked, milliseconds: for the first time, and then */
#define NGX_HYPERDRIVE_ORIGIN_LEFT_SOON    20
#define NGX_HYPERDRIVE_ORIGIN_LEFT_POLL    100

/* the answer to one question */
#define NGX_HYPERDRIVE_ORIGIN_LEFT_ASK     5000

/* who reads the end of its connection has ended by then; others are told to */
#define NGX_HYPERDRIVE_ORIGIN_LEFT_END     100

/*
 * Whose workers died together is in one question, which has one time: it is
 * exact enough for what left_text() leaves out.
 */
#define NGX_HYPERDRIVE_ORIGIN_LEFT_APART   100

/* for how long a server runs is told in seconds, milliseconds */
#define NGX_HYPERDRIVE_ORIGIN_LEFT_SECOND  1500

#define NGX_HYPERDRIVE_ORIGIN_LEFT_TEXT    2048

#define NGX_HYPERDRIVE_ORIGIN_LEFT_BITS    (8 * sizeof(uintptr_t))
#define NGX_HYPERDRIVE_ORIGIN_LEFT_WORDS                                     \
    (NGX_HYPERDRIVE_SHM_BACKENDS / NGX_HYPERDRIVE_ORIGIN_LEFT_BITS + 1)


/* of one upstream, while there are any */

typedef struct {
    ngx_hyperdrive_origin_ask_t      ask;
    ngx_hyperdrive_origin_conf_t    *conf;
    ngx_event_t                      event;
    ngx_connection_t                 dummy;   /* debug logging reads it */
    ngx_uint_t                       next;    /* of those of <left>: whether to
                                                 end it is still to be seen */
    uint32_t                         backends[NGX_HYPERDRIVE_ORIGIN_LEFT_MAX];
    ngx_msec_t                       opened[NGX_HYPERDRIVE_ORIGIN_LEFT_MAX];
    ngx_msec_t                       known[NGX_HYPERDRIVE_ORIGIN_LEFT_MAX];
                                              /* as left.died */
    ngx_hyperdrive_origin_left_t     left;
    uintptr_t                        asked[NGX_HYPERDRIVE_ORIGIN_LEFT_WORDS];
                                              /* a bit for each backend whose
                                                 turn was in this round */
    unsigned                         active:1;
    unsigned                         answered:1; /* <left> tells of them */
} ngx_hyperdrive_origin_left_of_t;


static void ngx_hyperdrive_origin_left_handler(ngx_event_t *ev);
static ngx_hyperdrive_pool_t *ngx_hyperdrive_origin_left_gather(
    ngx_hyperdrive_origin_left_of_t *l);
static ngx_hyperdrive_pool_t *ngx_hyperdrive_origin_left_pool(
    ngx_hyperdrive_origin_conf_t *conf, ngx_str_t *key);
static void ngx_hyperdrive_origin_left_ask(ngx_hyperdrive_origin_left_of_t *l,
    ngx_hyperdrive_pool_t *pool);
static void ngx_hyperdrive_origin_left_request(
    ngx_hyperdrive_origin_ask_t *ask);
static void ngx_hyperdrive_origin_left_rows(ngx_hyperdrive_origin_ask_t *ask,
    ngx_hyperdrive_proto_piece_t *piece);
static void ngx_hyperdrive_origin_left_done(ngx_hyperdrive_origin_ask_t *ask,
    ngx_int_t rc);
static void ngx_hyperdrive_origin_left_end(ngx_hyperdrive_origin_ask_t *ask,
    ngx_hyperdrive_origin_left_of_t *l);
static ngx_int_t ngx_hyperdrive_origin_left_server(ngx_hyperdrive_origin_t *o,
    ngx_hyperdrive_origin_left_t *left);


void
ngx_hyperdrive_origin_left(ngx_hyperdrive_origin_conf_t *conf)
{
    ngx_uint_t                        i;
    ngx_hyperdrive_shm_backend_t      backend;
    ngx_hyperdrive_origin_left_of_t  *l;

    l = conf->left;
    i = 0;

    if ((l && l->active) || ngx_exiting
        || ngx_hyperdrive_shm_backend_next(conf->limit, &i, &backend)
           != NGX_OK
        || ngx_hyperdrive_shm_backend_care(conf->limit) != NGX_OK)
    {
        return;
    }

    if (l == NULL) {
        l = calloc(1, sizeof(ngx_hyperdrive_origin_left_of_t));
        if (l == NULL) {
            ngx_hyperdrive_shm_backend_uncare(conf->limit);
            return;
        }

        l->conf = conf;
        l->event.handler = ngx_hyperdrive_origin_left_handler;
        l->event.data = &l->dummy;
        l->event.log = ngx_cycle->log;
        l->event.cancelable = 1;
        l->dummy.data = l;
        l->dummy.fd = (ngx_socket_t) -1;

        conf->left = l;
    }

    l->active = 1;
    ngx_memzero(l->asked, sizeof(l->asked));

    ngx_add_timer(&l->event, NGX_HYPERDRIVE_ORIGIN_LEFT_SOON);
}


/* what is left is gone through again and again, some at a time */

static void
ngx_hyperdrive_origin_left_handler(ngx_event_t *ev)
{
    ngx_uint_t                        i;
    ngx_connection_t                 *c;
    ngx_hyperdrive_pool_t            *pool;
    ngx_hyperdrive_shm_backend_t      backend;
    ngx_hyperdrive_origin_left_of_t  *l;

    c = ev->data;
    l = c->data;
    i = 0;

    if (ngx_exiting
        || ngx_hyperdrive_shm_backend_next(l->conf->limit, &i, &backend)
           != NGX_OK)
    {
        l->active = 0;
        ngx_hyperdrive_shm_backend_uncare(l->conf->limit);
        return;
    }

    pool = ngx_hyperdrive_origin_left_gather(l);

    if (pool) {
        ngx_hyperdrive_origin_left_ask(l, pool);
        return;
    }

    ngx_memzero(l->asked, sizeof(l->asked));

    ngx_add_timer(ev, NGX_HYPERDRIVE_ORIGIN_LEFT_POLL);
}


/* connections of one kind, and by which their database can be asked */

static ngx_hyperdrive_pool_t *
ngx_hyperdrive_origin_left_gather(ngx_hyperdrive_origin_left_of_t *l)
{
    uintptr_t                     *word, bit;
    ngx_str_t                      key;
    ngx_uint_t                     i;
    ngx_msec_t                     died;
    ngx_hyperdrive_pool_t         *pool;
    ngx_hyperdrive_shm_backend_t   backend;

    pool = NULL;
    i = 0;

    l->left.n = 0;

    ngx_str_null(&key);

    while (l->left.n < NGX_HYPERDRIVE_ORIGIN_LEFT_MAX
           && ngx_hyperdrive_shm_backend_next(l->conf->limit, &i, &backend)
              == NGX_OK)
    {
        word = &l->asked[backend.backend / NGX_HYPERDRIVE_ORIGIN_LEFT_BITS];
        bit = (uintptr_t) 1
              << backend.backend % NGX_HYPERDRIVE_ORIGIN_LEFT_BITS;

        if (backend.pid == 0 || (*word & bit)) {
            continue;
        }

        died = ngx_current_msec - backend.age;

        if (pool == NULL) {
            pool = ngx_hyperdrive_origin_left_pool(l->conf, &backend.key);

            if (pool == NULL) {
                *word |= bit;
                continue;
            }

            key = backend.key;
            l->left.where = backend.where;
            l->left.line = backend.line;
            l->left.died = died;
        }

        if (backend.where != l->left.where || backend.line != l->left.line
            || ngx_abs((ngx_msec_int_t) (died - l->left.died))
               > NGX_HYPERDRIVE_ORIGIN_LEFT_APART
            || !ngx_hyperdrive_base_same(&backend.key, &key))
        {
            /* of another kind: next time */
            continue;
        }

        *word |= bit;

        l->backends[l->left.n] = backend.backend;
        l->left.pids[l->left.n] = backend.pid;
        l->opened[l->left.n] = ngx_current_msec - backend.opened;
        l->known[l->left.n] = ngx_current_msec - backend.known;
        l->left.n++;
    }

    return pool;
}


/* the one that they were of, if it can log in; else one that leads there */

static ngx_hyperdrive_pool_t *
ngx_hyperdrive_origin_left_pool(ngx_hyperdrive_origin_conf_t *conf,
    ngx_str_t *key)
{
    ngx_queue_t            *q;
    ngx_array_t             confs;
    ngx_hyperdrive_pool_t  *pool, *other;

    ngx_memzero(&confs, sizeof(ngx_array_t));

    confs.elts = &conf;
    confs.nelts = 1;

    pool = ngx_hyperdrive_origin_pass_pool(&confs, key->data, key->len);

    if (pool && (pool->user.len == 0 || pool->stamp)) {
        return pool;
    }

    if (pool == NULL || !conf->proto->left_any) {
        return NULL;
    }

    for (q = ngx_queue_head(&conf->pools);
         q != ngx_queue_sentinel(&conf->pools);
         q = ngx_queue_next(q))
    {
        other = ngx_queue_data(q, ngx_hyperdrive_pool_t, queue);

        if (other->replica == pool->replica
            && (other->user.len == 0 || other->stamp))
        {
            return other;
        }
    }

    return NULL;
}


static void
ngx_hyperdrive_origin_left_ask(ngx_hyperdrive_origin_left_of_t *l,
    ngx_hyperdrive_pool_t *pool)
{
    ngx_hyperdrive_origin_ask_t  *ask;

    ask = &l->ask;

    ngx_memzero(ask, sizeof(ngx_hyperdrive_origin_ask_t));

    ask->pool = pool;
    ask->timeout = NGX_HYPERDRIVE_ORIGIN_LEFT_ASK;
    ask->data = l;
    ask->send = ngx_hyperdrive_origin_left_request;
    ask->piece = ngx_hyperdrive_origin_left_rows;
    ask->done = ngx_hyperdrive_origin_left_done;

    ask->waiter.where = l->left.where;

    /* everybody who waits does so for what it finds out */
    ask->waiter.priority = NGX_HYPERDRIVE_SHM_PRIORITY;

    l->next = 0;
    l->answered = 0;

    /* the text follows: it depends on who is asked */

    ngx_hyperdrive_origin_ask(ask, (u_char *) "", 1);
}


static void
ngx_hyperdrive_origin_left_request(ngx_hyperdrive_origin_ask_t *ask)
{
    ngx_hyperdrive_origin_left_of_t  *l;

    l = ask->data;

    ngx_hyperdrive_origin_left_send(ask, &l->left);
}


/*
 * What runs on is ended, by who has said that it does: nobody waits for it, and
 * at another server the number would be a stranger's.
 */

static void
ngx_hyperdrive_origin_left_rows(ngx_hyperdrive_origin_ask_t *ask,
    ngx_hyperdrive_proto_piece_t *piece)
{
    ngx_hyperdrive_origin_left_of_t  *l;

    l = ask->data;

    if (!l->answered) {
        ngx_hyperdrive_origin_left_piece(ask, &l->left, piece);
    }

    if (piece->type != NGX_HYPERDRIVE_PROTO_READY) {
        return;
    }

    if (!l->answered) {

        if (ask->failed
            || ngx_hyperdrive_origin_left_answer(ask->pool->conf->proto,
                                                 &l->left)
               != NGX_OK)
        {
            return;
        }

        l->answered = 1;
    }

    if (ngx_current_msec - l->left.died >= NGX_HYPERDRIVE_ORIGIN_LEFT_END) {
        ngx_hyperdrive_origin_left_end(ask, l);
    }
}


/* the next one that is there; an error is that it has gone, or is not ours */

static void
ngx_hyperdrive_origin_left_end(ngx_hyperdrive_origin_ask_t *ask,
    ngx_hyperdrive_origin_left_of_t *l)
{
    u_char      buf[NGX_HYPERDRIVE_ORIGIN_LEFT_TEXT];
    ngx_str_t   text;
    ngx_uint_t  i;

    while (l->next < l->left.n) {

        i = l->next++;

        if (!l->left.there[i]) {
            continue;
        }

        text.data = buf;
        text.len = ask->pool->conf->proto->left_end(l->left.pids[i],
                                                ngx_current_msec - l->opened[i],
                                                ngx_current_msec - l->known[i],
                                                buf, sizeof(buf));

        ask->pool->conf->proto->query(&text, NULL, &ask->request);
        return;
    }
}


static void
ngx_hyperdrive_origin_left_done(ngx_hyperdrive_origin_ask_t *ask, ngx_int_t rc)
{
    ngx_uint_t                        i;
    ngx_hyperdrive_origin_left_of_t  *l;

    l = ask->data;

    for (i = 0; l->answered && i < l->left.n; i++) {

        if (l->left.there[i]) {
            ngx_hyperdrive_shm_backend_seen(l->backends[i]);
            continue;
        }

        ngx_hyperdrive_shm_backend_gone(l->conf->limit, l->backends[i],
                                        ngx_hyperdrive_origin_wake);
    }

    ngx_add_timer(&l->event, NGX_HYPERDRIVE_ORIGIN_LEFT_POLL);
}


void
ngx_hyperdrive_origin_left_send(ngx_hyperdrive_origin_ask_t *ask,
    ngx_hyperdrive_origin_left_t *left)
{
    u_char                   buf[NGX_HYPERDRIVE_ORIGIN_LEFT_TEXT];
    u_char                   pids[NGX_HYPERDRIVE_ORIGIN_LEFT_MAX
                                  * (NGX_INT32_LEN + 1)];
    u_char                  *p;
    ngx_str_t                text, list;
    ngx_uint_t               i;
    ngx_hyperdrive_proto_t  *proto;

    proto = ask->pool->conf->proto;

    left->len = 0;
    left->server = NGX_DECLINED;
    ngx_memzero(left->there, sizeof(left->there));

    p = pids;

    for (i = 0; i < left->n; i++) {
        p = ngx_sprintf(p, "%uD,", left->pids[i]);
    }

    list.data = pids;
    list.len = p - pids - 1;

    text.data = buf;
    text.len = proto->left_text(ask->origin->wire, &list, ask->origin->pid,
                                ngx_current_msec - left->died, buf,
                                sizeof(buf));

    ngx_hyperdrive_base_chain_clear(&ask->request);

    proto->query(&text, NULL, &ask->request);
}


void
ngx_hyperdrive_origin_left_piece(ngx_hyperdrive_origin_ask_t *ask,
    ngx_hyperdrive_origin_left_t *left, ngx_hyperdrive_proto_piece_t *piece)
{
    /* by now: a new connection says it ahead of the answer */

    left->server = ngx_hyperdrive_origin_left_server(ask->origin, left);

    if (piece->type == NGX_HYPERDRIVE_PROTO_ROWS
        && piece->len <= sizeof(left->rows) - left->len)
    {
        ngx_memcpy(left->rows + left->len, piece->data, piece->len);
        left->len += piece->len;
    }
}


/*
 * Whether an answer of <o> is about these connections.  None of them outlives
 * its server: if that runs since later, they are gone.
 */

static ngx_int_t
ngx_hyperdrive_origin_left_server(ngx_hyperdrive_origin_t *o,
    ngx_hyperdrive_origin_left_t *left)
{
    uint32_t  where;

    where = ngx_hyperdrive_origin_where(o);

    if (!o->named || where == 0 || left->where == 0) {
        return NGX_DECLINED;
    }

    if (where == left->where) {
        return NGX_OK;
    }

    if (left->line == 0 || ngx_hyperdrive_origin_line(o) != left->line
        || (ngx_msec_int_t) (o->since - left->died)
           < -NGX_HYPERDRIVE_ORIGIN_LEFT_SECOND)
    {
        return NGX_DECLINED;
    }

    return NGX_DONE;
}


ngx_int_t
ngx_hyperdrive_origin_left_answer(ngx_hyperdrive_proto_t *proto,
    ngx_hyperdrive_origin_left_t *left)
{
    u_char      *pos, *last;
    ngx_int_t    rc, pid;
    ngx_str_t    cols[2];
    ngx_uint_t   i, n;

    if (left->server != NGX_OK) {
        return (left->server == NGX_DONE) ? NGX_OK : NGX_DECLINED;
    }

    pos = left->rows;
    last = left->rows + left->len;

    for ( ;; ) {

        n = 2;
        rc = proto->row(&pos, last, cols, &n);

        if (rc == NGX_AGAIN) {
            return pos == last ? NGX_OK : NGX_DECLINED;
        }

        if (rc != NGX_OK) {
            return NGX_DECLINED;
        }

        if (n == 0) {
            continue;
        }

        pid = (n == 2) ? ngx_atoi(cols[0].data, cols[0].len) : NGX_ERROR;

        for (i = 0; i < left->n; i++) {
            if ((ngx_int_t) left->pids[i] == pid) {
                break;
            }
        }

        if (i == left->n || cols[1].len != 1) {
            return NGX_DECLINED;
        }

        left->there[i] = cols[1].data[0];
    }
}
