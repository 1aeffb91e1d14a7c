
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * What MariaDB's protocol has beyond MySQL's, by Connector/C: bulk and direct
 * execution, types that are told in full; and old commands, COM_FIELD_LIST
 * among them: mysql_maria PORT [compress]
 */


#include <mysql.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


#define ROWS  300


static MYSQL  *db;


static void
check(int bad, const char *what)
{
    if (bad) {
        printf("%s failed: %u %s\n", what, mysql_errno(db), mysql_error(db));
        exit(1);
    }
}


static void
check_stmt(int bad, MYSQL_STMT *st, const char *what)
{
    if (bad) {
        printf("%s failed: %u %s\n", what, mysql_stmt_errno(st),
               mysql_stmt_error(st));
        exit(1);
    }
}


static void
query(const char *sql)
{
    MYSQL_RES  *r;
    MYSQL_ROW   row;

    check(mysql_query(db, sql), sql);

    r = mysql_store_result(db);

    while (r && (row = mysql_fetch_row(r))) {
        printf("%s: %s\n", sql, row[0] ? row[0] : "NULL");
    }

    mysql_free_result(r);
}


/* arrays of parameters, with NULLs and defaults among them, in one command */

static void
bulk(unsigned int n, int times)
{
    int            i;
    int            ids[ROWS];
    char          *names[ROWS], texts[ROWS][32], ind[ROWS];
    MYSQL_BIND     b[2];
    MYSQL_STMT    *st;
    unsigned long  lens[ROWS];

    for (i = 0; i < (int) n; i++) {
        ids[i] = i;
        lens[i] = sprintf(texts[i], "name %d", i);
        names[i] = texts[i];
        ind[i] = (i % 7 == 0) ? STMT_INDICATOR_NULL
                 : (i % 5 == 0) ? STMT_INDICATOR_DEFAULT : STMT_INDICATOR_NONE;
    }

    memset(b, 0, sizeof(b));
    b[0].buffer_type = MYSQL_TYPE_LONG;
    b[0].buffer = ids;
    b[1].buffer_type = MYSQL_TYPE_STRING;
    b[1].buffer = names;
    b[1].length = lens;
    b[1].u.indicator = ind;

    st = mysql_stmt_init(db);
    check_stmt(mysql_stmt_prepare(st, "INSERT INTO maria_t (n, name) "
                                      "VALUES (?, ?)", -1),
               st, "prepare");

    mysql_stmt_attr_set(st, STMT_ATTR_ARRAY_SIZE, &n);
    check_stmt(mysql_stmt_bind_param(st, b), st, "bind");

    while (times--) {
        check_stmt(mysql_stmt_execute(st), st, "bulk");
        printf("bulk: %llu rows\n",
               (unsigned long long) mysql_stmt_affected_rows(st));
    }

    mysql_stmt_close(st);

    query("SELECT CONCAT_WS(' ', COUNT(*), SUM(n), COUNT(name), MAX(name)) "
          "FROM maria_t");
}


/* prepared and executed in one go, without a word of the server in between */

static void
direct(const char *sql, int n, int must_fail)
{
    int         i, bad, value;
    char        text[100];
    MYSQL_BIND  b, out[2];
    MYSQL_STMT *st;

    memset(&b, 0, sizeof(b));
    b.buffer_type = MYSQL_TYPE_LONG;
    b.buffer = &value;

    memset(out, 0, sizeof(out));
    out[0].buffer_type = MYSQL_TYPE_LONG;
    out[0].buffer = &i;
    out[1].buffer_type = MYSQL_TYPE_STRING;
    out[1].buffer = text;
    out[1].buffer_length = sizeof(text);

    st = mysql_stmt_init(db);

    for (value = n; value < n + 3; value++) {
        unsigned int  one = 1;

        mysql_stmt_attr_set(st, STMT_ATTR_PREBIND_PARAMS, &one);
        check_stmt(mysql_stmt_bind_param(st, &b), st, "bind");

        bad = mariadb_stmt_execute_direct(st, sql, -1);

        if (bad && must_fail) {
            printf("direct: %u %s\n", mysql_stmt_errno(st),
                   mysql_stmt_error(st));
            mysql_stmt_close(st);
            st = mysql_stmt_init(db);
            continue;
        }

        check_stmt(bad, st, sql);

        if (mysql_stmt_field_count(st) == 0) {
            printf("direct: %llu rows\n",
                   (unsigned long long) mysql_stmt_affected_rows(st));
            continue;
        }

        check_stmt(mysql_stmt_bind_result(st, out), st, "bind result");

        while (mysql_stmt_fetch(st) == 0) {
            printf("direct: %d %s\n", i, text);
        }
    }

    mysql_stmt_close(st);
}


/* what columns are, in the server's own words */

static void
fields(MYSQL_RES *r, const char *how)
{
    unsigned              i, n, k;
    MYSQL_FIELD          *f;
    MARIADB_CONST_STRING  s;

    n = mysql_num_fields(r);
    f = mysql_fetch_fields(r);

    for (i = 0; i < n; i++) {
        printf("%s: %s type %d flags %u", how, f[i].name, f[i].type,
               f[i].flags);

        for (k = 0; k <= MARIADB_FIELD_ATTR_LAST; k++) {

            if (mariadb_field_attr(&s, &f[i], k) == 0 && s.length) {
                printf(" %.*s", (int) s.length, s.str);
            }
        }

        printf("\n");
    }
}


static void
types(void)
{
    int          i;
    MYSQL_RES   *r;
    MYSQL_STMT  *st;

    /* asked twice: an answer may be one that is kept */

    for (i = 0; i < 2; i++) {
        check(mysql_query(db, "SELECT * FROM maria_types"), "select");
        r = mysql_store_result(db);
        fields(r, "query");
        printf("%lu rows\n", (unsigned long) mysql_num_rows(r));
        mysql_free_result(r);
    }

    st = mysql_stmt_init(db);
    check_stmt(mysql_stmt_prepare(st, "SELECT * FROM maria_types", -1), st,
               "prepare");
    r = mysql_stmt_result_metadata(st);
    fields(r, "prepared");
    mysql_free_result(r);

    for (i = 0; i < 2; i++) {
        check_stmt(mysql_stmt_execute(st), st, "execute");
        check_stmt(mysql_stmt_store_result(st), st, "store");
        r = mysql_stmt_result_metadata(st);
        fields(r, "executed");
        mysql_free_result(r);
        printf("%lu rows\n", (unsigned long) mysql_stmt_num_rows(st));
        mysql_stmt_free_result(st);
    }

    mysql_stmt_close(st);

    r = mysql_list_fields(db, "maria_types", NULL);
    check(r == NULL, "list fields");
    fields(r, "listed");
    mysql_free_result(r);

    r = mysql_list_fields(db, "maria_t", "n%");
    check(r == NULL, "list fields");
    fields(r, "listed");
    mysql_free_result(r);

    r = mysql_list_fields(db, "nowhere", NULL);
    printf("list fields of nowhere: %s\n", r ? "?" : mysql_error(db));
}


static void
old(void)
{
    const char  *stat;

    stat = mysql_stat(db);
    check(stat == NULL || strncmp(stat, "Uptime: ", 8) != 0, "statistics");

    printf("option on: %d\n",
           mysql_set_server_option(db, MYSQL_OPTION_MULTI_STATEMENTS_ON));
    check(mysql_query(db, "SELECT 1; SELECT 2"), "two statements");

    do {
        mysql_free_result(mysql_store_result(db));
        printf("a result\n");
    } while (mysql_next_result(db) == 0);

    printf("option off: %d\n",
           mysql_set_server_option(db, MYSQL_OPTION_MULTI_STATEMENTS_OFF));
    printf("two statements: %d",  mysql_query(db, "SELECT 1; SELECT 2"));
    printf(" %u\n", mysql_errno(db));
    printf("debug: %d\n", mysql_dump_debug_info(db));
    printf("ping: %d\n", mysql_ping(db));
}


int
main(int argc, char **argv)
{
    db = mysql_init(NULL);

    if (argc > 2) {
        mysql_options(db, MYSQL_OPT_COMPRESS, NULL);
    }

    check(mysql_real_connect(db, "127.0.0.1", "app", "secret", "shop",
                             atoi(argv[1]), NULL, 0)
          == NULL, "connect");

    query("DROP TABLE IF EXISTS maria_t, maria_types");
    query("CREATE TABLE maria_t (n INT, name VARCHAR(100) DEFAULT 'none')");
    query("CREATE TABLE maria_types (id INT PRIMARY KEY, j JSON, u UUID, "
          "a INET6, g GEOMETRY, p POINT, t TIMESTAMP(3) NULL, v VARCHAR(9))");
    query("INSERT INTO maria_types VALUES (1, '{}', UUID(), '::1', "
          "Point(1, 2), Point(3, 4), NULL, 'x')");

    bulk(1, 1);
    bulk(ROWS, 3);

    direct("INSERT INTO maria_t (n) VALUES (?)", 1000, 0);
    direct("SELECT n, name FROM maria_t WHERE n = ? LIMIT 1", 3, 0);
    direct("SELECT n, name FROM maria_t WHERE n = ? LIMIT 1", 3, 0);
    direct("SELECT nonsense FROM maria_t WHERE n = ?", 3, 1);
    direct("INSERT INTO maria_t (n, name) VALUES (?, REPEAT('x', 200))", 3, 1);

    types();
    old();

    query("DROP TABLE maria_t, maria_types");

    mysql_close(db);

    return 0;
}
