
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_SESSION_POLICY_H_INCLUDED_
#define _NGX_HYPERDRIVE_SESSION_POLICY_H_INCLUDED_


#include "session/ngx_hyperdrive_session.h"
#include "policy/ngx_hyperdrive_policy.h"


/*
 * What policy says of <stmt> (NULL: of a statement that nobody has read) when
 * this client runs it; never NULL, valid until the event handler returns.
 * Decided once for a statement and what the policy looks at of its client, and
 * found again with the statement: it may be asked for wherever it is needed.
 */
ngx_hyperdrive_policy_decision_t *ngx_hyperdrive_session_policy(
    ngx_hyperdrive_session_t *s, ngx_hyperdrive_state_stmt_t *stmt);


#endif /* _NGX_HYPERDRIVE_SESSION_POLICY_H_INCLUDED_ */
