
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session_diag.h"
#include "session/ngx_hyperdrive_session_held.h"
#include "session/ngx_hyperdrive_session_plan.h"
#include "session/ngx_hyperdrive_session_policy.h"
#include "sql/ngx_hyperdrive_sql.h"


/*
 * What a client leaves in its session of the database is its own: it keeps the
 * connection as long as something is there.  A statement's text says that
 * there may be something; that there is, and that there is nothing any more,
 * the database says, which is asked behind the reply.  What it cannot be asked
 * for stays until a DISCARD, or until the client leaves.
 */


/* the two rooms name the same by the same bit */

#if (NGX_HYPERDRIVE_SQL_LEAVES_LISTEN != NGX_HYPERDRIVE_STATE_PIN_LISTEN      \
     || NGX_HYPERDRIVE_SQL_LEAVES_LOCK != NGX_HYPERDRIVE_STATE_PIN_LOCK       \
     || NGX_HYPERDRIVE_SQL_LEAVES_TEMPORARY                                   \
        != NGX_HYPERDRIVE_STATE_PIN_TEMPORARY                                 \
     || NGX_HYPERDRIVE_SQL_LEAVES_CURSOR != NGX_HYPERDRIVE_STATE_PIN_CURSOR   \
     || NGX_HYPERDRIVE_SQL_LEAVES_PREPARED                                    \
        != NGX_HYPERDRIVE_STATE_PIN_PREPARED                                  \
     || NGX_HYPERDRIVE_SQL_LEAVES_SETTING != NGX_HYPERDRIVE_STATE_PIN_SETTING \
     || NGX_HYPERDRIVE_SQL_LEAVES_LIBRARY != NGX_HYPERDRIVE_STATE_PIN_LIBRARY \
     || NGX_HYPERDRIVE_SQL_LEAVES_SEED != NGX_HYPERDRIVE_STATE_PIN_SEED       \
     || NGX_HYPERDRIVE_SQL_LEAVES_SEQUENCE                                    \
        != NGX_HYPERDRIVE_STATE_PIN_SEQUENCE                                  \
     || NGX_HYPERDRIVE_SQL_LEAVES_FUNCTION                                    \
        != NGX_HYPERDRIVE_STATE_PIN_FUNCTION                                  \
     || NGX_HYPERDRIVE_SQL_LEAVES_CALL != NGX_HYPERDRIVE_STATE_PIN_CALL       \
     || NGX_HYPERDRIVE_SQL_LEAVES_VARIABLE                                    \
        != NGX_HYPERDRIVE_STATE_PIN_VARIABLE                                  \
     || NGX_HYPERDRIVE_SQL_LEAVES_TABLES != NGX_HYPERDRIVE_STATE_PIN_TABLES   \
     || NGX_HYPERDRIVE_SQL_LEAVES_XA != NGX_HYPERDRIVE_STATE_PIN_XA)
#error "_SQL_LEAVES_ and _STATE_PIN_ differ"
#endif


static ngx_uint_t ngx_hyperdrive_session_pin_leaves(
    ngx_hyperdrive_session_t *s, ngx_hyperdrive_state_stmt_t *stmt);
static ngx_uint_t ngx_hyperdrive_session_pin_bodies(
    ngx_hyperdrive_session_t *s);
static ngx_uint_t ngx_hyperdrive_session_pin_rejects(
    ngx_hyperdrive_session_t *s, ngx_uint_t leaves);
static ngx_uint_t ngx_hyperdrive_session_pin_taken(
    ngx_hyperdrive_session_t *s);
static ngx_uint_t ngx_hyperdrive_session_pin_max(ngx_hyperdrive_session_t *s);
static void ngx_hyperdrive_session_pin_why(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_pin_refused_e why,
    ngx_hyperdrive_proto_error_t *err);
static void ngx_hyperdrive_session_pin_begin(ngx_hyperdrive_session_t *s,
    ngx_uint_t leaves);
static void ngx_hyperdrive_session_pin_set(ngx_hyperdrive_session_t *s,
    ngx_uint_t causes);
static void ngx_hyperdrive_session_pin_found(ngx_hyperdrive_session_t *s);
static void ngx_hyperdrive_session_pin_left(ngx_hyperdrive_session_t *s,
    ngx_uint_t causes);
static void ngx_hyperdrive_session_pin_keep(ngx_hyperdrive_session_t *s,
    ngx_uint_t causes);


/*
 * The unit in s->unit would pin the session, which may not be: <err>.  Only
 * as long as an error may be made up.
 */

ngx_uint_t
ngx_hyperdrive_session_pin_refuses(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_error_t *err)
{
    ngx_uint_t                    leaves, full;
    ngx_hyperdrive_state_stmt_t  *stmt;

    stmt = s->unit.stmt;

    if (s->unit.replication && !s->conf->replication) {
        ngx_hyperdrive_session_pin_why(s,
                                       NGX_HYPERDRIVE_SESSION_PIN_REPLICATION,
                                       err);
        return 1;
    }

    if (s->unit.replication && !s->pinned
        && ngx_hyperdrive_session_pin_taken(s)
           >= ngx_hyperdrive_session_pin_max(s))
    {
        ngx_hyperdrive_session_pin_why(s, NGX_HYPERDRIVE_SESSION_PIN_TOO_MANY,
                                       err);
        return 1;
    }

    if (stmt == NULL
        || (!stmt->plan.stateful && !stmt->plan.may_write
            && !ngx_hyperdrive_session_policy(s, stmt)->pin))
    {
        return 0;
    }

    full = (ngx_hyperdrive_session_pin_taken(s)
            >= ngx_hyperdrive_session_pin_max(s));

    if (!full && !s->conf->state_reject) {
        return 0;
    }

    leaves = ngx_hyperdrive_session_pin_leaves(s, stmt);

    if (leaves == 0) {
        return 0;
    }

    if (ngx_hyperdrive_session_pin_rejects(s, leaves)) {
        ngx_hyperdrive_session_pin_why(s, NGX_HYPERDRIVE_SESSION_PIN_REJECTED,
                                       err);
        return 1;
    }

    if (full) {
        ngx_hyperdrive_session_pin_why(s, NGX_HYPERDRIVE_SESSION_PIN_TOO_MANY,
                                       err);
        return 1;
    }

    return 0;
}


/*
 * The unit that was forwarded, and not yet sent, may not run, but no error may
 * be made up: it is not the first in its block or group, or has more than one
 * statement.
 */

void
ngx_hyperdrive_session_pin_end_refused(ngx_hyperdrive_session_t *s)
{
    ngx_hyperdrive_proto_error_t  err;

    ngx_hyperdrive_session_pin_why(s, s->pin.refused, &err);

    ngx_hyperdrive_session_fatal(s, err.sqlstate, err.message);
}


void
ngx_hyperdrive_session_pin_run(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_run_t *run)
{
    ngx_uint_t                    leaves, was;
    ngx_hyperdrive_state_stmt_t  *stmt;

    stmt = run->stmt;
    was = s->pin.causes;

    if (run->named) {

        if (!s->pinned) {
            /* there is no such statement */
            return;
        }

        leaves = ngx_hyperdrive_session_pin_bodies(s);

    } else if (run->prepares) {
        leaves = NGX_HYPERDRIVE_STATE_PIN_PREPARED;

    } else if (stmt && !stmt->plan.stateful && !stmt->plan.may_write
               && !s->pinned
               && !ngx_hyperdrive_session_policy(s, stmt)->pin)
    {
        return;

    } else {
        leaves = ngx_hyperdrive_session_pin_leaves(s, stmt);
    }

    ngx_hyperdrive_session_sequence_run(s, run, leaves);

    if (leaves & NGX_HYPERDRIVE_STATE_PIN_PREPARED) {
        ngx_hyperdrive_session_bodies_prepare(s, stmt);

    } else if (leaves & NGX_HYPERDRIVE_STATE_PIN_CODE) {
        ngx_hyperdrive_session_bodies_unknown(s);
    }

    if (leaves) {
        ngx_hyperdrive_session_pin_begin(s, leaves);
    }

    if (!s->pinned) {
        return;
    }

    if (stmt && !run->prepares) {
        s->pin.hidden |= (stmt->plan.hides == NGX_HYPERDRIVE_STATE_HIDES_ONE);
        s->pin.unread |= (stmt->plan.hides
                          == NGX_HYPERDRIVE_STATE_HIDES_UNREAD);
    }

    if (leaves || (stmt ? stmt->plan.ends : !run->named)) {
        s->pin.check = 1;

        if (s->conf->origin->proto->numbers) {
            ngx_hyperdrive_session_held_run(s, run, leaves, was);
        }
    }

    if (stmt && stmt->plan.discard && s->pin.runs == 0) {
        s->pin.discard = 1;
    }

    s->pin.runs = 1;
}


/* what the database thinks of it, and of whom, goes with the connection only */

void
ngx_hyperdrive_session_pin_replication(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_run_t *run)
{
    if (!s->conf->replication) {
        s->pin.refused = NGX_HYPERDRIVE_SESSION_PIN_REPLICATION;
        return;
    }

    ngx_hyperdrive_session_pin_begin(s, NGX_HYPERDRIVE_STATE_PIN_REPLICATION);

    s->pin.endless = run->endless;
}


void
ngx_hyperdrive_session_pin_setting(ngx_hyperdrive_session_t *s)
{
    ngx_hyperdrive_session_pin_begin(s, NGX_HYPERDRIVE_STATE_PIN_SETTING);

    s->pin.check = 1;
    s->pin.runs = 1;
}


void
ngx_hyperdrive_session_pin_astray(ngx_hyperdrive_session_t *s)
{
    s->pin.astray = 1;

    if (!s->pinned && !s->conf->state_reject
        && ngx_hyperdrive_session_pin_taken(s)
           < ngx_hyperdrive_session_pin_max(s))
    {
        ngx_hyperdrive_session_pin_begin(s, NGX_HYPERDRIVE_STATE_PIN_FUNCTION);
    }
}


void
ngx_hyperdrive_session_pin_changed(ngx_hyperdrive_session_t *s)
{
    if (s->pin.reads) {
        return;
    }

    /* the client goes on with it, nobody else does */

    s->pin.all = 1;

    if (!s->pinned && !s->conf->state_reject
        && ngx_hyperdrive_session_pin_taken(s)
           < ngx_hyperdrive_session_pin_max(s))
    {
        ngx_hyperdrive_session_pin_begin(s, NGX_HYPERDRIVE_STATE_PIN_FUNCTION);
    }
}


/* what <stmt> may leave that is kept for the client */

static ngx_uint_t
ngx_hyperdrive_session_pin_leaves(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_state_stmt_t *stmt)
{
    ngx_uint_t  leaves;

    leaves = ngx_hyperdrive_session_policy(s, stmt)->pin
             ? NGX_HYPERDRIVE_STATE_PIN_POLICY : 0;

    if (stmt == NULL) {
        return leaves | NGX_HYPERDRIVE_STATE_PIN_UNREAD;
    }

    if (stmt->plan.executes) {
        return leaves | ngx_hyperdrive_session_pin_bodies(s);
    }

    if (stmt->plan.stateful
        && stmt->plan.leaves != NGX_HYPERDRIVE_STATE_PIN_FUNCTION)
    {
        return leaves | stmt->plan.leaves;
    }

    if (!stmt->plan.stateful && !stmt->plan.may_write) {
        return leaves;
    }

    /* what functions do, called here or by triggers, the catalog may know */

    return ngx_hyperdrive_session_plan(s, stmt)->stateful
           ? leaves | NGX_HYPERDRIVE_STATE_PIN_FUNCTION : leaves;
}


/* ...that SQL has prepared */

static ngx_uint_t
ngx_hyperdrive_session_pin_bodies(ngx_hyperdrive_session_t *s)
{
    ngx_int_t                     rc;
    ngx_uint_t                    i, leaves;
    ngx_hyperdrive_state_stmt_t  *body;

    if (s->bodies == NULL) {
        /* it has to fail */
        return 0;
    }

    leaves = 0;

    for (i = 0; /* void */ ; i++) {
        rc = ngx_hyperdrive_session_bodies(s, i, &body);

        if (rc == NGX_DONE) {
            return leaves;
        }

        if (rc == NGX_DECLINED) {
            return NGX_HYPERDRIVE_STATE_PIN_FUNCTION;
        }

        leaves |= ngx_hyperdrive_session_pin_leaves(s, body);
    }
}


/* code that cannot be read may run, unless it would have to be kept for */

static ngx_uint_t
ngx_hyperdrive_session_pin_rejects(ngx_hyperdrive_session_t *s,
    ngx_uint_t leaves)
{
    if (!s->conf->state_reject) {
        return 0;
    }

    if (!s->conf->unread_pin) {
        leaves &= ~NGX_HYPERDRIVE_STATE_PIN_CODE;
    }

    /*
     * The operator's own wish is no fault of the client's; and replication is
     * no state that is left, but what the connection is for.
     */

    return (leaves & ~(NGX_HYPERDRIVE_STATE_PIN_POLICY
                       |NGX_HYPERDRIVE_STATE_PIN_REPLICATION))
           != 0;
}


/* sessions of all workers that keep a connection */

static ngx_uint_t
ngx_hyperdrive_session_pin_taken(ngx_hyperdrive_session_t *s)
{
    return ngx_hyperdrive_shm_counters_sum(s->conf->origin->limit,
                            offsetof(ngx_hyperdrive_shm_counters_t, pinned));
}


static ngx_uint_t
ngx_hyperdrive_session_pin_max(ngx_hyperdrive_session_t *s)
{
    if (s->conf->pins) {
        return s->conf->pins;
    }

    /* one is left for all others, if there is more than one */

    return (s->conf->origin->max > 1) ? s->conf->origin->max - 1 : 1;
}


static void
ngx_hyperdrive_session_pin_why(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_pin_refused_e why,
    ngx_hyperdrive_proto_error_t *err)
{
    if (why == NGX_HYPERDRIVE_SESSION_PIN_POLICY) {
        s->conf->origin->counters->policy_rejected++;
        ngx_hyperdrive_session_policy_why(s, err);
        return;
    }

    err->severity = "ERROR";

    if (why == NGX_HYPERDRIVE_SESSION_PIN_REJECTED) {
        err->sqlstate = "0A000";
        err->message = "this statement leaves something in the session, which "
                       "is not allowed here";
        err->hint = "See the \"hyperdrive_session_state\" directive.";
        return;
    }

    if (why == NGX_HYPERDRIVE_SESSION_PIN_REPLICATION) {
        err->sqlstate = "42501";
        err->message = "replication is not allowed here";
        err->hint = "See the \"hyperdrive_replication\" directive.";
        return;
    }

    err->sqlstate = "53300";
    err->message = "too many clients keep a connection to the database for "
                   "what they have left in its session";
    err->hint = "See \"max\" of the \"hyperdrive_session_state\" directive.";
}


/* from now on the connection is this client's own */

static void
ngx_hyperdrive_session_pin_begin(ngx_hyperdrive_session_t *s,
    ngx_uint_t leaves)
{
    ngx_uint_t                     i, new;
    ngx_hyperdrive_shm_counters_t *counters;

    counters = s->conf->origin->counters;

    if (ngx_hyperdrive_session_pin_rejects(s, leaves)) {
        s->pin.refused = NGX_HYPERDRIVE_SESSION_PIN_REJECTED;
        return;
    }

    if (!s->pinned) {

        /* counted first: of two at a time, both may be refused */

        counters->pinned++;

        if (!s->pin.allowed
            && ngx_hyperdrive_session_pin_taken(s)
               > ngx_hyperdrive_session_pin_max(s))
        {
            counters->pinned--;
            s->pin.refused = NGX_HYPERDRIVE_SESSION_PIN_TOO_MANY;
            return;
        }

        counters->pinned_total++;
        s->pinned = 1;
    }

    if (leaves & NGX_HYPERDRIVE_STATE_PIN_SETTING) {
        s->pin.set = 1;
    }

    new = leaves & ~s->pin.causes;

    for (i = 0; new; i++, new >>= 1) {
        counters->pins_total[i] += new & 1;
    }

    ngx_hyperdrive_session_pin_set(s, s->pin.causes | leaves);
}


static void
ngx_hyperdrive_session_pin_set(ngx_hyperdrive_session_t *s, ngx_uint_t causes)
{
    ngx_uint_t                     i, was, is;
    ngx_hyperdrive_shm_counters_t *counters;

    counters = s->conf->origin->counters;

    was = s->pin.causes;
    is = causes;

    for (i = 0; was | is; i++, was >>= 1, is >>= 1) {
        counters->pins[i] += (is & 1) - (was & 1);
    }

    s->pin.causes = causes;
}


/* all that was sent has been answered: has anything changed? */

void
ngx_hyperdrive_session_pin_settled(ngx_hyperdrive_session_t *s)
{
    ngx_uint_t                pins;
    ngx_hyperdrive_proto_t   *proto;
    ngx_hyperdrive_origin_t  *o;

    s->pin.endless = 0;

    if (!s->pinned) {
        return;
    }

    o = s->origin;
    proto = s->conf->origin->proto;

    s->pin.runs = 0;
    s->pin.discard = 0;

    if (!(s->pin.asking ? ngx_hyperdrive_session_held_later(s) : s->pin.check)
        || s->streaming
        || !proto->origin_idle(o->wire)
        || (s->diag && ngx_hyperdrive_session_diag_save(s) == NGX_AGAIN))
    {
        return;
    }

    if (s->pin.asking) {

        if (ngx_hyperdrive_session_held_more(s) != NGX_OK) {
            s->pin.asking = 0;
            ngx_hyperdrive_session_pin_left(s, s->pin.found);
        }

        return;
    }

    s->pin.check = 0;
    s->pin.found = 0;
    s->pin.answered = 0;

    if (proto->numbers) {

        if (ngx_hyperdrive_session_held_ask(s) == NGX_OK) {
            s->pin.asking = 1;

        } else {
            ngx_hyperdrive_session_pin_left(s, s->pin.found);
        }

        return;
    }

    pins = s->pin.causes & NGX_HYPERDRIVE_STATE_PIN_VISIBLE;

    if (s->pin.set) {
        pins &= ~NGX_HYPERDRIVE_STATE_PIN_SETTING;
    }

    if (s->pin.causes & NGX_HYPERDRIVE_STATE_PIN_CODE) {
        pins = NGX_HYPERDRIVE_STATE_PIN_VISIBLE;
    }

    if (o->bucket && !s->pin.set) {

        /* there are settings, which are known: others are taken away */

        pins &= ~NGX_HYPERDRIVE_STATE_PIN_SETTING;
        s->pin.unseen = 1;
    }

    if (pins == 0) {
        ngx_hyperdrive_session_pin_found(s);
        return;
    }

    if (proto->origin_probe(o->wire, pins, NGX_HYPERDRIVE_SESSION_TAG_PIN,
                            &o->net.out)
        == NGX_OK)
    {
        s->pin.asking = 1;
        (void) ngx_hyperdrive_session_send(s);
    }
}


void
ngx_hyperdrive_session_pin_piece(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_piece_t *piece)
{
    ngx_uint_t  found, gone;

    if (piece->refused) {

        /* it has not begun: there may be other causes */

        s->pin.endless = 0;

        ngx_hyperdrive_session_pin_keep(s, s->pin.causes
                                     & ~NGX_HYPERDRIVE_STATE_PIN_REPLICATION);
        return;
    }

    s->pin.hidden |= (piece->off && s->pin.unread);

    ngx_hyperdrive_session_held_piece(s, piece);

    switch (ngx_hyperdrive_session_held_answer(s, piece)) {

    case NGX_OK:
        s->pin.asking = 0;
        ngx_hyperdrive_session_pin_left(s, s->pin.found);
        return;

    case NGX_AGAIN:
        return;

    default: /* NGX_DECLINED */
        break;
    }

    if (piece->tag == NGX_HYPERDRIVE_SESSION_TAG_PIN) {

        if (piece->type == NGX_HYPERDRIVE_PROTO_ROWS) {
            found = s->conf->origin->proto->probe_row(piece->data, piece->len);

            if (found != NGX_HYPERDRIVE_PROTO_NO_ROW) {
                s->pin.found = found;
                s->pin.answered = 1;
            }

        } else if (piece->type == NGX_HYPERDRIVE_PROTO_READY) {
            s->pin.asking = 0;

            /* without an answer, as by a statement_timeout, all stays */

            if (s->pin.answered) {
                ngx_hyperdrive_session_pin_found(s);
            }
        }

        return;
    }

    if (piece->discard == NGX_HYPERDRIVE_PROTO_DISCARD_SESSION) {

        /* whatever it was, unless a replica cannot be anything else again */

        s->pin.set = 0;
        s->pin.close = 0;
        s->pin.check = 0;
        s->pin.asking = 0;

        ngx_hyperdrive_session_held_free(s);
        ngx_hyperdrive_session_pin_keep(s, s->pin.causes
                                      & NGX_HYPERDRIVE_STATE_PIN_REPLICATION);
        return;
    }

    if (piece->discard && s->pin.discard) {

        /* it was all that the client has sent: what is unseen is gone */

        s->pin.discard = 0;

        gone = NGX_HYPERDRIVE_STATE_PIN_SEQUENCE;

        if (piece->discard == NGX_HYPERDRIVE_PROTO_DISCARD_ALL) {
            gone |= NGX_HYPERDRIVE_STATE_PIN_SETTING
                    | NGX_HYPERDRIVE_STATE_PIN_POLICY
                    | NGX_HYPERDRIVE_STATE_PIN_SEED
                    | NGX_HYPERDRIVE_STATE_PIN_CODE;
            s->pin.close |= s->pin.set;
            s->pin.set = 0;
        }

        ngx_hyperdrive_session_pin_set(s, s->pin.causes & ~gone);

        s->pin.unseen = 1;
    }
}


/* the database has told what is left, of what it can be asked for */

static void
ngx_hyperdrive_session_pin_found(ngx_hyperdrive_session_t *s)
{
    ngx_uint_t  causes, unseen;

    if (s->pin.check) {

        /* more has been sent since: it will be asked again */

        ngx_hyperdrive_session_pin_set(s, s->pin.causes | s->pin.found);
        return;
    }

    unseen = NGX_HYPERDRIVE_STATE_PIN_VISIBLE;

    if (s->pin.set) {
        unseen &= ~NGX_HYPERDRIVE_STATE_PIN_SETTING;
    }

    if (!s->conf->unread_pin) {

        /* what code has left that cannot be seen is taken away at the end */

        unseen |= NGX_HYPERDRIVE_STATE_PIN_CODE;

        if (s->pin.causes & NGX_HYPERDRIVE_STATE_PIN_CODE) {
            s->pin.unseen = 1;
        }
    }

    causes = (s->pin.causes & ~unseen) | s->pin.found;

    if (s->conf->state_reject && causes) {

        /* nothing is kept here */

        s->pin.all = 1;
        causes &= NGX_HYPERDRIVE_STATE_PIN_POLICY;
    }

    ngx_hyperdrive_session_pin_left(s, causes);
}


/* the connection stays the client's as long as there is anything */

static void
ngx_hyperdrive_session_pin_left(ngx_hyperdrive_session_t *s, ngx_uint_t causes)
{
    if (s->pin.check) {

        /* more has been sent since: it will be asked again */
        causes |= s->pin.causes;
    }

    ngx_hyperdrive_session_pin_keep(s, causes);
}


static void
ngx_hyperdrive_session_pin_keep(ngx_hyperdrive_session_t *s, ngx_uint_t causes)
{
    if (s->pin.hidden) {
        causes |= NGX_HYPERDRIVE_STATE_PIN_SETTING;
    }

    ngx_hyperdrive_session_pin_set(s, causes);

    if (causes == 0) {
        ngx_hyperdrive_session_bodies_free(s);
        ngx_hyperdrive_session_held_free(s);
        s->pinned = 0;
        s->conf->origin->counters->pinned--;
    }
}


/*
 * The session parts with its origin.  NGX_OK: what is left will be taken away;
 * NGX_DECLINED: that cannot be; NGX_ABORT: nor may the database see what is in
 * the output.
 */

ngx_int_t
ngx_hyperdrive_session_pin_end(ngx_hyperdrive_session_t *s)
{
    ngx_int_t   rc;
    ngx_uint_t  fast;

    rc = NGX_OK;

    if (s->pinned) {

        /*
         * A library stays, and so does a replica, and so may anything in code
         * that is kept for; a setting of a name with a dot is '' behind a
         * RESET, and was NULL.
         */

        fast = NGX_HYPERDRIVE_STATE_PIN_LIBRARY
               |NGX_HYPERDRIVE_STATE_PIN_REPLICATION;

        if (s->conf->unread_pin) {
            fast |= NGX_HYPERDRIVE_STATE_PIN_CODE;
        }

        if ((s->pin.causes & fast) || s->pin.set) {
            rc = NGX_DECLINED;
        }

        s->pin.all = 1;
        s->pinned = 0;

        s->conf->origin->counters->pinned--;
        ngx_hyperdrive_session_pin_set(s, 0);
    }

    if (s->bodies) {
        ngx_hyperdrive_session_bodies_free(s);
    }

    if (s->leavings) {
        ngx_hyperdrive_session_held_free(s);
    }

    if (s->pin.close || s->pin.astray || s->pin.hidden || s->pin.unread) {
        rc = NGX_DECLINED;
    }

    if (s->pin.refused) {
        rc = NGX_ABORT;
    }

    if (s->pin.all) {
        s->origin->unclean = NGX_HYPERDRIVE_ORIGIN_RESET_ALL;

    } else if (s->pin.unseen) {
        s->origin->unclean = NGX_HYPERDRIVE_ORIGIN_RESET_UNSEEN;
    }

    ngx_memzero(&s->pin, sizeof(ngx_hyperdrive_session_pin_t));

    return rc;
}
