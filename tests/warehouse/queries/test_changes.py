"""What a resubmission changed: the cells, and the symbols that changed with them."""

from sqlalchemy import Engine

from cypp_etl.plan.model import Plan
from tests.warehouse.builders import checked, later, observation
from warehouse.engine import reading
from warehouse.queries.changes import CellChange, SymbolChange, changed_cells, changed_symbols
from warehouse.recording.record import record


def test_a_first_submission_changed_nothing(engine: Engine, plan: Plan) -> None:
    first = record(engine, checked("a", observation("NI 111a", "212")), plan, later(0))
    with reading(engine) as connection:
        assert changed_cells(connection, first.submission_id, first.previous_submission_id) == []
        assert changed_symbols(connection, first.submission_id) == []


def test_a_resubmission_names_its_cells_and_the_symbols_that_turned(engine: Engine, plan: Plan) -> None:
    """The year's target is 514, a quarter of which is 129: 120 meets it, 140 does not."""
    record(
        engine, checked("a", observation("NI 111a", "120"), observation("NI 111b", "400", cell="G3")), plan, later(0)
    )
    again = checked("b", observation("NI 111a", "140"), observation("NI 111b", "400", cell="G4", typed="400.0"))
    second = record(engine, again, plan, later(1))
    with reading(engine) as connection:
        assert changed_cells(connection, second.submission_id, second.previous_submission_id) == [
            CellChange("NI 111a", "Indicators", "G2", "120", "140")
        ]
        assert changed_symbols(connection, second.submission_id) == [
            SymbolChange("NI 111a", "2010-11Q1", "on_target", "✓", "✗"),
            SymbolChange("NI 111a", "2010-11Q1", "target_band", "●", "▲"),
        ]


def test_a_figure_that_was_taken_back_is_a_change(engine: Engine, plan: Plan) -> None:
    record(
        engine, checked("a", observation("NI 111a", "120"), observation("NI 111b", "400", cell="G3")), plan, later(0)
    )
    second = record(engine, checked("b", observation("NI 111a", "120")), plan, later(1))
    with reading(engine) as connection:
        assert changed_cells(connection, second.submission_id, second.previous_submission_id) == [
            CellChange("NI 111b", "Indicators", "G3", "400", "")
        ]
