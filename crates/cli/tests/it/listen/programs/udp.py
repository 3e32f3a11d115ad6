"""Answers each datagram with its pid and what came."""

import os
import socket

receiver = socket.socket(fileno=3)
assert receiver.type == socket.SOCK_DGRAM
print("LISTENING for datagrams", flush=True)
while True:
    data, sender = receiver.recvfrom(2048)
    receiver.sendto(b"%d %b" % (os.getpid(), data), sender)
