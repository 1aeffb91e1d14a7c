
/*
 * Copyright (C) Hyperdrive for nginx authors
 */

/*
 * idle N "conninfo" [sql]: opens N connections, runs the statement on each,
 * under a name of its own if it begins with "PREPARE:", says "ready" and
 * keeps them until its input ends.
 */


#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libpq-fe.h>


int
main(int argc, char **argv)
{
    int              i, n;
    char             line[16];
    PGconn         **conns;
    PGresult        *res;
    ExecStatusType   status;

    if (argc < 3) {
        fprintf(stderr, "idle N conninfo [sql]\n");
        return 2;
    }

    n = atoi(argv[1]);

    conns = calloc(n, sizeof(PGconn *));
    if (conns == NULL) {
        return 1;
    }

    for (i = 0; i < n; i++) {
        conns[i] = PQconnectdb(argv[2]);

        if (PQstatus(conns[i]) != CONNECTION_OK) {
            printf("client %d: %s", i, PQerrorMessage(conns[i]));
            return 1;
        }

        if (argc < 4) {
            continue;
        }

        if (strncmp(argv[3], "PREPARE:", 8) == 0) {
            res = PQprepare(conns[i], "idle", argv[3] + 8, 0, NULL);

        } else {
            res = PQexec(conns[i], argv[3]);
        }

        status = PQresultStatus(res);

        if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) {
            printf("client %d: %s", i, PQerrorMessage(conns[i]));
            return 1;
        }

        PQclear(res);
    }

    printf("ready\n");
    fflush(stdout);

    (void) fgets(line, sizeof(line), stdin);

    for (i = 0; i < n; i++) {
        PQfinish(conns[i]);
    }

    return 0;
}
