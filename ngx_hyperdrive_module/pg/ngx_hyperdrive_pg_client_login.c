
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "ngx_hyperdrive_pg_client_login.h"
#include "ngx_hyperdrive_pg_message.h"
#include "base/ngx_hyperdrive_base_cursor.h"


/* the longest message of a client behind the start-up packet */
#define NGX_HYPERDRIVE_PG_CLIENT_LOGIN_MAX                                   \
    (NGX_HYPERDRIVE_PG_SCRAM_MAX_MESSAGE + 64)

#define NGX_HYPERDRIVE_PG_CLIENT_LOGIN_MD5                                   \
    (sizeof("md5") - 1 + 2 * NGX_HYPERDRIVE_BASE_DIGEST_MD5)


static ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_client_login_ask(
    ngx_hyperdrive_pg_client_login_t *login, ngx_hyperdrive_chain_t *out);
static ngx_int_t ngx_hyperdrive_pg_client_login_secret(
    ngx_hyperdrive_pg_client_login_t *login);
static ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_client_login_message(
    ngx_hyperdrive_pg_client_login_t *login, u_char **pos, u_char *last,
    ngx_str_t *body, ngx_hyperdrive_chain_t *out);
static ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_client_login_answer(
    ngx_hyperdrive_pg_client_login_t *login, ngx_str_t *body,
    ngx_hyperdrive_chain_t *out);
static ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_client_login_md5(
    ngx_hyperdrive_pg_client_login_t *login, ngx_str_t *body,
    ngx_hyperdrive_chain_t *out);
static ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_client_login_sasl(
    ngx_hyperdrive_pg_client_login_t *login, ngx_str_t *body,
    ngx_hyperdrive_chain_t *out);
static ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_client_login_first(
    ngx_hyperdrive_pg_client_login_t *login, ngx_str_t *body,
    ngx_hyperdrive_chain_t *out);
static ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_client_login_final(
    ngx_hyperdrive_pg_client_login_t *login, ngx_str_t *body,
    ngx_hyperdrive_chain_t *out);
static ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_client_login_scram_failed(
    ngx_hyperdrive_pg_client_login_t *login, ngx_hyperdrive_chain_t *out);
static ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_client_login_ok(
    ngx_hyperdrive_pg_client_login_t *login, ngx_hyperdrive_chain_t *out);
static ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_client_login_denied(
    ngx_hyperdrive_pg_client_login_t *login, ngx_hyperdrive_chain_t *out);


ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_client_login(ngx_hyperdrive_pg_client_login_t *login,
    u_char **pos, u_char *last, ngx_hyperdrive_chain_t *out)
{
    u_char                                  *start;
    ngx_str_t                                body;
    ngx_hyperdrive_pg_login_rc_e             rc;
    ngx_hyperdrive_pg_client_login_step_e    step;
    ngx_hyperdrive_pg_client_login_state_t  *state;

    if (login->state == NULL) {

        login->state = calloc(1,
                              sizeof(ngx_hyperdrive_pg_client_login_state_t));
        if (login->state == NULL) {
            return ngx_hyperdrive_pg_client_login_no_memory(login);
        }
    }

    state = login->state;

    for ( ;; ) {

        start = *pos;
        step = state->step;

        switch (step) {

        case NGX_HYPERDRIVE_PG_CLIENT_STEP_TLS:

            if (!login->tls) {
                rc = ngx_hyperdrive_pg_client_login_failed(login, "XX000",
                                            "no TLS handshake has been done");
                break;
            }

            state->step = NGX_HYPERDRIVE_PG_CLIENT_STEP_START;

            /* fall through */

        case NGX_HYPERDRIVE_PG_CLIENT_STEP_START:
            rc = ngx_hyperdrive_pg_startup(login, pos, last, out);
            break;

        case NGX_HYPERDRIVE_PG_CLIENT_STEP_LOOKUP:
            rc = ngx_hyperdrive_pg_client_login_ask(login, out);
            break;

        case NGX_HYPERDRIVE_PG_CLIENT_STEP_DONE:
            rc = ngx_hyperdrive_pg_client_login_failed(login, "XX000",
                                            "called after the end of a log-in");
            break;

        default:

            rc = ngx_hyperdrive_pg_client_login_message(login, pos, last,
                                                        &body, out);

            if (rc == NGX_HYPERDRIVE_PG_LOGIN_OK) {
                rc = ngx_hyperdrive_pg_client_login_answer(login, &body, out);
            }

            break;
        }

        if (rc != NGX_HYPERDRIVE_PG_LOGIN_AGAIN
            || (*pos == start && state->step == step))
        {
            break;
        }
    }

    if (out->failed && rc != NGX_HYPERDRIVE_PG_LOGIN_FAILED) {
        return ngx_hyperdrive_pg_client_login_no_memory(login);
    }

    return rc;
}


void
ngx_hyperdrive_pg_client_login_destroy(
    ngx_hyperdrive_pg_client_login_t *login)
{
    ngx_hyperdrive_pg_client_login_state_t  *state;

    ngx_hyperdrive_base_digest_wipe(&login->pass, sizeof(login->pass));

    state = login->state;

    if (state == NULL) {
        return;
    }

    ngx_hyperdrive_pg_scram_server_destroy(&state->scram);

    /* start-up options may hold what an application keeps for itself */

    if (state->packet) {
        ngx_hyperdrive_base_digest_wipe(state->packet, state->len);
        free(state->packet);
    }

    ngx_hyperdrive_base_digest_wipe(state, sizeof(*state));
    free(state);

    login->state = NULL;

    ngx_str_null(&login->user);
    ngx_str_null(&login->database);
    ngx_str_null(&login->replication);
    ngx_str_null(&login->cancel_pid);
    ngx_str_null(&login->cancel_key);

    login->nparams = 0;
}


/* the caller knows the user now, or knows that there is none */

static ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_client_login_ask(ngx_hyperdrive_pg_client_login_t *login,
    ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_pg_client_login_state_t  *state;

    static const char  mechanisms[] = NGX_HYPERDRIVE_PG_SCRAM_PLUS_NAME "\0"
                                      NGX_HYPERDRIVE_PG_SCRAM_NAME "\0";

    const size_t  plus = sizeof(NGX_HYPERDRIVE_PG_SCRAM_PLUS_NAME);

    state = login->state;

    switch (login->auth) {

    case NGX_HYPERDRIVE_PG_AUTH_TRUST:
        return ngx_hyperdrive_pg_client_login_ok(login, out);

    case NGX_HYPERDRIVE_PG_AUTH_MD5:

        if (ngx_hyperdrive_base_digest_random(state->md5_salt,
                                              sizeof(state->md5_salt))
            != NGX_OK)
        {
            return ngx_hyperdrive_pg_client_login_fail(login, out, "XX000",
                                         "cannot make a random salt", NULL);
        }

        ngx_hyperdrive_pg_auth(out, NGX_HYPERDRIVE_PG_AUTH_MD5_PASSWORD,
                               state->md5_salt, sizeof(state->md5_salt));

        state->step = NGX_HYPERDRIVE_PG_CLIENT_STEP_MD5;

        return NGX_HYPERDRIVE_PG_LOGIN_AGAIN;

    default: /* NGX_HYPERDRIVE_PG_AUTH_SCRAM */
        break;
    }

    if (ngx_hyperdrive_pg_client_login_secret(login) != NGX_OK) {
        return ngx_hyperdrive_pg_client_login_fail(login, out, "XX000",
                                         "cannot compute SCRAM keys", NULL);
    }

    state->plus = login->tls && login->channel_binding
                  && login->cert_hash.len
                  && login->cert_hash.len <= NGX_HYPERDRIVE_PG_SCRAM_MAX_CBIND;

    /* the list ends with an empty name: the NUL of the literal */

    if (state->plus) {
        ngx_hyperdrive_pg_auth(out, NGX_HYPERDRIVE_PG_AUTH_SASL, mechanisms,
                               sizeof(mechanisms));

    } else {
        ngx_hyperdrive_pg_auth(out, NGX_HYPERDRIVE_PG_AUTH_SASL,
                               mechanisms + plus, sizeof(mechanisms) - plus);
    }

    state->step = NGX_HYPERDRIVE_PG_CLIENT_STEP_SASL;

    return NGX_HYPERDRIVE_PG_LOGIN_AGAIN;
}


/*
 * The secret of the user, or one that nobody has.  Both are made for either
 * case, so that time does not tell them apart.
 */

static ngx_int_t
ngx_hyperdrive_pg_client_login_secret(ngx_hyperdrive_pg_client_login_t *login)
{
    u_char                                   salt[NGX_HYPERDRIVE_PG_SCRAM_SALT];
    ngx_hyperdrive_pg_scram_secret_t        *secret;
    ngx_hyperdrive_pg_client_login_state_t  *state;

    state = login->state;
    secret = &state->scram.secret;

    if (ngx_hyperdrive_pg_scram_mock_salt(login->mock_secret,
                                          sizeof(login->mock_secret),
                                          &login->user, salt)
        != NGX_OK
        || ngx_hyperdrive_base_digest_random(secret->stored_key,
                                             sizeof(secret->stored_key))
           != NGX_OK
        || ngx_hyperdrive_base_digest_random(secret->server_key,
                                             sizeof(secret->server_key))
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    ngx_hyperdrive_base_digest_base64_encode(state->mock_salt, salt,
                                             sizeof(salt));

    if (login->found
        && ngx_hyperdrive_pg_scram_parse(&login->secret, secret) == NGX_OK)
    {
        return NGX_OK;
    }

    state->scram.doomed = 1;

    secret->iterations = login->mock_iterations
                         ? login->mock_iterations
                         : NGX_HYPERDRIVE_PG_SCRAM_ITERATIONS;
    secret->salt.data = state->mock_salt;
    secret->salt.len = sizeof(state->mock_salt);

    return NGX_OK;
}


/* OK: <body> is that of a whole password message, and consumed */

static ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_client_login_message(ngx_hyperdrive_pg_client_login_t *login,
    u_char **pos, u_char *last, ngx_str_t *body, ngx_hyperdrive_chain_t *out)
{
    u_char                                  *p;
    u_char                                   text[80];
    uint32_t                                 len;
    ngx_uint_t                               type;
    ngx_hyperdrive_pg_client_login_state_t  *state;

    state = login->state;

    p = ngx_hyperdrive_base_read_u8(*pos, last, &type);

    if (p == NULL) {
        return NGX_HYPERDRIVE_PG_LOGIN_AGAIN;
    }

    if (type != 'p') {
        ngx_snprintf(text, sizeof(text),
                     "expected %s response, got message type %ui%Z",
                     (state->step == NGX_HYPERDRIVE_PG_CLIENT_STEP_MD5)
                     ? "password" : "SASL",
                     type);

        ngx_hyperdrive_pg_error(out, "FATAL", "08P01", (char *) text, NULL,
                                NULL);

        return ngx_hyperdrive_pg_client_login_failed(login, "08P01",
                                        "unexpected message during log-in");
    }

    p = ngx_hyperdrive_base_read_u32(p, last, &len);

    if (p == NULL) {
        return NGX_HYPERDRIVE_PG_LOGIN_AGAIN;
    }

    if (len < 4 || len - 4 > NGX_HYPERDRIVE_PG_CLIENT_LOGIN_MAX) {
        return ngx_hyperdrive_pg_client_login_fail(login, out, "08P01",
                                "invalid length of password message", NULL);
    }

    p = ngx_hyperdrive_base_read_bytes(p, last, len - 4, body);

    if (p == NULL) {
        return NGX_HYPERDRIVE_PG_LOGIN_AGAIN;
    }

    *pos = p;

    return NGX_HYPERDRIVE_PG_LOGIN_OK;
}


static ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_client_login_answer(ngx_hyperdrive_pg_client_login_t *login,
    ngx_str_t *body, ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_pg_client_login_state_t  *state;

    state = login->state;

    switch (state->step) {

    case NGX_HYPERDRIVE_PG_CLIENT_STEP_MD5:
        return ngx_hyperdrive_pg_client_login_md5(login, body, out);

    case NGX_HYPERDRIVE_PG_CLIENT_STEP_SASL:
        return ngx_hyperdrive_pg_client_login_sasl(login, body, out);

    case NGX_HYPERDRIVE_PG_CLIENT_STEP_FIRST:
        return ngx_hyperdrive_pg_client_login_first(login, body, out);

    default: /* NGX_HYPERDRIVE_PG_CLIENT_STEP_FINAL */
        return ngx_hyperdrive_pg_client_login_final(login, body, out);
    }
}


static ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_client_login_md5(ngx_hyperdrive_pg_client_login_t *login,
    ngx_str_t *body, ngx_hyperdrive_chain_t *out)
{
    u_char                                  *p;
    u_char                                   buf[64], digest[16];
    u_char                                   expected[
                                        NGX_HYPERDRIVE_PG_CLIENT_LOGIN_MD5];
    ngx_str_t                                answer;
    ngx_uint_t                               known, equal;
    ngx_hyperdrive_pg_client_login_state_t  *state;

    state = login->state;

    p = ngx_hyperdrive_base_read_cstr(body->data, body->data + body->len,
                                      &answer);

    if (p == NULL || p != body->data + body->len) {
        return ngx_hyperdrive_pg_client_login_fail(login, out, "08P01",
                                     "invalid password packet size", NULL);
    }

    known = login->found
            && login->secret.len == NGX_HYPERDRIVE_PG_CLIENT_LOGIN_MD5
            && ngx_memcmp(login->secret.data, "md5", 3) == 0;

    /* the stored digest is hashed again, as text, with the salt behind it */

    ngx_memzero(buf, sizeof(buf));

    if (known) {
        ngx_memcpy(buf, login->secret.data + 3, 32);
    }

    ngx_memcpy(buf + 32, state->md5_salt, sizeof(state->md5_salt));

    if (ngx_hyperdrive_base_digest_md5(buf, 32 + sizeof(state->md5_salt),
                                       digest)
        != NGX_OK)
    {
        return ngx_hyperdrive_pg_client_login_fail(login, out, "XX000",
                                               "cannot compute MD5", NULL);
    }

    ngx_hex_dump(ngx_cpymem(expected, "md5", 3), digest, sizeof(digest));

    equal = answer.len == sizeof(expected)
            && ngx_hyperdrive_base_digest_equal(answer.data, expected,
                                                sizeof(expected));

    ngx_hyperdrive_base_digest_wipe(buf, sizeof(buf));
    ngx_hyperdrive_base_digest_wipe(expected, sizeof(expected));

    if (!known || !equal) {
        return ngx_hyperdrive_pg_client_login_denied(login, out);
    }

    return ngx_hyperdrive_pg_client_login_ok(login, out);
}


/* SASLInitialResponse: the mechanism, a length or -1, its first message */

static ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_client_login_sasl(ngx_hyperdrive_pg_client_login_t *login,
    ngx_str_t *body, ngx_hyperdrive_chain_t *out)
{
    u_char                                  *p, *last;
    uint32_t                                 len;
    ngx_str_t                                name, in;
    ngx_hyperdrive_pg_client_login_state_t  *state;

    state = login->state;

    p = body->data;
    last = p + body->len;

    p = ngx_hyperdrive_base_read_cstr(p, last, &name);
    p = ngx_hyperdrive_base_read_u32(p, last, &len);

    if (p == NULL
        || (len == (uint32_t) -1 ? p != last : (size_t) (last - p) != len))
    {
        return ngx_hyperdrive_pg_client_login_fail(login, out, "08P01",
                                     "malformed SASL initial response", NULL);
    }

    state->scram.plus = 0;

    if (state->plus
        && ngx_strcmp(name.data, NGX_HYPERDRIVE_PG_SCRAM_PLUS_NAME) == 0)
    {
        state->scram.plus = 1;

    } else if (ngx_strcmp(name.data, NGX_HYPERDRIVE_PG_SCRAM_NAME) != 0) {
        return ngx_hyperdrive_pg_client_login_fail(login, out, "08P01",
                                     "client selected an invalid SASL "
                                     "authentication mechanism", NULL);
    }

    if (len == (uint32_t) -1) {

        /* an empty challenge asks for what was left out */

        ngx_hyperdrive_pg_auth(out, NGX_HYPERDRIVE_PG_AUTH_SASL_CONTINUE,
                               NULL, 0);
        state->step = NGX_HYPERDRIVE_PG_CLIENT_STEP_FIRST;

        return NGX_HYPERDRIVE_PG_LOGIN_AGAIN;
    }

    in.data = p;
    in.len = len;

    return ngx_hyperdrive_pg_client_login_first(login, &in, out);
}


static ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_client_login_first(ngx_hyperdrive_pg_client_login_t *login,
    ngx_str_t *body, ngx_hyperdrive_chain_t *out)
{
    ngx_str_t                                answer;
    ngx_hyperdrive_pg_client_login_state_t  *state;

    state = login->state;

    state->scram.plus_offered = state->plus;
    state->scram.cbind = login->cert_hash;
    state->scram.pass = login->keep ? &login->pass : NULL;

    if (ngx_hyperdrive_pg_scram_server_first(&state->scram, body, &answer)
        != NGX_OK)
    {
        return ngx_hyperdrive_pg_client_login_scram_failed(login, out);
    }

    ngx_hyperdrive_pg_auth(out, NGX_HYPERDRIVE_PG_AUTH_SASL_CONTINUE,
                           answer.data, answer.len);

    state->step = NGX_HYPERDRIVE_PG_CLIENT_STEP_FINAL;

    return NGX_HYPERDRIVE_PG_LOGIN_AGAIN;
}


static ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_client_login_final(ngx_hyperdrive_pg_client_login_t *login,
    ngx_str_t *body, ngx_hyperdrive_chain_t *out)
{
    ngx_int_t                                rc;
    ngx_str_t                                answer;
    ngx_hyperdrive_pg_client_login_state_t  *state;

    state = login->state;

    rc = ngx_hyperdrive_pg_scram_server_final(&state->scram, body, &answer);

    if (rc == NGX_DECLINED) {
        return ngx_hyperdrive_pg_client_login_denied(login, out);
    }

    if (rc != NGX_OK) {
        return ngx_hyperdrive_pg_client_login_scram_failed(login, out);
    }

    ngx_hyperdrive_pg_auth(out, NGX_HYPERDRIVE_PG_AUTH_SASL_FINAL,
                           answer.data, answer.len);

    return ngx_hyperdrive_pg_client_login_ok(login, out);
}


static ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_client_login_scram_failed(
    ngx_hyperdrive_pg_client_login_t *login, ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_pg_scram_error_t         *error;
    ngx_hyperdrive_pg_client_login_state_t  *state;

    state = login->state;
    error = &state->scram.error;

    return ngx_hyperdrive_pg_client_login_fail(login, out, error->sqlstate,
                                               error->message, error->detail);
}


static ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_client_login_ok(ngx_hyperdrive_pg_client_login_t *login,
    ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_pg_client_login_state_t  *state;

    state = login->state;

    ngx_hyperdrive_pg_auth(out, NGX_HYPERDRIVE_PG_AUTH_OK, NULL, 0);

    state->step = NGX_HYPERDRIVE_PG_CLIENT_STEP_DONE;

    return NGX_HYPERDRIVE_PG_LOGIN_OK;
}


/* the client is told the same whatever it was, the log is told what */

static ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_client_login_denied(ngx_hyperdrive_pg_client_login_t *login,
    ngx_hyperdrive_chain_t *out)
{
    char                                    *reason;
    u_char                                   text[NGX_HYPERDRIVE_MAX_NAME
                                                  + 64];
    ngx_hyperdrive_pg_client_login_state_t  *state;

    state = login->state;

    ngx_snprintf(text, sizeof(text),
                 "password authentication failed for user \"%V\"%Z",
                 &login->user);

    ngx_hyperdrive_pg_error(out, "FATAL", "28P01", (char *) text, NULL, NULL);

    if (!login->found) {
        reason = "no such user";

    } else if (state->scram.doomed) {
        reason = "the SCRAM secret of the user is malformed";

    } else {
        reason = "wrong password";
    }

    return ngx_hyperdrive_pg_client_login_failed(login, "28P01", reason);
}


ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_client_login_fail(ngx_hyperdrive_pg_client_login_t *login,
    ngx_hyperdrive_chain_t *out, char *sqlstate, char *reason, char *detail)
{
    ngx_hyperdrive_pg_error(out, "FATAL", sqlstate, reason, detail, NULL);

    return ngx_hyperdrive_pg_client_login_failed(login, sqlstate, reason);
}


ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_client_login_no_memory(
    ngx_hyperdrive_pg_client_login_t *login)
{
    return ngx_hyperdrive_pg_client_login_failed(login, "53200",
                                                 "out of memory");
}


ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_client_login_failed(ngx_hyperdrive_pg_client_login_t *login,
    char *sqlstate, char *reason)
{
    ngx_hyperdrive_pg_client_login_state_t  *state;

    state = login->state;

    if (state) {
        state->step = NGX_HYPERDRIVE_PG_CLIENT_STEP_DONE;
    }

    login->reason = reason;
    ngx_cpystrn((u_char *) login->sqlstate, (u_char *) sqlstate,
                sizeof(login->sqlstate));

    return NGX_HYPERDRIVE_PG_LOGIN_FAILED;
}
