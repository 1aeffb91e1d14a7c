
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "ngx_hyperdrive_conf.h"
#include "cache/ngx_hyperdrive_cache_position.h"


/* where replicas stand is asked about twice a second */
#define NGX_HYPERDRIVE_CONF_REPLICA_LAG  1000


static ngx_int_t ngx_hyperdrive_conf_replica_name(ngx_conf_t *cf,
    ngx_hyperdrive_origin_replica_t *replica);
static char *ngx_hyperdrive_conf_replica_balancer(ngx_conf_t *cf,
    ngx_hyperdrive_origin_conf_t *origin);


static ngx_conf_enum_t  ngx_hyperdrive_conf_replica_roles[] = {
    { ngx_string("primary"), NGX_HYPERDRIVE_ORIGIN_PRIMARY },
    { ngx_string("replica"), NGX_HYPERDRIVE_ORIGIN_REPLICA },
    { ngx_string("auto"), NGX_HYPERDRIVE_ORIGIN_PRIMARY
                          |NGX_HYPERDRIVE_ORIGIN_REPLICA },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_hyperdrive_conf_replica_names[] = {
    { ngx_string("any"), NGX_HYPERDRIVE_ORIGIN_ANY },
    { ngx_string("primary"), NGX_HYPERDRIVE_ORIGIN_IS_PRIMARY },
    { ngx_string("read-write"), NGX_HYPERDRIVE_ORIGIN_READ_WRITE },
    { ngx_null_string, 0 }
};


/* role= of hyperdrive_origin; NGX_DECLINED: it is none */

ngx_int_t
ngx_hyperdrive_conf_replica_role(ngx_hyperdrive_origin_server_t *server,
    ngx_str_t *value)
{
    ngx_conf_enum_t  *e;

    for (e = ngx_hyperdrive_conf_replica_roles; e->name.len; e++) {

        if (e->name.len == value->len
            && ngx_strncmp(e->name.data, value->data, value->len) == 0)
        {
            server->roles = e->value;
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


/* target_session_attrs in the URL */

char *
ngx_hyperdrive_conf_replica_attrs(ngx_conf_t *cf,
    ngx_hyperdrive_origin_server_t *server, ngx_str_t *value)
{
    ngx_conf_enum_t  *e;

    for (e = ngx_hyperdrive_conf_replica_names; e->name.len; e++) {

        if (e->name.len == value->len
            && ngx_strncmp(e->name.data, value->data, value->len) == 0)
        {
            server->attrs = e->value;
            return NGX_CONF_OK;
        }
    }

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid target_session_attrs \"%V\" in the URL of "
                       "\"hyperdrive_origin\": write any, primary or "
                       "read-write, and role=replica behind the URL of one "
                       "that is to be read from", value);

    return NGX_CONF_ERROR;
}


/* nginx's balancer of the upstream has primaries only */

char *
ngx_hyperdrive_conf_replica_add(ngx_conf_t *cf,
    ngx_hyperdrive_origin_conf_t *origin,
    ngx_hyperdrive_origin_server_t *server, ngx_stream_upstream_server_t *us)
{
    ngx_stream_upstream_server_t  *s;

    if (server->roles & NGX_HYPERDRIVE_ORIGIN_PRIMARY) {

        s = ngx_array_push(origin->upstream->servers);
        if (s == NULL) {
            return NGX_CONF_ERROR;
        }

        *s = *us;
        origin->nprimaries += us->naddrs;

    } else if (server->attrs != NGX_HYPERDRIVE_ORIGIN_ANY) {
        return "has target_session_attrs and role=replica: remove one of them";
    }

    if (!(server->roles & NGX_HYPERDRIVE_ORIGIN_REPLICA)) {
        return NGX_CONF_OK;
    }

    if (server->roles & NGX_HYPERDRIVE_ORIGIN_PRIMARY
        && server->attrs == NGX_HYPERDRIVE_ORIGIN_ANY)
    {
        server->attrs = NGX_HYPERDRIVE_ORIGIN_READ_WRITE;
    }

    if (server->user.len == 0) {
        return "is a replica, and names no user: write "
               "USER@ in front of its host, somebody has to ask where it "
               "stands";
    }

    if (origin->backends == NULL) {
        origin->backends = ngx_array_create(cf->pool, 4,
                                        sizeof(ngx_stream_upstream_server_t));
        if (origin->backends == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    s = ngx_array_push(origin->backends);
    if (s == NULL) {
        return NGX_CONF_ERROR;
    }

    *s = *us;

    return NGX_CONF_OK;
}


/* all has been read */

char *
ngx_hyperdrive_conf_replica_check(ngx_conf_t *cf,
    ngx_hyperdrive_origin_conf_t *origin)
{
    ngx_uint_t                        i, k, n, max, asked;
    ngx_hyperdrive_origin_server_t   *server;
    ngx_stream_upstream_srv_conf_t   *uscf;
    ngx_hyperdrive_origin_replica_t  *replica;

    uscf = origin->upstream;
    server = origin->servers.elts;
    n = 0;
    asked = 0;

    for (i = 0; i < origin->servers.nelts; i++) {

        if (server[i].roles & NGX_HYPERDRIVE_ORIGIN_PRIMARY) {
            n++;
            origin->moves |= (server[i].attrs != NGX_HYPERDRIVE_ORIGIN_ANY);
        }

        if (!(server[i].roles & NGX_HYPERDRIVE_ORIGIN_REPLICA)) {
            continue;
        }

        /* with "resolve": perhaps; how many there are is not known yet */

        max = server[i].resolve ? NGX_HYPERDRIVE_ORIGIN_SEATS
                                : server[i].naddrs;
        asked += server[i].resolve ? 1 : max;

        for (k = 0; k < max; k++) {

            replica = ngx_array_push(&origin->replicas);
            if (replica == NULL) {
                return NGX_CONF_ERROR;
            }

            replica->server = &server[i];
            replica->seat = k;
            replica->site = 0;

            if (ngx_hyperdrive_conf_replica_name(cf, replica) != NGX_OK) {
                return NGX_CONF_ERROR;
            }
        }
    }

    if (uscf->servers->nelts != n) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"server\" beside \"hyperdrive_origin\" in "
                      "upstream \"%V\" in %s:%ui: write "
                      "hyperdrive_origin for each", &uscf->host,
                      uscf->file_name, uscf->line);
        return NGX_CONF_ERROR;
    }

    if (origin->moves && origin->per_user) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "target_session_attrs without a user in the URL of "
                      "\"hyperdrive_origin\" of upstream \"%V\" in %s:%ui: "
                      "write USER@ in front of the host, somebody has to ask "
                      "which one is the primary", &uscf->host,
                      uscf->file_name, uscf->line);
        return NGX_CONF_ERROR;
    }

    n = origin->replicas.nelts;

    if (n > NGX_HYPERDRIVE_CACHE_POSITION_REPLICAS) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "%ui replicas in upstream \"%V\" in %s:%ui: write at "
                      "most %d, one with \"resolve\" counts as %d", n,
                      &uscf->host, uscf->file_name, uscf->line,
                      NGX_HYPERDRIVE_CACHE_POSITION_REPLICAS,
                      NGX_HYPERDRIVE_ORIGIN_SEATS);
        return NGX_CONF_ERROR;
    }

    if ((n || origin->moves) && origin->max < asked + 2) {
        ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                      "\"max\" of \"hyperdrive_pool\" of upstream \"%V\" in "
                      "%s:%ui leaves no connection for clients: one to the "
                      "primary and one to each replica are used to ask where "
                      "they stand, write max=%ui or more", &uscf->host,
                      uscf->file_name, uscf->line, asked + 2);
        return NGX_CONF_ERROR;
    }

    if (n == 0) {
        return NGX_CONF_OK;
    }

    origin->names = ngx_palloc(cf->pool, n * sizeof(ngx_str_t *));
    if (origin->names == NULL) {
        return NGX_CONF_ERROR;
    }

    replica = origin->replicas.elts;

    for (i = 0; i < n; i++) {
        origin->names[i] = &replica[i].name;
    }

    return ngx_hyperdrive_conf_replica_balancer(cf, origin);
}


/* its address, or the server's name and a number */

static ngx_int_t
ngx_hyperdrive_conf_replica_name(ngx_conf_t *cf,
    ngx_hyperdrive_origin_replica_t *replica)
{
    ngx_hyperdrive_origin_server_t  *server;

    server = replica->server;

    if (server->resolve == NULL) {
        replica->name = server->addrs[replica->seat].name;
        return NGX_OK;
    }

    replica->name.data = ngx_pnalloc(cf->pool, server->name.len + 1
                                               + NGX_INT_T_LEN);
    if (replica->name.data == NULL) {
        return NGX_ERROR;
    }

    replica->name.len = ngx_sprintf(replica->name.data, "%V#%ui",
                                    &server->name, replica->seat + 1)
                        - replica->name.data;

    return NGX_OK;
}


/*
 * Replicas have a balancer of their own, of the upstream's method.  It stands
 * in nginx's list of upstreams, so that a "zone" is shared by both.  Methods
 * that refuse "backup" keep something of the one upstream in their
 * configuration, which cannot be had twice: round robin then.
 */

static char *
ngx_hyperdrive_conf_replica_balancer(ngx_conf_t *cf,
    ngx_hyperdrive_origin_conf_t *origin)
{
    ngx_stream_upstream_init_pt        init;
    ngx_stream_upstream_srv_conf_t    *uscf, **uscfp;
    ngx_stream_upstream_main_conf_t   *umcf;

    umcf = ngx_stream_conf_get_module_main_conf(cf, ngx_stream_upstream_module);

    uscf = ngx_palloc(cf->pool, sizeof(ngx_stream_upstream_srv_conf_t));
    uscfp = ngx_array_push(&umcf->upstreams);

    if (uscf == NULL || uscfp == NULL) {
        return NGX_CONF_ERROR;
    }

    *uscf = *origin->upstream;
    *uscfp = uscf;

    uscf->servers = origin->backends;
    uscf->peer.data = NULL;
    uscf->peer.init = NULL;

    init = uscf->peer.init_upstream;

    if (init == NULL || !(uscf->flags & NGX_STREAM_UPSTREAM_BACKUP)) {
        init = ngx_stream_upstream_init_round_robin;
    }

    if (init(cf, uscf) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    origin->balancer = uscf;

    return NGX_CONF_OK;
}


/* hyperdrive_read_write_split on [max_lag=TIME] [max_staleness=TIME]; off; */

char *
ngx_hyperdrive_conf_split(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_hyperdrive_srv_conf_t *hscf = conf;

    ngx_int_t                      n;
    ngx_str_t                     *value, s;
    ngx_uint_t                     i;
    ngx_hyperdrive_conf_split_t   *split;

    split = &hscf->split;

    if (split->on != NGX_CONF_UNSET) {
        return "is duplicate";
    }

    value = cf->args->elts;

    split->on = (ngx_strcmp(value[1].data, "on") == 0);

    if (!split->on && ngx_strcmp(value[1].data, "off") != 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid \"%V\" in \"hyperdrive_read_write_split\""
                           ": write \"on\" or \"off\"", &value[1]);
        return NGX_CONF_ERROR;
    }

    if (!split->on && cf->args->nelts > 2) {
        return "takes no parameters when it is \"off\"";
    }

    for (i = 2; i < cf->args->nelts; i++) {

        if (ngx_hyperdrive_conf_once(cf, i) != NGX_OK) {
            return NGX_CONF_ERROR;
        }

        n = NGX_ERROR;

        if (ngx_hyperdrive_conf_param(&value[i], "max_lag", &s) == NGX_OK
            && (n = ngx_parse_time(&s, 0)) != NGX_ERROR
            && n >= NGX_HYPERDRIVE_CONF_REPLICA_LAG)
        {
            split->max_lag = n;

        } else if (ngx_hyperdrive_conf_param(&value[i], "max_staleness", &s)
                   == NGX_OK
                   && (n = ngx_parse_time(&s, 0)) != NGX_ERROR
                   && n >= NGX_HYPERDRIVE_CONF_REPLICA_LAG)
        {
            split->max_staleness = n;

        } else {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\" of "
                               "\"hyperdrive_read_write_split\": known are "
                               "max_lag=TIME and max_staleness=TIME, not less "
                               "than 1s each", &value[i]);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


void
ngx_hyperdrive_conf_split_init(ngx_hyperdrive_srv_conf_t *conf)
{
    conf->split.on = NGX_CONF_UNSET;
    conf->split.max_lag = NGX_CONF_UNSET_MSEC;
    conf->split.max_staleness = NGX_CONF_UNSET_MSEC;
}


/* all of it, or nothing, is the outer level's */

void
ngx_hyperdrive_conf_split_merge(ngx_hyperdrive_srv_conf_t *conf,
    ngx_hyperdrive_srv_conf_t *prev)
{
    if (conf->split.on == NGX_CONF_UNSET) {
        conf->split = prev->split;
    }

    ngx_conf_init_value(conf->split.on, 0);
    ngx_conf_init_msec_value(conf->split.max_lag, 10000);
    ngx_conf_init_msec_value(conf->split.max_staleness, 0);

    conf->session.split = conf->split.on;
    conf->session.max_lag = conf->split.max_lag;
    conf->session.max_staleness = conf->split.max_staleness;
}
