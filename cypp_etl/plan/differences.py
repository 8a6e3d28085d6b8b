"""What another plan says differently of indicators and partners: in words, for whoever decides to adopt it."""

from collections.abc import Iterator
from dataclasses import fields

from cypp_etl.plan.model import Banding, Indicator, Plan
from cypp_etl.plan.spans import Span

# What an edition is, when it holds and what its indicator is called are no change of what it says.
_NOT_COMPARED = {"indicator", "edition", "span", "is_comparable", "banding", "about", "rhythm"}
_TEXTS = {"definition", "parent_definition"}


def edition_differences(before: Plan, after: Plan) -> Iterator[str]:
    """A line for each indicator that begins or ends, has a new edition, or is changed for all of an edition's time."""
    for indicator in after.indicators:
        pieces = after.editions_of(indicator)
        if indicator not in before.indicators:
            yield f"{indicator} is new, {Span(pieces[0].span.first_period, pieces[-1].span.last_period)}"
            continue
        held = {piece.span.first_period: piece for piece in before.editions_of(indicator)}
        yield from _end_differences(before.editions_of(indicator)[-1], pieces[-1])
        earlier: Indicator | None = None
        for piece in pieces:
            if (same := held.get(piece.span.first_period)) is not None:
                yield from _changed(same, piece)
            elif earlier is not None and earlier.edition == piece.edition:
                yield from _new_margins(earlier, piece)
            elif earlier is not None:
                yield _new_edition(earlier, piece)
            earlier = piece


def partner_differences(before: Plan, after: Plan) -> Iterator[str]:
    """A line for each partner that begins or ends, or whose time or successor is another."""
    for code, partner in after.partners.items():
        former = before.partners.get(code)
        if former is None:
            yield f"{code} is new, {partner.span}"
        elif (former.span, former.successor) != (partner.span, partner.successor):
            successor = f", and {partner.successor} takes over" if partner.successor else ""
            yield f"{code} returns {partner.span}{successor}"
    yield from (f"{code} is not in the plan any more" for code in before.partners if code not in after.partners)


def _end_differences(before: Indicator, after: Indicator) -> Iterator[str]:
    if before.span.last_period != after.span.last_period:
        last = after.span.last_period
        yield f"{after.indicator} ends with {last.label}" if last else f"{after.indicator} does not end any more"


def _changed(before: Indicator, after: Indicator) -> Iterator[str]:
    """An edition that says something else than before, for all of its time."""
    if differences := _differences(before, after):
        advice = "for a change from some period on, end its row and add another"
        yield f"{after.indicator} is changed {after.span}: {differences}; {advice}"


def _new_margins(before: Indicator, after: Indicator) -> Iterator[str]:
    if differences := _differences(before, after):
        yield f"{after.indicator} has other margins {after.span}: {differences}"


def _new_edition(before: Indicator, after: Indicator) -> str:
    compares = "do not compare" if after.ends_comparing(before) else "compare"
    what = _differences(before, after) or "nothing differs"
    return f"{after.indicator} has a new edition {after.span}: {what}; figures before and after {compares}"


def _differences(before: Indicator, after: Indicator) -> str:
    names = [field.name for field in fields(Indicator) if field.name not in _NOT_COMPARED]
    pairs = [(name, getattr(before, name), getattr(after, name)) for name in names]
    pairs += [
        (field.name, getattr(before.banding, field.name), getattr(after.banding, field.name))
        for field in fields(Banding)
    ]
    return ", ".join(
        f"{name.replace('_', ' ')}" + ("" if name in _TEXTS else f" {_text(was)} -> {_text(now)}")
        for name, was, now in pairs
        if was != now
    )


def _text(value: object) -> str:
    words = " ".join(map(str, value)) if isinstance(value, tuple) else str(value)
    return "blank" if value is None or not words else words
