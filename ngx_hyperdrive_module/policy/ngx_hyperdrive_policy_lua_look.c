
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "policy/ngx_hyperdrive_policy_lua.h"
#include "base/ngx_hyperdrive_base_plain.h"
#include "sql/ngx_hyperdrive_sql_digest.h"


/* of a statement's form, bytes */
#define NGX_HYPERDRIVE_POLICY_LUA_FORM   16384

/* lines that policies write to the log, a second */
#define NGX_HYPERDRIVE_POLICY_LUA_LINES  10


static int ngx_hyperdrive_policy_lua_look_query(lua_State *state);
static int ngx_hyperdrive_policy_lua_look_client(lua_State *state);
static int ngx_hyperdrive_policy_lua_look_setting(lua_State *state);
static int ngx_hyperdrive_policy_lua_look_variable(lua_State *state);
static int ngx_hyperdrive_policy_lua_look_time(lua_State *state);
static int ngx_hyperdrive_policy_lua_look_upstream(lua_State *state);
static int ngx_hyperdrive_policy_lua_look_params(lua_State *state);
static int ngx_hyperdrive_policy_lua_look_dict(lua_State *state);
static int ngx_hyperdrive_policy_lua_look_get(lua_State *state);
static int ngx_hyperdrive_policy_lua_look_set(lua_State *state);
static int ngx_hyperdrive_policy_lua_look_incr(lua_State *state);
static void *ngx_hyperdrive_policy_lua_look_shared(lua_State *state,
    ngx_str_t *key);
static ngx_msec_t ngx_hyperdrive_policy_lua_look_ttl(lua_State *state, int n);
static int ngx_hyperdrive_policy_lua_look_log(lua_State *state);
static void ngx_hyperdrive_policy_lua_look_tables(lua_State *state);
static void ngx_hyperdrive_policy_lua_look_functions(lua_State *state);
static void ngx_hyperdrive_policy_lua_look_tags(lua_State *state);
static void ngx_hyperdrive_policy_lua_look_form(lua_State *state,
    ngx_uint_t shown);
static int ngx_hyperdrive_policy_lua_look_value(lua_State *state,
    ngx_hyperdrive_policy_value_e what, const char *name, size_t len);
static int ngx_hyperdrive_policy_lua_look_push(lua_State *state,
    ngx_str_t *value);
static const char *ngx_hyperdrive_policy_lua_look_name(lua_State *state,
    const char *object);
static int ngx_hyperdrive_policy_lua_look_no(lua_State *state,
    const char *object, const char *name);


void
ngx_hyperdrive_policy_lua_look(lua_State *state,
    ngx_hyperdrive_policy_lua_t *lua)
{
    ngx_uint_t  i;

    static struct {
        const char     *name;
        lua_CFunction   index;
    } objects[] = {
        { "query", ngx_hyperdrive_policy_lua_look_query },
        { "client", ngx_hyperdrive_policy_lua_look_client },
        { "var", ngx_hyperdrive_policy_lua_look_variable },
        { "time", ngx_hyperdrive_policy_lua_look_time },
        { "dict", ngx_hyperdrive_policy_lua_look_dict },
        { "params", ngx_hyperdrive_policy_lua_look_params }
    };

    for (i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
        ngx_hyperdrive_policy_lua_object(state, objects[i].index,
                                         objects[i].name);
        lua_setfield(state, -2, objects[i].name);
    }

    lua_pushcfunction(state, ngx_hyperdrive_policy_lua_look_log);
    lua_setfield(state, -2, "log");

    /* kept for those who ask for them by a field */

    ngx_hyperdrive_policy_lua_object(state,
                                     ngx_hyperdrive_policy_lua_look_setting,
                                     "client.settings");
    lua_setfield(state, LUA_REGISTRYINDEX, "hyperdrive.settings");

    /* what is no table has to be asked for each time */

    lua_createtable(state, 0, 1);
    lua_pushcfunction(state, ngx_hyperdrive_policy_lua_look_upstream);
    lua_setfield(state, -2, "__index");
    lua_setmetatable(state, -2);
}


static int
ngx_hyperdrive_policy_lua_look_upstream(lua_State *state)
{
    if (lua_type(state, 2) == LUA_TSTRING
        && ngx_strcmp(lua_tostring(state, 2), "upstream") == 0)
    {
        return ngx_hyperdrive_policy_lua_look_push(state,
                       ngx_hyperdrive_policy_lua_running->look->in->upstream);
    }

    return 0;
}


static int
ngx_hyperdrive_policy_lua_look_query(lua_State *state)
{
    const char                    *name;
    ngx_hyperdrive_policy_look_t  *look;

    name = ngx_hyperdrive_policy_lua_look_name(state, "query");
    look = ngx_hyperdrive_policy_lua_running->look;

    if (ngx_strcmp(name, "sql") == 0) {
        return ngx_hyperdrive_policy_lua_look_push(state, &look->in->text);
    }

    if (ngx_strcmp(name, "kind") == 0) {
        return ngx_hyperdrive_policy_lua_look_push(state,
                                 ngx_hyperdrive_sql_kind_name(
                              ngx_hyperdrive_policy_look_facts(look)->kind));
    }

    if (ngx_strcmp(name, "read_only") == 0) {
        (void) ngx_hyperdrive_policy_lua_look_value(state,
                                       NGX_HYPERDRIVE_POLICY_READ_ONLY, "", 0);
        lua_pushboolean(state, lua_toboolean(state, -1));
        return 1;
    }

    if (ngx_strcmp(name, "reason") == 0) {
        return ngx_hyperdrive_policy_lua_look_value(state,
                                       NGX_HYPERDRIVE_POLICY_REASON, "", 0);
    }

    if (ngx_strcmp(name, "tables") == 0) {
        ngx_hyperdrive_policy_lua_look_tables(state);
        return 1;
    }

    /* each of these reads the text once more */

    ngx_hyperdrive_policy_lua_charge(state, 10 + look->in->text.len / 16);

    if (ngx_strcmp(name, "functions") == 0) {
        ngx_hyperdrive_policy_lua_look_functions(state);
        return 1;
    }

    if (ngx_strcmp(name, "tags") == 0) {
        ngx_hyperdrive_policy_lua_look_tags(state);
        return 1;
    }

    if (ngx_strcmp(name, "normalized") == 0) {
        ngx_hyperdrive_policy_lua_look_form(state, 1);
        return 1;
    }

    if (ngx_strcmp(name, "digest") == 0) {
        ngx_hyperdrive_policy_lua_look_form(state, 0);
        return 1;
    }

    return ngx_hyperdrive_policy_lua_look_no(state, "query", name);
}


/* by name: "read" or "write"; with a schema by both names */

static void
ngx_hyperdrive_policy_lua_look_tables(lua_State *state)
{
    ngx_uint_t                   i;
    const char                  *use;
    ngx_hyperdrive_sql_facts_t  *facts;
    ngx_hyperdrive_sql_table_t  *table;

    facts = ngx_hyperdrive_policy_look_facts(
                                    ngx_hyperdrive_policy_lua_running->look);

    lua_createtable(state, 0, facts->ntables);

    for (i = 0; i < facts->ntables; i++) {
        table = &facts->tables[i];

        (void) ngx_hyperdrive_policy_lua_look_push(state, &table->name);
        lua_pushvalue(state, -1);
        lua_rawget(state, -3);

        /* named twice, it is written if one of them says so */

        use = (table->written || ngx_strcmp(luaL_optstring(state, -1, ""),
                                            "write") == 0)
              ? "write" : "read";

        lua_pop(state, 1);
        lua_pushstring(state, use);
        lua_rawset(state, -3);

        if (table->schema.len) {
            (void) ngx_hyperdrive_policy_lua_look_push(state, &table->schema);
            lua_pushliteral(state, ".");
            (void) ngx_hyperdrive_policy_lua_look_push(state, &table->name);
            lua_concat(state, 3);
            lua_pushstring(state, use);
            lua_rawset(state, -3);
        }
    }
}


static void
ngx_hyperdrive_policy_lua_look_functions(lua_State *state)
{
    ngx_str_t   *names;
    ngx_uint_t   i, n;

    names = ngx_hyperdrive_policy_look_functions(
                                ngx_hyperdrive_policy_lua_running->look, &n);

    lua_createtable(state, 0, n);

    for (i = 0; i < n; i++) {
        (void) ngx_hyperdrive_policy_lua_look_push(state, &names[i]);
        lua_pushboolean(state, 1);
        lua_rawset(state, -3);
    }
}


static void
ngx_hyperdrive_policy_lua_look_tags(lua_State *state)
{
    ngx_uint_t                 i, n;
    ngx_hyperdrive_sql_tag_t  *tags;

    tags = ngx_hyperdrive_policy_look_tags(
                                ngx_hyperdrive_policy_lua_running->look, &n);

    lua_createtable(state, 0, n);

    for (i = 0; i < n; i++) {
        (void) ngx_hyperdrive_policy_lua_look_push(state, &tags[i].name);
        (void) ngx_hyperdrive_policy_lua_look_push(state, &tags[i].value);
        lua_rawset(state, -3);
    }
}


static void
ngx_hyperdrive_policy_lua_look_form(lua_State *state, ngx_uint_t shown)
{
    size_t                         len;
    u_char                        *p, hex[16];
    uint64_t                       digest;
    ngx_hyperdrive_policy_look_t  *look;

    static u_char                  form[NGX_HYPERDRIVE_POLICY_LUA_FORM];

    look = ngx_hyperdrive_policy_lua_running->look;

    len = ngx_hyperdrive_sql_digest(&look->in->text, &look->mode, form,
                                    sizeof(form), &digest);
    if (shown) {
        lua_pushlstring(state, (char *) form, len);
        return;
    }

    p = ngx_sprintf(hex, "%016xL", digest);

    lua_pushlstring(state, (char *) hex, p - hex);
}


static int
ngx_hyperdrive_policy_lua_look_client(lua_State *state)
{
    ngx_uint_t   i;
    const char  *name;

    static struct {
        const char                     *name;
        ngx_hyperdrive_policy_value_e   what;
    } fields[] = {
        { "user", NGX_HYPERDRIVE_POLICY_USER },
        { "database", NGX_HYPERDRIVE_POLICY_DATABASE },
        { "application_name", NGX_HYPERDRIVE_POLICY_APPLICATION },
        { "addr", NGX_HYPERDRIVE_POLICY_ADDR }
    };

    name = ngx_hyperdrive_policy_lua_look_name(state, "client");

    for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {

        if (ngx_strcmp(name, fields[i].name) == 0) {
            return ngx_hyperdrive_policy_lua_look_value(state, fields[i].what,
                                                        "", 0);
        }
    }

    if (ngx_strcmp(name, "tls") == 0) {
        (void) ngx_hyperdrive_policy_lua_look_value(state,
                                             NGX_HYPERDRIVE_POLICY_TLS, "", 0);
        lua_pushboolean(state, lua_toboolean(state, -1));
        return 1;
    }

    if (ngx_strcmp(name, "settings") == 0) {
        lua_getfield(state, LUA_REGISTRYINDEX, "hyperdrive.settings");
        return 1;
    }

    return ngx_hyperdrive_policy_lua_look_no(state, "client", name);
}


static int
ngx_hyperdrive_policy_lua_look_setting(lua_State *state)
{
    size_t       len;
    const char  *name;

    name = ngx_hyperdrive_policy_lua_look_name(state, "client.settings");
    (void) lua_tolstring(state, 2, &len);

    return ngx_hyperdrive_policy_lua_look_value(state,
                                   NGX_HYPERDRIVE_POLICY_SETTING, name, len);
}


static int
ngx_hyperdrive_policy_lua_look_variable(lua_State *state)
{
    size_t       len;
    const char  *name;

    name = ngx_hyperdrive_policy_lua_look_name(state, "var");
    (void) lua_tolstring(state, 2, &len);

    return ngx_hyperdrive_policy_lua_look_value(state,
                                  NGX_HYPERDRIVE_POLICY_VARIABLE, name, len);
}


static int
ngx_hyperdrive_policy_lua_look_time(lua_State *state)
{
    ngx_tm_t      tm;
    const char   *name;
    ngx_time_t   *now;
    ngx_uint_t    i;

    struct {
        const char   *name;
        lua_Number    n;
    } fields[7];

    name = ngx_hyperdrive_policy_lua_look_name(state, "time");

    ngx_hyperdrive_policy_lua_running->look->moving = 1;

    now = ngx_timeofday();
    ngx_localtime(now->sec, &tm);

    fields[0].name = "now";
    fields[0].n = (lua_Number) now->sec + (lua_Number) now->msec / 1000;
    fields[1].name = "hour";
    fields[1].n = tm.ngx_tm_hour;
    fields[2].name = "minute";
    fields[2].n = tm.ngx_tm_min;
    fields[3].name = "day";
    fields[3].n = tm.ngx_tm_mday;
    fields[4].name = "month";
    fields[4].n = tm.ngx_tm_mon;
    fields[5].name = "year";
    fields[5].n = tm.ngx_tm_year;
    fields[6].name = "weekday";
    fields[6].n = (tm.ngx_tm_wday + 6) % 7 + 1;

    for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {

        if (ngx_strcmp(name, fields[i].name) == 0) {
            lua_pushnumber(state, fields[i].n);
            return 1;
        }
    }

    return ngx_hyperdrive_policy_lua_look_no(state, "time", name);
}


/* parameters of this execution, as far as they are looked at */

static int
ngx_hyperdrive_policy_lua_look_params(lua_State *state)
{
    lua_Integer                     n;
    ngx_hyperdrive_policy_input_t  *in;

    in = ngx_hyperdrive_policy_lua_running->look->in;

    if (lua_type(state, 2) == LUA_TSTRING
        && ngx_strcmp(lua_tostring(state, 2), "n") == 0)
    {
        lua_pushinteger(state, in->nparams);
        return 1;
    }

    n = luaL_checkinteger(state, 2);

    if (n < 1 || (ngx_uint_t) n > in->nparams
        || in->params[n - 1].data == NULL)
    {
        return 0;
    }

    return ngx_hyperdrive_policy_lua_look_push(state, &in->params[n - 1]);
}


static int
ngx_hyperdrive_policy_lua_look_dict(lua_State *state)
{
    const char  *name;

    name = ngx_hyperdrive_policy_lua_look_name(state, "dict");

    if (ngx_strcmp(name, "get") == 0) {
        lua_pushcfunction(state, ngx_hyperdrive_policy_lua_look_get);

    } else if (ngx_strcmp(name, "set") == 0) {
        lua_pushcfunction(state, ngx_hyperdrive_policy_lua_look_set);

    } else if (ngx_strcmp(name, "incr") == 0) {
        lua_pushcfunction(state, ngx_hyperdrive_policy_lua_look_incr);

    } else {
        return ngx_hyperdrive_policy_lua_look_no(state, "dict", name);
    }

    return 1;
}


/* the memory of the dictionary; the key is the first argument */

static void *
ngx_hyperdrive_policy_lua_look_shared(lua_State *state, ngx_str_t *key)
{
    ngx_hyperdrive_policy_lua_t  *lua;

    lua = ngx_hyperdrive_policy_lua_running;

    lua->look->moving = 1;

    key->data = (u_char *) luaL_checklstring(state, 1, &key->len);

    if (lua->dict == NULL) {
        luaL_error(state, "there is no dictionary: write "
                          "\"hyperdrive_policy_dict 1m;\"");
    }

    ngx_hyperdrive_policy_lua_charge(state, 10);

    return lua->dict->data;
}


static int
ngx_hyperdrive_policy_lua_look_get(lua_State *state)
{
    void                                *dict;
    u_char                               buf[NGX_HYPERDRIVE_POLICY_DICT_DATA];
    ngx_str_t                            key;
    ngx_hyperdrive_policy_dict_value_t   value;

    dict = ngx_hyperdrive_policy_lua_look_shared(state, &key);

    if (ngx_hyperdrive_policy_dict_get(dict, &key, buf, &value) != NGX_OK) {

        /* a value, not none: tostring() takes it */

        lua_pushnil(state);
        return 1;
    }

    if (value.number) {
        lua_pushnumber(state, value.n);
        return 1;
    }

    return ngx_hyperdrive_policy_lua_look_push(state, &value.text);
}


static int
ngx_hyperdrive_policy_lua_look_set(lua_State *state)
{
    void                                *dict;
    ngx_str_t                            key;
    ngx_msec_t                           ttl;
    ngx_hyperdrive_policy_dict_value_t   value, *set;

    dict = ngx_hyperdrive_policy_lua_look_shared(state, &key);
    ttl = ngx_hyperdrive_policy_lua_look_ttl(state, 3);

    ngx_memzero(&value, sizeof(ngx_hyperdrive_policy_dict_value_t));
    set = &value;

    if (lua_type(state, 2) == LUA_TNUMBER) {
        value.number = 1;
        value.n = lua_tonumber(state, 2);

    } else if (lua_isnoneornil(state, 2)) {
        set = NULL;

    } else {
        value.text.data = (u_char *) luaL_checklstring(state, 2,
                                                       &value.text.len);
    }

    if (ngx_hyperdrive_policy_dict_set(dict, &key, set, ttl) != NGX_OK) {
        return luaL_error(state, "key and value of dict.set() have more than "
                          "%d bytes", NGX_HYPERDRIVE_POLICY_DICT_DATA);
    }

    return 0;
}


static int
ngx_hyperdrive_policy_lua_look_incr(lua_State *state)
{
    void        *dict;
    double       n;
    ngx_str_t    key;
    ngx_msec_t   ttl;
    lua_Number   by;

    dict = ngx_hyperdrive_policy_lua_look_shared(state, &key);
    by = luaL_optnumber(state, 2, 1);
    ttl = ngx_hyperdrive_policy_lua_look_ttl(state, 3);

    if (ngx_hyperdrive_policy_dict_incr(dict, &key, by, ttl, &n) != NGX_OK) {
        return luaL_error(state, "the key of dict.incr() has more than "
                          "%d bytes", NGX_HYPERDRIVE_POLICY_DICT_DATA);
    }

    lua_pushnumber(state, n);

    return 1;
}


/* seconds, 0: for ever */

static ngx_msec_t
ngx_hyperdrive_policy_lua_look_ttl(lua_State *state, int n)
{
    lua_Number  ttl;

    ttl = luaL_optnumber(state, n, 0);

    luaL_argcheck(state, ttl == 0 || (ttl >= 0.001 && ttl <= 31536000), n,
                  "a time in seconds, at most a year, expected");

    return (ngx_msec_t) (ttl * 1000);
}


/* to nginx's log */

static int
ngx_hyperdrive_policy_lua_look_log(lua_State *state)
{
    ngx_str_t                     text;
    ngx_hyperdrive_policy_lua_t  *lua;

    lua = ngx_hyperdrive_policy_lua_running;

    text.data = (u_char *) luaL_checklstring(state, 1, &text.len);

    ngx_hyperdrive_policy_lua_charge(state, 100);

    if (lua->log_second != ngx_time()) {
        lua->log_second = ngx_time();
        lua->log_lines = 0;
    }

    if (lua->log_lines++ >= NGX_HYPERDRIVE_POLICY_LUA_LINES) {
        return 0;
    }

    ngx_log_error(NGX_LOG_NOTICE, lua->look->in->log, 0,
                  "hyperdrive policy: %V",
                  ngx_hyperdrive_base_plain_copy(&text));

    return 0;
}


static int
ngx_hyperdrive_policy_lua_look_value(lua_State *state,
    ngx_hyperdrive_policy_value_e what, const char *name, size_t len)
{
    ngx_str_t  key, value;

    key.data = (u_char *) name;
    key.len = len;

    if (ngx_hyperdrive_policy_look(ngx_hyperdrive_policy_lua_running->look,
                                   what, &key, &value)
        != NGX_OK)
    {
        lua_pushnil(state);
        return 1;
    }

    return ngx_hyperdrive_policy_lua_look_push(state, &value);
}


static int
ngx_hyperdrive_policy_lua_look_push(lua_State *state, ngx_str_t *value)
{
    lua_pushlstring(state, (char *) value->data, value->len);

    return 1;
}


static const char *
ngx_hyperdrive_policy_lua_look_name(lua_State *state, const char *object)
{
    if (lua_type(state, 2) != LUA_TSTRING) {
        luaL_error(state, "fields of \"%s\" are found by name", object);
    }

    return lua_tostring(state, 2);
}


static int
ngx_hyperdrive_policy_lua_look_no(lua_State *state, const char *object,
    const char *name)
{
    return luaL_error(state, "\"%s\" has no field \"%s\"", object, name);
}
