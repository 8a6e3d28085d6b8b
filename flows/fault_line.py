"""What is said, in one line, of a fault that is nobody's bad data: what is wrong, and where."""

import os

from sqlalchemy.exc import OperationalError

from flows.settings import Settings
from flows.storage.room import full_place
from warehouse.engine import place_of


def fault_line(fault: BaseException, settings: Settings) -> str:
    """A line on a disk that is full, a database that cannot be used or a file out of reach; empty for anything else."""
    warehouse = place_of(settings.warehouse_url)
    if place := full_place(fault, warehouse, (settings.archive, settings.inbox, settings.home)):
        return f"{place}: no room is left on its disk: make some, and try again"
    if (cause := getattr(fault, "orig", None)) and _is_of_the_database(fault):
        return f"{warehouse}: {' '.join(str(cause).split())}"
    if isinstance(fault, OSError) and fault.filename and fault.strerror:
        place = os.fsdecode(fault.filename) if isinstance(fault.filename, bytes) else fault.filename
        return f"{place}: {fault.strerror}"
    return ""


def _is_of_the_database(fault: BaseException) -> bool:
    """Whether the warehouse could not be opened, is locked or is missing, rather than a statement being wrong."""
    return getattr(fault, "statement", None) is None or isinstance(fault, OperationalError)
