"""systemd units that start a server."""

from __future__ import annotations

import tomllib

import pytest

from asgid.config.convert.conversion import from_units
from asgid.config.convert.draft import ConvertError
from asgid.config.convert.unit import read
from support.files import write

SERVICE = r"""[Unit]
Description=A site
# ExecStart=/usr/bin/false

[Service]
User=www-data
Group=www-data
UMask=0007
WorkingDirectory=/srv/site
Environment=DJANGO_SETTINGS_MODULE=site.settings "GREETING=two words" PERCENT=%%
Environment=PYTHONUNBUFFERED=1 SPARE=spare
EnvironmentFile=-{folder}/site.env
ExecStartPre=/usr/bin/true
ExecStart=/srv/site/.venv/bin/daphne \
    # a comment between
    -u %t/%p/http.sock --root-path ${PREFIX} \
    -s 'a "name"' $MORE \
    site.asgi:application
"""


@pytest.fixture
def unit(tmp_path):
    """``unit(text, name)``: the path of a unit file."""

    def written(text, name="site.service"):
        return str(write(tmp_path / name, text.replace("{folder}", str(tmp_path))))

    return written


def test_a_whole_service(unit, tmp_path):
    write(tmp_path / "site.env", 'PREFIX="/app"\nMORE=-t 30   --no-server-name\n')
    made = from_units([unit(SERVICE)])
    found = tomllib.loads(made.text)
    assert found["application"] == {
        "target": "site.asgi:application",
        "directory": "/srv/site",
        "root_path": "/app",
        "virtualenv": "/srv/site/.venv",
        "environment_file": f"{tmp_path}/site.env",
        "environment": {
            "DJANGO_SETTINGS_MODULE": "site.settings", "GREETING": "two words", "PERCENT": "%",
            "SPARE": "spare",
        },
    }  # fmt: skip
    assert found["listeners"] == {"local": {"unix": "/run/site/http.sock", "mode": "0666"}}
    assert found["timeouts"]["application"] == "30s"
    assert found["daemon"] == {"server_header": ""}
    assert {(each.code, each.severity, each.place.line) for each in made.findings} == {
        ("ASG954", "info", 6), ("ASG954", "info", 7), ("ASG956", "info", 13),
    }  # fmt: skip
    assert '# user = "www-data": not available yet' in made.text


def test_the_umask_makes_the_mode(unit):
    text = "[Service]\nUMask=0007\nExecStart=granian --interface asgi --uds /run/g.sock a:b\n"
    assert tomllib.loads(from_units([unit(text)]).text)["listeners"]["local"]["mode"] == "0660"


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("a  b\t c", ["a", "b", "c"]),
        ("a 'b c' \"d e\" f'g h'i", ["a", "b c", "d e", "fg hi"]),
        (r"a b\x20c \u00e9 \101 \s \t|", ["a", "b c", "é", "A", " ", "\t|"]),
        (r"a '\'' \" \\ \q", ["a", "'", '"', "\\", "\\q"]),
        ("a $$X ${A}-$A-${B} $W $B", ["a", "$X", "one-$A-", "x", "y"]),
        ("a '' b", ["a", "", "b"]),
        ("a b ; other c", ["a", "b"]),
        (r"a \; b", ["a", ";", "b"]),
        ("a 50%% %i %p", ["a", "50%", "inst", "t"]),
    ],
)
def test_words_are_split_as_systemd_splits_them(line, words, unit):
    """As systemd.syntax(7) and systemd.service(5), COMMAND LINES, say it."""
    text = f'[Service]\nEnvironment=A=one "W=x  y" B=\nExecStart=-+!{line}\n'
    assert list(read([unit(text, "t@inst.service")]).words) == words


def test_an_empty_assignment_begins_again_and_drop_ins_come_after(unit, tmp_path):
    path = unit("[Service]\nEnvironment=A=1\nExecStart=daphne a:b\n")
    write(tmp_path / "site.service.d" / "20.conf", "[Service]\nExecStart=\nExecStart=uvicorn c:d\n")
    write(tmp_path / "site.service.d" / "10.conf", "[Service]\nEnvironment=\nEnvironment=B=2\n")
    started = read([path])
    assert started.words == ("uvicorn", "c:d")
    assert started.environment == {"B": "2"}


def test_what_is_known_to_systemd_alone_is_said(unit):
    made = from_units([unit("[Service]\nExecStart=daphne -s %H --root-path ${NOWHERE} a:b\n")])
    assert [(each.code, each.place.line) for each in made.findings] == [("ASG955", 2), ("ASG955", 2)]
    assert "%H" in made.findings[0].message
    assert "$NOWHERE" in made.findings[1].message


def test_variables_of_the_unit_are_the_servers(unit):
    text = (
        "[Service]\nEnvironment=UVICORN_PORT=81 WEB_CONCURRENCY=1 X=y\nExecStart=/usr/bin/env uvicorn a:b\n"
    )
    found = tomllib.loads(from_units([unit(text)]).text)
    assert found["listeners"]["web"]["port"] == 81
    assert found["application"]["environment"] == {"X": "y"}


SOCKET = "[Socket]\nListenStream=0.0.0.0:80\nListenStream=[::]:80\nBacklog=64\n"


def test_the_sockets_of_a_socket_unit_take_the_place_of_descriptors(unit):
    service = unit("[Service]\nExecStart=uvicorn --fd 3 --header X-A:1 a:b\n")
    made = from_units(
        [service, unit(SOCKET, "site.socket"), unit(f"{SOCKET}FileDescriptorName=tls\n", "t.socket")]
    )
    assert tomllib.loads(made.text)["listeners"] == {
        "socket": {"systemd": "site.socket", "headers": {"X-A": "1"}},
        "socket-2": {"systemd": "tls", "headers": {"X-A": "1"}},
    }
    assert made.findings == ()


def test_a_socket_that_the_command_line_does_not_take_needs_a_decision(unit):
    made = from_units([unit("[Service]\nExecStart=uvicorn a:b\n"), unit(SOCKET, "site.socket")])
    assert set(tomllib.loads(made.text)["listeners"]) == {"web", "socket"}
    assert [each.code for each in made.findings] == ["ASG953"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no ExecStart"),
        ("[Service]\nType=simple\n", "no ExecStart"),
        ("[Service]\nExecStart=\n", "no ExecStart"),
        ("[Service]\nExecStart=/usr/sbin/nginx -g x\n", "nginx is none of them"),
        ("[Service]\nExecStart=daphne 'a:b\n", "site.service:2:1: ExecStart=: a quote is not closed"),
        (b"[Service]\nExecStart=\xff\n", "not UTF-8"),
    ],
)
def test_a_unit_that_starts_none_is_said(text, said, tmp_path):
    write(tmp_path / "site.service", text)
    with pytest.raises(ConvertError, match=said):
        from_units([str(tmp_path / "site.service")])


def test_a_socket_alone_is_no_start(unit):
    with pytest.raises(ConvertError, match="one service unit"):
        from_units([unit(SOCKET, "site.socket")])
    with pytest.raises(ConvertError, match="no ListenStream"):
        from_units(
            [unit("[Service]\nExecStart=daphne a:b\n"), unit("[Socket]\nListenDatagram=1\n", "b.socket")]
        )


@pytest.mark.parametrize(
    ("prefix", "line", "words"),
    [
        ("@", "/bin/daphne called-so a:b", ["/bin/daphne", "a:b"]),
        ("-@", "/bin/daphne called-so a:b", ["/bin/daphne", "a:b"]),
        (":", "/bin/daphne ${A} $A $$ %p a:b", ["/bin/daphne", "${A}", "$A", "$$", "site", "a:b"]),
        ("+:@", "/bin/daphne me ${A} a:b", ["/bin/daphne", "${A}", "a:b"]),
        ("!!", "/bin/daphne ${A} a:b", ["/bin/daphne", "one", "a:b"]),
        ("|", "/bin/daphne ${A} a:b", ["/bin/daphne", "one", "a:b"]),
    ],
)
def test_what_stands_before_a_command_is_heeded(prefix, line, words, unit):
    """As systemd.service(5) has it: behind @ the second word is a name, behind : there are no variables."""
    assert list(read([unit(f"[Service]\nEnvironment=A=one\nExecStart={prefix}{line}\n")]).words) == words


@pytest.mark.parametrize(
    "starts", ["ExecStart=/bin/true now\nExecStart=daphne a:b", "ExecStart=/bin/true now ; daphne a:b"]
)
def test_of_several_commands_the_servers_is_taken_and_the_others_are_said(starts, unit):
    made = from_units([unit(f"[Service]\nType=oneshot\n{starts}\n")])
    assert tomllib.loads(made.text)["application"]["target"] == "a:b"
    (found,) = made.findings
    assert (found.code, found.place.line) == ("ASG952", 3)
    assert "/bin/true" in found.message
    assert found.source == starts.split("\n")[0]


def test_the_second_of_two_servers_is_not_forgotten(unit):
    made = from_units([unit("[Service]\nExecStart=daphne a:b\nExecStart=uvicorn c:d\n")])
    assert tomllib.loads(made.text)["application"]["target"] == "a:b"
    assert [(each.code, each.place.line) for each in made.findings] == [("ASG952", 3)]


def test_variables_that_are_unset_are_not_written(unit):
    made = from_units([unit("[Service]\nEnvironment=A=1 B=2\nUnsetEnvironment=A\nExecStart=daphne a:b\n")])
    assert tomllib.loads(made.text)["application"]["environment"] == {"B": "2"}


def test_the_home_of_a_user_is_asked_for(unit):
    home = "WorkingDirectory=~\nExecStart=daphne a:b\n"
    assert from_units([unit(f"[Service]\n{home}")]).findings == ()
    found = from_units([unit(f"[Service]\nUser=www\n{home}")]).findings
    assert ("ASG955", 3) in {(each.code, each.place.line) for each in found}


def test_what_the_file_has_no_key_for_is_said(unit):
    made = from_units([unit("[Service]\nExecStartPre=/bin/x\nPassEnvironment=KEY\nExecStart=daphne a:b\n")])
    assert [(each.code, each.severity, each.place.line) for each in made.findings] == [
        ("ASG956", "info", 2), ("ASG956", "info", 3),
    ]  # fmt: skip


def test_a_shell_on_the_way_finds_the_units_variables(unit, tmp_path):
    write(tmp_path / "env", "QUEUE=7\nPLACE='/a b'\n")
    line = """sh -c 'exec daphne -p ${PORT} --root-path "$PLACE" -s '"'$PORT'"' -t $QUEUE a:b'"""
    text = f"[Service]\nEnvironment=PORT=90\nEnvironmentFile={tmp_path}/env\nExecStart=:{line}\n"
    found = tomllib.loads(from_units([unit(text)]).text)
    assert found["listeners"]["web"]["port"] == 90
    assert found["application"]["root_path"] == "/a b"
    assert found["timeouts"]["application"] == "7s"
