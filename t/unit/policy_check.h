
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef POLICY_CHECK_H_INCLUDED_
#define POLICY_CHECK_H_INCLUDED_


/* what tests of policies share: a machine, and a client that says its name */


#include "policy/ngx_hyperdrive_policy_lua.h"
#include "policy/ngx_hyperdrive_policy_kept.h"


static ngx_pool_t                     *policy_pool;
static ngx_hyperdrive_policy_lua_t    *policy_lua;
static ngx_hyperdrive_policy_input_t   policy_in;
static ngx_hyperdrive_policy_look_t    policy_look;
static ngx_hyperdrive_shm_counters_t   policy_counters;
static ngx_str_t                       policy_user = ngx_string("anna");
static ngx_str_t                       policy_upstream = ngx_string("shop");
static ngx_shm_zone_t                  policy_zone;
static ngx_log_t                       policy_log;


static ngx_int_t
policy_value(void *data, ngx_hyperdrive_policy_value_e what, ngx_str_t *name,
    ngx_str_t *value)
{
    switch (what) {

    case NGX_HYPERDRIVE_POLICY_USER:
        *value = policy_user;
        return NGX_OK;

    case NGX_HYPERDRIVE_POLICY_SETTING:
    case NGX_HYPERDRIVE_POLICY_VARIABLE:
        *value = *name;
        return name->len % 2 ? NGX_OK : NGX_DECLINED;

    case NGX_HYPERDRIVE_POLICY_READ_ONLY:
        ngx_str_set(value, "on");
        return NGX_OK;

    default:
        return NGX_DECLINED;
    }
}


static ngx_hyperdrive_policy_target_t *
policy_target(void *data, ngx_str_t *name)
{
    static ngx_hyperdrive_policy_target_t  target;

    target.name = policy_upstream;

    return (name->len == 4 && ngx_memcmp(name->data, "shop", 4) == 0)
           ? &target : NULL;
}


static void
policy_start(ngx_uint_t instructions, size_t memory)
{
    policy_pool = ngx_create_pool(4096, &policy_log);
    policy_lua = ngx_hyperdrive_policy_lua_create(policy_pool);

    if (policy_lua == NULL) {
        abort();
    }

    policy_zone.data = ngx_palloc(policy_pool, 65536);

    if (ngx_hyperdrive_policy_dict_init(policy_zone.data, 65536) != NGX_OK) {
        abort();
    }

    policy_lua->limits.instructions = instructions;
    policy_lua->limits.memory = memory;
    policy_lua->dict = &policy_zone;
    policy_lua->target = policy_target;

    ngx_memzero(&policy_in, sizeof(ngx_hyperdrive_policy_input_t));

    policy_in.upstream = &policy_upstream;
    policy_in.value = policy_value;
    policy_in.counters = &policy_counters;
    policy_in.log = &policy_log;
    policy_in.serial = 1;
    policy_in.mode = 1;
}


static void
policy_stop(void)
{
    ngx_destroy_pool(policy_pool);
}


/* compiled and run; NGX_ABORT: it is no Lua */

static ngx_int_t
policy_run(u_char *code, size_t len, const char *sql,
    ngx_hyperdrive_policy_decision_t *d)
{
    ngx_str_t                       text;
    ngx_hyperdrive_policy_chunk_t  *chunk;

    static ngx_str_t                file = ngx_string("nginx.conf");

    text.data = code;
    text.len = len;

    chunk = ngx_hyperdrive_policy_lua_compile(policy_lua, policy_pool, &file,
                                              7, &text);
    if (chunk == NULL) {
        return NGX_ABORT;
    }

    policy_in.text.data = (u_char *) sql;
    policy_in.text.len = ngx_strlen(sql);

    ngx_hyperdrive_policy_look_start(&policy_look, &policy_in);

    *d = ngx_hyperdrive_policy_none;

    return ngx_hyperdrive_policy_lua_run(chunk, &policy_look, d);
}


#endif /* POLICY_CHECK_H_INCLUDED_ */
