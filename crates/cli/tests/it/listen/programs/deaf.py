"""Hears no signal but SIGKILL."""

import signal
import socket

from serving import answer

for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
listener = socket.socket(fileno=3)
print("LISTENING and deaf", flush=True)
while True:
    with listener.accept()[0] as client:
        answer(client)
