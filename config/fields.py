"""What single values must be: each function returns the value, or raises ``RefusedError`` with advice."""

from __future__ import annotations

import re
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

from asgid.config import codes
from asgid.config.addresses import as_address, as_network, is_host_name, is_interface_name, unbindable
from asgid.config.endpoints import EndpointSyntaxError, parse
from asgid.config.quantities import RefusedError, found, written_character

if TYPE_CHECKING:
    from collections.abc import Sequence

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 5.6.2
_VALUE = re.compile(r"[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?")  # RFC 9110 5.5, without obs-text
_VALUE_ADVICE = "printable ASCII, no blanks at its ends"
_ACCOUNT = re.compile(r"[^\s:/,\x00-\x1f\x7f-][^\s:/,\x00-\x1f\x7f]*")
_VARIABLE = re.compile(r"[^=\x00]+")
_WIDEST = {"*": "0.0.0.0/0 and ::/0"}
_OURS = frozenset(
    {
        "connection", "content-length", "date", "keep-alive", "proxy-connection", "te", "trailer",
        "transfer-encoding", "upgrade",
    }
)  # fmt: skip


def toml_string(text: str) -> str:
    """Return a string as TOML writes it: in single quotes where that saves escapes."""
    if text.isprintable() and "'" not in text and ("\\" in text or '"' in text):
        return f"'{text}'"
    return f'"{"".join(map(written_character, text))}"'


def one_or_many(value: object) -> object:
    """Return a tuple of what may be written as one string or as a list of them."""
    if isinstance(value, str):
        return (value,)
    if isinstance(value, list):
        if not value:
            raise RefusedError(
                codes.BAD_VALUE, "is an empty list", "name one at least, or leave the listener out"
            )
        return tuple(value)
    raise RefusedError(codes.WRONG_TYPE, f"must be a string or a list of strings, not {found(value)}")


def many(value: object) -> object:
    """Return a tuple of what is written as a list."""
    if isinstance(value, list):
        return tuple(value)
    if not isinstance(value, str):
        raise RefusedError(codes.WRONG_TYPE, f"must be a list of strings, not {found(value)}")
    listed = f"[{toml_string(value)}]"
    message = f"must be a list of strings, not {found(value)}"
    raise RefusedError(codes.WRONG_TYPE, message, f"write {listed}", fix=listed)


def some(value: object) -> object:
    """Return a tuple of what is written as a list that is not empty."""
    values = many(value)
    if not values:
        raise RefusedError(codes.BAD_VALUE, "is an empty list", "name one at least, or leave it out")
    return values


def port(value: object) -> int:
    """Return a port number, 0 to 65535."""
    if isinstance(value, bool) or not isinstance(value, int):
        digits = isinstance(value, str) and re.fullmatch("[0-9]{1,5}", value)
        advice = f"write {value}, without quotes" if digits else ""
        number = str(int(value)) if digits and isinstance(value, str) else ""
        message = f"must be a whole number from 0 to 65535, not {found(value)}"
        raise RefusedError(codes.BAD_PORT, message, advice, fix=number)
    if not 0 <= value <= 65535:
        raise RefusedError(codes.BAD_PORT, f"{value!s:.60} is no port: they go from 0 to 65535")
    return value


def address(text: str) -> str:
    """Return a literal address, its zone with it, or ``*``."""
    if text == "*":
        return text
    parsed = as_address(text)
    if parsed is None:
        raise _no_address(text)
    refused = unbindable(parsed, text)
    if refused is not None:
        code, message = refused
        advice, fix = _unbindable_advice(code, text, parsed)
        raise RefusedError(code, message, advice, fix=fix)
    if isinstance(parsed, IPv4Address) or parsed.scope_id is None:
        return text
    zone = parsed.scope_id
    if not parsed.is_link_local:
        plain = text.partition("%")[0]
        raise RefusedError(
            codes.BAD_ZONE,
            f"a zone id belongs to link-local addresses, and {plain} is none",
            f'write "{plain}"',
        )
    if not is_interface_name(zone):
        raise RefusedError(codes.BAD_ZONE, f"the zone id {zone!r} is no interface's name")
    return text


def _unbindable_advice(code: str, text: str, parsed: IPv4Address | IPv6Address) -> tuple[str, str]:
    """Return what to write, and the same as a fix where nothing else could have been meant."""
    if code == codes.BROADCAST_ADDRESS:
        return 'for every address of this host write "0.0.0.0"', ""
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        return f'write "{parsed.ipv4_mapped}"', f'"{parsed.ipv4_mapped}"'
    if code == codes.BAD_ZONE:
        return f'write "{text}%eth0", with the interface\'s own name', ""
    return "write an address of this host's own", ""


def _no_address(text: str) -> RefusedError:
    """Return the refusal of ``text`` with what was probably meant."""
    host, _, number = text.rpartition(":")
    bare = text.removeprefix("[").removesuffix("]")
    inner = host.removeprefix("[").removesuffix("]")
    if not text:
        advice = 'write "*" for every address of this host'
    elif "%" in text and as_address(text.partition("%")[0]) is not None:
        return RefusedError(
            codes.BAD_ZONE,
            f"{found(text)} has a bad zone id",
            'a zone id is an interface\'s name: "fe80::1%eth0"',
        )
    elif as_address(bare) is not None:
        message = f"{found(text)} is no IPv4 or IPv6 address"
        return RefusedError(codes.BAD_ADDRESS, message, f'write "{bare}"', fix=f'"{bare}"')
    elif re.fullmatch("[0-9]{1,5}", number) and (inner == "*" or as_address(inner) is not None):
        advice = f'write address = "{inner}" and port = {number}'
    elif text == "localhost":
        advice = 'write ["127.0.0.1", "::1"]'
    elif "/" in text and as_network(text, strict=False) is not None:
        advice = f'a listener has an address, not a network: "{text.partition("/")[0]}"'
    elif is_interface_name(text) and "." not in text:
        advice = f'where it is a network interface: interface = "{text}"'
    elif is_host_name(text):
        advice = "name the address itself: a name may come to mean another one"
    else:
        advice = 'write an IPv4 or IPv6 address, or "*" for all of them'
    return RefusedError(codes.BAD_ADDRESS, f"{found(text)} is no IPv4 or IPv6 address", advice)


def interface(text: str) -> str:
    """Return the name of a network interface. Linux takes an IPv4 address as one, and nobody means that."""
    parsed = as_address(text)
    if is_interface_name(text) and parsed is None:
        return text
    advice = f'write address = "{text}"' if parsed is not None else "1 to 15 bytes, without blanks, / and :"
    raise RefusedError(codes.BAD_INTERFACE, f"{found(text)} is no network interface's name", advice)


def endpoint(text: str) -> str:
    """Return an endpoint string that can be opened, as far as can be told without opening it."""
    try:
        parse(text)
    except EndpointSyntaxError as error:
        others = [_refused_endpoint(each) for each in error.others]
        raise _refused_endpoint(error, others) from None
    return text


def _refused_endpoint(error: EndpointSyntaxError, others: Sequence[RefusedError] = ()) -> RefusedError:
    written = error.suggestion
    return RefusedError(
        error.code,
        error.message,
        "" if written else error.help,
        part=error.part,
        written=written,
        fix=toml_string(written) if written and error.certain else "",
        others=others,
    )


def account(text: str) -> str:
    """Return the name of a user or group, or a decimal id."""
    if len(text) <= 255 and _ACCOUNT.fullmatch(text) and text not in {".", ".."}:
        return text
    raise RefusedError(codes.BAD_OWNER, f"{found(text)} is no user's or group's name")


def systemd_name(text: str) -> str:
    """Return a name that FileDescriptorName= can give (systemd.socket(5)): printable ASCII without ``:``."""
    if 1 <= len(text) <= 255 and text.isascii() and text.isprintable() and ":" not in text:
        return text
    raise RefusedError(codes.BAD_SYSTEMD_NAME, f"{found(text)} is no name that FileDescriptorName= can give")


def path(text: str) -> str:
    """Return a path as it is written."""
    if text and "\0" not in text:
        return text
    raise RefusedError(codes.BAD_PATH, "the path is empty" if not text else "a path cannot hold a NUL")


def unix_path(text: str) -> str:
    """Return the path of a unix socket as it is written; control characters are refused, for logs name it."""
    if text.isprintable():
        return path(text)
    raise RefusedError(codes.BAD_PATH, "the path of a unix socket holds a character that cannot be shown")


def root_path(text: str) -> str:
    """Return a root path as it is written."""
    if text.isprintable():
        return text
    raise RefusedError(codes.BAD_VALUE, "holds a control character")


def target(text: str) -> str:
    """Return ``module:attribute``, both dotted."""
    module, colon, attribute = text.partition(":")
    if colon and _is_dotted(module) and _is_dotted(attribute):
        return text
    raise RefusedError(
        codes.BAD_TARGET, f"{found(text)} is no module:attribute", _target_advice(module, attribute)
    )


def _is_dotted(text: str) -> bool:
    return all(part.isidentifier() for part in text.split("."))


def _target_advice(module: str, attribute: str) -> str:
    plain = module.removesuffix(".py").replace("/", ".").strip(".")
    if _is_dotted(plain):
        name = attribute if _is_dotted(attribute) else "application"
        return f'write "{plain}:{name}"'
    return 'write it as in "mysite.asgi:application"'


def trusted(text: str) -> str:
    """Return a network, normalised, or ``unix``."""
    if text == "unix":
        return text
    network = as_network(text, strict=False)  # bits beyond the mask are a warning of checks'
    if network is None:
        raise RefusedError(
            codes.BAD_TRUSTED, f'{found(text)} is neither a network nor "unix"', _trusted_advice(text)
        )
    if "%" in text:
        plain = re.sub("%[^/]*", "", text)
        raise RefusedError(
            codes.BAD_TRUSTED, f"{found(text)} has a zone, which is not looked at", f'write "{plain}"'
        )
    return str(network)


def _trusted_advice(text: str) -> str:
    if text in _WIDEST:
        return f"to believe everybody, which nobody should, write {_WIDEST[text]}"
    return 'write it as in "10.0.0.0/8" or "2001:db8::/32"'


def header_name(text: str) -> str:
    """Return the name of a header field (RFC 9110 5.1)."""
    if _TOKEN.fullmatch(text):
        return text
    raise RefusedError(codes.BAD_HEADER, f"{found(text)} is no header's name")


def header_value(text: str) -> str:
    """Return a header field's value that may be empty: visible ASCII, blanks inside."""
    if _is_header_value(text):
        return text
    raise RefusedError(codes.BAD_HEADER, f"{found(text)} cannot be a header's value", _VALUE_ADVICE)


def own_header_name(text: str) -> str:
    """Return the name of a header field that a file may add to responses."""
    header_name(text)
    if text.lower() in _OURS:
        raise RefusedError(codes.BAD_HEADER, f"the header {text} is the server's own business")
    if text.lower() == "server":
        raise RefusedError(
            codes.BAD_HEADER, f"the header {text} is the server's own", "write daemon.server_header"
        )
    return text


def _is_header_value(text: str) -> bool:
    return not text or _VALUE.fullmatch(text) is not None


def variable_name(text: str) -> str:
    """Return the name of an environment variable (environ(7)): no ``=``, no NUL."""
    if _VARIABLE.fullmatch(text):
        return text
    raise RefusedError(codes.BAD_ENVIRONMENT, f"{found(text)} cannot be an environment variable's name")


def variable_value(text: str) -> str:
    """Return the value of an environment variable: no NUL."""
    if "\0" in text:
        raise RefusedError(codes.BAD_ENVIRONMENT, "holds a NUL, which no environment can")
    return text


def rule_code(text: str) -> str:
    """Return the code of a rule."""
    from asgid.config.rules import RULES  # noqa: PLC0415 - only a file that ignores some pays for it

    if text in RULES:
        return text
    advice = f'write "{text.upper()}"' if text.upper() in RULES else "asgid rules lists them"
    fix = f'"{text.upper()}"' if text.upper() in RULES else ""
    raise RefusedError(codes.UNKNOWN_CODE, f"there is no code {found(text)[11:]}", advice, fix=fix)


def log_pattern(text: str) -> str:
    """Return a logging format string that formats a record."""
    if not text:
        return text
    import logging  # noqa: PLC0415 - only a file that has a pattern pays for it

    record = logging.LogRecord("asgid", logging.INFO, "", 0, "", None, None)
    try:
        logging.Formatter(text).format(record)
    except KeyError as error:
        raise RefusedError(
            codes.BAD_VALUE, f"there is no log field {error.args[0]!r}", "see logging's LogRecord attributes"
        ) from None
    except (ValueError, TypeError) as error:
        raise RefusedError(codes.BAD_VALUE, f"{found(text)} is no logging format: {error}") from None
    return text
