"""Keeps Python's collector of cycles out of the way while many cells are made, which are never in one."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def collection_paused() -> Iterator[None]:
    """Cells are many and never in a cycle: to look for one among them, over and over, takes a fifth of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
