
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "policy/ngx_hyperdrive_policy.h"


static u_char *ngx_hyperdrive_policy_decision_str(u_char *p, ngx_str_t *str);
static u_char *ngx_hyperdrive_policy_decision_cstr(u_char *p, char **str);


ngx_hyperdrive_policy_decision_t  ngx_hyperdrive_policy_none =
    NGX_HYPERDRIVE_POLICY_NONE;


uint64_t  ngx_hyperdrive_policy_drops;


ngx_hyperdrive_policy_decision_t *
ngx_hyperdrive_policy_decision_copy(ngx_hyperdrive_policy_decision_t *from)
{
    size_t                             len;
    u_char                            *p;
    ngx_uint_t                         i;
    ngx_hyperdrive_policy_decision_t  *d;

    len = from->key.len;

    for (i = 0; i < from->ntables; i++) {
        len += from->tables[i].len;
    }

    for (i = 0; i < from->ntags; i++) {
        len += from->tags[i].len;
    }

    if (from->reject) {
        len += ngx_strlen(from->reject) + ngx_strlen(from->sqlstate) + 2;
    }

    d = malloc(sizeof(ngx_hyperdrive_policy_decision_t) + len + 1);
    if (d == NULL) {
        return NULL;
    }

    *d = *from;

    p = (u_char *) (d + 1);

    p = ngx_hyperdrive_policy_decision_str(p, &d->key);

    for (i = 0; i < d->ntables; i++) {
        p = ngx_hyperdrive_policy_decision_str(p, &d->tables[i]);
    }

    for (i = 0; i < d->ntags; i++) {
        p = ngx_hyperdrive_policy_decision_str(p, &d->tags[i]);
    }

    if (d->reject) {
        p = ngx_hyperdrive_policy_decision_cstr(p, &d->reject);
        (void) ngx_hyperdrive_policy_decision_cstr(p, &d->sqlstate);
    }

    return d;
}


static u_char *
ngx_hyperdrive_policy_decision_str(u_char *p, ngx_str_t *str)
{
    u_char  *from;

    from = str->data;
    str->data = p;

    return str->len ? ngx_cpymem(p, from, str->len) : p;
}


static u_char *
ngx_hyperdrive_policy_decision_cstr(u_char *p, char **str)
{
    char  *from;

    from = *str;
    *str = (char *) p;

    return ngx_cpymem(p, from, ngx_strlen(from) + 1);
}


ngx_int_t
ngx_hyperdrive_policy_decision_sqlstate(ngx_str_t *value)
{
    ngx_uint_t  i;

    if (value->len != 5) {
        return NGX_DECLINED;
    }

    for (i = 0; i < 5; i++) {

        if ((value->data[i] < '0' || value->data[i] > '9')
            && (value->data[i] < 'A' || value->data[i] > 'Z'))
        {
            return NGX_DECLINED;
        }
    }

    /* success, a warning, no data: no errors */

    if (value->data[0] == '0' && value->data[1] >= '0'
        && value->data[1] <= '2')
    {
        return NGX_DECLINED;
    }

    return NGX_OK;
}
