# A thread reads the request by itself. With the reactor that puma puts before them by default, a connection whose request
# has not been read is closed when puma is told to leave.
queue_requests false
