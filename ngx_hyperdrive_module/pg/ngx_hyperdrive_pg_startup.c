
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "ngx_hyperdrive_pg_client_login.h"
#include "ngx_hyperdrive_pg_message.h"
#include "base/ngx_hyperdrive_base_cursor.h"


static ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_startup_ssl(
    ngx_hyperdrive_pg_client_login_t *login, u_char *pos, u_char *last,
    ngx_hyperdrive_chain_t *out);
static ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_startup_cancel(
    ngx_hyperdrive_pg_client_login_t *login, u_char *pos, u_char *last,
    ngx_hyperdrive_chain_t *out);
static ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_startup_packet(
    ngx_hyperdrive_pg_client_login_t *login, uint32_t version, u_char *pos,
    u_char *last, ngx_hyperdrive_chain_t *out);
static ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_startup_params(
    ngx_hyperdrive_pg_client_login_t *login, u_char *pos, u_char *last,
    ngx_uint_t *noptions, ngx_hyperdrive_chain_t *out);
static ngx_int_t ngx_hyperdrive_pg_startup_param(
    ngx_hyperdrive_pg_client_login_t *login, ngx_str_t *name, ngx_str_t *value);
static ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_startup_replication(
    ngx_hyperdrive_pg_client_login_t *login, ngx_str_t *value,
    ngx_hyperdrive_chain_t *out);
static ngx_int_t ngx_hyperdrive_pg_startup_true(ngx_str_t *value);
static void ngx_hyperdrive_pg_startup_negotiate(
    ngx_hyperdrive_pg_client_login_t *login, ngx_uint_t noptions,
    ngx_hyperdrive_chain_t *out);
static ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_startup_unsupported(
    ngx_hyperdrive_pg_client_login_t *login, uint32_t version,
    ngx_hyperdrive_chain_t *out);


ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_startup(ngx_hyperdrive_pg_client_login_t *login,
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
        return ngx_hyperdrive_pg_startup_ssl(login, *pos, last, out);
    }

    if (version == NGX_HYPERDRIVE_PG_GSSENC_REQUEST && !state->gss_done) {
        state->gss_done = 1;
        ngx_hyperdrive_base_chain_append(out, "N", 1);

        return NGX_HYPERDRIVE_PG_LOGIN_AGAIN;
    }

    if (version == NGX_HYPERDRIVE_PG_CANCEL_REQUEST) {
        return ngx_hyperdrive_pg_startup_cancel(login, p, *pos, out);
    }

    if (version >> 16 != 3) {
        return ngx_hyperdrive_pg_startup_unsupported(login, version, out);
    }

    return ngx_hyperdrive_pg_startup_packet(login, version, p, *pos, out);
}


static ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_startup_ssl(ngx_hyperdrive_pg_client_login_t *login,
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

    state->step = NGX_HYPERDRIVE_PG_CLIENT_STEP_TLS;

    return NGX_HYPERDRIVE_PG_LOGIN_TLS;
}


static ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_startup_cancel(ngx_hyperdrive_pg_client_login_t *login,
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

    state->step = NGX_HYPERDRIVE_PG_CLIENT_STEP_DONE;

    return NGX_HYPERDRIVE_PG_LOGIN_CANCEL;
}


static ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_startup_packet(ngx_hyperdrive_pg_client_login_t *login,
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

    rc = ngx_hyperdrive_pg_startup_params(login, state->packet,
                                          state->packet + len, &noptions, out);

    if (rc != NGX_HYPERDRIVE_PG_LOGIN_OK) {
        return rc;
    }

    if (version != login->protocol || noptions) {
        ngx_hyperdrive_pg_startup_negotiate(login, noptions, out);
    }

    state->step = NGX_HYPERDRIVE_PG_CLIENT_STEP_LOOKUP;

    return NGX_HYPERDRIVE_PG_LOGIN_LOOKUP;
}


static ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_startup_params(ngx_hyperdrive_pg_client_login_t *login,
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

            rc = ngx_hyperdrive_pg_startup_replication(login, &value, out);

            if (rc != NGX_HYPERDRIVE_PG_LOGIN_OK) {
                return rc;
            }

        } else if (ngx_strncmp(name.data, "_pq_.", 5) == 0) {
            (*noptions)++;

        } else if (ngx_hyperdrive_pg_startup_param(login, &name, &value)
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
ngx_hyperdrive_pg_startup_param(ngx_hyperdrive_pg_client_login_t *login,
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
ngx_hyperdrive_pg_startup_replication(ngx_hyperdrive_pg_client_login_t *login,
    ngx_str_t *value, ngx_hyperdrive_chain_t *out)
{
    ngx_int_t  rc;

    if (ngx_strcmp(value->data, "database") == 0) {
        login->replication = *value;
        return NGX_HYPERDRIVE_PG_LOGIN_OK;
    }

    rc = ngx_hyperdrive_pg_startup_true(value);

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
ngx_hyperdrive_pg_startup_true(ngx_str_t *value)
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
ngx_hyperdrive_pg_startup_negotiate(ngx_hyperdrive_pg_client_login_t *login,
    ngx_uint_t noptions, ngx_hyperdrive_chain_t *out)
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
ngx_hyperdrive_pg_startup_unsupported(ngx_hyperdrive_pg_client_login_t *login,
    uint32_t version, ngx_hyperdrive_chain_t *out)
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
