
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_PROTO_H_INCLUDED_
#define _NGX_HYPERDRIVE_PROTO_H_INCLUDED_


#include "ngx_hyperdrive.h"
#include "base/ngx_hyperdrive_base_chain.h"
#include "base/ngx_hyperdrive_base_codec.h"
#include "state/ngx_hyperdrive_state_pin.h"
#include "state/ngx_hyperdrive_state_stmt.h"


/*
 * What a wire protocol must provide.  All functions are pure: they read from
 * the bytes given, append to the chains given and return a value.  The two
 * ends keep their memory in objects of their own: a client's (what the
 * application believes) and an origin's (what the connection to the database
 * knows, and which answers it still owes: the ledger).
 */


typedef struct ngx_hyperdrive_proto_s     ngx_hyperdrive_proto_t;
typedef struct ngx_hyperdrive_proto_ctx_s ngx_hyperdrive_proto_ctx_t;


/* what the protocol rooms share within a worker */

struct ngx_hyperdrive_proto_ctx_s {
    ngx_hyperdrive_state_registry_t  *registry;
    uint64_t                        (*next_id)(void);
    /* whether a parameter's text may stand for a moment, as 'now' does */
    ngx_uint_t                      (*clock_text)(u_char *data, size_t len);
    ngx_uint_t                        clock_reason; /* then: unit->reason */
    ngx_uint_t                        statements;   /* prepared on an origin,
                                                       at most */
};


/* an error that we make up; the texts are constant or outlive the call */

typedef struct {
    char                             *severity;     /* "ERROR", "FATAL" */
    char                             *sqlstate;
    char                             *message;
    char                             *hint;         /* or NULL */
} ngx_hyperdrive_proto_error_t;


typedef struct {
    ngx_str_t                         name;
    ngx_str_t                         value;
} ngx_hyperdrive_proto_param_t;

#define NGX_HYPERDRIVE_PROTO_MAX_PARAMS  64
#define NGX_HYPERDRIVE_PROTO_MAX_KEY     32


/*
 * A log-in, at either end.  All zero to begin with; strings that are set by
 * the caller stay valid to the end, results until _login_free().
 */

typedef struct {
    /* both ends */

    ngx_str_t                         user;
    ngx_str_t                         database;
    ngx_uint_t                        nparams;
    ngx_hyperdrive_proto_param_t      params[NGX_HYPERDRIVE_PROTO_MAX_PARAMS];
    unsigned                          tls:1;        /* the connection is
                                                       encrypted now */
    ngx_str_t                         cert_hash;    /* RFC 5929
                                                       tls-server-end-point */
    unsigned                          local:1;      /* by a unix socket: what
                                                       goes over it is nobody
                                                       else's to read */
    void                            **keys;         /* the protocol's own: kept
                                                       from log-in to log-in of
                                                       one user and password;
                                                       worth as much; or NULL */
    char                             *reason;       /* NGX_ERROR: for the log */
    u_char                            sqlstate[6];
    u_char                            message[256]; /* NGX_ERROR at the origin's
                                                       end: its own words, if
                                                       it has said any */

    /* the client's end */

    unsigned                          tls_offered:1;
    unsigned                          tls_bound:1;  /* offer channel binding */
    unsigned                          trust:1;      /* no password is asked */
    unsigned                          found:1;      /* the user exists */
    unsigned                          keep:1;       /* give <token> */
    ngx_uint_t                        kinds;        /* of verifiers that there
                                                       are, is_verifier() bits:
                                                       an unknown user looks as
                                                       if of one of them */
    ngx_str_t                         host;         /* where it comes from, for
                                                       what it is told */
    size_t                            ahead;        /* no more than so many
                                                       bytes may be read: what
                                                       follows may be TLS; 0:
                                                       no limit */
    uint64_t                          capabilities; /* of the protocol, that
                                                       the client has asked for
                                                       and been offered */
    u_char                            seq;          /* of our next packet */
    u_char                           *nonce;        /* 32 bytes, or NULL: what
                                                       a client was greeted
                                                       with, for _change() */
    ngx_str_t                         replication;  /* its value, or empty */
    size_t                            key_len;      /* of the cancel key that
                                                       it understands, at most
                                                       _MAX_KEY */
    ngx_str_t                         secret;       /* a stored verifier */
    u_char                           *mock;         /* 32 bytes, for salts of
                                                       unknown users */
    ngx_str_t                         cancel_pid;
    ngx_str_t                         cancel_key;

    /* the origin's end */

    ngx_str_t                         password;
    ngx_str_t                         token;        /* instead of it: what a
                                                       client's log-in with
                                                       <keep> gave, if
                                                       anything; worth as
                                                       much */
    unsigned                          request_tls:1;
    unsigned                          require_tls:1;
    unsigned                          allow_clear:1;
    unsigned                          ask_key:1;    /* the database may be
                                                       asked for its public
                                                       key */
    unsigned                          ask_role:1;   /* _role() and _unlike()
                                                       will be asked */
    ngx_str_t                         public_key;   /* ...or it is this, or
                                                       empty */
    ngx_str_t                         compress;     /* how, the best one first:
                                                       a letter each, "u": not;
                                                       empty: not */
    unsigned                          local_files:1; /* clients may be asked for
                                                       files of theirs */
    unsigned                          permanent:1;  /* NGX_ERROR: to try again
                                                       will not help */
    unsigned                          tls_alike:1;  /* ...it would be the same
                                                       with TLS, or without */
    uint32_t                          pid;
    ngx_str_t                         key;
    ngx_hyperdrive_chain_t            greeting;     /* what the origin says of
                                                       itself, for clients */

    void                             *state;        /* the protocol's own */
} ngx_hyperdrive_proto_login_t;


/* a unit of requests, as far as it has been read */

typedef struct {
    size_t                            len;          /* bytes, from the first */
    ngx_uint_t                        requests;     /* answers it asks for */
    unsigned                          flush:1;      /* it ends in a Flush */
    unsigned                          local:1;      /* it asks the origin for
                                                       nothing: refuse it with
                                                       no error */
    uint32_t                          kill;         /* it asks to stop what
                                                       the client of this
                                                       cancel_pid does, if
                                                       there is one; or 0 */
    unsigned                          schema:1;     /* it says which schema is
                                                       wanted, and no more */
    unsigned                          discard:1;    /* local: all that its
                                                       session has is gone, as
                                                       _DISCARD_SESSION */
    unsigned                          replication:1; /* the origin that it is
                                                       sent to is its client's
                                                       from then to the end,
                                                       unless the answer is
                                                       <refused> */
    unsigned                          simple:1;
    unsigned                          question:1;   /* it may be looked up, the
                                                       fields below are set */
    unsigned                          head:1;       /* rows are described in
                                                       the answer */
    unsigned                          parse:1;      /* a statement is prepared
                                                       by it */
    unsigned                          prepare:1;    /* it prepares, describes
                                                       or closes statements,
                                                       perhaps nothing else:
                                                       _prepared()... */
    unsigned                          clears:1;     /* ...which says so: of the
                                                       statement before there
                                                       are no conditions any
                                                       more (MySQL) */
    unsigned                          mixed:1;      /* something runs in it,
                                                       and stmt is NULL */
    unsigned                          bare:1;       /* one execution of stmt,
                                                       without parameters or
                                                       a name for its portal */
    unsigned                          begin:2;      /* it may be answered by
                                                       _block_begin(): the
                                                       isolation level, a
                                                       _state_begin_e */
    unsigned                          read_only:1;  /* ...in which nothing may
                                                       be written: set by who
                                                       calls it */
    unsigned                          end:1;        /* ...by _block_end()... */
    unsigned                          empty:1;      /* ...which also ends a
                                                       block that there is
                                                       none of */
    unsigned                          autocommit:2; /* ...by
                                                       _block_autocommit(): a
                                                       _state_autocommit_e */
    unsigned                          fails:1;      /* the block has failed,
                                                       without an origin: so
                                                       does this... */
    unsigned                          fatal:1;      /* ...but it is not certain
                                                       how */
    ngx_uint_t                        reason;       /* not a question: why, as
                                                       the plan says */
    ngx_hyperdrive_state_stmt_t      *stmt;         /* valid until the unit is
                                                       forwarded or served */
    ngx_str_t                         args;         /* the parameters, as they
                                                       are compared */
    ngx_str_t                         bind;         /* all of a Bind behind its
                                                       names; empty: none */
    ngx_uint_t                        nparams;      /* MySQL: how many values
                                                       are in it */
    ngx_str_t                         formats;      /* of the results; empty if
                                                       all are text */
    ngx_str_t                         attributes;   /* MySQL's query attributes,
                                                       as they were sent, with
                                                       what else stands there;
                                                       empty: none */
    uint64_t                          told;         /* row shape the client was
                                                       told, or 0 */
    ngx_str_t                         name;         /* the statement's */
} ngx_hyperdrive_proto_unit_t;


/* MySQL: what is asked about the statement before */

#define NGX_HYPERDRIVE_PROTO_NUMBERS     8         /* in one row */

typedef struct {
    ngx_str_t                         name;         /* of the column */
    uint64_t                          value;
    unsigned                          sign:1;       /* it may be negative */
    unsigned                          variable:1;   /* a variable's: as far as
                                                       types go it could be
                                                       NULL */
} ngx_hyperdrive_proto_number_t;

typedef struct {
    ngx_str_t                         head;         /* of what was asked for by
                                                       the text <warnings>, as
                                                       pieces told it... */
    ngx_str_t                         rows;
    ngx_uint_t                        offset;
    ngx_uint_t                        limit;
    unsigned                          errors:1;     /* only these */
} ngx_hyperdrive_proto_conditions_t;


/* a piece of an answer; the first three may be joined in one, see answer() */

typedef enum {
    NGX_HYPERDRIVE_PROTO_OTHER = 0,
    NGX_HYPERDRIVE_PROTO_HEAD,       /* the description of rows */
    NGX_HYPERDRIVE_PROTO_ROWS,       /* rows and their completion */
    NGX_HYPERDRIVE_PROTO_ERROR,
    NGX_HYPERDRIVE_PROTO_NOTICE,     /* also: anything that forbids to keep
                                        the answer */
    NGX_HYPERDRIVE_PROTO_READY       /* a unit has been answered to its end */
} ngx_hyperdrive_proto_piece_e;

typedef struct {
    ngx_hyperdrive_proto_piece_e      type;
    u_char                           *data;         /* to be passed on... */
    size_t                            len;          /* ...if there is any */
    ngx_str_t                         keep;         /* what is to be kept of it
                                                       instead, for clients that
                                                       understand more; empty:
                                                       the same */
    unsigned                          early:1;      /* ERROR, MySQL: before
                                                       anything was done */
    u_char                           *sqlstate;     /* ERROR: its five bytes, or
                                                       NULL */
    u_char                           *pid;          /* where it names a process
                                                       of the database, in four
                                                       bytes, or NULL */
    ngx_uint_t                        rows;         /* rows begun in it */
    ngx_uint_t                        tag;          /* of origin_own(); with
                                                       own, unless it is an
                                                       error for the client */
    uint64_t                          insert_id;    /* MySQL, with <end>: that
                                                       it says was given to a
                                                       row, or 0... */
    int64_t                           affected;     /* ...rows that it has
                                                       changed; -1: it has
                                                       told some */
    ngx_uint_t                        warnings;     /* ...and how many */
    ngx_uint_t                        struck;       /* units behind this one
                                                       that end with it: the
                                                       database skips them */
    ngx_str_t                         schema;       /* ...it says which it is
                                                       in now, or nothing */
    unsigned                          astray:1;     /* ...it has left all
                                                       schemas */
    unsigned                          tracked:1;    /* ...it has changed
                                                       something of its
                                                       session, the database
                                                       says */
    unsigned                          clears:1;     /* OTHER: as of a unit */
    unsigned                          off:1;        /* ...it has turned
                                                       autocommit off, and tells
                                                       of no transaction */
    unsigned                          cursor:1;     /* ...its rows are fetched
                                                       by other requests */
    unsigned                          own:1;        /* we have asked for it: it
                                                       is not passed on */
    unsigned                          end:1;        /* ROWS: the completion was
                                                       in it, all rows seen */
    unsigned                          counts:1;     /* a statement of a Query,
                                                       or of a run that counts,
                                                       is done */
    unsigned                          rollback:1;   /* it says ROLLBACK */
    unsigned                          discard:2;    /* it says DISCARD:
                                                       _PROTO_DISCARD_... */
    unsigned                          block:1;      /* READY: a transaction
                                                       block is open... */
    unsigned                          dead:1;       /* ...and has failed */
    unsigned                          trailed:1;    /* READY: all that is owed
                                                       behind it is the end of
                                                       what we have sent along,
                                                       which does nothing */
    unsigned                          fatal:1;      /* ERROR: the origin will
                                                       close */
    unsigned                          unkept:1;     /* the answer may not be
                                                       kept */
    unsigned                          changed:1;    /* it shows that the catalog
                                                       is another one now */
    unsigned                          cut:1;        /* its last message is not
                                                       whole, and goes on in
                                                       the next piece */
    unsigned                          again:1;      /* a request has failed in
                                                       a way that is not shown:
                                                       _repeat() */
    unsigned                          cancelled:1;  /* ERROR: it was asked to
                                                       stop */
    unsigned                          refused:1;    /* ERROR: replication has
                                                       not begun, and the
                                                       connection is as any */
    unsigned                          syntax:1;     /* ERROR: of the parser,
                                                       or so it says */
    unsigned                          read_only:2;  /* ERROR: nothing may be
                                                       written there:
                                                       _PROTO_READ_ONLY_... */
} ngx_hyperdrive_proto_piece_t;


/* perhaps because the client has said so; whatever it has said */
#define NGX_HYPERDRIVE_PROTO_READ_ONLY_MAYBE    1
#define NGX_HYPERDRIVE_PROTO_READ_ONLY_SERVER   2

#define NGX_HYPERDRIVE_PROTO_DISCARD_ALL        1
#define NGX_HYPERDRIVE_PROTO_DISCARD_SEQUENCES  2
/* all that a session has, but for its schema */
#define NGX_HYPERDRIVE_PROTO_DISCARD_SESSION    3

/* of probe_row(): the piece is none */
#define NGX_HYPERDRIVE_PROTO_NO_ROW       ((ngx_uint_t) -1)

/* of client_hold() */

#define NGX_HYPERDRIVE_PROTO_TELL         0
#define NGX_HYPERDRIVE_PROTO_HOLD         1
#define NGX_HYPERDRIVE_PROTO_BACK         2
#define NGX_HYPERDRIVE_PROTO_MOVED        3         /* texts may be read in
                                                       another way now */


/* flags of origin_own() */

#define NGX_HYPERDRIVE_PROTO_OWN_ALONE    1         /* one with SYNC follows */
#define NGX_HYPERDRIVE_PROTO_OWN_SYNC     2
#define NGX_HYPERDRIVE_PROTO_OWN_BLOCK    4         /* it may begin a block */

/* a tag that its answer keeps when the client of the connection has left */
#define NGX_HYPERDRIVE_PROTO_TAG_NAME     0x7fffffff


/* what a database is, as it says at a log-in */

typedef enum {
    NGX_HYPERDRIVE_PROTO_ROLE_UNKNOWN = 0,
    NGX_HYPERDRIVE_PROTO_ROLE_PRIMARY,
    NGX_HYPERDRIVE_PROTO_ROLE_READ_ONLY,   /* ...in which nothing is written by
                                              default */
    NGX_HYPERDRIVE_PROTO_ROLE_REPLICA
} ngx_hyperdrive_proto_role_e;

/*
 * Where a database stands: what it has written, or replayed, so far; the
 * protocol's own.
 */

typedef struct {
    size_t                            len;
    u_char                            data[504];
} ngx_hyperdrive_proto_position_t;


/* a statement of our own that runs directly behind one of a client's text */

typedef struct {
    ngx_uint_t                        statement;    /* which, 0: the first */
    size_t                            at;           /* where it ends */
    ngx_str_t                         text;
} ngx_hyperdrive_proto_behind_t;


/*
 * A statement that will run on an origin: of a Query, or bound by a Bind.
 * Valid during the call.
 */

typedef struct {
    ngx_hyperdrive_state_stmt_t      *stmt;         /* NULL: nobody has read
                                                       it */
    ngx_str_t                         args;         /* a Bind's, from the
                                                       parameters' format codes
                                                       on */
    ngx_uint_t                        nparams;      /* MySQL: how many values
                                                       are in them; 0: they
                                                       cannot be read */
    unsigned                          cut:1;        /* not all of args is there
                                                       yet */
    unsigned                          bound:1;      /* <stmt> is bound: if it
                                                       changes settings, the
                                                       block, or what is
                                                       prepared, another call
                                                       tells... */
    unsigned                          executed:1;   /* ...that it runs */
    unsigned                          fetched:1;    /* ...or may do, or has
                                                       done, by a FETCH */
    unsigned                          named:1;      /* no <stmt>, but a name
                                                       that we have not given:
                                                       SQL's PREPARE has, or
                                                       nobody */
    unsigned                          prepares:1;   /* <stmt> does not run: it
                                                       is prepared under a name
                                                       of the client's own */
    unsigned                          replication:1; /* no <stmt>: as of a
                                                       unit... */
    unsigned                          endless:1;    /* ...and its answer may
                                                       last for ever */
    unsigned                          adds:1;       /* <behind> may be set... */
    unsigned                          outside:1;    /* ...and <stmt> is a Query,
                                                       outside of a block... */
    unsigned                          unsure:1;     /* ...or perhaps in one */
    unsigned                          dead:1;       /* it runs in a block that
                                                       has failed */

    /*
     * Set by who is called, and valid until the next call: what has to run
     * behind statements of <stmt>, in order.  It shares their fate, and its
     * answers are not shown, as pieces of <tag> or not at all.  With <apart> it
     * runs behind all of <stmt>, whatever becomes of that, and its errors are
     * pieces of <tag>.
     */
    ngx_hyperdrive_proto_behind_t    *behind;
    ngx_uint_t                        nbehind;
    ngx_uint_t                        tag;
    unsigned                          apart:1;
    unsigned                          counts:1;     /* set by who is called: it
                                                       is to be told when it is
                                                       done */
} ngx_hyperdrive_proto_run_t;

typedef void (*ngx_hyperdrive_proto_run_pt)(void *data,
    ngx_hyperdrive_proto_run_t *run);


struct ngx_hyperdrive_proto_s {
    ngx_str_t     name;
    in_port_t     port;
    ngx_uint_t    dialect;   /* of any text: what all modes of the lexer have,
                                bits of base/ngx_hyperdrive_base_mode.h */
    unsigned      settings:1;        /* start-up parameters are settings, which
                                        can be said again */
    unsigned      schemas:1;         /* a session may change its database: the
                                        URL's is for those who name none */

    /*
     * Log-in, at either end, over [*pos, last), cut anywhere:
     *   NGX_OK        logged in
     *   NGX_AGAIN     more input is needed
     *   NGX_DONE      do the TLS handshake (after <out> is sent), set
     *                 login->tls and cert_hash, call again
     *   NGX_BUSY      the client's end: user and database are known, set
     *                 trust, found and secret, call again
     *   NGX_DECLINED  the client's end: a cancel request
     *   NGX_ERROR     refused: <out> says it to the client; login->reason
     */

    /*
     * What we say first, or NULL: of a protocol in which the client begins.
     * <greeting>: what an origin has said, or NULL; <pid>: as in the welcome.
     */
    void        (*client_greet)(ngx_hyperdrive_proto_login_t *login,
                                ngx_str_t *greeting, uint32_t pid,
                                ngx_hyperdrive_chain_t *out);

    ngx_int_t   (*client_login)(ngx_hyperdrive_proto_login_t *login,
                                u_char **pos, u_char *last,
                                ngx_hyperdrive_chain_t *out);
    void        (*client_login_free)(ngx_hyperdrive_proto_login_t *login);

    /*
     * client_request() has said NGX_DECLINED: a client that is logged in asks
     * to be another one.  Consumes that request, and begins another log-in:
     * NGX_BUSY or NGX_ERROR, as above.  NULL: there is no such request.
     */
    ngx_int_t   (*client_change)(ngx_hyperdrive_proto_login_t *login,
                                 void *client, u_char **pos, u_char *last,
                                 ngx_hyperdrive_chain_t *out);

    /* what follows a client's log-in: greeting, cancel key, ready */
    void        (*client_welcome)(ngx_hyperdrive_proto_login_t *login,
                                  ngx_str_t *greeting, uint32_t pid,
                                  u_char *key, size_t len,
                                  ngx_hyperdrive_chain_t *out);

    ngx_int_t   (*origin_login)(ngx_hyperdrive_proto_login_t *login,
                                u_char **pos, u_char *last,
                                ngx_hyperdrive_chain_t *out);
    void        (*origin_login_free)(ngx_hyperdrive_proto_login_t *login);
    /* of login->keys */
    void        (*keys_free)(void **keys);

    /*
     * Whether a secret of a users file is a verifier, not a password: 0, or a
     * bit for its kind, 1 of those that _verifier() makes.
     */
    ngx_uint_t  (*is_verifier)(ngx_str_t *secret);
    /* what is wrong with a secret of a users file, as in "it is too long";
       NULL: nothing, of a password _verifier() can make one */
    char       *(*secret_wrong)(ngx_str_t *secret);
    /*
     * The verifier to be kept for a plain password: <out> has 256 bytes and
     * becomes a string.  <mock> has 32 bytes, the same as in log-ins.
     */
    ngx_int_t   (*verifier)(ngx_str_t *user, ngx_str_t *password,
                            u_char *mock, u_char *out);

    /*
     * A unit that asks an origin for what it knows of a user, by a text with
     * the name as its parameter: NGX_DECLINED: nobody has that name there, and
     * there is nothing to be asked; and its rows, with all that is around them:
     * NGX_OK: *secret, within <data>; NGX_DECLINED: no such user, as one whose
     * name is another to the byte, or without a secret; NGX_ERROR: something
     * else.
     */
    ngx_int_t   (*lookup_request)(ngx_str_t *text, ngx_str_t *user,
                                  ngx_hyperdrive_chain_t *out);
    ngx_int_t   (*lookup_row)(u_char *data, size_t len, ngx_str_t *user,
                              ngx_str_t *secret);

    /* the lexer's mode from what an origin said of itself */
    ngx_uint_t  (*mode)(ngx_str_t *greeting);

    /*
     * What the bytes of a client, or of an origin (the other one is NULL), go
     * through behind its log-in: NGX_OK: *codec, which is the caller's;
     * NGX_DECLINED: nothing; NGX_ERROR: no memory.  NULL: nothing, ever.
     */
    ngx_int_t   (*codec)(void *client, void *origin,
                         ngx_hyperdrive_base_codec_t **codec);

    /*
     * The client's end.
     */

    /* <login> NULL: there is none, requests are our own */
    void       *(*client_create)(ngx_hyperdrive_proto_ctx_t *ctx,
                                 ngx_uint_t mode,
                                 ngx_hyperdrive_proto_login_t *login);
    void        (*client_destroy)(void *client);
    /*
     * What has to be known of a client that no origin works for when another
     * worker takes it over: appended to <out>.  NGX_DECLINED: it is amid
     * something, and stays here.  _import(): a client made of it, NULL if it
     * is malformed, or without memory.  Input that has not been forwarded is
     * looked at anew.
     */
    ngx_int_t   (*client_export)(void *client, ngx_hyperdrive_chain_t *out);
    void       *(*client_import)(ngx_hyperdrive_proto_ctx_t *ctx,
                                 u_char *data, size_t len);
    /*
     * It has set what its texts are read by, or has it no more (NULL); as SQL
     * has it.  <scope>: what a statement stays bound to when it is prepared,
     * compared whole; copied.  NULL: it follows what origins report.
     */
    void        (*client_mode)(void *client, ngx_str_t *charset,
                               ngx_str_t *sql_mode, ngx_str_t *scope);
    /*
     * What it was told of its settings when it was welcomed: from now on it is
     * told what its origins report otherwise, with the end of each unit; if
     * it is to HOLD, not until it is called again; with BACK, it is told what
     * it knows now if the transaction that begins is rolled back.
     */
    void        (*client_told)(void *client, ngx_str_t *greeting);
    void        (*client_hold)(void *client, ngx_uint_t hold);

    /*
     * Looks at the unit in [pos, last), which may be incomplete; consumes
     * nothing.  Bytes already looked at are remembered until _forward() or
     * _serve() or _refuse() takes the unit.
     *   NGX_OK        a whole unit; <unit> is filled
     *   NGX_AGAIN     more is needed
     *   NGX_BUSY      it has outgrown the gather buffer: it streams
     *   NGX_DONE      the client says good-bye
     *   NGX_DECLINED  it asks to be another user: client_change()
     *   NGX_ERROR     it breaks the protocol: <err>
     */
    ngx_int_t   (*client_request)(void *client, u_char *pos, u_char *last,
                                  ngx_hyperdrive_proto_unit_t *unit,
                                  ngx_hyperdrive_proto_error_t *err);

    /*
     * What comes next is no request (copy data, the rest of a message): with
     * an origin at hand it goes to _forward() unread.
     */
    ngx_uint_t  (*client_data)(void *client, u_char *pos);

    /*
     * Answers a question from memory: _begin() appends what stands before the
     * rows (<head>: the description, or empty), _rows() some of them, cut
     * anywhere, _end() the rest.
     */
    void        (*serve_begin)(void *client,
                               ngx_hyperdrive_proto_unit_t *unit,
                               u_char *head, size_t len,
                               ngx_hyperdrive_chain_t *out);
    void        (*serve_rows)(void *client, u_char *data, size_t len,
                              ngx_hyperdrive_chain_t *out);
    /* ...returns how many rows there were, where the protocol counts them */
    ngx_uint_t  (*serve_end)(void *client, ngx_hyperdrive_proto_unit_t *unit,
                             ngx_hyperdrive_chain_t *out);

    /*
     * MySQL: answers a unit by numbers in one row, or by a list of conditions
     * that was kept; before _serve_end().  NULL: there is no such thing.
     */
    void        (*numbers)(void *client, ngx_hyperdrive_proto_unit_t *unit,
                           ngx_hyperdrive_proto_number_t *numbers,
                           ngx_uint_t n, ngx_hyperdrive_chain_t *out);
    void        (*conditions)(void *client, ngx_hyperdrive_proto_unit_t *unit,
                              ngx_hyperdrive_proto_conditions_t *list,
                              ngx_hyperdrive_chain_t *out);

    /* ...or by a query, as this client sends one, which is put instead of it;
       out->failed: no memory */
    void        (*client_query)(void *client, ngx_str_t *text,
                                ngx_hyperdrive_chain_t *out);

    /*
     * A transaction block that no origin knows: _begin() answers the unit and
     * keeps the BEGIN, which the next _forward() sends ahead; _end() answers
     * the end of such a block.
     */
    void        (*block_begin)(void *client,
                               ngx_hyperdrive_proto_unit_t *unit,
                               ngx_hyperdrive_chain_t *out);
    void        (*block_end)(void *client, ngx_hyperdrive_proto_unit_t *unit,
                             ngx_hyperdrive_chain_t *out);
    /* MySQL: whether each statement is a block; or NULL */
    void        (*block_autocommit)(void *client,
                                    ngx_hyperdrive_proto_unit_t *unit,
                                    ngx_hyperdrive_chain_t *out);

    /*
     * unit->prepare, of the unit at <pos>: <epoch> is the one it comes in.
     * If all of it is known from then, and <out> is not NULL, it is answered:
     * NGX_OK.  NGX_DECLINED: it is to be forwarded, and what becomes of it is
     * kept.
     */
    ngx_int_t   (*prepared)(void *client, ngx_hyperdrive_proto_unit_t *unit,
                            u_char *pos, uint64_t epoch,
                            ngx_hyperdrive_chain_t *out);

    /*
     * Refuses the unit with an error, as the database would: what follows up
     * to the Sync is skipped, and a block that no origin knows has failed.
     * Only outside a transaction.
     */
    void        (*refuse)(void *client, ngx_hyperdrive_proto_unit_t *unit,
                          ngx_hyperdrive_proto_error_t *err,
                          ngx_hyperdrive_chain_t *out);

    /*
     * The unit that is forwarded next will be kept: its rows have to come with
     * their description, asked for or not (piece->own).
     */
    void        (*describe)(void *client);
    /*
     * Values of parameters, as they were sent, of unit->bind with
     * unit->nparams of them: fills at most <max>, and returns how many.  <data>
     * is NULL of a NULL; others are valid until the next call.
     */
    ngx_uint_t  (*params)(ngx_str_t *bind, ngx_uint_t n, ngx_str_t *values,
                          ngx_uint_t max);
    /* a digest of what the client decodes rows by; never 0 */
    uint64_t    (*shape)(u_char *head, size_t len);

    /*
     * A client's unit, that client_request() has read last, as a unit of its
     * own, with no client behind it: its rows come described.  In one piece;
     * out->failed: no memory.
     */
    void        (*question)(void *client, ngx_hyperdrive_proto_unit_t *unit,
                            ngx_hyperdrive_chain_t *out);
    /* requests of our own, of client_create() without a log-in, have query
       attributes; NULL: there are none */
    void        (*client_attributes)(void *client);
    /*
     * A digest of an answer, of its head and its rows, whatever order these
     * stand in, and whoever was told them.
     */
    uint64_t    (*digest)(ngx_str_t *head, ngx_str_t *rows);

    /*
     * Appends an error of its own, not tied to a unit (then we close); to one
     * who is not logged in yet <client> is NULL.
     */
    void        (*error)(void *client, ngx_hyperdrive_proto_login_t *login,
                         ngx_hyperdrive_proto_error_t *err,
                         ngx_hyperdrive_chain_t *out);

    /*
     * The origin's end.
     */

    void       *(*origin_create)(ngx_hyperdrive_proto_ctx_t *ctx);
    void        (*origin_destroy)(void *origin);
    /* what it has said of its settings: at its log-in; by now */
    void        (*origin_said)(void *origin, ngx_str_t *greeting);
    void        (*origin_greeting)(void *origin, ngx_str_t *greeting);

    /*
     * Translates requests in [*pos, last) for this origin, message by message,
     * cut anywhere, and enters the expected answers into the ledger; answers
     * that we give ourselves go to <reply> as soon as it is their turn.
     *   NGX_OK        the end of a unit
     *   NGX_DECLINED  the same, but its end will not be answered: a Flush, or
     *                 what the database skips
     *   NGX_AGAIN     all is consumed that can be, more input is needed
     *   NGX_BUSY      call again when the ledger is empty
     *   NGX_ERROR     it breaks the protocol, or a bound: <err>
     * <run> is called with <data> for each statement that will run, before
     * its first byte is in <out>.
     */
    ngx_int_t   (*forward)(void *client, void *origin, u_char **pos,
                           u_char *last, ngx_hyperdrive_chain_t *out,
                           ngx_hyperdrive_chain_t *reply,
                           ngx_hyperdrive_proto_run_pt run, void *data,
                           ngx_hyperdrive_proto_error_t *err);

    /*
     * Takes the next piece of the origin's answers from [*pos, last).
     * <client> is NULL when it has left.  With <apart> what is of different
     * types is in pieces of its own; else a piece of ROWS may begin with what
     * is HEAD and OTHER.  What we answer ourselves at this
     * place is appended to <reply> after the piece has been passed on, by
     * the next call.
     *   NGX_OK        <piece> is filled
     *   NGX_AGAIN     more input is needed
     *   NGX_ERROR     the origin breaks the protocol: piece->data is why
     */
    ngx_int_t   (*answer)(void *client, void *origin, u_char **pos,
                          u_char *last, ngx_uint_t apart,
                          ngx_hyperdrive_chain_t *reply,
                          ngx_hyperdrive_proto_piece_t *piece);

    /*
     * A request of our own: one statement, without parameters.  Its answers
     * come as pieces with <tag> (not 0), one message each, rows whole.
     *
     * Without SYNC it shares the fate of what is forwarded next, which has to
     * begin a unit: nothing of that happens if it fails, and the error is the
     * client's, as the answer to its unit; what it did is rolled back if that
     * fails.  With SYNC it ends by itself, and all with ALONE before it, in
     * a READY with <tag>; their error is ours.  NGX_ERROR: no memory.
     */
    ngx_int_t   (*origin_own)(void *origin, ngx_str_t *text, ngx_uint_t tag,
                              ngx_uint_t flags, ngx_hyperdrive_chain_t *out);

    /*
     * piece->again: <data> is what has to be read once more, in front of the
     * client's input; valid until the next call.
     */
    ngx_int_t   (*repeat)(void *client, void *origin,
                          ngx_hyperdrive_chain_t *out, ngx_str_t *data);

    /*
     * Asks which of <pins>, _state_pin_ bits that are visible, a session has
     * left there: as an own request with <tag>, in one row, which _row()
     * reads.  Outside of a transaction.
     */
    ngx_int_t   (*origin_probe)(void *origin, ngx_uint_t pins, ngx_uint_t tag,
                                ngx_hyperdrive_chain_t *out);
    ngx_uint_t  (*probe_row)(u_char *data, size_t len);
    /* asks an idle origin for nothing, to see that it answers: as an own
       request with <tag>, whose end is a READY */
    ngx_int_t   (*origin_ping)(void *origin, ngx_uint_t tag,
                               ngx_hyperdrive_chain_t *out);
    /*
     * Takes away what a session has left on an idle origin: <all> of it, what
     * was prepared included, which is checked; or what it may have left
     * unseen.  If it fails, the origin does not become idle again.
     */
    ngx_int_t   (*origin_reset)(void *origin, ngx_uint_t all, int32_t seed,
                                ngx_hyperdrive_chain_t *out);

    /* the words of a piece of type ERROR, each ending with a NUL */
    void        (*error_text)(ngx_hyperdrive_proto_piece_t *piece,
                              u_char *sqlstate, u_char *message, size_t size);

    /* nothing is owed in either direction */
    ngx_uint_t  (*origin_settled)(void *origin);
    /* settled, and not in a transaction; whether it may be used again, says
       origin_abandon() */
    ngx_uint_t  (*origin_idle)(void *origin);
    /* an answer is owed, settled or not */
    ngx_uint_t  (*origin_owes)(void *origin);
    /*
     * Settled, but not yet known to be idle: asks.  NGX_OK: an answer is owed
     * now; NGX_DECLINED: there is nothing to ask; NGX_ERROR: no memory.
     */
    ngx_int_t   (*origin_check)(void *origin, ngx_hyperdrive_chain_t *out);
    /* it reads data, not requests: what comes goes to _forward() unread */
    ngx_uint_t  (*origin_copying)(void *origin);

    /*
     * The client has left: appends what brings the origin to idle; what is
     * owed is dropped as it comes.  Called again (client NULL) when it has
     * settled and is not idle: a ROLLBACK.  NGX_ERROR: it can only be closed
     * (half a message was sent).
     */
    ngx_int_t   (*origin_abandon)(void *client, void *origin,
                                  ngx_hyperdrive_chain_t *out);

    /*
     * What has to be known of an idle origin when another worker takes it over.
     * _export() returns the length, or 0 if it does not fit into <size>.
     */
    size_t      (*origin_export)(void *origin, u_char *buf, size_t size);
    ngx_int_t   (*origin_import)(void *origin, u_char *buf, size_t len);

    /* a request of our own, as one that a client sends: a unit, in one piece,
       with the attributes of <unit>, if that is not NULL; out->failed: no
       memory */
    void        (*query)(ngx_str_t *text, ngx_hyperdrive_proto_unit_t *unit,
                         ngx_hyperdrive_chain_t *out);

    /* a polite end */
    void        (*origin_terminate)(ngx_hyperdrive_chain_t *out);

    /* the request, on a connection of its own, that cancels what it does */
    void        (*origin_cancel)(uint32_t pid, ngx_str_t *key,
                                 ngx_hyperdrive_chain_t *out);
    /* ...or, if that is NULL, what a log-in of its own says: of the pid */
    char         *origin_kill;

    /*
     * Which server it is that this origin leads to: the text of an own request,
     * of one row.  The number by which it knows the origin; a name that no
     * other server has, nor itself when it is started anew; one that it has
     * then, too, or NULL; and for how many seconds it has been running.
     */
    char       *(*name_text)(void *origin);

    /*
     * Connections that nobody has any more.  The text of a question, for <buf>,
     * which of the numbers in <list> the database has, and had <age>
     * milliseconds ago: a row for each, of its number and a letter, 'a' if it
     * is at work, else 'i'; and one more, with another number, if it knows
     * this origin by another number than <own>.  And that of a statement that
     * ends one, which is of this user, and began between <from> and <to>
     * milliseconds ago, where the database tells.  <left_any>: it tells of
     * those of all users.
     */
    size_t      (*left_text)(void *origin, ngx_str_t *list, uint32_t own,
                             ngx_msec_t age, u_char *buf, size_t size);
    size_t      (*left_end)(uint32_t pid, ngx_msec_t from, ngx_msec_t to,
                            u_char *buf, size_t size);
    ngx_uint_t    left_any;

    /*
     * What ROWS pieces of its answer say: takes the next message from [*pos,
     * last).
     * NGX_OK: *n columns, 0 if it is no row; a NULL is an empty string;
     * NGX_AGAIN: more input is needed; NGX_ERROR: malformed, or more than *n
     * columns, for which <cols> has room.
     */
    ngx_int_t   (*row)(u_char **pos, u_char *last, ngx_str_t *cols,
                       ngx_uint_t *n);

    /*
     * Replicas.  What it is, and the name of what a replica says otherwise of
     * its settings than its primary, or NULL; both as said at the log-in.
     */
    ngx_hyperdrive_proto_role_e
                (*role)(ngx_str_t *greeting);
    char       *(*unlike)(ngx_str_t *primary, ngx_str_t *replica);

    /*
     * Asks where it stands: the text of a question, to be sent by query(), and
     * what the columns of its only row say.  A primary says what has been
     * written, all that it has acknowledged included; a replica what it has
     * replayed.  NGX_DECLINED: it is not what it was asked as; NGX_ERROR: it
     * does not say where it stands.
     */
    char       *(*position_text)(ngx_uint_t replica);
    ngx_int_t   (*position_row)(ngx_str_t *cols, ngx_uint_t n,
                                ngx_hyperdrive_proto_position_t *position);
    /* true if who stands at <replica> has all that was at <primary> */
    ngx_uint_t  (*position_has)(ngx_hyperdrive_proto_position_t *replica,
                                ngx_hyperdrive_proto_position_t *primary);
    /* true if between these two another one has become the primary */
    ngx_uint_t  (*position_other)(ngx_hyperdrive_proto_position_t *one,
                                  ngx_hyperdrive_proto_position_t *two);
};


#endif /* _NGX_HYPERDRIVE_PROTO_H_INCLUDED_ */
