
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "policy/ngx_hyperdrive_policy_lua.h"

#include <ctype.h>


/*
 * string.find, match, gmatch and gsub as the manual of Lua 5.1 has them (5.4,
 * "Patterns"), but for one thing: the steps of a match are counted as
 * instructions are.  A pattern with a few "-" takes hours on a text of a few
 * hundred bytes, within a function that no hook interrupts.
 */


#define NGX_HYPERDRIVE_POLICY_LUA_CAPTURES  32

/* patterns within each other: the C stack */
#define NGX_HYPERDRIVE_POLICY_LUA_DEPTH     200

/* steps that are worth an instruction, and those that are counted at once */
#define NGX_HYPERDRIVE_POLICY_LUA_WORTH     8
#define NGX_HYPERDRIVE_POLICY_LUA_STEPS     1024

/* lengths of captures that have none */
#define NGX_HYPERDRIVE_POLICY_LUA_OPEN      (-1)
#define NGX_HYPERDRIVE_POLICY_LUA_POSITION  (-2)


typedef struct {
    lua_State               *state;
    const char              *src;
    const char              *src_end;
    const char              *pattern_end;
    ngx_uint_t               steps;
    ngx_uint_t               depth;
    int                      n;            /* captures */

    struct {
        const char          *start;
        ptrdiff_t            len;
    } captures[NGX_HYPERDRIVE_POLICY_LUA_CAPTURES];
} ngx_hyperdrive_policy_lua_match_t;


static int ngx_hyperdrive_policy_lua_pattern_find(lua_State *state);
static int ngx_hyperdrive_policy_lua_pattern_match(lua_State *state);
static int ngx_hyperdrive_policy_lua_pattern_search(lua_State *state,
    ngx_uint_t find);
static int ngx_hyperdrive_policy_lua_pattern_gmatch(lua_State *state);
static int ngx_hyperdrive_policy_lua_pattern_next(lua_State *state);
static int ngx_hyperdrive_policy_lua_pattern_gsub(lua_State *state);
static void ngx_hyperdrive_policy_lua_pattern_replace(
    ngx_hyperdrive_policy_lua_match_t *m, luaL_Buffer *b, const char *s,
    const char *end);
static void ngx_hyperdrive_policy_lua_pattern_text(
    ngx_hyperdrive_policy_lua_match_t *m, luaL_Buffer *b, const char *s,
    const char *end);
static const char *ngx_hyperdrive_policy_lua_pattern_plain(lua_State *state,
    const char *s, size_t len, const char *what, size_t size);
static void ngx_hyperdrive_policy_lua_pattern_begin(
    ngx_hyperdrive_policy_lua_match_t *m, lua_State *state, const char *s,
    size_t len, const char *p, size_t size);
static const char *ngx_hyperdrive_policy_lua_pattern_at(
    ngx_hyperdrive_policy_lua_match_t *m, const char *s, const char *p);
static const char *ngx_hyperdrive_policy_lua_pattern_do(
    ngx_hyperdrive_policy_lua_match_t *m, const char *s, const char *p);
static const char *ngx_hyperdrive_policy_lua_pattern_item(
    ngx_hyperdrive_policy_lua_match_t *m, const char *s, const char *p,
    const char *end);
static const char *ngx_hyperdrive_policy_lua_pattern_capture(
    ngx_hyperdrive_policy_lua_match_t *m, const char *s, const char *p);
static const char *ngx_hyperdrive_policy_lua_pattern_balance(
    ngx_hyperdrive_policy_lua_match_t *m, const char *s, const char *p);
static const char *ngx_hyperdrive_policy_lua_pattern_again(
    ngx_hyperdrive_policy_lua_match_t *m, const char *s, const char *p);
static const char *ngx_hyperdrive_policy_lua_pattern_class(
    ngx_hyperdrive_policy_lua_match_t *m, const char *p);
static ngx_uint_t ngx_hyperdrive_policy_lua_pattern_one(
    ngx_hyperdrive_policy_lua_match_t *m, const char *s, const char *p,
    const char *end);
static ngx_uint_t ngx_hyperdrive_policy_lua_pattern_set(u_char c,
    const char *p, const char *end);
static ngx_uint_t ngx_hyperdrive_policy_lua_pattern_is(u_char c, u_char kind);
static void ngx_hyperdrive_policy_lua_pattern_step(
    ngx_hyperdrive_policy_lua_match_t *m, ngx_uint_t n);
static int ngx_hyperdrive_policy_lua_pattern_push(
    ngx_hyperdrive_policy_lua_match_t *m, const char *s, const char *end);
static void ngx_hyperdrive_policy_lua_pattern_value(
    ngx_hyperdrive_policy_lua_match_t *m, int i, const char *s,
    const char *end);


void
ngx_hyperdrive_policy_lua_pattern(lua_State *state)
{
    lua_pushcfunction(state, ngx_hyperdrive_policy_lua_pattern_find);
    lua_setfield(state, -2, "find");

    lua_pushcfunction(state, ngx_hyperdrive_policy_lua_pattern_match);
    lua_setfield(state, -2, "match");

    lua_pushcfunction(state, ngx_hyperdrive_policy_lua_pattern_gmatch);
    lua_setfield(state, -2, "gmatch");

    lua_pushcfunction(state, ngx_hyperdrive_policy_lua_pattern_gsub);
    lua_setfield(state, -2, "gsub");
}


static int
ngx_hyperdrive_policy_lua_pattern_find(lua_State *state)
{
    return ngx_hyperdrive_policy_lua_pattern_search(state, 1);
}


static int
ngx_hyperdrive_policy_lua_pattern_match(lua_State *state)
{
    return ngx_hyperdrive_policy_lua_pattern_search(state, 0);
}


static int
ngx_hyperdrive_policy_lua_pattern_search(lua_State *state, ngx_uint_t find)
{
    size_t                              len, size;
    const char                         *s, *p, *start, *end;
    lua_Integer                         init;
    ngx_uint_t                          anchor;
    ngx_hyperdrive_policy_lua_match_t   m;

    s = luaL_checklstring(state, 1, &len);
    p = luaL_checklstring(state, 2, &size);

    init = luaL_optinteger(state, 3, 1);

    if (init < 0) {
        init += (lua_Integer) len + 1;
    }

    init = ngx_max(init, 1);

    /* behind the end stands for the end */

    start = s + ngx_min((size_t) init - 1, len);

    if (find
        && (lua_toboolean(state, 4) || strpbrk(p, "^$*+?.([%-") == NULL)
        && (lua_toboolean(state, 4) || memchr(p, '\0', size) == NULL))
    {
        end = ngx_hyperdrive_policy_lua_pattern_plain(state, start,
                                                      s + len - start, p,
                                                      size);
        if (end == NULL) {
            lua_pushnil(state);
            return 1;
        }

        lua_pushinteger(state, end - s + 1);
        lua_pushinteger(state, end - s + (lua_Integer) size);

        return 2;
    }

    ngx_hyperdrive_policy_lua_pattern_begin(&m, state, s, len, p, size);

    anchor = (size && *p == '^');

    if (anchor) {
        p++;
    }

    do {
        end = ngx_hyperdrive_policy_lua_pattern_at(&m, start, p);

        if (end == NULL) {
            continue;
        }

        if (!find) {
            return ngx_hyperdrive_policy_lua_pattern_push(&m, start, end);
        }

        lua_pushinteger(state, start - s + 1);
        lua_pushinteger(state, end - s);

        return 2 + ngx_hyperdrive_policy_lua_pattern_push(&m, NULL, NULL);

    } while (start++ < m.src_end && !anchor);

    lua_pushnil(state);

    return 1;
}


static const char *
ngx_hyperdrive_policy_lua_pattern_plain(lua_State *state, const char *s,
    size_t len, const char *what, size_t size)
{
    const char  *p, *last;

    if (size > len) {
        return NULL;
    }

    last = s + len - size;

    for (p = s; size && p <= last; p++) {
        p = memchr(p, *what, last - p + 1);

        if (p == NULL) {
            return NULL;
        }

        /* "aaab" in "aaaa...": counted as if compared to its end */

        ngx_hyperdrive_policy_lua_charge(state, 1 + size / 64);

        if (ngx_memcmp(p, what, size) == 0) {
            return p;
        }
    }

    return size ? NULL : s;
}


static int
ngx_hyperdrive_policy_lua_pattern_gmatch(lua_State *state)
{
    luaL_checkstring(state, 1);
    luaL_checkstring(state, 2);
    lua_settop(state, 2);

    lua_pushinteger(state, 0);
    lua_pushcclosure(state, ngx_hyperdrive_policy_lua_pattern_next, 3);

    return 1;
}


static int
ngx_hyperdrive_policy_lua_pattern_next(lua_State *state)
{
    size_t                              len, size;
    const char                         *s, *p, *start, *end;
    ngx_hyperdrive_policy_lua_match_t   m;

    s = lua_tolstring(state, lua_upvalueindex(1), &len);
    p = lua_tolstring(state, lua_upvalueindex(2), &size);

    ngx_hyperdrive_policy_lua_pattern_begin(&m, state, s, len, p, size);

    for (start = s + lua_tointeger(state, lua_upvalueindex(3));
         start <= m.src_end;
         start++)
    {
        end = ngx_hyperdrive_policy_lua_pattern_at(&m, start, p);

        if (end) {
            lua_pushinteger(state, end - s + (end == start));
            lua_replace(state, lua_upvalueindex(3));

            return ngx_hyperdrive_policy_lua_pattern_push(&m, start, end);
        }
    }

    return 0;
}


static int
ngx_hyperdrive_policy_lua_pattern_gsub(lua_State *state)
{
    int                                 type;
    size_t                              len, size;
    const char                         *s, *p, *end;
    luaL_Buffer                         b;
    lua_Integer                         max, n;
    ngx_uint_t                          anchor;
    ngx_hyperdrive_policy_lua_match_t   m;

    s = luaL_checklstring(state, 1, &len);
    p = luaL_checklstring(state, 2, &size);

    type = lua_type(state, 3);

    luaL_argcheck(state, type == LUA_TNUMBER || type == LUA_TSTRING
                         || type == LUA_TTABLE || type == LUA_TFUNCTION, 3,
                  "string, function or table expected");

    max = luaL_optinteger(state, 4, (lua_Integer) len + 1);

    lua_settop(state, 3);

    ngx_hyperdrive_policy_lua_pattern_begin(&m, state, s, len, p, size);

    anchor = (size && *p == '^');

    if (anchor) {
        p++;
    }

    luaL_buffinit(state, &b);

    for (n = 0; n < max; /* void */ ) {

        end = ngx_hyperdrive_policy_lua_pattern_at(&m, s, p);

        if (end) {
            n++;
            ngx_hyperdrive_policy_lua_pattern_replace(&m, &b, s, end);
        }

        if (end && end > s) {
            s = end;

        } else if (s < m.src_end) {
            luaL_addchar(&b, *s);
            s++;

        } else {
            break;
        }

        if (anchor) {
            break;
        }
    }

    luaL_addlstring(&b, s, m.src_end - s);
    luaL_pushresult(&b);

    lua_pushinteger(state, n);

    return 2;
}


/* what the third argument of gsub says stands for [s, end) */

static void
ngx_hyperdrive_policy_lua_pattern_replace(
    ngx_hyperdrive_policy_lua_match_t *m, luaL_Buffer *b, const char *s,
    const char *end)
{
    int         n;
    lua_State  *state;

    state = m->state;

    switch (lua_type(state, 3)) {

    case LUA_TFUNCTION:
        lua_pushvalue(state, 3);
        n = ngx_hyperdrive_policy_lua_pattern_push(m, s, end);
        lua_call(state, n, 1);
        break;

    case LUA_TTABLE:
        ngx_hyperdrive_policy_lua_pattern_value(m, 0, s, end);
        lua_gettable(state, 3);
        break;

    default: /* LUA_TNUMBER, LUA_TSTRING */
        ngx_hyperdrive_policy_lua_pattern_text(m, b, s, end);
        return;
    }

    if (!lua_toboolean(state, -1)) {
        lua_pop(state, 1);
        lua_pushlstring(state, s, end - s);

    } else if (!lua_isstring(state, -1)) {
        luaL_error(state, "invalid replacement value (a %s)",
                   luaL_typename(state, -1));
    }

    luaL_addvalue(b);
}


/* a text, in which %1 is a capture */

static void
ngx_hyperdrive_policy_lua_pattern_text(ngx_hyperdrive_policy_lua_match_t *m,
    luaL_Buffer *b, const char *s, const char *end)
{
    size_t       i, len;
    const char  *text;

    text = lua_tolstring(m->state, 3, &len);

    for (i = 0; i < len; i++) {

        if (text[i] != '%' || i + 1 == len) {
            luaL_addchar(b, text[i]);
            continue;
        }

        i++;

        if (!isdigit((u_char) text[i])) {
            luaL_addchar(b, text[i]);

        } else if (text[i] == '0') {
            luaL_addlstring(b, s, end - s);

        } else {
            ngx_hyperdrive_policy_lua_pattern_value(m, text[i] - '1', s, end);
            luaL_addvalue(b);
        }
    }

    ngx_hyperdrive_policy_lua_pattern_step(m, len);
}


static void
ngx_hyperdrive_policy_lua_pattern_begin(ngx_hyperdrive_policy_lua_match_t *m,
    lua_State *state, const char *s, size_t len, const char *p, size_t size)
{
    m->state = state;
    m->src = s;
    m->src_end = s + len;
    m->pattern_end = p + size;
    m->steps = 0;
    m->depth = 0;
    m->n = 0;
}


/* the end of a match that begins at <s>, or NULL */

static const char *
ngx_hyperdrive_policy_lua_pattern_at(ngx_hyperdrive_policy_lua_match_t *m,
    const char *s, const char *p)
{
    m->n = 0;
    m->depth = 0;

    ngx_hyperdrive_policy_lua_pattern_step(m, 1);

    return ngx_hyperdrive_policy_lua_pattern_do(m, s, p);
}


static const char *
ngx_hyperdrive_policy_lua_pattern_do(ngx_hyperdrive_policy_lua_match_t *m,
    const char *s, const char *p)
{
    const char  *end, *next;

    if (++m->depth > NGX_HYPERDRIVE_POLICY_LUA_DEPTH) {
        luaL_error(m->state, "the pattern is too complex");
    }

    while (s && p < m->pattern_end) {

        if (*p == '(' || *p == ')') {
            s = ngx_hyperdrive_policy_lua_pattern_capture(m, s, p);
            break;
        }

        if (*p == '$' && p + 1 == m->pattern_end) {
            s = (s == m->src_end) ? s : NULL;
            break;
        }

        if (*p == '%' && p + 1 < m->pattern_end) {

            if (p[1] == 'b') {
                s = ngx_hyperdrive_policy_lua_pattern_balance(m, s, p + 2);
                p += 4;
                continue;
            }

            if (p[1] == 'f') {
                p += 2;

                if (p == m->pattern_end || *p != '[') {
                    luaL_error(m->state,
                               "missing '[' after '%%f' in pattern");
                }

                end = ngx_hyperdrive_policy_lua_pattern_class(m, p);

                ngx_hyperdrive_policy_lua_pattern_step(m, end - p);

                if (ngx_hyperdrive_policy_lua_pattern_set(
                                 s == m->src ? '\0' : s[-1], p, end - 1)
                    || !ngx_hyperdrive_policy_lua_pattern_set(
                                 s == m->src_end ? '\0' : *s, p, end - 1))
                {
                    s = NULL;
                }

                p = end;
                continue;
            }

            if (isdigit((u_char) p[1])) {
                s = ngx_hyperdrive_policy_lua_pattern_again(m, s, p + 1);
                p += 2;
                continue;
            }
        }

        end = ngx_hyperdrive_policy_lua_pattern_class(m, p);

        if (end < m->pattern_end
            && (*end == '*' || *end == '+' || *end == '-' || *end == '?'))
        {
            next = ngx_hyperdrive_policy_lua_pattern_item(m, s, p, end);

            if (*end == '?' && next == NULL) {
                /* without it */
                p = end + 1;
                continue;
            }

            s = next;
            break;
        }

        s = ngx_hyperdrive_policy_lua_pattern_one(m, s, p, end) ? s + 1 : NULL;
        p = end;
    }

    m->depth--;

    return s;
}


/* an item with a suffix, at <end>, and all that follows */

static const char *
ngx_hyperdrive_policy_lua_pattern_item(ngx_hyperdrive_policy_lua_match_t *m,
    const char *s, const char *p, const char *end)
{
    ptrdiff_t    n, min;
    const char  *rest;

    if (*end == '?') {

        return ngx_hyperdrive_policy_lua_pattern_one(m, s, p, end)
               ? ngx_hyperdrive_policy_lua_pattern_do(m, s + 1, end + 1)
               : NULL;
    }

    if (*end == '-') {

        for ( ;; ) {
            rest = ngx_hyperdrive_policy_lua_pattern_do(m, s, end + 1);

            if (rest) {
                return rest;
            }

            if (!ngx_hyperdrive_policy_lua_pattern_one(m, s, p, end)) {
                return NULL;
            }

            s++;
        }
    }

    min = (*end == '+');

    for (n = 0; ngx_hyperdrive_policy_lua_pattern_one(m, s + n, p, end); n++) {
        /* void */
    }

    for ( /* void */ ; n >= min; n--) {
        rest = ngx_hyperdrive_policy_lua_pattern_do(m, s + n, end + 1);

        if (rest) {
            return rest;
        }
    }

    return NULL;
}


/* a bracket, and all that follows */

static const char *
ngx_hyperdrive_policy_lua_pattern_capture(
    ngx_hyperdrive_policy_lua_match_t *m, const char *s, const char *p)
{
    int          i;
    const char  *end;

    if (*p == '(') {

        if (m->n == NGX_HYPERDRIVE_POLICY_LUA_CAPTURES) {
            luaL_error(m->state, "too many captures");
        }

        m->captures[m->n].start = s;
        m->captures[m->n].len = NGX_HYPERDRIVE_POLICY_LUA_OPEN;

        if (p + 1 < m->pattern_end && p[1] == ')') {
            m->captures[m->n].len = NGX_HYPERDRIVE_POLICY_LUA_POSITION;
            p++;
        }

        m->n++;

        end = ngx_hyperdrive_policy_lua_pattern_do(m, s, p + 1);

        if (end == NULL) {
            m->n--;
        }

        return end;
    }

    for (i = m->n - 1; i >= 0; i--) {
        if (m->captures[i].len == NGX_HYPERDRIVE_POLICY_LUA_OPEN) {
            break;
        }
    }

    if (i < 0) {
        luaL_error(m->state, "invalid pattern capture");
        return NULL;
    }

    m->captures[i].len = s - m->captures[i].start;

    end = ngx_hyperdrive_policy_lua_pattern_do(m, s, p + 1);

    if (end == NULL) {
        m->captures[i].len = NGX_HYPERDRIVE_POLICY_LUA_OPEN;
    }

    return end;
}


/* %bxy; <p> is behind the b */

static const char *
ngx_hyperdrive_policy_lua_pattern_balance(
    ngx_hyperdrive_policy_lua_match_t *m, const char *s, const char *p)
{
    ngx_uint_t   depth;
    const char  *start;

    if (m->pattern_end - p < 2) {
        luaL_error(m->state, "unbalanced pattern");
    }

    if (s == m->src_end || *s != p[0]) {
        return NULL;
    }

    depth = 1;

    for (start = s++; s < m->src_end; s++) {

        if (*s == p[1]) {

            if (--depth == 0) {
                ngx_hyperdrive_policy_lua_pattern_step(m, s - start);
                return s + 1;
            }

        } else if (*s == p[0]) {
            depth++;
        }
    }

    ngx_hyperdrive_policy_lua_pattern_step(m, s - start);

    return NULL;
}


/* %1: what a capture has matched */

static const char *
ngx_hyperdrive_policy_lua_pattern_again(ngx_hyperdrive_policy_lua_match_t *m,
    const char *s, const char *p)
{
    int     i;
    size_t  len;

    i = *p - '1';

    if (i < 0 || i >= m->n
        || m->captures[i].len == NGX_HYPERDRIVE_POLICY_LUA_OPEN)
    {
        luaL_error(m->state, "invalid capture index");
        return NULL;
    }

    len = ngx_max(m->captures[i].len, 0);

    ngx_hyperdrive_policy_lua_pattern_step(m, 1 + len / 8);

    return ((size_t) (m->src_end - s) >= len
            && ngx_memcmp(m->captures[i].start, s, len) == 0)
           ? s + len : NULL;
}


/* behind one item of the pattern: a character, %a or a set */

static const char *
ngx_hyperdrive_policy_lua_pattern_class(ngx_hyperdrive_policy_lua_match_t *m,
    const char *p)
{
    const char  *end;

    end = m->pattern_end;

    if (*p == '%') {

        if (p + 1 == end) {
            luaL_error(m->state, "malformed pattern (ends with '%%')");
        }

        return p + 2;
    }

    if (*p++ != '[') {
        return p;
    }

    if (p < end && *p == '^') {
        p++;
    }

    /* a bracket that comes first stands for itself */

    do {

        if (p >= end) {
            luaL_error(m->state, "malformed pattern (missing ']')");
        }

        p += (*p == '%') ? 2 : 1;

    } while (p >= end || *p != ']');

    return p + 1;
}


static ngx_uint_t
ngx_hyperdrive_policy_lua_pattern_one(ngx_hyperdrive_policy_lua_match_t *m,
    const char *s, const char *p, const char *end)
{
    ngx_hyperdrive_policy_lua_pattern_step(m, end - p);

    if (s >= m->src_end) {
        return 0;
    }

    switch (*p) {

    case '.':
        return 1;

    case '%':
        return ngx_hyperdrive_policy_lua_pattern_is((u_char) *s,
                                                    (u_char) p[1]);

    case '[':
        return ngx_hyperdrive_policy_lua_pattern_set((u_char) *s, p, end - 1);

    default:
        return *p == *s;
    }
}


/* [p, end): a set without its last bracket */

static ngx_uint_t
ngx_hyperdrive_policy_lua_pattern_set(u_char c, const char *p,
    const char *end)
{
    ngx_uint_t  in;

    in = 1;
    p++;

    if (p < end && *p == '^') {
        in = 0;
        p++;
    }

    for ( /* void */ ; p < end; p++) {

        if (*p == '%' && end - p > 1) {
            p++;

            if (ngx_hyperdrive_policy_lua_pattern_is(c, (u_char) *p)) {
                return in;
            }

        } else if (end - p > 2 && p[1] == '-') {

            if ((u_char) p[0] <= c && c <= (u_char) p[2]) {
                return in;
            }

            p += 2;

        } else if ((u_char) *p == c) {
            return in;
        }
    }

    return !in;
}


/* the class that a letter behind % stands for; a capital letter: all others */

static ngx_uint_t
ngx_hyperdrive_policy_lua_pattern_is(u_char c, u_char kind)
{
    ngx_uint_t  is;

    switch (kind | 0x20) {

    case 'a':
        is = isalpha(c);
        break;

    case 'c':
        is = iscntrl(c);
        break;

    case 'd':
        is = isdigit(c);
        break;

    case 'l':
        is = islower(c);
        break;

    case 'p':
        is = ispunct(c);
        break;

    case 's':
        is = isspace(c);
        break;

    case 'u':
        is = isupper(c);
        break;

    case 'w':
        is = isalnum(c);
        break;

    case 'x':
        is = isxdigit(c);
        break;

    case 'z':
        is = (c == '\0');
        break;

    default:
        return kind == c;
    }

    if (!isalpha(kind)) {
        return kind == c;
    }

    return islower(kind) ? is != 0 : is == 0;
}


static void
ngx_hyperdrive_policy_lua_pattern_step(ngx_hyperdrive_policy_lua_match_t *m,
    ngx_uint_t n)
{
    m->steps += n;

    if (m->steps >= NGX_HYPERDRIVE_POLICY_LUA_STEPS) {
        n = m->steps / NGX_HYPERDRIVE_POLICY_LUA_WORTH;
        m->steps = 0;

        ngx_hyperdrive_policy_lua_charge(m->state, n);
    }
}


/* the captures, or all of the match [s, end) if there is none; how many */

static int
ngx_hyperdrive_policy_lua_pattern_push(ngx_hyperdrive_policy_lua_match_t *m,
    const char *s, const char *end)
{
    int  i, n;

    n = (m->n == 0 && s) ? 1 : m->n;

    luaL_checkstack(m->state, n, "too many captures");

    for (i = 0; i < n; i++) {
        ngx_hyperdrive_policy_lua_pattern_value(m, i, s, end);
    }

    return n;
}


static void
ngx_hyperdrive_policy_lua_pattern_value(ngx_hyperdrive_policy_lua_match_t *m,
    int i, const char *s, const char *end)
{
    if (i >= m->n) {

        if (i != 0) {
            luaL_error(m->state, "invalid capture index");
        }

        lua_pushlstring(m->state, s, end - s);
        return;
    }

    switch (m->captures[i].len) {

    case NGX_HYPERDRIVE_POLICY_LUA_POSITION:
        lua_pushinteger(m->state, m->captures[i].start - m->src + 1);
        break;

    case NGX_HYPERDRIVE_POLICY_LUA_OPEN:
        luaL_error(m->state, "unfinished capture");
        break;

    default:
        lua_pushlstring(m->state, m->captures[i].start, m->captures[i].len);
    }
}
