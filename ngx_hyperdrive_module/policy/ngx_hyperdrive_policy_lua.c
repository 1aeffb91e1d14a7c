
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "policy/ngx_hyperdrive_policy_lua.h"
#include "base/ngx_hyperdrive_base_plain.h"

#include <luajit.h>


/* instructions between two looks at the clock */
#define NGX_HYPERDRIVE_POLICY_LUA_HOOK   100

/* calls of pcall() within each other: the C stack */
#define NGX_HYPERDRIVE_POLICY_LUA_CALLS  50

/* processor time of one run, nanoseconds */
#define NGX_HYPERDRIVE_POLICY_LUA_TIME   (50 * 1000 * 1000)


/* a text that is compiled, with empty lines in front of it */

typedef struct {
    ngx_str_t                        *code;
    ngx_uint_t                        lines;
    ngx_hyperdrive_policy_chunk_t    *chunk;
} ngx_hyperdrive_policy_lua_source_t;


static void *ngx_hyperdrive_policy_lua_alloc(void *data, void *p, size_t old,
    size_t size);
static void ngx_hyperdrive_policy_lua_destroy(void *data);
static int ngx_hyperdrive_policy_lua_open(lua_State *state);
static void ngx_hyperdrive_policy_lua_allow(lua_State *state);
static void ngx_hyperdrive_policy_lua_closed(lua_State *state,
    const char *name);
static int ngx_hyperdrive_policy_lua_pcall(lua_State *state);
static int ngx_hyperdrive_policy_lua_sort(lua_State *state);
static int ngx_hyperdrive_policy_lua_constant(lua_State *state);
static int ngx_hyperdrive_policy_lua_load(lua_State *state);
static const char *ngx_hyperdrive_policy_lua_read(lua_State *state,
    void *data, size_t *size);
static int ngx_hyperdrive_policy_lua_call(lua_State *state);
static void ngx_hyperdrive_policy_lua_hook(lua_State *state, lua_Debug *ar);
static void ngx_hyperdrive_policy_lua_spent(lua_State *state);
static uint64_t ngx_hyperdrive_policy_lua_clock(void);
static void ngx_hyperdrive_policy_lua_error(ngx_hyperdrive_policy_lua_t *lua);


ngx_hyperdrive_policy_lua_t  *ngx_hyperdrive_policy_lua_running;


/* what is left of the libraries: nothing reaches the system, or remembers */

static const char  *ngx_hyperdrive_policy_lua_functions[] = {
    "assert", "error", "ipairs", "next", "pairs", "pcall", "select",
    "tonumber", "tostring", "type", "unpack", NULL
};

static const char  *ngx_hyperdrive_policy_lua_tables[] = {
    "bit", "math", "string", "table", NULL
};


ngx_hyperdrive_policy_lua_t *
ngx_hyperdrive_policy_lua_create(ngx_pool_t *pool)
{
    ngx_pool_cleanup_t           *cln;
    ngx_hyperdrive_policy_lua_t  *lua;

    cln = ngx_pool_cleanup_add(pool, 0);
    lua = ngx_pcalloc(pool, sizeof(ngx_hyperdrive_policy_lua_t));

    if (cln == NULL || lua == NULL) {
        return NULL;
    }

    lua->state = lua_newstate(ngx_hyperdrive_policy_lua_alloc, lua);

    if (lua->state == NULL) {
        return NULL;
    }

    cln->handler = ngx_hyperdrive_policy_lua_destroy;
    cln->data = lua;

    if (lua_cpcall(lua->state, ngx_hyperdrive_policy_lua_open, lua) != 0) {
        return NULL;
    }

    return lua;
}


static void
ngx_hyperdrive_policy_lua_destroy(void *data)
{
    ngx_hyperdrive_policy_lua_t *lua = data;

    lua_close(lua->state);
}


/* a limit holds while something runs: what a run adds */

static void *
ngx_hyperdrive_policy_lua_alloc(void *data, void *p, size_t old, size_t size)
{
    ngx_hyperdrive_policy_lua_t *lua = data;

    if (p == NULL) {
        old = 0;
    }

    if (size == 0) {
        free(p);
        lua->used -= old;

        return NULL;
    }

    if (lua->look && size > old
        && lua->used - old + size > lua->base + lua->limits.memory)
    {
        return NULL;
    }

    p = realloc(p, size);

    if (p) {
        lua->used = lua->used - old + size;
    }

    return p;
}


static int
ngx_hyperdrive_policy_lua_open(lua_State *state)
{
    ngx_uint_t                    i;
    ngx_hyperdrive_policy_lua_t  *lua;

    static lua_CFunction  libraries[] = {
        luaopen_base, luaopen_table, luaopen_string, luaopen_math, luaopen_bit
    };

    lua = lua_touserdata(state, 1);

    luaJIT_setmode(state, 0, LUAJIT_MODE_ENGINE|LUAJIT_MODE_OFF);

    /* a run's garbage is not to use up its memory */

    lua_gc(state, LUA_GCSETPAUSE, 100);
    lua_gc(state, LUA_GCSETSTEPMUL, 400);

    for (i = 0; i < sizeof(libraries) / sizeof(libraries[0]); i++) {
        lua_pushcfunction(state, libraries[i]);
        lua_call(state, 0, 0);
    }

    lua_pushcfunction(state, ngx_hyperdrive_policy_lua_pcall);
    lua_setglobal(state, "pcall");

    lua_getglobal(state, "string");

    ngx_hyperdrive_policy_lua_pattern(state);

    lua_pushnil(state);
    lua_setfield(state, -2, "dump");
    lua_pushnil(state);
    lua_setfield(state, -2, "gfind");
    lua_pop(state, 1);

    lua_getglobal(state, "math");
    lua_pushnil(state);
    lua_setfield(state, -2, "random");
    lua_pushnil(state);
    lua_setfield(state, -2, "randomseed");
    lua_pop(state, 1);

    /* comparisons are instructions only if Lua does them */

    lua_getglobal(state, "table");
    lua_getfield(state, -1, "sort");

    if (luaL_loadstring(state, "return function(a, b) return a < b end")
        != 0)
    {
        return lua_error(state);
    }

    lua_call(state, 0, 1);
    lua_pushcclosure(state, ngx_hyperdrive_policy_lua_sort, 2);
    lua_setfield(state, -2, "sort");
    lua_pop(state, 1);

    ngx_hyperdrive_policy_lua_allow(state);
    ngx_hyperdrive_policy_lua_look(state, lua);
    ngx_hyperdrive_policy_lua_closed(state, "a global variable");

    lua_setfield(state, LUA_REGISTRYINDEX, "hyperdrive");

    return 0;
}


/* a table with what policies may use of the libraries */

static void
ngx_hyperdrive_policy_lua_allow(lua_State *state)
{
    const char  **name;

    lua_newtable(state);

    for (name = ngx_hyperdrive_policy_lua_functions; *name; name++) {
        lua_getglobal(state, *name);
        lua_setfield(state, -2, *name);
    }

    for (name = ngx_hyperdrive_policy_lua_tables; *name; name++) {
        lua_getglobal(state, *name);
        ngx_hyperdrive_policy_lua_closed(state, "a field of a library");
        lua_setfield(state, -2, *name);
    }
}


/* the table on the top is put behind one that cannot be written to */

static void
ngx_hyperdrive_policy_lua_closed(lua_State *state, const char *name)
{
    lua_newtable(state);
    lua_createtable(state, 0, 2);

    lua_pushvalue(state, -3);
    lua_setfield(state, -2, "__index");

    lua_pushstring(state, name);
    lua_pushcclosure(state, ngx_hyperdrive_policy_lua_constant, 1);
    lua_setfield(state, -2, "__newindex");

    lua_setmetatable(state, -2);
    lua_remove(state, -2);
}


void
ngx_hyperdrive_policy_lua_object(lua_State *state, lua_CFunction index,
    const char *name)
{
    lua_newtable(state);
    lua_createtable(state, 0, 2);

    lua_pushcfunction(state, index);
    lua_setfield(state, -2, "__index");

    lua_pushstring(state, name);
    lua_pushcclosure(state, ngx_hyperdrive_policy_lua_constant, 1);
    lua_setfield(state, -2, "__newindex");

    lua_setmetatable(state, -2);
}


static int
ngx_hyperdrive_policy_lua_constant(lua_State *state)
{
    return luaL_error(state, "%s cannot be set",
                      lua_tostring(state, lua_upvalueindex(1)));
}


/*
 * LuaJIT's own pcall(), and xpcall() and coroutines with it, may leave the
 * machine believing that its hook runs, when the stack overflows at the moment
 * that the hook is called: then it is called no more.  The function of the C
 * API sets that right.
 */

static int
ngx_hyperdrive_policy_lua_pcall(lua_State *state)
{
    int                           rc;
    ngx_hyperdrive_policy_lua_t  *lua;

    lua = ngx_hyperdrive_policy_lua_running;

    luaL_checkany(state, 1);

    if (lua->calls == NGX_HYPERDRIVE_POLICY_LUA_CALLS) {
        return luaL_error(state, "too many pcall() within each other");
    }

    lua->calls++;

    rc = lua_pcall(state, lua_gettop(state) - 1, LUA_MULTRET, 0);

    lua->calls--;

    lua_pushboolean(state, rc == 0);
    lua_insert(state, 1);

    return lua_gettop(state);
}


/* table.sort() that always compares in Lua */

static int
ngx_hyperdrive_policy_lua_sort(lua_State *state)
{
    luaL_checktype(state, 1, LUA_TTABLE);
    lua_settop(state, 2);

    if (lua_isnil(state, 2)) {
        lua_pushvalue(state, lua_upvalueindex(2));
        lua_replace(state, 2);
    }

    lua_pushvalue(state, lua_upvalueindex(1));
    lua_insert(state, 1);
    lua_call(state, 2, 0);

    return 0;
}


ngx_hyperdrive_policy_chunk_t *
ngx_hyperdrive_policy_lua_compile(ngx_hyperdrive_policy_lua_t *lua,
    ngx_pool_t *pool, ngx_str_t *file, ngx_uint_t line, ngx_str_t *code)
{
    ngx_hyperdrive_policy_chunk_t       *chunk;
    ngx_hyperdrive_policy_lua_source_t   source;

    lua->error[0] = '\0';

    chunk = ngx_pcalloc(pool, sizeof(ngx_hyperdrive_policy_chunk_t));
    if (chunk == NULL) {
        return NULL;
    }

    chunk->lua = lua;
    chunk->line = line;
    chunk->file.len = file->len;

    chunk->file.data = ngx_pnalloc(pool, file->len + 2);
    if (chunk->file.data == NULL) {
        return NULL;
    }

    /* as Lua wants the name of a file */

    *chunk->file.data++ = '@';
    ngx_memcpy(chunk->file.data, file->data, file->len);
    chunk->file.data[file->len] = '\0';

    source.code = code;
    source.lines = line - 1;
    source.chunk = chunk;

    if (lua_cpcall(lua->state, ngx_hyperdrive_policy_lua_load, &source) != 0) {
        ngx_hyperdrive_policy_lua_error(lua);
        return NULL;
    }

    return chunk;
}


static int
ngx_hyperdrive_policy_lua_load(lua_State *state)
{
    ngx_hyperdrive_policy_lua_source_t  *source;

    source = lua_touserdata(state, 1);

    /* never what is compiled already: it is not checked */

    if (lua_loadx(state, ngx_hyperdrive_policy_lua_read, source,
                  (char *) source->chunk->file.data - 1, "t")
        != 0)
    {
        return lua_error(state);
    }

    lua_getfield(state, LUA_REGISTRYINDEX, "hyperdrive");
    lua_setfenv(state, -2);

    source->chunk->ref = luaL_ref(state, LUA_REGISTRYINDEX);

    return 0;
}


static const char *
ngx_hyperdrive_policy_lua_read(lua_State *state, void *data, size_t *size)
{
    ngx_hyperdrive_policy_lua_source_t *source = data;

    static char  lines[] = "\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n";

    if (source->lines) {
        *size = ngx_min(source->lines, sizeof(lines) - 1);
        source->lines -= *size;

        return lines;
    }

    if (source->code == NULL) {
        *size = 0;
        return NULL;
    }

    *size = source->code->len;
    data = source->code->data;
    source->code = NULL;

    return data;
}


ngx_int_t
ngx_hyperdrive_policy_lua_run(ngx_hyperdrive_policy_chunk_t *chunk,
    ngx_hyperdrive_policy_look_t *look,
    ngx_hyperdrive_policy_decision_t *decision)
{
    int                           rc;
    ngx_hyperdrive_policy_lua_t  *lua;

    lua = chunk->lua;

    /* what runs before it have left does not count */

    if (lua->base == 0 || lua->used > lua->base + lua->limits.memory / 8) {
        (void) lua_gc(lua->state, LUA_GCCOLLECT, 0);
        lua->base = lua->used;
    }

    lua->look = look;
    lua->chunk = chunk;
    lua->decision = decision;
    lua->left = lua->limits.instructions;
    lua->until = ngx_hyperdrive_policy_lua_clock()
                 + NGX_HYPERDRIVE_POLICY_LUA_TIME;
    lua->answered = 0;
    lua->over = 0;
    lua->calls = 0;

    ngx_hyperdrive_policy_lua_running = lua;

    lua_sethook(lua->state, ngx_hyperdrive_policy_lua_hook, LUA_MASKCOUNT,
                NGX_HYPERDRIVE_POLICY_LUA_HOOK);

    rc = lua_cpcall(lua->state, ngx_hyperdrive_policy_lua_call, lua);

    lua_sethook(lua->state, NULL, 0, 0);

    ngx_hyperdrive_policy_lua_running = NULL;

    lua->look = NULL;

    if (rc != 0) {
        ngx_hyperdrive_policy_lua_error(lua);
        return NGX_ERROR;
    }

    return lua->answered ? NGX_OK : NGX_DECLINED;
}


static int
ngx_hyperdrive_policy_lua_call(lua_State *state)
{
    ngx_hyperdrive_policy_lua_t  *lua;

    lua = lua_touserdata(state, 1);

    lua_rawgeti(state, LUA_REGISTRYINDEX, lua->chunk->ref);
    lua_call(state, 0, 1);

    if (!lua_isnil(state, -1)) {
        lua->answered = 1;
        ngx_hyperdrive_policy_lua_answer(state, lua);
    }

    return 0;
}


static void
ngx_hyperdrive_policy_lua_hook(lua_State *state, lua_Debug *ar)
{
    ngx_hyperdrive_policy_lua_charge(state, NGX_HYPERDRIVE_POLICY_LUA_HOOK);
}


void
ngx_hyperdrive_policy_lua_charge(lua_State *state, ngx_uint_t n)
{
    ngx_hyperdrive_policy_lua_t  *lua;

    lua = ngx_hyperdrive_policy_lua_running;

    if (lua->over || lua->left < n) {
        ngx_hyperdrive_policy_lua_spent(state);
    }

    lua->left -= n;

    if (ngx_hyperdrive_policy_lua_clock() >= lua->until) {
        ngx_hyperdrive_policy_lua_spent(state);
    }
}


/* from now on the next instruction fails, whoever catches this error */

static void
ngx_hyperdrive_policy_lua_spent(lua_State *state)
{
    ngx_hyperdrive_policy_lua_running->over = 1;

    lua_sethook(state, ngx_hyperdrive_policy_lua_hook, LUA_MASKCOUNT, 1);

    luaL_error(state, "it takes too many instructions, or too long");
}


/* of this thread, so that others do not count */

static uint64_t
ngx_hyperdrive_policy_lua_clock(void)
{
    struct timespec  ts;

    (void) clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);

    return (uint64_t) ts.tv_sec * 1000000000 + ts.tv_nsec;
}


/* the error on the top of the stack, which is empty then */

static void
ngx_hyperdrive_policy_lua_error(ngx_hyperdrive_policy_lua_t *lua)
{
    size_t       len;
    const char  *text;

    if (lua_type(lua->state, -1) == LUA_TSTRING) {
        text = lua_tolstring(lua->state, -1, &len);

    } else {
        text = "an error that is no text";
        len = ngx_strlen(text);
    }

    len = ngx_min(len, sizeof(lua->error) - 1);

    ngx_memcpy(lua->error, text, len);
    ngx_hyperdrive_base_plain(lua->error, len);

    lua->error[len] = '\0';

    lua_settop(lua->state, 0);
}
