
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "policy/ngx_hyperdrive_policy_kept.h"
#include "base/ngx_hyperdrive_base_cursor.h"


#define NGX_HYPERDRIVE_POLICY_KEPT_BUCKETS  4096

/* statements of one policy; then it begins anew */
#define NGX_HYPERDRIVE_POLICY_KEPT_MAX      16384

/* decisions for one statement; then they begin anew */
#define NGX_HYPERDRIVE_POLICY_KEPT_LEAVES   256


static ngx_hyperdrive_policy_node_t *ngx_hyperdrive_policy_kept_node(
    ngx_str_t *value);
static ngx_hyperdrive_policy_node_t *ngx_hyperdrive_policy_kept_replace(
    ngx_hyperdrive_policy_kept_t *kept, ngx_hyperdrive_policy_node_t **link,
    ngx_str_t *value);
static void ngx_hyperdrive_policy_kept_drop(ngx_hyperdrive_policy_kept_t *kept,
    ngx_hyperdrive_policy_node_t *node);
static void ngx_hyperdrive_policy_kept_drop_all(
    ngx_hyperdrive_policy_kept_t *kept);
static void ngx_hyperdrive_policy_kept_clean(
    ngx_hyperdrive_policy_kept_t *kept);
static void ngx_hyperdrive_policy_kept_free_nodes(
    ngx_hyperdrive_policy_node_t *node);


static uint64_t  ngx_hyperdrive_policy_kept_last;


ngx_hyperdrive_policy_stmt_t *
ngx_hyperdrive_policy_kept_stmt(ngx_hyperdrive_policy_kept_t *kept,
    uint64_t serial)
{
    ngx_uint_t                     i;
    ngx_hyperdrive_policy_stmt_t  *stmt;

    if (kept->buckets == NULL) {
        kept->buckets = calloc(NGX_HYPERDRIVE_POLICY_KEPT_BUCKETS,
                               sizeof(ngx_hyperdrive_policy_stmt_t *));
        if (kept->buckets == NULL) {
            return NULL;
        }

        kept->id = ++ngx_hyperdrive_policy_kept_last;
    }

    i = serial % NGX_HYPERDRIVE_POLICY_KEPT_BUCKETS;

    for (stmt = kept->buckets[i]; stmt; stmt = stmt->next) {
        if (stmt->serial == serial) {
            return stmt;
        }
    }

    if (kept->n == NGX_HYPERDRIVE_POLICY_KEPT_MAX) {
        ngx_hyperdrive_policy_kept_drop_all(kept);
    }

    stmt = calloc(1, sizeof(ngx_hyperdrive_policy_stmt_t));
    if (stmt == NULL) {
        return NULL;
    }

    stmt->serial = serial;
    stmt->next = kept->buckets[i];
    kept->buckets[i] = stmt;
    kept->n++;

    return stmt;
}


ngx_hyperdrive_policy_decision_t *
ngx_hyperdrive_policy_kept_find(ngx_hyperdrive_policy_stmt_t *stmt,
    ngx_hyperdrive_policy_input_t *in)
{
    ngx_str_t                      value;
    ngx_hyperdrive_policy_node_t  *node;

    node = stmt->root;

    while (node && node->decision == NULL) {

        if (in->value(in->data, node->what, &node->name, &value) != NGX_OK) {
            ngx_str_null(&value);

        } else if (value.data == NULL) {
            value.data = (u_char *) "";
        }

        for (node = node->children; node; node = node->next) {

            if ((node->value.data == NULL) == (value.data == NULL)
                && ngx_hyperdrive_base_same(&node->value, &value))
            {
                break;
            }
        }
    }

    if (node == NULL
        || (node->decision->keep != NGX_HYPERDRIVE_POLICY_UNSET
            && ngx_current_msec - node->made >= node->decision->keep))
    {
        return NULL;
    }

    return node->decision;
}


ngx_int_t
ngx_hyperdrive_policy_kept_add(ngx_hyperdrive_policy_kept_t *kept,
    ngx_hyperdrive_policy_stmt_t *stmt, ngx_hyperdrive_policy_look_t *look,
    ngx_hyperdrive_policy_decision_t *decision)
{
    ngx_str_t                       none, *value;
    ngx_uint_t                      i;
    ngx_hyperdrive_policy_node_t   *node, **link;
    ngx_hyperdrive_policy_seen_t   *seen;

    ngx_hyperdrive_policy_kept_clean(kept);

    if (stmt->root && stmt->leaves >= NGX_HYPERDRIVE_POLICY_KEPT_LEAVES) {
        ngx_hyperdrive_policy_kept_drop(kept, stmt->root);
        stmt->root = NULL;
        stmt->leaves = 0;
    }

    ngx_str_null(&none);
    value = &none;
    link = &stmt->root;

    for (i = 0; /* void */ ; i++) {

        node = *link;

        if (node == NULL) {
            node = ngx_hyperdrive_policy_kept_node(value);
            if (node == NULL) {
                return NGX_DECLINED;
            }

            *link = node;
        }

        if (i == look->nseen) {
            break;
        }

        seen = &look->seen[i];

        if (node->name.data == NULL || node->what != seen->what
            || !ngx_hyperdrive_base_same(&node->name, &seen->name))
        {
            if (node->name.data || node->decision) {

                /* it looks elsewhere now: what it says moves */

                node = ngx_hyperdrive_policy_kept_replace(kept, link, value);
                if (node == NULL) {
                    return NGX_DECLINED;
                }
            }

            node->name.data = malloc(seen->name.len + 1);
            if (node->name.data == NULL) {
                return NGX_DECLINED;
            }

            node->name.len = seen->name.len;
            ngx_memcpy(node->name.data, seen->name.data, seen->name.len);
            node->what = seen->what;
        }

        value = &seen->value;

        for (link = &node->children; *link; link = &(*link)->next) {

            if (((*link)->value.data == NULL) == (value->data == NULL)
                && ngx_hyperdrive_base_same(&(*link)->value, value))
            {
                break;
            }
        }
    }

    if (node->decision || node->name.data) {

        /* it was too old, and may be in use */

        node = ngx_hyperdrive_policy_kept_replace(kept, link, value);
        if (node == NULL) {
            return NGX_DECLINED;
        }

    } else {
        stmt->leaves++;
    }

    node->decision = decision;
    node->made = ngx_current_msec;

    return NGX_OK;
}


static ngx_hyperdrive_policy_node_t *
ngx_hyperdrive_policy_kept_node(ngx_str_t *value)
{
    ngx_hyperdrive_policy_node_t  *node;

    node = calloc(1, sizeof(ngx_hyperdrive_policy_node_t) + value->len + 1);
    if (node == NULL) {
        return NULL;
    }

    if (value->data) {
        node->value.data = (u_char *) (node + 1);
        node->value.len = value->len;
        ngx_memcpy(node->value.data, value->data, value->len);
    }

    return node;
}


/* a new one in the place of *link */

static ngx_hyperdrive_policy_node_t *
ngx_hyperdrive_policy_kept_replace(ngx_hyperdrive_policy_kept_t *kept,
    ngx_hyperdrive_policy_node_t **link, ngx_str_t *value)
{
    ngx_hyperdrive_policy_node_t  *node, *old;

    node = ngx_hyperdrive_policy_kept_node(value);
    if (node == NULL) {
        return NULL;
    }

    old = *link;

    node->next = old->next;
    old->next = NULL;
    *link = node;

    ngx_hyperdrive_policy_kept_drop(kept, old);

    return node;
}


/* the node, those behind it, and all below */

static void
ngx_hyperdrive_policy_kept_drop(ngx_hyperdrive_policy_kept_t *kept,
    ngx_hyperdrive_policy_node_t *node)
{
    ngx_hyperdrive_policy_node_t  **last;

    if (node == NULL) {
        return;
    }

    for (last = &node->next; *last; last = &(*last)->next) {
        /* void */
    }

    ngx_hyperdrive_policy_drops++;

    *last = kept->dropped;
    kept->dropped = node;
    kept->dropped_at = ngx_current_msec;
}


static void
ngx_hyperdrive_policy_kept_drop_all(ngx_hyperdrive_policy_kept_t *kept)
{
    ngx_uint_t                     i;
    ngx_hyperdrive_policy_stmt_t  *stmt, *next;

    for (i = 0; i < NGX_HYPERDRIVE_POLICY_KEPT_BUCKETS; i++) {

        for (stmt = kept->buckets[i]; stmt; stmt = next) {
            next = stmt->next;

            ngx_hyperdrive_policy_kept_drop(kept, stmt->root);
            free(stmt);
        }

        kept->buckets[i] = NULL;
    }

    kept->n = 0;
    kept->id = ++ngx_hyperdrive_policy_kept_last;
}


/* the time stands still while an event handler runs */

static void
ngx_hyperdrive_policy_kept_clean(ngx_hyperdrive_policy_kept_t *kept)
{
    if (kept->dropped && kept->dropped_at != ngx_current_msec) {
        ngx_hyperdrive_policy_kept_free_nodes(kept->dropped);
        kept->dropped = NULL;
    }
}


/* no deeper than values are noted */

static void
ngx_hyperdrive_policy_kept_free_nodes(ngx_hyperdrive_policy_node_t *node)
{
    ngx_hyperdrive_policy_node_t  *next;

    for ( /* void */ ; node; node = next) {
        next = node->next;

        ngx_hyperdrive_policy_kept_free_nodes(node->children);

        free(node->decision);
        free(node->name.data);
        free(node);
    }
}


void
ngx_hyperdrive_policy_kept_free(ngx_hyperdrive_policy_kept_t *kept)
{
    if (kept->buckets) {
        ngx_hyperdrive_policy_kept_drop_all(kept);
        free(kept->buckets);
        kept->buckets = NULL;
    }

    ngx_hyperdrive_policy_kept_free_nodes(kept->dropped);
    kept->dropped = NULL;
}
