/* sources: mysql/ state/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/* Tests of MySQL's packets: their frames, values, OK, ERR and EOF. */


#include "mysql/ngx_hyperdrive_mysql_packet.h"
#include "check.h"


#define PROTOCOL_41    NGX_HYPERDRIVE_MYSQL_PROTOCOL_41
#define SESSION_TRACK  NGX_HYPERDRIVE_MYSQL_SESSION_TRACK
#define DEPRECATE_EOF  NGX_HYPERDRIVE_MYSQL_DEPRECATE_EOF

#define FULL           ((size_t) NGX_HYPERDRIVE_MYSQL_MAX_PACKET)


static ngx_hyperdrive_chain_t  chain;


/* takes what is in the chain; of just the size, so that ASan sees */

static u_char *
taken(size_t *len)
{
    u_char                  *data, *p;
    ngx_hyperdrive_block_t  *block;

    data = malloc(chain.size ? chain.size : 1);
    p = data;

    for (block = chain.head; block; block = block->next) {
        p = ngx_cpymem(p, block->pos, block->last - block->pos);
    }

    *len = p - data;
    ngx_hyperdrive_base_chain_clear(&chain);

    return data;
}


static ngx_uint_t
wrote(const void *bytes, size_t len)
{
    size_t      n;
    u_char     *data;
    ngx_uint_t  same;

    data = taken(&n);
    same = n == len && memcmp(data, bytes, len) == 0;
    free(data);

    return same;
}


/* payloads read in pieces of at most <step> bytes; how many have ended */

static ngx_uint_t
frame(u_char *data, size_t len, size_t step, size_t *sizes, ngx_uint_t *packets,
    u_char *seq)
{
    u_char                         *pos, *last, *end;
    size_t                          size;
    ngx_uint_t                      n, begun;
    ngx_hyperdrive_mysql_part_t     part;
    ngx_hyperdrive_mysql_framer_t   f;

    ngx_memzero(&f, sizeof(f));

    pos = data;
    end = data + len;
    size = 0;
    begun = 0;
    n = 0;
    *packets = 0;

    while (pos < end) {
        last = ngx_min(pos + step, end);

        while (ngx_hyperdrive_mysql_part(&f, &pos, last, &part) == NGX_OK) {

            if (part.begin == begun) {
                /* begun twice, or never */
                return 0;
            }

            begun = !part.end;
            *packets += part.packet;
            *seq = part.seq;
            size += part.len;

            if (part.data + part.len != pos) {
                return 0;
            }

            if (part.end) {
                sizes[n++] = size;
                size = 0;
            }

            if (part.end != ngx_hyperdrive_mysql_framer_clear(&f)) {
                return 0;
            }
        }

        if (pos != last) {
            return 0;
        }
    }

    return n;
}


static void
test_frames(void)
{
    size_t      len, step, sizes[4];
    u_char     *data, *big, seq, got;
    ngx_uint_t  good, packets;

    seq = 3;
    ngx_hyperdrive_mysql_packet_append(&chain, "", 0, &seq);
    ngx_hyperdrive_mysql_packet_append(&chain, "abcdefgh", 8, &seq);
    ngx_hyperdrive_mysql_packet_append(&chain, "x", 1, &seq);

    data = taken(&len);
    good = len == 21 && seq == 6;

    for (step = 1; step <= len; step++) {
        good = good && frame(data, len, step, sizes, &packets, &got) == 3
               && sizes[0] == 0 && sizes[1] == 8 && sizes[2] == 1
               && packets == 3 && got == 5;
    }

    ok(good, "three payloads, read in pieces of any size");
    free(data);

    big = calloc(1, FULL + 5);

    seq = 255;
    ngx_hyperdrive_mysql_packet_append(&chain, big, FULL + 5, &seq);
    data = taken(&len);
    ok(len == 4 + FULL + 4 + 5 && seq == 1
       && frame(data, len, 1000003, sizes, &packets, &got) == 1
       && packets == 2 && sizes[0] == FULL + 5 && got == 0,
       "16 MB and more go in two packets, and the sequence number goes round");
    free(data);

    seq = 0;
    ngx_hyperdrive_mysql_packet_append(&chain, big, FULL, &seq);
    data = taken(&len);
    ok(len == 4 + FULL + 4 && seq == 2
       && frame(data, len, 65536, sizes, &packets, &got) == 1
       && packets == 2 && sizes[0] == FULL,
       "behind a full packet stands an empty one");
    free(data);

    seq = 0;
    ngx_hyperdrive_mysql_packet_append(&chain, big, FULL - 1, &seq);
    data = taken(&len);
    ok(len == 4 + FULL - 1 && seq == 1
       && frame(data, len, 65536, sizes, &packets, &got) == 1
       && packets == 1,
       "and none behind one that is a byte short of it");
    free(data);
    free(big);
}


static void
test_packet(void)
{
    size_t      n, len;
    u_char     *data, *pos, *copy, seq;
    ngx_uint_t  good;
    ngx_str_t   payload;

    seq = 7;
    pos = ngx_hyperdrive_mysql_packet_begin(&chain, 5, &seq);
    ngx_memcpy(pos, "hello", 5);

    data = taken(&len);
    good = len == 9 && seq == 8;

    for (n = 0; n < len; n++) {
        copy = malloc(n ? n : 1);
        ngx_memcpy(copy, data, n);
        pos = copy;

        good = good
               && ngx_hyperdrive_mysql_packet(&pos, copy + n, 5, &payload, &seq)
                  == NGX_AGAIN
               && pos == copy;

        free(copy);
    }

    ok(good, "a payload that is not whole is not taken");

    pos = data;
    ok(ngx_hyperdrive_mysql_packet(&pos, data + len, 5, &payload, &seq)
       == NGX_OK
       && payload.len == 5 && memcmp(payload.data, "hello", 5) == 0
       && pos == data + len && seq == 7,
       "and taken when it is");

    pos = data;
    ok(ngx_hyperdrive_mysql_packet(&pos, data + 3, 4, &payload, &seq)
       == NGX_ERROR,
       "one that is too long is refused by its length");

    free(data);
}


static void
test_values(void)
{
    size_t      n, size;
    u_char     *p, *copy, buf[16];
    uint64_t    value;
    ngx_str_t   s;
    ngx_uint_t  i, good;

    static uint64_t  values[] = {
        0, 1, 0xfa, 0xfb, 0xfc, 0xff, 0x100, 0xffff, 0x10000, 0xffffff,
        0x1000000, 0xffffffff, 0x100000000ull, 0xffffffffffffffffull
    };

    good = 1;

    for (i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
        p = ngx_hyperdrive_mysql_put_lenc(buf, values[i]);
        size = p - buf;

        good = good && size == ngx_hyperdrive_mysql_lenc_size(values[i]);

        for (n = 0; n <= size; n++) {
            copy = malloc(n ? n : 1);
            ngx_memcpy(copy, buf, n);

            p = ngx_hyperdrive_mysql_read_lenc(copy, copy + n, &value);

            good = good && (n < size ? p == NULL
                                     : p == copy + n && value == values[i]);
            free(copy);
        }
    }

    ok(good, "integers with their length, cut at every byte");

    ok(ngx_hyperdrive_mysql_read_lenc((u_char *) "\xfb", (u_char *) "\xfb" + 1,
                                      &value) == NULL
       && ngx_hyperdrive_mysql_read_lenc((u_char *) "\xff........",
                                         (u_char *) "\xff........" + 9,
                                         &value) == NULL,
       "NULL and ERR are no integers");

    p = ngx_hyperdrive_mysql_put_lstr(buf, "abc", 3);
    good = p == buf + 4;

    for (n = 0; n <= 4; n++) {
        copy = malloc(n ? n : 1);
        ngx_memcpy(copy, buf, n);

        p = ngx_hyperdrive_mysql_read_lstr(copy, copy + n, &s);

        good = good && (n < 4 ? p == NULL : p == copy + 4 && s.len == 3
                                            && memcmp(s.data, "abc", 3) == 0);
        free(copy);
    }

    ok(good, "strings with their length, cut at every byte");

    ngx_memcpy(buf, "\xfe\xff\xff\xff\xff\xff\xff\xff\xff" "abc", 12);
    ok(ngx_hyperdrive_mysql_read_lstr(buf, buf + 12, &s) == NULL,
       "a length of 2^64 - 1 is none");
}


/* reads the payload of the one packet written, cut at every byte */

static ngx_uint_t
read_ok_cut(uint64_t caps, ngx_hyperdrive_mysql_ok_t *out, size_t least,
    u_char **keep)
{
    size_t      n, len;
    u_char     *data, *copy;
    ngx_int_t   rc;
    ngx_str_t   payload;
    ngx_uint_t  good;

    data = taken(&len);
    good = 1;

    for (n = 0; n < len - 4; n++) {
        copy = malloc(n ? n : 1);
        ngx_memcpy(copy, data + 4, n);

        payload.data = copy;
        payload.len = n;

        rc = ngx_hyperdrive_mysql_ok_read(&payload, caps, out);

        /* the texts behind it may be left away, but not cut */

        good = good && (n == least || rc == NGX_ERROR);

        free(copy);
    }

    payload.data = data + 4;
    payload.len = len - 4;

    good = good && ngx_hyperdrive_mysql_ok_read(&payload, caps, out) == NGX_OK;

    *keep = data;

    return good;
}


/* 1: no schema, 2: it was changed */

static ngx_uint_t
tracked(ngx_hyperdrive_mysql_ok_t *in)
{
    ngx_str_t   name;
    ngx_uint_t  astray;

    astray = (ngx_hyperdrive_mysql_ok_schema(in, &name) && name.len == 0);

    return astray | ngx_hyperdrive_mysql_ok_changed(in) << 1;
}


static void
test_ok(void)
{
    u_char                     seq, *data, told[16];
    ngx_hyperdrive_mysql_ok_t  in, out;

    ngx_memzero(&in, sizeof(ngx_hyperdrive_mysql_ok_t));
    ok(tracked(&in) == 0, "nothing was tracked");

    /* a variable, the schema "d", the schema "", a change */
    in.changes.data = (u_char *) "\0\4\1a\1b" "\1\2\1d" "\1\1\0" "\2\1" "1";
    in.changes.len = 10;
    ok(tracked(&in) == 2, "a variable, and it has a schema");
    in.changes.len = 13;
    ok(tracked(&in) == 3, "it has none any more");
    in.changes.len = 12;
    ok(tracked(&in) == 2, "it is cut");
    in.changes.data += 6;
    in.changes.len = 4;
    ok(tracked(&in) == 0, "nothing but a schema");
    in.changes.len = 10;
    ok(tracked(&in) == 3, "a change of any kind");

    /* ...is taken out, in place, and nothing else is */
    ngx_memcpy(told, "\2\1" "1" "\1\2\1d" "\2\1" "1" "\0\4\1a\1b", 16);
    in.changes.data = told;
    in.changes.len = 16;
    ok(ngx_hyperdrive_mysql_ok_untold(&in) && in.changes.len == 10
       && ngx_memcmp(told, "\1\2\1d" "\0\4\1a\1b", 10) == 0,
       "changes are not told");
    ok(!ngx_hyperdrive_mysql_ok_untold(&in) && in.changes.len == 10,
       "there are none");
    ngx_memcpy(told, "\2\1" "1" "\2\4" "1", 6);
    in.changes.len = 6;
    ok(ngx_hyperdrive_mysql_ok_untold(&in) && in.changes.len == 3
       && ngx_memcmp(told, "\2\4" "1", 3) == 0, "what is cut stays");
    in.changes.len = 0;
    ok(!ngx_hyperdrive_mysql_ok_untold(&in), "nothing is nothing");

    ngx_memzero(&in, sizeof(in));

    in.affected = 1;
    in.insert_id = 300;
    in.status = NGX_HYPERDRIVE_MYSQL_AUTOCOMMIT;
    in.warnings = 2;

    seq = 1;
    ngx_hyperdrive_mysql_ok(&chain, PROTOCOL_41, &in, &seq);
    ok(seq == 2
       && wrote("\x09\0\0\x01" "\0\x01\xfc\x2c\x01\x02\0\x02\0", 13),
       "an OK");

    ngx_str_set(&in.info, "Rows matched: 1");
    ngx_str_set(&in.changes, "\x01\x03\x02" "db");

    ngx_hyperdrive_mysql_ok(&chain, PROTOCOL_41, &in, &seq);
    ok(read_ok_cut(PROTOCOL_41, &out, 9, &data)
       && out.affected == 1 && out.insert_id == 300 && out.warnings == 2
       && out.status == NGX_HYPERDRIVE_MYSQL_AUTOCOMMIT
       && ngx_hyperdrive_base_same(&in.info, &out.info)
       && out.changes.len == 0,
       "an OK with a text; trackers are not for those who did not ask");
    free(data);

    ngx_hyperdrive_mysql_ok(&chain, PROTOCOL_41|SESSION_TRACK, &in, &seq);
    ok(read_ok_cut(PROTOCOL_41|SESSION_TRACK, &out, (size_t) -1, &data)
       && out.status == (NGX_HYPERDRIVE_MYSQL_AUTOCOMMIT
                         |NGX_HYPERDRIVE_MYSQL_STATE_CHANGED)
       && ngx_hyperdrive_base_same(&in.info, &out.info)
       && ngx_hyperdrive_base_same(&in.changes, &out.changes),
       "an OK with trackers");
    free(data);

    in.info.len = 0;
    ngx_hyperdrive_mysql_ok(&chain, PROTOCOL_41|SESSION_TRACK, &in, &seq);
    ok(read_ok_cut(PROTOCOL_41|SESSION_TRACK, &out, (size_t) -1, &data)
       && out.info.len == 0
       && ngx_hyperdrive_base_same(&in.changes, &out.changes),
       "trackers without a text");
    free(data);

    ngx_memzero(&in, sizeof(in));
    in.status = NGX_HYPERDRIVE_MYSQL_MORE_RESULTS;
    in.warnings = 1;

    seq = 9;
    ngx_hyperdrive_mysql_end(&chain, PROTOCOL_41|DEPRECATE_EOF, &in, &seq);
    ok(wrote("\x07\0\0\x09" "\xfe\0\0\x08\0\x01\0", 11),
       "the end of rows as an OK");

    seq = 9;
    ngx_hyperdrive_mysql_end(&chain, PROTOCOL_41, &in, &seq);
    ok(wrote("\x05\0\0\x09" "\xfe\x01\0\x08\0", 9),
       "the end of rows as an EOF");
}


static void
test_err(void)
{
    size_t                      n;
    u_char                      seq, *copy;
    ngx_str_t                   payload;
    ngx_uint_t                  good, status, warnings;
    ngx_hyperdrive_mysql_err_t  err;

    seq = 2;
    ngx_hyperdrive_mysql_err(&chain, PROTOCOL_41, 1045, "28000", "no", 2, &seq);
    ok(seq == 3 && wrote("\x0b\0\0\x02" "\xff\x15\x04#28000no", 15), "an ERR");

    ngx_hyperdrive_mysql_err(&chain, 0, 1040, "08004", "no", 2, &seq);
    ok(wrote("\x05\0\0\x03" "\xff\x10\x04no", 9),
       "an ERR before a client has said what it understands");

    good = 1;

    for (n = 0; n <= 11; n++) {
        copy = malloc(n ? n : 1);
        ngx_memcpy(copy, "\xff\x15\x04#28000no", n);

        payload.data = copy;
        payload.len = n;

        good = good
               && ngx_hyperdrive_mysql_err_read(&payload, &err)
                  == (n < 3 ? NGX_ERROR : NGX_OK);

        if (n >= 9) {
            good = good && err.code == 1045
                   && memcmp(err.sqlstate, "28000", 6) == 0
                   && err.message.len == n - 9;

        } else if (n >= 3) {
            good = good && memcmp(err.sqlstate, "HY000", 6) == 0
                   && err.message.len == n - 3;
        }

        free(copy);
    }

    ok(good, "an ERR is read, cut at every byte");

    good = 1;

    for (n = 0; n <= 5; n++) {
        copy = malloc(n ? n : 1);
        ngx_memcpy(copy, "\xfe\x01\0\x08\0", n);

        payload.data = copy;
        payload.len = n;

        good = good
               && ngx_hyperdrive_mysql_eof_read(&payload, &status, &warnings)
                  == (n < 5 ? NGX_ERROR : NGX_OK);
        free(copy);
    }

    ok(good && status == 8 && warnings == 1,
       "an EOF is read, cut at every byte");
}


int
main(void)
{
    test_frames();
    test_packet();
    test_values();
    test_ok();
    test_err();

    return done();
}
