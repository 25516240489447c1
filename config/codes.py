"""Every code that a diagnostic can carry, in one table.

0xx the text, 1xx its structure, 2xx listeners, 3xx endpoint strings, 4xx the application, 5xx exposure and
proxies, 6xx what is not available yet, 8xx what this host cannot do now, 9xx failures at start and while
running. A code is never reused for something else.
"""

from __future__ import annotations

UNREADABLE = "ASG001"
NOT_UTF8 = "ASG002"
SYNTAX = "ASG003"

UNKNOWN_KEY = "ASG101"
WRONG_TYPE = "ASG102"
BAD_VALUE = "ASG103"
MISSING_KEY = "ASG104"
BAD_DURATION = "ASG105"
BAD_SIZE = "ASG106"
BAD_HEADER = "ASG107"
BAD_PATH = "ASG108"

NO_LISTENER = "ASG201"
BAD_NAME = "ASG202"
NOT_ONE_WAY = "ASG203"
NO_PORT = "ASG204"
KEY_OF_OTHER_KIND = "ASG205"
BAD_PORT = "ASG206"
BAD_ADDRESS = "ASG207"
BAD_ZONE = "ASG208"
BAD_INTERFACE = "ASG209"
BAD_MODE = "ASG210"
BAD_OWNER = "ASG211"
BAD_SYSTEMD_NAME = "ASG212"
COLLISION = "ASG213"

ENDPOINT_GRAMMAR = "ASG301"
ENDPOINT_KIND = "ASG302"
ENDPOINT_KEYWORD = "ASG303"
ENDPOINT_MISSING = "ASG304"
ENDPOINT_VALUE = "ASG305"
ENDPOINT_UNESCAPED = "ASG306"

NO_TARGET = "ASG401"
BAD_TARGET = "ASG402"
BAD_ENVIRONMENT = "ASG403"

WIDER_THAN_DECLARED = "ASG501"
EXPOSURE_UNKNOWN = "ASG502"
FORWARDED_WITHOUT_TRUSTED = "ASG503"
BAD_TRUSTED = "ASG504"
PROTOCOL_WITHOUT_TRUSTED = "ASG505"
PROTOCOL_NOT_FIRST = "ASG506"
BAD_ORIGIN = "ASG507"

NOT_AVAILABLE = "ASG601"

ADDRESS_ABSENT = "ASG801"
INTERFACE_ABSENT = "ASG802"
NO_SUCH_FAMILY = "ASG803"
PORT_HELD = "ASG804"
PATH_NOT_CREATABLE = "ASG805"
PATH_SERVED = "ASG806"
PATH_NOT_A_SOCKET = "ASG807"
DESCRIPTOR_UNUSABLE = "ASG808"
SYSTEMD_NAME_ABSENT = "ASG809"
PORT_PRIVILEGED = "ASG810"
NO_IPV6 = "ASG811"
NO_SUCH_USER = "ASG812"
NO_SUCH_GROUP = "ASG813"
ENVIRONMENT_FILE_UNREADABLE = "ASG814"
ENVIRONMENT_FILE_LINE = "ASG815"
ENDPOINT_REFUSED_HERE = "ASG816"
OPEN_FILES_LOW = "ASG817"

APPLICATION_NOT_IMPORTED = "ASG901"
LIFESPAN_FAILED = "ASG902"
LISTENER_FAILED = "ASG903"
NOTHING_SERVES = "ASG904"
VIRTUALENV_UNUSABLE = "ASG905"
DEPENDENCY_TOO_OLD = "ASG906"
PID_FILE = "ASG907"
LOG_FILE = "ASG908"
APPLICATION_DIRECTORY = "ASG909"

TITLES: dict[str, str] = {
    UNREADABLE: "the file is missing or cannot be read",
    NOT_UTF8: "the file is not UTF-8",
    SYNTAX: "the file is not TOML",
    UNKNOWN_KEY: "a key that does not exist",
    WRONG_TYPE: "a value of the wrong type",
    BAD_VALUE: "a value that is not accepted",
    MISSING_KEY: "a key that must be there",
    BAD_DURATION: "a duration that is none",
    BAD_SIZE: "a size that is none",
    BAD_HEADER: "a header that cannot be sent",
    BAD_PATH: "a path that cannot be one",
    NO_LISTENER: "no listener",
    BAD_NAME: "a listener's name that is none",
    NOT_ONE_WAY: "a listener that says in no way, or in several, where it listens",
    NO_PORT: "an address or interface without a port",
    KEY_OF_OTHER_KIND: "a key that does not belong to this kind of listener",
    BAD_PORT: "a port that is none",
    BAD_ADDRESS: "an address that is none",
    BAD_ZONE: "a zone id that is wrong, missing or out of place",
    BAD_INTERFACE: "an interface's name that is none",
    BAD_MODE: "a file mode that is none",
    BAD_OWNER: "a user's or group's name that is none",
    BAD_SYSTEMD_NAME: "a systemd socket's name that is none",
    COLLISION: "two listeners on the same socket",
    ENDPOINT_GRAMMAR: "an endpoint string that does not parse",
    ENDPOINT_KIND: "an endpoint string without a kind",
    ENDPOINT_KEYWORD: "an endpoint string with an argument too many, unknown or given twice",
    ENDPOINT_MISSING: "an endpoint string without an argument that must be there",
    ENDPOINT_VALUE: "an endpoint string with an argument that is not accepted",
    ENDPOINT_UNESCAPED: "an endpoint string with an unescaped IPv6 address",
    NO_TARGET: "no application",
    BAD_TARGET: "an application's target that is none",
    BAD_ENVIRONMENT: "an environment variable that cannot be one",
    WIDER_THAN_DECLARED: "a listener that is reachable from farther than its exposure says",
    EXPOSURE_UNKNOWN: "an exposure that cannot be checked",
    FORWARDED_WITHOUT_TRUSTED: "forwarded headers asked for with nobody trusted",
    BAD_TRUSTED: "a trusted peer that is neither a network nor unix",
    PROTOCOL_WITHOUT_TRUSTED: "the PROXY protocol on a listener where nobody who connects is trusted",
    PROTOCOL_NOT_FIRST: "the PROXY protocol on an endpoint that reads something else first",
    BAD_ORIGIN: "an origin that no page can have",
    NOT_AVAILABLE: "a key that is not available yet",
    ADDRESS_ABSENT: "an address that this host does not have",
    INTERFACE_ABSENT: "an interface that this host does not have",
    NO_SUCH_FAMILY: "an interface without an address of the family asked for",
    PORT_HELD: "a port that is held",
    PATH_NOT_CREATABLE: "a unix socket that cannot be made",
    PATH_SERVED: "a unix socket that another process serves",
    PATH_NOT_A_SOCKET: "a unix socket's path where something else is",
    DESCRIPTOR_UNUSABLE: "a descriptor that is not a listening socket",
    SYSTEMD_NAME_ABSENT: "a systemd socket that was not passed",
    PORT_PRIVILEGED: "a port that needs a privilege",
    NO_IPV6: "no IPv6 on this host",
    NO_SUCH_USER: "a user that this host does not have",
    NO_SUCH_GROUP: "a group that this host does not have",
    ENVIRONMENT_FILE_UNREADABLE: "an environment file that cannot be read",
    ENVIRONMENT_FILE_LINE: "a line of an environment file that is not taken",
    ENDPOINT_REFUSED_HERE: "an endpoint string that Twisted refuses",
    OPEN_FILES_LOW: "the limit of open files is too low",
    APPLICATION_NOT_IMPORTED: "an application that cannot be imported",
    LIFESPAN_FAILED: "an application that did not start",
    LISTENER_FAILED: "a listener that did not open",
    NOTHING_SERVES: "no listener that serves",
    VIRTUALENV_UNUSABLE: "a virtual environment that cannot be used",
    DEPENDENCY_TOO_OLD: "a package of the application's that is too old",
    PID_FILE: "a pid file that cannot be written",
    LOG_FILE: "a log file that cannot be written",
    APPLICATION_DIRECTORY: "an application's directory that cannot be entered",
}
"""A title for each code."""
