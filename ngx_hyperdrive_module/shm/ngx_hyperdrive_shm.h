
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_SHM_H_INCLUDED_
#define _NGX_HYPERDRIVE_SHM_H_INCLUDED_


#include "ngx_hyperdrive.h"


/*
 * The runtime zone: what all workers, of all generations, know together.
 * One zone of constant size ("hyperdrive:runtime"), kept over reloads.
 *
 *   slots     one a process: who is alive, and its counters
 *   limits    one an upstream: how many places there are, who waits
 *   clients   which process has a client, by the number that it was told
 *   notes     small values by key: what origins told us at log-in
 *
 * It is a plain memory area: ngx_hyperdrive_shm_attach() makes one of any
 * shared memory of ngx_hyperdrive_shm_size() bytes, without nginx around.
 */


/* reasons that a session may keep its connection for */
#define NGX_HYPERDRIVE_SHM_PINS         17


/* counters of one worker for one upstream; written by that worker only */

typedef struct {
    uint64_t    clients;            /* gauge: logged-in sessions */
    uint64_t    clients_total;
    uint64_t    login_failed;
    uint64_t    origins_idle;       /* gauges: connections by state */
    uint64_t    origins_busy;
    uint64_t    origins_login;
    uint64_t    origins_closing;
    uint64_t    origins_opened;
    uint64_t    origins_failed;
    uint64_t    waiting;            /* gauge: sessions in the queue */
    uint64_t    wait_total;
    uint64_t    wait_msec;
    uint64_t    wait_timeout;
    uint64_t    queue_full;
    uint64_t    queries;            /* units that asked for an answer */
    uint64_t    transactions;       /* times a connection was handed back */
    uint64_t    hits;
    uint64_t    misses;
    uint64_t    stale;              /* hits behind max_age */
    uint64_t    error_stale;        /* hits because there was no origin */
    uint64_t    coalescing;         /* gauge: sessions that wait for what
                                       another one fetches */
    uint64_t    coalesced;          /* hits that another session fetched while
                                       they waited */
    uint64_t    coalesce_timeout;   /* misses that have waited in vain */
    uint64_t    invalidated;        /* entries met that were written to */
    uint64_t    written;            /* misses while somebody writes */
    uint64_t    stored;
    uint64_t    refreshed;          /* in the background */
    uint64_t    verified;           /* hits compared with the database */
    uint64_t    verify_failed;
    uint64_t    oversized;          /* answers larger than max_size */
    uint64_t    uncacheable[16];    /* by ngx_hyperdrive_sql_reason_e; [15]:
                                       inside a transaction */
    uint64_t    catalogs;           /* gauge: databases that are known */
    uint64_t    catalog_reads;
    uint64_t    catalog_failed;
    uint64_t    catalog_waits;      /* sessions that one was waited for by */
    uint64_t    deferred;           /* BEGIN and its end, answered by us */
    uint64_t    aligned;            /* settings sent ahead of a unit */
    uint64_t    pinned;             /* gauge: sessions tied to an origin */
    uint64_t    pinned_total;
    uint64_t    pins[NGX_HYPERDRIVE_SHM_PINS];    /* gauges: by reason, a
                                       session may have several */
    uint64_t    pins_total[NGX_HYPERDRIVE_SHM_PINS];
    uint64_t    errors;             /* ErrorResponses that were passed on */
    uint64_t    errors_own;         /* made up by us */
    uint64_t    timeouts;           /* of hyperdrive_timeout */
    uint64_t    policy_runs;        /* times that Lua was entered */
    uint64_t    policy_errors;      /* in it, or in a rule */
    uint64_t    policy_rejected;    /* statements */
    uint64_t    replica_reads;      /* answered by a replica */
    uint64_t    replica_behind;     /* reads for the primary: no replica was
                                       known to have what was written */
    uint64_t    replica_fallback;   /* ...one was asked, and did not answer */
    uint64_t    primary_changed;
    uint64_t    mirrored;           /* copies sent elsewhere */
    uint64_t    mirror_dropped;     /* ...not sent: no connection was free */
    uint64_t    bytes_from_clients;
    uint64_t    bytes_to_clients;
    uint64_t    bytes_from_origins;
    uint64_t    bytes_to_origins;
} ngx_hyperdrive_shm_counters_t;


/* upstreams that the zone can count */
#define NGX_HYPERDRIVE_SHM_LIMITS       64

/* tickets (waiting sessions) over all upstreams */
#define NGX_HYPERDRIVE_SHM_TICKETS      32768

/* the length of an upstream's name, a note's key, a note */
#define NGX_HYPERDRIVE_SHM_NAME         64
#define NGX_HYPERDRIVE_SHM_NOTE_KEY     512
#define NGX_HYPERDRIVE_SHM_NOTE         2048
#define NGX_HYPERDRIVE_SHM_NOTES        1024


typedef struct ngx_hyperdrive_shm_limit_s  ngx_hyperdrive_shm_limit_t;


/*
 * Declares the zone; the same one however often it is called.  <names> of
 * ngx_str_t are those of the upstreams.
 */
ngx_shm_zone_t *ngx_hyperdrive_shm_zone(ngx_conf_t *cf, ngx_array_t *names,
    void *tag);

/* the zone of the same name and use in the configuration that runs, or NULL */
ngx_shm_zone_t *ngx_hyperdrive_shm_zone_old(ngx_conf_t *cf,
    ngx_shm_zone_t *zone);

/*
 * In init of a zone that is one piece of memory.  NGX_OK: it is there, and
 * zone->data; NGX_DECLINED: it has to be laid out.
 */
ngx_int_t ngx_hyperdrive_shm_zone_kept(ngx_shm_zone_t *zone, void *data);

/*
 * Whether so many processes of a new configuration, with upstreams of these
 * names, have room beside those that are there; logs what is wrong.
 */
ngx_int_t ngx_hyperdrive_shm_room(ngx_array_t *names, ngx_uint_t processes,
    ngx_log_t *log);

/*
 * Uses <mem>, page aligned, from now on; <fresh>: zeroes that are laid out
 * first.  NGX_ERROR: too small, or laid out by another version of this code.
 */
size_t ngx_hyperdrive_shm_size(void);
ngx_int_t ngx_hyperdrive_shm_attach(void *mem, size_t size, ngx_uint_t fresh);

/*
 * In init_module (master, before workers start): raises the generation and
 * forgets nothing.  In init_process: takes a free slot for this process,
 * after reclaiming those of dead processes (pid and start time).
 * ngx_hyperdrive_shm_slot is this process's number afterwards, and
 * NGX_HYPERDRIVE_SLOTS before and after exit_process.  Whoever runs
 * init_process runs reclaim_places() soon after, for what it reclaimed.
 * Not for the cache manager and loader, which call init_process hooks too.
 */
ngx_int_t ngx_hyperdrive_shm_init_module(ngx_shm_zone_t *zone, ngx_log_t *log);
ngx_int_t ngx_hyperdrive_shm_init_process(ngx_shm_zone_t *zone,
    ngx_log_t *log);
void ngx_hyperdrive_shm_exit_process(void);

extern ngx_uint_t  ngx_hyperdrive_shm_slot;

/*
 * How many configurations there have been, and the one that this process
 * began with: if they differ, this is a reload, else nginx stops.
 */
ngx_uint_t ngx_hyperdrive_shm_generation(void);
ngx_uint_t ngx_hyperdrive_shm_own_generation(void);
/* how long ago there was another one, milliseconds; 0: there was none */
ngx_msec_t ngx_hyperdrive_shm_renewed(void);

/* 32 random bytes of this installation, equal in all workers */
u_char *ngx_hyperdrive_shm_secret(void);

/* the next number of one shared counter: names of prepared statements */
uint64_t ngx_hyperdrive_shm_next_id(void);


/*
 * Limits.  A place is the right to have one connection to the database open;
 * it is taken before connect() and given back when the database's FIN has
 * been read.  Waiters stand in one list over all workers: a place that frees
 * goes to the head of it, a newcomer gets one only if nobody waits.
 */

/*
 * The limit of the upstream <name>, made on first use; called in
 * init_process.  <max> applies from now on, for all.  NULL: table full.
 */
ngx_hyperdrive_shm_limit_t *ngx_hyperdrive_shm_limit(ngx_str_t *name,
    ngx_uint_t max, ngx_uint_t queue, ngx_log_t *log);

/* this worker's counters for the upstream; never NULL */
ngx_hyperdrive_shm_counters_t *ngx_hyperdrive_shm_counters(
    ngx_hyperdrive_shm_limit_t *limit);

/*
 * Copies the counters of all slots, and behind them, as the last one, the
 * totals of processes that are gone: NGX_HYPERDRIVE_SLOTS + 1 in all.
 * Takes no lock.
 */
/* one gauge, by its offset, over all processes */
ngx_uint_t ngx_hyperdrive_shm_counters_sum(ngx_hyperdrive_shm_limit_t *limit,
    size_t offset);
void ngx_hyperdrive_shm_counters_read(ngx_hyperdrive_shm_limit_t *limit,
    ngx_hyperdrive_shm_counters_t *counters);

/* true if anybody waits, on any worker; a plain read, no lock */
ngx_uint_t ngx_hyperdrive_shm_limit_waiting(ngx_hyperdrive_shm_limit_t *limit);

/*
 * NGX_OK: a place was taken, nobody waits.  NGX_DECLINED: there is none, or
 * somebody waits.  Without a place, or with a waiter, it takes no lock.
 */
ngx_int_t ngx_hyperdrive_shm_limit_take(ngx_hyperdrive_shm_limit_t *limit);

/* of waiters: -MAX to MAX, greater ones first */
#define NGX_HYPERDRIVE_SHM_PRIORITY         10
/* places in the list that one step is worth */
#define NGX_HYPERDRIVE_SHM_PRIORITY_STEP    16

/*
 * Puts a waiter at the end of the list, or so far from it as <priority> says:
 * as if it had come so much sooner, so nobody is overtaken for ever.  <id> is
 * the session's own number in this worker, given back on the grant.  NGX_OK:
 * *ticket is set; if a place is free and the list was empty, it is granted at
 * once (as by _give()), so look for grants.  NGX_BUSY: the queue is full.  A
 * ticket is never 0.
 */
ngx_int_t ngx_hyperdrive_shm_limit_wait(ngx_hyperdrive_shm_limit_t *limit,
    uint64_t id, ngx_int_t priority, uint32_t *ticket);

/*
 * A waiter leaves.  NGX_OK: it was still waiting.  NGX_DONE: it had been
 * granted a place, which is now the caller's to use or to give back.
 * NGX_DECLINED: there is no such ticket any more, nothing has changed.
 */
ngx_int_t ngx_hyperdrive_shm_limit_leave(ngx_hyperdrive_shm_limit_t *limit,
    uint32_t ticket);

/*
 * Gives one place of this worker back.  If somebody waits, the head of the
 * list is granted it (its slot now owns the place) and *slot is that worker,
 * which has to be woken unless it is this one; NGX_OK.  NGX_DECLINED: nobody
 * waited.
 */
ngx_int_t ngx_hyperdrive_shm_limit_give(ngx_hyperdrive_shm_limit_t *limit,
    ngx_uint_t *slot);

/*
 * The head of the list, without changing it: whose turn is next.  NGX_OK:
 * *slot and *id are set.  NGX_DECLINED: nobody waits.
 */
ngx_int_t ngx_hyperdrive_shm_limit_head(ngx_hyperdrive_shm_limit_t *limit,
    ngx_uint_t *slot, uint64_t *id);

/*
 * The head of the list is a waiter <id> of this worker and is served by a
 * connection that this worker has already: takes the ticket off the list.
 * NGX_OK, or NGX_DECLINED if it is not the head any more.
 */
ngx_int_t ngx_hyperdrive_shm_limit_serve(ngx_hyperdrive_shm_limit_t *limit,
    uint32_t ticket);

/* how many connections there are above the limit, those that are being closed
   excepted; a plain read where there are none */
ngx_uint_t ngx_hyperdrive_shm_limit_over(ngx_hyperdrive_shm_limit_t *limit);

/*
 * Collects the next grant of this worker: NGX_OK, *id is the session, its
 * ticket is gone and the place is its own.  NGX_DECLINED: none left.  Called
 * until then whenever the worker has been woken.
 */
ngx_int_t ngx_hyperdrive_shm_limit_granted(ngx_hyperdrive_shm_limit_t *limit,
    uint64_t *id);

/*
 * One place goes from process <from> to process <to>, with the connection that
 * it stands for; either may be this one.  NGX_OK; NGX_DECLINED: <from> has
 * none, or <to> does not use the limit: nothing has changed.
 */
ngx_int_t ngx_hyperdrive_shm_limit_pass(ngx_hyperdrive_shm_limit_t *limit,
    ngx_uint_t from, ngx_uint_t to);

/*
 * Idle connections are places that others may want: each worker says how many
 * it has, and is asked to give one up while somebody waits elsewhere.
 * _idle() adds <delta> to this worker's number.  _find_idle() returns a
 * worker that has one (NGX_OK, *slot), not this one if another has.
 */
void ngx_hyperdrive_shm_limit_idle(ngx_hyperdrive_shm_limit_t *limit,
    ngx_int_t delta);
ngx_int_t ngx_hyperdrive_shm_limit_find_idle(
    ngx_hyperdrive_shm_limit_t *limit, ngx_uint_t *slot);

/* somebody asks for what he has drawn from sequences */
void ngx_hyperdrive_shm_limit_recall(ngx_hyperdrive_shm_limit_t *limit);
/*
 * Whether it is worth while to prepare for such a question: somebody has asked,
 * or it has not been prepared for often enough to believe that nobody does.
 */
ngx_uint_t ngx_hyperdrive_shm_limit_recalled(
    ngx_hyperdrive_shm_limit_t *limit);

typedef struct {
    ngx_str_t    name;
    ngx_uint_t   max;
    ngx_uint_t   used;
    ngx_uint_t   waiting;
    ngx_uint_t   idle;
    ngx_uint_t   dead;          /* places of dead workers, not yet free */
    ngx_uint_t   slots[NGX_HYPERDRIVE_SLOTS];   /* places by slot, grants
                                                   included */
} ngx_hyperdrive_shm_limit_stats_t;

/* used is the sum of slots and dead; takes no lock */
void ngx_hyperdrive_shm_limit_stats(ngx_hyperdrive_shm_limit_t *limit,
    ngx_hyperdrive_shm_limit_stats_t *stats);


/*
 * Connections that have a place, by the numbers that their databases know them
 * by: so that, when a worker has died, others can ask which of them are there
 * yet.  _add(): a place was taken for one of a pool with this key, which is
 * about to be opened; 0: there are too many.  <user_id>, <db_id>: quotas in
 * which it counts, or NULL.  _known(): it has logged in, and is about to be
 * used, or <where> it leads is known, a digest of the server, and a digest of
 * what that is called whenever it is started; 0: not known yet.  _remove(): it
 * is gone; its place is given back behind that.  _pass(): it goes to the
 * process of <slot>, with its place.  _adopt(): one that a dead process of
 * <slot> has left becomes this process's, with its place and its parts of
 * quotas; NGX_DECLINED: it has none, or there is no such connection.
 * _counts(): other quotas than when it was opened.
 */
#define NGX_HYPERDRIVE_SHM_BACKENDS     4096
#define NGX_HYPERDRIVE_SHM_BACKEND_KEY  512

uint32_t ngx_hyperdrive_shm_backend_add(ngx_hyperdrive_shm_limit_t *limit,
    ngx_str_t *key, u_char *user_id, u_char *db_id);
void ngx_hyperdrive_shm_backend_known(uint32_t backend, uint32_t pid,
    uint32_t where, uint32_t line);
void ngx_hyperdrive_shm_backend_remove(uint32_t backend);
void ngx_hyperdrive_shm_backend_pass(uint32_t backend, ngx_uint_t slot);
ngx_int_t ngx_hyperdrive_shm_backend_adopt(ngx_hyperdrive_shm_limit_t *limit,
    uint32_t backend, ngx_uint_t slot);
void ngx_hyperdrive_shm_backend_counts(uint32_t backend, u_char *user_id,
    u_char *db_id);

/*
 * Digests of addresses, of the servers that have answered there, and of what
 * those are called whenever they are started (0: not known).  _seen(): one has.
 * NGX_OK: it was the same one at all times, or was started anew; NGX_DECLINED:
 * there were several, or none, or nobody remembers.
 */
void ngx_hyperdrive_shm_site_seen(uint64_t site, uint64_t home, uint64_t line);
ngx_int_t ngx_hyperdrive_shm_site(uint64_t site, uint64_t *home,
    uint64_t *line);

/*
 * What dead workers have left of a limit.  One process at a time has the
 * _care() of it (NGX_OK), until it ends, or _uncare().  _next() tells of one
 * after the other, from *i on, which is 0 to begin with: NGX_DECLINED, no more.
 * _seen(): the database has it; _gone(): it has not, the place is free, and
 * who waits is woken.
 */
typedef struct {
    uint32_t     backend;
    uint32_t     pid;           /* 0: it was being opened */
    uint32_t     where;
    uint32_t     line;
    ngx_msec_t   age;           /* since the death of its worker... */
    ngx_msec_t   opened;        /* ...since it was about to be opened */
    ngx_msec_t   known;         /* ...since it had logged in, if it had */
    ngx_str_t    key;           /* within the zone */
} ngx_hyperdrive_shm_backend_t;

ngx_int_t ngx_hyperdrive_shm_backend_care(ngx_hyperdrive_shm_limit_t *limit);
void ngx_hyperdrive_shm_backend_uncare(ngx_hyperdrive_shm_limit_t *limit);
ngx_int_t ngx_hyperdrive_shm_backend_next(ngx_hyperdrive_shm_limit_t *limit,
    ngx_uint_t *i, ngx_hyperdrive_shm_backend_t *backend);
void ngx_hyperdrive_shm_backend_seen(uint32_t backend);
typedef void (*ngx_hyperdrive_shm_wake_pt)(ngx_uint_t slot);
void ngx_hyperdrive_shm_backend_gone(ngx_hyperdrive_shm_limit_t *limit,
    uint32_t backend, ngx_hyperdrive_shm_wake_pt wake);

/* a connection that nobody could ask about is taken for gone, milliseconds */
#define NGX_HYPERDRIVE_SHM_LOST         30000


/*
 * A worker's death.  Reclaims all that the slot held: its tickets, its grants
 * (granted on), its idle numbers.  Places with a connection are free when that
 * is _gone(), or was asked about in vain for _SHM_LOST; others, which were
 * about to be used, after <delay> milliseconds.  If somebody waits, one that
 * nobody has asked about for _SHM_LEND is lent to the head of the list, who is
 * about to ask: so one place may be used twice, until he has.  Those
 * whose time is over are freed by _reclaim_places(), which returns how many
 * and wakes as _give() does, through <wake>, this worker too.
 *
 * _reclaim() does nothing if the slot is free, or its process alive: it may
 * be called by everyone who hears of a death.  _reclaim_places() also grants
 * what is free while somebody waits: after a limit was raised, after a grant
 * was taken from a dead worker, or after a worker died between freeing a
 * place and granting it.  So it is called after each _reclaim(), after
 * _limit() in init_process, and by a (cancelable) timer.
 */
#define NGX_HYPERDRIVE_SHM_LEND         250
#define NGX_HYPERDRIVE_SHM_LEND_AGAIN   1000

void ngx_hyperdrive_shm_reclaim(ngx_uint_t slot);
ngx_uint_t ngx_hyperdrive_shm_reclaim_places(ngx_msec_t delay,
    ngx_hyperdrive_shm_wake_pt wake);

/*
 * NGX_OK: <slot> is taken by a process: *pid.  A plain read: the process may
 * be dead and not yet reclaimed, which _slot_alive() finds out.
 */
ngx_int_t ngx_hyperdrive_shm_slot_pid(ngx_uint_t slot, ngx_pid_t *pid);
ngx_uint_t ngx_hyperdrive_shm_slot_alive(ngx_uint_t slot);

/*
 * Unless a process has <slot>: calls <handler>, and none takes it meanwhile.
 * What it had has not been given to another one then.
 */
void ngx_hyperdrive_shm_slot_vacant(ngx_uint_t slot,
    void (*handler)(ngx_uint_t slot));

/* the generation that the process of <slot> began with */
ngx_uint_t ngx_hyperdrive_shm_slot_generation(ngx_uint_t slot);

/*
 * This process leaves, and takes over nothing any more.  _heir(): who takes
 * over from it, each time another one.  NGX_OK: *slot; NGX_AGAIN: there is a
 * newer configuration, but none of its processes has begun; NGX_DECLINED:
 * nobody, all leave.
 */
void ngx_hyperdrive_shm_leave(void);
ngx_int_t ngx_hyperdrive_shm_heir(ngx_uint_t *slot);

/* a number that changes when <slot> changes hands; 0: never taken */
uint32_t ngx_hyperdrive_shm_slot_epoch(ngx_uint_t slot);

/*
 * A wake-up is on its way to <slot>: _set() returns the flag as it was,
 * _clear() is for the slot itself, before it looks for grants.
 */
ngx_uint_t ngx_hyperdrive_shm_slot_wake_set(ngx_uint_t slot);
void ngx_hyperdrive_shm_slot_wake_clear(ngx_uint_t slot);

/*
 * Keeps a free slot from being taken, while what was sent to its last process
 * is thrown away.  NGX_DECLINED: it is not free.
 */
ngx_int_t ngx_hyperdrive_shm_slot_hold(ngx_uint_t slot);
void ngx_hyperdrive_shm_slot_release(ngx_uint_t slot);


/*
 * Quotas: how many connections of an upstream one user or one database has,
 * open or waited for, over all processes.  <id> stands for upstream and name:
 * a digest of NGX_HYPERDRIVE_SHM_QUOTA_ID bytes.
 *
 * Who waits for one has a number, by its _arrival(); the lowest one's turn is
 * next, over all processes.
 *
 * _take(): one more of each, of at most <max>; NULL: done; else the id of one
 * that is used up, or that somebody waits for who came before <arrival>
 * (_NEW: before anybody who comes now), and neither is taken.  <max> 0: not
 * asked for.  _give() wakes whose turn it is, this process too.  _pass() hands
 * one over, with the connection that it stands for.  _add(): one more, whatever
 * there are, for a connection that was opened already.  _count(): how many
 * there are.  _line() tells who has waited for longest in this process, 0:
 * nobody.  _next(): whose turn it is (NGX_OK), and in which process;
 * NGX_DECLINED: nobody waits.  _holders() sets a byte for each slot that has
 * connections.
 */
#define NGX_HYPERDRIVE_SHM_QUOTA_ID     32
#define NGX_HYPERDRIVE_SHM_QUOTAS       2048

#define NGX_HYPERDRIVE_SHM_QUOTA_NEW    ((uint64_t) -1)

uint64_t ngx_hyperdrive_shm_quota_arrival(void);
u_char *ngx_hyperdrive_shm_quota_take(u_char *one, ngx_uint_t max_one,
    u_char *two, ngx_uint_t max_two, uint64_t arrival);
void ngx_hyperdrive_shm_quota_give(u_char *id,
    ngx_hyperdrive_shm_wake_pt wake);
void ngx_hyperdrive_shm_quota_pass(u_char *id, ngx_uint_t from,
    ngx_uint_t to);
void ngx_hyperdrive_shm_quota_add(u_char *id);
ngx_uint_t ngx_hyperdrive_shm_quota_count(u_char *id);
void ngx_hyperdrive_shm_quota_line(u_char *id, uint64_t arrival);
ngx_int_t ngx_hyperdrive_shm_quota_next(u_char *id, ngx_uint_t *slot,
    uint64_t *arrival);
void ngx_hyperdrive_shm_quota_holders(u_char *id, u_char *slots);


/*
 * Clients: each has a number that it may tell others, who look here for the
 * process that has it now, and the client's own number <n> in that process.
 *
 * _add(): a number of a client of this process; 0: none is left.  _pass(): it
 * is on its way to <slot>, whose process _take()s it; NGX_DECLINED: the number
 * has been lost on the way.  _find(): NGX_OK, or NGX_DECLINED: nobody has it.
 */
#define NGX_HYPERDRIVE_SHM_CLIENTS      262144

uint32_t ngx_hyperdrive_shm_client_add(ngx_uint_t n);
void ngx_hyperdrive_shm_client_remove(uint32_t number);
void ngx_hyperdrive_shm_client_pass(uint32_t number, ngx_uint_t slot);
ngx_int_t ngx_hyperdrive_shm_client_take(uint32_t number, ngx_uint_t n);
ngx_int_t ngx_hyperdrive_shm_client_find(uint32_t number, ngx_uint_t *slot,
    ngx_uint_t *n);


/*
 * Orders: what an operator wants of an upstream (<limit>), or of one of its
 * databases (empty: of all).  They hold for all processes and over reloads;
 * who gives one wakes them all, and each looks once a second, too.
 *
 * _pause(): no new transactions, for <time> milliseconds (0: until _resume(),
 * which is the same with <on> 0).  _reconnect(): connections that are there
 * now are used up.  NGX_OK; NGX_DECLINED: the name is too long, or there are
 * too many orders.  Each may be given again, without harm.
 *
 * _orders() is raised by each; a connection that was opened when it was <n>
 * is old if n < _order_reconnect().  Both _order_paused() and that are for
 * the database of a pool, and cheap where there are none.
 */
#define NGX_HYPERDRIVE_SHM_ORDERS       128

ngx_int_t ngx_hyperdrive_shm_order_pause(ngx_hyperdrive_shm_limit_t *limit,
    ngx_str_t *database, ngx_uint_t on, ngx_msec_t time);
ngx_int_t ngx_hyperdrive_shm_order_reconnect(
    ngx_hyperdrive_shm_limit_t *limit, ngx_str_t *database);

uint64_t ngx_hyperdrive_shm_orders(void);
ngx_uint_t ngx_hyperdrive_shm_order_paused(ngx_hyperdrive_shm_limit_t *limit,
    ngx_str_t *database);
uint64_t ngx_hyperdrive_shm_order_reconnected(
    ngx_hyperdrive_shm_limit_t *limit, ngx_str_t *database);

typedef struct {
    ngx_str_t    database;      /* within the zone */
    ngx_uint_t   paused;
    uint64_t     reconnect;     /* 0: was not asked for */
    ngx_uint_t   seen;          /* by all processes */
    ngx_uint_t   open;          /* connections there are, over all... */
    ngx_uint_t   old;           /* ...and those of them that are to go */
} ngx_hyperdrive_shm_order_state_t;

/*
 * The orders of a limit, from *i on, which is 0 to begin with: NGX_OK, and *i
 * is the number of the next; NGX_DECLINED: no more.
 */
ngx_int_t ngx_hyperdrive_shm_order_next(ngx_hyperdrive_shm_limit_t *limit,
    ngx_uint_t *i, ngx_hyperdrive_shm_order_state_t *state);
/*
 * This process has seen the orders up to <seen>, and has so many connections
 * that the one before *i is about.
 */
void ngx_hyperdrive_shm_order_report(ngx_uint_t i, uint64_t seen,
    ngx_uint_t open, ngx_uint_t old);

/*
 * What each process does once: disconnects clients of an upstream, a database,
 * a user, each of which may be empty for all; or, if there is one, gives up
 * what was made of a table, in one or all databases.  NGX_BUSY: so many were
 * asked for in the last seconds that some may not have been read yet;
 * NGX_DECLINED: a name is too long.
 */
#define NGX_HYPERDRIVE_SHM_KILLS        64
/* two names in quotes, each of which is in there */
#define NGX_HYPERDRIVE_SHM_TABLE        512

typedef struct {
    u_char       upstream[NGX_HYPERDRIVE_SHM_NAME + 1];
    u_char       database[NGX_HYPERDRIVE_SHM_NAME + 1];
    u_char       user[NGX_HYPERDRIVE_SHM_NAME + 1];
    u_char       table[NGX_HYPERDRIVE_SHM_TABLE + 1];
} ngx_hyperdrive_shm_kill_t;

ngx_int_t ngx_hyperdrive_shm_kill(ngx_str_t *upstream, ngx_str_t *database,
    ngx_str_t *user, ngx_str_t *table);
/*
 * *seen is the number of those that this process has carried out: NGX_OK, and
 * the next one; NGX_DECLINED: none.
 */
ngx_int_t ngx_hyperdrive_shm_kill_next(uint64_t *seen,
    ngx_hyperdrive_shm_kill_t *kill);
uint64_t ngx_hyperdrive_shm_kill_count(void);


/*
 * Notes: what an origin said at log-in, kept for all workers by a key that is
 * compared whole.  _get copies at most <size> bytes and returns in *len how
 * many; notes older than <max_age> seconds are not there (NGX_DECLINED).
 * _put replaces a note of the same key, or the one that was used least
 * recently if there are too many; NGX_DECLINED: key or value are too long.
 */
ngx_int_t ngx_hyperdrive_shm_note_get(ngx_str_t *key, time_t max_age,
    u_char *buf, size_t size, size_t *len);
ngx_int_t ngx_hyperdrive_shm_note_put(ngx_str_t *key, ngx_str_t *value);
void ngx_hyperdrive_shm_note_delete(ngx_str_t *key);


#endif /* _NGX_HYPERDRIVE_SHM_H_INCLUDED_ */
