
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session.h"


/*
 * What SQL's PREPARE has prepared for a client, on the connection that it
 * keeps for that: what an EXECUTE may run.  Which of them a name stands for is
 * not followed; so what one of them does, any EXECUTE may do.
 */


static ngx_hyperdrive_session_bodies_t *ngx_hyperdrive_session_bodies_get(
    ngx_hyperdrive_session_t *s);


/* of whom there is no memory for */

static ngx_hyperdrive_session_bodies_t  ngx_hyperdrive_session_bodies_lost = {
    0, { NULL }, 1
};


ngx_int_t
ngx_hyperdrive_session_bodies(ngx_hyperdrive_session_t *s, ngx_uint_t i,
    ngx_hyperdrive_state_stmt_t **stmt)
{
    if (s->bodies == NULL) {
        return NGX_DONE;
    }

    if (s->bodies->unknown) {
        return NGX_DECLINED;
    }

    if (i == s->bodies->n) {
        return NGX_DONE;
    }

    *stmt = s->bodies->stmts[i];

    return NGX_OK;
}


/*
 * <stmt> is a PREPARE, or, by the protocol, what is prepared itself; or NULL,
 * or has more statements than that.
 */

void
ngx_hyperdrive_session_bodies_prepare(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_state_stmt_t *stmt)
{
    ngx_str_t                          text, types;
    ngx_uint_t                         i;
    ngx_hyperdrive_state_stmt_t       *body;
    ngx_hyperdrive_session_bodies_t   *bodies;
    ngx_hyperdrive_state_registry_t   *registry;

    if (stmt == NULL || !stmt->plan.single
        || (stmt->plan.leaves & NGX_HYPERDRIVE_STATE_PIN_PREPARED
            && stmt->plan.body == 0))
    {
        ngx_hyperdrive_session_bodies_unknown(s);
        return;
    }

    bodies = ngx_hyperdrive_session_bodies_get(s);

    if (bodies->unknown) {
        return;
    }

    registry = s->conf->origin->ctx.registry;

    if (stmt->plan.body) {
        text.data = stmt->text + stmt->plan.body;
        text.len = stmt->len - stmt->plan.body;
        ngx_str_set(&types, "");

        body = ngx_hyperdrive_state_stmt_get(registry, &text, &types,
                                             stmt->mode);
    } else {
        body = ngx_hyperdrive_state_stmt_ref(stmt);
    }

    if (body == NULL) {
        bodies->unknown = 1;
        return;
    }

    for (i = 0; i < bodies->n; i++) {

        if (bodies->stmts[i] == body) {
            ngx_hyperdrive_state_stmt_unref(registry, body);
            return;
        }
    }

    if (bodies->n == NGX_HYPERDRIVE_SESSION_BODIES) {
        ngx_hyperdrive_state_stmt_unref(registry, body);
        bodies->unknown = 1;
        return;
    }

    bodies->stmts[bodies->n++] = body;
}


/* code that nobody has read may have prepared more */

void
ngx_hyperdrive_session_bodies_unknown(ngx_hyperdrive_session_t *s)
{
    ngx_hyperdrive_session_bodies_get(s)->unknown = 1;
}


static ngx_hyperdrive_session_bodies_t *
ngx_hyperdrive_session_bodies_get(ngx_hyperdrive_session_t *s)
{
    if (s->bodies == NULL) {
        s->bodies = calloc(1, sizeof(ngx_hyperdrive_session_bodies_t));

        if (s->bodies == NULL) {
            s->bodies = &ngx_hyperdrive_session_bodies_lost;
        }
    }

    return s->bodies;
}


void
ngx_hyperdrive_session_bodies_free(ngx_hyperdrive_session_t *s)
{
    ngx_uint_t  i;

    if (s->bodies == NULL) {
        return;
    }

    for (i = 0; i < s->bodies->n; i++) {
        ngx_hyperdrive_state_stmt_unref(s->conf->origin->ctx.registry,
                                        s->bodies->stmts[i]);
    }

    if (s->bodies != &ngx_hyperdrive_session_bodies_lost) {
        free(s->bodies);
    }

    s->bodies = NULL;
}
