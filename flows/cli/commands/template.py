"""`cypp template`: a form for a partner to fill in."""

from pathlib import Path
from typing import Annotated

import typer

from cypp_etl.plan.index import PlanIndex, reference_key
from cypp_etl.templates.workbook import template_file_name, write_template
from flows.cli.arguments import parsed_period
from flows.cli.errors import stop
from flows.cli.faults import FAULTS, stop_at
from flows.cli.queries import plan_to_use
from flows.cli.terminal import say
from flows.settings import read_settings


def template(
    partner: Annotated[str, typer.Argument(help="The partner's code, such as yos.")],
    period: Annotated[str, typer.Argument(help="The period, such as 2010-11Q1.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The folder to write it to.")] = Path(),
    force: Annotated[bool, typer.Option("--force", help="Overwrite an existing file.")] = False,
) -> None:
    """Write the form that a partner fills in for a period."""
    wanted = parsed_period(period)
    try:
        plan = plan_to_use(read_settings())
        # Case- and whitespace-insensitive, as on covers.
        code = PlanIndex.of(plan).partners.get(reference_key(partner), partner)
        workbook = write_template(plan, code, wanted)
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
