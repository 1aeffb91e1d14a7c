
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_MYSQL_ROLE_H_INCLUDED_
#define _NGX_HYPERDRIVE_MYSQL_ROLE_H_INCLUDED_


#include "ngx_hyperdrive.h"
#include "ngx_hyperdrive_proto.h"
#include "mysql/ngx_hyperdrive_mysql_compress.h"
#include "mysql/ngx_hyperdrive_mysql_greeting.h"


/*
 * What a database is, which its greeting does not say: asked at the end of a
 * log-in.  Who is read-only is a replica.
 */

/* the answer, where it is compressed */
#define NGX_HYPERDRIVE_MYSQL_ROLE_ANSWER  8192

typedef struct {
    ngx_uint_t    step;
    uint64_t      columns;       /* that are still to come */
    ngx_hyperdrive_base_codec_t
                 *codec;         /* from the question on, or NULL */
    size_t        have;          /* bytes in <plain> */
    u_char        plain[NGX_HYPERDRIVE_MYSQL_ROLE_ANSWER];
    u_char        changes[NGX_HYPERDRIVE_MYSQL_GREETING_CHANGES];
    u_char        settings[NGX_HYPERDRIVE_MYSQL_GREETING_SETTINGS];
} ngx_hyperdrive_mysql_role_t;


/*
 * <role> is all zero; what <greeting> has in the input is in <role> then, and
 * so is what comes.
 */
void ngx_hyperdrive_mysql_role_ask(ngx_hyperdrive_mysql_role_t *role,
    ngx_hyperdrive_mysql_greeting_t *greeting, ngx_hyperdrive_chain_t *out);
/*
 * A packet of the answer.  NGX_AGAIN: there are more; NGX_OK: it has ended, and
 * is in <greeting>, if it says anything; NGX_ERROR: malformed.
 */
ngx_int_t ngx_hyperdrive_mysql_role_packet(ngx_hyperdrive_mysql_role_t *role,
    ngx_str_t *payload, ngx_hyperdrive_mysql_greeting_t *greeting);

/* all that has come of it, in [*pos, last), compressed or not */
ngx_int_t ngx_hyperdrive_mysql_role_read(ngx_hyperdrive_mysql_role_t *role,
    u_char **pos, u_char *last, ngx_hyperdrive_mysql_greeting_t *greeting);
void ngx_hyperdrive_mysql_role_free(ngx_hyperdrive_mysql_role_t *role);

/* as ngx_hyperdrive_proto.h has them */
ngx_hyperdrive_proto_role_e ngx_hyperdrive_mysql_role(ngx_str_t *greeting);
char *ngx_hyperdrive_mysql_role_unlike(ngx_str_t *primary, ngx_str_t *replica);


#endif /* _NGX_HYPERDRIVE_MYSQL_ROLE_H_INCLUDED_ */
