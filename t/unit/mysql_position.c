/* sources: mysql/ state/ base/ libs: z zstd */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/* Tests of what MySQL says of itself: its role, and where it stands. */


#include "mysql/ngx_hyperdrive_mysql_position.h"
#include "mysql/ngx_hyperdrive_mysql_role.h"
#include "check.h"


#define UUID1  "3e11fa47-71ca-11e1-9e33-c80aa9429562"
#define UUID2  "4F22FA47-71CA-11E1-9E33-C80AA9429562"

#define PRIMARY   NGX_HYPERDRIVE_PROTO_ROLE_PRIMARY
#define REPLICA   NGX_HYPERDRIVE_PROTO_ROLE_REPLICA
#define UNKNOWN   NGX_HYPERDRIVE_PROTO_ROLE_UNKNOWN


/* of just the size, so that ASan sees what is read behind it */

static ngx_str_t
copy(const char *text, size_t len)
{
    ngx_str_t  s;

    s.data = malloc(len ? len : 1);
    s.len = len;
    memcpy(s.data, text, len);

    return s;
}


static ngx_int_t
row(const char *self, const char *set, const char *role,
    ngx_hyperdrive_proto_position_t *position)
{
    ngx_int_t   rc;
    ngx_str_t   cols[3];
    ngx_uint_t  i;

    cols[0] = copy(self, strlen(self));
    cols[1] = copy(set, strlen(set));
    cols[2] = copy(role, strlen(role));

    rc = ngx_hyperdrive_mysql_position_row(cols, 3, position);

    for (i = 0; i < 3; i++) {
        free(cols[i].data);
    }

    return rc;
}


/* the replica's <r> has all of the primary's <p>, by what the primary is */

static ngx_uint_t
has(const char *self, const char *p, const char *r)
{
    ngx_hyperdrive_proto_position_t  primary, replica;

    if (row(self, p, "primary0", &primary) != NGX_OK
        || row(strlen(self) > 9 ? UUID1 : "99", r, "replica1", &replica)
           != NGX_OK)
    {
        printf("# %s or %s is malformed\n", p, r);
        return 2;
    }

    return ngx_hyperdrive_mysql_position_has(&replica, &primary);
}


static ngx_uint_t
other(const char *self, const char *one, const char *self2, const char *two)
{
    ngx_hyperdrive_proto_position_t  a, b;

    if (row(self, one, "primaryOFF", &a) != NGX_OK
        || row(self2, two, "primaryOFF", &b) != NGX_OK)
    {
        return 2;
    }

    return ngx_hyperdrive_mysql_position_other(&a, &b);
}


static void
rows(void)
{
    size_t                            len;
    ngx_str_t                         cols[4];
    ngx_uint_t                        good;
    ngx_hyperdrive_proto_position_t   p;

    const char  *domains = "0-1-100,5-22-7";
    const char  *servers = UUID1 ":1-5:7,\n" UUID2 ":9";

    char         text[128];

    ok(row("1", domains, "primary0", &p) == NGX_OK, "a primary");
    ok(row("1", domains, "primary1", &p) == NGX_DECLINED,
       "one that is read-only");
    ok(row("1", domains, "primaryON", &p) == NGX_DECLINED, "...in words");
    ok(row("1", domains, "replica1", &p) == NGX_OK, "a replica");
    ok(row("1", domains, "replicaNO_LOCK", &p) == NGX_OK, "...in words");
    ok(row("1", domains, "replica0", &p) == NGX_DECLINED,
       "one that takes writes");
    ok(row("1", domains, "replica", &p) == NGX_DECLINED, "nothing");
    ok(row("1", "", "primary0", &p) == NGX_ERROR, "no binary log");
    ok(row("", domains, "primary0", &p) == NGX_ERROR, "nobody");
    ok(row("x", domains, "primary0", &p) == NGX_ERROR, "somebody else");

    ngx_memzero(cols, sizeof(cols));
    ok(ngx_hyperdrive_mysql_position_row(cols, 2, &p) == NGX_ERROR,
       "too few columns");

    /* a set that ends in the middle is none, or a smaller one */

    good = 1;

    for (len = 1; len < strlen(domains); len++) {
        memcpy(text, domains, len);
        text[len] = '\0';
        good &= ((row("1", text, "primary0", &p) == NGX_OK)
                 == ((len >= 5 && len <= 7) || len == 14));
    }

    ok(good, "domains, cut anywhere");

    good = 1;

    for (len = 1; len < strlen(servers); len++) {
        memcpy(text, servers, len);
        text[len] = '\0';
        good &= ((row(UUID1, text, "primary0", &p) == NGX_OK)
                 == (len == 38 || len == 40 || len == 42));
    }

    ok(good && row(UUID1, servers, "primary0", &p) == NGX_OK,
       "servers, cut anywhere");

    ok(row("1", "0-1-99999999999999999999", "primary0", &p) == NGX_ERROR,
       "a number that is too large");
    ok(row("1", "0-1-1,1-1-1,2-1-1,3-1-1,4-1-1,5-1-1,6-1-1,7-1-1,8-1-1,9-1-1,"
           "10-1-1,11-1-1,12-1-1,13-1-1", "primary0", &p) == NGX_OK,
       "14 domains");
    ok(row("1", "0-1-1,1-1-1,2-1-1,3-1-1,4-1-1,5-1-1,6-1-1,7-1-1,8-1-1,9-1-1,"
           "10-1-1,11-1-1,12-1-1,13-1-1,14-1-1", "primary0", &p) == NGX_ERROR,
       "15 domains");
    ok(row(UUID1, UUID1 ":tag:1-5", "primary0", &p) == NGX_ERROR,
       "tags are not known");
}


static void
positions(void)
{
    ok(has("1", "0-1-100", "0-1-100") == 1, "the same");
    ok(has("1", "0-1-100", "0-1-101") == 1, "more of the primary's");
    ok(has("1", "0-1-100", "0-1-99") == 0, "less");
    ok(has("2", "0-1-100", "0-1-100") == 1,
       "a new primary that has written nothing");
    ok(has("2", "0-1-100", "0-1-150") == 0, "more of the one before");
    ok(has("2", "0-2-160", "0-1-200") == 0, "...that the new one has passed");
    ok(has("2", "0-2-160", "0-2-161") == 1, "more of the new one's");
    ok(has("1", "0-1-100,3-1-5", "0-1-100") == 0, "a domain that lacks");
    ok(has("1", "0-1-100,3-1-5", "3-1-5,0-1-100") == 1, "in any order");
    ok(has("1", "0-1-100", "0-1-100,7-9-3") == 0,
       "a domain that the primary has not");

    ok(has(UUID1, UUID1 ":1-5", UUID1 ":1-5") == 1, "MySQL: the same");
    ok(has(UUID1, UUID1 ":1-5", UUID1 ":1-6") == 1, "more");
    ok(has(UUID1, UUID1 ":1-5", UUID1 ":1-4") == 0, "less");
    ok(has(UUID1, UUID1 ":1-5", UUID1 ":1-4:6") == 0, "a gap");
    ok(has(UUID2, UUID1 ":1-5," UUID2 ":1", UUID1 ":1-5") == 0,
       "not the new primary's");
    ok(has(UUID2, UUID1 ":1-5", UUID1 ":1-6") == 0,
       "more of the one before");
    ok(has(UUID2, UUID1 ":1-5," UUID2 ":1",
           "3E11FA47-71CA-11E1-9E33-C80AA9429562:1-5,\n" UUID2 ":1-2") == 1,
       "in any case");
    ok(has(UUID1, UUID1 ":1-5", "0-1-5") == 2
       || has(UUID1, UUID1 ":1-5", "0-1-5") == 0, "another database");

    ok(other("1", "0-1-5", "1", "0-1-6") == 0, "the same primary");
    ok(other("1", "0-1-5", "2", "0-1-5") == 1, "another server");
    ok(other("1", "0-1-5", "1", "0-1-4") == 1, "one that has lost something");
    ok(other("1", "0-1-5", "1", "0-1-5,1-1-1") == 0, "a new domain");
    ok(other("1", "0-1-5,1-1-1", "1", "0-1-5") == 1, "one domain less");
    ok(other(UUID1, UUID1 ":1-5", UUID1, UUID1 ":1-9") == 0, "MySQL: the same");
    ok(other(UUID1, UUID1 ":1-5", UUID2, UUID1 ":1-9") == 1, "another server");
}


/* packets of an answer, each behind its length in one byte; -2: it goes on */

static ngx_int_t
answer(uint64_t caps, const char *packets, size_t len,
    ngx_hyperdrive_mysql_role_t *role,
    ngx_hyperdrive_mysql_greeting_t *greeting)
{
    u_char     *p, *last;
    ngx_int_t   rc;
    ngx_str_t   payload;

    ngx_memzero(role, sizeof(ngx_hyperdrive_mysql_role_t));
    ngx_memzero(greeting, sizeof(ngx_hyperdrive_mysql_greeting_t));
    ngx_str_set(&greeting->version, "10.11.6-MariaDB");
    greeting->capabilities = caps;

    p = (u_char *) packets;
    last = p + len;
    rc = NGX_AGAIN;

    while (p < last && rc == NGX_AGAIN) {
        payload = copy((char *) p + 1, p[0]);
        rc = ngx_hyperdrive_mysql_role_packet(role, &payload, greeting);
        free(payload.data);
        p += 1 + p[0];
    }

    return (p == last) ? rc : -100;
}


static ngx_str_t
greeting_of(ngx_hyperdrive_mysql_greeting_t *greeting)
{
    ngx_str_t               s;
    ngx_hyperdrive_chain_t  chain;

    ngx_memzero(&chain, sizeof(chain));
    ngx_hyperdrive_mysql_greeting_write(greeting, &chain);

    s = copy((char *) chain.head->pos, chain.size);
    ngx_hyperdrive_base_chain_clear(&chain);

    return s;
}


#define bytes(s)  s, sizeof(s) - 1

#define COLUMNS   "\1\2" "\3def" "\3def"
#define END       "\5\376\0\0\2\0"


static ngx_str_t
said(const char *row, size_t len)
{
    char                             packets[256];
    size_t                           n;
    ngx_hyperdrive_mysql_role_t      role;
    ngx_hyperdrive_mysql_greeting_t  greeting;

    n = sizeof(COLUMNS) - 1;
    memcpy(packets, COLUMNS, n);
    packets[n++] = len;
    memcpy(packets + n, row, len);
    n += len;
    memcpy(packets + n, END, sizeof(END) - 1);
    n += sizeof(END) - 1;

    if (answer(NGX_HYPERDRIVE_MYSQL_DEPRECATE_EOF, packets, n, &role, &greeting)
        != NGX_OK)
    {
        greeting.role = UNKNOWN;
    }

    return greeting_of(&greeting);
}


static void
roles(void)
{
    ngx_str_t                        one, two;
    ngx_hyperdrive_mysql_role_t      role;
    ngx_hyperdrive_mysql_greeting_t  greeting;

    ok(answer(0, bytes("\1\2" "\3def" "\3def" END "\4\1" "0\1a" END), &role,
              &greeting) == NGX_OK && greeting.role == PRIMARY,
       "an answer in the old form");
    ok(answer(NGX_HYPERDRIVE_MYSQL_DEPRECATE_EOF,
              bytes(COLUMNS "\4\1" "1\1a" END), &role, &greeting) == NGX_OK
       && greeting.role == REPLICA, "...in the new one");
    ok(answer(0, bytes("\4\377\1\2x"), &role, &greeting) == NGX_OK
       && greeting.role == UNKNOWN, "an error: it does not say");
    ok(answer(0, bytes(COLUMNS), &role, &greeting) == NGX_AGAIN, "a part");
    ok(answer(0, bytes("\1\3"), &role, &greeting) == NGX_ERROR,
       "too many columns");
    ok(answer(NGX_HYPERDRIVE_MYSQL_DEPRECATE_EOF,
              bytes(COLUMNS "\3\1" "1\1"), &role, &greeting) == NGX_ERROR,
       "a row that is cut");

    one = said(bytes("\1" "0\016a=1\nb=2\nc=long"));
    two = said(bytes("\1" "1\016a=1\nb=2\nc=long"));

    ok(ngx_hyperdrive_mysql_role(&one) == PRIMARY
       && ngx_hyperdrive_mysql_role(&two) == REPLICA, "kept in the greeting");
    ok(ngx_hyperdrive_mysql_role_unlike(&one, &two) == NULL, "set up alike");
    free(two.data);

    two = said(bytes("\1" "1\016a=1\nb=3\nc=long"));
    ok(ngx_strcmp(ngx_hyperdrive_mysql_role_unlike(&one, &two), "b") == 0,
       "not alike");
    free(two.data);

    two = said(bytes("\1" "1\016a=1\nb=2\nc=lonx"));
    ok(ngx_strcmp(ngx_hyperdrive_mysql_role_unlike(&one, &two), "c") == 0,
       "...in the last one");
    free(two.data);

    two = said(bytes("\1" "1\373"));
    ok(ngx_hyperdrive_mysql_role(&two) == UNKNOWN, "no settings");
    free(two.data);
    free(one.data);

    ngx_str_set(&one, "");
    ok(ngx_hyperdrive_mysql_role(&one) == UNKNOWN, "no greeting");
}


int
main(void)
{
    rows();
    positions();
    roles();

    return done();
}
