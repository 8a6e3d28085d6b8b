# ruff: noqa: S608 (nothing but constants)
"""An NHS number anywhere in a return is in no view, and only in its own table, until the data team releases it."""

from datetime import datetime, timedelta
from io import BytesIO
from typing import Any

import openpyxl
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Engine, inspect, select, text

from cypp_etl.checked_return import CheckedReturn, History, Waiver
from cypp_etl.checking.checker import Checker, Received
from cypp_etl.periods import Period, parse_period
from cypp_etl.plan.model import Plan
from tests.support.samples import sample_of
from tests.warehouse.builders import later
from tests.warehouse.test_upgrade import ROOT
from warehouse.engine import open_warehouse, reading, writing
from warehouse.queries.as_of import milestones
from warehouse.queries.board.reader import read_board
from warehouse.queries.explain import explain
from warehouse.queries.history import read_history
from warehouse.recording.administration import add_waiver
from warehouse.recording.record import record
from warehouse.recording.submissions.text_releases import release_text
from warehouse.schema.tables import withheld_text
from warehouse.upgrade import upgrade
from warehouse.views.selectable import view

NHS = "943 476 5919"
PERIOD = Period(2010, 1)
AT = later(11)


def column(sheet: Any, heading: str) -> str:
    found = next(cell for row in sheet.iter_rows(max_row=3) for cell in row if str(cell.value).startswith(heading))
    return str(found.column_letter)


def check(plan: Plan, history: History | None = None, name: str = "return.xlsx", **texts: str) -> CheckedReturn:
    """A return of the youth offending service with texts in its first rows, by heading."""
    book = openpyxl.load_workbook(BytesIO(sample_of("yos", PERIOD)))
    for place, typed in texts.items():
        if place == "sheet":
            book.create_sheet(typed)["A1"] = "x"
        elif place == "cover":
            book["Return"]["B4"] = typed
        else:
            sheet = book["Milestones" if place in ("Evidence", "Reason") else "Indicators"]
            sheet[f"{column(sheet, place)}2"] = typed
    stream = BytesIO()
    book.save(stream)
    received = Received(f"inbox/yos/{name}", stream.getvalue(), "yos")
    return Checker(plan, history or History(), AT.date()).check(received)


def everything(engine: Engine) -> str:
    """The content of views and tables, except for the texts that are stored separately."""
    found = inspect(engine)
    names = {*found.get_view_names(), *found.get_table_names()} - {"withheld_text"}
    assert {"bi_findings", "bi_milestones", "observation", "submission"} <= names
    with engine.connect() as connection:
        found_rows = [connection.execute(text(f'SELECT * FROM "{name}"')).all() for name in names]
    return repr(found_rows)


@pytest.mark.parametrize("place", ["Comment", "Evidence", "Reason", "Actual", "Marker", "cover", "sheet", "name"])
def test_no_view_and_no_other_table_has_the_number(engine: Engine, plan: Plan, place: str) -> None:
    texts = {"name": f"{NHS}.xlsx"} if place == "name" else {place: f"See {NHS}"}
    record(engine, check(plan, None, **texts), plan, AT)
    assert NHS not in everything(engine)
    with reading(engine) as connection:
        assert NHS not in repr(read_board(connection, PERIOD, AT + timedelta(days=1)))
        assert NHS not in repr([explain(connection, plan, one, PERIOD) for one in plan.owed_by["yos"]])


def release(engine: Engine, cell: str, at: datetime, sheet: str = "") -> bool:
    with writing(engine) as connection:
        return release_text(connection, 1, sheet, cell, by="A. Person", reason="A reference", at=at)[1]


def test_a_released_text_is_shown_from_then_on(engine: Engine, plan: Plan) -> None:
    returned = check(plan, Comment=f"See {NHS}", Evidence=f"Shown by {NHS}", Reason=f"Because of {NHS}")
    assert returned.is_accepted
    record(engine, returned, plan, AT)
    released, after = AT + timedelta(days=1), AT + timedelta(days=2)
    for one in returned.withheld:
        assert release(engine, one.cell, released, one.sheet)
        assert not release(engine, one.cell, after, one.sheet)

    def told(at: datetime) -> str:
        with reading(engine) as connection:
            board = read_board(connection, PERIOD, at)
            assert len(board.comments) == len([one for one in returned.observations if one.comment])
            return repr((board.comments, board.milestones, milestones(connection, PERIOD, at)))

    for said in ("See", "Shown by", "Because of"):
        assert f"{said} {NHS}" in told(after)
        assert f"{said} {NHS}" not in told(AT)
    with engine.connect() as connection:
        shown = connection.execute(text("SELECT evidence, review_reason FROM bi_milestones")).all()
        found = connection.execute(text("SELECT value, message, fix FROM bi_findings")).all()
        explained = repr([explain(connection, plan, one, PERIOD) for one in plan.owed_by["yos"]])
        decided = view("bi_decisions").c
        releases = select(decided.decided_at).where(decided.kind == "release-text")
        assert connection.scalars(releases).all() == [released] * 3
    assert f"Shown by {NHS}" in repr(shown)
    assert f"Because of {NHS}" in repr(shown)
    assert f"See {NHS}" in explained
    assert NHS not in repr(found)


def test_one_release_shows_one_text(engine: Engine, plan: Plan) -> None:
    returned = check(plan, Evidence=f"Shown by {NHS}", Reason=f"Because of {NHS}")
    record(engine, returned, plan, AT)
    release(engine, next(one.cell for one in returned.withheld if "Shown" in one.text), AT)
    with engine.connect() as connection:
        shown = repr(connection.execute(text("SELECT evidence, review_reason FROM bi_milestones")).all())
    assert f"Shown by {NHS}" in shown
    assert f"Because of {NHS}" not in shown


def test_a_waiver_releases_nothing(engine: Engine, plan: Plan) -> None:
    waiver = Waiver("personal-data", "yos", "", None, "A reference", "A. Person", AT.date())
    with writing(engine) as connection:
        add_waiver(connection, waiver, AT)
    with reading(engine) as connection:
        history = read_history(connection, ["yos"])
    record(engine, check(plan, history, Comment=f"See {NHS}"), plan, AT)
    assert NHS not in everything(engine)


@pytest.mark.parametrize(
    ("submission_id", "place", "said"),
    [
        (9, "M7", "there is no submission 9"),
        (1, "ZZ9", "has no withheld text at ZZ9; it has one at Indicators!"),
        (1, "Nowhere!M2", "has no withheld text at Nowhere!M2"),
    ],
)
def test_a_release_of_what_is_not_there_is_refused(
    engine: Engine, plan: Plan, submission_id: int, place: str, said: str
) -> None:
    record(engine, check(plan, Comment=f"See {NHS}"), plan, AT)
    sheet, _, cell = place.rpartition("!")
    with writing(engine) as connection, pytest.raises(ValueError, match=said):
        release_text(connection, submission_id, sheet, cell, by="A", reason="x", at=AT)


def test_a_cell_is_named_as_people_write_it(engine: Engine, plan: Plan) -> None:
    returned = check(plan, Comment=f"See {NHS}")
    record(engine, returned, plan, AT)
    cell = returned.withheld[0].cell
    assert release(engine, f"${cell[0].lower()}${cell[1:]}", AT, "INDICATORS")


def test_what_an_older_warehouse_holds_is_withheld_by_the_migration(empty_url: str) -> None:
    older = open_warehouse(empty_url)
    config = Config()
    config.set_main_option("script_location", str(ROOT / "warehouse" / "migrations"))
    with writing(older) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0005")
        for statement in _OLDER:
            connection.execute(text(statement))
    assert upgrade(older)
    assert NHS not in everything(older)
    with older.connect() as connection:
        kept = {(row.sheet, row.cell, row.text) for row in connection.execute(select(withheld_text))}
        comments = connection.scalars(text("SELECT comment FROM observation ORDER BY observation_id")).all()
        names = connection.execute(text("SELECT file, file_name FROM submission")).one()
    assert kept == {
        ("Indicators", "Comment in row 7", f"See {NHS}"),
        ("Milestones", "Evidence in row 3", f"Shown by {NHS}"),
        ("Milestones", "Reason in row 3", f"Because of {NHS}"),
    }
    assert comments == ["[withheld: may hold personal data; see Indicators, Comment in row 7 of the workbook]", "Fine"]
    assert tuple(names) == ("inbox/yos/[file name withheld].xlsx", "[file name withheld].xlsx")
    with writing(older) as connection:
        row, was_withheld = release_text(connection, 1, "", "comment in row 7", by="A", reason="x", at=AT)
    assert (row["text"], was_withheld) == (f"See {NHS}", True)
    with reading(older) as connection:
        board = read_board(connection, parse_period("2010-11Q1"), AT)
    assert f"See {NHS}" in [one["comment"] for one in board.comments]
    older.dispose()


_MOMENT = "'2010-07-01 12:00:00.000000+00:00'"
_OLDER = (
    "INSERT INTO submission (submission_id, partner_code, period, version, file, file_name, sha256, content_sha256,"
    " layout, prepared_by, email, status, received_at, recorded_at) VALUES (1, 'yos', '2010-11Q1', 1,"
    f" 'inbox/yos/{NHS}.xlsx', '{NHS}.xlsx', 'a', 'a', 'return', '', '', 'accepted', {_MOMENT}, {_MOMENT})",
    *(
        "INSERT INTO observation (submission_id, partner_code, indicator, measure, period, value, qualifiers, comment,"
        f" typed, sheet, cell, recorded_at) VALUES (1, 'yos', '{indicator}', 'actual', '2010-11Q1', 1, '', '{comment}',"
        f" '1', 'Indicators', '{cell}', {_MOMENT})"
        for indicator, comment, cell in (("NI 43", f"See {NHS}", "G7"), ("NI 45", "Fine", "G8"))
    ),
    "INSERT INTO milestone_report (submission_id, partner_code, milestone, period, evidence, reason, sheet, cell,"
    f" recorded_at) VALUES (1, 'yos', 'PC1-A1-M1', '2010-11Q1', 'Shown by {NHS}', 'Because of {NHS}', 'Milestones',"
    f" 'F3', {_MOMENT})",
    "INSERT INTO finding (submission_id, code, severity, sheet, cell, value, message, fix) VALUES (1, 'marker-unknown',"
    f" 'ERROR', '{NHS}', 'H7', '{NHS}', '\"943 476 59…\" is no marker.', 'Choose one.')",
)
