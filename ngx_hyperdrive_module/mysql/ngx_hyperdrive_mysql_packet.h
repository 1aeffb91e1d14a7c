
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_MYSQL_PACKET_H_INCLUDED_
#define _NGX_HYPERDRIVE_MYSQL_PACKET_H_INCLUDED_


#include "ngx_hyperdrive.h"
#include "base/ngx_hyperdrive_base_chain.h"
#include "base/ngx_hyperdrive_base_cursor.h"


/*
 * The packets of MySQL and MariaDB: three bytes of length and one of a
 * sequence number, then the payload.  A payload of 16 MB and more goes in
 * several packets, of which all but the last one are full; the last one may
 * be empty.  Integers are little endian.
 */

#define NGX_HYPERDRIVE_MYSQL_HEADER          4
#define NGX_HYPERDRIVE_MYSQL_MAX_PACKET      0xffffff

/* an EOF's payload; an OK that stands for one is longer */
#define NGX_HYPERDRIVE_MYSQL_EOF_LEN         5

/* capabilities; MariaDB's own are the upper half of 64 bits */

#define NGX_HYPERDRIVE_MYSQL_LONG_PASSWORD      0x00000001u  /* not MariaDB */
#define NGX_HYPERDRIVE_MYSQL_FOUND_ROWS         0x00000002u
#define NGX_HYPERDRIVE_MYSQL_LONG_FLAG          0x00000004u
#define NGX_HYPERDRIVE_MYSQL_CONNECT_WITH_DB    0x00000008u
#define NGX_HYPERDRIVE_MYSQL_NO_SCHEMA          0x00000010u
#define NGX_HYPERDRIVE_MYSQL_COMPRESS           0x00000020u
#define NGX_HYPERDRIVE_MYSQL_ODBC               0x00000040u
#define NGX_HYPERDRIVE_MYSQL_LOCAL_FILES        0x00000080u
#define NGX_HYPERDRIVE_MYSQL_IGNORE_SPACE       0x00000100u
#define NGX_HYPERDRIVE_MYSQL_PROTOCOL_41        0x00000200u
#define NGX_HYPERDRIVE_MYSQL_INTERACTIVE        0x00000400u
#define NGX_HYPERDRIVE_MYSQL_SSL                0x00000800u
#define NGX_HYPERDRIVE_MYSQL_IGNORE_SIGPIPE     0x00001000u
#define NGX_HYPERDRIVE_MYSQL_TRANSACTIONS       0x00002000u
#define NGX_HYPERDRIVE_MYSQL_RESERVED           0x00004000u
#define NGX_HYPERDRIVE_MYSQL_SECURE_CONNECTION  0x00008000u
#define NGX_HYPERDRIVE_MYSQL_MULTI_STATEMENTS   0x00010000u
#define NGX_HYPERDRIVE_MYSQL_MULTI_RESULTS      0x00020000u
#define NGX_HYPERDRIVE_MYSQL_PS_MULTI_RESULTS   0x00040000u
#define NGX_HYPERDRIVE_MYSQL_PLUGIN_AUTH        0x00080000u
#define NGX_HYPERDRIVE_MYSQL_CONNECT_ATTRS      0x00100000u
#define NGX_HYPERDRIVE_MYSQL_PLUGIN_LENENC      0x00200000u
#define NGX_HYPERDRIVE_MYSQL_EXPIRED_PASSWORDS  0x00400000u
#define NGX_HYPERDRIVE_MYSQL_SESSION_TRACK      0x00800000u
#define NGX_HYPERDRIVE_MYSQL_DEPRECATE_EOF      0x01000000u
#define NGX_HYPERDRIVE_MYSQL_OPTIONAL_METADATA  0x02000000u
#define NGX_HYPERDRIVE_MYSQL_ZSTD               0x04000000u
#define NGX_HYPERDRIVE_MYSQL_QUERY_ATTRIBUTES   0x08000000u
#define NGX_HYPERDRIVE_MYSQL_MULTI_FACTOR       0x10000000u
#define NGX_HYPERDRIVE_MYSQL_CAP_EXTENSION      0x20000000u
#define NGX_HYPERDRIVE_MYSQL_VERIFY_SERVER      0x40000000u
#define NGX_HYPERDRIVE_MYSQL_REMEMBER_OPTIONS   0x80000000u

#define NGX_HYPERDRIVE_MYSQL_MARIADB_PROGRESS         0x0000000100000000ull
#define NGX_HYPERDRIVE_MYSQL_MARIADB_COM_MULTI        0x0000000200000000ull
#define NGX_HYPERDRIVE_MYSQL_MARIADB_BULK             0x0000000400000000ull
#define NGX_HYPERDRIVE_MYSQL_MARIADB_TYPE_INFO        0x0000000800000000ull
#define NGX_HYPERDRIVE_MYSQL_MARIADB_CACHE_METADATA   0x0000001000000000ull
#define NGX_HYPERDRIVE_MYSQL_MARIADB_BULK_RESULTS     0x0000002000000000ull

/* status flags */

#define NGX_HYPERDRIVE_MYSQL_IN_TRANSACTION     0x0001
#define NGX_HYPERDRIVE_MYSQL_AUTOCOMMIT         0x0002
#define NGX_HYPERDRIVE_MYSQL_MORE_RESULTS       0x0008
#define NGX_HYPERDRIVE_MYSQL_NO_GOOD_INDEX      0x0010
#define NGX_HYPERDRIVE_MYSQL_NO_INDEX           0x0020
#define NGX_HYPERDRIVE_MYSQL_CURSOR             0x0040
#define NGX_HYPERDRIVE_MYSQL_LAST_ROW           0x0080
#define NGX_HYPERDRIVE_MYSQL_DB_DROPPED         0x0100
#define NGX_HYPERDRIVE_MYSQL_NO_BACKSLASH       0x0200
#define NGX_HYPERDRIVE_MYSQL_METADATA_CHANGED   0x0400
#define NGX_HYPERDRIVE_MYSQL_SLOW               0x0800
#define NGX_HYPERDRIVE_MYSQL_OUT_PARAMS         0x1000
#define NGX_HYPERDRIVE_MYSQL_IN_READ_ONLY       0x2000
#define NGX_HYPERDRIVE_MYSQL_STATE_CHANGED      0x4000
#define NGX_HYPERDRIVE_MYSQL_ANSI_QUOTES        0x8000  /* MariaDB */

/* what a session tracker speaks of */

#define NGX_HYPERDRIVE_MYSQL_TRACK_VARIABLES    0
#define NGX_HYPERDRIVE_MYSQL_TRACK_SCHEMA       1
#define NGX_HYPERDRIVE_MYSQL_TRACK_CHANGE       2
#define NGX_HYPERDRIVE_MYSQL_TRACK_GTIDS        3
#define NGX_HYPERDRIVE_MYSQL_TRACK_CHARACTERISTICS  4
#define NGX_HYPERDRIVE_MYSQL_TRACK_TRANSACTION  5

/* first bytes of payloads */

#define NGX_HYPERDRIVE_MYSQL_OK                 0x00
#define NGX_HYPERDRIVE_MYSQL_AUTH_MORE          0x01
#define NGX_HYPERDRIVE_MYSQL_NULL               0xfb    /* of a value */
#define NGX_HYPERDRIVE_MYSQL_INFILE             0xfb    /* of an answer */
#define NGX_HYPERDRIVE_MYSQL_EOF                0xfe
#define NGX_HYPERDRIVE_MYSQL_ERR                0xff


typedef enum {
    NGX_HYPERDRIVE_MYSQL_COM_SLEEP = 0x00,
    NGX_HYPERDRIVE_MYSQL_COM_QUIT,
    NGX_HYPERDRIVE_MYSQL_COM_INIT_DB,
    NGX_HYPERDRIVE_MYSQL_COM_QUERY,
    NGX_HYPERDRIVE_MYSQL_COM_FIELD_LIST,
    NGX_HYPERDRIVE_MYSQL_COM_CREATE_DB,
    NGX_HYPERDRIVE_MYSQL_COM_DROP_DB,
    NGX_HYPERDRIVE_MYSQL_COM_REFRESH,
    NGX_HYPERDRIVE_MYSQL_COM_SHUTDOWN,
    NGX_HYPERDRIVE_MYSQL_COM_STATISTICS,
    NGX_HYPERDRIVE_MYSQL_COM_PROCESS_INFO,
    NGX_HYPERDRIVE_MYSQL_COM_CONNECT,
    NGX_HYPERDRIVE_MYSQL_COM_PROCESS_KILL,
    NGX_HYPERDRIVE_MYSQL_COM_DEBUG,
    NGX_HYPERDRIVE_MYSQL_COM_PING,
    NGX_HYPERDRIVE_MYSQL_COM_TIME,
    NGX_HYPERDRIVE_MYSQL_COM_DELAYED_INSERT,
    NGX_HYPERDRIVE_MYSQL_COM_CHANGE_USER,
    NGX_HYPERDRIVE_MYSQL_COM_BINLOG_DUMP,
    NGX_HYPERDRIVE_MYSQL_COM_TABLE_DUMP,
    NGX_HYPERDRIVE_MYSQL_COM_CONNECT_OUT,
    NGX_HYPERDRIVE_MYSQL_COM_REGISTER_SLAVE,
    NGX_HYPERDRIVE_MYSQL_COM_STMT_PREPARE,
    NGX_HYPERDRIVE_MYSQL_COM_STMT_EXECUTE,
    NGX_HYPERDRIVE_MYSQL_COM_STMT_LONG_DATA,
    NGX_HYPERDRIVE_MYSQL_COM_STMT_CLOSE,
    NGX_HYPERDRIVE_MYSQL_COM_STMT_RESET,
    NGX_HYPERDRIVE_MYSQL_COM_SET_OPTION,
    NGX_HYPERDRIVE_MYSQL_COM_STMT_FETCH,
    NGX_HYPERDRIVE_MYSQL_COM_DAEMON,
    NGX_HYPERDRIVE_MYSQL_COM_BINLOG_DUMP_GTID,
    NGX_HYPERDRIVE_MYSQL_COM_RESET_CONNECTION,

    /* MariaDB's own */
    NGX_HYPERDRIVE_MYSQL_COM_STMT_BULK_EXECUTE = 0xfa,
    NGX_HYPERDRIVE_MYSQL_COM_MULTI = 0xfe
} ngx_hyperdrive_mysql_com_e;


/* where a reader of packets stands; all zero to begin with */

typedef struct {
    u_char       header[NGX_HYPERDRIVE_MYSQL_HEADER];
    unsigned     have:3;             /* bytes of header */
    unsigned     inside:1;           /* the header has been read */
    unsigned     more:1;             /* the payload goes on behind it */
    size_t       left;               /* of this packet */
} ngx_hyperdrive_mysql_framer_t;


/* a piece of a payload */

typedef struct {
    u_char      *data;
    size_t       len;                /* may be 0 */
    u_char       seq;                /* of its packet */
    unsigned     begin:1;            /* the payload begins with it */
    unsigned     packet:1;           /* a packet begins with it; what stands
                                        of its header in the input, if not
                                        all, is in front of <data> */
    unsigned     end:1;              /* the payload ends with it */
} ngx_hyperdrive_mysql_part_t;


/* an OK, at the end of rows too; strings point into the payload */

typedef struct {
    uint64_t     affected;
    uint64_t     insert_id;
    ngx_uint_t   status;
    ngx_uint_t   warnings;
    ngx_str_t    info;
    ngx_str_t    changes;            /* of the session: entries of trackers */
} ngx_hyperdrive_mysql_ok_t;


typedef struct {
    ngx_uint_t   code;
    u_char       sqlstate[6];        /* "HY000" if it had none */
    ngx_str_t    message;
} ngx_hyperdrive_mysql_err_t;


/*
 * The next piece of [*pos, last), which may be cut anywhere: NGX_OK or
 * NGX_AGAIN, with all consumed.  A payload that does not end yet gives a piece
 * for each call.
 */
ngx_int_t ngx_hyperdrive_mysql_part(ngx_hyperdrive_mysql_framer_t *f,
    u_char **pos, u_char *last, ngx_hyperdrive_mysql_part_t *part);

/* at the boundary between two payloads */
#define ngx_hyperdrive_mysql_framer_clear(f)                                 \
    ((f)->have == 0 && !(f)->inside && !(f)->more)

/*
 * A payload at a time: NGX_OK: it stands whole in [*pos, last) and is
 * consumed; NGX_AGAIN: it does not yet, nothing is consumed; NGX_ERROR: it is
 * longer than <max>, which is less than 16 MB.
 */
ngx_int_t ngx_hyperdrive_mysql_packet(u_char **pos, u_char *last, size_t max,
    ngx_str_t *payload, u_char *seq);

/*
 * Writers append one payload with the sequence number *seq, and move that on;
 * if memory runs out, chain->failed is set.
 */

/* room for the <len> bytes of a payload of less than 16 MB, or NULL */
u_char *ngx_hyperdrive_mysql_packet_begin(ngx_hyperdrive_chain_t *chain,
    size_t len, u_char *seq);
/* a payload of any length, cut into packets */
void ngx_hyperdrive_mysql_packet_append(ngx_hyperdrive_chain_t *chain,
    const void *data, size_t len, u_char *seq);

/* COM_QUERY, without attributes, to one of these capabilities; with these, or,
   if they are empty, to one that knows none */
void ngx_hyperdrive_mysql_query(ngx_str_t *text, uint64_t caps,
    ngx_hyperdrive_chain_t *chain);
void ngx_hyperdrive_mysql_query_with(ngx_str_t *text, ngx_str_t *attributes,
    ngx_hyperdrive_chain_t *chain);

/* <caps> are those of the client that reads it */
void ngx_hyperdrive_mysql_ok(ngx_hyperdrive_chain_t *chain, uint64_t caps,
    ngx_hyperdrive_mysql_ok_t *ok, u_char *seq);
void ngx_hyperdrive_mysql_err(ngx_hyperdrive_chain_t *chain, uint64_t caps,
    ngx_uint_t code, const char *sqlstate, const void *message, size_t len,
    u_char *seq);
void ngx_hyperdrive_mysql_eof(ngx_hyperdrive_chain_t *chain,
    ngx_uint_t status, ngx_uint_t warnings, u_char *seq);
/* the end of rows: an OK or an EOF, as the client understands it */
void ngx_hyperdrive_mysql_end(ngx_hyperdrive_chain_t *chain, uint64_t caps,
    ngx_hyperdrive_mysql_ok_t *ok, u_char *seq);

/* whether it tells, by a tracker, which schema the session is in; none: "" */
ngx_uint_t ngx_hyperdrive_mysql_ok_schema(ngx_hyperdrive_mysql_ok_t *ok,
    ngx_str_t *name);
/* ...that a variable, or something else of the session, was changed */
ngx_uint_t ngx_hyperdrive_mysql_ok_changed(ngx_hyperdrive_mysql_ok_t *ok);
/* takes out, in place, what tells of a change and not of which; whether there
   was any */
ngx_uint_t ngx_hyperdrive_mysql_ok_untold(ngx_hyperdrive_mysql_ok_t *ok);

/*
 * Readers of payloads, their first byte included: NGX_OK or NGX_ERROR, cut
 * short.
 */
ngx_int_t ngx_hyperdrive_mysql_ok_read(ngx_str_t *payload, uint64_t caps,
    ngx_hyperdrive_mysql_ok_t *ok);
ngx_int_t ngx_hyperdrive_mysql_err_read(ngx_str_t *payload,
    ngx_hyperdrive_mysql_err_t *err);
ngx_int_t ngx_hyperdrive_mysql_eof_read(ngx_str_t *payload,
    ngx_uint_t *status, ngx_uint_t *warnings);


/*
 * Values, in the manner of base/ngx_hyperdrive_base_cursor.h: the new
 * position, or NULL if there is less than asked for.
 */

static ngx_inline u_char *
ngx_hyperdrive_mysql_read_u16(u_char *p, u_char *end, ngx_uint_t *value)
{
    if (p == NULL || end - p < 2) {
        return NULL;
    }

    *value = p[0] | (ngx_uint_t) p[1] << 8;

    return p + 2;
}


static ngx_inline u_char *
ngx_hyperdrive_mysql_read_u24(u_char *p, u_char *end, uint32_t *value)
{
    if (p == NULL || end - p < 3) {
        return NULL;
    }

    *value = p[0] | (uint32_t) p[1] << 8 | (uint32_t) p[2] << 16;

    return p + 3;
}


static ngx_inline u_char *
ngx_hyperdrive_mysql_read_u32(u_char *p, u_char *end, uint32_t *value)
{
    if (p == NULL || end - p < 4) {
        return NULL;
    }

    *value = p[0] | (uint32_t) p[1] << 8 | (uint32_t) p[2] << 16
             | (uint32_t) p[3] << 24;

    return p + 4;
}


/* for where the caller has seen that three bytes are there */

static ngx_inline uint32_t
ngx_hyperdrive_mysql_get_u24(u_char *p)
{
    return p[0] | (uint32_t) p[1] << 8 | (uint32_t) p[2] << 16;
}


/* an integer in 1, 3, 4 or 9 bytes; NULL also for 0xfb and 0xff, which are
   none */
u_char *ngx_hyperdrive_mysql_read_lenc(u_char *p, u_char *end,
    uint64_t *value);
/*
 * Of a column's definition: the information on its type, with its length in
 * front, or, if it is not <typed>, where that would be.  NGX_ERROR: it is cut
 * short.
 */
ngx_int_t ngx_hyperdrive_mysql_type_info(ngx_str_t *payload, ngx_uint_t typed,
    ngx_str_t *info);
/* whether it is, of one in an answer */
ngx_uint_t ngx_hyperdrive_mysql_typed(ngx_str_t *payload);
/*
 * Appends it in the other form: typed, with nothing said, or without; a
 * packet in one piece.
 */
void ngx_hyperdrive_mysql_retype(ngx_hyperdrive_chain_t *chain,
    ngx_str_t *payload, ngx_uint_t typed, ngx_str_t *info, u_char *seq);
/* a string with its length in front; it stays where it is */
u_char *ngx_hyperdrive_mysql_read_lstr(u_char *p, u_char *end,
    ngx_str_t *value);

/* bytes that put_lenc() writes */
size_t ngx_hyperdrive_mysql_lenc_size(uint64_t value);
#define ngx_hyperdrive_mysql_lstr_size(len)                                  \
    (ngx_hyperdrive_mysql_lenc_size(len) + (len))

u_char *ngx_hyperdrive_mysql_put_lenc(u_char *p, uint64_t value);
u_char *ngx_hyperdrive_mysql_put_lstr(u_char *p, const void *data, size_t len);


static ngx_inline u_char *
ngx_hyperdrive_mysql_put_u16(u_char *p, ngx_uint_t value)
{
    *p++ = (u_char) value;
    *p++ = (u_char) (value >> 8);

    return p;
}


static ngx_inline u_char *
ngx_hyperdrive_mysql_put_u24(u_char *p, uint32_t value)
{
    *p++ = (u_char) value;
    *p++ = (u_char) (value >> 8);
    *p++ = (u_char) (value >> 16);

    return p;
}


static ngx_inline u_char *
ngx_hyperdrive_mysql_put_u32(u_char *p, uint32_t value)
{
    *p++ = (u_char) value;
    *p++ = (u_char) (value >> 8);
    *p++ = (u_char) (value >> 16);
    *p++ = (u_char) (value >> 24);

    return p;
}


#endif /* _NGX_HYPERDRIVE_MYSQL_PACKET_H_INCLUDED_ */
