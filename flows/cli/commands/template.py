"""`cypp template` and `cypp issue`: forms for partners to fill in, one in any folder, or all in the partners' own."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from cypp_etl.periods import Period
from cypp_etl.plan.index import PlanIndex
from cypp_etl.plan.reference_keys import reference_key
from cypp_etl.plan_source import read_plan_at
from cypp_etl.templates.names import template_file_name
from cypp_etl.templates.workbook import write_template
from flows.cli.arguments import parsed_period
from flows.cli.errors import stop
from flows.cli.faults import FAULTS, stop_at
from flows.cli.terminal import say
from flows.cli.warehouse_access import say_notice
from flows.ingestion.context import open_to_read, open_to_write
from flows.settings import Settings, read_settings
from flows.team.issued_forms import form_of, issue_forms, issue_summary, not_open_yet
from warehouse.engine import reading
from warehouse.upgrade import NoWarehouseError


def template(
    partner: Annotated[str, typer.Argument(help="The partner's code, such as yos.")],
    period: Annotated[str, typer.Argument(help="The period, such as 2010-11Q1.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write it to.")] = Path(),
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
) -> None:
    """Write the form that a partner fills in for a period.

    What the partner returned before stands on it, if there is a warehouse.
    """
    wanted = parsed_period(period)
    try:
        code, workbook = _form(read_settings(), partner, wanted)
        output.mkdir(parents=True, exist_ok=True)
        path = output / template_file_name(code, wanted)
        if path.exists() and not force:
            stop(f"{path} already exists and may contain entries; move it, or use --force to overwrite it")
        path.write_bytes(workbook)
    except LookupError as fault:
        stop(fault)
    except FAULTS as fault:
        stop_at(fault)
    say(path)


def issue(
    period: Annotated[str, typer.Argument(help="The period, such as 2010-11Q1.")],
    partner: Annotated[list[str] | None, typer.Option("--partner", help="Only this partner; may be repeated.")] = None,
) -> None:
    """Put every partner's form into its folder.

    It lies in inbox/PARTNER/forms, with what the partner returned before. A form that lies there stays as it is, filled
    in or not, unless the plan asks for something else now: then it is kept beside the new one.
    """
    wanted, today = parsed_period(period), datetime.now(UTC).date()
    try:
        workplace = open_to_write(read_settings())
        say_notice(workplace)
        issued = issue_forms(workplace, wanted, partner or (), today=today)
    except FAULTS as fault:
        stop_at(fault)
    for one in issued:
        say(one, err=one.is_trouble)
    say(issue_summary(issued))
    if warned := not_open_yet(workplace.plan, wanted, today):
        say(warned, err=True)
    raise typer.Exit(int(any(one.is_trouble for one in issued)))


def _form(settings: Settings, partner: str, period: Period) -> tuple[str, bytes]:
    """The partner's code as the plan has it, and its form."""
    try:
        workplace = open_to_read(settings)
    except NoWarehouseError:
        plan = read_plan_at(settings.plan)
        code = PlanIndex.of(plan).partners.get(reference_key(partner), partner)
        return code, write_template(plan, code, period)
    say_notice(workplace)
    # Case- and whitespace-insensitive, as on covers.
    code = PlanIndex.of(workplace.plan).partners.get(reference_key(partner), partner)
    with reading(workplace.engine) as connection:
        return code, form_of(connection, workplace.plan, code, period)
