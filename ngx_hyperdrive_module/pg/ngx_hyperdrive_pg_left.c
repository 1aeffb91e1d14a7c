
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "pg/ngx_hyperdrive_pg.h"


/*
 * 28.2 "The Cumulative Statistics System": a backend is in pg_stat_activity
 * until just before it is gone.  Its number may pass to another one, which has
 * begun later; the second that is left out is for how late the death of a
 * worker is noticed.
 * What is ended must have begun when ours did: behind one address there may be
 * several servers, and the number be somebody else's at this one.
 */

#define NGX_HYPERDRIVE_PG_LEFT_LATE      1000

#define NGX_HYPERDRIVE_PG_LEFT_AGO                                            \
    "pg_catalog.clock_timestamp() "                                           \
    "- pg_catalog.make_interval(secs => %M.%03M)"


/*
 * A standby has the system identifier of its primary, so the moment at which
 * the server was started is in the name.  What stays is the line of a primary:
 * whoever is promoted begins another one.  There are no operators, which a
 * search_path may lead elsewhere, and nothing that depends on settings.
 */

static char  ngx_hyperdrive_pg_left_names[] =
    "SELECT pg_catalog.pg_backend_pid(), "
    "pg_catalog.concat(c.system_identifier, ' ', pg_catalog.to_char("
    "pg_catalog.timezone('UTC', t), 'YYYYMMDDHH24MISSUS')), "
    "CASE WHEN pg_catalog.pg_is_in_recovery() THEN NULL "
    "ELSE pg_catalog.concat(c.system_identifier, ' ', pg_catalog.substr("
    "pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()), 1, 8))"
    " END, pg_catalog.int8mi("
    "pg_catalog.int8(pg_catalog.date_part('epoch', "
    "pg_catalog.clock_timestamp())), "
    "pg_catalog.int8(pg_catalog.date_part('epoch', t))) "
    "FROM pg_catalog.pg_control_system() AS c, "
    "pg_catalog.pg_postmaster_start_time() AS t";


char *
ngx_hyperdrive_pg_left_name(void *origin)
{
    return ngx_hyperdrive_pg_left_names;
}


size_t
ngx_hyperdrive_pg_left_text(void *origin, ngx_str_t *list, uint32_t own,
    ngx_msec_t age, u_char *buf, size_t size)
{
    age -= ngx_min(age, NGX_HYPERDRIVE_PG_LEFT_LATE);

    return ngx_snprintf(buf, size,
                        "SELECT pid, CASE state WHEN 'active' THEN 'a' "
                        "ELSE 'i' END FROM pg_catalog.pg_stat_activity "
                        "WHERE pid IN (%V) AND (backend_start IS NULL "
                        "OR backend_start < " NGX_HYPERDRIVE_PG_LEFT_AGO ")"
                        " UNION ALL SELECT 0, 'x' "
                        "WHERE pg_catalog.pg_backend_pid() <> %uD",
                        list, age / 1000, age % 1000, own)
           - buf;
}


size_t
ngx_hyperdrive_pg_left_end(uint32_t pid, ngx_msec_t from, ngx_msec_t to,
    u_char *buf, size_t size)
{
    from += NGX_HYPERDRIVE_PG_LEFT_LATE;
    to -= ngx_min(to, NGX_HYPERDRIVE_PG_LEFT_LATE);

    return ngx_snprintf(buf, size,
                        "SELECT pg_catalog.pg_terminate_backend(pid) "
                        "FROM pg_catalog.pg_stat_activity WHERE pid = %uD "
                        "AND usename = CURRENT_USER AND backend_start BETWEEN "
                        NGX_HYPERDRIVE_PG_LEFT_AGO " AND "
                        NGX_HYPERDRIVE_PG_LEFT_AGO,
                        pid, from / 1000, from % 1000, to / 1000, to % 1000)
           - buf;
}
