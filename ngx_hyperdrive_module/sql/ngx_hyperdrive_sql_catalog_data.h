
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_SQL_CATALOG_DATA_H_INCLUDED_
#define _NGX_HYPERDRIVE_SQL_CATALOG_DATA_H_INCLUDED_


#include "sql/ngx_hyperdrive_sql_catalog.h"
#include "base/ngx_hyperdrive_base_cursor.h"
#include "sql/ngx_hyperdrive_sql_lexer.h"


/* the inside of a catalog, for the files that make it up */


typedef struct ngx_hyperdrive_sql_catalog_chunk_s
    ngx_hyperdrive_sql_catalog_chunk_t;


typedef struct {
    uint32_t                              oid;
    uint32_t                              parent;    /* index: towards the one
                                                        that stands for all of
                                                        a tree of children */
    ngx_str_t                             schema;
    ngx_str_t                             name;
    u_char                                kind;      /* pg_class.relkind */
    unsigned                              rls:1;

    /* == cat->walk: the walk has been here */
    ngx_uint_t                            read;
    ngx_uint_t                            written;
} ngx_hyperdrive_sql_catalog_relation_t;


/* what a function's body was found to do */

typedef struct {
    ngx_uint_t                            nreads;
    uint32_t                             *reads;     /* OIDs */
    ngx_uint_t                            nwrites;
    uint32_t                             *writes;
    ngx_uint_t                            ncalls;
    uint32_t                             *calls;
    unsigned                              anything:1;
    unsigned                              stateful:1;
    unsigned                              sequence:1;  /* nextval and the
                                                          like */
    unsigned                              system:1;  /* reads the catalog */
    unsigned                              unknown:1; /* writes a table that no
                                                        schema has */
} ngx_hyperdrive_sql_catalog_body_t;


typedef struct {
    uint32_t                              oid;
    ngx_str_t                             schema;
    ngx_str_t                             name;
    u_char                                volatility;
    u_char                                kind;      /* pg_proc.prokind */
    unsigned                              attribute:1; /* "t.f" calls it */
    unsigned                              sql:1;     /* sql or plpgsql... */
    unsigned                              plpgsql:1;
    unsigned                              c:1;       /* c, internal */
    ngx_str_t                             source;
    ngx_str_t                             extension;
    ngx_hyperdrive_sql_catalog_rule_t    *rule;
    ngx_hyperdrive_sql_catalog_body_t    *body;      /* NULL: not read yet */
    ngx_uint_t                            walk;
} ngx_hyperdrive_sql_catalog_function_t;


/* E, G, B and H rows; sorted by <from> */

typedef struct {
    uint32_t                              from;
    uint32_t                              to;        /* OID, or 0 */
    u_char                                type;      /* the row's letter */
    u_char                                kind;
    u_char                                volatility;
    ngx_str_t                             name;      /* of pg_catalog */
} ngx_hyperdrive_sql_catalog_edge_t;


/* O and C rows; a C's name is that of the type that has to be named, or "" */

typedef struct {
    uint32_t                              function;
    u_char                                type;
    ngx_str_t                             schema;
    ngx_str_t                             name;
} ngx_hyperdrive_sql_catalog_use_t;


/* grows by doubling */

typedef struct {
    void                                 *elts;
    ngx_uint_t                            n;
    ngx_uint_t                            max;
    size_t                                size;
} ngx_hyperdrive_sql_catalog_list_t;


typedef struct ngx_hyperdrive_sql_mysql_catalog_s
    ngx_hyperdrive_sql_mysql_catalog_t;


struct ngx_hyperdrive_sql_catalog_s {
    ngx_hyperdrive_sql_mysql_catalog_t   *mysql;      /* NULL: of PostgreSQL */

    ngx_hyperdrive_sql_catalog_rule_t    *rules;
    ngx_uint_t                            nrules;

    ngx_hyperdrive_sql_catalog_chunk_t   *chunks;
    size_t                                bytes;
    uint64_t                              digest;

    ngx_str_t                             path;
    ngx_str_t                             role;
    unsigned                              backslash:1;  /* escapes in '...' */
    unsigned                              started:1;

    ngx_hyperdrive_sql_catalog_list_t     relations;  /* by OID */
    ngx_hyperdrive_sql_catalog_list_t     functions;  /* by OID */
    ngx_hyperdrive_sql_catalog_list_t     edges;
    ngx_hyperdrive_sql_catalog_list_t     uses;

    /* indexes into them, by name */
    uint32_t                             *relation_names;
    uint32_t                             *function_names;

    /* functions that a text may call without it being seen: those named like
       one of pg_catalog, those for "t.f"; and uses[] that matter */
    ngx_uint_t                            nsuspects;
    uint32_t                             *suspects;

    ngx_uint_t                            walk;
};


#define ngx_hyperdrive_sql_catalog_relation_at(cat, i)                        \
    (&((ngx_hyperdrive_sql_catalog_relation_t *) (cat)->relations.elts)[i])

#define ngx_hyperdrive_sql_catalog_function_at(cat, i)                        \
    (&((ngx_hyperdrive_sql_catalog_function_t *) (cat)->functions.elts)[i])

#define ngx_hyperdrive_sql_catalog_edge_at(cat, i)                            \
    (&((ngx_hyperdrive_sql_catalog_edge_t *) (cat)->edges.elts)[i])

#define ngx_hyperdrive_sql_catalog_use_at(cat, i)                             \
    (&((ngx_hyperdrive_sql_catalog_use_t *) (cat)->uses.elts)[i])


/* ngx_hyperdrive_sql_catalog.c */

void *ngx_hyperdrive_sql_catalog_alloc(ngx_hyperdrive_sql_catalog_t *cat,
    size_t size);
void *ngx_hyperdrive_sql_catalog_push(ngx_hyperdrive_sql_catalog_list_t *list);

/* NULL: there is none */
ngx_hyperdrive_sql_catalog_relation_t *ngx_hyperdrive_sql_catalog_relation(
    ngx_hyperdrive_sql_catalog_t *cat, uint32_t oid);
ngx_hyperdrive_sql_catalog_function_t *ngx_hyperdrive_sql_catalog_function(
    ngx_hyperdrive_sql_catalog_t *cat, uint32_t oid);

/* the first of the relations or functions of this name in the index by names;
   the number of them is returned */
ngx_uint_t ngx_hyperdrive_sql_catalog_relations(
    ngx_hyperdrive_sql_catalog_t *cat, ngx_str_t *name, ngx_uint_t *first);
ngx_uint_t ngx_hyperdrive_sql_catalog_functions(
    ngx_hyperdrive_sql_catalog_t *cat, ngx_str_t *name, ngx_uint_t *first);

/* the edges of one object; the number of them is returned */
ngx_uint_t ngx_hyperdrive_sql_catalog_edges(ngx_hyperdrive_sql_catalog_t *cat,
    uint32_t from, ngx_uint_t *first);

/* its table with data that stands for <r> and all in one tree with it */
ngx_hyperdrive_sql_catalog_relation_t *ngx_hyperdrive_sql_catalog_root(
    ngx_hyperdrive_sql_catalog_t *cat,
    ngx_hyperdrive_sql_catalog_relation_t *r);

ngx_uint_t ngx_hyperdrive_sql_catalog_is(ngx_str_t *one, const char *two);


/* ngx_hyperdrive_sql_catalog_body.c */

/* what the source of <f> does; NULL: no memory */
ngx_hyperdrive_sql_catalog_body_t *ngx_hyperdrive_sql_catalog_body(
    ngx_hyperdrive_sql_catalog_t *cat,
    ngx_hyperdrive_sql_catalog_function_t *f);


/* ngx_hyperdrive_sql_catalog_find.c */

#define NGX_HYPERDRIVE_SQL_CATALOG_PATH  32

/* schemas; n 0: not known, any one */

typedef struct {
    ngx_uint_t                            n;
    ngx_str_t                             names
                                            [NGX_HYPERDRIVE_SQL_CATALOG_PATH];
    u_char                                buf[1024];
} ngx_hyperdrive_sql_catalog_path_t;

void ngx_hyperdrive_sql_catalog_find_path(
    ngx_hyperdrive_sql_catalog_path_t *w, ngx_str_t *path, ngx_str_t *role);
ngx_uint_t ngx_hyperdrive_sql_catalog_find(ngx_str_t *text, ngx_str_t *name,
    ngx_uint_t word);


#endif /* _NGX_HYPERDRIVE_SQL_CATALOG_DATA_H_INCLUDED_ */
