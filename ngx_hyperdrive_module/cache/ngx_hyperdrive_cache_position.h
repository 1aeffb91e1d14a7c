
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_CACHE_POSITION_H_INCLUDED_
#define _NGX_HYPERDRIVE_CACHE_POSITION_H_INCLUDED_


#include "ngx_hyperdrive.h"


/*
 * What all workers know of an upstream's origins: who is the primary, and
 * which measurement of it (a number of cache/version) each replica has
 * replayed.  One process measures for all, the leader; it holds a robust mutex
 * for as long as it does, so the system says when another one may.
 *
 * Beside the table versions, in the same zone.
 */


/* upstreams, each set of addresses that there has been counted */
#define NGX_HYPERDRIVE_CACHE_POSITIONS          128

/* of one upstream */
#define NGX_HYPERDRIVE_CACHE_POSITION_REPLICAS  64


typedef struct ngx_hyperdrive_cache_position_s
    ngx_hyperdrive_cache_position_t;


/* times are milliseconds of the system's monotonic clock */

typedef struct {
    uint64_t            reached;   /* the last measurement that it has replayed;
                                      0: none that is known */
    uint64_t            since;     /* ...begun then: it has all that was
                                      committed before */
    uint64_t            checked;   /* ...when it was asked for that */
    uint64_t            site;     /* ...a digest of its address; 0: none */
    uint64_t            home;     /* ...of the server that has answered there */
} ngx_hyperdrive_cache_position_replica_t;


size_t ngx_hyperdrive_cache_position_size(void);
/* lays <mem>, which is all zero, out; NGX_ERROR: no mutex */
ngx_int_t ngx_hyperdrive_cache_position_create(void *mem);
/* this process and those that it forks use <mem> from now on, or NULL */
void ngx_hyperdrive_cache_position_attach(void *mem);

/* of the upstream with this digest of its name and addresses, not 0; NULL:
   there is no room, or no zone */
ngx_hyperdrive_cache_position_t *ngx_hyperdrive_cache_position(uint64_t id);

/* of one that does not: NGX_OK: this process leads; NGX_BUSY: another does */
ngx_int_t ngx_hyperdrive_cache_position_lead(
    ngx_hyperdrive_cache_position_t *p);
/* the leader is none any more */
void ngx_hyperdrive_cache_position_resign(ngx_hyperdrive_cache_position_t *p);

/* of the leader */
void ngx_hyperdrive_cache_position_set(ngx_hyperdrive_cache_position_t *p,
    ngx_uint_t replica, ngx_hyperdrive_cache_position_replica_t *value);
void ngx_hyperdrive_cache_position_get(ngx_hyperdrive_cache_position_t *p,
    ngx_uint_t replica, ngx_hyperdrive_cache_position_replica_t *value);

/* somebody would have read from a replica, had it been known to be there */
void ngx_hyperdrive_cache_position_want(ngx_hyperdrive_cache_position_t *p);
/* ...since the last call */
ngx_uint_t ngx_hyperdrive_cache_position_wanted(
    ngx_hyperdrive_cache_position_t *p);

/* how often the primary has changed; and a digest of which server it is, of 44
   bits, 0 at first */
uint64_t ngx_hyperdrive_cache_position_term(
    ngx_hyperdrive_cache_position_t *p, uint64_t *primary);
/* NGX_OK: it is another one now, and was one before; NGX_DECLINED: it is the
   same, or the first */
ngx_int_t ngx_hyperdrive_cache_position_primary(
    ngx_hyperdrive_cache_position_t *p, uint64_t primary);
/* it has changed, whoever it is: replicas are not known any more */
void ngx_hyperdrive_cache_position_changed(
    ngx_hyperdrive_cache_position_t *p);


#endif /* _NGX_HYPERDRIVE_CACHE_POSITION_H_INCLUDED_ */
