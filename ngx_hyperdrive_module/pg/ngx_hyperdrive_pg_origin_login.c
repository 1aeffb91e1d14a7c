
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "ngx_hyperdrive_pg_origin_login.h"
#include "ngx_hyperdrive_pg_message.h"
#include "base/ngx_hyperdrive_base_cursor.h"


/* what an origin may say in all before it is ready */
#define NGX_HYPERDRIVE_PG_ORIGIN_LOGIN_MESSAGES  1000
#define NGX_HYPERDRIVE_PG_ORIGIN_LOGIN_BYTES     (256 * 1024)


/* a whole message */

typedef struct {
    u_char                                  type;
    u_char                                 *start;   /* with type and length */
    size_t                                  size;
    u_char                                 *body;
    size_t                                  len;
} ngx_hyperdrive_pg_origin_login_message_t;


static ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_origin_login_ssl(
    ngx_hyperdrive_pg_origin_login_t *login, u_char **pos, u_char *last,
    ngx_hyperdrive_chain_t *out);
static ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_origin_login_startup(
    ngx_hyperdrive_pg_origin_login_t *login, ngx_hyperdrive_chain_t *out);
static ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_origin_login_read(
    ngx_hyperdrive_pg_origin_login_t *login, u_char **pos, u_char *last,
    ngx_hyperdrive_pg_origin_login_message_t *m);
static ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_origin_login_take(
    ngx_hyperdrive_pg_origin_login_t *login,
    ngx_hyperdrive_pg_origin_login_message_t *m, ngx_hyperdrive_chain_t *out);
static ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_origin_login_negotiated(
    ngx_hyperdrive_pg_origin_login_t *login, u_char *p, u_char *last);
static ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_origin_login_parameter(
    ngx_hyperdrive_pg_origin_login_t *login,
    ngx_hyperdrive_pg_origin_login_message_t *m);
static ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_origin_login_key(
    ngx_hyperdrive_pg_origin_login_t *login, u_char *p, u_char *last);
static ngx_hyperdrive_pg_login_rc_e ngx_hyperdrive_pg_origin_login_refused(
    ngx_hyperdrive_pg_origin_login_t *login,
    ngx_hyperdrive_pg_origin_login_message_t *m);
static ngx_uint_t ngx_hyperdrive_pg_origin_login_lasting(char *sqlstate);


ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_origin_login(ngx_hyperdrive_pg_origin_login_t *login,
    u_char **pos, u_char *last, ngx_hyperdrive_chain_t *out)
{
    u_char                                     code[4];
    ngx_hyperdrive_pg_login_rc_e               rc;
    ngx_hyperdrive_pg_origin_login_state_t    *state;
    ngx_hyperdrive_pg_origin_login_message_t   m;

    if (login->state == NULL) {

        login->state = calloc(1,
                              sizeof(ngx_hyperdrive_pg_origin_login_state_t));
        if (login->state == NULL) {
            return ngx_hyperdrive_pg_origin_login_fail(login, "53200",
                                                       "out of memory");
        }
    }

    state = login->state;

    ngx_memzero(&m, sizeof(ngx_hyperdrive_pg_origin_login_message_t));

    switch (state->step) {

    case NGX_HYPERDRIVE_PG_ORIGIN_STEP_START:

        if (login->request_tls && !login->tls) {
            ngx_hyperdrive_base_put_u32(code, NGX_HYPERDRIVE_PG_SSL_REQUEST);
            ngx_hyperdrive_pg_message(out, 0, code, sizeof(code));

            state->step = NGX_HYPERDRIVE_PG_ORIGIN_STEP_SSL;
            rc = NGX_HYPERDRIVE_PG_LOGIN_AGAIN;

        } else {
            rc = ngx_hyperdrive_pg_origin_login_startup(login, out);
        }

        break;

    case NGX_HYPERDRIVE_PG_ORIGIN_STEP_SSL:
        rc = ngx_hyperdrive_pg_origin_login_ssl(login, pos, last, out);
        break;

    case NGX_HYPERDRIVE_PG_ORIGIN_STEP_TLS:

        if (!login->tls) {
            rc = ngx_hyperdrive_pg_origin_login_fail(login, "XX000",
                                            "no TLS handshake has been done");
            break;
        }

        rc = ngx_hyperdrive_pg_origin_login_startup(login, out);
        break;

    default:
        rc = NGX_HYPERDRIVE_PG_LOGIN_AGAIN;
        break;
    }

    while (rc == NGX_HYPERDRIVE_PG_LOGIN_AGAIN && *pos < last) {

        rc = ngx_hyperdrive_pg_origin_login_read(login, pos, last, &m);

        if (rc == NGX_HYPERDRIVE_PG_LOGIN_AGAIN) {
            break;
        }

        if (rc == NGX_HYPERDRIVE_PG_LOGIN_OK) {
            rc = ngx_hyperdrive_pg_origin_login_take(login, &m, out);
        }
    }

    if (rc != NGX_HYPERDRIVE_PG_LOGIN_FAILED
        && (out->failed || login->parameters.failed))
    {
        return ngx_hyperdrive_pg_origin_login_fail(login, "53200",
                                                   "out of memory");
    }

    return rc;
}


void
ngx_hyperdrive_pg_origin_login_destroy(
    ngx_hyperdrive_pg_origin_login_t *login)
{
    ngx_hyperdrive_pg_origin_login_state_t  *state;

    ngx_hyperdrive_base_chain_clear(&login->parameters);
    ngx_hyperdrive_base_chain_clear(&login->error);

    state = login->state;

    if (state == NULL) {
        return;
    }

    ngx_hyperdrive_pg_scram_client_destroy(&state->scram);

    ngx_hyperdrive_base_digest_wipe(state, sizeof(*state));
    free(state);

    login->state = NULL;

    ngx_str_null(&login->backend_key);
}


/* one byte, and nothing behind it */

static ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_origin_login_ssl(ngx_hyperdrive_pg_origin_login_t *login,
    u_char **pos, u_char *last, ngx_hyperdrive_chain_t *out)
{
    u_char                                   answer;
    ngx_hyperdrive_pg_origin_login_state_t  *state;

    state = login->state;

    if (*pos == last) {
        return NGX_HYPERDRIVE_PG_LOGIN_AGAIN;
    }

    answer = *(*pos)++;

    switch (answer) {

    case 'S':

        /* it would be taken for something that came through TLS */

        if (*pos != last) {
            return ngx_hyperdrive_pg_origin_login_violation(login,
                             "received unencrypted data after SSL response");
        }

        state->step = NGX_HYPERDRIVE_PG_ORIGIN_STEP_TLS;

        return NGX_HYPERDRIVE_PG_LOGIN_TLS;

    case 'N':

        if (login->require_tls) {
            return ngx_hyperdrive_pg_origin_login_config(login, "08001",
                             "the origin does not support TLS, "
                             "but sslmode requires it");
        }

        if (*pos != last) {
            return ngx_hyperdrive_pg_origin_login_violation(login,
                             "received data before it was asked for");
        }

        return ngx_hyperdrive_pg_origin_login_startup(login, out);

    case 'E':

        /* anybody on the way could have written that text: it is not read */

        return ngx_hyperdrive_pg_origin_login_fail(login, "08001",
                             "the origin answered an SSL request "
                             "with an error");

    default:
        return ngx_hyperdrive_pg_origin_login_violation(login,
                             "unexpected answer to an SSL request");
    }
}


static ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_origin_login_startup(ngx_hyperdrive_pg_origin_login_t *login,
    ngx_hyperdrive_chain_t *out)
{
    size_t                                   len;
    u_char                                  *p, *body;
    ngx_uint_t                               i, n;
    ngx_hyperdrive_pg_param_t               *param;
    ngx_hyperdrive_pg_param_t                own[2];
    ngx_hyperdrive_pg_origin_login_state_t  *state;

    state = login->state;

    if (login->user.len == 0) {
        return ngx_hyperdrive_pg_origin_login_config(login, "28000",
                                          "no user name for the origin");
    }

    ngx_str_set(&own[0].name, "user");
    own[0].value = login->user;

    ngx_str_set(&own[1].name, "database");
    own[1].value = login->database;

    n = login->database.len ? 2 : 1;

    len = 4 + 1;

    for (i = 0; i < n + login->nparams; i++) {

        param = (i < n) ? &own[i] : &login->params[i - n];

        if (param->name.len == 0
            || memchr(param->name.data, '\0', param->name.len)
            || (param->value.len
                && memchr(param->value.data, '\0', param->value.len)))
        {
            return ngx_hyperdrive_pg_origin_login_config(login, "22023",
                                          "a parameter for the origin has no "
                                          "name, or a zero byte in it");
        }

        len += param->name.len + 1 + param->value.len + 1;

        if (len > NGX_HYPERDRIVE_PG_MAX_STARTUP) {
            return ngx_hyperdrive_pg_origin_login_config(login, "54000",
                                          "too many parameters for the "
                                          "origin");
        }
    }

    body = malloc(len);
    if (body == NULL) {
        return ngx_hyperdrive_pg_origin_login_fail(login, "53200",
                                                   "out of memory");
    }

    p = ngx_hyperdrive_base_put_u32(body, NGX_HYPERDRIVE_PG_PROTOCOL_3_0);

    for (i = 0; i < n + login->nparams; i++) {

        param = (i < n) ? &own[i] : &login->params[i - n];

        p = ngx_cpymem(p, param->name.data, param->name.len);
        *p++ = '\0';

        if (param->value.len) {
            p = ngx_cpymem(p, param->value.data, param->value.len);
        }

        *p++ = '\0';
    }

    *p = '\0';

    ngx_hyperdrive_pg_message(out, 0, body, len);

    free(body);

    state->step = NGX_HYPERDRIVE_PG_ORIGIN_STEP_AUTH;

    return NGX_HYPERDRIVE_PG_LOGIN_AGAIN;
}


/* OK: <m> is a whole message, and consumed */

static ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_origin_login_read(ngx_hyperdrive_pg_origin_login_t *login,
    u_char **pos, u_char *last, ngx_hyperdrive_pg_origin_login_message_t *m)
{
    u_char                                  *p;
    uint32_t                                 len;
    ngx_str_t                                body;
    ngx_uint_t                               type;
    ngx_hyperdrive_pg_origin_login_state_t  *state;

    state = login->state;

    if (state->step < NGX_HYPERDRIVE_PG_ORIGIN_STEP_AUTH
        || state->step == NGX_HYPERDRIVE_PG_ORIGIN_STEP_DONE)
    {
        return ngx_hyperdrive_pg_origin_login_fail(login, "XX000",
                                 "called before or after the log-in");
    }

    p = ngx_hyperdrive_base_read_u8(*pos, last, &type);

    if (p == NULL) {
        return NGX_HYPERDRIVE_PG_LOGIN_AGAIN;
    }

    /* something else may listen at this port: see it by the first byte */

    if (ngx_strchr("RENvSKZ", (int) type) == NULL || type == '\0') {
        return ngx_hyperdrive_pg_origin_login_violation(login,
                                 "unexpected message during log-in");
    }

    p = ngx_hyperdrive_base_read_u32(p, last, &len);

    if (p == NULL) {
        return NGX_HYPERDRIVE_PG_LOGIN_AGAIN;
    }

    if (len < 4 || len > NGX_HYPERDRIVE_PG_MAX_ORIGIN_MESSAGE) {
        return ngx_hyperdrive_pg_origin_login_violation(login,
                                 "invalid length of a message "
                                 "during log-in");
    }

    p = ngx_hyperdrive_base_read_bytes(p, last, len - 4, &body);

    if (p == NULL) {
        return NGX_HYPERDRIVE_PG_LOGIN_AGAIN;
    }

    m->type = (u_char) type;
    m->start = *pos;
    m->size = 1 + len;
    m->body = body.data;
    m->len = body.len;

    *pos = p;

    state->messages++;
    state->bytes += m->size;

    if (state->messages > NGX_HYPERDRIVE_PG_ORIGIN_LOGIN_MESSAGES
        || state->bytes > NGX_HYPERDRIVE_PG_ORIGIN_LOGIN_BYTES)
    {
        return ngx_hyperdrive_pg_origin_login_violation(login,
                                 "too many messages during log-in");
    }

    return NGX_HYPERDRIVE_PG_LOGIN_OK;
}


static ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_origin_login_take(ngx_hyperdrive_pg_origin_login_t *login,
    ngx_hyperdrive_pg_origin_login_message_t *m, ngx_hyperdrive_chain_t *out)
{
    u_char                                  *p, *last;
    ngx_hyperdrive_pg_origin_login_state_t  *state;

    state = login->state;

    p = m->body;
    last = p + m->len;

    switch (m->type) {

    case 'E':
        return ngx_hyperdrive_pg_origin_login_refused(login, m);

    case 'N':
        login->notices++;
        return NGX_HYPERDRIVE_PG_LOGIN_AGAIN;

    case 'R':

        if (state->step == NGX_HYPERDRIVE_PG_ORIGIN_STEP_READY) {
            break;
        }

        return ngx_hyperdrive_pg_origin_auth(login, p, last, out);

    case 'v':

        if (state->step != NGX_HYPERDRIVE_PG_ORIGIN_STEP_AUTH
            || state->negotiated)
        {
            break;
        }

        return ngx_hyperdrive_pg_origin_login_negotiated(login, p, last);

    case 'S':

        if (state->step != NGX_HYPERDRIVE_PG_ORIGIN_STEP_READY) {
            break;
        }

        return ngx_hyperdrive_pg_origin_login_parameter(login, m);

    case 'K':

        if (state->step != NGX_HYPERDRIVE_PG_ORIGIN_STEP_READY) {
            break;
        }

        return ngx_hyperdrive_pg_origin_login_key(login, p, last);

    default: /* 'Z' */

        if (state->step != NGX_HYPERDRIVE_PG_ORIGIN_STEP_READY) {
            break;
        }

        if (m->len != 1 || *p != 'I') {
            return ngx_hyperdrive_pg_origin_login_violation(login,
                                 "the origin is not idle after log-in");
        }

        state->step = NGX_HYPERDRIVE_PG_ORIGIN_STEP_DONE;

        return NGX_HYPERDRIVE_PG_LOGIN_OK;
    }

    return ngx_hyperdrive_pg_origin_login_violation(login,
                                 "message out of order during log-in");
}


/*
 * We ask for the oldest version of protocol 3, so that there is nothing to
 * give in to; what is negotiated away are options of the start-up packet.
 */

static ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_origin_login_negotiated(
    ngx_hyperdrive_pg_origin_login_t *login, u_char *p, u_char *last)
{
    uint32_t                                 version, n;
    ngx_str_t                                name;
    ngx_hyperdrive_pg_origin_login_state_t  *state;

    state = login->state;

    p = ngx_hyperdrive_base_read_u32(p, last, &version);
    p = ngx_hyperdrive_base_read_u32(p, last, &n);

    while (p && n--) {
        p = ngx_hyperdrive_base_read_cstr(p, last, &name);
    }

    if (p == NULL || p != last) {
        return ngx_hyperdrive_pg_origin_login_violation(login,
                                 "malformed protocol negotiation");
    }

    /* some send the minor version alone */

    if (version != NGX_HYPERDRIVE_PG_PROTOCOL_3_0 && version != 0) {
        return ngx_hyperdrive_pg_origin_login_config(login, "0A000",
                                 "the origin does not speak protocol 3.0");
    }

    state->negotiated = 1;

    return NGX_HYPERDRIVE_PG_LOGIN_AGAIN;
}


static ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_origin_login_parameter(
    ngx_hyperdrive_pg_origin_login_t *login,
    ngx_hyperdrive_pg_origin_login_message_t *m)
{
    u_char     *p, *last;
    ngx_str_t   name, value;

    p = m->body;
    last = p + m->len;

    p = ngx_hyperdrive_base_read_cstr(p, last, &name);
    p = ngx_hyperdrive_base_read_cstr(p, last, &value);

    if (p == NULL || p != last || name.len == 0) {
        return ngx_hyperdrive_pg_origin_login_violation(login,
                                 "malformed parameter status");
    }

    ngx_hyperdrive_base_chain_append(&login->parameters, m->start, m->size);

    return NGX_HYPERDRIVE_PG_LOGIN_AGAIN;
}


static ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_origin_login_key(ngx_hyperdrive_pg_origin_login_t *login,
    u_char *p, u_char *last)
{
    size_t                                   len;
    ngx_hyperdrive_pg_origin_login_state_t  *state;

    state = login->state;

    p = ngx_hyperdrive_base_read_u32(p, last, &login->backend_pid);

    if (p == NULL || last - p < 4 || last - p > (off_t) sizeof(state->key)) {
        return ngx_hyperdrive_pg_origin_login_violation(login,
                                 "malformed cancel key");
    }

    len = last - p;

    ngx_memcpy(state->key, p, len);

    login->backend_key.data = state->key;
    login->backend_key.len = len;

    return NGX_HYPERDRIVE_PG_LOGIN_AGAIN;
}


/* an ErrorResponse: it is kept as it came */

static ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_origin_login_refused(ngx_hyperdrive_pg_origin_login_t *login,
    ngx_hyperdrive_pg_origin_login_message_t *m)
{
    ngx_str_t                                code;
    ngx_hyperdrive_pg_origin_login_state_t  *state;

    state = login->state;

    if (ngx_hyperdrive_pg_error_field(m->body, m->len, 'C', &code) != NGX_OK
        || code.len != sizeof(login->sqlstate) - 1)
    {
        return ngx_hyperdrive_pg_origin_login_violation(login,
                                 "malformed error response");
    }

    ngx_memcpy(login->sqlstate, code.data, code.len + 1);

    login->fatal_config =
                    ngx_hyperdrive_pg_origin_login_lasting(login->sqlstate);
    login->reason = "the origin refused the log-in";

    ngx_hyperdrive_base_chain_append(&login->error, m->start, m->size);

    state->step = NGX_HYPERDRIVE_PG_ORIGIN_STEP_DONE;

    return NGX_HYPERDRIVE_PG_LOGIN_FAILED;
}


/*
 * Errors that come back until somebody changes something: authorization, no
 * such database, a wrong or unknown setting, no right to connect, a feature.
 */

static ngx_uint_t
ngx_hyperdrive_pg_origin_login_lasting(char *sqlstate)
{
    ngx_uint_t  i;

    static const char  classes[][3] = { "28", "3D", "22", "42", "0A" };

    for (i = 0; i < sizeof(classes) / sizeof(classes[0]); i++) {
        if (ngx_memcmp(sqlstate, classes[i], 2) == 0) {
            return 1;
        }
    }

    return 0;
}


ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_origin_login_violation(
    ngx_hyperdrive_pg_origin_login_t *login, char *reason)
{
    return ngx_hyperdrive_pg_origin_login_fail(login, "08P01", reason);
}


ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_origin_login_config(ngx_hyperdrive_pg_origin_login_t *login,
    char *sqlstate, char *reason)
{
    login->fatal_config = 1;

    return ngx_hyperdrive_pg_origin_login_fail(login, sqlstate, reason);
}


ngx_hyperdrive_pg_login_rc_e
ngx_hyperdrive_pg_origin_login_fail(ngx_hyperdrive_pg_origin_login_t *login,
    char *sqlstate, char *reason)
{
    ngx_hyperdrive_pg_origin_login_state_t  *state;

    state = login->state;

    if (state) {
        state->step = NGX_HYPERDRIVE_PG_ORIGIN_STEP_DONE;
    }

    login->reason = reason;
    login->own_error = 1;

    ngx_cpystrn((u_char *) login->sqlstate, (u_char *) sqlstate,
                sizeof(login->sqlstate));

    ngx_hyperdrive_base_chain_clear(&login->error);
    ngx_hyperdrive_pg_error(&login->error, "FATAL", sqlstate, reason,
                            NULL, NULL);

    return NGX_HYPERDRIVE_PG_LOGIN_FAILED;
}
