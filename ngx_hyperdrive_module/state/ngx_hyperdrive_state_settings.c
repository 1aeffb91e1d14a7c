
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "state/ngx_hyperdrive_state_settings.h"


/*
 * Buckets do not change: a savepoint keeps the ones of its time, and all that
 * a rollback has to do is to go back to them.
 */

struct ngx_hyperdrive_state_savepoint_s {
    ngx_hyperdrive_state_savepoint_t  *next;
    ngx_hyperdrive_state_bucket_t     *now;
    ngx_hyperdrive_state_bucket_t     *local;
    size_t                             len;
    u_char                             name[];
};


static ngx_int_t ngx_hyperdrive_state_settings_set(
    ngx_hyperdrive_state_settings_t *s, ngx_str_t *name, ngx_str_t *value,
    ngx_uint_t local);
static ngx_int_t ngx_hyperdrive_state_settings_datestyle(
    ngx_hyperdrive_state_settings_t *s, ngx_str_t *name, ngx_str_t *value,
    ngx_str_t *whole);
static ngx_int_t ngx_hyperdrive_state_settings_style(ngx_str_t *value,
    ngx_str_t *style, ngx_str_t *order);
static ngx_uint_t ngx_hyperdrive_state_settings_word(ngx_str_t *word,
    char *what, ngx_uint_t prefix);
static ngx_int_t ngx_hyperdrive_state_settings_reset(
    ngx_hyperdrive_state_settings_t *s, ngx_str_t *name, ngx_uint_t local);
static ngx_int_t ngx_hyperdrive_state_settings_reset_all(
    ngx_hyperdrive_state_settings_t *s, ngx_uint_t roles);
static ngx_uint_t ngx_hyperdrive_state_settings_role(ngx_str_t *name);
static ngx_int_t ngx_hyperdrive_state_settings_savepoint(
    ngx_hyperdrive_state_settings_t *s, ngx_str_t *name);
static void ngx_hyperdrive_state_settings_release(
    ngx_hyperdrive_state_settings_t *s, ngx_str_t *name, ngx_uint_t rollback);
static void ngx_hyperdrive_state_settings_pop(
    ngx_hyperdrive_state_settings_t *s);
static void ngx_hyperdrive_state_settings_copy(
    ngx_hyperdrive_state_bucket_t **to, ngx_hyperdrive_state_bucket_t *from);


ngx_int_t
ngx_hyperdrive_state_settings_change(ngx_hyperdrive_state_settings_t *s,
    ngx_hyperdrive_state_change_e change, ngx_str_t *name, ngx_str_t *value)
{
    switch (change) {

    case NGX_HYPERDRIVE_STATE_SET:
        return ngx_hyperdrive_state_settings_set(s, name, value, 0);

    case NGX_HYPERDRIVE_STATE_SET_LOCAL:
        return ngx_hyperdrive_state_settings_set(s, name, value, 1);

    case NGX_HYPERDRIVE_STATE_RESET:
        return ngx_hyperdrive_state_settings_reset(s, name, 0);

    case NGX_HYPERDRIVE_STATE_RESET_LOCAL:
        return ngx_hyperdrive_state_settings_reset(s, name, 1);

    case NGX_HYPERDRIVE_STATE_RESET_ALL:
        return ngx_hyperdrive_state_settings_reset_all(s, 0);

    case NGX_HYPERDRIVE_STATE_DISCARD_ALL:

        if (ngx_hyperdrive_state_settings_reset_all(s, 1) != NGX_OK) {
            return NGX_ERROR;
        }

        /* whatever comes behind it, it is committed */

        ngx_hyperdrive_state_settings_end(s, 1);

        return NGX_OK;

    case NGX_HYPERDRIVE_STATE_COMMIT:
        ngx_hyperdrive_state_settings_end(s, 1);
        return NGX_OK;

    case NGX_HYPERDRIVE_STATE_ROLLBACK:
        ngx_hyperdrive_state_settings_end(s, 0);
        return NGX_OK;

    case NGX_HYPERDRIVE_STATE_SAVEPOINT:
        return ngx_hyperdrive_state_settings_savepoint(s, name);

    case NGX_HYPERDRIVE_STATE_RELEASE:
        ngx_hyperdrive_state_settings_release(s, name, 0);
        return NGX_OK;

    case NGX_HYPERDRIVE_STATE_ROLLBACK_TO:
        ngx_hyperdrive_state_settings_release(s, name, 1);
        return NGX_OK;

    default: /* BEGIN, OTHER */
        return NGX_OK;
    }
}


static ngx_int_t
ngx_hyperdrive_state_settings_set(ngx_hyperdrive_state_settings_t *s,
    ngx_str_t *name, ngx_str_t *value, ngx_uint_t local)
{
    ngx_str_t  role, whole;

    if (name->len == sizeof("datestyle") - 1
        && ngx_memcmp(name->data, "datestyle", name->len) == 0)
    {
        if (ngx_hyperdrive_state_settings_datestyle(s, name, value, &whole)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        value = &whole;
    }

    if (local) {
        return ngx_hyperdrive_state_bucket_set(&s->local, name, value);
    }

    if (name->len == sizeof("session_authorization") - 1
        && ngx_memcmp(name->data, "session_authorization", name->len) == 0)
    {
        /* ends SET ROLE, too */

        ngx_str_set(&role, "role");

        if (ngx_hyperdrive_state_bucket_reset(&s->now, &role) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (ngx_hyperdrive_state_bucket_reset(&s->local, name) != NGX_OK
        || ngx_hyperdrive_state_bucket_reset(&s->torn, name) != NGX_OK)
    {
        return NGX_ERROR;
    }

    return ngx_hyperdrive_state_bucket_set(&s->now, name, value);
}


/*
 * DateStyle is two settings: what a value does not name stays as it was.  So
 * that a connection can be given it, <whole> names both, or one if the other
 * is the database's default; NGX_ERROR: it cannot be read.
 */

static ngx_int_t
ngx_hyperdrive_state_settings_datestyle(ngx_hyperdrive_state_settings_t *s,
    ngx_str_t *name, ngx_str_t *value, ngx_str_t *whole)
{
    ngx_str_t  was, style, order;

    static u_char  buf[sizeof("Postgres, YMD")];

    ngx_str_null(&style);
    ngx_str_null(&order);

    if (ngx_hyperdrive_state_settings_style(value, &style, &order) != NGX_OK) {
        return NGX_ERROR;
    }

    if ((style.len == 0 || order.len == 0)
        && ngx_hyperdrive_state_settings_find(s, name, &was) == NGX_OK
        && ngx_hyperdrive_state_settings_style(&was, &style, &order)
           != NGX_OK)
    {
        return NGX_ERROR;
    }

    whole->data = buf;
    whole->len = ngx_sprintf(buf, "%V%s%V", &style,
                             style.len && order.len ? ", " : "", &order)
                 - buf;

    return NGX_OK;
}


/* what <value> says of what is not known yet */

static ngx_int_t
ngx_hyperdrive_state_settings_style(ngx_str_t *value, ngx_str_t *style,
    ngx_str_t *order)
{
    u_char      *p, *end;
    ngx_str_t    word, *to;
    ngx_uint_t   i, german;

    static struct {
        char        *name;
        ngx_uint_t   prefix;
        ngx_uint_t   order;
        ngx_str_t    value;
    } words[] = {
        { "iso", 0, 0, ngx_string("ISO") },
        { "sql", 0, 0, ngx_string("SQL") },
        { "postgres", 1, 0, ngx_string("Postgres") },
        { "german", 1, 0, ngx_string("German") },
        { "ymd", 0, 1, ngx_string("YMD") },
        { "dmy", 0, 1, ngx_string("DMY") },
        { "euro", 1, 1, ngx_string("DMY") },
        { "mdy", 0, 1, ngx_string("MDY") },
        { "us", 0, 1, ngx_string("MDY") },
        { "noneuro", 1, 1, ngx_string("MDY") }
    };

    german = 0;
    p = value->data;
    end = p + value->len;

    while (p < end) {

        if (*p == ',' || *p == ' ' || *p == '"') {
            p++;
            continue;
        }

        word.data = p;

        while (p < end && *p != ',' && *p != ' ' && *p != '"') {
            p++;
        }

        word.len = p - word.data;

        for (i = 0; i < sizeof(words) / sizeof(words[0]); i++) {

            if (ngx_hyperdrive_state_settings_word(&word, words[i].name,
                                                   words[i].prefix))
            {
                break;
            }
        }

        if (i == sizeof(words) / sizeof(words[0])) {
            /* DEFAULT */
            return NGX_ERROR;
        }

        to = words[i].order ? order : style;

        if (to->len == 0) {
            *to = words[i].value;
            german |= (words[i].name[0] == 'g');
        }
    }

    if (german && order->len == 0) {
        ngx_str_set(order, "DMY");
    }

    return NGX_OK;
}


static ngx_uint_t
ngx_hyperdrive_state_settings_word(ngx_str_t *word, char *what,
    ngx_uint_t prefix)
{
    size_t  len;

    len = ngx_strlen(what);

    return (word->len == len || (prefix && word->len > len))
           && ngx_strncasecmp(word->data, (u_char *) what, len) == 0;
}


/* back to the start-up parameter, or to whatever it is after the log-in */

static ngx_int_t
ngx_hyperdrive_state_settings_reset(ngx_hyperdrive_state_settings_t *s,
    ngx_str_t *name, ngx_uint_t local)
{
    ngx_int_t                        rc;
    ngx_str_t                       *value;
    ngx_hyperdrive_state_setting_t   base;

    value = NULL;

    if (ngx_hyperdrive_state_bucket_find(s->base, name, &base) == NGX_OK) {
        value = &base.value;
    }

    if (local) {
        rc = ngx_hyperdrive_state_bucket_set(&s->local, name, value);

    } else {
        rc = ngx_hyperdrive_state_bucket_reset(&s->local, name);
        rc |= ngx_hyperdrive_state_bucket_reset(&s->torn, name);
        rc |= value ? ngx_hyperdrive_state_bucket_set(&s->now, name, value)
                    : ngx_hyperdrive_state_bucket_reset(&s->now, name);
    }

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    if (ngx_hyperdrive_state_settings_role(name)
        && name->len > sizeof("role") - 1)
    {
        ngx_str_t  role = ngx_string("role");

        /* it goes back with the user */

        return ngx_hyperdrive_state_settings_reset(s, &role, local);
    }

    return NGX_OK;
}


/* <roles>: DISCARD ALL, which knows of them as well */

static ngx_int_t
ngx_hyperdrive_state_settings_reset_all(ngx_hyperdrive_state_settings_t *s,
    ngx_uint_t roles)
{
    u_char                          *p;
    ngx_int_t                        rc;
    ngx_uint_t                       i;
    ngx_hyperdrive_state_bucket_t   *now, *torn, *old[2];
    ngx_hyperdrive_state_setting_t   setting;

    rc = NGX_OK;
    torn = NULL;
    now = NULL;

    if (roles) {
        now = ngx_hyperdrive_state_bucket_ref(s->base);

    } else {
        rc = ngx_hyperdrive_state_settings_back(s,
                                            NGX_HYPERDRIVE_STATE_RESET_ALL,
                                            NULL, &now);

        old[0] = s->now;
        old[1] = s->torn;

        for (i = 0; i < 2; i++) {
            p = NULL;

            while (ngx_hyperdrive_state_bucket_next(old[i], &p, &setting)
                   == NGX_OK)
            {
                if (ngx_hyperdrive_state_settings_role(&setting.name)) {
                    rc |= ngx_hyperdrive_state_bucket_set(i ? &torn : &now,
                                          &setting.name,
                                          i ? NULL : &setting.value);
                }
            }
        }
    }

    ngx_hyperdrive_state_bucket_unref(s->now);
    s->now = now;

    ngx_hyperdrive_state_bucket_unref(s->torn);
    s->torn = torn;

    ngx_hyperdrive_state_settings_copy(&s->local, NULL);

    return rc == NGX_OK ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_hyperdrive_state_settings_back(ngx_hyperdrive_state_settings_t *s,
    ngx_hyperdrive_state_change_e change, ngx_str_t *name,
    ngx_hyperdrive_state_bucket_t **back)
{
    u_char                          *p;
    ngx_int_t                        rc;
    ngx_uint_t                       it, role;
    ngx_hyperdrive_state_setting_t   setting;

    *back = NULL;
    rc = NGX_OK;
    p = NULL;

    while (ngx_hyperdrive_state_bucket_next(s->base, &p, &setting) == NGX_OK) {

        role = ngx_hyperdrive_state_settings_role(&setting.name);

        switch (change) {

        case NGX_HYPERDRIVE_STATE_DISCARD_ALL:
            it = 1;
            break;

        case NGX_HYPERDRIVE_STATE_RESET_ALL:
            it = !role;
            break;

        case NGX_HYPERDRIVE_STATE_RESET:
        case NGX_HYPERDRIVE_STATE_RESET_LOCAL:

            /* the role goes back with the user */

            it = (name->len == setting.name.len
                  && ngx_memcmp(name->data, setting.name.data, name->len) == 0)
                 || (role && name->len > setting.name.len
                     && ngx_hyperdrive_state_settings_role(name));
            break;

        default:
            return NGX_OK;
        }

        if (it) {
            rc |= ngx_hyperdrive_state_bucket_set(back, &setting.name,
                                                  &setting.value);
        }
    }

    return rc == NGX_OK ? NGX_OK : NGX_ERROR;
}


ngx_int_t
ngx_hyperdrive_state_settings_tear(ngx_hyperdrive_state_settings_t *s,
    ngx_hyperdrive_state_bucket_t *back)
{
    u_char                          *p;
    ngx_int_t                        rc;
    ngx_hyperdrive_state_setting_t   setting;

    rc = NGX_OK;
    p = NULL;

    while (ngx_hyperdrive_state_bucket_next(back, &p, &setting) == NGX_OK) {
        rc |= ngx_hyperdrive_state_bucket_set(&s->torn, &setting.name, NULL);
    }

    return rc == NGX_OK ? NGX_OK : NGX_ERROR;
}


/* those that RESET ALL leaves alone */

static ngx_uint_t
ngx_hyperdrive_state_settings_role(ngx_str_t *name)
{
    return (name->len == sizeof("role") - 1
            && ngx_memcmp(name->data, "role", name->len) == 0)
           || (name->len == sizeof("session_authorization") - 1
               && ngx_memcmp(name->data, "session_authorization", name->len)
                  == 0);
}


static ngx_int_t
ngx_hyperdrive_state_settings_savepoint(ngx_hyperdrive_state_settings_t *s,
    ngx_str_t *name)
{
    ngx_hyperdrive_state_savepoint_t  *savepoint;

    if (s->nsavepoints == NGX_HYPERDRIVE_STATE_SAVEPOINTS) {
        return NGX_ERROR;
    }

    savepoint = malloc(sizeof(ngx_hyperdrive_state_savepoint_t) + name->len);
    if (savepoint == NULL) {
        return NGX_ERROR;
    }

    savepoint->now = ngx_hyperdrive_state_bucket_ref(s->now);
    savepoint->local = ngx_hyperdrive_state_bucket_ref(s->local);
    savepoint->len = name->len;
    ngx_memcpy(savepoint->name, name->data, name->len);

    savepoint->next = s->savepoints;
    s->savepoints = savepoint;
    s->nsavepoints++;

    return NGX_OK;
}


/*
 * One that is not known was set before anything else was: savepoints are kept
 * from the first change of the transaction on.
 */

static void
ngx_hyperdrive_state_settings_release(ngx_hyperdrive_state_settings_t *s,
    ngx_str_t *name, ngx_uint_t rollback)
{
    ngx_hyperdrive_state_savepoint_t  *savepoint;

    for (savepoint = s->savepoints; savepoint; savepoint = savepoint->next) {

        if (savepoint->len == name->len
            && ngx_memcmp(savepoint->name, name->data, name->len) == 0)
        {
            break;
        }
    }

    while (s->savepoints != savepoint) {
        ngx_hyperdrive_state_settings_pop(s);
    }

    if (!rollback) {

        if (savepoint) {
            ngx_hyperdrive_state_settings_pop(s);
        }

        return;
    }

    ngx_hyperdrive_state_settings_copy(&s->now, savepoint ? savepoint->now
                                                          : s->committed);
    ngx_hyperdrive_state_settings_copy(&s->local, savepoint ? savepoint->local
                                                            : NULL);
}


void
ngx_hyperdrive_state_settings_end(ngx_hyperdrive_state_settings_t *s,
    ngx_uint_t commit)
{
    while (s->savepoints) {
        ngx_hyperdrive_state_settings_pop(s);
    }

    if (commit) {
        ngx_hyperdrive_state_settings_copy(&s->committed, s->now);

    } else {
        ngx_hyperdrive_state_settings_copy(&s->now, s->committed);
    }

    ngx_hyperdrive_state_settings_copy(&s->local, NULL);
}


static void
ngx_hyperdrive_state_settings_pop(ngx_hyperdrive_state_settings_t *s)
{
    ngx_hyperdrive_state_savepoint_t  *savepoint;

    savepoint = s->savepoints;

    s->savepoints = savepoint->next;
    s->nsavepoints--;

    ngx_hyperdrive_state_bucket_unref(savepoint->now);
    ngx_hyperdrive_state_bucket_unref(savepoint->local);

    free(savepoint);
}


static void
ngx_hyperdrive_state_settings_copy(ngx_hyperdrive_state_bucket_t **to,
    ngx_hyperdrive_state_bucket_t *from)
{
    ngx_hyperdrive_state_bucket_t  *old;

    old = *to;
    *to = ngx_hyperdrive_state_bucket_ref(from);

    ngx_hyperdrive_state_bucket_unref(old);
}


ngx_int_t
ngx_hyperdrive_state_settings_find(ngx_hyperdrive_state_settings_t *s,
    ngx_str_t *name, ngx_str_t *value)
{
    ngx_hyperdrive_state_setting_t  setting;

    if (ngx_hyperdrive_state_bucket_find(s->local, name, &setting) == NGX_OK) {

        if (setting.unsure) {
            return NGX_DECLINED;
        }

    } else if (ngx_hyperdrive_state_bucket_find(s->now, name, &setting)
               != NGX_OK)
    {
        return NGX_DECLINED;
    }

    *value = setting.value;

    return NGX_OK;
}


void
ngx_hyperdrive_state_settings_free(ngx_hyperdrive_state_settings_t *s)
{
    while (s->savepoints) {
        ngx_hyperdrive_state_settings_pop(s);
    }

    ngx_hyperdrive_state_bucket_unref(s->base);
    ngx_hyperdrive_state_bucket_unref(s->committed);
    ngx_hyperdrive_state_bucket_unref(s->now);
    ngx_hyperdrive_state_bucket_unref(s->local);
    ngx_hyperdrive_state_bucket_unref(s->torn);

    ngx_memzero(s, sizeof(ngx_hyperdrive_state_settings_t));
}
