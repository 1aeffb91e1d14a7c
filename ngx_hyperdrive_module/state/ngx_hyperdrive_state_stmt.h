
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_STATE_STMT_H_INCLUDED_
#define _NGX_HYPERDRIVE_STATE_STMT_H_INCLUDED_


#include "ngx_hyperdrive.h"


/*
 * Three things that are easily confused (PgBouncer keeps them apart too):
 *
 *   stmt    a statement text with its parameter types, once per worker, and
 *           what is known of it: the plan and the description;
 *   names   what one client calls its statements;
 *   set     which statements one origin connection has prepared.
 */


/* a BEGIN that may be answered before it is sent, by its isolation level */

typedef enum {
    NGX_HYPERDRIVE_STATE_BEGIN_NONE = 0,       /* it is none */
    NGX_HYPERDRIVE_STATE_BEGIN_DEFAULT,        /* the session's default */
    NGX_HYPERDRIVE_STATE_BEGIN_READ_COMMITTED,
    NGX_HYPERDRIVE_STATE_BEGIN_SNAPSHOT        /* one for the whole block */
} ngx_hyperdrive_state_begin_e;


typedef enum {
    NGX_HYPERDRIVE_STATE_AUTOCOMMIT_NONE = 0,
    NGX_HYPERDRIVE_STATE_AUTOCOMMIT_OFF,
    NGX_HYPERDRIVE_STATE_AUTOCOMMIT_ON
} ngx_hyperdrive_state_autocommit_e;


/*
 * MySQL: a transaction may be open behind it that no answer tells of, and no
 * ROLLBACK or reset ends
 */

typedef enum {
    NGX_HYPERDRIVE_STATE_HIDES_NONE = 0,
    NGX_HYPERDRIVE_STATE_HIDES_UNREAD,         /* it runs, or prepares, a text
                                                  that is not in it */
    NGX_HYPERDRIVE_STATE_HIDES_ONE
} ngx_hyperdrive_state_hides_e;


/*
 * MySQL: what is asked of an earlier statement on the same connection; the sql
 * room's values.
 */

#define NGX_HYPERDRIVE_STATE_ASKS_INSERT_ID    0x01   /* LAST_INSERT_ID() */
#define NGX_HYPERDRIVE_STATE_ASKS_FOUND_ROWS   0x02
#define NGX_HYPERDRIVE_STATE_ASKS_ROW_COUNT    0x04
#define NGX_HYPERDRIVE_STATE_ASKS_WARNINGS     0x08


/* ...and what FOUND_ROWS() says behind it */

typedef enum {
    NGX_HYPERDRIVE_STATE_FOUND_UNKNOWN = 0,
    NGX_HYPERDRIVE_STATE_FOUND_SAME,           /* what it said before */
    NGX_HYPERDRIVE_STATE_FOUND_ROWS,           /* how many rows came */
    NGX_HYPERDRIVE_STATE_FOUND_WANTED          /* it is going to be asked */
} ngx_hyperdrive_state_found_e;


/*
 * ...what one statement does to all of that, four bits: a _state_found_e, that
 * the conditions of the one before it stay unless it has some itself, and that
 * it only looks at them.  Of a text there are as many; the last one is also
 * what those behind it do.
 */

#define NGX_HYPERDRIVE_STATE_DOES_FOUND        0x03
#define NGX_HYPERDRIVE_STATE_DOES_KEEP         0x04
#define NGX_HYPERDRIVE_STATE_DOES_LOOK         0x08

#define NGX_HYPERDRIVE_STATE_EACH              7
#define NGX_HYPERDRIVE_STATE_EACH_ALIKE        0x1111111    /* times what */

#define ngx_hyperdrive_state_does(each, n)                                    \
    (((each) >> (4 * ngx_min(n, NGX_HYPERDRIVE_STATE_EACH - 1))) & 0x0f)


/* what the classifier said of the text; values of the sql room */

typedef struct {
    ngx_uint_t                        kind;
    ngx_uint_t                        reason;      /* 0: cacheable */
    unsigned                          read:1;
    unsigned                          stateful:1;
    unsigned                          leaves:15;      /* _state_pin_ bits */
    unsigned                          recalls:1;      /* lastval() or currval()
                                                         is called */
    unsigned                          fetches:1;      /* FETCH or MOVE */
    unsigned                          ends:1;         /* it may take away what
                                                         was left */
    unsigned                          discard:1;      /* DISCARD, alone */
    unsigned                          transaction:1;  /* BEGIN, COMMIT... is
                                                         in it */
    unsigned                          single:1;       /* one statement, which
                                                         is understood */
    unsigned                          defer:2;        /* a BEGIN that may be
                                                         answered by us: a
                                                         _state_begin_e */
    unsigned                          start:1;        /* ...by the words START
                                                         TRANSACTION */
    unsigned                          commits:1;      /* COMMIT that we may
                                                         answer: no CHAIN */
    unsigned                          rolls_back:1;   /* ROLLBACK, the same */
    unsigned                          releases:1;     /* MySQL: the connection
                                                         ends behind it */
    unsigned                          autocommit:2;   /* MySQL: SET autocommit,
                                                         and nothing else: a
                                                         _state_autocommit_e */
    unsigned                          hides:2;        /* MySQL: ...together with
                                                         what reads tables: a
                                                         _state_hides_e */
    unsigned                          settings:1;     /* it changes settings,
                                                         and can be told how */
    unsigned                          alone:1;        /* it may not run in one
                                                         transaction with what
                                                         is sent ahead */
    unsigned                          deallocate:1;   /* DEALLOCATE, alone */
    unsigned                          forgets:1;      /* prepared statements
                                                         may be gone behind it:
                                                         DEALLOCATE, DISCARD */
    unsigned                          executed:1;     /* one of the three above,
                                                         or a transaction:
                                                         portals of it are
                                                         followed */
    unsigned                          may_write:1;    /* rows or the catalog may
                                                         be changed */
    unsigned                          ddl:1;          /* ...and not only
                                                         rows... */
    unsigned                          perhaps:1;      /* ...as long as the
                                                         database's catalog
                                                         does not deny it */
    unsigned                          defaults:1;     /* or what sessions begin
                                                         with */
    unsigned                          local:1;        /* search_path may be
                                                         another one up to the
                                                         end of the block */
    unsigned                          asks:4;         /* MySQL: what of the
                                                         statement before:
                                                         _state_asks_ bits */
    unsigned                          brief:1;        /* MySQL: what it sets is
                                                         set for it alone */
    unsigned                          each:28;        /* what its statements do
                                                         to that: see above */
    unsigned                          plain:1;        /* no transaction begins
                                                         or ends in it */
    unsigned                          no_cache:1;     /* a hint in front of it
                                                         says so */
    unsigned                          executes:1;     /* EXECUTE, and nothing
                                                         else runs: its
                                                         arguments call no
                                                         function */
    ngx_msec_t                        max_age;        /* ...or this; 0: it says
                                                         nothing */

    /* PREPARE or EXECUTE, alone: where the text has the name, and what is
       prepared; len 0: it is neither; body 0: it is not PREPARE */
    uint32_t                          name;
    uint32_t                          name_len;
    uint32_t                          body;
} ngx_hyperdrive_state_plan_t;


typedef struct ngx_hyperdrive_state_stmt_s  ngx_hyperdrive_state_stmt_t;
typedef struct ngx_hyperdrive_state_desc_s  ngx_hyperdrive_state_desc_t;


/*
 * An epoch: the time in which one database, as one user sees it with the same
 * settings, has the same catalog.  Later ones of a database are greater; a
 * number belongs to one database and user only.
 */

#define NGX_HYPERDRIVE_STATE_NO_EPOCH    0   /* nobody keeps an eye on it */
#define NGX_HYPERDRIVE_STATE_CHANGING    ((uint64_t) -1)


/* it was prepared in <epoch>, and described if there is <len> */

struct ngx_hyperdrive_state_desc_s {
    ngx_hyperdrive_state_desc_t      *next;
    uint64_t                          epoch;
    uint64_t                          shape;       /* of the rows, a digest */
    size_t                            len;
    u_char                            data[];      /* the answer to Describe,
                                                      as messages */
};

struct ngx_hyperdrive_state_stmt_s {
    ngx_hyperdrive_state_stmt_t      *next;        /* in the hash chain */
    ngx_queue_t                       queue;       /* of those to be freed; it
                                                      may have been taken into
                                                      use since */
    uint32_t                          refs;
    uint32_t                          used;        /* since it was passed */
    uint64_t                          hash;
    uint64_t                          id;          /* its name at origins; 0
                                                      until it is prepared
                                                      under one */
    ngx_hyperdrive_state_plan_t       plan;

    ngx_hyperdrive_state_desc_t      *descs;       /* the last used first */

    /* no other statement of this process has or had the number; and the plan
       that was used last, of whom the tag says */
    uint64_t                          serial;
    uint64_t                          plan_tag;
    void                             *plan_last;
    uint64_t                          policy_tag;  /* the same, for what
                                                      policy says */
    void                             *policy_last;

    uint64_t                          digest;      /* of its form, for logs; 0:
                                                      nobody has asked */
    ngx_uint_t                        mode;
    size_t                            types_len;
    size_t                            len;
    u_char                           *types;       /* behind the text */
    u_char                            text[];
};


#define ngx_hyperdrive_state_stmt_size(stmt)                                  \
    (sizeof(ngx_hyperdrive_state_stmt_t) + (stmt)->len + (stmt)->types_len)

/* EXECUTE: its rows are those of what has the name in it */
#define ngx_hyperdrive_state_stmt_runs_name(stmt)                            \
    ((stmt)->plan.name_len && (stmt)->plan.body == 0)


typedef void (*ngx_hyperdrive_state_classify_pt)(ngx_str_t *text,
    ngx_uint_t mode, ngx_hyperdrive_state_plan_t *plan);

typedef struct ngx_hyperdrive_state_registry_s
    ngx_hyperdrive_state_registry_t;

/*
 * The worker's statements.  Those that nobody refers to are kept while all
 * texts together take less than <bytes>: then the oldest go that were not used
 * since they were passed.  A use touches no other statement: among many, each
 * is in memory that is waited for.
 */
ngx_hyperdrive_state_registry_t *ngx_hyperdrive_state_registry_create(
    size_t bytes, ngx_hyperdrive_state_classify_pt classify);

/*
 * The statement of this text, parameter types (the bytes of the message) and
 * lexer mode, made and classified if it is new.  One reference is the
 * caller's.  NULL: no memory.
 */
ngx_hyperdrive_state_stmt_t *ngx_hyperdrive_state_stmt_get(
    ngx_hyperdrive_state_registry_t *registry, ngx_str_t *text,
    ngx_str_t *types, ngx_uint_t mode);

ngx_hyperdrive_state_stmt_t *ngx_hyperdrive_state_stmt_ref(
    ngx_hyperdrive_state_stmt_t *stmt);
void ngx_hyperdrive_state_stmt_unref(ngx_hyperdrive_state_registry_t *registry,
    ngx_hyperdrive_state_stmt_t *stmt);

/*
 * Notes that it could be prepared in <epoch>, with the answer to Describe
 * (ParameterDescription, then RowDescription or NoData) if there is any.
 */
void ngx_hyperdrive_state_stmt_describe(
    ngx_hyperdrive_state_registry_t *registry,
    ngx_hyperdrive_state_stmt_t *stmt, uint64_t epoch, u_char *data,
    size_t len, uint64_t shape);
/* what is known of it in <epoch>, or NULL */
ngx_hyperdrive_state_desc_t *ngx_hyperdrive_state_stmt_described(
    ngx_hyperdrive_state_stmt_t *stmt, uint64_t epoch);


/* a client's statement names */

typedef struct ngx_hyperdrive_state_name_s  ngx_hyperdrive_state_name_t;

struct ngx_hyperdrive_state_name_s {
    ngx_hyperdrive_state_name_t      *next;
    ngx_hyperdrive_state_stmt_t      *stmt;        /* one reference */
    uint64_t                          shape;       /* told to the client; 0:
                                                      nothing was told */
    uint64_t                          group;       /* of requests that it was
                                                      prepared in */
    uint64_t                          epoch;       /* ...or 0 */
    uint64_t                          number;      /* later ones have more */
    uint32_t                          hash;
    uint32_t                          len;
    u_char                            name[];
};

typedef struct {
    ngx_hyperdrive_state_name_t     **buckets;
    ngx_uint_t                        nbuckets;
    ngx_uint_t                        n;
    size_t                            bytes;       /* with their statements */
} ngx_hyperdrive_state_names_t;

/* whether its owner has to be told that it cannot have more */
#define ngx_hyperdrive_state_names_full(names)                                \
    ((names)->bytes >= NGX_HYPERDRIVE_MAX_PREPARED)

/* of the last name that anybody has given */
extern uint64_t  ngx_hyperdrive_state_names_last;

ngx_hyperdrive_state_name_t *ngx_hyperdrive_state_names_find(
    ngx_hyperdrive_state_names_t *names, ngx_str_t *name);

/* takes over the caller's reference; NULL: no memory (reference not taken) */
ngx_hyperdrive_state_name_t *ngx_hyperdrive_state_names_add(
    ngx_hyperdrive_state_names_t *names, ngx_str_t *name,
    ngx_hyperdrive_state_stmt_t *stmt);

/* unlinks it; the caller owns it, with its reference */
void ngx_hyperdrive_state_names_unlink(ngx_hyperdrive_state_names_t *names,
    ngx_hyperdrive_state_name_t *entry);
/* links one that was unlinked again */
void ngx_hyperdrive_state_names_link(ngx_hyperdrive_state_names_t *names,
    ngx_hyperdrive_state_name_t *entry);
void ngx_hyperdrive_state_names_clear(ngx_hyperdrive_state_names_t *names,
    ngx_hyperdrive_state_registry_t *registry);


/* what an origin connection has prepared, least recently used last */

typedef struct ngx_hyperdrive_state_item_s  ngx_hyperdrive_state_item_t;

struct ngx_hyperdrive_state_item_s {
    ngx_hyperdrive_state_item_t      *next;
    ngx_queue_t                       lru;
    uint64_t                          id;
    uint64_t                          group;       /* of requests that it was
                                                      prepared in */
    uint64_t                          shape;       /* its rows have there; 0:
                                                      not known */
    uint64_t                          epoch;       /* it was prepared in, or
                                                      later; 0: not known */
    uint32_t                          handle;      /* MySQL: the origin's number
                                                      of it... */
    uint32_t                          holder;      /* ...and the client's, of
                                                      whose use something is
                                                      left there, or 0... */
    unsigned                          cursor:1;    /* ...a cursor */
};

typedef struct {
    ngx_hyperdrive_state_item_t     **buckets;
    ngx_uint_t                        nbuckets;
    ngx_uint_t                        n;
    ngx_queue_t                       lru;
} ngx_hyperdrive_state_set_t;

ngx_hyperdrive_state_item_t *ngx_hyperdrive_state_set_find(
    ngx_hyperdrive_state_set_t *set, uint64_t id);
ngx_hyperdrive_state_item_t *ngx_hyperdrive_state_set_add(
    ngx_hyperdrive_state_set_t *set, uint64_t id);
void ngx_hyperdrive_state_set_touch(ngx_hyperdrive_state_set_t *set,
    ngx_hyperdrive_state_item_t *item);
/* the one to evict, or NULL if it is empty */
ngx_hyperdrive_state_item_t *ngx_hyperdrive_state_set_oldest(
    ngx_hyperdrive_state_set_t *set);
void ngx_hyperdrive_state_set_remove(ngx_hyperdrive_state_set_t *set,
    uint64_t id);
void ngx_hyperdrive_state_set_clear(ngx_hyperdrive_state_set_t *set);


#endif /* _NGX_HYPERDRIVE_STATE_STMT_H_INCLUDED_ */
