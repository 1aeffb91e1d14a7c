
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "sql/ngx_hyperdrive_sql_catalog_data.h"


/*
 * What the source of a function does, in SQL or PL/pgSQL.  Neither is parsed:
 * whatever has the name of a table may be read, whatever has the name of a
 * function and could be a call is one, behind INSERT INTO and the like stands
 * what is written.  A statement that does anything else, SQL made at run time,
 * or a name that nobody knows, and the function may do anything.
 */


#define K(id)  NGX_HYPERDRIVE_SQL_K_##id

#define NGX_HYPERDRIVE_SQL_CATALOG_BODY_NAME  64
#define NGX_HYPERDRIVE_SQL_CATALOG_BODY_LIST  1024


typedef enum {
    NGX_HYPERDRIVE_SQL_CATALOG_BODY_NONE = 0,
    NGX_HYPERDRIVE_SQL_CATALOG_BODY_TARGET,     /* a table that is written */
    NGX_HYPERDRIVE_SQL_CATALOG_BODY_TRUNCATE    /* a list of them */
} ngx_hyperdrive_sql_catalog_body_e;


typedef struct {
    ngx_hyperdrive_sql_catalog_t           *cat;
    ngx_hyperdrive_sql_catalog_function_t  *function;
    ngx_hyperdrive_sql_catalog_body_t      *body;
    ngx_hyperdrive_sql_lexer_t              lexer;

    ngx_hyperdrive_sql_token_t              before;
    ngx_hyperdrive_sql_token_t              prev;
    ngx_hyperdrive_sql_token_t              tok;
    ngx_hyperdrive_sql_token_t              next;

    ngx_hyperdrive_sql_catalog_body_e       target;

    ngx_hyperdrive_sql_catalog_list_t       reads;
    ngx_hyperdrive_sql_catalog_list_t       writes;
    ngx_hyperdrive_sql_catalog_list_t       calls;
} ngx_hyperdrive_sql_catalog_body_scan_t;


static void ngx_hyperdrive_sql_catalog_body_next(
    ngx_hyperdrive_sql_catalog_body_scan_t *s);
static void ngx_hyperdrive_sql_catalog_body_scan(
    ngx_hyperdrive_sql_catalog_body_scan_t *s);
static ngx_uint_t ngx_hyperdrive_sql_catalog_body_start(
    ngx_hyperdrive_sql_catalog_body_scan_t *s);
static ngx_uint_t ngx_hyperdrive_sql_catalog_body_bad(
    ngx_hyperdrive_sql_catalog_body_scan_t *s);
static ngx_uint_t ngx_hyperdrive_sql_catalog_body_verb(
    ngx_hyperdrive_sql_catalog_body_scan_t *s);
static void ngx_hyperdrive_sql_catalog_body_name(
    ngx_hyperdrive_sql_catalog_body_scan_t *s);
static void ngx_hyperdrive_sql_catalog_body_table(
    ngx_hyperdrive_sql_catalog_body_scan_t *s, ngx_str_t *schema,
    ngx_str_t *name);
static void ngx_hyperdrive_sql_catalog_body_call(
    ngx_hyperdrive_sql_catalog_body_scan_t *s, ngx_str_t *schema,
    ngx_str_t *name, ngx_hyperdrive_sql_category_e category);
static ngx_uint_t ngx_hyperdrive_sql_catalog_body_functions(
    ngx_hyperdrive_sql_catalog_body_scan_t *s, ngx_str_t *schema,
    ngx_str_t *name, ngx_uint_t attribute);
static void ngx_hyperdrive_sql_catalog_body_operator(
    ngx_hyperdrive_sql_catalog_body_scan_t *s);
static void ngx_hyperdrive_sql_catalog_body_add(
    ngx_hyperdrive_sql_catalog_body_scan_t *s,
    ngx_hyperdrive_sql_catalog_list_t *list, uint32_t oid);
static ngx_uint_t ngx_hyperdrive_sql_catalog_body_word(
    ngx_hyperdrive_sql_token_t *token, const char *word);
static ngx_int_t ngx_hyperdrive_sql_catalog_body_keep(
    ngx_hyperdrive_sql_catalog_t *cat, ngx_hyperdrive_sql_catalog_list_t *list,
    ngx_uint_t *n, uint32_t **oids);


ngx_hyperdrive_sql_catalog_body_t *
ngx_hyperdrive_sql_catalog_body(ngx_hyperdrive_sql_catalog_t *cat,
    ngx_hyperdrive_sql_catalog_function_t *f)
{
    ngx_hyperdrive_sql_catalog_body_t       *body;
    ngx_hyperdrive_sql_catalog_body_scan_t   s;

    if (f->body) {
        return f->body;
    }

    body = ngx_hyperdrive_sql_catalog_alloc(cat,
                                   sizeof(ngx_hyperdrive_sql_catalog_body_t));
    if (body == NULL) {
        return NULL;
    }

    ngx_memzero(body, sizeof(ngx_hyperdrive_sql_catalog_body_t));
    ngx_memzero(&s, sizeof(ngx_hyperdrive_sql_catalog_body_scan_t));

    s.cat = cat;
    s.function = f;
    s.body = body;
    s.reads.size = sizeof(uint32_t);
    s.writes.size = sizeof(uint32_t);
    s.calls.size = sizeof(uint32_t);

    s.lexer.pos = f->source.data;
    s.lexer.last = f->source.data + f->source.len;
    s.lexer.dialect = &ngx_hyperdrive_sql_pg;
    s.lexer.backslash = cat->backslash;

    ngx_hyperdrive_sql_lexer_next(&s.lexer, &s.next);
    ngx_hyperdrive_sql_catalog_body_scan(&s);

    if (ngx_hyperdrive_sql_catalog_body_keep(cat, &s.reads, &body->nreads,
                                             &body->reads)
        != NGX_OK
        || ngx_hyperdrive_sql_catalog_body_keep(cat, &s.writes,
                                                &body->nwrites, &body->writes)
           != NGX_OK
        || ngx_hyperdrive_sql_catalog_body_keep(cat, &s.calls, &body->ncalls,
                                                &body->calls)
           != NGX_OK)
    {
        body->anything = 1;
    }

    free(s.reads.elts);
    free(s.writes.elts);
    free(s.calls.elts);

    f->body = body;

    return body;
}


static ngx_int_t
ngx_hyperdrive_sql_catalog_body_keep(ngx_hyperdrive_sql_catalog_t *cat,
    ngx_hyperdrive_sql_catalog_list_t *list, ngx_uint_t *n, uint32_t **oids)
{
    if (list->n == 0) {
        return NGX_OK;
    }

    *oids = ngx_hyperdrive_sql_catalog_alloc(cat, list->n * sizeof(uint32_t));
    if (*oids == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(*oids, list->elts, list->n * sizeof(uint32_t));
    *n = list->n;

    return NGX_OK;
}


static void
ngx_hyperdrive_sql_catalog_body_next(ngx_hyperdrive_sql_catalog_body_scan_t *s)
{
    s->before = s->prev;
    s->prev = s->tok;
    s->tok = s->next;

    ngx_hyperdrive_sql_lexer_next(&s->lexer, &s->next);
}


static void
ngx_hyperdrive_sql_catalog_body_scan(ngx_hyperdrive_sql_catalog_body_scan_t *s)
{
    while (!s->body->anything) {

        ngx_hyperdrive_sql_catalog_body_next(s);

        switch (s->tok.type) {

        case NGX_HYPERDRIVE_SQL_T_END:

            if (s->target == NGX_HYPERDRIVE_SQL_CATALOG_BODY_TARGET) {
                s->body->anything = 1;
            }

            return;

        case NGX_HYPERDRIVE_SQL_T_ERROR:
            s->body->anything = 1;
            return;

        case NGX_HYPERDRIVE_SQL_T_SEMICOLON:
            s->target = NGX_HYPERDRIVE_SQL_CATALOG_BODY_NONE;
            break;

        case NGX_HYPERDRIVE_SQL_T_OPERATOR:
            ngx_hyperdrive_sql_catalog_body_operator(s);
            break;

        case NGX_HYPERDRIVE_SQL_T_WORD:

            if (ngx_hyperdrive_sql_catalog_body_bad(s)) {
                s->body->anything = 1;
                return;
            }

            if (ngx_hyperdrive_sql_catalog_body_verb(s)) {
                break;
            }

            /* fall through */

        case NGX_HYPERDRIVE_SQL_T_NAME:
            ngx_hyperdrive_sql_catalog_body_name(s);
            break;

        default:
            break;
        }
    }
}


/* may a statement begin here? */

static ngx_uint_t
ngx_hyperdrive_sql_catalog_body_start(
    ngx_hyperdrive_sql_catalog_body_scan_t *s)
{
    switch (s->prev.type) {

    case NGX_HYPERDRIVE_SQL_T_END:           /* nothing is before it */
    case NGX_HYPERDRIVE_SQL_T_SEMICOLON:
        return 1;

    case NGX_HYPERDRIVE_SQL_T_OPERATOR:
        /* <<label>> */
        return s->prev.text.data[s->prev.text.len - 1] == '>';

    case NGX_HYPERDRIVE_SQL_T_WORD:
        return s->prev.keyword == K(BEGIN)
               || ngx_hyperdrive_sql_catalog_body_word(&s->prev, "then")
               || ngx_hyperdrive_sql_catalog_body_word(&s->prev, "else")
               || ngx_hyperdrive_sql_catalog_body_word(&s->prev, "loop");

    default:
        return 0;
    }
}


/* a statement that changes more than rows, or that is not seen */

static ngx_uint_t
ngx_hyperdrive_sql_catalog_body_bad(ngx_hyperdrive_sql_catalog_body_scan_t *s)
{
    switch (s->tok.keyword) {

    case K(EXECUTE):
        /* its text is made at run time */
        return 1;

    case K(UESCAPE):
    case K(TREAT):
        return 1;

    case K(INTO):
        /* in SQL it makes a table */
        return !s->function->plpgsql
               && s->prev.keyword != K(INSERT) && s->prev.keyword != K(MERGE);

    default:
        break;
    }

    if (!ngx_hyperdrive_sql_catalog_body_start(s)) {
        return 0;
    }

    switch (s->tok.keyword) {

    case K(ABORT):
    case K(ALTER):
    case K(ANALYSE):
    case K(ANALYZE):
    case K(CHECKPOINT):
    case K(CLUSTER):
    case K(COMMENT):
    case K(COMMIT):
    case K(COPY):
    case K(CREATE):
    case K(DEALLOCATE):
    case K(DISCARD):
    case K(DO):
    case K(DROP):
    case K(EXPLAIN):
    case K(GRANT):
    case K(IMPORT):
    case K(LISTEN):
    case K(LOAD):
    case K(PREPARE):
    case K(REASSIGN):
    case K(REFRESH):
    case K(REINDEX):
    case K(RELEASE):
    case K(RESET):
    case K(REVOKE):
    case K(ROLLBACK):
    case K(SAVEPOINT):
    case K(SECURITY):
    case K(SET):
    case K(START):
    case K(UNLISTEN):
    case K(VACUUM):
        return 1;

    case K(DECLARE):
        return !s->function->plpgsql;

    default:
        return 0;
    }
}


/* words that lead to a table which is written; 1: the word is done with */

static ngx_uint_t
ngx_hyperdrive_sql_catalog_body_verb(ngx_hyperdrive_sql_catalog_body_scan_t *s)
{
    switch (s->tok.keyword) {

    case K(INTO):

        if (s->prev.keyword == K(INSERT) || s->prev.keyword == K(MERGE)) {
            s->target = NGX_HYPERDRIVE_SQL_CATALOG_BODY_TARGET;
        }

        return 1;

    case K(FROM):

        if (s->prev.keyword == K(DELETE)
            && s->prev.type == NGX_HYPERDRIVE_SQL_T_WORD)
        {
            s->target = NGX_HYPERDRIVE_SQL_CATALOG_BODY_TARGET;
        }

        return 1;

    case K(UPDATE):

        /* FOR [NO KEY] UPDATE; ON CONFLICT DO UPDATE, THEN UPDATE SET */

        if (s->prev.keyword != K(FOR) && s->prev.keyword != K(KEY)
            && s->prev.keyword != K(DO) && s->next.keyword != K(SET))
        {
            s->target = NGX_HYPERDRIVE_SQL_CATALOG_BODY_TARGET;
        }

        return 1;

    case K(TRUNCATE):

        if (ngx_hyperdrive_sql_catalog_body_start(s)) {
            s->target = NGX_HYPERDRIVE_SQL_CATALOG_BODY_TRUNCATE;
            return 1;
        }

        return 0;

    case K(ONLY):
    case K(TABLE):
        return s->target != NGX_HYPERDRIVE_SQL_CATALOG_BODY_NONE;

    default:
        break;
    }

    if (s->target == NGX_HYPERDRIVE_SQL_CATALOG_BODY_TRUNCATE) {

        if (ngx_hyperdrive_sql_catalog_body_word(&s->tok, "cascade")) {
            s->body->anything = 1;
            return 1;
        }

        return ngx_hyperdrive_sql_catalog_body_word(&s->tok, "restrict")
               || ngx_hyperdrive_sql_catalog_body_word(&s->tok, "restart")
               || ngx_hyperdrive_sql_catalog_body_word(&s->tok, "continue")
               || ngx_hyperdrive_sql_catalog_body_word(&s->tok, "identity");
    }

    return 0;
}


/* a name, perhaps with a schema; or a keyword that could be one */

static void
ngx_hyperdrive_sql_catalog_body_name(ngx_hyperdrive_sql_catalog_body_scan_t *s)
{
    u_char                         buf[2][256];
    ngx_str_t                      schema, name;
    ngx_uint_t                     i, parts;
    ngx_hyperdrive_sql_token_t     first;
    ngx_hyperdrive_sql_category_e  category;

    category = s->tok.category;

    if (s->tok.type == NGX_HYPERDRIVE_SQL_T_NAME) {
        category = NGX_HYPERDRIVE_SQL_NOT_KEYWORD;
    }

    i = 0;
    parts = 0;
    first = s->prev;

    ngx_str_null(&schema);
    ngx_str_null(&name);

    for ( ;; ) {

        if (s->tok.text.len > sizeof(buf[0])) {
            s->body->anything = 1;
            return;
        }

        schema = name;

        name.data = buf[i];
        name.len = ngx_hyperdrive_sql_lexer_fold(&ngx_hyperdrive_sql_pg,
                                                 &s->tok, buf[i]);
        i = !i;
        parts++;

        if (s->next.type != NGX_HYPERDRIVE_SQL_T_DOT) {
            break;
        }

        ngx_hyperdrive_sql_catalog_body_next(s);

        if (s->next.type != NGX_HYPERDRIVE_SQL_T_WORD
            && s->next.type != NGX_HYPERDRIVE_SQL_T_NAME)
        {
            /* t.*, (t).* */
            ngx_hyperdrive_sql_catalog_body_table(s, NULL, &name);
            return;
        }

        /* in "t.c" the first one may be a table, too */

        if (parts == 1) {
            ngx_hyperdrive_sql_catalog_body_table(s, NULL, &name);
        }

        ngx_hyperdrive_sql_catalog_body_next(s);

        category = NGX_HYPERDRIVE_SQL_NOT_KEYWORD;
    }

    if (s->target == NGX_HYPERDRIVE_SQL_CATALOG_BODY_NONE
        && s->next.type == NGX_HYPERDRIVE_SQL_T_OPEN
        && first.keyword != K(AS) && first.keyword != K(WITH)
        && first.keyword != K(RECURSIVE))
    {
        ngx_hyperdrive_sql_catalog_body_call(s, parts > 1 ? &schema : NULL,
                                             &name, category);
    }

    if (category == NGX_HYPERDRIVE_SQL_RESERVED) {
        return;
    }

    if (s->next.type != NGX_HYPERDRIVE_SQL_T_OPEN
        && s->target == NGX_HYPERDRIVE_SQL_CATALOG_BODY_NONE)
    {
        (void) ngx_hyperdrive_sql_catalog_body_functions(s, NULL, &name, 1);
    }

    ngx_hyperdrive_sql_catalog_body_table(s, parts > 1 ? &schema : NULL,
                                          &name);
}


/* is it a table?  Whatever has the name, in any schema, unless one is given */

static void
ngx_hyperdrive_sql_catalog_body_table(
    ngx_hyperdrive_sql_catalog_body_scan_t *s, ngx_str_t *schema,
    ngx_str_t *name)
{
    ngx_uint_t                              i, n, first, found;
    ngx_hyperdrive_sql_catalog_relation_t  *r;

    n = ngx_hyperdrive_sql_catalog_relations(s->cat, name, &first);
    found = 0;

    for (i = 0; i < n; i++) {
        r = ngx_hyperdrive_sql_catalog_relation_at(s->cat,
                                         s->cat->relation_names[first + i]);

        /* of "a.b" <a> may be an alias, and <b> no table: then it is read */

        if (schema
            && s->target != NGX_HYPERDRIVE_SQL_CATALOG_BODY_NONE
            && !ngx_hyperdrive_base_same(schema, &r->schema))
        {
            continue;
        }

        found = 1;

        ngx_hyperdrive_sql_catalog_body_add(s,
                        s->target != NGX_HYPERDRIVE_SQL_CATALOG_BODY_NONE
                            ? &s->writes : &s->reads, r->oid);
    }

    if (s->target != NGX_HYPERDRIVE_SQL_CATALOG_BODY_NONE) {

        if (schema == NULL && s->tok.type == NGX_HYPERDRIVE_SQL_T_DOT) {

            /* "schema." of a target: the table is to come */

            return;
        }

        if (!found) {
            s->body->anything = 1;
        }

        if (s->target == NGX_HYPERDRIVE_SQL_CATALOG_BODY_TARGET) {
            s->target = NGX_HYPERDRIVE_SQL_CATALOG_BODY_NONE;
        }

        return;
    }

    if ((name->len >= 3 && ngx_strncmp(name->data, "pg_", 3) == 0)
        || ngx_hyperdrive_sql_catalog_is(name, "information_schema")
        || ngx_hyperdrive_sql_catalog_is(name, "last_value"))
    {
        s->body->system = 1;
    }
}


static void
ngx_hyperdrive_sql_catalog_body_call(
    ngx_hyperdrive_sql_catalog_body_scan_t *s, ngx_str_t *schema,
    ngx_str_t *name, ngx_hyperdrive_sql_category_e category)
{
    ngx_uint_t  class, found;

    class = NGX_HYPERDRIVE_SQL_F_UNKNOWN;

    if (schema == NULL
        || ngx_hyperdrive_sql_catalog_is(schema, "pg_catalog"))
    {
        class = ngx_hyperdrive_sql_lexer_lookup(
                                           ngx_hyperdrive_sql_pg.functions,
                                           *ngx_hyperdrive_sql_pg.nfunctions,
                                           name->data, name->len)
                & NGX_HYPERDRIVE_SQL_F_CLASS;
    }

    found = ngx_hyperdrive_sql_catalog_body_functions(s, schema, name, 0);

    switch (class) {

    case NGX_HYPERDRIVE_SQL_F_UNKNOWN:

        /* a word of the grammar, with a parenthesis behind it */

        if (!found && category == NGX_HYPERDRIVE_SQL_NOT_KEYWORD) {
            s->body->anything = 1;
        }

        return;

    case NGX_HYPERDRIVE_SQL_F_SESSION:

        if (ngx_hyperdrive_sql_catalog_is(name, "nextval")
            || ngx_hyperdrive_sql_catalog_is(name, "currval")
            || ngx_hyperdrive_sql_catalog_is(name, "lastval")
            || ngx_hyperdrive_sql_catalog_is(name, "setval"))
        {
            s->body->sequence = 1;
            return;
        }

        s->body->stateful = 1;
        return;

    case NGX_HYPERDRIVE_SQL_F_WRITES:
        s->body->anything = 1;
        return;

    default:
        return;
    }
}


static ngx_uint_t
ngx_hyperdrive_sql_catalog_body_functions(
    ngx_hyperdrive_sql_catalog_body_scan_t *s, ngx_str_t *schema,
    ngx_str_t *name, ngx_uint_t attribute)
{
    ngx_uint_t                              i, n, first, found;
    ngx_hyperdrive_sql_catalog_function_t  *f;

    n = ngx_hyperdrive_sql_catalog_functions(s->cat, name, &first);
    found = 0;

    for (i = 0; i < n; i++) {
        f = ngx_hyperdrive_sql_catalog_function_at(s->cat,
                                         s->cat->function_names[first + i]);

        if ((schema && !ngx_hyperdrive_base_same(schema, &f->schema))
            || (attribute && !f->attribute))
        {
            continue;
        }

        found = 1;
        ngx_hyperdrive_sql_catalog_body_add(s, &s->calls, f->oid);
    }

    return found;
}


static void
ngx_hyperdrive_sql_catalog_body_operator(
    ngx_hyperdrive_sql_catalog_body_scan_t *s)
{
    ngx_uint_t                         i;
    ngx_hyperdrive_sql_catalog_use_t  *u;

    for (i = 0; i < s->cat->uses.n; i++) {
        u = ngx_hyperdrive_sql_catalog_use_at(s->cat, i);

        if (u->type == 'O'
            && ngx_hyperdrive_base_same(&u->name, &s->tok.text))
        {
            ngx_hyperdrive_sql_catalog_body_add(s, &s->calls, u->function);
        }
    }
}


static void
ngx_hyperdrive_sql_catalog_body_add(ngx_hyperdrive_sql_catalog_body_scan_t *s,
    ngx_hyperdrive_sql_catalog_list_t *list, uint32_t oid)
{
    uint32_t    *oids;
    ngx_uint_t   i;

    oids = list->elts;

    for (i = 0; i < list->n; i++) {
        if (oids[i] == oid) {
            return;
        }
    }

    if (list->n == NGX_HYPERDRIVE_SQL_CATALOG_BODY_LIST) {
        s->body->anything = 1;
        return;
    }

    oids = ngx_hyperdrive_sql_catalog_push(list);

    if (oids == NULL) {
        s->body->anything = 1;
        return;
    }

    *oids = oid;
}


static ngx_uint_t
ngx_hyperdrive_sql_catalog_body_word(ngx_hyperdrive_sql_token_t *token,
    const char *word)
{
    return token->type == NGX_HYPERDRIVE_SQL_T_WORD
           && token->text.len == ngx_strlen(word)
           && ngx_strncasecmp(token->text.data, (u_char *) word,
                              token->text.len)
              == 0;
}
