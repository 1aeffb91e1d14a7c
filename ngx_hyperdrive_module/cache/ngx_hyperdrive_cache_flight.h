
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_CACHE_FLIGHT_H_INCLUDED_
#define _NGX_HYPERDRIVE_CACHE_FLIGHT_H_INCLUDED_


#include "ngx_hyperdrive.h"


/*
 * Flights: fills in progress, over all workers, so that equal misses at the
 * same time go to the database once.  One zone of constant size, kept over
 * reloads.
 *
 * A flight promises nothing but that somebody fetches an answer: who waited
 * for it looks the answer up as everybody does, by the whole key and with a
 * sample of its own.  So a flight is known by two digests, of the key (which
 * is seeded by the store, and so differs from store to store) and of the
 * table versions; if two questions meet in one, somebody waits in vain once.
 */


/* fills in progress at one time that others may wait for */
#define NGX_HYPERDRIVE_CACHE_FLIGHT_CELLS    4096

/* version numbers whose caching is switched off, at most */
#define NGX_HYPERDRIVE_CACHE_FLIGHT_OFF      64

/* a set of slots */
#define NGX_HYPERDRIVE_CACHE_FLIGHT_WORDS    (NGX_HYPERDRIVE_SLOTS / 64)


typedef struct {
    uint32_t     cell;          /* its number, from 1 on; 0: no flight */
    uint64_t     generation;    /* of the cell: another one when it is over */
} ngx_hyperdrive_cache_flight_t;


typedef struct {
    uint64_t     bits[NGX_HYPERDRIVE_CACHE_FLIGHT_WORDS];
} ngx_hyperdrive_cache_flight_slots_t;

#define ngx_hyperdrive_cache_flight_has(slots, n)                             \
    ((slots)->bits[(n) / 64] >> ((n) % 64) & 1)


/* declares the zone; the same one however often it is called */
ngx_shm_zone_t *ngx_hyperdrive_cache_flight_zone(ngx_conf_t *cf, void *tag);
/* uses the zone's memory from now on, in init_process */
ngx_int_t ngx_hyperdrive_cache_flight_use(ngx_shm_zone_t *zone);

/*
 * The same for any memory, cache line aligned; <fresh>: it is all zero, and
 * laid out first.  NGX_ERROR: too small, or of another layout.
 */
size_t ngx_hyperdrive_cache_flight_size(void);
ngx_int_t ngx_hyperdrive_cache_flight_attach(void *mem, size_t size,
    ngx_uint_t fresh);

/*
 * The slot of this process in shared memory, and a number that changes when
 * the slot changes hands.  Without a slot there are no flights.
 */
void ngx_hyperdrive_cache_flight_set_slot(ngx_uint_t slot, uint32_t epoch);

/*
 * A miss of the key with hash <key>, at the table versions with digest
 * <stamp>; <now> is milliseconds of _store_now().
 *   NGX_OK        the caller is the one that fills: _end() is its duty
 *   NGX_AGAIN     somebody else is: the caller's slot is told of the end
 *   NGX_DECLINED  there is no flight: this answer lately could not be kept,
 *                 or one has been under way for <limit> milliseconds, or the
 *                 table is full; the caller goes by itself
 * <flight> is filled but if it is DECLINED.
 */
ngx_int_t ngx_hyperdrive_cache_flight_begin(uint64_t key, uint64_t stamp,
    uint64_t now, uint64_t limit, ngx_hyperdrive_cache_flight_t *flight);

/* the fill has been sent at other versions than those of its look-up */
void ngx_hyperdrive_cache_flight_stamp(ngx_hyperdrive_cache_flight_t *flight,
    uint64_t stamp);

/*
 * The fill is over, in whatever way, or nobody shall wait for it any longer.
 * <waiters>: the slots that have to be told.  <until>: no flight for this key
 * and these versions before; 0: the next one may be begun at once.  <flight>
 * is none afterwards, and none is no error.
 */
void ngx_hyperdrive_cache_flight_end(ngx_hyperdrive_cache_flight_t *flight,
    uint64_t until, ngx_hyperdrive_cache_flight_slots_t *waiters);

/* whether it is over; a plain read, no lock */
ngx_uint_t ngx_hyperdrive_cache_flight_over(
    ngx_hyperdrive_cache_flight_t *flight);

/*
 * Ends the flights of <slot> but those of the process that took it with
 * <epoch> (0: of none); any process, any number of times.
 */
void ngx_hyperdrive_cache_flight_reclaim(ngx_uint_t slot, uint32_t epoch,
    ngx_hyperdrive_cache_flight_slots_t *waiters);

/* flights under way now; for the status page, takes no lock */
ngx_uint_t ngx_hyperdrive_cache_flight_count(void);

/*
 * Table versions whose answers are not kept any more, because one was found
 * to be wrong: for all workers, until _on_all().  _off() is NGX_BUSY if there
 * are too many, then nothing is kept at all; EVERYTHING does so, too.
 * _is_off() is a plain read, and one comparison while there are none.
 */
ngx_int_t ngx_hyperdrive_cache_flight_off(uint32_t number);
ngx_uint_t ngx_hyperdrive_cache_flight_is_off(uint32_t *numbers,
    ngx_uint_t n);
void ngx_hyperdrive_cache_flight_on_all(void);
ngx_uint_t ngx_hyperdrive_cache_flight_noff(void);


#endif /* _NGX_HYPERDRIVE_CACHE_FLIGHT_H_INCLUDED_ */
