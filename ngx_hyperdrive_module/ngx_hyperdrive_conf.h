
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_CONF_H_INCLUDED_
#define _NGX_HYPERDRIVE_CONF_H_INCLUDED_


#include "ngx_hyperdrive.h"
#include <ngx_stream.h>
#include "origin/ngx_hyperdrive_origin.h"
#include "policy/ngx_hyperdrive_policy_lua.h"
#include "session/ngx_hyperdrive_session.h"
#include "base/ngx_hyperdrive_base_url.h"


/* what later versions of nginx have changed, all in one place */

#if (nginx_version >= 1025005)
#define ngx_stream_ssl_conf_t  ngx_stream_ssl_srv_conf_t
#endif


/* a hyperdrive_cache_zone */

typedef struct {
    ngx_str_t                        name;
    ngx_shm_zone_t                  *zone;
} ngx_hyperdrive_conf_zone_t;


/* a users file, as often as it is named */

typedef struct {
    ngx_array_t                     *users;     /* of _session_user_t */
    ngx_array_t                     *file;      /* ...as they were read: the
                                                   same, or with other secrets
                                                   for another protocol */
    ngx_hyperdrive_proto_t          *proto;     /* of the servers that use it;
                                                   NULL: none does */
    unsigned                         keep:1;    /* passwords are needed later */
} ngx_hyperdrive_conf_file_t;


/* hyperdrive_users */

typedef struct {
    ngx_array_t                     *file;      /* or NULL */
    unsigned                         set:1;
    unsigned                         trust:1;
    unsigned                         query:1;
    unsigned                         cert:1;
} ngx_hyperdrive_conf_users_t;


/* hyperdrive_read_write_split */

typedef struct {
    ngx_flag_t                       on;
    ngx_msec_t                       max_lag;
    ngx_msec_t                       max_staleness;
} ngx_hyperdrive_conf_split_t;


typedef struct {
    ngx_array_t                      origins;   /* of _origin_conf_t * */
    ngx_array_t                      zones;     /* of _conf_zone_t */
    ngx_array_t                      users;     /* of _conf_file_t */
    ngx_array_t                      log_files; /* of ngx_open_file_t *, those
                                                   of query logs */
    ngx_shm_zone_t                  *runtime;
    ngx_shm_zone_t                  *versions;  /* NULL: nothing is cached */
    ngx_shm_zone_t                  *flights;
    ngx_shm_zone_t                  *dict;      /* of policies; or NULL */
    ngx_hyperdrive_policy_lua_t     *lua;       /* NULL: no Lua is used */
    ngx_hyperdrive_policy_limits_t   lua_limits;
    ngx_hyperdrive_policy_target_t  *targets;   /* one for each of <origins> */
    void                           **srv_conf;  /* of the stream block */
    ngx_hyperdrive_session_drain_t   drain;
} ngx_hyperdrive_main_conf_t;


/* one struct for both places: an upstream {} uses <upstream> only */

typedef struct {
    ngx_hyperdrive_origin_conf_t    *upstream;  /* hyperdrive_origin, _pool */
    ngx_flag_t                       validate;  /* here or in the stream block;
                                                   not merged */

    ngx_str_t                        pass;      /* hyperdrive_pass */
    u_char                          *file;      /* where it stands */
    ngx_uint_t                       line;

    ngx_hyperdrive_conf_users_t      users;
    ngx_str_t                        cache;     /* the zone's name */
    ngx_msec_t                       max_age;
    ngx_flag_t                       allow_stable;
    ngx_msec_t                       stale;
    ngx_msec_t                       stale_error;
    ngx_msec_t                       coalesce;
    ngx_uint_t                       verify;
    size_t                           max_size;
    ngx_flag_t                       hints;
    ngx_flag_t                       in_transaction;
    ngx_flag_t                       channel_binding;
    ngx_flag_t                       replication;
    ngx_array_t                     *logs;      /* NGX_CONF_UNSET_PTR; NULL:
                                                   off */
    ngx_flag_t                       settings_transaction;
    ngx_flag_t                       state_reject;
    ngx_flag_t                       unread_pin;
    ngx_uint_t                       pins;
    ngx_array_t                     *rules;     /* of _policy_rule_t; or NULL */
    ngx_hyperdrive_policy_chunk_t   *policy;    /* in Lua; or NULL */
    ngx_hyperdrive_policy_chunk_t   *params;
    ngx_hyperdrive_session_timeout_t timeout;
    ngx_hyperdrive_conf_split_t      split;

    ngx_hyperdrive_session_conf_t    session;
} ngx_hyperdrive_srv_conf_t;


extern ngx_module_t  ngx_stream_hyperdrive_module;


/* the content handler of a server with hyperdrive_pass */
void ngx_stream_hyperdrive_handler(ngx_stream_session_t *s);

char *ngx_hyperdrive_conf_pass(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_hyperdrive_conf_check_pass(ngx_conf_t *cf,
    ngx_stream_core_srv_conf_t *cscf, ngx_hyperdrive_srv_conf_t *conf);

/* ngx_hyperdrive_conf_login.c */

char *ngx_hyperdrive_conf_timeout(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
void ngx_hyperdrive_conf_timeout_init(ngx_hyperdrive_srv_conf_t *conf);
void ngx_hyperdrive_conf_timeout_merge(ngx_hyperdrive_srv_conf_t *conf,
    ngx_hyperdrive_srv_conf_t *prev);
char *ngx_hyperdrive_conf_users(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_hyperdrive_conf_auth_query(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
/* whether what has been written fits together, when all has been read */
char *ngx_hyperdrive_conf_check_users(ngx_conf_t *cf,
    ngx_hyperdrive_srv_conf_t *conf);
char *ngx_hyperdrive_conf_check_origin(ngx_conf_t *cf,
    ngx_hyperdrive_origin_conf_t *origin);
/* plain passwords of the users files become verifiers; in init_module */
ngx_int_t ngx_hyperdrive_conf_verifiers(ngx_cycle_t *cycle,
    ngx_hyperdrive_main_conf_t *hmcf);

/* ngx_hyperdrive_process.c: the last of what a worker begins with */

ngx_int_t ngx_hyperdrive_process_init(ngx_cycle_t *cycle,
    ngx_hyperdrive_main_conf_t *hmcf);


/* ngx_hyperdrive_conf_drain.c */

char *ngx_hyperdrive_conf_drain(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_hyperdrive_conf_drain_init(ngx_conf_t *cf, void *conf);

/* ngx_hyperdrive_conf_state.c */

char *ngx_hyperdrive_conf_state(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_hyperdrive_conf_settings(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


/* ngx_hyperdrive_conf_tls.c */

/* the certificates of a server, for the upgrade inside the protocol */
char *ngx_hyperdrive_conf_tls(ngx_conf_t *cf,
    ngx_hyperdrive_srv_conf_t *conf);

/* ngx_hyperdrive_conf_policy.c */

char *ngx_hyperdrive_conf_policy_lua_block(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
char *ngx_hyperdrive_conf_policy_lua_file(ngx_conf_t *cf,
    ngx_command_t *cmd, void *conf);
char *ngx_hyperdrive_conf_policy_limits(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_hyperdrive_conf_policy_dict(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_hyperdrive_conf_policy_merge(ngx_conf_t *cf,
    ngx_hyperdrive_srv_conf_t *conf, ngx_hyperdrive_srv_conf_t *prev);
/* when all upstreams are known; logs what is wrong */
ngx_int_t ngx_hyperdrive_conf_policy_init(ngx_conf_t *cf,
    ngx_hyperdrive_main_conf_t *hmcf);

/* ngx_hyperdrive_conf_rule.c */

char *ngx_hyperdrive_conf_rule(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


/* ngx_hyperdrive_classify.c: from the sql room to what is kept with a text */

void ngx_hyperdrive_classify(ngx_str_t *text, ngx_uint_t mode,
    ngx_hyperdrive_state_plan_t *plan);


/* ngx_hyperdrive_conf_cache.c */

char *ngx_hyperdrive_conf_cache_zone(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_hyperdrive_conf_cache(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);


/* ngx_hyperdrive_conf_log.c */

char *ngx_hyperdrive_conf_query_log(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* ngx_hyperdrive_conf_origin.c */

char *ngx_hyperdrive_conf_origin(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/* ngx_hyperdrive_conf_pool.c */

char *ngx_hyperdrive_conf_pool(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
/* the upstream block's, made if there is none; NULL: that cannot be */
ngx_hyperdrive_origin_conf_t *ngx_hyperdrive_conf_origin_get(ngx_conf_t *cf,
    ngx_hyperdrive_srv_conf_t *hscf);

/* ngx_hyperdrive_conf_resolve.c */

/* the <n>th server's name is resolved again: what the balancer is given in
   place of its addresses; NULL: no memory */
ngx_addr_t *ngx_hyperdrive_conf_resolve(ngx_conf_t *cf,
    ngx_hyperdrive_origin_server_t *server, ngx_uint_t n);
/* whether there is a resolver, when all has been read */
char *ngx_hyperdrive_conf_check_resolve(ngx_conf_t *cf,
    ngx_hyperdrive_main_conf_t *hmcf, ngx_hyperdrive_origin_conf_t *origin);

/* ngx_hyperdrive_conf_validate.c */

/* logs in to each origin of those upstreams that want it, when all has been
   read; NGX_ERROR: some do not let us in, as was said */
ngx_int_t ngx_hyperdrive_conf_validate(ngx_conf_t *cf,
    ngx_hyperdrive_main_conf_t *hmcf);

/* ngx_hyperdrive_conf_ident.c */

/* digests of where it leads to and how, when all has been read */
ngx_int_t ngx_hyperdrive_conf_ident(ngx_conf_t *cf,
    ngx_hyperdrive_origin_conf_t *origin);

/* ngx_hyperdrive_conf_replica.c */

ngx_int_t ngx_hyperdrive_conf_replica_role(
    ngx_hyperdrive_origin_server_t *server, ngx_str_t *value);
char *ngx_hyperdrive_conf_replica_attrs(ngx_conf_t *cf,
    ngx_hyperdrive_origin_server_t *server, ngx_str_t *value);
char *ngx_hyperdrive_conf_replica_add(ngx_conf_t *cf,
    ngx_hyperdrive_origin_conf_t *origin,
    ngx_hyperdrive_origin_server_t *server, ngx_stream_upstream_server_t *us);
/* when all has been read */
char *ngx_hyperdrive_conf_replica_check(ngx_conf_t *cf,
    ngx_hyperdrive_origin_conf_t *origin);

char *ngx_hyperdrive_conf_split(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
void ngx_hyperdrive_conf_split_init(ngx_hyperdrive_srv_conf_t *conf);
void ngx_hyperdrive_conf_split_merge(ngx_hyperdrive_srv_conf_t *conf,
    ngx_hyperdrive_srv_conf_t *prev);

/* ngx_hyperdrive_conf_mysql.c */

/* what stands behind the question mark of a mysql:// URL */
char *ngx_hyperdrive_conf_mysql_args(ngx_conf_t *cf,
    ngx_hyperdrive_base_url_t *url, ngx_hyperdrive_origin_server_t *server);

/* ngx_hyperdrive_conf_catalog.c */

char *ngx_hyperdrive_conf_catalog(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);
char *ngx_hyperdrive_conf_function(ngx_conf_t *cf, ngx_command_t *cmd,
    void *conf);

/*
 * The context for TLS with it, by server->sslmode and three files, each of
 * which may be empty.
 */
char *ngx_hyperdrive_conf_origin_tls(ngx_conf_t *cf,
    ngx_hyperdrive_origin_server_t *server, ngx_str_t *root, ngx_str_t *cert,
    ngx_str_t *key);
/* the first line of a file */
char *ngx_hyperdrive_conf_origin_secret(ngx_conf_t *cf, ngx_str_t *name,
    ngx_str_t *secret);

/* name=value: NGX_OK and <value>, or NGX_DECLINED */
ngx_int_t ngx_hyperdrive_conf_param(ngx_str_t *arg, const char *name,
    ngx_str_t *value);
/* NGX_ERROR: the <i>th argument of this directive has the name of one before
   it, as was said */
ngx_int_t ngx_hyperdrive_conf_once(ngx_conf_t *cf, ngx_uint_t i);


#endif /* _NGX_HYPERDRIVE_CONF_H_INCLUDED_ */
