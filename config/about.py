"""What each key is for, and since which version; the reference and the schema are made of it."""

from __future__ import annotations

from typing import Final

FIRST: Final = "0.1"
"""The version of asgid that brought the language."""

SINCE: Final[dict[str, str]] = {}
"""The version of each key that came later than the language, by its dotted name."""

TABLES: Final = {
    "application": "What is served, and the environment that it runs in.",
    "listeners.NAME": "One table for each listener, under a name of its own (a letter, then up to 62 "
    "letters, digits, - and _), which logs, metrics and the scope call it by. It says where it listens in "
    "exactly one way: address, interface, unix, systemd, fd or endpoint.",
    "listeners.NAME.tls": "TLS on the listener.",
    "listeners.NAME.tls.certificates": "One of several certificates, chosen by the name that the client asks "
    "for.",
    "proxy": "Whose word about a client is taken.",
    "limits": "What a client may do. Zero means no limit.",
    "timeouts": "How long things may take. Zero means no limit, but where a key says otherwise.",
    "websocket": "WebSocket connections.",
    "daemon": "The process.",
    "log": "What is logged, and where.",
    "admin": "The listener for those who run the service.",
    "lint": "What the lint passes over in this file.",
}

KEYS: Final = {
    "application.target": "The application, as module:attribute; dots are allowed after the colon.",
    "application.directory": "The directory that is put first on sys.path and made the working directory; "
    "without it the file's own directory.",
    "application.virtualenv": "The virtual environment whose Python runs the application.",
    "application.factory": "The target is a callable that returns the application.",
    "application.lifespan": "The lifespan protocol: on demands it, off leaves it out, auto takes an "
    "application that has none.",
    "application.root_path": "The scope's root_path: where a proxy has mounted the application.",
    "application.environment": "Environment variables; they win over environment_file and over the process's "
    "own.",
    "application.environment_file": "A file of environment variables, in systemd's grammar.",
    "listeners.NAME.address": "A literal IPv4 or IPv6 address, a list of them, or * for both wildcards. "
    ":: is IPv6 alone. A link-local address carries its zone, as in fe80::1%eth0.",
    "listeners.NAME.interface": "A network interface: each address that it has when the daemon starts.",
    "listeners.NAME.unix": "The path of a unix socket to make.",
    "listeners.NAME.systemd": "The name in FileDescriptorName= of a socket unit: every descriptor passed "
    "under it.",
    "listeners.NAME.fd": "The number of an inherited descriptor.",
    "listeners.NAME.endpoint": "A Twisted endpoint string, or a list of them.",
    "listeners.NAME.port": "The TCP port; must be there with address and interface. 0 asks the system "
    "for one.",
    "listeners.NAME.family": "The interface's addresses to take.",
    "listeners.NAME.bind_to_device": "Take only what comes in by the interface (SO_BINDTODEVICE).",
    "listeners.NAME.freebind": "Bind an address that is not there yet (IP_FREEBIND).",
    "listeners.NAME.required": "The daemon does not start without this listener; false: it is reported, and "
    "the others serve.",
    "listeners.NAME.wait": "How long the interface or address may take to appear at start; 0: do not wait.",
    "listeners.NAME.follow": "Follow the interface's addresses as they come and go.",
    "listeners.NAME.mode": "The unix socket's permissions.",
    "listeners.NAME.owner": "The unix socket's owner, by name or number.",
    "listeners.NAME.group": "The unix socket's group, by name or number.",
    "listeners.NAME.backlog": "How many connections the kernel holds until they are accepted; a passed "
    "socket keeps its own unless this is written.",
    "listeners.NAME.exposure": "How far the listener is meant to be reachable. One that can be reached from "
    "farther is an error.",
    "listeners.NAME.root_path": "Overrides application.root_path.",
    "listeners.NAME.headers": "Header fields that are added to every response.",
    "listeners.NAME.http2": "Speak HTTP/2.",
    "listeners.NAME.redirect": "Only redirect to the scheme that it names.",
    "listeners.NAME.tls": "Speak TLS: a table of its own.",
    "listeners.NAME.tls.certificate": "The certificate chain, PEM.",
    "listeners.NAME.tls.key": "The certificate's private key, PEM.",
    "listeners.NAME.tls.key_password_file": "The file with the private key's password.",
    "listeners.NAME.tls.certificates": "Several certificates: a table each.",
    "listeners.NAME.tls.client_ca": "The authorities whose client certificates are taken, PEM.",
    "listeners.NAME.tls.client_auth": "Whether a client shows a certificate.",
    "listeners.NAME.tls.minimum_version": "The lowest version of TLS that is spoken.",
    "listeners.NAME.tls.ciphers": "OpenSSL's cipher list, for TLS 1.2; empty: OpenSSL's own.",
    "listeners.NAME.tls.reload": "Changed certificate files are picked up without a restart.",
    "listeners.NAME.tls.certificates.certificate": "The certificate chain, PEM.",
    "listeners.NAME.tls.certificates.key": "The certificate's private key, PEM.",
    "listeners.NAME.tls.certificates.key_password_file": "The file with the private key's password.",
    "listeners.NAME.tls.certificates.names": "The names that choose it; without them the certificate's own.",
    "proxy.protocol": "The version of the PROXY protocol that every connection begins with; needs trusted.",
    "proxy.trusted": "The networks whose word is taken, and unix for whoever connects to a unix socket.",
    "proxy.forwarded": "The forwarded headers that trusted proxies set; needs trusted.",
    "proxy.host_header": "The header with the client's address, for x-forwarded.",
    "proxy.port_header": "The header with the client's port, for x-forwarded.",
    "limits.connections": "Connections of one listener at once; new ones wait in the backlog.",
    "limits.request_line": "The longest request line; a longer one is answered with 414.",
    "limits.header_size": "The longest header section; a longer one is answered with 431.",
    "limits.header_count": "The most header fields; more are answered with 431.",
    "limits.body_size": "The longest request body; a longer one is answered with 413.",
    "limits.concurrency": "Requests of one listener that are in the application at once; above it 503.",
    "timeouts.request_head": "Until a request's head is there: on a new connection from its accept, later "
    "from its first byte.",
    "timeouts.request_body": "Between two pieces of a request's body.",
    "timeouts.keep_alive": "Until the next request on a connection; 0 closes after each response.",
    "timeouts.response_write": "Until a client reads on.",
    "timeouts.application": "Until the application's response is whole; 503 where it has not begun.",
    "timeouts.application_close": "Until the application ends after its client has gone.",
    "timeouts.tls_handshake": "Until the TLS handshake is done.",
    "timeouts.drain": "Until what is open at a stop is cut; 0 cuts at once. The process waits for the "
    "longest of its listeners.",
    "websocket.origins": 'The Origin headers that are let in; "self" means the request\'s own host. '
    "Without it any.",
    "websocket.message_size": "The longest message that is taken.",
    "websocket.frame_size": "The longest frame that is taken.",
    "websocket.queue": "Messages that are held for the application before reading stops.",
    "websocket.ping_interval": "Between two pings on an idle connection; 0: no pings.",
    "websocket.ping_timeout": "Until a ping is answered; else the connection is closed.",
    "websocket.connect_timeout": "Until the application accepts or refuses.",
    "websocket.lifetime": "The longest life of a connection.",
    "websocket.compression": "Negotiate permessage-deflate.",
    "websocket.compression_threshold": "The shortest message that is compressed.",
    "daemon.workers": "Processes that serve; auto: one for each CPU.",
    "daemon.user": "The user to become once the sockets are open.",
    "daemon.group": "The group to become once the sockets are open.",
    "daemon.umask": "The process's file mode mask; without it what it is started with.",
    "daemon.pid_file": "The file that the process's number is written to.",
    "daemon.control": "The unix socket that asgid's own commands talk to.",
    "daemon.server_header": "The Server header; empty: none.",
    "daemon.date_header": "Send a Date header.",
    "log.level": "The least severe records that are logged.",
    "log.format": "What a record looks like.",
    "log.pattern": "A format string of Python's logging, for text; empty: asgid's own.",
    "log.access": "Where the access log goes: - is standard output, a path is appended to, empty is none.",
    "log.access_format": "What a line of the access log looks like.",
    "admin.listener": "The listener that serves health, metrics and the status page.",
    "lint.ignore": "Codes of warnings that are not shown; a comment # asgid: ignore ASG508 does it for its "
    "line.",
}
