
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "policy/ngx_hyperdrive_policy.h"
#include "policy/ngx_hyperdrive_policy_kept.h"
#include "policy/ngx_hyperdrive_policy_lua.h"
#include "policy/ngx_hyperdrive_policy_rule.h"


/* how long the default holds where a policy has failed, milliseconds */
#define NGX_HYPERDRIVE_POLICY_FAILED     10000


struct ngx_hyperdrive_policy_s {
    ngx_array_t                      *rules;
    ngx_hyperdrive_policy_chunk_t    *chunk;
    ngx_hyperdrive_policy_chunk_t    *params;
    ngx_hyperdrive_policy_kept_t      kept;
};


static void ngx_hyperdrive_policy_destroy(void *data);
static void ngx_hyperdrive_policy_find(ngx_hyperdrive_policy_t *policy,
    ngx_hyperdrive_policy_look_t *look, ngx_hyperdrive_policy_decision_t *d);
static void ngx_hyperdrive_policy_run(ngx_hyperdrive_policy_chunk_t *chunk,
    ngx_hyperdrive_policy_look_t *look, ngx_hyperdrive_policy_decision_t *d,
    ngx_hyperdrive_policy_decision_t *base);


/* used within one call only */
static ngx_hyperdrive_policy_look_t  ngx_hyperdrive_policy_looking;


ngx_hyperdrive_policy_t *
ngx_hyperdrive_policy_create(ngx_pool_t *pool, ngx_array_t *rules,
    ngx_hyperdrive_policy_chunk_t *chunk,
    ngx_hyperdrive_policy_chunk_t *params)
{
    ngx_pool_cleanup_t       *cln;
    ngx_hyperdrive_policy_t  *policy;

    cln = ngx_pool_cleanup_add(pool, 0);
    policy = ngx_pcalloc(pool, sizeof(ngx_hyperdrive_policy_t));

    if (cln == NULL || policy == NULL) {
        return NULL;
    }

    cln->handler = ngx_hyperdrive_policy_destroy;
    cln->data = policy;

    policy->rules = rules;
    policy->chunk = chunk;
    policy->params = params;

    return policy;
}


static void
ngx_hyperdrive_policy_destroy(void *data)
{
    ngx_hyperdrive_policy_t *policy = data;

    ngx_hyperdrive_policy_kept_free(&policy->kept);
}


ngx_hyperdrive_policy_decision_t *
ngx_hyperdrive_policy_decide(ngx_hyperdrive_policy_t *policy,
    ngx_hyperdrive_policy_input_t *in, uint64_t *tag, void **last,
    ngx_uint_t *kept)
{
    ngx_hyperdrive_policy_look_t      *look;
    ngx_hyperdrive_policy_stmt_t      *stmt;
    ngx_hyperdrive_policy_decision_t   found, *d;

    *kept = 1;

    if (policy->kept.id && *tag == policy->kept.id) {
        stmt = *last;

    } else {
        stmt = ngx_hyperdrive_policy_kept_stmt(&policy->kept, in->serial);

        if (stmt == NULL) {
            return &ngx_hyperdrive_policy_none;
        }

        *tag = policy->kept.id;
        *last = stmt;
    }

    d = ngx_hyperdrive_policy_kept_find(stmt, in);

    if (d) {
        return d;
    }

    look = &ngx_hyperdrive_policy_looking;

    ngx_hyperdrive_policy_look_start(look, in);
    ngx_hyperdrive_policy_find(policy, look, &found);

    d = ngx_hyperdrive_policy_decision_copy(&found);

    if (d == NULL) {
        return &ngx_hyperdrive_policy_none;
    }

    if (look->unkept
        || (look->moving && d->keep == NGX_HYPERDRIVE_POLICY_UNSET)
        || ngx_hyperdrive_policy_kept_add(&policy->kept, stmt, look, d)
           != NGX_OK)
    {
        *kept = 0;
    }

    return d;
}


/* the first rule that it is a case of, or else Lua */

static void
ngx_hyperdrive_policy_find(ngx_hyperdrive_policy_t *policy,
    ngx_hyperdrive_policy_look_t *look, ngx_hyperdrive_policy_decision_t *d)
{
    ngx_uint_t                     i;
    ngx_hyperdrive_policy_rule_t  *rule;

    *d = ngx_hyperdrive_policy_none;

    if (policy->rules) {
        rule = policy->rules->elts;

        for (i = 0; i < policy->rules->nelts; i++) {

            if (ngx_hyperdrive_policy_rule(&rule[i], look) == NGX_OK) {
                *d = rule[i].decision;
                goto found;
            }
        }
    }

    if (policy->chunk) {
        ngx_hyperdrive_policy_run(policy->chunk, look, d,
                                  &ngx_hyperdrive_policy_none);
    }

found:

    if (policy->params == NULL) {
        d->params = 0;
    }

    for (i = 0; i < look->nseen; i++) {
        if (look->seen[i].what == NGX_HYPERDRIVE_POLICY_USER) {
            d->user = 1;
        }
    }
}


/* an error, of whatever kind, is as if nothing was said */

static void
ngx_hyperdrive_policy_run(ngx_hyperdrive_policy_chunk_t *chunk,
    ngx_hyperdrive_policy_look_t *look, ngx_hyperdrive_policy_decision_t *d,
    ngx_hyperdrive_policy_decision_t *base)
{
    look->in->counters->policy_runs++;

    *d = *base;

    if (ngx_hyperdrive_policy_lua_run(chunk, look, d) != NGX_ERROR) {
        return;
    }

    look->in->counters->policy_errors++;

    *d = *base;
    d->failed = 1;
    d->keep = NGX_HYPERDRIVE_POLICY_FAILED;

    if (chunk->error_second == ngx_time()) {
        chunk->errors++;
        return;
    }

    ngx_log_error(NGX_LOG_ERR, look->in->log, 0,
                  "hyperdrive policy in %V:%ui failed, the default applies: "
                  "%s%s", &chunk->file, chunk->line, chunk->lua->error,
                  chunk->errors ? " (others before it were not logged)" : "");

    chunk->error_second = ngx_time();
    chunk->errors = 0;
}


ngx_hyperdrive_policy_decision_t *
ngx_hyperdrive_policy_decide_params(ngx_hyperdrive_policy_t *policy,
    ngx_hyperdrive_policy_input_t *in, ngx_hyperdrive_policy_decision_t *base)
{
    ngx_hyperdrive_policy_look_t      *look;
    ngx_hyperdrive_policy_decision_t   found;

    look = &ngx_hyperdrive_policy_looking;

    ngx_hyperdrive_policy_look_start(look, in);
    ngx_hyperdrive_policy_run(policy->params, look, &found, base);

    return ngx_hyperdrive_policy_decision_copy(&found);
}
