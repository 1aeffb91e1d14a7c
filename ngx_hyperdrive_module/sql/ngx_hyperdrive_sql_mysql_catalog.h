
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_SQL_MYSQL_CATALOG_H_INCLUDED_
#define _NGX_HYPERDRIVE_SQL_MYSQL_CATALOG_H_INCLUDED_


#include "sql/ngx_hyperdrive_sql_catalog_data.h"


/*
 * The inside of a catalog of MySQL or MariaDB, which is behind the functions of
 * ngx_hyperdrive_sql_catalog.h like one of PostgreSQL.  It is one for a server:
 * statements read and write other schemas as they like.  Views, triggers and
 * routines are kept as texts and read by the classifier when a plan comes upon
 * them.  A table's number is a hash of its name, so that a write to a table
 * that is not known has one too.
 */


typedef struct {
    ngx_str_t                             schema;
    ngx_str_t                             name;
    ngx_str_t                             text;      /* of a view */
    u_char                                kind;      /* 'r': table; v, s:
                                                        sequence; f: what is
                                                        in it is elsewhere */
    unsigned                              volatile_column:1;
    unsigned                              instant:1; /* writes show before
                                                        COMMIT, and stay after
                                                        ROLLBACK */
    ngx_uint_t                            read;      /* == walk: been here */
    ngx_uint_t                            written;
    ngx_uint_t                            cascaded;
} ngx_hyperdrive_sql_mysql_table_t;


/* a trigger (of a table) or a routine */

typedef struct {
    ngx_str_t                             schema;    /* to find it by */
    ngx_str_t                             name;
    ngx_str_t                             text;
    ngx_str_t                             home;      /* where its names are
                                                        looked for */
    ngx_uint_t                            mode;
    unsigned                              procedure:1;
    unsigned                              foreign:1; /* not in SQL */
    ngx_uint_t                            walk;
} ngx_hyperdrive_sql_mysql_code_t;


/* what else is known by a schema and a name: a right; a view's text, a
   column's; the name of a parameter of a routine */

typedef struct {
    ngx_str_t                             schema;
    ngx_str_t                             name;
    ngx_str_t                             text;
} ngx_hyperdrive_sql_mysql_name_t;


/* writing to one changes another one */

typedef struct {
    ngx_str_t                             schema;
    ngx_str_t                             name;
    ngx_str_t                             child_schema;
    ngx_str_t                             child;
} ngx_hyperdrive_sql_mysql_key_t;


struct ngx_hyperdrive_sql_mysql_catalog_s {
    ngx_hyperdrive_sql_catalog_list_t     tables;    /* by schema and name */
    ngx_hyperdrive_sql_catalog_list_t     triggers;
    ngx_hyperdrive_sql_catalog_list_t     routines;
    ngx_hyperdrive_sql_catalog_list_t     keys;
    ngx_hyperdrive_sql_catalog_list_t     views;     /* until _done() */
    ngx_hyperdrive_sql_catalog_list_t     columns;
    ngx_hyperdrive_sql_catalog_list_t     params;
    ngx_hyperdrive_sql_catalog_list_t     rights;    /* where triggers are
                                                        seen */
    ngx_uint_t                            mode;
    ngx_uint_t                            walk;
    unsigned                              lower:1;   /* names are compared in
                                                        lower case */
};


ngx_hyperdrive_sql_mysql_catalog_t *ngx_hyperdrive_sql_mysql_catalog_create(
    void);
void ngx_hyperdrive_sql_mysql_catalog_destroy(
    ngx_hyperdrive_sql_mysql_catalog_t *my);
ngx_int_t ngx_hyperdrive_sql_mysql_catalog_row(
    ngx_hyperdrive_sql_catalog_t *cat, ngx_str_t *cols, ngx_uint_t n);
ngx_int_t ngx_hyperdrive_sql_mysql_catalog_done(
    ngx_hyperdrive_sql_catalog_t *cat);
void ngx_hyperdrive_sql_mysql_catalog_plan(ngx_hyperdrive_sql_catalog_t *cat,
    ngx_hyperdrive_sql_facts_t *facts, ngx_str_t *schema,
    ngx_uint_t elsewhere, ngx_hyperdrive_sql_catalog_plan_t *plan);

void ngx_hyperdrive_sql_mysql_catalog_stats(ngx_hyperdrive_sql_catalog_t *cat,
    ngx_hyperdrive_sql_catalog_stats_t *stats);

/* the first element of the list, sorted by schema and name, that has these;
   the number of them is returned */
ngx_uint_t ngx_hyperdrive_sql_mysql_catalog_find(
    ngx_hyperdrive_sql_catalog_list_t *list, ngx_str_t *schema,
    ngx_str_t *name, ngx_uint_t *first);
/* never 0 or 1 */
uint32_t ngx_hyperdrive_sql_mysql_catalog_number(ngx_str_t *schema,
    ngx_str_t *name);


extern const char  ngx_hyperdrive_sql_mysql_catalog_query[];
extern const char  ngx_hyperdrive_sql_mysql_catalog_query_identity[];


#endif /* _NGX_HYPERDRIVE_SQL_MYSQL_CATALOG_H_INCLUDED_ */
