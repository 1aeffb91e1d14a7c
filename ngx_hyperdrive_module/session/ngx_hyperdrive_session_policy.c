
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session_policy.h"
#include "session/ngx_hyperdrive_session_plan.h"
#include "base/ngx_hyperdrive_base_cursor.h"
#include "sql/ngx_hyperdrive_sql.h"


/* variables of nginx that one client's policies look at */
#define NGX_HYPERDRIVE_SESSION_POLICY_VARS    32

/* a text that names the tables of one decision */
#define NGX_HYPERDRIVE_SESSION_POLICY_TABLES  8192

/* parameters of one statement that a policy can see */
#define NGX_HYPERDRIVE_SESSION_POLICY_PARAMS  256


/*
 * Variables are read once for a client: what they are made of is its
 * connection, whose memory is only given back with it.
 */

typedef struct {
    ngx_str_t                          name;
    ngx_str_t                          value;    /* data NULL: not found */
} ngx_hyperdrive_session_policy_var_t;


struct ngx_hyperdrive_session_decided_s {

    /* of a statement, for one unit; or NULL */

    ngx_hyperdrive_policy_decision_t  *decision;
    uint64_t                           serial;
    uint64_t                           unit;
    uint64_t                           drops;

    /* ours, and the one before: whoever asked may look at it still */

    ngx_hyperdrive_policy_decision_t  *own;
    ngx_hyperdrive_policy_decision_t  *last;

    ngx_hyperdrive_session_policy_var_t  *vars;  /* NULL: none yet */
    ngx_uint_t                         nvars;
};


/* who asks, and for what */

typedef struct {
    ngx_hyperdrive_session_t          *session;
    ngx_hyperdrive_state_stmt_t       *stmt;
} ngx_hyperdrive_session_policy_asks_t;


static ngx_hyperdrive_policy_decision_t *ngx_hyperdrive_session_policy_decide(
    ngx_hyperdrive_session_t *s, ngx_hyperdrive_state_stmt_t *stmt,
    ngx_str_t *bind, ngx_uint_t nparams);
static ngx_hyperdrive_policy_decision_t *ngx_hyperdrive_session_policy_params(
    ngx_hyperdrive_session_t *s, ngx_hyperdrive_policy_input_t *in,
    ngx_str_t *bind, ngx_uint_t nparams,
    ngx_hyperdrive_policy_decision_t *base);
static ngx_int_t ngx_hyperdrive_session_policy_value(void *data,
    ngx_hyperdrive_policy_value_e what, ngx_str_t *name, ngx_str_t *value);
static ngx_int_t ngx_hyperdrive_session_policy_setting(
    ngx_hyperdrive_session_t *s, ngx_str_t *name, ngx_str_t *value);
static ngx_int_t ngx_hyperdrive_session_policy_variable(
    ngx_hyperdrive_session_t *s, ngx_str_t *name, ngx_str_t *value);
static ngx_hyperdrive_session_decided_t *ngx_hyperdrive_session_policy_own(
    ngx_hyperdrive_session_t *s);
static u_char *ngx_hyperdrive_session_policy_quote(u_char *p,
    ngx_str_t *name, u_char quote);


/* until the client has been told */
static ngx_hyperdrive_policy_decision_t
    *ngx_hyperdrive_session_policy_rejected;


ngx_hyperdrive_policy_decision_t *
ngx_hyperdrive_session_policy(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_state_stmt_t *stmt)
{
    ngx_hyperdrive_session_decided_t  *decided;

    if (s->conf->policy == NULL || s->replication) {
        return &ngx_hyperdrive_policy_none;
    }

    decided = s->decided;

    if (decided && decided->decision
        && decided->serial == (stmt ? stmt->serial : 0)
        && decided->unit == s->total.queries
        && (decided->drops == ngx_hyperdrive_policy_drops
            || decided->decision == decided->own))
    {
        return decided->decision;
    }

    return ngx_hyperdrive_session_policy_decide(s, stmt,
                                               (stmt && stmt == s->unit.stmt)
                                               ? &s->unit.bind : NULL,
                                               s->unit.nparams);
}


/* <bind>: parameters of this execution; NULL: not known */

static ngx_hyperdrive_policy_decision_t *
ngx_hyperdrive_session_policy_decide(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_state_stmt_t *stmt, ngx_str_t *bind, ngx_uint_t nparams)
{
    uint64_t                               serial, tag, *tagp;
    void                                  *last, **lastp;
    ngx_uint_t                             kept;
    ngx_hyperdrive_policy_input_t          in;
    ngx_hyperdrive_policy_decision_t      *d, *params;
    ngx_hyperdrive_session_decided_t      *decided;
    ngx_hyperdrive_session_policy_asks_t   asks;

    serial = stmt ? stmt->serial : 0;

    asks.session = s;
    asks.stmt = stmt;

    in.text.data = stmt ? stmt->text : (u_char *) "";
    in.text.len = stmt ? stmt->len : 0;
    in.serial = serial;
    in.mode = stmt ? stmt->mode : 0;
    in.upstream = &s->conf->origin->name;
    in.value = ngx_hyperdrive_session_policy_value;
    in.data = &asks;
    in.params = NULL;
    in.nparams = 0;
    in.counters = s->conf->origin->counters;
    in.log = s->net.connection->log;

    tag = 0;
    last = NULL;
    tagp = stmt ? &stmt->policy_tag : &tag;
    lastp = stmt ? &stmt->policy_last : &last;

    d = ngx_hyperdrive_policy_decide(s->conf->policy, &in, tagp, lastp, &kept);

    if (d->params && bind) {
        params = ngx_hyperdrive_session_policy_params(s, &in, bind, nparams, d);

        if (params) {

            if (!kept) {
                free(d);
            }

            d = params;
            kept = 0;
        }
    }

    decided = ngx_hyperdrive_session_policy_own(s);

    if (decided == NULL) {

        if (!kept) {
            free(d);
            d = &ngx_hyperdrive_policy_none;
        }

        return d;
    }

    if (!kept) {
        free(decided->last);
        decided->last = decided->own;
        decided->own = d;
    }

    decided->decision = d;
    decided->serial = serial;
    decided->unit = s->total.queries;
    decided->drops = ngx_hyperdrive_policy_drops;

    return d;
}


/* with the values of this execution; NULL: the same */

static ngx_hyperdrive_policy_decision_t *
ngx_hyperdrive_session_policy_params(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_policy_input_t *in, ngx_str_t *bind, ngx_uint_t nparams,
    ngx_hyperdrive_policy_decision_t *base)
{
    static ngx_str_t  values[NGX_HYPERDRIVE_SESSION_POLICY_PARAMS];

    in->params = values;
    in->nparams = s->conf->origin->proto->params(bind, nparams, values,
                                        NGX_HYPERDRIVE_SESSION_POLICY_PARAMS);

    return ngx_hyperdrive_policy_decide_params(s->conf->policy, in, base);
}


static ngx_int_t
ngx_hyperdrive_session_policy_value(void *data,
    ngx_hyperdrive_policy_value_e what, ngx_str_t *name, ngx_str_t *value)
{
    ngx_hyperdrive_session_policy_asks_t *asks = data;

    ngx_connection_t               *c;
    ngx_hyperdrive_session_t       *s;
    ngx_hyperdrive_session_plan_t  *plan;

    s = asks->session;
    c = s->net.connection;

    switch (what) {

    case NGX_HYPERDRIVE_POLICY_USER:
        *value = s->user;
        return NGX_OK;

    case NGX_HYPERDRIVE_POLICY_DATABASE:
        *value = ngx_hyperdrive_session_own_pool(s)->database;
        return NGX_OK;

    case NGX_HYPERDRIVE_POLICY_APPLICATION:
    {
        ngx_str_t  application = ngx_string("application_name");

        return ngx_hyperdrive_session_policy_setting(s, &application, value);
    }

    case NGX_HYPERDRIVE_POLICY_ADDR:
        *value = c->addr_text;
        return NGX_OK;

    case NGX_HYPERDRIVE_POLICY_TLS:
        ngx_str_set(value, "on");
        return c->ssl ? NGX_OK : NGX_DECLINED;

    case NGX_HYPERDRIVE_POLICY_SETTING:
        return ngx_hyperdrive_session_policy_setting(s, name, value);

    case NGX_HYPERDRIVE_POLICY_VARIABLE:
        return ngx_hyperdrive_session_policy_variable(s, name, value);

    case NGX_HYPERDRIVE_POLICY_READ_ONLY:
        plan = ngx_hyperdrive_session_plan(s, asks->stmt);

        ngx_str_set(value, "on");

        return (asks->stmt && asks->stmt->plan.read && plan->writes.n == 0)
               ? NGX_OK : NGX_DECLINED;

    default: /* NGX_HYPERDRIVE_POLICY_REASON */
        plan = ngx_hyperdrive_session_plan(s, asks->stmt);

        if (plan->reason == 0) {
            return NGX_DECLINED;
        }

        *value = *ngx_hyperdrive_sql_reason_name(plan->reason);

        return NGX_OK;
    }
}


/* what the client has set, or was started with */

static ngx_int_t
ngx_hyperdrive_session_policy_setting(ngx_hyperdrive_session_t *s,
    ngx_str_t *name, ngx_str_t *value)
{
    ngx_uint_t                     i;
    ngx_hyperdrive_proto_param_t  *param;

    if (s->settings
        && ngx_hyperdrive_state_settings_find(&s->settings->state, name, value)
           == NGX_OK)
    {
        return NGX_OK;
    }

    for (i = 0; i < ngx_hyperdrive_session_own_pool(s)->nparams; i++) {
        param = &ngx_hyperdrive_session_own_pool(s)->params[i];

        if (param->name.len == name->len
            && ngx_strncasecmp(param->name.data, name->data, name->len) == 0)
        {
            *value = param->value;
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_hyperdrive_session_policy_variable(ngx_hyperdrive_session_t *s,
    ngx_str_t *name, ngx_str_t *value)
{
    u_char                               *p;
    ngx_str_t                             lower;
    ngx_uint_t                            i, hash;
    ngx_stream_variable_value_t          *v;
    ngx_hyperdrive_session_decided_t     *decided;
    ngx_hyperdrive_session_policy_var_t  *var;

    decided = ngx_hyperdrive_session_policy_own(s);

    if (decided == NULL) {
        return NGX_DECLINED;
    }

    for (i = 0; i < decided->nvars; i++) {
        var = &decided->vars[i];

        if (ngx_hyperdrive_base_same(&var->name, name)) {
            *value = var->value;
            return value->data ? NGX_OK : NGX_DECLINED;
        }
    }

    if (decided->nvars == NGX_HYPERDRIVE_SESSION_POLICY_VARS) {
        return NGX_DECLINED;
    }

    if (decided->vars == NULL) {
        decided->vars = malloc(NGX_HYPERDRIVE_SESSION_POLICY_VARS
                               * sizeof(ngx_hyperdrive_session_policy_var_t));
        if (decided->vars == NULL) {
            return NGX_DECLINED;
        }
    }

    p = malloc(name->len * 2 + 1);
    if (p == NULL) {
        return NGX_DECLINED;
    }

    var = &decided->vars[decided->nvars++];

    var->name.data = p;
    var->name.len = name->len;
    p = ngx_cpymem(p, name->data, name->len);

    lower.data = p;
    lower.len = name->len;
    hash = ngx_hash_strlow(p, name->data, name->len);

    ngx_str_null(&var->value);

    v = ngx_stream_get_variable(s->stream, &lower, hash);

    if (v && !v->not_found) {
        value->data = v->data;
        value->len = v->len;

        var->value.len = v->len;
        var->value.data = malloc(v->len + 1);

        if (var->value.data) {
            ngx_memcpy(var->value.data, v->data, v->len);
        }
    }

    *value = var->value;

    return value->data ? NGX_OK : NGX_DECLINED;
}


static ngx_hyperdrive_session_decided_t *
ngx_hyperdrive_session_policy_own(ngx_hyperdrive_session_t *s)
{
    if (s->decided == NULL) {
        s->decided = calloc(1, sizeof(ngx_hyperdrive_session_decided_t));
    }

    return s->decided;
}


ngx_uint_t
ngx_hyperdrive_session_policy_refuses(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_error_t *err)
{
    ngx_hyperdrive_policy_decision_t  *d;

    if (s->conf->policy == NULL || s->streaming || s->unit.stmt == NULL) {
        return 0;
    }

    d = ngx_hyperdrive_session_policy(s, s->unit.stmt);

    if (d->reject == NULL) {
        return 0;
    }

    ngx_hyperdrive_session_policy_rejected = d;

    ngx_hyperdrive_session_policy_why(s, err);

    return 1;
}


void
ngx_hyperdrive_session_policy_why(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_error_t *err)
{
    ngx_hyperdrive_policy_decision_t  *d;

    d = ngx_hyperdrive_session_policy_rejected;

    err->severity = "ERROR";
    err->sqlstate = d->sqlstate;
    err->message = d->reject;
    err->hint = NULL;
}


ngx_uint_t
ngx_hyperdrive_session_policy_waits(ngx_hyperdrive_session_t *s)
{
    return s->conf->policy && !s->streaming && s->unit.stmt
           && ngx_hyperdrive_session_time_differs(s,
                       ngx_hyperdrive_session_policy(s, s->unit.stmt)->timeout);
}


/*
 * Tables by their names are found as a statement's are: by one that reads all
 * of them, whose plan is closed over views and partitions.
 */

ngx_hyperdrive_cache_version_set_t *
ngx_hyperdrive_session_policy_reads(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_policy_decision_t *d,
    ngx_hyperdrive_cache_version_set_t *reads)
{
    u_char                                     *p, quote;
    ngx_int_t                                   rc;
    ngx_str_t                                   text, types;
    ngx_uint_t                                  i;
    ngx_hyperdrive_sql_mode_t                   mode;
    ngx_hyperdrive_state_stmt_t                *stmt;
    ngx_hyperdrive_session_plan_t              *plan;
    ngx_hyperdrive_state_registry_t            *registry;

    static u_char                               buf[
                                         NGX_HYPERDRIVE_SESSION_POLICY_TABLES];
    static ngx_hyperdrive_cache_version_set_t   all;

    registry = s->conf->origin->ctx.registry;

    ngx_hyperdrive_sql_mode(s->unit.stmt->mode, &mode);
    quote = mode.mysql ? '`' : '"';

    p = ngx_cpymem(buf, "SELECT 1 FROM ", sizeof("SELECT 1 FROM ") - 1);

    for (i = 0; i < d->ntables; i++) {

        if ((size_t) (buf + sizeof(buf) - p) < d->tables[i].len * 3 + 6) {
            return NULL;
        }

        if (i) {
            *p++ = ',';
        }

        p = ngx_hyperdrive_session_policy_quote(p, &d->tables[i], quote);
    }

    text.data = buf;
    text.len = p - buf;

    ngx_str_set(&types, "");

    stmt = ngx_hyperdrive_state_stmt_get(registry, &text, &types,
                                         s->unit.stmt->mode);
    if (stmt == NULL) {
        return NULL;
    }

    all = *reads;

    plan = ngx_hyperdrive_session_plan(s, stmt);
    rc = plan->reason ? NGX_DECLINED : NGX_OK;

    for (i = 0; rc == NGX_OK && i < plan->reads.n; i++) {
        rc = ngx_hyperdrive_cache_version_add(&all, plan->reads.numbers[i]);
    }

    ngx_hyperdrive_state_stmt_unref(registry, stmt);

    return rc == NGX_OK ? &all : NULL;
}


/* "name" or "schema"."name" */

static u_char *
ngx_hyperdrive_session_policy_quote(u_char *p, ngx_str_t *name, u_char quote)
{
    size_t  i;

    *p++ = quote;

    for (i = 0; i < name->len; i++) {

        if (name->data[i] == '.') {
            *p++ = quote;
            *p++ = '.';
            *p++ = quote;
            continue;
        }

        if (name->data[i] == quote) {
            *p++ = quote;
        }

        *p++ = name->data[i];
    }

    *p++ = quote;

    return p;
}


void
ngx_hyperdrive_session_policy_run(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_run_t *run)
{
    ngx_str_t                         *bind;
    ngx_hyperdrive_policy_decision_t  *d;

    if (run->stmt && run->stmt == s->unit.stmt) {
        d = ngx_hyperdrive_session_policy(s, run->stmt);

    } else {

        /* one of several in its unit, or of a part of one */

        bind = (run->cut || run->args.len == 0) ? NULL : &run->args;
        d = ngx_hyperdrive_session_policy_decide(s, run->stmt, bind,
                                                 run->nparams);
    }

    ngx_hyperdrive_session_time_policy(s, d->timeout);

    if (d->reject && !s->pin.refused) {
        ngx_hyperdrive_session_policy_rejected = d;
        s->pin.refused = NGX_HYPERDRIVE_SESSION_PIN_POLICY;
    }
}


void
ngx_hyperdrive_session_policy_forget(ngx_hyperdrive_session_t *s)
{
    if (s->decided) {
        s->decided->decision = NULL;
    }
}


void
ngx_hyperdrive_session_policy_free(ngx_hyperdrive_session_t *s)
{
    ngx_uint_t  i;

    if (s->decided) {

        for (i = 0; i < s->decided->nvars; i++) {
            free(s->decided->vars[i].name.data);
            free(s->decided->vars[i].value.data);
        }

        free(s->decided->vars);
        free(s->decided->own);
        free(s->decided->last);
        free(s->decided);
        s->decided = NULL;
    }
}
