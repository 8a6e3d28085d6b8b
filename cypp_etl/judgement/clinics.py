"""Performance clinics: opened where the direction of travel is not positive, closed when it is again.

A clinic is opened by the first period that declines, or does not change while off target, and carried over until two
periods running have improved. So a series has at most one open clinic.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import NamedTuple

from cypp_etl.periods import Period
from cypp_etl.plan.rhythm import QUARTERLY, Rhythm
from schemas.codes import Band, ClinicReason, ClinicRule, Direction, OnTarget

# The bands that are bad enough for a rule; one without them asks for no target at all.
_BANDS = {ClinicRule.WITHIN: (Band.WITHIN, Band.WORSE), ClinicRule.WORSE: (Band.WORSE,), ClinicRule.NEVER: ()}


@lru_cache(maxsize=1024)
def reason_to_open(
    direction: str, on_target: str, target_band: str = "", rule: ClinicRule = ClinicRule.BETTER
) -> ClinicReason | None:
    """The reason for which a judgement would open a clinic, if it would; in the words of the code lists.

    A plan's `rule` may ask for more than a direction of travel that is not positive: that the year to date is in a band
    against its target, or in a worse one.
    """
    if rule in _BANDS and target_band not in _BANDS[rule]:
        return None
    if direction == Direction.DECLINING:
        return ClinicReason.DECLINING
    if direction == Direction.NO_CHANGE and on_target == OnTarget.NO:
        return ClinicReason.OFF_TARGET
    return None


class Travelled(NamedTuple):
    """A period's direction, on target and band against the target, in the words of the code lists."""

    period: Period
    direction: str
    on_target: str
    target_band: str = ""

    @property
    def is_improving(self) -> bool:
        """Whether it was better than the year before."""
        return self.direction == Direction.IMPROVING

    def reason(self, rule: ClinicRule) -> ClinicReason | None:
        """The reason for which it would open a clinic by a plan's rule, if it would."""
        return reason_to_open(self.direction, self.on_target, self.target_band, rule)


class Clinic(NamedTuple):
    """One clinic of a series; `closed` is None while it is open, `measured` its last period without improvement."""

    opened: Period
    reason: ClinicReason
    closed: Period | None
    measured: Period


def find_clinics(
    travelled: Iterable[Travelled],
    carried_over: Clinic | None = None,
    rule: ClinicRule = ClinicRule.BETTER,
    rhythm: Rhythm = QUARTERLY,
) -> list[Clinic]:
    """The clinics of a series by a plan's rule, given its judgements in order and when its indicator is asked.

    The judgements may start at any that opened a clinic: earlier ones no longer matter. Or they start at
    the last period without improvement of a clinic that is `carried_over`, which is then the first of the clinics.
    """
    clinics: list[Clinic] = [carried_over._replace(closed=None)] if carried_over else []
    before: Travelled | None = None
    for now in _counted(travelled, rhythm):
        is_second = before is not None and before.is_improving and before.period == rhythm.before(now.period)
        last = clinics[-1] if clinics else None
        if last is None or last.closed is not None:
            if (reason := now.reason(rule)) is not None:
                clinics.append(Clinic(now.period, reason, None, now.period))
        elif not now.is_improving:
            clinics[-1] = Clinic(last.opened, last.reason, None, now.period)
        elif is_second:
            clinics[-1] = Clinic(last.opened, last.reason, now.period, last.measured)
        before = now
    return clinics


def _counted(travelled: Iterable[Travelled], rhythm: Rhythm) -> Iterator[Travelled]:
    """Quarters count, and a whole year if none of its quarters was returned; for a yearly indicator, years first."""
    in_order = list(travelled)
    told = {one.period.start_year for one in in_order if bool(one.period.quarter) != rhythm.is_yearly}
    return (
        one for one in in_order if bool(one.period.quarter) != rhythm.is_yearly or one.period.start_year not in told
    )
