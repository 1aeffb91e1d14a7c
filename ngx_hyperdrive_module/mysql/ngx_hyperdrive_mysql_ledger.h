
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_MYSQL_LEDGER_H_INCLUDED_
#define _NGX_HYPERDRIVE_MYSQL_LEDGER_H_INCLUDED_


#include "ngx_hyperdrive.h"
#include "state/ngx_hyperdrive_state_stmt.h"


/*
 * The ledger: which answers an origin owes, in order, and what becomes of
 * each.  A ring that grows; owned by its origin.
 */


typedef enum {
    NGX_HYPERDRIVE_MYSQL_REPLY_RESULTS = 0,  /* as many as there are */
    NGX_HYPERDRIVE_MYSQL_REPLY_PREPARE,
    NGX_HYPERDRIVE_MYSQL_REPLY_FETCH,        /* rows without a head */
    NGX_HYPERDRIVE_MYSQL_REPLY_FIELDS,       /* definitions and an end */
    NGX_HYPERDRIVE_MYSQL_REPLY_TEXT,         /* one packet, of whatever */
    NGX_HYPERDRIVE_MYSQL_REPLY_DONE          /* one OK, EOF or error */
} ngx_hyperdrive_mysql_reply_e;


typedef enum {
    NGX_HYPERDRIVE_MYSQL_PASS = 0,           /* to the client */
    NGX_HYPERDRIVE_MYSQL_DROP,               /* we asked, not the client */
    NGX_HYPERDRIVE_MYSQL_OWN                 /* the origin was not asked: we
                                                answer when its turn comes */
} ngx_hyperdrive_mysql_action_e;


typedef struct {
    ngx_hyperdrive_mysql_reply_e      type;
    ngx_hyperdrive_mysql_action_e     action;

    ngx_uint_t                        own;     /* OWN: a _mysql_local_e */
    ngx_uint_t                        tag;     /* of a request of the session's
                                                  own: its pieces say so */
    ngx_uint_t                        skip;    /* results of what was put in
                                                  front of the client's text */

    ngx_hyperdrive_state_stmt_t      *stmt;    /* PREPARE: one reference */
    u_char                           *args;    /* ...what it is executed with
                                                  already, or NULL */
    size_t                            args_len;
    uint64_t                          id;      /* ...by which the origin has
                                                  it, or 0 */
    uint64_t                          epoch;   /* ...in which it came, if what
                                                  it is answered is kept */
    uint32_t                          number;  /* the client's, of a statement
                                                  that is executed */
    uint32_t                          by;      /* ...of any that is */
    u_char                            seq;     /* of the next packet that the
                                                  client gets */
    unsigned                          ready:1; /* DROP: a unit of the client's
                                                  ends with it all the same, or
                                                  one of our own (tag) */
    unsigned                          guard:1; /* PREPARE that goes ahead of
                                                  the client's command, which
                                                  fails with it */
    unsigned                          private:1; /* ...is for this statement of
                                                  the client's only */
    unsigned                          must:1;  /* DROP: an error leaves the
                                                  origin in a state that nobody
                                                  knows */
    unsigned                          optional:1; /* DROP: ...leaves it as it
                                                  was: it may fail */
    unsigned                          tells:1; /* DROP: of the client's
                                                  transaction, behind an error
                                                  that did not */
    unsigned                          unsure:1; /* an error does not tell
                                                  whether a transaction is
                                                  open */
    unsigned                          brief:1; /* flags that tell of sql_mode
                                                  are for this answer only */
    unsigned                          reset:1; /* it forgets what is
                                                  prepared */
    unsigned                          file:1;  /* it may ask the client for a
                                                  file of his */
    unsigned                          replica:1; /* the first that makes a
                                                  replica's connection of it */
} ngx_hyperdrive_mysql_reply_t;


typedef struct {
    ngx_hyperdrive_mysql_reply_t     *replies;
    ngx_uint_t                        size;    /* a power of two, or 0 */
    ngx_uint_t                        first;
    ngx_uint_t                        n;
} ngx_hyperdrive_mysql_ledger_t;


static ngx_inline ngx_hyperdrive_mysql_reply_t *
ngx_hyperdrive_mysql_ledger_at(ngx_hyperdrive_mysql_ledger_t *ledger,
    ngx_uint_t i)
{
    return &ledger->replies[(ledger->first + i) & (ledger->size - 1)];
}


/* a new last entry, all zero; NULL without memory */
ngx_hyperdrive_mysql_reply_t *ngx_hyperdrive_mysql_ledger_push(
    ngx_hyperdrive_mysql_ledger_t *ledger);

/* drops the first; the caller has taken care of what it refers to */
void ngx_hyperdrive_mysql_ledger_shift(ngx_hyperdrive_mysql_ledger_t *ledger);

void ngx_hyperdrive_mysql_ledger_free(ngx_hyperdrive_mysql_ledger_t *ledger);


#endif /* _NGX_HYPERDRIVE_MYSQL_LEDGER_H_INCLUDED_ */
