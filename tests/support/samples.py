"""The sample returns of the built-in plan: each is made once in a process, since it takes as long as most tests."""

from functools import cache

from cypp_etl.periods import Period
from cypp_etl.plan.reader import read_plan
from cypp_etl.samples.returns import sample_return


@cache
def sample_of(partner_code: str, period: Period) -> bytes:
    """A partner's return workbook for a period, as `sample_return` makes it of the built-in plan."""
    return sample_return(read_plan(), partner_code, period)
