
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "ngx_hyperdrive_conf.h"
#include "ngx_hyperdrive_variables.h"
#include "cache/ngx_hyperdrive_cache_position.h"
#include "session/ngx_hyperdrive_session_catalog.h"
#include "session/ngx_hyperdrive_session_position.h"
#include "sql/ngx_hyperdrive_sql.h"
#include "peer/ngx_hyperdrive_peer.h"
#include "admin/ngx_hyperdrive_admin_status.h"


/* statement texts that a worker remembers, bytes */
#define NGX_STREAM_HYPERDRIVE_TEXTS      (32 * 1024 * 1024)


static ngx_hyperdrive_session_conf_t *ngx_stream_hyperdrive_session_conf(
    ngx_stream_session_t *s);
static ngx_int_t ngx_stream_hyperdrive_preconfiguration(ngx_conf_t *cf);
static ngx_int_t ngx_stream_hyperdrive_postconfiguration(ngx_conf_t *cf);
static void *ngx_stream_hyperdrive_create_main_conf(ngx_conf_t *cf);
static void *ngx_stream_hyperdrive_create_srv_conf(ngx_conf_t *cf);
static char *ngx_stream_hyperdrive_merge_srv_conf(ngx_conf_t *cf, void *parent,
    void *child);
static char *ngx_stream_hyperdrive_merge_pass(ngx_conf_t *cf,
    ngx_hyperdrive_srv_conf_t *conf);
static ngx_array_t *ngx_stream_hyperdrive_names(ngx_conf_t *cf,
    ngx_hyperdrive_main_conf_t *hmcf);
static ngx_hyperdrive_origin_conf_t *ngx_stream_hyperdrive_upstream(
    ngx_conf_t *cf, ngx_str_t *name);
static ngx_hyperdrive_main_conf_t *ngx_stream_hyperdrive_main_conf(
    ngx_cycle_t *cycle);
static ngx_int_t ngx_stream_hyperdrive_init_module(ngx_cycle_t *cycle);
static ngx_int_t ngx_stream_hyperdrive_init_process(ngx_cycle_t *cycle);
static ngx_uint_t ngx_stream_hyperdrive_there(void *data, ngx_uint_t n);
static ngx_int_t ngx_stream_hyperdrive_init_view(ngx_cycle_t *cycle,
    ngx_hyperdrive_main_conf_t *hmcf);
static void ngx_stream_hyperdrive_exit_process(ngx_cycle_t *cycle);


static ngx_command_t  ngx_stream_hyperdrive_commands[] = {

    { ngx_string("hyperdrive_cache_zone"),
      NGX_STREAM_MAIN_CONF|NGX_CONF_TAKE2,
      ngx_hyperdrive_conf_cache_zone,
      NGX_STREAM_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("hyperdrive_drain"),
      NGX_STREAM_MAIN_CONF|NGX_CONF_TAKE12,
      ngx_hyperdrive_conf_drain,
      NGX_STREAM_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("hyperdrive_origin"),
      NGX_STREAM_UPS_CONF|NGX_CONF_1MORE,
      ngx_hyperdrive_conf_origin,
      NGX_STREAM_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("hyperdrive_pool"),
      NGX_STREAM_UPS_CONF|NGX_CONF_1MORE,
      ngx_hyperdrive_conf_pool,
      NGX_STREAM_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("hyperdrive_validate"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_UPS_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_hyperdrive_srv_conf_t, validate),
      NULL },

    { ngx_string("hyperdrive_catalog"),
      NGX_STREAM_UPS_CONF|NGX_CONF_TAKE1,
      ngx_hyperdrive_conf_catalog,
      NGX_STREAM_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("hyperdrive_function"),
      NGX_STREAM_UPS_CONF|NGX_CONF_2MORE,
      ngx_hyperdrive_conf_function,
      NGX_STREAM_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("hyperdrive_pass"),
      NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_hyperdrive_conf_pass,
      NGX_STREAM_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("hyperdrive_users"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_1MORE,
      ngx_hyperdrive_conf_users,
      NGX_STREAM_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("hyperdrive_cache"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_1MORE,
      ngx_hyperdrive_conf_cache,
      NGX_STREAM_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("hyperdrive_cache_hints"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_hyperdrive_srv_conf_t, hints),
      NULL },

    { ngx_string("hyperdrive_query_log"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_1MORE,
      ngx_hyperdrive_conf_query_log,
      NGX_STREAM_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("hyperdrive_channel_binding"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_hyperdrive_srv_conf_t, channel_binding),
      NULL },

    { ngx_string("hyperdrive_auth_query"),
      NGX_STREAM_UPS_CONF|NGX_CONF_1MORE,
      ngx_hyperdrive_conf_auth_query,
      NGX_STREAM_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("hyperdrive_session_settings"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_1MORE,
      ngx_hyperdrive_conf_settings,
      NGX_STREAM_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("hyperdrive_session_state"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_1MORE,
      ngx_hyperdrive_conf_state,
      NGX_STREAM_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("hyperdrive_read_write_split"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_1MORE,
      ngx_hyperdrive_conf_split,
      NGX_STREAM_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("hyperdrive_timeout"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_1MORE,
      ngx_hyperdrive_conf_timeout,
      NGX_STREAM_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("hyperdrive_replication"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_FLAG,
      ngx_conf_set_flag_slot,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_hyperdrive_srv_conf_t, replication),
      NULL },

    { ngx_string("hyperdrive_rule"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_1MORE,
      ngx_hyperdrive_conf_rule,
      NGX_STREAM_SRV_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("hyperdrive_policy_by_lua_block"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_BLOCK|NGX_CONF_NOARGS,
      ngx_hyperdrive_conf_policy_lua_block,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_hyperdrive_srv_conf_t, policy),
      NULL },

    { ngx_string("hyperdrive_policy_by_lua_file"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_TAKE1,
      ngx_hyperdrive_conf_policy_lua_file,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_hyperdrive_srv_conf_t, policy),
      NULL },

    { ngx_string("hyperdrive_params_by_lua_block"),
      NGX_STREAM_MAIN_CONF|NGX_STREAM_SRV_CONF|NGX_CONF_BLOCK|NGX_CONF_NOARGS,
      ngx_hyperdrive_conf_policy_lua_block,
      NGX_STREAM_SRV_CONF_OFFSET,
      offsetof(ngx_hyperdrive_srv_conf_t, params),
      NULL },

    { ngx_string("hyperdrive_policy_limits"),
      NGX_STREAM_MAIN_CONF|NGX_CONF_1MORE,
      ngx_hyperdrive_conf_policy_limits,
      NGX_STREAM_MAIN_CONF_OFFSET,
      0,
      NULL },

    { ngx_string("hyperdrive_policy_dict"),
      NGX_STREAM_MAIN_CONF|NGX_CONF_TAKE1,
      ngx_hyperdrive_conf_policy_dict,
      NGX_STREAM_MAIN_CONF_OFFSET,
      0,
      NULL },

      ngx_null_command
};


static ngx_stream_module_t  ngx_stream_hyperdrive_module_ctx = {
    ngx_stream_hyperdrive_preconfiguration,   /* preconfiguration */
    ngx_stream_hyperdrive_postconfiguration,  /* postconfiguration */

    ngx_stream_hyperdrive_create_main_conf,   /* create main configuration */
    ngx_hyperdrive_conf_drain_init,           /* init main configuration */

    ngx_stream_hyperdrive_create_srv_conf,    /* create server configuration */
    ngx_stream_hyperdrive_merge_srv_conf      /* merge server configuration */
};


ngx_module_t  ngx_stream_hyperdrive_module = {
    NGX_MODULE_V1,
    &ngx_stream_hyperdrive_module_ctx,        /* module context */
    ngx_stream_hyperdrive_commands,           /* module directives */
    NGX_STREAM_MODULE,                        /* module type */
    NULL,                                     /* init master */
    ngx_stream_hyperdrive_init_module,        /* init module */
    ngx_stream_hyperdrive_init_process,       /* init process */
    NULL,                                     /* init thread */
    NULL,                                     /* exit thread */
    ngx_stream_hyperdrive_exit_process,       /* exit process */
    NULL,                                     /* exit master */
    NGX_MODULE_V1_PADDING
};


void
ngx_stream_hyperdrive_handler(ngx_stream_session_t *s)
{
    ngx_hyperdrive_srv_conf_t  *hscf;

    hscf = ngx_stream_get_module_srv_conf(s, ngx_stream_hyperdrive_module);

    ngx_hyperdrive_session_init(s, &hscf->session);
}


static ngx_hyperdrive_session_conf_t *
ngx_stream_hyperdrive_session_conf(ngx_stream_session_t *s)
{
    ngx_hyperdrive_srv_conf_t    *hscf;
    ngx_stream_core_srv_conf_t   *cscf;

    cscf = ngx_stream_get_module_srv_conf(s, ngx_stream_core_module);

    if (cscf->handler != ngx_stream_hyperdrive_handler) {
        return NULL;
    }

    hscf = ngx_stream_get_module_srv_conf(s, ngx_stream_hyperdrive_module);

    return &hscf->session;
}


static ngx_int_t
ngx_stream_hyperdrive_preconfiguration(ngx_conf_t *cf)
{
    ngx_stream_conf_ctx_t       *ctx;
    ngx_hyperdrive_main_conf_t  *hmcf;

    hmcf = ngx_stream_conf_get_module_main_conf(cf,
                                                ngx_stream_hyperdrive_module);

    /* the merge of a server cannot get at the stream block's own any more */

    ctx = cf->ctx;
    hmcf->srv_conf = ctx->srv_conf;

    ngx_hyperdrive_session_module = &ngx_stream_hyperdrive_module;
    ngx_hyperdrive_session_conf = ngx_stream_hyperdrive_session_conf;

    return ngx_hyperdrive_variables_add(cf);
}


static void *
ngx_stream_hyperdrive_create_main_conf(ngx_conf_t *cf)
{
    ngx_hyperdrive_main_conf_t  *hmcf;

    hmcf = ngx_pcalloc(cf->pool, sizeof(ngx_hyperdrive_main_conf_t));
    if (hmcf == NULL) {
        return NULL;
    }

    hmcf->drain.rate = NGX_CONF_UNSET_UINT;
    hmcf->drain.deadline = NGX_CONF_UNSET_MSEC;

    if (ngx_array_init(&hmcf->origins, cf->pool, 4,
                       sizeof(ngx_hyperdrive_origin_conf_t *))
        != NGX_OK
        || ngx_array_init(&hmcf->zones, cf->pool, 4,
                          sizeof(ngx_hyperdrive_conf_zone_t))
           != NGX_OK
        || ngx_array_init(&hmcf->users, cf->pool, 4,
                          sizeof(ngx_hyperdrive_conf_file_t))
           != NGX_OK
        || ngx_array_init(&hmcf->log_files, cf->pool, 4,
                          sizeof(ngx_open_file_t *))
           != NGX_OK)
    {
        return NULL;
    }

    return hmcf;
}


static void *
ngx_stream_hyperdrive_create_srv_conf(ngx_conf_t *cf)
{
    ngx_hyperdrive_srv_conf_t  *conf;

    conf = ngx_pcalloc(cf->pool, sizeof(ngx_hyperdrive_srv_conf_t));
    if (conf == NULL) {
        return NULL;
    }

    /*
     * set by ngx_pcalloc():
     *
     *     conf->upstream = NULL;
     *     conf->pass = { 0, NULL };
     *     conf->cache = { 0, NULL };
     *     conf->users = { 0 };
     *     conf->rules = NULL;
     *     conf->policy = NULL;
     *     conf->params = NULL;
     *     conf->session = { 0 };
     */

    conf->validate = NGX_CONF_UNSET;
    conf->logs = NGX_CONF_UNSET_PTR;
    conf->max_age = NGX_CONF_UNSET_MSEC;
    conf->allow_stable = NGX_CONF_UNSET;
    conf->stale = NGX_CONF_UNSET_MSEC;
    conf->stale_error = NGX_CONF_UNSET_MSEC;
    conf->coalesce = NGX_CONF_UNSET_MSEC;
    conf->verify = NGX_CONF_UNSET_UINT;
    conf->max_size = NGX_CONF_UNSET_SIZE;
    conf->hints = NGX_CONF_UNSET;
    conf->in_transaction = NGX_CONF_UNSET;
    conf->settings_transaction = NGX_CONF_UNSET;
    conf->state_reject = NGX_CONF_UNSET;
    conf->unread_pin = NGX_CONF_UNSET;
    conf->pins = NGX_CONF_UNSET_UINT;
    conf->channel_binding = NGX_CONF_UNSET;
    conf->replication = NGX_CONF_UNSET;

    ngx_hyperdrive_conf_timeout_init(conf);
    ngx_hyperdrive_conf_split_init(conf);

    return conf;
}


static char *
ngx_stream_hyperdrive_merge_srv_conf(ngx_conf_t *cf, void *parent, void *child)
{
    ngx_hyperdrive_srv_conf_t *prev = parent;
    ngx_hyperdrive_srv_conf_t *conf = child;

    if (conf->cache.data == NULL) {
        conf->cache = prev->cache;
    }

    if (!conf->users.set) {
        conf->users = prev->users;
    }

    ngx_conf_merge_ptr_value(conf->logs, prev->logs, NULL);
    ngx_conf_merge_msec_value(conf->max_age, prev->max_age, 60000);
    ngx_conf_merge_value(conf->allow_stable, prev->allow_stable, 0);
    ngx_conf_merge_msec_value(conf->stale, prev->stale, 0);
    ngx_conf_merge_msec_value(conf->stale_error, prev->stale_error, 0);
    ngx_conf_merge_msec_value(conf->coalesce, prev->coalesce, 5000);
    ngx_conf_merge_uint_value(conf->verify, prev->verify, 0);
    ngx_conf_merge_size_value(conf->max_size, prev->max_size, 1048576);
    ngx_conf_merge_value(conf->hints, prev->hints, 1);
    ngx_conf_merge_value(conf->in_transaction, prev->in_transaction, 0);
    ngx_conf_merge_value(conf->settings_transaction,
                         prev->settings_transaction, 0);
    ngx_conf_merge_value(conf->state_reject, prev->state_reject, 0);
    ngx_conf_merge_value(conf->unread_pin, prev->unread_pin, 1);
    ngx_conf_merge_uint_value(conf->pins, prev->pins, 0);
    ngx_conf_merge_value(conf->channel_binding, prev->channel_binding, 1);
    ngx_conf_merge_value(conf->replication, prev->replication, 1);

    ngx_hyperdrive_conf_timeout_merge(conf, prev);
    ngx_hyperdrive_conf_split_merge(conf, prev);

    if (ngx_hyperdrive_conf_policy_merge(cf, conf, prev) != NGX_CONF_OK) {
        return NGX_CONF_ERROR;
    }

    if (conf->pass.data == NULL) {
        return NGX_CONF_OK;
    }

    return ngx_stream_hyperdrive_merge_pass(cf, conf);
}


/* a server with hyperdrive_pass */

static char *
ngx_stream_hyperdrive_merge_pass(ngx_conf_t *cf,
    ngx_hyperdrive_srv_conf_t *conf)
{
    ngx_uint_t                   i;
    ngx_hyperdrive_conf_zone_t  *zone;
    ngx_hyperdrive_main_conf_t  *hmcf;

    hmcf = ngx_stream_conf_get_module_main_conf(cf,
                                                ngx_stream_hyperdrive_module);

    if (!conf->users.set) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "no \"hyperdrive_users\" for \"hyperdrive_pass\" in "
                      "%s:%ui: write hyperdrive_users FILE, or off for no "
                      "password", conf->file, conf->line);
        return NGX_CONF_ERROR;
    }

    conf->session.users = conf->users.file;
    conf->session.trust = conf->users.trust;
    conf->session.query = conf->users.query;
    conf->session.cert = conf->users.cert;
    conf->session.logs = conf->logs;
    conf->session.max_age = conf->max_age;
    conf->session.allow_stable = conf->allow_stable;
    conf->session.stale = conf->stale;
    conf->session.stale_error = conf->stale_error;
    conf->session.coalesce = conf->coalesce;
    conf->session.verify = conf->verify;
    conf->session.max_size = conf->max_size;
    conf->session.hints = conf->hints;
    conf->session.in_transaction = conf->in_transaction;
    conf->session.settings_transaction = conf->settings_transaction;
    conf->session.state_reject = conf->state_reject;
    conf->session.unread_pin = conf->unread_pin;
    conf->session.pins = conf->pins;
    conf->session.tls_bound = conf->channel_binding;
    conf->session.replication = conf->replication;
    conf->session.timeout = conf->timeout;

    if (conf->cache.len) {
        zone = hmcf->zones.elts;

        for (i = 0; i < hmcf->zones.nelts; i++) {

            if (zone[i].name.len == conf->cache.len
                && ngx_strncmp(zone[i].name.data, conf->cache.data,
                               conf->cache.len)
                   == 0)
            {
                conf->session.cache_zone = zone[i].zone;
                break;
            }
        }

        if (conf->session.cache_zone == NULL) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "no zone \"%V\" for \"hyperdrive_cache\" of the "
                          "server in %s:%ui: write hyperdrive_cache_zone %V "
                          "64m; above it", &conf->cache, conf->file,
                          conf->line, &conf->cache);
            return NGX_CONF_ERROR;
        }
    }

    return ngx_hyperdrive_conf_tls(cf, conf);
}


static ngx_int_t
ngx_stream_hyperdrive_postconfiguration(ngx_conf_t *cf)
{
    ngx_uint_t                        i, tracked;
    ngx_array_t                      *names;
    ngx_hyperdrive_srv_conf_t        *hscf;
    ngx_hyperdrive_main_conf_t       *hmcf;
    ngx_stream_core_srv_conf_t      **cscfp;
    ngx_stream_core_main_conf_t      *cmcf;
    ngx_hyperdrive_origin_conf_t    **origins;

    hmcf = ngx_stream_conf_get_module_main_conf(cf,
                                                ngx_stream_hyperdrive_module);
    cmcf = ngx_stream_conf_get_module_main_conf(cf, ngx_stream_core_module);

    cscfp = cmcf->servers.elts;

    for (i = 0; i < cmcf->servers.nelts; i++) {

        hscf = cscfp[i]->ctx->srv_conf[ngx_stream_hyperdrive_module.ctx_index];

        if (hscf->pass.data == NULL) {
            continue;
        }

        hscf->session.origin = ngx_stream_hyperdrive_upstream(cf, &hscf->pass);

        if (hscf->session.origin == NULL) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "no upstream \"%V\" with a \"hyperdrive_origin\" "
                          "for \"hyperdrive_pass\" in %s:%ui: write "
                          "upstream %V { hyperdrive_origin "
                          "postgres://USER@HOST/DATABASE; }", &hscf->pass,
                          hscf->file, hscf->line, &hscf->pass);
            return NGX_ERROR;
        }

        if (ngx_hyperdrive_conf_check_pass(cf, cscfp[i], hscf) != NGX_CONF_OK
            || ngx_hyperdrive_conf_check_users(cf, hscf) != NGX_CONF_OK)
        {
            return NGX_ERROR;
        }
    }

    origins = hmcf->origins.elts;
    tracked = (hmcf->zones.nelts != 0);

    for (i = 0; i < hmcf->origins.nelts; i++) {

        if (ngx_hyperdrive_conf_check_origin(cf, origins[i]) != NGX_CONF_OK) {
            return NGX_ERROR;
        }

        if (ngx_hyperdrive_conf_check_resolve(cf, hmcf, origins[i])
            != NGX_CONF_OK)
        {
            return NGX_ERROR;
        }

        if (ngx_hyperdrive_conf_ident(cf, origins[i]) != NGX_OK) {
            return NGX_ERROR;
        }

        ngx_conf_init_msec_value(origins[i]->catalog_refresh, 60000);

        if (ngx_hyperdrive_conf_replica_check(cf, origins[i]) != NGX_CONF_OK) {
            return NGX_ERROR;
        }

        tracked |= (origins[i]->balancer || origins[i]->moves);
    }

    if (ngx_hyperdrive_conf_policy_init(cf, hmcf) != NGX_OK
        || ngx_hyperdrive_conf_validate(cf, hmcf) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (hmcf->origins.nelts || hmcf->zones.nelts) {

        if (ngx_process == NGX_PROCESS_SINGLE
            && !ngx_is_init_cycle(cf->cycle->old_cycle))
        {
            /* no worker begins with it, so nobody would serve its clients */

            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "hyperdrive: a process without a master cannot "
                          "reload: restart it, or write master_process on");
            return NGX_ERROR;
        }

        names = ngx_stream_hyperdrive_names(cf, hmcf);
        if (names == NULL) {
            return NGX_ERROR;
        }

        hmcf->runtime = ngx_hyperdrive_shm_zone(cf, names,
                                                &ngx_stream_hyperdrive_module);
        if (hmcf->runtime == NULL) {
            return NGX_ERROR;
        }

        hmcf->flights = ngx_hyperdrive_cache_flight_zone(cf,
                                                &ngx_stream_hyperdrive_module);
        if (hmcf->flights == NULL) {
            return NGX_ERROR;
        }
    }

    if (tracked) {

        hmcf->versions = ngx_hyperdrive_cache_version_zone(cf,
                                                &ngx_stream_hyperdrive_module);
        if (hmcf->versions == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* of all upstreams; NULL: no memory */

static ngx_array_t *
ngx_stream_hyperdrive_names(ngx_conf_t *cf, ngx_hyperdrive_main_conf_t *hmcf)
{
    ngx_str_t                      *name;
    ngx_uint_t                      i;
    ngx_array_t                    *names;
    ngx_hyperdrive_origin_conf_t  **origin;

    origin = hmcf->origins.elts;

    names = ngx_array_create(cf->pool, hmcf->origins.nelts + 1,
                             sizeof(ngx_str_t));

    for (i = 0; names && i < hmcf->origins.nelts; i++) {
        name = ngx_array_push(names);

        if (name == NULL) {
            return NULL;
        }

        *name = origin[i]->name;
    }

    return names;
}


/* the upstream block of this name, NULL: none, or without an origin */

static ngx_hyperdrive_origin_conf_t *
ngx_stream_hyperdrive_upstream(ngx_conf_t *cf, ngx_str_t *name)
{
    ngx_uint_t                        i;
    ngx_hyperdrive_srv_conf_t        *hscf;
    ngx_stream_upstream_srv_conf_t  **uscfp;
    ngx_stream_upstream_main_conf_t  *umcf;

    umcf = ngx_stream_conf_get_module_main_conf(cf, ngx_stream_upstream_module);

    uscfp = umcf->upstreams.elts;

    for (i = 0; i < umcf->upstreams.nelts; i++) {

        if (uscfp[i]->srv_conf == NULL
            || uscfp[i]->host.len != name->len
            || ngx_strncasecmp(uscfp[i]->host.data, name->data, name->len)
               != 0)
        {
            continue;
        }

        hscf = ngx_stream_conf_upstream_srv_conf(uscfp[i],
                                                 ngx_stream_hyperdrive_module);

        if (hscf->upstream && hscf->upstream->servers.nelts) {
            return hscf->upstream;
        }
    }

    return NULL;
}


/* NULL: nothing of ours is configured */

static ngx_hyperdrive_main_conf_t *
ngx_stream_hyperdrive_main_conf(ngx_cycle_t *cycle)
{
    ngx_hyperdrive_main_conf_t  *hmcf;

    if (ngx_get_conf(cycle->conf_ctx, ngx_stream_module) == NULL) {
        return NULL;
    }

    hmcf = ngx_stream_cycle_get_module_main_conf(cycle,
                                                ngx_stream_hyperdrive_module);

    return (hmcf && hmcf->runtime) ? hmcf : NULL;
}


static ngx_int_t
ngx_stream_hyperdrive_init_module(ngx_cycle_t *cycle)
{
    u_char                      *mem;
    ngx_hyperdrive_main_conf_t  *hmcf;

    hmcf = ngx_stream_hyperdrive_main_conf(cycle);

    if (hmcf == NULL) {
        return NGX_OK;
    }

    if (ngx_hyperdrive_shm_init_module(hmcf->runtime, cycle->log) != NGX_OK) {
        return NGX_ERROR;
    }

    mem = hmcf->versions ? hmcf->versions->data : NULL;

    ngx_hyperdrive_cache_version_attach(mem, ngx_hyperdrive_shm_generation());
    ngx_hyperdrive_cache_position_attach(mem
                                  ? mem + ngx_hyperdrive_cache_version_size()
                                  : NULL);

    if (hmcf->versions && ngx_hyperdrive_shm_generation() == 1) {
        ngx_hyperdrive_session_write_begin(cycle);
    }

    if (ngx_hyperdrive_conf_verifiers(cycle, hmcf) != NGX_OK) {
        return NGX_ERROR;
    }

    /* a reload is how an operator says that what was wrong is right now */

    if (ngx_hyperdrive_cache_flight_use(hmcf->flights) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_hyperdrive_cache_flight_on_all();

    return ngx_hyperdrive_peer_init_module(cycle->log);
}


static ngx_int_t
ngx_stream_hyperdrive_init_process(ngx_cycle_t *cycle)
{
    ngx_uint_t                         i;
    ngx_hyperdrive_conf_zone_t        *zone;
    ngx_hyperdrive_main_conf_t        *hmcf;
    ngx_hyperdrive_cache_store_t      *store;
    ngx_hyperdrive_origin_conf_t     **origin;
    ngx_hyperdrive_proto_ctx_t         ctx;

    hmcf = ngx_stream_hyperdrive_main_conf(cycle);

    /* not for the cache manager, which runs these hooks too */

    if (hmcf == NULL
        || (ngx_process != NGX_PROCESS_WORKER
            && ngx_process != NGX_PROCESS_SINGLE))
    {
        return NGX_OK;
    }

    if (ngx_hyperdrive_shm_init_process(hmcf->runtime, cycle->log) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_hyperdrive_origin_align = ngx_hyperdrive_session_align_ask;
    ngx_hyperdrive_session_kill_start();

    if (ngx_hyperdrive_session_write_init(cycle, &hmcf->origins) != NGX_OK) {
        return NGX_ERROR;
    }

    ctx.next_id = ngx_hyperdrive_shm_next_id;
    ctx.clock_text = ngx_hyperdrive_sql_clock_text;
    ctx.clock_reason = NGX_HYPERDRIVE_SQL_VOLATILE;
    ctx.registry = ngx_hyperdrive_state_registry_create(
                                              NGX_STREAM_HYPERDRIVE_TEXTS,
                                              ngx_hyperdrive_classify);
    if (ctx.registry == NULL) {
        return NGX_ERROR;
    }

    if (ngx_hyperdrive_cache_flight_use(hmcf->flights) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_hyperdrive_cache_flight_set_slot(ngx_hyperdrive_shm_slot,
                     ngx_hyperdrive_shm_slot_epoch(ngx_hyperdrive_shm_slot));

    zone = hmcf->zones.elts;

    for (i = 0; i < hmcf->zones.nelts; i++) {
        store = ngx_hyperdrive_cache_store(zone[i].zone);

        ngx_hyperdrive_cache_store_reclaim(store, ngx_hyperdrive_shm_slot);
        ngx_hyperdrive_cache_store_set_slot(store, ngx_hyperdrive_shm_slot);
    }

    origin = hmcf->origins.elts;

    for (i = 0; i < hmcf->origins.nelts; i++) {

        if (ngx_hyperdrive_origin_init_process(cycle, origin[i], &ctx)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    if (ngx_hyperdrive_session_catalog_init(cycle, &hmcf->origins) != NGX_OK
        || ngx_hyperdrive_session_position_init(&hmcf->origins) != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (ngx_stream_hyperdrive_init_view(cycle, hmcf) != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_hyperdrive_session_drain_init(cycle, &hmcf->drain, &hmcf->origins)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_hyperdrive_process_init(cycle, hmcf);
}


static ngx_uint_t
ngx_stream_hyperdrive_there(void *data, ngx_uint_t n)
{
    ngx_hyperdrive_origin_conf_t *origin = data;

    ngx_hyperdrive_origin_replica_t  *replica;

    replica = origin->replicas.elts;

    return ngx_hyperdrive_origin_replica_there(&replica[n]);
}


/* what the status page shows of this process */

static ngx_int_t
ngx_stream_hyperdrive_init_view(ngx_cycle_t *cycle,
    ngx_hyperdrive_main_conf_t *hmcf)
{
    ngx_uint_t                      i;
    ngx_hyperdrive_conf_zone_t     *zone;
    ngx_hyperdrive_origin_conf_t  **origin;

    static ngx_str_t                    reasons[16];
    static ngx_hyperdrive_admin_view_t  view;

    view.nlimits = hmcf->origins.nelts;
    view.nstores = hmcf->zones.nelts;
    view.nreasons = sizeof(reasons) / sizeof(reasons[0]);
    view.reasons = reasons;

    view.limits = ngx_pcalloc(cycle->pool, (view.nlimits + 1)
                                     * sizeof(ngx_hyperdrive_shm_limit_t *));
    view.stores = ngx_pcalloc(cycle->pool, (view.nstores + 1)
                                   * sizeof(ngx_hyperdrive_cache_store_t *));
    view.replicas = ngx_pcalloc(cycle->pool, (view.nlimits + 1)
                                  * sizeof(ngx_hyperdrive_admin_replicas_t));

    if (view.limits == NULL || view.stores == NULL || view.replicas == NULL) {
        return NGX_ERROR;
    }

    origin = hmcf->origins.elts;

    for (i = 0; i < view.nlimits; i++) {
        view.limits[i] = origin[i]->limit;
        view.replicas[i].n = origin[i]->replicas.nelts;
        view.replicas[i].names = origin[i]->names;
        view.replicas[i].data = origin[i];
        view.replicas[i].there = ngx_stream_hyperdrive_there;
        view.replicas[i].position
                                = ngx_hyperdrive_session_position(origin[i]);
    }

    zone = hmcf->zones.elts;

    for (i = 0; i < view.nstores; i++) {
        view.stores[i] = ngx_hyperdrive_cache_store(zone[i].zone);
    }

    for (i = 1; i <= NGX_HYPERDRIVE_SQL_FOREIGN; i++) {
        reasons[i] = *ngx_hyperdrive_sql_reason_name(i);
    }

    ngx_str_set(&reasons[15], "transaction");

    view.purge = ngx_hyperdrive_session_purge_all;
    view.purge_statement = ngx_hyperdrive_session_purge_statement;
    view.purge_tag = ngx_hyperdrive_session_purge_tag;
    view.purge_table = ngx_hyperdrive_session_purge_table;

    ngx_hyperdrive_admin_set_view(&view);

    return NGX_OK;
}


static void
ngx_stream_hyperdrive_exit_process(ngx_cycle_t *cycle)
{
    ngx_uint_t                   i;
    ngx_hyperdrive_conf_zone_t  *zone;
    ngx_hyperdrive_main_conf_t  *hmcf;

    hmcf = ngx_stream_hyperdrive_main_conf(cycle);

    if (hmcf == NULL
        || (ngx_process != NGX_PROCESS_WORKER
            && ngx_process != NGX_PROCESS_SINGLE))
    {
        return;
    }

    zone = hmcf->zones.elts;

    for (i = 0; i < hmcf->zones.nelts; i++) {
        ngx_hyperdrive_cache_store_reclaim(
                                   ngx_hyperdrive_cache_store(zone[i].zone),
                                   ngx_hyperdrive_shm_slot);
    }

    ngx_hyperdrive_session_position_exit(&hmcf->origins);
    ngx_hyperdrive_session_write_exit();

    ngx_hyperdrive_session_flight_reclaim(ngx_hyperdrive_shm_slot, 0);
    ngx_hyperdrive_cache_flight_set_slot(NGX_HYPERDRIVE_SLOTS, 0);

    if (ngx_exiting && !ngx_terminate) {
        ngx_hyperdrive_origin_drain_exit(&hmcf->origins);
    }

    ngx_hyperdrive_shm_exit_process();
}
