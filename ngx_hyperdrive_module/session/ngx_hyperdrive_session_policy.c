
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session_policy.h"


static ngx_hyperdrive_policy_decision_t
    ngx_hyperdrive_session_policy_none = NGX_HYPERDRIVE_POLICY_NONE;


ngx_hyperdrive_policy_decision_t *
ngx_hyperdrive_session_policy(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_state_stmt_t *stmt)
{
    return &ngx_hyperdrive_session_policy_none;
}
