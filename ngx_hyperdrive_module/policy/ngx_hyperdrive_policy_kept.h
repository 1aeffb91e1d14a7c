
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_POLICY_KEPT_H_INCLUDED_
#define _NGX_HYPERDRIVE_POLICY_KEPT_H_INCLUDED_


#include "policy/ngx_hyperdrive_policy_look.h"


/*
 * Decisions that have been made, by statement and by all values that were
 * looked at.  A policy looks at the same things first until their values
 * differ, so the decisions of a statement are the leaves of a tree: each of
 * its nodes says what is looked at next, and each value leads to another one.
 */


typedef struct ngx_hyperdrive_policy_node_s  ngx_hyperdrive_policy_node_t;

struct ngx_hyperdrive_policy_node_s {
    ngx_hyperdrive_policy_node_t      *next;       /* other values; or those
                                                      that are dropped */
    ngx_str_t                          value;      /* leads here; data NULL:
                                                      there is none */
    /* a leaf */
    ngx_hyperdrive_policy_decision_t  *decision;
    ngx_msec_t                         made;

    /* or not */
    ngx_hyperdrive_policy_value_e      what;
    ngx_str_t                          name;
    ngx_hyperdrive_policy_node_t      *children;
};


typedef struct ngx_hyperdrive_policy_stmt_s  ngx_hyperdrive_policy_stmt_t;

struct ngx_hyperdrive_policy_stmt_s {
    ngx_hyperdrive_policy_stmt_t      *next;
    uint64_t                           serial;
    ngx_uint_t                         leaves;
    ngx_hyperdrive_policy_node_t      *root;       /* NULL: nothing yet */
};


typedef struct {
    uint64_t                           id;         /* tells it from all others,
                                                      before it and after */
    ngx_hyperdrive_policy_stmt_t     **buckets;
    ngx_uint_t                         n;

    /* dropped, and perhaps in use until the event handler returns */
    ngx_hyperdrive_policy_node_t      *dropped;
    ngx_msec_t                         dropped_at;
} ngx_hyperdrive_policy_kept_t;


/* of <serial>, made if there is none; NULL: no memory */
ngx_hyperdrive_policy_stmt_t *ngx_hyperdrive_policy_kept_stmt(
    ngx_hyperdrive_policy_kept_t *kept, uint64_t serial);

/* NULL: it has to be decided */
ngx_hyperdrive_policy_decision_t *ngx_hyperdrive_policy_kept_find(
    ngx_hyperdrive_policy_stmt_t *stmt, ngx_hyperdrive_policy_input_t *in);

/* takes <decision> over, or not: NGX_DECLINED */
ngx_int_t ngx_hyperdrive_policy_kept_add(ngx_hyperdrive_policy_kept_t *kept,
    ngx_hyperdrive_policy_stmt_t *stmt, ngx_hyperdrive_policy_look_t *look,
    ngx_hyperdrive_policy_decision_t *decision);

void ngx_hyperdrive_policy_kept_free(ngx_hyperdrive_policy_kept_t *kept);


#endif /* _NGX_HYPERDRIVE_POLICY_KEPT_H_INCLUDED_ */
