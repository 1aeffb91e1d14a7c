
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "mysql/ngx_hyperdrive_mysql_wire.h"


/*
 * MariaDB has no UUID of a server's own; some versions have an identifier that
 * is made of the machine.  Both count the seconds that a server is up from the
 * same clock, as of the beginning of the statement: the difference is exact.
 */

static char  ngx_hyperdrive_mysql_left_name_mariadb[] =
    "SELECT CONNECTION_ID(), "
    "CONCAT_WS(' ', s.v, UNIX_TIMESTAMP() - CAST(u.v AS SIGNED)), s.v, u.v "
    "FROM (SELECT CONCAT_WS(' ', @@server_id, @@hostname, @@port, @@datadir, "
    "(SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_VARIABLES "
    "WHERE VARIABLE_NAME = 'SERVER_UID')) AS v) AS s, "
    "(SELECT VARIABLE_VALUE AS v FROM information_schema.GLOBAL_STATUS "
    "WHERE VARIABLE_NAME = 'UPTIME') AS u";

static char  ngx_hyperdrive_mysql_left_name_mysql[] =
    "SELECT CONNECTION_ID(), "
    "CONCAT_WS(' ', s.v, UNIX_TIMESTAMP() - CAST(u.v AS SIGNED)), s.v, u.v "
    "FROM (SELECT CONCAT_WS(' ', @@server_uuid, @@server_id, @@hostname, "
    "@@port, @@datadir) AS v) AS s, "
    "(SELECT VARIABLE_VALUE AS v FROM performance_schema.global_status "
    "WHERE VARIABLE_NAME = 'UPTIME') AS u";


char *
ngx_hyperdrive_mysql_left_name(void *origin)
{
    ngx_hyperdrive_mysql_origin_t *o = origin;

    return o->mariadb ? ngx_hyperdrive_mysql_left_name_mariadb
                      : ngx_hyperdrive_mysql_left_name_mysql;
}


/*
 * A user sees, and may kill, the connections of its own; who does not see even
 * itself, since its account has another name, does not know.  Their numbers
 * rise until the server is started anew.
 */

size_t
ngx_hyperdrive_mysql_left_text(void *origin, ngx_str_t *list, uint32_t own,
    ngx_msec_t age, u_char *buf, size_t size)
{
    ngx_hyperdrive_mysql_origin_t *o = origin;

    return ngx_snprintf(buf, size,
                        "SELECT ID, IF(COMMAND = 'Sleep', 'i', 'a') "
                        "FROM information_schema.PROCESSLIST "
                        "WHERE ID IN (%V) AND (SELECT VARIABLE_VALUE "
                        "FROM %s WHERE VARIABLE_NAME = 'UPTIME') >= %M "
                        "UNION ALL SELECT 0, 'x' FROM DUAL "
                        "WHERE CONNECTION_ID() <> %uD OR NOT EXISTS "
                        "(SELECT 1 FROM information_schema.PROCESSLIST "
                        "WHERE ID = CONNECTION_ID())",
                        list, o->mariadb ? "information_schema.GLOBAL_STATUS"
                                         : "performance_schema.global_status",
                        age / 1000, own)
           - buf;
}


size_t
ngx_hyperdrive_mysql_left_end(uint32_t pid, ngx_msec_t from, ngx_msec_t to,
    u_char *buf, size_t size)
{
    return ngx_snprintf(buf, size, "KILL CONNECTION %uD", pid) - buf;
}
