
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "ngx_hyperdrive_variables.h"
#include "ngx_hyperdrive_conf.h"


static ngx_int_t ngx_hyperdrive_variables_string(ngx_stream_session_t *stream,
    ngx_stream_variable_value_t *v, uintptr_t data);
static ngx_int_t ngx_hyperdrive_variables_number(ngx_stream_session_t *stream,
    ngx_stream_variable_value_t *v, uintptr_t data);


enum {
    sv_user = 0,
    sv_database,
    sv_upstream
};


static ngx_stream_variable_t  ngx_hyperdrive_variables[] = {

    { ngx_string("hyperdrive_user"), NULL,
      ngx_hyperdrive_variables_string, sv_user,
      NGX_STREAM_VAR_NOCACHEABLE, 0 },

    { ngx_string("hyperdrive_database"), NULL,
      ngx_hyperdrive_variables_string, sv_database,
      NGX_STREAM_VAR_NOCACHEABLE, 0 },

    { ngx_string("hyperdrive_upstream"), NULL,
      ngx_hyperdrive_variables_string, sv_upstream,
      NGX_STREAM_VAR_NOCACHEABLE, 0 },

    { ngx_string("hyperdrive_queries"), NULL,
      ngx_hyperdrive_variables_number,
      offsetof(ngx_hyperdrive_session_totals_t, queries),
      NGX_STREAM_VAR_NOCACHEABLE, 0 },

    { ngx_string("hyperdrive_hits"), NULL,
      ngx_hyperdrive_variables_number,
      offsetof(ngx_hyperdrive_session_totals_t, hits),
      NGX_STREAM_VAR_NOCACHEABLE, 0 },

    { ngx_string("hyperdrive_misses"), NULL,
      ngx_hyperdrive_variables_number,
      offsetof(ngx_hyperdrive_session_totals_t, misses),
      NGX_STREAM_VAR_NOCACHEABLE, 0 },

    { ngx_string("hyperdrive_errors"), NULL,
      ngx_hyperdrive_variables_number,
      offsetof(ngx_hyperdrive_session_totals_t, errors),
      NGX_STREAM_VAR_NOCACHEABLE, 0 },

    { ngx_string("hyperdrive_waited"), NULL,
      ngx_hyperdrive_variables_number,
      offsetof(ngx_hyperdrive_session_totals_t, waited),
      NGX_STREAM_VAR_NOCACHEABLE, 0 },

      ngx_stream_null_variable
};


ngx_int_t
ngx_hyperdrive_variables_add(ngx_conf_t *cf)
{
    ngx_uint_t              i;
    ngx_stream_variable_t  *var, *v;

    static ngx_stream_variable_t  *tables[] = {
        ngx_hyperdrive_variables,
        ngx_hyperdrive_variables_query
    };

    for (i = 0; i < sizeof(tables) / sizeof(tables[0]); i++) {

        for (v = tables[i]; v->name.len; v++) {

            var = ngx_stream_add_variable(cf, &v->name, v->flags);
            if (var == NULL) {
                return NGX_ERROR;
            }

            var->get_handler = v->get_handler;
            var->data = v->data;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_variables_string(ngx_stream_session_t *stream,
    ngx_stream_variable_value_t *v, uintptr_t data)
{
    ngx_str_t                 *value;
    ngx_hyperdrive_session_t  *s;

    s = ngx_stream_get_module_ctx(stream, ngx_stream_hyperdrive_module);

    if (s == NULL || s->pool == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    switch (data) {

    case sv_user:
        value = &s->user;
        break;

    case sv_database:
        value = &ngx_hyperdrive_session_own_pool(s)->database;
        break;

    default: /* sv_upstream */
        value = &s->conf->origin->name;
        break;
    }

    v->len = value->len;
    v->data = value->data;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_variables_number(ngx_stream_session_t *stream,
    ngx_stream_variable_value_t *v, uintptr_t data)
{
    u_char                    *p;
    uint64_t                   n;
    ngx_hyperdrive_session_t  *s;

    s = ngx_stream_get_module_ctx(stream, ngx_stream_hyperdrive_module);

    if (s == NULL) {
        v->not_found = 1;
        return NGX_OK;
    }

    p = ngx_pnalloc(stream->connection->pool, NGX_INT64_LEN);
    if (p == NULL) {
        return NGX_ERROR;
    }

    n = *(uint64_t *) ((u_char *) &s->total + data);

    v->len = ngx_sprintf(p, "%uL", n) - p;
    v->data = p;
    v->valid = 1;
    v->no_cacheable = 0;
    v->not_found = 0;

    return NGX_OK;
}
