
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "pg/ngx_hyperdrive_pg.h"
#include "base/ngx_hyperdrive_base_cursor.h"
#include "base/ngx_hyperdrive_base_hash.h"


static u_char *ngx_hyperdrive_pg_question_head(u_char *p, u_char type,
    size_t len);


/*
 * A question as a unit of its own: Parse Bind Describe Execute Sync, with no
 * names (55.2.3 "Extended Query").
 */

void
ngx_hyperdrive_pg_question(void *client, ngx_hyperdrive_proto_unit_t *unit,
    ngx_hyperdrive_chain_t *out)
{
    u_char                       *p, *start;
    size_t                        parse, bind, size;
    ngx_str_t                    *args, *formats;
    ngx_hyperdrive_state_stmt_t  *stmt;

    stmt = unit->stmt;
    args = &unit->args;
    formats = &unit->formats;

    /* no types, no formats: a number that is 0 */

    parse = 1 + stmt->len + 1 + (stmt->types_len ? stmt->types_len : 2);
    bind = 1 + 1 + args->len + (formats->len ? formats->len : 2);

    size = NGX_HYPERDRIVE_PG_HEADER + parse
           + NGX_HYPERDRIVE_PG_HEADER + bind
           + NGX_HYPERDRIVE_PG_HEADER + 2
           + NGX_HYPERDRIVE_PG_HEADER + 5
           + NGX_HYPERDRIVE_PG_HEADER;

    start = ngx_hyperdrive_base_chain_reserve(out, size);
    if (start == NULL) {
        return;
    }

    p = ngx_hyperdrive_pg_question_head(start, 'P', parse);
    *p++ = '\0';
    p = ngx_cpymem(p, stmt->text, stmt->len);
    *p++ = '\0';

    if (stmt->types_len) {
        p = ngx_cpymem(p, stmt->types, stmt->types_len);

    } else {
        *p++ = 0;
        *p++ = 0;
    }

    p = ngx_hyperdrive_pg_question_head(p, 'B', bind);
    *p++ = '\0';
    *p++ = '\0';
    p = ngx_cpymem(p, args->data, args->len);

    if (formats->len) {
        p = ngx_cpymem(p, formats->data, formats->len);

    } else {
        *p++ = 0;
        *p++ = 0;
    }

    p = ngx_hyperdrive_pg_question_head(p, 'D', 2);
    *p++ = 'P';
    *p++ = '\0';

    p = ngx_hyperdrive_pg_question_head(p, 'E', 5);
    *p++ = '\0';
    p = ngx_hyperdrive_base_put_u32(p, 0);

    (void) ngx_hyperdrive_pg_question_head(p, 'S', 0);
}


static u_char *
ngx_hyperdrive_pg_question_head(u_char *p, u_char type, size_t len)
{
    *p++ = type;

    return ngx_hyperdrive_base_put_u32(p, len + 4);
}


/* a sum over the messages: their order does not count */

uint64_t
ngx_hyperdrive_pg_digest(ngx_str_t *head, ngx_str_t *rows)
{
    u_char    *p, *last;
    size_t     n;
    uint64_t   sum;

    static uint64_t  seed[2];

    p = rows->data;
    last = p + rows->len;
    sum = ngx_hyperdrive_base_hash(seed, head->data, head->len);

    while (last - p >= NGX_HYPERDRIVE_PG_HEADER) {

        n = 1 + (size_t) ngx_hyperdrive_base_get_u32(p + 1);
        n = ngx_min(n, (size_t) (last - p));

        sum += ngx_hyperdrive_base_hash(seed, p, n);
        p += n;
    }

    return sum;
}
