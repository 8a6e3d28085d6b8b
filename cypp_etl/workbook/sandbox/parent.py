"""Reads a workbook in a separate process, so that a file that crashes its reader crashes nothing else.

The child gets the bytes on its standard input and answers in lines of JSON: even if a file takes it over, it can
only return data. `protocol` has the lines, `child` the program.
"""

import logging
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from threading import Timer
from typing import IO

from cypp_etl.workbook.limits import DEFAULT_LIMITS, Limits
from cypp_etl.workbook.model import UnreadableWorkbook, Workbook
from cypp_etl.workbook.sandbox.protocol import encode_limits, read_lines, receive

_ROOT = Path(__file__).resolve().parents[3]
_log = logging.getLogger(__name__)


def read_isolated(data: bytes, name: str = "", limits: Limits = DEFAULT_LIMITS) -> Workbook:
    """The workbook in these bytes, read by a child with limited memory and time."""
    command = [sys.executable, "-m", "cypp_etl.workbook.sandbox.child", encode_limits(limits)]
    # From the folder of this package, so that the child finds the same one. What a crashing library prints
    # would fill a pipe that nothing reads.
    with subprocess.Popen(  # noqa: S603 - no word of the command comes from the file
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=_ROOT
    ) as child:
        watch = Timer(3 * limits.seconds, child.kill)
        watch.start()
        try:
            assert child.stdin is not None and child.stdout is not None, "both are pipes"  # noqa: S101
            _hand_over(child.stdin, data)
            return receive(read_lines(child.stdout), limits)
        except UnreadableWorkbook as fault:
            if fault.code == "workbook-too-complex":
                _log.warning("the reader of %r gave up: %s", name, fault.words.get("reason"))
            raise
        finally:
            watch.cancel()
            child.kill()


def _hand_over(pipe: IO[bytes], data: bytes) -> None:
    # A child that has ended hears nothing; what it said before tells why. On Windows it is not called a broken pipe.
    with suppress(OSError), pipe:
        pipe.write(data)
