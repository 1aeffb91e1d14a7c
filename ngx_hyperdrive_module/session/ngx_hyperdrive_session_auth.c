
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "session/ngx_hyperdrive_session.h"
#include "origin/ngx_hyperdrive_origin_ask.h"


/*
 * hyperdrive_auth_query: what the database knows of a user is asked on a
 * connection of its own, and remembered by this worker for a short time,
 * whether the user exists or not.  Those who ask for the same user meanwhile
 * wait for the same answer.
 */


/* users that a worker remembers for one upstream */
#define NGX_HYPERDRIVE_SESSION_AUTH_MAX      1000

/* of an answer: two short columns */
#define NGX_HYPERDRIVE_SESSION_AUTH_ROWS     8192

/* an answer that did not help is asked for again after, milliseconds */
#define NGX_HYPERDRIVE_SESSION_AUTH_FRESH    1000


typedef struct {
    ngx_rbtree_node_t                node;        /* by the name's hash */
    ngx_queue_t                      queue;       /* used last first */
    ngx_queue_t                      waiting;     /* of sessions */
    ngx_hyperdrive_session_auth_t   *auth;
    ngx_hyperdrive_origin_ask_t      ask;
    ngx_msec_t                       answered;
    ngx_str_t                        secret;      /* empty: cannot log in */
    u_char                          *rows;
    size_t                           rows_len;
    ngx_str_t                        name;        /* behind the struct */
    unsigned                         asking:1;
    unsigned                         overflow:1;
    unsigned                         nobody:1;    /* no text of the database,
                                                     so nobody's name */
} ngx_hyperdrive_session_auth_user_t;


static ngx_hyperdrive_session_auth_user_t *ngx_hyperdrive_session_auth_find(
    ngx_hyperdrive_session_auth_t *auth, ngx_str_t *name);
static ngx_hyperdrive_session_auth_user_t *ngx_hyperdrive_session_auth_add(
    ngx_hyperdrive_session_auth_t *auth, ngx_str_t *name);
static void ngx_hyperdrive_session_auth_free(
    ngx_hyperdrive_session_auth_user_t *user);
static void ngx_hyperdrive_session_auth_clear(
    ngx_hyperdrive_session_auth_user_t *user);
static ngx_hyperdrive_pool_t *ngx_hyperdrive_session_auth_pool(
    ngx_hyperdrive_session_t *s);
static void ngx_hyperdrive_session_auth_ask(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_auth_user_t *user);
static void ngx_hyperdrive_session_auth_piece(ngx_hyperdrive_origin_ask_t *ask,
    ngx_hyperdrive_proto_piece_t *piece);
static void ngx_hyperdrive_session_auth_done(ngx_hyperdrive_origin_ask_t *ask,
    ngx_int_t rc);
static ngx_int_t ngx_hyperdrive_session_auth_read(
    ngx_hyperdrive_session_auth_user_t *user);
static void ngx_hyperdrive_session_auth_use(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_auth_user_t *user);


ngx_int_t
ngx_hyperdrive_session_auth(ngx_hyperdrive_session_t *s)
{
    ngx_hyperdrive_session_auth_t       *auth;
    ngx_hyperdrive_session_auth_user_t  *user;

    auth = s->conf->auth;

    if (auth->tree.root == NULL) {
        ngx_rbtree_init(&auth->tree, &auth->sentinel, ngx_rbtree_insert_value);
        ngx_queue_init(&auth->users);
    }

    user = ngx_hyperdrive_session_auth_find(auth, &s->login->user);

    if (user && !user->asking
        && ngx_current_msec - user->answered
           >= s->conf->origin->auth->valid)
    {
        ngx_hyperdrive_session_auth_free(user);
        user = NULL;
    }

    if (user && !user->asking) {
        ngx_queue_remove(&user->queue);
        ngx_queue_insert_head(&auth->users, &user->queue);

        ngx_hyperdrive_session_auth_use(s, user);

        return NGX_OK;
    }

    ngx_hyperdrive_session_set_state(s, NGX_HYPERDRIVE_SESSION_LOOKUP);

    if (user) {
        ngx_queue_insert_tail(&user->waiting, &s->lookup);
        return NGX_AGAIN;
    }

    user = ngx_hyperdrive_session_auth_add(auth, &s->login->user);

    if (user == NULL) {
        ngx_hyperdrive_session_fatal(s, "53300",
                                     "too many users are looked up");
        return NGX_DONE;
    }

    ngx_queue_insert_tail(&user->waiting, &s->lookup);

    ngx_hyperdrive_session_auth_ask(s, user);

    /* whatever became of it, _done() has told, or will */

    return NGX_AGAIN;
}


void
ngx_hyperdrive_session_auth_leave(ngx_hyperdrive_session_t *s)
{
    if (s->lookup.next) {
        ngx_queue_remove(&s->lookup);
        s->lookup.next = NULL;
    }
}


void
ngx_hyperdrive_session_auth_wrong(ngx_hyperdrive_session_t *s, ngx_str_t *name)
{
    ngx_hyperdrive_session_auth_user_t  *user;

    if (!s->conf->query || s->conf->auth->tree.root == NULL) {
        return;
    }

    user = ngx_hyperdrive_session_auth_find(s->conf->auth, name);

    /* the password may have been changed; once a second, not for each guess */

    if (user && !user->asking
        && ngx_current_msec - user->answered
           >= NGX_HYPERDRIVE_SESSION_AUTH_FRESH)
    {
        ngx_hyperdrive_session_auth_free(user);
    }
}


static ngx_hyperdrive_session_auth_user_t *
ngx_hyperdrive_session_auth_find(ngx_hyperdrive_session_auth_t *auth,
    ngx_str_t *name)
{
    ngx_int_t                            rc;
    ngx_rbtree_key_t                     hash;
    ngx_rbtree_node_t                   *node;
    ngx_hyperdrive_session_auth_user_t  *user;

    hash = ngx_hash_key(name->data, name->len);
    node = auth->tree.root;

    while (node != &auth->sentinel) {

        if (hash != node->key) {
            node = (hash < node->key) ? node->left : node->right;
            continue;
        }

        user = ngx_rbtree_data(node, ngx_hyperdrive_session_auth_user_t, node);

        rc = ngx_memn2cmp(name->data, user->name.data, name->len,
                          user->name.len);

        if (rc == 0) {
            return user;
        }

        node = node->right;
    }

    return NULL;
}


/* NULL: no memory, or too many are under way */

static ngx_hyperdrive_session_auth_user_t *
ngx_hyperdrive_session_auth_add(ngx_hyperdrive_session_auth_t *auth,
    ngx_str_t *name)
{
    ngx_queue_t                         *q;
    ngx_hyperdrive_session_auth_user_t  *user;

    if (auth->n >= NGX_HYPERDRIVE_SESSION_AUTH_MAX) {

        q = ngx_queue_last(&auth->users);
        user = ngx_queue_data(q, ngx_hyperdrive_session_auth_user_t, queue);

        if (user->asking) {
            return NULL;
        }

        ngx_hyperdrive_session_auth_free(user);
    }

    user = calloc(1, sizeof(ngx_hyperdrive_session_auth_user_t) + name->len);
    if (user == NULL) {
        return NULL;
    }

    user->auth = auth;
    user->name.len = name->len;
    user->name.data = (u_char *) (user + 1);
    ngx_memcpy(user->name.data, name->data, name->len);

    ngx_queue_init(&user->waiting);

    user->node.key = ngx_hash_key(name->data, name->len);

    ngx_rbtree_insert(&auth->tree, &user->node);
    ngx_queue_insert_head(&auth->users, &user->queue);
    auth->n++;

    return user;
}


static void
ngx_hyperdrive_session_auth_free(ngx_hyperdrive_session_auth_user_t *user)
{
    ngx_rbtree_delete(&user->auth->tree, &user->node);
    ngx_queue_remove(&user->queue);
    user->auth->n--;

    ngx_hyperdrive_session_auth_clear(user);

    if (user->secret.data) {
        ngx_explicit_memzero(user->secret.data, user->secret.len);
        free(user->secret.data);
    }

    free(user);
}


static void
ngx_hyperdrive_session_auth_clear(ngx_hyperdrive_session_auth_user_t *user)
{
    if (user->rows) {
        ngx_explicit_memzero(user->rows, user->rows_len);
        free(user->rows);
        user->rows = NULL;
    }

    user->rows_len = 0;
}


/* of one user, and one that no client comes to, nor to its search_path */

static ngx_hyperdrive_pool_t *
ngx_hyperdrive_session_auth_pool(ngx_hyperdrive_session_t *s)
{
    ngx_str_t                            none;
    ngx_hyperdrive_pool_t               *pool;
    ngx_hyperdrive_origin_auth_t        *conf;
    ngx_hyperdrive_proto_param_t         param;

    conf = s->conf->origin->auth;

    if (s->conf->origin->proto->schemas) {
        ngx_str_set(&param.name, "application_name");
        ngx_str_set(&param.value, "hyperdrive users");

    } else {
        ngx_str_set(&param.name, "search_path");
        ngx_str_set(&param.value, "pg_catalog, pg_temp");
    }

    pool = ngx_hyperdrive_origin_pool(s->conf->origin, &conf->user,
                                      &conf->database, 1, &param);
    if (pool == NULL) {
        return NULL;
    }

    ngx_str_null(&none);

    if (conf->user.len
        && ngx_hyperdrive_origin_credentials(pool, &conf->password, &none)
           != NGX_OK)
    {
        return NULL;
    }

    return pool;
}


static void
ngx_hyperdrive_session_auth_ask(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_auth_user_t *user)
{
    ngx_int_t                       rc;
    ngx_hyperdrive_chain_t          request;
    ngx_hyperdrive_origin_conf_t   *origin;

    origin = s->conf->origin;

    user->asking = 1;
    user->overflow = 0;
    user->nobody = 0;

    user->ask.pool = ngx_hyperdrive_session_auth_pool(s);
    user->ask.mode = origin->proto->dialect ? origin->proto->dialect : 1;
    user->ask.timeout = s->conf->timeout.login;
    user->ask.data = user;
    user->ask.piece = ngx_hyperdrive_session_auth_piece;
    user->ask.done = ngx_hyperdrive_session_auth_done;

    ngx_memzero(&request, sizeof(ngx_hyperdrive_chain_t));

    rc = origin->proto->lookup_request(&origin->auth->query, &user->name,
                                       &request);

    user->nobody = (rc == NGX_DECLINED);

    if (user->ask.pool == NULL || rc != NGX_OK || request.failed
        || request.head == NULL || request.head->next)
    {
        ngx_hyperdrive_base_chain_clear(&request);
        ngx_hyperdrive_session_auth_done(&user->ask, NGX_ERROR);
        return;
    }

    ngx_hyperdrive_origin_ask(&user->ask, request.head->pos, request.size);

    ngx_hyperdrive_base_chain_clear(&request);
}


static void
ngx_hyperdrive_session_auth_piece(ngx_hyperdrive_origin_ask_t *ask,
    ngx_hyperdrive_proto_piece_t *piece)
{
    ngx_hyperdrive_session_auth_user_t  *user;

    user = ask->data;

    if (piece->type == NGX_HYPERDRIVE_PROTO_ERROR) {

        if (piece->sqlstate && ngx_memcmp(piece->sqlstate, "22021", 5) == 0) {

            /* its bytes are none of the database's encoding */

            user->nobody = 1;
            return;
        }

        /* its words may hold what was asked for, so they are not logged */

        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "hyperdrive upstream \"%V\": the query of "
                      "\"hyperdrive_auth_query\" failed",
                      &ask->pool->conf->name);
        return;
    }

    if (piece->type != NGX_HYPERDRIVE_PROTO_ROWS || piece->len == 0
        || user->overflow)
    {
        return;
    }

    if (user->rows == NULL) {
        user->rows = malloc(NGX_HYPERDRIVE_SESSION_AUTH_ROWS);
    }

    if (user->rows == NULL
        || piece->len > NGX_HYPERDRIVE_SESSION_AUTH_ROWS - user->rows_len)
    {
        user->overflow = 1;
        return;
    }

    ngx_memcpy(user->rows + user->rows_len, piece->data, piece->len);
    user->rows_len += piece->len;
}


static void
ngx_hyperdrive_session_auth_done(ngx_hyperdrive_origin_ask_t *ask,
    ngx_int_t rc)
{
    ngx_queue_t                         *q, waiting;
    ngx_hyperdrive_session_t            *s;
    ngx_hyperdrive_session_auth_user_t  *user;

    user = ask->data;

    user->asking = 0;
    user->answered = ngx_current_msec;

    if (user->nobody) {
        rc = NGX_OK;

    } else if (rc == NGX_OK) {
        rc = ngx_hyperdrive_session_auth_read(user);
    }

    ngx_hyperdrive_session_auth_clear(user);

    /*
     * The sessions go on later, each in its own event: some may end at once
     * and take others along, and the first may still be in its log-in.
     */

    ngx_queue_init(&waiting);

    if (!ngx_queue_empty(&user->waiting)) {
        ngx_queue_add(&waiting, &user->waiting);
        ngx_queue_init(&user->waiting);
    }

    while (!ngx_queue_empty(&waiting)) {

        q = ngx_queue_head(&waiting);
        s = ngx_queue_data(q, ngx_hyperdrive_session_t, lookup);

        ngx_hyperdrive_session_auth_leave(s);

        if (rc == NGX_OK) {
            ngx_hyperdrive_session_auth_use(s, user);

        } else {
            s->lookup_failed = 1;
        }

        s->looked_up = 1;

        ngx_hyperdrive_net_post_read(&s->net);
    }

    if (rc != NGX_OK) {
        ngx_hyperdrive_session_auth_free(user);
    }
}


/* NGX_OK: the user is known, or known not to exist */

static ngx_int_t
ngx_hyperdrive_session_auth_read(ngx_hyperdrive_session_auth_user_t *user)
{
    ngx_int_t                rc;
    ngx_str_t                secret;
    ngx_hyperdrive_proto_t  *proto;

    proto = user->ask.pool->conf->proto;

    if (user->overflow) {
        rc = NGX_ERROR;

    } else {
        rc = proto->lookup_row(user->rows, user->rows_len, &user->name,
                               &secret);
    }

    if (rc == NGX_DECLINED) {
        return NGX_OK;
    }

    if (rc == NGX_ERROR || !proto->is_verifier(&secret)) {

        ngx_log_error(NGX_LOG_ERR, ngx_cycle->log, 0,
                      "hyperdrive upstream \"%V\": the query of "
                      "\"hyperdrive_auth_query\" answered by something else "
                      "than one row with a name and a hash or verifier of "
                      "its password", &user->ask.pool->conf->name);

        return NGX_ERROR;
    }

    user->secret.data = malloc(secret.len);
    if (user->secret.data == NULL) {
        return NGX_ERROR;
    }

    ngx_memcpy(user->secret.data, secret.data, secret.len);
    user->secret.len = secret.len;

    user->auth->kinds |= proto->is_verifier(&secret);

    return NGX_OK;
}


/* the log-in outlives what is remembered: it gets a copy */

static void
ngx_hyperdrive_session_auth_use(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_session_auth_user_t *user)
{
    ngx_hyperdrive_proto_login_t  *login;

    login = s->login;

    /* who is unknown looks like those who are not */

    login->kinds |= user->auth->kinds;

    if (user->secret.len == 0) {
        /* goes on as if, and fails at the end */
        return;
    }

    s->secret.data = malloc(user->secret.len);
    if (s->secret.data == NULL) {
        return;
    }

    ngx_memcpy(s->secret.data, user->secret.data, user->secret.len);
    s->secret.len = user->secret.len;

    login->found = 1;
    login->secret = s->secret;
}
