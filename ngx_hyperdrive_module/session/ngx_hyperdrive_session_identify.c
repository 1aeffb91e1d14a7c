
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session.h"


static ngx_int_t ngx_hyperdrive_session_identify_user(
    ngx_hyperdrive_session_t *s, ngx_str_t *user);
static ngx_uint_t ngx_hyperdrive_session_identify_params(
    ngx_hyperdrive_session_t *s, ngx_hyperdrive_proto_param_t *params);


ngx_int_t
ngx_hyperdrive_session_identify(ngx_hyperdrive_session_t *s)
{
    u_char                         *message;
    size_t                          len;
    ngx_str_t                       user, database;
    ngx_uint_t                      n;
    ngx_connection_t               *c;
    ngx_hyperdrive_proto_login_t   *login;
    ngx_hyperdrive_origin_conf_t   *origin;
    ngx_hyperdrive_proto_param_t    params[NGX_HYPERDRIVE_PROTO_MAX_PARAMS];

    c = s->net.connection;
    login = s->login;
    origin = s->conf->origin;

    if (login->replication.len && !s->conf->replication) {
        ngx_hyperdrive_session_fatal(s, "28000",
                                     "replication is not allowed here");
        return NGX_DONE;
    }

    ngx_str_set(&user, "");

    if (origin->per_user) {
        user = login->user;
    }

    database = origin->database;

    if (database.len == 0
        || (origin->proto->schemas && login->database.len)
        || (login->replication.len
            && ngx_strcmp(login->replication.data, "database") != 0))
    {
        /* the client's; for physical replication it is just a name */
        database = login->database;

    } else if (!origin->proto->schemas
               && (database.len != login->database.len
                   || ngx_memcmp(database.data, login->database.data,
                                 database.len)
                      != 0))
    {
        len = sizeof("database \"\" does not exist") + login->database.len;

        message = ngx_pnalloc(c->pool, len);
        if (message == NULL) {
            ngx_hyperdrive_session_close(s);
            return NGX_DONE;
        }

        ngx_sprintf(message, "database \"%V\" does not exist%Z",
                    &login->database);

        ngx_hyperdrive_session_fatal(s, "3D000", (char *) message);
        return NGX_DONE;
    }

    n = ngx_hyperdrive_session_identify_params(s, params);

    if (login->replication.len) {
        s->pool = ngx_hyperdrive_session_replication(s, &user, &database, n,
                                                     params);

    } else {
        if (origin->proto->settings) {
            n = ngx_hyperdrive_session_settings_start(s, params, n);
        }

        s->pool = ngx_hyperdrive_origin_pool(origin, &user, &database, n,
                                             params);
    }

    if (s->pool == NULL) {
        ngx_hyperdrive_session_fatal(s, "08P01",
                                     "the start-up parameters are too long");
        return NGX_DONE;
    }

    s->pool->refs++;
    s->pooled = 1;

    if (origin->per_user
        && ngx_hyperdrive_origin_credentials(s->pool, &login->password,
                                             &login->token)
           != NGX_OK)
    {
        ngx_hyperdrive_session_close(s);
        return NGX_DONE;
    }

    if (ngx_hyperdrive_session_identify_user(s, &login->user) != NGX_OK) {
        ngx_hyperdrive_session_close(s);
        return NGX_DONE;
    }

    return NGX_OK;
}


/*
 * The access log asks for it behind our end, so it is of the connection's
 * pool; a client may log in anew for as long as it is there, and the pool
 * shall not grow with that.
 */

static ngx_int_t
ngx_hyperdrive_session_identify_user(ngx_hyperdrive_session_t *s,
    ngx_str_t *user)
{
    size_t   size;
    u_char  *p;

    if (s->user.data == NULL || user->len > s->user_size) {
        size = ngx_max(user->len, 2 * s->user_size);
        size = ngx_max(size, 32);

        p = ngx_pnalloc(s->net.connection->pool, size);
        if (p == NULL) {
            return NGX_ERROR;
        }

        s->user.data = p;
        s->user_size = size;
    }

    if (user->len) {
        ngx_memcpy(s->user.data, user->data, user->len);
    }

    s->user.len = user->len;

    return NGX_OK;
}


/* start-up parameters that make a session differ from others, in one order */

static ngx_uint_t
ngx_hyperdrive_session_identify_params(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_param_t *params)
{
    ngx_uint_t                       i, k, n;
    ngx_hyperdrive_proto_param_t    *param, swap;
    ngx_hyperdrive_proto_login_t    *login;
    ngx_hyperdrive_origin_server_t  *server;

    login = s->login;
    server = s->conf->origin->servers.elts;
    n = 0;

    for (i = 0; i < login->nparams; i++) {
        param = &login->params[i];

        if (param->name.len == sizeof("application_name") - 1
            && ngx_strncmp(param->name.data, "application_name",
                           param->name.len)
               == 0
            && (server[0].application_name.len || param->value.len == 0))
        {
            /* the URL's own */
            continue;
        }

        params[n++] = *param;

        for (k = n - 1;
             k > 0 && ngx_memn2cmp(params[k - 1].name.data,
                                   params[k].name.data,
                                   params[k - 1].name.len, params[k].name.len)
                      > 0;
             k--)
        {
            swap = params[k];
            params[k] = params[k - 1];
            params[k - 1] = swap;
        }
    }

    return n;
}
