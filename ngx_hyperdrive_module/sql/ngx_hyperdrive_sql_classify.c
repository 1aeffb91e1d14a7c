
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "sql/ngx_hyperdrive_sql_scan.h"


/* statements: what each of them is, and how much of it has to be read */


#define K(id)  NGX_HYPERDRIVE_SQL_K_##id


static ngx_uint_t ngx_hyperdrive_sql_classify_unsafe(ngx_str_t *text,
    ngx_hyperdrive_sql_mode_t *mode);
static void ngx_hyperdrive_sql_classify_verb(ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_classify_end(ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_classify_finish(ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_classify_unknown(ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_classify_query(ngx_hyperdrive_sql_scan_t *s,
    ngx_hyperdrive_sql_kind_e kind);
static void ngx_hyperdrive_sql_classify_explain(ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_classify_option(ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_classify_begin(ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_classify_rollback(
    ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_classify_set(ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_classify_copy(ngx_hyperdrive_sql_scan_t *s);
static void ngx_hyperdrive_sql_classify_maintenance(
    ngx_hyperdrive_sql_scan_t *s);


/* of several statements the kind further down is that of all */

static const ngx_hyperdrive_sql_kind_e
    ngx_hyperdrive_sql_classify_order[] =
{
    NGX_HYPERDRIVE_SQL_EMPTY,
    NGX_HYPERDRIVE_SQL_READ,
    NGX_HYPERDRIVE_SQL_CURSOR,
    NGX_HYPERDRIVE_SQL_NOTIFY,
    NGX_HYPERDRIVE_SQL_LOCK,
    NGX_HYPERDRIVE_SQL_SAVEPOINT,
    NGX_HYPERDRIVE_SQL_BEGIN,
    NGX_HYPERDRIVE_SQL_ROLLBACK,
    NGX_HYPERDRIVE_SQL_COMMIT,
    NGX_HYPERDRIVE_SQL_SET_LOCAL,
    NGX_HYPERDRIVE_SQL_MAINTENANCE,
    NGX_HYPERDRIVE_SQL_SET,
    NGX_HYPERDRIVE_SQL_LISTEN,
    NGX_HYPERDRIVE_SQL_PREPARE,
    NGX_HYPERDRIVE_SQL_DISCARD,
    NGX_HYPERDRIVE_SQL_WRITE,
    NGX_HYPERDRIVE_SQL_COPY,
    NGX_HYPERDRIVE_SQL_DDL,
    NGX_HYPERDRIVE_SQL_TWO_PHASE,
    NGX_HYPERDRIVE_SQL_CALL,
    NGX_HYPERDRIVE_SQL_UNKNOWN
};


/* in the order of ngx_hyperdrive_sql_kind_e */

static ngx_str_t  ngx_hyperdrive_sql_classify_kinds[] = {
    ngx_string("empty"),
    ngx_string("read"),
    ngx_string("write"),
    ngx_string("ddl"),
    ngx_string("copy"),
    ngx_string("begin"),
    ngx_string("commit"),
    ngx_string("rollback"),
    ngx_string("savepoint"),
    ngx_string("two_phase"),
    ngx_string("set"),
    ngx_string("set_local"),
    ngx_string("prepare"),
    ngx_string("cursor"),
    ngx_string("listen"),
    ngx_string("notify"),
    ngx_string("lock"),
    ngx_string("discard"),
    ngx_string("maintenance"),
    ngx_string("call"),
    ngx_string("unknown")
};


/* in the order of ngx_hyperdrive_sql_reason_e */

static ngx_str_t  ngx_hyperdrive_sql_classify_reasons[] = {
    ngx_string("cacheable"),
    ngx_string("not_read"),
    ngx_string("multiple"),
    ngx_string("locking"),
    ngx_string("volatile"),
    ngx_string("function"),
    ngx_string("system"),
    ngx_string("no_table"),
    ngx_string("parse"),
    ngx_string("too_complex"),
    ngx_string("catalog"),
    ngx_string("unknown_table"),
    ngx_string("foreign")
};


void
ngx_hyperdrive_sql_classify(ngx_str_t *text, ngx_hyperdrive_sql_mode_t *mode,
    u_char *names, size_t size, ngx_hyperdrive_sql_facts_t *facts)
{
    ngx_hyperdrive_sql_scan_t  scan, *s;

    s = &scan;

    ngx_hyperdrive_sql_classify_init(s, text, mode, names, size, facts);

    if (ngx_hyperdrive_sql_classify_unsafe(text, mode)) {
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        ngx_hyperdrive_sql_classify_finish(s);
        return;
    }

    ngx_hyperdrive_sql_lexer_next(&s->lexer, &s->next);
    ngx_hyperdrive_sql_scan_next(s);

    while (!s->failed && s->tok.type != NGX_HYPERDRIVE_SQL_T_END) {

        if (s->tok.type == NGX_HYPERDRIVE_SQL_T_SEMICOLON) {
            ngx_hyperdrive_sql_scan_next(s);
            continue;
        }

        ngx_hyperdrive_sql_classify_verb(s);
        ngx_hyperdrive_sql_classify_statement(s);
    }

    ngx_hyperdrive_sql_classify_finish(s);
}


void
ngx_hyperdrive_sql_classify_init(ngx_hyperdrive_sql_scan_t *s,
    ngx_str_t *text, ngx_hyperdrive_sql_mode_t *mode, u_char *names,
    size_t size, ngx_hyperdrive_sql_facts_t *facts)
{
    /* the arrays at the end are filled before they are read */

    ngx_memzero(s, offsetof(ngx_hyperdrive_sql_scan_t, ctes));

    facts->kind = NGX_HYPERDRIVE_SQL_EMPTY;
    facts->reason = NGX_HYPERDRIVE_SQL_CACHEABLE;
    facts->nstatements = 0;
    facts->stateful = 0;
    facts->leaves = 0;
    facts->recalls = 0;
    facts->fetches = 0;
    facts->may_write = 0;
    facts->defaults = 0;
    facts->incomplete = 0;
    facts->unknown_function = 0;
    facts->anything = 0;
    facts->stable = 0;
    facts->transaction_control = 0;
    facts->begin_plain = 0;
    facts->serializable = 0;
    facts->read_only = 0;
    facts->temporary = 0;
    facts->create_temporary = 0;
    facts->copy_in = 0;
    facts->alone = 0;
    facts->commits_first = 0;
    facts->autocommit = 0;
    facts->dynamic = 0;
    facts->chain = 0;
    facts->release = 0;
    facts->snapshot = 0;
    facts->variables = 0;
    facts->no_cache = 0;
    facts->asks = 0;
    facts->calc = 0;
    facts->brief = 0;
    facts->paged = 0;
    facts->listed = 0;
    facts->ntables = 0;
    facts->nfunctions = 0;
    facts->verb[0] = '\0';

    ngx_hyperdrive_sql_lexer_init(&s->lexer, text, mode);

    s->dialect = s->lexer.dialect;
    s->facts = facts;
    s->names = names;
    s->names_last = names + size;
}


ngx_str_t *
ngx_hyperdrive_sql_kind_name(ngx_hyperdrive_sql_kind_e kind)
{
    return &ngx_hyperdrive_sql_classify_kinds[kind];
}


ngx_str_t *
ngx_hyperdrive_sql_reason_name(ngx_hyperdrive_sql_reason_e reason)
{
    return &ngx_hyperdrive_sql_classify_reasons[reason];
}


static ngx_uint_t
ngx_hyperdrive_sql_classify_unsafe(ngx_str_t *text,
    ngx_hyperdrive_sql_mode_t *mode)
{
    size_t  i;

    if (text->len == 0) {
        return 0;
    }

    if (mode->mysql) {
        /* the lexer knows the character sets */
        return mode->unread;
    }

    if (memchr(text->data, '\0', text->len)) {
        return 1;
    }

    if (mode->unsafe_encoding) {

        for (i = 0; i < text->len; i++) {
            if (text->data[i] & 0x80) {
                return 1;
            }
        }
    }

    return 0;
}


static void
ngx_hyperdrive_sql_classify_verb(ngx_hyperdrive_sql_scan_t *s)
{
    size_t       i, len;
    u_char      *verb;
    ngx_str_t   *text;

    verb = s->facts->verb;

    if (s->facts->nstatements) {
        return;
    }

    if (s->tok.type == NGX_HYPERDRIVE_SQL_T_OPEN) {

        /* (SELECT ...) UNION ... */

        (void) ngx_cpystrn(verb, (u_char *) "SELECT",
                           sizeof(s->facts->verb));
        return;
    }

    if (s->tok.category == NGX_HYPERDRIVE_SQL_NOT_KEYWORD) {
        return;
    }

    text = &s->tok.text;
    len = ngx_min(text->len, sizeof(s->facts->verb) - 1);

    for (i = 0; i < len; i++) {
        verb[i] = ngx_toupper(text->data[i]);
    }

    verb[len] = '\0';
}


void
ngx_hyperdrive_sql_classify_statement(ngx_hyperdrive_sql_scan_t *s)
{
    s->facts->nstatements++;

    s->kind = NGX_HYPERDRIVE_SQL_UNKNOWN;
    s->open = NGX_HYPERDRIVE_SQL_SCAN_OPEN_EXPR;
    s->depth = 0;
    s->nctes = 0;
    s->write = 0;
    s->into = 0;
    s->explain = 0;
    s->analyze = 0;
    s->create = 0;
    s->routine = 0;
    s->copy = NULL;
    s->copy_query = 0;
    s->distinct = 0;

    ngx_memzero(&s->prev, sizeof(ngx_hyperdrive_sql_token_t));
    ngx_memzero(&s->before, sizeof(ngx_hyperdrive_sql_token_t));
    ngx_memzero(&s->frames[0], sizeof(ngx_hyperdrive_sql_scan_frame_t));

    s->dialect->dispatch(s);

    if (s->failed) {
        return;
    }

    s->dialect->scan(s);

    if (!s->failed) {
        ngx_hyperdrive_sql_classify_end(s);
    }
}


void
ngx_hyperdrive_sql_classify_dispatch(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_facts_t  *facts;

    facts = s->facts;

    if (s->tok.type == NGX_HYPERDRIVE_SQL_T_OPEN) {
        ngx_hyperdrive_sql_classify_query(s, NGX_HYPERDRIVE_SQL_READ);
        return;
    }

    switch (s->tok.keyword) {

    case K(SELECT):
    case K(WITH):
    case K(VALUES):
    case K(TABLE):
    case K(INSERT):
    case K(UPDATE):
    case K(DELETE):
    case K(MERGE):
        ngx_hyperdrive_sql_classify_query(s, NGX_HYPERDRIVE_SQL_READ);
        return;

    case K(EXPLAIN):
        ngx_hyperdrive_sql_classify_explain(s);
        return;

    case K(SHOW):
        s->explain = 1;
        ngx_hyperdrive_sql_classify_skip(s, NGX_HYPERDRIVE_SQL_READ, 0);
        return;

    case K(BEGIN):
    case K(START):
        ngx_hyperdrive_sql_classify_begin(s);
        return;

    case K(COMMIT):
    case K(END):
        facts->transaction_control = 1;

        if (s->tok.keyword == K(COMMIT) && s->next.keyword == K(PREPARED)) {
            facts->alone = 1;
            facts->may_write = 1;
            ngx_hyperdrive_sql_classify_skip(s, NGX_HYPERDRIVE_SQL_TWO_PHASE,
                                             0);
            return;
        }

        ngx_hyperdrive_sql_classify_skip(s, NGX_HYPERDRIVE_SQL_COMMIT, 0);
        return;

    case K(ROLLBACK):
    case K(ABORT):
        ngx_hyperdrive_sql_classify_rollback(s);
        return;

    case K(SAVEPOINT):
    case K(RELEASE):
        facts->transaction_control = 1;
        ngx_hyperdrive_sql_classify_skip(s, NGX_HYPERDRIVE_SQL_SAVEPOINT, 0);
        return;

    case K(SET):
        ngx_hyperdrive_sql_classify_set(s);
        return;

    case K(RESET):
        ngx_hyperdrive_sql_classify_skip(s, NGX_HYPERDRIVE_SQL_SET,
                                     NGX_HYPERDRIVE_SQL_LEAVES_SETTING);
        return;

    case K(PREPARE):

        if (s->next.keyword == K(TRANSACTION)) {
            ngx_hyperdrive_sql_scan_next(s);

            if (s->next.type == NGX_HYPERDRIVE_SQL_T_STRING) {
                facts->transaction_control = 1;
                facts->may_write = 1;
                ngx_hyperdrive_sql_classify_skip(s,
                                              NGX_HYPERDRIVE_SQL_TWO_PHASE, 0);
                return;
            }
        }

        ngx_hyperdrive_sql_classify_skip(s, NGX_HYPERDRIVE_SQL_PREPARE,
                                     NGX_HYPERDRIVE_SQL_LEAVES_PREPARED);
        return;

    case K(EXECUTE):
        facts->may_write = 1;
        facts->incomplete = 1;
        ngx_hyperdrive_sql_classify_skip(s, NGX_HYPERDRIVE_SQL_PREPARE,
                                     NGX_HYPERDRIVE_SQL_LEAVES_FUNCTION);
        return;

    case K(DEALLOCATE):
        ngx_hyperdrive_sql_classify_skip(s, NGX_HYPERDRIVE_SQL_PREPARE,
                                     NGX_HYPERDRIVE_SQL_LEAVES_NOTHING);
        return;

    case K(DECLARE):
        ngx_hyperdrive_sql_ddl_declare(s);
        return;

    case K(FETCH):
    case K(MOVE):
        facts->fetches = 1;

        /* fall through */

    case K(CLOSE):
        ngx_hyperdrive_sql_classify_skip(s, NGX_HYPERDRIVE_SQL_CURSOR, 0);
        return;

    case K(COPY):
        ngx_hyperdrive_sql_classify_copy(s);
        return;

    case K(LISTEN):
    case K(UNLISTEN):
        ngx_hyperdrive_sql_classify_skip(s, NGX_HYPERDRIVE_SQL_LISTEN,
                                     NGX_HYPERDRIVE_SQL_LEAVES_LISTEN);
        return;

    case K(NOTIFY):
        ngx_hyperdrive_sql_classify_skip(s, NGX_HYPERDRIVE_SQL_NOTIFY, 0);
        return;

    case K(LOCK):
        ngx_hyperdrive_sql_classify_tables(s, NGX_HYPERDRIVE_SQL_LOCK);
        return;

    case K(TRUNCATE):
        facts->may_write = 1;
        s->frames[0].targets = 1;
        ngx_hyperdrive_sql_classify_tables(s, NGX_HYPERDRIVE_SQL_DDL);
        return;

    case K(DISCARD):
        facts->alone = 1;
        ngx_hyperdrive_sql_classify_skip(s, NGX_HYPERDRIVE_SQL_DISCARD,
                                     NGX_HYPERDRIVE_SQL_LEAVES_NOTHING);
        return;

    case K(CALL):

        facts->alone = 1;
        ngx_hyperdrive_sql_ddl_call(s);
        return;

    case K(DO):
    case K(LOAD):
        facts->alone = 1;
        facts->may_write = 1;
        facts->incomplete = 1;
        facts->unknown_function = 1;
        facts->anything = 1;
        ngx_hyperdrive_sql_classify_skip(s, NGX_HYPERDRIVE_SQL_CALL,
                       s->tok.keyword == K(LOAD)
                       ? NGX_HYPERDRIVE_SQL_LEAVES_LIBRARY
                       : NGX_HYPERDRIVE_SQL_LEAVES_CALL);
        return;

    case K(VACUUM):
    case K(ANALYZE):
    case K(ANALYSE):
    case K(REINDEX):
    case K(CLUSTER):
    case K(CHECKPOINT):
    case K(REFRESH):
        ngx_hyperdrive_sql_classify_maintenance(s);
        return;

    case K(CREATE):
        ngx_hyperdrive_sql_ddl_create(s);
        return;

    case K(ALTER):
        ngx_hyperdrive_sql_ddl_alter(s);
        return;

    case K(DROP):
        ngx_hyperdrive_sql_ddl_drop(s);
        return;

    case K(GRANT):
    case K(REVOKE):
    case K(COMMENT):
    case K(SECURITY):
    case K(REASSIGN):
    case K(IMPORT):
        facts->may_write = 1;
        ngx_hyperdrive_sql_classify_skip(s, NGX_HYPERDRIVE_SQL_DDL, 0);
        return;

    default:
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        return;
    }
}


/* one statement has been read to its end */

static void
ngx_hyperdrive_sql_classify_end(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_uint_t                   i;
    ngx_hyperdrive_sql_kind_e    kind;
    ngx_hyperdrive_sql_facts_t  *facts;

    kind = s->kind;
    facts = s->facts;

    if (kind == NGX_HYPERDRIVE_SQL_READ && s->write) {
        kind = NGX_HYPERDRIVE_SQL_WRITE;
    }

    if ((kind == NGX_HYPERDRIVE_SQL_READ
         || kind == NGX_HYPERDRIVE_SQL_WRITE) && s->into)
    {
        kind = NGX_HYPERDRIVE_SQL_DDL;
    }

    if (s->explain && !s->analyze) {
        kind = NGX_HYPERDRIVE_SQL_READ;

    } else if (s->write || s->into || kind == NGX_HYPERDRIVE_SQL_DDL
               || (kind == NGX_HYPERDRIVE_SQL_COPY && facts->copy_in))
    {
        facts->may_write = 1;
    }

    if (s->explain) {
        ngx_hyperdrive_sql_names_reason(s, NGX_HYPERDRIVE_SQL_NOT_READ);
    }

    for (i = 0; ngx_hyperdrive_sql_classify_order[i] != kind; i++) {

        if (ngx_hyperdrive_sql_classify_order[i] == facts->kind) {
            facts->kind = kind;
            return;
        }
    }
}


/* the text has been read to its end: what speaks against the cache? */

static void
ngx_hyperdrive_sql_classify_finish(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_facts_t  *facts;

    facts = s->facts;

    if (!s->failed) {

        if (facts->kind != NGX_HYPERDRIVE_SQL_READ) {
            facts->reason = NGX_HYPERDRIVE_SQL_NOT_READ;

        } else if (facts->nstatements > 1) {
            facts->reason = NGX_HYPERDRIVE_SQL_MULTIPLE;

        } else if (facts->ntables == 0) {
            ngx_hyperdrive_sql_names_reason(s, NGX_HYPERDRIVE_SQL_NO_TABLE);
        }

        /* nothing may be cacheable and not harmless at once */

        if (facts->reason == NGX_HYPERDRIVE_SQL_CACHEABLE
            && (facts->stateful || facts->may_write || facts->incomplete))
        {
            facts->reason = NGX_HYPERDRIVE_SQL_FUNCTION;
        }
    }

    facts->known_reason = facts->reason;
    facts->known_stateful = facts->stateful;
    facts->known_may_write = facts->may_write;

    ngx_hyperdrive_sql_classify_unknown(s);
}


/* what is in functions[] may do anything, as far as the text can tell */

static void
ngx_hyperdrive_sql_classify_unknown(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_uint_t                   i;
    ngx_hyperdrive_sql_facts_t  *facts;

    facts = s->facts;

    if (facts->kind == NGX_HYPERDRIVE_SQL_CALL) {
        facts->stateful = 1;
        facts->may_write = 1;

        if (facts->leaves == 0) {
            /* a procedure; DO and LOAD have been told apart */
            facts->leaves = NGX_HYPERDRIVE_SQL_LEAVES_FUNCTION;
        }
    }

    if (facts->stable) {

        if (facts->reason == NGX_HYPERDRIVE_SQL_NO_TABLE) {
            facts->reason = NGX_HYPERDRIVE_SQL_VOLATILE;
        }

        ngx_hyperdrive_sql_names_reason(s, NGX_HYPERDRIVE_SQL_VOLATILE);
    }

    for (i = 0; i < facts->nfunctions; i++) {

        if (facts->reason == NGX_HYPERDRIVE_SQL_NO_TABLE) {
            facts->reason = NGX_HYPERDRIVE_SQL_FUNCTION;
        }

        ngx_hyperdrive_sql_names_reason(s, NGX_HYPERDRIVE_SQL_FUNCTION);

        if (!facts->functions[i].operator) {
            ngx_hyperdrive_sql_scan_leaves(s,
                                       NGX_HYPERDRIVE_SQL_LEAVES_FUNCTION);
            facts->may_write = 1;
            facts->unknown_function = 1;
            facts->leaves |= NGX_HYPERDRIVE_SQL_LEAVES_FUNCTION;
        }
    }
}


static void
ngx_hyperdrive_sql_classify_query(ngx_hyperdrive_sql_scan_t *s,
    ngx_hyperdrive_sql_kind_e kind)
{
    s->kind = kind;
    s->frames[0].state = NGX_HYPERDRIVE_SQL_SCAN_START;
}


void
ngx_hyperdrive_sql_classify_skip(ngx_hyperdrive_sql_scan_t *s,
    ngx_hyperdrive_sql_kind_e kind, ngx_uint_t stateful)
{
    s->kind = kind;
    s->frames[0].state = NGX_HYPERDRIVE_SQL_SCAN_SKIP;

    if (stateful) {
        ngx_hyperdrive_sql_scan_leaves(s, stateful);
    }
}


/* EXPLAIN [ANALYZE] [VERBOSE] ... or EXPLAIN (option [value], ...) ... */

static void
ngx_hyperdrive_sql_classify_explain(ngx_hyperdrive_sql_scan_t *s)
{
    s->explain = 1;

    ngx_hyperdrive_sql_scan_next(s);

    if (s->tok.type == NGX_HYPERDRIVE_SQL_T_OPEN
        && s->next.keyword != K(SELECT) && s->next.keyword != K(WITH)
        && s->next.keyword != K(VALUES) && s->next.keyword != K(TABLE)
        && s->next.type != NGX_HYPERDRIVE_SQL_T_OPEN)
    {
        do {
            ngx_hyperdrive_sql_scan_next(s);
            ngx_hyperdrive_sql_classify_option(s);

        } while (s->tok.type == NGX_HYPERDRIVE_SQL_T_COMMA && !s->failed);

        if (s->tok.type != NGX_HYPERDRIVE_SQL_T_CLOSE) {
            ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
            return;
        }

        ngx_hyperdrive_sql_scan_next(s);

    } else {

        if (s->tok.keyword == K(ANALYZE) || s->tok.keyword == K(ANALYSE)) {
            s->analyze = 1;
            ngx_hyperdrive_sql_scan_next(s);
        }

        if (s->tok.keyword == K(VERBOSE)) {
            ngx_hyperdrive_sql_scan_next(s);
        }
    }

    if (s->failed) {
        return;
    }

    if (s->tok.type == NGX_HYPERDRIVE_SQL_T_OPEN) {
        ngx_hyperdrive_sql_classify_dispatch(s);
        return;
    }

    switch (s->tok.keyword) {

    case K(SELECT):
    case K(WITH):
    case K(VALUES):
    case K(TABLE):
    case K(INSERT):
    case K(UPDATE):
    case K(DELETE):
    case K(MERGE):
    case K(DECLARE):
    case K(EXECUTE):
    case K(CREATE):
    case K(REFRESH):
        ngx_hyperdrive_sql_classify_dispatch(s);
        return;

    default:
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        return;
    }
}


/* s->tok is the option's name; then what is behind the option */

static void
ngx_hyperdrive_sql_classify_option(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_uint_t  analyze;

    analyze = (s->tok.keyword == K(ANALYZE) || s->tok.keyword == K(ANALYSE)
               || s->tok.type == NGX_HYPERDRIVE_SQL_T_NAME);

    if (s->tok.type != NGX_HYPERDRIVE_SQL_T_WORD
        && s->tok.type != NGX_HYPERDRIVE_SQL_T_NAME)
    {
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        return;
    }

    ngx_hyperdrive_sql_scan_next(s);

    while (s->tok.type != NGX_HYPERDRIVE_SQL_T_COMMA
           && s->tok.type != NGX_HYPERDRIVE_SQL_T_CLOSE)
    {
        if (s->failed || s->tok.type == NGX_HYPERDRIVE_SQL_T_END
            || s->tok.type == NGX_HYPERDRIVE_SQL_T_OPEN
            || s->tok.type == NGX_HYPERDRIVE_SQL_T_SEMICOLON)
        {
            ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
            return;
        }

        /* of all ways to say no, the two that are used */

        if ((s->tok.text.len == 3
             && ngx_strncasecmp(s->tok.text.data, (u_char *) "off", 3) == 0)
            || (s->tok.text.len == 5
                && ngx_strncasecmp(s->tok.text.data, (u_char *) "false", 5)
                   == 0))
        {
            analyze = 0;
        }

        ngx_hyperdrive_sql_scan_next(s);
    }

    if (analyze) {
        s->analyze = 1;
    }
}


/* BEGIN [WORK | TRANSACTION] [mode, ...] or START TRANSACTION [mode, ...] */

static void
ngx_hyperdrive_sql_classify_begin(ngx_hyperdrive_sql_scan_t *s)
{
    if (s->tok.keyword == K(START) && s->next.keyword != K(TRANSACTION)) {
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        return;
    }

    s->facts->transaction_control = 1;

    if (s->next.keyword == K(TRANSACTION) || s->next.keyword == K(WORK)) {
        ngx_hyperdrive_sql_scan_next(s);
    }

    if (s->next.type == NGX_HYPERDRIVE_SQL_T_SEMICOLON
        || s->next.type == NGX_HYPERDRIVE_SQL_T_END)
    {
        s->facts->begin_plain = 1;
    }

    while (s->next.type != NGX_HYPERDRIVE_SQL_T_SEMICOLON
           && s->next.type != NGX_HYPERDRIVE_SQL_T_END && !s->failed)
    {
        ngx_hyperdrive_sql_scan_next(s);

        if (s->tok.keyword == K(SERIALIZABLE)) {
            s->facts->serializable = 1;
        }

        if (s->tok.keyword == K(READ) && s->next.keyword == K(ONLY)) {
            s->facts->read_only = 1;
        }
    }

    ngx_hyperdrive_sql_classify_skip(s, NGX_HYPERDRIVE_SQL_BEGIN, 0);
}


static void
ngx_hyperdrive_sql_classify_rollback(ngx_hyperdrive_sql_scan_t *s)
{
    s->facts->transaction_control = 1;

    if (s->tok.keyword == K(ROLLBACK) && s->next.keyword == K(PREPARED)) {
        s->facts->alone = 1;
        ngx_hyperdrive_sql_classify_skip(s, NGX_HYPERDRIVE_SQL_TWO_PHASE, 0);
        return;
    }

    if (s->next.keyword == K(TRANSACTION) || s->next.keyword == K(WORK)) {
        ngx_hyperdrive_sql_scan_next(s);
    }

    ngx_hyperdrive_sql_classify_skip(s, s->next.keyword == K(TO)
                                            ? NGX_HYPERDRIVE_SQL_SAVEPOINT
                                            : NGX_HYPERDRIVE_SQL_ROLLBACK, 0);
}


static void
ngx_hyperdrive_sql_classify_set(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_keyword_e  word;

    ngx_hyperdrive_sql_scan_next(s);

    word = s->tok.keyword;

    if (s->next.type == NGX_HYPERDRIVE_SQL_T_DOT
        || s->next.type == NGX_HYPERDRIVE_SQL_T_OPERATOR
        || s->next.keyword == K(TO))
    {
        /* a setting of this name */

        word = K(OTHER);
    }

    switch (word) {

    case K(TRANSACTION):
        /* its ISOLATION LEVEL is for the first query of a transaction */
        s->facts->alone = 1;

        /* fall through */

    case K(LOCAL):
    case K(CONSTRAINTS):
        ngx_hyperdrive_sql_classify_skip(s, NGX_HYPERDRIVE_SQL_SET_LOCAL, 0);
        return;

    default:
        ngx_hyperdrive_sql_classify_skip(s, NGX_HYPERDRIVE_SQL_SET,
                                         NGX_HYPERDRIVE_SQL_LEAVES_SETTING);
        return;
    }
}


/* COPY [BINARY] t [(a, b)] FROM | TO ... or COPY (a query) TO ... */

static void
ngx_hyperdrive_sql_classify_copy(ngx_hyperdrive_sql_scan_t *s)
{
    ngx_hyperdrive_sql_scan_frame_t  *f;

    f = &s->frames[0];

    s->kind = NGX_HYPERDRIVE_SQL_COPY;

    if (s->next.type == NGX_HYPERDRIVE_SQL_T_OPEN) {
        ngx_hyperdrive_sql_scan_next(s);

        /* the query is read in a frame of its own, then TO and options */

        f->state = NGX_HYPERDRIVE_SQL_SCAN_COPY;
        s->copy_query = 1;
        return;
    }

    if (s->next.type == NGX_HYPERDRIVE_SQL_T_WORD
        && s->next.text.len == 6
        && ngx_strncasecmp(s->next.text.data, (u_char *) "binary", 6) == 0)
    {
        ngx_hyperdrive_sql_scan_next(s);
    }

    s->copy = ngx_hyperdrive_sql_ddl_target(s, 0);

    f->state = NGX_HYPERDRIVE_SQL_SCAN_COPY;
}


/* LOCK [TABLE] a, b ... and TRUNCATE [TABLE] a, b ... */

void
ngx_hyperdrive_sql_classify_tables(ngx_hyperdrive_sql_scan_t *s,
    ngx_hyperdrive_sql_kind_e kind)
{
    ngx_hyperdrive_sql_scan_frame_t  *f;

    f = &s->frames[0];

    s->kind = kind;

    if (s->next.keyword == K(TABLE)) {
        ngx_hyperdrive_sql_scan_next(s);
    }

    ngx_hyperdrive_sql_scan_next(s);

    f->state = NGX_HYPERDRIVE_SQL_SCAN_FROM;
    f->target = f->targets;
}


static void
ngx_hyperdrive_sql_classify_maintenance(ngx_hyperdrive_sql_scan_t *s)
{
    if (s->tok.keyword != K(REFRESH)) {
        s->facts->alone = 1;
        ngx_hyperdrive_sql_classify_skip(s, NGX_HYPERDRIVE_SQL_MAINTENANCE, 0);
        return;
    }

    /* REFRESH MATERIALIZED VIEW [CONCURRENTLY] v */

    s->kind = NGX_HYPERDRIVE_SQL_MAINTENANCE;
    s->write = !s->explain || s->analyze;

    ngx_hyperdrive_sql_scan_next(s);

    if (s->next.keyword != K(VIEW)) {
        ngx_hyperdrive_sql_scan_fail(s, NGX_HYPERDRIVE_SQL_PARSE);
        return;
    }

    ngx_hyperdrive_sql_scan_next(s);

    if (s->next.keyword == K(CONCURRENTLY)) {
        ngx_hyperdrive_sql_scan_next(s);
    }

    (void) ngx_hyperdrive_sql_ddl_target(s, 1);
}
