/* sources: sql/ base/ */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/* Tests of the catalog of MySQL: rows as MariaDB gives them, and plans. */


#include "sql/ngx_hyperdrive_sql_mysql_catalog.h"
#include "base/ngx_hyperdrive_base_mode.h"
#include "sql_catalog_rows.h"
#include "check.h"


typedef struct {
    const char  *text;
    const char  *expect;
} plan_t;


#define BODY                                                                  \
    "begin declare i, n int default 0; declare c cursor for select id from b;" \
    " declare continue handler for not found set n = 1; set total = 5;"       \
    " l: while i < x do if i = 3 then insert into m values (i); elseif i > 4" \
    " then leave l; end if; set i = case when i then i + 1 else 2 end;"       \
    " end while; open c; fetch c into n; close c;"                            \
    " select max(id) into n from d; end"


static const char  rows[] =
    "I|0|10.11.19-MariaDB||app@%||\n"
    "T|shop|a|BASE TABLE|InnoDB||\n"
    "T|shop|b|BASE TABLE|InnoDB||\n"
    "T|shop|c|BASE TABLE|InnoDB||\n"
    "T|shop|d|SYSTEM VERSIONED|InnoDB||\n"
    "T|shop|m|BASE TABLE|MyISAM||\n"
    "T|shop|e|BASE TABLE|MRG_MyISAM||\n"
    "T|shop|g|BASE TABLE|InnoDB||\n"
    "T|shop|s|SEQUENCE|InnoDB||\n"
    "T|shop|v|VIEW|||\n"
    "T|shop|vv|VIEW|||\n"
    "T|shop|vn|VIEW|||\n"
    "T|shop|vx|VIEW|||\n"
    "T|shop|vf|VIEW|||\n"
    "T|Other|a|BASE TABLE|InnoDB||\n"
    "T|dark|t|BASE TABLE|InnoDB||\n"
    "T|dark|u|BASE TABLE|InnoDB||\n"
    "V|shop|v|select `shop`.`a`.`id` AS `id` from (`shop`.`a` join `shop`.`b` "
    "on(`shop`.`a`.`id` = `shop`.`b`.`a`))|||\n"
    "V|shop|vv|select `v`.`id` AS `id` from `shop`.`v`|||\n"
    "V|shop|vn|select current_timestamp() AS `n` from `shop`.`a`|||\n"
    "V|shop|vx||||\n"
    "V|shop|vf|select `shop`.`reads`(1) AS `x` from `shop`.`d`|||\n"
    "G|shop|c|insert into m values (new.id)||shop|t1\n"
    "G|shop|d|begin update Other.a set x = new.x; call fills(1, @x); end||shop"
    "|t2\n"
    "K|shop|a|shop|b|RESTRICT|CASCADE\n"
    "K|shop|b|shop|d|SET NULL|RESTRICT\n"
    "K|shop|a|shop|c|RESTRICT|NO ACTION\n"
    "F|shop|reads|FUNCTION|return (select max(id) from b where id > x)||SQL\n"
    "F|shop|Pure|FUNCTION|return x + 1||SQL\n"
    "F|shop|clock|FUNCTION|return now()||SQL\n"
    "F|shop|writes|FUNCTION|begin insert into a values (x); return 1; end||"
    "SQL\n"
    "F|shop|hidden|FUNCTION|||SQL\n"
    "F|shop|cpp|FUNCTION|x||CPP\n"
    "F|shop|oracle|FUNCTION|return 1|PIPES_AS_CONCAT,ORACLE|SQL\n"
    "F|shop|loops|FUNCTION|return loops(x - 1)||SQL\n"
    "F|shop|sets|FUNCTION|begin set sql_mode = ''; return 1; end||SQL\n"
    "F|shop|fills|PROCEDURE|" BODY "||SQL\n"
    "F|shop|commits|PROCEDURE|begin start transaction; delete from a; commit; "
    "end||SQL\n"
    "F|shop|runs|PROCEDURE|execute immediate x||SQL\n"
    "F|shop|said|FUNCTION|||SQL\n"
    "A|shop|fills|x|||\n"
    "A|shop|fills|total|||\n"
    "N|shop|g|`id` + rand()|||\n"
    "P|shop|||||\n"
    "P|Ot_e%|||||\n"
    "P|d\\_rk|||||\n"
    "P|dark|u||||\n"
    "X|shop|a|123|||\n";


static plan_t  plans[] = {

    { "SELECT * FROM a", "r shop.a" },
    { "SELECT * FROM other.a", "unknown_table" },
    { "SELECT * FROM Other.a", "r Other.a" },
    { "SELECT * FROM A", "unknown_table" },
    { "SELECT * FROM v", "r shop.a shop.b" },
    { "SELECT * FROM vv JOIN m", "r shop.a shop.b shop.m" },
    { "SELECT * FROM vn", "volatile r shop.a" },
    { "SELECT * FROM vx", "foreign" },
    { "SELECT * FROM vf", "r shop.d shop.b" },
    { "SELECT * FROM e", "foreign" },
    { "SELECT * FROM s", "system" },
    { "SELECT * FROM g", "volatile r shop.g" },
    { "SELECT * FROM mysql.user", "system" },
    { "SELECT * FROM a, nowhere", "unknown_table r shop.a" },
    { "SELECT 1", "no_table" },

    { "SELECT reads(1)", "r shop.b" },
    { "SELECT shop.READS(1) FROM a", "r shop.a shop.b" },
    { "SELECT pure(1) FROM a", "r shop.a" },
    { "SELECT clock() FROM a", "volatile r shop.a" },
    { "SELECT writes(1) FROM c",
      "function r shop.c shop.a w shop.a shop.b shop.d" },
    { "SELECT hidden() FROM a", "function r shop.a whole ddl stateful" },
    { "SELECT cpp() FROM a", "function r shop.a whole ddl stateful" },
    { "SELECT oracle() FROM a", "function r shop.a whole ddl stateful" },
    { "SELECT loops(1) FROM a", "r shop.a" },
    { "SELECT sets() FROM a", "function r shop.a stateful" },
    { "SELECT nobody() FROM a", "function r shop.a whole ddl stateful" },
    { "SELECT said() FROM a", "r shop.a shop.m" },

    { "INSERT INTO a VALUES (1)",
      "not_read r shop.a w shop.a shop.b shop.d" },
    { "INSERT INTO b VALUES (1)", "not_read r shop.b w shop.b shop.d" },
    { "INSERT INTO c VALUES (1)",
      "not_read r shop.c shop.m w shop.c shop.m instant" },
    { "INSERT INTO d SELECT * FROM c",
      "not_read r shop.d Other.a shop.b shop.m shop.c "
      "w shop.d Other.a shop.m instant stateful" },
    { "INSERT INTO m VALUES (1)", "not_read r shop.m w shop.m instant" },
    { "INSERT INTO Other.a VALUES (1)", "not_read r Other.a w Other.a" },
    { "INSERT INTO dark.t VALUES (1)", "not_read r dark.t w dark.t whole" },
    { "INSERT INTO dark.u VALUES (1)", "not_read r dark.u w dark.u" },
    { "UPDATE v SET id = 1",
      "not_read r shop.a shop.b w shop.a shop.b shop.d" },
    { "DELETE FROM vx", "not_read whole" },
    { "INSERT INTO nowhere VALUES (1)", "not_read unknown" },
    { "INSERT INTO mysql.user VALUES (1)", "not_read whole ddl stateful" },
    { "TRUNCATE m", "not_read r shop.m w shop.m instant" },
    { "EXPLAIN UPDATE a SET id = 1", "not_read r shop.a" },
    { "SELECT NEXTVAL(s)", "volatile stateful" },
    { "CREATE TEMPORARY TABLE x AS SELECT * FROM a",
      "not_read r shop.a stateful" },

    { "CALL fills(1, 2)",
      "not_read r shop.b shop.m shop.d w shop.m instant" },
    { "CALL commits()",
      "not_read r shop.a w shop.a shop.b shop.d whole ddl stateful" },
    { "CALL runs('x')", "not_read whole ddl stateful" },
    { "CALL reads(1)", "not_read whole ddl stateful" },
    { "CALL nobody()", "not_read whole ddl stateful" },

    { "CREATE TABLE x (id INT)", "not_read whole ddl" },
    { "SET GLOBAL x = 1", "not_read whole ddl" },
    { "x", "parse whole ddl stateful" }
};


/* the name that has the number */

static char *
name_of(ngx_hyperdrive_sql_catalog_t *cat, uint32_t number)
{
    ngx_uint_t                         i;
    ngx_hyperdrive_sql_mysql_table_t  *t;

    static char  buf[64];

    for (i = 0; i < cat->mysql->tables.n; i++) {
        t = (ngx_hyperdrive_sql_mysql_table_t *) cat->mysql->tables.elts + i;

        if (ngx_hyperdrive_sql_mysql_catalog_number(&t->schema, &t->name)
            == number)
        {
            (void) snprintf(buf, sizeof(buf), "%.*s.%.*s",
                            (int) t->schema.len, (char *) t->schema.data,
                            (int) t->name.len, (char *) t->name.data);
            return buf;
        }
    }

    return "?";
}


static void
run(ngx_hyperdrive_sql_catalog_t *cat, const char *sql, ngx_str_t *schema,
    const char *expect)
{
    u_char                             *names;
    char                               *p, *last, out[1024];
    ngx_str_t                           text, *reason;
    ngx_uint_t                          i;
    ngx_hyperdrive_sql_mode_t           mode;
    ngx_hyperdrive_sql_catalog_plan_t   plan;

    static ngx_hyperdrive_sql_facts_t   facts;

    text.data = (u_char *) sql;
    text.len = ngx_strlen(sql);
    names = malloc(text.len);

    ngx_hyperdrive_sql_mode(cat->mysql->mode, &mode);

    ngx_hyperdrive_sql_classify(&text, &mode, names, text.len, &facts);
    ngx_hyperdrive_sql_catalog_plan(cat, &text, &facts, schema, NULL, 0,
                                    &plan);

    p = out;
    last = out + sizeof(out) - 1;

    if (plan.reason) {
        reason = ngx_hyperdrive_sql_reason_name(plan.reason);
        p += snprintf(p, last - p, " %.*s", (int) reason->len,
                      (char *) reason->data);
    }

    for (i = 0; i < plan.nreads; i++) {
        p += snprintf(p, last - p, "%s %s", i ? "" : " r",
                      name_of(cat, plan.reads[i]));
    }

    for (i = 0; i < plan.nwrites; i++) {
        p += snprintf(p, last - p, "%s %s", i ? "" : " w",
                      name_of(cat, plan.writes[i]));
    }

    p += snprintf(p, last - p, "%s%s%s%s%s", plan.unknown ? " unknown" : "",
                  plan.whole ? " whole" : "", plan.ddl ? " ddl" : "",
                  plan.instant ? " instant" : "",
                  plan.stateful ? " stateful" : "");
    *p = '\0';

    if (!ok(ngx_strcmp(out + 1, expect) == 0, sql)) {
        printf("# got \"%s\" instead of \"%s\"\n", out + 1, expect);
    }

    free(names);
}


/* the same rows, of a server that compares names in lower case */

static void
run_lower(void)
{
    u_char                        *copy;
    ngx_str_t                      schema;
    ngx_hyperdrive_sql_catalog_t  *cat;

    copy = malloc(sizeof(rows));
    ngx_memcpy(copy, rows, sizeof(rows));
    copy[2] = '1';

    cat = rows_catalog(NGX_HYPERDRIVE_BASE_MODE_MYSQL, copy,
                       copy + sizeof(rows) - 2, NULL, 0);

    if (ok(cat != NULL, "names in lower case")) {
        ngx_str_set(&schema, "SHOP");
        run(cat, "SELECT * FROM A, Other.a, v", &schema,
            "r shop.a other.a shop.b");
        run(cat, "SELECT Reads(1)", &schema, "r shop.b");
        ngx_hyperdrive_sql_catalog_destroy(cat);
    }

    free(copy);
}


int
main(void)
{
    size_t                              len;
    u_char                             *copy;
    ngx_str_t                           schema;
    ngx_uint_t                          i;
    ngx_hyperdrive_sql_catalog_t       *cat, *other;
    ngx_hyperdrive_sql_catalog_rule_t   rule;

    static ngx_str_t  tables[] = { ngx_string("m") };

    ngx_str_set(&rule.name, "shop.said");
    rule.writes = 0;
    rule.ntables = 1;
    rule.tables = tables;

    cat = rows_catalog(NGX_HYPERDRIVE_BASE_MODE_MYSQL, (u_char *) rows,
                       (u_char *) rows + sizeof(rows) - 2, &rule, 1);

    if (cat == NULL) {
        printf("the rows are refused\n");
        return 1;
    }

    ngx_str_set(&schema, "shop");

    for (i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
        run(cat, plans[i].text, &schema, plans[i].expect);
    }

    /* with no schema in use a name alone may be anything */

    run(cat, "SELECT * FROM a", NULL, "unknown_table");
    run(cat, "SELECT * FROM shop.a", NULL, "r shop.a");
    run(cat, "INSERT INTO m VALUES (1)", NULL, "not_read whole");
    run(cat, "SELECT reads(1) FROM shop.a", NULL,
        "function r shop.a whole ddl stateful");

    run_lower();

    /* the last row is another one, or all of them in another order */

    copy = malloc(sizeof(rows));
    ngx_memcpy(copy, rows, sizeof(rows));
    copy[sizeof(rows) - 7] = '4';

    other = rows_catalog(NGX_HYPERDRIVE_BASE_MODE_MYSQL, copy,
                         copy + sizeof(rows) - 2, NULL, 0);

    ok(other && ngx_hyperdrive_sql_catalog_digest(cat)
                != ngx_hyperdrive_sql_catalog_digest(other),
       "other rows have another digest");

    ngx_hyperdrive_sql_catalog_destroy(other);

    /* cut anywhere it is refused, or a catalog */

    for (len = 0; len < sizeof(rows); len++) {
        free(copy);
        copy = malloc(len ? len : 1);
        ngx_memcpy(copy, rows, len);

        other = rows_catalog(NGX_HYPERDRIVE_BASE_MODE_MYSQL, copy, copy + len,
                             NULL, 0);
        if (other) {
            ngx_hyperdrive_sql_catalog_destroy(other);
        }
    }

    free(copy);

    ok(1, "rows cut at every byte");

    ngx_hyperdrive_sql_catalog_destroy(cat);

    return done();
}
