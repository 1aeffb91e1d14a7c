
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "mysql/ngx_hyperdrive_mysql_wire.h"
#include "mysql/ngx_hyperdrive_mysql_greeting.h"
#include "base/ngx_hyperdrive_base_mode.h"


/* bits of a mode that the character set says, and that sql_mode does */
#define NGX_HYPERDRIVE_MYSQL_MODE_CHARSET  (7 << 12)
#define NGX_HYPERDRIVE_MYSQL_MODE_SQL                                         \
    (NGX_HYPERDRIVE_BASE_MODE_ANSI_QUOTES                                     \
     | NGX_HYPERDRIVE_BASE_MODE_NO_BACKSLASH                                  \
     | NGX_HYPERDRIVE_BASE_MODE_IGNORE_SPACE)


static ngx_int_t ngx_hyperdrive_mysql_client_bad(
    ngx_hyperdrive_proto_error_t *err, char *text);
static uint32_t ngx_hyperdrive_mysql_client_kill(u_char *p, size_t len);
static void ngx_hyperdrive_mysql_client_question(
    ngx_hyperdrive_mysql_client_t *client, ngx_hyperdrive_state_stmt_t *stmt);
static void ngx_hyperdrive_mysql_client_began(
    ngx_hyperdrive_mysql_client_t *client, ngx_hyperdrive_state_stmt_t *begin,
    ngx_uint_t status, ngx_hyperdrive_chain_t *out);
static void ngx_hyperdrive_mysql_client_query(
    ngx_hyperdrive_mysql_client_t *client, u_char *p, size_t len,
    ngx_hyperdrive_proto_unit_t *unit);
static void ngx_hyperdrive_mysql_client_execute(
    ngx_hyperdrive_mysql_client_t *client, u_char *p, size_t len,
    ngx_hyperdrive_proto_unit_t *unit);


void *
ngx_hyperdrive_mysql_client_create(ngx_hyperdrive_proto_ctx_t *ctx,
    ngx_uint_t mode, ngx_hyperdrive_proto_login_t *login)
{
    ngx_hyperdrive_mysql_client_t  *client;

    client = calloc(1, sizeof(ngx_hyperdrive_mysql_client_t));
    if (client == NULL) {
        return NULL;
    }

    client->ctx = ctx;
    client->mode = mode;
    client->first_mode = mode;
    client->caps = login ? login->capabilities
                         : NGX_HYPERDRIVE_MYSQL_PROTOCOL_41
                           | NGX_HYPERDRIVE_MYSQL_DEPRECATE_EOF
                           | NGX_HYPERDRIVE_MYSQL_MARIADB_TYPE_INFO;
    client->status = NGX_HYPERDRIVE_MYSQL_AUTOCOMMIT;
    client->multi = ((client->caps & NGX_HYPERDRIVE_MYSQL_MULTI_STATEMENTS)
                     != 0);
    client->seq = 1;

    /* our own requests are written for both */
    client->direct = (login == NULL);

    return client;
}


/* values are as they are said in SQL: in quotes, or without */

void
ngx_hyperdrive_mysql_client_mode(void *data, ngx_str_t *charset,
    ngx_str_t *sql_mode, ngx_str_t *scope)
{
    ngx_hyperdrive_mysql_client_t *client = data;

    ngx_str_t   value[2], none;
    ngx_uint_t  i, mode;

    ngx_str_set(&none, "");
    ngx_str_set(&value[0], "utf8mb4");
    ngx_str_set(&value[1], "");

    if (charset) {
        value[0] = *charset;
    }

    if (sql_mode) {
        value[1] = *sql_mode;
    }

    for (i = 0; i < 2; i++) {

        if (value[i].len > 1
            && (value[i].data[0] == '\'' || value[i].data[0] == '"'))
        {
            value[i].data++;
            value[i].len -= 2;
        }
    }

    if (sql_mode && value[1].len
        && value[1].data[0] >= '0' && value[1].data[0] <= '9')
    {
        /* a number that stands for some of them */
        ngx_str_set(&value[0], "?");
    }

    mode = ngx_hyperdrive_base_mode_mysql(&none, &value[0], &value[1]);

    /* what is not set is as after the log-in */

    client->mode = client->first_mode;

    if (charset) {
        client->mode &= ~NGX_HYPERDRIVE_MYSQL_MODE_CHARSET;
        client->mode |= mode & NGX_HYPERDRIVE_MYSQL_MODE_CHARSET;
    }

    if (sql_mode) {
        client->mode &= ~NGX_HYPERDRIVE_MYSQL_MODE_SQL;
        client->mode |= mode & NGX_HYPERDRIVE_MYSQL_MODE_SQL;
    }

    client->mode |= mode & NGX_HYPERDRIVE_BASE_MODE_UNREAD;

    if (ngx_hyperdrive_mysql_client_scope(client, scope) != NGX_OK) {

        /* nothing of it may be shared then */

        client->mode |= NGX_HYPERDRIVE_BASE_MODE_UNREAD;
    }
}


ngx_int_t
ngx_hyperdrive_mysql_client_scope(ngx_hyperdrive_mysql_client_t *client,
    ngx_str_t *scope)
{
    u_char  *data;

    data = NULL;

    if (scope->len) {
        data = malloc(scope->len);
        if (data == NULL) {
            return NGX_ERROR;
        }

        ngx_memcpy(data, scope->data, scope->len);
    }

    free(client->scope.data);

    client->scope.data = data;
    client->scope.len = scope->len;

    return NGX_OK;
}


ngx_hyperdrive_mysql_local_e
ngx_hyperdrive_mysql_client_refuses(ngx_hyperdrive_mysql_client_t *client,
    size_t len)
{
    if (len > NGX_HYPERDRIVE_MAX_TEXT) {
        return NGX_HYPERDRIVE_MYSQL_LOCAL_LONG;
    }

    if (client->names.bytes >= NGX_HYPERDRIVE_MAX_PREPARED) {
        return NGX_HYPERDRIVE_MYSQL_LOCAL_FULL;
    }

    return NGX_HYPERDRIVE_MYSQL_LOCAL_NONE;
}


ngx_uint_t
ngx_hyperdrive_mysql_client_same_scope(ngx_hyperdrive_mysql_client_t *client,
    ngx_hyperdrive_state_stmt_t *stmt)
{
    ngx_str_t  scope;

    scope.data = stmt->types;
    scope.len = stmt->types_len;

    return ngx_hyperdrive_base_same(&scope, &client->scope);
}


void
ngx_hyperdrive_mysql_client_told(void *data, ngx_str_t *greeting)
{
    ngx_hyperdrive_mysql_client_t *client = data;

    ngx_hyperdrive_mysql_greeting_t  origin;

    client->direct = ngx_hyperdrive_mysql_greeting_mariadb(greeting);

    if (ngx_hyperdrive_mysql_greeting_read(greeting, &origin) != NGX_OK) {
        return;
    }

    /* a log-in is told of all that it is going to be told of */

    client->tracks = (origin.changes.len > sizeof("autocommit")
                      && ngx_strlcasestrn(origin.changes.data,
                                          origin.changes.data
                                          + origin.changes.len,
                                          (u_char *) "autocommit",
                                          sizeof("autocommit") - 2));
}


void
ngx_hyperdrive_mysql_client_destroy(void *data)
{
    ngx_hyperdrive_mysql_client_t *client = data;

    ngx_hyperdrive_mysql_client_question(client, NULL);
    ngx_hyperdrive_mysql_client_began(client, NULL, 0, NULL);
    ngx_hyperdrive_mysql_names_clear(&client->names, client->ctx->registry);
    ngx_hyperdrive_base_chain_clear(&client->end);
    ngx_hyperdrive_base_chain_clear(&client->grown);

    free(client->scope.data);
    free(client);
}


ngx_int_t
ngx_hyperdrive_mysql_client_request(void *data, u_char *pos, u_char *last,
    ngx_hyperdrive_proto_unit_t *unit, ngx_hyperdrive_proto_error_t *err)
{
    ngx_hyperdrive_mysql_client_t *client = data;

    u_char                      *p;
    size_t                       avail, len, head;
    uint32_t                     size;
    ngx_hyperdrive_mysql_com_e   com;
    ngx_hyperdrive_mysql_part_t  part;

    ngx_memzero(unit, sizeof(ngx_hyperdrive_proto_unit_t));
    ngx_str_set(&unit->formats, "");

    client->epoch = NGX_HYPERDRIVE_STATE_NO_EPOCH;

    if (!ngx_hyperdrive_mysql_framer_clear(&client->framer)) {

        /* the rest of a command that goes nowhere */

        p = pos;

        while (ngx_hyperdrive_mysql_part(&client->framer, &p, last, &part)
               == NGX_OK && !part.end)
        {
            /* void */
        }

        unit->len = p - pos;

        return unit->len ? NGX_OK : NGX_AGAIN;
    }

    size = 0;
    p = ngx_hyperdrive_mysql_read_u24(pos, last, &size);

    avail = last - pos;
    len = NGX_HYPERDRIVE_MYSQL_HEADER + size;

    if (p == NULL || avail < NGX_HYPERDRIVE_MYSQL_HEADER + (size ? 1 : 0)) {
        return NGX_AGAIN;
    }

    if (*p != 0) {
        return ngx_hyperdrive_mysql_client_bad(err,
                                             "Got packets out of order");
    }

    if (size == 0) {
        return ngx_hyperdrive_mysql_client_bad(err,
                                             "Malformed communication packet");
    }

    p = pos + NGX_HYPERDRIVE_MYSQL_HEADER;
    com = p[0];

    if (com == NGX_HYPERDRIVE_MYSQL_COM_QUIT) {
        return NGX_DONE;
    }

    if (avail < len || size == NGX_HYPERDRIVE_MYSQL_MAX_PACKET) {

        if (avail < NGX_HYPERDRIVE_MAX_UNIT
            || ((com == NGX_HYPERDRIVE_MYSQL_COM_QUERY
                 || com == NGX_HYPERDRIVE_MYSQL_COM_STMT_PREPARE)
                && len <= NGX_HYPERDRIVE_MAX_TEXT))
        {
            return NGX_AGAIN;
        }

        return NGX_BUSY;
    }

    if (com == NGX_HYPERDRIVE_MYSQL_COM_CHANGE_USER) {
        return NGX_DECLINED;
    }

    unit->len = len;
    unit->requests = 1;

    ngx_hyperdrive_mysql_client_question(client, NULL);

    client->local = ngx_hyperdrive_mysql_client_local(client, p, size,
                                                      &client->number);

    unit->local = (client->local != NGX_HYPERDRIVE_MYSQL_LOCAL_NONE);
    unit->flush = (com == NGX_HYPERDRIVE_MYSQL_COM_STMT_CLOSE
                   || com == NGX_HYPERDRIVE_MYSQL_COM_STMT_LONG_DATA);

    unit->schema = (com == NGX_HYPERDRIVE_MYSQL_COM_INIT_DB);

    unit->replication = (com == NGX_HYPERDRIVE_MYSQL_COM_REGISTER_SLAVE
                         || com == NGX_HYPERDRIVE_MYSQL_COM_BINLOG_DUMP
                         || com == NGX_HYPERDRIVE_MYSQL_COM_BINLOG_DUMP_GTID);

    if (com == NGX_HYPERDRIVE_MYSQL_COM_PROCESS_KILL) {
        (void) ngx_hyperdrive_mysql_read_u32(p + 1, p + size, &unit->kill);
    }

    if (unit->local) {
        unit->discard = (com == NGX_HYPERDRIVE_MYSQL_COM_RESET_CONNECTION);
        unit->args.data = p;
        unit->args.len = size;

    } else if (com == NGX_HYPERDRIVE_MYSQL_COM_QUERY) {
        (void) ngx_hyperdrive_mysql_bind_text(client->caps, p, size, size,
                                              &head);

        unit->attributes.data = p + 1;
        unit->attributes.len = head - 1;
        unit->kill = ngx_hyperdrive_mysql_client_kill(p + head, size - head);

        ngx_hyperdrive_mysql_client_query(client, p + head, size - head, unit);

    } else if (com == NGX_HYPERDRIVE_MYSQL_COM_STMT_EXECUTE) {
        ngx_hyperdrive_mysql_client_execute(client, p, size, unit);

    } else {
        unit->prepare = (com == NGX_HYPERDRIVE_MYSQL_COM_STMT_PREPARE);
    }

    return NGX_OK;
}


/* KILL [HARD|SOFT] [CONNECTION|QUERY] number; 0: it is none */

static uint32_t
ngx_hyperdrive_mysql_client_kill(u_char *p, size_t len)
{
    u_char      *last, *word;
    uint32_t     number;
    ngx_uint_t   i, n;

    static ngx_str_t  words[] = {
        ngx_string("kill"),
        ngx_string("hard"),
        ngx_string("soft"),
        ngx_string("connection"),
        ngx_string("query")
    };

    last = p + len;
    number = 0;

    for (n = 0; p < last; n++) {

        while (p < last && (*p == ' ' || *p == '\t' || *p == '\r'
                            || *p == '\n' || *p == ';'))
        {
            p++;
        }

        word = p;

        while (p < last && ((*p | 0x20) >= 'a') && ((*p | 0x20) <= 'z')) {
            p++;
        }

        if (p == word) {
            break;
        }

        for (i = n ? 1 : 0; i < (n ? 5 : 1); i++) {

            if ((size_t) (p - word) == words[i].len
                && ngx_strncasecmp(word, words[i].data, words[i].len) == 0)
            {
                break;
            }
        }

        if (i == (n ? 5 : 1)) {
            return 0;
        }
    }

    if (n == 0) {
        return 0;
    }

    while (p < last && *p >= '0' && *p <= '9' && number < 400000000) {
        number = number * 10 + *p++ - '0';
    }

    while (p < last && (*p == ' ' || *p == ';' || *p == '\n')) {
        p++;
    }

    return (p == last) ? number : 0;
}


/* files that an origin asks for are looked for at the origin */

ngx_uint_t
ngx_hyperdrive_mysql_client_data(void *data, u_char *pos)
{
    ngx_hyperdrive_mysql_client_t *client = data;

    return !ngx_hyperdrive_mysql_framer_clear(&client->framer)
           && !client->drop;
}


static ngx_int_t
ngx_hyperdrive_mysql_client_bad(ngx_hyperdrive_proto_error_t *err, char *text)
{
    err->severity = "FATAL";
    err->sqlstate = "08P01";
    err->message = text;
    err->hint = NULL;

    return NGX_ERROR;
}


static void
ngx_hyperdrive_mysql_client_question(ngx_hyperdrive_mysql_client_t *client,
    ngx_hyperdrive_state_stmt_t *stmt)
{
    if (client->question) {
        ngx_hyperdrive_state_stmt_unref(client->ctx->registry,
                                        client->question);
    }

    client->question = stmt;
}


void
ngx_hyperdrive_mysql_client_looked(ngx_hyperdrive_mysql_client_t *client)
{
    ngx_hyperdrive_mysql_client_question(client, NULL);
}


ngx_hyperdrive_mysql_local_e
ngx_hyperdrive_mysql_client_local(ngx_hyperdrive_mysql_client_t *client,
    u_char *p, size_t len, uint32_t *number)
{
    size_t                        head;
    ngx_hyperdrive_mysql_com_e    com;
    ngx_hyperdrive_mysql_name_t  *name;

    com = p[0];
    *number = com;
    name = NULL;

    switch (com) {

    case NGX_HYPERDRIVE_MYSQL_COM_STMT_EXECUTE:
    case NGX_HYPERDRIVE_MYSQL_COM_STMT_BULK_EXECUTE:
    case NGX_HYPERDRIVE_MYSQL_COM_STMT_LONG_DATA:
    case NGX_HYPERDRIVE_MYSQL_COM_STMT_CLOSE:
    case NGX_HYPERDRIVE_MYSQL_COM_STMT_RESET:
    case NGX_HYPERDRIVE_MYSQL_COM_STMT_FETCH:

        if (len < 5) {
            return NGX_HYPERDRIVE_MYSQL_LOCAL_MALFORMED;
        }

        name = ngx_hyperdrive_mysql_client_name(client, p, len, number);
        break;

    default:
        break;
    }

    switch (com) {

    case NGX_HYPERDRIVE_MYSQL_COM_PING:
    case NGX_HYPERDRIVE_MYSQL_COM_RESET_CONNECTION:
        return NGX_HYPERDRIVE_MYSQL_LOCAL_OK;

    case NGX_HYPERDRIVE_MYSQL_COM_SET_OPTION:
        return (len < 3) ? NGX_HYPERDRIVE_MYSQL_LOCAL_MALFORMED
                         : NGX_HYPERDRIVE_MYSQL_LOCAL_END;

    case NGX_HYPERDRIVE_MYSQL_COM_STMT_CLOSE:
        return NGX_HYPERDRIVE_MYSQL_LOCAL_NOTHING;

    case NGX_HYPERDRIVE_MYSQL_COM_STMT_LONG_DATA:
        return name ? NGX_HYPERDRIVE_MYSQL_LOCAL_NONE
                    : NGX_HYPERDRIVE_MYSQL_LOCAL_NOTHING;

    case NGX_HYPERDRIVE_MYSQL_COM_STMT_RESET:
        return name ? NGX_HYPERDRIVE_MYSQL_LOCAL_OK
                    : NGX_HYPERDRIVE_MYSQL_LOCAL_RESET;

    case NGX_HYPERDRIVE_MYSQL_COM_STMT_FETCH:

        /* with a cursor there would be an origin */

        return name ? NGX_HYPERDRIVE_MYSQL_LOCAL_CURSOR
                    : NGX_HYPERDRIVE_MYSQL_LOCAL_FETCH;

    case NGX_HYPERDRIVE_MYSQL_COM_STMT_EXECUTE:
    case NGX_HYPERDRIVE_MYSQL_COM_STMT_BULK_EXECUTE:

        if (name == NULL) {
            return NGX_HYPERDRIVE_MYSQL_LOCAL_STATEMENT;
        }

        return name->lost ? NGX_HYPERDRIVE_MYSQL_LOCAL_LOST
                          : NGX_HYPERDRIVE_MYSQL_LOCAL_NONE;

    case NGX_HYPERDRIVE_MYSQL_COM_STMT_PREPARE:
        return ngx_hyperdrive_mysql_client_refuses(client, len);

    case NGX_HYPERDRIVE_MYSQL_COM_QUERY:
        return (ngx_hyperdrive_mysql_bind_text(client->caps, p, len, len,
                                               &head)
                == NGX_OK)
               ? NGX_HYPERDRIVE_MYSQL_LOCAL_NONE
               : NGX_HYPERDRIVE_MYSQL_LOCAL_MALFORMED;

    case NGX_HYPERDRIVE_MYSQL_COM_INIT_DB:
    case NGX_HYPERDRIVE_MYSQL_COM_FIELD_LIST:
    case NGX_HYPERDRIVE_MYSQL_COM_STATISTICS:
    case NGX_HYPERDRIVE_MYSQL_COM_PROCESS_INFO:
    case NGX_HYPERDRIVE_MYSQL_COM_PROCESS_KILL:
    case NGX_HYPERDRIVE_MYSQL_COM_DEBUG:
    case NGX_HYPERDRIVE_MYSQL_COM_REGISTER_SLAVE:
    case NGX_HYPERDRIVE_MYSQL_COM_BINLOG_DUMP:
    case NGX_HYPERDRIVE_MYSQL_COM_BINLOG_DUMP_GTID:
        return NGX_HYPERDRIVE_MYSQL_LOCAL_NONE;

    default:
        return NGX_HYPERDRIVE_MYSQL_LOCAL_UNKNOWN;
    }
}


ngx_hyperdrive_mysql_name_t *
ngx_hyperdrive_mysql_client_name(ngx_hyperdrive_mysql_client_t *client,
    u_char *p, size_t len, uint32_t *number)
{
    ngx_hyperdrive_mysql_name_t  *name;

    *number = 0;

    (void) ngx_hyperdrive_mysql_read_u32(p + 1, p + len, number);

    if (*number != NGX_HYPERDRIVE_MYSQL_LAST || !client->direct) {
        return ngx_hyperdrive_mysql_names_find(&client->names, *number);
    }

    name = ngx_hyperdrive_mysql_names_find(&client->names, client->last);

    if (name) {
        *number = name->number;
    }

    return name;
}


void
ngx_hyperdrive_mysql_client_done(ngx_hyperdrive_mysql_client_t *client,
    u_char *p, size_t len)
{
    uint32_t                      number;
    ngx_hyperdrive_mysql_com_e    com;
    ngx_hyperdrive_mysql_name_t  *name;

    com = p[0];

    if (com == NGX_HYPERDRIVE_MYSQL_COM_SET_OPTION) {

        /* 0: several statements in one text; 1: one */

        client->multi = (len >= 3 && p[1] == 0 && p[2] == 0);
        return;
    }

    if (com == NGX_HYPERDRIVE_MYSQL_COM_RESET_CONNECTION) {
        ngx_hyperdrive_mysql_client_reset(client);
        return;
    }

    if (com == NGX_HYPERDRIVE_MYSQL_COM_QUERY) {
        /* no statement's number is in it */
        return;
    }

    if (com == NGX_HYPERDRIVE_MYSQL_COM_STMT_PREPARE) {
        /* it has failed: there is no last one */
        client->last = 0;
        return;
    }

    name = ngx_hyperdrive_mysql_client_name(client, p, len, &number);

    if (com == NGX_HYPERDRIVE_MYSQL_COM_STMT_CLOSE) {
        ngx_hyperdrive_mysql_names_remove(&client->names,
                                          client->ctx->registry, number);
        return;
    }

    if (name) {
        /* the error has been told, or the data is not wanted any more */
        name->lost = 0;
        name->data = 0;
    }
}


void
ngx_hyperdrive_mysql_client_reset(ngx_hyperdrive_mysql_client_t *client)
{
    ngx_hyperdrive_mysql_names_clear(&client->names, client->ctx->registry);
    ngx_hyperdrive_mysql_client_began(client, NULL, 0, NULL);

    client->last = 0;
    client->hears = 0;
    client->status = NGX_HYPERDRIVE_MYSQL_AUTOCOMMIT;
}


void
ngx_hyperdrive_mysql_client_answer(ngx_hyperdrive_mysql_client_t *client,
    ngx_hyperdrive_mysql_local_e local, uint32_t number, u_char *seq,
    ngx_hyperdrive_chain_t *out)
{
    char                       *sqlstate, *format;
    u_char                      text[128], *p;
    ngx_uint_t                  code;
    ngx_hyperdrive_mysql_ok_t   ok;

    ngx_memzero(&ok, sizeof(ngx_hyperdrive_mysql_ok_t));
    ok.status = client->status;

    switch (local) {

    case NGX_HYPERDRIVE_MYSQL_LOCAL_NONE:
    case NGX_HYPERDRIVE_MYSQL_LOCAL_NOTHING:
    case NGX_HYPERDRIVE_MYSQL_LOCAL_ERROR:
        return;

    case NGX_HYPERDRIVE_MYSQL_LOCAL_OK:
        ngx_hyperdrive_mysql_ok(out, client->caps, &ok, seq);
        return;

    case NGX_HYPERDRIVE_MYSQL_LOCAL_END:
        ngx_hyperdrive_mysql_end(out, client->caps, &ok, seq);
        return;

    case NGX_HYPERDRIVE_MYSQL_LOCAL_UNKNOWN:
        code = 1047;
        sqlstate = "08S01";
        format = "Unknown command";
        break;

    case NGX_HYPERDRIVE_MYSQL_LOCAL_MALFORMED:
        code = 1835;
        sqlstate = "HY000";
        format = "Malformed communication packet";
        break;

    case NGX_HYPERDRIVE_MYSQL_LOCAL_STATEMENT:
        code = 1243;
        sqlstate = "HY000";
        format = "Unknown prepared statement handler (%uD) given to "
                 "mysqld_stmt_execute";
        break;

    case NGX_HYPERDRIVE_MYSQL_LOCAL_RESET:
        code = 1243;
        sqlstate = "HY000";
        format = "Unknown prepared statement handler (%uD) given to "
                 "mysqld_stmt_reset";
        break;

    case NGX_HYPERDRIVE_MYSQL_LOCAL_FETCH:
        code = 1243;
        sqlstate = "HY000";
        format = "Unknown prepared statement handler (%uD) given to "
                 "mysqld_stmt_fetch";
        break;

    case NGX_HYPERDRIVE_MYSQL_LOCAL_CURSOR:
        code = 1421;
        sqlstate = "HY000";
        format = "The statement (%uD) has no open cursor";
        break;

    case NGX_HYPERDRIVE_MYSQL_LOCAL_LONG:
        code = 1153;
        sqlstate = "08S01";
        format = "The statement is too long to be prepared";
        break;

    case NGX_HYPERDRIVE_MYSQL_LOCAL_FULL:
        code = 1461;
        sqlstate = "42000";
        format = "Can't create more prepared statements: this client's take "
                 "too much memory";
        break;

    case NGX_HYPERDRIVE_MYSQL_LOCAL_TYPES:
        code = 1210;
        sqlstate = "HY000";
        format = "Incorrect arguments to mysqld_stmt_execute";
        break;

    case NGX_HYPERDRIVE_MYSQL_LOCAL_SCOPE:
        code = 1615;
        sqlstate = "HY000";
        format = "Prepared statement needs to be re-prepared: the schema or "
                 "the character set has changed since, and this connection "
                 "to the database lacks it";
        break;

    default: /* NGX_HYPERDRIVE_MYSQL_LOCAL_LOST */
        code = 1040;
        sqlstate = "08004";
        format = "There was no connection for the data of a parameter";
    }

    p = ngx_snprintf(text, sizeof(text), format, number);

    ngx_hyperdrive_mysql_err(out, client->caps, code, sqlstate, text, p - text,
                             seq);
}


static void
ngx_hyperdrive_mysql_client_query(ngx_hyperdrive_mysql_client_t *client,
    u_char *p, size_t len, ngx_hyperdrive_proto_unit_t *unit)
{
    ngx_str_t                     text, types;
    ngx_hyperdrive_state_stmt_t  *stmt;

    text.data = p;
    text.len = len;

    ngx_str_set(&types, "");

    stmt = ngx_hyperdrive_state_stmt_get(client->ctx->registry, &text, &types,
                                         client->mode);
    if (stmt == NULL) {
        return;
    }

    ngx_hyperdrive_mysql_client_question(client, stmt);

    unit->stmt = stmt;
    unit->simple = 1;
    unit->bare = 1;
    unit->head = 1;
    unit->reason = stmt->plan.reason;
    unit->question = (stmt->plan.reason == 0);

    if (stmt->plan.defer) {

        /* REPEATABLE READ, as far as anybody here knows */
        unit->begin = NGX_HYPERDRIVE_STATE_BEGIN_SNAPSHOT;

    } else {
        unit->empty = (stmt->plan.commits || stmt->plan.rolls_back);
        unit->end = (client->begin && unit->empty);
    }

    if (!(client->caps & NGX_HYPERDRIVE_MYSQL_SESSION_TRACK)
        || client->tracks)
    {
        unit->autocommit = stmt->plan.autocommit;
    }

    ngx_str_set(&unit->args, "");
    ngx_str_set(&unit->formats, "t");
}


void
ngx_hyperdrive_mysql_client_begin(void *data,
    ngx_hyperdrive_proto_unit_t *unit, ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_mysql_client_began(data,
                               ngx_hyperdrive_state_stmt_ref(unit->stmt),
                               unit->read_only
                               ? NGX_HYPERDRIVE_MYSQL_OF_BLOCK
                               : NGX_HYPERDRIVE_MYSQL_IN_TRANSACTION, out);
}


void
ngx_hyperdrive_mysql_client_end(void *data, ngx_hyperdrive_proto_unit_t *unit,
    ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_mysql_client_began(data, NULL, 0, out);
}


void
ngx_hyperdrive_mysql_client_autocommit(void *data,
    ngx_hyperdrive_proto_unit_t *unit, ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_mysql_client_t *client = data;

    u_char                     seq;
    ngx_hyperdrive_mysql_ok_t  ok;

    /* a system variable, the length of what is said of it, that */

    static ngx_str_t  changes[] = {
        ngx_string("\0\17\12autocommit\3OFF"),
        ngx_string("\0\16\12autocommit\2ON")
    };

    ngx_memzero(&ok, sizeof(ngx_hyperdrive_mysql_ok_t));

    if (unit->autocommit == NGX_HYPERDRIVE_STATE_AUTOCOMMIT_ON) {
        client->status |= NGX_HYPERDRIVE_MYSQL_AUTOCOMMIT;
        ok.changes = changes[1];

    } else {
        client->status &= ~NGX_HYPERDRIVE_MYSQL_AUTOCOMMIT;
        ok.changes = changes[0];
    }

    ok.status = client->status;
    seq = 1;

    ngx_hyperdrive_mysql_ok(out, client->caps, &ok, &seq);
    ngx_hyperdrive_mysql_client_looked(client);
}


/* by <begin>, of which it takes the reference; NULL: it has ended; flags */

static void
ngx_hyperdrive_mysql_client_began(ngx_hyperdrive_mysql_client_t *client,
    ngx_hyperdrive_state_stmt_t *begin, ngx_uint_t status,
    ngx_hyperdrive_chain_t *out)
{
    u_char  seq;

    if (client->begin) {
        ngx_hyperdrive_state_stmt_unref(client->ctx->registry, client->begin);
    }

    client->begin = begin;

    if (out == NULL) {
        return;
    }

    client->status = (client->status & ~NGX_HYPERDRIVE_MYSQL_OF_BLOCK)
                     | status;

    seq = 1;

    ngx_hyperdrive_mysql_client_answer(client, NGX_HYPERDRIVE_MYSQL_LOCAL_OK,
                                       0, &seq, out);
    ngx_hyperdrive_mysql_client_looked(client);
}


static void
ngx_hyperdrive_mysql_client_execute(ngx_hyperdrive_mysql_client_t *client,
    u_char *p, size_t len, ngx_hyperdrive_proto_unit_t *unit)
{
    ngx_uint_t                    flags;
    ngx_hyperdrive_mysql_bind_t   bind;
    ngx_hyperdrive_mysql_name_t  *name;

    name = ngx_hyperdrive_mysql_names_find(&client->names, client->number);

    if (name == NULL || len < NGX_HYPERDRIVE_MYSQL_EXECUTE) {
        return;
    }

    ngx_hyperdrive_mysql_client_question(client,
                                    ngx_hyperdrive_state_stmt_ref(name->stmt));

    unit->stmt = name->stmt;
    unit->head = 1;
    unit->reason = name->stmt->plan.reason;

    /* if it is answered from memory, nobody else keeps the types */

    if (ngx_hyperdrive_mysql_bind_read(&bind, client->caps, name, p, len, len)
        != NGX_OK)
    {
        return;
    }

    ngx_str_set(&unit->formats, "b");

    flags = p[NGX_HYPERDRIVE_MYSQL_FLAGS];

    if (bind.named) {
        flags &= ~NGX_HYPERDRIVE_MYSQL_COUNT_AVAILABLE;
    }

    /*
     * A cursor is kept at the origin; and if a value was sent ahead, nobody
     * can say which is whose.
     */

    unit->question = (unit->reason == 0 && flags == 0 && !name->data
                      && ngx_hyperdrive_mysql_client_same_scope(client,
                                                                name->stmt));

    if (name->data
        || ngx_hyperdrive_mysql_bind_args(&bind, name, p, len, &unit->args)
           != NGX_OK)
    {
        unit->question = 0;
        return;
    }

    unit->attributes.data = p + bind.at;
    unit->attributes.len = (bind.n > name->nparams) ? len - bind.at : 0;
    unit->bind = unit->args;
    unit->nparams = name->nparams;
}


void
ngx_hyperdrive_mysql_client_refuse(void *data,
    ngx_hyperdrive_proto_unit_t *unit, ngx_hyperdrive_proto_error_t *err,
    ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_mysql_client_t *client = data;

    u_char                        seq;
    ngx_hyperdrive_mysql_name_t  *name;

    seq = 1;

    ngx_hyperdrive_mysql_client_looked(client);

    if (err == NULL && client->local == NGX_HYPERDRIVE_MYSQL_LOCAL_NONE) {

        /* it has been done elsewhere */

        ngx_hyperdrive_mysql_client_answer(client,
                                           NGX_HYPERDRIVE_MYSQL_LOCAL_OK, 0,
                                           &seq, out);
        return;
    }

    if (err == NULL) {
        /* what a reset is answered with holds behind it */

        ngx_hyperdrive_mysql_client_done(client, unit->args.data,
                                         unit->args.len);
        ngx_hyperdrive_mysql_client_answer(client, client->local,
                                           client->number, &seq, out);
        return;
    }

    if (unit->flush) {

        /* it has no answer: the command that it belongs to fails */

        name = ngx_hyperdrive_mysql_names_find(&client->names,
                                               client->number);
        if (name) {
            name->lost = 1;
        }

        return;
    }

    ngx_hyperdrive_mysql_error(out, client->caps, err, &seq);
}
