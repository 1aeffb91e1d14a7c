
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "pg/ngx_hyperdrive_pg.h"
#include "base/ngx_hyperdrive_base_cursor.h"


/*
 * What a session has left on its connection: the database is asked, since a
 * text only says what was meant.  Every name is qualified, operators too: the
 * search_path is the client's.
 */


#define OP(op)  " OPERATOR(pg_catalog." op ") "

#define NGX_HYPERDRIVE_PG_PROBE_TEXT     4096


typedef struct {
    ngx_uint_t                        pin;
    char                             *exists;
} ngx_hyperdrive_pg_probe_t;


static u_char *ngx_hyperdrive_pg_probe_text(u_char *p, ngx_uint_t pins);


static ngx_hyperdrive_pg_probe_t  ngx_hyperdrive_pg_probes[] = {

    { NGX_HYPERDRIVE_STATE_PIN_LISTEN,
      "SELECT FROM pg_catalog.pg_listening_channels()" },

    /* outside of a transaction all that is held is the session's */

    { NGX_HYPERDRIVE_STATE_PIN_LOCK,
      "SELECT FROM pg_catalog.pg_locks WHERE pid" OP("=")
      "pg_catalog.pg_backend_pid() AND locktype" OP("=") "'advisory'" },

    /* of whatever kind: all that is in the schema depends on it */

    { NGX_HYPERDRIVE_STATE_PIN_TEMPORARY,
      "SELECT FROM pg_catalog.pg_depend WHERE refclassid" OP("=")
      "'pg_catalog.pg_namespace'::pg_catalog.regclass AND refobjid" OP("=")
      "pg_catalog.pg_my_temp_schema()" },

    { NGX_HYPERDRIVE_STATE_PIN_CURSOR,
      "SELECT FROM pg_catalog.pg_cursors WHERE is_holdable" },

    { NGX_HYPERDRIVE_STATE_PIN_PREPARED,
      "SELECT FROM pg_catalog.pg_prepared_statements WHERE "
      "pg_catalog.left(name, 12)" OP("<>") "'" NGX_HYPERDRIVE_PG_PREFIX "'" },

    { NGX_HYPERDRIVE_STATE_PIN_SETTING,
      "SELECT FROM pg_catalog.pg_settings WHERE source" OP("=") "'session' "
      "UNION ALL SELECT WHERE CURRENT_USER" OP("<>") "SESSION_USER" }
};


/* one row with one number: the pins that there are, of those asked for */

ngx_int_t
ngx_hyperdrive_pg_probe(void *origin, ngx_uint_t pins, ngx_uint_t tag,
    ngx_hyperdrive_chain_t *out)
{
    u_char     text[NGX_HYPERDRIVE_PG_PROBE_TEXT], *p;
    ngx_str_t  probe;

    p = ngx_cpymem(text, "SELECT ", sizeof("SELECT ") - 1);
    p = ngx_hyperdrive_pg_probe_text(p, pins);

    probe.data = text;
    probe.len = p - text;

    return ngx_hyperdrive_pg_own(origin, &probe, tag,
                                 NGX_HYPERDRIVE_PROTO_OWN_SYNC, out);
}


/* an empty query: no transaction, no table, no right is needed */

ngx_int_t
ngx_hyperdrive_pg_ping(void *origin, ngx_uint_t tag,
    ngx_hyperdrive_chain_t *out)
{
    ngx_str_t  text;

    ngx_str_set(&text, "");

    return ngx_hyperdrive_pg_own(origin, &text, tag,
                                 NGX_HYPERDRIVE_PROTO_OWN_SYNC, out);
}


static u_char *
ngx_hyperdrive_pg_probe_text(u_char *p, ngx_uint_t pins)
{
    ngx_uint_t                  i;
    ngx_hyperdrive_pg_probe_t  *probe;

    *p++ = '0';

    for (i = 0;
         i < sizeof(ngx_hyperdrive_pg_probes)
             / sizeof(ngx_hyperdrive_pg_probe_t);
         i++)
    {
        probe = &ngx_hyperdrive_pg_probes[i];

        if (pins & probe->pin) {
            p = ngx_sprintf(p, OP("+") "CASE WHEN EXISTS(%s) THEN %ui ELSE 0 "
                            "END", probe->exists, probe->pin);
        }
    }

    return p;
}


/* of a DataRow: one column, the number as text */

ngx_uint_t
ngx_hyperdrive_pg_probe_row(u_char *data, size_t len)
{
    u_char      *p, *end;
    uint32_t     size;
    ngx_int_t    pins;
    ngx_str_t    value;
    ngx_uint_t   n;

    end = data + len;

    if (len < NGX_HYPERDRIVE_PG_HEADER || data[0] != 'D') {
        return NGX_HYPERDRIVE_PROTO_NO_ROW;
    }

    p = ngx_hyperdrive_base_read_u16(data + NGX_HYPERDRIVE_PG_HEADER, end, &n);
    p = ngx_hyperdrive_base_read_u32(p, end, &size);
    p = ngx_hyperdrive_base_read_bytes(p, end, size, &value);

    if (p != end || n != 1) {
        return NGX_HYPERDRIVE_PROTO_NO_ROW;
    }

    pins = ngx_atoi(value.data, value.len);

    return (pins == NGX_ERROR) ? NGX_HYPERDRIVE_PROTO_NO_ROW
                               : (ngx_uint_t) pins;
}


ngx_uint_t
ngx_hyperdrive_pg_probe_discard(u_char *p, size_t total)
{
    size_t       len;
    const char  *tag;

    tag = (const char *) p + NGX_HYPERDRIVE_PG_HEADER;
    len = total - NGX_HYPERDRIVE_PG_HEADER;

    if (len == sizeof("DISCARD ALL")
        && ngx_memcmp(tag, "DISCARD ALL", len) == 0)
    {
        return NGX_HYPERDRIVE_PROTO_DISCARD_ALL;
    }

    if (len == sizeof("DISCARD SEQUENCES")
        && ngx_memcmp(tag, "DISCARD SEQUENCES", len) == 0)
    {
        return NGX_HYPERDRIVE_PROTO_DISCARD_SEQUENCES;
    }

    return 0;
}


/*
 * Takes away what a session has left, what cannot be asked for included, and
 * has it checked.  If anything of it fails, the connection is not used again.
 */

ngx_int_t
ngx_hyperdrive_pg_reset(void *origin, ngx_uint_t all, int32_t seed,
    ngx_hyperdrive_chain_t *out)
{
    u_char                       text[NGX_HYPERDRIVE_PG_PROBE_TEXT], *p;
    ngx_str_t                    reset, *resets;
    ngx_uint_t                   n;
    ngx_hyperdrive_pg_origin_t  *o = origin;

    static ngx_str_t  everything[] = {
        ngx_string("DISCARD ALL"),
        ngx_null_string
    };

    static ngx_str_t  unseen[] = {
        ngx_string("SET SESSION AUTHORIZATION DEFAULT"),
        ngx_string("RESET ALL"),
        ngx_string("DISCARD SEQUENCES"),
        ngx_null_string
    };

    resets = unseen;

    if (all) {
        resets = everything;

        /* what was prepared is gone with it */

        ngx_hyperdrive_state_set_clear(&o->set);
    }

    for (n = 0; resets[n].len; n++) {

        if (ngx_hyperdrive_pg_own(o, &resets[n], NGX_HYPERDRIVE_PG_RESET_TAG,
                                  resets[n + 1].len
                                  ? NGX_HYPERDRIVE_PROTO_OWN_ALONE
                                  : NGX_HYPERDRIVE_PROTO_OWN_SYNC, out)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    /* DISCARD leaves the seed alone, which nobody is to know */

    p = ngx_sprintf(text, "SELECT pg_catalog.setseed(%D" OP("/")
                    "2147483648.0)", seed);

    if (all) {
        /* a division by zero if anything is left */

        p = ngx_cpymem(p, ", 1" OP("/") "CASE WHEN (",
                       sizeof(", 1" OP("/") "CASE WHEN (") - 1);
        p = ngx_hyperdrive_pg_probe_text(p, NGX_HYPERDRIVE_STATE_PIN_VISIBLE);
        p = ngx_cpymem(p, ")" OP("=") "0 THEN 1 ELSE 0 END",
                       sizeof(")" OP("=") "0 THEN 1 ELSE 0 END") - 1);
    }

    reset.data = text;
    reset.len = p - text;

    return ngx_hyperdrive_pg_own(o, &reset, NGX_HYPERDRIVE_PG_RESET_TAG,
                                 NGX_HYPERDRIVE_PROTO_OWN_SYNC, out);
}
