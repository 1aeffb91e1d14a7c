
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_SHM_LAYOUT_H_INCLUDED_
#define _NGX_HYPERDRIVE_SHM_LAYOUT_H_INCLUDED_


#include "ngx_hyperdrive.h"
#include "shm/ngx_hyperdrive_shm.h"
#include "shm/ngx_hyperdrive_shm_mutex.h"


/*
 * How the runtime zone is laid out; private to the room.  Whatever changes
 * here changes the number below, so that a reload with another build of the
 * module starts with a zone of its own.
 *
 * Locks are taken in this order: slots, quotas, limit, tickets; notes by
 * itself.
 * A process may be killed anywhere.  So what counts is what one store
 * changes, the rest (lists, sums) is derived and is built anew by whoever
 * takes the lock of a dead process:
 *
 *   a ticket's state        waiting, granted; a granted ticket is a place
 *   limit->slots[].places   the places of a process and those of its dead
 *                           predecessors, in one word
 *
 * References inside the zone are numbers, never addresses.
 */

#define NGX_HYPERDRIVE_SHM_LAYOUT       14

#define NGX_HYPERDRIVE_SHM_MAGIC        0x68797064

/* no ticket, no note, at the end of a list */
#define NGX_HYPERDRIVE_SHM_NONE         0xffffffff

/*
 * A ticket's handle: its number in the low bits, above them how often that
 * number was given out, so that an old handle names nothing.
 */
#define NGX_HYPERDRIVE_SHM_TICKET_NUMBER  (NGX_HYPERDRIVE_SHM_TICKETS - 1)


typedef enum {
    NGX_HYPERDRIVE_SHM_TICKET_FREE = 0,     /* on the list of free ones, that
                                               is tickets_mutex's */
    NGX_HYPERDRIVE_SHM_TICKET_NEW,          /* on no list */
    NGX_HYPERDRIVE_SHM_TICKET_WAITING,      /* on the limit's list */
    NGX_HYPERDRIVE_SHM_TICKET_GRANTED       /* on the slot's list in the
                                               limit: a place not yet
                                               collected */
} ngx_hyperdrive_shm_ticket_state_e;


/* a free ticket is tickets_mutex's, any other one its limit's */

typedef struct {
    uint64_t                        arrival;    /* ...as priority has it */
    uint64_t                        id;
    uint32_t                        next;
    uint32_t                        prev;
    uint32_t                        handle;     /* what the owner knows */
    uint16_t                        limit;
    uint8_t                         slot;
    volatile uint8_t                state;
} ngx_hyperdrive_shm_ticket_t;


/* what one slot has of one limit; on a cache line of its own */

typedef union {
    struct {
        /* places of the living in the low half, of the dead in the other */
        volatile uint64_t           places;
        uint64_t                    died;       /* when the last one died */
        ngx_atomic_t                idle;       /* written by the slot only */
        ngx_atomic_t                granted;    /* tickets on the list */
        uint32_t                    head;
        uint32_t                    tail;
        volatile uint32_t           attached;   /* the process uses the limit:
                                                   1; 2: it is leaving it */
    } u;
    u_char                          line[64];
} ngx_hyperdrive_shm_share_t;


struct ngx_hyperdrive_shm_limit_s {
    ngx_hyperdrive_shm_mutex_t      mutex;
    ngx_atomic_t                    sequence;   /* odd: being changed */
    ngx_atomic_t                    waiting;
    ngx_atomic_t                    used;
    ngx_atomic_t                    max;
    ngx_atomic_t                    queue;
    ngx_atomic_t                    dead;
    ngx_atomic_t                    paused;     /* orders that are in force */
    ngx_atomic_t                    care;       /* who asks about the dead */
    ngx_atomic_t                    lent;       /* when a place was, to who
                                                   asks */
    ngx_atomic_t                    recalls;    /* somebody has asked for what
                                                   he has drawn from
                                                   sequences */
    ngx_atomic_t                    unasked;    /* times that somebody was
                                                   prepared for, and nobody
                                                   had */
    uint64_t                        arrivals;
    uint32_t                        head;       /* of those who wait */
    uint32_t                        tail;
    uint32_t                        index;
    uint32_t                        len;
    u_char                          name[NGX_HYPERDRIVE_SHM_NAME];
    ngx_hyperdrive_shm_share_t      slots[NGX_HYPERDRIVE_SLOTS];
};


typedef union {
    ngx_hyperdrive_shm_counters_t   counters;
    u_char                          lines[ngx_align(
                                     sizeof(ngx_hyperdrive_shm_counters_t),
                                     64)];
} ngx_hyperdrive_shm_block_t;


typedef struct {
    ngx_atomic_t                    pid;        /* 0: free */
    uint64_t                        start;      /* the process's start time */
    uint64_t                        generation;
    ngx_atomic_t                    epoch;
    ngx_atomic_t                    wake;
    ngx_atomic_t                    held;       /* kept free by <pid> */
    ngx_atomic_t                    leaving;    /* takes over nothing */
} ngx_hyperdrive_shm_slot_t;


typedef struct {
    uint32_t                        next;       /* in the bucket */
    uint32_t                        older;      /* by use */
    uint32_t                        newer;
    uint32_t                        hash;
    uint32_t                        key_len;
    uint32_t                        len;
    uint64_t                        created;
    u_char                          key[NGX_HYPERDRIVE_SHM_NOTE_KEY];
    u_char                          value[NGX_HYPERDRIVE_SHM_NOTE];
} ngx_hyperdrive_shm_note_t;


/*
 * A connection that has a place.  Who has it, and that he is dead, is a word of
 * another array (see shm_backend.c); what is here is the owner's, or of him who
 * has the care of what the dead have left.
 */

typedef struct {
    uint64_t                        opened;     /* it was begun... */
    uint64_t                        known;      /* ...and logged in by then */
    uint64_t                        died;
    uint64_t                        seen;       /* the database had it then */
    uint32_t                        pid;        /* 0: it has not told yet */
    uint32_t                        where;      /* see _known() */
    uint32_t                        line;
    uint32_t                        key_len;
    uint32_t                        counted;    /* in quotas */
    u_char                          user_id[NGX_HYPERDRIVE_SHM_QUOTA_ID];
    u_char                          db_id[NGX_HYPERDRIVE_SHM_QUOTA_ID];
    u_char                          key[NGX_HYPERDRIVE_SHM_BACKEND_KEY];
} ngx_hyperdrive_shm_backend_entry_t;


/* an address, and which server has been seen there; see shm_backend.c */

#define NGX_HYPERDRIVE_SHM_SITES        512

typedef struct {
    ngx_atomic_t                    site;       /* 0: free */
    ngx_atomic_t                    home;
    ngx_atomic_t                    line;
} ngx_hyperdrive_shm_site_t;


/* connections of one user or database of an upstream; the lock is one for
   all, what counts are the numbers */

typedef struct {
    u_char                          id[NGX_HYPERDRIVE_SHM_QUOTA_ID];
    uint32_t                        hash;
    uint32_t                        next;       /* in the bucket, or free */
    uint64_t                        died;       /* when the last one did that
                                                   left some */
    uint64_t                        lent;       /* when one was, to who asks */
    uint32_t                        dead;       /* ...of those who did */
    uint32_t                        freed;      /* who waits is to be told */
    volatile uint32_t               live;
    uint16_t                        places[NGX_HYPERDRIVE_SLOTS];
    uint64_t                        line[NGX_HYPERDRIVE_SLOTS]; /* who has
                                                   waited for longest in each
                                                   process, or 0 */
} ngx_hyperdrive_shm_quota_t;


/*
 * What an operator has asked for of an upstream, or of one of its databases;
 * written under the slots' lock.  <changed> is the last store.
 */

typedef struct {
    ngx_atomic_t                    changed;    /* its number; 0: unused */
    ngx_atomic_t                    paused;
    ngx_atomic_t                    until;      /* the pause ends, 0: never */
    ngx_atomic_t                    reconnect;  /* connections that are older
                                                   than this number go */
    uint32_t                        limit;
    uint32_t                        len;
    u_char                          database[NGX_HYPERDRIVE_SHM_NAME];

    /* written by each slot: what it has seen, and its connections */
    ngx_atomic_t                    seen[NGX_HYPERDRIVE_SLOTS];
    ngx_atomic_t                    open[NGX_HYPERDRIVE_SLOTS];
    ngx_atomic_t                    old[NGX_HYPERDRIVE_SLOTS];
} ngx_hyperdrive_shm_order_t;


typedef struct {
    uint64_t                        number;     /* 0: unused */
    uint64_t                        time;
    ngx_hyperdrive_shm_kill_t       kill;
} ngx_hyperdrive_shm_kills_t;


typedef struct {
    uint32_t                        magic;
    uint32_t                        layout;
    uint64_t                        size;

    u_char                          secret[32];
    ngx_atomic_t                    generation;
    ngx_atomic_t                    renewed;    /* when it was raised */
    ngx_atomic_t                    id;

    /* guards slots, the making of limits, the folding of counters */
    ngx_hyperdrive_shm_mutex_t      slots_mutex;
    ngx_atomic_t                    folds;      /* odd: being folded */
    ngx_atomic_t                    nlimits;
    ngx_hyperdrive_shm_slot_t       slots[NGX_HYPERDRIVE_SLOTS];

    ngx_hyperdrive_shm_mutex_t      tickets_mutex;
    uint32_t                        tickets_free;
    volatile uint32_t               ntickets;   /* ever used */

    ngx_hyperdrive_shm_mutex_t      notes_mutex;
    uint32_t                        nnotes;     /* ever used */
    uint32_t                        notes_free;
    uint32_t                        notes_oldest;
    uint32_t                        notes_newest;
    uint32_t                        notes_buckets[NGX_HYPERDRIVE_SHM_NOTES];

    ngx_hyperdrive_shm_mutex_t      quotas_mutex;
    ngx_atomic_t                    arrivals;   /* of who waited for one */
    uint32_t                        nquotas;    /* ever used */
    uint32_t                        quotas_free;
    uint32_t                        quotas_buckets[NGX_HYPERDRIVE_SHM_QUOTAS];

    ngx_atomic_t                    orders;     /* given so far */
    ngx_atomic_t                    nkills;
    ngx_hyperdrive_shm_order_t      order[NGX_HYPERDRIVE_SHM_ORDERS];
    ngx_hyperdrive_shm_kills_t      kills[NGX_HYPERDRIVE_SHM_KILLS];
    ngx_atomic_t                    nclients;   /* numbers ever given */
    ngx_atomic_t                    nbackends;  /* ever used */

    /* what follows is touched only as far as it is used */

    ngx_atomic_t                    clients[NGX_HYPERDRIVE_SHM_CLIENTS];
    ngx_atomic_t                    backends[NGX_HYPERDRIVE_SHM_BACKENDS];

    ngx_hyperdrive_shm_limit_t      limits[NGX_HYPERDRIVE_SHM_LIMITS];
    ngx_hyperdrive_shm_block_t      counters[NGX_HYPERDRIVE_SHM_LIMITS]
                                            [NGX_HYPERDRIVE_SLOTS + 1];
    ngx_hyperdrive_shm_ticket_t     tickets[NGX_HYPERDRIVE_SHM_TICKETS];
    ngx_hyperdrive_shm_note_t       notes[NGX_HYPERDRIVE_SHM_NOTES];
    ngx_hyperdrive_shm_quota_t      quotas[NGX_HYPERDRIVE_SHM_QUOTAS];
    ngx_hyperdrive_shm_site_t       sites[NGX_HYPERDRIVE_SHM_SITES];
    ngx_hyperdrive_shm_backend_entry_t
                                    backend[NGX_HYPERDRIVE_SHM_BACKENDS];
} ngx_hyperdrive_shm_t;


/* the zone that this process uses */
extern ngx_hyperdrive_shm_t  *ngx_hyperdrive_shm;

/* milliseconds of a clock that all processes share */
uint64_t ngx_hyperdrive_shm_now(void);

/* NGX_OK: <sh> was laid out by this build */
ngx_int_t ngx_hyperdrive_shm_check(ngx_hyperdrive_shm_t *sh);

/* limits; the slots' lock is held by the caller where it says so */
void ngx_hyperdrive_shm_limit_reclaim_locked(ngx_uint_t slot);
ngx_uint_t ngx_hyperdrive_shm_limit_unused_locked(
    ngx_hyperdrive_shm_limit_t *limit);

/*
 * A connection of a dead process and its place are one: <entry> becomes <to>
 * from <at>, and the place of <slot> is free, or this process's, under one
 * lock; false: neither.  They wake nobody.
 */
ngx_uint_t ngx_hyperdrive_shm_limit_forget(ngx_hyperdrive_shm_limit_t *limit,
    ngx_uint_t slot, ngx_atomic_t *entry, ngx_atomic_uint_t at,
    ngx_atomic_uint_t to);
ngx_uint_t ngx_hyperdrive_shm_limit_adopt(ngx_hyperdrive_shm_limit_t *limit,
    ngx_uint_t slot, ngx_atomic_t *entry, ngx_atomic_uint_t at,
    ngx_atomic_uint_t to);

/* connections of a dead process are left behind; may be done twice */
void ngx_hyperdrive_shm_backend_reclaim(ngx_uint_t slot);
/* how many a dead process of <slot> has left of this limit, or of all those
   that count in the quota <id> */
ngx_uint_t ngx_hyperdrive_shm_backend_left(ngx_hyperdrive_shm_limit_t *limit,
    ngx_uint_t slot);
ngx_uint_t ngx_hyperdrive_shm_backend_counted(u_char *id,
    ngx_uint_t *unasked);
/* those that nobody could ask about for too long are taken for gone, and places
   of some that nobody has asked about yet are lent */
void ngx_hyperdrive_shm_backend_expire(void);

ngx_int_t ngx_hyperdrive_shm_ticket_init(ngx_hyperdrive_shm_t *sh);

/*
 * Tickets.  The limit's lock is held by the caller; that of the free tickets
 * is taken inside.  A new ticket is on no list, NONE if there is none left.
 */
uint32_t ngx_hyperdrive_shm_ticket_alloc(ngx_hyperdrive_shm_limit_t *limit);
void ngx_hyperdrive_shm_ticket_free(uint32_t n);

/* NULL: it was collected, or it is of a life that is over */
ngx_hyperdrive_shm_ticket_t *ngx_hyperdrive_shm_ticket_own(
    ngx_hyperdrive_shm_limit_t *limit, uint32_t handle);

/* a list, of those who wait or of what was granted to a slot */
void ngx_hyperdrive_shm_ticket_enqueue(uint32_t *head, uint32_t *tail,
    uint32_t n);
/* behind all that have come before it, or are as if they had */
void ngx_hyperdrive_shm_ticket_insert(uint32_t *head, uint32_t *tail,
    uint32_t n);
void ngx_hyperdrive_shm_ticket_dequeue(uint32_t *head, uint32_t *tail,
    uint32_t n);

/*
 * All tickets of a limit that wait or were granted, by arrival, linked one
 * way only, through <next>; those that were just being made are freed.
 */
uint32_t ngx_hyperdrive_shm_ticket_list(ngx_hyperdrive_shm_limit_t *limit);

/* the slots' lock, repaired if need be */
void ngx_hyperdrive_shm_lock(void);
void ngx_hyperdrive_shm_unlock(void);

/* a limit is another upstream's now */
void ngx_hyperdrive_shm_order_clear_locked(ngx_uint_t limit);

/* adds a slot's totals to those of the dead, and empties it */
void ngx_hyperdrive_shm_counters_fold_locked(ngx_uint_t limit,
    ngx_uint_t slot);
void ngx_hyperdrive_shm_counters_clear_locked(ngx_uint_t limit);

/* the numbers of a dead process's clients are free */
void ngx_hyperdrive_shm_client_reclaim(ngx_uint_t slot);

ngx_int_t ngx_hyperdrive_shm_note_init(ngx_hyperdrive_shm_t *sh);

ngx_int_t ngx_hyperdrive_shm_quota_init(ngx_hyperdrive_shm_t *sh);
void ngx_hyperdrive_shm_quota_reclaim(ngx_uint_t slot);
/* a connection of a dead process is gone, or is this process's now; both
   under the quotas' lock */
void ngx_hyperdrive_shm_quota_forget_locked(u_char *id);
void ngx_hyperdrive_shm_quota_adopt_locked(u_char *id);
void ngx_hyperdrive_shm_quota_lock(void);
void ngx_hyperdrive_shm_quota_unlock(void);
/* marks the slots in <woken> that wait for what was freed */
void ngx_hyperdrive_shm_quota_reclaim_places(ngx_msec_t delay, u_char *woken);


#endif /* _NGX_HYPERDRIVE_SHM_LAYOUT_H_INCLUDED_ */
