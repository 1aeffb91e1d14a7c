
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_SESSION_H_INCLUDED_
#define _NGX_HYPERDRIVE_SESSION_H_INCLUDED_


#include "ngx_hyperdrive.h"
#include <ngx_stream.h>
#include "ngx_hyperdrive_proto.h"
#include "net/ngx_hyperdrive_net.h"
#include "policy/ngx_hyperdrive_policy.h"
#include "origin/ngx_hyperdrive_origin.h"
#include "cache/ngx_hyperdrive_cache_store.h"
#include "cache/ngx_hyperdrive_cache_flight.h"
#include "session/ngx_hyperdrive_session_settings.h"
#include "session/ngx_hyperdrive_session_write.h"


/* a log-in that nginx accepts */

typedef struct {
    ngx_str_t                        name;
    ngx_str_t                        secret;      /* a verifier; a password
                                                     until init_module */
    ngx_str_t                        password;    /* where it is needed for the
                                                     user's own connections,
                                                     or empty */
    void                            *keys;        /* of the last log-in to
                                                     this process: the
                                                     protocol's own */
} ngx_hyperdrive_session_user_t;


/* what this process remembers of hyperdrive_auth_query, of one upstream */

typedef struct {
    ngx_rbtree_t                     tree;
    ngx_rbtree_node_t                sentinel;
    ngx_queue_t                      users;
    ngx_uint_t                       n;
    ngx_uint_t                       kinds;       /* of verifiers seen so far,
                                                     is_verifier() bits */
} ngx_hyperdrive_session_auth_t;


/* hyperdrive_timeout; 0: no limit */

typedef struct {
    ngx_msec_t                       login;
    ngx_msec_t                       query;
    ngx_msec_t                       idle_in_transaction;
    ngx_msec_t                       idle;
    ngx_msec_t                       client_idle;
} ngx_hyperdrive_session_timeout_t;


/* hyperdrive_drain */

typedef struct {
    ngx_uint_t                       rate;        /* clients a second */
    ngx_msec_t                       deadline;
} ngx_hyperdrive_session_drain_t;


/* the settings of a server {} */

typedef struct {
    ngx_hyperdrive_origin_conf_t    *origin;
    ngx_array_t                     *users;       /* sorted by name; NULL: no
                                                     file */
    ngx_uint_t                       kinds;       /* of verifiers in it: the
                                                     protocol's bits */
    ngx_flag_t                       trust;       /* no password is asked */
    ngx_flag_t                       cert;        /* a certificate will do */
    ngx_flag_t                       query;       /* others are looked up */
    ngx_hyperdrive_session_auth_t   *auth;        /* ...and remembered here */
    ngx_array_t                     *logs;        /* of queries; NULL: off */
    ngx_shm_zone_t                  *cache_zone;  /* NULL: off */
    ngx_msec_t                       max_age;
    ngx_flag_t                       allow_stable; /* functions */
    ngx_msec_t                       stale;       /* stale_while_revalidate */
    ngx_msec_t                       stale_error; /* stale_if_error */
    ngx_msec_t                       coalesce;    /* the longest wait for
                                                     another's fill; 0: off */
    ngx_uint_t                       verify;      /* of 10,000 hits */
    size_t                           max_size;
    ngx_flag_t                       hints;       /* those in a text count */
    ngx_flag_t                       in_transaction;  /* reads of a block that
                                                     is READ COMMITTED */
    ngx_flag_t                       split;       /* reads go to replicas */
    ngx_msec_t                       max_lag;     /* of theirs */
    ngx_msec_t                       max_staleness;  /* 0: what was written is
                                                     there */

    ngx_hyperdrive_session_timeout_t timeout;
    ngx_hyperdrive_policy_t         *policy;      /* NULL: none */

    ngx_flag_t                       settings_transaction;  /* what is set
                                                     outside a transaction is
                                                     for its query only */
    ngx_uint_t                       pins;        /* at most, over all
                                                     workers; 0: one less than
                                                     connections */
    ngx_flag_t                       state_reject;  /* nothing may be left in
                                                     the session */
    ngx_flag_t                       unread_pin;  /* ...and code that cannot be
                                                     read has left something */

    ngx_flag_t                       tls;         /* a certificate is there */
    ngx_flag_t                       tls_verify;  /* ...and the client must
                                                     show one: no log-in in
                                                     clear */
    ngx_flag_t                       tls_bound;   /* SCRAM-SHA-256-PLUS */
    ngx_flag_t                       replication; /* clients may ask for it */
} ngx_hyperdrive_session_conf_t;


/* plans of statements: ngx_hyperdrive_session_plan.h */
typedef struct ngx_hyperdrive_session_plans_s  ngx_hyperdrive_session_plans_t;


/* by what a client was let in */

typedef enum {
    NGX_HYPERDRIVE_SESSION_BY_NOTHING = 0,
    NGX_HYPERDRIVE_SESSION_BY_FILE,
    NGX_HYPERDRIVE_SESSION_BY_QUERY,
    NGX_HYPERDRIVE_SESSION_BY_CERT
} ngx_hyperdrive_session_by_e;


typedef enum {
    NGX_HYPERDRIVE_SESSION_LOGIN = 0,    /* start-up and password; timer */
    NGX_HYPERDRIVE_SESSION_TLS,          /* nginx does the handshake */
    NGX_HYPERDRIVE_SESSION_LOOKUP,       /* its user is looked up */
    NGX_HYPERDRIVE_SESSION_GREET,        /* waits for what an origin says of
                                            itself; in the queue */
    NGX_HYPERDRIVE_SESSION_READY,        /* no origin, reads requests; moved or
                                            told when the worker leaves */
    NGX_HYPERDRIVE_SESSION_WAIT,         /* in the queue for an origin */
    NGX_HYPERDRIVE_SESSION_BATCH,        /* no origin: it is looked up at the
                                            end of the turn */
    NGX_HYPERDRIVE_SESSION_FLIGHT,       /* no origin: waits for an answer that
                                            another session fetches; timer */
    NGX_HYPERDRIVE_SESSION_HELD,         /* no origin: waits for the catalog */
    NGX_HYPERDRIVE_SESSION_ROUTE,        /* no origin: a replica is asked, or
                                            another upstream */
    NGX_HYPERDRIVE_SESSION_ACTIVE,       /* has an origin */
    NGX_HYPERDRIVE_SESSION_CLOSING       /* sends what is left; timer */
} ngx_hyperdrive_session_state_e;


/* what the cache had to do with a unit, by Hyperdrive's names */

typedef enum {
    NGX_HYPERDRIVE_SESSION_CACHE_NONE = 0,   /* there was none yet */
    NGX_HYPERDRIVE_SESSION_CACHE_DISABLED,   /* off: for the server, by a hint,
                                                for a table that was wrong */
    NGX_HYPERDRIVE_SESSION_CACHE_HIT,
    NGX_HYPERDRIVE_SESSION_CACHE_STALE,      /* a hit behind max_age */
    NGX_HYPERDRIVE_SESSION_CACHE_ERROR,      /* ...because there is no origin */
    NGX_HYPERDRIVE_SESSION_CACHE_COALESCED,  /* a hit, fetched by another
                                                session meanwhile */
    NGX_HYPERDRIVE_SESSION_CACHE_MISS,
    NGX_HYPERDRIVE_SESSION_CACHE_INVALIDATED,  /* a miss: written to since */
    NGX_HYPERDRIVE_SESSION_CACHE_OVERSIZED,  /* a miss, too long to be kept */
    NGX_HYPERDRIVE_SESSION_CACHE_UNCACHEABLE,
    NGX_HYPERDRIVE_SESSION_CACHE_VOLATILE,
    NGX_HYPERDRIVE_SESSION_CACHE_MULTIPLE,
    NGX_HYPERDRIVE_SESSION_CACHE_PARSE,
    NGX_HYPERDRIVE_SESSION_CACHE_TRANSACTION
} ngx_hyperdrive_session_cache_e;


typedef struct ngx_hyperdrive_session_fill_s  ngx_hyperdrive_session_fill_t;
typedef struct ngx_hyperdrive_session_wait_s  ngx_hyperdrive_session_wait_t;
typedef struct ngx_hyperdrive_session_batched_s
    ngx_hyperdrive_session_batched_t;
typedef struct ngx_hyperdrive_session_route_s  ngx_hyperdrive_session_route_t;


/* totals of one client, for variables */

typedef struct {
    uint64_t                         queries;
    uint64_t                         hits;
    uint64_t                         misses;
    uint64_t                         errors;
    ngx_msec_t                       waited;
} ngx_hyperdrive_session_totals_t;


/* what a client's time is measured for */

typedef enum {
    NGX_HYPERDRIVE_SESSION_IDLE = 0,     /* it asks for nothing */
    NGX_HYPERDRIVE_SESSION_QUERY,        /* the database owes an answer, or is
                                            amid a unit */
    NGX_HYPERDRIVE_SESSION_BLOCK         /* ...does not, in a transaction */
} ngx_hyperdrive_session_doing_e;

typedef struct ngx_hyperdrive_session_time_s  ngx_hyperdrive_session_time_t;
typedef struct ngx_hyperdrive_session_log_s   ngx_hyperdrive_session_log_t;
typedef struct ngx_hyperdrive_session_decided_s
    ngx_hyperdrive_session_decided_t;


/* why a session keeps its origin, and what is being done about it */

typedef enum {
    NGX_HYPERDRIVE_SESSION_PIN_REJECTED = 1,
    NGX_HYPERDRIVE_SESSION_PIN_TOO_MANY,
    NGX_HYPERDRIVE_SESSION_PIN_REPLICATION,     /* it is not allowed */
    NGX_HYPERDRIVE_SESSION_PIN_POLICY           /* a statement is rejected */
} ngx_hyperdrive_session_pin_refused_e;


typedef struct {
    ngx_uint_t                       causes;      /* _state_pin_ bits */
    ngx_uint_t                       found;       /* by the probe */
    ngx_uint_t                       nothing;     /* causes that were none: what
                                                     would have left something
                                                     has not run */
    unsigned                         check:1;     /* a cause may have begun or
                                                     ended */
    unsigned                         asking:1;    /* the probe is under way */
    unsigned                         answered:1;
    unsigned                         runs:1;      /* something was sent since
                                                     it was settled */
    unsigned                         discard:1;   /* ...first a DISCARD */
    unsigned                         set:1;       /* a setting, by its text:
                                                     names with a dot cannot be
                                                     asked for */
    unsigned                         unseen:1;    /* something may be left that
                                                     cannot be asked for */
    unsigned                         close:1;     /* it cannot be taken away */
    unsigned                         astray:1;    /* MySQL: the connection is
                                                     in no schema any more, and
                                                     closed behind the client */
    unsigned                         hidden:1;    /* ...a transaction may be
                                                     open, of which it does not
                                                     tell: the same, whatever
                                                     the client resets */
    unsigned                         unread:1;    /* ...or is, if autocommit is
                                                     turned off: by a text that
                                                     SQL runs, or has prepared,
                                                     and that was not read */
    unsigned                         all:1;       /* it has to be taken away */
    unsigned                         reads:1;     /* MySQL: what was sent since
                                                     it was settled says in its
                                                     text what it changes */
    unsigned                         sent:1;      /* something of the client's
                                                     own, since it has this
                                                     origin */
    unsigned                         endless:1;   /* its answer may last for
                                                     ever: the binary log */
    unsigned                         allowed:1;   /* there was room for it, just
                                                     before it is forwarded */
    unsigned                         refused:3;   /* what was forwarded may not
                                                     be sent: _pin_refused_e */
} ngx_hyperdrive_session_pin_t;


/* what SQL has prepared on the connection that the client keeps */

#define NGX_HYPERDRIVE_SESSION_BODIES    32

typedef struct {
    ngx_uint_t                       n;
    ngx_hyperdrive_state_stmt_t     *stmts[NGX_HYPERDRIVE_SESSION_BODIES];
                                                  /* one reference each */
    unsigned                         unknown:1;   /* these may not be all */
} ngx_hyperdrive_session_bodies_t;


/* what statements ask of those before them: ngx_hyperdrive_session_diag.h */
typedef struct ngx_hyperdrive_session_diag_s  ngx_hyperdrive_session_diag_t;


/* what a pinned client has left, by name: ngx_hyperdrive_session_held.h */
typedef struct ngx_hyperdrive_session_held_s  ngx_hyperdrive_session_held_t;


/* what the origin has of sequences */

typedef struct {
    unsigned                         sent:1;      /* it is thrown away; the
                                                     answer is to come */
    unsigned                         drawn:1;     /* the client may have drawn
                                                     since it was idle */
    unsigned                         mixed:1;     /* it has asked for what it
                                                     has drawn, among what
                                                     others have */
} ngx_hyperdrive_session_sequence_t;


/* of requests of our own */
#define NGX_HYPERDRIVE_SESSION_TAG_SEQUENCE  2
#define NGX_HYPERDRIVE_SESSION_TAG_PIN     0x100


/*
 * A client.  Allocated from its connection's pool, freed with it.
 */

struct ngx_hyperdrive_session_s {
    ngx_hyperdrive_session_state_e   state;
    ngx_stream_session_t            *stream;
    ngx_hyperdrive_session_conf_t   *conf;
    ngx_hyperdrive_net_t             net;
    void                            *wire;        /* the protocol's end */
    ngx_hyperdrive_proto_login_t    *login;       /* until it is logged in */

    ngx_hyperdrive_pool_t           *pool;        /* it asks */
    ngx_hyperdrive_pool_t           *home;        /* ...if policy says so, and
                                                     this is its own; NULL: it
                                                     asks its own */
    uint64_t                         mirrored;    /* the last unit that was,
                                                     counted from 1 */
    ngx_hyperdrive_origin_t         *origin;      /* while ACTIVE */
    ngx_hyperdrive_origin_waiter_t   waiter;

    ngx_hyperdrive_proto_unit_t      unit;        /* what is looked at */
    ngx_hyperdrive_session_fill_t   *fill;
    ngx_hyperdrive_session_wait_t   *wait;        /* since a look-up that found
                                                     a flight; or NULL */
    ngx_hyperdrive_session_batched_t
                                    *batched;     /* while BATCH */
    ngx_hyperdrive_session_route_t  *route;       /* while ROUTE */
    ngx_hyperdrive_session_cache_e   cached;      /* the last unit's */
    ngx_uint_t                       outstanding; /* units without their end */
    ngx_uint_t                       releases;    /* MySQL: behind the answer to
                                                     the how many of them both
                                                     connections end; or 0 */
    ngx_hyperdrive_session_write_t   write;
    ngx_hyperdrive_session_plans_t  *plans;       /* of this generation of the
                                                     catalog, else void */
    uint64_t                         plans_generation;

    u_char                           key[NGX_HYPERDRIVE_PROTO_MAX_KEY];
                                                  /* who cancels knows it */
    size_t                           key_len;
    uint64_t                         again;       /* total.queries + 1 at a
                                                     request to cancel that
                                                     waits for another, or 0 */
    uint32_t                         number;      /* that it was told as its
                                                     process id: leads to it
                                                     from everywhere; or 0 */
    ngx_queue_t                      all;         /* the worker's */
    ngx_queue_t                      rest;        /* those that want nothing */
    ngx_queue_t                      held;        /* of those who wait for the
                                                     catalog, in whatever
                                                     state; next is NULL: does
                                                     not */
    ngx_msec_t                       rested;      /* since when */
    ngx_str_t                        user;
    size_t                           user_size;   /* of its memory */
    uint64_t                         proof;       /* of the secret that it has
                                                     logged in by */
    ngx_hyperdrive_session_totals_t  total;
    ngx_hyperdrive_session_time_t   *time;        /* NULL: no limits */
    ngx_hyperdrive_session_settings_t
                                    *settings;    /* NULL: it has set nothing */
    ngx_hyperdrive_session_log_t    *log;         /* NULL: no query log, or
                                                     nothing for it yet */

    ngx_hyperdrive_session_decided_t
                                    *decided;     /* by policy; NULL: it has
                                                     nothing of its own */

    ngx_queue_t                      lookup;      /* of who waits for the same
                                                     user; next is NULL: does
                                                     not */
    ngx_str_t                        secret;      /* ...found: until it is
                                                     logged in */

    unsigned                         by:2;        /* _session_by_e */
    unsigned                         looked_up:1; /* goes on, by its event */
    unsigned                         lookup_failed:1;
    unsigned                         replication:1;   /* PostgreSQL: the
                                                     origin is its own, from
                                                     the log-in to the end */
    unsigned                         physical:1;  /* ...and knows no SQL */

    /*
     * A BEGIN was answered and not sent: its isolation level, a
     * _state_begin_e; or it could not be, and the block has failed.  There is
     * no origin then.
     */
    unsigned                         deferred:2;
    unsigned                         failed:1;

    ngx_hyperdrive_session_pin_t     pin;
    ngx_hyperdrive_session_sequence_t
                                     sequence;
    ngx_hyperdrive_origin_t         *drawn;       /* where it may have drawn
                                                     last: it may be gone */
    ngx_hyperdrive_session_bodies_t *bodies;      /* NULL: SQL has prepared
                                                     nothing here */
    unsigned                         unbatched:1; /* it was, and found no plain
                                                     hit: it looks itself */
    unsigned                         tried:1;     /* the unit was sent to a
                                                     replica, in vain */
    ngx_hyperdrive_session_diag_t   *diag;        /* NULL: of PostgreSQL, or
                                                     nothing yet */
    ngx_hyperdrive_session_held_t   *leavings;    /* ...the same */
    unsigned                         wild:1;      /* it has run DDL */
    unsigned                         defaults:1;  /* ...that changes what
                                                     sessions begin with */
    unsigned                         path_local:1; /* search_path may be
                                                      another one up to the end
                                                      of the block */
    unsigned                         aligned:1;   /* the origin is set as the
                                                     client believes */
    unsigned                         pinned:1;    /* the origin is its own */
    unsigned                         streaming:1; /* requests pass unread */
    unsigned                         blocked:1;   /* the origin is not read:
                                                     the client is slow */
    unsigned                         choked:1;    /* the client is not read:
                                                     the origin is slow */
    unsigned                         trailed:1;   /* what is owed is the end of
                                                     what we have sent along */
    unsigned                         cut:1;       /* the last message that it
                                                     was told is not whole */
    unsigned                         resting:1;   /* on the list */
    unsigned                         heavy:1;     /* too much to be moved */
    unsigned                         direct:1;    /* TLS from the first byte */
    unsigned                         pooled:1;    /* counted in pool->refs */
    unsigned                         counted:1;   /* as logged in */
    unsigned                         hurried:1;   /* it is not held for the
                                                     catalog */
};


/* set once: the stream module, whose session context we are; and the settings
   of a connection's server {}, NULL: it is none of ours */
extern ngx_module_t  *ngx_hyperdrive_session_module;
extern ngx_hyperdrive_session_conf_t  *(*ngx_hyperdrive_session_conf)(
    ngx_stream_session_t *stream);


/* the pool of the server's upstream, whatever policy says just now */
#define ngx_hyperdrive_session_own_pool(s)                                    \
    ((s)->home ? (s)->home : (s)->pool)

/* its unit is not answered yet, and has no origin: no other is looked at */
#define ngx_hyperdrive_session_waits(s)                                       \
    ((s)->state >= NGX_HYPERDRIVE_SESSION_WAIT                                \
     && (s)->state <= NGX_HYPERDRIVE_SESSION_ROUTE)


/* ngx_hyperdrive_session.c */

/* the content handler: a new client, or one whose TLS handshake is done */
void ngx_hyperdrive_session_init(ngx_stream_session_t *stream,
    ngx_hyperdrive_session_conf_t *conf);
/* a session of a connection that has none; NULL: no memory */
ngx_hyperdrive_session_t *ngx_hyperdrive_session_create(
    ngx_stream_session_t *stream, ngx_hyperdrive_session_conf_t *conf);
/* logged in, here or elsewhere: NGX_OK, or NGX_ERROR */
ngx_int_t ngx_hyperdrive_session_begin(ngx_hyperdrive_session_t *s);
/* the context of the stream session */
ngx_hyperdrive_session_t *ngx_hyperdrive_session_of(ngx_connection_t *c);
/* the log-in is over: NGX_OK, or NGX_DONE: <s> is gone */
ngx_int_t ngx_hyperdrive_session_welcome(ngx_hyperdrive_session_t *s,
    ngx_str_t *greeting);
/* what one has told of itself is remembered: NGX_OK, or NGX_DONE */
ngx_int_t ngx_hyperdrive_session_greeted(ngx_hyperdrive_session_t *s);
void ngx_hyperdrive_session_set_state(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_state_e state);
/* an error of ours, then the end */
void ngx_hyperdrive_session_fatal(ngx_hyperdrive_session_t *s, char *sqlstate,
    char *message);
/* the worker leaves: the client is told so, in whatever state */
void ngx_hyperdrive_session_shutdown(ngx_hyperdrive_session_t *s);
/* ...by these words */
void ngx_hyperdrive_session_farewell(ngx_hyperdrive_proto_error_t *err);
/* the end; <s> is gone afterwards */
void ngx_hyperdrive_session_close(ngx_hyperdrive_session_t *s);
/* another process has it, with its socket; <s> is gone afterwards */
void ngx_hyperdrive_session_moved(ngx_hyperdrive_session_t *s);
/* arms the events and keeps input; NGX_DONE: <s> is gone */
ngx_int_t ngx_hyperdrive_session_rearm(ngx_hyperdrive_session_t *s);


/*
 * ngx_hyperdrive_session_drain.c: what becomes of the clients of a worker that
 * leaves
 */

ngx_int_t ngx_hyperdrive_session_drain_init(ngx_cycle_t *cycle,
    ngx_hyperdrive_session_drain_t *conf, ngx_array_t *origins);
/* nginx asks this worker to leave */
void ngx_hyperdrive_session_drain_start(void);
/* of all the worker's sessions, and of those that want nothing at the moment */
void ngx_hyperdrive_session_drain_add(ngx_hyperdrive_session_t *s);
void ngx_hyperdrive_session_drain_remove(ngx_hyperdrive_session_t *s);
void ngx_hyperdrive_session_drain_state(ngx_hyperdrive_session_t *s);
/*
 * The session could go on with its input.  NGX_OK: it may; NGX_AGAIN: not
 * before its output is sent; NGX_DONE: it has moved.  Not from within
 * _session_process().
 */
ngx_int_t ngx_hyperdrive_session_drain_turn(ngx_hyperdrive_session_t *s);
/* a request has come, nothing of which has been done: NGX_OK, or NGX_DONE */
ngx_int_t ngx_hyperdrive_session_drain_request(ngx_hyperdrive_session_t *s);


/* ngx_hyperdrive_session_pass.c */

/* the session goes to another process; NGX_OK: <s> is gone; NGX_DECLINED */
ngx_int_t ngx_hyperdrive_session_pass(ngx_hyperdrive_session_t *s,
    ngx_uint_t slot);


/* ngx_hyperdrive_session_take.c */

/* ...the other end; what cannot be taken is told to the client */
void ngx_hyperdrive_session_take(ngx_array_t *origins, u_char *data,
    size_t len, ngx_socket_t fd);


/* within the room: a log-in begins; NGX_ERROR: no memory */
ngx_int_t ngx_hyperdrive_session_login_new(ngx_hyperdrive_session_t *s);
void ngx_hyperdrive_session_login_handler(ngx_event_t *rev);


/* ngx_hyperdrive_session_change.c */

/* the client asks to be another one: NGX_DONE: it is logged in anew, in its
   own time, or <s> is gone */
ngx_int_t ngx_hyperdrive_session_change(ngx_hyperdrive_session_t *s);


/* ngx_hyperdrive_session_identify.c */

/*
 * The client is who it says: which pool is it for?  NGX_DONE: it has been
 * refused.
 */
ngx_int_t ngx_hyperdrive_session_identify(ngx_hyperdrive_session_t *s);


/* ngx_hyperdrive_session_greet.c */

/*
 * The client waits for our first words: they are in its output, or an origin
 * is asked for what they have to say; NGX_DONE: <s> is gone.
 */
ngx_int_t ngx_hyperdrive_session_greet_first(ngx_hyperdrive_session_t *s);
/* an origin is there for one who logs in; <s> may be gone afterwards */
void ngx_hyperdrive_session_greet_ready(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_origin_t *o);
/* ...and is set as it asks: NGX_DECLINED, or NGX_DONE: <s> is gone */
ngx_int_t ngx_hyperdrive_session_greet_done(ngx_hyperdrive_session_t *s);


/* ngx_hyperdrive_session_cancel.c */

/* the process id that the client is told; 0: there is none left */
uint32_t ngx_hyperdrive_session_cancel_pid(ngx_hyperdrive_session_t *s);
/* a CancelRequest has come, for a session of any worker */
void ngx_hyperdrive_session_cancel(ngx_str_t *pid, ngx_str_t *key);
/*
 * A client asks for it by the process id of another one: who has logged in as
 * the same user may do so.  NGX_AGAIN: when what was asked for before has been
 * answered; NGX_DECLINED: there is no such client here.
 */
ngx_int_t ngx_hyperdrive_session_cancel_other(ngx_hyperdrive_session_t *s);
/* ...and was passed on to this worker */
void ngx_hyperdrive_session_cancel_message(u_char *data, size_t len);
/* the one on its way is over */
void ngx_hyperdrive_session_cancel_again(ngx_hyperdrive_session_t *s);


/* ngx_hyperdrive_session_unit.c */

void ngx_hyperdrive_session_read_handler(ngx_event_t *rev);
void ngx_hyperdrive_session_write_handler(ngx_event_t *wev);
/* goes on with the input there is; NGX_DONE: <s> is gone */
ngx_int_t ngx_hyperdrive_session_process(ngx_hyperdrive_session_t *s);
/* the unit was answered, but by no origin of the session: it is counted, and
   leaves the input; <sqlstate>: of the error that it was, or NULL */
void ngx_hyperdrive_session_served(ngx_hyperdrive_session_t *s,
    char *sqlstate);
/* ...by an answer that was kept, or read for it: all but its end is given */
void ngx_hyperdrive_session_serve_end(ngx_hyperdrive_session_t *s,
    char *sqlstate);
/* answers the unit by an error of ours; NULL: just by its end */
void ngx_hyperdrive_session_refuse(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_error_t *err);
/* a request has failed unseen: it is read once more; NGX_OK, NGX_ERROR */
ngx_int_t ngx_hyperdrive_session_repeat(ngx_hyperdrive_session_t *s);
void ngx_hyperdrive_session_waiter_ready(ngx_hyperdrive_origin_waiter_t *w,
    ngx_hyperdrive_origin_t *o);
void ngx_hyperdrive_session_waiter_failed(ngx_hyperdrive_origin_waiter_t *w,
    ngx_hyperdrive_proto_error_t *err);
/* it waits for an origin no more, as if it had not asked yet */
void ngx_hyperdrive_session_unwait(ngx_hyperdrive_session_t *s);
/* the unit that waits is refused, and the session goes on behind it */
void ngx_hyperdrive_session_failed(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_error_t *err);
/* it goes on with the unit that has waited */
void ngx_hyperdrive_session_resume(ngx_hyperdrive_session_t *s);


/* ngx_hyperdrive_session_pin.c */

/* nobody can tell what a statement sets: the connection is kept */
void ngx_hyperdrive_session_pin_setting(ngx_hyperdrive_session_t *s);
/* MySQL: its schema was dropped, and no other connection can be in none */
void ngx_hyperdrive_session_pin_astray(ngx_hyperdrive_session_t *s);
/* something of its session was changed, by what cannot be read here */
void ngx_hyperdrive_session_pin_changed(ngx_hyperdrive_session_t *s);
/* MySQL's: run->replication */
void ngx_hyperdrive_session_pin_replication(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_run_t *run);


/* ngx_hyperdrive_session_block.c */

/* with no origin.  NGX_OK: the unit has been answered; NGX_DECLINED: it has
   not; NGX_DONE: <s> is gone */
ngx_int_t ngx_hyperdrive_session_block(ngx_hyperdrive_session_t *s);
/* a unit is refused: so a block that no origin knows fails */
void ngx_hyperdrive_session_block_failed(ngx_hyperdrive_session_t *s);
/* the session is reset: there is none any more */
void ngx_hyperdrive_session_block_forget(ngx_hyperdrive_session_t *s);
/* COMMIT RELEASE, and what is the same by completion_type */
ngx_uint_t ngx_hyperdrive_session_block_releases(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_state_stmt_t *stmt);


/* sends what is in the origin's output; NGX_ERROR: its read event tells */
ngx_int_t ngx_hyperdrive_session_send(ngx_hyperdrive_session_t *s);


/* ngx_hyperdrive_session_pin.c */

/* the unit may be one for _pin_refuses() */
#define ngx_hyperdrive_session_pin_may(s)                                     \
    ((s)->unit.replication                                                    \
     || ((s)->unit.stmt                                                       \
         && ((s)->unit.stmt->plan.stateful || (s)->unit.stmt->plan.may_write  \
             || (s)->conf->policy)))

ngx_uint_t ngx_hyperdrive_session_pin_refuses(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_error_t *err);
/* by s->pin.refused, before anything is sent; <s> is gone */
void ngx_hyperdrive_session_pin_end_refused(ngx_hyperdrive_session_t *s);
void ngx_hyperdrive_session_pin_run(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_run_t *run);
void ngx_hyperdrive_session_pin_piece(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_piece_t *piece);
void ngx_hyperdrive_session_pin_settled(ngx_hyperdrive_session_t *s);
ngx_int_t ngx_hyperdrive_session_pin_end(ngx_hyperdrive_session_t *s);
/* what the statement <i> of those that an EXECUTE may run is: NGX_OK;
   NGX_DONE: there are no more; NGX_DECLINED: nobody knows them all */
ngx_int_t ngx_hyperdrive_session_bodies(ngx_hyperdrive_session_t *s,
    ngx_uint_t i, ngx_hyperdrive_state_stmt_t **stmt);
void ngx_hyperdrive_session_bodies_prepare(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_state_stmt_t *stmt);
void ngx_hyperdrive_session_bodies_unknown(ngx_hyperdrive_session_t *s);
void ngx_hyperdrive_session_bodies_free(ngx_hyperdrive_session_t *s);


/* ngx_hyperdrive_session_sequence.c */

/* a statement will run that may leave this; what it must not see goes ahead */
void ngx_hyperdrive_session_sequence_run(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_run_t *run, ngx_uint_t leaves);
/* NGX_OK: the piece is of an answer to us */
ngx_int_t ngx_hyperdrive_session_sequence_piece(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_piece_t *piece);
void ngx_hyperdrive_session_sequence_settled(ngx_hyperdrive_session_t *s);
void ngx_hyperdrive_session_sequence_end(ngx_hyperdrive_session_t *s);
/* where what the unit asks for may be found; or NULL */
#define ngx_hyperdrive_session_sequence_origin(s)                             \
    (((s)->unit.stmt && (s)->unit.stmt->plan.recalls && !(s)->streaming)      \
     ? (s)->drawn : NULL)


/* ngx_hyperdrive_session_place.c */

/*
 * With no origin: the session asks the upstream that policy names for the unit.
 * NGX_DECLINED: it cannot: <err>.
 */
ngx_int_t ngx_hyperdrive_session_place(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_error_t *err);
/* whether it would be another one than it asks now */
ngx_uint_t ngx_hyperdrive_session_place_differs(ngx_hyperdrive_session_t *s);
/* it asks its own again */
void ngx_hyperdrive_session_place_home(ngx_hyperdrive_session_t *s);
/* the client's pool in another upstream; NULL: <err> */
ngx_hyperdrive_pool_t *ngx_hyperdrive_session_place_pool(
    ngx_hyperdrive_session_t *s, ngx_hyperdrive_origin_conf_t *conf,
    ngx_hyperdrive_proto_error_t *err);


/* ngx_hyperdrive_session_mirror.c */

/* a copy of the unit is sent to where policy says, if a connection is free */
void ngx_hyperdrive_session_mirror(ngx_hyperdrive_session_t *s);


/* ngx_hyperdrive_session_route.c */

/*
 * The unit is not in the cache, or that was not asked.  NGX_DECLINED: it is the
 * primary's; NGX_AGAIN: somebody else is asked; NGX_OK: it has been refused.
 */
ngx_int_t ngx_hyperdrive_session_route(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_error_t *err);
/* the client has room again */
void ngx_hyperdrive_session_route_go_on(ngx_hyperdrive_session_t *s);
/* it asks to stop: NGX_OK: the unit is to be refused now */
ngx_int_t ngx_hyperdrive_session_route_cancel(ngx_hyperdrive_session_t *s);
/* the client has left */
void ngx_hyperdrive_session_route_forget(ngx_hyperdrive_session_t *s);


/* ngx_hyperdrive_session_prepare.c */

/* unit.prepare: NGX_OK: it has been answered; NGX_DECLINED: it has not */
ngx_int_t ngx_hyperdrive_session_prepare(ngx_hyperdrive_session_t *s);


/* ngx_hyperdrive_session_relay.c */

/* an origin is the session's from now on */
void ngx_hyperdrive_session_attach(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_origin_t *o);
/* ...and is not any more; the session goes on without */
void ngx_hyperdrive_session_detach(ngx_hyperdrive_session_t *s);
void ngx_hyperdrive_session_relay(ngx_hyperdrive_origin_t *o);
void ngx_hyperdrive_session_relay_write(ngx_hyperdrive_origin_t *o);


/*
 * ngx_hyperdrive_session_track.c: what the session's requests do to the
 * database and to its connection, as they are sent and answered
 */

/* a statement will run; may be told twice */
void ngx_hyperdrive_session_track_run(void *data,
    ngx_hyperdrive_proto_run_t *run);
/* a unit, or a part of one, is in the origin's output: nothing of it has been
   given to the kernel yet */
void ngx_hyperdrive_session_track_send(ngx_hyperdrive_session_t *s);
/* a piece of an answer has been read, it is not in the client's output yet */
void ngx_hyperdrive_session_track_piece(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_piece_t *piece);
/* nothing is owed by the origin, which may be in a block */
void ngx_hyperdrive_session_track_settled(ngx_hyperdrive_session_t *s);
/* the session parts with its origin, in whatever state */
void ngx_hyperdrive_session_track_end(ngx_hyperdrive_session_t *s);


/* ngx_hyperdrive_session_replication.c */

/*
 * A client asks for replication: the pool of connections that are used once.
 * <params> has room for one more.  NULL: no memory, or too long.
 */
ngx_hyperdrive_pool_t *ngx_hyperdrive_session_replication(
    ngx_hyperdrive_session_t *s, ngx_str_t *user, ngx_str_t *database,
    ngx_uint_t n, ngx_hyperdrive_proto_param_t *params);
/* its connection is there; it may be gone afterwards, as <s> may */
void ngx_hyperdrive_session_replication_ready(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_origin_t *o);
/* the session parts with it */
void ngx_hyperdrive_session_replication_end(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_origin_t *o);
/* what will run is no SQL: it changes no table */
ngx_uint_t ngx_hyperdrive_session_replication_command(
    ngx_hyperdrive_session_t *s, ngx_hyperdrive_proto_run_t *run);


/* ngx_hyperdrive_session_user.c */

/* the user who logs in: NGX_OK: s->login is filled; NGX_AGAIN: it is looked
   up, the read event tells; NGX_DONE: refused, <s> may be gone */
ngx_int_t ngx_hyperdrive_session_user(ngx_hyperdrive_session_t *s);
/* a client that was let in by another configuration: NGX_OK if this one would
   let it in, too, as far as can be known; NGX_DECLINED: it has to log in */
ngx_int_t ngx_hyperdrive_session_user_still(
    ngx_hyperdrive_session_conf_t *conf, ngx_str_t *user,
    ngx_hyperdrive_session_by_e by, uint64_t proof);


/* ngx_hyperdrive_session_auth.c */

/* as _session_user() */
ngx_int_t ngx_hyperdrive_session_auth(ngx_hyperdrive_session_t *s);
void ngx_hyperdrive_session_auth_leave(ngx_hyperdrive_session_t *s);
/* what is remembered of <name> did not help */
void ngx_hyperdrive_session_auth_wrong(ngx_hyperdrive_session_t *s,
    ngx_str_t *name);


/* ngx_hyperdrive_session_time.c */

/* logged in: from now on there are limits, if any are set */
ngx_int_t ngx_hyperdrive_session_time_start(ngx_hyperdrive_session_t *s);
void ngx_hyperdrive_session_time_stop(ngx_hyperdrive_session_t *s);
/* it begins to do something, or once more */
void ngx_hyperdrive_session_time_doing(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_doing_e doing);
/* a unit, or a part of one, is sent to the origin */
void ngx_hyperdrive_session_time_sent(ngx_hyperdrive_session_t *s);
/* policy has a limit for what will run, up to the end of what is owed */
void ngx_hyperdrive_session_time_policy(ngx_hyperdrive_session_t *s,
    ngx_msec_t limit);
/* ...which is another one for what is owed already */
ngx_uint_t ngx_hyperdrive_session_time_differs(ngx_hyperdrive_session_t *s,
    ngx_msec_t limit);
/* nothing is owed; only where s->time */
void ngx_hyperdrive_session_time_settled(ngx_hyperdrive_session_t *s);
/* a piece of an answer; it becomes our own where we put other words */
void ngx_hyperdrive_session_time_piece(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_piece_t *piece);
/* since when it does what it does; set by the process that takes it over */
ngx_msec_t ngx_hyperdrive_session_time_since(ngx_hyperdrive_session_t *s);
void ngx_hyperdrive_session_time_resume(ngx_hyperdrive_session_t *s,
    ngx_msec_t since);
/* something was read from the client; only where s->time */
void ngx_hyperdrive_session_time_heard(ngx_hyperdrive_session_t *s);


/* ngx_hyperdrive_session_cache.c: see ngx_hyperdrive_session_cache.h too */

/*
 * Looks the unit up.  NGX_OK: it has been answered from memory; NGX_DECLINED:
 * it has not, and goes to an origin; a fill may have been begun; NGX_AGAIN:
 * the session waits for a flight.
 */
ngx_int_t ngx_hyperdrive_session_lookup(ngx_hyperdrive_session_t *s);
/* true if the unit's answer is probably there */
ngx_uint_t ngx_hyperdrive_session_peek(ngx_hyperdrive_session_t *s);
/*
 * There is no origin for the unit that begins at s->net.pos: NGX_OK: it has
 * been answered from memory all the same.
 */
ngx_int_t ngx_hyperdrive_session_lookup_stale(ngx_hyperdrive_session_t *s);
/*
 * ngx_hyperdrive_session_purge.c: takes kept answers out, without a reload;
 * for whoever looks from outside
 */

/* all of a zone */
void ngx_hyperdrive_session_purge_all(ngx_hyperdrive_cache_store_t *store);
/* those of a statement's text, by its digest, as logs show it; how many */
ngx_uint_t ngx_hyperdrive_session_purge_statement(
    ngx_hyperdrive_cache_store_t *store, uint64_t digest);
/*
 * Those made of a table, or of what is behind a view, in all zones: its name as
 * SQL has it, with or without a schema, and in this database only (empty: in
 * all; MySQL: the schema of a name without one).  *n: how many tables these
 * are, where the catalog is in force; else the database as a whole is given
 * up.  NGX_AGAIN: one has not been read yet: it is done when it is, before
 * anything that was kept is used by it.
 */
ngx_int_t ngx_hyperdrive_session_purge_table(ngx_str_t *table,
    ngx_str_t *database, ngx_uint_t *n);
/* the same, as ngx_hyperdrive_origin_purge() asks for it */
void ngx_hyperdrive_session_purge_order(ngx_hyperdrive_shm_kill_t *order,
    uint64_t number);
/* those that a policy has given this tag; how many */
ngx_uint_t ngx_hyperdrive_session_purge_tag(
    ngx_hyperdrive_cache_store_t *store, ngx_str_t *tag);


/*
 * ngx_hyperdrive_session_kill.c: disconnects clients of this worker, as
 * ngx_hyperdrive_origin_kill() asks for; from the start of the process on
 */
void ngx_hyperdrive_session_kill_start(void);
void ngx_hyperdrive_session_kill(void);


/* flights of this worker's sessions may be over: a wake-up has come */
void ngx_hyperdrive_session_flight_wake(void);
/* the flights of <slot> are ended, but those of the process that has it now
   with <epoch> (0: nobody), and all who wait look again */
void ngx_hyperdrive_session_flight_reclaim(ngx_uint_t slot, uint32_t epoch);
/* the name of what became of the last unit */
ngx_str_t *ngx_hyperdrive_session_cache_name(
    ngx_hyperdrive_session_cache_e cached);


#endif /* _NGX_HYPERDRIVE_SESSION_H_INCLUDED_ */
