
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "mysql/ngx_hyperdrive_mysql_login.h"
#include "mysql/ngx_hyperdrive_mysql_role.h"


/* an origin's log-in: we play the client */


typedef enum {
    NGX_HYPERDRIVE_MYSQL_GREETED = 0,        /* the origin speaks first */
    NGX_HYPERDRIVE_MYSQL_UPGRADED,           /* the handshake is the caller's */
    NGX_HYPERDRIVE_MYSQL_ASKED,              /* the response was sent: OK, ERR,
                                                or more of the plugin's */
    NGX_HYPERDRIVE_MYSQL_KEY_ASKED,          /* its public key comes */
    NGX_HYPERDRIVE_MYSQL_ROLE_ASKED          /* logged in: what it is comes */
} ngx_hyperdrive_mysql_origin_step_e;


typedef struct {
    ngx_hyperdrive_mysql_origin_step_e  step;
    ngx_hyperdrive_mysql_greeting_t     greeting;
    u_char                              version[
                                       NGX_HYPERDRIVE_MYSQL_GREETING_VERSION];
    ngx_hyperdrive_mysql_plugin_e       plugin;
    u_char                              scramble[
                                           NGX_HYPERDRIVE_MYSQL_SCRAMBLE_MAX];
    ngx_hyperdrive_mysql_role_t         role;
    u_char                              seq;
} ngx_hyperdrive_mysql_origin_login_t;


static ngx_int_t ngx_hyperdrive_mysql_origin_login_packet(
    ngx_hyperdrive_proto_login_t *login, ngx_str_t *payload,
    ngx_hyperdrive_chain_t *out);
static ngx_int_t ngx_hyperdrive_mysql_origin_login_greeted(
    ngx_hyperdrive_proto_login_t *login, ngx_str_t *payload,
    ngx_hyperdrive_chain_t *out);
static ngx_int_t ngx_hyperdrive_mysql_origin_login_read(
    ngx_hyperdrive_proto_login_t *login, ngx_str_t *payload);
static uint64_t ngx_hyperdrive_mysql_origin_login_wanted(
    ngx_hyperdrive_proto_login_t *login);
static u_char *ngx_hyperdrive_mysql_origin_login_head(
    ngx_hyperdrive_proto_login_t *login, size_t len,
    ngx_hyperdrive_chain_t *out);
static ngx_int_t ngx_hyperdrive_mysql_origin_login_respond(
    ngx_hyperdrive_proto_login_t *login, ngx_hyperdrive_chain_t *out);
static ngx_int_t ngx_hyperdrive_mysql_origin_login_prove(
    ngx_hyperdrive_proto_login_t *login, u_char *buf, ngx_str_t *proof);
static ngx_int_t ngx_hyperdrive_mysql_origin_login_once(
    ngx_hyperdrive_proto_login_t *login, ngx_uint_t sha2, u_char *once);
static ngx_str_t ngx_hyperdrive_mysql_origin_login_password(
    ngx_hyperdrive_proto_login_t *login);
static ngx_int_t ngx_hyperdrive_mysql_origin_login_switch(
    ngx_hyperdrive_proto_login_t *login, ngx_str_t *payload,
    ngx_hyperdrive_chain_t *out);
static ngx_int_t ngx_hyperdrive_mysql_origin_login_more(
    ngx_hyperdrive_proto_login_t *login, ngx_str_t *payload,
    ngx_hyperdrive_chain_t *out);
static ngx_int_t ngx_hyperdrive_mysql_origin_login_full(
    ngx_hyperdrive_proto_login_t *login, ngx_hyperdrive_chain_t *out);
static ngx_int_t ngx_hyperdrive_mysql_origin_login_seal(
    ngx_hyperdrive_proto_login_t *login, ngx_str_t *pem,
    ngx_hyperdrive_chain_t *out);
static void ngx_hyperdrive_mysql_origin_login_send(
    ngx_hyperdrive_proto_login_t *login, void *data, size_t len,
    ngx_hyperdrive_chain_t *out);
static ngx_int_t ngx_hyperdrive_mysql_origin_login_done(
    ngx_hyperdrive_proto_login_t *login, ngx_str_t *payload,
    ngx_hyperdrive_chain_t *out);
static ngx_int_t ngx_hyperdrive_mysql_origin_login_tell(
    ngx_hyperdrive_proto_login_t *login);
static ngx_int_t ngx_hyperdrive_mysql_origin_login_refused(
    ngx_hyperdrive_proto_login_t *login, ngx_str_t *payload);
static ngx_int_t ngx_hyperdrive_mysql_origin_login_fail(
    ngx_hyperdrive_proto_login_t *login, ngx_uint_t permanent, char *reason);


ngx_int_t
ngx_hyperdrive_mysql_login_origin(ngx_hyperdrive_proto_login_t *login,
    u_char **pos, u_char *last, ngx_hyperdrive_chain_t *out)
{
    u_char                                seq;
    ngx_int_t                             rc;
    ngx_str_t                             payload;
    ngx_hyperdrive_mysql_origin_login_t  *state;

    state = login->state;

    if (state == NULL) {
        state = calloc(1, sizeof(ngx_hyperdrive_mysql_origin_login_t));
        if (state == NULL) {
            return ngx_hyperdrive_mysql_origin_login_fail(login, 0,
                                                          "no memory");
        }

        login->state = state;
    }

    if (state->step == NGX_HYPERDRIVE_MYSQL_UPGRADED) {

        if (!login->tls) {
            return ngx_hyperdrive_mysql_origin_login_fail(login, 0,
                                         "no TLS handshake has been done");
        }

        rc = ngx_hyperdrive_mysql_origin_login_respond(login, out);

        if (rc != NGX_AGAIN) {
            return rc;
        }
    }

    for ( ;; ) {

        if (state->step == NGX_HYPERDRIVE_MYSQL_ROLE_ASKED) {
            rc = ngx_hyperdrive_mysql_role_read(&state->role, pos, last,
                                                &state->greeting);
            if (rc == NGX_OK) {
                rc = ngx_hyperdrive_mysql_origin_login_tell(login);

            } else if (rc == NGX_ERROR) {
                rc = ngx_hyperdrive_mysql_origin_login_fail(login, 0,
                                     "the database sent a malformed packet");
            }

            break;
        }

        rc = ngx_hyperdrive_mysql_packet(pos, last,
                                         NGX_HYPERDRIVE_MYSQL_LOGIN_MAX,
                                         &payload, &seq);

        if (rc == NGX_AGAIN) {
            break;
        }

        if (rc == NGX_ERROR || payload.len == 0) {
            return ngx_hyperdrive_mysql_origin_login_fail(login, 0,
                                     "the database sent a malformed packet");
        }

        state->seq = seq + 1;

        rc = ngx_hyperdrive_mysql_origin_login_packet(login, &payload, out);

        if (rc == NGX_DONE && *pos != last) {
            return ngx_hyperdrive_mysql_origin_login_fail(login, 0,
                                "unexpected data in front of the TLS "
                                "handshake");
        }

        if (rc != NGX_AGAIN) {
            break;
        }
    }

    if (out->failed && rc != NGX_ERROR) {
        return ngx_hyperdrive_mysql_origin_login_fail(login, 0, "no memory");
    }

    return rc;
}


void
ngx_hyperdrive_mysql_login_origin_free(ngx_hyperdrive_proto_login_t *login)
{
    ngx_hyperdrive_mysql_origin_login_t  *state;

    state = login->state;

    if (state) {
        ngx_hyperdrive_mysql_role_free(&state->role);
        free(state);
        login->state = NULL;
    }

    ngx_hyperdrive_base_chain_clear(&login->greeting);
}


static ngx_int_t
ngx_hyperdrive_mysql_origin_login_packet(ngx_hyperdrive_proto_login_t *login,
    ngx_str_t *payload, ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_mysql_origin_login_t  *state;

    state = login->state;

    if (payload->data[0] == NGX_HYPERDRIVE_MYSQL_ERR) {
        return ngx_hyperdrive_mysql_origin_login_refused(login, payload);
    }

    if (state->step == NGX_HYPERDRIVE_MYSQL_GREETED) {
        return ngx_hyperdrive_mysql_origin_login_greeted(login, payload, out);
    }

    switch (payload->data[0]) {

    case NGX_HYPERDRIVE_MYSQL_OK:
        return ngx_hyperdrive_mysql_origin_login_done(login, payload, out);

    case NGX_HYPERDRIVE_MYSQL_AUTH_MORE:
        return ngx_hyperdrive_mysql_origin_login_more(login, payload, out);

    case NGX_HYPERDRIVE_MYSQL_EOF:
        return ngx_hyperdrive_mysql_origin_login_switch(login, payload, out);

    default:
        return ngx_hyperdrive_mysql_origin_login_fail(login, 0,
                              "the database sent an unexpected packet");
    }
}


static ngx_int_t
ngx_hyperdrive_mysql_origin_login_greeted(ngx_hyperdrive_proto_login_t *login,
    ngx_str_t *payload, ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_mysql_greeting_t      *greeting;
    ngx_hyperdrive_mysql_origin_login_t  *state;

    state = login->state;
    greeting = &state->greeting;

    if (ngx_hyperdrive_mysql_origin_login_read(login, payload) != NGX_OK) {
        return NGX_ERROR;
    }

    greeting->capabilities = ngx_hyperdrive_mysql_origin_login_wanted(login)
                             & greeting->offered;

    if ((greeting->offered & NGX_HYPERDRIVE_MYSQL_NEEDED)
        != NGX_HYPERDRIVE_MYSQL_NEEDED)
    {
        return ngx_hyperdrive_mysql_origin_login_fail(login, 1,
                              "the database is too old: it has no protocol "
                              "4.1");
    }

    if (ngx_hyperdrive_mysql_login_compress(login, greeting) != NGX_OK) {
        return ngx_hyperdrive_mysql_origin_login_fail(login, 1,
                              "the database has no compression that the URL "
                              "allows");
    }

    if (login->request_tls
        && (greeting->offered & NGX_HYPERDRIVE_MYSQL_SSL))
    {
        greeting->capabilities |= NGX_HYPERDRIVE_MYSQL_SSL;

        (void) ngx_hyperdrive_mysql_origin_login_head(login, 0, out);

        state->step = NGX_HYPERDRIVE_MYSQL_UPGRADED;

        return NGX_DONE;
    }

    if (login->require_tls) {
        ngx_memcpy(login->sqlstate, "08001", 6);

        return ngx_hyperdrive_mysql_origin_login_fail(login, 1,
                              "the database does not support TLS, which "
                              "ssl-mode requires");
    }

    return ngx_hyperdrive_mysql_origin_login_respond(login, out);
}


/* handshake v10 */

static ngx_int_t
ngx_hyperdrive_mysql_origin_login_read(ngx_hyperdrive_proto_login_t *login,
    ngx_str_t *payload)
{
    size_t                                n;
    u_char                               *p, *last, *end;
    uint32_t                              more;
    ngx_str_t                             one, two, filler, plugin;
    ngx_uint_t                            protocol, byte, low, high, len;
    ngx_hyperdrive_mysql_greeting_t      *greeting;
    ngx_hyperdrive_mysql_origin_login_t  *state;

    state = login->state;
    greeting = &state->greeting;

    p = payload->data;
    last = p + payload->len;
    len = 0;

    p = ngx_hyperdrive_base_read_u8(p, last, &protocol);

    if (p && protocol != 10) {
        return ngx_hyperdrive_mysql_origin_login_fail(login, 1,
                              "the database does not speak version 10 of "
                              "MySQL's protocol");
    }

    p = ngx_hyperdrive_base_read_cstr(p, last, &greeting->version);
    p = ngx_hyperdrive_mysql_read_u32(p, last, &login->pid);
    p = ngx_hyperdrive_base_read_bytes(p, last, 8, &one);
    p = ngx_hyperdrive_base_read_u8(p, last, &byte);
    p = ngx_hyperdrive_mysql_read_u16(p, last, &low);
    p = ngx_hyperdrive_base_read_u8(p, last, &greeting->collation);
    p = ngx_hyperdrive_mysql_read_u16(p, last, &greeting->status);
    p = ngx_hyperdrive_mysql_read_u16(p, last, &high);
    p = ngx_hyperdrive_base_read_u8(p, last, &len);
    p = ngx_hyperdrive_base_read_bytes(p, last, 6, &filler);
    p = ngx_hyperdrive_mysql_read_u32(p, last, &more);

    n = (len > 8 + 13) ? len - 8 : 13;
    p = ngx_hyperdrive_base_read_bytes(p, last, n, &two);

    if (p == NULL) {
        return ngx_hyperdrive_mysql_origin_login_fail(login, 0,
                              "the database's greeting is cut short");
    }

    greeting->offered = low | (uint64_t) high << 16;

    if (!(greeting->offered & NGX_HYPERDRIVE_MYSQL_LONG_PASSWORD)) {
        greeting->offered |= (uint64_t) more << 32;
    }

    if (!login->local_files) {
        /* as if it did not have it: clients are not told of it, either */
        greeting->offered &= ~(uint64_t) NGX_HYPERDRIVE_MYSQL_LOCAL_FILES;
    }

    greeting->version.len = ngx_min(greeting->version.len,
                                    sizeof(state->version));
    ngx_memcpy(state->version, greeting->version.data, greeting->version.len);
    greeting->version.data = state->version;

    ngx_memcpy(state->scramble, one.data, 8);
    ngx_memcpy(state->scramble + 8, two.data,
               NGX_HYPERDRIVE_MYSQL_SCRAMBLE - 8);

    /* without its zero byte in versions that have forgotten it */

    end = (p < last) ? memchr(p, '\0', last - p) : NULL;

    plugin.data = p;
    plugin.len = (end ? end : last) - p;

    state->plugin = ngx_hyperdrive_mysql_plugin(&plugin);

    if (state->plugin != NGX_HYPERDRIVE_MYSQL_PLUGIN_NATIVE
        && state->plugin != NGX_HYPERDRIVE_MYSQL_PLUGIN_SHA2)
    {
        /* it will ask for another one if it has to */
        state->plugin = NGX_HYPERDRIVE_MYSQL_PLUGIN_NATIVE;
    }

    return NGX_OK;
}


static uint64_t
ngx_hyperdrive_mysql_origin_login_wanted(ngx_hyperdrive_proto_login_t *login)
{
    ngx_int_t   n;
    uint64_t    caps;
    ngx_str_t  *value;

    caps = NGX_HYPERDRIVE_MYSQL_COMMON|NGX_HYPERDRIVE_MYSQL_EXTENDED
           |NGX_HYPERDRIVE_MYSQL_LONG_PASSWORD
           |NGX_HYPERDRIVE_MYSQL_QUERY_ATTRIBUTES;

    if (login->database.len == 0) {
        caps &= ~(uint64_t) NGX_HYPERDRIVE_MYSQL_CONNECT_WITH_DB;
    }

    value = ngx_hyperdrive_mysql_login_param(login,
                                             NGX_HYPERDRIVE_MYSQL_PARAM_FIXED);
    if (value) {
        n = ngx_atoi(value->data, value->len);

        if (n != NGX_ERROR) {
            caps |= n & NGX_HYPERDRIVE_MYSQL_FIXED;
        }
    }

    return caps;
}


/* what both the request for TLS and the response begin with; NULL: no memory */

static u_char *
ngx_hyperdrive_mysql_origin_login_head(ngx_hyperdrive_proto_login_t *login,
    size_t len, ngx_hyperdrive_chain_t *out)
{
    u_char                               *p;
    uint64_t                              caps;
    ngx_int_t                             collation;
    ngx_str_t                            *value;
    ngx_hyperdrive_mysql_origin_login_t  *state;

    state = login->state;
    caps = state->greeting.capabilities;

    value = ngx_hyperdrive_mysql_login_param(login,
                                        NGX_HYPERDRIVE_MYSQL_PARAM_COLLATION);

    collation = value ? ngx_atoi(value->data, value->len) : NGX_ERROR;

    if (collation <= 0 || collation > 255) {
        collation = NGX_HYPERDRIVE_MYSQL_COLLATION;
    }

    p = ngx_hyperdrive_mysql_packet_begin(out, 32 + len, &state->seq);
    if (p == NULL) {
        return NULL;
    }

    p = ngx_hyperdrive_mysql_put_u32(p, (uint32_t) caps);
    p = ngx_hyperdrive_mysql_put_u32(p, NGX_HYPERDRIVE_MAX_MESSAGE);
    *p++ = (u_char) collation;
    ngx_memzero(p, 19);
    p += 19;

    return ngx_hyperdrive_mysql_put_u32(p, (uint32_t) (caps >> 32));
}


static ngx_int_t
ngx_hyperdrive_mysql_origin_login_respond(ngx_hyperdrive_proto_login_t *login,
    ngx_hyperdrive_chain_t *out)
{
    size_t                                len, size;
    u_char                               *p, buf[1
                                               + NGX_HYPERDRIVE_MYSQL_PASSWORD];
    uint64_t                              caps;
    ngx_int_t                             rc;
    ngx_str_t                             proof, *plugin, *program;
    ngx_uint_t                            i, n;
    ngx_hyperdrive_mysql_origin_login_t  *state;

    /* names and values */

    ngx_str_t  attrs[] = {
        ngx_string("_client_name"), ngx_string("hyperdrive"),
        ngx_string("_client_version"), ngx_string(NGX_HYPERDRIVE_VERSION),
        ngx_string("program_name"), ngx_null_string
    };

    state = login->state;
    caps = state->greeting.capabilities;

    rc = ngx_hyperdrive_mysql_origin_login_prove(login, buf, &proof);
    if (rc != NGX_OK) {
        return rc;
    }

    plugin = ngx_hyperdrive_mysql_plugin_name(state->plugin);
    program = ngx_hyperdrive_mysql_login_param(login,
                                                      "application_name");

    n = 4;

    if (program) {
        attrs[5] = *program;
        n = 6;
    }

    size = 0;

    for (i = 0; i < n; i++) {
        size += ngx_hyperdrive_mysql_lstr_size(attrs[i].len);
    }

    len = login->user.len + 1 + 1 + proof.len;

    if (caps & NGX_HYPERDRIVE_MYSQL_CONNECT_WITH_DB) {
        len += login->database.len + 1;
    }

    if (caps & NGX_HYPERDRIVE_MYSQL_PLUGIN_AUTH) {
        len += plugin->len;
    }

    if (caps & NGX_HYPERDRIVE_MYSQL_CONNECT_ATTRS) {
        len += ngx_hyperdrive_mysql_lstr_size(size);
    }

    if (caps & NGX_HYPERDRIVE_MYSQL_ZSTD) {
        len++;
    }

    p = ngx_hyperdrive_mysql_origin_login_head(login, len, out);
    if (p == NULL) {
        return ngx_hyperdrive_mysql_origin_login_fail(login, 0, "no memory");
    }

    if (login->user.len) {
        p = ngx_cpymem(p, login->user.data, login->user.len);
    }

    *p++ = '\0';

    /* below 251 bytes both forms of a length are this one */

    *p++ = (u_char) proof.len;
    p = ngx_cpymem(p, proof.data, proof.len);

    if (caps & NGX_HYPERDRIVE_MYSQL_CONNECT_WITH_DB) {
        p = ngx_cpymem(p, login->database.data, login->database.len);
        *p++ = '\0';
    }

    if (caps & NGX_HYPERDRIVE_MYSQL_PLUGIN_AUTH) {
        p = ngx_cpymem(p, plugin->data, plugin->len);
    }

    if (caps & NGX_HYPERDRIVE_MYSQL_CONNECT_ATTRS) {
        p = ngx_hyperdrive_mysql_put_lenc(p, size);

        for (i = 0; i < n; i++) {
            p = ngx_hyperdrive_mysql_put_lstr(p, attrs[i].data, attrs[i].len);
        }
    }

    if (caps & NGX_HYPERDRIVE_MYSQL_ZSTD) {
        *p = NGX_HYPERDRIVE_MYSQL_LEVEL;
    }

    ngx_hyperdrive_base_digest_wipe(buf, sizeof(buf));

    state->step = NGX_HYPERDRIVE_MYSQL_ASKED;

    return NGX_AGAIN;
}


/* what the plugin sends first; <buf> has room for a password */

static ngx_int_t
ngx_hyperdrive_mysql_origin_login_prove(ngx_hyperdrive_proto_login_t *login,
    u_char *buf, ngx_str_t *proof)
{
    u_char                                once[NGX_HYPERDRIVE_MYSQL_SHA256];
    ngx_int_t                             rc;
    ngx_str_t                             password;
    ngx_uint_t                            sha2;
    ngx_hyperdrive_mysql_origin_login_t  *state;

    state = login->state;

    proof->data = buf;
    proof->len = 0;

    if (login->password.len == 0 && login->token.len == 0) {
        /* a user without a password */
        return NGX_OK;
    }

    if (state->plugin == NGX_HYPERDRIVE_MYSQL_PLUGIN_CLEAR) {

        if (!login->tls && !login->local && !login->allow_clear) {
            return ngx_hyperdrive_mysql_origin_login_fail(login, 1,
                              "the database wants the password in clear: use "
                              "TLS, or cleartext_password=on");
        }

        password = ngx_hyperdrive_mysql_origin_login_password(login);

        if (password.len == 0
            || password.len >= NGX_HYPERDRIVE_MYSQL_PASSWORD)
        {
            return ngx_hyperdrive_mysql_origin_login_fail(login, 1,
                              "the database wants the password in clear, "
                              "which is not known");
        }

        ngx_memcpy(buf, password.data, password.len);
        buf[password.len] = '\0';
        proof->len = password.len + 1;

        return NGX_OK;
    }

    if (state->plugin == NGX_HYPERDRIVE_MYSQL_PLUGIN_ED25519) {

        password = ngx_hyperdrive_mysql_origin_login_password(login);
        proof->len = NGX_HYPERDRIVE_MYSQL_SIGNATURE;

        if (password.len
            && ngx_hyperdrive_mysql_ed25519_sign(&password, state->scramble,
                                                 buf)
               == NGX_OK)
        {
            return NGX_OK;
        }

        return ngx_hyperdrive_mysql_origin_login_fail(login, 1,
                              password.len
                              ? "the library cannot sign for client_ed25519"
                              : "the database wants client_ed25519, and the "
                                "password itself is not known");
    }

    sha2 = (state->plugin == NGX_HYPERDRIVE_MYSQL_PLUGIN_SHA2);

    rc = ngx_hyperdrive_mysql_origin_login_once(login, sha2, once);

    if (rc == NGX_DECLINED) {
        return ngx_hyperdrive_mysql_origin_login_fail(login, 1,
                              sha2
                              ? "the database wants caching_sha2_password, "
                                "and the client has shown another proof"
                              : "the database wants mysql_native_password, "
                                "and the client has shown another proof");
    }

    if (rc == NGX_OK) {
        rc = sha2 ? ngx_hyperdrive_mysql_sha2_prove(once, state->scramble, buf)
                  : ngx_hyperdrive_mysql_native_prove(once, state->scramble,
                                                      buf);
    }

    ngx_hyperdrive_base_digest_wipe(once, sizeof(once));

    if (rc != NGX_OK) {
        return ngx_hyperdrive_mysql_origin_login_fail(login, 1,
                              "the library has no digest for the database's "
                              "plugin");
    }

    proof->len = sha2 ? NGX_HYPERDRIVE_MYSQL_SHA256 : NGX_HYPERDRIVE_MYSQL_SHA1;

    return NGX_OK;
}


/* the password's digest; NGX_DECLINED: it is not known */

static ngx_int_t
ngx_hyperdrive_mysql_origin_login_once(ngx_hyperdrive_proto_login_t *login,
    ngx_uint_t sha2, u_char *once)
{
    size_t     len;
    u_char     type;
    ngx_str_t  password;

    password = ngx_hyperdrive_mysql_origin_login_password(login);

    if (password.len) {
        return sha2 ? ngx_hyperdrive_base_digest_sha256(password.data,
                                                        password.len, once)
                    : ngx_hyperdrive_base_digest_sha1(password.data,
                                                      password.len, once);
    }

    type = sha2 ? NGX_HYPERDRIVE_MYSQL_TOKEN_SHA256
                : NGX_HYPERDRIVE_MYSQL_TOKEN_SHA1;
    len = sha2 ? NGX_HYPERDRIVE_MYSQL_SHA256 : NGX_HYPERDRIVE_MYSQL_SHA1;

    if (login->token.len != 1 + len || login->token.data[0] != type) {
        return NGX_DECLINED;
    }

    ngx_memcpy(once, login->token.data + 1, len);

    return NGX_OK;
}


static ngx_str_t
ngx_hyperdrive_mysql_origin_login_password(ngx_hyperdrive_proto_login_t *login)
{
    ngx_str_t  password;

    password = login->password;

    if (password.len == 0 && login->token.len > 1
        && login->token.data[0] == NGX_HYPERDRIVE_MYSQL_TOKEN_PASSWORD)
    {
        password.data = login->token.data + 1;
        password.len = login->token.len - 1;
    }

    return password;
}


/* the database asks for another plugin, with a scramble of its own */

static ngx_int_t
ngx_hyperdrive_mysql_origin_login_switch(ngx_hyperdrive_proto_login_t *login,
    ngx_str_t *payload, ngx_hyperdrive_chain_t *out)
{
    size_t                                len;
    u_char                               *p, *last;
    u_char                                buf[1
                                               + NGX_HYPERDRIVE_MYSQL_PASSWORD];
    ngx_int_t                             rc;
    ngx_str_t                             name, proof;
    ngx_hyperdrive_mysql_origin_login_t  *state;

    state = login->state;

    p = payload->data + 1;
    last = payload->data + payload->len;

    if (p == last) {
        return ngx_hyperdrive_mysql_origin_login_fail(login, 1,
                              "the database wants mysql_old_password, which "
                              "is not supported");
    }

    p = ngx_hyperdrive_base_read_cstr(p, last, &name);

    if (p == NULL) {
        return ngx_hyperdrive_mysql_origin_login_fail(login, 0,
                              "the database sent a malformed packet");
    }

    state->plugin = ngx_hyperdrive_mysql_plugin(&name);

    if (state->plugin == NGX_HYPERDRIVE_MYSQL_PLUGIN_OTHER) {

        ngx_snprintf(login->message, sizeof(login->message),
                     "%V, known are mysql_native_password, "
                     "caching_sha2_password, mysql_clear_password and "
                     "client_ed25519%Z",
                     &name);
        login->message[sizeof(login->message) - 1] = '\0';

        return ngx_hyperdrive_mysql_origin_login_fail(login, 1,
                              "the database wants an authentication plugin "
                              "that is not supported");
    }

    len = (state->plugin == NGX_HYPERDRIVE_MYSQL_PLUGIN_ED25519)
          ? NGX_HYPERDRIVE_MYSQL_SCRAMBLE_MAX : NGX_HYPERDRIVE_MYSQL_SCRAMBLE;

    if ((size_t) (last - p) >= len) {
        ngx_memcpy(state->scramble, p, len);

    } else if (state->plugin != NGX_HYPERDRIVE_MYSQL_PLUGIN_CLEAR) {
        return ngx_hyperdrive_mysql_origin_login_fail(login, 0,
                              "the database sent a malformed packet");
    }

    rc = ngx_hyperdrive_mysql_origin_login_prove(login, buf, &proof);

    if (rc == NGX_OK) {
        ngx_hyperdrive_mysql_origin_login_send(login, proof.data, proof.len,
                                               out);
        ngx_hyperdrive_base_digest_wipe(buf, sizeof(buf));
        rc = NGX_AGAIN;
    }

    return rc;
}


/* more of caching_sha2_password's: no other one has any */

static ngx_int_t
ngx_hyperdrive_mysql_origin_login_more(ngx_hyperdrive_proto_login_t *login,
    ngx_str_t *payload, ngx_hyperdrive_chain_t *out)
{
    ngx_str_t                             pem;
    ngx_hyperdrive_mysql_origin_login_t  *state;

    state = login->state;

    if (state->step == NGX_HYPERDRIVE_MYSQL_KEY_ASKED) {

        pem.data = payload->data + 1;
        pem.len = payload->len - 1;

        state->step = NGX_HYPERDRIVE_MYSQL_ASKED;

        return ngx_hyperdrive_mysql_origin_login_seal(login, &pem, out);
    }

    if (state->plugin == NGX_HYPERDRIVE_MYSQL_PLUGIN_SHA2
        && payload->len == 2)
    {
        switch (payload->data[1]) {

        case 3:
            /* that was enough: the OK follows */
            return NGX_AGAIN;

        case 4:
            return ngx_hyperdrive_mysql_origin_login_full(login, out);
        }
    }

    return ngx_hyperdrive_mysql_origin_login_fail(login, 0,
                              "the database sent an unexpected packet");
}


/* the database does not remember the digest: it wants the password itself */

static ngx_int_t
ngx_hyperdrive_mysql_origin_login_full(ngx_hyperdrive_proto_login_t *login,
    ngx_hyperdrive_chain_t *out)
{
    u_char                                buf[NGX_HYPERDRIVE_MYSQL_PASSWORD];
    ngx_str_t                             password;
    ngx_hyperdrive_mysql_origin_login_t  *state;

    state = login->state;

    password = ngx_hyperdrive_mysql_origin_login_password(login);

    if (password.len == 0) {
        return ngx_hyperdrive_mysql_origin_login_fail(login, 1,
                              "the database wants the password itself, and "
                              "the client has shown a digest of it");
    }

    if (password.len >= sizeof(buf)) {
        return ngx_hyperdrive_mysql_origin_login_fail(login, 1,
                              "the password is too long");
    }

    if (login->tls || login->local) {

        ngx_memcpy(buf, password.data, password.len);
        buf[password.len] = '\0';

        ngx_hyperdrive_mysql_origin_login_send(login, buf, password.len + 1,
                                               out);

        ngx_hyperdrive_base_digest_wipe(buf, sizeof(buf));

        return NGX_AGAIN;
    }

    if (login->public_key.len) {
        return ngx_hyperdrive_mysql_origin_login_seal(login,
                                                      &login->public_key, out);
    }

    if (!login->ask_key) {
        return ngx_hyperdrive_mysql_origin_login_fail(login, 1,
                              "the database wants the password itself: use "
                              "TLS, or allowPublicKeyRetrieval=true in the "
                              "URL");
    }

    ngx_hyperdrive_mysql_origin_login_send(login, "\2", 1, out);

    state->step = NGX_HYPERDRIVE_MYSQL_KEY_ASKED;

    return NGX_AGAIN;
}


static ngx_int_t
ngx_hyperdrive_mysql_origin_login_seal(ngx_hyperdrive_proto_login_t *login,
    ngx_str_t *pem, ngx_hyperdrive_chain_t *out)
{
    size_t                                len;
    u_char                                text[NGX_HYPERDRIVE_MYSQL_RSA_MAX];
    ngx_str_t                             password;
    ngx_hyperdrive_mysql_origin_login_t  *state;

    state = login->state;

    password = ngx_hyperdrive_mysql_origin_login_password(login);

    if (ngx_hyperdrive_mysql_rsa_seal(&password, pem, state->scramble, text,
                                      &len)
        != NGX_OK)
    {
        return ngx_hyperdrive_mysql_origin_login_fail(login, 1,
                              "the database's public key cannot be used");
    }

    ngx_hyperdrive_mysql_origin_login_send(login, text, len, out);

    return NGX_AGAIN;
}


static void
ngx_hyperdrive_mysql_origin_login_send(ngx_hyperdrive_proto_login_t *login,
    void *data, size_t len, ngx_hyperdrive_chain_t *out)
{
    u_char                               *p;
    ngx_hyperdrive_mysql_origin_login_t  *state;

    state = login->state;

    p = ngx_hyperdrive_mysql_packet_begin(out, len, &state->seq);

    if (p && len) {
        ngx_memcpy(p, data, len);
    }
}


static ngx_int_t
ngx_hyperdrive_mysql_origin_login_done(ngx_hyperdrive_proto_login_t *login,
    ngx_str_t *payload, ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_mysql_ok_t             ok;
    ngx_hyperdrive_mysql_greeting_t      *greeting;
    ngx_hyperdrive_mysql_origin_login_t  *state;

    state = login->state;
    greeting = &state->greeting;

    if (ngx_hyperdrive_mysql_ok_read(payload, greeting->capabilities, &ok)
        != NGX_OK)
    {
        return ngx_hyperdrive_mysql_origin_login_fail(login, 0,
                              "the database sent a malformed packet");
    }

    greeting->status = ok.status
                       & ~(ngx_uint_t) NGX_HYPERDRIVE_MYSQL_STATE_CHANGED;

    greeting->changes = ok.changes;

    if (!login->ask_role) {
        return ngx_hyperdrive_mysql_origin_login_tell(login);
    }

    ngx_hyperdrive_mysql_role_ask(&state->role, greeting, out);

    state->step = NGX_HYPERDRIVE_MYSQL_ROLE_ASKED;

    return NGX_AGAIN;
}


static ngx_int_t
ngx_hyperdrive_mysql_origin_login_tell(ngx_hyperdrive_proto_login_t *login)
{
    ngx_hyperdrive_mysql_origin_login_t  *state;

    state = login->state;

    ngx_hyperdrive_mysql_greeting_write(&state->greeting, &login->greeting);

    if (login->greeting.failed) {
        return ngx_hyperdrive_mysql_origin_login_fail(login, 0, "no memory");
    }

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_mysql_origin_login_refused(ngx_hyperdrive_proto_login_t *login,
    ngx_str_t *payload)
{
    size_t                      len;
    ngx_hyperdrive_mysql_err_t  err;

    if (ngx_hyperdrive_mysql_err_read(payload, &err) != NGX_OK) {
        return ngx_hyperdrive_mysql_origin_login_fail(login, 0,
                              "the database sent a malformed packet");
    }

    len = ngx_min(err.message.len, sizeof(login->message) - 1);

    ngx_memcpy(login->message, err.message.data, len);
    login->message[len] = '\0';

    return ngx_hyperdrive_mysql_origin_login_fail(login,
                        ngx_hyperdrive_mysql_error_refusal(err.code,
                                                           login->sqlstate),
                        "the database refused the log-in");
}


static ngx_int_t
ngx_hyperdrive_mysql_origin_login_fail(ngx_hyperdrive_proto_login_t *login,
    ngx_uint_t permanent, char *reason)
{
    login->reason = reason;
    login->permanent = permanent ? 1 : 0;
    login->tls_alike = 1;

    return NGX_ERROR;
}
