
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "sql/ngx_hyperdrive_sql_mysql.h"


/* MySQL: statements, what each of them is */


#define K(id)      NGX_HYPERDRIVE_SQL_K_##id
#define T(id)      NGX_HYPERDRIVE_SQL_T_##id
#define STATE(id)  NGX_HYPERDRIVE_SQL_SCAN_##id
#define KIND(id)   NGX_HYPERDRIVE_SQL_##id
#define LEAVES(id) NGX_HYPERDRIVE_SQL_LEAVES_##id


static void ngx_hyperdrive_sql_mysql_classify_explain(
    ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_mysql_classify_show(
    ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_mysql_classify_begin(
    ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_mysql_classify_end(
    ngx_hyperdrive_sql_scan_t *s, ngx_hyperdrive_sql_kind_e kind);
static void ngx_hyperdrive_sql_mysql_classify_xa(
    ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_mysql_classify_load(
    ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_mysql_classify_call(
    ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_mysql_classify_flush(
    ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_mysql_classify_whole(
    ngx_hyperdrive_sql_scan_t *s, ngx_hyperdrive_sql_kind_e kind);


void
ngx_hyperdrive_sql_mysql_dispatch(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_facts_t  *facts;

    facts = s->facts;

    if (s->tok.type == T(OPEN)) {
        s->kind = KIND(READ);
        s->frames[0].state = STATE(START);
        return;
    }

    switch (s->tok.keyword) {

    case K(SELECT):
    case K(WITH):
    case K(VALUES):
    case K(INSERT):
    case K(REPLACE):
    case K(UPDATE):
    case K(DELETE):
        s->kind = KIND(READ);
        s->frames[0].state = STATE(START);
        return;

    case K(TABLE):
        s->kind = KIND(READ);
        s->frames[0].state = STATE(START);
        return;

    case K(DO):
        /* expressions, and nobody sees what they are */
        s->kind = KIND(READ);
        s->explain = 1;
        s->analyze = 1;
        s->frames[0].state = STATE(EXPR);
        ngx_hyperdrive_sql_scan_next(s);
        return;

    case K(SHOW):
        ngx_hyperdrive_sql_mysql_classify_show(s);
        return;

    case K(EXPLAIN):
    case K(DESCRIBE):
    case K(DESC):
    case K(ANALYZE):
        ngx_hyperdrive_sql_mysql_classify_explain(s);
        return;

    case K(HELP):
        s->explain = 1;
        ngx_hyperdrive_sql_classify_skip(s, KIND(READ), 0);
        return;

    case K(BEGIN):
    case K(START):
        ngx_hyperdrive_sql_mysql_classify_begin(s);
        return;

    case K(COMMIT):
        ngx_hyperdrive_sql_mysql_classify_end(s, KIND(COMMIT));
        return;

    case K(ROLLBACK):
        ngx_hyperdrive_sql_mysql_classify_end(s, KIND(ROLLBACK));
        return;

    case K(SAVEPOINT):
    case K(RELEASE):
        facts->transaction_control = 1;
        ngx_hyperdrive_sql_classify_skip(s, KIND(SAVEPOINT), 0);
        return;

    case K(XA):
        ngx_hyperdrive_sql_mysql_classify_xa(s);
        return;

    case K(SET):
        ngx_hyperdrive_sql_mysql_assign(s);
        return;

    case K(USE):
        ngx_hyperdrive_sql_classify_skip(s, KIND(SET), LEAVES(SETTING));
        return;

    case K(PREPARE):
        facts->dynamic = 1;
        ngx_hyperdrive_sql_classify_skip(s, KIND(PREPARE), LEAVES(PREPARED));
        return;

    case K(EXECUTE):
        facts->may_write = 1;
        facts->incomplete = 1;
        facts->anything = 1;
        facts->dynamic = 1;
        facts->transaction_control = 1;
        ngx_hyperdrive_sql_classify_skip(s, KIND(PREPARE), LEAVES(FUNCTION));
        return;

    case K(DEALLOCATE):
        ngx_hyperdrive_sql_classify_skip(s, KIND(PREPARE), LEAVES(NOTHING));
        return;

    case K(HANDLER):
        ngx_hyperdrive_sql_classify_skip(s, KIND(CURSOR), LEAVES(CURSOR));
        return;

    case K(LOCK):
    case K(UNLOCK):
        facts->commits_first = 1;
        facts->transaction_control = 1;
        ngx_hyperdrive_sql_classify_skip(s, KIND(LOCK), LEAVES(TABLES));
        return;

    case K(LOAD):
        ngx_hyperdrive_sql_mysql_classify_load(s);
        return;

    case K(CALL):
        ngx_hyperdrive_sql_mysql_classify_call(s);
        return;

    case K(GET):
        /* DIAGNOSTICS */
        facts->asks |= NGX_HYPERDRIVE_SQL_ASKS_WARNINGS;
        ngx_hyperdrive_sql_classify_skip(s, KIND(CURSOR), LEAVES(VARIABLE));
        return;

    case K(KILL):
        facts->alone = 1;
        ngx_hyperdrive_sql_classify_skip(s, KIND(MAINTENANCE), 0);
        return;

    case K(CHECKSUM):
        facts->alone = 1;
        ngx_hyperdrive_sql_classify_skip(s, KIND(MAINTENANCE), 0);
        return;

    case K(FLUSH):
        ngx_hyperdrive_sql_mysql_classify_flush(s);
        return;

    case K(OPTIMIZE):
    case K(REPAIR):
    case K(CHECK):
    case K(CACHE):
    case K(RESET):
    case K(PURGE):
    case K(CHANGE):
    case K(STOP):
    case K(SHUTDOWN):
    case K(RESTART):
        facts->alone = 1;
        facts->commits_first = 1;
        facts->transaction_control = 1;
        ngx_hyperdrive_sql_mysql_classify_whole(s, KIND(MAINTENANCE));
        return;

    case K(CREATE):
        ngx_hyperdrive_sql_mysql_ddl_create(s);
        return;

    case K(DROP):
        ngx_hyperdrive_sql_mysql_ddl_drop(s);
        return;

    case K(TRUNCATE):
        ngx_hyperdrive_sql_mysql_ddl_truncate(s);
        return;

    case K(ALTER):
    case K(RENAME):
    case K(GRANT):
    case K(REVOKE):
    case K(INSTALL):
    case K(UNINSTALL):
        ngx_hyperdrive_sql_mysql_ddl(s);
        return;

    default:
        /* SIGNAL, BINLOG, BACKUP, what is new */
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        return;
    }
}


/*
 * EXPLAIN, DESCRIBE, DESC of a statement, a table, a connection.  ANALYZE
 * of a statement (MariaDB) and EXPLAIN ANALYZE run it; ANALYZE TABLE is
 * another thing.
 */

static void
ngx_hyperdrive_sql_mysql_classify_explain(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_keyword_e  verb;

    verb = s->tok.keyword;

    if (verb == K(ANALYZE)
        && (s->next.keyword == K(TABLE) || s->next.keyword == K(LOCAL)
            || ngx_hyperdrive_sql_mysql_is(&s->next, "tables")
            || ngx_hyperdrive_sql_mysql_is(&s->next, "no_write_to_binlog")))
    {
        s->facts->alone = 1;
        s->facts->commits_first = 1;
        s->facts->transaction_control = 1;
        ngx_hyperdrive_sql_classify_skip(s, KIND(MAINTENANCE), 0);
        return;
    }

    s->explain = 1;
    s->analyze = (verb == K(ANALYZE));

    for ( ;; ) {
        ngx_hyperdrive_sql_scan_next(s);

        switch (s->tok.keyword) {

        case K(SELECT):
        case K(WITH):
        case K(VALUES):
        case K(TABLE):
        case K(INSERT):
        case K(REPLACE):
        case K(UPDATE):
        case K(DELETE):
            s->kind = KIND(READ);
            s->frames[0].state = STATE(START);
            return;

        case K(ANALYZE):
            s->analyze = 1;
            continue;

        case K(FOR):
            /* EXPLAIN FOR CONNECTION 5 */
            ngx_hyperdrive_sql_classify_skip(s, KIND(READ), 0);
            return;

        default:
            break;
        }

        if (s->tok.type == T(OPEN)) {
            s->kind = KIND(READ);
            s->frames[0].state = STATE(START);
            return;
        }

        if (ngx_hyperdrive_sql_mysql_is(&s->tok, "extended")
            || ngx_hyperdrive_sql_mysql_is(&s->tok, "partitions"))
        {
            continue;
        }

        if (ngx_hyperdrive_sql_mysql_is(&s->tok, "format")
            && s->next.type == T(OPERATOR))
        {
            /* = JSON */
            ngx_hyperdrive_sql_scan_next(s);
            ngx_hyperdrive_sql_scan_next(s);
            continue;
        }

        if (s->analyze
            || (s->tok.type != T(WORD) && s->tok.type != T(NAME)))
        {
            ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
            return;
        }

        /* a table */

        ngx_hyperdrive_sql_classify_skip(s, KIND(READ), 0);
        return;
    }
}


static void
ngx_hyperdrive_sql_mysql_classify_show(ngx_hyperdrive_sql_scan_t *s)
{
    const char  **word;

    static const char  *words[] = {
        "character", "charset", "collation", "columns", "databases", "engines",
        "events", "extended", "fields", "full", "function", "global", "index",
        "indexes", "keys", "local", "open", "package", "plugins", "procedure",
        "schemas", "session", "status", "storage", "table", "tables",
        "triggers", "variables", NULL
    };

    s->explain = 1;

    for (word = words; *word; word++) {
        s->facts->listed |= ngx_hyperdrive_sql_mysql_is(&s->next, *word);
    }

    if (ngx_hyperdrive_sql_mysql_is(&s->next, "warnings")
        || ngx_hyperdrive_sql_mysql_is(&s->next, "errors")
        || ngx_hyperdrive_sql_mysql_is(&s->next, "count"))
    {
        s->facts->asks |= NGX_HYPERDRIVE_SQL_ASKS_WARNINGS;
    }

    ngx_hyperdrive_sql_classify_skip(s, KIND(READ), 0);

    while (!s->failed && s->next.type != T(END)
           && s->next.type != T(SEMICOLON))
    {
        ngx_hyperdrive_sql_scan_next(s);

        if (s->tok.type == T(WORD) && s->tok.keyword == K(WHERE)) {
            /* an expression like any other, which may call what writes */
            s->frames[0].state = STATE(EXPR);
            break;
        }
    }

    ngx_hyperdrive_sql_scan_next(s);
}


/* BEGIN [WORK], START TRANSACTION [...]; START SLAVE, BEGIN NOT ATOMIC */

static void
ngx_hyperdrive_sql_mysql_classify_begin(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_facts_t  *facts;

    facts = s->facts;

    if (s->tok.keyword == K(START)) {

        if (s->next.keyword != K(TRANSACTION)) {
            facts->alone = 1;
            facts->commits_first = 1;
            facts->transaction_control = 1;
            ngx_hyperdrive_sql_mysql_classify_whole(s, KIND(MAINTENANCE));
            return;
        }

        ngx_hyperdrive_sql_scan_next(s);

    } else if (s->next.keyword == K(WORK)) {
        ngx_hyperdrive_sql_scan_next(s);

    } else if (s->next.type != T(END) && s->next.type != T(SEMICOLON)) {
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        return;
    }

    facts->transaction_control = 1;
    facts->commits_first = 1;

    if (s->next.type == T(END) || s->next.type == T(SEMICOLON)) {
        facts->begin_plain = 1;
    }

    while (s->next.type != T(END) && s->next.type != T(SEMICOLON)
           && !s->failed)
    {
        ngx_hyperdrive_sql_scan_next(s);

        if (s->tok.keyword == K(READ) && s->next.keyword == K(ONLY)) {
            facts->read_only = 1;
        }

        if (ngx_hyperdrive_sql_mysql_is(&s->tok, "snapshot")) {
            facts->snapshot = 1;
        }
    }

    ngx_hyperdrive_sql_classify_skip(s, KIND(BEGIN), 0);
}


/* COMMIT, ROLLBACK [WORK] [AND [NO] CHAIN] [[NO] RELEASE], ROLLBACK TO */

static void
ngx_hyperdrive_sql_mysql_classify_end(ngx_hyperdrive_sql_scan_t *s,
    ngx_hyperdrive_sql_kind_e kind)
{
    ngx_uint_t                   no;
    ngx_hyperdrive_sql_facts_t  *facts;

    facts = s->facts;
    facts->transaction_control = 1;

    if (s->next.keyword == K(WORK)) {
        ngx_hyperdrive_sql_scan_next(s);
    }

    if (kind == KIND(ROLLBACK) && s->next.keyword == K(TO)) {
        ngx_hyperdrive_sql_classify_skip(s, KIND(SAVEPOINT), 0);
        return;
    }

    no = 0;

    while (s->next.type != T(END) && s->next.type != T(SEMICOLON)
           && !s->failed)
    {
        ngx_hyperdrive_sql_scan_next(s);

        switch (s->tok.keyword) {

        case K(AND):
            no = 0;
            break;

        case K(NO):
            no = 1;
            break;

        case K(RELEASE):
            facts->release |= !no;
            break;

        default:

            if (!ngx_hyperdrive_sql_mysql_is(&s->tok, "chain")) {
                ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
                return;
            }

            facts->chain |= !no;
            no = 0;
            break;
        }
    }

    ngx_hyperdrive_sql_classify_skip(s, kind, 0);
}


static void
ngx_hyperdrive_sql_mysql_classify_xa(ngx_hyperdrive_sql_scan_t *s)
{
    s->facts->transaction_control = 1;

    if (ngx_hyperdrive_sql_mysql_is(&s->next, "recover")) {
        ngx_hyperdrive_sql_classify_skip(s, KIND(TWO_PHASE), 0);
        return;
    }

    if (s->next.keyword != K(ROLLBACK)) {
        s->facts->may_write = 1;
        s->facts->incomplete = 1;
    }

    ngx_hyperdrive_sql_classify_skip(s, KIND(TWO_PHASE), LEAVES(XA));
}


/* LOAD DATA ... INTO TABLE t ..., LOAD XML; LOAD INDEX INTO CACHE */

static void
ngx_hyperdrive_sql_mysql_classify_load(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_uint_t                  variables;
    ngx_hyperdrive_sql_names_t  name;

    if (!ngx_hyperdrive_sql_mysql_is(&s->next, "data")
        && !ngx_hyperdrive_sql_mysql_is(&s->next, "xml"))
    {
        s->facts->alone = 1;
        s->facts->commits_first = 1;
        s->facts->transaction_control = 1;
        ngx_hyperdrive_sql_mysql_classify_whole(s, KIND(MAINTENANCE));
        return;
    }

    variables = 0;

    while (s->tok.keyword != K(TABLE)) {

        if (s->next.type == T(END) || s->next.type == T(SEMICOLON)
            || s->failed)
        {
            ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
            return;
        }

        ngx_hyperdrive_sql_scan_next(s);
    }

    ngx_hyperdrive_sql_scan_next(s);

    if (s->tok.type != T(WORD) && s->tok.type != T(NAME)) {
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        return;
    }

    ngx_hyperdrive_sql_names_read(s, &name);
    (void) ngx_hyperdrive_sql_names_table(s, &name, 1);

    s->kind = KIND(COPY);
    s->write = 1;
    s->facts->may_write = 1;
    s->facts->copy_in = 1;

    /* (columns and @variables) SET a = expression */

    while (s->next.type != T(END) && s->next.type != T(SEMICOLON)
           && s->next.keyword != K(SET) && !s->failed)
    {
        ngx_hyperdrive_sql_scan_next(s);

        if (s->tok.type == T(VARIABLE)) {
            variables = 1;
        }
    }

    if (variables) {
        ngx_hyperdrive_sql_scan_leaves(s, LEAVES(VARIABLE));
    }

    ngx_hyperdrive_sql_scan_next(s);

    s->frames[0].state = STATE(EXPR);
}


/* the procedure is put down as an "operator": it is none of the functions */

static void
ngx_hyperdrive_sql_mysql_classify_call(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_names_t  name;

    s->kind = KIND(CALL);
    s->facts->alone = 1;

    ngx_hyperdrive_sql_scan_next(s);

    if (s->tok.type != T(WORD) && s->tok.type != T(NAME)) {
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        return;
    }

    ngx_hyperdrive_sql_names_read(s, &name);
    ngx_hyperdrive_sql_names_unknown(s, name.n > 1 ? &name.schema : NULL,
                                     &name.last,
                                     NGX_HYPERDRIVE_SQL_NAMES_PROCEDURE);

    /* its arguments are what else is read */

    ngx_hyperdrive_sql_scan_next(s);

    s->frames[0].state = STATE(EXPR);
}


static void
ngx_hyperdrive_sql_mysql_classify_flush(ngx_hyperdrive_sql_scan_t *s)
{
    s->facts->alone = 1;
    s->facts->commits_first = 1;
    s->facts->transaction_control = 1;

    /* FLUSH TABLES ... WITH READ LOCK, FOR EXPORT */

    if (s->next.keyword == K(TABLE)
        || ngx_hyperdrive_sql_mysql_is(&s->next, "tables"))
    {
        ngx_hyperdrive_sql_scan_leaves(s, LEAVES(TABLES));
    }

    ngx_hyperdrive_sql_classify_skip(s, KIND(MAINTENANCE), 0);
}


/* what it changes may be anything */

static void
ngx_hyperdrive_sql_mysql_classify_whole(ngx_hyperdrive_sql_scan_t *s,
    ngx_hyperdrive_sql_kind_e kind)
{
    s->facts->may_write = 1;
    s->facts->incomplete = 1;

    ngx_hyperdrive_sql_classify_skip(s, kind, 0);
}
