
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
 */

typedef uint32_t  ngx_hyperdrive_cache_version_t;     /* a number */

#define NGX_HYPERDRIVE_CACHE_VERSION_EVERYTHING  0

/* numbers in one set; what touches more tables touches the whole database */
#define NGX_HYPERDRIVE_CACHE_VERSION_SET         64


/* sorted, each number once; set up by zeroing */

typedef struct {
    ngx_uint_t                        n;
    ngx_hyperdrive_cache_version_t    numbers[NGX_HYPERDRIVE_CACHE_VERSION_SET];
} ngx_hyperdrive_cache_version_set_t;


/* what was read of a set: compared whole, byte for byte */

typedef struct {
    ngx_uint_t                        n;
    uint64_t                          versions[
                                         NGX_HYPERDRIVE_CACHE_VERSION_SET + 2];
} ngx_hyperdrive_cache_version_sample_t;


/* declares the zone; the same one however often it is called */
ngx_shm_zone_t *ngx_hyperdrive_cache_version_zone(ngx_conf_t *cf, void *tag);
size_t ngx_hyperdrive_cache_version_size(void);
/* uses <mem> from now on; <fresh>: it is all zero, and laid out first */
ngx_int_t ngx_hyperdrive_cache_version_attach(void *mem, size_t size,
    ngx_uint_t fresh);
/* the slot of this process in shared memory; called in init_process */
void ngx_hyperdrive_cache_version_set_slot(ngx_uint_t slot);
/* whether there is a zone in this process: else nothing need be tracked */
ngx_uint_t ngx_hyperdrive_cache_version_on(void);

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

/*
 * Line 11: raises and leaves all that the dead process of <slot> was inside
 * of; any process, any number of times.  Called when its connections are known
 * to be gone, or after their time.
 */
void ngx_hyperdrive_cache_version_reclaim(ngx_uint_t slot);


#endif /* _NGX_HYPERDRIVE_CACHE_VERSION_H_INCLUDED_ */
