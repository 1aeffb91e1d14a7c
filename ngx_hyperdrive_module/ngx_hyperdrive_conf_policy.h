
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_CONF_POLICY_H_INCLUDED_
#define _NGX_HYPERDRIVE_CONF_POLICY_H_INCLUDED_


#include "ngx_hyperdrive_conf.h"
#include "policy/ngx_hyperdrive_policy_lua.h"
#include "policy/ngx_hyperdrive_policy_rule.h"


/* hyperdrive_policy_limits, where it is not written */
#define NGX_HYPERDRIVE_CONF_POLICY_INSTRUCTIONS  100000
#define NGX_HYPERDRIVE_CONF_POLICY_MEMORY        (4 * 1024 * 1024)

/* a block of Lua may have, bytes */
#define NGX_HYPERDRIVE_CONF_POLICY_CODE  (1024 * 1024)


/*
 * The text of a block in Lua, from behind its brace to the one that ends it,
 * which nginx's own words cannot be cut from.  NGX_ERROR: it is logged.
 */
ngx_int_t ngx_hyperdrive_conf_policy_block(ngx_conf_t *cf, ngx_str_t *code);


#endif /* _NGX_HYPERDRIVE_CONF_POLICY_H_INCLUDED_ */
