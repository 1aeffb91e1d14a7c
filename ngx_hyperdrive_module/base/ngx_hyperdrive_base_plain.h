
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_BASE_PLAIN_H_INCLUDED_
#define _NGX_HYPERDRIVE_BASE_PLAIN_H_INCLUDED_


#include "ngx_hyperdrive.h"


/*
 * What others have written is to be logged: it must not end the line, begin
 * another one, or be obeyed by a terminal.  Such bytes become blanks.
 */

void ngx_hyperdrive_base_plain(u_char *p, size_t len);

/* a copy, cut if it is long, that is valid until the next call */
ngx_str_t *ngx_hyperdrive_base_plain_copy(ngx_str_t *text);


#endif /* _NGX_HYPERDRIVE_BASE_PLAIN_H_INCLUDED_ */
