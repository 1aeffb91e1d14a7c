
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_PG_FORWARD_H_INCLUDED_
#define _NGX_HYPERDRIVE_PG_FORWARD_H_INCLUDED_


#include "pg/ngx_hyperdrive_pg.h"
#include "base/ngx_hyperdrive_base_cursor.h"


/*
 * Private to the files that translate requests: _forward.c takes them
 * one by one, _forward_parse.c has those that name statements, and
 * _forward_stmt.c sees to it that the origin has prepared what they name.
 * Functions return as _forward() does.
 */


/* a message that holds nothing but names: Describe, Close, Execute */
#define NGX_HYPERDRIVE_PG_SMALL          (2 * NGX_HYPERDRIVE_MAX_NAME + 16)


/* what one call of _forward() works on */

typedef struct {
    ngx_hyperdrive_pg_client_t      *client;
    ngx_hyperdrive_pg_origin_t      *origin;
    ngx_hyperdrive_chain_t          *out;
    ngx_hyperdrive_proto_run_pt      run;
    void                            *data;
    ngx_hyperdrive_proto_error_t    *err;

    u_char                          *pos;       /* the message's first byte */
    u_char                          *last;      /* end of what is there */
    size_t                           total;     /* bytes of the message */

    /* of a Bind, an Execute or a DEALLOCATE, see _pg_portal.c */
    ngx_hyperdrive_state_name_t     *label;
    uint64_t                         drops;

    /* what runs behind the statement that was told last */
    ngx_hyperdrive_proto_behind_t   *behind;
    ngx_uint_t                       nbehind;
    ngx_uint_t                       tag;
    unsigned                         apart:1;
    unsigned                         counts:1;
} ngx_hyperdrive_pg_forward_t;


/* ngx_hyperdrive_pg_forward.c */

/* tells that a statement will run; <stmt> is NULL if it was not read */
void ngx_hyperdrive_pg_forward_run(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_stmt_t *stmt, u_char *args, u_char *end);
/* ...and that what has to run behind it will, see _behind.c */
void ngx_hyperdrive_pg_forward_run_query(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_stmt_t *stmt);
/* ...at its Bind, or at an Execute */
void ngx_hyperdrive_pg_forward_run_bind(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_stmt_t *stmt, u_char *args, u_char *end);
void ngx_hyperdrive_pg_forward_run_execute(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_stmt_t *stmt, u_char *args, u_char *end);
void ngx_hyperdrive_pg_forward_run_fetched(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_stmt_t *stmt);
void ngx_hyperdrive_pg_forward_run_named(ngx_hyperdrive_pg_forward_t *f);
/* ...or be prepared under one */
void ngx_hyperdrive_pg_forward_run_prepares(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_stmt_t *stmt);

ngx_uint_t ngx_hyperdrive_pg_forward_certain(ngx_hyperdrive_pg_origin_t *o);
ngx_int_t ngx_hyperdrive_pg_forward_hold(ngx_hyperdrive_pg_forward_t *f);
ngx_int_t ngx_hyperdrive_pg_forward_raw(ngx_hyperdrive_pg_forward_t *f);
/* a message that is malformed, which the origin will say */
ngx_int_t ngx_hyperdrive_pg_forward_bad(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_pg_reply_e type);
ngx_hyperdrive_pg_reply_t *ngx_hyperdrive_pg_forward_expect(
    ngx_hyperdrive_pg_forward_t *f, ngx_hyperdrive_pg_reply_e type,
    ngx_hyperdrive_pg_action_e action, ngx_hyperdrive_state_stmt_t *stmt);
ngx_int_t ngx_hyperdrive_pg_forward_error(ngx_hyperdrive_pg_forward_t *f,
    char *sqlstate, char *text);


/* ngx_hyperdrive_pg_block.c */

/* the client's BEGIN that was not sent yet; nothing is outstanding */
ngx_int_t ngx_hyperdrive_pg_block_send(ngx_hyperdrive_pg_forward_t *f);


/* ngx_hyperdrive_pg_forward_parse.c */

ngx_int_t ngx_hyperdrive_pg_forward_deallocate(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_stmt_t *stmt);
/* nobody knows what is prepared at the origin behind what is forwarded */
void ngx_hyperdrive_pg_forward_forget(ngx_hyperdrive_pg_origin_t *o);
ngx_int_t ngx_hyperdrive_pg_forward_parse(ngx_hyperdrive_pg_forward_t *f);
ngx_int_t ngx_hyperdrive_pg_forward_bind(ngx_hyperdrive_pg_forward_t *f);


/* ngx_hyperdrive_pg_forward_sql.c */

/*
 * A Query of PREPARE or EXECUTE.  NGX_OK: it names <target>, a statement of
 * the protocol, and is in the output with the origin's name; NGX_DECLINED: it
 * goes as it is; NGX_BUSY, NGX_ERROR: as _forward().
 */
ngx_int_t ngx_hyperdrive_pg_forward_sql(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_stmt_t *stmt, ngx_hyperdrive_state_name_t **target);
/* the same before a Bind: the unnamed one is parsed, to be bound instead */
ngx_int_t ngx_hyperdrive_pg_forward_sql_bind(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_stmt_t *stmt, ngx_hyperdrive_state_name_t **target);
/* ...and for a Describe, whose answer it asks for; NGX_DECLINED: it names
   none that the client had when it prepared it */
ngx_int_t ngx_hyperdrive_pg_forward_sql_describe(
    ngx_hyperdrive_pg_forward_t *f, ngx_hyperdrive_state_name_t *entry);
/* a PREPARE goes as it is: what it makes of names in SQL */
void ngx_hyperdrive_pg_forward_sql_names(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_stmt_t *stmt);
/* a Parse of a name that may be taken by SQL; NGX_DECLINED: it is not */
ngx_int_t ngx_hyperdrive_pg_forward_sql_parse(ngx_hyperdrive_pg_forward_t *f,
    ngx_str_t *name, ngx_hyperdrive_state_stmt_t *stmt);
void ngx_hyperdrive_pg_forward_sql_close(ngx_hyperdrive_pg_forward_t *f,
    ngx_str_t *name);


/* ngx_hyperdrive_pg_behind.c */

/* the Query with f->behind in its text, or behind it */
ngx_int_t ngx_hyperdrive_pg_behind_query(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_stmt_t *stmt, ngx_hyperdrive_pg_reply_t *reply);


/* ngx_hyperdrive_pg_portal.c */

/* a Bind of the portal <name> is forwarded: it is followed */
ngx_int_t ngx_hyperdrive_pg_portal_bind(ngx_hyperdrive_pg_forward_t *f,
    ngx_str_t *name, ngx_hyperdrive_state_stmt_t *stmt, u_char *args,
    u_char *end);
/*
 * An Execute, whole.  NGX_OK: it is in the output; NGX_DECLINED: its portal is
 * none that is followed; NGX_ERROR: f->err.
 */
ngx_int_t ngx_hyperdrive_pg_portal_execute(ngx_hyperdrive_pg_forward_t *f);
/* a FETCH will run, of any of them */
void ngx_hyperdrive_pg_portal_fetch(ngx_hyperdrive_pg_forward_t *f);
/*
 * <stmt>, a DEALLOCATE or DISCARD, is about to be forwarded: what it takes away
 * is borne by <reply>.  f->drops: it names that statement of the origin's
 * instead of the client's, or 0.
 */
ngx_int_t ngx_hyperdrive_pg_portal_drops(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_stmt_t *stmt, ngx_hyperdrive_pg_reply_t *reply);


/* ngx_hyperdrive_pg_forward_stmt.c */

uint64_t ngx_hyperdrive_pg_forward_id(ngx_hyperdrive_pg_origin_t *o,
    ngx_hyperdrive_state_stmt_t *stmt);
ngx_int_t ngx_hyperdrive_pg_forward_find(ngx_hyperdrive_pg_forward_t *f,
    ngx_str_t *name, ngx_hyperdrive_state_name_t **entry);
ngx_int_t ngx_hyperdrive_pg_forward_item(ngx_hyperdrive_pg_forward_t *f,
    uint64_t id, ngx_hyperdrive_state_item_t **item);
ngx_int_t ngx_hyperdrive_pg_forward_ensure(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_name_t *entry, uint64_t told);
ngx_int_t ngx_hyperdrive_pg_forward_close(ngx_hyperdrive_pg_forward_t *f);
ngx_int_t ngx_hyperdrive_pg_forward_evict(ngx_hyperdrive_pg_forward_t *f);
ngx_int_t ngx_hyperdrive_pg_forward_drop(ngx_hyperdrive_pg_forward_t *f,
    uint64_t id);
ngx_int_t ngx_hyperdrive_pg_forward_prepare(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_stmt_t *stmt, uint64_t id);
/* something is there under this name, which will be dropped */
ngx_int_t ngx_hyperdrive_pg_forward_stand_in(ngx_hyperdrive_pg_forward_t *f,
    ngx_hyperdrive_state_stmt_t *stmt, uint64_t id);
ngx_int_t ngx_hyperdrive_pg_forward_no_statement(
    ngx_hyperdrive_pg_forward_t *f, ngx_str_t *name, ngx_uint_t *mangled);
ngx_uint_t ngx_hyperdrive_pg_forward_ours(ngx_str_t *name);
u_char *ngx_hyperdrive_pg_forward_name(u_char *p, uint64_t id);
u_char *ngx_hyperdrive_pg_forward_bare(u_char *p, uint64_t id);


/* ngx_hyperdrive_pg_repeat.c */

void ngx_hyperdrive_pg_repeat_begin(ngx_hyperdrive_pg_forward_t *f);


#endif /* _NGX_HYPERDRIVE_PG_FORWARD_H_INCLUDED_ */
