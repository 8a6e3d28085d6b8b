"""What the board report reads of a plan's figures: those of a partner alone before those of every partner."""

from sqlalchemy import Engine

from cypp_etl.figure_keys import FigureKey
from cypp_etl.periods import Period
from cypp_etl.plan.model import Plan
from cypp_etl.plan.selection import select_part
from cypp_etl.report.model import KnownText
from schemas.codes import Measure
from tests.support.plan_edits import PlanEdits
from tests.warehouse.builders import later
from warehouse.engine import reading, writing
from warehouse.queries.board.reader import read_board
from warehouse.recording.plan import record_plan


def test_a_partners_own_figures_are_known_by_their_text(engine: Engine) -> None:
    edits = PlanEdits()
    for measure, value, partner_code in (("national", "7.0", ""), ("national", "6.5", "yos"), ("target", "N/A", "yos")):
        row = {"measure": measure, "indicator": "NI 45", "period": "2008-09", "value": value, "source": "made up"}
        edits.add("figures", **row, partner_code=partner_code)
    with writing(engine) as connection:
        record_plan(connection, edits.read(), later(0))
    with reading(engine) as connection:
        texts = read_board(connection, Period(2010, 1), later(1)).texts
    found = {
        (partner_code, measure): texts.find(FigureKey(partner_code, "NI 45", measure, "2008-09"))
        for partner_code in ("police", "yos")
        for measure in (Measure.NATIONAL, Measure.TARGET)
    }
    assert found == {
        ("police", Measure.NATIONAL): KnownText(7, None),
        ("police", Measure.TARGET): None,
        ("yos", Measure.NATIONAL): KnownText(6.5, None),
        ("yos", Measure.TARGET): KnownText(None, "N/A"),
    }


def test_the_next_milestone_of_an_aspiration_may_be_another_partners(engine: Engine, plan: Plan) -> None:
    with writing(engine) as connection:
        record_plan(connection, plan, later(0))
    with reading(engine) as connection:
        whole = read_board(connection, Period(2010, 1), later(1))
        for partner in ("yos", "police", "nhs"):
            part = read_board(connection, Period(2010, 1), later(1), part=select_part(plan, partner=partner))
            assert part.milestones != whole.milestones
            assert part.next_steps == whole.next_steps != {}
