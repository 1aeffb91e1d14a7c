
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_PG_LEDGER_H_INCLUDED_
#define _NGX_HYPERDRIVE_PG_LEDGER_H_INCLUDED_


#include "ngx_hyperdrive.h"
#include "state/ngx_hyperdrive_state_stmt.h"


/*
 * The ledger: which replies an origin owes, in order, what becomes of each,
 * and what is to be taken back if it never comes because an error struck it
 * out.  A ring that grows; owned by its origin.
 */


typedef enum {
    NGX_HYPERDRIVE_PG_REPLY_PARSE = 0,
    NGX_HYPERDRIVE_PG_REPLY_BIND,
    NGX_HYPERDRIVE_PG_REPLY_CLOSE,
    NGX_HYPERDRIVE_PG_REPLY_DESCRIBE,        /* of a statement */
    NGX_HYPERDRIVE_PG_REPLY_PORTAL,          /* Describe of a portal */
    NGX_HYPERDRIVE_PG_REPLY_EXECUTE,
    NGX_HYPERDRIVE_PG_REPLY_SYNC,
    NGX_HYPERDRIVE_PG_REPLY_QUERY,           /* to its ReadyForQuery */
    NGX_HYPERDRIVE_PG_REPLY_FUNCTION         /* to its ReadyForQuery */
} ngx_hyperdrive_pg_reply_e;


typedef enum {
    NGX_HYPERDRIVE_PG_PASS = 0,              /* to the client */
    NGX_HYPERDRIVE_PG_DROP,                  /* we asked, not the client */
    NGX_HYPERDRIVE_PG_OWN,                   /* the origin was not asked: we
                                                answer when its turn comes */
    NGX_HYPERDRIVE_PG_BREAK                  /* a COPY: what is behind it ends
                                                the client */
} ngx_hyperdrive_pg_action_e;


/* see _pg_portal.c */
typedef struct ngx_hyperdrive_pg_dropped_s  ngx_hyperdrive_pg_dropped_t;
/* see _pg_behind.c */
typedef struct ngx_hyperdrive_pg_behind_s  ngx_hyperdrive_pg_behind_t;


typedef struct {
    ngx_hyperdrive_pg_reply_e         type;
    ngx_hyperdrive_pg_action_e        action;

    /* a name that the client was given (PARSE) or lost (<drops>) by it */
    ngx_hyperdrive_state_name_t      *name;
    ngx_hyperdrive_state_name_t      *old;    /* PARSE, QUERY: the former
                                                 unnamed */

    /*
     * a statement that the origin was given (PARSE) or lost (CLOSE, <drops>)
     * by it, or that is described
     */
    uint64_t                          id;

    ngx_hyperdrive_state_stmt_t      *stmt;   /* one reference, or NULL */
    uint64_t                          told;   /* DESCRIBE that is ours: the
                                                 shape that it must have */
    ngx_uint_t                        tag;    /* a request of the session's
                                                 own: its pieces say so */
    unsigned                          unnamed:1; /* the client's unnamed
                                                    statement is changed */
    unsigned                          begin:1;   /* of a BEGIN that the client
                                                    has an answer to */
    unsigned                          alone:1;   /* ...with a Sync of its own:
                                                    errors are not for the
                                                    client */
    unsigned                          trail:1;   /* SYNC that we added behind a
                                                    Query: the client's, if an
                                                    error has struck that out */
    uint64_t                          epoch;  /* PARSE, DESCRIBE: in which it
                                                 holds, or 0 */
    ngx_hyperdrive_state_name_t      *label;  /* whose statement an error
                                                 would speak of, or NULL */
    unsigned                          kept:1;    /* see _pg_repeat.c */
    unsigned                          mangled:1; /* the name was changed */
    unsigned                          unread:1;  /* QUERY: not even the text of
                                                    it may be read: then it
                                                    leaves <old> alone */
    unsigned                          counts:1;  /* EXECUTE, QUERY: its pieces
                                                    say so */
    unsigned                          drops:1;   /* the client loses <name> by
                                                    it, or <all> that there
                                                    were */
    unsigned                          sql:1;     /* ...which PREPARE has given,
                                                    or may have */
    unsigned                          goes_on:1; /* QUERY: its ReadyForQuery is
                                                    not the client's, one of a
                                                    SYNC will be */
    ngx_hyperdrive_pg_dropped_t      *all;    /* or NULL */
    ngx_hyperdrive_pg_behind_t       *behind; /* QUERY: statements of ours in
                                                 it, or NULL */
} ngx_hyperdrive_pg_reply_t;


/* a ledger that is empty keeps memory for so many */
#define NGX_HYPERDRIVE_PG_LEDGER_KEEP    256

/* replies that may be outstanding: then the client has to wait */
#define NGX_HYPERDRIVE_PG_LEDGER_MAX     65536


typedef struct {
    ngx_hyperdrive_pg_reply_t        *replies;
    ngx_uint_t                        size;   /* a power of two, or 0 */
    ngx_uint_t                        first;
    ngx_uint_t                        n;
} ngx_hyperdrive_pg_ledger_t;


static ngx_inline ngx_hyperdrive_pg_reply_t *
ngx_hyperdrive_pg_ledger_at(ngx_hyperdrive_pg_ledger_t *ledger, ngx_uint_t i)
{
    return &ledger->replies[(ledger->first + i) & (ledger->size - 1)];
}


/* room for one more; NGX_ERROR: no memory */
ngx_int_t ngx_hyperdrive_pg_ledger_grow(ngx_hyperdrive_pg_ledger_t *ledger);

void ngx_hyperdrive_pg_ledger_free(ngx_hyperdrive_pg_ledger_t *ledger);


/* a new last entry, all zero; NULL without memory */

static ngx_inline ngx_hyperdrive_pg_reply_t *
ngx_hyperdrive_pg_ledger_push(ngx_hyperdrive_pg_ledger_t *ledger)
{
    ngx_hyperdrive_pg_reply_t  *reply;

    if (ledger->n == ledger->size
        && ngx_hyperdrive_pg_ledger_grow(ledger) != NGX_OK)
    {
        return NULL;
    }

    reply = ngx_hyperdrive_pg_ledger_at(ledger, ledger->n++);

    ngx_memzero(reply, sizeof(ngx_hyperdrive_pg_reply_t));

    return reply;
}


/* drops the first with <behind>; the caller has taken care of what else it
   refers to */

static ngx_inline void
ngx_hyperdrive_pg_ledger_shift(ngx_hyperdrive_pg_ledger_t *ledger)
{
    ngx_hyperdrive_pg_reply_t  *reply;

    reply = ngx_hyperdrive_pg_ledger_at(ledger, 0);

    if (reply->behind) {
        free(reply->behind);
    }

    ledger->first = (ledger->first + 1) & (ledger->size - 1);
    ledger->n--;

    if (ledger->n == 0 && ledger->size > NGX_HYPERDRIVE_PG_LEDGER_KEEP) {
        ngx_hyperdrive_pg_ledger_free(ledger);
    }
}


#endif /* _NGX_HYPERDRIVE_PG_LEDGER_H_INCLUDED_ */
