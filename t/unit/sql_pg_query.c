/* sources: sql/ base/ libs: pg_query */

/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * The classifier against PostgreSQL's own parser.  For each statement the
 * parse tree tells what it is, which tables it names and which functions it
 * calls; the classifier may be more careful, never less, and not much more.
 *
 * Without arguments it runs over sql_texts.h.  With arguments they are
 * files for psql, such as those of PostgreSQL's regression tests:
 *
 *     sql_pg_query src/test/regress/sql/X.sql ...
 *
 * -v as the first one prints each statement that could have been cacheable
 * and is not.
 */


#include "sql/ngx_hyperdrive_sql_lexer.h"

#include "sql_texts.h"

#include <pg_query.h>
#include <stdio.h>


#define MAX_NAMES  512


typedef struct node_s  node_t;

struct node_s {
    char        *key;
    char        *text;       /* of a string, a number, true, false, null */
    node_t      *first;
    node_t      *next;
};


typedef struct {
    char        *schema;
    char        *name;
} name_t;


typedef struct {
    ngx_hyperdrive_sql_kind_e   kind;

    unsigned     write:1;
    unsigned     into:1;
    unsigned     temporary:1;
    unsigned     locking:1;
    unsigned     impure:1;       /* not for the cache, but for its tables */
    unsigned     session:1;      /* may touch the state of the session */
    unsigned     explain:1;
    unsigned     analyze:1;

    ngx_uint_t   ntables;
    ngx_uint_t   nctes;
    name_t       tables[MAX_NAMES];
    char        *ctes[MAX_NAMES];
} truth_t;


static node_t *parse_value(char **p);
static char *parse_string(char **p);
static node_t *get(node_t *n, const char *key);
static char *text(node_t *n, const char *key);
static void walk(node_t *n, truth_t *truth);
static void walk_function(node_t *n, truth_t *truth);
static void walk_operator(node_t *n, truth_t *truth);
static void walk_type(node_t *n, truth_t *truth);
static void last_names(node_t *list, char **schema, char **name);
static ngx_uint_t word(const char *value, const char *list);
static void top(node_t *stmt, truth_t *truth);
static void check(char *sql, size_t len);
static void wrong(char *sql, const char *what);
static void corpus(void);
static void file(char *name);


static ngx_uint_t  tests, failed, verbose;
static ngx_uint_t  total, invalid, unknown, possible, cached, differ;


/* the trees are small and short-lived: one block, used again each time */

static u_char  heap[64 * 1024 * 1024];
static size_t  used;


static void *
alloc(size_t size)
{
    void  *p;

    size = ngx_align(size, 16);

    if (used + size > sizeof(heap)) {
        fprintf(stderr, "out of memory\n");
        exit(2);
    }

    p = heap + used;
    used += size;

    return p;
}


static node_t *
parse_value(char **p)
{
    char     close, *start;
    node_t  *n, *child, **last;

    n = alloc(sizeof(node_t));
    ngx_memzero(n, sizeof(node_t));

    if (**p == '"') {
        n->text = parse_string(p);
        return n;
    }

    if (**p != '{' && **p != '[') {
        start = *p;

        while (**p && **p != ',' && **p != '}' && **p != ']') {
            (*p)++;
        }

        n->text = alloc(*p - start + 1);
        ngx_memcpy(n->text, start, *p - start);
        n->text[*p - start] = '\0';

        return n;
    }

    close = (**p == '{') ? '}' : ']';
    last = &n->first;

    (*p)++;

    while (**p && **p != close) {
        char  *key;

        key = NULL;

        if (close == '}') {
            key = parse_string(p);
            (*p)++;
        }

        child = parse_value(p);
        child->key = key;

        *last = child;
        last = &child->next;

        if (**p == ',') {
            (*p)++;
        }
    }

    (*p)++;

    return n;
}


static char *
parse_string(char **p)
{
    char      *s, *d;
    unsigned   ch;

    for (s = *p + 1; *s != '"'; s++) {
        if (*s == '\\') {
            s++;
        }
    }

    d = alloc(s - *p + 1);

    for (s = *p + 1, *p = d; *s != '"'; s++) {

        if (*s != '\\') {
            *d++ = *s;
            continue;
        }

        s++;

        switch (*s) {

        case 'u':
            ch = 0;
            (void) sscanf(s + 1, "%4x", &ch);
            *d++ = (ch < 0x80) ? (char) ch : '?';
            s += 4;
            break;

        case 'n':
            *d++ = '\n';
            break;

        case 't':
            *d++ = '\t';
            break;

        case 'r':
            *d++ = '\r';
            break;

        case 'b':
        case 'f':
            *d++ = ' ';
            break;

        default:
            *d++ = *s;
        }
    }

    *d = '\0';

    d = *p;
    *p = s + 1;

    return d;
}


static node_t *
get(node_t *n, const char *key)
{
    if (n == NULL) {
        return NULL;
    }

    for (n = n->first; n; n = n->next) {
        if (n->key && strcmp(n->key, key) == 0) {
            return n;
        }
    }

    return NULL;
}


static char *
text(node_t *n, const char *key)
{
    n = get(n, key);

    return (n && n->text) ? n->text : "";
}


/* is <value> one of the words? */

static ngx_uint_t
word(const char *value, const char *list)
{
    size_t       len;
    const char  *p;

    len = strlen(value);

    for (p = list; len && (p = strstr(p, value)) != NULL; p += len) {
        if ((p == list || p[-1] == ' ') && (p[len] == ' ' || !p[len])) {
            return 1;
        }
    }

    return 0;
}


static void
last_names(node_t *list, char **schema, char **name)
{
    char  *s;

    *schema = "";
    *name = "";

    for (list = list ? list->first : NULL; list; list = list->next) {
        s = text(get(list, "String"), "sval");
        *schema = *name;
        *name = s;
    }
}


static void
walk(node_t *n, truth_t *truth)
{
    char    *schema, *name;
    node_t  *child;

    for (child = n->first; child; child = child->next) {

        if (child->key == NULL) {
            walk(child, truth);
            continue;
        }

        if (strcmp(child->key, "lockedRels") == 0) {

            /* aliases, though they look like tables */

            continue;
        }

        if (word(child->key, "InsertStmt UpdateStmt DeleteStmt MergeStmt")) {
            truth->write = 1;

        } else if (strcmp(child->key, "intoClause") == 0
                   || strcmp(child->key, "into") == 0)
        {
            if (child->first) {
                truth->into = 1;

                if (n->key && strcmp(n->key, "CreateTableAsStmt") == 0
                    && strcmp(text(get(child, "rel"), "relpersistence"), "t")
                       == 0)
                {
                    truth->temporary = 1;
                }
            }

        } else if (strcmp(child->key, "lockingClause") == 0) {
            truth->locking = 1;

        } else if (strcmp(child->key, "RangeTableSample") == 0) {
            truth->impure = 1;

            last_names(get(child, "method"), &schema, &name);

            if (*schema || !word(name, "bernoulli system")) {
                truth->session = 1;
            }

        } else if (strcmp(child->key, "SQLValueFunction") == 0) {
            truth->impure = 1;

        } else if (strcmp(child->key, "FuncCall") == 0) {
            walk_function(child, truth);

        } else if (strcmp(child->key, "A_Expr") == 0) {
            walk_operator(child, truth);

        } else if (strcmp(child->key, "TypeName") == 0
                   || strcmp(child->key, "typeName") == 0)
        {
            walk_type(child, truth);

        } else if (strcmp(child->key, "ColumnRef") == 0) {

            last_names(get(child, "fields"), &schema, &name);

            if (word(name, "ctid xmin xmax cmin cmax tableoid")) {
                truth->impure = 1;
            }

        } else if (strcmp(child->key, "CommonTableExpr") == 0) {

            if (truth->nctes < MAX_NAMES) {
                truth->ctes[truth->nctes++] = text(child, "ctename");
            }

        } else if (strcmp(child->key, "RangeVar") == 0
                   || strcmp(child->key, "relation") == 0
                   || strcmp(child->key, "rel") == 0)
        {
            if (get(child, "relname") && truth->ntables < MAX_NAMES) {
                truth->tables[truth->ntables].schema = text(child,
                                                            "schemaname");
                truth->tables[truth->ntables].name = text(child, "relname");
                truth->ntables++;
            }
        }

        walk(child, truth);
    }
}


static void
walk_function(node_t *n, truth_t *truth)
{
    char        *schema, *name;
    node_t      *arg;
    ngx_uint_t   args, class;

    last_names(get(n, "funcname"), &schema, &name);

    class = NGX_HYPERDRIVE_SQL_F_UNKNOWN;

    if (*schema == '\0' || strcmp(schema, "pg_catalog") == 0) {
        class = ngx_hyperdrive_sql_lexer_lookup(ngx_hyperdrive_sql_pg_functions,
                                            ngx_hyperdrive_sql_pg_functions_n,
                                            (u_char *) name, strlen(name))
                & NGX_HYPERDRIVE_SQL_F_CLASS;

        /* what the grammar makes of AT TIME ZONE, LIKE, OVERLAPS, IS JSON */

        if (strcmp(schema, "pg_catalog") == 0
            && word(name, "like_escape similar_to_escape xmlexists "
                          "is_normalized"))
        {
            class = NGX_HYPERDRIVE_SQL_F_IMMUTABLE;
        }
    }

    args = 0;

    arg = get(n, "args");

    for (arg = arg ? arg->first : NULL; arg; arg = arg->next) {
        args++;
    }

    if (strcmp(name, "age") == 0 && args == 1) {
        truth->impure = 1;
    }

    if (class != NGX_HYPERDRIVE_SQL_F_IMMUTABLE
        && class != NGX_HYPERDRIVE_SQL_F_SETTINGS)
    {
        truth->impure = 1;
    }

    if (class != NGX_HYPERDRIVE_SQL_F_IMMUTABLE
        && class != NGX_HYPERDRIVE_SQL_F_SETTINGS
        && class != NGX_HYPERDRIVE_SQL_F_HARMLESS
        && strcmp(name, "set_config") != 0)
    {
        truth->session = 1;
    }
}


static void
walk_operator(node_t *n, truth_t *truth)
{
    char  *schema, *name;

    last_names(get(n, "name"), &schema, &name);

    if ((*schema && strcmp(schema, "pg_catalog") != 0)
        || (strspn(name, "~!@#^&|`?+-*/%<>=") == strlen(name)
            && ngx_hyperdrive_sql_lexer_lookup(
                                     ngx_hyperdrive_sql_pg_functions_operators,
                                  ngx_hyperdrive_sql_pg_functions_noperators,
                                     (u_char *) name, strlen(name))
               == 0))
    {
        truth->impure = 1;
    }
}


static void
walk_type(node_t *n, truth_t *truth)
{
    char  *schema, *name;

    last_names(get(n, "names"), &schema, &name);

    if (word(name, "regclass regproc regprocedure regoper regoperator "
                   "regtype regrole regnamespace regcollation"))
    {
        truth->impure = 1;
    }
}


/* the kind of a statement from the name of its node */

static void
top(node_t *stmt, truth_t *truth)
{
    char    *kind;
    node_t  *n, *query, *opt;

    n = stmt->first;

    if (strcmp(n->key, "ExplainStmt") == 0) {
        truth->explain = 1;

        opt = get(n, "options");

        for (opt = opt ? opt->first : NULL; opt; opt = opt->next) {

            if (strcmp(text(get(opt, "DefElem"), "defname"), "analyze")
                == 0)
            {
                kind = text(get(get(get(opt, "DefElem"), "arg"), "String"),
                            "sval");

                truth->analyze = !word(kind, "off false");
            }
        }

        query = get(n, "query");

        if (!truth->analyze) {
            truth->kind = NGX_HYPERDRIVE_SQL_READ;
            return;
        }

        top(query, truth);
        return;
    }

    if (word(n->key, "InsertStmt UpdateStmt DeleteStmt MergeStmt")) {
        truth->kind = NGX_HYPERDRIVE_SQL_WRITE;

    } else if (strcmp(n->key, "SelectStmt") == 0) {
        truth->kind = truth->into ? NGX_HYPERDRIVE_SQL_DDL
                                  : truth->write ? NGX_HYPERDRIVE_SQL_WRITE
                                                 : NGX_HYPERDRIVE_SQL_READ;

    } else if (strcmp(n->key, "VariableShowStmt") == 0) {
        truth->kind = NGX_HYPERDRIVE_SQL_READ;
        truth->explain = 1;

    } else if (strcmp(n->key, "CopyStmt") == 0) {
        truth->kind = NGX_HYPERDRIVE_SQL_COPY;

    } else if (strcmp(n->key, "TransactionStmt") == 0) {
        kind = text(n, "kind");

        if (word(kind, "TRANS_STMT_BEGIN TRANS_STMT_START")) {
            truth->kind = NGX_HYPERDRIVE_SQL_BEGIN;

        } else if (strcmp(kind, "TRANS_STMT_COMMIT") == 0) {
            truth->kind = NGX_HYPERDRIVE_SQL_COMMIT;

        } else if (strcmp(kind, "TRANS_STMT_ROLLBACK") == 0) {
            truth->kind = NGX_HYPERDRIVE_SQL_ROLLBACK;

        } else if (strstr(kind, "PREPARE")) {
            truth->kind = NGX_HYPERDRIVE_SQL_TWO_PHASE;

        } else {
            truth->kind = NGX_HYPERDRIVE_SQL_SAVEPOINT;
        }

    } else if (strcmp(n->key, "VariableSetStmt") == 0) {

        truth->kind = (strcmp(text(n, "is_local"), "true") == 0
                       || (strcmp(text(n, "kind"), "VAR_SET_MULTI") == 0
                           && strcmp(text(n, "name"),
                                     "SESSION CHARACTERISTICS")
                              != 0))
                      ? NGX_HYPERDRIVE_SQL_SET_LOCAL
                      : NGX_HYPERDRIVE_SQL_SET;

    } else if (strcmp(n->key, "ConstraintsSetStmt") == 0) {
        truth->kind = NGX_HYPERDRIVE_SQL_SET_LOCAL;

    } else if (word(n->key, "PrepareStmt ExecuteStmt DeallocateStmt")) {
        truth->kind = NGX_HYPERDRIVE_SQL_PREPARE;

    } else if (word(n->key, "DeclareCursorStmt FetchStmt ClosePortalStmt")) {
        truth->kind = NGX_HYPERDRIVE_SQL_CURSOR;

    } else if (word(n->key, "ListenStmt UnlistenStmt")) {
        truth->kind = NGX_HYPERDRIVE_SQL_LISTEN;

    } else if (strcmp(n->key, "NotifyStmt") == 0) {
        truth->kind = NGX_HYPERDRIVE_SQL_NOTIFY;

    } else if (strcmp(n->key, "LockStmt") == 0) {
        truth->kind = NGX_HYPERDRIVE_SQL_LOCK;

    } else if (strcmp(n->key, "DiscardStmt") == 0) {
        truth->kind = NGX_HYPERDRIVE_SQL_DISCARD;

    } else if (word(n->key, "VacuumStmt ReindexStmt ClusterStmt "
                            "CheckPointStmt RefreshMatViewStmt"))
    {
        truth->kind = NGX_HYPERDRIVE_SQL_MAINTENANCE;

    } else if (word(n->key, "CallStmt DoStmt LoadStmt")) {
        truth->kind = NGX_HYPERDRIVE_SQL_CALL;

    } else {
        truth->kind = NGX_HYPERDRIVE_SQL_DDL;

        if (word(n->key, "ViewStmt RuleStmt CreateFunctionStmt")) {

            /* SELECT INTO in them passes the parser, not the server */

            truth->into = 0;
            truth->session = 0;
        }

        if (strcmp(text(get(n, "relation"), "relpersistence"), "t") == 0
            || strcmp(text(get(n, "sequence"), "relpersistence"), "t") == 0
            || strcmp(text(get(n, "view"), "relpersistence"), "t") == 0)
        {
            truth->temporary |= word(n->key,
                                     "CreateStmt CreateSeqStmt ViewStmt "
                                     "CreateForeignTableStmt");
        }
    }
}


static void
wrong(char *sql, const char *what)
{
    failed++;

    printf("# %s: %.300s\n", what, sql);
}


/* one statement: what the parser says against what the classifier says */

static void
check(char *sql, size_t len)
{
    char                       *p, *copy;
    size_t                      size;
    u_char                     *names;
    node_t                     *tree, *stmts;
    truth_t                     truth;
    ngx_str_t                   str;
    ngx_uint_t                  i, j, want;
    PgQueryParseResult          result;
    ngx_hyperdrive_sql_mode_t   mode;
    ngx_hyperdrive_sql_facts_t  facts;

    copy = malloc(len + 1);
    ngx_memcpy(copy, sql, len);
    copy[len] = '\0';

    size = len;
    names = malloc(size ? size : 1);

    str.data = (u_char *) copy;
    str.len = len;

    ngx_memzero(&mode, sizeof(ngx_hyperdrive_sql_mode_t));
    mode.standard_conforming_strings = 1;

    ngx_hyperdrive_sql_classify(&str, &mode, names, size, &facts);

    result = pg_query_parse(copy);

    if (result.error) {
        invalid++;
        goto done;
    }

    used = 0;
    p = result.parse_tree;
    tree = parse_value(&p);

    stmts = get(tree, "stmts");

    if (stmts == NULL || stmts->first == NULL) {

        if (facts.kind != NGX_HYPERDRIVE_SQL_EMPTY) {
            wrong(copy, "not seen to be empty");
        }

        goto done;
    }

    if (stmts->first->next) {

        /* what is behind BEGIN ATOMIC counts as one, with all consequences */

        if (facts.kind != NGX_HYPERDRIVE_SQL_UNKNOWN
            && facts.nstatements < 2
            && !(facts.stateful && facts.transaction_control))
        {
            wrong(copy, "not seen to be several");
        }

        goto done;
    }

    total++;

    ngx_memzero(&truth, sizeof(truth));

    stmts = get(stmts->first, "stmt");

    walk(stmts, &truth);
    top(stmts, &truth);

    if (facts.kind == NGX_HYPERDRIVE_SQL_UNKNOWN) {
        unknown++;

        if (verbose) {
            printf("# unknown: %.300s\n", copy);
        }

    } else if (facts.kind != truth.kind
               && truth.kind == NGX_HYPERDRIVE_SQL_READ
               && facts.kind == NGX_HYPERDRIVE_SQL_WRITE)
    {
        /* "SELECT a delete FROM t": to be sure */

        differ++;

    } else if (facts.kind != truth.kind
               && !(truth.into && facts.kind == NGX_HYPERDRIVE_SQL_DDL))
    {
        differ++;
        wrong(copy, (char *) ngx_hyperdrive_sql_kind_name(facts.kind)->data);

    } else if (facts.nstatements != 1) {
        wrong(copy, "number of statements");
    }

    if (truth.temporary && !facts.stateful) {
        wrong(copy, "temporary, not stateful");
    }

    if (truth.session && !facts.stateful
        && (truth.into
            || word((char *) ngx_hyperdrive_sql_kind_name(truth.kind)->data,
                    "read write cursor copy")))
    {
        wrong(copy, "calls a function, not stateful");
    }

    if ((truth.write || truth.into) && !facts.may_write
        && !(truth.explain && !truth.analyze)
        && word((char *) ngx_hyperdrive_sql_kind_name(truth.kind)->data,
                "read write ddl copy"))
    {
        wrong(copy, "writes, not seen");
    }

    if (truth.kind == NGX_HYPERDRIVE_SQL_READ
        || truth.kind == NGX_HYPERDRIVE_SQL_WRITE)
    {
        /* all tables of the tree, but for the names of CTEs, are ours */

        for (i = 0; i < truth.ntables && !facts.incomplete; i++) {

            if (truth.tables[i].schema[0] == '\0') {

                for (j = 0; j < truth.nctes; j++) {
                    if (strcmp(truth.ctes[j], truth.tables[i].name) == 0) {
                        break;
                    }
                }

                if (j < truth.nctes) {
                    continue;
                }
            }

            for (j = 0; j < facts.ntables; j++) {
                if (facts.tables[j].name.len == strlen(truth.tables[i].name)
                    && ngx_strncmp(facts.tables[j].name.data,
                                   truth.tables[i].name,
                                   facts.tables[j].name.len)
                       == 0
                    && facts.tables[j].schema.len
                       == strlen(truth.tables[i].schema))
                {
                    break;
                }
            }

            if (j == facts.ntables) {
                wrong(copy, "table not seen");
                break;
            }
        }
    }

    want = (truth.kind == NGX_HYPERDRIVE_SQL_READ
            && !truth.write && !truth.into && !truth.locking
            && !truth.impure && !truth.explain);

    if (facts.reason == NGX_HYPERDRIVE_SQL_CACHEABLE && !want) {
        wrong(copy, "cacheable");
    }

    if (want) {

        for (i = 0, j = 0; i < truth.ntables; i++) {

            if (ngx_strncmp(truth.tables[i].name, "pg_", 3) == 0
                || ngx_strncmp(truth.tables[i].schema, "pg_", 3) == 0
                || strcmp(truth.tables[i].schema, "information_schema") == 0)
            {
                goto done;
            }

            for (j = 0; j < truth.nctes; j++) {
                if (strcmp(truth.ctes[j], truth.tables[i].name) == 0) {
                    break;
                }
            }

            if (j == truth.nctes) {
                break;
            }
        }

        if (i == truth.ntables) {
            goto done;
        }

        possible++;

        if (facts.reason == NGX_HYPERDRIVE_SQL_CACHEABLE) {
            cached++;

        } else if (verbose) {
            printf("# %s: %.300s\n",
                   ngx_hyperdrive_sql_reason_name(facts.reason)->data, copy);
        }
    }

done:

    pg_query_free_parse_result(result);

    free(names);
    free(copy);
}


/* psql's files: its own commands and the data behind COPY are taken out */

static void
file(char *name)
{
    int                  i;
    char                *buf, *in, *out, *p, *line, *end;
    FILE                *f;
    long                 size;
    ngx_uint_t           copy;
    PgQuerySplitResult   split;

    f = fopen(name, "rb");
    if (f == NULL) {
        perror(name);
        exit(2);
    }

    fseek(f, 0, SEEK_END);
    size = ftell(f);
    rewind(f);

    buf = calloc(1, size + 1);
    in = calloc(1, size + 1);

    if (fread(in, 1, size, f) != (size_t) size) {
        perror(name);
        exit(2);
    }

    fclose(f);

    copy = 0;
    out = buf;

    for (line = in; *line; line = end) {
        end = strchr(line, '\n');
        end = end ? end + 1 : line + strlen(line);

        if (copy) {
            copy = (strncmp(line, "\\.", 2) != 0);
            continue;
        }

        if (line[0] == '\\') {
            continue;
        }

        for (p = line; p < end; p++) {

            /* \g, \gset, \crosstabview end a statement */

            if (p[0] == '\\' && (p == line || p[-1] != '\\')
                && (p[1] == 'g' || p[1] == 'c'))
            {
                *out++ = ';';
                *out++ = '\n';
                break;
            }

            *out++ = (*p == '\0') ? ' ' : *p;
        }

        if (strncasecmp(line, "copy ", 5) == 0
            && (strcasestr(line, " stdin") != NULL)
            && strcasestr(line, " stdin") < end
            && memchr(line, ';', end - line))
        {
            copy = 1;
        }
    }

    *out = '\0';

    split = pg_query_split_with_scanner(buf);

    if (split.error) {

        /* the lexer does not like something on purpose: cut at the lines */

        for (line = buf; line; line = p) {
            p = strstr(line, ";\n");

            if (p) {
                *p = '\0';
                p += 2;
            }

            check(line, strlen(line));
        }

    } else {

        for (i = 0; i < split.n_stmts; i++) {
            check(buf + split.stmts[i]->stmt_location,
                  split.stmts[i]->stmt_len);
        }
    }

    pg_query_free_split_result(split);

    free(in);
    free(buf);
}


int
main(int argc, char **argv)
{
    int         i;
    ngx_uint_t  less, files;

    i = 1;

    if (argc > 1 && strcmp(argv[1], "-v") == 0) {
        verbose = 1;
        i++;
    }

    files = (i < argc);

    if (!files) {
        corpus();

    } else {
        for ( /* void */ ; i < argc; i++) {
            file(argv[i]);
        }
    }

    printf("# %lu statements, %lu not valid, %lu unknown, %lu of another "
           "kind, %lu of %lu that could be are cacheable\n",
           (unsigned long) total, (unsigned long) invalid,
           (unsigned long) unknown, (unsigned long) differ,
           (unsigned long) cached, (unsigned long) possible);

    printf("%sok %lu - never less than the parser sees\n",
           failed ? "not " : "", (unsigned long) ++tests);

    /* sql_texts.h has more traps than there are in a file, and looks itself */

    if (files) {
        less = (cached * 100 < possible * 95);
        failed += less;

        printf("%sok %lu - 95 of 100 that could be cached are\n",
               less ? "not " : "", (unsigned long) ++tests);
    }

    less = (unknown * 100 > total);
    failed += less;

    printf("%sok %lu - 99 of 100 are understood\n",
           less ? "not " : "", (unsigned long) ++tests);

    printf("1..%lu\n", (unsigned long) tests);

    pg_query_exit();

    return failed ? 1 : 0;
}


static void
corpus(void)
{
    ngx_uint_t  i;

    for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        check((char *) texts[i].sql, strlen(texts[i].sql));
    }
}
