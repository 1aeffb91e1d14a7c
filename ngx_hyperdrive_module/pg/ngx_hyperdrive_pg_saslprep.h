
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_PG_SASLPREP_H_INCLUDED_
#define _NGX_HYPERDRIVE_PG_SASLPREP_H_INCLUDED_


#include "ngx_hyperdrive.h"


/*
 * The password as it is hashed: SASLprep (RFC 4013) as far as it can be done
 * without the tables of Unicode normalisation.  ASCII is left alone; in other
 * UTF-8 text the spaces become ASCII spaces and what is "commonly mapped to
 * nothing" goes, unless there is a character that SASLprep would prohibit or
 * that normalisation might touch: then, and if it is not UTF-8, the password
 * is used as it is.  So a password in another form than NFKC must be written
 * here in NFKC.  <buf> has room for password->len bytes; the result is in it,
 * or is the password itself.
 */
ngx_str_t ngx_hyperdrive_pg_saslprep(ngx_str_t *password, u_char *buf);


#endif /* _NGX_HYPERDRIVE_PG_SASLPREP_H_INCLUDED_ */
