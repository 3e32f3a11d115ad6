"""Finds its socket as a worker of Einhorn does, by the number in its argument."""

import os
import socket
import sys

from serving import serve

which = int(sys.argv[1])
assert os.environ["EINHORN_MASTER_PID"] == str(os.getppid()), "they are meant for another process"
assert which < int(os.environ["EINHORN_FD_COUNT"])
number = os.environ[f"EINHORN_FD_{which}"]
assert os.environ["EINHORN_FDS"].split(" ")[which] == number
family = getattr(socket, os.environ[f"EINHORN_FD_FAMILY_{which}"])
# No other variable of Einhorn's reaches a worker: there is no socket of a master to answer on.
assert not [name for name in os.environ if name.startswith("EINHORN_SOCK")]
serve(socket.fromfd(int(number), family, socket.SOCK_STREAM))
