
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_PG_SCRAM_VERIFIER_H_INCLUDED_
#define _NGX_HYPERDRIVE_PG_SCRAM_VERIFIER_H_INCLUDED_


#include "ngx_hyperdrive.h"
#include "pg/ngx_hyperdrive_pg_scram.h"


/* what SCRAM's verifiers and its messages have in common */


/* both keys of a password, each of NGX_HYPERDRIVE_PG_SCRAM_KEY bytes */
ngx_int_t ngx_hyperdrive_pg_scram_verifier_keys(ngx_str_t *password,
    ngx_str_t *salt, ngx_uint_t iterations, u_char *client_key,
    u_char *server_key);

/* reads digits, 1 to <max>; the new position, or NULL */
u_char *ngx_hyperdrive_pg_scram_verifier_number(u_char *p, u_char *last,
    ngx_uint_t max, ngx_uint_t *value);

/* reads NGX_HYPERDRIVE_PG_SCRAM_KEY bytes in base64 */
ngx_int_t ngx_hyperdrive_pg_scram_verifier_key(ngx_str_t *text, u_char *key);


#endif /* _NGX_HYPERDRIVE_PG_SCRAM_VERIFIER_H_INCLUDED_ */
