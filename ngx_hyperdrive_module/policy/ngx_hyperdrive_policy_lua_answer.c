
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "policy/ngx_hyperdrive_policy_lua.h"


/* what nginx can measure, seconds */
#define NGX_HYPERDRIVE_POLICY_LUA_YEARS  (24 * 24 * 3600)

/* of an error's words, a key, a name */
#define NGX_HYPERDRIVE_POLICY_LUA_TEXT   1024


typedef struct ngx_hyperdrive_policy_lua_key_s
    ngx_hyperdrive_policy_lua_key_t;

typedef void (*ngx_hyperdrive_policy_lua_key_pt)(lua_State *state,
    ngx_hyperdrive_policy_decision_t *d,
    const ngx_hyperdrive_policy_lua_key_t *key);

/* one that may be returned; its value is on the top of the stack */

struct ngx_hyperdrive_policy_lua_key_s {
    const char                        *name;
    ngx_hyperdrive_policy_lua_key_pt   set;
    size_t                             offset;
};


static void ngx_hyperdrive_policy_lua_answer_table(lua_State *state,
    ngx_hyperdrive_policy_decision_t *d,
    const ngx_hyperdrive_policy_lua_key_t *keys, const char *prefix);
static void ngx_hyperdrive_policy_lua_answer_cache(lua_State *state,
    ngx_hyperdrive_policy_decision_t *d,
    const ngx_hyperdrive_policy_lua_key_t *key);
static void ngx_hyperdrive_policy_lua_answer_time(lua_State *state,
    ngx_hyperdrive_policy_decision_t *d,
    const ngx_hyperdrive_policy_lua_key_t *key);
static void ngx_hyperdrive_policy_lua_answer_text(lua_State *state,
    ngx_hyperdrive_policy_decision_t *d,
    const ngx_hyperdrive_policy_lua_key_t *key);
static void ngx_hyperdrive_policy_lua_answer_names(lua_State *state,
    ngx_hyperdrive_policy_decision_t *d,
    const ngx_hyperdrive_policy_lua_key_t *key);
static void ngx_hyperdrive_policy_lua_answer_target(lua_State *state,
    ngx_hyperdrive_policy_decision_t *d,
    const ngx_hyperdrive_policy_lua_key_t *key);
static void ngx_hyperdrive_policy_lua_answer_role(lua_State *state,
    ngx_hyperdrive_policy_decision_t *d,
    const ngx_hyperdrive_policy_lua_key_t *key);
static void ngx_hyperdrive_policy_lua_answer_reject(lua_State *state,
    ngx_hyperdrive_policy_decision_t *d,
    const ngx_hyperdrive_policy_lua_key_t *key);
static void ngx_hyperdrive_policy_lua_answer_message(lua_State *state,
    ngx_hyperdrive_policy_decision_t *d,
    const ngx_hyperdrive_policy_lua_key_t *key);
static void ngx_hyperdrive_policy_lua_answer_sqlstate(lua_State *state,
    ngx_hyperdrive_policy_decision_t *d,
    const ngx_hyperdrive_policy_lua_key_t *key);
static void ngx_hyperdrive_policy_lua_answer_flag(lua_State *state,
    ngx_hyperdrive_policy_decision_t *d,
    const ngx_hyperdrive_policy_lua_key_t *key);
static void ngx_hyperdrive_policy_lua_answer_priority(lua_State *state,
    ngx_hyperdrive_policy_decision_t *d,
    const ngx_hyperdrive_policy_lua_key_t *key);
static void ngx_hyperdrive_policy_lua_answer_string(lua_State *state,
    const char *name, ngx_str_t *value);
static void ngx_hyperdrive_policy_lua_answer_wrong(lua_State *state,
    const char *name, const char *wanted);


#define ngx_hyperdrive_policy_lua_offset(field)                               \
    offsetof(ngx_hyperdrive_policy_decision_t, field)


static const ngx_hyperdrive_policy_lua_key_t
    ngx_hyperdrive_policy_lua_answer_keys[] =
{
    { "cache", ngx_hyperdrive_policy_lua_answer_cache, 0 },
    { "upstream", ngx_hyperdrive_policy_lua_answer_target,
      ngx_hyperdrive_policy_lua_offset(upstream) },
    { "role", ngx_hyperdrive_policy_lua_answer_role, 0 },
    { "mirror", ngx_hyperdrive_policy_lua_answer_target,
      ngx_hyperdrive_policy_lua_offset(mirror) },
    { "reject", ngx_hyperdrive_policy_lua_answer_reject, 0 },
    { "sqlstate", ngx_hyperdrive_policy_lua_answer_sqlstate, 0 },
    { "timeout", ngx_hyperdrive_policy_lua_answer_time,
      ngx_hyperdrive_policy_lua_offset(timeout) },
    { "pin", ngx_hyperdrive_policy_lua_answer_flag, 0 },
    { "params", ngx_hyperdrive_policy_lua_answer_flag, 1 },
    { "priority", ngx_hyperdrive_policy_lua_answer_priority, 0 },
    { "keep", ngx_hyperdrive_policy_lua_answer_time,
      ngx_hyperdrive_policy_lua_offset(keep) },
    { NULL, NULL, 0 }
};


static const ngx_hyperdrive_policy_lua_key_t
    ngx_hyperdrive_policy_lua_answer_cache_keys[] =
{
    { "max_age", ngx_hyperdrive_policy_lua_answer_time,
      ngx_hyperdrive_policy_lua_offset(max_age) },
    { "stale_while_revalidate", ngx_hyperdrive_policy_lua_answer_time,
      ngx_hyperdrive_policy_lua_offset(stale) },
    { "stale_if_error", ngx_hyperdrive_policy_lua_answer_time,
      ngx_hyperdrive_policy_lua_offset(stale_error) },
    { "key", ngx_hyperdrive_policy_lua_answer_text,
      ngx_hyperdrive_policy_lua_offset(key) },
    { "tables", ngx_hyperdrive_policy_lua_answer_names, 0 },
    { "tags", ngx_hyperdrive_policy_lua_answer_names, 1 },
    { NULL, NULL, 0 }
};


static const ngx_hyperdrive_policy_lua_key_t
    ngx_hyperdrive_policy_lua_answer_reject_keys[] =
{
    { "message", ngx_hyperdrive_policy_lua_answer_message, 0 },
    { "sqlstate", ngx_hyperdrive_policy_lua_answer_sqlstate, 0 },
    { NULL, NULL, 0 }
};


void
ngx_hyperdrive_policy_lua_answer(lua_State *state,
    ngx_hyperdrive_policy_lua_t *lua)
{
    ngx_hyperdrive_policy_decision_t  *d;

    if (!lua_istable(state, -1)) {
        luaL_error(state, "a policy returns a table or nothing, not a %s",
                   luaL_typename(state, -1));
    }

    d = lua->decision;

    ngx_hyperdrive_policy_lua_answer_table(state, d,
                                      ngx_hyperdrive_policy_lua_answer_keys,
                                      "");

    if (d->sqlstate && d->reject == NULL) {
        luaL_error(state, "\"sqlstate\" without \"reject\" in what the policy "
                   "returns");
    }

    if (d->reject && d->sqlstate == NULL) {
        d->sqlstate = "42501";
    }
}


static void
ngx_hyperdrive_policy_lua_answer_table(lua_State *state,
    ngx_hyperdrive_policy_decision_t *d,
    const ngx_hyperdrive_policy_lua_key_t *keys, const char *prefix)
{
    const ngx_hyperdrive_policy_lua_key_t  *key;

    luaL_checkstack(state, 8, "too many values");

    lua_pushnil(state);

    while (lua_next(state, -2)) {

        if (lua_type(state, -2) != LUA_TSTRING) {
            luaL_error(state, "unknown key of type %s in what the policy "
                       "returns", luaL_typename(state, -2));
        }

        for (key = keys; key->name; key++) {
            if (ngx_strcmp(key->name, lua_tostring(state, -2)) == 0) {
                break;
            }
        }

        if (key->name == NULL) {
            luaL_error(state, "unknown key \"%s%s\" in what the policy "
                       "returns", prefix, lua_tostring(state, -2));
        }

        key->set(state, d, key);

        lua_pop(state, 1);
    }
}


static void
ngx_hyperdrive_policy_lua_answer_cache(lua_State *state,
    ngx_hyperdrive_policy_decision_t *d,
    const ngx_hyperdrive_policy_lua_key_t *key)
{
    if (lua_isboolean(state, -1)) {
        d->cache = lua_toboolean(state, -1) ? NGX_HYPERDRIVE_POLICY_CACHE_ON
                                            : NGX_HYPERDRIVE_POLICY_CACHE_OFF;
        return;
    }

    if (!lua_istable(state, -1)) {
        ngx_hyperdrive_policy_lua_answer_wrong(state, key->name,
                                               "a boolean or a table");
    }

    d->cache = NGX_HYPERDRIVE_POLICY_CACHE_DEFAULT;

    ngx_hyperdrive_policy_lua_answer_table(state, d,
                                 ngx_hyperdrive_policy_lua_answer_cache_keys,
                                 "cache.");
}


/* seconds */

static void
ngx_hyperdrive_policy_lua_answer_time(lua_State *state,
    ngx_hyperdrive_policy_decision_t *d,
    const ngx_hyperdrive_policy_lua_key_t *key)
{
    lua_Number  n;

    n = lua_tonumber(state, -1);

    /* (not a number compares to nothing) */

    if (lua_type(state, -1) != LUA_TNUMBER
        || !(n >= 0 && n <= NGX_HYPERDRIVE_POLICY_LUA_YEARS))
    {
        ngx_hyperdrive_policy_lua_answer_wrong(state, key->name,
                              "a number of seconds, from 0 to 2073600");
    }

    /* (what is left of a time is not none: 0 may stand for no limit) */

    *(ngx_msec_t *) ((u_char *) d + key->offset)
                             = (n > 0 && n < 0.001) ? 1
                                                    : (ngx_msec_t) (n * 1000);
}


static void
ngx_hyperdrive_policy_lua_answer_text(lua_State *state,
    ngx_hyperdrive_policy_decision_t *d,
    const ngx_hyperdrive_policy_lua_key_t *key)
{
    if (lua_type(state, -1) == LUA_TSTRING && lua_objlen(state, -1) == 0) {
        /* as a variable of nginx is that has no value: no text at all */
        return;
    }

    ngx_hyperdrive_policy_lua_answer_string(state, key->name,
                                  (ngx_str_t *) ((u_char *) d + key->offset));
}


/* tables or tags: one name, or a list of them */

static void
ngx_hyperdrive_policy_lua_answer_names(lua_State *state,
    ngx_hyperdrive_policy_decision_t *d,
    const ngx_hyperdrive_policy_lua_key_t *key)
{
    ngx_str_t   *names;
    ngx_uint_t   i, *n;

    names = key->offset ? d->tags : d->tables;
    n = key->offset ? &d->ntags : &d->ntables;

    if (!lua_istable(state, -1)) {
        ngx_hyperdrive_policy_lua_answer_string(state, key->name, &names[0]);
        *n = 1;
        return;
    }

    *n = lua_objlen(state, -1);

    if (*n > NGX_HYPERDRIVE_POLICY_NAMES) {
        luaL_error(state, "\"%s\" has more than %d names in what the policy "
                   "returns", key->name, NGX_HYPERDRIVE_POLICY_NAMES);
    }

    for (i = 0; i < *n; i++) {
        lua_rawgeti(state, -1, i + 1);
        ngx_hyperdrive_policy_lua_answer_string(state, key->name, &names[i]);
        lua_pop(state, 1);
    }
}


static void
ngx_hyperdrive_policy_lua_answer_target(lua_State *state,
    ngx_hyperdrive_policy_decision_t *d,
    const ngx_hyperdrive_policy_lua_key_t *key)
{
    ngx_str_t                         name;
    ngx_hyperdrive_policy_lua_t      *lua;
    ngx_hyperdrive_policy_target_t  **target;

    lua = ngx_hyperdrive_policy_lua_running;
    target = (ngx_hyperdrive_policy_target_t **) ((u_char *) d + key->offset);

    ngx_hyperdrive_policy_lua_answer_string(state, key->name, &name);

    *target = lua->target(lua->data, &name);

    if (*target == NULL) {
        luaL_error(state, "no upstream \"%s\" with a \"hyperdrive_origin\" "
                   "for \"%s\"", name.data, key->name);
    }
}


static void
ngx_hyperdrive_policy_lua_answer_role(lua_State *state,
    ngx_hyperdrive_policy_decision_t *d,
    const ngx_hyperdrive_policy_lua_key_t *key)
{
    if (lua_type(state, -1) == LUA_TSTRING) {

        if (ngx_strcmp(lua_tostring(state, -1), "primary") == 0) {
            d->role = NGX_HYPERDRIVE_POLICY_ROLE_PRIMARY;
            return;
        }

        if (ngx_strcmp(lua_tostring(state, -1), "replica") == 0) {
            d->role = NGX_HYPERDRIVE_POLICY_ROLE_REPLICA;
            return;
        }
    }

    ngx_hyperdrive_policy_lua_answer_wrong(state, key->name,
                                           "\"primary\" or \"replica\"");
}


/* true, words, or { message = WORDS, sqlstate = STATE } */

static void
ngx_hyperdrive_policy_lua_answer_reject(lua_State *state,
    ngx_hyperdrive_policy_decision_t *d,
    const ngx_hyperdrive_policy_lua_key_t *key)
{
    if (lua_isboolean(state, -1)) {
        d->reject = lua_toboolean(state, -1)
                    ? "this statement is not allowed here" : NULL;
        return;
    }

    if (lua_istable(state, -1)) {
        ngx_hyperdrive_policy_lua_answer_table(state, d,
                                ngx_hyperdrive_policy_lua_answer_reject_keys,
                                "reject.");
        return;
    }

    ngx_hyperdrive_policy_lua_answer_message(state, d, key);
}


static void
ngx_hyperdrive_policy_lua_answer_message(lua_State *state,
    ngx_hyperdrive_policy_decision_t *d,
    const ngx_hyperdrive_policy_lua_key_t *key)
{
    ngx_str_t  value;

    ngx_hyperdrive_policy_lua_answer_string(state, key->name, &value);

    d->reject = (char *) value.data;
}


static void
ngx_hyperdrive_policy_lua_answer_sqlstate(lua_State *state,
    ngx_hyperdrive_policy_decision_t *d,
    const ngx_hyperdrive_policy_lua_key_t *key)
{
    ngx_str_t  value;

    if (lua_type(state, -1) == LUA_TSTRING) {
        value.data = (u_char *) lua_tolstring(state, -1, &value.len);

        if (ngx_hyperdrive_policy_decision_sqlstate(&value) == NGX_OK) {
            d->sqlstate = (char *) value.data;
            return;
        }
    }

    ngx_hyperdrive_policy_lua_answer_wrong(state, "sqlstate",
                                  "a text of five digits or capital letters, "
                                  "not of class 00, 01 or 02");
}


static void
ngx_hyperdrive_policy_lua_answer_flag(lua_State *state,
    ngx_hyperdrive_policy_decision_t *d,
    const ngx_hyperdrive_policy_lua_key_t *key)
{
    if (!lua_isboolean(state, -1)) {
        ngx_hyperdrive_policy_lua_answer_wrong(state, key->name, "a boolean");
    }

    if (key->offset) {
        d->params = lua_toboolean(state, -1);

    } else {
        d->pin = lua_toboolean(state, -1);
    }
}


static void
ngx_hyperdrive_policy_lua_answer_priority(lua_State *state,
    ngx_hyperdrive_policy_decision_t *d,
    const ngx_hyperdrive_policy_lua_key_t *key)
{
    lua_Number  n;

    n = lua_tonumber(state, -1);

    if (lua_type(state, -1) != LUA_TNUMBER
        || !(n >= -NGX_HYPERDRIVE_POLICY_PRIORITY
             && n <= NGX_HYPERDRIVE_POLICY_PRIORITY)
        || n != (ngx_int_t) n)
    {
        ngx_hyperdrive_policy_lua_answer_wrong(state, key->name,
                                          "a whole number from -10 to 10");
    }

    d->priority = (ngx_int_t) n;
}


static void
ngx_hyperdrive_policy_lua_answer_string(lua_State *state, const char *name,
    ngx_str_t *value)
{
    if (lua_type(state, -1) != LUA_TSTRING) {
        ngx_hyperdrive_policy_lua_answer_wrong(state, name, "a text");
    }

    value->data = (u_char *) lua_tolstring(state, -1, &value->len);

    if (value->len == 0 || value->len > NGX_HYPERDRIVE_POLICY_LUA_TEXT
        || memchr(value->data, '\0', value->len) != NULL)
    {
        ngx_hyperdrive_policy_lua_answer_wrong(state, name,
                             "a text of 1 to 1024 bytes, none of them NUL");
    }
}


static void
ngx_hyperdrive_policy_lua_answer_wrong(lua_State *state, const char *name,
    const char *wanted)
{
    luaL_error(state, "\"%s\" in what the policy returns is a %s, and has to "
               "be %s", name, luaL_typename(state, -1), wanted);
}
