
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session.h"
#include "base/ngx_hyperdrive_base_cursor.h"
#include "base/ngx_hyperdrive_base_mode.h"
#include "sql/ngx_hyperdrive_sql_set.h"


static ngx_int_t ngx_hyperdrive_session_settings_role_schema(
    ngx_hyperdrive_session_t *s, ngx_hyperdrive_state_bucket_t **other);
static ngx_uint_t ngx_hyperdrive_session_settings_role_change(
    ngx_hyperdrive_session_t *s, ngx_hyperdrive_sql_set_t *set);


static ngx_str_t  ngx_hyperdrive_session_settings_role_name =
    ngx_string("role");
static ngx_str_t  ngx_hyperdrive_session_settings_role_user =
    ngx_string("session_authorization");


/*
 * A role that the client has may be taken away from it: then no connection can
 * be set to it any more.  As directly, it may be left even so: who says which
 * role it wants does not need the one before.
 */

ngx_int_t
ngx_hyperdrive_session_settings_role(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_state_bucket_t **other)
{
    ngx_str_t                       *user, *role;
    ngx_hyperdrive_sql_set_t         set;
    ngx_hyperdrive_state_bucket_t   *bucket;
    ngx_hyperdrive_state_setting_t   setting;

    if (s->conf->origin->proto->dialect & NGX_HYPERDRIVE_BASE_MODE_MYSQL) {
        return ngx_hyperdrive_session_settings_role_schema(s, other);
    }

    role = &ngx_hyperdrive_session_settings_role_name;
    user = &ngx_hyperdrive_session_settings_role_user;

    bucket = ngx_hyperdrive_session_settings_bucket(s);

    if (s->deferred || s->streaming || !s->unit.bare
        || !s->unit.stmt->plan.settings || !s->unit.stmt->plan.single
        || (ngx_hyperdrive_state_bucket_find(bucket, role, &setting) != NGX_OK
            && ngx_hyperdrive_state_bucket_find(bucket, user, &setting)
               != NGX_OK)
        || !ngx_hyperdrive_session_settings_role_change(s, &set))
    {
        return NGX_DECLINED;
    }

    if (set.change == NGX_HYPERDRIVE_SQL_SET_DISCARD_ALL) {

        if (s->origin->unknown) {
            return NGX_DECLINED;
        }

        /* it goes by itself, and needs nothing */

        *other = ngx_hyperdrive_state_bucket_ref(s->origin->bucket);

        return NGX_OK;
    }

    if ((set.change != NGX_HYPERDRIVE_SQL_SET_VALUE
         && set.change != NGX_HYPERDRIVE_SQL_SET_RESET)
        || (!ngx_hyperdrive_base_same(&set.name, role)
            && !ngx_hyperdrive_base_same(&set.name, user)))
    {
        return NGX_DECLINED;
    }

    bucket = ngx_hyperdrive_state_bucket_ref(bucket);

    if (ngx_hyperdrive_state_bucket_reset(&bucket, role) == NGX_OK
        && (ngx_hyperdrive_base_same(&set.name, role)
            || ngx_hyperdrive_state_bucket_reset(&bucket, user) == NGX_OK))
    {
        *other = bucket;
        return NGX_OK;
    }

    ngx_hyperdrive_state_bucket_unref(bucket);

    return NGX_DECLINED;
}


/*
 * MySQL: the same of a schema, which may have been dropped: the connection
 * stays in the one where it is.
 */

static ngx_int_t
ngx_hyperdrive_session_settings_role_schema(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_state_bucket_t **other)
{
    ngx_int_t                        rc;
    ngx_hyperdrive_origin_t         *o;
    ngx_hyperdrive_sql_set_t         set;
    ngx_hyperdrive_state_bucket_t   *bucket;
    ngx_hyperdrive_state_setting_t   setting;

    static ngx_str_t  use = ngx_string("use");

    o = s->origin;

    if (s->deferred || s->streaming || o->unknown) {
        return NGX_DECLINED;
    }

    if (!s->unit.schema
        && (!s->unit.bare || !s->unit.stmt->plan.settings
            || !s->unit.stmt->plan.single
            || !ngx_hyperdrive_session_settings_role_change(s, &set)
            || set.change != NGX_HYPERDRIVE_SQL_SET_VALUE
            || !ngx_hyperdrive_base_same(&set.name, &use)))
    {
        return NGX_DECLINED;
    }

    bucket = ngx_hyperdrive_state_bucket_ref(
                                  ngx_hyperdrive_session_settings_bucket(s));

    if (ngx_hyperdrive_state_bucket_find(o->bucket, &use, &setting)
        == NGX_OK)
    {
        rc = setting.unsure ? NGX_DECLINED
             : ngx_hyperdrive_state_bucket_set(&bucket, &use, &setting.value);

    } else {
        rc = ngx_hyperdrive_state_bucket_reset(&bucket, &use);
    }

    if (rc == NGX_OK) {
        *other = bucket;
        return NGX_OK;
    }

    ngx_hyperdrive_state_bucket_unref(bucket);

    return NGX_DECLINED;
}


/* the only one that its unit makes */

static ngx_uint_t
ngx_hyperdrive_session_settings_role_change(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_sql_set_t *set)
{
    ngx_str_t                        text;
    ngx_hyperdrive_sql_set_t         more;
    ngx_hyperdrive_sql_mode_t        mode;
    ngx_hyperdrive_sql_set_reader_t  r;
    static u_char                    buf[1024];

    text.data = s->unit.stmt->text;
    text.len = s->unit.stmt->len;

    ngx_memzero(&r, sizeof(ngx_hyperdrive_sql_set_reader_t));

    r.buf = buf;
    r.size = sizeof(buf);

    ngx_hyperdrive_sql_mode(s->unit.stmt->mode, &mode);

    ngx_hyperdrive_sql_set_begin(&r, &text, &mode);

    return ngx_hyperdrive_sql_set_next(&r, set) == NGX_OK
           && ngx_hyperdrive_sql_set_next(&r, &more) == NGX_DONE;
}
