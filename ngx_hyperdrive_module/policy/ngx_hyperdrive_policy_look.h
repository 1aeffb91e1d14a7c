
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_POLICY_LOOK_H_INCLUDED_
#define _NGX_HYPERDRIVE_POLICY_LOOK_H_INCLUDED_


#include "policy/ngx_hyperdrive_policy.h"
#include "sql/ngx_hyperdrive_sql_tags.h"


/*
 * How rules and Lua look at a statement and its client: each value that may be
 * another one when the statement comes again is noted, in order.
 */


/* values that one decision may depend on; with more it is not kept */
#define NGX_HYPERDRIVE_POLICY_SEEN       32
/* ...and their bytes, with names */
#define NGX_HYPERDRIVE_POLICY_SEEN_SIZE  4096


typedef struct {
    ngx_hyperdrive_policy_value_e    what;
    ngx_str_t                        name;     /* or empty */
    ngx_str_t                        value;    /* data NULL: there is none */
} ngx_hyperdrive_policy_seen_t;


typedef struct {
    ngx_hyperdrive_policy_input_t   *in;
    ngx_hyperdrive_sql_mode_t        mode;
    ngx_hyperdrive_sql_facts_t      *facts;    /* NULL: nobody has asked */
    ngx_uint_t                       nseen;
    ngx_hyperdrive_policy_seen_t     seen[NGX_HYPERDRIVE_POLICY_SEEN];
    u_char                          *free;     /* of <buf> */
    unsigned                         moving:1; /* the time, or what is shared,
                                                  was looked at */
    unsigned                         unkept:1; /* too much to be noted */
    u_char                           buf[NGX_HYPERDRIVE_POLICY_SEEN_SIZE];
} ngx_hyperdrive_policy_look_t;


void ngx_hyperdrive_policy_look_start(ngx_hyperdrive_policy_look_t *look,
    ngx_hyperdrive_policy_input_t *in);

/* NGX_OK; NGX_DECLINED: there is none.  <name> may be empty */
ngx_int_t ngx_hyperdrive_policy_look(ngx_hyperdrive_policy_look_t *look,
    ngx_hyperdrive_policy_value_e what, ngx_str_t *name, ngx_str_t *value);

/*
 * What the text alone says; valid until the next call, facts until a _start().
 * Functions are all that are called, of which facts have some only.
 */
ngx_hyperdrive_sql_facts_t *ngx_hyperdrive_policy_look_facts(
    ngx_hyperdrive_policy_look_t *look);
ngx_str_t *ngx_hyperdrive_policy_look_functions(
    ngx_hyperdrive_policy_look_t *look, ngx_uint_t *n);
ngx_hyperdrive_sql_tag_t *ngx_hyperdrive_policy_look_tags(
    ngx_hyperdrive_policy_look_t *look, ngx_uint_t *n);


#endif /* _NGX_HYPERDRIVE_POLICY_LOOK_H_INCLUDED_ */
