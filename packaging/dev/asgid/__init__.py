"""asgid: an ASGI server that runs as a daemon from one file of named listeners."""
