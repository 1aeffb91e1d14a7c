
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_BASE_USERS_H_INCLUDED_
#define _NGX_HYPERDRIVE_BASE_USERS_H_INCLUDED_


#include "ngx_hyperdrive.h"


/*
 * Reads the next entry of a users file in PgBouncer's userlist.txt format:
 * "name" "secret" on a line, "" inside quotes stands for one quote, ; and #
 * begin a comment, further fields are ignored.  *pos moves to the end of the
 * line.  <user> and <secret> are unquoted in place (the text is changed); the
 * secret may be empty.
 * NGX_OK: *line is the line of the entry; NGX_DONE at the end; NGX_ERROR:
 * *err says what is wrong in line *line (counted from 1; the caller starts it
 * at 1 and leaves it alone between the calls).
 */
ngx_int_t ngx_hyperdrive_base_users_next(u_char **pos, u_char *last,
    ngx_uint_t *line, ngx_str_t *user, ngx_str_t *secret, char **err);


#endif /* _NGX_HYPERDRIVE_BASE_USERS_H_INCLUDED_ */
