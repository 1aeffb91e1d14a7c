
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "sql/ngx_hyperdrive_sql_scan.h"


/* what names and operators mean: tables, functions, columns, types */


#define NGX_HYPERDRIVE_SQL_NAMES_MAX  64


static ngx_uint_t ngx_hyperdrive_sql_names_is(ngx_hyperdrive_sql_scan_t *s,
    ngx_hyperdrive_sql_token_t *token, const char **list);
static ngx_uint_t ngx_hyperdrive_sql_names_cte(ngx_hyperdrive_sql_scan_t *s,
    ngx_hyperdrive_sql_token_t *token);
static ngx_uint_t ngx_hyperdrive_sql_names_store(ngx_hyperdrive_sql_scan_t *s,
    ngx_hyperdrive_sql_token_t *token, ngx_str_t *dst);
static ngx_uint_t ngx_hyperdrive_sql_names_lookup(ngx_hyperdrive_sql_scan_t *s,
    ngx_hyperdrive_sql_token_t *token);
static void ngx_hyperdrive_sql_names_call(ngx_hyperdrive_sql_scan_t *s,
    ngx_hyperdrive_sql_token_t *token, ngx_uint_t class);
static ngx_uint_t ngx_hyperdrive_sql_names_leaves(
    ngx_hyperdrive_sql_scan_t *s, ngx_hyperdrive_sql_token_t *token);


static const char  *ngx_hyperdrive_sql_names_catalog[] = {
    "pg_catalog", NULL
};


static const char  *ngx_hyperdrive_sql_names_age[] = {
    "age", NULL
};


static const char  *ngx_hyperdrive_sql_names_set_config[] = {
    "set_config", NULL
};


/* functions of the session */

static const char  *ngx_hyperdrive_sql_names_locks[] = {
    "pg_advisory_lock", "pg_advisory_lock_shared", "pg_advisory_unlock",
    "pg_advisory_unlock_all", "pg_advisory_unlock_shared",
    "pg_try_advisory_lock", "pg_try_advisory_lock_shared", NULL
};


static const char  *ngx_hyperdrive_sql_names_sequences[] = {
    "currval", "lastval", "nextval", "setval", NULL
};


/* ...those that tell what was drawn before */

static const char  *ngx_hyperdrive_sql_names_recalls[] = {
    "currval", "lastval", NULL
};


static const char  *ngx_hyperdrive_sql_names_seed[] = {
    "setseed", NULL
};


static const char  *ngx_hyperdrive_sql_names_looks[] = {
    "pg_cursor", "pg_export_snapshot", "pg_is_other_temp_schema",
    "pg_listening_channels", "pg_my_temp_schema", "pg_prepared_statement",
    NULL
};


static const char  *ngx_hyperdrive_sql_names_samples[] = {
    "bernoulli", "system", NULL
};


/* a special value without parentheses since PostgreSQL 16 */

static const char  *ngx_hyperdrive_sql_names_values[] = {
    "system_user", NULL
};


/*
 * Stable, and known by what: the clock of the transaction, or what is in the
 * key of every kept answer.
 */

static const char  *ngx_hyperdrive_sql_names_stable[] = {
    "now", "transaction_timestamp", "statement_timestamp",
    "current_setting", "current_database", "version", NULL
};


/*
 * System columns; the columns of a sequence, which from the text alone looks
 * like a table; types whose input looks into the catalog.  The types for text
 * search are left out: what they find changes by DDL only.
 */

static const char  *ngx_hyperdrive_sql_names_system[] = {
    "ctid", "xmin", "xmax", "cmin", "cmax", "tableoid",
    "last_value", "log_cnt", "is_called",
    "regclass", "regproc", "regprocedure", "regoper", "regoperator",
    "regtype", "regrole", "regnamespace", "regcollation", NULL
};


void
ngx_hyperdrive_sql_names_read(ngx_hyperdrive_sql_scan_t *s,
    ngx_hyperdrive_sql_names_t *name)
{
    ngx_memzero(&name->schema, sizeof(ngx_hyperdrive_sql_token_t));

    name->n = 1;
    name->last = s->tok;

    while (s->next.type == NGX_HYPERDRIVE_SQL_T_DOT) {

        if (ngx_hyperdrive_sql_names_temp(s, &name->last)) {
            ngx_hyperdrive_sql_scan_leaves(s,
                                      NGX_HYPERDRIVE_SQL_LEAVES_TEMPORARY);
            s->facts->temporary = 1;
        }

        ngx_hyperdrive_sql_scan_next(s);

        if (s->next.type != NGX_HYPERDRIVE_SQL_T_WORD
            && s->next.type != NGX_HYPERDRIVE_SQL_T_NAME)
        {
            return;
        }

        ngx_hyperdrive_sql_scan_next(s);

        name->n++;
        name->schema = name->last;
        name->last = s->tok;

        /* behind a dot nothing is a keyword */

        s->tok.keyword = NGX_HYPERDRIVE_SQL_K_OTHER;
        s->tok.category = NGX_HYPERDRIVE_SQL_NOT_KEYWORD;
    }
}


ngx_hyperdrive_sql_table_t *
ngx_hyperdrive_sql_names_table(ngx_hyperdrive_sql_scan_t *s,
    ngx_hyperdrive_sql_names_t *name, ngx_uint_t written)
{
    u_char                      *names;
    ngx_str_t                    schema, table;
    ngx_uint_t                   i;
    ngx_hyperdrive_sql_table_t  *t;
    ngx_hyperdrive_sql_facts_t  *facts;

    facts = s->facts;

    if (!written && name->n == 1
        && ngx_hyperdrive_sql_names_cte(s, &name->last))
    {
        return NULL;
    }

    names = s->names;

    ngx_str_null(&schema);

    if ((name->n > 1
         && !ngx_hyperdrive_sql_names_store(s, &name->schema, &schema))
        || !ngx_hyperdrive_sql_names_store(s, &name->last, &table))
    {
        goto full;
    }

    if (s->dialect->system(&schema, &table)) {
        ngx_hyperdrive_sql_names_reason(s, NGX_HYPERDRIVE_SQL_SYSTEM);
    }

    for (i = 0; i < facts->ntables; i++) {
        t = &facts->tables[i];

        if (t->name.len == table.len && t->schema.len == schema.len
            && ngx_memcmp(t->name.data, table.data, table.len) == 0
            && (schema.len == 0
                || ngx_memcmp(t->schema.data, schema.data, schema.len) == 0))
        {
            if (written) {
                t->written = 1;
            }

            s->names = names;
            return t;
        }
    }

    if (facts->ntables == NGX_HYPERDRIVE_SQL_MAX_TABLES) {
        goto full;
    }

    t = &facts->tables[facts->ntables++];

    t->schema = schema;
    t->name = table;
    t->written = written ? 1 : 0;

    return t;

full:

    s->names = names;

    facts->incomplete = 1;

    ngx_hyperdrive_sql_names_reason(s, NGX_HYPERDRIVE_SQL_TOO_COMPLEX);

    return NULL;
}


ngx_uint_t
ngx_hyperdrive_sql_names_system_pg(ngx_str_t *schema, ngx_str_t *table)
{
    return (table->len >= 3 && ngx_strncmp(table->data, "pg_", 3) == 0)
           || (schema->len >= 3 && ngx_strncmp(schema->data, "pg_", 3) == 0)
           || (schema->len == sizeof("information_schema") - 1
               && ngx_strncmp(schema->data, "information_schema", schema->len)
                  == 0);
}


void
ngx_hyperdrive_sql_names_function(ngx_hyperdrive_sql_scan_t *s,
    ngx_hyperdrive_sql_names_t *name)
{
    ngx_uint_t  flags;

    if (name->n > 1
        && !ngx_hyperdrive_sql_names_is(s, &name->schema,
                                        ngx_hyperdrive_sql_names_catalog))
    {
        ngx_hyperdrive_sql_names_unknown(s, &name->schema, &name->last,
                                         NGX_HYPERDRIVE_SQL_NAMES_FUNCTION);
        return;
    }

    if (ngx_hyperdrive_sql_names_is(s, &name->last,
                                    ngx_hyperdrive_sql_names_set_config))
    {
        /* with a third argument TRUE it is SET LOCAL: known at the end */

        ngx_hyperdrive_sql_names_reason(s, NGX_HYPERDRIVE_SQL_VOLATILE);
        s->open = NGX_HYPERDRIVE_SQL_SCAN_OPEN_SET_CONFIG;
        return;
    }

    if (ngx_hyperdrive_sql_names_is(s, &name->last,
                                    ngx_hyperdrive_sql_names_age))
    {
        /* with one argument it looks at the clock: known at the end */

        s->open = NGX_HYPERDRIVE_SQL_SCAN_OPEN_AGE;
        return;
    }

    flags = ngx_hyperdrive_sql_names_lookup(s, &name->last)
            & NGX_HYPERDRIVE_SQL_F_CLASS;

    if (flags == NGX_HYPERDRIVE_SQL_F_UNKNOWN) {
        ngx_hyperdrive_sql_names_unknown(s, name->n > 1 ? &name->schema : NULL,
                                         &name->last,
                                         NGX_HYPERDRIVE_SQL_NAMES_FUNCTION);
        return;
    }

    if (ngx_hyperdrive_sql_names_is(s, &name->last,
                                    ngx_hyperdrive_sql_names_stable))
    {
        s->facts->stable = 1;
        return;
    }

    ngx_hyperdrive_sql_names_call(s, &name->last, flags);
}


void
ngx_hyperdrive_sql_names_sample(ngx_hyperdrive_sql_scan_t *s,
    ngx_hyperdrive_sql_names_t *name)
{
    if (name->n == 1
        && ngx_hyperdrive_sql_names_is(s, &name->last,
                                       ngx_hyperdrive_sql_names_samples))
    {
        ngx_hyperdrive_sql_names_call(s, &name->last,
                                      NGX_HYPERDRIVE_SQL_F_HARMLESS);
        return;
    }

    ngx_hyperdrive_sql_names_call(s, &name->last,
                                  NGX_HYPERDRIVE_SQL_F_UNKNOWN);
}


void
ngx_hyperdrive_sql_names_other(ngx_hyperdrive_sql_scan_t *s,
    ngx_hyperdrive_sql_names_t *name)
{
    ngx_uint_t  flags;

    if (ngx_hyperdrive_sql_names_is(s, &name->last,
                                    ngx_hyperdrive_sql_names_system))
    {
        ngx_hyperdrive_sql_names_reason(s, NGX_HYPERDRIVE_SQL_SYSTEM);
    }

    if (name->n == 1) {

        if (name->last.type == NGX_HYPERDRIVE_SQL_T_WORD
            && ngx_hyperdrive_sql_names_is(s, &name->last,
                                           ngx_hyperdrive_sql_names_values))
        {
            ngx_hyperdrive_sql_names_reason(s, NGX_HYPERDRIVE_SQL_VOLATILE);
        }

        return;
    }

    /* "t.nextval" is a call if <t> is a function in FROM */

    flags = ngx_hyperdrive_sql_names_lookup(s, &name->last);

    if ((flags & NGX_HYPERDRIVE_SQL_F_ATTR)
        && (flags & NGX_HYPERDRIVE_SQL_F_CLASS)
           >= NGX_HYPERDRIVE_SQL_F_HARMLESS)
    {
        ngx_hyperdrive_sql_names_call(s, &name->last,
                                      flags & NGX_HYPERDRIVE_SQL_F_CLASS);
    }
}


void
ngx_hyperdrive_sql_names_field(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_names_t  name;

    ngx_memzero(&name, sizeof(ngx_hyperdrive_sql_names_t));

    name.n = 2;
    name.last = s->tok;

    ngx_hyperdrive_sql_names_other(s, &name);

    if (ngx_hyperdrive_sql_names_is(s, &name.last,
                                    ngx_hyperdrive_sql_names_age))
    {
        s->facts->stable = 1;
    }

    s->tok.keyword = NGX_HYPERDRIVE_SQL_K_OTHER;
    s->tok.category = NGX_HYPERDRIVE_SQL_NOT_KEYWORD;
}


void
ngx_hyperdrive_sql_names_operator(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_names_t  name;

    ngx_hyperdrive_sql_scan_next(s);

    name.n = 0;

    if (s->next.type == NGX_HYPERDRIVE_SQL_T_WORD
        || s->next.type == NGX_HYPERDRIVE_SQL_T_NAME)
    {
        ngx_hyperdrive_sql_scan_next(s);
        ngx_hyperdrive_sql_names_read(s, &name);
    }

    if (s->next.type != NGX_HYPERDRIVE_SQL_T_OPERATOR) {
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        return;
    }

    ngx_hyperdrive_sql_scan_next(s);

    if (name.n
        && (name.n > 1
            || !ngx_hyperdrive_sql_names_is(s, &name.last,
                                          ngx_hyperdrive_sql_names_catalog)))
    {
        ngx_hyperdrive_sql_names_unknown(s, &name.last, &s->tok,
                                         NGX_HYPERDRIVE_SQL_NAMES_OPERATOR);

    } else {
        ngx_hyperdrive_sql_names_symbol(s, &s->tok);
    }

    if (s->next.type != NGX_HYPERDRIVE_SQL_T_CLOSE) {
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        return;
    }

    ngx_hyperdrive_sql_scan_next(s);

    /* what follows is not an alias or a list, it is an operand */

    s->tok.type = NGX_HYPERDRIVE_SQL_T_OPERATOR;
}


/*
 * An operator that is not in pg_catalog is the user's function: not for the
 * cache.  That it should change the session's state is not thinkable enough
 * to take the pool away from everyone who searches vectors or trigrams.
 */

void
ngx_hyperdrive_sql_names_symbol(ngx_hyperdrive_sql_scan_t *s,
    ngx_hyperdrive_sql_token_t *token)
{
    if (ngx_hyperdrive_sql_lexer_lookup(s->dialect->operators,
                                        *s->dialect->noperators,
                                        token->text.data, token->text.len)
        == 0
        && !(token->text.len == 2
             && ngx_strncmp(token->text.data, "=>", 2) == 0))
    {
        ngx_hyperdrive_sql_names_unknown(s, NULL, token,
                                         NGX_HYPERDRIVE_SQL_NAMES_OPERATOR);
    }
}


ngx_uint_t
ngx_hyperdrive_sql_names_temp(ngx_hyperdrive_sql_scan_t *s,
    ngx_hyperdrive_sql_token_t *token)
{
    size_t  len;
    u_char  buf[NGX_HYPERDRIVE_SQL_NAMES_MAX];

    /* pg_temp and pg_temp_3 */

    if (token->text.len < 7 || token->text.len > sizeof(buf)) {
        return 0;
    }

    len = ngx_hyperdrive_sql_lexer_fold(s->dialect, token, buf);

    return len >= 7 && ngx_strncmp(buf, "pg_temp", 7) == 0
           && (len == 7 || buf[7] == '_');
}


void
ngx_hyperdrive_sql_names_reason(ngx_hyperdrive_sql_scan_t *s,
    ngx_hyperdrive_sql_reason_e reason)
{
    if (s->facts->reason == NGX_HYPERDRIVE_SQL_CACHEABLE) {
        s->facts->reason = reason;
    }
}


static ngx_uint_t
ngx_hyperdrive_sql_names_is(ngx_hyperdrive_sql_scan_t *s,
    ngx_hyperdrive_sql_token_t *token, const char **list)
{
    size_t  len;
    u_char  buf[NGX_HYPERDRIVE_SQL_NAMES_MAX];

    if (token->text.len > sizeof(buf)) {
        return 0;
    }

    len = ngx_hyperdrive_sql_lexer_fold(s->dialect, token, buf);

    if (len == 0) {
        return 0;
    }

    for ( /* void */ ; *list; list++) {

        /* most of them differ in their first letter */

        if ((u_char) **list == buf[0] && ngx_strlen(*list) == len
            && ngx_memcmp(*list, buf, len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_hyperdrive_sql_names_cte(ngx_hyperdrive_sql_scan_t *s,
    ngx_hyperdrive_sql_token_t *token)
{
    size_t                       len, n;
    u_char                       name[NGX_HYPERDRIVE_SQL_NAMES_MAX];
    u_char                       cte[NGX_HYPERDRIVE_SQL_NAMES_MAX];
    ngx_uint_t                   i;
    ngx_hyperdrive_sql_token_t  *t;

    if (s->nctes == 0 || token->text.len > sizeof(name)) {
        return 0;
    }

    len = ngx_hyperdrive_sql_lexer_fold(s->dialect, token, name);

    for (i = 0; i < s->nctes; i++) {
        t = &s->ctes[i];

        if (t->text.len > sizeof(cte)) {
            continue;
        }

        n = ngx_hyperdrive_sql_lexer_fold(s->dialect, t, cte);

        if (n == len && ngx_memcmp(name, cte, n) == 0) {
            return 1;
        }
    }

    return 0;
}


/* copies the folded name to the caller's memory; 0 if that is full */

static ngx_uint_t
ngx_hyperdrive_sql_names_store(ngx_hyperdrive_sql_scan_t *s,
    ngx_hyperdrive_sql_token_t *token, ngx_str_t *dst)
{
    if ((size_t) (s->names_last - s->names) < token->text.len) {
        return 0;
    }

    dst->data = s->names;
    dst->len = ngx_hyperdrive_sql_lexer_fold(s->dialect, token, s->names);

    s->names += dst->len;

    if (token->high && token->text.len > s->dialect->max_name) {

        /* where the server cuts it depends on the encoding */

        return 0;
    }

    return 1;
}


static ngx_uint_t
ngx_hyperdrive_sql_names_lookup(ngx_hyperdrive_sql_scan_t *s,
    ngx_hyperdrive_sql_token_t *token)
{
    size_t  len;
    u_char  buf[NGX_HYPERDRIVE_SQL_NAMES_MAX];

    if (token->text.len > sizeof(buf)) {
        return NGX_HYPERDRIVE_SQL_F_UNKNOWN;
    }

    len = ngx_hyperdrive_sql_lexer_fold(s->dialect, token, buf);

    return ngx_hyperdrive_sql_lexer_lookup(s->dialect->functions,
                                           *s->dialect->nfunctions, buf, len);
}


static void
ngx_hyperdrive_sql_names_call(ngx_hyperdrive_sql_scan_t *s,
    ngx_hyperdrive_sql_token_t *token, ngx_uint_t class)
{
    switch (class) {

    case NGX_HYPERDRIVE_SQL_F_IMMUTABLE:
    case NGX_HYPERDRIVE_SQL_F_SETTINGS:
        return;

    case NGX_HYPERDRIVE_SQL_F_HARMLESS:
        break;

    case NGX_HYPERDRIVE_SQL_F_SESSION:
        ngx_hyperdrive_sql_scan_leaves(s, ngx_hyperdrive_sql_names_leaves(s,
                                                                      token));
        break;

    case NGX_HYPERDRIVE_SQL_F_WRITES:
        ngx_hyperdrive_sql_scan_leaves(s, NGX_HYPERDRIVE_SQL_LEAVES_FUNCTION);
        s->facts->may_write = 1;
        break;

    default: /* NGX_HYPERDRIVE_SQL_F_UNKNOWN */
        ngx_hyperdrive_sql_scan_leaves(s, NGX_HYPERDRIVE_SQL_LEAVES_FUNCTION);
        s->facts->may_write = 1;
        s->facts->unknown_function = 1;
        s->facts->anything = 1;

        ngx_hyperdrive_sql_names_reason(s, NGX_HYPERDRIVE_SQL_FUNCTION);
        return;
    }

    ngx_hyperdrive_sql_names_reason(s, NGX_HYPERDRIVE_SQL_VOLATILE);
}


/* what a function that has to do with the session leaves there */

static ngx_uint_t
ngx_hyperdrive_sql_names_leaves(ngx_hyperdrive_sql_scan_t *s,
    ngx_hyperdrive_sql_token_t *token)
{
    if (ngx_hyperdrive_sql_names_is(s, token, ngx_hyperdrive_sql_names_locks))
    {
        return NGX_HYPERDRIVE_SQL_LEAVES_LOCK;
    }

    if (ngx_hyperdrive_sql_names_is(s, token,
                                    ngx_hyperdrive_sql_names_sequences))
    {
        s->facts->recalls |= ngx_hyperdrive_sql_names_is(s, token,
                                             ngx_hyperdrive_sql_names_recalls);

        return NGX_HYPERDRIVE_SQL_LEAVES_SEQUENCE;
    }

    if (ngx_hyperdrive_sql_names_is(s, token, ngx_hyperdrive_sql_names_seed)) {
        return NGX_HYPERDRIVE_SQL_LEAVES_SEED;
    }

    if (ngx_hyperdrive_sql_names_is(s, token, ngx_hyperdrive_sql_names_looks))
    {
        return NGX_HYPERDRIVE_SQL_LEAVES_NOTHING;
    }

    return NGX_HYPERDRIVE_SQL_LEAVES_FUNCTION;
}


/* what it does is for the catalog to say: it is put down */

void
ngx_hyperdrive_sql_names_unknown(ngx_hyperdrive_sql_scan_t *s,
    ngx_hyperdrive_sql_token_t *schema, ngx_hyperdrive_sql_token_t *token,
    ngx_hyperdrive_sql_names_call_e call)
{
    u_char                         *names;
    ngx_str_t                       qualifier, name;
    ngx_uint_t                      i;
    ngx_hyperdrive_sql_facts_t     *facts;
    ngx_hyperdrive_sql_function_t  *f;

    facts = s->facts;
    names = s->names;

    ngx_str_null(&qualifier);

    if (schema
        && !ngx_hyperdrive_sql_names_store(s, schema, &qualifier))
    {
        goto full;
    }

    if (call == NGX_HYPERDRIVE_SQL_NAMES_OPERATOR) {
        name = token->text;

    } else if (!ngx_hyperdrive_sql_names_store(s, token, &name)) {
        goto full;
    }

    for (i = 0; i < facts->nfunctions; i++) {
        f = &facts->functions[i];

        if (f->operator == (call == NGX_HYPERDRIVE_SQL_NAMES_OPERATOR)
            && f->procedure == (call == NGX_HYPERDRIVE_SQL_NAMES_PROCEDURE)
            && f->name.len == name.len && f->schema.len == qualifier.len
            && ngx_memcmp(f->name.data, name.data, name.len) == 0
            && (qualifier.len == 0
                || ngx_memcmp(f->schema.data, qualifier.data, qualifier.len)
                   == 0))
        {
            s->names = names;
            return;
        }
    }

    if (facts->nfunctions == NGX_HYPERDRIVE_SQL_MAX_FUNCTIONS) {
        goto full;
    }

    f = &facts->functions[facts->nfunctions++];

    f->schema = qualifier;
    f->name = name;
    f->operator = (call == NGX_HYPERDRIVE_SQL_NAMES_OPERATOR);
    f->procedure = (call == NGX_HYPERDRIVE_SQL_NAMES_PROCEDURE);

    return;

full:

    s->names = names;

    if (call == NGX_HYPERDRIVE_SQL_NAMES_OPERATOR) {
        ngx_hyperdrive_sql_names_reason(s, NGX_HYPERDRIVE_SQL_FUNCTION);
        return;
    }

    ngx_hyperdrive_sql_names_call(s, token, NGX_HYPERDRIVE_SQL_F_UNKNOWN);
}
