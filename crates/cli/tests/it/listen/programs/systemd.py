"""Finds its socket as sd_listen_fds(3) says, by the name in its argument."""

import os
import socket
import sys

from serving import serve

FIRST = 3

assert os.environ["LISTEN_PID"] == str(os.getpid()), "the sockets are meant for another process"
names = os.environ["LISTEN_FDNAMES"].split(":")
assert len(names) == int(os.environ["LISTEN_FDS"]), names
serve(socket.socket(fileno=FIRST + names.index(sys.argv[1])))
