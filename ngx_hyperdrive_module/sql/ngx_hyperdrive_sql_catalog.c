
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "sql/ngx_hyperdrive_sql_mysql_catalog.h"
#include "base/ngx_hyperdrive_base_mode.h"
#include "base/ngx_hyperdrive_base_hash.h"


#define NGX_HYPERDRIVE_SQL_CATALOG_CHUNK  65536

/* a database whose catalog is larger is not cached, bytes */
#define NGX_HYPERDRIVE_SQL_CATALOG_MAX    (256 * 1024 * 1024)


struct ngx_hyperdrive_sql_catalog_chunk_s {
    ngx_hyperdrive_sql_catalog_chunk_t  *next;
    u_char                              *pos;
    u_char                              *end;
};


static ngx_int_t ngx_hyperdrive_sql_catalog_copy(
    ngx_hyperdrive_sql_catalog_t *cat, ngx_str_t *dst, ngx_str_t *src);
static ngx_int_t ngx_hyperdrive_sql_catalog_oid(ngx_str_t *text,
    uint32_t *oid);
static ngx_int_t ngx_hyperdrive_sql_catalog_row_relation(
    ngx_hyperdrive_sql_catalog_t *cat, ngx_str_t *cols, ngx_uint_t n);
static ngx_int_t ngx_hyperdrive_sql_catalog_row_function(
    ngx_hyperdrive_sql_catalog_t *cat, ngx_str_t *cols, ngx_uint_t n);
static ngx_int_t ngx_hyperdrive_sql_catalog_row_edge(
    ngx_hyperdrive_sql_catalog_t *cat, ngx_str_t *cols, ngx_uint_t n);
static ngx_int_t ngx_hyperdrive_sql_catalog_row_use(
    ngx_hyperdrive_sql_catalog_t *cat, ngx_str_t *cols, ngx_uint_t n);
static int ngx_libc_cdecl ngx_hyperdrive_sql_catalog_cmp_relation(
    const void *one, const void *two);
static int ngx_libc_cdecl ngx_hyperdrive_sql_catalog_cmp_function(
    const void *one, const void *two);
static int ngx_libc_cdecl ngx_hyperdrive_sql_catalog_cmp_edge(
    const void *one, const void *two);
static int ngx_libc_cdecl ngx_hyperdrive_sql_catalog_cmp_relation_name(
    const void *one, const void *two, void *data);
static int ngx_libc_cdecl ngx_hyperdrive_sql_catalog_cmp_function_name(
    const void *one, const void *two, void *data);
static void ngx_hyperdrive_sql_catalog_join(ngx_hyperdrive_sql_catalog_t *cat);
static void ngx_hyperdrive_sql_catalog_rule(ngx_hyperdrive_sql_catalog_t *cat,
    ngx_hyperdrive_sql_catalog_function_t *f);
static ngx_uint_t ngx_hyperdrive_sql_catalog_suspect(
    ngx_hyperdrive_sql_catalog_function_t *f);


ngx_hyperdrive_sql_catalog_t *
ngx_hyperdrive_sql_catalog_create(ngx_uint_t dialect,
    ngx_hyperdrive_sql_catalog_rule_t *rules, ngx_uint_t nrules)
{
    ngx_hyperdrive_sql_catalog_t  *cat;

    cat = calloc(1, sizeof(ngx_hyperdrive_sql_catalog_t));
    if (cat == NULL) {
        return NULL;
    }

    if (dialect & NGX_HYPERDRIVE_BASE_MODE_MYSQL) {
        cat->mysql = ngx_hyperdrive_sql_mysql_catalog_create();

        if (cat->mysql == NULL) {
            free(cat);
            return NULL;
        }
    }

    cat->rules = rules;
    cat->nrules = nrules;

    cat->relations.size = sizeof(ngx_hyperdrive_sql_catalog_relation_t);
    cat->functions.size = sizeof(ngx_hyperdrive_sql_catalog_function_t);
    cat->edges.size = sizeof(ngx_hyperdrive_sql_catalog_edge_t);
    cat->uses.size = sizeof(ngx_hyperdrive_sql_catalog_use_t);

    return cat;
}


void
ngx_hyperdrive_sql_catalog_destroy(ngx_hyperdrive_sql_catalog_t *cat)
{
    ngx_hyperdrive_sql_catalog_chunk_t  *chunk, *next;

    for (chunk = cat->chunks; chunk; chunk = next) {
        next = chunk->next;
        free(chunk);
    }

    if (cat->mysql) {
        ngx_hyperdrive_sql_mysql_catalog_destroy(cat->mysql);
    }

    free(cat->relations.elts);
    free(cat->functions.elts);
    free(cat->edges.elts);
    free(cat->uses.elts);
    free(cat);
}


void *
ngx_hyperdrive_sql_catalog_alloc(ngx_hyperdrive_sql_catalog_t *cat,
    size_t size)
{
    size_t                               len;
    void                                *p;
    ngx_hyperdrive_sql_catalog_chunk_t  *chunk;

    size = ngx_align(size, sizeof(void *));
    chunk = cat->chunks;

    if (chunk == NULL || (size_t) (chunk->end - chunk->pos) < size) {

        len = ngx_max(size, NGX_HYPERDRIVE_SQL_CATALOG_CHUNK);

        if (cat->bytes + len > NGX_HYPERDRIVE_SQL_CATALOG_MAX) {
            return NULL;
        }

        chunk = malloc(sizeof(ngx_hyperdrive_sql_catalog_chunk_t) + len);
        if (chunk == NULL) {
            return NULL;
        }

        chunk->pos = (u_char *) (chunk + 1);
        chunk->end = chunk->pos + len;
        chunk->next = cat->chunks;

        cat->chunks = chunk;
        cat->bytes += len;
    }

    p = chunk->pos;
    chunk->pos += size;

    return p;
}


void *
ngx_hyperdrive_sql_catalog_push(ngx_hyperdrive_sql_catalog_list_t *list)
{
    void        *elts;
    u_char      *p;
    ngx_uint_t   max;

    if (list->n == list->max) {
        max = list->max ? list->max * 2 : 64;

        if (max * list->size > NGX_HYPERDRIVE_SQL_CATALOG_MAX) {
            return NULL;
        }

        elts = realloc(list->elts, max * list->size);
        if (elts == NULL) {
            return NULL;
        }

        list->elts = elts;
        list->max = max;
    }

    p = (u_char *) list->elts + list->n++ * list->size;

    ngx_memzero(p, list->size);

    return p;
}


static ngx_int_t
ngx_hyperdrive_sql_catalog_copy(ngx_hyperdrive_sql_catalog_t *cat,
    ngx_str_t *dst, ngx_str_t *src)
{
    dst->len = src->len;
    dst->data = (u_char *) "";

    if (src->len == 0) {
        return NGX_OK;
    }

    dst->data = ngx_hyperdrive_sql_catalog_alloc(cat, src->len);
    if (dst->data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(dst->data, src->data, src->len);

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_sql_catalog_oid(ngx_str_t *text, uint32_t *oid)
{
    size_t    i;
    uint64_t  value;

    if (text->len == 0 || text->len > 10) {
        return NGX_ERROR;
    }

    value = 0;

    for (i = 0; i < text->len; i++) {

        if (text->data[i] < '0' || text->data[i] > '9') {
            return NGX_ERROR;
        }

        value = value * 10 + (text->data[i] - '0');
    }

    if (value > 0xffffffff) {
        return NGX_ERROR;
    }

    *oid = (uint32_t) value;

    return NGX_OK;
}


ngx_int_t
ngx_hyperdrive_sql_catalog_row(ngx_hyperdrive_sql_catalog_t *cat,
    ngx_str_t *cols, ngx_uint_t n)
{
    uint64_t    seed[2];
    ngx_uint_t  i;

    if (cat->mysql) {
        return ngx_hyperdrive_sql_mysql_catalog_row(cat, cols, n);
    }

    if (n == 0 || cols[0].len != 1) {
        return NGX_ERROR;
    }

    /* the first row is about who asks */

    for (i = 0; i < n && cols[0].data[0] != 'I'; i++) {
        seed[0] = cat->digest;
        seed[1] = i + 1;

        cat->digest = ngx_hyperdrive_base_hash(seed, cols[i].data,
                                               cols[i].len);
    }

    switch (cols[0].data[0]) {

    case 'I':

        if (n < 4
            || ngx_hyperdrive_sql_catalog_copy(cat, &cat->path, &cols[1])
               != NGX_OK
            || ngx_hyperdrive_sql_catalog_copy(cat, &cat->role, &cols[3])
               != NGX_OK)
        {
            return NGX_ERROR;
        }

        cat->backslash = !ngx_hyperdrive_sql_catalog_is(&cols[2], "on");
        cat->started = 1;

        return NGX_OK;

    case 'R':
        return ngx_hyperdrive_sql_catalog_row_relation(cat, cols, n);

    case 'F':
        return ngx_hyperdrive_sql_catalog_row_function(cat, cols, n);

    case 'E':
    case 'G':
    case 'B':
    case 'H':
        return ngx_hyperdrive_sql_catalog_row_edge(cat, cols, n);

    case 'O':
    case 'C':
        return ngx_hyperdrive_sql_catalog_row_use(cat, cols, n);

    case 'X':
        return NGX_OK;

    default:
        return NGX_ERROR;
    }
}


static ngx_int_t
ngx_hyperdrive_sql_catalog_row_relation(ngx_hyperdrive_sql_catalog_t *cat,
    ngx_str_t *cols, ngx_uint_t n)
{
    ngx_hyperdrive_sql_catalog_relation_t  *r;

    if (n < 6 || cols[4].len != 1) {
        return NGX_ERROR;
    }

    r = ngx_hyperdrive_sql_catalog_push(&cat->relations);

    if (r == NULL
        || ngx_hyperdrive_sql_catalog_oid(&cols[1], &r->oid) != NGX_OK
        || ngx_hyperdrive_sql_catalog_copy(cat, &r->schema, &cols[2])
           != NGX_OK
        || ngx_hyperdrive_sql_catalog_copy(cat, &r->name, &cols[3]) != NGX_OK)
    {
        return NGX_ERROR;
    }

    r->kind = cols[4].data[0];
    r->rls = ngx_hyperdrive_sql_catalog_is(&cols[5], "t");

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_sql_catalog_row_function(ngx_hyperdrive_sql_catalog_t *cat,
    ngx_str_t *cols, ngx_uint_t n)
{
    ngx_hyperdrive_sql_catalog_function_t  *f;

    if (n < 10 || cols[4].len != 1 || cols[6].len != 1) {
        return NGX_ERROR;
    }

    f = ngx_hyperdrive_sql_catalog_push(&cat->functions);

    if (f == NULL
        || ngx_hyperdrive_sql_catalog_oid(&cols[1], &f->oid) != NGX_OK
        || ngx_hyperdrive_sql_catalog_copy(cat, &f->schema, &cols[2])
           != NGX_OK
        || ngx_hyperdrive_sql_catalog_copy(cat, &f->name, &cols[3]) != NGX_OK
        || ngx_hyperdrive_sql_catalog_copy(cat, &f->source, &cols[8])
           != NGX_OK
        || ngx_hyperdrive_sql_catalog_copy(cat, &f->extension, &cols[9])
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    f->volatility = cols[4].data[0];
    f->kind = cols[6].data[0];
    f->attribute = ngx_hyperdrive_sql_catalog_is(&cols[7], "t");

    f->plpgsql = ngx_hyperdrive_sql_catalog_is(&cols[5], "plpgsql");
    f->sql = f->plpgsql || ngx_hyperdrive_sql_catalog_is(&cols[5], "sql");
    f->c = ngx_hyperdrive_sql_catalog_is(&cols[5], "c")
           || ngx_hyperdrive_sql_catalog_is(&cols[5], "internal");

    ngx_hyperdrive_sql_catalog_rule(cat, f);

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_sql_catalog_row_edge(ngx_hyperdrive_sql_catalog_t *cat,
    ngx_str_t *cols, ngx_uint_t n)
{
    ngx_hyperdrive_sql_catalog_edge_t  *e;

    if (n < 4 || cols[2].len != 1) {
        return NGX_ERROR;
    }

    e = ngx_hyperdrive_sql_catalog_push(&cat->edges);

    if (e == NULL
        || ngx_hyperdrive_sql_catalog_oid(&cols[1], &e->from) != NGX_OK
        || ngx_hyperdrive_sql_catalog_oid(&cols[3], &e->to) != NGX_OK)
    {
        return NGX_ERROR;
    }

    e->type = cols[0].data[0];
    e->kind = cols[2].data[0];

    if (n >= 6 && cols[4].len && cols[5].len == 1) {
        e->volatility = cols[5].data[0];
        return ngx_hyperdrive_sql_catalog_copy(cat, &e->name, &cols[4]);
    }

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_sql_catalog_row_use(ngx_hyperdrive_sql_catalog_t *cat,
    ngx_str_t *cols, ngx_uint_t n)
{
    ngx_str_t                         *function, *name;
    ngx_hyperdrive_sql_catalog_use_t  *u;

    if (n < 3) {
        return NGX_ERROR;
    }

    u = ngx_hyperdrive_sql_catalog_push(&cat->uses);
    if (u == NULL) {
        return NGX_ERROR;
    }

    u->type = cols[0].data[0];

    if (u->type == 'O') {

        if (n < 4
            || ngx_hyperdrive_sql_catalog_copy(cat, &u->schema, &cols[1])
               != NGX_OK)
        {
            return NGX_ERROR;
        }

        name = &cols[2];
        function = &cols[3];

    } else {
        function = &cols[1];
        name = &cols[2];
    }

    if (ngx_hyperdrive_sql_catalog_oid(function, &u->function) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_hyperdrive_sql_catalog_copy(cat, &u->name, name);
}


ngx_int_t
ngx_hyperdrive_sql_catalog_done(ngx_hyperdrive_sql_catalog_t *cat)
{
    ngx_uint_t                              i;
    ngx_hyperdrive_sql_catalog_function_t  *f;

    if (cat->mysql) {
        return ngx_hyperdrive_sql_mysql_catalog_done(cat);
    }

    if (!cat->started) {
        return NGX_ERROR;
    }

    if (cat->relations.n) {
        qsort(cat->relations.elts, cat->relations.n, cat->relations.size,
              ngx_hyperdrive_sql_catalog_cmp_relation);
    }

    if (cat->functions.n) {
        qsort(cat->functions.elts, cat->functions.n, cat->functions.size,
              ngx_hyperdrive_sql_catalog_cmp_function);
    }

    if (cat->edges.n) {
        qsort(cat->edges.elts, cat->edges.n, cat->edges.size,
              ngx_hyperdrive_sql_catalog_cmp_edge);
    }

    cat->relation_names = ngx_hyperdrive_sql_catalog_alloc(cat,
                                   (cat->relations.n + 1) * sizeof(uint32_t));
    cat->function_names = ngx_hyperdrive_sql_catalog_alloc(cat,
                                   (cat->functions.n + 1) * sizeof(uint32_t));
    cat->suspects = ngx_hyperdrive_sql_catalog_alloc(cat,
                                   (cat->functions.n + 1) * sizeof(uint32_t));

    if (cat->relation_names == NULL || cat->function_names == NULL
        || cat->suspects == NULL)
    {
        return NGX_ERROR;
    }

    for (i = 0; i < cat->relations.n; i++) {
        cat->relation_names[i] = i;
        ngx_hyperdrive_sql_catalog_relation_at(cat, i)->parent = i;
    }

    for (i = 0; i < cat->functions.n; i++) {
        cat->function_names[i] = i;

        f = ngx_hyperdrive_sql_catalog_function_at(cat, i);

        if (ngx_hyperdrive_sql_catalog_suspect(f)) {
            cat->suspects[cat->nsuspects++] = i;
        }
    }

    qsort_r(cat->relation_names, cat->relations.n, sizeof(uint32_t),
            ngx_hyperdrive_sql_catalog_cmp_relation_name, cat);
    qsort_r(cat->function_names, cat->functions.n, sizeof(uint32_t),
            ngx_hyperdrive_sql_catalog_cmp_function_name, cat);

    ngx_hyperdrive_sql_catalog_join(cat);

    return NGX_OK;
}


static int ngx_libc_cdecl
ngx_hyperdrive_sql_catalog_cmp_relation(const void *one, const void *two)
{
    const ngx_hyperdrive_sql_catalog_relation_t  *a, *b;

    a = one;
    b = two;

    return (a->oid > b->oid) - (a->oid < b->oid);
}


static int ngx_libc_cdecl
ngx_hyperdrive_sql_catalog_cmp_function(const void *one, const void *two)
{
    const ngx_hyperdrive_sql_catalog_function_t  *a, *b;

    a = one;
    b = two;

    return (a->oid > b->oid) - (a->oid < b->oid);
}


static int ngx_libc_cdecl
ngx_hyperdrive_sql_catalog_cmp_edge(const void *one, const void *two)
{
    const ngx_hyperdrive_sql_catalog_edge_t  *a, *b;

    a = one;
    b = two;

    return (a->from > b->from) - (a->from < b->from);
}


static int ngx_libc_cdecl
ngx_hyperdrive_sql_catalog_cmp_relation_name(const void *one, const void *two,
    void *data)
{
    ngx_hyperdrive_sql_catalog_relation_t  *a, *b;

    a = ngx_hyperdrive_sql_catalog_relation_at(
                 (ngx_hyperdrive_sql_catalog_t *) data, *(uint32_t *) one);
    b = ngx_hyperdrive_sql_catalog_relation_at(
                 (ngx_hyperdrive_sql_catalog_t *) data, *(uint32_t *) two);

    return (int) ngx_memn2cmp(a->name.data, b->name.data, a->name.len,
                              b->name.len);
}


static int ngx_libc_cdecl
ngx_hyperdrive_sql_catalog_cmp_function_name(const void *one, const void *two,
    void *data)
{
    ngx_hyperdrive_sql_catalog_function_t  *a, *b;

    a = ngx_hyperdrive_sql_catalog_function_at(
                 (ngx_hyperdrive_sql_catalog_t *) data, *(uint32_t *) one);
    b = ngx_hyperdrive_sql_catalog_function_at(
                 (ngx_hyperdrive_sql_catalog_t *) data, *(uint32_t *) two);

    return (int) ngx_memn2cmp(a->name.data, b->name.data, a->name.len,
                              b->name.len);
}


/*
 * All that inherit from one another get one representative: who reads a table
 * reads its children, and a row may move from one partition to another.
 */

static void
ngx_hyperdrive_sql_catalog_join(ngx_hyperdrive_sql_catalog_t *cat)
{
    ngx_uint_t                              i;
    ngx_hyperdrive_sql_catalog_edge_t      *e;
    ngx_hyperdrive_sql_catalog_relation_t  *a, *b;

    for (i = 0; i < cat->edges.n; i++) {
        e = ngx_hyperdrive_sql_catalog_edge_at(cat, i);

        if (e->type != 'E' || e->kind != 'i') {
            continue;
        }

        a = ngx_hyperdrive_sql_catalog_relation(cat, e->from);
        b = ngx_hyperdrive_sql_catalog_relation(cat, e->to);

        if (a == NULL || b == NULL) {
            continue;
        }

        a = ngx_hyperdrive_sql_catalog_root(cat, a);
        b = ngx_hyperdrive_sql_catalog_root(cat, b);

        /* the smallest OID: the same one, whatever the order of the rows */

        if (a->oid < b->oid) {
            b->parent = a->parent;

        } else {
            a->parent = b->parent;
        }
    }
}


ngx_hyperdrive_sql_catalog_relation_t *
ngx_hyperdrive_sql_catalog_root(ngx_hyperdrive_sql_catalog_t *cat,
    ngx_hyperdrive_sql_catalog_relation_t *r)
{
    ngx_hyperdrive_sql_catalog_relation_t  *parent;

    for ( ;; ) {
        parent = ngx_hyperdrive_sql_catalog_relation_at(cat, r->parent);

        if (parent == r) {
            return r;
        }

        r->parent = parent->parent;
        r = parent;
    }
}


/* what the operator says of it; the first that fits */

static void
ngx_hyperdrive_sql_catalog_rule(ngx_hyperdrive_sql_catalog_t *cat,
    ngx_hyperdrive_sql_catalog_function_t *f)
{
    ngx_str_t                           full;
    ngx_uint_t                          i;
    ngx_hyperdrive_sql_catalog_rule_t  *rule;

    for (i = 0; i < cat->nrules; i++) {
        rule = &cat->rules[i];
        full = rule->name;

        if (full.len > f->schema.len + 1
            && full.data[f->schema.len] == '.'
            && ngx_memcmp(full.data, f->schema.data, f->schema.len) == 0)
        {
            full.data += f->schema.len + 1;
            full.len -= f->schema.len + 1;
        }

        if (ngx_hyperdrive_base_same(&full, &f->name)) {
            f->rule = rule;
            return;
        }
    }
}


/*
 * May it be called by a text that does not seem to?  C functions that are
 * immutable do no harm.
 */

static ngx_uint_t
ngx_hyperdrive_sql_catalog_suspect(ngx_hyperdrive_sql_catalog_function_t *f)
{
    if (f->c && f->volatility == 'i' && f->kind != 'a') {
        return 0;
    }

    if (f->attribute) {
        return 1;
    }

    return ngx_hyperdrive_sql_lexer_lookup(ngx_hyperdrive_sql_pg.functions,
                                           *ngx_hyperdrive_sql_pg.nfunctions,
                                           f->name.data, f->name.len)
           != NGX_HYPERDRIVE_SQL_F_UNKNOWN;
}


ngx_hyperdrive_sql_catalog_relation_t *
ngx_hyperdrive_sql_catalog_relation(ngx_hyperdrive_sql_catalog_t *cat,
    uint32_t oid)
{
    ngx_hyperdrive_sql_catalog_relation_t  key;

    if (cat->relations.n == 0) {
        return NULL;
    }

    key.oid = oid;

    return bsearch(&key, cat->relations.elts, cat->relations.n,
                   cat->relations.size,
                   ngx_hyperdrive_sql_catalog_cmp_relation);
}


ngx_hyperdrive_sql_catalog_function_t *
ngx_hyperdrive_sql_catalog_function(ngx_hyperdrive_sql_catalog_t *cat,
    uint32_t oid)
{
    ngx_hyperdrive_sql_catalog_function_t  key;

    if (cat->functions.n == 0) {
        return NULL;
    }

    key.oid = oid;

    return bsearch(&key, cat->functions.elts, cat->functions.n,
                   cat->functions.size,
                   ngx_hyperdrive_sql_catalog_cmp_function);
}


ngx_uint_t
ngx_hyperdrive_sql_catalog_relations(ngx_hyperdrive_sql_catalog_t *cat,
    ngx_str_t *name, ngx_uint_t *first)
{
    ngx_str_t   *s;
    ngx_uint_t   low, high, i, n;

    low = 0;
    high = cat->relations.n;

    while (low < high) {
        i = (low + high) / 2;
        s = &ngx_hyperdrive_sql_catalog_relation_at(cat,
                                              cat->relation_names[i])->name;

        if (ngx_memn2cmp(s->data, name->data, s->len, name->len) < 0) {
            low = i + 1;

        } else {
            high = i;
        }
    }

    *first = low;

    for (n = 0; low + n < cat->relations.n; n++) {
        s = &ngx_hyperdrive_sql_catalog_relation_at(cat,
                                        cat->relation_names[low + n])->name;

        if (!ngx_hyperdrive_base_same(s, name)) {
            break;
        }
    }

    return n;
}


ngx_uint_t
ngx_hyperdrive_sql_catalog_functions(ngx_hyperdrive_sql_catalog_t *cat,
    ngx_str_t *name, ngx_uint_t *first)
{
    ngx_str_t   *s;
    ngx_uint_t   low, high, i, n;

    low = 0;
    high = cat->functions.n;

    while (low < high) {
        i = (low + high) / 2;
        s = &ngx_hyperdrive_sql_catalog_function_at(cat,
                                              cat->function_names[i])->name;

        if (ngx_memn2cmp(s->data, name->data, s->len, name->len) < 0) {
            low = i + 1;

        } else {
            high = i;
        }
    }

    *first = low;

    for (n = 0; low + n < cat->functions.n; n++) {
        s = &ngx_hyperdrive_sql_catalog_function_at(cat,
                                        cat->function_names[low + n])->name;

        if (!ngx_hyperdrive_base_same(s, name)) {
            break;
        }
    }

    return n;
}


ngx_uint_t
ngx_hyperdrive_sql_catalog_edges(ngx_hyperdrive_sql_catalog_t *cat,
    uint32_t from, ngx_uint_t *first)
{
    ngx_uint_t  low, high, i, n;

    low = 0;
    high = cat->edges.n;

    while (low < high) {
        i = (low + high) / 2;

        if (ngx_hyperdrive_sql_catalog_edge_at(cat, i)->from < from) {
            low = i + 1;

        } else {
            high = i;
        }
    }

    *first = low;

    for (n = 0; low + n < cat->edges.n; n++) {
        if (ngx_hyperdrive_sql_catalog_edge_at(cat, low + n)->from != from) {
            break;
        }
    }

    return n;
}


ngx_uint_t
ngx_hyperdrive_sql_catalog_is(ngx_str_t *one, const char *two)
{
    return one->len == ngx_strlen(two)
           && ngx_memcmp(one->data, two, one->len) == 0;
}


const char *
ngx_hyperdrive_sql_catalog_question(ngx_uint_t dialect)
{
    return (dialect & NGX_HYPERDRIVE_BASE_MODE_MYSQL)
           ? ngx_hyperdrive_sql_mysql_catalog_query
           : ngx_hyperdrive_sql_catalog_query;
}


const char *
ngx_hyperdrive_sql_catalog_question_identity(ngx_uint_t dialect)
{
    return (dialect & NGX_HYPERDRIVE_BASE_MODE_MYSQL)
           ? ngx_hyperdrive_sql_mysql_catalog_query_identity
           : ngx_hyperdrive_sql_catalog_query_identity;
}


uint64_t
ngx_hyperdrive_sql_catalog_digest(ngx_hyperdrive_sql_catalog_t *cat)
{
    return cat->digest;
}


uint64_t
ngx_hyperdrive_sql_catalog_identity(ngx_str_t *system, ngx_str_t *oid)
{
    uint64_t  seed[2];

    seed[0] = 0x68797065;
    seed[1] = 0x72647269;

    seed[0] = ngx_hyperdrive_base_hash(seed, system->data, system->len);

    return ngx_hyperdrive_base_hash(seed, oid->data, oid->len);
}


ngx_str_t *
ngx_hyperdrive_sql_catalog_path(ngx_hyperdrive_sql_catalog_t *cat)
{
    return &cat->path;
}


ngx_str_t *
ngx_hyperdrive_sql_catalog_role(ngx_hyperdrive_sql_catalog_t *cat)
{
    return &cat->role;
}


ngx_uint_t
ngx_hyperdrive_sql_catalog_same_user(ngx_hyperdrive_sql_catalog_t *one,
    ngx_hyperdrive_sql_catalog_t *two)
{
    return ngx_hyperdrive_base_same(&one->path, &two->path)
           && ngx_hyperdrive_base_same(&one->role, &two->role);
}


void
ngx_hyperdrive_sql_catalog_stats(ngx_hyperdrive_sql_catalog_t *cat,
    ngx_hyperdrive_sql_catalog_stats_t *stats)
{
    if (cat->mysql) {
        ngx_hyperdrive_sql_mysql_catalog_stats(cat, stats);
        return;
    }

    stats->relations = cat->relations.n;
    stats->functions = cat->functions.n;
    stats->bytes = cat->bytes
                   + cat->relations.max * cat->relations.size
                   + cat->functions.max * cat->functions.size
                   + cat->edges.max * cat->edges.size
                   + cat->uses.max * cat->uses.size;
}
