
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_POLICY_H_INCLUDED_
#define _NGX_HYPERDRIVE_POLICY_H_INCLUDED_


#include "ngx_hyperdrive.h"


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
#define NGX_HYPERDRIVE_POLICY_PRIORITY   10


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


#endif /* _NGX_HYPERDRIVE_POLICY_H_INCLUDED_ */
