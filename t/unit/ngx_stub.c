
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * The few functions of nginx that rooms without events need, so that their
 * tests run without nginx.  All are weak: a test may bring its own.
 */


#include <ngx_config.h>
#include <ngx_core.h>


#define ngx_stub  __attribute__((weak))


typedef struct ngx_stub_chunk_s  ngx_stub_chunk_t;

/* each allocation is one of malloc's, so that ASan sees its bounds */

struct ngx_stub_chunk_s {
    ngx_stub_chunk_t        *next;
    void                    *data;
};


typedef struct {
    ngx_pool_t               pool;
    ngx_stub_chunk_t        *chunks;
} ngx_stub_pool_t;


static u_char *ngx_stub_number(u_char *buf, u_char *last, uint64_t n,
    ngx_uint_t negative, ngx_uint_t base, ngx_uint_t upper, ngx_uint_t width,
    u_char fill);


ngx_stub ngx_uint_t             ngx_pagesize = 4096;
ngx_stub ngx_uint_t             ngx_pagesize_shift = 12;
ngx_stub ngx_uint_t             ngx_cacheline_size = 64;
ngx_stub ngx_int_t              ngx_ncpu = 1;
ngx_stub ngx_pid_t              ngx_pid = 1;
ngx_stub ngx_pid_t              ngx_parent;
ngx_stub sig_atomic_t           ngx_quit;
ngx_stub sig_atomic_t           ngx_terminate;
ngx_stub volatile ngx_cycle_t  *ngx_cycle;
ngx_stub volatile ngx_msec_t    ngx_current_msec;

static ngx_time_t               ngx_stub_time;
ngx_stub volatile ngx_time_t   *ngx_cached_time = &ngx_stub_time;


ngx_stub void
ngx_localtime(time_t s, ngx_tm_t *tm)
{
    ngx_memzero(tm, sizeof(ngx_tm_t));
}


ngx_stub void
ngx_log_error_core(ngx_uint_t level, ngx_log_t *log, ngx_err_t err,
    const char *fmt, ...)
{
    /* void */
}


ngx_stub void *
ngx_alloc(size_t size, ngx_log_t *log)
{
    return malloc(size);
}


ngx_stub void *
ngx_calloc(size_t size, ngx_log_t *log)
{
    return calloc(1, size);
}


ngx_stub ngx_pool_t *
ngx_create_pool(size_t size, ngx_log_t *log)
{
    ngx_stub_pool_t  *stub;

    stub = calloc(1, sizeof(ngx_stub_pool_t));
    if (stub == NULL) {
        return NULL;
    }

    stub->pool.log = log;
    stub->pool.max = size;
    stub->pool.current = &stub->pool;

    return &stub->pool;
}


ngx_stub void
ngx_destroy_pool(ngx_pool_t *pool)
{
    ngx_stub_pool_t     *stub = (ngx_stub_pool_t *) pool;

    ngx_stub_chunk_t    *chunk, *next;
    ngx_pool_cleanup_t  *cln;

    for (cln = pool->cleanup; cln; cln = cln->next) {
        if (cln->handler) {
            cln->handler(cln->data);
        }
    }

    for (chunk = stub->chunks; chunk; chunk = next) {
        next = chunk->next;
        free(chunk->data);
        free(chunk);
    }

    free(stub);
}


ngx_stub void *
ngx_palloc(ngx_pool_t *pool, size_t size)
{
    ngx_stub_pool_t   *stub = (ngx_stub_pool_t *) pool;

    ngx_stub_chunk_t  *chunk;

    chunk = malloc(sizeof(ngx_stub_chunk_t));
    if (chunk == NULL) {
        return NULL;
    }

    chunk->data = malloc(size ? size : 1);
    if (chunk->data == NULL) {
        free(chunk);
        return NULL;
    }

    chunk->next = stub->chunks;
    stub->chunks = chunk;

    return chunk->data;
}


ngx_stub void *
ngx_pnalloc(ngx_pool_t *pool, size_t size)
{
    return ngx_palloc(pool, size);
}


ngx_stub void *
ngx_pcalloc(ngx_pool_t *pool, size_t size)
{
    void  *p;

    p = ngx_palloc(pool, size);

    if (p) {
        ngx_memzero(p, size);
    }

    return p;
}


ngx_stub ngx_int_t
ngx_pfree(ngx_pool_t *pool, void *p)
{
    ngx_stub_pool_t    *stub = (ngx_stub_pool_t *) pool;

    ngx_stub_chunk_t   *chunk;
    ngx_stub_chunk_t  **link;

    for (link = &stub->chunks; *link; link = &(*link)->next) {

        chunk = *link;

        if (chunk->data == p) {
            *link = chunk->next;
            free(chunk->data);
            free(chunk);
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


ngx_stub ngx_pool_cleanup_t *
ngx_pool_cleanup_add(ngx_pool_t *pool, size_t size)
{
    ngx_pool_cleanup_t  *cln;

    cln = ngx_pcalloc(pool, sizeof(ngx_pool_cleanup_t));
    if (cln == NULL) {
        return NULL;
    }

    if (size) {
        cln->data = ngx_palloc(pool, size);
        if (cln->data == NULL) {
            return NULL;
        }
    }

    cln->next = pool->cleanup;
    pool->cleanup = cln;

    return cln;
}


ngx_stub ngx_uint_t
ngx_hash_key(u_char *data, size_t len)
{
    size_t      i;
    ngx_uint_t  key;

    key = 0;

    for (i = 0; i < len; i++) {
        key = ngx_hash(key, data[i]);
    }

    return key;
}


ngx_stub void
ngx_strlow(u_char *dst, u_char *src, size_t n)
{
    size_t  i;

    for (i = 0; i < n; i++) {
        dst[i] = ngx_tolower(src[i]);
    }
}


ngx_stub u_char *
ngx_cpystrn(u_char *dst, u_char *src, size_t n)
{
    size_t  len;

    if (n == 0) {
        return dst;
    }

    len = strnlen((char *) src, n - 1);

    ngx_memcpy(dst, src, len);
    dst[len] = '\0';

    return dst + len;
}


ngx_stub u_char *
ngx_strlcasestrn(u_char *s1, u_char *last, u_char *s2, size_t n)
{
    /* <n> is the length of <s2> less one, as in nginx */

    for (n++; (size_t) (last - s1) >= n && s1 < last; s1++) {

        if (ngx_strncasecmp(s1, s2, n) == 0) {
            return s1;
        }
    }

    return NULL;
}


ngx_int_t
ngx_strncasecmp(u_char *s1, u_char *s2, size_t n)
{
    size_t     i;
    ngx_int_t  diff;

    for (i = 0; i < n; i++) {

        diff = (ngx_int_t) ngx_tolower(s1[i]) - (ngx_int_t) ngx_tolower(s2[i]);

        if (diff || s1[i] == '\0') {
            return diff;
        }
    }

    return 0;
}


ngx_stub ngx_int_t
ngx_strcasecmp(u_char *s1, u_char *s2)
{
    return ngx_strncasecmp(s1, s2, NGX_MAX_SIZE_T_VALUE);
}


ngx_stub ngx_int_t
ngx_memn2cmp(u_char *s1, u_char *s2, size_t n1, size_t n2)
{
    ngx_int_t  rc;

    rc = ngx_memcmp(s1, s2, ngx_min(n1, n2));

    if (rc || n1 == n2) {
        return rc;
    }

    return n1 < n2 ? -1 : 1;
}


ngx_stub ngx_int_t
ngx_atoi(u_char *line, size_t n)
{
    size_t     i;
    ngx_int_t  value;

    value = 0;

    for (i = 0; i < n; i++) {

        if (line[i] < '0' || line[i] > '9'
            || value > (NGX_MAX_INT_T_VALUE - (line[i] - '0')) / 10)
        {
            return NGX_ERROR;
        }

        value = value * 10 + (line[i] - '0');
    }

    return n ? value : NGX_ERROR;
}


ngx_stub ngx_int_t
ngx_hextoi(u_char *line, size_t n)
{
    u_char     c;
    ngx_int_t  value;

    if (n == 0) {
        return NGX_ERROR;
    }

    for (value = 0; n--; line++) {
        c = *line | 0x20;

        if (*line >= '0' && *line <= '9') {
            value = value * 16 + (*line - '0');

        } else if (c >= 'a' && c <= 'f') {
            value = value * 16 + (c - 'a' + 10);

        } else {
            return NGX_ERROR;
        }
    }

    return value;
}


ngx_stub u_char *
ngx_hex_dump(u_char *dst, u_char *src, size_t len)
{
    size_t  i;

    for (i = 0; i < len; i++) {
        *dst++ = "0123456789abcdef"[src[i] >> 4];
        *dst++ = "0123456789abcdef"[src[i] & 0x0f];
    }

    return dst;
}


ngx_stub u_char *
ngx_sprintf(u_char *buf, const char *fmt, ...)
{
    u_char   *p;
    va_list   args;

    va_start(args, fmt);
    p = ngx_vslprintf(buf, (void *) -1, fmt, args);
    va_end(args);

    return p;
}


ngx_stub u_char *
ngx_snprintf(u_char *buf, size_t max, const char *fmt, ...)
{
    u_char   *p;
    va_list   args;

    va_start(args, fmt);
    p = ngx_vslprintf(buf, buf + max, fmt, args);
    va_end(args);

    return p;
}


ngx_stub u_char *
ngx_slprintf(u_char *buf, u_char *last, const char *fmt, ...)
{
    u_char   *p;
    va_list   args;

    va_start(args, fmt);
    p = ngx_vslprintf(buf, last, fmt, args);
    va_end(args);

    return p;
}


/*
 * nginx's formats, as the comment above its own function lists them, but for
 * fractions, file offsets beyond 64 bits and what no room here uses.
 */

ngx_stub u_char *
ngx_vslprintf(u_char *buf, u_char *last, const char *fmt, va_list args)
{
    int64_t               i;
    size_t                len, room;
    uint64_t              n;
    ngx_str_t            *v;
    u_char               *p, fill, c;
    ngx_uint_t            base, is_signed, max, upper, width;
    ngx_variable_value_t *vv;

    for ( /* void */ ; *fmt && buf < last; fmt++) {

        if (*fmt != '%') {
            *buf++ = (u_char) *fmt;
            continue;
        }

        fmt++;

        fill = ' ';
        width = 0;
        is_signed = 1;
        base = 10;
        upper = 0;
        max = 0;
        len = (size_t) -1;

        if (*fmt == '0') {
            fill = '0';
        }

        while (*fmt >= '0' && *fmt <= '9') {
            width = width * 10 + (*fmt++ - '0');
        }

        for ( ;; fmt++) {

            if (*fmt == 'u') {
                is_signed = 0;

            } else if (*fmt == 'm') {
                max = 1;

            } else if (*fmt == 'x' || *fmt == 'X') {
                base = 16;
                upper = (*fmt == 'X');
                is_signed = 0;

            } else if (*fmt == '*') {
                len = va_arg(args, size_t);

            } else {
                break;
            }
        }

        i = 0;
        n = 0;
        p = NULL;

        switch (*fmt) {

        case '\0':
            return buf;

        case 'V':
            v = va_arg(args, ngx_str_t *);
            p = v->data;
            len = v->len;
            break;

        case 'v':
            vv = va_arg(args, ngx_variable_value_t *);
            p = vv->data;
            len = vv->len;
            break;

        case 's':
            p = va_arg(args, u_char *);

            if (len == (size_t) -1) {
                len = ngx_strlen(p);
            }

            break;

        case 'c':
            c = (u_char) va_arg(args, int);
            *buf++ = c;
            continue;

        case 'Z':
            *buf++ = '\0';
            continue;

        case 'N':
            *buf++ = LF;
            continue;

        case '%':
            *buf++ = '%';
            continue;

        case 'O':
            i = (int64_t) va_arg(args, off_t);
            is_signed = 1;
            break;

        case 'P':
            i = (int64_t) va_arg(args, ngx_pid_t);
            is_signed = 1;
            break;

        case 'T':
            i = (int64_t) va_arg(args, time_t);
            is_signed = 1;
            break;

        case 'M':
            i = (int64_t) va_arg(args, ngx_msec_int_t);
            n = (uint64_t) i;
            is_signed = (i == -1);
            break;

        case 'z':

            if (is_signed) {
                i = (int64_t) va_arg(args, ssize_t);

            } else {
                n = (uint64_t) va_arg(args, size_t);
            }

            break;

        case 'i':

            if (is_signed) {
                i = (int64_t) va_arg(args, ngx_int_t);

            } else {
                n = (uint64_t) va_arg(args, ngx_uint_t);
            }

            if (max) {
                width = NGX_INT_T_LEN;
            }

            break;

        case 'd':

            if (is_signed) {
                i = (int64_t) va_arg(args, int);

            } else {
                n = (uint64_t) va_arg(args, u_int);
            }

            break;

        case 'l':

            if (is_signed) {
                i = (int64_t) va_arg(args, long);

            } else {
                n = (uint64_t) va_arg(args, u_long);
            }

            break;

        case 'D':

            if (is_signed) {
                i = (int64_t) va_arg(args, int32_t);

            } else {
                n = (uint64_t) va_arg(args, uint32_t);
            }

            break;

        case 'L':

            if (is_signed) {
                i = va_arg(args, int64_t);

            } else {
                n = va_arg(args, uint64_t);
            }

            break;

        case 'A':

            if (is_signed) {
                i = (int64_t) va_arg(args, ngx_atomic_int_t);

            } else {
                n = (uint64_t) va_arg(args, ngx_atomic_uint_t);
            }

            break;

        case 'p':
            n = (uint64_t) (uintptr_t) va_arg(args, void *);
            base = 16;
            upper = 1;
            is_signed = 0;
            fill = '0';
            width = 2 * sizeof(void *);
            break;

        default:
            *buf++ = (u_char) *fmt;
            continue;
        }

        if (*fmt == 'V' || *fmt == 'v' || *fmt == 's') {

            room = (uintptr_t) last - (uintptr_t) buf;

            if (base == 16) {

                for ( /* void */ ; len && room >= 2; len--, room -= 2) {
                    *buf++ = (upper ? "0123456789ABCDEF"
                                    : "0123456789abcdef")[*p >> 4];
                    *buf++ = (upper ? "0123456789ABCDEF"
                                    : "0123456789abcdef")[*p++ & 0x0f];
                }

                continue;
            }

            len = ngx_min(len, room);

            if (len) {
                buf = ngx_cpymem(buf, p, len);
            }

            continue;
        }

        if (is_signed) {
            n = (i < 0) ? 0 - (uint64_t) i : (uint64_t) i;
        }

        buf = ngx_stub_number(buf, last, n, is_signed && i < 0, base, upper,
                              width, fill);
    }

    return buf;
}


static u_char *
ngx_stub_number(u_char *buf, u_char *last, uint64_t n, ngx_uint_t negative,
    ngx_uint_t base, ngx_uint_t upper, ngx_uint_t width, u_char fill)
{
    u_char       text[32];
    ngx_uint_t   len;
    const char  *digits;

    digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    len = 0;

    do {
        text[len++] = digits[n % base];
        n /= base;
    } while (n);

    if (negative && buf < last) {
        *buf++ = '-';
    }

    while (width > len && buf < last) {
        *buf++ = fill;
        width--;
    }

    while (len && buf < last) {
        *buf++ = text[--len];
    }

    return buf;
}
