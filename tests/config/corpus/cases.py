"""The cases that the corpus is made of, with the place of each finding marked by hand. See make.py."""

from __future__ import annotations

from dataclasses import dataclass, field

OPEN, CLOSE = "⟦", "⟧"
APPLICATION = '[application]\ntarget = "mysite.asgi:application"\n'
MAIN = {"address": '"127.0.0.1"', "port": "8000"}
Pairs = dict[str, str]


@dataclass(frozen=True)
class Case:
    """Keys of one table, with marks. ``header`` is a code that is found at the table itself, not at a key.

    ``table`` is empty for a listener. ``other`` are the keys of an earlier listener, ``listener`` those of
    the listener beside a table for all of them.
    """

    slug: str
    pairs: Pairs
    table: str = ""
    header: str = ""
    other: Pairs = field(default_factory=dict)
    listener: Pairs = field(default_factory=lambda: dict(MAIN))


def marked(code: str, text: str) -> str:
    return f"{OPEN}{code}|{text}{CLOSE}" if code else text


def value(code: str, slug: str, key: str, text: str, **others: str) -> Case:
    """A key of a listener whose whole value is found; ``others``, or MAIN, stand before it."""
    return Case(slug, {**(others or MAIN), key: marked(code, text)})


def at(slug: str, pairs: Pairs) -> Case:
    """A listener with its own marks."""
    return Case(slug, pairs)


def wide(code: str, table: str, key: str, text: str, **before: str) -> Case:
    """A key of a table for all listeners whose whole value is found."""
    return Case(f"{table}-{key}", {**before, key: marked(code, text)}, table=table)


def unix(**others: str) -> Pairs:
    return {"unix": '"/run/x.sock"', **others}


PORT = {"port": "8000"}
CASES: dict[str, list[Case]] = {
    "ASG101": [
        at("adress", {"⟦ASG101|adress⟧": '"127.0.0.1"', "port": "8000"}),
        at("prt", {"address": '"127.0.0.1"', "⟦ASG101|prt⟧": "8000"}),
        at("elsewhere", {**MAIN, "⟦ASG101|keep_alive⟧": '"5s"'}),
        Case("proxy", {"⟦ASG101|trust⟧": '["10.0.0.0/8"]'}, table="proxy"),
        Case("limits", {"⟦ASG101|bodysize⟧": '"1MB"'}, table="limits"),
        Case("timeouts", {"drain": '"5s"', "⟦ASG101|keepalive⟧": '"5s"'}, table="timeouts"),
        Case("websocket", {"⟦ASG101|ping⟧": '"5s"'}, table="websocket"),
        Case("daemon", {"⟦ASG101|pidfile⟧": '"/run/x.pid"'}, table="daemon"),
        Case("log", {"⟦ASG101|levl⟧": '"info"'}, table="log"),
        Case("application", {"target": '"a:b"', "⟦ASG101|dir⟧": '"/"'}, table="application"),
    ],
    "ASG102": [
        value("ASG102", "required", "required", "1"),
        value("ASG102", "freebind", "freebind", '"yes"'),
        value("ASG102", "backlog", "backlog", '"1024"'),
        value("ASG102", "headers", "headers", "3"),
        value("ASG102", "address", "address", "8000", **PORT),
        value("ASG102", "unix", "unix", "true", mode='"0600"'),
        at("address-list", {"address": '["::1", ⟦ASG102|3⟧]', **PORT}),
        at("address-lines", {"address": '[\n  "::1", # é\n\t⟦ASG102|3⟧,\n]', **PORT}),
        wide("ASG102", "websocket", "queue", '"32"'),
        wide("ASG102", "websocket", "compression", '"true"'),
        wide("ASG102", "timeouts", "drain", "true"),
        wide("ASG102", "limits", "body_size", "1.5"),
        wide("ASG102", "proxy", "trusted", '"10.0.0.0/8"'),
        wide("ASG102", "log", "level", "1"),
        Case("factory", {"target": '"a:b"', "factory": "⟦ASG102|0⟧"}, table="application"),
    ],
    "ASG103": [
        value("ASG103", "exposure", "exposure", '"internal"'),
        value("ASG103", "backlog", "backlog", "0"),
        value("ASG103", "address", "address", "[]", **PORT),
        value("ASG103", "family", "family", '"ipv5"', interface='"lo"', **PORT),
        at("fd", {"fd": "⟦ASG103|-1⟧"}),
        wide("ASG103", "websocket", "queue", "0"),
        wide("ASG103", "limits", "connections", "-1"),
        wide("ASG103", "proxy", "protocol", '"v3"'),
        wide("ASG103", "log", "level", '"warn"'),
        Case("lifespan", {"target": '"a:b"', "lifespan": '⟦ASG103|"yes"⟧'}, table="application"),
    ],
    "ASG105": [
        wide("ASG105", "timeouts", "keep_alive", '"5 min"'),
        wide("ASG105", "timeouts", "drain", '"5"'),
        wide("ASG105", "timeouts", "request_head", "-1"),
        wide("ASG105", "websocket", "ping_interval", '"5y"'),
    ],
    "ASG106": [
        wide("ASG106", "limits", "body_size", '"64k"'),
        wide("ASG106", "limits", "header_size", "-1"),
        wide("ASG106", "websocket", "message_size", '"1 mb"'),
    ],
    "ASG107": [
        at("own", {**MAIN, "headers": '{ ⟦ASG107|content-length⟧ = "1" }'}),
        at("name", {**MAIN, "headers": '{ ok = "1", ⟦ASG107|"a b"⟧ = "1" }'}),
        at("value", {**MAIN, "headers": '{ x = ⟦ASG107|"a\\nb"⟧ }'}),
        wide("ASG107", "proxy", "host_header", '"X Forwarded"'),
        wide("ASG107", "daemon", "server_header", '"a\\u0000"'),
    ],
    "ASG108": [
        at("empty", {"unix": '⟦ASG108|""⟧'}),
        at("long", {"unix": f'⟦ASG108|"/{"x" * 107}"⟧'}),
        at("control", {"unix": '⟦ASG108|"/run/a\\tb"⟧'}),
        wide("ASG108", "daemon", "pid_file", '""'),
        Case("directory", {"target": '"a:b"', "directory": '⟦ASG108|""⟧'}, table="application"),
    ],
    "ASG109": [
        at("address", {"address": '["::1", "127.0.0.1", ⟦ASG109|"::1"⟧]', **PORT}),
        at("spelled", {"address": '["::1", ⟦ASG109|"0:0:0:0:0:0:0:1"⟧]', **PORT}),
        at("lines", {"address": '[\n  "::1",\n  # é\n  ⟦ASG109|"::1"⟧,\n]', **PORT}),
        at("endpoint", {"endpoint": '["unix:/run/x:mode=660", ⟦ASG109|"unix:/run/x:mode=660"⟧]'}),
        Case("trusted", {"trusted": '["10.0.0.0/8", "unix", ⟦ASG109|"10.0.0.0/8"⟧]'}, table="proxy"),
        Case(
            "origins",
            {"origins": '["https://a.example", ⟦ASG109|"HTTPS://a.example:443"⟧]'},
            table="websocket",
        ),
        Case("ignore", {"ignore": '["ASG508", ⟦ASG109|"ASG508"⟧]'}, table="lint"),
    ],
    "ASG110": [
        Case("unknown", {"ignore": '["ASG508", ⟦ASG110|"ASG999"⟧]'}, table="lint"),
        Case("lower", {"ignore": '[⟦ASG110|"asg508"⟧]'}, table="lint"),
    ],
    "ASG112": [Case("error", {"ignore": '[⟦ASG112w|"ASG207"⟧, "ASG508"]'}, table="lint")],
    "ASG203": [
        at("two", {**MAIN, "⟦ASG203|unix⟧": '"/run/x"'}),
        at("three", {"fd": "3", "⟦ASG203|systemd⟧": '"x"', "unix": '"/run/x"'}),
        Case("none", {"exposure": '"private"'}, header="ASG203"),
    ],
    "ASG204": [
        Case("address", {"address": '"127.0.0.1"'}, header="ASG204"),
        Case("list", {"address": '["127.0.0.1", "::1"]', "backlog": "10"}, header="ASG204"),
        Case("interface", {"interface": '"lo"'}, header="ASG204"),
    ],
    "ASG205": [
        at("mode", {**MAIN, "⟦ASG205|mode⟧": '"0660"'}),
        at("port", unix(**{"⟦ASG205|port⟧": "8000"})),
        at("family", {**MAIN, "⟦ASG205|family⟧": '"ipv4"'}),
        at("backlog", {"endpoint": '"tcp:80:interface=127.0.0.1"', "⟦ASG205|backlog⟧": "5"}),
        at("owner", {"systemd": '"x"', "⟦ASG205|owner⟧": '"www-data"'}),
    ],
    "ASG206": [
        value("ASG206", "high", "port", "65536", address='"127.0.0.1"'),
        value("ASG206", "negative", "port", "-1", address='"127.0.0.1"'),
        value("ASG206", "quoted", "port", '"8000"', interface='"lo"'),
    ],
    "ASG207": [
        value("ASG207", "name", "address", '"localhost"', **PORT),
        value("ASG207", "port", "address", '"127.0.0.1:80"', **PORT),
        value("ASG207", "brackets", "address", "'[::1]'", **PORT),
        value("ASG207", "empty", "address", '""', **PORT),
        at("list", {"address": '["::1", ⟦ASG207|"a.example"⟧]', **PORT}),
        at("lines", {"address": '[\n  "::1", # é\n  ⟦ASG207|"日本"⟧\n]', **PORT}),
    ],
    "ASG208": [
        value("ASG208", "missing", "address", '"fe80::1"', **PORT),
        value("ASG208", "place", "address", '"::1%eth0"', **PORT),
        value("ASG208", "name", "address", '"fe80::1%a/b"', **PORT),
        at("list", {"address": '["127.0.0.1", ⟦ASG208|"fe80::1"⟧]', **PORT}),
        at("endpoint", {"endpoint": r"'tcp:80:interface=⟦ASG208|fe80\:\:1⟧'"}),
    ],
    "ASG209": [
        value("ASG209", "blank", "interface", '"eth 0"', **PORT),
        value("ASG209", "address", "interface", '"192.168.1.1"', **PORT),
    ],
    "ASG210": [
        value("ASG210", "number", "mode", "660", **unix()),
        value("ASG210", "octal", "mode", "0o660", **unix()),
        value("ASG210", "letters", "mode", '"rw-rw----"', **unix()),
        wide("ASG210", "daemon", "umask", "27"),
    ],
    "ASG211": [
        value("ASG211", "owner", "owner", '"a:b"', **unix()),
        value("ASG211", "group", "group", '""', **unix()),
    ],
    "ASG212": [value("ASG212", "colon", "systemd", '"a:b"', exposure='"public"')],
    "ASG213": [
        Case(slug, {f"⟦ASG213|{key}⟧": text, **others}, other={"address": '"::1"', **PORT})
        for slug, key, text, others in [
            ("spelled", "address", '"0:0:0:0:0:0:0:1"', PORT),
            ("list", "address", '["127.0.0.1", "::1"]', PORT),
            ("endpoint", "endpoint", r"'tcp:8000:interface=\:\:1'", {}),
        ]
    ],
    "ASG214": [
        value("ASG214w", "list", "port", "0", address='["127.0.0.1", "::1"]'),
        value("ASG214w", "star", "port", "0", address='"*"', exposure='"public"'),
    ],
    "ASG215": [
        value("ASG215w", "one", "address", '"192.0.2.1"', **PORT),
        value("ASG215w", "six", "address", '"2001:db8::1"', **PORT),
        at("list", {"address": '["127.0.0.1", ⟦ASG215w|"203.0.113.7"⟧]', **PORT}),
        at("endpoint", {"endpoint": '"tcp:80:interface=⟦ASG215w|198.51.100.1⟧"'}),
    ],
    "ASG216": [
        value("ASG216", "four", "address", '"224.0.0.1"', **PORT),
        at("list", {"address": '["::1", ⟦ASG216|"ff02::1"⟧]', **PORT}),
        at("endpoint", {"endpoint": '"tcp:80:interface=⟦ASG216|239.0.0.1⟧"'}),
    ],
    "ASG217": [
        value("ASG217", "one", "address", '"255.255.255.255"', **PORT),
        at("endpoint", {"endpoint": '["tcp:80:interface=⟦ASG217|255.255.255.255⟧"]'}),
    ],
    "ASG218": [
        value("ASG218", "one", "address", '"::ffff:127.0.0.1"', **PORT),
        at("list", {"address": '["::1", ⟦ASG218|"::ffff:7f00:1"⟧]', **PORT}),
    ],
    "ASG219": [value("ASG219w", "one", "required", "false")],
    "ASG301": [
        at("backslash", {"endpoint": r"'tcp:80⟦ASG301|\⟧'"}),
        at("list", {"endpoint": r"""["tcp:81:interface=127.0.0.1", 'tcp:80⟦ASG301|\⟧']"""}),
    ],
    "ASG302": [
        at("port", {"endpoint": '"⟦ASG302|8000⟧"'}),
        at("address", {"endpoint": '"⟦ASG302|127.0.0.1:8000⟧"'}),
        at("path", {"endpoint": '["⟦ASG302|/run/x.sock⟧"]'}),
        at("case", {"endpoint": "'⟦ASG302|TCP⟧:8000'"}),
    ],
    "ASG303": [
        at("unknown", {"endpoint": '"tcp:80:⟦ASG303|host⟧=127.0.0.1"'}),
        at("twice", {"endpoint": '"tcp:80:backlog=1:⟦ASG303|backlog=2⟧"'}),
        at("equals", {"endpoint": '"unix:/tmp/a⟦ASG303|=⟧b"'}),
    ],
    "ASG305": [
        at("port", {"endpoint": '"tcp:⟦ASG305|99999⟧"'}),
        at("mode", {"endpoint": '"unix:/run/x:mode=⟦ASG305|999⟧"'}),
    ],
    "ASG306": [
        at("interface", {"endpoint": '"tcp:8005:interface=⟦ASG306|::1⟧"'}),
        at("brackets", {"endpoint": '"tcp:8005:interface=⟦ASG306|[::1]⟧"'}),
        at("list", {"endpoint": '["tcp:81:interface=127.0.0.1", "ssl:8005:interface=⟦ASG306|fd00::1⟧"]'}),
    ],
    "ASG307": [
        at("tpc", {"endpoint": '"⟦ASG307|tpc⟧:8000"'}),
        at("unxi", {"endpoint": '["⟦ASG307|unxi⟧:/run/x"]'}),
    ],
    "ASG308": [
        at("onion", {"endpoint": '"⟦ASG308w|onion⟧:80"'}),
        at("list", {"endpoint": '["tcp:80:interface=127.0.0.1", "⟦ASG308w|le⟧:/etc/x:tcp:443"]'}),
    ],
    "ASG309": [
        at("haproxy", {"endpoint": '"⟦ASG309w|haproxy⟧:tcp:80:interface=127.0.0.1"'}),
        at("tcp6", {"endpoint": r"'⟦ASG309w|tcp6⟧:80:interface=\:\:1'"}),
    ],
    "ASG310": [
        at("tcp", {"endpoint": r"'tcp:80:interface=⟦ASG310w|\:\:⟧'", "exposure": '"public"'}),
        at("list", {"endpoint": r"['ssl:443:interface=⟦ASG310w|\:\:⟧']", "exposure": '"public"'}),
    ],
    "ASG311": [
        at("path", {"endpoint": r"'unix:/run/a⟦ASG311w|\⟧b:mode=660'"}),
        at("basic", {"endpoint": r'"unix:/run/a⟦ASG311w|\\⟧b:mode=660"'}),
    ],
    "ASG402": [
        Case("path", {"target": '⟦ASG402|"mysite/asgi.py"⟧'}, table="application"),
        Case("module", {"target": '⟦ASG402|"mysite.asgi"⟧', "factory": "true"}, table="application"),
    ],
    "ASG403": [
        Case(
            "name",
            {"target": '"a:b"', "environment": '{ OK = "1", ⟦ASG403|"A=B"⟧ = "1" }'},
            table="application",
        ),
        Case("nul", {"target": '"a:b"', "environment": '{ A = ⟦ASG403|"\\u0000"⟧ }'}, table="application"),
    ],
    "ASG404": [
        Case("none", {"target": '"a:b"', "directory": '⟦ASG404w|"/not/there"⟧'}, table="application"),
        Case("file", {"target": '"a:b"', "directory": '⟦ASG404w|"/etc/passwd"⟧'}, table="application"),
    ],
    "ASG501": [
        value("ASG501", "wildcard", "exposure", '"private"', address='"0.0.0.0"', **PORT),
        value("ASG501", "list", "exposure", '"loopback"', address='["::1", "fd00::1"]', **PORT),
        value("ASG501", "endpoint", "exposure", '"private"', endpoint='"tcp:80"'),
    ],
    "ASG502": [
        value("ASG502", "systemd", "exposure", '"private"', systemd='"http"'),
        value("ASG502", "fd", "exposure", '"loopback"', fd="3"),
    ],
    "ASG503": [
        wide("ASG503", "proxy", "forwarded", '"x-forwarded"'),
        Case("rfc", {"forwarded": '⟦ASG503|"rfc7239"⟧', "trusted": "[]"}, table="proxy"),
    ],
    "ASG504": [
        Case("name", {"trusted": '["10.0.0.0/8", ⟦ASG504|"proxy.example"⟧]'}, table="proxy"),
        Case("star", {"trusted": '[⟦ASG504|"*"⟧]'}, table="proxy"),
        Case("zone", {"trusted": '[⟦ASG504|"fe80::1%eth0"⟧]'}, table="proxy"),
        Case("lines", {"trusted": '[\n  "unix",\n  ⟦ASG504|"é"⟧, # é\n]'}, table="proxy"),
    ],
    "ASG505": [
        wide("ASG505", "proxy", "protocol", '"v2"'),
        Case(
            "unix",
            {"protocol": '⟦ASG505|"any"⟧', "trusted": '["10.0.0.0/8"]'},
            table="proxy",
            listener=unix(),
        ),
    ],
    "ASG506": [
        Case(
            "ssl",
            {"protocol": '"any"', "trusted": '["10.0.0.0/8"]'},
            table="proxy",
            listener={"endpoint": '"⟦ASG506|ssl⟧:443:interface=10.0.0.1"'},
        )
    ],
    "ASG507": [
        Case("path", {"origins": '["self", ⟦ASG507|"https://a.example/x"⟧]'}, table="websocket"),
        Case("star", {"origins": '[⟦ASG507|"*"⟧]'}, table="websocket"),
    ],
    "ASG508": [
        value("ASG508w", "four", "address", '"0.0.0.0"', **PORT),
        value("ASG508w", "six", "address", '"::"', **PORT),
        value("ASG508w", "star", "address", '"*"', **PORT),
        value("ASG508w", "public", "address", '"8.8.8.8"', **PORT),
        at("list", {"address": '["::1", ⟦ASG508w|"0.0.0.0"⟧]', **PORT}),
        at("endpoint", {"endpoint": '⟦ASG508w|"tcp:80"⟧'}),
    ],
    "ASG509": [
        Case("four", {"trusted": '[⟦ASG509w|"0.0.0.0/0"⟧]'}, table="proxy"),
        Case("both", {"trusted": '[⟦ASG509w|"0.0.0.0/0"⟧, ⟦ASG509w|"::/0"⟧]'}, table="proxy"),
        Case(
            "forwarded",
            {"forwarded": '"x-forwarded"', "trusted": '["unix", ⟦ASG509w|"::/0"⟧]'},
            table="proxy",
        ),
        Case("mapped", {"trusted": '["10.0.0.5", ⟦ASG509w|"::ffff:0:0/96"⟧]'}, table="proxy"),
    ],
    "ASG510": [
        Case("four", {"trusted": '[⟦ASG510w|"10.0.0.1/8"⟧]'}, table="proxy"),
        Case("six", {"trusted": '["unix", ⟦ASG510w|"fd00::1/8"⟧]'}, table="proxy"),
    ],
    "ASG511": [
        Case(
            "wildcard",
            {"forwarded": '⟦ASG511w|"x-forwarded"⟧', "trusted": '["10.0.0.5"]'},
            table="proxy",
            listener={"address": '"0.0.0.0"', **PORT, "exposure": '"public"'},
        )
    ],
    "ASG512": [
        value("ASG512w", "mode", "mode", '"0666"', **unix()),
        at("stock", {"endpoint": '"⟦ASG512w|unix⟧:/run/x.sock"'}),
        at("said", {"endpoint": '["fd:3", "unix:/run/x:mode=⟦ASG512w|777⟧"]'}),
    ],
    "ASG601": [
        at("http2", {**MAIN, "⟦ASG601|http2⟧": "true"}),
        at("follow", {"interface": '"lo"', **PORT, "⟦ASG601|follow⟧": "true"}),
        at("tls", {**MAIN, "⟦ASG601|tls⟧": '{ certificate = "/x" }'}),
        Case("workers", {"⟦ASG601|workers⟧": "4"}, table="daemon"),
        Case("json", {"⟦ASG601|format⟧": '"json"'}, table="log"),
        Case("admin", {"⟦ASG601|listener⟧": '"main"'}, table="admin"),
        Case("handshake", {"⟦ASG601|tls_handshake⟧": '"5s"'}, table="timeouts"),
    ],
    "ASG701": [
        wide("ASG701w", "timeouts", "request_body", '"60s"', drain='"30s"'),
        wide("ASG701w", "timeouts", "response_write", "31", drain="30"),
        wide("ASG701w", "timeouts", "application", '"1h"', drain='"59m"'),
    ],
    "ASG702": [wide("ASG702w", "websocket", "frame_size", '"2MiB"', message_size='"1MiB"')],
    "ASG703": [wide("ASG703w", "websocket", "ping_timeout", '"5s"', ping_interval='"0s"')],
    "ASG704": [wide("ASG704w", "websocket", "compression_threshold", '"4KiB"', compression="false")],
    "ASG705": [wide("ASG705w", "websocket", "ping_interval", '"61s"', lifetime='"1m"')],
    "ASG706": [wide("ASG706w", "limits", "concurrency", "200", connections="100")],
}
OTHER = '\n[listeners.other]\naddress = "::1"\nport = 8000\n'


def file(*parts: str) -> str:
    return APPLICATION + "\n" + "\n".join(parts)


def two(one: str, other: str, rest: str = "") -> str:
    return file(f"[listeners.one]\n{one}\n", f"[listeners.two]\n{other}\n{rest}")


LO = 'address = "127.0.0.1"\nport = 8000'
FILES: dict[str, dict[str, str]] = {
    "ASG003": {
        "bare": file("[listeners.main]\naddress = ⟦ASG003|127.0.0.1⟧\nport = 8000\n"),
        "text": file(f"[listeners.main]\n{LO}\nexposure = ⟦ASG003|public⟧ # é\n"),
        "element": file(f"[listeners.main]\n{LO}\nproxy = {{ trusted = [⟦ASG003|unix⟧, 1] }}\n"),
        "network": file(f"[listeners.main]\n{LO}\n[proxy]\ntrusted = [⟦ASG003|10.0.0.0/8⟧]\n"),
        "boolean": file(f"[listeners.main]\n{LO}\nrequired = ⟦ASG003|False⟧\n"),
        "words": file(f"[listeners.main]\n{LO}\n[timeouts]\ndrain = ⟦ASG003|10 s⟧ # é\n"),
        "quote": file('[listeners.main]\naddress = ⟦ASG003|"⟧127.0.0.1\nport = 8000\n'),
        "others": (
            '[application]\ntarget = ⟦ASG402|"mysite"⟧\n\n[listeners.one]\naddress = ⟦ASG003|127.0.0.1⟧\n\n'
            f"[listeners.two]\n{LO}\n⟦ASG101|bcklog⟧ = 5\n\n[limits]\n⟦ASG101|queue⟧ = 3\n"
        ),
        "header": f'[application⟦ASG003|\n⟧[listeners.one]\n{LO}\n⟦ASG205|mode⟧ = "0600"\n',
        "twice": file(f"[listeners.one]\n{LO}\n", "⟦ASG003|[listeners.one]⟧\nport = 8001\n"),
        "sub-table": file(
            '[listeners.one]\naddress = "::1"\nport = ⟦ASG003|8_⟧\n',
            "[listeners.one.limits]\n⟦ASG101|body⟧ = 3\n",
        ),
        "array": file('[listeners.one]\naddress = ["::1", "127.0.0.1"\n⟦ASG003|p⟧ort = 8000\n'),
    },
    "ASG104": {
        "certificate": file(
            f"[listeners.main]\n{LO}\n",
            '⟦ASG601|[listeners.main.tls]⟧\n⟦ASG104|[[listeners.main.tls.certificates]]⟧\nkey = "/x"\n',
        ),
        "second": file(
            f"[listeners.main]\n{LO}\n",
            "⟦ASG601|[listeners.main.tls]⟧\n[[listeners.main.tls.certificates]]\n"
            'key = "/x"\ncertificate = "/x"\n',
            '⟦ASG104|[[listeners.main.tls.certificates]]⟧\ncertificate = "/x"\n',
        ),
        "inline": file(
            f'[listeners.main]\n{LO}\n⟦ASG601|tls⟧ = {{ certificates = [⟦ASG104|{{ key = "/x" }}⟧] }}\n'
        ),
    },
    "ASG109": {
        "order": file('[listeners.main]\nport = 8000\naddress = ["::1", ⟦ASG109|"::1"⟧, ⟦ASG109|"::1"⟧]\n'),
    },
    "ASG111": {
        "comment": file(
            '[listeners.main]\naddress = "127.0.0.1"  # asgid: ignore ⟦ASG111w|ASG998⟧\nport = 8000\n'
        ),
        "several": file(
            '[listeners.main]\naddress = "0.0.0.0" # asgid: ignore ASG508, ⟦ASG111w|ASG000⟧\nport = 8000\n'
        ),
        "string": file('[listeners.main]\nunix = "/run/# asgid: ignore ASG998"\n'),
        "header": file("[listeners.main]  # asgid: ignore ⟦ASG111w|ASG1234⟧\n" + LO + "\n"),
    },
    "ASG112": {
        "comment": file(
            '[listeners.main]\naddress = ⟦ASG207|"localhost"⟧ # asgid: ignore ⟦ASG112w|ASG207⟧\nport = 8000\n'
        ),
    },
    "ASG201": {
        "nothing": "⟦ASG201|⟧" + APPLICATION,
        "empty": APPLICATION + "\n⟦ASG201|[listeners]⟧\n",
        "inline": "⟦ASG201|listeners⟧ = {}\n" + APPLICATION,
    },
    "ASG202": {
        "blank": file(f'⟦ASG202|[listeners."a b"]⟧\n{LO}\n'),
        "digit": file(f"⟦ASG202|[listeners.1a]⟧\n{LO}\n"),
        "dotted": file('[listeners]\n⟦ASG202|"é"⟧.fd = 3\n'),
        "inline": file("[listeners]\n⟦ASG202|'a.b'⟧ = { fd = 3 }\n"),
        "long": file(f"⟦ASG202|[listeners.{'a' * 64}]⟧\n{LO}\n"),
    },
    "ASG213": {
        "same": two(LO, '⟦ASG213|address⟧ = "127.0.0.1"\nport = 8000'),
        "wildcard": two(
            'address = "0.0.0.0"\nport = 1\nexposure = "public"', '⟦ASG213|address⟧ = "10.0.0.1"\nport = 1'
        ),
        "wildcard-later": two(LO, '⟦ASG213|address⟧ = "0.0.0.0"\nport = 8000\nexposure = "public"'),
        "wildcard-six": two(
            'address = "::"\nport = 1\nexposure = "public"', 'port = 1\n⟦ASG213|address⟧ = "fd00::1"'
        ),
        "zone": two('address = "fe80::1%eth0"\nport = 1', '⟦ASG213|address⟧ = "fe80:0::1%eth0"\nport = 1'),
        "unix": two('unix = "/run/x"', '⟦ASG213|unix⟧ = "/run/y/../x"'),
        "unix-endpoint": two('unix = "/run/x"', "⟦ASG213|endpoint⟧ = 'unix:/run/x:mode=660'"),
        "systemd": two('systemd = "http"', '⟦ASG213|systemd⟧ = "http"'),
        "fd": two("fd = 3", "⟦ASG213|fd⟧ = 3"),
        "fd-endpoint": two("fd = 3", '⟦ASG213|endpoint⟧ = ["tcp:1:interface=127.0.0.1", "fd:fileno=3"]'),
        "three": file(
            f"[listeners.one]\n{LO}\n",
            f"[listeners.two]\n{LO}\n".replace("address", "⟦ASG213|address⟧"),
            f"[listeners.three]\n{LO}\n".replace("address", "⟦ASG213|address⟧"),
        ),
        "inline": file(
            "[listeners]\none = { unix = '/run/x' }\ntwo = { ⟦ASG213|unix⟧ = '/run/x' }\n"
            "three.⟦ASG213|unix⟧ = '/run/x'\n"
        ),
        "other-mistakes": two(
            f'{LO}\nheaders = {{ ⟦ASG107|date⟧ = "x" }}',
            f"{LO}\n⟦ASG101|bcklog⟧ = 3".replace("address", "⟦ASG213|address⟧"),
        ),
        "itself": file(
            '[listeners.main]\n⟦ASG213|address⟧ = ["0.0.0.0", "127.0.0.1"]\nport = 1\nexposure = "public"\n'
        ),
    },
    "ASG219": {
        "both": two(f"{LO}\nrequired = ⟦ASG219w|false⟧", "fd = 3\nrequired = ⟦ASG219w|false⟧"),
        "inline": file(
            "[listeners]\none = { fd = 3, required = ⟦ASG219w|false⟧ }\n"
            "two.fd = 4\ntwo.required = ⟦ASG219w|false⟧\n"
        ),
    },
    "ASG304": {
        # What is missing in a string is missing in its kind, as a missing key is at its table's header.
        "port": file('[listeners.main]\nendpoint = "⟦ASG304|tcp⟧:interface=127.0.0.1"\n'),
        "path": file("[listeners.main]\nendpoint = ['⟦ASG304|asgid-unix⟧:mode=660']\n"),
        "wrapped": file("[listeners.main]\nendpoint = '⟦ASG309w|haproxy⟧:⟦ASG304|unix⟧:mode=660'\n"),
    },
    "ASG401": {
        "table": f"⟦ASG401|[application]⟧\nfactory = true\n\n[listeners.main]\n{LO}\n",
        "nothing": f"⟦ASG401|⟧[listeners.main]\n{LO}\n",
        "dotted": f"⟦ASG401|application⟧.factory = true\n[listeners.main]\n{LO}\n",
        "inline": f"⟦ASG401|application⟧ = {{}}\n[listeners.main]\n{LO}\n",
    },
    "ASG508": {
        "all": file(
            '[listeners.one]\naddress = ⟦ASG508w|"0.0.0.0"⟧\nport = 1\n',
            '[listeners.two]\naddress = ⟦ASG508w|"::"⟧\nport = 1\n',
        ),
        "ignored": file('[listeners.one]\naddress = "0.0.0.0"  # asgid: ignore ASG508\nport = 1\n'),
        "ignored-list": file(
            '[listeners.one]\naddress = [\n  "127.0.0.1",\n  "10.0.0.1", # asgid: ignore ASG508 not here\n'
            '  ⟦ASG508w|"::"⟧,\n]\nport = 1\n'
        ),
    },
    "ASG511": {
        "once": file(
            '[listeners.one]\naddress = "0.0.0.0"\nport = 1\nexposure = "public"\n',
            '[listeners.two]\naddress = "0.0.0.0"\nport = 2\nexposure = "public"\n',
            '[proxy]\nforwarded = ⟦ASG511w|"rfc7239"⟧\ntrusted = ["10.0.0.5", "unix"]\n',
        ),
    },
    "ASG601": {
        "tls": file(f"[listeners.main]\n{LO}\n", '⟦ASG601|[listeners.main.tls]⟧\ncertificate = "/x"\n'),
    },
    "ASG701": {
        "own-drain": file(
            f'[listeners.main]\n{LO}\ntimeouts = {{ drain = ⟦ASG701w|"5s"⟧ }}\n',
            '[timeouts]\nrequest_body = "6s"\n',
        ),
        "own-body": file(
            f"[listeners.main]\n{LO}\n",
            '[listeners.main.timeouts]\nrequest_body = ⟦ASG701w|"6s"⟧\n',
            '[timeouts]\ndrain = "5s"\n',
        ),
        "two-listeners": file(
            f"[listeners.one]\n{LO}\n",
            "[listeners.two]\nfd = 3\n",
            "[timeouts]\ndrain = 5\nrequest_body = ⟦ASG701w|6⟧\nresponse_write = 5\napplication = 0\n",
        ),
    },
    "clean": {
        "families": two(
            'address = "0.0.0.0"\nport = 1\nexposure = "public"',
            'address = "::"\nport = 1\nexposure = "public"',
        ),
        "zones": two('address = "fe80::1%eth0"\nport = 1', 'address = "fe80::1%eth1"\nport = 1'),
        "ports": two('address = "127.0.0.1"\nport = 0', 'address = "127.0.0.1"\nport = 0'),
        "stock": two(
            'address = "0.0.0.0"\nport = 1\nexposure = "public"',
            "endpoint = 'tcp:1:interface=\\:\\:'\nexposure = \"public\"",
        ),
        "overridden": file(
            f'[listeners.one]\n{LO}\ntimeouts.drain = "2m"\n',
            '[timeouts]\ndrain = "5s"\nrequest_body = "6s"\n',
        ),
        "one-required": two(f"{LO}\nrequired = false", "fd = 3"),
        "defaults": file(
            f"[listeners.one]\n{LO}\n", '[timeouts]\ndrain = "1s"\n\n[websocket]\nmessage_size = 1\n'
        ),
        "ignored": file('[listeners.one]\naddress = "0.0.0.0"\nport = 1\n', '[lint]\nignore = ["ASG508"]\n'),
        "unix": file('[listeners.one]\nunix = "/run/x"\nmode = "0660"\nowner = "www-data"\n'),
        "trusted": file(
            f"[listeners.one]\n{LO}\n",
            '[proxy]\nforwarded = "x-forwarded"\ntrusted = ["10.0.0.0/8", "fd00::1", "unix"]\n',
        ),
    },
}
