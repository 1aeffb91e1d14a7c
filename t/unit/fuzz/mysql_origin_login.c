/* sources: mysql/ state/ base/ libs: z zstd */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * What a MySQL says from its greeting to the end of the log-in.  The first
 * byte of the input says how we ask: 1: for TLS; 2: it is required; 4: the
 * password may be sent in clear; 8: a public key is asked for; 16: no password
 * but a proof; the rest of it, in how many pieces the answers come.
 */


#include "mysql/ngx_hyperdrive_mysql_login.h"


static ngx_int_t run(ngx_hyperdrive_proto_login_t *login, ngx_uint_t flags,
    const uint8_t *data, size_t size, size_t piece);


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ngx_int_t                        rc, whole;
    ngx_str_t                        text;
    ngx_uint_t                       flags;
    ngx_hyperdrive_proto_login_t     a, b;
    ngx_hyperdrive_mysql_greeting_t  greeting;

    if (size == 0) {
        return 0;
    }

    flags = data[0];

    data++;
    size--;

    whole = run(&a, flags, data, size, size + 1);
    rc = run(&b, flags, data, size, 1 + (flags >> 5));

    /*
     * Wherever it is cut; what stands behind a request for TLS depends on it,
     * and so does what stands behind the end in a compressed packet.
     */

    if (!(flags & 1) && !(flags & 64)) {

        if (rc != whole || a.pid != b.pid
            || a.greeting.size != b.greeting.size
            || a.permanent != b.permanent
            || strcmp((char *) a.message, (char *) b.message) != 0)
        {
            abort();
        }
    }

    if (whole == NGX_OK) {
        text.data = a.greeting.head->pos;
        text.len = a.greeting.size;

        if (ngx_hyperdrive_mysql_greeting_read(&text, &greeting) != NGX_OK
            || (greeting.capabilities & ~greeting.offered))
        {
            abort();
        }
    }

    ngx_hyperdrive_mysql_login_origin_free(&a);
    ngx_hyperdrive_mysql_login_origin_free(&b);

    return 0;
}


static ngx_int_t
run(ngx_hyperdrive_proto_login_t *login, ngx_uint_t flags,
    const uint8_t *data, size_t size, size_t piece)
{
    size_t                   from, to;
    u_char                  *copy, *p;
    ngx_int_t                rc;
    ngx_hyperdrive_chain_t   out;

    ngx_memzero(login, sizeof(ngx_hyperdrive_proto_login_t));
    ngx_memzero(&out, sizeof(ngx_hyperdrive_chain_t));

    ngx_str_set(&login->user, "app");
    ngx_str_set(&login->database, "shop");

    if (flags & 16) {
        ngx_str_set(&login->token, "nabcdefghijklmnopqrst");

    } else {
        ngx_str_set(&login->password, "secret");
    }

    login->request_tls = flags & 1;
    login->require_tls = (flags & 2) != 0;
    login->allow_clear = (flags & 4) != 0;
    login->ask_key = (flags & 8) != 0;
    login->ask_role = (flags & 32) != 0;

    if (flags & 64) {
        ngx_str_set(&login->compress, "szu");
    }


    from = 0;
    to = 0;

    for ( ;; ) {
        to = ngx_min(to + piece, size);

        copy = malloc(to - from + 1);
        memcpy(copy, data + from, to - from);

        p = copy;

        rc = ngx_hyperdrive_mysql_login_origin(login, &p, copy + (to - from),
                                               &out);

        from += p - copy;
        free(copy);

        if (rc == NGX_DONE) {

            if (from != to || !login->request_tls || login->tls) {
                abort();
            }

            login->tls = 1;
            rc = NGX_AGAIN;
        }

        if (rc == NGX_ERROR && login->reason == NULL) {
            abort();
        }

        if (rc == NGX_OK && login->require_tls && !login->tls) {
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
