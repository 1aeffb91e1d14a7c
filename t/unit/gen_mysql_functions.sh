#!/bin/sh

# Copyright (C) Hyperdrive for nginx authors

# Writes ngx_hyperdrive_module/sql/ngx_hyperdrive_sql_mysql_functions.c to the
# standard output: what the classifier knows about the functions of MySQL 8.4
# and MariaDB 10.11.  Neither server can be asked what a function of its own
# depends on, so these lists were made by hand: the names from both servers'
# manuals and from MariaDB's information_schema.SQL_FUNCTIONS and KEYWORDS,
# the classes by what the manuals say of them.  t/mysql_classify.t holds them
# against a server: SQL_FUNCTIONS has none that is missing here, and what is
# IMMUTABLE answers twice the same.
#
#   IMMUTABLE  the same for the same arguments, or depends on session
#              variables only, which are a part of the cache's key
#   HARMLESS   not for the cache, but leaves nothing behind in the session
#   SESSION    speaks of the session, or changes it
#   WRITES     changes what is stored
#   WORD       none at all: a word of the grammar, or a type, with a "(" behind
#   ANYWHERE   (with HARMLESS) does on another server what it does here
#   TOUCH      (with one of the others) only if the "(" touches it, unless
#              sql_mode has IGNORE_SPACE; else it is a stored function
#
# A name that is not here may be a stored function or one that somebody has
# loaded, and do anything.

set -e

immutable="
    abs acos addtime aes_decrypt aes_encrypt any_value area asbinary ascii
    asin astext aswkb aswkt atan atan2 avg bin bin_to_uuid bit_count
    bit_length boundary buffer ceil ceiling centroid char char_length
    character_length charset chr coalesce coercibility collation
    column_add column_check column_create column_delete column_exists
    column_get column_json column_list compress concat
    concat_operator_oracle concat_ws contains conv convert convert_tz
    convexhull cos cot crc32 crc32c crosses database date date_format datediff day
    dayname dayofmonth dayofweek dayofyear decode decode_histogram degrees
    dimension disjoint distance elt encode endpoint envelope equals exp
    export_set exteriorring extractvalue field find_in_set floor format
    format_bytes format_pico_time from_base64 from_days from_unixtime
    geomcollfromtext geomcollfromwkb geometrycollection
    geometrycollectionfromtext geometrycollectionfromwkb geometryfromtext
    geometryfromwkb geometryn geometrytype geomfromtext geomfromwkb
    get_format glength greatest grouping gtid_subset gtid_subtract hex
    hour if ifnull inet6_aton inet6_ntoa inet_aton inet_ntoa insert instr
    interiorringn intersects interval is_ipv4 is_ipv4_compat
    is_ipv4_mapped is_ipv6 is_uuid isclosed isempty isnull isring issimple
    json_array json_array_append json_array_insert json_compact
    json_contains json_contains_path json_depth json_detailed json_equals
    json_exists json_extract json_insert json_keys json_length json_loose
    json_merge json_merge_patch json_merge_preserve json_normalize
    json_object json_overlaps json_pretty json_query json_quote
    json_remove json_replace json_schema_valid
    json_schema_validation_report json_search json_set json_storage_size
    json_type json_unquote json_valid json_value kdf last_day lcase least
    left length lengthb linefromtext linefromwkb linestring linestringfromtext
    linestringfromwkb ln locate log log10 log2 lower lpad lpad_oracle
    ltrim ltrim_oracle make_set makedate maketime match mbrcontains
    mbrcoveredby mbrcovers mbrdisjoint mbrequal mbrequals mbrintersects
    mbroverlaps mbrtouches mbrwithin md5 microsecond minute mlinefromtext
    mlinefromwkb mod month monthname mpointfromtext mpointfromwkb
    mpolyfromtext mpolyfromwkb multilinestring multilinestringfromtext
    multilinestringfromwkb multipoint multipointfromtext multipointfromwkb
    multipolygon multipolygonfromtext multipolygonfromwkb name_const
    natural_sort_key nullif numgeometries numinteriorrings numpoints nvl
    nvl2 oct octet_length old_password ord overlaps password period_add
    period_diff pi point pointfromtext pointfromwkb pointn pointonsurface
    polyfromtext polyfromwkb polygon polygonfromtext polygonfromwkb pow
    power quarter quote radians regexp_instr regexp_like regexp_replace
    regexp_substr repeat replace replace_oracle reverse right round rpad
    rpad_oracle rtrim rtrim_oracle schema sec_to_time second sformat sha
    sha1 sha2 sign sin soundex space sqrt srid st_area st_asbinary
    st_asgeojson st_astext st_aswkb st_aswkt st_boundary st_buffer
    st_buffer_strategy st_centroid st_contains st_convexhull st_crosses
    st_difference st_dimension st_disjoint st_distance st_distance_sphere
    st_endpoint st_envelope st_equals st_exteriorring st_frechetdistance
    st_geohash st_geomcollfromtext st_geomcollfromtxt st_geomcollfromwkb
    st_geometrycollectionfromtext st_geometrycollectionfromwkb
    st_geometryfromtext st_geometryfromwkb st_geometryn st_geometrytype
    st_geomfromgeojson st_geomfromtext st_geomfromwkb st_hausdorffdistance
    st_interiorringn st_intersection st_intersects st_isclosed st_isempty
    st_isring st_issimple st_isvalid st_latfromgeohash st_latitude
    st_length st_linefromtext st_linefromwkb st_lineinterpolatepoint
    st_lineinterpolatepoints st_linestringfromtext st_linestringfromwkb
    st_longfromgeohash st_longitude st_makeenvelope st_mlinefromtext
    st_mlinefromwkb st_mpointfromtext st_mpointfromwkb st_mpolyfromtext
    st_mpolyfromwkb st_multilinestringfromtext st_multilinestringfromwkb
    st_multipointfromtext st_multipointfromwkb st_multipolygonfromtext
    st_multipolygonfromwkb st_numgeometries st_numinteriorring
    st_numinteriorrings st_numpoints st_overlaps st_pointatdistance
    st_pointfromgeohash st_pointfromtext st_pointfromwkb st_pointn
    st_pointonsurface st_polyfromtext st_polyfromwkb st_polygonfromtext
    st_polygonfromwkb st_relate st_simplify st_srid st_startpoint
    st_swapxy st_symdifference st_touches st_transform st_union
    st_validate st_within st_x st_y startpoint statement_digest
    statement_digest_text str_to_date strcmp substr_oracle substring_index
    subtime tan time time_format time_to_sec timediff timestamp
    timestampadd timestampdiff to_base64 to_char to_days to_seconds
    touches truncate ucase uncompress uncompressed_length unhex updatexml
    upper uuid_to_bin validate_password_strength values week weekday
    weekofyear weight_string within x y year yearweek"

immutable_touch="
    add_months adddate bit_and bit_or bit_xor cast count cume_dist
    date_add date_sub decode_oracle dense_rank extract
    first_value group_concat json_arrayagg json_objectagg lag last_value
    lead max median mid min nth_value ntile percent_rank percentile_cont
    percentile_disc position rank row_number st_collect std stddev
    stddev_pop stddev_samp subdate substr substring sum trim trim_oracle
    var_pop var_samp variance"

harmless="
    benchmark binlog_gtid_pos connection_id current_date current_role
    current_time current_timestamp current_user default des_decrypt
    des_encrypt encrypt icu_version is_free_lock is_used_lock load_file
    localtime localtimestamp master_gtid_wait master_pos_wait
    mysql_query_attribute_string
    ps_current_thread_id ps_thread_id rand random_bytes roles_graphml
    session_user sleep source_pos_wait sys_guid unix_timestamp user
    utc_date utc_time utc_timestamp uuid uuid_short uuid_v4 uuid_v7
    version wait_for_executed_gtid_set wait_until_sql_thread_after_gtids
    wsrep_last_seen_gtid wsrep_last_written_gtid wsrep_sync_wait_upto_gtid"

# of these: clocks, numbers by chance, and who asks

anywhere="
    benchmark curdate current_date current_role current_time
    current_timestamp current_user curtime localtime localtimestamp now rand
    random_bytes session_user sleep sys_guid sysdate system_user
    unix_timestamp user utc_date utc_time utc_timestamp uuid uuid_short
    uuid_v4 uuid_v7"

harmless_touch="curdate curtime now sysdate system_user"

session="
    found_rows get_lock last_insert_id lastval release_all_locks
    release_lock row_count"

writes="nextval setval"

word="
    against all and any asc between bigint binary bit blob bool boolean by
    case character collate columns cross cube datetime dec decimal desc
    distinct distinctrow div double else elseif empty enum escape exists
    fields fixed float from group having in index inet4 inet6 int integer
    is join json key keys lateral like limit long longblob longtext
    mediumblob mediumint mediumtext member national nchar nested not null
    nulls numeric nvarchar of on or order over partition path primary
    range real recursive references regexp return returning rlike rollup
    row rows select set signed smallint some sounds sql_big_result
    sql_buffer_result sql_cache sql_small_result straight_join text then
    tinyblob tinyint tinytext to union unique unsigned until using value
    varbinary varchar varcharacter vector when where while window with xor"

cat <<'HEAD'

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/* made by t/unit/gen_mysql_functions.sh, which says what the classes mean */


#include "sql/ngx_hyperdrive_sql_lexer.h"


#define IMMUTABLE  NGX_HYPERDRIVE_SQL_F_IMMUTABLE
#define HARMLESS   NGX_HYPERDRIVE_SQL_F_HARMLESS
#define SESSION    NGX_HYPERDRIVE_SQL_F_SESSION
#define WRITES     NGX_HYPERDRIVE_SQL_F_WRITES
#define WORD       NGX_HYPERDRIVE_SQL_F_WORD
#define TOUCH      NGX_HYPERDRIVE_SQL_F_TOUCH
#define ANYWHERE   NGX_HYPERDRIVE_SQL_F_ANYWHERE


const ngx_hyperdrive_sql_name_t  ngx_hyperdrive_sql_mysql_functions[] = {
HEAD

{
    for i in $immutable; do echo "$i IMMUTABLE"; done
    for i in $immutable_touch; do echo "$i IMMUTABLE|TOUCH"; done
    for i in $harmless; do echo "$i HARMLESS"; done
    for i in $harmless_touch; do echo "$i HARMLESS|TOUCH"; done
    for i in $session; do echo "$i SESSION"; done
    for i in $writes; do echo "$i WRITES"; done
    for i in $word; do echo "$i WORD"; done
} | LC_ALL=C sort -k 1,1 | awk -v anywhere="$anywhere" '
    BEGIN { n = split(anywhere, a); while (n) { is[a[n--]] = "|ANYWHERE" } }
    NR > 1 { print line "," }
    { line = "    { ngx_string(\"" $1 "\"), " $2 is[$1] " }" }
    END { print line }'

cat <<'TAIL'
};


const ngx_uint_t  ngx_hyperdrive_sql_mysql_functions_n =
    sizeof(ngx_hyperdrive_sql_mysql_functions)
        / sizeof(ngx_hyperdrive_sql_mysql_functions[0]);
TAIL
