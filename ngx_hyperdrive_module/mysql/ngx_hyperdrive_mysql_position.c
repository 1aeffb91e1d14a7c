
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "mysql/ngx_hyperdrive_mysql_position.h"
#include "base/ngx_hyperdrive_base_cursor.h"


/*
 * A position is who says it, and a set of transactions, by their GTIDs: runs of
 * numbers, each of one source.
 *
 * MariaDB's are the last number of each domain, with the server that wrote it;
 * all numbers before it are in the set.  MySQL's source is the server, by its
 * UUID.
 */

typedef struct {
    uint64_t                        source[2];  /* domain and server, or UUID */
    uint64_t                        first;
    uint64_t                        last;
} ngx_hyperdrive_mysql_run_t;

#define NGX_HYPERDRIVE_MYSQL_RUNS   14

typedef struct {
    uint64_t                        self[2];    /* server, or UUID */
    uint64_t                        mariadb;
    uint64_t                        n;
    ngx_hyperdrive_mysql_run_t      runs[NGX_HYPERDRIVE_MYSQL_RUNS];
} ngx_hyperdrive_mysql_position_t;


/*
 * What a primary has acknowledged, or anybody may have seen there, is in its
 * binary log; what a replica shows has been applied by its replication.  Each
 * of the two databases reads its own part.
 */

static char  ngx_hyperdrive_mysql_position_primary[] =
    "SELECT /*M! @@server_id, @@GLOBAL.gtid_binlog_pos */ "
    "/*!50700 @@server_uuid, @@GLOBAL.gtid_executed */ "
    ", CONCAT('primary', @@GLOBAL.read_only)";

static char  ngx_hyperdrive_mysql_position_replica[] =
    "SELECT /*M! @@server_id, @@GLOBAL.gtid_slave_pos */ "
    "/*!50700 @@server_uuid, @@GLOBAL.gtid_executed */ "
    ", CONCAT('replica', @@GLOBAL.read_only)";


static ngx_uint_t ngx_hyperdrive_mysql_position_is(ngx_str_t *role);
static u_char *ngx_hyperdrive_mysql_position_number(u_char *p, u_char *last,
    uint64_t *number);
static u_char *ngx_hyperdrive_mysql_position_uuid(u_char *p, u_char *last,
    uint64_t *uuid);
static ngx_int_t ngx_hyperdrive_mysql_position_domains(u_char *p,
    u_char *last, ngx_hyperdrive_mysql_position_t *set);
static ngx_int_t ngx_hyperdrive_mysql_position_servers(u_char *p,
    u_char *last, ngx_hyperdrive_mysql_position_t *set);
static ngx_hyperdrive_mysql_run_t *ngx_hyperdrive_mysql_position_add(
    ngx_hyperdrive_mysql_position_t *set);
static void ngx_hyperdrive_mysql_position_get(
    ngx_hyperdrive_proto_position_t *position,
    ngx_hyperdrive_mysql_position_t *set);
static ngx_uint_t ngx_hyperdrive_mysql_position_holds(
    ngx_hyperdrive_mysql_position_t *set, ngx_hyperdrive_mysql_run_t *run);
static ngx_uint_t ngx_hyperdrive_mysql_position_grown(
    ngx_hyperdrive_mysql_position_t *replica,
    ngx_hyperdrive_mysql_position_t *primary);


char *
ngx_hyperdrive_mysql_position_text(ngx_uint_t replica)
{
    return replica ? ngx_hyperdrive_mysql_position_replica
                   : ngx_hyperdrive_mysql_position_primary;
}


ngx_int_t
ngx_hyperdrive_mysql_position_row(ngx_str_t *cols, ngx_uint_t n,
    ngx_hyperdrive_proto_position_t *position)
{
    u_char                           *p, *last;
    ngx_int_t                         rc;
    ngx_hyperdrive_mysql_position_t   set;

    if (n != 3) {
        return NGX_ERROR;
    }

    if (!ngx_hyperdrive_mysql_position_is(&cols[2])) {
        return NGX_DECLINED;
    }

    if (cols[0].len == 0 || cols[1].len == 0) {

        /* without a binary log, or nothing is in it yet */

        return NGX_ERROR;
    }

    ngx_memzero(&set, sizeof(ngx_hyperdrive_mysql_position_t));

    p = cols[0].data;
    last = p + cols[0].len;

    set.mariadb = (ngx_hyperdrive_mysql_position_number(p, last, &set.self[0])
                   == last);

    if (!set.mariadb
        && ngx_hyperdrive_mysql_position_uuid(p, last, set.self) != last)
    {
        return NGX_ERROR;
    }

    p = cols[1].data;
    last = p + cols[1].len;

    rc = set.mariadb ? ngx_hyperdrive_mysql_position_domains(p, last, &set)
                     : ngx_hyperdrive_mysql_position_servers(p, last, &set);

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    position->len = sizeof(ngx_hyperdrive_mysql_position_t);
    ngx_memcpy(position->data, &set, sizeof(ngx_hyperdrive_mysql_position_t));

    return NGX_OK;
}


/* "primary" and that it is not read-only, or "replica" and that it is */

static ngx_uint_t
ngx_hyperdrive_mysql_position_is(ngx_str_t *role)
{
    size_t      len;
    ngx_uint_t  writable;

    len = sizeof("primary") - 1;

    if (role->len <= len) {
        return 0;
    }

    /* 0 and 1, or OFF and others */

    writable = (role->data[len] == '0'
                || (role->len == len + 3
                    && ngx_memcmp(role->data + len, "OFF", 3) == 0));

    return (role->data[0] == 'p') ? writable : !writable;
}


/* NULL: there is none, or it is too large */

static u_char *
ngx_hyperdrive_mysql_position_number(u_char *p, u_char *last, uint64_t *number)
{
    u_char  *start;

    *number = 0;

    for (start = p; p < last && *p >= '0' && *p <= '9'; p++) {

        if (p - start == 19) {
            return NULL;
        }

        *number = *number * 10 + (*p - '0');
    }

    return (p == start) ? NULL : p;
}


static u_char *
ngx_hyperdrive_mysql_position_uuid(u_char *p, u_char *last, uint64_t *uuid)
{
    u_char      ch;
    ngx_uint_t  digits;

    for (digits = 0; p < last && digits < 32; p++) {

        if (*p == '-') {
            continue;
        }

        ch = (u_char) (*p | 0x20);

        if (*p >= '0' && *p <= '9') {
            ch = (u_char) (*p - '0');

        } else if (ch >= 'a' && ch <= 'f') {
            ch = (u_char) (ch - 'a' + 10);

        } else {
            return NULL;
        }

        uuid[digits / 16] = uuid[digits / 16] << 4 | ch;
        digits++;
    }

    return (digits == 32) ? p : NULL;
}


/* domain-server-number,... */

static ngx_int_t
ngx_hyperdrive_mysql_position_domains(u_char *p, u_char *last,
    ngx_hyperdrive_mysql_position_t *set)
{
    ngx_hyperdrive_mysql_run_t  *run;

    for ( ;; ) {
        run = ngx_hyperdrive_mysql_position_add(set);
        if (run == NULL) {
            return NGX_DECLINED;
        }

        p = ngx_hyperdrive_mysql_position_number(p, last, &run->source[0]);

        if (p == NULL || p == last || *p++ != '-') {
            return NGX_DECLINED;
        }

        p = ngx_hyperdrive_mysql_position_number(p, last, &run->source[1]);

        if (p == NULL || p == last || *p++ != '-') {
            return NGX_DECLINED;
        }

        p = ngx_hyperdrive_mysql_position_number(p, last, &run->last);

        if (p == last) {
            return NGX_OK;
        }

        if (p == NULL || *p++ != ',') {
            return NGX_DECLINED;
        }
    }
}


/* UUID:first-last:first-last,... */

static ngx_int_t
ngx_hyperdrive_mysql_position_servers(u_char *p, u_char *last,
    ngx_hyperdrive_mysql_position_t *set)
{
    uint64_t                     uuid[2];
    ngx_hyperdrive_mysql_run_t  *run;

    for ( ;; ) {

        while (p < last && (*p == '\n' || *p == ' ')) {
            p++;
        }

        p = ngx_hyperdrive_mysql_position_uuid(p, last, uuid);

        if (p == NULL || p == last || *p != ':') {
            return NGX_DECLINED;
        }

        while (p < last && *p == ':') {

            run = ngx_hyperdrive_mysql_position_add(set);
            if (run == NULL) {
                return NGX_DECLINED;
            }

            run->source[0] = uuid[0];
            run->source[1] = uuid[1];

            p = ngx_hyperdrive_mysql_position_number(p + 1, last, &run->first);
            if (p == NULL) {
                return NGX_DECLINED;
            }

            run->last = run->first;

            if (p < last && *p == '-') {
                p = ngx_hyperdrive_mysql_position_number(p + 1, last,
                                                         &run->last);
                if (p == NULL) {
                    return NGX_DECLINED;
                }
            }
        }

        if (p == last) {
            return NGX_OK;
        }

        if (*p++ != ',') {
            return NGX_DECLINED;
        }
    }
}


static ngx_hyperdrive_mysql_run_t *
ngx_hyperdrive_mysql_position_add(ngx_hyperdrive_mysql_position_t *set)
{
    return (set->n == NGX_HYPERDRIVE_MYSQL_RUNS) ? NULL : &set->runs[set->n++];
}


static void
ngx_hyperdrive_mysql_position_get(ngx_hyperdrive_proto_position_t *position,
    ngx_hyperdrive_mysql_position_t *set)
{
    ngx_memcpy(set, position->data, sizeof(ngx_hyperdrive_mysql_position_t));
}


/*
 * All of the primary's, and nothing besides it that it might never have: after
 * a failover the one that was the primary may have more than the new one, and
 * so have those that still follow it.  What is new has to be the primary's own.
 */

ngx_uint_t
ngx_hyperdrive_mysql_position_has(ngx_hyperdrive_proto_position_t *replica,
    ngx_hyperdrive_proto_position_t *primary)
{
    ngx_uint_t                        i;
    ngx_hyperdrive_mysql_position_t   r, p;

    ngx_hyperdrive_mysql_position_get(replica, &r);
    ngx_hyperdrive_mysql_position_get(primary, &p);

    if (r.mariadb != p.mariadb) {
        return 0;
    }

    for (i = 0; i < p.n; i++) {

        if (!ngx_hyperdrive_mysql_position_holds(&r, &p.runs[i])) {
            return 0;
        }
    }

    return ngx_hyperdrive_mysql_position_grown(&r, &p);
}


static ngx_uint_t
ngx_hyperdrive_mysql_position_holds(ngx_hyperdrive_mysql_position_t *set,
    ngx_hyperdrive_mysql_run_t *run)
{
    ngx_uint_t                   i;
    ngx_hyperdrive_mysql_run_t  *r;

    for (i = 0; i < set->n; i++) {
        r = &set->runs[i];

        if (r->source[0] == run->source[0]
            && (set->mariadb || r->source[1] == run->source[1])
            && r->first <= run->first && r->last >= run->last)
        {
            return 1;
        }
    }

    return 0;
}


static ngx_uint_t
ngx_hyperdrive_mysql_position_grown(ngx_hyperdrive_mysql_position_t *replica,
    ngx_hyperdrive_mysql_position_t *primary)
{
    ngx_uint_t                   i, k;
    ngx_hyperdrive_mysql_run_t  *r, *p;

    for (i = 0; i < replica->n; i++) {
        r = &replica->runs[i];

        if (replica->mariadb
            ? r->source[1] == primary->self[0]
            : (r->source[0] == primary->self[0]
               && r->source[1] == primary->self[1]))
        {
            continue;
        }

        for (k = 0; k < primary->n; k++) {
            p = &primary->runs[k];

            if (r->source[0] == p->source[0] && r->source[1] == p->source[1]
                && r->first >= p->first && r->last <= p->last)
            {
                break;
            }
        }

        if (k == primary->n) {
            return 0;
        }
    }

    return 1;
}


/* another server; or one that has lost what it had */

ngx_uint_t
ngx_hyperdrive_mysql_position_other(ngx_hyperdrive_proto_position_t *one,
    ngx_hyperdrive_proto_position_t *two)
{
    ngx_uint_t                        i;
    ngx_hyperdrive_mysql_position_t   a, b;

    ngx_hyperdrive_mysql_position_get(one, &a);
    ngx_hyperdrive_mysql_position_get(two, &b);

    if (a.mariadb != b.mariadb || a.self[0] != b.self[0]
        || a.self[1] != b.self[1])
    {
        return 1;
    }

    for (i = 0; i < a.n; i++) {

        if (!ngx_hyperdrive_mysql_position_holds(&b, &a.runs[i])) {
            return 1;
        }
    }

    return 0;
}
