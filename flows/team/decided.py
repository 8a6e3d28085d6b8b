"""What a decision did, and what each must say: who made it, and why."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from flows.ingestion.status_pages import refresh_status_pages

if TYPE_CHECKING:
    from cypp_etl.periods import Period
    from flows.ingestion.context import Workplace


@dataclass(frozen=True, slots=True)
class Decided:
    """What a decision did, in sentences; `is_new` is False where it had been made before, and nothing was changed.

    `warnings` are sentences about what does not follow from it, though somebody may think so. `periods` are those whose
    returns or queries it changed, as far as they are known.
    """

    is_new: bool
    sentences: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    periods: "tuple[Period, ...]" = ()


def shown_to_partner(workplace: "Workplace", decided: Decided, partner_code: str) -> Decided:
    """Write the partner's status page as it is after a decision; where it cannot be written, that is warned of.

    Decided again, it is written again, since a killed process may not have written it.

    Raises:
        sqlalchemy.exc.SQLAlchemyError: the database cannot be reached.
    """
    troubles = refresh_status_pages(workplace, [partner_code], datetime.now(UTC).date())
    return replace(decided, warnings=(*decided.warnings, *troubles))


class UnsaidError(ValueError):
    """What a decision must say is missing; `what` is the name of it: `by`, `why` or `word`, which its partner reads."""

    def __init__(self, what: str, message: str) -> None:
        super().__init__(message)
        self.what = what


def require_who(by: str) -> None:
    """Make sure that a decision says who made it.

    Raises:
        UnsaidError: it does not.
    """
    if not by.strip():
        raise UnsaidError("by", "say who decides it")


def require_who_and_why(by: str, why: str) -> None:
    """Make sure that a decision says who made it, and why.

    Raises:
        UnsaidError: it does not.
    """
    require_who(by)
    if not why.strip():
        raise UnsaidError("why", "say why it is decided")
