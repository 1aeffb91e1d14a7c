/* sources: pg/ state/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * The SCRAM exchange with nonces that are known.  The first byte: s: two
 * messages of a client, a zero byte between them; b: the same, bound; c: two
 * messages of a server; v: a verifier; p: a password; 6: base64.
 */


#include "pg/ngx_hyperdrive_pg_scram.h"
#include "pg/ngx_hyperdrive_pg_saslprep.h"


static char  verifier[] = "SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$"
                          "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:"
                          "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";


static void
server(ngx_str_t *first, ngx_str_t *final, ngx_uint_t plus)
{
    ngx_int_t                         rc;
    ngx_str_t                         s, out;
    ngx_hyperdrive_pg_scram_pass_t    pass;
    ngx_hyperdrive_pg_scram_server_t  server;

    ngx_memzero(&pass, sizeof(pass));
    ngx_memzero(&server, sizeof(server));
    server.pass = &pass;
    ngx_str_set(&server.nonce, "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0");
    ngx_str_set(&server.cbind, "0123456789abcdef0123456789abcdef");
    server.plus = plus;
    server.plus_offered = plus;

    ngx_str_set(&s, verifier);

    if (ngx_hyperdrive_pg_scram_parse(&s, &server.secret) != NGX_OK) {
        abort();
    }

    rc = ngx_hyperdrive_pg_scram_server_first(&server, first, &out);

    if (rc == NGX_OK) {
        rc = ngx_hyperdrive_pg_scram_server_final(&server, final, &out);
    }

    /* keys for who has proven itself, and for nobody else */

    if ((rc == NGX_OK) != (pass.iterations == 4096)) {
        abort();
    }

    if (rc != NGX_OK
        && (server.error.sqlstate == NULL || server.error.message == NULL))
    {
        abort();
    }

    ngx_hyperdrive_pg_scram_server_destroy(&server);
}


static void
client(ngx_str_t *first, ngx_str_t *final)
{
    size_t                            i, digits;
    ngx_int_t                         rc;
    ngx_str_t                         out;
    ngx_hyperdrive_pg_scram_client_t  client;

    /* a count of thousands of rounds is right, and slow */

    digits = 0;

    for (i = 0; i < first->len; i++) {
        digits = (first->data[i] >= '0' && first->data[i] <= '9')
                 ? digits + 1 : 0;

        if (digits > 3) {
            return;
        }
    }

    ngx_memzero(&client, sizeof(client));
    ngx_str_set(&client.nonce, "abc");
    ngx_str_set(&client.password, "pencil");
    client.flag = 'n';

    rc = ngx_hyperdrive_pg_scram_client_first(&client, &out);

    if (rc == NGX_OK) {
        rc = ngx_hyperdrive_pg_scram_client_final(&client, first, &out);
    }

    if (rc == NGX_OK) {
        rc = ngx_hyperdrive_pg_scram_client_verify(&client, final);
    }

    if (rc != NGX_OK
        && (client.error.sqlstate == NULL || client.error.message == NULL))
    {
        abort();
    }

    ngx_hyperdrive_pg_scram_client_destroy(&client);
}


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t                             n;
    u_char                            *a, *b, *sep, *end;
    ngx_str_t                          first, final;
    ngx_hyperdrive_pg_scram_secret_t   secret;

    if (size == 0) {
        return 0;
    }

    sep = memchr(data + 1, '\0', size - 1);

    if (sep == NULL) {
        sep = (u_char *) data + size;
    }

    /* each in memory of just its size */

    first.len = sep - data - 1;
    final.len = (sep < data + size) ? data + size - sep - 1 : 0;

    a = malloc(first.len + 1);
    b = malloc(final.len + 1);

    first.data = a + 1;
    final.data = b + 1;

    memcpy(first.data, data + 1, first.len);
    memcpy(final.data, data + size - final.len, final.len);

    switch (data[0]) {

    case 's':
        server(&first, &final, 0);
        break;

    case 'b':
        server(&first, &final, 1);
        break;

    case 'c':
        client(&first, &final);
        break;

    case 'v':
        ngx_hyperdrive_pg_scram_parse(&first, &secret);
        break;

    case 'p':
        free(b);
        b = malloc(first.len + 1);
        final = ngx_hyperdrive_pg_saslprep(&first, b);

        if (final.len > first.len || (final.len == 0 && first.len)) {
            abort();
        }

        break;

    case '6':
        free(b);
        b = malloc(first.len / 4 * 3 + 1);

        if (ngx_hyperdrive_base_digest_base64_decode(b, &n, first.data,
                                                     first.len)
            == NGX_OK)
        {
            /* the text is the only one for these bytes */

            u_char  *text = malloc(first.len + 1);

            end = ngx_hyperdrive_base_digest_base64_encode(text, b, n);

            if ((size_t) (end - text) != first.len
                || memcmp(text, first.data, first.len) != 0)
            {
                abort();
            }

            free(text);
        }

        break;
    }

    free(a);
    free(b);

    return 0;
}
