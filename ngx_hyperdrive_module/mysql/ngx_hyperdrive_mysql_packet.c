
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "ngx_hyperdrive_mysql_packet.h"


static void ngx_hyperdrive_mysql_ok_as(ngx_hyperdrive_chain_t *chain,
    u_char first, uint64_t caps, ngx_hyperdrive_mysql_ok_t *ok, u_char *seq);


ngx_int_t
ngx_hyperdrive_mysql_part(ngx_hyperdrive_mysql_framer_t *f, u_char **pos,
    u_char *last, ngx_hyperdrive_mysql_part_t *part)
{
    u_char  *p;
    size_t   n;

    p = *pos;

    part->begin = 0;
    part->packet = 0;
    part->end = 0;

    if (!f->inside) {

        n = ngx_min((size_t) (last - p),
                    (size_t) NGX_HYPERDRIVE_MYSQL_HEADER - f->have);

        ngx_memcpy(f->header + f->have, p, n);
        f->have += n;
        p += n;

        if (f->have < NGX_HYPERDRIVE_MYSQL_HEADER) {
            *pos = p;
            return NGX_AGAIN;
        }

        part->begin = !f->more;
        part->packet = 1;

        f->have = 0;
        f->inside = 1;
        f->left = ngx_hyperdrive_mysql_get_u24(f->header);
        f->more = (f->left == NGX_HYPERDRIVE_MYSQL_MAX_PACKET);

    } else if (p == last) {
        return NGX_AGAIN;
    }

    n = ngx_min((size_t) (last - p), f->left);

    part->data = p;
    part->len = n;
    part->seq = f->header[3];

    f->left -= n;

    if (f->left == 0) {
        f->inside = 0;
        part->end = !f->more;
    }

    *pos = p + n;

    return NGX_OK;
}


ngx_int_t
ngx_hyperdrive_mysql_packet(u_char **pos, u_char *last, size_t max,
    ngx_str_t *payload, u_char *seq)
{
    u_char    *p;
    uint32_t   len;

    p = ngx_hyperdrive_mysql_read_u24(*pos, last, &len);
    if (p == NULL) {
        return NGX_AGAIN;
    }

    if (len > max) {
        return NGX_ERROR;
    }

    if ((size_t) (last - p) < 1 + (size_t) len) {
        return NGX_AGAIN;
    }

    *seq = *p++;

    payload->data = p;
    payload->len = len;

    *pos = p + len;

    return NGX_OK;
}


u_char *
ngx_hyperdrive_mysql_packet_begin(ngx_hyperdrive_chain_t *chain, size_t len,
    u_char *seq)
{
    u_char  *p;

    p = ngx_hyperdrive_base_chain_reserve(chain,
                                          NGX_HYPERDRIVE_MYSQL_HEADER + len);
    if (p == NULL) {
        return NULL;
    }

    p = ngx_hyperdrive_mysql_put_u24(p, (uint32_t) len);
    *p++ = (*seq)++;

    return p;
}


void
ngx_hyperdrive_mysql_packet_append(ngx_hyperdrive_chain_t *chain,
    const void *data, size_t len, u_char *seq)
{
    u_char        *p;
    size_t         n;
    const u_char  *from;

    from = data;

    do {
        n = ngx_min(len, (size_t) NGX_HYPERDRIVE_MYSQL_MAX_PACKET);

        p = ngx_hyperdrive_base_chain_reserve(chain,
                                              NGX_HYPERDRIVE_MYSQL_HEADER);
        if (p == NULL) {
            return;
        }

        p = ngx_hyperdrive_mysql_put_u24(p, (uint32_t) n);
        *p = (*seq)++;

        if (ngx_hyperdrive_base_chain_append(chain, from, n) != NGX_OK) {
            return;
        }

        from += n;
        len -= n;

        /* behind a full one stands another one, if need be an empty one */

    } while (n == NGX_HYPERDRIVE_MYSQL_MAX_PACKET);
}


void
ngx_hyperdrive_mysql_query(ngx_str_t *text, uint64_t caps,
    ngx_hyperdrive_chain_t *chain)
{
    ngx_str_t  none;

    /* in one set */
    none.data = (u_char *) "\0\1";
    none.len = (caps & NGX_HYPERDRIVE_MYSQL_QUERY_ATTRIBUTES) ? 2 : 0;

    ngx_hyperdrive_mysql_query_with(text, &none, chain);
}


void
ngx_hyperdrive_mysql_query_with(ngx_str_t *text, ngx_str_t *attributes,
    ngx_hyperdrive_chain_t *chain)
{
    u_char  *p, seq;

    seq = 0;

    p = ngx_hyperdrive_mysql_packet_begin(chain,
                                          1 + attributes->len + text->len,
                                          &seq);
    if (p == NULL) {
        return;
    }

    *p++ = NGX_HYPERDRIVE_MYSQL_COM_QUERY;
    p = ngx_cpymem(p, attributes->data, attributes->len);
    ngx_memcpy(p, text->data, text->len);
}


void
ngx_hyperdrive_mysql_ok(ngx_hyperdrive_chain_t *chain, uint64_t caps,
    ngx_hyperdrive_mysql_ok_t *ok, u_char *seq)
{
    ngx_hyperdrive_mysql_ok_as(chain, NGX_HYPERDRIVE_MYSQL_OK, caps, ok, seq);
}


void
ngx_hyperdrive_mysql_end(ngx_hyperdrive_chain_t *chain, uint64_t caps,
    ngx_hyperdrive_mysql_ok_t *ok, u_char *seq)
{
    if (caps & NGX_HYPERDRIVE_MYSQL_DEPRECATE_EOF) {
        ngx_hyperdrive_mysql_ok_as(chain, NGX_HYPERDRIVE_MYSQL_EOF, caps, ok,
                                   seq);
        return;
    }

    ngx_hyperdrive_mysql_eof(chain, ok->status, ok->warnings, seq);
}


static void
ngx_hyperdrive_mysql_ok_as(ngx_hyperdrive_chain_t *chain, u_char first,
    uint64_t caps, ngx_hyperdrive_mysql_ok_t *ok, u_char *seq)
{
    size_t      len;
    u_char     *p;
    ngx_uint_t  status, info, changes;

    status = ok->status;

    changes = (caps & NGX_HYPERDRIVE_MYSQL_SESSION_TRACK)
              && ok->changes.len;

    /* the bit says that they follow, and may be news for no one else */

    status &= ~(ngx_uint_t) NGX_HYPERDRIVE_MYSQL_STATE_CHANGED;

    if (changes) {
        status |= NGX_HYPERDRIVE_MYSQL_STATE_CHANGED;
    }

    info = ok->info.len || changes;

    len = 1 + ngx_hyperdrive_mysql_lenc_size(ok->affected)
          + ngx_hyperdrive_mysql_lenc_size(ok->insert_id) + 2 + 2;

    if (info) {
        len += ngx_hyperdrive_mysql_lstr_size(ok->info.len);
    }

    if (changes) {
        len += ngx_hyperdrive_mysql_lstr_size(ok->changes.len);
    }

    p = ngx_hyperdrive_mysql_packet_begin(chain, len, seq);
    if (p == NULL) {
        return;
    }

    *p++ = first;
    p = ngx_hyperdrive_mysql_put_lenc(p, ok->affected);
    p = ngx_hyperdrive_mysql_put_lenc(p, ok->insert_id);
    p = ngx_hyperdrive_mysql_put_u16(p, status);
    p = ngx_hyperdrive_mysql_put_u16(p, ok->warnings);

    if (info) {
        p = ngx_hyperdrive_mysql_put_lstr(p, ok->info.data, ok->info.len);
    }

    if (changes) {
        (void) ngx_hyperdrive_mysql_put_lstr(p, ok->changes.data,
                                             ok->changes.len);
    }
}


void
ngx_hyperdrive_mysql_err(ngx_hyperdrive_chain_t *chain, uint64_t caps,
    ngx_uint_t code, const char *sqlstate, const void *message, size_t len,
    u_char *seq)
{
    u_char  *p;
    size_t   state;

    /* who has not said what it understands gets the old form */

    state = (caps & NGX_HYPERDRIVE_MYSQL_PROTOCOL_41) ? 6 : 0;

    p = ngx_hyperdrive_mysql_packet_begin(chain, 3 + state + len, seq);
    if (p == NULL) {
        return;
    }

    *p++ = NGX_HYPERDRIVE_MYSQL_ERR;
    p = ngx_hyperdrive_mysql_put_u16(p, code);

    if (state) {
        *p++ = '#';
        p = ngx_cpymem(p, sqlstate, 5);
    }

    ngx_memcpy(p, message, len);
}


void
ngx_hyperdrive_mysql_eof(ngx_hyperdrive_chain_t *chain, ngx_uint_t status,
    ngx_uint_t warnings, u_char *seq)
{
    u_char  *p;

    p = ngx_hyperdrive_mysql_packet_begin(chain, 5, seq);
    if (p == NULL) {
        return;
    }

    *p++ = NGX_HYPERDRIVE_MYSQL_EOF;
    p = ngx_hyperdrive_mysql_put_u16(p, warnings);
    (void) ngx_hyperdrive_mysql_put_u16(p, status);
}


ngx_int_t
ngx_hyperdrive_mysql_ok_read(ngx_str_t *payload, uint64_t caps,
    ngx_hyperdrive_mysql_ok_t *ok)
{
    u_char      *p, *last;
    ngx_uint_t   first;

    p = payload->data;
    last = p + payload->len;

    ngx_str_null(&ok->info);
    ngx_str_null(&ok->changes);

    p = ngx_hyperdrive_base_read_u8(p, last, &first);
    p = ngx_hyperdrive_mysql_read_lenc(p, last, &ok->affected);
    p = ngx_hyperdrive_mysql_read_lenc(p, last, &ok->insert_id);
    p = ngx_hyperdrive_mysql_read_u16(p, last, &ok->status);
    p = ngx_hyperdrive_mysql_read_u16(p, last, &ok->warnings);

    if (p == NULL) {
        return NGX_ERROR;
    }

    if (p < last) {

        /* with its length in front, though the manual has it up to the end */

        p = ngx_hyperdrive_mysql_read_lstr(p, last, &ok->info);
    }

    if (p && (caps & NGX_HYPERDRIVE_MYSQL_SESSION_TRACK)
        && (ok->status & NGX_HYPERDRIVE_MYSQL_STATE_CHANGED))
    {
        p = ngx_hyperdrive_mysql_read_lstr(p, last, &ok->changes);
    }

    return p ? NGX_OK : NGX_ERROR;
}


ngx_uint_t
ngx_hyperdrive_mysql_ok_schema(ngx_hyperdrive_mysql_ok_t *ok, ngx_str_t *name)
{
    u_char      *p, *last;
    ngx_str_t    entry;
    ngx_uint_t   told;

    ngx_str_null(name);

    if (ok->changes.len == 0) {
        return 0;
    }

    told = 0;

    p = ok->changes.data;
    last = p + ok->changes.len;

    while (p && p < last) {

        if (*p++ != NGX_HYPERDRIVE_MYSQL_TRACK_SCHEMA) {
            p = ngx_hyperdrive_mysql_read_lstr(p, last, &entry);
            continue;
        }

        p = ngx_hyperdrive_mysql_read_lstr(p, last, &entry);

        if (p && ngx_hyperdrive_mysql_read_lstr(entry.data,
                                                entry.data + entry.len, name))
        {
            told = 1;
        }
    }

    return told;
}


ngx_uint_t
ngx_hyperdrive_mysql_ok_changed(ngx_hyperdrive_mysql_ok_t *ok)
{
    u_char     *p, *last, type;
    ngx_str_t   entry;

    if (ok->changes.len == 0) {
        return 0;
    }

    p = ok->changes.data;
    last = p + ok->changes.len;

    while (p && p < last) {

        type = *p++;
        p = ngx_hyperdrive_mysql_read_lstr(p, last, &entry);

        if (p && (type == NGX_HYPERDRIVE_MYSQL_TRACK_VARIABLES
                  || type == NGX_HYPERDRIVE_MYSQL_TRACK_CHANGE))
        {
            return 1;
        }
    }

    return 0;
}


ngx_uint_t
ngx_hyperdrive_mysql_ok_untold(ngx_hyperdrive_mysql_ok_t *ok)
{
    u_char     *p, *last, *from, *to;
    ngx_str_t   entry;

    if (ok->changes.len == 0) {
        return 0;
    }

    p = ok->changes.data;
    last = p + ok->changes.len;
    to = p;

    while (p < last) {

        from = p++;
        p = ngx_hyperdrive_mysql_read_lstr(p, last, &entry);

        if (p == NULL) {
            /* malformed: as it came */
            p = last;

        } else if (*from == NGX_HYPERDRIVE_MYSQL_TRACK_CHANGE) {
            continue;
        }

        to = ngx_movemem(to, from, p - from);
    }

    ok->changes.len = to - ok->changes.data;

    if (ok->changes.len == 0) {
        /* an EOF would say it, too */
        ok->status &= ~(ngx_uint_t) NGX_HYPERDRIVE_MYSQL_STATE_CHANGED;
    }

    return to != last;
}


ngx_int_t
ngx_hyperdrive_mysql_err_read(ngx_str_t *payload,
    ngx_hyperdrive_mysql_err_t *err)
{
    u_char      *p, *last;
    ngx_uint_t   first;

    p = payload->data;
    last = p + payload->len;

    p = ngx_hyperdrive_base_read_u8(p, last, &first);
    p = ngx_hyperdrive_mysql_read_u16(p, last, &err->code);

    if (p == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(err->sqlstate, "HY000", 6);

    if (last - p >= 6 && *p == '#') {
        ngx_memcpy(err->sqlstate, p + 1, 5);
        p += 6;
    }

    err->message.data = p;
    err->message.len = last - p;

    return NGX_OK;
}


ngx_int_t
ngx_hyperdrive_mysql_eof_read(ngx_str_t *payload, ngx_uint_t *status,
    ngx_uint_t *warnings)
{
    u_char      *p, *last;
    ngx_uint_t   first;

    p = payload->data;
    last = p + payload->len;

    p = ngx_hyperdrive_base_read_u8(p, last, &first);
    p = ngx_hyperdrive_mysql_read_u16(p, last, warnings);
    p = ngx_hyperdrive_mysql_read_u16(p, last, status);

    return p ? NGX_OK : NGX_ERROR;
}


u_char *
ngx_hyperdrive_mysql_read_lenc(u_char *p, u_char *end, uint64_t *value)
{
    uint32_t    low, high;
    ngx_uint_t  first, word;

    p = ngx_hyperdrive_base_read_u8(p, end, &first);
    if (p == NULL) {
        return NULL;
    }

    switch (first) {

    case 0xfc:
        p = ngx_hyperdrive_mysql_read_u16(p, end, &word);
        if (p) {
            *value = word;
        }
        return p;

    case 0xfd:
        p = ngx_hyperdrive_mysql_read_u24(p, end, &low);
        if (p) {
            *value = low;
        }
        return p;

    case 0xfe:
        p = ngx_hyperdrive_mysql_read_u32(p, end, &low);
        p = ngx_hyperdrive_mysql_read_u32(p, end, &high);
        if (p) {
            *value = (uint64_t) high << 32 | low;
        }
        return p;

    case 0xfb:
    case 0xff:
        return NULL;

    default:
        *value = first;
        return p;
    }
}


u_char *
ngx_hyperdrive_mysql_read_lstr(u_char *p, u_char *end, ngx_str_t *value)
{
    uint64_t  len;

    p = ngx_hyperdrive_mysql_read_lenc(p, end, &len);

    /* compared before it is a size_t, which may be shorter */

    if (p == NULL || len > (uint64_t) (end - p)) {
        return NULL;
    }

    return ngx_hyperdrive_base_read_bytes(p, end, (size_t) len, value);
}


size_t
ngx_hyperdrive_mysql_lenc_size(uint64_t value)
{
    if (value < 0xfb) {
        return 1;
    }

    if (value <= 0xffff) {
        return 3;
    }

    return value <= 0xffffff ? 4 : 9;
}


u_char *
ngx_hyperdrive_mysql_put_lenc(u_char *p, uint64_t value)
{
    if (value < 0xfb) {
        *p++ = (u_char) value;
        return p;
    }

    if (value <= 0xffff) {
        *p++ = 0xfc;
        return ngx_hyperdrive_mysql_put_u16(p, (ngx_uint_t) value);
    }

    if (value <= 0xffffff) {
        *p++ = 0xfd;
        return ngx_hyperdrive_mysql_put_u24(p, (uint32_t) value);
    }

    *p++ = 0xfe;
    p = ngx_hyperdrive_mysql_put_u32(p, (uint32_t) value);

    return ngx_hyperdrive_mysql_put_u32(p, (uint32_t) (value >> 32));
}


u_char *
ngx_hyperdrive_mysql_put_lstr(u_char *p, const void *data, size_t len)
{
    p = ngx_hyperdrive_mysql_put_lenc(p, len);

    return len ? ngx_cpymem(p, data, len) : p;
}
