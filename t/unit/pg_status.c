/* sources: pg/ state/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/* Tests of what connections report of their settings. */


#include "pg/ngx_hyperdrive_pg_status.h"
#include "check.h"


/* "a=1 b=2" as messages, in a block of their own size */

static u_char *
messages(const char *text, size_t *len)
{
    char    *word, *eq, copy[256];
    u_char  *p, *out;
    size_t   n;

    (void) snprintf(copy, sizeof(copy), "%s", text);

    out = malloc(1024);
    p = out;

    for (word = strtok(copy, " "); word; word = strtok(NULL, " ")) {
        eq = strchr(word, '=');
        n = strlen(word) + 1;
        *eq = '\0';

        *p++ = 'S';
        *p++ = 0;
        *p++ = 0;
        *p++ = (u_char) ((n + 4) >> 8);
        *p++ = (u_char) (n + 4);

        memcpy(p, word, n);
        p += n;
    }

    *len = p - out;

    p = malloc(*len ? *len : 1);
    memcpy(p, out, *len);
    free(out);

    return p;
}


static void
reads(ngx_hyperdrive_pg_status_t **status, const char *text)
{
    size_t   len;
    u_char  *p;

    p = messages(text, &len);
    ngx_hyperdrive_pg_status_read(status, p, len);
    free(p);
}


static void
reports(ngx_hyperdrive_pg_status_t **status, const char *text)
{
    size_t   len;
    u_char  *p;

    p = messages(text, &len);
    ngx_hyperdrive_pg_status_report(status, p, len);
    free(p);
}


/* what <now> says and <told> does not */

static ngx_uint_t
differs(ngx_hyperdrive_pg_status_t *told, ngx_hyperdrive_pg_status_t *now,
    const char *expect)
{
    size_t                   len;
    u_char                  *p;
    ngx_uint_t               good;
    ngx_hyperdrive_chain_t   out;

    ngx_memzero(&out, sizeof(ngx_hyperdrive_chain_t));
    ngx_hyperdrive_pg_status_diff(told, now, &out);

    p = messages(expect, &len);

    good = (out.size == len
            && (len == 0 || memcmp(out.head->pos, p, len) == 0));

    ngx_hyperdrive_base_chain_clear(&out);
    free(p);

    return good;
}


int
main(void)
{
    size_t                       i, len;
    char                         name[32];
    u_char                      *p, *cut;
    ngx_hyperdrive_pg_status_t  *a, *b, *c;

    a = NULL;
    b = NULL;
    c = NULL;

    reads(&a, "b=2 a=1 c=3");
    reads(&b, "c=3 b=0 a=1 b=2");
    ok(a && a == b && a->refs == 2, "equal reports are one, in any order");

    reports(&b, "b=5");
    ok(a != b && differs(a, b, "b=5") && differs(b, a, "b=2"),
       "another value is the difference");
    ok(differs(a, a, ""), "no difference");

    reports(&b, "b=2");
    ok(a == b, "set back, it is the same one");

    reports(&b, "aa=0");
    reports(&b, "d=4");
    ok(differs(a, b, "aa=0 d=4") && differs(b, a, ""),
       "new ones are told, those that are missing are not");

    reads(&c, "");
    ok(c && differs(c, b, "a=1 aa=0 b=2 c=3 d=4") && differs(b, c, ""),
       "against none at all");

    /* the values' lengths differ, and a name is the beginning of another */

    reads(&a, "a=1 aaa=2 ab=3");
    reads(&b, "a=111 aa=2 aaa= ab=3");
    ok(differs(a, b, "a=111 aa=2 aaa="), "of any length");

    /* whatever the bytes are, none behind them is touched */

    p = messages("a=1 b=2 c=3", &len);

    for (i = 0; i < len; i++) {
        cut = malloc(i ? i : 1);
        memcpy(cut, p, i);

        ngx_hyperdrive_pg_status_read(&b, cut, i);
        ngx_hyperdrive_pg_status_report(&b, cut, i);
        free(cut);
    }

    ngx_hyperdrive_pg_status_read(&b, p, len - 1);
    ngx_hyperdrive_pg_status_copy(&c, b);
    reads(&a, "a=1 b=2");
    ok(a == b && a == c, "a message that is cut is none");

    for (i = 1; i < 5; i++) {
        p[i] = 0xff;
    }

    ngx_hyperdrive_pg_status_read(&b, p, len);
    reads(&c, "");
    ok(b == c, "nor is one of an impossible length");

    p[1] = p[2] = p[3] = 0;
    p[4] = 3;
    ngx_hyperdrive_pg_status_read(&b, p, len);
    ok(b == c, "...or too short for one");

    free(p);

    /* more than is kept */

    for (i = 0; i < 2000; i++) {
        (void) snprintf(name, sizeof(name), "n%d=1", (int) i);
        reports(&b, name);
    }

    ok(b && b->len <= 8192 && b->len > 8000, "they are bounded");

    ngx_hyperdrive_pg_status_copy(&a, NULL);
    ngx_hyperdrive_pg_status_copy(&b, NULL);
    ngx_hyperdrive_pg_status_copy(&c, NULL);

    return done();
}
