
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session_cache.h"
#include "session/ngx_hyperdrive_session_diag.h"
#include "session/ngx_hyperdrive_session_log.h"
#include "session/ngx_hyperdrive_session_policy.h"


static void ngx_hyperdrive_session_track_defaults(ngx_hyperdrive_session_t *s);


void
ngx_hyperdrive_session_track_run(void *data, ngx_hyperdrive_proto_run_t *run)
{
    ngx_hyperdrive_session_t *s = data;

    if (s->replication) {

        /* its connection is its own, and reset by its end */

        if (!ngx_hyperdrive_session_replication_command(s, run)
            && ngx_hyperdrive_cache_version_on())
        {
            ngx_hyperdrive_session_write_run(s, run);
        }

        return;
    }

    if (run->replication) {
        ngx_hyperdrive_session_pin_replication(s, run);
        return;
    }

    if (run->executed) {

        if (run->fetched
            || ((s->settings || run->stmt->plan.settings)
                && ngx_hyperdrive_session_settings_run(s, run) != NGX_OK))
        {
            ngx_hyperdrive_session_pin_setting(s);
        }

        return;
    }

    if (s->conf->policy && !run->prepares && !run->named) {
        ngx_hyperdrive_session_policy_run(s, run);
    }

    if (run->stmt && run->stmt->plan.local && !run->prepares) {
        s->path_local = 1;
    }

    if ((s->settings || (run->stmt && run->stmt->plan.settings))
        && !run->prepares && !run->bound
        && ngx_hyperdrive_session_settings_run(s, run) != NGX_OK)
    {
        ngx_hyperdrive_session_pin_setting(s);
    }

    if (run->stmt && run->stmt->plan.defaults) {
        s->defaults = 1;
    }

    if (run->stmt == NULL || run->stmt->plan.settings
        || run->stmt->plan.stateful || run->stmt->plan.brief)
    {
        s->pin.reads = 1;
    }

    if (run->stmt == NULL || run->prepares || run->named || s->pinned
        || s->conf->policy || run->stmt->plan.stateful
        || run->stmt->plan.may_write)
    {
        ngx_hyperdrive_session_pin_run(s, run);
    }

    if (run->prepares) {
        return;
    }

    if (s->conf->origin->proto->numbers) {

        /* MySQL */

        if (run->stmt && s->releases == 0
            && ngx_hyperdrive_session_block_releases(s, run->stmt))
        {
            s->releases = s->outstanding + 1;
        }

        ngx_hyperdrive_session_diag_run(s, run);
    }

    if (ngx_hyperdrive_cache_version_on()) {
        ngx_hyperdrive_session_write_run(s, run);
    }

    if (s->log) {
        ngx_hyperdrive_session_log_run(s, run->stmt);
    }
}


void
ngx_hyperdrive_session_track_send(ngx_hyperdrive_session_t *s)
{
    if (ngx_hyperdrive_cache_version_on()) {
        ngx_hyperdrive_session_write_send(s);
    }

    if (s->fill) {
        ngx_hyperdrive_session_fill_send(s->fill);
    }

    if (s->time) {
        ngx_hyperdrive_session_time_sent(s);
    }
}


void
ngx_hyperdrive_session_track_piece(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_piece_t *piece)
{
    if (s->diag && ngx_hyperdrive_session_diag_piece(s, piece) == NGX_OK) {
        return;
    }

    if ((piece->discard || piece->own)
        && ngx_hyperdrive_session_sequence_piece(s, piece) == NGX_OK)
    {
        return;
    }

    if (!ngx_hyperdrive_session_settings_quiet(s->settings)) {
        ngx_hyperdrive_session_settings_piece(s, piece);
    }

    if (piece->own && piece->tag == NGX_HYPERDRIVE_SESSION_TAG_SETTINGS) {
        return;
    }

    if (piece->schema.len && !piece->own) {
        ngx_hyperdrive_session_settings_told(s, &piece->schema);
    }

    if (!piece->own && s->settings && s->settings->schema.len) {

        if (piece->type == NGX_HYPERDRIVE_PROTO_ERROR) {
            s->settings->lost = 1;

        } else if (piece->type == NGX_HYPERDRIVE_PROTO_READY) {
            ngx_hyperdrive_session_settings_follow(s);
        }
    }

    if (s->pinned) {
        ngx_hyperdrive_session_pin_piece(s, piece);
    }

    if (piece->astray) {
        ngx_hyperdrive_session_pin_astray(s);
    }

    if (piece->tracked) {
        ngx_hyperdrive_session_pin_changed(s);
    }

    if (piece->discard == NGX_HYPERDRIVE_PROTO_DISCARD_SESSION) {
        ngx_hyperdrive_session_settings_discard(s);
    }

    if (piece->tag >= NGX_HYPERDRIVE_SESSION_TAG_PIN
        || (piece->own && piece->type == NGX_HYPERDRIVE_PROTO_READY))
    {
        return;
    }

    if (ngx_hyperdrive_cache_version_on()) {
        ngx_hyperdrive_session_write_piece(s, piece);
    }

    if (s->time) {
        ngx_hyperdrive_session_time_piece(s, piece);
    }

    if (s->log) {
        ngx_hyperdrive_session_log_piece(s, piece);
    }
}


/*
 * Connections begin with what ALTER ROLE and ALTER DATABASE have set: those
 * that were there before are of no use to whoever logs in from now on.
 */

static void
ngx_hyperdrive_session_track_defaults(ngx_hyperdrive_session_t *s)
{
    ngx_str_t  all;

    s->defaults = 0;

    ngx_str_set(&all, "");

    if (ngx_hyperdrive_origin_reconnect(s->conf->origin->limit, &all)
        != NGX_OK)
    {
        ngx_log_error(NGX_LOG_WARN, s->net.connection->log, 0,
                      "hyperdrive: connections of upstream \"%V\" keep the "
                      "settings that they have begun with: too many orders "
                      "are being carried out", &s->conf->origin->name);
        return;
    }

    ngx_hyperdrive_origin_orders(s->conf->origin);
}


void
ngx_hyperdrive_session_track_settled(ngx_hyperdrive_session_t *s)
{
    s->pin.reads = 0;

    if (s->path_local
        && s->conf->origin->proto->origin_idle(s->origin->wire))
    {
        s->path_local = 0;
    }

    if (s->defaults
        && s->conf->origin->proto->origin_idle(s->origin->wire))
    {
        ngx_hyperdrive_session_track_defaults(s);
    }

    if (s->time) {
        ngx_hyperdrive_session_time_settled(s);
    }

    if (s->drawn) {
        ngx_hyperdrive_session_sequence_settled(s);
    }

    if (s->pinned || s->pin.endless) {
        ngx_hyperdrive_session_pin_settled(s);
    }
}


void
ngx_hyperdrive_session_track_end(ngx_hyperdrive_session_t *s)
{
    if (ngx_hyperdrive_cache_version_on()) {
        ngx_hyperdrive_session_write_end(s);
    }

    ngx_hyperdrive_session_settings_end(s);

    if (s->drawn) {
        ngx_hyperdrive_session_sequence_end(s);
    }

    if (s->time) {
        ngx_hyperdrive_session_time_doing(s, NGX_HYPERDRIVE_SESSION_IDLE);
    }
}
