"""The garbage collector is paused when it is not needed, and restored afterwards."""

import gc
from collections.abc import Iterator

import pytest

from cypp_etl.gc_control import collection_paused, imported_for_good


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    yield
    gc.enable()
    gc.unfreeze()


@pytest.mark.parametrize("was_enabled", [True, False])
@pytest.mark.parametrize("paused", [collection_paused, imported_for_good])
def test_the_collector_pauses_and_is_then_as_it_was(paused, was_enabled):
    if not was_enabled:
        gc.disable()

    with paused():
        assert not gc.isenabled()

    assert gc.isenabled() is was_enabled


def test_a_fault_does_not_leave_it_off():
    with pytest.raises(ZeroDivisionError), collection_paused():
        raise ZeroDivisionError

    assert gc.isenabled()


def test_what_was_imported_is_never_looked_through_again():
    with imported_for_good():
        made = [[]]

    assert not any(one is made for one in gc.get_objects())
    assert gc.get_freeze_count() > 0
