
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session.h"
#include "session/ngx_hyperdrive_session_plan.h"


/*
 * What the text alone says: whatever may write, writes everything, and a read
 * depends on everything.
 */

static ngx_hyperdrive_session_plan_t  ngx_hyperdrive_session_plan_reads;
static ngx_hyperdrive_session_plan_t  ngx_hyperdrive_session_plan_writes;


ngx_hyperdrive_session_plan_t *
ngx_hyperdrive_session_plan(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_state_stmt_t *stmt)
{
    ngx_hyperdrive_session_plan_t  *plan;

    plan = (stmt == NULL || stmt->plan.may_write)
           ? &ngx_hyperdrive_session_plan_writes
           : &ngx_hyperdrive_session_plan_reads;

    if (plan == &ngx_hyperdrive_session_plan_writes && plan->writes.n == 0) {
        (void) ngx_hyperdrive_cache_version_add(&plan->writes,
                                     NGX_HYPERDRIVE_CACHE_VERSION_EVERYTHING);
        plan->stateful = 1;
    }

    plan->reason = stmt ? stmt->plan.reason : 0;

    return plan;
}
