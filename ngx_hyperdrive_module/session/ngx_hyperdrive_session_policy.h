
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_SESSION_POLICY_H_INCLUDED_
#define _NGX_HYPERDRIVE_SESSION_POLICY_H_INCLUDED_


#include "session/ngx_hyperdrive_session.h"
#include "cache/ngx_hyperdrive_cache_version.h"


/*
 * What policy says of <stmt> (NULL: of a statement that nobody has read) when
 * this client runs it; never NULL, valid until the event handler returns.
 * Decided once for a statement and what the policy looks at of its client, and
 * found again with the statement: it may be asked for wherever it is needed.
 */
ngx_hyperdrive_policy_decision_t *ngx_hyperdrive_session_policy(
    ngx_hyperdrive_session_t *s, ngx_hyperdrive_state_stmt_t *stmt);
/* what a statement reads, and the tables that policy adds; NULL: they cannot
   be found */
ngx_hyperdrive_cache_version_set_t *ngx_hyperdrive_session_policy_reads(
    ngx_hyperdrive_session_t *s, ngx_hyperdrive_policy_decision_t *d,
    ngx_hyperdrive_cache_version_set_t *reads);

/* a statement will run */
void ngx_hyperdrive_session_policy_run(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_run_t *run);
/* the unit in s->unit may not run: <err>.  Only as long as an error may be
   made up */
ngx_uint_t ngx_hyperdrive_session_policy_refuses(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_error_t *err);
/* the unit in s->unit may not stand behind those that are owed: its time is
   another one */
ngx_uint_t ngx_hyperdrive_session_policy_waits(ngx_hyperdrive_session_t *s);
/* the statement that was to be run last was rejected: <err> */
void ngx_hyperdrive_session_policy_why(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_error_t *err);
/* a unit is over, in whatever way: what was decided for it alone is */
void ngx_hyperdrive_session_policy_forget(ngx_hyperdrive_session_t *s);
void ngx_hyperdrive_session_policy_free(ngx_hyperdrive_session_t *s);


#endif /* _NGX_HYPERDRIVE_SESSION_POLICY_H_INCLUDED_ */
