"""Each marker has one spelling that we write ourselves, and the plan takes the symbols that returns do."""

from schemas.codes import Marker, Qualifier
from schemas.markers import marker_text, read_markers
from schemas.plan import is_figure


def test_every_marker_that_can_be_typed_has_one_spelling_we_write() -> None:
    for known in read_markers():
        assert (known.marker is None) != (known.qualifier is None)
    kinds = [known.marker or known.qualifier for known in read_markers() if known.meaning]
    assert sorted(kinds) == sorted([*(set(Marker) - {Marker.NOT_RETURNED}), *Qualifier])
    first = {}
    for known in read_markers():
        first.setdefault(known.marker or known.qualifier, known.meaning)
    assert all(first.values())


def test_marker_text() -> None:
    assert marker_text(Marker.NOT_APPLICABLE) == "N/A"
    assert marker_text(Marker.NOT_AVAILABLE) == "-"
    assert marker_text(Marker.NOT_RETURNED) == ""


def test_the_plan_takes_every_symbol_of_a_marker_and_no_qualifier() -> None:
    for known in read_markers():
        is_in_full = known.spelling in set(Marker)
        assert is_figure(known.spelling) == (known.marker is not None and not is_in_full)
    # The words for a marker are read in returns alone.
    assert not any(map(is_figure, ("not applicable", "not available", "suppressed", "to be confirmed")))
    assert all(map(is_figure, ("N/A", "-", "[c]", "[low]", "TBC")))
