
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_POLICY_LUA_H_INCLUDED_
#define _NGX_HYPERDRIVE_POLICY_LUA_H_INCLUDED_


#include "policy/ngx_hyperdrive_policy_look.h"
#include "policy/ngx_hyperdrive_policy_dict.h"

#include <lua.h>
#include <lauxlib.h>
#include <lualib.h>


/*
 * Policies in Lua: one machine for a configuration, made when that is read,
 * and a copy of it in each worker.  What a policy may do, and how much of it,
 * is bounded:
 *
 *   instructions   by a count hook, with the compiler off; functions of ours
 *                  that may take long count their steps, too
 *   memory         by the allocator: what one run adds
 *   time           of the processor: what neither of them sees
 *
 * Once one of them is used up every further instruction fails, so that pcall()
 * does not help.
 */


/* hyperdrive_policy_limits */

typedef struct {
    ngx_uint_t                        instructions;
    size_t                            memory;
} ngx_hyperdrive_policy_limits_t;


#define NGX_HYPERDRIVE_POLICY_LUA_ERROR  512


struct ngx_hyperdrive_policy_lua_s {
    lua_State                        *state;
    ngx_hyperdrive_policy_limits_t    limits;
    ngx_shm_zone_t                   *dict;     /* NULL: there is none */
    ngx_hyperdrive_policy_target_t *(*target)(void *data, ngx_str_t *name);
    void                             *data;

    size_t                            used;     /* bytes */
    size_t                            base;     /* ...before the run */

    /* of the run */

    ngx_hyperdrive_policy_look_t     *look;     /* NULL: nothing runs */
    ngx_hyperdrive_policy_chunk_t    *chunk;
    ngx_hyperdrive_policy_decision_t *decision; /* its strings are Lua's, valid
                                                   up to the next run */
    ngx_uint_t                        left;     /* instructions */
    uint64_t                          until;    /* processor time, ns */
    ngx_uint_t                        calls;    /* of pcall(), not over */

    unsigned                          answered:1;   /* it has returned
                                                       something */
    unsigned                          over:1;

    time_t                            log_second;
    ngx_uint_t                        log_lines;

    u_char                            error[NGX_HYPERDRIVE_POLICY_LUA_ERROR];
};


/* a policy, compiled */

struct ngx_hyperdrive_policy_chunk_s {
    ngx_hyperdrive_policy_lua_t      *lua;
    ngx_str_t                         file;     /* where it stands */
    ngx_uint_t                        line;
    int                               ref;

    time_t                            error_second;  /* of the last one
                                                        logged */
    ngx_uint_t                        errors;   /* not logged since */
};


/* NULL: no memory, or a LuaJIT without its own allocators */
ngx_hyperdrive_policy_lua_t *ngx_hyperdrive_policy_lua_create(
    ngx_pool_t *pool);

/*
 * Compiles <code>, whose first line is <line> of <file>.  NULL: lua->error
 * says why, or is empty: no memory.
 */
ngx_hyperdrive_policy_chunk_t *ngx_hyperdrive_policy_lua_compile(
    ngx_hyperdrive_policy_lua_t *lua, ngx_pool_t *pool, ngx_str_t *file,
    ngx_uint_t line, ngx_str_t *code);

/*
 * Runs it; <decision> is as it is without it, and its strings are valid up to
 * the next run.  NGX_DECLINED: it has nothing to say; NGX_ERROR: lua->error
 * says what is wrong, and <decision> is not to be used.
 */
ngx_int_t ngx_hyperdrive_policy_lua_run(ngx_hyperdrive_policy_chunk_t *chunk,
    ngx_hyperdrive_policy_look_t *look,
    ngx_hyperdrive_policy_decision_t *decision);


/* between the files of the machine */

/* the machine that runs */
extern ngx_hyperdrive_policy_lua_t  *ngx_hyperdrive_policy_lua_running;

/* <n> steps, as so many instructions: an error if they are too many */
void ngx_hyperdrive_policy_lua_charge(lua_State *state, ngx_uint_t n);

/* ngx_hyperdrive_policy_lua_pattern.c: find, match, gmatch and gsub, into the
   table on the top of the stack */
void ngx_hyperdrive_policy_lua_pattern(lua_State *state);

/* ngx_hyperdrive_policy_lua_look.c: what a policy sees, into the table on the
   top of the stack */
void ngx_hyperdrive_policy_lua_look(lua_State *state,
    ngx_hyperdrive_policy_lua_t *lua);

/* an object that has fields only by <index>, on the top of the stack */
void ngx_hyperdrive_policy_lua_object(lua_State *state, lua_CFunction index,
    const char *name);

/* ngx_hyperdrive_policy_lua_answer.c: what was returned, on the top of the
   stack, goes into the decision; an error says what is wrong with it */
void ngx_hyperdrive_policy_lua_answer(lua_State *state,
    ngx_hyperdrive_policy_lua_t *lua);


#endif /* _NGX_HYPERDRIVE_POLICY_LUA_H_INCLUDED_ */
