"""A plan holds for years: its rows begin and end, and `Plan.at` is the plan as it holds for a period."""

import csv
import io
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import cache
from importlib.resources import files

import pytest

from cypp_etl.periods import Period, parse_period, quarter_of
from cypp_etl.plan.model import Body, Plan
from cypp_etl.plan.reader import PlanError, plan_of
from cypp_etl.plan.spans import OPEN, Span
from cypp_etl.plan.tables import read_files
from schemas.codes import ClinicRule, Frequency, Measure, Polarity
from schemas.plan import SCHEMAS

Edit = Callable[[str], str]


@cache
def version_1() -> Mapping[str, bytes]:
    """The built-in plan without the files and columns that a plan may lack."""
    contents = {}
    for name, content in read_files(None).items():
        if SCHEMAS[name].is_optional:
            continue
        kept, text = SCHEMAS[name].required, io.StringIO()
        rows = csv.DictReader(io.StringIO(content.decode(), newline=""))
        writer = csv.DictWriter(text, kept, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        contents[name] = text.getvalue().encode()
    return contents


def altered(**edits: Edit) -> Plan:
    """A plan of version 1 with some files altered, named without their suffix."""
    contents = dict(version_1())
    for name, edit in edits.items():
        contents[f"{name}.csv"] = edit(contents.get(f"{name}.csv", b"").decode()).encode()
    return plan_of(contents)


def faults_of(**edits: Edit) -> list[str]:
    with pytest.raises(PlanError) as raised:
        altered(**edits)
    return [str(fault) for fault in raised.value.faults]


def spanned(*rows: str) -> Edit:
    """Give each row of a file two more cells, `first_period` and `last_period`, and add rows."""

    def edit(text: str) -> str:
        header, *lines = text.splitlines()
        return "\n".join([f"{header},first_period,last_period", *(f"{line},," for line in lines), *rows]) + "\n"

    return edit


def ended(starts_with: str, last_period: str, *rows: str) -> Edit:
    """Let one row of a file end, and add rows after it."""

    def edit(text: str) -> str:
        lines = spanned()(text).splitlines()
        whole = [line[:-1] + f",{last_period}" if line.startswith(starts_with) else line for line in lines]
        return "\n".join([*whole, *rows]) + "\n"

    return edit


def with_columns(names: str, cells: dict[str, str]) -> Edit:
    """Give a file more columns: blank, but in the rows that begin as named."""

    def edit(text: str) -> str:
        header, *lines = text.splitlines()
        blank = "," * names.count(",")
        added = [next((more for start, more in cells.items() if line.startswith(start)), blank) for line in lines]
        return "\n".join([f"{header},{names}", *(f"{line},{more}" for line, more in zip(lines, added, strict=True))])

    return edit


def test_a_plan_without_spans_is_the_same_at_any_period() -> None:
    plan = altered()
    assert plan.at(Period(2010, 1)) is plan
    assert plan.at(Period(1950)) is plan


def test_an_indicator_that_has_ended_stays_in_the_plan_and_not_in_its_later_periods() -> None:
    plan = altered(indicators=ended("NI 19,", "2009-10Q4"))
    assert "NI 19" in plan.indicators and "NI 19" in plan.owed_by["yos"]
    assert "NI 19" in plan.at(Period(2009, 4)).indicators
    assert "NI 19" in plan.at(Period(2009)).owed_by["yos"]
    assert "NI 19" not in plan.at(Period(2010, 1)).indicators
    assert "NI 19" not in plan.at(Period(2010, 1)).owed_by["yos"]


def test_the_edition_that_holds_on_the_last_day_describes_a_period() -> None:
    second = "NI 45,44,NI 45,,PC,A new definition,LOW,,,percent,1,0,100,latest,100,,2010-11Q3,"
    plan = altered(indicators=ended("NI 45,", "2010-11Q2", second))
    first, then = plan.editions["NI 45"]
    assert (first.edition, first.span, first.polarity) == (1, Span(None, Period(2010, 2)), Polarity.HIGH)
    assert (then.edition, then.span, then.polarity) == (2, Span(Period(2010, 3), None), Polarity.LOW)
    assert plan.indicators["NI 45"] is then
    assert plan.at(Period(2010, 2)).indicators["NI 45"] is first
    assert plan.at(Period(2010, 3)).indicators["NI 45"] is then
    assert plan.at(Period(2010)).indicators["NI 45"] is then
    assert plan.at(Period(2010, 2)).at(Period(2010, 2)).owed_by == plan.at(Period(2010, 2)).owed_by


def test_an_indicator_is_split_from_a_period_on() -> None:
    rows = (
        "NI 19,42,NI 19,,PC,Rate of re-offending,LOW,,,,,,,,,,2010-11Q1,",
        "NI 19a,42,NI 19,a,PC,Under 15,,,,rate,2,0,,latest,1,,2010-11Q1,",
        "NI 19b,42,NI 19,b,PC,Over 15,,,,rate,2,0,,latest,1,,2010-11Q1,",
    )
    owed = ended("yos,NI 19", "2009-10Q4", "yos,NI 19a,2010-11Q1,", "yos,NI 19b,2010-11Q1,")
    plan = altered(indicators=ended("NI 19,", "2009-10Q4", *rows), owed_by=owed)
    before, after = plan.at(Period(2009, 4)), plan.at(Period(2010, 1))
    assert "NI 19" in before.indicators and "NI 19" not in before.parents and "NI 19a" not in before.indicators
    assert "NI 19" not in after.indicators and "NI 19" in after.parents
    assert after.indicators["NI 19a"].polarity is Polarity.LOW
    assert "NI 19" not in after.owed_by["yos"] and {"NI 19a", "NI 19b"} <= set(after.owed_by["yos"])


def test_margins_change_within_an_edition() -> None:
    def edit(text: str) -> str:
        header, default = spanned()(text).splitlines()[:2]
        return (
            "\n".join([header, default[:-1] + ",2009-10Q4", ",20,1,5,25,5,2010-11Q1,", "NI 45,,,2,,,2010-11Q3,"]) + "\n"
        )

    plan = altered(banding=edit)
    margins = [(leaf.banding.target_margin_percent, leaf.banding.comparator_margin) for leaf in plan.editions["NI 45"]]
    assert margins == [(Decimal(10), Decimal(5)), (Decimal(20), Decimal(5)), (Decimal(20), Decimal(2))]
    assert [leaf.edition for leaf in plan.editions["NI 45"]] == [1, 1, 1]
    assert plan.at(Period(2010, 1)).indicators["NI 19"].banding.target_margin_percent == Decimal(20)


def test_partners_end_and_have_successors() -> None:
    plan = altered(partners=with_columns("last_period,successor", {"police": "2010-11Q2,nhs"}))
    assert plan.partners["police"].successor == "nhs"
    assert "police" in plan.at(Period(2010, 2)).partners
    assert "police" not in plan.at(Period(2010, 3)).owed_by


def test_every_partner_and_a_group_owe_each_once() -> None:
    plan = altered(
        partners=with_columns("group_code", {"yos": "in", "": "out"}),
        groups=lambda _: "group_code,group,parent_group\nall,All,\nin,Inner,all\nout,Outer,all\n",
        owed_by=lambda text: text + "*,NI 45\nout,NI 19\nall,NI 43\n",
    )
    assert all(owed.count("NI 45") == 1 for owed in plan.owed_by.values())
    assert all("NI 19" in owed and "NI 43" in owed for owed in plan.owed_by.values())


def test_a_figure_of_one_partner_comes_before_that_of_every_partner() -> None:
    def edit(text: str) -> str:
        header, *lines = text.splitlines()
        more = ["target,NI 45,2010-11,80.0,Agreed,yos", "target,NI 43,2012-13,4.0,Agreed,yos"]
        return "\n".join([f"{header},partner_code", *(f"{line}," for line in lines), *more]) + "\n"

    plan, year = altered(figures=edit), Period(2010)
    figure = plan.figure(Measure.TARGET, "NI 45", year, "yos")
    assert figure is not None and figure.value == Decimal("80.0")
    assert plan.figure(Measure.TARGET, "NI 45", year) == plan.figure(Measure.TARGET, "NI 45", year, "police") != figure
    assert plan.figure(Measure.TARGET, "NI 43", Period(2012)) is None


def test_a_yearly_indicator_is_asked_in_the_last_quarter_where_the_plan_does_not_say() -> None:
    plan = altered(indicators=with_columns("frequency,asked_in", {"NI 110,": "yearly,", "NI 19,": ",Q1 Q3"}))
    assert plan.indicators["NI 110"].frequency is Frequency.YEARLY
    asked = {name: [q for q in (1, 2, 3, 4) if any(name in owed for owed in plan.at(Period(2010, q)).owed_by.values())]
             for name in ("NI 110", "NI 19", "NI 45")}  # fmt: skip
    assert asked == {"NI 110": [4], "NI 19": [1, 3], "NI 45": [1, 2, 3, 4]}
    assert "NI 110" in {name for owed in plan.at(Period(2010)).owed_by.values() for name in owed}


def test_a_blank_cell_of_an_optional_column_says_what_its_absence_says() -> None:
    names = [name for name, column in SCHEMAS["indicators.csv"].columns.items() if column.default is not None]
    blank = altered(indicators=with_columns(",".join(names), {}))
    assert blank.fingerprint == altered().fingerprint
    assert blank.indicators == altered().indicators
    said = altered(indicators=with_columns("is_comparable", {"NI 19": "no"}))
    assert said.fingerprint == blank.fingerprint


def test_the_body_and_the_title_of_its_reports_come_from_the_plan() -> None:
    header = "body,report_title,clinics_from\n"
    body = altered(body=lambda _: header + "Health Board,Scorecard,worse\n").body
    assert (body.body, body.report_title, body.clinics_from) == ("Health Board", "Scorecard", ClinicRule.WORSE)
    assert altered(body=lambda _: header).body == Body()
    assert altered(body=lambda _: header + "Health Board,,\n").body == Body("Health Board")


@pytest.mark.parametrize(
    ("edits", "message"),
    [
        (
            {"body": lambda _: "body,report_title\nOne,\nTwo,\n"},
            'body: only one row is allowed here: a plan is one body\'s',
        ),
        (
            {"indicators": with_columns("aspirations", {"NI 111,": "PC4"})},
            'aspirations: "PC4" is not allowed for a parent: only its sub-indicators have one',
        ),
        (
            {"indicators": with_columns("aspirations", {"NI 19": "PC4 PC9"})},
            'aspirations: "PC9" is not in aspirations.csv',
        ),
        (
            {"indicators": spanned("NI 45,44,NI 45,,PC,Again,LOW,,,percent,1,0,100,latest,100,,2010-11Q3,")},
            'first_period: "NI 45" holds at the same time in row 4: give the earlier one a last_period before this',
        ),
        (
            {"owed_by": spanned("yos,NI 110,2010-11Q3,2010-11Q1")},
            'last_period: "2010-11Q1" ends before the first_period, "2010-11Q3"',
        ),
        (
            {"owed_by": spanned("yos,NI 110,Nov-10,")},
            'first_period: "Nov-10" is not a period such as 2010-11 or 2010-11Q1',
        ),
        ({"owed_by": lambda text: text + "nobody,NI 45\n"}, 'partner_code: "nobody" is not in partners.csv'),
        (
            {"groups": lambda _: "group_code,group,parent_group\na,A,b\nb,B,a\n"},
            'parent_group: "a" would be part of itself, by way of a',
        ),
        (
            {"groups": lambda _: "group_code,group,parent_group\nyos,Youth,\n"},
            'group_code: "yos" is also a partner, in row 2 of partners.csv',
        ),
        (
            {"indicators": with_columns("year_type", {"NI 19": "academic"})},
            'year_type: "academic" years have no quarters of their own here: the frequency must be yearly',
        ),
    ],
)  # fmt: skip
def test_faults_of_spans_groups_and_years(edits: dict[str, Edit], message: str) -> None:
    assert any(fault.endswith(f"column {message}") for fault in faults_of(**edits)), faults_of(**edits)


def test_default_margins_hold_at_any_time() -> None:
    def edit(text: str) -> str:
        return ended(",10", "2009-10Q4", ",20,1,5,25,5,2010-11Q2,")(text)

    assert faults_of(banding=edit) == [
        "banding.csv, row 3, column first_period: no default margins hold between 2009-10Q4 and 2010-11Q2"
    ]


@pytest.mark.parametrize("code", ["2010-11Q1", "2010-11Q2", "2010-11Q3", "2010-11Q4"])
def test_the_quarter_of_a_day(code: str) -> None:
    quarter = parse_period(code)
    assert quarter_of(quarter.first_day) == quarter_of(quarter.last_day) == quarter


def test_a_span_is_cut_where_others_begin_or_end() -> None:
    others = [Span(Period(2009, 2), Period(2009)), Span(None, Period(2009, 3))]
    assert OPEN.cut(others) == (
        Span(None, Period(2009, 1)),
        Span(Period(2009, 2), Period(2009, 3)),
        Span(Period(2009, 4), Period(2009, 4)),
        Span(Period(2010, 1), None),
    )
    assert Span(Period(2009, 1), Period(2009, 2)).cut([]) == (Span(Period(2009, 1), Period(2009, 2)),)


def test_the_built_in_plan_has_its_files() -> None:
    assert set(read_files(None)) <= {each.name for each in files("cypp_etl").joinpath("plan", "data").iterdir()}
