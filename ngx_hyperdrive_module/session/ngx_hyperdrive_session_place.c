
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session_policy.h"


/*
 * Policy may send a statement to another upstream.  The session has that one's
 * pool meanwhile: whatever is asked of s->pool (the key of the cache, the
 * catalog and so the tables, the epoch) is the other's.  It changes only while
 * the session has no origin, and so not within a block: a block is where its
 * first statement is.
 */


static ngx_hyperdrive_origin_conf_t *ngx_hyperdrive_session_place_wanted(
    ngx_hyperdrive_session_t *s);
static void ngx_hyperdrive_session_place_move(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_pool_t *pool);


ngx_int_t
ngx_hyperdrive_session_place(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_error_t *err)
{
    ngx_hyperdrive_pool_t         *pool;
    ngx_hyperdrive_origin_conf_t  *conf;

    conf = ngx_hyperdrive_session_place_wanted(s);

    if (conf == s->pool->conf) {
        return NGX_OK;
    }

    if (conf == s->conf->origin) {
        ngx_hyperdrive_session_place_home(s);
        return NGX_OK;
    }

    pool = ngx_hyperdrive_session_place_pool(s, conf, err);

    if (pool == NULL) {
        return NGX_DECLINED;
    }

    ngx_hyperdrive_session_place_move(s, pool);

    return NGX_OK;
}


ngx_uint_t
ngx_hyperdrive_session_place_differs(ngx_hyperdrive_session_t *s)
{
    return ngx_hyperdrive_session_place_wanted(s) != s->pool->conf;
}


void
ngx_hyperdrive_session_place_home(ngx_hyperdrive_session_t *s)
{
    if (s->home) {
        ngx_hyperdrive_session_place_move(s, s->home);
    }
}


static ngx_hyperdrive_origin_conf_t *
ngx_hyperdrive_session_place_wanted(ngx_hyperdrive_session_t *s)
{
    ngx_hyperdrive_policy_decision_t  *d;

    if (s->conf->policy == NULL || s->replication) {
        return s->pool->conf;
    }

    if (s->unit.stmt == NULL || s->streaming) {
        return s->conf->origin;
    }

    d = ngx_hyperdrive_session_policy(s, s->unit.stmt);

    return d->upstream ? d->upstream->data : s->conf->origin;
}


/* both are held: the one that it comes back to, and the one it is at */

static void
ngx_hyperdrive_session_place_move(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_pool_t *pool)
{
    if (s->home == NULL) {
        s->home = s->pool;

    } else {
        s->pool->refs--;
    }

    s->pool = pool;

    if (pool == s->home) {
        s->home = NULL;

    } else {
        pool->refs++;
    }
}


ngx_hyperdrive_pool_t *
ngx_hyperdrive_session_place_pool(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_origin_conf_t *conf, ngx_hyperdrive_proto_error_t *err)
{
    ngx_str_t               user, database;
    ngx_hyperdrive_pool_t  *pool, *home;

    home = ngx_hyperdrive_session_own_pool(s);

    err->severity = "ERROR";
    err->sqlstate = "0A000";
    err->hint = NULL;

    if (conf->proto != home->conf->proto) {
        err->message = "policy sends the statement to an upstream of another "
                       "protocol";
        return NULL;
    }

    ngx_str_set(&user, "");

    if (conf->per_user) {

        if (home->user.len == 0) {
            err->message = "policy sends the statement to an upstream whose "
                           "URL names no user, and the client's is not known "
                           "there";
            return NULL;
        }

        user = home->user;
    }

    database = conf->database.len ? conf->database : home->database;

    pool = ngx_hyperdrive_origin_pool(conf, &user, &database, home->nparams,
                                      home->params);

    if (pool == NULL
        || (conf->per_user
            && ngx_hyperdrive_origin_credentials(pool, &home->password,
                                                 &home->token)
               != NGX_OK))
    {
        err->sqlstate = "53200";
        err->message = "out of memory";
        return NULL;
    }

    return pool;
}
