"""What Uvicorn, Hypercorn, Granian and Gunicorn were told, as keys of the file."""

from __future__ import annotations

import tomllib

import pytest

from asgid.config.convert.conversion import from_words
from asgid.config.convert.draft import ConvertError

APP = "site.asgi:app"


def convert(line, base, app=APP):
    return from_words([*line.split(), *([app] if app else [])], base)


def value(text, key):
    found = tomllib.loads(text)
    for part in key.split("."):
        found = found.get(part) if isinstance(found, dict) else None
    return found


LINES = {
    "uvicorn": {
        "listeners": {"web": {"address": "127.0.0.1", "port": 8000}},
        "proxy": {"forwarded": "x-forwarded", "trusted": ["127.0.0.1", "::1"]},
        "timeouts": {"keep_alive": "5s", "drain": "30s"},
        "websocket": {"message_size": "16MiB", "frame_size": "16MiB"},
        "log": None,
    },
    "uvicorn --host 0.0.0.0 --port 80": {"listeners.web": {"address": "0.0.0.0", "port": 80}},
    "uvicorn --host ::": {"listeners.web.address": "::"},
    "uvicorn --host :: --workers 2": {"listeners.web.address": "*", "daemon": {}},
    "uvicorn --host localhost": {"listeners.web.address": ["127.0.0.1", "::1"]},
    "uvicorn --host=": {"listeners.web.address": "*"},
    "uvicorn --uds /run/u.sock": {
        "listeners": {"local": {"unix": "/run/u.sock", "mode": "0666"}},
        "proxy": {},
    },
    "uvicorn --uds /run/u.sock --forwarded-allow-ips *": {"proxy.trusted": ["0.0.0.0/0", "::/0", "unix"]},
    "uvicorn --fd 3 --host 0.0.0.0": {"listeners": {"inherited": {"fd": 3}}},
    "uvicorn --no-proxy-headers": {"proxy": None},
    "uvicorn --forwarded-allow-ips 10.0.0.0/8,192.0.2.1": {"proxy.trusted": ["10.0.0.0/8", "192.0.2.1"]},
    "uvicorn --backlog 64": {"listeners.web.backlog": 64},
    "uvicorn --timeout-graceful-shutdown 7 --timeout-keep-alive 3": {
        "timeouts": {"keep_alive": "3s", "drain": "7s"}
    },
    "uvicorn --limit-concurrency 50": {"limits.concurrency": 50},
    "uvicorn --ws-max-size 1000 --ws-max-queue 4 --ws-ping-interval 1.5 --ws-per-message-deflate false": {
        "websocket": {
            "message_size": "1kB",
            "frame_size": "1kB",
            "queue": 4,
            "ping_interval": "1500ms",
            "compression": False,
        },
    },
    "uvicorn --no-access-log --log-level trace": {"log": {"access": "", "level": "debug"}},
    "uvicorn --no-server-header --no-date-header": {"daemon": {"server_header": "", "date_header": False}},
    "uvicorn --header X-A:1 --header Server:s": {
        "listeners.web.headers": {"X-A": "1"},
        "daemon.server_header": "s",
    },
    "uvicorn --factory --lifespan on --app-dir src": {
        "application.factory": True,
        "application.lifespan": "on",
        "application.directory": "{base}/src",
    },
    "uvicorn --env-file .env": {"application.environment_file": "{base}/.env"},
    "uvicorn --ssl-certfile c.pem --ssl-keyfile k.pem --host ::1": {
        "listeners.secure.endpoint": (
            r"ssl:port=8000:interface=\:\:1:privateKey={base}/k.pem:certKey={base}/c.pem"
            ":backlog=2048"
        ),
    },
    "uvicorn --ssl-certfile both.pem": {
        "listeners.secure.endpoint": (
            "ssl:port=8000:interface=127.0.0.1:privateKey={base}/both.pem:certKey={base}/both.pem"
            ":backlog=2048"
        ),
    },
    "UVICORN_PORT=81 UVICORN_ACCESS_LOG=0 UVICORN_HEADERS=X-B:2 DEBUG=1 uvicorn": {
        "listeners.web": {"address": "127.0.0.1", "port": 81, "headers": {"X-B": "2"}},
        "log.access": "",
        "application.environment": {"DEBUG": "1"},
    },
    "UVICORN_PORT=81 uvicorn --port 82": {"listeners.web.port": 82, "application.environment": None},
    "FORWARDED_ALLOW_IPS=10.1.1.1 uvicorn": {"proxy.trusted": ["10.1.1.1"]},
    "hypercorn": {
        "listeners": {"web": {"address": "127.0.0.1", "port": 8000}},
        "proxy": None,
        "log.access": "",
        "timeouts": {"keep_alive": "5s", "drain": "3s"},
        "websocket.ping_interval": "0s",
        "websocket.message_size": "16MiB",
        "application.target": APP,
    },
    "hypercorn -b [::]:80 -b 10.0.0.1 -b fd://4": {
        "listeners": {
            "web": {"address": "*", "port": 80},
            "web-2": {"address": "10.0.0.1", "port": 8000},
            "inherited": {"fd": 4},
        },
    },
    "hypercorn -b [::]:80 -b 0.0.0.0:80": {
        "listeners.web.address": "::",
        "listeners.web-2.address": "0.0.0.0",
    },
    "hypercorn -b unix:h.sock -m 7 -u 5 -g 6": {
        "listeners.local": {"unix": "{base}/h.sock", "mode": "0660", "owner": "5", "group": "6"},
    },
    "hypercorn -b unix:h.sock": {"listeners.local.mode": "0644"},
    "hypercorn --certfile c --keyfile k --insecure-bind 127.0.0.1:80": {
        "listeners.web": {"address": "127.0.0.1", "port": 80},
        "listeners.secure.endpoint": (
            "ssl:port=8000:interface=127.0.0.1:privateKey={base}/k:certKey={base}/c:backlog=2048"
        ),
    },
    "hypercorn --websocket-ping-interval 9": {
        "websocket.ping_interval": "9s",
        "websocket.ping_timeout": "0s",
    },
    "hypercorn --access-logfile - --log-level ERROR -p h.pid": {
        "log": {"access": "-", "level": "error"},
        "daemon.pid_file": "{base}/h.pid",
    },
    "hypercorn --root-path /a/ --keep-alive 9 --graceful-timeout 8 --read-timeout 7": {
        "application.root_path": "/a",
        "timeouts": {"keep_alive": "9s", "drain": "8s", "request_body": "7s"},
    },
    "granian --interface asgi": {
        "listeners": {"web": {"address": "127.0.0.1", "port": 8000}},
        "log.access": "",
        "proxy": None,
        "application.lifespan": None,
        "websocket": {"message_size": "64MiB", "frame_size": "16MiB", "ping_interval": "0s"},
    },
    "granian --interface asginl --host :: --port 1": {
        "application.lifespan": "off",
        "listeners.web.address": "*",
    },
    "granian --uds g.sock --uds-permissions 0600": {"listeners.local.mode": "0600"},
    "granian --uds g.sock --uds-permissions 384": {"listeners.local.mode": "0600"},
    "granian --backpressure 5 --backlog 200 --http1-header-read-timeout 1500 --no-http1-keep-alive": {
        "limits.connections": 5,
        "listeners.web.backlog": 200,
        "timeouts": {"request_head": "1500ms", "keep_alive": "0s"},
    },
    "granian --workers-kill-timeout 1m30s --access-log --log-level warn": {
        "timeouts.drain": "90s",
        "log": {"access": "-", "level": "warning"},
    },
    "granian --working-dir src --env-files a.env --url-path-prefix /p --pid-file g.pid": {
        "application.directory": "{base}/src",
        "application.environment_file": "{base}/src/a.env",
        "application.root_path": "/p",
        "daemon.pid_file": "{base}/src/g.pid",
    },
    "GRANIAN_PORT=90 GRANIAN_LOG_ACCESS_ENABLED=true granian": {"listeners.web.port": 90, "log.access": "-"},
    "gunicorn": {
        "listeners": {"web": {"address": "127.0.0.1", "port": 8000}},
        "log.access": "",
        "timeouts": {"keep_alive": "2s"},
        "websocket.ping_interval": "0s",
        "proxy": {"forwarded": "x-forwarded", "trusted": ["127.0.0.1", "::1"]},
    },
    "gunicorn -k uvicorn_worker.UvicornWorker -b unix:/run/g.sock": {
        "listeners.local": {"unix": "/run/g.sock", "mode": "0666"},
        "proxy": {},
        "websocket.ping_interval": None,
    },
    "gunicorn -k asgi -b unix:/run/g.sock -m 007": {
        "listeners.local.mode": "0660",
        "proxy.trusted": ["127.0.0.1", "::1", "unix"],
    },
    "gunicorn -b :80 -b [::1]:81 -b localhost -b fd://3": {
        "listeners": {
            "web": {"address": "0.0.0.0", "port": 80},
            "web-2": {"address": "::1", "port": 81},
            "web-3": {"address": "127.0.0.1", "port": 8000},
            "inherited": {"fd": 3},
        },
    },
    "gunicorn --proxy-protocol --proxy-allow-from 10.0.0.1": {
        "proxy": {"protocol": "any", "trusted": ["10.0.0.1"]}
    },
    "gunicorn --proxy-protocol=v2": {"proxy": {"protocol": "v2", "trusted": ["127.0.0.1", "::1"]}},
    "gunicorn -e A=1 --env B=2=3 --chdir src": {
        "application.environment": {"A": "1", "B": "2=3"},
        "application.directory": "{base}/src",
    },
    "gunicorn --graceful-timeout 9 --keep-alive 75 --worker-connections 10 --limit-request-line 0": {
        "timeouts": {"drain": "9s", "keep_alive": "75s"},
        "limits.connections": 10,
        "limits.request_line": "0B",
    },
    "gunicorn --access-logfile - --log-level debug -p g.pid": {
        "log": {"access": "-", "level": "debug"},
        "daemon.pid_file": "{base}/g.pid",
    },
    "PORT=5000 gunicorn": {"listeners.web": {"address": "0.0.0.0", "port": 5000}},
    "PORT=5000 gunicorn -b 127.0.0.1:1": {"listeners.web": {"address": "127.0.0.1", "port": 1}},
}


@pytest.mark.parametrize("line", LINES)
def test_what_becomes_of(line, tmp_path):
    made = convert(line, tmp_path)
    assert made.text, made.findings
    for key, expected in LINES[line].items():
        shown = filled(expected, str(tmp_path))
        assert value(made.text, key) == shown, key


def filled(expected, base):
    if isinstance(expected, str):
        return expected.replace("{base}", base)
    if isinstance(expected, dict):
        return {name: filled(each, base) for name, each in expected.items()}
    return expected


@pytest.mark.parametrize(
    ("line", "target"),
    [
        ("hypercorn main", "main:app"),
        ("granian --interface asgi main", "main:app"),
        ("gunicorn main", "main:application"),
        ("hypercorn asgi:main:x.y", "main:x.y"),
        ("gunicorn main:make()", "main:make"),
        ("UVICORN_APP=env:app uvicorn", "env:app"),
    ],
)
def test_the_target(line, target, tmp_path):
    made = convert(line, tmp_path, app=None)
    assert value(made.text, "application.target") == target
    assert value(made.text, "application.factory") == (True if "()" in line else None)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("uvicorn --limit-max-requests 5", ["ASG952"]),
        ("uvicorn --workers 4", ["ASG954"]),
        ("uvicorn --workers 1", []),
        ("uvicorn --reload", ["ASG956"]),
        ("uvicorn --root-path /api", ["ASG953"]),
        ("uvicorn --interface wsgi", ["ASG953"]),
        ("uvicorn --ssl-certfile c --ssl-keyfile-password x", ["ASG952", "ASG953"]),
        ("uvicorn --ssl-certfile c --host ::", ["ASG953", "ASG953"]),
        ("uvicorn --header Connection:close", ["ASG952"]),
        ("granian", ["ASG953"]),
        ("gunicorn -k gevent", ["ASG953"]),
        ("gunicorn -k asgi -t 30", []),
        ("gunicorn -k asgi -t 31", ["ASG952"]),
        ("gunicorn -k asgi --max-requests 0", []),
        ("hypercorn -k trio", ["ASG953"]),
        ("hypercorn --quic-bind 0.0.0.0:443", ["ASG952"]),
        ("hypercorn --server-name a", ["ASG952"]),
    ],
)
def test_what_is_said(line, found, tmp_path):
    made = convert(line, tmp_path)
    assert [each.code for each in made.findings] == found
    assert made.text


@pytest.mark.parametrize(
    "line",
    [
        "uvicorn --ssl-certfile c --ssl-cert-reqs 2",
        "uvicorn --ssl-certfile c --ssl-cert-reqs 1 --ssl-ca-certs ca",
        "hypercorn --certfile c --keyfile k --verify-mode CERT_REQUIRED",
        "granian --ssl-certificate c --ssl-client-verify",
        "gunicorn --certfile c --cert-reqs 2",
        "uvicorn --fd 3 --ssl-certfile c",
    ],
)
def test_a_client_that_was_kept_out_is_never_let_in_silently(line, tmp_path):
    made = convert(line, tmp_path)
    assert made.text == ""
    assert "ASG951" in {each.code for each in made.findings if each.severity == "error"}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("uvicorn --port 65536", "0 to 65535"),
        ("uvicorn --ws-ping-interval nan", "must be a number"),
        ("uvicorn --ws-max-size 1e9", "whole number"),
        ("uvicorn --header novalue", "Name:Value"),
        ("hypercorn -b 127.0.0.1:99999", "no port"),
        ("hypercorn -b fd://x", "descriptor"),
        ("granian --uds x --uds-permissions 9999", "no file mode"),
        ("granian --workers-kill-timeout soon", "no duration"),
        ("gunicorn --proxy-protocol v3", "v1, v2 or auto"),
        ("gunicorn -e novalue", "NAME=VALUE"),
        ("gunicorn -c /no/such/file.py", "cannot be read"),
        ("hypercorn -c /no/such/file.toml", "cannot be read"),
        ("hypercorn --log-level loud", "no log level"),
        ("hypercorn cgi:a:b", "takes one application"),
        ("uvicorn a:b", "takes one application"),
    ],
)
def test_what_the_other_server_itself_refuses(line, said, tmp_path):
    with pytest.raises(ConvertError, match=said):
        convert(line, tmp_path)


def test_no_password_is_shown_or_written(tmp_path):
    made = convert("uvicorn --ssl-certfile c --ssl-keyfile-password geheim", tmp_path)
    assert "geheim" not in made.text + "".join(map(repr, made.findings))
