"""Serves on the descriptor whose number is its last argument, as in --fd=3."""

import socket
import sys

from serving import serve

serve(socket.socket(fileno=int(sys.argv[-1].rpartition("=")[2])))
