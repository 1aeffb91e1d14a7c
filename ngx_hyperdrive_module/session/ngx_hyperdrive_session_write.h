
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_SESSION_WRITE_H_INCLUDED_
#define _NGX_HYPERDRIVE_SESSION_WRITE_H_INCLUDED_


#include "ngx_hyperdrive.h"
#include "ngx_hyperdrive_proto.h"
#include "cache/ngx_hyperdrive_cache_version.h"
#include "origin/ngx_hyperdrive_origin.h"


/*
 * What the session's requests write, so that no kept answer is older than a
 * write that was acknowledged or shown: lines 3 to 5, 10 and 11 of the
 * freshness rules (docs/architecture.md).  Without a cache zone anywhere none
 * of it happens.
 */

typedef struct {
    /* tables written by what is not certainly over */
    ngx_hyperdrive_cache_version_set_t   noted;
    /* that others are kept off from */
    ngx_hyperdrive_cache_version_set_t   entered;
} ngx_hyperdrive_session_write_tables_t;


typedef struct {
    /* NULL: none; until the session parts with its origin */
    ngx_hyperdrive_session_write_tables_t
                                        *tables;
    uint64_t                             generation; /* of the catalog that
                                                      told the tables */
    ngx_uint_t                           mark;     /* while anything is
                                                      entered */

    unsigned                             noted:1;  /* EVERYTHING is noted... */
    unsigned                             entered:1; /* ...entered */
    unsigned                             marked:1;

    unsigned                             block:1;  /* the last answer left a
                                                      block open... */
    unsigned                             held:1;   /* ...with a portal in it
                                                      that may end it */

    /* of what was sent since, and is not answered yet */

    unsigned                             sent:1;   /* there was a statement */
    unsigned                             more:1;   /* ...and another one */
    unsigned                             begin:1;  /* BEGIN, before all that
                                                      writes */
    unsigned                             commit:1; /* the first is COMMIT... */
    unsigned                             rollback:1; /* ...is ROLLBACK */
    unsigned                             loose:1;  /* another one may begin or
                                                      end a block, or commit by
                                                      itself */
    unsigned                             portal:1; /* one of these three is
                                                      bound to a portal */
    unsigned                             partly:1; /* a unit of several was
                                                      answered */
    unsigned                             failed:1; /* an error was answered */
    unsigned                             rolled:1; /* ROLLBACK was answered */
} ngx_hyperdrive_session_write_t;


/* the master begins: its workers are not there yet */
void ngx_hyperdrive_session_write_begin(ngx_cycle_t *cycle);
/* a worker begins, and leaves */
ngx_int_t ngx_hyperdrive_session_write_init(ngx_cycle_t *cycle,
    ngx_array_t *confs);
void ngx_hyperdrive_session_write_exit(void);

/* as the functions of ngx_hyperdrive_session_track.c, which call them */
void ngx_hyperdrive_session_write_run(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_run_t *run);
void ngx_hyperdrive_session_write_send(ngx_hyperdrive_session_t *s);
void ngx_hyperdrive_session_write_piece(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_piece_t *piece);
void ngx_hyperdrive_session_write_end(ngx_hyperdrive_session_t *s);


/* others are kept off from them no more; <tables> may be NULL */
void ngx_hyperdrive_session_write_over(
    ngx_hyperdrive_session_write_tables_t *tables, ngx_uint_t everything,
    ngx_uint_t changed);


/* ngx_hyperdrive_session_outcome.c */

void ngx_hyperdrive_session_outcome_init(ngx_array_t *confs);
/* _cache_version_mark() of <o> */
ngx_uint_t ngx_hyperdrive_session_outcome_mark(ngx_hyperdrive_origin_t *o);
/* it is known which server <o> leads to: so are those who would ask about it */
void ngx_hyperdrive_session_outcome_found(ngx_hyperdrive_origin_t *o);
/*
 * The client leaves <o>, which has not answered to what it entered for: others
 * stay off until it is idle again, or what became of it is known.
 */
void ngx_hyperdrive_session_outcome_watch(ngx_hyperdrive_origin_t *o,
    ngx_hyperdrive_session_write_t *w);
/* looks for workers that are gone; called now and then */
void ngx_hyperdrive_session_outcome_dead(void);


#endif /* _NGX_HYPERDRIVE_SESSION_WRITE_H_INCLUDED_ */
