"""Serves, and on SIGUSR1 shuts its listening socket down before it ends, as some programs do when they stop."""

import os
import signal
import socket

listener = socket.socket(fileno=3)


def end(*_):
    listener.shutdown(socket.SHUT_RDWR)
    os._exit(1)


signal.signal(signal.SIGUSR1, end)
print("LISTENING until it is told", flush=True)
while True:
    client, _ = listener.accept()
    client.recv(65536)
    body = b"worker %d\n" % os.getpid()
    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (len(body), body))
    client.close()
