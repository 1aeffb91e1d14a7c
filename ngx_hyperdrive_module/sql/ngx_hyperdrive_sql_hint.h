
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_SQL_HINT_H_INCLUDED_
#define _NGX_HYPERDRIVE_SQL_HINT_H_INCLUDED_


#include "sql/ngx_hyperdrive_sql.h"


/*
 * Hints: comments in front of a statement,
 *
 *   [slash]* hyperdrive: max_age=5 *[slash]   SELECT ...
 *   [slash]* hyperdrive: no-cache *[slash]    SELECT ...
 *
 * that begin with the word "hyperdrive:", in letters of any case.  Items stand
 * apart by blanks or commas; what is not known is skipped.  A time is a number
 * of seconds, or has a unit: ms, s, m, h or d; 0 is no-cache.
 */


/* a longer time is this one, milliseconds */
#define NGX_HYPERDRIVE_SQL_HINT_MAX      (30 * 24 * 3600 * 1000ULL)


typedef struct {
    unsigned                     no_cache:1;
    unsigned                     aged:1;    /* max_age is set */
    uint64_t                     max_age;   /* milliseconds */
} ngx_hyperdrive_sql_hint_t;


/*
 * Reads what stands in front of a statement's first word; never fails.  If
 * there are several, the last one counts, and no-cache always.
 */
void ngx_hyperdrive_sql_hint(ngx_str_t *text, ngx_hyperdrive_sql_mode_t *mode,
    ngx_hyperdrive_sql_hint_t *hint);


#endif /* _NGX_HYPERDRIVE_SQL_HINT_H_INCLUDED_ */
