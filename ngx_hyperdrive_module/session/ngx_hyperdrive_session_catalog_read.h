
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_SESSION_CATALOG_READ_H_INCLUDED_
#define _NGX_HYPERDRIVE_SESSION_CATALOG_READ_H_INCLUDED_


#include "session/ngx_hyperdrive_session.h"
#include "sql/ngx_hyperdrive_sql_catalog.h"
#include "origin/ngx_hyperdrive_origin_ask.h"


/*
 * One reading of a database's catalog: a question, for which a connection is
 * opened, and what its rows say.
 */

typedef struct ngx_hyperdrive_session_catalog_read_s
    ngx_hyperdrive_session_catalog_read_t;

struct ngx_hyperdrive_session_catalog_read_s {
    /* set by the caller, zero before */

    void                          *data;
    /* the question is about to be sent */
    void                         (*send)(
                                   ngx_hyperdrive_session_catalog_read_t *r);
    /*
     * The end, told once.  NGX_OK: <sql> is the caller's, or <identity> is
     * there; NGX_DECLINED: the database does not say who it is; NGX_ERROR.
     */
    void                         (*done)(
                                   ngx_hyperdrive_session_catalog_read_t *r,
                                   ngx_int_t rc);

    ngx_hyperdrive_sql_catalog_t  *sql;
    uint64_t                       identity;

    /* the room's own */

    ngx_hyperdrive_origin_ask_t    ask;
    u_char                        *buf;            /* half a row */
    size_t                         len;
    size_t                         size;
    unsigned                       who:1;          /* is asked */
    unsigned                       told:1;         /* and was answered */
    unsigned                       bad:1;
};


/*
 * Asks a database of <pool> what is in it, or, with <who>, which one it is.
 * done() may be called before it returns.
 */
void ngx_hyperdrive_session_catalog_read(
    ngx_hyperdrive_session_catalog_read_t *r, ngx_hyperdrive_pool_t *pool,
    ngx_uint_t who);


#endif /* _NGX_HYPERDRIVE_SESSION_CATALOG_READ_H_INCLUDED_ */
