
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _LIBPQ_H_INCLUDED_
#define _LIBPQ_H_INCLUDED_


#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libpq-fe.h>


#define LIBPQ_ROWS      10000
#define LIBPQ_MEGABYTE  (1024 * 1024)

#define libpq_count(a)  (sizeof(a) / sizeof(a[0]))


PGconn *libpq_connect(void);
void libpq_ok(int rc, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));
int libpq_is(const char *got, const char *expected);
int libpq_value(PGresult *res, ExecStatusType status, const char *expected);
int libpq_exec(PGconn *c, const char *sql, const char *expected);
int libpq_fails(PGresult *res, const char *sqlstate);
void libpq_show(const char *name, PGresult *res);
PGresult *libpq_next(PGconn *c);
int libpq_end(PGconn *c);
void libpq_flush(PGconn *c);

void libpq_query_types(PGconn *c);
void libpq_query_simple(PGconn *c);
void libpq_query_errors(PGconn *c);
void libpq_query_transactions(PGconn *c);
void libpq_query_cursors(PGconn *c);
void libpq_query_large(PGconn *c);
void libpq_query_single_row(PGconn *c);
void libpq_query_copy(PGconn *c);

void libpq_session_names(void);
void libpq_session_prepared(void);
void libpq_session_leave(void);
void libpq_session_reconnect(void);

void libpq_pipeline_different(PGconn *c);
void libpq_pipeline_error(PGconn *c);
void libpq_pipeline_syncs(PGconn *c);
void libpq_pipeline_prepared(PGconn *c);
void libpq_pipeline_flush(PGconn *c);
void libpq_pipeline_cursor(PGconn *c);
void libpq_pipeline_large(PGconn *c);


#endif /* _LIBPQ_H_INCLUDED_ */
