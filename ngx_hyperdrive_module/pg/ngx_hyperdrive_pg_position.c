
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "pg/ngx_hyperdrive_pg.h"
#include "base/ngx_hyperdrive_base_cursor.h"


/*
 * A position is a timeline and a place in it, the LSN.  Timelines are compared
 * as well: the one that was the primary may have got further, on one that
 * nobody goes on with.
 */

typedef struct {
    uint64_t                     timeline;
    uint64_t                     lsn;
} ngx_hyperdrive_pg_position_t;


/*
 * What was acknowledged with synchronous_commit=off is inserted, and not
 * written yet: so the end of what is inserted.  At the beginning of a page that
 * is behind its header (24 bytes, 40 in the first page of a segment), where no
 * record ends: a replica that has all says the end of the page before.
 */

static char  ngx_hyperdrive_pg_position_primary[] =
    "SELECT ('x' || pg_catalog.substr(pg_catalog.pg_walfile_name(l), 1, 8))"
    "::pg_catalog.bit(32)::pg_catalog.int8, "
    "n - CASE 0 "
    "WHEN (n - 40) % pg_catalog.pg_size_bytes("
    "pg_catalog.current_setting('wal_segment_size')) THEN 40 "
    "WHEN (n - 24) % pg_catalog.current_setting('wal_block_size')"
    "::pg_catalog.int8 THEN 24 ELSE 0 END "
    "FROM pg_catalog.pg_current_wal_insert_lsn() AS l, "
    "LATERAL (SELECT (l - '0/0'::pg_catalog.pg_lsn)::pg_catalog.int8) AS t (n)";

/*
 * Recovery goes on with a timeline only if it has not got beyond the place
 * where that began: who receives it, or has kept it in the control file, is on
 * it.  (Who may not see pg_stat_wal_receiver finds NULL there, and knows of a
 * new timeline when the control file is written.)
 */

static char  ngx_hyperdrive_pg_position_replica[] =
    "SELECT GREATEST(c.timeline_id, r.min_recovery_end_timeline, "
    "(SELECT received_tli FROM pg_catalog.pg_stat_wal_receiver)), "
    "(pg_catalog.pg_last_wal_replay_lsn() - '0/0'::pg_catalog.pg_lsn)"
    "::pg_catalog.int8 "
    "FROM pg_catalog.pg_control_checkpoint() c, "
    "pg_catalog.pg_control_recovery() r "
    "WHERE pg_catalog.pg_is_in_recovery()";


static u_char *ngx_hyperdrive_pg_position_next(u_char *p, u_char *last,
    ngx_str_t *name, ngx_str_t *value);
static ngx_uint_t ngx_hyperdrive_pg_position_is(ngx_str_t *s, char *what);
static ngx_int_t ngx_hyperdrive_pg_position_number(ngx_str_t *s,
    uint64_t *number);


/* in which two origins may differ: what they are, and who has logged in */
static char  *ngx_hyperdrive_pg_position_own[] = {
    "in_hot_standby", "default_transaction_read_only", "is_superuser",
    "session_authorization", "server_version", "application_name", NULL
};


/* PostgreSQL 14 and later report both parameters (20.11.2, 55.2.7) */

ngx_hyperdrive_proto_role_e
ngx_hyperdrive_pg_position_role(ngx_str_t *greeting)
{
    u_char                       *p, *last;
    ngx_str_t                     name, value;
    ngx_uint_t                    read_only;
    ngx_hyperdrive_proto_role_e   role;

    role = NGX_HYPERDRIVE_PROTO_ROLE_UNKNOWN;
    read_only = 0;

    p = greeting->data;
    last = p + greeting->len;

    while ((p = ngx_hyperdrive_pg_position_next(p, last, &name, &value))
           != NULL)
    {
        if (ngx_hyperdrive_pg_position_is(&name, "in_hot_standby")) {
            role = ngx_hyperdrive_pg_position_is(&value, "on")
                   ? NGX_HYPERDRIVE_PROTO_ROLE_REPLICA
                   : NGX_HYPERDRIVE_PROTO_ROLE_PRIMARY;

        } else if (ngx_hyperdrive_pg_position_is(&name,
                                             "default_transaction_read_only"))
        {
            read_only = ngx_hyperdrive_pg_position_is(&value, "on");
        }
    }

    if (role == NGX_HYPERDRIVE_PROTO_ROLE_PRIMARY && read_only) {
        return NGX_HYPERDRIVE_PROTO_ROLE_READ_ONLY;
    }

    return role;
}


char *
ngx_hyperdrive_pg_position_unlike(ngx_str_t *primary, ngx_str_t *replica)
{
    u_char       *p, *q, *last, *end;
    ngx_str_t     name, value, other, said;
    ngx_uint_t    i;

    static char   buf[64];

    p = primary->data;
    last = p + primary->len;
    end = replica->data + replica->len;

    while ((p = ngx_hyperdrive_pg_position_next(p, last, &name, &value))
           != NULL)
    {
        for (i = 0; ngx_hyperdrive_pg_position_own[i]; i++) {

            if (ngx_hyperdrive_pg_position_is(&name,
                                          ngx_hyperdrive_pg_position_own[i]))
            {
                break;
            }
        }

        if (ngx_hyperdrive_pg_position_own[i]) {
            continue;
        }

        q = replica->data;

        do {
            q = ngx_hyperdrive_pg_position_next(q, end, &other, &said);
        } while (q && !ngx_hyperdrive_base_same(&name, &other));

        if (q == NULL || !ngx_hyperdrive_base_same(&value, &said)) {
            (void) ngx_cpystrn((u_char *) buf, name.data,
                               ngx_min(name.len + 1, sizeof(buf)));
            return buf;
        }
    }

    return NULL;
}


/* the next ParameterStatus of a greeting; NULL: no more */

static u_char *
ngx_hyperdrive_pg_position_next(u_char *p, u_char *last, ngx_str_t *name,
    ngx_str_t *value)
{
    u_char    *body, *end, type;
    uint32_t   len;

    while (last - p >= NGX_HYPERDRIVE_PG_HEADER) {

        type = p[0];
        len = ngx_hyperdrive_base_get_u32(p + 1);

        if (len < 4 || len > (size_t) (last - p - 1)) {
            return NULL;
        }

        body = p + NGX_HYPERDRIVE_PG_HEADER;
        end = p + 1 + len;
        p = end;

        if (type != 'S') {
            continue;
        }

        body = ngx_hyperdrive_base_read_cstr(body, end, name);
        body = ngx_hyperdrive_base_read_cstr(body, end, value);

        if (body) {
            return p;
        }
    }

    return NULL;
}


static ngx_uint_t
ngx_hyperdrive_pg_position_is(ngx_str_t *s, char *what)
{
    return s->len == ngx_strlen(what)
           && ngx_memcmp(s->data, what, s->len) == 0;
}


char *
ngx_hyperdrive_pg_position_text(ngx_uint_t replica)
{
    return replica ? ngx_hyperdrive_pg_position_replica
                   : ngx_hyperdrive_pg_position_primary;
}


ngx_int_t
ngx_hyperdrive_pg_position_row(ngx_str_t *cols, ngx_uint_t n,
    ngx_hyperdrive_proto_position_t *position)
{
    ngx_hyperdrive_pg_position_t  p;

    if (n != 2
        || ngx_hyperdrive_pg_position_number(&cols[0], &p.timeline) != NGX_OK
        || ngx_hyperdrive_pg_position_number(&cols[1], &p.lsn) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    position->len = sizeof(ngx_hyperdrive_pg_position_t);
    ngx_memcpy(position->data, &p, sizeof(ngx_hyperdrive_pg_position_t));

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_pg_position_number(ngx_str_t *s, uint64_t *number)
{
    size_t  i;

    if (s->len == 0 || s->len > 19) {
        return NGX_DECLINED;
    }

    *number = 0;

    for (i = 0; i < s->len; i++) {

        if (s->data[i] < '0' || s->data[i] > '9') {
            return NGX_DECLINED;
        }

        *number = *number * 10 + (s->data[i] - '0');
    }

    return NGX_OK;
}


ngx_uint_t
ngx_hyperdrive_pg_position_has(ngx_hyperdrive_proto_position_t *replica,
    ngx_hyperdrive_proto_position_t *primary)
{
    ngx_hyperdrive_pg_position_t  r, p;

    ngx_memcpy(&r, replica->data, sizeof(ngx_hyperdrive_pg_position_t));
    ngx_memcpy(&p, primary->data, sizeof(ngx_hyperdrive_pg_position_t));

    return r.timeline == p.timeline && r.lsn >= p.lsn;
}


ngx_uint_t
ngx_hyperdrive_pg_position_other(ngx_hyperdrive_proto_position_t *one,
    ngx_hyperdrive_proto_position_t *two)
{
    ngx_hyperdrive_pg_position_t  a, b;

    ngx_memcpy(&a, one->data, sizeof(ngx_hyperdrive_pg_position_t));
    ngx_memcpy(&b, two->data, sizeof(ngx_hyperdrive_pg_position_t));

    return a.timeline != b.timeline;
}
