"""A drop waits from when it is as it is until it has its receipt, and once."""

from pathlib import Path

from flows.service.progress import Progress

DROP = Path("/inbox/yos/a.xlsx")


def test_a_drop_waits_until_it_is_answered() -> None:
    progress = Progress()
    progress.looked(10, {DROP: 9.5}, ())
    assert dict(progress.state.waiting) == {DROP: 9.5}
    assert progress.answered(12, DROP) == 2.5
    assert not progress.state.waiting
    assert progress.state.answered_at == 12


def test_one_that_is_tried_again_after_its_receipt_does_not_wait_again() -> None:
    """Its run could not be shown, so it lies there still."""
    progress = Progress()
    progress.looked(10, {DROP: 9.5}, ())
    progress.answered(12, DROP)
    progress.looked(14, {DROP: 9.5}, ())
    assert not progress.state.waiting
    assert progress.answered(15, DROP) is None


def test_another_of_the_same_name_waits_again() -> None:
    progress = Progress()
    progress.looked(10, {DROP: 9.5}, ())
    progress.answered(12, DROP)
    progress.looked(14, {DROP: 13.0}, ())
    assert progress.answered(15, DROP) == 2
    progress.looked(16, {}, ())
    progress.looked(18, {DROP: 13.0}, ())
    assert dict(progress.state.waiting) == {DROP: 13.0}, "what has gone is forgotten"


def test_a_file_that_was_never_seen_has_no_time() -> None:
    assert Progress().answered(15, DROP) is None
