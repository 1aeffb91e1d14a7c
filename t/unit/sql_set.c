/* sources: sql/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * Tests of the reader of SET and its like, and of the statements that give
 * another connection the same settings.
 */


#include "sql/ngx_hyperdrive_sql_set.h"
#include "base/ngx_hyperdrive_base_mode.h"
#include "check.h"


static ngx_hyperdrive_sql_mode_t   mode = {
    .standard_conforming_strings = 1
};
static size_t                      room = 512;
static uint64_t                    binary;


/* the order of ngx_hyperdrive_sql_set_e */

static const char  *changes[] = {
    "set", "set local", "reset", "reset local", "reset all", "discard all",
    "begin", "commit", "rollback", "savepoint", "release", "rollback to",
    "other"
};


/* "change name=value; ..." of all that <s> does, and how the reading ended */

static void
read_all(const char *s, size_t len, ngx_str_t *args, ngx_uint_t nargs,
    char *said, size_t size)
{
    char                             *p, *last;
    u_char                           *buf, *mask;
    ngx_int_t                         rc;
    ngx_str_t                         text, all;
    ngx_hyperdrive_sql_set_t          set;
    ngx_hyperdrive_sql_mode_t         safe;
    ngx_hyperdrive_sql_set_reader_t   r;

    /* of just the size, so that ASan sees a byte too many */

    text.len = len;
    text.data = malloc(len ? len : 1);
    ngx_memcpy(text.data, s, len);

    buf = malloc(room ? room : 1);

    ngx_memzero(&r, sizeof(ngx_hyperdrive_sql_set_reader_t));
    r.buf = buf;
    r.size = room;
    r.args = args;
    r.nargs = nargs;
    r.binary = binary;

    mask = malloc(len ? len : 1);
    safe = mode;
    all = text;

    ngx_hyperdrive_sql_set_mask(&all, &safe, mask, len);
    ngx_hyperdrive_sql_set_begin(&r, &all, &safe);

    p = said;
    last = said + size;

    for ( ;; ) {
        rc = ngx_hyperdrive_sql_set_next(&r, &set);

        if (rc != NGX_OK) {
            break;
        }

        p += snprintf(p, last - p, "%d %s", (int) set.statement,
                      changes[set.change]);

        if (set.change < NGX_HYPERDRIVE_SQL_SET_RESET_ALL
            || (set.change >= NGX_HYPERDRIVE_SQL_SET_SAVEPOINT
                && set.change <= NGX_HYPERDRIVE_SQL_SET_ROLLBACK_TO))
        {
            p += snprintf(p, last - p, " %.*s", (int) set.name.len,
                          (char *) set.name.data);
        }

        if (set.change <= NGX_HYPERDRIVE_SQL_SET_VALUE_LOCAL) {
            p += snprintf(p, last - p, "=%.*s", (int) set.value.len,
                          (char *) set.value.data);
        }

        if (set.change == NGX_HYPERDRIVE_SQL_SET_OTHER) {
            p += snprintf(p, last - p, " %.*s", (int) set.value.len,
                          (char *) set.value.data);
        }

        p += snprintf(p, last - p, ";");
    }

    if (rc != NGX_DONE) {
        (void) snprintf(p, last - p, "?");
    }

    free(text.data);
    free(mask);
    free(buf);
}


static void
args_are(const char *s, ngx_str_t *args, ngx_uint_t nargs, const char *expect)
{
    char        said[2048], cut[2048];
    size_t      i, len;
    ngx_uint_t  good;

    said[0] = '\0';
    len = strlen(s);

    read_all(s, len, args, nargs, said, sizeof(said));

    if (strcmp(said, expect) != 0) {
        printf("# %s: got %s instead of %s\n", s, said, expect);
    }

    good = (strcmp(said, expect) == 0);

    for (i = 0; i <= len && i < sizeof(said); i++) {
        said[i] = (s[i] == '\n') ? ' ' : s[i];
    }

    ok(good, said);

    for (i = 0; i < len; i++) {
        read_all(s, i, args, nargs, cut, sizeof(cut));
    }
}


static void
is(const char *s, const char *expect)
{
    args_are(s, NULL, 0, expect);
}


/* ...in an encoding whose characters may have ASCII bytes */

static void
masked(ngx_uint_t charset, const char *s, const char *expect)
{
    mode.unsafe_encoding = 1;
    mode.charset = charset;

    is(s, expect);

    mode.unsafe_encoding = 0;
    mode.charset = 0;
}


static void
test_set(void)
{
    is("SET a TO b", "0 set a=b;");
    is("set SESSION A = B", "0 set a=b;");
    is("SET LOCAL a.B TO 'C d'", "0 set local a.b=C d;");
    is("SET \"A.b\" TO \"C d\"", "0 set a.b=C d;");
    is("SET a TO 'it''s'", "0 set a=it's;");
    is("SET a TO 'b\\c'", "0 set a=b\\c;");
    is("SET a TO E'b\\'c\\\\'", "0 set a=b'c\\;");
    is("SET a TO E'b\\n'", "?");
    is("SET a TO 'b'\n  'c'", "0 set a=bc;");
    is("SET a TO 'b' -- x\n  'c'", "?");
    is("SET a TO $x$b'c$x$", "0 set a=b'c;");
    is("SET a TO U&'b'", "0 set a=b;");
    is("SET a TO U&'\\0061'", "?");
    is("SET a TO U&'!0061' UESCAPE '!'", "?");
    is("SET U&\"!0061\" UESCAPE '!' TO b", "?");
    is("SET a TO 5", "0 set a=5;");
    is("SET a TO -007", "0 set a=-7;");
    is("SET a TO +1.50", "0 set a=1.50;");
    is("SET a TO 0x10", "?");
    is("SET a TO 1_000", "?");
    is("SET a TO - b", "?");
    is("SET a TO true", "0 set a=true;");
    is("SET a TO DEFAULT", "0 reset a;");
    is("SET LOCAL a TO DEFAULT", "0 reset local a;");
    is("SET a FROM CURRENT", "?");
    is("SET a", "?");
    is("SET a TO", "?");
    is("SET a TO b c", "?");
    is("SET a TO (b)", "?");
    is("SET a TO $1", "?");
    is("SET search_path TO a, \"B\", 'c d', 'user', public",
       "0 set search_path=a, \"B\", \"c d\", \"user\", public;");
    is("SET search_path TO '', 'a\"b'",
       "0 set search_path=\"\", \"a\"\"b\";");
    is("SET DateStyle TO ISO, dmy", "0 set datestyle=iso, dmy;");
    is("SET SCHEMA 'a b'", "0 set search_path=\"a b\";");
    is("SET schema TO b", "0 set schema=b;");
    is("SET TIME ZONE 'Europe/Rome'", "0 set timezone=Europe/Rome;");
    is("SET TIME ZONE -7", "0 set timezone=-7;");
    is("SET TIME ZONE LOCAL", "0 reset timezone;");
    is("SET LOCAL TIME ZONE DEFAULT", "0 reset local timezone;");
    is("SET TIME ZONE INTERVAL '1' HOUR", "?");
    is("SET NAMES 'UTF8'", "0 set client_encoding=UTF8;");
    is("SET NAMES", "0 reset client_encoding;");
    is("SET ROLE a", "0 set role=a;");
    is("SET ROLE NONE", "0 set role=none;");
    is("SET role TO 'A b'", "0 set role=A b;");
    is("SET SESSION AUTHORIZATION 'x'", "0 set session_authorization=x;");
    is("SET SESSION SESSION AUTHORIZATION DEFAULT",
       "0 reset session_authorization;");
    is("SET LOCAL SESSION AUTHORIZATION x",
       "0 set local session_authorization=x;");
    is("SET XML OPTION DOCUMENT", "0 set xmloption=document;");
    is("SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL "
       "REPEATABLE READ",
       "0 set default_transaction_isolation=repeatable read;");
    is("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
       "0 set default_transaction_read_only=on;");
    is("SET SESSION CHARACTERISTICS AS TRANSACTION NOT DEFERRABLE",
       "0 set default_transaction_deferrable=off;");
    is("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY, DEFERRABLE",
       "?");
    is("SET TRANSACTION READ ONLY", "0 other SET TRANSACTION READ ONLY;");
    is("SET CONSTRAINTS ALL DEFERRED", "0 other SET CONSTRAINTS ALL DEFERRED;");
    is("SET transaction_isolation TO serializable",
       "0 set local transaction_isolation=serializable;");
    is("SET seed TO 0.5", "?");
    is("SET temp_buffers TO 100", "?");
    is("RESET a.b", "0 reset a.b;");
    is("RESET ALL", "0 reset all;");
    is("RESET TIME ZONE", "0 reset timezone;");
    is("RESET SESSION AUTHORIZATION", "0 reset session_authorization;");
    is("RESET", "?");
    is("RESET a b", "?");
    is("DISCARD ALL", "0 discard all;");
    is("DISCARD TEMP", "?");
}


static void
test_config(void)
{
    ngx_str_t  args[3];

    is("SELECT set_config('A','b',false)", "0 set a=b;");
    is("SELECT pg_catalog.set_config('a','B',true) AS x, "
       "set_config('c', NULL, 'off') y",
       "0 set local a=B;0 reset c;");
    is("SELECT set_config('a'::text,'b'::text,'t'::bool)", "0 set local a=b;");
    is("SELECT set_config('a','b',false) FROM t", "?");
    is("SELECT set_config('a','b',false), 1", "0 set a=b;?");
    is("SELECT set_config('a','b'||'c',false)", "?");
    is("SELECT set_config('seed','0',false)", "?");
    is("SELECT $1", "0 other SELECT $1;");

    ngx_str_set(&args[0], "App.X");
    ngx_str_set(&args[1], "it's");
    ngx_str_set(&args[2], "t");

    args_are("SELECT set_config($1,$2,$3)", args, 3,
             "0 set local app.x=it's;");
    args_are("SELECT set_config($1,$2,$3)", args, 2, "?");

    /* a word of SQL ends behind 63 bytes, which a function does not mind */

    ngx_str_set(&args[0],
                "a.b12345678901234567890123456789012345678901234567890"
                "123456789012");
    args_are("SELECT set_config($1,$2,$3)", args, 3,
             "0 set local a.b1234567890123456789012345678901234567890123456789"
             "0123456789012=it's;");
    ngx_str_set(&args[0],
                "a.b12345678901234567890123456789012345678901234567890"
                "1234567890123");
    args_are("SELECT set_config($1,$2,$3)", args, 3, "?");
    ngx_str_set(&args[0], "a.");
    args_are("SELECT set_config($1,$2,$3)", args, 3, "?");
    ngx_str_set(&args[0], "App.X");

    args_are("SELECT set_config($1,$0,$3)", args, 3, "?");
    args_are("SELECT set_config($1,$99999999999999999999,$3)", args, 3, "?");

    ngx_str_set(&args[2], "tru");
    args_are("SELECT set_config($1,$2,$3)", args, 3, "?");

    ngx_str_null(&args[1]);
    ngx_str_set(&args[2], "0");
    args_are("SELECT set_config($1,$2,$3)", args, 3, "0 reset app.x;");

    /* a byte of a binary boolean */

    binary = 4;
    ngx_str_set(&args[1], "\1");
    args_are("SELECT set_config($1,$2,$3)", args, 3, "0 set local app.x=\1;");
    args[2].data = (u_char *) "\0";
    args_are("SELECT set_config($1,$2,$3)", args, 3, "0 set app.x=\1;");
    binary = 0;
    args_are("SELECT set_config($1,$2,$3)", args, 3, "?");

    ngx_str_null(&args[0]);
    args_are("SELECT set_config($1,$2,$3)", args, 3, "?");

    is("SELECT set_config($1,$2,$3)", "0 set =;");
}


static void
test_privileged(void)
{
    ngx_uint_t  i;
    ngx_str_t   yes[] = { ngx_string("log_statement"), ngx_string("plpgsql.x"),
                          ngx_string("lc_messages") };
    ngx_str_t   no[] = { ngx_string("log"), ngx_string("lc_messagesx"),
                         ngx_string("plpgsql"), ngx_string("search_path"),
                         ngx_string("lc_message") };

    for (i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {
        ok(ngx_hyperdrive_sql_set_privileged(&yes[i]), (char *) yes[i].data);
    }

    for (i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
        ok(!ngx_hyperdrive_sql_set_privileged(&no[i]), (char *) no[i].data);
    }
}


static void
test_transaction(void)
{
    is("BEGIN", "0 begin;");
    is("START TRANSACTION READ ONLY", "0 begin;");
    is("BEGIN ATOMIC; x", "?");
    is("COMMIT", "0 commit;");
    is("END WORK", "0 commit;");
    is("COMMIT AND NO CHAIN", "0 commit;");
    is("ROLLBACK TRANSACTION AND CHAIN", "0 rollback;");
    is("ABORT", "0 rollback;");
    is("COMMIT x", "?");
    is("COMMIT PREPARED 'x'", "0 other COMMIT PREPARED 'x';");
    is("PREPARE TRANSACTION 'x'", "0 commit;");
    is("PREPARE x AS SELECT 1", "0 other PREPARE x AS SELECT 1;");
    is("SAVEPOINT A", "0 savepoint a;");
    is("SAVEPOINT \"A\"", "0 savepoint A;");
    is("RELEASE a", "0 release a;");
    is("RELEASE SAVEPOINT a", "0 release a;");
    is("ROLLBACK TO a", "0 rollback to a;");
    is("ROLLBACK WORK TO SAVEPOINT a", "0 rollback to a;");
    is("ROLLBACK TO", "?");
}


static void
test_several(void)
{
    ngx_str_t  args[3];

    is("", "");
    is(" ;; -- x\n;", "");
    is("SET a TO b;SET LOCAL c=1; ;SELECT 1 /* x */ ; RESET d;",
       "0 set a=b;1 set local c=1;2 other SELECT 1;3 reset d;");
    is("SELECT set_config('a','b',false); SET c TO d",
       "0 set a=b;1 set c=d;");
    is("SELECT 'x", "?");
    is("CREATE RULE r AS ON INSERT TO t DO (SELECT 1; SELECT 2); SET a TO b",
       "?");
    is("SELECT ); SET a TO b", "?");

    mode.standard_conforming_strings = 0;

    is("SET a TO 'b\\'; SET c TO d --'",
       "0 set a=b'; SET c TO d --;");

    mode.standard_conforming_strings = 1;
    mode.unsafe_encoding = 1;

    is("SET a TO 'b\x81\\'", "?");
    is("SET a TO 'b'", "0 set a=b;");

    ngx_str_set(&args[0], "a");
    ngx_str_set(&args[1], "b\x81\\");
    ngx_str_set(&args[2], "f");
    args_are("SELECT set_config($1,$2,$3)", args, 3, "?");

    mode.unsafe_encoding = 0;
    args_are("SELECT set_config($1,$2,$3)", args, 3, "0 set a=b\x81\\;");

    masked(NGX_HYPERDRIVE_BASE_MODE_SJIS, "SELECT '\x95\\'; SET a TO b",
           "0 other SELECT '\xff\xff';1 set a=b;");
    masked(NGX_HYPERDRIVE_BASE_MODE_SJIS, "SELECT '\xb1'; SET a TO b",
           "0 other SELECT '\xff';1 set a=b;");
    masked(NGX_HYPERDRIVE_BASE_MODE_SJIS, "SET a TO '\x95\\'", "?");
    masked(NGX_HYPERDRIVE_BASE_MODE_SJIS, "SET a TO b; SELECT \x95", "?");
    masked(NGX_HYPERDRIVE_BASE_MODE_GBK, "SELECT '\xb1''; SET a TO b'",
           "0 other SELECT '\xff\xff';?");
    masked(NGX_HYPERDRIVE_BASE_MODE_BIG5, "/* \xa4* */ RESET a", "0 reset a;");
    masked(NGX_HYPERDRIVE_BASE_MODE_GB18030, "SELECT '\x81" "0\x81" "0'; "
           "SET a TO b", "0 other SELECT '\xff\xff\xff\xff';1 set a=b;");
    masked(NGX_HYPERDRIVE_BASE_MODE_GBK, "SELECT $\xb1\xb2$;$\xb1\xb3$; "
           "SET a TO b", "?");
    masked(NGX_HYPERDRIVE_BASE_MODE_SAFE, "SELECT '\x95\x96'; SET a TO b",
           "?");

    for (room = 0; room < 40; room++) {
        char  said[256];

        read_all("SET search_path TO aaa, \"B\"", 26, NULL, 0, said,
                 sizeof(said));
    }

    room = 8;
    is("SET a TO 'bbbbbbbb'", "?");
    room = 512;
}


/* what another connection would be told, and that it is read as the same */

static void
said(const char *name, const char *value, const char *expect)
{
    size_t      len, size;
    char        back[1024], same[1024];
    u_char     *dst;
    ngx_str_t   n, v;
    ngx_uint_t  snapshot, good, local;

    local = (strstr(expect, "LOCAL") || strstr(expect, "true"));

    n.data = (u_char *) name;
    n.len = strlen(name);
    v.data = (u_char *) value;
    v.len = value ? strlen(value) : 0;

    good = 1;
    len = 0;

    /* in each size: it fits, or it says that it does not */

    for (size = 0; size < 512; size++) {
        dst = malloc(size ? size : 1);
        snapshot = 0;

        len = ngx_hyperdrive_sql_set_text(&n, value ? &v : NULL, local, dst,
                                          size, &snapshot);

        if (len > size || (len && (len != strlen(expect)
                                   || ngx_memcmp(dst, expect, len) != 0)))
        {
            printf("# got %.*s\n", (int) len, (char *) dst);
            good = 0;
            free(dst);
            break;
        }

        free(dst);
    }

    if (len == 0) {
        good = 0;
    }

    read_all(expect, strlen(expect), NULL, 0, back, sizeof(back));

    if (value) {
        (void) snprintf(same, sizeof(same), "0 %s %s=%s;",
                        local ? "set local" : "set", name, value);
    } else {
        (void) snprintf(same, sizeof(same), "0 reset %s;", name);
    }

    if (strcmp(back, same) != 0) {
        printf("# it is read as %s\n", back);
        good = 0;
    }

    ok(good, expect);
}


static void
test_text(void)
{
    said("a", "b", "SET \"a\" TO 'b'");
    said("a.b c", "it's", "SET \"a\".\"b c\" TO 'it''s'");
    said("a\"b", "", "SET \"a\"\"b\" TO ''");
    said("a", "b\\'c", "SET \"a\" TO E'b\\\\''c'");
    said("a.b", NULL, "RESET \"a\".\"b\"");
    said("search_path", "a, \"B c\", \"d\"\"e\"",
         "SET \"search_path\" TO 'a', 'B c', 'd\"e'");
    said("search_path", "\"$user\", public",
         "SET \"search_path\" TO '$user', 'public'");
    said("search_path", "\"\"", "SET \"search_path\" TO ''");

    /* none that the database would write */

    said("search_path", "a,b",
         "SELECT pg_catalog.set_config('search_path', 'a,b', false)");
    said("search_path", "",
         "SELECT pg_catalog.set_config('search_path', '', false)");
    said("search_path", "\"a\"",
         "SELECT pg_catalog.set_config('search_path', '\"a\"', false)");
    said("search_path", "\"a",
         "SELECT pg_catalog.set_config('search_path', '\"a', false)");
    said("search_path", "a, ",
         "SELECT pg_catalog.set_config('search_path', 'a, ', false)");

    said("a.b", "c", "SET LOCAL \"a\".\"b\" TO 'c'");
    said("search_path", "a, b", "SET LOCAL \"search_path\" TO 'a', 'b'");
    said("search_path", "a,b",
         "SELECT pg_catalog.set_config('search_path', 'a,b', true)");
}


static void
test_mysql(void)
{
    ngx_memzero(&mode, sizeof(ngx_hyperdrive_sql_mode_t));

    mode.mysql = 1;
    mode.mariadb = 1;
    mode.version = 101119;

    is("SET a = 1", "0 set a=1;");
    is("set @@A := -5, SESSION b = ON, @@local.c = 'x', @@session.`d` = utf8",
       "0 set a=-5;0 set b=on;0 set c='x';0 set d=utf8;");
    is("SET LOCAL a = DEFAULT", "0 reset a;");
    is("SET a = \"it's \"\"b\"", "0 set a='it''s \"b';");
    is("SET a = 'it''s \"b'", "0 set a='it''s \"b';");
    is("SET a = 'b\\'", "?");
    is("SET a = 'b\\n'", "?");
    is("SET a = '\xc3\xa4'", "?");
    is("SET a = N'b'", "?");
    is("SET a = x'41'", "?");
    is("SET a = b + 1", "?");
    is("SET a = CONCAT(@@a, 'b')", "?");
    is("SET a = (SELECT 1)", "?");
    is("SET a = 1, b = f()", "0 set a=1;?");
    is("SET a = @@b", "?");
    is("SET a", "?");
    is("SET a =", "?");
    is("SET a = 1,", "0 set a=1;?");
    is("SET GLOBAL a = 1", "?");
    is("SET @@global.a = 1", "?");
    is("SET PERSIST a = 1", "?");
    is("SET s.a = 1", "?");
    is("SET @a = 'x', @`B` = 1.50, @\"c\" = TRUE, @d.$e := NULL",
       "0 set @a='x';0 set @b=1.50;0 set @c=true;0 reset @d.$e;");
    is("SET @a = b", "?");
    is("SET @a = @b", "?");
    is("SET @`a b` = 1", "?");
    is("SET @a = @b := 1", "?");
    is("SET NAMES utf8mb4",
       "0 set character_set_client=utf8mb4;0 set character_set_results=utf8mb4;"
       "0 reset collation_connection;0 set character_set_connection=utf8mb4;");
    is("SET NAMES 'latin1' COLLATE 'latin1_bin', a = 1",
       "0 set character_set_client='latin1';"
       "0 set character_set_results='latin1' COLLATE 'latin1_bin';"
       "0 reset character_set_connection;"
       "0 set collation_connection='latin1_bin';0 set a=1;");
    is("SET NAMES DEFAULT", "?");
    is("SET NAMES", "?");
    is("SET CHARACTER SET utf8", "?");
    is("SET character_set_results = NULL",
       "0 set character_set_results=null;");
    is("SET character_set_results = DEFAULT", "?");
    is("SET character_set_connection = latin1",
       "0 reset collation_connection;0 set character_set_connection=latin1;");
    is("SET collation_connection = latin1_bin",
       "0 reset character_set_connection;"
       "0 set collation_connection=latin1_bin;");
    is("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED, READ ONLY",
       "0 set tx_isolation='READ-COMMITTED';0 set tx_read_only=1;");
    is("SET transaction_isolation = 'SERIALIZABLE'",
       "0 set tx_isolation='SERIALIZABLE';");
    is("SET TRANSACTION READ ONLY", "?");
    is("SET SESSION TRANSACTION READ ONLY, READ ONLY, READ ONLY, READ ONLY, "
       "READ ONLY", "?");
    is("SET autocommit = OFF", "0 set autocommit=0;");
    is("SET autocommit = 1", "0 set autocommit=1;");
    is("SET PASSWORD = 'x'", "?");
    is("SET insert_id = 5", "?");
    is("SET ROLE a", "?");
    is("USE `a b`", "0 set use=a b;");
    is("use A", "0 set use=A;");
    is("USE `a``b`", "?");
    is("SELECT 1; SET a = 1; SELECT 'x' ;",
       "0 other SELECT 1;1 set a=1;2 other SELECT 'x';");
    is("COMMIT; SET a = 1", "0 other COMMIT;1 set a=1;");
    is("SELECT 'x", "?");
    is("/*!40101 SET NAMES utf8 */",
       "0 set character_set_client=utf8;0 set character_set_results=utf8;"
       "0 reset collation_connection;0 set character_set_connection=utf8;");

    mode.mariadb = 0;
    mode.version = 80403;

    is("SET SESSION TRANSACTION READ WRITE",
       "0 set transaction_read_only=0;");
}


int
main(void)
{
    test_set();
    test_config();
    test_privileged();
    test_transaction();
    test_several();
    test_text();

    test_mysql();

    return done();
}
