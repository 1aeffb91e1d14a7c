/* sources: policy/ngx_hyperdrive_policy_decision.c policy/ngx_hyperdrive_policy_dict.c policy/ngx_hyperdrive_policy_kept.c policy/ngx_hyperdrive_policy_look.c policy/ngx_hyperdrive_policy_lua.c policy/ngx_hyperdrive_policy_lua_answer.c policy/ngx_hyperdrive_policy_lua_look.c policy/ngx_hyperdrive_policy_lua_pattern.c shm/ngx_hyperdrive_shm_mutex.c sql/ base/ libs: luajit-5.1 */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/* Any bytes are compiled as a policy, and run if they are one. */


#include "policy_check.h"


int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static ngx_uint_t                  n;
    ngx_hyperdrive_policy_decision_t   d;

    /* programs stay as long as their machine does */

    if (n++ % 100 == 0) {

        if (n > 1) {
            policy_stop();
        }

        policy_start(5000, 256 * 1024);
    }

    (void) policy_run((u_char *) data, size,
                      "SELECT f(a) FROM s.t WHERE id = 1 /*app='web'*/", &d);

    if (policy_lua->used > policy_lua->base + policy_lua->limits.memory
                           + 256 * 1024 + size * 64)
    {
        abort();
    }

    return 0;
}
