
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "mysql/ngx_hyperdrive_mysql_login.h"
#include "mysql/ngx_hyperdrive_mysql_compress.h"


/* what a users file has, and what is kept of users */


void
ngx_hyperdrive_mysql_login_keys_free(void **keys)
{
    if (*keys) {
        ngx_hyperdrive_base_digest_wipe(*keys, NGX_HYPERDRIVE_MYSQL_SHA256);
        free(*keys);
        *keys = NULL;
    }
}


ngx_uint_t
ngx_hyperdrive_mysql_login_is_verifier(ngx_str_t *secret)
{
    return ngx_hyperdrive_mysql_verifier_kind(secret);
}


char *
ngx_hyperdrive_mysql_login_secret_wrong(ngx_str_t *secret)
{
    return (secret->len >= NGX_HYPERDRIVE_MYSQL_PASSWORD
            && !ngx_hyperdrive_mysql_verifier_kind(secret))
           ? "passwords of MySQL have at most 255 bytes" : NULL;
}


ngx_int_t
ngx_hyperdrive_mysql_login_verifier(ngx_str_t *user, ngx_str_t *password,
    u_char *mock, u_char *out)
{
    return ngx_hyperdrive_mysql_verifier_make(password, out);
}


ngx_int_t
ngx_hyperdrive_mysql_login_compress(ngx_hyperdrive_proto_login_t *login,
    ngx_hyperdrive_mysql_greeting_t *greeting)
{
    uint64_t    cap;
    ngx_uint_t  i;

    for (i = 0; i < login->compress.len; i++) {

        switch (login->compress.data[i]) {

        case 'z':
            cap = NGX_HYPERDRIVE_MYSQL_COMPRESS;
            break;

        case 's':
            cap = NGX_HYPERDRIVE_MYSQL_ZSTD;
            break;

        default:
            return NGX_OK;
        }

        if (greeting->offered & cap & NGX_HYPERDRIVE_MYSQL_COMPRESSED) {
            greeting->capabilities |= cap;
            return NGX_OK;
        }
    }

    return login->compress.len ? NGX_DECLINED : NGX_OK;
}


ngx_str_t *
ngx_hyperdrive_mysql_login_param(ngx_hyperdrive_proto_login_t *login,
    char *name)
{
    ngx_str_t   text;
    ngx_uint_t  i;

    text.data = (u_char *) name;
    text.len = ngx_strlen(name);

    for (i = 0; i < login->nparams; i++) {

        if (ngx_hyperdrive_base_same(&login->params[i].name, &text)) {
            return &login->params[i].value;
        }
    }

    return NULL;
}
