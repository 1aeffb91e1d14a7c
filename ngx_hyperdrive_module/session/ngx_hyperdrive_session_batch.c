
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session_cache.h"


/*
 * A hit of a large cache waits for memory that nobody has touched lately, twice
 * one behind the other: for its bucket, and for the entry that this names.  So
 * what several clients ask in one turn of the event loop is looked up at its
 * end, all together: the buckets have come meanwhile, and while one answer is
 * made, the entries of the next ones are on their way (group prefetching).
 *
 * A small cache is in the processor's own, and is asked at once.
 *
 * Only plain hits are served here.  Whoever does not find one looks again, by
 * itself, as if there had been no batch.  The versions that an entry has to
 * have were read when the client asked: an answer that was valid then is one.
 */


/* a turn has more clients than these seldom: the others look by themselves */
#define NGX_HYPERDRIVE_SESSION_BATCH_SIZE    64

/* longer keys, and longer units, are looked up at once */
#define NGX_HYPERDRIVE_SESSION_BATCH_KEY     512
#define NGX_HYPERDRIVE_SESSION_BATCH_UNIT    512

/* entries that are on their way while another one is read */
#define NGX_HYPERDRIVE_SESSION_BATCH_AHEAD   8


struct ngx_hyperdrive_session_batched_s {
    ngx_hyperdrive_session_t           *session;  /* NULL: it has left */
    ngx_hyperdrive_session_question_t   q;        /* no <reads> */
    u_char                              key[NGX_HYPERDRIVE_SESSION_BATCH_KEY];
    size_t                              len;
    u_char                              unit[
                                            NGX_HYPERDRIVE_SESSION_BATCH_UNIT];
};


typedef struct {
    ngx_uint_t                          n;
    ngx_hyperdrive_session_batched_t
                                   asked[NGX_HYPERDRIVE_SESSION_BATCH_SIZE];
} ngx_hyperdrive_session_batch_t;


static void ngx_hyperdrive_session_batch_handler(ngx_event_t *ev);
static void ngx_hyperdrive_session_batch_fetch(
    ngx_hyperdrive_session_batch_t *batch, ngx_uint_t i);


/* one is filled while the other is served: who was served may ask again */
static ngx_hyperdrive_session_batch_t  ngx_hyperdrive_session_batches[2];
static ngx_uint_t                      ngx_hyperdrive_session_batch_filled;

static ngx_event_t                     ngx_hyperdrive_session_batch_event;


ngx_int_t
ngx_hyperdrive_session_batch(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_question_t *q)
{
    ngx_hyperdrive_session_batch_t    *batch;
    ngx_hyperdrive_session_batched_t  *asked;

    batch = &ngx_hyperdrive_session_batches[
                                          ngx_hyperdrive_session_batch_filled];

    if (s->unbatched) {
        s->unbatched = 0;
        return NGX_DECLINED;
    }

    if (s->wait || s->conf->verify
        || (s->unit.parse && s->unit.name.len)  /* a part of the input, which
                                                   is not there any more */
        || s->unit.len > NGX_HYPERDRIVE_SESSION_BATCH_UNIT
        || q->key.len > NGX_HYPERDRIVE_SESSION_BATCH_KEY
        || batch->n == NGX_HYPERDRIVE_SESSION_BATCH_SIZE
        || !ngx_hyperdrive_cache_store_large(
                 ngx_hyperdrive_cache_store(s->conf->cache_zone), &q->key))
    {
        return NGX_DECLINED;
    }

    if (batch->n == 0) {
        ngx_hyperdrive_session_batch_event.handler
                                        = ngx_hyperdrive_session_batch_handler;
        ngx_hyperdrive_session_batch_event.log = ngx_cycle->log;

        ngx_post_event(&ngx_hyperdrive_session_batch_event,
                       &ngx_posted_events);
    }

    asked = &batch->asked[batch->n++];

    asked->session = s;

    asked->q.key = q->key;
    asked->q.key.data = asked->key;
    ngx_memcpy(asked->key, q->key.data, q->key.len);

    asked->q.max_age = q->max_age;
    asked->q.stamp_len = q->stamp_len;
    ngx_memcpy(asked->q.stamp, q->stamp, q->stamp_len);

    /* the unit leaves the input, which need not be kept for it */

    asked->len = s->unit.len;
    ngx_memcpy(asked->unit, s->net.pos, asked->len);
    s->net.pos += asked->len;
    s->unit.len = 0;

    s->batched = asked;

    ngx_hyperdrive_session_set_state(s, NGX_HYPERDRIVE_SESSION_BATCH);

    return NGX_OK;
}


void
ngx_hyperdrive_session_batch_forget(ngx_hyperdrive_session_t *s)
{
    if (s->batched) {
        s->batched->session = NULL;
        s->batched = NULL;
    }
}


static void
ngx_hyperdrive_session_batch_handler(ngx_event_t *ev)
{
    ngx_uint_t                         i;
    ngx_hyperdrive_session_t          *s;
    ngx_hyperdrive_session_batch_t    *batch;
    ngx_hyperdrive_session_batched_t  *asked;

    batch = &ngx_hyperdrive_session_batches[
                                          ngx_hyperdrive_session_batch_filled];

    ngx_hyperdrive_session_batch_filled ^= 1;

    for (i = 0; i < NGX_HYPERDRIVE_SESSION_BATCH_AHEAD; i++) {
        ngx_hyperdrive_session_batch_fetch(batch, i);
    }

    for (i = 0; i < batch->n; i++) {

        ngx_hyperdrive_session_batch_fetch(batch,
                                       i + NGX_HYPERDRIVE_SESSION_BATCH_AHEAD);

        asked = &batch->asked[i];
        s = asked->session;

        if (s == NULL) {
            continue;
        }

        s->batched = NULL;

        if (ngx_hyperdrive_session_lookup_plain(s, &asked->q) != NGX_OK) {

            if (ngx_hyperdrive_net_unread(&s->net, asked->unit, asked->len)
                != NGX_OK)
            {
                ngx_hyperdrive_session_fatal(s, "53200", "out of memory");
                continue;
            }

            s->unbatched = 1;
        }

        ngx_hyperdrive_session_resume(s);
    }

    batch->n = 0;
}


static void
ngx_hyperdrive_session_batch_fetch(ngx_hyperdrive_session_batch_t *batch,
    ngx_uint_t i)
{
    ngx_hyperdrive_session_batched_t  *asked;

    if (i >= batch->n) {
        return;
    }

    asked = &batch->asked[i];

    if (asked->session) {
        ngx_hyperdrive_cache_store_fetch(
               ngx_hyperdrive_cache_store(asked->session->conf->cache_zone),
               &asked->q.key);
    }
}
