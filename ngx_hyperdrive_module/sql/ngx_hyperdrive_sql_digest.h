
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_SQL_DIGEST_H_INCLUDED_
#define _NGX_HYPERDRIVE_SQL_DIGEST_H_INCLUDED_


#include "sql/ngx_hyperdrive_sql.h"


/*
 * The form that statements have in common which differ in their constants
 * only, to be shown and counted: without comments, words in lower case, and
 * a ? for each constant, parameter, list of them, and value of a SET.  What
 * cannot be understood ends in a ?.  So it never holds a literal.
 *
 * Writes at most <size> bytes to <dst>, and returns how many; *digest is that
 * of the whole form, the same on any machine and in any version of nginx.
 */
size_t ngx_hyperdrive_sql_digest(ngx_str_t *text,
    ngx_hyperdrive_sql_mode_t *mode, u_char *dst, size_t size,
    uint64_t *digest);


#endif /* _NGX_HYPERDRIVE_SQL_DIGEST_H_INCLUDED_ */
