
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "sql/ngx_hyperdrive_sql_mysql_catalog.h"


/*
 * MySQL and MariaDB: all that a plan needs, of all schemas that are not the
 * server's own, in rows of seven columns whose first one says what they are:
 *
 *   I how names are compared, the version, who asks
 *   T table: schema, name, type, engine
 *   V what a view is made of: schema, name, text
 *   G trigger: schema and name of its table, text, sql_mode, its own schema
 *   K foreign key: the table that is referred to; the one that refers; what an
 *     UPDATE and a DELETE do to it
 *   F routine: schema, name, FUNCTION or PROCEDURE, text, sql_mode, language
 *   A a parameter of a routine
 *   N a column that is computed: schema, table, text
 *   P who asks may see triggers: everywhere, in a schema, of a table
 *   X is there to be different after other DDL: the columns
 *
 * Nobody is told of a trigger who may not make one: without a P, a write to
 * a table may write anything.
 */

const char  ngx_hyperdrive_sql_mysql_catalog_query[] =
    "SELECT 'I' AS kind, CAST(@@lower_case_table_names AS CHAR) AS a, "
    "VERSION() AS b, '' AS c, CURRENT_USER() AS d, '' AS e, '' AS f "
    "UNION ALL SELECT 'T', table_schema, table_name, table_type, "
    "IFNULL(engine, ''), '', '' FROM information_schema.tables WHERE "
    "table_schema NOT IN ('information_schema', 'performance_schema', "
    "'mysql', 'sys') UNION ALL SELECT 'V', table_schema, table_name, "
    "IFNULL(view_definition, ''), '', '', '' FROM "
    "information_schema.views WHERE table_schema NOT IN "
    "('information_schema', 'performance_schema', 'mysql', 'sys') UNION"
    " ALL SELECT 'G', event_object_schema, event_object_table, "
    "IFNULL(action_statement, ''), sql_mode, trigger_schema, "
    "trigger_name FROM information_schema.triggers WHERE "
    "event_object_schema NOT IN ('information_schema', "
    "'performance_schema', 'mysql', 'sys') UNION ALL SELECT 'K', "
    "unique_constraint_schema, referenced_table_name, "
    "constraint_schema, table_name, update_rule, delete_rule FROM "
    "information_schema.referential_constraints UNION ALL SELECT 'F', "
    "routine_schema, routine_name, routine_type, "
    "IFNULL(routine_definition, ''), sql_mode, routine_body FROM "
    "information_schema.routines WHERE routine_schema NOT IN "
    "('information_schema', 'performance_schema', 'mysql', 'sys') UNION"
    " ALL SELECT 'A', specific_schema, specific_name, parameter_name, "
    "'', '', '' FROM information_schema.parameters WHERE parameter_name"
    " IS NOT NULL AND specific_schema NOT IN ('information_schema', "
    "'performance_schema', 'mysql', 'sys') UNION ALL SELECT 'N', "
    "table_schema, table_name, generation_expression, '', '', '' FROM "
    "information_schema.columns WHERE IFNULL(generation_expression, '')"
    " <> '' AND table_schema NOT IN ('information_schema', "
    "'performance_schema', 'mysql', 'sys') UNION ALL SELECT 'P', '', "
    "'', '', '', '', '' FROM information_schema.user_privileges WHERE "
    "privilege_type = 'TRIGGER' AND grantee = CONCAT('''', "
    "REPLACE(CURRENT_USER(), '@', '''@'''), '''') UNION ALL SELECT 'P',"
    " table_schema, '', '', '', '', '' FROM "
    "information_schema.schema_privileges WHERE privilege_type = "
    "'TRIGGER' AND grantee = CONCAT('''', REPLACE(CURRENT_USER(), '@', "
    "'''@'''), '''') UNION ALL SELECT 'P', table_schema, table_name, "
    "'', '', '', '' FROM information_schema.table_privileges WHERE "
    "privilege_type = 'TRIGGER' AND grantee = CONCAT('''', "
    "REPLACE(CURRENT_USER(), '@', '''@'''), '''') UNION ALL SELECT 'X',"
    " table_schema, table_name, CAST(SUM(CRC32(CONCAT_WS(',', "
    "ordinal_position, column_name, column_type, is_nullable, "
    "IFNULL(column_default, '-'), IFNULL(collation_name, '-'), extra)))"
    " AS CHAR), '', '', '' FROM information_schema.columns WHERE "
    "table_schema NOT IN ('information_schema', 'performance_schema', "
    "'mysql', 'sys') GROUP BY table_schema, table_name";


/* a server; what there is in all its schemas hangs together */

const char  ngx_hyperdrive_sql_mysql_catalog_query_identity[] =
    "SELECT 'D', CONCAT_WS('/', @@hostname, @@port, @@datadir), 'mysql'";
