
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
#include "check.h"


static ngx_hyperdrive_sql_mode_t  mode;


static inline void
check(const char *s, const char *expected,
    void (*describe)(ngx_str_t *text, char *out, size_t size))
{
    char       got[512];
    ngx_str_t  text;

    got[0] = '\0';

    for (text.len = 0; text.len <= strlen(s); text.len++) {

        /* of just the size, so that ASan sees a byte too many */

        text.data = malloc(text.len ? text.len : 1);
        ngx_memcpy(text.data, s, text.len);

        describe(&text, got, sizeof(got));

        free(text.data);
    }

    if (!ok(strcmp(got, expected) == 0, s)) {
        printf("# got: %s\n", got);
    }
}


#endif /* _SQL_CUT_CHECK_H_INCLUDED_ */
