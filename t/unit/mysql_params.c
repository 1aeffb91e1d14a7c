/* sources: mysql/ state/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/* Tests of the values of COM_STMT_EXECUTE as a policy sees them. */


#include "mysql/ngx_hyperdrive_mysql_wire.h"
#include "check.h"


#define MAX  300


static ngx_str_t   values[MAX];


/* of just the size, so that ASan sees what is read behind it */

static ngx_uint_t
params(const void *bytes, size_t len, ngx_uint_t n, ngx_uint_t max)
{
    u_char          *data;
    ngx_str_t        bind;
    ngx_uint_t       got;
    static u_char   *last;

    free(last);

    data = malloc(len ? len : 1);
    memcpy(data, bytes, len);
    last = data;

    bind.data = data;
    bind.len = len;

    memset(values, 0xee, sizeof(values));

    got = ngx_hyperdrive_mysql_params(&bind, n, values, max);

    return got;
}


/* one value of a type, with its flags; at each cut there is none */

static void
one(ngx_uint_t type, const void *bytes, size_t len, const char *text)
{
    size_t      cut;
    char        name[128];
    u_char      buf[64];
    ngx_uint_t  whole;

    buf[0] = 0;
    buf[1] = 1;
    buf[2] = type & 0xff;
    buf[3] = type >> 8;
    memcpy(buf + 4, bytes, len);

    whole = 1;

    for (cut = 0; cut < 4 + len; cut++) {
        whole &= (params(buf, cut, 1, MAX) == 0);
    }

    snprintf(name, sizeof(name), "type %d: %s", (int) type, text);

    ok(whole && params(buf, 4 + len, 1, MAX) == 1
       && values[0].len == strlen(text)
       && memcmp(values[0].data, text, values[0].len) == 0, name);
}


static void
bad(ngx_uint_t type, const void *bytes, size_t len, const char *name)
{
    u_char  buf[64];

    buf[0] = 0;
    buf[1] = 1;
    buf[2] = type & 0xff;
    buf[3] = type >> 8;
    memcpy(buf + 4, bytes, len);

    ok(params(buf, 4 + len, 1, MAX) == 0, name);
}


static void
real(double number, const char *text)
{
    float  single = number;

    one(5, &number, 8, text);
    one(4, &single, 4, text);
}


int
main(void)
{
    size_t      i;
    double      third;
    u_char      many[2 + 300 / 8 + 600 + 300 + 16];
    u_char     *p;

    one(1, "\x80", 1, "-128");
    one(1, "\x7f", 1, "127");
    one(1 | 0x8000, "\x80", 1, "128");
    one(2, "\xfe\xff", 2, "-2");
    one(2 | 0x8000, "\xfe\xff", 2, "65534");
    one(13 | 0x8000, "\xea\x07", 2, "2026");
    one(3, "\x00\x00\x00\x80", 4, "-2147483648");
    one(3 | 0x8000, "\xff\xff\xff\xff", 4, "4294967295");
    one(9, "\xff\xff\xff\xff", 4, "-1");
    one(8, "\x00\x00\x00\x00\x00\x00\x00\x80", 8, "-9223372036854775808");
    one(8 | 0x8000, "\xff\xff\xff\xff\xff\xff\xff\xff", 8,
        "18446744073709551615");

    real(0, "0");
    real(1.5, "1.5");
    real(-1e20, "-1e+20");
    one(4, "\xcd\xcc\xcc\x3d", 4, "0.1");

    third = 1.0 / 3;
    one(5, &third, 8, "0.3333333333333333");

    one(10, "\x04\xea\x07\x02\x1d", 5, "2026-02-29");
    one(10, "\x00", 1, "0000-00-00");
    one(12, "\x00", 1, "0000-00-00 00:00:00");
    one(12, "\x07\xea\x07\x0b\x1d\x17\x3b\x01", 8, "2026-11-29 23:59:01");
    one(7, "\x0b\xea\x07\x0b\x1d\x17\x3b\x01\x05\x00\x00\x00", 12,
        "2026-11-29 23:59:01.000005");
    bad(12, "\x05\xea\x07\x0b\x1d\x17\x3b\x01", 8, "a date of a length that "
        "none has");

    one(11, "\x00", 1, "00:00:00");
    one(11, "\x08\x01\x02\x00\x00\x00\x01\x02\x03", 9, "-49:02:03");
    one(11, "\x0c\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 13,
        "103079215335:255:255.4294967295");
    bad(11, "\x09\x01\x02\x00\x00\x00\x01\x02\x03\x04", 10,
        "a time of a length that none has");

    one(253, "\x00", 1, "");
    one(254, "\x03" "abc", 4, "abc");
    one(252, "\xfc\x02\x00" "xy", 5, "xy");
    one(246, "\x04" "1.50", 5, "1.50");
    bad(253, "\xfb", 1, "a string that is NULL among the values");
    bad(253, "\xfe\xff\xff\xff\xff\xff\xff\xff\xff", 9,
        "a string longer than memory");

    ok(params("", 0, 0, MAX) == 0, "no values");
    ok(params("\0\0\375\0\1a", 6, 1, MAX) == 0, "no types");
    ok(params("\1\1\375\0", 4, 1, MAX) == 1 && values[0].data == NULL,
       "NULL");
    ok(params("\0\1\6\0", 4, 1, MAX) == 1 && values[0].data == NULL,
       "a type that is NULL");
    ok(params("\2\1\375\0\375\0\375\0\1a\1b", 12, 3, MAX) == 3
       && values[0].data[0] == 'a' && values[1].data == NULL
       && values[2].data[0] == 'b', "one of three is NULL");

    /* as many as there is room for, of more */

    memset(many, 0, sizeof(many));
    p = many + 38;
    *p++ = 1;

    for (i = 0; i < 300; i++) {
        *p++ = 1;
        *p++ = 0;
    }

    for (i = 0; i < 300; i++) {
        *p++ = i & 0x7f;
    }

    ok(params(many, p - many, 300, MAX) == 256 && values[255].len == 3
       && memcmp(values[255].data, "127", 3) == 0, "256 of 300");
    ok(params(many, p - many, 300, 2) == 2 && values[1].data[0] == '1'
       && values[2].len == 0xeeeeeeeeeeeeeeeeull, "two of 300");

    return done();
}
