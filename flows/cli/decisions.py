"""How commands make a decision: in the warehouse, with what it did printed, and a refusal in one line."""

from collections.abc import Callable
from typing import TypeVar

from flows.cli.errors import stop
from flows.cli.faults import FAULTS, stop_at
from flows.cli.terminal import say
from flows.cli.warehouse_access import say_notice
from flows.ingestion.context import Workplace, open_to_write
from flows.settings import read_settings
from flows.team.decided import Decided, UnsaidError

D = TypeVar("D", bound=Decided)

_OPTIONS = {"by": "--by NAME", "why": "--why TEXT", "word": "--word TEXT"}


def decide(act: Callable[[Workplace], D]) -> D:
    """Make a decision, and print what it did, and on stderr what does not follow from it; return that too."""

    def act_in_warehouse() -> D:
        workplace = open_to_write(read_settings())
        say_notice(workplace)
        return act(workplace)

    decided = decided_by(act_in_warehouse)
    say_decided(decided)
    return decided


def say_decided(decided: Decided) -> None:
    """Print what a decision did, and on stderr what does not follow from it."""
    for sentence in decided.sentences:
        say(sentence)
    for sentence in decided.warnings:
        say(sentence, err=True)


def decided_by(act: Callable[[], D]) -> D:
    """What a decision did; where it cannot be made, the command ends with one line that says why."""
    try:
        return act()
    except UnsaidError as unsaid:
        stop(f"{unsaid}, with {_OPTIONS[unsaid.what]}")
    except FAULTS as fault:
        stop_at(fault)
