/* sources: pg/ state/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "pg/ngx_hyperdrive_pg.h"
#include "check.h"

#include <stdlib.h>


/* a greeting of names and values, NULL behind the last */

static ngx_str_t
greeting(u_char *buf, char **pairs)
{
    u_char     *p, *start;
    size_t      len;
    ngx_str_t   s;

    p = buf;

    for ( /* void */ ; *pairs; pairs += 2) {
        start = p;
        len = 4 + strlen(pairs[0]) + 1 + strlen(pairs[1]) + 1;

        *p++ = 'S';
        *p++ = 0;
        *p++ = 0;
        *p++ = (u_char) (len >> 8);
        *p++ = (u_char) len;

        p = ngx_cpymem(p, pairs[0], strlen(pairs[0]) + 1);
        p = ngx_cpymem(p, pairs[1], strlen(pairs[1]) + 1);

        if (p != start + 1 + len) {
            abort();
        }
    }

    s.data = buf;
    s.len = p - buf;

    return s;
}


static ngx_hyperdrive_proto_role_e
role(char **pairs)
{
    u_char     buf[512];
    ngx_str_t  s;

    s = greeting(buf, pairs);

    return ngx_hyperdrive_pg_position_role(&s);
}


static ngx_int_t
position(char *timeline, char *lsn, ngx_hyperdrive_proto_position_t *p)
{
    ngx_str_t  cols[2];

    cols[0].data = (u_char *) timeline;
    cols[0].len = strlen(timeline);
    cols[1].data = (u_char *) lsn;
    cols[1].len = strlen(lsn);

    return ngx_hyperdrive_pg_position_row(cols, 2, p);
}


static void
test_role(void)
{
    u_char     *cut, buf[512];
    size_t      n;
    ngx_str_t   s, part;

    static char  *primary[] = { "in_hot_standby", "off", "TimeZone", "UTC",
                                "default_transaction_read_only", "off", NULL };
    static char  *closed[] = { "default_transaction_read_only", "on",
                               "in_hot_standby", "off", NULL };
    static char  *replica[] = { "TimeZone", "UTC", "in_hot_standby", "on",
                                "default_transaction_read_only", "on", NULL };
    static char  *old[] = { "TimeZone", "UTC", NULL };

    ok(role(primary) == NGX_HYPERDRIVE_PROTO_ROLE_PRIMARY, "a primary");
    ok(role(closed) == NGX_HYPERDRIVE_PROTO_ROLE_READ_ONLY, "a closed one");
    ok(role(replica) == NGX_HYPERDRIVE_PROTO_ROLE_REPLICA, "a replica");
    ok(role(old) == NGX_HYPERDRIVE_PROTO_ROLE_UNKNOWN, "one that says nothing");

    /* cut at every byte: ASan sees the end */

    s = greeting(buf, replica);

    for (n = 0; n <= s.len; n++) {
        cut = malloc(n + 1);
        ngx_memcpy(cut, s.data, n);

        part.data = cut;
        part.len = n;

        (void) ngx_hyperdrive_pg_position_role(&part);
        (void) ngx_hyperdrive_pg_position_unlike(&part, &s);
        (void) ngx_hyperdrive_pg_position_unlike(&s, &part);

        free(cut);
    }

    ok(1, "greetings that are cut");
}


static void
test_unlike(void)
{
    char       *name;
    u_char      one[512], two[512];
    ngx_str_t   a, b;

    static char  *primary[] = { "in_hot_standby", "off", "DateStyle", "ISO",
                                "TimeZone", "UTC", "is_superuser", "on", NULL };
    static char  *alike[] = { "TimeZone", "UTC", "in_hot_standby", "on",
                              "is_superuser", "off", "DateStyle", "ISO", NULL };
    static char  *other[] = { "TimeZone", "UTC", "DateStyle", "German", NULL };
    static char  *less[] = { "DateStyle", "ISO", NULL };

    a = greeting(one, primary);

    b = greeting(two, alike);
    ok(ngx_hyperdrive_pg_position_unlike(&a, &b) == NULL, "alike");

    b = greeting(two, other);
    name = ngx_hyperdrive_pg_position_unlike(&a, &b);
    ok(name && strcmp(name, "DateStyle") == 0, "another DateStyle");

    b = greeting(two, less);
    name = ngx_hyperdrive_pg_position_unlike(&a, &b);
    ok(name && strcmp(name, "TimeZone") == 0, "no TimeZone");
}


static void
test_position(void)
{
    ngx_str_t                        cols[2];
    ngx_hyperdrive_proto_position_t  p, r;

    ok(position("1", "50331648", &p) == NGX_OK, "a position");
    ok(position("1", "50331648", &r) == NGX_OK
       && ngx_hyperdrive_pg_position_has(&r, &p), "the same is there");
    ok(position("1", "50331649", &r) == NGX_OK
       && ngx_hyperdrive_pg_position_has(&r, &p), "so is one behind it");
    ok(position("1", "50331647", &r) == NGX_OK
       && !ngx_hyperdrive_pg_position_has(&r, &p), "one before it is not");
    ok(!ngx_hyperdrive_pg_position_other(&r, &p), "both are of one primary");
    ok(position("2", "99999999", &r) == NGX_OK
       && !ngx_hyperdrive_pg_position_has(&r, &p)
       && !ngx_hyperdrive_pg_position_has(&p, &r),
       "on another timeline nothing is");
    ok(ngx_hyperdrive_pg_position_other(&r, &p), "...of another primary");

    ok(position("1", "18446744073709551615", &r) == NGX_DECLINED,
       "a number that is too long");
    ok(position("", "1", &r) == NGX_DECLINED, "none");
    ok(position("1", "-1", &r) == NGX_DECLINED, "less than none");
    ok(position("1", "1x", &r) == NGX_DECLINED, "something else");
    ok(ngx_hyperdrive_pg_position_row(cols, 1, &r) == NGX_DECLINED,
       "another number of columns");
}


int
main(void)
{
    test_role();
    test_unlike();
    test_position();

    return done();
}
