"""The program of the process that `isolated` starts: bytes in, lines of JSON out, within limits it puts on itself."""

import sys

from cypp_etl.workbook.guards import Limits
from cypp_etl.workbook.legacy import read_legacy
from cypp_etl.workbook.model import UnreadableWorkbook, Workbook
from cypp_etl.workbook.ooxml import read_ooxml
from cypp_etl.workbook.sniff import Encoding, sniff
from cypp_etl.workbook.transfer import decode_limits, dump, dump_fault

if sys.platform != "win32":
    import resource


def confine(limits: Limits) -> None:
    """Give up the right to more memory, time and files than reading needs; where that can be, which is not Windows."""
    if sys.platform != "win32":
        resource.setrlimit(resource.RLIMIT_AS, (limits.memory, limits.memory))
        resource.setrlimit(resource.RLIMIT_CPU, (limits.seconds, limits.seconds))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def read_here(data: bytes, limits: Limits) -> Workbook:
    """The workbook in these bytes, whatever their encoding, read in this process."""
    encoding, package = sniff(data, limits)
    if encoding is Encoding.XLSX and package is not None:
        return read_ooxml(package)
    return read_legacy(data, encoding, limits)


def main() -> None:
    """Read the workbook on standard input, and say on standard output what it holds or why it cannot be read."""
    limits = decode_limits(sys.argv[1])
    confine(limits)
    try:
        answer = dump(read_here(sys.stdin.buffer.read(), limits))
    except UnreadableWorkbook as fault:
        answer = dump_fault(fault)
    sys.stdout.writelines(line + "\n" for line in answer)


if __name__ == "__main__":
    main()
