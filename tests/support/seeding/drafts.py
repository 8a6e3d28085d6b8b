"""Good returns, and faults seeded into them: the findings must be exactly the seeded faults.

A seed is a small function that puts one fault of one code somewhere into a draft and returns where it must be found. It
reserves the fault's cells, so that no other seed puts another fault into the same cells;
everything else can be combined.
"""

import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from io import BytesIO

from openpyxl import Workbook, load_workbook
from openpyxl.cell import Cell

from cypp_etl.checked_return import CheckedReturn, History, KnownFigure
from cypp_etl.decimals import rounded
from cypp_etl.figure_keys import FigureKey
from cypp_etl.layout import read_layouts
from cypp_etl.periods import Period
from cypp_etl.plan.model import Indicator, Milestone, Plan
from cypp_etl.samples.returns import Answers, IndicatorAnswer, MilestoneAnswer, fill_template
from cypp_etl.templates.workbook import write_template
from schemas.codes import Measure, MilestoneStatus, Review

PERIOD = Period(2010, 3)
_POPULATION = 40_000
_LAYOUT = read_layouts()["return"]

Place = tuple[str, str, str]
Seed = Callable[["Draft"], Place]

SEEDS: dict[str, Seed] = {}
"""Every seed, by the code of its fault."""


class NoRoomError(Exception):
    """The draft has no place left for a fault of this kind."""


def seeds(code: str) -> Callable[[Seed], Seed]:
    """Declare a seed of a code."""

    def declare(seed: Seed) -> Seed:
        SEEDS[code] = seed
        return seed

    return declare


@dataclass(frozen=True)
class Good:
    """A return without faults: its workbook, its content, and a history with which nothing in it conflicts."""

    plan: Plan
    partner_code: str
    workbook: bytes
    answers: Answers
    history: History


@dataclass
class Draft:
    """A good return while faults are seeded into it.

    `taken` are the cells (and, as words, other things such as the period) of faults; `used` are those that
    faults depend on, and that must not change.
    """

    good: Good
    chance: random.Random
    workbook: Workbook
    folder_partner: str = ""
    taken: set[object] = field(default_factory=set)
    used: set[object] = field(default_factory=set)
    figures: dict[FigureKey, KnownFigure] = field(default_factory=dict)
    closed: set[Period] = field(default_factory=set)
    states: dict[tuple[str, Period], MilestoneStatus] = field(default_factory=dict)

    @property
    def leaves(self) -> list[Indicator]:
        """The indicators of the return, in the order of its rows."""
        return [self.good.plan.indicators[code] for code in self.good.plan.at(PERIOD).owed_by[self.good.partner_code]]

    @property
    def milestones(self) -> tuple[Milestone, ...]:
        """The milestones of the return, in the order of its rows."""
        return self.good.plan.milestones_of[self.good.partner_code]

    def cell(self, part: str, row: int, column: str) -> Cell:
        """A cell of the return, by the layout's name of its column; of the cover, by that of its label."""
        layout = _LAYOUT.part(part)
        sheet, position = self.workbook[layout.sheet], layout.position(column)
        return sheet.cell(position, 2) if part == "cover" else sheet.cell(row, position)

    def row_cells(self, part: str, row: int) -> list[object]:
        """The key for all cells of a row, and for the row itself."""
        return [(part, row, ""), *[(part, row, column.column) for column in _LAYOUT.part(part).columns]]

    def column_cells(self, part: str, column: str) -> list[object]:
        """The key for all cells of a column, including its heading."""
        return [(part, row, column) for row in range(1, self.last_row(part) + 1)]

    def sheet_cells(self, part: str) -> list[object]:
        """The key for all cells of a sheet, and for the sheet itself."""
        rows = range(1, self.last_row(part) + 1)
        return [part, *[cell for row in rows for cell in self.row_cells(part, row)]]

    def last_row(self, part: str) -> int:
        """The last row of a table as the template has it."""
        return 1 + len(self.leaves if part == "indicators" else self.milestones)

    def new_row(self, part: str) -> int:
        """An unused row below the table."""
        self.take([part], False)
        return int(self.workbook[_LAYOUT.part(part).sheet].max_row) + 1

    def take(self, things: Iterable[object], is_alone: bool = True) -> None:
        """Reserve things for a fault, or (if not `alone`) let it depend on them.

        Raises:
            NoRoomError: another fault has already reserved them.
        """
        wanted = set(things)
        if wanted & self.taken or (is_alone and wanted & self.used):
            raise NoRoomError
        (self.taken if is_alone else self.used).update(wanted)

    def pick(
        self,
        part: str,
        columns: str,
        suits: Callable[[Indicator], bool] | None = None,
        suits_row: Callable[[int], bool] = bool,
    ) -> int:
        """Reserve the cells of some columns in a random row, of a suitable indicator or row; returns the row."""
        for row in self._rows(part, suits, suits_row):
            cells = {(part, row, column) for column in columns.split()}
            if not cells & (self.taken | self.used) and (part, row, "") not in self.taken:
                self.take(cells)
                self.take([(part, row, ""), part], False)
                return row
        raise NoRoomError

    def pick_row(self, part: str, suits: Callable[[Indicator], bool] | None = None) -> int:
        """Reserve a random whole row of a suitable indicator; returns which."""
        for row in self._rows(part, suits, bool):
            cells = self.row_cells(part, row)
            if not set(cells) & (self.taken | self.used):
                self.take(cells)
                self.take([part], False)
                return row
        raise NoRoomError

    def _rows(
        self, part: str, suits: Callable[[Indicator], bool] | None, suits_row: Callable[[int], bool]
    ) -> list[int]:
        rows = [row for row in range(2, self.last_row(part) + 1) if suits_row(row)]
        if part == "indicators" and suits is not None:
            rows = [row for row in rows if suits(self.leaves[row - 2])]
        return self.chance.sample(rows, len(rows))

    def place(self, code: str, part: str, row: int, column: str) -> Place:
        """Where a fault at a cell of the return is found."""
        return code, _LAYOUT.part(part).sheet, self.cell(part, row, column).coordinate

    def known(self, leaf: Indicator, period: Period = PERIOD.previous) -> Decimal:
        """The figure of an earlier period."""
        value = self.figures[FigureKey(self.good.partner_code, leaf.indicator, Measure.ACTUAL, period.code)].value
        assert value is not None
        return value


def make_good(plan: Plan, partner_code: str, chance: random.Random) -> Good:
    """A return without faults, with random figures."""
    leaves = [plan.indicators[code] for code in plan.at(PERIOD).owed_by[partner_code]]
    indicators: dict[str, IndicatorAnswer] = {}
    figures: dict[FigureKey, KnownFigure] = {}
    for leaf in leaves:
        answer, before = _answer(leaf, indicators, figures, chance)
        indicators[leaf.indicator] = answer
        key = FigureKey(partner_code, leaf.indicator, Measure.ACTUAL, PERIOD.previous.code)
        figures[key] = KnownFigure(before, None)
    milestones = {
        each.milestone: MilestoneAnswer(
            MilestoneStatus.ACHIEVED if each.due <= PERIOD.last_day else MilestoneStatus.ON_TRACK,
            "Seen by the Board",
            Review.CONTINUE,
        )
        for each in plan.milestones_of[partner_code]
    }
    answers = Answers("A. Officer", "a.officer@example.org", PERIOD.last_day, indicators, milestones)
    workbook = fill_template(write_template(plan, partner_code, PERIOD), answers)
    states = {(milestone, PERIOD.previous): MilestoneStatus.ON_TRACK for milestone in milestones}
    return Good(plan, partner_code, workbook, answers, History(figures, milestone_states=states))


def _answer(
    leaf: Indicator,
    known: dict[str, IndicatorAnswer],
    figures: dict[FigureKey, KnownFigure],
    chance: random.Random,
) -> tuple[IndicatorAnswer, Decimal]:
    """A figure with its numerator and denominator, and the one before it: slightly smaller, and never the same."""
    denominator = chance.randrange(200, 400)
    if leaf.number_indicator:
        number = known[leaf.number_indicator].actual
        before = next(each.value for key, each in figures.items() if key.indicator == leaf.number_indicator)
        assert isinstance(number, Decimal) and before is not None
        now, then = (rounded(each * leaf.multiplier / _POPULATION, leaf.decimals) for each in (number, before))
        return IndicatorAnswer(now, None, number, Decimal(_POPULATION)), then
    if leaf.multiplier == 0:
        number = Decimal(chance.randrange(200, 900))
        return IndicatorAnswer(number), number - chance.randrange(5, 15)
    numerator = Decimal(chance.randrange(80, 160))
    value = rounded(numerator * leaf.multiplier / denominator, leaf.decimals)
    before = rounded(value * Decimal("0.95"), leaf.decimals)
    return IndicatorAnswer(value, None, numerator, Decimal(denominator)), before


FOREIGN = "partner-not-folder"
LOOKING_BACK = frozenset(
    {
        *("same-content", "closed-period-changed", "population-differs", "unchanged", "large-change"),
        *("large-change-explained", "year-differs", "milestone-moved-back"),
    }
)


@dataclass(frozen=True)
class Trial:
    """A workbook with the seeded faults, and everything else that the checks need."""

    data: bytes
    folder_partner: str
    history: History
    expected: tuple[Place, ...]

    def differences(self, checked: CheckedReturn) -> list[str]:
        """The surplus and the missing findings; empty if everything is as expected."""
        found = sorted((finding.code, finding.sheet, finding.cell) for finding in checked.findings)
        missed = [f"not found: {place}" for place in self.expected if self.expected.count(place) > found.count(place)]
        return missed + [f"too much: {place}" for place in found if found.count(place) > self.expected.count(place)]


def seed_faults(good: Good, count: int, chance: random.Random, codes: Iterable[str] = ()) -> Trial:
    """Put faults of so many different codes, or of the given codes, into a good return, as far as there is room."""
    draft = Draft(good, chance, load_workbook(BytesIO(good.workbook)))
    draft.folder_partner = chance.choice(["", good.partner_code])
    draft.figures, draft.states = dict(good.history.figures), dict(good.history.milestone_states)
    expected: list[Place] = []
    for code in list(codes) or chance.sample(sorted(SEEDS), len(SEEDS)):
        if len(expected) == count:
            break
        seeded = {found for found, _, _ in expected}
        # A return whose cover and folder disagree is not compared with any history.
        if (code == FOREIGN and seeded & LOOKING_BACK) or (FOREIGN in seeded and code in LOOKING_BACK):
            continue
        try:
            expected.append(SEEDS[code](draft))
        except NoRoomError:
            continue
    written = BytesIO()
    draft.workbook.save(written)
    history = History(draft.figures, frozenset(draft.closed), draft.states)
    return Trial(written.getvalue(), draft.folder_partner, history, tuple(sorted(expected)))


def type_over(draft: Draft, code: str, part: str, column: str, text: object, *, also: str = "") -> Place:
    """Overwrite a cell in a random row, which also reserves other columns of the row."""
    row = draft.pick(part, f"{column} {also}")
    draft.cell(part, row, column).value = text
    return draft.place(code, part, row, column)
