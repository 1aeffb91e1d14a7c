
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_POLICY_DICT_H_INCLUDED_
#define _NGX_HYPERDRIVE_POLICY_DICT_H_INCLUDED_


#include "ngx_hyperdrive.h"


/*
 * Small values that the policies of all workers share: strings and numbers,
 * for a time.  An entry has its place by its key: where all places are taken,
 * the one that was written least lately goes.
 */


/* the smallest size of its zone */
#define NGX_HYPERDRIVE_POLICY_DICT_MIN   (32 * 1024)

/* of a key and its value together, bytes */
#define NGX_HYPERDRIVE_POLICY_DICT_DATA  216


typedef struct {
    unsigned                         number:1;
    double                           n;
    ngx_str_t                        text;
} ngx_hyperdrive_policy_dict_value_t;


/* declares the zone, "hyperdrive:dict" */
ngx_shm_zone_t *ngx_hyperdrive_policy_dict_zone(ngx_conf_t *cf, size_t size,
    void *tag);

/*
 * Lays it out in <mem>, page aligned zeroes; NGX_ERROR: too small.
 */
ngx_int_t ngx_hyperdrive_policy_dict_init(void *mem, size_t size);

/*
 * NGX_OK; NGX_DECLINED: it is not there.  A text is copied into <buf>, of
 * NGX_HYPERDRIVE_POLICY_DICT_DATA bytes.
 */
ngx_int_t ngx_hyperdrive_policy_dict_get(void *dict, ngx_str_t *key,
    u_char *buf, ngx_hyperdrive_policy_dict_value_t *value);

/*
 * For <ttl> milliseconds, or for ever: 0.  NULL: it is taken out.
 * NGX_DECLINED: key and value are too long.
 */
ngx_int_t ngx_hyperdrive_policy_dict_set(void *dict, ngx_str_t *key,
    ngx_hyperdrive_policy_dict_value_t *value, ngx_msec_t ttl);

/*
 * Adds to a number, and says what it is then.  One that is not there, or is
 * none, is 0, and gets the <ttl>, which is not moved later.
 */
ngx_int_t ngx_hyperdrive_policy_dict_incr(void *dict, ngx_str_t *key,
    double by, ngx_msec_t ttl, double *n);


#endif /* _NGX_HYPERDRIVE_POLICY_DICT_H_INCLUDED_ */
