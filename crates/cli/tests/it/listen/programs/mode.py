"""Says in which mode it finds its socket, and serves, for which it sets it."""

import os
import socket

from serving import serve

print("FOUND one that", "blocks" if os.get_blocking(3) else "does not block", flush=True)
serve(socket.socket(fileno=3))
