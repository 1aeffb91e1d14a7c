/* sources: pg/ state/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * What a database sends during log-in.  The first byte of the input: 1: TLS
 * is asked for; 2: it is required; 4: it is there; 8: clear text is allowed;
 * 16: there is a password; the rest of it, in how many pieces.  $NONCE$ in the
 * input is replaced by the nonce that we have sent, 24 characters.
 */


#include "pg/ngx_hyperdrive_pg_login.h"


#define MARK      "$NONCE$"
#define MARK_LEN  (sizeof(MARK) - 1)


static u_char  nonce[NGX_HYPERDRIVE_PG_SCRAM_NONCE];


/* finds "r=" in what we send; 1 if it is there */

static ngx_uint_t
find_nonce(ngx_hyperdrive_chain_t *out)
{
    u_char  *p;

    if (out->head == NULL) {
        return 0;
    }

    for (p = out->head->pos;
         p + 5 + sizeof(nonce) <= out->head->last;
         p++)
    {
        if (ngx_memcmp(p, "n=,r=", 5) == 0) {
            memcpy(nonce, p + 5, sizeof(nonce));
            return 1;
        }
    }

    return 0;
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    u_char                            *text, *copy, *p;
    size_t                             len, from, to, piece, i, digits;
    ngx_uint_t                         flags, known;
    ngx_hyperdrive_chain_t             out;
    ngx_hyperdrive_pg_login_rc_e       rc;
    ngx_hyperdrive_pg_origin_login_t   login;

    if (size == 0) {
        return 0;
    }

    flags = data[0];
    piece = (flags >> 5) ? (flags >> 5) : size * 4;

    data++;
    size--;

    /* a count of thousands of rounds is right, and slow */

    digits = 0;

    for (i = 0; i < size; i++) {
        digits = (data[i] >= '0' && data[i] <= '9') ? digits + 1 : 0;

        if (digits > 3) {
            return 0;
        }
    }

    ngx_memzero(&login, sizeof(login));
    ngx_memzero(&out, sizeof(out));

    login.request_tls = flags & 1;
    login.require_tls = (flags & 2) != 0;
    login.tls = (flags & 4) != 0;
    login.allow_cleartext = (flags & 8) != 0;
    ngx_str_set(&login.user, "app");

    if (flags & 16) {
        ngx_str_set(&login.password, "pencil");
    }

    if (login.tls) {
        ngx_str_set(&login.cert_hash, "0123456789abcdef0123456789abcdef");
    }

    text = malloc(size * 4 + sizeof(nonce));
    len = 0;
    i = 0;
    from = 0;
    to = 0;
    known = 0;

    for ( ;; ) {
        copy = malloc(to - from + 1);
        memcpy(copy, text + from, to - from);
        p = copy;

        rc = ngx_hyperdrive_pg_origin_login(&login, &p, copy + (to - from),
                                            &out);
        from += p - copy;
        free(copy);

        if (rc == NGX_HYPERDRIVE_PG_LOGIN_TLS) {

            if (from != to) {
                abort();
            }

            login.tls = 1;
            ngx_str_set(&login.cert_hash, "0123456789abcdef0123456789abcdef");
            rc = NGX_HYPERDRIVE_PG_LOGIN_AGAIN;
        }

        known |= find_nonce(&out);
        ngx_hyperdrive_base_chain_clear(&out);

        if (rc != NGX_HYPERDRIVE_PG_LOGIN_AGAIN || (i == size && to == len)) {
            break;
        }

        /* as far as the text is known */

        while (i < size) {

            if (size - i >= MARK_LEN
                && memcmp(data + i, MARK, MARK_LEN) == 0)
            {
                if (!known && to < len) {
                    break;
                }

                memcpy(text + len, nonce, sizeof(nonce));
                len += sizeof(nonce);
                i += MARK_LEN;
                continue;
            }

            text[len++] = data[i++];
        }

        to = ngx_min(to + piece, len);
    }

    if (rc == NGX_HYPERDRIVE_PG_LOGIN_FAILED
        && (login.reason == NULL || login.error.size == 0
            || strlen(login.sqlstate) != 5))
    {
        abort();
    }

    if (rc == NGX_HYPERDRIVE_PG_LOGIN_OK && login.error.size) {
        abort();
    }

    ngx_hyperdrive_pg_origin_login_destroy(&login);
    free(text);

    return 0;
}
