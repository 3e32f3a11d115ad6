"""What gunicorn serves."""

import os


def app(environ, start_response):
    body = b"worker %d\n" % os.getpid()
    start_response("200 OK", [("Content-Length", str(len(body))), ("Content-Type", "text/plain")])
    return [body]
