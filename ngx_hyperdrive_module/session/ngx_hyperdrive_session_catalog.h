
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_SESSION_CATALOG_H_INCLUDED_
#define _NGX_HYPERDRIVE_SESSION_CATALOG_H_INCLUDED_


#include "session/ngx_hyperdrive_session.h"
#include "sql/ngx_hyperdrive_sql_catalog.h"


/*
 * The catalog of each database that clients use, read on a connection of its
 * own, and read again after whatever may have changed it.  It is in force
 * while nothing has: a number of the table versions tells, which DDL through
 * any worker enters and leaves.
 */

typedef struct ngx_hyperdrive_session_catalog_s
    ngx_hyperdrive_session_catalog_t;


/* in init_process; begins with what the configuration names */
ngx_int_t ngx_hyperdrive_session_catalog_init(ngx_cycle_t *cycle,
    ngx_array_t *origins);

/* of the session's database; NULL: none is to be read, or no memory */
ngx_hyperdrive_session_catalog_t *ngx_hyperdrive_session_catalog(
    ngx_hyperdrive_session_t *s);

/*
 * What is known of the database now; NULL: nothing that is certain, it is on
 * its way.  *generation is another one for another content, 0: there was none.
 */
ngx_hyperdrive_sql_catalog_t *ngx_hyperdrive_session_catalog_get(
    ngx_hyperdrive_session_catalog_t *cat, uint64_t *generation);
/* the unit may be one for _catalog_wait() */
#define ngx_hyperdrive_session_catalog_matters(s)                             \
    ((s)->held.next || (s)->unit.mixed                                        \
     || ((s)->unit.stmt && (s)->unit.stmt->plan.perhaps))

/* before a unit is looked at.  NGX_AGAIN: it is left; it goes on by itself */
ngx_int_t ngx_hyperdrive_session_catalog_wait(ngx_hyperdrive_session_t *s);
/* one after the other, from NULL on: what this process knows of or reads */
ngx_hyperdrive_session_catalog_t *ngx_hyperdrive_session_catalog_next(
    ngx_hyperdrive_session_catalog_t *cat,
    ngx_hyperdrive_origin_conf_t **conf, ngx_str_t *database);
/* the database's number; NGX_DECLINED: not known yet */
ngx_int_t ngx_hyperdrive_session_catalog_identity(
    ngx_hyperdrive_session_catalog_t *cat, uint64_t *identity);
/* adds the number that DDL enters, if it is known which one that is; else DDL
   enters EVERYTHING */
void ngx_hyperdrive_session_catalog_number(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_cache_version_set_t *set);
/* whether the search_path of <user>, "" the origin's own, is what was read */
ngx_uint_t ngx_hyperdrive_session_catalog_is_user(
    ngx_hyperdrive_session_catalog_t *cat, ngx_str_t *user);

/*
 * The number that DDL enters, besides the database as a whole; and another one
 * that it does not enter if a catalog could say that it is none.
 */
#define NGX_HYPERDRIVE_SESSION_CATALOG_DDL   1
#define NGX_HYPERDRIVE_SESSION_CATALOG_SURE  2


/*
 * ngx_hyperdrive_session_catalog_note.c: what processes tell each other: the
 * number of an upstream's database, a digest of what was read there last, and
 * what was purged there
 */

ngx_int_t ngx_hyperdrive_session_catalog_recall(
    ngx_hyperdrive_origin_conf_t *conf, ngx_str_t *database,
    uint64_t *identity);
void ngx_hyperdrive_session_catalog_remember(
    ngx_hyperdrive_origin_conf_t *conf, ngx_str_t *database,
    uint64_t identity);
/* true if it was another one */
ngx_uint_t ngx_hyperdrive_session_catalog_note(uint64_t identity,
    uint64_t digest);
/* the last order to purge a table that was carried out there, 0: none is known
   of; <number> is one */
uint64_t ngx_hyperdrive_session_catalog_purged(uint64_t identity);
void ngx_hyperdrive_session_catalog_set_purged(uint64_t identity,
    uint64_t number);


/*
 * ngx_hyperdrive_session_purge.c: <sql>, of the database <name>, is the first
 * that this process has read of it, and not in force yet: carries out what was
 * ordered while nobody knew of the database
 */
void ngx_hyperdrive_session_purge_late(ngx_hyperdrive_session_catalog_t *cat,
    ngx_hyperdrive_origin_conf_t *conf, ngx_str_t *name,
    ngx_hyperdrive_sql_catalog_t *sql);


#endif /* _NGX_HYPERDRIVE_SESSION_CATALOG_H_INCLUDED_ */
