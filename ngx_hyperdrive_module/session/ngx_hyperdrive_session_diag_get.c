
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session_diag.h"
#include "sql/ngx_hyperdrive_sql_asks.h"


/*
 * GET DIAGNOSTICS puts into user variables what the statement before has left.
 * Where that is not to be found at a connection any more, SET says the same,
 * and is followed as any other.
 */


#define NGX_HYPERDRIVE_SESSION_DIAG_GET_TEXT  8192


static ngx_int_t ngx_hyperdrive_session_diag_get_value(
    ngx_hyperdrive_session_t *s, ngx_hyperdrive_sql_asks_get_e what,
    ngx_str_t *cols, u_char **pos, u_char *last);
static ngx_int_t ngx_hyperdrive_session_diag_get_condition(
    ngx_hyperdrive_session_t *s, ngx_uint_t n, ngx_str_t *cols);


ngx_int_t
ngx_hyperdrive_session_diag_get_set(ngx_hyperdrive_session_t *s)
{
    u_char                          buf[NGX_HYPERDRIVE_SESSION_DIAG_GET_TEXT],
                                   *p, *last;
    ngx_int_t                       rc;
    ngx_str_t                       text, cols[3];
    ngx_uint_t                      i;
    ngx_hyperdrive_proto_t         *proto;
    ngx_hyperdrive_chain_t          out;
    ngx_hyperdrive_sql_mode_t       mode;
    ngx_hyperdrive_sql_asks_get_t   get;

    if (s->diag->unsaved || s->diag->here) {
        /* the connection knows */
        return NGX_DECLINED;
    }

    text.data = s->unit.stmt->text;
    text.len = s->unit.stmt->len;

    ngx_hyperdrive_sql_mode(s->unit.stmt->mode, &mode);

    if (ngx_hyperdrive_sql_asks_get(&text, &mode, &get) != NGX_OK
        || (get.condition
            && ngx_hyperdrive_session_diag_get_condition(s, get.condition,
                                                         cols)
               != NGX_OK))
    {
        return NGX_DECLINED;
    }

    p = buf;
    last = buf + sizeof(buf);

    for (i = 0; i < get.n; i++) {
        p = ngx_slprintf(p, last, "%s@%V=", i ? "," : "SET ",
                         &get.items[i].name);

        if (ngx_hyperdrive_session_diag_get_value(s, get.items[i].what, cols,
                                                  &p, last)
            != NGX_OK)
        {
            return NGX_DECLINED;
        }
    }

    text.data = buf;
    text.len = p - buf;

    proto = s->conf->origin->proto;

    ngx_memzero(&out, sizeof(ngx_hyperdrive_chain_t));
    proto->client_query(s->wire, &text, &out);

    rc = NGX_DECLINED;

    if (!out.failed && out.head == out.tail) {

        /* instead of it */

        s->net.pos += s->unit.len;

        rc = ngx_hyperdrive_net_unread(&s->net, out.head->pos, out.size);

        s->diag->instead = (rc == NGX_OK);

        if (rc != NGX_OK) {
            s->net.pos -= s->unit.len;
            rc = NGX_DECLINED;
        }
    }

    ngx_hyperdrive_base_chain_clear(&out);

    return rc;
}


static ngx_int_t
ngx_hyperdrive_session_diag_get_value(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_sql_asks_get_e what, ngx_str_t *cols, u_char **pos,
    u_char *last)
{
    size_t                          i;
    u_char                         *p;
    ngx_str_t                      *text;
    ngx_hyperdrive_session_diag_t  *d;

    d = s->diag;
    p = *pos;

    switch (what) {

    case NGX_HYPERDRIVE_SQL_ASKS_GET_NUMBER:
        *pos = ngx_slprintf(p, last, "CAST(%ui AS UNSIGNED)", d->warnings);
        return NGX_OK;

    case NGX_HYPERDRIVE_SQL_ASKS_GET_ROW_COUNT:
        *pos = ngx_slprintf(p, last, "%L", d->count);
        return NGX_OK;

    case NGX_HYPERDRIVE_SQL_ASKS_GET_ERRNO:
        *pos = ngx_slprintf(p, last, "CAST(%V AS UNSIGNED)", &cols[1]);
        return NGX_OK;

    case NGX_HYPERDRIVE_SQL_ASKS_GET_SQLSTATE:

        if (d->sqlstate[0] == '\0' || cols[0].len != 5) {
            /* of a warning nobody has told it */
            return NGX_DECLINED;
        }

        *pos = ngx_slprintf(p, last, "'%*s'", (size_t) 5, d->sqlstate);
        return NGX_OK;

    default: /* NGX_HYPERDRIVE_SQL_ASKS_GET_MESSAGE */
        text = &cols[2];
        break;
    }

    if ((size_t) (last - p) < 2 * text->len + sizeof("''")) {
        return NGX_DECLINED;
    }

    *p++ = '\'';

    for (i = 0; i < text->len; i++) {

        if (text->data[i] == '\\' || text->data[i] > '~') {
            return NGX_DECLINED;
        }

        if (text->data[i] == '\'') {
            *p++ = '\'';
        }

        *p++ = text->data[i];
    }

    *p++ = '\'';
    *pos = p;

    return NGX_OK;
}


/* level, number and text of the condition <n> */

static ngx_int_t
ngx_hyperdrive_session_diag_get_condition(ngx_hyperdrive_session_t *s,
    ngx_uint_t n, ngx_str_t *cols)
{
    u_char                         *p, *last;
    ngx_uint_t                      ncols;
    ngx_hyperdrive_session_diag_t  *d;

    d = s->diag;

    if (d->len == 0) {
        return NGX_DECLINED;
    }

    p = d->list + d->head;
    last = d->list + d->len;

    do {
        ncols = 3;

        if (p == last
            || s->conf->origin->proto->row(&p, last, cols, &ncols) != NGX_OK
            || ncols != 3)
        {
            return NGX_DECLINED;
        }
    } while (--n);

    return NGX_OK;
}
