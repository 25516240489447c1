"""Files as bodies of responses: sendfile(2) where the connection is plain, reads and writes elsewhere.

The loop is not kept waiting for a disk: what is not in the page cache is read in a thread first. The client's
pace is the socket's own: who reads slowly is waited for by the writability of the socket.
"""

from __future__ import annotations

import asyncio
import errno
import os
import stat
from contextlib import suppress

from asgid.daemon.seam import Gone, release
from asgid.daemon.wire.http1_body import Bodies
from asgid.daemon.wire.http1_ends import BODY, WAITING
from asgid.daemon.wire.http1_response import (
    BODILESS,
    CHUNKED,
    JOIN_BYTES,
    LENGTH,
    NEVER,
    NO_BODY,
    mismatch,
    unsent_bytes,
)

_SENDFILE_BYTES = 512 * 1024  # given to the kernel at once; then everybody else has a turn
_READ_BYTES = 128 * 1024  # read and written at once, where sendfile cannot be used
_NOT_THIS_FILE = frozenset((errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP))  # of file systems without sendfile
_FILE_ERRORS = frozenset((errno.EIO, errno.ESTALE, errno.EBADF, errno.EOVERFLOW, errno.ENOMEM))
_NOWAIT: int = getattr(os, "RWF_NOWAIT", 0)  # Linux 4.14


class Files(Bodies):
    """Sends files (:meth:`asgid.daemon.seam.ResponseSink.send_file`)."""

    __slots__ = ()

    async def send_file(self, descriptor: int, offset: int, count: int | None, more: bool) -> int:
        """Write a part of a file (:meth:`asgid.daemon.seam.ResponseSink.send_file`)."""
        if self._lost:
            raise ConnectionResetError("the client has gone")
        size = self._fitting(descriptor, offset, count, more)
        if self._has_no_body:
            wait = self.body(b"", more)
        elif size <= JOIN_BYTES:
            wait = self.body(await self._read(descriptor, offset, size), more)
        else:
            wait = None
            await self._send(descriptor, offset, size, more)
        if wait is not None:
            await wait
        return size

    @property
    def _has_no_body(self) -> bool:
        if self._lines is None:
            return self._framing == NO_BODY
        return self._bodiless or self._status in BODILESS

    def _fitting(self, descriptor: int, offset: int, count: int | None, more: bool) -> int:
        """Return how much is to be sent, bytes, and see that it is announced. Raises ``ValueError``."""
        try:
            found = os.fstat(descriptor)
        except OSError as error:
            raise ValueError(f"the file cannot be used: {error.strerror}") from None
        if not stat.S_ISREG(found.st_mode):
            raise ValueError("what is to be sent is not a regular file")
        size = max(0, found.st_size - offset)
        if count is not None:
            if count > size:
                raise ValueError(_ended(size, count))
            size = count
        begins = self._lines is not None
        if self._has_no_body:
            if begins and not more and self._length < 0 and self._status not in BODILESS:
                self._announce(size)
        elif begins and self._length < 0:
            if not more:
                self._announce(size)
        elif begins or self._framing == LENGTH:
            left = self._length if begins else self._left
            if count is None:
                size = min(size, left)  # a file that grew: what was announced is what is sent
            if size > left or (size < left and not more):
                done = 0 if begins else self._body_bytes
                raise ValueError(mismatch(done + left, done + size))
        return size

    def _announce(self, size: int) -> None:
        """Set the Content-Length that the application has left to the server."""
        assert self._lines is not None  # noqa: S101 - for the type checker
        self._lines += b"content-length: %d\r\n" % size
        self._length = size

    async def _read(self, descriptor: int, offset: int, size: int) -> bytes:
        """Return ``size`` bytes of the file. Raises ``ValueError`` where they are not there."""
        await _fetch(descriptor, offset, size)
        self._see_that_it_goes_on()
        data = _pread(descriptor, size, offset)
        if len(data) < size:
            raise ValueError(_ended(len(data), size))
        return data

    async def _send(self, descriptor: int, offset: int, size: int, more: bool) -> None:
        """Send a large part of a file: its head and framing, then piece after piece."""
        if self._lines is not None:
            self._first(self._lines, b"", True, self._factory.clock())
        if self._framing == CHUNKED:
            self.transport.write(b"%x\r\n" % size)
        await self._pieces(descriptor, offset, size)
        if self._framing == CHUNKED:
            self.transport.write(b"\r\n" if more else b"\r\n0\r\n\r\n")
        if not more:
            self._completed(self._factory.clock())

    async def _pieces(self, descriptor: int, offset: int, size: int) -> None:
        """Send ``size`` bytes of the file behind what was written. Raises ``ValueError`` and ``OSError``."""
        native = self._is_plain
        if native:
            await self._take_turn()  # with its end the head leaves
        left = size
        while left:
            want = min(left, _SENDFILE_BYTES if native else _READ_BYTES)
            await _fetch(descriptor, offset, want)
            self._see_that_it_goes_on()
            if native and unsent_bytes(self.transport):
                native = await self._writable()
                continue
            sent = (
                self._sendfile(descriptor, offset, want) if native else self._write(descriptor, offset, want)
            )
            if sent is None:
                native = False
                continue
            offset += sent
            left -= sent
            self._body_bytes += sent
            if self._framing == LENGTH:
                self._left -= sent
            if native and sent < want:
                native = await self._writable()
            elif self._write_paused:
                await self._wait()
            elif left:
                await self._take_turn()

    @property
    def _is_plain(self) -> bool:
        """Whether what is written to the descriptor is what the client reads, and in which order is known."""
        transport = self.transport
        return (
            hasattr(transport, "get_write_buffer_size")
            and not hasattr(transport, "getPeerCertificate")
            and transport.fileno() >= 0
        )

    def _sendfile(self, descriptor: int, offset: int, size: int) -> int | None:
        """Let the kernel send; return how much it took, bytes, ``None`` where it cannot for this file."""
        try:
            sent = os.sendfile(self.transport.fileno(), descriptor, offset, size)
        except BlockingIOError:
            return 0
        except OSError as error:
            if error.errno in _NOT_THIS_FILE:
                return None
            if error.errno in _FILE_ERRORS:
                raise ValueError(f"the file cannot be read: {error.strerror}") from None
            self._lose(Gone.LOST)
            self._abort()
            raise ConnectionResetError("the client has gone") from error
        if not sent:
            raise ValueError(f"the file ended {size} bytes or more before what was announced")
        return sent

    def _write(self, descriptor: int, offset: int, size: int) -> int | None:
        """Read and write; return how much, bytes."""
        data = _pread(descriptor, size, offset)
        if not data:
            raise ValueError(f"the file ended {size} bytes or more before what was announced")
        self.transport.write(data)
        return len(data)

    async def _writable(self) -> bool:
        """Wait until the socket takes more; return whether that can be waited for.

        The loop looks at a duplicate, for it lets nobody watch a descriptor that is one of its transports'.
        """
        try:
            descriptor = os.dup(self.transport.fileno())
        except OSError:
            return False  # there is none left: the transport's own buffer does it
        loop = asyncio.get_running_loop()
        waiter = self._wait()
        self._time_writing()
        loop.add_writer(descriptor, release, (waiter,))
        try:
            await waiter
        finally:
            loop.remove_writer(descriptor)
            os.close(descriptor)
            self._waiters = tuple(one for one in self._waiters if one is not waiter)
        self._write_deadline = NEVER
        self._see_that_it_goes_on()
        return True

    def _see_that_it_goes_on(self) -> None:
        """Raise ``OSError`` where the connection has ended while this response waited."""
        if self._lost or self._state not in (BODY, WAITING):
            raise ConnectionResetError("the client has gone")


async def _fetch(descriptor: int, offset: int, size: int) -> None:
    """See that a part of a file is in the page cache; a thread waits for the disk."""
    if not (_is_cached(descriptor, offset) and _is_cached(descriptor, offset + size - 1)):
        with suppress(OSError):  # it will come again
            await asyncio.get_running_loop().run_in_executor(None, os.pread, descriptor, size, offset)


def _is_cached(descriptor: int, offset: int) -> bool:
    """Whether a byte of a file can be had without waiting for the disk (preadv2(2), RWF_NOWAIT)."""
    if not _NOWAIT:
        return True
    try:
        os.preadv(descriptor, (bytearray(1),), max(0, offset), _NOWAIT)
    except BlockingIOError:
        return False
    except OSError:
        pass  # EOPNOTSUPP: the file system cannot tell
    return True


def _pread(descriptor: int, size: int, offset: int) -> bytes:
    try:
        return os.pread(descriptor, size, offset)
    except OSError as error:
        raise ValueError(f"the file cannot be read: {error.strerror}") from None


def _ended(size: int, count: int) -> str:
    return f"the file ended after {size} bytes, {count} were to be sent"
