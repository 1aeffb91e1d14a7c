
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "sql/ngx_hyperdrive_sql_set_value.h"


static ngx_int_t ngx_hyperdrive_sql_set_value(
    ngx_hyperdrive_sql_set_reader_t *r, ngx_uint_t quote);
static ngx_int_t ngx_hyperdrive_sql_set_number(
    ngx_hyperdrive_sql_set_reader_t *r);
static ngx_int_t ngx_hyperdrive_sql_set_string(
    ngx_hyperdrive_sql_set_reader_t *r);
static ngx_int_t ngx_hyperdrive_sql_set_put(
    ngx_hyperdrive_sql_set_reader_t *r, u_char *data, size_t len);
static ngx_uint_t ngx_hyperdrive_sql_set_sayable(ngx_str_t *name);
static ngx_uint_t ngx_hyperdrive_sql_set_one_of(const char **names,
    ngx_str_t *name);
static size_t ngx_hyperdrive_sql_set_quoted(u_char *dst, u_char *data,
    size_t len);
static ngx_int_t ngx_hyperdrive_sql_set_list(ngx_str_t *value, u_char **dst,
    u_char *end);
static u_char *ngx_hyperdrive_sql_set_literal(u_char *p, u_char *end,
    u_char *data, size_t len);
static u_char *ngx_hyperdrive_sql_set_quoted_name(u_char *p, u_char *end,
    ngx_str_t *name);


/* lists of names, which the database quotes (GUC_LIST_QUOTE) */

static const char  *ngx_hyperdrive_sql_set_lists[] = {
    "search_path", "temp_tablespaces", "local_preload_libraries",
    "session_preload_libraries", NULL
};

/* these end with the transaction, whoever sets them */

static const char  *ngx_hyperdrive_sql_set_locals[] = {
    "transaction_isolation", "transaction_read_only",
    "transaction_deferrable", NULL
};

/*
 * The random numbers' state is not what was set, the temporary buffers cannot
 * be changed any more once they are used, and the others are fixed at log-in.
 */

static const char  *ngx_hyperdrive_sql_set_fixed[] = {
    "seed", "temp_buffers", "ignore_system_indexes", "post_auth_delay",
    "jit_debugging_support", "jit_profiling_support", "log_connections",
    "log_disconnections", "local_preload_libraries",
    "session_preload_libraries", NULL
};

/* not for everybody (PGC_SUSET); those with a star: and all that begin so */

static const char  *ngx_hyperdrive_sql_set_privilege[] = {
    "allow_in_place_tablespaces", "allow_system_table_mods", "auto_explain.*",
    "backtrace_functions", "commit_delay", "compute_query_id",
    "deadlock_timeout", "debug_*", "dynamic_library_path",
    "event_triggers", "ignore_checksum_failure", "jit_*", "lc_messages",
    "lo_compat_privileges", "log_*", "max_stack_depth", "pg_stat_statements.*",
    "pgaudit.*", "plpgsql.*", "plperl.*", "pltcl.*",
    "restrict_nonsystem_relation_kind", "session_replication_role",
    "temp_file_limit", "trace_*", "track_*", "update_process_title", "wal_*",
    "zero_damaged_pages", NULL
};


void
ngx_hyperdrive_sql_set_token(ngx_hyperdrive_sql_set_reader_t *r)
{
    /* white space and comments are in front of a token */

    r->behind = r->lexer.pos;

    ngx_hyperdrive_sql_lexer_next(&r->lexer, &r->tok);
}


ngx_uint_t
ngx_hyperdrive_sql_set_high(ngx_str_t *text)
{
    size_t  i;

    for (i = 0; i < text->len; i++) {

        if (text->data[i] > 0x7f) {
            return 1;
        }
    }

    return 0;
}


ngx_uint_t
ngx_hyperdrive_sql_set_is(ngx_hyperdrive_sql_set_reader_t *r, char *word)
{
    return r->tok.type == NGX_HYPERDRIVE_SQL_T_WORD
           && r->tok.text.len == ngx_strlen(word)
           && ngx_strncasecmp(r->tok.text.data, (u_char *) word,
                              r->tok.text.len)
              == 0;
}


ngx_uint_t
ngx_hyperdrive_sql_set_word(ngx_hyperdrive_sql_set_reader_t *r, char *word)
{
    if (!ngx_hyperdrive_sql_set_is(r, word)) {
        return 0;
    }

    ngx_hyperdrive_sql_set_token(r);

    return 1;
}


ngx_uint_t
ngx_hyperdrive_sql_set_type(ngx_hyperdrive_sql_set_reader_t *r,
    ngx_hyperdrive_sql_token_e type)
{
    if (r->tok.type != type) {
        return 0;
    }

    ngx_hyperdrive_sql_set_token(r);

    return 1;
}


ngx_uint_t
ngx_hyperdrive_sql_set_operator(ngx_hyperdrive_sql_set_reader_t *r, u_char ch)
{
    if (r->tok.type != NGX_HYPERDRIVE_SQL_T_OPERATOR || r->tok.text.len != 1
        || r->tok.text.data[0] != ch)
    {
        return 0;
    }

    ngx_hyperdrive_sql_set_token(r);

    return 1;
}


ngx_int_t
ngx_hyperdrive_sql_set_name(ngx_hyperdrive_sql_set_reader_t *r,
    ngx_str_t *name)
{
    size_t     i;
    ngx_str_t  part;

    name->data = r->pos;

    for ( ;; ) {

        if (ngx_hyperdrive_sql_set_identifier(r, &part) != NGX_OK) {
            return NGX_DECLINED;
        }

        if (r->tok.type != NGX_HYPERDRIVE_SQL_T_DOT) {
            break;
        }

        ngx_hyperdrive_sql_set_token(r);

        if (ngx_hyperdrive_sql_set_put(r, (u_char *) ".", 1) != NGX_OK) {
            return NGX_DECLINED;
        }
    }

    name->len = r->pos - name->data;

    for (i = 0; i < name->len; i++) {
        name->data[i] = ngx_tolower(name->data[i]);
    }

    return NGX_OK;
}


ngx_int_t
ngx_hyperdrive_sql_set_identifier(ngx_hyperdrive_sql_set_reader_t *r,
    ngx_str_t *name)
{
    if ((r->tok.type != NGX_HYPERDRIVE_SQL_T_WORD
         && r->tok.type != NGX_HYPERDRIVE_SQL_T_NAME)
        || (r->tok.type == NGX_HYPERDRIVE_SQL_T_NAME
            && memchr(r->tok.text.data, '\\', r->tok.text.len))
        || r->size - (r->pos - r->buf) < r->tok.text.len)
    {
        return NGX_DECLINED;
    }

    name->data = r->pos;
    name->len = ngx_hyperdrive_sql_lexer_fold(r->lexer.dialect, &r->tok,
                                              r->pos);
    r->pos += name->len;

    ngx_hyperdrive_sql_set_token(r);

    return NGX_OK;
}


ngx_int_t
ngx_hyperdrive_sql_set_values(ngx_hyperdrive_sql_set_reader_t *r,
    ngx_hyperdrive_sql_set_t *set)
{
    ngx_uint_t  quote;

    if (ngx_hyperdrive_sql_set_word(r, "default")) {
        set->change += NGX_HYPERDRIVE_SQL_SET_RESET;
        return ngx_hyperdrive_sql_set_check(r, set);
    }

    quote = ngx_hyperdrive_sql_set_one_of(ngx_hyperdrive_sql_set_lists,
                                          &set->name);

    set->value.data = r->pos;

    for ( ;; ) {

        if (ngx_hyperdrive_sql_set_value(r, quote) != NGX_OK) {
            return NGX_DECLINED;
        }

        if (r->tok.type != NGX_HYPERDRIVE_SQL_T_COMMA) {
            break;
        }

        ngx_hyperdrive_sql_set_token(r);

        if (ngx_hyperdrive_sql_set_put(r, (u_char *) ", ", 2) != NGX_OK) {
            return NGX_DECLINED;
        }
    }

    set->value.len = r->pos - set->value.data;

    return ngx_hyperdrive_sql_set_check(r, set);
}


/* one of a list, as the database writes it down (flatten_set_variable_args) */

static ngx_int_t
ngx_hyperdrive_sql_set_value(ngx_hyperdrive_sql_set_reader_t *r,
    ngx_uint_t quote)
{
    size_t      len;
    u_char     *start, *copy;
    ngx_str_t   name;

    start = r->pos;

    switch (r->tok.type) {

    case NGX_HYPERDRIVE_SQL_T_WORD:
    case NGX_HYPERDRIVE_SQL_T_NAME:
        if (ngx_hyperdrive_sql_set_identifier(r, &name) != NGX_OK) {
            return NGX_DECLINED;
        }

        break;

    case NGX_HYPERDRIVE_SQL_T_STRING:
        if (ngx_hyperdrive_sql_set_string(r) != NGX_OK) {
            return NGX_DECLINED;
        }

        break;

    default:
        return ngx_hyperdrive_sql_set_number(r);
    }

    if (!quote) {
        return NGX_OK;
    }

    /* quoted in place: behind a copy of what it is */

    len = r->pos - start;

    if (r->size - (r->pos - r->buf) < 3 * len + 2) {
        return NGX_DECLINED;
    }

    copy = r->pos + 2 * len + 2;
    ngx_memmove(copy, start, len);

    r->pos = start + ngx_hyperdrive_sql_set_quoted(start, copy, len);

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_sql_set_number(ngx_hyperdrive_sql_set_reader_t *r)
{
    u_char  *p, *q, *last;

    if (ngx_hyperdrive_sql_set_operator(r, '-')) {

        if (ngx_hyperdrive_sql_set_put(r, (u_char *) "-", 1) != NGX_OK) {
            return NGX_DECLINED;
        }

    } else {
        (void) ngx_hyperdrive_sql_set_operator(r, '+');
    }

    if (r->tok.type != NGX_HYPERDRIVE_SQL_T_NUMBER) {
        return NGX_DECLINED;
    }

    p = r->tok.text.data;
    last = p + r->tok.text.len;

    for (q = p; q < last; q++) {

        /* 0x10 and 1_000: what they become depends on the database */

        if (!((*q >= '0' && *q <= '9') || *q == '.' || *q == 'e' || *q == 'E'
              || *q == '+' || *q == '-'))
        {
            return NGX_DECLINED;
        }
    }

    while (p < last - 1 && p[0] == '0' && p[1] >= '0' && p[1] <= '9') {
        p++;
    }

    if (ngx_hyperdrive_sql_set_put(r, p, last - p) != NGX_OK) {
        return NGX_DECLINED;
    }

    ngx_hyperdrive_sql_set_token(r);

    return NGX_OK;
}


/* the value of a constant, without the rarer of its escapes */

static ngx_int_t
ngx_hyperdrive_sql_set_string(ngx_hyperdrive_sql_set_reader_t *r)
{
    u_char      *p, *last, ch;
    ngx_uint_t   inside;

    p = r->tok.text.data;
    last = p + r->tok.text.len;

    if (r->tok.string == NGX_HYPERDRIVE_SQL_S_RAW) {

        if (ngx_hyperdrive_sql_set_put(r, p, last - p) != NGX_OK) {
            return NGX_DECLINED;
        }

        ngx_hyperdrive_sql_set_token(r);

        return NGX_OK;
    }

    inside = 0;

    while (p < last) {
        ch = *p++;

        if (ch == '\'') {

            if (!inside || p == last || *p != '\'') {
                inside = !inside;
                continue;
            }

            p++;

        } else if (!inside) {

            /* a prefix, or white space between two parts */

            if (ch == '-') {
                return NGX_DECLINED;
            }

            continue;

        } else if (ch == '\\'
                   && r->tok.string != NGX_HYPERDRIVE_SQL_S_PLAIN)
        {
            if (r->tok.string != NGX_HYPERDRIVE_SQL_S_ESCAPE || p == last
                || (*p != '\\' && *p != '\''))
            {
                return NGX_DECLINED;
            }

            ch = *p++;
        }

        if (ngx_hyperdrive_sql_set_put(r, &ch, 1) != NGX_OK) {
            return NGX_DECLINED;
        }
    }

    ngx_hyperdrive_sql_set_token(r);

    return NGX_OK;
}


ngx_int_t
ngx_hyperdrive_sql_set_argument(ngx_hyperdrive_sql_set_reader_t *r,
    ngx_str_t *value)
{
    ngx_int_t  n;

    value->data = r->pos;
    value->len = 0;
    r->bytes = 0;

    if (r->tok.type == NGX_HYPERDRIVE_SQL_T_STRING) {

        if (ngx_hyperdrive_sql_set_string(r) != NGX_OK) {
            return NGX_DECLINED;
        }

        value->len = r->pos - value->data;

    } else if (r->tok.type == NGX_HYPERDRIVE_SQL_T_PARAM) {

        n = ngx_atoi(r->tok.text.data + 1, r->tok.text.len - 1);

        if (n < 1 || n > NGX_HYPERDRIVE_SQL_SET_ARGS) {
            return NGX_DECLINED;
        }

        if (r->args) {

            if ((ngx_uint_t) n > r->nargs) {
                return NGX_DECLINED;
            }

            *value = r->args[n - 1];
            r->bytes = (r->binary >> (n - 1)) & 1;

            if (value->data) {
                value->data = r->pos;

                if (ngx_hyperdrive_sql_set_put(r, r->args[n - 1].data,
                                               r->args[n - 1].len)
                    != NGX_OK)
                {
                    return NGX_DECLINED;
                }
            }
        }

        ngx_hyperdrive_sql_set_token(r);

    } else if (ngx_hyperdrive_sql_set_word(r, "null")) {
        value->data = NULL;

    } else if (ngx_hyperdrive_sql_set_is(r, "true")
               || ngx_hyperdrive_sql_set_is(r, "false"))
    {
        if (ngx_hyperdrive_sql_set_identifier(r, value) != NGX_OK) {
            return NGX_DECLINED;
        }

    } else {
        return NGX_DECLINED;
    }

    while (ngx_hyperdrive_sql_set_type(r, NGX_HYPERDRIVE_SQL_T_CAST)) {

        if (!ngx_hyperdrive_sql_set_word(r, "text")
            && !ngx_hyperdrive_sql_set_word(r, "boolean")
            && !ngx_hyperdrive_sql_set_word(r, "bool"))
        {
            return NGX_DECLINED;
        }
    }

    return NGX_OK;
}


/* boolin: t, true, y, yes, on, 1, and what begins like them */

ngx_uint_t
ngx_hyperdrive_sql_set_bool(ngx_str_t *value)
{
    ngx_uint_t  i;

    static ngx_str_t  yes[] = {
        ngx_string("t"), ngx_string("true"), ngx_string("y"),
        ngx_string("yes"), ngx_string("on"), ngx_string("1")
    };

    static ngx_str_t  no[] = {
        ngx_string("f"), ngx_string("false"), ngx_string("n"),
        ngx_string("no"), ngx_string("off"), ngx_string("0")
    };

    for (i = 0; i < sizeof(yes) / sizeof(yes[0]); i++) {

        if (value->len == yes[i].len
            && ngx_strncasecmp(value->data, yes[i].data, value->len) == 0)
        {
            return 1;
        }

        if (value->len == no[i].len
            && ngx_strncasecmp(value->data, no[i].data, value->len) == 0)
        {
            return 0;
        }
    }

    return 2;
}


ngx_int_t
ngx_hyperdrive_sql_set_check(ngx_hyperdrive_sql_set_reader_t *r,
    ngx_hyperdrive_sql_set_t *set)
{
    if (ngx_hyperdrive_sql_set_one_of(ngx_hyperdrive_sql_set_locals,
                                      &set->name)
        && (set->change == NGX_HYPERDRIVE_SQL_SET_VALUE
            || set->change == NGX_HYPERDRIVE_SQL_SET_RESET))
    {
        set->change++;
    }

    if (r->args == NULL && set->name.len == 0) {
        /* a parameter that is not known */
        return NGX_OK;
    }

    if (r->unsafe && (ngx_hyperdrive_sql_set_high(&set->name)
                      || ngx_hyperdrive_sql_set_high(&set->value)))
    {
        return NGX_DECLINED;
    }

    return (ngx_hyperdrive_sql_set_sayable(&set->name)
            && ngx_hyperdrive_sql_set_known(&set->name))
           ? NGX_OK : NGX_DECLINED;
}


/* a function takes names that SET cannot write, or would cut */

static ngx_uint_t
ngx_hyperdrive_sql_set_sayable(ngx_str_t *name)
{
    size_t  i, len;

    len = 0;

    for (i = 0; i < name->len; i++) {

        if (name->data[i] == '.') {

            if (len == 0) {
                return 0;
            }

            len = 0;
            continue;
        }

        if (name->data[i] == '\\' || name->data[i] == '\0'
            || ++len > ngx_hyperdrive_sql_pg.max_name)
        {
            return 0;
        }
    }

    return len != 0;
}


ngx_uint_t
ngx_hyperdrive_sql_set_known(ngx_str_t *name)
{
    return !ngx_hyperdrive_sql_set_one_of(ngx_hyperdrive_sql_set_fixed, name);
}


ngx_uint_t
ngx_hyperdrive_sql_set_privileged(ngx_str_t *name)
{
    size_t       len;
    const char **p;

    for (p = ngx_hyperdrive_sql_set_privilege; *p; p++) {
        len = ngx_strlen(*p);

        if ((*p)[len - 1] == '*' ? name->len >= --len : name->len == len) {

            if (ngx_memcmp(*p, name->data, len) == 0) {
                return 1;
            }
        }
    }

    return 0;
}


static ngx_int_t
ngx_hyperdrive_sql_set_put(ngx_hyperdrive_sql_set_reader_t *r, u_char *data,
    size_t len)
{
    if (r->size - (r->pos - r->buf) < len) {
        return NGX_DECLINED;
    }

    r->pos = ngx_cpymem(r->pos, data, len);

    return NGX_OK;
}


static ngx_uint_t
ngx_hyperdrive_sql_set_one_of(const char **names, ngx_str_t *name)
{
    for ( /* void */ ; *names; names++) {

        if (ngx_strlen(*names) == name->len
            && ngx_memcmp(*names, name->data, name->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


/* as quote_identifier(); <dst> has room for 2 * len + 2 bytes */

static size_t
ngx_hyperdrive_sql_set_quoted(u_char *dst, u_char *data, size_t len)
{
    size_t                       i;
    u_char                      *p, ch;
    ngx_uint_t                   safe;
    ngx_hyperdrive_sql_lexer_t   lexer;
    ngx_hyperdrive_sql_token_t   tok;

    safe = (len != 0);

    for (i = 0; i < len; i++) {
        ch = data[i];

        if (!((ch >= 'a' && ch <= 'z') || ch == '_'
              || (i && ch >= '0' && ch <= '9')))
        {
            safe = 0;
        }
    }

    if (safe) {
        ngx_memzero(&lexer, sizeof(ngx_hyperdrive_sql_lexer_t));

        lexer.pos = data;
        lexer.last = data + len;
        lexer.dialect = &ngx_hyperdrive_sql_pg;

        ngx_hyperdrive_sql_lexer_next(&lexer, &tok);

        safe = (tok.type == NGX_HYPERDRIVE_SQL_T_WORD && tok.text.len == len
                && (tok.category == NGX_HYPERDRIVE_SQL_NOT_KEYWORD
                    || tok.category == NGX_HYPERDRIVE_SQL_UNRESERVED));
    }

    if (safe) {
        ngx_memmove(dst, data, len);
        return len;
    }

    p = dst;
    *p++ = '"';

    for (i = 0; i < len; i++) {
        ch = data[i];

        if (ch == '"') {
            *p++ = '"';
        }

        *p++ = ch;
    }

    *p++ = '"';

    return p - dst;
}


size_t
ngx_hyperdrive_sql_set_text(ngx_str_t *name, ngx_str_t *value,
    ngx_uint_t local, u_char *dst, size_t size, ngx_uint_t *snapshot)
{
    u_char     *p, *end, *start;
    ngx_int_t   rc;

    end = dst + size;

    if (size < 64 || name->len == 0) {
        return 0;
    }

    if (value == NULL) {
        p = ngx_cpymem(dst, "RESET ", 6);
        p = ngx_hyperdrive_sql_set_quoted_name(p, end, name);

        return p ? p - dst : 0;
    }

    p = ngx_cpymem(dst, "SET ", 4);

    if (local) {
        p = ngx_cpymem(p, "LOCAL ", 6);
    }

    p = ngx_hyperdrive_sql_set_quoted_name(p, end, name);

    if (p == NULL || end - p < 4) {
        return 0;
    }

    p = ngx_cpymem(p, " TO ", 4);

    if (!ngx_hyperdrive_sql_set_one_of(ngx_hyperdrive_sql_set_lists, name)) {
        p = ngx_hyperdrive_sql_set_literal(p, end, value->data, value->len);

        return p ? p - dst : 0;
    }

    start = p;
    rc = ngx_hyperdrive_sql_set_list(value, &p, end);

    if (rc == NGX_OK) {
        return p - dst;
    }

    if (rc == NGX_ERROR || end - start < 64) {
        return 0;
    }

    /* not as the database would write it: a function takes it as it is */

    *snapshot = 1;

    p = ngx_cpymem(dst, "SELECT pg_catalog.set_config(",
                   sizeof("SELECT pg_catalog.set_config(") - 1);
    p = ngx_hyperdrive_sql_set_literal(p, end, name->data, name->len);

    if (p == NULL || end - p < 2) {
        return 0;
    }

    p = ngx_cpymem(p, ", ", 2);
    p = ngx_hyperdrive_sql_set_literal(p, end, value->data, value->len);

    if (p == NULL || end - p < 8) {
        return 0;
    }

    p = ngx_cpymem(p, local ? ", true)" : ", false)", local ? 7 : 8);

    return p - dst;
}


/*
 * a, "b c" as 'a', 'b c'; NGX_DECLINED: the database would write the list in
 * another way; NGX_ERROR: no room.
 */

static ngx_int_t
ngx_hyperdrive_sql_set_list(ngx_str_t *value, u_char **dst, u_char *end)
{
    u_char  *p, *last, *start, *q, ch;
    size_t   n;
    u_char   item[256], quoted[2 * 256 + 2];

    p = value->data;
    last = p + value->len;

    if (p == last) {
        return NGX_DECLINED;
    }

    for ( ;; ) {

        start = p;
        n = 0;

        if (*p == '"') {

            for (p++; /* void */ ; p++) {

                if (p >= last || n == sizeof(item)) {
                    return NGX_DECLINED;
                }

                ch = *p;

                if (ch == '"') {

                    if (p + 1 == last || p[1] != '"') {
                        p++;
                        break;
                    }

                    p++;
                }

                item[n++] = ch;
            }

        } else {

            while (p < last && *p != ',') {

                if (n == sizeof(item)) {
                    return NGX_DECLINED;
                }

                item[n++] = *p++;
            }
        }

        if (ngx_hyperdrive_sql_set_quoted(quoted, item, n)
            != (size_t) (p - start)
            || ngx_memcmp(quoted, start, p - start) != 0)
        {
            return NGX_DECLINED;
        }

        q = ngx_hyperdrive_sql_set_literal(*dst, end, item, n);

        if (q == NULL || end - q < 2) {
            return NGX_ERROR;
        }

        *dst = q;

        if (p == last) {
            return NGX_OK;
        }

        if (last - p < 3 || p[0] != ',' || p[1] != ' ') {
            return NGX_DECLINED;
        }

        p += 2;

        *dst = ngx_cpymem(q, ", ", 2);
    }
}


/* NULL: no room */

static u_char *
ngx_hyperdrive_sql_set_literal(u_char *p, u_char *end, u_char *data,
    size_t len)
{
    size_t      i;
    ngx_uint_t  escape;

    if ((size_t) (end - p) < 2 * len + 3) {
        return NULL;
    }

    escape = (len && memchr(data, '\\', len) != NULL);

    if (escape) {
        *p++ = 'E';
    }

    *p++ = '\'';

    for (i = 0; i < len; i++) {

        if (data[i] == '\'' || (escape && data[i] == '\\')) {
            *p++ = data[i];
        }

        *p++ = data[i];
    }

    *p++ = '\'';

    return p;
}


/* the dots separate its parts */

static u_char *
ngx_hyperdrive_sql_set_quoted_name(u_char *p, u_char *end, ngx_str_t *name)
{
    size_t  i;
    u_char  ch;

    if ((size_t) (end - p) < 3 * name->len + 2) {
        return NULL;
    }

    *p++ = '"';

    for (i = 0; i < name->len; i++) {
        ch = name->data[i];

        if (ch == '.') {
            p = ngx_cpymem(p, "\".\"", 3);
            continue;
        }

        if (ch == '"') {
            *p++ = '"';
        }

        *p++ = ch;
    }

    *p++ = '"';

    return p;
}
