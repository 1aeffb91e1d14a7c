
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "sql/ngx_hyperdrive_sql_mysql.h"


/*
 * MySQL and MariaDB: what their lexers and grammars know.  RESERVED is what
 * is reserved in MySQL 8.4 and in MariaDB 10.11; any other word may be a name.
 */


#define K(id)             NGX_HYPERDRIVE_SQL_K_##id

#define UNRESERVED        NGX_HYPERDRIVE_SQL_UNRESERVED
#define RESERVED          NGX_HYPERDRIVE_SQL_RESERVED

#define OTH  NGX_HYPERDRIVE_SQL_C_OTHER
#define SPC  NGX_HYPERDRIVE_SQL_C_SPACE
#define WRD  NGX_HYPERDRIVE_SQL_C_WORD
#define DIG  NGX_HYPERDRIVE_SQL_C_DIGIT
#define DOL  NGX_HYPERDRIVE_SQL_C_DOLLAR
#define STR  NGX_HYPERDRIVE_SQL_C_STRING
#define NAM  NGX_HYPERDRIVE_SQL_C_NAME
#define TIC  NGX_HYPERDRIVE_SQL_C_BACKTICK
#define ATS  NGX_HYPERDRIVE_SQL_C_AT
#define DOT  NGX_HYPERDRIVE_SQL_C_DOT
#define COL  NGX_HYPERDRIVE_SQL_C_COLON
#define SLF  NGX_HYPERDRIVE_SQL_C_SELF
#define OPR  NGX_HYPERDRIVE_SQL_C_OPERATOR


static ngx_uint_t ngx_hyperdrive_sql_mysql_system(ngx_str_t *schema,
    ngx_str_t *table);


static const u_char  ngx_hyperdrive_sql_mysql_classes[256] = {
    OTH, OTH, OTH, OTH, OTH, OTH, OTH, OTH,   /* 00 */
    OTH, SPC, SPC, SPC, SPC, SPC, OTH, OTH,   /* 08 */
    OTH, OTH, OTH, OTH, OTH, OTH, OTH, OTH,   /* 10 */
    OTH, OTH, OTH, OTH, OTH, OTH, OTH, OTH,   /* 18 */
    SPC, OPR, NAM, OTH, DOL, OPR, OPR, STR,   /* 20   ! " # $ % & ' */
    SLF, SLF, OPR, OPR, SLF, OPR, DOT, OPR,   /* 28 ( ) * + , - . / */
    DIG, DIG, DIG, DIG, DIG, DIG, DIG, DIG,   /* 30 0 1 2 3 4 5 6 7 */
    DIG, DIG, COL, SLF, OPR, OPR, OPR, SLF,   /* 38 8 9 : ; < = > ? */
    ATS, WRD, WRD, WRD, WRD, WRD, WRD, WRD,   /* 40 @ A B C D E F G */
    WRD, WRD, WRD, WRD, WRD, WRD, WRD, WRD,   /* 48 H I J K L M N O */
    WRD, WRD, WRD, WRD, WRD, WRD, WRD, WRD,   /* 50 P Q R S T U V W */
    WRD, WRD, WRD, OTH, OPR, OTH, OPR, WRD,   /* 58 X Y Z [ \ ] ^ _ */
    TIC, WRD, WRD, WRD, WRD, WRD, WRD, WRD,   /* 60 ` a b c d e f g */
    WRD, WRD, WRD, WRD, WRD, WRD, WRD, WRD,   /* 68 h i j k l m n o */
    WRD, WRD, WRD, WRD, WRD, WRD, WRD, WRD,   /* 70 p q r s t u v w */
    WRD, WRD, WRD, OPR, OPR, OPR, OPR, OTH,   /* 78 x y z { | } ~ */
    WRD, WRD, WRD, WRD, WRD, WRD, WRD, WRD,   /* 80 */
    WRD, WRD, WRD, WRD, WRD, WRD, WRD, WRD,   /* 88 */
    WRD, WRD, WRD, WRD, WRD, WRD, WRD, WRD,   /* 90 */
    WRD, WRD, WRD, WRD, WRD, WRD, WRD, WRD,   /* 98 */
    WRD, WRD, WRD, WRD, WRD, WRD, WRD, WRD,   /* a0 */
    WRD, WRD, WRD, WRD, WRD, WRD, WRD, WRD,   /* a8 */
    WRD, WRD, WRD, WRD, WRD, WRD, WRD, WRD,   /* b0 */
    WRD, WRD, WRD, WRD, WRD, WRD, WRD, WRD,   /* b8 */
    WRD, WRD, WRD, WRD, WRD, WRD, WRD, WRD,   /* c0 */
    WRD, WRD, WRD, WRD, WRD, WRD, WRD, WRD,   /* c8 */
    WRD, WRD, WRD, WRD, WRD, WRD, WRD, WRD,   /* d0 */
    WRD, WRD, WRD, WRD, WRD, WRD, WRD, WRD,   /* d8 */
    WRD, WRD, WRD, WRD, WRD, WRD, WRD, WRD,   /* e0 */
    WRD, WRD, WRD, WRD, WRD, WRD, WRD, WRD,   /* e8 */
    WRD, WRD, WRD, WRD, WRD, WRD, WRD, WRD,   /* f0 */
    WRD, WRD, WRD, WRD, WRD, WRD, WRD, WRD    /* f8 */
};


static const ngx_hyperdrive_sql_keyword_t  ngx_hyperdrive_sql_mysql_keywords[]
    = {
    { ngx_string("accessible"), K(OTHER), RESERVED },
    { ngx_string("add"), K(OTHER), RESERVED },
    { ngx_string("all"), K(ALL), RESERVED },
    { ngx_string("alter"), K(ALTER), RESERVED },
    { ngx_string("analyze"), K(ANALYZE), RESERVED },
    { ngx_string("and"), K(AND), RESERVED },
    { ngx_string("any"), K(ANY), UNRESERVED },
    { ngx_string("as"), K(AS), RESERVED },
    { ngx_string("asc"), K(OTHER), RESERVED },
    { ngx_string("backup"), K(BACKUP), UNRESERVED },
    { ngx_string("before"), K(OTHER), RESERVED },
    { ngx_string("begin"), K(BEGIN), UNRESERVED },
    { ngx_string("between"), K(OTHER), RESERVED },
    { ngx_string("bigint"), K(OTHER), RESERVED },
    { ngx_string("binary"), K(OTHER), RESERVED },
    { ngx_string("binlog"), K(BINLOG), UNRESERVED },
    { ngx_string("blob"), K(OTHER), RESERVED },
    { ngx_string("both"), K(OTHER), RESERVED },
    { ngx_string("by"), K(BY), RESERVED },
    { ngx_string("cache"), K(CACHE), UNRESERVED },
    { ngx_string("call"), K(CALL), RESERVED },
    { ngx_string("cascade"), K(OTHER), RESERVED },
    { ngx_string("case"), K(CASE), RESERVED },
    { ngx_string("change"), K(CHANGE), RESERVED },
    { ngx_string("char"), K(CHAR), RESERVED },
    { ngx_string("character"), K(CHARACTER), RESERVED },
    { ngx_string("charset"), K(CHARSET), UNRESERVED },
    { ngx_string("check"), K(CHECK), RESERVED },
    { ngx_string("checksum"), K(CHECKSUM), UNRESERVED },
    { ngx_string("close"), K(CLOSE), UNRESERVED },
    { ngx_string("collate"), K(OTHER), RESERVED },
    { ngx_string("column"), K(COLUMN), RESERVED },
    { ngx_string("commit"), K(COMMIT), UNRESERVED },
    { ngx_string("condition"), K(OTHER), RESERVED },
    { ngx_string("constraint"), K(OTHER), RESERVED },
    { ngx_string("constraints"), K(CONSTRAINTS), UNRESERVED },
    { ngx_string("continue"), K(OTHER), RESERVED },
    { ngx_string("convert"), K(OTHER), RESERVED },
    { ngx_string("create"), K(CREATE), RESERVED },
    { ngx_string("cross"), K(CROSS), RESERVED },
    { ngx_string("current_date"), K(CURRENT_DATE), RESERVED },
    { ngx_string("current_role"), K(CURRENT_ROLE), UNRESERVED },
    { ngx_string("current_time"), K(CURRENT_TIME), RESERVED },
    { ngx_string("current_timestamp"), K(CURRENT_TIMESTAMP), RESERVED },
    { ngx_string("current_user"), K(CURRENT_USER), RESERVED },
    { ngx_string("cursor"), K(CURSOR), RESERVED },
    { ngx_string("cycle"), K(CYCLE), UNRESERVED },
    { ngx_string("database"), K(DATABASE), RESERVED },
    { ngx_string("databases"), K(OTHER), RESERVED },
    { ngx_string("day_hour"), K(OTHER), RESERVED },
    { ngx_string("day_microsecond"), K(OTHER), RESERVED },
    { ngx_string("day_minute"), K(OTHER), RESERVED },
    { ngx_string("day_second"), K(OTHER), RESERVED },
    { ngx_string("deallocate"), K(DEALLOCATE), UNRESERVED },
    { ngx_string("dec"), K(OTHER), RESERVED },
    { ngx_string("decimal"), K(OTHER), RESERVED },
    { ngx_string("declare"), K(DECLARE), RESERVED },
    { ngx_string("default"), K(DEFAULT), RESERVED },
    { ngx_string("delayed"), K(DELAYED), RESERVED },
    { ngx_string("delete"), K(DELETE), RESERVED },
    { ngx_string("desc"), K(DESC), RESERVED },
    { ngx_string("describe"), K(DESCRIBE), RESERVED },
    { ngx_string("deterministic"), K(OTHER), RESERVED },
    { ngx_string("distinct"), K(DISTINCT), RESERVED },
    { ngx_string("distinctrow"), K(OTHER), RESERVED },
    { ngx_string("div"), K(OTHER), RESERVED },
    { ngx_string("do"), K(DO), UNRESERVED },
    { ngx_string("double"), K(OTHER), RESERVED },
    { ngx_string("drop"), K(DROP), RESERVED },
    { ngx_string("dual"), K(DUAL), RESERVED },
    { ngx_string("dumpfile"), K(DUMPFILE), UNRESERVED },
    { ngx_string("each"), K(OTHER), RESERVED },
    { ngx_string("else"), K(ELSE), RESERVED },
    { ngx_string("elseif"), K(ELSEIF), RESERVED },
    { ngx_string("enclosed"), K(OTHER), RESERVED },
    { ngx_string("end"), K(END), UNRESERVED },
    { ngx_string("escape"), K(ESCAPE), UNRESERVED },
    { ngx_string("escaped"), K(OTHER), RESERVED },
    { ngx_string("except"), K(EXCEPT), RESERVED },
    { ngx_string("execute"), K(EXECUTE), UNRESERVED },
    { ngx_string("exists"), K(EXISTS), RESERVED },
    { ngx_string("exit"), K(OTHER), RESERVED },
    { ngx_string("explain"), K(EXPLAIN), RESERVED },
    { ngx_string("false"), K(OTHER), RESERVED },
    { ngx_string("fetch"), K(FETCH), RESERVED },
    { ngx_string("first"), K(FIRST), UNRESERVED },
    { ngx_string("float"), K(OTHER), RESERVED },
    { ngx_string("float4"), K(OTHER), RESERVED },
    { ngx_string("float8"), K(OTHER), RESERVED },
    { ngx_string("flush"), K(FLUSH), UNRESERVED },
    { ngx_string("for"), K(FOR), RESERVED },
    { ngx_string("force"), K(FORCE), RESERVED },
    { ngx_string("foreign"), K(FOREIGN), RESERVED },
    { ngx_string("from"), K(FROM), RESERVED },
    { ngx_string("fulltext"), K(OTHER), RESERVED },
    { ngx_string("function"), K(FUNCTION), UNRESERVED },
    { ngx_string("get"), K(GET), UNRESERVED },
    { ngx_string("global"), K(GLOBAL), UNRESERVED },
    { ngx_string("grant"), K(GRANT), RESERVED },
    { ngx_string("group"), K(GROUP), RESERVED },
    { ngx_string("grouping"), K(GROUPING), UNRESERVED },
    { ngx_string("handler"), K(HANDLER), UNRESERVED },
    { ngx_string("having"), K(HAVING), RESERVED },
    { ngx_string("help"), K(HELP), UNRESERVED },
    { ngx_string("high_priority"), K(HIGH_PRIORITY), RESERVED },
    { ngx_string("history"), K(HISTORY), UNRESERVED },
    { ngx_string("hold"), K(HOLD), UNRESERVED },
    { ngx_string("hour_microsecond"), K(OTHER), RESERVED },
    { ngx_string("hour_minute"), K(OTHER), RESERVED },
    { ngx_string("hour_second"), K(OTHER), RESERVED },
    { ngx_string("if"), K(IF), RESERVED },
    { ngx_string("ignore"), K(IGNORE), RESERVED },
    { ngx_string("import"), K(IMPORT), UNRESERVED },
    { ngx_string("in"), K(IN), RESERVED },
    { ngx_string("index"), K(INDEX), RESERVED },
    { ngx_string("infile"), K(INFILE), RESERVED },
    { ngx_string("inner"), K(INNER), RESERVED },
    { ngx_string("inout"), K(OTHER), RESERVED },
    { ngx_string("insensitive"), K(OTHER), RESERVED },
    { ngx_string("insert"), K(INSERT), RESERVED },
    { ngx_string("install"), K(INSTALL), UNRESERVED },
    { ngx_string("int"), K(OTHER), RESERVED },
    { ngx_string("int1"), K(OTHER), RESERVED },
    { ngx_string("int2"), K(OTHER), RESERVED },
    { ngx_string("int3"), K(OTHER), RESERVED },
    { ngx_string("int4"), K(OTHER), RESERVED },
    { ngx_string("int8"), K(OTHER), RESERVED },
    { ngx_string("integer"), K(OTHER), RESERVED },
    { ngx_string("intersect"), K(INTERSECT), RESERVED },
    { ngx_string("interval"), K(INTERVAL), RESERVED },
    { ngx_string("into"), K(INTO), RESERVED },
    { ngx_string("is"), K(IS), RESERVED },
    { ngx_string("iterate"), K(ITERATE), RESERVED },
    { ngx_string("join"), K(JOIN), RESERVED },
    { ngx_string("key"), K(KEY), RESERVED },
    { ngx_string("keys"), K(OTHER), RESERVED },
    { ngx_string("kill"), K(KILL), RESERVED },
    { ngx_string("lateral"), K(LATERAL), UNRESERVED },
    { ngx_string("leading"), K(OTHER), RESERVED },
    { ngx_string("leave"), K(LEAVE), RESERVED },
    { ngx_string("left"), K(LEFT), RESERVED },
    { ngx_string("like"), K(LIKE), RESERVED },
    { ngx_string("limit"), K(LIMIT), RESERVED },
    { ngx_string("linear"), K(OTHER), RESERVED },
    { ngx_string("lines"), K(OTHER), RESERVED },
    { ngx_string("load"), K(LOAD), RESERVED },
    { ngx_string("local"), K(LOCAL), UNRESERVED },
    { ngx_string("localtime"), K(LOCALTIME), RESERVED },
    { ngx_string("localtimestamp"), K(LOCALTIMESTAMP), RESERVED },
    { ngx_string("lock"), K(LOCK), RESERVED },
    { ngx_string("long"), K(OTHER), RESERVED },
    { ngx_string("longblob"), K(OTHER), RESERVED },
    { ngx_string("longtext"), K(OTHER), RESERVED },
    { ngx_string("loop"), K(LOOP), RESERVED },
    { ngx_string("low_priority"), K(LOW_PRIORITY), RESERVED },
    { ngx_string("match"), K(OTHER), RESERVED },
    { ngx_string("maxvalue"), K(OTHER), RESERVED },
    { ngx_string("mediumblob"), K(OTHER), RESERVED },
    { ngx_string("mediumint"), K(OTHER), RESERVED },
    { ngx_string("mediumtext"), K(OTHER), RESERVED },
    { ngx_string("middleint"), K(OTHER), RESERVED },
    { ngx_string("minus"), K(MINUS), UNRESERVED },
    { ngx_string("minute_microsecond"), K(OTHER), RESERVED },
    { ngx_string("minute_second"), K(OTHER), RESERVED },
    { ngx_string("mod"), K(OTHER), RESERVED },
    { ngx_string("modifies"), K(OTHER), RESERVED },
    { ngx_string("names"), K(NAMES), UNRESERVED },
    { ngx_string("natural"), K(NATURAL), RESERVED },
    { ngx_string("next"), K(NEXT), UNRESERVED },
    { ngx_string("no"), K(NO), UNRESERVED },
    { ngx_string("no_write_to_binlog"), K(OTHER), RESERVED },
    { ngx_string("not"), K(NOT), RESERVED },
    { ngx_string("null"), K(NULL), RESERVED },
    { ngx_string("numeric"), K(OTHER), RESERVED },
    { ngx_string("offset"), K(OFFSET), UNRESERVED },
    { ngx_string("on"), K(ON), RESERVED },
    { ngx_string("only"), K(ONLY), UNRESERVED },
    { ngx_string("open"), K(OPEN), UNRESERVED },
    { ngx_string("optimize"), K(OPTIMIZE), RESERVED },
    { ngx_string("option"), K(OTHER), RESERVED },
    { ngx_string("optionally"), K(OTHER), RESERVED },
    { ngx_string("or"), K(OR), RESERVED },
    { ngx_string("order"), K(ORDER), RESERVED },
    { ngx_string("out"), K(OTHER), RESERVED },
    { ngx_string("outer"), K(OUTER), RESERVED },
    { ngx_string("outfile"), K(OUTFILE), RESERVED },
    { ngx_string("over"), K(OVER), RESERVED },
    { ngx_string("partition"), K(PARTITION), RESERVED },
    { ngx_string("password"), K(PASSWORD), UNRESERVED },
    { ngx_string("persist"), K(PERSIST), UNRESERVED },
    { ngx_string("persist_only"), K(PERSIST_ONLY), UNRESERVED },
    { ngx_string("precision"), K(OTHER), RESERVED },
    { ngx_string("prepare"), K(PREPARE), UNRESERVED },
    { ngx_string("previous"), K(PREVIOUS), UNRESERVED },
    { ngx_string("primary"), K(PRIMARY), RESERVED },
    { ngx_string("procedure"), K(PROCEDURE), RESERVED },
    { ngx_string("purge"), K(PURGE), RESERVED },
    { ngx_string("quick"), K(QUICK), UNRESERVED },
    { ngx_string("range"), K(OTHER), RESERVED },
    { ngx_string("read"), K(READ), RESERVED },
    { ngx_string("read_write"), K(OTHER), RESERVED },
    { ngx_string("reads"), K(OTHER), RESERVED },
    { ngx_string("real"), K(OTHER), RESERVED },
    { ngx_string("recursive"), K(RECURSIVE), RESERVED },
    { ngx_string("references"), K(REFERENCES), RESERVED },
    { ngx_string("regexp"), K(OTHER), RESERVED },
    { ngx_string("release"), K(RELEASE), RESERVED },
    { ngx_string("rename"), K(RENAME), RESERVED },
    { ngx_string("repair"), K(REPAIR), UNRESERVED },
    { ngx_string("repeat"), K(REPEAT), RESERVED },
    { ngx_string("repeatable"), K(REPEATABLE), UNRESERVED },
    { ngx_string("replace"), K(REPLACE), RESERVED },
    { ngx_string("replica"), K(REPLICA), UNRESERVED },
    { ngx_string("require"), K(OTHER), RESERVED },
    { ngx_string("reset"), K(RESET), UNRESERVED },
    { ngx_string("resignal"), K(RESIGNAL), RESERVED },
    { ngx_string("restart"), K(RESTART), UNRESERVED },
    { ngx_string("restrict"), K(OTHER), RESERVED },
    { ngx_string("return"), K(RETURN), RESERVED },
    { ngx_string("returning"), K(RETURNING), UNRESERVED },
    { ngx_string("revoke"), K(REVOKE), RESERVED },
    { ngx_string("right"), K(RIGHT), RESERVED },
    { ngx_string("rlike"), K(OTHER), RESERVED },
    { ngx_string("role"), K(ROLE), UNRESERVED },
    { ngx_string("rollback"), K(ROLLBACK), UNRESERVED },
    { ngx_string("rollup"), K(ROLLUP), UNRESERVED },
    { ngx_string("row"), K(ROW), UNRESERVED },
    { ngx_string("row_number"), K(OTHER), RESERVED },
    { ngx_string("rows"), K(ROWS), UNRESERVED },
    { ngx_string("savepoint"), K(SAVEPOINT), UNRESERVED },
    { ngx_string("schema"), K(SCHEMA), RESERVED },
    { ngx_string("schemas"), K(OTHER), RESERVED },
    { ngx_string("search"), K(SEARCH), UNRESERVED },
    { ngx_string("second"), K(SECOND), UNRESERVED },
    { ngx_string("second_microsecond"), K(OTHER), RESERVED },
    { ngx_string("select"), K(SELECT), RESERVED },
    { ngx_string("sensitive"), K(OTHER), RESERVED },
    { ngx_string("separator"), K(OTHER), RESERVED },
    { ngx_string("serializable"), K(SERIALIZABLE), UNRESERVED },
    { ngx_string("session"), K(SESSION), UNRESERVED },
    { ngx_string("set"), K(SET), RESERVED },
    { ngx_string("share"), K(SHARE), UNRESERVED },
    { ngx_string("show"), K(SHOW), RESERVED },
    { ngx_string("shutdown"), K(SHUTDOWN), UNRESERVED },
    { ngx_string("signal"), K(SIGNAL), RESERVED },
    { ngx_string("slave"), K(SLAVE), UNRESERVED },
    { ngx_string("smallint"), K(OTHER), RESERVED },
    { ngx_string("some"), K(SOME), UNRESERVED },
    { ngx_string("spatial"), K(OTHER), RESERVED },
    { ngx_string("specific"), K(OTHER), RESERVED },
    { ngx_string("sql"), K(OTHER), RESERVED },
    { ngx_string("sql_big_result"), K(OTHER), RESERVED },
    { ngx_string("sql_calc_found_rows"), K(SQL_CALC_FOUND_ROWS), RESERVED },
    { ngx_string("sql_no_cache"), K(SQL_NO_CACHE), UNRESERVED },
    { ngx_string("sql_small_result"), K(OTHER), RESERVED },
    { ngx_string("sqlexception"), K(OTHER), RESERVED },
    { ngx_string("sqlstate"), K(OTHER), RESERVED },
    { ngx_string("sqlwarning"), K(OTHER), RESERVED },
    { ngx_string("ssl"), K(OTHER), RESERVED },
    { ngx_string("start"), K(START), UNRESERVED },
    { ngx_string("starting"), K(OTHER), RESERVED },
    { ngx_string("statement"), K(STATEMENT), UNRESERVED },
    { ngx_string("stop"), K(STOP), UNRESERVED },
    { ngx_string("straight_join"), K(STRAIGHT_JOIN), RESERVED },
    { ngx_string("system"), K(SYSTEM), UNRESERVED },
    { ngx_string("system_time"), K(SYSTEM_TIME), UNRESERVED },
    { ngx_string("table"), K(TABLE), RESERVED },
    { ngx_string("tables"), K(TABLES), UNRESERVED },
    { ngx_string("tablespace"), K(TABLESPACE), UNRESERVED },
    { ngx_string("temporary"), K(TEMPORARY), UNRESERVED },
    { ngx_string("terminated"), K(OTHER), RESERVED },
    { ngx_string("then"), K(THEN), RESERVED },
    { ngx_string("time"), K(TIME), UNRESERVED },
    { ngx_string("tinyblob"), K(OTHER), RESERVED },
    { ngx_string("tinyint"), K(OTHER), RESERVED },
    { ngx_string("tinytext"), K(OTHER), RESERVED },
    { ngx_string("to"), K(TO), RESERVED },
    { ngx_string("trailing"), K(OTHER), RESERVED },
    { ngx_string("transaction"), K(TRANSACTION), UNRESERVED },
    { ngx_string("trigger"), K(OTHER), RESERVED },
    { ngx_string("true"), K(TRUE), RESERVED },
    { ngx_string("truncate"), K(TRUNCATE), UNRESERVED },
    { ngx_string("type"), K(TYPE), UNRESERVED },
    { ngx_string("undo"), K(OTHER), RESERVED },
    { ngx_string("uninstall"), K(UNINSTALL), UNRESERVED },
    { ngx_string("union"), K(UNION), RESERVED },
    { ngx_string("unique"), K(UNIQUE), RESERVED },
    { ngx_string("unlock"), K(UNLOCK), RESERVED },
    { ngx_string("unsigned"), K(OTHER), RESERVED },
    { ngx_string("until"), K(UNTIL), UNRESERVED },
    { ngx_string("update"), K(UPDATE), RESERVED },
    { ngx_string("usage"), K(OTHER), RESERVED },
    { ngx_string("use"), K(USE), RESERVED },
    { ngx_string("user"), K(USER), UNRESERVED },
    { ngx_string("using"), K(USING), RESERVED },
    { ngx_string("utc_date"), K(UTC_DATE), RESERVED },
    { ngx_string("utc_time"), K(UTC_TIME), RESERVED },
    { ngx_string("utc_timestamp"), K(UTC_TIMESTAMP), RESERVED },
    { ngx_string("value"), K(VALUE), UNRESERVED },
    { ngx_string("values"), K(VALUES), RESERVED },
    { ngx_string("varbinary"), K(OTHER), RESERVED },
    { ngx_string("varchar"), K(OTHER), RESERVED },
    { ngx_string("varcharacter"), K(OTHER), RESERVED },
    { ngx_string("varying"), K(VARYING), RESERVED },
    { ngx_string("view"), K(VIEW), UNRESERVED },
    { ngx_string("when"), K(WHEN), RESERVED },
    { ngx_string("where"), K(WHERE), RESERVED },
    { ngx_string("while"), K(WHILE), RESERVED },
    { ngx_string("window"), K(WINDOW), UNRESERVED },
    { ngx_string("with"), K(WITH), RESERVED },
    { ngx_string("work"), K(WORK), UNRESERVED },
    { ngx_string("write"), K(OTHER), RESERVED },
    { ngx_string("xa"), K(XA), UNRESERVED },
    { ngx_string("xor"), K(XOR), RESERVED },
    { ngx_string("year_month"), K(OTHER), RESERVED },
    { ngx_string("zerofill"), K(OTHER), RESERVED }
};


static ngx_hyperdrive_sql_keywords_t  ngx_hyperdrive_sql_mysql_index;


const ngx_hyperdrive_sql_dialect_t  ngx_hyperdrive_sql_mysql = {
    ngx_hyperdrive_sql_mysql_classes,

    ngx_hyperdrive_sql_mysql_keywords,
    sizeof(ngx_hyperdrive_sql_mysql_keywords)
        / sizeof(ngx_hyperdrive_sql_mysql_keywords[0]),
    &ngx_hyperdrive_sql_mysql_index,
    ngx_hyperdrive_sql_mysql_functions,
    &ngx_hyperdrive_sql_mysql_functions_n,
    NULL,
    NULL,

    256,                                   /* 64 characters; more are an error
                                              at the server */
    ngx_hyperdrive_sql_mysql_lexer,
    ngx_hyperdrive_sql_mysql_dispatch,
    ngx_hyperdrive_sql_mysql_scan,
    ngx_hyperdrive_sql_mysql_system,

    0,                                     /* nested comments */
    0,                                     /* dollar strings */
    0,                                     /* string prefixes */
    0,                                     /* string continuation */
    1                                      /* names keep their case */
};


/* the server's own schemas, in letters of any case */

static ngx_uint_t
ngx_hyperdrive_sql_mysql_system(ngx_str_t *schema, ngx_str_t *table)
{
    const char         **name;
    static const char   *names[] = {
        "information_schema", "mysql", "performance_schema", "sys", NULL
    };

    for (name = names; *name; name++) {

        if (ngx_strlen(*name) == schema->len
            && ngx_strncasecmp((u_char *) *name, schema->data, schema->len)
               == 0)
        {
            return 1;
        }
    }

    return 0;
}
