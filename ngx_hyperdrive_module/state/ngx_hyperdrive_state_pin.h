
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_STATE_PIN_H_INCLUDED_
#define _NGX_HYPERDRIVE_STATE_PIN_H_INCLUDED_


#include "ngx_hyperdrive.h"


/*
 * Why a session keeps its connection, a bit each.  The first of them are
 * what the sql room says that a text leaves, in its order.
 */

#define NGX_HYPERDRIVE_STATE_PIN_LISTEN       0x0001
#define NGX_HYPERDRIVE_STATE_PIN_LOCK         0x0002  /* advisory */
#define NGX_HYPERDRIVE_STATE_PIN_TEMPORARY    0x0004
#define NGX_HYPERDRIVE_STATE_PIN_CURSOR       0x0008  /* WITH HOLD */
#define NGX_HYPERDRIVE_STATE_PIN_PREPARED     0x0010  /* by SQL */
#define NGX_HYPERDRIVE_STATE_PIN_SETTING      0x0020
#define NGX_HYPERDRIVE_STATE_PIN_LIBRARY      0x0040  /* LOAD */
#define NGX_HYPERDRIVE_STATE_PIN_SEED         0x0080
#define NGX_HYPERDRIVE_STATE_PIN_SEQUENCE     0x0100
#define NGX_HYPERDRIVE_STATE_PIN_FUNCTION     0x0200
#define NGX_HYPERDRIVE_STATE_PIN_CALL         0x0400
#define NGX_HYPERDRIVE_STATE_PIN_UNREAD       0x0800  /* a text too long */

/* MySQL */
#define NGX_HYPERDRIVE_STATE_PIN_VARIABLE     0x1000  /* @name */
#define NGX_HYPERDRIVE_STATE_PIN_TABLES       0x2000  /* LOCK TABLES */
#define NGX_HYPERDRIVE_STATE_PIN_XA           0x4000

/* PostgreSQL's sessions of that kind are never anything else: counted only */
#define NGX_HYPERDRIVE_STATE_PIN_REPLICATION  0x8000
#define NGX_HYPERDRIVE_STATE_PIN_REPLICATES   15      /* ...the bit's number */

/* the operator's policy says so */
#define NGX_HYPERDRIVE_STATE_PIN_POLICY       0x10000

#define NGX_HYPERDRIVE_STATE_PINS             17

/* what the database can be asked for */
#define NGX_HYPERDRIVE_STATE_PIN_VISIBLE      0x003f
/* what may be anything */
#define NGX_HYPERDRIVE_STATE_PIN_CODE         0x0e00


/* its name, for counters; <n> is the bit's number */
ngx_str_t *ngx_hyperdrive_state_pin_name(ngx_uint_t n);


#endif /* _NGX_HYPERDRIVE_STATE_PIN_H_INCLUDED_ */
