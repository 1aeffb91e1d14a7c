
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session.h"
#include "sql/ngx_hyperdrive_sql_set.h"


static u_char *ngx_hyperdrive_session_options_word(u_char *p, u_char *last,
    u_char *word, size_t *len);


/*
 * As the database splits it (pg_split_opts): at white space, where a backslash
 * takes the next byte as it is.  In names given by --, a dash is an underscore.
 */

ngx_int_t
ngx_hyperdrive_session_options(ngx_str_t *options,
    ngx_hyperdrive_state_bucket_t **bucket)
{
    u_char     *p, *last, *word, *eq;
    size_t      len, i;
    ngx_str_t   name, value;
    u_char      buf[1024];

    p = options->data;
    last = p + options->len;

    if (options->len > sizeof(buf)) {
        return NGX_DECLINED;
    }

    for ( ;; ) {
        p = ngx_hyperdrive_session_options_word(p, last, buf, &len);

        if (len == 0) {
            return NGX_OK;
        }

        word = buf;

        if (len >= 2 && word[0] == '-' && word[1] == '-') {
            word += 2;
            len -= 2;

        } else if (len >= 2 && word[0] == '-' && word[1] == 'c') {
            word += 2;
            len -= 2;

            if (len == 0) {
                p = ngx_hyperdrive_session_options_word(p, last, buf, &len);
                word = buf;
            }

        } else {
            return NGX_DECLINED;
        }

        eq = len ? memchr(word, '=', len) : NULL;

        if (eq == NULL || eq == word) {
            return NGX_DECLINED;
        }

        name.data = word;
        name.len = eq - word;

        for (i = 0; i < name.len; i++) {
            name.data[i] = (name.data[i] == '-') ? '_'
                           : ngx_tolower(name.data[i]);
        }

        value.data = eq + 1;
        value.len = word + len - value.data;

        if (!ngx_hyperdrive_sql_set_known(&name)
            || ngx_hyperdrive_state_bucket_set(bucket, &name, &value)
               != NGX_OK)
        {
            return NGX_DECLINED;
        }
    }
}


/* the next word, without its backslashes; <len> 0: there is none */

static u_char *
ngx_hyperdrive_session_options_word(u_char *p, u_char *last, u_char *word,
    size_t *len)
{
    size_t  n;

    n = 0;

    while (p < last && (*p == ' ' || (*p >= '\t' && *p <= '\r'))) {
        p++;
    }

    while (p < last && *p != ' ' && !(*p >= '\t' && *p <= '\r')) {

        if (*p == '\\' && ++p == last) {
            break;
        }

        word[n++] = *p++;
    }

    *len = n;

    return p;
}
