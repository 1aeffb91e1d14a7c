/* sources: pg/ state/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * What a client sends from its first byte to the end of the log-in.  The
 * first byte of the input says how it is received: 1: TLS is offered; 2: it
 * is there; 4: md5; 8: SCRAM; 16: the user exists; the rest of it, in how
 * many pieces.
 */


#include "pg/ngx_hyperdrive_pg_login.h"


static ngx_hyperdrive_pg_login_rc_e run(ngx_hyperdrive_pg_client_login_t *login,
    ngx_uint_t flags, const uint8_t *data, size_t size, size_t piece);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ngx_uint_t                         flags, i;
    ngx_hyperdrive_pg_login_rc_e       rc, whole;
    ngx_hyperdrive_pg_client_login_t   a, b;

    if (size == 0) {
        return 0;
    }

    flags = data[0];

    data++;
    size--;

    whole = run(&a, flags, data, size, size + 1);
    rc = run(&b, flags, data, size, 1 + (flags >> 5));

    /* wherever it is cut; a TLS upgrade depends on it, and must */

    if ((flags & 3) != 1) {

        if (rc != whole || a.nparams != b.nparams
            || a.user.len != b.user.len || a.protocol != b.protocol
            || strcmp(a.sqlstate, b.sqlstate) != 0)
        {
            abort();
        }

        for (i = 0; i < a.nparams; i++) {
            if (a.params[i].value.len != b.params[i].value.len
                || ngx_memcmp(a.params[i].value.data, b.params[i].value.data,
                              a.params[i].value.len)
                   != 0)
            {
                abort();
            }
        }
    }

    if (whole == NGX_HYPERDRIVE_PG_LOGIN_OK
        && (a.user.len == 0 || a.database.len == 0))
    {
        abort();
    }

    ngx_hyperdrive_pg_client_login_destroy(&a);
    ngx_hyperdrive_pg_client_login_destroy(&b);

    return 0;
}


static ngx_hyperdrive_pg_login_rc_e
run(ngx_hyperdrive_pg_client_login_t *login, ngx_uint_t flags,
    const uint8_t *data, size_t size, size_t piece)
{
    size_t                         from, to, was;
    u_char                        *copy, *p;
    ngx_hyperdrive_chain_t         out;
    ngx_hyperdrive_pg_login_rc_e   rc;

    ngx_memzero(login, sizeof(ngx_hyperdrive_pg_client_login_t));
    ngx_memzero(&out, sizeof(ngx_hyperdrive_chain_t));

    login->tls_offered = flags & 1;
    login->tls = (flags & 2) != 0;
    login->channel_binding = 1;
    ngx_str_set(&login->cert_hash, "0123456789abcdef0123456789abcdef");

    from = 0;
    to = 0;

    for ( ;; ) {
        to = ngx_min(to + piece, size);

        copy = malloc(to - from + 1);
        memcpy(copy, data + from, to - from);

    again:

        p = copy;
        was = out.size;

        rc = ngx_hyperdrive_pg_client_login(login, &p, copy + (to - from),
                                            &out);

        if (rc == NGX_HYPERDRIVE_PG_LOGIN_LOOKUP) {

            login->auth = (flags & 4) ? NGX_HYPERDRIVE_PG_AUTH_MD5
                          : (flags & 8) ? NGX_HYPERDRIVE_PG_AUTH_SCRAM
                          : NGX_HYPERDRIVE_PG_AUTH_TRUST;
            login->found = (flags & 16) != 0;

            if (flags & 4) {
                ngx_str_set(&login->secret,
                            "md50123456789abcdef0123456789abcdef");

            } else {
                ngx_str_set(&login->secret,
                            "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
                            "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
                            "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=");
            }

            from += p - copy;
            memmove(copy, p, to - from);
            goto again;
        }

        from += p - copy;
        free(copy);

        if (rc == NGX_HYPERDRIVE_PG_LOGIN_TLS) {

            if (from != to || out.size == was) {
                abort();
            }

            login->tls = 1;
            rc = NGX_HYPERDRIVE_PG_LOGIN_AGAIN;
        }

        /* whoever is refused is told so */

        if (rc == NGX_HYPERDRIVE_PG_LOGIN_FAILED
            && (out.size == was || login->reason == NULL))
        {
            abort();
        }

        if (rc != NGX_HYPERDRIVE_PG_LOGIN_AGAIN || to == size) {
            break;
        }

        if (to - from > NGX_HYPERDRIVE_PG_MAX_STARTUP + 4) {
            abort();
        }
    }

    ngx_hyperdrive_base_chain_clear(&out);

    return rc;
}
