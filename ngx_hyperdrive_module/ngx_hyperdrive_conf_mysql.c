
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "ngx_hyperdrive_conf.h"


/*
 * The parameters of mysql:// and mariadb:// URLs.  Each driver has names of
 * its own for the same few things: case, dashes and underscores do not count.
 */


#define NGX_HYPERDRIVE_CONF_MYSQL_NAME   32

/* a file with a public key is not larger, bytes */
#define NGX_HYPERDRIVE_CONF_MYSQL_KEY    4096


typedef enum {
    NGX_HYPERDRIVE_CONF_MYSQL_SSLMODE = 0,
    NGX_HYPERDRIVE_CONF_MYSQL_SSL,
    NGX_HYPERDRIVE_CONF_MYSQL_CA,
    NGX_HYPERDRIVE_CONF_MYSQL_CERT,
    NGX_HYPERDRIVE_CONF_MYSQL_KEY_FILE,
    NGX_HYPERDRIVE_CONF_MYSQL_TIMEOUT,
    NGX_HYPERDRIVE_CONF_MYSQL_CHARSET,
    NGX_HYPERDRIVE_CONF_MYSQL_COLLATION,
    NGX_HYPERDRIVE_CONF_MYSQL_PROGRAM,
    NGX_HYPERDRIVE_CONF_MYSQL_ASK_KEY,
    NGX_HYPERDRIVE_CONF_MYSQL_COMPRESS,
    NGX_HYPERDRIVE_CONF_MYSQL_ALGORITHMS,
    NGX_HYPERDRIVE_CONF_MYSQL_FILES,
    NGX_HYPERDRIVE_CONF_MYSQL_PUBLIC_KEY,
    NGX_HYPERDRIVE_CONF_MYSQL_ATTRS
} ngx_hyperdrive_conf_mysql_arg_e;


typedef struct {
    ngx_str_t   charset;
    ngx_str_t   collation;
    ngx_str_t   root;
    ngx_str_t   cert;
    ngx_str_t   key;
} ngx_hyperdrive_conf_mysql_t;


static char *ngx_hyperdrive_conf_mysql_arg(ngx_conf_t *cf,
    ngx_hyperdrive_base_url_arg_t *arg, ngx_hyperdrive_origin_server_t *server,
    ngx_hyperdrive_conf_mysql_t *ctx);
static void ngx_hyperdrive_conf_mysql_plain(ngx_str_t *text, u_char *buf);
static char *ngx_hyperdrive_conf_mysql_flag(ngx_conf_t *cf,
    ngx_hyperdrive_base_url_arg_t *arg, ngx_uint_t *flag);
static char *ngx_hyperdrive_conf_mysql_algorithms(ngx_conf_t *cf,
    ngx_hyperdrive_base_url_arg_t *arg,
    ngx_hyperdrive_origin_server_t *server);
static ngx_int_t ngx_hyperdrive_conf_mysql_find(ngx_conf_enum_t *table,
    ngx_str_t *text, ngx_uint_t *value);
static char *ngx_hyperdrive_conf_mysql_timeout(ngx_conf_t *cf,
    ngx_hyperdrive_base_url_arg_t *arg,
    ngx_hyperdrive_origin_server_t *server);
static char *ngx_hyperdrive_conf_mysql_file(ngx_conf_t *cf, ngx_str_t *name,
    ngx_str_t *text);
static char *ngx_hyperdrive_conf_mysql_collation(ngx_conf_t *cf,
    ngx_hyperdrive_conf_mysql_t *ctx, ngx_hyperdrive_origin_server_t *server);


static ngx_conf_enum_t  ngx_hyperdrive_conf_mysql_names[] = {
    { ngx_string("sslmode"), NGX_HYPERDRIVE_CONF_MYSQL_SSLMODE },
    { ngx_string("ssl"), NGX_HYPERDRIVE_CONF_MYSQL_SSL },
    { ngx_string("usessl"), NGX_HYPERDRIVE_CONF_MYSQL_SSL },
    { ngx_string("tls"), NGX_HYPERDRIVE_CONF_MYSQL_SSL },
    { ngx_string("sslca"), NGX_HYPERDRIVE_CONF_MYSQL_CA },
    { ngx_string("sslrootcert"), NGX_HYPERDRIVE_CONF_MYSQL_CA },
    { ngx_string("serversslcert"), NGX_HYPERDRIVE_CONF_MYSQL_CA },
    { ngx_string("sslcert"), NGX_HYPERDRIVE_CONF_MYSQL_CERT },
    { ngx_string("sslkey"), NGX_HYPERDRIVE_CONF_MYSQL_KEY_FILE },
    { ngx_string("connecttimeout"), NGX_HYPERDRIVE_CONF_MYSQL_TIMEOUT },
    { ngx_string("connectiontimeout"), NGX_HYPERDRIVE_CONF_MYSQL_TIMEOUT },
    { ngx_string("charset"), NGX_HYPERDRIVE_CONF_MYSQL_CHARSET },
    { ngx_string("characterencoding"), NGX_HYPERDRIVE_CONF_MYSQL_CHARSET },
    { ngx_string("collation"), NGX_HYPERDRIVE_CONF_MYSQL_COLLATION },
    { ngx_string("connectioncollation"), NGX_HYPERDRIVE_CONF_MYSQL_COLLATION },
    { ngx_string("programname"), NGX_HYPERDRIVE_CONF_MYSQL_PROGRAM },
    { ngx_string("applicationname"), NGX_HYPERDRIVE_CONF_MYSQL_PROGRAM },
    { ngx_string("allowpublickeyretrieval"),
      NGX_HYPERDRIVE_CONF_MYSQL_ASK_KEY },
    { ngx_string("getserverpublickey"), NGX_HYPERDRIVE_CONF_MYSQL_ASK_KEY },
    { ngx_string("compress"), NGX_HYPERDRIVE_CONF_MYSQL_COMPRESS },
    { ngx_string("usecompression"), NGX_HYPERDRIVE_CONF_MYSQL_COMPRESS },
    { ngx_string("compression"), NGX_HYPERDRIVE_CONF_MYSQL_COMPRESS },
    { ngx_string("compressionalgorithms"),
      NGX_HYPERDRIVE_CONF_MYSQL_ALGORITHMS },
    { ngx_string("localinfile"), NGX_HYPERDRIVE_CONF_MYSQL_FILES },
    { ngx_string("allowlocalinfile"), NGX_HYPERDRIVE_CONF_MYSQL_FILES },
    { ngx_string("allowloadlocalinfile"), NGX_HYPERDRIVE_CONF_MYSQL_FILES },
    { ngx_string("serverpublickeypath"),
      NGX_HYPERDRIVE_CONF_MYSQL_PUBLIC_KEY },
    { ngx_string("serverrsapublickeyfile"),
      NGX_HYPERDRIVE_CONF_MYSQL_PUBLIC_KEY },
    { ngx_string("targetsessionattrs"), NGX_HYPERDRIVE_CONF_MYSQL_ATTRS },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_hyperdrive_conf_mysql_sslmodes[] = {
    { ngx_string("disabled"), NGX_HYPERDRIVE_SSLMODE_DISABLE },
    { ngx_string("preferred"), NGX_HYPERDRIVE_SSLMODE_PREFER },
    { ngx_string("required"), NGX_HYPERDRIVE_SSLMODE_REQUIRE },
    { ngx_string("verifyca"), NGX_HYPERDRIVE_SSLMODE_VERIFY_CA },
    { ngx_string("verifyidentity"), NGX_HYPERDRIVE_SSLMODE_VERIFY_FULL },

    /* other words for them */
    { ngx_string("disable"), NGX_HYPERDRIVE_SSLMODE_DISABLE },
    { ngx_string("prefer"), NGX_HYPERDRIVE_SSLMODE_PREFER },
    { ngx_string("require"), NGX_HYPERDRIVE_SSLMODE_REQUIRE },
    { ngx_string("trust"), NGX_HYPERDRIVE_SSLMODE_REQUIRE },
    { ngx_string("verifyfull"), NGX_HYPERDRIVE_SSLMODE_VERIFY_FULL },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_hyperdrive_conf_mysql_compressions[] = {
    { ngx_string("zlib"), 'z' },
    { ngx_string("zstd"), 's' },
    { ngx_string("uncompressed"), 'u' },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_hyperdrive_conf_mysql_ssl[] = {
    { ngx_string("true"), NGX_HYPERDRIVE_SSLMODE_REQUIRE },
    { ngx_string("false"), NGX_HYPERDRIVE_SSLMODE_DISABLE },
    { ngx_string("1"), NGX_HYPERDRIVE_SSLMODE_REQUIRE },
    { ngx_string("0"), NGX_HYPERDRIVE_SSLMODE_DISABLE },
    { ngx_string("skipverify"), NGX_HYPERDRIVE_SSLMODE_REQUIRE },
    { ngx_string("preferred"), NGX_HYPERDRIVE_SSLMODE_PREFER },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_hyperdrive_conf_mysql_flags[] = {
    { ngx_string("true"), 1 },
    { ngx_string("false"), 0 },
    { ngx_string("1"), 1 },
    { ngx_string("0"), 0 },
    { ngx_null_string, 0 }
};


/* with their default collations, as both databases number them */

static ngx_conf_enum_t  ngx_hyperdrive_conf_mysql_charsets[] = {
    { ngx_string("utf8mb4"), 45 },
    { ngx_string("utf8mb3"), 33 },
    { ngx_string("utf8"), 33 },
    { ngx_string("latin1"), 8 },
    { ngx_string("ascii"), 11 },
    { ngx_string("binary"), 63 },
    { ngx_string("latin2"), 9 },
    { ngx_string("latin5"), 30 },
    { ngx_string("latin7"), 41 },
    { ngx_string("cp1250"), 26 },
    { ngx_string("cp1251"), 51 },
    { ngx_string("cp1256"), 57 },
    { ngx_string("cp1257"), 59 },
    { ngx_string("cp850"), 4 },
    { ngx_string("cp852"), 40 },
    { ngx_string("cp866"), 36 },
    { ngx_string("koi8r"), 7 },
    { ngx_string("koi8u"), 22 },
    { ngx_string("greek"), 25 },
    { ngx_string("hebrew"), 16 },
    { ngx_string("big5"), 1 },
    { ngx_string("gb2312"), 24 },
    { ngx_string("gbk"), 28 },
    { ngx_string("sjis"), 13 },
    { ngx_string("cp932"), 95 },
    { ngx_string("ujis"), 12 },
    { ngx_string("eucjpms"), 97 },
    { ngx_string("euckr"), 19 },
    { ngx_string("tis620"), 18 },
    { ngx_null_string, 0 }
};


static ngx_conf_enum_t  ngx_hyperdrive_conf_mysql_collations[] = {
    { ngx_string("utf8mb4_general_ci"), 45 },
    { ngx_string("utf8mb4_bin"), 46 },
    { ngx_string("utf8mb4_unicode_ci"), 224 },
    { ngx_string("utf8mb4_unicode_520_ci"), 246 },
    { ngx_string("utf8mb4_0900_ai_ci"), 255 },
    { ngx_string("utf8mb3_general_ci"), 33 },
    { ngx_string("utf8mb3_bin"), 83 },
    { ngx_string("utf8mb3_unicode_ci"), 192 },
    { ngx_string("utf8_general_ci"), 33 },
    { ngx_string("utf8_bin"), 83 },
    { ngx_string("utf8_unicode_ci"), 192 },
    { ngx_string("latin1_swedish_ci"), 8 },
    { ngx_string("latin1_bin"), 47 },
    { ngx_string("latin1_general_ci"), 48 },
    { ngx_string("latin1_general_cs"), 49 },
    { ngx_string("ascii_general_ci"), 11 },
    { ngx_string("binary"), 63 },
    { ngx_null_string, 0 }
};


char *
ngx_hyperdrive_conf_mysql_args(ngx_conf_t *cf, ngx_hyperdrive_base_url_t *url,
    ngx_hyperdrive_origin_server_t *server)
{
    char                         *rv;
    ngx_uint_t                    i;
    ngx_hyperdrive_conf_mysql_t   ctx;

    ngx_memzero(&ctx, sizeof(ngx_hyperdrive_conf_mysql_t));

    for (i = 0; i < url->nargs; i++) {
        rv = ngx_hyperdrive_conf_mysql_arg(cf, &url->args[i], server, &ctx);

        if (rv != NGX_CONF_OK) {
            return rv;
        }
    }

    rv = ngx_hyperdrive_conf_mysql_collation(cf, &ctx, server);

    if (rv != NGX_CONF_OK) {
        return rv;
    }

    return ngx_hyperdrive_conf_origin_tls(cf, server, &ctx.root, &ctx.cert,
                                          &ctx.key);
}


static char *
ngx_hyperdrive_conf_mysql_arg(ngx_conf_t *cf,
    ngx_hyperdrive_base_url_arg_t *arg, ngx_hyperdrive_origin_server_t *server,
    ngx_hyperdrive_conf_mysql_t *ctx)
{
    char        *rv;
    ngx_uint_t   name, flag, mode;

    if (ngx_hyperdrive_conf_mysql_find(ngx_hyperdrive_conf_mysql_names,
                                       &arg->name, &name)
        != NGX_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown parameter \"%V\" in the URL of "
                           "\"hyperdrive_origin\": known are ssl-mode, ssl, "
                           "ssl-ca, ssl-cert, ssl-key, connectTimeout, "
                           "connect_timeout, charset, collation, "
                           "program_name, allowPublicKeyRetrieval, "
                           "server-public-key-path, compress, "
                           "compression-algorithms, local_infile and "
                           "target_session_attrs", &arg->name);
        return NGX_CONF_ERROR;
    }

    switch (name) {

    case NGX_HYPERDRIVE_CONF_MYSQL_SSLMODE:

        if (ngx_hyperdrive_conf_mysql_find(ngx_hyperdrive_conf_mysql_sslmodes,
                                           &arg->value, &mode)
            != NGX_OK)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid %V \"%V\" in the URL of "
                               "\"hyperdrive_origin\": write DISABLED, "
                               "PREFERRED, REQUIRED, VERIFY_CA or "
                               "VERIFY_IDENTITY", &arg->name, &arg->value);
            return NGX_CONF_ERROR;
        }

        server->sslmode = mode;
        break;

    case NGX_HYPERDRIVE_CONF_MYSQL_SSL:

        if (ngx_hyperdrive_conf_mysql_find(ngx_hyperdrive_conf_mysql_ssl,
                                           &arg->value, &mode)
            != NGX_OK)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid %V \"%V\" in the URL of "
                               "\"hyperdrive_origin\": write true or false",
                               &arg->name, &arg->value);
            return NGX_CONF_ERROR;
        }

        server->sslmode = mode;
        break;

    case NGX_HYPERDRIVE_CONF_MYSQL_CA:
        ctx->root = arg->value;
        break;

    case NGX_HYPERDRIVE_CONF_MYSQL_CERT:
        ctx->cert = arg->value;
        break;

    case NGX_HYPERDRIVE_CONF_MYSQL_KEY_FILE:
        ctx->key = arg->value;
        break;

    case NGX_HYPERDRIVE_CONF_MYSQL_TIMEOUT:
        return ngx_hyperdrive_conf_mysql_timeout(cf, arg, server);

    case NGX_HYPERDRIVE_CONF_MYSQL_CHARSET:
        ctx->charset = arg->value;
        break;

    case NGX_HYPERDRIVE_CONF_MYSQL_COLLATION:
        ctx->collation = arg->value;
        break;

    case NGX_HYPERDRIVE_CONF_MYSQL_PROGRAM:
        server->application_name = arg->value;
        break;

    case NGX_HYPERDRIVE_CONF_MYSQL_ASK_KEY:
        rv = ngx_hyperdrive_conf_mysql_flag(cf, arg, &flag);
        server->ask_key = flag;
        return rv;

    case NGX_HYPERDRIVE_CONF_MYSQL_COMPRESS:
        rv = ngx_hyperdrive_conf_mysql_flag(cf, arg, &flag);
        ngx_str_set(&server->compress, "zu");
        server->compress.len = flag ? 2 : 0;
        return rv;

    case NGX_HYPERDRIVE_CONF_MYSQL_ALGORITHMS:
        return ngx_hyperdrive_conf_mysql_algorithms(cf, arg, server);

    case NGX_HYPERDRIVE_CONF_MYSQL_FILES:
        rv = ngx_hyperdrive_conf_mysql_flag(cf, arg, &flag);
        server->local_files = flag;
        return rv;

    case NGX_HYPERDRIVE_CONF_MYSQL_ATTRS:
        return ngx_hyperdrive_conf_replica_attrs(cf, server, &arg->value);

    default: /* NGX_HYPERDRIVE_CONF_MYSQL_PUBLIC_KEY */
        return ngx_hyperdrive_conf_mysql_file(cf, &arg->value,
                                              &server->public_key);
    }

    return NGX_CONF_OK;
}


static char *
ngx_hyperdrive_conf_mysql_flag(ngx_conf_t *cf,
    ngx_hyperdrive_base_url_arg_t *arg, ngx_uint_t *flag)
{
    *flag = 0;

    if (ngx_hyperdrive_conf_mysql_find(ngx_hyperdrive_conf_mysql_flags,
                                       &arg->value, flag)
        != NGX_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid %V \"%V\" in the URL of "
                           "\"hyperdrive_origin\": write true or false",
                           &arg->name, &arg->value);
        return NGX_CONF_ERROR;
    }

    return NGX_CONF_OK;
}


/* a list, the best one first */

static char *
ngx_hyperdrive_conf_mysql_algorithms(ngx_conf_t *cf,
    ngx_hyperdrive_base_url_arg_t *arg, ngx_hyperdrive_origin_server_t *server)
{
    u_char      *p, *last, *end, *letters;
    ngx_str_t    word;
    ngx_uint_t   letter;

    letters = ngx_pnalloc(cf->pool, arg->value.len + 1);
    if (letters == NULL) {
        return NGX_CONF_ERROR;
    }

    server->compress.data = letters;

    p = arg->value.data;
    last = p + arg->value.len;

    for ( ;; ) {
        end = ngx_strlchr(p, last, ',');

        word.data = p;
        word.len = (end ? end : last) - p;

        if (ngx_hyperdrive_conf_mysql_find(
                                       ngx_hyperdrive_conf_mysql_compressions,
                                       &word, &letter)
            != NGX_OK)
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid %V \"%V\" in the URL of "
                               "\"hyperdrive_origin\": write some of zlib, "
                               "zstd and uncompressed, with commas, the best "
                               "one first", &arg->name, &word);
            return NGX_CONF_ERROR;
        }

#if !(NGX_HYPERDRIVE_ZSTD)

        if (letter == 's') {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "%V in the URL of \"hyperdrive_origin\" has "
                               "zstd, which the module was built without",
                               &arg->name);
            return NGX_CONF_ERROR;
        }

#endif

        *letters++ = (u_char) letter;

        if (end == NULL) {
            break;
        }

        p = end + 1;
    }

    server->compress.len = letters - server->compress.data;

    return NGX_CONF_OK;
}


/* in lower case, without dashes and underscores; empty: too long */

static void
ngx_hyperdrive_conf_mysql_plain(ngx_str_t *text, u_char *buf)
{
    size_t   i;
    u_char  *p;

    p = buf;

    for (i = 0; i < text->len && p < buf + NGX_HYPERDRIVE_CONF_MYSQL_NAME - 1;
         i++)
    {
        if (text->data[i] != '-' && text->data[i] != '_') {
            *p++ = ngx_tolower(text->data[i]);
        }
    }

    *((i < text->len) ? buf : p) = '\0';
}


static ngx_int_t
ngx_hyperdrive_conf_mysql_find(ngx_conf_enum_t *table, ngx_str_t *text,
    ngx_uint_t *value)
{
    u_char  name[NGX_HYPERDRIVE_CONF_MYSQL_NAME];
    u_char  known[NGX_HYPERDRIVE_CONF_MYSQL_NAME];

    ngx_hyperdrive_conf_mysql_plain(text, name);

    for ( /* void */ ; table->name.len; table++) {

        ngx_hyperdrive_conf_mysql_plain(&table->name, known);

        if (ngx_strcmp(name, known) == 0) {
            *value = table->value;
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


/* JDBC and JavaScript count milliseconds and write a capital; others do not */

static char *
ngx_hyperdrive_conf_mysql_timeout(ngx_conf_t *cf,
    ngx_hyperdrive_base_url_arg_t *arg, ngx_hyperdrive_origin_server_t *server)
{
    ngx_int_t   n;
    ngx_uint_t  msec;

    msec = (ngx_strlchr(arg->name.data, arg->name.data + arg->name.len, 'T')
            != NULL);

    n = ngx_atoi(arg->value.data, arg->value.len);

    if (n == NGX_ERROR || n < 1 || n > (msec ? 3600000 : 3600)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid %V \"%V\" in the URL of "
                           "\"hyperdrive_origin\": write %s", &arg->name,
                           &arg->value, msec ? "milliseconds, 1 to 3600000"
                                             : "seconds, 1 to 3600");
        return NGX_CONF_ERROR;
    }

    server->connect_timeout = msec ? n : n * 1000;

    return NGX_CONF_OK;
}


static char *
ngx_hyperdrive_conf_mysql_file(ngx_conf_t *cf, ngx_str_t *name,
    ngx_str_t *text)
{
    ssize_t   n;
    ngx_fd_t  fd;
    u_char    buf[NGX_HYPERDRIVE_CONF_MYSQL_KEY];

    if (ngx_conf_full_name(cf->cycle, name, 1) != NGX_OK) {
        return NGX_CONF_ERROR;
    }

    fd = ngx_open_file(name->data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, ngx_errno,
                           ngx_open_file_n " \"%V\" failed", name);
        return NGX_CONF_ERROR;
    }

    n = ngx_read_fd(fd, buf, sizeof(buf));

    if (ngx_close_file(fd) == NGX_FILE_ERROR) {
        ngx_conf_log_error(NGX_LOG_ALERT, cf, ngx_errno,
                           ngx_close_file_n " \"%V\" failed", name);
    }

    if (n <= 0 || n == sizeof(buf)
        || ngx_strnstr(buf, "-----BEGIN PUBLIC KEY-----", n) == NULL)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no public key in \"%V\", which the URL of "
                           "\"hyperdrive_origin\" names: write the database's "
                           "public_key.pem", name);
        return NGX_CONF_ERROR;
    }

    text->len = n;
    text->data = ngx_pnalloc(cf->pool, n);

    if (text->data == NULL) {
        return NGX_CONF_ERROR;
    }

    ngx_memcpy(text->data, buf, n);

    return NGX_CONF_OK;
}


static char *
ngx_hyperdrive_conf_mysql_collation(ngx_conf_t *cf,
    ngx_hyperdrive_conf_mysql_t *ctx, ngx_hyperdrive_origin_server_t *server)
{
    u_char      *p;
    ngx_uint_t   id;

    if (ctx->charset.len == 0 && ctx->collation.len == 0) {
        return NGX_CONF_OK;
    }

    id = 0;

    if (ctx->charset.len
        && ngx_hyperdrive_conf_mysql_find(ngx_hyperdrive_conf_mysql_charsets,
                                          &ctx->charset, &id)
           != NGX_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown charset \"%V\" in the URL of "
                           "\"hyperdrive_origin\": write utf8mb4, or another "
                           "one that docs/mysql.md names", &ctx->charset);
        return NGX_CONF_ERROR;
    }

    if (ctx->collation.len
        && ngx_hyperdrive_conf_mysql_find(
                                         ngx_hyperdrive_conf_mysql_collations,
                                         &ctx->collation, &id)
           != NGX_OK)
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "unknown collation \"%V\" in the URL of "
                           "\"hyperdrive_origin\": write utf8mb4_general_ci, "
                           "or another one that docs/mysql.md names",
                           &ctx->collation);
        return NGX_CONF_ERROR;
    }

    if (ctx->charset.len && ctx->collation.len
        && ngx_strncasecmp(ctx->charset.data, ctx->collation.data,
                           ctx->charset.len)
           != 0)
    {
        return "has a collation that is not of its charset: remove one of "
               "them";
    }

    p = ngx_pnalloc(cf->pool, NGX_INT_T_LEN);
    if (p == NULL) {
        return NGX_CONF_ERROR;
    }

    server->collation.data = p;
    server->collation.len = ngx_sprintf(p, "%ui", id) - p;

    return NGX_CONF_OK;
}
