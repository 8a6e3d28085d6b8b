"""The board report on the published table and on eight sample quarters: what the Board reads, and as of when."""

import html
import io
import re
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from cypp_etl.checked_return import Observation
from cypp_etl.checking.checker import Checker, Received
from cypp_etl.judgement.explanation import explain_judgements
from cypp_etl.judgement.judge import judge
from cypp_etl.judgement.outlook.variation import Noise
from cypp_etl.periods import Period, parse_period
from cypp_etl.phrases import date_text
from cypp_etl.plan.model import Figure, Plan
from cypp_etl.plan.reader import read_plan
from cypp_etl.plan.selection import select_part
from cypp_etl.report import folder
from cypp_etl.report.figures import comparator_year, figure_text
from cypp_etl.report.first_page.concerns import Concern
from cypp_etl.report.first_page.digest import FirstPage, digest_of, first_page
from cypp_etl.report.first_page.shares import Share, share_of
from cypp_etl.report.folder import MOST_ON_A_PAGE, Part, report_of, without
from cypp_etl.report.html import ReportPages, render_html, render_pages
from cypp_etl.report.model import BoardData, Note, Row
from cypp_etl.report.pages import clinic_pages, indicator_pages, noise_of, year_end_of
from cypp_etl.report.workbook import ReportWorkbook, render_workbook
from cypp_etl.samples.published_table import read_sample_table, write_published_table
from cypp_etl.samples.returns import sample_periods
from flows.cli.commands.clinics import show_clinics
from flows.cli.commands.explain import show_explanation
from flows.deployments.report_files import write_editions, write_report
from schemas.codes import Accumulation, Marker, Measure, NoteKind, Qualifier, Unit, Variation, YearCourse
from tests.support.samples import sample_of
from tests.warehouse.builders import checked, observation
from warehouse.engine import open_warehouse, reading, writing
from warehouse.queries.board.reader import read_board, read_report
from warehouse.queries.history import read_history
from warehouse.recording.clinic_notes import add_note
from warehouse.recording.plan import record_plan
from warehouse.recording.record import record
from warehouse.schema.tables import JUDGED
from warehouse.upgrade import upgrade

WRITTEN = date(2012, 1, 1)


def _load(engine: Engine, plan: Plan, file: str, data: bytes, folder: str, *, at: datetime) -> None:
    with reading(engine) as connection:
        history = read_history(connection, list(plan.partners))
    checked = Checker(plan, history, at.date()).check(Received(file, data, folder))
    assert checked.is_accepted, checked.findings
    record(engine, checked, plan, at)


def _due(plan: Plan, period: Period) -> datetime:
    return datetime.combine(plan.calendar[period].due_on, time(10), UTC)


@pytest.fixture(scope="module")
def plan() -> Plan:
    return read_plan()


@pytest.fixture(scope="module")
def engine(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    """The sample returns, each recorded on the day it was due, and one correction in March 2011."""
    engine = open_warehouse(f"sqlite:///{tmp_path_factory.mktemp('report') / 'warehouse.db'}")
    upgrade(engine)
    start = datetime(2009, 7, 1, tzinfo=UTC)
    with writing(engine) as connection:
        record_plan(connection, plan, start)
    for period in sample_periods():
        for partner_code in plan.partners:
            data = sample_of(partner_code, period)
            _load(engine, plan, f"{partner_code} {period}.xlsx", data, partner_code, at=_due(plan, period))
        if period == Period(2009, 4):
            table = write_published_table(read_sample_table(), "text")
            _load(engine, plan, "table.xlsx", table, "", at=_due(plan, period) + timedelta(days=5))
        if period == Period(2010, 3):
            _correct(engine, plan, period)
    yield engine
    engine.dispose()


World = Callable[..., Engine]


@pytest.fixture(scope="module")
def world(upgraded_file: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    """A warehouse with a plan, and a few figures from a published table."""

    def made(plan: Plan, *observations: Observation) -> Engine:
        copy = shutil.copy(upgraded_file, tmp_path_factory.mktemp("world"))
        engine, at = open_warehouse(f"sqlite:///{copy}"), datetime(2009, 7, 1, tzinfo=UTC)
        with writing(engine) as connection:
            record_plan(connection, plan, at)
        record(engine, checked("a", *observations, layout="published", period=Period(2000)), plan, at)
        return engine

    return made


def _correct(engine: Engine, plan: Plan, period: Period) -> None:
    """NI 43 was 5.5%, and is corrected to 7.7%, which is more than the year before."""
    workbook = openpyxl.load_workbook(io.BytesIO(sample_of("yos", period)))
    sheet = workbook["Indicators"]
    row = next(row for row in range(2, sheet.max_row + 1) if sheet.cell(row, 1).value == "NI 43")
    for column, value in ((9, 0.082), (11, 9), (12, 110), (13, "=Two cases were missed")):
        sheet.cell(row, column).value = value
        sheet.cell(row, column).data_type = "s" if isinstance(value, str) else "n"
    corrected = io.BytesIO()
    workbook.save(corrected)
    _load(engine, plan, "yos corrected.xlsx", corrected.getvalue(), "yos", at=datetime(2011, 3, 1, 9, tzinfo=UTC))


def _read(engine: Engine, period: str, day: date = date(2011, 6, 1)) -> BoardData:
    with reading(engine) as connection:
        return read_board(connection, parse_period(period), datetime.combine(day, time.max, UTC))


class _Table(HTMLParser):
    """The cells of the Board's table, without the report's additions: trends, words of symbols, and what is small."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.is_board = False
        self.added = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = (dict(attrs).get("class") or "").split()
        if tag == "table":
            self.is_board = "board" in names
        if not self.is_board or self.added:
            return
        if tag in ("small", "i") or "t" in names:
            self.added = tag
        elif tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        if tag == self.added:
            self.added = ""
        self.is_board = self.is_board and tag != "table"

    def handle_data(self, data: str) -> None:
        if self.is_board and not self.added and data.strip():
            self.rows[-1][-1] += data.rstrip()


def _first(data: BoardData) -> FirstPage:
    return first_page(data, digest_of(data))


def _concerns(data: BoardData) -> list[Concern]:
    return [*_first(data).concerns]


def _parts(data: BoardData) -> list[Part]:
    return [page for batch in report_of(data).batches for page in batch.pages]


def _pages(data: BoardData) -> dict[str, bytes]:
    return dict(render_pages(report_of(data), WRITTEN))


def test_the_report_on_the_year_is_the_source_table_to_the_letter(engine: Engine) -> None:
    parser = _Table()
    parser.feed(render_html(_read(engine, "2009-10"), WRITTEN).decode())
    # The headings are in two rows, those under a shared heading in the second.
    upper, lower, *rows = parser.rows
    headings = [*upper[:10], *lower, *upper[10:]]
    expected = [[text for text in row if len([*filter(None, row)]) > 1 or text] for row in read_sample_table()]
    assert [headings, *rows] == expected


def test_the_page_needs_nothing_else_and_is_small(engine: Engine) -> None:
    for period in ("2009-10", "2010-11Q3", "2010-11Q4", "2011-12Q1"):
        page = render_html(_read(engine, period), WRITTEN)
        assert len(page) < 500_000
        assert not re.search(rb'(src|href)="(?!#)|url\(|@import|<script', page)


def test_every_symbol_has_its_word_and_every_chart_its_title(engine: Engine) -> None:
    page = render_html(_read(engine, "2010-11Q3"), WRITTEN).decode()
    symbols = page.count("aria-hidden")
    signs = re.findall(r'<b aria-hidden="true">([^<]*)</b>(?:<i>| )([^<]+)<', page)
    assert len(signs) == symbols > 65
    drawn = re.findall(r'<td class="(?:yes|no|up|down|same|star|dot|wedge)[ \w]*">([^<]*)<', page)
    assert len(drawn) > 50, "the style sheet draws these"
    assert all(word.strip() for word in (*drawn, *(word for _, word in signs)))
    titles = re.findall(r'<svg class="\w+" role="img" viewBox="[\d ]+"><title>([^<]+)</title>', page)
    assert len(titles) == page.count("<svg")


def test_clinics_open_are_carried_and_close(engine: Engine) -> None:
    told = {
        period: {page.clinic_id: page.happening for page in clinic_pages(_read(engine, period))}
        for period in ("2009-10Q1", "2010-11Q1", "2010-11Q2", "2010-11Q4")
    }
    assert told["2009-10Q1"]["yos NI 45 2009-10Q1"] == "opened in 2009/10 Q1"
    assert told["2010-11Q1"]["cyps NI 114 2009-10Q1"] == "closed in 2010/11 Q1"
    assert "cyps NI 114 2009-10Q1" not in told["2010-11Q2"]
    assert told["2010-11Q4"]["yos NI 45 2009-10Q1"] == "carried over since 2009/10 Q1"


def test_a_report_as_of_a_day_stays_as_it_was(engine: Engine, plan: Plan, tmp_path: Path) -> None:
    """Written again after a correction and a new quarter, it is the same except for the line with its date."""
    before = render_html(_read(engine, "2010-11Q3", date(2011, 2, 28)), WRITTEN)
    after = render_html(_read(engine, "2010-11Q3", date(2011, 3, 1)), WRITTEN)
    assert b">5.5%<" in before
    assert b">8.2%<" not in before
    assert b">8.2%<" in after
    assert b"yos corrected.xlsx" not in before
    assert b"yos corrected.xlsx, sheet Indicators, cell I" in after, "the correction is traced to its cell"
    for number in range(2):
        with reading(engine) as connection:
            paths = write_report(connection, Period(2010, 3), tmp_path / str(number), as_of=date(2011, 2, 28)).to_open
        page = re.sub(rb'<p class="written">.*?</p>', b"", paths[0].read_bytes())
        assert page == re.sub(rb'<p class="written">.*?</p>', b"", before)
    assert (tmp_path / "0" / paths[1].name).read_bytes() == (tmp_path / "1" / paths[1].name).read_bytes()
    tomorrow = _read(engine, "2010-11Q3", date(2011, 2, 28))
    written_later = render_html(tomorrow, date(2012, 1, 2))
    assert len({*before.splitlines()} ^ {*written_later.splitlines()}) == 2


def test_a_dossier_lists_the_milestones_that_its_diagnosis_counts(engine: Engine) -> None:
    for period in ("2010-11Q1", "2010-11Q2", "2010-11Q3", "2010-11Q4"):
        for page in clinic_pages(_read(engine, period)):
            assert len(page.unachieved) == page.due - page.achieved, (period, page.clinic_id)


@pytest.mark.parametrize(
    ("due", "achieved", "said"),
    [
        (0, 0, "0 milestones of its aspirations were due, of which 0 were achieved."),
        (1, 0, "1 milestone of its aspirations was due, of which 0 were achieved."),
        (2, 1, "2 milestones of its aspirations were due, of which 1 was achieved."),
    ],
)
def test_one_milestone_is_counted_as_one(engine: Engine, due: int, achieved: int, said: str) -> None:
    data = _read(engine, "2010-11Q1")
    counted = [{**row, "milestones_due": due, "milestones_achieved": achieved} for row in data.clinics]
    assert said in render_html(replace(data, clinics=counted), WRITTEN).decode()


def test_the_register_says_once_that_a_clinic_is_closed(engine: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    with reading(engine) as connection:
        show_clinics(connection, Period(2010, 2))
    said = capsys.readouterr().out
    assert "cyps NI 114 2009-10Q1: closed in 2010-11Q1\n" in said
    assert "yos NI 45 2009-10Q1: open\n" in said
    assert re.search(r"\(milestones due: \d+, of which achieved: \d+\)", said)


@pytest.mark.parametrize(
    ("indicator", "expected"),
    [
        ("NI 45", ["Figure: 69.9%", "  Compared with 2009-10Q3: 70.3%", "  69.9 - 70.3 = -0.4", "  Target: 78.0%"]),
        ("NI 19", ["Figure: 0.28", "  0.28 - 0.39 = -0.11", "  Target: 0.97"]),
        ("NI 111a", ["Figure: 39", "  39 - 50 = -11", "  Target: 386"]),
    ],
)
def test_an_explanation_has_the_decimals_that_figures_are_compared_to(
    engine: Engine, plan: Plan, capsys: pytest.CaptureFixture[str], indicator: str, expected: list[str]
) -> None:
    with reading(engine) as connection:
        assert show_explanation(connection, plan, indicator, Period(2010, 3)) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line in expected] == expected


def test_the_report_says_whether_a_change_is_more_than_noise(engine: Engine) -> None:
    told = {page.key: page.noise for page in indicator_pages(_read(engine, "2010-11Q3", date(2011, 2, 28)))}
    trend = "special cause variation: a trend, 7 points running that fall"
    assert told["ni-43-yos"] == told["ni-111a-police"] == Noise(Variation.BEYOND, trend)
    assert told["ni-45-yos"] == Noise(Variation.WITHIN, "Fisher's exact test of two shares")
    assert told["ni-46-yos"].variation is Variation.SMALL
    assert told["ni-112-nhs"].method.startswith("process limits need 5 pairs of earlier changes")
    assert told["ni-22-lscb"] == Noise(Variation.UNKNOWN, "there is no figure to compare with")


@pytest.mark.parametrize(
    ("break_in", "gap_in", "expected"),
    [
        ("", "", Variation.BEYOND),
        ("2008-09Q1", "", Variation.BEYOND),
        # From here on too few changes are left: the quarters before play no part.
        ("2008-09Q2", "", Variation.UNKNOWN),
        ("2008-09Q1", "2009-10Q1", Variation.UNKNOWN),
        ("2010-11Q2", "", Variation.UNKNOWN),
    ],
)
def test_limits_rest_on_the_quarters_since_the_last_break(
    plan: Plan, world: World, break_in: str, gap_in: str, expected: Variation
) -> None:
    """Fifteen quarters of a percentage without counts, of which the last is eight points above last year's."""
    leaf = replace(plan.indicators["NI 111a"], unit=Unit.PERCENT, decimals=1, accumulation=Accumulation.LATEST)
    percent = replace(plan, fingerprint="of a share", figures={}, indicators={**plan.indicators, "NI 111a": leaf})
    periods = [Period(2007 + place // 4, place % 4 + 1) for place in range(15)]
    figures = ["60.0", "60.2", "60.1", "59.8", "60.3", "59.9", "60.4", "59.6", "60.0", "60.4", "60.1", "59.9"]
    rows = [
        observation(
            "NI 111a", value, period.code, qualifiers=frozenset({Qualifier.BREAK} if period.code == break_in else ())
        )
        for period, value in zip(periods, [*figures, "60.2", "60.0", "68.1"], strict=True)
        if period.code != gap_in
    ]
    engine = world(percent, *rows)
    (page,) = indicator_pages(_read(engine, "2010-11Q3"))
    engine.dispose()
    assert page.noise.variation is expected
    if break_in == "2010-11Q2":
        assert page.noise.method == "the series breaks between the two figures"


def test_a_note_is_in_the_reports_that_follow_it(engine: Engine) -> None:
    noted_at = datetime(2011, 5, 2, tzinfo=UTC)
    with writing(engine) as connection:
        note = Note("yos", "NI 45", "2010-11Q3", NoteKind.ISSUE, "<b>Too few</b> places", "A. Analyst", noted_at)
        add_note(connection, note)
    before, after = (render_html(_read(engine, "2010-11Q3", date(2011, 5, day)), WRITTEN) for day in (1, 2))
    assert b"&lt;b&gt;Too few&lt;/b&gt; places" in after
    assert b"Too few" not in before


def test_the_first_page_leads_to_everything_that_it_names(engine: Engine) -> None:
    for period in ("2009-10", "2010-11Q3", "2011-12Q1"):
        data = _read(engine, period)
        page = render_html(data, WRITTEN).decode()
        assert page.index('id="first"') < page.index("<table"), "before any table"
        places = set(re.findall(r' id="([^"]+)"', page))
        lines = [line for one in _concerns(data) for line in one.lines]
        assert {line.key for line in lines} <= places
        assert all(line.title and line.text for line in lines)


def test_what_is_off_target_without_a_clinic_comes_first(engine: Engine) -> None:
    data = _read(engine, "2010-11Q3")
    unattended, clinics, *_ = _concerns(data)
    in_clinics = {line.title for line in clinics.lines}
    expected = {
        f"{row['indicator']}: {row['definition']}"
        for row in data.of_period(data.period)
        if row["on_target"] == "no" or row["direction"] == "declining"
    } - in_clinics
    assert expected <= {line.title for line in unattended.lines}
    assert not in_clinics & {line.title for line in unattended.lines}
    assert len(clinics.lines) == sum(one["status"] == "open" for one in data.clinics)


def test_shares_add_up(engine: Engine) -> None:
    data = _read(engine, "2010-11Q3")
    (only,) = _first(data).shares
    rows = [{**row, "outcome_code": "X"} if row["indicator"] == "NI 45" else row for row in data.performance]
    *outcomes, total = _first(replace(data, performance=rows)).shares
    assert len(outcomes) == 2
    assert replace(total, name="") == replace(only, name="")
    assert total.on_target == sum(one.on_target for one in outcomes)
    assert total.on_target == sum(row["on_target"] == "yes" for row in data.of_period(data.period))
    assert total.clinics == sum(one["status"] == "open" for one in data.clinics)


@pytest.mark.parametrize(
    ("good", "of", "said"), [(0, 0, "-"), (0, 9, "0%"), (1, 900, "1%"), (899, 900, "99%"), (9, 9, "100%")]
)
def test_a_share_says_none_and_all_of_these_alone(good: int, of: int, said: str) -> None:
    assert Share("", good, of, 0, 0, 0, 0, 0).share == said
    assert Share("", 0, 0, good, of, 0, 0, 0).share_before == said


def test_the_headline_counts_what_is_on_target_now_and_in_the_period_before(engine: Engine) -> None:
    data = _read(engine, "2010-11Q3")
    now, before = (
        [row["on_target"] for row in data.of_period(period) if row["on_target"] in ("yes", "no")]
        for period in (data.period, data.period.previous)
    )
    counted = f"{now.count('yes')} of {len(now)} on target"
    assert _first(data).headline == f"{counted}, {before.count('yes')} of {len(before)} in 2010/11 Q2."
    alone = replace(data, performance=[row for row in data.performance if row["period"] == "2010-11Q3"], clinics=[])
    assert _first(alone).headline.startswith(f"{sum(row['on_target'] == 'yes' for row in alone.performance)} of ")
    assert "2010/11 Q2" not in _first(alone).headline
    assert _first(replace(data, performance=[], clinics=[])).headline == ""


def test_clinics_that_do_not_work_come_before_those_that_do(engine: Engine) -> None:
    said = [line.text for line in _concerns(_read(engine, "2010-11Q4", date(2011, 12, 1)))[1].lines]
    works = ["closes if it improves again" in one for one in said]
    assert {*works} == {False, True}
    assert works == sorted(works)


@pytest.mark.parametrize(
    ("then", "now", "said"),
    [
        (("yes", "improving"), ("no", "improving"), "Worse: "),
        (("yes", "declining"), ("no", "improving"), "Better and worse: "),
        (("no", "improving"), ("yes", "improving"), "Better: "),
        (("no", "improving"), ("no data", "improving"), "Neither better nor worse: "),
        (("no", "improving"), ("no data", "no change"), "Worse: "),
    ],
)
def test_a_line_says_whether_what_changed_is_worse(
    engine: Engine, then: tuple[str, str], now: tuple[str, str], said: str
) -> None:
    data = _read(engine, "2010-11Q3")
    (row,) = (row for row in data.performance if (row["indicator"], row["period"]) == ("NI 45", "2010-11Q3"))
    rows = [
        {**row, "period": period, "on_target": on_target, "direction": direction}
        for period, (on_target, direction) in (("2010-11Q2", then), ("2010-11Q3", now))
    ]
    changed = _concerns(replace(data, performance=rows, clinics=[], symbol_changes=[]))[-1]
    assert [line.text[: len(said)] for line in changed.lines] == [said]
    assert all(one.was for one in changed.lines[0].judged)


def test_a_long_list_shows_ten_and_where_the_others_stand(engine: Engine) -> None:
    data = _read(engine, "2009-10")
    few, many = (
        render_html(replace(data, milestones=[], clinics=clinics), WRITTEN).decode()
        for clinics in (data.clinics[:10], [data.clinics[0]] * 11)
    )
    assert '<a href="#clinics">1 more</a>' in many
    assert '<a href="#clinics">1 more</a>' not in few
    worst = replace(
        data, milestones=[], clinics=[], performance=[{**row, "direction": "declining"} for row in data.performance]
    )
    page = render_html(worst, WRITTEN).decode()
    assert f"<summary>{len(data.of_period(data.period)) - 10} more</summary>" in page, "they stand nowhere else"


def _many(data: BoardData, copies: int, *, partners: bool = False) -> BoardData:
    """A report with copies of its indicators, or with copies of its partners that return them."""

    def several(rows: Sequence[Row]) -> list[Row]:
        return [
            {**row, "partner_code": f"{row['partner_code']}{n}"}
            if partners
            else {**row, "indicator": f"{row['indicator']} v{n}", "clinic_id": f"{row.get('clinic_id')} v{n}"}
            for row in rows
            for n in range(copies)
        ]

    return replace(
        data,
        performance=several(data.performance),
        owed=several(data.owed),
        planned=several(data.planned),
        clinics=several(data.clinics),
        partners={f"{code}{n}": f"{name} {n}" for code, name in data.partners.items() for n in range(copies)},
        indicators={f"{code} v{n}": row for code, row in data.indicators.items() for n in range(copies)}
        | dict(data.indicators),
        owing={(f"{name} v{n}", code) for name, code in data.owing for n in range(copies)},
        rhythms={f"{name} v{n}": rhythm for name, rhythm in data.rhythms.items() for n in range(copies)},
    )


@pytest.mark.parametrize(("partners", "copies"), [(False, 5), (True, 6)])
def test_a_large_report_is_a_folder_whose_pages_lead_to_each_other(engine: Engine, partners: bool, copies: int) -> None:
    data = _read(engine, "2010-11Q3")
    for few in (data, _many(data, copies - 1, partners=partners)):
        assert [*_pages(few)] == ["board report 2010-11Q3.html"]
    many = _many(data, copies, partners=partners)
    pages = {name.partition("/")[2]: page.decode() for name, page in _pages(many).items()}
    *others, index = pages
    assert index == "index.html"
    assert len(others) == (len(many.partners) if partners else 1)
    ids = {name: {*re.findall(r' id="([^"]+)"', page)} for name, page in pages.items()}
    for name, page in pages.items():
        assert len(page) < 2_000_000
        assert not re.search(r'src="|url\(|@import|<script', page)
        for link in re.findall(r'href="([^"]+)"', page):
            file, _, place = unquote(link).partition("#")
            assert not place or place in ids[file or name], (name, link)
    named = [key for name in others for key in ids[name] if key.startswith("ni-")]
    assert len(named) == len(set(named)) == len(many.of_period(many.period)), "each is on one page"
    steps = [key for page in ids.values() for key in page if key.startswith("milestone-")]
    assert len(steps) == len(set(steps)) == len({row["milestone"] for row in data.milestones})
    assert index not in re.findall(r'href="(index.html)"', pages[index])
    assert all('href="index.html"' in pages[name] for name in others)
    found = [finding["finding_id"] for part in _parts(many) for finding in part.data.findings]
    rest = without(many, set(), {*found}).findings
    assert {*found} | {one["finding_id"] for one in rest} == {one["finding_id"] for one in data.findings}
    counted = [share_of(part.data, "") for part in _parts(many)]
    assert sum(one.on_target for one in counted) == share_of(many, "").on_target
    assert sum(one.clinics for one in counted) == share_of(many, "").clinics


def test_an_outcome_with_too_many_indicators_for_a_page_goes_on_with_another(engine: Engine) -> None:
    many = _many(_read(engine, "2010-11Q3"), 20)
    assert [part.title[-3:] for part in _parts(many)] == ["(1)", "(2)"]
    sizes = [len(part.data.table_rows()) for part in _parts(many)]
    assert (sizes[0], sum(sizes)) == (MOST_ON_A_PAGE, len(many.table_rows()))


def test_a_report_on_a_part_has_what_belongs_to_it(engine: Engine, plan: Plan, tmp_path: Path) -> None:
    data = _read(engine, "2010-11Q3")
    yos = data.selected(select_part(plan, partner="YOS"))
    assert yos.title == "Performance report 2010/11 Q3: Youth Offending Service"
    assert {row["indicator"] for row in yos.table_rows()} == {"NI 19", "NI 43", "NI 45", "NI 46"}
    assert {row["partner_code"] for row in (*yos.returns, *yos.clinics, *yos.findings, *yos.milestones)} == {"yos"}
    assert data.selected(select_part(plan)) is data
    none = data.selected(select_part(plan, partner="yos", outcome="ICS"))
    page = render_html(none, WRITTEN).decode()
    assert "No milestone belongs to this part of the report." in page
    assert "The plan has no milestones." not in page
    (outcome,) = {row["outcome_code"] for row in yos.performance}
    assert len(data.selected(select_part(plan, outcome=outcome)).performance) == len(data.performance)
    assert data.selected(select_part(plan, outcome=outcome)).returns == data.returns
    written = write_editions(report_of(yos), tmp_path, WRITTEN)
    assert [path.name for path in written.to_open] == [f"board report 2010-11Q3 yos.{one}" for one in ("html", "xlsx")]


def test_a_report_read_partner_by_partner_is_the_one_read_as_a_whole(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "MOST_PARTNERS", 0)
    at = datetime.combine(date(2011, 6, 1), time.max, UTC)
    whole = report_of(_read(engine, "2010-11Q3"))
    with reading(engine) as connection:
        by_partner = read_report(connection, Period(2010, 3), at)
        workbook = ReportWorkbook(by_partner, WRITTEN)
        pages, written = ReportPages(by_partner, WRITTEN), {}
        for batch in by_partner.batches:
            assert len({row["partner_code"] for row in batch.data.performance}) == 1
            written |= dict(pages.of(batch))
            workbook.add(batch.data)
        written |= dict(pages.index())
        file = io.BytesIO()
        workbook.save(file)
    assert written == dict(render_pages(whole, WRITTEN))
    assert by_partner.count == len(written) - 1 == 6
    one, other = (
        {
            sheet.title: sorted(map(str, sheet.iter_rows(values_only=True)))
            for sheet in openpyxl.load_workbook(io.BytesIO(content))
        }
        for content in (file.getvalue(), render_workbook(whole.frame, WRITTEN))
    )
    assert one == other


@pytest.mark.parametrize(("partner", "outcome"), [("yos", ""), ("", "PC"), ("cyps", "PC"), ("yos", "ICS")])
def test_a_part_that_is_read_alone_is_that_part_of_the_whole(
    engine: Engine, plan: Plan, partner: str, outcome: str
) -> None:
    part = select_part(plan, partner=partner, outcome=outcome)
    whole = _read(engine, "2010-11Q3").selected(part)
    with reading(engine) as connection:
        alone = read_board(connection, whole.period, whole.at, part=part)
    assert render_html(alone, WRITTEN) == render_html(whole, WRITTEN)


def test_an_index_of_many_pages_shows_the_lowest_shares_and_all_on_demand(engine: Engine) -> None:
    many = _many(_read(engine, "2010-11Q3"), 6, partners=True)
    pages = _pages(many)
    index = pages.pop("board report 2010-11Q3/index.html").decode()
    lowest, everything = index.partition("<summary>All 36 pages</summary>")[::2]
    table = lowest.rpartition("<caption>Lowest share on target")[2]
    shown = re.findall(r"<td>(\d+) of (\d+)</td><td>(\d+)%</td><td>\d+ of", table)
    assert len(shown) == 10
    percents = [int(percent) for *_, percent in shown]
    assert percents == sorted(percents)
    assert len(re.findall(r'<th scope="row"><a href="', everything)) == len(pages) == 36
    counted = sum(share_of(part.data, "").judged for part in _parts(many))
    assert f" of {counted} on target" in index


def test_a_line_says_since_when_and_what_comes_next(engine: Engine) -> None:
    data = _read(engine, "2010-11Q3")
    lines = {line.title.partition(":")[0]: line for line in _concerns(data)[0].lines}
    runs = {
        indicator: [row["period"] for row in data.performance if row["indicator"] == indicator and row["quarter"]]
        for indicator in lines
    }
    assert lines["NI 113a"].text == "30.2%, 23.4% a year before, target 35.0%; off target since 2010/11 Q1"
    assert runs["NI 113a"][-1] == "2010-11Q3"
    later = [{**row, "on_target": "yes"} if row["period"] == "2010-11Q2" else row for row in data.performance]
    (line,) = (
        line for line in _concerns(replace(data, performance=later))[0].lines if line.title.startswith("NI 113a:")
    )
    assert line.text.endswith("; off target since 2010/11 Q3"), "a quarter between begins anew"
    due = [row["due"] for row in data.milestones_until(None) if row["status"] not in ("Achieved", "Withdrawn")]
    assert lines["NI 113a"].beside[-1].startswith("Next milestone: ")
    assert any(f"due on {date_text(day)}" in lines["NI 113a"].beside[-1] for day in due)
    assert lines["NI 114"].beside[-1] == "No milestone lies ahead."
    done = [{**row, "status": "Achieved"} for row in data.milestones]
    without = _concerns(replace(data, milestones=done, every_milestone=done))[0].lines
    assert not any("milestone" in said for line in without for said in line.beside)


def test_the_summary_in_the_prefect_ui_is_bounded(engine: Engine) -> None:
    from flows.deployments.publish_report import summary

    many = _many(_read(engine, "2010-11Q3"), 8, partners=True)
    said = summary(many, digest_of(many), [])
    counted = _first(many).concerns[1].count
    assert f"### Open performance clinics ({counted})" in said
    assert f"- {counted - 10} more" in said
    assert len(said.splitlines()) < 100


def test_where_partners_return_the_same_each_is_named(engine: Engine) -> None:
    page = render_html(_many(_read(engine, "2010-11Q3"), 3, partners=True), WRITTEN).decode()
    for number in range(3):
        whose = f"NI 45 (Youth Offending Service {number})"
        assert re.search(rf"<h3[^>]*>{re.escape(whose)}: ", page), "the heading of its clinic"
        assert f"<title>{whose}, performance, " in page, "its chart"
        assert f"<title>{whose}: " in page, "its sparkline"
        assert f"<small>Youth Offending Service {number}</small>" in page, "its row"
    assert "NI 45 (" not in render_html(_read(engine, "2010-11Q3"), WRITTEN).decode(), "one goes without saying"


def test_pages_that_an_earlier_report_left_are_removed(engine: Engine, tmp_path: Path) -> None:
    data = _read(engine, "2010-11Q3")
    many = _many(data, 6, partners=True)
    first = write_editions(report_of(data), tmp_path, WRITTEN)
    assert [page.name for page in first.pages] == ["board report 2010-11Q3.html"]
    second = write_editions(report_of(many), tmp_path, WRITTEN)
    assert not first.pages[0].exists()
    assert {*second.pages} == {*(tmp_path / "board report 2010-11Q3").iterdir()}
    fewer = write_editions(report_of(_many(data, 5)), tmp_path, WRITTEN)
    assert {*fewer.pages} == {*(tmp_path / "board report 2010-11Q3").iterdir()}
    assert fewer.to_open[0].name == "index.html"


def test_a_comparator_of_another_year_says_its_year(engine: Engine) -> None:
    for period, year in (("2009-10", ""), ("2010-11Q3", "2009/10")):
        data = _read(engine, period)
        found = {row["indicator"]: comparator_year(row, "national", data.texts) for row in data.of_period(data.period)}
        assert (found["NI 45"], found["NI 46"]) == (year, ""), "there is none of NI 46"
        said = "<small>2009/10</small>" in render_html(data, WRITTEN).decode().partition('<table class="board">')[2]
        assert said is bool(year)
    sheet = openpyxl.load_workbook(io.BytesIO(render_workbook(data, WRITTEN)))["Indicators"]
    beside = {row[1]: row[7] for row in sheet.iter_rows(min_row=5, values_only=True)}
    assert beside["NI 45"] == "statistical neighbours of 2009/10; national of 2009/10"


def test_what_was_said_stands_beside_what_to_look_at(engine: Engine) -> None:
    data = _read(engine, "2010-11Q3")
    at = datetime(2011, 5, 2, tzinfo=UTC)
    notes = [
        Note("yos", "NI 45", period, kind, f"<b>{kind}</b>", "A. Analyst", at + timedelta(days=days))
        for days, (period, kind) in enumerate(
            [("2010-11Q2", NoteKind.DECISION), ("2010-11Q3", NoteKind.ISSUE), ("2000-01Q1", NoteKind.DECISION)]
        )
    ]
    said = [{"partner_code": "yos", "indicator": "NI 45", "period": "2010-11Q3", "comment": "<i>Two posts</i>"}]
    told = replace(data, notes=notes, comments=said)
    (line,) = [line for line in _concerns(told)[1].lines if line.title.startswith("NI 45:")]
    assert line.beside[:2] == ("The partner: <i>Two posts</i>", "Decision, 2 May 2011, A. Analyst: <b>decision</b>")
    page = render_html(told, WRITTEN).decode()
    assert "The partner: &lt;i&gt;Two posts&lt;/i&gt;" in page
    assert "A. Analyst: &lt;b&gt;decision&lt;/b&gt;" in page
    unplanned = [{**clinic, "diagnosis": "no plan"} for clinic in data.clinics]
    for line in _concerns(replace(data, clinics=unplanned))[1].lines:
        assert "the plan has no milestones for it" in line.text
        assert not any("milestone" in said for said in line.beside), "said once"
    bare = replace(data, comments=[], notes=[], milestones=[], every_milestone=[])
    assert not any(line.beside for line in _concerns(bare)[1].lines)


def test_the_report_says_what_the_year_needs_and_whether_it_is_on_course(engine: Engine, plan: Plan) -> None:
    data = _read(engine, "2010-11Q3", date(2011, 2, 28))
    found = {row["indicator"]: year_end_of(data, row) for row in data.of_period(data.period)}
    added, latest, small = found["NI 111a"], found["NI 45"], found["NI 46"]
    assert added is not None
    assert added.needed == "To meet the year's target of 514, 390 may still come in the quarter that remains."
    assert added.projection == "Projected for the year: 159, on course."
    assert latest is not None
    assert (latest.needed, latest.course) == ("The year's target is 78.0%.", YearCourse.OFF)
    assert latest.projection == "Projected for the year, if it stays as it is: 69.9%, off course."
    assert small is not None
    assert (small.projection, small.course) == ("", None), "it rests on small numbers"
    assert found["NI 110"] is None, "a yearly figure"
    lines = {one.heading: one.lines for one in _concerns(data)}["Off course or at risk for the year"]
    told = [
        indicator
        for asked in (YearCourse.OFF, YearCourse.AT_RISK)
        for indicator, year in found.items()
        if year and year.course is asked
    ]
    assert [line.title.partition(":")[0] for line in lines] == told
    assert all("Projected for the year" in line.text for line in lines)
    text = html.unescape(render_html(data, WRITTEN).decode())
    assert f"{added.needed} {added.projection}" in text


@pytest.mark.parametrize(
    ("polarity", "to_date", "said"),
    [
        ("HIGH", 500.0, "To meet the year's target of 514, 14 is needed in the quarter that remains."),
        ("HIGH", 514.0, "The year's target of 514 is met already."),
        ("LOW", 514.0, "To meet the year's target of 514, 0 may still come in the quarter that remains."),
        ("LOW", 515.0, "The year's target of 514 is exceeded already."),
        ("NONE", 515.0, "The year's target is 514."),
    ],
)
def test_what_the_year_needs_is_said_as_it_is(engine: Engine, polarity: str, to_date: float, said: str) -> None:
    data = _read(engine, "2010-11Q3")
    (row,) = (row for row in data.of_period(data.period) if row["indicator"] == "NI 111a")
    row = {**row, "polarity": polarity, "year_to_date": to_date}
    data = replace(data, performance=[one for one in data.performance if series_key(one) != series_key(row)] + [row])
    year = year_end_of(data, row)
    assert year is not None
    assert year.needed == said


def test_a_view_says_what_the_report_says_of_noise_and_of_the_years_end(engine: Engine) -> None:
    for period in ("2010-11Q4", "2010-11"):
        data = _read(engine, period)
        said = {series_key(row): (row["variation"], row["on_course"]) for row in data.performance}
        told = {}
        for row in data.performance:
            year = year_end_of(data, row)
            course = (year and year.course) or YearCourse.NOT_KNOWN
            told[series_key(row)] = (noise_of(data, row).variation, course)
        assert said == told
        assert {word for word, _ in said.values()} == set(Variation)
        assert {course for _, course in said.values()} == set(YearCourse)


def series_key(row: Row) -> tuple[str, str, str]:
    return row["partner_code"], row["indicator"], row["period"]


def test_what_is_furthest_from_its_target_comes_first(engine: Engine) -> None:
    data = _read(engine, "2010-11Q3")
    rows = [
        {**row, "indicator": f"NI {far}", "year_to_date": 50.0 + far, "target": 50.0, "on_target": "no", "sub": None}
        for row in data.performance
        if row["indicator"] == "NI 46"
        for far in (1, 9, 5)
    ]
    lines = _concerns(replace(data, performance=rows, clinics=[]))[0].lines
    assert [line.title[:5] for line in lines] == ["NI 9:", "NI 5:", "NI 1:"]


def test_nothing_returned_is_said(engine: Engine) -> None:
    page = render_html(_read(engine, "2011-12Q1"), WRITTEN).decode()
    assert page.count("Nothing has been returned for 2011/12 Q1.") == 2, "of what changed, and the table"
    table = page[page.index('<table class="board">') :].partition("</table>")[0]
    assert table.count("<i>not returned</i>") == 5 * 9, "and what is owed has its rows"
    assert table.count("<small>2010/11</small>") == 4, "and what is asked once a year its latest figure"
    missing = render_html(_read(engine, "2011-12Q1", date(2011, 12, 1)), WRITTEN).decode()
    assert missing.count('class="overdue">missing') >= 6


def test_what_is_owed_and_was_not_returned_has_its_row_with_blanks(plan: Plan, tmp_path: Path) -> None:
    engine = open_warehouse(f"sqlite:///{tmp_path / 'warehouse.db'}")
    upgrade(engine)
    with writing(engine) as connection:
        record_plan(connection, plan, datetime(2009, 7, 1, tzinfo=UTC))
    period = Period(2010, 4)
    _load(engine, plan, "yos.xlsx", sample_of("yos", period), "yos", at=_due(plan, period))
    data = _read(engine, "2010-11Q4")
    engine.dispose()
    assert [row["indicator"] for row in data.table_rows()] == list(plan.indicators)
    page = render_html(data, WRITTEN).decode()
    signs = re.findall(r'<b aria-hidden="true">(.*?)</b><i>(.*?)</i>', page[page.index('<table class="board">') :])
    assert signs.count(("", "not returned")) == 5 * (13 - 4)
    assert not re.search(r'href="#ni-110-', page), "there is no part of the page that it could lead to"
    assert "Nothing has been returned" not in page
    sheet = openpyxl.load_workbook(io.BytesIO(render_workbook(data, WRITTEN)))["Indicators"]
    rows = {row[1]: row for row in sheet.iter_rows(min_row=5, values_only=True)}
    assert list(rows) == list(plan.indicators)
    assert rows["NI 110"][9:14] == ("not returned",) * 5


def test_what_is_known_without_a_return_is_what_is_judged_with_one(engine: Engine) -> None:
    columns = ("previous_period", "previous_actual", "direction_basis", "target", "next_target", "next_target_2")
    described = (
        "definition",
        "polarity",
        "outcome",
        "indicator_no",
        "sub",
        "period_label",
        "financial_year",
        "quarter",
    )
    for period in ("2009-10Q1", "2010-11Q1", "2010-11Q3", "2010-11Q4"):
        data = _read(engine, period)
        judged = {row["indicator"]: row for row in data.of_period(data.period)}
        assert len(data.owed) == (13 if data.period.quarter == 4 else 9), "four are asked once a year"
        assert {row["indicator"] for row in data.owed} <= judged.keys()
        returned = [row for row in data.table_rows() if not row.get("is_planned")]
        assert returned == data.of_period(data.period), "what was returned is there once"
        for row in data.owed:
            for column in (*columns, *described, "statistical_neighbours", "national"):
                assert row[column] == judged[row["indicator"]][column], (period, row["indicator"], column)


def test_a_comparator_holds_until_a_later_one_however_old_it_is(plan: Plan, tmp_path: Path) -> None:
    engine = open_warehouse(f"sqlite:///{tmp_path / 'warehouse.db'}")
    upgrade(engine)
    old = {(Measure.NATIONAL, "NI 110", Period(1990)): Figure(Decimal("60.5"), None, "a survey")}
    with writing(engine) as connection:
        of_old = replace(plan, fingerprint="of an old survey", figures=old)
        record_plan(connection, of_old, datetime(2009, 7, 1, tzinfo=UTC))
    data = _read(engine, "2010-11Q4")
    engine.dispose()
    assert [row["national"] for row in data.owed if row["indicator"] == "NI 110"] == [60.5]


def test_a_whole_year_is_owed_by_nobody(engine: Engine) -> None:
    assert _read(engine, "2010-11").owed == []


def test_the_excel_edition_is_accessible(engine: Engine) -> None:
    workbook = openpyxl.load_workbook(io.BytesIO(render_workbook(_read(engine, "2010-11Q3"), WRITTEN)))
    assert workbook.sheetnames[:4] == ["Cover", "Contents", "Notes", "Indicators"]
    assert {"Changes", "Corrections", "Clinics", "Milestones", "Returns"} <= set(workbook.sheetnames)
    for sheet in workbook.worksheets:
        assert not sheet.merged_cells.ranges
        assert sheet.sheet_state == "visible"
        cells = [cell for row in sheet.iter_rows() for cell in row]
        assert not any(cell.data_type == "f" for cell in cells)
    for name in workbook.sheetnames[3:]:
        sheet = workbook[name]
        (table,) = sheet.tables.values()
        body = sheet[table.ref]
        assert all(cell.value is not None for row in body for cell in row), f"{name} has an empty cell"
        shapes = {str(cell.value) for row in body for cell in row if isinstance(cell.value, str)}
        assert not shapes & set("✓✗↑↓→★●▲"), "a symbol stands with its word"


def test_text_that_begins_like_a_formula_is_text(engine: Engine, plan: Plan) -> None:
    data = _read(engine, "2010-11Q3")
    evil = [{**row, "evidence": "=cmd|'/C calc'!A0"} for row in data.milestones]
    sheet = openpyxl.load_workbook(io.BytesIO(render_workbook(replace(data, milestones=evil), WRITTEN)))["Milestones"]
    cell = sheet.cell(5, 8)
    assert (cell.value, cell.data_type, cell.quotePrefix) == ("=cmd|'/C calc'!A0", "s", True)


def test_a_comparator_is_shown_as_it_was_printed_however_old_it_is(plan: Plan, world: World) -> None:
    bare = replace(plan, fingerprint="without figures", figures={})
    engine = world(
        bare,
        observation("NI 45", "15.2", "1990-91", measure=Measure.NATIONAL, partner_code="yos", typed="15.20"),
        observation("NI 45", "15.2", "1989-90", measure=Measure.NATIONAL, partner_code="yos", typed="15.200"),
    )
    data = _read(engine, "2010-11Q4")
    engine.dispose()
    (row,) = (row for row in data.owed if row["indicator"] == "NI 45")
    assert figure_text(row, "national", data.texts) == "15.20"


def test_a_missing_return_is_compared_with_what_cannot_exist(plan: Plan, world: World) -> None:
    """Last year's quarter is not applicable: the report says so, and does not use the outturn instead."""
    latest = {"NI 111a": replace(plan.indicators["NI 111a"], accumulation=Accumulation.LATEST)}
    plain = replace(plan, fingerprint="that does not add up", figures={}, indicators=plan.indicators | latest)
    engine = world(
        plain,
        observation("NI 111a", Marker.NOT_APPLICABLE, "2009-10Q4"),
        observation("NI 111a", "70", "2009-10"),
    )
    data = _read(engine, "2010-11Q4")
    engine.dispose()
    (row,) = (row for row in data.owed if row["indicator"] == "NI 111a")
    assert (row["previous_period"], row["previous_actual"]) == ("2009-10Q4", None)
    assert (row["direction"], row["direction_basis"]) == ("not applicable", "same quarter last year")


_FIGURES = st.one_of(st.integers(-60, 60).map(lambda number: str(Decimal(number) / 20)), st.sampled_from(Marker))
_KEYS = [
    (measure, period)
    for measure in Measure
    for year in (Period(2008), Period(2009), Period(2010))
    for period in (year, *(year.quarters if measure in (Measure.ACTUAL, Measure.HISTORY, Measure.TARGET) else ()))
]


@settings(max_examples=15, deadline=None)
@given(st.dictionaries(st.sampled_from(_KEYS), _FIGURES, min_size=1), st.sampled_from(Accumulation))
def test_the_row_of_what_is_owed_is_what_judge_says(
    plan: Plan,
    world: World,
    figures: dict[tuple[Measure, Period], str | Marker],
    accumulation: Accumulation,
) -> None:
    leaf = {"NI 111a": replace(plan.indicators["NI 111a"], accumulation=accumulation)}
    changed = replace(plan, fingerprint=f"that is {accumulation}", indicators=plan.indicators | leaf)
    period = Period(2010, 3)
    figures = {key: value for key, value in figures.items() if key != (Measure.ACTUAL, period)}
    rows = [observation("NI 111a", value, at.code, measure=measure) for (measure, at), value in figures.items()]
    engine = world(changed, *rows)
    data = _read(engine, period.code)
    engine.dispose()
    missing = observation("NI 111a", Marker.NOT_RETURNED, period.code)
    frame = pd.DataFrame(
        [
            ("police", "NI 111a", one.measure.value, one.period.code, one.value, one.marker and one.marker.value, False)
            for one in [*rows, missing]
        ],
        columns=["partner_code", "indicator", "measure", "period", "value", "marker", "is_break"],
    ).astype({"value": "float64"})
    said = judge(frame, changed).iloc[-1]
    (row,) = (row for row in data.owed if row["indicator"] == "NI 111a")
    assert {name: row[name] for name in JUDGED} == {
        name: None if pd.isna(said[name]) else said[name] for name in JUDGED
    }
    explained = explain_judgements(frame, changed, period)[row["partner_code"]]
    assert {name: explained.judged[name] for name in JUDGED} == {name: row[name] for name in JUDGED}
    value_of = dict(zip(frame.index, frame["value"], strict=True))
    sources = {"previous_actual": explained.travel.previous, "target": explained.target.source}
    sources |= {code: step.source for code, step in explained.comparators.items()}
    computed = {code for code, step in explained.comparators.items() if step.spread is not None}
    computed |= {"target"} if explained.target.spread is not None else set()
    for name, source in sources.items():
        if source is not None and source.row is not None and name not in computed:
            taken = value_of[source.row]
            assert row[name] == (None if pd.isna(taken) else taken), name
        elif source is None:
            assert row[name] is None
