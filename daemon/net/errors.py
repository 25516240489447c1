"""Why an endpoint does not open: one tree, each with a message for the user and a line of help."""

from __future__ import annotations

from typing import ClassVar

from asgid.config import codes


class OpenError(Exception):
    """An endpoint that cannot be opened. ``code`` is from :mod:`asgid.config.codes`; ``help`` may be ''."""

    code: ClassVar[str] = codes.LISTENER_FAILED

    def __init__(self, message: str, advice: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.help = advice


class AddressAbsentError(OpenError):
    """The host does not have the address."""

    code = codes.ADDRESS_ABSENT


class InterfaceAbsentError(OpenError):
    """The host does not have the interface, or the zone."""

    code = codes.INTERFACE_ABSENT


class NoIPv6Error(OpenError):
    """The host has no IPv6."""

    code = codes.NO_IPV6


class PortHeldError(OpenError):
    """Another socket has the port."""

    code = codes.PORT_HELD


class CollisionError(OpenError):
    """Another endpoint of the same plan takes it."""

    code = codes.COLLISION


class PortPrivilegedError(OpenError):
    """The port or the device needs a privilege that the process does not have."""

    code = codes.PORT_PRIVILEGED


class PathError(OpenError):
    """A unix socket cannot be made at the path."""

    code = codes.PATH_NOT_CREATABLE


class PathServedError(PathError):
    """Another process serves the path."""

    code = codes.PATH_SERVED


class PathTakenError(PathError):
    """Something that is no socket is at the path."""

    code = codes.PATH_NOT_A_SOCKET


class OwnerRefusedError(PathError):
    """The process may not give the socket to its owner or group."""

    code = codes.OWNER_NOT_SETTABLE


class UserAbsentError(OpenError):
    """The owner that the socket is to have does not exist."""

    code = codes.NO_SUCH_USER


class GroupAbsentError(OpenError):
    """The group that the socket is to have does not exist."""

    code = codes.NO_SUCH_GROUP


class DescriptorError(OpenError):
    """A descriptor is not open, or no stream socket that listens."""

    code = codes.DESCRIPTOR_UNUSABLE


class SystemdNameError(OpenError):
    """No descriptor was passed under the name."""

    code = codes.SYSTEMD_NAME_ABSENT


class EndpointRefusedError(OpenError):
    """The string is no endpoint, or Twisted (or its plugin) refuses it."""

    code = codes.ENDPOINT_REFUSED_HERE
