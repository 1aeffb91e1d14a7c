
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "ngx_hyperdrive_conf_policy.h"


static char *ngx_hyperdrive_conf_policy_compile(ngx_conf_t *cf,
    ngx_command_t *cmd, ngx_str_t *file, ngx_uint_t line, ngx_str_t *code,
    ngx_hyperdrive_policy_chunk_t **chunk);
static ngx_hyperdrive_policy_lua_t *ngx_hyperdrive_conf_policy_lua(
    ngx_conf_t *cf);
static ngx_int_t ngx_hyperdrive_conf_policy_read(ngx_conf_t *cf,
    ngx_str_t *file, ngx_str_t *code);
static ngx_hyperdrive_policy_target_t *ngx_hyperdrive_conf_policy_target(
    void *data, ngx_str_t *name);
static ngx_int_t ngx_hyperdrive_conf_policy_rules(ngx_conf_t *cf,
    ngx_hyperdrive_main_conf_t *hmcf, ngx_array_t *rules,
    ngx_hyperdrive_policy_chunk_t *params);


/* hyperdrive_policy_by_lua_block { ... }, hyperdrive_params_by_lua_block */

char *
ngx_hyperdrive_conf_policy_lua_block(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_str_t                       code;
    ngx_uint_t                      line;
    ngx_hyperdrive_policy_chunk_t  **chunk;

    chunk = (ngx_hyperdrive_policy_chunk_t **) ((u_char *) conf + cmd->offset);

    if (*chunk) {
        return "is duplicate";
    }

    line = cf->conf_file->line;

    if (ngx_hyperdrive_conf_policy_block(cf, &code) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    return ngx_hyperdrive_conf_policy_compile(cf, cmd,
                                              &cf->conf_file->file.name, line,
                                              &code, chunk);
}


/* hyperdrive_policy_by_lua_file FILE; */

char *
ngx_hyperdrive_conf_policy_lua_file(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_str_t                       *value, file, code;
    ngx_hyperdrive_policy_chunk_t  **chunk;

    chunk = (ngx_hyperdrive_policy_chunk_t **) ((u_char *) conf + cmd->offset);

    if (*chunk) {
        return "is duplicate: there is a block in Lua beside it, or a file";
    }

    value = cf->args->elts;
    file = value[1];

    if (ngx_conf_full_name(cf->cycle, &file, 1) != NGX_OK
        || ngx_hyperdrive_conf_policy_read(cf, &file, &code) != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    return ngx_hyperdrive_conf_policy_compile(cf, cmd, &file, 1, &code, chunk);
}


static char *
ngx_hyperdrive_conf_policy_compile(ngx_conf_t *cf, ngx_command_t *cmd,
    ngx_str_t *file, ngx_uint_t line, ngx_str_t *code,
    ngx_hyperdrive_policy_chunk_t **chunk)
{
    ngx_hyperdrive_policy_lua_t  *lua;

    lua = ngx_hyperdrive_conf_policy_lua(cf);

    if (lua == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "Lua cannot be started: memory is short, or this "
                           "LuaJIT was built without GC64");
        return NGX_CONF_ERROR;
    }

    *chunk = ngx_hyperdrive_policy_lua_compile(lua, cf->pool, file, line,
                                               code);

    if (*chunk == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid Lua in \"%V\": %s", &cmd->name,
                           lua->error[0] ? lua->error
                                         : (u_char *) "memory is short");
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* the machine of this configuration, made by the first who needs it */

static ngx_hyperdrive_policy_lua_t *
ngx_hyperdrive_conf_policy_lua(ngx_conf_t *cf)
{
    ngx_hyperdrive_main_conf_t   *hmcf;
    ngx_hyperdrive_policy_lua_t  *lua;

    hmcf = ngx_stream_conf_get_module_main_conf(cf,
                                                ngx_stream_hyperdrive_module);

    if (hmcf->lua == NULL) {
        lua = ngx_hyperdrive_policy_lua_create(cf->pool);

        if (lua) {
            lua->target = ngx_hyperdrive_conf_policy_target;
            lua->data = hmcf;
        }

        hmcf->lua = lua;
    }

    return hmcf->lua;
}


static ngx_int_t
ngx_hyperdrive_conf_policy_read(ngx_conf_t *cf, ngx_str_t *file,
    ngx_str_t *code)
{
    size_t           size;
    ssize_t          n;
    ngx_file_t       f;
    ngx_file_info_t  info;

    ngx_memzero(&f, sizeof(ngx_file_t));

    f.name = *file;
    f.log = cf->log;
    f.fd = ngx_open_file(file->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (f.fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", file);
        return NGX_ERROR;
    }

    n = NGX_ERROR;
    size = 0;

    if (ngx_fd_info(f.fd, &info) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_fd_info_n " \"%V\" failed", file);

    } else if (ngx_file_size(&info) > NGX_HYPERDRIVE_CONF_POLICY_CODE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"%V\" is longer than %d bytes", file,
                           NGX_HYPERDRIVE_CONF_POLICY_CODE);

    } else {
        size = (size_t) ngx_file_size(&info);
        code->len = size;
        code->data = ngx_pnalloc(cf->temp_pool, size + 1);

        if (code->data) {
            n = ngx_read_file(&f, code->data, size, 0);
        }
    }

    (void) ngx_close_file(f.fd);

    return (n >= 0 && (size_t) n == size) ? NGX_OK : NGX_ERROR;
}


/* hyperdrive_policy_limits [instructions=NUMBER] [memory=SIZE]; */

char *
ngx_hyperdrive_conf_policy_limits(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_hyperdrive_main_conf_t *hmcf = conf;

    off_t        size;
    ngx_str_t   *value, s;
    ngx_int_t    n;
    ngx_uint_t   i;

    if (hmcf->lua_limits.memory) {
        return "is duplicate";
    }

    hmcf->lua_limits.instructions = NGX_HYPERDRIVE_CONF_POLICY_INSTRUCTIONS;
    hmcf->lua_limits.memory = NGX_HYPERDRIVE_CONF_POLICY_MEMORY;

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_hyperdrive_conf_once(cf, i) != NGX_OK) {
            return NGX_CONF_ERROR;
        }

        if (ngx_hyperdrive_conf_param(&value[i], "instructions", &s) == NGX_OK)
        {
            n = ngx_atoi(s.data, s.len);

            if (n < 1000 || n > 100000000) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "invalid \"%V\" of "
                                   "\"hyperdrive_policy_limits\": write a "
                                   "number from 1000 to 100000000, as in "
                                   "instructions=100000", &value[i]);
                return NGX_CONF_ERROR;
            }

            hmcf->lua_limits.instructions = n;

        } else if (ngx_hyperdrive_conf_param(&value[i], "memory", &s)
                   == NGX_OK)
        {
            size = ngx_parse_offset(&s);

            if (size < 65536 || size > 1024 * 1024 * 1024) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "invalid \"%V\" of "
                                   "\"hyperdrive_policy_limits\": write a "
                                   "size from 64k to 1g, as in memory=4m",
                                   &value[i]);
                return NGX_CONF_ERROR;
            }

            hmcf->lua_limits.memory = size;

        } else {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\" of "
                               "\"hyperdrive_policy_limits\": known are "
                               "instructions=NUMBER and memory=SIZE",
                               &value[i]);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


/* hyperdrive_policy_dict SIZE; */

char *
ngx_hyperdrive_conf_policy_dict(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf)
{
    ngx_hyperdrive_main_conf_t *hmcf = conf;

    off_t       size;
    ngx_str_t  *value;

    if (hmcf->dict) {
        return "is duplicate";
    }

    value = cf->args->elts;
    size = ngx_parse_offset(&value[1]);

    if (size < NGX_HYPERDRIVE_POLICY_DICT_MIN || size > 1024 * 1024 * 1024) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid size \"%V\" of "
                           "\"hyperdrive_policy_dict\": write for instance "
                           "1m, from 32k to 1g", &value[1]);
        return NGX_CONF_ERROR;
    }

    hmcf->dict = ngx_hyperdrive_policy_dict_zone(cf, size,
                                                &ngx_stream_hyperdrive_module);

    return hmcf->dict ? NGX_CONF_OK : NGX_CONF_ERROR;
}


char *
ngx_hyperdrive_conf_policy_merge(ngx_conf_t *cf,
    ngx_hyperdrive_srv_conf_t *conf, ngx_hyperdrive_srv_conf_t *prev)
{
    if (conf->rules == NULL) {
        conf->rules = prev->rules;
    }

    if (conf->policy == NULL) {
        conf->policy = prev->policy;
    }

    if (conf->params == NULL) {
        conf->params = prev->params;
    }

    if (conf->pass.data == NULL || (conf->rules == NULL
                                    && conf->policy == NULL))
    {
        return NGX_CONF_OK;
    }

    conf->session.policy = ngx_hyperdrive_policy_create(cf->pool, conf->rules,
                                                        conf->policy,
                                                        conf->params);

    return conf->session.policy ? NGX_CONF_OK : NGX_CONF_ERROR;
}


/* all upstreams are known: names become what they stand for */

ngx_int_t
ngx_hyperdrive_conf_policy_init(ngx_conf_t *cf,
    ngx_hyperdrive_main_conf_t *hmcf)
{
    ngx_uint_t                        i, n;
    ngx_hyperdrive_srv_conf_t        *hscf;
    ngx_hyperdrive_origin_conf_t    **origins;
    ngx_stream_core_srv_conf_t      **cscfp;
    ngx_stream_core_main_conf_t      *cmcf;

    origins = hmcf->origins.elts;
    n = hmcf->origins.nelts;

    hmcf->targets = ngx_pcalloc(cf->pool, (n + 1)
                                    * sizeof(ngx_hyperdrive_policy_target_t));
    if (hmcf->targets == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < n; i++) {
        hmcf->targets[i].name = origins[i]->name;
        hmcf->targets[i].data = origins[i];
    }

    if (hmcf->lua) {
        hmcf->lua->dict = hmcf->dict;
        hmcf->lua->limits = hmcf->lua_limits;

        if (hmcf->lua->limits.memory == 0) {
            hmcf->lua->limits.instructions
                                     = NGX_HYPERDRIVE_CONF_POLICY_INSTRUCTIONS;
            hmcf->lua->limits.memory = NGX_HYPERDRIVE_CONF_POLICY_MEMORY;
        }
    }

    cmcf = ngx_stream_conf_get_module_main_conf(cf, ngx_stream_core_module);

    cscfp = cmcf->servers.elts;

    for (i = 0; i < cmcf->servers.nelts; i++) {
        hscf = cscfp[i]->ctx->srv_conf[ngx_stream_hyperdrive_module.ctx_index];

        if (hscf->session.policy && hscf->rules
            && ngx_hyperdrive_conf_policy_rules(cf, hmcf, hscf->rules,
                                                hscf->params)
               != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_conf_policy_rules(ngx_conf_t *cf,
    ngx_hyperdrive_main_conf_t *hmcf, ngx_array_t *rules,
    ngx_hyperdrive_policy_chunk_t *params)
{
    ngx_str_t                     *missing;
    ngx_uint_t                     i;
    ngx_hyperdrive_policy_rule_t  *rule;

    rule = rules->elts;

    for (i = 0; i < rules->nelts; i++) {
        missing = NULL;

        if (rule[i].decision.params && params == NULL) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "no \"hyperdrive_params_by_lua_block\" for "
                          "\"params\" of \"hyperdrive_rule\" in %s:%ui: "
                          "write it beside the rule", rule[i].file,
                          rule[i].line);
            return NGX_ERROR;
        }

        if (rule[i].upstream.len) {
            rule[i].decision.upstream
                = ngx_hyperdrive_conf_policy_target(hmcf, &rule[i].upstream);

            if (rule[i].decision.upstream == NULL) {
                missing = &rule[i].upstream;
            }
        }

        if (rule[i].mirror.len) {
            rule[i].decision.mirror
                = ngx_hyperdrive_conf_policy_target(hmcf, &rule[i].mirror);

            if (rule[i].decision.mirror == NULL) {
                missing = &rule[i].mirror;
            }
        }

        if (missing) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "no upstream \"%V\" with a \"hyperdrive_origin\" "
                          "for \"hyperdrive_rule\" in %s:%ui: write upstream "
                          "%V { hyperdrive_origin "
                          "postgres://USER@HOST/DATABASE; }", missing,
                          rule[i].file, rule[i].line, missing);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


static ngx_hyperdrive_policy_target_t *
ngx_hyperdrive_conf_policy_target(void *data, ngx_str_t *name)
{
    ngx_hyperdrive_main_conf_t *hmcf = data;

    ngx_uint_t  i;

    for (i = 0; i < hmcf->origins.nelts; i++) {

        if (hmcf->targets[i].name.len == name->len
            && ngx_strncasecmp(hmcf->targets[i].name.data, name->data,
                               name->len)
               == 0)
        {
            return &hmcf->targets[i];
        }
    }

    return NULL;
}
