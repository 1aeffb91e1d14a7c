
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_SQL_LEXER_H_INCLUDED_
#define _NGX_HYPERDRIVE_SQL_LEXER_H_INCLUDED_


#include "sql/ngx_hyperdrive_sql.h"


/*
 * Cuts a text into tokens, as the server's own lexer does.  What a byte may
 * begin is in the dialect's class table; what a word means is in its keyword
 * table.  Tokens point into the text, nothing is copied.
 */


/* what a byte is, for the dialect's table */

typedef enum {
    NGX_HYPERDRIVE_SQL_C_OTHER = 0,  /* no token begins with it */
    NGX_HYPERDRIVE_SQL_C_SPACE,
    NGX_HYPERDRIVE_SQL_C_WORD,       /* begins an identifier, goes on in it */
    NGX_HYPERDRIVE_SQL_C_DIGIT,      /* begins a number, goes on in a word */
    NGX_HYPERDRIVE_SQL_C_DOLLAR,     /* $1, $$...$$; goes on in a word */
    NGX_HYPERDRIVE_SQL_C_STRING,     /* ' */
    NGX_HYPERDRIVE_SQL_C_NAME,       /* " */
    NGX_HYPERDRIVE_SQL_C_DOT,
    NGX_HYPERDRIVE_SQL_C_COLON,
    NGX_HYPERDRIVE_SQL_C_SELF,       /* , ( ) [ ] ; are tokens alone */
    NGX_HYPERDRIVE_SQL_C_OPERATOR,
    NGX_HYPERDRIVE_SQL_C_BACKTICK,   /* MySQL's quote of names */
    NGX_HYPERDRIVE_SQL_C_AT          /* @variable, @@variable */
} ngx_hyperdrive_sql_class_e;


typedef enum {
    NGX_HYPERDRIVE_SQL_T_END = 0,
    NGX_HYPERDRIVE_SQL_T_ERROR,      /* cannot be understood; stays so */
    NGX_HYPERDRIVE_SQL_T_WORD,       /* an identifier or a keyword */
    NGX_HYPERDRIVE_SQL_T_NAME,       /* a quoted identifier, never a keyword;
                                        <text> is what is inside */
    NGX_HYPERDRIVE_SQL_T_STRING,     /* a string constant, see <string> */
    NGX_HYPERDRIVE_SQL_T_BITS,       /* B'...' or X'...' */
    NGX_HYPERDRIVE_SQL_T_NUMBER,
    NGX_HYPERDRIVE_SQL_T_PARAM,      /* $1; MySQL: ? */
    NGX_HYPERDRIVE_SQL_T_VARIABLE,   /* @name, <text> is the name */
    NGX_HYPERDRIVE_SQL_T_SYSTEM,     /* @@, the name follows */
    NGX_HYPERDRIVE_SQL_T_OPERATOR,
    NGX_HYPERDRIVE_SQL_T_CAST,       /* :: */
    NGX_HYPERDRIVE_SQL_T_ASSIGN,     /* := */
    NGX_HYPERDRIVE_SQL_T_COLON,
    NGX_HYPERDRIVE_SQL_T_DOT,
    NGX_HYPERDRIVE_SQL_T_COMMA,
    NGX_HYPERDRIVE_SQL_T_SEMICOLON,
    NGX_HYPERDRIVE_SQL_T_OPEN,       /* ( */
    NGX_HYPERDRIVE_SQL_T_CLOSE,
    NGX_HYPERDRIVE_SQL_T_OPEN_BRACKET,
    NGX_HYPERDRIVE_SQL_T_CLOSE_BRACKET
} ngx_hyperdrive_sql_token_e;


/* how the bytes of a string constant are to be read */

typedef enum {
    NGX_HYPERDRIVE_SQL_S_PLAIN = 0,  /* '' is a quote */
    NGX_HYPERDRIVE_SQL_S_ESCAPE,     /* E'...', or the setting says so */
    NGX_HYPERDRIVE_SQL_S_UNICODE,    /* U&'...' */
    NGX_HYPERDRIVE_SQL_S_RAW         /* $$...$$: <text> is the body */
} ngx_hyperdrive_sql_string_e;


/* what a keyword may be besides itself, as in the server's own list */

typedef enum {
    NGX_HYPERDRIVE_SQL_UNRESERVED = 0,   /* any name */
    NGX_HYPERDRIVE_SQL_COLUMN,           /* a column or a table, no function */
    NGX_HYPERDRIVE_SQL_FUNCTION_OR_TYPE, /* a function, no column or table */
    NGX_HYPERDRIVE_SQL_RESERVED,
    NGX_HYPERDRIVE_SQL_NOT_KEYWORD
} ngx_hyperdrive_sql_category_e;


/* the words that the classifier looks for; all others are K_OTHER */

typedef enum {
    NGX_HYPERDRIVE_SQL_K_OTHER = 0,
    NGX_HYPERDRIVE_SQL_K_ABORT,
    NGX_HYPERDRIVE_SQL_K_ALL,
    NGX_HYPERDRIVE_SQL_K_ALTER,
    NGX_HYPERDRIVE_SQL_K_ANALYSE,
    NGX_HYPERDRIVE_SQL_K_ANALYZE,
    NGX_HYPERDRIVE_SQL_K_AND,
    NGX_HYPERDRIVE_SQL_K_ANY,
    NGX_HYPERDRIVE_SQL_K_ARRAY,
    NGX_HYPERDRIVE_SQL_K_AS,
    NGX_HYPERDRIVE_SQL_K_ATOMIC,
    NGX_HYPERDRIVE_SQL_K_BACKUP,
    NGX_HYPERDRIVE_SQL_K_BEGIN,
    NGX_HYPERDRIVE_SQL_K_BINLOG,
    NGX_HYPERDRIVE_SQL_K_BIT,
    NGX_HYPERDRIVE_SQL_K_BY,
    NGX_HYPERDRIVE_SQL_K_CACHE,
    NGX_HYPERDRIVE_SQL_K_CALL,
    NGX_HYPERDRIVE_SQL_K_CASE,
    NGX_HYPERDRIVE_SQL_K_CAST,
    NGX_HYPERDRIVE_SQL_K_CHANGE,
    NGX_HYPERDRIVE_SQL_K_CHAR,
    NGX_HYPERDRIVE_SQL_K_CHARACTER,
    NGX_HYPERDRIVE_SQL_K_CHARSET,
    NGX_HYPERDRIVE_SQL_K_CHECK,
    NGX_HYPERDRIVE_SQL_K_CHECKPOINT,
    NGX_HYPERDRIVE_SQL_K_CHECKSUM,
    NGX_HYPERDRIVE_SQL_K_CLOSE,
    NGX_HYPERDRIVE_SQL_K_CLUSTER,
    NGX_HYPERDRIVE_SQL_K_COALESCE,
    NGX_HYPERDRIVE_SQL_K_COLLATION,
    NGX_HYPERDRIVE_SQL_K_COLUMN,
    NGX_HYPERDRIVE_SQL_K_COMMENT,
    NGX_HYPERDRIVE_SQL_K_COMMIT,
    NGX_HYPERDRIVE_SQL_K_CONCURRENTLY,
    NGX_HYPERDRIVE_SQL_K_CONFLICT,
    NGX_HYPERDRIVE_SQL_K_CONSTRAINTS,
    NGX_HYPERDRIVE_SQL_K_COPY,
    NGX_HYPERDRIVE_SQL_K_CREATE,
    NGX_HYPERDRIVE_SQL_K_CROSS,
    NGX_HYPERDRIVE_SQL_K_CUBE,
    NGX_HYPERDRIVE_SQL_K_CURRENT_CATALOG,
    NGX_HYPERDRIVE_SQL_K_CURRENT_DATE,
    NGX_HYPERDRIVE_SQL_K_CURRENT_ROLE,
    NGX_HYPERDRIVE_SQL_K_CURRENT_SCHEMA,
    NGX_HYPERDRIVE_SQL_K_CURRENT_TIME,
    NGX_HYPERDRIVE_SQL_K_CURRENT_TIMESTAMP,
    NGX_HYPERDRIVE_SQL_K_CURRENT_USER,
    NGX_HYPERDRIVE_SQL_K_CURSOR,
    NGX_HYPERDRIVE_SQL_K_CYCLE,
    NGX_HYPERDRIVE_SQL_K_DATABASE,
    NGX_HYPERDRIVE_SQL_K_DEALLOCATE,
    NGX_HYPERDRIVE_SQL_K_DECLARE,
    NGX_HYPERDRIVE_SQL_K_DEFAULT,
    NGX_HYPERDRIVE_SQL_K_DELAYED,
    NGX_HYPERDRIVE_SQL_K_DELETE,
    NGX_HYPERDRIVE_SQL_K_DESC,
    NGX_HYPERDRIVE_SQL_K_DESCRIBE,
    NGX_HYPERDRIVE_SQL_K_DISCARD,
    NGX_HYPERDRIVE_SQL_K_DISTINCT,
    NGX_HYPERDRIVE_SQL_K_DO,
    NGX_HYPERDRIVE_SQL_K_DOMAIN,
    NGX_HYPERDRIVE_SQL_K_DROP,
    NGX_HYPERDRIVE_SQL_K_DUAL,
    NGX_HYPERDRIVE_SQL_K_DUMPFILE,
    NGX_HYPERDRIVE_SQL_K_ELSE,
    NGX_HYPERDRIVE_SQL_K_ELSEIF,
    NGX_HYPERDRIVE_SQL_K_END,
    NGX_HYPERDRIVE_SQL_K_ESCAPE,
    NGX_HYPERDRIVE_SQL_K_EXCEPT,
    NGX_HYPERDRIVE_SQL_K_EXCLUDE,
    NGX_HYPERDRIVE_SQL_K_EXECUTE,
    NGX_HYPERDRIVE_SQL_K_EXISTS,
    NGX_HYPERDRIVE_SQL_K_EXPLAIN,
    NGX_HYPERDRIVE_SQL_K_EXTENSION,
    NGX_HYPERDRIVE_SQL_K_EXTRACT,
    NGX_HYPERDRIVE_SQL_K_FETCH,
    NGX_HYPERDRIVE_SQL_K_FILTER,
    NGX_HYPERDRIVE_SQL_K_FIRST,
    NGX_HYPERDRIVE_SQL_K_FLUSH,
    NGX_HYPERDRIVE_SQL_K_FOR,
    NGX_HYPERDRIVE_SQL_K_FORCE,
    NGX_HYPERDRIVE_SQL_K_FOREIGN,
    NGX_HYPERDRIVE_SQL_K_FROM,
    NGX_HYPERDRIVE_SQL_K_FULL,
    NGX_HYPERDRIVE_SQL_K_FUNCTION,
    NGX_HYPERDRIVE_SQL_K_GET,
    NGX_HYPERDRIVE_SQL_K_GLOBAL,
    NGX_HYPERDRIVE_SQL_K_GRANT,
    NGX_HYPERDRIVE_SQL_K_GREATEST,
    NGX_HYPERDRIVE_SQL_K_GROUP,
    NGX_HYPERDRIVE_SQL_K_GROUPING,
    NGX_HYPERDRIVE_SQL_K_HANDLER,
    NGX_HYPERDRIVE_SQL_K_HAVING,
    NGX_HYPERDRIVE_SQL_K_HELP,
    NGX_HYPERDRIVE_SQL_K_HIGH_PRIORITY,
    NGX_HYPERDRIVE_SQL_K_HISTORY,
    NGX_HYPERDRIVE_SQL_K_HOLD,
    NGX_HYPERDRIVE_SQL_K_IF,
    NGX_HYPERDRIVE_SQL_K_IGNORE,
    NGX_HYPERDRIVE_SQL_K_ILIKE,
    NGX_HYPERDRIVE_SQL_K_IMPORT,
    NGX_HYPERDRIVE_SQL_K_IN,
    NGX_HYPERDRIVE_SQL_K_INCLUDE,
    NGX_HYPERDRIVE_SQL_K_INDEX,
    NGX_HYPERDRIVE_SQL_K_INFILE,
    NGX_HYPERDRIVE_SQL_K_INHERITS,
    NGX_HYPERDRIVE_SQL_K_INNER,
    NGX_HYPERDRIVE_SQL_K_INSERT,
    NGX_HYPERDRIVE_SQL_K_INSTALL,
    NGX_HYPERDRIVE_SQL_K_INTERSECT,
    NGX_HYPERDRIVE_SQL_K_INTERVAL,
    NGX_HYPERDRIVE_SQL_K_INTO,
    NGX_HYPERDRIVE_SQL_K_IS,
    NGX_HYPERDRIVE_SQL_K_ISNULL,
    NGX_HYPERDRIVE_SQL_K_ITERATE,
    NGX_HYPERDRIVE_SQL_K_JOIN,
    NGX_HYPERDRIVE_SQL_K_KEY,
    NGX_HYPERDRIVE_SQL_K_KILL,
    NGX_HYPERDRIVE_SQL_K_LATERAL,
    NGX_HYPERDRIVE_SQL_K_LEAST,
    NGX_HYPERDRIVE_SQL_K_LEAVE,
    NGX_HYPERDRIVE_SQL_K_LEFT,
    NGX_HYPERDRIVE_SQL_K_LIKE,
    NGX_HYPERDRIVE_SQL_K_LIMIT,
    NGX_HYPERDRIVE_SQL_K_LISTEN,
    NGX_HYPERDRIVE_SQL_K_LOAD,
    NGX_HYPERDRIVE_SQL_K_LOCAL,
    NGX_HYPERDRIVE_SQL_K_LOCALTIME,
    NGX_HYPERDRIVE_SQL_K_LOCALTIMESTAMP,
    NGX_HYPERDRIVE_SQL_K_LOCK,
    NGX_HYPERDRIVE_SQL_K_LOOP,
    NGX_HYPERDRIVE_SQL_K_LOW_PRIORITY,
    NGX_HYPERDRIVE_SQL_K_MATCHED,
    NGX_HYPERDRIVE_SQL_K_MATERIALIZED,
    NGX_HYPERDRIVE_SQL_K_MERGE,
    NGX_HYPERDRIVE_SQL_K_MINUS,
    NGX_HYPERDRIVE_SQL_K_MOVE,
    NGX_HYPERDRIVE_SQL_K_NAMES,
    NGX_HYPERDRIVE_SQL_K_NATURAL,
    NGX_HYPERDRIVE_SQL_K_NCHAR,
    NGX_HYPERDRIVE_SQL_K_NEXT,
    NGX_HYPERDRIVE_SQL_K_NO,
    NGX_HYPERDRIVE_SQL_K_NORMALIZE,
    NGX_HYPERDRIVE_SQL_K_NOT,
    NGX_HYPERDRIVE_SQL_K_NOTIFY,
    NGX_HYPERDRIVE_SQL_K_NOTNULL,
    NGX_HYPERDRIVE_SQL_K_NULL,
    NGX_HYPERDRIVE_SQL_K_NULLIF,
    NGX_HYPERDRIVE_SQL_K_OF,
    NGX_HYPERDRIVE_SQL_K_OFFSET,
    NGX_HYPERDRIVE_SQL_K_ON,
    NGX_HYPERDRIVE_SQL_K_ONLY,
    NGX_HYPERDRIVE_SQL_K_OPEN,
    NGX_HYPERDRIVE_SQL_K_OPERATOR,
    NGX_HYPERDRIVE_SQL_K_OPTIMIZE,
    NGX_HYPERDRIVE_SQL_K_OPTIONS,
    NGX_HYPERDRIVE_SQL_K_OR,
    NGX_HYPERDRIVE_SQL_K_ORDER,
    NGX_HYPERDRIVE_SQL_K_ORDINALITY,
    NGX_HYPERDRIVE_SQL_K_OUTER,
    NGX_HYPERDRIVE_SQL_K_OUTFILE,
    NGX_HYPERDRIVE_SQL_K_OVER,
    NGX_HYPERDRIVE_SQL_K_OVERLAPS,
    NGX_HYPERDRIVE_SQL_K_OVERLAY,
    NGX_HYPERDRIVE_SQL_K_OVERRIDING,
    NGX_HYPERDRIVE_SQL_K_PARTITION,
    NGX_HYPERDRIVE_SQL_K_PASSWORD,
    NGX_HYPERDRIVE_SQL_K_PERSIST,
    NGX_HYPERDRIVE_SQL_K_PERSIST_ONLY,
    NGX_HYPERDRIVE_SQL_K_POSITION,
    NGX_HYPERDRIVE_SQL_K_PREPARE,
    NGX_HYPERDRIVE_SQL_K_PREPARED,
    NGX_HYPERDRIVE_SQL_K_PREVIOUS,
    NGX_HYPERDRIVE_SQL_K_PRIMARY,
    NGX_HYPERDRIVE_SQL_K_PROCEDURE,
    NGX_HYPERDRIVE_SQL_K_PURGE,
    NGX_HYPERDRIVE_SQL_K_QUICK,
    NGX_HYPERDRIVE_SQL_K_READ,
    NGX_HYPERDRIVE_SQL_K_REASSIGN,
    NGX_HYPERDRIVE_SQL_K_RECURSIVE,
    NGX_HYPERDRIVE_SQL_K_REFERENCES,
    NGX_HYPERDRIVE_SQL_K_REFRESH,
    NGX_HYPERDRIVE_SQL_K_REINDEX,
    NGX_HYPERDRIVE_SQL_K_RELEASE,
    NGX_HYPERDRIVE_SQL_K_RENAME,
    NGX_HYPERDRIVE_SQL_K_REPAIR,
    NGX_HYPERDRIVE_SQL_K_REPEAT,
    NGX_HYPERDRIVE_SQL_K_REPEATABLE,
    NGX_HYPERDRIVE_SQL_K_REPLACE,
    NGX_HYPERDRIVE_SQL_K_REPLICA,
    NGX_HYPERDRIVE_SQL_K_RESET,
    NGX_HYPERDRIVE_SQL_K_RESIGNAL,
    NGX_HYPERDRIVE_SQL_K_RESTART,
    NGX_HYPERDRIVE_SQL_K_RETURN,
    NGX_HYPERDRIVE_SQL_K_RETURNING,
    NGX_HYPERDRIVE_SQL_K_REVOKE,
    NGX_HYPERDRIVE_SQL_K_RIGHT,
    NGX_HYPERDRIVE_SQL_K_ROLE,
    NGX_HYPERDRIVE_SQL_K_ROLLBACK,
    NGX_HYPERDRIVE_SQL_K_ROLLUP,
    NGX_HYPERDRIVE_SQL_K_ROW,
    NGX_HYPERDRIVE_SQL_K_ROWS,
    NGX_HYPERDRIVE_SQL_K_SAVEPOINT,
    NGX_HYPERDRIVE_SQL_K_SCHEMA,
    NGX_HYPERDRIVE_SQL_K_SEARCH,
    NGX_HYPERDRIVE_SQL_K_SECOND,
    NGX_HYPERDRIVE_SQL_K_SECURITY,
    NGX_HYPERDRIVE_SQL_K_SELECT,
    NGX_HYPERDRIVE_SQL_K_SERIALIZABLE,
    NGX_HYPERDRIVE_SQL_K_SESSION,
    NGX_HYPERDRIVE_SQL_K_SESSION_USER,
    NGX_HYPERDRIVE_SQL_K_SET,
    NGX_HYPERDRIVE_SQL_K_SETS,
    NGX_HYPERDRIVE_SQL_K_SHARE,
    NGX_HYPERDRIVE_SQL_K_SHOW,
    NGX_HYPERDRIVE_SQL_K_SHUTDOWN,
    NGX_HYPERDRIVE_SQL_K_SIGNAL,
    NGX_HYPERDRIVE_SQL_K_SIMILAR,
    NGX_HYPERDRIVE_SQL_K_SLAVE,
    NGX_HYPERDRIVE_SQL_K_SOME,
    NGX_HYPERDRIVE_SQL_K_SQL_CALC_FOUND_ROWS,
    NGX_HYPERDRIVE_SQL_K_SQL_NO_CACHE,
    NGX_HYPERDRIVE_SQL_K_START,
    NGX_HYPERDRIVE_SQL_K_STATEMENT,
    NGX_HYPERDRIVE_SQL_K_STOP,
    NGX_HYPERDRIVE_SQL_K_STRAIGHT_JOIN,
    NGX_HYPERDRIVE_SQL_K_SUBSCRIPTION,
    NGX_HYPERDRIVE_SQL_K_SUBSTRING,
    NGX_HYPERDRIVE_SQL_K_SYSTEM,
    NGX_HYPERDRIVE_SQL_K_SYSTEM_TIME,
    NGX_HYPERDRIVE_SQL_K_TABLE,
    NGX_HYPERDRIVE_SQL_K_TABLES,
    NGX_HYPERDRIVE_SQL_K_TABLESAMPLE,
    NGX_HYPERDRIVE_SQL_K_TABLESPACE,
    NGX_HYPERDRIVE_SQL_K_TEMP,
    NGX_HYPERDRIVE_SQL_K_TEMPORARY,
    NGX_HYPERDRIVE_SQL_K_THEN,
    NGX_HYPERDRIVE_SQL_K_TIME,
    NGX_HYPERDRIVE_SQL_K_TO,
    NGX_HYPERDRIVE_SQL_K_TRANSACTION,
    NGX_HYPERDRIVE_SQL_K_TREAT,
    NGX_HYPERDRIVE_SQL_K_TRIM,
    NGX_HYPERDRIVE_SQL_K_TRUE,
    NGX_HYPERDRIVE_SQL_K_TRUNCATE,
    NGX_HYPERDRIVE_SQL_K_TYPE,
    NGX_HYPERDRIVE_SQL_K_UESCAPE,
    NGX_HYPERDRIVE_SQL_K_UNINSTALL,
    NGX_HYPERDRIVE_SQL_K_UNION,
    NGX_HYPERDRIVE_SQL_K_UNIQUE,
    NGX_HYPERDRIVE_SQL_K_UNLISTEN,
    NGX_HYPERDRIVE_SQL_K_UNLOCK,
    NGX_HYPERDRIVE_SQL_K_UNLOGGED,
    NGX_HYPERDRIVE_SQL_K_UNTIL,
    NGX_HYPERDRIVE_SQL_K_UPDATE,
    NGX_HYPERDRIVE_SQL_K_USE,
    NGX_HYPERDRIVE_SQL_K_USER,
    NGX_HYPERDRIVE_SQL_K_USING,
    NGX_HYPERDRIVE_SQL_K_UTC_DATE,
    NGX_HYPERDRIVE_SQL_K_UTC_TIME,
    NGX_HYPERDRIVE_SQL_K_UTC_TIMESTAMP,
    NGX_HYPERDRIVE_SQL_K_VACUUM,
    NGX_HYPERDRIVE_SQL_K_VALUE,
    NGX_HYPERDRIVE_SQL_K_VALUES,
    NGX_HYPERDRIVE_SQL_K_VARIADIC,
    NGX_HYPERDRIVE_SQL_K_VARYING,
    NGX_HYPERDRIVE_SQL_K_VERBOSE,
    NGX_HYPERDRIVE_SQL_K_VIEW,
    NGX_HYPERDRIVE_SQL_K_WHEN,
    NGX_HYPERDRIVE_SQL_K_WHERE,
    NGX_HYPERDRIVE_SQL_K_WHILE,
    NGX_HYPERDRIVE_SQL_K_WINDOW,
    NGX_HYPERDRIVE_SQL_K_WITH,
    NGX_HYPERDRIVE_SQL_K_WITHIN,
    NGX_HYPERDRIVE_SQL_K_WITHOUT,
    NGX_HYPERDRIVE_SQL_K_WORK,
    NGX_HYPERDRIVE_SQL_K_XA,
    NGX_HYPERDRIVE_SQL_K_XMLTABLE,
    NGX_HYPERDRIVE_SQL_K_XOR,
    NGX_HYPERDRIVE_SQL_K_ZONE
} ngx_hyperdrive_sql_keyword_e;


typedef struct {
    ngx_str_t                         text;      /* lower case */
    ngx_hyperdrive_sql_keyword_e      id;
    ngx_hyperdrive_sql_category_e     category;
} ngx_hyperdrive_sql_keyword_t;


/* functions and operators: t/unit/gen_pg_functions.sh says what these mean */

#define NGX_HYPERDRIVE_SQL_F_UNKNOWN     0
#define NGX_HYPERDRIVE_SQL_F_IMMUTABLE   1
#define NGX_HYPERDRIVE_SQL_F_SETTINGS    2
#define NGX_HYPERDRIVE_SQL_F_HARMLESS    3
#define NGX_HYPERDRIVE_SQL_F_SESSION     4
#define NGX_HYPERDRIVE_SQL_F_WRITES      5
#define NGX_HYPERDRIVE_SQL_F_CLASS       0x0f
#define NGX_HYPERDRIVE_SQL_F_ATTR        0x10

/* MySQL: t/unit/gen_mysql_functions.sh */

#define NGX_HYPERDRIVE_SQL_F_WORD        6
#define NGX_HYPERDRIVE_SQL_F_TOUCH       0x20
#define NGX_HYPERDRIVE_SQL_F_ANYWHERE    0x40


typedef struct {
    ngx_str_t                         text;
    ngx_uint_t                        flags;
} ngx_hyperdrive_sql_name_t;


typedef struct ngx_hyperdrive_sql_lexer_s    ngx_hyperdrive_sql_lexer_t;
typedef struct ngx_hyperdrive_sql_token_s    ngx_hyperdrive_sql_token_t;
typedef struct ngx_hyperdrive_sql_scan_s     ngx_hyperdrive_sql_scan_t;


/* where a keyword is in its table, by a hash of it; filled at the first use */

#define NGX_HYPERDRIVE_SQL_KEYWORD_SLOTS  2048    /* a power of 2 */


typedef struct {
    ngx_uint_t                        filled;
    uint16_t                          slots[NGX_HYPERDRIVE_SQL_KEYWORD_SLOTS];
} ngx_hyperdrive_sql_keywords_t;


typedef struct {
    const u_char                        *classes;     /* 256 of C_... */

    /* sorted by bytes */
    const ngx_hyperdrive_sql_keyword_t  *keywords;
    ngx_uint_t                           nkeywords;
    ngx_hyperdrive_sql_keywords_t       *index;
    const ngx_hyperdrive_sql_name_t     *functions;
    const ngx_uint_t                    *nfunctions;
    const ngx_hyperdrive_sql_name_t     *operators;
    const ngx_uint_t                    *noperators;

    size_t                               max_name;    /* the rest is cut */

    /* the next token; what a statement is, by its first words; the walk to
       its end; whether a table belongs to the server */
    void                               (*next)(ngx_hyperdrive_sql_lexer_t *l,
                                               ngx_hyperdrive_sql_token_t *t);
    void                               (*dispatch)(
                                               ngx_hyperdrive_sql_scan_t *s);
    void                               (*scan)(ngx_hyperdrive_sql_scan_t *s);
    ngx_uint_t                         (*system)(ngx_str_t *schema,
                                                 ngx_str_t *table);

    unsigned                             nested_comments:1;
    unsigned                             dollar_strings:1;
    unsigned                             string_prefixes:1;   /* E N B X U& */
    unsigned                             string_continuation:1;
    unsigned                             keep_case:1;  /* of names */
} ngx_hyperdrive_sql_dialect_t;


struct ngx_hyperdrive_sql_token_s {
    ngx_hyperdrive_sql_token_e        type;
    ngx_str_t                         text;
    ngx_hyperdrive_sql_keyword_e      keyword;   /* of a T_WORD */
    ngx_hyperdrive_sql_category_e     category;
    ngx_hyperdrive_sql_string_e       string;    /* of a T_STRING */
    unsigned                          doubled:1; /* a T_NAME with "" in it */
    unsigned                          high:1;    /* has bytes over 0x7f */
    unsigned                          blank:1;   /* MySQL: blanks before it */
    u_char                            quote;     /* of a T_NAME */
};


struct ngx_hyperdrive_sql_lexer_s {
    u_char                              *pos;
    u_char                              *last;
    const ngx_hyperdrive_sql_dialect_t  *dialect;
    ngx_hyperdrive_sql_mode_t            mode;

    /* NULL, or is told of what is inside of each comment that is passed over */
    void                               (*comment)(void *data, u_char *p,
                                                  u_char *last);
    void                                *data;

    unsigned                             backslash:1;  /* escapes in '...' */
    unsigned                             code:1;       /* MySQL: within a
                                                          comment that is run */
    unsigned                             dot:1;        /* MySQL: a name behind
                                                          a dot begins here */
};


extern const ngx_hyperdrive_sql_dialect_t  ngx_hyperdrive_sql_pg;
extern const ngx_hyperdrive_sql_dialect_t  ngx_hyperdrive_sql_mysql;

extern const ngx_hyperdrive_sql_name_t  ngx_hyperdrive_sql_pg_functions[];
extern const ngx_uint_t  ngx_hyperdrive_sql_pg_functions_n;
extern const ngx_hyperdrive_sql_name_t
    ngx_hyperdrive_sql_pg_functions_operators[];
extern const ngx_uint_t  ngx_hyperdrive_sql_pg_functions_noperators;

extern const ngx_hyperdrive_sql_name_t  ngx_hyperdrive_sql_mysql_functions[];
extern const ngx_uint_t  ngx_hyperdrive_sql_mysql_functions_n;


/* the dialect and all that <mode> says */
void ngx_hyperdrive_sql_lexer_init(ngx_hyperdrive_sql_lexer_t *lexer,
    ngx_str_t *text, ngx_hyperdrive_sql_mode_t *mode);

/* fills <token> with the next one; T_END and T_ERROR repeat for ever */
void ngx_hyperdrive_sql_lexer_next(ngx_hyperdrive_sql_lexer_t *lexer,
    ngx_hyperdrive_sql_token_t *token);

/* the dialects' own */
void ngx_hyperdrive_sql_lexer_pg(ngx_hyperdrive_sql_lexer_t *lexer,
    ngx_hyperdrive_sql_token_t *token);
void ngx_hyperdrive_sql_mysql_lexer(ngx_hyperdrive_sql_lexer_t *lexer,
    ngx_hyperdrive_sql_token_t *token);

/* what keyword a T_WORD is, if it is one */
void ngx_hyperdrive_sql_lexer_keyword(const ngx_hyperdrive_sql_dialect_t *d,
    ngx_hyperdrive_sql_token_t *token);

/*
 * The name that a T_WORD or T_NAME stands for: lower-cased (MySQL: as it is)
 * or undoubled, and cut to what the server keeps.  <dst> has room for
 * token->text.len bytes.  Returns the length.
 */
size_t ngx_hyperdrive_sql_lexer_fold(const ngx_hyperdrive_sql_dialect_t *d,
    ngx_hyperdrive_sql_token_t *token, u_char *dst);

/* flags of a name in a sorted table, 0 if it is not there */
ngx_uint_t ngx_hyperdrive_sql_lexer_lookup(
    const ngx_hyperdrive_sql_name_t *names, ngx_uint_t n, u_char *text,
    size_t len);

/*
 * 1 if the date and time types may read this string constant as a moment
 * that depends on the clock: now, today, tomorrow, yesterday
 */
ngx_uint_t ngx_hyperdrive_sql_clock(
    ngx_hyperdrive_sql_token_t *token);


#endif /* _NGX_HYPERDRIVE_SQL_LEXER_H_INCLUDED_ */
