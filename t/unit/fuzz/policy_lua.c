/* sources: base/ngx_hyperdrive_base_hash.c policy/ngx_hyperdrive_policy_decision.c policy/ngx_hyperdrive_policy_dict.c policy/ngx_hyperdrive_policy_kept.c policy/ngx_hyperdrive_policy_look.c policy/ngx_hyperdrive_policy_lua.c policy/ngx_hyperdrive_policy_lua_answer.c policy/ngx_hyperdrive_policy_lua_look.c policy/ngx_hyperdrive_policy_lua_pattern.c shm/ngx_hyperdrive_shm_mutex.c sql/ngx_hyperdrive_sql_classify.c sql/ngx_hyperdrive_sql_clock.c sql/ngx_hyperdrive_sql_ddl.c sql/ngx_hyperdrive_sql_digest.c sql/ngx_hyperdrive_sql_expr.c sql/ngx_hyperdrive_sql_lexer.c sql/ngx_hyperdrive_sql_mysql.c sql/ngx_hyperdrive_sql_mysql_assign.c sql/ngx_hyperdrive_sql_mysql_classify.c sql/ngx_hyperdrive_sql_mysql_ddl.c sql/ngx_hyperdrive_sql_mysql_body.c sql/ngx_hyperdrive_sql_mysql_expr.c sql/ngx_hyperdrive_sql_mysql_functions.c sql/ngx_hyperdrive_sql_mysql_lexer.c sql/ngx_hyperdrive_sql_mysql_query.c sql/ngx_hyperdrive_sql_mysql_scan.c sql/ngx_hyperdrive_sql_names.c sql/ngx_hyperdrive_sql_pg.c sql/ngx_hyperdrive_sql_pg_functions.c sql/ngx_hyperdrive_sql_query.c sql/ngx_hyperdrive_sql_scan.c sql/ngx_hyperdrive_sql_tags.c sql/ngx_hyperdrive_sql_transaction.c libs: luajit-5.1 */

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
