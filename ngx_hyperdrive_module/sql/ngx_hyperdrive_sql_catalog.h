
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_SQL_CATALOG_H_INCLUDED_
#define _NGX_HYPERDRIVE_SQL_CATALOG_H_INCLUDED_


#include "sql/ngx_hyperdrive_sql.h"


/*
 * What a database says of itself: its tables, what is behind views, triggers
 * and foreign keys, what its functions do.  Built from rows of text, asked
 * with the facts of a statement.  Pure: no connection, no clock.
 */

typedef struct ngx_hyperdrive_sql_catalog_s  ngx_hyperdrive_sql_catalog_t;


/* what the operator says of a function of his, whatever is in it */

typedef struct {
    ngx_str_t                    name;      /* with its schema, or of any */
    ngx_uint_t                   writes;    /* 0: reads */
    ngx_uint_t                   ntables;
    ngx_str_t                   *tables;    /* with a schema, or of any */
} ngx_hyperdrive_sql_catalog_rule_t;


/* tables of a plan; more become the whole database */
#define NGX_HYPERDRIVE_SQL_CATALOG_TABLES  60


typedef struct {
    ngx_hyperdrive_sql_reason_e  reason;    /* 0: may come from the cache */

    /*
     * OIDs of tables with data of their own; all partitions and children of a
     * table have one, that of the first of them.
     */
    ngx_uint_t                   nreads;
    uint32_t                     reads[NGX_HYPERDRIVE_SQL_CATALOG_TABLES];
    ngx_uint_t                   nwrites;
    uint32_t                     writes[NGX_HYPERDRIVE_SQL_CATALOG_TABLES];

    unsigned                     whole:1;    /* any table may be written */
    unsigned                     ddl:1;      /* ...and the catalog too */
    unsigned                     perhaps:1;  /* ...which a catalog may deny */
    unsigned                     stateful:1; /* the session may be left other
                                                than it was found */
    unsigned                     rls:1;      /* row-level security is on a
                                                table that is read */
    unsigned                     instant:1;  /* MySQL: what it writes is seen
                                                before COMMIT, and stays after
                                                ROLLBACK */
    unsigned                     unknown:1;  /* writes a table that no schema
                                                has: a temporary one, or one of
                                                this transaction */
} ngx_hyperdrive_sql_catalog_plan_t;


/* <rules> stay valid as long as the catalog; <dialect>: a lexer's mode */
ngx_hyperdrive_sql_catalog_t *ngx_hyperdrive_sql_catalog_create(
    ngx_uint_t dialect, ngx_hyperdrive_sql_catalog_rule_t *rules,
    ngx_uint_t nrules);
void ngx_hyperdrive_sql_catalog_destroy(ngx_hyperdrive_sql_catalog_t *cat);

/*
 * A row of the answer to ngx_hyperdrive_sql_catalog_question(); a NULL is an
 * empty string.  NGX_ERROR: no memory, or not what was asked for.
 */
ngx_int_t ngx_hyperdrive_sql_catalog_row(ngx_hyperdrive_sql_catalog_t *cat,
    ngx_str_t *cols, ngx_uint_t n);
/* all rows have come */
ngx_int_t ngx_hyperdrive_sql_catalog_done(ngx_hyperdrive_sql_catalog_t *cat);

/* equal for equal content, whoever has read it */
uint64_t ngx_hyperdrive_sql_catalog_digest(ngx_hyperdrive_sql_catalog_t *cat);
/* of the database: of its cluster and its OID */
uint64_t ngx_hyperdrive_sql_catalog_identity(ngx_str_t *system,
    ngx_str_t *oid);
/* the search_path and the role of who has read it */
ngx_str_t *ngx_hyperdrive_sql_catalog_path(ngx_hyperdrive_sql_catalog_t *cat);
ngx_str_t *ngx_hyperdrive_sql_catalog_role(ngx_hyperdrive_sql_catalog_t *cat);
/* whether these two are the same in both */
ngx_uint_t ngx_hyperdrive_sql_catalog_same_user(
    ngx_hyperdrive_sql_catalog_t *one, ngx_hyperdrive_sql_catalog_t *two);

typedef struct {
    ngx_uint_t                   relations;
    ngx_uint_t                   functions;
    size_t                       bytes;
} ngx_hyperdrive_sql_catalog_stats_t;

void ngx_hyperdrive_sql_catalog_stats(ngx_hyperdrive_sql_catalog_t *cat,
    ngx_hyperdrive_sql_catalog_stats_t *stats);

/*
 * What the statement of <text>, whose facts are <facts>, does.  <path> is the
 * search_path as it is set, <role> stands for "$user"; <path> NULL: not known,
 * a name may then mean any table or function that has it.  MySQL: <path> is
 * the schema that is in use.  <stable>: what is no more than that is cacheable;
 * _ELSEWHERE: in MySQL as well, as the plan is for another server, not for the
 * cache.
 */
#define NGX_HYPERDRIVE_SQL_CATALOG_STABLE     1
#define NGX_HYPERDRIVE_SQL_CATALOG_ELSEWHERE  2

void ngx_hyperdrive_sql_catalog_plan(ngx_hyperdrive_sql_catalog_t *cat,
    ngx_str_t *text, ngx_hyperdrive_sql_facts_t *facts, ngx_str_t *path,
    ngx_str_t *role, ngx_uint_t stable,
    ngx_hyperdrive_sql_catalog_plan_t *plan);
/* ...as far as it can be said with no catalog at hand */
void ngx_hyperdrive_sql_catalog_plan_blind(ngx_hyperdrive_sql_facts_t *facts,
    ngx_hyperdrive_sql_catalog_plan_t *plan);


/* what is asked of the database, one simple Query each, with NULs: for the
   rows; for which database it is */
const char *ngx_hyperdrive_sql_catalog_question(ngx_uint_t dialect);
const char *ngx_hyperdrive_sql_catalog_question_identity(ngx_uint_t dialect);

/* of PostgreSQL */
extern const char  ngx_hyperdrive_sql_catalog_query[];
extern const char  ngx_hyperdrive_sql_catalog_query_identity[];


#endif /* _NGX_HYPERDRIVE_SQL_CATALOG_H_INCLUDED_ */
