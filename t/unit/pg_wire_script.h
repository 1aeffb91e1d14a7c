
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


/*
 * The messages of clients, made from the bytes of a fuzzer: two a message.
 * Everything that is well-formed may come, in any order.
 */


#ifndef _PG_WIRE_SCRIPT_H_INCLUDED_
#define _PG_WIRE_SCRIPT_H_INCLUDED_


#include "pg_wire_bytes.h"


#define SCRIPT_WAITS  64
#define SCRIPT_BIG    70000


typedef struct {
    bytes_t       b;
    ngx_uint_t    nwaits;
    size_t        waits[SCRIPT_WAITS];  /* here all answers are waited for */
    unsigned      whole:1;              /* no Sync group is left open */
    unsigned      leave:1;              /* it goes before it is done */
} script_t;


static char  *script_texts[] = {
    "SELECT2 a", "SELECT b", "SELECT3 $", "INSERT x", "INSERT $", "BEGIN",
    "COMMIT", "ROLLBACK", "FAIL", "BAD", "", "COPYIN t", "COPYOUT t",
    "NOTICE n", "DEFER d", "RETURNING2 r", "SELECT z;INSERT q", "BEGIN;FAIL",
    "SELECT0 none", "SELECT a;COPYIN u;SELECT c", "SELECT9 many",
    "FATAL", "SET role", "SELECT $ $"
};

#define SCRIPT_TEXTS  (sizeof(script_texts) / sizeof(script_texts[0]))

static char  *script_names[] = {
    "", "", "a", "b", "c", "", "a", "_hyperdrive_0000000000000001"
};

static char  *script_portals[] = { "", "", "p", "q" };

static char  *script_drops[] = {
    "DEALLOCATE a", "DEALLOCATE b", "DEALLOCATE ALL", "DEALLOCATE c"
};


static ngx_inline void
script_wait(script_t *s)
{
    if (s->nwaits < SCRIPT_WAITS) {
        s->waits[s->nwaits++] = s->b.len;
    }
}


/* one client's; returns how many bytes of <data> it took */

static ngx_inline size_t
script_make(script_t *s, const uint8_t *data, size_t size)
{
    char        *name, *text, *portal, *big;
    size_t       i;
    ngx_uint_t   op, arg, copy;

    ngx_memzero(s, sizeof(script_t));

    s->whole = 1;
    copy = 0;

    for (i = 0; i + 1 < size; /* void */ ) {

        op = data[i++];
        arg = data[i++];

        name = script_names[arg & 7];
        portal = script_portals[(arg >> 3) & 3];
        text = script_texts[(arg >> 3) % SCRIPT_TEXTS];

        if (op % 32 != 9) {
            copy = 0;
        }

        switch (op % 32) {

        case 0:
        case 1:
            msg_query(&s->b, script_texts[arg % SCRIPT_TEXTS]);
            s->whole = 1;
            break;

        case 2:
        case 3:
            msg_parse(&s->b, name, text);
            s->whole = 0;
            break;

        case 4:
            msg_bind(&s->b, portal, name, (arg & 32) ? "1" : NULL);
            s->whole = 0;
            break;

        case 5:
            msg_describe(&s->b, (arg & 64) ? 'P' : 'S',
                         (arg & 64) ? portal : name);
            s->whole = 0;
            break;

        case 6:
            msg_execute(&s->b, portal, (arg & 32) ? 1 : 0);
            s->whole = 0;
            break;

        case 7:
            msg_close(&s->b, (arg & 64) ? 'P' : 'S',
                      (arg & 64) ? portal : name);
            s->whole = 0;
            break;

        case 8:
            msg_sync(&s->b);
            s->whole = 1;
            break;

        case 9:
            /* it may or may not wait for the database to ask for them */

            if (!copy && (arg & 4)) {
                script_wait(s);
            }

            copy = 1;

            /* its COPY may have read a Sync, and wait for another one */
            s->whole = 0;

            if (arg & 1) {
                msg_data(&s->b, "line\n");

            } else if (arg & 2) {
                msg_bare(&s->b, 'c');

            } else {
                msg_text(&s->b, 'f', "no");
            }

            break;

        case 10:
            msg_flush(&s->b);
            break;

        case 11:
            msg_function(&s->b);
            s->whole = 1;
            break;

        case 12:
            script_wait(s);
            break;

        case 13:
        case 14:
        case 15:
            /* the unnamed statement, as most drivers do */
            text = script_texts[arg % SCRIPT_TEXTS];
            msg_parse(&s->b, "", text);
            msg_bind(&s->b, "", "", strchr(text, '$') ? "22" : NULL);
            msg_describe(&s->b, 'P', "");
            msg_execute(&s->b, "", 0);
            msg_sync(&s->b);
            s->whole = 1;
            break;

        case 16:
        case 17:
            msg_bind(&s->b, "", name, (arg & 32) ? "333" : NULL);
            msg_execute(&s->b, "", 0);
            msg_sync(&s->b);
            s->whole = 1;
            break;

        case 18:
        case 19:
            msg_parse(&s->b, name, text);
            msg_describe(&s->b, 'S', name);
            msg_sync(&s->b);
            s->whole = 1;
            break;

        case 20:
            msg_parse(&s->b, name, text);
            msg_describe(&s->b, 'S', name);
            msg_flush(&s->b);
            script_wait(s);
            msg_bind(&s->b, "", name, strchr(text, '$') ? "4" : NULL);
            msg_execute(&s->b, "", 0);
            msg_sync(&s->b);
            s->whole = 1;
            break;

        case 21:
            big = malloc(SCRIPT_BIG);
            ngx_memset(big, 'a' + arg % 26, SCRIPT_BIG);
            msg_bind_n(&s->b, portal, name, big, SCRIPT_BIG);
            free(big);
            s->whole = 0;
            break;

        case 22:
            msg_query(&s->b, (arg & 1) ? "BEGIN" : "COMMIT");
            s->whole = 1;
            break;

        case 23:
            msg_parse(&s->b, name, text);
            msg_bind(&s->b, portal, name, strchr(text, '$') ? "4" : NULL);
            msg_execute(&s->b, portal, 0);
            s->whole = 0;
            break;

        case 24:
            s->leave = arg & 1;
            return i;

        case 25:
            msg_query(&s->b, script_drops[arg & 3]);
            s->whole = 1;
            break;

        default:
            msg_sync(&s->b);
            s->whole = 1;
        }

        if (s->b.len > 1024 * 1024) {
            break;
        }
    }

    return size;
}


#endif /* _PG_WIRE_SCRIPT_H_INCLUDED_ */
