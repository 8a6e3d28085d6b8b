"""Parts that workbooks repeat byte for byte are parsed once, and counted every time."""

from collections.abc import Iterable

import pytest

from cypp_etl.workbook.limits import Limits, Spent
from cypp_etl.workbook.model import UnreadableWorkbook
from cypp_etl.workbook.part_cache import work_out

_asked: list[tuple[bytes, str]] = []


@pytest.fixture(autouse=True)
def _forget() -> None:
    _asked.clear()


def _shout(chunks: Iterable[bytes], spent: Spent, mark: str) -> str:
    part = b"".join(chunks)
    _asked.append((part, mark))
    spent.add_elements(len(part))
    return part.decode().upper() + mark


def test_the_same_bytes_are_worked_out_once_however_they_are_cut() -> None:
    first, again = Spent(), Spent()
    assert work_out(_shout, [b"on", b"ce"], first, "!") == "ONCE!"
    assert work_out(_shout, [b"once"], again, "!") == "ONCE!"
    assert _asked == [(b"once", "!")]
    assert first.elements == again.elements == 4


def test_other_arguments_and_other_limits_are_asked_again() -> None:
    assert work_out(_shout, [b"others"], Spent(), "!") == "OTHERS!"
    assert work_out(_shout, [b"others"], Spent(), "?") == "OTHERS?"
    with pytest.raises(UnreadableWorkbook):
        work_out(_shout, [b"others"], Spent(Limits(elements=5)), "!")


def test_what_is_remembered_counts_towards_the_limit() -> None:
    limits = Limits(elements=10)
    work_out(_shout, [b"counts"], Spent(limits), "")
    with pytest.raises(UnreadableWorkbook):
        work_out(_shout, [b"counts"], Spent(limits, elements=5), "")


@pytest.mark.parametrize(("length", "times"), [(1 << 16, 1), ((1 << 16) + 1, 2)])
def test_long_parts_are_not_kept(length: int, times: int) -> None:
    part = b"a" * length
    for _ in range(2):
        assert len(work_out(_shout, [part], Spent(), "")) == length
    assert len(_asked) == times
