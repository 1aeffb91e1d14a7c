#!/bin/sh

# Copyright (C) Hyperdrive for nginx authors

# Writes ngx_hyperdrive_module/sql/ngx_hyperdrive_sql_pg_functions.c to the
# standard output: what the classifier knows about the functions and the
# operators of pg_catalog.  Run it against a fresh database of the PostgreSQL
# version wanted; psql takes the address from PGHOST, PGPORT, PGUSER:
#
#     initdb -D /some/dir && pg_ctl -D /some/dir -o '-k /tmp -p 5999' start
#     PGHOST=/tmp PGPORT=5999 PGUSER=postgres PGDATABASE=postgres \
#         sh t/unit/gen_pg_functions.sh > functions.c
#
# and compare with the file in the tree before you take it over.  A name gets
# one class for all its overloads in pg_catalog:
#
#   IMMUTABLE  all are immutable (an aggregate: its transition and final
#              function too), less those that look into the catalog anyway
#   SETTINGS   on the list list_settings below: the result depends on settings
#              (TimeZone, DateStyle, lc_*, ...) and on nothing else that
#              changes without DDL
#   HARMLESS   not for the cache, but leaves nothing behind in the session:
#              the rest of the stable ones, less list_session, and the volatile
#              ones on list_harmless
#   SESSION    on the list list_session: reads or changes what belongs to the
#              session, or to a sequence; changes no table
#   WRITES     all others: may run any SQL, or change what is stored
#
# A function that is new and volatile is WRITES until somebody has read its
# manual page and put it on a list.  What cannot be called from SQL (internal
# and cstring arguments, triggers, input and output of types) is left out, so
# it counts as unknown, as a user's own function does.
#
# ATTR says that there is a form with one argument: "(x).name" calls it, too.

set -e

psql -XAtq -v ON_ERROR_STOP=1 <<'SQL'

CREATE TEMP TABLE list_settings AS SELECT regexp_split_to_table(btrim($$
    age anytextcat array_to_json array_to_string concat concat_ws convert
    convert_from convert_to date date_cmp_timestamptz date_eq_timestamptz
    date_ge_timestamptz date_gt_timestamptz date_le_timestamptz
    date_lt_timestamptz date_ne_timestamptz date_part date_trunc enum_first
    enum_last enum_range extract format generate_series
    interval_pl_timestamptz json_agg json_build_array json_build_object
    json_object_agg json_populate_record json_populate_recordset
    json_to_record json_to_recordset json_to_tsvector jsonb_agg
    jsonb_build_array jsonb_build_object jsonb_object_agg
    jsonb_path_exists_tz jsonb_path_match_tz jsonb_path_query_array_tz
    jsonb_path_query_first_tz jsonb_path_query_tz jsonb_populate_record
    jsonb_populate_recordset jsonb_to_record jsonb_to_recordset
    jsonb_to_tsvector length make_timestamptz money numeric overlaps
    phraseto_tsquery plainto_tsquery quote_literal quote_nullable
    row_to_json textanycat time timestamp timestamp_cmp_timestamptz
    timestamp_eq_timestamptz timestamp_ge_timestamptz
    timestamp_gt_timestamptz timestamp_le_timestamptz
    timestamp_lt_timestamptz timestamp_ne_timestamptz timestamptz
    timestamptz_cmp_date timestamptz_cmp_timestamp timestamptz_eq_date
    timestamptz_eq_timestamp timestamptz_ge_date timestamptz_ge_timestamp
    timestamptz_gt_date timestamptz_gt_timestamp timestamptz_le_date
    timestamptz_le_timestamp timestamptz_lt_date timestamptz_lt_timestamp
    timestamptz_mi_interval timestamptz_ne_date timestamptz_ne_timestamp
    timestamptz_pl_interval timetz timezone to_char to_date to_json to_jsonb
    to_number to_timestamp to_tsquery to_tsvector ts_headline ts_match_tq
    ts_match_tt websearch_to_tsquery xml xml_is_well_formed
$$, E' \n'), '\s+') AS name;

-- look into the catalog, the file system or the state of the server, though
-- they are marked immutable

CREATE TEMP TABLE list_notimmutable AS SELECT regexp_split_to_table(btrim($$
    pg_partition_root pg_walfile_name pg_walfile_name_offset
    satisfies_hash_partition
$$, E' \n'), '\s+') AS name;

-- volatile, yet neither the session nor a table is changed by them; locks
-- of the transaction and notifications end with it

CREATE TEMP TABLE list_harmless AS SELECT regexp_split_to_table(btrim($$
    clock_timestamp current_query gen_random_uuid pg_advisory_xact_lock
    pg_advisory_xact_lock_shared pg_blocking_pids pg_cancel_backend
    pg_collation_actual_version pg_control_checkpoint pg_control_init
    pg_control_recovery pg_control_system pg_create_restore_point
    pg_current_logfile pg_current_wal_flush_lsn pg_current_wal_insert_lsn
    pg_current_wal_lsn pg_database_collation_actual_version pg_database_size
    pg_get_backend_memory_contexts pg_get_multixact_members
    pg_get_shmem_allocations pg_get_wal_replay_pause_state
    pg_get_wal_resource_managers pg_hba_file_rules pg_ident_file_mappings
    pg_indexes_size pg_is_in_recovery pg_is_wal_replay_paused
    pg_isolation_test_session_is_blocked pg_jit_available
    pg_last_committed_xact pg_last_wal_receive_lsn pg_last_wal_replay_lsn
    pg_last_xact_replay_timestamp pg_lock_status
    pg_log_backend_memory_contexts pg_ls_archive_statusdir pg_ls_dir
    pg_ls_logdir pg_ls_logicalmapdir pg_ls_logicalsnapdir pg_ls_replslotdir
    pg_ls_tmpdir pg_ls_waldir pg_notification_queue_usage pg_notify
    pg_partition_ancestors pg_partition_tree pg_prepared_xact pg_promote
    pg_read_binary_file pg_read_file pg_read_file_old pg_relation_size
    pg_reload_conf pg_rotate_logfile pg_rotate_logfile_old
    pg_safe_snapshot_blocking_pids pg_sequence_last_value
    pg_show_all_file_settings pg_show_replication_origin_status pg_sleep
    pg_sleep_for pg_sleep_until pg_stat_clear_snapshot pg_stat_file
    pg_stat_force_next_flush pg_stat_get_recovery_prefetch
    pg_stat_get_xact_blocks_fetched pg_stat_get_xact_blocks_hit
    pg_stat_get_xact_function_calls pg_stat_get_xact_function_self_time
    pg_stat_get_xact_function_total_time pg_stat_get_xact_numscans
    pg_stat_get_xact_tuples_deleted pg_stat_get_xact_tuples_fetched
    pg_stat_get_xact_tuples_hot_updated pg_stat_get_xact_tuples_inserted
    pg_stat_get_xact_tuples_returned pg_stat_get_xact_tuples_updated
    pg_stat_have_stats pg_stat_reset pg_stat_reset_replication_slot
    pg_stat_reset_shared pg_stat_reset_single_function_counters
    pg_stat_reset_single_table_counters pg_stat_reset_slru
    pg_stat_reset_subscription_stats pg_switch_wal pg_table_size
    pg_tablespace_size pg_terminate_backend pg_total_relation_size
    pg_try_advisory_xact_lock pg_try_advisory_xact_lock_shared
    pg_wal_replay_pause pg_wal_replay_resume pg_xact_commit_timestamp
    pg_xact_commit_timestamp_origin pg_xact_status random timeofday
    txid_status
$$, E' \n'), '\s+') AS name;

-- whatever their mark

CREATE TEMP TABLE list_session AS SELECT regexp_split_to_table(btrim($$
    currval lastval nextval pg_advisory_lock pg_advisory_lock_shared
    pg_advisory_unlock pg_advisory_unlock_all pg_advisory_unlock_shared
    pg_backup_start pg_backup_stop pg_cursor pg_export_snapshot
    pg_is_other_temp_schema pg_listening_channels pg_my_temp_schema
    pg_prepared_statement pg_replication_origin_session_is_setup
    pg_replication_origin_session_progress
    pg_replication_origin_session_reset pg_replication_origin_session_setup
    pg_replication_origin_xact_reset pg_replication_origin_xact_setup
    pg_try_advisory_lock pg_try_advisory_lock_shared set_config setseed
    setval
$$, E' \n'), '\s+') AS name;

-- run SQL that is given as text, or read tables that the text does not name

CREATE TEMP TABLE list_writes AS SELECT regexp_split_to_table(btrim($$
    cursor_to_xml cursor_to_xmlschema database_to_xml
    database_to_xml_and_xmlschema database_to_xmlschema query_to_xml
    query_to_xml_and_xmlschema query_to_xmlschema schema_to_xml
    schema_to_xml_and_xmlschema schema_to_xmlschema table_to_xml
    table_to_xml_and_xmlschema table_to_xmlschema ts_rewrite ts_stat
$$, E' \n'), '\s+') AS name;

CREATE TEMP TABLE fn AS
SELECT proname::text AS name,
       CASE WHEN prokind = 'a' AND provolatile = 'i'
            THEN (SELECT CASE WHEN 's' IN (t.provolatile, f.provolatile)
                              THEN 's'
                              WHEN 'v' IN (t.provolatile, f.provolatile)
                              THEN 'v' ELSE 'i' END
                    FROM pg_aggregate a
                    JOIN pg_proc t ON t.oid = a.aggtransfn
                    LEFT JOIN pg_proc f ON f.oid = a.aggfinalfn
                   WHERE a.aggfnoid = p.oid)
            ELSE provolatile::text END AS volatile,
       (pronargs = 1 OR provariadic <> 0
        OR pronargs > 1 AND pronargs - pronargdefaults <= 1) AS attr,
       coalesce(obj_description(oid, 'pg_proc'), '') AS about,
       prorettype::regtype::text AS result,
       proargtypes::regtype[]::text[] AS args
  FROM pg_proc p
 WHERE pronamespace = 'pg_catalog'::regnamespace;

DELETE FROM fn
 WHERE args && '{internal,cstring,pg_ddl_command}'
    OR result IN ('internal', 'cstring', 'trigger', 'event_trigger',
                  'language_handler', 'index_am_handler', 'tsm_handler',
                  'table_am_handler', 'fdw_handler', 'pg_ddl_command')
    OR name LIKE 'binary_upgrade%'
    OR about IN ('I/O', 'I/O typmod', 'less-equal-greater', 'hash',
                 'aggregate transition function',
                 'aggregate final function', 'aggregate combine function',
                 'aggregate serial function', 'aggregate deserial function',
                 'window aggregate inverse transition function',
                 'array subscripting support', 'statistics')
       AND name !~ '^pg_';

CREATE TEMP TABLE known AS
SELECT name,
       CASE WHEN name IN (TABLE list_session) THEN 'SESSION'
            WHEN name IN (TABLE list_writes) THEN 'WRITES'
            WHEN bool_and(volatile = 'i')
                 AND name NOT IN (TABLE list_notimmutable)
            THEN 'IMMUTABLE'
            WHEN bool_and(volatile <> 'v') AND name IN (TABLE list_settings)
            THEN 'SETTINGS'
            WHEN bool_and(volatile <> 'v' OR name IN (TABLE list_harmless))
            THEN 'HARMLESS'
            ELSE 'WRITES' END AS class,
       bool_or(attr) AS attr
  FROM fn GROUP BY name;

SELECT '
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * The functions and operators of pg_catalog in PostgreSQL '
       || current_setting('server_version_num')::int / 10000 || ',
 * made by t/unit/gen_pg_functions.sh, which says what the classes mean.
 * Sorted for a binary search.  Edit the script, not this file.
 */


#include "sql/ngx_hyperdrive_sql_lexer.h"


#define IMMUTABLE  NGX_HYPERDRIVE_SQL_F_IMMUTABLE
#define SETTINGS   NGX_HYPERDRIVE_SQL_F_SETTINGS
#define HARMLESS   NGX_HYPERDRIVE_SQL_F_HARMLESS
#define SESSION    NGX_HYPERDRIVE_SQL_F_SESSION
#define WRITES     NGX_HYPERDRIVE_SQL_F_WRITES
#define ATTR       NGX_HYPERDRIVE_SQL_F_ATTR


const ngx_hyperdrive_sql_name_t  ngx_hyperdrive_sql_pg_functions[] = {';

SELECT '    { ngx_string("' || name || '"), '
       || class || CASE WHEN attr THEN '|ATTR' ELSE '' END || ' }'
       || CASE WHEN lead(name) OVER w IS NULL THEN '' ELSE ',' END
  FROM known WINDOW w AS (ORDER BY name COLLATE "C")
 ORDER BY name COLLATE "C";

SELECT '};


const ngx_uint_t  ngx_hyperdrive_sql_pg_functions_n =
    sizeof(ngx_hyperdrive_sql_pg_functions)
    / sizeof(ngx_hyperdrive_sql_pg_functions[0]);


const ngx_hyperdrive_sql_name_t  ngx_hyperdrive_sql_pg_functions_operators[] = {';

SELECT '    { ngx_string("' || replace(replace(oprname, '\', '\\'), '?', '\?')
       || '"), '
       || CASE WHEN bool_and(provolatile = 'i') THEN 'IMMUTABLE'
               WHEN bool_and(provolatile <> 'v') THEN 'SETTINGS'
               ELSE 'WRITES' END || ' }'
       || CASE WHEN lead(oprname) OVER w IS NULL THEN '' ELSE ',' END
  FROM (SELECT oprname::text, provolatile FROM pg_operator o
          JOIN pg_proc p ON p.oid = o.oprcode
         WHERE o.oprnamespace = 'pg_catalog'::regnamespace
        UNION ALL SELECT '!=', 'i') o
 GROUP BY oprname WINDOW w AS (ORDER BY oprname COLLATE "C")
 ORDER BY oprname COLLATE "C";

SELECT '};


const ngx_uint_t  ngx_hyperdrive_sql_pg_functions_noperators =
    sizeof(ngx_hyperdrive_sql_pg_functions_operators)
    / sizeof(ngx_hyperdrive_sql_pg_functions_operators[0]);';

SQL
