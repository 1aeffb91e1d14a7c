
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_CACHE_VERSION_H_INCLUDED_
#define _NGX_HYPERDRIVE_CACHE_VERSION_H_INCLUDED_


#include "ngx_hyperdrive.h"


/*
 * Table versions: how a kept answer is known to be no older than any write
 * that was acknowledged or shown.  One zone for all upstreams, kept over
 * reloads.  A table of a database has a number here (several may share one,
 * which costs hits and never truth).  A process is inside a number from before
 * the first byte of what may commit a write to that table is sent until the
 * answer to it has been read: while anybody is inside, there is no sample; and
 * behind a write the version is another one.
 *
 * Two numbers stand for more than a table: EVERYTHING is in every read set,
 * and so is the number of its database as a whole.
 *
 * A process is known here by its seat: one bit of every number.  The seat of a
 * process that died is given to nobody before its bits have been taken back,
 * so it is not the process's slot in the runtime zone.
 */

typedef uint32_t  ngx_hyperdrive_cache_version_t;     /* a number */

#define NGX_HYPERDRIVE_CACHE_VERSION_EVERYTHING  0

/* numbers in one set; what touches more tables touches the whole database */
#define NGX_HYPERDRIVE_CACHE_VERSION_SET         64

/* processes, those included that are dead and whose bits are there yet */
#define NGX_HYPERDRIVE_CACHE_VERSION_SEATS       256

/* connections of one process that the others are told of while it is inside */
#define NGX_HYPERDRIVE_CACHE_VERSION_ENDS        512


/* sorted, each number once; set up by zeroing */

typedef struct {
    ngx_uint_t                        n;
    ngx_hyperdrive_cache_version_t    numbers[NGX_HYPERDRIVE_CACHE_VERSION_SET];
} ngx_hyperdrive_cache_version_set_t;


/*
 * What was read of a set: the stamp of an entry, the first <n> words compared
 * whole.  The numbers and the zone's identity are in it, so that another set,
 * or a zone that was made anew, never has the same one.
 */

typedef struct {
    ngx_uint_t                        n;
    uint64_t                          versions[
                                         NGX_HYPERDRIVE_CACHE_VERSION_SET + 2];
} ngx_hyperdrive_cache_version_sample_t;


/* the room's own: what this process uses, or NULL */
typedef struct ngx_hyperdrive_cache_version_root_s
    ngx_hyperdrive_cache_version_root_t;

extern ngx_hyperdrive_cache_version_root_t
                                     *ngx_hyperdrive_cache_version_root;

/* declares the zone; the same one however often it is called */
ngx_shm_zone_t *ngx_hyperdrive_cache_version_zone(ngx_conf_t *cf, void *tag);
size_t ngx_hyperdrive_cache_version_size(void);
/* lays <mem>, which is all zero, out; NGX_ERROR: no random numbers, no mutex */
ngx_int_t ngx_hyperdrive_cache_version_create(void *mem);
/* NGX_OK: <mem> was laid out by this build */
ngx_int_t ngx_hyperdrive_cache_version_check(void *mem);

/*
 * This process and those that it forks use <mem> from now on (NULL: none,
 * nothing is tracked); <generation>, which rises, is that of the configuration.
 * Called in init_module.
 */
void ngx_hyperdrive_cache_version_attach(void *mem, ngx_uint_t generation);
/* whether there is a zone in this process: else nothing need be tracked */
#define ngx_hyperdrive_cache_version_on()                                     \
    (ngx_hyperdrive_cache_version_root != NULL)

/*
 * The generation that has used the zone first.  While a process of an older
 * one is alive, which writes without a word here, there are no samples: they
 * begin with _open().
 */
ngx_uint_t ngx_hyperdrive_cache_version_generation(void);
ngx_uint_t ngx_hyperdrive_cache_version_is_open(void);
void ngx_hyperdrive_cache_version_open(void);
/* ...and end: what was sampled until now is old */
void ngx_hyperdrive_cache_version_close(void);

/* init_process, exit_process; NGX_ERROR: no seat is free */
ngx_int_t ngx_hyperdrive_cache_version_sit(void);
/* what it is inside of then is reclaimed by others, as if it had died */
void ngx_hyperdrive_cache_version_stand(void);

/*
 * The number of a table, by its OID, in the database whose identity is
 * <database> (a digest of system identifier and OID); table 0: the database
 * as a whole.
 */
ngx_hyperdrive_cache_version_t ngx_hyperdrive_cache_version(uint64_t database,
    uint32_t table);

/* NGX_BUSY: the set is full, the caller takes the whole database instead */
ngx_int_t ngx_hyperdrive_cache_version_add(
    ngx_hyperdrive_cache_version_set_t *set,
    ngx_hyperdrive_cache_version_t number);
ngx_int_t ngx_hyperdrive_cache_version_join(
    ngx_hyperdrive_cache_version_set_t *set,
    ngx_hyperdrive_cache_version_set_t *more);
/* true if <number> is in it */
ngx_uint_t ngx_hyperdrive_cache_version_has(
    ngx_hyperdrive_cache_version_set_t *set,
    ngx_hyperdrive_cache_version_t number);

/* freshness, lines 1 and 2; enter may be nested, each has its leave */
void ngx_hyperdrive_cache_version_enter(
    ngx_hyperdrive_cache_version_set_t *set);
void ngx_hyperdrive_cache_version_leave(
    ngx_hyperdrive_cache_version_set_t *set, ngx_uint_t changed);

/*
 * Line 6.  <set> has all the numbers of a read but EVERYTHING, which is added
 * here; the database as a whole is among them.  NGX_BUSY: somebody is inside,
 * there is no sample.
 */
ngx_int_t ngx_hyperdrive_cache_version_sample(
    ngx_hyperdrive_cache_version_set_t *set,
    ngx_hyperdrive_cache_version_sample_t *sample);
/* whether there is one now, and it is the same */
ngx_uint_t ngx_hyperdrive_cache_version_holds(
    ngx_hyperdrive_cache_version_set_t *set,
    ngx_hyperdrive_cache_version_sample_t *sample);
/* whether there is none */
ngx_uint_t ngx_hyperdrive_cache_version_busy(
    ngx_hyperdrive_cache_version_set_t *set);


/*
 * Replicas.  A measurement of where a database stands has a number: taken
 * before it is asked, and greater than all before.
 */
uint64_t ngx_hyperdrive_cache_version_tick(void);
/*
 * NGX_OK: whatever was written to <set>, as in _sample(), had been committed
 * when measurement *moved + 1, or a later one, began.  NGX_BUSY: somebody is
 * inside.
 */
ngx_int_t ngx_hyperdrive_cache_version_moved(
    ngx_hyperdrive_cache_version_set_t *set, uint64_t *moved);


/*
 * Line 11.  The connections that are inside, for those who come after us.  The
 * handle is for _unmark().
 */
typedef struct {
    uint32_t                          upstream;  /* a digest of its name */
    uint32_t                          pid;       /* the number by which the
                                                    database knows it, not 0 */
    uint32_t                          user;      /* a digest of who uses it */
    uint32_t                          where;     /* ...of where it leads; 0: it
                                                    is not known */
    uint32_t                          line;      /* ...of what is there when it
                                                    is started anew; 0: not
                                                    known */
} ngx_hyperdrive_cache_version_end_t;

ngx_uint_t ngx_hyperdrive_cache_version_mark(
    ngx_hyperdrive_cache_version_end_t *end);
/* more is known of it: where it leads */
void ngx_hyperdrive_cache_version_remark(ngx_uint_t handle,
    ngx_hyperdrive_cache_version_end_t *end);
void ngx_hyperdrive_cache_version_unmark(ngx_uint_t handle);

/*
 * NGX_OK: *seat is one of a dead process and of nobody else's care; it is ours
 * until _reclaim(), or until our own death.  NGX_DECLINED: there is none.
 */
ngx_int_t ngx_hyperdrive_cache_version_dead(ngx_uint_t *seat);
/* milliseconds since its death was noticed */
ngx_msec_t ngx_hyperdrive_cache_version_died(ngx_uint_t seat);
/* the next connection from *pos (0 at first) on; NGX_DONE: no more;
   NGX_BUSY: no more, and not all were told */
ngx_int_t ngx_hyperdrive_cache_version_next(ngx_uint_t seat, ngx_uint_t *pos,
    ngx_hyperdrive_cache_version_end_t *end);
/*
 * Raises and leaves all that it was inside of, and frees the seat.  Called when
 * its connections are known to be gone, or after their time.
 */
void ngx_hyperdrive_cache_version_reclaim(ngx_uint_t seat);


#endif /* _NGX_HYPERDRIVE_CACHE_VERSION_H_INCLUDED_ */
