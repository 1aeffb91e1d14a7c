/* sources: mysql/ state/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * What a client of MySQL sends from its first byte to the end of the log-in.
 * The first byte of the input says how it is received: 1: TLS is offered; 2:
 * no password is asked; 4: the user exists; 8 and 16: with which secret; the
 * rest of it, in how many pieces.
 */


#include "mysql/ngx_hyperdrive_mysql_login.h"


static u_char  mock[32];

static char   *secrets[] = {
    "*0000000000000000000000000000000000000000",
    "$A$001$abcdefghijklmnopqrst0123456789012345678901234567890123456789012",
    "$H$0000000000000000000000000000000000000000000000000000"
    "0000000000000000000000000000000000000000000000000000",
    "not a verifier"
};


static void change(const uint8_t *data, size_t size);
static ngx_int_t run(ngx_hyperdrive_proto_login_t *login, ngx_uint_t flags,
    const uint8_t *data, size_t size, size_t piece);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ngx_int_t                      rc, whole;
    ngx_uint_t                     flags;
    ngx_hyperdrive_proto_login_t   a, b;

    if (size == 0) {
        return 0;
    }

    flags = data[0];

    data++;
    size--;

    change(data, size);

    whole = run(&a, flags, data, size, size + 1);
    rc = run(&b, flags, data, size, 1 + (flags >> 5));

    /* wherever it is cut */

    if (rc != whole || a.nparams != b.nparams || a.user.len != b.user.len
        || a.database.len != b.database.len
        || a.capabilities != b.capabilities
        || strcmp((char *) a.sqlstate, (char *) b.sqlstate) != 0)
    {
        abort();
    }

    if (whole == NGX_OK && !(flags & 2)) {
        /* nobody knows these secrets */
        abort();
    }

    ngx_hyperdrive_mysql_login_client_free(&a);
    ngx_hyperdrive_mysql_login_client_free(&b);

    return 0;
}


/* the same bytes as a request to be another user */

static void
change(const uint8_t *data, size_t size)
{
    u_char                           *copy;
    ngx_str_t                         s;
    ngx_hyperdrive_mysql_response_t   r;

    copy = malloc(size ? size : 1);
    memcpy(copy, data, size);
    s.data = copy;
    s.len = size;

    memset(&r, 0, sizeof(r));
    r.capabilities = NGX_HYPERDRIVE_MYSQL_COMMON;

    if (ngx_hyperdrive_mysql_response_change(&s, &r) == NGX_OK
        && (r.user.len + r.auth.len + r.database.len + r.plugin.len
            + r.attributes.len > size
            || r.user.data < copy || r.user.data + r.user.len > copy + size))
    {
        abort();
    }

    free(copy);
}


static ngx_int_t
run(ngx_hyperdrive_proto_login_t *login, ngx_uint_t flags,
    const uint8_t *data, size_t size, size_t piece)
{
    size_t                   from, to, was;
    u_char                  *copy, *p;
    ngx_int_t                rc;
    ngx_hyperdrive_chain_t   out;

    ngx_memzero(login, sizeof(ngx_hyperdrive_proto_login_t));
    ngx_memzero(&out, sizeof(ngx_hyperdrive_chain_t));

    login->mock = mock;
    login->kinds = 7;
    login->tls_offered = flags & 1;
    ngx_str_set(&login->host, "127.0.0.1");

    ngx_hyperdrive_mysql_login_greet(login, NULL, 1, &out);

    from = 0;
    to = 0;

    for ( ;; ) {
        to = ngx_min(to + piece, size);

        if (login->ahead) {
            /* as the caller reads */
            to = ngx_min(to, from + login->ahead);
        }

        copy = malloc(to - from + 1);
        memcpy(copy, data + from, to - from);

    again:

        p = copy;
        was = out.size;

        rc = ngx_hyperdrive_mysql_login_client(login, &p, copy + (to - from),
                                               &out);

        if (rc == NGX_BUSY) {

            login->trust = (flags & 2) != 0;
            login->found = (flags & 4) != 0;
            login->secret.data = (u_char *) secrets[flags >> 3 & 3];
            login->secret.len = strlen(secrets[flags >> 3 & 3]);

            from += p - copy;
            memmove(copy, p, to - from);
            goto again;
        }

        from += p - copy;
        free(copy);

        if (rc == NGX_DONE) {

            if (!login->tls_offered || login->tls || from != to) {
                abort();
            }

            login->tls = 1;
            rc = NGX_AGAIN;
        }

        /* whoever is refused is told so */

        if (rc == NGX_ERROR && (out.size == was || login->reason == NULL)) {
            abort();
        }

        if (rc != NGX_AGAIN || to == size) {
            break;
        }

        if (to - from > NGX_HYPERDRIVE_MYSQL_LOGIN_MAX
                        + NGX_HYPERDRIVE_MYSQL_HEADER)
        {
            abort();
        }
    }

    ngx_hyperdrive_base_chain_clear(&out);

    return rc;
}
