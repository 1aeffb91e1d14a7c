
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "sql/ngx_hyperdrive_sql_mysql_catalog.h"
#include "base/ngx_hyperdrive_base_hash.h"
#include "base/ngx_hyperdrive_base_mode.h"
#include "sql/ngx_hyperdrive_sql_mysql.h"


static ngx_int_t ngx_hyperdrive_sql_mysql_catalog_copy(
    ngx_hyperdrive_sql_catalog_t *cat, ngx_str_t *dst, ngx_str_t *src,
    ngx_uint_t fold);
static void *ngx_hyperdrive_sql_mysql_catalog_add(
    ngx_hyperdrive_sql_catalog_t *cat,
    ngx_hyperdrive_sql_catalog_list_t *list, ngx_str_t *cols);
static ngx_int_t ngx_hyperdrive_sql_mysql_catalog_who(
    ngx_hyperdrive_sql_catalog_t *cat, ngx_str_t *cols);
static ngx_int_t ngx_hyperdrive_sql_mysql_catalog_table(
    ngx_hyperdrive_sql_catalog_t *cat, ngx_str_t *cols);
static ngx_int_t ngx_hyperdrive_sql_mysql_catalog_code(
    ngx_hyperdrive_sql_catalog_t *cat, ngx_str_t *cols);
static ngx_int_t ngx_hyperdrive_sql_mysql_catalog_key(
    ngx_hyperdrive_sql_catalog_t *cat, ngx_str_t *cols);
static ngx_uint_t ngx_hyperdrive_sql_mysql_catalog_listed(ngx_str_t *name,
    const char **list);
static void ngx_hyperdrive_sql_mysql_catalog_sort(
    ngx_hyperdrive_sql_catalog_list_t *list);
static int ngx_libc_cdecl ngx_hyperdrive_sql_mysql_catalog_cmp(
    const void *one, const void *two);
static ngx_int_t ngx_hyperdrive_sql_mysql_catalog_order(ngx_str_t *schema,
    ngx_str_t *name, ngx_hyperdrive_sql_mysql_name_t *n);


/*
 * The elements of all lists begin with a schema and a name, like a
 * ngx_hyperdrive_sql_mysql_name_t.
 */


/* what is committed is seen, and what is not is not */

static const char  *ngx_hyperdrive_sql_mysql_catalog_transactional[] = {
    "InnoDB", "ROCKSDB", "TokuDB", NULL
};

/* the data is in the table, and nowhere else */

static const char  *ngx_hyperdrive_sql_mysql_catalog_instant[] = {
    "ARCHIVE", "Aria", "CSV", "MEMORY", "MyISAM", NULL
};


ngx_hyperdrive_sql_mysql_catalog_t *
ngx_hyperdrive_sql_mysql_catalog_create(void)
{
    ngx_hyperdrive_sql_mysql_catalog_t  *my;

    my = calloc(1, sizeof(ngx_hyperdrive_sql_mysql_catalog_t));
    if (my == NULL) {
        return NULL;
    }

    my->tables.size = sizeof(ngx_hyperdrive_sql_mysql_table_t);
    my->triggers.size = sizeof(ngx_hyperdrive_sql_mysql_code_t);
    my->routines.size = sizeof(ngx_hyperdrive_sql_mysql_code_t);
    my->keys.size = sizeof(ngx_hyperdrive_sql_mysql_key_t);
    my->views.size = sizeof(ngx_hyperdrive_sql_mysql_name_t);
    my->columns.size = sizeof(ngx_hyperdrive_sql_mysql_name_t);
    my->params.size = sizeof(ngx_hyperdrive_sql_mysql_name_t);
    my->rights.size = sizeof(ngx_hyperdrive_sql_mysql_name_t);

    return my;
}


void
ngx_hyperdrive_sql_mysql_catalog_destroy(
    ngx_hyperdrive_sql_mysql_catalog_t *my)
{
    free(my->tables.elts);
    free(my->triggers.elts);
    free(my->routines.elts);
    free(my->keys.elts);
    free(my->views.elts);
    free(my->columns.elts);
    free(my->params.elts);
    free(my->rights.elts);
    free(my);
}


ngx_int_t
ngx_hyperdrive_sql_mysql_catalog_row(ngx_hyperdrive_sql_catalog_t *cat,
    ngx_str_t *cols, ngx_uint_t n)
{
    uint64_t                                  seed[2], hash;
    ngx_uint_t                                i;
    ngx_hyperdrive_sql_mysql_catalog_t       *my;
    ngx_hyperdrive_sql_mysql_name_t  *name;

    my = cat->mysql;

    if (n != 7 || cols[0].len != 1) {
        return NGX_ERROR;
    }

    if (cols[0].data[0] == 'I') {
        return ngx_hyperdrive_sql_mysql_catalog_who(cat, cols);
    }

    if (!cat->started) {
        /* how names are compared comes first */
        return NGX_ERROR;
    }

    /* the rows come in any order */

    hash = 0;

    for (i = 0; i < n; i++) {
        seed[0] = hash;
        seed[1] = i + 1;
        hash = ngx_hyperdrive_base_hash(seed, cols[i].data, cols[i].len);
    }

    cat->digest += hash;

    switch (cols[0].data[0]) {

    case 'T':
        return ngx_hyperdrive_sql_mysql_catalog_table(cat, cols);

    case 'V':
    case 'N':
    case 'A':
        name = ngx_hyperdrive_sql_mysql_catalog_add(cat,
                           cols[0].data[0] == 'V' ? &my->views
                           : cols[0].data[0] == 'N' ? &my->columns
                                                    : &my->params,
                           cols);

        return name ? ngx_hyperdrive_sql_mysql_catalog_copy(cat, &name->text,
                                                            &cols[3], 0)
                    : NGX_ERROR;

    case 'G':
    case 'F':
        return ngx_hyperdrive_sql_mysql_catalog_code(cat, cols);

    case 'K':
        return ngx_hyperdrive_sql_mysql_catalog_key(cat, cols);

    case 'P':
        return ngx_hyperdrive_sql_mysql_catalog_add(cat, &my->rights, cols)
               ? NGX_OK : NGX_ERROR;

    case 'X':
        return NGX_OK;

    default:
        return NGX_ERROR;
    }
}


static ngx_int_t
ngx_hyperdrive_sql_mysql_catalog_copy(ngx_hyperdrive_sql_catalog_t *cat,
    ngx_str_t *dst, ngx_str_t *src, ngx_uint_t fold)
{
    if (src->len == 0) {
        ngx_str_set(dst, "");
        return NGX_OK;
    }

    dst->data = ngx_hyperdrive_sql_catalog_alloc(cat, src->len);
    if (dst->data == NULL) {
        return NGX_ERROR;
    }

    dst->len = src->len;

    if (fold) {
        ngx_strlow(dst->data, src->data, src->len);

    } else {
        ngx_memcpy(dst->data, src->data, src->len);
    }

    return NGX_OK;
}


/* an element, with the schema and the name in cols[1] and cols[2] */

static void *
ngx_hyperdrive_sql_mysql_catalog_add(ngx_hyperdrive_sql_catalog_t *cat,
    ngx_hyperdrive_sql_catalog_list_t *list, ngx_str_t *cols)
{
    ngx_uint_t                                fold;
    ngx_hyperdrive_sql_mysql_name_t  *name;

    name = ngx_hyperdrive_sql_catalog_push(list);

    if (name == NULL) {
        return NULL;
    }

    fold = cat->mysql->lower;

    if (ngx_hyperdrive_sql_mysql_catalog_copy(cat, &name->schema, &cols[1],
                                              fold)
        != NGX_OK
        || ngx_hyperdrive_sql_mysql_catalog_copy(cat, &name->name, &cols[2],
                                  fold || list == &cat->mysql->routines
                                  || list == &cat->mysql->params)
           != NGX_OK)
    {
        return NULL;
    }

    return name;
}


static ngx_int_t
ngx_hyperdrive_sql_mysql_catalog_who(ngx_hyperdrive_sql_catalog_t *cat,
    ngx_str_t *cols)
{
    ngx_str_t                            charset, sql_mode;
    ngx_hyperdrive_sql_mysql_catalog_t  *my;

    my = cat->mysql;

    ngx_str_set(&charset, "utf8mb4");
    ngx_str_null(&sql_mode);

    my->lower = !ngx_hyperdrive_sql_catalog_is(&cols[1], "0");
    my->mode = ngx_hyperdrive_base_mode_mysql(&cols[2], &charset, &sql_mode);

    cat->started = 1;

    return ngx_hyperdrive_sql_mysql_catalog_copy(cat, &cat->role, &cols[4],
                                                 0);
}


static ngx_int_t
ngx_hyperdrive_sql_mysql_catalog_table(ngx_hyperdrive_sql_catalog_t *cat,
    ngx_str_t *cols)
{
    ngx_hyperdrive_sql_mysql_table_t  *t;

    t = ngx_hyperdrive_sql_mysql_catalog_add(cat, &cat->mysql->tables, cols);
    if (t == NULL) {
        return NGX_ERROR;
    }

    t->kind = 'f';

    if (ngx_hyperdrive_sql_catalog_is(&cols[3], "VIEW")) {
        t->kind = 'v';

    } else if (ngx_hyperdrive_sql_catalog_is(&cols[3], "SEQUENCE")) {
        t->kind = 's';

    } else if (!ngx_hyperdrive_sql_catalog_is(&cols[3], "BASE TABLE")
               && !ngx_hyperdrive_sql_catalog_is(&cols[3],
                                                 "SYSTEM VERSIONED"))
    {
        return NGX_OK;

    } else if (ngx_hyperdrive_sql_mysql_catalog_listed(&cols[4],
                             ngx_hyperdrive_sql_mysql_catalog_transactional))
    {
        t->kind = 'r';

    } else if (ngx_hyperdrive_sql_mysql_catalog_listed(&cols[4],
                                   ngx_hyperdrive_sql_mysql_catalog_instant))
    {
        t->kind = 'r';
        t->instant = 1;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_sql_mysql_catalog_code(ngx_hyperdrive_sql_catalog_t *cat,
    ngx_str_t *cols)
{
    ngx_str_t                            charset, version, *home;
    ngx_uint_t                           trigger;
    ngx_hyperdrive_sql_mysql_code_t     *code;
    ngx_hyperdrive_sql_mysql_catalog_t  *my;

    my = cat->mysql;
    trigger = (cols[0].data[0] == 'G');

    code = ngx_hyperdrive_sql_mysql_catalog_add(cat,
                                    trigger ? &my->triggers : &my->routines,
                                    cols);
    if (code == NULL) {
        return NGX_ERROR;
    }

    home = trigger ? &cols[5] : &cols[1];

    if (ngx_hyperdrive_sql_mysql_catalog_copy(cat, &code->text,
                                              &cols[trigger ? 3 : 4], 0)
        != NGX_OK
        || ngx_hyperdrive_sql_mysql_catalog_copy(cat, &code->home, home,
                                                 my->lower)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_str_set(&charset, "utf8mb4");
    ngx_str_null(&version);

    /* the server's version, and the sql_mode that it was made in */

    code->mode = my->mode
                 | ngx_hyperdrive_base_mode_mysql(&version, &charset,
                                                  &cols[trigger ? 4 : 5]);

    code->procedure = !trigger
                   && !ngx_hyperdrive_sql_catalog_is(&cols[3], "FUNCTION");
    code->foreign = !trigger && !ngx_hyperdrive_sql_catalog_is(&cols[6],
                                                               "SQL");
    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_sql_mysql_catalog_key(ngx_hyperdrive_sql_catalog_t *cat,
    ngx_str_t *cols)
{
    ngx_uint_t                       i;
    ngx_hyperdrive_sql_mysql_key_t  *key;

    for (i = 5; i < 7; i++) {

        if (!ngx_hyperdrive_sql_catalog_is(&cols[i], "RESTRICT")
            && !ngx_hyperdrive_sql_catalog_is(&cols[i], "NO ACTION"))
        {
            break;
        }
    }

    if (i == 7) {
        return NGX_OK;
    }

    key = ngx_hyperdrive_sql_mysql_catalog_add(cat, &cat->mysql->keys, cols);

    if (key == NULL
        || ngx_hyperdrive_sql_mysql_catalog_copy(cat, &key->child_schema,
                                                 &cols[3], cat->mysql->lower)
           != NGX_OK
        || ngx_hyperdrive_sql_mysql_catalog_copy(cat, &key->child, &cols[4],
                                                 cat->mysql->lower)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_hyperdrive_sql_mysql_catalog_listed(ngx_str_t *name, const char **list)
{
    for ( /* void */ ; *list; list++) {

        if (name->len == ngx_strlen(*list)
            && ngx_strncasecmp(name->data, (u_char *) *list, name->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ngx_hyperdrive_sql_mysql_catalog_done(ngx_hyperdrive_sql_catalog_t *cat)
{
    u_char                                   *names;
    ngx_uint_t                                i, n, first;
    ngx_hyperdrive_sql_mode_t                 mode;
    ngx_hyperdrive_sql_facts_t               *facts;
    ngx_hyperdrive_sql_mysql_table_t         *t;
    ngx_hyperdrive_sql_mysql_catalog_t       *my;
    ngx_hyperdrive_sql_mysql_name_t  *name;

    my = cat->mysql;

    if (!cat->started) {
        return NGX_ERROR;
    }

    ngx_hyperdrive_sql_mysql_catalog_sort(&my->tables);
    ngx_hyperdrive_sql_mysql_catalog_sort(&my->triggers);
    ngx_hyperdrive_sql_mysql_catalog_sort(&my->routines);
    ngx_hyperdrive_sql_mysql_catalog_sort(&my->keys);
    ngx_hyperdrive_sql_mysql_catalog_sort(&my->params);
    ngx_hyperdrive_sql_mysql_catalog_sort(&my->rights);

    for (i = 0; i < my->views.n; i++) {
        name = (ngx_hyperdrive_sql_mysql_name_t *) my->views.elts + i;

        n = ngx_hyperdrive_sql_mysql_catalog_find(&my->tables, &name->schema,
                                                  &name->name, &first);
        if (n) {
            t = (ngx_hyperdrive_sql_mysql_table_t *) my->tables.elts + first;
            t->text = name->text;
        }
    }

    if (my->columns.n == 0) {
        return NGX_OK;
    }

    facts = malloc(sizeof(ngx_hyperdrive_sql_facts_t));
    if (facts == NULL) {
        return NGX_ERROR;
    }

    ngx_hyperdrive_sql_mode(my->mode, &mode);

    for (i = 0; i < my->columns.n; i++) {
        name = (ngx_hyperdrive_sql_mysql_name_t *) my->columns.elts
               + i;

        n = ngx_hyperdrive_sql_mysql_catalog_find(&my->tables, &name->schema,
                                                  &name->name, &first);
        if (n == 0) {
            continue;
        }

        names = malloc(name->text.len);
        if (names == NULL) {
            free(facts);
            return NGX_ERROR;
        }

        ngx_hyperdrive_sql_mysql_expression(&name->text, &mode, names,
                                            name->text.len, facts);

        t = (ngx_hyperdrive_sql_mysql_table_t *) my->tables.elts + first;
        t->volatile_column |= (facts->reason != NGX_HYPERDRIVE_SQL_CACHEABLE
                               || facts->nfunctions);

        free(names);
    }

    free(facts);

    return NGX_OK;
}


void
ngx_hyperdrive_sql_mysql_catalog_stats(ngx_hyperdrive_sql_catalog_t *cat,
    ngx_hyperdrive_sql_catalog_stats_t *stats)
{
    ngx_uint_t                           i;
    ngx_hyperdrive_sql_mysql_catalog_t  *my;

    my = cat->mysql;

    ngx_hyperdrive_sql_catalog_list_t  *lists[] = {
        &my->tables, &my->triggers, &my->routines, &my->keys, &my->views,
        &my->columns, &my->params, &my->rights
    };

    stats->relations = my->tables.n;
    stats->functions = my->triggers.n + my->routines.n;
    stats->bytes = cat->bytes;

    for (i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        stats->bytes += lists[i]->max * lists[i]->size;
    }
}


static void
ngx_hyperdrive_sql_mysql_catalog_sort(ngx_hyperdrive_sql_catalog_list_t *list)
{
    if (list->n) {
        qsort(list->elts, list->n, list->size,
              ngx_hyperdrive_sql_mysql_catalog_cmp);
    }
}


static int ngx_libc_cdecl
ngx_hyperdrive_sql_mysql_catalog_cmp(const void *one, const void *two)
{
    const ngx_hyperdrive_sql_mysql_name_t  *a = one;

    return ngx_hyperdrive_sql_mysql_catalog_order((ngx_str_t *) &a->schema,
                      (ngx_str_t *) &a->name,
                      (ngx_hyperdrive_sql_mysql_name_t *) two);
}


static ngx_int_t
ngx_hyperdrive_sql_mysql_catalog_order(ngx_str_t *schema, ngx_str_t *name,
    ngx_hyperdrive_sql_mysql_name_t *n)
{
    ngx_int_t  rc;

    rc = ngx_memn2cmp(schema->data, n->schema.data, schema->len,
                      n->schema.len);

    return rc ? rc : ngx_memn2cmp(name->data, n->name.data, name->len,
                                  n->name.len);
}


ngx_uint_t
ngx_hyperdrive_sql_mysql_catalog_find(ngx_hyperdrive_sql_catalog_list_t *list,
    ngx_str_t *schema, ngx_str_t *name, ngx_uint_t *first)
{
    u_char      *elts;
    ngx_uint_t   low, high, middle, n;

    elts = list->elts;
    low = 0;
    high = list->n;

    while (low < high) {
        middle = (low + high) / 2;

        if (ngx_hyperdrive_sql_mysql_catalog_order(schema, name,
                 (ngx_hyperdrive_sql_mysql_name_t *)
                 (elts + middle * list->size))
            > 0)
        {
            low = middle + 1;

        } else {
            high = middle;
        }
    }

    *first = low;

    for (n = 0; low + n < list->n; n++) {

        if (ngx_hyperdrive_sql_mysql_catalog_order(schema, name,
                 (ngx_hyperdrive_sql_mysql_name_t *)
                 (elts + (low + n) * list->size))
            != 0)
        {
            break;
        }
    }

    return n;
}


uint32_t
ngx_hyperdrive_sql_mysql_catalog_number(ngx_str_t *schema, ngx_str_t *name)
{
    size_t    i;
    uint32_t  hash;

    /* FNV-1a; the same in all processes and on all machines */

    hash = 2166136261u;

    for (i = 0; i < schema->len; i++) {
        hash = (hash ^ schema->data[i]) * 16777619u;
    }

    hash = (hash ^ '\0') * 16777619u;

    for (i = 0; i < name->len; i++) {
        hash = (hash ^ name->data[i]) * 16777619u;
    }

    return (hash < 2) ? hash + 2 : hash;
}
