
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "pg/ngx_hyperdrive_pg.h"
#include "pg/ngx_hyperdrive_pg_login.h"
#include "pg/ngx_hyperdrive_pg_message.h"
#include "pg/ngx_hyperdrive_pg_scram.h"
#include "base/ngx_hyperdrive_base_cursor.h"
#include "base/ngx_hyperdrive_base_mode.h"


/*
 * Between the protocol table and the two ends of the log-in: what is common
 * to all protocols is copied over on the way in and on the way out.
 */


/* bytes of a client's cancel key: before protocol 3.2, and from then on */
#define NGX_HYPERDRIVE_PG_LOGIN_KEY          4
#define NGX_HYPERDRIVE_PG_LOGIN_LONG_KEY     32


static void ngx_hyperdrive_pg_login_words(ngx_hyperdrive_proto_login_t *login,
    ngx_hyperdrive_pg_origin_login_t *end);
static ngx_uint_t ngx_hyperdrive_pg_login_unsafe(ngx_str_t *encoding);


/* encodings with ASCII bytes inside characters, and how these are cut; of
   JOHAB the database and others do not agree */

static struct {
    ngx_str_t                         name;
    ngx_uint_t                        charset;
}  ngx_hyperdrive_pg_login_encodings[] = {
    { ngx_string("SJIS"), NGX_HYPERDRIVE_BASE_MODE_SJIS },
    { ngx_string("SHIFT_JIS_2004"), NGX_HYPERDRIVE_BASE_MODE_SJIS },
    { ngx_string("BIG5"), NGX_HYPERDRIVE_BASE_MODE_BIG5 },
    { ngx_string("GBK"), NGX_HYPERDRIVE_BASE_MODE_GBK },
    { ngx_string("GB18030"), NGX_HYPERDRIVE_BASE_MODE_GB18030 },
    { ngx_string("UHC"), NGX_HYPERDRIVE_BASE_MODE_GBK },
    { ngx_string("JOHAB"), NGX_HYPERDRIVE_BASE_MODE_SAFE },
    { ngx_null_string, 0 }
};


ngx_int_t
ngx_hyperdrive_pg_login_client(ngx_hyperdrive_proto_login_t *login,
    u_char **pos, u_char *last, ngx_hyperdrive_chain_t *out)
{
    ngx_uint_t                         i;
    ngx_hyperdrive_pg_client_login_t  *end;

    end = login->state;

    if (end == NULL) {
        end = calloc(1, sizeof(ngx_hyperdrive_pg_client_login_t));
        if (end == NULL) {
            login->reason = "no memory";
            return NGX_ERROR;
        }

        login->state = end;

        ngx_memcpy(end->mock_secret, login->mock, sizeof(end->mock_secret));
    }

    end->tls_offered = login->tls_offered;
    end->tls = login->tls;
    end->channel_binding = login->tls_bound;
    end->cert_hash = login->cert_hash;
    end->found = login->found;
    end->secret = login->secret;
    end->keep = login->keep;

    if (login->trust) {
        end->auth = NGX_HYPERDRIVE_PG_AUTH_TRUST;

    } else if (login->secret.len == 35
               && ngx_strncmp(login->secret.data, "md5", 3) == 0)
    {
        end->auth = NGX_HYPERDRIVE_PG_AUTH_MD5;

    } else {
        end->auth = NGX_HYPERDRIVE_PG_AUTH_SCRAM;
    }

    switch (ngx_hyperdrive_pg_client_login(end, pos, last, out)) {

    case NGX_HYPERDRIVE_PG_LOGIN_AGAIN:
        return NGX_AGAIN;

    case NGX_HYPERDRIVE_PG_LOGIN_TLS:
        return NGX_DONE;

    case NGX_HYPERDRIVE_PG_LOGIN_CANCEL:
        login->cancel_pid = end->cancel_pid;
        login->cancel_key = end->cancel_key;
        return NGX_DECLINED;

    case NGX_HYPERDRIVE_PG_LOGIN_LOOKUP:
        login->user = end->user;
        login->database = end->database;
        login->replication = end->replication;
        login->key_len = (end->protocol < NGX_HYPERDRIVE_PG_PROTOCOL_3_2)
                         ? NGX_HYPERDRIVE_PG_LOGIN_KEY
                         : NGX_HYPERDRIVE_PG_LOGIN_LONG_KEY;
        login->nparams = end->nparams;

        for (i = 0; i < end->nparams; i++) {
            login->params[i].name = end->params[i].name;
            login->params[i].value = end->params[i].value;
        }

        return NGX_BUSY;

    case NGX_HYPERDRIVE_PG_LOGIN_OK:

        if (end->auth == NGX_HYPERDRIVE_PG_AUTH_MD5) {
            login->token = end->secret;

        } else if (end->pass.iterations) {
            login->token.data = (u_char *) &end->pass;
            login->token.len = sizeof(end->pass);
        }

        return NGX_OK;

    default: /* NGX_HYPERDRIVE_PG_LOGIN_FAILED */
        login->reason = end->reason;
        ngx_memcpy(login->sqlstate, end->sqlstate, sizeof(login->sqlstate));
        return NGX_ERROR;
    }
}


void
ngx_hyperdrive_pg_login_client_free(ngx_hyperdrive_proto_login_t *login)
{
    if (login->state) {
        ngx_hyperdrive_pg_client_login_destroy(login->state);
        free(login->state);
        login->state = NULL;
    }
}


void
ngx_hyperdrive_pg_login_welcome(ngx_hyperdrive_proto_login_t *login,
    ngx_str_t *greeting, uint32_t pid, u_char *key, size_t len,
    ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_base_chain_append(out, greeting->data, greeting->len);
    ngx_hyperdrive_pg_backend_key(out, pid, key, len);
    ngx_hyperdrive_pg_ready(out, 'I');
}


ngx_int_t
ngx_hyperdrive_pg_login_origin(ngx_hyperdrive_proto_login_t *login,
    u_char **pos, u_char *last, ngx_hyperdrive_chain_t *out)
{
    ngx_uint_t                         i;
    ngx_hyperdrive_pg_origin_login_t  *end;

    end = login->state;

    if (end == NULL) {
        end = calloc(1, sizeof(ngx_hyperdrive_pg_origin_login_t));
        if (end == NULL) {
            login->reason = "no memory";
            return NGX_ERROR;
        }

        login->state = end;

        end->user = login->user;
        end->database = login->database;
        end->password = login->password;

        if (login->token.len == sizeof(ngx_hyperdrive_pg_scram_pass_t)) {
            end->pass = (ngx_hyperdrive_pg_scram_pass_t *) login->token.data;

        } else if (login->token.len) {
            end->md5 = login->token;
        }

        end->request_tls = login->request_tls;
        end->require_tls = login->require_tls;
        end->allow_cleartext = login->allow_clear;
        end->nparams = login->nparams;

        if (login->keys) {

            if (*login->keys == NULL) {
                *login->keys = calloc(1,
                                      sizeof(ngx_hyperdrive_pg_scram_keys_t));
            }

            end->keys = *login->keys;
        }

        for (i = 0; i < login->nparams; i++) {
            end->params[i].name = login->params[i].name;
            end->params[i].value = login->params[i].value;
        }
    }

    end->tls = login->tls;
    end->cert_hash = login->cert_hash;

    switch (ngx_hyperdrive_pg_origin_login(end, pos, last, out)) {

    case NGX_HYPERDRIVE_PG_LOGIN_AGAIN:
        return NGX_AGAIN;

    case NGX_HYPERDRIVE_PG_LOGIN_TLS:
        return NGX_DONE;

    case NGX_HYPERDRIVE_PG_LOGIN_OK:
        login->pid = end->backend_pid;
        login->key = end->backend_key;
        ngx_hyperdrive_base_chain_move(&login->greeting, &end->parameters);
        return NGX_OK;

    default: /* NGX_HYPERDRIVE_PG_LOGIN_FAILED */
        login->reason = end->reason;
        login->permanent = end->fatal_config;
        ngx_memcpy(login->sqlstate, end->sqlstate, sizeof(login->sqlstate));
        ngx_hyperdrive_pg_login_words(login, end);
        return NGX_ERROR;
    }
}


void
ngx_hyperdrive_pg_login_origin_free(ngx_hyperdrive_proto_login_t *login)
{
    if (login->state) {
        ngx_hyperdrive_pg_origin_login_destroy(login->state);
        free(login->state);
        login->state = NULL;
    }

    ngx_hyperdrive_base_chain_clear(&login->greeting);
}


void
ngx_hyperdrive_pg_login_keys_free(void **keys)
{
    if (*keys) {
        ngx_hyperdrive_base_digest_wipe(*keys,
                                       sizeof(ngx_hyperdrive_pg_scram_keys_t));
        free(*keys);
        *keys = NULL;
    }
}


/* what the origin has said itself, for those who wait and for the log */

static void
ngx_hyperdrive_pg_login_words(ngx_hyperdrive_proto_login_t *login,
    ngx_hyperdrive_pg_origin_login_t *end)
{
    u_char                  *p;
    ngx_str_t                words;
    ngx_hyperdrive_block_t  *block;

    block = end->error.head;

    if (end->own_error || block == NULL || block != end->error.tail
        || block->last - block->pos < 5)
    {
        return;
    }

    if (ngx_hyperdrive_pg_error_field(block->pos + 5,
                                      block->last - block->pos - 5, 'M',
                                      &words)
        != NGX_OK)
    {
        return;
    }

    p = ngx_cpymem(login->message, words.data,
                   ngx_min(words.len, sizeof(login->message) - 1));
    *p = '\0';
}


ngx_uint_t
ngx_hyperdrive_pg_login_is_verifier(ngx_str_t *secret)
{
    return (secret->len == 35 && ngx_strncmp(secret->data, "md5", 3) == 0)
           || (secret->len > sizeof("SCRAM-SHA-256$") - 1
               && ngx_strncmp(secret->data, "SCRAM-SHA-256$",
                              sizeof("SCRAM-SHA-256$") - 1)
                  == 0);
}


char *
ngx_hyperdrive_pg_login_secret_wrong(ngx_str_t *secret)
{
    ngx_hyperdrive_pg_scram_secret_t  scram;

    if (!ngx_hyperdrive_pg_login_is_verifier(secret) || secret->len == 35) {
        return NULL;
    }

    return ngx_hyperdrive_pg_scram_parse(secret, &scram) == NGX_OK
           ? NULL : "it is no whole SCRAM verifier";
}


ngx_int_t
ngx_hyperdrive_pg_login_verifier(ngx_str_t *user, ngx_str_t *password,
    u_char *mock, u_char *out)
{
    u_char  salt[NGX_HYPERDRIVE_PG_SCRAM_SALT];

    /*
     * The salt that an unknown user of this name would be shown: it stays the
     * same over reloads, and so does not tell who exists.
     */

    if (ngx_hyperdrive_pg_scram_mock_salt(mock, 32, user, salt) != NGX_OK) {
        return NGX_ERROR;
    }

    return ngx_hyperdrive_pg_scram_verifier_salted(password, salt,
                                       NGX_HYPERDRIVE_PG_SCRAM_ITERATIONS,
                                       out, NGX_HYPERDRIVE_PG_VERIFIER_LEN);
}


/* as base/ngx_hyperdrive_base_mode.h has it */

ngx_uint_t
ngx_hyperdrive_pg_login_mode(ngx_str_t *greeting)
{
    u_char      *p, *end, *body, *last;
    uint32_t     len;
    ngx_str_t    name, value;
    ngx_uint_t   mode;

    mode = NGX_HYPERDRIVE_BASE_MODE_STANDARD;
    p = greeting->data;
    last = p + greeting->len;

    while (last - p > 5) {

        len = ngx_hyperdrive_base_get_u32(p + 1);

        if (len < 4 || len > (size_t) (last - p - 1)) {
            break;
        }

        end = p + 1 + len;

        body = ngx_hyperdrive_base_read_cstr(p + 5, end, &name);
        body = ngx_hyperdrive_base_read_cstr(body, end, &value);

        p = end;

        if (body == NULL) {
            continue;
        }

        if (name.len == sizeof("standard_conforming_strings") - 1
            && ngx_strncmp(name.data, "standard_conforming_strings",
                           name.len) == 0)
        {
            mode &= ~(ngx_uint_t) NGX_HYPERDRIVE_BASE_MODE_STANDARD;
            mode |= (value.len == 2) ? NGX_HYPERDRIVE_BASE_MODE_STANDARD : 0;

        } else if (name.len == sizeof("client_encoding") - 1
                   && ngx_strncmp(name.data, "client_encoding", name.len) == 0)
        {
            mode |= ngx_hyperdrive_pg_login_unsafe(&value);
        }
    }

    return mode;
}


static ngx_uint_t
ngx_hyperdrive_pg_login_unsafe(ngx_str_t *encoding)
{
    ngx_str_t   *name;
    ngx_uint_t   i;

    for (i = 0; ngx_hyperdrive_pg_login_encodings[i].name.len; i++) {
        name = &ngx_hyperdrive_pg_login_encodings[i].name;

        if (name->len == encoding->len
            && ngx_strncasecmp(name->data, encoding->data, name->len) == 0)
        {
            return NGX_HYPERDRIVE_BASE_MODE_UNSAFE
                   | ngx_hyperdrive_pg_login_encodings[i].charset << 12;
        }
    }

    return 0;
}
