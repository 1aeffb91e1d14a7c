
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "state/ngx_hyperdrive_state_pin.h"


static ngx_str_t  ngx_hyperdrive_state_pin_names[NGX_HYPERDRIVE_STATE_PINS] = {
    ngx_string("listen"),
    ngx_string("advisory_lock"),
    ngx_string("temporary"),
    ngx_string("cursor"),
    ngx_string("prepared"),
    ngx_string("setting"),
    ngx_string("library"),
    ngx_string("setseed"),
    ngx_string("sequence"),
    ngx_string("function"),
    ngx_string("do"),
    ngx_string("unread"),
    ngx_string("user_variable"),
    ngx_string("lock_tables"),
    ngx_string("xa"),
    ngx_string("replication"),
    ngx_string("policy")
};


ngx_str_t *
ngx_hyperdrive_state_pin_name(ngx_uint_t n)
{
    return &ngx_hyperdrive_state_pin_names[n];
}
