"""What the servers beside this file have in common: they answer one request per connection, with their pid, and leave
after it when they are told to."""

import os
import select
import signal
import socket


def serve(listener):
    """Serves until SIGTERM; what waits in the queue then is for the others."""
    listener.setblocking(False)
    told, tell = socket.socketpair()
    tell.setblocking(False)
    signal.set_wakeup_fd(tell.fileno())
    signal.signal(signal.SIGTERM, lambda *_: None)
    print(f"LISTENING on descriptor {listener.fileno()}", flush=True)
    while told not in select.select([listener, told], [], [])[0]:
        try:
            client, _ = listener.accept()
        except BlockingIOError:
            continue
        with client:
            answer(client)


def answer(client):
    client.setblocking(True)
    client.recv(65536)
    body = b"worker %d\n" % os.getpid()
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body)
    client.sendall(head + body)
