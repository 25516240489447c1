"""What the units forbid, tried: ``python probes.py DIRECTIVE`` prints ``done``, or the error that came of it.

Each is tried in a process of its own, for some cannot be undone. Where it is about a namespace, the namespace
that the process is in is printed, which is to be another than the system's.
"""

import contextlib
import ctypes
import errno
import mmap
import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

SYSTEM = ctypes.CDLL(None, use_errno=True)
OUTSIDE = Path("/opt/outside")  # the service's user owns it
AS_ROOT = OUTSIDE / "python"  # a Python that belongs to root and is setuid
PROT_ANY = mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
PER_LINUX32, CLONE_NEWUSER, PTRACE_TRACEME = 0x0008, 0x10000000, 0  # personality(2), clone(2), ptrace(2)
INT_80_GETPID = bytes.fromhex("53b814000000cd805bc3")  # push rbx; mov eax, 20; int 0x80; pop rbx; ret


def called(name, *arguments):
    """Call a function of libc that says -1 where it was refused."""
    if getattr(SYSTEM, name)(*arguments) == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def as_root(script):
    """Run a script with the setuid Python; it says itself what it could not do."""
    done = subprocess.run([AS_ROOT, "-I", "-c", script], capture_output=True, text=True, check=False)
    if done.returncode:
        raise PermissionError(errno.EPERM, done.stderr[-100:])


def namespace(kind):
    return str(Path(f"/proc/self/ns/{kind}").readlink())


def read_only(path):
    if os.statvfs(path).f_flag & os.ST_RDONLY:
        raise OSError(errno.EROFS, path)


def write(folder):
    with tempfile.TemporaryFile(dir=folder):
        pass


def bind_below_1024():
    with socket.socket() as port:
        port.bind(("127.0.0.1", 81))


def other_architecture():
    with mmap.mmap(-1, mmap.PAGESIZE, prot=PROT_ANY) as page:
        page.write(INT_80_GETPID)
        place = ctypes.c_char.from_buffer(page)
        got = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(place))()
        del place
    if got < 0:
        raise OSError(-got, os.strerror(-got))


def set_id():
    with tempfile.NamedTemporaryFile(dir=os.environ["STATE_DIRECTORY"]) as file:
        Path(file.name).chmod(0o4755)


def open_to_all():
    with tempfile.TemporaryDirectory(dir=os.environ["STATE_DIRECTORY"]) as folder:
        made = Path(folder, "made")
        made.touch()  # with the modes that the umask leaves
        if not made.stat().st_mode & 0o004:
            raise PermissionError(errno.EACCES, "not for others")


def packet():
    with contextlib.suppress(PermissionError):  # the family is there, and only a capability is missing
        socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM).close()


def leave_behind():
    Path(f"/dev/shm/asgid-probe-{os.environ['PROBE']}").touch()


PROBES = {
    "UMask": open_to_all,
    "AmbientCapabilities": bind_below_1024,
    "CapabilityBoundingSet": lambda: as_root("import os; os.chroot('/')"),
    "NoNewPrivileges": lambda: as_root("import os, sys; sys.exit(os.geteuid())"),
    "ProtectSystem": lambda: write(OUTSIDE),
    "ProtectHome": lambda: Path("/home/alice/readable").read_text(),
    "PrivateTmp": lambda: Path("/tmp/readable").read_text(),
    "PrivateDevices": lambda: Path("/dev/readable").read_text(),
    "PrivateMounts": lambda: namespace("mnt"),
    "DevicePolicy": lambda: Path("/dev/net/tun").open("rb").close(),
    "ProtectClock": lambda: called("adjtimex", bytes(208)),
    "ProtectControlGroups": lambda: read_only("/sys/fs/cgroup"),
    "ProtectHostname": lambda: namespace("uts"),
    "ProtectKernelLogs": lambda: Path("/dev/kmsg").read_text(),
    "ProtectKernelModules": lambda: list(Path("/usr/lib/modules").iterdir()),
    "ProtectKernelTunables": lambda: read_only("/proc/sys/net"),
    "ProtectProc": lambda: Path("/proc/1").stat(),
    "PrivateIPC": lambda: namespace("ipc"),
    "RemoveIPC": leave_behind,
    "LockPersonality": lambda: called("personality", PER_LINUX32),
    "MemoryDenyWriteExecute": lambda: mmap.mmap(-1, mmap.PAGESIZE, prot=PROT_ANY).close(),
    "RestrictAddressFamilies": packet,
    "RestrictNamespaces": lambda: called("unshare", CLONE_NEWUSER),
    "RestrictRealtime": lambda: os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1)),
    "RestrictSUIDSGID": set_id,
    "SystemCallArchitectures": other_architecture,
    "SystemCallFilter": lambda: called("ptrace", PTRACE_TRACEME, 0, 0, 0),
    "SystemCallErrorNumber": lambda: called("ptrace", PTRACE_TRACEME, 0, 0, 0),
}


def tried(directive):
    """Try one as a process of its own."""
    command = [sys.executable, "-I", __file__, directive]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode < 0:
        return signal.Signals(-done.returncode).name
    return done.stdout.strip() or f"ended with {done.returncode}: {done.stderr[-300:]}"


if __name__ == "__main__":
    try:
        found = PROBES[sys.argv[1]]()
        print(found if isinstance(found, str) and ":[" in found else "done")
    except OSError as error:
        print(errno.errorcode.get(error.errno, str(error)))
