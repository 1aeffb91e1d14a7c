
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "ngx_hyperdrive_conf.h"
#include "base/ngx_hyperdrive_base_digest.h"


/*
 * Digests of what an upstream leads to, and by which its connections are
 * logged in: what outlives a reload (kept answers, what a database said of
 * itself, connections) is compared with them.
 */


#define NGX_HYPERDRIVE_CONF_IDENT_PARTS  9


static ngx_int_t ngx_hyperdrive_conf_ident_digest(ngx_pool_t *pool,
    ngx_str_t *parts, ngx_uint_t n, u_char *out);


ngx_int_t
ngx_hyperdrive_conf_ident(ngx_conf_t *cf, ngx_hyperdrive_origin_conf_t *origin)
{
    u_char                           digest[NGX_HYPERDRIVE_BASE_DIGEST_SHA256];
    u_char                           flags[1];
    ngx_str_t                        parts[NGX_HYPERDRIVE_CONF_IDENT_PARTS];
    ngx_uint_t                       i;
    ngx_hyperdrive_origin_server_t  *server;

    server = origin->servers.elts;

    ngx_memzero(digest, sizeof(digest));

    for (i = 0; i < origin->servers.nelts; i++) {

        /* who answers, and as whom he is asked */

        parts[0].data = digest;
        parts[0].len = sizeof(digest);
        parts[1] = server[i].name;
        parts[2] = server[i].user;
        parts[3] = server[i].options;
        parts[4] = origin->database;

        if (ngx_hyperdrive_conf_ident_digest(cf->temp_pool, parts, 5, digest)
            != NGX_OK)
        {
            return NGX_ERROR;
        }
    }

    ngx_memcpy(origin->ident, digest, sizeof(origin->ident));

    for (i = 0; i < origin->servers.nelts; i++) {

        parts[0] = server[i].name;
        parts[1] = server[i].user;
        parts[2] = server[i].options;
        parts[3] = server[i].password;
        parts[4] = server[i].application_name;
        parts[5].data = (u_char *) &server[i].sslmode;
        parts[5].len = sizeof(server[i].sslmode);
        parts[6] = server[i].collation;
        parts[7].data = flags;
        parts[7].len = sizeof(flags);

        parts[8] = server[i].compress;

        flags[0] = server[i].local_files ? 'f' : '-';

        if (ngx_hyperdrive_conf_ident_digest(cf->temp_pool, parts, 9, digest)
            != NGX_OK)
        {
            return NGX_ERROR;
        }

        ngx_memcpy(&server[i].stamp, digest, sizeof(server[i].stamp));
    }

    return NGX_OK;
}


/* lengths keep the parts apart */

static ngx_int_t
ngx_hyperdrive_conf_ident_digest(ngx_pool_t *pool, ngx_str_t *parts,
    ngx_uint_t n, u_char *out)
{
    size_t      len;
    u_char     *p, *buf;
    ngx_int_t   rc;
    ngx_uint_t  i;

    len = 0;

    for (i = 0; i < n; i++) {
        len += sizeof(size_t) + parts[i].len;
    }

    buf = ngx_pnalloc(pool, len);
    if (buf == NULL) {
        return NGX_ERROR;
    }

    p = buf;

    for (i = 0; i < n; i++) {
        p = ngx_cpymem(p, &parts[i].len, sizeof(size_t));

        if (parts[i].len) {
            p = ngx_cpymem(p, parts[i].data, parts[i].len);
        }
    }

    rc = ngx_hyperdrive_base_digest_sha256(buf, len, out);

    ngx_explicit_memzero(buf, len);

    return rc;
}
