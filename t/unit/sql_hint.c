/* sources: sql/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/* Tests of the hints in front of a statement. */


#include "sql/ngx_hyperdrive_sql_hint.h"
#include "check.h"


#define NONE     ((uint64_t) -1)
#define NOT      ((uint64_t) -2)     /* no-cache */


static ngx_hyperdrive_sql_mode_t  mode;


/* what the text asks for: a time, NONE or NOT */

static uint64_t
read_hint(const char *s, size_t len)
{
    ngx_str_t                  text;
    ngx_hyperdrive_sql_hint_t  hint;

    /* of just the size, so that ASan sees a byte too many */

    text.data = malloc(len ? len : 1);
    text.len = len;
    ngx_memcpy(text.data, s, len);

    ngx_hyperdrive_sql_hint(&text, &mode, &hint);

    free(text.data);

    return hint.no_cache ? NOT : hint.aged ? hint.max_age : NONE;
}


static void
is(const char *s, uint64_t expected)
{
    size_t      i;
    uint64_t    got;
    ngx_uint_t  good;

    got = read_hint(s, strlen(s));
    good = (got == expected);

    /* cut anywhere it is nothing else, or nothing */

    for (i = 0; i < strlen(s); i++) {
        got = read_hint(s, i);
        good &= (got == NONE || got == expected);
    }

    ok(good, s);
}


int
main(void)
{
    is("SELECT 1", NONE);
    is("", NONE);
    is("/* hyperdrive: max_age=5 */ SELECT 1", 5000);
    is("/*hyperdrive:max_age=5*/SELECT 1", 5000);
    is("  \t/* HyperDrive: MAX_AGE=5s */ SELECT 1", 5000);
    is("/* hyperdrive: max_age=250ms */ SELECT 1", 250);
    is("/* hyperdrive: max_age=2m */ SELECT 1", 120000);
    is("/* hyperdrive: max_age=1h */ SELECT 1", 3600000);
    is("/* hyperdrive: max_age=1d */ SELECT 1", 86400000);
    is("/* hyperdrive: max_age=99999999999999999999999d */ SELECT 1",
       NGX_HYPERDRIVE_SQL_HINT_MAX);
    is("/* hyperdrive: max_age=0 */ SELECT 1", NOT);
    is("/* hyperdrive: no-cache */ SELECT 1", NOT);
    is("/* hyperdrive: no-cache, max_age=5 */ SELECT 1", NOT);
    is("/* hyperdrive: max_age=5,other=7 */ SELECT 1", 5000);
    is("/* hyperdrive: max_age= */ SELECT 1", NONE);
    is("/* hyperdrive: max_age=x */ SELECT 1", NONE);
    is("/* hyperdrive: max_age=5x */ SELECT 1", NONE);
    is("/* hyperdrive: max_age=5ss */ SELECT 1", NONE);
    is("/* hyperdrive: max_age=-5 */ SELECT 1", NONE);
    is("/* hyperdrive: no-caches */ SELECT 1", NONE);
    is("/* hyperdrive max_age=5 */ SELECT 1", NONE);
    is("/* say hyperdrive: max_age=5 */ SELECT 1", NONE);
    is("/* a */ -- b\n/* hyperdrive: max_age=5 */ SELECT 1", 5000);
    is("/* a /* hyperdrive: max_age=5 */ */ SELECT 1", NONE);
    is("/* hyperdrive: max_age=5 /* */ */ SELECT 1", 5000);
    is("-- /* hyperdrive: max_age=5 */\nSELECT 1", NONE);
    is("-- hyperdrive: max_age=5\nSELECT 1", NONE);
    is("/* hyperdrive: max_age=5 SELECT 1", NONE);
    is("SELECT 1 /* hyperdrive: max_age=5 */", NONE);
    is("SELECT '/* hyperdrive: max_age=5 */'", NONE);
    is("/* hyperdrive: */ SELECT 1", NONE);
    is("/**/SELECT 1", NONE);
    is("/*/ hyperdrive: max_age=5 */ SELECT 1", NONE);

    mode.mysql = 1;

    is("# a\n/* hyperdrive: max_age=5 */ SELECT 1", 5000);
    is("/* hyperdrive: no-cache /* not nested */ SELECT 1", NOT);
    is("-- a\r/* hyperdrive: no-cache */ SELECT 1", NONE);
    is("/*! hyperdrive: no-cache */ SELECT 1", NONE);

    return done();
}
