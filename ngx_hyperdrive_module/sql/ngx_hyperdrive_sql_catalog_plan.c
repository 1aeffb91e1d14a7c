
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "sql/ngx_hyperdrive_sql_mysql_catalog.h"


/* functions that call functions, views on views: not deeper */
#define NGX_HYPERDRIVE_SQL_CATALOG_PLAN_DEPTH  200


typedef struct {
    ngx_hyperdrive_sql_catalog_t           *cat;
    ngx_hyperdrive_sql_catalog_plan_t      *plan;

    ngx_hyperdrive_sql_catalog_path_t       path;

    ngx_uint_t                              depth;
    ngx_uint_t                              inner;   /* behind a table that is
                                                        written */
    unsigned                                allow_stable:1;
    unsigned                                truncate:1;
    unsigned                                full:1;  /* reads are not all */
} ngx_hyperdrive_sql_catalog_walk_t;


static ngx_uint_t ngx_hyperdrive_sql_catalog_plan_sure(
    ngx_hyperdrive_sql_facts_t *facts);
static ngx_uint_t ngx_hyperdrive_sql_catalog_plan_truncate(
    ngx_hyperdrive_sql_facts_t *facts);
static ngx_uint_t ngx_hyperdrive_sql_catalog_plan_visible(
    ngx_hyperdrive_sql_catalog_walk_t *w, ngx_str_t *schema,
    ngx_str_t *qualifier);
static void ngx_hyperdrive_sql_catalog_plan_table(
    ngx_hyperdrive_sql_catalog_walk_t *w, ngx_str_t *schema, ngx_str_t *name,
    ngx_uint_t written);
static void ngx_hyperdrive_sql_catalog_plan_call(
    ngx_hyperdrive_sql_catalog_walk_t *w,
    ngx_hyperdrive_sql_function_t *call);
static void ngx_hyperdrive_sql_catalog_plan_suspects(
    ngx_hyperdrive_sql_catalog_walk_t *w, ngx_str_t *text);
static void ngx_hyperdrive_sql_catalog_plan_read(
    ngx_hyperdrive_sql_catalog_walk_t *w, uint32_t oid);
static void ngx_hyperdrive_sql_catalog_plan_write(
    ngx_hyperdrive_sql_catalog_walk_t *w, uint32_t oid);
static void ngx_hyperdrive_sql_catalog_plan_function(
    ngx_hyperdrive_sql_catalog_walk_t *w, uint32_t oid);
static void ngx_hyperdrive_sql_catalog_plan_body(
    ngx_hyperdrive_sql_catalog_walk_t *w,
    ngx_hyperdrive_sql_catalog_function_t *f);
static void ngx_hyperdrive_sql_catalog_plan_rule(
    ngx_hyperdrive_sql_catalog_walk_t *w,
    ngx_hyperdrive_sql_catalog_rule_t *rule);
static void ngx_hyperdrive_sql_catalog_plan_builtin(
    ngx_hyperdrive_sql_catalog_walk_t *w,
    ngx_hyperdrive_sql_catalog_edge_t *e);
static void ngx_hyperdrive_sql_catalog_plan_reason(
    ngx_hyperdrive_sql_catalog_walk_t *w, ngx_hyperdrive_sql_reason_e reason);
static void ngx_hyperdrive_sql_catalog_plan_anything(
    ngx_hyperdrive_sql_catalog_walk_t *w);
static ngx_uint_t ngx_hyperdrive_sql_catalog_plan_listed(ngx_str_t *name,
    const char **list);
static ngx_int_t ngx_hyperdrive_sql_catalog_plan_add(uint32_t *oids,
    ngx_uint_t *n, uint32_t oid);


/* of extensions, in C: volatile, and yet they write nothing */

static const char  *ngx_hyperdrive_sql_catalog_plan_harmless[] = {
    "armor", "dearmor", "gen_random_bytes", "gen_random_uuid", "gen_salt",
    "normal_rand", "pgp_pub_decrypt", "pgp_pub_decrypt_bytea",
    "pgp_pub_encrypt", "pgp_pub_encrypt_bytea", "pgp_sym_decrypt",
    "pgp_sym_decrypt_bytea", "pgp_sym_encrypt", "pgp_sym_encrypt_bytea",
    "uuid_generate_v1", "uuid_generate_v1mc", "uuid_generate_v4", NULL
};


/* of extensions, in C: not volatile, and yet they run a text */

static const char  *ngx_hyperdrive_sql_catalog_plan_dynamic[] = {
    "connectby", "crosstab", "crosstab2", "crosstab3", "crosstab4", "dblink",
    "dblink_fetch", "dblink_get_result", "xpath_table", NULL
};


static const char  *ngx_hyperdrive_sql_catalog_plan_stable[] = {
    "current_date", "current_database", "current_setting", "current_user",
    "now", "statement_timestamp", "transaction_timestamp", "version", NULL
};


void
ngx_hyperdrive_sql_catalog_plan(ngx_hyperdrive_sql_catalog_t *cat,
    ngx_str_t *text, ngx_hyperdrive_sql_facts_t *facts, ngx_str_t *path,
    ngx_str_t *role, ngx_uint_t stable,
    ngx_hyperdrive_sql_catalog_plan_t *plan)
{
    ngx_uint_t                          i;
    ngx_hyperdrive_sql_table_t         *t;
    ngx_hyperdrive_sql_catalog_walk_t   w;

    if (cat->mysql) {
        ngx_hyperdrive_sql_mysql_catalog_plan(cat, facts,
                                    path && path->len ? path : NULL,
                                    stable
                                    == NGX_HYPERDRIVE_SQL_CATALOG_ELSEWHERE,
                                    plan);
        return;
    }

    ngx_hyperdrive_sql_catalog_plan_blind(facts, plan);

    if (facts->anything || facts->incomplete) {
        return;
    }

    plan->reason = facts->known_reason;
    plan->stateful = facts->known_stateful;

    if (facts->stable && !stable
        && (plan->reason == NGX_HYPERDRIVE_SQL_CACHEABLE
            || plan->reason == NGX_HYPERDRIVE_SQL_NO_TABLE))
    {
        plan->reason = NGX_HYPERDRIVE_SQL_VOLATILE;
    }

    w.cat = cat;
    w.plan = plan;
    w.depth = 0;
    w.inner = 0;
    w.full = 0;
    w.allow_stable = (stable != 0);
    w.truncate = ngx_hyperdrive_sql_catalog_plan_truncate(facts);

    if (ngx_hyperdrive_sql_catalog_plan_sure(facts)) {
        return;
    }

    /* what the catalog knows takes the place of what was feared */

    plan->whole = 0;
    plan->ddl = 0;
    plan->perhaps = 0;

    cat->walk++;

    ngx_hyperdrive_sql_catalog_find_path(&w.path, path, role);

    for (i = 0; i < facts->ntables; i++) {
        t = &facts->tables[i];

        /* a temporary table that is made is not there yet */

        if (!facts->create_temporary || !t->written) {
            ngx_hyperdrive_sql_catalog_plan_table(&w, &t->schema, &t->name,
                                          t->written
                                          && facts->known_may_write);
        }
    }

    for (i = 0; i < facts->nfunctions; i++) {
        ngx_hyperdrive_sql_catalog_plan_call(&w, &facts->functions[i]);
    }

    ngx_hyperdrive_sql_catalog_plan_suspects(&w, text);

    if (facts->nfunctions && plan->nreads
        && plan->reason == NGX_HYPERDRIVE_SQL_NO_TABLE)
    {
        /* it reads what its functions read */
        plan->reason = NGX_HYPERDRIVE_SQL_CACHEABLE;
    }

    if (w.full) {
        ngx_hyperdrive_sql_catalog_plan_reason(&w,
                                               NGX_HYPERDRIVE_SQL_TOO_COMPLEX);
    }

    if (plan->reason == NGX_HYPERDRIVE_SQL_CACHEABLE
        && (plan->whole || plan->nwrites || plan->stateful))
    {
        plan->reason = NGX_HYPERDRIVE_SQL_FUNCTION;
    }
}


void
ngx_hyperdrive_sql_catalog_plan_blind(ngx_hyperdrive_sql_facts_t *facts,
    ngx_hyperdrive_sql_catalog_plan_t *plan)
{
    ngx_memzero(plan, sizeof(ngx_hyperdrive_sql_catalog_plan_t));

    plan->reason = facts->reason;
    plan->stateful = facts->stateful;

    /*
     * Rows that are written by INSERT and the like have unknown consequences;
     * that one of them is DDL is known only when it is known which functions
     * they have.
     */

    plan->whole = facts->may_write;

    switch (facts->kind) {

    case NGX_HYPERDRIVE_SQL_READ:
    case NGX_HYPERDRIVE_SQL_WRITE:
    case NGX_HYPERDRIVE_SQL_COPY:
        plan->ddl = facts->unknown_function || facts->anything
                    || facts->incomplete;
        break;

    default:
        plan->ddl = facts->may_write;
        break;
    }

    if (plan->ddl) {
        plan->whole = 1;
        plan->perhaps = !facts->anything && !facts->incomplete
                        && !ngx_hyperdrive_sql_catalog_plan_sure(facts);
    }

    if (plan->reason == NGX_HYPERDRIVE_SQL_CACHEABLE) {
        plan->reason = NGX_HYPERDRIVE_SQL_CATALOG;
    }
}


/* it changes the catalog, whatever that says */

static ngx_uint_t
ngx_hyperdrive_sql_catalog_plan_sure(ngx_hyperdrive_sql_facts_t *facts)
{
    if (facts->kind == NGX_HYPERDRIVE_SQL_DDL) {
        return facts->nstatements > 1
               || (!facts->create_temporary
                   && !ngx_hyperdrive_sql_catalog_plan_truncate(facts));
    }

    return facts->kind == NGX_HYPERDRIVE_SQL_TWO_PHASE;
}


static ngx_uint_t
ngx_hyperdrive_sql_catalog_plan_truncate(ngx_hyperdrive_sql_facts_t *facts)
{
    return facts->kind == NGX_HYPERDRIVE_SQL_DDL
           && ngx_strcmp(facts->verb, "TRUNCATE") == 0;
}


/*
 * May a name mean what is in <schema>?  The first schema of the path that has
 * the name is the one, but for those which the role may not use: so all of
 * them count.
 */

static ngx_uint_t
ngx_hyperdrive_sql_catalog_plan_visible(ngx_hyperdrive_sql_catalog_walk_t *w,
    ngx_str_t *schema, ngx_str_t *qualifier)
{
    ngx_uint_t  i;

    if (qualifier && qualifier->len) {
        return ngx_hyperdrive_base_same(schema, qualifier);
    }

    if (w->path.n == 0) {
        return 1;
    }

    for (i = 0; i < w->path.n; i++) {
        if (ngx_hyperdrive_base_same(schema, &w->path.names[i])) {
            return 1;
        }
    }

    /* always on the path, and first */

    return ngx_hyperdrive_sql_catalog_is(schema, "pg_catalog");
}


static void
ngx_hyperdrive_sql_catalog_plan_table(ngx_hyperdrive_sql_catalog_walk_t *w,
    ngx_str_t *schema, ngx_str_t *name, ngx_uint_t written)
{
    ngx_uint_t                              i, n, first, found;
    ngx_hyperdrive_sql_catalog_relation_t  *r;

    n = ngx_hyperdrive_sql_catalog_relations(w->cat, name, &first);
    found = 0;

    for (i = 0; i < n; i++) {
        r = ngx_hyperdrive_sql_catalog_relation_at(w->cat,
                                         w->cat->relation_names[first + i]);

        if (!ngx_hyperdrive_sql_catalog_plan_visible(w, &r->schema, schema)) {
            continue;
        }

        found = 1;

        if (written) {
            ngx_hyperdrive_sql_catalog_plan_write(w, r->oid);
        }

        ngx_hyperdrive_sql_catalog_plan_read(w, r->oid);
    }

    if (found) {
        return;
    }

    ngx_hyperdrive_sql_catalog_plan_reason(w, NGX_HYPERDRIVE_SQL_TABLE);

    if (!written) {
        return;
    }

    if ((name->len >= 3 && ngx_strncmp(name->data, "pg_", 3) == 0)
        || (schema->len >= 3 && ngx_strncmp(schema->data, "pg_", 3) == 0)
        || n)
    {
        ngx_hyperdrive_sql_catalog_plan_anything(w);
        return;
    }

    w->plan->unknown = 1;
}


/* all overloads that can be seen; one that is not known may be anything */

static void
ngx_hyperdrive_sql_catalog_plan_call(ngx_hyperdrive_sql_catalog_walk_t *w,
    ngx_hyperdrive_sql_function_t *call)
{
    ngx_uint_t                              i, n, first, found;
    ngx_hyperdrive_sql_catalog_use_t       *u;
    ngx_hyperdrive_sql_catalog_function_t  *f;

    found = 0;

    if (call->operator) {

        for (i = 0; i < w->cat->uses.n; i++) {
            u = ngx_hyperdrive_sql_catalog_use_at(w->cat, i);

            if (u->type == 'O'
                && ngx_hyperdrive_base_same(&u->name, &call->name))
            {
                found = 1;
                ngx_hyperdrive_sql_catalog_plan_function(w, u->function);
            }
        }

        if (!found) {
            ngx_hyperdrive_sql_catalog_plan_reason(w,
                                                NGX_HYPERDRIVE_SQL_FUNCTION);
        }

        return;
    }

    n = ngx_hyperdrive_sql_catalog_functions(w->cat, &call->name, &first);

    for (i = 0; i < n; i++) {
        f = ngx_hyperdrive_sql_catalog_function_at(w->cat,
                                         w->cat->function_names[first + i]);

        if (ngx_hyperdrive_sql_catalog_plan_visible(w, &f->schema,
                                                    &call->schema))
        {
            found = 1;
            ngx_hyperdrive_sql_catalog_plan_function(w, f->oid);
        }
    }

    if (!found) {
        ngx_hyperdrive_sql_catalog_plan_reason(w,
                                               NGX_HYPERDRIVE_SQL_FUNCTION);
        ngx_hyperdrive_sql_catalog_plan_anything(w);
    }
}


/*
 * What a text may call without it being seen: an overload of a function or an
 * operator of pg_catalog, "t.f", a cast, a domain's condition.  Their names
 * are looked for anywhere in it.
 */

static void
ngx_hyperdrive_sql_catalog_plan_suspects(ngx_hyperdrive_sql_catalog_walk_t *w,
    ngx_str_t *text)
{
    ngx_uint_t                              i;
    ngx_hyperdrive_sql_catalog_use_t       *u;
    ngx_hyperdrive_sql_catalog_function_t  *f;

    for (i = 0; i < w->cat->nsuspects; i++) {
        f = ngx_hyperdrive_sql_catalog_function_at(w->cat,
                                                   w->cat->suspects[i]);

        if (ngx_hyperdrive_sql_catalog_find(text, &f->name,
                                            f->attribute ? 1 : 2))
        {
            ngx_hyperdrive_sql_catalog_plan_function(w, f->oid);
        }
    }

    for (i = 0; i < w->cat->uses.n; i++) {
        u = ngx_hyperdrive_sql_catalog_use_at(w->cat, i);

        f = ngx_hyperdrive_sql_catalog_function(w->cat, u->function);

        if (f && f->c && f->volatility == 'i') {
            continue;
        }

        if (ngx_hyperdrive_sql_catalog_find(text, &u->name,
                                            u->type == 'O' ? 0 : 1))
        {
            ngx_hyperdrive_sql_catalog_plan_function(w, u->function);
        }
    }
}


/* what is behind a relation that is read */

static void
ngx_hyperdrive_sql_catalog_plan_read(ngx_hyperdrive_sql_catalog_walk_t *w,
    uint32_t oid)
{
    ngx_uint_t                              i, n, first;
    ngx_hyperdrive_sql_catalog_edge_t      *e;
    ngx_hyperdrive_sql_catalog_relation_t  *r, *root;

    r = ngx_hyperdrive_sql_catalog_relation(w->cat, oid);

    if (r == NULL || ++w->depth > NGX_HYPERDRIVE_SQL_CATALOG_PLAN_DEPTH) {
        ngx_hyperdrive_sql_catalog_plan_reason(w, r
                                           ? NGX_HYPERDRIVE_SQL_TOO_COMPLEX
                                           : NGX_HYPERDRIVE_SQL_SYSTEM);

        if (r) {
            w->depth--;
            ngx_hyperdrive_sql_catalog_plan_anything(w);
        }

        return;
    }

    if (r->read == w->cat->walk) {
        w->depth--;
        return;
    }

    r->read = w->cat->walk;

    switch (r->kind) {

    case 'S':
        ngx_hyperdrive_sql_catalog_plan_reason(w, NGX_HYPERDRIVE_SQL_SYSTEM);
        break;

    case 'f':
        ngx_hyperdrive_sql_catalog_plan_reason(w, NGX_HYPERDRIVE_SQL_FOREIGN);
        break;

    case 'v':
        break;

    default:
        root = ngx_hyperdrive_sql_catalog_root(w->cat, r);

        if (ngx_hyperdrive_sql_catalog_plan_add(w->plan->reads,
                                                &w->plan->nreads, root->oid)
            != NGX_OK)
        {
            w->full = 1;
        }

        break;
    }

    if (r->rls) {
        w->plan->rls = 1;
    }

    n = ngx_hyperdrive_sql_catalog_edges(w->cat, oid, &first);

    for (i = 0; i < n; i++) {
        e = ngx_hyperdrive_sql_catalog_edge_at(w->cat, first + i);

        if (e->type == 'E'
            && (e->kind == 'r' || e->kind == 'p' || e->kind == 'i'))
        {
            ngx_hyperdrive_sql_catalog_plan_read(w, e->to);

        } else if (e->type == 'G' && e->kind != 'w') {
            ngx_hyperdrive_sql_catalog_plan_function(w, e->to);

        } else if (e->type == 'B' && e->kind != 'w') {
            ngx_hyperdrive_sql_catalog_plan_builtin(w, e);
        }
    }

    w->depth--;
}


/* ...and one that is written: children, rules, triggers, foreign keys */

static void
ngx_hyperdrive_sql_catalog_plan_write(ngx_hyperdrive_sql_catalog_walk_t *w,
    uint32_t oid)
{
    ngx_uint_t                              i, n, first;
    ngx_hyperdrive_sql_catalog_edge_t      *e;
    ngx_hyperdrive_sql_catalog_relation_t  *r, *root;

    r = ngx_hyperdrive_sql_catalog_relation(w->cat, oid);

    if (r == NULL || w->depth == NGX_HYPERDRIVE_SQL_CATALOG_PLAN_DEPTH) {
        ngx_hyperdrive_sql_catalog_plan_anything(w);
        return;
    }

    if (r->written == w->cat->walk) {
        return;
    }

    r->written = w->cat->walk;

    w->depth++;
    w->inner++;

    if (r->kind != 'v' && r->kind != 'S') {
        root = ngx_hyperdrive_sql_catalog_root(w->cat, r);

        if (ngx_hyperdrive_sql_catalog_plan_add(w->plan->writes,
                                                &w->plan->nwrites, root->oid)
            != NGX_OK)
        {
            w->plan->whole = 1;
        }
    }

    n = ngx_hyperdrive_sql_catalog_edges(w->cat, oid, &first);

    for (i = 0; i < n; i++) {
        e = ngx_hyperdrive_sql_catalog_edge_at(w->cat, first + i);

        switch (e->type) {

        case 'E':

            if (e->kind == 'w' || e->kind == 'i' || e->kind == 'u'
                || (e->kind == 'k' && w->truncate)
                || (e->kind == 'r' && r->kind == 'v'))
            {
                ngx_hyperdrive_sql_catalog_plan_write(w, e->to);
            }

            break;

        case 'G':
            ngx_hyperdrive_sql_catalog_plan_function(w, e->to);
            break;

        case 'B':
            ngx_hyperdrive_sql_catalog_plan_builtin(w, e);
            break;

        default:
            break;
        }
    }

    w->inner--;
    w->depth--;
}


/* a function of the user's that is called */

static void
ngx_hyperdrive_sql_catalog_plan_function(ngx_hyperdrive_sql_catalog_walk_t *w,
    uint32_t oid)
{
    ngx_uint_t                              i, n, first;
    ngx_hyperdrive_sql_catalog_edge_t      *e;
    ngx_hyperdrive_sql_catalog_function_t  *f;

    f = ngx_hyperdrive_sql_catalog_function(w->cat, oid);

    if (f == NULL) {

        /* of pg_catalog, behind an operator or a cast of the user's */

        if (oid >= 16384) {
            ngx_hyperdrive_sql_catalog_plan_anything(w);
        }

        return;
    }

    if (f->walk == w->cat->walk) {
        return;
    }

    f->walk = w->cat->walk;

    if (w->depth == NGX_HYPERDRIVE_SQL_CATALOG_PLAN_DEPTH) {
        ngx_hyperdrive_sql_catalog_plan_anything(w);
        return;
    }

    if (f->rule) {
        ngx_hyperdrive_sql_catalog_plan_rule(w, f->rule);
        return;
    }

    if (f->volatility == 'v' || (f->volatility == 's' && !w->allow_stable)) {
        ngx_hyperdrive_sql_catalog_plan_reason(w, NGX_HYPERDRIVE_SQL_VOLATILE);
    }

    w->depth++;

    if (f->kind != 'a') {
        ngx_hyperdrive_sql_catalog_plan_body(w, f);
    }

    n = ngx_hyperdrive_sql_catalog_edges(w->cat, oid, &first);

    for (i = 0; i < n; i++) {
        e = ngx_hyperdrive_sql_catalog_edge_at(w->cat, first + i);

        if (e->type != 'H') {
            continue;
        }

        switch (e->kind) {

        case 'f':
            ngx_hyperdrive_sql_catalog_plan_function(w, e->to);
            break;

        case 'b':
            ngx_hyperdrive_sql_catalog_plan_builtin(w, e);
            break;

        case 'w':
            ngx_hyperdrive_sql_catalog_plan_write(w, e->to);

            /* fall through */

        default: /* r */
            ngx_hyperdrive_sql_catalog_plan_read(w, e->to);
            break;
        }
    }

    w->depth--;
}


/* its own statements; C and other languages show nothing of themselves */

static void
ngx_hyperdrive_sql_catalog_plan_body(ngx_hyperdrive_sql_catalog_walk_t *w,
    ngx_hyperdrive_sql_catalog_function_t *f)
{
    ngx_uint_t                          i;
    ngx_hyperdrive_sql_catalog_body_t  *body;

    if (!f->sql) {

        if (ngx_hyperdrive_sql_catalog_plan_listed(&f->name,
                                     ngx_hyperdrive_sql_catalog_plan_dynamic))
        {
            ngx_hyperdrive_sql_catalog_plan_reason(w,
                                                 NGX_HYPERDRIVE_SQL_FUNCTION);
        }

        if (f->volatility == 'i' || (f->c && f->volatility == 's')) {
            return;
        }

        if (f->volatility == 's') {

            /* the server lets it write nothing, what it reads is not known */

            ngx_hyperdrive_sql_catalog_plan_reason(w,
                                                 NGX_HYPERDRIVE_SQL_FUNCTION);
            return;
        }

        if (!f->c || f->extension.len == 0
            || !ngx_hyperdrive_sql_catalog_plan_listed(&f->name,
                                    ngx_hyperdrive_sql_catalog_plan_harmless))
        {
            ngx_hyperdrive_sql_catalog_plan_anything(w);
        }

        return;
    }

    body = ngx_hyperdrive_sql_catalog_body(w->cat, f);

    if (body == NULL || body->anything) {
        ngx_hyperdrive_sql_catalog_plan_anything(w);
        return;
    }

    if (body->stateful || (body->sequence && w->inner == 0)) {
        w->plan->stateful = 1;
    }

    if (body->system) {
        ngx_hyperdrive_sql_catalog_plan_reason(w, NGX_HYPERDRIVE_SQL_SYSTEM);
    }

    for (i = 0; i < body->nwrites; i++) {
        ngx_hyperdrive_sql_catalog_plan_write(w, body->writes[i]);
    }

    for (i = 0; i < body->nreads; i++) {
        ngx_hyperdrive_sql_catalog_plan_read(w, body->reads[i]);
    }

    for (i = 0; i < body->ncalls; i++) {
        ngx_hyperdrive_sql_catalog_plan_function(w, body->calls[i]);
    }
}


/* as the operator has declared it: it does this, and nothing else */

static void
ngx_hyperdrive_sql_catalog_plan_rule(ngx_hyperdrive_sql_catalog_walk_t *w,
    ngx_hyperdrive_sql_catalog_rule_t *rule)
{
    ngx_str_t                               schema, name;
    ngx_uint_t                              i, k, n, first, found;
    ngx_hyperdrive_sql_catalog_relation_t  *r;

    if (rule->writes) {
        ngx_hyperdrive_sql_catalog_plan_reason(w, NGX_HYPERDRIVE_SQL_VOLATILE);
    }

    for (i = 0; i < rule->ntables; i++) {

        ngx_str_null(&schema);
        name = rule->tables[i];

        for (k = 0; k < name.len; k++) {

            if (name.data[k] == '.') {
                schema = name;
                schema.len = k;
                name.data += k + 1;
                name.len -= k + 1;
                break;
            }
        }

        n = ngx_hyperdrive_sql_catalog_relations(w->cat, &name, &first);
        found = 0;

        for (k = 0; k < n; k++) {
            r = ngx_hyperdrive_sql_catalog_relation_at(w->cat,
                                           w->cat->relation_names[first + k]);

            if (schema.len
                && !ngx_hyperdrive_base_same(&schema, &r->schema))
            {
                continue;
            }

            found = 1;

            if (rule->writes) {
                ngx_hyperdrive_sql_catalog_plan_write(w, r->oid);

            } else {
                ngx_hyperdrive_sql_catalog_plan_read(w, r->oid);
            }
        }

        if (!found) {
            ngx_hyperdrive_sql_catalog_plan_reason(w,
                                                   NGX_HYPERDRIVE_SQL_TABLE);

            if (rule->writes) {
                w->plan->whole = 1;
            }
        }
    }
}


/* a function of pg_catalog that is not immutable, in a stored expression */

static void
ngx_hyperdrive_sql_catalog_plan_builtin(ngx_hyperdrive_sql_catalog_walk_t *w,
    ngx_hyperdrive_sql_catalog_edge_t *e)
{
    ngx_uint_t  class;

    class = ngx_hyperdrive_sql_lexer_lookup(ngx_hyperdrive_sql_pg.functions,
                                           *ngx_hyperdrive_sql_pg.nfunctions,
                                           e->name.data, e->name.len)
            & NGX_HYPERDRIVE_SQL_F_CLASS;

    switch (class) {

    case NGX_HYPERDRIVE_SQL_F_SESSION:

        /* a serial column's nextval() is nothing to keep a connection for */

        if (w->inner == 0
            || !ngx_hyperdrive_sql_catalog_is(&e->name, "nextval"))
        {
            w->plan->stateful = 1;
        }

        break;

    case NGX_HYPERDRIVE_SQL_F_WRITES:
        ngx_hyperdrive_sql_catalog_plan_anything(w);
        break;

    case NGX_HYPERDRIVE_SQL_F_SETTINGS:
        return;

    case NGX_HYPERDRIVE_SQL_F_IMMUTABLE:

        /* the overload is not, though all that can be called by name are */

        break;

    default:
        break;
    }

    if (e->kind == 'p'
        && (ngx_hyperdrive_sql_catalog_is(&e->name, "current_setting")
            || ngx_hyperdrive_sql_catalog_is(&e->name, "current_user")))
    {
        /* who asks, and his settings, are part of the answer's key */
        return;
    }

    if (e->volatility == 's' && w->allow_stable
        && ngx_hyperdrive_sql_catalog_plan_listed(&e->name,
                                      ngx_hyperdrive_sql_catalog_plan_stable))
    {
        return;
    }

    ngx_hyperdrive_sql_catalog_plan_reason(w, NGX_HYPERDRIVE_SQL_VOLATILE);
}


/* the first reason counts; that no table is read may turn out to be wrong */

static void
ngx_hyperdrive_sql_catalog_plan_reason(ngx_hyperdrive_sql_catalog_walk_t *w,
    ngx_hyperdrive_sql_reason_e reason)
{
    if (w->plan->reason == NGX_HYPERDRIVE_SQL_CACHEABLE
        || w->plan->reason == NGX_HYPERDRIVE_SQL_NO_TABLE)
    {
        w->plan->reason = reason;
    }
}


static void
ngx_hyperdrive_sql_catalog_plan_anything(ngx_hyperdrive_sql_catalog_walk_t *w)
{
    w->plan->whole = 1;
    w->plan->ddl = 1;
    w->plan->stateful = 1;

    ngx_hyperdrive_sql_catalog_plan_reason(w, NGX_HYPERDRIVE_SQL_FUNCTION);
}


static ngx_uint_t
ngx_hyperdrive_sql_catalog_plan_listed(ngx_str_t *name, const char **list)
{
    for ( /* void */ ; *list; list++) {
        if (ngx_hyperdrive_sql_catalog_is(name, *list)) {
            return 1;
        }
    }

    return 0;
}


/* NGX_BUSY: there is no room for it */

static ngx_int_t
ngx_hyperdrive_sql_catalog_plan_add(uint32_t *oids, ngx_uint_t *n,
    uint32_t oid)
{
    ngx_uint_t  i;

    for (i = 0; i < *n; i++) {
        if (oids[i] == oid) {
            return NGX_OK;
        }
    }

    if (*n == NGX_HYPERDRIVE_SQL_CATALOG_TABLES) {
        return NGX_BUSY;
    }

    oids[(*n)++] = oid;

    return NGX_OK;
}
