"""Says that it is ready, once somebody has asked for it on its socket."""

import os
import socket

listener = socket.socket(fileno=3)
print("LISTENING before it is ready", flush=True)
listener.accept()[0].close()
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
    name = os.environ["NOTIFY_SOCKET"]
    manager.sendto(b"READY=1", "\0" + name[1:] if name.startswith("@") else name)
while True:
    listener.accept()[0].close()
