
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "mysql/ngx_hyperdrive_mysql.h"
#include "mysql/ngx_hyperdrive_mysql_compress.h"
#include "mysql/ngx_hyperdrive_mysql_login.h"
#include "mysql/ngx_hyperdrive_mysql_wire.h"
#include "mysql/ngx_hyperdrive_mysql_role.h"
#include "mysql/ngx_hyperdrive_mysql_position.h"
#include "base/ngx_hyperdrive_base_mode.h"


static ngx_uint_t ngx_hyperdrive_mysql_mode(ngx_str_t *greeting);
static ngx_int_t ngx_hyperdrive_mysql_codec(void *client, void *origin,
    ngx_hyperdrive_base_codec_t **codec);
static void ngx_hyperdrive_mysql_hold(void *client, ngx_uint_t hold);
static void ngx_hyperdrive_mysql_describe(void *client);
static ngx_int_t ngx_hyperdrive_mysql_repeat(void *client, void *origin,
    ngx_hyperdrive_chain_t *out, ngx_str_t *data);
static ngx_int_t ngx_hyperdrive_mysql_probe(void *origin, ngx_uint_t pins,
    ngx_uint_t tag, ngx_hyperdrive_chain_t *out);
static ngx_uint_t ngx_hyperdrive_mysql_probe_row(u_char *data, size_t len);


ngx_hyperdrive_proto_t  ngx_hyperdrive_mysql_proto = {
    ngx_string("mysql"),
    3306,
    NGX_HYPERDRIVE_BASE_MODE_MYSQL,
    0,
    1,

    ngx_hyperdrive_mysql_login_greet,
    ngx_hyperdrive_mysql_login_client,
    ngx_hyperdrive_mysql_login_client_free,
    ngx_hyperdrive_mysql_login_change,
    ngx_hyperdrive_mysql_login_welcome,
    ngx_hyperdrive_mysql_login_origin,
    ngx_hyperdrive_mysql_login_origin_free,
    ngx_hyperdrive_mysql_login_keys_free,
    ngx_hyperdrive_mysql_login_is_verifier,
    ngx_hyperdrive_mysql_login_secret_wrong,
    ngx_hyperdrive_mysql_login_verifier,
    ngx_hyperdrive_mysql_lookup_request,
    ngx_hyperdrive_mysql_lookup_row,
    ngx_hyperdrive_mysql_mode,
    ngx_hyperdrive_mysql_codec,

    ngx_hyperdrive_mysql_client_create,
    ngx_hyperdrive_mysql_client_destroy,
    ngx_hyperdrive_mysql_export,
    ngx_hyperdrive_mysql_import,
    ngx_hyperdrive_mysql_client_mode,
    ngx_hyperdrive_mysql_client_told,
    ngx_hyperdrive_mysql_hold,
    ngx_hyperdrive_mysql_client_request,
    ngx_hyperdrive_mysql_client_data,
    ngx_hyperdrive_mysql_serve_begin,
    ngx_hyperdrive_mysql_serve_rows,
    ngx_hyperdrive_mysql_serve_end,
    ngx_hyperdrive_mysql_diag_numbers,
    ngx_hyperdrive_mysql_diag_conditions,
    ngx_hyperdrive_mysql_diag_query,
    ngx_hyperdrive_mysql_client_begin,
    ngx_hyperdrive_mysql_client_end,
    ngx_hyperdrive_mysql_client_autocommit,
    ngx_hyperdrive_mysql_prepared,
    ngx_hyperdrive_mysql_client_refuse,
    ngx_hyperdrive_mysql_describe,
    ngx_hyperdrive_mysql_params,
    ngx_hyperdrive_mysql_serve_shape,
    ngx_hyperdrive_mysql_question,
    ngx_hyperdrive_mysql_question_attributes,
    ngx_hyperdrive_mysql_serve_digest,
    ngx_hyperdrive_mysql_error_own,

    ngx_hyperdrive_mysql_origin_create,
    ngx_hyperdrive_mysql_origin_destroy,
    ngx_hyperdrive_mysql_origin_said,
    ngx_hyperdrive_mysql_origin_greeting,
    ngx_hyperdrive_mysql_forward,
    ngx_hyperdrive_mysql_answer,
    ngx_hyperdrive_mysql_origin_own,
    ngx_hyperdrive_mysql_repeat,
    ngx_hyperdrive_mysql_probe,
    ngx_hyperdrive_mysql_probe_row,
    ngx_hyperdrive_mysql_origin_ping,
    ngx_hyperdrive_mysql_origin_reset,
    ngx_hyperdrive_mysql_error_text,
    ngx_hyperdrive_mysql_origin_settled,
    ngx_hyperdrive_mysql_origin_idle,
    ngx_hyperdrive_mysql_origin_owes,
    ngx_hyperdrive_mysql_origin_check,
    ngx_hyperdrive_mysql_origin_copying,
    ngx_hyperdrive_mysql_origin_abandon,
    ngx_hyperdrive_mysql_origin_export,
    ngx_hyperdrive_mysql_origin_import,
    ngx_hyperdrive_mysql_question_query,
    ngx_hyperdrive_mysql_origin_terminate,
    NULL,
    "KILL QUERY %uD",

    ngx_hyperdrive_mysql_left_name,
    ngx_hyperdrive_mysql_left_text,
    ngx_hyperdrive_mysql_left_end,
    0,

    ngx_hyperdrive_mysql_serve_row,

    ngx_hyperdrive_mysql_role,
    ngx_hyperdrive_mysql_role_unlike,
    ngx_hyperdrive_mysql_position_text,
    ngx_hyperdrive_mysql_position_row,
    ngx_hyperdrive_mysql_position_has,
    ngx_hyperdrive_mysql_position_other
};


/* as far as the log-in tells it */

static ngx_uint_t
ngx_hyperdrive_mysql_mode(ngx_str_t *text)
{
    ngx_str_t                        charset, sql_mode;
    ngx_hyperdrive_mysql_greeting_t  greeting;

    (void) ngx_hyperdrive_mysql_greeting_read(text, &greeting);

    ngx_str_set(&charset, "utf8mb4");
    ngx_str_set(&sql_mode, "");

    if (greeting.status & NGX_HYPERDRIVE_MYSQL_NO_BACKSLASH) {
        ngx_str_set(&sql_mode, "NO_BACKSLASH_ESCAPES");
    }

    if (ngx_hyperdrive_mysql_greeting_mariadb(text)
        && (greeting.status & NGX_HYPERDRIVE_MYSQL_ANSI_QUOTES))
    {
        if (sql_mode.len) {
            ngx_str_set(&sql_mode, "NO_BACKSLASH_ESCAPES,ANSI_QUOTES");

        } else {
            ngx_str_set(&sql_mode, "ANSI_QUOTES");
        }
    }

    return ngx_hyperdrive_base_mode_mysql(&greeting.version, &charset,
                                          &sql_mode);
}


static ngx_int_t
ngx_hyperdrive_mysql_codec(void *client, void *origin,
    ngx_hyperdrive_base_codec_t **codec)
{
    uint64_t                        caps;
    ngx_hyperdrive_mysql_client_t  *c;
    ngx_hyperdrive_mysql_origin_t  *o;

    c = client;
    o = origin;

    caps = c ? c->caps : o->caps;

    if (!(caps & NGX_HYPERDRIVE_MYSQL_COMPRESSED)) {
        return NGX_DECLINED;
    }

    *codec = ngx_hyperdrive_mysql_compress(caps, c == NULL);

    return *codec ? NGX_OK : NGX_ERROR;
}


/* what a session is set to is told with the answer to what sets it */

static void
ngx_hyperdrive_mysql_hold(void *client, ngx_uint_t hold)
{
    /* void */
}


/* rows come described */

static void
ngx_hyperdrive_mysql_describe(void *client)
{
    /* void */
}


static ngx_int_t
ngx_hyperdrive_mysql_repeat(void *client, void *origin,
    ngx_hyperdrive_chain_t *out, ngx_str_t *data)
{
    return NGX_ERROR;
}


static ngx_int_t
ngx_hyperdrive_mysql_probe(void *origin, ngx_uint_t pins, ngx_uint_t tag,
    ngx_hyperdrive_chain_t *out)
{
    return NGX_ERROR;
}


static ngx_uint_t
ngx_hyperdrive_mysql_probe_row(u_char *data, size_t len)
{
    return NGX_HYPERDRIVE_PROTO_NO_ROW;
}
