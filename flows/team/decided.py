"""What a decision did, and what each must say: who made it, and why."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cypp_etl.periods import Period


@dataclass(frozen=True, slots=True)
class Decided:
    """What a decision did, in sentences; `is_new` is False where it had been made before, and nothing was changed.

    `warned` are sentences about what does not follow from it, though somebody may think so. `periods` are those whose
    returns or queries it changed, as far as they are known.
    """

    is_new: bool
    said: tuple[str, ...]
    warned: tuple[str, ...] = ()
    periods: "tuple[Period, ...]" = ()


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
