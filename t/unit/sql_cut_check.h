
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * For readers of a text: what one says of it, as a text, is compared, and it is
 * cut at every byte.
 */


#ifndef _SQL_CUT_CHECK_H_INCLUDED_
#define _SQL_CUT_CHECK_H_INCLUDED_


#include "sql/ngx_hyperdrive_sql.h"

#include <stdio.h>


static ngx_uint_t                 ntests, nfailed;
static ngx_hyperdrive_sql_mode_t  mode;


static inline void
check(const char *s, const char *expected,
    void (*describe)(ngx_str_t *text, char *out, size_t size))
{
    char        got[512];
    ngx_str_t   text;
    ngx_uint_t  good;

    got[0] = '\0';

    for (text.len = 0; text.len <= strlen(s); text.len++) {

        /* of just the size, so that ASan sees a byte too many */

        text.data = malloc(text.len ? text.len : 1);
        ngx_memcpy(text.data, s, text.len);

        describe(&text, got, sizeof(got));

        free(text.data);
    }

    good = (strcmp(got, expected) == 0);

    ntests++;
    nfailed += !good;

    printf("%sok %d - %s\n", good ? "" : "not ", (int) ntests, s);

    if (!good) {
        printf("# got: %s\n", got);
    }
}


static inline int
done(void)
{
    printf("1..%d\n", (int) ntests);

    return nfailed ? 1 : 0;
}


#endif /* _SQL_CUT_CHECK_H_INCLUDED_ */
