
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "ngx_hyperdrive_conf_policy.h"


/* steps that the matching of one pattern may take */
#define NGX_HYPERDRIVE_CONF_RULE_STEPS   "(*LIMIT_MATCH=200000)"


typedef struct ngx_hyperdrive_conf_rule_name_s
    ngx_hyperdrive_conf_rule_name_t;

/* a parameter <name>=VALUE; NGX_ERROR: it is logged; NGX_DECLINED: the value
   is none, and <wanted> says what it has to be */

struct ngx_hyperdrive_conf_rule_name_s {
    const char                      *name;
    ngx_int_t                      (*set)(ngx_conf_t *cf,
                                         ngx_hyperdrive_policy_rule_t *rule,
                                   const ngx_hyperdrive_conf_rule_name_t *name,
                                         ngx_str_t *value);
    ngx_uint_t                       what;
    const char                      *wanted;
};


static ngx_int_t ngx_hyperdrive_conf_rule_parse(ngx_conf_t *cf,
    ngx_hyperdrive_policy_rule_t *rule);
static ngx_int_t ngx_hyperdrive_conf_rule_quoted(ngx_conf_t *cf,
    ngx_uint_t *i, ngx_str_t *arg);
static ngx_int_t ngx_hyperdrive_conf_rule_param(ngx_conf_t *cf,
    ngx_hyperdrive_policy_rule_t *rule, ngx_str_t *arg, ngx_uint_t *action);
static ngx_int_t ngx_hyperdrive_conf_rule_named(ngx_conf_t *cf,
    ngx_hyperdrive_policy_rule_t *rule, ngx_str_t *arg);
static ngx_int_t ngx_hyperdrive_conf_rule_regex(ngx_conf_t *cf,
    ngx_hyperdrive_policy_rule_t *rule, ngx_str_t *pattern,
    ngx_uint_t caseless);
static ngx_int_t ngx_hyperdrive_conf_rule_order(ngx_conf_t *cf,
    ngx_hyperdrive_policy_rule_t *rule);
static ngx_hyperdrive_policy_test_t *ngx_hyperdrive_conf_rule_push(
    ngx_hyperdrive_policy_rule_t *rule, ngx_hyperdrive_policy_test_e test);
static ngx_int_t ngx_hyperdrive_conf_rule_kind(ngx_conf_t *cf,
    ngx_hyperdrive_policy_rule_t *rule,
    const ngx_hyperdrive_conf_rule_name_t *name, ngx_str_t *value);
static ngx_int_t ngx_hyperdrive_conf_rule_table(ngx_conf_t *cf,
    ngx_hyperdrive_policy_rule_t *rule,
    const ngx_hyperdrive_conf_rule_name_t *name, ngx_str_t *value);
static ngx_int_t ngx_hyperdrive_conf_rule_text(ngx_conf_t *cf,
    ngx_hyperdrive_policy_rule_t *rule,
    const ngx_hyperdrive_conf_rule_name_t *name, ngx_str_t *value);
static ngx_int_t ngx_hyperdrive_conf_rule_digest(ngx_conf_t *cf,
    ngx_hyperdrive_policy_rule_t *rule,
    const ngx_hyperdrive_conf_rule_name_t *name, ngx_str_t *value);
static ngx_int_t ngx_hyperdrive_conf_rule_value(ngx_conf_t *cf,
    ngx_hyperdrive_policy_rule_t *rule,
    const ngx_hyperdrive_conf_rule_name_t *name, ngx_str_t *value);
static ngx_int_t ngx_hyperdrive_conf_rule_flag(ngx_conf_t *cf,
    ngx_hyperdrive_policy_rule_t *rule,
    const ngx_hyperdrive_conf_rule_name_t *name, ngx_str_t *value);
static ngx_int_t ngx_hyperdrive_conf_rule_addr(ngx_conf_t *cf,
    ngx_hyperdrive_policy_rule_t *rule,
    const ngx_hyperdrive_conf_rule_name_t *name, ngx_str_t *value);
static ngx_int_t ngx_hyperdrive_conf_rule_cache(ngx_conf_t *cf,
    ngx_hyperdrive_policy_rule_t *rule,
    const ngx_hyperdrive_conf_rule_name_t *name, ngx_str_t *value);
static ngx_int_t ngx_hyperdrive_conf_rule_time(ngx_conf_t *cf,
    ngx_hyperdrive_policy_rule_t *rule,
    const ngx_hyperdrive_conf_rule_name_t *name, ngx_str_t *value);
static ngx_int_t ngx_hyperdrive_conf_rule_string(ngx_conf_t *cf,
    ngx_hyperdrive_policy_rule_t *rule,
    const ngx_hyperdrive_conf_rule_name_t *name, ngx_str_t *value);
static ngx_int_t ngx_hyperdrive_conf_rule_names(ngx_conf_t *cf,
    ngx_hyperdrive_policy_rule_t *rule,
    const ngx_hyperdrive_conf_rule_name_t *name, ngx_str_t *value);
static ngx_int_t ngx_hyperdrive_conf_rule_role(ngx_conf_t *cf,
    ngx_hyperdrive_policy_rule_t *rule,
    const ngx_hyperdrive_conf_rule_name_t *name, ngx_str_t *value);
static ngx_int_t ngx_hyperdrive_conf_rule_reject(ngx_conf_t *cf,
    ngx_hyperdrive_policy_rule_t *rule,
    const ngx_hyperdrive_conf_rule_name_t *name, ngx_str_t *value);
static ngx_int_t ngx_hyperdrive_conf_rule_priority(ngx_conf_t *cf,
    ngx_hyperdrive_policy_rule_t *rule,
    const ngx_hyperdrive_conf_rule_name_t *name, ngx_str_t *value);


#define ngx_hyperdrive_conf_rule_field(field)                                 \
    offsetof(ngx_hyperdrive_policy_rule_t, field)

#define NGX_HYPERDRIVE_CONF_RULE_A_TIME                                       \
    "a time, as in 500ms, 60s or 1h"


static const ngx_hyperdrive_conf_rule_name_t
    ngx_hyperdrive_conf_rule_conditions[] =
{
    { "kind", ngx_hyperdrive_conf_rule_kind, 0,
      "a kind of statement, as in kind=read, write or ddl" },
    { "table", ngx_hyperdrive_conf_rule_table,
      NGX_HYPERDRIVE_POLICY_RULE_TABLE,
      "a table as the database has it, as in table=orders or "
      "table=shop.orders" },
    { "writes", ngx_hyperdrive_conf_rule_table,
      NGX_HYPERDRIVE_POLICY_RULE_WRITES,
      "a table as the database has it, as in writes=orders or "
      "writes=shop.orders" },
    { "function", ngx_hyperdrive_conf_rule_text,
      NGX_HYPERDRIVE_POLICY_RULE_FUNCTION,
      "a function's name, as in function=pg_sleep" },
    { "digest", ngx_hyperdrive_conf_rule_digest, 0,
      "16 hexadecimal digits, as query logs show them" },
    { "user", ngx_hyperdrive_conf_rule_value, NGX_HYPERDRIVE_POLICY_USER,
      "a name" },
    { "database", ngx_hyperdrive_conf_rule_value,
      NGX_HYPERDRIVE_POLICY_DATABASE, "a name" },
    { "application", ngx_hyperdrive_conf_rule_value,
      NGX_HYPERDRIVE_POLICY_APPLICATION, "a name" },
    { "addr", ngx_hyperdrive_conf_rule_addr, 0,
      "an address or a network, as in addr=10.0.0.0/8" },
    { "tls", ngx_hyperdrive_conf_rule_flag, NGX_HYPERDRIVE_POLICY_TLS,
      "on or off" },
    { "read_only", ngx_hyperdrive_conf_rule_flag,
      NGX_HYPERDRIVE_POLICY_READ_ONLY, "on or off" },

    { NULL, NULL, 0, NULL }
};


static const ngx_hyperdrive_conf_rule_name_t
    ngx_hyperdrive_conf_rule_actions[] =
{
    { "cache", ngx_hyperdrive_conf_rule_cache, 0, "on or off" },
    { "max_age", ngx_hyperdrive_conf_rule_time,
      ngx_hyperdrive_conf_rule_field(decision.max_age),
      NGX_HYPERDRIVE_CONF_RULE_A_TIME },
    { "stale_while_revalidate", ngx_hyperdrive_conf_rule_time,
      ngx_hyperdrive_conf_rule_field(decision.stale),
      NGX_HYPERDRIVE_CONF_RULE_A_TIME },
    { "stale_if_error", ngx_hyperdrive_conf_rule_time,
      ngx_hyperdrive_conf_rule_field(decision.stale_error),
      NGX_HYPERDRIVE_CONF_RULE_A_TIME },
    { "key", ngx_hyperdrive_conf_rule_string,
      ngx_hyperdrive_conf_rule_field(decision.key), "a text" },
    { "tables", ngx_hyperdrive_conf_rule_names, 0,
      "at most 16 names with commas between, as in tables=orders,items" },
    { "tags", ngx_hyperdrive_conf_rule_names, 1,
      "at most 16 names with commas between, as in tags=catalog,prices" },
    { "upstream", ngx_hyperdrive_conf_rule_string,
      ngx_hyperdrive_conf_rule_field(upstream), "the name of an upstream" },
    { "mirror", ngx_hyperdrive_conf_rule_string,
      ngx_hyperdrive_conf_rule_field(mirror), "the name of an upstream" },
    { "role", ngx_hyperdrive_conf_rule_role, 0, "primary or replica" },
    { "reject", ngx_hyperdrive_conf_rule_reject, 0,
      "what the client is told, as in reject=\"not from here\"" },
    { "sqlstate", ngx_hyperdrive_conf_rule_reject, 1,
      "five digits or capital letters, not of class 00, 01 or 02" },
    { "timeout", ngx_hyperdrive_conf_rule_time,
      ngx_hyperdrive_conf_rule_field(decision.timeout),
      NGX_HYPERDRIVE_CONF_RULE_A_TIME },
    { "priority", ngx_hyperdrive_conf_rule_priority, 0,
      "a number from -10 to 10" },

    { NULL, NULL, 0, NULL }
};


/* hyperdrive_rule [~ REGEX] [~* REGEX] [CONDITION=VALUE ...] ACTION ...; */

char *
ngx_hyperdrive_conf_rule(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_hyperdrive_srv_conf_t *hscf = conf;

    static ngx_hyperdrive_policy_decision_t   none
                                                  = NGX_HYPERDRIVE_POLICY_NONE;
    ngx_hyperdrive_policy_rule_t             *rule;

    if (hscf->rules == NULL) {
        hscf->rules = ngx_array_create(cf->pool, 8,
                                       sizeof(ngx_hyperdrive_policy_rule_t));
        if (hscf->rules == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    rule = ngx_array_push(hscf->rules);
    if (rule == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(rule, sizeof(ngx_hyperdrive_policy_rule_t));

    rule->decision = none;
    rule->file = cf->conf_file->file.name.data;
    rule->line = cf->conf_file->line;

    if (ngx_array_init(&rule->tests, cf->pool, 4,
                       sizeof(ngx_hyperdrive_policy_test_t))
        != NGX_OK
        || ngx_hyperdrive_conf_rule_parse(cf, rule) != NGX_OK
        || ngx_hyperdrive_conf_rule_order(cf, rule) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static ngx_int_t
ngx_hyperdrive_conf_rule_parse(ngx_conf_t *cf,
    ngx_hyperdrive_policy_rule_t *rule)
{
    ngx_str_t   *value, arg;
    ngx_uint_t   i, action;

    value = cf->args->elts;
    action = 0;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strcmp(value[i].data, "~") == 0
            || ngx_strcmp(value[i].data, "~*") == 0)
        {
            if (i + 1 == cf->args->nelts) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "no pattern behind \"%V\" of "
                                   "\"hyperdrive_rule\": write for instance "
                                   "~* \"^select .* from prices\"",
                                   &value[i]);
                return NGX_ERROR;
            }

            i++;

            if (ngx_hyperdrive_conf_rule_regex(cf, rule, &value[i],
                                               value[i - 1].len == 2)
                != NGX_OK)
            {
                return NGX_ERROR;
            }

            continue;
        }

        if (ngx_hyperdrive_conf_rule_quoted(cf, &i, &arg) != NGX_OK
            || ngx_hyperdrive_conf_rule_param(cf, rule, &arg, &action)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (!action) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"hyperdrive_rule\" does not say what to do: write "
                           "for instance cache=off, max_age=5s, "
                           "reject=\"not here\", or default");
        return NGX_ERROR;
    }

    if (rule->decision.sqlstate && rule->decision.reject == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"sqlstate\" of \"hyperdrive_rule\" without a "
                           "\"reject\": write reject=\"...\" too");
        return NGX_ERROR;
    }

    if (rule->decision.reject && rule->decision.sqlstate == NULL) {
        rule->decision.sqlstate = "42501";
    }

    return NGX_OK;
}


/*
 * An argument, and those behind it if it is NAME="some words": nginx knows
 * quotes only where an argument begins, and has cut it at each blank.
 */

static ngx_int_t
ngx_hyperdrive_conf_rule_quoted(ngx_conf_t *cf, ngx_uint_t *i, ngx_str_t *arg)
{
    size_t       len, head;
    u_char      *p, *quote;
    ngx_str_t   *value;
    ngx_uint_t   k;

    value = cf->args->elts;
    *arg = value[*i];

    quote = (u_char *) ngx_strstr(arg->data, "=\"");

    if (quote == NULL
        || ngx_strlchr(arg->data, quote, '"') != NULL
        || ngx_strlchr(arg->data, quote, '=') != NULL)
    {
        return NGX_OK;
    }

    head = quote + 1 - arg->data;
    len = 0;

    for (k = *i; k < cf->args->nelts; k++) {
        len += value[k].len + 1;

        if (value[k].len && value[k].data[value[k].len - 1] == '"'
            && (k > *i || value[k].len > head + 1))
        {
            break;
        }
    }

    if (k == cf->args->nelts) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no closing quote behind \"%V\" of "
                           "\"hyperdrive_rule\"", arg);
        return NGX_ERROR;
    }

    p = ngx_pnalloc(cf->pool, len);
    if (p == NULL) {
        return NGX_ERROR;
    }

    /* without its two quotes */

    arg->data = p;
    p = ngx_cpymem(p, value[*i].data, head);
    p = ngx_cpymem(p, quote + 2, value[*i].len - head - 1);

    while (*i < k) {
        *p++ = ' ';
        (*i)++;
        p = ngx_cpymem(p, value[*i].data, value[*i].len);
    }

    *--p = '\0';
    arg->len = p - arg->data;

    return NGX_OK;
}


/* *action: bits of those that there were; one may be written twice if it is
   a condition only */

static ngx_int_t
ngx_hyperdrive_conf_rule_param(ngx_conf_t *cf,
    ngx_hyperdrive_policy_rule_t *rule, ngx_str_t *arg, ngx_uint_t *action)
{
    ngx_int_t                               rc;
    ngx_str_t                               value;
    ngx_uint_t                              i, bit;
    const ngx_hyperdrive_conf_rule_name_t  *name;

    static const ngx_hyperdrive_conf_rule_name_t  *tables[] = {
        ngx_hyperdrive_conf_rule_conditions,
        ngx_hyperdrive_conf_rule_actions
    };

    for (i = 0; i < 2; i++) {

        for (name = tables[i]; name->name; name++) {

            if (ngx_hyperdrive_conf_param(arg, name->name, &value) != NGX_OK) {
                continue;
            }

            bit = (ngx_uint_t) i << (1 + name - tables[i]);

            if (*action & bit) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "\"%V\" of \"hyperdrive_rule\" stands "
                                   "twice: write each action once", arg);
                return NGX_ERROR;
            }

            rc = value.len ? name->set(cf, rule, name, &value) : NGX_DECLINED;

            if (rc == NGX_DECLINED) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "invalid \"%V\" of \"hyperdrive_rule\": "
                                   "write %s", arg, name->wanted);
            }

            *action |= bit;

            return rc;
        }
    }

    if (ngx_strcmp(arg->data, "default") == 0) {
        *action |= 1;
        return NGX_OK;
    }

    if (ngx_strcmp(arg->data, "pin") == 0) {
        rule->decision.pin = 1;
        *action |= 1;
        return NGX_OK;
    }

    if (ngx_strcmp(arg->data, "params") == 0) {
        rule->decision.params = 1;
        *action |= 1;
        return NGX_OK;
    }

    return ngx_hyperdrive_conf_rule_named(cf, rule, arg);
}


/* tag.NAME=VALUE, setting.NAME=VALUE, var.NAME=VALUE */

static ngx_int_t
ngx_hyperdrive_conf_rule_named(ngx_conf_t *cf,
    ngx_hyperdrive_policy_rule_t *rule, ngx_str_t *arg)
{
    u_char                        *p, *last;
    ngx_uint_t                     i;
    ngx_hyperdrive_policy_test_t  *test;

    static struct {
        ngx_str_t                       prefix;
        ngx_hyperdrive_policy_test_e    test;
        ngx_hyperdrive_policy_value_e   what;
    } names[] = {
        { ngx_string("tag."), NGX_HYPERDRIVE_POLICY_RULE_TAG, 0 },
        { ngx_string("setting."), NGX_HYPERDRIVE_POLICY_RULE_VALUE,
          NGX_HYPERDRIVE_POLICY_SETTING },
        { ngx_string("var."), NGX_HYPERDRIVE_POLICY_RULE_VALUE,
          NGX_HYPERDRIVE_POLICY_VARIABLE }
    };

    last = arg->data + arg->len;

    for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {

        if (arg->len <= names[i].prefix.len
            || ngx_strncmp(arg->data, names[i].prefix.data,
                           names[i].prefix.len)
               != 0)
        {
            continue;
        }

        p = ngx_strlchr(arg->data, last, '=');

        if (p == NULL || p == arg->data + names[i].prefix.len) {
            break;
        }

        test = ngx_hyperdrive_conf_rule_push(rule, names[i].test);
        if (test == NULL) {
            return NGX_ERROR;
        }

        test->what = names[i].what;
        test->name.data = arg->data + names[i].prefix.len;
        test->name.len = p - test->name.data;
        test->value.data = p + 1;
        test->value.len = last - test->value.data;

        if (names[i].what == NGX_HYPERDRIVE_POLICY_VARIABLE
            && ngx_stream_get_variable_index(cf, &test->name) == NGX_ERROR)
        {
            /* nginx says so later, too, if nobody defines it */
            return NGX_ERROR;
        }

        return NGX_OK;
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\" of \"hyperdrive_rule\": "
                       "conditions are ~ and ~* with a pattern, kind=, "
                       "table=, writes=, function=, digest=, tag.NAME=, "
                       "user=, database=, application=, addr=, tls=, "
                       "read_only=, setting.NAME= and var.NAME=; and it does "
                       "cache=, max_age=, stale_while_revalidate=, "
                       "stale_if_error=, key=, tables=, tags=, upstream=, "
                       "role=, mirror=, reject=, sqlstate=, timeout=, "
                       "priority=, pin, params or default", arg);

    return NGX_ERROR;
}


static ngx_int_t
ngx_hyperdrive_conf_rule_regex(ngx_conf_t *cf,
    ngx_hyperdrive_policy_rule_t *rule, ngx_str_t *pattern,
    ngx_uint_t caseless)
{
    u_char                         errstr[NGX_MAX_CONF_ERRSTR];
    ngx_regex_compile_t            rc;
    ngx_hyperdrive_policy_test_t  *test;

    test = ngx_hyperdrive_conf_rule_push(rule, NGX_HYPERDRIVE_POLICY_RULE_TEXT);
    if (test == NULL) {
        return NGX_ERROR;
    }

    test->value = *pattern;

    ngx_memzero(&rc, sizeof(ngx_regex_compile_t));

    /* a text of the client's own has to come to an end */

    rc.pattern.len = sizeof(NGX_HYPERDRIVE_CONF_RULE_STEPS) - 1 + pattern->len;
    rc.pattern.data = ngx_pnalloc(cf->pool, rc.pattern.len + 1);
    if (rc.pattern.data == NULL) {
        return NGX_ERROR;
    }

    ngx_sprintf(rc.pattern.data, NGX_HYPERDRIVE_CONF_RULE_STEPS "%V%Z",
                pattern);

    rc.pool = cf->pool;
    rc.options = caseless ? NGX_REGEX_CASELESS : 0;
    rc.err.len = NGX_MAX_CONF_ERRSTR;
    rc.err.data = errstr;

    if (ngx_regex_compile(&rc) != NGX_OK) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid pattern \"%V\" of \"hyperdrive_rule\": %V",
                           pattern, &rc.err);
        return NGX_ERROR;
    }

    test->regex = rc.regex;

    return NGX_OK;
}


/*
 * What the text says is asked first: then less of the client is looked at, and
 * one decision does for more of them.
 */

static ngx_int_t
ngx_hyperdrive_conf_rule_order(ngx_conf_t *cf,
    ngx_hyperdrive_policy_rule_t *rule)
{
    ngx_uint_t                     i, pass;
    ngx_array_t                    sorted;
    ngx_hyperdrive_policy_test_t  *test, *to;

    if (ngx_array_init(&sorted, cf->pool, rule->tests.nelts + 1,
                       sizeof(ngx_hyperdrive_policy_test_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    test = rule->tests.elts;

    for (pass = 0; pass < 2; pass++) {

        for (i = 0; i < rule->tests.nelts; i++) {

            if ((test[i].test >= NGX_HYPERDRIVE_POLICY_RULE_VALUE) != pass) {
                continue;
            }

            to = ngx_array_push(&sorted);
            if (to == NULL) {
                return NGX_ERROR;
            }

            *to = test[i];
        }
    }

    rule->tests = sorted;

    return NGX_OK;
}


static ngx_hyperdrive_policy_test_t *
ngx_hyperdrive_conf_rule_push(ngx_hyperdrive_policy_rule_t *rule,
    ngx_hyperdrive_policy_test_e kind)
{
    ngx_hyperdrive_policy_test_t  *test;

    test = ngx_array_push(&rule->tests);

    if (test) {
        ngx_memzero(test, sizeof(ngx_hyperdrive_policy_test_t));
        test->test = kind;
    }

    return test;
}


static ngx_int_t
ngx_hyperdrive_conf_rule_kind(ngx_conf_t *cf,
    ngx_hyperdrive_policy_rule_t *rule,
    const ngx_hyperdrive_conf_rule_name_t *name, ngx_str_t *value)
{
    ngx_str_t                     *kind;
    ngx_uint_t                     i;
    ngx_hyperdrive_policy_test_t  *test;

    for (i = 0; i <= NGX_HYPERDRIVE_SQL_UNKNOWN; i++) {
        kind = ngx_hyperdrive_sql_kind_name(i);

        if (kind->len == value->len
            && ngx_memcmp(kind->data, value->data, value->len) == 0)
        {
            break;
        }
    }

    if (i > NGX_HYPERDRIVE_SQL_UNKNOWN) {
        return NGX_DECLINED;
    }

    test = ngx_hyperdrive_conf_rule_push(rule, NGX_HYPERDRIVE_POLICY_RULE_KIND);
    if (test == NULL) {
        return NGX_ERROR;
    }

    test->value = *value;

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_conf_rule_table(ngx_conf_t *cf,
    ngx_hyperdrive_policy_rule_t *rule,
    const ngx_hyperdrive_conf_rule_name_t *name, ngx_str_t *value)
{
    u_char                        *dot;
    ngx_hyperdrive_policy_test_t  *test;

    test = ngx_hyperdrive_conf_rule_push(rule, name->what);
    if (test == NULL) {
        return NGX_ERROR;
    }

    test->value = *value;

    dot = ngx_strlchr(value->data, value->data + value->len, '.');

    if (dot) {
        test->name.data = value->data;
        test->name.len = dot - value->data;
        test->value.data = dot + 1;
        test->value.len = value->data + value->len - test->value.data;

        if (test->name.len == 0 || test->value.len == 0) {
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_conf_rule_text(ngx_conf_t *cf,
    ngx_hyperdrive_policy_rule_t *rule,
    const ngx_hyperdrive_conf_rule_name_t *name, ngx_str_t *value)
{
    ngx_hyperdrive_policy_test_t  *test;

    test = ngx_hyperdrive_conf_rule_push(rule, name->what);
    if (test == NULL) {
        return NGX_ERROR;
    }

    test->value = *value;

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_conf_rule_digest(ngx_conf_t *cf,
    ngx_hyperdrive_policy_rule_t *rule,
    const ngx_hyperdrive_conf_rule_name_t *name, ngx_str_t *value)
{
    ngx_uint_t                     i;
    ngx_hyperdrive_policy_test_t  *test;

    if (value->len != 16) {
        return NGX_DECLINED;
    }

    for (i = 0; i < 16; i++) {

        if ((value->data[i] < '0' || value->data[i] > '9')
            && (value->data[i] < 'a' || value->data[i] > 'f'))
        {
            return NGX_DECLINED;
        }
    }

    test = ngx_hyperdrive_conf_rule_push(rule,
                                         NGX_HYPERDRIVE_POLICY_RULE_DIGEST);
    if (test == NULL) {
        return NGX_ERROR;
    }

    test->value = *value;

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_conf_rule_value(ngx_conf_t *cf,
    ngx_hyperdrive_policy_rule_t *rule,
    const ngx_hyperdrive_conf_rule_name_t *name, ngx_str_t *value)
{
    ngx_hyperdrive_policy_test_t  *test;

    test = ngx_hyperdrive_conf_rule_push(rule,
                                         NGX_HYPERDRIVE_POLICY_RULE_VALUE);
    if (test == NULL) {
        return NGX_ERROR;
    }

    test->what = name->what;
    test->value = *value;

    return NGX_OK;
}


/* what is there, or is not */

static ngx_int_t
ngx_hyperdrive_conf_rule_flag(ngx_conf_t *cf,
    ngx_hyperdrive_policy_rule_t *rule,
    const ngx_hyperdrive_conf_rule_name_t *name, ngx_str_t *value)
{
    ngx_hyperdrive_policy_test_t  *test;

    if (ngx_strcmp(value->data, "on") != 0
        && ngx_strcmp(value->data, "off") != 0)
    {
        return NGX_DECLINED;
    }

    test = ngx_hyperdrive_conf_rule_push(rule, NGX_HYPERDRIVE_POLICY_RULE_FLAG);
    if (test == NULL) {
        return NGX_ERROR;
    }

    test->what = name->what;
    test->on = (value->len == 2);

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_conf_rule_addr(ngx_conf_t *cf,
    ngx_hyperdrive_policy_rule_t *rule,
    const ngx_hyperdrive_conf_rule_name_t *name, ngx_str_t *value)
{
    ngx_int_t                      rc;
    ngx_str_t                      text;
    ngx_cidr_t                    *cidr;
    ngx_hyperdrive_policy_test_t  *test;

    test = ngx_hyperdrive_conf_rule_push(rule, NGX_HYPERDRIVE_POLICY_RULE_ADDR);
    if (test == NULL) {
        return NGX_ERROR;
    }

    if (ngx_array_init(&test->networks, cf->pool, 1, sizeof(ngx_cidr_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    cidr = ngx_array_push(&test->networks);
    if (cidr == NULL) {
        return NGX_ERROR;
    }

    text = *value;
    rc = ngx_ptocidr(&text, cidr);

    if (rc == NGX_ERROR) {
        return NGX_DECLINED;
    }

    if (rc == NGX_DONE) {
        ngx_conf_log_error(NGX_LOG_WARN, cf, 0,
                           "low address bits of \"%V\" of "
                           "\"hyperdrive_rule\" are meaningless", value);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_conf_rule_cache(ngx_conf_t *cf,
    ngx_hyperdrive_policy_rule_t *rule,
    const ngx_hyperdrive_conf_rule_name_t *name, ngx_str_t *value)
{
    if (ngx_strcmp(value->data, "on") == 0) {
        rule->decision.cache = NGX_HYPERDRIVE_POLICY_CACHE_ON;
        return NGX_OK;
    }

    if (ngx_strcmp(value->data, "off") == 0) {
        rule->decision.cache = NGX_HYPERDRIVE_POLICY_CACHE_OFF;
        return NGX_OK;
    }

    return NGX_DECLINED;
}


static ngx_int_t
ngx_hyperdrive_conf_rule_time(ngx_conf_t *cf,
    ngx_hyperdrive_policy_rule_t *rule,
    const ngx_hyperdrive_conf_rule_name_t *name, ngx_str_t *value)
{
    ngx_int_t  n;

    n = ngx_parse_time(value, 0);

    if (n == NGX_ERROR || n > NGX_MAX_INT32_VALUE) {
        return NGX_DECLINED;
    }

    *(ngx_msec_t *) ((u_char *) rule + name->what) = n;

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_conf_rule_string(ngx_conf_t *cf,
    ngx_hyperdrive_policy_rule_t *rule,
    const ngx_hyperdrive_conf_rule_name_t *name, ngx_str_t *value)
{
    *(ngx_str_t *) ((u_char *) rule + name->what) = *value;

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_conf_rule_names(ngx_conf_t *cf,
    ngx_hyperdrive_policy_rule_t *rule,
    const ngx_hyperdrive_conf_rule_name_t *name, ngx_str_t *value)
{
    u_char      *p, *end, *last;
    ngx_str_t   *names;
    ngx_uint_t  *n;

    names = name->what ? rule->decision.tags : rule->decision.tables;
    n = name->what ? &rule->decision.ntags : &rule->decision.ntables;

    last = value->data + value->len;

    for (p = value->data, *n = 0; /* void */ ; p = end + 1) {
        end = ngx_strlchr(p, last, ',');
        end = end ? end : last;

        if (end == p || *n == NGX_HYPERDRIVE_POLICY_NAMES) {
            return NGX_DECLINED;
        }

        names[*n].data = p;
        names[(*n)++].len = end - p;

        if (end == last) {
            return NGX_OK;
        }
    }
}


static ngx_int_t
ngx_hyperdrive_conf_rule_role(ngx_conf_t *cf,
    ngx_hyperdrive_policy_rule_t *rule,
    const ngx_hyperdrive_conf_rule_name_t *name, ngx_str_t *value)
{
    if (ngx_strcmp(value->data, "primary") == 0) {
        rule->decision.role = NGX_HYPERDRIVE_POLICY_ROLE_PRIMARY;
        return NGX_OK;
    }

    if (ngx_strcmp(value->data, "replica") == 0) {
        rule->decision.role = NGX_HYPERDRIVE_POLICY_ROLE_REPLICA;
        return NGX_OK;
    }

    return NGX_DECLINED;
}


/* arguments of directives end with a NUL */

static ngx_int_t
ngx_hyperdrive_conf_rule_reject(ngx_conf_t *cf,
    ngx_hyperdrive_policy_rule_t *rule,
    const ngx_hyperdrive_conf_rule_name_t *name, ngx_str_t *value)
{
    if (name->what == 0) {
        rule->decision.reject = (char *) value->data;
        return NGX_OK;
    }

    rule->decision.sqlstate = (char *) value->data;

    return ngx_hyperdrive_policy_decision_sqlstate(value);
}


static ngx_int_t
ngx_hyperdrive_conf_rule_priority(ngx_conf_t *cf,
    ngx_hyperdrive_policy_rule_t *rule,
    const ngx_hyperdrive_conf_rule_name_t *name, ngx_str_t *value)
{
    ngx_int_t   n;
    ngx_uint_t  minus;

    minus = (value->data[0] == '-');

    n = ngx_atoi(value->data + minus, value->len - minus);

    if (n == NGX_ERROR || n > NGX_HYPERDRIVE_POLICY_PRIORITY) {
        return NGX_DECLINED;
    }

    rule->decision.priority = minus ? -n : n;

    return NGX_OK;
}
