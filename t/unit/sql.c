/* sources: sql/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/* Tests for the SQL classifier: texts and what is told about them. */


#include "sql/ngx_hyperdrive_sql_lexer.h"

#include "sql_texts.h"
#include "check.h"


#define text(s)  s, sizeof(s) - 1


static void read_sql(const char *sql, size_t len);
static void expect(const char *sql, size_t len, const char *facts);
static char *describe(void);
static void test_modes(void);
static void test_lexer(void);
static void test_limits(void);
static void test_tables(void);
static void test_clock(void);
static void test_cuts(void);


static ngx_hyperdrive_sql_mode_t   mode;
static ngx_hyperdrive_sql_facts_t  facts;
static u_char                     *names;
static size_t                      names_size;


int
main(void)
{
    ngx_uint_t  i;

    mode.standard_conforming_strings = 1;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        expect(texts[i].sql, ngx_strlen(texts[i].sql), texts[i].facts);
    }

    test_modes();
    test_lexer();
    test_limits();
    test_tables();
    test_clock();
    test_cuts();

    free(names);

    return done();
}


/* the text and the names are in blocks of their own size, for ASan */

static void
read_sql(const char *sql, size_t len)
{
    u_char     *copy;
    ngx_str_t   text;

    copy = malloc(len ? len : 1);
    ngx_memcpy(copy, sql, len);

    free(names);

    names_size = len;
    names = malloc(names_size ? names_size : 1);

    text.data = copy;
    text.len = len;

    ngx_memset(&facts, 0x5a, sizeof(ngx_hyperdrive_sql_facts_t));

    ngx_hyperdrive_sql_classify(&text, &mode, names, names_size, &facts);

    free(copy);
}


static void
expect(const char *sql, size_t len, const char *want)
{
    char  *got;

    read_sql(sql, len);

    got = describe();

    ok(strcmp(got, want) == 0, sql);

    if (strcmp(got, want) != 0) {
        printf("#      got: %s\n# expected: %s\n", got, want);
    }
}


static char *
describe(void)
{
    u_char                      *p;
    ngx_uint_t                   i;
    ngx_hyperdrive_sql_table_t  *t;

    static u_char                buf[65536];

    p = ngx_sprintf(buf, "%V %V ", ngx_hyperdrive_sql_kind_name(facts.kind),
                    ngx_hyperdrive_sql_reason_name(facts.reason));

    if (facts.stateful) {
        *p++ = 'S';
    }

    if (facts.may_write) {
        *p++ = 'W';
    }

    if (facts.incomplete) {
        *p++ = 'I';
    }

    if (facts.unknown_function) {
        *p++ = 'U';
    }

    if (facts.transaction_control) {
        *p++ = 'T';
    }

    if (facts.begin_plain) {
        *p++ = 'b';
    }

    if (facts.serializable) {
        *p++ = 'z';
    }

    if (facts.read_only) {
        *p++ = 'r';
    }

    if (facts.temporary) {
        *p++ = 't';
    }

    if (facts.copy_in) {
        *p++ = 'c';
    }

    if (facts.alone) {
        *p++ = 'a';
    }

    if (p[-1] == ' ') {
        *p++ = '-';
    }

    for (i = 0; i < facts.ntables; i++) {
        t = &facts.tables[i];

        p = ngx_sprintf(p, " %V%s%V%s", &t->schema, t->schema.len ? "." : "",
                        &t->name, t->written ? "*" : "");
    }

    *p = '\0';

    return (char *) buf;
}


static void
test_modes(void)
{
    const char  *sql;

    sql = "SELECT 'a\\' FROM t WHERE b = ' , f(x) FROM u --'";

    expect(sql, strlen(sql), "read cacheable - t");

    mode.standard_conforming_strings = 0;

    expect(sql, strlen(sql), "read function SWU u");

    sql = "SELECT N'a\\' FROM t', 'n\\x6fw' FROM u";

    expect(sql, strlen(sql), "read volatile - u");

    mode.standard_conforming_strings = 1;
    mode.unsafe_encoding = 1;

    sql = "SELECT '\x83\x5c' FROM t";

    expect(sql, strlen(sql), "unknown parse SWIUTa");
    expect(text("SELECT 'a' FROM t"), "read cacheable - t");

    mode.unsafe_encoding = 0;

    expect(sql, strlen(sql), "read cacheable - t");
}


static void
test_lexer(void)
{
    expect(text("SELECT 1 FROM t\0 FOR UPDATE"), "unknown parse SWIUTa");

    expect(text("SELECT 'no'\n  -- and\n  'w' FROM t"), "read volatile - t");
    expect(text("SELECT 'no' 'w' FROM t"), "read cacheable - t");
    expect(text("SELECT 'a' -- b\n' FROM t' FROM u"), "read cacheable - u");
    expect(text("SELECT E'\\\\'\n'\\' FROM t' FROM u"), "read cacheable - u");
    expect(text("SELECT 'a'-- ' FROM t\n-1 FROM u"), "read cacheable - u");
    expect(text("SELECT $$ a"), "unknown parse SWIUTa");
    expect(text("SELECT $a$ $b$ $a $a$ FROM t"), "read cacheable - t");
    expect(text("SELECT a$b, c$$d$$ FROM t"), "read cacheable - t");
    expect(text("SELECT 1 /* now() */ -- FOR UPDATE\n FROM t"),
           "read cacheable - t");
    expect(text("SELECT 1 +-- x\n 2 FROM t"), "read cacheable - t");
    expect(text("SELECT 1 */* x */ 2 FROM t"), "read cacheable - t");
    expect(text("SELECT 1 /* /* */ FROM t"), "unknown parse SWIUTa");
    expect(text("SELECT a*-1, b<-c, d@-e FROM t"), "read function - t");
    expect(text("SELECT a FROM t WHERE b = -- now()\r c"),
           "read cacheable - t");
    expect(text("\t\n\f\r SELECT\n*\nFROM\nt\n"), "read cacheable - t");
    expect(text("SELECT\v1 FROM t"), "unknown parse SWIUTa");
    expect(text("SELECT U&'a' UESCAPE '!' FROM t"), "unknown parse SWIUTa");
    expect(text("SELECT u&x FROM t"), "read cacheable - t");
    expect(text("SELECT e 'x', b\"y\" FROM t"), "read cacheable - t");
    expect(text("SELECT a FROM t WHERE b=$1AND c"),
           "unknown parse SWIUTa t");
    expect(text("SELECT x'1F'now FROM t"), "read cacheable - t");

    read_sql("sElEcT 1", 8);
    ok(strcmp((char *) facts.verb, "SELECT") == 0, "verb in upper case");

    read_sql("  (values (1))", 14);
    ok(strcmp((char *) facts.verb, "SELECT") == 0, "verb of a parenthesis");

    read_sql("secret 'abc'", 12);
    ok(facts.verb[0] == '\0', "no verb that is not a keyword");

    read_sql("; ;begin; select 1; ;commit;", 28);
    ok(facts.nstatements == 3
       && strcmp((char *) facts.verb, "BEGIN") == 0,
       "statements are counted without empty ones");

    read_sql("current_timestamp", 17);
    ok(strcmp((char *) facts.verb, "CURRENT_TIMESTA") == 0,
       "a long verb is cut");
}


static void
test_limits(void)
{
    char        *sql, *p;
    ngx_uint_t   i;
    ngx_str_t    text;
    u_char       buf[8];

    sql = malloc(2 * 1024 * 1024);

    p = sql + sprintf(sql, "SELECT * FROM t0");

    for (i = 1; i < 80; i++) {
        p += sprintf(p, ", t%lu", (unsigned long) i);
    }

    read_sql(sql, p - sql);
    ok(facts.ntables == NGX_HYPERDRIVE_SQL_MAX_TABLES && facts.incomplete
       && facts.reason == NGX_HYPERDRIVE_SQL_TOO_COMPLEX,
       "more tables than kept");

    p = sql + sprintf(sql, "SELECT * FROM t0");

    for (i = 1; i < 200; i++) {
        p += sprintf(p, ", T%lu", (unsigned long) (i % 64));
    }

    read_sql(sql, p - sql);
    ok(facts.ntables == 64 && !facts.incomplete
       && facts.reason == NGX_HYPERDRIVE_SQL_CACHEABLE,
       "as many tables as kept, more than once each");

    text.data = (u_char *) "SELECT * FROM abcd, efgh, ij";
    text.len = ngx_strlen(text.data);

    ngx_hyperdrive_sql_classify(&text, &mode, buf, sizeof(buf), &facts);
    ok(facts.ntables == 2 && facts.incomplete
       && facts.reason == NGX_HYPERDRIVE_SQL_TOO_COMPLEX,
       "no memory for names");

    ngx_hyperdrive_sql_classify(&text, &mode, NULL, 0, &facts);
    ok(facts.ntables == 0 && facts.incomplete, "no memory at all");

    p = sql + sprintf(sql, "SELECT * FROM ");
    ngx_memset(p, 'A', 70);
    p += 70;

    read_sql(sql, p - sql);
    ok(facts.ntables == 1 && facts.tables[0].name.len == 63
       && facts.tables[0].name.data[62] == 'a'
       && facts.reason == NGX_HYPERDRIVE_SQL_CACHEABLE,
       "a long name is cut as the server cuts it");

    p[-8] = '\xc3';
    p[-7] = '\xa4';

    read_sql(sql, p - sql);
    ok(facts.incomplete && facts.reason == NGX_HYPERDRIVE_SQL_TOO_COMPLEX,
       "but not if the encoding matters");

    p = sql + sprintf(sql, "SELECT ");
    ngx_memset(p, '(', 400);
    p += 400;
    *p++ = '1';
    ngx_memset(p, ')', 400);
    p += 400;
    p += sprintf(p, " FROM t");

    read_sql(sql, p - sql);
    ok(facts.reason == NGX_HYPERDRIVE_SQL_CACHEABLE, "400 parentheses");

    ngx_memset(sql, '(', 1024 * 1024);

    read_sql(sql, 1024 * 1024);
    ok(facts.kind == NGX_HYPERDRIVE_SQL_UNKNOWN && facts.stateful
       && facts.reason == NGX_HYPERDRIVE_SQL_TOO_COMPLEX,
       "a million parentheses");

    /* texts that would be slow to read if anything were read twice */

    for (i = 0; i < 1024 * 1024; i += 8) {
        ngx_memcpy(sql + i, "$a$b$a$ ", 8);
    }

    read_sql(sql, 1024 * 1024);
    ok(facts.kind == NGX_HYPERDRIVE_SQL_UNKNOWN, "dollars");

    for (i = 0; i < 1024 * 1024; i += 2) {
        ngx_memcpy(sql + i, "/*", 2);
    }

    read_sql(sql, 1024 * 1024);
    ok(facts.kind == NGX_HYPERDRIVE_SQL_UNKNOWN, "comments");

    for (i = 0; i < 1024 * 1024; i += 4) {
        ngx_memcpy(sql + i, "''\n ", 4);
    }

    ngx_memcpy(sql, "SELECT  ", 8);

    read_sql(sql, 1024 * 1024);
    ok(facts.kind == NGX_HYPERDRIVE_SQL_READ, "a string of many parts");

    p = sql + sprintf(sql, "WITH a0 AS (SELECT 1)");

    for (i = 1; i < 20000; i++) {
        p += sprintf(p, ", a%lu AS (SELECT * FROM a%lu)",
                     (unsigned long) i, (unsigned long) i - 1);
    }

    p += sprintf(p, " SELECT * FROM a1");

    read_sql(sql, p - sql);
    ok(facts.kind == NGX_HYPERDRIVE_SQL_READ && facts.incomplete
       && facts.reason == NGX_HYPERDRIVE_SQL_TOO_COMPLEX,
       "more WITH queries than kept count as tables");

    p = sql + sprintf(sql, "INSERT INTO t VALUES (1)");

    for (i = 0; i < 100000; i++) {
        p += sprintf(p, ",('now')");
    }

    read_sql(sql, p - sql);
    ok(facts.kind == NGX_HYPERDRIVE_SQL_WRITE && facts.ntables == 1
       && !facts.stateful, "a large INSERT");

    free(sql);
}


/* the lists must be sorted, and some names must never change their class */

static void
test_tables(void)
{
    size_t                               n;
    ngx_uint_t                           i, good;
    const ngx_hyperdrive_sql_name_t     *f;
    ngx_str_t                            text;
    ngx_hyperdrive_sql_mode_t            mode;
    ngx_hyperdrive_sql_lexer_t           lexer;
    ngx_hyperdrive_sql_token_t           token;
    const ngx_hyperdrive_sql_keyword_t  *k;

    static const struct {
        const char  *name;
        ngx_uint_t   class;
    } functions[] = {
        { "abs", NGX_HYPERDRIVE_SQL_F_IMMUTABLE },
        { "count", NGX_HYPERDRIVE_SQL_F_IMMUTABLE },
        { "row_number", NGX_HYPERDRIVE_SQL_F_IMMUTABLE },
        { "json_agg", NGX_HYPERDRIVE_SQL_F_SETTINGS },
        { "jsonb_object_agg", NGX_HYPERDRIVE_SQL_F_SETTINGS },
        { "to_char", NGX_HYPERDRIVE_SQL_F_SETTINGS },
        { "now", NGX_HYPERDRIVE_SQL_F_HARMLESS },
        { "random", NGX_HYPERDRIVE_SQL_F_HARMLESS },
        { "current_setting", NGX_HYPERDRIVE_SQL_F_HARMLESS },
        { "pg_advisory_xact_lock", NGX_HYPERDRIVE_SQL_F_HARMLESS },
        { "set_config", NGX_HYPERDRIVE_SQL_F_SESSION },
        { "setseed", NGX_HYPERDRIVE_SQL_F_SESSION },
        { "nextval", NGX_HYPERDRIVE_SQL_F_SESSION },
        { "currval", NGX_HYPERDRIVE_SQL_F_SESSION },
        { "lastval", NGX_HYPERDRIVE_SQL_F_SESSION },
        { "setval", NGX_HYPERDRIVE_SQL_F_SESSION },
        { "pg_advisory_lock", NGX_HYPERDRIVE_SQL_F_SESSION },
        { "pg_try_advisory_lock_shared", NGX_HYPERDRIVE_SQL_F_SESSION },
        { "lo_open", NGX_HYPERDRIVE_SQL_F_WRITES },
        { "query_to_xml", NGX_HYPERDRIVE_SQL_F_WRITES },
        { "table_to_xml", NGX_HYPERDRIVE_SQL_F_WRITES },
        { "ts_stat", NGX_HYPERDRIVE_SQL_F_WRITES },
        { "ts_rewrite", NGX_HYPERDRIVE_SQL_F_WRITES },
        { "dblink", NGX_HYPERDRIVE_SQL_F_UNKNOWN },
        { "int4in", NGX_HYPERDRIVE_SQL_F_UNKNOWN },
        { "aaa", NGX_HYPERDRIVE_SQL_F_UNKNOWN },
        { "zzz", NGX_HYPERDRIVE_SQL_F_UNKNOWN }
    };

    good = 1;
    f = ngx_hyperdrive_sql_pg.functions;

    for (i = 1; i < *ngx_hyperdrive_sql_pg.nfunctions; i++) {
        good &= ngx_memn2cmp(f[i - 1].text.data, f[i].text.data,
                             f[i - 1].text.len, f[i].text.len) < 0;
    }

    ok(good && i > 1000, "functions are sorted");

    good = 1;
    f = ngx_hyperdrive_sql_pg.operators;

    for (i = 1; i < *ngx_hyperdrive_sql_pg.noperators; i++) {
        good &= ngx_memn2cmp(f[i - 1].text.data, f[i].text.data,
                             f[i - 1].text.len, f[i].text.len) < 0;
    }

    ok(good && i > 50, "operators are sorted");

    good = 1;
    k = ngx_hyperdrive_sql_pg.keywords;

    for (i = 1; i < ngx_hyperdrive_sql_pg.nkeywords; i++) {
        good &= ngx_memn2cmp(k[i - 1].text.data, k[i].text.data,
                             k[i - 1].text.len, k[i].text.len) < 0;
    }

    ok(good && i > 400, "keywords are sorted");

    ngx_hyperdrive_sql_mode(0, &mode);

    for (good = 1, i = 0; i < ngx_hyperdrive_sql_pg.nkeywords; i++) {
        text = k[i].text;

        ngx_hyperdrive_sql_lexer_init(&lexer, &text, &mode);
        ngx_hyperdrive_sql_lexer_next(&lexer, &token);

        good &= (token.keyword == k[i].id && token.category == k[i].category);
    }

    ok(good, "keywords are found");

    good = 1;

    for (i = 0; i < ngx_hyperdrive_sql_pg.nkeywords; i++) {
        ngx_memzero(&token, sizeof(ngx_hyperdrive_sql_token_t));

        token.text = k[i].text;
        token.category = NGX_HYPERDRIVE_SQL_NOT_KEYWORD;

        ngx_hyperdrive_sql_lexer_keyword(&ngx_hyperdrive_sql_pg, &token);

        good &= (token.keyword == k[i].id && token.category == k[i].category);
    }

    ok(good, "keywords are found");

    for (i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {

        n = ngx_strlen(functions[i].name);

        ok((ngx_hyperdrive_sql_lexer_lookup(ngx_hyperdrive_sql_pg.functions,
                                        *ngx_hyperdrive_sql_pg.nfunctions,
                                        (u_char *) functions[i].name, n)
            & NGX_HYPERDRIVE_SQL_F_CLASS)
           == functions[i].class, functions[i].name);
    }

    good = 1;

    for (i = 0; i <= NGX_HYPERDRIVE_SQL_UNKNOWN; i++) {
        good &= ngx_hyperdrive_sql_kind_name(i)->len > 0;
    }

    ok(good && strcmp((char *) ngx_hyperdrive_sql_kind_name(
                                                NGX_HYPERDRIVE_SQL_UNKNOWN)
                      ->data, "unknown") == 0, "names of kinds");

    good = 1;

    for (i = 0; i <= NGX_HYPERDRIVE_SQL_TOO_COMPLEX; i++) {
        good &= ngx_hyperdrive_sql_reason_name(i)->len > 0;
    }

    ok(good && strcmp((char *) ngx_hyperdrive_sql_reason_name(
                                              NGX_HYPERDRIVE_SQL_TOO_COMPLEX)
                      ->data, "too_complex") == 0, "names of reasons");
}


static void
test_clock(void)
{
    char         text[512];
    ngx_uint_t   i;

    static const struct {
        const char  *text;
        ngx_uint_t   clock;
    } values[] = {
        { "", 0 },
        { "now", 1 },
        { " NOW ", 1 },
        { "nowhere", 0 },
        { "know", 0 },
        { "today", 1 },
        { "tomorrow 10:00", 1 },
        { "10:00 yesterday", 1 },
        { "10now", 1 },
        { ",,now", 1 },
        { "2020-01-01", 0 },
        { "infinity", 0 },
        { "{2020-01-01,now}", 1 },
        { "('today')", 1 },
        { "tomorro", 0 },
        { "yesterdays", 0 },
        { "\xc3\xa4now", 1 }
    };

    for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        ok(ngx_hyperdrive_sql_clock_text((u_char *) values[i].text,
                                         ngx_strlen(values[i].text))
           == values[i].clock, values[i].text);
    }

    ngx_memset(text, 'x', sizeof(text));
    ngx_memcpy(text + 300, " now ", 5);

    ok(!ngx_hyperdrive_sql_clock_text((u_char *) text, sizeof(text)),
       "a long text is no date");

    text[0] = '{';

    ok(ngx_hyperdrive_sql_clock_text((u_char *) text, sizeof(text)),
       "but an array may be one of dates");

    ngx_memset(text, ' ', sizeof(text));
    ngx_memcpy(text + 300, " now ", 5);

    ok(ngx_hyperdrive_sql_clock_text((u_char *) text, sizeof(text)),
       "and spaces do not count");
}


/* each text cut at each byte: nothing may be read behind its end */

static void
test_cuts(void)
{
    size_t      n, len;
    ngx_uint_t  i, good;

    good = 1;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        len = ngx_strlen(texts[i].sql);

        for (n = 0; n <= len; n++) {
            read_sql(texts[i].sql, n);

            if (facts.kind > NGX_HYPERDRIVE_SQL_UNKNOWN
                || facts.reason > NGX_HYPERDRIVE_SQL_TOO_COMPLEX
                || (facts.reason == NGX_HYPERDRIVE_SQL_CACHEABLE
                    && (facts.kind != NGX_HYPERDRIVE_SQL_READ
                        || facts.ntables == 0 || facts.stateful
                        || facts.may_write || facts.incomplete)))
            {
                good = 0;
            }
        }
    }

    ok(good, "all texts, cut at every byte");
}
