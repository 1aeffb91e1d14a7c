
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session_cache.h"
#include "session/ngx_hyperdrive_session_log.h"
#include "session/ngx_hyperdrive_session_policy.h"
#include "base/ngx_hyperdrive_base_cursor.h"
#include "base/ngx_hyperdrive_base_hash.h"
#include "sql/ngx_hyperdrive_sql.h"
#include "sql/ngx_hyperdrive_sql_digest.h"


/* a value that is not larger is copied out under the lock */
#define NGX_HYPERDRIVE_SESSION_COPY      NGX_HYPERDRIVE_BLOCK


/* a value, read from its beginning on */

typedef struct {
    ngx_hyperdrive_cache_ref_t   ref;
    u_char                      *data;
    size_t                       len;
} ngx_hyperdrive_session_found_t;


static ngx_int_t ngx_hyperdrive_session_key(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_policy_decision_t *d, ngx_hyperdrive_cache_key_t *key);
static ngx_int_t ngx_hyperdrive_session_aged(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_question_t *q, ngx_hyperdrive_policy_decision_t *d);
static ngx_int_t ngx_hyperdrive_session_question(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_question_t *q, ngx_uint_t *reason);
static ngx_hyperdrive_session_cache_e ngx_hyperdrive_session_why(
    ngx_uint_t reason);
static ngx_int_t ngx_hyperdrive_session_lookup_block(
    ngx_hyperdrive_session_t *s);
static ngx_int_t ngx_hyperdrive_session_find(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_question_t *q,
    ngx_hyperdrive_session_found_t *found);
static uint64_t ngx_hyperdrive_session_past(
    ngx_hyperdrive_session_question_t *q,
    ngx_hyperdrive_session_found_t *found);
static ngx_int_t ngx_hyperdrive_session_cache_take(
    ngx_hyperdrive_session_found_t *found, u_char *buf, size_t len);
static ngx_int_t ngx_hyperdrive_session_hit(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_question_t *q);
static ngx_int_t ngx_hyperdrive_session_give(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_question_t *q, ngx_msec_t late, uint64_t *past);
static void ngx_hyperdrive_session_hit_end(ngx_hyperdrive_session_t *s);
static ngx_int_t ngx_hyperdrive_session_serve(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_found_t *found);
static void ngx_hyperdrive_session_miss(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_question_t *q,
    ngx_hyperdrive_cache_flight_t *flight);


/* used within one call only */
static u_char  ngx_hyperdrive_session_key_buf[NGX_HYPERDRIVE_MAX_UNIT * 2
                                              + NGX_HYPERDRIVE_SHM_NOTE_KEY];
static u_char  ngx_hyperdrive_session_value[NGX_HYPERDRIVE_SESSION_COPY];


static ngx_str_t  ngx_hyperdrive_session_cache_names[] = {
    ngx_string(""),
    ngx_string("disabled"),
    ngx_string("hit"),
    ngx_string("stale"),
    ngx_string("errorstale"),
    ngx_string("coalesced"),
    ngx_string("miss"),
    ngx_string("invalidated"),
    ngx_string("oversizedresult"),
    ngx_string("uncacheable"),
    ngx_string("volatile"),
    ngx_string("multiplestatements"),
    ngx_string("parseerror"),
    ngx_string("transaction")
};


ngx_str_t *
ngx_hyperdrive_session_cache_name(ngx_hyperdrive_session_cache_e cached)
{
    return &ngx_hyperdrive_session_cache_names[cached];
}


/*
 * Everything that can change a byte of the answer: the upstream and what it
 * leads to, user and database (the pool's note), what the client has set, its
 * role among it, text and the way to read it, types, parameters, result
 * formats.  Lengths keep the parts apart.
 *
 * Policy may add to it: a text of its own, the client's name if that was looked
 * at, and tags.
 */

static ngx_int_t
ngx_hyperdrive_session_key(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_policy_decision_t *d, ngx_hyperdrive_cache_key_t *key)
{
    u_char                       *p;
    size_t                        len;
    ngx_uint_t                    i, policy;
    ngx_str_t                    *settings;
    ngx_hyperdrive_proto_unit_t  *unit;
    ngx_hyperdrive_state_stmt_t  *stmt;

    unit = &s->unit;
    stmt = unit->stmt;

    settings = ngx_hyperdrive_session_settings_key(s, 1);

    len = s->pool->note.len + stmt->len + stmt->types_len + unit->args.len
          + unit->formats.len + settings->len + 4 * 8;

    policy = (d->key.len || d->user || d->ntags);

    if (policy) {
        len += d->key.len + s->user.len + 4 * 2;

        for (i = 0; i < d->ntags; i++) {
            len += d->tags[i].len + 4;
        }
    }

    if (len > sizeof(ngx_hyperdrive_session_key_buf)) {
        return NGX_DECLINED;
    }

    p = ngx_hyperdrive_session_key_buf;

    p = ngx_hyperdrive_base_put_u32(p, s->pool->note.len);
    p = ngx_cpymem(p, s->pool->note.data, s->pool->note.len);
    p = ngx_hyperdrive_base_put_u32(p, settings->len);
    p = ngx_cpymem(p, settings->data, settings->len);
    p = ngx_hyperdrive_base_put_u32(p, stmt->len);
    p = ngx_cpymem(p, stmt->text, stmt->len);
    p = ngx_hyperdrive_base_put_u32(p, (uint64_t) stmt->mode >> 32);
    p = ngx_hyperdrive_base_put_u32(p, stmt->mode);
    p = ngx_hyperdrive_base_put_u32(p, stmt->types_len);
    p = ngx_cpymem(p, stmt->types, stmt->types_len);
    p = ngx_hyperdrive_base_put_u32(p, unit->args.len);
    p = ngx_cpymem(p, unit->args.data, unit->args.len);
    p = ngx_hyperdrive_base_put_u32(p, unit->formats.len);
    p = ngx_cpymem(p, unit->formats.data, unit->formats.len);

    if (policy) {
        p = ngx_hyperdrive_base_put_u32(p, d->key.len);
        p = ngx_cpymem(p, d->key.data, d->key.len);

        len = d->user ? s->user.len : 0;

        p = ngx_hyperdrive_base_put_u32(p, len);
        p = ngx_cpymem(p, s->user.data, len);

        for (i = 0; i < d->ntags; i++) {
            p = ngx_hyperdrive_base_put_u32(p, d->tags[i].len);
            p = ngx_cpymem(p, d->tags[i].data, d->tags[i].len);
        }
    }

    key->data = ngx_hyperdrive_session_key_buf;
    key->len = p - ngx_hyperdrive_session_key_buf;

    ngx_hyperdrive_cache_key_hash(
                           ngx_hyperdrive_cache_store(s->conf->cache_zone),
                           key);

    return NGX_OK;
}


ngx_int_t
ngx_hyperdrive_session_key_text(ngx_str_t *key, ngx_str_t *text,
    ngx_uint_t *mode)
{
    u_char    *p, *last;
    uint32_t   len, high, low;

    high = 0;
    low = 0;

    p = key->data;
    last = p + key->len;

    p = ngx_hyperdrive_base_read_u32(p, last, &len);
    p = ngx_hyperdrive_base_read_bytes(p, last, len, text);
    p = ngx_hyperdrive_base_read_u32(p, last, &len);
    p = ngx_hyperdrive_base_read_bytes(p, last, len, text);
    p = ngx_hyperdrive_base_read_u32(p, last, &len);
    p = ngx_hyperdrive_base_read_bytes(p, last, len, text);
    p = ngx_hyperdrive_base_read_u32(p, last, &high);
    p = ngx_hyperdrive_base_read_u32(p, last, &low);

    *mode = (ngx_uint_t) ((uint64_t) high << 32 | low);

    return p ? NGX_OK : NGX_DECLINED;
}


ngx_int_t
ngx_hyperdrive_session_key_tag(ngx_str_t *key, ngx_str_t *tag)
{
    u_char      *p, *last;
    uint32_t     len;
    ngx_str_t    part;
    ngx_uint_t   i;

    p = key->data;
    last = p + key->len;

    /* behind the text, the way to read it, and all else: see _key() */

    for (i = 0; i < 8; i++) {

        if (i == 3) {
            p = ngx_hyperdrive_base_read_bytes(p, last, 8, &part);
        }

        p = ngx_hyperdrive_base_read_u32(p, last, &len);
        p = p ? ngx_hyperdrive_base_read_bytes(p, last, len, &part) : NULL;
    }

    while (p && p < last) {
        p = ngx_hyperdrive_base_read_u32(p, last, &len);
        p = p ? ngx_hyperdrive_base_read_bytes(p, last, len, &part) : NULL;

        if (p && ngx_hyperdrive_base_same(&part, tag)) {
            return NGX_OK;
        }
    }

    return NGX_DECLINED;
}


uint64_t
ngx_hyperdrive_session_digest(ngx_str_t *text, ngx_uint_t mode)
{
    u_char                     form[1];
    uint64_t                   digest;
    ngx_hyperdrive_sql_mode_t  m;

    /* of the form that query logs show: the same for other constants */

    ngx_hyperdrive_sql_mode(mode, &m);

    (void) ngx_hyperdrive_sql_digest(text, &m, form, sizeof(form), &digest);

    return digest;
}


size_t
ngx_hyperdrive_session_stamp(ngx_hyperdrive_cache_version_set_t *reads,
    u_char *stamp)
{
    u_char                                 *p;
    ngx_hyperdrive_cache_version_sample_t   sample;

    if (ngx_hyperdrive_cache_version_sample(reads, &sample) != NGX_OK) {
        return 0;
    }

    p = ngx_cpymem(stamp, sample.versions, sample.n * sizeof(uint64_t));
    p = ngx_cpymem(p, reads->numbers,
                   reads->n * sizeof(ngx_hyperdrive_cache_version_t));

    return p - stamp;
}


uint64_t
ngx_hyperdrive_session_stamp_digest(u_char *stamp, size_t len)
{
    static uint64_t  seed[2];

    return ngx_hyperdrive_base_hash(seed, stamp, len);
}


/*
 * Whether the cache may be asked.  NGX_OK: <q> is filled, until the next
 * call.  NGX_BUSY: what it reads is being written to: it is neither there nor
 * can it be kept.  NGX_DECLINED: s->cached says why not, and <reason> if it
 * is counted by reasons.
 */

static ngx_int_t
ngx_hyperdrive_session_question(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_question_t *q, ngx_uint_t *reason)
{
    ngx_hyperdrive_session_plan_t     *plan;
    ngx_hyperdrive_policy_decision_t  *d;

    *reason = s->unit.reason;

    if (!s->unit.question) {
        s->cached = ngx_hyperdrive_session_why(s->unit.reason);
        return NGX_DECLINED;
    }

    if (ngx_hyperdrive_session_settings_implicit(s)) {
        *reason = NGX_HYPERDRIVE_SQL_NOT_READ;
        s->cached = NGX_HYPERDRIVE_SESSION_CACHE_TRANSACTION;
        return NGX_DECLINED;
    }

    plan = ngx_hyperdrive_session_plan(s, s->unit.stmt);

    if (plan->reason) {
        *reason = plan->reason;
        s->cached = ngx_hyperdrive_session_why(plan->reason);
        return NGX_DECLINED;
    }

    d = ngx_hyperdrive_session_policy(s, s->unit.stmt);

    q->reads = &plan->reads;

    if (d->ntables) {
        q->reads = ngx_hyperdrive_session_policy_reads(s, d, q->reads);

        if (q->reads == NULL) {
            *reason = NGX_HYPERDRIVE_SQL_TABLE;
            s->cached = NGX_HYPERDRIVE_SESSION_CACHE_UNCACHEABLE;
            return NGX_DECLINED;
        }
    }

    if (ngx_hyperdrive_session_aged(s, q, d) != NGX_OK
        || ngx_hyperdrive_cache_flight_is_off(q->reads->numbers, q->reads->n)
        || ngx_hyperdrive_session_key(s, d, &q->key) != NGX_OK)
    {
        s->cached = NGX_HYPERDRIVE_SESSION_CACHE_DISABLED;
        return NGX_DECLINED;
    }

    q->stamp_len = ngx_hyperdrive_session_stamp(q->reads, q->stamp);

    if (q->stamp_len == 0) {
        s->cached = NGX_HYPERDRIVE_SESSION_CACHE_INVALIDATED;
        return NGX_BUSY;
    }

    return NGX_OK;
}


/*
 * How old an answer may be, as the server, policy and a hint in the text say;
 * NGX_DECLINED: none is to be kept.
 */

static ngx_int_t
ngx_hyperdrive_session_aged(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_question_t *q, ngx_hyperdrive_policy_decision_t *d)
{
    ngx_hyperdrive_state_plan_t    *hint;
    ngx_hyperdrive_session_conf_t  *conf;

    conf = s->conf;

    q->max_age = (d->max_age != NGX_HYPERDRIVE_POLICY_UNSET) ? d->max_age
                                                             : conf->max_age;
    q->stale = (d->stale != NGX_HYPERDRIVE_POLICY_UNSET) ? d->stale
                                                         : conf->stale;
    q->stale_error = (d->stale_error != NGX_HYPERDRIVE_POLICY_UNSET)
                     ? d->stale_error : conf->stale_error;

    if (d->cache == NGX_HYPERDRIVE_POLICY_CACHE_OFF || q->max_age == 0) {
        return NGX_DECLINED;
    }

    if (conf->hints && d->cache == NGX_HYPERDRIVE_POLICY_CACHE_DEFAULT) {
        hint = &s->unit.stmt->plan;

        if (hint->no_cache) {
            return NGX_DECLINED;
        }

        /* it makes the time shorter, never longer than the operator said */

        if (hint->max_age && hint->max_age < q->max_age) {
            q->max_age = hint->max_age;
        }
    }

    return NGX_OK;
}


static ngx_hyperdrive_session_cache_e
ngx_hyperdrive_session_why(ngx_uint_t reason)
{
    switch (reason) {

    case NGX_HYPERDRIVE_SQL_VOLATILE:
    case NGX_HYPERDRIVE_SQL_FUNCTION:
        return NGX_HYPERDRIVE_SESSION_CACHE_VOLATILE;

    case NGX_HYPERDRIVE_SQL_MULTIPLE:
        return NGX_HYPERDRIVE_SESSION_CACHE_MULTIPLE;

    case NGX_HYPERDRIVE_SQL_PARSE:
        return NGX_HYPERDRIVE_SESSION_CACHE_PARSE;

    default:
        return NGX_HYPERDRIVE_SESSION_CACHE_UNCACHEABLE;
    }
}


ngx_int_t
ngx_hyperdrive_session_lookup(ngx_hyperdrive_session_t *s)
{
    ngx_int_t                           rc;
    ngx_uint_t                          reason;
    ngx_hyperdrive_shm_counters_t      *counters;
    ngx_hyperdrive_cache_flight_t       flight;
    ngx_hyperdrive_session_question_t   q;

    if (s->deferred) {
        return ngx_hyperdrive_session_lookup_block(s);
    }

    counters = s->conf->origin->counters;

    rc = ngx_hyperdrive_session_question(s, &q, &reason);

    if (rc == NGX_OK) {

        if (ngx_hyperdrive_session_batch(s, &q) == NGX_OK) {
            return NGX_AGAIN;
        }

        ngx_hyperdrive_cache_store_fetch(
                            ngx_hyperdrive_cache_store(s->conf->cache_zone),
                            &q.key);

        if (ngx_hyperdrive_session_hit(s, &q) == NGX_OK) {
            return NGX_OK;
        }

        if (ngx_hyperdrive_session_flight(s, &q, &flight) == NGX_AGAIN) {
            return NGX_AGAIN;
        }

        ngx_hyperdrive_session_miss(s, &q, &flight);

    } else if (rc == NGX_BUSY) {
        counters->written++;
        counters->misses++;
        s->total.misses++;

    } else if (reason && reason < 15) {
        counters->uncacheable[reason]++;
    }

    ngx_hyperdrive_session_flight_forget(s);

    return NGX_DECLINED;
}


/*
 * The first statements of a block whose BEGIN was not sent yet.  A statement
 * of READ COMMITTED sees what is committed when it begins (13.2.1), and nothing
 * was written in this block: an answer that is valid now is what the database
 * would say.  What is not there is not kept, either: it goes behind the BEGIN.
 */

static ngx_int_t
ngx_hyperdrive_session_lookup_block(ngx_hyperdrive_session_t *s)
{
    ngx_uint_t                          reason;
    ngx_hyperdrive_session_question_t   q;

    if (s->conf->in_transaction
        && s->deferred != NGX_HYPERDRIVE_STATE_BEGIN_SNAPSHOT
        && ngx_hyperdrive_session_question(s, &q, &reason) == NGX_OK
        && ngx_hyperdrive_session_hit(s, &q) == NGX_OK)
    {
        if (s->time) {
            ngx_hyperdrive_session_time_doing(s, NGX_HYPERDRIVE_SESSION_BLOCK);
        }

        return NGX_OK;
    }

    if (s->unit.question) {
        s->conf->origin->counters->uncacheable[15]++;
    }

    s->cached = NGX_HYPERDRIVE_SESSION_CACHE_TRANSACTION;

    return NGX_DECLINED;
}


/* NGX_OK: there is an answer that may be given now, and it has been */

static ngx_int_t
ngx_hyperdrive_session_hit(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_question_t *q)
{
    uint64_t                        past;
    ngx_int_t                       rc;
    ngx_hyperdrive_shm_counters_t  *counters;

    counters = s->conf->origin->counters;

    s->cached = NGX_HYPERDRIVE_SESSION_CACHE_MISS;

    rc = ngx_hyperdrive_session_give(s, q, q->stale, &past);

    if (rc != NGX_OK) {

        if (rc == NGX_BUSY) {
            counters->invalidated++;
            s->cached = NGX_HYPERDRIVE_SESSION_CACHE_INVALIDATED;
        }

        return NGX_DECLINED;
    }

    if (past) {
        counters->stale++;
        s->cached = NGX_HYPERDRIVE_SESSION_CACHE_STALE;

        ngx_hyperdrive_session_refresh(s, q);

    } else if (s->wait) {
        counters->coalesced++;
        s->cached = NGX_HYPERDRIVE_SESSION_CACHE_COALESCED;

    } else {
        s->cached = NGX_HYPERDRIVE_SESSION_CACHE_HIT;

        if (s->conf->verify
            && (ngx_uint_t) ngx_random() % 10000 < s->conf->verify)
        {
            ngx_hyperdrive_session_verify(s, q);
        }
    }

    ngx_hyperdrive_session_flight_forget(s);

    ngx_hyperdrive_session_hit_end(s);

    return NGX_OK;
}


ngx_int_t
ngx_hyperdrive_session_lookup_plain(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_question_t *q)
{
    uint64_t  past;

    if (ngx_hyperdrive_session_give(s, q, 0, &past) != NGX_OK) {
        return NGX_DECLINED;
    }

    s->cached = NGX_HYPERDRIVE_SESSION_CACHE_HIT;

    ngx_hyperdrive_session_hit_end(s);

    return NGX_OK;
}


/*
 * Gives an entry that is not older than max_age and <late> milliseconds, but
 * for its end; *past is how much of these it takes.  NGX_BUSY: what it was made
 * of was written to; NGX_DECLINED: there is none.
 */

static ngx_int_t
ngx_hyperdrive_session_give(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_question_t *q, ngx_msec_t late, uint64_t *past)
{
    ngx_int_t                       rc;
    ngx_hyperdrive_session_found_t  found;

    rc = ngx_hyperdrive_session_find(s, q, &found);

    if (rc != NGX_OK) {
        return rc;
    }

    *past = ngx_hyperdrive_session_past(q, &found);

    rc = (*past <= late) ? ngx_hyperdrive_session_serve(s, &found)
                         : NGX_DECLINED;

    ngx_hyperdrive_cache_store_release(&found.ref);

    return rc;
}


/* the end of a kept answer, which counts as a hit */

static void
ngx_hyperdrive_session_hit_end(ngx_hyperdrive_session_t *s)
{
    s->conf->origin->counters->hits++;
    s->total.hits++;

    ngx_hyperdrive_session_serve_end(s, NULL);
}


ngx_uint_t
ngx_hyperdrive_session_peek(ngx_hyperdrive_session_t *s)
{
    ngx_int_t                           rc;
    ngx_uint_t                          reason;
    ngx_hyperdrive_session_found_t      found;
    ngx_hyperdrive_session_question_t   q;

    if (ngx_hyperdrive_session_question(s, &q, &reason) != NGX_OK
        || ngx_hyperdrive_session_find(s, &q, &found) != NGX_OK)
    {
        return 0;
    }

    rc = (ngx_hyperdrive_session_past(&q, &found) == 0);

    ngx_hyperdrive_cache_store_release(&found.ref);

    return rc;
}


ngx_int_t
ngx_hyperdrive_session_lookup_stale(ngx_hyperdrive_session_t *s)
{
    uint64_t                            past;
    ngx_int_t                           rc;
    ngx_uint_t                          reason;
    ngx_hyperdrive_proto_error_t        err;
    ngx_hyperdrive_session_question_t   q;

    if (s->conf->cache_zone == NULL
        || (s->conf->stale_error == 0 && s->conf->policy == NULL)
        || s->streaming || s->origin || s->deferred || s->failed)
    {
        return NGX_DECLINED;
    }

    /* the input may have moved while it waited */

    rc = s->conf->origin->proto->client_request(s->wire, s->net.pos,
                                                s->net.last, &s->unit, &err);

    if (rc != NGX_OK
        || ngx_hyperdrive_session_question(s, &q, &reason) != NGX_OK
        || q.stale_error == 0
        || ngx_hyperdrive_session_give(s, &q, q.stale_error, &past) != NGX_OK)
    {
        return NGX_DECLINED;
    }

    s->conf->origin->counters->error_stale++;

    s->cached = NGX_HYPERDRIVE_SESSION_CACHE_ERROR;

    ngx_hyperdrive_session_hit_end(s);

    return NGX_OK;
}


/*
 * NGX_OK: there is an entry, of whatever age, and nothing was written to what
 * it was made of; <found> is to be released.  NGX_BUSY: something was.
 */

static ngx_int_t
ngx_hyperdrive_session_find(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_question_t *q,
    ngx_hyperdrive_session_found_t *found)
{
    u_char                       *stamp;
    ngx_hyperdrive_cache_ref_t   *ref;

    static u_char                 buf[NGX_HYPERDRIVE_SESSION_STAMP];

    ref = &found->ref;

    found->data = NULL;
    found->len = 0;

    if (ngx_hyperdrive_cache_store_get(
                            ngx_hyperdrive_cache_store(s->conf->cache_zone),
                            &q->key, ngx_hyperdrive_session_value,
                            sizeof(ngx_hyperdrive_session_value), ref)
        != NGX_OK)
    {
        return NGX_DECLINED;
    }

    if (ref->meta.stamp_len != q->stamp_len) {
        goto old;
    }

    stamp = buf;

    if (ref->data) {
        stamp = ref->data;
        found->data = ref->data + q->stamp_len;

    } else if (ngx_hyperdrive_session_cache_take(found, buf, q->stamp_len)
               != NGX_OK)
    {
        goto old;
    }

    if (ngx_memcmp(stamp, q->stamp, q->stamp_len) != 0) {
        goto old;
    }

    if (s->unit.told && s->unit.told != ref->meta.shape) {

        /* the rows are not what the client was told: the origin decides */

        ngx_hyperdrive_cache_store_release(ref);
        return NGX_DECLINED;
    }

    return NGX_OK;

old:

    ngx_hyperdrive_cache_store_release(ref);

    return NGX_BUSY;
}


/*
 * Milliseconds behind max_age, 0: it is fresh.  What counts is the server that
 * asks, and its configuration of now, not what held when the entry was made.
 */

static uint64_t
ngx_hyperdrive_session_past(ngx_hyperdrive_session_question_t *q,
    ngx_hyperdrive_session_found_t *found)
{
    uint64_t  now, fresh;

    now = ngx_hyperdrive_cache_store_now();
    fresh = found->ref.meta.created + q->max_age;

    return (now < fresh) ? 0 : now - fresh + 1;
}


/* the next bytes of a value that is held: they may be cut anywhere */

static ngx_int_t
ngx_hyperdrive_session_cache_take(ngx_hyperdrive_session_found_t *found,
    u_char *buf, size_t len)
{
    size_t  n;

    while (len) {

        if (found->len == 0
            && ngx_hyperdrive_cache_store_read(&found->ref, &found->data,
                                               &found->len)
               != NGX_OK)
        {
            return NGX_DECLINED;
        }

        n = ngx_min(len, found->len);

        buf = ngx_cpymem(buf, found->data, n);
        len -= n;

        found->data += n;
        found->len -= n;
    }

    return NGX_OK;
}


/* a kept answer with the envelope around it, but for its end */

static ngx_int_t
ngx_hyperdrive_session_serve(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_found_t *found)
{
    u_char                       *head;
    ngx_hyperdrive_proto_t       *proto;
    ngx_hyperdrive_cache_meta_t  *meta;

    meta = &found->ref.meta;
    proto = s->conf->origin->proto;

    if (s->log) {
        ngx_hyperdrive_session_log_rows(s, meta->rows);
    }

    if (found->ref.data) {

        proto->serve_begin(s->wire, &s->unit, found->data, meta->head_len,
                           &s->net.out);

        proto->serve_rows(s->wire, found->data + meta->head_len,
                          meta->body_len, &s->net.out);

        return NGX_OK;
    }

    /* a large one, in pieces */

    head = malloc(meta->head_len + 1);

    if (head == NULL
        || ngx_hyperdrive_session_cache_take(found, head, meta->head_len)
           != NGX_OK)
    {
        free(head);
        return NGX_DECLINED;
    }

    proto->serve_begin(s->wire, &s->unit, head, meta->head_len, &s->net.out);

    free(head);

    do {
        proto->serve_rows(s->wire, found->data, found->len, &s->net.out);

    } while (ngx_hyperdrive_cache_store_read(&found->ref, &found->data,
                                             &found->len)
             == NGX_OK);

    return NGX_OK;
}


/* the answer that the origin will give is to be kept */

static void
ngx_hyperdrive_session_miss(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_question_t *q,
    ngx_hyperdrive_cache_flight_t *flight)
{
    s->conf->origin->counters->misses++;
    s->total.misses++;

    ngx_hyperdrive_session_fill_drop(s);

    s->fill = ngx_hyperdrive_session_fill_create(s->conf, q);

    if (s->fill == NULL) {
        ngx_hyperdrive_session_flight_end(flight, 0);
        return;
    }

    s->fill->flight = *flight;

    if (!s->unit.head) {
        s->conf->origin->proto->describe(s->wire);
    }
}
