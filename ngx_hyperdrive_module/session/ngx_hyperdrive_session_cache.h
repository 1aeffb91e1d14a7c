
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_SESSION_CACHE_H_INCLUDED_
#define _NGX_HYPERDRIVE_SESSION_CACHE_H_INCLUDED_


#include "session/ngx_hyperdrive_session.h"
#include "session/ngx_hyperdrive_session_plan.h"
#include "cache/ngx_hyperdrive_cache_version.h"


/*
 * Between the session's files on the cache:
 *
 *   _cache     looks up and serves
 *   _batch     looks up what several ask in one turn of the event loop
 *   _fill      keeps an answer as it goes by
 *   _flight    waits while another session fetches the same
 *   _refresh   asks again with no client behind it: stale entries, checks
 *   _purge     takes entries out
 */


/*
 * The stamp of an entry: the versions of all that its read set names, sampled
 * before the read was sent, and the numbers of the set.  An entry is valid if
 * a sample of what the statement reads now is the same, byte for byte: nothing
 * was written to these tables since, and they are the same tables.
 */

#define NGX_HYPERDRIVE_SESSION_STAMP                                          \
    (sizeof(((ngx_hyperdrive_cache_version_sample_t *) 0)->versions)          \
     + sizeof(((ngx_hyperdrive_cache_version_set_t *) 0)->numbers))


typedef struct {
    ngx_hyperdrive_cache_key_t            key;
    ngx_hyperdrive_cache_version_set_t   *reads;
    ngx_msec_t                            max_age;
    ngx_msec_t                            stale;
    ngx_msec_t                            stale_error;
    size_t                                stamp_len;
    u_char                                stamp[NGX_HYPERDRIVE_SESSION_STAMP];
} ngx_hyperdrive_session_question_t;


/*
 * An answer that is being kept.  It outlives the session if it is a refresh.
 */

struct ngx_hyperdrive_session_fill_s {
    ngx_hyperdrive_session_conf_t        *conf;
    ngx_hyperdrive_cache_flight_t         flight;   /* others wait for it */
    ngx_hyperdrive_chain_t                head;
    ngx_hyperdrive_chain_t                body;
    ngx_msec_t                            max_age;
    ngx_msec_t                            stale;
    ngx_msec_t                            stale_error;
    uint32_t                              rows;
    size_t                                stamp_len;
    ngx_hyperdrive_cache_key_t            key;      /* data behind the struct */
    ngx_hyperdrive_cache_version_set_t   *reads;    /* ...and these two */
    u_char                               *stamp;
    unsigned                              sampled:1;
    unsigned                              complete:1;
    unsigned                              failed:1;
    unsigned                              oversized:1;
    unsigned                              cancelled:1; /* by its client: no
                                                          fault of the
                                                          question's */
};


/* a session that waits; its memory lasts until the unit has gone on */

struct ngx_hyperdrive_session_wait_s {
    ngx_queue_t                           queue;    /* of the flight, or of
                                                       those to be woken */
    ngx_hyperdrive_session_t             *session;
    ngx_hyperdrive_cache_flight_t         flight;
    ngx_event_t                           timer;    /* runs from the first
                                                       flight on */
    unsigned                              queued:1;
    unsigned                              late:1;   /* it has waited enough */
};


/* ngx_hyperdrive_session_cache.c */

/* a sample of <reads>, as a stamp; 0: somebody writes to them just now */
size_t ngx_hyperdrive_session_stamp(ngx_hyperdrive_cache_version_set_t *reads,
    u_char *stamp);
uint64_t ngx_hyperdrive_session_stamp_digest(u_char *stamp, size_t len);
/* tells statements apart in logs without showing a literal */
uint64_t ngx_hyperdrive_session_digest(ngx_str_t *text, ngx_uint_t mode);
/* the text in a key of ours; NGX_DECLINED: it is none */
ngx_int_t ngx_hyperdrive_session_key_text(ngx_str_t *key, ngx_str_t *text,
    ngx_uint_t *mode);
/* whether one of its tags is this; NGX_DECLINED: none is */
ngx_int_t ngx_hyperdrive_session_key_tag(ngx_str_t *key, ngx_str_t *tag);
/*
 * Of a batch: NGX_OK: there was a fresh answer, which has been given.
 * NGX_DECLINED: nothing has happened.
 */
ngx_int_t ngx_hyperdrive_session_lookup_plain(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_question_t *q);


/* ngx_hyperdrive_session_batch.c */

/*
 * NGX_OK: it will be looked up with others', and goes on then; it is in state
 * BATCH.  NGX_DECLINED: not so, it is to be looked up now.
 */
ngx_int_t ngx_hyperdrive_session_batch(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_question_t *q);
/* its client has left; nothing if it is in none */
void ngx_hyperdrive_session_batch_forget(ngx_hyperdrive_session_t *s);


/* ngx_hyperdrive_session_fill.c */

/* NULL: no memory */
ngx_hyperdrive_session_fill_t *ngx_hyperdrive_session_fill_create(
    ngx_hyperdrive_session_conf_t *conf, ngx_hyperdrive_session_question_t *q);
/* its request is about to be given to the kernel */
void ngx_hyperdrive_session_fill_send(ngx_hyperdrive_session_fill_t *fill);
void ngx_hyperdrive_session_fill_piece(ngx_hyperdrive_session_fill_t *fill,
    ngx_hyperdrive_proto_piece_t *piece);
/* nobody shall wait for it any longer, it may still come to a good end */
void ngx_hyperdrive_session_fill_alone(ngx_hyperdrive_session_fill_t *fill);
/* all has been read: the answer is kept, or dropped; frees it.  NGX_OK: kept */
ngx_int_t ngx_hyperdrive_session_fill_end(
    ngx_hyperdrive_session_fill_t *fill);
/* whether it could be kept; it is a whole answer */
ngx_uint_t ngx_hyperdrive_session_fill_good(
    ngx_hyperdrive_session_fill_t *fill);
void ngx_hyperdrive_session_fill_free(ngx_hyperdrive_session_fill_t *fill);
/* the session's, if it has one */
void ngx_hyperdrive_session_fill_drop(ngx_hyperdrive_session_t *s);


/* ngx_hyperdrive_session_flight.c */

/*
 * A miss.  NGX_OK: the session fetches the answer, for all; <flight> is set
 * or none.  NGX_AGAIN: it waits, in state FLIGHT.
 */
ngx_int_t ngx_hyperdrive_session_flight(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_question_t *q,
    ngx_hyperdrive_cache_flight_t *flight);
/* the unit goes on, or its client has left; nothing if it did not wait */
void ngx_hyperdrive_session_flight_forget(ngx_hyperdrive_session_t *s);
/* the fill is over, those who wait are told; <mark>: everybody goes alone for
   a while */
void ngx_hyperdrive_session_flight_end(ngx_hyperdrive_cache_flight_t *flight,
    ngx_uint_t mark);


/* ngx_hyperdrive_session_refresh.c */

/* the unit's answer is fetched once more, in the background */
void ngx_hyperdrive_session_refresh(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_question_t *q);
/* ...and compared with the entry, which is fresh and was served just now */
void ngx_hyperdrive_session_verify(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_question_t *q);


#endif /* _NGX_HYPERDRIVE_SESSION_CACHE_H_INCLUDED_ */
