/* sources: sql/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * What may be answered before the database has seen it, and what a statement
 * may leave in the session.
 */


#include "sql/ngx_hyperdrive_sql_lexer.h"
#include "check.h"

#include <stdio.h>


typedef struct {
    char        *text;
    char        *expect;
} transaction_t;


typedef struct {
    char        *text;
    ngx_uint_t   leaves;
} leaves_t;


#define LEAVES(what)  NGX_HYPERDRIVE_SQL_LEAVES_##what


static transaction_t  transactions[] = {
    { "BEGIN", "begin" },
    { "begin;", "begin" },
    { " Begin Work ; ; ", "begin" },
    { "BEGIN TRANSACTION", "begin" },
    { "START TRANSACTION", "start" },
    { "/* a */ BEGIN -- b", "begin" },
    { "BEGIN READ ONLY", "begin read-only" },
    { "BEGIN READ WRITE", "begin" },
    { "BEGIN ISOLATION LEVEL READ COMMITTED", "begin committed" },
    { "BEGIN ISOLATION LEVEL READ UNCOMMITTED", "begin committed" },
    { "BEGIN ISOLATION LEVEL REPEATABLE READ", "begin snapshot" },
    { "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE",
      "begin snapshot read-only" },
    { "START TRANSACTION READ ONLY, ISOLATION LEVEL SERIALIZABLE",
      "start snapshot read-only" },
    { "BEGIN NOT DEFERRABLE", "begin" },
    { "COMMIT", "commit" },
    { "END WORK", "commit" },
    { "COMMIT TRANSACTION AND NO CHAIN", "commit" },
    { "ROLLBACK", "rollback" },
    { "abort;", "rollback" },

    { "", "no" },
    { "BEGIN x", "no" },
    { "BEGIN ,READ ONLY", "no" },
    { "BEGIN READ ONLY,", "no" },
    { "BEGIN READ ONLY,, READ WRITE", "no" },
    { "BEGIN READ ONLY READ WRITE", "no" },
    { "BEGIN READ", "no" },
    { "BEGIN NOT", "no" },
    { "BEGIN DEFERRABLE NOT DEFERRABLE", "no" },
    { "BEGIN ISOLATION LEVEL", "no" },
    { "BEGIN ISOLATION LEVEL REPEATABLE", "no" },
    { "BEGIN ISOLATION LEVEL READ ONLY", "no" },
    { "BEGIN ISOLATION LEVEL SERIALIZABLE ISOLATION LEVEL SERIALIZABLE",
      "no" },
    { "BEGIN WORK TRANSACTION", "no" },
    { "BEGIN; SELECT 1", "no" },
    { "; BEGIN", "no" },
    { "\"begin\"", "no" },
    { "'BEGIN'", "no" },
    { "BEGIN 'x'", "no" },
    { "BEGIN /*", "no" },
    { "START", "no" },
    { "START WORK", "no" },
    { "COMMIT AND CHAIN", "no" },
    { "COMMIT AND", "no" },
    { "COMMIT PREPARED 'x'", "no" },
    { "ROLLBACK TO s", "no" },
    { "ROLLBACK TO SAVEPOINT s", "no" },
    { "ROLLBACK AND CHAIN", "no" },
    { "SELECT 1", "no" },
    { "BEGINNING", "no" }
};


/* do they tell what has been drawn from sequences? */

static struct {
    const char  *text;
    ngx_uint_t   recalls;
} recalls[] = {

    { "SELECT lastval()", 1 },
    { "INSERT INTO t VALUES (pg_catalog.CURRVAL('a'))", 1 },
    { "INSERT INTO t VALUES (1); SELECT \"lastval\"()", 1 },
    { "EXPLAIN ANALYZE SELECT lastval()", 1 },
    { "DECLARE c CURSOR FOR SELECT lastval()", 1 },
    { "SELECT nextval('a'), setval('a', 1)", 0 },
    { "SELECT lastval, 'lastval()' FROM t -- currval('a')", 0 },
    { "INSERT INTO t VALUES (1)", 0 }
};


static leaves_t  leaves[] = {
    { "SELECT 1", 0 },
    { "INSERT INTO t VALUES (1)", 0 },
    { "SET LOCAL a = 1", 0 },
    { "SELECT pg_advisory_xact_lock(1)", 0 },
    { "DECLARE c CURSOR FOR SELECT 1", 0 },
    { "LISTEN a", LEAVES(LISTEN) },
    { "UNLISTEN *", LEAVES(LISTEN) },
    { "SELECT pg_advisory_lock(1)", LEAVES(LOCK) },
    { "SELECT pg_catalog.pg_try_advisory_lock_shared(1)", LEAVES(LOCK) },
    { "SELECT 1; SELECT pg_advisory_unlock(1)", LEAVES(LOCK) },
    { "CREATE TEMP TABLE a (b int)", LEAVES(TEMPORARY) },
    { "SELECT 1 INTO TEMP a", LEAVES(TEMPORARY) },
    { "SELECT * FROM pg_temp.a", LEAVES(TEMPORARY) },
    { "DECLARE c CURSOR WITH HOLD FOR SELECT 1", LEAVES(CURSOR) },
    { "PREPARE a AS SELECT 1", LEAVES(PREPARED) },
    { "DEALLOCATE a", LEAVES(NOTHING) },
    { "SET a.b = 1", LEAVES(SETTING) },
    { "RESET ALL", LEAVES(SETTING) },
    { "SELECT set_config('a', 'b', false)", LEAVES(SETTING) },
    { "SELECT set_config('a', 'b', true)", 0 },
    { "LOAD 'x'", LEAVES(LIBRARY) },
    { "SELECT setseed(0)", LEAVES(SEED) },
    { "SELECT nextval('a')", LEAVES(SEQUENCE) },
    { "SELECT lastval()", LEAVES(SEQUENCE) },
    { "SELECT * FROM pg_listening_channels()", LEAVES(NOTHING) },
    { "DISCARD ALL", LEAVES(NOTHING) },
    { "SELECT f()", LEAVES(FUNCTION) },
    { "SELECT s.pg_advisory_lock(1)", LEAVES(FUNCTION) },
    { "SELECT query_to_xml('SELECT 1', true, true, '')", LEAVES(FUNCTION) },
    { "EXECUTE a", LEAVES(FUNCTION) },
    { "CREATE EXTENSION x", LEAVES(FUNCTION) },
    { "nonsense", LEAVES(FUNCTION) },
    { "SELECT 'open", LEAVES(FUNCTION) },
    { "DO 'BEGIN END'", LEAVES(CALL) },
    { "CALL p()", LEAVES(FUNCTION) },
    { "LISTEN a; CREATE TEMP TABLE b (c int); SELECT nextval('d')",
      LEAVES(LISTEN)|LEAVES(TEMPORARY)|LEAVES(SEQUENCE) }
};


/* in memory of just its size, so that ASan sees what is read behind it */

static char *
read_transaction(char *text, size_t len)
{
    static char                        said[64];
    ngx_int_t                          rc;
    ngx_str_t                          str;
    ngx_hyperdrive_sql_transaction_t   tr;

    str.len = len;
    str.data = malloc(len + !len);
    ngx_memcpy(str.data, text, len);

    rc = ngx_hyperdrive_sql_transaction(&str, &tr);

    free(str.data);

    if (rc != NGX_OK) {
        return "no";
    }

    if (tr.kind != NGX_HYPERDRIVE_SQL_BEGIN) {
        return tr.kind == NGX_HYPERDRIVE_SQL_COMMIT ? "commit" : "rollback";
    }

    snprintf(said, sizeof(said), "%s%s%s", tr.start ? "start" : "begin",
             tr.isolation == 0 ? ""
             : tr.isolation == NGX_HYPERDRIVE_SQL_ISOLATION_SNAPSHOT
               ? " snapshot" : " committed",
             tr.read_only ? " read-only" : "");

    return said;
}


int
main(void)
{
    char                               *said;
    size_t                              n;
    u_char                              names[4096];
    ngx_str_t                           text;
    ngx_uint_t                          i;
    ngx_hyperdrive_sql_mode_t           mode;
    static ngx_hyperdrive_sql_facts_t   facts;

    for (i = 0; i < sizeof(transactions) / sizeof(transactions[0]); i++) {

        n = strlen(transactions[i].text);
        said = read_transaction(transactions[i].text, n);

        if (strcmp(said, transactions[i].expect) != 0) {
            printf("# got %s instead of %s\n", said, transactions[i].expect);
        }

        ok(strcmp(said, transactions[i].expect) == 0, transactions[i].text);

        while (n--) {
            (void) read_transaction(transactions[i].text, n);
        }
    }

    ngx_memzero(&mode, sizeof(ngx_hyperdrive_sql_mode_t));
    mode.standard_conforming_strings = 1;

    for (i = 0; i < sizeof(leaves) / sizeof(leaves[0]); i++) {

        text.data = (u_char *) leaves[i].text;
        text.len = strlen(leaves[i].text);

        ngx_hyperdrive_sql_classify(&text, &mode, names, sizeof(names),
                                    &facts);

        if (facts.leaves != leaves[i].leaves) {
            printf("# got %x instead of %x\n", (int) facts.leaves,
                   (int) leaves[i].leaves);
        }

        ok(facts.leaves == leaves[i].leaves
           && facts.stateful == (leaves[i].leaves != 0), leaves[i].text);
    }

    for (i = 0; i < sizeof(recalls) / sizeof(recalls[0]); i++) {

        text.data = (u_char *) recalls[i].text;
        text.len = strlen(recalls[i].text);

        ngx_hyperdrive_sql_classify(&text, &mode, names, sizeof(names),
                                    &facts);

        ok(facts.recalls == recalls[i].recalls, recalls[i].text);
    }

    return done();
}
