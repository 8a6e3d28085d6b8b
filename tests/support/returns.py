"""Thousands of a national collector's returns: many partners, who owe the same indicators, quarter after quarter.

One workbook per quarter is made by the template and filled in; all others are copies with other words and figures in
the XML, because openpyxl would take half an hour for ten thousand. Texts are shared, as when Excel saves a workbook.
"""

import random
import re
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from io import BytesIO
from pathlib import Path

from cypp_etl.decimals import rounded
from cypp_etl.periods import Period
from cypp_etl.plan.model import Indicator, Plan
from cypp_etl.plan.reader import read_plan
from cypp_etl.samples.returns import Answers, IndicatorAnswer, MilestoneAnswer, fill_template
from cypp_etl.templates.workbook import write_template
from schemas.codes import MilestoneStatus, Review, Unit
from tests.support.plans import MILESTONE_DUES, add_rows, copy_shipped_plan, indicator_rows

PERIODS = tuple(Period(year, quarter) for year in (2009, 2010) for quarter in range(1, 5))
INDICATORS, MILESTONES = 40, 10
_POPULATION = 40_000
# One return in this many has an error in a cell, and one in this many a large change.
_FAULTY, _ODD = 25, 10
_ANSWER = re.compile(rb'<c r="([FIKL])(\d+)" s="(\d+)" t="n"><v>[^<]*</v></c>')
_INLINE = re.compile(rb't="inlineStr"(?: /|><is><t(?: [^>]*)?>([^<]*)</t></is></c)>')
_FIGURES, _TEXTS = "xl/worksheets/sheet2.xml", "xl/sharedStrings.xml"


def make_national_plan(folder: Path, partners: int, indicators: int = INDICATORS, milestones: int = MILESTONES) -> Plan:
    """Write the built-in plan with so many additional partners into a folder, and read it."""
    copy_shipped_plan(folder)
    codes = [code_of_partner(number) for number in range(partners)]
    add_rows(folder / "partners.csv", [(code, f"Partner {code}") for code in codes])
    rows = indicator_rows(indicators)
    leaves = [row[0] for row in rows if row[9]]
    add_rows(folder / "indicators.csv", rows)
    add_rows(folder / "owed_by.csv", [(code, leaf) for code in codes for leaf in leaves])
    years = sorted({period.financial_year for period in PERIODS})
    add_rows(folder / "figures.csv", [("target", leaf, year, "40", "made up") for leaf in leaves for year in years])
    kind = "existing plan or strategy"
    add_rows(
        folder / "actions.csv",
        [(f"EA1-{code}", "EA1", kind, f"Reading in {code}", "", "A. Lead", "", code) for code in codes],
    )
    add_rows(folder / "milestones.csv", [row for code in codes for row in _milestone_rows(code, milestones)])
    return read_plan(folder)


def write_returns(
    folder: Path,
    plan: Plan,
    partners: int,
    seed: int = 20100401,
    *,
    periods: Sequence[Period] = PERIODS,
    code_of: Callable[[int], str] | None = None,
) -> int:
    """Write a return of each partner for each period, one folder per partner; returns their number.

    `code_of` gives the code of each partner by its number. All owe the same, and their forms have the same cells.
    """
    chance = random.Random(seed)
    code_of = code_of or code_of_partner
    forms = [_Form.of(plan, period, code_of(0)) for period in periods]
    owed = [plan.indicators[code] for code in plan.owed_by[code_of(0)]]
    for number in range(partners):
        code = code_of(number)
        path = folder / code
        path.mkdir(parents=True, exist_ok=True)
        numbers = {leaf.indicator: chance.randrange(200, 900) for leaf in owed}
        for form in forms:
            numbers = {name: max(20, round(last * chance.uniform(0.94, 1.06))) for name, last in numbers.items()}
            if chance.randrange(_ODD) == 0:
                numbers[chance.choice(owed).indicator] *= 2
            faulty = 2 + chance.randrange(len(owed)) if chance.randrange(_FAULTY) == 0 else 0
            targets = _targets(plan, owed, code, form.period)
            data = form.fill(code, dict([*_answers(owed, numbers), *targets]), faulty)
            (path / f"{form.period.code}.xlsx").write_bytes(data)
    return partners * len(forms)


def code_of_partner(number: int) -> str:
    return f"partner{number:05}"


def _milestone_rows(code: str, count: int) -> Iterator[tuple[str, ...]]:
    for number in range(1, count + 1):
        due = MILESTONE_DUES[number % len(MILESTONE_DUES)]
        year = "2010-11" if due < "2011-04" else "2011-12"
        yield f"EA1-{code}-M{number}", f"EA1-{code}", year, f"Step {number} of {code} is done", due, "yes"


def _answers(owed: list[Indicator], numbers: dict[str, int]) -> Iterator[tuple[tuple[str, int], str]]:
    """The content of each entry cell, by column and row."""
    for row, leaf in enumerate(owed, start=2):
        number = Decimal(numbers[leaf.number_indicator or leaf.indicator])
        if leaf.multiplier == 0:
            yield ("I", row), str(number)
            continue
        denominator = Decimal(_POPULATION if leaf.number_indicator else 5000)
        value = rounded(number * leaf.multiplier / denominator, leaf.decimals)
        yield ("I", row), str(value.scaleb(-2) if leaf.unit is Unit.PERCENT else value)
        yield ("K", row), str(number)
        yield ("L", row), str(denominator)


def _targets(plan: Plan, owed: list[Indicator], code: str, period: Period) -> Iterator[tuple[tuple[str, int], str]]:
    """The content of each cell that the form fills in, by column and row."""
    for row, leaf in enumerate(owed, start=2):
        target = plan.target(leaf.indicator, period, code)
        if target and target.value is not None:
            yield ("F", row), str(target.value.scaleb(-2) if leaf.unit is Unit.PERCENT else target.value)


@dataclass(frozen=True)
class _Form:
    """The filled-in workbook of one partner for one quarter, in parts that are recombined for every other."""

    period: Period
    partner_code: bytes
    parts: dict[str, bytes]
    # The sheet of figures, split at each cell with a figure: what comes before it, its column, row and style.
    pieces: list[tuple[bytes, str, int, bytes]]
    last_piece: bytes

    @classmethod
    def of(cls, plan: Plan, period: Period, code: str) -> "_Form":
        with zipfile.ZipFile(BytesIO(_filled_in(plan, code, period))) as book:
            parts = {name: book.read(name) for name in book.namelist()}
        parts = _with_shared_texts(parts)
        sheet = parts.pop(_FIGURES)
        pieces, end = [], 0
        for match in _ANSWER.finditer(sheet):
            pieces.append((sheet[end : match.start()], match[1].decode(), int(match[2]), match[3]))
            end = match.end()
        return cls(period, code.encode(), parts, pieces, sheet[end:])

    def fill(self, partner_code: str, answers: dict[tuple[str, int], str], faulty_row: int) -> bytes:
        """The workbook of a partner; the figure in `faulty_row`, if it is not 0, is a text."""
        sheet = bytearray()
        for before, column, row, style in self.pieces:
            sheet += before + b'<c r="%s%d" s="%s"' % (column.encode(), row, style)
            if column == "I" and row == faulty_row:
                sheet += b' t="inlineStr"><is><t>about 70</t></is></c>'
            else:
                sheet += b"><v>%s</v></c>" % answers[column, row].encode()
        written = BytesIO()
        with zipfile.ZipFile(written, "w", zipfile.ZIP_DEFLATED) as book:
            for name, part in self.parts.items():
                book.writestr(zipfile.ZipInfo(name), part.replace(self.partner_code, partner_code.encode()), 8)
            book.writestr(zipfile.ZipInfo(_FIGURES), bytes(sheet + self.last_piece), zipfile.ZIP_DEFLATED)
        return written.getvalue()


def _filled_in(plan: Plan, partner_code: str, period: Period) -> bytes:
    one = Decimal(1)
    leaves = [plan.indicators[name] for name in plan.at(period).owed_by[partner_code]]
    milestones = {
        each.milestone: MilestoneAnswer(
            MilestoneStatus.ACHIEVED if each.due <= period.last_day else MilestoneStatus.ON_TRACK,
            "Seen by the Board",
            Review.CONTINUE,
        )
        for each in plan.milestones_of[partner_code]
    }
    figures = {
        leaf.indicator: IndicatorAnswer(one, None, one, one) if leaf.multiplier else IndicatorAnswer(one)
        for leaf in leaves
    }
    answers = Answers("A. Officer", "a.officer@example.org", period.last_day, figures, milestones)
    return fill_template(write_template(plan, partner_code, period), answers)


def _with_shared_texts(parts: dict[str, bytes]) -> dict[str, bytes]:
    """The parts with their texts in one shared list, as Excel writes them."""
    places: dict[bytes, int] = {}

    def share(match: re.Match[bytes]) -> bytes:
        if match[1] is None:
            return b"/>"
        return b't="s"><v>%d</v></c>' % places.setdefault(match[1], len(places))

    sheets = {name: _INLINE.sub(share, part) for name, part in parts.items() if name.startswith("xl/worksheets/sheet")}
    main = b"http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    texts = b"".join(b'<si><t xml:space="preserve">%s</t></si>' % text for text in places)
    links, types = parts["xl/_rels/workbook.xml.rels"], parts["[Content_Types].xml"]
    kind = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships/sharedStrings"
    link = b'<Relationship Id="shared" Type="%s" Target="/%s"/></Relationships>' % (kind, _TEXTS.encode())
    of_type = b"application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    override = b'<Override PartName="/%s" ContentType="%s"/></Types>' % (_TEXTS.encode(), of_type)
    return (
        parts
        | sheets
        | {
            _TEXTS: b'<sst xmlns="%s">%s</sst>' % (main, texts),
            "xl/_rels/workbook.xml.rels": links.replace(b"</Relationships>", link),
            "[Content_Types].xml": types.replace(b"</Types>", override),
        }
    )
