
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "pg/ngx_hyperdrive_pg_saslprep.h"
#include "base/ngx_hyperdrive_base_cursor.h"


typedef struct {
    uint32_t                      first;
    uint32_t                      last;
} ngx_hyperdrive_pg_saslprep_range_t;


static ngx_uint_t ngx_hyperdrive_pg_saslprep_in(
    const ngx_hyperdrive_pg_saslprep_range_t *range, uint32_t code);


/* RFC 3454, table C.1.2: a space, but not ASCII's */

static const ngx_hyperdrive_pg_saslprep_range_t
    ngx_hyperdrive_pg_saslprep_spaces[] =
{
    { 0x00a0, 0x00a0 }, { 0x1680, 0x1680 }, { 0x2000, 0x200b },
    { 0x202f, 0x202f }, { 0x205f, 0x205f }, { 0x3000, 0x3000 },
    { 0, 0 }
};


/* RFC 3454, table B.1: commonly mapped to nothing */

static const ngx_hyperdrive_pg_saslprep_range_t
    ngx_hyperdrive_pg_saslprep_nothing[] =
{
    { 0x00ad, 0x00ad }, { 0x034f, 0x034f }, { 0x1806, 0x1806 },
    { 0x180b, 0x180d }, { 0x200c, 0x200d }, { 0x2060, 0x2060 },
    { 0xfe00, 0xfe0f }, { 0xfeff, 0xfeff },
    { 0, 0 }
};


/*
 * Characters of living scripts that are assigned in Unicode 3.2, written from
 * left to right, not prohibited, and that NFKC leaves alone wherever they
 * stand among each other.
 */

static const ngx_hyperdrive_pg_saslprep_range_t
    ngx_hyperdrive_pg_saslprep_plain[] =
{
    { 0x0020, 0x007e }, { 0x00a1, 0x00a7 }, { 0x00bf, 0x0131 },
    { 0x014a, 0x017e }, { 0x0180, 0x01c3 }, { 0x01cd, 0x01f0 },
    { 0x01f4, 0x0220 }, { 0x0222, 0x0233 }, { 0x0250, 0x02ad },
    { 0x0388, 0x038a }, { 0x038c, 0x038c }, { 0x038e, 0x03a1 },
    { 0x03a3, 0x03ce }, { 0x0400, 0x0482 }, { 0x048a, 0x04ce },
    { 0x04d0, 0x04f5 }, { 0x0905, 0x0939 }, { 0x0e01, 0x0e32 },
    { 0x1e00, 0x1e99 }, { 0x1ea0, 0x1ef9 }, { 0x2012, 0x2016 },
    { 0x2018, 0x2023 }, { 0x20a0, 0x20a7 }, { 0x20a9, 0x20b1 },
    { 0x2190, 0x222b }, { 0x2231, 0x2328 }, { 0x2500, 0x2613 },
    { 0x2619, 0x267d }, { 0x2701, 0x2704 }, { 0x2706, 0x2709 },
    { 0x270c, 0x2727 }, { 0x2729, 0x274b }, { 0x2761, 0x2794 },
    { 0x3001, 0x3029 }, { 0x3041, 0x3094 }, { 0x30a1, 0x30fe },
    { 0x3105, 0x312c }, { 0x4e00, 0x9fa5 }, { 0xac00, 0xd7a3 },
    { 0, 0 }
};


ngx_str_t
ngx_hyperdrive_pg_saslprep(ngx_str_t *password, u_char *buf)
{
    u_char      *p, *q, *start, *last;
    uint32_t     code;
    ngx_str_t    result;
    ngx_uint_t   mapped, other;

    q = buf;
    mapped = 0;
    other = 0;

    p = password->data;
    last = p + password->len;

    while (p < last) {
        start = p;

        p = ngx_hyperdrive_base_read_utf8(p, last, &code);

        if (p == NULL) {
            return *password;
        }

        if (ngx_hyperdrive_pg_saslprep_in(ngx_hyperdrive_pg_saslprep_spaces,
                                          code))
        {
            *q++ = ' ';
            mapped = 1;
            continue;
        }

        if (ngx_hyperdrive_pg_saslprep_in(ngx_hyperdrive_pg_saslprep_nothing,
                                          code))
        {
            mapped = 1;
            continue;
        }

        if (!ngx_hyperdrive_pg_saslprep_in(ngx_hyperdrive_pg_saslprep_plain,
                                           code))
        {
            other = 1;
        }

        q = ngx_cpymem(q, start, p - start);
    }

    if (!mapped || other || q == buf) {
        return *password;
    }

    result.data = buf;
    result.len = q - buf;

    return result;
}


static ngx_uint_t
ngx_hyperdrive_pg_saslprep_in(const ngx_hyperdrive_pg_saslprep_range_t *range,
    uint32_t code)
{
    for ( /* void */ ; range->last; range++) {
        if (code >= range->first && code <= range->last) {
            return 1;
        }
    }

    return 0;
}
