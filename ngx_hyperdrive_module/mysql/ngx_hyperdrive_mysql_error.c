
/*
 * Copyright (C) Hyperdrive for nginx authors
 */


#include "mysql/ngx_hyperdrive_mysql_wire.h"
#include "mysql/ngx_hyperdrive_mysql_login.h"


/*
 * Errors that other rooms make up have the codes of PostgreSQL's standard,
 * which say more than MySQL's states do: these are the numbers by which
 * MySQL's clients know them.  One that is not among them is a policy's own:
 * it is told as SIGNAL SQLSTATE tells it.
 */

typedef struct {
    char        *from;
    ngx_uint_t   code;
    char        *sqlstate;
} ngx_hyperdrive_mysql_error_t;


static ngx_hyperdrive_mysql_error_t  ngx_hyperdrive_mysql_errors[] = {
    { "08P01", 1835, "HY000" },    /* ER_MALFORMED_PACKET */
    { "08006", 1158, "08S01" },    /* ER_NET_READ_ERROR */
    { "08001", 1158, "08S01" },
    { "08004", 1040, "08004" },
    { "0A000", 1235, "42000" },    /* ER_NOT_SUPPORTED_YET */
    { "25006", 1792, "25006" },    /* ..._EXECUTE_IN_READ_ONLY_TRANSACTION */
    { "25P02", 1179, "25000" },    /* ER_CANT_DO_THIS_DURING_AN_TRANSACTION */
    { "25P03", 1205, "HY000" },    /* ER_LOCK_WAIT_TIMEOUT */
    { "28000", 1045, "28000" },    /* ER_ACCESS_DENIED_ERROR */
    { "28P01", 1045, "28000" },
    { "3D000", 1049, "42000" },    /* ER_BAD_DB_ERROR */
    { "42501", 1142, "42000" },    /* ER_TABLEACCESS_DENIED_ERROR */
    { "53200", 1041, "HY000" },    /* ER_OUT_OF_RESOURCES */
    { "53300", 1040, "08004" },    /* ER_CON_COUNT_ERROR */
    { "54000", 1153, "08S01" },    /* ER_NET_PACKET_TOO_LARGE */
    { "57014", 1317, "70100" },    /* ER_QUERY_INTERRUPTED */
    { "57P01", 1053, "08S01" },    /* ER_SERVER_SHUTDOWN */
    { "57P03", 1040, "08004" },
    { "57P05", 1159, "08S01" },    /* ER_NET_READ_INTERRUPTED */
    { "XX000", 1105, "HY000" }     /* ER_UNKNOWN_ERROR */
};


/* ...those that are looked at: a database's own, in the other direction */

static ngx_hyperdrive_mysql_error_t  ngx_hyperdrive_mysql_error_known[] = {
    { "42501", 1044, "42000" },    /* ER_DBACCESS_DENIED_ERROR */
    { "3D000", 1049, "42000" },    /* ER_BAD_DB_ERROR */
    { "57014", 1317, "70100" },    /* ER_QUERY_INTERRUPTED */
    { "57014", 1969, "70100" },    /* ER_STATEMENT_TIMEOUT */
    { "57014", 3024, "HY000" }     /* ER_QUERY_TIMEOUT */
};


static struct {
    ngx_uint_t   code;
    ngx_uint_t   permanent;
    char        *sqlstate;
} ngx_hyperdrive_mysql_error_refusals[] = {
    { 1045, 1, "28000" },    /* ER_ACCESS_DENIED_ERROR */
    { 1698, 1, "28000" },    /* ER_ACCESS_DENIED_NO_PASSWORD_ERROR */
    { 1044, 1, "42501" },    /* ER_DBACCESS_DENIED_ERROR */
    { 1049, 1, "3D000" },    /* ER_BAD_DB_ERROR */
    { 1130, 1, "28000" },    /* ER_HOST_NOT_PRIVILEGED */
    { 1251, 1, "28000" },    /* ER_NOT_SUPPORTED_AUTH_MODE */
    { 1862, 1, "28000" },    /* ER_MUST_CHANGE_PASSWORD_LOGIN */
    { 3118, 1, "28000" },    /* ER_ACCOUNT_HAS_BEEN_LOCKED */
    { 4151, 1, "28000" },    /* the same of MariaDB */
    { 3159, 1, "28000" },    /* ER_SECURE_TRANSPORT_REQUIRED */
    { 1040, 0, "53300" },    /* ER_CON_COUNT_ERROR */
    { 1203, 0, "53300" },    /* ER_TOO_MANY_USER_CONNECTIONS */
    { 1226, 0, "53300" },    /* ER_USER_LIMIT_REACHED */
    { 0, 0, NULL }
};


void
ngx_hyperdrive_mysql_error(ngx_hyperdrive_chain_t *out, uint64_t caps,
    ngx_hyperdrive_proto_error_t *err, u_char *seq)
{
    char        *sqlstate;
    ngx_uint_t   i, code;

    code = 1644;    /* ER_SIGNAL_EXCEPTION */
    sqlstate = err->sqlstate;

    for (i = 0; i < sizeof(ngx_hyperdrive_mysql_errors)
                    / sizeof(ngx_hyperdrive_mysql_errors[0]); i++)
    {
        if (ngx_strcmp(err->sqlstate, ngx_hyperdrive_mysql_errors[i].from)
            == 0)
        {
            code = ngx_hyperdrive_mysql_errors[i].code;
            sqlstate = ngx_hyperdrive_mysql_errors[i].sqlstate;
            break;
        }
    }

    ngx_hyperdrive_mysql_err(out, caps, code, sqlstate, err->message,
                             ngx_strlen(err->message), seq);
}


void
ngx_hyperdrive_mysql_error_own(void *data, ngx_hyperdrive_proto_login_t *login,
    ngx_hyperdrive_proto_error_t *err, ngx_hyperdrive_chain_t *out)
{
    ngx_hyperdrive_mysql_client_t *client = data;

    u_char    seq;
    uint64_t  caps;

    seq = client ? client->seq : login ? login->seq : 1;
    caps = client ? client->caps : login ? login->capabilities : 0;

    ngx_hyperdrive_mysql_error(out, caps, err, &seq);
}


void
ngx_hyperdrive_mysql_error_text(ngx_hyperdrive_proto_piece_t *piece,
    u_char *sqlstate, u_char *message, size_t size)
{
    size_t                      n;
    ngx_str_t                   payload;
    ngx_uint_t                  i;
    ngx_hyperdrive_mysql_err_t  err;

    payload.data = piece->data + NGX_HYPERDRIVE_MYSQL_HEADER;
    payload.len = piece->len - NGX_HYPERDRIVE_MYSQL_HEADER;

    if (piece->len < NGX_HYPERDRIVE_MYSQL_HEADER
        || ngx_hyperdrive_mysql_err_read(&payload, &err) != NGX_OK)
    {
        err.code = 0;
        ngx_memcpy(err.sqlstate, "HY000", 6);
        ngx_str_set(&err.message, "an error of the database");
    }

    n = ngx_min(err.message.len, size - 1);

    ngx_memcpy(sqlstate, err.sqlstate, 6);

    for (i = 0; i < sizeof(ngx_hyperdrive_mysql_error_known)
                    / sizeof(ngx_hyperdrive_mysql_error_known[0]); i++)
    {
        if (ngx_hyperdrive_mysql_error_known[i].code == err.code) {
            ngx_memcpy(sqlstate, ngx_hyperdrive_mysql_error_known[i].from, 6);
        }
    }

    ngx_memcpy(message, err.message.data, n);
    message[n] = '\0';
}


ngx_uint_t
ngx_hyperdrive_mysql_error_refusal(ngx_uint_t code, u_char *sqlstate)
{
    ngx_uint_t  i;

    for (i = 0; ngx_hyperdrive_mysql_error_refusals[i].code; i++) {

        if (ngx_hyperdrive_mysql_error_refusals[i].code == code) {
            ngx_memcpy(sqlstate,
                       ngx_hyperdrive_mysql_error_refusals[i].sqlstate, 6);

            return ngx_hyperdrive_mysql_error_refusals[i].permanent;
        }
    }

    return 0;
}


ngx_uint_t
ngx_hyperdrive_mysql_error_early(ngx_uint_t code, u_char *sqlstate)
{
    /* names, rights, syntax */

    if (sqlstate && ngx_strncmp(sqlstate, "42", 2) == 0) {
        return 1;
    }

    switch (code) {

    case 1046:    /* ER_NO_DB_ERROR */
    case 1058:    /* ER_WRONG_VALUE_COUNT */
    case 1136:    /* ER_WRONG_VALUE_COUNT_ON_ROW */
    case 1193:    /* ER_UNKNOWN_SYSTEM_VARIABLE */
    case 1222:    /* ER_WRONG_NUMBER_OF_COLUMNS_IN_SELECT */
    case 1238:    /* ER_INCORRECT_GLOBAL_LOCAL_VAR */
    case 1241:    /* ER_OPERAND_COLUMNS */
    case 1243:    /* ER_UNKNOWN_STMT_HANDLER */
    case 1267:    /* ER_CANT_AGGREGATE_2COLLATIONS */
    case 1270:    /* ER_CANT_AGGREGATE_3COLLATIONS */
    case 1271:    /* ER_CANT_AGGREGATE_NCOLLATIONS */
    case 1273:    /* ER_UNKNOWN_COLLATION */
    case 1290:    /* ER_OPTION_PREVENTS_STATEMENT */
    case 1298:    /* ER_UNKNOWN_TIME_ZONE */
    case 1356:    /* ER_VIEW_INVALID */
    case 1621:    /* ER_VARIABLE_IS_READONLY */
    case 1792:    /* ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION */
    case 1971:    /* ER_SET_STATEMENT_NOT_SUPPORTED */
        return 1;

    default:
        return 0;
    }
}
