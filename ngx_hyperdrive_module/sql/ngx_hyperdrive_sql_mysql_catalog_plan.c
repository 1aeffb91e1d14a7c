
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "sql/ngx_hyperdrive_sql_mysql_catalog.h"
#include "sql/ngx_hyperdrive_sql_mysql.h"


/* views on views, routines that call routines: not deeper */
#define NGX_HYPERDRIVE_SQL_MYSQL_PLAN_DEPTH  32


typedef struct {
    ngx_hyperdrive_sql_catalog_t           *cat;
    ngx_hyperdrive_sql_mysql_catalog_t     *my;
    ngx_hyperdrive_sql_catalog_plan_t      *plan;
    ngx_uint_t                              depth;
    ngx_uint_t                              elsewhere;
} ngx_hyperdrive_sql_mysql_walk_t;


static void ngx_hyperdrive_sql_mysql_catalog_plan_facts(
    ngx_hyperdrive_sql_mysql_walk_t *w, ngx_hyperdrive_sql_facts_t *facts,
    ngx_str_t *home, ngx_uint_t written);
static void ngx_hyperdrive_sql_mysql_catalog_plan_table(
    ngx_hyperdrive_sql_mysql_walk_t *w, ngx_str_t *schema, ngx_str_t *name,
    ngx_uint_t written);
static void ngx_hyperdrive_sql_mysql_catalog_plan_write(
    ngx_hyperdrive_sql_mysql_walk_t *w, ngx_hyperdrive_sql_mysql_table_t *t);
static void ngx_hyperdrive_sql_mysql_catalog_plan_cascade(
    ngx_hyperdrive_sql_mysql_walk_t *w, ngx_hyperdrive_sql_mysql_table_t *t);
static ngx_uint_t ngx_hyperdrive_sql_mysql_catalog_plan_sees(
    ngx_hyperdrive_sql_mysql_walk_t *w, ngx_hyperdrive_sql_mysql_table_t *t);
static void ngx_hyperdrive_sql_mysql_catalog_plan_call(
    ngx_hyperdrive_sql_mysql_walk_t *w, ngx_hyperdrive_sql_function_t *call,
    ngx_str_t *home);
static ngx_hyperdrive_sql_catalog_rule_t *
    ngx_hyperdrive_sql_mysql_catalog_plan_rule(
    ngx_hyperdrive_sql_mysql_walk_t *w, ngx_str_t *schema, ngx_str_t *name);
static void ngx_hyperdrive_sql_mysql_catalog_plan_ruled(
    ngx_hyperdrive_sql_mysql_walk_t *w,
    ngx_hyperdrive_sql_catalog_rule_t *rule, ngx_str_t *schema);
static void ngx_hyperdrive_sql_mysql_catalog_plan_code(
    ngx_hyperdrive_sql_mysql_walk_t *w, ngx_hyperdrive_sql_mysql_code_t *code,
    ngx_uint_t routine);
static void ngx_hyperdrive_sql_mysql_catalog_plan_text(
    ngx_hyperdrive_sql_mysql_walk_t *w, ngx_str_t *text, ngx_uint_t mode,
    ngx_hyperdrive_sql_mysql_code_t *code, ngx_str_t *home,
    ngx_uint_t written);
static void ngx_hyperdrive_sql_mysql_catalog_plan_reason(
    ngx_hyperdrive_sql_mysql_walk_t *w, ngx_hyperdrive_sql_reason_e reason);
static void ngx_hyperdrive_sql_mysql_catalog_plan_anything(
    ngx_hyperdrive_sql_mysql_walk_t *w);
static void ngx_hyperdrive_sql_mysql_catalog_plan_add(
    ngx_hyperdrive_sql_mysql_walk_t *w, ngx_str_t *schema, ngx_str_t *name,
    ngx_uint_t written);


void
ngx_hyperdrive_sql_mysql_catalog_plan(ngx_hyperdrive_sql_catalog_t *cat,
    ngx_hyperdrive_sql_facts_t *facts, ngx_str_t *schema,
    ngx_uint_t elsewhere, ngx_hyperdrive_sql_catalog_plan_t *plan)
{
    ngx_hyperdrive_sql_mysql_walk_t  w;

    ngx_hyperdrive_sql_catalog_plan_blind(facts, plan);

    if (facts->anything || facts->incomplete) {
        return;
    }

    /* what the catalog knows takes the place of what was feared */

    plan->reason = facts->known_reason;
    plan->stateful = facts->known_stateful;
    plan->whole = 0;
    plan->ddl = 0;
    plan->perhaps = 0;

    w.cat = cat;
    w.my = cat->mysql;
    w.plan = plan;
    w.depth = 0;
    w.elsewhere = elsewhere;

    w.my->walk++;

    if (facts->stable && !elsewhere
        && (plan->reason == NGX_HYPERDRIVE_SQL_CACHEABLE
            || plan->reason == NGX_HYPERDRIVE_SQL_NO_TABLE))
    {
        plan->reason = NGX_HYPERDRIVE_SQL_VOLATILE;
    }

    ngx_hyperdrive_sql_mysql_catalog_plan_facts(&w, facts, schema, 0);

    if (plan->reason == NGX_HYPERDRIVE_SQL_NO_TABLE && plan->nreads) {
        /* a function reads some */
        plan->reason = NGX_HYPERDRIVE_SQL_CACHEABLE;
    }

    if (plan->reason == NGX_HYPERDRIVE_SQL_CACHEABLE
        && (plan->whole || plan->nwrites || plan->stateful || plan->unknown))
    {
        plan->reason = NGX_HYPERDRIVE_SQL_FUNCTION;
    }
}


/*
 * What a text names; <home> is where names without a schema are looked for,
 * NULL if that is not known.  <written>: it is a view that is written to.
 */

static void
ngx_hyperdrive_sql_mysql_catalog_plan_facts(ngx_hyperdrive_sql_mysql_walk_t *w,
    ngx_hyperdrive_sql_facts_t *facts, ngx_str_t *home, ngx_uint_t written)
{
    ngx_uint_t                   i;
    ngx_hyperdrive_sql_table_t  *t;

    if (facts->anything || facts->incomplete) {
        ngx_hyperdrive_sql_mysql_catalog_plan_anything(w);
        return;
    }

    for (i = 0; i < facts->ntables; i++) {
        t = &facts->tables[i];

        ngx_hyperdrive_sql_mysql_catalog_plan_table(w,
                          t->schema.len ? &t->schema : home, &t->name,
                          written || (t->written && facts->known_may_write));
    }

    for (i = 0; i < facts->nfunctions; i++) {
        ngx_hyperdrive_sql_mysql_catalog_plan_call(w, &facts->functions[i],
                                                   home);
    }
}


static void
ngx_hyperdrive_sql_mysql_catalog_plan_table(ngx_hyperdrive_sql_mysql_walk_t *w,
    ngx_str_t *schema, ngx_str_t *name, ngx_uint_t written)
{
    u_char                             low[2][256];
    ngx_str_t                          folded[2];
    ngx_uint_t                         first;
    ngx_hyperdrive_sql_mysql_table_t  *t;

    if (schema == NULL || schema->len > 256 || name->len > 256) {
        ngx_hyperdrive_sql_mysql_catalog_plan_reason(w,
                                                    NGX_HYPERDRIVE_SQL_TABLE);
        w->plan->whole |= written;
        return;
    }

    if (w->my->lower) {
        ngx_strlow(low[0], schema->data, schema->len);
        ngx_strlow(low[1], name->data, name->len);

        folded[0].data = low[0];
        folded[0].len = schema->len;
        folded[1].data = low[1];
        folded[1].len = name->len;

        schema = &folded[0];
        name = &folded[1];
    }

    if (ngx_hyperdrive_sql_mysql.system(schema, name)) {
        ngx_hyperdrive_sql_mysql_catalog_plan_reason(w,
                                                   NGX_HYPERDRIVE_SQL_SYSTEM);
        if (written) {
            /* mysql.proc... */
            ngx_hyperdrive_sql_mysql_catalog_plan_anything(w);
        }

        return;
    }

    if (ngx_hyperdrive_sql_mysql_catalog_find(&w->my->tables, schema, name,
                                              &first)
        == 0)
    {
        ngx_hyperdrive_sql_mysql_catalog_plan_reason(w,
                                                    NGX_HYPERDRIVE_SQL_TABLE);
        w->plan->unknown |= written;
        return;
    }

    t = (ngx_hyperdrive_sql_mysql_table_t *) w->my->tables.elts + first;

    if (t->read == w->my->walk && (!written || t->written == w->my->walk)) {
        return;
    }

    t->read = w->my->walk;

    if (written) {
        t->written = w->my->walk;
    }

    switch (t->kind) {

    case 'v':

        if (t->text.len == 0) {

            /* who asks may not see it */

            ngx_hyperdrive_sql_mysql_catalog_plan_reason(w,
                                                  NGX_HYPERDRIVE_SQL_FOREIGN);
            w->plan->whole |= written;
            return;
        }

        ngx_hyperdrive_sql_mysql_catalog_plan_text(w, &t->text, w->my->mode,
                                                   NULL, &t->schema, written);
        return;

    case 's':
        ngx_hyperdrive_sql_mysql_catalog_plan_reason(w,
                                                   NGX_HYPERDRIVE_SQL_SYSTEM);
        return;

    case 'f':
        ngx_hyperdrive_sql_mysql_catalog_plan_reason(w,
                                                  NGX_HYPERDRIVE_SQL_FOREIGN);
        w->plan->whole |= written;
        return;

    default:
        break;
    }

    if (t->volatile_column) {
        ngx_hyperdrive_sql_mysql_catalog_plan_reason(w,
                                                 NGX_HYPERDRIVE_SQL_VOLATILE);
    }

    ngx_hyperdrive_sql_mysql_catalog_plan_add(w, &t->schema, &t->name, 0);

    if (written) {
        ngx_hyperdrive_sql_mysql_catalog_plan_write(w, t);
    }
}


/* a table with data: what its triggers do, and what hangs on it */

static void
ngx_hyperdrive_sql_mysql_catalog_plan_write(ngx_hyperdrive_sql_mysql_walk_t *w,
    ngx_hyperdrive_sql_mysql_table_t *t)
{
    ngx_uint_t                        i, n, first;
    ngx_hyperdrive_sql_mysql_code_t  *code;

    ngx_hyperdrive_sql_mysql_catalog_plan_add(w, &t->schema, &t->name, 1);

    w->plan->instant |= t->instant;

    if (!ngx_hyperdrive_sql_mysql_catalog_plan_sees(w, t)) {
        w->plan->whole = 1;
        return;
    }

    n = ngx_hyperdrive_sql_mysql_catalog_find(&w->my->triggers, &t->schema,
                                              &t->name, &first);

    for (i = first; i < first + n; i++) {
        code = (ngx_hyperdrive_sql_mysql_code_t *) w->my->triggers.elts + i;
        ngx_hyperdrive_sql_mysql_catalog_plan_code(w, code, 0);
    }

    ngx_hyperdrive_sql_mysql_catalog_plan_cascade(w, t);
}


/*
 * No trigger is run for the rows of the others.  A table is gone into once:
 * the keys may lead back to it, and there may be several to one table.
 */

static void
ngx_hyperdrive_sql_mysql_catalog_plan_cascade(
    ngx_hyperdrive_sql_mysql_walk_t *w, ngx_hyperdrive_sql_mysql_table_t *t)
{
    ngx_uint_t                       i, n, first, child;
    ngx_hyperdrive_sql_mysql_key_t  *key;

    if (t->cascaded == w->my->walk) {
        return;
    }

    t->cascaded = w->my->walk;

    if (++w->depth > NGX_HYPERDRIVE_SQL_MYSQL_PLAN_DEPTH) {
        w->plan->whole = 1;
        w->depth--;
        return;
    }

    n = ngx_hyperdrive_sql_mysql_catalog_find(&w->my->keys, &t->schema,
                                              &t->name, &first);

    for (i = first; i < first + n; i++) {
        key = (ngx_hyperdrive_sql_mysql_key_t *) w->my->keys.elts + i;

        ngx_hyperdrive_sql_mysql_catalog_plan_add(w, &key->child_schema,
                                                  &key->child, 1);

        if (ngx_hyperdrive_sql_mysql_catalog_find(&w->my->tables,
                                       &key->child_schema, &key->child, &child)
            == 0)
        {
            continue;
        }

        ngx_hyperdrive_sql_mysql_catalog_plan_cascade(w,
            (ngx_hyperdrive_sql_mysql_table_t *) w->my->tables.elts + child);
    }

    w->depth--;
}


/* may who has read the catalog see the triggers of the table? */

static ngx_uint_t
ngx_hyperdrive_sql_mysql_catalog_plan_sees(ngx_hyperdrive_sql_mysql_walk_t *w,
    ngx_hyperdrive_sql_mysql_table_t *t)
{
    size_t                            k, n;
    ngx_str_t                         nowhere;
    ngx_uint_t                        i, any, first;
    ngx_hyperdrive_sql_mysql_name_t  *right;

    ngx_str_set(&nowhere, "");

    if (ngx_hyperdrive_sql_mysql_catalog_find(&w->my->rights, &nowhere,
                                              &nowhere, &first)
        || ngx_hyperdrive_sql_mysql_catalog_find(&w->my->rights, &t->schema,
                                                 &t->name, &first))
    {
        return 1;
    }

    /* of a schema, as a pattern: shop\_1, shop_%, shop% */

    for (i = 0; i < w->my->rights.n; i++) {
        right = (ngx_hyperdrive_sql_mysql_name_t *) w->my->rights.elts + i;

        if (right->name.len) {
            continue;
        }

        for (k = 0, n = 0; k < right->schema.len; k++) {

            any = (right->schema.data[k] == '_');

            if (right->schema.data[k] == '\\' && k + 1 < right->schema.len) {
                k++;

            } else if (right->schema.data[k] == '%') {

                /* the rest, if it is the last; else who knows */

                n = (k + 1 == right->schema.len) ? t->schema.len
                                                 : (size_t) -1;
                break;
            }

            if (n == t->schema.len
                || (right->schema.data[k] != t->schema.data[n] && !any))
            {
                n = (size_t) -1;
                break;
            }

            n++;
        }

        if (n == t->schema.len) {
            return 1;
        }
    }

    return 0;
}


static void
ngx_hyperdrive_sql_mysql_catalog_plan_call(ngx_hyperdrive_sql_mysql_walk_t *w,
    ngx_hyperdrive_sql_function_t *call, ngx_str_t *home)
{
    u_char                              low[2][256];
    ngx_str_t                          *schema, name, folded;
    ngx_uint_t                          i, n, first;
    ngx_hyperdrive_sql_mysql_code_t    *code;
    ngx_hyperdrive_sql_catalog_rule_t  *rule;

    schema = call->schema.len ? &call->schema : home;

    if (schema == NULL || schema->len > 256 || call->name.len > 256) {
        ngx_hyperdrive_sql_mysql_catalog_plan_anything(w);
        return;
    }

    if (w->my->lower) {
        ngx_strlow(low[1], schema->data, schema->len);

        folded.data = low[1];
        folded.len = schema->len;
        schema = &folded;
    }

    ngx_strlow(low[0], call->name.data, call->name.len);

    name.data = low[0];
    name.len = call->name.len;

    rule = ngx_hyperdrive_sql_mysql_catalog_plan_rule(w, schema, &name);

    if (rule) {
        ngx_hyperdrive_sql_mysql_catalog_plan_ruled(w, rule, schema);
        return;
    }

    n = ngx_hyperdrive_sql_mysql_catalog_find(&w->my->routines, schema, &name,
                                              &first);

    for (i = first; i < first + n; i++) {
        code = (ngx_hyperdrive_sql_mysql_code_t *) w->my->routines.elts + i;

        if (code->procedure == call->procedure && !code->foreign
            && code->text.len)
        {
            ngx_hyperdrive_sql_mysql_catalog_plan_code(w, code, 1);
            return;
        }
    }

    ngx_hyperdrive_sql_mysql_catalog_plan_anything(w);
}


static ngx_hyperdrive_sql_catalog_rule_t *
ngx_hyperdrive_sql_mysql_catalog_plan_rule(ngx_hyperdrive_sql_mysql_walk_t *w,
    ngx_str_t *schema, ngx_str_t *name)
{
    ngx_str_t                          *r;
    ngx_uint_t                          i;
    ngx_hyperdrive_sql_catalog_rule_t  *rule;

    for (i = 0; i < w->cat->nrules; i++) {
        rule = &w->cat->rules[i];
        r = &rule->name;

        if (r->len == name->len
            && ngx_strncasecmp(r->data, name->data, r->len) == 0)
        {
            return rule;
        }

        if (r->len == schema->len + 1 + name->len
            && ngx_memcmp(r->data, schema->data, schema->len) == 0
            && r->data[schema->len] == '.'
            && ngx_strncasecmp(r->data + schema->len + 1, name->data,
                               name->len)
               == 0)
        {
            return rule;
        }
    }

    return NULL;
}


/* the operator has said what it does */

static void
ngx_hyperdrive_sql_mysql_catalog_plan_ruled(ngx_hyperdrive_sql_mysql_walk_t *w,
    ngx_hyperdrive_sql_catalog_rule_t *rule, ngx_str_t *schema)
{
    u_char      *dot;
    ngx_str_t    home, name;
    ngx_uint_t   i;

    if (rule->writes && rule->ntables == 0) {
        w->plan->whole = 1;
    }

    for (i = 0; i < rule->ntables; i++) {
        home = *schema;
        name = rule->tables[i];

        dot = ngx_strlchr(name.data, name.data + name.len, '.');

        if (dot) {
            home.data = name.data;
            home.len = dot - name.data;

            name.len -= home.len + 1;
            name.data = dot + 1;
        }

        ngx_hyperdrive_sql_mysql_catalog_plan_table(w, &home, &name,
                                                    rule->writes);
    }
}


static void
ngx_hyperdrive_sql_mysql_catalog_plan_code(ngx_hyperdrive_sql_mysql_walk_t *w,
    ngx_hyperdrive_sql_mysql_code_t *code, ngx_uint_t routine)
{
    if (code->walk == w->my->walk) {
        return;
    }

    code->walk = w->my->walk;

    ngx_hyperdrive_sql_mysql_catalog_plan_text(w, &code->text, code->mode,
                                               code, &code->home, routine);
}


/* <code> NULL: the text is a view's */

static void
ngx_hyperdrive_sql_mysql_catalog_plan_text(ngx_hyperdrive_sql_mysql_walk_t *w,
    ngx_str_t *text, ngx_uint_t bits, ngx_hyperdrive_sql_mysql_code_t *code,
    ngx_str_t *home, ngx_uint_t written)
{
    u_char                           *names;
    ngx_str_t                         params[NGX_HYPERDRIVE_SQL_SCAN_DECLARED];
    ngx_uint_t                        i, n, first;
    ngx_hyperdrive_sql_mode_t         mode;
    ngx_hyperdrive_sql_facts_t       *facts;
    ngx_hyperdrive_sql_mysql_name_t  *param;

    if (w->depth == NGX_HYPERDRIVE_SQL_MYSQL_PLAN_DEPTH) {
        ngx_hyperdrive_sql_mysql_catalog_plan_anything(w);
        return;
    }

    facts = malloc(sizeof(ngx_hyperdrive_sql_facts_t) + text->len);

    if (facts == NULL) {
        ngx_hyperdrive_sql_mysql_catalog_plan_anything(w);
        return;
    }

    names = (u_char *) (facts + 1);

    ngx_hyperdrive_sql_mode(bits, &mode);

    w->depth++;

    if (code == NULL) {
        ngx_hyperdrive_sql_classify(text, &mode, names, text->len, facts);

        if (facts->kind != NGX_HYPERDRIVE_SQL_READ) {
            ngx_hyperdrive_sql_mysql_catalog_plan_anything(w);
        }

    } else {

        n = 0;

        if (written) {
            n = ngx_hyperdrive_sql_mysql_catalog_find(&w->my->params,
                                           &code->schema, &code->name, &first);
            n = ngx_min(n, NGX_HYPERDRIVE_SQL_SCAN_DECLARED);
        }

        for (i = 0; i < n; i++) {
            param = (ngx_hyperdrive_sql_mysql_name_t *) w->my->params.elts
                    + first + i;
            params[i] = param->text;
        }

        ngx_hyperdrive_sql_mysql_body(text, &mode, params, n, names,
                                      text->len, facts);

        if (facts->transaction_control || facts->commits_first) {
            /* it ends the transaction that it is in */
            ngx_hyperdrive_sql_mysql_catalog_plan_anything(w);
        }

        written = 0;
    }

    w->plan->stateful |= facts->known_stateful;

    if (facts->known_reason != NGX_HYPERDRIVE_SQL_NO_TABLE) {
        ngx_hyperdrive_sql_mysql_catalog_plan_reason(w, facts->known_reason);
    }

    if (facts->stable && !w->elsewhere) {
        ngx_hyperdrive_sql_mysql_catalog_plan_reason(w,
                                                 NGX_HYPERDRIVE_SQL_VOLATILE);
    }

    ngx_hyperdrive_sql_mysql_catalog_plan_facts(w, facts, home, written);

    w->depth--;

    free(facts);
}


/* the first one counts */

static void
ngx_hyperdrive_sql_mysql_catalog_plan_reason(
    ngx_hyperdrive_sql_mysql_walk_t *w, ngx_hyperdrive_sql_reason_e reason)
{
    if (w->plan->reason == NGX_HYPERDRIVE_SQL_CACHEABLE
        || (w->plan->reason == NGX_HYPERDRIVE_SQL_NO_TABLE
            && reason != NGX_HYPERDRIVE_SQL_CACHEABLE))
    {
        w->plan->reason = reason;
    }
}


/* code that cannot be read */

static void
ngx_hyperdrive_sql_mysql_catalog_plan_anything(
    ngx_hyperdrive_sql_mysql_walk_t *w)
{
    ngx_hyperdrive_sql_mysql_catalog_plan_reason(w,
                                                 NGX_HYPERDRIVE_SQL_FUNCTION);
    w->plan->whole = 1;
    w->plan->ddl = 1;
    w->plan->stateful = 1;
}


static void
ngx_hyperdrive_sql_mysql_catalog_plan_add(ngx_hyperdrive_sql_mysql_walk_t *w,
    ngx_str_t *schema, ngx_str_t *name, ngx_uint_t written)
{
    uint32_t    number, *numbers;
    ngx_uint_t  i, *n;

    number = ngx_hyperdrive_sql_mysql_catalog_number(schema, name);

    numbers = written ? w->plan->writes : w->plan->reads;
    n = written ? &w->plan->nwrites : &w->plan->nreads;

    for (i = 0; i < *n; i++) {
        if (numbers[i] == number) {
            return;
        }
    }

    if (*n < NGX_HYPERDRIVE_SQL_CATALOG_TABLES) {
        numbers[(*n)++] = number;
        return;
    }

    if (written) {
        w->plan->whole = 1;
        return;
    }

    ngx_hyperdrive_sql_mysql_catalog_plan_reason(w,
                                              NGX_HYPERDRIVE_SQL_TOO_COMPLEX);
}
