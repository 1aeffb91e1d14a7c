
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session.h"
#include "base/ngx_hyperdrive_base_cursor.h"
#include "base/ngx_hyperdrive_base_mode.h"
#include "sql/ngx_hyperdrive_sql_set.h"


/* changes that may be under way */
#define NGX_HYPERDRIVE_SESSION_CHANGES   256


static ngx_uint_t ngx_hyperdrive_session_settings_param(
    ngx_hyperdrive_session_t *s, ngx_hyperdrive_proto_param_t *param);
static ngx_uint_t ngx_hyperdrive_session_settings_args(
    ngx_hyperdrive_proto_run_t *run, ngx_str_t *args, uint64_t *binary);
static ngx_hyperdrive_session_change_t *ngx_hyperdrive_session_settings_push(
    ngx_hyperdrive_session_t *s, ngx_hyperdrive_sql_set_t *set,
    ngx_uint_t statement);
static ngx_int_t ngx_hyperdrive_session_settings_change(
    ngx_hyperdrive_session_settings_t *settings,
    ngx_hyperdrive_session_change_t *change);
static void ngx_hyperdrive_session_settings_struck(
    ngx_hyperdrive_session_settings_t *settings, ngx_uint_t struck);
static void ngx_hyperdrive_session_settings_rolled(
    ngx_hyperdrive_session_settings_t *settings);
static void ngx_hyperdrive_session_settings_answered(
    ngx_hyperdrive_session_t *s, ngx_hyperdrive_proto_piece_t *piece);
static void ngx_hyperdrive_session_settings_unit(ngx_hyperdrive_session_t *s,
    ngx_uint_t block);
static ngx_uint_t ngx_hyperdrive_session_settings_lent(
    ngx_hyperdrive_session_settings_t *settings, ngx_str_t *name);
static void ngx_hyperdrive_session_settings_note(ngx_hyperdrive_session_t *s);


/* as the sql room reads them, and as the state room keeps them */

static ngx_hyperdrive_state_change_e
    ngx_hyperdrive_session_settings_changes[] = {
    NGX_HYPERDRIVE_STATE_SET,
    NGX_HYPERDRIVE_STATE_SET_LOCAL,
    NGX_HYPERDRIVE_STATE_RESET,
    NGX_HYPERDRIVE_STATE_RESET_LOCAL,
    NGX_HYPERDRIVE_STATE_RESET_ALL,
    NGX_HYPERDRIVE_STATE_DISCARD_ALL,
    NGX_HYPERDRIVE_STATE_BEGIN,
    NGX_HYPERDRIVE_STATE_COMMIT,
    NGX_HYPERDRIVE_STATE_ROLLBACK,
    NGX_HYPERDRIVE_STATE_SAVEPOINT,
    NGX_HYPERDRIVE_STATE_RELEASE,
    NGX_HYPERDRIVE_STATE_ROLLBACK_TO,
    NGX_HYPERDRIVE_STATE_OTHER
};


ngx_hyperdrive_session_settings_t *
ngx_hyperdrive_session_settings_get(ngx_hyperdrive_session_t *s)
{
    if (s->settings == NULL) {
        s->settings = calloc(1, sizeof(ngx_hyperdrive_session_settings_t));

        if (s->settings) {
            s->settings->stays = (s->conf->origin->proto->dialect
                                  & NGX_HYPERDRIVE_BASE_MODE_MYSQL) ? 1 : 0;
        }
    }

    return s->settings;
}


ngx_uint_t
ngx_hyperdrive_session_settings_start(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_param_t *params, ngx_uint_t n)
{
    ngx_uint_t                          i, k, left, round;
    ngx_hyperdrive_state_bucket_t      *base;
    ngx_hyperdrive_session_settings_t  *settings;

    left = 0;

    /* options first: the database reads them before the others */

    for (round = 0; round < 2; round++) {

        for (i = 0; i < n; i++) {

            k = (params[i].name.len == sizeof("options") - 1
                 && ngx_memcmp(params[i].name.data, "options",
                               params[i].name.len)
                    == 0);

            if (k == round) {
                continue;
            }

            if (!ngx_hyperdrive_session_settings_param(s, &params[i])) {
                params[i].name.len |= (size_t) 1 << 62;
            }
        }
    }

    for (i = 0; i < n; i++) {

        if (params[i].name.len >> 62) {
            params[i].name.len &= ~((size_t) 1 << 62);
            params[left++] = params[i];
        }
    }

    settings = s->settings;

    if (settings) {
        base = settings->state.base;

        settings->state.committed = ngx_hyperdrive_state_bucket_ref(base);
        settings->state.now = ngx_hyperdrive_state_bucket_ref(base);
    }

    return left;
}


/* 0: it is not a setting that another connection could be given */

static ngx_uint_t
ngx_hyperdrive_session_settings_param(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_param_t *param)
{
    size_t                              i;
    u_char                              lower[NGX_HYPERDRIVE_MAX_NAME];
    ngx_str_t                           name;
    ngx_hyperdrive_state_bucket_t      *bucket;
    ngx_hyperdrive_session_settings_t  *settings;

    name = param->name;

    if (name.len > sizeof(lower) || name.len == 0
        || ngx_strncmp(name.data, "_pq_.", 5) == 0)
    {
        return 0;
    }

    for (i = 0; i < name.len; i++) {
        lower[i] = ngx_tolower(name.data[i]);
    }

    name.data = lower;

    settings = ngx_hyperdrive_session_settings_get(s);

    if (settings == NULL) {
        return 0;
    }

    if (name.len == sizeof("options") - 1
        && ngx_memcmp(name.data, "options", name.len) == 0)
    {
        bucket = ngx_hyperdrive_state_bucket_ref(settings->state.base);

        if (ngx_hyperdrive_session_options(&param->value, &bucket) != NGX_OK) {
            ngx_hyperdrive_state_bucket_unref(bucket);
            return 0;
        }

        ngx_hyperdrive_state_bucket_unref(settings->state.base);
        settings->state.base = bucket;

        return 1;
    }

    return ngx_hyperdrive_sql_set_known(&name)
           && ngx_hyperdrive_state_bucket_set(&settings->state.base, &name,
                                              &param->value)
              == NGX_OK;
}


ngx_hyperdrive_state_bucket_t *
ngx_hyperdrive_session_settings_bucket(ngx_hyperdrive_session_t *s)
{
    return s->settings ? s->settings->state.committed : NULL;
}


ngx_int_t
ngx_hyperdrive_session_settings_refused(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_error_t *err)
{
    ngx_hyperdrive_session_settings_t  *settings;

    settings = s->settings;

    if (settings == NULL || !settings->failed || settings->asked) {
        return NGX_DECLINED;
    }

    settings->failed = 0;
    settings->attempts = 0;

    err->severity = "ERROR";
    err->sqlstate = (char *) settings->said->sqlstate;
    err->message = (char *) settings->said->message;
    err->hint = "nginx could not give a connection the settings of this "
                "session.";

    return NGX_OK;
}


ngx_int_t
ngx_hyperdrive_session_settings_run(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_run_t *run)
{
    ngx_int_t                           rc;
    size_t                              at;
    ngx_str_t                           text;
    ngx_uint_t                          base, list, ends;
    ngx_hyperdrive_sql_set_t            set;
    ngx_hyperdrive_sql_mode_t           mode;
    ngx_hyperdrive_session_change_t    *change;
    ngx_hyperdrive_session_settings_t  *settings;
    ngx_hyperdrive_sql_set_reader_t     r;
    ngx_str_t                           args[NGX_HYPERDRIVE_SQL_SET_ARGS];
    static u_char                       buf[NGX_HYPERDRIVE_STATE_SETTINGS_SIZE
                                            * 4];
    static u_char                       mask[NGX_HYPERDRIVE_SQL_SET_MASK];

    settings = s->settings;

    if (settings && settings->unit != s->outstanding + 1) {
        settings->unit = s->outstanding + 1;
        settings->statements = 0;
        settings->ended = 0;
    }

    ends = run->stmt && ngx_hyperdrive_session_settings_back_ends(s, run);

    if (run->stmt == NULL
        || (!run->stmt->plan.settings && !ends
            && (settings == NULL || !run->stmt->plan.transaction
                || !(ngx_hyperdrive_state_settings_dirty(&settings->state)
                     || settings->nchanges))))
    {
        return NGX_OK;
    }

    settings = ngx_hyperdrive_session_settings_get(s);

    if (settings == NULL) {
        return NGX_DECLINED;
    }

    settings->unit = s->outstanding + 1;

    text.data = run->stmt->text;
    text.len = run->stmt->len;

    ngx_memzero(&r, sizeof(ngx_hyperdrive_sql_set_reader_t));

    r.buf = buf;
    r.size = sizeof(buf);
    r.args = args;
    r.nargs = ngx_hyperdrive_session_settings_args(run, args, &r.binary);

    ngx_hyperdrive_sql_mode(run->stmt->mode, &mode);
    ngx_hyperdrive_sql_set_mask(&text, &mode, mask, sizeof(mask));

    ngx_hyperdrive_sql_set_begin(&r, &text, &mode);

    base = settings->statements;

    ngx_hyperdrive_session_settings_back_begin(run);

    for ( ;; ) {
        list = r.item;

        rc = ngx_hyperdrive_sql_set_next(&r, &set);

        if (rc == NGX_DONE) {
            return NGX_OK;
        }

        if (rc != NGX_OK) {
            return run->stmt->plan.settings ? NGX_DECLINED : NGX_OK;
        }

        if (set.change == NGX_HYPERDRIVE_SQL_SET_OTHER) {
            continue;
        }

        change = ngx_hyperdrive_session_settings_push(s, &set,
                                                      base + set.statement);
        if (change == NULL) {
            return NGX_DECLINED;
        }

        run->counts = 1;
        settings->statements = base + 1;

        /* one call of several, of which others may set it again? */

        at = (list || r.item) ? NGX_MAX_SIZE_T_VALUE
                              : (size_t) (r.behind - text.data);

        if (settings->state.base
            && ngx_hyperdrive_session_settings_back(s, run, change,
                                                    set.statement, at)
               != NGX_OK)
        {
            return NGX_DECLINED;
        }

        if (ends
            && ngx_hyperdrive_session_settings_back_again(s, run, change,
                                                          set.statement, at)
               != NGX_OK)
        {
            return NGX_DECLINED;
        }
    }
}


/* the parameters of a Bind, and which of them are binary */

static ngx_uint_t
ngx_hyperdrive_session_settings_args(ngx_hyperdrive_proto_run_t *run,
    ngx_str_t *args, uint64_t *binary)
{
    u_char      *p, *end;
    uint32_t     len;
    ngx_str_t    codes;
    ngx_uint_t   i, n, ncodes;

    if (run->args.data == NULL || run->cut) {
        return 0;
    }

    ncodes = 0;
    n = 0;
    ngx_str_null(&codes);

    end = run->args.data + run->args.len;

    p = ngx_hyperdrive_base_read_u16(run->args.data, end, &ncodes);

    if (p) {
        p = ngx_hyperdrive_base_read_bytes(p, end, 2 * ncodes, &codes);
    }

    p = ngx_hyperdrive_base_read_u16(p, end, &n);

    for (i = 0; p && i < n && i < NGX_HYPERDRIVE_SQL_SET_ARGS; i++) {
        p = ngx_hyperdrive_base_read_u32(p, end, &len);

        if (p == NULL) {
            return 0;
        }

        if (len == (uint32_t) -1) {
            ngx_str_null(&args[i]);
            continue;
        }

        p = ngx_hyperdrive_base_read_bytes(p, end, len, &args[i]);

        /* no format code: text; one: for all of them */

        if (ncodes == 1 ? codes.data[1] : i < ncodes && codes.data[2 * i + 1])
        {
            *binary |= (uint64_t) 1 << i;
        }
    }

    return p ? i : 0;
}


/* NULL: a bound, or no memory */

static ngx_hyperdrive_session_change_t *
ngx_hyperdrive_session_settings_push(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_sql_set_t *set, ngx_uint_t statement)
{
    u_char                             *p;
    ngx_hyperdrive_session_change_t    *change, **changes;
    ngx_hyperdrive_session_settings_t  *settings;

    settings = s->settings;

    if (settings->nchanges == NGX_HYPERDRIVE_SESSION_CHANGES) {
        return NULL;
    }

    if (settings->nchanges % 8 == 0) {
        changes = realloc(settings->changes,
                          (settings->nchanges + 8) * sizeof(change));
        if (changes == NULL) {
            return NULL;
        }

        settings->changes = changes;
    }

    /* names of tables may be looked for elsewhere behind it */
    s->plans_generation = 0;

    change = malloc(sizeof(ngx_hyperdrive_session_change_t) + set->name.len
                    + set->value.len);
    if (change == NULL) {
        return NULL;
    }

    change->change = ngx_hyperdrive_session_settings_changes[set->change];
    change->after = s->outstanding;
    change->statement = statement;
    change->back = NULL;
    change->sent = 0;
    change->apart = 0;

    p = (u_char *) (change + 1);

    change->name.data = p;
    change->name.len = set->name.len;
    p = ngx_cpymem(p, set->name.data, set->name.len);

    change->value.data = p;
    change->value.len = set->value.len;

    if (set->value.len) {
        ngx_memcpy(p, set->value.data, set->value.len);
    }

    settings->changes[settings->nchanges++] = change;

    if (change->change >= NGX_HYPERDRIVE_STATE_RESET_ALL
        || (settings->stays
            && ((set->name.len == sizeof("sql_mode") - 1
                 && ngx_memcmp(set->name.data, "sql_mode", set->name.len) == 0)
                || (set->name.len == sizeof("character_set_client") - 1
                    && ngx_memcmp(set->name.data, "character_set_client",
                                  set->name.len)
                       == 0)))
        || (set->name.len == sizeof("client_encoding") - 1
            && ngx_memcmp(set->name.data, "client_encoding", set->name.len)
               == 0)
        || (set->name.len == sizeof("standard_conforming_strings") - 1
            && ngx_memcmp(set->name.data, "standard_conforming_strings",
                          set->name.len)
               == 0))
    {
        if (change->change <= NGX_HYPERDRIVE_STATE_DISCARD_ALL) {
            settings->barrier = 1;

            /* what is prepared behind it in one group does not wait */

            s->conf->origin->proto->client_hold(s->wire,
                                                NGX_HYPERDRIVE_PROTO_MOVED);
        }
    }

    return change;
}


void
ngx_hyperdrive_session_settings_piece(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_piece_t *piece)
{
    ngx_hyperdrive_session_settings_t  *settings;

    settings = s->settings;

    if (piece->struck) {
        ngx_hyperdrive_session_settings_struck(settings, piece->struck);
    }

    if (piece->tag == NGX_HYPERDRIVE_SESSION_TAG_SETTINGS && piece->own) {
        ngx_hyperdrive_session_settings_answered(s, piece);
        return;
    }

    if (piece->own) {
        return;
    }

    settings->discarded |= (piece->discard == NGX_HYPERDRIVE_PROTO_DISCARD_ALL);

    switch (piece->type) {

    case NGX_HYPERDRIVE_PROTO_ROWS:

        if (piece->rollback) {
            ngx_hyperdrive_session_settings_rolled(settings);
        }

        settings->completed += (settings->stays ? piece->end : piece->counts);
        break;

    case NGX_HYPERDRIVE_PROTO_NOTICE:
        /* some of its rows, or none at all */
        settings->completed += piece->counts;
        break;

    case NGX_HYPERDRIVE_PROTO_ERROR:
        settings->error = 1;
        ngx_hyperdrive_session_settings_back_failed(s);
        break;

    case NGX_HYPERDRIVE_PROTO_READY:
        settings->dead = piece->dead;

        /* one less is outstanding */
        settings->unit -= ngx_min(settings->unit, 1);

        ngx_hyperdrive_session_settings_unit(s, piece->block);
        break;

    default:
        break;
    }
}


/* so many units behind the one that is being answered are not tried */

static void
ngx_hyperdrive_session_settings_struck(
    ngx_hyperdrive_session_settings_t *settings, ngx_uint_t struck)
{
    ngx_uint_t                        i;
    ngx_hyperdrive_session_change_t  *change;

    for (i = 0; i < settings->nchanges; i++) {
        change = settings->changes[i];

        if (change->after > struck) {
            change->after -= struck;

        } else if (change->after) {
            change->after = 0;
            change->statement = NGX_MAX_INT_T_VALUE;
        }
    }

    settings->unit -= ngx_min(settings->unit, struck);
}


/*
 * A statement has said ROLLBACK: was it a COMMIT, of a transaction that had
 * failed?  Another one of the same unit may have ROLLBACK TO before it.
 */

static void
ngx_hyperdrive_session_settings_rolled(
    ngx_hyperdrive_session_settings_t *settings)
{
    ngx_uint_t                        i;
    ngx_hyperdrive_session_change_t  *change;

    settings->rolled = 1;

    for (i = 0; i < settings->nchanges; i++) {

        change = settings->changes[i];

        if (change->after) {
            return;
        }

        if (change->change == NGX_HYPERDRIVE_STATE_COMMIT
            && change->statement == settings->completed)
        {
            change->change = NGX_HYPERDRIVE_STATE_ROLLBACK;
        }
    }
}


/* to what was sent alone, or apart from what it is behind */

static void
ngx_hyperdrive_session_settings_answered(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_piece_t *piece)
{
    ngx_hyperdrive_session_settings_t  *settings;

    settings = s->settings;

    if (piece->type != NGX_HYPERDRIVE_PROTO_ERROR) {
        return;
    }

    if (!settings->asked) {
        settings->missed = 1;
        ngx_hyperdrive_session_settings_back_failed(s);
        return;
    }

    settings->failed = 1;

    s->conf->origin->proto->error_text(piece, settings->said->sqlstate,
                                       settings->said->message,
                                       sizeof(settings->said->message));
}


/* a unit has been answered; <block>: a transaction goes on */

static void
ngx_hyperdrive_session_settings_unit(ngx_hyperdrive_session_t *s,
    ngx_uint_t block)
{
    ngx_int_t                           rc;
    ngx_uint_t                          i, n;
    ngx_hyperdrive_session_change_t    *change;
    ngx_hyperdrive_session_settings_t  *settings;

    settings = s->settings;

    rc = NGX_OK;

    if (!block && settings->parted) {
        /* the transaction that it began may have been rolled back */
        rc = ngx_hyperdrive_state_settings_tear(&settings->state,
                                                settings->parted);
    }

    for (n = 0; n < settings->nchanges; n++) {

        change = settings->changes[n];

        if (change->after) {
            break;
        }

        rc |= ngx_hyperdrive_session_settings_change(settings, change);
    }

    ngx_hyperdrive_session_settings_drop(settings, n);

    for (i = 0; i < settings->nchanges; i++) {
        settings->changes[i]->after--;
    }

    if (settings->stays) {
        block = 0;
        settings->unsure = settings->error;
        ngx_hyperdrive_state_settings_end(&settings->state, 1);

    } else if (!block) {
        settings->unsure = (settings->error || settings->rolled);
        ngx_hyperdrive_state_settings_end(&settings->state, !settings->error);

    } else {
        settings->inside = settings->aligned;
    }

    if (!block) {
        ngx_hyperdrive_state_bucket_unref(settings->parted);
        settings->parted = NULL;
    }

    if (n) {
        ngx_hyperdrive_session_settings_mode(s);
    }

    settings->error = 0;
    settings->rolled = 0;
    settings->discarded = 0;
    settings->missed = 0;
    settings->completed = 0;

    if (rc != NGX_OK) {
        ngx_hyperdrive_session_settings_unknown(s);
        ngx_hyperdrive_session_pin_setting(s);
        return;
    }

    if (!block && settings->nchanges == 0) {
        ngx_hyperdrive_session_settings_note(s);
    }
}


/* its unit has been answered */

static ngx_int_t
ngx_hyperdrive_session_settings_change(
    ngx_hyperdrive_session_settings_t *settings,
    ngx_hyperdrive_session_change_t *change)
{
    ngx_int_t                      rc;
    ngx_uint_t                     torn, done;
    ngx_hyperdrive_state_change_e  what;

    rc = NGX_OK;
    what = change->change;

    torn = !change->sent
           || ((settings->error || settings->missed)
               && ngx_hyperdrive_session_settings_back_parted(settings,
                                                              change));

    done = (what == NGX_HYPERDRIVE_STATE_DISCARD_ALL)
           ? settings->discarded : change->statement < settings->completed;

    if (settings->error && !done) {

        /* it has failed, or was not tried */

        torn = (torn && change->sent);

    } else {

        rc = ngx_hyperdrive_state_settings_change(&settings->state, what,
                                                  &change->name,
                                                  &change->value);

        if (what == NGX_HYPERDRIVE_STATE_SET
            && ngx_hyperdrive_session_settings_lent(settings, &change->name))
        {
            rc = NGX_ERROR;
        }
    }

    if (change->back && settings->discarded && !change->apart
        && what == NGX_HYPERDRIVE_STATE_DISCARD_ALL)
    {
        ngx_hyperdrive_state_bucket_unref(settings->parted);
        settings->parted = ngx_hyperdrive_state_bucket_ref(change->back);
    }

    if (torn) {
        rc |= ngx_hyperdrive_state_settings_tear(&settings->state,
                                                 change->back);
    }

    return rc;
}


/*
 * Set as another role, whose right to do so the user of the log-in may not
 * have: no other connection could be set to it.
 */

static ngx_uint_t
ngx_hyperdrive_session_settings_lent(
    ngx_hyperdrive_session_settings_t *settings, ngx_str_t *name)
{
    ngx_str_t  role, value;

    ngx_str_set(&role, "role");

    return ngx_hyperdrive_state_settings_find(&settings->state, &role, &value)
           == NGX_OK
           && !(value.len == 4 && ngx_memcmp(value.data, "none", 4) == 0)
           && ngx_hyperdrive_sql_set_privileged(name);
}


void
ngx_hyperdrive_session_settings_drop(
    ngx_hyperdrive_session_settings_t *settings, ngx_uint_t n)
{
    ngx_uint_t  i;

    if (n == 0) {
        return;
    }

    for (i = 0; i < n; i++) {
        ngx_hyperdrive_state_bucket_unref(settings->changes[i]->back);
        free(settings->changes[i]);
    }

    settings->nchanges -= n;

    ngx_memmove(settings->changes, settings->changes + n,
                settings->nchanges * sizeof(ngx_hyperdrive_session_change_t *));

    if (settings->nchanges == 0) {
        free(settings->changes);
        settings->changes = NULL;
    }
}


/* no transaction is open: what is the connection set to? */

static void
ngx_hyperdrive_session_settings_note(ngx_hyperdrive_session_t *s)
{
    u_char                             *p;
    ngx_int_t                           rc;
    ngx_hyperdrive_origin_t            *o;
    ngx_hyperdrive_state_bucket_t      *now;
    ngx_hyperdrive_state_setting_t      setting;
    ngx_hyperdrive_session_settings_t  *settings;

    o = s->origin;
    settings = s->settings;

    now = ngx_hyperdrive_state_bucket_ref(settings->state.committed);
    rc = NGX_OK;
    p = NULL;

    while (ngx_hyperdrive_state_bucket_next(settings->state.torn, &p, &setting)
           == NGX_OK)
    {
        rc |= ngx_hyperdrive_state_bucket_set(&now, &setting.name, NULL);
    }

    if (settings->aligned && settings->unsure) {
        rc |= ngx_hyperdrive_state_bucket_merge(&now, settings->before);
    }

    if (s->conf->settings_transaction
        && settings->state.committed != settings->state.base)
    {
        /* what was set has had its query; the connection shows it still */

        ngx_hyperdrive_state_bucket_unref(settings->state.committed);
        ngx_hyperdrive_state_bucket_unref(settings->state.now);

        settings->state.committed =
                       ngx_hyperdrive_state_bucket_ref(settings->state.base);
        settings->state.now =
                       ngx_hyperdrive_state_bucket_ref(settings->state.base);
    }

    ngx_hyperdrive_state_bucket_unref(settings->state.torn);
    settings->state.torn = NULL;

    ngx_hyperdrive_state_bucket_unref(settings->before);
    settings->before = NULL;

    settings->aligned = 0;
    settings->unsure = 0;

    if (rc != NGX_OK) {
        o->unknown = 1;
    }

    ngx_hyperdrive_state_bucket_unref(o->bucket);
    o->bucket = now;

    /* if it is not what the client believes, it is told so before it goes on */

    s->aligned = (now == settings->state.committed);

    s->conf->origin->proto->client_hold(s->wire,
                                        s->aligned ? NGX_HYPERDRIVE_PROTO_TELL
                                                   : NGX_HYPERDRIVE_PROTO_HOLD);
}


void
ngx_hyperdrive_session_settings_end(ngx_hyperdrive_session_t *s)
{
    ngx_hyperdrive_origin_t            *o;
    ngx_hyperdrive_session_settings_t  *settings;

    o = s->origin;
    settings = s->settings;

    s->aligned = 0;

    if (settings == NULL) {
        return;
    }

    if (settings->asked || settings->nchanges || settings->aligned
        || ngx_hyperdrive_state_settings_dirty(&settings->state))
    {
        /* it leaves in the middle of something */
        o->unknown = 1;
    }

    settings->asked = 0;
    settings->aligned = 0;
    settings->barrier = 0;
    settings->unsure = 0;
    settings->error = 0;
    settings->rolled = 0;
    settings->discarded = 0;
    settings->missed = 0;
    settings->completed = 0;
    settings->unit = 0;

    if (settings->nchanges) {
        ngx_hyperdrive_session_settings_drop(settings, settings->nchanges);
    }

    if (settings->before) {
        ngx_hyperdrive_state_bucket_unref(settings->before);
        settings->before = NULL;
    }

    if (settings->parted) {
        ngx_hyperdrive_state_bucket_unref(settings->parted);
        settings->parted = NULL;
    }

    if (settings->said && !settings->failed) {
        free(settings->said);
        settings->said = NULL;
    }

    if (s->wire) {
        s->conf->origin->proto->client_hold(s->wire,
                                            NGX_HYPERDRIVE_PROTO_TELL);
    }

    if (o->bucket && o->bucket->expires) {
        /* it would end while nobody uses it */
        o->net.connection->error = 1;
    }

    if (settings->state.base == NULL && settings->state.committed == NULL
        && settings->state.now == NULL && !settings->failed)
    {
        ngx_hyperdrive_session_settings_free(s);
    }
}


void
ngx_hyperdrive_session_settings_free(ngx_hyperdrive_session_t *s)
{
    ngx_hyperdrive_session_settings_t  *settings;

    settings = s->settings;

    if (settings == NULL) {
        return;
    }

    ngx_hyperdrive_session_settings_drop(settings, settings->nchanges);
    ngx_hyperdrive_state_bucket_unref(settings->before);
    ngx_hyperdrive_state_bucket_unref(settings->parted);
    ngx_hyperdrive_state_settings_free(&settings->state);

    free(settings->changes);
    free(settings->schema.data);
    free(settings->said);
    free(settings);

    s->settings = NULL;
}


void
ngx_hyperdrive_session_settings_unknown(ngx_hyperdrive_session_t *s)
{
    if (s->origin) {
        s->origin->unknown = 1;
    }
}
