
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "policy/ngx_hyperdrive_policy_look.h"
#include "base/ngx_hyperdrive_base_cursor.h"


/* names of one statement, folded; used within one look only */
static u_char  ngx_hyperdrive_policy_look_names[16384];
static u_char  ngx_hyperdrive_policy_look_buf[NGX_HYPERDRIVE_MAX_TEXT];


static void ngx_hyperdrive_policy_look_note(ngx_hyperdrive_policy_look_t *look,
    ngx_hyperdrive_policy_value_e what, ngx_str_t *name, ngx_str_t *value);


void
ngx_hyperdrive_policy_look_start(ngx_hyperdrive_policy_look_t *look,
    ngx_hyperdrive_policy_input_t *in)
{
    look->in = in;
    ngx_hyperdrive_sql_mode(in->mode, &look->mode);
    look->facts = NULL;
    look->nseen = 0;
    look->free = look->buf;
    look->moving = 0;
    look->unkept = 0;
}


ngx_int_t
ngx_hyperdrive_policy_look(ngx_hyperdrive_policy_look_t *look,
    ngx_hyperdrive_policy_value_e what, ngx_str_t *name, ngx_str_t *value)
{
    ngx_int_t                      rc;
    ngx_uint_t                     i;
    ngx_hyperdrive_policy_seen_t  *seen;

    for (i = 0; i < look->nseen; i++) {
        seen = &look->seen[i];

        if (seen->what == what && ngx_hyperdrive_base_same(&seen->name, name))
        {
            *value = seen->value;
            return value->data ? NGX_OK : NGX_DECLINED;
        }
    }

    ngx_str_null(value);

    rc = look->in->value(look->in->data, what, name, value);

    if (rc != NGX_OK) {
        ngx_str_null(value);

    } else if (value->data == NULL) {
        value->data = (u_char *) "";
    }

    ngx_hyperdrive_policy_look_note(look, what, name, value);

    return rc;
}


static void
ngx_hyperdrive_policy_look_note(ngx_hyperdrive_policy_look_t *look,
    ngx_hyperdrive_policy_value_e what, ngx_str_t *name, ngx_str_t *value)
{
    ngx_hyperdrive_policy_seen_t  *seen;

    if (look->nseen == NGX_HYPERDRIVE_POLICY_SEEN
        || (size_t) (look->buf + sizeof(look->buf) - look->free)
           < name->len + value->len + 1)
    {
        look->unkept = 1;
        return;
    }

    seen = &look->seen[look->nseen++];

    seen->what = what;

    seen->name.data = look->free;
    seen->name.len = name->len;

    if (name->len) {
        look->free = ngx_cpymem(look->free, name->data, name->len);
    }

    ngx_str_null(&seen->value);

    if (value->data) {
        seen->value.data = look->free;
        seen->value.len = value->len;
        look->free = ngx_cpymem(look->free, value->data, value->len);
    }
}


ngx_hyperdrive_sql_facts_t *
ngx_hyperdrive_policy_look_facts(ngx_hyperdrive_policy_look_t *look)
{
    static ngx_hyperdrive_sql_facts_t  facts;

    if (look->facts) {
        return look->facts;
    }

    ngx_hyperdrive_sql_classify(&look->in->text, &look->mode,
                                ngx_hyperdrive_policy_look_names,
                                sizeof(ngx_hyperdrive_policy_look_names),
                                &facts);

    if (look->in->serial == 0) {
        /* there is a text, of which nothing is known */
        facts.kind = NGX_HYPERDRIVE_SQL_UNKNOWN;
    }

    look->facts = &facts;

    return &facts;
}


ngx_str_t *
ngx_hyperdrive_policy_look_functions(ngx_hyperdrive_policy_look_t *look,
    ngx_uint_t *n)
{
    static ngx_str_t  names[NGX_HYPERDRIVE_SQL_MAX_CALLS];

    *n = ngx_hyperdrive_sql_calls(&look->in->text, &look->mode,
                                  ngx_hyperdrive_policy_look_buf, names);

    return names;
}


ngx_hyperdrive_sql_tag_t *
ngx_hyperdrive_policy_look_tags(ngx_hyperdrive_policy_look_t *look,
    ngx_uint_t *n)
{
    static ngx_hyperdrive_sql_tag_t  tags[NGX_HYPERDRIVE_SQL_MAX_TAGS];

    *n = ngx_hyperdrive_sql_tags(&look->in->text, &look->mode,
                                 ngx_hyperdrive_policy_look_buf, tags);

    return tags;
}
