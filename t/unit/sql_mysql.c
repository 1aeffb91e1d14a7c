/* sources: sql/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/* Tests for the SQL classifier: MySQL and MariaDB. */


#include "sql/ngx_hyperdrive_sql_lexer.h"
#include "base/ngx_hyperdrive_base_mode.h"

#include "sql_mysql_describe.h"
#include "sql_mysql_texts.h"
#include "check.h"


#define MARIADB(version)                                                      \
    (NGX_HYPERDRIVE_BASE_MODE_MYSQL | NGX_HYPERDRIVE_BASE_MODE_MARIADB        \
     | (ngx_uint_t) (version) << 32)

#define MYSQL(version)                                                        \
    (NGX_HYPERDRIVE_BASE_MODE_MYSQL | (ngx_uint_t) (version) << 32)


static void read_sql(const char *sql, size_t len);
static void expect(const char *sql, size_t len, const char *want);
static void test_modes(void);
static void test_names(void);
static void test_charsets(void);
static void test_lexer(void);
static void test_lists(void);
static void test_cuts(void);


static ngx_uint_t                  bits;
static ngx_hyperdrive_sql_facts_t  facts;
static u_char                     *names;
static size_t                      names_size;


int
main(void)
{
    ngx_uint_t  i;

    bits = MARIADB(101119);

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        expect(texts[i].sql, ngx_strlen(texts[i].sql), texts[i].facts);
    }

    test_modes();
    test_names();
    test_charsets();
    test_lexer();
    test_lists();
    test_cuts();

    free(names);

    return done();
}


/* the text and the names are in blocks of their own size, for ASan */

static void
read_sql(const char *sql, size_t len)
{
    u_char                     *copy;
    ngx_str_t                   text;
    ngx_hyperdrive_sql_mode_t   mode;

    copy = malloc(len ? len : 1);
    ngx_memcpy(copy, sql, len);

    free(names);

    names_size = len;
    names = malloc(names_size ? names_size : 1);

    text.data = copy;
    text.len = len;

    ngx_memset(&facts, 0x5a, sizeof(ngx_hyperdrive_sql_facts_t));

    ngx_hyperdrive_sql_mode(bits, &mode);
    ngx_hyperdrive_sql_classify(&text, &mode, names, names_size, &facts);

    free(copy);
}


static void
expect(const char *sql, size_t len, const char *want)
{
    char  *got;

    read_sql(sql, len);

    got = describe(&facts);

    ok(strcmp(got, want) == 0, sql);

    if (strcmp(got, want) != 0) {
        printf("#      got: %s\n# expected: %s\n", got, want);
    }
}


/* the same text is another one in another mode, or for another server */

static void
test_modes(void)
{
    ngx_uint_t  i;

    static const struct {
        ngx_uint_t   bits;
        const char  *sql;
        const char  *facts;
    } modes[] = {

        { MARIADB(101119),
          "SELECT \"a\" FROM t WHERE b = \"now()\"",
          "read cacheable - t" },

        { MARIADB(101119) | NGX_HYPERDRIVE_BASE_MODE_ANSI_QUOTES,
          "SELECT * FROM \"t\"\"x\" JOIN \"s\".\"u\"",
          "read cacheable - t\"x s.u" },

        { MARIADB(101119),
          "SELECT * FROM \"t\"",
          "unknown parse WIATa !function" },

        { MARIADB(101119),
          "SELECT '\\' FROM t WHERE a = ' FROM u'",
          "unknown parse WIATa !function u" },

        { MARIADB(101119) | NGX_HYPERDRIVE_BASE_MODE_NO_BACKSLASH,
          "SELECT '\\' FROM t WHERE a = ' FROM u'",
          "read cacheable - t" },

        { MARIADB(101119),
          "SELECT max (a) FROM t",
          "read function W !function t max()" },

        { MARIADB(101119) | NGX_HYPERDRIVE_BASE_MODE_IGNORE_SPACE,
          "SELECT max (a) FROM t",
          "read cacheable - t" },

        { MARIADB(101119) | NGX_HYPERDRIVE_BASE_MODE_UNREAD,
          "SELECT a FROM t",
          "unknown parse WIATa !function" },

        { MARIADB(101119),
          "SELECT /*!50701 rand(), */ a FROM t",
          "read cacheable - t" },

        { MYSQL(80403),
          "SELECT /*!50701 rand(), */ a FROM t",
          "read volatile - t" },

        { MYSQL(80403),
          "SELECT /*!80404 rand(), */ a FROM t",
          "read cacheable - t" },

        { MYSQL(80403),
          "SELECT /*M! rand(), */ a FROM t",
          "read cacheable - t" },

        { MARIADB(0),
          "SELECT /*M! rand(), */ a FROM t",
          "unknown parse WIATa !function" },

        { MYSQL(0),
          "SELECT /*!40000 rand(), */ a FROM t",
          "unknown parse WIATa !function" },

        { MYSQL(0),
          "SELECT /*! rand(), */ a FROM t",
          "read volatile - t" },

        { MYSQL(0),
          "SELECT /* rand(), */ a FROM t",
          "read cacheable - t" }
    };

    for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        bits = modes[i].bits;
        expect(modes[i].sql, ngx_strlen(modes[i].sql), modes[i].facts);
    }

    bits = MARIADB(101119);
}


/* from what a server says of itself */

static void
test_names(void)
{
    ngx_str_t   version, charset, sql_mode;
    ngx_uint_t  i, got;

    static const struct {
        const char  *version;
        const char  *charset;
        const char  *sql_mode;
        ngx_uint_t   bits;
    } servers[] = {

        { "10.11.6-MariaDB-log", "utf8mb4", "", MARIADB(101106) },

        { "5.5.5-10.11.6-MariaDB-1:10.11.6+maria~deb12", "utf8mb3",
          "STRICT_TRANS_TABLES,NO_ENGINE_SUBSTITUTION", MARIADB(101106) },

        { "8.4.3", "latin1", "ONLY_FULL_GROUP_BY", MYSQL(80403) },

        { "8.0", "latin1", "", MYSQL(0) },
        { "", "latin1", "", MYSQL(0) },
        { "x.y.z", "latin1", "", MYSQL(0) },
        { "8.4.300", "latin1", "", MYSQL(0) },

        { "8.4.3", "SJIS",
          "REAL_AS_FLOAT,PIPES_AS_CONCAT,ansi_quotes,IGNORE_SPACE,ANSI",
          MYSQL(80403) | NGX_HYPERDRIVE_BASE_MODE_SJIS << 12
          | NGX_HYPERDRIVE_BASE_MODE_ANSI_QUOTES
          | NGX_HYPERDRIVE_BASE_MODE_IGNORE_SPACE },

        { "8.4.3", "gb18030", "NO_BACKSLASH_ESCAPES",
          MYSQL(80403) | NGX_HYPERDRIVE_BASE_MODE_GB18030 << 12
          | NGX_HYPERDRIVE_BASE_MODE_NO_BACKSLASH },

        { "10.11.6-MariaDB", "swe7", "ORACLE",
          MARIADB(101106) | NGX_HYPERDRIVE_BASE_MODE_UNREAD }
    };

    for (i = 0; i < sizeof(servers) / sizeof(servers[0]); i++) {
        version.data = (u_char *) servers[i].version;
        version.len = ngx_strlen(servers[i].version);
        charset.data = (u_char *) servers[i].charset;
        charset.len = ngx_strlen(servers[i].charset);
        sql_mode.data = (u_char *) servers[i].sql_mode;
        sql_mode.len = ngx_strlen(servers[i].sql_mode);

        got = ngx_hyperdrive_base_mode_mysql(&version, &charset, &sql_mode);

        ok(got == servers[i].bits, servers[i].version);

        if (got != servers[i].bits) {
            printf("# got %lx, expected %lx\n", (unsigned long) got,
                   (unsigned long) servers[i].bits);
        }
    }
}


/* a backslash or a quote that is a part of a character */

static void
test_charsets(void)
{
    ngx_uint_t  i;

    static const struct {
        ngx_uint_t   charset;
        const char  *sql;
        const char  *facts;
    } sets[] = {

        /* 0x95 0x5c is one character in SJIS */

        { NGX_HYPERDRIVE_BASE_MODE_SJIS,
          "SELECT '\x95\\' FROM t",
          "read cacheable - t" },

        { NGX_HYPERDRIVE_BASE_MODE_SAFE,
          "SELECT '\x95\\' FROM t",
          "unknown parse WIATa !function" },

        { NGX_HYPERDRIVE_BASE_MODE_GBK,
          "SELECT '\xbf\\' FROM t -- ' FROM u",
          "read cacheable - t" },

        /* 0xbf 0x27 is none, the quote is a quote */

        { NGX_HYPERDRIVE_BASE_MODE_GBK,
          "SELECT '\xbf' FROM t",
          "read cacheable - t" },

        { NGX_HYPERDRIVE_BASE_MODE_BIG5,
          "SELECT '\xa5\\' FROM t",
          "read cacheable - t" },

        { NGX_HYPERDRIVE_BASE_MODE_GB18030,
          "SELECT '\x81\x30\x81\x30', '\x81\\' FROM t",
          "read cacheable - t" },

        /* the whole character is escaped */

        { NGX_HYPERDRIVE_BASE_MODE_SJIS,
          "SELECT '\\\x95\\' FROM t",
          "read cacheable - t" },

        /* outside of strings there is no telling */

        { NGX_HYPERDRIVE_BASE_MODE_SJIS,
          "SELECT \x95\\ FROM t",
          "unknown parse WIATa !function" },

        { NGX_HYPERDRIVE_BASE_MODE_SJIS,
          "SELECT * FROM `\x95\\`",
          "unknown parse WIATa !function" },

        { NGX_HYPERDRIVE_BASE_MODE_SAFE,
          "SELECT * FROM \xc3\xa9t\xc3\xa9",
          "read cacheable - \xc3\xa9t\xc3\xa9" }
    };

    for (i = 0; i < sizeof(sets) / sizeof(sets[0]); i++) {
        bits = MARIADB(101119) | sets[i].charset << 12;
        expect(sets[i].sql, ngx_strlen(sets[i].sql), sets[i].facts);
    }

    bits = MARIADB(101119);

    expect("SELECT 'a\0b' FROM t", 19, "read cacheable - t");
    expect("SELECT a\0 FROM t", 16, "unknown parse WIATa !function");
}


static void
test_lexer(void)
{
    ngx_str_t                    text;
    ngx_uint_t                   i, n;
    ngx_hyperdrive_sql_mode_t    mode;
    ngx_hyperdrive_sql_lexer_t   lexer;
    ngx_hyperdrive_sql_token_t   token;

    static const struct {
        const char  *text;
        int          types[8];
    } tokens[] = {
        { "a.1e5", { NGX_HYPERDRIVE_SQL_T_WORD, NGX_HYPERDRIVE_SQL_T_DOT,
                     NGX_HYPERDRIVE_SQL_T_WORD } },
        { "1e5", { NGX_HYPERDRIVE_SQL_T_NUMBER } },
        { "1e5x", { NGX_HYPERDRIVE_SQL_T_NUMBER, NGX_HYPERDRIVE_SQL_T_WORD } },
        { "1ex", { NGX_HYPERDRIVE_SQL_T_WORD } },
        { "1e+5", { NGX_HYPERDRIVE_SQL_T_NUMBER } },
        { "1e+", { NGX_HYPERDRIVE_SQL_T_WORD, NGX_HYPERDRIVE_SQL_T_OPERATOR } },
        { "0x1F", { NGX_HYPERDRIVE_SQL_T_NUMBER } },
        { "0x1G", { NGX_HYPERDRIVE_SQL_T_WORD } },
        { "0X1F", { NGX_HYPERDRIVE_SQL_T_WORD } },
        { "x'1f'", { NGX_HYPERDRIVE_SQL_T_BITS } },
        { "n'x'", { NGX_HYPERDRIVE_SQL_T_STRING } },
        { "1.5.6", { NGX_HYPERDRIVE_SQL_T_NUMBER,
                     NGX_HYPERDRIVE_SQL_T_NUMBER } },
        { "a .5", { NGX_HYPERDRIVE_SQL_T_WORD, NGX_HYPERDRIVE_SQL_T_NUMBER } },
        { "@a.b:=1", { NGX_HYPERDRIVE_SQL_T_VARIABLE,
                       NGX_HYPERDRIVE_SQL_T_ASSIGN,
                       NGX_HYPERDRIVE_SQL_T_NUMBER } },
        { "@@a.b", { NGX_HYPERDRIVE_SQL_T_SYSTEM, NGX_HYPERDRIVE_SQL_T_WORD,
                     NGX_HYPERDRIVE_SQL_T_DOT, NGX_HYPERDRIVE_SQL_T_WORD } },
        { "a<=>b||c", { NGX_HYPERDRIVE_SQL_T_WORD,
                        NGX_HYPERDRIVE_SQL_T_OPERATOR,
                        NGX_HYPERDRIVE_SQL_T_WORD,
                        NGX_HYPERDRIVE_SQL_T_OPERATOR,
                        NGX_HYPERDRIVE_SQL_T_WORD } },
        { "a--b", { NGX_HYPERDRIVE_SQL_T_WORD, NGX_HYPERDRIVE_SQL_T_OPERATOR,
                    NGX_HYPERDRIVE_SQL_T_OPERATOR,
                    NGX_HYPERDRIVE_SQL_T_WORD } },
        { "a--\tb\nc", { NGX_HYPERDRIVE_SQL_T_WORD,
                         NGX_HYPERDRIVE_SQL_T_WORD } },
        { "a--", { NGX_HYPERDRIVE_SQL_T_WORD } },
        { "a#b", { NGX_HYPERDRIVE_SQL_T_WORD } },
        { "a#b\rc", { NGX_HYPERDRIVE_SQL_T_WORD } },
        { "``", { NGX_HYPERDRIVE_SQL_T_ERROR } },
        { "\\M", { NGX_HYPERDRIVE_SQL_T_ERROR } }
    };

    ngx_hyperdrive_sql_mode(bits, &mode);

    for (i = 0; i < sizeof(tokens) / sizeof(tokens[0]); i++) {
        text.data = (u_char *) tokens[i].text;
        text.len = ngx_strlen(tokens[i].text);

        ngx_hyperdrive_sql_lexer_init(&lexer, &text, &mode);

        for (n = 0; n < 8; n++) {
            ngx_hyperdrive_sql_lexer_next(&lexer, &token);

            if ((int) token.type != tokens[i].types[n]) {
                break;
            }

            if (token.type == NGX_HYPERDRIVE_SQL_T_END
                || token.type == NGX_HYPERDRIVE_SQL_T_ERROR)
            {
                n = 8;
            }
        }

        ok(n > 8, tokens[i].text);
    }
}


/* what is looked up by halving has to be sorted */

static void
test_lists(void)
{
    ngx_uint_t                           i, good;
    const ngx_hyperdrive_sql_name_t     *f;
    const ngx_hyperdrive_sql_keyword_t  *k;

    good = 1;
    f = ngx_hyperdrive_sql_mysql_functions;

    for (i = 1; i < ngx_hyperdrive_sql_mysql_functions_n; i++) {
        good &= strcmp((char *) f[i - 1].text.data, (char *) f[i].text.data)
                < 0;
    }

    ok(good, "functions are sorted");

    good = 1;
    k = ngx_hyperdrive_sql_mysql.keywords;

    for (i = 1; i < ngx_hyperdrive_sql_mysql.nkeywords; i++) {
        good &= strcmp((char *) k[i - 1].text.data, (char *) k[i].text.data)
                < 0;
    }

    ok(good, "keywords are sorted");
}


/* no part of a text makes the classifier look behind its end */

static void
test_cuts(void)
{
    size_t      len;
    ngx_uint_t  i, n;

    n = 0;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {

        for (len = 0; len < ngx_strlen(texts[i].sql); len++) {
            read_sql(texts[i].sql, len);
            n += (facts.kind <= NGX_HYPERDRIVE_SQL_UNKNOWN);
        }
    }

    ok(n > 5000, "texts cut at every byte");
}
