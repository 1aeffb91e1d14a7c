
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_MYSQL_WIRE_H_INCLUDED_
#define _NGX_HYPERDRIVE_MYSQL_WIRE_H_INCLUDED_


#include "ngx_hyperdrive.h"
#include "ngx_hyperdrive_proto.h"
#include "mysql/ngx_hyperdrive_mysql_ledger.h"
#include "mysql/ngx_hyperdrive_mysql_packet.h"


/*
 * The two ends of a connection behind its log-in.  A unit is one command.
 */


/* a statement that stands for the last one that was prepared: MariaDB */
#define NGX_HYPERDRIVE_MYSQL_LAST        0xffffffffu

/* what stands ahead of the parameters: number, flags, iterations; or no
   iterations */
#define NGX_HYPERDRIVE_MYSQL_EXECUTE     10
#define NGX_HYPERDRIVE_MYSQL_BULK        7

#define NGX_HYPERDRIVE_MYSQL_FLAGS       5       /* ...where they stand */

#define NGX_HYPERDRIVE_MYSQL_BULK_TYPES  0x80

/* a flag of those who know query attributes: how many values there are is
   told even where the statement has no parameters */
#define NGX_HYPERDRIVE_MYSQL_COUNT_AVAILABLE  0x08

/* parameters and attributes of one command */
#define NGX_HYPERDRIVE_MYSQL_BIND_MAX    0xffff

/* what holds from one command to the next */
#define NGX_HYPERDRIVE_MYSQL_LASTING                                          \
    (NGX_HYPERDRIVE_MYSQL_OF_BLOCK | NGX_HYPERDRIVE_MYSQL_AUTOCOMMIT          \
     | NGX_HYPERDRIVE_MYSQL_NO_BACKSLASH | NGX_HYPERDRIVE_MYSQL_ANSI_QUOTES)

/* ...as there is a transaction */
#define NGX_HYPERDRIVE_MYSQL_OF_BLOCK                                         \
    (NGX_HYPERDRIVE_MYSQL_IN_TRANSACTION | NGX_HYPERDRIVE_MYSQL_IN_READ_ONLY)

/* ...as sql_mode is set */
#define NGX_HYPERDRIVE_MYSQL_OF_MODE                                          \
    (NGX_HYPERDRIVE_MYSQL_NO_BACKSLASH | NGX_HYPERDRIVE_MYSQL_ANSI_QUOTES)

/* a payload that has to be read whole */
#define NGX_HYPERDRIVE_MYSQL_MAX_WHOLE   (4 * 1024 * 1024)


/* what we answer to a command that no origin is asked about */

typedef enum {
    NGX_HYPERDRIVE_MYSQL_LOCAL_NONE = 0,     /* it has to be */
    NGX_HYPERDRIVE_MYSQL_LOCAL_NOTHING,      /* it has no answer */
    NGX_HYPERDRIVE_MYSQL_LOCAL_OK,
    NGX_HYPERDRIVE_MYSQL_LOCAL_END,          /* an EOF, or an OK for it */
    NGX_HYPERDRIVE_MYSQL_LOCAL_UNKNOWN,      /* a command that is none... */
    NGX_HYPERDRIVE_MYSQL_LOCAL_MALFORMED,
    NGX_HYPERDRIVE_MYSQL_LOCAL_STATEMENT,    /* ...a statement: to execute, */
    NGX_HYPERDRIVE_MYSQL_LOCAL_RESET,        /* to reset, */
    NGX_HYPERDRIVE_MYSQL_LOCAL_FETCH,        /* to fetch from */
    NGX_HYPERDRIVE_MYSQL_LOCAL_CURSOR,       /* ...a cursor */
    NGX_HYPERDRIVE_MYSQL_LOCAL_LONG,         /* the text is too long to be
                                                prepared */
    NGX_HYPERDRIVE_MYSQL_LOCAL_FULL,         /* too many are prepared */
    NGX_HYPERDRIVE_MYSQL_LOCAL_TYPES,        /* its parameters have none */
    NGX_HYPERDRIVE_MYSQL_LOCAL_LOST,         /* long data was */
    NGX_HYPERDRIVE_MYSQL_LOCAL_SCOPE,        /* it was prepared for another
                                                schema or character set */
    NGX_HYPERDRIVE_MYSQL_LOCAL_ERROR         /* the origin's own, kept */
} ngx_hyperdrive_mysql_local_e;


/* what a client calls a statement, by a number */

typedef struct ngx_hyperdrive_mysql_name_s  ngx_hyperdrive_mysql_name_t;

struct ngx_hyperdrive_mysql_name_s {
    ngx_hyperdrive_mysql_name_t      *next;
    ngx_hyperdrive_state_stmt_t      *stmt;       /* one reference */
    uint64_t                          id;         /* at origins, if it cannot
                                                     be the statement's; or 0 */
    uint32_t                          number;
    ngx_uint_t                        nparams;
    u_char                           *types;      /* two bytes each, as they
                                                     were bound last; or NULL */
    ngx_str_t                         named;      /* ...with names, and those
                                                     of attributes, if their
                                                     client knows these */
    ngx_uint_t                        nnamed;     /* ...how many; or 0 */
    uint64_t                          shape;      /* of the columns that its
                                                     client was told last, if
                                                     it keeps them; or 0 */
    uint64_t                          epoch;      /* it was prepared in, from
                                                     memory, and not executed
                                                     since; or 0 */
    unsigned                          lost:1;     /* long data was sent, and
                                                     got nowhere */
    unsigned                          data:1;     /* ...and is at an origin:
                                                     not all values are in the
                                                     execution */
};

typedef struct {
    ngx_hyperdrive_mysql_name_t     **buckets;
    ngx_uint_t                        nbuckets;
    ngx_uint_t                        n;
    size_t                            bytes;      /* with their statements */
    uint32_t                          last;       /* the last one's number */
} ngx_hyperdrive_mysql_names_t;


/* what a client believes */

typedef struct {
    ngx_hyperdrive_proto_ctx_t       *ctx;
    ngx_uint_t                        mode;       /* of the lexer */
    ngx_uint_t                        first_mode; /* ...after the log-in */
    ngx_str_t                         scope;      /* of what it prepares: the
                                                     types of its statements;
                                                     malloc */
    uint64_t                          caps;
    ngx_uint_t                        status;     /* as it was told last */

    ngx_hyperdrive_mysql_names_t      names;
    uint32_t                          last;       /* that was prepared, or 0 */
    ngx_hyperdrive_state_stmt_t      *question;   /* of the unit that is looked
                                                     at */
    ngx_hyperdrive_state_stmt_t      *begin;      /* that was answered, and goes
                                                     ahead of what is forwarded
                                                     next; one reference */
    ngx_hyperdrive_mysql_local_e      local;      /* ...as it is answered */
    uint32_t                          number;     /* ...its statement */

    ngx_hyperdrive_mysql_framer_t     framer;     /* of a command that comes in
                                                     parts */
    ngx_hyperdrive_mysql_framer_t     rows;       /* of rows from memory */
    ngx_hyperdrive_chain_t            end;        /* ...their last packet, as
                                                     far as it is there */

    size_t                            row;        /* ...a packet's length */
    ngx_hyperdrive_chain_t            grown;      /* of a command that has
                                                     become longer: what is not
                                                     sent yet... */
    size_t                            room;       /* ...of the packet that is
                                                     being sent */
    uint64_t                          shape;      /* of columns that are told */
    uint64_t                          epoch;      /* of the unit at hand */
    uint64_t                          expected;   /* of columns that come, what
                                                     was told of them before; or
                                                     0... */
    uint64_t                          found;      /* ...and what they are */
    ngx_uint_t                        served;     /* ...how many rows */

    u_char                            seq;        /* of the next packet that we
                                                     send */
    unsigned                          begun:1;    /* a row begins with it */
    unsigned                          headed:1;   /* ...and has its header */
    unsigned                          ending:1;   /* ...and is none */
    unsigned                          direct:1;   /* _MYSQL_LAST is a number */
    unsigned                          tracks:1;   /* a log-in is told of changes
                                                     of autocommit, if it wants
                                                     to be */
    unsigned                          multi:1;    /* several statements in one
                                                     text are fine */
    unsigned                          hears:1;    /* it wants to be told of
                                                     any change */
    unsigned                          typed:1;    /* <expected> is of their
                                                     types, too */
    unsigned                          drop:1;     /* what streams goes to
                                                     nowhere */
    unsigned                          answers:1;  /* ...has an answer */
    unsigned                          grows:1;    /* ...is cut into packets
                                                     anew */
    unsigned                          full:1;     /* ...of which the one that is
                                                     sent is full */
} ngx_hyperdrive_mysql_client_t;


/* where the answer stands that is being read */

typedef enum {
    NGX_HYPERDRIVE_MYSQL_FIRST = 0,          /* the first packet of a result */
    NGX_HYPERDRIVE_MYSQL_PARAMS,             /* definitions of parameters */
    NGX_HYPERDRIVE_MYSQL_PARAMS_END,         /* an EOF */
    NGX_HYPERDRIVE_MYSQL_COLUMNS,            /* ...of columns */
    NGX_HYPERDRIVE_MYSQL_COLUMNS_END,
    NGX_HYPERDRIVE_MYSQL_ROWS
} ngx_hyperdrive_mysql_phase_e;


/* what a connection to the database knows and owes */

typedef struct {
    ngx_hyperdrive_proto_ctx_t       *ctx;
    uint64_t                          caps;
    ngx_uint_t                        status;     /* of its last answer */

    ngx_hyperdrive_state_set_t        set;        /* prepared */
    ngx_uint_t                        held;       /* ...with long data or a
                                                     cursor of a client's */
    ngx_uint_t                        preparing;  /* PREPAREs in the ledger */
    ngx_hyperdrive_mysql_ledger_t     ledger;
    ngx_str_t                         greeting;   /* what it said at log-in */

    ngx_hyperdrive_mysql_phase_e      phase;
    uint64_t                          defs;       /* definitions to come */
    uint64_t                          columns;    /* ...behind those */
    size_t                            left;       /* of a packet's payload */
    ngx_uint_t                        tag;        /* of <ready> */
    u_char                            seq;        /* of what it sent last */
    ngx_hyperdrive_mysql_framer_t     infile;     /* what is sent into it */
    ngx_hyperdrive_chain_t            scratch;    /* a piece that we made */
    ngx_hyperdrive_chain_t            kept;       /* an error that is told
                                                     later */
    ngx_hyperdrive_chain_t            described;  /* the answer to a PREPARE, as
                                                     far as it has come, if it
                                                     is to be kept */

    unsigned                          mariadb:1;
    unsigned                          multi:1;    /* as the option is set */
    unsigned                          tells:2;    /* of any change, or what it
                                                     does by itself:
                                                     _TELLS_..., or 0 */
    unsigned                          pass:1;     /* <left> is the client's */
    unsigned                          more:1;     /* the row goes on in the next
                                                     packet */
    unsigned                          eof:1;      /* the columns have ended,
                                                     which is not told yet */
    unsigned                          unsure:1;   /* nobody knows whether a
                                                     transaction is open */
    unsigned                          ready:2;    /* a unit has ended, which is
                                                     not told yet: _READY_... */
    unsigned                          copy_in:1;  /* it reads a file of the
                                                     client's */
    unsigned                          asked:1;    /* it is asked for its log,
                                                     which it may refuse... */
    unsigned                          dump:1;     /* ...it sends it, and is
                                                     told what was received */
    unsigned                          replica:1;  /* to it the client is a
                                                     replica, to the end */
    unsigned                          partial:1;  /* half a command is sent */
    unsigned                          hold:1;     /* the ledger has to be empty
                                                     first */
    unsigned                          failed:1;   /* ...and what was asked for
                                                     has failed: <kept> */
    unsigned                          poisoned:1; /* may not be used again */
} ngx_hyperdrive_mysql_origin_t;

#define NGX_HYPERDRIVE_MYSQL_READY_CLIENT  1
#define NGX_HYPERDRIVE_MYSQL_READY_OWN     2

#define NGX_HYPERDRIVE_MYSQL_TELLS_CHANGES  1
#define NGX_HYPERDRIVE_MYSQL_TELLS_DEFAULT  2


/* ngx_hyperdrive_mysql_names.c */

ngx_hyperdrive_mysql_name_t *ngx_hyperdrive_mysql_names_find(
    ngx_hyperdrive_mysql_names_t *names, uint32_t number);
/* <number>, or the next one if it is 0; takes a reference.  NULL: no memory */
ngx_hyperdrive_mysql_name_t *ngx_hyperdrive_mysql_names_add(
    ngx_hyperdrive_mysql_names_t *names, uint32_t number,
    ngx_hyperdrive_state_stmt_t *stmt, ngx_uint_t nparams);
void ngx_hyperdrive_mysql_names_remove(ngx_hyperdrive_mysql_names_t *names,
    ngx_hyperdrive_state_registry_t *registry, uint32_t number);
void ngx_hyperdrive_mysql_names_clear(ngx_hyperdrive_mysql_names_t *names,
    ngx_hyperdrive_state_registry_t *registry);


/* ngx_hyperdrive_mysql_bind.c */

/* an execution, as its client has said it */

typedef struct {
    size_t                            at;         /* of the payload: behind
                                                     number and flags... */
    size_t                            head;       /* ...where values begin */
    ngx_uint_t                        n;          /* of the values: parameters,
                                                     then attributes */
    u_char                           *nulls;
    unsigned                          bulk:1;
    unsigned                          named:1;    /* its client knows
                                                     attributes */
    unsigned                          bound:1;    /* types are there, or none
                                                     are needed */
} ngx_hyperdrive_mysql_bind_t;

/*
 * Where the text of a COM_QUERY begins, behind a client's attributes: NGX_OK;
 * NGX_AGAIN: there has to be more of the command; NGX_DECLINED: malformed.
 */
ngx_int_t ngx_hyperdrive_mysql_bind_text(uint64_t caps, u_char *payload,
    size_t avail, size_t len, size_t *head);
/*
 * Reads what is ahead of a statement's values, and keeps the types.  NGX_OK:
 * these are not needed, or known; NGX_AGAIN: there has to be more of the
 * command; NGX_DECLINED: they are not known, or it is malformed; NGX_ERROR: no
 * memory.
 */
ngx_int_t ngx_hyperdrive_mysql_bind_read(ngx_hyperdrive_mysql_bind_t *bind,
    uint64_t caps, ngx_hyperdrive_mysql_name_t *name, u_char *payload,
    size_t avail, size_t len);
/*
 * The parameters alone, with their types, from the NULLs on; they stay until
 * it is called again.  NGX_DECLINED: they cannot be read.
 */
ngx_int_t ngx_hyperdrive_mysql_bind_args(ngx_hyperdrive_mysql_bind_t *bind,
    ngx_hyperdrive_mysql_name_t *name, u_char *payload, size_t len,
    ngx_str_t *args);
/* all up to the values as an origin of these capabilities has to be told it,
   in at most so many bytes; the position behind it */
size_t ngx_hyperdrive_mysql_bind_size(ngx_hyperdrive_mysql_bind_t *bind,
    ngx_hyperdrive_mysql_name_t *name);
u_char *ngx_hyperdrive_mysql_bind_put(ngx_hyperdrive_mysql_bind_t *bind,
    ngx_hyperdrive_mysql_name_t *name, uint64_t caps, u_char *payload,
    u_char *p);


/* ngx_hyperdrive_mysql_client.c */

void *ngx_hyperdrive_mysql_client_create(ngx_hyperdrive_proto_ctx_t *ctx,
    ngx_uint_t mode, ngx_hyperdrive_proto_login_t *login);
void ngx_hyperdrive_mysql_client_destroy(void *client);
void ngx_hyperdrive_mysql_client_mode(void *client, ngx_str_t *charset,
    ngx_str_t *sql_mode, ngx_str_t *scope);
/* NGX_ERROR: no memory, and nothing has changed */
ngx_int_t ngx_hyperdrive_mysql_client_scope(
    ngx_hyperdrive_mysql_client_t *client, ngx_str_t *scope);
/* why it may not prepare a text of <len> bytes, or _NONE */
ngx_hyperdrive_mysql_local_e ngx_hyperdrive_mysql_client_refuses(
    ngx_hyperdrive_mysql_client_t *client, size_t len);
/* whether what it has prepared means now what it meant then */
ngx_uint_t ngx_hyperdrive_mysql_client_same_scope(
    ngx_hyperdrive_mysql_client_t *client, ngx_hyperdrive_state_stmt_t *stmt);
void ngx_hyperdrive_mysql_client_told(void *client, ngx_str_t *greeting);
/* by its number in a command's payload, which is set; NULL: there is none */
ngx_hyperdrive_mysql_name_t *ngx_hyperdrive_mysql_client_name(
    ngx_hyperdrive_mysql_client_t *client, u_char *p, size_t len,
    uint32_t *number);
ngx_int_t ngx_hyperdrive_mysql_client_request(void *client, u_char *pos,
    u_char *last, ngx_hyperdrive_proto_unit_t *unit,
    ngx_hyperdrive_proto_error_t *err);
ngx_uint_t ngx_hyperdrive_mysql_client_data(void *client, u_char *pos);
void ngx_hyperdrive_mysql_client_refuse(void *client,
    ngx_hyperdrive_proto_unit_t *unit, ngx_hyperdrive_proto_error_t *err,
    ngx_hyperdrive_chain_t *out);
/* the unit that was looked at is done with */
void ngx_hyperdrive_mysql_client_looked(ngx_hyperdrive_mysql_client_t *client);
/* a BEGIN, and its end, that no origin knows */
void ngx_hyperdrive_mysql_client_begin(void *client,
    ngx_hyperdrive_proto_unit_t *unit, ngx_hyperdrive_chain_t *out);
void ngx_hyperdrive_mysql_client_end(void *client,
    ngx_hyperdrive_proto_unit_t *unit, ngx_hyperdrive_chain_t *out);
void ngx_hyperdrive_mysql_client_autocommit(void *client,
    ngx_hyperdrive_proto_unit_t *unit, ngx_hyperdrive_chain_t *out);
/* what is to be said of a command whose payload begins at <p>, if <len> bytes
   of it are there, without an origin's help; *number is its statement */
ngx_hyperdrive_mysql_local_e ngx_hyperdrive_mysql_client_local(
    ngx_hyperdrive_mysql_client_t *client, u_char *p, size_t len,
    uint32_t *number);
/* does what the client is told by such an answer to a command... */
void ngx_hyperdrive_mysql_client_done(ngx_hyperdrive_mysql_client_t *client,
    u_char *p, size_t len);
/* its session is as it was after the log-in */
void ngx_hyperdrive_mysql_client_reset(ngx_hyperdrive_mysql_client_t *client);
/* ...and appends it */
void ngx_hyperdrive_mysql_client_answer(ngx_hyperdrive_mysql_client_t *client,
    ngx_hyperdrive_mysql_local_e local, uint32_t number, u_char *seq,
    ngx_hyperdrive_chain_t *out);


/* ngx_hyperdrive_mysql_export.c */

ngx_int_t ngx_hyperdrive_mysql_export(void *client,
    ngx_hyperdrive_chain_t *out);
void *ngx_hyperdrive_mysql_import(ngx_hyperdrive_proto_ctx_t *ctx,
    u_char *data, size_t len);


/* ngx_hyperdrive_mysql_serve.c */

void ngx_hyperdrive_mysql_serve_begin(void *client,
    ngx_hyperdrive_proto_unit_t *unit, u_char *head, size_t len,
    ngx_hyperdrive_chain_t *out);
void ngx_hyperdrive_mysql_serve_rows(void *client, u_char *data, size_t len,
    ngx_hyperdrive_chain_t *out);
ngx_uint_t ngx_hyperdrive_mysql_serve_end(void *client,
    ngx_hyperdrive_proto_unit_t *unit, ngx_hyperdrive_chain_t *out);
uint64_t ngx_hyperdrive_mysql_serve_shape(u_char *head, size_t len);
uint64_t ngx_hyperdrive_mysql_serve_digest(ngx_str_t *head, ngx_str_t *rows);
char *ngx_hyperdrive_mysql_left_name(void *origin);
size_t ngx_hyperdrive_mysql_left_text(void *origin, ngx_str_t *list,
    uint32_t own, ngx_msec_t age, u_char *buf, size_t size);
size_t ngx_hyperdrive_mysql_left_end(uint32_t pid, ngx_msec_t from,
    ngx_msec_t to, u_char *buf, size_t size);
ngx_int_t ngx_hyperdrive_mysql_serve_row(u_char **pos, u_char *last,
    ngx_str_t *cols, ngx_uint_t *n);


/* a definition that was kept, as the client understands it */
void ngx_hyperdrive_mysql_serve_definition(
    ngx_hyperdrive_mysql_client_t *client, ngx_str_t *payload, u_char *seq,
    ngx_hyperdrive_chain_t *out);


/* ngx_hyperdrive_mysql_prepared.c */

ngx_int_t ngx_hyperdrive_mysql_prepared(void *client,
    ngx_hyperdrive_proto_unit_t *unit, u_char *pos, uint64_t epoch,
    ngx_hyperdrive_chain_t *out);
/* of the statement before there are no conditions any more */
#define ngx_hyperdrive_mysql_prepared_clears(stmt)                           \
    ((ngx_hyperdrive_state_does((stmt)->plan.each, 0)                        \
      & (NGX_HYPERDRIVE_STATE_DOES_KEEP|NGX_HYPERDRIVE_STATE_DOES_LOOK)) == 0)
/* what is to be kept of the first answer: a packet, but no EOF; its end */
void ngx_hyperdrive_mysql_prepared_packet(ngx_hyperdrive_mysql_origin_t *o,
    u_char *p, size_t len);
void ngx_hyperdrive_mysql_prepared_end(ngx_hyperdrive_mysql_origin_t *o);
/* the client's statement <number> is answered by <n> columns; one of them:
   true if its client was told otherwise from memory */
ngx_uint_t ngx_hyperdrive_mysql_prepared_columns(
    ngx_hyperdrive_mysql_client_t *c, uint32_t number, uint64_t n);
ngx_uint_t ngx_hyperdrive_mysql_prepared_column(
    ngx_hyperdrive_mysql_client_t *c, u_char *p, size_t len, ngx_uint_t last);
/* an error to what <reply> stands for, and one to what had been prepared: true
   if the catalog is another one, by its number */
ngx_uint_t ngx_hyperdrive_mysql_prepared_failed(
    ngx_hyperdrive_mysql_client_t *c, ngx_hyperdrive_mysql_reply_t *reply,
    ngx_uint_t code);
ngx_uint_t ngx_hyperdrive_mysql_prepared_changed(ngx_uint_t code);


/* ngx_hyperdrive_mysql_params.c */

/* of COM_STMT_EXECUTE, from the NULLs on, with the types in it */
ngx_uint_t ngx_hyperdrive_mysql_params(ngx_str_t *bind, ngx_uint_t n,
    ngx_str_t *values, ngx_uint_t max);
/* the position behind one value, which is not NULL; NULL: malformed */
u_char *ngx_hyperdrive_mysql_params_skip(u_char *type, u_char *p, u_char *end);


/* ngx_hyperdrive_mysql_diag.c */

void ngx_hyperdrive_mysql_diag_numbers(void *client,
    ngx_hyperdrive_proto_unit_t *unit, ngx_hyperdrive_proto_number_t *numbers,
    ngx_uint_t n, ngx_hyperdrive_chain_t *out);
void ngx_hyperdrive_mysql_diag_conditions(void *client,
    ngx_hyperdrive_proto_unit_t *unit,
    ngx_hyperdrive_proto_conditions_t *list, ngx_hyperdrive_chain_t *out);
void ngx_hyperdrive_mysql_diag_query(void *client, ngx_str_t *text,
    ngx_hyperdrive_chain_t *out);


/*
 * A client that keeps what it was told of a statement's columns (MariaDB's
 * cached metadata): the number of columns comes with a byte that says whether
 * they follow; and the digest of some, with one more.
 */
#define ngx_hyperdrive_mysql_serve_keeps(client)                             \
    (((client)->caps & NGX_HYPERDRIVE_MYSQL_MARIADB_CACHE_METADATA) != 0)
void ngx_hyperdrive_mysql_serve_count(ngx_hyperdrive_chain_t *out,
    u_char *payload, size_t len, ngx_uint_t follow, u_char *seq);
uint64_t ngx_hyperdrive_mysql_serve_shaped(uint64_t shape, u_char *payload,
    size_t len);


/* ngx_hyperdrive_mysql_question.c */

void ngx_hyperdrive_mysql_question(void *client,
    ngx_hyperdrive_proto_unit_t *unit, ngx_hyperdrive_chain_t *out);
void ngx_hyperdrive_mysql_question_query(ngx_str_t *text,
    ngx_hyperdrive_proto_unit_t *unit, ngx_hyperdrive_chain_t *out);
void ngx_hyperdrive_mysql_question_attributes(void *client);


/* ngx_hyperdrive_mysql_error.c */

/* an error of ours: <err> in the words of PostgreSQL's codes */
void ngx_hyperdrive_mysql_error(ngx_hyperdrive_chain_t *out, uint64_t caps,
    ngx_hyperdrive_proto_error_t *err, u_char *seq);
/* whether it says that nothing has been done; <sqlstate> may be NULL */
ngx_uint_t ngx_hyperdrive_mysql_error_early(ngx_uint_t code,
    u_char *sqlstate);
void ngx_hyperdrive_mysql_error_own(void *client,
    ngx_hyperdrive_proto_login_t *login, ngx_hyperdrive_proto_error_t *err,
    ngx_hyperdrive_chain_t *out);
void ngx_hyperdrive_mysql_error_text(ngx_hyperdrive_proto_piece_t *piece,
    u_char *sqlstate, u_char *message, size_t size);


/* ngx_hyperdrive_mysql_forward.c */

typedef struct {
    ngx_hyperdrive_mysql_client_t    *client;
    ngx_hyperdrive_mysql_origin_t    *origin;
    u_char                           *pos;        /* of a command's header */
    u_char                           *last;
    u_char                           *payload;
    size_t                            len;        /* of the first packet */
    size_t                            avail;      /* ...as far as it is there */
    ngx_hyperdrive_chain_t           *out;
    ngx_hyperdrive_proto_run_pt       run;
    void                             *data;
    ngx_hyperdrive_proto_error_t     *err;
} ngx_hyperdrive_mysql_forward_t;

ngx_int_t ngx_hyperdrive_mysql_forward(void *client, void *origin,
    u_char **pos, u_char *last, ngx_hyperdrive_chain_t *out,
    ngx_hyperdrive_chain_t *reply, ngx_hyperdrive_proto_run_pt run, void *data,
    ngx_hyperdrive_proto_error_t *err);
ngx_int_t ngx_hyperdrive_mysql_forward_error(
    ngx_hyperdrive_mysql_forward_t *f, char *sqlstate, char *text);
ngx_hyperdrive_mysql_reply_t *ngx_hyperdrive_mysql_forward_expect(
    ngx_hyperdrive_mysql_forward_t *f, ngx_hyperdrive_mysql_reply_e type,
    ngx_hyperdrive_mysql_action_e action);
/*
 * The command with the first <len> bytes of its payload in place of <skip>.
 * NGX_ERROR: no memory, or it is a long one and cannot become shorter.
 */
ngx_int_t ngx_hyperdrive_mysql_forward_as(ngx_hyperdrive_mysql_forward_t *f,
    u_char *head, size_t len, size_t skip);
/* the command as it is, from <skip> bytes of its header and payload on */
ngx_int_t ngx_hyperdrive_mysql_forward_rest(ngx_hyperdrive_mysql_forward_t *f,
    size_t skip);
/* we answer it ourselves, when its turn comes */
ngx_int_t ngx_hyperdrive_mysql_forward_local(ngx_hyperdrive_mysql_forward_t *f,
    ngx_hyperdrive_mysql_local_e local, uint32_t number);
ngx_int_t ngx_hyperdrive_mysql_forward_hold(ngx_hyperdrive_mysql_forward_t *f);
/* whether its answer may be a question for a file; <stmt>: NULL: not read */
ngx_uint_t ngx_hyperdrive_mysql_forward_asks(
    ngx_hyperdrive_mysql_forward_t *f, ngx_hyperdrive_state_stmt_t *stmt);
void ngx_hyperdrive_mysql_forward_run(ngx_hyperdrive_mysql_forward_t *f,
    ngx_hyperdrive_state_stmt_t *stmt, u_char *args, size_t len,
    ngx_uint_t cut);


/* ngx_hyperdrive_mysql_forward_stmt.c */

ngx_int_t ngx_hyperdrive_mysql_forward_prepare(
    ngx_hyperdrive_mysql_forward_t *f);
ngx_int_t ngx_hyperdrive_mysql_forward_execute(
    ngx_hyperdrive_mysql_forward_t *f);
ngx_int_t ngx_hyperdrive_mysql_forward_long_data(
    ngx_hyperdrive_mysql_forward_t *f);
ngx_int_t ngx_hyperdrive_mysql_forward_fetch(
    ngx_hyperdrive_mysql_forward_t *f);
ngx_int_t ngx_hyperdrive_mysql_forward_reset(
    ngx_hyperdrive_mysql_forward_t *f);
ngx_int_t ngx_hyperdrive_mysql_forward_close(
    ngx_hyperdrive_mysql_forward_t *f);
/* a command of our own with a number: close, reset; NGX_OK or NGX_ERROR */
ngx_int_t ngx_hyperdrive_mysql_forward_number(ngx_hyperdrive_chain_t *out,
    ngx_hyperdrive_mysql_com_e com, uint32_t number);


/* ngx_hyperdrive_mysql_answer.c */

ngx_int_t ngx_hyperdrive_mysql_answer(void *client, void *origin,
    u_char **pos, u_char *last, ngx_uint_t apart,
    ngx_hyperdrive_chain_t *reply, ngx_hyperdrive_proto_piece_t *piece);


/* whether the packet at <p> ends rows */
ngx_uint_t ngx_hyperdrive_mysql_answer_is_end(
    ngx_hyperdrive_mysql_origin_t *o, u_char *p, size_t len);


/* ngx_hyperdrive_mysql_answer_packet.c */

/*
 * One packet that is no row.  NGX_OK: the piece is the client's;
 * NGX_DECLINED: it is not; NGX_AGAIN: it is, and the packet is looked at once
 * more behind it.
 */
ngx_int_t ngx_hyperdrive_mysql_answer_packet(
    ngx_hyperdrive_mysql_client_t *c, ngx_hyperdrive_mysql_origin_t *o,
    u_char *p, size_t len, ngx_hyperdrive_proto_piece_t *piece);
/* between columns and rows, for a client that waits for it: 1: it is told */
ngx_uint_t ngx_hyperdrive_mysql_answer_packet_eof(
    ngx_hyperdrive_mysql_client_t *c, ngx_hyperdrive_mysql_origin_t *o,
    ngx_hyperdrive_proto_piece_t *piece);
/* what the origin says now is for the client */
ngx_uint_t ngx_hyperdrive_mysql_answer_packet_passes(
    ngx_hyperdrive_mysql_client_t *c, ngx_hyperdrive_mysql_origin_t *o);
/* the first answer has come to its end */
void ngx_hyperdrive_mysql_answer_packet_done(
    ngx_hyperdrive_mysql_origin_t *o);
ngx_int_t ngx_hyperdrive_mysql_answer_packet_bad(
    ngx_hyperdrive_proto_piece_t *piece, char *text);


/* ngx_hyperdrive_mysql_origin.c */

void *ngx_hyperdrive_mysql_origin_create(ngx_hyperdrive_proto_ctx_t *ctx);
void ngx_hyperdrive_mysql_origin_destroy(void *origin);
void ngx_hyperdrive_mysql_origin_said(void *origin, ngx_str_t *greeting);
void ngx_hyperdrive_mysql_origin_greeting(void *origin, ngx_str_t *greeting);
ngx_uint_t ngx_hyperdrive_mysql_origin_settled(void *origin);
ngx_uint_t ngx_hyperdrive_mysql_origin_idle(void *origin);
ngx_uint_t ngx_hyperdrive_mysql_origin_owes(void *origin);
ngx_uint_t ngx_hyperdrive_mysql_origin_copying(void *origin);
ngx_int_t ngx_hyperdrive_mysql_origin_abandon(void *client, void *origin,
    ngx_hyperdrive_chain_t *out);
size_t ngx_hyperdrive_mysql_origin_export(void *origin, u_char *buf,
    size_t size);
ngx_int_t ngx_hyperdrive_mysql_origin_import(void *origin, u_char *buf,
    size_t len);
/* a query as <o> wants it */
void ngx_hyperdrive_mysql_origin_text(ngx_hyperdrive_mysql_origin_t *o,
    ngx_str_t *text, ngx_hyperdrive_chain_t *out);
void ngx_hyperdrive_mysql_origin_terminate(ngx_hyperdrive_chain_t *out);
ngx_int_t ngx_hyperdrive_mysql_origin_own(void *origin, ngx_str_t *text,
    ngx_uint_t tag, ngx_uint_t flags, ngx_hyperdrive_chain_t *out);
ngx_int_t ngx_hyperdrive_mysql_origin_ping(void *origin, ngx_uint_t tag,
    ngx_hyperdrive_chain_t *out);
/*
 * Asks what is not known: NGX_OK; NGX_DECLINED: nothing is; NGX_ERROR: no
 * memory.
 */
ngx_int_t ngx_hyperdrive_mysql_origin_check(void *origin,
    ngx_hyperdrive_chain_t *out);
ngx_int_t ngx_hyperdrive_mysql_origin_reset(void *origin, ngx_uint_t all,
    int32_t seed, ngx_hyperdrive_chain_t *out);
/* it is not held by a client's statement any more */
void ngx_hyperdrive_mysql_origin_let_go(ngx_hyperdrive_mysql_origin_t *o,
    ngx_hyperdrive_state_item_t *item);


/* ngx_hyperdrive_mysql_tracker.c */

/* ahead of a command; <stmt>: NULL: it is not read */
ngx_int_t ngx_hyperdrive_mysql_tracker(ngx_hyperdrive_mysql_forward_t *f,
    ngx_hyperdrive_state_stmt_t *stmt);


#endif /* _NGX_HYPERDRIVE_MYSQL_WIRE_H_INCLUDED_ */
