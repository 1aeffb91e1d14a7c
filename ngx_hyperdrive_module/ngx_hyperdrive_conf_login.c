
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "ngx_hyperdrive_conf.h"
#include "base/ngx_hyperdrive_base_users.h"


/* a users file is not larger, bytes */
#define NGX_HYPERDRIVE_CONF_USERS        (64 * 1024 * 1024)

#define NGX_HYPERDRIVE_CONF_VERIFIER     256

/* with a user's name it has to fit into one block */
#define NGX_HYPERDRIVE_CONF_MAX_QUERY    4000

/* timers count signed milliseconds of 32 bits in the worst case */
#define NGX_HYPERDRIVE_CONF_MAX_TIME     (24 * 24 * 3600 * 1000)


static char *ngx_hyperdrive_conf_users_file(ngx_conf_t *cf, ngx_str_t *name,
    ngx_array_t *users);
static char *ngx_hyperdrive_conf_users_parse(ngx_conf_t *cf, ngx_str_t *name,
    u_char *pos, u_char *last, ngx_array_t *users);
static ngx_hyperdrive_conf_file_t *ngx_hyperdrive_conf_users_for(
    ngx_conf_t *cf, ngx_array_t *read, ngx_hyperdrive_proto_t *proto);
static ngx_int_t ngx_hyperdrive_conf_users_copy(ngx_conf_t *cf,
    ngx_hyperdrive_conf_file_t *file, ngx_array_t *read);
static char *ngx_hyperdrive_conf_users_secrets(ngx_conf_t *cf,
    ngx_hyperdrive_srv_conf_t *conf, ngx_hyperdrive_conf_file_t *file);
static ngx_uint_t ngx_hyperdrive_conf_users_kinds(
    ngx_hyperdrive_conf_file_t *file);
static int ngx_libc_cdecl ngx_hyperdrive_conf_users_cmp(const void *one,
    const void *two);


/*
 * hyperdrive_timeout [login=TIME] [query=TIME] [idle_in_transaction=TIME]
 * [idle=TIME] [client_idle=TIME];
 */

char *
ngx_hyperdrive_conf_timeout(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_hyperdrive_srv_conf_t *hscf = conf;

    ngx_int_t                          n;
    ngx_str_t                         *value, s;
    ngx_uint_t                         i;
    ngx_msec_t                        *time;
    ngx_hyperdrive_session_timeout_t  *timeout;

    value = cf->args->elts;
    timeout = &hscf->timeout;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_hyperdrive_conf_param(&value[i], "login", &s) == NGX_OK) {
            time = &timeout->login;

        } else if (ngx_hyperdrive_conf_param(&value[i], "query", &s)
                   == NGX_OK)
        {
            time = &timeout->query;

        } else if (ngx_hyperdrive_conf_param(&value[i], "idle_in_transaction",
                                             &s)
                   == NGX_OK)
        {
            time = &timeout->idle_in_transaction;

        } else if (ngx_hyperdrive_conf_param(&value[i], "idle", &s)
                   == NGX_OK)
        {
            time = &timeout->idle;

        } else if (ngx_hyperdrive_conf_param(&value[i], "client_idle", &s)
                   == NGX_OK)
        {
            time = &timeout->client_idle;

        } else {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\" of "
                               "\"hyperdrive_timeout\": known are login=TIME, "
                               "query=TIME, idle_in_transaction=TIME, "
                               "idle=TIME and client_idle=TIME", &value[i]);
            return NGX_CONF_ERROR;
        }

        if (*time != NGX_CONF_UNSET_MSEC) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" of \"hyperdrive_timeout\" stands twice: "
                               "write each parameter once", &value[i]);
            return NGX_CONF_ERROR;
        }

        if (s.len == 3 && ngx_strncmp(s.data, "off", 3) == 0
            && time != &timeout->login)
        {
            *time = 0;
            continue;
        }

        n = ngx_parse_time(&s, 0);

        if (n == NGX_ERROR || n == 0 || n > NGX_HYPERDRIVE_CONF_MAX_TIME) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid time in \"%V\" of "
                               "\"hyperdrive_timeout\": write for instance "
                               "500ms, 10s or 1h, at most 24d%s", &value[i],
                               time == &timeout->login ? "" : ", or off");
            return NGX_CONF_ERROR;
        }

        *time = n;
    }

    return NGX_CONF_OK;
}


void
ngx_hyperdrive_conf_timeout_init(ngx_hyperdrive_srv_conf_t *conf)
{
    conf->timeout.login = NGX_CONF_UNSET_MSEC;
    conf->timeout.query = NGX_CONF_UNSET_MSEC;
    conf->timeout.idle_in_transaction = NGX_CONF_UNSET_MSEC;
    conf->timeout.idle = NGX_CONF_UNSET_MSEC;
    conf->timeout.client_idle = NGX_CONF_UNSET_MSEC;
}


void
ngx_hyperdrive_conf_timeout_merge(ngx_hyperdrive_srv_conf_t *conf,
    ngx_hyperdrive_srv_conf_t *prev)
{
    ngx_conf_merge_msec_value(conf->timeout.login, prev->timeout.login, 60000);
    ngx_conf_merge_msec_value(conf->timeout.query, prev->timeout.query, 0);
    ngx_conf_merge_msec_value(conf->timeout.idle_in_transaction,
                              prev->timeout.idle_in_transaction, 0);
    ngx_conf_merge_msec_value(conf->timeout.idle, prev->timeout.idle, 0);
    ngx_conf_merge_msec_value(conf->timeout.client_idle,
                              prev->timeout.client_idle, 0);
}


/*
 * hyperdrive_users [FILE] [query] [cert];
 * hyperdrive_users off;
 */

char *
ngx_hyperdrive_conf_users(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_hyperdrive_srv_conf_t *hscf = conf;

    char                        *rv;
    ngx_str_t                   *value;
    ngx_uint_t                   i;
    ngx_hyperdrive_conf_file_t  *file;
    ngx_hyperdrive_main_conf_t  *hmcf;

    if (hscf->users.set) {
        return "is duplicate";
    }

    hscf->users.set = 1;

    value = cf->args->elts;

    for (i = 1; i < cf->args->nelts; i++) {

        if (ngx_strcmp(value[i].data, "off") == 0) {

            if (cf->args->nelts > 2) {
                return "takes nothing else when it is \"off\"";
            }

            hscf->users.trust = 1;

        } else if (ngx_strcmp(value[i].data, "query") == 0) {
            hscf->users.query = 1;

        } else if (ngx_strcmp(value[i].data, "cert") == 0) {
            hscf->users.cert = 1;

        } else if (hscf->users.file) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "\"%V\" of \"hyperdrive_users\" is a second "
                               "file: write one file, and query, cert or both "
                               "behind it", &value[i]);
            return NGX_CONF_ERROR;

        } else {
            hmcf = ngx_stream_conf_get_module_main_conf(cf,
                                                ngx_stream_hyperdrive_module);

            hscf->users.file = ngx_array_create(cf->pool, 16,
                                       sizeof(ngx_hyperdrive_session_user_t));
            file = ngx_array_push(&hmcf->users);

            if (hscf->users.file == NULL || file == NULL) {
                return NGX_CONF_ERROR;
            }

            ngx_memzero(file, sizeof(ngx_hyperdrive_conf_file_t));

            file->users = hscf->users.file;
            file->file = hscf->users.file;

            if (ngx_conf_full_name(cf->cycle, &value[i], 1) != NGX_OK) {
                return NGX_CONF_ERROR;
            }

            rv = ngx_hyperdrive_conf_users_file(cf, &value[i],
                                                hscf->users.file);
            if (rv != NGX_CONF_OK) {
                return rv;
            }
        }
    }

    return NGX_CONF_OK;
}


/*
 * hyperdrive_auth_query TEXT [user=NAME] [password_file=FILE] [database=NAME]
 * [valid=TIME];
 */

char *
ngx_hyperdrive_conf_auth_query(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_hyperdrive_srv_conf_t *hscf = conf;

    char                          *rv;
    ngx_int_t                      n;
    ngx_str_t                     *value, s;
    ngx_uint_t                     i;
    ngx_hyperdrive_origin_auth_t  *auth;
    ngx_hyperdrive_origin_conf_t  *origin;

    origin = ngx_hyperdrive_conf_origin_get(cf, hscf);
    if (origin == NULL) {
        return NGX_CONF_ERROR;
    }

    if (origin->auth) {
        return "is duplicate";
    }

    auth = ngx_pcalloc(cf->pool, sizeof(ngx_hyperdrive_origin_auth_t));
    if (auth == NULL) {
        return NGX_CONF_ERROR;
    }

    value = cf->args->elts;

    auth->query = value[1];
    auth->valid = 10000;

    if (ngx_strstr(value[1].data, "$1") == NULL
        || value[1].len > NGX_HYPERDRIVE_CONF_MAX_QUERY)
    {
        return "needs a query of at most 4000 bytes with the user's name as "
               "$1: write \"SELECT usename, passwd FROM pg_shadow WHERE "
               "usename = $1\"";
    }

    for (i = 2; i < cf->args->nelts; i++) {

        if (ngx_hyperdrive_conf_once(cf, i) != NGX_OK) {
            return NGX_CONF_ERROR;
        }

        if (ngx_hyperdrive_conf_param(&value[i], "user", &s) == NGX_OK) {
            auth->user = s;

        } else if (ngx_hyperdrive_conf_param(&value[i], "database", &s)
                   == NGX_OK)
        {
            auth->database = s;

        } else if (ngx_hyperdrive_conf_param(&value[i], "password_file", &s)
                   == NGX_OK)
        {
            rv = ngx_hyperdrive_conf_origin_secret(cf, &s, &auth->password);
            if (rv != NGX_CONF_OK) {
                return rv;
            }

        } else if (ngx_hyperdrive_conf_param(&value[i], "valid", &s)
                   == NGX_OK)
        {
            n = ngx_parse_time(&s, 0);

            if (n == NGX_ERROR || n == 0 || n > 3600 * 1000) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "invalid time in \"%V\" of "
                                   "\"hyperdrive_auth_query\": write for "
                                   "instance 10s, at most 1h", &value[i]);
                return NGX_CONF_ERROR;
            }

            auth->valid = n;

        } else {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\" of "
                               "\"hyperdrive_auth_query\": known are "
                               "user=NAME, password_file=FILE, database=NAME "
                               "and valid=TIME", &value[i]);
            return NGX_CONF_ERROR;
        }
    }

    if ((auth->user.len == 0) != (auth->password.len == 0)
        && auth->user.len == 0)
    {
        return "has a password_file and no user: write user=NAME";
    }

    origin->auth = auth;

    return NGX_CONF_OK;
}


char *
ngx_hyperdrive_conf_check_users(ngx_conf_t *cf, ngx_hyperdrive_srv_conf_t *conf)
{
    ngx_hyperdrive_conf_file_t     *file;
    ngx_hyperdrive_origin_conf_t   *origin;

    origin = conf->session.origin;
    file = NULL;

    if (conf->users.file) {

        file = ngx_hyperdrive_conf_users_for(cf, conf->users.file,
                                             origin->proto);
        if (file == NULL) {
            return NGX_CONF_ERROR;
        }

        if (ngx_hyperdrive_conf_users_secrets(cf, conf, file)
            != NGX_CONF_OK)
        {
            return NGX_CONF_ERROR;
        }

        conf->session.users = file->users;
        conf->session.kinds = ngx_hyperdrive_conf_users_kinds(file);
    }

    if (conf->users.query && origin->auth == NULL) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no \"hyperdrive_auth_query\" in upstream \"%V\" "
                           "for \"query\" of \"hyperdrive_users\" of the "
                           "server in %s:%ui: write hyperdrive_auth_query "
                           "\"%s = $1\"; there", &origin->name, conf->file,
                           conf->line,
                           origin->proto->dialect
                           ? "SELECT user, authentication_string FROM "
                             "mysql.user WHERE host = '%' AND user"
                           : "SELECT usename, passwd FROM pg_shadow WHERE "
                             "usename");
        return NGX_CONF_ERROR;
    }

    if (conf->users.query) {
        conf->session.auth = ngx_pcalloc(cf->pool,
                                       sizeof(ngx_hyperdrive_session_auth_t));
        if (conf->session.auth == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    if (!origin->per_user) {
        return NGX_CONF_OK;
    }

    if (conf->users.trust) {

        /* anybody would be anyone who has logged in elsewhere */

        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"hyperdrive_users off\" for the server in %s:%ui, "
                           "and no user in the URL of \"hyperdrive_origin\" of "
                           "upstream \"%V\": write "
                           "postgres://USER@HOST/DATABASE there, or a users "
                           "file here", conf->file, conf->line, &origin->name);
        return NGX_CONF_ERROR;
    }

    /* what logs a client in logs in for it, too */

    if (file) {
        file->keep = 1;
    }

    return NGX_CONF_OK;
}


/*
 * The users of a file whose secrets become verifiers of this protocol.  One
 * file may serve servers of several.
 */

static ngx_hyperdrive_conf_file_t *
ngx_hyperdrive_conf_users_for(ngx_conf_t *cf, ngx_array_t *read,
    ngx_hyperdrive_proto_t *proto)
{
    ngx_uint_t                   i;
    ngx_hyperdrive_conf_file_t  *file;
    ngx_hyperdrive_main_conf_t  *hmcf;

    hmcf = ngx_stream_conf_get_module_main_conf(cf,
                                                ngx_stream_hyperdrive_module);
    file = hmcf->users.elts;

    for (i = 0; i < hmcf->users.nelts; i++) {

        if (file[i].file == read
            && (file[i].proto == proto || file[i].proto == NULL))
        {
            file[i].proto = proto;
            return &file[i];
        }
    }

    file = ngx_array_push(&hmcf->users);
    if (file == NULL) {
        return NULL;
    }

    ngx_memzero(file, sizeof(ngx_hyperdrive_conf_file_t));

    file->file = read;
    file->proto = proto;
    file->users = ngx_array_create(cf->pool, ngx_max(read->nelts, 1),
                                   sizeof(ngx_hyperdrive_session_user_t));
    if (file->users == NULL) {
        return NULL;
    }

    return ngx_hyperdrive_conf_users_copy(cf, file, read) == NGX_OK ? file
                                                                    : NULL;
}


/* with secrets of their own, which are wiped when they are not needed */

static ngx_int_t
ngx_hyperdrive_conf_users_copy(ngx_conf_t *cf,
    ngx_hyperdrive_conf_file_t *file, ngx_array_t *read)
{
    ngx_uint_t                      i;
    ngx_hyperdrive_session_user_t  *from, *to;

    from = read->elts;

    for (i = 0; i < read->nelts; i++) {

        to = ngx_array_push(file->users);
        if (to == NULL) {
            return NGX_ERROR;
        }

        *to = from[i];

        to->secret.data = ngx_pstrdup(cf->pool, &from[i].secret);
        if (to->secret.data == NULL) {
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* that each can be used, or be made into what can: later is too late */

static char *
ngx_hyperdrive_conf_users_secrets(ngx_conf_t *cf,
    ngx_hyperdrive_srv_conf_t *conf, ngx_hyperdrive_conf_file_t *file)
{
    char                           *wrong;
    ngx_uint_t                      i;
    ngx_hyperdrive_session_user_t  *user;

    user = file->users->elts;

    for (i = 0; i < file->users->nelts; i++) {
        wrong = file->proto->secret_wrong(&user[i].secret);

        if (wrong) {
            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "the secret of user \"%V\" cannot be used in the "
                          "users file of the server in %s:%ui: %s",
                          &user[i].name, conf->file, conf->line, wrong);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


/* bits of the kinds that there are, or will be made of passwords */

static ngx_uint_t
ngx_hyperdrive_conf_users_kinds(ngx_hyperdrive_conf_file_t *file)
{
    ngx_uint_t                      i, kind, kinds;
    ngx_hyperdrive_session_user_t  *user;

    kinds = 0;
    user = file->users->elts;

    for (i = 0; i < file->users->nelts; i++) {

        if (user[i].secret.len) {
            kind = file->proto->is_verifier(&user[i].secret);
            kinds |= kind ? kind : 1;
        }
    }

    return kinds;
}


char *
ngx_hyperdrive_conf_check_origin(ngx_conf_t *cf,
    ngx_hyperdrive_origin_conf_t *origin)
{
    ngx_hyperdrive_origin_auth_t    *auth;
    ngx_stream_upstream_srv_conf_t  *uscf;

    uscf = origin->upstream;
    auth = origin->auth;

    if (origin->per_user && origin->min) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "\"min\" of \"hyperdrive_pool\" without a user in "
                           "the URL of \"hyperdrive_origin\" of upstream "
                           "\"%V\" in %s:%ui: nobody is there to log in, "
                           "write min=0", &origin->name, uscf->file_name,
                           uscf->line);
        return NGX_CONF_ERROR;
    }

    if (auth == NULL) {
        return NGX_CONF_OK;
    }

    if (auth->user.len == 0 && origin->per_user) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no user for \"hyperdrive_auth_query\" of upstream "
                           "\"%V\" in %s:%ui, and none in the URL: write "
                           "user=NAME", &origin->name, uscf->file_name,
                           uscf->line);
        return NGX_CONF_ERROR;
    }

    if (auth->database.len == 0) {
        auth->database = origin->database;
    }

    if (auth->database.len == 0 && !origin->proto->schemas) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no database for \"hyperdrive_auth_query\" of "
                           "upstream \"%V\" in %s:%ui, and none in the URL: "
                           "write database=NAME", &origin->name,
                           uscf->file_name, uscf->line);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


static char *
ngx_hyperdrive_conf_users_file(ngx_conf_t *cf, ngx_str_t *name,
    ngx_array_t *users)
{
    char             *rv;
    u_char           *buf;
    size_t            size;
    ssize_t           n;
    ngx_file_t        file;

    ngx_memzero(&file, sizeof(ngx_file_t));

    file.name = *name;
    file.log = cf->log;

    file.fd = ngx_open_file(name->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (file.fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", name);
        return NGX_CONF_ERROR;
    }

    rv = NGX_CONF_ERROR;
    buf = NULL;
    size = 0;

    if (ngx_fd_info(file.fd, &file.info) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_fd_info_n " \"%V\" failed", name);
        goto done;
    }

    if (ngx_file_size(&file.info) > NGX_HYPERDRIVE_CONF_USERS) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "users file \"%V\" is too large", name);
        goto done;
    }

    size = ngx_file_size(&file.info);

    buf = ngx_alloc(size + 1, cf->log);
    if (buf == NULL) {
        goto done;
    }

    n = ngx_read_file(&file, buf, size, 0);

    if (n == NGX_ERROR || (size_t) n != size) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           ngx_read_file_n " \"%V\" failed", name);
        goto done;
    }

    rv = ngx_hyperdrive_conf_users_parse(cf, name, buf, buf + size, users);

done:

    if (buf) {
        ngx_explicit_memzero(buf, size);
        ngx_free(buf);
    }

    if (ngx_close_file(file.fd) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_ALERT, cf, ngx_errno,
                           ngx_close_file_n " \"%V\" failed", name);
    }

    return rv;
}


static char *
ngx_hyperdrive_conf_users_parse(ngx_conf_t *cf, ngx_str_t *name, u_char *pos,
    u_char *last, ngx_array_t *users)
{
    char                           *err;
    ngx_int_t                       rc;
    ngx_str_t                       user, secret;
    ngx_uint_t                      i, line;
    ngx_hyperdrive_session_user_t  *u;

    line = 1;

    for ( ;; ) {

        rc = ngx_hyperdrive_base_users_next(&pos, last, &line, &user, &secret,
                                            &err);
        if (rc == NGX_DONE) {
            break;
        }

        if (rc != NGX_OK) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "%s in users file \"%V\", line %ui: write "
                               "\"name\" \"password\"", err, name, line);
            return NGX_CONF_ERROR;
        }

        u = ngx_array_push(users);
        if (u == NULL) {
            return NGX_CONF_ERROR;
        }

        ngx_memzero(u, sizeof(ngx_hyperdrive_session_user_t));

        u->name.len = user.len;
        u->name.data = ngx_pstrdup(cf->pool, &user);

        u->secret.len = secret.len;
        u->secret.data = ngx_pstrdup(cf->pool, &secret);

        if (u->name.data == NULL || u->secret.data == NULL) {
            return NGX_CONF_ERROR;
        }
    }

    ngx_qsort(users->elts, users->nelts,
              sizeof(ngx_hyperdrive_session_user_t),
              ngx_hyperdrive_conf_users_cmp);

    u = users->elts;

    for (i = 1; i < users->nelts; i++) {

        if (ngx_hyperdrive_conf_users_cmp(&u[i - 1], &u[i]) == 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "user \"%V\" stands twice in users file \"%V\"",
                               &u[i].name, name);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static int ngx_libc_cdecl
ngx_hyperdrive_conf_users_cmp(const void *one, const void *two)
{
    const ngx_hyperdrive_session_user_t  *a, *b;

    a = one;
    b = two;

    return (int) ngx_memn2cmp(a->name.data, b->name.data, a->name.len,
                              b->name.len);
}


ngx_int_t
ngx_hyperdrive_conf_verifiers(ngx_cycle_t *cycle,
    ngx_hyperdrive_main_conf_t *hmcf)
{
    u_char                           out[NGX_HYPERDRIVE_CONF_VERIFIER];
    ngx_str_t                        verifier;
    ngx_uint_t                       i, k;
    ngx_hyperdrive_conf_file_t      *file;
    ngx_hyperdrive_proto_t          *proto;
    ngx_hyperdrive_session_user_t   *user;

    file = hmcf->users.elts;

    for (i = 0; i < hmcf->users.nelts; i++) {

        proto = file[i].proto;
        user = file[i].users->elts;

        if (proto == NULL) {
            /* no server uses it */
            continue;
        }

        for (k = 0; k < file[i].users->nelts; k++) {

            if (user[k].secret.len == 0
                || proto->is_verifier(&user[k].secret))
            {
                /* (without a secret it cannot log in, as with PgBouncer) */
                continue;
            }

            /* 1.5 ms each now, and nothing on the event loop later */

            if (proto->verifier(&user[k].name, &user[k].secret,
                                ngx_hyperdrive_shm_secret(), out)
                != NGX_OK)
            {
                ngx_log_error(NGX_LOG_EMERG, cycle->log, 0,
                              "hyperdrive: unusable password of user \"%V\"",
                              &user[k].name);
                return NGX_ERROR;
            }

            if (file[i].keep) {
                user[k].password = user[k].secret;

            } else {
                ngx_explicit_memzero(user[k].secret.data,
                                     user[k].secret.len);
            }

            verifier.data = out;
            verifier.len = ngx_strlen(out);

            user[k].secret.len = verifier.len;
            user[k].secret.data = ngx_pstrdup(cycle->pool, &verifier);

            if (user[k].secret.data == NULL) {
                return NGX_ERROR;
            }
        }
    }

    return NGX_OK;
}
