
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_STATE_SETTINGS_H_INCLUDED_
#define _NGX_HYPERDRIVE_STATE_SETTINGS_H_INCLUDED_


#include "ngx_hyperdrive.h"


/*
 * Two things: buckets, which say what a session of the database is set to, and
 * what one client has set, with its transaction and its savepoints.
 *
 * A bucket holds the settings that differ from what a connection has after its
 * log-in, sorted by name.  It never changes, and within a worker equal ones
 * are one: two of them are compared by their addresses.  NULL is the empty
 * bucket.  It doubles as its own serialized form, for keys and for other
 * workers.
 */


#define NGX_HYPERDRIVE_STATE_SETTINGS_MAX    64      /* of one client */
#define NGX_HYPERDRIVE_STATE_SETTINGS_SIZE   4096    /* bytes of them */
#define NGX_HYPERDRIVE_STATE_SAVEPOINTS      128


typedef struct ngx_hyperdrive_state_bucket_s  ngx_hyperdrive_state_bucket_t;

struct ngx_hyperdrive_state_bucket_s {
    ngx_hyperdrive_state_bucket_t    *next;        /* in the hash chain */
    uint64_t                          hash;
    ngx_uint_t                        refs;
    ngx_uint_t                        n;           /* settings in it */
    ngx_uint_t                        unsure;      /* ...of which the value is
                                                      not known */
    ngx_uint_t                        expires;     /* a connection set so ends
                                                      by itself while idle */
    size_t                            len;
    u_char                            data[];      /* name NUL kind value NUL */
};


/* one setting of a bucket; strings end with a NUL */

typedef struct {
    ngx_str_t                         name;        /* lower case */
    ngx_str_t                         value;
    unsigned                          unsure:1;    /* nobody knows its value */
} ngx_hyperdrive_state_setting_t;


/*
 * Walks through a bucket: *p is its data to begin with.  NGX_OK or, behind
 * the last, NGX_DONE.
 */
ngx_int_t ngx_hyperdrive_state_bucket_next(
    ngx_hyperdrive_state_bucket_t *bucket, u_char **p,
    ngx_hyperdrive_state_setting_t *setting);
/* NGX_OK or NGX_DECLINED */
ngx_int_t ngx_hyperdrive_state_bucket_find(
    ngx_hyperdrive_state_bucket_t *bucket, ngx_str_t *name,
    ngx_hyperdrive_state_setting_t *setting);

ngx_hyperdrive_state_bucket_t *ngx_hyperdrive_state_bucket_ref(
    ngx_hyperdrive_state_bucket_t *bucket);
void ngx_hyperdrive_state_bucket_unref(ngx_hyperdrive_state_bucket_t *bucket);

/*
 * These make a new bucket in *bucket, of which a reference is held there; the
 * former one's is dropped.  NGX_ERROR: no memory, or a bound: it stays as it
 * was.
 */

/* a setting has a value now; <value> NULL: nobody knows which */
ngx_int_t ngx_hyperdrive_state_bucket_set(
    ngx_hyperdrive_state_bucket_t **bucket, ngx_str_t *name, ngx_str_t *value);
/* it is back to what it was after the log-in */
ngx_int_t ngx_hyperdrive_state_bucket_reset(
    ngx_hyperdrive_state_bucket_t **bucket, ngx_str_t *name);
/* *bucket or <other>: what they do not agree on is not known */
ngx_int_t ngx_hyperdrive_state_bucket_merge(
    ngx_hyperdrive_state_bucket_t **bucket,
    ngx_hyperdrive_state_bucket_t *other);
/* from the serialized form, of another worker */
ngx_int_t ngx_hyperdrive_state_bucket_import(
    ngx_hyperdrive_state_bucket_t **bucket, u_char *data, size_t len);


/* what a statement does to settings, or to the transaction */

typedef enum {
    NGX_HYPERDRIVE_STATE_SET = 0,
    NGX_HYPERDRIVE_STATE_SET_LOCAL,
    NGX_HYPERDRIVE_STATE_RESET,
    NGX_HYPERDRIVE_STATE_RESET_LOCAL,    /* SET LOCAL ... TO DEFAULT */
    NGX_HYPERDRIVE_STATE_RESET_ALL,
    NGX_HYPERDRIVE_STATE_DISCARD_ALL,
    NGX_HYPERDRIVE_STATE_BEGIN,
    NGX_HYPERDRIVE_STATE_COMMIT,
    NGX_HYPERDRIVE_STATE_ROLLBACK,
    NGX_HYPERDRIVE_STATE_SAVEPOINT,
    NGX_HYPERDRIVE_STATE_RELEASE,
    NGX_HYPERDRIVE_STATE_ROLLBACK_TO,
    NGX_HYPERDRIVE_STATE_OTHER           /* neither */
} ngx_hyperdrive_state_change_e;


typedef struct ngx_hyperdrive_state_savepoint_s
    ngx_hyperdrive_state_savepoint_t;


/* a client's; all zero to begin with */

typedef struct {
    ngx_hyperdrive_state_bucket_t    *base;        /* start-up parameters */
    ngx_hyperdrive_state_bucket_t    *committed;
    ngx_hyperdrive_state_bucket_t    *now;         /* ...with what the open
                                                      transaction has set... */
    ngx_hyperdrive_state_bucket_t    *local;       /* ...and with SET LOCAL:
                                                      only these, over <now> */
    ngx_hyperdrive_state_savepoint_t *savepoints;  /* the last first */
    ngx_uint_t                        nsavepoints;

    ngx_hyperdrive_state_bucket_t    *torn;        /* what the connection has
                                                      another value of than
                                                      <now>, see _tear() */
} ngx_hyperdrive_state_settings_t;


/*
 * The statement has succeeded.  In a transaction, or in an implicit one that
 * is not over yet.  NGX_ERROR: a bound or no memory: what the client has set
 * is not known any more.
 */
ngx_int_t ngx_hyperdrive_state_settings_change(
    ngx_hyperdrive_state_settings_t *s, ngx_hyperdrive_state_change_e change,
    ngx_str_t *name, ngx_str_t *value);
/*
 * What <change> takes back to start-up parameters, which the connection does
 * not know of: in *back, with a reference.  NGX_ERROR as above.
 */
ngx_int_t ngx_hyperdrive_state_settings_back(
    ngx_hyperdrive_state_settings_t *s, ngx_hyperdrive_state_change_e change,
    ngx_str_t *name, ngx_hyperdrive_state_bucket_t **back);
/* ...and nobody has told it of <back>, until it is set again */
ngx_int_t ngx_hyperdrive_state_settings_tear(
    ngx_hyperdrive_state_settings_t *s, ngx_hyperdrive_state_bucket_t *back);
/* the transaction has ended */
void ngx_hyperdrive_state_settings_end(ngx_hyperdrive_state_settings_t *s,
    ngx_uint_t commit);
/* is there anything that a ROLLBACK TO or a ROLLBACK would take back? */
#define ngx_hyperdrive_state_settings_dirty(s)                                \
    ((s)->now != (s)->committed || (s)->local || (s)->savepoints)
/* what a statement would find; NGX_DECLINED: the connection's default */
ngx_int_t ngx_hyperdrive_state_settings_find(
    ngx_hyperdrive_state_settings_t *s, ngx_str_t *name, ngx_str_t *value);
void ngx_hyperdrive_state_settings_free(ngx_hyperdrive_state_settings_t *s);


#endif /* _NGX_HYPERDRIVE_STATE_SETTINGS_H_INCLUDED_ */
