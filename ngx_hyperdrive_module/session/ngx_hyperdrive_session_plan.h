
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_SESSION_PLAN_H_INCLUDED_
#define _NGX_HYPERDRIVE_SESSION_PLAN_H_INCLUDED_


#include "ngx_hyperdrive.h"
#include "cache/ngx_hyperdrive_cache_version.h"
#include "session/ngx_hyperdrive_session_catalog.h"
#include "state/ngx_hyperdrive_state_stmt.h"


/*
 * What a statement does in one database, for one search_path: the facts of
 * its text and the database's catalog together.  Kept until the catalog is
 * another one.
 */

typedef struct {
    ngx_uint_t                           reason;   /* 0: may come from the
                                                      cache */
    ngx_hyperdrive_cache_version_set_t   reads;    /* closed over views,
                                                      partitions...; with the
                                                      database as a whole */
    ngx_hyperdrive_cache_version_set_t   writes;   /* closed over triggers,
                                                      cascades...; empty: it
                                                      changes nothing; the
                                                      database as a whole if
                                                      nobody can tell */
    unsigned                             stateful:1; /* it may leave something
                                                        in the session */
    unsigned                             proven:1; /* it does nothing but read
                                                      <reads>, wherever it is
                                                      sent */
    unsigned                             rls:1;    /* reads a table with
                                                      row-level security */
    unsigned                             instant:1; /* MySQL: it may write what
                                                       is seen before COMMIT */
    unsigned                             unknown:1; /* writes a table that is
                                                       not in the catalog */
} ngx_hyperdrive_session_plan_t;


/*
 * The plan of <stmt> (NULL: of a statement that nobody has read) for the
 * session; never NULL, valid until the event handler returns.  Before the
 * catalog is known, reason is set, and a write is a write to the whole
 * database, or to EVERYTHING while it is not known which database it is.
 */
ngx_hyperdrive_session_plan_t *ngx_hyperdrive_session_plan(
    ngx_hyperdrive_session_t *s, ngx_hyperdrive_state_stmt_t *stmt);

/* plans made with this catalog do not hold any more */
void ngx_hyperdrive_session_plan_forget(ngx_hyperdrive_session_catalog_t *cat);


#endif /* _NGX_HYPERDRIVE_SESSION_PLAN_H_INCLUDED_ */
