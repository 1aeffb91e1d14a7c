
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session.h"
#include "sql/ngx_hyperdrive_sql_set.h"


/*
 * A client's start-up parameters are set on the connections that it gets: to
 * the database they are no defaults.  What takes the client back to them, as
 * RESET does, takes the connection elsewhere.  So the statements that set them
 * go directly behind it, before anything can see the difference.
 */


#define NGX_HYPERDRIVE_SESSION_BACK_MAX   128
#define NGX_HYPERDRIVE_SESSION_BACK_SIZE  (32 * 1024)


static ngx_int_t ngx_hyperdrive_session_settings_back_send(
    ngx_hyperdrive_session_t *s, ngx_hyperdrive_proto_run_t *run,
    ngx_hyperdrive_session_change_t *change, ngx_uint_t statement, size_t at);
static ngx_int_t ngx_hyperdrive_session_settings_back_add(
    ngx_hyperdrive_proto_run_t *run, ngx_str_t *texts, ngx_uint_t n,
    ngx_uint_t statement, size_t at);
static ngx_uint_t ngx_hyperdrive_session_settings_back_lent(
    ngx_hyperdrive_session_t *s, ngx_hyperdrive_state_bucket_t *back);


/* of the run that is being told */

static ngx_hyperdrive_proto_behind_t
    ngx_hyperdrive_session_settings_back_list[NGX_HYPERDRIVE_SESSION_BACK_MAX];
static u_char
    ngx_hyperdrive_session_settings_back_buf[NGX_HYPERDRIVE_SESSION_BACK_SIZE];
static u_char  *ngx_hyperdrive_session_settings_back_pos;


void
ngx_hyperdrive_session_settings_back_begin(ngx_hyperdrive_proto_run_t *run)
{
    run->behind = ngx_hyperdrive_session_settings_back_list;
    run->nbehind = 0;
    run->tag = NGX_HYPERDRIVE_SESSION_TAG_SETTINGS;

    ngx_hyperdrive_session_settings_back_pos
                                    = ngx_hyperdrive_session_settings_back_buf;
}


ngx_int_t
ngx_hyperdrive_session_settings_back(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_run_t *run, ngx_hyperdrive_session_change_t *change,
    ngx_uint_t statement, size_t at)
{
    if (ngx_hyperdrive_state_settings_back(&s->settings->state,
                                           change->change, &change->name,
                                           &change->back)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (change->back == NULL) {
        return NGX_OK;
    }

    if (ngx_hyperdrive_session_settings_back_send(s, run, change, statement,
                                                  at)
        == NGX_OK)
    {
        change->sent = 1;
        change->apart = run->apart;
        return NGX_OK;
    }

    /*
     * The connection goes to what the client never saw: it is not told of
     * that, and what it has sent behind it waits until that is put right.
     */

    s->settings->barrier = 1;

    s->conf->origin->proto->client_hold(s->wire, NGX_HYPERDRIVE_PROTO_HOLD);

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_session_settings_back_send(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_run_t *run, ngx_hyperdrive_session_change_t *change,
    ngx_uint_t statement, size_t at)
{
    ngx_int_t    n;
    ngx_str_t   *texts;
    ngx_uint_t   local;

    if (!run->adds || at > run->stmt->len) {
        return NGX_DECLINED;
    }

    local = (change->change == NGX_HYPERDRIVE_STATE_RESET_LOCAL);

    if (local && run->stmt->plan.single) {

        if (run->outside) {
            /* over with the statement, which the database warns of */
            return NGX_OK;
        }

        /* that warning is not given within a text of several */

        run->apart = run->unsure;
    }

    if (change->change == NGX_HYPERDRIVE_STATE_DISCARD_ALL) {

        if (run->args.data == NULL) {

            if (!run->outside || !run->stmt->plan.single) {
                /* it fails in a block, and so it does in one text */
                return NGX_OK;
            }

            run->apart = 1;
        }

    } else if (ngx_hyperdrive_session_settings_back_lent(s, change->back)) {
        return NGX_DECLINED;
    }

    n = ngx_hyperdrive_session_align_back(change->back, local, &texts);

    return n == NGX_ERROR
           ? NGX_DECLINED
           : ngx_hyperdrive_session_settings_back_add(run, texts, n, statement,
                                                      at);
}


/* NGX_DECLINED: there is no room for them */

static ngx_int_t
ngx_hyperdrive_session_settings_back_add(ngx_hyperdrive_proto_run_t *run,
    ngx_str_t *texts, ngx_uint_t n, ngx_uint_t statement, size_t at)
{
    u_char                         *p, *end;
    ngx_uint_t                      i;
    ngx_hyperdrive_proto_behind_t  *behind;

    if (run->nbehind + n > NGX_HYPERDRIVE_SESSION_BACK_MAX) {
        return NGX_DECLINED;
    }

    p = ngx_hyperdrive_session_settings_back_pos;
    end = ngx_hyperdrive_session_settings_back_buf
          + NGX_HYPERDRIVE_SESSION_BACK_SIZE;

    for (i = 0; i < n; i++) {

        if ((size_t) (end - p) < texts[i].len) {
            return NGX_DECLINED;
        }

        behind = &run->behind[run->nbehind + i];

        behind->statement = statement;
        behind->at = at;
        behind->text.data = p;
        behind->text.len = texts[i].len;

        p = ngx_cpymem(p, texts[i].data, texts[i].len);
    }

    ngx_hyperdrive_session_settings_back_pos = p;
    run->nbehind += n;

    return NGX_OK;
}


/*
 * The client's settings have come with the block that <change> ends, perhaps
 * by taking all of it back, them included: then what the client has sent
 * behind it would find what somebody else has left.  So they are set anew.
 */

ngx_uint_t
ngx_hyperdrive_session_settings_back_ends(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_run_t *run)
{
    ngx_hyperdrive_session_settings_t  *settings;

    settings = s->settings;

    /* a single Query has nothing behind it */

    return settings && settings->aligned && !settings->stays
           && run->stmt->plan.transaction
           && (run->args.data || !run->stmt->plan.single);
}


ngx_int_t
ngx_hyperdrive_session_settings_back_again(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_run_t *run, ngx_hyperdrive_session_change_t *change,
    ngx_uint_t statement, size_t at)
{
    ngx_int_t                           n;
    ngx_str_t                          *texts;
    ngx_hyperdrive_state_bucket_t      *to;
    ngx_hyperdrive_session_settings_t  *settings;

    settings = s->settings;

    if (settings->firm) {
        return NGX_OK;
    }

    if (change->change == NGX_HYPERDRIVE_STATE_COMMIT) {

        if (!run->dead || settings->ended) {
            /* what has come with the block stays */
            settings->firm = 1;
            return NGX_OK;
        }

    } else if (change->change != NGX_HYPERDRIVE_STATE_ROLLBACK) {
        return NGX_OK;
    }

    settings->ended = 1;

    to = settings->state.committed;

    n = ngx_hyperdrive_session_align_again(s->origin, to, &texts);

    if (n == NGX_ERROR || !run->adds || at > run->stmt->len) {
        return NGX_ERROR;
    }

    return ngx_hyperdrive_session_settings_back_add(run, texts, n, statement,
                                                    at)
           == NGX_OK ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_hyperdrive_session_settings_back_mend(ngx_hyperdrive_session_t *s)
{
    u_char                             *p;
    ngx_int_t                           n, rc;
    ngx_str_t                          *texts;
    ngx_uint_t                          i, k;
    ngx_hyperdrive_origin_t            *o;
    ngx_hyperdrive_state_bucket_t      *back, *from;
    ngx_hyperdrive_state_setting_t      setting, value;
    ngx_hyperdrive_session_settings_t  *settings;

    o = s->origin;
    settings = s->settings;

    if (s->streaming || s->conf->origin->proto->origin_copying(o->wire)
        || s->conf->origin->proto->client_data(s->wire, s->net.pos))
    {
        /* more of the same unit */
        return NGX_OK;
    }

    /* as SET, and as SET LOCAL */

    for (i = 0; i < 2; i++) {

        from = i ? settings->state.local : settings->state.now;

        back = NULL;
        rc = NGX_OK;
        p = NULL;

        while (ngx_hyperdrive_state_bucket_next(settings->state.torn, &p,
                                                &setting)
               == NGX_OK)
        {
            if (ngx_hyperdrive_state_bucket_find(from, &setting.name, &value)
                == NGX_OK
                && !value.unsure)
            {
                rc |= ngx_hyperdrive_state_bucket_set(&back, &setting.name,
                                                      &value.value);
            }
        }

        n = (rc == NGX_OK) ? ngx_hyperdrive_session_align_back(back, i, &texts)
                           : NGX_ERROR;

        for (k = 0; n != NGX_ERROR && k < (ngx_uint_t) n; k++) {

            if (o->pool->conf->proto->origin_own(o->wire, &texts[k],
                                          NGX_HYPERDRIVE_SESSION_TAG_SETTINGS,
                                          0, &o->net.out)
                != NGX_OK)
            {
                n = NGX_ERROR;
            }
        }

        ngx_hyperdrive_state_bucket_unref(back);

        if (n == NGX_ERROR) {
            return NGX_ERROR;
        }
    }

    ngx_hyperdrive_state_bucket_unref(settings->state.torn);
    settings->state.torn = NULL;

    s->conf->origin->proto->client_hold(s->wire, NGX_HYPERDRIVE_PROTO_TELL);

    return NGX_OK;
}


/*
 * DISCARD ALL does not share the fate of what is sent behind it: until that is
 * put right, the client is not told what the connection has become.
 */

void
ngx_hyperdrive_session_settings_back_failed(ngx_hyperdrive_session_t *s)
{
    ngx_uint_t                          i, hold;
    ngx_hyperdrive_session_change_t    *change;
    ngx_hyperdrive_session_settings_t  *settings;

    settings = s->settings;
    hold = (settings->parted != NULL);

    for (i = 0; i < settings->nchanges; i++) {
        change = settings->changes[i];

        hold |= (change->after == 0
                 && ngx_hyperdrive_session_settings_back_parted(settings,
                                                                change));
    }

    if (hold) {
        s->conf->origin->proto->client_hold(s->wire,
                                            NGX_HYPERDRIVE_PROTO_HOLD);
    }
}


ngx_uint_t
ngx_hyperdrive_session_settings_back_parted(
    ngx_hyperdrive_session_settings_t *settings,
    ngx_hyperdrive_session_change_t *change)
{
    return change->change == NGX_HYPERDRIVE_STATE_DISCARD_ALL && change->back
           && (change->apart || settings->discarded);
}


/* who may reset it need not be who may set it */

static ngx_uint_t
ngx_hyperdrive_session_settings_back_lent(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_state_bucket_t *back)
{
    u_char                          *p;
    ngx_str_t                        role, value;
    ngx_hyperdrive_state_setting_t   setting;

    ngx_str_set(&role, "role");

    if (ngx_hyperdrive_state_settings_find(&s->settings->state, &role, &value)
        != NGX_OK)
    {
        return 0;
    }

    p = NULL;

    while (ngx_hyperdrive_state_bucket_next(back, &p, &setting) == NGX_OK) {

        if (ngx_hyperdrive_sql_set_privileged(&setting.name)) {
            return 1;
        }
    }

    return 0;
}
