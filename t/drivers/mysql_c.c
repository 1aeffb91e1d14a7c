
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/* MariaDB Connector/C with prepared statements: mysql_c PORT */


#include <mysql.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>


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
query(const char *sql)
{
    MYSQL_RES  *r;
    MYSQL_ROW   row;

    check(mysql_query(db, sql), sql);

    do {
        r = mysql_store_result(db);

        while (r && (row = mysql_fetch_row(r))) {
            printf("%s: %s\n", sql, row[0] ? row[0] : "NULL");
        }

        if (r) {
            mysql_free_result(r);
        }

    } while (mysql_next_result(db) == 0);
}


static void
insert(void)
{
    int            n;
    char           name[32];
    MYSQL_BIND     b[2];
    MYSQL_STMT    *st;
    unsigned long  len;

    st = mysql_stmt_init(db);
    check(mysql_stmt_prepare(st, "INSERT INTO c_t (n, name) VALUES (?, ?)", -1),
          "prepare");

    memset(b, 0, sizeof(b));
    b[0].buffer_type = MYSQL_TYPE_LONG;
    b[0].buffer = &n;
    b[1].buffer_type = MYSQL_TYPE_STRING;
    b[1].buffer = name;
    b[1].length = &len;

    check(mysql_stmt_bind_param(st, b), "bind");

    for (n = 0; n < 50; n++) {
        len = sprintf(name, "name %d", n);
        check(mysql_stmt_execute(st), "execute");
    }

    printf("inserted %llu\n",
           (unsigned long long) mysql_stmt_insert_id(st));

    /* a long value in pieces */

    n = 1000;
    check(mysql_stmt_send_long_data(st, 1, "abc", 3), "long data");
    check(mysql_stmt_send_long_data(st, 1, "def", 3), "long data");
    check(mysql_stmt_execute(st), "execute with long data");

    mysql_stmt_close(st);
}


/* with a cursor, and without one */

static void
fetch(unsigned long cursor)
{
    int             n, from, sum, rows;
    char            name[64];
    MYSQL_BIND      p[1], r[2];
    MYSQL_STMT     *st;
    unsigned long   len, ahead;

    st = mysql_stmt_init(db);

    if (cursor) {
        ahead = 7;
        mysql_stmt_attr_set(st, STMT_ATTR_CURSOR_TYPE, &cursor);
        mysql_stmt_attr_set(st, STMT_ATTR_PREFETCH_ROWS, &ahead);
    }

    check(mysql_stmt_prepare(st, "SELECT n, name FROM c_t WHERE n >= ? "
                                 "ORDER BY n", -1),
          "prepare");

    memset(p, 0, sizeof(p));
    p[0].buffer_type = MYSQL_TYPE_LONG;
    p[0].buffer = &from;
    check(mysql_stmt_bind_param(st, p), "bind");

    memset(r, 0, sizeof(r));
    r[0].buffer_type = MYSQL_TYPE_LONG;
    r[0].buffer = &n;
    r[1].buffer_type = MYSQL_TYPE_STRING;
    r[1].buffer = name;
    r[1].buffer_length = sizeof(name);
    r[1].length = &len;

    for (from = 0; from < 60; from += 20) {
        check(mysql_stmt_execute(st), "execute");
        check(mysql_stmt_bind_result(st, r), "bind");

        sum = 0;
        rows = 0;

        while (mysql_stmt_fetch(st) == 0) {
            sum += n + (int) len;
            rows++;
        }

        mysql_stmt_free_result(st);
        printf("from %d: %d rows, %d\n", from, rows, sum);
    }

    mysql_stmt_close(st);
}


int
main(int argc, char **argv)
{
    db = mysql_init(NULL);

    check(mysql_real_connect(db, "127.0.0.1", "app", "secret", "shop",
                             argc > 1 ? atoi(argv[1]) : 0, NULL,
                             CLIENT_MULTI_STATEMENTS)
          == NULL, "connect");

    query("DROP TABLE IF EXISTS c_t");
    query("CREATE TABLE c_t (id INT AUTO_INCREMENT PRIMARY KEY, n INT, "
          "name VARCHAR(50))");
    insert();
    fetch(0);
    fetch(CURSOR_TYPE_READ_ONLY);
    query("SELECT name FROM c_t WHERE n = 1000");
    query("SELECT 1; SELECT 2; SELECT 3");

    check(mysql_change_user(db, "app", "secret", "other"), "change user");
    query("SELECT database()");
    check(mysql_select_db(db, "shop"), "select db");
    query("SELECT database()");
    check(mysql_reset_connection(db), "reset");
    check(mysql_ping(db), "ping");

    query("DROP TABLE shop.c_t");
    mysql_close(db);

    return 0;
}
