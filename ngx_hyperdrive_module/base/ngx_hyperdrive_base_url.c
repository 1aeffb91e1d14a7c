
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "ngx_hyperdrive_base_url.h"


/* what is being read: the rest of the text, and room for what is decoded */

typedef struct {
    u_char                       *pos;
    u_char                       *last;
    u_char                       *out;
    char                         *err;
} ngx_hyperdrive_base_url_ctx_t;


static ngx_int_t ngx_hyperdrive_base_url_scheme(
    ngx_hyperdrive_base_url_ctx_t *ctx, ngx_hyperdrive_base_url_t *url);
static ngx_int_t ngx_hyperdrive_base_url_authority(
    ngx_hyperdrive_base_url_ctx_t *ctx, ngx_hyperdrive_base_url_t *url,
    u_char *last);
static ngx_int_t ngx_hyperdrive_base_url_userinfo(
    ngx_hyperdrive_base_url_ctx_t *ctx, ngx_hyperdrive_base_url_t *url,
    u_char *last);
static ngx_int_t ngx_hyperdrive_base_url_args(
    ngx_hyperdrive_base_url_ctx_t *ctx, ngx_hyperdrive_base_url_t *url);
static ngx_int_t ngx_hyperdrive_base_url_arg(
    ngx_hyperdrive_base_url_ctx_t *ctx, ngx_hyperdrive_base_url_t *url,
    ngx_str_t *name, ngx_str_t *value);
static ngx_int_t ngx_hyperdrive_base_url_add(
    ngx_hyperdrive_base_url_ctx_t *ctx, ngx_hyperdrive_base_url_t *url,
    ngx_str_t *name, ngx_str_t *value);
static ngx_int_t ngx_hyperdrive_base_url_host(
    ngx_hyperdrive_base_url_ctx_t *ctx, ngx_hyperdrive_base_url_t *url);
static ngx_int_t ngx_hyperdrive_base_url_ipv6(ngx_str_t *host);
static ngx_int_t ngx_hyperdrive_base_url_port(
    ngx_hyperdrive_base_url_ctx_t *ctx, ngx_hyperdrive_base_url_t *url,
    u_char *p, u_char *last);
static ngx_int_t ngx_hyperdrive_base_url_decode(
    ngx_hyperdrive_base_url_ctx_t *ctx, u_char *p, u_char *last,
    ngx_str_t *value);
static ngx_int_t ngx_hyperdrive_base_url_hex(u_char c);
static ngx_uint_t ngx_hyperdrive_base_url_is(ngx_str_t *s, char *text);
static ngx_int_t ngx_hyperdrive_base_url_fail(
    ngx_hyperdrive_base_url_ctx_t *ctx, char *err);


static struct {
    ngx_str_t                         name;
    ngx_hyperdrive_base_url_scheme_e  scheme;
} ngx_hyperdrive_base_url_schemes[] = {
    { ngx_string("postgres://"), NGX_HYPERDRIVE_URL_POSTGRES },
    { ngx_string("postgresql://"), NGX_HYPERDRIVE_URL_POSTGRES },
    { ngx_string("mysql://"), NGX_HYPERDRIVE_URL_MYSQL },
    { ngx_string("mariadb://"), NGX_HYPERDRIVE_URL_MYSQL },
    { ngx_null_string, 0 }
};


ngx_int_t
ngx_hyperdrive_base_url_parse(ngx_str_t *text, u_char *buf,
    ngx_hyperdrive_base_url_t *url, char **err)
{
    u_char                         *p;
    ngx_int_t                       rc;
    ngx_hyperdrive_base_url_ctx_t   ctx;

    ngx_memzero(url, sizeof(ngx_hyperdrive_base_url_t));

    ctx.pos = text->data;
    ctx.last = text->data + text->len;
    ctx.out = buf;
    ctx.err = NULL;

    rc = ngx_hyperdrive_base_url_scheme(&ctx, url);

    if (rc == NGX_OK) {

        for (p = ctx.pos; p < ctx.last; p++) {
            if (*p == '/' || *p == '?') {
                break;
            }
        }

        rc = ngx_hyperdrive_base_url_authority(&ctx, url, p);
    }

    if (rc == NGX_OK && ctx.pos < ctx.last && *ctx.pos == '/') {

        p = memchr(ctx.pos, '?', ctx.last - ctx.pos);

        if (p == NULL) {
            p = ctx.last;
        }

        rc = ngx_hyperdrive_base_url_decode(&ctx, ctx.pos + 1, p,
                                            &url->database);
        ctx.pos = p;
    }

    if (rc == NGX_OK && ctx.pos < ctx.last) {
        rc = ngx_hyperdrive_base_url_args(&ctx, url);
    }

    if (rc == NGX_OK) {
        rc = ngx_hyperdrive_base_url_host(&ctx, url);
    }

    *err = ctx.err;

    return rc;
}


static ngx_int_t
ngx_hyperdrive_base_url_scheme(ngx_hyperdrive_base_url_ctx_t *ctx,
    ngx_hyperdrive_base_url_t *url)
{
    ngx_str_t   *name;
    ngx_uint_t   i;

    if (ctx->pos < ctx->last
        && memchr(ctx->pos, '\0', ctx->last - ctx->pos))
    {
        return ngx_hyperdrive_base_url_fail(ctx, "a zero byte in the URL");
    }

    for (i = 0; ngx_hyperdrive_base_url_schemes[i].name.len; i++) {

        name = &ngx_hyperdrive_base_url_schemes[i].name;

        if ((size_t) (ctx->last - ctx->pos) >= name->len
            && ngx_strncasecmp(ctx->pos, name->data, name->len) == 0)
        {
            url->scheme = ngx_hyperdrive_base_url_schemes[i].scheme;
            ctx->pos += name->len;

            return NGX_OK;
        }
    }

    return ngx_hyperdrive_base_url_fail(ctx,
                        "unknown scheme, write postgres://user@host/database "
                        "or mysql://user@host/database");
}


/* [user[:password]@][host][:port] */

static ngx_int_t
ngx_hyperdrive_base_url_authority(ngx_hyperdrive_base_url_ctx_t *ctx,
    ngx_hyperdrive_base_url_t *url, u_char *last)
{
    u_char  *p, *at;

    p = ctx->pos;
    ctx->pos = last;

    if (p == last) {
        return NGX_OK;
    }

    at = memchr(p, '@', last - p);

    if (at) {

        if (memchr(at + 1, '@', last - at - 1)) {
            return ngx_hyperdrive_base_url_fail(ctx,
                        "more than one \"@\", write %40 for one inside of "
                        "the user or the password");
        }

        ctx->pos = p;

        if (ngx_hyperdrive_base_url_userinfo(ctx, url, at) != NGX_OK) {
            return NGX_ERROR;
        }

        ctx->pos = last;
        p = at + 1;
    }

    if (p < last && *p == '[') {

        at = p + 1;
        p = memchr(at, ']', last - at);

        if (p == NULL) {
            return ngx_hyperdrive_base_url_fail(ctx,
                        "no \"]\" behind an IPv6 address");
        }

        if (ngx_hyperdrive_base_url_decode(ctx, at, p, &url->host) != NGX_OK) {
            return NGX_ERROR;
        }

        if (ngx_hyperdrive_base_url_ipv6(&url->host) != NGX_OK) {
            return ngx_hyperdrive_base_url_fail(ctx,
                        "invalid IPv6 address in brackets");
        }

        p++;

        if (p < last && *p != ':') {
            return ngx_hyperdrive_base_url_fail(ctx,
                        "only a port may stand behind an IPv6 address, "
                        "write [::1]:5432");
        }

    } else {

        for (at = p; p < last && *p != ':'; p++) {

            if (*p == ',') {
                return ngx_hyperdrive_base_url_fail(ctx,
                        "more than one host, write a URL for each");
            }
        }

        if (p < last && memchr(p + 1, ':', last - p - 1)) {
            return ngx_hyperdrive_base_url_fail(ctx,
                        "more than one \":\" in the host, write an IPv6 "
                        "address in brackets");
        }

        if (ngx_hyperdrive_base_url_decode(ctx, at, p, &url->host) != NGX_OK) {
            return NGX_ERROR;
        }
    }

    if (p == last) {
        return NGX_OK;
    }

    return ngx_hyperdrive_base_url_port(ctx, url, p + 1, last);
}


static ngx_int_t
ngx_hyperdrive_base_url_userinfo(ngx_hyperdrive_base_url_ctx_t *ctx,
    ngx_hyperdrive_base_url_t *url, u_char *last)
{
    u_char  *p;

    p = memchr(ctx->pos, ':', last - ctx->pos);

    if (p == NULL) {
        p = last;
    }

    if (ngx_hyperdrive_base_url_decode(ctx, ctx->pos, p, &url->user)
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    if (p == last) {
        return NGX_OK;
    }

    url->has_password = 1;

    return ngx_hyperdrive_base_url_decode(ctx, p + 1, last, &url->password);
}


/* ?name=value&name=value */

static ngx_int_t
ngx_hyperdrive_base_url_args(ngx_hyperdrive_base_url_ctx_t *ctx,
    ngx_hyperdrive_base_url_t *url)
{
    u_char     *p, *sep, *end;
    ngx_str_t   name, value;

    p = ctx->pos + 1;

    while (p < ctx->last) {

        end = memchr(p, '&', ctx->last - p);

        if (end == NULL) {
            end = ctx->last;
        }

        sep = memchr(p, '=', end - p);

        if (sep == NULL || sep == p) {
            return ngx_hyperdrive_base_url_fail(ctx,
                        "a parameter without a name or a value, "
                        "write ?name=value&name=value");
        }

        if (ngx_hyperdrive_base_url_decode(ctx, p, sep, &name) != NGX_OK
            || ngx_hyperdrive_base_url_decode(ctx, sep + 1, end, &value)
               != NGX_OK
            || ngx_hyperdrive_base_url_arg(ctx, url, &name, &value) != NGX_OK)
        {
            return NGX_ERROR;
        }

        p = end + 1;
    }

    return NGX_OK;
}


/* those that name a part of the URL replace it; the others are kept */

static ngx_int_t
ngx_hyperdrive_base_url_arg(ngx_hyperdrive_base_url_ctx_t *ctx,
    ngx_hyperdrive_base_url_t *url, ngx_str_t *name, ngx_str_t *value)
{
    ngx_uint_t  mysql;

    mysql = (url->scheme == NGX_HYPERDRIVE_URL_MYSQL);

    if (ngx_hyperdrive_base_url_is(name, "user")) {
        url->user = *value;
        return NGX_OK;
    }

    if (ngx_hyperdrive_base_url_is(name, "password")) {
        url->password = *value;
        url->has_password = 1;
        return NGX_OK;
    }

    if (ngx_hyperdrive_base_url_is(name, "dbname")
        || ngx_hyperdrive_base_url_is(name, "database"))
    {
        url->database = *value;
        return NGX_OK;
    }

    if (ngx_hyperdrive_base_url_is(name, "host")
        || (mysql && ngx_hyperdrive_base_url_is(name, "socket")))
    {
        if (value->len && memchr(value->data, ',', value->len)) {
            return ngx_hyperdrive_base_url_fail(ctx,
                        "more than one host, write a URL for each");
        }

        url->host = *value;
        return NGX_OK;
    }

    if (ngx_hyperdrive_base_url_is(name, "port")) {
        return ngx_hyperdrive_base_url_port(ctx, url, value->data,
                                            value->data + value->len);
    }

    /* JDBC's word, which libpq takes too */

    if (!mysql
        && ngx_hyperdrive_base_url_is(name, "ssl")
        && ngx_hyperdrive_base_url_is(value, "true"))
    {
        ngx_str_set(name, "sslmode");
        ngx_str_set(value, "require");
    }

    return ngx_hyperdrive_base_url_add(ctx, url, name, value);
}


static ngx_int_t
ngx_hyperdrive_base_url_add(ngx_hyperdrive_base_url_ctx_t *ctx,
    ngx_hyperdrive_base_url_t *url, ngx_str_t *name, ngx_str_t *value)
{
    ngx_uint_t  i;

    /* the last one of a name counts */

    for (i = 0; i < url->nargs; i++) {

        if (url->args[i].name.len == name->len
            && ngx_memcmp(url->args[i].name.data, name->data, name->len) == 0)
        {
            url->args[i].value = *value;
            return NGX_OK;
        }
    }

    if (url->nargs == NGX_HYPERDRIVE_URL_MAX_ARGS) {
        return ngx_hyperdrive_base_url_fail(ctx,
                        "more than 32 parameters in the URL");
    }

    url->args[i].name = *name;
    url->args[i].value = *value;
    url->nargs++;

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_base_url_host(ngx_hyperdrive_base_url_ctx_t *ctx,
    ngx_hyperdrive_base_url_t *url)
{
    u_char      c;
    ngx_uint_t  i;

    if (url->host.len == 0) {
        return ngx_hyperdrive_base_url_fail(ctx,
                        "no host in the URL, write user@host, or "
                        "?host=/folder for a unix socket");
    }

    if (url->host.data[0] == '/') {
        url->unix_socket = 1;
        return NGX_OK;
    }

    if (ngx_strlchr(url->host.data, url->host.data + url->host.len, ':')) {

        /* from brackets, or from ?host= */

        if (ngx_hyperdrive_base_url_ipv6(&url->host) != NGX_OK) {
            return ngx_hyperdrive_base_url_fail(ctx,
                        "invalid IPv6 address for the host");
        }

        return NGX_OK;
    }

    for (i = 0; i < url->host.len; i++) {

        c = url->host.data[i];

        /* what is above ASCII is left to the resolver */

        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')
            || (c >= '0' && c <= '9')
            || c == '.' || c == '-' || c == '_' || c >= 0x80)
        {
            continue;
        }

        return ngx_hyperdrive_base_url_fail(ctx,
                        "invalid character in the host; for a unix socket "
                        "write ?host=/folder, and percent-encode what is not "
                        "a letter or digit in the user and the password");
    }

    return NGX_OK;
}


/* an address, and perhaps % and an interface */

static ngx_int_t
ngx_hyperdrive_base_url_ipv6(ngx_str_t *host)
{
    size_t           len;
    u_char          *zone;
    u_char           text[INET6_ADDRSTRLEN];
    struct in6_addr  addr;

    if (host->len == 0) {
        return NGX_ERROR;
    }

    zone = memchr(host->data, '%', host->len);
    len = zone ? (size_t) (zone - host->data) : host->len;

    if (len >= sizeof(text) || (zone && len + 1 == host->len)) {
        return NGX_ERROR;
    }

    ngx_memcpy(text, host->data, len);
    text[len] = '\0';

    return inet_pton(AF_INET6, (char *) text, &addr) == 1
           ? NGX_OK : NGX_ERROR;
}


/* empty is as good as none */

static ngx_int_t
ngx_hyperdrive_base_url_port(ngx_hyperdrive_base_url_ctx_t *ctx,
    ngx_hyperdrive_base_url_t *url, u_char *p, u_char *last)
{
    ngx_uint_t  n;

    n = 0;
    url->port = 0;

    if (p == last) {
        return NGX_OK;
    }

    for ( /* void */ ; p < last; p++) {

        if (*p < '0' || *p > '9') {
            break;
        }

        n = n * 10 + (*p - '0');

        if (n > 65535) {
            break;
        }
    }

    if (p < last || n == 0) {
        return ngx_hyperdrive_base_url_fail(ctx,
                        "invalid port, it must be a number from 1 to 65535; "
                        "percent-encode what is not a letter or digit in the "
                        "user and the password");
    }

    url->port = (in_port_t) n;

    return NGX_OK;
}


/*
 * Every part is preceded by a separator that is not written, so that there is
 * room for a NUL behind each.
 */

static ngx_int_t
ngx_hyperdrive_base_url_decode(ngx_hyperdrive_base_url_ctx_t *ctx, u_char *p,
    u_char *last, ngx_str_t *value)
{
    ngx_int_t  high, low;

    value->data = ctx->out;

    while (p < last) {

        if (*p != '%') {

            if (*p < 0x20 || *p == 0x7f) {
                return ngx_hyperdrive_base_url_fail(ctx,
                        "a control character in the URL");
            }

            *ctx->out++ = *p++;
            continue;
        }

        high = (last - p < 3) ? -1 : ngx_hyperdrive_base_url_hex(p[1]);
        low = (high < 0) ? -1 : ngx_hyperdrive_base_url_hex(p[2]);

        if (low < 0) {
            return ngx_hyperdrive_base_url_fail(ctx,
                        "two hexadecimal digits are expected behind \"%\", "
                        "write %25 for a percent sign");
        }

        if (high == 0 && low == 0) {
            return ngx_hyperdrive_base_url_fail(ctx,
                        "%00 is not allowed in the URL");
        }

        *ctx->out++ = (u_char) (high << 4 | low);
        p += 3;
    }

    value->len = ctx->out - value->data;
    *ctx->out++ = '\0';

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_base_url_hex(u_char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }

    c |= 0x20;

    if (c >= 'a' && c <= 'f') {
        return c - 'a' + 10;
    }

    return -1;
}


static ngx_uint_t
ngx_hyperdrive_base_url_is(ngx_str_t *s, char *text)
{
    return s->len == ngx_strlen(text)
           && ngx_memcmp(s->data, text, s->len) == 0;
}


static ngx_int_t
ngx_hyperdrive_base_url_fail(ngx_hyperdrive_base_url_ctx_t *ctx, char *err)
{
    ctx->err = err;

    return NGX_ERROR;
}
