/* sources: sql/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * Rows of a catalog in, what statements read and write out: "r 1 2 w 3" with
 * the OIDs of tables, "whole", "stateful", "rls", and why it is not kept.
 */


#include "sql_catalog_rows.h"
#include "check.h"


typedef struct {
    char  *text;
    char  *expect;
} plan_t;


static char  rows[] =
    "I|\"$user\", public|on|app\n"
    "R|20001|public|base|r|f\n"
    "R|20002|public|other|r|f\n"
    "R|20003|public|log|r|f\n"
    "R|20004|public|view|v|f\n"
    "R|20005|public|nested|v|f\n"
    "R|20006|public|parts|p|f\n"
    "R|20007|public|part|r|f\n"
    "R|20008|public|guarded|r|t\n"
    "R|20009|public|seq|S|f\n"
    "R|20010|public|far|f|f\n"
    "R|20011|one|item|r|f\n"
    "R|20012|app|item|r|f\n"
    "R|20013|public|clocked|v|f\n"
    "E|20002|w|20003\n"
    "E|20004|r|20001\n"
    "E|20005|r|20004\n"
    "E|20005|r|20002\n"
    "E|20006|i|20007\n"
    "E|20007|u|20006\n"
    "E|20008|p|20001\n"
    "E|20013|r|20001\n"
    "B|20013|r|0|now|s\n"
    "G|20003|w|30001\n"
    "F|30001|public|trig|v|plpgsql|f|f|"
        "BEGIN NEW.at := now(); RETURN NEW; END|\n"
    "F|30002|public|reads|i|sql|f|f|SELECT v FROM base|\n"
    "F|30003|public|writes|v|plpgsql|f|f|"
        "BEGIN UPDATE base SET v = 1; RETURN 1; END|\n"
    "F|30004|public|calls|v|plpgsql|f|f|BEGIN PERFORM writes(); END|\n"
    "F|30005|public|dynamic|v|plpgsql|f|f|BEGIN EXECUTE $1; END|\n"
    "F|30006|public|in_c|v|c|f|f||\n"
    "F|30007|public|pure|i|c|f|f||\n"
    "F|30008|public|said|v|c|f|f||\n"
    "F|30009|public|slow|s|sql|f|f|SELECT v FROM other|\n"
    "X|c|1|2\n";


static plan_t  plans[] = {
    { "SELECT * FROM base", "r 20001" },
    { "SELECT * FROM view", "r 20001" },
    { "SELECT * FROM nested", "r 20001 20002" },
    { "SELECT * FROM clocked", "volatile r 20001" },
    { "SELECT * FROM guarded", "r 20008 20001 rls" },
    { "SELECT * FROM part", "r 20006" },
    { "SELECT * FROM parts", "r 20006" },
    { "SELECT * FROM far", "foreign" },
    { "SELECT * FROM seq", "system" },
    { "SELECT * FROM nothing", "unknown_table" },
    { "SELECT * FROM item", "r 20012" },
    { "SELECT * FROM one.item", "r 20011" },
    { "UPDATE part SET v = 1", "not_read r 20006 w 20006" },
    { "DELETE FROM other", "not_read r 20002 w 20002 20003" },
    { "UPDATE view SET v = 1", "not_read r 20001 w 20001" },
    { "SELECT reads() FROM other", "r 20002 20001" },
    { "SELECT writes()", "volatile w 20001" },
    { "SELECT calls()", "volatile w 20001" },
    { "SELECT dynamic('x')", "volatile whole stateful" },
    { "SELECT in_c()", "volatile whole stateful" },
    { "SELECT pure(v) FROM base", "r 20001" },
    { "SELECT said() FROM base", "r 20001 20002" },
    { "SELECT slow() FROM base", "volatile r 20001 20002" },
    { "SELECT missing() FROM base", "function r 20001 whole stateful" },
};


/* with no catalog at hand: what may be DDL, and what a catalog may deny */

static plan_t  blind[] = {
    { "SELECT * FROM base", "" },
    { "UPDATE base SET v = 1", " whole" },
    { "SELECT writes()", " whole ddl perhaps" },
    { "UPDATE base SET v = writes()", " whole ddl perhaps" },
    { "CALL writes()", " whole ddl perhaps" },
    { "TRUNCATE base", " whole ddl perhaps" },
    { "CREATE TEMP TABLE x AS SELECT writes()", " whole ddl perhaps" },
    { "CREATE TABLE x (i int)", " whole ddl" },
    { "DROP TABLE base", " whole ddl" },
    { "GRANT SELECT ON base TO app", " whole ddl" },
    { "DO 'BEGIN END'", " whole ddl" },
    { "COMMIT PREPARED 'x'", " whole ddl" },
    { "SELECT writes(); DROP TABLE base", " whole ddl" },
};


static void
run(ngx_hyperdrive_sql_catalog_t *cat, plan_t *test)
{
    u_char                             *p, *last, out[1024], names[4096];
    ngx_str_t                           text, path, role, *reason;
    ngx_uint_t                          i;
    ngx_hyperdrive_sql_mode_t           mode;
    ngx_hyperdrive_sql_catalog_plan_t   plan;

    static ngx_hyperdrive_sql_facts_t   facts;

    text.data = (u_char *) test->text;
    text.len = ngx_strlen(test->text);

    ngx_memzero(&mode, sizeof(ngx_hyperdrive_sql_mode_t));
    mode.standard_conforming_strings = 1;
    mode.unsafe_encoding = 0;

    ngx_str_set(&path, "\"$user\", public");
    ngx_str_set(&role, "app");

    ngx_hyperdrive_sql_classify(&text, &mode, names, sizeof(names), &facts);
    ngx_hyperdrive_sql_catalog_plan(cat, &text, &facts, &path, &role, 0,
                                    &plan);

    p = out;
    last = out + sizeof(out) - 1;

    if (plan.reason) {
        reason = ngx_hyperdrive_sql_reason_name(plan.reason);
        p = ngx_cpymem(p, reason->data, reason->len);
    }

    for (i = 0; i < plan.nreads; i++) {
        p += snprintf((char *) p, last - p, i ? " %u" : " r %u",
                      plan.reads[i]);
    }

    for (i = 0; i < plan.nwrites && !plan.whole; i++) {
        p += snprintf((char *) p, last - p, i ? " %u" : " w %u",
                      plan.writes[i]);
    }

    p += snprintf((char *) p, last - p, "%s%s%s", plan.whole ? " whole" : "",
                  plan.stateful ? " stateful" : "", plan.rls ? " rls" : "");
    *p = '\0';

    p = (out[0] == ' ') ? out + 1 : out;
    if (!ok(ngx_strcmp(p, test->expect) == 0, test->text)) {
        printf("# got \"%s\" instead of \"%s\"\n", p, test->expect);
    }
}


static void
run_blind(plan_t *test)
{
    u_char                              names[4096];
    char                                out[64];
    ngx_str_t                           text;
    ngx_hyperdrive_sql_mode_t           mode;
    ngx_hyperdrive_sql_catalog_plan_t   plan;

    static ngx_hyperdrive_sql_facts_t   facts;

    text.data = (u_char *) test->text;
    text.len = ngx_strlen(test->text);

    ngx_memzero(&mode, sizeof(ngx_hyperdrive_sql_mode_t));
    mode.standard_conforming_strings = 1;

    ngx_hyperdrive_sql_classify(&text, &mode, names, sizeof(names), &facts);
    ngx_hyperdrive_sql_catalog_plan_blind(&facts, &plan);

    snprintf(out, sizeof(out), "%s%s%s", plan.whole ? " whole" : "",
             plan.ddl ? " ddl" : "", plan.perhaps ? " perhaps" : "");

    if (!ok(strcmp(out, test->expect) == 0, test->text)) {
        printf("#      got:%s\n# expected:%s\n", out, test->expect);
    }
}


int
main(void)
{
    ngx_uint_t                          i;
    ngx_hyperdrive_sql_catalog_t       *cat, *again;
    ngx_hyperdrive_sql_catalog_rule_t   rule;

    static ngx_str_t  tables[] = { ngx_string("public.other") };

    ngx_str_set(&rule.name, "said");
    rule.writes = 0;
    rule.ntables = 1;
    rule.tables = tables;

    cat = rows_catalog(0, (u_char *) rows, (u_char *) rows + sizeof(rows) - 2,
                       &rule, 1);
    again = rows_catalog(0, (u_char *) rows, (u_char *) rows + sizeof(rows) - 4,
                         &rule, 1);

    if (cat == NULL || again == NULL) {
        printf("the rows are refused\n");
        return 1;
    }

    for (i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
        run(cat, &plans[i]);
    }

    for (i = 0; i < sizeof(blind) / sizeof(blind[0]); i++) {
        run_blind(&blind[i]);
    }

    ok(ngx_hyperdrive_sql_catalog_digest(cat)
       != ngx_hyperdrive_sql_catalog_digest(again),
       "other rows have another digest");

    ngx_hyperdrive_sql_catalog_destroy(cat);
    ngx_hyperdrive_sql_catalog_destroy(again);

    return done();
}
