"""Reads a workbook in a process of its own, so that a file which brings its reader down brings down nothing else.

The child gets the bytes on its standard input and answers in lines of JSON: whatever a file makes of it, it can hand
back nothing but data. `transfer` has the lines, `child` the program.
"""

import logging
import subprocess
import sys
from pathlib import Path

from cypp_etl.workbook.guards import DEFAULT_LIMITS, Limits, too_complex
from cypp_etl.workbook.model import Workbook
from cypp_etl.workbook.transfer import encode_limits, load

_ROOT = Path(__file__).resolve().parents[2]
_log = logging.getLogger(__name__)


def read_isolated(data: bytes, name: str = "", limits: Limits = DEFAULT_LIMITS) -> Workbook:
    """The workbook in these bytes, read by a child that is given so much memory and time and no more."""
    command = [sys.executable, "-m", "cypp_etl.workbook.child", encode_limits(limits)]
    try:
        # From the folder that this package is in, so that the child finds the same one.
        child = subprocess.run(  # noqa: S603 - no word of the command comes from the file
            command, input=data, capture_output=True, cwd=_ROOT, timeout=limits.seconds, check=False
        )
    except subprocess.TimeoutExpired as fault:
        raise too_complex(f"reading it took more than {limits.seconds} seconds") from fault
    if child.returncode:
        _log.warning(
            "the reader of %r ended with %s: %s", name, child.returncode, child.stderr[-2000:].decode(errors="replace")
        )
        raise too_complex("reading it took more memory or time than a workbook needs")
    return load(child.stdout)
