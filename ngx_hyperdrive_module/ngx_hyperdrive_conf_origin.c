
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "ngx_hyperdrive_conf.h"
#include "base/ngx_hyperdrive_base_url.h"


/* of an upstream */
#define NGX_HYPERDRIVE_CONF_MAX_SERVERS  255

/* a password file is not larger, bytes */
#define NGX_HYPERDRIVE_CONF_SECRET       1024


typedef struct {
    ngx_str_t                        name;
    size_t                           offset;
    ngx_uint_t                       max;
} ngx_hyperdrive_conf_origin_number_t;


static ngx_int_t ngx_hyperdrive_conf_origin_number(
    ngx_hyperdrive_base_url_arg_t *arg,
    ngx_hyperdrive_origin_server_t *server,
    ngx_hyperdrive_conf_origin_number_t **wrong);
static char *ngx_hyperdrive_conf_origin_url(ngx_conf_t *cf, ngx_str_t *text,
    ngx_hyperdrive_base_url_t *url);
static char *ngx_hyperdrive_conf_origin_args(ngx_conf_t *cf,
    ngx_hyperdrive_base_url_t *url, ngx_hyperdrive_origin_server_t *server);
static char *ngx_hyperdrive_conf_origin_params(ngx_conf_t *cf,
    ngx_stream_upstream_srv_conf_t *uscf,
    ngx_hyperdrive_origin_server_t *server, ngx_stream_upstream_server_t *us);
static char *ngx_hyperdrive_conf_origin_address(ngx_conf_t *cf,
    ngx_hyperdrive_base_url_t *url, in_port_t port,
    ngx_hyperdrive_origin_server_t *server);


static ngx_conf_enum_t  ngx_hyperdrive_conf_sslmodes[] = {
    { ngx_string("disable"), NGX_HYPERDRIVE_SSLMODE_DISABLE },
    { ngx_string("allow"), NGX_HYPERDRIVE_SSLMODE_ALLOW },
    { ngx_string("prefer"), NGX_HYPERDRIVE_SSLMODE_PREFER },
    { ngx_string("require"), NGX_HYPERDRIVE_SSLMODE_REQUIRE },
    { ngx_string("verify-ca"), NGX_HYPERDRIVE_SSLMODE_VERIFY_CA },
    { ngx_string("verify-full"), NGX_HYPERDRIVE_SSLMODE_VERIFY_FULL },
    { ngx_null_string, 0 }
};


/* libpq's, with its units */

static ngx_hyperdrive_conf_origin_number_t  ngx_hyperdrive_conf_numbers[] = {
    { ngx_string("keepalives"),
      offsetof(ngx_hyperdrive_origin_server_t, keepalives), 1 },
    { ngx_string("keepalives_idle"),
      offsetof(ngx_hyperdrive_origin_server_t, keepalives_idle), 32767 },
    { ngx_string("keepalives_interval"),
      offsetof(ngx_hyperdrive_origin_server_t, keepalives_interval), 32767 },
    { ngx_string("keepalives_count"),
      offsetof(ngx_hyperdrive_origin_server_t, keepalives_count), 127 },
    { ngx_string("tcp_user_timeout"),
      offsetof(ngx_hyperdrive_origin_server_t, user_timeout), 3600000 },
    { ngx_null_string, 0, 0 }
};


extern ngx_hyperdrive_proto_t  ngx_hyperdrive_pg_proto;
extern ngx_hyperdrive_proto_t  ngx_hyperdrive_mysql_proto;


/* by the URL's scheme */
static ngx_hyperdrive_proto_t  *ngx_hyperdrive_conf_protos[] = {
    &ngx_hyperdrive_pg_proto,
    &ngx_hyperdrive_mysql_proto
};


/* hyperdrive_origin URL [password_file=...] [weight=...]...; */

char *
ngx_hyperdrive_conf_origin(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_hyperdrive_srv_conf_t *hscf = conf;

    char                            *rv;
    ngx_str_t                       *value;
    ngx_uint_t                       i, k, n;
    ngx_hyperdrive_base_url_t        url;
    ngx_stream_upstream_server_t     us;
    ngx_hyperdrive_origin_conf_t    *origin;
    ngx_stream_upstream_srv_conf_t  *uscf;
    ngx_hyperdrive_origin_server_t  *server, *other;

    value = cf->args->elts;

    uscf = ngx_stream_conf_get_module_srv_conf(cf, ngx_stream_upstream_module);

    rv = ngx_hyperdrive_conf_origin_url(cf, &value[1], &url);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    origin = ngx_hyperdrive_conf_origin_get(cf, hscf);
    if (origin == NULL) {
        return NGX_CONF_ERROR;
    }

    if (origin->servers.nelts == 0) {
        origin->proto = ngx_hyperdrive_conf_protos[url.scheme];

    } else if (origin->proto != ngx_hyperdrive_conf_protos[url.scheme]) {
        return "has another protocol than the first hyperdrive_origin of this "
               "upstream: write an upstream for each";
    }

    server = ngx_array_push(&origin->servers);

    if (server == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(server, sizeof(ngx_hyperdrive_origin_server_t));
    ngx_memzero(&us, sizeof(ngx_stream_upstream_server_t));

    server->file = cf->conf_file->file.name.data;
    server->line = cf->conf_file->line;
    server->user = url.user;
    server->password = url.password;
    server->connect_timeout = 5000;
    server->keepalives = 1;
    server->keepalives_idle = 60;
    server->keepalives_interval = 10;
    server->keepalives_count = 3;
    server->user_timeout = 30000;
    server->sslmode = NGX_HYPERDRIVE_SSLMODE_PREFER;
    server->roles = NGX_HYPERDRIVE_ORIGIN_PRIMARY;

    rv = ngx_hyperdrive_conf_origin_address(cf, &url, origin->proto->port,
                                            server);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    rv = (url.scheme == NGX_HYPERDRIVE_URL_MYSQL)
         ? ngx_hyperdrive_conf_mysql_args(cf, &url, server)
         : ngx_hyperdrive_conf_origin_args(cf, &url, server);

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    rv = ngx_hyperdrive_conf_origin_params(cf, uscf, server, &us);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (server->user.len == 0 && server->password.len) {
        return "has a password and no user: write "
               "SCHEME://USER@HOST:PORT/DATABASE, or neither, so that "
               "each client's own logs in";
    }

    server->down = us.down;

    us.name = server->name;
    us.addrs = server->addrs;
    us.naddrs = server->naddrs;

    if (server->naddrs == 0) {
        us.naddrs = NGX_HYPERDRIVE_ORIGIN_SEATS;
        us.addrs = ngx_hyperdrive_conf_resolve(cf, server,
                                                origin->servers.nelts - 1);
        if (us.addrs == NULL) {
            return NGX_CONF_ERROR;
        }

        server->resolve->max_fails = us.max_fails;
    }

    rv = ngx_hyperdrive_conf_replica_add(cf, origin, server, &us);
    if (rv != NGX_CONF_OK) {
        return rv;
    }

    if (origin->servers.nelts > NGX_HYPERDRIVE_CONF_MAX_SERVERS) {
        return "is one too many: at most 255 may be in an upstream";
    }

    if (origin->servers.nelts == 1) {
        origin->database = url.database;
        origin->per_user = (server->user.len == 0);

    } else if (origin->per_user != (server->user.len == 0)) {
        return "names a user and another hyperdrive_origin of this upstream "
               "does not: write one in each URL, or in none";

    } else if (origin->database.len != url.database.len
               || ngx_memcmp(origin->database.data, url.database.data,
                             url.database.len)
                  != 0)
    {
        return "names another database than the first hyperdrive_origin of "
               "this upstream: all origins of an upstream serve the same one";
    }

    /* connections are told apart by their address */

    other = origin->servers.elts;

    for (n = 0; n + 1 < origin->servers.nelts; n++) {

        for (i = 0; i < other[n].naddrs; i++) {

            for (k = 0; k < server->naddrs; k++) {

                if (ngx_cmp_sockaddr(other[n].addrs[i].sockaddr,
                                     other[n].addrs[i].socklen,
                                     server->addrs[k].sockaddr,
                                     server->addrs[k].socklen, 1)
                    == NGX_OK)
                {
                    return "has the address of another hyperdrive_origin of "
                           "this upstream: write each once";
                }
            }
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_hyperdrive_conf_origin_url(ngx_conf_t *cf, ngx_str_t *text,
    ngx_hyperdrive_base_url_t *url)
{
    char    *err;
    u_char  *buf;

    buf = ngx_pnalloc(cf->pool, text->len + 1);
    if (buf == NULL) {
        return NGX_CONF_ERROR;
    }

    if (ngx_hyperdrive_base_url_parse(text, buf, url, &err) != NGX_OK) {

        /* the URL is not printed: it may hold a password */

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid URL in "
                           "\"hyperdrive_origin\": %s", err);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


ngx_hyperdrive_origin_conf_t *
ngx_hyperdrive_conf_origin_get(ngx_conf_t *cf, ngx_hyperdrive_srv_conf_t *hscf)
{
    ngx_hyperdrive_main_conf_t      *hmcf;
    ngx_hyperdrive_origin_conf_t    *origin, **p;
    ngx_stream_upstream_srv_conf_t  *uscf;

    if (hscf->upstream) {
        return hscf->upstream;
    }

    uscf = ngx_stream_conf_get_module_srv_conf(cf, ngx_stream_upstream_module);
    hmcf = ngx_stream_conf_get_module_main_conf(cf,
                                                ngx_stream_hyperdrive_module);

    /* what the workers know together has no room for more */

    if (uscf->host.len > NGX_HYPERDRIVE_SHM_NAME) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the name of upstream \"%V\" is too long: write "
                           "one of at most %d bytes", &uscf->host,
                           NGX_HYPERDRIVE_SHM_NAME);
        return NULL;
    }

    if (hmcf->origins.nelts == NGX_HYPERDRIVE_SHM_LIMITS) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "upstream \"%V\" is one too many: at most %d may "
                           "have a \"hyperdrive_origin\"", &uscf->host,
                           NGX_HYPERDRIVE_SHM_LIMITS);
        return NULL;
    }

    origin = ngx_pcalloc(cf->pool, sizeof(ngx_hyperdrive_origin_conf_t));
    if (origin == NULL) {
        return NULL;
    }

    /* pointers into it are taken when all of it has been read */

    if (ngx_array_init(&origin->servers, cf->pool, 4,
                       sizeof(ngx_hyperdrive_origin_server_t))
        != NGX_OK
        || ngx_array_init(&origin->replicas, cf->pool, 4,
                          sizeof(ngx_hyperdrive_origin_replica_t))
           != NGX_OK)
    {
        return NULL;
    }

    p = ngx_array_push(&hmcf->origins);
    if (p == NULL) {
        return NULL;
    }

    *p = origin;

    origin->name = uscf->host;
    origin->proto = &ngx_hyperdrive_pg_proto;
    origin->upstream = uscf;

    origin->max = 20;
    origin->min = 0;
    origin->queue = 10000;
    origin->statements = 200;
    origin->idle = 600000;
    origin->lifetime = 3600000;
    origin->wait = 10000;
    origin->check = 30000;
    origin->catalog_refresh = NGX_CONF_UNSET_MSEC;

    hscf->upstream = origin;

    return origin;
}


/* what stands behind the question mark */

static char *
ngx_hyperdrive_conf_origin_args(ngx_conf_t *cf, ngx_hyperdrive_base_url_t *url,
    ngx_hyperdrive_origin_server_t *server)
{
    char                                *rv;
    ngx_int_t                            n;
    ngx_str_t                            root, cert, key;
    ngx_uint_t                           i, k;
    ngx_hyperdrive_base_url_arg_t       *arg;
    ngx_hyperdrive_conf_origin_number_t *number;

    ngx_str_null(&root);
    ngx_str_null(&cert);
    ngx_str_null(&key);

    for (i = 0; i < url->nargs; i++) {
        arg = &url->args[i];

        if (ngx_strcmp(arg->name.data, "sslmode") == 0) {

            for (k = 0; ngx_hyperdrive_conf_sslmodes[k].name.len; k++) {

                if (ngx_hyperdrive_conf_sslmodes[k].name.len == arg->value.len
                    && ngx_strncmp(ngx_hyperdrive_conf_sslmodes[k].name.data,
                                   arg->value.data, arg->value.len)
                       == 0)
                {
                    break;
                }
            }

            if (ngx_hyperdrive_conf_sslmodes[k].name.len == 0) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "invalid sslmode \"%V\" in the URL of "
                                   "\"hyperdrive_origin\": write disable, "
                                   "allow, prefer, require, verify-ca or "
                                   "verify-full", &arg->value);
                return NGX_CONF_ERROR;
            }

            server->sslmode = ngx_hyperdrive_conf_sslmodes[k].value;

        } else if (ngx_strcmp(arg->name.data, "sslrootcert") == 0) {
            root = arg->value;

        } else if (ngx_strcmp(arg->name.data, "sslcert") == 0) {
            cert = arg->value;

        } else if (ngx_strcmp(arg->name.data, "sslkey") == 0) {
            key = arg->value;

        } else if (ngx_strcmp(arg->name.data, "application_name") == 0) {
            server->application_name = arg->value;

        } else if (ngx_strcmp(arg->name.data, "options") == 0) {
            server->options = arg->value;

        } else if (ngx_strcmp(arg->name.data, "target_session_attrs") == 0) {

            rv = ngx_hyperdrive_conf_replica_attrs(cf, server, &arg->value);
            if (rv != NGX_CONF_OK) {
                return rv;
            }

        } else if (ngx_strcmp(arg->name.data, "connect_timeout") == 0) {
            n = ngx_atoi(arg->value.data, arg->value.len);

            if (n == NGX_ERROR || n < 1 || n > 3600) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "invalid connect_timeout \"%V\" in the URL "
                                   "of \"hyperdrive_origin\": write seconds, "
                                   "1 to 3600", &arg->value);
                return NGX_CONF_ERROR;
            }

            server->connect_timeout = n * 1000;

        } else if (ngx_hyperdrive_conf_origin_number(arg, server, &number)
                   != NGX_DECLINED)
        {
            if (number == NULL) {
                continue;
            }

            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid %V \"%V\" in the URL of "
                               "\"hyperdrive_origin\": write a number from 0 "
                               "to %ui", &arg->name, &arg->value, number->max);
            return NGX_CONF_ERROR;

        } else {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "unknown parameter \"%V\" in the URL of "
                               "\"hyperdrive_origin\": known are sslmode, "
                               "sslrootcert, sslcert, sslkey, "
                               "connect_timeout, application_name, options, "
                               "keepalives, keepalives_idle, "
                               "keepalives_interval, keepalives_count, "
                               "tcp_user_timeout and target_session_attrs",
                               &arg->name);
            return NGX_CONF_ERROR;
        }
    }

    return ngx_hyperdrive_conf_origin_tls(cf, server, &root, &cert, &key);
}


/* NGX_OK: taken, *wrong is NULL; NGX_ERROR: it is *wrong; NGX_DECLINED: it is
   none of these */

static ngx_int_t
ngx_hyperdrive_conf_origin_number(ngx_hyperdrive_base_url_arg_t *arg,
    ngx_hyperdrive_origin_server_t *server,
    ngx_hyperdrive_conf_origin_number_t **wrong)
{
    u_char                               *p;
    ngx_int_t                             n;
    ngx_hyperdrive_conf_origin_number_t  *number;

    *wrong = NULL;

    for (number = ngx_hyperdrive_conf_numbers; number->name.len; number++) {

        if (arg->name.len != number->name.len
            || ngx_strncmp(arg->name.data, number->name.data, arg->name.len)
               != 0)
        {
            continue;
        }

        n = ngx_atoi(arg->value.data, arg->value.len);

        if (n == NGX_ERROR || n > (ngx_int_t) number->max) {
            *wrong = number;
            return NGX_ERROR;
        }

        p = (u_char *) server + number->offset;
        *(ngx_uint_t *) p = n;

        return NGX_OK;
    }

    return NGX_DECLINED;
}


/* what stands behind the URL */

static char *
ngx_hyperdrive_conf_origin_params(ngx_conf_t *cf,
    ngx_stream_upstream_srv_conf_t *uscf,
    ngx_hyperdrive_origin_server_t *server, ngx_stream_upstream_server_t *us)
{
    char        *rv;
    time_t       fail_timeout;
    ngx_int_t    n;
    ngx_str_t   *value, s;
    ngx_uint_t   i, flag;

    value = cf->args->elts;

    us->weight = 1;
    us->max_fails = 1;
    us->fail_timeout = 10;

    for (i = 2; i < cf->args->nelts; i++) {

        flag = 0;

        if (ngx_hyperdrive_conf_once(cf, i) != NGX_OK) {
            return NGX_CONF_ERROR;
        }

        if (ngx_strcmp(value[i].data, "resolve") == 0) {
            /* it was looked at before the address */
            continue;
        }

        if (ngx_hyperdrive_conf_param(&value[i], "password_file", &s)
            == NGX_OK)
        {
            rv = ngx_hyperdrive_conf_origin_secret(cf, &s, &server->password);
            if (rv != NGX_CONF_OK) {
                return rv;
            }

            continue;
        }

        if (ngx_hyperdrive_conf_param(&value[i], "cleartext_password", &s)
            == NGX_OK)
        {
            if (ngx_strcmp(s.data, "on") == 0) {
                server->allow_clear = 1;

            } else if (ngx_strcmp(s.data, "off") != 0) {
                goto invalid;
            }

            continue;
        }

        if (ngx_hyperdrive_conf_param(&value[i], "role", &s) == NGX_OK) {

            if (ngx_hyperdrive_conf_replica_role(server, &s) != NGX_OK) {
                goto invalid;
            }

            continue;
        }

        if (ngx_hyperdrive_conf_param(&value[i], "weight", &s) == NGX_OK) {
            n = ngx_atoi(s.data, s.len);

            if (n == NGX_ERROR || n == 0) {
                goto invalid;
            }

            us->weight = n;
            flag = NGX_STREAM_UPSTREAM_WEIGHT;

        } else if (ngx_hyperdrive_conf_param(&value[i], "max_conns", &s)
                   == NGX_OK)
        {
            n = ngx_atoi(s.data, s.len);

            if (n == NGX_ERROR) {
                goto invalid;
            }

            us->max_conns = n;
            flag = NGX_STREAM_UPSTREAM_MAX_CONNS;

        } else if (ngx_hyperdrive_conf_param(&value[i], "max_fails", &s)
                   == NGX_OK)
        {
            n = ngx_atoi(s.data, s.len);

            if (n == NGX_ERROR) {
                goto invalid;
            }

            us->max_fails = n;
            flag = NGX_STREAM_UPSTREAM_MAX_FAILS;

        } else if (ngx_hyperdrive_conf_param(&value[i], "fail_timeout", &s)
                   == NGX_OK)
        {
            fail_timeout = ngx_parse_time(&s, 1);

            if (fail_timeout == (time_t) NGX_ERROR) {
                goto invalid;
            }

            us->fail_timeout = fail_timeout;
            flag = NGX_STREAM_UPSTREAM_FAIL_TIMEOUT;

        } else if (ngx_strcmp(value[i].data, "backup") == 0) {
            us->backup = 1;
            flag = NGX_STREAM_UPSTREAM_BACKUP;

        } else if (ngx_strcmp(value[i].data, "down") == 0) {
            us->down = 1;
            flag = NGX_STREAM_UPSTREAM_DOWN;

        } else {
            goto invalid;
        }

        if (!(uscf->flags & flag)) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "balancing method does not support parameter "
                               "\"%V\"", &value[i]);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;

invalid:

    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\" of \"hyperdrive_origin\": "
                       "known are password_file=FILE, "
                       "cleartext_password=on|off, "
                       "role=primary|replica|auto, weight=N, max_conns=N, "
                       "max_fails=N, fail_timeout=TIME, resolve, backup and "
                       "down",
                       &value[i]);

    return NGX_CONF_ERROR;
}


static char *
ngx_hyperdrive_conf_origin_address(ngx_conf_t *cf,
    ngx_hyperdrive_base_url_t *url, in_port_t port,
    ngx_hyperdrive_origin_server_t *server)
{
    u_char      *p;
    size_t       len;
    ngx_str_t   *value;
    ngx_url_t    u;
    ngx_uint_t   i, v6;

    if (url->port) {
        port = url->port;
    }

    server->host = url->host;
    server->port = port;

    len = url->host.len + sizeof("unix:/.s.PGSQL.65535[]");

    p = ngx_pnalloc(cf->pool, len);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memzero(&u, sizeof(ngx_url_t));

    value = cf->args->elts;

    for (i = 2; i < cf->args->nelts; i++) {

        if (ngx_strcmp(value[i].data, "resolve") == 0) {

            /* an address is one all the same; nginx looks the name up when it
               runs, not now */

            u.no_resolve = 1;
        }
    }

    u.url.data = p;

    if (url->unix_socket && url->scheme == NGX_HYPERDRIVE_URL_MYSQL) {

        /* the file itself */

        u.url.len = ngx_sprintf(p, "unix:%V", &url->host) - p;

    } else if (url->unix_socket) {

        /* the file in the folder, as libpq finds it */

        u.url.len = ngx_sprintf(p, "unix:%V/.s.PGSQL.%ui", &url->host,
                                (ngx_uint_t) port)
                    - p;

    } else {
        v6 = (ngx_strlchr(url->host.data, url->host.data + url->host.len, ':')
              != NULL);

        u.url.len = ngx_sprintf(p, v6 ? "[%V]:%ui" : "%V:%ui", &url->host,
                                (ngx_uint_t) port)
                    - p;
    }

    server->name = u.url;

    if (ngx_parse_url(cf->pool, &u) != NGX_OK) {

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "%s in \"%V\" of \"hyperdrive_origin\"",
                           u.err ? u.err : "error", &u.url);
        return NGX_CONF_ERROR;
    }

    server->addrs = u.addrs;
    server->naddrs = u.naddrs;

    return NGX_CONF_OK;
}


char *
ngx_hyperdrive_conf_origin_secret(ngx_conf_t *cf, ngx_str_t *name,
    ngx_str_t *secret)
{
    char      *wrong;
    u_char     buf[NGX_HYPERDRIVE_CONF_SECRET];
    ssize_t    n;
    ngx_fd_t   fd;

    if (ngx_conf_full_name(cf->cycle, name, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    fd = ngx_open_file(name->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", name);
        return NGX_CONF_ERROR;
    }

    n = ngx_read_fd(fd, buf, sizeof(buf));

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_ALERT, cf, ngx_errno,
                           ngx_close_file_n " \"%V\" failed", name);
    }

    if (n == -1) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_read_fd_n " \"%V\" failed", name);
        return NGX_CONF_ERROR;
    }

    secret->len = 0;

    while (secret->len < (size_t) n
           && buf[secret->len] != '\n' && buf[secret->len] != '\r')
    {
        secret->len++;
    }

    wrong = NULL;
    secret->data = NULL;

    if (secret->len == 0) {
        wrong = "is empty";

    } else if (secret->len == sizeof(buf)) {
        wrong = "is too long";

    } else if (memchr(buf, '\0', secret->len)) {
        /* UTF-16, for instance */
        wrong = "has a zero byte in it";
    }

    if (wrong) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "the first line of password_file \"%V\" %s", name,
                           wrong);

    } else {
        secret->data = ngx_pnalloc(cf->pool, secret->len + 1);

        if (secret->data) {
            (void) ngx_cpystrn(secret->data, buf, secret->len + 1);
        }
    }

    ngx_explicit_memzero(buf, sizeof(buf));

    return secret->data ? NGX_CONF_OK : NGX_CONF_ERROR;
}


char *
ngx_hyperdrive_conf_origin_tls(ngx_conf_t *cf,
    ngx_hyperdrive_origin_server_t *server, ngx_str_t *root, ngx_str_t *cert,
    ngx_str_t *key)
{
    ngx_pool_cleanup_t  *cln;

    if ((cert->len == 0) != (key->len == 0)) {
        return "has only one of sslcert and sslkey: write both";
    }

    if (server->sslmode == NGX_HYPERDRIVE_SSLMODE_DISABLE) {

        if (root->len || cert->len) {
            return "has certificates and sslmode=disable: remove one of them";
        }

        return NGX_CONF_OK;
    }

    server->ssl = ngx_pcalloc(cf->pool, sizeof(ngx_ssl_t));
    if (server->ssl == NULL) {
        return NGX_CONF_ERROR;
    }

    server->ssl->log = cf->log;

    if (ngx_ssl_create(server->ssl, NGX_SSL_TLSv1_2|NGX_SSL_TLSv1_3, NULL)
        != NGX_OK)
    {
        return NGX_CONF_ERROR;
    }

    cln = ngx_pool_cleanup_add(cf->pool, 0);
    if (cln == NULL) {
        ngx_ssl_cleanup_ctx(server->ssl);
        return NGX_CONF_ERROR;
    }

    cln->handler = ngx_ssl_cleanup_ctx;
    cln->data = server->ssl;

    if (cert->len
        && ngx_ssl_certificate(cf, server->ssl, cert, key, NULL) != NGX_OK)
    {
        return "has an sslcert or sslkey that cannot be used";
    }

    if (cert->len && SSL_CTX_check_private_key(server->ssl->ctx) != 1) {
        /* of another kind: a key of the same kind has failed above */
        return "has an sslkey that does not belong to its sslcert";
    }

    if (root->len) {

        if (ngx_ssl_trusted_certificate(cf, server->ssl, root, 10) != NGX_OK) {
            return "has an sslrootcert that cannot be used";
        }

        if (server->sslmode == NGX_HYPERDRIVE_SSLMODE_REQUIRE) {
            /* as libpq: a root certificate makes "require" verify */
            server->sslmode = NGX_HYPERDRIVE_SSLMODE_VERIFY_CA;
        }

    } else if (server->sslmode >= NGX_HYPERDRIVE_SSLMODE_VERIFY_CA
               && SSL_CTX_set_default_verify_paths(server->ssl->ctx) == 0)
    {
        ngx_ssl_error(NGX_LOG_EMERG, cf->log, 0,
                      "SSL_CTX_set_default_verify_paths() failed");
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}
