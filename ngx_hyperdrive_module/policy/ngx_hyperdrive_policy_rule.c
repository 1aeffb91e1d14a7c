
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "policy/ngx_hyperdrive_policy_rule.h"
#include "base/ngx_hyperdrive_base_cursor.h"
#include "sql/ngx_hyperdrive_sql_digest.h"
#include "sql/ngx_hyperdrive_sql_tags.h"


static ngx_uint_t ngx_hyperdrive_policy_rule_test(
    ngx_hyperdrive_policy_test_t *test, ngx_hyperdrive_policy_look_t *look);
static ngx_uint_t ngx_hyperdrive_policy_rule_text(
    ngx_hyperdrive_policy_test_t *test, ngx_hyperdrive_policy_look_t *look);
static ngx_uint_t ngx_hyperdrive_policy_rule_table(
    ngx_hyperdrive_policy_test_t *test, ngx_hyperdrive_policy_look_t *look);
static ngx_uint_t ngx_hyperdrive_policy_rule_function(
    ngx_hyperdrive_policy_test_t *test, ngx_hyperdrive_policy_look_t *look);
static ngx_uint_t ngx_hyperdrive_policy_rule_digest(
    ngx_hyperdrive_policy_test_t *test, ngx_hyperdrive_policy_look_t *look);
static ngx_uint_t ngx_hyperdrive_policy_rule_tag(
    ngx_hyperdrive_policy_test_t *test, ngx_hyperdrive_policy_look_t *look);
static ngx_uint_t ngx_hyperdrive_policy_rule_addr(
    ngx_hyperdrive_policy_test_t *test, ngx_hyperdrive_policy_look_t *look);


ngx_int_t
ngx_hyperdrive_policy_rule(ngx_hyperdrive_policy_rule_t *rule,
    ngx_hyperdrive_policy_look_t *look)
{
    ngx_uint_t                     i;
    ngx_hyperdrive_policy_test_t  *test;

    test = rule->tests.elts;

    for (i = 0; i < rule->tests.nelts; i++) {
        if (!ngx_hyperdrive_policy_rule_test(&test[i], look)) {
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_hyperdrive_policy_rule_test(ngx_hyperdrive_policy_test_t *test,
    ngx_hyperdrive_policy_look_t *look)
{
    ngx_str_t  value, *kind;

    switch (test->test) {

    case NGX_HYPERDRIVE_POLICY_RULE_TEXT:
        return ngx_hyperdrive_policy_rule_text(test, look);

    case NGX_HYPERDRIVE_POLICY_RULE_KIND:
        kind = ngx_hyperdrive_sql_kind_name(
                               ngx_hyperdrive_policy_look_facts(look)->kind);

        return ngx_hyperdrive_base_same(kind, &test->value);

    case NGX_HYPERDRIVE_POLICY_RULE_TABLE:
    case NGX_HYPERDRIVE_POLICY_RULE_WRITES:
        return ngx_hyperdrive_policy_rule_table(test, look);

    case NGX_HYPERDRIVE_POLICY_RULE_FUNCTION:
        return ngx_hyperdrive_policy_rule_function(test, look);

    case NGX_HYPERDRIVE_POLICY_RULE_DIGEST:
        return ngx_hyperdrive_policy_rule_digest(test, look);

    case NGX_HYPERDRIVE_POLICY_RULE_TAG:
        return ngx_hyperdrive_policy_rule_tag(test, look);

    case NGX_HYPERDRIVE_POLICY_RULE_FLAG:
        return (ngx_hyperdrive_policy_look(look, test->what, &test->name,
                                           &value)
                == NGX_OK)
               == test->on;

    case NGX_HYPERDRIVE_POLICY_RULE_ADDR:
        return ngx_hyperdrive_policy_rule_addr(test, look);

    default: /* NGX_HYPERDRIVE_POLICY_RULE_VALUE */
        return ngx_hyperdrive_policy_look(look, test->what, &test->name,
                                          &value)
               == NGX_OK
               && ngx_hyperdrive_base_same(&value, &test->value);
    }
}


static ngx_uint_t
ngx_hyperdrive_policy_rule_text(ngx_hyperdrive_policy_test_t *test,
    ngx_hyperdrive_policy_look_t *look)
{
    ngx_int_t  rc;

    rc = ngx_regex_exec(test->regex, &look->in->text, NULL, 0);

    if (rc >= 0) {
        return 1;
    }

    if (rc != NGX_REGEX_NO_MATCHED) {

        /* more steps than it may have */

        look->in->counters->policy_errors++;

        ngx_log_error(NGX_LOG_ERR, look->in->log, 0,
                      "hyperdrive policy: \"%V\" of a rule could not be "
                      "matched: %i", &test->value, rc);
    }

    return 0;
}


/* "name" in whatever schema, or "schema.name" as it is written */

static ngx_uint_t
ngx_hyperdrive_policy_rule_table(ngx_hyperdrive_policy_test_t *test,
    ngx_hyperdrive_policy_look_t *look)
{
    ngx_uint_t                   i;
    ngx_hyperdrive_sql_facts_t  *facts;
    ngx_hyperdrive_sql_table_t  *table;

    facts = ngx_hyperdrive_policy_look_facts(look);

    for (i = 0; i < facts->ntables; i++) {
        table = &facts->tables[i];

        if (test->test == NGX_HYPERDRIVE_POLICY_RULE_WRITES
            && !table->written)
        {
            continue;
        }

        if (ngx_hyperdrive_base_same(&table->name, &test->value)
            && (test->name.len == 0
                || ngx_hyperdrive_base_same(&table->schema, &test->name)))
        {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_hyperdrive_policy_rule_function(ngx_hyperdrive_policy_test_t *test,
    ngx_hyperdrive_policy_look_t *look)
{
    ngx_str_t   *names;
    ngx_uint_t   i, n;

    names = ngx_hyperdrive_policy_look_functions(look, &n);

    for (i = 0; i < n; i++) {
        if (ngx_hyperdrive_base_same(&names[i], &test->value)) {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_hyperdrive_policy_rule_digest(ngx_hyperdrive_policy_test_t *test,
    ngx_hyperdrive_policy_look_t *look)
{
    u_char     form[1], hex[16];
    uint64_t   digest;
    ngx_str_t  name;

    (void) ngx_hyperdrive_sql_digest(&look->in->text, &look->mode, form,
                                     sizeof(form), &digest);

    name.data = hex;
    name.len = ngx_sprintf(hex, "%016xL", digest) - hex;

    return ngx_hyperdrive_base_same(&name, &test->value);
}


static ngx_uint_t
ngx_hyperdrive_policy_rule_tag(ngx_hyperdrive_policy_test_t *test,
    ngx_hyperdrive_policy_look_t *look)
{
    ngx_uint_t                 i, n;
    ngx_hyperdrive_sql_tag_t  *tags;

    tags = ngx_hyperdrive_policy_look_tags(look, &n);

    for (i = 0; i < n; i++) {
        if (ngx_hyperdrive_base_same(&tags[i].name, &test->name)
            && ngx_hyperdrive_base_same(&tags[i].value, &test->value))
        {
            return 1;
        }
    }

    return 0;
}


/* a client of a unix socket is in no network */

static ngx_uint_t
ngx_hyperdrive_policy_rule_addr(ngx_hyperdrive_policy_test_t *test,
    ngx_hyperdrive_policy_look_t *look)
{
    in_addr_t             in;
    ngx_str_t             none, value;
    struct sockaddr_in    sin;
#if (NGX_HAVE_INET6)
    struct sockaddr_in6   sin6;
#endif

    ngx_str_null(&none);

    if (ngx_hyperdrive_policy_look(look, NGX_HYPERDRIVE_POLICY_ADDR, &none,
                                   &value)
        != NGX_OK)
    {
        return 0;
    }

    in = ngx_inet_addr(value.data, value.len);

    if (in != INADDR_NONE) {
        ngx_memzero(&sin, sizeof(struct sockaddr_in));
        sin.sin_family = AF_INET;
        sin.sin_addr.s_addr = in;

        return ngx_cidr_match((struct sockaddr *) &sin, &test->networks)
               == NGX_OK;
    }

#if (NGX_HAVE_INET6)

    ngx_memzero(&sin6, sizeof(struct sockaddr_in6));

    if (ngx_inet6_addr(value.data, value.len, sin6.sin6_addr.s6_addr)
        == NGX_OK)
    {
        sin6.sin6_family = AF_INET6;

        return ngx_cidr_match((struct sockaddr *) &sin6, &test->networks)
               == NGX_OK;
    }

#endif

    return 0;
}
