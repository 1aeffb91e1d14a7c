
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "ngx_hyperdrive_pg_origin_login.h"
#include "ngx_hyperdrive_pg_message.h"
#include "base/ngx_hyperdrive_base_cursor.h"


static ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_origin_auth_cleartext(
    ngx_hyperdrive_pg_origin_login_t *login, ngx_hyperdrive_chain_t *out);
static ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_origin_auth_md5(
    ngx_hyperdrive_pg_origin_login_t *login, u_char *salt,
    ngx_hyperdrive_chain_t *out);
static ngx_int_t ngx_hyperdrive_pg_origin_auth_md5_hex(u_char *text,
    size_t len, u_char *out);
static ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_origin_auth_sasl(
    ngx_hyperdrive_pg_origin_login_t *login, u_char *p, u_char *last,
    ngx_hyperdrive_chain_t *out);
static ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_origin_auth_none(
    ngx_hyperdrive_pg_origin_login_t *login);
static ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_origin_auth_scram_failed(
    ngx_hyperdrive_pg_origin_login_t *login);


ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_origin_auth(ngx_hyperdrive_pg_origin_login_t *login,
    u_char *p, u_char *last, ngx_hyperdrive_chain_t *out)
{
    uint32_t                                 type;
    ngx_int_t                                rc;
    ngx_str_t                                in, answer;
    ngx_hyperdrive_pg_origin_login_step_e    step;
    ngx_hyperdrive_pg_origin_login_state_t  *state;

    state = login->state;
    step = state->step;

    p = ngx_hyperdrive_base_read_u32(p, last, &type);

    if (p == NULL) {
        return ngx_hyperdrive_pg_origin_login_violation(login,
                                 "malformed authentication request");
    }

    in.data = p;
    in.len = last - p;

    switch (type) {

    case NGX_HYPERDRIVE_PG_AUTH_OK:

        /* in the middle of SCRAM it has not shown that it knows us */

        if (step == NGX_HYPERDRIVE_PG_ORIGIN_STEP_FIRST
            || step == NGX_HYPERDRIVE_PG_ORIGIN_STEP_FINAL)
        {
            return ngx_hyperdrive_pg_origin_login_fail(login, "28000",
                                 "the origin accepted the log-in without "
                                 "proving that it knows the password");
        }

        if (in.len) {
            break;
        }

        state->step = NGX_HYPERDRIVE_PG_ORIGIN_STEP_READY;

        return NGX_HYPERDRIVE_PG_LOGIN_AGAIN;

    case NGX_HYPERDRIVE_PG_AUTH_CLEARTEXT:

        if (step != NGX_HYPERDRIVE_PG_ORIGIN_STEP_AUTH || in.len) {
            break;
        }

        return ngx_hyperdrive_pg_origin_auth_cleartext(login, out);

    case NGX_HYPERDRIVE_PG_AUTH_MD5_PASSWORD:

        if (step != NGX_HYPERDRIVE_PG_ORIGIN_STEP_AUTH || in.len != 4) {
            break;
        }

        return ngx_hyperdrive_pg_origin_auth_md5(login, p, out);

    case NGX_HYPERDRIVE_PG_AUTH_SASL:

        if (step != NGX_HYPERDRIVE_PG_ORIGIN_STEP_AUTH) {
            break;
        }

        return ngx_hyperdrive_pg_origin_auth_sasl(login, p, last, out);

    case NGX_HYPERDRIVE_PG_AUTH_SASL_CONTINUE:

        if (step != NGX_HYPERDRIVE_PG_ORIGIN_STEP_FIRST) {
            break;
        }

        rc = ngx_hyperdrive_pg_scram_client_final(&state->scram, &in, &answer);

        if (rc == NGX_DECLINED) {
            return ngx_hyperdrive_pg_origin_login_config(login,
                                               state->scram.error.sqlstate,
                                               state->scram.error.message);
        }

        if (rc != NGX_OK) {
            return ngx_hyperdrive_pg_origin_auth_scram_failed(login);
        }

        ngx_hyperdrive_pg_message(out, 'p', answer.data, answer.len);

        state->step = NGX_HYPERDRIVE_PG_ORIGIN_STEP_FINAL;

        return NGX_HYPERDRIVE_PG_LOGIN_AGAIN;

    case NGX_HYPERDRIVE_PG_AUTH_SASL_FINAL:

        if (step != NGX_HYPERDRIVE_PG_ORIGIN_STEP_FINAL) {
            break;
        }

        rc = ngx_hyperdrive_pg_scram_client_verify(&state->scram, &in);

        if (rc != NGX_OK) {
            return ngx_hyperdrive_pg_origin_auth_scram_failed(login);
        }

        state->step = NGX_HYPERDRIVE_PG_ORIGIN_STEP_PROVEN;

        return NGX_HYPERDRIVE_PG_LOGIN_AGAIN;

    case 2:
    case 7:
    case 8:
    case 9:
        return ngx_hyperdrive_pg_origin_login_config(login, "28000",
                                 "the origin asks for Kerberos, GSSAPI or "
                                 "SSPI, which is not supported");

    default:
        return ngx_hyperdrive_pg_origin_login_config(login, "28000",
                                 "the origin asks for an authentication "
                                 "method that is not supported");
    }

    return ngx_hyperdrive_pg_origin_login_violation(login,
                                 "authentication request out of order, "
                                 "or malformed");
}


static ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_origin_auth_cleartext(ngx_hyperdrive_pg_origin_login_t *login,
    ngx_hyperdrive_chain_t *out)
{
    u_char                                  *p;
    ngx_hyperdrive_pg_origin_login_state_t  *state;

    state = login->state;

    if (!login->tls && !login->allow_cleartext) {
        return ngx_hyperdrive_pg_origin_login_config(login, "28000",
                                 "the origin asks for the password in clear "
                                 "text, which is not sent without TLS");
    }

    if (login->password.len == 0) {
        return ngx_hyperdrive_pg_origin_auth_none(login);
    }

    if (login->password.len > NGX_HYPERDRIVE_PG_MAX_STARTUP
        || memchr(login->password.data, '\0', login->password.len))
    {
        return ngx_hyperdrive_pg_origin_login_config(login, "28000",
                                 "the password for the origin is too long, "
                                 "or has a zero byte in it");
    }

    p = ngx_hyperdrive_base_chain_reserve(out, 5 + login->password.len + 1);

    if (p) {
        *p++ = 'p';
        p = ngx_hyperdrive_base_put_u32(p, 4 + login->password.len + 1);
        p = ngx_cpymem(p, login->password.data, login->password.len);
        *p = '\0';
    }

    state->step = NGX_HYPERDRIVE_PG_ORIGIN_STEP_ANSWERED;

    return NGX_HYPERDRIVE_PG_LOGIN_AGAIN;
}


/* "md5", then md5(md5(password, user), salt), both in hexadecimal */

static ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_origin_auth_md5(ngx_hyperdrive_pg_origin_login_t *login,
    u_char *salt, ngx_hyperdrive_chain_t *out)
{
    size_t                                   len;
    u_char                                  *p, *buf;
    u_char                                   text[36], answer[36];
    ngx_int_t                                rc;
    ngx_hyperdrive_pg_origin_login_state_t  *state;

    state = login->state;

    if (login->password.len == 0 && login->md5.len != 35) {
        return ngx_hyperdrive_pg_origin_auth_none(login);
    }

    len = login->password.len + login->user.len;

    buf = malloc(len);
    if (buf == NULL) {
        return ngx_hyperdrive_pg_origin_login_fail(login, "53200",
                                                   "out of memory");
    }

    rc = NGX_OK;

    if (login->password.len) {
        p = ngx_cpymem(buf, login->password.data, login->password.len);
        ngx_memcpy(p, login->user.data, login->user.len);

        rc = ngx_hyperdrive_pg_origin_auth_md5_hex(buf, len, text);

    } else {
        ngx_memcpy(text, login->md5.data + 3, 32);
    }

    if (rc == NGX_OK) {
        ngx_memcpy(text + 32, salt, 4);

        p = ngx_cpymem(answer, "md5", 3);

        rc = ngx_hyperdrive_pg_origin_auth_md5_hex(text, sizeof(text), p);

        answer[35] = '\0';
    }

    ngx_hyperdrive_base_digest_wipe(buf, len);
    ngx_hyperdrive_base_digest_wipe(text, sizeof(text));

    free(buf);

    if (rc != NGX_OK) {
        return ngx_hyperdrive_pg_origin_login_config(login, "XX000",
                                 "the origin asks for MD5, which the TLS "
                                 "library does not allow");
    }

    ngx_hyperdrive_pg_message(out, 'p', answer, sizeof(answer));

    state->step = NGX_HYPERDRIVE_PG_ORIGIN_STEP_ANSWERED;

    return NGX_HYPERDRIVE_PG_LOGIN_AGAIN;
}


static ngx_int_t
ngx_hyperdrive_pg_origin_auth_md5_hex(u_char *text, size_t len, u_char *out)
{
    u_char  digest[NGX_HYPERDRIVE_BASE_DIGEST_MD5];

    if (ngx_hyperdrive_base_digest_md5(text, len, digest) != NGX_OK) {
        return NGX_ERROR;
    }

    ngx_hex_dump(out, digest, sizeof(digest));

    return NGX_OK;
}


/* a list of mechanisms, the best is taken; the answer is SASLInitialResponse */

static ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_origin_auth_sasl(ngx_hyperdrive_pg_origin_login_t *login,
    u_char *p, u_char *last, ngx_hyperdrive_chain_t *out)
{
    char                                    *name;
    size_t                                   len;
    ngx_str_t                                mechanism, first;
    ngx_uint_t                               can_bind, plain, plus;
    ngx_hyperdrive_pg_scram_client_t        *scram;
    ngx_hyperdrive_pg_origin_login_state_t  *state;

    state = login->state;
    scram = &state->scram;

    plain = 0;
    plus = 0;

    for ( ;; ) {
        p = ngx_hyperdrive_base_read_cstr(p, last, &mechanism);

        if (p == NULL) {
            return ngx_hyperdrive_pg_origin_login_violation(login,
                                 "malformed authentication request");
        }

        if (mechanism.len == 0) {
            break;
        }

        if (ngx_strcmp(mechanism.data, NGX_HYPERDRIVE_PG_SCRAM_NAME) == 0) {
            plain = 1;

        } else if (ngx_strcmp(mechanism.data,
                              NGX_HYPERDRIVE_PG_SCRAM_PLUS_NAME)
                   == 0)
        {
            plus = 1;
        }
    }

    can_bind = login->tls && login->cert_hash.len
               && login->cert_hash.len <= NGX_HYPERDRIVE_PG_SCRAM_MAX_CBIND;

    if (!plain && !(plus && can_bind)) {
        return ngx_hyperdrive_pg_origin_login_config(login, "28000",
                                 "the origin offers no SASL mechanism "
                                 "that is supported");
    }

    /* an offer that cannot be made without TLS is somebody's trick */

    if (plus && !login->tls) {
        return ngx_hyperdrive_pg_origin_login_violation(login,
                                 "the origin offers SCRAM-SHA-256-PLUS over "
                                 "a connection without TLS");
    }

    if (login->password.len == 0 && login->pass == NULL) {
        return ngx_hyperdrive_pg_origin_auth_none(login);
    }

    scram->password = login->password;
    scram->keys = login->keys;
    scram->pass = login->password.len ? NULL : login->pass;
    scram->cbind = login->cert_hash;

    if (plus && can_bind) {
        scram->flag = 'p';
        name = NGX_HYPERDRIVE_PG_SCRAM_PLUS_NAME;

    } else {
        /* 'y' lets the origin find out that its offer was taken away */

        scram->flag = (can_bind && !plus) ? 'y' : 'n';
        name = NGX_HYPERDRIVE_PG_SCRAM_NAME;
    }

    if (ngx_hyperdrive_pg_scram_client_first(scram, &first) != NGX_OK) {
        return ngx_hyperdrive_pg_origin_auth_scram_failed(login);
    }

    len = ngx_strlen(name) + 1;

    p = ngx_hyperdrive_base_chain_reserve(out, 5 + len + 4 + first.len);

    if (p) {
        *p++ = 'p';
        p = ngx_hyperdrive_base_put_u32(p, 4 + len + 4 + first.len);
        p = ngx_cpymem(p, name, len);
        p = ngx_hyperdrive_base_put_u32(p, first.len);
        ngx_memcpy(p, first.data, first.len);
    }

    state->step = NGX_HYPERDRIVE_PG_ORIGIN_STEP_FIRST;

    return NGX_HYPERDRIVE_PG_LOGIN_AGAIN;
}


static ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_origin_auth_none(ngx_hyperdrive_pg_origin_login_t *login)
{
    if (login->pass || login->md5.len) {
        return ngx_hyperdrive_pg_origin_login_config(login, "28000",
                                 "the origin asks for a password in a form "
                                 "that is not known of this user");
    }

    return ngx_hyperdrive_pg_origin_login_config(login, "28000",
                                 "the origin asks for a password, "
                                 "and none is configured");
}


static ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_origin_auth_scram_failed(
    ngx_hyperdrive_pg_origin_login_t *login)
{
    ngx_hyperdrive_pg_scram_error_t         *error;
    ngx_hyperdrive_pg_origin_login_state_t  *state;

    state = login->state;
    error = &state->scram.error;

    /* the detail says it all, "malformed SCRAM message" little */

    return ngx_hyperdrive_pg_origin_login_fail(login, error->sqlstate,
                             error->detail ? error->detail : error->message);
}
