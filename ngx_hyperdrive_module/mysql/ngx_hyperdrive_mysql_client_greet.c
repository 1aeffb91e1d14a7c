
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "mysql/ngx_hyperdrive_mysql_client_login.h"
#include "mysql/ngx_hyperdrive_mysql_compress.h"
#include "mysql/ngx_hyperdrive_mysql_wire.h"


/* how a client's log-in begins, also amid a session, and how it ends */


void
ngx_hyperdrive_mysql_login_greet(ngx_hyperdrive_proto_login_t *login,
    ngx_str_t *greeting, uint32_t pid, ngx_hyperdrive_chain_t *out)
{
    size_t                                len;
    u_char                               *p;
    ngx_str_t                            *plugin;
    ngx_hyperdrive_mysql_greeting_t       origin;
    ngx_hyperdrive_mysql_client_login_t  *state;

    ngx_memzero(&origin, sizeof(ngx_hyperdrive_mysql_greeting_t));

    if (greeting == NULL
        || ngx_hyperdrive_mysql_greeting_read(greeting, &origin) != NGX_OK)
    {
        ngx_str_set(&origin.version, NGX_HYPERDRIVE_MYSQL_VERSION);
        origin.offered = NGX_HYPERDRIVE_MYSQL_LONG_PASSWORD;
        origin.collation = NGX_HYPERDRIVE_MYSQL_COLLATION;
    }

    state = calloc(1, sizeof(ngx_hyperdrive_mysql_client_login_t));

    if (state == NULL
        || ngx_hyperdrive_mysql_scramble(state->scramble) != NGX_OK)
    {
        free(state);
        out->failed = 1;
        return;
    }

    login->state = state;

    if (login->nonce) {
        ngx_memcpy(login->nonce, state->scramble, sizeof(state->scramble));
    }

    state->offered = NGX_HYPERDRIVE_MYSQL_COMMON|NGX_HYPERDRIVE_MYSQL_FIXED
                     |NGX_HYPERDRIVE_MYSQL_COMPRESSED
                     |(origin.offered & (NGX_HYPERDRIVE_MYSQL_LONG_PASSWORD
                                         |NGX_HYPERDRIVE_MYSQL_QUERY_ATTRIBUTES
                                         |NGX_HYPERDRIVE_MYSQL_EXTENDED
                                 |NGX_HYPERDRIVE_MYSQL_MARIADB_CACHE_METADATA));

    if (!(origin.offered & NGX_HYPERDRIVE_MYSQL_LOCAL_FILES)) {
        state->offered &= ~(uint64_t) NGX_HYPERDRIVE_MYSQL_LOCAL_FILES;
    }

    if (login->tls_offered && !login->tls) {
        state->offered |= NGX_HYPERDRIVE_MYSQL_SSL;
        login->ahead = NGX_HYPERDRIVE_MYSQL_HEADER
                       + NGX_HYPERDRIVE_MYSQL_TLS_LEN;
    }

    /* MariaDB's clients begin with what its users have; others with theirs */

    state->plugin = (login->kinds == NGX_HYPERDRIVE_MYSQL_KIND_NATIVE
                     || !(origin.offered & NGX_HYPERDRIVE_MYSQL_LONG_PASSWORD))
                    ? NGX_HYPERDRIVE_MYSQL_PLUGIN_NATIVE
                    : NGX_HYPERDRIVE_MYSQL_PLUGIN_SHA2;

    plugin = ngx_hyperdrive_mysql_plugin_name(state->plugin);

    len = 1 + origin.version.len + 1 + 4 + 8 + 1 + 2 + 1 + 2 + 2 + 1 + 10
          + 13 + plugin->len;

    login->seq = 0;

    p = ngx_hyperdrive_mysql_packet_begin(out, len, &login->seq);
    if (p == NULL) {
        return;
    }

    *p++ = 10;
    p = ngx_cpymem(p, origin.version.data, origin.version.len);
    *p++ = '\0';
    p = ngx_hyperdrive_mysql_put_u32(p, pid);
    p = ngx_cpymem(p, state->scramble, 8);
    *p++ = '\0';
    p = ngx_hyperdrive_mysql_put_u16(p, (ngx_uint_t) (state->offered
                                                      & 0xffff));
    *p++ = (u_char) origin.collation;
    p = ngx_hyperdrive_mysql_put_u16(p, NGX_HYPERDRIVE_MYSQL_AUTOCOMMIT);
    p = ngx_hyperdrive_mysql_put_u16(p, (ngx_uint_t) (state->offered >> 16
                                                      & 0xffff));
    *p++ = NGX_HYPERDRIVE_MYSQL_SCRAMBLE + 1;
    ngx_memzero(p, 6);
    p = ngx_hyperdrive_mysql_put_u32(p + 6, (uint32_t) (state->offered >> 32));
    p = ngx_cpymem(p, state->scramble + 8, NGX_HYPERDRIVE_MYSQL_SCRAMBLE - 8);
    *p++ = '\0';
    ngx_memcpy(p, plugin->data, plugin->len);
}


ngx_int_t
ngx_hyperdrive_mysql_login_change(ngx_hyperdrive_proto_login_t *login,
    void *data, u_char **pos, u_char *last, ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_mysql_client_t *client = data;

    u_char                                seq;
    ngx_str_t                             payload, body;
    ngx_hyperdrive_mysql_response_t       response;
    ngx_hyperdrive_mysql_client_login_t  *state;

    state = calloc(1, sizeof(ngx_hyperdrive_mysql_client_login_t));
    if (state == NULL) {
        login->reason = "no memory";
        return NGX_ERROR;
    }

    login->state = state;
    login->capabilities = client->caps;

    ngx_memcpy(state->scramble, login->nonce, sizeof(state->scramble));

    if (ngx_hyperdrive_mysql_packet(pos, last, NGX_HYPERDRIVE_MYSQL_LOGIN_MAX,
                                    &payload, &seq)
        != NGX_OK)
    {
        login->seq = 1;

        return ngx_hyperdrive_mysql_client_login_fail(login, 1153, "08S01",
                            "a packet of the log-in is too long", out);
    }

    login->seq = seq + 1;

    ngx_memzero(&response, sizeof(ngx_hyperdrive_mysql_response_t));

    response.capabilities = client->caps;
    response.collation = NGX_HYPERDRIVE_MYSQL_COLLATION;

    body.data = payload.data + 1;
    body.len = payload.len - 1;

    if (ngx_hyperdrive_mysql_response_change(&body, &response) != NGX_OK) {
        return ngx_hyperdrive_mysql_client_login_fail(login, 1043, "08S01",
                            "Bad handshake", out);
    }

    return ngx_hyperdrive_mysql_client_login_known(login, &payload, &response,
                                                   out);
}


void
ngx_hyperdrive_mysql_login_client_free(ngx_hyperdrive_proto_login_t *login)
{
    ngx_hyperdrive_mysql_client_login_t  *state;

    state = login->state;

    if (state == NULL) {
        return;
    }

    if (state->packet.data) {
        ngx_hyperdrive_base_digest_wipe(state->packet.data, state->packet.len);
        free(state->packet.data);
    }

    ngx_hyperdrive_base_digest_wipe(state, sizeof(*state));
    free(state);

    login->state = NULL;
    login->nparams = 0;

    ngx_str_null(&login->user);
    ngx_str_null(&login->database);
    ngx_str_null(&login->token);
}


void
ngx_hyperdrive_mysql_login_welcome(ngx_hyperdrive_proto_login_t *login,
    ngx_str_t *greeting, uint32_t pid, u_char *key, size_t len,
    ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_mysql_ok_t        ok;
    ngx_hyperdrive_mysql_greeting_t  origin;

    /* its number was told when it was greeted */

    (void) ngx_hyperdrive_mysql_greeting_read(greeting, &origin);

    ngx_memzero(&ok, sizeof(ngx_hyperdrive_mysql_ok_t));

    ok.status = origin.status;
    ok.changes = origin.changes;

    ngx_hyperdrive_mysql_ok(out, login->capabilities, &ok, &login->seq);
}
