
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session_diag.h"
#include "base/ngx_hyperdrive_base_mode.h"


/*
 * Transaction blocks that the database has not heard of yet: a BEGIN is
 * answered at once and sent with the first request that needs an origin, so
 * an idle block holds no connection, and one that is empty costs no trip.
 */


static ngx_uint_t ngx_hyperdrive_session_block_chains(
    ngx_hyperdrive_session_t *s, ngx_str_t *value);
static ngx_int_t ngx_hyperdrive_session_block_begin(
    ngx_hyperdrive_session_t *s);
static ngx_int_t ngx_hyperdrive_session_block_autocommit(
    ngx_hyperdrive_session_t *s);
static void ngx_hyperdrive_session_block_set(ngx_hyperdrive_session_t *s,
    ngx_uint_t deferred, ngx_uint_t failed);


ngx_int_t
ngx_hyperdrive_session_block(ngx_hyperdrive_session_t *s)
{
    ngx_str_t                      value;
    ngx_hyperdrive_proto_t        *proto;
    ngx_hyperdrive_proto_unit_t   *unit;
    ngx_hyperdrive_proto_error_t   err;

    unit = &s->unit;
    proto = s->conf->origin->proto;

    if (s->streaming && s->failed) {
        unit->fatal = 1;
    }

    if (unit->fatal) {

        /* it fails, but we cannot tell how the database would put it */

        ngx_hyperdrive_session_fatal(s, "25P02", "current transaction is "
                                     "aborted, it had no connection to the "
                                     "database");
        return NGX_DONE;
    }

    if (unit->fails) {
        err.severity = "ERROR";
        err.sqlstate = "25P02";
        err.message = "current transaction is aborted, commands ignored until "
                      "end of transaction block";
        err.hint = NULL;

        ngx_hyperdrive_session_refuse(s, &err);

        return NGX_OK;
    }

    if (unit->begin
        && (s->net.pos + unit->len != s->net.last
            || ngx_hyperdrive_session_block_chains(s, &value)))
    {
        /* what belongs into the block is there already: all in one write */

        return NGX_DECLINED;
    }

    if (unit->begin) {

        if (ngx_hyperdrive_session_block_begin(s) != NGX_OK) {
            return NGX_DECLINED;
        }

        proto->block_begin(s->wire, unit, &s->net.out);
        ngx_hyperdrive_session_block_set(s, unit->begin, 0);

    } else if (unit->end
               || (unit->empty
                   && !ngx_hyperdrive_session_block_chains(s, &value)))
    {
        proto->block_end(s->wire, unit, &s->net.out);
        ngx_hyperdrive_session_block_set(s, 0, 0);

    } else if (unit->autocommit) {

        if (ngx_hyperdrive_session_block_autocommit(s) != NGX_OK) {
            return NGX_DECLINED;
        }

        proto->block_autocommit(s->wire, unit, &s->net.out);

    } else {
        return NGX_DECLINED;
    }

    if (s->diag) {
        ngx_hyperdrive_session_diag_served(s, -1);
    }

    s->conf->origin->counters->deferred++;

    ngx_hyperdrive_session_served(s, NULL);

    return NGX_OK;
}


/* MySQL: the answer says whether anything may be written in it */

static ngx_int_t
ngx_hyperdrive_session_block_begin(ngx_hyperdrive_session_t *s)
{
    ngx_str_t   value;
    ngx_uint_t  i;

    static ngx_str_t  names[] = {
        ngx_string("tx_read_only"),
        ngx_string("transaction_read_only")
    };

    s->unit.read_only = 0;

    if (s->settings == NULL
        || !(s->conf->origin->proto->dialect & NGX_HYPERDRIVE_BASE_MODE_MYSQL))
    {
        return NGX_OK;
    }

    for (i = 0; i < 2; i++) {

        if (ngx_hyperdrive_state_settings_find(&s->settings->state, &names[i],
                                               &value)
            != NGX_OK)
        {
            continue;
        }

        if (value.len != 1 || (value.data[0] != '0' && value.data[0] != '1')) {
            /* the database knows what it means */
            return NGX_DECLINED;
        }

        s->unit.read_only |= (value.data[0] == '1');
    }

    return NGX_OK;
}


/*
 * MySQL: what is begun by each statement is a setting, which cannot fail.  A
 * connection gets it as any other.
 */

static ngx_int_t
ngx_hyperdrive_session_block_autocommit(ngx_hyperdrive_session_t *s)
{
    ngx_str_t  name, value;

    if (s->deferred || s->conf->settings_transaction) {
        return NGX_DECLINED;
    }

    ngx_str_set(&name, "autocommit");
    ngx_str_set(&value, "0");

    if (s->unit.autocommit == NGX_HYPERDRIVE_STATE_AUTOCOMMIT_ON) {
        ngx_str_set(&value, "1");
    }

    /* said, even if a log-in begins so: init_connect may have changed it */

    return ngx_hyperdrive_session_settings_learn(s, &name, &value);
}


void
ngx_hyperdrive_session_block_failed(ngx_hyperdrive_session_t *s)
{
    /* in MySQL the block goes on behind an error */

    if (s->deferred && !(s->conf->origin->proto->dialect
                         & NGX_HYPERDRIVE_BASE_MODE_MYSQL))
    {
        ngx_hyperdrive_session_block_set(s, 0, 1);
    }
}


void
ngx_hyperdrive_session_block_forget(ngx_hyperdrive_session_t *s)
{
    if (s->deferred) {
        ngx_hyperdrive_session_block_set(s, 0, 0);
    }
}


ngx_uint_t
ngx_hyperdrive_session_block_releases(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_state_stmt_t *stmt)
{
    ngx_str_t  value;

    if (stmt->plan.releases) {
        return 1;
    }

    return (stmt->plan.commits || stmt->plan.rolls_back)
           && ngx_hyperdrive_session_block_chains(s, &value)
           && value.len
           && (value.data[0] == '2'
               || ngx_strlcasestrn(value.data, value.data + value.len,
                                   (u_char *) "release", 6));
}


/* MySQL: COMMIT would begin another one, or end the connection */

static ngx_uint_t
ngx_hyperdrive_session_block_chains(ngx_hyperdrive_session_t *s,
    ngx_str_t *value)
{
    ngx_str_t  name;

    ngx_str_set(&name, "completion_type");

    return s->settings
           && ngx_hyperdrive_state_settings_find(&s->settings->state, &name,
                                                 value)
              == NGX_OK;
}


static void
ngx_hyperdrive_session_block_set(ngx_hyperdrive_session_t *s,
    ngx_uint_t deferred, ngx_uint_t failed)
{
    s->deferred = deferred;
    s->failed = failed;

    if (s->time) {
        ngx_hyperdrive_session_time_doing(s, deferred || failed
                                             ? NGX_HYPERDRIVE_SESSION_BLOCK
                                             : NGX_HYPERDRIVE_SESSION_IDLE);
    }
}
