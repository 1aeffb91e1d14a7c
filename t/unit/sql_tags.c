/* sources: sql/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/* Tests for tags in comments, and for the functions that a text calls. */


#include "sql/ngx_hyperdrive_sql_tags.h"
#include "check.h"


static void say(const char *sql, u_char *out);
static void test_cuts(void);


static ngx_hyperdrive_sql_mode_t  mode;


/* text, its tags, its functions */

static const char  *texts[][3] = {

    { "SELECT 1", "", "" },
    { "SELECT 1 /*a='b'*/", "a=b ", "" },
    { "/*a='b',c='d'*/ SELECT 1", "a=b c=d ", "" },
    { "SELECT /* a='b' , c='d' */ 1", "a=b c=d ", "" },
    { "SELECT 1 /*a='b'*/ /*c='d'*/", "a=b c=d ", "" },
    { "SELECT 1 -- x\n/*a='b'*/", "a=b ", "" },
    { "SELECT 1 -- /*a='b'*/", "", "" },
    { "SELECT '/*a=''b''*/'", "", "" },
    { "SELECT \"/*a='b'*/\"", "", "" },
    { "SELECT $$/*a='b'*/$$", "", "" },
    { "SELECT 1 /*route='%2Fx%20y%27'*/", "route=/x y' ", "" },
    { "SELECT 1 /*a%3Db='c'*/", "a=b=c ", "" },
    { "SELECT 1 /*a='it\\'s'*/", "a=it's ", "" },
    { "SELECT 1 /*a=''*/", "a= ", "" },
    { "SELECT 1 /*a='b*/", "", "" },
    { "SELECT 1 /*a='b' c='d'*/", "", "" },
    { "SELECT 1 /*a='b',*/", "", "" },
    { "SELECT 1 /*a=b*/", "", "" },
    { "SELECT 1 /*='b'*/", "", "" },
    { "SELECT 1 /*a='%2'*/", "", "" },
    { "SELECT 1 /*a='%zz'*/", "", "" },
    { "SELECT 1 /* words */", "", "" },
    { "SELECT 1 /* a='b' /* x */ */", "", "" },
    { "SELECT 1 /*a='b'", "", "" },
    { "SELECT '", "", "" },

    { "SELECT f(1), G (2), s.h(3), \"Q\"(4), f(5)", "", "f g h Q " },
    { "SELECT a FROM t WHERE (a) IN (1) AND b = ANY (x)", "", "" },
    { "INSERT INTO t (a, b) VALUES (1, now())", "", "now " },
    { "INSERT INTO s.t (a) SELECT 1", "", "" },
    { "CREATE TABLE t (a int REFERENCES u (b))", "", "" },
    { "WITH x (a) AS (SELECT f(1)) SELECT * FROM x AS y (b)", "", "f " },
    { "SELECT * FROM generate_series(1, 2)", "", "generate_series " },
    { "SELECT coalesce(a, 1), greatest(1, 2)", "", "" },
    { "SELECT 'f(1)', \"g(2)\" -- h(3)", "", "" },
    { "EXECUTE x(1)", "", "x " },

    { NULL, NULL, NULL }
};


/* the text in a block of its own: nothing may be touched behind it */

static void
say(const char *sql, u_char *out)
{
    size_t                     len;
    u_char                    *text, *buf, *p;
    ngx_str_t                  str, names[NGX_HYPERDRIVE_SQL_MAX_CALLS];
    ngx_uint_t                 i, n;
    ngx_hyperdrive_sql_tag_t   tags[NGX_HYPERDRIVE_SQL_MAX_TAGS];

    len = ngx_strlen(sql);
    text = malloc(len ? len : 1);
    buf = malloc(len ? len : 1);

    ngx_memcpy(text, sql, len);

    str.data = text;
    str.len = len;

    p = out;
    n = ngx_hyperdrive_sql_tags(&str, &mode, buf, tags);

    for (i = 0; i < n; i++) {
        p = ngx_sprintf(p, "%V=%V ", &tags[i].name, &tags[i].value);
    }

    p = ngx_sprintf(p, "|");
    n = ngx_hyperdrive_sql_calls(&str, &mode, buf, names);

    for (i = 0; i < n; i++) {
        p = ngx_sprintf(p, "%V ", &names[i]);
    }

    *p = '\0';

    free(text);
    free(buf);
}


/* at every byte, and in every mode: no byte too many is read */

static void
test_cuts(void)
{
    char        text[256];
    u_char      out[1024];
    size_t      len;
    ngx_uint_t  i, k, n;

    n = 0;

    for (i = 0; texts[i][0]; i++) {

        for (k = 0; k < 4; k++) {
            mode.standard_conforming_strings = k & 1;
            mode.mysql = (k & 2) ? 1 : 0;

            for (len = 0; len <= ngx_strlen(texts[i][0]); len++) {
                ngx_memcpy(text, texts[i][0], len);
                text[len] = '\0';
                say(text, out);
                n++;
            }
        }
    }

    ok(n > 1000, "cut at every byte");
}


int
main(void)
{
    char        expected[256];
    u_char      out[1024];
    ngx_uint_t  i;

    mode.standard_conforming_strings = 1;

    for (i = 0; texts[i][0]; i++) {
        say(texts[i][0], out);
        snprintf(expected, sizeof(expected), "%s|%s", texts[i][1],
                 texts[i][2]);

        ok(ngx_strcmp(out, expected) == 0, texts[i][0]);

        if (ngx_strcmp(out, expected) != 0) {
            printf("# %s\n", out);
        }
    }

    mode.mysql = 1;

    say("# x\n/*a='b'*/ SELECT SLEEP(1) /* c='d' /* */", out);
    ok(ngx_strcmp(out, "a=b |sleep ") == 0, "MySQL");

    say("SELECT 1 --1\n/*a='b'*/", out);
    ok(ngx_strcmp(out, "a=b |") == 0, "two signs are no comment there");

    say("SELECT --'\n/*a=\"b\"*/'", out);
    ok(ngx_strcmp(out, "|") == 0, "...and a string behind them is one");

    /* what is code is read once, and only what is in it is a comment */

    mode.version = 101100;
    mode.mariadb = 1;

    say("/*! SELECT /*a='b'*/ 1 */ /*c='d'*/", out);
    ok(ngx_strcmp(out, "a=b c=d |") == 0, "within a comment that is run");

    say("/*!a='b'/*!t/*!c='d'*/*/", out);
    ok(ngx_strcmp(out, "|") == 0, "no tags in what is run");

    mode.version = 0;
    mode.mariadb = 0;
    mode.mysql = 0;
    mode.unsafe_encoding = 1;

    say("SELECT f(1) /*a='b'*/", out);
    ok(ngx_strcmp(out, "a=b |f ") == 0, "an unsafe encoding");

    say("SELECT f('\x81') /*a='b'*/", out);
    ok(ngx_strcmp(out, "|") == 0, "...and bytes of it");

    mode.unsafe_encoding = 0;

    test_cuts();

    return done();
}
