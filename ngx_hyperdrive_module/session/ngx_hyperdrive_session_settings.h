
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_SESSION_SETTINGS_H_INCLUDED_
#define _NGX_HYPERDRIVE_SESSION_SETTINGS_H_INCLUDED_


#include "ngx_hyperdrive.h"
#include "ngx_hyperdrive_proto.h"
#include "origin/ngx_hyperdrive_origin.h"
#include "state/ngx_hyperdrive_state_settings.h"


/*
 * What a client has set, on connections that it shares: each of them is put
 * into the client's bucket before it gets a unit, and what the unit changes is
 * followed.  A client that never sets anything has none of this.
 */


/* the tag of our requests, see origin_own() */
#define NGX_HYPERDRIVE_SESSION_TAG_SETTINGS  1


typedef struct ngx_hyperdrive_session_settings_s
    ngx_hyperdrive_session_settings_t;


/* an error of the database */

typedef struct {
    u_char                             sqlstate[6];
    u_char                             message[256];
} ngx_hyperdrive_session_said_t;


/* a change that was sent, and is not answered */

typedef struct {
    ngx_hyperdrive_state_change_e      change;
    ngx_uint_t                         after;      /* units before its own */
    ngx_uint_t                         statement;  /* of its unit */
    ngx_str_t                          name;       /* behind the struct */
    ngx_str_t                          value;
    ngx_hyperdrive_state_bucket_t     *back;       /* the start-up parameters
                                                      that it goes back to... */
    unsigned                           sent:1;     /* ...which the connection is
                                                      told behind it... */
    unsigned                           apart:1;    /* ...whatever becomes of
                                                      it */
} ngx_hyperdrive_session_change_t;


struct ngx_hyperdrive_session_settings_s {
    ngx_hyperdrive_state_settings_t    state;
    ngx_hyperdrive_state_bucket_t     *before;     /* of the connection, when
                                                      it was aligned */

    ngx_hyperdrive_session_change_t  **changes;    /* in order */
    ngx_uint_t                         nchanges;
    ngx_uint_t                         unit;       /* outstanding when...  */
    ngx_uint_t                         statements; /* ...so many that count
                                                      were sent of a unit */
    ngx_uint_t                         completed;  /* of those of the unit that
                                                      is being answered */
    ngx_uint_t                         attempts;   /* connections that could
                                                      not be aligned */

    ngx_hyperdrive_state_bucket_t     *parted;     /* told behind a DISCARD ALL
                                                      in the open transaction,
                                                      which that is not of */

    unsigned                           stays:1;    /* MySQL: what is set stays
                                                      when its transaction is
                                                      rolled back */
    unsigned                           aligned:1;  /* what was sent ahead may be
                                                      rolled back with the
                                                      transaction */
    unsigned                           unsure:1;   /* ...or has been */
    unsigned                           inside:1;   /* ...which goes on: a unit
                                                      of it was answered... */
    unsigned                           ends:1;     /* ...until one that was
                                                      sent may end it */
    unsigned                           firm:1;     /* a COMMIT of it was sent */
    unsigned                           ended:1;    /* the unit that is sent has
                                                      ended a block otherwise */
    unsigned                           asked:1;    /* it was sent alone: the
                                                      unit waits */
    unsigned                           failed:1;   /* ...and it has failed */
    unsigned                           error:1;    /* in the unit that is being
                                                      answered */
    unsigned                           rolled:1;   /* it said ROLLBACK */
    unsigned                           discarded:1; /* ...DISCARD ALL */
    unsigned                           missed:1;   /* what was sent behind it
                                                      has failed */
    unsigned                           barrier:1;  /* how texts are read is
                                                      about to change, or what
                                                      is set has to be mended */
    unsigned                           dead:1;     /* the block that is open has
                                                      failed */

    ngx_hyperdrive_session_said_t     *said;       /* why, or NULL */
    ngx_str_t                          schema;     /* MySQL: the origin has told
                                                      that it is in this one...;
                                                      malloc */
    unsigned                           lost:1;     /* ...before an error */
};


/* ngx_hyperdrive_session_settings.c */

/*
 * Start-up parameters become the client's settings.  Those that are none, or
 * cannot be set later, are left in <params>: returns how many.
 */
ngx_uint_t ngx_hyperdrive_session_settings_start(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_param_t *params, ngx_uint_t n);
/* made if there are none; NULL: no memory */
ngx_hyperdrive_session_settings_t *ngx_hyperdrive_session_settings_get(
    ngx_hyperdrive_session_t *s);
/* the bucket that a connection has to be in; NULL: none needed */
ngx_hyperdrive_state_bucket_t *ngx_hyperdrive_session_settings_bucket(
    ngx_hyperdrive_session_t *s);

/* a unit was refused by the database before it was sent: NGX_OK, <err> */
ngx_int_t ngx_hyperdrive_session_settings_refused(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_error_t *err);

/* as the functions of ngx_hyperdrive_session_track.c, which call them */
/* NGX_DECLINED: nobody can tell what it sets */
ngx_int_t ngx_hyperdrive_session_settings_run(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_run_t *run);
/* nothing of the settings depends on an answer */
#define ngx_hyperdrive_session_settings_quiet(settings)                       \
    ((settings) == NULL                                                       \
     || ((settings)->nchanges == 0 && !(settings)->aligned                    \
         && !(settings)->asked && (settings)->state.torn == NULL              \
         && (settings)->parted == NULL                                        \
         && !ngx_hyperdrive_state_settings_dirty(&(settings)->state)))
/* <s> has settings that are not quiet */
void ngx_hyperdrive_session_settings_piece(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_piece_t *piece);
void ngx_hyperdrive_session_settings_end(ngx_hyperdrive_session_t *s);
void ngx_hyperdrive_session_settings_free(ngx_hyperdrive_session_t *s);

/* forgets the first <n> changes */
void ngx_hyperdrive_session_settings_drop(
    ngx_hyperdrive_session_settings_t *settings, ngx_uint_t n);
/*
 * Nobody knows what the session's connection is set to: before anybody else
 * gets it, all of it is reset.
 */
void ngx_hyperdrive_session_settings_unknown(ngx_hyperdrive_session_t *s);


/* ngx_hyperdrive_session_settings_back.c */

/* nothing goes behind <run> yet */
void ngx_hyperdrive_session_settings_back_begin(
    ngx_hyperdrive_proto_run_t *run);
/*
 * The <statement> of it that ends at <at> in its text makes <change>: does
 * that go back to start-up parameters, and can the connection be told behind
 * it?  NGX_ERROR: a bound, or no memory.
 */
ngx_int_t ngx_hyperdrive_session_settings_back(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_run_t *run, ngx_hyperdrive_session_change_t *change,
    ngx_uint_t statement, size_t at);
/* may <run> end the block with which the client's settings have come, with
   something behind that end? */
ngx_uint_t ngx_hyperdrive_session_settings_back_ends(
    ngx_hyperdrive_session_t *s, ngx_hyperdrive_proto_run_t *run);
/* ...then they are set anew behind it; NGX_ERROR: they cannot be */
ngx_int_t ngx_hyperdrive_session_settings_back_again(
    ngx_hyperdrive_session_t *s, ngx_hyperdrive_proto_run_t *run,
    ngx_hyperdrive_session_change_t *change, ngx_uint_t statement, size_t at);
/* ...within a block, ahead of the unit that is about to be forwarded: what
   was torn is set; NGX_ERROR: no memory */
ngx_int_t ngx_hyperdrive_session_settings_back_mend(
    ngx_hyperdrive_session_t *s);
/* an error has come that may concern it */
void ngx_hyperdrive_session_settings_back_failed(ngx_hyperdrive_session_t *s);
/* ...which has parted it from what was sent behind it */
ngx_uint_t ngx_hyperdrive_session_settings_back_parted(
    ngx_hyperdrive_session_settings_t *settings,
    ngx_hyperdrive_session_change_t *change);


/* ngx_hyperdrive_session_settings_align.c */

/*
 * A unit is about to be forwarded.  NGX_OK: the connection is as it should be,
 * or what it takes is in its output; NGX_BUSY: the unit has to wait;
 * NGX_DECLINED: another connection could be; NGX_ERROR: no memory.
 */
ngx_int_t ngx_hyperdrive_session_settings_align(ngx_hyperdrive_session_t *s);
/*
 * ngx_hyperdrive_session_settings_role.c.  NGX_OK: the unit says which role it
 * wants, and *other, a reference, is what the connection has to be in instead;
 * NGX_DECLINED: it does not.
 */
ngx_int_t ngx_hyperdrive_session_settings_role(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_state_bucket_t **other);
/*
 * Nothing is owed by the origin.  NGX_OK: go on; NGX_AGAIN: it stays with the
 * session, whose unit waits for it; NGX_DECLINED: it has been given back;
 * NGX_DONE: <s> is gone.
 */
ngx_int_t ngx_hyperdrive_session_settings_settled(ngx_hyperdrive_session_t *s);


/* ngx_hyperdrive_session_settings_discard.c */

/* all that is set has gone, but for the schema: so it has at the connection, if
   there is one */
void ngx_hyperdrive_session_settings_discard(ngx_hyperdrive_session_t *s);
/* MySQL, outside of a transaction: the database has told what is set on the
   connection, or there is none; <value> NULL: nothing; NGX_ERROR: a bound, or
   no memory */
ngx_int_t ngx_hyperdrive_session_settings_learn(ngx_hyperdrive_session_t *s,
    ngx_str_t *name, ngx_str_t *value);
/* MySQL: the schema that the connection is in, as the database has told, and
   when the unit has been answered: by whatever means it was chosen */
void ngx_hyperdrive_session_settings_told(ngx_hyperdrive_session_t *s,
    ngx_str_t *schema);
void ngx_hyperdrive_session_settings_follow(ngx_hyperdrive_session_t *s);
/* what the client's texts are read by may be set otherwise */
void ngx_hyperdrive_session_settings_mode(ngx_hyperdrive_session_t *s);


/* ngx_hyperdrive_session_settings_key.c */

/* changes are under way, or a transaction has made some: what holds now may
   not hold for what is sent next */
ngx_uint_t ngx_hyperdrive_session_settings_moving(ngx_hyperdrive_session_t *s);
/* for keys of the cache: all that may change an answer, MySQL's variables of
   the user's own among them or not; may be empty */
ngx_str_t *ngx_hyperdrive_session_settings_key(ngx_hyperdrive_session_t *s,
    ngx_uint_t variables);
/* NGX_OK; NGX_DECLINED: as the log-in has it */
ngx_int_t ngx_hyperdrive_session_search_path(ngx_hyperdrive_session_t *s,
    ngx_str_t *value);
/* MySQL: every statement begins a transaction (autocommit = 0) */
ngx_uint_t ngx_hyperdrive_session_settings_implicit(
    ngx_hyperdrive_session_t *s);
/* MySQL: the schema of USE; NGX_DECLINED: that of the log-in */
ngx_int_t ngx_hyperdrive_session_schema(ngx_hyperdrive_session_t *s,
    ngx_str_t *value);
ngx_int_t ngx_hyperdrive_session_role(ngx_hyperdrive_session_t *s,
    ngx_str_t *value);


/* ngx_hyperdrive_session_align_mysql.c */

#define NGX_HYPERDRIVE_SESSION_ALIGN_MYSQL  3

/*
 * The texts that take <o> to <bucket>, at most three, in <buf>; an empty one
 * is a reset of the connection, and the first.  <alone>: they cannot go with
 * any unit; <sure>: it is one that does not fail.  Returns how many there are;
 * NGX_ERROR; NGX_BUSY: <o> cannot be taken there.
 */
ngx_int_t ngx_hyperdrive_session_align_mysql(ngx_hyperdrive_origin_t *o,
    ngx_hyperdrive_state_bucket_t *bucket, u_char *buf, size_t size,
    ngx_str_t *texts, ngx_uint_t *alone, ngx_uint_t *sure);


/* ngx_hyperdrive_session_align.c */

/* how the difference between two buckets has to be sent */

typedef struct {
    unsigned                           alone:1;    /* not with the unit */
    unsigned                           loose:1;    /* MySQL: if it fails, the
                                                      unit behind it runs all
                                                      the same */
    unsigned                           sure:1;     /* ...but it does not */
    unsigned                           any:1;      /* there is one */
    unsigned                           stuck:1;    /* MySQL: it cannot be sent,
                                                      but to another
                                                      connection */
    unsigned                           snapshot:1; /* not with the beginning of
                                                      a block */
} ngx_hyperdrive_session_align_t;

/* what it would take to put the connection into the bucket */
void ngx_hyperdrive_session_align_look(ngx_hyperdrive_origin_t *o,
    ngx_hyperdrive_state_bucket_t *bucket,
    ngx_hyperdrive_session_align_t *align);
/*
 * Sends it.  NGX_OK; NGX_DECLINED: there is nothing to send; NGX_ERROR: no
 * memory, or it cannot be said.
 */
ngx_int_t ngx_hyperdrive_session_align_send(ngx_hyperdrive_origin_t *o,
    ngx_hyperdrive_state_bucket_t *bucket, ngx_uint_t alone);


/* ...for requests of our own, which share its fate */
ngx_int_t ngx_hyperdrive_session_align_ask(ngx_hyperdrive_origin_t *o,
    ngx_hyperdrive_state_bucket_t *bucket);


/*
 * The statements that set <back>, of which all has just been reset; they are
 * valid until the next call of these functions.  Returns how many there are,
 * or NGX_ERROR.
 */
ngx_int_t ngx_hyperdrive_session_align_back(
    ngx_hyperdrive_state_bucket_t *back, ngx_uint_t local, ngx_str_t **texts);
/* ...those that set <o>, as it was when it was taken, to <bucket> */
ngx_int_t ngx_hyperdrive_session_align_again(ngx_hyperdrive_origin_t *o,
    ngx_hyperdrive_state_bucket_t *bucket, ngx_str_t **texts);


/* ngx_hyperdrive_session_options.c */

/*
 * Reads the start-up parameter <options>: -c name=value and --name=value.
 * NGX_OK: all of it is in *bucket; NGX_DECLINED: there is something else.
 */
ngx_int_t ngx_hyperdrive_session_options(ngx_str_t *options,
    ngx_hyperdrive_state_bucket_t **bucket);


#endif /* _NGX_HYPERDRIVE_SESSION_SETTINGS_H_INCLUDED_ */
