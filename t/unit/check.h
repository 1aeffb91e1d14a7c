
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/* what a unit test has checked, told as TAP */


#ifndef _CHECK_H_INCLUDED_
#define _CHECK_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>

#include <stdio.h>


static ngx_uint_t  ntests, nfailed;


static ngx_inline void
ok(ngx_uint_t good, const char *name)
{
    ntests++;
    nfailed += !good;

    printf("%sok %d - %s\n", good ? "" : "not ", (int) ntests, name);
}


/* what main() returns */

static ngx_inline int
done(void)
{
    printf("1..%d\n", (int) ntests);

    return nfailed != 0;
}


#endif /* _CHECK_H_INCLUDED_ */
