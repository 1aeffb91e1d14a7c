
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "ngx_hyperdrive_pg_login.h"
#include "ngx_hyperdrive_pg_message.h"
#include "base/ngx_hyperdrive_base_cursor.h"


/* the longest message of a client behind the start-up packet */
#define NGX_HYPERDRIVE_PG_CLIENT_LOGIN_MAX                                   \
    (NGX_HYPERDRIVE_PG_SCRAM_MAX_MESSAGE + 64)

#define NGX_HYPERDRIVE_PG_CLIENT_LOGIN_MD5                                   \
    (sizeof("md5") - 1 + 2 * NGX_HYPERDRIVE_BASE_DIGEST_MD5)


typedef enum {
    sw_start = 0,             /* a start-up packet, or a request before it */
    sw_tls,                   /* 'S' was sent, the handshake is the caller's */
    sw_lookup,                /* the caller has looked the user up */
    sw_md5,                   /* the answer to a salt */
    sw_sasl,                  /* SASLInitialResponse */
    sw_first,                 /* client-first-message, which was not in it */
    sw_final,                 /* client-final-message */
    sw_done                   /* told the result, no more calls */
} ngx_hyperdrive_pg_client_login_step_e;


typedef struct {
    ngx_hyperdrive_pg_client_login_step_e   step;
    unsigned                                ssl_done:1;
    unsigned                                gss_done:1;
    unsigned                                plus:1;    /* was offered */

    u_char                                 *packet;    /* parameters or key */
    size_t                                  len;

    ngx_hyperdrive_pg_scram_server_t        scram;
    u_char                                  md5_salt[4];
    u_char                                  mock_salt[
                                  ngx_hyperdrive_base_digest_base64_len(
                                                NGX_HYPERDRIVE_PG_SCRAM_SALT)];
} ngx_hyperdrive_pg_client_login_state_t;


static ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_client_login_packet(
    ngx_hyperdrive_pg_client_login_t *login, u_char **pos, u_char *last,
    ngx_hyperdrive_chain_t *out);
static ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_client_login_ssl(
    ngx_hyperdrive_pg_client_login_t *login, u_char *pos, u_char *last,
    ngx_hyperdrive_chain_t *out);
static ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_client_login_cancel(
    ngx_hyperdrive_pg_client_login_t *login, u_char *pos, u_char *last,
    ngx_hyperdrive_chain_t *out);
static ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_client_login_startup(
    ngx_hyperdrive_pg_client_login_t *login, uint32_t version, u_char *pos,
    u_char *last, ngx_hyperdrive_chain_t *out);
static ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_client_login_params(
    ngx_hyperdrive_pg_client_login_t *login, u_char *pos, u_char *last,
    ngx_uint_t *noptions, ngx_hyperdrive_chain_t *out);
static ngx_int_t ngx_hyperdrive_pg_client_login_param(
    ngx_hyperdrive_pg_client_login_t *login, ngx_str_t *name, ngx_str_t *value);
static ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_client_login_replication(
    ngx_hyperdrive_pg_client_login_t *login, ngx_str_t *value,
    ngx_hyperdrive_chain_t *out);
static ngx_int_t ngx_hyperdrive_pg_client_login_true(ngx_str_t *value);
static void ngx_hyperdrive_pg_client_login_negotiate(
    ngx_hyperdrive_pg_client_login_t *login, ngx_uint_t noptions,
    ngx_hyperdrive_chain_t *out);
static ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_client_login_unsupported(
    ngx_hyperdrive_pg_client_login_t *login, uint32_t version,
    ngx_hyperdrive_chain_t *out);
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
static ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_client_login_fail(
    ngx_hyperdrive_pg_client_login_t *login, ngx_hyperdrive_chain_t *out,
    char *sqlstate, char *reason, char *detail);
static ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_client_login_no_memory(
    ngx_hyperdrive_pg_client_login_t *login);
static ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_client_login_failed(
    ngx_hyperdrive_pg_client_login_t *login, char *sqlstate, char *reason);


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

        case sw_tls:

            if (!login->tls) {
                rc = ngx_hyperdrive_pg_client_login_failed(login, "XX000",
                                            "no TLS handshake has been done");
                break;
            }

            state->step = sw_start;

            /* fall through */

        case sw_start:
            rc = ngx_hyperdrive_pg_client_login_packet(login, pos, last, out);
            break;

        case sw_lookup:
            rc = ngx_hyperdrive_pg_client_login_ask(login, out);
            break;

        case sw_done:
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


/* a packet without a type: a request for encryption, to cancel, to start */

static ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_client_login_packet(ngx_hyperdrive_pg_client_login_t *login,
    u_char **pos, u_char *last, ngx_hyperdrive_chain_t *out)
{
    u_char                                  *p;
    uint32_t                                 len, version;
    ngx_hyperdrive_pg_client_login_state_t  *state;

    state = login->state;

    p = ngx_hyperdrive_base_read_u32(*pos, last, &len);

    if (p == NULL) {
        return NGX_HYPERDRIVE_PG_LOGIN_AGAIN;
    }

    if (len < 8 || len - 4 > NGX_HYPERDRIVE_PG_MAX_STARTUP) {

        if ((*pos)[0] == 0x16 && (*pos)[1] == 0x03) {
            return ngx_hyperdrive_pg_client_login_fail(login, out, "08P01",
                        "TLS handshake where a startup packet was expected",
                        NULL);
        }

        return ngx_hyperdrive_pg_client_login_fail(login, out, "08P01",
                                   "invalid length of startup packet", NULL);
    }

    if ((size_t) (last - p) < len - 4) {
        return NGX_HYPERDRIVE_PG_LOGIN_AGAIN;
    }

    *pos = p + len - 4;

    p = ngx_hyperdrive_base_read_u32(p, *pos, &version);

    /* each request for encryption once, none where there is encryption */

    if (login->tls) {
        state->ssl_done = 1;
        state->gss_done = 1;
    }

    if (version == NGX_HYPERDRIVE_PG_SSL_REQUEST && !state->ssl_done) {
        return ngx_hyperdrive_pg_client_login_ssl(login, *pos, last, out);
    }

    if (version == NGX_HYPERDRIVE_PG_GSSENC_REQUEST && !state->gss_done) {
        state->gss_done = 1;
        ngx_hyperdrive_base_chain_append(out, "N", 1);

        return NGX_HYPERDRIVE_PG_LOGIN_AGAIN;
    }

    if (version == NGX_HYPERDRIVE_PG_CANCEL_REQUEST) {
        return ngx_hyperdrive_pg_client_login_cancel(login, p, *pos, out);
    }

    if (version >> 16 != 3) {
        return ngx_hyperdrive_pg_client_login_unsupported(login, version, out);
    }

    return ngx_hyperdrive_pg_client_login_startup(login, version, p, *pos,
                                                  out);
}


static ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_client_login_ssl(ngx_hyperdrive_pg_client_login_t *login,
    u_char *pos, u_char *last, ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_pg_client_login_state_t  *state;

    state = login->state;

    state->ssl_done = 1;

    if (!login->tls_offered) {
        ngx_hyperdrive_base_chain_append(out, "N", 1);

        return NGX_HYPERDRIVE_PG_LOGIN_AGAIN;
    }

    /* it would be taken for something that came through TLS */

    if (pos < last) {
        return ngx_hyperdrive_pg_client_login_fail(login, out, "08P01",
                                "received unencrypted data after SSL request",
                                "This could be either a client-software bug "
                                "or evidence of an attempted "
                                "man-in-the-middle attack.");
    }

    ngx_hyperdrive_base_chain_append(out, "S", 1);

    state->step = sw_tls;

    return NGX_HYPERDRIVE_PG_LOGIN_TLS;
}


static ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_client_login_cancel(ngx_hyperdrive_pg_client_login_t *login,
    u_char *pos, u_char *last, ngx_hyperdrive_chain_t *out)
{
    size_t                                   len;
    ngx_hyperdrive_pg_client_login_state_t  *state;

    state = login->state;
    len = last - pos;

    if (len < 4 + 4 || len > 4 + 256) {
        return ngx_hyperdrive_pg_client_login_fail(login, out, "08P01",
                                   "invalid length of cancel request", NULL);
    }

    state->packet = malloc(len);
    if (state->packet == NULL) {
        return ngx_hyperdrive_pg_client_login_no_memory(login);
    }

    ngx_memcpy(state->packet, pos, len);
    state->len = len;

    login->cancel_pid.data = state->packet;
    login->cancel_pid.len = 4;

    login->cancel_key.data = state->packet + 4;
    login->cancel_key.len = len - 4;

    state->step = sw_done;

    return NGX_HYPERDRIVE_PG_LOGIN_CANCEL;
}


static ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_client_login_startup(ngx_hyperdrive_pg_client_login_t *login,
    uint32_t version, u_char *pos, u_char *last, ngx_hyperdrive_chain_t *out)
{
    size_t                                   len;
    ngx_uint_t                               noptions;
    ngx_hyperdrive_pg_login_rc_e             rc;
    ngx_hyperdrive_pg_client_login_state_t  *state;

    state = login->state;
    len = last - pos;

    /* one byte more, so that an empty packet is memory too */

    state->packet = malloc(len + 1);
    if (state->packet == NULL) {
        return ngx_hyperdrive_pg_client_login_no_memory(login);
    }

    ngx_memcpy(state->packet, pos, len);
    state->len = len;

    /* there never was a 3.1 */

    login->protocol = (version < NGX_HYPERDRIVE_PG_PROTOCOL_3_2)
                      ? NGX_HYPERDRIVE_PG_PROTOCOL_3_0
                      : NGX_HYPERDRIVE_PG_PROTOCOL_3_2;

    rc = ngx_hyperdrive_pg_client_login_params(login, state->packet,
                                               state->packet + len,
                                               &noptions, out);

    if (rc != NGX_HYPERDRIVE_PG_LOGIN_OK) {
        return rc;
    }

    if (version != login->protocol || noptions) {
        ngx_hyperdrive_pg_client_login_negotiate(login, noptions, out);
    }

    state->step = sw_lookup;

    return NGX_HYPERDRIVE_PG_LOGIN_LOOKUP;
}


static ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_client_login_params(ngx_hyperdrive_pg_client_login_t *login,
    u_char *pos, u_char *last, ngx_uint_t *noptions,
    ngx_hyperdrive_chain_t *out)
{
    u_char                        *p;
    ngx_str_t                      name, value;
    ngx_hyperdrive_pg_login_rc_e   rc;

    *noptions = 0;

    p = pos;

    while (p && p < last && *p != '\0') {

        p = ngx_hyperdrive_base_read_cstr(p, last, &name);
        p = ngx_hyperdrive_base_read_cstr(p, last, &value);

        if (p == NULL) {
            break;
        }

        if (ngx_strcmp(name.data, "user") == 0) {
            login->user = value;

        } else if (ngx_strcmp(name.data, "database") == 0) {
            login->database = value;

        } else if (ngx_strcmp(name.data, "replication") == 0) {

            rc = ngx_hyperdrive_pg_client_login_replication(login, &value,
                                                            out);
            if (rc != NGX_HYPERDRIVE_PG_LOGIN_OK) {
                return rc;
            }

        } else if (ngx_strncmp(name.data, "_pq_.", 5) == 0) {
            (*noptions)++;

        } else if (ngx_hyperdrive_pg_client_login_param(login, &name, &value)
                   != NGX_OK)
        {
            return ngx_hyperdrive_pg_client_login_fail(login, out, "54000",
                                     "too many parameters in startup packet",
                                     NULL);
        }
    }

    if (p == NULL || last - p != 1) {
        return ngx_hyperdrive_pg_client_login_fail(login, out, "08P01",
                                     "invalid startup packet layout: "
                                     "expected terminator as last byte",
                                     NULL);
    }

    if (login->user.len == 0) {
        return ngx_hyperdrive_pg_client_login_fail(login, out, "28000",
                                     "no PostgreSQL user name specified "
                                     "in startup packet", NULL);
    }

    if (login->database.len == 0) {
        login->database = login->user;
    }

    if (login->user.len > NGX_HYPERDRIVE_MAX_NAME
        || login->database.len > NGX_HYPERDRIVE_MAX_NAME)
    {
        return ngx_hyperdrive_pg_client_login_fail(login, out, "42622",
                                     "user or database name in startup packet "
                                     "is too long", NULL);
    }

    return NGX_HYPERDRIVE_PG_LOGIN_OK;
}


/* of two values the later one counts; names of settings have no case */

static ngx_int_t
ngx_hyperdrive_pg_client_login_param(ngx_hyperdrive_pg_client_login_t *login,
    ngx_str_t *name, ngx_str_t *value)
{
    ngx_uint_t                  i;
    ngx_hyperdrive_pg_param_t  *param;

    for (i = 0; i < login->nparams; i++) {

        param = &login->params[i];

        if (param->name.len == name->len
            && ngx_strncasecmp(param->name.data, name->data, name->len) == 0)
        {
            param->value = *value;
            return NGX_OK;
        }
    }

    if (login->nparams == NGX_HYPERDRIVE_PG_MAX_PARAMS) {
        return NGX_ERROR;
    }

    param = &login->params[login->nparams++];

    param->name = *name;
    param->value = *value;

    return NGX_OK;
}


/* a boolean or "database"; "off" is as good as none */

static ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_client_login_replication(
    ngx_hyperdrive_pg_client_login_t *login, ngx_str_t *value,
    ngx_hyperdrive_chain_t *out)
{
    ngx_int_t  rc;

    if (ngx_strcmp(value->data, "database") == 0) {
        login->replication = *value;
        return NGX_HYPERDRIVE_PG_LOGIN_OK;
    }

    rc = ngx_hyperdrive_pg_client_login_true(value);

    if (rc == NGX_ERROR) {
        ngx_hyperdrive_pg_error(out, "FATAL", "22023",
                                "invalid value for parameter \"replication\"",
                                NULL,
                                "Valid values are: \"false\", 0, \"true\", 1, "
                                "\"database\".");

        return ngx_hyperdrive_pg_client_login_failed(login, "22023",
                                "invalid value for parameter \"replication\"");
    }

    if (rc == NGX_OK) {
        login->replication = *value;

    } else {
        ngx_str_null(&login->replication);
    }

    return NGX_HYPERDRIVE_PG_LOGIN_OK;
}


/* as the server reads a boolean: any beginning of a word that is enough */

static ngx_int_t
ngx_hyperdrive_pg_client_login_true(ngx_str_t *value)
{
    ngx_uint_t  i;

    static const struct {
        char       *word;
        size_t      min;
        ngx_int_t   rc;
    } words[] = {
        { "true", 1, NGX_OK },
        { "false", 1, NGX_DECLINED },
        { "yes", 1, NGX_OK },
        { "no", 1, NGX_DECLINED },
        { "on", 2, NGX_OK },
        { "off", 2, NGX_DECLINED },
        { "1", 1, NGX_OK },
        { "0", 1, NGX_DECLINED }
    };

    for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {

        if (value->len >= words[i].min
            && value->len <= ngx_strlen(words[i].word)
            && ngx_strncasecmp(value->data, (u_char *) words[i].word,
                               value->len)
               == 0)
        {
            return words[i].rc;
        }
    }

    return NGX_ERROR;
}


/* NegotiateProtocolVersion: what we speak, which options we do not know */

static void
ngx_hyperdrive_pg_client_login_negotiate(
    ngx_hyperdrive_pg_client_login_t *login, ngx_uint_t noptions,
    ngx_hyperdrive_chain_t *out)
{
    u_char                                  *p, *q, *last, *body;
    ngx_str_t                                name, value;
    ngx_hyperdrive_pg_client_login_state_t  *state;

    state = login->state;

    body = malloc(4 + 4 + state->len);
    if (body == NULL) {
        out->failed = 1;
        return;
    }

    q = ngx_hyperdrive_base_put_u32(body, login->protocol);
    q = ngx_hyperdrive_base_put_u32(q, (uint32_t) noptions);

    p = state->packet;
    last = p + state->len - 1;

    while (p && p < last) {

        p = ngx_hyperdrive_base_read_cstr(p, last, &name);
        p = ngx_hyperdrive_base_read_cstr(p, last, &value);

        if (p && ngx_strncmp(name.data, "_pq_.", 5) == 0) {
            q = ngx_cpymem(q, name.data, name.len + 1);
        }
    }

    ngx_hyperdrive_pg_message(out, 'v', body, q - body);

    free(body);
}


static ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_client_login_unsupported(
    ngx_hyperdrive_pg_client_login_t *login, uint32_t version,
    ngx_hyperdrive_chain_t *out)
{
    u_char   text[128];
    u_char  *p;

    p = ngx_snprintf(text, sizeof(text),
                     "FATAL:  unsupported frontend protocol %uD.%uD: "
                     "server supports 3.0 to 3.2%Z",
                     version >> 16, version & 0xffff);

    if (version >> 16 < 3) {

        /* an error in protocol 2: 'E', the text with a line feed, a NUL */

        p[-1] = '\n';
        *p++ = '\0';

        ngx_hyperdrive_base_chain_append(out, "E", 1);
        ngx_hyperdrive_base_chain_append(out, text, p - text);

    } else {
        ngx_hyperdrive_pg_error(out, "FATAL", "0A000",
                                (char *) text + sizeof("FATAL:  ") - 1, NULL,
                                NULL);
    }

    return ngx_hyperdrive_pg_client_login_failed(login, "0A000",
                                                 "unsupported protocol");
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

        state->step = sw_md5;

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

    state->step = sw_sasl;

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
                     state->step == sw_md5 ? "password" : "SASL", type);

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

    case sw_md5:
        return ngx_hyperdrive_pg_client_login_md5(login, body, out);

    case sw_sasl:
        return ngx_hyperdrive_pg_client_login_sasl(login, body, out);

    case sw_first:
        return ngx_hyperdrive_pg_client_login_first(login, body, out);

    default: /* sw_final */
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
        state->step = sw_first;

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

    if (ngx_hyperdrive_pg_scram_server_first(&state->scram, body, &answer)
        != NGX_OK)
    {
        return ngx_hyperdrive_pg_client_login_scram_failed(login, out);
    }

    ngx_hyperdrive_pg_auth(out, NGX_HYPERDRIVE_PG_AUTH_SASL_CONTINUE,
                           answer.data, answer.len);

    state->step = sw_final;

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

    state->step = sw_done;

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


/* <reason> is what the client is told, too */

static ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_client_login_fail(ngx_hyperdrive_pg_client_login_t *login,
    ngx_hyperdrive_chain_t *out, char *sqlstate, char *reason, char *detail)
{
    ngx_hyperdrive_pg_error(out, "FATAL", sqlstate, reason, detail, NULL);

    return ngx_hyperdrive_pg_client_login_failed(login, sqlstate, reason);
}


static ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_client_login_no_memory(
    ngx_hyperdrive_pg_client_login_t *login)
{
    return ngx_hyperdrive_pg_client_login_failed(login, "53200",
                                                 "out of memory");
}


static ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_client_login_failed(ngx_hyperdrive_pg_client_login_t *login,
    char *sqlstate, char *reason)
{
    ngx_hyperdrive_pg_client_login_state_t  *state;

    state = login->state;

    if (state) {
        state->step = sw_done;
    }

    login->reason = reason;
    ngx_cpystrn((u_char *) login->sqlstate, (u_char *) sqlstate,
                sizeof(login->sqlstate));

    return NGX_HYPERDRIVE_PG_LOGIN_FAILED;
}
