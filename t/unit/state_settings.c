/* sources: session/ngx_hyperdrive_session_options.c state/ sql/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * Tests of buckets, of what a client has set within its transactions, and of
 * the start-up parameter that holds settings.
 */


#include "session/ngx_hyperdrive_session.h"
#include "check.h"


typedef ngx_hyperdrive_state_bucket_t    bucket_t;


static ngx_hyperdrive_state_settings_t   s;


static ngx_str_t *
str(const char *p)
{
    static ngx_str_t   v[4];
    static ngx_uint_t  n;

    n = (n + 1) % 4;

    v[n].data = (u_char *) p;
    v[n].len = strlen(p);

    return &v[n];
}


static ngx_int_t
set(bucket_t **b, const char *name, const char *value)
{
    return ngx_hyperdrive_state_bucket_set(b, str(name),
                                           value ? str(value) : NULL);
}


/* "a=1 b=?" */

static ngx_uint_t
has(bucket_t *b, const char *expect)
{
    char                            *p, said[1024];
    u_char                          *pos;
    ngx_hyperdrive_state_setting_t   one;

    p = said;
    *p = '\0';
    pos = NULL;

    while (ngx_hyperdrive_state_bucket_next(b, &pos, &one) == NGX_OK) {
        p += snprintf(p, said + sizeof(said) - p, "%s%s=%s",
                      p == said ? "" : " ", (char *) one.name.data,
                      one.unsure ? "?" : (char *) one.value.data);
    }

    if (strcmp(said, expect) != 0) {
        printf("# got \"%s\" instead of \"%s\"\n", said, expect);
        return 0;
    }

    return 1;
}


static void
test_buckets(void)
{
    char       name[16];
    u_char    *big;
    bucket_t  *a, *b, *was;
    ngx_str_t  v;
    ngx_uint_t i;

    a = NULL;
    b = NULL;

    ok(has(a, ""), "nothing is the empty bucket");

    (void) set(&a, "b", "2");
    (void) set(&a, "c", "3");
    (void) set(&a, "a", "1");
    (void) set(&a, "ab", "");
    ok(has(a, "a=1 ab= b=2 c=3"), "settings are sorted by name");

    (void) set(&b, "a", "1");
    (void) set(&b, "c", "x");
    (void) set(&b, "ab", "");
    (void) set(&b, "b", "2");
    ok(a != b, "other settings are another bucket");
    (void) set(&b, "c", "3");
    ok(a == b && a->refs == 2, "equal ones are one");

    was = b;
    (void) set(&b, "b", "2");
    ok(b == was, "the same again changes nothing");

    (void) set(&b, "b", NULL);
    ok(has(b, "a=1 ab= b=? c=3") && b->unsure == 1,
       "a value may be unknown");
    ok(has(a, "a=1 ab= b=2 c=3"), "...and the other bucket is as it was");

    (void) ngx_hyperdrive_state_bucket_reset(&b, str("b"));
    (void) ngx_hyperdrive_state_bucket_reset(&b, str("nobody"));
    ok(has(b, "a=1 ab= c=3"), "reset");

    (void) set(&b, "c", "4");
    (void) set(&b, "d", "5");
    (void) ngx_hyperdrive_state_bucket_merge(&b, a);
    ok(has(b, "a=1 ab= b=? c=? d=?"), "merged: where both agree it is known");

    ngx_hyperdrive_state_bucket_unref(a);
    a = NULL;

    ok(ngx_hyperdrive_state_bucket_import(&a, b->data, b->len) == NGX_OK
       && a == b,
       "its bytes are the same bucket in another worker");

    (void) ngx_hyperdrive_state_bucket_merge(&b, NULL);
    ok(has(b, "a=? ab=? b=? c=? d=?"), "merged with nothing");

    for (i = 1; i < a->len; i++) {
        big = malloc(i);
        ngx_memcpy(big, a->data, i);

        was = NULL;

        if (ngx_hyperdrive_state_bucket_import(&was, big, i) == NGX_OK) {
            ngx_hyperdrive_state_bucket_unref(was);
        }

        free(big);
    }

    ok(has(a, "a=1 ab= b=? c=? d=?"), "cut bytes do no harm");

    for (i = 0; a; i++) {
        (void) snprintf(name, sizeof(name), "%c%s", (int) ('a' + i % 4),
                        i == 4 ? "b" : "");
        (void) ngx_hyperdrive_state_bucket_reset(&a, str(name));
    }

    ok(a == NULL, "without its last setting it is nothing");

    for (i = 0; i < NGX_HYPERDRIVE_STATE_SETTINGS_MAX; i++) {
        (void) snprintf(name, sizeof(name), "n%d", (int) i);
        (void) set(&a, name, "x");
    }

    was = a;
    ok(a->n == NGX_HYPERDRIVE_STATE_SETTINGS_MAX
       && set(&a, "one_more", "x") == NGX_ERROR && a == was,
       "one too many is refused, and nothing changes");
    ok(set(&a, "n5", "y") == NGX_OK, "...but another value is fine");

    big = malloc(NGX_HYPERDRIVE_STATE_SETTINGS_SIZE);
    ngx_memset(big, 'x', NGX_HYPERDRIVE_STATE_SETTINGS_SIZE);

    v.data = big;

    /* name, NUL, kind, NUL */

    v.len = NGX_HYPERDRIVE_STATE_SETTINGS_SIZE - 4;
    ngx_hyperdrive_state_bucket_unref(b);
    b = NULL;
    ok(ngx_hyperdrive_state_bucket_set(&b, str("a"), &v) == NGX_OK,
       "as long as may be");
    was = b;
    v.len++;
    ok(ngx_hyperdrive_state_bucket_set(&b, str("a"), &v) == NGX_ERROR
       && b == was,
       "one byte more is refused");

    big[1] = '\0';
    v.len = 3;
    ok(ngx_hyperdrive_state_bucket_set(&b, str("a"), &v) == NGX_ERROR
       && ngx_hyperdrive_state_bucket_set(&b, str(""), str("x")) == NGX_ERROR,
       "neither NUL bytes nor an empty name");

    free(big);
    ngx_hyperdrive_state_bucket_unref(a);
    ngx_hyperdrive_state_bucket_unref(b);
}


static ngx_int_t
change(ngx_hyperdrive_state_change_e what, const char *name, const char *value)
{
    return ngx_hyperdrive_state_settings_change(&s, what, str(name),
                                                str(value));
}


#define SET(n, v)        (void) change(NGX_HYPERDRIVE_STATE_SET, n, v)
#define LOCAL(n, v)      (void) change(NGX_HYPERDRIVE_STATE_SET_LOCAL, n, v)
#define RESET(n)         (void) change(NGX_HYPERDRIVE_STATE_RESET, n, "")
#define SAVEPOINT(n)     (void) change(NGX_HYPERDRIVE_STATE_SAVEPOINT, n, "")
#define RELEASE(n)       (void) change(NGX_HYPERDRIVE_STATE_RELEASE, n, "")
#define BACK_TO(n)       (void) change(NGX_HYPERDRIVE_STATE_ROLLBACK_TO, n, "")
#define COMMIT           ngx_hyperdrive_state_settings_end(&s, 1)
#define ROLLBACK         ngx_hyperdrive_state_settings_end(&s, 0)


/* what a statement finds */

static ngx_uint_t
finds(const char *name, const char *expect)
{
    ngx_str_t  v;

    if (ngx_hyperdrive_state_settings_find(&s, str(name), &v) != NGX_OK) {
        return expect == NULL;
    }

    return expect && v.len == strlen(expect)
           && ngx_memcmp(v.data, expect, v.len) == 0;
}


static void
test_transactions(void)
{
    SET("a", "1");
    ok(has(s.now, "a=1") && s.committed == NULL
       && ngx_hyperdrive_state_settings_dirty(&s),
       "set, and not committed");
    COMMIT;
    ok(has(s.committed, "a=1") && !ngx_hyperdrive_state_settings_dirty(&s),
       "committed");

    SET("a", "2");
    SET("b", "3");
    ROLLBACK;
    ok(has(s.now, "a=1") && has(s.committed, "a=1"), "rolled back");

    LOCAL("a", "5");
    ok(finds("a", "5"), "SET LOCAL is found");
    COMMIT;
    ok(finds("a", "1") && has(s.committed, "a=1"),
       "...and is over with its transaction");

    LOCAL("a", "5");
    SET("a", "6");
    ok(finds("a", "6"), "SET behind SET LOCAL");
    COMMIT;
    ok(has(s.committed, "a=6"), "...stays");

    SET("a", "1");
    LOCAL("a", "5");
    COMMIT;
    ok(has(s.committed, "a=1"), "SET LOCAL behind SET: the first stays");

    (void) change(NGX_HYPERDRIVE_STATE_RESET_LOCAL, "a", "");
    ok(finds("a", NULL), "SET LOCAL to the default");
    ROLLBACK;
    ok(finds("a", "1"), "...is over, too");

    RESET("a");
    ok(finds("a", NULL), "RESET");
    ROLLBACK;
    ok(finds("a", "1"), "...rolled back");

    RESET("a");
    COMMIT;
    ok(s.committed == NULL, "...committed");

    ngx_hyperdrive_state_settings_free(&s);
}


static void
test_savepoints(void)
{
    ngx_uint_t  i;

    SET("a", "1");
    SAVEPOINT("p");
    SET("a", "2");
    LOCAL("b", "3");
    SAVEPOINT("q");
    SET("a", "4");
    BACK_TO("q");
    ok(finds("a", "2") && finds("b", "3"), "back to the last savepoint");
    SET("a", "5");
    BACK_TO("q");
    ok(finds("a", "2"), "...again");
    BACK_TO("p");
    ok(finds("a", "1") && finds("b", NULL) && s.nsavepoints == 1,
       "back to the one before, which goes on");

    SET("a", "6");
    RELEASE("p");
    ok(finds("a", "6") && s.nsavepoints == 0, "RELEASE keeps what was set");

    SAVEPOINT("p");
    SET("a", "7");
    SAVEPOINT("p");
    SET("a", "8");
    BACK_TO("p");
    ok(finds("a", "7"), "of two of a name it is the later");
    RELEASE("p");
    BACK_TO("p");
    ok(finds("a", "6"), "...until it is released");

    BACK_TO("earlier");
    ok(finds("a", NULL) && s.nsavepoints == 0,
       "one from before the first change takes all back");

    SET("a", "1");
    SAVEPOINT("p");
    COMMIT;
    ok(s.savepoints == NULL && has(s.committed, "a=1"),
       "they end with the transaction");

    for (i = 0; i < NGX_HYPERDRIVE_STATE_SAVEPOINTS; i++) {
        SAVEPOINT("p");
    }

    ok(change(NGX_HYPERDRIVE_STATE_SAVEPOINT, "p", "") == NGX_ERROR,
       "one savepoint too many is refused");

    ngx_hyperdrive_state_settings_free(&s);
}


static ngx_uint_t
back(ngx_hyperdrive_state_change_e what, const char *name, const char *expect)
{
    ngx_str_t    n;
    ngx_uint_t   rc;
    bucket_t    *b;

    n.data = (u_char *) name;
    n.len = strlen(name);

    rc = (ngx_hyperdrive_state_settings_back(&s, what, &n, &b) == NGX_OK)
         && has(b, expect);

    ngx_hyperdrive_state_bucket_unref(b);

    return rc;
}


static void
tear(ngx_hyperdrive_state_change_e what, const char *name)
{
    ngx_str_t    n;
    bucket_t    *b;

    n.data = (u_char *) name;
    n.len = strlen(name);

    (void) ngx_hyperdrive_state_settings_back(&s, what, &n, &b);
    (void) ngx_hyperdrive_state_settings_tear(&s, b);

    ngx_hyperdrive_state_bucket_unref(b);
}


/* with start-up parameters, which the connection knows nothing of */

static void
test_base(void)
{
    (void) set(&s.base, "a", "base");
    (void) set(&s.base, "role", "r");
    s.committed = ngx_hyperdrive_state_bucket_ref(s.base);
    s.now = ngx_hyperdrive_state_bucket_ref(s.base);

    SET("a", "1");
    RESET("a");
    ok(finds("a", "base") && has(s.torn, ""),
       "RESET goes back to the start-up parameter");
    ok(back(NGX_HYPERDRIVE_STATE_RESET, "a", "a=base"),
       "...and the connection does not");
    tear(NGX_HYPERDRIVE_STATE_RESET, "a");
    ok(has(s.torn, "a=?"), "...so it has another value");
    SET("a", "2");
    ok(has(s.torn, ""), "...until it is set again");
    COMMIT;

    (void) change(NGX_HYPERDRIVE_STATE_RESET_LOCAL, "a", "");
    ok(finds("a", "base"), "SET LOCAL to the default, which is the parameter");
    ok(back(NGX_HYPERDRIVE_STATE_RESET_LOCAL, "a", "a=base"),
       "...which the connection does not know");
    COMMIT;
    ok(finds("a", "2"), "...and over");

    ok(back(NGX_HYPERDRIVE_STATE_RESET, "b", "")
       && back(NGX_HYPERDRIVE_STATE_RESET, "ro", "")
       && back(NGX_HYPERDRIVE_STATE_SET, "a", ""),
       "nothing else goes back to one");

    SET("b", "3");
    SET("role", "x");
    tear(NGX_HYPERDRIVE_STATE_DISCARD_ALL, "");
    ok(has(s.torn, "a=? role=?"), "all that is torn");
    (void) change(NGX_HYPERDRIVE_STATE_RESET_ALL, "", "");
    COMMIT;
    ok(has(s.committed, "a=base role=x") && has(s.torn, "role=?"),
       "RESET ALL leaves the role alone");
    ok(back(NGX_HYPERDRIVE_STATE_RESET_ALL, "", "a=base"),
       "...and so does what goes behind it");

    SET("a", "4");
    (void) change(NGX_HYPERDRIVE_STATE_DISCARD_ALL, "", "");
    ROLLBACK;
    ok(has(s.committed, "a=base role=r") && has(s.torn, ""),
       "DISCARD ALL does not, and stays");
    ok(back(NGX_HYPERDRIVE_STATE_DISCARD_ALL, "", "a=base role=r"),
       "...and what goes behind it");

    SET("datestyle", "ISO, DMY");
    RESET("datestyle");
    ok(has(s.now, "a=base role=r"), "RESET of what was no parameter");

    SET("role", "x");
    SET("session_authorization", "y");
    COMMIT;
    ok(has(s.committed, "a=base session_authorization=y"),
       "SET SESSION AUTHORIZATION ends SET ROLE");

    SET("role", "x");
    RESET("session_authorization");
    ok(has(s.now, "a=base role=r"), "its RESET goes back to the parameter");
    ok(back(NGX_HYPERDRIVE_STATE_RESET, "session_authorization", "role=r"),
       "...of the role as well");
    (void) change(NGX_HYPERDRIVE_STATE_RESET_LOCAL, "session_authorization",
                  "");
    ok(finds("role", "r"), "...to the end of the transaction");
    ROLLBACK;

    ngx_hyperdrive_state_settings_free(&s);
}


static void
options(const char *text, const char *expect)
{
    u_char     *data;
    ngx_int_t   rc;
    bucket_t   *b;
    ngx_str_t   v;

    v.len = strlen(text);
    v.data = malloc(v.len ? v.len : 1);
    ngx_memcpy(v.data, text, v.len);
    data = v.data;

    b = NULL;
    rc = ngx_hyperdrive_session_options(&v, &b);

    ok(expect ? rc == NGX_OK && has(b, expect) : rc == NGX_DECLINED, text);

    ngx_hyperdrive_state_bucket_unref(b);
    free(data);
}


static void
test_options(void)
{
    char  text[1200];

    options("", "");
    options("  ", "");
    options("-c a=b", "a=b");
    options("-ca=b  -c\tA.B=c", "a=b a.b=c");
    options("--a-b=c-d", "a_b=c-d");
    options("-c a=b\\ c\\\\", "a=b c\\");
    options("-c a=", "a=");
    options("-c a=b=c", "a=b=c");
    options("-c a=1 -c a=2", "a=2");
    options("-c search_path=a,b", "search_path=a,b");
    options("-c", NULL);
    options("-c a", NULL);
    options("-c =b", NULL);
    options("--", NULL);
    options("-d 5", NULL);
    options("a=b", NULL);
    options("-c seed=1", NULL);

    /* longer than is read */

    ngx_memset(text, 'x', sizeof(text));
    ngx_memcpy(text, "-c a=", 5);
    text[sizeof(text) - 1] = '\0';

    options(text, NULL);
}


int
main(void)
{
    test_buckets();
    test_transactions();
    test_savepoints();
    test_base();
    test_options();

    return done();
}
