
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_POLICY_RULE_H_INCLUDED_
#define _NGX_HYPERDRIVE_POLICY_RULE_H_INCLUDED_


#include "policy/ngx_hyperdrive_policy_look.h"


/* what a rule may ask for */

typedef enum {
    NGX_HYPERDRIVE_POLICY_RULE_TEXT = 0,     /* by a regular expression */
    NGX_HYPERDRIVE_POLICY_RULE_KIND,
    NGX_HYPERDRIVE_POLICY_RULE_TABLE,        /* read or written */
    NGX_HYPERDRIVE_POLICY_RULE_WRITES,       /* a table that is written */
    NGX_HYPERDRIVE_POLICY_RULE_FUNCTION,
    NGX_HYPERDRIVE_POLICY_RULE_DIGEST,
    NGX_HYPERDRIVE_POLICY_RULE_TAG,          /* name and value */
    NGX_HYPERDRIVE_POLICY_RULE_VALUE,        /* of who asks: <what> */
    NGX_HYPERDRIVE_POLICY_RULE_FLAG,         /* ...is there, or is not */
    NGX_HYPERDRIVE_POLICY_RULE_ADDR          /* in one of the networks */
} ngx_hyperdrive_policy_test_e;


typedef struct {
    ngx_hyperdrive_policy_test_e      test;
    ngx_hyperdrive_policy_value_e     what;
    ngx_regex_t                      *regex;
    ngx_str_t                         name;
    ngx_str_t                         value;
    ngx_array_t                       networks;  /* of ngx_cidr_t */
    unsigned                          on:1;
} ngx_hyperdrive_policy_test_t;


/* all of its tests have to hold */

typedef struct {
    ngx_array_t                       tests;     /* of _policy_test_t; what the
                                                    text tells comes first */
    ngx_hyperdrive_policy_decision_t  decision;
    ngx_str_t                         upstream;  /* names, until they are
                                                    found */
    ngx_str_t                         mirror;
    u_char                           *file;
    ngx_uint_t                        line;
} ngx_hyperdrive_policy_rule_t;


/* NGX_OK: it is this one's; NGX_DECLINED: it is not */
ngx_int_t ngx_hyperdrive_policy_rule(ngx_hyperdrive_policy_rule_t *rule,
    ngx_hyperdrive_policy_look_t *look);


#endif /* _NGX_HYPERDRIVE_POLICY_RULE_H_INCLUDED_ */
