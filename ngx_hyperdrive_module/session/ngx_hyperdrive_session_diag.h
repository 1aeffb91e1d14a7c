
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_SESSION_DIAG_H_INCLUDED_
#define _NGX_HYPERDRIVE_SESSION_DIAG_H_INCLUDED_


#include "session/ngx_hyperdrive_session.h"


/*
 * MySQL: what LAST_INSERT_ID(), FOUND_ROWS(), ROW_COUNT() and SHOW WARNINGS
 * say to the client, whatever its connections were used for meanwhile.
 * Answers tell the most of it; the rest the connection is asked for before
 * anybody else gets it.
 */

/* of conditions that are kept, as packets */
#define NGX_HYPERDRIVE_SESSION_DIAG_SIZE  32768

/* units under way, of different kinds, whose answers are told apart */
#define NGX_HYPERDRIVE_SESSION_DIAG_UNITS  8


/* units, one behind the other, that do the same */

typedef struct {
    uint32_t      after;          /* units before the first of them */
    uint32_t      n;
    unsigned      each:28;        /* what their statements do, as in the plan */
    unsigned      writes:1;       /* they may insert */
} ngx_hyperdrive_session_diag_unit_t;


struct ngx_hyperdrive_session_diag_s {
    uint64_t      id;             /* LAST_INSERT_ID() */
    int64_t       count;          /* ROW_COUNT() */
    uint64_t      found;          /* FOUND_ROWS() */
    ngx_uint_t    warnings;       /* conditions that there are */
    u_char        sqlstate[5];    /* of the error among them, if there is one */

    /* the answer to SHOW WARNINGS; malloc */
    u_char       *list;
    size_t        head;           /* bytes: what describes it... */
    size_t        len;            /* ...all of it */

    uint64_t      rows;           /* of the result that is being read */
    ngx_uint_t    asking;         /* answers of our own that are to come */

    ngx_hyperdrive_session_diag_unit_t
                  units[NGX_HYPERDRIVE_SESSION_DIAG_UNITS];
    ngx_uint_t    nunits;
    ngx_uint_t    statement;      /* of the unit that is being answered */

    uint32_t      over;           /* there are more units than that: as many are
                                     to be answered, until they are told apart
                                     again; or 0 */

    unsigned      instead:1;      /* the next one is in place of GET
                                     DIAGNOSTICS */
    unsigned      more:1;         /* the list goes on with what the origin
                                     has */
    unsigned      result:1;       /* its columns have come */
    unsigned      known:1;        /* found is right, or else... */
    unsigned      wanted:1;       /* ...it will be asked for */
    unsigned      seen:1;         /* the origin knows better than <id>... */
    unsigned      again:1;        /* ...also than what was asked for last */
    unsigned      set:1;          /* ...says the same */
    unsigned      unsaved:1;      /* the origin has the conditions, we have
                                     not */
    unsigned      here:1;         /* the last statement there was the
                                     client's... */
    unsigned      there:1;        /* ...FOUND_ROWS() says what he is to be
                                     told */
};


/* the unit may be one for _diag_answer() */
#define ngx_hyperdrive_session_diag_asked(s)                                  \
    ((s)->unit.stmt && (s)->unit.stmt->plan.asks && !(s)->streaming           \
     && (s)->unit.formats.len)

/* ...for _diag_align(): it asks, or may change what somebody here has asked
   for */
#define ngx_hyperdrive_session_diag_matters(s)                                \
    ((s)->unit.stmt                                                           \
     && ((s)->unit.stmt->plan.asks                                            \
         || ((s)->unit.stmt->plan.may_write && (s)->conf->origin->asks)))

/* with no origin, or one that owes nothing: NGX_OK: the unit is answered;
   NGX_AGAIN: it has to wait; NGX_DECLINED: it is not ours to answer */
ngx_int_t ngx_hyperdrive_session_diag_answer(ngx_hyperdrive_session_t *s);
/* GET DIAGNOSTICS: NGX_OK: there is something else in its place now */
ngx_int_t ngx_hyperdrive_session_diag_get_set(ngx_hyperdrive_session_t *s);
/* a unit is about to be forwarded; NGX_ERROR: no memory */
ngx_int_t ngx_hyperdrive_session_diag_align(ngx_hyperdrive_session_t *s);
/* as the functions of ngx_hyperdrive_session_track.c, which call them */
void ngx_hyperdrive_session_diag_run(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_run_t *run);
/* <s> has a diag; NGX_OK: it was the answer to a request of our own */
ngx_int_t ngx_hyperdrive_session_diag_piece(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_piece_t *piece);
/* <s> has a diag, and its idle origin is about to be used for something else;
   NGX_AGAIN: not yet, it is asked first */
ngx_int_t ngx_hyperdrive_session_diag_save(ngx_hyperdrive_session_t *s);
/* the client has got an answer that came from no origin of its own: <rows>, or
   -1: none, just an end */
void ngx_hyperdrive_session_diag_served(ngx_hyperdrive_session_t *s,
    int64_t rows);
/* there are no conditions */
void ngx_hyperdrive_session_diag_clear(ngx_hyperdrive_session_diag_t *d);
/* <s> has a diag, and parts with its origin */
void ngx_hyperdrive_session_diag_end(ngx_hyperdrive_session_t *s);
/* all as after the log-in */
void ngx_hyperdrive_session_diag_free(ngx_hyperdrive_session_t *s);

/* on its way to another process; NULL: malformed, or no memory */
void ngx_hyperdrive_session_diag_pass(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_chain_t *out);
u_char *ngx_hyperdrive_session_diag_take(ngx_hyperdrive_session_t *s,
    u_char *p, u_char *last);


/* ngx_hyperdrive_session_diag_unit.c */

/* a unit is sent behind those that are under way */
void ngx_hyperdrive_session_diag_unit_push(ngx_hyperdrive_session_diag_t *d,
    ngx_hyperdrive_session_diag_unit_t *unit);
/* the first of them has been answered */
void ngx_hyperdrive_session_diag_unit_pop(ngx_hyperdrive_session_diag_t *d);
/* a statement of it has come to an end, or has failed */
void ngx_hyperdrive_session_diag_unit_answered(
    ngx_hyperdrive_session_diag_t *d, ngx_hyperdrive_proto_piece_t *piece);
void ngx_hyperdrive_session_diag_unit_failed(
    ngx_hyperdrive_session_diag_t *d, ngx_hyperdrive_proto_piece_t *piece);


#endif /* _NGX_HYPERDRIVE_SESSION_DIAG_H_INCLUDED_ */
