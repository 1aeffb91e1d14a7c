/* sources: base/ngx_hyperdrive_base_url.c */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/* Tests of connection URLs. */


#include "base/ngx_hyperdrive_base_url.h"
#include "check.h"


static ngx_hyperdrive_base_url_t  url;
static char                      *err;


/* in memory of just the size, so that ASan sees a byte too many */

static ngx_int_t
parse_n(const char *text, size_t len)
{
    ngx_int_t       rc;
    ngx_str_t       s;
    static u_char  *buf, *copy;

    free(buf);
    free(copy);

    buf = malloc(len + 1);
    copy = malloc(len + 1);

    s.data = copy;
    s.len = len;
    ngx_memcpy(copy, text, len);

    rc = ngx_hyperdrive_base_url_parse(&s, buf, &url, &err);

    if ((rc == NGX_OK) != (err == NULL)) {
        printf("# an error without a text, or a text without an error\n");
        nfailed++;
    }

    return rc;
}


static ngx_int_t
parse(const char *text)
{
    return parse_n(text, strlen(text));
}


static ngx_uint_t
is(ngx_str_t *s, const char *text)
{
    return s->len == strlen(text)
           && memcmp(s->data ? s->data : (u_char *) "", text, s->len) == 0
           && (s->data == NULL || s->data[s->len] == '\0');
}


static ngx_uint_t
says(const char *text, const char *part)
{
    return parse(text) == NGX_ERROR && strstr(err, part) != NULL;
}


static ngx_uint_t
has(const char *name, const char *value)
{
    ngx_uint_t  i;

    for (i = 0; i < url.nargs; i++) {
        if (is(&url.args[i].name, name)) {
            return is(&url.args[i].value, value);
        }
    }

    return 0;
}


int
main(void)
{
    int          i;
    char         text[2048], *p;
    ngx_uint_t   good;

    ok(parse("postgres://app@10.0.0.7:5432/shop?sslmode=verify-full") == NGX_OK
       && url.scheme == NGX_HYPERDRIVE_URL_POSTGRES
       && is(&url.user, "app") && !url.has_password && is(&url.host, "10.0.0.7")
       && url.port == 5432 && is(&url.database, "shop") && !url.unix_socket
       && url.nargs == 1 && has("sslmode", "verify-full"),
       "all parts");

    ok(parse("postgresql://h") == NGX_OK && is(&url.host, "h")
       && url.port == 0 && url.user.len == 0 && url.database.len == 0
       && url.nargs == 0,
       "host only");
    ok(parse("PostgreSQL://h/") == NGX_OK && url.database.len == 0,
       "scheme without case, empty database");
    ok(parse("mysql://u:p@h:3306/d?ssl=true") == NGX_OK
       && url.scheme == NGX_HYPERDRIVE_URL_MYSQL && is(&url.password, "p")
       && has("ssl", "true"),
       "mysql");
    ok(parse("mariadb://h/d") == NGX_OK
       && url.scheme == NGX_HYPERDRIVE_URL_MYSQL,
       "mariadb");

    ok(parse("postgres://u%40x:p%3a%2F%25%3F@h/d%20b?options=-c%20a%3Db")
       == NGX_OK
       && is(&url.user, "u@x") && is(&url.password, "p:/%?")
       && is(&url.database, "d b") && has("options", "-c a=b"),
       "percent-encoding in every part");
    ok(parse("postgres://h/d?options=-c search_path=a") == NGX_OK
       && has("options", "-c search_path=a"),
       "an equal sign inside of a value");
    ok(parse("postgres://u:a:b@h/d") == NGX_OK && is(&url.password, "a:b"),
       "a colon inside of the password");
    ok(parse("postgres://u:@h/d") == NGX_OK && url.has_password
       && url.password.len == 0,
       "empty password");
    ok(parse("postgres://u:p+q@h/d") == NGX_OK && is(&url.password, "p+q"),
       "a plus sign is itself");

    ok(parse("postgres://u@[2001:db8::1]:6432/d") == NGX_OK
       && is(&url.host, "2001:db8::1") && url.port == 6432,
       "IPv6");
    ok(parse("postgres://[::1]") == NGX_OK && is(&url.host, "::1")
       && url.port == 0,
       "IPv6 without a port");
    ok(parse("postgres://[fe80::1%25eth0]/d") == NGX_OK
       && is(&url.host, "fe80::1%eth0"),
       "IPv6 with an interface");

    ok(parse("postgres://%2Frun%2Fpostgresql:5433/d") == NGX_OK
       && url.unix_socket && is(&url.host, "/run/postgresql")
       && url.port == 5433,
       "unix socket as encoded host");
    ok(parse("postgres:///d?host=/run/postgresql&user=u&port=5433") == NGX_OK
       && url.unix_socket && is(&url.host, "/run/postgresql")
       && url.port == 5433 && is(&url.user, "u") && url.nargs == 0,
       "unix socket as a parameter");
    ok(parse("mysql://u@localhost/d?socket=/run/mysqld.sock") == NGX_OK
       && url.unix_socket && is(&url.host, "/run/mysqld.sock"),
       "MySQL's socket parameter");
    ok(parse("postgres://?host=h&dbname=d&password=s&user=u&port=1") == NGX_OK
       && is(&url.database, "d") && is(&url.password, "s")
       && url.has_password && url.port == 1,
       "all as parameters");
    ok(parse("postgres://a@h/d?user=b&user=c") == NGX_OK && is(&url.user, "c"),
       "a parameter replaces a part, the last one counts");
    ok(parse("postgres://h/d?a=1&b=2&a=3") == NGX_OK && url.nargs == 2
       && has("a", "3") && has("b", "2"),
       "the last one of equal names counts");
    ok(parse("postgres://h/d?ssl=true") == NGX_OK && url.nargs == 1
       && has("sslmode", "require"),
       "JDBC's ssl=true");
    ok(parse("postgres://h:/d?") == NGX_OK && url.port == 0 && url.nargs == 0,
       "empty port and parameters");
    ok(parse("postgres://h?a=") == NGX_OK && has("a", ""),
       "parameter with an empty value, no slash");
    ok(parse("postgres://@h") == NGX_OK && url.user.len == 0,
       "empty user");

    ok(says("http://h/", "scheme"), "unknown scheme");
    ok(says("", "scheme"), "empty");
    ok(says("postgres:/h", "scheme"), "one slash");
    ok(says("postgres://", "no host"), "nothing behind the scheme");
    ok(says("postgres:///d", "no host"), "no host");
    ok(says("postgres://u@/d", "no host"), "a user without a host");
    ok(says("postgres://h:0/d", "port"), "port 0");
    ok(says("postgres://h:65536/d", "port"), "port too large");
    ok(says("postgres://h:99999999999999999999999/d", "port"),
       "port that overflows");
    ok(says("postgres://h:5a/d", "port"), "port with a letter");
    ok(says("postgres://h/d?port=-1", "port"), "negative port");
    ok(says("postgres://u:se#cret?x@h/d", "percent-encode"),
       "question mark inside of the password");
    ok(strstr(err, "cret") == NULL, "the error does not show it");
    ok(says("postgres://u:p@ss@h/d", "%40"), "at sign inside of the password");
    ok(says("postgres://a,b/d", "more than one host"), "two hosts");
    ok(says("postgres://a:1,b:2/d", "more than one \":\""),
       "two hosts with ports");
    ok(says("postgres:///d?host=a,b", "more than one host"),
       "two hosts as a parameter");
    ok(says("postgres://::1/d", "brackets"), "IPv6 without brackets");
    ok(says("postgres://[::1/d", "]"), "no closing bracket");
    ok(says("postgres://[::1]x/d", "behind an IPv6"), "text behind a bracket");
    ok(says("postgres://[::g]/d", "IPv6"), "no IPv6 address");
    ok(says("postgres://[]/d", "IPv6"), "empty brackets");
    ok(says("postgres://[10.0.0.1]/d", "IPv6"), "IPv4 in brackets");
    ok(says("postgres://[::1%25]/d", "IPv6"), "empty interface");
    ok(says("postgres://h/%zz", "hexadecimal"), "no digits behind percent");
    ok(says("postgres://h/%4", "hexadecimal"), "one digit behind percent");
    ok(says("postgres://h/%", "hexadecimal"), "nothing behind percent");
    ok(says("postgres://h/a%00b", "%00"), "encoded zero byte");
    ok(says("postgres://h/a\nb", "control"), "line feed");
    ok(says("postgres://h h/d", "host"), "space in the host");
    ok(says("postgres://h/d?a", "name or a value"), "parameter without value");
    ok(says("postgres://h/d?=a", "name or a value"), "parameter without name");
    ok(says("postgres://h/d?a=b&&c=d", "name or a value"), "empty parameter");
    ok(parse_n("postgres://h/a\0b", 16) == NGX_ERROR
       && strstr(err, "zero byte"),
       "zero byte");

    p = text + sprintf(text, "postgres://h/d?");

    for (i = 0; i < NGX_HYPERDRIVE_URL_MAX_ARGS; i++) {
        p += sprintf(p, "a%d=%d&", i, i);
    }

    ok(parse(text) == NGX_OK && url.nargs == NGX_HYPERDRIVE_URL_MAX_ARGS
       && has("a31", "31"),
       "as many parameters as fit");

    strcpy(p, "b=1");

    ok(says(text, "more than 32"), "one parameter more");

    /* no prefix reads or writes where it should not (ASan) */

    p = "postgres://u%40:p@[fe80::1%25eth0]:5432/d%20b?host=%2Frun&a=%41&b=c";
    good = 1;

    for (i = 0; i <= (int) strlen(p); i++) {
        if (parse_n(p, i) == NGX_OK && url.host.len == 0) {
            good = 0;
        }
    }

    ok(good, "cut at every byte");

    return done();
}
