
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * A model of PostgreSQL's message loop (manual, 55.2 "Message Flow"): named
 * and unnamed statements, portals, blocks and implicit transactions, the skip
 * to the Sync, COPY.  It tells statements by their first word:
 *
 *   SELECT[n]     reads, n rows (1); with a * the column's name is that of
 *                 the server's epoch; each $ is a parameter
 *   RETURNING[n]  the same, and writes
 *   INSERT        writes, no rows
 *   BEGIN, COMMIT, ROLLBACK
 *   SET           says so in a ParameterStatus
 *   DEALLOCATE    a name, or ALL
 *   NOTICE        with a notice
 *   DEFER         fails as the transaction commits
 *   FAIL          fails when it is run
 *   BAD           fails when it is parsed
 *   FATAL         ends the connection
 *   COPYIN, COPYOUT
 *
 * What is sent becomes visible where the database flushes it: a Sync or Flush
 * that is missing shows as an answer that does not come.
 *
 * Knowingly not as PostgreSQL: in a failed block Bind and Describe of a
 * statement fail with 25P02 before anything else is looked at.
 */


#ifndef _PG_WIRE_SERVER_H_INCLUDED_
#define _PG_WIRE_SERVER_H_INCLUDED_


#include "pg_wire_bytes.h"
#include "base/ngx_hyperdrive_base_cursor.h"


typedef struct server_item_s  server_item_t;

/* a statement or a portal */

struct server_item_s {
    server_item_t  *next;
    char           *name;
    char           *text;
    ngx_uint_t      epoch;
    bytes_t         params;
    ngx_uint_t      row;         /* rows that have been fetched */
    unsigned        done:1;
};


typedef struct {
    bytes_t         in;
    bytes_t         out;
    size_t          visible;     /* of <out> */
    size_t          tag;         /* in <out>: how the last statement ended */

    server_item_t  *stmts;
    server_item_t  *portals;
    ngx_uint_t      epoch;

    char           *query;       /* a Query that has not ended */
    char           *next;        /* its next statement */

    ngx_uint_t      nparse;      /* messages so far, of three kinds */
    ngx_uint_t      nclose;
    ngx_uint_t      nrun;        /* statements that have run */
    size_t          data;        /* bytes of COPY data */
    size_t          copied;      /* ...of this COPY */

    u_char          status;
    unsigned        extended:1;  /* the message at hand */
    unsigned        ignore:1;
    unsigned        copy:1;
    unsigned        deferred:1;
    unsigned        closed:1;
} server_t;


static ngx_inline server_item_t **
server_find(server_item_t **list, const char *name)
{
    while (*list && strcmp((*list)->name, name) != 0) {
        list = &(*list)->next;
    }

    return list;
}


static ngx_inline void
server_remove(server_item_t **list, const char *name)
{
    server_item_t  *item;

    list = server_find(list, name);
    item = *list;

    if (item) {
        *list = item->next;
        bytes_free(&item->params);
        free(item->name);
        free(item->text);
        free(item);
    }
}


static ngx_inline void
server_remove_all(server_item_t **list)
{
    while (*list) {
        server_remove(list, (*list)->name);
    }
}


static ngx_inline server_item_t *
server_add(server_item_t **list, const char *name, const char *text)
{
    server_item_t  *item;

    item = calloc(1, sizeof(server_item_t));
    item->name = strdup(name);
    item->text = strdup(text);
    item->next = *list;
    *list = item;

    return item;
}


static ngx_inline void
server_init(server_t *s)
{
    ngx_memzero(s, sizeof(server_t));

    s->status = 'I';
}


static ngx_inline void
server_free(server_t *s)
{
    server_remove_all(&s->stmts);
    server_remove_all(&s->portals);

    bytes_free(&s->in);
    bytes_free(&s->out);

    free(s->query);
}


static ngx_inline ngx_uint_t
server_is(const char *text, const char *word)
{
    return strncmp(text, word, strlen(word)) == 0;
}


static ngx_inline ngx_uint_t
server_rows(const char *text)
{
    return server_is(text, "SELECT") || server_is(text, "RETURNING");
}


static ngx_inline ngx_uint_t
server_nrows(const char *text)
{
    text += server_is(text, "SELECT") ? 6 : 9;

    return (*text >= '0' && *text <= '9') ? (ngx_uint_t) (*text - '0') : 1;
}


/* the statements that may run in a failed block */

static ngx_inline ngx_uint_t
server_exit(const char *text)
{
    return server_is(text, "COMMIT") || server_is(text, "ROLLBACK");
}


static ngx_inline ngx_uint_t
server_nparams(const char *text)
{
    ngx_uint_t  n;

    for (n = 0; *text; text++) {
        n += (*text == '$');
    }

    return n;
}


static ngx_inline void
server_flush(server_t *s)
{
    s->visible = s->out.len;
}


static ngx_inline void
server_ready(server_t *s)
{
    size_t  start;

    start = msg_begin(&s->out, 'Z');
    bytes_u8(&s->out, s->status);
    msg_end(&s->out, start);

    server_flush(s);
}


static ngx_inline void
server_say(server_t *s, u_char type, const char *severity, const char *code,
    const char *text)
{
    size_t  start;

    start = msg_begin(&s->out, type);
    bytes_u8(&s->out, 'S');
    bytes_str(&s->out, severity);
    bytes_u8(&s->out, 'V');
    bytes_str(&s->out, severity);
    bytes_u8(&s->out, 'C');
    bytes_str(&s->out, code);
    bytes_u8(&s->out, 'M');
    bytes_str(&s->out, text);

    if (strcmp(code, "0A000") == 0) {
        bytes_u8(&s->out, 'R');
        bytes_str(&s->out, "RevalidateCachedQuery");
    }

    bytes_u8(&s->out, 0);
    msg_end(&s->out, start);
}


/* returns 0, for callers that do not go on */

static ngx_inline ngx_uint_t
server_error(server_t *s, const char *code, const char *text)
{
    server_say(s, 'E', "ERROR", code, text);
    server_flush(s);

    s->copy = 0;
    s->deferred = 0;

    if (s->status == 'I') {
        server_remove_all(&s->portals);

    } else {
        s->status = 'E';
    }

    free(s->query);
    s->query = NULL;

    if (s->extended) {
        s->ignore = 1;
    }

    return 0;
}


static ngx_inline void
server_end_transaction(server_t *s)
{
    server_remove_all(&s->portals);
    s->status = 'I';
    s->deferred = 0;
}


/* the commit of what is not in a block; 0: it has failed */

static ngx_inline ngx_uint_t
server_commit(server_t *s)
{
    if (s->status != 'I') {
        return 1;
    }

    if (s->deferred) {
        return server_error(s, "23503", "deferred");
    }

    server_end_transaction(s);

    return 1;
}


static ngx_inline void
server_describe(server_t *s, const char *text)
{
    char    name[64];
    size_t  start;

    if (!server_rows(text)) {
        msg_bare(&s->out, 'n');
        return;
    }

    start = msg_begin(&s->out, 'T');
    bytes_u16(&s->out, 1);

    ngx_memzero(name, sizeof(name));
    snprintf(name, sizeof(name), "c%d",
             strchr(text, '*') ? (int) s->epoch : 0);

    bytes_str(&s->out, name);
    bytes_u32(&s->out, 16384);
    bytes_u16(&s->out, 1);
    bytes_u32(&s->out, 25);
    bytes_u16(&s->out, 65535);
    bytes_u32(&s->out, (uint32_t) -1);
    bytes_u16(&s->out, 0);

    msg_end(&s->out, start);
}


static ngx_inline void
server_tag(server_t *s, const char *tag)
{
    s->tag = s->out.len;
    msg_text(&s->out, 'C', tag);
}


static ngx_inline void
server_complete(server_t *s, const char *tag, ngx_uint_t n)
{
    char  text[64];

    snprintf(text, sizeof(text), "%s %d", tag, (int) n);
    server_tag(s, text);
}


/*
 * Runs a statement; <portal> NULL: of a Query.  0: it has failed, or waits
 * for data.
 */

static ngx_inline ngx_uint_t
server_run(server_t *s, const char *text, server_item_t *portal,
    ngx_uint_t max)
{
    char             value[32];
    size_t           start;
    ngx_uint_t       i, n, first;
    server_item_t  **item;

    if (text[0] == '\0') {
        s->tag = s->out.len;
        msg_bare(&s->out, 'I');
        return 1;
    }

    if (s->status == 'E' && !server_exit(text)) {
        return server_error(s, "25P02", "aborted");
    }

    if (portal && portal->done && !server_rows(text)) {
        return server_error(s, "55000", "portal cannot be run");
    }

    s->nrun++;

    if (server_is(text, "FATAL")) {
        server_say(s, 'E', "FATAL", "57P01", "terminating");
        server_flush(s);
        s->closed = 1;
        return 0;
    }

    if (server_is(text, "FAIL")) {
        return server_error(s, "22012", "division by zero");
    }

    if (server_rows(text)) {

        if (portal == NULL) {
            server_describe(s, text);
        }

        first = portal ? portal->row : 0;
        n = server_nrows(text) - first;

        if (max && n > max) {
            n = max;
        }

        for (i = 0; i < n; i++) {
            start = msg_begin(&s->out, 'D');
            bytes_u16(&s->out, 1);
            bytes_u32(&s->out, strlen(text) + 8
                               + (portal ? portal->params.len : 0));
            bytes_add(&s->out, text, strlen(text));

            if (portal) {
                bytes_add(&s->out, portal->params.data, portal->params.len);
            }

            snprintf(value, sizeof(value), "%08d", (int) (first + i));
            bytes_add(&s->out, value, 8);
            msg_end(&s->out, start);
        }

        if (portal) {
            portal->row += n;
        }

        if (max && n == max) {
            msg_bare(&s->out, 's');
            return 1;
        }

        if (portal) {
            portal->done = 1;
        }

        server_complete(s, server_is(text, "SELECT") ? "SELECT" : "INSERT 0",
                        n);
        return 1;
    }

    if (portal) {
        portal->done = 1;
    }

    if (server_is(text, "COPYIN")) {
        start = msg_begin(&s->out, 'G');
        bytes_u8(&s->out, 0);
        bytes_u16(&s->out, 0);
        msg_end(&s->out, start);
        server_flush(s);

        s->copy = 1;
        s->copied = 0;

        return 0;
    }

    if (server_is(text, "COPYOUT")) {
        start = msg_begin(&s->out, 'H');
        bytes_u8(&s->out, 0);
        bytes_u16(&s->out, 0);
        msg_end(&s->out, start);

        msg_data(&s->out, text);
        msg_data(&s->out, "");
        msg_bare(&s->out, 'c');

        server_complete(s, "COPY", 2);
        return 1;
    }

    if (server_is(text, "BEGIN")) {

        if (s->status == 'I') {
            s->status = 'T';
        }

        server_tag(s, "BEGIN");
        return 1;
    }

    if (server_exit(text)) {

        if (s->status == 'T' && s->deferred && server_is(text, "COMMIT")) {
            s->status = 'I';
            return server_error(s, "23503", "deferred");
        }

        server_tag(s, s->status == 'E' ? "ROLLBACK" : text);
        server_end_transaction(s);
        return 1;
    }

    if (server_is(text, "DEALLOCATE ")) {

        if (strcmp(text, "DEALLOCATE ALL") == 0) {

            /* the unnamed one stays */

            for (item = &s->stmts; *item; /* void */ ) {

                if ((*item)->name[0]) {
                    server_remove(item, (*item)->name);

                } else {
                    item = &(*item)->next;
                }
            }

            server_tag(s, text);
            return 1;
        }

        if (*server_find(&s->stmts, text + 11) == NULL) {
            return server_error(s, "26000",
                                "prepared statement does not exist");
        }

        server_remove(&s->stmts, text + 11);
        server_tag(s, "DEALLOCATE");
        return 1;
    }

    if (server_is(text, "SET")) {
        start = msg_begin(&s->out, 'S');
        bytes_str(&s->out, "application_name");
        bytes_str(&s->out, text);
        msg_end(&s->out, start);
        server_tag(s, "SET");
        return 1;
    }

    if (server_is(text, "NOTICE")) {
        server_say(s, 'N', "NOTICE", "00000", text);
    }

    if (server_is(text, "DEFER")) {
        s->deferred = 1;
    }

    server_complete(s, "INSERT 0", 1);

    return 1;
}


/* goes on with a Query */

static ngx_inline void
server_query(server_t *s)
{
    char  *text, *end;

    while (s->next) {
        text = s->next;
        end = strchr(text, ';');

        if (end) {
            *end = '\0';
        }

        s->next = end ? end + 1 : NULL;

        if (!server_run(s, text, NULL, 0)) {

            if (s->copy || s->closed) {
                return;
            }

            server_ready(s);
            return;
        }
    }

    free(s->query);
    s->query = NULL;

    if (s->status == 'I' && s->deferred) {
        /* it commits before the last statement is said to be done */
        s->out.len = s->tag;
    }

    (void) server_commit(s);
    server_ready(s);
}


static ngx_inline void
server_parse(server_t *s, char *name, char *text)
{
    server_item_t  *item;

    s->nparse++;

    if (name[0] == '\0') {
        server_remove(&s->stmts, "");
    }

    if (server_is(text, "BAD") || strchr(text, ';')) {
        server_error(s, "42601", "syntax error");
        return;
    }

    if (s->status == 'E' && !server_exit(text)) {
        server_error(s, "25P02", "aborted");
        return;
    }

    if (*server_find(&s->stmts, name)) {
        server_error(s, "42P05", "prepared statement already exists");
        return;
    }

    item = server_add(&s->stmts, name, text);
    item->epoch = s->epoch;

    msg_bare(&s->out, '1');
}


static ngx_inline ngx_uint_t
server_stale(server_t *s, server_item_t *stmt)
{
    if (strchr(stmt->text, '*') && stmt->epoch != s->epoch) {
        server_error(s, "0A000", "cached plan must not change result type");
        return 1;
    }

    return 0;
}


static ngx_inline void
server_bind(server_t *s, u_char *p, u_char *end)
{
    uint32_t        len;
    ngx_str_t       name, portal, value;
    ngx_uint_t      i, n;
    server_item_t  *stmt, *item;

    p = ngx_hyperdrive_base_read_cstr(p, end, &portal);
    p = ngx_hyperdrive_base_read_cstr(p, end, &name);
    p = ngx_hyperdrive_base_read_u16(p, end, &n);
    p = ngx_hyperdrive_base_read_bytes(p, end, p ? 2 * n : 0, &value);
    p = ngx_hyperdrive_base_read_u16(p, end, &n);

    if (p == NULL) {
        server_error(s, "08P01", "malformed Bind");
        return;
    }

    stmt = *server_find(&s->stmts, (char *) name.data);

    if (stmt == NULL) {
        server_error(s, "26000", "prepared statement does not exist");
        return;
    }

    if (s->status == 'E' && !server_exit(stmt->text)) {
        server_error(s, "25P02", "aborted");
        return;
    }

    if (n != server_nparams(stmt->text)) {
        server_error(s, "08P01", "wrong number of parameters");
        return;
    }

    if (portal.len && *server_find(&s->portals, (char *) portal.data)) {
        server_error(s, "42P03", "portal exists");
        return;
    }

    if (server_stale(s, stmt)) {
        return;
    }

    server_remove(&s->portals, (char *) portal.data);

    item = server_add(&s->portals, (char *) portal.data, stmt->text);

    for (i = 0; p && i < n; i++) {
        p = ngx_hyperdrive_base_read_u32(p, end, &len);

        if (p && len != (uint32_t) -1) {
            p = ngx_hyperdrive_base_read_bytes(p, end, len, &value);

            /* of a long one its ends and its length */

            if (p && len > 64) {
                bytes_add(&item->params, value.data, 32);
                bytes_add(&item->params, value.data + len - 32, 32);
                bytes_u32(&item->params, len);

            } else if (p) {
                bytes_add(&item->params, value.data, len);
            }
        }
    }

    if (p == NULL) {
        server_error(s, "08P01", "malformed Bind");
        return;
    }

    msg_bare(&s->out, '2');
}


static ngx_inline void
server_describe_named(server_t *s, u_char kind, char *name)
{
    size_t          start;
    ngx_uint_t      i, n;
    server_item_t  *item;

    item = *server_find(kind == 'S' ? &s->stmts : &s->portals, name);

    if (item == NULL) {
        server_error(s, kind == 'S' ? "26000" : "34000", "does not exist");
        return;
    }

    if (s->status == 'E' && !server_exit(item->text)) {
        server_error(s, "25P02", "aborted");
        return;
    }

    if (kind == 'S') {

        if (server_stale(s, item)) {
            return;
        }

        n = server_nparams(item->text);

        start = msg_begin(&s->out, 't');
        bytes_u16(&s->out, n);

        for (i = 0; i < n; i++) {
            bytes_u32(&s->out, 25);
        }

        msg_end(&s->out, start);
    }

    server_describe(s, item->text);
}


/* a message in copy-in mode */

static ngx_inline void
server_copy(server_t *s, u_char type, size_t len)
{
    char  text[64];

    switch (type) {

    case 'd':
        s->data += len;
        s->copied += len;
        return;

    case 'H':
    case 'S':
        return;

    case 'c':
        s->copy = 0;
        server_complete(s, "COPY", s->copied);

        if (s->query) {
            server_query(s);
        }

        return;

    case 'f':
        server_error(s, "57014", "COPY from stdin failed");
        break;

    default:
        snprintf(text, sizeof(text),
                 "unexpected message type 0x%02X during COPY from stdin", type);

        server_error(s, "08P01", text);
        server_say(s, 'E', "FATAL", "08P01", "terminating connection because "
                   "protocol synchronization was lost");
        server_flush(s);
        s->closed = 1;
        return;
    }

    if (!s->extended) {
        server_ready(s);
    }
}


static ngx_inline void
server_message(server_t *s, u_char type, u_char *body, size_t len)
{
    u_char         *p, *end;
    uint32_t        max;
    ngx_str_t       name, text;
    ngx_uint_t      n;
    server_item_t  *portal;

    end = body + len;

    if (s->copy && type != 'X') {

        /* read by COPY: <extended> is that of the message that began it */

        server_copy(s, type, len);
        return;
    }

    switch (type) {

    case 'X':
        s->closed = 1;
        return;

    case 'S':
        s->ignore = 0;
        s->extended = 0;

        if (len) {
            server_error(s, "08P01", "malformed Sync");

        } else {
            (void) server_commit(s);
        }

        server_ready(s);
        return;

    case 'Q':
    case 'F':
    case 'd':
    case 'c':
    case 'f':
        s->extended = 0;
        break;

    case 'P':
    case 'B':
    case 'D':
    case 'E':
    case 'C':
    case 'H':
        s->extended = 1;
        break;

    default:
        server_say(s, 'E', "FATAL", "08P01", "invalid frontend message type");
        server_flush(s);
        s->closed = 1;
        return;
    }

    if (s->ignore) {
        return;
    }

    switch (type) {

    case 'H':

        if (len) {
            server_error(s, "08P01", "malformed Flush");

        } else {
            server_flush(s);
        }

        return;

    case 'd':
    case 'c':
    case 'f':
        return;

    case 'F':

        if (s->status == 'E') {
            server_error(s, "25P02", "aborted");

        } else {
            p = (u_char *) "V\0\0\0\10\377\377\377\377";
            bytes_add(&s->out, p, 9);
            (void) server_commit(s);
        }

        server_ready(s);
        return;

    case 'Q':

        if (ngx_hyperdrive_base_read_cstr(body, end, &text) != end) {
            server_error(s, "08P01", "malformed Query");
            server_ready(s);
            return;
        }

        server_remove(&s->stmts, "");
        server_remove(&s->portals, "");

        if (server_is((char *) text.data, "BAD")) {
            server_error(s, "42601", "syntax error");
            server_ready(s);
            return;
        }

        s->query = strdup((char *) text.data);
        s->next = s->query;

        server_query(s);
        return;

    case 'P':
        p = ngx_hyperdrive_base_read_cstr(body, end, &name);
        p = ngx_hyperdrive_base_read_cstr(p, end, &text);

        n = 0;
        p = ngx_hyperdrive_base_read_u16(p, end, &n);

        if (p == NULL || (size_t) (end - p) != 4 * n) {
            server_error(s, "08P01", "malformed Parse");
            return;
        }

        server_parse(s, (char *) name.data, (char *) text.data);
        return;

    case 'B':
        server_bind(s, body, end);
        return;

    case 'D':
    case 'C':

        if (len < 1
            || ngx_hyperdrive_base_read_cstr(body + 1, end, &name) != end)
        {
            server_error(s, "08P01", "malformed message");
            return;
        }

        if (type == 'D') {
            server_describe_named(s, body[0], (char *) name.data);
            return;
        }

        s->nclose++;
        server_remove(body[0] == 'S' ? &s->stmts : &s->portals,
                      (char *) name.data);
        msg_bare(&s->out, '3');
        return;

    default: /* E */
        p = ngx_hyperdrive_base_read_cstr(body, end, &name);
        p = ngx_hyperdrive_base_read_u32(p, end, &max);

        if (p != end) {
            server_error(s, "08P01", "malformed Execute");
            return;
        }

        portal = *server_find(&s->portals, (char *) name.data);

        if (portal == NULL) {
            server_error(s, "34000", "portal does not exist");
            return;
        }

        /* what it runs may destroy the portal */

        text.data = (u_char *) strdup(portal->text);
        (void) server_run(s, (char *) text.data, portal, max);
        free(text.data);
    }
}


/* reads what has come, of which <len> bytes are new */

static ngx_inline void
server_feed(server_t *s, const void *data, size_t len)
{
    size_t    total, used;
    u_char   *p, *body;

    bytes_add(&s->in, data, len);

    used = 0;

    while (!s->closed && s->in.len - used >= 5) {

        p = s->in.data + used;
        total = 1 + (size_t) ngx_hyperdrive_base_get_u32(p + 1);

        if (total < 5 || total > NGX_HYPERDRIVE_MAX_MESSAGE) {
            server_say(s, 'E', "FATAL", "08P01", "invalid message length");
            server_flush(s);
            s->closed = 1;
            break;
        }

        if (s->in.len - used < total) {
            break;
        }

        /* a copy of just the size: ASan sees what is read behind it */

        body = malloc(total - 5 + 1);
        ngx_memcpy(body, p + 5, total - 5);
        body[total - 5] = 0;

        server_message(s, p[0], body, total - 5);

        free(body);

        used += total;
    }

    bytes_drop(&s->in, used);
}


#endif /* _PG_WIRE_SERVER_H_INCLUDED_ */
