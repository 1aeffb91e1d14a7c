
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session.h"
#include "session/ngx_hyperdrive_session_catalog.h"
#include "session/ngx_hyperdrive_session_plan.h"
#include "session/ngx_hyperdrive_session_write.h"
#include "sql/ngx_hyperdrive_sql.h"


/* how often the dead and the old are looked for, milliseconds */
#define NGX_HYPERDRIVE_SESSION_WRITE_WORK   200


static void ngx_hyperdrive_session_write_work(ngx_event_t *ev);
static ngx_uint_t ngx_hyperdrive_session_write_other(ngx_cycle_t *cycle);
static void ngx_hyperdrive_session_write_open(void);
static void ngx_hyperdrive_session_write_bodies(ngx_hyperdrive_session_t *s);
static void ngx_hyperdrive_session_write_plan(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_state_stmt_t *stmt);
static void ngx_hyperdrive_session_write_check(ngx_hyperdrive_session_t *s);
static void ngx_hyperdrive_session_write_note(
    ngx_hyperdrive_session_write_t *w,
    ngx_hyperdrive_cache_version_set_t *set);
static ngx_uint_t ngx_hyperdrive_session_write_noted(
    ngx_hyperdrive_session_write_t *w);
static ngx_uint_t ngx_hyperdrive_session_write_entered(
    ngx_hyperdrive_session_write_t *w);
static void ngx_hyperdrive_session_write_enter(
    ngx_hyperdrive_session_write_t *w);
static void ngx_hyperdrive_session_write_enter_all(
    ngx_hyperdrive_session_write_t *w);
static void ngx_hyperdrive_session_write_leave(
    ngx_hyperdrive_session_write_t *w, ngx_uint_t changed);
static ngx_uint_t ngx_hyperdrive_session_write_changed(
    ngx_hyperdrive_session_write_t *w, ngx_uint_t block);


static ngx_event_t       ngx_hyperdrive_session_write_event;

/* debug logging reads an event's connection */
static ngx_connection_t  ngx_hyperdrive_session_write_dummy;

static ngx_hyperdrive_cache_version_set_t
    ngx_hyperdrive_session_write_everything = {
    1, { NGX_HYPERDRIVE_CACHE_VERSION_EVERYTHING }
};


ngx_int_t
ngx_hyperdrive_session_write_init(ngx_cycle_t *cycle, ngx_array_t *confs)
{
    ngx_event_t  *ev;

    if (!ngx_hyperdrive_cache_version_on()) {
        return NGX_OK;
    }

    if (ngx_hyperdrive_cache_version_sit() != NGX_OK) {
        ngx_log_error(NGX_LOG_ALERT, cycle->log, 0,
                      "hyperdrive: too many processes have died lately, "
                      "what they wrote is not certain yet");
        return NGX_ERROR;
    }

    ngx_hyperdrive_session_outcome_init(confs);

    ev = &ngx_hyperdrive_session_write_event;

    ev->handler = ngx_hyperdrive_session_write_work;
    ev->data = &ngx_hyperdrive_session_write_dummy;
    ev->log = cycle->log;
    ev->cancelable = 1;

    ngx_add_timer(ev, NGX_HYPERDRIVE_SESSION_WRITE_WORK);

    ngx_hyperdrive_session_write_open();

    return NGX_OK;
}


void
ngx_hyperdrive_session_write_exit(void)
{
    if (ngx_hyperdrive_cache_version_on()) {
        ngx_hyperdrive_cache_version_stand();
    }
}


/* what is done now and then */

static void
ngx_hyperdrive_session_write_work(ngx_event_t *ev)
{
    ngx_hyperdrive_session_write_open();
    ngx_hyperdrive_session_outcome_dead();

    ngx_add_timer(ev, NGX_HYPERDRIVE_SESSION_WRITE_WORK);
}


/*
 * While a process lives that began before there were versions, nothing can be
 * kept: it does not tell of its writes.  Nor does one of another binary, which
 * shares no memory with us, while nginx is upgraded.
 */

static void
ngx_hyperdrive_session_write_open(void)
{
    ngx_uint_t  i, first;
    ngx_pid_t   pid;

    if (ngx_hyperdrive_session_write_other((ngx_cycle_t *) ngx_cycle)) {

        if (ngx_hyperdrive_cache_version_is_open()) {
            ngx_hyperdrive_cache_version_close();
        }

        return;
    }

    if (ngx_hyperdrive_cache_version_is_open()) {
        return;
    }

    first = ngx_hyperdrive_cache_version_generation();

    for (i = 0; i < NGX_HYPERDRIVE_SLOTS; i++) {

        if (ngx_hyperdrive_shm_slot_pid(i, &pid) == NGX_OK
            && ngx_hyperdrive_shm_slot_generation(i) < first
            && ngx_hyperdrive_shm_slot_alive(i))
        {
            return;
        }
    }

    ngx_hyperdrive_cache_version_open();
}


/*
 * There is another binary, older or newer: nginx has renamed the older one's
 * pid file before it has started the newer one.
 */

static ngx_uint_t
ngx_hyperdrive_session_write_other(ngx_cycle_t *cycle)
{
    u_char            buf[NGX_INT64_LEN + 2];
    ssize_t           n;
    ngx_fd_t          fd;
    ngx_int_t         pid;
    ngx_core_conf_t  *ccf;

    ccf = (ngx_core_conf_t *) ngx_get_conf(cycle->conf_ctx, ngx_core_module);

    fd = ngx_open_file(ccf->oldpid.data, NGX_FILE_RDONLY, NGX_FILE_OPEN, 0);

    if (fd == NGX_INVALID_FILE) {
        return 0;
    }

    n = ngx_read_fd(fd, buf, sizeof(buf));

    (void) ngx_close_file(fd);

    while (n > 0 && (buf[n - 1] == LF || buf[n - 1] == CR)) {
        n--;
    }

    pid = (n > 0) ? ngx_atoi(buf, n) : NGX_ERROR;

    return pid > 0 && (kill(pid, 0) == 0 || ngx_errno == NGX_EPERM);
}


void
ngx_hyperdrive_session_write_begin(ngx_cycle_t *cycle)
{
    if (ngx_inherited && ngx_hyperdrive_session_write_other(cycle)) {

        /* its workers have seen us before ours serve anybody */

        ngx_msleep(3 * NGX_HYPERDRIVE_SESSION_WRITE_WORK);
    }
}


/* a statement may be told twice, which makes us more careful, no more */

void
ngx_hyperdrive_session_write_run(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_run_t *run)
{
    ngx_hyperdrive_state_stmt_t     *stmt;
    ngx_hyperdrive_session_write_t  *w;

    if (run->named && s->bodies == NULL) {
        /* there is no such statement */
        return;
    }

    w = &s->write;

    stmt = run->stmt;

    if (stmt && stmt->plan.kind == NGX_HYPERDRIVE_SQL_BEGIN
        && stmt->plan.single && !w->begin && !w->commit && !w->rollback
        && !w->loose && !w->block && !ngx_hyperdrive_session_write_noted(w))
    {
        w->begin = 1;

    } else if (stmt && stmt->plan.commits && !w->sent) {
        w->commit = 1;

    } else if (stmt && stmt->plan.rolls_back && !w->sent) {
        w->rollback = 1;

    } else if (stmt == NULL || !stmt->plan.plain) {
        w->loose = 1;
    }

    w->more = w->sent;
    w->sent = 1;

    if (run->args.data && (w->commit || w->rollback || w->loose)) {
        w->portal = 1;
    }

    if ((run->named || (stmt && stmt->plan.executes)) && s->bodies) {
        ngx_hyperdrive_session_write_bodies(s);
        return;
    }

    ngx_hyperdrive_session_write_plan(s, stmt);
}


/* it is one of those that SQL has prepared */

static void
ngx_hyperdrive_session_write_bodies(ngx_hyperdrive_session_t *s)
{
    ngx_int_t                     rc;
    ngx_uint_t                    i;
    ngx_hyperdrive_state_stmt_t  *body;

    for (i = 0; /* void */ ; i++) {
        rc = ngx_hyperdrive_session_bodies(s, i, &body);

        if (rc == NGX_DONE) {
            return;
        }

        if (rc == NGX_DECLINED) {
            ngx_hyperdrive_session_write_plan(s, NULL);
            return;
        }

        ngx_hyperdrive_session_write_plan(s, body);
    }
}


static void
ngx_hyperdrive_session_write_plan(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_state_stmt_t *stmt)
{
    ngx_hyperdrive_session_plan_t  *plan;

    plan = ngx_hyperdrive_session_plan(s, stmt);

    if (plan->writes.n) {

        /* in MySQL there are tables that know no transaction */
        s->write.loose |= plan->instant;

        ngx_hyperdrive_session_write_check(s);
        ngx_hyperdrive_session_write_note(&s->write, &plan->writes);
    }
}


/*
 * What is noted is what the catalog told that was in force then.  If it is
 * not any more, a statement may have waited for a change of it, and have
 * written to other tables.
 */

static void
ngx_hyperdrive_session_write_check(ngx_hyperdrive_session_t *s)
{
    uint64_t                           generation;
    ngx_hyperdrive_session_write_t    *w;
    ngx_hyperdrive_session_catalog_t  *cat;

    w = &s->write;

    generation = 0;
    cat = ngx_hyperdrive_session_catalog(s);

    if (cat && ngx_hyperdrive_session_catalog_get(cat, &generation) == NULL) {
        generation = 0;
    }

    if (w->tables == NULL || w->tables->noted.n == 0) {
        w->generation = generation;

    } else if (w->generation && w->generation != generation) {
        w->noted = 1;
    }
}


static void
ngx_hyperdrive_session_write_note(ngx_hyperdrive_session_write_t *w,
    ngx_hyperdrive_cache_version_set_t *set)
{
    if (w->noted) {
        return;
    }

    if (set->numbers[0] == NGX_HYPERDRIVE_CACHE_VERSION_EVERYTHING) {
        w->noted = 1;
        return;
    }

    if (w->tables == NULL) {
        w->tables = calloc(1, sizeof(ngx_hyperdrive_session_write_tables_t));
    }

    /* no memory, or too many to be told apart */

    if (w->tables == NULL
        || ngx_hyperdrive_cache_version_join(&w->tables->noted, set) != NGX_OK)
    {
        w->noted = 1;
    }
}


static ngx_uint_t
ngx_hyperdrive_session_write_noted(ngx_hyperdrive_session_write_t *w)
{
    return w->noted || (w->tables && w->tables->noted.n);
}


static ngx_uint_t
ngx_hyperdrive_session_write_entered(ngx_hyperdrive_session_write_t *w)
{
    return w->entered || (w->tables && w->tables->entered.n);
}


/*
 * Nothing that may commit gets to the kernel before others are kept off.
 * Inside a block, where nothing that is outstanding may end it, it can wait.
 */

void
ngx_hyperdrive_session_write_send(ngx_hyperdrive_session_t *s)
{
    ngx_hyperdrive_session_write_t  *w;

    w = &s->write;

    if (!ngx_hyperdrive_session_write_noted(w)
        || (w->block && !w->commit && !w->loose && !w->held
            && (!w->rollback || !w->more)))
    {
        return;
    }

    ngx_hyperdrive_session_write_check(s);

    if (!w->marked) {
        w->marked = 1;
        w->mark = ngx_hyperdrive_session_outcome_mark(s->origin);
    }

    ngx_hyperdrive_session_write_enter(w);
}


static void
ngx_hyperdrive_session_write_enter(ngx_hyperdrive_session_write_t *w)
{
    ngx_uint_t                           i, n;
    ngx_hyperdrive_cache_version_set_t  *noted, *entered, more;

    if (w->entered) {
        return;
    }

    if (w->noted) {
        ngx_hyperdrive_session_write_enter_all(w);
        return;
    }

    noted = &w->tables->noted;
    entered = &w->tables->entered;

    more.n = 0;

    for (i = 0; i < noted->n; i++) {

        n = entered->n;

        if (ngx_hyperdrive_cache_version_add(entered, noted->numbers[i])
            != NGX_OK)
        {
            ngx_hyperdrive_session_write_enter_all(w);
            break;
        }

        if (entered->n != n) {
            more.numbers[more.n++] = noted->numbers[i];
        }
    }

    if (more.n) {
        ngx_hyperdrive_cache_version_enter(&more);
    }
}


static void
ngx_hyperdrive_session_write_enter_all(ngx_hyperdrive_session_write_t *w)
{
    w->entered = 1;

    ngx_hyperdrive_cache_version_enter(
                                    &ngx_hyperdrive_session_write_everything);
}


static void
ngx_hyperdrive_session_write_leave(ngx_hyperdrive_session_write_t *w,
    ngx_uint_t changed)
{
    ngx_hyperdrive_session_write_over(w->tables, w->entered, changed);

    w->entered = 0;

    if (w->marked) {
        w->marked = 0;
        ngx_hyperdrive_cache_version_unmark(w->mark);
    }
}


void
ngx_hyperdrive_session_write_over(
    ngx_hyperdrive_session_write_tables_t *tables, ngx_uint_t everything,
    ngx_uint_t changed)
{
    if (tables && tables->entered.n) {
        ngx_hyperdrive_cache_version_leave(&tables->entered, changed);
        tables->entered.n = 0;
    }

    if (everything) {
        ngx_hyperdrive_cache_version_leave(
                           &ngx_hyperdrive_session_write_everything, changed);
    }
}


void
ngx_hyperdrive_session_write_piece(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_piece_t *piece)
{
    ngx_uint_t                       changed;
    ngx_hyperdrive_session_write_t  *w;

    w = &s->write;

    switch (piece->type) {

    case NGX_HYPERDRIVE_PROTO_ROWS:
        w->rolled |= piece->rollback;
        return;

    case NGX_HYPERDRIVE_PROTO_ERROR:
        /* an error in a request of our own says nothing of the client's */
        w->failed |= (piece->tag == 0);
        return;

    case NGX_HYPERDRIVE_PROTO_READY:
        break;

    default:
        return;
    }

    if ((!piece->trailed
         && !s->conf->origin->proto->origin_settled(s->origin->wire))
        || s->pin.hidden)
    {
        /*
         * Others stay off until nothing is outstanding, or the connection is
         * closed, if it does not tell what is.
         */

        w->partly |= (piece->tag == 0);
        return;
    }

    if (ngx_hyperdrive_session_write_entered(w)) {

        changed = ngx_hyperdrive_session_write_changed(w, piece->block);

        if (changed) {
            ngx_hyperdrive_session_write_check(s);
            ngx_hyperdrive_session_write_enter(w);
        }

        ngx_hyperdrive_session_write_leave(w, changed);
    }

    w->block = piece->block;

    if (w->block) {

        /* a portal that ends the block may wait to be executed */

        w->held |= w->portal;

    } else {

        /* whatever was written is committed, or is not any more */

        w->noted = 0;
        w->held = 0;

        if (w->tables) {
            w->tables->noted.n = 0;
        }
    }

    w->sent = 0;
    w->more = 0;
    w->begin = 0;
    w->commit = 0;
    w->rollback = 0;
    w->loose = 0;
    w->portal = 0;
    w->partly = 0;
    w->failed = 0;
    w->rolled = 0;
}


/*
 * All has been answered, and a block is open, or not: 0 if that proves that
 * nothing was committed.
 */

static ngx_uint_t
ngx_hyperdrive_session_write_changed(ngx_hyperdrive_session_write_t *w,
    ngx_uint_t block)
{
    if (w->loose || w->held || w->rollback) {
        return 1;
    }

    if (w->begin) {

        /* it has begun the block that is open: all writes were inside */

        return !block;
    }

    if (w->commit) {

        /* of a transaction that had failed */

        return !w->block || w->more || !w->rolled;
    }

    /* one unit, that a single transaction was made for, which failed */

    return w->block || w->partly || !w->failed;
}


/* the session parts with its origin, which may have more to do */

void
ngx_hyperdrive_session_write_end(ngx_hyperdrive_session_t *s)
{
    ngx_hyperdrive_session_write_t  *w;

    w = &s->write;

    /* what was not told as sent may be sent yet */

    ngx_hyperdrive_session_write_send(s);

    if (ngx_hyperdrive_session_write_entered(w)) {
        ngx_hyperdrive_session_outcome_watch(s->origin, w);
    }

    free(w->tables);

    ngx_memzero(w, sizeof(ngx_hyperdrive_session_write_t));
}
