# Copyright (C) Hyperdrive for nginx authors

# tls_relay.py LISTEN PORT: what comes in clear on one port of 127.0.0.1 goes
# on by TLS to the other, which is asked for it in PostgreSQL's way.  So a
# client that knows nothing of TLS can be used for tests of it.

import socket
import ssl
import sys
import threading

context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE


def pump(read, write, client):
    try:
        while True:
            data = read(65536)
            if not data:
                break
            write(data)
    except OSError:
        pass

    try:
        client.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


def serve(client):
    origin = socket.create_connection(('127.0.0.1', int(sys.argv[2])))
    origin.sendall(b'\0\0\0\x08\x04\xd2\x16\x2f')

    if origin.recv(1) != b'S':
        client.close()
        return

    tls = context.wrap_socket(origin)

    threading.Thread(target=pump, daemon=True,
                     args=(client.recv, tls.sendall, client)).start()
    pump(tls.recv, client.sendall, client)


listener = socket.create_server(('127.0.0.1', int(sys.argv[1])))

while True:
    connection, _ = listener.accept()
    threading.Thread(target=serve, args=(connection,), daemon=True).start()
