
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "pg/ngx_hyperdrive_pg.h"
#include "pg/ngx_hyperdrive_pg_message.h"
#include "base/ngx_hyperdrive_base_cursor.h"


static ngx_int_t ngx_hyperdrive_pg_own_expect(ngx_hyperdrive_pg_origin_t *o,
    ngx_hyperdrive_pg_reply_e type, ngx_uint_t tag, ngx_uint_t flags);


/* of the portal, in which the client's stay as they are */
#define NGX_HYPERDRIVE_PG_OWN_PORTAL     "_hyperdrive_own"


/*
 * Parse, Bind, Execute and Close: a Query would end in a ReadyForQuery and not
 * stop what stands behind it.  The statement is the unnamed one, so that none
 * is left at the origin.
 */

ngx_int_t
ngx_hyperdrive_pg_own(void *origin, ngx_str_t *text, ngx_uint_t tag,
    ngx_uint_t flags, ngx_hyperdrive_chain_t *out)
{
    u_char                      *p;
    size_t                       len;
    ngx_hyperdrive_pg_origin_t  *o = origin;

    /* no parameters, all results are text */

    static const u_char  run[] =
        "B\0\0\0\33" NGX_HYPERDRIVE_PG_OWN_PORTAL "\0" "\0" "\0\0\0\0\0\0"
        "E\0\0\0\30" NGX_HYPERDRIVE_PG_OWN_PORTAL "\0" "\0\0\0\0"
        "C\0\0\0\25P" NGX_HYPERDRIVE_PG_OWN_PORTAL "\0"
        "S\0\0\0\4";

    if (o->ledger.n == 0) {
        o->group = ++ngx_hyperdrive_pg_forward_group;
        o->first_group = o->group;
    }

    /* a message that is held looks once more at what it has to wait for */

    o->hold = 0;

    if (!o->open) {
        o->prelude = 1;
        o->open = 1;
        o->fresh = 0;
        o->keep = 0;
    }

    if (flags & NGX_HYPERDRIVE_PROTO_OWN_BLOCK) {
        o->block = 1;
    }

    ngx_hyperdrive_pg_origin_unnamed(o, NULL);

    o->unnamed_dirty = 1;
    o->unnamed_group = o->group;

    len = NGX_HYPERDRIVE_PG_HEADER + 1 + text->len + 1 + 2;

    p = ngx_hyperdrive_base_chain_reserve(out, len);

    if (p == NULL
        || ngx_hyperdrive_pg_own_expect(o, NGX_HYPERDRIVE_PG_REPLY_PARSE, tag,
                                        flags)
           != NGX_OK
        || ngx_hyperdrive_pg_own_expect(o, NGX_HYPERDRIVE_PG_REPLY_BIND, tag,
                                        flags)
           != NGX_OK
        || ngx_hyperdrive_pg_own_expect(o, NGX_HYPERDRIVE_PG_REPLY_EXECUTE,
                                        tag, flags)
           != NGX_OK
        || ngx_hyperdrive_pg_own_expect(o, NGX_HYPERDRIVE_PG_REPLY_CLOSE, tag,
                                        flags)
           != NGX_OK)
    {
        o->poisoned = 1;
        return NGX_ERROR;
    }

    *p++ = 'P';
    p = ngx_hyperdrive_base_put_u32(p, len - 1);
    *p++ = '\0';
    p = ngx_cpymem(p, text->data, text->len);
    *p++ = '\0';
    (void) ngx_hyperdrive_base_put_u16(p, 0);

    len = sizeof(run) - 1;

    if (flags & NGX_HYPERDRIVE_PROTO_OWN_SYNC) {

        if (ngx_hyperdrive_pg_own_expect(o, NGX_HYPERDRIVE_PG_REPLY_SYNC, tag,
                                         flags)
            != NGX_OK)
        {
            o->poisoned = 1;
            return NGX_ERROR;
        }

        o->prelude = 0;
        o->open = 0;
        o->group = ++ngx_hyperdrive_pg_forward_group;

    } else {
        len -= NGX_HYPERDRIVE_PG_HEADER;
    }

    if (ngx_hyperdrive_base_chain_append(out, run, len) != NGX_OK) {
        o->poisoned = 1;
        return NGX_ERROR;
    }

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_pg_own_expect(ngx_hyperdrive_pg_origin_t *o,
    ngx_hyperdrive_pg_reply_e type, ngx_uint_t tag, ngx_uint_t flags)
{
    ngx_hyperdrive_pg_reply_t  *reply;

    reply = ngx_hyperdrive_pg_ledger_push(&o->ledger);
    if (reply == NULL) {
        return NGX_ERROR;
    }

    reply->type = type;
    reply->action = NGX_HYPERDRIVE_PG_DROP;
    reply->tag = tag;
    reply->alone = (flags & (NGX_HYPERDRIVE_PROTO_OWN_ALONE
                             | NGX_HYPERDRIVE_PROTO_OWN_SYNC)) != 0;

    return NGX_OK;
}


ngx_uint_t
ngx_hyperdrive_pg_own_begins(ngx_hyperdrive_pg_origin_t *o)
{
    ngx_uint_t                  i;
    ngx_hyperdrive_pg_reply_t  *reply;

    reply = ngx_hyperdrive_pg_ledger_at(&o->ledger, 0);

    if (reply->tag == 0 || reply->alone) {
        return 0;
    }

    for (i = 1; i < o->ledger.n; i++) {
        reply = ngx_hyperdrive_pg_ledger_at(&o->ledger, i);

        if (reply->tag == 0) {
            return reply->begin;
        }
    }

    return 0;
}


/*
 * If what was ahead of a Query fails, the database skips the Query and waits
 * for a Sync, which no client sends there: this one, whose end is the client's
 * then.
 */

ngx_int_t
ngx_hyperdrive_pg_own_trail(ngx_hyperdrive_pg_origin_t *o,
    ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_pg_reply_t  *reply;

    o->trail = 0;
    o->prelude = 0;
    o->open = 0;

    reply = ngx_hyperdrive_pg_ledger_push(&o->ledger);
    if (reply == NULL) {
        return NGX_ERROR;
    }

    reply->type = NGX_HYPERDRIVE_PG_REPLY_SYNC;

    if (o->ignore) {
        /* it has failed already, the Query was not sent */
        o->ignore = 0;
        reply->action = NGX_HYPERDRIVE_PG_PASS;

    } else {
        reply->action = NGX_HYPERDRIVE_PG_DROP;
        reply->trail = 1;
    }

    o->group = ++ngx_hyperdrive_pg_forward_group;

    return ngx_hyperdrive_base_chain_append(out, "S\0\0\0\4", 5);
}


void
ngx_hyperdrive_pg_own_error(ngx_hyperdrive_proto_piece_t *piece,
    u_char *sqlstate, u_char *message, size_t size)
{
    u_char     *body;
    size_t      len;
    ngx_str_t   field;

    body = piece->data + NGX_HYPERDRIVE_PG_HEADER;
    len = piece->len - NGX_HYPERDRIVE_PG_HEADER;

    ngx_memcpy(sqlstate, "XX000", 6);
    message[0] = '\0';

    if (ngx_hyperdrive_pg_error_field(body, len, 'C', &field) == NGX_OK
        && field.len == 5)
    {
        ngx_memcpy(sqlstate, field.data, 5);
    }

    if (ngx_hyperdrive_pg_error_field(body, len, 'M', &field) == NGX_OK) {
        (void) ngx_slprintf(message, message + size - 1, "%V%Z", &field);
        message[size - 1] = '\0';
    }
}
