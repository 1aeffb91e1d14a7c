/* sources: base/ngx_hyperdrive_base_mode.c sql/ngx_hyperdrive_sql_classify.c sql/ngx_hyperdrive_sql_clock.c sql/ngx_hyperdrive_sql_ddl.c sql/ngx_hyperdrive_sql_expr.c sql/ngx_hyperdrive_sql_lexer.c sql/ngx_hyperdrive_sql_mysql.c sql/ngx_hyperdrive_sql_mysql_assign.c sql/ngx_hyperdrive_sql_mysql_body.c sql/ngx_hyperdrive_sql_mysql_classify.c sql/ngx_hyperdrive_sql_mysql_ddl.c sql/ngx_hyperdrive_sql_mysql_expr.c sql/ngx_hyperdrive_sql_mysql_functions.c sql/ngx_hyperdrive_sql_mysql_lexer.c sql/ngx_hyperdrive_sql_mysql_query.c sql/ngx_hyperdrive_sql_mysql_scan.c sql/ngx_hyperdrive_sql_names.c sql/ngx_hyperdrive_sql_pg.c sql/ngx_hyperdrive_sql_pg_functions.c sql/ngx_hyperdrive_sql_query.c sql/ngx_hyperdrive_sql_scan.c sql/ngx_hyperdrive_sql_transaction.c */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * Says what the classifier thinks of MySQL's statements, for
 * t/mysql_classify.t.  The argument is the server's version; from the input it
 * takes lengths, each on a line of its own with the text behind it, and gives
 * a line for each: see sql_mysql_describe.h.
 */


#include "sql_mysql_describe.h"
#include "base/ngx_hyperdrive_base_mode.h"

#include <stdio.h>


static u_char  text[1 << 20], names[1 << 20];


int
main(int argc, char **argv)
{
    size_t                             len;
    ngx_str_t                          str, charset, none;
    ngx_hyperdrive_sql_mode_t          mode;

    static ngx_hyperdrive_sql_facts_t  facts;

    if (argc != 2) {
        return 2;
    }

    str.data = (u_char *) argv[1];
    str.len = strlen(argv[1]);

    ngx_str_set(&charset, "utf8mb4");
    ngx_str_set(&none, "");

    ngx_hyperdrive_sql_mode(ngx_hyperdrive_base_mode_mysql(&str, &charset,
                                                           &none),
                            &mode);

    while (scanf("%zu", &len) == 1 && len <= sizeof(text)) {
        (void) getchar();

        if (fread(text, 1, len, stdin) != len) {
            break;
        }

        str.data = text;
        str.len = len;

        ngx_hyperdrive_sql_classify(&str, &mode, names, len, &facts);

        printf("%s\n", describe(&facts));
        fflush(stdout);
    }

    return 0;
}
