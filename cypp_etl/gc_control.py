"""Pauses the cyclic garbage collector during bulk allocation, and exempts imported modules from it."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collection_paused() -> Iterator[None]:
    """Pause it: cells are many and never in a cycle, and scanning them over and over takes a fifth of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


@contextmanager
def imported_for_good() -> Iterator[None]:
    """Import modules outside the garbage collector: it never scans them, not even at the end of the process.

    Otherwise it would scan the 200,000 objects of pandas, or of Prefect, a dozen times: a third of the start-up time.
    """
    with collection_paused():
        yield
        gc.freeze()
