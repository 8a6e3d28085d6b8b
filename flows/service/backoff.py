"""How long to wait before something that failed is tried again."""

from dataclasses import dataclass

_FIRST_SECONDS, _LONGEST_SECONDS = 2.0, 300.0


@dataclass(frozen=True, slots=True)
class Backoff:
    """A pause before the next attempt, of so many `seconds`: the first one, or one after others."""

    seconds: float = _FIRST_SECONDS

    def longer(self) -> "Backoff":
        """The pause after this one, if that attempt fails too: twice as long, up to five minutes."""
        return Backoff(min(self.seconds * 2, _LONGEST_SECONDS))
