import os, select, signal, socket

listener = socket.socket(fileno=int(os.environ["PORTCREW_FD_0"]))
listener.setblocking(False)  # the mode is everybody's: all workers run this line
told, tell = socket.socketpair()
tell.setblocking(False)
signal.set_wakeup_fd(tell.fileno())
signal.signal(signal.SIGTERM, lambda *_: None)  # it writes to `tell`, and nothing is cut off
while told not in select.select([listener, told], [], [])[0]:
    try:
        client, _ = listener.accept()
    except BlockingIOError:
        continue  # another worker was faster
    client.setblocking(True)
    client.recv(65536)
    body = b"worker %d\n" % os.getpid()
    client.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%b" % (len(body), body))
    client.close()
