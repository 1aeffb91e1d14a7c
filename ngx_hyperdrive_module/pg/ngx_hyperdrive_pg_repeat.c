
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "pg/ngx_hyperdrive_pg_forward.h"
#include "pg/ngx_hyperdrive_pg_message.h"


/*
 * A table has changed, and a statement that was prepared before cannot be run
 * any more: "cached plan must not change result type".  That is said at its
 * Bind or Describe, before anything of it has run.  If it was the first in its
 * Sync group that could have an effect, outside a block and with nothing
 * behind that group, the client need not know: what it has sent is kept until
 * the Bind is answered, and read once more, when the text has a new name.
 */


/* what is kept of a group; longer ones get the origin's error */
#define NGX_HYPERDRIVE_PG_REPEAT_MAX     NGX_HYPERDRIVE_MAX_UNIT
/* what a connection holds on to between groups */
#define NGX_HYPERDRIVE_PG_REPEAT_KEEP    4096
/* a table may be changed again and again */
#define NGX_HYPERDRIVE_PG_REPEATS        3


static ngx_uint_t ngx_hyperdrive_pg_repeat_stale(u_char *body, size_t len);


/* the message at hand is a Bind or Describe of a shared statement */

void
ngx_hyperdrive_pg_repeat_begin(ngx_hyperdrive_pg_forward_t *f)
{
    ngx_hyperdrive_pg_origin_t  *o;

    o = f->origin;

    if (!o->fresh || o->status != 'I' || o->block || o->keep
        || o->repeats == NGX_HYPERDRIVE_PG_REPEATS
        || (size_t) (f->last - f->pos) < f->total)
    {
        return;
    }

    o->keep = 1;
    o->kept_len = 0;
}


/* what has been forwarded may have to be read again */

void
ngx_hyperdrive_pg_repeat_keep(ngx_hyperdrive_pg_origin_t *o, u_char *data,
    size_t len)
{
    size_t   size;
    u_char  *p;

    if (len > o->kept_size - o->kept_len) {

        size = ngx_max(2 * o->kept_size, o->kept_len + len);
        size = ngx_max(size, 512);

        p = (o->kept_len + len <= NGX_HYPERDRIVE_PG_REPEAT_MAX)
            ? realloc(o->kept, size) : NULL;

        if (p == NULL) {
            ngx_hyperdrive_pg_repeat_end(o);
            return;
        }

        o->kept = p;
        o->kept_size = size;
    }

    ngx_memcpy(o->kept + o->kept_len, data, len);
    o->kept_len += len;
}


void
ngx_hyperdrive_pg_repeat_end(ngx_hyperdrive_pg_origin_t *o)
{
    o->keep = 0;
    o->kept_len = 0;

    if (o->kept_size > NGX_HYPERDRIVE_PG_REPEAT_KEEP) {
        free(o->kept);
        o->kept = NULL;
        o->kept_size = 0;
    }
}


ngx_uint_t
ngx_hyperdrive_pg_repeat_possible(ngx_hyperdrive_pg_client_t *c,
    ngx_hyperdrive_pg_origin_t *o, u_char *body, size_t len)
{
    ngx_uint_t  i;

    if (c == NULL || !o->keep || o->partial || o->suppress || o->poisoned
        || (c->left && !c->drop)
        || !ngx_hyperdrive_pg_ledger_at(&o->ledger, 0)->kept
        || !ngx_hyperdrive_pg_repeat_stale(body, len))
    {
        return 0;
    }

    /* what was sent behind the group cannot be called back */

    for (i = 0; i + 1 < o->ledger.n; i++) {

        switch (ngx_hyperdrive_pg_ledger_at(&o->ledger, i)->type) {

        case NGX_HYPERDRIVE_PG_REPLY_SYNC:
        case NGX_HYPERDRIVE_PG_REPLY_QUERY:
        case NGX_HYPERDRIVE_PG_REPLY_FUNCTION:
            return 0;

        default:
            break;
        }
    }

    i = ngx_hyperdrive_pg_ledger_at(&o->ledger, o->ledger.n - 1)->type;

    return i != NGX_HYPERDRIVE_PG_REPLY_QUERY
           && i != NGX_HYPERDRIVE_PG_REPLY_FUNCTION;
}


/* 0A000 may be said of other things; the words depend on lc_messages */

static ngx_uint_t
ngx_hyperdrive_pg_repeat_stale(u_char *body, size_t len)
{
    ngx_str_t  code, routine;

    return ngx_hyperdrive_pg_error_field(body, len, 'C', &code) == NGX_OK
           && code.len == 5 && ngx_memcmp(code.data, "0A000", 5) == 0
           && ngx_hyperdrive_pg_error_field(body, len, 'R', &routine)
              == NGX_OK
           && routine.len == sizeof("RevalidateCachedQuery") - 1
           && ngx_memcmp(routine.data, "RevalidateCachedQuery", routine.len)
              == 0;
}


ngx_int_t
ngx_hyperdrive_pg_repeat(void *client, void *origin,
    ngx_hyperdrive_chain_t *out, ngx_str_t *data)
{
    ngx_hyperdrive_pg_reply_t   *reply;
    ngx_hyperdrive_pg_client_t  *c;
    ngx_hyperdrive_pg_origin_t  *o;

    c = client;
    o = origin;

    data->data = o->kept;
    data->len = o->kept_len;

    /* the bytes stay where they are until the next message is kept */

    o->keep = 0;
    o->kept_len = 0;

    o->open = 0;
    o->ignore = 0;
    o->hold = 1;
    o->repeats++;

    c->open = 0;
    c->scanned = 0;

    if (o->ledger.n) {

        /* the client's own Sync ends the group that has failed */

        ngx_hyperdrive_pg_ledger_at(&o->ledger, 0)->action
                                                       = NGX_HYPERDRIVE_PG_DROP;
        return NGX_OK;
    }

    reply = ngx_hyperdrive_pg_ledger_push(&o->ledger);
    if (reply == NULL) {
        return NGX_ERROR;
    }

    reply->type = NGX_HYPERDRIVE_PG_REPLY_SYNC;
    reply->action = NGX_HYPERDRIVE_PG_DROP;

    return ngx_hyperdrive_base_chain_append(out, "S\0\0\0\4", 5);
}
