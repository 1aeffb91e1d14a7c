
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_ORIGIN_H_INCLUDED_
#define _NGX_HYPERDRIVE_ORIGIN_H_INCLUDED_


#include "ngx_hyperdrive.h"
#include <ngx_stream.h>
#include "ngx_hyperdrive_proto.h"
#include "state/ngx_hyperdrive_state_settings.h"
#include "net/ngx_hyperdrive_net.h"
#include "shm/ngx_hyperdrive_shm.h"


typedef struct ngx_hyperdrive_origin_waiter_s  ngx_hyperdrive_origin_waiter_t;
typedef struct ngx_hyperdrive_origin_epoch_s  ngx_hyperdrive_origin_epoch_t;


typedef enum {
    NGX_HYPERDRIVE_SSLMODE_DISABLE = 0,
    NGX_HYPERDRIVE_SSLMODE_ALLOW,
    NGX_HYPERDRIVE_SSLMODE_PREFER,
    NGX_HYPERDRIVE_SSLMODE_REQUIRE,
    NGX_HYPERDRIVE_SSLMODE_VERIFY_CA,
    NGX_HYPERDRIVE_SSLMODE_VERIFY_FULL
} ngx_hyperdrive_origin_sslmode_e;


/* what an origin is for, and has to be: bits of server->roles */

#define NGX_HYPERDRIVE_ORIGIN_PRIMARY        1
#define NGX_HYPERDRIVE_ORIGIN_REPLICA        2

typedef enum {
    NGX_HYPERDRIVE_ORIGIN_ANY = 0,
    NGX_HYPERDRIVE_ORIGIN_IS_PRIMARY,        /* not in recovery... */
    NGX_HYPERDRIVE_ORIGIN_READ_WRITE         /* ...and it takes writes */
} ngx_hyperdrive_origin_attrs_e;


typedef struct ngx_hyperdrive_origin_conf_s  ngx_hyperdrive_origin_conf_t;


/* bits of a digest of a server, or of an address: with a number beside it, it
   is one of 64 bits */
#define NGX_HYPERDRIVE_ORIGIN_SITE_MASK                                      \
    (((uint64_t) 1 << 44) - 1)

/* addresses that a name with "resolve" may have at a time */
#define NGX_HYPERDRIVE_ORIGIN_SEATS      16

typedef struct {
    ngx_resolver_t                    *resolver;
    ngx_msec_t                         timeout;
    ngx_str_t                          key;       /* of what is remembered */
    ngx_uint_t                         max_fails;

    /* of this process */

    ngx_hyperdrive_origin_conf_t      *conf;
    ngx_sockaddr_t                    *sockaddrs; /* those of the server */
    ngx_uint_t                         failed;    /* the last time: it was said
                                                     already */
    ngx_event_t                        event;
} ngx_hyperdrive_origin_resolve_t;


/* one hyperdrive_origin */

typedef struct {
    ngx_str_t                          name;      /* host:port, for logs */
    u_char                            *file;      /* where it stands */
    ngx_uint_t                         line;
    ngx_str_t                          host;
    in_port_t                          port;
    ngx_addr_t                        *addrs;
    ngx_uint_t                         naddrs;
    ngx_hyperdrive_origin_resolve_t   *resolve;   /* NULL: these are all */

    ngx_str_t                          user;
    ngx_str_t                          password;
    ngx_str_t                          application_name;
    ngx_str_t                          options;
    void                              *keys;      /* of the last log-in */
    uint64_t                           stamp;     /* of all that a connection
                                                     of it depends on */

    ngx_hyperdrive_origin_sslmode_e    sslmode;
    ngx_ssl_t                         *ssl;       /* NULL: disable */
    ngx_msec_t                         connect_timeout;

    /* as libpq's; seconds, and 0: the system's */
    ngx_flag_t                         keepalives;
    ngx_uint_t                         keepalives_idle;
    ngx_uint_t                         keepalives_interval;
    ngx_uint_t                         keepalives_count;
    ngx_msec_t                         user_timeout;

    ngx_uint_t                         roles;
    ngx_hyperdrive_origin_attrs_e      attrs;     /* of a primary */
    unsigned                           allow_clear:1;
    unsigned                           down:1;
    unsigned                           nameless:1; /* in this process: it cannot
                                                      be asked which server it
                                                      is */
    unsigned                           ask_key:1; /* as in a log-in */
    unsigned                           local_files:1;
    ngx_str_t                          compress;  /* ...and this */
    ngx_str_t                          public_key;
    ngx_str_t                          collation; /* of connections that no
                                                     client has asked for one
                                                     of; or empty */
} ngx_hyperdrive_origin_server_t;


/*
 * An address of one that is a replica, or may be: the server's of this number,
 * if it has as many.  With "resolve" it is whichever sits there now.
 */

typedef struct {
    ngx_hyperdrive_origin_server_t    *server;
    ngx_uint_t                         seat;
    ngx_str_t                          name;      /* for logs, and of pools */
    uint64_t                           site;     /* a digest of the address, as
                                                     an origin's; set in each
                                                     process */
} ngx_hyperdrive_origin_replica_t;

#define ngx_hyperdrive_origin_replica_there(replica)                          \
    ((replica)->seat < (replica)->server->naddrs)


/* hyperdrive_auth_query */

typedef struct {
    ngx_str_t                          query;
    ngx_str_t                          user;      /* empty: the URL's */
    ngx_str_t                          password;
    ngx_str_t                          database;
    ngx_msec_t                         valid;     /* an answer is */
} ngx_hyperdrive_origin_auth_t;


/* what an upstream's pools are made after; one for each upstream */

struct ngx_hyperdrive_origin_conf_s {
    ngx_str_t                          name;
    ngx_hyperdrive_proto_t            *proto;
    ngx_stream_upstream_srv_conf_t    *upstream;
    ngx_array_t                        servers;   /* of _origin_server_t */
    ngx_stream_upstream_srv_conf_t    *balancer;  /* of the replicas; NULL:
                                                     there are none */
    ngx_array_t                        replicas;  /* of _origin_replica_t */
    ngx_str_t                        **names;     /* theirs */
    ngx_array_t                       *backends;  /* of the balancer: of
                                                     ngx_stream_upstream_-
                                                     server_t */
    ngx_uint_t                         nprimaries;  /* addresses */
    ngx_uint_t                         moves;     /* one of several is the
                                                     primary */
    void                              *positions; /* the sessions' */
    ngx_str_t                          database;  /* empty: the client's */
    u_char                             ident[8];  /* of where it leads to, and
                                                     as whom: another one has
                                                     other answers */
    ngx_hyperdrive_origin_auth_t      *auth;      /* or NULL */
    ngx_uint_t                         per_user;  /* the URLs name no user:
                                                     each client's own logs
                                                     in */

    ngx_uint_t                         max;
    ngx_uint_t                         max_user;  /* 0: no limit */
    ngx_uint_t                         max_db;
    ngx_uint_t                         min;
    ngx_uint_t                         queue;
    ngx_uint_t                         statements;
    ngx_msec_t                         idle;
    ngx_msec_t                         lifetime;
    ngx_msec_t                         wait;
    ngx_msec_t                         check;     /* idle so long: is it there?
                                                     0: not asked */

    ngx_msec_t                         catalog_refresh; /* 0: it is not read */
    ngx_array_t                       *functions; /* of _sql_catalog_rule_t, or
                                                     NULL */

    /* of this process, set by ngx_hyperdrive_origin_init_process() */

    ngx_hyperdrive_proto_ctx_t         ctx;
    ngx_hyperdrive_shm_limit_t        *limit;
    ngx_hyperdrive_shm_counters_t     *counters;
    ngx_queue_t                        pools;
    ngx_uint_t                         asks;      /* what statements have asked
                                                     of those before them:
                                                     _state_asks_ bits */
    ngx_uint_t                         nheld;     /* in all of them */
    ngx_uint_t                         nstopped;
    ngx_uint_t                         resolves;  /* some of the names */
    ngx_uint_t                         unresolved; /* no address is known yet */
    ngx_uint_t                         moved;     /* times that they changed */
    uint64_t                           orders;    /* that were carried out */
    ngx_uint_t                         ordered;   /* ...but for something that
                                                     is yet to be told */
    uint64_t                           primary;   /* the home of the one that
                                                     is, if it moves; 0: not
                                                     known */
    void                              *left;      /* what dead workers have,
                                                     see _origin_left.h */
    ngx_event_t                        event;     /* grants to be collected,
                                                     failures to be told */
    ngx_event_t                        sweep;     /* idle, lifetime, min */
};


/* what a session may have left on a connection that it gives back */

#define NGX_HYPERDRIVE_ORIGIN_RESET_UNSEEN   1
#define NGX_HYPERDRIVE_ORIGIN_RESET_ALL      2

/* of <drawn>: several clients' values */
#define NGX_HYPERDRIVE_ORIGIN_ANYBODYS       ((uint64_t) -1)


/* each state is a list of the pool */

typedef enum {
    NGX_HYPERDRIVE_ORIGIN_CONNECT = 0,   /* connect() is under way */
    NGX_HYPERDRIVE_ORIGIN_HANDSHAKE,     /* TLS */
    NGX_HYPERDRIVE_ORIGIN_LOGIN,
    NGX_HYPERDRIVE_ORIGIN_IDLE,          /* last used first */
    NGX_HYPERDRIVE_ORIGIN_BUSY,          /* a session has it */
    NGX_HYPERDRIVE_ORIGIN_DRAIN,         /* the client has left, answers have
                                            not */
    NGX_HYPERDRIVE_ORIGIN_CLOSING,       /* we have said good-bye, the place
                                            is free when the peer has, too */
    NGX_HYPERDRIVE_ORIGIN_STATES
} ngx_hyperdrive_origin_state_e;


/*
 * A connection to the database.  Owned by its pool; lent to a session while
 * it is busy, which then sets the three fields at the end.
 */

struct ngx_hyperdrive_origin_s {
    ngx_queue_t                        queue;     /* the pool's, by state */
    ngx_hyperdrive_origin_state_e      state;
    ngx_hyperdrive_pool_t             *pool;
    ngx_hyperdrive_net_t               net;
    void                              *wire;      /* the protocol's end */

    ngx_pool_t                        *memory;
    ngx_log_t                          log;       /* its connection's */
    ngx_hyperdrive_origin_server_t    *server;
    ngx_stream_session_t              *balance;   /* for nginx's balancer; NULL
                                                     if it came from another
                                                     worker */
    ngx_hyperdrive_proto_login_t      *login;     /* while it logs in */
    ngx_sockaddr_t                     sockaddr;  /* of the peer */
    socklen_t                          socklen;
    uint64_t                           site;     /* a digest of that */

    /* see _origin_name.c; when its question has been answered */

    uint64_t                           home;      /* a digest of the server's
                                                     name, or, if that will not
                                                     be known, the site; 0: not
                                                     known yet */
    uint64_t                           line;      /* ...of the one that it has
                                                     if it is started anew; 0:
                                                     not known */
    ngx_msec_t                         since;     /* it runs since then */
    ngx_uint_t                         asked;     /* times */

    uint32_t                           pid;
    ngx_str_t                          key;
    uint32_t                           backend;   /* its number in shared
                                                     memory */

    ngx_hyperdrive_state_bucket_t     *bucket;    /* what it is set to while no
                                                     transaction is open */
    uint64_t                           drawn;     /* PostgreSQL: the number of
                                                     the client's connection
                                                     whose values of sequences
                                                     it may have; 0: it has
                                                     none */

    uint64_t                           stamp;     /* of what it was logged in
                                                     by */
    uint64_t                           opened;    /* orders that there were */
    ngx_uint_t                         moved;     /* conf->moved, when its
                                                     address was found among
                                                     the server's */
    ngx_msec_t                         expires;   /* end of its lifetime */
    ngx_msec_t                         used;      /* when it became idle */
    uint64_t                           born;      /* it was logged in by then,
                                                     milliseconds of the
                                                     monotonic clock */
    void                              *cancel;    /* a CancelRequest on its
                                                     way: nobody else may have
                                                     the connection */
    ngx_hyperdrive_origin_t           *target;    /* what it is there to stop,
                                                     see _origin_halt.c */
    uint64_t                           drained;   /* bytes, since the client
                                                     left */
    unsigned                           unclean:2; /* what a session has left
                                                     is taken away before it is
                                                     idle: _ORIGIN_RESET_... */
    unsigned                           extra:1;   /* ...it has no place */
    unsigned                           halting:1; /* ...it has told to stop
                                                     <target> */
    unsigned                           unknown:1; /* nobody knows what it is
                                                     set to */
    unsigned                           checking:1; /* it was asked whether it is
                                                      there, or who */
    unsigned                           naming:1;  /* ...who, and has not said
                                                     all of it */
    unsigned                           named:1;   /* <home> is final... */
    unsigned                           known:1;   /* ...and the server's name */
    unsigned                           tls_tried:1;
    unsigned                           plain_tried:1;
    unsigned                           answered:1; /* something was read on
                                                     this connection */
    unsigned                           unfit:1;   /* it works, and is not what
                                                     it should be */
    unsigned                           wrong:1;   /* it does not take writes
                                                     any more */

    /*
     * Of a client that has left: told once, NGX_OK when all that it sent has
     * been answered, NGX_ERROR when that will not be known.
     */
    void                             (*outcome)(ngx_hyperdrive_origin_t *o,
                                                void *data, ngx_int_t rc);
    void                              *outcome_data;

    void                              *data;
    void                             (*read)(ngx_hyperdrive_origin_t *o);
    void                             (*write)(ngx_hyperdrive_origin_t *o);
};


/*
 * Connections that are alike: one user, one database, one set of settings.
 * Freed by the sweep when no session and no connection is left.
 */

struct ngx_hyperdrive_pool_s {
    ngx_queue_t                        queue;     /* the upstream's */
    ngx_hyperdrive_origin_conf_t      *conf;
    ngx_str_t                          key;       /* of what follows */
    ngx_str_t                          note;      /* ...and of conf->ident */
    ngx_hyperdrive_origin_replica_t   *replica;   /* it leads to this one; NULL:
                                                     to primaries */
    ngx_str_t                          user;      /* empty: the server's;
                                                     else it logs in by... */
    ngx_str_t                          password;
    ngx_str_t                          token;     /* ...as of a client's
                                                     log-in */
    void                              *keys;      /* as server->keys */
    uint64_t                           stamp;     /* of its own password and
                                                     token, else 0 */
    ngx_str_t                          database;
    ngx_uint_t                         nparams;
    ngx_hyperdrive_proto_param_t      *params;
    unsigned                           single:1;  /* each connection is used
                                                     once and then closed */
    unsigned                           keep:1;    /* it does not give way */
    ngx_str_t                          greeting;  /* of the last log-in */
    void                              *catalog;   /* of its database, for the
                                                     sessions */
    ngx_uint_t                         refs;      /* sessions */
    ngx_hyperdrive_origin_epoch_t     *epochs;    /* of the catalog, as the
                                                     sessions see it, last used
                                                     first... */
    uint64_t                           versions[3]; /* ...while these hold */

    ngx_queue_t                        origins[NGX_HYPERDRIVE_ORIGIN_STATES];
    ngx_uint_t                         norigins[NGX_HYPERDRIVE_ORIGIN_STATES];

    ngx_queue_t                        pending;   /* a connection is under way
                                                     for each of them */
    ngx_uint_t                         npending;
    ngx_queue_t                        waiting;   /* each has a ticket */
    ngx_queue_t                        held;      /* max_user or max_db is
                                                     reached */
    ngx_queue_t                        stopped;   /* while it is paused */
    unsigned                           paused:1;
    uint64_t                           reconnect; /* connections with opened
                                                     below it go */
    u_char                             user_id[NGX_HYPERDRIVE_SHM_QUOTA_ID];
    u_char                             db_id[NGX_HYPERDRIVE_SHM_QUOTA_ID];

    /* the last attempt failed */
    ngx_uint_t                         failures;
    ngx_msec_t                         failed;    /* when */
    unsigned                           supply:1;  /* somebody pends, and his
                                                     connection has gone */
    unsigned                           tell:1;    /* ...those who wait */
    u_char                             sqlstate[6];
    u_char                             reason[512];
};


/* one who wants a connection; lives in the session */

struct ngx_hyperdrive_origin_waiter_s {
    ngx_queue_t                        queue;
    ngx_rbtree_node_t                  node;      /* by the ticket's id */
    ngx_hyperdrive_pool_t             *pool;      /* NULL: does not wait */
    uint32_t                           ticket;
    unsigned                           ticketed:1;
    unsigned                           stopped:1;
    unsigned                           counted:1; /* as one who waits */
    u_char                            *held;      /* the quota's id, or NULL */
    uint64_t                           arrival;   /* ...since then */
    ngx_msec_t                         since;
    ngx_event_t                        timer;
    ngx_connection_t                  *client;    /* for the balancer,
                                                     or NULL */
    ngx_hyperdrive_state_bucket_t     *bucket;    /* that it would like best; a
                                                     hint for this call */
    uint32_t                           where;     /* ...and at this server; 0:
                                                     at any */
    ngx_hyperdrive_origin_t           *like;      /* ...or just this one, which
                                                     may not be there any more;
                                                     or NULL */
    unsigned                           now:1;     /* it does not stand in the
                                                     queue */
    ngx_int_t                          priority;  /* in the queue:
                                                     _SHM_PRIORITY; a hint for
                                                     this call */

    void                              *data;
    void                             (*ready)(
                                          ngx_hyperdrive_origin_waiter_t *w,
                                          ngx_hyperdrive_origin_t *o);
    void                             (*failed)(
                                          ngx_hyperdrive_origin_waiter_t *w,
                                          ngx_hyperdrive_proto_error_t *err);
};


/* ngx_hyperdrive_origin_pool.c */

ngx_int_t ngx_hyperdrive_origin_init_process(ngx_cycle_t *cycle,
    ngx_hyperdrive_origin_conf_t *conf, ngx_hyperdrive_proto_ctx_t *ctx);

/*
 * What its own user logs in by; both are copied, and kept until others are
 * given.  NGX_ERROR: no memory.
 */
ngx_int_t ngx_hyperdrive_origin_credentials(ngx_hyperdrive_pool_t *pool,
    ngx_str_t *password, ngx_str_t *token);
void ngx_hyperdrive_origin_credentials_free(ngx_hyperdrive_pool_t *pool);

/*
 * Asks for a connection.  NGX_OK: *o is the caller's, busy.  NGX_AGAIN:
 * w->ready() or w->failed() will be called, once, unless _leave() is.
 * NGX_ERROR: <err> tells why.
 */
ngx_int_t ngx_hyperdrive_origin_acquire(ngx_hyperdrive_pool_t *pool,
    ngx_hyperdrive_origin_waiter_t *w, ngx_hyperdrive_origin_t **o,
    ngx_hyperdrive_proto_error_t *err);
void ngx_hyperdrive_origin_leave(ngx_hyperdrive_origin_waiter_t *w);
/* within the room: with its part of the quotas, a waiter takes a place, or a
   turn in the queue; as _acquire() */
ngx_int_t ngx_hyperdrive_origin_enter(ngx_hyperdrive_pool_t *pool,
    ngx_hyperdrive_origin_waiter_t *w, ngx_hyperdrive_proto_error_t *err);
/* ...waits for a connection of this pool that is being opened */
void ngx_hyperdrive_origin_pend(ngx_hyperdrive_pool_t *pool,
    ngx_hyperdrive_origin_waiter_t *w);

/*
 * Gives a connection back, in whatever state: one that is idle goes to the
 * next waiter or waits for one; one that still owes answers, or is in a
 * transaction, is brought to idle first (<client> is the protocol's end of
 * the client that leaves it), or closed.
 */
void ngx_hyperdrive_origin_release(ngx_hyperdrive_origin_t *o, void *client);

/* the login of an origin is over: it is idle for the first time */
void ngx_hyperdrive_origin_ready(ngx_hyperdrive_origin_t *o);
/*
 * What an origin says to those who log in: NGX_OK if one has accepted these
 * very parameters lately; <buf> has NGX_HYPERDRIVE_SHM_NOTE bytes.
 */
ngx_int_t ngx_hyperdrive_origin_greeting(ngx_hyperdrive_pool_t *pool,
    ngx_hyperdrive_state_bucket_t *bucket, u_char *buf, ngx_str_t *greeting);
/* it has just done so */
void ngx_hyperdrive_origin_greets(ngx_hyperdrive_pool_t *pool,
    ngx_hyperdrive_state_bucket_t *bucket, ngx_str_t *greeting);

/*
 * What clients of this upstream are greeted with, if the protocol has it so:
 * what the last origin has said; <buf> as above.  NGX_OK, or NGX_DECLINED.
 */
void ngx_hyperdrive_origin_introduce(ngx_hyperdrive_origin_conf_t *conf,
    ngx_str_t *greeting);
ngx_int_t ngx_hyperdrive_origin_introduced(ngx_hyperdrive_origin_conf_t *conf,
    u_char *buf, ngx_str_t *greeting);

/* it failed; the place is free already */
void ngx_hyperdrive_origin_failed(ngx_hyperdrive_pool_t *pool,
    ngx_uint_t permanent);
void ngx_hyperdrive_origin_place(ngx_hyperdrive_origin_conf_t *conf);


/* places that were granted to waiters of this worker are used */
void ngx_hyperdrive_origin_collect(ngx_hyperdrive_origin_conf_t *conf);


/* ...stands still until the pool is resumed; the caller has looked at the
   queue's length */
void ngx_hyperdrive_origin_stop(ngx_hyperdrive_pool_t *pool,
    ngx_hyperdrive_origin_waiter_t *w);


/* ngx_hyperdrive_origin_resolve.c: names that are resolved again */

ngx_int_t ngx_hyperdrive_origin_resolve_start(
    ngx_hyperdrive_origin_conf_t *conf);
/* whether the address that it leads to is its name's no more */
ngx_uint_t ngx_hyperdrive_origin_resolve_moved(ngx_hyperdrive_origin_t *o);
/* the server whose seat it is that the balancer named; NULL: an address */
ngx_hyperdrive_origin_server_t *ngx_hyperdrive_origin_resolve_seat(
    ngx_hyperdrive_origin_conf_t *conf, struct sockaddr *sockaddr,
    ngx_uint_t *seat);
/* the balancer's, with room for ours; and when the balancer has filled it */
ngx_stream_upstream_t *ngx_hyperdrive_origin_resolve_upstream(
    ngx_pool_t *memory);
void ngx_hyperdrive_origin_resolve_wrap(ngx_stream_upstream_t *upstream,
    ngx_hyperdrive_origin_t *o);


/*
 * ngx_hyperdrive_origin_check.c: connections whose other end has gone without
 * a word
 */

/* has the system tell when nobody acknowledges; the socket is connected */
void ngx_hyperdrive_origin_keepalive(ngx_hyperdrive_origin_t *o);
/* NGX_OK: it was used lately; NGX_AGAIN: it is asked first, and becomes idle
   again, or is gone, in which case somebody who pends is given another */
ngx_int_t ngx_hyperdrive_origin_check(ngx_hyperdrive_origin_t *o);
/* it has not answered in time */
void ngx_hyperdrive_origin_check_failed(ngx_hyperdrive_origin_t *o);
/* opens connections for those who pend and have none under way */
void ngx_hyperdrive_origin_supply(ngx_hyperdrive_pool_t *pool,
    ngx_uint_t max);


/* ngx_hyperdrive_origin_epoch.c */

/*
 * The epoch with these three versions, for sessions that are set as <key> says,
 * which is compared whole; NO_EPOCH: no memory.
 */
uint64_t ngx_hyperdrive_origin_epoch(ngx_hyperdrive_pool_t *pool,
    uint64_t *versions, ngx_str_t *key);
/* all of them end */
void ngx_hyperdrive_origin_epoch_end(ngx_hyperdrive_pool_t *pool);


/* ngx_hyperdrive_origin_pools.c */

/* the pool for this user, database and parameters; NULL: no memory */
ngx_hyperdrive_pool_t *ngx_hyperdrive_origin_pool(
    ngx_hyperdrive_origin_conf_t *conf, ngx_str_t *user, ngx_str_t *database,
    ngx_uint_t nparams, ngx_hyperdrive_proto_param_t *params);

/* ...at one replica */
ngx_hyperdrive_pool_t *ngx_hyperdrive_origin_pool_at(
    ngx_hyperdrive_origin_conf_t *conf,
    ngx_hyperdrive_origin_replica_t *replica, ngx_str_t *user,
    ngx_str_t *database, ngx_uint_t nparams,
    ngx_hyperdrive_proto_param_t *params);

/* ngx_hyperdrive_origin_suit.c */

/* the idle connection that was used last, or suits best; NULL: there is none */
ngx_hyperdrive_origin_t *ngx_hyperdrive_origin_suit(
    ngx_hyperdrive_pool_t *pool, ngx_hyperdrive_origin_waiter_t *w);


/* ngx_hyperdrive_origin_name.c */

/* set once, by the session room: it is known which server <o> leads to */
extern void  (*ngx_hyperdrive_origin_found)(ngx_hyperdrive_origin_t *o);
/*
 * Before a connection is used: asks which server that is.  NGX_OK: the question
 * is in what is sent next; NGX_DECLINED: it is known, or will not be, or this
 * is not the time; NGX_ERROR: no memory, it can only be closed.
 */
ngx_int_t ngx_hyperdrive_origin_name(ngx_hyperdrive_origin_t *o);
/* ...and sends that: it becomes idle again, or is gone */
void ngx_hyperdrive_origin_name_wait(ngx_hyperdrive_origin_t *o);
/* a piece of the answer to that */
void ngx_hyperdrive_origin_name_piece(ngx_hyperdrive_origin_t *o,
    ngx_hyperdrive_proto_piece_t *piece);
/* <home>, or before it is known that of the only server that has been seen at
   its address; 0: not known */
uint64_t ngx_hyperdrive_origin_home(ngx_hyperdrive_origin_t *o);
/* a digest of that, and of the user if its database tells nobody of other
   users' connections; 0: not known */
uint32_t ngx_hyperdrive_origin_where(ngx_hyperdrive_origin_t *o);
/* ...of the server whenever it is started; 0: not known */
uint32_t ngx_hyperdrive_origin_line(ngx_hyperdrive_origin_t *o);

/*
 * ngx_hyperdrive_origin_order.c: for whoever operates, over all processes;
 * <database> may be empty.  As the functions of shm that are behind them,
 * ngx_hyperdrive_shm_order_next() tells how far they are carried out.
 */

ngx_int_t ngx_hyperdrive_origin_pause(ngx_hyperdrive_shm_limit_t *limit,
    ngx_str_t *database, ngx_msec_t time);
ngx_int_t ngx_hyperdrive_origin_resume(ngx_hyperdrive_shm_limit_t *limit,
    ngx_str_t *database);
ngx_int_t ngx_hyperdrive_origin_reconnect(ngx_hyperdrive_shm_limit_t *limit,
    ngx_str_t *database);
ngx_int_t ngx_hyperdrive_origin_kill(ngx_str_t *upstream, ngx_str_t *database,
    ngx_str_t *user);
/* what was made of a table is given up, by whoever knows what that is */
ngx_int_t ngx_hyperdrive_origin_purge(ngx_str_t *table, ngx_str_t *database);

/* set once: has a process, or this one, look at what was ordered */
extern void  (*ngx_hyperdrive_origin_wake)(ngx_uint_t slot);

/* carries out what this process has not yet */
void ngx_hyperdrive_origin_orders(ngx_hyperdrive_origin_conf_t *conf);
/* why an idle connection shall not be used any more; NULL: it may be */
char *ngx_hyperdrive_origin_retire(ngx_hyperdrive_origin_t *o);


/* ngx_hyperdrive_origin_quota.c */

ngx_int_t ngx_hyperdrive_origin_quota_init(ngx_hyperdrive_pool_t *pool);
/* one more connection of this pool, for who has come then: NULL, or the id of
   what is used up, or whose turn it is not */
u_char *ngx_hyperdrive_origin_quota_take(ngx_hyperdrive_pool_t *pool,
    uint64_t arrival);
void ngx_hyperdrive_origin_quota_give(ngx_hyperdrive_pool_t *pool);
/* ...and a place for it: NGX_OK, or NGX_DECLINED */
ngx_int_t ngx_hyperdrive_origin_quota_place(ngx_hyperdrive_pool_t *pool);
/* what its connections are called by in shared memory; 0: by nothing */
uint32_t ngx_hyperdrive_origin_quota_backend(ngx_hyperdrive_pool_t *pool);
/*
 * A connection goes from process to process, whose configurations may have
 * other quotas: it comes with the parts that it had.  _taken(): it has those
 * that count here, NGX_DECLINED: and there are more than may be; without a pool
 * it has none any more.
 */
typedef struct {
    ngx_uint_t                         user;      /* it has a part of it */
    ngx_uint_t                         db;
    u_char                             user_id[NGX_HYPERDRIVE_SHM_QUOTA_ID];
    u_char                             db_id[NGX_HYPERDRIVE_SHM_QUOTA_ID];
} ngx_hyperdrive_origin_quota_t;

void ngx_hyperdrive_origin_quota_pass(ngx_hyperdrive_pool_t *pool,
    ngx_uint_t from, ngx_uint_t to);
void ngx_hyperdrive_origin_quota_parts(ngx_hyperdrive_pool_t *pool,
    ngx_hyperdrive_origin_quota_t *parts);
ngx_int_t ngx_hyperdrive_origin_quota_taken(ngx_hyperdrive_pool_t *pool,
    uint32_t backend, ngx_hyperdrive_origin_quota_t *parts);
/* a waiter is held back, and looked for connections that may give way */
void ngx_hyperdrive_origin_quota_hold(ngx_hyperdrive_pool_t *pool,
    ngx_hyperdrive_origin_waiter_t *w, u_char *id);
/* ...is not any more, and off the pool's list */
void ngx_hyperdrive_origin_quota_unhold(ngx_hyperdrive_origin_waiter_t *w);
/* closes an idle connection of another pool that has a part of this quota */
ngx_uint_t ngx_hyperdrive_origin_quota_yield(ngx_hyperdrive_pool_t *pool,
    u_char *id);
/* ...another worker asks for one that a waiter of <pool> could replace */
void ngx_hyperdrive_origin_quota_asked(ngx_hyperdrive_pool_t *pool);
/* who was held back goes on, as far as the quotas let them */
void ngx_hyperdrive_origin_quota_retry(ngx_hyperdrive_origin_conf_t *conf);
/*
 * An idle connection goes to who was held back first.  NGX_OK: that is *w, of
 * its own pool; NGX_DONE: it is gone; NGX_DECLINED: nobody is held back.
 */
ngx_int_t ngx_hyperdrive_origin_quota_idle(ngx_hyperdrive_origin_t *o,
    ngx_hyperdrive_origin_waiter_t **w);


/* ngx_hyperdrive_origin_ask.c */

/*
 * Set once, by the session room: sends ahead what puts a connection into the
 * bucket.  NGX_OK; NGX_DECLINED: nothing was to be sent; NGX_ERROR.
 */
extern ngx_int_t  (*ngx_hyperdrive_origin_align)(ngx_hyperdrive_origin_t *o,
    ngx_hyperdrive_state_bucket_t *bucket);


/* ngx_hyperdrive_origin_work.c */

/* idle connections of this worker to another primary than conf->primary are
   closed */
void ngx_hyperdrive_origin_moved(ngx_hyperdrive_origin_conf_t *conf);
/* an idle connection that is of no use to <pool>'s waiters gives way */
void ngx_hyperdrive_origin_make_room(ngx_hyperdrive_pool_t *pool);
/*
 * Closes the idle connection that was not used for longest, in any pool of
 * the upstream but <except>; false: there is none.
 */
ngx_uint_t ngx_hyperdrive_origin_close_idle(
    ngx_hyperdrive_origin_conf_t *conf, ngx_hyperdrive_pool_t *except,
    char *reason);


/* what is done now and then: idle time, lifetime, min */
void ngx_hyperdrive_origin_work_start(ngx_hyperdrive_origin_conf_t *conf);
/* the upstream of this name, or NULL */
ngx_hyperdrive_origin_conf_t *ngx_hyperdrive_origin_conf(ngx_array_t *confs,
    u_char *name, size_t len);
/* a message of another worker */
void ngx_hyperdrive_origin_message(ngx_array_t *confs, ngx_uint_t from,
    ngx_uint_t type, u_char *data, size_t len, ngx_socket_t fd);


/* ngx_hyperdrive_origin.c */

/* milliseconds of the monotonic clock, and one more */
uint64_t ngx_hyperdrive_origin_clock(void);
/* opens a connection; its place has been taken.  The end is told by _ready()
   or _failed() */
void ngx_hyperdrive_origin_open(ngx_hyperdrive_pool_t *pool,
    ngx_connection_t *client);
void ngx_hyperdrive_origin_connect(ngx_hyperdrive_origin_t *o);
void ngx_hyperdrive_origin_set_state(ngx_hyperdrive_origin_t *o,
    ngx_hyperdrive_origin_state_e state);
/* its state's name, for logs */
ngx_str_t *ngx_hyperdrive_origin_state(ngx_hyperdrive_origin_t *o);
/* politely, if it can be; the place is free when the database has let go */
void ngx_hyperdrive_origin_close(ngx_hyperdrive_origin_t *o, char *reason);
/* the handlers of a connection that no session has */
void ngx_hyperdrive_origin_own(ngx_hyperdrive_origin_t *o);
/* frees it without a word to the database, and without its place */
void ngx_hyperdrive_origin_free(ngx_hyperdrive_origin_t *o);
/* its socket is closed, whatever the database thinks of it */
void ngx_hyperdrive_origin_disconnect(ngx_hyperdrive_origin_t *o);
/* the database has let go of it: frees it, and its place */
void ngx_hyperdrive_origin_finalize(ngx_hyperdrive_origin_t *o);
/* it is idle: to the one whose turn it is */
void ngx_hyperdrive_origin_idle(ngx_hyperdrive_origin_t *o);
/* tells who wants to know whether all has been answered: NGX_OK, NGX_ERROR */
void ngx_hyperdrive_origin_outcome(ngx_hyperdrive_origin_t *o, ngx_int_t rc);


/* ngx_hyperdrive_origin_login.c */

/* what a server's URL says of a log-in, behind what <login> has already */
void ngx_hyperdrive_origin_login_params(ngx_hyperdrive_proto_login_t *login,
    ngx_hyperdrive_origin_server_t *server);
/* of what a connection to its server would be logged in by now */
uint64_t ngx_hyperdrive_origin_stamp(ngx_hyperdrive_origin_t *o);
/* it is connected: TLS and log-in, ends in _ready() or _refused() */
void ngx_hyperdrive_origin_login_start(ngx_hyperdrive_origin_t *o);
void ngx_hyperdrive_origin_login_read(ngx_hyperdrive_origin_t *o);
/* what is needed for a log-in only is wiped and freed */
void ngx_hyperdrive_origin_login_end(ngx_hyperdrive_origin_t *o);
/*
 * This attempt came to nothing: goes on with the next server of the upstream,
 * or frees <o> and tells the waiters.  <err> may be 0.
 */
void ngx_hyperdrive_origin_refused(ngx_hyperdrive_origin_t *o, ngx_err_t err,
    char *reason);


/* ngx_hyperdrive_origin_cancel.c */

/*
 * Asks the database to stop what it does, on a connection of its own; once at
 * a time.  Until the end nobody else may have the connection.
 */
void ngx_hyperdrive_origin_cancel(ngx_hyperdrive_origin_t *o);
/* <o> goes away, the request goes on */
void ngx_hyperdrive_origin_cancel_forget(ngx_hyperdrive_origin_t *o);
/* it has been cancelled, or that has failed: it may go on */
void ngx_hyperdrive_origin_cancel_done(ngx_hyperdrive_origin_t *o);


/* ngx_hyperdrive_origin_halt.c */

/* as _cancel(), where that takes a log-in */
void ngx_hyperdrive_origin_halt(ngx_hyperdrive_origin_t *o);
/* the log-in is over */
void ngx_hyperdrive_origin_halt_ready(ngx_hyperdrive_origin_t *o);
/* it came to nothing, or has done what it was there for: <o> is gone */
void ngx_hyperdrive_origin_halt_end(ngx_hyperdrive_origin_t *o);


/* ngx_hyperdrive_origin_drain.c */

/*
 * This worker leaves: connections that its clients do not need, <all>: nor
 * anybody, go to those who stay, or are closed.  Returns how many are left, in
 * whatever state.
 */
ngx_uint_t ngx_hyperdrive_origin_drain(ngx_array_t *confs, ngx_uint_t all);
/*
 * ...and ends: sockets are closed whatever the database thinks of it, and those
 * who stay ask it.  Returns how many are left, which are being asked something.
 */
ngx_uint_t ngx_hyperdrive_origin_drain_leave(ngx_array_t *confs);
/*
 * The last thing of a worker that leaves: what has come to a question of our
 * own since, for which no worker stays.
 */
void ngx_hyperdrive_origin_drain_exit(ngx_array_t *confs);
/* one that is idle; it may be gone afterwards */
void ngx_hyperdrive_origin_drain_idle(ngx_hyperdrive_origin_t *o,
    ngx_uint_t all);


/* ngx_hyperdrive_origin_pass.c */

/*
 * Hands an idle connection with its socket to another worker.  NGX_OK: <o> is
 * gone; NGX_AGAIN: not at the moment; NGX_DECLINED: it cannot be passed, for
 * instance because of TLS.
 */
ngx_int_t ngx_hyperdrive_origin_pass(ngx_hyperdrive_origin_t *o,
    ngx_uint_t slot);
/* the pool of this key, which another worker has sent; NULL: of none here */
ngx_hyperdrive_pool_t *ngx_hyperdrive_origin_pass_pool(ngx_array_t *confs,
    u_char *key, size_t len);
/* the other end */
void ngx_hyperdrive_origin_take(ngx_array_t *confs, u_char *data, size_t len,
    ngx_socket_t fd);
/* ...of one that was passed to <slot>, whose process is gone */
void ngx_hyperdrive_origin_adopt(ngx_array_t *confs, ngx_uint_t slot,
    u_char *data, size_t len, ngx_socket_t fd);


/* ngx_hyperdrive_origin_balance.c */

/* asks nginx's balancer of the upstream; NGX_OK, NGX_ERROR */
ngx_int_t ngx_hyperdrive_origin_balance(ngx_hyperdrive_origin_t *o,
    ngx_connection_t *client);
/* a digest of an address, not 0 */
uint64_t ngx_hyperdrive_origin_site(struct sockaddr *sockaddr,
    socklen_t socklen);
/* the server that has the address which the balancer named */
ngx_hyperdrive_origin_server_t *ngx_hyperdrive_origin_server(
    ngx_hyperdrive_origin_conf_t *conf, struct sockaddr *sockaddr,
    socklen_t socklen);

/*
 * A turn of one replica, as the balancer of the replicas sees it: from
 * _choose() to _chosen().
 */
typedef struct {
    ngx_pool_t                        *memory;    /* NULL: there is none */
    ngx_stream_session_t              *balance;
    ngx_hyperdrive_origin_replica_t   *replica;
} ngx_hyperdrive_origin_choice_t;

/*
 * One that <suits>, which gets its number in conf->replicas.  NGX_DECLINED: no
 * one does that is up; NGX_ERROR: no memory.
 */
ngx_int_t ngx_hyperdrive_origin_choose(ngx_hyperdrive_origin_conf_t *conf,
    ngx_connection_t *client,
    ngx_uint_t (*suits)(void *data, ngx_uint_t replica), void *data,
    ngx_hyperdrive_origin_choice_t *choice);
void ngx_hyperdrive_origin_chosen(ngx_hyperdrive_origin_choice_t *choice,
    ngx_uint_t failed);
/* tells the balancer that it is over */
void ngx_hyperdrive_origin_unbalance(ngx_hyperdrive_origin_t *o,
    ngx_uint_t failed);


/* ngx_hyperdrive_origin_tls.c */

ngx_int_t ngx_hyperdrive_origin_tls_start(
    ngx_hyperdrive_origin_server_t *server, ngx_connection_t *c,
    ngx_connection_handler_pt handler);
/* before it: whom we want to talk to */
ngx_int_t ngx_hyperdrive_origin_tls_name(
    ngx_hyperdrive_origin_server_t *server, ngx_ssl_conn_t *conn);
/* after the handshake: checks what sslmode demands; NULL or what is wrong, and
   in <message> how, if there is more to be said */
char *ngx_hyperdrive_origin_tls_verify(ngx_hyperdrive_origin_server_t *server,
    ngx_connection_t *c, u_char *message, size_t size);
/* the certificate's digest for channel binding (RFC 5929); <out> has 64 bytes.
   <own>: the one that we have sent; else the peer's */
size_t ngx_hyperdrive_origin_tls_cert_hash(ngx_connection_t *c,
    ngx_uint_t own, u_char *out);


/* as proto->answer(), whoever has it: what says its name is taken out */

static ngx_inline ngx_int_t
ngx_hyperdrive_origin_answer(ngx_hyperdrive_origin_t *o, void *client,
    ngx_uint_t apart, ngx_hyperdrive_chain_t *reply,
    ngx_hyperdrive_proto_piece_t *piece)
{
    ngx_int_t  rc;

    for ( ;; ) {
        rc = o->pool->conf->proto->answer(client, o->wire, &o->net.pos,
                                          o->net.last, apart, reply, piece);

        if (rc != NGX_OK || piece->tag != NGX_HYPERDRIVE_PROTO_TAG_NAME
            || piece->fatal)
        {
            return rc;
        }

        ngx_hyperdrive_origin_name_piece(o, piece);
    }
}


#endif /* _NGX_HYPERDRIVE_ORIGIN_H_INCLUDED_ */
