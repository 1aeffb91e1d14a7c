/* sources: policy/ngx_hyperdrive_policy_decision.c policy/ngx_hyperdrive_policy_dict.c policy/ngx_hyperdrive_policy_kept.c policy/ngx_hyperdrive_policy_look.c policy/ngx_hyperdrive_policy_lua.c policy/ngx_hyperdrive_policy_lua_answer.c policy/ngx_hyperdrive_policy_lua_look.c policy/ngx_hyperdrive_policy_lua_pattern.c shm/ngx_hyperdrive_shm_mutex.c sql/ base/ libs: luajit-5.1 */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * Policies in Lua: what they may do, what they may not, and 10,000 that were
 * made at random of what hurts: none of them hangs, crashes, or leaves
 * anything.  POLICY_RUNS is another number, POLICY_SEED another beginning.
 */


#include "policy_check.h"
#include "check.h"

#include <time.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>


#define SQL  "SELECT f(a) FROM shop.orders, items o WHERE id = 17"             \
             " /*app='web',route='%2Fx',k='it\\'s'*/"


static void test_values(void);
static void test_errors(void);
static void test_bounds(void);
static void test_answers(void);
static void test_kept(void);
static void test_dict(void);
static void test_dict_kill(void);
static void test_random(void);


/* each of them has to hold */

static const char  *values[] = {
    "query.kind == 'read'",
    "query.tables.orders == 'read' and query.tables['shop.orders'] == 'read'",
    "query.tables.items and not query.tables.o",
    "query.functions.f",
    "not query.functions.orders",
    "query.tags.app == 'web' and query.tags.route == '/x'",
    "query.tags.k == \"it's\" and not query.tags.none",
    "#query.digest == 16 and query.digest:find('^%x+$')",
    "query.normalized:find('id = ?', 1, true)",
    "query.sql:sub(1, 6) == 'SELECT'",
    "query.read_only == true",
    "query.reason == nil",
    "client.user == 'anna' and client.addr == nil and client.tls == false",
    "client.settings.odd == 'odd' and client.settings.even == nil",
    "var.odd == 'odd' and var.even == nil",
    "upstream == 'shop'",
    "time.hour and time.now and time.weekday",
    "params.n == 0 and params[1] == nil",
    "nothing == nil",
    "string.dump == nil and math.random == nil and load == nil",
    "io == nil and os == nil and debug == nil and ffi == nil and jit == nil",
    "getmetatable == nil and setmetatable == nil and rawset == nil",
    "require == nil and loadstring == nil and collectgarbage == nil",
    "_G == nil and getfenv == nil and newproxy == nil",
    "bit.band(7, 3) == 3 and math.floor(2.5) == 2",
    "select('#', unpack({ 1, 2, 3 })) == 3",
    "pcall(error, 'x') == false",

    /* patterns, as the manual has them */

    "('hello world'):find('wor') == 7",
    "('hello'):find('l', 1, true) == 3 and not ('hello'):find('l.', 5)",
    "select(2, ('hello'):find('l+')) == 4",
    "('hello'):match('^h(.-)o$') == 'ell'",
    "('key = value'):match('^(%w+)%s*=%s*(%w+)$') == 'key'",
    "select(2, ('key = value'):match('^(%w+)%s*=%s*(%w+)$')) == 'value'",
    "('THE (quick) fox'):find('%((%a+)%)') == 5",
    "('f(a(b)c)d'):match('%b()') == '(a(b)c)'",
    "('THE (quick) fox'):match('%f[%a]%a+', 5) == 'quick'",
    "('abcabc'):match('(a)(b)c%1%2') == 'a'",
    "('x'):match('()') == 1 and ('xyz'):match('y()') == 3",
    "('a.b-c'):gsub('[.-]', '_') == 'a_b_c'",
    "('abc'):gsub('%w', '%0%0') == 'aabbcc'",
    "('abc'):gsub('', '-') == '-a-b-c-'",
    "('hello world'):gsub('o', { o = '0' }) == 'hell0 w0rld'",
    "('hello world'):gsub('%w+', function (w) return w:upper() end, 1)"
        " == 'HELLO world'",
    "select(2, ('aaa'):gsub('a', 'b', 2)) == 2",
    "('abc'):gsub('b', function () return false end) == 'abc'",
    "(function () local n = 0 for w in ('a bb ccc'):gmatch('%a+') do"
        " n = n + #w end return n end)() == 6",
    "(function () local t = {} for k, v in ('a=1, b=2'):gmatch('(%w+)=(%w+)')"
        " do t[k] = v end return t.b end)() == '2'",
    "('a]b'):find('[]]') == 2 and ('a^b'):find('[%^]') == 2",
    "('aXb'):find('%u') == 2 and ('a\\0b'):find('%z') == 2",
    "('x\\ny'):match('x.y') == 'x\\ny'",
    "('[test]'):match('^%[(.*)%]$') == 'test'",
    "('0x1F'):match('^0[xX](%x+)$') == '1F'",
    "not ('abc'):find('^b') and ('abc'):find('c$') == 3",
    "('$100'):find('$1', 1, true) == 1 and ('a$'):find('$$') == 2",
    "('aaa'):match('a-$') == 'aaa' and ('aaa'):match('^a-') == ''",
    "('ab'):match('a?b?c?') == 'ab'",

    NULL
};


/* code, what is said of it */

static const char  *errors[][2] = {
    { "return 1", "returns a table or nothing" },
    { "return { cahce = false }", "unknown key \"cahce\"" },
    { "return { cache = { maxage = 1 } }", "unknown key \"cache.maxage\"" },
    { "return { reject = { text = 1 } }", "unknown key \"reject.text\"" },
    { "return { 'x' }", "unknown key of type number" },
    { "return { cache = 5 }", "\"cache\"" },
    { "return { cache = { max_age = 'x' } }", "\"max_age\"" },
    { "return { cache = { max_age = -1 } }", "\"max_age\"" },
    { "return { cache = { max_age = 0/0 } }", "\"max_age\"" },
    { "return { cache = { key = 1 } }", "\"key\"" },
    { "return { cache = { tags = { 1 } } }", "\"tags\"" },
    { "return { cache = { tables = ('x'):rep(2000) } }", "\"tables\"" },
    { "local t = {} for i = 1, 17 do t[i] = 'x' end "
      "return { cache = { tags = t } }", "more than 16" },
    { "return { upstream = 'nowhere' }", "no upstream \"nowhere\"" },
    { "return { upstream = true }", "\"upstream\"" },
    { "return { mirror = 'nowhere' }", "\"mirror\"" },
    { "return { role = 'master' }", "\"role\"" },
    { "return { reject = 5 }", "\"reject\"" },
    { "return { reject = '' }", "\"reject\"" },
    { "return { reject = 'a\\0b' }", "\"reject\"" },
    { "return { reject = 'x', sqlstate = '4250' }", "\"sqlstate\"" },
    { "return { reject = 'x', sqlstate = '00000' }", "\"sqlstate\"" },
    { "return { reject = { message = 'x', sqlstate = 1 } }",
      "\"sqlstate\"" },
    { "return { sqlstate = '42501' }", "without \"reject\"" },
    { "return { timeout = {} }", "\"timeout\"" },
    { "return { pin = 1 }", "\"pin\"" },
    { "return { params = 'x' }", "\"params\"" },
    { "return { priority = 11 }", "\"priority\"" },
    { "return { priority = 1.5 }", "\"priority\"" },
    { "return { keep = 'x' }", "\"keep\"" },
    { "\nreturn query.sqll", "nginx.conf:8: \"query\" has no field \"sqll\"" },
    { "return client.name", "\"client\" has no field \"name\"" },
    { "return time.second", "\"time\" has no field \"second\"" },
    { "return query[1]", "fields of \"query\" are found by name" },
    { "x = 1", "a global variable cannot be set" },
    { "string.x = 1", "a field of a library cannot be set" },
    { "query.sql = 1", "query cannot be set" },
    { "client.settings.x = 1", "client.settings cannot be set" },
    { "\n\nerror('on purpose')", "nginx.conf:9: on purpose" },
    { "error({})", "an error that is no text" },
    { "local x = nil; return x.y", "nginx.conf:7: " },
    { "return ('x'):rep(-1) .. nil", "nginx.conf:7: " },
    { "dict.set(('k'):rep(300), 1)", "more than 216 bytes" },
    { "dict.set('k', 1, -1)", "a time in seconds" },
    { "return dict.gett", "\"dict\" has no field \"gett\"" },
    { "coroutine.yield()", "global 'coroutine'" },
    { "xpcall(error, error)", "global 'xpcall'" },
    { "local ok, text = pcall(error, 'x') error(text .. 'y')", "xy" },
    { "pcall()", "value expected" },
    { "local e local function f(n) local ok, text = pcall(f, n + 1) "
      "if not ok then e = e or text end end f(0) error(e)",
      "too many pcall()" },
    { "('x'):find('[')", "missing ']'" },
    { "('x'):find('%')", "ends with '%'" },
    { "('x'):find('(')", "unfinished capture" },
    { "('x'):match(')')", "invalid pattern capture" },
    { "('x'):find('%1')", "invalid capture index" },
    { "('x'):find('%b')", "unbalanced pattern" },
    { "('x'):find('%f')", "missing '['" },
    { "('x'):gsub('x', '%2')", "invalid capture index" },
    { "('x'):gsub('x', function () return {} end)",
      "invalid replacement value" },
    { "('x'):find(('()'):rep(40))", "too many captures" },
    { "('x'):find(('('):rep(400))", "too many captures" },
    { "('a'):rep(300):find(('a?'):rep(300) .. ('a'):rep(300))",
      "the pattern is too complex" },
    { NULL, NULL }
};


/* code that would go on for ever, or take all there is */

static const char  *endless[] = {
    "while true do end",
    "while true do pcall(function () while true do end end) end",
    "while true do pcall(error) end",
    "local f f = function () pcall(f) return f() end f()",
    "local f f = function () return f() end f()",
    "local f f = function () f() end f()",
    "local function g() local x = g() return x end "
        "local f f = function () pcall(f) pcall(g) return f() end f()",
    "local function g() g() end while true do pcall(g) end",
    "return ('a'):rep(400):find('.-.-.-.-.-b')",
    "return ('a'):rep(400):find('.*.*.*.*.*b')",
    "return ('a'):rep(4000):find(('a?'):rep(30) .. ('a'):rep(31) .. 'b')",
    "return ('a'):rep(2000):gsub('.-.-.-.-b', 'x')",
    "for x in ('a'):rep(4000):gmatch('(.-)(.-)(.-)b') do end",
    "return ('('):rep(1000000):find('%b()%b()')",
    "while true do ('('):rep(100000):find('%b()') end",
    "return ('x'):rep(1e9)",
    "return ('x'):rep(1e18)",
    "return (''):rep(1e18)",
    "local s = 'x' while true do s = s .. s end",
    "local s = ('x'):rep(500000) while true do local t = s .. 'y' end",
    "local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(1000) .. i end",
    "local t = {} for i = 1, 1e9 do t[i] = {} end",
    "local t = {} while true do t[{}] = true end",
    "local s, t = ('x'):rep(1000), {} for i = 1, 1000 do t[i] = s end "
        "for i = 1, 1e9 do table.concat(t) end",
    "local t = {} for i = 1, 20000 do t[i] = i % 7 end "
        "while true do table.sort(t) end",
    "local t = {} for i = 1, 5000 do t[i] = ('x'):rep(1000) .. i end "
        "while true do table.sort(t, function (a, b) return b < a end) end",
    "local s, u = ('x'):rep(100000) .. 'a', ('x'):rep(100000) .. 'b' "
        "while true do local z = s < u end",
    "while true do table.insert({}, 1, 1) end",
    "local t = {} while true do table.insert(t, 1, 1) end",
    "while true do local f = ('%99.99f'):format(1e308) end",
    "while true do local x = query.tables, query.functions, query.tags end",
    "while true do local x = query.normalized .. query.digest end",
    "while true do dict.incr('x') end",
    "while true do log('x') end",
    "local f = ('x'):rep(1000) while true do f:upper():lower():reverse() end",
    "while true do tostring({}) end",
    "return unpack({}, 1, 1e8)",
    "return ('x'):byte(1, -1), ('x'):rep(100000):byte(1, -1)",
    "return string.char(unpack({ 1, 2, 3 }, 1, 1e7))",
    NULL
};


static ngx_int_t
run(const char *code, ngx_hyperdrive_policy_decision_t *d)
{
    return policy_run((u_char *) code, ngx_strlen(code), SQL, d);
}


static void
test_values(void)
{
    char                               code[1024];
    ngx_int_t                          rc;
    const char                       **value;
    ngx_hyperdrive_policy_decision_t   d;

    for (value = values; *value; value++) {
        snprintf(code, sizeof(code), "if %s then return { pin = true } end",
                 *value);

        rc = run(code, &d);

        ok(rc == NGX_OK && d.pin, *value);

        if (rc == NGX_ERROR || rc == NGX_ABORT) {
            printf("# %s\n", policy_lua->error);
        }
    }
}


static void
test_errors(void)
{
    ngx_int_t                          rc;
    ngx_uint_t                         i;
    ngx_hyperdrive_policy_decision_t   d;

    for (i = 0; errors[i][0]; i++) {
        rc = run(errors[i][0], &d);

        ok(rc == NGX_ERROR && strstr((char *) policy_lua->error, errors[i][1]),
           errors[i][0]);

        if (rc != NGX_ERROR || strstr((char *) policy_lua->error, errors[i][1])
                               == NULL)
        {
            printf("# %d: %s\n", (int) rc, policy_lua->error);
        }
    }

    ok(run("return {", &d) == NGX_ABORT
       && strstr((char *) policy_lua->error, "nginx.conf:7:"), "syntax");
    ok(run("\033LJ\002\n", &d) == NGX_ABORT, "code that is compiled");
    ok(run("", &d) == NGX_DECLINED, "nothing");
    ok(run("return", &d) == NGX_DECLINED, "nothing is returned");
    ok(run("return nil", &d) == NGX_DECLINED, "nil is returned");
    ok(run("return {}", &d) == NGX_OK, "an empty table");
}


static void
test_bounds(void)
{
    clock_t                            begun, took;
    ngx_int_t                          rc;
    const char                       **code;
    ngx_hyperdrive_policy_decision_t   d;

    for (code = endless; *code; code++) {
        begun = clock();
        rc = run(*code, &d);
        took = clock() - begun;

        /* the sanitizers make it slower than it is */

        ok(rc == NGX_ERROR && took < CLOCKS_PER_SEC, *code);

        if (rc != NGX_ERROR || took >= CLOCKS_PER_SEC) {
            printf("# %d, %d ms: %s\n", (int) rc,
                   (int) (took / (CLOCKS_PER_SEC / 1000)),
                   policy_lua->error);
        }

        if (policy_lua->used > policy_lua->base + policy_lua->limits.memory) {
            ok(0, "memory is within its bound");
        }
    }

    ok(run("return { pin = true }", &d) == NGX_OK && d.pin,
       "the machine works as before");
}


static void
test_answers(void)
{
    ngx_hyperdrive_policy_decision_t   d, *copy;

    (void) run("return { cache = { max_age = 1.5, stale_while_revalidate = 2, "
               "stale_if_error = 0, key = 'k', tables = 'a', "
               "tags = { 'b', 'c.d' } }, upstream = 'shop', role = 'replica', "
               "mirror = 'shop', reject = 'no', timeout = 0.25, pin = true, "
               "params = true, priority = -3, keep = 60 }", &d);

    copy = ngx_hyperdrive_policy_decision_copy(&d);

    (void) lua_gc(policy_lua->state, LUA_GCCOLLECT, 0);

    ok(copy->cache == NGX_HYPERDRIVE_POLICY_CACHE_DEFAULT
       && copy->max_age == 1500 && copy->stale == 2000
       && copy->stale_error == 0, "times");
    ok(copy->key.len == 1 && copy->key.data[0] == 'k', "key");
    ok(copy->ntables == 1 && copy->tables[0].data[0] == 'a', "tables");
    ok(copy->ntags == 2 && ngx_memcmp(copy->tags[1].data, "c.d", 3) == 0,
       "tags");
    ok(copy->upstream && copy->upstream == copy->mirror, "upstreams");
    ok(copy->role == NGX_HYPERDRIVE_POLICY_ROLE_REPLICA, "role");
    ok(ngx_strcmp(copy->reject, "no") == 0
       && ngx_strcmp(copy->sqlstate, "42501") == 0, "reject");
    ok(copy->timeout == 250 && copy->keep == 60000 && copy->priority == -3
       && copy->pin && copy->params, "all else");

    free(copy);

    (void) run("return { timeout = 0.0004 }", &d);
    ok(d.timeout == 1, "what is left of a time is not no limit");

    (void) run("return { timeout = 0 }", &d);
    ok(d.timeout == 0, "...as 0 is");

    (void) run("return { reject = { message = 'm', sqlstate = '57014' } }",
               &d);
    ok(ngx_strcmp(d.reject, "m") == 0 && ngx_strcmp(d.sqlstate, "57014") == 0,
       "reject as a table");

    (void) run("return { cache = false }", &d);
    ok(d.cache == NGX_HYPERDRIVE_POLICY_CACHE_OFF, "cache is off");

    (void) run("return { cache = true }", &d);
    ok(d.cache == NGX_HYPERDRIVE_POLICY_CACHE_ON, "cache is on");
}


/* a decision is found again by what it was made from */

static void
test_kept(void)
{
    ngx_uint_t                          i, n;
    ngx_hyperdrive_policy_kept_t        kept;
    ngx_hyperdrive_policy_stmt_t       *stmt;
    ngx_hyperdrive_policy_decision_t    d, *one, *two;

    static const char  *code =
        "if query.tables.orders and client.user == 'anna' then "
        "return { priority = 1, timeout = #(client.settings.odd or '') } end "
        "return { priority = 2 }";

    ngx_memzero(&kept, sizeof(ngx_hyperdrive_policy_kept_t));

    ngx_str_set(&policy_user, "anna");

    stmt = ngx_hyperdrive_policy_kept_stmt(&kept, 1);
    ok(ngx_hyperdrive_policy_kept_find(stmt, &policy_in) == NULL,
       "nothing is kept");

    (void) run(code, &d);
    ok(policy_look.nseen == 2 && !policy_look.moving && !policy_look.unkept,
       "two values were looked at");

    one = ngx_hyperdrive_policy_decision_copy(&d);
    (void) ngx_hyperdrive_policy_kept_add(&kept, stmt, &policy_look, one);

    ok(ngx_hyperdrive_policy_kept_find(stmt, &policy_in) == one, "it is kept");

    ngx_str_set(&policy_user, "bert");
    ok(ngx_hyperdrive_policy_kept_find(stmt, &policy_in) == NULL,
       "not for another user");

    (void) run(code, &d);
    ok(policy_look.nseen == 1, "one value was looked at");

    two = ngx_hyperdrive_policy_decision_copy(&d);
    (void) ngx_hyperdrive_policy_kept_add(&kept, stmt, &policy_look, two);

    ok(ngx_hyperdrive_policy_kept_find(stmt, &policy_in) == two
       && two->priority == 2, "his own is kept");

    ngx_str_set(&policy_user, "anna");
    ok(ngx_hyperdrive_policy_kept_find(stmt, &policy_in) == one,
       "and that of the first");

    /* one that is too old */

    (void) run("return { keep = 1 }", &d);
    ok(policy_look.nseen == 0, "no value was looked at");

    stmt = ngx_hyperdrive_policy_kept_stmt(&kept, 2);
    one = ngx_hyperdrive_policy_decision_copy(&d);
    (void) ngx_hyperdrive_policy_kept_add(&kept, stmt, &policy_look, one);

    ngx_current_msec = 999;
    ok(ngx_hyperdrive_policy_kept_find(stmt, &policy_in) == one, "in time");
    ngx_current_msec = 1000;
    ok(ngx_hyperdrive_policy_kept_find(stmt, &policy_in) == NULL, "too old");

    two = ngx_hyperdrive_policy_decision_copy(&d);
    (void) ngx_hyperdrive_policy_kept_add(&kept, stmt, &policy_look, two);
    ok(ngx_hyperdrive_policy_kept_find(stmt, &policy_in) == two
       && one->keep == 1000, "a new one, and the old one is there still");

    /* more users than are kept, more statements, and other looks */

    for (i = n = 0; i < 100000; i++) {
        u_char  name[32];

        policy_user.data = name;
        policy_user.len = ngx_sprintf(name, "user%ui", i % 700) - name;
        ngx_current_msec = 1000 + i / 7;

        ngx_hyperdrive_policy_look_start(&policy_look, &policy_in);

        if (i % 3) {
            ngx_str_t  none = ngx_null_string, value;

            (void) ngx_hyperdrive_policy_look(&policy_look,
                                              NGX_HYPERDRIVE_POLICY_USER,
                                              &none, &value);
        }

        stmt = ngx_hyperdrive_policy_kept_stmt(&kept, i % 5 ? 3 : i);
        one = ngx_hyperdrive_policy_decision_copy(&d);

        if (ngx_hyperdrive_policy_kept_add(&kept, stmt, &policy_look, one)
            != NGX_OK)
        {
            free(one);
            continue;
        }

        n += (ngx_hyperdrive_policy_kept_find(stmt, &policy_in) == one);
    }

    ok(n == 100000, "each of many is found");

    ngx_str_set(&policy_user, "anna");
    ngx_current_msec = 0;

    ngx_hyperdrive_policy_kept_free(&kept);
}


static void
test_dict(void)
{
    u_char                               buf[NGX_HYPERDRIVE_POLICY_DICT_DATA];
    double                               n;
    ngx_str_t                            key;
    ngx_uint_t                           i;
    ngx_hyperdrive_policy_decision_t     d;
    ngx_hyperdrive_policy_dict_value_t   value;

    (void) run("dict.set('a', 'text') dict.set('b', 2.5) "
               "return { pin = dict.get('a') == 'text' and dict.get('b') == 2.5"
               " and dict.get('c') == nil }", &d);
    ok(d.pin && policy_look.moving, "set, and found");

    (void) run("dict.set('a', nil) return { pin = dict.get('a') == nil }",
               &d);
    ok(d.pin, "taken out");

    (void) run("dict.set('n', 'text') return { pin = dict.incr('n', 2) == 2 "
               "and dict.incr('n') == 3 and dict.incr('n', -1.5) == 1.5 }",
               &d);
    ok(d.pin, "counted");

    (void) run("dict.set('t', 1, 0.001) local n = 0 "
               "for i = 1, 20000 do n = n + (dict.get('t') or 0) "
               "if n < i then break end end "
               "return { pin = dict.get('t') == nil }", &d);
    ok(d.pin || policy_lua->over, "for a time only");

    key.data = buf;

    for (i = 0; i < 100000; i++) {
        key.len = ngx_sprintf(buf, "key%ui", i) - buf;

        (void) ngx_hyperdrive_policy_dict_incr(policy_zone.data, &key, 1, 0,
                                               &n);
    }

    ok(n == 1 && ngx_hyperdrive_policy_dict_get(policy_zone.data, &key, buf,
                                                &value)
                 == NGX_OK, "the last of many is there");
}


/* a process that dies amid writing holds up nobody */

static void
test_dict_kill(void)
{
    int                                  status;
    void                                *dict;
    pid_t                                pid;
    double                               n;
    ngx_str_t                            key = ngx_string("key");
    ngx_uint_t                           i, good;
    ngx_hyperdrive_policy_dict_value_t   value;

    dict = mmap(NULL, 65536, PROT_READ|PROT_WRITE, MAP_SHARED|MAP_ANONYMOUS,
                -1, 0);

    if (dict == MAP_FAILED
        || ngx_hyperdrive_policy_dict_init(dict, 65536) != NGX_OK)
    {
        abort();
    }

    ngx_memzero(&value, sizeof(ngx_hyperdrive_policy_dict_value_t));
    good = 0;

    for (i = 0; i < 50; i++) {
        pid = fork();

        if (pid == 0) {
            for ( ;; ) {
                (void) ngx_hyperdrive_policy_dict_incr(dict, &key, 1, 0, &n);
                (void) ngx_hyperdrive_policy_dict_set(dict, &key, &value, 0);
            }
        }

        /* it is at work */

        while (ngx_hyperdrive_policy_dict_incr(dict, &key, 0, 0, &n)
               == NGX_OK && n == 0)
        {
            value.number = 1;
        }

        (void) kill(pid, SIGKILL);
        (void) waitpid(pid, &status, 0);

        (void) ngx_hyperdrive_policy_dict_set(dict, &key, NULL, 0);

        good += (ngx_hyperdrive_policy_dict_incr(dict, &key, 2, 0, &n)
                 == NGX_OK && n == 2);

        (void) ngx_hyperdrive_policy_dict_set(dict, &key, NULL, 0);
    }

    ok(good == 50, "a process that was killed holds nothing up");

    (void) munmap(dict, 65536);
}


/* a program of pieces, most of which are not good for anything */

static uint32_t
number(uint32_t n)
{
    static uint64_t  state;

    if (n == 0) {
        state = getenv("POLICY_SEED") ? atoi(getenv("POLICY_SEED")) : 1;
        return 0;
    }

    state = state * 6364136223846793005ULL + 1442695040888963407ULL;

    return (uint32_t) (state >> 33) % n;
}


static u_char *
piece(u_char *p, u_char *last, ngx_uint_t depth)
{
    const char  *text;

    static const char  *expressions[] = {
        "query.sql", "query.kind", "client.user", "query.tables", "query.tags",
        "1e9", "-1", "0/0", "1e308", "'a'", "''", "'%'", "'.-.-.-b'",
        "'[%w'", "'(a*)*'", "'%f[%a]%b()'", "{}", "nil", "true", "dict",
        "function () end", "function (...) return ... end", "('x'):rep(100)",
        "string.rep", "coroutine.create(function () coroutine.yield() end)",
        "math.huge", "unpack", "pcall", "var.x", "time.now", "upstream",
        "params[1]", "s", "t", "f", "query.normalized", "client.settings.x"
    };

    static const char  *statements[] = {
        "s = ('x'):rep(1e9) ", "s = tostring(s):rep(1000) ",
        "t[#t + 1] = s ", "t[s] = t ", "t = { t, t } ", "s = s .. s ",
        "s = table.concat(t, s) ", "table.sort(t) ", "t[i] = i ",
        "table.sort(t, function (a, b) return a < b end) ",
        "table.sort(t, function () return true end) ",
        "s = tostring(s):gsub('.-', s) ",
        "s = tostring(s):gsub('(.)', '%1%1') ",
        "for w in tostring(s):gmatch('%a-') do t[w] = 1 end ",
        "f = coroutine.wrap(function () while true do coroutine.yield(s) end "
            "end) ", "f() ", "pcall(f) ", "pcall(f, s, t) ",
        "f = function () return f() end ", "f = function () f() f() end ",
        "xpcall(f, f) ", "pcall(pcall, pcall, f) ", "error(t) ",
        "coroutine.resume(coroutine.create(f)) ", "dict.set(s, s, 1) ",
        "dict.incr(tostring(s):sub(1, 10)) ", "log(s) ", "coroutine.yield() ",
        "table.insert(t, 1, s) ", "table.remove(t, 1) ", "t = query.tables ",
        "s = ('%99.99f'):format(i) ", "s = query.sql:find(s) ",
        "s = tostring(s):byte(1, -1) ", "s = select('#', unpack(t, 1, 9999)) ",
        "for k, v in pairs(t) do t[k] = nil end ", "s = #tostring(s) ",
        "s = tostring(s):match(('(.-)'):rep(20)) ", "next(t, s) ",
        "s = string.char(unpack(t)) ", "return { cache = s } ",
        "string.find = nil ", "query.x = 1 ", "y = 1 ", "goto x ", "break "
    };

    if (depth > 4 || last - p < 400) {
        return p;
    }

    switch (number(10)) {

    case 0:
        p = ngx_cpymem(p, "while true do ", 14);
        p = piece(p, last, depth + 1);
        return ngx_cpymem(p, " end ", 5);

    case 1:
        p = ngx_cpymem(p, "for i = 1, 1e6 do ", 18);
        p = piece(p, last, depth + 1);
        p = piece(p, last, depth + 1);
        return ngx_cpymem(p, " end ", 5);

    case 2:
        p = ngx_cpymem(p, "pcall(function () ", 18);
        p = piece(p, last, depth + 1);
        p = piece(p, last, depth + 1);
        return ngx_cpymem(p, " end) ", 6);

    case 3:
        p = ngx_cpymem(p, "coroutine.wrap(function () ", 27);
        p = piece(p, last, depth + 1);
        return ngx_cpymem(p, " end)() ", 8);

    case 4:
    case 5:
        text = expressions[number(sizeof(expressions) / sizeof(char *))];
        return ngx_sprintf(p, "s = %s ", text);

    default:
        text = statements[number(sizeof(statements) / sizeof(char *))];
        return ngx_cpymem(p, text, ngx_strlen(text));
    }
}


static void
test_random(void)
{
    u_char                             code[4096], *p;
    clock_t                            begun, took, longest;
    ngx_int_t                          rc;
    ngx_uint_t                         i, k, n, counts[3], wrong;
    ngx_hyperdrive_policy_decision_t   d;

    n = getenv("POLICY_RUNS") ? atoi(getenv("POLICY_RUNS")) : 10000;

    (void) number(0);

    ngx_memzero(counts, sizeof(counts));
    longest = 0;
    wrong = 0;

    for (i = 0; i < n; i++) {

        if (i % 100 == 0) {
            /* programs stay as long as their machine does */

            if (i) {
                policy_stop();
            }

            policy_start(20000, 1024 * 1024);
        }

        p = ngx_sprintf(code, "local s, t, f, i = query.sql, {}, error, 1 ");

        for (k = 1 + number(6); k; k--) {
            p = piece(p, code + sizeof(code) - 64, 0);
        }

        if (number(20) == 0) {
            code[number(p - code)] = (u_char) number(256);
        }

        begun = clock();
        rc = policy_run(code, p - code, SQL, &d);
        took = clock() - begun;

        longest = ngx_max(longest, took);
        counts[rc == NGX_ABORT ? 0 : rc == NGX_ERROR ? 1 : 2]++;

        if (took > CLOCKS_PER_SEC
            || policy_lua->used > policy_lua->base + policy_lua->limits.memory
                                  + 65536
            || run("return { pin = query.tables.orders == 'read' }", &d)
               != NGX_OK || !d.pin)
        {
            wrong++;
            printf("# %d ms, %.*s\n",
                   (int) (took / (CLOCKS_PER_SEC / 1000)), (int) (p - code),
                   code);
        }
    }

    printf("# %d at random: %d no Lua, %d in error, %d well; at most %d ms\n",
           (int) n, (int) counts[0], (int) counts[1], (int) counts[2],
           (int) (longest / (CLOCKS_PER_SEC / 1000)));

    ok(wrong == 0, "at random: none hangs, or does harm");

    policy_stop();
}


int
main(void)
{
    setvbuf(stdout, NULL, _IOLBF, 0);

    policy_start(100000, 4 * 1024 * 1024);

    test_values();
    test_errors();
    test_bounds();
    test_answers();
    test_kept();
    test_dict();
    test_dict_kill();

    policy_stop();

    test_random();

    return done();
}
