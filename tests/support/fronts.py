"""Proxies in front of a server: nginx and HAProxy as Debian has them, from a configuration each."""

from __future__ import annotations

import socket
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

from support.files import write
from support.server import PATIENCE_S

if TYPE_CHECKING:
    from support.raw import Place

NGINX_STREAM = Path("/usr/lib/nginx/modules/ngx_stream_module.so")

_NGINX = """
{modules}
daemon off; master_process off; pid {folder}/nginx.pid; error_log stderr;
events {{ worker_connections 64; }}
http {{
  access_log off;
  client_max_body_size 0;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  {servers}
}}
{streams}
"""

_HAPROXY = """
global
  maxconn 100
  stats socket {folder}/haproxy.sock mode 600 level admin
defaults
  timeout connect 5s
  timeout client 20s
  timeout server 20s
  timeout tunnel 20s
  retries 0
{proxies}
"""


def nginx(folder: Path, servers: str, streams: str = "") -> subprocess.Popen[bytes]:
    """Start nginx with these servers, and with these of its stream module."""
    modules = f"load_module {NGINX_STREAM};" if streams else ""
    streams = f"stream {{ {streams} }}" if streams else ""
    path = write(
        folder / "nginx.conf",
        _NGINX.format(modules=modules, folder=folder, servers=servers, streams=streams),
    )
    return subprocess.Popen(
        ["nginx", "-e", "stderr", "-c", path, "-p", folder], stderr=subprocess.DEVNULL
    )  # it warns about what it is compiled with


def haproxy(folder: Path, proxies: str) -> subprocess.Popen[bytes]:
    """Start HAProxy with these sections; what :func:`servers` asks is beside its configuration."""
    path = write(folder / "haproxy.cfg", _HAPROXY.format(folder=folder, proxies=proxies))
    return subprocess.Popen(["haproxy", "-db", "-f", path], stdout=subprocess.DEVNULL)


def wait_accepting(place: Place, process: subprocess.Popen[bytes]) -> None:
    """Wait until a proxy accepts; it does not say when."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            socket.create_connection(place, PATIENCE_S).close()
        except ConnectionRefusedError:
            assert time.monotonic() < deadline
            assert process.poll() is None, f"it ended with status {process.returncode}"
        else:
            return


def states(folder: Path) -> dict[str, dict[str, str]]:
    """Return what HAProxy says of its servers, by their names ("show stat", its management guide 9.1)."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(PATIENCE_S)
        asking.connect(str(folder / "haproxy.sock"))
        asking.sendall(b"show stat\n")
        said = b""
        while data := asking.recv(65536):
            said += data
    head, *rows = [line.split(",") for line in said.decode().removeprefix("# ").splitlines() if line]
    found = [dict(zip(head, row, strict=False)) for row in rows]
    return {row["svname"]: row for row in found}
