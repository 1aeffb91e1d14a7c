/* sources: pg/ state/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * What a database may answer.  The input: how the answers are cut, whether
 * they are bytes (1) or messages, and whether the client leaves before the
 * last quarter of them (2); half the length of what it has asked, in pairs as
 * in pg_wire_script.h; what it has asked; the answers.
 */


#include "pg_wire_relay.h"
#include "pg_wire_script.h"


static void answer(relay_t *r, bytes_t *requests, bytes_t *answers,
    size_t leave, size_t cut);
static void make(bytes_t *answers, const uint8_t *data, size_t size);


static ngx_hyperdrive_state_registry_t  *registry;


int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    size_t      n, cut, leave;
    relay_t     whole, parts;
    bytes_t     answers;
    script_t    s;
    ngx_uint_t  raw;

    if (size < 2 || size > 4096) {
        return 0;
    }

    if (registry == NULL) {
        registry = ngx_hyperdrive_state_registry_create(4096, relay_classify);
    }

    raw = data[0] & 1;
    leave = data[0] & 2;
    cut = 1 + (data[0] >> 2);
    n = 2 * data[1];

    data += 2;
    size -= 2;

    n = ngx_min(n, size);
    (void) script_make(&s, data, n);

    data += n;
    size -= n;

    ngx_memzero(&answers, sizeof(bytes_t));

    if (raw) {
        bytes_add(&answers, data, size);

    } else {
        make(&answers, data, size);
    }

    if (leave) {
        leave = answers.len / 4 * 3;

    } else {
        leave = answers.len + 1;
    }

    answer(&whole, &s.b, &answers, leave, answers.len + 1);
    answer(&parts, &s.b, &answers, leave, cut);

    /* the same is passed on, up to what breaks the protocol */

    n = ngx_min(whole.got.len, parts.got.len);

    if (n && ngx_memcmp(whole.got.data, parts.got.data, n) != 0) {
        abort();
    }

    if ((whole.lost == NULL) != (parts.lost == NULL)
        || (whole.lost && strcmp(whole.lost, parts.lost) != 0)
        || whole.fatal != parts.fatal)
    {
        abort();
    }

    if (whole.lost == NULL
        && (whole.got.len != parts.got.len || whole.nready != parts.nready))
    {
        abort();
    }

    relay_free(&whole);
    relay_free(&parts);

    bytes_free(&answers);
    bytes_free(&s.b);

    return 0;
}


static void
answer(relay_t *r, bytes_t *requests, bytes_t *answers, size_t leave,
    size_t cut)
{
    size_t                  n, len;
    ngx_hyperdrive_chain_t  out;

    relay_init(r, registry, 3);
    relay_connect(r);
    relay_client(r, requests->data, requests->len);

    /* what waits for an answer does not come any more, nor does it settle */

    r->in.len = 0;
    r->pinned = 1;

    for (n = 0; n < answers->len && !r->failed; n += len) {

        if (n == leave) {
            break;
        }

        len = ngx_min(cut, answers->len - n);

        if (n < leave) {
            len = ngx_min(len, leave - n);
        }

        bytes_add(&r->wire, answers->data + n, len);
        relay_answers(r);
    }

    ngx_memzero(&out, sizeof(ngx_hyperdrive_chain_t));

    (void) ngx_hyperdrive_pg_proto.origin_abandon(r->client, r->origin, &out);
    ngx_hyperdrive_base_chain_clear(&out);

    ngx_hyperdrive_pg_proto.client_destroy(r->client);
    r->client = NULL;

    /* what it has not read is drained */

    for ( /* void */ ; n < answers->len && !r->failed; n += len) {
        len = ngx_min(cut, answers->len - n);

        bytes_add(&r->wire, answers->data + n, len);
        relay_answers(r);
    }
}


/* one message for each byte */

static void
make(bytes_t *answers, const uint8_t *data, size_t size)
{
    size_t       i, start;
    ngx_uint_t   n;

    static struct {
        u_char   type;
        char    *body;
        size_t   len;
    } messages[] = {
        { '1', "", 0 },
        { '2', "", 0 },
        { '3', "", 0 },
        { 'n', "", 0 },
        { 'D', "\0\1\0\0\0\2ab", 8 },
        { 'C', "SELECT 1", 9 },
        { 'T', "\0\1c0\0\0\0\0\0\0\0\0\0\0\31\377\377\377\377\377\377"
               "\0\0", 23 },
        { 'T', "\0\1c1\0\0\0\0\0\0\0\0\0\0\31\377\377\377\377\377\377"
               "\0\0", 23 },
        { 't', "\0\0", 2 },
        { 't', "\0\1\0\0\0\31", 6 },
        { 'Z', "I", 1 },
        { 'Z', "T", 1 },
        { 'Z', "E", 1 },
        { 'E', "SERROR\0VERROR\0C42601\0\0", 22 },
        { 'E', "SERROR\0VERROR\0C0A000\0\0", 22 },
        { 'E', "SFATAL\0VFATAL\0C57P01\0\0", 22 },
        { 'I', "", 0 },
        { 's', "", 0 },
        { 'S', "TimeZone\0UTC", 13 },
        { 'G', "\0\0\0", 3 },
        { 'N', "SNOTICE\0\0", 9 },
        { 'H', "\0\0\0", 3 },
        { 'd', "line\n", 5 },
        { 'c', "", 0 },
        { 'A', "\0\0\0\1a\0b", 8 },
        { 'V', "\377\377\377\377", 4 },
        { 'W', "\0\0\0", 3 },
        { 'K', "\0\0\0\0\0\0\0\0", 8 },
        { 'T', "\0\7c", 3 },
        { 'E', "", 0 }
    };

    for (i = 0; i < size; i++) {
        n = data[i] % (sizeof(messages) / sizeof(messages[0]));

        start = msg_begin(answers, messages[n].type);
        bytes_add(answers, messages[n].body, messages[n].len);
        msg_end(answers, start);
    }
}
