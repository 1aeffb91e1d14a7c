
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session.h"
#include "base/ngx_hyperdrive_base_cursor.h"


/*
 * MySQL: from one bucket to another.  One SET for all that differs, which
 * fails as a whole; USE, if the schema differs; and before both of them a
 * reset of the connection, an empty text, if it is not known what is set
 * there, or if something goes back to what only the log-in has said.
 */


typedef struct {
    ngx_hyperdrive_state_bucket_t     *from;
    ngx_hyperdrive_state_bucket_t     *to;
    u_char                            *pos;
    u_char                            *last;
    ngx_str_t                          charset;   /* of SET NAMES that is in
                                                     it... */
    ngx_str_t                          collation; /* ...or none */
    ngx_uint_t                         n;
    unsigned                           failed:1;
    unsigned                           sure:1;
} ngx_hyperdrive_session_align_my_t;


static ngx_uint_t ngx_hyperdrive_session_align_mysql_lost(
    ngx_hyperdrive_state_bucket_t *from, ngx_hyperdrive_state_bucket_t *to);
static void ngx_hyperdrive_session_align_mysql_reset(
    ngx_hyperdrive_session_align_my_t *list);
static void ngx_hyperdrive_session_align_mysql_names(
    ngx_hyperdrive_session_align_my_t *list);
static ngx_uint_t ngx_hyperdrive_session_align_mysql_now(
    ngx_hyperdrive_session_align_my_t *list, ngx_str_t *name,
    ngx_str_t *value);
static void ngx_hyperdrive_session_align_mysql_values(
    ngx_hyperdrive_session_align_my_t *list, ngx_uint_t variables);
static void ngx_hyperdrive_session_align_mysql_put(
    ngx_hyperdrive_session_align_my_t *list, ngx_str_t *name,
    ngx_str_t *value);
static ngx_uint_t ngx_hyperdrive_session_align_mysql_part(ngx_str_t *name);
static ngx_int_t ngx_hyperdrive_session_align_mysql_use(
    ngx_hyperdrive_session_align_my_t *list, ngx_hyperdrive_origin_t *o,
    ngx_str_t *text);


typedef enum {
    NGX_HYPERDRIVE_SESSION_ALIGN_MY_SYSTEM = 0,
    NGX_HYPERDRIVE_SESSION_ALIGN_MY_VARIABLE,   /* @name */
    NGX_HYPERDRIVE_SESSION_ALIGN_MY_USE,
    NGX_HYPERDRIVE_SESSION_ALIGN_MY_NONE        /* what would end a shared
                                                   connection */
} ngx_hyperdrive_session_align_my_part_e;


static ngx_str_t  ngx_hyperdrive_session_align_mysql_schema =
    ngx_string("use");


ngx_int_t
ngx_hyperdrive_session_align_mysql(ngx_hyperdrive_origin_t *o,
    ngx_hyperdrive_state_bucket_t *bucket, u_char *buf, size_t size,
    ngx_str_t *texts, ngx_uint_t *alone, ngx_uint_t *sure)
{
    ngx_int_t                          rc;
    ngx_uint_t                         n;
    ngx_hyperdrive_session_align_my_t  list;

    n = 0;

    list.from = o->unknown ? NULL : o->bucket;
    list.to = bucket;
    list.pos = buf;
    list.last = buf + size;
    list.n = 0;
    list.failed = 0;
    list.sure = 1;

    ngx_str_null(&list.charset);
    ngx_str_null(&list.collation);

    *alone = 0;
    *sure = 0;

    if (o->unknown
        || ngx_hyperdrive_session_align_mysql_lost(list.from, list.to))
    {
        ngx_str_set(&texts[n], "");
        n++;

        list.from = NULL;
        *alone = 1;
    }

    rc = ngx_hyperdrive_session_align_mysql_use(&list, o, &texts[n]);
    if (rc == NGX_ERROR || rc == NGX_BUSY) {
        return rc;
    }

    if (rc == NGX_OK) {

        /* it may have been dropped */

        n++;
        *alone = 1;
    }

    texts[n].data = list.pos;

    /* defaults first: a value may change two variables */

    ngx_hyperdrive_session_align_mysql_reset(&list);
    ngx_hyperdrive_session_align_mysql_names(&list);
    ngx_hyperdrive_session_align_mysql_values(&list,
                                      NGX_HYPERDRIVE_SESSION_ALIGN_MY_SYSTEM);
    ngx_hyperdrive_session_align_mysql_values(&list,
                                    NGX_HYPERDRIVE_SESSION_ALIGN_MY_VARIABLE);

    if (list.failed) {
        return NGX_ERROR;
    }

    texts[n].len = list.pos - texts[n].data;

    *sure = (n == 0 && list.sure);

    return texts[n].len ? n + 1 : n;
}


/* character sets go back to those of the handshake, which have no name */

static ngx_uint_t
ngx_hyperdrive_session_align_mysql_lost(ngx_hyperdrive_state_bucket_t *from,
    ngx_hyperdrive_state_bucket_t *to)
{
    ngx_uint_t                      i, connection[2];
    ngx_hyperdrive_state_bucket_t  *b;
    ngx_hyperdrive_state_setting_t  setting;

    static ngx_str_t  alone[] = {
        ngx_string("character_set_client"),
        ngx_string("character_set_results")
    };

    static ngx_str_t  either[] = {
        ngx_string("character_set_connection"),
        ngx_string("collation_connection")
    };

    for (i = 0; i < 2; i++) {

        if (ngx_hyperdrive_state_bucket_find(from, &alone[i], &setting)
            == NGX_OK
            && ngx_hyperdrive_state_bucket_find(to, &alone[i], &setting)
               != NGX_OK)
        {
            return 1;
        }
    }

    for (i = 0; i < 2; i++) {
        b = i ? to : from;

        connection[i] =
               ngx_hyperdrive_state_bucket_find(b, &either[0], &setting)
               == NGX_OK
               || ngx_hyperdrive_state_bucket_find(b, &either[1], &setting)
                  == NGX_OK;
    }

    return connection[0] && !connection[1];
}


static void
ngx_hyperdrive_session_align_mysql_reset(
    ngx_hyperdrive_session_align_my_t *list)
{
    u_char                          *p;
    ngx_uint_t                       part;
    ngx_hyperdrive_state_setting_t   now, want;

    /* what has never been set is no number to the database */
    static ngx_str_t  null = ngx_string("CAST(NULL AS BINARY)");
    static ngx_str_t  deflt = ngx_string("DEFAULT");

    p = NULL;

    while (ngx_hyperdrive_state_bucket_next(list->from, &p, &now) == NGX_OK) {

        part = ngx_hyperdrive_session_align_mysql_part(&now.name);

        if (part > NGX_HYPERDRIVE_SESSION_ALIGN_MY_VARIABLE
            || ngx_hyperdrive_state_bucket_find(list->to, &now.name, &want)
               == NGX_OK)
        {
            continue;
        }

        if (now.name.len > sizeof("_connection") - 1
            && ngx_memcmp(now.name.data + now.name.len
                          - (sizeof("_connection") - 1), "_connection",
                          sizeof("_connection") - 1)
               == 0)
        {
            /* the other one of the two gets a value */
            continue;
        }

        ngx_hyperdrive_session_align_mysql_put(list, &now.name,
                       part == NGX_HYPERDRIVE_SESSION_ALIGN_MY_VARIABLE
                       ? &null : &deflt);
    }
}


/* the collation of results: before what else says something of it */

static void
ngx_hyperdrive_session_align_mysql_names(
    ngx_hyperdrive_session_align_my_t *list)
{
    u_char                          *p;
    ngx_str_t                        name;
    ngx_hyperdrive_state_setting_t   want;

    ngx_str_set(&name, "character_set_results");

    if (ngx_hyperdrive_state_bucket_find(list->to, &name, &want) != NGX_OK
        || want.unsure
        || ngx_hyperdrive_session_align_mysql_now(list, &name, &want.value))
    {
        return;
    }

    p = ngx_strlcasestrn(want.value.data, want.value.data + want.value.len,
                         (u_char *) " collate ", sizeof(" collate ") - 2);
    if (p == NULL) {
        return;
    }

    ngx_str_set(&name, "NAMES");
    ngx_hyperdrive_session_align_mysql_put(list, &name, &want.value);

    list->charset.data = want.value.data;
    list->charset.len = p - want.value.data;

    p += sizeof(" collate ") - 1;

    list->collation.data = p;
    list->collation.len = want.value.data + want.value.len - p;
}


/* is it what the connection has, with what has been said so far? */

static ngx_uint_t
ngx_hyperdrive_session_align_mysql_now(ngx_hyperdrive_session_align_my_t *list,
    ngx_str_t *name, ngx_str_t *value)
{
    ngx_uint_t                      i;
    ngx_str_t                      *said;
    ngx_hyperdrive_state_setting_t  now;

    static ngx_str_t  names[] = {
        ngx_string("character_set_client"),
        ngx_string("character_set_connection"),
        ngx_string("collation_connection"),
        ngx_string("character_set_results")
    };

    for (i = 0; i < 4 && list->collation.len; i++) {

        if (!ngx_hyperdrive_base_same(name, &names[i])) {
            continue;
        }

        said = (i == 2) ? &list->collation : &list->charset;

        /* the last one has been said whole */

        return i == 3 || (i != 1 && ngx_hyperdrive_base_same(value, said));
    }

    return ngx_hyperdrive_state_bucket_find(list->from, name, &now) == NGX_OK
           && !now.unsure && ngx_hyperdrive_base_same(value, &now.value);
}


static void
ngx_hyperdrive_session_align_mysql_values(
    ngx_hyperdrive_session_align_my_t *list, ngx_uint_t part)
{
    u_char                          *p;
    ngx_hyperdrive_state_setting_t   want;

    p = NULL;

    while (ngx_hyperdrive_state_bucket_next(list->to, &p, &want) == NGX_OK) {

        if (ngx_hyperdrive_session_align_mysql_part(&want.name) != part) {
            continue;
        }

        if (want.unsure) {
            list->failed = 1;
            return;
        }

        if (!ngx_hyperdrive_session_align_mysql_now(list, &want.name,
                                                    &want.value))
        {
            ngx_hyperdrive_session_align_mysql_put(list, &want.name,
                                                   &want.value);
        }
    }
}


static void
ngx_hyperdrive_session_align_mysql_put(ngx_hyperdrive_session_align_my_t *list,
    ngx_str_t *name, ngx_str_t *value)
{
    /* a word that stands for a string is reserved for something else, too */

    static ngx_str_t  binary = ngx_string("'binary'");

    /* what is told of one that is not set is no value to be said again */

    static ngx_str_t  asof = ngx_string("system_versioning_asof");
    static ngx_str_t  unset = ngx_string("'DEFAULT'");
    static ngx_str_t  deflt = ngx_string("DEFAULT");

    if (ngx_hyperdrive_base_same(name, &asof)
        && ngx_hyperdrive_base_same(value, &unset))
    {
        value = &deflt;
    }

    if (value->len == sizeof("binary") - 1
        && ngx_strncasecmp(value->data, (u_char *) "binary", value->len) == 0)
    {
        value = &binary;
    }

    if (list->failed
        || (size_t) (list->last - list->pos)
           < sizeof("SET ,= ") + name->len + value->len)
    {
        list->failed = 1;
        return;
    }

    if (name->len != sizeof("autocommit") - 1
        || ngx_memcmp(name->data, "autocommit", name->len) != 0)
    {
        list->sure = 0;
    }

    list->pos = ngx_cpymem(list->pos, list->n ? "," : "SET ",
                           list->n ? 1 : 4);
    list->pos = ngx_cpymem(list->pos, name->data, name->len);
    *list->pos++ = (name->data[0] == 'N') ? ' ' : '=';
    list->pos = ngx_cpymem(list->pos, value->data, value->len);

    list->n++;
}


static ngx_uint_t
ngx_hyperdrive_session_align_mysql_part(ngx_str_t *name)
{
    ngx_str_t         *one;
    static ngx_str_t   none[] = {
        ngx_string("interactive_timeout"),
        ngx_string("session_track_state_change"),
        ngx_string("wait_timeout"),
        ngx_null_string
    };

    if (name->len && name->data[0] == '@') {
        return NGX_HYPERDRIVE_SESSION_ALIGN_MY_VARIABLE;
    }

    if (name->len == 3 && ngx_memcmp(name->data, "use", 3) == 0) {
        return NGX_HYPERDRIVE_SESSION_ALIGN_MY_USE;
    }

    for (one = none; one->len; one++) {

        if (ngx_hyperdrive_base_same(name, one)) {
            return NGX_HYPERDRIVE_SESSION_ALIGN_MY_NONE;
        }
    }

    return NGX_HYPERDRIVE_SESSION_ALIGN_MY_SYSTEM;
}


/*
 * NGX_DECLINED: the schema is the right one.  A reset leaves it as it is; no
 * statement leaves all schemas: NGX_BUSY.
 */

static ngx_int_t
ngx_hyperdrive_session_align_mysql_use(ngx_hyperdrive_session_align_my_t *list,
    ngx_hyperdrive_origin_t *o, ngx_str_t *text)
{
    ngx_str_t                       now, want;
    ngx_hyperdrive_state_setting_t  setting;

    now = o->pool->database;
    want = o->pool->database;

    if (o->unknown) {
        ngx_str_null(&now);

    } else if (ngx_hyperdrive_state_bucket_find(o->bucket,
                                   &ngx_hyperdrive_session_align_mysql_schema,
                                   &setting)
               == NGX_OK)
    {
        now = setting.value;

        if (setting.unsure) {
            ngx_str_null(&now);
        }
    }

    if (ngx_hyperdrive_state_bucket_find(list->to,
                                   &ngx_hyperdrive_session_align_mysql_schema,
                                   &setting)
        == NGX_OK)
    {
        if (setting.unsure) {
            return NGX_ERROR;
        }

        want = setting.value;
    }

    if (want.len == 0) {
        return (now.len || o->unknown) ? NGX_BUSY : NGX_DECLINED;
    }

    if (now.len == want.len
        && ngx_memcmp(now.data, want.data, now.len) == 0)
    {
        return NGX_DECLINED;
    }

    if ((size_t) (list->last - list->pos) < want.len + sizeof("USE ``")) {
        return NGX_ERROR;
    }

    text->data = list->pos;

    list->pos = ngx_sprintf(list->pos, "USE `%V`", &want);

    text->len = list->pos - text->data;

    return NGX_OK;
}
