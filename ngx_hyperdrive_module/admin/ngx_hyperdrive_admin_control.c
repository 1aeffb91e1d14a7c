
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "admin/ngx_hyperdrive_admin_control.h"
#include "admin/ngx_hyperdrive_admin_json.h"
#include "admin/ngx_hyperdrive_admin_status.h"
#include "origin/ngx_hyperdrive_origin.h"


static ngx_int_t ngx_hyperdrive_admin_control_give(
    ngx_hyperdrive_shm_limit_t *limit,
    ngx_hyperdrive_admin_command_t *command);
static ngx_int_t ngx_hyperdrive_admin_control_purge(
    ngx_hyperdrive_admin_json_t *w, ngx_hyperdrive_admin_command_t *command);
static ngx_hyperdrive_shm_limit_t *ngx_hyperdrive_admin_control_limit(
    ngx_str_t *name);
static void ngx_hyperdrive_admin_control_show(ngx_hyperdrive_admin_json_t *w);
static void ngx_hyperdrive_admin_control_state(
    ngx_hyperdrive_admin_json_t *w, ngx_str_t *upstream,
    ngx_hyperdrive_shm_order_state_t *state);
static void ngx_hyperdrive_admin_control_done(ngx_hyperdrive_admin_json_t *w,
    ngx_hyperdrive_shm_limit_t *limit,
    ngx_hyperdrive_admin_command_t *command);


ngx_int_t
ngx_hyperdrive_admin_control(ngx_pool_t *pool,
    ngx_hyperdrive_admin_command_t *command, ngx_chain_t **out, off_t *size)
{
    ngx_int_t                     rc;
    ngx_hyperdrive_shm_limit_t   *limit;
    ngx_hyperdrive_admin_json_t   w;

    ngx_hyperdrive_admin_json_init(&w, pool);

    if (command->action == NGX_HYPERDRIVE_ADMIN_SHOW) {
        ngx_hyperdrive_admin_control_show(&w);

    } else if (command->action == NGX_HYPERDRIVE_ADMIN_PURGE) {

        rc = ngx_hyperdrive_admin_control_purge(&w, command);

        if (rc != NGX_OK) {
            return rc;
        }

    } else {
        limit = ngx_hyperdrive_admin_control_limit(&command->name);

        if (limit == NULL) {
            return NGX_DECLINED;
        }

        rc = ngx_hyperdrive_admin_control_give(limit, command);

        if (rc != NGX_OK) {
            return NGX_BUSY;
        }

        ngx_hyperdrive_admin_control_done(&w, limit, command);
    }

    if (w.failed) {
        return NGX_ERROR;
    }

    *out = w.out;
    *size = ngx_hyperdrive_admin_json_size(&w);

    return NGX_OK;
}


static ngx_int_t
ngx_hyperdrive_admin_control_give(ngx_hyperdrive_shm_limit_t *limit,
    ngx_hyperdrive_admin_command_t *command)
{
    switch (command->action) {

    case NGX_HYPERDRIVE_ADMIN_PAUSE:
        return ngx_hyperdrive_origin_pause(limit, &command->database,
                                           command->time);

    case NGX_HYPERDRIVE_ADMIN_RESUME:
        return ngx_hyperdrive_origin_resume(limit, &command->database);

    case NGX_HYPERDRIVE_ADMIN_RECONNECT:
        return ngx_hyperdrive_origin_reconnect(limit, &command->database);

    default: /* NGX_HYPERDRIVE_ADMIN_KILL */
        return ngx_hyperdrive_origin_kill(&command->name, &command->database,
                                          &command->user);
    }
}


static ngx_int_t
ngx_hyperdrive_admin_control_purge(ngx_hyperdrive_admin_json_t *w,
    ngx_hyperdrive_admin_command_t *command)
{
    ngx_int_t                      rc;
    ngx_uint_t                     i, n;
    ngx_hyperdrive_admin_view_t   *view;
    ngx_hyperdrive_cache_stats_t   stats;

    view = ngx_hyperdrive_admin_view();

    for (i = 0; i < view->nstores; i++) {

        ngx_hyperdrive_cache_store_stats(view->stores[i], &stats);

        if (stats.name.len != command->name.len
            || ngx_memcmp(stats.name.data, command->name.data, stats.name.len)
               != 0)
        {
            continue;
        }

        if (command->table.len) {

            /* the others may know of databases that we do not */

            if (ngx_hyperdrive_origin_purge(&command->table,
                                            &command->database)
                != NGX_OK)
            {
                return NGX_BUSY;
            }

            rc = view->purge_table(&command->table, &command->database, &n);

            ngx_hyperdrive_admin_json_write(w, "{\"cache\":");
            ngx_hyperdrive_admin_json_string(w, &stats.name);
            ngx_hyperdrive_admin_json_write(w,
                                            ",\"tables\":%ui,\"done\":%s}\n",
                                            n, rc == NGX_OK ? "true" : "false");
            return NGX_OK;
        }

        n = stats.entries;

        if (command->digest) {
            n = view->purge_statement(view->stores[i], command->digest);

        } else if (command->tag.len) {
            n = view->purge_tag(view->stores[i], &command->tag);

        } else {
            view->purge(view->stores[i]);
        }

        ngx_hyperdrive_admin_json_write(w, "{\"cache\":");
        ngx_hyperdrive_admin_json_string(w, &stats.name);
        ngx_hyperdrive_admin_json_write(w, ",\"entries\":%ui,\"done\":true}\n",
                                        n);
        return NGX_OK;
    }

    return NGX_DECLINED;
}


static ngx_hyperdrive_shm_limit_t *
ngx_hyperdrive_admin_control_limit(ngx_str_t *name)
{
    ngx_uint_t                         i;
    ngx_hyperdrive_admin_view_t       *view;
    ngx_hyperdrive_shm_limit_stats_t   stats;

    view = ngx_hyperdrive_admin_view();

    for (i = 0; i < view->nlimits; i++) {

        ngx_hyperdrive_shm_limit_stats(view->limits[i], &stats);

        if (stats.name.len == name->len
            && ngx_memcmp(stats.name.data, name->data, name->len) == 0)
        {
            return view->limits[i];
        }
    }

    return NULL;
}


/* all orders that are in force, or not carried out to the end */

static void
ngx_hyperdrive_admin_control_show(ngx_hyperdrive_admin_json_t *w)
{
    char                              *comma;
    ngx_uint_t                         i, k;
    ngx_hyperdrive_admin_view_t       *view;
    ngx_hyperdrive_shm_order_state_t   state;
    ngx_hyperdrive_shm_limit_stats_t   stats;

    view = ngx_hyperdrive_admin_view();

    ngx_hyperdrive_admin_json_write(w, "{\"orders\":[");

    comma = "";

    for (i = 0; i < view->nlimits; i++) {

        ngx_hyperdrive_shm_limit_stats(view->limits[i], &stats);

        k = 0;

        while (ngx_hyperdrive_shm_order_next(view->limits[i], &k, &state)
               == NGX_OK)
        {
            if (!state.paused && state.old == 0) {
                continue;
            }

            ngx_hyperdrive_admin_json_write(w, "%s", comma);
            ngx_hyperdrive_admin_control_state(w, &stats.name, &state);

            comma = ",";
        }
    }

    ngx_hyperdrive_admin_json_write(w, "]}\n");
}


static void
ngx_hyperdrive_admin_control_state(ngx_hyperdrive_admin_json_t *w,
    ngx_str_t *upstream, ngx_hyperdrive_shm_order_state_t *state)
{
    ngx_uint_t  done;

    done = state->seen && state->old == 0
           && (!state->paused || state->open == 0);

    ngx_hyperdrive_admin_json_write(w, "{\"upstream\":");
    ngx_hyperdrive_admin_json_string(w, upstream);
    ngx_hyperdrive_admin_json_write(w, ",\"database\":");
    ngx_hyperdrive_admin_json_string(w, &state->database);
    ngx_hyperdrive_admin_json_write(w,
                                    ",\"paused\":%s,\"connections\":%ui,"
                                    "\"old\":%ui,\"done\":%s}",
                                    state->paused ? "true" : "false",
                                    state->open, state->old,
                                    done ? "true" : "false");
}


/* how far what was just asked for is carried out */

static void
ngx_hyperdrive_admin_control_done(ngx_hyperdrive_admin_json_t *w,
    ngx_hyperdrive_shm_limit_t *limit,
    ngx_hyperdrive_admin_command_t *command)
{
    ngx_uint_t                        i;
    ngx_hyperdrive_shm_order_state_t  state;

    i = 0;

    while (command->action != NGX_HYPERDRIVE_ADMIN_KILL
           && ngx_hyperdrive_shm_order_next(limit, &i, &state) == NGX_OK)
    {
        if (state.database.len == command->database.len
            && ngx_memcmp(state.database.data, command->database.data,
                          state.database.len)
               == 0)
        {
            ngx_hyperdrive_admin_control_state(w, &command->name, &state);
            ngx_hyperdrive_admin_json_write(w, "\n");
            return;
        }
    }

    ngx_hyperdrive_admin_json_write(w, "{\"done\":true}\n");
}
