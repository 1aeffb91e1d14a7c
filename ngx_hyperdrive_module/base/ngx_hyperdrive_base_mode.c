
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "base/ngx_hyperdrive_base_mode.h"


typedef struct {
    const char                  *name;
    ngx_uint_t                   bits;
} ngx_hyperdrive_base_mode_name_t;


static ngx_uint_t ngx_hyperdrive_base_mode_version(ngx_str_t *version);
static ngx_uint_t ngx_hyperdrive_base_mode_find(
    ngx_hyperdrive_base_mode_name_t *names, u_char *text, size_t len,
    ngx_uint_t missing);


/* those of which a byte below 0x80 is always the character that it seems */

static ngx_hyperdrive_base_mode_name_t  ngx_hyperdrive_base_mode_charsets[] = {
    { "armscii8", 0 },
    { "ascii", 0 },
    { "big5", NGX_HYPERDRIVE_BASE_MODE_BIG5 << 12 },
    { "binary", 0 },
    { "cp1250", 0 },
    { "cp1251", 0 },
    { "cp1256", 0 },
    { "cp1257", 0 },
    { "cp850", 0 },
    { "cp852", 0 },
    { "cp866", 0 },
    { "cp932", NGX_HYPERDRIVE_BASE_MODE_SJIS << 12 },
    { "dec8", 0 },
    { "eucjpms", 0 },
    { "euckr", 0 },
    { "gb18030", NGX_HYPERDRIVE_BASE_MODE_GB18030 << 12 },
    { "gb2312", 0 },
    { "gbk", NGX_HYPERDRIVE_BASE_MODE_GBK << 12 },
    { "geostd8", 0 },
    { "greek", 0 },
    { "hebrew", 0 },
    { "hp8", 0 },
    { "keybcs2", 0 },
    { "koi8r", 0 },
    { "koi8u", 0 },
    { "latin1", 0 },
    { "latin2", 0 },
    { "latin5", 0 },
    { "latin7", 0 },
    { "macce", 0 },
    { "macroman", 0 },
    { "sjis", NGX_HYPERDRIVE_BASE_MODE_SJIS << 12 },
    { "tis620", 0 },
    { "ujis", 0 },
    { "utf8", 0 },
    { "utf8mb3", 0 },
    { "utf8mb4", 0 },
    { NULL, 0 }
};


/* ANSI and the like come with the modes that they stand for */

static ngx_hyperdrive_base_mode_name_t  ngx_hyperdrive_base_mode_modes[] = {
    { "ansi_quotes", NGX_HYPERDRIVE_BASE_MODE_ANSI_QUOTES },
    { "ignore_space", NGX_HYPERDRIVE_BASE_MODE_IGNORE_SPACE },
    { "no_backslash_escapes", NGX_HYPERDRIVE_BASE_MODE_NO_BACKSLASH },
    { "oracle", NGX_HYPERDRIVE_BASE_MODE_UNREAD },
    { NULL, 0 }
};


ngx_uint_t
ngx_hyperdrive_base_mode_mysql(ngx_str_t *version, ngx_str_t *charset,
    ngx_str_t *sql_mode)
{
    u_char      *p, *last, *end;
    ngx_uint_t   mode;

    mode = NGX_HYPERDRIVE_BASE_MODE_MYSQL
           | ngx_hyperdrive_base_mode_version(version);

    mode |= ngx_hyperdrive_base_mode_find(ngx_hyperdrive_base_mode_charsets,
                                          charset->data, charset->len,
                                          NGX_HYPERDRIVE_BASE_MODE_UNREAD);

    if (sql_mode->len == 0) {
        return mode;
    }

    last = sql_mode->data + sql_mode->len;

    for (p = sql_mode->data; p < last; p = end + 1) {
        end = ngx_strlchr(p, last, ',');

        if (end == NULL) {
            end = last;
        }

        mode |= ngx_hyperdrive_base_mode_find(ngx_hyperdrive_base_mode_modes,
                                              p, end - p, 0);
    }

    return mode;
}


/* "8.4.3", "10.11.6-MariaDB-log", "5.5.5-10.11.6-MariaDB" */

static ngx_uint_t
ngx_hyperdrive_base_mode_version(ngx_str_t *version)
{
    u_char      *p, *last;
    ngx_uint_t   i, n, mode, part;

    if (version->len == 0) {
        return 0;
    }

    p = version->data;
    last = p + version->len;
    mode = 0;

    if (version->len > 6 && ngx_strncmp(p, "5.5.5-", 6) == 0) {
        /* for replicas that cannot read two digits */
        p += 6;
    }

    if (ngx_strlcasestrn(p, last, (u_char *) "mariadb", 6)) {
        mode = NGX_HYPERDRIVE_BASE_MODE_MARIADB;
    }

    n = 0;

    for (i = 0; i < 3; i++) {
        part = 0;

        if (p == last || *p < '0' || *p > '9') {
            return mode;
        }

        while (p < last && *p >= '0' && *p <= '9') {
            part = part * 10 + *p++ - '0';

            if (part > 99) {
                return mode;
            }
        }

        n = n * 100 + part;

        if (i < 2) {

            if (p == last || *p != '.') {
                return mode;
            }

            p++;
        }
    }

    return mode | n << 32;
}


static ngx_uint_t
ngx_hyperdrive_base_mode_find(ngx_hyperdrive_base_mode_name_t *names,
    u_char *text, size_t len, ngx_uint_t missing)
{
    for ( /* void */ ; names->name; names++) {

        if (ngx_strlen(names->name) == len
            && ngx_strncasecmp((u_char *) names->name, text, len) == 0)
        {
            return names->bits;
        }
    }

    return missing;
}
