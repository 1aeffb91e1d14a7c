
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "ngx_hyperdrive_conf.h"
#include "base/ngx_hyperdrive_base_cursor.h"
#include "sql/ngx_hyperdrive_sql_catalog.h"
#include "sql/ngx_hyperdrive_sql_hint.h"
#include "sql/ngx_hyperdrive_sql_set.h"


/* statements of one text that are looked at */
#define NGX_HYPERDRIVE_CLASSIFY_EACH     64


static void ngx_hyperdrive_classify_mysql(ngx_hyperdrive_sql_facts_t *facts,
    ngx_hyperdrive_state_plan_t *plan);
static ngx_uint_t ngx_hyperdrive_classify_each(ngx_str_t *text,
    ngx_hyperdrive_sql_mode_t *mode, ngx_hyperdrive_sql_facts_t *facts,
    ngx_hyperdrive_state_plan_t *plan);
static ngx_uint_t ngx_hyperdrive_classify_hides(ngx_str_t *text,
    ngx_hyperdrive_sql_mode_t *mode, ngx_hyperdrive_sql_facts_t *facts);
static ngx_uint_t ngx_hyperdrive_classify_sets(
    ngx_hyperdrive_sql_facts_t *facts);
static ngx_uint_t ngx_hyperdrive_classify_does(ngx_str_t *text,
    ngx_hyperdrive_sql_mode_t *mode, ngx_hyperdrive_sql_facts_t *facts);
static ngx_uint_t ngx_hyperdrive_classify_has(ngx_str_t *text,
    ngx_hyperdrive_sql_mode_t *mode, const char *word);
static ngx_uint_t ngx_hyperdrive_classify_local(ngx_str_t *text,
    ngx_hyperdrive_sql_facts_t *facts);
static ngx_uint_t ngx_hyperdrive_classify_settings(ngx_str_t *text,
    ngx_hyperdrive_sql_mode_t *mode);
static ngx_uint_t ngx_hyperdrive_classify_autocommit(ngx_str_t *text,
    ngx_hyperdrive_sql_mode_t *mode);


/* from the sql room to what is kept with a statement */

void
ngx_hyperdrive_classify(ngx_str_t *text, ngx_uint_t mode,
    ngx_hyperdrive_state_plan_t *plan)
{
    static u_char                   names[16384];
    ngx_hyperdrive_sql_mode_t       sql_mode;
    static ngx_hyperdrive_sql_facts_t  facts;
    ngx_hyperdrive_sql_hint_t          hint;
    ngx_hyperdrive_sql_prepare_t       prepare;
    ngx_hyperdrive_sql_transaction_t   tr;
    ngx_hyperdrive_sql_catalog_plan_t  blind;

    ngx_hyperdrive_sql_mode(mode, &sql_mode);

    ngx_hyperdrive_sql_classify(text, &sql_mode, names, sizeof(names), &facts);

    plan->alone = (facts.alone
                   || facts.kind == NGX_HYPERDRIVE_SQL_DISCARD);

    if ((facts.stateful || facts.kind == NGX_HYPERDRIVE_SQL_SET_LOCAL)
        && ngx_hyperdrive_classify_settings(text, &sql_mode))
    {
        /* another connection can be told the same */

        plan->settings = 1;
        facts.stateful = 0;
        facts.leaves = 0;
    }

    plan->kind = facts.kind;

    /*
     * What the functions do that the text does not know, the catalog says; and
     * they may read tables where the text names none.
     */

    plan->reason = facts.known_reason;

    if (plan->reason == NGX_HYPERDRIVE_SQL_NO_TABLE && facts.nfunctions) {
        plan->reason = NGX_HYPERDRIVE_SQL_CACHEABLE;
    }

    ngx_hyperdrive_sql_catalog_plan_blind(&facts, &blind);

    plan->stateful = facts.stateful;

    plan->leaves = facts.leaves & 0x7fff;
    plan->recalls = facts.recalls;
    plan->fetches = facts.fetches;

    if (facts.stateful && facts.leaves == 0) {
        plan->leaves = NGX_HYPERDRIVE_STATE_PIN_FUNCTION;
    }

    plan->ends = (facts.kind != NGX_HYPERDRIVE_SQL_READ
                  && facts.kind != NGX_HYPERDRIVE_SQL_WRITE
                  && facts.kind != NGX_HYPERDRIVE_SQL_COPY
                  && facts.kind != NGX_HYPERDRIVE_SQL_BEGIN
                  && facts.kind != NGX_HYPERDRIVE_SQL_SAVEPOINT
                  && facts.kind != NGX_HYPERDRIVE_SQL_SET_LOCAL);

    plan->discard = (facts.kind == NGX_HYPERDRIVE_SQL_DISCARD
                     && facts.nstatements == 1);
    plan->read = (facts.kind == NGX_HYPERDRIVE_SQL_READ && !facts.may_write);
    plan->transaction = facts.transaction_control;
    plan->single = (facts.nstatements == 1
                    && facts.kind != NGX_HYPERDRIVE_SQL_UNKNOWN);

    if (sql_mode.mysql) {
        ngx_hyperdrive_classify_mysql(&facts, plan);

        if (plan->settings && plan->single && facts.commits_first) {
            plan->autocommit = ngx_hyperdrive_classify_autocommit(text,
                                                                  &sql_mode);
        }

        plan->each = ngx_hyperdrive_classify_each(text, &sql_mode, &facts,
                                                  plan);

    } else if (plan->transaction && plan->single
               && ngx_hyperdrive_sql_transaction(text, &tr) == NGX_OK)
    {
        plan->defer = (tr.kind == NGX_HYPERDRIVE_SQL_BEGIN)
                      ? NGX_HYPERDRIVE_STATE_BEGIN_DEFAULT + tr.isolation : 0;
        plan->start = tr.start;
        plan->commits = (tr.kind == NGX_HYPERDRIVE_SQL_COMMIT);
        plan->rolls_back = (tr.kind == NGX_HYPERDRIVE_SQL_ROLLBACK);
    }

    /* in MySQL those of the protocol and those of SQL have nothing to do with
       each other */

    plan->deallocate = (!sql_mode.mysql
                        && facts.kind == NGX_HYPERDRIVE_SQL_PREPARE
                        && facts.nstatements == 1
                        && ngx_strcmp(facts.verb, "DEALLOCATE") == 0);

    if ((facts.kind == NGX_HYPERDRIVE_SQL_PREPARE
         || ngx_strcmp(facts.verb, "EXPLAIN") == 0
         || ngx_strcmp(facts.verb, "CREATE") == 0)
        && facts.nstatements == 1 && !plan->deallocate && !sql_mode.mysql
        && ngx_hyperdrive_sql_prepare(text, &sql_mode, &prepare) == NGX_OK)
    {
        plan->name = (uint32_t) (prepare.name.data - text->data);
        plan->name_len = (uint32_t) prepare.name.len;

        if (prepare.body.len) {
            plan->body = (uint32_t) (prepare.body.data - text->data);
        }

        plan->executes = prepare.plain;
    }

    plan->forgets = !sql_mode.mysql
                    && (plan->deallocate
                        || facts.kind == NGX_HYPERDRIVE_SQL_DISCARD
                        || facts.kind == NGX_HYPERDRIVE_SQL_CALL
                        || facts.kind == NGX_HYPERDRIVE_SQL_UNKNOWN
                        || (facts.stateful && facts.nstatements > 1));

    plan->may_write = facts.may_write;
    plan->defaults = facts.defaults;
    plan->ddl = blind.ddl;
    plan->perhaps = blind.perhaps;

    if (!sql_mode.mysql) {
        plan->local = ngx_hyperdrive_classify_local(text, &facts);
    }

    if (plan->reason == 0) {
        ngx_hyperdrive_sql_hint(text, &sql_mode, &hint);

        plan->no_cache = hint.no_cache || facts.no_cache;
        plan->max_age = hint.max_age;
    }

    plan->plain = facts.nstatements == 1
                  ? facts.kind == NGX_HYPERDRIVE_SQL_SAVEPOINT : 0;

    if (!facts.transaction_control && !facts.alone
        && !(sql_mode.mysql && facts.nstatements > 1)
        && facts.kind != NGX_HYPERDRIVE_SQL_CALL
        && facts.kind != NGX_HYPERDRIVE_SQL_MAINTENANCE
        && facts.kind != NGX_HYPERDRIVE_SQL_UNKNOWN)
    {
        plan->plain = 1;
    }
}


/* what MySQL alone has */

static void
ngx_hyperdrive_classify_mysql(ngx_hyperdrive_sql_facts_t *facts,
    ngx_hyperdrive_state_plan_t *plan)
{
    plan->asks = facts->asks;
    plan->releases = facts->release;
    plan->brief = facts->brief;

    if (!plan->single) {
        return;
    }

    if (facts->begin_plain) {
        plan->defer = NGX_HYPERDRIVE_STATE_BEGIN_DEFAULT;
        plan->start = (ngx_strcmp(facts->verb, "START") == 0);
    }

    if (!facts->chain && !facts->release) {
        plan->commits = (facts->kind == NGX_HYPERDRIVE_SQL_COMMIT);
        plan->rolls_back = (facts->kind == NGX_HYPERDRIVE_SQL_ROLLBACK);
    }
}


/* ...what each of its statements does to what is asked behind it */

static ngx_uint_t
ngx_hyperdrive_classify_each(ngx_str_t *text, ngx_hyperdrive_sql_mode_t *mode,
    ngx_hyperdrive_sql_facts_t *facts, ngx_hyperdrive_state_plan_t *plan)
{
    u_char                             *end;
    ngx_str_t                           one;
    ngx_uint_t                          n, does, each, known, hides;
    static u_char                       names[16384];
    ngx_hyperdrive_sql_lexer_t          lexer;
    ngx_hyperdrive_sql_token_t          tok;
    static ngx_hyperdrive_sql_facts_t   of;

    if (facts->nstatements < 2) {
        plan->hides = ngx_hyperdrive_classify_hides(text, mode, facts);

        return ngx_hyperdrive_classify_does(text, mode, facts)
               * NGX_HYPERDRIVE_STATE_EACH_ALIKE;
    }

    /* behind the last one there is nothing */

    each = (NGX_HYPERDRIVE_STATE_FOUND_SAME | NGX_HYPERDRIVE_STATE_DOES_KEEP)
           * NGX_HYPERDRIVE_STATE_EACH_ALIKE;

    known = NGX_HYPERDRIVE_STATE_EACH;

    ngx_hyperdrive_sql_lexer_init(&lexer, text, mode);
    ngx_hyperdrive_sql_lexer_next(&lexer, &tok);

    for (n = 0; tok.type != NGX_HYPERDRIVE_SQL_T_END; n++) {

        one.data = tok.text.data;
        end = one.data;

        while (tok.type != NGX_HYPERDRIVE_SQL_T_SEMICOLON
               && tok.type != NGX_HYPERDRIVE_SQL_T_END)
        {
            if (tok.type == NGX_HYPERDRIVE_SQL_T_ERROR) {
                plan->hides = (facts->autocommit || facts->dynamic)
                              ? NGX_HYPERDRIVE_STATE_HIDES_ONE : 0;
                return 0;
            }

            end = lexer.pos;
            ngx_hyperdrive_sql_lexer_next(&lexer, &tok);
        }

        one.len = end - one.data;

        while (tok.type == NGX_HYPERDRIVE_SQL_T_SEMICOLON) {
            ngx_hyperdrive_sql_lexer_next(&lexer, &tok);
        }

        ngx_hyperdrive_sql_classify(&one, mode, names, sizeof(names), &of);

        hides = ngx_hyperdrive_classify_hides(&one, mode, &of);
        plan->hides = ngx_max(plan->hides, hides);

        does = ngx_hyperdrive_classify_does(&one, mode, &of);

        if (n < NGX_HYPERDRIVE_STATE_EACH) {
            each &= ~((ngx_uint_t) 0x0f << (4 * n));
            each |= does << (4 * n);

        } else if (does != ngx_hyperdrive_state_does(each, n)
                   || n == NGX_HYPERDRIVE_CLASSIFY_EACH)
        {
            known = NGX_HYPERDRIVE_STATE_EACH - 1;
            break;
        }

        if (of.kind == NGX_HYPERDRIVE_SQL_UNKNOWN
            || of.kind == NGX_HYPERDRIVE_SQL_CALL
            || ngx_strcmp(of.verb, "EXECUTE") == 0)
        {
            /* of how many results, nobody knows */
            known = ngx_min(n, NGX_HYPERDRIVE_STATE_EACH - 1);
            break;
        }
    }

    if (tok.type != NGX_HYPERDRIVE_SQL_T_END
        && (facts->autocommit || facts->dynamic))
    {
        plan->hides = NGX_HYPERDRIVE_STATE_HIDES_ONE;
    }

    /* from there on it may be anything */

    return each & (((ngx_uint_t) 1 << (4 * known)) - 1);
}


/*
 * MariaDB does not take what SET reads for part of the transaction that its
 * autocommit = 0 begins, which is left open, with all that is written next.
 */

static ngx_uint_t
ngx_hyperdrive_classify_hides(ngx_str_t *text, ngx_hyperdrive_sql_mode_t *mode,
    ngx_hyperdrive_sql_facts_t *facts)
{
    ngx_str_t                           body;
    static u_char                       names[16384];
    static ngx_hyperdrive_sql_facts_t   of;

    if (facts->dynamic) {

        if (ngx_hyperdrive_sql_mysql_prepare(text, mode, &body) != NGX_OK) {
            return NGX_HYPERDRIVE_STATE_HIDES_UNREAD;
        }

        ngx_hyperdrive_sql_classify(&body, mode, names, sizeof(names), &of);

        if (ngx_hyperdrive_classify_sets(&of)) {
            return NGX_HYPERDRIVE_STATE_HIDES_ONE;
        }
    }

    return ngx_hyperdrive_classify_sets(facts)
           ? NGX_HYPERDRIVE_STATE_HIDES_ONE : NGX_HYPERDRIVE_STATE_HIDES_NONE;
}


/* ...autocommit, by what it reads or with that */

static ngx_uint_t
ngx_hyperdrive_classify_sets(ngx_hyperdrive_sql_facts_t *facts)
{
    return facts->autocommit
           && (facts->ntables || facts->nfunctions || facts->incomplete);
}


/* ...one of them */

static ngx_uint_t
ngx_hyperdrive_classify_does(ngx_str_t *text, ngx_hyperdrive_sql_mode_t *mode,
    ngx_hyperdrive_sql_facts_t *facts)
{
    ngx_uint_t    does, query, united;
    const char  **verb;

    /* those that use no table, at least not by what they are */

    static const char  *verbs[] = {
        "SELECT", "SET", "DO", "BEGIN", "START", "COMMIT", "ROLLBACK",
        "SAVEPOINT", "RELEASE", "USE", "VALUES", NULL
    };

    /* those that FOUND_ROWS() may tell of, SELECT in them or not */

    static const char  *changes[] = {
        "", "CALL", "EXECUTE", "WITH", "TABLE", "DESCRIBE", "DESC", NULL
    };

    if (facts->kind == NGX_HYPERDRIVE_SQL_EMPTY) {

        /* a comment: with nothing at all it is an error */

        return NGX_HYPERDRIVE_STATE_FOUND_SAME
               | (mode->mariadb ? NGX_HYPERDRIVE_STATE_DOES_KEEP : 0);
    }

    if (facts->nstatements != 1 || facts->kind == NGX_HYPERDRIVE_SQL_UNKNOWN) {
        return 0;
    }

    does = 0;

    if (ngx_strcmp(facts->verb, "GET") == 0
        || (ngx_strcmp(facts->verb, "SHOW") == 0 && facts->asks))
    {
        does |= NGX_HYPERDRIVE_STATE_DOES_LOOK;
    }

    for (verb = verbs; *verb; verb++) {

        if (ngx_strcmp(facts->verb, *verb) == 0) {
            break;
        }
    }

    if (mode->mariadb && *verb && facts->ntables == 0
        && facts->nfunctions == 0 && !facts->may_write)
    {
        does |= NGX_HYPERDRIVE_STATE_DOES_KEEP;
    }

    query = ngx_hyperdrive_classify_has(text, mode, "select");
    united = ngx_hyperdrive_classify_has(text, mode, "union");

    if (facts->calc) {
        return does | NGX_HYPERDRIVE_STATE_FOUND_WANTED;
    }

    if (verb == verbs) {

        /* INTO a file or a variable changes it in ways of its own */

        if (facts->kind == NGX_HYPERDRIVE_SQL_READ && !facts->paged
            && !(facts->leaves & NGX_HYPERDRIVE_SQL_LEAVES_VARIABLE))
        {
            does |= NGX_HYPERDRIVE_STATE_FOUND_ROWS;
        }

        return does;
    }

    if (facts->listed
        || (ngx_strcmp(facts->verb, "EXPLAIN") == 0
            ? united || facts->ntables == 0 : query))
    {
        return does;
    }

    for (verb = changes; *verb; verb++) {

        if (ngx_strcmp(facts->verb, *verb) == 0) {
            return does;
        }
    }

    if (facts->ntables > 1 && ngx_strcmp(facts->verb, "UPDATE") == 0) {
        /* rows of a join are found first */
        return does;
    }

    return does | NGX_HYPERDRIVE_STATE_FOUND_SAME;
}


/* such a word, not within a name or a string; or what cannot be read */

static ngx_uint_t
ngx_hyperdrive_classify_has(ngx_str_t *text, ngx_hyperdrive_sql_mode_t *mode,
    const char *word)
{
    size_t                      len;
    ngx_hyperdrive_sql_lexer_t  lexer;
    ngx_hyperdrive_sql_token_t  tok;

    len = ngx_strlen(word);

    ngx_hyperdrive_sql_lexer_init(&lexer, text, mode);

    do {
        ngx_hyperdrive_sql_lexer_next(&lexer, &tok);

        if (tok.type == NGX_HYPERDRIVE_SQL_T_ERROR
            || (tok.type == NGX_HYPERDRIVE_SQL_T_WORD && tok.text.len == len
                && ngx_strncasecmp(tok.text.data, (u_char *) word, len) == 0))
        {
            return 1;
        }

    } while (tok.type != NGX_HYPERDRIVE_SQL_T_END);

    return 0;
}


/* may search_path be another one behind it, up to the end of the block? */

static ngx_uint_t
ngx_hyperdrive_classify_local(ngx_str_t *text,
    ngx_hyperdrive_sql_facts_t *facts)
{
    if (facts->known_reason == NGX_HYPERDRIVE_SQL_CACHEABLE
        && facts->nfunctions == 0)
    {
        /* a SELECT of nothing that could change anything */
        return 0;
    }

    return facts->kind == NGX_HYPERDRIVE_SQL_SET_LOCAL
           || ngx_strlcasestrn(text->data, text->data + text->len,
                               (u_char *) "search_path",
                               sizeof("search_path") - 2)
           || ngx_strlcasestrn(text->data, text->data + text->len,
                               (u_char *) "set_config",
                               sizeof("set_config") - 2);
}


/* it changes settings, each of them in a way that we can repeat */

static ngx_uint_t
ngx_hyperdrive_classify_settings(ngx_str_t *text,
    ngx_hyperdrive_sql_mode_t *mode)
{
    ngx_int_t                           rc;
    ngx_str_t                           masked;
    ngx_uint_t                          found;
    ngx_hyperdrive_sql_set_t            set;
    ngx_hyperdrive_sql_mode_t           safe;
    ngx_hyperdrive_sql_set_reader_t     r;
    static u_char                       buf[16384], names[16384];
    static u_char                       mask[NGX_HYPERDRIVE_SQL_SET_MASK];
    static ngx_hyperdrive_sql_facts_t   facts;

    masked = *text;
    safe = *mode;

    ngx_hyperdrive_sql_set_mask(&masked, &safe, mask, sizeof(mask));

    ngx_memzero(&r, sizeof(ngx_hyperdrive_sql_set_reader_t));

    r.buf = buf;
    r.size = sizeof(buf);

    found = 0;

    ngx_hyperdrive_sql_set_begin(&r, &masked, &safe);

    for ( ;; ) {
        rc = ngx_hyperdrive_sql_set_next(&r, &set);

        if (rc == NGX_DONE) {
            return found;
        }

        if (rc != NGX_OK) {
            return 0;
        }

        if (set.change <= NGX_HYPERDRIVE_SQL_SET_DISCARD_ALL) {
            found = 1;

        } else if (set.change == NGX_HYPERDRIVE_SQL_SET_OTHER) {

            /* another statement, with consequences of its own? */

            ngx_hyperdrive_sql_classify(&set.value, &safe, names,
                                        sizeof(names), &facts);

            if (facts.stateful) {
                return 0;
            }
        }
    }
}


/* SET autocommit to what it can be set to, alone */

static ngx_uint_t
ngx_hyperdrive_classify_autocommit(ngx_str_t *text,
    ngx_hyperdrive_sql_mode_t *mode)
{
    u_char                            buf[256];
    ngx_str_t                         name;
    ngx_hyperdrive_sql_set_t          set, behind;
    ngx_hyperdrive_sql_set_reader_t   r;

    ngx_memzero(&r, sizeof(ngx_hyperdrive_sql_set_reader_t));

    r.buf = buf;
    r.size = sizeof(buf);

    ngx_str_set(&name, "autocommit");

    ngx_hyperdrive_sql_set_begin(&r, text, mode);

    if (ngx_hyperdrive_sql_set_next(&r, &set) != NGX_OK
        || set.change != NGX_HYPERDRIVE_SQL_SET_VALUE
        || !ngx_hyperdrive_base_same(&set.name, &name)
        || set.value.len != 1
        || ngx_hyperdrive_sql_set_next(&r, &behind) != NGX_DONE)
    {
        return NGX_HYPERDRIVE_STATE_AUTOCOMMIT_NONE;
    }

    switch (set.value.data[0]) {

    case '0':
        return NGX_HYPERDRIVE_STATE_AUTOCOMMIT_OFF;

    case '1':
        return NGX_HYPERDRIVE_STATE_AUTOCOMMIT_ON;

    default:
        return NGX_HYPERDRIVE_STATE_AUTOCOMMIT_NONE;
    }
}
