
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "admin/ngx_hyperdrive_admin_status.h"
#include "admin/ngx_hyperdrive_admin_json.h"
#include "ngx_hyperdrive_proto.h"


#define NGX_HYPERDRIVE_ADMIN_STATUS_REASONS                                   \
    (sizeof(((ngx_hyperdrive_shm_counters_t *) 0)->uncacheable)               \
     / sizeof(uint64_t))


typedef struct {
    char                                *name;
    size_t                               offset;
} ngx_hyperdrive_admin_status_field_t;


typedef struct {
    ngx_pid_t                            pid;       /* 0: the slot is free */
    ngx_uint_t                           generation;
} ngx_hyperdrive_admin_status_worker_t;


/* what is read in one go, before it is written */

typedef struct {
    ngx_hyperdrive_shm_limit_stats_t     limit;
    ngx_hyperdrive_admin_status_worker_t
                                         workers[NGX_HYPERDRIVE_SLOTS];
    ngx_hyperdrive_shm_counters_t        counters[NGX_HYPERDRIVE_SLOTS + 1];
    ngx_hyperdrive_shm_counters_t        total;
} ngx_hyperdrive_admin_status_snapshot_t;


static void ngx_hyperdrive_admin_status_workers(
    ngx_hyperdrive_admin_json_t *w,
    ngx_hyperdrive_admin_status_snapshot_t *snapshot);
static void ngx_hyperdrive_admin_status_limits(
    ngx_hyperdrive_admin_json_t *w,
    ngx_hyperdrive_admin_status_snapshot_t *snapshot);
static void ngx_hyperdrive_admin_status_counters(
    ngx_hyperdrive_admin_json_t *w,
    ngx_hyperdrive_shm_counters_t *counters);
static void ngx_hyperdrive_admin_status_replicas(
    ngx_hyperdrive_admin_json_t *w,
    ngx_hyperdrive_admin_replicas_t *replicas);
static void ngx_hyperdrive_admin_status_stores(
    ngx_hyperdrive_admin_json_t *w);
static void ngx_hyperdrive_admin_status_pins(
    ngx_hyperdrive_admin_json_t *w, char *name, uint64_t *pins);


#define ngx_hyperdrive_admin_status_field(name)                               \
    { #name, offsetof(ngx_hyperdrive_shm_counters_t, name) }


static ngx_hyperdrive_admin_status_field_t
    ngx_hyperdrive_admin_status_fields[] =
{
    ngx_hyperdrive_admin_status_field(clients),
    ngx_hyperdrive_admin_status_field(clients_total),
    ngx_hyperdrive_admin_status_field(login_failed),
    ngx_hyperdrive_admin_status_field(origins_idle),
    ngx_hyperdrive_admin_status_field(origins_busy),
    ngx_hyperdrive_admin_status_field(origins_login),
    ngx_hyperdrive_admin_status_field(origins_closing),
    ngx_hyperdrive_admin_status_field(origins_opened),
    ngx_hyperdrive_admin_status_field(origins_failed),
    ngx_hyperdrive_admin_status_field(waiting),
    ngx_hyperdrive_admin_status_field(wait_total),
    ngx_hyperdrive_admin_status_field(wait_msec),
    ngx_hyperdrive_admin_status_field(wait_timeout),
    ngx_hyperdrive_admin_status_field(queue_full),
    ngx_hyperdrive_admin_status_field(queries),
    ngx_hyperdrive_admin_status_field(transactions),
    ngx_hyperdrive_admin_status_field(hits),
    ngx_hyperdrive_admin_status_field(misses),
    ngx_hyperdrive_admin_status_field(stale),
    ngx_hyperdrive_admin_status_field(error_stale),
    ngx_hyperdrive_admin_status_field(coalescing),
    ngx_hyperdrive_admin_status_field(coalesced),
    ngx_hyperdrive_admin_status_field(coalesce_timeout),
    ngx_hyperdrive_admin_status_field(invalidated),
    ngx_hyperdrive_admin_status_field(written),
    ngx_hyperdrive_admin_status_field(stored),
    ngx_hyperdrive_admin_status_field(refreshed),
    ngx_hyperdrive_admin_status_field(verified),
    ngx_hyperdrive_admin_status_field(verify_failed),
    ngx_hyperdrive_admin_status_field(oversized),
    ngx_hyperdrive_admin_status_field(catalogs),
    ngx_hyperdrive_admin_status_field(catalog_reads),
    ngx_hyperdrive_admin_status_field(catalog_failed),
    ngx_hyperdrive_admin_status_field(catalog_waits),
    ngx_hyperdrive_admin_status_field(deferred),
    ngx_hyperdrive_admin_status_field(aligned),
    ngx_hyperdrive_admin_status_field(pinned),
    ngx_hyperdrive_admin_status_field(pinned_total),
    ngx_hyperdrive_admin_status_field(errors),
    ngx_hyperdrive_admin_status_field(errors_own),
    ngx_hyperdrive_admin_status_field(timeouts),
    ngx_hyperdrive_admin_status_field(policy_runs),
    ngx_hyperdrive_admin_status_field(policy_errors),
    ngx_hyperdrive_admin_status_field(policy_rejected),
    ngx_hyperdrive_admin_status_field(replica_reads),
    ngx_hyperdrive_admin_status_field(replica_behind),
    ngx_hyperdrive_admin_status_field(replica_fallback),
    ngx_hyperdrive_admin_status_field(primary_changed),
    ngx_hyperdrive_admin_status_field(mirrored),
    ngx_hyperdrive_admin_status_field(mirror_dropped),
    ngx_hyperdrive_admin_status_field(bytes_from_clients),
    ngx_hyperdrive_admin_status_field(bytes_to_clients),
    ngx_hyperdrive_admin_status_field(bytes_from_origins),
    ngx_hyperdrive_admin_status_field(bytes_to_origins),

    { NULL, 0 }
};


static ngx_hyperdrive_admin_view_t  *ngx_hyperdrive_admin_status_view;

static ngx_hyperdrive_admin_view_t   ngx_hyperdrive_admin_status_nothing;

static ngx_str_t                     ngx_hyperdrive_admin_status_all;


void
ngx_hyperdrive_admin_set_view(ngx_hyperdrive_admin_view_t *view)
{
    ngx_hyperdrive_admin_status_view = view;
}


ngx_hyperdrive_admin_view_t *
ngx_hyperdrive_admin_view(void)
{
    return ngx_hyperdrive_admin_status_view
           ? ngx_hyperdrive_admin_status_view
           : &ngx_hyperdrive_admin_status_nothing;
}


ngx_chain_t *
ngx_hyperdrive_admin_status(ngx_pool_t *pool, off_t *size)
{
    ngx_uint_t                               generation;
    ngx_hyperdrive_admin_json_t     w;
    ngx_hyperdrive_admin_status_snapshot_t  *snapshot;

    ngx_hyperdrive_admin_json_init(&w, pool);

    snapshot = ngx_pcalloc(pool,
                           sizeof(ngx_hyperdrive_admin_status_snapshot_t));
    if (snapshot == NULL) {
        return NULL;
    }

    generation = 0;

    if (ngx_hyperdrive_admin_status_view) {
        generation = ngx_hyperdrive_shm_generation();
    }

    ngx_hyperdrive_admin_json_write(&w,
                        "{\"version\":\"%s\",\"generation\":%ui,\"workers\":[",
                        NGX_HYPERDRIVE_VERSION, generation);

    ngx_hyperdrive_admin_status_workers(&w, snapshot);

    ngx_hyperdrive_admin_json_write(&w, "],\"upstreams\":{");

    ngx_hyperdrive_admin_status_limits(&w, snapshot);

    ngx_hyperdrive_admin_json_write(&w, "},\"caches\":{");

    ngx_hyperdrive_admin_status_stores(&w);

    ngx_hyperdrive_admin_json_write(&w,
                                      "},\"flights\":%ui,"
                                      "\"tables_off\":%ui}\n",
                                      ngx_hyperdrive_cache_flight_count(),
                                      ngx_hyperdrive_cache_flight_noff());

    (void) ngx_pfree(pool, snapshot);

    if (w.failed) {
        return NULL;
    }

    *size = ngx_hyperdrive_admin_json_size(&w);

    return w.out;
}


static void
ngx_hyperdrive_admin_status_workers(ngx_hyperdrive_admin_json_t *w,
    ngx_hyperdrive_admin_status_snapshot_t *snapshot)
{
    char                                  *comma;
    ngx_uint_t                             i;
    ngx_hyperdrive_admin_status_worker_t  *worker;

    if (ngx_hyperdrive_admin_status_view == NULL) {
        return;
    }

    comma = "";

    for (i = 0; i < NGX_HYPERDRIVE_SLOTS; i++) {
        worker = &snapshot->workers[i];

        if (ngx_hyperdrive_shm_slot_pid(i, &worker->pid) != NGX_OK) {
            worker->pid = 0;
            continue;
        }

        worker->generation = ngx_hyperdrive_shm_slot_generation(i);

        ngx_hyperdrive_admin_json_write(w,
                               "%s{\"slot\":%ui,\"pid\":%P,\"generation\":%ui}",
                               comma, i, worker->pid, worker->generation);
        comma = ",";
    }
}


static void
ngx_hyperdrive_admin_status_limits(ngx_hyperdrive_admin_json_t *w,
    ngx_hyperdrive_admin_status_snapshot_t *snapshot)
{
    char                              *comma;
    uint64_t                          *from, *to;
    ngx_uint_t                         i, k, n;
    ngx_hyperdrive_admin_view_t       *view;
    ngx_hyperdrive_shm_limit_stats_t  *stats;

    view = ngx_hyperdrive_admin_view();

    comma = "";
    stats = &snapshot->limit;

    for (n = 0; n < view->nlimits; n++) {

        if (view->limits[n] == NULL) {
            continue;
        }

        ngx_hyperdrive_shm_limit_stats(view->limits[n], stats);
        ngx_hyperdrive_shm_counters_read(view->limits[n], snapshot->counters);

        ngx_memzero(&snapshot->total, sizeof(ngx_hyperdrive_shm_counters_t));

        ngx_hyperdrive_admin_json_write(w, "%s", comma);
        ngx_hyperdrive_admin_json_string(w, &stats->name);
        ngx_hyperdrive_admin_json_write(w,
                            ":{\"max\":%ui,\"used\":%ui,\"waiting\":%ui,"
                            "\"idle\":%ui,\"dead\":%ui,\"paused\":%s,"
                            "\"by_worker\":{",
                            stats->max, stats->used, stats->waiting,
                            stats->idle, stats->dead,
                            ngx_hyperdrive_shm_order_paused(view->limits[n],
                                     &ngx_hyperdrive_admin_status_all)
                            ? "true" : "false");

        comma = "";

        /* the last one is of all that are gone */

        for (i = 0; i <= NGX_HYPERDRIVE_SLOTS; i++) {

            from = (uint64_t *) &snapshot->counters[i];
            to = (uint64_t *) &snapshot->total;

            for (k = 0;
                 k < sizeof(ngx_hyperdrive_shm_counters_t) / sizeof(uint64_t);
                 k++)
            {
                to[k] += from[k];
            }

            if (i == NGX_HYPERDRIVE_SLOTS || snapshot->workers[i].pid == 0) {
                continue;
            }

            ngx_hyperdrive_admin_json_write(w,
                                          "%s\"%P\":{\"slot\":%ui,"
                                          "\"places\":%ui,",
                                          comma, snapshot->workers[i].pid, i,
                                          stats->slots[i]);

            ngx_hyperdrive_admin_status_counters(w, &snapshot->counters[i]);

            ngx_hyperdrive_admin_json_write(w, "}");

            comma = ",";
        }

        ngx_hyperdrive_admin_json_write(w, "},\"total\":{");

        ngx_hyperdrive_admin_status_counters(w, &snapshot->total);

        ngx_hyperdrive_admin_json_write(w, "},\"replicas\":[");

        ngx_hyperdrive_admin_status_replicas(w, &view->replicas[n]);

        ngx_hyperdrive_admin_json_write(w, "]}");

        comma = ",";
    }
}


/*
 * Each with what it has at least: all that had been committed so long ago;
 * null if that is not known.
 */

static void
ngx_hyperdrive_admin_status_replicas(ngx_hyperdrive_admin_json_t *w,
    ngx_hyperdrive_admin_replicas_t *replicas)
{
    char                                    *comma;
    ngx_uint_t                               i;
    ngx_hyperdrive_cache_position_replica_t  value;

    comma = "";

    for (i = 0; i < replicas->n; i++) {

        if (!replicas->there(replicas->data, i)) {
            continue;
        }

        ngx_hyperdrive_admin_json_write(w, "%s{\"name\":", comma);
        comma = ",";

        ngx_hyperdrive_admin_json_string(w, replicas->names[i]);

        value.reached = 0;

        if (replicas->position) {
            ngx_hyperdrive_cache_position_get(replicas->position, i, &value);
        }

        if (value.reached) {
            ngx_hyperdrive_admin_json_write(w, ",\"lag_msec\":%M}",
                           ngx_current_msec - (ngx_msec_t) value.since);

        } else {
            ngx_hyperdrive_admin_json_write(w, ",\"lag_msec\":null}");
        }
    }
}


static void
ngx_hyperdrive_admin_status_counters(ngx_hyperdrive_admin_json_t *w,
    ngx_hyperdrive_shm_counters_t *counters)
{
    char                                 *comma;
    u_char                               *p;
    ngx_uint_t                            i;
    ngx_hyperdrive_admin_view_t          *view;
    ngx_hyperdrive_admin_status_field_t  *field;

    view = ngx_hyperdrive_admin_status_view;
    p = (u_char *) counters;

    for (field = ngx_hyperdrive_admin_status_fields; field->name; field++) {
        ngx_hyperdrive_admin_json_write(w, "\"%s\":%uL,", field->name,
                                          *(uint64_t *) (p + field->offset));
    }

    ngx_hyperdrive_admin_status_pins(w, "pins", counters->pins);
    ngx_hyperdrive_admin_status_pins(w, "pins_total", counters->pins_total);

    ngx_hyperdrive_admin_json_write(w, "\"uncacheable\":{");

    comma = "";

    for (i = 0; i < NGX_HYPERDRIVE_ADMIN_STATUS_REASONS; i++) {

        if (i < view->nreasons && view->reasons[i].len) {
            ngx_hyperdrive_admin_json_write(w, "%s", comma);
            ngx_hyperdrive_admin_json_string(w, &view->reasons[i]);

        } else if (counters->uncacheable[i]) {
            ngx_hyperdrive_admin_json_write(w, "%s\"reason %ui\"", comma, i);

        } else {
            continue;
        }

        ngx_hyperdrive_admin_json_write(w, ":%uL", counters->uncacheable[i]);

        comma = ",";
    }

    ngx_hyperdrive_admin_json_write(w, "}");
}


/* by reason, those that there have been */

static void
ngx_hyperdrive_admin_status_pins(ngx_hyperdrive_admin_json_t *w,
    char *name, uint64_t *pins)
{
    char        *comma;
    ngx_uint_t   i;

    ngx_hyperdrive_admin_json_write(w, "\"%s\":{", name);

    comma = "";

    for (i = 0; i < NGX_HYPERDRIVE_SHM_PINS; i++) {
        ngx_hyperdrive_admin_json_write(w, "%s", comma);
        ngx_hyperdrive_admin_json_string(w,
                                           ngx_hyperdrive_state_pin_name(i));
        ngx_hyperdrive_admin_json_write(w, ":%uL", pins[i]);

        comma = ",";
    }

    ngx_hyperdrive_admin_json_write(w, "},");
}


static void
ngx_hyperdrive_admin_status_stores(ngx_hyperdrive_admin_json_t *w)
{
    char                          *comma;
    ngx_uint_t                     n;
    ngx_hyperdrive_admin_view_t   *view;
    ngx_hyperdrive_cache_stats_t   stats;

    view = ngx_hyperdrive_admin_view();

    comma = "";

    for (n = 0; n < view->nstores; n++) {

        if (view->stores[n] == NULL) {
            continue;
        }

        ngx_hyperdrive_cache_store_stats(view->stores[n], &stats);

        ngx_hyperdrive_admin_json_write(w, "%s", comma);
        ngx_hyperdrive_admin_json_string(w, &stats.name);
        ngx_hyperdrive_admin_json_write(w,
                                 ":{\"size\":%uz,\"shards\":%ui,"
                                 "\"entries\":%ui,\"blocks\":%ui,"
                                 "\"blocks_used\":%ui,\"blocks_free\":%ui,"
                                 "\"inserted\":%uL,\"evicted\":%uL,"
                                 "\"refused\":%uL,\"recovered\":%uL}",
                                 stats.size, stats.shards, stats.entries,
                                 stats.blocks, stats.blocks_used,
                                 stats.blocks_free, stats.inserted,
                                 stats.evicted, stats.refused,
                                 stats.recovered);

        comma = ",";
    }
}
