
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "mysql/ngx_hyperdrive_mysql_client_login.h"


/*
 * A client's log-in: we play the database.  Whoever asks for a user that is
 * not there goes the same way as one who is, of a kind that there are, and
 * fails at its end.
 */


static ngx_int_t ngx_hyperdrive_mysql_client_login_step(
    ngx_hyperdrive_proto_login_t *login, u_char **pos, u_char *last,
    ngx_hyperdrive_chain_t *out);
static ngx_int_t ngx_hyperdrive_mysql_client_login_response(
    ngx_hyperdrive_proto_login_t *login, ngx_str_t *payload, ngx_uint_t behind,
    ngx_hyperdrive_chain_t *out);
static void ngx_hyperdrive_mysql_client_login_param(
    ngx_hyperdrive_proto_login_t *login, char *name, u_char *buf,
    uint64_t value);
static ngx_int_t ngx_hyperdrive_mysql_client_login_found(
    ngx_hyperdrive_proto_login_t *login, ngx_hyperdrive_chain_t *out);
static ngx_int_t ngx_hyperdrive_mysql_client_login_trust(
    ngx_hyperdrive_proto_login_t *login, ngx_hyperdrive_chain_t *out);
static ngx_int_t ngx_hyperdrive_mysql_client_login_switch(
    ngx_hyperdrive_proto_login_t *login, ngx_hyperdrive_mysql_plugin_e plugin,
    ngx_hyperdrive_chain_t *out);
static ngx_int_t ngx_hyperdrive_mysql_client_login_check(
    ngx_hyperdrive_proto_login_t *login, ngx_str_t *auth,
    ngx_hyperdrive_chain_t *out);
static ngx_int_t ngx_hyperdrive_mysql_client_login_native(
    ngx_hyperdrive_proto_login_t *login, ngx_str_t *auth,
    ngx_hyperdrive_chain_t *out);
static ngx_int_t ngx_hyperdrive_mysql_client_login_sha2(
    ngx_hyperdrive_proto_login_t *login, ngx_str_t *auth,
    ngx_hyperdrive_chain_t *out);
static ngx_int_t ngx_hyperdrive_mysql_client_login_full(
    ngx_hyperdrive_proto_login_t *login, ngx_str_t *payload,
    ngx_hyperdrive_chain_t *out);
static ngx_int_t ngx_hyperdrive_mysql_client_login_key(
    ngx_hyperdrive_proto_login_t *login, ngx_str_t *payload,
    ngx_hyperdrive_chain_t *out);
static ngx_int_t ngx_hyperdrive_mysql_client_login_password(
    ngx_hyperdrive_proto_login_t *login, ngx_str_t *password,
    ngx_hyperdrive_chain_t *out);
static void ngx_hyperdrive_mysql_client_login_keep(
    ngx_hyperdrive_proto_login_t *login, u_char type, void *data, size_t len);
static void ngx_hyperdrive_mysql_client_login_more(
    ngx_hyperdrive_proto_login_t *login, const void *data, size_t len,
    ngx_hyperdrive_chain_t *out);
static ngx_int_t ngx_hyperdrive_mysql_client_login_denied(
    ngx_hyperdrive_proto_login_t *login, ngx_hyperdrive_chain_t *out);
static ngx_int_t ngx_hyperdrive_mysql_client_login_old(
    ngx_hyperdrive_proto_login_t *login, ngx_hyperdrive_chain_t *out);


ngx_int_t
ngx_hyperdrive_mysql_login_client(ngx_hyperdrive_proto_login_t *login,
    u_char **pos, u_char *last, ngx_hyperdrive_chain_t *out)
{
    u_char                               *start;
    ngx_int_t                             rc;
    ngx_hyperdrive_mysql_step_e           step;
    ngx_hyperdrive_mysql_client_login_t  *state;

    state = login->state;

    if (state == NULL) {
        login->reason = "no memory";
        return NGX_ERROR;
    }

    do {
        start = *pos;
        step = state->step;

        rc = ngx_hyperdrive_mysql_client_login_step(login, pos, last, out);

    } while (rc == NGX_AGAIN && (*pos != start || state->step != step));

    if (out->failed && rc != NGX_ERROR) {
        login->reason = "no memory";
        return NGX_ERROR;
    }

    return rc;
}


static ngx_int_t
ngx_hyperdrive_mysql_client_login_step(ngx_hyperdrive_proto_login_t *login,
    u_char **pos, u_char *last, ngx_hyperdrive_chain_t *out)
{
    u_char                                seq;
    ngx_int_t                             rc;
    ngx_str_t                             payload;
    ngx_hyperdrive_mysql_client_login_t  *state;

    state = login->state;

    switch (state->step) {

    case NGX_HYPERDRIVE_MYSQL_STEP_LOOKUP:
        return ngx_hyperdrive_mysql_client_login_found(login, out);

    case NGX_HYPERDRIVE_MYSQL_STEP_DONE:

        if (login->reason == NULL) {
            login->reason = "called after the end of a log-in";
        }

        return NGX_ERROR;

    case NGX_HYPERDRIVE_MYSQL_STEP_TLS:

        if (!login->tls) {
            login->reason = "no TLS handshake has been done";
            return NGX_ERROR;
        }

        state->step = NGX_HYPERDRIVE_MYSQL_STEP_RESPONSE;
        break;

    default:
        break;
    }

    if (login->ahead
        && last - *pos >= NGX_HYPERDRIVE_MYSQL_HEADER
        && ngx_hyperdrive_mysql_get_u24(*pos) != NGX_HYPERDRIVE_MYSQL_TLS_LEN)
    {
        /* no request for TLS: all may be read */
        login->ahead = 0;
    }

    rc = ngx_hyperdrive_mysql_packet(pos, last, NGX_HYPERDRIVE_MYSQL_LOGIN_MAX,
                                     &payload, &seq);

    if (rc == NGX_AGAIN) {
        return NGX_AGAIN;
    }

    /* whatever it says, our answer is the next one */

    if (rc == NGX_ERROR) {
        login->seq++;

        return ngx_hyperdrive_mysql_client_login_fail(login, 1153, "08S01",
                            "a packet of the log-in is too long", out);
    }

    if (seq != login->seq) {
        login->seq = seq + 1;

        return ngx_hyperdrive_mysql_client_login_fail(login, 1156, "08S01",
                            "Got packets out of order", out);
    }

    login->seq = seq + 1;

    switch (state->step) {

    case NGX_HYPERDRIVE_MYSQL_STEP_RESPONSE:
        return ngx_hyperdrive_mysql_client_login_response(login, &payload,
                                                          *pos != last, out);

    case NGX_HYPERDRIVE_MYSQL_STEP_SWITCH:
        return ngx_hyperdrive_mysql_client_login_check(login, &payload, out);

    case NGX_HYPERDRIVE_MYSQL_STEP_FULL:
        return ngx_hyperdrive_mysql_client_login_full(login, &payload, out);

    default: /* NGX_HYPERDRIVE_MYSQL_STEP_KEY */
        return ngx_hyperdrive_mysql_client_login_key(login, &payload, out);
    }
}


static ngx_int_t
ngx_hyperdrive_mysql_client_login_response(ngx_hyperdrive_proto_login_t *login,
    ngx_str_t *payload, ngx_uint_t behind, ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_mysql_response_t       response;
    ngx_hyperdrive_mysql_client_login_t  *state;

    state = login->state;

    if (payload->len >= 2
        && !(payload->data[1] & NGX_HYPERDRIVE_MYSQL_PROTOCOL_41 >> 8))
    {
        return ngx_hyperdrive_mysql_client_login_old(login, out);
    }

    if (ngx_hyperdrive_mysql_response_read(payload, state->offered, &response)
        != NGX_OK)
    {
        return ngx_hyperdrive_mysql_client_login_fail(login, 1043, "08S01",
                            "Bad handshake", out);
    }

    login->capabilities = response.capabilities;

    if ((response.capabilities & NGX_HYPERDRIVE_MYSQL_NEEDED)
        != NGX_HYPERDRIVE_MYSQL_NEEDED)
    {
        return ngx_hyperdrive_mysql_client_login_old(login, out);
    }

    if (payload->len == NGX_HYPERDRIVE_MYSQL_TLS_LEN) {

        if (!(response.capabilities & NGX_HYPERDRIVE_MYSQL_SSL)
            || state->upgraded || login->tls)
        {
            return ngx_hyperdrive_mysql_client_login_fail(login, 1043, "08S01",
                            "Bad handshake", out);
        }

        if (behind) {
            return ngx_hyperdrive_mysql_client_login_fail(login, 1043, "08S01",
                            "unencrypted data behind a request for TLS", out);
        }

        state->upgraded = 1;
        state->step = NGX_HYPERDRIVE_MYSQL_STEP_TLS;
        login->ahead = 0;

        return NGX_DONE;
    }

    return ngx_hyperdrive_mysql_client_login_known(login, payload, &response,
                                                   out);
}


ngx_int_t
ngx_hyperdrive_mysql_client_login_known(ngx_hyperdrive_proto_login_t *login,
    ngx_str_t *payload, ngx_hyperdrive_mysql_response_t *response,
    ngx_hyperdrive_chain_t *out)
{
    u_char                               *old;
    ptrdiff_t                             moved;
    ngx_hyperdrive_mysql_client_login_t  *state;

    state = login->state;

    if (response->user.len > NGX_HYPERDRIVE_MAX_NAME
        || response->database.len > NGX_HYPERDRIVE_MAX_NAME)
    {
        return ngx_hyperdrive_mysql_client_login_fail(login, 1043, "08S01",
                            "the name of a user or database is too long", out);
    }

    old = payload->data;

    state->packet.data = malloc(payload->len + 1);
    if (state->packet.data == NULL) {
        login->reason = "no memory";
        return NGX_ERROR;
    }

    state->packet.len = payload->len;
    ngx_memcpy(state->packet.data, old, payload->len);

    moved = state->packet.data - old;

    if (response->user.len) {
        login->user.data = response->user.data + moved;
        login->user.len = response->user.len;
    }

    if (response->database.len) {
        login->database.data = response->database.data + moved;
        login->database.len = response->database.len;
    }

    if (response->auth.len) {
        state->auth.data = response->auth.data + moved;
        state->auth.len = response->auth.len;
    }

    state->plugin = response->plugin.len
                    ? ngx_hyperdrive_mysql_plugin(&response->plugin)
                    : NGX_HYPERDRIVE_MYSQL_PLUGIN_NATIVE;

    if (state->plugin == NGX_HYPERDRIVE_MYSQL_PLUGIN_ED25519) {
        /* nothing that we know of a user is for it */
        state->plugin = NGX_HYPERDRIVE_MYSQL_PLUGIN_OTHER;
    }

    if (response->capabilities & NGX_HYPERDRIVE_MYSQL_FIXED) {
        ngx_hyperdrive_mysql_client_login_param(login,
                                          NGX_HYPERDRIVE_MYSQL_PARAM_FIXED,
                                          state->fixed,
                                          response->capabilities
                                          & NGX_HYPERDRIVE_MYSQL_FIXED);
    }

    ngx_hyperdrive_mysql_client_login_param(login,
                                          NGX_HYPERDRIVE_MYSQL_PARAM_COLLATION,
                                          state->collation,
                                          response->collation);

    /* what it was greeted with goes where it goes */
    login->key_len = NGX_HYPERDRIVE_MYSQL_SCRAMBLE;

    state->step = NGX_HYPERDRIVE_MYSQL_STEP_LOOKUP;

    return NGX_BUSY;
}


static void
ngx_hyperdrive_mysql_client_login_param(ngx_hyperdrive_proto_login_t *login,
    char *name, u_char *buf, uint64_t value)
{
    ngx_hyperdrive_proto_param_t  *param;

    param = &login->params[login->nparams++];

    param->name.data = (u_char *) name;
    param->name.len = ngx_strlen(name);
    param->value.data = buf;
    param->value.len = ngx_sprintf(buf, "%uL", value) - buf;
}


/* the caller knows the user now, or knows that there is none */

static ngx_int_t
ngx_hyperdrive_mysql_client_login_found(ngx_hyperdrive_proto_login_t *login,
    ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_mysql_plugin_e         plugin;
    ngx_hyperdrive_mysql_verifier_t       mock;
    ngx_hyperdrive_mysql_client_login_t  *state;

    state = login->state;

    if (login->trust) {
        return ngx_hyperdrive_mysql_client_login_trust(login, out);
    }

    /* made for either case, so that time does not tell them apart */

    if (ngx_hyperdrive_mysql_verifier_mock(&login->user, login->mock,
                                           login->kinds, &mock)
        != NGX_OK)
    {
        return ngx_hyperdrive_mysql_client_login_fail(login, 1105, "HY000",
                            "cannot make a random number", out);
    }

    if (!login->found
        || ngx_hyperdrive_mysql_verifier_read(&login->secret, &state->verifier)
           != NGX_OK)
    {
        state->verifier = mock;
        state->doomed = 1;
    }

    switch (state->verifier.kind) {

    case NGX_HYPERDRIVE_MYSQL_KIND_NATIVE:
        plugin = NGX_HYPERDRIVE_MYSQL_PLUGIN_NATIVE;
        break;

    case NGX_HYPERDRIVE_MYSQL_KIND_SHA2:
        plugin = NGX_HYPERDRIVE_MYSQL_PLUGIN_SHA2;
        break;

    default: /* NGX_HYPERDRIVE_MYSQL_KIND_BOTH */
        plugin = (state->plugin == NGX_HYPERDRIVE_MYSQL_PLUGIN_SHA2)
                 ? NGX_HYPERDRIVE_MYSQL_PLUGIN_SHA2
                 : NGX_HYPERDRIVE_MYSQL_PLUGIN_NATIVE;
        break;
    }

    if (state->plugin != plugin
        && (state->plugin != NGX_HYPERDRIVE_MYSQL_PLUGIN_CLEAR
            || !(login->tls || login->local)))
    {
        return ngx_hyperdrive_mysql_client_login_switch(login, plugin, out);
    }

    return ngx_hyperdrive_mysql_client_login_check(login, &state->auth, out);
}


/* no password is asked: the plugin has to come to an end all the same */

static ngx_int_t
ngx_hyperdrive_mysql_client_login_trust(ngx_hyperdrive_proto_login_t *login,
    ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_mysql_client_login_t  *state;

    state = login->state;

    if (state->plugin == NGX_HYPERDRIVE_MYSQL_PLUGIN_OTHER) {
        return ngx_hyperdrive_mysql_client_login_switch(login,
                                    NGX_HYPERDRIVE_MYSQL_PLUGIN_NATIVE, out);
    }

    if (state->plugin == NGX_HYPERDRIVE_MYSQL_PLUGIN_SHA2
        && state->auth.len > 1)
    {
        ngx_hyperdrive_mysql_client_login_more(login, "\3", 1, out);
    }

    state->step = NGX_HYPERDRIVE_MYSQL_STEP_DONE;

    return NGX_OK;
}


/* with the same scramble, as the database does: some clients never read it */

static ngx_int_t
ngx_hyperdrive_mysql_client_login_switch(ngx_hyperdrive_proto_login_t *login,
    ngx_hyperdrive_mysql_plugin_e plugin, ngx_hyperdrive_chain_t *out)
{
    u_char                               *p;
    ngx_str_t                            *name;
    ngx_hyperdrive_mysql_client_login_t  *state;

    state = login->state;

    if (!(login->capabilities & NGX_HYPERDRIVE_MYSQL_PLUGIN_AUTH)) {
        return ngx_hyperdrive_mysql_client_login_old(login, out);
    }

    name = ngx_hyperdrive_mysql_plugin_name(plugin);

    p = ngx_hyperdrive_mysql_packet_begin(out, 1 + name->len
                                          + NGX_HYPERDRIVE_MYSQL_SCRAMBLE + 1,
                                          &login->seq);
    if (p == NULL) {
        return NGX_AGAIN;
    }

    *p++ = NGX_HYPERDRIVE_MYSQL_EOF;
    p = ngx_cpymem(p, name->data, name->len);
    p = ngx_cpymem(p, state->scramble, NGX_HYPERDRIVE_MYSQL_SCRAMBLE);
    *p = '\0';

    state->plugin = plugin;
    state->step = NGX_HYPERDRIVE_MYSQL_STEP_SWITCH;

    return NGX_AGAIN;
}


/* what the client's plugin has sent first */

static ngx_int_t
ngx_hyperdrive_mysql_client_login_check(ngx_hyperdrive_proto_login_t *login,
    ngx_str_t *auth, ngx_hyperdrive_chain_t *out)
{
    ngx_str_t                             password;
    ngx_hyperdrive_mysql_client_login_t  *state;

    state = login->state;

    if (login->trust) {
        state->step = NGX_HYPERDRIVE_MYSQL_STEP_DONE;
        return NGX_OK;
    }

    if (auth->len == 0 || (auth->len == 1 && auth->data[0] == '\0')) {

        /* no secret here is empty */

        state->blank = 1;

        return ngx_hyperdrive_mysql_client_login_denied(login, out);
    }

    switch (state->plugin) {

    case NGX_HYPERDRIVE_MYSQL_PLUGIN_NATIVE:
        return ngx_hyperdrive_mysql_client_login_native(login, auth, out);

    case NGX_HYPERDRIVE_MYSQL_PLUGIN_SHA2:
        return ngx_hyperdrive_mysql_client_login_sha2(login, auth, out);

    default: /* NGX_HYPERDRIVE_MYSQL_PLUGIN_CLEAR, by TLS */

        password = *auth;

        if (password.data[password.len - 1] == '\0') {
            password.len--;
        }

        return ngx_hyperdrive_mysql_client_login_password(login, &password,
                                                          out);
    }
}


static ngx_int_t
ngx_hyperdrive_mysql_client_login_native(ngx_hyperdrive_proto_login_t *login,
    ngx_str_t *auth, ngx_hyperdrive_chain_t *out)
{
    u_char                                once[NGX_HYPERDRIVE_MYSQL_SHA1];
    ngx_hyperdrive_mysql_client_login_t  *state;

    state = login->state;

    if (ngx_hyperdrive_mysql_native_check(state->verifier.native,
                                          state->scramble, auth, once)
        != NGX_OK
        || state->doomed)
    {
        return ngx_hyperdrive_mysql_client_login_denied(login, out);
    }

    ngx_hyperdrive_mysql_client_login_keep(login,
                                           NGX_HYPERDRIVE_MYSQL_TOKEN_SHA1,
                                           once, sizeof(once));

    ngx_hyperdrive_base_digest_wipe(once, sizeof(once));

    state->step = NGX_HYPERDRIVE_MYSQL_STEP_DONE;

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_mysql_client_login_sha2(ngx_hyperdrive_proto_login_t *login,
    ngx_str_t *auth, ngx_hyperdrive_chain_t *out)
{
    u_char                                once[NGX_HYPERDRIVE_MYSQL_SHA256];
    u_char                               *twice;
    ngx_hyperdrive_mysql_client_login_t  *state;

    state = login->state;
    twice = state->verifier.sha2;

    if (state->verifier.kind == NGX_HYPERDRIVE_MYSQL_KIND_SHA2
        && !state->doomed && login->keys && *login->keys)
    {
        /* what the password was, the last time that it was sent */

        twice = *login->keys;
    }

    if (ngx_hyperdrive_mysql_sha2_check(twice, state->scramble, auth, once)
        == NGX_OK
        && !state->doomed)
    {
        ngx_hyperdrive_mysql_client_login_keep(login,
                                             NGX_HYPERDRIVE_MYSQL_TOKEN_SHA256,
                                             once, sizeof(once));

        ngx_hyperdrive_base_digest_wipe(once, sizeof(once));

        ngx_hyperdrive_mysql_client_login_more(login, "\3", 1, out);

        state->step = NGX_HYPERDRIVE_MYSQL_STEP_DONE;

        return NGX_OK;
    }

    if (state->verifier.kind != NGX_HYPERDRIVE_MYSQL_KIND_SHA2) {
        return ngx_hyperdrive_mysql_client_login_denied(login, out);
    }

    /* only the password itself can tell */

    ngx_hyperdrive_mysql_client_login_more(login, "\4", 1, out);

    state->step = NGX_HYPERDRIVE_MYSQL_STEP_FULL;

    return NGX_AGAIN;
}


static ngx_int_t
ngx_hyperdrive_mysql_client_login_full(ngx_hyperdrive_proto_login_t *login,
    ngx_str_t *payload, ngx_hyperdrive_chain_t *out)
{
    ngx_str_t                             pem, password;
    ngx_hyperdrive_mysql_client_login_t  *state;

    state = login->state;

    if (payload->len == 1 && payload->data[0] == 2) {

        if (ngx_hyperdrive_mysql_rsa_key(&pem) != NGX_OK) {
            return ngx_hyperdrive_mysql_client_login_fail(login, 1105, "HY000",
                            "cannot make a key", out);
        }

        ngx_hyperdrive_mysql_client_login_more(login, pem.data, pem.len, out);

        state->step = NGX_HYPERDRIVE_MYSQL_STEP_KEY;

        return NGX_AGAIN;
    }

    if (!login->tls && !login->local) {

        /* a client that has our key already; in clear nobody may send it */

        return ngx_hyperdrive_mysql_client_login_key(login, payload, out);
    }

    password = *payload;

    if (password.len && password.data[password.len - 1] == '\0') {
        password.len--;
    }

    return ngx_hyperdrive_mysql_client_login_password(login, &password, out);
}


static ngx_int_t
ngx_hyperdrive_mysql_client_login_key(ngx_hyperdrive_proto_login_t *login,
    ngx_str_t *payload, ngx_hyperdrive_chain_t *out)
{
    u_char                                text[NGX_HYPERDRIVE_MYSQL_RSA_MAX];
    ngx_int_t                             rc;
    ngx_str_t                             password;
    ngx_hyperdrive_mysql_client_login_t  *state;

    state = login->state;

    if (ngx_hyperdrive_mysql_rsa_open(payload, state->scramble, text,
                                      &password)
        != NGX_OK)
    {
        return ngx_hyperdrive_mysql_client_login_denied(login, out);
    }

    rc = ngx_hyperdrive_mysql_client_login_password(login, &password, out);

    ngx_hyperdrive_base_digest_wipe(text, sizeof(text));

    return rc;
}


static ngx_int_t
ngx_hyperdrive_mysql_client_login_password(ngx_hyperdrive_proto_login_t *login,
    ngx_str_t *password, ngx_hyperdrive_chain_t *out)
{
    u_char                                twice[NGX_HYPERDRIVE_MYSQL_SHA256];
    ngx_hyperdrive_mysql_client_login_t  *state;

    state = login->state;

    if (ngx_hyperdrive_mysql_password_check(password, &state->verifier, twice)
        != NGX_OK
        || state->doomed)
    {
        return ngx_hyperdrive_mysql_client_login_denied(login, out);
    }

    if (state->verifier.kind == NGX_HYPERDRIVE_MYSQL_KIND_SHA2
        && login->keys)
    {
        if (*login->keys == NULL) {
            *login->keys = malloc(sizeof(twice));
        }

        if (*login->keys) {
            ngx_memcpy(*login->keys, twice, sizeof(twice));
        }
    }

    ngx_hyperdrive_mysql_client_login_keep(login,
                                           NGX_HYPERDRIVE_MYSQL_TOKEN_PASSWORD,
                                           password->data, password->len);

    state->step = NGX_HYPERDRIVE_MYSQL_STEP_DONE;

    return NGX_OK;
}


/* by which the same user may be logged in elsewhere */

static void
ngx_hyperdrive_mysql_client_login_keep(ngx_hyperdrive_proto_login_t *login,
    u_char type, void *data, size_t len)
{
    ngx_hyperdrive_mysql_client_login_t  *state;

    state = login->state;

    if (!login->keep || login->password.len) {
        /* the password itself is worth more */
        return;
    }

    state->token[0] = type;
    ngx_memcpy(state->token + 1, data, len);

    login->token.data = state->token;
    login->token.len = 1 + len;
}


/* AuthMoreData */

static void
ngx_hyperdrive_mysql_client_login_more(ngx_hyperdrive_proto_login_t *login,
    const void *data, size_t len, ngx_hyperdrive_chain_t *out)
{
    u_char  *p;

    p = ngx_hyperdrive_mysql_packet_begin(out, 1 + len, &login->seq);

    if (p) {
        *p++ = NGX_HYPERDRIVE_MYSQL_AUTH_MORE;
        ngx_memcpy(p, data, len);
    }
}


/* the same for one who is not there */

static ngx_int_t
ngx_hyperdrive_mysql_client_login_denied(ngx_hyperdrive_proto_login_t *login,
    ngx_hyperdrive_chain_t *out)
{
    u_char                                text[512];
    size_t                                len;
    ngx_str_t                             user, host;
    ngx_hyperdrive_mysql_client_login_t  *state;

    state = login->state;

    user = login->user;
    user.len = ngx_min(user.len, 80);

    host = login->host;
    host.len = ngx_min(host.len, 255);

    len = ngx_snprintf(text, sizeof(text),
                       "Access denied for user '%V'@'%V' (using password: %s)",
                       &user, &host, state->blank ? "NO" : "YES")
          - text;

    ngx_hyperdrive_mysql_err(out, login->capabilities, 1045, "28000", text,
                             len, &login->seq);

    state->step = NGX_HYPERDRIVE_MYSQL_STEP_DONE;

    ngx_memcpy(login->sqlstate, "28000", 6);
    login->reason = "wrong user or password";

    return NGX_ERROR;
}


static ngx_int_t
ngx_hyperdrive_mysql_client_login_old(ngx_hyperdrive_proto_login_t *login,
    ngx_hyperdrive_chain_t *out)
{
    return ngx_hyperdrive_mysql_client_login_fail(login, 1251, "08004",
                            "Client does not support authentication protocol "
                            "requested by server; consider upgrading MySQL "
                            "client", out);
}


ngx_int_t
ngx_hyperdrive_mysql_client_login_fail(ngx_hyperdrive_proto_login_t *login,
    ngx_uint_t code, char *sqlstate, char *reason, ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_mysql_client_login_t  *state;

    state = login->state;

    ngx_hyperdrive_mysql_err(out, login->capabilities, code, sqlstate, reason,
                             ngx_strlen(reason), &login->seq);

    state->step = NGX_HYPERDRIVE_MYSQL_STEP_DONE;

    ngx_memcpy(login->sqlstate, sqlstate, 6);
    login->reason = reason;

    return NGX_ERROR;
}
