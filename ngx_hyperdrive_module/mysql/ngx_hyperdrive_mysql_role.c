
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "mysql/ngx_hyperdrive_mysql_role.h"


enum {
    NGX_HYPERDRIVE_MYSQL_ROLE_COUNT = 0,     /* how many columns there are */
    NGX_HYPERDRIVE_MYSQL_ROLE_COLUMNS,
    NGX_HYPERDRIVE_MYSQL_ROLE_ROW,
    NGX_HYPERDRIVE_MYSQL_ROLE_END
};


/*
 * With the settings that a session begins with, and by which answers differ:
 * what a client sets itself is set there as well.
 */

static char  ngx_hyperdrive_mysql_role_text[] =
    "SELECT @@GLOBAL.read_only, CONCAT_WS(0x0a, "
    "CONCAT('sql_mode=', @@GLOBAL.sql_mode), "
    "CONCAT('time_zone=', @@GLOBAL.time_zone), "
    "CONCAT('system_time_zone=', @@system_time_zone), "
    "CONCAT('character_set_server=', @@GLOBAL.character_set_server), "
    "CONCAT('collation_server=', @@GLOBAL.collation_server), "
    "CONCAT('lower_case_table_names=', @@lower_case_table_names), "
    "CONCAT('lc_time_names=', @@GLOBAL.lc_time_names), "
    "CONCAT('group_concat_max_len=', @@GLOBAL.group_concat_max_len), "
    "CONCAT('div_precision_increment=', @@GLOBAL.div_precision_increment), "
    "CONCAT('default_week_format=', @@GLOBAL.default_week_format), "
    "CONCAT('max_sort_length=', @@GLOBAL.max_sort_length), "
    "CONCAT('sql_select_limit=', @@GLOBAL.sql_select_limit))";


static ngx_int_t ngx_hyperdrive_mysql_role_packets(
    ngx_hyperdrive_mysql_role_t *role, u_char **pos, u_char *last,
    ngx_hyperdrive_mysql_greeting_t *greeting);
static ngx_uint_t ngx_hyperdrive_mysql_role_line(ngx_str_t *text,
    ngx_str_t *line);


void
ngx_hyperdrive_mysql_role_ask(ngx_hyperdrive_mysql_role_t *role,
    ngx_hyperdrive_mysql_greeting_t *greeting, ngx_hyperdrive_chain_t *out)
{
    ngx_str_t                text;
    ngx_hyperdrive_chain_t   question;

    if (greeting->changes.len > sizeof(role->changes)) {
        ngx_str_null(&greeting->changes);
    }

    if (greeting->changes.len) {
        ngx_memcpy(role->changes, greeting->changes.data,
                   greeting->changes.len);
        greeting->changes.data = role->changes;
    }

    text.data = (u_char *) ngx_hyperdrive_mysql_role_text;
    text.len = sizeof(ngx_hyperdrive_mysql_role_text) - 1;

    ngx_memzero(&question, sizeof(ngx_hyperdrive_chain_t));

    ngx_hyperdrive_mysql_query(&text, greeting->capabilities, &question);

    if (!(greeting->capabilities & NGX_HYPERDRIVE_MYSQL_COMPRESSED)) {
        ngx_hyperdrive_base_chain_move(out, &question);
        return;
    }

    /* it begins behind the OK, which is where we are */

    role->codec = ngx_hyperdrive_mysql_compress(greeting->capabilities, 1);

    if (role->codec && !question.failed) {
        role->codec->pack(role->codec, &question, out);

    } else {
        out->failed = 1;
    }

    ngx_hyperdrive_base_chain_clear(&question);
}


ngx_int_t
ngx_hyperdrive_mysql_role_read(ngx_hyperdrive_mysql_role_t *role,
    u_char **pos, u_char *last, ngx_hyperdrive_mysql_greeting_t *greeting)
{
    size_t      room;
    u_char     *p;
    ssize_t     n;
    ngx_int_t   rc;

    if (role->codec == NULL) {
        return ngx_hyperdrive_mysql_role_packets(role, pos, last, greeting);
    }

    do {
        room = sizeof(role->plain) - role->have;

        n = role->codec->unpack(role->codec, pos, last,
                                role->plain + role->have, room);

        if (n == NGX_ERROR || room == 0) {
            return NGX_ERROR;
        }

        role->have += n;

        p = role->plain;

        rc = ngx_hyperdrive_mysql_role_packets(role, &p,
                                               role->plain + role->have,
                                               greeting);
        role->have -= p - role->plain;
        ngx_memmove(role->plain, p, role->have);

    } while (rc == NGX_AGAIN && (size_t) n == room);

    return (rc == NGX_OK && role->have) ? NGX_ERROR : rc;
}


static ngx_int_t
ngx_hyperdrive_mysql_role_packets(ngx_hyperdrive_mysql_role_t *role,
    u_char **pos, u_char *last, ngx_hyperdrive_mysql_greeting_t *greeting)
{
    u_char      seq;
    ngx_int_t   rc;
    ngx_str_t   payload;

    do {
        rc = ngx_hyperdrive_mysql_packet(pos, last,
                                         NGX_HYPERDRIVE_MYSQL_ROLE_ANSWER,
                                         &payload, &seq);

        if (rc == NGX_AGAIN) {
            return NGX_AGAIN;
        }

        if (rc == NGX_ERROR || payload.len == 0) {
            return NGX_ERROR;
        }

        rc = ngx_hyperdrive_mysql_role_packet(role, &payload, greeting);

    } while (rc == NGX_AGAIN);

    return rc;
}


void
ngx_hyperdrive_mysql_role_free(ngx_hyperdrive_mysql_role_t *role)
{
    if (role->codec) {
        role->codec->destroy(role->codec);
        role->codec = NULL;
    }
}


ngx_int_t
ngx_hyperdrive_mysql_role_packet(ngx_hyperdrive_mysql_role_t *role,
    ngx_str_t *payload, ngx_hyperdrive_mysql_greeting_t *greeting)
{
    u_char     *p, *last;
    ngx_str_t   read_only, settings;

    p = payload->data;
    last = p + payload->len;

    if (p[0] == NGX_HYPERDRIVE_MYSQL_ERR) {
        /* it does not say */
        return NGX_OK;
    }

    switch (role->step) {

    case NGX_HYPERDRIVE_MYSQL_ROLE_COUNT:
        p = ngx_hyperdrive_mysql_read_lenc(p, last, &role->columns);

        if (p == NULL || role->columns != 2) {
            return NGX_ERROR;
        }

        if (!(greeting->capabilities & NGX_HYPERDRIVE_MYSQL_DEPRECATE_EOF)) {
            /* an EOF behind them */
            role->columns++;
        }

        role->step = NGX_HYPERDRIVE_MYSQL_ROLE_COLUMNS;

        return NGX_AGAIN;

    case NGX_HYPERDRIVE_MYSQL_ROLE_COLUMNS:

        if (--role->columns == 0) {
            role->step = NGX_HYPERDRIVE_MYSQL_ROLE_ROW;
        }

        return NGX_AGAIN;

    case NGX_HYPERDRIVE_MYSQL_ROLE_ROW:
        p = ngx_hyperdrive_mysql_read_lstr(p, last, &read_only);
        p = ngx_hyperdrive_mysql_read_lstr(p, last, &settings);

        if (p == NULL || read_only.len == 0) {
            return NGX_ERROR;
        }

        /* MySQL and MariaDB before 12: 0 and 1; then there is more of it */

        greeting->role = (read_only.data[0] == '0'
                          || read_only.data[0] == 'O')
                         ? NGX_HYPERDRIVE_PROTO_ROLE_PRIMARY
                         : NGX_HYPERDRIVE_PROTO_ROLE_REPLICA;

        greeting->settings.data = role->settings;
        greeting->settings.len = ngx_min(settings.len,
                                         sizeof(role->settings));
        ngx_memcpy(role->settings, settings.data, greeting->settings.len);

        role->step = NGX_HYPERDRIVE_MYSQL_ROLE_END;

        return NGX_AGAIN;

    default: /* NGX_HYPERDRIVE_MYSQL_ROLE_END */
        return NGX_OK;
    }
}


ngx_hyperdrive_proto_role_e
ngx_hyperdrive_mysql_role(ngx_str_t *text)
{
    ngx_hyperdrive_mysql_greeting_t  greeting;

    (void) ngx_hyperdrive_mysql_greeting_read(text, &greeting);

    return greeting.role;
}


char *
ngx_hyperdrive_mysql_role_unlike(ngx_str_t *primary, ngx_str_t *replica)
{
    size_t                           len;
    ngx_str_t                        one, other, line, said;
    ngx_hyperdrive_mysql_greeting_t  p, r;

    static u_char                    name[64];

    (void) ngx_hyperdrive_mysql_greeting_read(primary, &p);
    (void) ngx_hyperdrive_mysql_greeting_read(replica, &r);

    one = p.settings;
    other = r.settings;

    while (ngx_hyperdrive_mysql_role_line(&one, &line)
           && ngx_hyperdrive_mysql_role_line(&other, &said))
    {
        if (ngx_hyperdrive_base_same(&line, &said)) {
            continue;
        }

        for (len = 0; len < line.len && line.data[len] != '='; len++) {
            /* void */
        }

        ngx_cpystrn(name, line.data, ngx_min(len + 1, sizeof(name)));

        return (char *) name;
    }

    return NULL;
}


/* takes the first one off */

static ngx_uint_t
ngx_hyperdrive_mysql_role_line(ngx_str_t *text, ngx_str_t *line)
{
    if (text->len == 0) {
        return 0;
    }

    line->data = text->data;
    line->len = 0;

    while (line->len < text->len && line->data[line->len] != '\n') {
        line->len++;
    }

    text->data += line->len;
    text->len -= line->len;

    if (text->len) {
        text->data++;
        text->len--;
    }

    return 1;
}
