
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_PG_MESSAGE_H_INCLUDED_
#define _NGX_HYPERDRIVE_PG_MESSAGE_H_INCLUDED_


#include "ngx_hyperdrive.h"
#include "base/ngx_hyperdrive_base_chain.h"


/*
 * Messages that are written as a whole (manual, 55.7 "Message Formats").
 * Each writer appends one message to <chain>; if memory runs out,
 * chain->failed is set and nothing of the message is written.
 */


/* the authentication requests, by their numbers */
#define NGX_HYPERDRIVE_PG_AUTH_OK             0
#define NGX_HYPERDRIVE_PG_AUTH_CLEARTEXT      3
#define NGX_HYPERDRIVE_PG_AUTH_MD5_PASSWORD   5
#define NGX_HYPERDRIVE_PG_AUTH_SASL           10
#define NGX_HYPERDRIVE_PG_AUTH_SASL_CONTINUE  11
#define NGX_HYPERDRIVE_PG_AUTH_SASL_FINAL     12

/* the requests that stand in the place of a start-up packet's version */
#define NGX_HYPERDRIVE_PG_CANCEL_REQUEST      80877102
#define NGX_HYPERDRIVE_PG_SSL_REQUEST         80877103
#define NGX_HYPERDRIVE_PG_GSSENC_REQUEST      80877104

#define NGX_HYPERDRIVE_PG_PROTOCOL_3_0        0x30000
#define NGX_HYPERDRIVE_PG_PROTOCOL_3_2        0x30002


/* the body of any message; <type> 0: a start-up packet, which has none */
void ngx_hyperdrive_pg_message(ngx_hyperdrive_chain_t *chain, u_char type,
    const void *body, size_t len);

/* ErrorResponse; <detail> and <hint> may be NULL */
void ngx_hyperdrive_pg_error(ngx_hyperdrive_chain_t *chain,
    const char *severity, const char *sqlstate, const char *message,
    const char *detail, const char *hint);

/* an authentication request, with what follows its number */
void ngx_hyperdrive_pg_auth(ngx_hyperdrive_chain_t *chain, uint32_t type,
    const void *data, size_t len);

void ngx_hyperdrive_pg_parameter_status(ngx_hyperdrive_chain_t *chain,
    ngx_str_t *name, ngx_str_t *value);
void ngx_hyperdrive_pg_backend_key(ngx_hyperdrive_chain_t *chain, uint32_t pid,
    u_char *key, size_t len);
/* <status> is one of I, T and E */
void ngx_hyperdrive_pg_ready(ngx_hyperdrive_chain_t *chain, u_char status);


/*
 * Finds a field in the body of an ErrorResponse or a NoticeResponse; <value>
 * points into the body.  NGX_OK; NGX_DECLINED if it is not there, or the body
 * is malformed before it.
 */
ngx_int_t ngx_hyperdrive_pg_error_field(u_char *body, size_t len,
    u_char field, ngx_str_t *value);


#endif /* _NGX_HYPERDRIVE_PG_MESSAGE_H_INCLUDED_ */
