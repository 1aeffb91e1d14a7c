
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/* what a unit test has checked, told as TAP */


#ifndef _CHECK_H_INCLUDED_
#define _CHECK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <stdarg.h>
#include <stdio.h>


static ngx_uint_t  ntests, nfailed;


/* a name may be any text, of which the beginning is shown; returns <good> */

static ngx_inline ngx_uint_t
ok(ngx_uint_t good, const char *name)
{
    const char  *p;

    ntests++;
    nfailed += !good;

    printf("%sok %d - ", good ? "" : "not ", (int) ntests);

    for (p = name; *p && p < name + 240; p++) {
        putchar((u_char) *p < ' ' || *p == '#' ? ' ' : *p);
    }

    putchar('\n');

    /* a process that is forked does not say it again */
    fflush(stdout);

    return good;
}


static ngx_inline ngx_uint_t __attribute__((format(printf, 2, 3)))
okf(ngx_uint_t good, const char *fmt, ...)
{
    char     name[256];
    va_list  args;

    va_start(args, fmt);
    vsnprintf(name, sizeof(name), fmt, args);
    va_end(args);

    return ok(good, name);
}


/* what cannot be tried here */

static ngx_inline void
skip(const char *name, const char *why)
{
    printf("ok %d - %s # SKIP %s\n", (int) ++ntests, name, why);
    fflush(stdout);
}


/* what main() returns */

static ngx_inline int
done(void)
{
    printf("1..%d\n", (int) ntests);

    return nfailed != 0;
}


#endif /* _CHECK_H_INCLUDED_ */
