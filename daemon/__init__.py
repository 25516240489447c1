"""The daemon: the reactor, the wire, the request cycle, the supervisor and the command line."""

__version__ = "0.1.0"
