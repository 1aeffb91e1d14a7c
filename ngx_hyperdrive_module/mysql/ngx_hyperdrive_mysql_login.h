
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_MYSQL_LOGIN_H_INCLUDED_
#define _NGX_HYPERDRIVE_MYSQL_LOGIN_H_INCLUDED_


#include "ngx_hyperdrive.h"
#include "ngx_hyperdrive_proto.h"
#include "mysql/ngx_hyperdrive_mysql_auth.h"
#include "mysql/ngx_hyperdrive_mysql_greeting.h"
#include "mysql/ngx_hyperdrive_mysql_packet.h"


/* a payload of a client's log-in, and of an origin's */
#define NGX_HYPERDRIVE_MYSQL_LOGIN_MAX         60000

/* capabilities without which nobody talks here */
#define NGX_HYPERDRIVE_MYSQL_NEEDED                                           \
    (NGX_HYPERDRIVE_MYSQL_PROTOCOL_41                                         \
     |NGX_HYPERDRIVE_MYSQL_SECURE_CONNECTION)

/* what both ends have, whatever the other one is */
#define NGX_HYPERDRIVE_MYSQL_COMMON                                           \
    (NGX_HYPERDRIVE_MYSQL_NEEDED                                              \
     |NGX_HYPERDRIVE_MYSQL_LONG_FLAG                                          \
     |NGX_HYPERDRIVE_MYSQL_CONNECT_WITH_DB                                    \
     |NGX_HYPERDRIVE_MYSQL_TRANSACTIONS                                       \
     |NGX_HYPERDRIVE_MYSQL_MULTI_STATEMENTS                                   \
     |NGX_HYPERDRIVE_MYSQL_MULTI_RESULTS                                      \
     |NGX_HYPERDRIVE_MYSQL_PS_MULTI_RESULTS                                   \
     |NGX_HYPERDRIVE_MYSQL_PLUGIN_AUTH                                        \
     |NGX_HYPERDRIVE_MYSQL_CONNECT_ATTRS                                      \
     |NGX_HYPERDRIVE_MYSQL_PLUGIN_LENENC                                      \
     |NGX_HYPERDRIVE_MYSQL_SESSION_TRACK                                      \
     |NGX_HYPERDRIVE_MYSQL_DEPRECATE_EOF)

/* MariaDB's, which clients are offered if the origin does */
#define NGX_HYPERDRIVE_MYSQL_EXTENDED                                         \
    (NGX_HYPERDRIVE_MYSQL_MARIADB_BULK|NGX_HYPERDRIVE_MYSQL_MARIADB_TYPE_INFO)

/* what stays as it is from log-in to end, and changes answers: the client's
   are asked for at the origin, which is not everybody's then */
#define NGX_HYPERDRIVE_MYSQL_FIXED                                            \
    (NGX_HYPERDRIVE_MYSQL_FOUND_ROWS                                          \
     |NGX_HYPERDRIVE_MYSQL_LOCAL_FILES                                        \
     |NGX_HYPERDRIVE_MYSQL_NO_SCHEMA                                          \
     |NGX_HYPERDRIVE_MYSQL_ODBC                                               \
     |NGX_HYPERDRIVE_MYSQL_IGNORE_SPACE                                       \
     |NGX_HYPERDRIVE_MYSQL_INTERACTIVE)

/* of zstd's levels the last one, and the one that an origin is asked for */
#define NGX_HYPERDRIVE_MYSQL_LEVEL_MAX         22
#define NGX_HYPERDRIVE_MYSQL_LEVEL             3

/* utf8mb4_general_ci, which every server knows */
#define NGX_HYPERDRIVE_MYSQL_COLLATION         45

/* what clients are told before an origin has said what it is */
#define NGX_HYPERDRIVE_MYSQL_VERSION           "8.0.11-hyperdrive"

/* names of login->params */
#define NGX_HYPERDRIVE_MYSQL_PARAM_FIXED       "capabilities"
#define NGX_HYPERDRIVE_MYSQL_PARAM_COLLATION   "collation"


/*
 * login->token: what a client has shown, and an origin may be shown again:
 * the first byte tells what follows.
 */

#define NGX_HYPERDRIVE_MYSQL_TOKEN_SHA1        'n'
#define NGX_HYPERDRIVE_MYSQL_TOKEN_SHA256      's'
#define NGX_HYPERDRIVE_MYSQL_TOKEN_PASSWORD    'p'


/*
 * As ngx_hyperdrive_proto.h has them.  login->keys of a client's end: the
 * SHA-256 digest that a user has shown the password of, 32 bytes.
 */

void ngx_hyperdrive_mysql_login_greet(ngx_hyperdrive_proto_login_t *login,
    ngx_str_t *greeting, uint32_t pid, ngx_hyperdrive_chain_t *out);
ngx_int_t ngx_hyperdrive_mysql_login_change(
    ngx_hyperdrive_proto_login_t *login, void *client, u_char **pos,
    u_char *last, ngx_hyperdrive_chain_t *out);
ngx_int_t ngx_hyperdrive_mysql_login_client(
    ngx_hyperdrive_proto_login_t *login, u_char **pos, u_char *last,
    ngx_hyperdrive_chain_t *out);
void ngx_hyperdrive_mysql_login_client_free(
    ngx_hyperdrive_proto_login_t *login);
void ngx_hyperdrive_mysql_login_welcome(ngx_hyperdrive_proto_login_t *login,
    ngx_str_t *greeting, uint32_t pid, u_char *key, size_t len,
    ngx_hyperdrive_chain_t *out);
ngx_int_t ngx_hyperdrive_mysql_login_origin(
    ngx_hyperdrive_proto_login_t *login, u_char **pos, u_char *last,
    ngx_hyperdrive_chain_t *out);
void ngx_hyperdrive_mysql_login_origin_free(
    ngx_hyperdrive_proto_login_t *login);
void ngx_hyperdrive_mysql_login_keys_free(void **keys);
ngx_uint_t ngx_hyperdrive_mysql_login_is_verifier(ngx_str_t *secret);
char *ngx_hyperdrive_mysql_login_secret_wrong(ngx_str_t *secret);
ngx_int_t ngx_hyperdrive_mysql_login_verifier(ngx_str_t *user,
    ngx_str_t *password, u_char *mock, u_char *out);
ngx_int_t ngx_hyperdrive_mysql_lookup_request(ngx_str_t *text, ngx_str_t *user,
    ngx_hyperdrive_chain_t *out);
ngx_int_t ngx_hyperdrive_mysql_lookup_row(u_char *data, size_t len,
    ngx_str_t *user, ngx_str_t *secret);


/*
 * Within the room: agrees upon the first way to compress that the database has
 * as well; NGX_DECLINED: it has none, and there has to be one.
 */
ngx_int_t ngx_hyperdrive_mysql_login_compress(
    ngx_hyperdrive_proto_login_t *login,
    ngx_hyperdrive_mysql_greeting_t *greeting);

/* ...a value of login->params, or NULL */
ngx_str_t *ngx_hyperdrive_mysql_login_param(
    ngx_hyperdrive_proto_login_t *login, char *name);

/*
 * ...what other rooms call the error by which an origin refuses
 * a log-in, in _error.c: true if it stays, whoever asks again.  *sqlstate is
 * set if there is a name for it.
 */
ngx_uint_t ngx_hyperdrive_mysql_error_refusal(ngx_uint_t code,
    u_char *sqlstate);

/*
 * ...what a client says in its first packet, or in a
 * COM_CHANGE_USER; strings point into the payload.  NGX_ERROR: malformed.
 */

typedef struct {
    uint64_t                       capabilities;
    ngx_uint_t                     collation;
    ngx_str_t                      user;
    ngx_str_t                      auth;
    ngx_str_t                      database;
    ngx_str_t                      plugin;      /* empty: not told */
    ngx_str_t                      attributes;  /* names and values, well
                                                   formed */
} ngx_hyperdrive_mysql_response_t;

ngx_int_t ngx_hyperdrive_mysql_response_read(ngx_str_t *payload,
    uint64_t offered, ngx_hyperdrive_mysql_response_t *response);
/* <payload> without the command's byte */
ngx_int_t ngx_hyperdrive_mysql_response_change(ngx_str_t *payload,
    ngx_hyperdrive_mysql_response_t *response);


#endif /* _NGX_HYPERDRIVE_MYSQL_LOGIN_H_INCLUDED_ */
