
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_PG_STATUS_H_INCLUDED_
#define _NGX_HYPERDRIVE_PG_STATUS_H_INCLUDED_


#include "ngx_hyperdrive.h"
#include "base/ngx_hyperdrive_base_chain.h"


/*
 * What a connection reports of its settings (ParameterStatus).  Equal sets of
 * reports are one within a worker, so that it takes a look at two addresses to
 * see that a client has been told what its connection says.
 */

typedef struct ngx_hyperdrive_pg_status_s  ngx_hyperdrive_pg_status_t;

struct ngx_hyperdrive_pg_status_s {
    ngx_hyperdrive_pg_status_t  *next;     /* in the hash chain */
    uint64_t                     hash;
    ngx_uint_t                   refs;
    size_t                       len;
    u_char                       data[];   /* messages, sorted by name */
};


/*
 * *status becomes what <data>, messages of any kind, reports; its former
 * reference is dropped.  NULL without memory.
 */
void ngx_hyperdrive_pg_status_read(ngx_hyperdrive_pg_status_t **status,
    u_char *data, size_t len);
/* ...with one more message, whole */
void ngx_hyperdrive_pg_status_report(ngx_hyperdrive_pg_status_t **status,
    u_char *message, size_t len);
void ngx_hyperdrive_pg_status_copy(ngx_hyperdrive_pg_status_t **to,
    ngx_hyperdrive_pg_status_t *from);
/* is that the client's encoding, as far as it was reported? */
ngx_uint_t ngx_hyperdrive_pg_status_utf8(ngx_hyperdrive_pg_status_t *status);
/* appends what <now> says and <told> does not */
void ngx_hyperdrive_pg_status_diff(ngx_hyperdrive_pg_status_t *told,
    ngx_hyperdrive_pg_status_t *now, ngx_hyperdrive_chain_t *out);


#endif /* _NGX_HYPERDRIVE_PG_STATUS_H_INCLUDED_ */
