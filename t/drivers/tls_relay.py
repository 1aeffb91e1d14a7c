# Copyright (C) Hyperdrive for nginx authors

# tls_relay.py LISTEN PORT: what comes in clear on one port of 127.0.0.1 goes
# on by TLS to the other, which is asked for it in PostgreSQL's way.  So a
# client that knows nothing of TLS can be used for tests of it.

import select
import socket
import ssl
import sys
import threading

context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
context.check_hostname = False
context.verify_mode = ssl.CERT_NONE


# one thread for both directions: an SSL object may not be used by two at once

def serve(client):
    origin = socket.create_connection(('127.0.0.1', int(sys.argv[2])))
    origin.sendall(b'\0\0\0\x08\x04\xd2\x16\x2f')

    if origin.recv(1) != b'S':
        client.close()
        return

    tls = context.wrap_socket(origin)

    try:
        while forward(client, tls):
            pass

    except OSError:
        pass

    for end in client, tls:
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

        end.close()


def forward(client, tls):
    ready = [tls] if tls.pending() else select.select([client, tls], [], [])[0]

    if client in ready:
        data = client.recv(65536)

        if not data:
            return False

        tls.sendall(data)

    if tls in ready:

        # perhaps there is nothing for the client in it

        tls.setblocking(False)

        try:
            data = tls.recv(65536)
        except ssl.SSLWantReadError:
            return True
        finally:
            tls.setblocking(True)

        if not data:
            return False

        client.sendall(data)

    return True


listener = socket.create_server(('127.0.0.1', int(sys.argv[1])))

while True:
    connection, _ = listener.accept()
    threading.Thread(target=serve, args=(connection,), daemon=True).start()
