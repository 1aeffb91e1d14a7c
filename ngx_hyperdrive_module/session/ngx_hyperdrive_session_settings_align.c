
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session.h"


/* connections that are tried until one can be aligned */
#define NGX_HYPERDRIVE_SESSION_ATTEMPTS  3


static ngx_int_t ngx_hyperdrive_session_settings_behind(
    ngx_hyperdrive_session_t *s);


ngx_int_t
ngx_hyperdrive_session_settings_align(ngx_hyperdrive_session_t *s)
{
    ngx_uint_t                          alone, own;
    ngx_int_t                           rc;
    ngx_hyperdrive_origin_t            *o;
    ngx_hyperdrive_state_bucket_t      *bucket, *other;
    ngx_hyperdrive_session_align_t      align;
    ngx_hyperdrive_session_settings_t  *settings;

    o = s->origin;
    settings = s->settings;

    if (settings && settings->asked) {
        return NGX_BUSY;
    }

    if (settings && settings->barrier) {

        if (s->outstanding) {
            /* it depends on an answer */
            return NGX_BUSY;
        }

        settings->barrier = 0;
    }

    if (s->aligned) {

        if (settings && settings->state.torn && s->outstanding == 0
            && !settings->dead)
        {
            return ngx_hyperdrive_session_settings_back_mend(s);
        }

        return ngx_hyperdrive_session_settings_behind(s);
    }

    bucket = ngx_hyperdrive_session_settings_bucket(s);

    if (o->bucket == bucket && !o->unknown) {
        s->aligned = 1;
        return NGX_OK;
    }

    if (s->wire
        && s->conf->origin->proto->client_data(s->wire, s->net.pos))
    {
        /* of a COPY that has taken it back: perhaps half a message */
        return NGX_OK;
    }

    if (s->outstanding) {
        return NGX_BUSY;
    }

    settings = ngx_hyperdrive_session_settings_get(s);

    if (settings == NULL) {
        return NGX_ERROR;
    }

    if (s->wire) {
        /* what the connection says from here on is the client's */
        s->conf->origin->proto->client_hold(s->wire,
                                            NGX_HYPERDRIVE_PROTO_TELL);
    }

    other = NULL;
    own = (ngx_hyperdrive_session_settings_role(s, &other) == NGX_OK);

    ngx_hyperdrive_session_align_look(o, own ? other : bucket, &align);

    if (own && align.loose && align.any) {

        /* not USE alone: all that the client has set has to be there */

        ngx_hyperdrive_state_bucket_unref(other);
        other = NULL;
        own = 0;

        ngx_hyperdrive_session_align_look(o, bucket, &align);
    }

    if (align.stuck) {
        ngx_hyperdrive_state_bucket_unref(other);
        return NGX_DECLINED;
    }

    /*
     * In one write with the unit, unless that could not run in a transaction
     * with it, or nobody knows.
     */

    alone = align.alone || s->unit.stmt == NULL || s->streaming
            || s->unit.stmt->plan.alone || s->login
            || (s->unit.stmt->plan.transaction
                && (align.snapshot || !s->unit.stmt->plan.single))
            || (align.snapshot && s->deferred)
            || (align.loose && !s->unit.stmt->plan.read);

    if (align.sure && !align.alone && !s->login) {
        /* autocommit alone, as a BEGIN that goes ahead */
        alone = 0;
    }

    if (own && align.loose) {
        /* USE, with nothing ahead of it */
        alone = 0;
    }

    if (alone && other != o->bucket) {
        /* in between it would be what nobody has noted */
        own = 0;
    }

    if (own && other == o->bucket) {
        rc = NGX_DECLINED;

    } else {
        rc = ngx_hyperdrive_session_align_send(o, own ? other : bucket, alone);
    }

    ngx_hyperdrive_state_bucket_unref(other);

    if (rc == NGX_ERROR) {
        return NGX_ERROR;
    }

    s->aligned = 1;

    s->conf->origin->counters->aligned++;

    if (rc == NGX_DECLINED && !own) {
        /* nothing that could be told to it */
        return NGX_OK;
    }

    ngx_hyperdrive_state_bucket_unref(settings->before);
    settings->before = ngx_hyperdrive_state_bucket_ref(o->bucket);

    if (!alone || rc == NGX_DECLINED) {
        settings->aligned = 1;
        settings->firm = 0;
        settings->unsure = 0;
        settings->inside = 0;
        settings->ends = 0;

        s->conf->origin->proto->client_hold(s->wire,
                                            NGX_HYPERDRIVE_PROTO_BACK);
        return NGX_OK;
    }

    if (settings->said == NULL) {
        settings->said = calloc(1, sizeof(ngx_hyperdrive_session_said_t));

        if (settings->said == NULL) {
            return NGX_ERROR;
        }
    }

    settings->asked = 1;
    settings->failed = 0;

    if (ngx_hyperdrive_net_flush(&o->net) == NGX_ERROR
        || ngx_handle_write_event(o->net.connection->write, 0) != NGX_OK)
    {
        /* its end will be read */

        ngx_hyperdrive_base_chain_clear(&o->net.out);
        ngx_hyperdrive_net_post_read(&o->net);
    }

    return NGX_BUSY;
}


/*
 * Behind a unit that took the settings along: if that one, or the end of its
 * block, rolls them back, the connection is set as somebody else left it.
 */

static ngx_int_t
ngx_hyperdrive_session_settings_behind(ngx_hyperdrive_session_t *s)
{
    ngx_hyperdrive_proto_t             *proto;
    ngx_hyperdrive_state_stmt_t        *stmt;
    ngx_hyperdrive_session_settings_t  *settings;

    settings = s->settings;

    if (settings == NULL || !settings->aligned || settings->stays) {
        return NGX_OK;
    }

    proto = s->conf->origin->proto;

    if (s->streaming || proto->origin_copying(s->origin->wire)
        || proto->client_data(s->wire, s->net.pos))
    {
        /* more of the same unit */
        return NGX_OK;
    }

    if (s->outstanding == 0) {
        settings->ends = 0;

    } else if (!settings->inside || settings->ends) {
        return NGX_BUSY;
    }

    stmt = s->unit.stmt;

    if (s->outstanding && stmt && stmt->plan.transaction
        && !(s->unit.simple && stmt->plan.single))
    {
        /* what goes behind its end depends on whether the block has failed */
        return NGX_BUSY;
    }

    settings->ends = (stmt == NULL || stmt->plan.transaction
                      || stmt->plan.alone);

    return NGX_OK;
}


ngx_int_t
ngx_hyperdrive_session_settings_settled(ngx_hyperdrive_session_t *s)
{
    ngx_hyperdrive_origin_t            *o;
    ngx_hyperdrive_session_settings_t  *settings;

    settings = s->settings;

    if (settings == NULL || !settings->asked) {
        return NGX_OK;
    }

    o = s->origin;

    settings->asked = 0;

    if (!settings->failed) {
        ngx_hyperdrive_state_bucket_unref(o->bucket);
        o->bucket = ngx_hyperdrive_state_bucket_ref(settings->state.committed);
        o->unknown = 0;

        settings->attempts = 0;

        return s->login ? ngx_hyperdrive_session_greet_done(s)
                        : NGX_AGAIN;
    }

    if (s->login) {
        ngx_hyperdrive_session_fatal(s, (char *) settings->said->sqlstate,
                                     (char *) settings->said->message);
        return NGX_DONE;
    }

    if (s->streaming) {
        ngx_hyperdrive_session_fatal(s, (char *) settings->said->sqlstate,
                                     (char *) settings->said->message);
        return NGX_DONE;
    }

    if (o->unknown || ngx_strcmp(settings->said->sqlstate, "57014") == 0) {

        /* what somebody else has left there: not on this connection */

        o->net.connection->error = 1;

        if (++settings->attempts < NGX_HYPERDRIVE_SESSION_ATTEMPTS) {
            settings->failed = 0;
        }
    }

    ngx_hyperdrive_session_set_state(s, NGX_HYPERDRIVE_SESSION_READY);
    ngx_hyperdrive_session_detach(s);

    return NGX_DECLINED;
}
