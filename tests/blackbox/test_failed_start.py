"""Starts that fail: which listener, where in the file, the cause, the status; nothing is left behind."""

from __future__ import annotations

import os
import re
import socket

import pytest

from asgid.config import codes
from support.files import SITE, free_port, probe_file, write
from support.raw import Raw

LOOPBACK = '[listeners.{name}]\naddress = "127.0.0.1"\nport = {port}\n'


@pytest.fixture
def held():
    """A port that somebody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as holder:
        yield holder.getsockname()[1]


def test_a_held_port_is_named_with_its_listener_and_its_holder(run, tmp_path, held):
    path = probe_file(tmp_path, LOOPBACK.format(name="public", port=held))
    failed = run("--config", path)
    assert failed.status == 1
    assert re.search(rf"{re.escape(str(path))}:\d+:\d+: error\[ASG\d+\]", failed.err.text)
    assert "public" in failed.err.text
    assert str(held) in failed.err.text
    assert str(os.getpid()) in failed.err.text  # the holder is this test
    assert "Traceback" not in failed.err.text


def test_every_listener_that_would_fail_is_told_at_once(run, tmp_path, held):
    with socket.create_server(("127.0.0.1", 0)) as other:
        second = other.getsockname()[1]
        text = (
            LOOPBACK.format(name="first", port=held)
            + LOOPBACK.format(name="second", port=second)
            + '[listeners.third]\naddress = "203.0.113.77"\nport = 8000\n'
            + '[listeners.fourth]\ninterface = "nosuch0"\nport = 8000\n'
        )
        failed = run("--config", probe_file(tmp_path, text))
    assert failed.status == 1
    for word in (str(held), str(second), "203.0.113.77", "nosuch0", "first", "second", "third", "fourth"):
        assert word in failed.err.text, word
    assert "the lifespan shut down" not in failed.err.text  # the application was not even started


def test_with_required_false_the_rest_serves(serve, held):
    server = serve(
        LOOPBACK.format(name="broken", port=held) + "required = false\n"
        '[listeners.gone]\ninterface = "nosuch0"\nport = 8000\nrequired = false\n'
        + LOOPBACK.format(name="good", port=0)
    )
    assert [line.name for line in server.listeners] == ["good"]
    with Raw(server.first.place) as client:
        assert client.get("/hello").status == 200
    for name in ("broken", "gone"):
        assert re.search(rf"warning\[ASG\d+\].*{name}", server.err.text), name


def test_what_has_no_code_of_its_own_fails_its_listener_with_the_words_of_the_system(run, serve, tmp_path):
    # RFC 2606: there is no host of that name anywhere.
    text = '[listeners.named]\nendpoint = "tcp:0:interface=nosuch.invalid"\n'
    path = probe_file(tmp_path, text)
    failed, by_hand = run("--config", path), run("lint", "--live", path)
    assert (failed.status, by_hand.status) == (1, 1)
    for said in (failed.err.text, by_hand.out.text):
        assert re.search(rf":6:12: error\[{codes.LISTENER_FAILED}\]: listener named: nosuch\.invalid", said)
    server = serve(text + "required = false\n" + LOOPBACK.format(name="good", port=0))
    assert [line.name for line in server.listeners] == ["good"]
    assert f"warning[{codes.LISTENER_FAILED}]: listener named: nosuch.invalid" in server.err.text


def test_where_no_listener_serves_the_start_fails(run, tmp_path, held):
    text = LOOPBACK.format(name="broken", port=held) + "required = false\n"
    assert run("--config", probe_file(tmp_path, text)).status == 1


def test_a_failed_start_leaves_no_socket_file_and_no_pid_file(run, tmp_path, held):
    text = '[listeners.local]\nunix = "probe.sock"\n' + LOOPBACK.format(name="public", port=held)
    path = probe_file(tmp_path, text, rest='[daemon]\npid_file = "asgid.pid"\n')
    assert run("--config", path).status == 1
    assert sorted(each.name for each in tmp_path.iterdir()) == ["listeners.toml"]


def test_a_lifespan_that_fails_leaves_no_socket_file(run, tmp_path):
    path = probe_file(tmp_path, '[listeners.local]\nunix = "probe.sock"\n')
    failed = run("--config", path, env={"PROBE_LIFESPAN": "fail"})
    assert failed.status == 1
    assert "the database is not there" in failed.err.text
    assert re.search(rf"{re.escape(str(path))}:\d+:\d+: error\[ASG\d+\]", failed.err.text)
    assert not (tmp_path / "probe.sock").exists()


def test_an_application_without_lifespan_is_served(serve):
    server = serve(env={"PROBE_LIFESPAN": "unsupported"})
    with Raw(server.first.place) as client:
        assert client.get("/hello").status == 200


def test_with_lifespan_on_an_application_without_it_is_an_error(run, tmp_path):
    path = probe_file(tmp_path)
    path.write_text(path.read_text().replace("[listeners", 'lifespan = "on"\n[listeners', 1))
    failed = run("--config", path, env={"PROBE_LIFESPAN": "unsupported"})
    assert failed.status == 1
    assert "lifespan" in failed.err.text


APPLICATIONS = {
    "no-module": ("nosuchmodule:application", r"nosuchmodule"),
    "no-attribute": ("probe:nosuchattribute", r"nosuchattribute"),
    "not-callable": ("probe:PIECE", r"called|callable"),
    "raises": ("raises_at_import:application", r"ZeroDivisionError"),
    "exits": ("exits_at_import:application", r"SystemExit|exit"),
    "interrupts": ("interrupts_at_import:application", r"KeyboardInterrupt"),
    "syntax": ("broken_syntax:application", r"SyntaxError"),
    "missing-dependency": ("needs_another:application", r"nosuchdependency"),
}


@pytest.mark.parametrize("kind", APPLICATIONS)
def test_an_application_that_cannot_be_imported_is_told_where_it_is_named(run, tmp_path, kind):
    target, words = APPLICATIONS[kind]
    write(tmp_path / "app" / "raises_at_import.py", "1 / 0\n")
    write(tmp_path / "app" / "exits_at_import.py", "raise SystemExit(0)\n")
    write(tmp_path / "app" / "interrupts_at_import.py", "raise KeyboardInterrupt\n")
    write(tmp_path / "app" / "broken_syntax.py", "def (:\n")
    write(tmp_path / "app" / "needs_another.py", "import nosuchdependency\n")
    path = probe_file(tmp_path, '[listeners.local]\nunix = "probe.sock"\n', target=target)
    if not target.startswith("probe:"):
        text = re.sub(r'directory = ".*"', f'directory = "{tmp_path / "app"}"', path.read_text())
        path.write_text(text)
    failed = run("--config", path)
    assert failed.status == 1
    assert re.search(rf"{re.escape(str(path))}:2:\d+: error\[ASG\d+\].*", failed.err.text)
    assert re.search(words, failed.err.text)
    # The application's own traceback may be shown where its code raised; asgid's own frames never.
    assert "asgid/daemon/cli" not in failed.err.text
    assert not (tmp_path / "probe.sock").exists()


def test_a_socket_of_a_running_server_is_not_taken_from_it(serve, run, tmp_path):
    first = serve('[listeners.local]\nunix = "probe.sock"\n')
    failed = run("--config", tmp_path / "listeners.toml")
    assert failed.status == 1
    assert "probe.sock" in failed.err.text
    with Raw(str(tmp_path / "probe.sock")) as client:
        assert client.get("/hello").status == 200
    assert first.stop() == 0


def test_a_stale_socket_and_a_stale_lock_do_not_block_a_restart(serve, tmp_path):
    first = serve('[listeners.local]\nunix = "probe.sock"\n')
    first.kill()
    assert (tmp_path / "probe.sock").is_socket()
    (tmp_path / "probe.sock.lock").symlink_to(str(first.pid))  # what Twisted's own leaves after a crash
    serve('[listeners.local]\nunix = "probe.sock"\n')
    with Raw(str(tmp_path / "probe.sock")) as client:
        assert client.get("/hello").status == 200


def test_a_file_in_the_place_of_the_socket_is_not_removed(run, tmp_path):
    precious = write(tmp_path / "probe.sock", "precious")
    failed = run("--config", probe_file(tmp_path, '[listeners.local]\nunix = "probe.sock"\n'))
    assert failed.status == 1
    assert precious.read_text() == "precious"


def test_one_failed_listen_ends_a_start_from_the_command_line_too(run, held, tmp_path):
    port = free_port()
    endpoints = [f"tcp:{port}:interface=127.0.0.1", f"tcp:{held}:interface=127.0.0.1"]
    failed = run(
        "-e", endpoints[0], "-e", endpoints[1], "--app-dir", write(tmp_path / "x.py", HELLO).parent, "x:app"
    )
    assert failed.status == 1
    assert str(held) in failed.err.text


HELLO = """\
async def app(scope, receive, send):
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": b"x"})
"""


@pytest.mark.parametrize(
    ("rest", "line"),
    [
        ('directory = "/proc/no/such"', 4),
        ('virtualenv = "/proc/no/such"', 4),
        ('[daemon]\numask = "022"\npid_file = "/proc/no/such"', 6),
        ('[log]\naccess = "/proc/no/such"', 5),
    ],
)
def test_a_path_that_cannot_be_had_is_told_at_the_key_that_names_it(run, tmp_path, rest, line):
    head = '[application]\ntarget = "probe:application"\nlifespan = "off"\n'
    path = write(tmp_path / "a.toml", f'{head}{rest}\n[listeners.main]\nunix = "probe.sock"\n')
    failed = run("--config", path, env={"PYTHONPATH": str(SITE)})
    assert failed.status == 1
    column = rest.splitlines()[-1].index('"') + 1
    assert re.search(rf"^{re.escape(str(path))}:{line}:{column}: error\[ASG9\d\d\]", failed.err.text)


def test_a_listener_that_need_not_start_is_told_once_and_not_tried(serve):
    text = '[listeners.nobody]\nunix = "x.sock"\nowner = "no-such-user"\nrequired = false\n'
    port = free_port()
    for name in ("main", "again"):
        lines = (
            f'interface = "lo"\nfamily = "ipv4"\nport = {port}\nrequired = {str(name == "main").lower()}\n'
        )
        text += f"[listeners.{name}]\n{lines}"
    server = serve(text)
    assert len(re.findall(r"warning\[", server.err.text)) == 2
    assert {each.name for each in server.listeners} == {"main"}


def test_standard_input_and_output_are_no_listener(run, tmp_path):
    failed = run("-e", "stdio", "probe:application", env={"PYTHONPATH": str(SITE)})
    assert failed.status == 1
    assert re.fullmatch(r"command line: -e: error.*no listener\n +=.*", failed.err.text)


def test_a_reason_of_several_lines_is_told_whole(run, tmp_path):
    failed = run("--config", probe_file(tmp_path), env={"PROBE_LIFESPAN": "fail-at-length"})
    assert failed.status == 1
    at = failed.err.lines.index("  the database is not there")
    assert failed.err.lines[at + 1] == "  it was at db.example:5432"
    assert "did not start: it was at db.example:5432" in failed.err.text


def test_an_interface_in_the_place_of_an_address_is_pointed_to_the_key_for_it(run):
    failed = run("-b", "nosuch0", "-p", "0", "probe:application", env={"PYTHONPATH": str(SITE)})
    assert failed.status == 1
    assert 'interface = "nosuch0"' in failed.err.text


def test_too_few_open_files_for_the_listeners_are_one_finding(run, tmp_path):
    text = "".join(LOOPBACK.format(name=f"l{at}", port=0) for at in range(200))
    path = probe_file(tmp_path, text)
    failed = run("--config", path, prefix=("sh", "-c", 'ulimit -n 64; exec "$@"', "sh"))
    assert failed.status == 1
    assert len(re.findall(r"error\[", failed.err.text)) == 1, failed.err.text
    assert re.search(r"error\[ASG817\]: .*\(64\)", failed.err.text)
