"""Whole files with several mistakes: each is told in the same run, whatever else is wrong beside it.

For each rule there is a file in which something near its own input is wrong, and its input is whole.
"""

from __future__ import annotations

from cases import APPLICATION, LO, file, two

PUBLIC = 'address = "0.0.0.0"\nport = 1\nexposure = "public"\n'
BELIEVES = 'forwarded = ⟦ASG511w|"x-forwarded"⟧\n'


def endpoint(text: str) -> str:
    return file(f"[listeners.main]\nendpoint = {text}\n")


TOGETHER = {
    # Whom a listener believes, with something else wrong in [proxy] or in the listener.
    "trusted-element": file(
        f"[listeners.main]\n{PUBLIC}",
        f'[proxy]\n{BELIEVES}trusted = ["10.0.0.5", ⟦ASG504|"proxy.example"⟧]\n',
    ),
    "trusted-only": file(
        f"[listeners.main]\n{PUBLIC}", f'[proxy]\n{BELIEVES}trusted = [⟦ASG504|"proxy.example"⟧]\n'
    ),
    "trusted-text": file(
        f"[listeners.main]\n{PUBLIC}", f'[proxy]\n{BELIEVES}trusted = ⟦ASG102|"10.0.0.5"⟧\n'
    ),
    "trusted-own": file(
        f'[listeners.main]\n{PUBLIC}proxy = {{ trusted = [⟦ASG504|"a b"⟧, "10.0.0.5"] }}\n',
        f"[proxy]\n{BELIEVES}",
    ),
    "trusted-number": file(
        f"[listeners.main]\n{PUBLIC}", '[proxy]\nforwarded = "rfc7239"\ntrusted = [⟦ASG102|10⟧]\n'
    ),
    "trusted-misspelled": file(
        f"[listeners.main]\n{PUBLIC}", '[proxy]\nforwarded = "rfc7239"\n⟦ASG101|trustd⟧ = ["10.0.0.5"]\n'
    ),
    "trusted-everyone-misspelled-unix": file(
        f"[listeners.main]\n{PUBLIC}",
        '[proxy]\nforwarded = "rfc7239"\ntrusted = [⟦ASG509w|"0.0.0.0/0"⟧, ⟦ASG504|"unxi"⟧]\n',
    ),
    "host-header": file(
        f"[listeners.main]\n{PUBLIC}",
        f'[proxy]\n{BELIEVES}trusted = ["10.0.0.5"]\nhost_header = ⟦ASG107|"a b"⟧\n',
    ),
    "proxy-key": file(
        f"[listeners.main]\n{LO}\n", '[proxy]\nforwarded = ⟦ASG503|"rfc7239"⟧\n⟦ASG101|colour⟧ = "blue"\n'
    ),
    "proxy-own-header": two(
        f'{LO}\nproxy = {{ port_header = ⟦ASG107|"a b"⟧ }}',
        'address = "::1"\nport = 1\n',
        '\n[proxy]\nprotocol = ⟦ASG505|"v2"⟧\n',
    ),
    "nobody-no-address": file(
        '[listeners.main]\naddress = ⟦ASG207|"a.example"⟧\nport = 1\n',
        '[proxy]\nforwarded = ⟦ASG503|"rfc7239"⟧\n',
    ),
    "nobody-no-listener": "⟦ASG201|⟧" + APPLICATION + '\n[proxy]\nprotocol = ⟦ASG505|"any"⟧\n',
    "unix-not-trusted": file(
        '[listeners.main]\nunix = ⟦ASG108|""⟧\n',
        '[proxy]\nprotocol = ⟦ASG505|"any"⟧\ntrusted = [⟦ASG504|"proxy.example"⟧]\n',
    ),
    "unix-misspelled": file(
        '[listeners.main]\nunix = "/run/x"\n', '[proxy]\nprotocol = "any"\ntrusted = [⟦ASG504|"unix:"⟧]\n'
    ),
    "only-unix-trusted": file(
        '[listeners.main]\naddress = ⟦ASG217|"255.255.255.255"⟧\nport = 1\n',
        '[proxy]\nprotocol = ⟦ASG505|"any"⟧\ntrusted = ["unix"]\n',
    ),
    "protocol-first": file(
        '[listeners.main]\nendpoint = ["tcp:1:interface=10.0.0.1", "⟦ASG506|ssl⟧:2:interface=10.0.0.1"]\n'
        "⟦ASG205|port⟧ = 3\n",
        '[proxy]\nprotocol = "any"\ntrusted = ["10.0.0.2", ⟦ASG504|"é"⟧]\n',
    ),
    "trusted-networks": file(
        f"[listeners.main]\n{LO}\n",
        '[proxy]\ntrusted = [⟦ASG510w|"10.0.0.1/8"⟧, ⟦ASG102|1⟧, ⟦ASG109|"10.0.0.0/8"⟧, ⟦ASG509w|"::/0"⟧]\n',
    ),
    # Who can reach a listener, with something else wrong in it.
    "wide-no-port": file('⟦ASG204|[listeners.main]⟧\naddress = ⟦ASG508w|"0.0.0.0"⟧\n'),
    "wide-bad-port": file('[listeners.main]\naddress = ⟦ASG508w|"*"⟧\nport = ⟦ASG206|"8000"⟧\n'),
    "wide-stranger": file('[listeners.main]\naddress = ⟦ASG508w|"::"⟧\nport = 1\n⟦ASG205|mode⟧ = "0660"\n'),
    "wide-name": file('⟦ASG202|[listeners."a b"]⟧\naddress = ⟦ASG508w|"8.8.8.8"⟧\nport = 1\n'),
    "wide-list": file(
        "[listeners.main]\nport = 1\n"
        'address = [⟦ASG207|"a.example"⟧, ⟦ASG508w|"0.0.0.0"⟧, ⟦ASG216|"ff02::1"⟧]\n'
    ),
    "wide-two-ways": file(
        '[listeners.main]\naddress = ⟦ASG508w|"0.0.0.0"⟧\nport = 1\n⟦ASG203|endpoint⟧ = ⟦ASG508w|"tcp:2"⟧\n'
    ),
    "wide-bad-exposure": file(
        '[listeners.main]\naddress = "0.0.0.0"\nport = 1\nexposure = ⟦ASG103|"publik"⟧\n'
    ),
    "wider-bad-port": file(
        '[listeners.main]\naddress = "0.0.0.0"\nport = ⟦ASG206|65536⟧\nexposure = ⟦ASG501|"private"⟧\n'
    ),
    "unknown-stranger": file('[listeners.main]\nfd = 3\n⟦ASG205|port⟧ = 1\nexposure = ⟦ASG502|"private"⟧\n'),
    # Which listeners want the same socket.
    "collision-stranger": two('unix = "/run/x"\n⟦ASG205|port⟧ = 1', '⟦ASG213|unix⟧ = "/run/x"'),
    "collision-names": file(
        f'⟦ASG202|[listeners."1"]⟧\n{LO}\n',
        '⟦ASG202|[listeners."2"]⟧\n⟦ASG213|address⟧ = "127.0.0.1"\nport = 8000\n',
    ),
    "collision-two-ways": two(
        'endpoint = "tcp:1:interface=127.0.0.1"',
        'unix = "/run/x"\n⟦ASG203|address⟧ = "::1"\nport = 1',
        '\n[listeners.three]\n⟦ASG213|unix⟧ = "/run/x"\n',
    ),
    "collision-later-way": two(
        'unix = "/run/x"\n⟦ASG203|fd⟧ = 3', '⟦ASG213|fd⟧ = 3\n⟦ASG203|unix⟧ = "/run/y"'
    ),
    "collision-bad-port": two(LO, 'address = "127.0.0.1"\nport = ⟦ASG206|"8000"⟧'),
    "collision-long-path": two(f'unix = ⟦ASG108|"/{"x" * 107}"⟧', f'unix = ⟦ASG108|"/{"x" * 107}"⟧'),
    "both-families": two(
        "endpoint = 'tcp:1:interface=\\:\\:'\nexposure = \"public\"",
        'address = "0.0.0.0"\nport = ⟦ASG206|"1"⟧\nexposure = "public"',
    ),
    "both-families-list": endpoint(
        "['⟦ASG307|tpc⟧:2', 'tcp:7:interface=⟦ASG310w|\\:\\:⟧']\nexposure = 'public'"
    ),
    "both-families-near": endpoint("['⟦ASG307|tpc⟧:7', 'tcp:7:interface=\\:\\:']\nexposure = 'public'"),
    "both-families-address": two(
        "endpoint = 'tcp:1:interface=⟦ASG310w|\\:\\:⟧'\nexposure = \"public\"",
        'address = ⟦ASG207|"localhost"⟧\nport = 1',
    ),
    # Which keys are there, whatever is wrong with their values.
    "no-port-bad-address": file('⟦ASG204|[listeners.main]⟧\naddress = ⟦ASG207|"localhost"⟧\n'),
    "no-port-multicast": file('⟦ASG204|[listeners.main]⟧\naddress = [⟦ASG216|"224.0.0.1"⟧]\n'),
    "port-in-address": file('[listeners.main]\naddress = ⟦ASG207|"127.0.0.1:8000"⟧\n'),
    "port-for-address": file("[listeners.main]\naddress = ⟦ASG102|8000⟧\n"),
    "port-in-list": file('[listeners.main]\naddress = [⟦ASG207|"[::1]:8000"⟧, "::1"]\n'),
    "headers": file(
        f'[listeners.main]\n{LO}\nheaders = {{ x-a = "1", ⟦ASG107|"b c"⟧ = "2", ⟦ASG107|X-A⟧ = "3" }}\n'
    ),
    # What is not available yet, with a value that it would not take either.
    "wait": file(f'[listeners.main]\n{LO}\n⟦ASG601|wait⟧ = "5 min"\n'),
    "follow": file('[listeners.main]\ninterface = "lo"\nport = 1\n⟦ASG601|follow⟧ = "yes"\n'),
    "workers": file(f"[listeners.main]\n{LO}\n", "[daemon]\n⟦ASG601|workers⟧ = 0\n⟦ASG601|user⟧ = 5\n"),
    "tls": file(
        f"[listeners.main]\n{LO}\n",
        '⟦ASG601|[listeners.main.tls]⟧\ncertificate = ⟦ASG108|""⟧\n⟦ASG101|keey⟧ = "/x"\n',
    ),
    "tls-list": file(f"[listeners.main]\n{LO}\n", "⟦ASG601|[[listeners.main.tls]]⟧\n"),
    # Several mistakes in one endpoint string, and beside what cannot be opened what is hardly meant.
    "endpoint-arguments": file(
        "[listeners.main]\n"
        'endpoint = "tcp:⟦ASG305|99999⟧:interface=⟦ASG216|239.0.0.1⟧:⟦ASG303|foo⟧=1:⟦ASG303|interface=x⟧"\n'
    ),
    "endpoint-kind": file('[listeners.main]\nendpoint = "⟦ASG307|tpc⟧:⟦ASG305|99999⟧:backlog=⟦ASG305|x⟧"\n'),
    "endpoint-case": file(
        '[listeners.main]\nendpoint = "⟦ASG302|TCP⟧:80:interface=⟦ASG306|::1⟧:backlog=5"\n'
    ),
    "endpoint-address": file(
        '[listeners.main]\nendpoint = "tcp:⟦ASG305|x⟧:interface=⟦ASG306|::1⟧:backlog=⟦ASG305|y⟧"\n'
    ),
    "endpoint-missing": file(
        "[listeners.main]\nendpoint = '⟦ASG304|tcp⟧:backlog=⟦ASG305|y⟧:⟦ASG303|host⟧=a'\n"
    ),
    "endpoint-renamed": file("[listeners.main]\nendpoint = 'asgid-unix:⟦ASG303|address⟧=/run/x:mode=0660'\n"),
    "endpoint-traps": file("[listeners.main]\nendpoint = 'unix:/a⟦ASG303|=⟧b:/c⟦ASG303|=⟧d'\n"),
    "endpoint-trap-mode": file("[listeners.main]\nendpoint = 'unix:/a⟦ASG303|=⟧b:mode=⟦ASG305|999⟧'\n"),
    "endpoint-backslash": file("[listeners.main]\nendpoint = 'unix:/a⟦ASG311w|\\⟧b:mode=⟦ASG305|888⟧'\n"),
    "endpoint-wrapped": endpoint(
        r"'⟦ASG309w|haproxy⟧:tcp:⟦ASG305|x⟧:interface=⟦ASG215w|2001\:db8\:\:1⟧:backlog=⟦ASG305|y⟧'"
    ),
    "endpoint-mode": endpoint(
        "['unix:/run/a:mode=⟦ASG512w|666⟧:⟦ASG303|colour⟧=1', 'unix:/b:⟦ASG303|mod⟧=660']"
    ),
    "endpoint-plugin": file("[listeners.main]\nendpoint = '⟦ASG308w|onion⟧:80:a=1:⟦ASG303|a=2⟧'\n"),
    "endpoint-end": file("[listeners.main]\nendpoint = 'tcp:⟦ASG305|x⟧:interface=127.0.0.1⟦ASG301|\\⟧'\n"),
    "endpoint-empty": endpoint(
        "['tcp⟦ASG305|:⟧', 'tcp:80:⟦ASG305|backlog=⟧', ⟦ASG302|''⟧, '⟦ASG512w|unix⟧⟦ASG305|:⟧']"
    ),
    # The same in every spelling of a string.
    "spelled-basic": endpoint(r'"tcp:\u0038\u0030:interface=⟦ASG215w|2001\\:db8\\:\\\u003a1⟧"'),
    "spelled-escape": endpoint(r'"tcp:⟦ASG305|\u0039\U000000399999⟧"'),
    "spelled-before": endpoint(r'"\u0074cp:\u0039:backlog=⟦ASG305|日⟧"'),
    "spelled-lines": endpoint('"""\ntcp:8\\\n\n   0:⟦ASG303|ho\\\n\t st⟧\\\n =\\u0061:backlog=⟦ASG305|x⟧"""'),
    "spelled-joined": endpoint(
        '["fd:3", """⟦ASG307|tpc⟧:80:\\\n    interface=127.0.0.1:\\\n    backlog=⟦ASG305|\\u0078⟧"""]'
    ),
    "spelled-literal": endpoint(
        "'" * 3 + "\ntcp:80:interface=⟦ASG215w|2001\\:db8\\:\\:1⟧:backlog=9" + "'" * 3
    ),
    "spelled-broken": endpoint("'" * 3 + "tcp:80⟦ASG301|\n⟧:backlog=⟦ASG305|日本⟧" + "'" * 3),
}
