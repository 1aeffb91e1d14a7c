
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "origin/ngx_hyperdrive_origin.h"
#include "base/ngx_hyperdrive_base_hash.h"
#include "base/ngx_hyperdrive_base_plain.h"


/*
 * Which server it is that answers at an address: behind one there may be
 * several, and one may have several.  Each connection asks once.  The question
 * goes ahead of the first request, in the same write, so that it costs no round
 * trip; its answer comes ahead of the one to that request.  Where a primary is
 * told from another one by it, a connection is used when it has answered.
 *
 * Until then it is taken to lead to the only server that anybody has seen at
 * its address; where there were several, to one that nobody knows.
 */


/* an error that may pass: asked so often, each time that it is idle */
#define NGX_HYPERDRIVE_ORIGIN_NAME_TRIES  3

#define NGX_HYPERDRIVE_ORIGIN_NAME_COLUMNS  4


static void ngx_hyperdrive_origin_name_row(ngx_hyperdrive_origin_t *o,
    ngx_str_t *cols);
static uint64_t ngx_hyperdrive_origin_name_digest(ngx_str_t *name);
static void ngx_hyperdrive_origin_name_error(ngx_hyperdrive_origin_t *o,
    ngx_hyperdrive_proto_piece_t *piece);
static void ngx_hyperdrive_origin_name_never(ngx_hyperdrive_origin_t *o,
    char *reason);
static void ngx_hyperdrive_origin_name_end(ngx_hyperdrive_origin_t *o);


void  (*ngx_hyperdrive_origin_found)(ngx_hyperdrive_origin_t *o);


ngx_int_t
ngx_hyperdrive_origin_name(ngx_hyperdrive_origin_t *o)
{
    ngx_str_t                text;
    ngx_hyperdrive_proto_t  *proto;

    proto = o->pool->conf->proto;

    if (o->named || o->naming || !proto->origin_idle(o->wire)) {
        return NGX_DECLINED;
    }

    if (o->server->nameless || o->pool->single
        || o->asked == NGX_HYPERDRIVE_ORIGIN_NAME_TRIES)
    {
        ngx_hyperdrive_origin_name_end(o);
        return NGX_DECLINED;
    }

    text.data = (u_char *) proto->name_text(o->wire);
    text.len = ngx_strlen(text.data);

    o->asked++;
    o->naming = 1;

    if (proto->origin_own(o->wire, &text, NGX_HYPERDRIVE_PROTO_TAG_NAME,
                          NGX_HYPERDRIVE_PROTO_OWN_SYNC, &o->net.out)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (!o->extra) {

        /* from now on there is something to be asked about */

        ngx_hyperdrive_shm_backend_known(o->backend, o->pid,
                                         ngx_hyperdrive_origin_where(o),
                                         ngx_hyperdrive_origin_line(o));
    }

    return NGX_OK;
}


void
ngx_hyperdrive_origin_name_wait(ngx_hyperdrive_origin_t *o)
{
    ngx_connection_t  *c;

    c = o->net.connection;

    /* as one that is checked: who pends waits for it */

    c->idle = 0;
    o->checking = 1;
    o->drained = 0;

    if (o->state != NGX_HYPERDRIVE_ORIGIN_DRAIN) {
        ngx_hyperdrive_origin_set_state(o, NGX_HYPERDRIVE_ORIGIN_DRAIN);
    }

    if (ngx_hyperdrive_net_flush(&o->net) == NGX_ERROR
        || ngx_handle_write_event(c->write, 0) != NGX_OK)
    {
        ngx_hyperdrive_origin_close(o, "could not be asked which server it is");
        return;
    }

    ngx_add_timer(c->read, o->server->connect_timeout);

    ngx_hyperdrive_net_post_read(&o->net);
}


void
ngx_hyperdrive_origin_name_piece(ngx_hyperdrive_origin_t *o,
    ngx_hyperdrive_proto_piece_t *piece)
{
    u_char      *p;
    ngx_str_t    cols[NGX_HYPERDRIVE_ORIGIN_NAME_COLUMNS];
    ngx_uint_t   n;

    switch (piece->type) {

    case NGX_HYPERDRIVE_PROTO_ROWS:
        p = piece->data;
        n = NGX_HYPERDRIVE_ORIGIN_NAME_COLUMNS;

        if (!piece->end
            && o->pool->conf->proto->row(&p, piece->data + piece->len, cols,
                                         &n)
               == NGX_OK
            && n == NGX_HYPERDRIVE_ORIGIN_NAME_COLUMNS)
        {
            ngx_hyperdrive_origin_name_row(o, cols);
        }

        return;

    case NGX_HYPERDRIVE_PROTO_ERROR:
        ngx_hyperdrive_origin_name_error(o, piece);
        return;

    case NGX_HYPERDRIVE_PROTO_READY:
        ngx_hyperdrive_origin_name_end(o);
        return;

    default:
        return;
    }
}


static void
ngx_hyperdrive_origin_name_row(ngx_hyperdrive_origin_t *o, ngx_str_t *cols)
{
    ngx_int_t  own, up;

    own = ngx_atoi(cols[0].data, cols[0].len);
    up = ngx_atoi(cols[3].data, cols[3].len);

    if (cols[1].len == 0 || up == NGX_ERROR) {
        ngx_hyperdrive_origin_name_never(o, "its answer makes no sense");
        return;
    }

    if (own != (ngx_int_t) o->pid) {
        ngx_hyperdrive_origin_name_never(o, "there is another pooler between");
        return;
    }

    o->home = ngx_hyperdrive_origin_name_digest(&cols[1]);
    o->line = cols[2].len ? ngx_hyperdrive_origin_name_digest(&cols[2]) : 0;
    o->since = ngx_current_msec - (ngx_msec_t) up * 1000;
}


static uint64_t
ngx_hyperdrive_origin_name_digest(ngx_str_t *name)
{
    uint64_t         digest;

    static uint64_t  seed[2];

    digest = ngx_hyperdrive_base_hash(seed, name->data, name->len)
             & NGX_HYPERDRIVE_ORIGIN_SITE_MASK;

    return digest ? digest : 1;
}


static void
ngx_hyperdrive_origin_name_error(ngx_hyperdrive_origin_t *o,
    ngx_hyperdrive_proto_piece_t *piece)
{
    u_char  sqlstate[6], message[256];

    o->pool->conf->proto->error_text(piece, sqlstate, message,
                                     sizeof(message));

    ngx_hyperdrive_base_plain(message, ngx_strlen(message));

    /* a right or a function that is lacking will do so next time */

    if (ngx_memcmp(sqlstate, "42", 2) == 0
        || ngx_memcmp(sqlstate, "0A", 2) == 0)
    {
        ngx_hyperdrive_origin_name_never(o, (char *) message);
        return;
    }

    ngx_log_error(NGX_LOG_INFO, ngx_cycle->log, 0,
                  "hyperdrive origin %uD of \"%V\" has not said which server "
                  "it is: %s", o->pid, &o->pool->conf->name, message);
}


/* told once */

static void
ngx_hyperdrive_origin_name_never(ngx_hyperdrive_origin_t *o, char *reason)
{
    if (o->server->nameless) {
        return;
    }

    o->server->nameless = 1;

    ngx_log_error(NGX_LOG_WARN, ngx_cycle->log, 0,
                  "hyperdrive upstream \"%V\": origin \"%V\" cannot be asked "
                  "which server it is, its address counts: %s",
                  &o->pool->conf->name, &o->server->name, reason);
}


static void
ngx_hyperdrive_origin_name_end(ngx_hyperdrive_origin_t *o)
{
    o->naming = 0;

    if (o->home == 0) {

        if (!o->server->nameless && !o->pool->single
            && o->asked < NGX_HYPERDRIVE_ORIGIN_NAME_TRIES)
        {
            return;
        }

        o->home = o->site;

    } else {
        o->known = 1;
        ngx_hyperdrive_shm_site_seen(o->site, o->home, o->line);
    }

    o->named = 1;

    ngx_hyperdrive_shm_backend_known(o->backend, o->pid,
                                     ngx_hyperdrive_origin_where(o),
                                     ngx_hyperdrive_origin_line(o));

    if (ngx_hyperdrive_origin_found && !o->extra) {
        ngx_hyperdrive_origin_found(o);
    }
}


uint64_t
ngx_hyperdrive_origin_home(ngx_hyperdrive_origin_t *o)
{
    uint64_t  home, line;

    if (o->home) {
        return o->home;
    }

    return ngx_hyperdrive_shm_site(o->site, &home, &line) == NGX_OK ? home : 0;
}


uint32_t
ngx_hyperdrive_origin_where(ngx_hyperdrive_origin_t *o)
{
    uint32_t    crc;
    uint64_t    home;
    ngx_str_t  *user;

    home = ngx_hyperdrive_origin_home(o);

    if (home == 0) {
        return 0;
    }

    ngx_crc32_init(crc);
    ngx_crc32_update(&crc, (u_char *) &home, sizeof(uint64_t));

    if (!o->pool->conf->proto->left_any) {
        user = o->pool->user.len ? &o->pool->user : &o->server->user;

        ngx_crc32_update(&crc, user->data, user->len);
    }

    ngx_crc32_final(crc);

    return crc ? crc : 1;
}


uint32_t
ngx_hyperdrive_origin_line(ngx_hyperdrive_origin_t *o)
{
    uint64_t  home, line;

    line = o->line;

    if (o->home == 0
        && ngx_hyperdrive_shm_site(o->site, &home, &line) != NGX_OK)
    {
        line = 0;
    }

    return line ? (uint32_t) (line ^ line >> 32) | 1 : 0;
}
