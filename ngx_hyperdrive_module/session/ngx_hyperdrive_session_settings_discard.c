
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session_diag.h"
#include "base/ngx_hyperdrive_base_cursor.h"


/* settings that a prepared statement stays bound to */
#define NGX_HYPERDRIVE_SESSION_SCOPE     5


static void ngx_hyperdrive_session_settings_schema(
    ngx_hyperdrive_state_bucket_t **bucket);


void
ngx_hyperdrive_session_settings_discard(ngx_hyperdrive_session_t *s)
{
    ngx_hyperdrive_origin_t            *o;
    ngx_hyperdrive_session_settings_t  *settings;

    o = s->origin;
    settings = s->settings;

    ngx_hyperdrive_session_diag_free(s);

    if (settings) {
        ngx_hyperdrive_session_settings_drop(settings, settings->nchanges);
        ngx_hyperdrive_session_settings_schema(&settings->state.committed);

        ngx_hyperdrive_state_bucket_unref(settings->state.now);
        settings->state.now =
                  ngx_hyperdrive_state_bucket_ref(settings->state.committed);

        s->plans_generation = 0;

        ngx_hyperdrive_session_settings_mode(s);
    }

    if (o) {
        ngx_hyperdrive_session_settings_schema(&o->bucket);
    }
}


/* of all that is set only it is left */

static void
ngx_hyperdrive_session_settings_schema(ngx_hyperdrive_state_bucket_t **bucket)
{
    ngx_hyperdrive_state_bucket_t   *left;
    ngx_hyperdrive_state_setting_t   setting;

    static ngx_str_t  use = ngx_string("use");

    left = NULL;

    if (ngx_hyperdrive_state_bucket_find(*bucket, &use, &setting) == NGX_OK
        && ngx_hyperdrive_state_bucket_set(&left, &use,
                                           setting.unsure ? NULL
                                                          : &setting.value)
           != NGX_OK)
    {
        return;
    }

    ngx_hyperdrive_state_bucket_unref(*bucket);
    *bucket = left;
}


ngx_int_t
ngx_hyperdrive_session_settings_learn(ngx_hyperdrive_session_t *s,
    ngx_str_t *name, ngx_str_t *value)
{
    ngx_uint_t                           i;
    ngx_hyperdrive_state_bucket_t      **buckets[2];
    ngx_hyperdrive_session_settings_t   *settings;

    settings = ngx_hyperdrive_session_settings_get(s);
    if (settings == NULL) {
        return NGX_ERROR;
    }

    buckets[0] = &settings->state.committed;
    buckets[1] = s->origin ? &s->origin->bucket : NULL;

    for (i = 0; i < 2 && buckets[i]; i++) {

        if ((value ? ngx_hyperdrive_state_bucket_set(buckets[i], name, value)
                   : ngx_hyperdrive_state_bucket_reset(buckets[i], name))
            != NGX_OK)
        {
            ngx_hyperdrive_session_settings_unknown(s);
            return NGX_ERROR;
        }
    }

    ngx_hyperdrive_state_bucket_unref(settings->state.now);
    settings->state.now =
                  ngx_hyperdrive_state_bucket_ref(settings->state.committed);

    s->plans_generation = 0;

    ngx_hyperdrive_session_settings_mode(s);

    return NGX_OK;
}


void
ngx_hyperdrive_session_settings_told(ngx_hyperdrive_session_t *s,
    ngx_str_t *schema)
{
    ngx_hyperdrive_session_settings_t  *settings;

    settings = ngx_hyperdrive_session_settings_get(s);

    if (settings) {
        free(settings->schema.data);

        settings->schema.len = schema->len;
        settings->schema.data = malloc(schema->len);

        if (settings->schema.data) {
            ngx_memcpy(settings->schema.data, schema->data, schema->len);
            return;
        }

        settings->schema.len = 0;
    }

    ngx_hyperdrive_session_pin_astray(s);
}


void
ngx_hyperdrive_session_settings_follow(ngx_hyperdrive_session_t *s)
{
    ngx_str_t                          *told, now;
    ngx_hyperdrive_session_settings_t  *settings;

    static ngx_str_t  use = ngx_string("use");

    settings = s->settings;
    told = &settings->schema;

    if (ngx_hyperdrive_session_schema(s, &now) != NGX_OK) {
        now = s->origin->pool->database;
    }

    if (settings->lost) {

        /* an error does not tell, as of a routine in another one: it is chosen
           again before it is used */

        if (ngx_hyperdrive_state_bucket_set(&s->origin->bucket, &use, NULL)
            != NGX_OK)
        {
            ngx_hyperdrive_session_settings_unknown(s);
        }

        s->aligned = 0;

    } else if (!ngx_hyperdrive_base_same(told, &now)
               && (memchr(told->data, '`', told->len)
                   || ngx_hyperdrive_session_settings_learn(s, &use, told)
                      != NGX_OK))
    {
        /* nobody else can be told */
        ngx_hyperdrive_session_pin_astray(s);
    }

    free(told->data);
    ngx_str_null(told);

    settings->lost = 0;
}


void
ngx_hyperdrive_session_settings_mode(ngx_hyperdrive_session_t *s)
{
    size_t                           len;
    u_char                          *p, *buf;
    ngx_str_t                       *value[NGX_HYPERDRIVE_SESSION_SCOPE], scope;
    ngx_uint_t                       i;
    ngx_hyperdrive_proto_t          *proto;
    ngx_hyperdrive_state_setting_t   setting[NGX_HYPERDRIVE_SESSION_SCOPE];

    static ngx_str_t  unknown = ngx_string("?");

    /* what a text is read by, and what a prepared one stays bound to */

    static ngx_str_t  names[NGX_HYPERDRIVE_SESSION_SCOPE] = {
        ngx_string("character_set_client"),
        ngx_string("sql_mode"),
        ngx_string("character_set_connection"),
        ngx_string("collation_connection"),
        ngx_string("use")
    };

    proto = s->conf->origin->proto;

    if (proto->client_mode == NULL) {
        return;
    }

    len = 0;

    for (i = 0; i < NGX_HYPERDRIVE_SESSION_SCOPE; i++) {
        value[i] = NULL;

        if (ngx_hyperdrive_state_bucket_find(s->settings->state.now, &names[i],
                                             &setting[i])
            == NGX_OK)
        {
            value[i] = setting[i].unsure ? &unknown : &setting[i].value;
            len += value[i]->len + 2;
        }
    }

    buf = malloc(len + 1);

    if (buf == NULL) {
        value[0] = &unknown;
        ngx_str_null(&scope);
        proto->client_mode(s->wire, value[0], value[1], &scope);
        return;
    }

    p = buf;

    for (i = 0; i < NGX_HYPERDRIVE_SESSION_SCOPE; i++) {

        if (value[i]) {
            *p++ = (u_char) i;
            p = ngx_cpymem(p, value[i]->data, value[i]->len);
            *p++ = '\0';
        }
    }

    scope.data = buf;
    scope.len = p - buf;

    proto->client_mode(s->wire, value[0], value[1], &scope);

    free(buf);
}
