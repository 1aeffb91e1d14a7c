
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session_plan.h"
#include "base/ngx_hyperdrive_base_cursor.h"
#include "base/ngx_hyperdrive_base_mode.h"


#define NGX_HYPERDRIVE_SESSION_PLAN_BUCKETS  1024

/* plans of one set; then it begins anew */
#define NGX_HYPERDRIVE_SESSION_PLAN_MAX      8192

/* sets of one catalog: ways to find a table by its name */
#define NGX_HYPERDRIVE_SESSION_PLAN_SETS     64


typedef struct ngx_hyperdrive_session_plan_node_s
    ngx_hyperdrive_session_plan_node_t;

struct ngx_hyperdrive_session_plan_node_s {
    ngx_hyperdrive_session_plan_node_t  *next;
    uint64_t                             serial;    /* of the statement */
    unsigned                             ddl:1;
    ngx_hyperdrive_session_plan_t        plan;
};


/*
 * The plans for one catalog, search_path and role.  Its number is that of no
 * other set, before or after.
 */

struct ngx_hyperdrive_session_plans_s {
    ngx_hyperdrive_session_plans_t      *next;
    ngx_hyperdrive_session_catalog_t    *cat;
    uint64_t                             id;
    ngx_str_t                            path;      /* data NULL: not known */
    ngx_str_t                            role;
    ngx_uint_t                           allow_stable;

    ngx_uint_t                           n;
    ngx_hyperdrive_session_plan_node_t  *buckets[
                                         NGX_HYPERDRIVE_SESSION_PLAN_BUCKETS];

    /* dropped, and perhaps in use until the event handler returns */
    ngx_hyperdrive_session_plan_node_t  *dropped;
};


static ngx_hyperdrive_session_plan_t *ngx_hyperdrive_session_plan_blind(
    ngx_hyperdrive_session_t *s, ngx_hyperdrive_session_catalog_t *cat,
    ngx_hyperdrive_state_stmt_t *stmt);
static void ngx_hyperdrive_session_plan_whole(
    ngx_hyperdrive_session_plan_t *plan,
    ngx_hyperdrive_session_catalog_t *cat, ngx_uint_t ddl, ngx_uint_t sure);
static ngx_hyperdrive_session_plans_t *ngx_hyperdrive_session_plan_set(
    ngx_hyperdrive_session_t *s, ngx_hyperdrive_session_catalog_t *cat,
    ngx_hyperdrive_sql_catalog_t *sql);
static ngx_uint_t ngx_hyperdrive_session_plan_lost(
    ngx_hyperdrive_session_t *s);
static ngx_uint_t ngx_hyperdrive_session_plan_path(
    ngx_hyperdrive_session_t *s, ngx_hyperdrive_session_catalog_t *cat,
    ngx_hyperdrive_sql_catalog_t *sql, ngx_str_t *path, ngx_str_t *role);
static ngx_hyperdrive_session_plan_node_t *ngx_hyperdrive_session_plan_find(
    ngx_hyperdrive_session_plans_t *set, ngx_hyperdrive_state_stmt_t *stmt);
static ngx_hyperdrive_session_plan_node_t *ngx_hyperdrive_session_plan_make(
    ngx_hyperdrive_session_plans_t *set, ngx_hyperdrive_sql_catalog_t *sql,
    ngx_hyperdrive_state_stmt_t *stmt);
static void ngx_hyperdrive_session_plan_fill(
    ngx_hyperdrive_session_plan_t *plan,
    ngx_hyperdrive_session_catalog_t *cat,
    ngx_hyperdrive_sql_catalog_plan_t *p);
static void ngx_hyperdrive_session_plan_drop(
    ngx_hyperdrive_session_plans_t *set);
static void ngx_hyperdrive_session_plan_free(
    ngx_hyperdrive_session_plan_node_t *node);


static ngx_hyperdrive_session_plans_t  *ngx_hyperdrive_session_plan_sets;
static uint64_t                         ngx_hyperdrive_session_plan_last;


ngx_hyperdrive_session_plan_t *
ngx_hyperdrive_session_plan(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_state_stmt_t *stmt)
{
    uint64_t                             generation;
    ngx_uint_t                           fixed;
    ngx_hyperdrive_sql_catalog_t        *sql;
    ngx_hyperdrive_session_plans_t      *set;
    ngx_hyperdrive_session_catalog_t    *cat;
    ngx_hyperdrive_session_plan_node_t  *node;

    cat = ngx_hyperdrive_session_catalog(s);

    if (cat == NULL || stmt == NULL) {
        return ngx_hyperdrive_session_plan_blind(s, cat, stmt);
    }

    sql = ngx_hyperdrive_session_catalog_get(cat, &generation);

    if (sql == NULL) {
        return ngx_hyperdrive_session_plan_blind(s, cat, stmt);
    }

    set = s->plans;

    fixed = !(ngx_hyperdrive_session_plan_lost(s) || s->path_local
              || (s->settings && ngx_hyperdrive_session_settings_moving(s)));

    if (s->plans_generation != generation || !fixed) {

        set = ngx_hyperdrive_session_plan_set(s, cat, sql);

        if (set == NULL) {
            return ngx_hyperdrive_session_plan_blind(s, cat, stmt);
        }

        if (fixed) {
            s->plans = set;
            s->plans_generation = generation;
        }
    }

    if (stmt->plan_tag == set->id) {
        node = stmt->plan_last;

    } else {
        node = ngx_hyperdrive_session_plan_find(set, stmt);

        if (node == NULL) {
            node = ngx_hyperdrive_session_plan_make(set, sql, stmt);
        }

        if (node == NULL) {
            return ngx_hyperdrive_session_plan_blind(s, cat, stmt);
        }

        stmt->plan_last = node;
        stmt->plan_tag = set->id;
    }

    s->wild |= node->ddl;

    if (node->plan.unknown) {

        /*
         * A temporary table, one of this transaction, or one that somebody
         * has made past nginx.  What this client has made may hang on to it:
         * a trigger that writes to others.
         */

        return ngx_hyperdrive_session_plan_blind(s, cat,
                                                 s->wild ? NULL : stmt);
    }

    return &node->plan;
}


/* what can be said without a catalog */

static ngx_hyperdrive_session_plan_t *
ngx_hyperdrive_session_plan_blind(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_catalog_t *cat, ngx_hyperdrive_state_stmt_t *stmt)
{
    ngx_hyperdrive_session_plan_t         *plan;
    static ngx_hyperdrive_session_plan_t   plans[8];
    static ngx_uint_t                      n;

    /* valid for long enough: nobody looks at so many at once */

    plan = &plans[n++ % (sizeof(plans) / sizeof(plans[0]))];

    plan->reads.n = 0;
    plan->writes.n = 0;
    plan->proven = 0;
    plan->rls = 0;
    plan->unknown = 0;

    /* of whichever engine the tables are */
    plan->instant = (s->conf->origin->proto->dialect
                     & NGX_HYPERDRIVE_BASE_MODE_MYSQL) ? 1 : 0;

    if (stmt == NULL) {
        plan->reason = NGX_HYPERDRIVE_SQL_NOT_READ;
        plan->stateful = 1;
        s->wild = 1;

        ngx_hyperdrive_session_plan_whole(plan, cat, 1, 1);

        return plan;
    }

    plan->reason = stmt->plan.reason ? stmt->plan.reason
                                     : NGX_HYPERDRIVE_SQL_CATALOG;
    plan->stateful = stmt->plan.stateful;

    if (stmt->plan.may_write) {
        s->wild |= stmt->plan.ddl;
        ngx_hyperdrive_session_plan_whole(plan, cat, stmt->plan.ddl,
                                          !stmt->plan.perhaps);
    }

    return plan;
}


static void
ngx_hyperdrive_session_plan_whole(ngx_hyperdrive_session_plan_t *plan,
    ngx_hyperdrive_session_catalog_t *cat, ngx_uint_t ddl, ngx_uint_t sure)
{
    uint64_t  identity;

    plan->writes.n = 0;

    if (cat == NULL
        || ngx_hyperdrive_session_catalog_identity(cat, &identity) != NGX_OK)
    {
        (void) ngx_hyperdrive_cache_version_add(&plan->writes,
                                     NGX_HYPERDRIVE_CACHE_VERSION_EVERYTHING);
        return;
    }

    (void) ngx_hyperdrive_cache_version_add(&plan->writes,
                                   ngx_hyperdrive_cache_version(identity, 0));

    if (ddl) {
        (void) ngx_hyperdrive_cache_version_add(&plan->writes,
                 ngx_hyperdrive_cache_version(identity,
                                         NGX_HYPERDRIVE_SESSION_CATALOG_DDL));
    }

    if (ddl && sure) {
        (void) ngx_hyperdrive_cache_version_add(&plan->writes,
                 ngx_hyperdrive_cache_version(identity,
                                        NGX_HYPERDRIVE_SESSION_CATALOG_SURE));
    }
}


/* the set for the session's way to find names */

static ngx_hyperdrive_session_plans_t *
ngx_hyperdrive_session_plan_set(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_catalog_t *cat, ngx_hyperdrive_sql_catalog_t *sql)
{
    u_char                          *p;
    ngx_str_t                        path, role;
    ngx_uint_t                       n, known;
    ngx_hyperdrive_session_plans_t  *set;

    known = ngx_hyperdrive_session_plan_path(s, cat, sql, &path, &role);

    if (!known) {
        ngx_str_null(&path);
        ngx_str_null(&role);
    }

    n = 0;

    for (set = ngx_hyperdrive_session_plan_sets; set; set = set->next) {

        if (set->cat != cat) {
            continue;
        }

        n++;

        if (set->allow_stable == (ngx_uint_t) s->conf->allow_stable
            && (set->path.data != NULL) == known
            && ngx_hyperdrive_base_same(&set->path, &path)
            && ngx_hyperdrive_base_same(&set->role, &role))
        {
            return set;
        }
    }

    if (n >= NGX_HYPERDRIVE_SESSION_PLAN_SETS) {
        /* a path for each client: nothing is known of names */
        return NULL;
    }

    set = calloc(1, sizeof(ngx_hyperdrive_session_plans_t) + path.len
                    + role.len + 1);
    if (set == NULL) {
        return NULL;
    }

    p = (u_char *) (set + 1);

    if (known) {
        set->path.data = p;
        set->path.len = path.len;
        p = ngx_cpymem(p, path.data, path.len);

        set->role.data = p;
        set->role.len = role.len;
        ngx_memcpy(p, role.data, role.len);
    }

    set->cat = cat;
    set->id = ++ngx_hyperdrive_session_plan_last;
    set->allow_stable = s->conf->allow_stable;

    set->next = ngx_hyperdrive_session_plan_sets;
    ngx_hyperdrive_session_plan_sets = set;

    return set;
}


/*
 * What has pinned the session may have changed how names are found: in MySQL
 * that can only be USE, in what nobody has read.
 */

static ngx_uint_t
ngx_hyperdrive_session_plan_lost(ngx_hyperdrive_session_t *s)
{
    return s->pinned
           && (!(s->conf->origin->proto->dialect
                 & NGX_HYPERDRIVE_BASE_MODE_MYSQL)
               || (s->pin.causes & (NGX_HYPERDRIVE_STATE_PIN_CODE
                                    | NGX_HYPERDRIVE_STATE_PIN_SETTING)));
}


/*
 * The search_path of the session, and the role for "$user" in it; in MySQL
 * the schema.  0: it is not known: what the client has set may have changed it.
 */

static ngx_uint_t
ngx_hyperdrive_session_plan_path(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_catalog_t *cat, ngx_hyperdrive_sql_catalog_t *sql,
    ngx_str_t *path, ngx_str_t *role)
{
    ngx_str_t   *name;
    ngx_uint_t   i;

    if (ngx_hyperdrive_session_plan_lost(s) || s->path_local
        || (s->settings && ngx_hyperdrive_session_settings_moving(s)))
    {
        return 0;
    }

    if (s->conf->origin->proto->dialect & NGX_HYPERDRIVE_BASE_MODE_MYSQL) {

        /* one schema, of USE or of the log-in */

        *path = s->pool->database;
        ngx_str_set(role, "");

        (void) ngx_hyperdrive_session_schema(s, path);

        return 1;
    }

    if (!ngx_hyperdrive_session_catalog_is_user(cat, &s->pool->user)) {
        return 0;
    }

    *path = *ngx_hyperdrive_sql_catalog_path(sql);
    *role = *ngx_hyperdrive_sql_catalog_role(sql);

    for (i = 0; i < s->pool->nparams; i++) {
        name = &s->pool->params[i].name;

        if (name->len == sizeof("search_path") - 1
            && ngx_strncasecmp(name->data, (u_char *) "search_path",
                               name->len)
               == 0)
        {
            *path = s->pool->params[i].value;

        } else if ((name->len == sizeof("options") - 1
                    && ngx_strncasecmp(name->data, (u_char *) "options",
                                       name->len)
                       == 0)
                   || (name->len == sizeof("role") - 1
                       && ngx_strncasecmp(name->data, (u_char *) "role",
                                          name->len)
                          == 0))
        {
            return 0;
        }
    }

    /* what the client has set, or was started with */

    (void) ngx_hyperdrive_session_search_path(s, path);
    (void) ngx_hyperdrive_session_role(s, role);

    return 1;
}


static ngx_hyperdrive_session_plan_node_t *
ngx_hyperdrive_session_plan_find(ngx_hyperdrive_session_plans_t *set,
    ngx_hyperdrive_state_stmt_t *stmt)
{
    ngx_hyperdrive_session_plan_node_t  *node;

    for (node = set->buckets[stmt->serial
                             % NGX_HYPERDRIVE_SESSION_PLAN_BUCKETS];
         node;
         node = node->next)
    {
        if (node->serial == stmt->serial) {
            return node;
        }
    }

    return NULL;
}


static ngx_hyperdrive_session_plan_node_t *
ngx_hyperdrive_session_plan_make(ngx_hyperdrive_session_plans_t *set,
    ngx_hyperdrive_sql_catalog_t *sql, ngx_hyperdrive_state_stmt_t *stmt)
{
    ngx_str_t                              text;
    ngx_hyperdrive_sql_mode_t              mode;
    ngx_hyperdrive_sql_catalog_plan_t      p;
    ngx_hyperdrive_session_plan_node_t    *node, **bucket;
    static u_char                          names[16384];
    static ngx_hyperdrive_sql_facts_t      facts;

    if (set->n == NGX_HYPERDRIVE_SESSION_PLAN_MAX) {
        ngx_hyperdrive_session_plan_drop(set);
    }

    node = calloc(1, sizeof(ngx_hyperdrive_session_plan_node_t));
    if (node == NULL) {
        return NULL;
    }

    text.data = stmt->text;
    text.len = stmt->len;

    ngx_hyperdrive_sql_mode(stmt->mode, &mode);

    ngx_hyperdrive_sql_classify(&text, &mode, names, sizeof(names), &facts);

    ngx_hyperdrive_sql_catalog_plan(sql, &text, &facts,
                                    set->path.data ? &set->path : NULL,
                                    set->path.data ? &set->role : NULL,
                                    set->allow_stable, &p);

    ngx_hyperdrive_session_plan_fill(&node->plan, set->cat, &p);

    node->serial = stmt->serial;
    node->ddl = p.ddl;

    if (p.reason == NGX_HYPERDRIVE_SQL_VOLATILE) {

        /* the clock, or who asks, is the same elsewhere */

        ngx_hyperdrive_sql_catalog_plan(sql, &text, &facts,
                                        set->path.data ? &set->path : NULL,
                                        set->path.data ? &set->role : NULL,
                                        NGX_HYPERDRIVE_SQL_CATALOG_ELSEWHERE,
                                        &p);
    }

    node->plan.proven = (p.reason == NGX_HYPERDRIVE_SQL_CACHEABLE
                         && node->plan.reason
                            != NGX_HYPERDRIVE_SQL_TOO_COMPLEX);

    bucket = &set->buckets[stmt->serial % NGX_HYPERDRIVE_SESSION_PLAN_BUCKETS];

    node->next = *bucket;
    *bucket = node;
    set->n++;

    return node;
}


/* OIDs become numbers */

static void
ngx_hyperdrive_session_plan_fill(ngx_hyperdrive_session_plan_t *plan,
    ngx_hyperdrive_session_catalog_t *cat,
    ngx_hyperdrive_sql_catalog_plan_t *p)
{
    uint64_t    identity;
    ngx_uint_t  i;

    plan->reason = p->reason;
    plan->stateful = p->stateful;
    plan->rls = p->rls;
    plan->instant = p->instant;
    plan->unknown = p->unknown;

    (void) ngx_hyperdrive_session_catalog_identity(cat, &identity);

    (void) ngx_hyperdrive_cache_version_add(&plan->reads,
                                   ngx_hyperdrive_cache_version(identity, 0));

    for (i = 0; i < p->nreads; i++) {

        if (ngx_hyperdrive_cache_version_add(&plan->reads,
                         ngx_hyperdrive_cache_version(identity, p->reads[i]))
            != NGX_OK)
        {
            plan->reason = NGX_HYPERDRIVE_SQL_TOO_COMPLEX;
            break;
        }
    }

    if (p->whole) {
        plan->instant = 1;
        ngx_hyperdrive_session_plan_whole(plan, cat, p->ddl, 1);
        return;
    }

    for (i = 0; i < p->nwrites; i++) {

        if (ngx_hyperdrive_cache_version_add(&plan->writes,
                        ngx_hyperdrive_cache_version(identity, p->writes[i]))
            != NGX_OK)
        {
            ngx_hyperdrive_session_plan_whole(plan, cat, 0, 0);
            return;
        }
    }
}


/* all plans of the set; those of the drop before are freed */

static void
ngx_hyperdrive_session_plan_drop(ngx_hyperdrive_session_plans_t *set)
{
    ngx_uint_t                            i;
    ngx_hyperdrive_session_plan_node_t   *node, **last;

    ngx_hyperdrive_session_plan_free(set->dropped);
    set->dropped = NULL;

    last = &set->dropped;

    for (i = 0; i < NGX_HYPERDRIVE_SESSION_PLAN_BUCKETS; i++) {

        *last = set->buckets[i];
        set->buckets[i] = NULL;

        while ((node = *last) != NULL) {
            last = &node->next;
        }
    }

    set->n = 0;
    set->id = ++ngx_hyperdrive_session_plan_last;
}


static void
ngx_hyperdrive_session_plan_free(ngx_hyperdrive_session_plan_node_t *node)
{
    ngx_hyperdrive_session_plan_node_t  *next;

    for ( /* void */ ; node; node = next) {
        next = node->next;
        free(node);
    }
}


/* no session is at work: this is an event of the catalog's */

void
ngx_hyperdrive_session_plan_forget(ngx_hyperdrive_session_catalog_t *cat)
{
    ngx_hyperdrive_session_plans_t  *set, **prev;

    prev = &ngx_hyperdrive_session_plan_sets;

    while ((set = *prev) != NULL) {

        if (set->cat != cat) {
            prev = &set->next;
            continue;
        }

        *prev = set->next;

        ngx_hyperdrive_session_plan_drop(set);
        ngx_hyperdrive_session_plan_free(set->dropped);
        free(set);
    }
}
