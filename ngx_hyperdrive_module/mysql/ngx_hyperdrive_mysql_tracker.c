
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "mysql/ngx_hyperdrive_mysql_wire.h"


static u_char *ngx_hyperdrive_mysql_tracker_value(
    ngx_hyperdrive_state_stmt_t *stmt);
static ngx_uint_t ngx_hyperdrive_mysql_tracker_on(u_char *p, u_char *last);


/*
 * The origin is to tell of any change of its session, so that what nobody has
 * read here stays with its client.  One that cannot goes on without.  Where
 * <stmt> names the tracker, it is as this client believes.
 */

ngx_int_t
ngx_hyperdrive_mysql_tracker(ngx_hyperdrive_mysql_forward_t *f,
    ngx_hyperdrive_state_stmt_t *stmt)
{
    u_char                         *value;
    ngx_str_t                       text;
    ngx_uint_t                      tells;
    ngx_hyperdrive_mysql_reply_t   *reply;
    ngx_hyperdrive_mysql_client_t  *c;
    ngx_hyperdrive_mysql_origin_t  *o;

    c = f->client;
    o = f->origin;

    if (!(o->caps & NGX_HYPERDRIVE_MYSQL_SESSION_TRACK)) {
        return NGX_OK;
    }

    value = ngx_hyperdrive_mysql_tracker_value(stmt);

    if (value && (stmt->plan.settings || stmt->plan.stateful)) {
        c->hears = ngx_hyperdrive_mysql_tracker_on(value,
                                                   stmt->text + stmt->len);
        o->tells = 0;

        return NGX_OK;
    }

    if (value && !c->hears) {
        tells = NGX_HYPERDRIVE_MYSQL_TELLS_DEFAULT;
        ngx_str_set(&text, "SET session_track_state_change=DEFAULT");

    } else {
        tells = NGX_HYPERDRIVE_MYSQL_TELLS_CHANGES;
        ngx_str_set(&text, "SET session_track_state_change=1");
    }

    if (o->tells == tells) {
        return NGX_OK;
    }

    reply = ngx_hyperdrive_mysql_forward_expect(f,
                                           NGX_HYPERDRIVE_MYSQL_REPLY_RESULTS,
                                           NGX_HYPERDRIVE_MYSQL_DROP);
    if (reply == NULL) {
        return NGX_ERROR;
    }

    reply->optional = 1;
    o->tells = tells;

    ngx_hyperdrive_mysql_origin_text(o, &text, f->out);

    return NGX_OK;
}


/* what is behind its name, or NULL */

static u_char *
ngx_hyperdrive_mysql_tracker_value(ngx_hyperdrive_state_stmt_t *stmt)
{
    u_char            *p;
    static ngx_str_t   name = ngx_string("session_track_state_change");

    if (stmt == NULL || !(stmt->plan.settings || stmt->plan.reason)) {
        return NULL;
    }

    p = ngx_strlcasestrn(stmt->text, stmt->text + stmt->len, name.data,
                         name.len - 1);

    return p ? p + name.len : NULL;
}


/* whether "= 1" follows, or a word for it */

static ngx_uint_t
ngx_hyperdrive_mysql_tracker_on(u_char *p, u_char *last)
{
    while (p < last && ngx_strchr(" \t\r\n`:='\"", *p)) {
        p++;
    }

    return p < last
           && (*p == '1'
               || (last - p >= 2 && ngx_strncasecmp(p, (u_char *) "on", 2) == 0)
               || (last - p >= 4
                   && ngx_strncasecmp(p, (u_char *) "true", 4) == 0));
}
