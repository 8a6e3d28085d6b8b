"""What rows are about: by their names, and in tables with bands by the outcome or the parent above them."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from cypp_etl.caching import once_for_each
from cypp_etl.findings import Finding, find
from cypp_etl.intake.rows import IndicatorRow, Subject
from cypp_etl.intake.tables import Table, TableRow
from cypp_etl.intake.text_rows import find_text
from cypp_etl.intake.values import read_text
from cypp_etl.plan.index import PlanIndex
from cypp_etl.plan.model import Indicator, Parent, Plan
from cypp_etl.plan.reference_keys import reference_key


def naming_of(row: TableRow, index: PlanIndex) -> tuple[str, str, str]:
    """A row's reference, part and definition as typed; from one cell, the reference that the plan has."""
    if "indicator" not in row.columns:
        return row.text("ref"), row.text("sub"), row.text("definition")
    text = row.text("indicator")
    ref, sub, rest = index.reference_begun(text)
    if not ref:
        return row.text("ref"), row.text("sub"), text
    return ref, sub or row.text("sub"), rest or row.text("definition")


# The columns whose words say what a row is about.
_WORDS = ("ref", "sub", "indicator", "definition", "good_performance", "unit")
_MOST_SUBJECTS = 16_384
# Of a row's words: what is longer is not kept.
_LONGEST_WORDS = 500

Words = tuple[float | str | bool | None, ...]
"""What is typed in the cells of a row that say what it is about, blanks as None."""


class KnownSubjects:
    """The subjects of rows by their words, which forms repeat from quarter to quarter and from partner to partner.

    Only of rows with a reference, without formulas, whose reference or definition the plan has: of what such a row is,
    there is nothing to say, and it depends on nothing else. Other rows may be totals or notes, as their figures say.
    """

    def __init__(self, index: PlanIndex, table: Table) -> None:
        """Those of one plan, and of tables with the same columns as one."""
        names = tuple(name for name in _WORDS if name in table.columns)
        self._index = index
        self._places = [table.places.get(name, 0) for name in names]
        self._by_columns = _subjects(index)
        self._by_words = self._by_columns.setdefault(names, {})

    def words_of(self, row: TableRow) -> Words:
        """The words of a row."""
        line = row.line
        return tuple([line[place].value if place in line else None for place in self._places])

    def find(self, words: Words) -> Subject | None:
        """The subject of a row without formulas, if it is known."""
        return self._by_words.get(words)

    def keep(self, words: Words, subject: Subject) -> None:
        """Keep the subject of a row that has a reference and no formulas, if it is one that others repeat."""
        is_known = subject.described is not None or reference_key(subject.indicator_ref) in self._index.references
        if not is_known or (subject.leaf is None and not subject.is_parent):
            return
        # Numbers are left out: as a key, 1 is the same as TRUE.
        texts = [word for word in words if isinstance(word, str)]
        # An untrusted file could fill the memory.
        if len(texts) + words.count(None) == len(words) and sum(map(len, texts)) <= _LONGEST_WORDS:
            if sum(map(len, self._by_columns.values())) >= _MOST_SUBJECTS:
                # Frequent ones are soon there again.
                for subjects in self._by_columns.values():
                    subjects.clear()
            self._by_words[words] = subject


@once_for_each
def _subjects(_index: PlanIndex) -> dict[tuple[str, ...], dict[Words, Subject]]:
    """The subjects of rows by a plan: by the columns of their table, and their words."""
    return {}


def blame_naming(columns: dict[str, int]) -> None:
    """Have findings about a reference stand where a table without a column of them names its indicators."""
    naming = columns.get("indicator") or columns.get("definition")
    if naming:
        columns.setdefault("ref", naming)
        columns.setdefault("sub", columns["ref"])


@dataclass(slots=True)
class _Place:
    """The current position in the table: the band's outcome, and the parent whose sub-rows follow.

    `is_polarity_above` says that the parent's row has their good performance. `is_lost` says that the row above has an
    unknown reference, which may be a parent's: that is one finding, not also one for each sub-row.
    """

    outcome_code: str = ""
    parent: Parent | None = None
    is_polarity_above: bool = False
    is_lost: bool = False

    def move_to(self, leaf: Indicator | None, parent: Parent | None, polarity: str) -> None:
        """Move on to a row, whose sub-rows may follow if it is a parent's."""
        if parent is not None:
            self.parent, self.is_polarity_above, self.is_lost = parent, bool(polarity), False
        elif leaf is None or self.parent is None or leaf.indicator_ref != self.parent.indicator_ref:
            self.is_lost = leaf is None
            self.parent, self.is_polarity_above = None, False


@dataclass(frozen=True, slots=True)
class BandedRows:
    """Tells what the rows of a table with bands are about; `findings` collects what is wrong with them.

    `figure_columns` are those that a parent's row must leave blank. `is_every_row_referenced` where a row without a
    reference is a mistake, and text that is no band too; otherwise rows may go by their definitions alone.
    """

    plan: Plan
    index: PlanIndex
    findings: list[Finding]
    figure_columns: Collection[str]
    is_every_row_referenced: bool

    def of(self, table: Table, outcome_code: str = "") -> Iterator[IndicatorRow]:
        """The table's rows about indicators; `outcome_code` is that of the whole sheet, if it has one."""
        place = _Place(outcome_code)
        for row in self._above_footnotes(table):
            text = _only_text(row)
            if band := self.index.outcome_of_band(text):
                place = _Place(band)
            elif text and not self._is_named(text, row, place):
                place.outcome_code = outcome_code
                self.findings.extend(self._judge_text(row, text))
            elif (indicator_row := self._identify(row, place)) is not None:
                if (leaf := indicator_row.subject.leaf) is not None:
                    self.findings.extend(self._judge_band(row, leaf, place))
                yield indicator_row

    def _above_footnotes(self, table: Table) -> Iterator[TableRow]:
        """What stands below the last indicator is a footnote, even in the column of references."""
        naming = ("ref",) if self.is_every_row_referenced else ("ref", "indicator", "definition")
        named = (row.row for row in table.rows if any(map(row.text, naming)) and not self._is_mere_text(row))
        last_row = max(named, default=0)
        return (row for row in table.rows if row.row <= last_row)

    def _is_mere_text(self, row: TableRow) -> bool:
        text = _only_text(row)
        return bool(text) and (self.is_every_row_referenced or not self._is_named(text, row, _Place()))

    def _is_named(self, text: str, row: TableRow, place: _Place) -> bool:
        """Whether a text alone in its row names an indicator, of which everything else was left out."""
        if self.is_every_row_referenced:
            return bool(row.text("ref"))
        index, parent = self.index, place.parent
        if parent and (
            index.leaf_described(f"{parent.definition} {text}") or index.leaf_named(parent.indicator_ref, text)
        ):
            return True
        return bool(index.reference_begun(text)[0] or index.leaf_described(text) or index.parent_described(text))

    def _judge_text(self, row: TableRow, text: str) -> Iterator[Finding]:
        if self.is_every_row_referenced:
            address = next(cell.address for cell in row.cells().values() if read_text(cell))
            yield find("band-unknown", sheet=row.sheet, cell=address, value=text)
        else:
            yield from find_text(row, "indicator")

    def _identify(self, row: TableRow, place: _Place) -> IndicatorRow | None:
        """Identify what a row is about, and move on in the table; None if it is not to be judged."""
        ref, sub, definition = self._reference(row, place)
        if sub and place.parent is None:
            return None
        named, described = self.index.leaf_named(ref, sub), self.index.leaf_described(definition)
        leaf, parent = described or named, None
        if leaf is None and not sub:
            parent = self.index.parents.get(reference_key(ref)) or self.index.parent_described(definition)
        polarity = row.text("good_performance")
        if not sub:
            place.move_to(leaf, parent, polarity)
        is_said_elsewhere = not polarity and (parent is not None or place.is_polarity_above)
        if not ref and leaf is None and parent is None and not self.is_every_row_referenced:
            ref = definition
        subject = Subject(
            indicator_ref=ref,
            sub=sub,
            named=named,
            described=described,
            is_parent=parent is not None,
            good_performance=None if is_said_elsewhere or "good_performance" not in row.columns else polarity,
            unit=row.known_text("unit"),
            other_edition=self.index.edition_described(named, definition) if named else None,
        )
        return IndicatorRow(row, subject, row.first_filled(*self.figure_columns))

    def _reference(self, row: TableRow, place: _Place) -> tuple[str, str, str]:
        """A row's reference, sub and definition: below a parent, the reference cell only has the sub's letter."""
        ref, sub, definition = naming_of(row, self.index)
        if not ref and self.is_every_row_referenced:
            self.findings.append(find("row-without-ref", sheet=row.sheet, cell=row.address("ref")))
        if sub:
            return ref, sub, definition
        is_letter = bool(ref) and reference_key(ref) not in self.index.references and not any(map(str.isdigit, ref))
        if not place.parent:
            return ("", ref, definition) if is_letter and place.is_lost else (ref, "", definition)
        whole = f"{place.parent.definition} {definition}"
        if is_letter:
            return place.parent.indicator_ref, ref, whole
        part = self.index.leaf_described(whole) if not ref else None
        return (part.indicator_ref, part.sub, whole) if part else (ref, "", definition)

    def _judge_band(self, row: TableRow, leaf: Indicator, place: _Place) -> Iterator[Finding]:
        outcomes = self.plan.outcomes
        if place.outcome_code and place.outcome_code != leaf.outcome_code:
            words = {"band": outcomes[place.outcome_code].outcome, "outcome": outcomes[leaf.outcome_code].outcome}
            cell = row.address("ref")
            yield find("outcome-differs", sheet=row.sheet, cell=cell, indicator=leaf.indicator, **words)


def _only_text(row: TableRow) -> str:
    """The text of a row with nothing else, such as a band's heading; empty for other rows."""
    texts = {text for cell in row.cells().values() if (text := read_text(cell))}
    return texts.pop() if len(texts) == 1 else ""
