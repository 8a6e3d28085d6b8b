"""Checks tidy rows by the pandera schemas, for many workbooks at once, and maps failures back to cells."""

from collections import Counter
from collections.abc import Collection, Hashable, Iterator, Mapping, Sequence
from decimal import Decimal
from enum import StrEnum
from functools import cache
from operator import itemgetter
from typing import Any

import pandera.pandas as pa

from cypp_etl.caching import once_for_each
from cypp_etl.decimals import range_text
from cypp_etl.findings import Finding
from cypp_etl.intake.rows import FigureRow, IndicatorRow, MilestoneRow, ParsedReturn, Subject
from cypp_etl.phrases import in_list
from cypp_etl.plan.index import PlanIndex
from cypp_etl.plan.model import Indicator
from cypp_etl.plan.reference_keys import reference_key
from schemas import returns
from schemas.codes import MilestoneStatus, Review

# A row has some hundred bytes, and one with longer texts is not kept.
_MOST_SOUND = 16_384
_LONGEST_KEY = 500

# What an indicator's row says, and how often its workbook has named the leaf by then.
_Key = tuple[Hashable, ...]


def judge_conformance(batch: Sequence[ParsedReturn], index: PlanIndex) -> Iterator[tuple[ParsedReturn, Finding]]:
    """Check the rows of a batch of workbooks; each finding comes with its workbook."""
    yield from _judge_indicator_rows(batch, index)
    yield from _judge_figures(batch)
    yield from _judge_milestones(batch, index)


def _judge_indicator_rows(batch: Sequence[ParsedReturn], index: PlanIndex) -> Iterator[tuple[ParsedReturn, Finding]]:
    # Thousands of returns repeat the same few texts about the plan's indicators, which are checked once.
    sound = _sound_keys(index)
    alike = _rows_alike(batch, sound)
    records = [_indicator_record(_row_at(batch, *same[0]), key[-1], index) for key, same in alike.items()]
    check = _indicator_rows(index.reference_keys, index.leaf_keys)
    keys = list(alike)
    failed = [(keys[position], code) for position, code in check.failures(records)]
    _keep_sound(sound, alike.keys() - {key for key, _ in failed})
    for place, code in sorted(((place, code) for key, code in failed for place in alike[key]), key=itemgetter(0)):
        row = _row_at(batch, *place)
        yield batch[place[0]], row.find(code, _blamed_column(code, row), **_indicator_words(code, row, index))


@once_for_each
def _sound_keys(_index: PlanIndex) -> set[_Key]:
    """The keys of rows with nothing wrong by a plan."""
    return set()


def _keep_sound(sound: set[_Key], keys: Collection[_Key]) -> None:
    if len(sound) + len(keys) > _MOST_SOUND:
        # Frequent rows are soon there again.
        sound.clear()
    sound.update(key for key in keys if len(str(key)) <= _LONGEST_KEY)


def _rows_alike(batch: Sequence[ParsedReturn], sound: Collection[_Key]) -> dict[_Key, list[tuple[int, int]]]:
    """The rows that are not known to be sound, by their keys: in which workbook and place."""
    alike: dict[_Key, list[tuple[int, int]]] = {}
    for number, parsed in enumerate(batch):
        named: dict[str, int] = {}
        for place, row in enumerate(parsed.indicator_rows):
            said, times = row.subject, 1
            if said.named is not None and said.is_consistent:
                times = named[said.named.indicator] = named.get(said.named.indicator, 0) + 1
            key = said.words, row.figure_column, times
            if key not in sound:
                alike.setdefault(key, []).append((number, place))
    return alike


def _row_at(batch: Sequence[ParsedReturn], number: int, place: int) -> IndicatorRow:
    return batch[number].indicator_rows[place]


def _indicator_record(row: IndicatorRow, times: Hashable, index: PlanIndex) -> dict[str, object]:
    said, leaf, reference = row.subject, row.subject.leaf, reference_key(row.subject.indicator_ref)
    is_mere_parent = said.is_parent and said.described is None
    # A row with the definition of a sub-indicator should name that sub-indicator.
    is_strange_part = said.named is None and reference in index.references and not is_mere_parent
    planned = _planned_polarity(said, index)
    # A row below the table, such as a total or a note, is not an indicator: its missing polarity is not an error too.
    says_nothing = planned is None and not said.good_performance
    polarity = None if says_nothing or said.good_performance is None else said.good_performance.upper()
    return {
        "reference": reference or None,
        "leaf": reference + reference_key(said.sub) if is_strange_part else None,
        "times": times,
        "parent_figures": int(is_mere_parent and bool(row.figure_column)),
        "good_performance": polarity,
        "plan_polarity": planned,
        "unit": _unit(said.unit, leaf) if leaf and said.unit is not None else None,
        "plan_unit": leaf.unit.value if leaf else None,
    }


def _unit(typed: str, leaf: Indicator) -> str:
    """A unit as typed, the plan's own where it is what the plan calls it for people."""
    names = {reference_key(name) for name in (leaf.unit_text, leaf.unit_label, leaf.currency) if name}
    return leaf.unit.value if reference_key(typed) in names else typed.casefold()


def _planned_polarity(said: Subject, index: PlanIndex) -> str | None:
    """The plan's good performance: blank for a parent whose subs each have their own, None if there is none."""
    if said.leaf:
        return said.leaf.polarity.value
    parent = index.parents.get(reference_key(said.indicator_ref))
    return (parent.polarity or "") if parent else None


def _blamed_column(code: str, row: IndicatorRow) -> str:
    """The column whose cell gets the finding, which depends on the layout."""
    column = row.figure_column if code == "parent-has-value" else returns.BLAMED_COLUMN[code]
    return column if column in row.source.columns else "ref"


def _indicator_words(code: str, row: IndicatorRow, index: PlanIndex) -> dict[str, object]:
    said = row.subject
    if code == "sub-indicator-unknown":
        parts = index.references[reference_key(said.indicator_ref)]
        known = f"the sub-indicators {in_list(parts)}" if parts else "no sub-indicators"
        return {"ref": said.indicator_ref, "parts": known, "value": said.sub}
    if code == "indicator-unknown":
        return {"value": said.indicator_ref}
    if code == "unit-differs":
        return {"expected": said.leaf.unit_text if said.leaf else ""}
    polarity = _planned_polarity(said, index)
    if polarity is None:
        return {"expected": "HIGH, LOW, RANGE or NONE"}
    return {"expected": polarity or "nothing, because each sub-indicator has its own"}


def _judge_figures(batch: Sequence[ParsedReturn]) -> Iterator[tuple[ParsedReturn, Finding]]:
    rows = [(parsed, figure) for parsed in batch for figure in parsed.figures]
    if not rows:
        return
    frame = returns.as_frame(returns.figures(), _figure_columns([figure for _, figure in rows]))
    for position, code in returns.failures(returns.figures(), frame):
        parsed, figure = rows[position]
        yield parsed, figure.find(code, column=returns.BLAMED_COLUMN[code], bounds=_bounds(figure.leaf))


def _bounds(leaf: Indicator) -> str:
    bounds = range_text(leaf.minimum, leaf.maximum, leaf.unit, leaf.currency)
    return f"{bounds} {leaf.unit_words}".rstrip()


def _figure_columns(figures: Sequence[FigureRow]) -> dict[str, Sequence[Any]]:
    """What the schema looks at, column by column; it takes decimals as doubles, and blanks as nulls."""
    leaves = {id(figure.leaf): figure.leaf for figure in figures}
    # What the plan says of an indicator is looked up once, however many returns have it.
    limits = {key: (float(leaf.is_count), _float(leaf.minimum), _float(leaf.maximum)) for key, leaf in leaves.items()}
    counts, minima, maxima = zip(*(limits[id(figure.leaf)] for figure in figures), strict=True)
    return {
        "is_count": counts,
        "value": [figure.value for figure in figures],
        "minimum": minima,
        "maximum": maxima,
        "numerator": [figure.numerator for figure in figures],
        "denominator": [figure.denominator for figure in figures],
    }


def _judge_milestones(batch: Sequence[ParsedReturn], index: PlanIndex) -> Iterator[tuple[ParsedReturn, Finding]]:
    rows = [(parsed, row, times) for parsed in batch for row, times in _counted(parsed.milestone_rows)]
    records = [_milestone_record(row, times, index) for _, row, times in rows]
    for position, code in _milestone_reports().failures(records):
        parsed, row, _ = rows[position]
        codes = MilestoneStatus if code == "status-unknown" else Review
        expected = in_list([word.value for word in codes], "or")
        yield parsed, row.find(code, returns.BLAMED_COLUMN[code], expected=expected)


def _counted(rows: Sequence[MilestoneRow]) -> Iterator[tuple[MilestoneRow, int]]:
    """Each row with how often its workbook has named the milestone by then."""
    named: Counter[str] = Counter()
    for row in rows:
        milestone = row.named.milestone if row.named and row.is_consistent else ""
        named[milestone] += 1
        yield row, named[milestone] if milestone else 1


def _milestone_record(row: MilestoneRow, times: int, index: PlanIndex) -> dict[str, object]:
    reference = reference_key(row.milestone)
    return {
        "is_known": not reference or reference in index.milestones,
        "times": times,
        "status": code_word(MilestoneStatus, row.status) or row.status or None,
        "review": code_word(Review, row.review) or row.review or None,
    }


class _RowCheck:
    """A schema, and rows that it found nothing wrong with: returns repeat each other's, which are not checked again."""

    def __init__(self, schema: pa.DataFrameSchema) -> None:
        """No rows were checked yet."""
        self._schema = schema
        self._in_order = itemgetter(*schema.columns)
        # Without rows that failed, these hold words of the plan's and numbers alone: no text of any length.
        self._sound: set[tuple[object, ...]] = set()

    def failures(self, records: Sequence[Mapping[str, object]]) -> Iterator[tuple[int, str]]:
        """The failures of rows, by their position, check by check. What a row says does not depend on other rows."""
        rows = [self._in_order(record) for record in records]
        new = [place for place, row in enumerate(rows) if row not in self._sound]
        if not new:
            return
        columns = dict(zip(self._schema.columns, zip(*(rows[place] for place in new), strict=True), strict=True))
        frame = returns.as_frame(self._schema, columns)
        failed = [(new[position], code) for position, code in returns.failures(self._schema, frame)]
        if len(self._sound) + len(new) > _MOST_SOUND:
            # Frequent rows are soon there again.
            self._sound.clear()
        self._sound |= {rows[place] for place in new} - {rows[place] for place, _ in failed}
        yield from failed


@cache
def _indicator_rows(references: frozenset[str], leaves: frozenset[str]) -> _RowCheck:
    return _RowCheck(returns.indicator_rows(references, leaves))


@cache
def _milestone_reports() -> _RowCheck:
    return _RowCheck(returns.milestone_reports())


def code_word(codes: type[MilestoneStatus] | type[Review], text: str) -> str:
    """The word of a code list for a text, case- and whitespace-insensitive, or nothing."""
    return _words(codes).get(reference_key(text), "")


@cache
def _words(codes: type[StrEnum]) -> dict[str, str]:
    return {reference_key(code.value): code.value for code in codes}


def _float(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
