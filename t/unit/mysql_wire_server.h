
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * A model of the database: as much of MySQL's and MariaDB's ways with commands
 * as is needed to compare what a client is told directly with what it is told
 * through the protocol.  Its words:
 *
 *   SELECTn x    n rows          BEGIN, COMMIT, ROLLBACK
 *   INSERT x     OK              FAIL     an error
 *   BAD          cannot be prepared
 *   INFILE f     LOCAL INFILE    WARN     OK with a warning
 *   LONGn        a row of n packets, small ones
 *   one;two      one after the other; each ? is a parameter
 *
 * What a row begins with shows which values it was asked for with, and which
 * attributes.
 */


#ifndef _MYSQL_WIRE_SERVER_H_INCLUDED_
#define _MYSQL_WIRE_SERVER_H_INCLUDED_


#include "pg_wire_bytes.h"
#include "mysql/ngx_hyperdrive_mysql_packet.h"


#define SERVER_STATEMENTS  64
#define SERVER_PARAMS      4
#define SERVER_SHOWN       32       /* bytes of values, and of attributes */


typedef struct {
    uint32_t    id;
    char        text[64];
    ngx_uint_t  nparams;
    ngx_uint_t  typed;
    u_char      types[2 * SERVER_PARAMS];
    ngx_uint_t  nattrs;             /* as they were bound last... */
    bytes_t     attrs;              /* ...their types and names */
    bytes_t     data;               /* long data */
    ngx_uint_t  rows;               /* left in its cursor */
    ngx_uint_t  cursor;
} statement_t;


typedef struct {
    uint64_t                       caps;
    ngx_uint_t                     mariadb;
    ngx_uint_t                     says;        /* it has words for types */
    ngx_uint_t                     shows;       /* ...and for attributes */
    ngx_uint_t                     status;
    ngx_uint_t                     multi;
    bytes_t                        in;
    bytes_t                        out;
    u_char                         seq;
    uint32_t                       next_id;
    uint32_t                       last_id;     /* prepared last; 0: failed */
    statement_t                    statements[SERVER_STATEMENTS];
    ngx_uint_t                     reading;     /* a file */
    bytes_t                        file;
    ngx_uint_t                     more;        /* results follow it */
    ngx_uint_t                     wild;        /* malformed input */
} server_t;


static ngx_inline void
server_init(server_t *s, uint64_t caps, ngx_uint_t mariadb)
{
    ngx_memzero(s, sizeof(server_t));

    s->caps = caps;
    s->mariadb = mariadb;
    s->says = ((caps & NGX_HYPERDRIVE_MYSQL_MARIADB_TYPE_INFO) != 0);
    s->shows = ((caps & NGX_HYPERDRIVE_MYSQL_QUERY_ATTRIBUTES) != 0);
    s->status = NGX_HYPERDRIVE_MYSQL_AUTOCOMMIT;
    s->multi = ((caps & NGX_HYPERDRIVE_MYSQL_MULTI_STATEMENTS) != 0);
}


static ngx_inline void
server_forget(server_t *s)
{
    ngx_uint_t  i;

    for (i = 0; i < SERVER_STATEMENTS; i++) {
        bytes_free(&s->statements[i].data);
        bytes_free(&s->statements[i].attrs);
    }

    ngx_memzero(s->statements, sizeof(s->statements));
    s->last_id = 0;
}


static ngx_inline void
server_free(server_t *s)
{
    server_forget(s);
    bytes_free(&s->in);
    bytes_free(&s->out);
    bytes_free(&s->file);
}


static ngx_inline ngx_uint_t
server_is(const char *text, const char *word)
{
    return strncmp(text, word, strlen(word)) == 0;
}


static ngx_inline void
server_packet(server_t *s, const void *data, size_t len)
{
    ngx_hyperdrive_chain_t  out;

    ngx_memzero(&out, sizeof(ngx_hyperdrive_chain_t));
    ngx_hyperdrive_mysql_packet_append(&out, data, len, &s->seq);
    bytes_chain(&s->out, &out);
}


/* a definition, with a default value behind it or without */

static ngx_inline void
server_column(server_t *s, char *name, ngx_uint_t value)
{
    u_char  buf[100], *p;

    p = ngx_cpymem(buf, "\3def\1s\1t\1t", 10);
    p = ngx_hyperdrive_mysql_put_lstr(p, name, strlen(name));
    p = ngx_hyperdrive_mysql_put_lstr(p, name, strlen(name));

    if (s->caps & NGX_HYPERDRIVE_MYSQL_MARIADB_TYPE_INFO) {

        if (s->says && strcmp(name, "two") == 0) {
            /* as long as what follows it, with its length */
            p = ngx_cpymem(p, "\14\0\12what it is", 13);

        } else {
            *p++ = 0;
        }
    }

    p = ngx_cpymem(p, "\14\55\0\100\0\0\0\375\0\0\0\0\0", 13);

    if (value) {
        p = ngx_hyperdrive_mysql_put_lstr(p, "d", 1);
    }

    server_packet(s, buf, p - buf);
}


static ngx_inline void
server_ok(server_t *s, ngx_uint_t rows, ngx_uint_t status, ngx_uint_t warnings,
    char *info)
{
    ngx_hyperdrive_chain_t     out;
    ngx_hyperdrive_mysql_ok_t  ok;

    ngx_memzero(&out, sizeof(ngx_hyperdrive_chain_t));
    ngx_memzero(&ok, sizeof(ngx_hyperdrive_mysql_ok_t));

    ok.status = status;
    ok.warnings = warnings;
    ok.affected = rows ? 0 : 300;
    ok.info.data = (u_char *) info;
    ok.info.len = strlen(info);

    if (!rows && status & NGX_HYPERDRIVE_MYSQL_IN_TRANSACTION) {
        ok.changes.data = (u_char *) "\1\3\2db";
        ok.changes.len = 5;
    }

    if (rows) {
        ngx_hyperdrive_mysql_end(&out, s->caps, &ok, &s->seq);

    } else {
        ngx_hyperdrive_mysql_ok(&out, s->caps, &ok, &s->seq);
    }

    bytes_chain(&s->out, &out);
}


static ngx_inline void
server_eof(server_t *s, ngx_uint_t status)
{
    ngx_hyperdrive_chain_t  out;

    if (s->caps & NGX_HYPERDRIVE_MYSQL_DEPRECATE_EOF) {
        return;
    }

    ngx_memzero(&out, sizeof(ngx_hyperdrive_chain_t));
    ngx_hyperdrive_mysql_eof(&out, status, 0, &s->seq);
    bytes_chain(&s->out, &out);
}


static ngx_inline void
server_error(server_t *s, ngx_uint_t code, const char *text)
{
    ngx_hyperdrive_chain_t  out;

    ngx_memzero(&out, sizeof(ngx_hyperdrive_chain_t));
    ngx_hyperdrive_mysql_err(&out, s->caps, code,
                             (code == 1064) ? "42000"
                             : (code == 1047) ? "08S01" : "HY000",
                             text, strlen(text), &s->seq);
    bytes_chain(&s->out, &out);
}


static ngx_inline void
server_rows(server_t *s, const char *text, u_char *values, size_t len,
    ngx_uint_t first, ngx_uint_t n, ngx_uint_t binary)
{
    u_char      row[256], *p;
    ngx_uint_t  i;

    for (i = first; i < first + n; i++) {
        p = row;

        if (binary) {
            *p++ = 0;
            *p++ = 0;
        }

        /* the first byte may be any: a text of 0xfe bytes has another one */

        *p++ = (u_char) (len + 1);
        p = ngx_cpymem(p, values, len);
        *p++ = (u_char) i;
        p = ngx_hyperdrive_mysql_put_lstr(p, text, strlen(text));

        server_packet(s, row, p - row);
    }
}


/* one result; NGX_ERROR: no more of them; NGX_AGAIN: a file comes first */

static ngx_inline ngx_int_t
server_result(server_t *s, const char *text, u_char *values, size_t len,
    ngx_uint_t more, statement_t *st, ngx_uint_t cursor)
{
    ngx_uint_t  n, status;

    if (server_is(text, "BEGIN")) {
        s->status |= NGX_HYPERDRIVE_MYSQL_IN_TRANSACTION;

    } else if (server_is(text, "COMMIT") || server_is(text, "ROLLBACK")) {
        s->status &= ~NGX_HYPERDRIVE_MYSQL_IN_TRANSACTION;
    }

    status = s->status | (more ? NGX_HYPERDRIVE_MYSQL_MORE_RESULTS : 0);

    if (server_is(text, "FAIL") || server_is(text, "BAD")) {
        server_error(s, 1064, text);
        return NGX_ERROR;
    }

    if (server_is(text, "INFILE")) {

        if (!(s->caps & NGX_HYPERDRIVE_MYSQL_LOCAL_FILES) || st) {
            server_error(s, 4166, "no files");
            return NGX_ERROR;
        }

        server_packet(s, "\373name", 5);
        s->reading = 1;
        s->more = more;
        s->file.len = 0;

        return NGX_AGAIN;
    }

    if (server_is(text, "WARN")) {
        server_ok(s, 0, status, 1, "");
        return NGX_OK;
    }

    if (!server_is(text, "SELECT")) {
        server_ok(s, 0, status, 0, server_is(text, "INSERT") ? "info" : "");
        return NGX_OK;
    }

    n = (text[6] >= '0' && text[6] <= '9') ? text[6] - '0' : 1;

    server_packet(s, "\2\1",
                  (s->caps & NGX_HYPERDRIVE_MYSQL_MARIADB_CACHE_METADATA)
                  ? 2 : 1);
    server_column(s, "one", 0);
    server_column(s, "two", 0);

    if (cursor) {
        st->cursor = 1;
        st->rows = n;

        server_ok(s, 1, status | NGX_HYPERDRIVE_MYSQL_CURSOR, 0, "");
        return NGX_OK;
    }

    /* (whether more results follow is said here by some, and of no use) */

    server_eof(s, s->status);
    server_rows(s, text, values, len, 0, n, st != NULL);
    server_ok(s, 1, status, 0, "");

    return NGX_OK;
}


/* the position behind a value, or NULL */

static ngx_inline u_char *
server_skip(u_char type, u_char *p, u_char *last)
{
    size_t     len;
    ngx_str_t  s;

    len = (type == 3 || type == 4) ? 4 : (type == 8 || type == 5) ? 8
          : (type == 1) ? 1 : 0;

    if (type == 6) {
        return p;
    }

    if (len == 0) {
        return ngx_hyperdrive_mysql_read_lstr(p, last, &s);
    }

    return ((size_t) (last - p) < len) ? NULL : p + len;
}


/* what stands ahead of a text; NULL: malformed */

static ngx_inline u_char *
server_attributes(server_t *s, u_char *p, u_char *last, u_char **begin)
{
    u_char      *nulls, *types;
    uint64_t     n, sets, i;
    ngx_str_t    name;

    *begin = p;

    p = ngx_hyperdrive_mysql_read_lenc(p, last, &n);
    p = ngx_hyperdrive_mysql_read_lenc(p, last, &sets);

    if (p == NULL || n == 0) {
        return p;
    }

    nulls = p;

    if (n > 0xffff || (uint64_t) (last - p) < (n + 7) / 8 + 1) {
        return NULL;
    }

    p += (n + 7) / 8;

    if (*p++ == 0) {
        return NULL;
    }

    *begin = p;
    types = p;

    for (i = 0; p && i < n; i++) {
        p = (last - p < 2) ? NULL : p + 2;
        p = ngx_hyperdrive_mysql_read_lstr(p, last, &name);
    }

    for (i = 0; p && i < n; i++) {

        if (!(nulls[i / 8] & (1 << i % 8))) {
            p = server_skip(types[0], p, last);
        }

        types = ngx_hyperdrive_mysql_read_lstr(types + 2, last, &name);
    }

    return p;
}


static ngx_inline void
server_query(server_t *s, u_char *text, size_t len)
{
    char       *p, *next, buf[256];
    u_char     *begin, *attrs;
    size_t      shown;
    ngx_int_t   rc;

    shown = 0;
    attrs = text;

    if (s->caps & NGX_HYPERDRIVE_MYSQL_QUERY_ATTRIBUTES) {
        begin = server_attributes(s, text, text + len, &attrs);

        if (begin == NULL) {
            server_error(s, 1835, "Malformed communication packet");
            return;
        }

        if (attrs != text && s->shows) {
            shown = ngx_min(begin - attrs, SERVER_SHOWN);
        }

        len -= begin - text;
        text = begin;
    }

    len = ngx_min(len, sizeof(buf) - 1);
    ngx_memcpy(buf, text, len);
    buf[len] = '\0';

    p = buf;

    if (server_is(p, "SET session_track")) {
        server_ok(s, 0, s->status, 0, "");
        return;
    }

    if (strchr(p, ';') && !s->multi) {
        server_error(s, 1064, "several statements");
        return;
    }

    do {
        next = strchr(p, ';');

        if (next) {
            *next++ = '\0';
        }

        rc = server_result(s, p, attrs, shown, next != NULL, NULL, 0);
        p = next;

    } while (rc == NGX_OK && p);
}


static ngx_inline statement_t *
server_find(server_t *s, uint32_t id)
{
    ngx_uint_t  i;

    if (id == 0xffffffff && s->mariadb) {
        id = s->last_id;
    }

    for (i = 0; i < SERVER_STATEMENTS; i++) {

        if (id && s->statements[i].id == id) {
            return &s->statements[i];
        }
    }

    return NULL;
}


static ngx_inline void
server_prepare(server_t *s, u_char *text, size_t len)
{
    u_char        ok[12];
    ngx_uint_t    i, n, columns;
    statement_t  *st;

    s->last_id = 0;
    st = NULL;

    for (i = 0; i < SERVER_STATEMENTS; i++) {
        if (s->statements[i].id == 0) {
            st = &s->statements[i];
            break;
        }
    }

    len = ngx_min(len, sizeof(st->text) - 1);

    if (st == NULL || (len >= 3 && ngx_memcmp(text, "BAD", 3) == 0)
        || memchr(text, ';', len))
    {
        server_error(s, 1064, st ? "cannot be prepared" : "too many");
        return;
    }

    ngx_memzero(st, sizeof(statement_t));
    ngx_memcpy(st->text, text, len);

    st->id = ++s->next_id;
    s->last_id = st->id;

    for (i = 0; i < len; i++) {
        st->nparams += (text[i] == '?' && st->nparams < SERVER_PARAMS);
    }

    columns = server_is(st->text, "SELECT") ? 2 : 0;

    ok[0] = 0;
    ngx_hyperdrive_mysql_put_u32(ok + 1, st->id);
    ngx_hyperdrive_mysql_put_u16(ok + 5, columns);
    ngx_hyperdrive_mysql_put_u16(ok + 7, st->nparams);
    ok[9] = 0;
    ngx_hyperdrive_mysql_put_u16(ok + 10, 0);

    server_packet(s, ok, 12);

    for (n = 0; n < st->nparams; n++) {
        server_column(s, "?", 0);
    }

    if (n) {
        server_eof(s, s->status);
    }

    for (n = 0; n < columns; n++) {
        server_column(s, n ? "two" : "one", 0);
    }

    if (n) {
        server_eof(s, s->status);
    }
}


static ngx_inline void
server_unknown(server_t *s, uint32_t id, const char *function)
{
    u_char  text[128], *end;

    end = ngx_sprintf(text, "Unknown prepared statement handler (%uD) "
                      "given to mysqld_stmt_%s", id, function);
    *end = '\0';
    server_error(s, 1243, (char *) text);
}


/* a row shows which types and values it was asked for with */

static ngx_inline void
server_execute(server_t *s, u_char *p, size_t len)
{
    u_char        values[256], *v, *q, *last, *nulls, *own, *attrs, *end;
    uint64_t      n;
    uint32_t      id;
    ngx_str_t     name;
    ngx_uint_t    i, bulk, named, bound, flags;
    statement_t  *st;

    bulk = (p[0] == NGX_HYPERDRIVE_MYSQL_COM_STMT_BULK_EXECUTE);
    named = !bulk && (s->caps & NGX_HYPERDRIVE_MYSQL_QUERY_ATTRIBUTES);
    last = p + len;

    if (len < (bulk ? 7 : 10)) {
        server_error(s, 1835, "Malformed communication packet");
        return;
    }

    ngx_hyperdrive_mysql_read_u32(p + 1, last, &id);
    st = server_find(s, id);

    if (st == NULL) {
        server_unknown(s, id, "execute");
        return;
    }

    v = values;
    flags = bulk ? 0 : p[5];
    q = p + (bulk ? 7 : 10);
    n = st->nparams;
    nulls = NULL;

    if (named) {

        if (n == 0 && !(flags & 8)) {
            q = last;

        } else {
            q = ngx_hyperdrive_mysql_read_lenc(q, last, &n);
        }

        flags &= ~8;

        if (q == NULL || n < st->nparams || n > 0xffff) {
            goto malformed;
        }
    }

    if (n) {

        if (bulk) {
            bound = p[5] & 0x80;

        } else {
            nulls = q;

            if ((uint64_t) (last - q) < (n + 7) / 8 + 1) {
                goto malformed;
            }

            q += (n + 7) / 8;
            bound = *q++;
        }

        if (bound) {
            attrs = q;
            own = q;

            for (i = 0; i < n; i++) {

                if (i == st->nparams) {
                    attrs = q;
                }

                q = (last - q < 2) ? NULL : q + 2;

                if (q && named) {
                    q = ngx_hyperdrive_mysql_read_lstr(q, last, &name);
                }

                if (q == NULL) {
                    goto malformed;
                }
            }

            for (i = 0; i < st->nparams; i++) {
                ngx_memcpy(st->types + 2 * i, own, 2);
                own += 2;

                if (named) {
                    own = ngx_hyperdrive_mysql_read_lstr(own, last, &name);
                }
            }

            st->typed = 1;
            st->nattrs = n - st->nparams;
            st->attrs.len = 0;

            if (st->nattrs) {
                bytes_add(&st->attrs, attrs, q - attrs);
            }

        } else if ((st->nparams && !st->typed)
                   || (n != st->nparams && n - st->nparams != st->nattrs))
        {
            goto malformed;
        }

        v = ngx_cpymem(v, st->types, 2 * st->nparams);
    }

    st->cursor = 0;

    /* what is of no parameter is not looked at */

    end = bulk ? last : q;

    for (i = 0; !bulk && end && i < st->nparams; i++) {

        if (!(nulls[i / 8] & (1 << i % 8))) {
            end = server_skip(st->types[2 * i], end, last);
        }
    }

    if (end) {
        v = ngx_cpymem(v, q, ngx_min(end - q, SERVER_SHOWN));

    } else {
        *v++ = '?';
    }

    if (s->shows && n > st->nparams) {

        if (end) {
            v = ngx_cpymem(v, end, ngx_min(last - end, SERVER_SHOWN));
        }

        v = ngx_cpymem(v, st->attrs.data, ngx_min(st->attrs.len,
                                                  SERVER_SHOWN));
    }

    if (st->data.len) {
        v = ngx_cpymem(v, st->data.data, ngx_min(st->data.len, SERVER_SHOWN));
    }

    st->data.len = 0;

    (void) server_result(s, st->text, values, v - values, 0, st, flags != 0);
    return;

malformed:

    if (named) {
        server_error(s, 1835, "Malformed communication packet");

    } else {
        server_error(s, 1210, "Incorrect arguments to mysqld_stmt_execute");
    }
}


static ngx_inline void
server_fetch(server_t *s, u_char *p, size_t len)
{
    uint32_t      id, n;
    ngx_uint_t    status;
    statement_t  *st;

    if (len < 9) {
        server_error(s, 1835, "Malformed communication packet");
        return;
    }

    ngx_hyperdrive_mysql_read_u32(p + 1, p + len, &id);
    ngx_hyperdrive_mysql_read_u32(p + 5, p + len, &n);

    st = server_find(s, id);

    if (st == NULL) {
        server_unknown(s, id, "fetch");
        return;
    }

    if (!st->cursor) {
        u_char  text[128], *end;

        end = ngx_sprintf(text, "The statement (%uD) has no open cursor", id);
        *end = '\0';
        server_error(s, 1421, (char *) text);
        return;
    }

    n = ngx_min(n, st->rows);
    status = s->status;

    server_rows(s, st->text, (u_char *) "", 0, 0, n, 1);

    st->rows -= n;

    if (st->rows == 0) {
        st->cursor = 0;
        status |= NGX_HYPERDRIVE_MYSQL_LAST_ROW;

    } else {
        status |= NGX_HYPERDRIVE_MYSQL_CURSOR;
    }

    server_ok(s, 1, status, 0, "");
}


static ngx_inline void
server_command(server_t *s, u_char *p, size_t len)
{
    uint32_t      id;
    statement_t  *st;

    if (s->reading) {

        if (len) {
            bytes_add(&s->file, p, len);
            return;
        }

        s->reading = 0;
        server_ok(s, 0, s->status, 0, s->file.len ? "file" : "empty");
        return;
    }

    if (len == 0) {
        s->wild = 1;
        return;
    }

    st = NULL;
    id = 0;

    if (ngx_hyperdrive_mysql_read_u32(p + 1, p + len, &id)) {
        st = server_find(s, id);
    }

    switch (p[0]) {

    case NGX_HYPERDRIVE_MYSQL_COM_QUERY:
        server_query(s, p + 1, len - 1);
        return;

    case NGX_HYPERDRIVE_MYSQL_COM_STMT_PREPARE:
        server_prepare(s, p + 1, len - 1);
        return;

    case NGX_HYPERDRIVE_MYSQL_COM_STMT_EXECUTE:
    case NGX_HYPERDRIVE_MYSQL_COM_STMT_BULK_EXECUTE:
        server_execute(s, p, len);
        return;

    case NGX_HYPERDRIVE_MYSQL_COM_STMT_FETCH:
        server_fetch(s, p, len);
        return;

    case NGX_HYPERDRIVE_MYSQL_COM_BINLOG_DUMP:

        /* its end has the old form always */

        server_packet(s, "\0an event", 9);
        server_packet(s, "\0another", 8);
        server_packet(s, "\376\0\0\2\0", 5);
        return;

    case NGX_HYPERDRIVE_MYSQL_COM_REGISTER_SLAVE:
        break;

    case NGX_HYPERDRIVE_MYSQL_COM_STMT_LONG_DATA:

        if (st && len > 7) {
            bytes_add(&st->data, p + 7, len - 7);
        }

        return;

    case NGX_HYPERDRIVE_MYSQL_COM_STMT_CLOSE:

        if (st) {
            bytes_free(&st->data);
            bytes_free(&st->attrs);
            ngx_memzero(st, sizeof(statement_t));
        }

        return;

    case NGX_HYPERDRIVE_MYSQL_COM_STMT_RESET:

        if (st == NULL) {
            server_unknown(s, id, "reset");
            return;
        }

        st->data.len = 0;
        st->cursor = 0;
        break;

    case NGX_HYPERDRIVE_MYSQL_COM_SET_OPTION:

        if (len < 3) {
            server_error(s, 1835, "Malformed communication packet");
            return;
        }

        s->multi = (p[1] == 0 && p[2] == 0);
        server_ok(s, 1, s->status, 0, "");
        return;

    case NGX_HYPERDRIVE_MYSQL_COM_FIELD_LIST:
        server_column(s, "field", 1);
        server_column(s, "two", 1);
        server_ok(s, 1, s->status, 0, "");
        return;

    case NGX_HYPERDRIVE_MYSQL_COM_STATISTICS:
        server_packet(s, "Uptime", 6);
        return;

    case NGX_HYPERDRIVE_MYSQL_COM_RESET_CONNECTION:
        server_forget(s);
        s->status = NGX_HYPERDRIVE_MYSQL_AUTOCOMMIT;
        server_packet(s, "\0\0\0\2\0\0\0", 7);
        return;

    case NGX_HYPERDRIVE_MYSQL_COM_PING:
    case NGX_HYPERDRIVE_MYSQL_COM_INIT_DB:
        break;

    default:
        server_error(s, 1047, "Unknown command");
        return;
    }

    {
        u_char  ok[7] = { 0, 0, 0, 0, 0, 0, 0 };

        ngx_hyperdrive_mysql_put_u16(ok + 3, s->status);
        server_packet(s, ok, 7);
    }
}


/* takes what has come, as far as it is whole */

static ngx_inline void
server_feed(server_t *s, u_char *data, size_t len)
{
    u_char     *pos, *last, seq;
    ngx_str_t   payload;

    if (len == 0) {
        return;
    }

    bytes_add(&s->in, data, len);

    pos = s->in.data;
    last = pos + s->in.len;

    while (ngx_hyperdrive_mysql_packet(&pos, last, 0xfffffe, &payload, &seq)
           == NGX_OK)
    {
        if (s->reading ? seq != s->seq : seq != 0) {
            s->wild = 1;
        }

        s->seq = seq + 1;

        server_command(s, payload.data, payload.len);
    }

    bytes_drop(&s->in, pos - s->in.data);
}


#endif /* _MYSQL_WIRE_SERVER_H_INCLUDED_ */
