
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_PG_H_INCLUDED_
#define _NGX_HYPERDRIVE_PG_H_INCLUDED_


#include "ngx_hyperdrive.h"
#include "ngx_hyperdrive_proto.h"
#include "pg/ngx_hyperdrive_pg_ledger.h"
#include "pg/ngx_hyperdrive_pg_status.h"


/* a message's type and length */
#define NGX_HYPERDRIVE_PG_HEADER         5

/* names of statements at an origin begin with it; 16 hex digits follow: the
   origin's epoch and the statement's id */
#define NGX_HYPERDRIVE_PG_PREFIX         "_hyperdrive_"
#define NGX_HYPERDRIVE_PG_EPOCHS         256
#define NGX_HYPERDRIVE_PG_STATEMENT_LEN                                      \
    (sizeof(NGX_HYPERDRIVE_PG_PREFIX) - 1 + 16)


/* see _pg_portal.c */
typedef struct ngx_hyperdrive_pg_portal_s  ngx_hyperdrive_pg_portal_t;


/* what a client believes */

typedef struct {
    ngx_hyperdrive_proto_ctx_t       *ctx;
    ngx_uint_t                        mode;        /* of the lexer */

    ngx_hyperdrive_state_names_t      names;
    ngx_hyperdrive_state_name_t      *unnamed;
    uint64_t                          unnamed_group;  /* that set it last */
    uint64_t                          closed_group;   /* that closed a name
                                                         last */
    ngx_hyperdrive_state_names_t      sql;         /* that PREPARE may have
                                                      given, see
                                                      _pg_forward_sql.c */
    ngx_hyperdrive_state_stmt_t      *question;    /* of the unit that is
                                                      looked at */
    uint64_t                          epoch;       /* ...in which it came */

    size_t                            scanned;     /* of the unit in the buffer,
                                                      whole messages */
    unsigned                          runs:1;      /* ...one of which runs
                                                      something */
    uint32_t                          left;        /* of a message's body that
                                                      streams through */
    unsigned                          drop:1;      /* ...to nowhere */
    unsigned                          ends:1;      /* ...and ends a unit... */
    unsigned                          skipped:1;   /* ...without an answer */
    unsigned                          describe:1;  /* the next portal, too */
    unsigned                          open:1;      /* a Sync group has begun
                                                      to be forwarded */
    unsigned                          skip:1;      /* we made up an error: all
                                                      up to Sync is skipped */

    ngx_hyperdrive_pg_portal_t       *portals;     /* that are followed, or
                                                      NULL */

    ngx_hyperdrive_pg_status_t       *told;        /* of its settings; NULL:
                                                      all reports pass */
    ngx_hyperdrive_pg_status_t       *before;      /* ...and is told again if
                                                      the transaction is rolled
                                                      back; or NULL */
    unsigned                          untold:1;    /* for now it is told
                                                      nothing more */
    unsigned                          moved:1;     /* <mode> may be another
                                                      until the next end */

    ngx_hyperdrive_state_stmt_t      *begin;       /* a BEGIN that is answered
                                                      and not sent, or NULL */
    unsigned                          bound:1;     /* ...with a portal, the
                                                      unnamed one */
    unsigned                          failed:1;    /* ...and could not be: its
                                                      block has failed */
} ngx_hyperdrive_pg_client_t;


/* what a connection to the database knows and owes */

typedef struct {
    ngx_hyperdrive_proto_ctx_t       *ctx;

    ngx_hyperdrive_state_set_t        set;         /* prepared by name */
    uint64_t                          epoch;       /* in the upper bits of
                                                      names: raised when it is
                                                      not known any more which
                                                      of them exist */
    ngx_hyperdrive_state_stmt_t      *unnamed;     /* NULL: none, or unknown */
    ngx_hyperdrive_pg_ledger_t        ledger;

    /*
     * Requests come in groups; a Sync or a Query ends one.  If a request
     * fails, those behind it in its group do not happen: what an earlier group
     * prepares or closes is not certain until it is answered.  The numbers of
     * groups are unique in a worker.
     */
    uint64_t                          group;          /* that is being sent */
    uint64_t                          first_group;    /* none before it is
                                                         outstanding */
    uint64_t                          unnamed_group;  /* that set unnamed */
    uint64_t                          closed_group;   /* that closed a
                                                         statement last */

    /* the answer that is being read */
    u_char                            type;
    u_char                            status;      /* of the last Ready: I, T,
                                                      E; 0 after log-in */
    uint32_t                          left;        /* of its body */
    unsigned                          pass:1;      /* ...goes to the client */

    unsigned                          copy_in:1;   /* the origin wants data */
    unsigned                          ignore:1;    /* it skips to the Sync */
    unsigned                          open:1;      /* a Sync group has begun */
    unsigned                          begun:1;     /* ...with a BEGIN of ours:
                                                      a Query ends it, too */
    unsigned                          begins:1;    /* ...that is not answered
                                                      yet... */
    unsigned                          fence:1;     /* ...and its group is over:
                                                      nothing may follow it */
    unsigned                          hold:1;      /* all that is outstanding
                                                      has to be answered
                                                      first */
    unsigned                          block:1;     /* what is outstanding may
                                                      begin a block */
    unsigned                          wrote:1;     /* what is outstanding may
                                                      have changed rows */
    unsigned                          partial:1;   /* half a request is sent */
    unsigned                          unnamed_dirty:1; /* the unnamed statement
                                                      may exist */
    unsigned                          suppress:1;  /* answers up to the Ready
                                                      are dropped: the rows
                                                      have another shape */
    unsigned                          fresh:1;     /* nothing of the group has
                                                      been run, and nothing
                                                      stands ahead of it */
    unsigned                          keep:1;      /* requests are kept, until
                                                      it is certain that they
                                                      need not be repeated */
    unsigned                          repeats:2;   /* since the last answer */
    unsigned                          undone:1;    /* an error or a ROLLBACK
                                                      in this unit */
    unsigned                          poisoned:1;  /* may not be used again */
    unsigned                          prelude:1;   /* the open group has none
                                                      but our own requests */
    unsigned                          trail:1;     /* a Sync has to follow the
                                                      message that is sent */

    ngx_hyperdrive_pg_status_t       *reported;    /* of its settings, or
                                                      NULL */
    u_char                           *params;      /* a ParameterDescription
                                                      until its rows' part
                                                      comes */
    size_t                            params_len;

    u_char                           *kept;        /* requests */
    size_t                            kept_len;
    size_t                            kept_size;

    u_char                           *said;        /* an error in the client's
                                                      own words */
    size_t                            said_len;
} ngx_hyperdrive_pg_origin_t;


extern ngx_hyperdrive_proto_t  ngx_hyperdrive_pg_proto;


/* a message with what a COPY brings, or its end */

static ngx_inline ngx_uint_t
ngx_hyperdrive_pg_data(u_char type)
{
    return type == 'd' || type == 'c' || type == 'f';
}


/* ngx_hyperdrive_pg.c */

/*
 * <stmt>, or nothing that is known if it is NULL, is the origin's unnamed
 * statement now; the former one's reference is dropped.
 */
void ngx_hyperdrive_pg_origin_unnamed(ngx_hyperdrive_pg_origin_t *o,
    ngx_hyperdrive_state_stmt_t *stmt);


/* ngx_hyperdrive_pg_login.c */

ngx_int_t ngx_hyperdrive_pg_login_client(ngx_hyperdrive_proto_login_t *login,
    u_char **pos, u_char *last, ngx_hyperdrive_chain_t *out);
void ngx_hyperdrive_pg_login_client_free(ngx_hyperdrive_proto_login_t *login);
void ngx_hyperdrive_pg_login_welcome(ngx_hyperdrive_proto_login_t *login,
    ngx_str_t *greeting, uint32_t pid, u_char *key, size_t len,
    ngx_hyperdrive_chain_t *out);
ngx_int_t ngx_hyperdrive_pg_login_origin(ngx_hyperdrive_proto_login_t *login,
    u_char **pos, u_char *last, ngx_hyperdrive_chain_t *out);
void ngx_hyperdrive_pg_login_origin_free(ngx_hyperdrive_proto_login_t *login);
void ngx_hyperdrive_pg_login_keys_free(void **keys);
ngx_uint_t ngx_hyperdrive_pg_login_is_verifier(ngx_str_t *secret);
char *ngx_hyperdrive_pg_login_secret_wrong(ngx_str_t *secret);
ngx_int_t ngx_hyperdrive_pg_login_verifier(ngx_str_t *user,
    ngx_str_t *password, u_char *mock, u_char *out);
ngx_uint_t ngx_hyperdrive_pg_login_mode(ngx_str_t *greeting);


/* ngx_hyperdrive_pg_lookup.c */

ngx_int_t ngx_hyperdrive_pg_lookup_request(ngx_str_t *text, ngx_str_t *user,
    ngx_hyperdrive_chain_t *out);
ngx_int_t ngx_hyperdrive_pg_lookup_row(u_char *data, size_t len,
    ngx_str_t *user, ngx_str_t *secret);


/* ngx_hyperdrive_pg_status.c */

void ngx_hyperdrive_pg_status_told(void *client, ngx_str_t *greeting);
void ngx_hyperdrive_pg_status_hold(void *client, ngx_uint_t hold);
void ngx_hyperdrive_pg_status_said(void *origin, ngx_str_t *greeting);
void ngx_hyperdrive_pg_status_greeting(void *origin, ngx_str_t *greeting);
/* a ParameterStatus; NGX_OK: it does not go to the client as it is */
ngx_int_t ngx_hyperdrive_pg_status_take(ngx_hyperdrive_pg_client_t *c,
    ngx_hyperdrive_pg_origin_t *o, u_char *p, size_t len,
    ngx_hyperdrive_chain_t *out);
/* whatever the client does not know yet of what the origin has reported */
void ngx_hyperdrive_pg_status_tell(ngx_hyperdrive_pg_client_t *c,
    ngx_hyperdrive_pg_origin_t *o, ngx_hyperdrive_chain_t *out);


/* ngx_hyperdrive_pg_client.c */

void *ngx_hyperdrive_pg_client_create(ngx_hyperdrive_proto_ctx_t *ctx,
    ngx_uint_t mode, ngx_hyperdrive_proto_login_t *login);
void ngx_hyperdrive_pg_client_destroy(void *client);
ngx_int_t ngx_hyperdrive_pg_client_request(void *client, u_char *pos,
    u_char *last, ngx_hyperdrive_proto_unit_t *unit,
    ngx_hyperdrive_proto_error_t *err);
ngx_uint_t ngx_hyperdrive_pg_client_data(void *client, u_char *pos);
void ngx_hyperdrive_pg_client_serve_begin(void *client,
    ngx_hyperdrive_proto_unit_t *unit, u_char *head, size_t len,
    ngx_hyperdrive_chain_t *out);
void ngx_hyperdrive_pg_client_serve_rows(void *client, u_char *data,
    size_t len, ngx_hyperdrive_chain_t *out);
ngx_uint_t ngx_hyperdrive_pg_client_serve_end(void *client,
    ngx_hyperdrive_proto_unit_t *unit, ngx_hyperdrive_chain_t *out);
void ngx_hyperdrive_pg_client_refuse(void *client,
    ngx_hyperdrive_proto_unit_t *unit, ngx_hyperdrive_proto_error_t *err,
    ngx_hyperdrive_chain_t *out);

/* the client's statement of this name ("" is the unnamed one), or NULL */
ngx_hyperdrive_state_name_t *ngx_hyperdrive_pg_client_find(
    ngx_hyperdrive_pg_client_t *client, ngx_str_t *name);
/*
 * Gives a name to a statement, whose reference is taken over; what was the
 * unnamed statement until now is returned in *old (with its reference).
 */
ngx_hyperdrive_state_name_t *ngx_hyperdrive_pg_client_add(
    ngx_hyperdrive_pg_client_t *client, ngx_str_t *name,
    ngx_hyperdrive_state_stmt_t *stmt, ngx_hyperdrive_state_name_t **old);
/* what is said of a message type that is not known; until the next call */
char *ngx_hyperdrive_pg_client_unknown(u_char type);
/* the unit that was looked at is done with */
void ngx_hyperdrive_pg_client_looked(ngx_hyperdrive_pg_client_t *client);
void ngx_hyperdrive_pg_client_free_name(ngx_hyperdrive_proto_ctx_t *ctx,
    ngx_hyperdrive_state_name_t *name);


void ngx_hyperdrive_pg_client_describe(void *client);


/* ngx_hyperdrive_pg_export.c */

ngx_int_t ngx_hyperdrive_pg_export(void *client, ngx_hyperdrive_chain_t *out);
void *ngx_hyperdrive_pg_import(ngx_hyperdrive_proto_ctx_t *ctx, u_char *data,
    size_t len);


/* ngx_hyperdrive_pg_block.c */

/* what a ReadyForQuery of ours says */
u_char ngx_hyperdrive_pg_block_status(ngx_hyperdrive_pg_client_t *client);
/* sets what <unit> is to a block that no origin knows; it is at <pos> */
void ngx_hyperdrive_pg_block_request(ngx_hyperdrive_pg_client_t *client,
    u_char *pos, ngx_hyperdrive_proto_unit_t *unit);
void ngx_hyperdrive_pg_block_begin(void *client,
    ngx_hyperdrive_proto_unit_t *unit, ngx_hyperdrive_chain_t *out);
void ngx_hyperdrive_pg_block_end(void *client,
    ngx_hyperdrive_proto_unit_t *unit, ngx_hyperdrive_chain_t *out);
/* drops a BEGIN that was not sent */
void ngx_hyperdrive_pg_block_forget(ngx_hyperdrive_pg_client_t *client);


/* ngx_hyperdrive_pg_deallocate.c */

/*
 * Reads DEALLOCATE [PREPARE] name | ALL.  NGX_OK: *name is the name as the
 * server folds it, written to <buf> of NGX_HYPERDRIVE_MAX_NAME bytes, or empty
 * for ALL.  NGX_DECLINED: something else.
 */
ngx_int_t ngx_hyperdrive_pg_deallocate(u_char *text, size_t len, u_char *buf,
    ngx_str_t *name);
/* a name in SQL, folded, to <buf> of the same size */
ngx_int_t ngx_hyperdrive_pg_deallocate_name(u_char *text, size_t len,
    u_char *buf, ngx_str_t *name);
/* DEALLOCATE ALL or DISCARD ALL */
ngx_uint_t ngx_hyperdrive_pg_deallocate_is_all(u_char *text, size_t len);
/* all of a client's names are gone */
void ngx_hyperdrive_pg_deallocate_all(ngx_hyperdrive_pg_client_t *client);


/* ngx_hyperdrive_pg_portal.c */

/* a portal of this name is not there any more, or another one */
void ngx_hyperdrive_pg_portal_close(ngx_hyperdrive_pg_client_t *c,
    ngx_str_t *name);
void ngx_hyperdrive_pg_portal_clear(ngx_hyperdrive_pg_client_t *c);
/* what names statements have is about to change */
void ngx_hyperdrive_pg_portal_unlabel(ngx_hyperdrive_pg_client_t *c);
/* <reply>, which bears what is taken away, has come */
void ngx_hyperdrive_pg_portal_dropped(ngx_hyperdrive_proto_ctx_t *ctx,
    ngx_hyperdrive_pg_reply_t *reply);
/* ...or never will; <c>: or NULL */
void ngx_hyperdrive_pg_portal_kept(ngx_hyperdrive_pg_client_t *c,
    ngx_hyperdrive_pg_origin_t *o, ngx_hyperdrive_pg_reply_t *reply);


/* ngx_hyperdrive_pg_forward.c */

/* the last group that was begun, of any origin */
extern uint64_t  ngx_hyperdrive_pg_forward_group;

ngx_int_t ngx_hyperdrive_pg_forward(void *client, void *origin, u_char **pos,
    u_char *last, ngx_hyperdrive_chain_t *out, ngx_hyperdrive_chain_t *reply,
    ngx_hyperdrive_proto_run_pt run, void *data,
    ngx_hyperdrive_proto_error_t *err);


/* ngx_hyperdrive_pg_probe.c */

/* of requests that the origin may not be used without */
#define NGX_HYPERDRIVE_PG_RESET_TAG      ((ngx_uint_t) -1)

ngx_int_t ngx_hyperdrive_pg_probe(void *origin, ngx_uint_t pins,
    ngx_uint_t tag, ngx_hyperdrive_chain_t *out);
ngx_uint_t ngx_hyperdrive_pg_probe_row(u_char *data, size_t len);
ngx_int_t ngx_hyperdrive_pg_ping(void *origin, ngx_uint_t tag,
    ngx_hyperdrive_chain_t *out);
/* of a CommandComplete: _PROTO_DISCARD_..., or 0 */
ngx_uint_t ngx_hyperdrive_pg_probe_discard(u_char *p, size_t total);
ngx_int_t ngx_hyperdrive_pg_reset(void *origin, ngx_uint_t all, int32_t seed,
    ngx_hyperdrive_chain_t *out);


/* ngx_hyperdrive_pg_own.c */

void ngx_hyperdrive_pg_own_error(ngx_hyperdrive_proto_piece_t *piece,
    u_char *sqlstate, u_char *message, size_t size);

ngx_int_t ngx_hyperdrive_pg_own(void *origin, ngx_str_t *text, ngx_uint_t tag,
    ngx_uint_t flags, ngx_hyperdrive_chain_t *out);
/* does a BEGIN share the fate of the first request, which is ours? */
ngx_uint_t ngx_hyperdrive_pg_own_begins(ngx_hyperdrive_pg_origin_t *o);
/* the end of a Query or FunctionCall that has own requests ahead of it */
ngx_int_t ngx_hyperdrive_pg_own_trail(ngx_hyperdrive_pg_origin_t *o,
    ngx_hyperdrive_chain_t *out);


/* ngx_hyperdrive_pg_behind.c */

/* what comes next of the answer to a Query: is it to a statement of ours? */
ngx_uint_t ngx_hyperdrive_pg_behind_ours(ngx_hyperdrive_pg_behind_t *behind);
/*
 * A message of it.  NGX_OK: it is the client's, or *message is the one in
 * o->said that had to wait for this one; NGX_DECLINED: not yet, or ours.
 */
ngx_int_t ngx_hyperdrive_pg_behind_take(ngx_hyperdrive_pg_origin_t *o,
    ngx_hyperdrive_pg_behind_t *behind, ngx_str_t *message);
/* where an error is, counted from 1, in the text as the client has sent it */
ngx_uint_t ngx_hyperdrive_pg_behind_position(
    ngx_hyperdrive_pg_behind_t *behind, ngx_uint_t position);


/* ngx_hyperdrive_pg_params.c */

ngx_uint_t ngx_hyperdrive_pg_params(ngx_str_t *bind, ngx_uint_t nparams,
    ngx_str_t *values, ngx_uint_t max);


/* ngx_hyperdrive_pg_shape.c */

uint64_t ngx_hyperdrive_pg_shape(u_char *p, size_t total);


/* ngx_hyperdrive_pg_answer.c */

ngx_int_t ngx_hyperdrive_pg_answer(void *client, void *origin, u_char **pos,
    u_char *last, ngx_uint_t apart, ngx_hyperdrive_chain_t *reply,
    ngx_hyperdrive_proto_piece_t *piece);
/* gives the answers that are ours and whose turn it is */
void ngx_hyperdrive_pg_answer_own(ngx_hyperdrive_pg_origin_t *origin,
    ngx_hyperdrive_chain_t *reply);


/* ngx_hyperdrive_pg_question.c */

void ngx_hyperdrive_pg_question(void *client,
    ngx_hyperdrive_proto_unit_t *unit, ngx_hyperdrive_chain_t *out);
uint64_t ngx_hyperdrive_pg_digest(ngx_str_t *head, ngx_str_t *rows);


/* ngx_hyperdrive_pg_answer_error.c */

/* takes an ErrorResponse; o->said_len: the client gets o->said instead */
void ngx_hyperdrive_pg_answer_error(ngx_hyperdrive_pg_client_t *c,
    ngx_hyperdrive_pg_origin_t *o, u_char *p, size_t total,
    ngx_hyperdrive_proto_piece_t *piece);
/*
 * What the client would have been given or lost by the reply <i>, of which
 * all from it to <n> are struck out.  <failed>: it is the one that failed, and
 * an unnamed statement is gone when its successor is parsed.
 */
void ngx_hyperdrive_pg_answer_error_names(ngx_hyperdrive_pg_client_t *c,
    ngx_hyperdrive_pg_origin_t *o, ngx_uint_t i, ngx_uint_t n,
    ngx_uint_t failed);


/* ngx_hyperdrive_pg_prepared.c */

/* the epoch of the unit at hand; 0: none that can be relied on */

static ngx_inline uint64_t
ngx_hyperdrive_pg_prepared_epoch(ngx_hyperdrive_pg_client_t *c)
{
    return c->epoch == NGX_HYPERDRIVE_STATE_CHANGING
           ? NGX_HYPERDRIVE_STATE_NO_EPOCH : c->epoch;
}


ngx_uint_t ngx_hyperdrive_pg_prepared_may(u_char *pos, size_t len);
ngx_int_t ngx_hyperdrive_pg_prepared(void *client,
    ngx_hyperdrive_proto_unit_t *unit, u_char *pos, uint64_t epoch,
    ngx_hyperdrive_chain_t *out);


/* ngx_hyperdrive_pg_repeat.c */

/* whether an error, in answer to the first reply, need not be shown */
ngx_uint_t ngx_hyperdrive_pg_repeat_possible(ngx_hyperdrive_pg_client_t *c,
    ngx_hyperdrive_pg_origin_t *o, u_char *body, size_t len);
void ngx_hyperdrive_pg_repeat_keep(ngx_hyperdrive_pg_origin_t *o,
    u_char *data, size_t len);
void ngx_hyperdrive_pg_repeat_end(ngx_hyperdrive_pg_origin_t *o);
ngx_int_t ngx_hyperdrive_pg_repeat(void *client, void *origin,
    ngx_hyperdrive_chain_t *out, ngx_str_t *data);


/* ngx_hyperdrive_pg_position.c */

ngx_hyperdrive_proto_role_e ngx_hyperdrive_pg_position_role(
    ngx_str_t *greeting);
char *ngx_hyperdrive_pg_position_unlike(ngx_str_t *primary,
    ngx_str_t *replica);
char *ngx_hyperdrive_pg_position_text(ngx_uint_t replica);
ngx_int_t ngx_hyperdrive_pg_position_row(ngx_str_t *cols, ngx_uint_t n,
    ngx_hyperdrive_proto_position_t *position);
ngx_uint_t ngx_hyperdrive_pg_position_has(
    ngx_hyperdrive_proto_position_t *replica,
    ngx_hyperdrive_proto_position_t *primary);
ngx_uint_t ngx_hyperdrive_pg_position_other(
    ngx_hyperdrive_proto_position_t *one, ngx_hyperdrive_proto_position_t *two);


/* ngx_hyperdrive_pg_left.c */

char *ngx_hyperdrive_pg_left_name(void *origin);
size_t ngx_hyperdrive_pg_left_text(void *origin, ngx_str_t *list, uint32_t own,
    ngx_msec_t age, u_char *buf, size_t size);
size_t ngx_hyperdrive_pg_left_end(uint32_t pid, ngx_msec_t from, ngx_msec_t to,
    u_char *buf, size_t size);

/* ngx_hyperdrive_pg_row.c */

ngx_int_t ngx_hyperdrive_pg_row(u_char **pos, u_char *last, ngx_str_t *cols,
    ngx_uint_t *n);


#endif /* _NGX_HYPERDRIVE_PG_H_INCLUDED_ */
