/* sources: base/ngx_hyperdrive_base_users.c */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/* Tests of the users file. */


#include "base/ngx_hyperdrive_base_users.h"
#include "check.h"


static u_char      *text, *pos, *last;
static ngx_uint_t   line;
static ngx_str_t    user, secret;
static char        *err;


static void
begin_n(const char *s, size_t len)
{
    free(text);

    /* of just the size, so that ASan sees a byte too many */

    text = malloc(len ? len : 1);
    ngx_memcpy(text, s, len);

    pos = text;
    last = text + len;
    line = 1;
    err = NULL;
}


static void
begin(const char *s)
{
    begin_n(s, strlen(s));
}


static ngx_int_t
next(void)
{
    return ngx_hyperdrive_base_users_next(&pos, last, &line, &user, &secret,
                                          &err);
}


static ngx_uint_t
entry(ngx_uint_t n, const char *name, const char *value)
{
    return next() == NGX_OK
           && line == n
           && user.len == strlen(name) && secret.len == strlen(value)
           && memcmp(user.data, name, user.len) == 0
           && memcmp(secret.data, value, secret.len) == 0;
}


static ngx_uint_t
says(const char *s, ngx_uint_t n, const char *part)
{
    ngx_int_t  rc;

    begin(s);

    do {
        rc = next();
    } while (rc == NGX_OK);

    return rc == NGX_ERROR && line == n && strstr(err, part) != NULL;
}


int
main(void)
{
    char        *p, *name;
    size_t       i, len;
    ngx_int_t    rc;
    ngx_uint_t   good, n;

    begin("");
    ok(next() == NGX_DONE, "empty file");

    begin("\"a\" \"b\"");
    ok(entry(1, "a", "b"), "one entry, no line feed");
    ok(next() == NGX_DONE && next() == NGX_DONE, "the end, twice");

    begin("; comment\n\n# another\r\n \t\"u\"\t\"p\" \"more\" fields\r\n"
          "\"v\"\"q\"\n\"x y\"   \"\"\n;last");
    ok(entry(4, "u", "p"), "comments, blanks, fields that are ignored");

    /* two quotes are one quote, so "v""q" is one word */

    ok(next() == NGX_ERROR && line == 5 && strstr(err, "secret"),
       "no blank between name and secret");

    begin("\"x y\"   \"\"\n\"z\" \"1\"\n;last");
    ok(entry(1, "x y", ""), "empty secret");
    ok(entry(2, "z", "1"), "the entry behind it");
    ok(next() == NGX_DONE, "comment at the end");

    begin("\"a\"\"b\" \"c\"\"\"\"d\"\"\"\n\"\"\"\" \"\"\"\"\n");
    ok(entry(1, "a\"b", "c\"\"d\""), "quotes inside");
    ok(entry(2, "\"", "\""), "quotes only");
    ok(next() == NGX_DONE, "the end");

    begin("\xef\xbb\xbf\"a\" \"b\"\n");
    ok(entry(1, "a", "b"), "byte order mark");

    begin("\"\xc3\xa4\" \"SCRAM-SHA-256$4096:c2FsdA==$a=:b=\"\n"
          "\"m\" \"md5d41d8cd98f00b204e9800998ecf8427e\"\n");
    ok(entry(1, "\xc3\xa4", "SCRAM-SHA-256$4096:c2FsdA==$a=:b="),
       "UTF-8, a verifier");
    ok(entry(2, "m", "md5d41d8cd98f00b204e9800998ecf8427e"), "a digest");

    begin("\"a;b\" \"c#d\" ; comment\n");
    ok(entry(1, "a;b", "c#d") && next() == NGX_DONE,
       "comment characters inside of quotes");

    ok(says("a b\n", 1, "user's name"), "no quotes");
    ok(says("\"a\" \"b\"\n'c' \"d\"\n", 2, "user's name"), "other quotes");
    ok(says("\n\n\"a\"\n", 3, "secret"), "no secret");
    ok(says("\"a\" b\n", 1, "secret"), "secret without quotes");
    ok(says("\"a\"", 1, "secret"), "the end behind the name");
    ok(says("\"a\n\" \"b\"\n", 1, "not closed"), "line feed in the name");
    ok(says("\"a\" \"b\n", 1, "not closed"), "line feed in the secret");
    ok(says("\"a\" \"b", 1, "not closed"), "the end in the secret");
    ok(says("\"", 1, "not closed"), "one quote");
    ok(says("\"\" \"x\"\n", 1, "empty"), "empty name");

    begin_n("\"a\0\" \"b\"\n", 9);
    ok(next() == NGX_ERROR && strstr(err, "zero byte"), "zero byte");

    name = malloc(8192);

    len = sprintf(name, "\"%0*d\" \"%0*d\"", NGX_HYPERDRIVE_MAX_NAME, 1, 2048,
                  1);
    begin_n(name, len);
    ok(next() == NGX_OK && user.len == NGX_HYPERDRIVE_MAX_NAME
       && secret.len == 2048,
       "as long as may be");

    len = sprintf(name, "\"%0*d\" \"x\"", NGX_HYPERDRIVE_MAX_NAME + 1, 1);
    begin_n(name, len);
    ok(next() == NGX_ERROR && strstr(err, "name is longer"), "name too long");

    len = sprintf(name, "\"x\" \"%0*d\"", 2049, 1);
    begin_n(name, len);
    ok(next() == NGX_ERROR && strstr(err, "secret is longer"),
       "secret too long");

    free(name);

    p = "# c\n\"a\"\"\" \"b\" x\r\n\n\"c\" \"d\"\"e\"\n";
    good = 1;

    for (i = 0; i <= strlen(p); i++) {
        begin_n(p, i);

        for (n = 0; n < 10; n++) {
            rc = next();

            if (rc != NGX_OK) {
                break;
            }
        }

        if (n == 10 || (rc == NGX_ERROR && err == NULL)) {
            good = 0;
        }
    }

    ok(good, "cut at every byte");

    free(text);

    return done();
}
