
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#ifndef _NGX_HYPERDRIVE_BASE_MODE_H_INCLUDED_
#define _NGX_HYPERDRIVE_BASE_MODE_H_INCLUDED_


#include "ngx_hyperdrive.h"


/*
 * How a database reads a text, as one number: what the wire finds out, what
 * the sql room reads by, and a part of what statements are kept under.
 */


/* PostgreSQL */

#define NGX_HYPERDRIVE_BASE_MODE_STANDARD      0x0001  /* strings */
#define NGX_HYPERDRIVE_BASE_MODE_UNSAFE        0x0002  /* encoding */

/* MySQL and MariaDB */

#define NGX_HYPERDRIVE_BASE_MODE_MYSQL         0x0010  /* this is one */
#define NGX_HYPERDRIVE_BASE_MODE_MARIADB       0x0020  /* ...a MariaDB */
#define NGX_HYPERDRIVE_BASE_MODE_ANSI_QUOTES   0x0040
#define NGX_HYPERDRIVE_BASE_MODE_NO_BACKSLASH  0x0080  /* _ESCAPES */
#define NGX_HYPERDRIVE_BASE_MODE_IGNORE_SPACE  0x0100
#define NGX_HYPERDRIVE_BASE_MODE_UNREAD        0x0200  /* sql_mode=ORACLE, or
                                                          a character set that
                                                          is not known */

/* character sets in which ASCII bytes may be the later ones of a character */

#define NGX_HYPERDRIVE_BASE_MODE_CHARSET(bits)  (((bits) >> 12) & 7)

#define NGX_HYPERDRIVE_BASE_MODE_SAFE          0
#define NGX_HYPERDRIVE_BASE_MODE_SJIS          1
#define NGX_HYPERDRIVE_BASE_MODE_GBK           2
#define NGX_HYPERDRIVE_BASE_MODE_BIG5          3
#define NGX_HYPERDRIVE_BASE_MODE_GB18030       4

/* 101106 is 10.11.6, 80403 is 8.4.3; 0 is not known */

#define NGX_HYPERDRIVE_BASE_MODE_VERSION(bits)  ((ngx_uint_t) (bits) >> 32)


/*
 * From what a MySQL or MariaDB said of itself: the version as it stands in the
 * handshake, character_set_client, sql_mode as names with commas.
 */
ngx_uint_t ngx_hyperdrive_base_mode_mysql(ngx_str_t *version,
    ngx_str_t *charset, ngx_str_t *sql_mode);


#endif /* _NGX_HYPERDRIVE_BASE_MODE_H_INCLUDED_ */
