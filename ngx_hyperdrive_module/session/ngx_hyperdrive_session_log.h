
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_SESSION_LOG_H_INCLUDED_
#define _NGX_HYPERDRIVE_SESSION_LOG_H_INCLUDED_


#include "session/ngx_hyperdrive_session.h"


/*
 * The query log: a line for each request that asks for an answer, written
 * when the answer is over.  Without one configured a session has no
 * ngx_hyperdrive_session_log_t, and none of its functions is called.
 */


typedef enum {
    NGX_HYPERDRIVE_SESSION_LOG_DEFAULT = 0,
    NGX_HYPERDRIVE_SESSION_LOG_JSON,
    NGX_HYPERDRIVE_SESSION_LOG_PLAIN
} ngx_hyperdrive_session_log_escape_e;


/* a part of a format */

typedef struct {
    ngx_str_t                        text;
    ngx_int_t                        index;     /* of a variable; NGX_DECLINED:
                                                   <text> as it is */
} ngx_hyperdrive_session_log_part_t;


/* lines that wait to be written; one a file and process */

typedef struct {
    u_char                          *start;
    u_char                          *pos;
    u_char                          *end;
    ngx_msec_t                       flush;     /* 0: only when it is full */
    ngx_event_t                      event;
} ngx_hyperdrive_session_log_buf_t;


/* a hyperdrive_query_log */

typedef struct {
    ngx_open_file_t                 *file;      /* its data: the buffer, or
                                                   NULL */
    ngx_array_t                     *parts;
    ngx_stream_complex_value_t      *filter;    /* NULL: all */
    ngx_hyperdrive_session_log_escape_e  escape;
    time_t                           full;      /* the disk was */
    time_t                           complained;
} ngx_hyperdrive_session_log_conf_t;


/* a request, from the moment that it was read whole */

typedef struct ngx_hyperdrive_session_query_s  ngx_hyperdrive_session_query_t;

struct ngx_hyperdrive_session_query_s {
    ngx_hyperdrive_session_query_t  *next;
    ngx_hyperdrive_state_stmt_t     *stmt;      /* the first that ran, with a
                                                   reference; NULL: nobody has
                                                   read it */
    uint64_t                         begun;     /* microseconds */
    uint64_t                         time;
    uint64_t                         waited;    /* milliseconds */
    uint64_t                         rows;
    uint64_t                         bytes;
    ngx_str_t                       *status;
    ngx_str_t                       *origin;    /* it was asked; NULL: none */
    u_char                           error[6];
};


struct ngx_hyperdrive_session_log_s {
    ngx_hyperdrive_session_query_t  *current;   /* not sent, or not all of
                                                   it */
    ngx_hyperdrive_session_query_t  *first;     /* sent, without their end */
    ngx_hyperdrive_session_query_t  *last;
    ngx_hyperdrive_session_query_t  *now;       /* what variables tell of:
                                                   while its line is written */
    uint64_t                         said;      /* bytes to the client, up to
                                                   the last end */
    u_char                           error[6];  /* why the session ends */
};


/*
 * ngx_hyperdrive_session_log.c; if there is no memory a request is left out.
 * All but _begin() need s->log.
 */

/* the unit begins, if it has not */
void ngx_hyperdrive_session_log_begin(ngx_hyperdrive_session_t *s);
/* a statement of it, or of none yet, will run */
void ngx_hyperdrive_session_log_run(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_state_stmt_t *stmt);
/* it is sent to this one, whose name stays where it is */
void ngx_hyperdrive_session_log_origin(ngx_hyperdrive_session_t *s,
    ngx_str_t *name);
/* all of it has been sent */
void ngx_hyperdrive_session_log_sent(ngx_hyperdrive_session_t *s);
/* rows that came from memory */
void ngx_hyperdrive_session_log_rows(ngx_hyperdrive_session_t *s,
    ngx_uint_t rows);
/* it is over, without having been sent: from memory, or <sqlstate> */
void ngx_hyperdrive_session_log_answered(ngx_hyperdrive_session_t *s,
    char *sqlstate);
/* a piece of an answer to a request that was sent */
void ngx_hyperdrive_session_log_piece(ngx_hyperdrive_session_t *s,
    ngx_hyperdrive_proto_piece_t *piece);
/* the session will end, for this reason */
void ngx_hyperdrive_session_log_fatal(ngx_hyperdrive_session_t *s,
    char *sqlstate);
/* it does: requests without an end are written */
void ngx_hyperdrive_session_log_close(ngx_hyperdrive_session_t *s);
void ngx_hyperdrive_session_log_free(ngx_hyperdrive_session_t *s);


/* ngx_hyperdrive_session_log_file.c */

/* the line of s->log->now, to all logs of the server */
void ngx_hyperdrive_session_log_write(ngx_hyperdrive_session_t *s);
/* of a file with a buffer: called by nginx when it reopens the file, and when
   the process ends */
void ngx_hyperdrive_session_log_flush(ngx_open_file_t *file, ngx_log_t *log);


#endif /* _NGX_HYPERDRIVE_SESSION_LOG_H_INCLUDED_ */
