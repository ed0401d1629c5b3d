"""Text of a PDF that has a text layer; a scan has none and is refused.

A file of some kilobytes can ask for gigabytes or hours (streams that inflate a thousandfold, forms
that draw one another), and the library that reads it keeps counts for some of this only. It runs in
a process of its own, whose memory and processor time the kernel bounds (ADR 0017).

A PDF places glyphs, not words: what reads as one name may come out in pieces. The caller has to
look for names over the gaps too (`leak_scan.joined_leaks`).
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import threading
from typing import IO

from entrepot.errors import ConfigurationError, RecordFault

MEMORY = 1 << 30  # bytes; a report of 300 pages took 80 MB
SECONDS = 60  # of processor time; a report of 300 pages takes 0.7
_REASON = "attachment_unreadable"


class PdfProcess:
    """The process that reads PDFs for this one; started at need, also after one that ended it.

    Args:
        memory: bytes of address space.
        seconds: processor time for one document.
    """

    def __init__(self, memory: int = MEMORY, seconds: int = SECONDS) -> None:
        self._limits = [str(memory), str(seconds)]
        self._process: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._lock = threading.Lock()

    def text(self, data: bytes) -> str:
        """The text; see `pdf_pages.read`.

        Raises:
            RecordFault: `attachment_unreadable`: encrypted, damaged, a scan, or beyond the limits.
            ConfigurationError: no process can be started.
        """
        with self._lock:
            answer = self._asked(data)
        if not answer:
            raise RecordFault(_REASON, "pdf: beyond the limits")
        if answer[:1] != b"+":
            raise RecordFault(_REASON, answer[1:].decode())
        return answer[1:].decode()

    def close(self) -> None:
        """Ends the process."""
        if self._process is not None and self._owner == os.getpid():
            self._process.kill()
            self._process.communicate()
        self._process = None

    def _asked(self, data: bytes) -> bytes:
        """The answer; empty when the process ended over this document."""
        source, target = self._pipes()
        try:
            source.write(len(data).to_bytes(8, "big") + data)
            source.flush()
            size = int.from_bytes(target.read(8), "big")
            answer = target.read(size)
        except BrokenPipeError:
            answer, size = b"", 0
        if not answer or len(answer) < size:
            self.close()
            return b""
        return answer

    def _pipes(self) -> tuple[IO[bytes], IO[bytes]]:
        """Its input and output; a forked process has to start its own."""
        if self._process is None or self._owner != os.getpid() or self._process.poll() is not None:
            command = [sys.executable, "-P", "-m", "entrepot.text.pdf_pages", *self._limits]
            try:
                self._process = subprocess.Popen(  # noqa: S603 - our own module, no value of the data
                    command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                    stderr=subprocess.DEVNULL,
                )  # fmt: skip
            except OSError as error:
                raise ConfigurationError(
                    f"no process to read PDFs can be started ({error.strerror})",
                    where=sys.executable,
                ) from None
            self._owner = os.getpid()
        assert self._process.stdin is not None  # noqa: S101 - both are pipes
        assert self._process.stdout is not None  # noqa: S101
        return self._process.stdin, self._process.stdout


_shared = PdfProcess()
atexit.register(_shared.close)


def pdf_text(data: bytes, charset: str = "") -> str:
    """The text of the pages, of filled-in fields and of remarks; see `PdfProcess.text`."""
    return _shared.text(data)
