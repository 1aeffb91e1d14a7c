
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_POLICY_H_INCLUDED_
#define _NGX_HYPERDRIVE_POLICY_H_INCLUDED_


#include "ngx_hyperdrive.h"
#include "shm/ngx_hyperdrive_shm.h"
#include "sql/ngx_hyperdrive_sql.h"


/*
 * What the operator has decided about a statement, by rules or in Lua.
 * Whatever is not set is as without a policy.
 */


typedef enum {
    NGX_HYPERDRIVE_POLICY_CACHE_DEFAULT = 0,   /* as the server says */
    NGX_HYPERDRIVE_POLICY_CACHE_OFF,
    NGX_HYPERDRIVE_POLICY_CACHE_ON             /* ...whatever a hint in the
                                                  text says */
} ngx_hyperdrive_policy_cache_e;


typedef enum {
    NGX_HYPERDRIVE_POLICY_ROLE_DEFAULT = 0,
    NGX_HYPERDRIVE_POLICY_ROLE_PRIMARY,
    NGX_HYPERDRIVE_POLICY_ROLE_REPLICA
} ngx_hyperdrive_policy_role_e;


/* of a time */
#define NGX_HYPERDRIVE_POLICY_UNSET      ((ngx_msec_t) -1)

/* names in one decision, of tables and of tags each */
#define NGX_HYPERDRIVE_POLICY_NAMES      16

/* priorities are -MAX to MAX, 0 is the default, greater ones come first */
#define NGX_HYPERDRIVE_POLICY_PRIORITY   NGX_HYPERDRIVE_SHM_PRIORITY


/* an upstream that may be named, found when the configuration is read */

typedef struct {
    ngx_str_t                        name;
    void                            *data;     /* who has handed it down knows:
                                                  its _origin_conf_t */
} ngx_hyperdrive_policy_target_t;


typedef struct {
    ngx_hyperdrive_policy_cache_e    cache;
    ngx_msec_t                       max_age;
    ngx_msec_t                       stale;          /* _while_revalidate */
    ngx_msec_t                       stale_error;    /* stale_if_error */
    ngx_str_t                        key;      /* goes into the key, too */
    ngx_uint_t                       ntables;
    ngx_str_t                        tables[NGX_HYPERDRIVE_POLICY_NAMES];
                                               /* a write to one of them makes
                                                  the answer old, too; folded,
                                                  "name" or "schema.name" */
    ngx_uint_t                       ntags;
    ngx_str_t                        tags[NGX_HYPERDRIVE_POLICY_NAMES];
                                               /* to purge by */

    ngx_hyperdrive_policy_target_t  *upstream; /* NULL: the server's own */
    ngx_hyperdrive_policy_role_e     role;
    ngx_hyperdrive_policy_target_t  *mirror;   /* a copy goes there; or NULL */

    char                            *reject;   /* with these words, or NULL */
    char                            *sqlstate; /* ...and this; five letters */

    ngx_msec_t                       timeout;  /* UNSET, or 0: none */
    ngx_int_t                        priority;
    unsigned                         pin:1;
    unsigned                         params:1; /* the values of parameters are
                                                  to be looked at, each time */
    unsigned                         user:1;   /* who asks was looked at */
    unsigned                         failed:1; /* the policy is in error */

    ngx_msec_t                       keep;     /* how long it holds; UNSET: as
                                                  long as what it was made
                                                  from */
} ngx_hyperdrive_policy_decision_t;


/* nothing is set */
#define NGX_HYPERDRIVE_POLICY_NONE                                            \
    { .max_age = NGX_HYPERDRIVE_POLICY_UNSET,                                 \
      .stale = NGX_HYPERDRIVE_POLICY_UNSET,                                   \
      .stale_error = NGX_HYPERDRIVE_POLICY_UNSET,                             \
      .timeout = NGX_HYPERDRIVE_POLICY_UNSET,                                 \
      .keep = NGX_HYPERDRIVE_POLICY_UNSET }


/* what may be looked at besides the statement, and is told by the session */

typedef enum {
    NGX_HYPERDRIVE_POLICY_USER = 0,
    NGX_HYPERDRIVE_POLICY_DATABASE,
    NGX_HYPERDRIVE_POLICY_APPLICATION,
    NGX_HYPERDRIVE_POLICY_ADDR,
    NGX_HYPERDRIVE_POLICY_TLS,       /* there, or not */
    NGX_HYPERDRIVE_POLICY_SETTING,   /* by its name */
    NGX_HYPERDRIVE_POLICY_VARIABLE,  /* of nginx; by its name */
    NGX_HYPERDRIVE_POLICY_READ_ONLY, /* there, or not */
    NGX_HYPERDRIVE_POLICY_REASON     /* why it may not be cached */
} ngx_hyperdrive_policy_value_e;

/* NGX_OK; NGX_DECLINED: there is none; <value> is valid until the next call */
typedef ngx_int_t (*ngx_hyperdrive_policy_value_pt)(void *data,
    ngx_hyperdrive_policy_value_e what, ngx_str_t *name, ngx_str_t *value);


/* a statement that somebody wants to run */

typedef struct {
    ngx_str_t                        text;     /* empty: nobody has read it */
    uint64_t                         serial;   /* of the text; 0: the same */
    ngx_uint_t                       mode;     /* to read it in: bits of
                                                  ngx_hyperdrive_sql_mode() */
    ngx_str_t                       *upstream;
    ngx_hyperdrive_policy_value_pt   value;
    void                            *data;
    ngx_str_t                       *params;   /* of this execution; data NULL:
                                                  NULL */
    ngx_uint_t                       nparams;
    ngx_hyperdrive_shm_counters_t   *counters;
    ngx_log_t                       *log;
} ngx_hyperdrive_policy_input_t;


/* the policy of a server; its parts are of the configuration's */

typedef struct ngx_hyperdrive_policy_s        ngx_hyperdrive_policy_t;
typedef struct ngx_hyperdrive_policy_lua_s    ngx_hyperdrive_policy_lua_t;
typedef struct ngx_hyperdrive_policy_chunk_s  ngx_hyperdrive_policy_chunk_t;

/*
 * <rules> of ngx_hyperdrive_policy_rule_t, <chunk> and <params> may be NULL.
 * NULL: no memory.
 */
ngx_hyperdrive_policy_t *ngx_hyperdrive_policy_create(ngx_pool_t *pool,
    ngx_array_t *rules, ngx_hyperdrive_policy_chunk_t *chunk,
    ngx_hyperdrive_policy_chunk_t *params);

/*
 * What it says of a statement; never NULL.  What holds longer than the event
 * handler is kept, and found again by the statement and all that was looked
 * at: then *kept is set, and the decision is valid until the handler returns.
 * Else it is the caller's, to be freed by free().  <tag> and <last> are the
 * statement's own, to find it faster.
 */
ngx_hyperdrive_policy_decision_t *ngx_hyperdrive_policy_decide(
    ngx_hyperdrive_policy_t *policy, ngx_hyperdrive_policy_input_t *in,
    uint64_t *tag, void **last, ngx_uint_t *kept);

/*
 * What the policy for parameters says of one execution, over what was decided
 * for the statement.  NULL: the same; else to be freed by free().
 */
ngx_hyperdrive_policy_decision_t *ngx_hyperdrive_policy_decide_params(
    ngx_hyperdrive_policy_t *policy, ngx_hyperdrive_policy_input_t *in,
    ngx_hyperdrive_policy_decision_t *base);

/* in one block, to be freed by free(); NULL: no memory */
ngx_hyperdrive_policy_decision_t *ngx_hyperdrive_policy_decision_copy(
    ngx_hyperdrive_policy_decision_t *from);

/* NGX_DECLINED: it is none of an error */
ngx_int_t ngx_hyperdrive_policy_decision_sqlstate(ngx_str_t *value);

/*
 * Raised whenever decisions that were kept do not hold any more, of whatever
 * policy: what was found before may be gone when the event handler returns.
 */
extern uint64_t  ngx_hyperdrive_policy_drops;

/* nothing is set */
extern ngx_hyperdrive_policy_decision_t  ngx_hyperdrive_policy_none;


#endif /* _NGX_HYPERDRIVE_POLICY_H_INCLUDED_ */
